//! The page index: where the pages of a column chunk are and what bounds their values (`PageIndex.md`).

use std::borrow::Cow;

use crate::format::BoundaryOrder;
use crate::thrift::thrift_struct;

thrift_struct! {
    /// Where a data page is (`PageLocation`).
    pub struct PageLocation {
        /// Offset of the page's header in the file.
        1: required offset: i64,
        /// Bytes of the page in the file, header included.
        2: required compressed_page_size: i32,
        /// Index in the row group of the page's first row.
        3: required first_row_index: i64,
    }
}

thrift_struct! {
    /// Where the data pages of a column chunk are (`OffsetIndex`).
    pub struct OffsetIndex {
        /// The pages, in the order of the file.
        1: required page_locations: Vec<PageLocation>,
        /// For each page the bytes of its `BYTE_ARRAY` values without their lengths.
        2: optional unencoded_byte_array_data_bytes: Vec<i64>,
    }
}

thrift_struct! {
    /// Statistics of the data pages of a column chunk, one list element a page (`ColumnIndex`).
    pub struct ColumnIndex<'a> {
        /// Whether the page holds nulls only, and so has no bounds.
        1: required null_pages: Vec<bool>,
        /// Lower bounds, plain-encoded, byte arrays without their length.
        2: required min_values: Vec<Cow<'a, [u8]>>,
        /// Upper bounds, plain-encoded, byte arrays without their length.
        3: required max_values: Vec<Cow<'a, [u8]>>,
        /// Whether both lists of bounds are sorted, null pages left out.
        4: required boundary_order: BoundaryOrder,
        /// Numbers of nulls.
        5: optional null_counts: Vec<i64>,
        /// The histograms of repetition levels of all pages, one after another.
        6: optional repetition_level_histograms: Vec<i64>,
        /// The histograms of definition levels of all pages, one after another.
        7: optional definition_level_histograms: Vec<i64>,
        /// Numbers of NaN values.
        8: optional nan_counts: Vec<i64>,
    }
}
