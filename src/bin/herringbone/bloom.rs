//! `herringbone bloom`: what the bloom filters of a column know of some values.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use herringbone::FileMetadata;
use herringbone::metadata::{BloomFilter, bloom};
use herringbone::read::Source;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::grid::{Align, Grid};
use crate::input::{leaf, open_for_pages};
use crate::limits::limits;
use crate::literal;

/// Says of values whether they may be in a row group or surely are not, by the column's bloom filters
#[derive(clap::Args)]
pub struct Args {
    /// A Parquet file
    file: PathBuf,
    /// The column: a name or a dotted path
    #[arg(long, short, value_name = "COLUMN")]
    column: String,
    /// Values, written as the column's type has them: numbers, decimals, true, text, dates such as 2024-02-29, timestamps such
    /// as 2024-02-29T12:30:00.5, UUIDs; bytes as hexadecimal digits after 0x. What begins with a hyphen and is no number goes behind --
    #[arg(required = true, value_name = "VALUE", allow_negative_numbers = true)]
    values: Vec<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result {
    let (source, metadata) = open_for_pages(&args.file)?;
    let leaf = leaf(&metadata, &args.column)?;
    let Some(column) = metadata.schema().leaves().get(leaf) else { return Ok(()) };
    let values = args.values.iter().map(|text| literal::parse(text, column).map(|plain| (text, plain)));
    let values = values.collect::<Result<Vec<_>, _>>().map_err(Failure::Usage)?;
    source.expect(|| {
        let chunks = metadata.row_groups().filter_map(|group| group.chunk(leaf).ok());
        chunks.filter_map(|chunk| chunk.bloom_filter?.range()).collect::<Vec<_>>()
    });
    let mut out = BufWriter::new(io::stdout().lock());
    let mut table = Grid::new([("row group", Align::Right), ("value", Align::Left), ("answer", Align::Left)]);
    // What cannot be told of a chunk comes up where its filter is read.
    if !metadata.row_groups().any(|group| group.chunk(leaf).map_or(true, |chunk| chunk.bloom_filter.is_some())) {
        return Err(Failure::File(format!("{}: the column {:?} has no bloom filter", args.file.display(), args.column)));
    }
    for group in 0..metadata.num_row_groups() {
        let filter = filter(&source, &metadata, group, leaf, &args.file)?;
        for (text, plain) in &values {
            let may = filter.as_ref().is_none_or(|filter| filter.may_contain(plain));
            match args.json {
                true => {
                    writeln!(out, "{}", json!({"row_group": group, "value": text, "may_contain": may, "bloom_filter": filter.is_some()}))?
                }
                false => {
                    let answer = match (filter.is_some(), may) {
                        (true, true) => "may be there",
                        (true, false) => "is not there",
                        (false, _) => "may be there: no bloom filter",
                    };
                    table.print(&[vec![group.to_string(), (*text).clone(), answer.to_owned()]], &mut out)?;
                }
            }
        }
    }
    Ok(out.flush()?)
}

/// The bloom filter of a chunk, if it has one.
fn filter(source: &dyn Source, metadata: &FileMetadata, group: usize, leaf: usize, path: &Path) -> Result<Option<BloomFilter>> {
    let read = || {
        let Some(row_group) = metadata.row_group(group) else { return Ok(None) };
        let Some(location) = row_group.chunk(leaf)?.bloom_filter else { return Ok(None) };
        let length = match location.length {
            Some(length) => u64::from(length),
            None => {
                let end = location.offset.saturating_add(bloom::HEADER_BYTES as u64).min(metadata.file_size());
                BloomFilter::bytes_needed(&source.read(location.offset..end)?, &limits())? as u64
            }
        };
        BloomFilter::parse(&source.read(location.offset..location.offset.saturating_add(length))?).map(Some)
    };
    Ok(read().map_err(|error: herringbone::Error| error.in_row_group(group).in_file(path.display().to_string()))?)
}
