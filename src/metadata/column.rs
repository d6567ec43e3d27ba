//! Column chunks: all that a file says about one.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::format::{
    self, Codec, ColumnCryptoMetaData, ColumnMetaData, Encoding, GeospatialStatistics, KeyValue, PageEncodingStats, PageType, PhysicalType,
    SizeStatistics,
};
use crate::metadata::location::{bloom_filter, side_range};
use crate::metadata::{BloomFilterLocation, ChunkLocation, RowGroup, Statistics};
use crate::schema::{ColumnPath, Leaf};

/// All that a file says about a column chunk (`ColumnChunk` and `ColumnMetaData`).
///
/// For what reading needs, [`RowGroup::chunk`] is cheaper, and for pruning [`RowGroup::statistics`].
#[derive(Clone, Debug)]
pub struct ColumnChunk<'a> {
    row_group: RowGroup<'a>,
    leaf: &'a Leaf,
    chunk: format::ColumnChunk<'a>,
    meta: ColumnMetaData<'a>,
}

impl<'a> ColumnChunk<'a> {
    pub(super) fn new(row_group: RowGroup<'a>, leaf: &'a Leaf, mut chunk: format::ColumnChunk<'a>) -> Result<Self> {
        let Some(meta) = chunk.meta_data.take() else {
            return Err(if chunk.encrypted_column_metadata.is_some() || chunk.crypto_metadata.is_some() {
                Error::unsupported("the column is encrypted with its own key; its metadata cannot be read without it")
            } else {
                Error::malformed("the column chunk has no metadata")
            });
        };
        Ok(Self { row_group, leaf, chunk, meta })
    }

    /// The row group that it belongs to.
    pub fn row_group(&self) -> RowGroup<'a> {
        self.row_group
    }

    /// The leaf of the schema that it is the column of.
    pub fn leaf(&self) -> &'a Leaf {
        self.leaf
    }

    /// The names from below the schema's root to the leaf.
    pub fn path(&self) -> &'a ColumnPath {
        &self.leaf.path
    }

    /// How values are stored, as the chunk says; [`location`](Self::location) refuses another type than the schema's.
    pub fn physical_type(&self) -> PhysicalType {
        self.meta.physical_type
    }

    /// How pages are compressed.
    pub fn codec(&self) -> Codec {
        self.meta.codec
    }

    /// Every encoding that the file says occurs in the chunk, levels included.
    pub fn encodings(&self) -> &[Encoding] {
        &self.meta.encodings
    }

    /// How many pages have which encoding, if the file says so.
    pub fn encoding_stats(&self) -> Option<&[PageEncodingStats]> {
        self.meta.encoding_stats.as_deref()
    }

    /// Whether all data pages are dictionary-encoded, if the file says so: then the dictionary has every value.
    pub fn is_all_dictionary(&self) -> Option<bool> {
        let stats = self.encoding_stats()?;
        let mut data_pages =
            stats.iter().filter(|stats| matches!(stats.page_type, PageType::DataPage | PageType::DataPageV2) && stats.count > 0);
        let mut any = false;
        let all = data_pages.all(|stats| {
            any = true;
            matches!(stats.encoding, Encoding::PlainDictionary | Encoding::RleDictionary)
        });
        Some(any && all)
    }

    /// Number of values, nulls included; 0 if the file claims fewer.
    pub fn num_values(&self) -> u64 {
        u64::try_from(self.meta.num_values).unwrap_or(0)
    }

    /// Bytes of all pages in the file as it claims, headers included.
    pub fn compressed_size(&self) -> u64 {
        u64::try_from(self.meta.total_compressed_size).unwrap_or(0)
    }

    /// Bytes of all pages before compression as the file claims, headers included.
    pub fn uncompressed_size(&self) -> u64 {
        u64::try_from(self.meta.total_uncompressed_size).unwrap_or(0)
    }

    /// Offset of the first data page in the file, as it claims.
    pub fn data_page_offset(&self) -> i64 {
        self.meta.data_page_offset
    }

    /// Offset of the dictionary page in the file, as it claims; some writers put 0 where there is none.
    pub fn dictionary_page_offset(&self) -> Option<i64> {
        self.meta.dictionary_page_offset
    }

    /// Offset of the index page, which the format never defined, as the file claims.
    pub fn index_page_offset(&self) -> Option<i64> {
        self.meta.index_page_offset
    }

    /// Where the chunk is, checked: see [`RowGroup::chunk`].
    ///
    /// # Errors
    /// Those of [`RowGroup::chunk`].
    pub fn location(&self) -> Result<ChunkLocation> {
        self.row_group.chunk(self.leaf.index)
    }

    /// The statistics of all values, as far as they can be believed; `None` if there are none.
    pub fn statistics(&self) -> Option<Statistics<'a>> {
        let raw = self.meta.statistics.as_ref()?;
        Some(Statistics::read(raw, self.num_values(), self.row_group.file().statistics_context(self.leaf)))
    }

    /// The statistics as the file has them, to be believed or not.
    pub fn raw_statistics(&self) -> Option<&format::Statistics<'a>> {
        self.meta.statistics.as_ref()
    }

    /// Sizes and level histograms as the file has them.
    pub fn size_statistics(&self) -> Option<&SizeStatistics> {
        self.meta.size_statistics.as_ref()
    }

    /// How often each repetition level occurs, from 0 to the leaf's maximum; `None` if it is not known.
    pub fn repetition_level_histogram(&self) -> Option<&[i64]> {
        let levels = usize::from(self.leaf.max_repetition_level).saturating_add(1);
        self.size_statistics()?.repetition_level_histogram.as_deref().filter(|histogram| histogram.len() == levels)
    }

    /// How often each definition level occurs, from 0 to the leaf's maximum; `None` if it is not known.
    pub fn definition_level_histogram(&self) -> Option<&[i64]> {
        let levels = usize::from(self.leaf.max_definition_level).saturating_add(1);
        self.size_statistics()?.definition_level_histogram.as_deref().filter(|histogram| histogram.len() == levels)
    }

    /// Statistics of geometries and geographies.
    pub fn geospatial_statistics(&self) -> Option<&GeospatialStatistics> {
        self.meta.geospatial_statistics.as_ref()
    }

    /// Application metadata of the chunk.
    pub fn key_values(&self) -> &[KeyValue<'a>] {
        self.meta.key_value_metadata.as_deref().unwrap_or_default()
    }

    /// Where the bloom filter is; none if it would be outside the file.
    pub fn bloom_filter(&self) -> Option<BloomFilterLocation> {
        bloom_filter(self.meta.bloom_filter_offset, self.meta.bloom_filter_length, self.size_around())
    }

    /// The range of the offset index in the file; none if it would be outside.
    pub fn offset_index(&self) -> Option<Range<u64>> {
        side_range(self.chunk.offset_index_offset, self.chunk.offset_index_length, self.size_around())
    }

    /// The range of the column index in the file; none if it would be outside.
    pub fn column_index(&self) -> Option<Range<u64>> {
        side_range(self.chunk.column_index_offset, self.chunk.column_index_length, self.size_around())
    }

    /// The file that holds the pages, relative to this one, if it is not this one.
    pub fn file_path(&self) -> Option<&str> {
        self.chunk.file_path.as_deref().filter(|path| !path.is_empty())
    }

    /// The size of the file that holds the pages, as far as it is known.
    fn size_around(&self) -> u64 {
        if self.file_path().is_some() { u64::MAX } else { self.row_group.file().file_size() }
    }

    /// With which key the column is encrypted, if it is.
    pub fn crypto_metadata(&self) -> Option<&ColumnCryptoMetaData<'a>> {
        self.chunk.crypto_metadata.as_ref()
    }

    /// The names from below the schema's root to the leaf as the chunk has them; the schema's are what counts.
    pub fn path_in_schema(&self) -> &[Cow<'a, str>] {
        &self.meta.path_in_schema
    }
}
