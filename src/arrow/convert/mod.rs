//! Decoded values as Arrow arrays.

use crate::arrow::types::Overflow;

/// How values become an array of the value type that the Arrow field names; chosen once for each column.
///
/// Where that type is a dictionary or run-end encoded, this is about the values inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// The bits are what Arrow wants: words of the type's own width, booleans.
    Same,
    /// The low 8, 16 or 32 bits of wider words.
    Truncate,
    /// Signed words of 32 bits become words of 64 bits, times a factor.
    Scale(i64),
    /// Text, checked to be UTF-8.
    Text,
    /// Bytes as they are.
    Bytes,
    /// Numbers, in words or as big-endian bytes, become decimals of the type's width.
    Decimal,
    /// Two bytes, little-endian, become half precision numbers.
    Float16,
    /// Nanoseconds of a day and a Julian day become a timestamp.
    Int96(Overflow),
    /// Months, days and milliseconds become an interval of the type's form.
    Interval,
    /// The column has no values, only nulls.
    Null,
}
