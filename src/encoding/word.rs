//! The two words that numbers come in, as unsigned integers: what the encodings of numbers do with them.

use crate::encoding::bit_packed::{unpack32, unpack64};
use crate::values::{Values, ValuesSlice};

/// A word of 4 or 8 bytes; all arithmetic wraps.
pub(crate) trait Word: Copy + Default + PartialEq + Into<u64> + Send + 'static {
    const BYTES: usize;

    /// The word's low bits.
    fn from_u64(value: u64) -> Self;
    /// The signed value.
    fn to_i64(self) -> i64;
    fn add(self, other: Self) -> Self;
    fn subtract(self, other: Self) -> Self;
    fn times(self, n: usize) -> Self;
    fn or(self, other: Self) -> Self;
    /// The smaller one of signed values.
    fn smaller(self, other: Self) -> Self;
    /// The number of bits up to the highest one set.
    fn bits(self) -> usize;

    /// The container of such words, if it is one.
    fn container(values: &mut Values) -> Option<&mut Vec<Self>>;
    /// A slice of such words, if it is one.
    fn slice(values: ValuesSlice<'_>) -> Option<&[Self]>;

    /// Takes a little-endian word off the front.
    fn take(bytes: &[u8]) -> Option<(Self, &[u8])>;
    /// Appends the word, little-endian.
    fn put(self, out: &mut Vec<u8>);
    /// Unpacks words of `width` (at most 64) bits, beginning `bit` bits into `bytes`; bits beyond the word are cut off.
    fn unpack(bytes: &[u8], bit: usize, width: usize, out: &mut [Self]);
}

macro_rules! words {
    ($($word:ident $values:ident $unpack:ident;)*) => {$(
        impl Word for $word {
            const BYTES: usize = size_of::<$word>();

            #[inline(always)]
            fn from_u64(value: u64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn to_i64(self) -> i64 {
                self.cast_signed() as i64
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn subtract(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn times(self, n: usize) -> Self {
                self.wrapping_mul(n as Self)
            }

            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }

            #[inline(always)]
            fn smaller(self, other: Self) -> Self {
                self.cast_signed().min(other.cast_signed()).cast_unsigned()
            }

            #[inline(always)]
            fn bits(self) -> usize {
                Self::BITS.saturating_sub(self.leading_zeros()) as usize
            }

            fn container(values: &mut Values) -> Option<&mut Vec<Self>> {
                match values {
                    Values::$values(words) => Some(words),
                    _ => None,
                }
            }

            fn slice(values: ValuesSlice<'_>) -> Option<&[Self]> {
                match values {
                    ValuesSlice::$values(words) => Some(words),
                    _ => None,
                }
            }

            #[inline]
            fn take(bytes: &[u8]) -> Option<(Self, &[u8])> {
                bytes.split_first_chunk().map(|(word, rest)| (Self::from_le_bytes(*word), rest))
            }

            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn unpack(bytes: &[u8], bit: usize, width: usize, out: &mut [Self]) {
                $unpack(bytes, bit, width, out);
            }
        }
    )*};
}

words! {
    u32 Words32 unpack_to_32;
    u64 Words64 unpack64;
}

fn unpack_to_32(bytes: &[u8], bit: usize, width: usize, out: &mut [u32]) {
    if width <= 32 {
        return unpack32(bytes, bit, width, out);
    }
    let mut wide = [0; 64];
    let mut bit = bit;
    for out in out.chunks_mut(wide.len()) {
        let wide = wide.get_mut(..out.len()).unwrap_or_default();
        unpack64(bytes, bit, width, wide);
        out.iter_mut().zip(wide.iter()).for_each(|(out, wide)| *out = *wide as u32);
        bit = bit.saturating_add(out.len().saturating_mul(width));
    }
}
