//! How the bounds of a column compare.

use std::cmp::Ordering;

use crate::format::{ColumnOrder, PhysicalType};
use crate::schema::{Leaf, LogicalType};

/// How plain-encoded values of a column compare (`ColumnOrder`).
///
/// Values are as statistics hold them: little-endian numbers, byte arrays without their length.
///
/// ```
/// use std::cmp::Ordering;
/// use herringbone::metadata::Order;
/// assert_eq!(Order::Int32.compare(&(-1_i32).to_le_bytes(), &1_i32.to_le_bytes()), Some(Ordering::Less));
/// assert_eq!(Order::UInt32.compare(&(-1_i32).to_le_bytes(), &1_i32.to_le_bytes()), Some(Ordering::Greater));
/// assert_eq!(Order::Double.compare(&f64::NAN.to_le_bytes(), &1_f64.to_le_bytes()), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// False before true, one byte.
    Boolean,
    /// Signed 32-bit integers.
    Int32,
    /// Signed 64-bit integers.
    Int64,
    /// Unsigned 32-bit integers.
    UInt32,
    /// Unsigned 64-bit integers.
    UInt64,
    /// Half precision numbers by value: both zeros are equal, NaN does not compare.
    Float16,
    /// Single precision numbers by value: both zeros are equal, NaN does not compare.
    Float,
    /// Double precision numbers by value: both zeros are equal, NaN does not compare.
    Double,
    /// Half precision numbers by the total order of IEEE 754.
    Float16Total,
    /// Single precision numbers by the total order of IEEE 754.
    FloatTotal,
    /// Double precision numbers by the total order of IEEE 754.
    DoubleTotal,
    /// Big-endian two's complement integers of any length.
    Decimal,
    /// Bytes, unsigned, one after another; a prefix comes first.
    Bytes,
    /// INT96 timestamps, chronological: the day, then the nanoseconds.
    Int96,
}

impl Order {
    /// The order of a leaf column, given what the footer says about its bounds; `None` if they have no defined order.
    pub fn of(leaf: &Leaf, order: &ColumnOrder) -> Option<Self> {
        match order {
            ColumnOrder::TypeOrder => Self::by_type(leaf),
            ColumnOrder::Ieee754TotalOrder => match Self::by_type(leaf)? {
                Order::Float16 => Some(Order::Float16Total),
                Order::Float => Some(Order::FloatTotal),
                Order::Double => Some(Order::DoubleTotal),
                _ => None,
            },
            ColumnOrder::Int96TimestampOrder => (leaf.physical_type == PhysicalType::Int96).then_some(Order::Int96),
            ColumnOrder::Unknown(_) => None,
        }
    }

    /// The order that the logical type defines or, without one, the physical type (`TYPE_ORDER`); `None` if neither
    /// does.
    pub fn by_type(leaf: &Leaf) -> Option<Self> {
        use PhysicalType as P;
        let physical = leaf.physical_type;
        let Some(logical) = &leaf.logical_type else {
            return match physical {
                P::Boolean => Some(Order::Boolean),
                P::Int32 => Some(Order::Int32),
                P::Int64 => Some(Order::Int64),
                P::Float => Some(Order::Float),
                P::Double => Some(Order::Double),
                P::ByteArray | P::FixedLenByteArray => Some(Order::Bytes),
                P::Int96 | P::Unknown(_) => None,
            };
        };
        match (logical, physical) {
            (LogicalType::Integer { signed: false, .. }, P::Int32) => Some(Order::UInt32),
            (LogicalType::Integer { signed: false, .. }, P::Int64) => Some(Order::UInt64),
            (LogicalType::Decimal { .. }, P::ByteArray | P::FixedLenByteArray) => Some(Order::Decimal),
            (LogicalType::Float16, P::FixedLenByteArray) => Some(Order::Float16),
            (LogicalType::Integer { .. } | LogicalType::Decimal { .. } | LogicalType::Date | LogicalType::Time { .. }, P::Int32) => {
                Some(Order::Int32)
            }
            (
                LogicalType::Integer { .. } | LogicalType::Decimal { .. } | LogicalType::Time { .. } | LogicalType::Timestamp { .. },
                P::Int64,
            ) => Some(Order::Int64),
            (
                LogicalType::String | LogicalType::Enum | LogicalType::Json | LogicalType::Bson | LogicalType::Uuid,
                P::ByteArray | P::FixedLenByteArray,
            ) => Some(Order::Bytes),
            _ => None,
        }
    }

    /// How two values compare; `None` if one is no value of this order: NaN where values are compared, or a length that
    /// does not fit.
    pub fn compare(self, a: &[u8], b: &[u8]) -> Option<Ordering> {
        match self {
            Order::Boolean => Some(boolean(a)?.cmp(&boolean(b)?)),
            Order::Int32 => Some(i32::from_le_bytes(fixed(a)?).cmp(&i32::from_le_bytes(fixed(b)?))),
            Order::Int64 => Some(i64::from_le_bytes(fixed(a)?).cmp(&i64::from_le_bytes(fixed(b)?))),
            Order::UInt32 => Some(u32::from_le_bytes(fixed(a)?).cmp(&u32::from_le_bytes(fixed(b)?))),
            Order::UInt64 => Some(u64::from_le_bytes(fixed(a)?).cmp(&u64::from_le_bytes(fixed(b)?))),
            Order::Float16 => half(a)?.partial_cmp(&half(b)?),
            Order::Float => f32::from_le_bytes(fixed(a)?).partial_cmp(&f32::from_le_bytes(fixed(b)?)),
            Order::Double => f64::from_le_bytes(fixed(a)?).partial_cmp(&f64::from_le_bytes(fixed(b)?)),
            Order::Float16Total => Some(half_in_total_order(a)?.cmp(&half_in_total_order(b)?)),
            Order::FloatTotal => Some(f32::from_le_bytes(fixed(a)?).total_cmp(&f32::from_le_bytes(fixed(b)?))),
            Order::DoubleTotal => Some(f64::from_le_bytes(fixed(a)?).total_cmp(&f64::from_le_bytes(fixed(b)?))),
            Order::Decimal => big_endian(a, b),
            Order::Bytes => Some(a.cmp(b)),
            Order::Int96 => Some(int96(a)?.cmp(&int96(b)?)),
        }
    }

    /// Whether the values are floating-point numbers, among which there may be NaN.
    pub fn is_float(self) -> bool {
        matches!(self, Order::Float16 | Order::Float | Order::Double | Order::Float16Total | Order::FloatTotal | Order::DoubleTotal)
    }

    /// Whether the values are floating-point numbers in the total order of IEEE 754.
    pub fn is_total(self) -> bool {
        matches!(self, Order::Float16Total | Order::FloatTotal | Order::DoubleTotal)
    }

    /// Whether a value is a floating-point number that is NaN.
    pub fn is_nan(self, value: &[u8]) -> bool {
        match self {
            Order::Float16 | Order::Float16Total => half(value).is_some_and(f32::is_nan),
            Order::Float | Order::FloatTotal => fixed(value).is_some_and(|bytes| f32::from_le_bytes(bytes).is_nan()),
            Order::Double | Order::DoubleTotal => fixed(value).is_some_and(|bytes| f64::from_le_bytes(bytes).is_nan()),
            _ => false,
        }
    }

    /// Whether `value` has a length that values of this order in `leaf` have. Bounds of bytes may be cut short.
    pub(crate) fn fits(self, value: &[u8], leaf: &Leaf) -> bool {
        match (self, leaf.physical_type) {
            (Order::Bytes, PhysicalType::FixedLenByteArray) => value.len() <= leaf.type_length,
            (_, PhysicalType::FixedLenByteArray) => value.len() == leaf.type_length,
            (Order::Decimal, _) => !value.is_empty(),
            (Order::Bytes, _) => true,
            (Order::Boolean, _) => boolean(value).is_some(),
            (Order::Int64 | Order::UInt64 | Order::Double | Order::DoubleTotal, _) => value.len() == 8,
            (Order::Int96, _) => value.len() == 12,
            (Order::Int32 | Order::UInt32 | Order::Float | Order::FloatTotal, _) => value.len() == 4,
            (Order::Float16 | Order::Float16Total, _) => value.len() == 2,
        }
    }

    /// The least value that compares equal to a lower bound, where it is another one: −0 for +0.
    pub(super) fn lowest_equal(self, bound: &[u8]) -> Option<&'static [u8]> {
        match self {
            Order::Float16 => (bound == [0; 2]).then_some(&[0, 0x80]),
            Order::Float => (bound == [0; 4]).then_some(&[0, 0, 0, 0x80]),
            Order::Double => (bound == [0; 8]).then_some(&[0, 0, 0, 0, 0, 0, 0, 0x80]),
            _ => None,
        }
    }

    /// The greatest value that compares equal to an upper bound, where it is another one: +0 for −0.
    pub(super) fn highest_equal(self, bound: &[u8]) -> Option<&'static [u8]> {
        match self {
            Order::Float16 => (bound == [0, 0x80]).then_some(&[0; 2]),
            Order::Float => (bound == [0, 0, 0, 0x80]).then_some(&[0; 4]),
            Order::Double => (bound == [0, 0, 0, 0, 0, 0, 0, 0x80]).then_some(&[0; 8]),
            _ => None,
        }
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn boolean(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

fn half(bytes: &[u8]) -> Option<f32> {
    Some(half_to_f32(u16::from_le_bytes(fixed(bytes)?)))
}

/// The value of a half precision number, exactly.
pub(crate) fn half_to_f32(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff);
    let sign = u32::from(bits & 0x8000) << 16;
    let value = match magnitude {
        0x7c00.. => f32::from_bits(0x7f80_0000 | ((magnitude & 0x3ff) << 13)),
        // Shifting puts the exponent 112 too low; the multiplication is exact and normalizes subnormal numbers.
        _ => f32::from_bits(magnitude << 13) * f32::from_bits(0x7780_0000),
    };
    f32::from_bits(value.to_bits() | sign)
}

/// An integer that orders half precision numbers by the total order.
fn half_in_total_order(bytes: &[u8]) -> Option<i16> {
    let bits = i16::from_le_bytes(fixed(bytes)?);
    Some(if bits < 0 { bits ^ i16::MAX } else { bits })
}

/// The day, then the nanoseconds in it.
fn int96(bytes: &[u8]) -> Option<(i32, i64)> {
    let (nanoseconds, day) = bytes.split_first_chunk::<8>()?;
    Some((i32::from_le_bytes(fixed(day)?), i64::from_le_bytes(*nanoseconds)))
}

fn big_endian(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let (negative_a, negative_b) = (is_negative(a)?, is_negative(b)?);
    if negative_a != negative_b {
        return Some(negative_b.cmp(&negative_a));
    }
    let (a, b) = (without_sign_bytes(a), without_sign_bytes(b));
    let by_length = if negative_a { b.len().cmp(&a.len()) } else { a.len().cmp(&b.len()) };
    Some(by_length.then_with(|| a.cmp(b)))
}

fn is_negative(number: &[u8]) -> Option<bool> {
    number.first().map(|first| *first >= 0x80)
}

/// A big-endian number without leading bytes that only repeat its sign. Numbers of one sign then order by their length
/// first, and those of one length as bytes.
fn without_sign_bytes(mut number: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = number {
        match rest.first() {
            Some(next) if (*first == 0 && *next < 0x80) || (*first == 0xff && *next >= 0x80) => number = rest,
            _ => break,
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The naive twin of `half_to_f32`: by the definition of the format.
    fn half_by_definition(bits: u16) -> f64 {
        let sign = if bits >= 0x8000 { -1.0 } else { 1.0 };
        let fraction = f64::from(bits & 0x3ff) / 1024.0;
        match i32::from(bits >> 10 & 31) {
            31 if fraction == 0.0 => sign * f64::INFINITY,
            31 => f64::NAN,
            0 => sign * fraction * 2_f64.powi(-14),
            exponent => sign * (1.0 + fraction) * 2_f64.powi(exponent - 15),
        }
    }

    #[test]
    fn all_half_precision_numbers_have_their_value() {
        for bits in 0..=u16::MAX {
            let (value, expected) = (f64::from(half_to_f32(bits)), half_by_definition(bits));
            assert!(value == expected && value.is_sign_negative() == (bits >= 0x8000) || value.is_nan() && expected.is_nan(), "{bits:x}");
        }
    }

    #[test]
    fn half_precision_numbers_order_totally() {
        let ascending = [0xffff, 0xfe00, 0xfc00, 0xc000, 0x8001, 0x8000, 0x0000, 0x0001, 0x3c00, 0x7c00, 0x7e00, 0x7fff_u16];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(Order::Float16Total.compare(&a.to_le_bytes(), &b.to_le_bytes()), Some(i.cmp(&j)), "{a:x} {b:x}");
            }
        }
    }

    #[test]
    fn floats_compare_by_value_or_totally() {
        let bytes = |value: f64| value.to_le_bytes();
        assert_eq!(Order::Double.compare(&bytes(-0.0), &bytes(0.0)), Some(Ordering::Equal));
        assert_eq!(Order::DoubleTotal.compare(&bytes(-0.0), &bytes(0.0)), Some(Ordering::Less));
        assert_eq!(Order::Double.compare(&bytes(f64::NAN), &bytes(f64::NAN)), None);
        assert_eq!(Order::DoubleTotal.compare(&bytes(f64::INFINITY), &bytes(f64::NAN)), Some(Ordering::Less));
        assert_eq!(Order::DoubleTotal.compare(&bytes(f64::NEG_INFINITY), &bytes(-f64::NAN)), Some(Ordering::Greater));
        assert_eq!(Order::FloatTotal.compare(&(-0_f32).to_le_bytes(), &0_f32.to_le_bytes()), Some(Ordering::Less));
        assert!(Order::FloatTotal.is_nan(&f32::NAN.to_le_bytes()) && !Order::Float.is_nan(&1_f32.to_le_bytes()));
        assert!(Order::Float16.is_nan(&[0x01, 0xfc]) && !Order::Float16.is_nan(&[0x00, 0xfc]));
    }

    #[test]
    fn int96_orders_by_day_and_then_nanoseconds() {
        let value = |day: i32, nanoseconds: i64| [&nanoseconds.to_le_bytes()[..], &day.to_le_bytes()].concat();
        let ascending = [value(-1, 5), value(0, -1), value(0, 0), value(0, i64::MAX), value(1, i64::MIN), value(2_440_588, 0)];
        assert!(ascending.windows(2).all(|pair| Order::Int96.compare(&pair[0], &pair[1]) == Some(Ordering::Less)));
    }

    #[test]
    fn lengths_that_do_not_fit_do_not_compare() {
        for (order, length) in [
            (Order::Boolean, 1),
            (Order::Int32, 4),
            (Order::UInt32, 4),
            (Order::Float, 4),
            (Order::FloatTotal, 4),
            (Order::Int64, 8),
            (Order::UInt64, 8),
            (Order::Double, 8),
            (Order::DoubleTotal, 8),
            (Order::Int96, 12),
            (Order::Float16, 2),
            (Order::Float16Total, 2),
        ] {
            let fits = vec![0; length];
            assert_eq!(order.compare(&fits, &fits), Some(Ordering::Equal));
            for other in (0..20).filter(|other| *other != length) {
                assert_eq!(order.compare(&fits, &vec![0; other]), None, "{order:?} {other}");
                assert_eq!(order.compare(&vec![0; other], &fits), None, "{order:?} {other}");
            }
        }
        assert_eq!(Order::Decimal.compare(&[], &[0]), None);
        assert_eq!(Order::Bytes.compare(&[], &[0]), Some(Ordering::Less));
        assert_eq!(Order::Boolean.compare(&[2], &[1]), None);
    }

    proptest! {
        #[test]
        fn decimals_compare_as_numbers(a: i128, b: i128, shift_a in 0..128_u32, shift_b in 0..128_u32, extra_a in 0..4_usize, extra_b in 0..4_usize) {
            let (a, b): (i128, i128) = (a >> shift_a, b >> shift_b);
            let bytes = |value: i128, extra: usize| {
                let bytes = value.to_be_bytes();
                let sign = if value < 0 { 0xff } else { 0 };
                // As short as it gets, with some bytes of sign.
                let mut start = 0;
                while start < 15 && bytes[start] == sign && (bytes[start + 1] >= 0x80) == (value < 0) {
                    start += 1;
                }
                [&vec![sign; extra], &bytes[start..]].concat()
            };
            let expected = Some(a.cmp(&b));
            prop_assert_eq!(Order::Decimal.compare(&bytes(a, extra_a), &bytes(b, extra_b)), expected);
        }

        #[test]
        fn numbers_compare_as_numbers(a: u64, b: u64) {
            let (x, y) = (a.to_le_bytes(), b.to_le_bytes());
            prop_assert_eq!(Order::UInt64.compare(&x, &y), Some(a.cmp(&b)));
            prop_assert_eq!(Order::Int64.compare(&x, &y), Some(a.cast_signed().cmp(&b.cast_signed())));
            prop_assert_eq!(Order::DoubleTotal.compare(&x, &y), Some(f64::from_bits(a).total_cmp(&f64::from_bits(b))));
            prop_assert_eq!(Order::UInt32.compare(&x[..4], &y[..4]), Some((a as u32).cmp(&(b as u32))));
            prop_assert_eq!(Order::Int32.compare(&x[..4], &y[..4]), Some((a as i32).cmp(&(b as i32))));
        }
    }
}
