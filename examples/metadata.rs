//! Prints what a file says about itself: row groups, the bounds of each column, and the pages that its page index lists.
//! `cargo run --example metadata -- FILE`

use herringbone::metadata::{Bound, RowGroup};
use herringbone::read::{self, FileSource, Source};
use herringbone::schema::Leaf;
use herringbone::{Limits, Result};

fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "testdata/page-index.row-groups.parquet".into());
    let source = FileSource::open(path)?;
    let metadata = read::metadata(&source, &Limits::default())?;
    println!("{} rows, written by {}", metadata.num_rows(), metadata.created_by().unwrap_or("somebody"));
    print!("{}", metadata.schema());
    for group in metadata.row_groups() {
        println!("row group {} of {} rows", group.index(), group.num_rows());
        for leaf in metadata.schema().leaves() {
            print_column(&source, &group, leaf)?;
        }
    }
    Ok(())
}

fn print_column(source: &FileSource, group: &RowGroup<'_>, leaf: &Leaf) -> Result<()> {
    let chunk = group.chunk(leaf.index)?;
    let size = chunk.range.end - chunk.range.start;
    println!("  {}: {size} bytes of {} pages", leaf.path, chunk.codec);
    if let Some(statistics) = group.statistics(leaf.index)? {
        println!("    {} to {}", show(statistics.min(), leaf), show(statistics.max(), leaf));
    }
    let Some(offsets) = chunk.offset_index.clone() else { return Ok(()) };
    // An index that contradicts itself is an error, and the column is read without it.
    let pages = group.parse_offset_index(leaf.index, &source.read(offsets)?)?;
    let bounds = match chunk.column_index.clone() {
        Some(range) => Some(group.parse_column_index(leaf.index, &source.read(range)?, &pages)?),
        None => None,
    };
    for (page, location) in pages.pages().iter().enumerate() {
        let (min, max) = bounds.as_ref().map_or((None, None), |bounds| (bounds.min(page), bounds.max(page)));
        let (min, max) = (show(min.as_ref(), leaf), show(max.as_ref(), leaf));
        println!("    page at {} with rows {:?}: {min} to {max}", location.offset, pages.rows(page));
    }
    Ok(())
}

/// A bound as its column means it.
fn show(bound: Option<&Bound<'_>>, leaf: &Leaf) -> String {
    let value = bound.and_then(|bound| bound.value());
    value.map_or_else(|| "?".to_owned(), |value| value.display(leaf.logical_type.as_ref()).to_string())
}
