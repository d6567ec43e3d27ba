//! Everything that can be done with the pages of a file.

use std::sync::Arc;

use arrow_array::Array;
use bytes::Bytes;
use herringbone::arrow::ParquetFile;
use herringbone::compression::Decompressor;
use herringbone::metadata::FileMetadata;
use herringbone::read::{ColumnReader, PageOptions, pages};
use herringbone::{Limits, Result};

use super::{judge, limits};

/// Rows beyond these are not asked for: a file may lawfully claim any number of them.
pub const ROWS: u64 = 20_000;

/// What the pages of one input may take when decompressed, so that it ends in time.
const BUDGET: usize = 32 << 20;

const GROUPS: usize = 4;
const COLUMNS: usize = 16;

/// Reads the first rows into batches, and holds every array to Arrow's own rules.
pub fn read_all(bytes: Bytes, batch_rows: usize) -> Result<u64> {
    let file = ParquetFile::from_source_with(bytes, limits())?;
    let scan = file.scan().threads(1).limit(ROWS).batch_rows(batch_rows).verify_crc(batch_rows.is_multiple_of(2)).build()?;
    let (schema, announced) = (scan.schema(), scan.num_rows());
    let mut rows = 0;
    for batch in scan {
        let batch = batch?;
        assert_eq!(batch.schema(), schema);
        for column in batch.columns() {
            if let Err(fault) = column.to_data().validate_full() {
                panic!("an array that is not valid: {fault}");
            }
        }
        rows += batch.num_rows() as u64;
    }
    assert_eq!(rows, announced, "rows read and rows announced differ");
    Ok(rows)
}

/// Decompresses and decodes all pages, page by page and row by row.
pub fn walk_pages(file: &Bytes, metadata: &FileMetadata) {
    let options = PageOptions { limits: limits(), verify_crc: false, window: Some(512) };
    let mut budget = BUDGET;
    for group in 0..metadata.num_row_groups().min(GROUPS) {
        for leaf in 0..metadata.schema().leaves().len().min(COLUMNS) {
            if let Err(error) = decode_pages(file, metadata, group, leaf, &options, &mut budget) {
                judge(&error);
            }
            if let Err(error) = read_rows(file, metadata, group, leaf, &options) {
                judge(&error);
            }
        }
    }
}

fn decode_pages(file: &Bytes, metadata: &FileMetadata, group: usize, leaf: usize, options: &PageOptions, budget: &mut usize) -> Result<()> {
    let mut decompressor = Decompressor::new();
    let (mut buffer, mut dictionary) = (Vec::new(), None);
    for page in pages(file.clone(), metadata, group, leaf, options)? {
        let page = page?;
        let cost = page.uncompressed_size().saturating_add(page.num_values().min(1 << 20));
        assert!(page.uncompressed_size() <= options.limits.page_bytes, "a page above the limit");
        match budget.checked_sub(cost) {
            Some(left) => *budget = left,
            None => return Ok(()),
        }
        if let Err(error) = page.verify_crc() {
            judge(&error);
        }
        let decompressed = match page.decompress(&mut decompressor, std::mem::take(&mut buffer)) {
            Ok(decompressed) => decompressed,
            Err(error) => {
                judge(&error);
                continue;
            }
        };
        if page.is_dictionary() {
            dictionary = decompressed.decode_dictionary().inspect_err(judge).ok().map(Arc::new);
        } else {
            match decompressed.decode(dictionary.as_ref(), &options.limits) {
                Ok(decoded) => assert!(decoded.values.len() <= page.num_values(), "more values than the page has"),
                Err(error) => judge(&error),
            }
        }
        buffer = decompressed.into_buffer();
    }
    Ok(())
}

/// Reads and passes over rows in turn, in steps that grow.
fn read_rows(file: &Bytes, metadata: &FileMetadata, group: usize, leaf: usize, options: &PageOptions) -> Result<()> {
    let options = PageOptions { limits: Limits { batch_bytes: 64 << 10, ..options.limits.clone() }, ..options.clone() };
    let mut column = ColumnReader::new(file.clone(), metadata, group, leaf, &options)?;
    let (mut step, mut done) = (1, 0);
    while column.rows_left() > 0 && done < ROWS {
        let rows = column.rows_left().min(step) as usize;
        if step % 3 == 0 {
            column.skip(rows)?;
        } else {
            assert_eq!(column.read(rows)?.rows, rows);
        }
        done += rows as u64;
        step = step * 2 + 1;
    }
    Ok(())
}
