//! Columns of one schema as those of another, by their names.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StructArray, cast::AsArray, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};

use super::Feed;
use super::source::Input;
use crate::failure::{Failure, Result};

/// The rows of a feed with the columns of a schema: found by name, converted to its types, null where there are none.
pub fn fit(input: &Input, feed: Feed, schema: &SchemaRef) -> Result<Feed> {
    let Feed { schema: found, rows, batches } = feed;
    let places = by_name(found.fields());
    for field in schema.fields() {
        if !places.contains_key(field.name().as_str()) && !field.is_nullable() {
            return Err(Failure::File(format!("{} has no column {:?}, which is required", input.name(), field.name())));
        }
    }
    let (target, name) = (Arc::clone(schema), input.name());
    let batches = batches.map(move |batch| {
        fitted(&batch?, &target).map_err(|error| Failure::File(format!("{name} does not fit the columns wanted: {error}")))
    });
    Ok(Feed { schema: Arc::clone(schema), rows, batches: Box::new(batches) })
}

/// A batch with the columns of a schema.
pub fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let rows = batch.num_rows();
    let found = batch.schema_ref();
    let places = by_name(found.fields());
    let columns = schema.fields().iter().map(|field| {
        let column = places.get(field.name().as_str()).and_then(|place| batch.columns().get(*place));
        column.map_or_else(|| Ok(new_null_array(field.data_type(), rows)), |array| fitted_array(array, field))
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &RecordBatchOptions::new().with_row_count(Some(rows)))
}

fn fitted_array(array: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    match (array.data_type(), field.data_type()) {
        (found, wanted) if found == wanted => Ok(Arc::clone(array)),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let array = array.as_struct();
            let places = by_name(array.fields());
            let children =
                fields.iter().map(|field| match places.get(field.name().as_str()).and_then(|place| array.columns().get(*place)) {
                    Some(child) => fitted_array(child, field),
                    None => Ok(new_null_array(field.data_type(), array.len())),
                });
            let children = children.collect::<Result<Vec<_>, ArrowError>>()?;
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), children, array.nulls().cloned(), array.len())?))
        }
        (DataType::List(_), DataType::List(item)) => {
            let (_, offsets, values, nulls) = array.as_list::<i32>().clone().into_parts();
            let values = fitted_array(&values, item)?;
            Ok(Arc::new(arrow_array::ListArray::try_new(Arc::clone(item), offsets, values, nulls)?))
        }
        (_, wanted) => cast_with_options(array, wanted, &CastOptions { safe: false, ..CastOptions::default() }),
    }
}

/// Where each name comes first among fields, of which there may be very many.
pub fn by_name(fields: &Fields) -> HashMap<&str, usize> {
    let mut places = HashMap::with_capacity(fields.len());
    for (place, field) in fields.iter().enumerate() {
        places.entry(field.name().as_str()).or_insert(place);
    }
    places
}

/// What the first different column is, if one is.
pub fn difference(expected: &Schema, found: &Schema) -> Option<String> {
    let pairs = expected.fields().iter().zip(found.fields());
    for (expected, found) in pairs {
        let is_same = expected.name() == found.name()
            && expected.is_nullable() == found.is_nullable()
            && expected.data_type().equals_datatype(found.data_type());
        if !is_same {
            return Some(format!("`{}` where `{}` is expected", described(found), described(expected)));
        }
    }
    let (expected, found) = (expected.fields(), found.fields());
    match expected.len().cmp(&found.len()) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Less => found.get(expected.len()).map(|field| format!("`{}` is one more", described(field))),
        std::cmp::Ordering::Greater => expected.get(found.len()).map(|field| format!("`{}` is missing", described(field))),
    }
}

fn described(field: &Field) -> String {
    let nullable = if field.is_nullable() { "" } else { " not null" };
    format!("{}: {}{nullable}", field.name(), field.data_type())
}

/// The columns of two schemas together: those of the first, then those that only the second has. A column that both have gets
/// a type that holds the values of both. Metadata that differ are left out.
pub fn common(first: &Schema, second: &Schema) -> Result<Schema, String> {
    let fields = common_fields(first.fields(), second.fields())?;
    let mut metadata = first.metadata().clone();
    metadata.retain(|key, value| second.metadata().get(key) == Some(value));
    Ok(Schema::new_with_metadata(fields, metadata))
}

fn common_fields(first: &Fields, second: &Fields) -> Result<Fields, String> {
    let (of_first, of_second) = (by_name(first), by_name(second));
    let mut fields = Vec::new();
    for field in first {
        fields.push(match of_second.get(field.name().as_str()).and_then(|place| second.get(*place)) {
            Some(other) => common_field(field, other)?,
            None => Arc::new(Field::clone(field).with_nullable(true)),
        });
    }
    let new = second.iter().filter(|field| !of_first.contains_key(field.name().as_str()));
    fields.extend(new.map(|field| Arc::new(Field::clone(field).with_nullable(true))));
    Ok(fields.into())
}

fn common_field(first: &FieldRef, second: &FieldRef) -> Result<FieldRef, String> {
    let data_type = common_type(first.data_type(), second.data_type())
        .map_err(|inner| inner.unwrap_or_else(|| format!("`{}` and `{}`", described(first), described(second))))?;
    Ok(Arc::new(Field::clone(first).with_data_type(data_type).with_nullable(first.is_nullable() || second.is_nullable())))
}

/// A type that holds the values of both; the error names fields inside that have none.
fn common_type(first: &DataType, second: &DataType) -> Result<DataType, Option<String>> {
    use DataType::{Dictionary, Float32, Float64, List, Null, Struct, Timestamp};
    if first == second {
        return Ok(first.clone());
    }
    match (first, second) {
        (Null, other) | (other, Null) => Ok(other.clone()),
        (Dictionary(_, first), second) => common_type(first, second),
        (first, Dictionary(_, second)) => common_type(first, second),
        (Struct(first), Struct(second)) => common_fields(first, second).map(Struct).map_err(Some),
        (List(first), List(second)) => common_field(first, second).map(List).map_err(Some),
        (Float32, Float64) | (Float64, Float32) => Ok(Float64),
        (Timestamp(first, zone), Timestamp(second, other)) if zone.is_some() == other.is_some() => {
            Ok(Timestamp(finer(*first, *second), zone.clone()))
        }
        _ => wider_integer(first, second).or_else(|| wider_decimal(first, second)).or_else(|| larger_bytes(first, second)).ok_or(None),
    }
}

fn finer(first: TimeUnit, second: TimeUnit) -> TimeUnit {
    let unit = |unit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    if unit(first) < unit(second) { second } else { first }
}

fn wider_integer(first: &DataType, second: &DataType) -> Option<DataType> {
    let bits = |data_type: &DataType| match data_type {
        DataType::Int8 => Some((8, true)),
        DataType::Int16 => Some((16, true)),
        DataType::Int32 => Some((32, true)),
        DataType::Int64 => Some((64, true)),
        DataType::UInt8 => Some((8, false)),
        DataType::UInt16 => Some((16, false)),
        DataType::UInt32 => Some((32, false)),
        DataType::UInt64 => Some((64, false)),
        _ => None,
    };
    // Whole numbers of up to 32 bits are exact in a double.
    let (first, second) = match (first, second, bits(first), bits(second)) {
        (_, _, Some(first), Some(second)) => (first, second),
        (DataType::Float64, _, _, Some((..=32, _))) | (_, DataType::Float64, Some((..=32, _)), _) => return Some(DataType::Float64),
        _ => return None,
    };
    let signed = first.1 || second.1;
    // A signed type holds unsigned numbers of half its bits.
    let needed = |(bits, is_signed): (u32, bool)| if signed && !is_signed { bits * 2 } else { bits };
    match (needed(first).max(needed(second)), signed) {
        (8, true) => Some(DataType::Int8),
        (16, true) => Some(DataType::Int16),
        (32, true) => Some(DataType::Int32),
        (64, true) => Some(DataType::Int64),
        (8, false) => Some(DataType::UInt8),
        (16, false) => Some(DataType::UInt16),
        (32, false) => Some(DataType::UInt32),
        (64, false) => Some(DataType::UInt64),
        _ => None,
    }
}

fn wider_decimal(first: &DataType, second: &DataType) -> Option<DataType> {
    let digits = |data_type: &DataType| match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some((i16::from(*precision), i16::from(*scale))),
        _ => None,
    };
    let ((first_precision, first_scale), (second_precision, second_scale)) = (digits(first)?, digits(second)?);
    let scale = first_scale.max(second_scale);
    let whole = (first_precision - first_scale).max(second_precision - second_scale);
    let (precision, scale) = (u8::try_from(whole + scale).ok()?, i8::try_from(scale).ok()?);
    match precision {
        0..=38 => Some(DataType::Decimal128(precision, scale)),
        39..=76 => Some(DataType::Decimal256(precision, scale)),
        _ => None,
    }
}

/// Texts and bytes that differ in how they lie in memory.
fn larger_bytes(first: &DataType, second: &DataType) -> Option<DataType> {
    use DataType::{Binary, BinaryView, FixedSizeBinary, LargeBinary, LargeUtf8, Utf8, Utf8View};
    let is_text = |data_type: &DataType| matches!(data_type, Utf8 | LargeUtf8 | Utf8View);
    let is_bytes = |data_type: &DataType| matches!(data_type, Binary | LargeBinary | BinaryView | FixedSizeBinary(_));
    let is_large = matches!(first, LargeUtf8 | LargeBinary) || matches!(second, LargeUtf8 | LargeBinary);
    match (is_large, is_text(first) && is_text(second), is_bytes(first) && is_bytes(second)) {
        (true, true, _) => Some(LargeUtf8),
        (false, true, _) => Some(Utf8),
        (true, _, true) => Some(LargeBinary),
        (false, _, true) => Some(Binary),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::types::Int64Type;
    use arrow_array::{Int32Array, ListArray, StringArray};
    use arrow_buffer::OffsetBuffer;

    use super::*;

    fn schema(fields: Vec<(&str, DataType, bool)>) -> Schema {
        Schema::new(fields.into_iter().map(|(name, data_type, nullable)| Field::new(name, data_type, nullable)).collect::<Vec<_>>())
    }

    #[test]
    fn types_that_hold_both() {
        use DataType::*;
        for (first, second, expected) in [
            (Int8, Int64, Some(Int64)),
            (UInt8, Int8, Some(Int16)),
            (UInt32, Int8, Some(Int64)),
            (UInt64, Int64, None),
            (UInt16, UInt32, Some(UInt32)),
            (Int32, Float64, Some(Float64)),
            (Int64, Float64, None),
            (Float32, Float64, Some(Float64)),
            (Null, Utf8, Some(Utf8)),
            (Utf8View, LargeUtf8, Some(LargeUtf8)),
            (Dictionary(Box::new(Int32), Box::new(Utf8)), Utf8, Some(Utf8)),
            (FixedSizeBinary(3), FixedSizeBinary(4), Some(Binary)),
            (Decimal128(9, 2), Decimal128(9, 4), Some(Decimal128(11, 4))),
            (Decimal128(38, 0), Decimal128(38, 38), Some(Decimal256(76, 38))),
            (Timestamp(TimeUnit::Second, None), Timestamp(TimeUnit::Microsecond, None), Some(Timestamp(TimeUnit::Microsecond, None))),
            (Timestamp(TimeUnit::Second, None), Timestamp(TimeUnit::Second, Some("UTC".into())), None),
            (Int32, Utf8, None),
            (Utf8, Binary, None),
        ] {
            assert_eq!(common_type(&first, &second).ok(), expected, "{first} and {second}");
            assert_eq!(common_type(&second, &first).is_ok(), expected.is_some(), "{second} and {first}");
        }
    }

    #[test]
    fn columns_are_found_by_name_and_filled_with_nulls() {
        let inner = |data_type| DataType::Struct(vec![Field::new("x", data_type, false)].into());
        let list = |item: DataType| DataType::List(Arc::new(Field::new("item", item, true)));
        let first = schema(vec![("a", DataType::Int64, false), ("l", list(inner(DataType::Int64)), true)]);
        let second = schema(vec![("l", list(inner(DataType::Int32)), true), ("b", DataType::Utf8, false), ("a", DataType::Int32, false)]);
        let both = Arc::new(common(&first, &second).unwrap());
        assert_eq!(
            difference(
                &both,
                &schema(vec![("a", DataType::Int64, false), ("l", list(inner(DataType::Int64)), true), ("b", DataType::Utf8, true)])
            ),
            None
        );
        let values = StructArray::try_from(vec![("x", Arc::new(Int32Array::from(vec![7, 8])) as ArrayRef)]).unwrap();
        let item = Arc::new(Field::new("item", values.data_type().clone(), true));
        let lists = ListArray::new(item, OffsetBuffer::from_lengths([2, 0]), Arc::new(values), None);
        let columns: Vec<(&str, ArrayRef)> =
            vec![("l", Arc::new(lists)), ("b", Arc::new(StringArray::from(vec!["p", "q"]))), ("a", Arc::new(Int32Array::from(vec![1, 2])))];
        let batch = fitted(&RecordBatch::try_from_iter(columns).unwrap(), &both).unwrap();
        assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
        let inner = batch.column(1).as_list::<i32>().value(0);
        assert_eq!(inner.as_struct().column(0).as_primitive::<Int64Type>().values(), &[7, 8]);
        let only_a = RecordBatch::try_from_iter([("a", Arc::new(Int32Array::from(vec![3])) as ArrayRef)]).unwrap();
        assert_eq!(fitted(&only_a, &both).unwrap().column(2).null_count(), 1);
        let says = common(&first, &schema(vec![("l", list(inner_of_text()), true)])).unwrap_err();
        assert_eq!(says, "`x: Int64 not null` and `x: Utf8 not null`");
    }

    fn inner_of_text() -> DataType {
        DataType::Struct(vec![Field::new("x", DataType::Utf8, false)].into())
    }

    #[test]
    fn differences_are_named() {
        let one = schema(vec![("a", DataType::Int64, false)]);
        for (other, says) in [
            (vec![("a", DataType::Int64, true)], "`a: Int64` where `a: Int64 not null` is expected"),
            (vec![("b", DataType::Int64, false)], "`b: Int64 not null` where"),
            (vec![], "`a: Int64 not null` is missing"),
            (vec![("a", DataType::Int64, false), ("c", DataType::Utf8, true)], "`c: Utf8` is one more"),
        ] {
            let found = difference(&one, &schema(other)).unwrap();
            assert!(found.starts_with(says), "{found}");
        }
    }
}
