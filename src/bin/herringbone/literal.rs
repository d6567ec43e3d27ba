//! Values as people write them, by the type of a column.

use herringbone::format::PhysicalType;
use herringbone::metadata::Value;
use herringbone::schema::{Leaf, LogicalType, TimeUnit};

/// The plain encoding of a value, byte arrays without their length, as bloom filters and statistics have it.
pub fn parse(text: &str, leaf: &Leaf) -> Result<Vec<u8>, String> {
    let value = value(text, leaf).ok_or_else(|| {
        let logical = leaf.logical_type.as_ref().map(|logical| format!(" ({logical})")).unwrap_or_default();
        format!("{text:?} is no value of the column {:?}, which is {}{logical}", leaf.path.dotted(), leaf.physical_type)
    })?;
    Ok(value.to_plain().into_owned())
}

fn value(text: &str, leaf: &Leaf) -> Option<Value<'static>> {
    match leaf.physical_type {
        PhysicalType::Boolean => text.parse().ok().map(Value::Boolean),
        PhysicalType::Int32 => match leaf.logical_type {
            Some(LogicalType::Integer { signed: false, .. }) => text.parse::<u32>().ok().map(|value| Value::Int32(value.cast_signed())),
            _ => i32::try_from(integer(text, leaf.logical_type.as_ref())?).ok().map(Value::Int32),
        },
        PhysicalType::Int64 => match leaf.logical_type {
            Some(LogicalType::Integer { signed: false, .. }) => text.parse::<u64>().ok().map(|value| Value::Int64(value.cast_signed())),
            _ => i64::try_from(integer(text, leaf.logical_type.as_ref())?).ok().map(Value::Int64),
        },
        PhysicalType::Int96 => int96(text),
        PhysicalType::Float => text.parse().ok().map(Value::Float),
        PhysicalType::Double => text.parse().ok().map(Value::Double),
        PhysicalType::ByteArray => bytes(text, leaf, None).map(|bytes| Value::ByteArray(bytes.into())),
        PhysicalType::FixedLenByteArray => {
            let bytes = bytes(text, leaf, Some(leaf.type_length))?;
            (bytes.len() == leaf.type_length).then(|| Value::FixedLenByteArray(bytes.into()))
        }
        PhysicalType::Unknown(_) => None,
    }
}

/// Numbers, decimals, dates, times and timestamps, as the integers that stand for them.
fn integer(text: &str, logical: Option<&LogicalType>) -> Option<i128> {
    match logical {
        Some(LogicalType::Decimal { scale, .. }) => decimal(text, *scale),
        Some(LogicalType::Date) => date(text).map(i128::from),
        Some(LogicalType::Time { unit, .. }) => in_unit(clock(text)?, *unit),
        Some(LogicalType::Timestamp { utc, unit }) => in_unit(timestamp(text, *utc)?, *unit),
        _ => text.parse().ok(),
    }
}

/// The number times 10^scale, when that is an integer.
fn decimal(text: &str, scale: u32) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = fraction.trim_end_matches('0');
    let missing = usize::try_from(scale).ok()?.checked_sub(kept.len())?;
    let all = format!("{whole}{kept}{}", "0".repeat(missing.min(40)));
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let number: i128 = all.parse().ok()?;
    Some(if negative { -number } else { number })
}

/// Days since 1970-01-01.
fn date(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = rest.split('-');
    let (year, month, day) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    let year = year.checked_mul(sign)?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    if parts.next().is_some() || !(1..=length).contains(&day) || year.abs() > 10_000_000 {
        return None;
    }
    // Years begin in March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let days = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + days - 719_468)
}

/// Nanoseconds since midnight.
fn clock(text: &str) -> Option<i128> {
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = text.split(':');
    let (hours, minutes) = (number(parts.next()?)?, number(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() || hours > 24 || minutes > 59 || seconds > 60 || fraction.len() > 9 {
        return None;
    }
    let nanoseconds = if fraction.is_empty() { 0 } else { number(&format!("{fraction:0<9}"))? };
    Some(i128::from(hours * 3600 + minutes * 60 + seconds) * 1_000_000_000 + i128::from(nanoseconds))
}

/// Nanoseconds since 1970-01-01T00:00:00: a date, and a time of day behind a `T` or a space; instants may end in `Z`.
fn timestamp(text: &str, utc: bool) -> Option<i128> {
    let text = if utc { text.strip_suffix('Z').unwrap_or(text) } else { text };
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    Some(i128::from(date(day)?) * 86_400_000_000_000 + clock(time)?)
}

/// What is so many nanoseconds, when it is a whole number of units.
fn in_unit(nanoseconds: i128, unit: TimeUnit) -> Option<i128> {
    let each = match unit {
        TimeUnit::Millis => 1_000_000,
        TimeUnit::Micros => 1_000,
        TimeUnit::Nanos => 1,
    };
    (nanoseconds % each == 0).then_some(nanoseconds / each)
}

fn int96(text: &str) -> Option<Value<'static>> {
    const DAY: i128 = 86_400_000_000_000;
    let nanoseconds = timestamp(text, true)?;
    let day = i32::try_from(nanoseconds.div_euclid(DAY) + 2_440_588).ok()?;
    let in_day = i64::try_from(nanoseconds.rem_euclid(DAY)).ok()?;
    let mut bytes = [0; 12];
    let (first, last) = bytes.split_at_mut(8);
    first.copy_from_slice(&in_day.to_le_bytes());
    last.copy_from_slice(&day.to_le_bytes());
    Some(Value::Int96(bytes))
}

fn bytes(text: &str, leaf: &Leaf, width: Option<usize>) -> Option<Vec<u8>> {
    match &leaf.logical_type {
        Some(LogicalType::Decimal { scale, .. }) => big_endian(decimal(text, *scale)?, width),
        Some(LogicalType::Uuid) => hexadecimal(&text.replace('-', "")),
        Some(LogicalType::Float16) => half(text.parse().ok()?).map(|bits| bits.to_le_bytes().to_vec()),
        Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) => Some(text.as_bytes().to_vec()),
        _ => match text.strip_prefix("0x") {
            Some(digits) => hexadecimal(digits),
            None => Some(text.as_bytes().to_vec()),
        },
    }
}

/// A big-endian two's complement integer, of the width or as short as can be.
fn big_endian(number: i128, width: Option<usize>) -> Option<Vec<u8>> {
    let bytes = number.to_be_bytes();
    let filler = if number < 0 { 0xff } else { 0 };
    let needed = (1..=16).find(|length| {
        let (rest, kept) = bytes.split_at(16 - length);
        rest.iter().all(|byte| *byte == filler) && kept.first().is_some_and(|first| (*first >= 0x80) == (number < 0))
    })?;
    let width = width.unwrap_or(needed);
    if width < needed {
        return None;
    }
    let padding = std::iter::repeat_n(filler, width.saturating_sub(16));
    Some(padding.chain(bytes.into_iter().skip(16_usize.saturating_sub(width))).collect())
}

/// A number that half precision has exactly.
fn half(number: f32) -> Option<u16> {
    let of = |bits: u16| Value::FixedLenByteArray(bits.to_le_bytes().to_vec().into()).display(Some(&LogicalType::Float16)).to_string();
    (0..=u16::MAX).find(|bits| of(*bits).parse::<f32>().is_ok_and(|value| value.to_bits() == number.to_bits()))
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

/// Digits and nothing else.
fn number(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use herringbone::schema::Schema;

    use super::*;

    fn leaf(column: &str) -> Leaf {
        let schema: Schema = format!("message m {{ required {column}; }}").parse().unwrap();
        schema.leaves()[0].clone()
    }

    #[test]
    fn values_print_as_they_were_written() {
        for (column, text) in [
            ("boolean c", "true"),
            ("int32 c", "-7"),
            ("int32 c (INTEGER(32,false))", "4294967295"),
            ("int64 c (INTEGER(64,false))", "18446744073709551615"),
            ("int32 c (DATE)", "2024-02-29"),
            ("int32 c (DATE)", "-0001-12-31"),
            ("int32 c (DECIMAL(9,2))", "-123.45"),
            ("int64 c (DECIMAL(18,0))", "123456789012345678"),
            ("int64 c (TIMESTAMP(MICROS,true))", "1969-12-31T23:59:59.999999Z"),
            ("int64 c (TIMESTAMP(MILLIS,false))", "2009-02-13T23:31:30.123"),
            ("int32 c (TIME(MILLIS,true))", "23:59:59.999"),
            ("int64 c", "-9223372036854775808"),
            ("int96 c", "1970-01-02T23:59:59.000000001"),
            ("float c", "1.5"),
            ("double c", "-0.25"),
            ("binary c (STRING)", "grüße"),
            ("binary c (DECIMAL(30,3))", "-123456789012345678901.5"),
            ("fixed_len_byte_array(20) c (DECIMAL(38,1))", "-0.1"),
            ("binary c", "0x00ff"),
            ("binary c", "text"),
            ("fixed_len_byte_array(16) c (UUID)", "30313233-3435-3637-3839-616263646566"),
            ("fixed_len_byte_array(2) c (FLOAT16)", "1.5"),
        ] {
            let leaf = leaf(column);
            let plain = parse(text, &leaf).unwrap();
            let value = Value::from_plain(leaf.physical_type, &plain).unwrap();
            let printed = value.display(leaf.logical_type.as_ref()).to_string();
            assert_eq!(printed.trim_end_matches('0'), text.trim_end_matches('0'), "{column}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (column, text) in [
            ("boolean c", "1"),
            ("int32 c", "2147483648"),
            ("int32 c (DATE)", "2023-02-29"),
            ("int32 c (DATE)", "2023-13-01"),
            ("int32 c (DECIMAL(9,2))", "1.234"),
            ("int32 c (DECIMAL(9,2))", "."),
            ("int64 c (TIMESTAMP(MILLIS,true))", "2024-01-01T00:00:00.0001"),
            ("int64 c (TIMESTAMP(MILLIS,true))", "2024-01-01T25:00"),
            ("fixed_len_byte_array(3) c", "0x00ff"),
            ("binary c", "0x0"),
            ("fixed_len_byte_array(2) c (FLOAT16)", "0.1"),
            ("fixed_len_byte_array(1) c (DECIMAL(2,0))", "128"),
        ] {
            let error = parse(text, &leaf(column)).unwrap_err();
            assert!(error.contains("no value of the column"), "{error}");
        }
    }
}
