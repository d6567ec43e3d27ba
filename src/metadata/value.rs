//! Single values: bounds in typed form, and how they print.

use std::borrow::Cow;
use std::fmt;

use crate::format::PhysicalType;
use crate::metadata::order::half_to_f32;
use crate::schema::{LogicalType, TimeUnit};

/// A value of a column by its physical type.
///
/// It prints by its physical type; [`display`](Value::display) prints it as its logical type means it.
///
/// ```
/// use herringbone::metadata::Value;
/// use herringbone::schema::LogicalType;
/// let value = Value::Int32(-12_345);
/// assert_eq!(value.to_string(), "-12345");
/// assert_eq!(value.display(Some(&LogicalType::Decimal { precision: 9, scale: 2 })).to_string(), "-123.45");
/// assert_eq!(value.display(Some(&LogicalType::Date)).to_string(), "1936-03-15");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A `BOOLEAN`.
    Boolean(bool),
    /// An `INT32`.
    Int32(i32),
    /// An `INT64`.
    Int64(i64),
    /// An `INT96`: nanoseconds in the day (8 bytes, little-endian) and the Julian day (4 bytes, little-endian).
    Int96([u8; 12]),
    /// A `FLOAT`.
    Float(f32),
    /// A `DOUBLE`.
    Double(f64),
    /// A `BYTE_ARRAY`.
    ByteArray(Cow<'a, [u8]>),
    /// A `FIXED_LEN_BYTE_ARRAY`.
    FixedLenByteArray(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// The value with this PLAIN encoding, byte arrays without their length; `None` if the length does not fit the type
    /// or the type is not known.
    pub fn from_plain(physical_type: PhysicalType, plain: &'a [u8]) -> Option<Self> {
        Some(match physical_type {
            PhysicalType::Boolean => match plain {
                [0] => Value::Boolean(false),
                [1] => Value::Boolean(true),
                _ => return None,
            },
            PhysicalType::Int32 => Value::Int32(i32::from_le_bytes(plain.try_into().ok()?)),
            PhysicalType::Int64 => Value::Int64(i64::from_le_bytes(plain.try_into().ok()?)),
            PhysicalType::Int96 => Value::Int96(plain.try_into().ok()?),
            PhysicalType::Float => Value::Float(f32::from_le_bytes(plain.try_into().ok()?)),
            PhysicalType::Double => Value::Double(f64::from_le_bytes(plain.try_into().ok()?)),
            PhysicalType::ByteArray => Value::ByteArray(plain.into()),
            PhysicalType::FixedLenByteArray => Value::FixedLenByteArray(plain.into()),
            PhysicalType::Unknown(_) => return None,
        })
    }

    /// Its PLAIN encoding, byte arrays without their length.
    pub fn to_plain(&self) -> Cow<'_, [u8]> {
        match self {
            Value::Boolean(value) => vec![u8::from(*value)].into(),
            Value::Int32(value) => value.to_le_bytes().to_vec().into(),
            Value::Int64(value) => value.to_le_bytes().to_vec().into(),
            Value::Int96(value) => value[..].into(),
            Value::Float(value) => value.to_le_bytes().to_vec().into(),
            Value::Double(value) => value.to_le_bytes().to_vec().into(),
            Value::ByteArray(value) | Value::FixedLenByteArray(value) => value[..].into(),
        }
    }

    /// Its physical type.
    pub fn physical_type(&self) -> PhysicalType {
        match self {
            Value::Boolean(_) => PhysicalType::Boolean,
            Value::Int32(_) => PhysicalType::Int32,
            Value::Int64(_) => PhysicalType::Int64,
            Value::Int96(_) => PhysicalType::Int96,
            Value::Float(_) => PhysicalType::Float,
            Value::Double(_) => PhysicalType::Double,
            Value::ByteArray(_) => PhysicalType::ByteArray,
            Value::FixedLenByteArray(_) => PhysicalType::FixedLenByteArray,
        }
    }

    /// The same value, independent of the bytes that it was read from.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Boolean(value) => Value::Boolean(value),
            Value::Int32(value) => Value::Int32(value),
            Value::Int64(value) => Value::Int64(value),
            Value::Int96(value) => Value::Int96(value),
            Value::Float(value) => Value::Float(value),
            Value::Double(value) => Value::Double(value),
            Value::ByteArray(value) => Value::ByteArray(value.into_owned().into()),
            Value::FixedLenByteArray(value) => Value::FixedLenByteArray(value.into_owned().into()),
        }
    }

    /// What prints the value as `logical_type` means it: decimals with their point, dates and times by ISO 8601, text as
    /// text; bytes that are no text as hexadecimal digits.
    pub fn display<'v>(&'v self, logical_type: Option<&'v LogicalType>) -> impl fmt::Display + 'v {
        Displayed { value: self, logical_type }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display(None).fmt(f)
    }
}

struct Displayed<'v> {
    value: &'v Value<'v>,
    logical_type: Option<&'v LogicalType>,
}

impl fmt::Display for Displayed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Value::Boolean(value) => f.pad(&value.to_string()),
            Value::Int32(value) => f.pad(&integer((*value).into(), u64::from(value.cast_unsigned()), self.logical_type)),
            Value::Int64(value) => f.pad(&integer(*value, value.cast_unsigned(), self.logical_type)),
            Value::Int96(value) => f.pad(&int96(value)),
            Value::Float(value) => f.pad(&format!("{value:?}")),
            Value::Double(value) => f.pad(&format!("{value:?}")),
            Value::ByteArray(value) | Value::FixedLenByteArray(value) => f.pad(&bytes(value, self.logical_type)),
        }
    }
}

fn integer(value: i64, unsigned: u64, logical_type: Option<&LogicalType>) -> String {
    match logical_type {
        Some(LogicalType::Integer { signed: false, .. }) => unsigned.to_string(),
        Some(LogicalType::Decimal { scale, .. }) => decimal(value < 0, value.unsigned_abs().to_string(), *scale),
        Some(LogicalType::Date) => date(value),
        Some(LogicalType::Time { unit, .. }) => {
            let (per_second, digits) = parts_of_second(*unit);
            clock(value.div_euclid(per_second), value.rem_euclid(per_second), digits)
        }
        Some(LogicalType::Timestamp { utc, unit }) => {
            let (per_second, digits) = parts_of_second(*unit);
            timestamp(value.div_euclid(per_second), value.rem_euclid(per_second), digits, *utc)
        }
        _ => value.to_string(),
    }
}

/// How many units a second has, and how many digits that is.
fn parts_of_second(unit: TimeUnit) -> (i64, usize) {
    match unit {
        TimeUnit::Millis => (1_000, 3),
        TimeUnit::Micros => (1_000_000, 6),
        TimeUnit::Nanos => (1_000_000_000, 9),
    }
}

fn timestamp(seconds: i64, parts: i64, digits: usize, utc: bool) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!("{}T{}{}", date(day), clock(second, parts, digits), if utc { "Z" } else { "" })
}

/// A time of day; what is no time of day prints as the hours that it would be.
fn clock(seconds: i64, parts: i64, digits: usize) -> String {
    let (minutes, second) = (seconds.div_euclid(60), seconds.rem_euclid(60));
    format!("{:02}:{:02}:{second:02}.{parts:0digits$}", minutes.div_euclid(60), minutes.rem_euclid(60))
}

/// The date so many days after 1970-01-01, in the proleptic Gregorian calendar; years outside 0 to 9999 have a sign.
#[allow(clippy::arithmetic_side_effects, reason = "in 128 bits nothing overflows")]
pub(crate) fn date(days: i64) -> String {
    // Years begin in March, so that the leap day is the last one: 400 of them are an era, and no day has an exception.
    let days = i128::from(days) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    match year {
        0..=9999 => format!("{year:04}-{month:02}-{day_of_month:02}"),
        _ => format!("{year:+05}-{month:02}-{day_of_month:02}"),
    }
}

/// The timestamp that an INT96 stands for.
fn int96(value: &[u8; 12]) -> String {
    let [n0, n1, n2, n3, n4, n5, n6, n7, day @ ..] = *value;
    let nanoseconds = i64::from_le_bytes([n0, n1, n2, n3, n4, n5, n6, n7]);
    // Day 2,440,588 began at noon of 1970-01-01, and writers count it from midnight.
    let days = i64::from(i32::from_le_bytes(day)).saturating_sub(2_440_588);
    let seconds = days.saturating_mul(86_400).saturating_add(nanoseconds.div_euclid(1_000_000_000));
    timestamp(seconds, nanoseconds.rem_euclid(1_000_000_000), 9, false)
}

fn bytes(value: &[u8], logical_type: Option<&LogicalType>) -> String {
    match (logical_type, value) {
        (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _) => String::from_utf8_lossy(value).into_owned(),
        (Some(LogicalType::Decimal { scale, .. }), [_, ..]) if value.len() <= LONGEST_DECIMAL => {
            let (negative, digits) = digits_of_big_endian(value);
            decimal(negative, digits, *scale)
        }
        (Some(LogicalType::Uuid), [_, ..]) if value.len() == 16 => uuid(value),
        (Some(LogicalType::Float16), &[low, high]) => format!("{:?}", half_to_f32(u16::from_le_bytes([low, high]))),
        (Some(LogicalType::Interval), &[m0, m1, m2, m3, d0, d1, d2, d3, t0, t1, t2, t3]) => {
            let [months, days, milliseconds] = [[m0, m1, m2, m3], [d0, d1, d2, d3], [t0, t1, t2, t3]].map(u32::from_le_bytes);
            format!("{months} months {days} days {milliseconds} ms")
        }
        (None, _) => match std::str::from_utf8(value) {
            Ok(text) if !text.contains(char::is_control) => text.to_owned(),
            _ => hexadecimal(value),
        },
        _ => hexadecimal(value),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::from("0x");
    bytes.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
    text
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// Puts the point before the last `scale` digits.
fn decimal(negative: bool, digits: String, scale: u32) -> String {
    let scale = scale as usize;
    let sign = if negative { "-" } else { "" };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    // A scale that no decimal has is not worth its zeros.
    if scale > LONGEST_DECIMAL.saturating_mul(3) {
        return format!("{sign}{digits}e-{scale}");
    }
    let padded = format!("{digits:0>width$}", width = scale.saturating_add(1));
    let (whole, fraction) = padded.split_at_checked(padded.len().saturating_sub(scale)).unwrap_or((&padded, ""));
    format!("{sign}{whole}.{fraction}")
}

/// Bytes of the longest decimal that is printed as one; the conversion takes quadratic time.
const LONGEST_DECIMAL: usize = 256;

/// Sign and decimal digits of a big-endian two's complement integer.
fn digits_of_big_endian(bytes: &[u8]) -> (bool, String) {
    const CHUNK: u64 = 1_000_000_000;
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    // The magnitude always has room: that of the least number is its own bytes, read as unsigned.
    let mut magnitude: Vec<u8> = bytes.iter().map(|byte| if negative { !byte } else { *byte }).collect();
    if negative {
        for byte in magnitude.iter_mut().rev() {
            let (sum, carry) = byte.overflowing_add(1);
            *byte = sum;
            if !carry {
                break;
            }
        }
    }
    let mut chunks = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) {
        let mut remainder = 0_u64;
        for byte in &mut magnitude {
            let value = (remainder << 8) | u64::from(*byte);
            *byte = (value / CHUNK) as u8;
            remainder = value % CHUNK;
        }
        chunks.push(remainder);
    }
    let mut digits = chunks.pop().unwrap_or(0).to_string();
    chunks.iter().rev().for_each(|chunk| digits.push_str(&format!("{chunk:09}")));
    (negative, digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(value: Value<'_>, logical_type: LogicalType) -> String {
        value.display(Some(&logical_type)).to_string()
    }

    #[test]
    fn prints_dates_and_times() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "+10000-01-01"),
            (i32::MAX, "+5881580-07-11"),
        ] {
            assert_eq!(shown(Value::Int32(days), LogicalType::Date), text);
        }
        let at = |utc, unit| LogicalType::Timestamp { utc, unit };
        assert_eq!(shown(Value::Int64(1_234_567_890_123), at(true, TimeUnit::Millis)), "2009-02-13T23:31:30.123Z");
        assert_eq!(shown(Value::Int64(-1), at(false, TimeUnit::Micros)), "1969-12-31T23:59:59.999999");
        assert_eq!(shown(Value::Int64(i64::MIN), at(false, TimeUnit::Nanos)), "1677-09-21T00:12:43.145224192");
        assert_eq!(shown(Value::Int64(i64::MAX), at(false, TimeUnit::Millis)), "+292278994-08-17T07:12:55.807");
        let time = LogicalType::Time { utc: true, unit: TimeUnit::Millis };
        assert_eq!(shown(Value::Int32(86_399_999), time), "23:59:59.999");
        let day = [&86_399_000_000_001_i64.to_le_bytes()[..], &2_440_589_i32.to_le_bytes()].concat();
        assert_eq!(Value::from_plain(PhysicalType::Int96, &day).unwrap().to_string(), "1970-01-02T23:59:59.000000001");
    }

    #[test]
    fn every_day_of_400_years_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..146_097 * 2 {
            assert_eq!(date(days), format!("{year:04}-{month:02}-{day:02}"));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
            day += 1;
            if day > last {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }

    #[test]
    fn prints_decimals() {
        let of = |scale| LogicalType::Decimal { precision: 38, scale };
        assert_eq!(shown(Value::Int32(5), of(3)), "0.005");
        assert_eq!(shown(Value::Int64(i64::MIN), of(2)), "-92233720368547758.08");
        assert_eq!(shown(Value::Int32(0), of(0)), "0");
        assert_eq!(shown(Value::FixedLenByteArray(vec![0xff; 16].into()), of(1)), "-0.1");
        assert_eq!(shown(Value::ByteArray(vec![].into()), of(1)), "0x");
        let long = shown(Value::ByteArray([&[1][..], &[0; 200]].concat().into()), of(0));
        assert!(long.len() == 482 && long.starts_with("44462416477094044620"), "2^1600 is {long}");
        assert_eq!(shown(Value::Int32(7), of(u32::MAX)), "7e-4294967295");
    }

    proptest! {
        #[test]
        fn decimals_have_the_digits_of_their_integer(value: i128, shift in 0..128_u32) {
            let value: i128 = value >> shift;
            let logical_type = LogicalType::Decimal { precision: 38, scale: 0 };
            let fixed = Value::FixedLenByteArray(value.to_be_bytes().to_vec().into());
            prop_assert_eq!(shown(fixed, logical_type), value.to_string());
        }

        #[test]
        fn any_value_prints(bytes: Vec<u8>, long: i64) {
            let units = [TimeUnit::Millis, TimeUnit::Micros, TimeUnit::Nanos];
            let mut types = vec![LogicalType::String, LogicalType::Uuid, LogicalType::Interval, LogicalType::Float16, LogicalType::Date];
            types.extend(units.map(|unit| LogicalType::Timestamp { utc: true, unit }));
            types.extend(units.map(|unit| LogicalType::Time { utc: true, unit }));
            types.push(LogicalType::Decimal { precision: 9, scale: 5 });
            for logical_type in &types {
                let values = [Value::ByteArray(bytes[..].into()), Value::Int64(long), Value::Int32(long as i32)];
                for value in values {
                    prop_assert!(!value.display(Some(logical_type)).to_string().is_empty() || bytes.is_empty());
                    let plain = value.to_plain();
                    let again = Value::from_plain(value.physical_type(), &plain);
                    prop_assert_eq!(again, Some(value.clone()));
                }
            }
        }
    }

    #[test]
    fn prints_bytes_by_their_type() {
        let bytes = |bytes: &'static [u8]| Value::ByteArray(bytes.into());
        assert_eq!(bytes(b"plain text").to_string(), "plain text");
        assert_eq!(bytes(b"\x00\xff").to_string(), "0x00ff");
        assert_eq!(bytes(b"a\nb").to_string(), "0x610a62");
        assert_eq!(shown(bytes(b"a\xff"), LogicalType::String), "a\u{fffd}");
        assert_eq!(shown(bytes(b"0123456789abcdef"), LogicalType::Uuid), "30313233-3435-3637-3839-616263646566");
        assert_eq!(shown(bytes(&[1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 0, 0]), LogicalType::Interval), "1 months 2 days 259 ms");
        assert_eq!(shown(bytes(&[0x00, 0x3e]), LogicalType::Float16), "1.5");
        assert_eq!(shown(Value::Int32(-1), LogicalType::Integer { bits: 32, signed: false }), "4294967295");
        assert_eq!(shown(Value::Int64(-1), LogicalType::Integer { bits: 64, signed: false }), "18446744073709551615");
        assert_eq!(Value::Double(1.0).to_string(), "1.0");
    }
}
