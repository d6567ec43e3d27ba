//! Writing of hybrids.

#![allow(clippy::arithmetic_side_effects, reason = "it writes: what is counted are values and bytes that are in memory")]

use crate::encoding::bit_packed::pack;
use crate::encoding::{Encoder, wrong_values};
use crate::error::Result;
use crate::values::{Bits, ValuesSlice};

/// Writes BOOLEAN.
#[derive(Default)]
pub(crate) struct RleBooleansEncoder {
    bits: Bits,
}

impl Encoder for RleBooleansEncoder {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        let ValuesSlice::Bits(bits) = values else { return Err(wrong_values()) };
        bits.append_to(&mut self.bits);
        Ok(())
    }

    fn size_estimate(&self) -> usize {
        self.bits.len().div_ceil(8) + 4
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        write_bits(&self.bits, out);
        let length = (out.len() - start - 4) as u32;
        if let Some(place) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *place = length.to_le_bytes();
        }
        self.bits.clear();
    }
}

/// Writes a hybrid of single bits: words of 64 equal bits in a row become runs.
pub(crate) fn write_bits(bits: &Bits, out: &mut Vec<u8>) {
    let uniform = |word: &u64| matches!(*word, 0 | u64::MAX);
    let (mut words, mut left) = (bits.words(), bits.len());
    while let Some(first) = words.first() {
        let n = match uniform(first) {
            true => words.iter().take_while(|word| *word == first).count(),
            false => words.iter().take_while(|word| !uniform(word)).take(PACKED_MOST / 64).count(),
        };
        let (now, later) = words.split_at(n);
        let count = left.min(n * 64);
        if uniform(first) {
            varint((count as u64) << 1, out);
            out.push((first & 1) as u8);
        } else {
            let groups = count.div_ceil(8);
            varint(groups as u64 * 2 + 1, out);
            let end = out.len() + groups;
            now.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
            out.truncate(end);
        }
        words = later;
        left -= count;
    }
}

/// Writes values of `width` bits as a hybrid: where a value repeats for long enough to be shorter as a run, it becomes one.
#[derive(Clone, Debug)]
pub(crate) struct HybridWriter {
    width: usize,
    /// Values for the next packed run.
    held: Vec<u32>,
    /// The value after those, and how often it repeats.
    repeated: u32,
    count: usize,
}

/// The most values of a bit-packed run. Long runs are read faster; two bytes of header for these cost nothing.
const PACKED_MOST: usize = 4096;

impl HybridWriter {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, held: Vec::new(), repeated: 0, count: 0 }
    }

    /// Adds a value.
    #[cfg(test)]
    pub(crate) fn push(&mut self, value: u32, out: &mut Vec<u8>) {
        self.push_run(value, 1, out);
    }

    /// Adds a value `n` times.
    #[inline]
    pub(crate) fn push_run(&mut self, value: u32, n: usize, out: &mut Vec<u8>) {
        if value != self.repeated {
            self.end_repetition(self.least(), out);
            self.repeated = value;
        }
        self.count += n;
    }

    /// Adds values.
    pub(crate) fn extend(&mut self, values: &[u32], out: &mut Vec<u8>) {
        if self.count == 0 && self.held.is_empty() {
            // Where nothing comes before, values may repeat from the first one on, however few they are.
            self.repeated = values.first().copied().unwrap_or_default();
        }
        let (repeating, mut rest) = values.split_at(equal_to(values, self.repeated));
        self.count += repeating.len();
        while !rest.is_empty() {
            self.end_repetition(self.least(), out);
            // Runs are looked for from group to group only, the first of which begins where the held ones end.
            let (begun, whole) = rest.split_at(self.to_whole_group().min(rest.len()));
            self.hold(begun, out);
            let (packed, run, after) = self.find_run(whole);
            self.hold(packed, out);
            self.repeated = run.first().copied().unwrap_or(self.repeated);
            self.count = run.len();
            rest = after;
        }
    }

    /// Writes what is left; the writer can be used again.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_repetition(self.least_at_end(), out);
        self.flush_packed(out);
    }

    /// How many equal values are shorter as a run of their own, which also means another header for those after it.
    fn least(&self) -> usize {
        8 * (1 + (2 + self.width.div_ceil(8)).checked_div(self.width).unwrap_or(0))
    }

    /// How many equal values are no longer as a run where no other header follows.
    fn least_at_end(&self) -> usize {
        let header = usize::from(!self.held.is_empty());
        let groups = (header + self.width.div_ceil(8)).div_ceil(self.width.max(1));
        (8 * groups).saturating_sub(7).max(1)
    }

    /// How many values fill up the group of eight that was begun.
    fn to_whole_group(&self) -> usize {
        (8 - self.held.len() % 8) % 8
    }

    /// Splits values into those before the first run, the run, and the rest.
    fn find_run<'a>(&self, values: &'a [u32]) -> (&'a [u32], &'a [u32], &'a [u32]) {
        let mut at = 0;
        while let Some((eight, _)) = values.get(at..).and_then(<[u32]>::split_first_chunk::<8>) {
            if eight.iter().fold(0, |different, value| different | (value ^ eight[0])) == 0 {
                let (before, from) = values.split_at(at);
                let length = equal_to(from, eight[0]);
                if length >= self.least() || length == from.len() {
                    let (run, after) = from.split_at(length);
                    return (before, run, after);
                }
                at += length / 8 * 8;
            } else {
                at += 8;
            }
        }
        (values, &[], &[])
    }

    /// Decides on the values that repeated: they fill up the group that was begun, and become a run if `least` of them are left.
    fn end_repetition(&mut self, least: usize, out: &mut Vec<u8>) {
        let fill = self.to_whole_group().min(self.count);
        if self.count - fill < least {
            self.hold_repeated(self.count, out);
        } else {
            self.hold_repeated(fill, out);
            self.flush_packed(out);
            varint(((self.count - fill) as u64) << 1, out);
            out.extend(self.repeated.to_le_bytes().iter().take(self.width.div_ceil(8)));
        }
        self.count = 0;
    }

    fn hold_repeated(&mut self, n: usize, out: &mut Vec<u8>) {
        let block = [self.repeated; 8];
        for done in (0..n).step_by(8) {
            self.hold(block.get(..8.min(n - done)).unwrap_or_default(), out);
        }
    }

    fn hold(&mut self, values: &[u32], out: &mut Vec<u8>) {
        let mut rest = values;
        while !rest.is_empty() {
            let room = PACKED_MOST - self.held.len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            if now.len() == PACKED_MOST {
                write_packed(now, self.width, out);
            } else {
                self.held.extend_from_slice(now);
            }
            if self.held.len() == PACKED_MOST {
                self.flush_packed(out);
            }
            rest = later;
        }
    }

    fn flush_packed(&mut self, out: &mut Vec<u8>) {
        if !self.held.is_empty() {
            self.held.resize(self.held.len().next_multiple_of(8), 0);
            write_packed(&self.held, self.width, out);
            self.held.clear();
        }
    }
}

/// Writes a packed run of whole groups.
fn write_packed(values: &[u32], width: usize, out: &mut Vec<u8>) {
    varint((values.len() / 8) as u64 * 2 + 1, out);
    pack(values, width, out);
}

/// How many values at the start are equal to `value`.
fn equal_to(values: &[u32], value: u32) -> usize {
    let (blocks, _) = values.as_chunks::<32>();
    let whole = blocks.iter().take_while(|block| block.iter().fold(0, |different, other| different | (other ^ value)) == 0).count() * 32;
    whole + values.iter().skip(whole).take_while(|other| **other == value).count()
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::encoding::Decoder;
    use crate::encoding::rle::{HybridReader, RleBooleans};
    use crate::values::Values;
    use proptest::prelude::*;

    pub(in crate::encoding::rle) fn encode(values: &[u32], width: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = HybridWriter::new(width);
        values.iter().for_each(|value| writer.push(*value, &mut bytes));
        writer.finish(&mut bytes);
        bytes
    }

    /// Values with runs in them.
    pub(in crate::encoding::rle) fn runs(width: u32) -> impl Strategy<Value = Vec<u32>> {
        let most = if width == 0 { 0 } else { u32::MAX >> (32 - width) };
        prop::collection::vec((0..=most, prop_oneof![Just(1usize), 2..30usize, 100..900usize]), 0..40)
            .prop_map(|runs| runs.into_iter().flat_map(|(value, n)| std::iter::repeat_n(value, n)).collect())
    }

    proptest! {
        #[test]
        fn slices_write_what_values_read(
            (width, values) in (0..=32u32).prop_flat_map(|width| (Just(width as usize), runs(width))),
            cuts in prop::collection::vec((0..900usize, any::<bool>()), 0..6),
        ) {
            let (mut bytes, mut writer) = (Vec::new(), HybridWriter::new(width));
            let mut rest = &values[..];
            for (n, one_by_one) in cuts.into_iter().chain([(usize::MAX, false)]) {
                let (now, later) = rest.split_at(n.min(rest.len()));
                match one_by_one {
                    true => now.iter().for_each(|value| writer.push(*value, &mut bytes)),
                    false => writer.extend(now, &mut bytes),
                }
                rest = later;
            }
            writer.finish(&mut bytes);
            let mut out = vec![0; values.len()];
            prop_assert_eq!(HybridReader::new(0, width).unwrap().fill(&bytes, &mut out).unwrap(), values.len());
            prop_assert_eq!(&out, &values);
            // No longer than packing all of them, but for a header now and then.
            prop_assert!(bytes.len() <= (values.len() * width).div_ceil(8) + width + 8 + values.len() / 64);
        }

        #[test]
        fn booleans(values in runs(1), cut in 0..900usize) {
            let bits: Bits = values.iter().map(|value| *value == 1).collect();
            let values = Values::Bits(bits);
            let cut = cut.min(values.len());
            let mut encoder = RleBooleansEncoder::default();
            for _ in 0..2 {
                encoder.write(values.as_slice().slice(0..cut).unwrap()).unwrap();
                encoder.write(values.as_slice().slice(cut..values.len()).unwrap()).unwrap();
                let estimate = encoder.size_estimate();
                let mut page = Vec::new();
                encoder.finish(&mut page);
                prop_assert!(page.len() <= estimate + 3 + values.len() / 256);
                let mut out = Values::Bits(Bits::new());
                let mut decoder = RleBooleans::new(&page).unwrap();
                decoder.read(&page, cut, &mut out).unwrap();
                decoder.read(&page, values.len() - cut, &mut out).unwrap();
                prop_assert_eq!(&out, &values);
            }
        }
    }

    #[test]
    fn long_runs_are_short() {
        assert_eq!(encode(&[5; 1000], 3), [0xd0, 0x0f, 5]);
    }

    #[test]
    fn the_last_run_is_short() {
        for (values, bytes) in [(&[5; 3][..], [0x06, 5]), (&[5; 12], [0x18, 5])] {
            assert_eq!(encode(values, 3), bytes);
            let (mut at_once, mut writer) = (Vec::new(), HybridWriter::new(3));
            writer.extend(values, &mut at_once);
            writer.finish(&mut at_once);
            assert_eq!(at_once, bytes);
        }
        // A group that was begun is filled up before.
        assert_eq!(encode(&[1, 2, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], 3), [0x03, 0x51, 0xdb, 0xb6, 0x08, 5]);
    }
}
