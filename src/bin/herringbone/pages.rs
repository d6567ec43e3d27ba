//! `herringbone pages`: the pages of a column, one by one.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use herringbone::FileMetadata;
use herringbone::format::Encoding;
use herringbone::metadata::Bound;
use herringbone::page::CompressedPage;
use herringbone::read::{self, PageOptions};
use herringbone::schema::Leaf;
use serde_json::json;

use crate::failure::{Failure, Result, warn};
use crate::grid::{Align, Grid, ratio};
use crate::index::PageIndex;
use crate::input::{Opened, leaf, open_for_pages};
use crate::limits::limits;
use crate::meta_json;

/// Lists the pages of a column: where they are, how large, how encoded, and what the page index says of them
#[derive(clap::Args)]
pub struct Args {
    /// A Parquet file
    file: PathBuf,
    /// The column: a name or a dotted path
    #[arg(long, short, value_name = "COLUMN")]
    column: String,
    /// Pages of this row group only
    #[arg(long, value_name = "N")]
    row_group: Option<usize>,
    /// Compare the checksums of pages
    #[arg(long)]
    verify_crc: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// A page and what the index says of it.
struct Listed {
    row_group: usize,
    ordinal: usize,
    kind: &'static str,
    offset: u64,
    compressed: usize,
    uncompressed: usize,
    encoding: Encoding,
    values: usize,
    rows: Option<u64>,
    first_row: Option<u64>,
    crc: Option<u32>,
    nulls: Option<u64>,
    /// The lower and the upper bound.
    bounds: [Option<Limit>; 2],
}

/// A bound as text and as JSON.
struct Limit {
    text: String,
    json: serde_json::Value,
}

/// Runs the command.
pub fn run(args: &Args) -> Result {
    let (source, metadata) = open_for_pages(&args.file)?;
    let leaf = leaf(&metadata, &args.column)?;
    let groups = match args.row_group {
        Some(group) if group >= metadata.num_row_groups() => {
            return Err(Failure::Usage(format!("there is no row group {group}: the file has {}", metadata.num_row_groups())));
        }
        Some(group) => group..group + 1,
        None => 0..metadata.num_row_groups(),
    };
    source.expect(|| {
        let chunks = groups.clone().filter_map(|group| metadata.row_group(group)?.chunk(leaf).ok());
        chunks.flat_map(|chunk| [Some(chunk.range), chunk.offset_index, chunk.column_index]).flatten().collect::<Vec<_>>()
    });
    let mut out = BufWriter::new(io::stdout().lock());
    let mut table = table();
    for group in groups {
        let mut pages = Vec::new();
        let listed = list(&source, &metadata, group, leaf, args.verify_crc, &mut pages);
        match args.json {
            true => pages.iter().try_for_each(|page| writeln!(out, "{}", page.json()))?,
            false => drop(table.print(&pages.iter().map(Listed::row).collect::<Vec<_>>(), &mut out)?),
        }
        if let Err(error) = listed {
            out.flush()?;
            return Err(error.in_file(args.file.display().to_string()).into());
        }
    }
    if !args.json {
        table.print(&[], &mut out)?;
    }
    Ok(out.flush()?)
}

/// Appends the pages of a chunk, as far as they can be read.
fn list(
    source: &Arc<Opened>,
    metadata: &FileMetadata,
    group: usize,
    leaf: usize,
    verify_crc: bool,
    pages: &mut Vec<Listed>,
) -> herringbone::Result<()> {
    let options = PageOptions { limits: limits(), verify_crc, ..PageOptions::default() };
    let reader = read::pages(Arc::clone(source), metadata, group, leaf, &options)?;
    let index = match metadata.row_group(group) {
        Some(row_group) => PageIndex::read(source, &row_group, leaf)?,
        None => PageIndex::default(),
    };
    for fault in &index.faults {
        warn(&format!("ignored: {fault}"));
    }
    let column = metadata.schema().leaves().get(leaf);
    for page in reader {
        pages.push(Listed::new(&page?, group, &index, column));
    }
    Ok(())
}

impl Listed {
    fn new(page: &CompressedPage, row_group: usize, index: &PageIndex, leaf: Option<&Leaf>) -> Self {
        let offsets = index.offsets.as_ref();
        // Pages of an index that was checked ascend.
        let indexed = offsets.and_then(|offsets| offsets.pages().binary_search_by_key(&page.offset(), |location| location.offset).ok());
        let rows = offsets.zip(indexed).map(|(offsets, place)| offsets.rows(place));
        let columns = index.columns.as_ref().zip(indexed);
        let bound = |bound: Option<Bound<'_>>| bound.zip(leaf).map(|(bound, leaf)| Limit::new(&bound, leaf));
        Self {
            row_group,
            ordinal: page.ordinal(),
            kind: match (page.is_dictionary(), page.is_v2()) {
                (true, _) => "dictionary",
                (false, true) => "data v2",
                (false, false) => "data v1",
            },
            offset: page.offset(),
            compressed: page.bytes().len(),
            uncompressed: page.uncompressed_size(),
            encoding: page.encoding(),
            values: page.num_values(),
            rows: page.num_rows().map(|rows| rows as u64).or(rows.as_ref().map(|rows| rows.end - rows.start)),
            first_row: rows.map(|rows| rows.start),
            crc: page.crc(),
            nulls: columns.and_then(|(columns, place)| columns.null_count(place)),
            bounds: [
                columns.and_then(|(columns, place)| bound(columns.min(place))),
                columns.and_then(|(columns, place)| bound(columns.max(place))),
            ],
        }
    }

    fn row(&self) -> Vec<String> {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let text = |bound: &Option<Limit>| bound.as_ref().map(|bound| bound.text.clone()).unwrap_or_default();
        vec![
            self.row_group.to_string(),
            self.ordinal.to_string(),
            self.kind.to_owned(),
            self.offset.to_string(),
            self.compressed.to_string(),
            self.uncompressed.to_string(),
            ratio(self.uncompressed as u64, self.compressed as u64),
            self.encoding.to_string(),
            self.values.to_string(),
            number(self.rows),
            number(self.first_row),
            self.crc.map(|crc| format!("{crc:08x}")).unwrap_or_default(),
            number(self.nulls),
            text(&self.bounds[0]),
            text(&self.bounds[1]),
        ]
    }

    fn json(&self) -> serde_json::Value {
        let [min, max] = self.bounds.each_ref().map(|bound| bound.as_ref().map(|bound| &bound.json));
        json!({
            "row_group": self.row_group, "page": self.ordinal, "type": self.kind, "offset": self.offset,
            "compressed_size": self.compressed, "uncompressed_size": self.uncompressed, "encoding": self.encoding.to_string(),
            "values": self.values, "rows": self.rows, "first_row": self.first_row, "crc": self.crc, "nulls": self.nulls,
            "min": min, "max": max,
        })
    }
}

impl Limit {
    fn new(bound: &Bound<'_>, leaf: &Leaf) -> Self {
        Self { text: meta_json::bound_text(bound, leaf), json: meta_json::bound(bound, leaf) }
    }
}

fn table() -> Grid {
    use Align::{Left, Right};
    Grid::new([
        ("row group", Right),
        ("page", Right),
        ("type", Left),
        ("offset", Right),
        ("compressed", Right),
        ("uncompressed", Right),
        ("ratio", Right),
        ("encoding", Left),
        ("values", Right),
        ("rows", Right),
        ("first row", Right),
        ("crc", Left),
        ("nulls", Right),
        ("min", Left),
        ("max", Left),
    ])
}
