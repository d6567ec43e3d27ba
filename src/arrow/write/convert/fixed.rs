//! Values of one width: bytes, half precision numbers, intervals.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType};
use arrow_buffer::IntervalMonthDayNano;
use arrow_schema::{DataType, IntervalUnit};

use crate::arrow::write::convert::time::lossy;
use crate::arrow::write::convert::{Dense, Target, gather, wrong_array};
use crate::arrow::write::runs::Runs;
use crate::error::{Error, Result};
use crate::values::{FixedBytes, FixedSlice, Values};

/// Values of the column's width.
pub(super) fn dense<'a>(array: &'a dyn Array, slots: &Runs, target: Target<'_>) -> Result<Dense<'a>> {
    let width = target.leaf.type_length;
    match array.data_type() {
        DataType::FixedSizeBinary(size) if usize::try_from(*size) == Ok(width) => {
            let data = array.as_fixed_size_binary().value_data();
            let part = |run: std::ops::Range<usize>| data.get(run.start * width..run.end * width).unwrap_or_default();
            if let Some(run) = slots.as_one() {
                return Ok(Dense::Fixed(FixedSlice::new(width, part(run))?));
            }
            let mut fixed = FixedBytes::new(width);
            slots.iter().for_each(|run| fixed.extend_from_bytes(part(run)));
            Ok(Dense::Owned(Values::Fixed(fixed)))
        }
        DataType::Float16 if width == 2 => {
            let halves = gather(array.as_primitive::<Float16Type>().values(), slots);
            let data: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
            Ok(Dense::Owned(owned(2, &data)))
        }
        DataType::Interval(unit) if width == 12 => intervals(array, slots, *unit, target.truncate),
        other => Err(wrong_array(other)),
    }
}

/// A container of values of a width.
pub(super) fn owned(width: usize, data: &[u8]) -> Values {
    let mut fixed = FixedBytes::new(width);
    fixed.extend_from_bytes(data);
    Values::Fixed(fixed)
}

/// Months, days and milliseconds, of 4 bytes each. Parquet calls them unsigned; the forms without nanoseconds keep their
/// signs in two's complement, as other writers have it.
fn intervals<'a>(array: &'a dyn Array, slots: &Runs, unit: IntervalUnit, truncate: bool) -> Result<Dense<'a>> {
    let mut data = Vec::with_capacity(slots.len() * 12);
    let mut push = |parts: [u32; 3]| parts.iter().for_each(|part| data.extend_from_slice(&part.to_le_bytes()));
    match unit {
        IntervalUnit::YearMonth => {
            for months in gather(array.as_primitive::<IntervalYearMonthType>().values(), slots).iter() {
                push([months.cast_unsigned(), 0, 0]);
            }
        }
        IntervalUnit::DayTime => {
            for interval in gather(array.as_primitive::<IntervalDayTimeType>().values(), slots).iter() {
                push([0, interval.days.cast_unsigned(), interval.milliseconds.cast_unsigned()]);
            }
        }
        IntervalUnit::MonthDayNano => {
            for interval in gather(array.as_primitive::<IntervalMonthDayNanoType>().values(), slots).iter() {
                push(month_day_nano(*interval, truncate)?);
            }
        }
    }
    Ok(Dense::Owned(owned(12, &data)))
}

fn month_day_nano(interval: IntervalMonthDayNano, truncate: bool) -> Result<[u32; 3]> {
    let IntervalMonthDayNano { months, days, nanoseconds } = interval;
    if nanoseconds % 1_000_000 != 0 && !truncate {
        return Err(lossy("an interval has parts of a millisecond, and the column holds milliseconds"));
    }
    let parts = [i64::from(months), i64::from(days), nanoseconds.div_euclid(1_000_000)];
    let parts = parts.map(|part| u32::try_from(part).ok());
    match parts {
        [Some(months), Some(days), Some(millis)] => Ok([months, days, millis]),
        _ => Err(Error::usage("an interval is negative or longer than 2^32 milliseconds, which Parquet's INTERVAL cannot hold")),
    }
}
