//! Runs whose header is one byte: at most 63 equal values, or 63 groups of eight packed ones. Nulls strewn about and lists make many of them, of
//! some twenty values each, for which [`HybridReader::next`] takes as long as for large ones. Here one is read after the other in one loop; what is no
//! such run, or too near the end, is left to `next`.

#![allow(clippy::arithmetic_side_effects, reason = "a header of one byte counts at most 63 groups, of levels of at most four bits")]

use super::{HybridReader, Run};
use crate::error::{Error, Result};
use crate::values::Bits;

/// At least as many values as a few packed groups and a repeated run have, which are read without asking how many are wanted.
const FEW: usize = 128;
/// So many values are read before it is looked at again what comes: memory for them is cleared first.
const AT_ONCE: usize = 8192;
/// The same of indices, among whose short runs there may be as many long ones.
const FEW_AT_ONCE: usize = 1024;
/// A run of one level whose header is one byte has fewer.
const BLOCK: usize = 64;
/// A 1 in each byte.
const BYTES: u64 = 0x0101_0101_0101_0101;

/// Eight levels of `WIDTH` bits, a byte each.
#[inline(always)]
fn bytes_of_levels<const WIDTH: usize>(packed: &[u8; WIDTH], spread: impl Fn(u64, u64) -> u64) -> u64 {
    let all = packed.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
    spread(all, BYTES * !(u64::MAX << WIDTH))
}

/// Moves eight times as many low bits as each byte of `mask` has there, halving them three times.
#[inline(always)]
fn spread_portable<const WIDTH: usize>(all: u64) -> u64 {
    let low = |bits: usize| !(u64::MAX << bits);
    let fours = all & low(4 * WIDTH) | (all >> (4 * WIDTH)) << 32;
    let pair = low(2 * WIDTH) * 0x0000_0001_0000_0001;
    let pairs = fours & pair | (fours >> (2 * WIDTH) & pair) << 16;
    let single = low(WIDTH) * 0x0001_0001_0001_0001;
    pairs & single | (pairs >> WIDTH & single) << 8
}

#[cfg(target_arch = "x86_64")]
mod bmi {
    use super::{Bits, HybridReader, Result};

    fearless_simd::kernel!(
        /// With shifts that need no register of their own.
        pub(super) fn runs(_avx2: Avx2, reader: &mut HybridReader, bytes: &[u8], most: usize, out: &mut Bits) -> usize {
            reader.short_runs(bytes, most, out)
        }
    );

    fearless_simd::kernel!(
        /// With the instruction that spreads bits.
        pub(super) fn levels(
            _avx2: Avx2,
            reader: &mut HybridReader,
            bytes: &[u8],
            most: usize,
            max: u8,
            out: &mut Vec<u8>,
        ) -> Result<usize> {
            let spread = |all, mask| core::arch::x86_64::_pdep_u64(all, mask);
            match reader.width {
                1 => reader.short_levels::<1>(bytes, most, max, out, spread),
                2 => reader.short_levels::<2>(bytes, most, max, out, spread),
                3 => reader.short_levels::<3>(bytes, most, max, out, spread),
                4 => reader.short_levels::<4>(bytes, most, max, out, spread),
                _ => Ok(0),
            }
        }
    );
}

impl HybridReader {
    /// Appends runs of one-bit values whose header is one byte, as long as `most` values and the bytes at hand surely hold all
    /// of the next one; returns how many values. With [`next`](Self::next), 8 million words with a tenth of nulls took 20.7 ms and booleans
    /// 5.6; so 16.3 and 3.2 (with spreading straight into place), and without branches a tenth less.
    pub(super) fn read_short_runs(&mut self, bytes: &[u8], most: usize, out: &mut Bits) -> usize {
        if self.width != 1 || most < FEW || !self.is_before_short_run(bytes) {
            return 0;
        }
        let most = most.min(AT_ONCE);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = crate::simd::level().as_avx2() {
            return bmi::runs(avx2, self, bytes, most, out);
        }
        self.short_runs(bytes, most, out)
    }

    #[inline(always)]
    fn short_runs(&mut self, bytes: &[u8], most: usize, out: &mut Bits) -> usize {
        let mut out = out.writer(most);
        let mut left = most;
        let mut at = self.at;
        while left >= FEW
            && let Some(&[header, next @ ..]) = bytes.get(at..at + 9).and_then(<[u8]>::first_chunk::<9>)
            && header < 0x80
        {
            let count = usize::from(header >> 1);
            let is_packed = header & 1;
            let next = u64::from_le_bytes(next);
            if is_packed == 1 && count > 8 {
                let Some(packed) = bytes.get(at + 1..at + 1 + count).filter(|_| 8 * count <= left) else { break };
                let (words, bytes) = packed.as_chunks();
                words.iter().for_each(|word| out.push(u64::from_le_bytes(*word), 64));
                bytes.iter().for_each(|byte| out.push(u64::from(*byte), 8));
                left = left.wrapping_sub(8 * count);
                at += count + 1;
                continue;
            }
            // Where nulls are strewn about, packed runs of few groups and repeated ones come in turn: both at once wait for half as many loads.
            if is_packed == 1
                && count < 8
                && let Some(&[header, value]) = bytes.get(at + 1 + count..at + 3 + count)
                && header & 0x81 == 0
                && value < 2
            {
                let (packed, repeated) = (8 * count, usize::from(header >> 1));
                let fill = 0u64.wrapping_sub(u64::from(value));
                if packed + repeated <= 64 {
                    out.push(next & !(u64::MAX << packed) | fill << packed, packed + repeated);
                } else {
                    out.push(next, packed);
                    out.push(fill, repeated);
                }
                left = left.wrapping_sub(packed + repeated);
                at += 3 + count;
                continue;
            }
            let repeated = next & 0xff;
            if is_packed == 0 && repeated > 1 {
                break;
            }
            // Of the runs that do not come in such pairs, which kind one is of is as good as random: both are made and one is picked, without a branch.
            let packed = 0u64.wrapping_sub(u64::from(is_packed));
            let n = if is_packed == 1 { 8 * count } else { count };
            out.push(next & packed | 0u64.wrapping_sub(repeated) & !packed, n);
            left = left.wrapping_sub(n);
            at += 2_usize.wrapping_add(count.wrapping_sub(1) & packed as usize);
        }
        self.at = at;
        most.saturating_sub(left)
    }

    /// The same of levels, a byte each: appends runs of at most four bits a value and returns how many values. A column of lists of numbers took
    /// 13.3 ms with [`next`](Self::next) and takes 8.6.
    ///
    /// # Errors
    /// `Malformed` for a level above `max`.
    pub(crate) fn read_short_levels(&mut self, bytes: &[u8], most: usize, max: u8, out: &mut Vec<u8>) -> Result<usize> {
        if most < FEW || !self.is_before_short_run(bytes) {
            return Ok(0);
        }
        let most = most.min(AT_ONCE);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = crate::simd::level().as_avx2() {
            return bmi::levels(avx2, self, bytes, most, max, out);
        }
        match self.width {
            1 => self.short_levels::<1>(bytes, most, max, out, |all, _| spread_portable::<1>(all)),
            2 => self.short_levels::<2>(bytes, most, max, out, |all, _| spread_portable::<2>(all)),
            3 => self.short_levels::<3>(bytes, most, max, out, |all, _| spread_portable::<3>(all)),
            4 => self.short_levels::<4>(bytes, most, max, out, |all, _| spread_portable::<4>(all)),
            _ => Ok(0),
        }
    }

    /// The same of other values of at most four bits, where a short run comes next and not one of many packed values, which
    /// [`unpack32`](crate::encoding::unpack32) is faster for.
    pub(crate) fn read_short_values(&mut self, bytes: &[u8], most: usize, out: &mut Vec<u8>) -> Result<usize> {
        let is_long = |header: &u8| header & 1 == 1 && usize::from(header >> 1) > BLOCK / 8;
        if !matches!(self.width, 1..=4) || bytes.get(self.at).is_none_or(is_long) {
            return Ok(0);
        }
        self.read_short_levels(bytes, most.min(FEW_AT_ONCE), !(u8::MAX << self.width), out)
    }

    #[inline(always)]
    fn short_levels<const WIDTH: usize>(
        &mut self,
        bytes: &[u8],
        most: usize,
        max: u8,
        out: &mut Vec<u8>,
        spread: impl Fn(u64, u64) -> u64,
    ) -> Result<usize> {
        let start = out.len();
        let (mut at, mut to) = (self.at, start);
        let limit = start.saturating_add(most);
        // The last run may write a whole block.
        out.resize(limit.saturating_add(BLOCK), 0);
        // Added to a byte, it reaches the highest bit where the byte is above `max`.
        let room = BYTES.wrapping_mul(0x7f_u64.saturating_sub(u64::from(max)));
        let mut above = 0;
        while limit.saturating_sub(to) >= FEW
            && let Some(&[header, value]) = bytes.get(at..at + 2)
            && header < 0x80
        {
            let count = usize::from(header >> 1);
            // Few packed groups and a repeated run in turn are what nulls strewn about make: how many groups there are nobody can predict, so as many
            // as eight bytes hold are written.
            if header & 1 == 1
                && count <= 8 / WIDTH
                && let Some(next) = bytes.get(at + 1..).and_then(<[u8]>::first_chunk)
                && let Some(block) = out.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<BLOCK>)
            {
                let next = u64::from_le_bytes(*next);
                for (group, to) in block.as_chunks_mut::<8>().0.iter_mut().take(8 / WIDTH).enumerate() {
                    let levels = spread(next >> (8 * WIDTH * group), BYTES * !(u64::MAX << WIDTH));
                    above |= if group < count { levels.wrapping_add(room) } else { 0 };
                    *to = levels.to_le_bytes();
                }
                to = to.saturating_add(8 * count);
                at += 1 + count * WIDTH;
                if let Some(&[header, value]) = bytes.get(at..at + 2)
                    && header & 0x81 == 0
                    && value <= max
                    && let Some(block) = out.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<BLOCK>)
                {
                    *block = [value; BLOCK];
                    to = to.saturating_add(usize::from(header >> 1));
                    at += 2;
                }
                continue;
            }
            if header & 1 == 0 {
                let block = out.get_mut(to..).and_then(<[u8]>::first_chunk_mut::<BLOCK>);
                let Some(block) = block.filter(|_| value <= max) else { break };
                *block = [value; BLOCK];
                to = to.saturating_add(count);
                at += 2;
                continue;
            }
            // The block behind the limit is not for these.
            let unpacked = out.get_mut(to..limit).and_then(|out| out.get_mut(..8 * count));
            let (Some(packed), Some(unpacked)) = (bytes.get(at + 1..at + 1 + count * WIDTH), unpacked) else { break };
            for (from, to) in packed.as_chunks::<WIDTH>().0.iter().zip(unpacked.as_chunks_mut::<8>().0) {
                let levels = bytes_of_levels::<WIDTH>(from, &spread);
                above |= levels.wrapping_add(room);
                *to = levels.to_le_bytes();
            }
            to = to.saturating_add(8 * count);
            at += 1 + count * WIDTH;
        }
        self.at = at;
        out.truncate(to);
        if above & BYTES << 7 != 0 {
            return Err(Error::malformed(format!("a level of more than {max} where at most {max} is possible")));
        }
        Ok(to.saturating_sub(start))
    }

    fn is_before_short_run(&self, bytes: &[u8]) -> bool {
        let is_between_runs = matches!(self.run, Run::Repeated { left: 0, .. } | Run::Packed { left: 0, .. });
        is_between_runs && bytes.get(self.at).is_some_and(|header| *header < 0x80)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::rle::writer::tests::{encode, runs};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_portable_twin_spreads_bits(all: u64) {
            let naive = |width: usize| (0..8).fold(0, |bytes, at| bytes | (all >> (at * width) & ((1 << width) - 1)) << (8 * at));
            prop_assert_eq!(spread_portable::<1>(all & 0xff), naive(1));
            prop_assert_eq!(spread_portable::<2>(all & 0xffff), naive(2));
            prop_assert_eq!(spread_portable::<3>(all & 0xff_ffff), naive(3));
            prop_assert_eq!(spread_portable::<4>(all & 0xffff_ffff), naive(4));
        }

        #[test]
        fn levels_agree_with_values((width, values) in (1..=4u32).prop_flat_map(|width| (Just(width as usize), runs(width))), again in 1..20usize, max: u8) {
            let values: Vec<u32> = std::iter::repeat_n(values, again).flatten().collect();
            let bytes = encode(&values, width);
            let max = max % 16;
            let mut levels = Vec::new();
            let mut reader = HybridReader::new(0, width).unwrap();
            let read = reader.read_short_levels(&bytes, values.len(), max, &mut levels);
            if let Ok(read) = read {
                prop_assert_eq!(read, levels.len());
                prop_assert!(levels.iter().zip(&values).all(|(level, value)| u32::from(*level) == *value && *level <= max));
                let mut rest = vec![0; values.len() - read];
                prop_assert_eq!(reader.fill(&bytes, &mut rest).unwrap(), rest.len());
                prop_assert_eq!(&rest, &values[read..]);
            } else {
                prop_assert!(values.iter().any(|value| *value > u32::from(max)));
            }
        }
    }
}
