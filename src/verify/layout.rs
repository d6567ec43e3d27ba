//! Which bytes of the file belong to what: parts overlap nowhere, and nothing lies between them.

use std::ops::Range;

use crate::error::Result;
use crate::verify::report::{Code, Recorder};
use crate::verify::spot::Spot;

/// What bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Magic,
    Chunk,
    OffsetIndex,
    ColumnIndex,
    BloomFilter,
    Footer,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Magic => "the magic number",
            Part::Chunk => "a column chunk",
            Part::OffsetIndex => "an offset index",
            Part::ColumnIndex => "a column index",
            Part::BloomFilter => "a bloom filter",
            Part::Footer => "the footer",
        }
    }
}

/// All parts that were seen.
#[derive(Default)]
pub(super) struct Layout {
    parts: Vec<(Range<u64>, Part, Spot)>,
}

impl Layout {
    pub(super) fn add(&mut self, range: Range<u64>, part: Part, place: Spot) {
        if range.start < range.end {
            self.parts.push((range, part, place));
        }
    }

    /// Adds what another one has seen.
    pub(super) fn absorb(&mut self, other: Self) {
        self.parts.extend(other.parts);
    }

    /// Reports overlaps, and gaps of which `belongs` does not know what they are.
    pub(super) fn check(mut self, out: &mut Recorder, mut belongs: impl FnMut(&Range<u64>) -> Result<bool>) -> Result<()> {
        self.parts.sort_by_key(|(range, ..)| (range.start, range.end));
        let mut before: Option<(&Range<u64>, Part)> = None;
        for (range, part, place) in &self.parts {
            let place = Spot { offset: Some(range.start), ..*place };
            let Some((last, last_part)) = before else {
                before = Some((range, *part));
                continue;
            };
            if range.start < last.end {
                let expected = format!("{} from {} on", part.name(), last.end);
                let found =
                    format!("{} at {}..{}, {} at {}..{}", last_part.name(), last.start, last.end, part.name(), range.start, range.end);
                out.add(Code::Overlap, place, expected, found);
            } else if range.start > last.end && !belongs(&(last.end..range.start))? {
                let gap = Spot { offset: Some(last.end), ..Spot::default() };
                let found = format!("{} bytes between {} and {}", range.start.saturating_sub(last.end), last_part.name(), part.name());
                out.add(Code::Gap, gap, "", found);
            }
            if range.end > last.end {
                before = Some((range, *part));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::verify::budgets::Budgets;

    fn codes(ranges: &[Range<u64>]) -> Vec<(Code, Option<u64>)> {
        let mut layout = Layout::default();
        ranges.iter().for_each(|range| layout.add(range.clone(), Part::Chunk, Spot::default()));
        let mut recorder = Recorder::new(Arc::new(Budgets::new([100, 0, 0])));
        layout.check(&mut recorder, |_| Ok(false)).unwrap();
        recorder.report.findings.iter().map(|finding| (finding.code, finding.place.offset)).collect()
    }

    #[test]
    fn overlaps_and_gaps_are_seen() {
        assert_eq!(codes(&[4..10, 0..4, 10..20]), []);
        assert_eq!(codes(&[0..4, 4..10, 9..20, 20..21]), [(Code::Overlap, Some(9))]);
        assert_eq!(codes(&[0..4, 6..10]), [(Code::Gap, Some(4))]);
        assert_eq!(codes(&[0..20, 4..6, 10..12, 20..30]), [(Code::Overlap, Some(4)), (Code::Overlap, Some(10))]);
        assert_eq!(codes(&[0..4, 4..4, 4..5]), []);
    }
}
