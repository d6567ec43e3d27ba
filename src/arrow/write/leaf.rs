//! One leaf column of one row group: arrays in, an encoded column chunk out.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use crate::arrow::write::convert::{Encoded, KnownDictionary, Target, dense, encoded};
use crate::arrow::write::route::Route;
use crate::arrow::write::runs::Runs;
use crate::arrow::write::size::byte_array_bytes;
use crate::error::{Error, Result};
use crate::schema::Leaf;
use crate::values::ByteArrays;
use crate::write::{LeafWriter, LevelsSlice, WritePlan, WrittenChunk};

/// How many rows go through all stages at once, so that what is between them stays in the cache.
const ROWS: usize = 16_384;

/// Encodes one leaf column of one row group from the arrays of the column it is in. It holds all that it needs, so that any
/// thread can do it; [`ArrowPlan::array_writer`](crate::arrow::ArrowPlan::array_writer) makes it.
pub struct ArrayWriter {
    route: Arc<Route>,
    writer: LeafWriter,
    plan: Arc<WritePlan>,
    truncate: bool,
    known: KnownDictionary,
    failed: bool,
}

impl ArrayWriter {
    pub(crate) fn new(route: Arc<Route>, writer: LeafWriter, plan: Arc<WritePlan>, truncate: bool) -> Self {
        Self { route, writer, plan, truncate, known: None, failed: false }
    }

    /// The index of the column in record batches.
    pub fn column(&self) -> usize {
        self.route.column
    }

    /// The index of the leaf column in the file.
    pub fn leaf(&self) -> usize {
        self.route.leaf
    }

    /// The number of rows so far.
    pub fn num_rows(&self) -> u64 {
        self.writer.num_rows()
    }

    /// About how many bytes the chunk would have if it were finished now.
    pub fn encoded_size(&self) -> usize {
        self.writer.encoded_size()
    }

    /// About how many bytes of memory the writer takes.
    pub fn memory_size(&self) -> usize {
        self.writer.memory_size()
    }

    /// Writes the rows of a column's array.
    ///
    /// # Errors
    /// `Usage` when the array is not of the column's type, has nulls where none may be, or values that the column cannot hold;
    /// `Limit` when one row takes more than 2 GiB. After an error the writer refuses to go on.
    pub fn write(&mut self, column: &ArrayRef) -> Result<()> {
        if self.failed {
            return Err(Error::usage("an error came before: the column chunk cannot be completed"));
        }
        let plan = Arc::clone(&self.plan);
        let leaf = plan.schema().leaves().get(self.route.leaf).ok_or_else(|| Error::usage("a schema without its leaves"))?;
        let written = self.write_rows(column, leaf);
        self.failed = written.is_err();
        written.map_err(|error| error.in_column(leaf.path.dotted()))
    }

    /// Ends the chunk.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub fn finish(self) -> Result<WrittenChunk> {
        if self.failed {
            return Err(Error::usage("an error came before: the column chunk cannot be completed"));
        }
        self.writer.finish()
    }

    fn write_rows(&mut self, column: &ArrayRef, leaf: &Leaf) -> Result<()> {
        if column.len() <= ROWS {
            return self.write_piece(column, leaf);
        }
        for start in (0..column.len()).step_by(ROWS) {
            self.write_piece(&column.slice(start, ROWS.min(column.len() - start)), leaf)?;
        }
        Ok(())
    }

    fn write_piece(&mut self, column: &ArrayRef, leaf: &Leaf) -> Result<()> {
        let (array, shredded) = self.route.shred(column)?;
        if byte_array_bytes(&array, &shredded.slots) > ByteArrays::MAX_BYTES as u64 && column.len() > 1 {
            let half = column.len() / 2;
            self.write_piece(&column.slice(0, half), leaf)?;
            return self.write_piece(&column.slice(half, column.len() - half), leaf);
        }
        self.write_values(&array, &shredded.slots, shredded.levels(), leaf)
    }

    fn write_values(&mut self, array: &ArrayRef, slots: &Runs, levels: LevelsSlice<'_>, leaf: &Leaf) -> Result<()> {
        let target = Target { leaf, truncate: self.truncate };
        if !matches!(array.data_type(), DataType::Dictionary(..) | DataType::RunEndEncoded(..)) {
            return self.writer.write(dense(array.as_ref(), slots, target)?.as_slice()?, levels);
        }
        match encoded(array, slots, target, &mut self.known)? {
            Encoded::Indices(indices, dictionary) => self.writer.write_indices(&indices, &dictionary, levels),
            Encoded::Expanded(array) => self.write_values(&array, &Runs::all(array.len()), levels, leaf),
        }
    }
}

impl std::fmt::Debug for ArrayWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrayWriter").field("column", &self.route.column).field("writer", &self.writer).finish_non_exhaustive()
    }
}
