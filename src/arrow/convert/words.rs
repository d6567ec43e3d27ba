//! Words of 4 and 8 bytes: integers, floating point numbers, dates, times.

use arrow_array::ArrayRef;
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::DataType;

use crate::arrow::convert::{Conversion, does_not_fit, primitive, wrong_shape};
use crate::error::Result;
use crate::simd::vectorized;

/// An array from words of 32 bits.
pub(super) fn from_words32(
    words: Vec<u32>,
    validity: Option<NullBuffer>,
    conversion: Conversion,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let slots = words.len();
    let buffer = match (conversion, data_type.primitive_width()) {
        (Conversion::Same, Some(4)) => Buffer::from_vec(words),
        (Conversion::Truncate, Some(1)) => Buffer::from_vec(vectorized!(truncate8(&words))),
        (Conversion::Truncate, Some(2)) => Buffer::from_vec(vectorized!(truncate16(&words))),
        (Conversion::Scale(factor), Some(8)) => Buffer::from_vec(vectorized!(scale(&words, factor))),
        (Conversion::Whole(divisor), Some(4)) => {
            let divisor = i32::try_from(divisor).map_err(|_| wrong_shape(data_type))?;
            Buffer::from_vec(whole(&words, |word| exact(word.cast_signed(), divisor)).ok_or_else(|| not_whole(data_type))?)
        }
        _ => return Err(wrong_shape(data_type)),
    };
    primitive(data_type, slots, buffer, validity)
}

/// An array from words of 64 bits.
pub(super) fn from_words64(
    words: Vec<u64>,
    validity: Option<NullBuffer>,
    conversion: Conversion,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let slots = words.len();
    let buffer = match (conversion, data_type.primitive_width()) {
        (Conversion::Same, Some(8)) => Buffer::from_vec(words),
        (Conversion::Whole(divisor), Some(8)) => {
            let exact = |word: u64| {
                let word = word.cast_signed();
                (word.checked_rem(divisor)? == 0).then(|| word.checked_div(divisor)).flatten()
            };
            Buffer::from_vec(whole(&words, exact).ok_or_else(|| not_whole(data_type))?)
        }
        _ => return Err(wrong_shape(data_type)),
    };
    primitive(data_type, slots, buffer, validity)
}

#[inline(always)]
fn truncate8(words: &[u32]) -> Vec<u8> {
    words.iter().map(|word| *word as u8).collect()
}

#[inline(always)]
fn truncate16(words: &[u32]) -> Vec<u16> {
    words.iter().map(|word| *word as u16).collect()
}

/// The factors that occur keep the product of 32 bits within 64.
#[inline(always)]
fn scale(words: &[u32], factor: i64) -> Vec<i64> {
    words.iter().map(|word| i64::from(word.cast_signed()).wrapping_mul(factor)).collect()
}

fn exact(word: i32, divisor: i32) -> Option<i32> {
    (word.checked_rem(divisor)? == 0).then(|| word.checked_div(divisor)).flatten()
}

fn whole<W: Copy, T>(words: &[W], exact: impl Fn(W) -> Option<T>) -> Option<Vec<T>> {
    words.iter().map(|word| exact(*word)).collect()
}

#[cold]
fn not_whole(data_type: &DataType) -> crate::error::Error {
    does_not_fit("a time with a fraction of a second, where the stored Arrow schema speaks of seconds,", data_type)
}
