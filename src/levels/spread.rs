//! Dense values → slots with placeholders where nulls are.
//!
//! Works on 64 slots at a time: all valid copies, all null skips. Mixed words use AVX-512's expand, which puts densely
//! stored values into the lanes that a mask names, or else walk the set bits.

#![allow(clippy::arithmetic_side_effects, reason = "a kernel: it counts slots that are in memory, in blocks of 64")]

mod entries;

use bytemuck::Pod;

pub(crate) use entries::spread_entries;

use crate::encoding::Stored;
use crate::values::{Bits, FixedBytes, Values, extend_words, word_of};

/// Appends `n` slots to `out`: the values of `dense`, in order, go where the bits of `validity` from `start` on are set; the
/// other slots get 0, no bytes, or zero bytes. `dense` and `out` are of one shape.
///
/// ```
/// use herringbone::levels::spread;
/// use herringbone::values::{Bits, Values};
///
/// let validity: Bits = [true, false, true].into_iter().collect();
/// let mut slots = Values::Words32(Vec::new());
/// spread(&Values::Words32(vec![7, 8]), &validity, 0, 3, &mut slots);
/// assert_eq!(slots.as_i32(), Some(&[7, 0, 8][..]));
/// ```
///
/// Values that `dense` has too few of read as placeholders, and those beyond are ignored: callers decode as many as
/// there are set bits.
pub fn spread(dense: &Values, validity: &Bits, start: usize, n: usize, out: &mut Values) {
    match (dense, out) {
        (Values::Words32(dense), Values::Words32(out)) => spread_words(bytemuck::cast_slice(dense), validity, start, n, out, expand32),
        (Values::Words64(dense), Values::Words64(out)) => spread_words(bytemuck::cast_slice(dense), validity, start, n, out, expand64),
        (Values::Bits(dense), Values::Bits(out)) => spread_bits(dense, validity, start, n, out),
        (Values::Fixed(dense), Values::Fixed(out)) => spread_fixed(dense.data(), dense.width(), validity, start, n, out),
        (Values::Bytes(dense), Values::Bytes(out)) => {
            // Byte arrays are decoded in place, see `spread_offsets`; this is the way for those that were not.
            let mut values = dense.iter();
            for slot in 0..n {
                let value = if validity.get(start + slot) == Some(true) { values.next().unwrap_or_default() } else { &[] };
                if out.push(value).is_err() {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// As [`spread`], of values as they are in memory, wherever they begin: those of a plain page need not be copied out of it first.
/// With a tenth of nulls that took a ninth of the time of reading a column.
pub(crate) fn spread_stored(dense: Stored<'_>, validity: &Bits, start: usize, n: usize, out: &mut Values) {
    let Stored { bytes, bit } = dense;
    match out {
        Values::Words32(out) => spread_words(bytes.as_chunks().0, validity, start, n, out, expand32),
        Values::Words64(out) => spread_words(bytes.as_chunks().0, validity, start, n, out, expand64),
        Values::Fixed(out) => spread_fixed(bytes, out.width(), validity, start, n, out),
        Values::Bits(out) => spread_bits_of(bytes, bit, validity, start, n, out),
        Values::Bytes(_) => {}
    }
}

fn spread_fixed(dense: &[u8], width: usize, validity: &Bits, start: usize, n: usize, out: &mut FixedBytes) {
    let Some(data) = out.data_mut() else {
        out.extend_zeros(n);
        return;
    };
    match width {
        2 => spread_chunks::<2>(dense, validity, start, n, data),
        12 => spread_chunks::<12>(dense, validity, start, n, data),
        16 => spread_chunks::<16>(dense, validity, start, n, data),
        width => spread_bytes(dense, width, validity, start, n, data),
    }
}

/// Byte arrays in place: `offsets` ends with the offsets of `k` dense values; afterwards it ends with those of `n` slots,
/// where `k` is the number of set bits among the `n` bits of `validity` from `start` on. No bytes move.
pub(crate) fn spread_offsets(offsets: &mut Vec<i32>, validity: &Bits, start: usize, k: usize, n: usize) {
    if k >= n {
        return;
    }
    let base = offsets.len().saturating_sub(k);
    offsets.resize(base + n, 0);
    let Some(offsets) = offsets.get_mut(base.saturating_sub(1)..) else { return };
    // From the last word of validity to the first: `from` is where the dense value that ends at or before a slot has its end.
    let mut from = k;
    for first in (0..n).step_by(64).rev() {
        let count = (n - first).min(64);
        let mask = validity.word_at(start + first);
        if mask.trailing_ones() as usize >= count && from >= count {
            offsets.copy_within(from + 1 - count..from + 1, first + 1);
            from -= count;
            continue;
        }
        for slot in (0..count).rev() {
            let end = offsets.get(from).copied().unwrap_or(0);
            if let Some(to) = offsets.get_mut(first + slot + 1) {
                *to = end;
            }
            from = from.saturating_sub((mask >> slot & 1) as usize);
        }
    }
}

/// Expands up to 64 dense values, of `N` bytes each as they are in memory, into the slots that `mask` names.
type Expand<const N: usize> = fn(dense: &[[u8; N]], mask: u64, out: &mut [[u8; N]; 64]);

fn spread_words<T: Pod + Default, const N: usize>(
    dense: &[[u8; N]],
    validity: &Bits,
    start: usize,
    n: usize,
    out: &mut Vec<T>,
    expand: Expand<N>,
) {
    let (mut rest, mut at) = (dense, start);
    let spread = extend_words(out, n, CLEARED_AT_ONCE / N, |slots| {
        let slots = bytemuck::cast_slice_mut::<T, u8>(slots).as_chunks_mut::<N>().0;
        for slots in slots.chunks_mut(64) {
            let all = if slots.len() < 64 { (1 << slots.len()) - 1 } else { u64::MAX };
            let mask = validity.word_at(at) & all;
            at += slots.len();
            let (taken, after) = rest.split_at(rest.len().min(mask.count_ones() as usize));
            if mask == all && taken.len() == slots.len() {
                slots.copy_from_slice(taken);
            } else if let Ok(block) = <&mut [[u8; N]; 64]>::try_from(&mut *slots) {
                // The whole rest goes in, because the vector kernel reads beyond the values that it needs.
                expand(rest, mask, block);
            } else {
                expand_portable(rest, mask, slots);
            }
            rest = after;
        }
        Ok(())
    });
    debug_assert!(spread.is_ok(), "spreading has no errors");
}

/// How many bytes of slots are cleared at a time. Clearing takes what the first write to memory takes anyway, but only from 16 KiB on: spreading 8 million
/// words with a tenth of nulls took 3.9 ms so, with 8 KiB at a time 5.1, appending to memory that is not cleared 4.2.
const CLEARED_AT_ONCE: usize = 32 << 10;

fn expand_portable<T: Copy>(dense: &[T], mask: u64, out: &mut [T]) {
    let mut mask = mask;
    let mut dense = dense.iter();
    while mask != 0 {
        let slot = mask.trailing_zeros() as usize;
        if let (Some(to), Some(value)) = (out.get_mut(slot), dense.next()) {
            *to = *value;
        }
        mask &= mask - 1;
    }
}

fn expand32(dense: &[[u8; 4]], mask: u64, out: &mut [[u8; 4]; 64]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = crate::simd::level().as_avx512()
        && dense.len() >= 64
    {
        return x86::expand32(avx512, dense, mask, 0, out);
    }
    expand_portable(dense, mask, out);
}

fn expand64(dense: &[[u8; 8]], mask: u64, out: &mut [[u8; 8]; 64]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = crate::simd::level().as_avx512()
        && dense.len() >= 64
    {
        return x86::expand64(avx512, dense, mask, out);
    }
    expand_portable(dense, mask, out);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use fearless_simd::prelude::*;
    use fearless_simd::u8x64;

    fearless_simd::kernel!(
        pub(super) fn expand32(avx512: Avx512, dense: &[[u8; 4]], mask: u64, other: u32, out: &mut [[u8; 4]; 64]) {
            use core::arch::x86_64::*;
            let others = _mm512_set1_epi32(other as i32);
            let mut rest = dense;
            for (i, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
                let lanes = (mask >> (16 * i)) as u16;
                let Some(sixteen) = rest.first_chunk::<16>() else { return super::expand_portable_tail(rest, lanes.into(), out) };
                let values: __m512i = u8x64::from_slice(avx512, sixteen.as_flattened()).into();
                let values: u8x64<_> = _mm512_mask_expand_epi32(others, lanes, values).simd_into(avx512);
                values.store_slice(out.as_flattened_mut());
                rest = rest.get(lanes.count_ones() as usize..).unwrap_or_default();
            }
        }
    );

    fearless_simd::kernel!(
        pub(super) fn expand64(avx512: Avx512, dense: &[[u8; 8]], mask: u64, out: &mut [[u8; 8]; 64]) {
            use core::arch::x86_64::*;
            let mut rest = dense;
            for (lanes, out) in mask.to_le_bytes().into_iter().zip(out.as_chunks_mut::<8>().0) {
                let Some(eight) = rest.first_chunk::<8>() else { return super::expand_portable_tail(rest, lanes.into(), out) };
                let values: __m512i = u8x64::from_slice(avx512, eight.as_flattened()).into();
                let values: u8x64<_> = _mm512_maskz_expand_epi64(lanes, values).simd_into(avx512);
                values.store_slice(out.as_flattened_mut());
                rest = rest.get(lanes.count_ones() as usize..).unwrap_or_default();
            }
        }
    );
}

/// The last lanes of a block for which no whole vector is left. A block is handed to the kernels with at least 64 dense
/// values, of which each vector takes no more than its width, so that this never has lanes to fill after it.
#[cfg(target_arch = "x86_64")]
fn expand_portable_tail<T: Copy>(dense: &[T], mask: u64, out: &mut [T]) {
    let slots = out.iter_mut().enumerate().filter(|(slot, _)| mask >> slot & 1 == 1);
    slots.zip(dense).for_each(|((_, to), value)| *to = *value);
}

fn spread_bits(dense: &Bits, validity: &Bits, start: usize, n: usize, out: &mut Bits) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = crate::simd::level().as_avx2() {
        return bmi::spread_bits(avx2, dense, validity, start, n, out);
    }
    spread_bits_by(|from| dense.word_at(from), validity, start, n, out, deposit_portable);
}

/// As [`spread_bits`], of bits that begin with `bit` of the first of `dense`.
fn spread_bits_of(dense: &[u8], bit: usize, validity: &Bits, start: usize, n: usize, out: &mut Bits) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = crate::simd::level().as_avx2() {
        return bmi::spread_bits_of(avx2, dense, bit, validity, start, n, out);
    }
    spread_bits_by(|from| word_of(dense, bit + from), validity, start, n, out, deposit_portable);
}

/// `word` gives 64 of the dense bits, and `deposit` moves the low bits of a value to the positions that a mask names.
#[inline(always)]
fn spread_bits_by(word: impl Fn(usize) -> u64, validity: &Bits, start: usize, n: usize, out: &mut Bits, deposit: impl Fn(u64, u64) -> u64) {
    let mut out = out.writer(n);
    let (mut from, mut at) = (0, 0);
    while at < n {
        let count = (n - at).min(64);
        let mask = validity.word_at(start + at) & u64::MAX >> (64 - count);
        out.push(deposit(word(from), mask), count);
        from += mask.count_ones() as usize;
        at += count;
    }
}

#[cfg(target_arch = "x86_64")]
mod bmi {
    use crate::values::{Bits, word_of};

    fearless_simd::kernel!(
        pub(super) fn spread_bits(_avx2: Avx2, dense: &Bits, validity: &Bits, start: usize, n: usize, out: &mut Bits) {
            let deposit = |value, mask| core::arch::x86_64::_pdep_u64(value, mask);
            super::spread_bits_by(|from| dense.word_at(from), validity, start, n, out, deposit);
        }
    );

    fearless_simd::kernel!(
        pub(super) fn spread_bits_of(_avx2: Avx2, dense: &[u8], bit: usize, validity: &Bits, start: usize, n: usize, out: &mut Bits) {
            let deposit = |value, mask| core::arch::x86_64::_pdep_u64(value, mask);
            super::spread_bits_by(|from| word_of(dense, bit + from), validity, start, n, out, deposit);
        }
    );
}

fn deposit_portable(value: u64, mask: u64) -> u64 {
    let (mut value, mut mask, mut out) = (value, mask, 0);
    while mask != 0 {
        out |= (value & 1) * (mask & mask.wrapping_neg());
        value >>= 1;
        mask &= mask - 1;
    }
    out
}

fn spread_chunks<const WIDTH: usize>(dense: &[u8], validity: &Bits, start: usize, n: usize, out: &mut Vec<u8>) {
    out.reserve(n * WIDTH);
    let mut values = dense.as_chunks::<WIDTH>().0.iter();
    let mut slot = 0;
    while slot < n {
        let count = (n - slot).min(64);
        let word = validity.word_at(start + slot);
        for bit in 0..count {
            let value = if word >> bit & 1 == 1 { values.next() } else { None };
            out.extend_from_slice(value.unwrap_or(&[0; WIDTH]));
        }
        slot += count;
    }
}

fn spread_bytes(dense: &[u8], width: usize, validity: &Bits, start: usize, n: usize, out: &mut Vec<u8>) {
    let mut values = dense.chunks_exact(width.max(1));
    for slot in 0..n {
        let value = if validity.get(start + slot) == Some(true) { values.next() } else { None };
        match value {
            Some(value) => out.extend_from_slice(value),
            None => out.resize(out.len() + width, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::ByteArrays;
    use proptest::prelude::*;

    /// Validity with runs, as real columns have it.
    fn validity() -> impl Strategy<Value = Vec<bool>> {
        let run = prop_oneof![(any::<bool>(), 1..300usize), (any::<bool>(), Just(1usize))];
        prop::collection::vec(run, 0..60).prop_map(|runs| runs.into_iter().flat_map(|(bit, n)| std::iter::repeat_n(bit, n)).collect())
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_twin(validity in validity(), before in 0..70usize) {
            let n = validity.len();
            let bits: Bits = std::iter::repeat_n(false, before).chain(validity.iter().copied()).collect();
            let k = validity.iter().filter(|valid| **valid).count();
            let slots: Vec<Option<u64>> = {
                let mut next = 0;
                validity.iter().map(|valid| valid.then(|| { next += 1; next })).collect()
            };
            let mut words = Values::Words64(vec![9]);
            spread(&Values::Words64((1..=k as u64).collect()), &bits, before, n, &mut words);
            prop_assert_eq!(words, Values::Words64(std::iter::once(9).chain(slots.iter().map(|slot| slot.unwrap_or(0))).collect()));
            let mut words = Values::Words32(vec![9]);
            spread(&Values::Words32((1..=k as u32).collect()), &bits, before, n, &mut words);
            prop_assert_eq!(words, Values::Words32(std::iter::once(9).chain(slots.iter().map(|slot| slot.unwrap_or(0) as u32)).collect()));
            let mut portable = Bits::repeat(true, 1);
            let flags: Bits = (1..=k).map(|i| i % 3 == 0).collect();
            spread_bits_by(|from| flags.word_at(from), &bits, before, n, &mut portable, deposit_portable);
            let expected = std::iter::once(true).chain(slots.iter().map(|slot| slot.is_some_and(|i| i % 3 == 0)));
            prop_assert_eq!(&portable, &expected.collect());
            let (mut stored, mut stored_portable) = (Values::Bits(Bits::repeat(true, 1)), Bits::repeat(true, 1));
            let bit = before % 8;
            let mut bytes = vec![0_u8; (bit + k).div_ceil(8)];
            (0..k).filter(|i| flags.get(*i) == Some(true)).for_each(|i| bytes[(bit + i) / 8] |= 1 << ((bit + i) % 8));
            spread_stored(Stored { bytes: &bytes, bit }, &bits, before, n, &mut stored);
            spread_bits_by(|from| word_of(&bytes, bit + from), &bits, before, n, &mut stored_portable, deposit_portable);
            prop_assert_eq!(&stored, &Values::Bits(portable.clone()));
            prop_assert_eq!(&stored_portable, &portable);
            let mut flags = Values::Bits(Bits::repeat(true, 1));
            spread(&Values::Bits((1..=k).map(|i| i % 3 == 0).collect()), &bits, before, n, &mut flags);
            prop_assert_eq!(flags, Values::Bits(std::iter::once(true).chain(slots.iter().map(|slot| slot.is_some_and(|i| i % 3 == 0))).collect()));
            for width in [0, 1, 2, 5, 12, 16] {
                let value = |i: u64| std::iter::repeat_n(i as u8, width);
                let mut dense = FixedBytes::new(width);
                let mut expected = FixedBytes::new(width);
                if width == 0 { dense.extend_zeros(k); expected.extend_zeros(n); }
                dense.extend_from_bytes(&(1..=k as u64).flat_map(value).collect::<Vec<_>>());
                expected.extend_from_bytes(&slots.iter().flat_map(|slot| value(slot.unwrap_or(0))).collect::<Vec<_>>());
                let mut out = Values::Fixed(FixedBytes::new(width));
                spread(&Values::Fixed(dense), &bits, before, n, &mut out);
                prop_assert_eq!(out, Values::Fixed(expected));
            }
            let strings: Vec<Vec<u8>> = (1..=k).map(|i| vec![i as u8; i % 7]).collect();
            let dense: ByteArrays = strings.iter().map(Vec::as_slice).collect();
            let expected: ByteArrays = slots.iter().map(|slot| slot.map_or(&[][..], |i| strings[i as usize - 1].as_slice())).collect();
            let (mut offsets, data) = dense.clone().into_parts();
            spread_offsets(&mut offsets, &bits, before, k, n);
            prop_assert_eq!((offsets, data), expected.clone().into_parts());
            let mut out = Values::Bytes(ByteArrays::new());
            spread(&Values::Bytes(dense), &bits, before, n, &mut out);
            prop_assert_eq!(out, Values::Bytes(expected));
        }

    }
}
