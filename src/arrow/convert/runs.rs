//! Run-end encoded arrays: each run of equal values once, and where it ends.

use std::sync::Arc;

use arrow_array::types::{Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{ArrayRef, PrimitiveArray, RunArray, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, FieldRef};
use arrow_select::take::take;

use crate::arrow::convert::{Conversion, arrays, is_valid, refused, wrong_shape};
use crate::encoding::Part;
use crate::error::{Error, Result};
use crate::values::Values;

/// A run-end encoded array of a part's slots.
pub(super) fn array(
    part: Part,
    validity: Option<NullBuffer>,
    conversion: Conversion,
    data_type: &DataType,
    values: &FieldRef,
    most_bytes: usize,
) -> Result<ArrayRef> {
    let DataType::RunEndEncoded(ends_field, _) = data_type else { return Err(wrong_shape(data_type)) };
    let starts = starts(&part, validity.as_ref());
    let too_long = |_| Error::limit("more values in one batch than the ends of runs can count: read fewer rows at a time");
    let slots = i32::try_from(part.len()).map_err(too_long)?.cast_unsigned();
    let array = match <[ArrayRef; 1]>::try_from(arrays(part, validity, conversion, values.data_type(), most_bytes)?) {
        Ok([array]) => array,
        Err(_) => return Err(Error::limit("the values of one batch do not fit into one array: read fewer rows at a time")),
    };
    let ends = starts.iter().copied().skip(1).chain([slots]);
    let ends: Vec<i64> = ends.map(i64::from).collect();
    let values = take(&array, &UInt32Array::from(starts), None).map_err(refused)?;
    match ends_field.data_type() {
        DataType::Int32 => run_array::<Int32Type>(ends.into_iter().map(|end| end as i32), &values),
        DataType::Int64 => run_array::<Int64Type>(ends.into_iter(), &values),
        _ => Err(wrong_shape(data_type)),
    }
}

fn run_array<R: RunEndIndexType>(ends: impl Iterator<Item = R::Native>, values: &ArrayRef) -> Result<ArrayRef> {
    let ends = PrimitiveArray::<R>::from_iter_values(ends);
    Ok(Arc::new(RunArray::try_new(&ends, values).map_err(refused)?))
}

/// The first slot of each run.
fn starts(part: &Part, validity: Option<&NullBuffer>) -> Vec<u32> {
    match part {
        Part::Indices { indices, .. } => boundaries(indices.iter(), validity),
        Part::Values(Values::Words32(words)) => boundaries(words.iter(), validity),
        Part::Values(Values::Words64(words)) => boundaries(words.iter(), validity),
        Part::Values(Values::Bits(bits)) => boundaries(bits.iter(), validity),
        Part::Values(Values::Bytes(arrays)) => boundaries(arrays.iter(), validity),
        Part::Values(Values::Fixed(fixed)) => boundaries(fixed.iter(), validity),
    }
}

fn boundaries<T: PartialEq>(values: impl Iterator<Item = T>, validity: Option<&NullBuffer>) -> Vec<u32> {
    let mut last = None;
    let mut starts = Vec::new();
    for (slot, value) in values.enumerate() {
        let value = is_valid(validity, slot).then_some(value);
        if last.as_ref() != Some(&value) {
            starts.push(slot as u32);
            last = Some(value);
        }
    }
    starts
}
