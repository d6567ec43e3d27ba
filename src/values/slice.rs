//! Borrowed values: what encoders take, so that buffers of any owner can be written without a copy.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::values::{Bits, ByteArrays, FixedBytes, Values};

/// A run of values of one shape, borrowed.
///
/// [`Values::as_slice`] gives all values of a container; the variants can also be made from buffers of another owner, such
/// as Arrow arrays.
///
/// ```
/// use herringbone::values::{Values, ValuesSlice};
/// let values = Values::Words32(vec![1, 2, 3]);
/// assert_eq!(values.as_slice().slice(1..3), Some(ValuesSlice::Words32(&[2, 3])));
/// assert_eq!(values.as_slice().slice(1..4), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValuesSlice<'a> {
    /// INT32 and FLOAT, by their bits.
    Words32(&'a [u32]),
    /// INT64 and DOUBLE, by their bits.
    Words64(&'a [u64]),
    /// BOOLEAN.
    Bits(BitsSlice<'a>),
    /// BYTE_ARRAY.
    Bytes(BytesSlice<'a>),
    /// FIXED_LEN_BYTE_ARRAY and INT96.
    Fixed(FixedSlice<'a>),
}

impl<'a> ValuesSlice<'a> {
    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            ValuesSlice::Words32(words) => words.len(),
            ValuesSlice::Words64(words) => words.len(),
            ValuesSlice::Bits(bits) => bits.len(),
            ValuesSlice::Bytes(arrays) => arrays.len(),
            ValuesSlice::Fixed(fixed) => fixed.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A part of the values, if there are as many.
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        Some(match self {
            ValuesSlice::Words32(words) => ValuesSlice::Words32(words.get(range)?),
            ValuesSlice::Words64(words) => ValuesSlice::Words64(words.get(range)?),
            ValuesSlice::Bits(bits) => ValuesSlice::Bits(bits.slice(range)?),
            ValuesSlice::Bytes(arrays) => ValuesSlice::Bytes(arrays.slice(range)?),
            ValuesSlice::Fixed(fixed) => ValuesSlice::Fixed(fixed.slice(range)?),
        })
    }
}

impl Values {
    /// All values, borrowed.
    pub fn as_slice(&self) -> ValuesSlice<'_> {
        match self {
            Values::Words32(words) => ValuesSlice::Words32(words),
            Values::Words64(words) => ValuesSlice::Words64(words),
            Values::Bits(bits) => ValuesSlice::Bits(bits.into()),
            Values::Bytes(arrays) => ValuesSlice::Bytes(arrays.into()),
            Values::Fixed(fixed) => ValuesSlice::Fixed(fixed.into()),
        }
    }
}

/// A part of a bitmap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BitsSlice<'a> {
    bits: &'a Bits,
    start: usize,
    len: usize,
}

impl<'a> BitsSlice<'a> {
    /// The number of bits.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A part of the bits, if there are as many.
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        (range.start <= range.end && range.end <= self.len).then(|| Self {
            bits: self.bits,
            start: self.start + range.start,
            len: range.end - range.start,
        })
    }

    /// The number of set bits.
    pub fn count_ones(&self) -> usize {
        let words = (0..self.len).step_by(64).map(|at| {
            let word = self.bits.word_at(self.start + at);
            if self.len - at < 64 { word & ((1 << (self.len - at)) - 1) } else { word }
        });
        words.map(|word| word.count_ones() as usize).sum()
    }

    /// Appends the bits to a bitmap.
    pub fn append_to(&self, out: &mut Bits) {
        out.extend_from(self.bits, self.start, self.len);
    }
}

impl<'a> From<&'a Bits> for BitsSlice<'a> {
    fn from(bits: &'a Bits) -> Self {
        Self { bits, start: 0, len: bits.len() }
    }
}

/// Byte arrays: value `i` is `data[offsets[i]..offsets[i + 1]]`. Offsets begin anywhere and never descend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BytesSlice<'a> {
    offsets: &'a [i32],
    data: &'a [u8],
}

impl<'a> BytesSlice<'a> {
    /// Byte arrays between offsets into `data`: one value fewer than there are offsets.
    ///
    /// # Errors
    /// `Usage` when offsets descend or lie outside `data`.
    pub fn new(offsets: &'a [i32], data: &'a [u8]) -> Result<Self> {
        let first = offsets.first().copied().unwrap_or(0);
        let last = offsets.last().copied().unwrap_or(0);
        let descend = offsets.windows(2).fold(false, |descend, pair| descend | matches!(pair, [a, b] if a > b));
        if first < 0 || descend || last as usize > data.len() {
            return Err(Error::usage("the offsets of byte arrays descend or lie outside their data"));
        }
        Ok(Self { offsets, data })
    }

    /// The number of values.
    #[inline]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The offsets, as they are: they need not begin with 0.
    pub fn offsets(&self) -> &'a [i32] {
        self.offsets
    }

    /// The bytes that the offsets point into.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The bytes of all values, without those before the first and after the last.
    pub fn bytes(&self) -> &'a [u8] {
        match self.offsets {
            [first, .., last] => self.data.get(*first as usize..*last as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The value at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let [start, end] = *self.offsets.get(index..)?.first_chunk()?;
        self.data.get(start as usize..end as usize)
    }

    /// The values in turn.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let data = self.data;
        self.offsets.windows(2).map(move |pair| match pair {
            [start, end] => data.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        })
    }

    /// A part of the values, if there are as many.
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.len() {
            return None;
        }
        Some(Self { offsets: self.offsets.get(range.start..=range.end).unwrap_or_default(), data: self.data })
    }
}

impl<'a> From<&'a ByteArrays> for BytesSlice<'a> {
    fn from(arrays: &'a ByteArrays) -> Self {
        Self { offsets: arrays.offsets(), data: arrays.data() }
    }
}

/// Byte arrays of one width, one after another: value `i` is `data[i * width..(i + 1) * width]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedSlice<'a> {
    width: usize,
    data: &'a [u8],
    len: usize,
}

impl<'a> FixedSlice<'a> {
    /// The values of `width` bytes in `data`.
    ///
    /// # Errors
    /// `Usage` when `data` does not hold whole values; values of no width are counted by
    /// [`FixedBytes`](crate::values::FixedBytes) only.
    pub fn new(width: usize, data: &'a [u8]) -> Result<Self> {
        match data.len().checked_rem(width) {
            Some(0) => Ok(Self { width, data, len: data.len() / width }),
            _ => Err(Error::usage(format!("{} bytes are not whole values of {width} bytes", data.len()))),
        }
    }

    /// The bytes of one value.
    #[inline]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All bytes.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The value at `index`, if there is one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        if index >= self.len { None } else { self.data.get(index * self.width..(index + 1) * self.width) }
    }

    /// The values in turn.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let slice = *self;
        (0..self.len).filter_map(move |index| slice.get(index))
    }

    /// A part of the values, if there are as many.
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.len {
            return None;
        }
        let data = self.data.get(range.start * self.width..range.end * self.width)?;
        Some(Self { width: self.width, data, len: range.end - range.start })
    }
}

impl<'a> From<&'a FixedBytes> for FixedSlice<'a> {
    fn from(fixed: &'a FixedBytes) -> Self {
        Self { width: fixed.width(), data: fixed.data(), len: fixed.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slices_of_slices(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..30), a in 0..40usize, b in 0..40usize, c in 0..40usize, d in 0..40usize) {
            let arrays: ByteArrays = values.iter().map(Vec::as_slice).collect();
            let mut fixed = FixedBytes::new(2);
            values.iter().for_each(|value| fixed.extend_from_bytes(&[value.len() as u8, 7]));
            let bits: Bits = values.iter().map(|value| value.len() % 2 == 1).collect();
            let expected = values.get(a..b).and_then(|values| values.get(c..d));

            let part = BytesSlice::from(&arrays).slice(a..b).and_then(|part| part.slice(c..d));
            prop_assert_eq!(part.map(|part| part.iter().map(<[u8]>::to_vec).collect::<Vec<_>>()), expected.map(<[_]>::to_vec));
            if let (Some(part), Some(expected)) = (part, expected) {
                prop_assert_eq!(part.bytes(), expected.concat());
                prop_assert_eq!(part.get(0), expected.first().map(Vec::as_slice));
            }
            let part = FixedSlice::from(&fixed).slice(a..b).and_then(|part| part.slice(c..d));
            let lengths = part.map(|part| part.iter().map(|value| usize::from(value[0])).collect::<Vec<_>>());
            prop_assert_eq!(lengths, expected.map(|values| values.iter().map(Vec::len).collect()));
            let part = BitsSlice::from(&bits).slice(a..b).and_then(|part| part.slice(c..d)).map(|part| {
                let mut out = Bits::new();
                part.append_to(&mut out);
                assert_eq!(out.count_ones(), part.count_ones());
                out.iter().collect::<Vec<_>>()
            });
            prop_assert_eq!(part, expected.map(|values| values.iter().map(|value| value.len() % 2 == 1).collect()));
        }
    }

    #[test]
    fn impossible_buffers_are_refused() {
        assert!(BytesSlice::new(&[0, 3, 2], b"abc").is_err());
        assert!(BytesSlice::new(&[-1, 3], b"abc").is_err());
        assert!(BytesSlice::new(&[1, 4], b"abc").is_err());
        assert_eq!(BytesSlice::new(&[1, 2, 3], b"abc").unwrap().iter().collect::<Vec<_>>(), [b"b", b"c"]);
        assert!(BytesSlice::new(&[], b"abc").unwrap().is_empty());
        assert!(FixedSlice::new(2, b"abc").is_err());
        assert!(FixedSlice::new(0, b"").is_err());
    }
}
