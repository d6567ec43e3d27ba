//! Some rows of a row group on their way to the encoders.

use arrow_array::{ArrayRef, RecordBatch};

use crate::arrow::write::size::memory;

/// Rows of one batch or several in a row: what a leaf's encoder is given at a time.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// For each column its arrays.
    pub(crate) columns: Vec<Vec<ArrayRef>>,
    pub(crate) rows: u64,
    /// About how many bytes they take.
    pub(crate) bytes: u64,
}

impl Block {
    /// Adds rows of a batch.
    pub(crate) fn push(&mut self, batch: &RecordBatch) {
        self.columns.resize_with(batch.num_columns(), Vec::new);
        for (arrays, column) in self.columns.iter_mut().zip(batch.columns()) {
            arrays.push(ArrayRef::clone(column));
        }
        self.rows += batch.num_rows() as u64;
        self.bytes += batch_bytes(batch);
    }
}

/// About how many bytes a batch takes.
pub(crate) fn batch_bytes(batch: &RecordBatch) -> u64 {
    batch.columns().iter().map(memory).sum()
}

/// How many of a batch's rows, one at the least, take up to `bytes` bytes: by halving, since rows differ.
pub(crate) fn rows_within(batch: &RecordBatch, bytes: u64) -> usize {
    let mut rows = batch.num_rows();
    while rows > 1 && batch_bytes(&batch.slice(0, rows)) > bytes {
        rows = rows.div_ceil(2);
    }
    rows
}
