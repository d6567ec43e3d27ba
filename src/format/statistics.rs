//! Statistics of column chunks and pages.

use std::borrow::Cow;

use crate::thrift::thrift_struct;

thrift_struct! {
    /// Statistics of a column chunk or a page (`Statistics`); bounds are plain-encoded, byte arrays without their length.
    pub struct Statistics<'a> {
        /// Deprecated maximum, by signed comparison.
        1: optional max: Cow<'a, [u8]>,
        /// Deprecated minimum, by signed comparison.
        2: optional min: Cow<'a, [u8]>,
        /// Number of nulls.
        3: optional null_count: i64,
        /// Number of different values.
        4: optional distinct_count: i64,
        /// Upper bound by the column's order.
        5: optional max_value: Cow<'a, [u8]>,
        /// Lower bound by the column's order.
        6: optional min_value: Cow<'a, [u8]>,
        /// Whether `max_value` is a value of the column.
        7: optional is_max_value_exact: bool,
        /// Whether `min_value` is a value of the column.
        8: optional is_min_value_exact: bool,
        /// Number of NaN values.
        9: optional nan_count: i64,
    }
}
