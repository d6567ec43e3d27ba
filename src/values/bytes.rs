//! Byte arrays: of any length, and of one width.

use crate::error::{Error, Result};
use crate::values::append_copy;

/// Byte arrays one after another, with the offsets of their ends: value `i` is `data[offsets[i]..offsets[i + 1]]`.
///
/// Offsets are `i32`, as in Arrow, so the data stays below 2 GiB; [`room`](ByteArrays::room) can be set lower. A
/// decoder that finds no room left stops early, and its caller goes on with a fresh container.
#[derive(Clone, Debug, PartialEq)]
pub struct ByteArrays {
    offsets: Vec<i32>,
    data: Vec<u8>,
    most: usize,
}

impl Default for ByteArrays {
    fn default() -> Self {
        Self::new()
    }
}

impl ByteArrays {
    /// The most bytes that `i32` offsets can address.
    pub const MAX_BYTES: usize = i32::MAX as usize;

    /// An empty container.
    pub fn new() -> Self {
        Self::with_limit(Self::MAX_BYTES)
    }

    /// An empty container for at most `bytes` bytes of data (and never more than [`MAX_BYTES`](Self::MAX_BYTES)).
    pub fn with_limit(bytes: usize) -> Self {
        Self { offsets: vec![0], data: Vec::new(), most: bytes.min(Self::MAX_BYTES) }
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of data still fit.
    #[inline]
    pub fn room(&self) -> usize {
        self.most.saturating_sub(self.data.len())
    }

    /// Where values end in [`data`](Self::data), in bytes, after a leading 0: one offset more than there are values.
    pub fn offsets(&self) -> &[i32] {
        &self.offsets
    }

    /// The bytes of all values, without gaps.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The value at `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let start = usize::try_from(*self.offsets.get(index)?).ok()?;
        let end = usize::try_from(*self.offsets.get(index.checked_add(1)?)?).ok()?;
        self.data.get(start..end)
    }

    /// The values in turn.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Reserves memory for `values` more values of `bytes` bytes together.
    pub fn reserve(&mut self, values: usize, bytes: usize) {
        self.offsets.reserve(values);
        self.data.reserve(bytes.min(self.room()));
    }

    /// Appends a value.
    ///
    /// # Errors
    /// `Limit` when it does not fit.
    #[inline]
    pub fn push(&mut self, value: &[u8]) -> Result<()> {
        if value.len() > self.room() {
            return Err(Error::limit(format!("a value of {} bytes does not fit into a container of {} bytes", value.len(), self.most)));
        }
        self.data.extend_from_slice(value);
        self.end_value();
        Ok(())
    }

    /// Appends the bytes of a value's part; [`end_value`](Self::end_value) must follow and the room was checked before.
    #[inline]
    pub(crate) fn data_mut(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// Ends a value (or marks a null, when nothing was added) at the end of the data.
    #[inline]
    pub(crate) fn end_value(&mut self) {
        // The room was checked against MAX_BYTES, so this never saturates.
        self.offsets.push(i32::try_from(self.data.len()).unwrap_or(i32::MAX));
    }

    /// Both vectors: the offsets begin with 0, and whoever adds to one keeps the other in step.
    pub(crate) fn parts_mut(&mut self) -> (&mut Vec<i32>, &mut Vec<u8>) {
        (&mut self.offsets, &mut self.data)
    }

    /// Values of these offsets, which begin with 0 and ascend to the length of `data`.
    #[cfg(feature = "arrow")]
    pub(crate) fn from_parts(offsets: Vec<i32>, data: Vec<u8>) -> Self {
        Self { offsets, data, most: Self::MAX_BYTES }
    }

    /// [`offsets`](Self::offsets) and [`data`](Self::data), as Arrow has them.
    pub fn into_parts(self) -> (Vec<i32>, Vec<u8>) {
        (self.offsets, self.data)
    }
}

impl<'a> FromIterator<&'a [u8]> for ByteArrays {
    /// Collects values as long as they fit.
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(values: I) -> Self {
        let mut arrays = Self::new();
        for value in values {
            if arrays.push(value).is_err() {
                break;
            }
        }
        arrays
    }
}

/// Byte arrays of one width, one after another: value `i` is `data[i * width..(i + 1) * width]`.
///
/// Values may have no width at all; then they are only counted.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedBytes {
    width: usize,
    data: Vec<u8>,
    /// The number of values of width 0, whose data says nothing.
    empty: usize,
}

impl FixedBytes {
    /// An empty container for values of `width` bytes.
    pub fn new(width: usize) -> Self {
        Self { width, data: Vec::new(), empty: 0 }
    }

    /// The bytes of one value.
    #[inline]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.width).unwrap_or(self.empty)
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The value at `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        if index >= self.len() {
            return None;
        }
        let start = index.checked_mul(self.width)?;
        self.data.get(start..start.checked_add(self.width)?)
    }

    /// The values in turn.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Appends values that lie one after another; `bytes` is cut to whole values.
    pub fn extend_from_bytes(&mut self, bytes: &[u8]) {
        let whole = bytes.len().saturating_sub(bytes.len().checked_rem(self.width).unwrap_or(bytes.len()));
        append_copy(&mut self.data, bytes.get(..whole).unwrap_or_default());
    }

    /// Reserves memory for `n` more values.
    pub fn reserve(&mut self, n: usize) {
        self.data.reserve(n.saturating_mul(self.width));
    }

    /// Appends `n` values of zero bytes.
    pub fn extend_zeros(&mut self, n: usize) {
        if self.width == 0 {
            self.empty = self.empty.saturating_add(n);
        }
        self.data.resize(self.data.len().saturating_add(n.saturating_mul(self.width)), 0);
    }

    /// Removes all values and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.data.clear();
        self.empty = 0;
    }

    /// All bytes, for writers that append whole values; `None` when the width is 0.
    pub(crate) fn data_mut(&mut self) -> Option<&mut Vec<u8>> {
        (self.width > 0).then_some(&mut self.data)
    }

    /// All bytes.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_arrays_stop_where_there_is_no_room() {
        let mut arrays = ByteArrays::with_limit(5);
        arrays.push(b"abc").unwrap();
        assert!(arrays.push(b"def").is_err());
        arrays.push(b"de").unwrap();
        arrays.push(b"").unwrap();
        assert_eq!(arrays.iter().collect::<Vec<_>>(), [&b"abc"[..], b"de", b""]);
        assert_eq!(arrays.room(), 0);
        assert_eq!(arrays.get(3), None);
    }

    #[test]
    fn fixed_bytes_count_values_of_no_width() {
        let mut none = FixedBytes::new(0);
        none.extend_zeros(3);
        assert_eq!((none.len(), none.get(2), none.get(3)), (3, Some(&[][..]), None));
        let mut three = FixedBytes::new(3);
        three.extend_from_bytes(b"abcdefgh");
        assert_eq!(three.iter().collect::<Vec<_>>(), [b"abc", b"def"]);
    }
}
