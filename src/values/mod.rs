//! The in-memory shapes that decoded values take: words of 4 and 8 bytes, bits, bytes of any length, bytes of one width.
//!
//! Containers follow the *shape* of a physical type, not the type: INT32 and FLOAT are both words of 4 bytes, INT64 and
//! DOUBLE words of 8, INT96 and FIXED_LEN_BYTE_ARRAY are bytes of one width. Few shapes mean few copies of each kernel;
//! typed views such as [`Values::as_i64`] cost nothing.
//!
//! ```
//! use herringbone::format::PhysicalType;
//! use herringbone::values::{ByteArrays, Values};
//!
//! let words = Values::Words32(vec![1, u32::MAX]);
//! assert_eq!(words.as_i32(), Some(&[1, -1][..]));
//! assert_eq!(words.as_i64(), None);
//!
//! let names: ByteArrays = [&b"cod"[..], b"herring"].into_iter().collect();
//! assert_eq!(names.offsets(), [0, 3, 10]);
//! assert_eq!(Values::Bytes(names).len(), 2);
//! assert!(Values::new(PhysicalType::Boolean, 0).as_bits().is_some());
//! ```
//!
//! Specification: *Types* in the format's README.

#![allow(clippy::arithmetic_side_effects, reason = "a kernel: it counts values, bits and bytes that are in memory")]

mod bits;
mod bytes;
mod slice;

pub(crate) use bits::word_of;
pub use bits::{Bits, BitsIter};
pub use bytes::{ByteArrays, FixedBytes};
pub use slice::{BitsSlice, BytesSlice, FixedSlice, ValuesSlice};

use std::ops::Range;

use crate::error::Result;
use crate::format::PhysicalType;
use crate::simd::vectorized;

/// Appends `n` words, which `fill` writes at most `at_once` at a time, so that they are in the cache still where they were cleared.
pub(crate) fn extend_words<T: Copy + Default>(
    words: &mut Vec<T>,
    n: usize,
    at_once: usize,
    mut fill: impl FnMut(&mut [T]) -> Result<()>,
) -> Result<()> {
    let mut left = n;
    while left > 0 {
        let (filled, piece) = (words.len(), left.min(at_once.max(1)));
        words.resize(filled.saturating_add(piece), T::default());
        fill(words.get_mut(filled..).unwrap_or_default())?;
        left = left.saturating_sub(piece);
    }
    Ok(())
}

/// How many bytes are copied at a time to memory that is written for the first time. Beyond 2 KiB the C library (glibc) copies with an instruction that is
/// half as fast there: 64 MB from the second-level cache in 4.5 ms with 64 KiB at a time, in 2.9 with 2 KiB. Plain words, of whole pages, were 5 % slower so.
const COPIED_AT_ONCE: usize = 2 << 10;

/// Appends bytes, a few at a time.
pub(crate) fn append_copy(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len());
    bytes.chunks(COPIED_AT_ONCE).for_each(|piece| out.extend_from_slice(piece));
}

/// Appends bytes to memory that is kept, 64 at a time: columns of text took 1 to 5 % less time than with [`append_copy`], whose calls are slow where the bytes
/// are a little further into a page of memory than their copy. Words, and bytes that go to memory which is used again, took 1 to 4 % more.
pub(crate) fn append_to_keep(out: &mut Vec<u8>, bytes: &[u8]) {
    vectorized!(append_pieces(out, bytes));
}

#[inline(always)]
fn append_pieces(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len());
    let (pieces, rest) = bytes.as_chunks::<64>();
    pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    out.extend_from_slice(rest);
}

/// How many rows a range has.
pub(crate) fn length(range: &Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX)
}

/// Decoded values of one leaf column, without nulls or with a placeholder in each null's place.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// INT32 and FLOAT, by their bits, one word a value; also indices into a dictionary.
    Words32(Vec<u32>),
    /// INT64 and DOUBLE, by their bits, one word a value.
    Words64(Vec<u64>),
    /// BOOLEAN, one bit a value.
    Bits(Bits),
    /// BYTE_ARRAY: offsets and bytes, without lengths in between.
    Bytes(ByteArrays),
    /// FIXED_LEN_BYTE_ARRAY and INT96 (12 bytes).
    Fixed(FixedBytes),
}

impl Values {
    /// An empty container for a physical type; `width` is the byte length of FIXED_LEN_BYTE_ARRAY and ignored otherwise.
    ///
    /// Types that this version does not know get the byte array shape.
    pub fn new(physical_type: PhysicalType, width: usize) -> Self {
        match physical_type {
            PhysicalType::Int32 | PhysicalType::Float => Values::Words32(Vec::new()),
            PhysicalType::Int64 | PhysicalType::Double => Values::Words64(Vec::new()),
            PhysicalType::Boolean => Values::Bits(Bits::new()),
            PhysicalType::Int96 => Values::Fixed(FixedBytes::new(12)),
            PhysicalType::FixedLenByteArray => Values::Fixed(FixedBytes::new(width)),
            PhysicalType::ByteArray | PhysicalType::Unknown(_) => Values::Bytes(ByteArrays::new()),
        }
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Values::Words32(words) => words.len(),
            Values::Words64(words) => words.len(),
            Values::Bits(bits) => bits.len(),
            Values::Bytes(arrays) => arrays.len(),
            Values::Fixed(fixed) => fixed.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all values and keeps the memory, but for that of byte arrays of any length.
    pub(crate) fn clear(&mut self) {
        match self {
            Values::Words32(words) => words.clear(),
            Values::Words64(words) => words.clear(),
            Values::Bits(bits) => bits.clear(),
            Values::Bytes(arrays) => *arrays = ByteArrays::new(),
            Values::Fixed(fixed) => fixed.clear(),
        }
    }

    /// The memory that the values take, in bytes; reserved memory that holds none is not counted.
    pub fn memory_size(&self) -> usize {
        match self {
            Values::Words32(words) => words.len().saturating_mul(4),
            Values::Words64(words) => words.len().saturating_mul(8),
            Values::Bits(bits) => bits.words().len().saturating_mul(8),
            Values::Bytes(arrays) => arrays.data().len().saturating_add(arrays.offsets().len().saturating_mul(4)),
            Values::Fixed(fixed) => fixed.data().len(),
        }
    }

    /// The values as INT32; `None` for a container of another shape.
    pub fn as_i32(&self) -> Option<&[i32]> {
        match self {
            Values::Words32(words) => Some(bytemuck::cast_slice(words)),
            _ => None,
        }
    }

    /// The values as INT64; `None` for a container of another shape.
    pub fn as_i64(&self) -> Option<&[i64]> {
        match self {
            Values::Words64(words) => Some(bytemuck::cast_slice(words)),
            _ => None,
        }
    }

    /// The values as FLOAT; `None` for a container of another shape.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match self {
            Values::Words32(words) => Some(bytemuck::cast_slice(words)),
            _ => None,
        }
    }

    /// The values as DOUBLE; `None` for a container of another shape.
    pub fn as_f64(&self) -> Option<&[f64]> {
        match self {
            Values::Words64(words) => Some(bytemuck::cast_slice(words)),
            _ => None,
        }
    }

    /// The values of BOOLEAN; `None` for a container of another shape.
    pub fn as_bits(&self) -> Option<&Bits> {
        match self {
            Values::Bits(bits) => Some(bits),
            _ => None,
        }
    }

    /// The values of BYTE_ARRAY; `None` for a container of another shape.
    pub fn as_bytes(&self) -> Option<&ByteArrays> {
        match self {
            Values::Bytes(arrays) => Some(arrays),
            _ => None,
        }
    }

    /// The values of FIXED_LEN_BYTE_ARRAY or INT96; `None` for a container of another shape.
    pub fn as_fixed(&self) -> Option<&FixedBytes> {
        match self {
            Values::Fixed(fixed) => Some(fixed),
            _ => None,
        }
    }
}
