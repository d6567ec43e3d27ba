//! RLE / bit-packing hybrid (`RLE`): runs of one repeated value and groups of eight bit-packed values.
//!
//! Each run begins with a varint. If its lowest bit is 0, the rest is how often the value that follows (in as many whole
//! bytes as the width needs) repeats; if it is 1, the rest is the number of groups of eight values that follow, packed
//! least significant bit first. Levels, dictionary indices and booleans are stored like this.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use crate::encoding::bit_packed::{pack, unpack32};
use crate::encoding::{Decoder, Encoder, too_few, wrong_container, wrong_values};
use crate::error::{Error, Result};
use crate::values::{Bits, Values, ValuesSlice};

/// Walks the runs of a hybrid; keeps positions only, so the same bytes are passed to each call.
#[derive(Clone, Debug)]
pub(crate) struct HybridReader {
    /// Where the next run begins.
    at: usize,
    width: usize,
    run: Run,
}

#[derive(Clone, Copy, Debug)]
enum Run {
    Repeated {
        value: u32,
        left: usize,
    },
    /// `bit` is where the next value begins.
    Packed {
        bit: usize,
        left: usize,
    },
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    /// One value so many times.
    Repeated { value: u32, count: usize },
    /// So many packed values from bit `start` of `bytes`, which go on beyond the run.
    Packed { bytes: &'a [u8], start: usize, count: usize },
}

impl Piece<'_> {
    pub(crate) fn count(&self) -> usize {
        match self {
            Piece::Repeated { count, .. } | Piece::Packed { count, .. } => *count,
        }
    }
}

impl HybridReader {
    /// A reader of values of `width` bits whose runs begin at byte `at`.
    pub(crate) fn new(at: usize, width: usize) -> Result<Self> {
        if width > 32 {
            return Err(Error::malformed(format!("RLE values of {width} bits: at most 32 are allowed")));
        }
        Ok(Self { at, width, run: Run::Repeated { value: 0, left: 0 } })
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The next at most `most` values, as a part of one run; `None` at the end of the bytes (or when `most` is 0).
    #[inline]
    pub(crate) fn next<'a>(&mut self, bytes: &'a [u8], most: usize) -> Result<Option<Piece<'a>>> {
        if most == 0 {
            return Ok(None);
        }
        loop {
            match &mut self.run {
                Run::Repeated { value, left } if *left > 0 => {
                    let count = most.min(*left);
                    *left -= count;
                    return Ok(Some(Piece::Repeated { value: *value, count }));
                }
                Run::Packed { bit, left } if *left > 0 => {
                    let count = most.min(*left);
                    let piece = Piece::Packed { bytes: bytes.get(*bit / 8..).unwrap_or_default(), start: *bit % 8, count };
                    *left -= count;
                    *bit += count * self.width;
                    return Ok(Some(piece));
                }
                _ => {}
            }
            if self.at >= bytes.len() {
                return Ok(None);
            }
            self.run = self.header(bytes)?;
        }
    }

    fn header(&mut self, bytes: &[u8]) -> Result<Run> {
        let header = self.varint(bytes)?;
        let count = usize::try_from(header >> 1).map_err(|_| Error::limit("an RLE run longer than memory"))?;
        if header & 1 == 0 {
            let length = self.width.div_ceil(8);
            let value = bytes.get(self.at..self.at + length).ok_or_else(ended)?;
            self.at += length;
            let mut wide = [0; 4];
            for (to, from) in wide.iter_mut().zip(value) {
                *to = *from;
            }
            let value = u32::from_le_bytes(wide);
            if u64::from(value) >> self.width != 0 {
                return Err(Error::malformed(format!("an RLE run repeats {value}, which takes more than its {} bits", self.width)));
            }
            return Ok(Run::Repeated { value, left: count });
        }
        // Writers pad the last run to whole groups and some cut the padding off: what is there counts.
        let found = bytes.len() - self.at;
        let length = count.saturating_mul(self.width).min(found);
        let bit = self.at * 8;
        self.at += length;
        let left = match self.width {
            0 => count.saturating_mul(8),
            width => count.saturating_mul(8).min(length * 8 / width),
        };
        Ok(Run::Packed { bit, left })
    }

    fn varint(&mut self, bytes: &[u8]) -> Result<u64> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = *bytes.get(self.at).ok_or_else(ended)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::malformed("the header of an RLE run is longer than 5 bytes"))
    }

    /// Passes over `n` values.
    pub(crate) fn skip(&mut self, bytes: &[u8], n: usize) -> Result<()> {
        let mut left = n;
        while left > 0 {
            let piece = self.next(bytes, left)?.ok_or_else(|| too_few(n, n - left))?;
            left -= piece.count();
        }
        Ok(())
    }

    /// Fills `out` with the next values and returns how many there were.
    pub(crate) fn fill(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<usize> {
        let mut done = 0;
        while let Some(rest) = out.get_mut(done..)
            && let Some(piece) = self.next(bytes, rest.len())?
        {
            done += piece.count();
            match piece {
                Piece::Repeated { value, count } => rest.iter_mut().take(count).for_each(|out| *out = value),
                Piece::Packed { bytes, start, count } => unpack32(bytes, start, self.width, rest.get_mut(..count).unwrap_or_default()),
            }
        }
        Ok(done)
    }

    /// Appends the next `n` values of one bit each.
    pub(crate) fn read_bits(&mut self, bytes: &[u8], n: usize, out: &mut Bits) -> Result<()> {
        let mut left = n;
        while left > 0 {
            let piece = self.next(bytes, left)?.ok_or_else(|| too_few(n, n - left))?;
            left -= piece.count();
            match piece {
                Piece::Repeated { value, count } => out.extend_run(value != 0, count),
                Piece::Packed { bytes, start, count } if self.width == 1 => out.extend_from_bytes(bytes, start, count),
                Piece::Packed { count, .. } => out.extend_run(false, count),
            }
        }
        Ok(())
    }
}

#[cold]
fn ended() -> Error {
    Error::malformed("the RLE runs end too early")
}

/// BOOLEAN values in the hybrid with one bit each, after their length in four bytes.
pub(crate) struct RleBooleans {
    runs: HybridReader,
}

impl RleBooleans {
    pub(crate) fn new(page: &[u8]) -> Result<Self> {
        let length = page.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        match length {
            None if page.is_empty() => {}
            Some(length) if u64::from(length) <= page.len() as u64 - 4 => {}
            _ => return Err(Error::malformed("the length in front of RLE booleans is larger than the page")),
        }
        Ok(Self { runs: HybridReader::new(4, 1)? })
    }
}

impl Decoder for RleBooleans {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let Values::Bits(bits) = out else { return Err(wrong_container()) };
        self.runs.read_bits(page, n, bits)?;
        Ok(n)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        self.runs.skip(page, n)
    }
}

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
    #[inline]
    pub(crate) fn push(&mut self, value: u32, out: &mut Vec<u8>) {
        self.push_run(value, 1, out);
    }

    /// Adds a value `n` times.
    #[inline]
    pub(crate) fn push_run(&mut self, value: u32, n: usize, out: &mut Vec<u8>) {
        if value != self.repeated {
            self.end_repetition(out);
            self.repeated = value;
        }
        self.count += n;
    }

    /// Adds values.
    pub(crate) fn extend(&mut self, values: &[u32], out: &mut Vec<u8>) {
        let (repeating, mut rest) = values.split_at(equal_to(values, self.repeated));
        self.count += repeating.len();
        while !rest.is_empty() {
            self.end_repetition(out);
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
        self.end_repetition(out);
        self.flush_packed(out);
    }

    /// How many equal values are shorter as a run of their own, which also means another header for those after it.
    fn least(&self) -> usize {
        8 * (1 + (2 + self.width.div_ceil(8)).checked_div(self.width).unwrap_or(0))
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

    /// Decides on the values that repeated: they fill up the group that was begun, or become a run.
    fn end_repetition(&mut self, out: &mut Vec<u8>) {
        let fill = self.to_whole_group().min(self.count);
        if self.count - fill < self.least() {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(values: &[u32], width: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = HybridWriter::new(width);
        values.iter().for_each(|value| writer.push(*value, &mut bytes));
        writer.finish(&mut bytes);
        bytes
    }

    /// Values with runs in them.
    fn runs(width: u32) -> impl Strategy<Value = Vec<u32>> {
        let most = if width == 0 { 0 } else { u32::MAX >> (32 - width) };
        prop::collection::vec((0..=most, prop_oneof![Just(1usize), 2..30usize, 100..900usize]), 0..40)
            .prop_map(|runs| runs.into_iter().flat_map(|(value, n)| std::iter::repeat_n(value, n)).collect())
    }

    proptest! {
        #[test]
        fn reads_what_it_writes((width, values) in (0..=32u32).prop_flat_map(|width| (Just(width as usize), runs(width))), cut in 0..500usize) {
            let bytes = encode(&values, width);
            let mut out = vec![0; values.len()];
            let mut reader = HybridReader::new(0, width).unwrap();
            let cut = cut.min(out.len());
            prop_assert_eq!(reader.fill(&bytes, &mut out[..cut]).unwrap(), cut);
            let mut skipping = reader.clone();
            prop_assert_eq!(reader.fill(&bytes, &mut out[cut..]).unwrap(), values.len() - cut);
            prop_assert_eq!(&out, &values);
            skipping.skip(&bytes, values.len() - cut).unwrap();
        }

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

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..60), width in 0..=32usize) {
            let mut out = vec![0; 1000];
            let filled = HybridReader::new(0, width).unwrap().fill(&bytes, &mut out);
            let skipped = HybridReader::new(0, width).unwrap().skip(&bytes, 1000);
            prop_assert_eq!(matches!(filled, Ok(1000)), skipped.is_ok());
        }

        #[test]
        fn bits_agree_with_values(values in runs(1), cut in 0..500usize) {
            let bytes = encode(&values, 1);
            let mut bits = Bits::new();
            let mut reader = HybridReader::new(0, 1).unwrap();
            let cut = cut.min(values.len());
            reader.read_bits(&bytes, cut, &mut bits).unwrap();
            reader.read_bits(&bytes, values.len() - cut, &mut bits).unwrap();
            prop_assert!(bits.iter().eq(values.iter().map(|value| *value == 1)));
        }
    }

    #[test]
    fn long_runs_are_short() {
        assert_eq!(encode(&[5; 1000], 3), [0xd0, 0x0f, 5]);
    }

    #[test]
    fn runs_of_length_zero_end() {
        let mut reader = HybridReader::new(0, 0).unwrap();
        assert_eq!(reader.next(&[0; 100], 5).unwrap(), None);
        assert!(reader.next(&[1; 100], 5).unwrap().is_none());
    }

    #[test]
    fn values_beyond_the_width_are_refused() {
        assert!(HybridReader::new(0, 3).unwrap().next(&[4, 8], 2).is_err());
    }
}
