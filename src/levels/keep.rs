//! Slots that a bitmap picks, moved together: the mirror of spreading.
//!
//! Works on 64 slots at a time: all picked copies, none skips. Mixed words use AVX-512's compress, or else walk the set bits.

#![allow(clippy::arithmetic_side_effects, reason = "a kernel: it counts slots that are in memory, in blocks of 64")]

use crate::values::{Bits, ByteArrays, FixedBytes, Values};

/// The slots of `values` whose bit is set.
pub(crate) fn keep(values: &Values, kept: &Bits) -> Values {
    match values {
        Values::Words32(words) => Values::Words32(keep_words(words, kept, compress32)),
        Values::Words64(words) => Values::Words64(keep_words(words, kept, compress64)),
        Values::Bits(bits) => Values::Bits(keep_bits(bits, kept)),
        Values::Bytes(arrays) => Values::Bytes(keep_byte_arrays(arrays, kept)),
        Values::Fixed(fixed) => Values::Fixed(keep_fixed(fixed, kept)),
    }
}

/// The words whose bit is set.
pub(crate) fn keep_words32(words: &[u32], kept: &Bits) -> Vec<u32> {
    keep_words(words, kept, compress32)
}

/// Moves the words that a mask names to the front and returns how many these are.
type Compress<T> = fn(words: &[T; 64], mask: u64, out: &mut [T; 64]) -> usize;

fn keep_words<T: Copy + Default>(words: &[T], kept: &Bits, compress: Compress<T>) -> Vec<T> {
    let mut out: Vec<T> = Vec::with_capacity(kept.count_ones());
    let (blocks, rest) = words.as_chunks::<64>();
    let mut masks = kept.words().iter();
    let mut packed = [T::default(); 64];
    for (block, mask) in blocks.iter().zip(&mut masks) {
        match *mask {
            0 => {}
            u64::MAX => out.extend_from_slice(block),
            mask => {
                let count = compress(block, mask, &mut packed);
                out.extend_from_slice(packed.get(..count).unwrap_or_default());
            }
        }
    }
    let mask = masks.next().copied().unwrap_or(0);
    out.extend(rest.iter().enumerate().filter(|(slot, _)| mask >> slot & 1 == 1).map(|(_, word)| *word));
    out
}

fn compress_portable<T: Copy>(words: &[T; 64], mask: u64, out: &mut [T; 64]) -> usize {
    let mut count = 0;
    // Each word is written and counted only if it is picked: no branch to mispredict.
    for (slot, word) in words.iter().enumerate() {
        if let Some(to) = out.get_mut(count & 63) {
            *to = *word;
        }
        count += (mask >> slot & 1) as usize;
    }
    count
}

fn compress32(words: &[u32; 64], mask: u64, out: &mut [u32; 64]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = crate::simd::level().as_avx512() {
        return x86::compress32(avx512, words, mask, out);
    }
    compress_portable(words, mask, out)
}

fn compress64(words: &[u64; 64], mask: u64, out: &mut [u64; 64]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = crate::simd::level().as_avx512() {
        return x86::compress64(avx512, words, mask, out);
    }
    compress_portable(words, mask, out)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use fearless_simd::prelude::*;
    use fearless_simd::{u32x16, u64x8};

    // A vector is stored whole and the next one over what it did not pick: the last one ends where the block does, at most.
    fearless_simd::kernel!(
        pub(super) fn compress32(avx512: Avx512, words: &[u32; 64], mask: u64, out: &mut [u32; 64]) -> usize {
            use core::arch::x86_64::*;
            let mut count = 0;
            for (i, sixteen) in words.as_chunks::<16>().0.iter().enumerate() {
                let lanes = (mask >> (16 * i)) as u16;
                let values: __m512i = u32x16::from_slice(avx512, sixteen).into();
                let values: u32x16<_> = _mm512_maskz_compress_epi32(lanes, values).simd_into(avx512);
                if let Some(to) = out.get_mut(count..count + 16) {
                    values.store_slice(to);
                }
                count += lanes.count_ones() as usize;
            }
            count
        }
    );

    fearless_simd::kernel!(
        pub(super) fn compress64(avx512: Avx512, words: &[u64; 64], mask: u64, out: &mut [u64; 64]) -> usize {
            use core::arch::x86_64::*;
            let mut count = 0;
            for (lanes, eight) in mask.to_le_bytes().into_iter().zip(words.as_chunks::<8>().0) {
                let values: __m512i = u64x8::from_slice(avx512, eight).into();
                let values: u64x8<_> = _mm512_maskz_compress_epi64(lanes, values).simd_into(avx512);
                if let Some(to) = out.get_mut(count..count + 8) {
                    values.store_slice(to);
                }
                count += lanes.count_ones() as usize;
            }
            count
        }
    );
}

/// The bits of `bits` where those of `kept` are set.
pub(crate) fn keep_bits(bits: &Bits, kept: &Bits) -> Bits {
    let mut out = Bits::new();
    out.reserve(kept.count_ones());
    for (word, mask) in bits.words().iter().zip(kept.words()) {
        out.push_word(extract(*word, *mask), mask.count_ones() as usize);
    }
    out
}

/// Moves the bits that `mask` names to the low end.
#[inline]
fn extract(value: u64, mask: u64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = crate::simd::level().as_avx2() {
        return bmi::extract(avx2, value, mask);
    }
    extract_portable(value, mask)
}

#[cfg(target_arch = "x86_64")]
mod bmi {
    fearless_simd::kernel!(
        #[inline]
        pub(super) fn extract(_avx2: Avx2, value: u64, mask: u64) -> u64 {
            core::arch::x86_64::_pext_u64(value, mask)
        }
    );
}

fn extract_portable(value: u64, mask: u64) -> u64 {
    let (mut mask, mut out, mut to) = (mask, 0, 0);
    while mask != 0 {
        out |= (value >> mask.trailing_zeros() & 1) << to;
        to += 1;
        mask &= mask - 1;
    }
    out
}

/// Levels whose bit is set.
pub(crate) fn keep_levels(levels: &[u8], kept: &Bits) -> Vec<u8> {
    let mut out = Vec::with_capacity(kept.count_ones());
    runs(kept, |start, end| out.extend_from_slice(levels.get(start..end).unwrap_or_default()));
    out
}

/// Calls `visit` with each run of set bits.
fn runs(kept: &Bits, mut visit: impl FnMut(usize, usize)) {
    let (mut start, mut end) = (0, 0);
    for (index, word) in kept.words().iter().enumerate() {
        let (mut word, base) = (*word, index * 64);
        while word != 0 {
            let first = word.trailing_zeros() as usize;
            let length = (word >> first).trailing_ones() as usize;
            if base + first == end {
                end += length;
            } else {
                if start < end {
                    visit(start, end);
                }
                (start, end) = (base + first, base + first + length);
            }
            word &= if first + length < 64 { u64::MAX << (first + length) } else { 0 };
        }
    }
    if start < end {
        visit(start, end);
    }
}

/// The bytes of a run of values move together.
fn keep_byte_arrays(arrays: &ByteArrays, kept: &Bits) -> ByteArrays {
    let mut out = ByteArrays::new();
    let (offsets, data) = (arrays.offsets(), arrays.data());
    let count = kept.count_ones();
    out.reserve(count, data.len() / arrays.len().max(1) * count);
    let (to_offsets, to_data) = out.parts_mut();
    runs(kept, |start, end| {
        let Some(ends) = offsets.get(start..=end) else { return };
        let (Some(first), Some(last)) = (ends.first(), ends.last()) else { return };
        // What is picked is not more than there is, so that offsets fit as before.
        let moved = to_data.len() as i32 - first;
        to_data.extend_from_slice(data.get(*first as usize..*last as usize).unwrap_or_default());
        to_offsets.extend(ends.iter().skip(1).map(|end| end + moved));
    });
    out
}

fn keep_fixed(fixed: &FixedBytes, kept: &Bits) -> FixedBytes {
    let mut out = FixedBytes::new(fixed.width());
    let width = fixed.width();
    if width == 0 {
        out.extend_zeros(kept.count_ones());
        return out;
    }
    runs(kept, |start, end| out.extend_from_bytes(fixed.data().get(start * width..end * width).unwrap_or_default()));
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits() -> impl Strategy<Value = Vec<bool>> {
        let run = prop_oneof![(any::<bool>(), 1..200usize), (any::<bool>(), 1..3usize)];
        prop::collection::vec(run, 0..80).prop_map(|runs| runs.into_iter().flat_map(|(bit, n)| std::iter::repeat_n(bit, n)).collect())
    }

    fn naive<T: Clone>(values: &[T], kept: &[bool]) -> Vec<T> {
        values.iter().zip(kept).filter(|(_, kept)| **kept).map(|(value, _)| value.clone()).collect()
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_the_bits_name(kept in bits(), seed: u64) {
            let numbers: Vec<u64> = (0..kept.len() as u64).map(|i| (i ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            let mask: Bits = kept.iter().copied().collect();
            let narrow: Vec<u32> = numbers.iter().map(|number| *number as u32).collect();
            prop_assert_eq!(keep(&Values::Words32(narrow.clone()), &mask), Values::Words32(naive(&narrow, &kept)));
            prop_assert_eq!(keep(&Values::Words64(numbers.clone()), &mask), Values::Words64(naive(&numbers, &kept)));
            let flags: Vec<bool> = numbers.iter().map(|number| number & 4 == 4).collect();
            let expected: Bits = naive(&flags, &kept).into_iter().collect();
            prop_assert_eq!(keep_bits(&flags.iter().copied().collect(), &mask), expected);
            let texts: Vec<Vec<u8>> = numbers.iter().map(|number| vec![b'x'; (number % 20) as usize]).collect();
            let arrays: ByteArrays = texts.iter().map(|text| &text[..]).collect();
            let Values::Bytes(found) = keep(&Values::Bytes(arrays), &mask) else { panic!("byte arrays") };
            prop_assert_eq!(found.iter().map(<[u8]>::to_vec).collect::<Vec<_>>(), naive(&texts, &kept));
            for width in [0, 1, 3, 16] {
                let mut fixed = FixedBytes::new(width);
                numbers.iter().for_each(|number| match width {
                    0 => fixed.extend_zeros(1),
                    width => fixed.extend_from_bytes(&vec![*number as u8; width]),
                });
                let Values::Fixed(found) = keep(&Values::Fixed(fixed), &mask) else { panic!("fixed bytes") };
                prop_assert_eq!(found.len(), mask.count_ones());
                prop_assert_eq!(found.data(), &naive(&numbers, &kept).iter().flat_map(|number| vec![*number as u8; width]).collect::<Vec<_>>()[..]);
            }
            let levels: Vec<u8> = numbers.iter().map(|number| *number as u8).collect();
            prop_assert_eq!(keep_levels(&levels, &mask), naive(&levels, &kept));
        }

        #[test]
        fn kernels_do_what_portable_code_does(words: [u64; 32], mask: u64) {
            let words: [u64; 64] = std::array::from_fn(|i| words[i % 32].rotate_left(i as u32));
            let narrow = words.map(|word| word as u32);
            let (mut fast, mut slow) = ([0; 64], [0; 64]);
            let (a, b) = (compress64(&words, mask, &mut fast), compress_portable(&words, mask, &mut slow));
            prop_assert_eq!((a, &fast[..a]), (b, &slow[..b]));
            let (mut fast, mut slow) = ([0; 64], [0; 64]);
            let (a, b) = (compress32(&narrow, mask, &mut fast), compress_portable(&narrow, mask, &mut slow));
            prop_assert_eq!((a, &fast[..a]), (b, &slow[..b]));
            prop_assert_eq!(extract(words[0], mask), extract_portable(words[0], mask));
        }
    }
}
