//! Points in time in the unit of the column: Parquet has no seconds, no dates in milliseconds, and callers may want a
//! coarser unit than they have.

use std::borrow::Cow;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date64Type, Time32MillisecondType, Time32SecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};

use crate::arrow::write::convert::{Dense, Target, gather, words, wrong_array};
use crate::arrow::write::runs::Runs;
use crate::error::{Error, Result};
use crate::schema::{LogicalType, TimeUnit};
use crate::simd::vectorized;
use crate::values::{FixedBytes, Values};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The Julian day of 1970-01-01.
const EPOCH: i64 = 2_440_588;

/// Timestamps, times of 32 bits, and dates in milliseconds.
pub(super) fn dense<'a>(array: &'a dyn Array, slots: &Runs, target: Target<'_>) -> Result<Dense<'a>> {
    match array.data_type() {
        DataType::Timestamp(from, _) => {
            let instants = timestamps(array, slots, *from);
            let to = match target.leaf.logical_type {
                Some(LogicalType::Timestamp { unit, .. }) => per_second(unit),
                _ => return Err(wrong_array(array.data_type())),
            };
            scale(instants, per_second_of(*from), to, target.truncate)
        }
        DataType::Time32(ArrowUnit::Millisecond) => Ok(words::same32::<Time32MillisecondType>(array, slots)),
        DataType::Time32(ArrowUnit::Second) => {
            let seconds = gather(array.as_primitive::<Time32SecondType>().values(), slots);
            let millis: Option<Vec<u32>> = seconds.iter().map(|time| Some(time.checked_mul(1000)?.cast_unsigned())).collect();
            millis.map(|millis| Dense::Owned(Values::Words32(millis))).ok_or_else(|| overflow("a time of day", "milliseconds"))
        }
        DataType::Date64 => days(&gather(array.as_primitive::<Date64Type>().values(), slots), target.truncate),
        other => Err(wrong_array(other)),
    }
}

fn timestamps<'a>(array: &'a dyn Array, slots: &Runs, unit: ArrowUnit) -> Cow<'a, [i64]> {
    fn of<'a, T: ArrowPrimitiveType<Native = i64>>(array: &'a dyn Array, slots: &Runs) -> Cow<'a, [i64]> {
        gather(array.as_primitive::<T>().values(), slots)
    }
    match unit {
        ArrowUnit::Second => of::<TimestampSecondType>(array, slots),
        ArrowUnit::Millisecond => of::<TimestampMillisecondType>(array, slots),
        ArrowUnit::Microsecond => of::<TimestampMicrosecondType>(array, slots),
        ArrowUnit::Nanosecond => of::<TimestampNanosecondType>(array, slots),
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Millis => 1_000,
        TimeUnit::Micros => 1_000_000,
        TimeUnit::Nanos => 1_000_000_000,
    }
}

fn per_second_of(unit: ArrowUnit) -> i64 {
    match unit {
        ArrowUnit::Second => 1,
        ArrowUnit::Millisecond => 1_000,
        ArrowUnit::Microsecond => 1_000_000,
        ArrowUnit::Nanosecond => 1_000_000_000,
    }
}

fn scale(instants: Cow<'_, [i64]>, from: i64, to: i64, truncate: bool) -> Result<Dense<'_>> {
    if from == to {
        return Ok(match instants {
            Cow::Borrowed(instants) => Dense::Words64(bytemuck::cast_slice(instants)),
            Cow::Owned(instants) => Dense::Owned(Values::Words64(bytemuck::cast_vec(instants))),
        });
    }
    let scaled = if from < to {
        let (scaled, overflows) = vectorized!(finer(&instants, to / from));
        if overflows {
            return Err(overflow("a timestamp", "the unit of its column"));
        }
        scaled
    } else {
        let (scaled, loses) = coarser(&instants, from / to);
        if loses && !truncate {
            return Err(lossy("a timestamp is more exact than the unit it is to be stored in"));
        }
        scaled
    };
    Ok(Dense::Owned(Values::Words64(scaled)))
}

#[inline(always)]
fn finer(instants: &[i64], factor: i64) -> (Vec<u64>, bool) {
    let mut overflows = false;
    let scaled = instants.iter().map(|instant| {
        let (scaled, overflow) = instant.overflowing_mul(factor);
        overflows |= overflow;
        scaled.cast_unsigned()
    });
    (scaled.collect(), overflows)
}

fn coarser(instants: &[i64], divisor: i64) -> (Vec<u64>, bool) {
    let mut loses = false;
    let scaled = instants.iter().map(|instant| {
        let scaled = instant.div_euclid(divisor);
        loses |= scaled * divisor != *instant;
        scaled.cast_unsigned()
    });
    (scaled.collect(), loses)
}

fn days<'a>(millis: &[i64], truncate: bool) -> Result<Dense<'a>> {
    let mut days = Vec::with_capacity(millis.len());
    for millis in millis {
        if millis % DAY != 0 && !truncate {
            return Err(lossy("a Date64 has a time of day, and the column holds days"));
        }
        days.push(i32::try_from(millis.div_euclid(DAY)).map_err(|_| overflow("a date", "days"))?.cast_unsigned());
    }
    Ok(Dense::Owned(Values::Words32(days)))
}

/// Timestamps as nanoseconds of a day and a Julian day.
pub(super) fn int96<'a>(array: &'a dyn Array, slots: &Runs, unit: ArrowUnit) -> Result<Dense<'a>> {
    let (each_second, instants) = (per_second_of(unit), timestamps(array, slots, unit));
    let (each_day, nanos) = (86_400 * each_second, 1_000_000_000 / each_second);
    let mut fixed = FixedBytes::new(12);
    for instant in instants.iter() {
        let day = u32::try_from(instant.div_euclid(each_day) + EPOCH).map_err(|_| overflow("a timestamp", "Julian days"))?;
        let mut bytes = [0; 12];
        let (time, date) = bytes.split_at_mut(8);
        time.copy_from_slice(&(instant.rem_euclid(each_day) * nanos).to_le_bytes());
        date.copy_from_slice(&day.to_le_bytes());
        fixed.extend_from_bytes(&bytes);
    }
    Ok(Dense::Owned(Values::Fixed(fixed)))
}

#[cold]
fn overflow(what: &str, unit: &str) -> Error {
    Error::usage(format!("{what} is too far away to be stored in {unit}"))
}

/// The error for values that a column would not hold whole.
#[cold]
pub(super) fn lossy(what: &str) -> Error {
    Error::usage(format!("{what}: allow truncation (WriterOptionsBuilder::allow_truncation) or round the values"))
}
