//! Constants as values of a column's type.
//!
//! Columns of numbers, dates and times compare by a key of 64 bits, so that one kernel serves them all; text, bytes, wide
//! decimals and INT96 compare as bytes in the order of their type. A constant that the type cannot hold lies between two of its
//! values, or before or behind them all: `x > 1.5` is as good a question to a column of integers as `x >= 2`.

use std::cmp::Ordering;
use std::fmt;

use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::metadata::{Order, half_to_f32};
use crate::predicate::calendar::{self, DAY};
use crate::predicate::literal::{Decimal, Literal};
use crate::predicate::set::Cut;
use crate::schema::{Leaf, LogicalType, TimeUnit};

/// What the values of a column compare by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    /// A key of 64 bits.
    Words(Words),
    /// Bytes in an order: `Bytes`, `Decimal` or `Int96`.
    Bytes(Order),
    /// All values are null.
    Nothing,
}

/// How words become keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Boolean,
    Signed32,
    Unsigned32,
    Signed64,
    Unsigned64,
    /// Half precision numbers, in the total order of IEEE 754, as the others are.
    Float16,
    Float32,
    Float64,
}

/// Where a constant lies among the values of a domain.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place<K> {
    /// Before all of them.
    First,
    /// It is one of them.
    At(K),
    /// Behind this one and before the next.
    Behind(K),
    /// Behind all of them.
    Last,
}

impl<K: Clone> Place<K> {
    /// The cuts before and behind the constant.
    pub(super) fn cuts(&self) -> (Cut<K>, Cut<K>) {
        match self {
            Place::First => (Cut::First, Cut::First),
            Place::At(key) => (Cut::Before(key.clone()), Cut::After(key.clone())),
            Place::Behind(key) => (Cut::After(key.clone()), Cut::After(key.clone())),
            Place::Last => (Cut::Last, Cut::Last),
        }
    }
}

impl Words {
    /// The key of a plain-encoded value.
    pub(super) fn key(self, plain: &[u8]) -> Option<i64> {
        Some(match self {
            Words::Boolean => i64::from(*plain.first()?),
            Words::Signed32 => i64::from(i32::from_le_bytes(plain.try_into().ok()?)),
            Words::Unsigned32 => i64::from(u32::from_le_bytes(plain.try_into().ok()?)),
            Words::Signed64 => i64::from_le_bytes(plain.try_into().ok()?),
            Words::Unsigned64 => u64::from_le_bytes(plain.try_into().ok()?).cast_signed() ^ i64::MIN,
            Words::Float16 => i64::from(total16(u16::from_le_bytes(plain.try_into().ok()?))),
            Words::Float32 => i64::from(total32(u32::from_le_bytes(plain.try_into().ok()?))),
            Words::Float64 => total64(u64::from_le_bytes(plain.try_into().ok()?)),
        })
    }

    /// The plain-encoded value of a key; `None` for keys that no value has.
    pub(super) fn plain(self, key: i64) -> Option<Vec<u8>> {
        Some(match self {
            Words::Boolean => vec![u8::try_from(key).ok()?],
            Words::Signed32 => i32::try_from(key).ok()?.to_le_bytes().to_vec(),
            Words::Unsigned32 => u32::try_from(key).ok()?.to_le_bytes().to_vec(),
            Words::Signed64 => key.to_le_bytes().to_vec(),
            Words::Unsigned64 => (key ^ i64::MIN).to_le_bytes().to_vec(),
            Words::Float16 => (total16(i16::try_from(key).ok()?.cast_unsigned()).cast_unsigned()).to_le_bytes().to_vec(),
            Words::Float32 => (total32(i32::try_from(key).ok()?.cast_unsigned()).cast_unsigned()).to_le_bytes().to_vec(),
            Words::Float64 => (total64(key.cast_unsigned()).cast_unsigned()).to_le_bytes().to_vec(),
        })
    }

    /// The least and the greatest key.
    pub(super) fn limits(self) -> (i64, i64) {
        match self {
            Words::Boolean => (0, 1),
            Words::Signed32 | Words::Float32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
            Words::Unsigned32 => (0, i64::from(u32::MAX)),
            Words::Signed64 | Words::Unsigned64 | Words::Float64 => (i64::MIN, i64::MAX),
            Words::Float16 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        }
    }

    /// The keys of negative and positive infinity, beyond which only NaN lies; `None` where there is no NaN.
    pub(super) fn infinities(self) -> Option<(i64, i64)> {
        match self {
            Words::Float16 => Some((i64::from(total16(0xfc00)), 0x7c00)),
            Words::Float32 => Some((i64::from(total32(f32::NEG_INFINITY.to_bits())), i64::from(total32(f32::INFINITY.to_bits())))),
            Words::Float64 => Some((total64(f64::NEG_INFINITY.to_bits()), total64(f64::INFINITY.to_bits()))),
            _ => None,
        }
    }

    /// Whether bounds of an order are bounds of keys.
    pub(super) fn fits(self, order: Order) -> bool {
        matches!(
            (self, order),
            (Words::Boolean, Order::Boolean)
                | (Words::Signed32, Order::Int32)
                | (Words::Unsigned32, Order::UInt32)
                | (Words::Signed64, Order::Int64)
                | (Words::Unsigned64, Order::UInt64)
                | (Words::Float16, Order::Float16 | Order::Float16Total)
                | (Words::Float32, Order::Float | Order::FloatTotal)
                | (Words::Float64, Order::Double | Order::DoubleTotal)
        )
    }

    /// A whole number among the keys.
    fn place(self, number: i128) -> Place<i64> {
        let (least, greatest) = self.limits();
        let shift = if self == Words::Unsigned64 { i128::from(i64::MIN) } else { 0 };
        match number.saturating_add(shift) {
            number if number < i128::from(least) => Place::First,
            number if number > i128::from(greatest) => Place::Last,
            number => i64::try_from(number).map_or(Place::Last, Place::At),
        }
    }
}

/// Keys that order floating-point numbers by the total order; the same function leads back.
pub(super) fn total16(bits: u16) -> i16 {
    let bits = bits.cast_signed();
    bits ^ ((bits >> 15).cast_unsigned() >> 1).cast_signed()
}

pub(super) fn total32(bits: u32) -> i32 {
    let bits = bits.cast_signed();
    bits ^ ((bits >> 31).cast_unsigned() >> 1).cast_signed()
}

pub(super) fn total64(bits: u64) -> i64 {
    let bits = bits.cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// What the values of a leaf column compare by.
///
/// # Errors
/// `Usage` for columns whose values have no order or are of an unknown type.
pub(super) fn domain(leaf: &Leaf) -> Result<Domain> {
    use PhysicalType as P;
    Ok(match (&leaf.logical_type, leaf.physical_type) {
        (Some(LogicalType::Unknown), _) => Domain::Nothing,
        (Some(LogicalType::Interval), _) => {
            return Err(Error::usage("intervals of months, days and milliseconds have no order to compare them by"));
        }
        (Some(LogicalType::Integer { signed: false, .. }), P::Int32) => Domain::Words(Words::Unsigned32),
        (Some(LogicalType::Integer { signed: false, .. }), P::Int64) => Domain::Words(Words::Unsigned64),
        (Some(LogicalType::Float16), P::FixedLenByteArray) if leaf.type_length == 2 => Domain::Words(Words::Float16),
        (Some(LogicalType::Decimal { .. }), P::ByteArray | P::FixedLenByteArray) => Domain::Bytes(Order::Decimal),
        (_, P::Boolean) => Domain::Words(Words::Boolean),
        (_, P::Int32) => Domain::Words(Words::Signed32),
        (_, P::Int64) => Domain::Words(Words::Signed64),
        (_, P::Float) => Domain::Words(Words::Float32),
        (_, P::Double) => Domain::Words(Words::Float64),
        (_, P::Int96) => Domain::Bytes(Order::Int96),
        (_, P::ByteArray | P::FixedLenByteArray) => Domain::Bytes(Order::Bytes),
        (_, P::Unknown(id)) => return Err(Error::usage(format!("values of the unknown physical type {id} cannot be compared"))),
    })
}

/// Where a constant lies among the keys of a column of words.
///
/// # Errors
/// `Usage` if the column's type has nothing to do with the constant's.
pub(super) fn word(leaf: &Leaf, words: Words, literal: &Literal) -> Result<Place<i64>> {
    let refuse = || refused(leaf, literal);
    match (&leaf.logical_type, words) {
        (Some(LogicalType::Date), _) => {
            let instant = match literal {
                Literal::Date(days) => i128::from(*days).saturating_mul(i128::from(DAY)),
                Literal::Text(text) => i128::from(calendar::parse_date(text)?).saturating_mul(i128::from(DAY)),
                Literal::Timestamp { nanoseconds, utc: false } => *nanoseconds,
                _ => return Err(refuse()),
            };
            Ok(count(words, instant, i128::from(DAY)))
        }
        (Some(LogicalType::Time { unit, .. }), _) => {
            let time = match literal {
                Literal::Time(time) => *time,
                Literal::Text(text) => calendar::parse_time(text)?,
                _ => return Err(refuse()),
            };
            Ok(count(words, i128::from(time), nanoseconds(*unit)))
        }
        (Some(LogicalType::Timestamp { utc, unit }), _) => {
            instant(leaf, literal, *utc).map(|instant| count(words, instant, nanoseconds(*unit)))
        }
        (Some(LogicalType::Decimal { scale, .. }), _) => {
            let place = number(literal, *scale).ok_or_else(refuse)?;
            Ok(narrow(words, place))
        }
        (_, Words::Boolean) => match literal {
            Literal::Boolean(value) => Ok(Place::At(i64::from(*value))),
            _ => Err(refuse()),
        },
        (_, Words::Float16 | Words::Float32 | Words::Float64) => float(words, literal).map(Place::At).ok_or_else(refuse),
        _ => Ok(narrow(words, number(literal, 0).ok_or_else(refuse)?)),
    }
}

/// Where a constant lies among the values of a column of bytes.
///
/// # Errors
/// As for [`word`].
pub(super) fn bytes(leaf: &Leaf, order: Order, literal: &Literal) -> Result<Place<Vec<u8>>> {
    let refuse = || refused(leaf, literal);
    match (order, &leaf.logical_type) {
        (Order::Decimal, Some(LogicalType::Decimal { scale, .. })) => number(literal, *scale).ok_or_else(refuse),
        (Order::Int96, _) => {
            let instant = instant(leaf, literal, true)?;
            // Days are Julian ones, counted from midnight.
            let day = instant.div_euclid(i128::from(DAY)).saturating_add(2_440_588);
            let Ok(day) = i32::try_from(day) else { return Ok(if day < 0 { Place::First } else { Place::Last }) };
            let time = i64::try_from(instant.rem_euclid(i128::from(DAY))).unwrap_or(0);
            Ok(Place::At([&time.to_le_bytes()[..], &day.to_le_bytes()].concat()))
        }
        (_, Some(LogicalType::Uuid)) => match literal {
            Literal::Bytes(bytes) => Ok(Place::At(bytes.clone())),
            Literal::Text(text) => uuid(text).map(Place::At).ok_or_else(|| Error::usage(format!("{text:?} is no UUID"))),
            _ => Err(refuse()),
        },
        _ => match literal {
            Literal::Text(text) => Ok(Place::At(text.as_bytes().to_vec())),
            Literal::Bytes(bytes) => Ok(Place::At(bytes.clone())),
            _ => Err(refuse()),
        },
    }
}

/// The prefix that values of a column of bytes are to begin with.
///
/// # Errors
/// `Usage` if the column holds neither text nor bytes.
pub(super) fn check_text(leaf: &Leaf, what: &str) -> Result<()> {
    let text = matches!(leaf.physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray)
        && !matches!(
            leaf.logical_type,
            Some(LogicalType::Decimal { .. } | LogicalType::Float16 | LogicalType::Interval | LogicalType::Uuid | LogicalType::Unknown)
        );
    if text {
        Ok(())
    } else {
        Err(Error::usage(format!("the column {} holds {}, and {what} is for text and bytes", leaf.path, Kind(leaf))))
    }
}

/// The largest scale whose numbers are compared: values of such a scale take 400 bytes, and files claim any.
const MOST_SCALE: u32 = 1000;

/// A number as an integer times 10^-`scale`, big-endian; `None` for what is no number, and for scales that no number has.
fn number(literal: &Literal, scale: u32) -> Option<Place<Vec<u8>>> {
    if scale > MOST_SCALE {
        return None;
    }
    let decimal = match literal {
        Literal::Integer(value) => Decimal::of_integer(*value),
        Literal::Decimal(value) => value.clone(),
        Literal::Float(value) => match Decimal::of_float(*value) {
            Some(decimal) => decimal,
            // NaN is the greatest number, or the least one, by its sign.
            None if value.is_nan() || value.abs() > 1.0 => return Some(if value.is_sign_negative() { Place::First } else { Place::Last }),
            None => return Some(Place::Behind(vec![if value.is_sign_negative() { 0xff } else { 0 }])),
        },
        _ => return None,
    };
    let (digits, exact) = decimal.at_scale(scale);
    let mut magnitude = magnitude(&digits);
    if decimal.is_negative() {
        // Rounded down: away from 0.
        if !exact {
            add(&mut magnitude, 1);
        }
        negate(&mut magnitude);
    }
    Some(if exact { Place::At(magnitude) } else { Place::Behind(magnitude) })
}

/// Big-endian bytes of a number of decimal digits, the first bit 0.
fn magnitude(digits: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for digit in digits.bytes() {
        let mut carry = u16::from(digit.saturating_sub(b'0'));
        for byte in bytes.iter_mut().rev() {
            // At most 255 * 10 + 255.
            let product = u16::from(*byte).saturating_mul(10).saturating_add(carry);
            (*byte, carry) = ((product & 0xff) as u8, product >> 8);
        }
        if carry > 0 {
            bytes.insert(0, carry as u8);
        }
        if bytes.first().is_some_and(|first| *first >= 0x80) {
            bytes.insert(0, 0);
        }
    }
    bytes
}

/// Adds a digit to a big-endian number whose first byte has room.
fn add(bytes: &mut Vec<u8>, digit: u8) {
    let mut carry = digit;
    for byte in bytes.iter_mut().rev() {
        let (sum, overflow) = byte.overflowing_add(carry);
        (*byte, carry) = (sum, u8::from(overflow));
    }
    if bytes.first().is_some_and(|first| *first >= 0x80) {
        bytes.insert(0, 0);
    }
}

fn negate(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte = !*byte);
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        (*byte, carry) = byte.overflowing_add(u8::from(carry));
    }
}

/// A big-endian number among keys.
fn narrow(words: Words, place: Place<Vec<u8>>) -> Place<i64> {
    let (bytes, exact) = match place {
        Place::First => return Place::First,
        Place::Last => return Place::Last,
        Place::At(bytes) => (bytes, true),
        Place::Behind(bytes) => (bytes, false),
    };
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let Some(number) = to_i128(&bytes) else { return if negative { Place::First } else { Place::Last } };
    match words.place(number) {
        Place::At(key) if !exact => Place::Behind(key),
        place => place,
    }
}

/// A big-endian number; `None` if it has more than 128 bits.
fn to_i128(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let filler = if negative { 0xff } else { 0 };
    let (above, low) = bytes.split_at_checked(bytes.len().saturating_sub(16))?;
    let mut padded = [filler; 16];
    for (to, from) in padded.iter_mut().rev().zip(low.iter().rev()) {
        *to = *from;
    }
    let number = i128::from_be_bytes(padded);
    (above.iter().all(|byte| *byte == filler) && (number < 0) == negative).then_some(number)
}

/// A float's key, rounded to the nearest number that the column can hold.
fn float(words: Words, literal: &Literal) -> Option<i64> {
    let text;
    let (wide, single) = match literal {
        Literal::Integer(value) => (*value as f64, *value as f32),
        Literal::Float(value) => (*value, *value as f32),
        Literal::Decimal(value) => {
            text = value.to_string();
            (text.parse().ok()?, text.parse().ok()?)
        }
        _ => return None,
    };
    Some(match words {
        Words::Float64 => total64(wide.to_bits()),
        Words::Float32 => i64::from(total32(single.to_bits())),
        _ => i64::from(total16(to_half(wide))),
    })
}

/// The half precision number that is nearest, of two the even one.
fn to_half(value: f64) -> u16 {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = value.abs();
    if magnitude.is_nan() {
        // The first bits of what NaN carries along; one at least is set.
        let carried = (magnitude.to_bits() >> 42 & 0x3ff) as u16;
        return sign | 0x7c00 | if carried == 0 { 0x200 } else { carried };
    }
    // Numbers of one sign order as their bits do.
    let (mut low, mut high) = (0_u16, 0x7c00_u16);
    while high.abs_diff(low) > 1 {
        let middle = low.midpoint(high);
        if f64::from(half_to_f32(middle)) <= magnitude { low = middle } else { high = middle }
    }
    let above = if high == 0x7c00 { 65_536.0 } else { f64::from(half_to_f32(high)) };
    let (down, up) = (magnitude - f64::from(half_to_f32(low)), above - magnitude);
    let nearest = match down.partial_cmp(&up) {
        Some(Ordering::Less) => low,
        Some(Ordering::Equal) if low.is_multiple_of(2) => low,
        _ => high,
    };
    sign | nearest
}

/// How many units of so many nanoseconds, rounded down.
fn count(words: Words, nanoseconds: i128, unit: i128) -> Place<i64> {
    let exact = nanoseconds.rem_euclid(unit) == 0;
    match words.place(nanoseconds.div_euclid(unit)) {
        Place::At(key) if !exact => Place::Behind(key),
        place => place,
    }
}

fn nanoseconds(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Millis => 1_000_000,
        TimeUnit::Micros => 1_000,
        TimeUnit::Nanos => 1,
    }
}

/// Nanoseconds since 1970-01-01 for a column of timestamps.
fn instant(leaf: &Leaf, literal: &Literal, column_in_utc: bool) -> Result<i128> {
    let (nanoseconds, utc) = match literal {
        Literal::Timestamp { nanoseconds, utc } => (*nanoseconds, *utc),
        Literal::Date(days) => (i128::from(*days).saturating_mul(i128::from(DAY)), false),
        Literal::Text(text) => calendar::parse_timestamp(text)?,
        _ => return Err(refused(leaf, literal)),
    };
    if utc && !column_in_utc {
        return Err(Error::usage(format!(
            "the column {} holds what clocks on the wall showed, and {literal} is a time in UTC: leave the offset out",
            leaf.path
        )));
    }
    Ok(nanoseconds)
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    if digits.len() != 32 || !digits.is_ascii() {
        return None;
    }
    (0..32).step_by(2).map(|at| digits.get(at..)?.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok())).collect()
}

#[cold]
fn refused(leaf: &Leaf, literal: &Literal) -> Error {
    let hint = match &leaf.logical_type {
        Some(LogicalType::Date) => ": write DATE '2024-02-29'",
        Some(LogicalType::Time { .. }) => ": write TIME '23:59:59'",
        Some(LogicalType::Timestamp { .. }) => ": write TIMESTAMP '2024-02-29 23:59:59'",
        _ if leaf.physical_type == PhysicalType::Int96 => ": write TIMESTAMP '2024-02-29 23:59:59'",
        _ if leaf.physical_type == PhysicalType::Boolean => ": write TRUE or FALSE",
        _ => "",
    };
    Error::usage(format!("the column {} holds {} and cannot be compared with {literal}{hint}", leaf.path, Kind(leaf)))
}

/// What a column holds, for people.
struct Kind<'a>(&'a Leaf);

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kind(leaf) = self;
        f.write_str(match (&leaf.logical_type, leaf.physical_type) {
            (Some(LogicalType::Decimal { precision, scale }), _) => {
                return write!(f, "decimals of {precision} digits, {scale} of them behind the point");
            }
            (Some(LogicalType::Date), _) => "dates",
            (Some(LogicalType::Time { .. }), _) => "times of day",
            (Some(LogicalType::Timestamp { utc: true, .. }), _) => "timestamps in UTC",
            (Some(LogicalType::Timestamp { utc: false, .. }), _) => "timestamps",
            (Some(LogicalType::Uuid), _) => "UUIDs",
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _) => "text",
            (Some(LogicalType::Interval), _) => "intervals",
            (Some(LogicalType::Unknown), _) => "nothing but nulls",
            (_, PhysicalType::Boolean) => "booleans",
            (_, PhysicalType::Int32 | PhysicalType::Int64) => "whole numbers",
            (_, PhysicalType::Int96) => "timestamps",
            (Some(LogicalType::Float16), _) | (_, PhysicalType::Float | PhysicalType::Double) => "floating-point numbers",
            (_, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray) => "bytes",
            (_, PhysicalType::Unknown(_)) => "values of an unknown type",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    fn leaf(column: &str) -> Leaf {
        let schema: Schema = format!("message m {{ required {column}; }}").parse().unwrap();
        schema.leaves()[0].clone()
    }

    fn place(column: &str, literal: impl Into<Literal>) -> Result<Place<i64>> {
        let leaf = leaf(column);
        let Domain::Words(words) = domain(&leaf)? else { panic!("{column} has no words") };
        word(&leaf, words, &literal.into())
    }

    #[test]
    fn numbers_find_their_place_among_integers() {
        assert_eq!(place("int32 a", 7).unwrap(), Place::At(7));
        assert_eq!(place("int32 a", 3_000_000_000_u32).unwrap(), Place::Last);
        assert_eq!(place("int32 a", i64::MIN).unwrap(), Place::First);
        assert_eq!(place("int32 a", -1.5).unwrap(), Place::Behind(-2));
        assert_eq!(place("int64 a", Literal::decimal("2.50").unwrap()).unwrap(), Place::Behind(2));
        assert_eq!(place("int64 a", f64::NAN).unwrap(), Place::Last);
        assert_eq!(place("int64 a", f64::NEG_INFINITY).unwrap(), Place::First);
        assert_eq!(place("int64 a", 1e-300).unwrap(), Place::Behind(0));
        assert_eq!(place("int64 a", -1e300).unwrap(), Place::First);
        assert_eq!(place("int32 a (INTEGER(32,false))", -1).unwrap(), Place::First);
        assert_eq!(place("int64 a (INTEGER(64,false))", u64::MAX).unwrap(), Place::At(i64::MAX));
        assert_eq!(place("int64 a (INTEGER(64,false))", 0).unwrap(), Place::At(i64::MIN));
        assert!(place("int32 a", "7").is_err());
        assert!(place("boolean a", 1).is_err());
        assert_eq!(place("boolean a", true).unwrap(), Place::At(1));
    }

    #[test]
    fn decimals_find_their_place() {
        let column = "int64 a (DECIMAL(15,2))";
        assert_eq!(place(column, 0.09).unwrap(), Place::At(9));
        assert_eq!(place(column, 49).unwrap(), Place::At(4900));
        assert_eq!(place(column, Literal::decimal("-0.001").unwrap()).unwrap(), Place::Behind(-1));
        let wide = leaf("fixed_len_byte_array(16) a (DECIMAL(38,2))");
        assert_eq!(bytes(&wide, Order::Decimal, &Literal::from(-1.28)).unwrap(), Place::At(vec![0xff, 0x80]));
        assert_eq!(bytes(&wide, Order::Decimal, &Literal::from(1.28)).unwrap(), Place::At(vec![0, 0x80]));
        let huge = bytes(&wide, Order::Decimal, &Literal::decimal(&format!("1{}", "0".repeat(60))).unwrap()).unwrap();
        let Place::At(huge) = huge else { panic!("{huge:?}") };
        assert_eq!(Order::Decimal.compare(&huge, &[0x7f; 16]), Some(Ordering::Greater));
    }

    #[test]
    fn big_endian_numbers_are_those_of_i128() {
        for value in [0, 1, -1, 127, 128, -128, -129, 255, 256, i128::from(i64::MAX), i128::MIN + 1, i128::MAX] {
            let Some(Place::At(bytes)) = number(&Literal::Integer(value), 0) else { panic!("{value}") };
            assert_eq!(to_i128(&bytes), Some(value));
        }
        let Some(Place::At(long)) = number(&Literal::decimal(&"9".repeat(45)).unwrap(), 0) else { panic!() };
        assert_eq!(to_i128(&long), None);
    }

    #[test]
    fn dates_and_times_find_their_place() {
        assert_eq!(place("int32 a (DATE)", "1970-01-02").unwrap(), Place::At(1));
        assert_eq!(place("int32 a (DATE)", Literal::date("1969-12-31").unwrap()).unwrap(), Place::At(-1));
        assert!(place("int32 a (DATE)", 5).unwrap_err().to_string().contains("holds dates and cannot be compared with 5: write DATE"));
        assert!(place("int32 a (DATE)", "soon").is_err());
        assert_eq!(place("int32 a (TIME(MILLIS,true))", "00:00:01.0005").unwrap(), Place::Behind(1000));
        let utc = "int64 a (TIMESTAMP(MICROS,true))";
        assert_eq!(place(utc, "1970-01-01T00:00:00.000001Z").unwrap(), Place::At(1));
        assert_eq!(place(utc, Literal::date("1970-01-02").unwrap()).unwrap(), Place::At(86_400_000_000));
        assert_eq!(place(utc, "1969-12-31 23:59:59.9999999").unwrap(), Place::Behind(-1));
        assert!(place("int64 a (TIMESTAMP(MICROS,false))", "1970-01-01T00:00:00Z").is_err());
        assert_eq!(place("int64 a (TIMESTAMP(NANOS,false))", "9999-01-01").unwrap(), Place::Last);
        let int96 = leaf("int96 a");
        let Place::At(bytes) = bytes(&int96, Order::Int96, &Literal::from("1970-01-01 00:00:00.000000001")).unwrap() else { panic!() };
        assert_eq!(bytes, [&1_i64.to_le_bytes()[..], &2_440_588_i32.to_le_bytes()].concat());
    }

    #[test]
    fn keys_order_as_floats_do() {
        let floats = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 1.5, f64::INFINITY, f64::NAN];
        for pair in floats.windows(2) {
            assert!(total64(pair[0].to_bits()) < total64(pair[1].to_bits()));
            assert!(total32((pair[0] as f32).to_bits()) <= total32((pair[1] as f32).to_bits()));
        }
        for words in [Words::Float16, Words::Float32, Words::Float64, Words::Unsigned64, Words::Signed32] {
            for key in [words.limits().0, -3, 0, 5, words.limits().1] {
                if let Some(plain) = words.plain(key) {
                    assert_eq!(words.key(&plain), Some(key), "{words:?}");
                }
            }
        }
    }

    #[test]
    fn halves_round_to_the_nearest() {
        for bits in (0..=0x7c00_u16).chain(0x8000..=0xfc00) {
            assert_eq!(to_half(f64::from(half_to_f32(bits))), bits);
        }
        for bits in 0..0x7bff_u16 {
            let (low, high) = (f64::from(half_to_f32(bits)), f64::from(half_to_f32(bits + 1)));
            assert_eq!(to_half(f64::midpoint(low, high)), bits + bits % 2);
            assert_eq!(to_half(low + (high - low) * 0.4), bits);
        }
        assert_eq!(to_half(65_519.0), 0x7bff);
        assert_eq!(to_half(65_520.0), 0x7c00);
        assert_eq!(to_half(1e300), 0x7c00);
        assert_eq!(to_half(f64::NAN), 0x7e00);
    }

    #[test]
    fn uuids_read() {
        let column = leaf("fixed_len_byte_array(16) a (UUID)");
        let read = |text: &str| bytes(&column, Order::Bytes, &Literal::from(text));
        assert_eq!(read("30313233-3435-3637-3839-616263646566").unwrap(), Place::At(b"0123456789abcdef".to_vec()));
        assert!(
            read("30313233").is_err()
                && read("zz313233-3435-3637-3839-616263646566").is_err()
                && read("é0313233-3435-3637-3839-6162636465").is_err()
        );
    }
}
