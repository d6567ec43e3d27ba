//! The footer: the file and its row groups.

use std::borrow::Cow;

use crate::format::{ColumnChunk, EncryptionAlgorithm, KeyValue, SchemaElement};
use crate::thrift::{thrift_struct, thrift_union};

thrift_struct! {
    /// How the rows of a row group are sorted by one column (`SortingColumn`).
    pub struct SortingColumn {
        /// The leaf column's index in the row group.
        1: required column_idx: i32,
        /// Whether the greatest value comes first.
        2: required descending: bool,
        /// Whether nulls come before all values.
        3: required nulls_first: bool,
    }
}

thrift_struct! {
    /// A row group (`RowGroup`).
    pub struct RowGroup<'a> {
        /// One column chunk for each leaf of the schema, in the schema's order.
        1: required columns: Vec<ColumnChunk<'a>>,
        /// Bytes of all column chunks before compression.
        2: required total_byte_size: i64,
        /// Number of rows.
        3: required num_rows: i64,
        /// How the rows are sorted: by the first of these, then by the next.
        4: optional sorting_columns: Vec<SortingColumn>,
        /// Offset of the row group's first page in the file.
        5: optional file_offset: i64,
        /// Bytes of all column chunks in the file.
        6: optional total_compressed_size: i64,
        /// The row group's index in the file.
        7: optional ordinal: i16,
    }
}

thrift_union! {
    /// The order that the bounds of a column obey (`ColumnOrder`).
    pub enum ColumnOrder {
        /// The order of the logical type or, without one, of the physical type.
        1: TypeOrder,
        /// The total order of IEEE 754-2008, section 5.10; for floating-point columns.
        2: Ieee754TotalOrder,
        /// Chronological; for INT96 columns.
        3: Int96TimestampOrder,
    }
}

thrift_struct! {
    /// The footer (`FileMetaData`).
    pub struct FileMetaData<'a> {
        /// Version of the format, 1 or 2; readers make no difference.
        1: required version: i32,
        /// The schema's tree, depth first, the root at the start.
        2: required schema: Vec<SchemaElement<'a>>,
        /// Number of rows.
        3: required num_rows: i64,
        /// The row groups, in the order of their rows.
        4: required row_groups: Vec<RowGroup<'a>>,
        /// Application metadata.
        5: optional key_value_metadata: Vec<KeyValue<'a>>,
        /// The application that wrote the file.
        6: optional created_by: Cow<'a, str>,
        /// For each leaf column the order of its bounds.
        7: optional column_orders: Vec<ColumnOrder>,
        /// The algorithm of an encrypted file whose footer is not encrypted.
        8: optional encryption_algorithm: EncryptionAlgorithm<'a>,
        /// What a key management system needs to find the key that a footer in plain text is signed with.
        9: optional footer_signing_key_metadata: Cow<'a, [u8]>,
    }
}
