//! RLE / bit-packing hybrid (`RLE`): runs of one repeated value and groups of eight bit-packed values.
//!
//! Each run begins with a varint. If its lowest bit is 0, the rest is how often the value that follows (in as many whole
//! bytes as the width needs) repeats; if it is 1, the rest is the number of groups of eight values that follow, packed
//! least significant bit first. Levels, dictionary indices and booleans are stored like this.

mod short;
mod writer;

pub(crate) use writer::{HybridWriter, RleBooleansEncoder, write_bits};

use crate::encoding::{Decoder, too_few, wrong_container};
use crate::error::{Error, Result};
use crate::values::{Bits, Values};

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

/// The bits of so many bytes are counted on any machine.
const MOST_COUNTED: usize = 256 << 20;

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
    ///
    /// Not a call: what it returned would go through memory, where reading a run's value waits until it was written (10 ns a run).
    #[inline(always)]
    pub(crate) fn next<'a>(&mut self, bytes: &'a [u8], most: usize) -> Result<Option<Piece<'a>>> {
        if most == 0 {
            return Ok(None);
        }
        loop {
            match &mut self.run {
                Run::Repeated { value, left } if *left > 0 => {
                    let count = most.min(*left);
                    *left = left.wrapping_sub(count);
                    return Ok(Some(Piece::Repeated { value: *value, count }));
                }
                Run::Packed { bit, left } if *left > 0 => {
                    let count = most.min(*left);
                    let piece = Piece::Packed { bytes: bytes.get(*bit / 8..).unwrap_or_default(), start: *bit % 8, count };
                    *left = left.wrapping_sub(count);
                    // No further than the end of the run, whose bits were counted when its header was read.
                    *bit = bit.wrapping_add(count.wrapping_mul(self.width));
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

    /// Parses the header of the next run, and the value of a repeated one. Nearly all are in the next eight bytes, which are
    /// loaded at once; headers of up to two bytes count no more than 8,191 groups.
    #[inline(always)]
    fn header(&mut self, bytes: &[u8]) -> Result<Run> {
        if let Some(next) = bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let next = u64::from_le_bytes(*next);
            let (header, after, length) = match (next & 0x80, next & 0x8000) {
                (0, _) => (next & 0x7f, next >> 8, 1_usize),
                (_, 0) => (next & 0x7f | next >> 1 & 0x3f80, next >> 16, 2),
                _ => return self.any_header(bytes),
            };
            if header & 1 == 1 && self.width > 0 {
                let start = self.at.saturating_add(length);
                let groups = (header >> 1) as usize;
                let end = start.saturating_add(groups.saturating_mul(self.width));
                // As many bytes as a page may not have are left to the general way.
                if end <= bytes.len().min(MOST_COUNTED) {
                    self.at = end;
                    return Ok(Run::Packed { bit: start.saturating_mul(8), left: groups.saturating_mul(8) });
                }
            }
            let bytes_of_value = self.width.div_ceil(8);
            let value = after & (u64::MAX >> 64_usize.saturating_sub(bytes_of_value.max(1).saturating_mul(8)));
            if header & 1 == 0 && self.width > 0 && value >> self.width == 0 {
                self.at = self.at.saturating_add(length).saturating_add(bytes_of_value);
                return Ok(Run::Repeated { value: value as u32, left: (header >> 1) as usize });
            }
        }
        self.any_header(bytes)
    }

    /// The same for headers of any length.
    #[inline(never)]
    fn any_header(&mut self, bytes: &[u8]) -> Result<Run> {
        let header = self.varint(bytes)?;
        let count = usize::try_from(header >> 1).map_err(|_| Error::limit("an RLE run longer than memory"))?;
        if header & 1 == 0 {
            let length = self.width.div_ceil(8);
            let value = bytes.get(self.at..self.at.saturating_add(length)).ok_or_else(ended)?;
            self.at = self.at.saturating_add(length);
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
        let found = bytes.len().saturating_sub(self.at);
        let length = count.saturating_mul(self.width).min(found);
        let end = self.at.saturating_add(length);
        // Where words have 32 bits, the bits of a page of 512 MiB are more than they count.
        let (Some(bit), Some(_)) = (self.at.checked_mul(8), end.checked_mul(8)) else {
            return Err(Error::limit("RLE runs in a page of 512 MiB or more, whose bits this machine's words do not count"));
        };
        self.at = end;
        let left = match self.width {
            0 => count.saturating_mul(8),
            width => count.saturating_mul(8).min(length.saturating_mul(8).checked_div(width).unwrap_or(0)),
        };
        Ok(Run::Packed { bit, left })
    }

    fn varint(&mut self, bytes: &[u8]) -> Result<u64> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = *bytes.get(self.at).ok_or_else(ended)?;
            self.at = self.at.saturating_add(1);
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
            let piece = self.next(bytes, left)?.ok_or_else(|| too_few(n, n.saturating_sub(left)))?;
            left = left.saturating_sub(piece.count());
        }
        Ok(())
    }

    /// Fills `out` with the next values and returns how many there were.
    #[cfg(test)]
    pub(crate) fn fill(&mut self, bytes: &[u8], out: &mut [u32]) -> Result<usize> {
        let mut done = 0;
        while let Some(rest) = out.get_mut(done..)
            && let Some(piece) = self.next(bytes, rest.len())?
        {
            done += piece.count();
            match piece {
                Piece::Repeated { value, count } => rest.iter_mut().take(count).for_each(|out| *out = value),
                Piece::Packed { bytes, start, count } => {
                    crate::encoding::unpack32(bytes, start, self.width, rest.get_mut(..count).unwrap_or_default());
                }
            }
        }
        Ok(done)
    }

    /// Appends the next `n` values of one bit each.
    pub(crate) fn read_bits(&mut self, bytes: &[u8], n: usize, out: &mut Bits) -> Result<()> {
        let mut left = n;
        while left > 0 {
            left = left.saturating_sub(self.read_short_runs(bytes, left, out));
            let Some(piece) = self.next(bytes, left)? else {
                if left == 0 {
                    break;
                }
                return Err(too_few(n, n.saturating_sub(left)));
            };
            left = left.saturating_sub(piece.count());
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
            Some(length) if u64::from(length) <= (page.len() as u64).saturating_sub(4) => {}
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

#[cfg(test)]
mod tests {
    use super::writer::tests::{encode, runs};
    use super::*;
    use proptest::prelude::*;

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
