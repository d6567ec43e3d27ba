//! Reading without I/O: bytes are pushed in.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::metadata::FileMetadata;
use crate::metadata::footer::Tail;
use crate::read::Source;
use crate::read::spans::Spans;

/// Reads a footer from bytes that the caller gets however it likes.
///
/// ```
/// use herringbone::Limits;
/// use herringbone::read::{FooterStep, PushFooter};
///
/// # fn main() -> herringbone::Result<()> {
/// let file = std::fs::read("testdata/codecs.none-v1.parquet")?;
/// let mut footer = PushFooter::new(file.len() as u64, 4096, Limits::default());
/// let metadata = loop {
///     match footer.next()? {
///         FooterStep::Need(range) => {
///             let bytes = file[range.start as usize..range.end as usize].to_vec();
///             footer.push(range.start, bytes);
///         }
///         FooterStep::Done(metadata) => break metadata,
///     }
/// };
/// assert_eq!(metadata.num_rows(), 150);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PushFooter {
    pushed: Pushed,
    /// How much of the end is asked for first.
    first: u64,
    limits: Limits,
}

/// What a [`PushFooter`] does next.
#[derive(Clone, Debug)]
pub enum FooterStep {
    /// These bytes of the file are needed first.
    Need(Range<u64>),
    /// The metadata.
    Done(FileMetadata),
}

impl PushFooter {
    /// Begins with a file of `size` bytes; `first` is how much of its end is asked for at first, at least 8 bytes. If the
    /// footer is in them, nothing else is asked for.
    pub fn new(size: u64, first: u64, limits: Limits) -> Self {
        Self { pushed: Pushed::new(size), first: first.max(8), limits }
    }

    /// Takes bytes of the file, from the offset `start` on. They may be more or fewer than those that were asked for.
    pub fn push(&mut self, start: u64, bytes: impl Into<Bytes>) {
        self.pushed.push(start, bytes.into());
    }

    /// Says which bytes are needed, or gives the metadata.
    ///
    /// # Errors
    /// As [`read::metadata()`](crate::read::metadata()) says.
    #[allow(clippy::should_implement_trait, reason = "it does not end by itself as an iterator does")]
    pub fn next(&mut self) -> Result<FooterStep> {
        let size = self.pushed.size;
        let last = size.saturating_sub(self.first)..size;
        if let Some(range) = self.missing(&last) {
            return Ok(FooterStep::Need(range));
        }
        let bytes = self.pushed.read(last)?;
        let tail = Tail::parse(&bytes, size, &self.limits)?;
        if let Some(range) = self.missing(&tail.footer()) {
            return Ok(FooterStep::Need(range));
        }
        FileMetadata::parse(self.pushed.read(tail.footer())?, size, &self.limits).map(FooterStep::Done)
    }

    fn missing(&self, range: &Range<u64>) -> Option<Range<u64>> {
        let missing = self.pushed.missing(vec![range.clone()]);
        Some(missing.first()?.start..missing.last()?.end)
    }
}

/// Pieces of fewer bytes are put together where they are read.
const SMALL: usize = 4 << 10;

/// The parts of a file that were pushed.
pub(crate) struct Pushed {
    size: u64,
    pieces: Mutex<Pieces>,
}

#[derive(Default)]
struct Pieces {
    /// They do not overlap: of two that did, the later one is whole.
    pieces: Spans<Piece>,
    /// What they cover together, so that what is missing is found without looking at each.
    here: Spans<()>,
    /// Those that came since [`Pushed::take_new`] asked last.
    new: Vec<Range<u64>>,
}

/// Bytes of the file, from an offset on.
#[derive(Clone)]
struct Piece {
    start: u64,
    bytes: Bytes,
}

impl Piece {
    fn slice(&self, range: Range<u64>) -> Bytes {
        let at = |offset: u64| usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes.slice(at(range.start)..at(range.end))
    }
}

impl Pieces {
    fn push(&mut self, range: Range<u64>, bytes: Bytes) {
        self.here.cover(range.clone());
        self.pieces.set(range.clone(), Piece { start: range.start, bytes });
        let cut = [self.pieces.before(range.start), self.pieces.starting(range.end)];
        let cut: Vec<Range<u64>> =
            cut.into_iter().flatten().filter_map(|(left, piece)| is_mostly_gone(&left, piece).then_some(left)).collect();
        cut.into_iter().for_each(|left| self.copy_out(left));
    }

    /// Gives the rest of a piece memory of its own, so that it does not hold that of the whole.
    fn copy_out(&mut self, left: Range<u64>) {
        if let Some((left, piece)) = self.pieces.remove(left.start) {
            let bytes = Bytes::copy_from_slice(&piece.slice(left.clone()));
            self.pieces.set(left.clone(), Piece { start: left.start, bytes });
        }
    }

    /// Forgets the pieces that lie inside a range.
    fn forget(&mut self, range: &Range<u64>) {
        let inside = |(piece, _): &(Range<u64>, &Piece)| range.start <= piece.start && piece.end <= range.end;
        let gone: Vec<Range<u64>> = self.pieces.overlapping(range).filter(inside).map(|(piece, _)| piece).collect();
        for piece in gone {
            self.pieces.remove(piece.start);
            self.here.clear(piece);
        }
    }

    /// Bytes that are all here. Those of many small pieces become one piece, so that they are joined once; larger ones are kept as they came, since
    /// the next bytes that are forgotten may be a part of what is read here.
    fn read(&mut self, range: Range<u64>) -> Bytes {
        let part = |(here, piece): (Range<u64>, &Piece)| piece.slice(here.start.max(range.start)..here.end.min(range.end));
        let mut parts: Vec<Bytes> = self.pieces.overlapping(&range).map(part).collect();
        if parts.len() < 2 {
            return parts.pop().unwrap_or_default();
        }
        let joined = Bytes::from(parts.concat());
        if (joined.len() / SMALL) < parts.len() {
            self.push(range, joined.clone());
        }
        joined
    }
}

/// Whether less than half of a piece is left.
fn is_mostly_gone(left: &Range<u64>, piece: &Piece) -> bool {
    left.end.saturating_sub(left.start) < piece.bytes.len() as u64 / 2
}

impl fmt::Debug for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushed").field("size", &self.size).field("bytes", &self.bytes()).finish()
    }
}

impl Pushed {
    pub(crate) fn new(size: u64) -> Self {
        Self { size, pieces: Mutex::default() }
    }

    /// Every state of the pieces is as good as another: at worst some that are here are asked for again.
    fn lock(&self) -> MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes bytes from the offset `start` on; what lies beyond the end of the file is cut off.
    pub(crate) fn push(&self, start: u64, mut bytes: Bytes) {
        let room = usize::try_from(self.size.saturating_sub(start)).unwrap_or(usize::MAX);
        bytes.truncate(room);
        let range = start..start.saturating_add(bytes.len() as u64);
        let mut pieces = self.lock();
        let is_here = pieces.pieces.overlapping(&range).next().is_some_and(|(here, _)| here.start <= start && range.end <= here.end);
        if !bytes.is_empty() && !is_here {
            pieces.new.push(range.clone());
            pieces.push(range, bytes);
        }
    }

    /// The parts of some ranges that are not here.
    pub(crate) fn missing(&self, ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
        self.lock().here.missing(ranges)
    }

    /// Forgets what no range of `kept` needs.
    #[cfg_attr(not(feature = "async"), allow(dead_code))]
    pub(crate) fn keep(&self, kept: &[Range<u64>]) {
        let mut pieces = self.lock();
        pieces.new.clear();
        for gap in Spans::of(kept.iter().cloned()).missing(std::iter::once(0..self.size)) {
            pieces.forget(&gap);
        }
    }

    /// Forgets the pieces that lie inside a range.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    pub(crate) fn forget(&self, range: &Range<u64>) {
        self.lock().forget(range);
    }

    /// Where pieces came since the last call.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    pub(crate) fn take_new(&self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.lock().new)
    }

    /// The number of bytes that are here.
    pub(crate) fn bytes(&self) -> u64 {
        self.lock().here.bytes()
    }
}

impl Source for Pushed {
    fn size(&self) -> Result<u64> {
        Ok(self.size)
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.size {
            return Err(Error::malformed(format!("the bytes {}..{} are wanted of a file of {}", range.start, range.end, self.size)));
        }
        let mut pieces = self.lock();
        let missing = pieces.here.missing([range.clone()]);
        if missing.is_empty() { Ok(pieces.read(range)) } else { Err(Missing::error(missing)) }
    }

    fn window(&self) -> u64 {
        u64::MAX
    }
}

/// Bytes that were not pushed yet.
#[derive(Debug)]
pub(crate) struct Missing(Vec<Range<u64>>);

impl Missing {
    #[cold]
    pub(crate) fn error(ranges: Vec<Range<u64>>) -> Error {
        let missing = Self(ranges);
        Error::from(std::io::Error::new(std::io::ErrorKind::WouldBlock, missing.to_string())).with_source(missing)
    }

    /// The ranges, if that is what an error is about.
    pub(crate) fn of(error: &Error) -> Option<&[Range<u64>]> {
        error.source()?.downcast_ref::<Self>().map(|missing| missing.0.as_slice())
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.0.get(..self.0.len().min(10)).unwrap_or_default();
        write!(f, "bytes of the file were not pushed yet: {} ranges, {first:?} first", self.0.len())
    }
}

impl StdError for Missing {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_are_read_back_or_missed(
            pushes in prop::collection::vec((0..120_u64, 0..40_usize), 0..8),
            wanted in (0..100_u64, 0..40_u64),
        ) {
            let content: Vec<u8> = (0..100).collect();
            let pushed = Pushed::new(100);
            let mut here = [false; 100];
            for (start, length) in pushes {
                let bytes: Vec<u8> = (start..start + length as u64).map(|byte| byte as u8).collect();
                here.iter_mut().skip(start as usize).take(length).for_each(|here| *here = true);
                pushed.push(start, bytes.into());
            }
            let range = wanted.0..(wanted.0 + wanted.1).min(100);
            let inside = range.start as usize..range.end as usize;
            match pushed.read(range) {
                Ok(bytes) => prop_assert_eq!(&bytes[..], &content[inside]),
                Err(error) => {
                    let missing: Vec<u64> = Missing::of(&error).unwrap().iter().cloned().flatten().collect();
                    let expected: Vec<u64> = inside.filter(|byte| !here[*byte]).map(|byte| byte as u64).collect();
                    prop_assert!(!missing.is_empty());
                    prop_assert_eq!(missing, expected);
                }
            }
        }
    }

    #[test]
    fn what_is_not_kept_is_forgotten() {
        let pushed = Pushed::new(100);
        pushed.push(0, vec![0; 10].into());
        pushed.push(50, vec![0; 10].into());
        pushed.keep(&[55..56, 90..95]);
        assert_eq!(pushed.bytes(), 10);
        assert!(pushed.read(50..60).is_ok());
        assert!(pushed.read(0..1).is_err());
        assert_eq!(pushed.read(95..101).unwrap_err().kind(), crate::ErrorKind::Malformed);
    }

    #[test]
    fn a_footer_needs_one_range_or_two() {
        let file = Bytes::from(std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/codecs.none-v1.parquet")).unwrap());
        for (first, expected) in [(0, 2), (8, 2), (100_000, 1)] {
            let mut footer = PushFooter::new(file.len() as u64, first, Limits::default());
            let mut needed = 0;
            while let FooterStep::Need(range) = footer.next().unwrap() {
                needed += 1;
                footer.push(range.start, file.slice(range.start as usize..range.end as usize));
            }
            assert_eq!(needed, expected);
        }
    }
}
