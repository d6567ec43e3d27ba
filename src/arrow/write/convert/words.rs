//! Numbers of up to 64 bits.

use std::borrow::Cow;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType, Time64NanosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::{DataType, TimeUnit};

use crate::arrow::write::convert::{Dense, gather, wrong_array};
use crate::arrow::write::runs::Runs;
use crate::error::Result;
use crate::values::Values;

/// Numbers of 32 bits, or narrower ones widened.
pub(super) fn words32<'a>(array: &'a dyn Array, slots: &Runs) -> Result<Dense<'a>> {
    Ok(match array.data_type() {
        DataType::Int8 => widen::<Int8Type>(array, slots, |value| i32::from(value).cast_unsigned()),
        DataType::Int16 => widen::<Int16Type>(array, slots, |value| i32::from(value).cast_unsigned()),
        DataType::UInt8 => widen::<UInt8Type>(array, slots, u32::from),
        DataType::UInt16 => widen::<UInt16Type>(array, slots, u32::from),
        DataType::Int32 => same32::<Int32Type>(array, slots),
        DataType::UInt32 => same32::<UInt32Type>(array, slots),
        DataType::Float32 => same32::<Float32Type>(array, slots),
        DataType::Date32 => same32::<Date32Type>(array, slots),
        other => return Err(wrong_array(other)),
    })
}

/// Numbers of 64 bits.
pub(super) fn words64<'a>(array: &'a dyn Array, slots: &Runs) -> Result<Dense<'a>> {
    Ok(match array.data_type() {
        DataType::Int64 => same64::<Int64Type>(array, slots),
        DataType::UInt64 => same64::<UInt64Type>(array, slots),
        DataType::Float64 => same64::<Float64Type>(array, slots),
        DataType::Time64(TimeUnit::Microsecond) => same64::<Time64MicrosecondType>(array, slots),
        DataType::Time64(TimeUnit::Nanosecond) => same64::<Time64NanosecondType>(array, slots),
        DataType::Duration(TimeUnit::Second) => same64::<DurationSecondType>(array, slots),
        DataType::Duration(TimeUnit::Millisecond) => same64::<DurationMillisecondType>(array, slots),
        DataType::Duration(TimeUnit::Microsecond) => same64::<DurationMicrosecondType>(array, slots),
        DataType::Duration(TimeUnit::Nanosecond) => same64::<DurationNanosecondType>(array, slots),
        other => return Err(wrong_array(other)),
    })
}

fn widen<'a, T: ArrowPrimitiveType>(array: &'a dyn Array, slots: &Runs, widen: impl Fn(T::Native) -> u32) -> Dense<'a> {
    let values = array.as_primitive::<T>().values();
    let mut out = Vec::with_capacity(slots.len());
    slots.iter().for_each(|run| out.extend(values.get(run).unwrap_or_default().iter().map(|value| widen(*value))));
    Dense::Owned(Values::Words32(out))
}

/// The bits of 32-bit values as they are.
pub(super) fn same32<'a, T: ArrowPrimitiveType>(array: &'a dyn Array, slots: &Runs) -> Dense<'a>
where
    T::Native: bytemuck::Pod,
{
    match gather(bytemuck::cast_slice(array.as_primitive::<T>().values()), slots) {
        Cow::Borrowed(words) => Dense::Words32(words),
        Cow::Owned(words) => Dense::Owned(Values::Words32(words)),
    }
}

/// The bits of 64-bit values as they are.
pub(super) fn same64<'a, T: ArrowPrimitiveType>(array: &'a dyn Array, slots: &Runs) -> Dense<'a>
where
    T::Native: bytemuck::Pod,
{
    match gather(bytemuck::cast_slice(array.as_primitive::<T>().values()), slots) {
        Cow::Borrowed(words) => Dense::Words64(words),
        Cow::Owned(words) => Dense::Owned(Values::Words64(words)),
    }
}
