//! How many bytes the values of arrays take.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, ByteViewType, LargeBinaryType, LargeUtf8Type, StringViewType, Utf8Type,
};
use arrow_array::{Array, ArrayRef, GenericByteArray, GenericByteViewArray};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;

use crate::arrow::write::runs::Runs;

/// The bytes of some slots of byte arrays, without their lengths; 0 for other types.
pub(crate) fn byte_array_bytes(array: &ArrayRef, slots: &Runs) -> u64 {
    fn offsets<T: ByteArrayType>(array: &GenericByteArray<T>, slots: &Runs) -> u64 {
        let at = |index: usize| array.value_offsets().get(index).map_or(0, |offset| offset.as_usize());
        slots.iter().map(|run| (at(run.end) - at(run.start)) as u64).sum()
    }
    fn views<T: ByteViewType>(array: &GenericByteViewArray<T>, slots: &Runs) -> u64 {
        let views = slots.iter().flat_map(|run| array.views().get(run).unwrap_or_default());
        views.map(|view| u64::from(*view as u32)).sum()
    }
    match array.data_type() {
        DataType::Utf8 => offsets(array.as_bytes::<Utf8Type>(), slots),
        DataType::Binary => offsets(array.as_bytes::<BinaryType>(), slots),
        DataType::LargeUtf8 => offsets(array.as_bytes::<LargeUtf8Type>(), slots),
        DataType::LargeBinary => offsets(array.as_bytes::<LargeBinaryType>(), slots),
        DataType::Utf8View => views(array.as_byte_view::<StringViewType>(), slots),
        DataType::BinaryView => views(array.as_byte_view::<BinaryViewType>(), slots),
        _ => 0,
    }
}

/// About how many bytes an array's slots would take in the simplest form: what they are counted as while they wait.
pub(crate) fn memory(array: &ArrayRef) -> u64 {
    let slots = array.len() as u64;
    let validity = slots / 8;
    let values = match array.data_type() {
        DataType::Null => 0,
        DataType::Boolean => slots / 8,
        DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary | DataType::Utf8View | DataType::BinaryView => {
            slots * 4 + byte_array_bytes(array, &Runs::all(array.len()))
        }
        DataType::FixedSizeBinary(size) => slots * u64::try_from(*size).unwrap_or(0),
        DataType::Struct(_) => array.as_struct().columns().iter().map(memory).sum(),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            slots * 4 + part(list.values(), ends(list.value_offsets()))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            slots * 4 + part(list.values(), ends(list.value_offsets()))
        }
        DataType::Map(..) => {
            let map = array.as_map();
            slots * 4 + map.entries().columns().iter().map(|column| part(column, ends(map.value_offsets()))).sum::<u64>()
        }
        DataType::FixedSizeList(..) => memory(array.as_fixed_size_list().values()),
        DataType::ListView(_) => {
            let list = array.as_list_view::<i32>();
            slots * 8 + share(list.values(), list.value_sizes().iter().map(|size| size.as_usize() as u64).sum())
        }
        DataType::LargeListView(_) => {
            let list = array.as_list_view::<i64>();
            slots * 8 + share(list.values(), list.value_sizes().iter().map(|size| size.as_usize() as u64).sum())
        }
        // The entries are shared by many batches.
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) => slots * 4,
        other => slots * other.primitive_width().unwrap_or(8) as u64,
    };
    values + validity
}

fn ends<O: ArrowNativeType>(offsets: &[O]) -> std::ops::Range<usize> {
    match offsets {
        [first, .., last] => first.as_usize()..last.as_usize(),
        _ => 0..0,
    }
}

fn part(values: &ArrayRef, range: std::ops::Range<usize>) -> u64 {
    if range.len() == values.len() { memory(values) } else { memory(&values.slice(range.start, range.len())) }
}

/// What so many elements take, if they are like all that there are.
fn share(values: &ArrayRef, elements: u64) -> u64 {
    let bytes = u128::from(memory(values)) * u128::from(elements);
    bytes.checked_div(values.len() as u128).map_or(0, |bytes| u64::try_from(bytes).unwrap_or(u64::MAX))
}
