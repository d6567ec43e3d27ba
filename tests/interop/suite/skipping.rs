//! Others skip by what we wrote: in files of which everything is burnt that they need not read, they find what they look for.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use herringbone::Limits;
use herringbone::read;
use herringbone::write::{BloomFilterOptions, ColumnOptions, WriterOptions};

use crate::arrays::Random;
use crate::{properties, python};

const GROUPS: usize = 6;
const GROUP_ROWS: usize = 3000;
const PAGE_ROWS: usize = 100;

/// The row that is looked for, and its value; odd numbers are in no row.
const ROW: usize = 3 * GROUP_ROWS + 1234;
const WANTED: usize = 2 * ROW;

#[test]
fn others_skip_by_statistics_page_index_and_bloom_filters() {
    let folder = python::folder("skipping");
    let bytes = file();
    let keep = |group: usize, rows: Option<Range<u64>>| {
        burnt(&bytes, |at, page| at == group && rows.as_ref().is_none_or(|rows| rows.start < page.end && page.start < rows.end))
    };
    let row = (ROW % GROUP_ROWS) as u64;
    fs::write(folder.join("whole.parquet"), &bytes).unwrap();
    // All row groups but one, all pages but those of one row, and everything.
    fs::write(folder.join("group.parquet"), keep(ROW / GROUP_ROWS, None)).unwrap();
    fs::write(folder.join("page.parquet"), keep(ROW / GROUP_ROWS, Some(row..row + 1))).unwrap();
    fs::write(folder.join("ashes.parquet"), burnt(&bytes, |_, _| false)).unwrap();
    for reader in ["pyarrow", "duckdb", "polars", "spark"] {
        skips(reader, &folder);
    }
}

fn skips(reader: &str, folder: &Path) {
    let said = python::run(&["skip", reader, folder.to_str().unwrap(), &WANTED.to_string()]);
    // By what else is held against the table in skip.py.
    assert!(said.contains(&format!("{reader}: skips by statistics")), "{reader} skipped nothing");
}

/// Sorted even numbers, and names in no order, with bloom filters.
fn file() -> Vec<u8> {
    let rows = GROUPS * GROUP_ROWS;
    let mut random = Random::new(1);
    let ids: Int64Array = (0..rows as i64).map(|row| row * 2).collect();
    let names = StringArray::from_iter_values((0..rows).map(|_| format!("{:016x}", random.next())));
    let columns = [("id", Arc::new(ids) as ArrayRef), ("name", Arc::new(names) as ArrayRef)];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let bloom = ColumnOptions::new().bloom_filter(BloomFilterOptions { false_positives: 0.001, distinct_values: None });
    let options = WriterOptions::builder().columns(bloom.page_rows(PAGE_ROWS)).row_group_rows(GROUP_ROWS as u64).build().unwrap();
    properties::write(&batch.schema(), &[batch], options).to_vec()
}

/// The file with each data page overwritten that is not kept. `keep` is told the
/// row group and the page's rows.
fn burnt(bytes: &[u8], keep: impl Fn(usize, Range<u64>) -> bool) -> Vec<u8> {
    let shared = bytes::Bytes::copy_from_slice(bytes);
    let metadata = read::metadata(&shared, &Limits::default()).unwrap();
    let mut burnt = bytes.to_vec();
    let mut pages = 0;
    for group in metadata.row_groups() {
        for column in 0..group.num_columns() {
            let chunk = group.column(column).unwrap();
            let range = chunk.offset_index().unwrap();
            let index = group.parse_offset_index(column, &bytes[range.start as usize..range.end as usize]).unwrap();
            for (page, location) in index.pages().iter().enumerate() {
                let range = location.range();
                if !keep(group.index(), index.rows(page)) {
                    burnt[range.start as usize..range.end as usize].fill(0xff);
                    pages += 1;
                }
            }
        }
    }
    assert!(pages > 100, "{pages} pages burnt");
    burnt
}
