//! Mutants that the official crate reads in another way than we do, where it is known why.

use std::panic::catch_unwind;

use arrow_array::RecordBatch;
use bytes::Bytes;

use super::difference::{columns_that_differ, difference, first_rows, rows, same_order};
use super::readings::{self, BIT_PACKED, Claims, Theirs};
use crate::mutate::{Mutation, Victim};

/// What the official crate gets wrong, and of how many mutants at the most.
pub const EXCEPTIONS: &[(&str, usize)] =
    &[(NO_ROWS, 2), (LEVELS_BACKWARDS, 5), (OTHER_TYPE, 3), (COMPRESSED_SIZE, 0), (STORED_SCHEMA, 0), (EMPTY_PAGE, 5)];

const NO_ROWS: &str = "it gives no rows where the footer counts 0, as some writers left it, and row groups count more";
const LEVELS_BACKWARDS: &str = "it reads BIT_PACKED levels from the wrong end of each byte";
const OTHER_TYPE: &str = "it takes a field's value whatever type it has in the file; to us it is an unknown field";
const COMPRESSED_SIZE: &str = "it goes by a chunk's compressed size, and ends before the last row or goes on with another column's pages";
const STORED_SCHEMA: &str =
    "it takes scales and units from a stored Arrow schema that contradicts the file's, and leaves the numbers as they are";
const EMPTY_PAGE: &str = "it ends a column at its first empty page";

/// What is read of the file that mutants are made of.
pub struct Unbroken {
    /// What the official crate gets wrong of it, if it does.
    pub known: Option<Known>,
    pub ours: Option<Vec<RecordBatch>>,
    pub theirs: Option<Theirs>,
    /// Also where it does not read the file.
    claims: Claims,
}

impl Unbroken {
    pub fn of(name: &str, whole: &Bytes) -> Self {
        Self {
            known: WRONG_UNBROKEN.iter().find(|(file, _)| *file == name).map(|(_, known)| *known),
            ours: readings::ours(whole).ok(),
            theirs: catch_unwind(|| readings::theirs(whole)).ok().and_then(Result::ok),
            claims: readings::open(whole).map(|builder| Claims::of(&builder)).unwrap_or_default(),
        }
    }
}

/// What the official crate gets wrong without a word, and how far.
#[derive(Clone, Copy)]
pub enum Known {
    /// It reads BIT_PACKED levels from the least significant bit, where the format has the most significant first. Rows and nulls
    /// are others by that, and what seems to go on in an empty list is left out; the values that are there come in the same order.
    LevelsBackwards,
    /// It ends a column at its first empty page, and leaves out the rows that follow.
    EndsAtEmptyPage,
}

/// Files that the official crate reads wrongly as they are.
const WRONG_UNBROKEN: &[(&str, Known)] =
    &[("raw-levels.bit-packed.parquet", Known::LevelsBackwards), ("raw-pages.empty.parquet", Known::EndsAtEmptyPage)];

impl Known {
    /// Why the two readings differ, if this is all in which they do.
    fn explains(self, ours: &[RecordBatch], theirs: &[RecordBatch], whole: &[RecordBatch]) -> Option<&'static str> {
        match self {
            Known::LevelsBackwards => same_order(ours, theirs, whole).then_some(LEVELS_BACKWARDS),
            Known::EndsAtEmptyPage => {
                let count = rows(theirs);
                let first = first_rows(ours, count);
                (count < rows(ours) && difference(&first, theirs).is_none()).then_some(EMPTY_PAGE)
            }
        }
    }
}

/// Why the official crate reads a mutant in another way, where that is known.
pub fn exception(ours: &[RecordBatch], theirs: &Theirs, victim: &Victim, mutation: Mutation, unbroken: &Unbroken) -> Option<&'static str> {
    let Theirs { batches: theirs, claims } = theirs;
    if rows(theirs) == 0 && claims.rows == 0 {
        return Some(NO_ROWS);
    }
    let whole = unbroken.ours.as_deref().unwrap_or_default();
    let one_column = columns_that_differ(ours, theirs) == 1;
    // What was RLE is read as BIT_PACKED, so that there is no order that both would keep to; but it is one column's.
    if one_column && matches!(mutation, Mutation::Header(_, _, BIT_PACKED)) {
        return Some(LEVELS_BACKWARDS);
    }
    // What were values is read as levels, since a column is no longer required.
    if one_column && claims.bit_packed && same_order(ours, theirs, whole) {
        return Some(LEVELS_BACKWARDS);
    }
    // The low half of the byte before a field is the type that the field has in the file.
    let as_ever = unbroken.theirs.as_ref().is_some_and(|whole| difference(theirs, &whole.batches).is_none());
    if (as_ever && matches!(mutation, Mutation::Flip(_, 0..4))) || (one_column && victim.shifts_header(mutation)) {
        return Some(OTHER_TYPE);
    }
    let as_ever = unbroken.ours.is_some() && difference(ours, whole).is_none();
    if as_ever && claims.sizes != unbroken.claims.sizes {
        // We have all rows, and no more, by the row group's count.
        return Some(COMPRESSED_SIZE);
    }
    if as_ever && claims.key_values != unbroken.claims.key_values {
        return Some(STORED_SCHEMA);
    }
    unbroken.known.and_then(|known| known.explains(ours, theirs, whole))
}
