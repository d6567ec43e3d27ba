//! Unpacking of bit-packed integers, least significant bit first: value `i` is the bits `i * width .. (i + 1) * width`
//! of the bytes read as one little-endian number. RLE runs, delta miniblocks and ALP vectors all pack like this.
//!
//! With AVX-512 one byte permute brings each value's bytes into its lane and one shift aligns it: 0.03 ns a value, for
//! any width from one routine (measured, 10 bits). Elsewhere eight values at a time are cut from a window of fixed size
//! with shifts known at compile time.

#![allow(clippy::arithmetic_side_effects, reason = "a kernel: widths are at most 64, and whoever calls it has counted the bits")]

use fearless_simd::Level;

use crate::simd::{level, vectorized};

/// Unpacks `out.len()` values of `width` (at most 32) bits that begin at bit `start` of `input`; bits beyond the end of
/// `input` are 0.
pub(crate) fn unpack32(input: &[u8], start: usize, width: usize, out: &mut [u32]) {
    let input = input.get(start / 8..).unwrap_or_default();
    let start = start % 8;
    if width == 0 || width > 32 {
        out.fill(0);
        return;
    }
    let done = unpack32_wide(level(), input, start, width, out);
    let Some(out) = out.get_mut(done..) else { return };
    let bit = start + done * width;
    unpack32_portable(input.get(bit / 8..).unwrap_or_default(), bit % 8, width, out);
}

/// The value of `width` (at most 32) bits that begins at bit `start` of `input`; bits beyond the end of `input` are 0.
#[inline]
pub(crate) fn unpack_one(input: &[u8], start: usize, width: usize) -> u32 {
    let input = input.get(start / 8..).unwrap_or_default();
    let word = match input.first_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => input.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    (word >> (start % 8) & ((1 << width.min(32)) - 1)) as u32
}

/// Unpacks `out.len()` values of `width` (at most 64) bits, as [`unpack32`] does.
pub(crate) fn unpack64(input: &[u8], start: usize, width: usize, out: &mut [u64]) {
    let input = input.get(start / 8..).unwrap_or_default();
    let start = start % 8;
    if width == 0 || width > 64 {
        out.fill(0);
        return;
    }
    let done = unpack64_wide(level(), input, start, width, out);
    let Some(out) = out.get_mut(done..) else { return };
    let bit = start + done * width;
    unpack64_portable(input.get(bit / 8..).unwrap_or_default(), bit % 8, width, out);
}

/// Unpacks as many values as the vector kernel can, and returns how many.
fn unpack32_wide(level: Level, input: &[u8], start: usize, width: usize, out: &mut [u32]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if width <= 25
        && let Some(avx512) = level.as_avx512()
    {
        return x86::unpack32(avx512, input, start, width, out);
    }
    let _ = (level, input, start, width, out);
    0
}

fn unpack64_wide(level: Level, input: &[u8], start: usize, width: usize, out: &mut [u64]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if width <= 57
        && let Some(avx512) = level.as_avx512()
    {
        return x86::unpack64(avx512, input, start, width, out);
    }
    let _ = (level, input, start, width, out);
    0
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use fearless_simd::prelude::*;
    use fearless_simd::{u8x64, u32x16, u64x8};

    /// The 64 bytes at `at`, padded with zeros at the end of `input`.
    #[inline(always)]
    fn window(input: &[u8], at: usize, padded: &mut [u8; 64]) {
        let rest = input.get(at..).unwrap_or_default();
        match rest.first_chunk() {
            Some(whole) => *padded = *whole,
            None => {
                *padded = [0; 64];
                for (to, from) in padded.iter_mut().zip(rest) {
                    *to = *from;
                }
            }
        }
    }

    fearless_simd::kernel!(
        /// Unpacks whole groups of 16 values of at most 25 bits, and one of 8 after them; returns how many values.
        pub(super) fn unpack32(avx512: Avx512, input: &[u8], start: usize, width: usize, out: &mut [u32]) -> usize {
            use core::arch::x86_64::*;
            let mut bytes = [0u8; 64];
            let mut shifts = [0u32; 16];
            for (lane, (four, shift)) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(&mut shifts).enumerate() {
                let bit = start + lane * width;
                *shift = (bit % 8) as u32;
                let first = (bit / 8) as u8;
                *four = [first, first + 1, first + 2, first + 3];
            }
            let bytes: __m512i = u8x64::from_slice(avx512, &bytes).into();
            let shifts: __m512i = u32x16::from_slice(avx512, &shifts).into();
            let mask = _mm512_set1_epi32((u32::MAX >> (32 - width)).cast_signed());
            let mut padded = [0; 64];
            let groups = out.as_chunks_mut::<16>().0;
            let done = groups.len() * 16;
            for (group, out) in groups.iter_mut().enumerate() {
                window(input, group * 2 * width, &mut padded);
                let lanes = _mm512_permutexvar_epi8(bytes, u8x64::from_slice(avx512, &padded).into());
                let lanes = _mm512_and_si512(_mm512_srlv_epi32(lanes, shifts), mask);
                let lanes: u32x16<_> = lanes.simd_into(avx512);
                lanes.store_slice(out);
            }
            // Most writers pack 504 values at a time: the last eight come with the eight before them once more.
            let (length, at) = (out.len(), out.len().saturating_sub(16));
            if length % 16 == 8
                && let Some(out) = out.get_mut(at..).and_then(<[u32]>::first_chunk_mut::<16>)
            {
                window(input, at / 8 * width, &mut padded);
                let lanes = _mm512_permutexvar_epi8(bytes, u8x64::from_slice(avx512, &padded).into());
                let lanes = _mm512_and_si512(_mm512_srlv_epi32(lanes, shifts), mask);
                let lanes: u32x16<_> = lanes.simd_into(avx512);
                lanes.store_slice(out);
                return length;
            }
            done
        }
    );

    fearless_simd::kernel!(
        /// Unpacks whole groups of 8 values of at most 57 bits; returns how many values.
        pub(super) fn unpack64(avx512: Avx512, input: &[u8], start: usize, width: usize, out: &mut [u64]) -> usize {
            use core::arch::x86_64::*;
            let mut bytes = [0u8; 64];
            let mut shifts = [0u64; 8];
            for (lane, (eight, shift)) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(&mut shifts).enumerate() {
                let bit = start + lane * width;
                *shift = (bit % 8) as u64;
                let first = (bit / 8) as u8;
                *eight = core::array::from_fn(|byte| first + byte as u8);
            }
            let bytes: __m512i = u8x64::from_slice(avx512, &bytes).into();
            let shifts: __m512i = u64x8::from_slice(avx512, &shifts).into();
            let mask = _mm512_set1_epi64((u64::MAX >> (64 - width)).cast_signed());
            let mut padded = [0; 64];
            let groups = out.as_chunks_mut::<8>().0;
            let done = groups.len() * 8;
            for (group, out) in groups.iter_mut().enumerate() {
                window(input, group * width, &mut padded);
                let lanes = _mm512_permutexvar_epi8(bytes, u8x64::from_slice(avx512, &padded).into());
                let lanes = _mm512_and_si512(_mm512_srlv_epi64(lanes, shifts), mask);
                let lanes: u64x8<_> = lanes.simd_into(avx512);
                lanes.store_slice(out);
            }
            done
        }
    );
}

/// The value of `width` bits at bit `bit`.
#[inline(always)]
fn one(input: &[u8], bit: usize, width: usize) -> u64 {
    let rest = input.get(bit / 8..).unwrap_or_default();
    let wide = match rest.first_chunk::<16>() {
        Some(chunk) => u128::from_le_bytes(*chunk),
        None => {
            let mut padded = [0; 16];
            for (to, from) in padded.iter_mut().zip(rest) {
                *to = *from;
            }
            u128::from_le_bytes(padded)
        }
    };
    (wide >> (bit % 8)) as u64 & (u64::MAX >> (64 - width))
}

fn unpack32_portable(input: &[u8], start: usize, width: usize, out: &mut [u32]) {
    let done = if start == 0 { unpack32_eights(input, width, out) } else { 0 };
    for (i, value) in out.iter_mut().enumerate().skip(done) {
        *value = one(input, start + i * width, width) as u32;
    }
}

fn unpack64_portable(input: &[u8], start: usize, width: usize, out: &mut [u64]) {
    let done = if start == 0 { unpack64_eights(input, width, out) } else { 0 };
    for (i, value) in out.iter_mut().enumerate().skip(done) {
        *value = one(input, start + i * width, width);
    }
}

/// Eights of values for which a whole window of input is there; returns how many values.
macro_rules! eights {
    ($name:ident, $all:ident, $type:ty, $window:literal, $($width:literal)*) => {
        #[inline(always)]
        fn $all<const WIDTH: usize>(input: &[u8], out: &mut [$type]) -> usize {
            let mut done = 0;
            let mut at = 0;
            for eight in out.as_chunks_mut::<8>().0 {
                let Some(window) = input.get(at..).and_then(<[u8]>::first_chunk::<$window>) else { break };
                for (i, value) in eight.iter_mut().enumerate() {
                    let bit = i * WIDTH;
                    let mut bytes = [0; 16];
                    #[allow(clippy::indexing_slicing, reason = "the window holds 15 bytes more than eight values; both are constants")]
                    bytes.copy_from_slice(&window[bit / 8..bit / 8 + 16]);
                    *value = ((u128::from_le_bytes(bytes) >> (bit % 8)) as u64 & (u64::MAX >> (64 - WIDTH))) as $type;
                }
                done += 8;
                at += WIDTH;
            }
            done
        }

        fn $name(input: &[u8], width: usize, out: &mut [$type]) -> usize {
            match width {
                $($width => vectorized!($all::<$width>(input, out)),)*
                _ => 0,
            }
        }
    };
}

eights!(unpack32_eights, eights32, u32, 48, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
eights!(unpack64_eights, eights64, u64, 80,
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
    33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64);

/// Packs values of `width` (at most 64) bits, least significant bit first, and appends the bytes, the last one padded
/// with zeros; higher bits of the values are ignored.
pub(crate) fn pack<T: Copy + Into<u64>>(values: &[T], width: usize, out: &mut Vec<u8>) {
    if width == 0 || width > 64 {
        return;
    }
    let (eights, rest) = values.as_chunks::<8>();
    if width <= 32 {
        let filled = out.len();
        let length = eights.len() * width;
        // Each eight is stored with 32 bytes, of which the next one overwrites those that it does not fill.
        out.resize(filled + length + 32, 0);
        pack_eights_of(eights, width, out.get_mut(filled..).unwrap_or_default());
        out.truncate(filled + length);
        pack_in_turn(rest, width, out);
    } else {
        pack_in_turn(values, width, out);
    }
}

/// Values one after another, from the lowest bit of a byte.
fn pack_in_turn<T: Copy + Into<u64>>(values: &[T], width: usize, out: &mut Vec<u8>) {
    out.reserve(values.len().saturating_mul(width).div_ceil(8));
    let mask = u64::MAX >> (64 - width);
    let mut held: u128 = 0;
    let mut bits = 0;
    for value in values {
        held |= u128::from((*value).into() & mask) << bits;
        bits += width;
        if bits >= 64 {
            out.extend_from_slice(&(held as u64).to_le_bytes());
            held >>= 64;
            bits -= 64;
        }
    }
    let rest = (held as u64).to_le_bytes();
    out.extend(rest.iter().take(bits.div_ceil(8)));
}

/// Puts eight values together as a tree: pairs, fours, all. 0.2 ns a value at any width; shifting each into an accumulator
/// takes twice as long, and building the words of the output one by one five times (measured).
#[inline(always)]
fn pack_eights<T: Copy + Into<u64>, const WIDTH: usize>(eights: &[[T; 8]], out: &mut [u8]) {
    let mask = u64::MAX >> (64 - WIDTH);
    let mut at = 0;
    for [a, b, c, d, e, f, g, h] in eights {
        let Some(out) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<32>) else { return };
        let pair = |a: &T, b: &T| ((*a).into() & mask) | ((*b).into() & mask) << WIDTH;
        let four = |ab: u64, cd: u64| u128::from(ab) | u128::from(cd) << (2 * WIDTH);
        let low = four(pair(a, b), pair(c, d));
        let high = four(pair(e, f), pair(g, h));
        // The upper four begin in the middle of a byte when the width is odd.
        let (byte, bit) = (WIDTH / 2, 4 * (WIDTH % 2));
        let shared = if bit > 0 { low >> (8 * byte) } else { 0 };
        let high = high << bit | shared;
        if let Some(out) = out.first_chunk_mut() {
            *out = low.to_le_bytes();
        }
        #[allow(clippy::indexing_slicing, reason = "half of a width of at most 32 bytes, and 16: constants")]
        out[byte..byte + 16].copy_from_slice(&high.to_le_bytes());
        at += WIDTH;
    }
}

fn pack_eights_of<T: Copy + Into<u64>>(eights: &[[T; 8]], width: usize, out: &mut [u8]) {
    macro_rules! widths {
        ($($width:literal)*) => {
            match width {
                $($width => pack_eights::<T, $width>(eights, out),)*
                _ => {}
            }
        };
    }
    widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(input: &[u8], start: usize, width: usize, n: usize) -> Vec<u64> {
        let bit = |at: usize| input.get(at / 8).map_or(0, |byte| u64::from(byte >> (at % 8) & 1));
        (0..n).map(|i| (0..width).map(|b| bit(start + i * width + b) << b).sum()).collect()
    }

    #[test]
    fn agrees_with_the_naive_twin() {
        let input: Vec<u8> = (0..900u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        for width in 0..=64 {
            for n in [0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 64, 100, 504] {
                for start in [0, 1, 3, 7, 8, 13] {
                    for length in [0, 1, 5, 40, 64, 65, 200, 900] {
                        let input = &input[..length];
                        let expected = naive(input, start, width, n);
                        let mut out = vec![0; n];
                        unpack64(input, start, width, &mut out);
                        assert_eq!(out, expected, "64: width {width}, n {n}, start {start}, length {length}");
                        out.fill(7);
                        if width > 0 {
                            unpack64_portable(input.get(start / 8..).unwrap_or_default(), start % 8, width, &mut out);
                            assert_eq!(out, expected, "64, portable: width {width}, n {n}, start {start}, length {length}");
                        }
                        if width <= 32 {
                            let expected: Vec<u32> = expected.iter().map(|value| *value as u32).collect();
                            let one_by_one: Vec<u32> = (0..n).map(|at| unpack_one(input, start + at * width, width)).collect();
                            assert_eq!(one_by_one, expected, "one: width {width}, n {n}, start {start}, length {length}");
                            let mut out = vec![0; n];
                            unpack32(input, start, width, &mut out);
                            assert_eq!(out, expected, "32: width {width}, n {n}, start {start}, length {length}");
                            out.fill(7);
                            if width > 0 {
                                unpack32_portable(input.get(start / 8..).unwrap_or_default(), start % 8, width, &mut out);
                                assert_eq!(out, expected, "32, portable: width {width}, n {n}, start {start}, length {length}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn packing_agrees_with_the_naive_twin() {
        for width in 0..=64usize {
            for n in [0, 1, 2, 7, 8, 9, 15, 16, 17, 77] {
                let values: Vec<u64> = (0..n).map(|i: u64| (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
                let mut naive = vec![0u8; (n as usize * width).div_ceil(8)];
                let bits = values.iter().flat_map(|value| (0..width).map(move |bit| value >> bit & 1 == 1));
                bits.enumerate().filter(|(_, bit)| *bit).for_each(|(at, _)| naive[at / 8] |= 1 << (at % 8));
                let mut packed = vec![1, 2, 3];
                pack(&values, width, &mut packed);
                assert_eq!(packed[..3], [1, 2, 3]);
                assert_eq!(packed[3..], naive, "width {width}, {n} values");
                if width <= 32 {
                    let narrow: Vec<u32> = values.iter().map(|value| *value as u32).collect();
                    packed.clear();
                    pack(&narrow, width, &mut packed);
                    assert_eq!(packed, naive, "width {width}, {n} values of 32 bits");
                }
            }
        }
    }
}
