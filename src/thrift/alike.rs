//! Stepping over structs that look like others before them, all their bytes at once.
//!
//! What decides where a struct ends are its field headers, the lengths of its lists and strings, and how many bytes each
//! number has. A struct that agrees with another in all of these ends as many bytes after its start, which a comparison
//! under a mask finds out sooner than walking does: the chunks of a column differ from one row group to the next in the values
//! of numbers, hardly ever in more. Opening a file of 80,000 chunks and reading one column takes a quarter to a half less so.

use crate::error::Result;
use crate::thrift::decode::Reader;
use crate::thrift::skip::Marks;

/// Masks are compared in pieces of this many bytes.
const PIECE: usize = 32;

/// Longer structs are always walked. A chunk has 100 to 300 bytes, most of them its name and its statistics.
const LONGEST: usize = 1024;

/// The structs of a list that comes again and again, by their places in it.
#[derive(Debug, Default)]
pub(crate) struct Alike {
    seen: Vec<Seen>,
    /// For each byte of a struct the bits that decide, up to a whole piece.
    masks: Vec<u8>,
    /// Memory that the reader's budget was charged for.
    charged: usize,
    /// How many of the list looked like those that were seen.
    hits: usize,
    learns: bool,
    /// How many lists were learnt: where they never look alike, it is given up.
    lessons: u32,
}

const MOST_LESSONS: u32 = 2;

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: usize,
    /// Nothing for a struct that was too long to be learnt.
    length: usize,
    mask: usize,
}

impl Alike {
    /// How many of the list looked like those that were seen.
    #[cfg(test)]
    pub(super) fn hits(&self) -> usize {
        self.hits
    }

    /// The end of a struct, should it look like the one that was seen in its place.
    #[inline(always)]
    fn end(&self, bytes: &[u8], at: usize, index: usize) -> Option<usize> {
        let seen = self.seen.get(index).filter(|seen| seen.length > 0)?;
        let pieces = seen.length.div_ceil(PIECE);
        let mask = self.masks.get(seen.mask..)?.as_chunks::<PIECE>().0.get(..pieces)?;
        let before = bytes.get(seen.at..)?.as_chunks::<PIECE>().0.get(..pieces)?;
        let now = bytes.get(at..)?.as_chunks::<PIECE>().0.get(..pieces)?;
        let differs = mask.iter().zip(before).zip(now).fold([0; PIECE], |mut differs, ((mask, before), now)| {
            for (((differs, mask), before), now) in differs.iter_mut().zip(mask).zip(before).zip(now) {
                *differs |= (before ^ now) & mask;
            }
            differs
        });
        (differs == [0; PIECE]).then(|| at.wrapping_add(seen.length))
    }
}

impl Reader<'_> {
    /// Begins another list of `count` structs. With `may_learn`, it is learnt if those that were seen are not like the list before.
    pub(crate) fn begin_alike(&mut self, alike: &mut Alike, count: usize, may_learn: bool) {
        let looked_alike = alike.hits.saturating_mul(2) >= count;
        if !looked_alike {
            self.forget(alike);
        }
        alike.learns = !looked_alike && may_learn && alike.lessons < MOST_LESSONS;
        alike.lessons = alike.lessons.saturating_add(u32::from(alike.learns));
        // What is learnt is to be compared at least once.
        alike.hits = if alike.learns { count } else { 0 };
    }

    /// Gives the memory of what was learnt back, to the budget as well.
    pub(crate) fn forget(&mut self, alike: &mut Alike) {
        self.refund(std::mem::take(&mut alike.charged));
        alike.seen = Vec::new();
        alike.masks = Vec::new();
    }

    /// Skips the struct that is number `index` of its list.
    ///
    /// # Errors
    /// As [`skip_struct`](Reader::skip_struct).
    #[inline(always)]
    pub(crate) fn skip_alike(&mut self, alike: &mut Alike, index: usize) -> Result<()> {
        if alike.learns {
            return self.learn(alike);
        }
        match alike.end(self.bytes(), self.position(), index) {
            Some(end) => {
                alike.hits = alike.hits.wrapping_add(1);
                self.move_to(end);
                Ok(())
            }
            None => self.skip_struct(),
        }
    }

    fn learn(&mut self, alike: &mut Alike) -> Result<()> {
        let at = self.position();
        let mut shape = Shape { at, mask: [0; LONGEST] };
        self.skip_marking(&mut shape)?;
        let length = Some(self.position().wrapping_sub(at)).filter(|length| *length <= LONGEST).unwrap_or(0);
        let kept = length.next_multiple_of(PIECE);
        let memory = kept.saturating_add(size_of::<Seen>());
        // Without memory for it, the rest is walked over.
        if self.charge(memory).is_err() {
            alike.learns = false;
            return Ok(());
        }
        alike.charged = alike.charged.saturating_add(memory);
        // Giving one mask to neighbours that have the same gained nothing: comparing waits for the footer's bytes.
        alike.seen.push(Seen { at, length, mask: alike.masks.len() });
        alike.masks.extend_from_slice(shape.mask.get(..kept).unwrap_or_default());
        Ok(())
    }
}

/// The mask of the struct that begins at `at`.
struct Shape {
    at: usize,
    mask: [u8; LONGEST],
}

impl Marks for Shape {
    #[inline(always)]
    fn mark(&mut self, at: usize, bits: u8) {
        if let Some(place) = self.mask.get_mut(at.wrapping_sub(self.at)) {
            *place = bits;
        }
    }
}
