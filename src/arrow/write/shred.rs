//! Arrays → levels: what [`levels::nested`](crate::levels::nested) does for reading, backwards.
//!
//! The way from a column's array down to a leaf is a sequence of nodes, of which each is optional or not, and a list or not.
//! A [`Shredder`] goes down that way with whole-column passes: it keeps the levels of all entries so far and, for those
//! entries that have a slot in the current array (their definition level is the current one), which slots these are. An
//! optional node raises the level of the entries whose slot is valid; a list replaces an entry by one for each element.
//!
//! Levels are not written down before they differ: a column outside of lists whose slots are all valid never has any, and
//! one with a single array of validity bits on its way keeps those bits.

use std::ops::Range;

use arrow_buffer::NullBuffer;

use crate::arrow::write::runs::Runs;
use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::Bits;
use crate::write::LevelsSlice;

/// Levels on the way down, and the slots that are still there.
#[derive(Debug)]
pub(crate) struct Shredder {
    /// The slots of the entries whose definition level is the current one.
    slots: Runs,
    /// The current definition level.
    level: u8,
    /// The number of lists passed.
    lists: u8,
    definition: Definition,
    /// Repetition levels; empty before the first list.
    repetition: Vec<u8>,
}

#[derive(Debug)]
enum Definition {
    /// All entries have the current level.
    Same,
    /// Entries have the current level (1) or the given one (0).
    Bits {
        validity: Bits,
        otherwise: u8,
    },
    Levels(Vec<u8>),
}

/// Where lists' elements are in the array of items.
pub(crate) trait Extents {
    /// The elements of the list in a slot.
    fn extent(&self, slot: usize) -> Range<usize>;

    /// The elements of all lists in neighbouring slots, if they follow each other without gaps.
    fn joined(&self, slots: Range<usize>) -> Option<Range<usize>>;
}

impl Shredder {
    /// The rows of a column.
    pub(crate) fn new(rows: usize) -> Self {
        Self { slots: Runs::all(rows), level: 0, lists: 0, definition: Definition::Same, repetition: Vec::new() }
    }

    /// The slots of the current array that are written.
    pub(crate) fn slots(&self) -> &Runs {
        &self.slots
    }

    /// A node that has to be there.
    ///
    /// # Errors
    /// `Usage` when it is null in a slot.
    pub(crate) fn required(&mut self, nulls: Option<&NullBuffer>) -> Result<()> {
        match nulls {
            Some(nulls) if self.slots.nulls(nulls) > 0 => {
                Err(Error::usage("there are nulls in a field that the schema calls not nullable: make it nullable, or fill them"))
            }
            _ => Ok(()),
        }
    }

    /// A node that may be null.
    pub(crate) fn optional(&mut self, nulls: Option<&NullBuffer>) {
        let nulls = nulls.filter(|nulls| self.slots.nulls(nulls) > 0);
        let level = self.level;
        self.level += 1;
        let Some(nulls) = nulls else {
            // The current level goes up for all that have it; the other forms say so without a word.
            if let Definition::Levels(levels) = &mut self.definition {
                vectorized!(raise(levels, level));
            }
            return;
        };
        let mut validity = Bits::new();
        validity.reserve(self.slots.len());
        for run in self.slots.iter() {
            validity.extend_from_bytes(nulls.validity(), nulls.offset() + run.start, run.len());
        }
        self.slots = self.slots.valid(nulls);
        self.definition = match std::mem::replace(&mut self.definition, Definition::Same) {
            Definition::Same if self.lists == 0 => Definition::Bits { validity, otherwise: level },
            Definition::Same => Definition::Levels(spread(&validity, self.level, level)),
            Definition::Bits { validity: above, otherwise } => {
                let mut levels = spread(&above, level, otherwise);
                raise_valid(&mut levels, level, &validity);
                Definition::Levels(levels)
            }
            Definition::Levels(mut levels) => {
                raise_valid(&mut levels, level, &validity);
                Definition::Levels(levels)
            }
        };
    }

    /// A list, whose items come next.
    pub(crate) fn list(&mut self, extents: &dyn Extents) {
        let (above, level) = (self.level, self.level + 1);
        let entries = self.slots.len();
        let lengths: Vec<usize> = self.slots.iter().flatten().map(|slot| extents.extent(slot).len()).collect();
        let mut items = Runs::default();
        for run in self.slots.iter() {
            match extents.joined(run.clone()) {
                Some(joined) => items.push(joined),
                None => run.for_each(|slot| items.push(extents.extent(slot))),
            }
        }
        self.lists += 1;
        let definition = match std::mem::replace(&mut self.definition, Definition::Same) {
            Definition::Same => None,
            Definition::Bits { validity, otherwise } => Some(spread(&validity, above, otherwise)),
            Definition::Levels(levels) => Some(levels),
        };
        let empty = lengths.iter().filter(|length| **length == 0).count();
        let absent = definition.as_ref().map_or(0, |levels| levels.len() - entries);
        let total = items.len() + empty + absent;
        let mut expand = Expand {
            repetition: vec![self.lists; total],
            definition: if total == items.len() { Vec::new() } else { vec![level; total] },
            at: 0,
        };
        let begins = |entry: usize| self.repetition.get(entry).copied().unwrap_or(0);
        match definition {
            None => {
                for (entry, length) in lengths.iter().enumerate() {
                    expand.list(begins(entry), *length, above);
                }
            }
            Some(levels) => {
                let mut lengths = lengths.iter();
                for (entry, found) in levels.iter().enumerate() {
                    if *found == above {
                        expand.list(begins(entry), lengths.next().copied().unwrap_or(0), above);
                    } else {
                        expand.absent(begins(entry), *found);
                    }
                }
            }
        }
        self.repetition = expand.repetition;
        if !expand.definition.is_empty() {
            self.definition = Definition::Levels(expand.definition);
        }
        self.level = level;
        self.slots = items;
    }

    /// The levels of the entries, and the slots that have values.
    pub(crate) fn finish(self) -> Shredded {
        let Self { slots, level, definition, repetition, .. } = self;
        let levels = match definition {
            Definition::Same if repetition.is_empty() => ShreddedLevels::Present,
            Definition::Same => ShreddedLevels::Levels { definition: vec![level; repetition.len()], repetition },
            Definition::Bits { validity, .. } if level == 1 => ShreddedLevels::Validity(validity),
            Definition::Bits { validity, otherwise } => {
                ShreddedLevels::Levels { definition: spread(&validity, level, otherwise), repetition }
            }
            Definition::Levels(definition) => ShreddedLevels::Levels { definition, repetition },
        };
        Shredded { slots, levels }
    }
}

/// A leaf's levels, and the slots of its array that have values.
#[derive(Debug)]
pub(crate) struct Shredded {
    pub(crate) slots: Runs,
    levels: ShreddedLevels,
}

#[derive(Debug)]
enum ShreddedLevels {
    Present,
    Validity(Bits),
    Levels { repetition: Vec<u8>, definition: Vec<u8> },
}

impl Shredded {
    /// The levels as they are written.
    pub(crate) fn levels(&self) -> LevelsSlice<'_> {
        match &self.levels {
            ShreddedLevels::Present => LevelsSlice::Present,
            ShreddedLevels::Validity(validity) => LevelsSlice::Validity(validity.into()),
            ShreddedLevels::Levels { repetition, definition } => LevelsSlice::Levels { repetition, definition },
        }
    }
}

/// The entries behind a list, as they are filled in. All are elements after their list's first, unless told otherwise.
struct Expand {
    repetition: Vec<u8>,
    /// Empty when all entries are elements.
    definition: Vec<u8>,
    at: usize,
}

impl Expand {
    #[inline]
    fn list(&mut self, begins: u8, length: usize, empty: u8) {
        if length == 0 {
            self.absent(begins, empty);
        } else {
            if let Some(first) = self.repetition.get_mut(self.at) {
                *first = begins;
            }
            self.at += length;
        }
    }

    #[inline]
    fn absent(&mut self, begins: u8, level: u8) {
        if let (Some(repetition), Some(definition)) = (self.repetition.get_mut(self.at), self.definition.get_mut(self.at)) {
            (*repetition, *definition) = (begins, level);
        }
        self.at += 1;
    }
}

/// One level a bit.
fn spread(bits: &Bits, set: u8, unset: u8) -> Vec<u8> {
    let mut levels = vec![unset; bits.len()];
    vectorized!(spread_into(bits.words(), set, unset, &mut levels));
    levels
}

#[inline(always)]
fn spread_into(words: &[u64], set: u8, unset: u8, levels: &mut [u8]) {
    for (block, word) in levels.chunks_mut(64).zip(words) {
        for (bit, level) in block.iter_mut().enumerate() {
            *level = if word >> bit & 1 == 1 { set } else { unset };
        }
    }
}

#[inline(always)]
fn raise(levels: &mut [u8], current: u8) {
    levels.iter_mut().for_each(|level| *level += u8::from(*level == current));
}

/// Raises those of the current level that are valid; there is one bit for each of them.
fn raise_valid(levels: &mut [u8], current: u8, validity: &Bits) {
    let mut bits = validity.words().iter();
    let (mut word, mut left) = (0, 0);
    for level in levels.iter_mut().filter(|level| **level == current) {
        if left == 0 {
            word = bits.next().copied().unwrap_or(0);
            left = 64;
        }
        *level += (word & 1) as u8;
        word >>= 1;
        left -= 1;
    }
}
