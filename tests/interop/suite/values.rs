//! Values of each type that other readers can hold as well: the whole range of the type where it is common to all, dates
//! and times within it where calendars end.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Int32Array, LargeBinaryArray, LargeStringArray,
    PrimitiveArray, RunArray, StringArray, make_array,
};
use arrow_buffer::{Buffer, IntervalMonthDayNano, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use half::f16;

use crate::arrays::Random;

const DAY: i128 = 86_400;

/// The first and the last day of the calendar that everybody reads: 0001-01-01 and 9999-12-31.
const DAYS: (i128, i128) = (-719_162, 2_932_896);

/// An array of `len` values; nulls now and then, and some in a row, where it may have them.
pub fn leaf(data_type: &DataType, len: usize, nullable: bool) -> ArrayRef {
    let mut random = Random::new(len as u64);
    let nulls = nullable.then(|| (0..len).map(|at| !(at % 5 == 3 || (60..75).contains(&at))).collect::<NullBuffer>());
    match data_type {
        DataType::Boolean => {
            let bits = (0..len).map(|at| if (at / 40).is_multiple_of(2) { random.one_in(2) } else { at % 80 > 20 }).collect();
            Arc::new(BooleanArray::new(bits, nulls))
        }
        DataType::Float16 => floats(len, nulls, data_type, |value| f16::from_f64(value).to_le_bytes().to_vec()),
        DataType::Float32 => floats(len, nulls, data_type, |value| (value as f32).to_le_bytes().to_vec()),
        DataType::Float64 => floats(len, nulls, data_type, |value| value.to_le_bytes().to_vec()),
        DataType::Utf8 => Arc::new(nulled(StringArray::from_iter_values(texts(len)), nulls)),
        DataType::LargeUtf8 => Arc::new(nulled(LargeStringArray::from_iter_values(texts(len)), nulls)),
        DataType::Utf8View => {
            let mut builder = StringViewBuilder::new();
            texts(len).iter().for_each(|text| builder.append_value(text));
            Arc::new(nulled(builder.finish(), nulls))
        }
        DataType::Binary => Arc::new(nulled(BinaryArray::from_iter_values(bytes(len)), nulls)),
        DataType::LargeBinary => Arc::new(nulled(LargeBinaryArray::from_iter_values(bytes(len)), nulls)),
        DataType::BinaryView => {
            let mut builder = BinaryViewBuilder::new();
            bytes(len).iter().for_each(|value| builder.append_value(value));
            Arc::new(nulled(builder.finish(), nulls))
        }
        DataType::FixedSizeBinary(width) => {
            let all: Vec<u8> = (0..len * *width as usize).map(|at| if at % 3 == 0 { 7 } else { random.next() as u8 }).collect();
            Arc::new(FixedSizeBinaryArray::new(*width, Buffer::from_vec(all), nulls))
        }
        DataType::Dictionary(_, values) => {
            let keys = PrimitiveArray::<Int32Type>::new((0..len).map(|at| (at * at % 9) as i32).collect::<Vec<_>>().into(), nulls);
            Arc::new(DictionaryArray::new(keys, leaf(values, 9, false)))
        }
        DataType::RunEndEncoded(_, values) => {
            let ends: Int32Array = (1..=len.div_ceil(6)).map(|run| (run * 6).min(len) as i32).collect();
            Arc::new(RunArray::<Int32Type>::try_new(&ends, &leaf(values.data_type(), len.div_ceil(6), nullable)).unwrap())
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let mut part = || (random.next() % 1_000) as i32;
            let all: Vec<_> = (0..len).map(|_| IntervalMonthDayNano::new(part(), part(), i64::from(part()) * 1_000_000)).collect();
            primitive(data_type, Buffer::from_vec(all), nulls, len)
        }
        _ => numbers(data_type, nulls, len),
    }
}

fn nulled<A: Array + From<ArrayData>>(array: A, nulls: Option<NullBuffer>) -> A {
    A::from(array.to_data().into_builder().nulls(nulls).build().unwrap())
}

fn primitive(data_type: &DataType, buffer: Buffer, nulls: Option<NullBuffer>, len: usize) -> ArrayRef {
    make_array(ArrayData::builder(data_type.clone()).len(len).add_buffer(buffer).nulls(nulls).build().unwrap())
}

/// Fixed-width values from their little-endian bytes.
fn fixed(data_type: &DataType, bytes: &[u8], nulls: Option<NullBuffer>, len: usize) -> ArrayRef {
    // Vectors of bytes are not aligned as words are.
    let mut aligned = vec![0_u128; bytes.len().div_ceil(16)];
    bytemuck::cast_slice_mut::<_, u8>(&mut aligned)[..bytes.len()].copy_from_slice(bytes);
    primitive(data_type, Buffer::from_vec(aligned), nulls, len)
}

/// Not a number, infinities, both zeros, prices that ALP packs, and numbers of which every bit is random.
fn floats(len: usize, nulls: Option<NullBuffer>, data_type: &DataType, to_bytes: fn(f64) -> Vec<u8>) -> ArrayRef {
    let mut random = Random::new(3);
    let edges = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.5, -65504.0, 5e-324, f64::MAX];
    let value = |at: usize| match at {
        _ if at < edges.len() => edges[at],
        _ if (at / 30).is_multiple_of(2) => (random.next() % 100_000) as f64 / 100.0,
        _ => f64::from_bits(random.next() >> 2 | 1 << 61) * if at.is_multiple_of(2) { 1.0 } else { -1.0 },
    };
    let bytes: Vec<u8> = (0..len).map(value).flat_map(to_bytes).collect();
    fixed(data_type, &bytes, nulls, len)
}

/// The least, the greatest, small steps, repeated and random numbers of the range.
fn numbers(data_type: &DataType, nulls: Option<NullBuffer>, len: usize) -> ArrayRef {
    let mut random = Random::new(5);
    let (low, high, step) = range(data_type);
    let span = ((high - low) / step + 1) as u128;
    let edges = [low, high, 0, step, -step, low + step, high - step];
    let width = data_type.primitive_width().unwrap();
    let value = |at: usize| match (at, at / 30 % 3) {
        _ if at < edges.len() => edges[at].clamp(low, high),
        (_, 0) => (step * at as i128 * 3).clamp(low, high),
        (_, 1) => (step * (random.below(4) as i128 * 7)).clamp(low, high),
        _ => low + ((u128::from(random.next()) << 64 | u128::from(random.next())) % span) as i128 * step,
    };
    let bytes: Vec<u8> = (0..len).map(value).flat_map(|value| wide(value)[..width].to_vec()).collect();
    fixed(data_type, &bytes, nulls, len)
}

/// 256 bits of a number.
fn wide(value: i128) -> [u8; 32] {
    let mut bytes = [if value < 0 { 0xff } else { 0 }; 32];
    bytes[..16].copy_from_slice(&value.to_le_bytes());
    bytes
}

/// The least and the greatest number that is written of a type, and the step between numbers.
fn range(data_type: &DataType) -> (i128, i128, i128) {
    use DataType as T;
    let per_second = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let digits = |precision: u8| {
        let most = 10_i128.pow(u32::from(precision).min(37)) - 1;
        (-most, most, 1)
    };
    match data_type {
        T::Int8 => (i8::MIN.into(), i8::MAX.into(), 1),
        T::Int16 => (i16::MIN.into(), i16::MAX.into(), 1),
        T::Int32 => (i32::MIN.into(), i32::MAX.into(), 1),
        T::Int64 => (i64::MIN.into(), i64::MAX.into(), 1),
        T::UInt8 => (0, u8::MAX.into(), 1),
        T::UInt16 => (0, u16::MAX.into(), 1),
        T::UInt32 => (0, u32::MAX.into(), 1),
        T::UInt64 => (0, u64::MAX.into(), 1),
        T::Date32 => (DAYS.0, DAYS.1, 1),
        T::Date64 => (DAYS.0 * DAY * 1000, DAYS.1 * DAY * 1000, DAY * 1000),
        T::Time32(unit) | T::Time64(unit) => (0, DAY * per_second(unit) - 1, 1),
        // 64 bits of nanoseconds end in the year 2262.
        T::Timestamp(TimeUnit::Nanosecond, _) => (-9_000_000_000_000_000_000, 9_000_000_000_000_000_000, 1),
        T::Timestamp(unit, _) => (DAYS.0 * DAY * per_second(unit), (DAYS.1 + 1) * DAY * per_second(unit) - 1, 1),
        T::Duration(_) => (-(1 << 53), 1 << 53, 1),
        T::Decimal32(precision, _) | T::Decimal64(precision, _) | T::Decimal128(precision, _) | T::Decimal256(precision, _) => {
            digits(*precision)
        }
        other => unreachable!("{other} is no number"),
    }
}

/// Empty, short and long texts, of one to four bytes a letter, many with a prefix in common.
fn texts(len: usize) -> Vec<String> {
    let mut random = Random::new(7);
    let text = |at: usize| match at {
        0 => String::new(),
        1 => "a\0b\"'\\\n".to_owned(),
        2 => "\u{10FFFF}\u{1F426}é".repeat(50),
        _ if (at / 30).is_multiple_of(2) => format!("sea/north/{}", 1000 + at),
        _ => ["herring", "sprat", "", "шпрот", "鯡"][random.below(5)].to_owned(),
    };
    (0..len).map(text).collect()
}

/// Bytes that are no text.
fn bytes(len: usize) -> Vec<Vec<u8>> {
    let mut random = Random::new(11);
    let value = |at: usize| match at % 4 {
        0 => vec![],
        1 => vec![0xff, 0, at as u8],
        2 => vec![9; at % 70],
        _ => random.next().to_be_bytes().to_vec(),
    };
    (0..len).map(value).collect()
}
