//! Writing of delta-encoded sequences.

use crate::encoding::bit_packed::pack;
use crate::encoding::word::Word;
use crate::encoding::{Encoder, wrong_values};
use crate::error::Result;
use crate::simd::vectorized;
use crate::values::ValuesSlice;

/// Values in a block and miniblocks in it, as written: as others write INT64, so that every reader knows them.
const WRITTEN_BLOCK: usize = 256;
const WRITTEN_MINIBLOCKS: usize = 4;
const WRITTEN_MINIBLOCK: usize = WRITTEN_BLOCK / WRITTEN_MINIBLOCKS;

/// Writes a delta-encoded sequence.
pub(crate) struct DeltaWriter<W> {
    first: W,
    last: W,
    count: usize,
    /// Differences of the block that is not full yet.
    held: Vec<W>,
    blocks: Vec<u8>,
}

impl<W: Word> Default for DeltaWriter<W> {
    fn default() -> Self {
        Self { first: W::default(), last: W::default(), count: 0, held: Vec::new(), blocks: Vec::new() }
    }
}

impl<W: Word> DeltaWriter<W> {
    /// Adds values.
    pub(crate) fn extend(&mut self, values: &[W]) {
        let mut rest = values;
        if self.count == 0
            && let Some((first, after)) = rest.split_first()
        {
            (self.first, self.last) = (*first, *first);
            rest = after;
        }
        self.count = self.count.saturating_add(values.len());
        while !rest.is_empty() {
            let count = rest.len().min(WRITTEN_BLOCK.saturating_sub(self.held.len()));
            let Some((now, later)) = rest.split_at_checked(count) else { break };
            self.held.push(now.first().map_or(W::default(), |value| value.subtract(self.last)));
            self.held.extend(now.iter().zip(now.get(1..).unwrap_or_default()).map(|(before, value)| value.subtract(*before)));
            self.last = now.last().copied().unwrap_or_default();
            rest = later;
            if self.held.len() == WRITTEN_BLOCK {
                self.flush();
            }
        }
    }

    /// About how many bytes the sequence has.
    pub(crate) fn size(&self) -> usize {
        let held = self.held.len().saturating_mul(size_of::<W>());
        self.blocks.len().saturating_add(held).saturating_add(12)
    }

    /// Appends the sequence to `out` and begins the next one.
    pub(crate) fn finish_to(&mut self, out: &mut Vec<u8>) {
        self.flush();
        for number in [WRITTEN_BLOCK, WRITTEN_MINIBLOCKS, self.count] {
            write_varint(number as u64, out);
        }
        write_varint(to_zigzag(self.first.to_i64()), out);
        out.append(&mut self.blocks);
        self.count = 0;
    }

    fn flush(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let mut used = [W::default(); WRITTEN_MINIBLOCKS];
        let smallest = vectorized!(take_smallest(&mut self.held, &mut used));
        let miniblocks = self.held.len().div_ceil(WRITTEN_MINIBLOCK);
        self.held.resize(miniblocks.saturating_mul(WRITTEN_MINIBLOCK), W::default());
        write_varint(to_zigzag(smallest.to_i64()), &mut self.blocks);
        let widths = used.map(W::bits);
        self.blocks.extend(widths.iter().map(|width| *width as u8));
        for (values, width) in self.held.chunks(WRITTEN_MINIBLOCK).zip(widths) {
            pack(values, width, &mut self.blocks);
        }
        self.held.clear();
    }
}

impl<W: Word> Encoder for DeltaWriter<W> {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        self.extend(W::slice(values).ok_or_else(wrong_values)?);
        Ok(())
    }

    fn size_estimate(&self) -> usize {
        self.size()
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.finish_to(out);
    }
}

/// Takes the smallest difference (signed) off all and returns it; `used` gets the bits that are set in each miniblock.
#[inline(always)]
fn take_smallest<W: Word>(differences: &mut [W], used: &mut [W; WRITTEN_MINIBLOCKS]) -> W {
    let first = differences.first().copied().unwrap_or_default();
    let smallest = differences.iter().fold(first, |smallest, difference| smallest.smaller(*difference));
    for (miniblock, used) in differences.chunks_mut(WRITTEN_MINIBLOCK).zip(used) {
        *used = miniblock.iter_mut().fold(W::default(), |used, difference| {
            *difference = difference.subtract(smallest);
            used.or(*difference)
        });
    }
    smallest
}

pub(super) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn to_zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::delta_binary_packed::tests::{decoder, encode, i64s, sequences};
    use crate::values::Values;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn writes_what_it_reads(values in sequences(), narrow in any::<bool>(), pieces in prop::collection::vec(0..500usize, 0..6)) {
            let values: Vec<i64> = values.into_iter().map(|value| if narrow { i64::from(value as i32) } else { value }).collect();
            let words = match narrow {
                true => Values::Words32(values.iter().map(|value| *value as u32).collect()),
                false => Values::Words64(values.iter().map(|value| value.cast_unsigned()).collect()),
            };
            let mut encoder: Box<dyn Encoder> = if narrow { Box::new(DeltaWriter::<u32>::default()) } else { Box::new(DeltaWriter::<u64>::default()) };
            // Two pages from one encoder, the first in pieces: they are the same, and as short as the naive twin's.
            let mut at = 0;
            for n in pieces.into_iter().chain([values.len()]) {
                let end = (at + n).min(values.len());
                encoder.write(words.as_slice().slice(at..end).unwrap()).unwrap();
                at = end;
            }
            let mut page = vec![9];
            encoder.finish(&mut page);
            encoder.write(words.as_slice()).unwrap();
            let mut again = Vec::new();
            encoder.finish(&mut again);
            prop_assert_eq!(&page[1..], &again);
            prop_assert!(page.len() <= encode(&values, narrow, WRITTEN_MINIBLOCK, WRITTEN_MINIBLOCKS, 0).len() + 1);
            let (mut decoder, mut out) = decoder(&again, narrow).unwrap();
            decoder.read(&again, values.len(), &mut out).unwrap();
            prop_assert_eq!(i64s(&out), values);
        }
    }
}
