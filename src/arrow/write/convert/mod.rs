//! Slots of leaf arrays → values as columns store them: borrowed where the bits are the same and the slots are neighbours,
//! else gathered or computed.

mod bytes;
mod decimal;
mod fixed;
mod time;
mod words;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow_schema::DataType;

use crate::arrow::write::route::{indices, take};
use crate::arrow::write::runs::Runs;
use crate::encoding::Dictionary;
use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::schema::Leaf;
use crate::values::{Bits, BytesSlice, FixedSlice, Values, ValuesSlice};

/// What values become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) leaf: &'a Leaf,
    /// Whether what a column cannot hold of a value may be lost: parts of a second, of a day.
    pub(crate) truncate: bool,
}

/// The values of some slots.
#[derive(Debug)]
pub(crate) enum Dense<'a> {
    Words32(&'a [u32]),
    Words64(&'a [u64]),
    Fixed(FixedSlice<'a>),
    /// Byte arrays in a foreign buffer.
    Bytes(&'a [i32], &'a [u8]),
    /// Byte arrays in a foreign buffer by offsets of our own.
    Offsets(Vec<i32>, &'a [u8]),
    Owned(Values),
}

impl Dense<'_> {
    /// The values, borrowed.
    pub(crate) fn as_slice(&self) -> Result<ValuesSlice<'_>> {
        Ok(match self {
            Dense::Words32(words) => ValuesSlice::Words32(words),
            Dense::Words64(words) => ValuesSlice::Words64(words),
            Dense::Fixed(fixed) => ValuesSlice::Fixed(*fixed),
            Dense::Bytes(offsets, data) => ValuesSlice::Bytes(BytesSlice::new(offsets, data)?),
            Dense::Offsets(offsets, data) => ValuesSlice::Bytes(BytesSlice::new(offsets, data)?),
            Dense::Owned(values) => values.as_slice(),
        })
    }

    /// The values as a container.
    fn into_values(self) -> Result<Values> {
        Ok(match self {
            Dense::Words32(words) => Values::Words32(words.to_vec()),
            Dense::Words64(words) => Values::Words64(words.to_vec()),
            Dense::Owned(values) => values,
            Dense::Fixed(fixed) => fixed::owned(fixed.width(), fixed.data()),
            Dense::Bytes(offsets, data) => bytes::owned(BytesSlice::new(offsets, data)?)?,
            Dense::Offsets(offsets, data) => bytes::owned(BytesSlice::new(&offsets, data)?)?,
        })
    }
}

/// The values of slots that are not null.
///
/// # Errors
/// `Usage` for values that the column cannot hold, and arrays that it was not made for.
pub(crate) fn dense<'a>(array: &'a dyn Array, slots: &Runs, target: Target<'_>) -> Result<Dense<'a>> {
    let (data_type, leaf) = (array.data_type(), target.leaf);
    match (leaf.physical_type, data_type) {
        (_, DataType::Null) => Ok(Dense::Owned(Values::new(leaf.physical_type, leaf.type_length))),
        (PhysicalType::Boolean, DataType::Boolean) => booleans(array, slots),
        (PhysicalType::Int96, DataType::Timestamp(unit, _)) => time::int96(array, slots, *unit),
        (_, DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..)) => {
            decimal::dense(array, slots, leaf)
        }
        (_, DataType::Timestamp(..) | DataType::Time32(_) | DataType::Date64) => time::dense(array, slots, target),
        (PhysicalType::Int32 | PhysicalType::Float, _) => words::words32(array, slots),
        (PhysicalType::Int64 | PhysicalType::Double, _) => words::words64(array, slots),
        (PhysicalType::FixedLenByteArray, _) => fixed::dense(array, slots, target),
        (PhysicalType::ByteArray, _) => bytes::dense(array, slots),
        _ => Err(wrong_array(data_type)),
    }
}

/// The error for an array that is not of the column's type.
#[cold]
fn wrong_array(data_type: &DataType) -> Error {
    Error::usage(format!("an array of {data_type} does not go into this column"))
}

fn booleans<'a>(array: &'a dyn Array, slots: &Runs) -> Result<Dense<'a>> {
    let array: &BooleanArray = array.as_any().downcast_ref().ok_or_else(|| wrong_array(array.data_type()))?;
    let mut bits = Bits::new();
    bits.reserve(slots.len());
    for run in slots.iter() {
        bits.extend_from_bytes(array.values().values(), array.values().offset() + run.start, run.len());
    }
    Ok(Dense::Owned(Values::Bits(bits)))
}

/// The values of the dictionary that arrays before had, since arrays of one stream mostly share it.
pub(crate) type KnownDictionary = Option<(ArrayRef, Arc<Dictionary>)>;

/// What becomes of a dictionary or run-end encoded array.
pub(crate) enum Encoded {
    /// Indices and what they are into.
    Indices(Vec<u32>, Arc<Dictionary>),
    /// An array without the encoding: one slot for each value that is not null.
    Expanded(ArrayRef),
}

/// The slots of a dictionary or run-end encoded array, whose encoding is kept as far as it can be.
///
/// # Errors
/// As for [`dense`].
pub(crate) fn encoded(array: &ArrayRef, slots: &Runs, target: Target<'_>, known: &mut KnownDictionary) -> Result<Encoded> {
    let (indices, values) = indices(array, slots)?;
    let is_slices = matches!(target.leaf.physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray | PhysicalType::Int96);
    let is_plain = !matches!(values.data_type(), DataType::Dictionary(..) | DataType::RunEndEncoded(..) | DataType::Null);
    // Without a use for most of its entries, converting a dictionary costs more than looking values up.
    if !is_slices || !is_plain || values.null_count() > 0 || values.len() > indices.len().saturating_mul(4) {
        return take(&values, &UInt32Array::from(indices)).map(Encoded::Expanded);
    }
    let dictionary = match known {
        Some((of, dictionary)) if Arc::ptr_eq(of, &values) => Arc::clone(dictionary),
        _ => {
            let entries = dense(values.as_ref(), &Runs::all(values.len()), target)?.into_values()?;
            let dictionary = Arc::new(Dictionary::new(entries));
            *known = Some((values, Arc::clone(&dictionary)));
            dictionary
        }
    };
    Ok(Encoded::Indices(indices, dictionary))
}

/// The values of slots, borrowed where they are neighbours.
fn gather<'a, T: Copy>(values: &'a [T], slots: &Runs) -> std::borrow::Cow<'a, [T]> {
    if let Some(run) = slots.as_one() {
        return values.get(run).unwrap_or_default().into();
    }
    let mut out = Vec::with_capacity(slots.len());
    slots.iter().for_each(|run| out.extend_from_slice(values.get(run).unwrap_or_default()));
    out.into()
}
