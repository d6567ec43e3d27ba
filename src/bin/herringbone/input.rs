//! Files that are read, and what of them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use clap::ValueEnum;
use herringbone::FileMetadata;
use herringbone::arrow::{ParquetFile, Strings};
use herringbone::format::PhysicalType;
use herringbone::read::{self, FileSource, Source};
use herringbone::schema::Leaf;

use crate::failure::{Failure, Result};
use crate::limits::{limits, streaming_limits};
use crate::remote;

/// Opens a file for record batches that are handed on one after another, by [`FileScan`](crate::scan::FileScan).
pub fn open_for_streaming(path: &Path) -> Result<ParquetFile> {
    if remote::is_address(path) {
        return Ok(remote::open_file(path, streaming_limits()).map_err(|error| error.in_file(path.display().to_string()))?);
    }
    Ok(ParquetFile::open_with(path, streaming_limits())?)
}

/// A file that was opened by its path or its address.
pub enum Opened {
    Local(FileSource),
    Remote(remote::File),
}

impl Opened {
    /// Says what will be read: where requests take their time, several are made at once, before their bytes are wanted.
    pub fn expect<R: IntoIterator<Item = Range<u64>>>(&self, ranges: impl FnOnce() -> R) {
        if let Opened::Remote(file) = self {
            file.expect(ranges());
        }
    }
}

impl Source for Opened {
    fn size(&self) -> herringbone::Result<u64> {
        match self {
            Opened::Local(file) => file.size(),
            Opened::Remote(file) => file.size(),
        }
    }

    fn read(&self, range: Range<u64>) -> herringbone::Result<Bytes> {
        match self {
            Opened::Local(file) => file.read(range),
            Opened::Remote(file) => file.read(range),
        }
    }

    fn window(&self) -> u64 {
        match self {
            Opened::Local(file) => file.window(),
            Opened::Remote(file) => file.window(),
        }
    }
}

/// Opens a file by its path or its address.
pub fn open_source(path: &Path) -> herringbone::Result<Arc<Opened>> {
    Ok(Arc::new(match remote::is_address(path) {
        true => Opened::Remote(remote::open(path)?),
        false => Opened::Local(FileSource::open(path)?),
    }))
}

/// The files that are meant: a path that names no file and has wildcards (`*`, `?`, `[a-c]`, `**`) stands for those that fit, in
/// alphabetical order.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let Some(pattern) = path.to_str().filter(|text| text.contains(['*', '?', '[']) && !remote::is_address(path) && !path.exists())
        else {
            files.push(path.clone());
            continue;
        };
        let found = glob::glob(pattern).map_err(|error| Failure::Usage(format!("{pattern:?} is no pattern of file names: {error}")))?;
        let before = files.len();
        for file in found {
            files.push(file.map_err(|error| Failure::File(format!("cannot look for {pattern}: {error}")))?);
        }
        if files.len() == before {
            return Err(Failure::File(format!("no file fits {pattern}")));
        }
    }
    if files.len() > 1 {
        remote::expect(&files);
    }
    Ok(files)
}

/// Opens a file for its metadata and pages.
pub fn open_for_pages(path: &Path) -> Result<(Arc<Opened>, FileMetadata)> {
    let named = |error: herringbone::Error| error.in_file(path.display().to_string());
    let source = open_source(path).map_err(named)?;
    let metadata = read::metadata(&source, &limits()).map_err(named)?;
    Ok((source, metadata))
}

/// The leaf columns whose timestamps are stored as INT96.
pub fn int96_leaves(file: &ParquetFile) -> Vec<&Leaf> {
    let leaves = file.metadata().schema().leaves();
    leaves.iter().filter(|leaf| leaf.physical_type == PhysicalType::Int96).collect()
}

/// Names of columns, separated by commas; in double quotes a name may hold commas itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(pub Vec<String>);

impl std::str::FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut names = vec![String::new()];
        let (mut quoted, mut characters) = (false, text.chars().peekable());
        while let Some(character) = characters.next() {
            let Some(name) = names.last_mut() else { break };
            match character {
                '"' if quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    name.push('"');
                }
                '"' if quoted || name.is_empty() => quoted = !quoted,
                // A space after a comma is nobody's name, unless it is in quotes.
                ' ' if !quoted && name.is_empty() => {}
                ',' if !quoted => names.push(String::new()),
                other => name.push(other),
            }
        }
        match quoted {
            true => Err("a quote is not closed".to_owned()),
            false => Ok(Self(names)),
        }
    }
}

/// How columns of text and bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StringsArg {
    /// Offsets into one buffer (Arrow's Utf8 and Binary)
    Utf8,
    /// Views of 16 bytes (Utf8View and BinaryView)
    View,
    /// Indices into the values that occur (Dictionary)
    Dictionary,
}

impl From<StringsArg> for Strings {
    fn from(strings: StringsArg) -> Self {
        match strings {
            StringsArg::Utf8 => Strings::Utf8,
            StringsArg::View => Strings::Utf8View,
            StringsArg::Dictionary => Strings::Dictionary,
        }
    }
}

/// The leaf columns that a name or a dotted path stands for.
pub fn leaves(metadata: &FileMetadata, name: &str) -> Result<Range<usize>> {
    let schema = metadata.schema();
    // Names of the root first, which may have dots themselves.
    let root = schema.fields().iter().find(|field| field.name() == name);
    match root.or_else(|| schema.field(name)) {
        Some(field) => Ok(field.leaves()),
        None => Err(Failure::Usage(format!("there is no column {name:?}; the file has {}", some(schema.leaves())))),
    }
}

/// The one leaf column that a name or a dotted path stands for.
pub fn leaf(metadata: &FileMetadata, name: &str) -> Result<usize> {
    let leaves = leaves(metadata, name)?;
    if leaves.len() == 1 {
        return Ok(leaves.start);
    }
    let below = metadata.schema().leaves().get(leaves).unwrap_or_default();
    Err(Failure::Usage(format!("{name:?} has {} columns: name one of {}", below.len(), some(below))))
}

/// The paths of the first leaves of many.
fn some(leaves: &[Leaf]) -> String {
    const MOST: usize = 20;
    let mut paths: Vec<&str> = leaves.iter().take(MOST).map(|leaf| leaf.path.dotted()).collect();
    if leaves.len() > MOST {
        paths.push("…");
    }
    paths.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns() {
        for (text, expected) in [
            ("a", vec!["a"]),
            ("a,b.c,d e", vec!["a", "b.c", "d e"]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("a, b, \" c\"", vec!["a", "b", " c"]),
            ("\"a\"\"b\"", vec!["a\"b"]),
            ("a\"b", vec!["a\"b"]),
            ("", vec![""]),
            ("a,", vec!["a", ""]),
        ] {
            assert_eq!(text.parse::<Columns>().unwrap().0, expected, "{text}");
        }
        assert!("\"a".parse::<Columns>().is_err());
    }
}
