//! `herringbone bench --by-column`: where the time of reading goes, from the pages themselves.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use herringbone::FileMetadata;
use herringbone::compression::Decompressor;
use herringbone::encoding::Dictionary;
use herringbone::page::CompressedPage;
use herringbone::read::{self, PageOptions};

use crate::bench::{Args, milliseconds};
use crate::failure::Result;
use crate::grid::{Align, Grid, ratio, thousands};
use crate::input::{Columns, Opened, leaves, open_for_pages};
use crate::limits::limits;

/// What one column costs.
#[derive(Clone, Copy, Default)]
struct Cost {
    pages: u64,
    compressed: u64,
    uncompressed: u64,
    decompress: Duration,
    decode: Duration,
}

/// Prints what each column of a file costs; of each time the best run counts.
pub fn run(path: &Path, args: &Args, out: &mut dyn Write) -> Result {
    let (source, metadata) = open_for_pages(path)?;
    let selected = match &args.columns {
        None => (0..metadata.schema().leaves().len()).collect(),
        Some(Columns(names)) => {
            let found: Result<Vec<_>> = names.iter().map(|name| leaves(&metadata, name)).collect();
            found?.into_iter().flatten().collect::<Vec<usize>>()
        }
    };
    let mut rows = Vec::new();
    let mut sum = Cost::default();
    for leaf in selected {
        let mut best: Option<Cost> = None;
        for _ in 0..args.runs {
            let cost = measure(&source, &metadata, leaf).map_err(|error| error.in_file(path.display().to_string()))?;
            best = Some(best.map_or(cost, |best| best.best_of(cost)));
        }
        let cost = best.unwrap_or_default();
        sum = sum.plus(cost);
        let column = metadata.schema().leaves().get(leaf).map_or("", |leaf| leaf.path.dotted());
        rows.push(cost.row(column));
    }
    rows.push(sum.row("all"));
    writeln!(out, "{}", crate::grid::shown(&path.display().to_string()))?;
    let right = ["pages", "compressed", "uncompressed", "ratio", "decompress ms", "decode ms"].map(|name| (name, Align::Right));
    Grid::new([("column", Align::Left)].into_iter().chain(right)).print(&rows, out)?;
    Ok(out.flush()?)
}

/// Decompresses and decodes all pages of a column on this thread. Reading the file is not part of either time.
fn measure(source: &Arc<Opened>, metadata: &FileMetadata, leaf: usize) -> herringbone::Result<Cost> {
    let limits = limits();
    let (mut cost, mut decompressor, mut buffer) = (Cost::default(), Decompressor::new(), Vec::new());
    for row_group in 0..metadata.num_row_groups() {
        let mut dictionary: Option<Arc<Dictionary>> = None;
        for page in
            read::pages(Arc::clone(source), metadata, row_group, leaf, &PageOptions { limits: limits.clone(), ..PageOptions::default() })?
        {
            let page: CompressedPage = page?;
            let start = Instant::now();
            let decompressed = page.decompress(&mut decompressor, buffer)?;
            let middle = Instant::now();
            if page.is_dictionary() {
                dictionary = Some(Arc::new(decompressed.decode_dictionary()?));
            } else {
                std::hint::black_box(decompressed.decode(dictionary.as_ref(), &limits)?);
            }
            cost.decode += middle.elapsed();
            cost.decompress += middle.duration_since(start);
            cost.pages += 1;
            cost.compressed += page.bytes().len() as u64;
            cost.uncompressed += page.uncompressed_size() as u64;
            buffer = decompressed.into_buffer();
        }
    }
    Ok(cost)
}

impl Cost {
    fn best_of(self, other: Self) -> Self {
        Self { decompress: self.decompress.min(other.decompress), decode: self.decode.min(other.decode), ..self }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            pages: self.pages + other.pages,
            compressed: self.compressed + other.compressed,
            uncompressed: self.uncompressed + other.uncompressed,
            decompress: self.decompress + other.decompress,
            decode: self.decode + other.decode,
        }
    }

    fn row(self, column: &str) -> Vec<String> {
        vec![
            column.to_owned(),
            thousands(self.pages),
            thousands(self.compressed),
            thousands(self.uncompressed),
            ratio(self.uncompressed, self.compressed),
            format!("{:.2}", milliseconds(self.decompress)),
            format!("{:.2}", milliseconds(self.decode)),
        ]
    }
}
