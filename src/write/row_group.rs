//! A row group: one column chunk after another, then their bloom filters.

use std::io::Write;

use crate::error::{Error, Result};
use crate::format::{ColumnChunk, ColumnOrder, RowGroup};
use crate::write::chunk::{ChunkIndexes, WrittenChunk};
use crate::write::file::{FileWriter, out_of_order};
use crate::write::sorted::{self, RowOrder};

/// Takes the column chunks of one row group in the order of the schema. Dropped before [`finish`](Self::finish), it leaves a
/// file that cannot be completed.
pub struct RowGroupWriter<'f, W: Write> {
    file: &'f mut FileWriter<W>,
    columns: Vec<ColumnChunk<'static>>,
    indexes: Vec<ChunkIndexes>,
    bloom_filters: Vec<Option<Vec<u8>>>,
    row_orders: Vec<Option<RowOrder>>,
    rows: Option<u64>,
    finished: bool,
}

impl<'f, W: Write> RowGroupWriter<'f, W> {
    pub(super) fn new(file: &'f mut FileWriter<W>) -> Result<Self> {
        file.assembler.check()?;
        Ok(Self {
            file,
            columns: Vec::new(),
            indexes: Vec::new(),
            bloom_filters: Vec::new(),
            row_orders: Vec::new(),
            rows: None,
            finished: false,
        })
    }

    /// The leaf column whose chunk is next.
    pub fn next_leaf(&self) -> usize {
        self.columns.len()
    }

    /// Writes a column chunk.
    ///
    /// # Errors
    /// `Usage` when it is not the chunk of the next leaf column, or has another number of rows than those before it; `Io` from
    /// the sink.
    pub fn append(&mut self, mut chunk: WrittenChunk) -> Result<()> {
        if chunk.leaf != self.columns.len() {
            return Err(out_of_order(self.columns.len(), chunk.leaf));
        }
        let path = || self.file.plan().schema().leaves().get(chunk.leaf).map(|leaf| leaf.path.dotted().to_owned()).unwrap_or_default();
        let rows = *self.rows.get_or_insert(chunk.rows);
        if chunk.rows != rows {
            let error = format!("the column chunk has {} rows, those before it have {rows}", chunk.rows);
            return Err(Error::usage(error).in_column(path()));
        }
        let assembler = &mut self.file.assembler;
        let start = assembler.write(&chunk.dictionary)?;
        assembler.write(&chunk.data)?;
        let (mut column, mut indexes) = chunk.place(start)?;
        if self.file.column_orders.get(chunk.leaf) != Some(&ColumnOrder::TypeOrder) {
            drop_bounds(&mut column, &mut indexes);
        }
        self.columns.push(column);
        self.indexes.push(indexes);
        self.bloom_filters.push(chunk.bloom_filter);
        self.row_orders.push(chunk.row_order);
        Ok(())
    }

    /// Ends the row group; one without rows leaves no trace.
    ///
    /// # Errors
    /// `Usage` when chunks are missing, or the rows are not sorted as the options say; `Io` from the sink.
    pub fn finish(mut self) -> Result<()> {
        let leaves = self.file.plan().schema().leaves().len();
        if self.columns.len() != leaves {
            return Err(Error::usage(format!("the row group has {} column chunks of {leaves}", self.columns.len())));
        }
        let rows = self.rows.unwrap_or(0);
        self.check_sorting(rows).map_err(|error| error.in_row_group(self.file.num_row_groups()))?;
        if rows > 0 {
            self.write_bloom_filters()?;
            let sorting = self.file.plan().sorting();
            let group = RowGroup {
                columns: Vec::new(),
                total_byte_size: 0,
                num_rows: rows as i64,
                sorting_columns: (!sorting.is_empty()).then(|| sorting.to_vec()),
                file_offset: None,
                total_compressed_size: None,
                ordinal: None,
            };
            self.file.assembler.push(std::mem::take(&mut self.columns), std::mem::take(&mut self.indexes), group);
        }
        self.finished = true;
        Ok(())
    }

    fn check_sorting(&mut self, rows: u64) -> Result<()> {
        let mut orders = Vec::new();
        for column in self.file.plan().sorting() {
            let index = usize::try_from(column.column_idx).unwrap_or(usize::MAX);
            orders.extend(self.row_orders.get_mut(index).and_then(Option::take));
        }
        sorted::check(&orders, rows as usize)
    }

    /// They follow their row group, so that they need not be held until the end of the file.
    fn write_bloom_filters(&mut self) -> Result<()> {
        for (column, filter) in self.columns.iter_mut().zip(&self.bloom_filters) {
            if let (Some(meta), Some(filter)) = (&mut column.meta_data, filter) {
                meta.bloom_filter_offset = Some(self.file.assembler.write(filter)? as i64);
                meta.bloom_filter_length = i32::try_from(filter.len()).ok();
            }
        }
        Ok(())
    }
}

/// Leaves out bounds, which have the order of the type, for a file whose column has another.
fn drop_bounds(column: &mut ColumnChunk<'static>, indexes: &mut ChunkIndexes) {
    indexes.column_index = None;
    if let Some(statistics) = column.meta_data.as_mut().and_then(|meta| meta.statistics.as_mut()) {
        (statistics.min_value, statistics.max_value) = (None, None);
        (statistics.is_min_value_exact, statistics.is_max_value_exact) = (None, None);
    }
}

impl<W: Write> Drop for RowGroupWriter<'_, W> {
    fn drop(&mut self) {
        // Nothing of it was written if nothing was appended.
        if !self.finished && !self.columns.is_empty() {
            self.file.assembler.fail();
        }
    }
}

impl<W: Write> std::fmt::Debug for RowGroupWriter<'_, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowGroupWriter").field("rows", &self.rows).field("columns", &self.columns.len()).finish_non_exhaustive()
    }
}
