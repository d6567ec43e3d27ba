//! A file, row group after row group.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::ColumnOrder;
use crate::metadata::FileMetadata;
use crate::schema::Schema;
use crate::write::assemble::{Assembler, FileFacts};
use crate::write::leaf::key_values;
use crate::write::{LeafWriter, LocalFile, RowGroupWriter, SinkOptions, WritePlan, WriterOptions, WrittenChunk};

/// Writes a file to anything that takes bytes.
///
/// Columns are encoded by [`LeafWriter`]s, on any thread; the file takes their chunks in order. Nothing is a Parquet file
/// before [`close`](Self::close) has returned: dropping the writer never completes it, and after an error it refuses to go on.
///
/// ```
/// use std::sync::Arc;
/// use herringbone::schema::Schema;
/// use herringbone::values::ValuesSlice;
/// use herringbone::write::{FileWriter, LevelsSlice, WriterOptions};
///
/// let schema: Schema = "message m { required int64 id; required double x; }".parse()?;
/// let mut bytes = Vec::new();
/// let mut file = FileWriter::new(&mut bytes, Arc::new(schema), WriterOptions::default())?;
/// let mut id = file.leaf_writer(0)?;
/// id.write(ValuesSlice::Words64(&[1, 2]), LevelsSlice::Present)?;
/// let mut x = file.leaf_writer(1)?;
/// x.write(ValuesSlice::Words64(&[1.5_f64.to_bits(), 2.5_f64.to_bits()]), LevelsSlice::Present)?;
/// file.append_row_group([id.finish()?, x.finish()?])?;
/// assert_eq!(file.close()?.num_rows(), 2);
/// # Ok::<(), herringbone::Error>(())
/// ```
pub struct FileWriter<W> {
    plan: Arc<WritePlan>,
    key_values: Vec<(String, Option<String>)>,
    /// The order that the bounds of each column have: that of the type, unless row groups with another were copied.
    pub(super) column_orders: Vec<ColumnOrder>,
    pub(super) assembler: Assembler<W>,
    /// What makes the sink's contents permanent.
    complete: fn(W) -> Result<()>,
}

impl<W: Write> FileWriter<W> {
    /// Begins a file. `sink` is given large pieces, so that it needs no buffer.
    ///
    /// # Errors
    /// `Usage` when the options do not fit the schema; `Io` from the sink.
    pub fn new(sink: W, schema: Arc<Schema>, options: WriterOptions) -> Result<Self> {
        Self::with_plan(sink, WritePlan::new(schema, options)?)
    }

    /// Begins a file of a schema and options that are checked already.
    ///
    /// # Errors
    /// `Io` from the sink.
    pub fn with_plan(sink: W, plan: Arc<WritePlan>) -> Result<Self> {
        let key_values = plan.options().key_values().to_vec();
        let column_orders = plan.schema().leaves().iter().map(|_| ColumnOrder::TypeOrder).collect();
        Ok(Self::from_parts(plan, key_values, column_orders, Assembler::new(sink)?, |_| Ok(())))
    }

    pub(super) fn from_parts(
        plan: Arc<WritePlan>,
        key_values: Vec<(String, Option<String>)>,
        column_orders: Vec<ColumnOrder>,
        assembler: Assembler<W>,
        complete: fn(W) -> Result<()>,
    ) -> Self {
        Self { plan, key_values, column_orders, assembler, complete }
    }

    /// The schema and the options, for those who encode.
    pub fn plan(&self) -> &Arc<WritePlan> {
        &self.plan
    }

    /// An encoder of a leaf column for a row group.
    ///
    /// # Errors
    /// `Usage` when the schema has no such column.
    pub fn leaf_writer(&self, leaf: usize) -> Result<LeafWriter> {
        LeafWriter::new(&self.plan, leaf)
    }

    /// Bytes that the sink was given.
    pub fn written(&self) -> u64 {
        self.assembler.written()
    }

    /// Bytes that wait for the end of the file: indexes of the pages.
    pub fn buffered(&self) -> u64 {
        self.assembler.waiting()
    }

    /// The number of row groups that were written.
    pub fn num_row_groups(&self) -> usize {
        self.assembler.num_row_groups()
    }

    /// Adds an entry of application metadata, which may be known only at the end.
    pub fn key_value(&mut self, key: impl Into<String>, value: impl Into<Option<String>>) {
        self.key_values.push((key.into(), value.into()));
    }

    /// Begins a row group, to which column chunks are appended in the order of the schema.
    ///
    /// # Errors
    /// `Usage` after an error, or when the row group before was not finished.
    pub fn row_group(&mut self) -> Result<RowGroupWriter<'_, W>> {
        RowGroupWriter::new(self)
    }

    /// Writes a row group of these chunks, one for each leaf column in the order of the schema.
    ///
    /// # Errors
    /// As for [`RowGroupWriter::append`] and [`RowGroupWriter::finish`].
    pub fn append_row_group(&mut self, chunks: impl IntoIterator<Item = WrittenChunk>) -> Result<()> {
        let mut group = self.row_group()?;
        for chunk in chunks {
            group.append(chunk)?;
        }
        group.finish()
    }

    /// Writes indexes and footer, and returns what a reader will find. A file that was [created](FileWriter::create) gets its name; any other sink is
    /// dropped, and a [`LocalFile`] that [`new`](Self::new) was given with it: see [`close_into`](Self::close_into).
    ///
    /// # Errors
    /// `Io` from the sink; `Usage` after an error.
    pub fn close(self) -> Result<FileMetadata> {
        let complete = self.complete;
        let (metadata, sink) = self.close_into()?;
        complete(sink)?;
        Ok(metadata)
    }

    /// Writes indexes and footer, and gives the sink back, as it is: a [`LocalFile`] is still to be committed.
    ///
    /// # Errors
    /// As for [`close`](Self::close).
    pub fn close_into(self) -> Result<(FileMetadata, W)> {
        let options = self.plan.options();
        let facts = FileFacts {
            schema: self.plan.schema(),
            version: options.format_version,
            created_by: Some(&options.created_by),
            key_values: key_values(&self.key_values),
            column_orders: self.column_orders,
        };
        self.assembler.finish(facts)
    }
}

impl FileWriter<LocalFile> {
    /// Begins a file at a path. It is written beside its name, which it gets when [`close`](Self::close) has written all of
    /// it; until then, and after errors, what was there before stays.
    ///
    /// # Errors
    /// `Usage` when the options do not fit the schema, or the path is that of something else than a file; `Io` when the file
    /// cannot be made.
    pub fn create(path: impl AsRef<Path>, schema: Arc<Schema>, options: WriterOptions, sink: SinkOptions) -> Result<Self> {
        Self::create_with_plan(path, WritePlan::new(schema, options)?, sink)
    }

    /// Begins a file at a path, of a schema and options that are checked already.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub fn create_with_plan(path: impl AsRef<Path>, plan: Arc<WritePlan>, sink: SinkOptions) -> Result<Self> {
        let path = path.as_ref();
        let created = LocalFile::create(path, sink).and_then(|file| Self::with_plan(file, plan));
        let mut writer = created.map_err(|error| error.in_file(path.display().to_string()))?;
        writer.complete = LocalFile::commit;
        Ok(writer)
    }
}

impl<W> std::fmt::Debug for FileWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWriter").field("columns", &self.plan.schema().leaves().len()).finish_non_exhaustive()
    }
}

/// Refuses what is not in the order of the schema.
pub(super) fn out_of_order(expected: usize, found: usize) -> Error {
    Error::usage(format!("the chunk of leaf column {found} was appended where that of {expected} is next"))
}
