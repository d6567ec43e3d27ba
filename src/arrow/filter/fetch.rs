//! Which bytes are needed, and bytes that were fetched.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::arrow::lanes::Access;
use crate::arrow::plan::Plan;
use crate::error::{Error, Result};
use crate::format::{Encoding, PageType};
use crate::metadata::OffsetIndex;
use crate::predicate::RowRanges;
use crate::read::{Missing, Source};

/// Gaps of this many bytes are read along, unless all bytes are in memory or pushed there: then nothing is gained, and a gap may be missing.
const GAP: u64 = 16 << 10;
/// The smallest window: below, system calls cost more than memory.
const WINDOW_LEAST: u64 = 64 << 10;
/// What a page's reader asks for beyond its page, to have the next header at hand.
const AHEAD: u64 = 256;

/// What is needed of some leaf columns of a row group.
pub(crate) struct Needs {
    /// Byte ranges of the file, ascending, with gaps between them.
    pub(crate) ranges: Vec<Range<u64>>,
    /// How much is read at a time of each column: nothing beyond what is needed where it is in the ranges.
    windows: HashMap<usize, u64>,
}

impl Needs {
    /// What is needed of leaf columns to read some rows of a row group, `row_group` by its index in the file. Chunks too large
    /// to be held are not in the ranges: they are read window by window.
    pub(crate) fn of(
        plan: &Plan,
        row_group: usize,
        num_rows: u64,
        leaves: &[usize],
        rows: &RowRanges,
        indexes: &HashMap<usize, Arc<OffsetIndex>>,
    ) -> Result<Self> {
        let budget = (plan.file.limits.memory_bytes as u64 / 8).checked_div(leaves.len().max(1) as u64).unwrap_or(0).max(WINDOW_LEAST);
        let window = plan.file.source.window().min(budget);
        let reach = rows.ranges().last().map_or(0, |range| range.end) as f64 / num_rows.max(1) as f64;
        let mut needs = Self { ranges: Vec::new(), windows: HashMap::new() };
        for leaf in leaves {
            let chunk = plan.location(row_group, *leaf)?.range;
            let length = chunk.end.saturating_sub(chunk.start);
            if let Some(index) = indexes.get(leaf) {
                let dictionary = wants_dictionary(plan, row_group, *leaf, index, rows);
                let pages = pages(index, &chunk, rows, dictionary);
                if pages.iter().map(|range| range.end - range.start).sum::<u64>() <= budget {
                    needs.ranges.extend(pages);
                    needs.windows.insert(*leaf, 0);
                    continue;
                }
            }
            if length <= window && (length <= 1 << 20 || reach > 0.5) {
                needs.ranges.push(chunk);
                needs.windows.insert(*leaf, 0);
            } else {
                needs.windows.insert(*leaf, if reach > 0.5 { window } else { window.min(1 << 20) });
            }
        }
        needs.ranges = coalesced(needs.ranges, &*plan.file.source);
        Ok(needs)
    }

    /// Reads what is needed.
    pub(crate) fn fetch(self, source: &Arc<dyn Source>, indexes: &HashMap<usize, Arc<OffsetIndex>>) -> Result<Access> {
        let pieces = Pieces::fetch(source, &self.ranges)?;
        Ok(Access { runs: pieces.runs.clone(), source: Arc::new(pieces), windows: self.windows, indexes: indexes.clone() })
    }
}

/// Whether pages that hold some rows need the dictionary. The metadata tell how many pages do, and these come before the others: a
/// writer that has left its dictionary does not return to it. Where one did, the dictionary is read when it is missed.
fn wants_dictionary(plan: &Plan, row_group: usize, leaf: usize, index: &OffsetIndex, rows: &RowRanges) -> bool {
    let Some(row_group) = plan.file.metadata.row_group(row_group) else { return true };
    let Ok(column) = row_group.column(leaf) else { return true };
    let Some(stats) = column.encoding_stats() else { return true };
    let (mut encoded, mut pages) = (0_usize, 0_usize);
    for stats in stats.iter().filter(|stats| matches!(stats.page_type, PageType::DataPage | PageType::DataPageV2)) {
        let count = usize::try_from(stats.count).unwrap_or(0);
        pages = pages.saturating_add(count);
        if matches!(stats.encoding, Encoding::PlainDictionary | Encoding::RleDictionary) {
            encoded = encoded.saturating_add(count);
        }
    }
    pages != index.num_pages() || (0..encoded).any(|page| rows.touches(&index.rows(page)))
}

/// The pages that hold some rows, and, if it is wanted, the dictionary page before them.
fn pages(index: &OffsetIndex, chunk: &Range<u64>, rows: &RowRanges, dictionary: bool) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let beyond = |end: u64| end.saturating_add(AHEAD).min(chunk.end).max(end);
    if let Some(first) = index.pages().first().filter(|_| dictionary)
        && first.offset > chunk.start
    {
        ranges.push(chunk.start..beyond(first.offset));
    }
    for (page, location) in index.pages().iter().enumerate() {
        if rows.touches(&index.rows(page)) {
            ranges.push(location.offset..beyond(location.range().end));
        }
    }
    ranges
}

/// Ranges in order, neighbours together, as it is worth it for this source.
pub(crate) fn coalesced(mut ranges: Vec<Range<u64>>, source: &dyn Source) -> Vec<Range<u64>> {
    let gap = if source.window() == u64::MAX { 0 } else { GAP };
    ranges.sort_by_key(|range| range.start);
    let mut runs: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match runs.last_mut() {
            Some(run) if range.start <= run.end.saturating_add(gap) => run.end = run.end.max(range.end),
            _ => runs.push(range),
        }
    }
    runs
}

/// Parts of a file that are in memory; what is not is read.
pub(crate) struct Pieces {
    runs: Vec<(u64, Bytes)>,
    rest: Arc<dyn Source>,
}

impl Pieces {
    /// Reads ranges, which ascend and do not overlap.
    pub(crate) fn fetch(source: &Arc<dyn Source>, ranges: &[Range<u64>]) -> Result<Self> {
        let read = |range: &Range<u64>| {
            let bytes = source.read(range.clone())?;
            match bytes.len() as u64 == range.end - range.start {
                true => Ok((range.start, bytes)),
                false => Err(Error::from(std::io::Error::other("the source gave fewer or more bytes than asked for"))),
            }
        };
        let mut runs = Vec::with_capacity(ranges.len());
        let mut missing = Vec::new();
        for run in ranges.iter().map(read) {
            match run {
                Ok(run) => runs.push(run),
                Err(error) => match Missing::of(&error) {
                    Some(ranges) => missing.extend_from_slice(ranges),
                    None => return Err(error),
                },
            }
        }
        match missing.is_empty() {
            true => Ok(Self { runs, rest: Arc::clone(source) }),
            false => Err(Missing::error(missing)),
        }
    }
}

impl Source for Pieces {
    fn size(&self) -> Result<u64> {
        self.rest.size()
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let run = self.runs.partition_point(|(start, _)| *start <= range.start).checked_sub(1).and_then(|run| self.runs.get(run));
        if let Some((start, bytes)) = run
            && let Ok(from) = usize::try_from(range.start - start)
            && let Ok(to) = usize::try_from(range.end.saturating_sub(*start))
            && from <= to
            && to <= bytes.len()
        {
            return Ok(bytes.slice(from..to));
        }
        self.rest.read(range)
    }

    fn window(&self) -> u64 {
        self.rest.window()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_ranges_become_one() {
        let ranges = || vec![100_000..100_010, 0..10, 10..20, 16_000..16_500, 5..12];
        let file = crate::read::FileSource::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
        assert_eq!(coalesced(ranges(), &file), [0..16_500, 100_000..100_010]);
        assert_eq!(coalesced(ranges(), &Bytes::new()), [0..20, 16_000..16_500, 100_000..100_010]);
        assert!(coalesced(Vec::new(), &file).is_empty());
    }

    #[test]
    fn pieces_give_what_they_have_and_read_the_rest() {
        let content: Vec<u8> = (0..=255).collect();
        let source: Arc<dyn Source> = Arc::new(Bytes::from(content.clone()));
        let pieces = Pieces::fetch(&source, &[10..20, 30..60]).unwrap();
        for range in [10..20, 12..15, 15..25, 0..5, 30..30, 59..60, 100..256, 25..35] {
            assert_eq!(pieces.read(range.start..range.end).unwrap(), content[range.start as usize..range.end as usize]);
        }
        assert!(pieces.read(250..300).is_err());
    }
}
