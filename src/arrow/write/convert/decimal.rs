//! Decimals: as integers where the column holds those, else big-endian.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type};
use arrow_buffer::i256;
use arrow_schema::DataType;

use crate::arrow::write::convert::{Dense, fixed, gather, words, wrong_array};
use crate::arrow::write::runs::Runs;
use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::schema::Leaf;
use crate::simd::vectorized;
use crate::values::Values;

/// Decimals of any width.
pub(super) fn dense<'a>(array: &'a dyn Array, slots: &Runs, leaf: &Leaf) -> Result<Dense<'a>> {
    match (array.data_type(), leaf.physical_type) {
        (DataType::Decimal32(..), PhysicalType::Int32) => Ok(words::same32::<Decimal32Type>(array, slots)),
        (DataType::Decimal64(..), PhysicalType::Int64) => Ok(words::same64::<Decimal64Type>(array, slots)),
        (DataType::Decimal32(..), _) => {
            let numbers: Vec<i64> = gather(array.as_primitive::<Decimal32Type>().values(), slots).iter().map(|n| i64::from(*n)).collect();
            of_64(&numbers, leaf)
        }
        (DataType::Decimal64(..), _) => of_64(&gather(array.as_primitive::<Decimal64Type>().values(), slots), leaf),
        (DataType::Decimal128(..), _) => of_128(&gather(array.as_primitive::<Decimal128Type>().values(), slots), leaf),
        (DataType::Decimal256(..), _) => of_256(&gather(array.as_primitive::<Decimal256Type>().values(), slots), leaf),
        (other, _) => Err(wrong_array(other)),
    }
}

fn of_64<'a>(numbers: &[i64], leaf: &Leaf) -> Result<Dense<'a>> {
    match leaf.physical_type {
        PhysicalType::Int32 => {
            let (words, misfit) = vectorized!(narrow(numbers, |n| n as i32 as u32, |word| i64::from(word.cast_signed())));
            owned(Values::Words32(words), misfit, leaf)
        }
        PhysicalType::FixedLenByteArray => {
            let wide: Vec<i128> = numbers.iter().map(|number| i128::from(*number)).collect();
            of_128(&wide, leaf)
        }
        _ => Err(wrong_array(&DataType::Int64)),
    }
}

fn of_128<'a>(numbers: &[i128], leaf: &Leaf) -> Result<Dense<'a>> {
    match leaf.physical_type {
        PhysicalType::Int32 => {
            let (words, misfit) = vectorized!(narrow(numbers, |n| n as i32 as u32, |word| i128::from(word.cast_signed())));
            owned(Values::Words32(words), misfit, leaf)
        }
        PhysicalType::Int64 => {
            let (words, misfit) = vectorized!(narrow(numbers, |n| n as i64 as u64, |word| i128::from(word.cast_signed())));
            owned(Values::Words64(words), misfit, leaf)
        }
        _ => big_endian(numbers.iter().map(|number| number.to_be_bytes()), leaf),
    }
}

fn of_256<'a>(numbers: &[i256], leaf: &Leaf) -> Result<Dense<'a>> {
    match leaf.physical_type {
        PhysicalType::FixedLenByteArray => big_endian(numbers.iter().map(|number| number.to_be_bytes()), leaf),
        _ => {
            let narrow: Option<Vec<i128>> = numbers.iter().map(|number| number.to_i128()).collect();
            of_128(&narrow.ok_or_else(|| too_many_digits(leaf))?, leaf)
        }
    }
}

/// Narrower numbers, and whether one of them is another than it was.
#[inline(always)]
fn narrow<N: Copy + PartialEq, W: Copy>(numbers: &[N], narrow: impl Fn(N) -> W, widen: impl Fn(W) -> N) -> (Vec<W>, bool) {
    let mut misfit = false;
    let words = numbers.iter().map(|number| {
        let word = narrow(*number);
        misfit |= widen(word) != *number;
        word
    });
    (words.collect(), misfit)
}

fn owned<'a>(values: Values, misfit: bool, leaf: &Leaf) -> Result<Dense<'a>> {
    if misfit { Err(too_many_digits(leaf)) } else { Ok(Dense::Owned(values)) }
}

/// The low bytes of numbers, of which those above repeat the sign.
fn big_endian<'a, const N: usize>(numbers: impl Iterator<Item = [u8; N]>, leaf: &Leaf) -> Result<Dense<'a>> {
    let mut data = Vec::new();
    let width = leaf.type_length;
    for number in numbers {
        let (above, low) = number.split_at_checked(N.saturating_sub(width)).unwrap_or_default();
        let sign = if low.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
        if above.iter().any(|byte| *byte != sign) {
            return Err(too_many_digits(leaf));
        }
        let fill = if number.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
        data.resize(data.len() + width.saturating_sub(N), fill);
        data.extend_from_slice(low);
    }
    Ok(Dense::Owned(fixed::owned(width, &data)))
}

#[cold]
fn too_many_digits(leaf: &Leaf) -> Error {
    let logical = leaf.logical_type.as_ref().map(ToString::to_string).unwrap_or_default();
    Error::usage(format!("a decimal has more digits than {logical} allows"))
}
