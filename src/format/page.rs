//! Headers of pages.

use crate::format::{Encoding, PageType, Statistics};
use crate::thrift::thrift_struct;

thrift_struct! {
    /// The header of a data page of the first version (`DataPageHeader`).
    pub struct DataPageHeader<'a> {
        /// Number of values, nulls included.
        1: required num_values: i32,
        /// Encoding of the values.
        2: required encoding: Encoding,
        /// Encoding of the definition levels.
        3: required definition_level_encoding: Encoding,
        /// Encoding of the repetition levels.
        4: required repetition_level_encoding: Encoding,
        /// Statistics of the page.
        5: optional statistics: Statistics<'a>,
    }
}

thrift_struct! {
    /// The header of an index page, which the format names but never defined (`IndexPageHeader`).
    pub struct IndexPageHeader {}
}

thrift_struct! {
    /// The header of a dictionary page (`DictionaryPageHeader`).
    pub struct DictionaryPageHeader {
        /// Number of entries.
        1: required num_values: i32,
        /// Encoding of the entries.
        2: required encoding: Encoding,
        /// Whether the entries ascend.
        3: optional is_sorted: bool,
    }
}

thrift_struct! {
    /// The header of a data page of the second version (`DataPageHeaderV2`).
    pub struct DataPageHeaderV2<'a> {
        /// Number of values, nulls included.
        1: required num_values: i32,
        /// Number of nulls.
        2: required num_nulls: i32,
        /// Number of rows; pages of this version begin and end with a row.
        3: required num_rows: i32,
        /// Encoding of the values.
        4: required encoding: Encoding,
        /// Bytes of the definition levels.
        5: required definition_levels_byte_length: i32,
        /// Bytes of the repetition levels.
        6: required repetition_levels_byte_length: i32,
        /// Whether the values are compressed; they are when it is not set.
        7: optional is_compressed: bool,
        /// Statistics of the page.
        8: optional statistics: Statistics<'a>,
    }
}

thrift_struct! {
    /// The header in front of every page (`PageHeader`).
    pub struct PageHeader<'a> {
        /// Which of the headers below is set.
        1: required page_type: PageType,
        /// Bytes of the page before compression, without this header.
        2: required uncompressed_page_size: i32,
        /// Bytes of the page in the file, without this header.
        3: required compressed_page_size: i32,
        /// CRC-32 of the page's bytes in the file, without this header.
        4: optional crc: i32,
        /// Set for `PageType::DataPage`.
        5: optional data_page_header: DataPageHeader<'a>,
        /// Set for `PageType::IndexPage`.
        6: optional index_page_header: IndexPageHeader,
        /// Set for `PageType::DictionaryPage`.
        7: optional dictionary_page_header: DictionaryPageHeader,
        /// Set for `PageType::DataPageV2`.
        8: optional data_page_header_v2: DataPageHeaderV2<'a>,
    }
}
