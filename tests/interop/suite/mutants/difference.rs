//! How two readings of a file differ: by what their values are, whatever Arrow types hold them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Int32Type, Int64Type, IntervalDayTimeType,
    Time32MillisecondType, Time32SecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use crate::text;

/// How the rows of batches differ, if they do; where batches end does not matter.
pub fn difference(ours: &[RecordBatch], theirs: &[RecordBatch]) -> Option<String> {
    if rows(ours) != rows(theirs) {
        return Some(format!("{} rows here, {} there", rows(ours), rows(theirs)));
    }
    let mut at = 0;
    while at < rows(ours) {
        let (one, other) = (from(ours, at), from(theirs, at));
        let count = one.num_rows().min(other.num_rows());
        if one.num_columns() != other.num_columns() {
            return Some(format!("{} columns here, {} there", one.num_columns(), other.num_columns()));
        }
        for (index, (one_array, other_array)) in one.columns().iter().zip(other.columns()).enumerate() {
            let name = one.schema().field(index).name().clone();
            if let Some(how) = column_difference(&one_array.slice(0, count), &other_array.slice(0, count)) {
                return Some(format!("{name} from row {at}: {how}"));
            }
        }
        at += count;
    }
    None
}

pub fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

pub fn first_rows(batches: &[RecordBatch], mut count: usize) -> Vec<RecordBatch> {
    let mut first = Vec::new();
    for batch in batches {
        let taken = count.min(batch.num_rows());
        first.push(batch.slice(0, taken));
        count -= taken;
    }
    first
}

/// In how many columns, of as many rows, two readings differ.
pub fn columns_that_differ(ours: &[RecordBatch], theirs: &[RecordBatch]) -> usize {
    let columns = |batches: &[RecordBatch]| batches.first().map_or(0, RecordBatch::num_columns);
    if rows(ours) != rows(theirs) || columns(ours) != columns(theirs) {
        return usize::MAX;
    }
    let one = |batches: &[RecordBatch], column| batches.iter().map(|batch| batch.project(&[column]).expect("a column")).collect::<Vec<_>>();
    (0..columns(ours)).filter(|column| difference(&one(ours, *column), &one(theirs, *column)).is_some()).count()
}

/// Whether the values of each column that are there come in one order, whatever rows they are in: readings may leave some out,
/// of the other or of those of the unbroken file.
pub fn same_order(ours: &[RecordBatch], theirs: &[RecordBatch], whole: &[RecordBatch]) -> bool {
    let columns = |batches: &[RecordBatch]| batches.first().map_or(0, RecordBatch::num_columns);
    let values = |batches: &[RecordBatch], column: usize| {
        let mut values = Vec::new();
        batches.iter().for_each(|batch| add_values(batch.column(column), &mut values));
        values
    };
    let among = |few: &[String], many: &[String]| {
        let mut many = many.iter();
        few.iter().all(|value| many.any(|other| other == value))
    };
    let same = |column| {
        let (ours, theirs) = (values(ours, column), values(theirs, column));
        let both_among = |all: Vec<String>| among(&ours, &all) && among(&theirs, &all);
        among(&ours, &theirs) || among(&theirs, &ours) || (column < columns(whole) && both_among(values(whole, column)))
    };
    columns(ours) == columns(theirs) && (0..columns(ours)).all(same)
}

/// The values of an array's leaf that are there, as text.
fn add_values(array: &ArrayRef, values: &mut Vec<String>) {
    for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
        match array.data_type() {
            DataType::List(_) => add_values(&array.as_list::<i32>().value(row), values),
            DataType::Struct(_) => array.as_struct().columns().iter().for_each(|column| add_values(&column.slice(row, 1), values)),
            _ => values.push(text::cell(array, row)),
        }
    }
}

/// The rest, from a row on, of the batch that holds it.
fn from(batches: &[RecordBatch], row: usize) -> RecordBatch {
    let mut start = 0;
    for batch in batches {
        if row < start + batch.num_rows() {
            return batch.slice(row - start, start + batch.num_rows() - row);
        }
        start += batch.num_rows();
    }
    unreachable!("there are as many rows")
}

fn column_difference(ours: &ArrayRef, theirs: &ArrayRef) -> Option<String> {
    if ours.to_data() == theirs.to_data() {
        return None;
    }
    let row = (0..ours.len()).find(|row| !same(ours, theirs, *row))?;
    let cells = (text::cell(ours, row), text::cell(theirs, row));
    let types =
        if ours.data_type() == theirs.data_type() { String::new() } else { format!(" ({}, {})", ours.data_type(), theirs.data_type()) };
    Some(format!("{} here, {} there, {row} rows on{types}", cells.0, cells.1))
}

/// Whether two slots say the same, be it under other types. The official crate knows no conversions into the units and widths of a
/// stored Arrow schema that Parquet does not have, makes text of no ENUM, and leaves months out of intervals. Where the logical type
/// is broken it goes by the converted type, where we read the physical type; the specification has no rule for it.
fn same(ours: &ArrayRef, theirs: &ArrayRef, row: usize) -> bool {
    use DataType as T;
    use TimeUnit::{Millisecond, Second};
    match (ours.is_null(row), theirs.is_null(row), theirs.as_struct_opt()) {
        (false, false, _) => {}
        // See the groups of lists below.
        (true, false, Some(group)) if group.num_columns() == 1 && !ours.data_type().equals_datatype(theirs.data_type()) => {
            return same(ours, group.column(0), row);
        }
        (ours, theirs, _) => return ours && theirs,
    }
    match (ours.data_type(), theirs.data_type()) {
        (T::Time32(Second), T::Time32(Millisecond)) => {
            i64::from(ours.as_primitive::<Time32SecondType>().value(row)) * 1000
                == i64::from(theirs.as_primitive::<Time32MillisecondType>().value(row))
        }
        (T::Timestamp(one, _), T::Timestamp(other, _)) => {
            // The finer one within the coarser one's step.
            let (ours, theirs) = (instant(ours, row), instant(theirs, row));
            let step = per_second(one).min(per_second(other));
            let coarse = |value: i64, unit: &TimeUnit| i128::from(value).div_euclid((per_second(unit) / step).into());
            let exact = per_second(one) / step == 1 || i128::from(ours) % i128::from(per_second(one) / step) == 0;
            // Of INT96 whose time of day is negative the official crate cuts the fraction off, towards the day's begin.
            coarse(ours, one) == coarse(theirs, other) || (!exact && coarse(ours, one) + 1 == coarse(theirs, other))
        }
        (_, T::Dictionary(..)) if !ours.data_type().equals_datatype(theirs.data_type()) => {
            let dictionary = theirs.as_any_dictionary();
            same(&ours.slice(row, 1), &dictionary.values().slice(dictionary.normalized_keys()[row], 1), 0)
        }
        (T::Utf8 | T::Binary, T::Utf8 | T::Binary | T::LargeUtf8 | T::LargeBinary | T::Utf8View | T::BinaryView) => {
            bytes_of(ours, row) == bytes_of(theirs, row)
        }
        (T::FixedSizeBinary(2), T::Float16) => {
            ours.as_fixed_size_binary().value(row) == theirs.as_primitive::<Float16Type>().value(row).to_le_bytes()
        }
        (T::Int32 | T::Int64, _) if theirs.data_type().is_decimal() => {
            let own = match ours.data_type() {
                T::Int32 => ours.as_primitive::<Int32Type>().value(row).into(),
                _ => ours.as_primitive::<Int64Type>().value(row),
            };
            number(theirs, row).is_some_and(|(number, _)| number == i256::from_i128(own.into()))
        }
        (T::List(_) | T::LargeList(_) | T::Map(..), T::List(_) | T::LargeList(_) | T::Map(..)) => {
            let (ours, theirs) = (items(ours, row), items(theirs, row));
            ours.len() == theirs.len() && (0..ours.len()).all(|item| same(&ours, &theirs, item))
        }
        (T::Struct(one), T::Struct(other)) if one.len() == other.len() => {
            let mut columns = ours.as_struct().columns().iter().zip(theirs.as_struct().columns());
            columns.all(|(ours, theirs)| same(ours, theirs, row))
        }
        // A list by its logical type, which the converted type contradicts: to the official crate it is the groups that it is made of.
        (_, T::Struct(group)) if group.len() == 1 => same(ours, theirs.as_struct().column(0), row),
        // And a group in a list, which nothing says is a list itself.
        (T::Struct(group), _) if group.len() == 1 => same(ours.as_struct().column(0), theirs, row),
        (T::FixedSizeBinary(12), T::Interval(IntervalUnit::DayTime)) => {
            let (bytes, interval) = (ours.as_fixed_size_binary().value(row), theirs.as_primitive::<IntervalDayTimeType>().value(row));
            bytes[4..8] == interval.days.to_le_bytes() && bytes[8..] == interval.milliseconds.to_le_bytes()
        }
        (one, other) if one.is_decimal() && other.is_decimal() => number(ours, row) == number(theirs, row),
        (one, other) => one.equals_datatype(other) && text::cell(ours, row) == text::cell(theirs, row),
    }
}

/// What is in a list or a map.
fn items(array: &ArrayRef, row: usize) -> ArrayRef {
    match array.data_type() {
        DataType::Map(..) => Arc::new(array.as_map().value(row)),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        _ => array.as_list::<i32>().value(row),
    }
}

fn per_second(unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The number of a timestamp, whatever its unit.
fn instant(array: &ArrayRef, row: usize) -> i64 {
    let data = array.to_data();
    data.buffers()[0].typed_data::<i64>()[data.offset() + row]
}

/// The bytes of a text or of none.
fn bytes_of(array: &ArrayRef, row: usize) -> &[u8] {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).as_bytes(),
        DataType::Utf8View => array.as_string_view().value(row).as_bytes(),
        DataType::BinaryView => array.as_binary_view().value(row),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).as_bytes(),
        DataType::LargeBinary => array.as_binary::<i64>().value(row),
        _ => array.as_binary::<i32>().value(row),
    }
}

/// A decimal's number and its scale.
fn number(array: &ArrayRef, row: usize) -> Option<(i256, i8)> {
    Some(match array.data_type() {
        DataType::Decimal32(_, scale) => (i256::from_i128(array.as_primitive::<Decimal32Type>().value(row).into()), *scale),
        DataType::Decimal64(_, scale) => (i256::from_i128(array.as_primitive::<Decimal64Type>().value(row).into()), *scale),
        DataType::Decimal128(_, scale) => (i256::from_i128(array.as_primitive::<Decimal128Type>().value(row)), *scale),
        DataType::Decimal256(_, scale) => (array.as_primitive::<Decimal256Type>().value(row), *scale),
        _ => return None,
    })
}
