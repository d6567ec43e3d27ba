//! Decoded values as Arrow arrays.
//!
//! How a column's values become an array is chosen once, as a [`Conversion`], and carried out here a part at a time. Where
//! the bits are already what Arrow wants, the vector becomes the array's buffer without a copy.

mod bytes;
mod decimal;
mod dictionary;
mod distinct;
mod fixed;
mod runs;
mod short;
mod words;

use std::sync::Arc;

pub(crate) use dictionary::{ahead as convert_ahead, widens};

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{ArrayRef, BooleanArray, NullArray, PrimitiveArray, downcast_primitive, make_array, new_empty_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType};

use crate::arrow::types::Overflow;
use crate::encoding::Part;
use crate::error::{Error, Result};
use crate::values::{Bits, Values};

/// How values become an array of the value type that the Arrow field names; chosen once for each column.
///
/// Where that type is a dictionary or run-end encoded, this is about the values inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// The bits are what Arrow wants: words of the type's own width, booleans.
    Same,
    /// The low 8 or 16 bits of words of 32.
    Truncate,
    /// Signed words of 32 bits become words of 64 bits, times a factor.
    Scale(i64),
    /// Signed words, divided by a divisor; a remainder is an error.
    Whole(i64),
    /// Text, checked to be UTF-8.
    Text,
    /// Bytes as they are.
    Bytes,
    /// Numbers, in words or as big-endian bytes, become decimals of the type's width.
    Decimal,
    /// Two bytes, little-endian, become half precision numbers.
    Float16,
    /// Nanoseconds of a day and a Julian day become a timestamp.
    Int96(Overflow),
    /// Months, days and milliseconds become an interval of the type's form.
    Interval,
    /// The column has no values, only nulls.
    Null,
}

impl Conversion {
    /// Values of no slots.
    pub(crate) fn empty_values(self) -> Values {
        // An empty part is an empty array, whatever its shape.
        Values::Bits(Bits::new())
    }
}

/// The array of a part's slots, of which those that `validity` says are null. Most often there is one array, but `Utf8` and
/// `Binary` arrays end at 2 GiB, so that a part whose values come from a dictionary can take several in a row; all of them may
/// take `most_bytes`.
///
/// # Errors
/// `Limit` for more bytes than that, which a few of a dictionary can become.
/// `Malformed` for values that the type cannot have: text that is not UTF-8, numbers that do not fit. `Unsupported` when
/// a dictionary's keys are too narrow for its values.
pub(crate) fn arrays(
    part: Part,
    validity: Option<NullBuffer>,
    conversion: Conversion,
    data_type: &DataType,
    most_bytes: usize,
) -> Result<Vec<ArrayRef>> {
    let slots = part.len();
    if validity.as_ref().is_some_and(|validity| validity.len() != slots) {
        return Err(Error::usage("validity of another length than the values"));
    }
    if conversion == Conversion::Null {
        return Ok(vec![Arc::new(NullArray::new(slots))]);
    }
    if slots == 0 {
        return Ok(vec![new_empty_array(data_type)]);
    }
    if let DataType::RunEndEncoded(_, values) = data_type {
        return runs::array(part, validity, conversion, data_type, values, most_bytes).map(one);
    }
    match part {
        Part::Indices { indices, dictionary } => dictionary::arrays(indices, &dictionary, validity, conversion, data_type, most_bytes),
        Part::Values(values) if matches!(data_type, DataType::Dictionary(..)) => {
            let (indices, dictionary) = distinct::encode(&values)?;
            dictionary::arrays(indices, &dictionary, validity, conversion, data_type, most_bytes)
        }
        Part::Values(values) => plain(values, validity, conversion, data_type).map(one),
    }
}

fn one(array: ArrayRef) -> Vec<ArrayRef> {
    vec![array]
}

/// The array of values that are there themselves, in a type that is neither a dictionary nor run-end encoded.
fn plain(values: Values, validity: Option<NullBuffer>, conversion: Conversion, data_type: &DataType) -> Result<ArrayRef> {
    match (values, conversion) {
        (Values::Bits(bits), Conversion::Same) => booleans(bits, validity),
        (Values::Words32(words), Conversion::Decimal) => decimal::from_words32(words, validity, data_type),
        (Values::Words64(words), Conversion::Decimal) => decimal::from_words64(words, validity, data_type),
        (Values::Words32(words), _) => words::from_words32(words, validity, conversion, data_type),
        (Values::Words64(words), _) => words::from_words64(words, validity, conversion, data_type),
        (Values::Bytes(arrays), Conversion::Text | Conversion::Bytes) => bytes::array(arrays, validity, data_type),
        (Values::Bytes(arrays), Conversion::Decimal) => decimal::from_bytes(&arrays, validity, data_type),
        (Values::Fixed(fixed), Conversion::Decimal) => decimal::from_fixed(&fixed, validity, data_type),
        (Values::Fixed(fixed), _) => fixed::array(fixed, validity, conversion, data_type),
        _ => Err(wrong_shape(data_type)),
    }
}

fn booleans(bits: Bits, validity: Option<NullBuffer>) -> Result<ArrayRef> {
    let length = bits.len();
    // Little-endian words are Arrow's bytes; on other machines this turns them.
    let words: Vec<u64> = bits.into_words().into_iter().map(u64::to_le).collect();
    Ok(Arc::new(BooleanArray::new(BooleanBuffer::new(Buffer::from_vec(words), 0, length), validity)))
}

/// An array of values of one width from its buffer. Validity without a null is left out by the caller.
///
/// Those that are numbers to Arrow are made without `ArrayData`, which was 6 % of reading 80,000 arrays of 100 values: all but `FixedSizeBinary`. A buffer
/// that does not fit goes the long way as well, which says what is wrong with it.
fn primitive(data_type: &DataType, slots: usize, buffer: Buffer, validity: Option<NullBuffer>) -> Result<ArrayRef> {
    macro_rules! numbers {
        ($type:ty) => {
            if holds::<<$type as ArrowPrimitiveType>::Native>(&buffer, slots) {
                let array = PrimitiveArray::<$type>::try_new(ScalarBuffer::new(buffer, 0, slots), validity).map_err(refused)?;
                return Ok(Arc::new(array.with_data_type(data_type.clone())));
            }
        };
    }
    downcast_primitive! { data_type => (numbers), _ => {} }
    let data = ArrayData::builder(data_type.clone()).len(slots).add_buffer(buffer).nulls(validity).build();
    data.map(make_array).map_err(refused)
}

/// Whether a buffer is so many values of a type, and lies where they may.
fn holds<T>(buffer: &Buffer, slots: usize) -> bool {
    buffer.len().checked_div(size_of::<T>()) == Some(slots) && buffer.as_ptr().cast::<T>().is_aligned()
}

/// What Arrow's own checks refuse.
#[cold]
fn refused(error: ArrowError) -> Error {
    Error::malformed(format!("the values make no Arrow array: {error}")).with_source(error)
}

#[cold]
fn wrong_shape(data_type: &DataType) -> Error {
    Error::usage(format!("values of this shape do not become {data_type}"))
}

#[cold]
fn does_not_fit(what: &str, data_type: &DataType) -> Error {
    Error::malformed(format!("{what} does not fit into {data_type}"))
}

/// Whether a slot has a value.
fn is_valid(validity: Option<&NullBuffer>, slot: usize) -> bool {
    validity.is_none_or(|validity| slot < validity.len() && validity.is_valid(slot))
}

#[cfg(test)]
mod tests;
