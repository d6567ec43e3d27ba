//! Text and bytes of any length.

use std::hint::select_unpredictable;
use std::sync::Arc;

use arrow_array::types::{ByteArrayType, LargeBinaryType, LargeUtf8Type};
use arrow_array::{Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, GenericByteArray, StringArray, StringViewArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_data::MAX_INLINE_VIEW_LEN;
use arrow_schema::{ArrowError, DataType};
use arrow_select::nullif::nullif;

use crate::arrow::convert::wrong_shape;
use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::ByteArrays;

/// An array of text or bytes; offsets and data move without a copy, unless views hold all of them.
pub(super) fn array(arrays: ByteArrays, validity: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::Utf8 | DataType::Binary => {
            let (offsets, data) = arrays.into_parts();
            array_of(offsets, data, validity, data_type)?
        }
        DataType::Utf8View => with_nulls(Arc::new(text_views(arrays)?), validity)?,
        DataType::BinaryView => Arc::new(binary_views(arrays, validity)?),
        DataType::LargeUtf8 => Arc::new(wide::<LargeUtf8Type>(arrays, validity)?),
        DataType::LargeBinary => Arc::new(wide::<LargeBinaryType>(arrays, validity)?),
        _ => return Err(wrong_shape(data_type)),
    })
}

/// An array of `Utf8` or `Binary` from its buffers; offsets begin with 0 and ascend.
pub(super) fn array_of(offsets: Vec<i32>, data: Vec<u8>, validity: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let data = Buffer::from_vec(data);
    Ok(match data_type {
        DataType::Utf8 => Arc::new(StringArray::try_new(offsets, data, validity).map_err(not_utf8)?),
        DataType::Binary => Arc::new(BinaryArray::try_new(offsets, data, validity).map_err(not_utf8)?),
        _ => return Err(wrong_shape(data_type)),
    })
}

/// Views that were made without nulls, which would be asked about one by one: 4.9 against 3.4 ns a value.
fn with_nulls(views: ArrayRef, validity: Option<NullBuffer>) -> Result<ArrayRef> {
    let Some(validity) = validity else { return Ok(views) };
    nullif(&views, &BooleanArray::new(!validity.inner(), None)).map_err(not_utf8)
}

/// Views of text, without memory beside them where they hold all of it.
///
/// Arrow checks of each view that it is given whether it is UTF-8, and nothing of those that it makes itself from an array of offsets: with values
/// of 22 bytes, 30 against 17 ns a value. Where lengths change below 13 bytes it takes 11 ns instead of 4 for a view, since it looks the length of each up in
/// a table of jumps, which the processor cannot predict. Appending such values to a builder instead takes 10 to 11 (8 where the same 16,384 come again and
/// again), giving it views to be checked 14 to 16, and sorting the values by length first 20.
fn text_views(arrays: ByteArrays) -> Result<StringViewArray> {
    let (offsets, data) = arrays.into_parts();
    // The container's offsets begin with 0 and ascend, so the check in here always passes.
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(views_of(&StringArray::try_new(offsets, Buffer::from_vec(data), None).map_err(not_utf8)?))
}

/// A function of its own, since three instructions a value fall away where the compiler is told that nothing changes the array meanwhile, and four more of
/// 34, with a branch that is taken each time, where it has seen that there are no nulls: 1.5 % of reading columns of 24-byte text. The conversion must be
/// called in one place only, or it is not compiled into this function.
#[inline(never)]
fn views_of(text: &StringArray) -> StringViewArray {
    // It never has: this is for the compiler to see.
    if text.nulls().is_some() {
        return text.iter().collect();
    }
    let views = StringViewArray::from(text);
    if vectorized!(longest(text.value_offsets())) <= HELD { views.gc() } else { views }
}

/// The length of the longest value.
#[inline(always)]
fn longest(offsets: &[i32]) -> i32 {
    offsets.windows(2).fold(0, |longest, part| if let [start, end] = *part { longest.max(end.wrapping_sub(start)) } else { longest })
}

/// So many bytes are held by a view itself.
const HELD: i32 = MAX_INLINE_VIEW_LEN as i32;

/// Views of bytes, of which Arrow checks little: 4.8 ns a value, where those that it makes itself take 11 as in [`text_views`].
fn binary_views(arrays: ByteArrays, validity: Option<NullBuffer>) -> Result<BinaryViewArray> {
    let (offsets, data) = arrays.into_parts();
    let views = vectorized!(views(&offsets, &data));
    let data = if vectorized!(longest(&offsets)) <= HELD { Vec::new() } else { vec![Buffer::from_vec(data)] };
    BinaryViewArray::try_new(ScalarBuffer::from(views), data, validity).map_err(not_utf8)
}

/// The view of each value: its length, and its bytes or, of those that are longer, the first four and where it begins.
#[inline(always)]
fn views(offsets: &[i32], data: &[u8]) -> Vec<u128> {
    let view = |part: &[i32]| {
        let [start, end] = *part else { return 0 };
        let (start, length) = (start as u32, end.wrapping_sub(start) as u32);
        let bytes = data.get(start as usize..).unwrap_or_default();
        let bytes = u128::from_le_bytes(bytes.first_chunk().copied().unwrap_or_else(|| padded(bytes)));
        let held = bytes & !u128::MAX.wrapping_shl(length.min(HELD as u32).wrapping_mul(8));
        let pointed = (bytes & u128::from(u32::MAX)) | u128::from(start) << 64;
        u128::from(length) | select_unpredictable(length <= HELD as u32, held, pointed) << 32
    };
    offsets.windows(2).map(view).collect()
}

#[cold]
fn padded(bytes: &[u8]) -> [u8; 16] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0))
}

fn wide<T: ByteArrayType<Offset = i64>>(arrays: ByteArrays, validity: Option<NullBuffer>) -> Result<GenericByteArray<T>> {
    let (offsets, data) = arrays.into_parts();
    let offsets: Vec<i64> = vectorized!(widen(&offsets));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    GenericByteArray::try_new(offsets, Buffer::from_vec(data), validity).map_err(not_utf8)
}

#[inline(always)]
fn widen(offsets: &[i32]) -> Vec<i64> {
    offsets.iter().map(|offset| i64::from(*offset)).collect()
}

#[cold]
fn not_utf8(error: ArrowError) -> Error {
    Error::malformed(format!("text that is not UTF-8: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use proptest::prelude::*;

    fn arrays_of(values: &[Option<String>]) -> (ByteArrays, Option<NullBuffer>) {
        let mut arrays = ByteArrays::with_limit(1 << 20);
        values.iter().for_each(|value| arrays.push(value.as_deref().unwrap_or_default().as_bytes()).unwrap());
        (arrays, values.iter().any(Option::is_none).then(|| values.iter().map(Option::is_some).collect()))
    }

    proptest! {
        #[test]
        fn views_are_of_the_values(values in prop::collection::vec(prop::option::weighted(0.9, "[a-zäé漢]{0,7}|.{0,40}"), 0..200)) {
            let (arrays, validity) = arrays_of(&values);
            let text = array(arrays.clone(), validity.clone(), &DataType::Utf8View).unwrap();
            prop_assert!(text.as_string_view().iter().eq(values.iter().map(Option::as_deref)));
            let bytes = array(arrays, validity, &DataType::BinaryView).unwrap();
            prop_assert!(bytes.as_binary_view().iter().eq(values.iter().map(|value| value.as_deref().map(str::as_bytes))));
        }
    }

    #[test]
    fn views_of_an_array_with_nulls_have_them() {
        let text = StringArray::from(vec![Some("a value of more than twelve bytes"), None, Some("short")]);
        assert!(views_of(&text).iter().eq(text.iter()));
    }

    #[test]
    fn short_values_keep_no_memory_but_their_views() {
        let values: Vec<_> = (0..100).map(|at| Some("twelve bytes"[..at % 13].to_owned())).collect();
        let (arrays, _) = arrays_of(&values);
        for data_type in [DataType::Utf8View, DataType::BinaryView] {
            let views = array(arrays.clone(), None, &data_type).unwrap();
            assert_eq!(views.to_data().buffers().len(), 1, "{data_type}");
        }
    }
}
