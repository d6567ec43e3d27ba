//! `DELTA_BINARY_PACKED`: differences of integers, bit-packed in blocks.
//!
//! A header gives the block size, the number of miniblocks in a block, the number of values (all as varints) and the
//! first value (zigzag). Each block begins with its smallest difference (zigzag) and a byte with the bit width of each
//! miniblock; the miniblocks follow, packed least significant bit first, with the smallest difference taken off. The last
//! miniblock is padded to its full size, and miniblocks that hold nothing have no bytes, whatever their width says.
//! All arithmetic wraps.
//!
//! Neighbouring miniblocks of one width are unpacked together, and a width of 0 is an arithmetic progression that needs
//! no unpacking at all. With AVX-512 the running sum takes three shuffles for eight values.

mod sum;
mod writer;

pub(crate) use sum::Sum;
pub(crate) use writer::DeltaWriter;

use crate::encoding::word::Word;
use crate::encoding::{Decoder, too_few, wrong_container};
use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::{Values, extend_words};

/// How many values are decoded at a time, so that both passes over them find them in the first-level cache.
const BLOCK: usize = 1024;

/// Reads a delta-encoded sequence; keeps positions only, so the same bytes are passed to each call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeltaReader<W> {
    /// Values in a miniblock: a multiple of 8.
    miniblock: usize,
    /// Miniblocks in a block.
    miniblocks: usize,
    /// Values not read yet.
    left: usize,
    /// Whether the next value is the header's, which is in `last` then.
    at_first: bool,
    last: W,
    smallest: W,
    /// Where the bodies of the miniblocks that are not begun yet begin, or the next block.
    at: usize,
    /// Where the bit widths of these miniblocks are, and how many are left in the block.
    widths_at: usize,
    widths_left: usize,
    run: Run,
}

/// Differences of one width that lie one after another.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    at: usize,
    /// The bits of the first byte that are used up.
    bit: usize,
    width: usize,
    left: usize,
}

impl<W: Sum> DeltaReader<W> {
    /// A reader of the sequence that begins at byte `at`. Where there are no bytes, there are no values.
    ///
    /// # Errors
    /// `Malformed` for a header that is cut off or has impossible sizes.
    pub(crate) fn new(page: &[u8], mut at: usize) -> Result<Self> {
        let mut reader = Self {
            miniblock: 0,
            miniblocks: 0,
            left: 0,
            at_first: true,
            last: W::default(),
            smallest: W::default(),
            at,
            widths_at: 0,
            widths_left: 0,
            run: Run::default(),
        };
        if at >= page.len() {
            return Ok(reader);
        }
        let block = varint(page, &mut at)?;
        let miniblocks = varint(page, &mut at)?;
        let count = varint(page, &mut at)?;
        reader.last = W::from_u64(zigzag(varint(page, &mut at)?));
        reader.at = at;
        reader.left = usize::try_from(count).map_err(|_| Error::limit("more delta-encoded values than memory"))?;
        if count > 0 {
            (reader.miniblock, reader.miniblocks) = check_sizes(block, miniblocks)?;
        }
        Ok(reader)
    }

    /// The number of values not read yet, as the header claims.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The byte after the sequence, found by walking over the rest of the blocks.
    pub(crate) fn end(mut self, page: &[u8]) -> Result<usize> {
        self.take_first();
        while self.left > 0 {
            if self.run.left == 0 {
                self.next_run(page)?;
            }
            self.left = self.left.saturating_sub(self.run.left);
            self.run.left = 0;
        }
        Ok(self.at)
    }

    /// Fills `out` with the next values and returns how many there were.
    pub(crate) fn fill(&mut self, page: &[u8], out: &mut [W]) -> Result<usize> {
        let n = out.len().min(self.left);
        let mut rest = out.get_mut(..n).unwrap_or_default();
        if self.at_first
            && let Some((first, after)) = std::mem::take(&mut rest).split_first_mut()
        {
            *first = self.last;
            self.take_first();
            rest = after;
        }
        while !rest.is_empty() {
            if self.run.left == 0 {
                self.next_run(page)?;
            }
            let Some((now, later)) = rest.split_at_mut_checked(rest.len().min(self.run.left)) else { break };
            self.decode(page, now);
            rest = later;
        }
        Ok(n)
    }

    /// Passes over `n` values.
    pub(crate) fn pass(&mut self, page: &[u8], n: usize) -> Result<()> {
        if n > self.left {
            return Err(too_few(n, self.left));
        }
        let mut left = n;
        if left > 0 && self.at_first {
            self.take_first();
            left = left.saturating_sub(1);
        }
        let mut buffer = [W::default(); BLOCK];
        while left > 0 {
            if self.run.left == 0 {
                self.next_run(page)?;
            }
            let mut count = left.min(self.run.left);
            if self.run.width == 0 {
                self.last = self.last.add(self.smallest.times(count));
            } else {
                count = count.min(BLOCK);
                let differences = buffer.get_mut(..count).unwrap_or_default();
                self.unpack(page, differences);
                self.last = self.last.add(self.smallest.times(count)).add(vectorized!(sum(differences)));
            }
            self.advance(count);
            left = left.saturating_sub(count);
        }
        Ok(())
    }

    fn take_first(&mut self) {
        if self.at_first {
            self.at_first = false;
            self.left = self.left.saturating_sub(1);
        }
    }

    /// Decodes values of the run, which has as many.
    fn decode(&mut self, page: &[u8], out: &mut [W]) {
        if self.run.width == 0 {
            vectorized!(progression(out, self.last, self.smallest));
            self.last = self.last.add(self.smallest.times(out.len()));
        } else {
            self.unpack(page, out);
            self.last = W::running_sum(out, self.last, self.smallest);
        }
        self.advance(out.len());
    }

    /// The specification forbids widths beyond the type's, but writers that subtract INT32 in 64 bits used to need 33; the
    /// sum is right in its low 32 bits all the same.
    #[inline]
    fn unpack(&self, page: &[u8], out: &mut [W]) {
        W::unpack(page.get(self.run.at..).unwrap_or_default(), self.run.bit, self.run.width, out);
    }

    fn advance(&mut self, n: usize) {
        self.left = self.left.saturating_sub(n);
        self.run.left = self.run.left.saturating_sub(n);
        let bits = n.saturating_mul(self.run.width).saturating_add(self.run.bit);
        self.run.at = self.run.at.saturating_add(bits / 8);
        self.run.bit = bits % 8;
    }

    /// Begins the next miniblock, with those after it in the block that have its width.
    fn next_run(&mut self, page: &[u8]) -> Result<()> {
        if self.widths_left == 0 {
            self.next_block(page)?;
        }
        let wanted = self.left.div_ceil(self.miniblock.max(1)).min(self.widths_left);
        let widths = page.get(self.widths_at..).and_then(|widths| widths.get(..wanted)).unwrap_or_default();
        let width = widths.first().copied().ok_or_else(ended)?;
        let equal = widths.iter().take_while(|other| **other == width).count();
        self.widths_at = self.widths_at.saturating_add(equal);
        self.widths_left = self.widths_left.saturating_sub(equal);

        let width = usize::from(width);
        if width > 64 {
            return Err(Error::malformed(format!("a delta miniblock with values of {width} bits: at most 64 are allowed")));
        }
        let found = page.len().saturating_sub(self.at);
        let values = equal.saturating_mul(self.miniblock);
        // Some writers leave out the padding of the last miniblock; what holds values has to be there.
        let used = (values.min(self.left) as u64).saturating_mul(width as u64).div_ceil(8);
        if used > found as u64 {
            return Err(ended());
        }
        self.run = Run { at: self.at, bit: 0, width, left: values };
        self.at = self.at.saturating_add((values / 8).saturating_mul(width).min(found));
        Ok(())
    }

    fn next_block(&mut self, page: &[u8]) -> Result<()> {
        self.smallest = W::from_u64(zigzag(varint(page, &mut self.at)?));
        self.widths_at = self.at;
        self.widths_left = self.miniblocks;
        self.at = self.at.saturating_add(self.miniblocks);
        if self.at > page.len() { Err(ended()) } else { Ok(()) }
    }
}

impl<W: Sum> Decoder for DeltaReader<W> {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let words = W::container(out).ok_or_else(wrong_container)?;
        if n > self.left {
            return Err(too_few(n, self.left));
        }
        // A bit a value is what the bytes justify; progressions, which take less, grow as they come.
        words.reserve(n.min(page.len().saturating_mul(8)));
        extend_words(words, n, BLOCK, |block| self.fill(page, block).map(drop))?;
        Ok(n)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        self.pass(page, n)
    }
}

/// Values in a miniblock and miniblocks in a block, when the header's sizes allow whole bytes for each miniblock.
///
/// The specification asks for blocks of a multiple of 128 values and miniblocks of a multiple of 32. Multiples of 8 are
/// what decoding needs, and parquet-java writes and reads them.
fn check_sizes(block: u64, miniblocks: u64) -> Result<(usize, usize)> {
    let refuse = || Error::malformed(format!("delta blocks of {block} values in {miniblocks} miniblocks: each must hold a multiple of 8"));
    let miniblock = block.checked_div(miniblocks).ok_or_else(refuse)?;
    let whole = miniblock > 0 && miniblock.is_multiple_of(8) && miniblock.checked_mul(miniblocks) == Some(block);
    if !whole || block > i32::MAX as u64 {
        return Err(refuse());
    }
    Ok((usize::try_from(miniblock).map_err(|_| refuse())?, usize::try_from(miniblocks).map_err(|_| refuse())?))
}

/// Reads a varint (ULEB128) of at most 64 bits.
fn varint(page: &[u8], at: &mut usize) -> Result<u64> {
    let mut value = 0;
    for shift in (0..70u32).step_by(7) {
        let byte = *page.get(*at).ok_or_else(ended)?;
        *at = at.saturating_add(1);
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Error::malformed("a varint of more than 10 bytes in delta-encoded values"))
}

fn zigzag(value: u64) -> u64 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

#[cold]
fn ended() -> Error {
    Error::malformed("the delta-encoded values end too early")
}

#[inline(always)]
fn sum<W: Word>(differences: &[W]) -> W {
    differences.iter().fold(W::default(), |sum, difference| sum.add(*difference))
}

#[inline(always)]
fn progression<W: Word>(out: &mut [W], last: W, step: W) {
    let first = last.add(step);
    for (i, value) in out.iter_mut().enumerate() {
        *value = first.add(step.times(i));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::writer::{to_zigzag, write_varint};
    use super::*;
    use crate::encoding::bit_packed::pack;
    use proptest::prelude::*;

    /// A sequence with blocks of any size, and `unused` as the widths of miniblocks without values.
    pub(crate) fn encode(values: &[i64], narrow: bool, miniblock: usize, miniblocks: usize, unused: u8) -> Vec<u8> {
        let cut = |value: i64| if narrow { i64::from(value as i32) } else { value };
        let mut out = Vec::new();
        write_varint((miniblock * miniblocks) as u64, &mut out);
        write_varint(miniblocks as u64, &mut out);
        write_varint(values.len() as u64, &mut out);
        write_varint(to_zigzag(values.first().copied().unwrap_or(0)), &mut out);
        let differences: Vec<i64> = values.windows(2).map(|pair| cut(pair[1].wrapping_sub(pair[0]))).collect();
        for block in differences.chunks(miniblock * miniblocks) {
            let smallest = *block.iter().min().unwrap();
            write_varint(to_zigzag(smallest), &mut out);
            let mask = if narrow { u64::from(u32::MAX) } else { u64::MAX };
            let mut widths = vec![unused; miniblocks];
            let mut bodies = Vec::new();
            for (values, width) in block.chunks(miniblock).zip(&mut widths) {
                let mut values: Vec<u64> = values.iter().map(|value| value.wrapping_sub(smallest) as u64 & mask).collect();
                *width = values.iter().map(|value| 64 - value.leading_zeros()).max().unwrap() as u8;
                values.resize(miniblock, u64::MAX);
                pack(&values, usize::from(*width), &mut bodies);
            }
            out.extend(widths);
            out.extend(bodies);
        }
        out
    }

    pub(super) fn i64s(values: &Values) -> Vec<i64> {
        match values {
            Values::Words32(words) => words.iter().map(|word| i64::from(word.cast_signed())).collect(),
            Values::Words64(words) => words.iter().map(|word| word.cast_signed()).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn decoder(page: &[u8], narrow: bool) -> Result<(Box<dyn Decoder>, Values)> {
        Ok(match narrow {
            true => (Box::new(DeltaReader::<u32>::new(page, 0)?), Values::Words32(Vec::new())),
            false => (Box::new(DeltaReader::<u64>::new(page, 0)?), Values::Words64(Vec::new())),
        })
    }

    /// Values whose differences change their width from time to time.
    pub(crate) fn sequences() -> impl Strategy<Value = Vec<i64>> {
        let part = (any::<i64>(), 0..=64u32, any::<u64>(), prop_oneof![1..10usize, 10..400usize]);
        (any::<i64>(), prop::collection::vec(part, 0..6)).prop_map(|(first, parts)| {
            let mut value = first;
            let mut values = Vec::new();
            for (step, bits, mut state, n) in parts {
                for _ in 0..n {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    values.push(value);
                    let noise = if bits == 0 { 0 } else { (state ^ state >> 29) >> (64 - bits) };
                    value = value.wrapping_add(step >> bits.min(63)).wrapping_add(noise as i64);
                }
            }
            values
        })
    }

    proptest! {
        #[test]
        fn reads_any_block_size(
            values in sequences(), narrow in any::<bool>(), miniblock in 1..=20usize, miniblocks in 1..=6usize, unused in any::<u8>(),
            steps in prop::collection::vec((any::<bool>(), 0..500usize), 0..8), after in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let values: Vec<i64> = values.into_iter().map(|value| if narrow { i64::from(value as i32) } else { value }).collect();
            let mut page = encode(&values, narrow, miniblock * 8, miniblocks, unused);
            let length = page.len();
            page.extend(after);
            let end = if narrow { DeltaReader::<u32>::new(&page, 0).unwrap().end(&page) } else { DeltaReader::<u64>::new(&page, 0).unwrap().end(&page) };
            if values.len() > 1 {
                prop_assert_eq!(end.unwrap(), length);
            }

            let (mut whole, mut out) = decoder(&page, narrow).unwrap();
            whole.read(&page, values.len(), &mut out).unwrap();
            prop_assert_eq!(i64s(&out), values.clone());
            prop_assert!(whole.read(&page, 1, &mut out).is_err());
            prop_assert!(whole.skip(&page, 1).is_err());

            let (mut pieces, mut out) = decoder(&page, narrow).unwrap();
            let mut expected = Vec::new();
            let mut at = 0;
            for (read, n) in steps {
                let n = n.min(values.len() - at);
                if read {
                    pieces.read(&page, n, &mut out).unwrap();
                    expected.extend_from_slice(&values[at..at + n]);
                } else {
                    pieces.skip(&page, n).unwrap();
                }
                at += n;
            }
            prop_assert_eq!(i64s(&out), expected);
        }

        #[test]
        fn the_last_padding_may_be_missing(values in sequences(), cut in 0..40usize) {
            let page = encode(&values, false, 32, 4, 0);
            let (whole, out) = (page.len(), &mut Values::Words64(Vec::new()));
            let page = &page[..whole - cut.min(whole)];
            // What is read is right, and it is all there or an error.
            if let Ok(mut reader) = DeltaReader::<u64>::new(page, 0)
                && reader.read(page, values.len(), out).is_ok()
            {
                prop_assert_eq!(i64s(out), values);
            }
        }

        #[test]
        fn any_bytes_end(page in prop::collection::vec(prop_oneof![any::<u8>(), 0..4u8], 0..200), narrow in any::<bool>(), n in 0..5000usize, sane in any::<bool>()) {
            let header: &[u8] = if sane { &[0x80, 1, 4, 0x88, 0x27] } else { &[] };
            let page = [header, &page].concat();
            if let Ok((mut reading, mut out)) = decoder(&page, narrow) {
                let (mut skipping, _) = decoder(&page, narrow).unwrap();
                let read = reading.read(&page, n, &mut out);
                prop_assert_eq!(read.is_ok(), skipping.skip(&page, n).is_ok());
                if read.is_ok() {
                    prop_assert_eq!(out.len(), n);
                }
                let _ = DeltaReader::<u64>::new(&page, 0).unwrap().end(&page);
            }
        }
    }

    /// A header that claims 2^60 values in blocks of 2^30 whose one block has no bytes: nothing is reserved for it.
    #[test]
    fn claims_are_not_believed() {
        let mut page = Vec::new();
        for number in [1 << 30, 1, 1 << 60, 0, 2, 0] {
            write_varint(number, &mut page);
        }
        let mut reader = DeltaReader::<u64>::new(&page, 0).unwrap();
        let mut out = Values::Words64(Vec::new());
        assert_eq!(reader.read(&page, 5000, &mut out).unwrap(), 5000);
        assert_eq!(out.as_i64().unwrap()[4999], 4999);
        assert!(reader.end(&page).is_err());
        reader.skip(&page, 1 << 30).unwrap_err();
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for (block, miniblocks, fine) in
            [(128, 4, true), (128, 0, false), (0, 4, false), (128, 3, false), (64, 16, false), (64, 8, true), (1 << 40, 1 << 20, false)]
        {
            let mut page = Vec::new();
            [block, miniblocks, 1, 0].into_iter().for_each(|number| write_varint(number, &mut page));
            assert_eq!(DeltaReader::<u32>::new(&page, 0).is_ok(), fine, "{block} in {miniblocks}");
        }
        assert!(DeltaReader::<u32>::new(&[0xff; 20], 0).is_err());
        assert_eq!(DeltaReader::<u32>::new(&[], 0).unwrap().left(), 0);
    }

    /// Differences of INT32 values in 33 bits, as writers that subtract in 64 bits packed them.
    #[test]
    fn wide_differences_of_narrow_values() {
        let values: Vec<i64> = (0..300).map(|i| if i % 2 == 0 { i64::from(i32::MAX) } else { i64::from(i32::MIN) }).collect();
        let page = encode(&values, false, 32, 4, 0);
        let mut out = Values::Words32(Vec::new());
        DeltaReader::<u32>::new(&page, 0).unwrap().read(&page, 300, &mut out).unwrap();
        assert_eq!(i64s(&out), values);
    }
}
