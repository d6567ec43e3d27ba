//! The rows that are left: ranges, or ranges and a bitmap.

use std::ops::Range;

use crate::predicate::and;
use crate::values::Bits;

/// Some rows of a row group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Selection {
    /// Where they are, ascending, counted from the first row of the row group.
    pub(super) ranges: Vec<Range<u64>>,
    /// The number of rows in the ranges.
    pub(super) rows: usize,
    /// Which of them; all without it.
    pub(super) kept: Option<Bits>,
    /// The number of rows that are selected.
    pub(super) count: usize,
}

/// Rows are picked as ranges where a range comes to so many rows that are passed over or read: below, decoding them all and picking
/// afterwards is cheaper. Measured with lineitem: 16 to 64 make no difference there.
const ROWS_A_RANGE: usize = 24;

impl Selection {
    /// All rows of some ranges.
    pub(super) fn of(ranges: Vec<Range<u64>>) -> Self {
        let rows = ranges.iter().map(|range| usize::try_from(range.end - range.start).unwrap_or(usize::MAX)).fold(0, usize::saturating_add);
        Self { ranges, rows, kept: None, count: rows }
    }

    /// Leaves the rows whose bit is set; there is a bit for each row of the ranges.
    pub(super) fn keep(self, bits: Bits) -> Self {
        let bits = match &self.kept {
            Some(kept) => and(kept, &bits),
            None => bits,
        };
        let count = bits.count_ones();
        if count == self.rows {
            return Self { kept: None, count, ..self };
        }
        if count == 0 {
            return Self::default();
        }
        match runs(&bits).saturating_mul(ROWS_A_RANGE) <= self.rows {
            true => Self { ranges: pick(&self.ranges, &bits), rows: count, kept: None, count },
            false => Self { kept: Some(bits), count, ..self },
        }
    }

    /// The selected rows as ranges, however many these are.
    pub(super) fn picked(&self) -> Vec<Range<u64>> {
        match &self.kept {
            Some(bits) => pick(&self.ranges, bits),
            None => self.ranges.clone(),
        }
    }

    /// Adds the rows behind these, if neither has a bitmap and together they are not too many.
    pub(super) fn absorb(&mut self, other: Self, most: usize) -> Option<Self> {
        if self.kept.is_some() || other.kept.is_some() || self.count.saturating_add(other.count) > most {
            return Some(other);
        }
        for range in other.ranges {
            match self.ranges.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => self.ranges.push(range),
            }
        }
        self.rows = self.rows.saturating_add(other.rows);
        self.count = self.rows;
        None
    }
}

/// The number of runs of set bits.
fn runs(bits: &Bits) -> usize {
    let mut before = 0;
    let mut runs = 0_usize;
    for word in bits.words() {
        runs = runs.saturating_add((word & !(word << 1 | before)).count_ones() as usize);
        before = word >> 63;
    }
    runs
}

/// The rows of ranges whose bit is set, as ranges.
fn pick(ranges: &[Range<u64>], bits: &Bits) -> Vec<Range<u64>> {
    let mut picked: Vec<Range<u64>> = Vec::new();
    let mut at = 0_usize;
    for range in ranges {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let end = at.saturating_add(length);
        let mut bit = at;
        while bit < end {
            // The next run within the 64 bits from here on.
            let word = bits.word_at(bit);
            if word == 0 {
                bit = bit.saturating_add(64);
                continue;
            }
            let first = bit.saturating_add(word.trailing_zeros() as usize);
            let ones = (word >> word.trailing_zeros()).trailing_ones() as usize;
            let last = first.saturating_add(ones).min(end);
            if first < last {
                let start = range.start + (first - at) as u64;
                let found = start..start + (last - first) as u64;
                match picked.last_mut() {
                    Some(run) if run.end == found.start => run.end = found.end,
                    _ => picked.push(found),
                }
            }
            bit = last.max(first.saturating_add(1));
        }
        at = end;
    }
    picked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_is_what_the_bits_say(
            gaps in prop::collection::vec((0..5_u64, 1..150_u64), 0..5),
            seed: u64,
            density in 1..400_u64,
            second in 1..5_u64,
        ) {
            let mut at = 0;
            let ranges: Vec<Range<u64>> = gaps.iter().map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                start..at
            }).collect();
            let rows: Vec<u64> = ranges.iter().cloned().flatten().collect();
            let bit = |row: u64, every: u64| (row.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed) >> 20 & 0xffff < 0xffff / every;
            let bits = |rows: &[u64], every: u64| {
                let mut bits = Bits::new();
                rows.iter().for_each(|row| bits.push(bit(*row / 7, every)));
                bits
            };
            let first = Selection::of(ranges).keep(bits(&rows, density.div_ceil(40)));
            let expected: Vec<u64> = rows.iter().copied().filter(|row| bit(*row / 7, density.div_ceil(40))).collect();
            let found: Vec<u64> = first.picked().into_iter().flatten().collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(first.count, expected.len());
            let inside: Vec<u64> = first.ranges.iter().cloned().flatten().collect();
            prop_assert_eq!(first.rows, inside.len());
            let both = first.keep(bits(&inside, second));
            let expected: Vec<u64> = expected.into_iter().filter(|row| bit(*row / 7, second)).collect();
            let found: Vec<u64> = both.picked().into_iter().flatten().collect();
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn neighbours_become_one() {
        let mut first = Selection::of(vec![0..10, 20..30]);
        assert!(first.absorb(Selection::of(vec![30..35, 50..51]), 100).is_none());
        assert_eq!(first, Selection::of(vec![0..10, 20..35, 50..51]));
        assert!(first.absorb(Selection::of(vec![60..100, 101..136]), 100).is_some());
    }
}
