//! Cells of columns as something that compares, to evaluate filters naively.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::{DataType, TimeUnit};
use herringbone::predicate::Literal;
use herringbone::schema::{LogicalType, Repetition, Schema};

/// A value that is there.
#[derive(Clone, Debug)]
pub enum Cell {
    Boolean(bool),
    Whole(i128),
    Half(half::f16),
    Single(f32),
    Double(f64),
    Decimal(i256),
    Bytes(Vec<u8>),
}

impl Cell {
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Cell::Boolean(a), Cell::Boolean(b)) => a.cmp(b),
            (Cell::Whole(a), Cell::Whole(b)) => a.cmp(b),
            (Cell::Half(a), Cell::Half(b)) => a.total_cmp(b),
            (Cell::Single(a), Cell::Single(b)) => a.total_cmp(b),
            (Cell::Double(a), Cell::Double(b)) => a.total_cmp(b),
            (Cell::Decimal(a), Cell::Decimal(b)) => a.cmp(b),
            (Cell::Bytes(a), Cell::Bytes(b)) => a.cmp(b),
            _ => panic!("cells of two columns: {self:?} and {other:?}"),
        }
    }

    /// Whether a constant can have the very same value: signalling NaN becomes a quiet one on the way, and times are nanoseconds.
    pub fn is_sayable(&self, data_type: &DataType) -> bool {
        match (self, data_type) {
            (Cell::Half(value), _) => !value.is_nan() || value.to_bits() & 0x3ff == 0x200,
            (Cell::Single(value), _) => !value.is_nan() || value.to_bits() & 0x7f_ffff == 0x40_0000,
            (Cell::Whole(value), DataType::Time32(_) | DataType::Time64(_)) => value.unsigned_abs() < 1 << 50,
            _ => true,
        }
    }

    /// A value next to this one, which may be in no row: below it or above.
    pub fn beside(self, above: bool) -> Self {
        match self {
            Cell::Boolean(value) => Cell::Boolean(!value),
            Cell::Whole(value) => Cell::Whole(if above { value + 1 } else { value - 1 }),
            Cell::Half(value) => Cell::Half(half::f16::from_bits(if above { value.to_bits() | 1 } else { value.to_bits() & !1 })),
            Cell::Single(value) => Cell::Single(if above { value.next_up() } else { value.next_down() }),
            Cell::Double(value) => Cell::Double(if above { value.next_up() } else { value.next_down() }),
            Cell::Decimal(value) if above => Cell::Decimal(value.wrapping_add(i256::ONE)),
            Cell::Decimal(value) => Cell::Decimal(value.wrapping_sub(i256::ONE)),
            Cell::Bytes(mut bytes) => {
                if above {
                    bytes.push(b'!');
                } else if bytes.last().is_some_and(u8::is_ascii) {
                    bytes.pop();
                }
                Cell::Bytes(bytes)
            }
        }
    }

    /// A constant of the same value.
    pub fn literal(&self, data_type: &DataType) -> Literal {
        let nanoseconds = |value: i128, unit: &TimeUnit| match unit {
            TimeUnit::Second => value * 1_000_000_000,
            TimeUnit::Millisecond => value * 1_000_000,
            TimeUnit::Microsecond => value * 1_000,
            TimeUnit::Nanosecond => value,
        };
        match (self, data_type) {
            (Cell::Boolean(value), _) => (*value).into(),
            (Cell::Whole(value), DataType::Date32) => Literal::Date(*value as i64),
            (Cell::Whole(value), DataType::Time32(unit) | DataType::Time64(unit)) => Literal::Time(nanoseconds(*value, unit) as i64),
            (Cell::Whole(value), DataType::Timestamp(unit, zone)) => {
                Literal::Timestamp { nanoseconds: nanoseconds(*value, unit), utc: zone.is_some() }
            }
            (Cell::Whole(value), _) => (*value).into(),
            (Cell::Half(value), _) => value.to_f64().into(),
            (Cell::Single(value), _) => (*value).into(),
            (Cell::Double(value), _) => (*value).into(),
            (Cell::Decimal(value), DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) => {
                Literal::decimal(&format!("{value}e{}", -i32::from(*scale))).expect("a decimal number")
            }
            (Cell::Bytes(value), DataType::Utf8) => String::from_utf8(value.clone()).expect("text").into(),
            (Cell::Bytes(value), _) => value.clone().into(),
            (cell, data_type) => panic!("{cell:?} in a column of {data_type}"),
        }
    }
}

/// A column that filters can ask about: its path and where it is in a batch.
#[derive(Debug)]
pub struct Column {
    pub path: String,
    /// Of a field of the root, then of fields of structs.
    steps: Vec<usize>,
    pub data_type: DataType,
    /// Whether its values can be compared; lists and groups can be null all the same.
    pub compares: bool,
}

/// The columns outside of lists, groups and lists themselves. `whole` is a batch of all columns without a stored schema.
pub fn columns(schema: &Schema, whole: &RecordBatch) -> Vec<Column> {
    let mut found = Vec::new();
    for (index, field) in schema.fields().iter().enumerate() {
        walk(field, String::new(), vec![index], whole.column(index), &mut found);
    }
    // Names that are there twice, or have dots, mean the first.
    let paths: Vec<String> = found.iter().map(|column| column.path.clone()).collect();
    found.retain(|column| paths.iter().filter(|path| **path == column.path).count() == 1 && schema.field(&column.path).is_some());
    found
}

fn walk(field: &herringbone::schema::Field, above: String, steps: Vec<usize>, array: &ArrayRef, found: &mut Vec<Column>) {
    let path = if above.is_empty() { field.name().to_owned() } else { format!("{above}.{}", field.name()) };
    let compares = field.fields().is_empty() && field.repetition() != Repetition::Repeated && cell_type(array.data_type());
    let compares = compares && field.logical_type() != Some(&LogicalType::Interval);
    found.push(Column { path: path.clone(), steps: steps.clone(), data_type: array.data_type().clone(), compares });
    if let (DataType::Struct(children), true) = (array.data_type(), field.repetition() != Repetition::Repeated)
        && children.len() == field.fields().len()
    {
        for (index, child) in field.fields().iter().enumerate() {
            let steps = steps.iter().copied().chain([index]).collect();
            walk(child, path.clone(), steps, array.as_struct().column(index), found);
        }
    }
}

fn cell_type(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Boolean
            | T::Int8
            | T::Int16
            | T::Int32
            | T::Int64
            | T::UInt8
            | T::UInt16
            | T::UInt32
            | T::UInt64
            | T::Float16
            | T::Float32
            | T::Float64
            | T::Date32
            | T::Time32(_)
            | T::Time64(_)
            | T::Timestamp(..)
            | T::Decimal128(..)
            | T::Decimal256(..)
            | T::Utf8
            | T::Binary
            | T::FixedSizeBinary(_)
    )
}

impl Column {
    /// The value in a row, if it is there and so are the groups around it.
    pub fn cell(&self, batch: &RecordBatch, row: usize) -> Option<Cell> {
        let array = self.find(batch, row)?;
        if array.data_type() == &DataType::Null || array.is_null(row) { None } else { Some(cell(&array, row)) }
    }

    /// Whether the value in a row is null; of lists and groups as well.
    pub fn is_null(&self, batch: &RecordBatch, row: usize) -> bool {
        self.find(batch, row).is_none_or(|array| array.data_type() == &DataType::Null || array.is_null(row))
    }

    fn find(&self, batch: &RecordBatch, row: usize) -> Option<ArrayRef> {
        let (first, rest) = self.steps.split_first()?;
        let mut array = batch.column(*first).clone();
        for step in rest {
            if array.is_null(row) {
                return None;
            }
            array = array.as_struct().column(*step).clone();
        }
        Some(array)
    }
}

fn cell(array: &ArrayRef, row: usize) -> Cell {
    macro_rules! whole {
        ($type:ty) => {
            Cell::Whole(i128::from(array.as_primitive::<$type>().value(row)))
        };
    }
    match array.data_type() {
        DataType::Boolean => Cell::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => whole!(Int8Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int64 => whole!(Int64Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt32 => whole!(UInt32Type),
        DataType::UInt64 => whole!(UInt64Type),
        DataType::Date32 => whole!(Date32Type),
        DataType::Time32(TimeUnit::Second) => whole!(Time32SecondType),
        DataType::Time32(_) => whole!(Time32MillisecondType),
        DataType::Time64(TimeUnit::Microsecond) => whole!(Time64MicrosecondType),
        DataType::Time64(_) => whole!(Time64NanosecondType),
        DataType::Timestamp(TimeUnit::Second, _) => whole!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => whole!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => whole!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => whole!(TimestampNanosecondType),
        DataType::Float16 => Cell::Half(array.as_primitive::<Float16Type>().value(row)),
        DataType::Float32 => Cell::Single(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Cell::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => Cell::Decimal(i256::from_i128(array.as_primitive::<Decimal128Type>().value(row))),
        DataType::Decimal256(..) => Cell::Decimal(array.as_primitive::<Decimal256Type>().value(row)),
        DataType::Utf8 => Cell::Bytes(array.as_string::<i32>().value(row).as_bytes().to_vec()),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row).to_vec()),
        DataType::FixedSizeBinary(_) => Cell::Bytes(array.as_fixed_size_binary().value(row).to_vec()),
        other => panic!("cells of {other}"),
    }
}
