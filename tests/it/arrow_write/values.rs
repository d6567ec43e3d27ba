//! What arrays say, as text: a comparison that knows nothing of how arrays are laid out.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, BinaryViewType, Int16Type, Int32Type, Int64Type, LargeBinaryType, LargeUtf8Type, RunEndIndexType, StringViewType, Utf8Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, RunArray};
use arrow_schema::DataType;

/// The rows of batches, one text each.
pub fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let row = |batch: &RecordBatch, row: usize| {
        let cells: Vec<String> = batch.columns().iter().map(|column| cell(column, row)).collect();
        cells.join(" | ")
    };
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |at| row(batch, at))).collect()
}

/// One slot of an array.
pub fn cell(array: &ArrayRef, slot: usize) -> String {
    if array.is_null(slot) {
        return "null".to_owned();
    }
    match array.data_type() {
        DataType::Null => "null".to_owned(),
        DataType::Boolean => array.as_boolean().value(slot).to_string(),
        DataType::Utf8 => format!("{:?}", array.as_bytes::<Utf8Type>().value(slot)),
        DataType::LargeUtf8 => format!("{:?}", array.as_bytes::<LargeUtf8Type>().value(slot)),
        DataType::Utf8View => format!("{:?}", array.as_byte_view::<StringViewType>().value(slot)),
        DataType::Binary => format!("{:?}", array.as_bytes::<BinaryType>().value(slot)),
        DataType::LargeBinary => format!("{:?}", array.as_bytes::<LargeBinaryType>().value(slot)),
        DataType::BinaryView => format!("{:?}", array.as_byte_view::<BinaryViewType>().value(slot)),
        DataType::FixedSizeBinary(_) => format!("{:?}", array.as_fixed_size_binary().value(slot)),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            cell(dictionary.values(), dictionary.normalized_keys()[slot])
        }
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => run::<Int16Type>(array, slot),
            DataType::Int32 => run::<Int32Type>(array, slot),
            _ => run::<Int64Type>(array, slot),
        },
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            list(columns.map(|(field, column)| format!("{}: {}", field.name(), cell(column, slot))), '{', '}')
        }
        DataType::List(_) => items(&array.as_list::<i32>().value(slot)),
        DataType::LargeList(_) => items(&array.as_list::<i64>().value(slot)),
        DataType::ListView(_) => items(&array.as_list_view::<i32>().value(slot)),
        DataType::LargeListView(_) => items(&array.as_list_view::<i64>().value(slot)),
        DataType::FixedSizeList(..) => items(&array.as_fixed_size_list().value(slot)),
        DataType::Map(..) => {
            let pairs = array.as_map().value(slot);
            let (keys, values) = (pairs.column(0), pairs.column(1));
            list((0..pairs.len()).map(|at| format!("{} = {}", cell(keys, at), cell(values, at))), '<', '>')
        }
        other => {
            // The bits of whatever number it is.
            let data = array.to_data();
            let width = other.primitive_width().expect("a number");
            let at = (data.offset() + slot) * width;
            format!("{:02x?}", &data.buffers()[0].as_slice()[at..at + width])
        }
    }
}

fn run<R: RunEndIndexType>(array: &ArrayRef, slot: usize) -> String {
    let runs: &RunArray<R> = array.as_any().downcast_ref().expect("runs");
    cell(runs.values(), runs.get_physical_index(slot))
}

fn items(items: &ArrayRef) -> String {
    list((0..items.len()).map(|at| cell(items, at)), '[', ']')
}

fn list(parts: impl Iterator<Item = String>, open: char, close: char) -> String {
    format!("{open}{}{close}", parts.collect::<Vec<_>>().join(", "))
}
