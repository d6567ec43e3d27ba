//! Predicates on decoded values, a bit for each.
//!
//! Words compare as keys in a range: one subtraction and one comparison a value, whatever their type. Values from a
//! dictionary are tested once an entry; then each costs a look-up of a bit.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::encoding::{Dictionary, Part};
use crate::levels::nested::{self, Levels, Slots};
use crate::metadata::Order;
use crate::predicate::Test;
use crate::predicate::bind::{Kind, by_key};
use crate::predicate::coerce::{Words, total16, total32, total64};
use crate::predicate::set::{Cut, Intervals};
use crate::simd::vectorized;
use crate::values::{Bits, FixedBytes, Values};

/// Applies a test to the slots of a column, part after part.
pub(crate) struct Evaluator<'t> {
    test: &'t Test,
    /// What the test says of the entries of the dictionary met last: a byte each, 0 or 1.
    table: Option<(Arc<Dictionary>, Vec<u8>)>,
}

impl<'t> Evaluator<'t> {
    pub(crate) fn new(test: &'t Test) -> Self {
        Self { test, table: None }
    }

    /// A bit for each row: whether it passes. `validity` is empty where there are no nulls; `levels` are those of all entries, where
    /// there are any.
    pub(crate) fn rows(&mut self, rows: usize, parts: &[Part], validity: &Bits, levels: &Levels) -> Bits {
        match self.test.kind {
            Kind::Null { level } => not(&self.present(rows, level, validity, levels)),
            Kind::NotNull { level } => self.present(rows, level, validity, levels),
            _ => {
                let mut out = Bits::new();
                out.reserve(rows);
                parts.iter().for_each(|part| self.part(part, &mut out));
                if validity.is_empty() { out } else { and(&out, validity) }
            }
        }
    }

    fn present(&self, rows: usize, level: u8, validity: &Bits, levels: &Levels) -> Bits {
        if level == self.test.max_definition && self.test.max_repetition == 0 {
            return if validity.is_empty() { Bits::repeat(true, rows) } else { validity.clone() };
        }
        let mut present = Bits::new();
        nested::validity(levels, Slots::ROWS, level, &mut present);
        present
    }

    fn part(&mut self, part: &Part, out: &mut Bits) {
        match part {
            Part::Values(values) => values_pass(self.test, values, out),
            Part::Indices { indices, dictionary } => {
                let table = match &mut self.table {
                    Some((known, table)) if Arc::ptr_eq(known, dictionary) => table,
                    other => {
                        let bits = Self::table(self.test, dictionary.values());
                        let table = bits.iter().map(u8::from).collect();
                        &mut other.insert((Arc::clone(dictionary), table)).1
                    }
                };
                look_up(table, indices, out);
            }
        }
    }

    /// What a test says of some values, without nulls.
    pub(crate) fn table(test: &Test, values: &Values) -> Bits {
        let mut bits = Bits::new();
        values_pass(test, values, &mut bits);
        bits
    }
}

/// The bits that are set in both.
pub(crate) fn and(a: &Bits, b: &Bits) -> Bits {
    zip(a, b, |a, b| a & b)
}

/// The bits that are set in one of them.
pub(crate) fn or(a: &Bits, b: &Bits) -> Bits {
    zip(a, b, |a, b| a | b)
}

fn not(a: &Bits) -> Bits {
    zip(a, a, |a, _| !a)
}

fn zip(a: &Bits, b: &Bits, combine: impl Fn(u64, u64) -> u64) -> Bits {
    let mut out = Bits::new();
    let mut left = a.len().min(b.len());
    for (a, b) in a.words().iter().zip(b.words()) {
        let n = left.min(64);
        out.push_word(combine(*a, *b), n);
        left = left.saturating_sub(n);
    }
    out
}

/// Bits of table entries. Indices were checked when they were decoded; those beyond do not pass.
fn look_up(table: &[u8], indices: &[u32], out: &mut Bits) {
    let (blocks, rest) = indices.as_chunks::<64>();
    let mut passing = [0; 64];
    for block in blocks {
        for (to, index) in passing.iter_mut().zip(block) {
            *to = table.get(*index as usize).copied().unwrap_or(0);
        }
        out.push_word(pack(&passing), 64);
    }
    for index in rest {
        out.push(table.get(*index as usize) == Some(&1));
    }
}

/// Bytes that are 0 or 1 as bits.
#[inline(always)]
fn pack(bytes: &[u8; 64]) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().rev().fold(0, |word, eight| {
        // The product puts the lowest bit of byte i at bit 56 + i.
        word << 8 | u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

fn values_pass(test: &Test, values: &Values, out: &mut Bits) {
    match (&test.kind, values) {
        (Kind::Words { words, set }, Values::Words32(values)) => {
            let float = *words == Words::Float32;
            let narrow = |key: i64| key as u32;
            let ranges: Vec<(u32, u32)> =
                inclusive(*words, set).map(|(low, high)| (narrow(low), narrow(high).wrapping_sub(narrow(low)))).collect();
            match ranges.as_slice() {
                [(low, span)] if float => vectorized!(in_range(values, *low, *span, true, out)),
                [(low, span)] => vectorized!(in_range(values, *low, *span, false, out)),
                few if few.len() <= FEW => vectorized!(in_ranges(values, few, float, out)),
                _ => {
                    let key = |word: u32| match *words {
                        Words::Float32 => i64::from(total32(word)),
                        Words::Unsigned32 => i64::from(word),
                        _ => i64::from(word.cast_signed()),
                    };
                    search(values.iter().map(|word| key(*word)), set, out);
                }
            }
        }
        (Kind::Words { words, set }, Values::Words64(values)) => {
            let float = *words == Words::Float64;
            // Unsigned keys have their first bit turned.
            let turned = if *words == Words::Unsigned64 { i64::MIN } else { 0 };
            let wide = |key: i64| (key ^ turned).cast_unsigned();
            let ranges: Vec<(u64, u64)> =
                inclusive(*words, set).map(|(low, high)| (wide(low), wide(high).wrapping_sub(wide(low)))).collect();
            match ranges.as_slice() {
                [(low, span)] if float => vectorized!(in_range(values, *low, *span, true, out)),
                [(low, span)] => vectorized!(in_range(values, *low, *span, false, out)),
                few if few.len() <= FEW => vectorized!(in_ranges(values, few, float, out)),
                _ if float => search(values.iter().map(|word| total64(*word)), set, out),
                _ => search(values.iter().map(|word| word.cast_signed() ^ turned), set, out),
            }
        }
        (Kind::Words { set, .. }, Values::Bits(values)) => {
            let (of_false, of_true) = (set.contains(&0, &by_key), set.contains(&1, &by_key));
            let mut left = values.len();
            for word in values.words() {
                let n = left.min(64);
                out.push_word((if of_true { *word } else { 0 }) | (if of_false { !*word } else { 0 }), n);
                left = left.saturating_sub(n);
            }
        }
        (Kind::Words { set, .. }, Values::Fixed(values)) => search(halves(values), set, out),
        (Kind::Bytes { order, set }, Values::Bytes(values)) => values.iter().for_each(|value| out.push(has(*order, set, value))),
        (Kind::Bytes { order, set }, Values::Fixed(values)) => values.iter().for_each(|value| out.push(has(*order, set, value))),
        (Kind::Pattern { pattern, negated, .. }, Values::Bytes(values)) => {
            values.iter().for_each(|value| out.push(pattern.matches(value) != *negated));
        }
        (Kind::Pattern { pattern, negated, .. }, Values::Fixed(values)) => {
            values.iter().for_each(|value| out.push(pattern.matches(value) != *negated));
        }
        // Values of another shape than the column's type has do not occur.
        (_, values) => out.extend_run(false, values.len()),
    }
}

/// So many ranges are compared one after another.
const FEW: usize = 8;

/// The ranges of a set, with their least and greatest key.
fn inclusive(words: Words, set: &Intervals<i64>) -> impl Iterator<Item = (i64, i64)> {
    let (least, greatest) = words.limits();
    let range = move |(low, high): &(Cut<i64>, Cut<i64>)| {
        let low = match low {
            Cut::First => least,
            Cut::Before(key) => *key,
            Cut::After(key) => key.checked_add(1)?,
            Cut::Last => return None,
        };
        let high = match high {
            Cut::First => return None,
            Cut::Before(key) => key.checked_sub(1)?,
            Cut::After(key) => *key,
            Cut::Last => greatest,
        };
        let (low, high) = (low.max(least), high.min(greatest));
        (low <= high).then_some((low, high))
    };
    set.ranges().iter().filter_map(range)
}

/// A word that is compared as a key, without its sign.
trait Word: Copy + PartialOrd {
    /// The key of a floating-point number, or the word itself.
    fn key(self, float: bool) -> Self;

    /// How far a key is above another one, around the end.
    fn above(self, low: Self) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn key(self, float: bool) -> Self {
        if float { total32(self).cast_unsigned() } else { self }
    }

    #[inline(always)]
    fn above(self, low: Self) -> Self {
        self.wrapping_sub(low)
    }
}

impl Word for u64 {
    #[inline(always)]
    fn key(self, float: bool) -> Self {
        if float { total64(self).cast_unsigned() } else { self }
    }

    #[inline(always)]
    fn above(self, low: Self) -> Self {
        self.wrapping_sub(low)
    }
}

/// Of one range alone, the loop has no other inside and becomes vectors.
#[inline(always)]
fn in_range<W: Word>(values: &[W], low: W, span: W, float: bool, out: &mut Bits) {
    each(values, out, |word| u8::from(word.key(float).above(low) <= span));
}

#[inline(always)]
fn in_ranges<W: Word>(values: &[W], ranges: &[(W, W)], float: bool, out: &mut Bits) {
    each(values, out, |word| {
        let mut passes = 0;
        for (low, span) in ranges {
            passes |= u8::from(word.key(float).above(*low) <= *span);
        }
        passes
    });
}

/// A bit for each value, from what `passes` says: 0 or 1.
#[inline(always)]
fn each<W: Word>(values: &[W], out: &mut Bits, passes: impl Fn(W) -> u8) {
    let (blocks, rest) = values.as_chunks::<64>();
    // Not `block.map`, which is a function of its own and not compiled for the vectors around it.
    let mut passing = [0; 64];
    for block in blocks {
        for (to, word) in passing.iter_mut().zip(block) {
            *to = passes(*word);
        }
        out.push_word(pack(&passing), 64);
    }
    rest.iter().for_each(|word| out.push(passes(*word) == 1));
}

fn search(keys: impl Iterator<Item = i64>, set: &Intervals<i64>, out: &mut Bits) {
    keys.for_each(|key| out.push(set.contains(&key, &by_key)));
}

fn halves(values: &FixedBytes) -> impl Iterator<Item = i64> {
    values.iter().map(|value| i64::from(total16(value.try_into().map_or(0, u16::from_le_bytes))))
}

fn has(order: Order, set: &Intervals<Vec<u8>>, value: &[u8]) -> bool {
    set.contains(value, &|key: &Vec<u8>, value: &[u8]| -> Option<Ordering> { order.compare(key, value) })
}
