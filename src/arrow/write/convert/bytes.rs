//! Text and bytes of any length.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, BinaryViewType, ByteArrayType, ByteViewType, LargeBinaryType, LargeUtf8Type, StringViewType, Utf8Type,
};
use arrow_array::{Array, GenericByteArray, GenericByteViewArray, OffsetSizeTrait};
use arrow_buffer::ArrowNativeType;
use arrow_data::MAX_INLINE_VIEW_LEN;
use arrow_schema::DataType;

use crate::arrow::write::convert::{Dense, wrong_array};
use crate::arrow::write::runs::Runs;
use crate::error::{Error, Result};
use crate::values::{ByteArrays, BytesSlice, Values};

/// Byte arrays of any form.
pub(super) fn dense<'a>(array: &'a dyn Array, slots: &Runs) -> Result<Dense<'a>> {
    match array.data_type() {
        DataType::Utf8 => short(array.as_bytes::<Utf8Type>(), slots),
        DataType::Binary => short(array.as_bytes::<BinaryType>(), slots),
        DataType::LargeUtf8 => by_offsets(array.as_bytes::<LargeUtf8Type>(), slots),
        DataType::LargeBinary => by_offsets(array.as_bytes::<LargeBinaryType>(), slots),
        DataType::Utf8View => views(array.as_byte_view::<StringViewType>(), slots),
        DataType::BinaryView => views(array.as_byte_view::<BinaryViewType>(), slots),
        other => Err(wrong_array(other)),
    }
}

/// A container of these byte arrays.
pub(super) fn owned(arrays: BytesSlice<'_>) -> Result<Values> {
    let mut out = ByteArrays::new();
    out.reserve(arrays.len(), arrays.bytes().len());
    arrays.iter().try_for_each(|value| out.push(value))?;
    Ok(Values::Bytes(out))
}

fn short<'a, T: ByteArrayType<Offset = i32>>(array: &'a GenericByteArray<T>, slots: &Runs) -> Result<Dense<'a>> {
    match slots.as_one() {
        Some(run) => Ok(Dense::Bytes(array.value_offsets().get(run.start..=run.end).unwrap_or_default(), array.value_data())),
        None => by_offsets(array, slots),
    }
}

/// Byte arrays by offsets into the array's own data, if what is left out between them has no bytes, else copied.
fn by_offsets<'a, T: ByteArrayType>(array: &'a GenericByteArray<T>, slots: &Runs) -> Result<Dense<'a>> {
    let (offsets, data) = (array.value_offsets(), array.value_data());
    let mut own = Vec::with_capacity(slots.len() + 1);
    let first = slots.iter().next().map_or(0, |run| at(offsets, run.start));
    let mut end = first;
    let mut has_gaps = false;
    for run in slots.iter() {
        has_gaps |= at(offsets, run.start) != end;
        end = at(offsets, run.end);
        let starts = offsets.get(run).unwrap_or_default();
        // Checked with the last one.
        own.extend(starts.iter().map(|start| start.as_usize().wrapping_sub(first) as i32));
    }
    let bytes = i32::try_from(end.wrapping_sub(first));
    let (false, Ok(bytes)) = (has_gaps, bytes) else { return copied(array, slots) };
    own.push(bytes);
    Ok(Dense::Offsets(own, data.get(first..end).unwrap_or_default()))
}

fn at<O: OffsetSizeTrait>(offsets: &[O], index: usize) -> usize {
    offsets.get(index).map_or(0, |offset| offset.as_usize())
}

fn copied<'a, T: ByteArrayType>(array: &'a GenericByteArray<T>, slots: &Runs) -> Result<Dense<'a>> {
    let (offsets, data) = (array.value_offsets(), array.value_data());
    let bytes: usize = slots.iter().map(|run| at(offsets, run.end) - at(offsets, run.start)).sum();
    if bytes > ByteArrays::MAX_BYTES {
        return Err(too_large());
    }
    let mut out = ByteArrays::new();
    out.reserve(slots.len(), bytes);
    let (own, all) = out.parts_mut();
    for run in slots.iter() {
        let (start, base) = (at(offsets, run.start), all.len());
        all.extend_from_slice(data.get(start..at(offsets, run.end)).unwrap_or_default());
        let ends = offsets.get(run.start + 1..=run.end).unwrap_or_default();
        own.extend(ends.iter().map(|end| (end.as_usize() - start + base) as i32));
    }
    Ok(Dense::Owned(Values::Bytes(out)))
}

fn views<'a, T: ByteViewType>(array: &'a GenericByteViewArray<T>, slots: &Runs) -> Result<Dense<'a>> {
    let views = array.views();
    let lengths = slots.iter().flat_map(|run| views.get(run).unwrap_or_default()).map(|view| *view as u32 as usize);
    let bytes: usize = lengths.sum();
    if bytes > ByteArrays::MAX_BYTES {
        return Err(too_large());
    }
    let mut out = ByteArrays::new();
    out.reserve(slots.len(), bytes);
    let buffers = array.data_buffers();
    let (offsets, data) = out.parts_mut();
    for view in slots.iter().flat_map(|run| views.get(run).unwrap_or_default()) {
        let length = *view as u32 as usize;
        if length <= INLINE {
            // All twelve bytes at once; what is too much of them is cut off again.
            let [_, _, _, _, inline @ ..] = view.to_le_bytes();
            let end = data.len() + length;
            data.extend_from_slice(&inline);
            data.truncate(end);
        } else {
            let (buffer, start) = ((*view >> 64) as u32 as usize, (*view >> 96) as u32 as usize);
            let value = buffers.get(buffer).and_then(|buffer| buffer.get(start..start + length));
            data.extend_from_slice(value.ok_or_else(|| Error::usage("a view outside of its buffers"))?);
        }
        offsets.push(data.len() as i32);
    }
    Ok(Dense::Owned(Values::Bytes(out)))
}

/// The most bytes that a view has in itself.
const INLINE: usize = MAX_INLINE_VIEW_LEN as usize;

#[cold]
fn too_large() -> Error {
    Error::limit("a row, or the values of a dictionary, take more than 2 GiB in one column")
}
