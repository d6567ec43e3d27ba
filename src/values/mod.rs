//! The in-memory shapes that decoded values take: words of 4 and 8 bytes, bits, bytes of any length, bytes of one width.
//!
//! Containers follow the *shape* of a physical type, not the type: INT32 and FLOAT are both words of 4 bytes, INT64 and
//! DOUBLE words of 8, INT96 and FIXED_LEN_BYTE_ARRAY are bytes of one width. Few shapes mean few copies of each kernel;
//! typed views such as [`Values::as_i64`] cost nothing.

mod bits;
mod bytes;
mod slice;

pub use bits::{Bits, BitsIter};
pub use bytes::{ByteArrays, FixedBytes};
pub use slice::{BitsSlice, BytesSlice, FixedSlice, ValuesSlice};

use crate::format::PhysicalType;

/// Decoded values of one leaf column, without nulls or with a placeholder in each null's place.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// INT32 and FLOAT, by their bits; also indices into a dictionary.
    Words32(Vec<u32>),
    /// INT64 and DOUBLE, by their bits.
    Words64(Vec<u64>),
    /// BOOLEAN.
    Bits(Bits),
    /// BYTE_ARRAY.
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

    /// The memory that the values take, in bytes.
    pub fn memory_size(&self) -> usize {
        match self {
            Values::Words32(words) => words.len().saturating_mul(4),
            Values::Words64(words) => words.len().saturating_mul(8),
            Values::Bits(bits) => bits.words().len().saturating_mul(8),
            Values::Bytes(arrays) => arrays.data().len().saturating_add(arrays.offsets().len().saturating_mul(4)),
            Values::Fixed(fixed) => fixed.data().len(),
        }
    }

    /// INT32 values.
    pub fn as_i32(&self) -> Option<&[i32]> {
        match self {
            Values::Words32(words) => Some(bytemuck::cast_slice(words)),
            _ => None,
        }
    }

    /// INT64 values.
    pub fn as_i64(&self) -> Option<&[i64]> {
        match self {
            Values::Words64(words) => Some(bytemuck::cast_slice(words)),
            _ => None,
        }
    }

    /// FLOAT values.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match self {
            Values::Words32(words) => Some(bytemuck::cast_slice(words)),
            _ => None,
        }
    }

    /// DOUBLE values.
    pub fn as_f64(&self) -> Option<&[f64]> {
        match self {
            Values::Words64(words) => Some(bytemuck::cast_slice(words)),
            _ => None,
        }
    }

    /// BOOLEAN values.
    pub fn as_bits(&self) -> Option<&Bits> {
        match self {
            Values::Bits(bits) => Some(bits),
            _ => None,
        }
    }

    /// BYTE_ARRAY values.
    pub fn as_bytes(&self) -> Option<&ByteArrays> {
        match self {
            Values::Bytes(arrays) => Some(arrays),
            _ => None,
        }
    }

    /// FIXED_LEN_BYTE_ARRAY and INT96 values.
    pub fn as_fixed(&self) -> Option<&FixedBytes> {
        match self {
            Values::Fixed(fixed) => Some(fixed),
            _ => None,
        }
    }
}
