//! The running sum that makes differences into values.

use crate::encoding::word::Word;

/// Words that are summed.
pub(crate) trait Sum: Word {
    /// Makes differences into values: each becomes the one before it (`last` for the first), plus itself and `smallest`.
    /// Returns the last.
    fn running_sum(differences: &mut [Self], last: Self, smallest: Self) -> Self;
}

impl Sum for u32 {
    fn running_sum(differences: &mut [Self], last: Self, smallest: Self) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = crate::simd::level().as_avx512() {
            let last = x86::running_sum32(avx512, differences, last, smallest);
            return running_sum(differences.as_chunks_mut::<16>().1, last, smallest);
        }
        running_sum(differences, last, smallest)
    }
}

impl Sum for u64 {
    fn running_sum(differences: &mut [Self], last: Self, smallest: Self) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = crate::simd::level().as_avx512() {
            let last = x86::running_sum64(avx512, differences, last, smallest);
            return running_sum(differences.as_chunks_mut::<8>().1, last, smallest);
        }
        running_sum(differences, last, smallest)
    }
}

#[inline(always)]
fn running_sum<W: Word>(differences: &mut [W], last: W, smallest: W) -> W {
    let mut sum = last;
    for difference in differences {
        sum = sum.add(smallest.add(*difference));
        *difference = sum;
    }
    sum
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use fearless_simd::prelude::*;
    use fearless_simd::{u32x16, u64x8};

    fearless_simd::kernel!(
        /// The running sum over whole groups of 16; returns the last one.
        pub(super) fn running_sum32(avx512: Avx512, values: &mut [u32], last: u32, smallest: u32) -> u32 {
            use core::arch::x86_64::*;
            let zero = _mm512_setzero_si512();
            let smallest = _mm512_set1_epi32(smallest.cast_signed());
            let highest = _mm512_set1_epi32(15);
            let mut before = _mm512_set1_epi32(last.cast_signed());
            for group in values.as_chunks_mut::<16>().0 {
                let sum: __m512i = u32x16::from_slice(avx512, group).into();
                let sum = _mm512_add_epi32(sum, smallest);
                let sum = _mm512_add_epi32(sum, _mm512_alignr_epi32::<15>(sum, zero));
                let sum = _mm512_add_epi32(sum, _mm512_alignr_epi32::<14>(sum, zero));
                let sum = _mm512_add_epi32(sum, _mm512_alignr_epi32::<12>(sum, zero));
                let sum = _mm512_add_epi32(sum, _mm512_alignr_epi32::<8>(sum, zero));
                let values: u32x16<_> = _mm512_add_epi32(sum, before).simd_into(avx512);
                values.store_slice(group);
                // Adding the group's own total leaves one addition between a group and the next.
                before = _mm512_add_epi32(before, _mm512_permutexvar_epi32(highest, sum));
            }
            _mm_cvtsi128_si32(_mm512_castsi512_si128(before)).cast_unsigned()
        }
    );

    fearless_simd::kernel!(
        /// The running sum over whole groups of 8; returns the last one.
        pub(super) fn running_sum64(avx512: Avx512, values: &mut [u64], last: u64, smallest: u64) -> u64 {
            use core::arch::x86_64::*;
            let zero = _mm512_setzero_si512();
            let smallest = _mm512_set1_epi64(smallest.cast_signed());
            let highest = _mm512_set1_epi64(7);
            let mut before = _mm512_set1_epi64(last.cast_signed());
            for group in values.as_chunks_mut::<8>().0 {
                let sum: __m512i = u64x8::from_slice(avx512, group).into();
                let sum = _mm512_add_epi64(sum, smallest);
                let sum = _mm512_add_epi64(sum, _mm512_alignr_epi64::<7>(sum, zero));
                let sum = _mm512_add_epi64(sum, _mm512_alignr_epi64::<6>(sum, zero));
                let sum = _mm512_add_epi64(sum, _mm512_alignr_epi64::<4>(sum, zero));
                let values: u64x8<_> = _mm512_add_epi64(sum, before).simd_into(avx512);
                values.store_slice(group);
                before = _mm512_add_epi64(before, _mm512_permutexvar_epi64(highest, sum));
            }
            _mm_cvtsi128_si64(_mm512_castsi512_si128(before)).cast_unsigned()
        }
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees<W: Sum + std::fmt::Debug>() {
        for n in [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200] {
            let differences: Vec<W> = (1..=n).map(|i: u64| W::from_u64(i.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
            let (last, smallest) = (W::from_u64(u64::MAX - 5), W::from_u64(0x8765_4321_8765_4321));
            let mut fast = differences.clone();
            let end = W::running_sum(&mut fast, last, smallest);
            let mut naive = last;
            for (fast, difference) in fast.iter().zip(&differences) {
                naive = naive.add(smallest).add(*difference);
                assert_eq!(*fast, naive, "{n} values");
            }
            assert_eq!(end, naive);
            let mut portable = differences;
            assert_eq!(running_sum(&mut portable, last, smallest), end);
            assert_eq!(portable, fast);
        }
    }

    #[test]
    fn agrees_with_the_naive_twin() {
        agrees::<u32>();
        agrees::<u64>();
    }
}
