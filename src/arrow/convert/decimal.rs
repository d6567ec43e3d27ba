//! Decimals: signed numbers in words, or big-endian in bytes.

use arrow_array::ArrayRef;
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, i256};
use arrow_schema::DataType;

use crate::arrow::convert::{does_not_fit, primitive, wrong_shape};
use crate::error::Result;
use crate::simd::vectorized;
use crate::values::{ByteArrays, FixedBytes};

/// Decimals from INT32.
pub(super) fn from_words32(words: Vec<u32>, validity: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
    let slots = words.len();
    let buffer = match data_type {
        DataType::Decimal32(..) => Buffer::from_vec(words),
        DataType::Decimal64(..) => Buffer::from_vec(vectorized!(widen32(&words, i64::from))),
        DataType::Decimal128(..) => Buffer::from_vec(vectorized!(widen32(&words, i128::from))),
        DataType::Decimal256(..) => Buffer::from_vec(widen32(&words, |word| i256::from_i128(i128::from(word)))),
        _ => return Err(wrong_shape(data_type)),
    };
    primitive(data_type, slots, buffer, validity)
}

/// Decimals from INT64.
pub(super) fn from_words64(words: Vec<u64>, validity: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
    let slots = words.len();
    let buffer = match data_type {
        DataType::Decimal32(..) => {
            let narrow: Option<Vec<i32>> = words.iter().map(|word| i32::try_from(word.cast_signed()).ok()).collect();
            Buffer::from_vec(narrow.ok_or_else(|| does_not_fit("a decimal", data_type))?)
        }
        DataType::Decimal64(..) => Buffer::from_vec(words),
        DataType::Decimal128(..) => Buffer::from_vec(vectorized!(widen64(&words, i128::from))),
        DataType::Decimal256(..) => Buffer::from_vec(widen64(&words, |word| i256::from_i128(i128::from(word)))),
        _ => return Err(wrong_shape(data_type)),
    };
    primitive(data_type, slots, buffer, validity)
}

#[inline(always)]
fn widen32<T>(words: &[u32], widen: impl Fn(i32) -> T) -> Vec<T> {
    words.iter().map(|word| widen(word.cast_signed())).collect()
}

#[inline(always)]
fn widen64<T>(words: &[u64], widen: impl Fn(i64) -> T) -> Vec<T> {
    words.iter().map(|word| widen(word.cast_signed())).collect()
}

/// Decimals from FIXED_LEN_BYTE_ARRAY.
pub(super) fn from_fixed(fixed: &FixedBytes, validity: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
    let buffer = match (data_type, fixed.width()) {
        (DataType::Decimal128(..), 1..=16) => Buffer::from_vec(numbers128(fixed)),
        (DataType::Decimal256(..), 1..=32) => Buffer::from_vec(numbers256(fixed)),
        (DataType::Decimal64(..), 1..=8) => Buffer::from_vec(numbers64(fixed)),
        _ => from_each(fixed.iter(), data_type)?,
    };
    primitive(data_type, fixed.len(), buffer, validity)
}

/// The decimals that `indices` name of entries that fit into 64 bits.
pub(super) fn gather128(entries: &[i64], indices: &[u32], validity: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
    let buffer = Buffer::from_vec(vectorized!(widen_named(entries, indices)));
    primitive(data_type, indices.len(), buffer, validity)
}

#[inline(always)]
fn widen_named(entries: &[i64], indices: &[u32]) -> Vec<i128> {
    indices.iter().map(|index| i128::from(entries.get(*index as usize).copied().unwrap_or_default())).collect()
}

/// Decimals from BYTE_ARRAY.
pub(super) fn from_bytes(arrays: &ByteArrays, validity: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
    let buffer = match data_type {
        DataType::Decimal128(..) => {
            let starts = arrays.offsets().iter().zip(arrays.offsets().iter().skip(1));
            let numbers: Option<Vec<i128>> = starts.map(|(start, end)| number128(arrays.data(), *start, *end)).collect();
            Buffer::from_vec(numbers.ok_or_else(|| does_not_fit("a decimal", data_type))?)
        }
        _ => from_each(arrays.iter(), data_type)?,
    };
    primitive(data_type, arrays.len(), buffer, validity)
}

/// The one of a loop's forms for each width that has its shift as a constant.
macro_rules! by_width {
    ($fixed:expr, $loop:ident, $($width:literal)*) => {
        match $fixed.width() {
            $($width => vectorized!($loop::<$width>($fixed.data())),)*
            _ => Vec::new(),
        }
    };
}

fn numbers128(fixed: &FixedBytes) -> Vec<i128> {
    by_width!(fixed, loop128, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}

fn numbers256(fixed: &FixedBytes) -> Vec<i256> {
    by_width!(fixed, loop256, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32)
}

pub(super) fn numbers64(fixed: &FixedBytes) -> Vec<i64> {
    by_width!(fixed, loop64, 1 2 3 4 5 6 7 8)
}

/// Bytes at the upper end of a number, which an arithmetic shift moves down with their sign.
#[inline(always)]
fn loop128<const N: usize>(data: &[u8]) -> Vec<i128> {
    data.as_chunks::<N>().0.iter().map(|bytes| i128::from_be_bytes(upper(bytes)).wrapping_shr(shift(16, N))).collect()
}

#[inline(always)]
fn loop64<const N: usize>(data: &[u8]) -> Vec<i64> {
    data.as_chunks::<N>().0.iter().map(|bytes| i64::from_be_bytes(upper(bytes)).wrapping_shr(shift(8, N))).collect()
}

#[inline(always)]
fn loop256<const N: usize>(data: &[u8]) -> Vec<i256> {
    let down = shift(32, N);
    let number = |bytes: &[u8; N]| {
        let wide: [u8; 32] = upper(bytes);
        let [high, low] = *wide.as_chunks::<16>().0 else { return i256::ZERO };
        let (high, low) = (i128::from_be_bytes(high), u128::from_be_bytes(low));
        match down {
            0 => i256::from_parts(low, high),
            1..128 => {
                let low = low.wrapping_shr(down) | high.cast_unsigned().wrapping_shl(128_u32.wrapping_sub(down));
                i256::from_parts(low, high.wrapping_shr(down))
            }
            _ => i256::from_i128(high.wrapping_shr(down.wrapping_sub(128))),
        }
    };
    data.as_chunks::<N>().0.iter().map(number).collect()
}

#[inline(always)]
fn upper<const N: usize, const W: usize>(bytes: &[u8; N]) -> [u8; W] {
    let mut wide = [0; W];
    if let Some(upper) = wide.first_chunk_mut::<N>() {
        *upper = *bytes;
    }
    wide
}

/// The bits by which `width` bytes at the upper end of `whole` are too high.
#[inline(always)]
fn shift(whole: usize, width: usize) -> u32 {
    (whole.saturating_sub(width) as u32).saturating_mul(8)
}

/// The number in `data[start..end]`. Where 16 bytes end there, they are loaded at once and the ones before cut off.
#[inline]
fn number128(data: &[u8], start: i32, end: i32) -> Option<i128> {
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    let width = end.checked_sub(start)?;
    if width > 0
        && width <= 16
        && let Some(bytes) = data.get(..end)?.last_chunk::<16>()
    {
        let shift = shift(16, width);
        return Some(i128::from_be_bytes(*bytes).wrapping_shl(shift).wrapping_shr(shift));
    }
    extend(data.get(start..end)?).map(i128::from_be_bytes)
}

/// Any bytes into any decimal, one by one.
fn from_each<'a>(values: impl Iterator<Item = &'a [u8]>, data_type: &DataType) -> Result<Buffer> {
    let buffer = match data_type {
        DataType::Decimal32(..) => each(values, i32::from_be_bytes),
        DataType::Decimal64(..) => each(values, i64::from_be_bytes),
        DataType::Decimal128(..) => each(values, i128::from_be_bytes),
        DataType::Decimal256(..) => each(values, i256::from_be_bytes),
        _ => return Err(wrong_shape(data_type)),
    };
    buffer.ok_or_else(|| does_not_fit("a decimal", data_type))
}

fn each<'a, T: ArrowNativeType, const W: usize>(values: impl Iterator<Item = &'a [u8]>, number: impl Fn([u8; W]) -> T) -> Option<Buffer> {
    let numbers: Option<Vec<T>> = values.map(|bytes| extend(bytes).map(&number)).collect();
    numbers.map(Buffer::from_vec)
}

/// A big-endian number in `W` bytes, if it fits; none at all are 0.
fn extend<const W: usize>(bytes: &[u8]) -> Option<[u8; W]> {
    let sign = if bytes.first().is_some_and(|byte| *byte > 0x7F) { 0xFF } else { 0 };
    let mut wide = [sign; W];
    let (more, bytes) = bytes.split_at_checked(bytes.len().saturating_sub(W))?;
    wide.get_mut(W.saturating_sub(bytes.len())..)?.copy_from_slice(bytes);
    // Bytes beyond must repeat the sign that the rest has by itself.
    let is_same = (*wide.first()? > 0x7F) == (sign == 0xFF);
    (more.iter().all(|byte| *byte == sign) && (more.is_empty() || is_same)).then_some(wide)
}
