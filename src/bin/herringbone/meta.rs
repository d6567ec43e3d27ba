//! `herringbone meta`: what a file says about itself.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use herringbone::metadata::{Bound, ColumnChunk, RowGroup};
use herringbone::read::Source;
use herringbone::schema::Leaf;
use herringbone::{ErrorKind, FileMetadata};

use crate::failure::{Failure, Result};
use crate::grid::{Align, Grid, ratio, shown, thousands};
use crate::input::open_for_pages;
use crate::meta_json::{self, bound_text};
use crate::sorting;

/// Prints a summary of the metadata: row groups, columns, sizes, encodings, statistics
///
/// A bound with ~ in front is known to be a bound, but not to be a value of the column.
#[derive(clap::Args)]
pub struct Args {
    /// A Parquet file
    file: PathBuf,
    /// Print the columns of this row group instead of those of all row groups together; can be given several times
    #[arg(long = "row-group", value_name = "N", conflicts_with = "json")]
    row_groups: Vec<usize>,
    /// Print all metadata as JSON
    #[arg(long)]
    json: bool,
    /// Add the page index to the JSON
    #[arg(long, requires = "json")]
    page_index: bool,
}

/// Where the page index of all columns is.
fn indexes(metadata: &FileMetadata) -> Vec<Range<u64>> {
    let groups = metadata.row_groups();
    let chunks = groups.flat_map(|group| (0..group.num_columns()).filter_map(|leaf| group.chunk(leaf).ok()).collect::<Vec<_>>());
    chunks.flat_map(|chunk| [chunk.offset_index, chunk.column_index]).flatten().collect()
}

/// Runs the command.
pub fn run(args: &Args) -> Result {
    let (source, metadata) = open_for_pages(&args.file)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let path = args.file.display().to_string();
    let named = |failure| match failure {
        Failure::File(message) => Failure::File(format!("{message} (file {path})")),
        other => other,
    };
    if args.json {
        if args.page_index {
            source.expect(|| indexes(&metadata));
        }
        let indexes_of = args.page_index.then_some(&*source as &dyn Source);
        meta_json::print(&path, &metadata, indexes_of, &mut out).map_err(named)?;
    } else {
        summary(&args.file, &metadata, &mut out)?;
        if args.row_groups.is_empty() {
            let groups: Vec<RowGroup<'_>> = metadata.row_groups().collect();
            print_columns("columns, all row groups together", &metadata, &groups, &mut out).map_err(named)?;
            print_row_groups(&groups, &mut out).map_err(named)?;
        }
        for index in &args.row_groups {
            let Some(group) = metadata.row_group(*index) else {
                return Err(Failure::Usage(format!("there is no row group {index}: the file has {}", metadata.num_row_groups())));
            };
            print_columns(&format!("columns of row group {index}"), &metadata, &[group], &mut out).map_err(named)?;
        }
    }
    Ok(out.flush()?)
}

fn summary(path: &Path, metadata: &FileMetadata, out: &mut dyn Write) -> Result {
    let mut line = |name: &str, value: &str| writeln!(out, "{name:<13} {}", shown(value));
    line("file", &path.display().to_string())?;
    line(
        "size",
        &format!("{} bytes, of which the footer has {}", thousands(metadata.file_size()), thousands(metadata.footer_size() as u128)),
    )?;
    let groups = metadata.num_row_groups();
    line(
        "rows",
        &format!("{} in {} row group{}", thousands(metadata.num_rows()), thousands(groups as u128), if groups == 1 { "" } else { "s" }),
    )?;
    if let Err(error) = metadata.check_has_data() {
        line("", error.message())?;
    }
    let fields = metadata.schema().fields().len();
    line("columns", &format!("{fields}, stored in {}", metadata.schema().leaves().len()))?;
    line("created by", metadata.created_by().unwrap_or("(not said)"))?;
    line("format", &format!("version {}", metadata.version()))?;
    if metadata.is_encrypted() {
        line("encrypted", "yes, with the footer in plain text")?;
    }
    for (i, entry) in metadata.key_values().enumerate() {
        let value = entry.value.as_deref().unwrap_or_default();
        line(if i == 0 { "key-values" } else { "" }, &format!("{} ({} bytes)", entry.key, thousands(value.len() as u128)))?;
    }
    Ok(())
}

fn print_row_groups(groups: &[RowGroup<'_>], out: &mut dyn Write) -> Result {
    let mut rows = Vec::new();
    for group in groups {
        let sizes = group.columns().map(|column| column.map(|column| (column.compressed_size(), column.uncompressed_size())));
        let (mut compressed, mut uncompressed) = (0_u64, 0_u64);
        for size in sizes {
            match size {
                Ok((small, large)) => (compressed, uncompressed) = (compressed.saturating_add(small), uncompressed.saturating_add(large)),
                Err(error) if error.kind() == ErrorKind::Unsupported => {}
                Err(error) => return Err(error.into()),
            }
        }
        let offset = group.file_offset().map(|offset| offset.to_string()).unwrap_or_default();
        rows.push(vec![
            group.index().to_string(),
            thousands(group.num_rows()),
            thousands(compressed),
            thousands(uncompressed),
            ratio(uncompressed, compressed),
            offset,
            sorting::words(group, &group.sorting_columns()?, |by| if by.descending { " descending" } else { "" }),
        ]);
    }
    let right = ["row group", "rows", "compressed", "uncompressed", "ratio", "offset"].map(|name| (name, Align::Right));
    writeln!(out)?;
    Grid::new(right.into_iter().chain([("sorted by", Align::Left)])).print(&rows, out)?;
    Ok(())
}

fn print_columns(title: &str, metadata: &FileMetadata, groups: &[RowGroup<'_>], out: &mut dyn Write) -> Result {
    use Align::{Left, Right};
    let mut rows = Vec::new();
    for leaf in metadata.schema().leaves() {
        let mut column = Column::default();
        for group in groups {
            match group.column(leaf.index) {
                Ok(chunk) => column.add(&chunk),
                Err(error) if error.kind() == ErrorKind::Unsupported => column.encrypted = true,
                Err(error) => return Err(error.into()),
            }
        }
        rows.push(column.row(leaf));
    }
    writeln!(out, "\n{title}:")?;
    let mut grid = Grid::new([
        ("column", Left),
        ("type", Left),
        ("codec", Left),
        ("encodings", Left),
        ("compressed", Right),
        ("uncompressed", Right),
        ("ratio", Right),
        ("values", Right),
        ("nulls", Right),
        ("min", Left),
        ("max", Left),
        ("has", Left),
    ]);
    grid.print(&rows, out)?;
    Ok(())
}

/// A column in some row groups.
#[derive(Default)]
struct Column<'a> {
    codecs: BTreeSet<String>,
    encodings: BTreeSet<String>,
    compressed: u64,
    uncompressed: u64,
    values: u64,
    nulls: Count,
    min: Extreme<'a>,
    max: Extreme<'a>,
    has: BTreeSet<&'static str>,
    encrypted: bool,
}

/// A sum of which any part may be unknown.
struct Count(Option<u64>);

impl Default for Count {
    fn default() -> Self {
        Self(Some(0))
    }
}

/// The outermost of several bounds; unknown if one of them is.
#[derive(Default)]
enum Extreme<'a> {
    #[default]
    Nothing,
    Known(Bound<'a>),
    Unknown,
}

impl<'a> Extreme<'a> {
    fn add(&mut self, bound: Option<&Bound<'a>>, outer: Ordering) {
        let replace = match (&self, bound) {
            (Extreme::Unknown, _) => return,
            (_, None) => true,
            (Extreme::Nothing, Some(_)) => true,
            (Extreme::Known(known), Some(bound)) => bound.compare(known.bytes()) == Some(outer),
        };
        if replace {
            *self = bound.map_or(Extreme::Unknown, |bound| Extreme::Known(bound.clone()));
        }
    }

    fn text(&self, leaf: &Leaf) -> String {
        match self {
            Extreme::Known(bound) => bound_text(bound, leaf),
            Extreme::Nothing | Extreme::Unknown => String::new(),
        }
    }
}

impl<'a> Column<'a> {
    fn add(&mut self, chunk: &ColumnChunk<'a>) {
        self.codecs.insert(chunk.codec().to_string());
        self.encodings.extend(chunk.encodings().iter().map(ToString::to_string));
        self.compressed = self.compressed.saturating_add(chunk.compressed_size());
        self.uncompressed = self.uncompressed.saturating_add(chunk.uncompressed_size());
        self.values = self.values.saturating_add(chunk.num_values());
        let statistics = chunk.statistics();
        let nulls = statistics.as_ref().and_then(|statistics| statistics.null_count());
        self.nulls.0 = self.nulls.0.zip(nulls).map(|(sum, nulls)| sum.saturating_add(nulls));
        // Where there is nothing but nulls there is nothing to bound.
        if nulls != Some(chunk.num_values()) {
            self.min.add(statistics.as_ref().and_then(|statistics| statistics.min()), Ordering::Less);
            self.max.add(statistics.as_ref().and_then(|statistics| statistics.max()), Ordering::Greater);
        }
        let parts = [
            (chunk.offset_index().is_some(), "offset index"),
            (chunk.column_index().is_some(), "column index"),
            (chunk.bloom_filter().is_some(), "bloom filter"),
            (chunk.size_statistics().is_some(), "size statistics"),
            (chunk.geospatial_statistics().is_some(), "geospatial statistics"),
            (chunk.file_path().is_some(), "another file"),
        ];
        self.has.extend(parts.into_iter().filter(|(has, _)| *has).map(|(_, name)| name));
        self.encrypted |= chunk.crypto_metadata().is_some();
    }

    fn row(&self, leaf: &Leaf) -> Vec<String> {
        let join = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let mut has: Vec<&str> = self.has.iter().copied().collect();
        if self.encrypted {
            has.push("encryption");
        }
        let logical = leaf.logical_type.as_ref().map(|logical| format!(" ({logical})")).unwrap_or_default();
        vec![
            leaf.path.dotted().to_owned(),
            format!("{}{logical}", leaf.physical_type),
            join(&self.codecs),
            join(&self.encodings),
            thousands(self.compressed),
            thousands(self.uncompressed),
            ratio(self.uncompressed, self.compressed),
            thousands(self.values),
            self.nulls.0.map(thousands).unwrap_or_default(),
            self.min.text(leaf),
            self.max.text(leaf),
            has.join(", "),
        ]
    }
}
