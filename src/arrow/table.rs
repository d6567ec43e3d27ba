//! The table of leaf types: an Arrow type for each Parquet type, and a Parquet type for each Arrow type.
//!
//! | Parquet | logical type | Arrow, from Parquet | Arrow, to Parquet |
//! | --- | --- | --- | --- |
//! | BOOLEAN | | Boolean | Boolean |
//! | INT32 | | Int32 | Int32 |
//! | INT32 | INTEGER(8, 16, 32; signed or not) | Int8, Int16, Int32, UInt8, UInt16, UInt32 | Int8, Int16, UInt8, UInt16, UInt32 |
//! | INT32 | DATE | Date32 | Date32, Date64 |
//! | INT32 | TIME(MILLIS) | Time32(ms) | Time32(ms), Time32(s) |
//! | INT64 | | Int64 | Int64, Duration |
//! | INT64 | INTEGER(64; signed or not) | Int64, UInt64 | UInt64 |
//! | INT64 | TIME(MICROS, NANOS) | Time64(us, ns) | Time64(us, ns) |
//! | INT64 | TIMESTAMP(unit, UTC) | Timestamp(unit, "UTC") | Timestamp(unit, any zone); seconds as MILLIS |
//! | INT64 | TIMESTAMP(unit, local) | Timestamp(unit) | Timestamp(unit); seconds as MILLIS |
//! | INT96 | | Timestamp(the caller's unit) | |
//! | FLOAT, DOUBLE | | Float32, Float64 | Float32, Float64 |
//! | INT32, INT64, BYTE_ARRAY, FIXED(n) | DECIMAL(p, s) | Decimal128(p, s); Decimal256(p, s) from 39 digits on | all decimals: INT32 up to 9 digits, INT64 up to 18, else FIXED |
//! | BYTE_ARRAY | STRING, ENUM, JSON | Utf8 | Utf8, LargeUtf8, Utf8View |
//! | BYTE_ARRAY | none, BSON, GEOMETRY, GEOGRAPHY | Binary | Binary, LargeBinary, BinaryView |
//! | FIXED(2) | FLOAT16 | Float16 | Float16 |
//! | FIXED(12) | INTERVAL | FixedSizeBinary(12) or Interval(MonthDayNano) | all intervals |
//! | FIXED(16) | UUID | FixedSizeBinary(16) | FixedSizeBinary(16) with the extension `arrow.uuid` |
//! | FIXED(n) | | FixedSizeBinary(n) | FixedSizeBinary(n) |
//! | any | UNKNOWN | Null | Null, as INT32 |
//!
//! What a stored Arrow schema makes of the third column is in [`restore`]. Logical types that are unknown, or that stand
//! on a physical type which they do not go with, count as none.

use arrow_schema::{DataType, IntervalUnit, TimeUnit as ArrowUnit};

use crate::arrow::convert::Conversion;
use crate::arrow::types::{IntervalType, MapOptions, Strings};
use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::schema::{Leaf, LogicalType, TimeUnit};

/// The most digits of a `Decimal32`, `Decimal64`, `Decimal128` and `Decimal256`.
const DIGITS: [u8; 4] = [9, 18, 38, 76];

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The Arrow type of a leaf column, and how values become it.
pub(crate) fn from_parquet(leaf: &Leaf, options: &MapOptions) -> (DataType, Conversion) {
    from_logical(leaf, options).unwrap_or_else(|| from_physical(leaf, options))
}

fn from_physical(leaf: &Leaf, options: &MapOptions) -> (DataType, Conversion) {
    match leaf.physical_type {
        PhysicalType::Boolean => (DataType::Boolean, Conversion::Same),
        PhysicalType::Int32 => (DataType::Int32, Conversion::Same),
        PhysicalType::Int64 => (DataType::Int64, Conversion::Same),
        PhysicalType::Float => (DataType::Float32, Conversion::Same),
        PhysicalType::Double => (DataType::Float64, Conversion::Same),
        PhysicalType::Int96 => (DataType::Timestamp(unit_to_arrow(options.int96_unit), None), Conversion::Int96(options.int96_overflow)),
        PhysicalType::FixedLenByteArray => match i32::try_from(leaf.type_length) {
            Ok(width) => (DataType::FixedSizeBinary(width), Conversion::Bytes),
            Err(_) => (DataType::Binary, Conversion::Bytes),
        },
        PhysicalType::ByteArray | PhysicalType::Unknown(_) => (DataType::Binary, Conversion::Bytes),
    }
}

/// `None` when the logical type says nothing about the values.
fn from_logical(leaf: &Leaf, options: &MapOptions) -> Option<(DataType, Conversion)> {
    use PhysicalType::{ByteArray, FixedLenByteArray, Int32, Int64};
    Some(match (leaf.logical_type.as_ref()?, leaf.physical_type) {
        (LogicalType::Unknown, _) => (DataType::Null, Conversion::Null),
        (LogicalType::String | LogicalType::Enum | LogicalType::Json, ByteArray) => (DataType::Utf8, Conversion::Text),
        (LogicalType::Integer { bits, signed }, Int32) => match (bits, signed) {
            (8, true) => (DataType::Int8, Conversion::Truncate),
            (16, true) => (DataType::Int16, Conversion::Truncate),
            (32, true) => (DataType::Int32, Conversion::Same),
            (8, false) => (DataType::UInt8, Conversion::Truncate),
            (16, false) => (DataType::UInt16, Conversion::Truncate),
            (32, false) => (DataType::UInt32, Conversion::Same),
            _ => return None,
        },
        (LogicalType::Integer { bits: 64, signed }, Int64) => match signed {
            true => (DataType::Int64, Conversion::Same),
            false => (DataType::UInt64, Conversion::Same),
        },
        (LogicalType::Date, Int32) => (DataType::Date32, Conversion::Same),
        (LogicalType::Time { unit: TimeUnit::Millis, .. }, Int32) => (DataType::Time32(ArrowUnit::Millisecond), Conversion::Same),
        (LogicalType::Time { unit: unit @ (TimeUnit::Micros | TimeUnit::Nanos), .. }, Int64) => {
            (DataType::Time64(unit_to_arrow(*unit)), Conversion::Same)
        }
        (LogicalType::Timestamp { utc, unit }, Int64) => {
            (DataType::Timestamp(unit_to_arrow(*unit), utc.then(|| "UTC".into())), Conversion::Same)
        }
        (LogicalType::Decimal { precision, scale }, Int32 | Int64 | ByteArray | FixedLenByteArray) => {
            (decimal(*precision, *scale)?, Conversion::Decimal)
        }
        (LogicalType::Float16, FixedLenByteArray) if leaf.type_length == 2 => (DataType::Float16, Conversion::Float16),
        (LogicalType::Interval, FixedLenByteArray) if leaf.type_length == 12 && options.intervals == IntervalType::MonthDayNano => {
            (DataType::Interval(IntervalUnit::MonthDayNano), Conversion::Interval)
        }
        _ => return None,
    })
}

/// The type of decimals; `None` when Arrow has none that wide.
fn decimal(precision: u32, scale: u32) -> Option<DataType> {
    let (digits, scale) = (u8::try_from(precision).ok()?, i8::try_from(scale).ok()?);
    match digits {
        1..=38 if u32::from(digits) >= scale.unsigned_abs().into() => Some(DataType::Decimal128(digits, scale)),
        39..=76 if u32::from(digits) >= scale.unsigned_abs().into() => Some(DataType::Decimal256(digits, scale)),
        _ => None,
    }
}

/// The type that a stored Arrow schema gives to a column instead of the one that follows from Parquet alone, where the
/// values can be of that type.
pub(crate) fn restore(leaf: &Leaf, inferred: (DataType, Conversion), stored: &DataType) -> Option<(DataType, Conversion)> {
    match stored {
        DataType::Dictionary(_, values) => {
            let (values_type, conversion) = restore_value(leaf, &inferred, values)?;
            (values_type == **values && can_be_dictionary(values)).then(|| (stored.clone(), conversion))
        }
        DataType::RunEndEncoded(_, values) => {
            let (values_type, conversion) = restore(leaf, inferred, values.data_type())?;
            (values_type == *values.data_type() && values_type != DataType::Null).then(|| (stored.clone(), conversion))
        }
        _ => restore_value(leaf, &inferred, stored),
    }
}

fn restore_value(leaf: &Leaf, (inferred, conversion): &(DataType, Conversion), stored: &DataType) -> Option<(DataType, Conversion)> {
    use DataType as T;
    let conversion = match (inferred, stored) {
        (a, b) if a == b => *conversion,
        (T::Utf8, T::LargeUtf8 | T::Utf8View) | (T::Binary, T::LargeBinary | T::BinaryView) => *conversion,
        (T::Date32, T::Date64) => Conversion::Scale(DAY),
        (T::Time32(ArrowUnit::Millisecond), T::Time32(ArrowUnit::Second)) => Conversion::Whole(1000),
        (T::Timestamp(unit, zone), T::Timestamp(stored_unit, stored_zone)) => {
            let is_instant = zone.is_some() || *conversion != Conversion::Same;
            let zone = if is_instant { stored_zone.clone().or_else(|| zone.clone()) } else { None };
            return Some(match (unit, stored_unit, *conversion) {
                (ArrowUnit::Millisecond, ArrowUnit::Second, Conversion::Same) => {
                    (T::Timestamp(ArrowUnit::Second, zone), Conversion::Whole(1000))
                }
                // Writers can be told to store another unit than the schema has: the file knows.
                (unit, _, conversion) => (T::Timestamp(*unit, zone), conversion),
            });
        }
        // What Parquet has no logical type for. Some writers also leave it out where it has one.
        (T::Int64, T::Duration(_) | T::Date64 | T::Timestamp(..) | T::Time64(_)) if leaf.logical_type.is_none() => Conversion::Same,
        (T::Int32, T::Time32(_)) if leaf.logical_type.is_none() => Conversion::Same,
        (T::Decimal128(..) | T::Decimal256(..), T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..)) => {
            let (precision, scale, _) = decimal_parts(inferred)?;
            let (stored_precision, stored_scale, most) = decimal_parts(stored)?;
            (precision == stored_precision && scale == stored_scale && precision <= most).then_some(Conversion::Decimal)?
        }
        (T::FixedSizeBinary(12) | T::Interval(_), T::Interval(_)) if leaf.logical_type == Some(LogicalType::Interval) => {
            Conversion::Interval
        }
        _ => return None,
    };
    Some((stored.clone(), conversion))
}

/// Precision and scale of a decimal type, and the most digits that it could have.
fn decimal_parts(data_type: &DataType) -> Option<(u8, i8, u8)> {
    let [most32, most64, most128, most256] = DIGITS;
    Some(match data_type {
        DataType::Decimal32(precision, scale) => (*precision, *scale, most32),
        DataType::Decimal64(precision, scale) => (*precision, *scale, most64),
        DataType::Decimal128(precision, scale) => (*precision, *scale, most128),
        DataType::Decimal256(precision, scale) => (*precision, *scale, most256),
        _ => return None,
    })
}

fn can_be_dictionary(values: &DataType) -> bool {
    !matches!(values, DataType::Null | DataType::Boolean) && !values.is_nested()
}

/// The type of text or bytes in the form that the caller wants; other types stay.
pub(crate) fn with_strings(data_type: DataType, strings: Strings) -> DataType {
    let of_values = match &data_type {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    let is_text = match of_values {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => false,
        _ => return data_type,
    };
    match (strings, is_text) {
        (Strings::Stored, _) => data_type,
        (Strings::Utf8, true) => DataType::Utf8,
        (Strings::Utf8, false) => DataType::Binary,
        (Strings::Utf8View, true) => DataType::Utf8View,
        (Strings::Utf8View, false) => DataType::BinaryView,
        (Strings::Dictionary, _) if matches!(data_type, DataType::Dictionary(..)) => data_type,
        (Strings::Dictionary, true) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        (Strings::Dictionary, false) => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Binary)),
    }
}

/// What a leaf column of an Arrow type is stored as: the physical type, the length of `FixedLenByteArray` values (else
/// 0), and the logical type.
///
/// # Errors
/// `Usage` for types that Parquet has no column for: nested types, unions, decimals of a negative scale.
pub(crate) fn to_parquet(data_type: &DataType, decimals_as_integers: bool) -> Result<(PhysicalType, u32, Option<LogicalType>)> {
    use DataType as T;
    use PhysicalType::{Boolean, ByteArray, Double, FixedLenByteArray, Float, Int32, Int64};
    let integer = |bits, signed| Some(LogicalType::Integer { bits, signed });
    Ok(match data_type {
        T::Null => (Int32, 0, Some(LogicalType::Unknown)),
        T::Boolean => (Boolean, 0, None),
        T::Int8 => (Int32, 0, integer(8, true)),
        T::Int16 => (Int32, 0, integer(16, true)),
        T::Int32 => (Int32, 0, None),
        T::Int64 | T::Duration(_) => (Int64, 0, None),
        T::UInt8 => (Int32, 0, integer(8, false)),
        T::UInt16 => (Int32, 0, integer(16, false)),
        T::UInt32 => (Int32, 0, integer(32, false)),
        T::UInt64 => (Int64, 0, integer(64, false)),
        T::Float16 => (FixedLenByteArray, 2, Some(LogicalType::Float16)),
        T::Float32 => (Float, 0, None),
        T::Float64 => (Double, 0, None),
        T::Date32 | T::Date64 => (Int32, 0, Some(LogicalType::Date)),
        T::Time32(unit) => (Int32, 0, Some(LogicalType::Time { utc: false, unit: unit_to_parquet(*unit) })),
        T::Time64(unit) => (Int64, 0, Some(LogicalType::Time { utc: false, unit: unit_to_parquet(*unit) })),
        T::Timestamp(unit, zone) => (Int64, 0, Some(LogicalType::Timestamp { utc: zone.is_some(), unit: unit_to_parquet(*unit) })),
        T::Interval(_) => (FixedLenByteArray, 12, Some(LogicalType::Interval)),
        T::Utf8 | T::LargeUtf8 | T::Utf8View => (ByteArray, 0, Some(LogicalType::String)),
        T::Binary | T::LargeBinary | T::BinaryView => (ByteArray, 0, None),
        T::FixedSizeBinary(width) => {
            let width = u32::try_from(*width).map_err(|_| Error::usage(format!("a FixedSizeBinary of {width} bytes")))?;
            (FixedLenByteArray, width, None)
        }
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => decimal_to_parquet(data_type, decimals_as_integers)?,
        other => return Err(Error::usage(format!("the Arrow type {other} cannot be stored in a Parquet column"))),
    })
}

fn decimal_to_parquet(data_type: &DataType, as_integer: bool) -> Result<(PhysicalType, u32, Option<LogicalType>)> {
    let Some((precision, scale, most)) = decimal_parts(data_type) else { return Err(Error::usage("not a decimal")) };
    let scale = u32::try_from(scale).map_err(|_| {
        Error::usage(format!("{data_type} has a negative scale, which Parquet cannot store: cast the column to a scale of 0"))
    })?;
    if precision == 0 || precision > most || scale > u32::from(precision) {
        return Err(Error::usage(format!("{data_type} is not a decimal type: digits or scale are out of bounds")));
    }
    let logical = Some(LogicalType::Decimal { precision: u32::from(precision), scale });
    Ok(match precision {
        1..=9 if as_integer => (PhysicalType::Int32, 0, logical),
        10..=18 if as_integer => (PhysicalType::Int64, 0, logical),
        _ => (PhysicalType::FixedLenByteArray, bytes_for_digits(precision), logical),
    })
}

/// The bytes that a signed number of so many digits needs: the smallest `n` with 2^(8n - 1) > 10^digits - 1.
fn bytes_for_digits(digits: u8) -> u32 {
    // log2(10) is 3.3219...; the logarithm of a power of ten is never so close to a whole number that this errs, which
    // a test holds for all 76.
    let bits = (f64::from(digits) * std::f64::consts::LOG2_10).ceil() as u32;
    bits.saturating_add(1).div_ceil(8)
}

fn unit_to_arrow(unit: TimeUnit) -> ArrowUnit {
    match unit {
        TimeUnit::Millis => ArrowUnit::Millisecond,
        TimeUnit::Micros => ArrowUnit::Microsecond,
        TimeUnit::Nanos => ArrowUnit::Nanosecond,
    }
}

/// Seconds become milliseconds: Parquet has no larger unit.
fn unit_to_parquet(unit: ArrowUnit) -> TimeUnit {
    match unit {
        ArrowUnit::Second | ArrowUnit::Millisecond => TimeUnit::Millis,
        ArrowUnit::Microsecond => TimeUnit::Micros,
        ArrowUnit::Nanosecond => TimeUnit::Nanos,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_buffer::i256;

    #[test]
    fn decimals_get_as_many_bytes_as_they_need() {
        let mut most = i256::ZERO;
        for digits in 1..=76 {
            most = most.checked_mul(i256::from_i128(10)).unwrap().checked_add(i256::from_i128(9)).unwrap();
            // The bits of the number and one for the sign.
            let bits = 257 - most.leading_zeros();
            assert_eq!(bytes_for_digits(digits), bits.div_ceil(8), "{digits} digits");
        }
    }
}
