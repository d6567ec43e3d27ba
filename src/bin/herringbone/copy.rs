//! Row groups into another Parquet file, as they are.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use herringbone::FileMetadata;
use herringbone::schema::Schema;
use herringbone::write::{FileWriter, WriterOptions};

use crate::failure::Result;
use crate::grid::thousands;
use crate::input::open_for_pages;
use crate::limits::limits;
use crate::target::Target;

/// An entry of application metadata.
pub type Entry = (String, Option<String>);

/// What was copied.
pub struct Copied {
    row_groups: usize,
    rows: u64,
}

/// Copies the row groups of files to one of this schema, and gives that its name.
pub fn copy(paths: &[PathBuf], schema: Arc<Schema>, entries: Vec<Entry>, mut target: Target) -> Result<Copied> {
    let options = entries.into_iter().fold(WriterOptions::builder(), |options, (key, value)| options.key_value(key, value));
    let mut writer = FileWriter::new(&mut target, Arc::clone(&schema), options.build()?)?;
    for path in paths {
        let (source, metadata) = open_for_pages(path)?;
        source.expect(|| wanted(&metadata, &schema));
        writer.copy_file_within(&source, &limits()).map_err(|error| error.in_file(path.display().to_string()))?;
    }
    let copied = Copied { row_groups: writer.num_row_groups(), rows: writer.close()?.num_rows() };
    target.finish()?;
    Ok(copied)
}

/// Where all is that is copied of a file. What cannot be read comes up where it is copied.
fn wanted(metadata: &FileMetadata, schema: &Schema) -> Vec<Range<u64>> {
    let copied: HashSet<&str> = schema.leaves().iter().map(|leaf| leaf.path.dotted()).collect();
    let leaves = metadata.schema().leaves().iter().filter(|leaf| copied.contains(leaf.path.dotted()));
    let leaves: Vec<usize> = leaves.map(|leaf| leaf.index).collect();
    let chunks = metadata.row_groups().flat_map(|group| leaves.iter().filter_map(|leaf| group.chunk(*leaf).ok()).collect::<Vec<_>>());
    let ranges = chunks.flat_map(|chunk| {
        let bloom = chunk.bloom_filter.and_then(|bloom| bloom.range());
        [Some(chunk.range), chunk.offset_index, chunk.column_index, bloom]
    });
    ranges.flatten().collect()
}

impl std::fmt::Display for Copied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let groups = if self.row_groups == 1 { "row group" } else { "row groups" };
        write!(f, "copied {} {groups} of {} rows without decoding", thousands(self.row_groups as u64), thousands(self.rows))
    }
}

/// The application metadata of a file.
pub fn entries(metadata: &FileMetadata) -> Vec<Entry> {
    metadata.key_values().map(|entry| (entry.key.into_owned(), entry.value.map(|value| value.into_owned()))).collect()
}

/// Where the columns of a file first differ from those of another, if they do.
pub fn difference(expected: &Schema, found: &Schema) -> Option<String> {
    if expected.fields() == found.fields() {
        return None;
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    // The name of the root does not matter.
    let (mut expected, mut found) = (expected.lines().skip(1), found.lines().skip(1));
    loop {
        match (expected.next(), found.next()) {
            (Some(expected), Some(found)) if expected == found => {}
            (Some(expected), Some(found)) => return Some(format!("`{}` where `{}` is expected", found.trim(), expected.trim())),
            _ => return Some("they differ in what a schema as text does not show".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_lines_of_the_schema() {
        let schema = |text: &str| text.parse::<Schema>().unwrap();
        let one = schema("message a { required int32 x; optional group g { required int32 y; } }");
        assert_eq!(difference(&one, &schema("message b { required int32 x; optional group g { required int32 y; } }")), None);
        for (text, says) in [
            ("message a { optional int32 x; optional group g { required int32 y; } }", "`optional int32 x;` where `required int32 x;`"),
            ("message a { required int32 x; optional group g { required int64 y; } }", "`required int64 y;` where `required int32 y;`"),
            ("message a { required int32 x; }", "`}` where `optional group g {`"),
        ] {
            let found = difference(&one, &schema(text)).unwrap();
            assert!(found.starts_with(says), "{found}");
        }
    }
}
