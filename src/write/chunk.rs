//! A column chunk that is encoded and waits for its place in a file.

use std::borrow::Cow;

use crate::error::Result;
use crate::format::{ColumnChunk, ColumnMetaData, PhysicalType};
use crate::write::sorted::RowOrder;
use crate::write::statistics::{PageRecord, offset_index};

/// All of an encoded column chunk, as [`LeafWriter::finish`](crate::write::LeafWriter::finish) gives it: it can be sent to
/// another thread and appended to a row group.
#[derive(Debug)]
pub struct WrittenChunk {
    pub(crate) leaf: usize,
    pub(crate) rows: u64,
    /// The dictionary page, header included; empty when there is none.
    pub(crate) dictionary: Vec<u8>,
    /// The data pages.
    pub(crate) data: Vec<u8>,
    pub(crate) pages: Vec<PageRecord>,
    /// With offsets counted from the chunk's start.
    pub(crate) meta: ColumnMetaData<'static>,
    /// Whether there is to be an offset index.
    pub(crate) has_offset_index: bool,
    pub(crate) column_index: Option<Vec<u8>>,
    pub(crate) bloom_filter: Option<Vec<u8>>,
    pub(crate) row_order: Option<RowOrder>,
}

/// What is written behind the row groups for a chunk.
#[derive(Debug, Default)]
pub(crate) struct ChunkIndexes {
    pub(crate) column_index: Option<Vec<u8>>,
    pub(crate) offset_index: Option<Vec<u8>>,
}

impl WrittenChunk {
    /// The index of the leaf column.
    pub fn leaf(&self) -> usize {
        self.leaf
    }

    /// The number of rows.
    pub fn num_rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of all pages in the file.
    pub fn compressed_size(&self) -> u64 {
        self.dictionary.len() as u64 + self.data.len() as u64
    }

    /// Bytes of all pages before compression.
    pub fn uncompressed_size(&self) -> u64 {
        u64::try_from(self.meta.total_uncompressed_size).unwrap_or(0)
    }

    /// The number of data pages.
    pub fn num_pages(&self) -> usize {
        self.pages.len()
    }

    /// Bytes of memory that the chunk takes, about.
    pub fn memory_size(&self) -> usize {
        self.dictionary.capacity() + self.data.capacity() + self.pages.len() * 200 + self.bloom_filter.as_ref().map_or(0, Vec::len)
    }

    /// The chunk's entry in the footer and its indexes, when its first byte is at `start` in the file.
    pub(crate) fn place(&mut self, start: u64) -> Result<(ColumnChunk<'static>, ChunkIndexes)> {
        let data_start = start + self.dictionary.len() as u64;
        let mut meta = std::mem::replace(&mut self.meta, empty_meta());
        meta.data_page_offset = data_start as i64;
        meta.dictionary_page_offset = (!self.dictionary.is_empty()).then_some(start as i64);
        let is_byte_array = meta.physical_type == PhysicalType::ByteArray;
        let has_offsets = self.has_offset_index && !self.pages.is_empty();
        let offset_index = has_offsets.then(|| offset_index(&self.pages, data_start, is_byte_array)).transpose()?;
        let indexes = ChunkIndexes { column_index: self.column_index.take(), offset_index };
        Ok((chunk_entry(meta), indexes))
    }
}

/// An entry of the footer without indexes.
pub(crate) fn chunk_entry(meta: ColumnMetaData<'static>) -> ColumnChunk<'static> {
    ColumnChunk {
        file_path: None,
        // Deprecated: the specification wants 0 there.
        file_offset: 0,
        meta_data: Some(meta),
        offset_index_offset: None,
        offset_index_length: None,
        column_index_offset: None,
        column_index_length: None,
        crypto_metadata: None,
        encrypted_column_metadata: None,
    }
}

/// Metadata of nothing.
pub(crate) fn empty_meta() -> ColumnMetaData<'static> {
    ColumnMetaData {
        physical_type: PhysicalType::Int32,
        encodings: Vec::new(),
        path_in_schema: Vec::<Cow<'static, str>>::new(),
        codec: crate::format::Codec::Uncompressed,
        num_values: 0,
        total_uncompressed_size: 0,
        total_compressed_size: 0,
        key_value_metadata: None,
        data_page_offset: 0,
        index_page_offset: None,
        dictionary_page_offset: None,
        statistics: None,
        encoding_stats: None,
        bloom_filter_offset: None,
        bloom_filter_length: None,
        size_statistics: None,
        geospatial_statistics: None,
    }
}
