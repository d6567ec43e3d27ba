//! Single values.

use std::fmt::{Debug, Display};
use std::io::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};

use super::{Style, Write, json_string, time};

/// What writes the values of a scalar type; none for other types.
pub fn writer(array: &ArrayRef, field: &Field, style: Style) -> Option<Write> {
    Some(match array.data_type() {
        DataType::Null => Box::new(|_, _| {}),
        DataType::Boolean => {
            let array = array.as_boolean().clone();
            Box::new(move |row, out| out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }))
        }
        DataType::Int8 => number::<Int8Type>(array),
        DataType::Int16 => number::<Int16Type>(array),
        DataType::Int32 => number::<Int32Type>(array),
        DataType::Int64 => number::<Int64Type>(array),
        DataType::UInt8 => number::<UInt8Type>(array),
        DataType::UInt16 => number::<UInt16Type>(array),
        DataType::UInt32 => number::<UInt32Type>(array),
        DataType::UInt64 => number::<UInt64Type>(array),
        DataType::Float16 => primitive::<Float16Type>(array, move |value, out| float(value.to_f32(), style, out)),
        DataType::Float32 => primitive::<Float32Type>(array, move |value, out| float(value, style, out)),
        DataType::Float64 => primitive::<Float64Type>(array, move |value, out| float(value, style, out)),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(array, *scale),
        DataType::Decimal256(_, scale) => decimals::<Decimal256Type>(array, *scale),
        DataType::Utf8 => {
            let array = array.as_string::<i32>().clone();
            text(style, move |row, write| write(array.value(row)))
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>().clone();
            text(style, move |row, write| write(array.value(row)))
        }
        DataType::Utf8View => {
            let array = array.as_string_view().clone();
            text(style, move |row, write| write(array.value(row)))
        }
        DataType::Binary => {
            let array = array.as_binary::<i32>().clone();
            quoted(style, move |row, out| hexadecimal(array.value(row), out))
        }
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>().clone();
            quoted(style, move |row, out| hexadecimal(array.value(row), out))
        }
        DataType::BinaryView => {
            let array = array.as_binary_view().clone();
            quoted(style, move |row, out| hexadecimal(array.value(row), out))
        }
        DataType::FixedSizeBinary(width) => {
            let array = array.as_fixed_size_binary().clone();
            let is_uuid = *width == 16 && field.extension_type_name() == Some("arrow.uuid");
            let bytes = if is_uuid { uuid } else { hexadecimal };
            quoted(style, move |row, out| bytes(array.value(row), out))
        }
        _ => return temporal(array, style),
    })
}

/// Dates, times, timestamps, durations and intervals.
fn temporal(array: &ArrayRef, style: Style) -> Option<Write> {
    fn of<T: ArrowPrimitiveType>(array: &ArrayRef, style: Style, write: impl Fn(T::Native, &mut Vec<u8>) + 'static) -> Write {
        let array = array.as_primitive::<T>().clone();
        quoted(style, move |row, out| write(array.value(row), out))
    }
    Some(match array.data_type() {
        DataType::Date32 => of::<Date32Type>(array, style, |days, out| time::date(days.into(), out)),
        DataType::Date64 => of::<Date64Type>(array, style, time::date_of_milliseconds),
        DataType::Time32(TimeUnit::Second) => of::<Time32SecondType>(array, style, |t, out| time::of_day(t.into(), TimeUnit::Second, out)),
        DataType::Time32(_) => of::<Time32MillisecondType>(array, style, |t, out| time::of_day(t.into(), TimeUnit::Millisecond, out)),
        DataType::Time64(TimeUnit::Microsecond) => {
            of::<Time64MicrosecondType>(array, style, |t, out| time::of_day(t, TimeUnit::Microsecond, out))
        }
        DataType::Time64(_) => of::<Time64NanosecondType>(array, style, |t, out| time::of_day(t, TimeUnit::Nanosecond, out)),
        DataType::Timestamp(unit, zone) => {
            let (unit, instant) = (*unit, zone.is_some());
            let write = move |t: i64, out: &mut Vec<u8>| time::timestamp(t, unit, instant, out);
            match unit {
                TimeUnit::Second => of::<TimestampSecondType>(array, style, write),
                TimeUnit::Millisecond => of::<TimestampMillisecondType>(array, style, write),
                TimeUnit::Microsecond => of::<TimestampMicrosecondType>(array, style, write),
                TimeUnit::Nanosecond => of::<TimestampNanosecondType>(array, style, write),
            }
        }
        DataType::Duration(unit) => {
            let unit = *unit;
            let write = move |t: i64, out: &mut Vec<u8>| time::duration(0, 0, t, unit, out);
            match unit {
                TimeUnit::Second => of::<DurationSecondType>(array, style, write),
                TimeUnit::Millisecond => of::<DurationMillisecondType>(array, style, write),
                TimeUnit::Microsecond => of::<DurationMicrosecondType>(array, style, write),
                TimeUnit::Nanosecond => of::<DurationNanosecondType>(array, style, write),
            }
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            of::<IntervalYearMonthType>(array, style, |months, out| time::duration(months, 0, 0, TimeUnit::Second, out))
        }
        DataType::Interval(IntervalUnit::DayTime) => of::<IntervalDayTimeType>(array, style, |value, out| {
            time::duration(0, value.days, value.milliseconds.into(), TimeUnit::Millisecond, out);
        }),
        DataType::Interval(IntervalUnit::MonthDayNano) => of::<IntervalMonthDayNanoType>(array, style, |value, out| {
            time::duration(value.months, value.days, value.nanoseconds, TimeUnit::Nanosecond, out);
        }),
        _ => return None,
    })
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef, write: impl Fn(T::Native, &mut Vec<u8>) + 'static) -> Write {
    let values = array.as_primitive::<T>().values().clone();
    Box::new(move |row, out| write(values[row], out))
}

fn number<T: ArrowPrimitiveType>(array: &ArrayRef) -> Write
where
    T::Native: Display,
{
    // Writing to memory does not fail, here and below.
    primitive::<T>(array, |value, out| drop(write!(out, "{value}")))
}

/// `Debug` is the form that gives every value its shortest digits, with an exponent where it is far from 1.
fn float<F: Copy + Debug + Into<f64>>(value: F, style: Style, out: &mut Vec<u8>) {
    match style {
        Style::Json if !value.into().is_finite() => out.extend_from_slice(b"null"),
        _ => drop(write!(out, "{value:?}")),
    }
}

fn decimals<T: DecimalType>(array: &ArrayRef, scale: i8) -> Write
where
    T::Native: Display,
{
    primitive::<T>(array, move |value, out| decimal(&value.to_string(), scale, out))
}

/// Puts the point into an integer; a negative scale appends zeros.
fn decimal(integer: &str, scale: i8, out: &mut Vec<u8>) {
    let (sign, digits) = match integer.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", integer),
    };
    out.extend_from_slice(sign.as_bytes());
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits.as_bytes());
        if digits != "0" {
            out.extend(std::iter::repeat_n(b'0', places));
        }
        return;
    }
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
    out.push(b'.');
    out.extend(std::iter::repeat_n(b'0', places.saturating_sub(fraction.len())));
    out.extend_from_slice(fraction.as_bytes());
}

/// Text: `get` hands the value to the function that it is given.
fn text(style: Style, get: impl Fn(usize, &mut dyn FnMut(&str)) + 'static) -> Write {
    match style {
        Style::Json => Box::new(move |row, out| get(row, &mut |text| json_string(text, out))),
        Style::Text => Box::new(move |row, out| get(row, &mut |text| out.extend_from_slice(text.as_bytes()))),
    }
}

/// Values whose text needs no escapes in JSON, but quotes.
fn quoted(style: Style, write: impl Fn(usize, &mut Vec<u8>) + 'static) -> Write {
    match style {
        Style::Text => Box::new(write),
        Style::Json => Box::new(move |row, out| {
            out.push(b'"');
            write(row, out);
            out.push(b'"');
        }),
    }
}

pub fn hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

fn uuid(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    for (i, length) in [4, 2, 2, 2, 6].into_iter().enumerate() {
        if i > 0 {
            out.push(b'-');
        }
        let (part, after) = rest.split_at(length.min(rest.len()));
        hexadecimal(part, out);
        rest = after;
    }
}
