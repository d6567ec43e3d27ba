//! The frame of a file: magic number, row groups, indexes, footer. It knows where everything is and nothing of encoding.

use std::borrow::Cow;
use std::io::Write;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::format::{ColumnChunk, ColumnOrder, FileMetaData, KeyValue, RowGroup};
use crate::limits::Limits;
use crate::metadata::FileMetadata;
use crate::metadata::footer::{MAGIC, TAIL_BYTES};
use crate::schema::Schema;
use crate::thrift::encode_to_vec;
use crate::write::chunk::ChunkIndexes;

/// Indexes are handed to the sink in pieces of so many bytes.
const WRITE_BYTES: usize = 1 << 20;

/// Writes the parts of a file one after another and remembers where they are.
pub(crate) struct Assembler<W> {
    sink: W,
    written: u64,
    row_groups: Vec<RowGroup<'static>>,
    /// For each row group those of its columns that are still to be written.
    indexes: Vec<Vec<ChunkIndexes>>,
    /// The bytes of these.
    waiting: u64,
    failed: bool,
}

/// What the footer says about the file as a whole.
pub(crate) struct FileFacts<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) version: i32,
    pub(crate) created_by: Option<&'a str>,
    pub(crate) key_values: Option<Vec<KeyValue<'a>>>,
    pub(crate) column_orders: Vec<ColumnOrder>,
}

impl<W: Write> Assembler<W> {
    /// Begins a file.
    pub(crate) fn new(sink: W) -> Result<Self> {
        let mut assembler = Self::resume(sink, 0, Vec::new());
        assembler.write(&MAGIC)?;
        Ok(assembler)
    }

    /// Goes on with a file of which `written` bytes are in the sink already, with these row groups and their indexes.
    pub(crate) fn resume(sink: W, written: u64, row_groups: Vec<RowGroup<'static>>) -> Self {
        let indexes = row_groups.iter().map(|_| Vec::new()).collect();
        Self { sink, written, row_groups, indexes, waiting: 0, failed: false }
    }

    /// Bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Bytes of indexes that wait to be written.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting
    }

    pub(crate) fn num_row_groups(&self) -> usize {
        self.row_groups.len()
    }

    /// Refuses to go on after an error.
    pub(crate) fn check(&self) -> Result<()> {
        if self.failed { Err(Error::usage("an error came before: the file cannot be completed")) } else { Ok(()) }
    }

    /// Makes the file one that cannot be completed.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    /// Runs a step that makes the file one that cannot be completed when it fails.
    pub(crate) fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let done = step(self);
        self.failed |= done.is_err();
        done
    }

    /// Writes bytes and returns where they begin.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<u64> {
        self.check()?;
        let start = self.written;
        if let Err(error) = self.sink.write_all(bytes) {
            self.failed = true;
            return Err(error.into());
        }
        self.written += bytes.len() as u64;
        Ok(start)
    }

    /// Ends a row group whose pages and bloom filters are written.
    pub(crate) fn push(&mut self, columns: Vec<ColumnChunk<'static>>, indexes: Vec<ChunkIndexes>, group: RowGroup<'static>) {
        let meta = || columns.iter().filter_map(|column| column.meta_data.as_ref());
        let start = meta().map(|meta| meta.dictionary_page_offset.unwrap_or(meta.data_page_offset)).min();
        self.row_groups.push(RowGroup {
            // What is copied may claim anything.
            total_byte_size: meta().map(|meta| meta.total_uncompressed_size).fold(0, i64::saturating_add),
            total_compressed_size: Some(meta().map(|meta| meta.total_compressed_size).fold(0, i64::saturating_add)),
            file_offset: start,
            ordinal: i16::try_from(self.row_groups.len()).ok(),
            columns,
            ..group
        });
        let size = |index: &Option<Vec<u8>>| index.as_ref().map_or(0, Vec::len) as u64;
        self.waiting += indexes.iter().map(|chunk| size(&chunk.column_index) + size(&chunk.offset_index)).sum::<u64>();
        self.indexes.push(indexes);
    }

    /// Writes the indexes and the footer. What is returned is what a reader will find.
    pub(crate) fn finish(mut self, facts: FileFacts<'_>) -> Result<(FileMetadata, W)> {
        self.check()?;
        let mut end = Vec::new();
        self.write_indexes(&mut end)?;
        let num_rows = self.row_groups.iter().map(|group| group.num_rows).fold(0, i64::saturating_add);
        let footer = encode_to_vec(&FileMetaData {
            version: facts.version,
            schema: facts.schema.to_elements(),
            num_rows,
            row_groups: std::mem::take(&mut self.row_groups),
            key_value_metadata: facts.key_values,
            created_by: facts.created_by.map(Cow::Borrowed),
            column_orders: Some(facts.column_orders),
            encryption_algorithm: None,
            footer_signing_key_metadata: None,
        })?;
        let length = u32::try_from(footer.len()).map_err(|_| Error::limit("a footer of more than 4 GiB cannot be written"))?;
        end.extend_from_slice(&footer);
        end.extend_from_slice(&length.to_le_bytes());
        end.extend_from_slice(&MAGIC);
        debug_assert_eq!(TAIL_BYTES, MAGIC.len() + 4);
        self.write(&end)?;
        self.sink.flush()?;
        let limits = Limits { footer_bytes: usize::MAX, metadata_bytes: usize::MAX, schema_depth: 250, ..Limits::default() };
        let metadata = FileMetadata::parse(Bytes::from(footer), self.written, &limits)?;
        Ok((metadata, self.sink))
    }

    /// Writes all column indexes, then all offset indexes, and notes where they are. What is left in `end` was not handed to the sink yet.
    fn write_indexes(&mut self, end: &mut Vec<u8>) -> Result<()> {
        let (mut row_groups, mut indexes) = (std::mem::take(&mut self.row_groups), std::mem::take(&mut self.indexes));
        for (column, waiting) in chunks(&mut row_groups, &mut indexes) {
            if let Some(index) = waiting.column_index.take() {
                (column.column_index_offset, column.column_index_length) = self.write_index(index, end)?;
            }
        }
        for (column, waiting) in chunks(&mut row_groups, &mut indexes) {
            if let Some(index) = waiting.offset_index.take() {
                (column.offset_index_offset, column.offset_index_length) = self.write_index(index, end)?;
            }
        }
        self.row_groups = row_groups;
        Ok(())
    }

    /// Writes an index, together with others as long as they are small, and returns where it is and how long.
    fn write_index(&mut self, index: Vec<u8>, end: &mut Vec<u8>) -> Result<(Option<i64>, Option<i32>)> {
        let start = self.written + end.len() as u64;
        end.extend_from_slice(&index);
        if end.len() > WRITE_BYTES {
            self.write(end)?;
            end.clear();
        }
        Ok((i64::try_from(start).ok(), i32::try_from(index.len()).ok()))
    }
}

/// All chunks with their indexes.
fn chunks<'a>(
    row_groups: &'a mut [RowGroup<'static>],
    indexes: &'a mut [Vec<ChunkIndexes>],
) -> impl Iterator<Item = (&'a mut ColumnChunk<'static>, &'a mut ChunkIndexes)> {
    row_groups.iter_mut().zip(indexes).flat_map(|(group, indexes)| group.columns.iter_mut().zip(indexes))
}
