//! Decoding levels.

use crate::encoding::{HybridReader, Piece, unpack32};
use crate::error::{Error, Result};
use crate::values::Bits;

/// How levels are stored (`Encodings.md`, *RLE* and *BIT_PACKED*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelEncoding {
    /// The RLE hybrid (without the length that precedes it in pages of the first version).
    Rle,
    /// Deprecated: packed with the most significant bit first.
    BitPacked,
}

/// Reads the levels of one page in order; keeps positions only, so the same bytes are passed to each call.
#[derive(Clone, Debug)]
pub struct LevelReader {
    max: u8,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// All levels are 0 and nothing is stored.
    None,
    Rle(HybridReader),
    BitPacked {
        bit: usize,
        width: usize,
    },
}

/// How many levels are unpacked at a time.
const BLOCK: usize = 1024;
/// And passed over.
const SKIPPED_AT_ONCE: usize = 1 << 16;

impl LevelReader {
    /// A reader of levels of at most `max`; of nothing but zeros when that is 0.
    ///
    /// # Errors
    /// None that a level of a byte can cause; levels are checked as they are read.
    pub fn new(encoding: LevelEncoding, max: u8) -> Result<Self> {
        let width = u8::BITS.saturating_sub(max.leading_zeros()) as usize;
        let state = match encoding {
            _ if max == 0 => State::None,
            LevelEncoding::Rle => State::Rle(HybridReader::new(0, width)?),
            LevelEncoding::BitPacked => State::BitPacked { bit: 0, width },
        };
        Ok(Self { max, state })
    }

    /// Appends the next `n` levels; `bytes` are the levels of the page, the same at each call. A few bytes may be any number of levels:
    /// bound `n` by the memory that there is.
    ///
    /// # Errors
    /// `Malformed` when there are fewer or one is larger than the maximum.
    pub fn read(&mut self, bytes: &[u8], n: usize, out: &mut Vec<u8>) -> Result<()> {
        let Self { max, state } = self;
        match state {
            State::None => out.resize(out.len().saturating_add(n), 0),
            State::Rle(runs) => read_runs(runs, bytes, n, *max, out)?,
            State::BitPacked { bit, width } => {
                out.reserve(n.min(bytes.len().saturating_mul(8)));
                for done in 0..n {
                    let level = most_significant_first(bytes, *bit, *width).ok_or_else(|| too_few(n, done))?;
                    *bit = bit.saturating_add(*width);
                    check(u32::from(level), *max)?;
                    out.push(level);
                }
            }
        }
        Ok(())
    }

    /// Appends the next `n` levels as bits: whether each has the maximum. For a maximum of 1 no byte is made of a level.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_validity(&mut self, bytes: &[u8], n: usize, out: &mut Bits) -> Result<()> {
        match &mut self.state {
            State::None => out.extend_run(true, n),
            State::Rle(runs) if self.max == 1 => runs.read_bits(bytes, n, out).map_err(|_| too_few_of(n))?,
            _ => {
                let mut levels = Vec::new();
                self.read(bytes, n, &mut levels)?;
                super::nested::push_at_least(&levels, self.max, out);
            }
        }
        Ok(())
    }

    /// Passes over `n` levels if all of them have the maximum and are one run; else none is passed over.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    #[cfg(feature = "arrow")]
    pub(crate) fn skip_full(&mut self, bytes: &[u8], n: usize) -> Result<bool> {
        match &mut self.state {
            State::None => Ok(true),
            State::Rle(runs) => {
                let mut after = runs.clone();
                let full =
                    matches!(after.next(bytes, n)?, Some(Piece::Repeated { value, count }) if count == n && value == u32::from(self.max));
                if full {
                    *runs = after;
                }
                Ok(full)
            }
            State::BitPacked { .. } => Ok(false),
        }
    }

    /// Passes over `n` levels and returns how many of them had the maximum.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn skip(&mut self, bytes: &[u8], n: usize) -> Result<usize> {
        if let State::None = self.state {
            return Ok(n);
        }
        // A page may claim any number of them.
        let (mut bits, mut left, mut full) = (Bits::new(), n, 0_usize);
        while left > 0 {
            let block = left.min(SKIPPED_AT_ONCE);
            bits.clear();
            self.read_validity(bytes, block, &mut bits)?;
            full = full.saturating_add(bits.count_ones());
            left = left.saturating_sub(block);
        }
        Ok(full)
    }
}

fn read_runs(runs: &mut HybridReader, bytes: &[u8], n: usize, max: u8, out: &mut Vec<u8>) -> Result<()> {
    let mut block = [0; BLOCK];
    let mut left = n;
    while left > 0 {
        left = left.saturating_sub(runs.read_short_levels(bytes, left, max, out)?);
        if left == 0 {
            break;
        }
        let piece = runs.next(bytes, left)?.ok_or_else(|| too_few(n, n.saturating_sub(left)))?;
        left = left.saturating_sub(piece.count());
        match piece {
            Piece::Repeated { value, count } => out.resize(out.len().saturating_add(count), check(value, max)?),
            Piece::Packed { bytes, start, count } => {
                for first in (0..count).step_by(BLOCK) {
                    let block = block.get_mut(..BLOCK.min(count.saturating_sub(first))).unwrap_or_default();
                    unpack32(bytes, start.saturating_add(first.saturating_mul(runs.width())), runs.width(), block);
                    check(block.iter().copied().fold(0, u32::max), max)?;
                    out.extend(block.iter().map(|level| *level as u8));
                }
            }
        }
    }
    Ok(())
}

/// The level of `width` bits that begins at `bit`, counted from the most significant bit of each byte.
fn most_significant_first(bytes: &[u8], bit: usize, width: usize) -> Option<u8> {
    let first = u16::from(*bytes.get(bit / 8)?);
    let second = match (bit % 8).saturating_add(width) > 8 {
        true => u16::from(*bytes.get((bit / 8).saturating_add(1))?),
        false => 0,
    };
    let level = (first << 8 | second) << (bit % 8) >> 16_usize.saturating_sub(width);
    Some(level as u8)
}

#[inline]
fn check(level: u32, max: u8) -> Result<u8> {
    match u8::try_from(level) {
        Ok(level) if level <= max => Ok(level),
        _ => Err(Error::malformed(format!("a level of {level} where at most {max} is possible"))),
    }
}

#[cold]
fn too_few(wanted: usize, found: usize) -> Error {
    Error::malformed(format!("the page has {found} levels where {wanted} more were expected"))
}

#[cold]
fn too_few_of(wanted: usize) -> Error {
    Error::malformed(format!("the page has fewer than the {wanted} definition levels that were expected"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::HybridWriter;
    use proptest::prelude::*;

    fn pack_most_significant_first(levels: &[u8], width: usize) -> Vec<u8> {
        let mut bytes = vec![0; (levels.len() * width).div_ceil(8)];
        let bits = levels.iter().flat_map(|level| (0..width).rev().map(move |bit| level >> bit & 1));
        bits.enumerate().for_each(|(at, bit)| bytes[at / 8] |= bit << (7 - at % 8));
        bytes
    }

    proptest! {
        #[test]
        fn reads_both_encodings((max, levels) in (0..=100u8).prop_flat_map(|max| (Just(max), prop::collection::vec((0..=max, 1..40usize), 0..30))), cut in 0..400usize) {
            let levels: Vec<u8> = levels.into_iter().flat_map(|(level, n)| std::iter::repeat_n(level, n)).collect();
            let width = (u8::BITS - max.leading_zeros()) as usize;
            let mut rle = Vec::new();
            let mut writer = HybridWriter::new(width);
            levels.iter().for_each(|level| writer.push(u32::from(*level), &mut rle));
            writer.finish(&mut rle);
            let cut = cut.min(levels.len());
            for (encoding, bytes) in [(LevelEncoding::Rle, rle), (LevelEncoding::BitPacked, pack_most_significant_first(&levels, width))] {
                let mut reader = LevelReader::new(encoding, max).unwrap();
                let mut out = Vec::new();
                reader.read(&bytes, cut, &mut out).unwrap();
                let mut validity = Bits::new();
                reader.clone().read_validity(&bytes, levels.len() - cut, &mut validity).unwrap();
                prop_assert!(validity.iter().eq(levels[cut..].iter().map(|level| *level == max)));
                prop_assert_eq!(reader.clone().skip(&bytes, levels.len() - cut).unwrap(), validity.count_ones());
                reader.read(&bytes, levels.len() - cut, &mut out).unwrap();
                prop_assert_eq!(&out, &levels);
            }
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..50), max in 0..=100u8, n in 0..500usize) {
            for encoding in [LevelEncoding::Rle, LevelEncoding::BitPacked] {
                let mut out = Vec::new();
                if LevelReader::new(encoding, max).unwrap().read(&bytes, n, &mut out).is_ok() {
                    prop_assert!(out.len() == n && out.iter().all(|level| *level <= max));
                }
            }
        }
    }
}
