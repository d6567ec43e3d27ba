//! `herringbone rowgroups`: a table of the row groups.

use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::PathBuf;

use herringbone::format::SortingColumn;
use herringbone::metadata::RowGroup;
use serde_json::json;

use crate::failure::Result;
use crate::grid::{Align, Grid, cut_to, ratio};
use crate::input::{leaves, open_for_pages};
use crate::sorting::{self, NAME_BYTES};

/// Lists the row groups: rows, bytes, offsets and by what they are sorted
#[derive(clap::Args)]
pub struct Args {
    /// A Parquet file
    file: PathBuf,
    /// List the chunks of these columns instead: a name or a dotted path, or "*" for all
    #[arg(long, short, value_name = "COLUMN")]
    column: Vec<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result {
    let (_, metadata) = open_for_pages(&args.file)?;
    let mut columns = Vec::new();
    for name in &args.column {
        match name.as_str() {
            "*" => columns.extend(0..metadata.schema().leaves().len()),
            name => columns.extend(leaves(&metadata, name)?),
        }
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut table = if columns.is_empty() { groups() } else { chunks() };
    for group in metadata.row_groups() {
        let place = |error: herringbone::Error| error.in_file(args.file.display().to_string());
        let lines = lines(&group, &columns).map_err(place)?;
        match args.json {
            true => lines.iter().try_for_each(|line| writeln!(out, "{}", line.json))?,
            false => drop(table.print(&lines.into_iter().map(|line| line.cells).collect::<Vec<_>>(), &mut out)?),
        }
    }
    if !args.json {
        table.print(&[], &mut out)?;
    }
    Ok(out.flush()?)
}

/// One line, in both forms.
struct Line {
    cells: Vec<String>,
    json: serde_json::Value,
}

/// A line for the row group, or one for each of the columns.
fn lines(group: &RowGroup<'_>, columns: &[usize]) -> herringbone::Result<Vec<Line>> {
    if columns.is_empty() {
        return Ok(vec![of_group(group)?]);
    }
    columns.iter().map(|column| of_chunk(group, *column)).collect()
}

/// Where a chunk's pages are, by the sizes that the footer has.
fn place(group: &RowGroup<'_>, column: usize) -> herringbone::Result<Range<u64>> {
    let start = group.chunk(column)?.range.start;
    let size = group.raw_column(column)?.meta_data.map_or(0, |meta| u64::try_from(meta.total_compressed_size).unwrap_or(0));
    Ok(start..start.saturating_add(size))
}

fn of_group(group: &RowGroup<'_>) -> herringbone::Result<Line> {
    let chunks = (0..group.num_columns()).map(|column| place(group, column)).collect::<herringbone::Result<Vec<_>>>()?;
    let compressed = chunks.iter().fold(0_u64, |sum, chunk| sum.saturating_add(chunk.end.saturating_sub(chunk.start)));
    let uncompressed = group.total_byte_size();
    let start = chunks.iter().map(|chunk| chunk.start).min();
    let end = chunks.iter().map(|chunk| chunk.end).max();
    let sorting = group.sorting_columns()?;
    let note = |by: &SortingColumn| match (by.descending, by.nulls_first) {
        (true, true) => " descending nulls first",
        (true, false) => " descending",
        (false, true) => " nulls first",
        (false, false) => "",
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let cells = vec![
        group.index().to_string(),
        group.num_rows().to_string(),
        compressed.to_string(),
        uncompressed.to_string(),
        ratio(uncompressed, compressed),
        number(start),
        number(end),
        sorting::words(group, &sorting, note),
    ];
    let (sorted_by, more) = sorting::json(group, &sorting);
    let mut json = json!({
        "row_group": group.index(), "rows": group.num_rows(), "compressed_size": compressed, "uncompressed_size": uncompressed,
        "start": start, "end": end, "file_offset": group.file_offset(), "ordinal": group.ordinal(),
        "sorted_by": sorted_by,
    });
    if more > 0 {
        json["sorted_by_more"] = more.into();
    }
    Ok(Line { cells, json })
}

fn of_chunk(group: &RowGroup<'_>, column: usize) -> herringbone::Result<Line> {
    let chunk = group.chunk(column)?;
    let path = group.file().schema().leaves().get(column).map(|leaf| leaf.path.dotted().to_owned()).unwrap_or_default();
    let place = place(group, column)?;
    let compressed = place.end.saturating_sub(place.start);
    let side = |there: bool, name: &'static str| there.then_some(name);
    let sides = [
        side(chunk.offset_index.is_some(), "offset index"),
        side(chunk.column_index.is_some(), "column index"),
        side(chunk.bloom_filter.is_some(), "bloom filter"),
    ];
    let sides: Vec<&str> = sides.into_iter().flatten().collect();
    let cells = vec![
        group.index().to_string(),
        cut_to(&path, NAME_BYTES),
        chunk.num_values.to_string(),
        compressed.to_string(),
        chunk.uncompressed_size.to_string(),
        ratio(chunk.uncompressed_size, compressed),
        place.start.to_string(),
        place.end.to_string(),
        chunk.codec.to_string(),
        sides.join(", "),
    ];
    let json = json!({
        "row_group": group.index(), "column": path, "values": chunk.num_values, "compressed_size": compressed,
        "uncompressed_size": chunk.uncompressed_size, "start": place.start, "end": place.end,
        "codec": chunk.codec.to_string(), "has": sides,
    });
    Ok(Line { cells, json })
}

fn groups() -> Grid {
    use Align::{Left, Right};
    Grid::new([
        ("row group", Right),
        ("rows", Right),
        ("compressed", Right),
        ("uncompressed", Right),
        ("ratio", Right),
        ("start", Right),
        ("end", Right),
        ("sorted by", Left),
    ])
}

fn chunks() -> Grid {
    use Align::{Left, Right};
    Grid::new([
        ("row group", Right),
        ("column", Left),
        ("values", Right),
        ("compressed", Right),
        ("uncompressed", Right),
        ("ratio", Right),
        ("start", Right),
        ("end", Right),
        ("codec", Left),
        ("has", Left),
    ])
}
