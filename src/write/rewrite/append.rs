//! Appending row groups to a file.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::{ColumnOrder, RowGroup};
use crate::limits::Limits;
use crate::metadata::footer::TAIL_BYTES;
use crate::metadata::{self, FileMetadata};
use crate::read::{self, FileSource};
use crate::write::assemble::Assembler;
use crate::write::chunk::chunk_entry;
use crate::write::rewrite::adopt;
use crate::write::{FileWriter, LocalFile, SinkOptions, WritePlan, WriterOptions};

impl FileWriter<LocalFile> {
    /// Goes on with a file: its row groups stay, more can be written behind them. Until [`close`](Self::close) the file is as
    /// it was: a copy of it is written to and takes its place, with a new footer.
    ///
    /// The schema is that of the file; its application metadata stays, and that of the options is added, in the place of
    /// entries with the same key. The file is replaced whatever [`SinkOptions::overwrite`] says.
    ///
    /// # Errors
    /// Those of [`read::metadata`] and [`check_has_data`](crate::metadata::FileMetadata::check_has_data); `Usage` when the options do not
    /// fit the schema; `Unsupported` when the file is encrypted or a chunk was written by a writer whose faults readers know by its name;
    /// `Io` when the copy cannot be made.
    pub fn append(path: impl AsRef<Path>, options: WriterOptions, sink: SinkOptions) -> Result<Self> {
        Self::append_within(path, options, sink, &Limits::default())
    }

    /// As [`append`](Self::append), within limits of the caller's for the metadata that the file has.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    pub fn append_within(path: impl AsRef<Path>, options: WriterOptions, sink: SinkOptions, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        append(path, options, sink, limits).map_err(|error| error.in_file(path.display().to_string()))
    }
}

fn append(path: &Path, options: WriterOptions, sink: SinkOptions, limits: &Limits) -> Result<FileWriter<LocalFile>> {
    let metadata = read::metadata(&FileSource::open(path)?, limits)?;
    metadata.check_has_data()?;
    if metadata.is_encrypted() {
        return Err(Error::unsupported("the file is encrypted, which this version cannot write"));
    }
    let plan = WritePlan::new(Arc::clone(metadata.schema()), options)?;
    let known = |leaf| metadata.column_order(leaf).filter(|order| adopt::is_known(order)).cloned();
    let column_orders: Vec<_> = (0..metadata.schema().leaves().len()).map(|leaf| known(leaf).unwrap_or(ColumnOrder::TypeOrder)).collect();
    let row_groups = metadata.row_groups().map(|group| row_group(&group, &column_orders)).collect::<Result<_>>()?;
    let key_values = key_values(&metadata, plan.options().key_values());
    let data_end = metadata.file_size().saturating_sub(metadata.footer_size() as u64).saturating_sub(TAIL_BYTES as u64);
    let original = File::open(path)?;
    let mut file = LocalFile::create(path, SinkOptions { overwrite: true, ..sink })?;
    file.copy_from(&original, data_end)?;
    fs::set_permissions(file.temporary(), original.metadata()?.permissions())?;
    let assembler = Assembler::resume(file, data_end, row_groups);
    Ok(FileWriter::from_parts(plan, key_values, column_orders, assembler, LocalFile::commit))
}

/// A row group as it is, without what holds only in a file of its writer.
fn row_group(group: &metadata::RowGroup<'_>, orders: &[ColumnOrder]) -> Result<RowGroup<'static>> {
    let mut columns = Vec::new();
    for (column, order) in orders.iter().enumerate() {
        let (meta, keeps_column_index) = adopt::believed(group, column, order)?;
        let old = group.raw_column(column)?;
        let mut entry = chunk_entry(meta);
        entry.file_path = old.file_path.map(|path| path.into_owned().into());
        (entry.offset_index_offset, entry.offset_index_length) = (old.offset_index_offset, old.offset_index_length);
        if keeps_column_index {
            (entry.column_index_offset, entry.column_index_length) = (old.column_index_offset, old.column_index_length);
        }
        columns.push(entry);
    }
    let sorting = group.sorting_columns()?;
    let signed = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    Ok(RowGroup {
        columns,
        total_byte_size: signed(group.total_byte_size()),
        num_rows: signed(group.num_rows()),
        sorting_columns: (!sorting.is_empty()).then_some(sorting),
        file_offset: group.file_offset().map(signed),
        total_compressed_size: group.total_compressed_size().map(signed),
        ordinal: group.ordinal(),
    })
}

/// The entries of the file but for those whose keys are given anew, then the given ones.
fn key_values(metadata: &FileMetadata, given: &[(String, Option<String>)]) -> Vec<(String, Option<String>)> {
    let kept = metadata.key_values().map(|entry| (entry.key.into_owned(), entry.value.map(|value| value.into_owned())));
    kept.filter(|(key, _)| given.iter().all(|(other, _)| other != key)).chain(given.iter().cloned()).collect()
}
