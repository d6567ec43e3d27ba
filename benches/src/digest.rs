//! Values in one number a column, however they lie in memory and in batches: to see that all engines read the same.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, OffsetSizeTrait, RecordBatch, downcast_primitive_array};
use arrow_buffer::ToByteSlice;
use arrow_schema::DataType;

use crate::Result;

/// The digest of what was added so far.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// Adds a null.
    pub fn null(&mut self) {
        self.word(0x6e75_6c6c);
    }

    /// Adds a number: a boolean or a length.
    pub fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// Adds bytes: text, or a value of fixed width in little endian order.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// One digest a column.
pub fn of_batches(batches: &[RecordBatch]) -> Result<Vec<u64>> {
    let columns = batches.first().map_or(0, RecordBatch::num_columns);
    let mut digests = vec![Digest::default(); columns];
    for batch in batches {
        for (column, digest) in batch.columns().iter().zip(&mut digests) {
            add(column.as_ref(), 0..column.len(), digest)?;
        }
    }
    Ok(digests.into_iter().map(Digest::get).collect())
}

/// Adds slots one by one, so that it does not matter where arrays begin and end.
fn add(array: &dyn Array, range: Range<usize>, digest: &mut Digest) -> Result<()> {
    downcast_primitive_array!(
        array => slots(array, range, digest, |i, digest| digest.bytes([array.value(i)].to_byte_slice())),
        DataType::Boolean => slots(array, range, digest, |i, digest| digest.word(u64::from(array.as_boolean().value(i)))),
        DataType::Utf8 => slots(array, range, digest, |i, digest| digest.bytes(array.as_string::<i32>().value(i).as_bytes())),
        DataType::Utf8View => slots(array, range, digest, |i, digest| digest.bytes(array.as_string_view().value(i).as_bytes())),
        DataType::List(_) => return lists::<i32>(array, range, digest),
        DataType::LargeList(_) => return lists::<i64>(array, range, digest),
        DataType::Map(..) => {
            let maps = array.as_map();
            return nested(array, range, digest, |i, digest| list(maps.value_offsets(), i, maps.entries(), digest));
        }
        DataType::Struct(_) => {
            let structs = array.as_struct();
            return nested(array, range, digest, |i, digest| {
                structs.columns().iter().try_for_each(|child| add(child.as_ref(), i..i + 1, digest))
            });
        }
        other => return Err(format!("values of {other} are not compared").into())
    );
    Ok(())
}

fn slots(array: &dyn Array, range: Range<usize>, digest: &mut Digest, value: impl Fn(usize, &mut Digest)) {
    for i in range {
        if array.is_null(i) { digest.null() } else { value(i, digest) }
    }
}

fn nested(array: &dyn Array, range: Range<usize>, digest: &mut Digest, value: impl Fn(usize, &mut Digest) -> Result<()>) -> Result<()> {
    for i in range {
        if array.is_null(i) { digest.null() } else { value(i, digest)? }
    }
    Ok(())
}

fn lists<O: OffsetSizeTrait>(array: &dyn Array, range: Range<usize>, digest: &mut Digest) -> Result<()> {
    let lists = array.as_list::<O>();
    nested(array, range, digest, |i, digest| list(lists.value_offsets(), i, lists.values().as_ref(), digest))
}

fn list<O: OffsetSizeTrait>(offsets: &[O], i: usize, items: &dyn Array, digest: &mut Digest) -> Result<()> {
    let range = offsets[i].as_usize()..offsets[i + 1].as_usize();
    digest.word(range.len() as u64);
    add(items, range, digest)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{ArrayRef, ListArray, StringViewArray};

    use super::*;

    fn digests(arrays: Vec<ArrayRef>) -> Vec<u64> {
        let names = ["a", "b"].into_iter();
        of_batches(&[RecordBatch::try_from_iter(names.zip(arrays)).expect("a batch")]).expect("digests")
    }

    #[test]
    fn batches_may_be_cut_anywhere() {
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(4)])]);
        let text = StringViewArray::from(vec![Some("a"), None, Some("longer than a view"), Some("")]);
        let whole = RecordBatch::try_from_iter([("a", Arc::new(lists) as ArrayRef), ("b", Arc::new(text))]).expect("a batch");
        let expected = of_batches(std::slice::from_ref(&whole)).expect("digests");
        for cut in 0..=4 {
            assert_eq!(of_batches(&[whole.slice(0, cut), whole.slice(cut, 4 - cut)]).expect("digests"), expected);
        }
    }

    #[test]
    fn other_values_have_another_digest() {
        let list = |items: Vec<Option<i32>>| Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(items)])) as ArrayRef;
        let found = digests(vec![list(vec![Some(1), None]), list(vec![Some(1), Some(0)])]);
        assert_ne!(found[0], found[1]);
        let found = digests(vec![Arc::new(StringViewArray::from(vec!["a", ""])), Arc::new(StringViewArray::from(vec!["", "a"]))]);
        assert_ne!(found[0], found[1]);
    }
}
