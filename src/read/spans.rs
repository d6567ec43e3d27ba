//! Ranges of a file that do not overlap: what is done with one costs what it overlaps and not how many there are.

use std::collections::BTreeMap;
use std::ops::Range;

/// Ranges that do not overlap, each with a value.
#[derive(Debug)]
pub(crate) struct Spans<T> {
    /// Where each ends, by where it begins.
    spans: BTreeMap<u64, (u64, T)>,
    bytes: u64,
}

impl<T> Default for Spans<T> {
    fn default() -> Self {
        Self { spans: BTreeMap::new(), bytes: 0 }
    }
}

impl<T: Clone> Spans<T> {
    /// How many bytes all ranges have.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives a range this value; what it overlaps is cut off.
    pub(crate) fn set(&mut self, range: Range<u64>, value: T) {
        self.clear(range.clone());
        if range.start < range.end {
            self.bytes = self.bytes.saturating_add(range.end.saturating_sub(range.start));
            self.spans.insert(range.start, (range.end, value));
        }
    }

    /// Takes a range out.
    pub(crate) fn clear(&mut self, range: Range<u64>) {
        if range.start >= range.end {
            return;
        }
        self.cut(range.start);
        self.cut(range.end);
        while let Some(start) = self.spans.range(range.clone()).next().map(|(start, _)| *start) {
            self.remove(start);
        }
    }

    /// Takes out the range that begins here.
    pub(crate) fn remove(&mut self, start: u64) -> Option<(Range<u64>, T)> {
        let (end, value) = self.spans.remove(&start)?;
        self.bytes = self.bytes.saturating_sub(end.saturating_sub(start));
        Some((start..end, value))
    }

    /// Makes two ranges of one that goes on across an offset.
    fn cut(&mut self, at: u64) {
        let Some((_, (end, value))) = self.spans.range_mut(..at).next_back() else { return };
        if at < *end {
            let rest = (std::mem::replace(end, at), value.clone());
            self.spans.insert(at, rest);
        }
    }

    /// The range that begins here.
    pub(crate) fn starting(&self, start: u64) -> Option<(Range<u64>, &T)> {
        self.spans.get(&start).map(|(end, value)| (start..*end, value))
    }

    /// The last range that begins before an offset.
    pub(crate) fn before(&self, at: u64) -> Option<(Range<u64>, &T)> {
        self.spans.range(..at).next_back().map(|(start, (end, value))| (*start..*end, value))
    }

    /// The ranges that overlap another one, ascending.
    pub(crate) fn overlapping(&self, range: &Range<u64>) -> impl Iterator<Item = (Range<u64>, &T)> {
        let first = self.before(range.start).filter(|(before, _)| range.start < before.end).map_or(range.start, |(before, _)| before.start);
        let spans = self.spans.range(first..range.end.max(first));
        spans.map(|(start, (end, value))| (*start..*end, value))
    }

    /// What lies around a range that overlaps none, up to the next ones.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    pub(crate) fn gap(&self, around: &Range<u64>) -> Range<u64> {
        let next = self.spans.range(around.start..).next();
        self.before(around.start).map_or(0, |(before, _)| before.end)..next.map_or(u64::MAX, |(start, _)| *start)
    }
}

impl Spans<()> {
    /// What some ranges cover.
    pub(crate) fn of(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut spans = Self::default();
        ranges.into_iter().for_each(|range| spans.cover(range));
        spans
    }

    /// Adds a range, as one with those that it overlaps or touches.
    pub(crate) fn cover(&mut self, mut range: Range<u64>) {
        if range.start >= range.end {
            return;
        }
        let around = range.start.saturating_sub(1)..range.end.saturating_add(1);
        if let Some((first, ())) = self.overlapping(&around).next() {
            range.start = range.start.min(first.start);
        }
        if let Some((last, ())) = self.before(around.end) {
            range.end = range.end.max(last.end);
        }
        self.set(range, ());
    }

    /// What of some ranges is not covered: ascending, without overlaps.
    pub(crate) fn missing(&self, wanted: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let wanted = Spans::of(wanted);
        for (start, (end, ())) in &wanted.spans {
            let mut at = *start;
            for (here, ()) in self.overlapping(&(*start..*end)) {
                if at < here.start {
                    missing.push(at..here.start);
                }
                at = here.end;
            }
            if at < *end {
                missing.push(at..*end);
            }
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn spans_are_as_an_array_of_bytes(steps in prop::collection::vec((0..60_u64, 0..30_u64, prop::option::of(0..5_u8)), 0..20)) {
            let (mut spans, mut naive) = (Spans::default(), [None; 100]);
            for (start, length, value) in steps {
                let range = start..start + length;
                match value {
                    Some(value) => spans.set(range.clone(), value),
                    None => spans.clear(range.clone()),
                }
                naive[range.start as usize..range.end as usize].fill(value);
                let inside: std::collections::BTreeSet<u64> = spans.overlapping(&range).flat_map(|(span, _)| span).collect();
                prop_assert!(value.is_none() || range.clone().all(|byte| inside.contains(&byte)));
                if value.is_none() && length > 0 {
                    let gap = spans.gap(&range);
                    prop_assert!((gap.start..gap.end.min(100)).all(|byte| naive[byte as usize].is_none()));
                    prop_assert!(gap.start == 0 || naive[gap.start as usize - 1].is_some());
                    prop_assert!(gap.end == u64::MAX || naive[gap.end as usize].is_some());
                }
            }
            let mut seen = [None; 100];
            for (span, value) in spans.overlapping(&(0..100)) {
                seen[span.start as usize..span.end as usize].fill(Some(*value));
            }
            prop_assert_eq!(seen, naive);
            prop_assert_eq!(spans.bytes(), naive.iter().flatten().count() as u64);
        }
    }
}
