//! The least and the greatest of some values, by the column's order.
//!
//! Numbers are compared in lanes, so that a slice of them costs a fraction of a nanosecond a value; byte arrays by their
//! first eight bytes as one number, which settles almost every comparison. NaN is counted and never a bound. Specification:
//! `Statistics` and `ColumnOrder` in `parquet.thrift`.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]

use std::cmp::Ordering;

use crate::metadata::Order;
use crate::simd::vectorized;
use crate::values::{BitsSlice, ValuesSlice};

/// The bounds of the values that were added.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    order: Order,
    found: Found,
    nans: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Found {
    /// No value yet that could be a bound.
    Nothing,
    Signed(i64, i64),
    Unsigned(u64, u64),
    Float(f32, f32),
    Double(f64, f64),
    /// Half precision numbers, as integers that order like them.
    Half(i16, i16),
    /// Decimals of up to 16 bytes, all of one width.
    Wide(i128, i128, usize),
    Bytes {
        min: Vec<u8>,
        max: Vec<u8>,
    },
}

impl Bounds {
    pub(crate) fn new(order: Order) -> Self {
        Self { order, found: Found::Nothing, nans: 0 }
    }

    /// Forgets all values.
    pub(crate) fn clear(&mut self) {
        self.found = Found::Nothing;
        self.nans = 0;
    }

    /// The number of NaN values; `None` for types that have none.
    pub(crate) fn nans(&self) -> Option<u64> {
        self.order.is_float().then_some(self.nans)
    }

    /// Adds values of the column's shape; others are ignored.
    pub(crate) fn add(&mut self, values: ValuesSlice<'_>) {
        if values.is_empty() {
            return;
        }
        match (values, self.order) {
            (ValuesSlice::Words32(words), Order::Int32) => {
                let (min, max) = vectorized!(extremes::<i32, 32>(bytemuck::cast_slice(words), i32::MAX, i32::MIN));
                self.found.widen(Found::Signed(min.into(), max.into()));
            }
            (ValuesSlice::Words32(words), Order::UInt32) => {
                let (min, max) = vectorized!(extremes::<u32, 32>(words, u32::MAX, 0));
                self.found.widen(Found::Unsigned(min.into(), max.into()));
            }
            (ValuesSlice::Words64(words), Order::Int64) => {
                let (min, max) = vectorized!(extremes::<i64, 16>(bytemuck::cast_slice(words), i64::MAX, i64::MIN));
                self.found.widen(Found::Signed(min, max));
            }
            (ValuesSlice::Words64(words), Order::UInt64) => {
                let (min, max) = vectorized!(extremes::<u64, 16>(words, u64::MAX, 0));
                self.found.widen(Found::Unsigned(min, max));
            }
            (ValuesSlice::Words32(words), Order::Float) => self.add_floats(bytemuck::cast_slice(words)),
            (ValuesSlice::Words64(words), Order::Double) => self.add_doubles(bytemuck::cast_slice(words)),
            (ValuesSlice::Bits(bits), Order::Boolean) => self.add_bits(bits),
            (ValuesSlice::Bytes(arrays), Order::Bytes) => self.add_slices(arrays.iter()),
            (ValuesSlice::Fixed(fixed), Order::Bytes) => self.add_slices(fixed.iter()),
            (ValuesSlice::Bytes(arrays), _) => arrays.iter().for_each(|value| self.add_one(value)),
            (ValuesSlice::Fixed(fixed), _) => fixed.iter().for_each(|value| self.add_one(value)),
            _ => {}
        }
    }

    /// Adds one plain-encoded value of a byte array type; one that the order does not know is ignored.
    pub(crate) fn add_one(&mut self, value: &[u8]) {
        match self.order {
            Order::Bytes => self.add_slices(std::iter::once(value)),
            Order::Float16 => match value.try_into().map(u16::from_le_bytes) {
                Ok(bits) if bits & 0x7fff > 0x7c00 => self.nans = self.nans.saturating_add(1),
                Ok(bits) => {
                    let key = half_key(bits);
                    self.found.widen(Found::Half(key, key));
                }
                Err(_) => {}
            },
            Order::Decimal => match wide(value) {
                Some(number) if self.is_wide(value.len()) => self.found.widen(Found::Wide(number, number, value.len())),
                _ => self.add_compared(value),
            },
            _ => {}
        }
    }

    /// Whether decimals of this many bytes can be kept as numbers, beside those there are.
    fn is_wide(&self, width: usize) -> bool {
        match self.found {
            Found::Nothing => true,
            Found::Wide(_, _, other) => other == width,
            _ => false,
        }
    }

    /// Adds a decimal of any length.
    fn add_compared(&mut self, value: &[u8]) {
        if value.is_empty() {
            return;
        }
        if let Found::Wide(min, max, width) = self.found {
            self.found = Found::Bytes { min: narrow(min, width), max: narrow(max, width) };
        }
        let order = self.order;
        match &mut self.found {
            Found::Bytes { min, max } => {
                if order.compare(value, min) == Some(Ordering::Less) {
                    replace(min, value);
                }
                if order.compare(value, max) == Some(Ordering::Greater) {
                    replace(max, value);
                }
            }
            found => *found = Found::Bytes { min: value.to_vec(), max: value.to_vec() },
        }
    }

    fn add_floats(&mut self, floats: &[f32]) {
        let (min, max) = vectorized!(extremes::<f32, 32>(floats, f32::INFINITY, f32::NEG_INFINITY));
        let nans = vectorized!(count_nans(floats));
        self.nans = self.nans.saturating_add(nans as u64);
        if nans < floats.len() {
            self.found.widen(Found::Float(min, max));
        }
    }

    fn add_doubles(&mut self, doubles: &[f64]) {
        let (min, max) = vectorized!(extremes::<f64, 16>(doubles, f64::INFINITY, f64::NEG_INFINITY));
        let nans = vectorized!(count_nans(doubles));
        self.nans = self.nans.saturating_add(nans as u64);
        if nans < doubles.len() {
            self.found.widen(Found::Double(min, max));
        }
    }

    fn add_bits(&mut self, bits: BitsSlice<'_>) {
        let ones = bits.count_ones();
        let (min, max) = (u64::from(ones == bits.len()), u64::from(ones > 0));
        self.found.widen(Found::Unsigned(min, max));
    }

    /// Adds byte arrays in the order of their bytes.
    fn add_slices<'a>(&mut self, mut slices: impl Iterator<Item = &'a [u8]>) {
        if let Found::Nothing = self.found {
            let Some(first) = slices.next() else { return };
            self.found = Found::Bytes { min: first.to_vec(), max: first.to_vec() };
        }
        let Found::Bytes { min, max } = &mut self.found else { return };
        let (mut low, mut high) = (prefix(min), prefix(max));
        for slice in slices {
            let key = prefix(slice);
            if key > low && key < high {
                continue;
            }
            if key <= low && slice < &min[..] {
                replace(min, slice);
                low = key;
            }
            if key >= high && slice > &max[..] {
                replace(max, slice);
                high = key;
            }
        }
    }

    /// Adds what another one found of the same column.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.nans = self.nans.saturating_add(other.nans);
        match &other.found {
            Found::Bytes { min, max } if self.order == Order::Decimal => {
                self.add_one(min);
                self.add_one(max);
            }
            &Found::Wide(min, max, width) => {
                self.add_one(&narrow(min, width));
                self.add_one(&narrow(max, width));
            }
            Found::Bytes { min, max } => self.add_slices([&min[..], &max[..]].into_iter()),
            found => self.found.widen(found.clone()),
        }
    }

    /// Both bounds, plain-encoded, byte arrays without their length; zeros of floating-point numbers with the sign that covers
    /// both. `None` when there was no value that can be a bound.
    pub(crate) fn plain(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let is_32 = matches!(self.order, Order::Int32 | Order::UInt32);
        Some(match &self.found {
            Found::Nothing => return None,
            Found::Signed(min, max) if is_32 => ((*min as i32).to_le_bytes().to_vec(), (*max as i32).to_le_bytes().to_vec()),
            Found::Signed(min, max) => (min.to_le_bytes().to_vec(), max.to_le_bytes().to_vec()),
            Found::Unsigned(min, max) if self.order == Order::Boolean => (vec![*min as u8], vec![*max as u8]),
            Found::Unsigned(min, max) if is_32 => ((*min as u32).to_le_bytes().to_vec(), (*max as u32).to_le_bytes().to_vec()),
            Found::Unsigned(min, max) => (min.to_le_bytes().to_vec(), max.to_le_bytes().to_vec()),
            &Found::Float(min, max) => {
                let (min, max) = (if min == 0.0 { -0.0 } else { min }, if max == 0.0 { 0.0 } else { max });
                (min.to_le_bytes().to_vec(), max.to_le_bytes().to_vec())
            }
            &Found::Double(min, max) => {
                let (min, max) = (if min == 0.0 { -0.0 } else { min }, if max == 0.0 { 0.0 } else { max });
                (min.to_le_bytes().to_vec(), max.to_le_bytes().to_vec())
            }
            // −0 is -1 there and +0 is 0.
            &Found::Half(min, max) => {
                let (min, max) = (if min == 0 { -1 } else { min }, if max == -1 { 0 } else { max });
                (half_bits(min).to_le_bytes().to_vec(), half_bits(max).to_le_bytes().to_vec())
            }
            &Found::Wide(min, max, width) => (narrow(min, width), narrow(max, width)),
            Found::Bytes { min, max } => (min.clone(), max.clone()),
        })
    }
}

impl Found {
    /// Takes in other bounds of the same kind.
    fn widen(&mut self, other: Found) {
        match (&mut *self, other) {
            (Found::Signed(min, max), Found::Signed(low, high)) => (*min, *max) = ((*min).min(low), (*max).max(high)),
            (Found::Unsigned(min, max), Found::Unsigned(low, high)) => (*min, *max) = ((*min).min(low), (*max).max(high)),
            (Found::Float(min, max), Found::Float(low, high)) => (*min, *max) = (min.min(low), max.max(high)),
            (Found::Double(min, max), Found::Double(low, high)) => (*min, *max) = (min.min(low), max.max(high)),
            (Found::Half(min, max), Found::Half(low, high)) => (*min, *max) = ((*min).min(low), (*max).max(high)),
            (Found::Wide(min, max, _), Found::Wide(low, high, _)) => (*min, *max) = ((*min).min(low), (*max).max(high)),
            (_, Found::Nothing) => {}
            (found, other) => *found = other,
        }
    }
}

/// The least and the greatest value, starting from `low` and `high`; NaN is neither.
#[inline(always)]
fn extremes<T: Copy + PartialOrd, const LANES: usize>(values: &[T], low: T, high: T) -> (T, T) {
    let (mut mins, mut maxs) = ([low; LANES], [high; LANES]);
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for ((value, min), max) in block.iter().zip(&mut mins).zip(&mut maxs) {
            *min = if *value < *min { *value } else { *min };
            *max = if *value > *max { *value } else { *max };
        }
    }
    let min = mins.iter().chain(rest).fold(low, |min, value| if *value < min { *value } else { min });
    let max = maxs.iter().chain(rest).fold(high, |max, value| if *value > max { *value } else { max });
    (min, max)
}

#[inline(always)]
#[allow(clippy::eq_op, reason = "only NaN differs from itself")]
fn count_nans<T: Copy + PartialOrd>(values: &[T]) -> usize {
    let block = |block: &[T]| block.iter().fold(0_u32, |count, value| count.wrapping_add(u32::from(value != value))) as usize;
    values.chunks(1 << 12).map(block).fold(0, usize::saturating_add)
}

/// The first eight bytes as a number that orders like them.
#[inline(always)]
fn prefix(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => {
            let mut padded = [0; 8];
            padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            u64::from_be_bytes(padded)
        }
    }
}

fn replace(bound: &mut Vec<u8>, value: &[u8]) {
    bound.clear();
    bound.extend_from_slice(value);
}

/// An integer that orders half precision numbers: −0 just below +0.
fn half_key(bits: u16) -> i16 {
    let bits = bits.cast_signed();
    if bits < 0 { bits ^ i16::MAX } else { bits }
}

fn half_bits(key: i16) -> u16 {
    let bits = if key < 0 { key ^ i16::MAX } else { key };
    bits.cast_unsigned()
}

/// A big-endian number of at most 16 bytes.
fn wide(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    if bytes.len() > 16 {
        return None;
    }
    let mut padded = if first >= 0x80 { [0xff; 16] } else { [0; 16] };
    padded.iter_mut().rev().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
    Some(i128::from_be_bytes(padded))
}

fn narrow(number: i128, width: usize) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    bytes.get(16_usize.saturating_sub(width)..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Bits, ByteArrays, FixedBytes, Values};
    use proptest::prelude::*;

    /// The naive twin: compares every plain-encoded value by the order.
    fn naive(order: Order, values: &[Vec<u8>]) -> Option<(Vec<u8>, Vec<u8>)> {
        let bounds: Vec<&Vec<u8>> = values.iter().filter(|value| order.compare(value, value).is_some()).collect();
        let compare = |a: &&&Vec<u8>, b: &&&Vec<u8>| order.compare(a, b).unwrap();
        Some((bounds.iter().min_by(compare)?.to_vec(), bounds.iter().max_by(compare)?.to_vec()))
    }

    fn check(order: Order, container: &Values, plain: &[Vec<u8>], cut: usize) {
        let mut bounds = Bounds::new(order);
        let slice = container.as_slice();
        let cut = cut.min(slice.len());
        bounds.add(slice.slice(0..cut).unwrap());
        let mut second = Bounds::new(order);
        second.add(slice.slice(cut..slice.len()).unwrap());
        bounds.merge(&second);
        let expected = naive(order, plain);
        match (bounds.plain(), &expected) {
            (None, None) => {}
            (Some((min, max)), Some((low, high))) => {
                assert_eq!(order.compare(&min, low), Some(Ordering::Equal), "{order:?}");
                assert_eq!(order.compare(&max, high), Some(Ordering::Equal), "{order:?}");
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
        let nans = plain.iter().filter(|value| order.is_nan(value)).count() as u64;
        assert_eq!(bounds.nans(), order.is_float().then_some(nans));
        bounds.clear();
        assert_eq!(bounds.plain(), None);
    }

    fn fixed(values: &[Vec<u8>], width: usize) -> Values {
        let mut fixed = FixedBytes::new(width);
        values.iter().for_each(|value| fixed.extend_from_bytes(value));
        Values::Fixed(fixed)
    }

    proptest! {
        #[test]
        fn agrees_with_the_order(words in prop::collection::vec(prop_oneof![any::<u64>(), 0..9u64, Just(f64::NAN.to_bits()), Just(1 << 63)], 0..200), cut in 0..100usize) {
            let narrow: Vec<u32> = words.iter().map(|word| (*word >> 32) as u32 ^ *word as u32).collect();
            let plain32: Vec<Vec<u8>> = narrow.iter().map(|word| word.to_le_bytes().to_vec()).collect();
            let plain64: Vec<Vec<u8>> = words.iter().map(|word| word.to_le_bytes().to_vec()).collect();
            for order in [Order::Int32, Order::UInt32, Order::Float] {
                check(order, &Values::Words32(narrow.clone()), &plain32, cut);
            }
            for order in [Order::Int64, Order::UInt64, Order::Double] {
                check(order, &Values::Words64(words.clone()), &plain64, cut);
            }
            let bits: Bits = words.iter().map(|word| word % 7 == 0).collect();
            let plain: Vec<Vec<u8>> = bits.iter().map(|bit| vec![u8::from(bit)]).collect();
            check(Order::Boolean, &Values::Bits(bits), &plain, cut);
            let halves: Vec<Vec<u8>> = words.iter().map(|word| ((word >> 48) as u16).to_le_bytes().to_vec()).collect();
            check(Order::Float16, &fixed(&halves, 2), &halves, cut);
            let wide: Vec<Vec<u8>> = words.iter().map(|word| word.to_be_bytes().repeat(2)).collect();
            check(Order::Decimal, &fixed(&wide, 16), &wide, cut);
            let wider: Vec<Vec<u8>> = words.iter().map(|word| word.to_be_bytes().repeat(3)).collect();
            check(Order::Decimal, &fixed(&wider, 24), &wider, cut);
            check(Order::Bytes, &fixed(&wide, 16), &wide, cut);
        }

        #[test]
        fn agrees_on_byte_arrays(values in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20), prop::collection::vec(0..2u8, 0..20), Just(vec![7; 8]), Just(vec![0xff; 17])], 0..60), cut in 0..60usize) {
            let arrays: ByteArrays = values.iter().map(Vec::as_slice).collect();
            check(Order::Bytes, &Values::Bytes(arrays.clone()), &values, cut);
            check(Order::Decimal, &Values::Bytes(arrays), &values, cut);
        }
    }

    #[test]
    fn zeros_cover_both_signs() {
        for zero in [0.0_f64, -0.0] {
            let mut bounds = Bounds::new(Order::Double);
            bounds.add(ValuesSlice::Words64(&[zero.to_bits()]));
            assert_eq!(bounds.plain(), Some(((-0.0_f64).to_le_bytes().to_vec(), 0.0_f64.to_le_bytes().to_vec())));
            let mut bounds = Bounds::new(Order::Float);
            bounds.add(ValuesSlice::Words32(&[(zero as f32).to_bits()]));
            assert_eq!(bounds.plain(), Some(((-0.0_f32).to_le_bytes().to_vec(), 0.0_f32.to_le_bytes().to_vec())));
            let mut bounds = Bounds::new(Order::Float16);
            bounds.add_one(if zero.is_sign_negative() { &[0, 0x80] } else { &[0, 0] });
            assert_eq!(bounds.plain(), Some((vec![0, 0x80], vec![0, 0])));
        }
    }
}
