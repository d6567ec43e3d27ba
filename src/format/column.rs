//! Column chunks: where they are, what they hold, how large they are.

use std::borrow::Cow;

use crate::format::{Codec, ColumnCryptoMetaData, Encoding, GeospatialStatistics, PageType, PhysicalType, Statistics};
use crate::thrift::thrift_struct;

thrift_struct! {
    /// One entry of application metadata, of a file or a column chunk (`KeyValue`).
    pub struct KeyValue<'a> {
        /// The key.
        1: required key: Cow<'a, str>,
        /// The value; an entry may go without.
        2: optional value: Cow<'a, str>,
    }
}

thrift_struct! {
    /// Figures from which the size of the decoded data can be told before decoding it (`SizeStatistics`).
    pub struct SizeStatistics {
        /// Bytes of all `BYTE_ARRAY` values without their lengths, as if PLAIN-encoded; only for that physical type.
        1: optional unencoded_byte_array_data_bytes: i64,
        /// How often each repetition level occurs, from level 0 to the column's maximum.
        2: optional repetition_level_histogram: Vec<i64>,
        /// How often each definition level occurs, from level 0 to the column's maximum.
        3: optional definition_level_histogram: Vec<i64>,
    }
}

thrift_struct! {
    /// How many pages of one type have one encoding (`PageEncodingStats`).
    pub struct PageEncodingStats {
        /// The pages' type.
        1: required page_type: PageType,
        /// The pages' encoding.
        2: required encoding: Encoding,
        /// The number of such pages.
        3: required count: i32,
    }
}

thrift_struct! {
    /// What a column chunk holds (`ColumnMetaData`).
    pub struct ColumnMetaData<'a> {
        /// The physical type.
        1: required physical_type: PhysicalType,
        /// Every encoding that a page of the chunk uses, levels included.
        2: required encodings: Vec<Encoding>,
        /// The names from below the schema's root to the leaf.
        3: required path_in_schema: Vec<Cow<'a, str>>,
        /// The codec of all pages.
        4: required codec: Codec,
        /// Number of values, nulls included: the number of level pairs.
        5: required num_values: i64,
        /// Bytes of all pages before compression, headers included.
        6: required total_uncompressed_size: i64,
        /// Bytes of all pages in the file, headers included.
        7: required total_compressed_size: i64,
        /// Application metadata of the chunk.
        8: optional key_value_metadata: Vec<KeyValue<'a>>,
        /// Offset of the first data page in the file.
        9: required data_page_offset: i64,
        /// Offset of the root index page, which the format never defined.
        10: optional index_page_offset: i64,
        /// Offset of the dictionary page in the file.
        11: optional dictionary_page_offset: i64,
        /// Statistics of all values of the chunk.
        12: optional statistics: Statistics<'a>,
        /// How many pages have which encoding: tells whether all data pages are dictionary-encoded.
        13: optional encoding_stats: Vec<PageEncodingStats>,
        /// Offset of the bloom filter's header in the file.
        14: optional bloom_filter_offset: i64,
        /// Bytes of the bloom filter, header included.
        15: optional bloom_filter_length: i32,
        /// Sizes and level histograms.
        16: optional size_statistics: SizeStatistics,
        /// Statistics of geometries and geographies.
        17: optional geospatial_statistics: GeospatialStatistics,
    }
}

thrift_struct! {
    /// A column chunk's entry in its row group (`ColumnChunk`).
    pub struct ColumnChunk<'a> {
        /// The file that holds the pages, relative to this one; only summary files (`_metadata`) set it.
        1: optional file_path: Cow<'a, str>,
        /// Deprecated and never read; 0 is what to write.
        2: required file_offset: i64,
        /// What the chunk holds; every writer sets it, unless it is encrypted with the column's own key.
        3: optional meta_data: ColumnMetaData<'a>,
        /// Offset of the offset index in the file.
        4: optional offset_index_offset: i64,
        /// Bytes of the offset index.
        5: optional offset_index_length: i32,
        /// Offset of the column index in the file.
        6: optional column_index_offset: i64,
        /// Bytes of the column index.
        7: optional column_index_length: i32,
        /// With which key the column is encrypted.
        8: optional crypto_metadata: ColumnCryptoMetaData<'a>,
        /// The encrypted `ColumnMetaData`.
        9: optional encrypted_column_metadata: Cow<'a, [u8]>,
    }
}
