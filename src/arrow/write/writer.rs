//! Record batches → a file.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::arrow::ArrowPlan;
use crate::arrow::write::block::{Block, batch_bytes, rows_within};
use crate::arrow::write::engine::Engine;
use crate::error::{Error, Result};
use crate::metadata::FileMetadata;
use crate::write::{FileWriter, LocalFile, SinkOptions, WriterOptions};

/// Writes record batches to a file.
///
/// Batches may be of any size: the writer gathers small ones and cuts large ones, so that row groups are as large as the
/// [options](WriterOptions) say. Columns are encoded beside each other on rayon's global pool, a pool of the writer's own
/// ([`threads`](crate::write::WriterOptionsBuilder::threads)), the caller's ([`in_pool`](Self::in_pool)), or with one thread on
/// the one that calls; the file is the same. The sink is written to by the thread that calls alone.
///
/// Nothing is a Parquet file before [`close`](Self::close) has returned: dropping the writer never completes it, and after an
/// error it refuses to go on.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
/// use herringbone::arrow::{ArrowWriter, ParquetFile};
/// use herringbone::compression::Compression;
/// use herringbone::write::WriterOptions;
///
/// let columns = [
///     ("id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
///     ("name", Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]))),
/// ];
/// let batch = RecordBatch::try_from_iter(columns).unwrap();
/// let mut bytes = Vec::new();
/// let options = WriterOptions::builder().compression(Compression::SNAPPY).build()?;
/// let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), options)?;
/// writer.write(&batch)?;
/// assert_eq!(writer.close()?.num_rows(), 3);
/// # let file = ParquetFile::from_bytes(bytes)?;
/// # assert_eq!(file.scan().build()?.read_all()?[0].column(1), batch.column(1));
/// # Ok::<(), herringbone::Error>(())
/// ```
pub struct ArrowWriter<W: Write> {
    plan: Arc<ArrowPlan>,
    file: FileWriter<W>,
    engine: Engine,
    /// Rows that wait to be a block.
    block: Block,
    group: OpenGroup,
    bounds: Bounds,
    /// Whether the engine was given rows.
    begun: bool,
    failed: bool,
}

/// The row group that is being filled, its blocks counted when they go to the engine.
#[derive(Debug, Default)]
struct OpenGroup {
    rows: u64,
    /// Bytes before encoding.
    bytes: u64,
    /// From so many bytes before encoding on it is looked how many there are after it.
    checkpoint: u64,
}

#[derive(Debug)]
struct Bounds {
    group_rows: u64,
    group_bytes: u64,
    block_rows: u64,
    block_bytes: u64,
    memory: u64,
    /// How many bytes encoding made of 1024 when last seen.
    ratio: Option<u64>,
}

/// The most rows of a block: enough that handing it around costs nothing.
const BLOCK_ROWS: u64 = 65_536;

impl<W: Write> ArrowWriter<W> {
    /// Begins a file. `sink` is given large pieces, so that it needs no buffer.
    ///
    /// # Errors
    /// `Usage` when the options do not fit the schema, or it has a type that Parquet cannot store; `Io` from the sink.
    pub fn try_new(sink: W, schema: SchemaRef, options: WriterOptions) -> Result<Self> {
        let plan = ArrowPlan::new(schema, options)?;
        let file = FileWriter::with_plan(sink, Arc::clone(plan.write_plan()))?;
        Self::with_file(plan, file)
    }

    fn with_file(plan: Arc<ArrowPlan>, file: FileWriter<W>) -> Result<Self> {
        let options = plan.write_plan().options();
        let bounds = Bounds::new(options);
        let group = OpenGroup { checkpoint: bounds.first_checkpoint(), ..OpenGroup::default() };
        let engine = Engine::new(Arc::clone(&plan))?;
        Ok(Self { engine, plan, file, block: Block::default(), group, bounds, begun: false, failed: false })
    }

    /// Encodes on the caller's pool, whatever [`threads`](crate::write::WriterOptionsBuilder::threads) says. To be called before the first batch: once rows
    /// are being encoded, they stay where they are, and so do those that follow.
    #[cfg(feature = "rayon")]
    #[must_use]
    pub fn in_pool(mut self, pool: Arc<rayon::ThreadPool>) -> Self {
        if !self.begun {
            self.engine = Engine::on(crate::arrow::write::pool::Pool::Own(pool), Arc::clone(&self.plan));
        }
        self
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        self.plan.schema()
    }

    /// The schema and options of the file.
    pub fn plan(&self) -> &Arc<ArrowPlan> {
        &self.plan
    }

    /// Bytes that the sink was given.
    pub fn written(&self) -> u64 {
        self.file.written()
    }

    /// About how many bytes of memory wait: batches to be encoded, columns to be written, indexes.
    pub fn buffered(&self) -> u64 {
        self.block.bytes + self.engine.memory() + self.file.buffered()
    }

    /// The number of row groups that were written.
    pub fn num_row_groups(&self) -> usize {
        self.file.num_row_groups()
    }

    /// Adds an entry of application metadata, which may be known only at the end.
    pub fn key_value(&mut self, key: impl Into<String>, value: impl Into<Option<String>>) {
        self.file.key_value(key, value);
    }

    /// Writes a batch, or has it written later.
    ///
    /// # Errors
    /// `Usage` when the batch has other columns than the schema, nulls or values that a column cannot hold; `Limit` when a row
    /// takes more than 2 GiB in a column; `Io` from the sink. The error may be about a batch that was written before. After an
    /// error the writer refuses to go on.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.guarded(|writer| {
            writer.plan.check(batch)?;
            writer.cut(batch)?;
            writer.append_finished(false)
        })
    }

    /// Ends the row group and waits until the sink has it.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub fn flush(&mut self) -> Result<()> {
        self.guarded(|writer| {
            writer.end_group()?;
            writer.append_finished(true)
        })
    }

    /// Completes the file and returns what a reader will find. A file that was [created](ArrowWriter::create) gets its name; any other sink is dropped,
    /// and a [`LocalFile`] that [`try_new`](Self::try_new) was given with it: see [`close_into`](Self::close_into).
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub fn close(mut self) -> Result<FileMetadata> {
        self.flush()?;
        self.file.close()
    }

    /// Completes the file, and gives the sink back, as it is: a [`LocalFile`] is still to be committed.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub fn close_into(mut self) -> Result<(FileMetadata, W)> {
        self.flush()?;
        self.file.close_into()
    }

    /// Runs a step that makes the writer unusable when it fails.
    fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.failed {
            return Err(Error::usage("an error came before: the file cannot be completed"));
        }
        let done = step(self);
        self.failed = done.is_err();
        done
    }

    /// Cuts a batch into blocks that keep all bounds.
    fn cut(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut start = 0;
        while start < batch.num_rows() {
            let room = self.bounds.block_rows.min(self.bounds.group_rows - self.group.rows) - self.block.rows;
            let rows = usize::try_from(room).unwrap_or(usize::MAX).min(batch.num_rows() - start);
            let mut piece = batch.slice(start, rows);
            let left = self.bounds.block_bytes.saturating_sub(self.block.bytes);
            if batch_bytes(&piece) > left {
                if self.block.rows > 0 {
                    self.push_block()?;
                    continue;
                }
                piece = piece.slice(0, rows_within(&piece, left));
            }
            start += piece.num_rows();
            self.block.push(&piece);
            if self.block.rows as usize >= usize::try_from(room).unwrap_or(usize::MAX) {
                self.push_block()?;
            }
        }
        Ok(())
    }

    /// Gives the block to the engine, and ends the row group before or after it when that is full.
    fn push_block(&mut self) -> Result<()> {
        let block = std::mem::take(&mut self.block);
        if block.rows == 0 {
            return Ok(());
        }
        if self.group.bytes > 0 && self.group.bytes + block.bytes > self.group.checkpoint {
            self.check_size(block.bytes)?;
        }
        self.group.rows += block.rows;
        self.group.bytes += block.bytes;
        let waiting = self.bounds.waiting(&self.group);
        self.begun = true;
        self.engine.push(block, waiting)?;
        if self.group.rows >= self.bounds.group_rows {
            self.end_encoded_group()?;
        }
        Ok(())
    }

    /// Looks how large the row group is, and ends it when so many bytes more before encoding would be too many.
    fn check_size(&mut self, more: u64) -> Result<()> {
        let sizes = self.engine.settle()?;
        let ratio = (sizes.encoded.saturating_mul(1024) / self.group.bytes.max(1)).max(1);
        self.bounds.ratio = Some(ratio);
        let room = self.bounds.group_bytes.saturating_sub(sizes.encoded);
        let fits = room.saturating_mul(1024) / ratio;
        if fits < more || sizes.memory > self.bounds.memory / 2 {
            return self.end_encoded_group();
        }
        self.group.checkpoint = self.group.bytes + fits.min(self.bounds.memory / 8);
        Ok(())
    }

    fn end_group(&mut self) -> Result<()> {
        self.push_block()?;
        self.end_encoded_group()
    }

    /// Ends the row group of the blocks that the engine has.
    fn end_encoded_group(&mut self) -> Result<()> {
        if self.group.rows > 0 {
            self.engine.end_group()?;
        }
        self.group = OpenGroup { checkpoint: self.bounds.first_checkpoint(), ..OpenGroup::default() };
        self.append_finished(false)
    }

    /// Writes the row groups that are finished; with `all`, those that will be.
    fn append_finished(&mut self, all: bool) -> Result<()> {
        while let Some(chunks) = self.engine.take_finished(all)? {
            self.file.append_row_group(chunks)?;
        }
        Ok(())
    }
}

impl ArrowWriter<LocalFile> {
    /// Begins a file at a path. It is written beside its name, which it gets when [`close`](Self::close) has written all of
    /// it; until then, and after errors, what was there before stays.
    ///
    /// # Errors
    /// `Usage` when the options do not fit the schema, or the path is that of something else than a file; `Io` when the file
    /// cannot be made.
    pub fn create(path: impl AsRef<Path>, schema: SchemaRef, options: WriterOptions, sink: SinkOptions) -> Result<Self> {
        let plan = ArrowPlan::new(schema, options)?;
        let file = FileWriter::create_with_plan(path, Arc::clone(plan.write_plan()), sink)?;
        Self::with_file(plan, file)
    }
}

impl Bounds {
    fn new(options: &WriterOptions) -> Self {
        let memory = options.memory_bytes() as u64;
        let group_bytes = options.row_group_bytes();
        Self {
            group_rows: options.row_group_rows(),
            group_bytes,
            block_rows: BLOCK_ROWS.min(options.row_group_rows()),
            block_bytes: (group_bytes.min(memory / 4) / 8).clamp(1 << 16, 1 << 25),
            memory,
            ratio: None,
        }
    }

    /// When to look at a new row group's size: encoding hardly ever makes more of the bytes, so that no look is due before
    /// they reach the bound. How much less it makes of them is known from the row group before, unless it changed much.
    fn first_checkpoint(&self) -> u64 {
        let expected = self.ratio.map_or(0, |ratio| self.group_bytes.saturating_mul(922) / ratio);
        let most = self.group_bytes.saturating_mul(4).min(self.memory / 4);
        expected.clamp(self.group_bytes.min(most), most)
    }

    /// How many bytes may wait to be encoded: row groups enough that every thread has work, as far as memory goes.
    fn waiting(&self, group: &OpenGroup) -> u64 {
        let row_bytes = group.bytes / group.rows.max(1);
        let group_bytes = (row_bytes + 1).saturating_mul(self.group_rows).min(self.group_bytes.saturating_mul(4));
        self.block_bytes.saturating_mul(4).max(group_bytes.saturating_mul(2)).min(self.memory / 2)
    }
}

impl<W: Write> std::fmt::Debug for ArrowWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowWriter").field("columns", &self.plan.num_leaves()).field("group", &self.group).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "rayon"))]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int32Array};

    #[test]
    fn a_pool_that_comes_late_loses_no_rows() {
        let batch = RecordBatch::try_from_iter([("a", Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef)]).unwrap();
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
        for (before, threads) in [(0, 1), (1, 1), (1, 2), (7, 1), (7, 2)] {
            let options = WriterOptions::builder().row_group_rows(5).threads(threads).build().unwrap();
            let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options).unwrap();
            (0..before).for_each(|_| writer.write(&batch).unwrap());
            let mut writer = writer.in_pool(Arc::clone(&pool));
            writer.write(&batch).unwrap();
            assert_eq!(writer.close().unwrap().num_rows(), 3 * (before + 1));
        }
    }
}
