//! Scans whose bytes are pushed or come asynchronously: the same batches as others, and how much is asked for.

#[cfg(all(feature = "object_store", feature = "cli"))]
mod command;
#[cfg(feature = "object_store_base")]
mod objects;
#[cfg(feature = "async")]
mod pages;
pub mod push;
#[cfg(feature = "object_store")]
mod s3;
#[cfg(feature = "async")]
mod sources;
#[cfg(feature = "async")]
mod stream;
#[cfg(feature = "async")]
mod writing;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::read::FetchOptions;
use herringbone::write::WriterOptions;

const COLUMNS: usize = 16;
const ROW_GROUPS: usize = 53;
const ROWS: usize = 100;

/// A file of 16 columns and 53 row groups.
fn wide_file() -> Bytes {
    let column = |column: usize, first: usize| -> ArrayRef {
        let numbers = (first..first + ROWS).map(|row| (row * COLUMNS + column) as i64);
        match column % 2 {
            0 => Arc::new(Int64Array::from_iter_values(numbers)),
            _ => Arc::new(StringArray::from_iter_values(numbers.map(|number| format!("text {number}")))),
        }
    };
    let batch = |group: usize| {
        let columns = (0..COLUMNS).map(|index| (format!("c{index}"), column(index, group * ROWS)));
        RecordBatch::try_from_iter(columns).unwrap()
    };
    let options = WriterOptions::builder().row_group_rows(ROWS as u64).build().unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch(0).schema(), options).unwrap();
    (0..ROW_GROUPS).for_each(|group| writer.write(&batch(group)).unwrap());
    assert_eq!(writer.close().unwrap().num_row_groups(), ROW_GROUPS);
    bytes.into()
}

/// A file of one batch.
fn written(batch: &RecordBatch, options: WriterOptions) -> Bytes {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes.into()
}

/// What a blocking scan of all columns gives.
fn expected(file: &Bytes) -> herringbone::Result<Vec<RecordBatch>> {
    ParquetFile::from_bytes(file.clone())?.scan().row_number("row").threads(1).build()?.read_all()
}

/// Costs that no two ranges are put together for, that are cut to small pieces, and everything between.
pub fn costs() -> [FetchOptions; 4] {
    let stingy = FetchOptions { gap: 0, request_bytes: 1000, footer_bytes: 8, in_flight_bytes: 0, in_flight_requests: 1 };
    let few = FetchOptions { gap: 100, in_flight_bytes: 5000, in_flight_requests: 3, footer_bytes: 1000, ..stingy.clone() };
    [stingy, few, FetchOptions::local(), FetchOptions::remote()]
}
