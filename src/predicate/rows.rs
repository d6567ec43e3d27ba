//! Rows of a row group as ranges.

use std::ops::Range;

/// Rows, as ascending ranges with gaps between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowRanges(Vec<Range<u64>>);

impl RowRanges {
    /// No rows.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// The first `rows` rows.
    pub(crate) fn all(rows: u64) -> Self {
        let mut all = Self::none();
        all.push(0..rows);
        all
    }

    /// Ascending ranges that do not overlap.
    pub(crate) fn of(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut rows = Self::none();
        ranges.into_iter().for_each(|range| rows.push(range));
        rows
    }

    /// Adds rows behind the last ones.
    pub(crate) fn push(&mut self, range: Range<u64>) {
        match self.0.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => self.0.push(range),
        }
    }

    pub(crate) fn ranges(&self) -> &[Range<u64>] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(|range| range.end.saturating_sub(range.start)).fold(0, u64::saturating_add)
    }

    /// The rows that are in both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let mut both = Self::none();
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(one), Some(two)) = (a.peek(), b.peek()) {
            both.push(one.start.max(two.start)..one.end.min(two.end).max(one.start.max(two.start)));
            if one.end < two.end {
                a.next()
            } else {
                b.next()
            };
        }
        both
    }

    /// The rows that are in one of them.
    pub(crate) fn or(&self, other: &Self) -> Self {
        let mut either = Self::none();
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(one), Some(two)) if one.start <= two.start => a.next(),
                (_, Some(_)) => b.next(),
                _ => a.next(),
            };
            match next {
                Some(range) => either.push(range.clone()),
                None => return either,
            }
        }
    }

    /// The rows that the other does not have.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let mut gaps = Self::none();
        let mut from = 0;
        for range in &other.0 {
            gaps.push(from..range.start);
            from = range.end;
        }
        gaps.push(from..u64::MAX);
        self.and(&gaps)
    }

    /// Whether any of these rows is in the range.
    pub(crate) fn touches(&self, range: &Range<u64>) -> bool {
        let next = self.0.partition_point(|own| own.end <= range.start);
        !range.is_empty() && self.0.get(next).is_some_and(|own| own.start < range.end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(bits: &[bool]) -> RowRanges {
        RowRanges::of(bits.iter().enumerate().filter(|(_, bit)| **bit).map(|(row, _)| row as u64..row as u64 + 1))
    }

    proptest! {
        #[test]
        fn ranges_are_sets_of_rows(pairs in prop::collection::vec((any::<bool>(), any::<bool>()), 0..40), start in 0..40_u64, length in 0..9_u64) {
            let (a, b): (Vec<bool>, Vec<bool>) = pairs.iter().copied().unzip();
            let zip = |op: fn(bool, bool) -> bool| of(&pairs.iter().map(|(a, b)| op(*a, *b)).collect::<Vec<_>>());
            prop_assert_eq!(of(&a).and(&of(&b)), zip(|a, b| a && b));
            prop_assert_eq!(of(&a).or(&of(&b)), zip(|a, b| a || b));
            prop_assert_eq!(of(&a).without(&of(&b)), zip(|a, b| a && !b));
            prop_assert_eq!(of(&a).len(), a.iter().filter(|bit| **bit).count() as u64);
            let range = start..start + length;
            let touched = a.iter().enumerate().any(|(row, bit)| *bit && range.contains(&(row as u64)));
            prop_assert_eq!(of(&a).touches(&range), touched);
        }
    }
}
