//! What bloom filters, dictionary pages and page indexes say of a row group, before its pages are read.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::arrow::filter::{Filter, ScanMetrics};
use crate::arrow::plan::Plan;
use crate::compression::Decompressor;
use crate::encoding::Dictionary;
use crate::error::{Error, Result};
use crate::format::Encoding;
use crate::metadata::bloom::HEADER_BYTES;
use crate::metadata::{BloomFilter, ColumnIndex, OffsetIndex, RowGroup};
use crate::predicate::{Formula, RowRanges, Verdict};
use crate::read::{PageOptions, PageReader, Source};

/// A row group on its way through the structures that help.
///
/// Whoever drives it fetches what [`needs`](Self::needs) says and gives a source that has it to [`give`](Self::give), until nothing
/// more is needed. Structures that cannot be read say nothing.
pub(super) struct Pruning<'p> {
    plan: &'p Plan,
    filter: &'p Filter,
    group: usize,
    verdicts: Vec<Verdict>,
    step: Step,
    /// Rows of which some may pass, and rows that all do.
    some: RowRanges,
    all: RowRanges,
    indexes: HashMap<usize, Arc<OffsetIndex>>,
}

enum Step {
    Bloom,
    /// Headers told where the blocks of hashes are: test, hash, range.
    Blocks(Vec<(usize, u64, Range<u64>)>),
    Dictionary,
    Index,
    Done,
}

/// What is left to be done with a row group.
pub(super) struct Pruned {
    /// Rows of which some may pass.
    pub(super) some: RowRanges,
    /// Those of them that all pass.
    pub(super) all: RowRanges,
    /// What is asked of rows.
    pub(super) residual: Formula,
    pub(super) indexes: HashMap<usize, Arc<OffsetIndex>>,
}

/// Larger dictionaries are not decoded only to be looked at.
const LARGEST_DICTIONARY: usize = 16 << 20;

/// Chunks of fewer bytes are read at once: looking at their indexes first would not pay.
const SMALL: u64 = 32 << 10;

impl<'p> Pruning<'p> {
    /// Begins with what statistics said of a row group of the plan.
    pub(super) fn new(plan: &'p Plan, filter: &'p Filter, group: usize) -> Self {
        let ranges = plan.groups.get(group).map_or(&[][..], |group| &group.ranges);
        let verdicts = filter.verdicts.get(group).cloned().unwrap_or_default();
        let (some, indexes) = (RowRanges::of(ranges.iter().cloned()), HashMap::new());
        let mut pruning = Self { plan, filter, group, verdicts, step: Step::Bloom, some, all: RowRanges::none(), indexes };
        pruning.settle();
        pruning
    }

    /// The byte ranges that the next step reads; none when there is no further step.
    pub(super) fn needs(&mut self) -> Vec<Range<u64>> {
        loop {
            let ranges = match &self.step {
                Step::Dictionary | Step::Index if self.has_looked_enough() => Vec::new(),
                Step::Bloom => self.bloom_headers().into_iter().map(|(_, range)| range).collect(),
                Step::Blocks(blocks) => blocks.iter().map(|(_, _, range)| range.clone()).collect(),
                Step::Dictionary => self.dictionaries().into_iter().map(|(_, range)| range).collect(),
                Step::Index => self.page_indexes().into_iter().flat_map(|(_, offsets, columns)| [offsets, columns]).collect(),
                Step::Done => return Vec::new(),
            };
            let ranges: Vec<Range<u64>> = ranges;
            if !ranges.is_empty() {
                return ranges;
            }
            self.step = match self.step {
                Step::Bloom | Step::Blocks(_) => Step::Dictionary,
                Step::Dictionary => Step::Index,
                Step::Index | Step::Done => Step::Done,
            };
        }
    }

    /// Takes a step with the bytes that it needs.
    ///
    /// # Errors
    /// `Io` from the source.
    pub(super) fn give(&mut self, source: &dyn Source) -> Result<()> {
        match std::mem::replace(&mut self.step, Step::Done) {
            Step::Bloom => {
                self.step = self.read_bloom_headers(source)?;
            }
            Step::Blocks(blocks) => {
                self.step = Step::Dictionary;
                self.read_blocks(source, &blocks)?;
            }
            Step::Dictionary => {
                self.step = Step::Index;
                self.read_dictionaries(source)?;
            }
            Step::Index => self.read_page_indexes(source)?,
            Step::Done => {}
        }
        self.settle();
        Ok(())
    }

    /// What is left.
    pub(super) fn finish(self) -> Pruned {
        let residual = self.filter.predicate.formula.residual(&self.verdicts);
        let all = match residual {
            Formula::Constant(true) => self.some.clone(),
            _ => self.all.and(&self.some),
        };
        Pruned { all, some: self.some, residual, indexes: self.indexes }
    }

    /// Whether page indexes and dictionaries of more bytes were read than the file has: many row groups call the same bytes theirs, and looking at them for
    /// each takes longer than reading the rows.
    fn has_looked_enough(&self) -> bool {
        self.filter.looked_at.load(Ordering::Relaxed) > self.plan.file.metadata.file_size()
    }

    fn look_at(&self, range: &Range<u64>) {
        self.filter.looked_at.fetch_add(range.end.saturating_sub(range.start), Ordering::Relaxed);
    }

    fn verdict(&self) -> Verdict {
        self.filter.predicate.formula.verdict(&self.verdicts)
    }

    /// Nothing more is to be asked of a row group that is decided.
    fn settle(&mut self) {
        if self.verdict() != Verdict::Some {
            self.step = Step::Done;
        }
    }

    fn row_group(&self) -> Option<RowGroup<'p>> {
        self.plan.file.metadata.row_group(self.plan.groups.get(self.group)?.index)
    }

    /// Those of some tests that together decide that no row passes, if they say so; else none.
    fn deciding(&self, tests: Vec<(usize, Range<u64>)>) -> Vec<(usize, Range<u64>)> {
        let mut verdicts = self.verdicts.clone();
        for (test, _) in &tests {
            if let Some(verdict) = verdicts.get_mut(*test) {
                *verdict = Verdict::None;
            }
        }
        match self.filter.predicate.formula.verdict(&verdicts) {
            Verdict::None => tests,
            _ => Vec::new(),
        }
    }

    /// The tests that are still open, of those that the formula still depends on.
    fn open(&self) -> Vec<usize> {
        self.filter.predicate.formula.residual(&self.verdicts).tests()
    }

    fn bloom_headers(&self) -> Vec<(usize, Range<u64>)> {
        let Some(row_group) = self.row_group() else { return Vec::new() };
        let file_size = self.plan.file.metadata.file_size();
        let header = |test: usize| {
            let tested = self.filter.predicate.tests.get(test)?;
            tested.hashes()?;
            let location = row_group.chunk(tested.leaf).ok().filter(|chunk| !chunk.in_other_file && !chunk.encrypted)?.bloom_filter?;
            let length = location.length.map_or(HEADER_BYTES as u64, u64::from);
            // Small filters come whole.
            let length = if length <= 4096 { length } else { HEADER_BYTES as u64 };
            Some((test, location.offset..location.offset.saturating_add(length).min(file_size)))
        };
        self.deciding(self.open().into_iter().filter_map(header).collect())
    }

    fn read_bloom_headers(&mut self, source: &dyn Source) -> Result<Step> {
        let (mut blocks, mut bytes_of) = (Vec::new(), Vec::new());
        for (test, range) in self.bloom_headers() {
            let bytes = source.read(range.clone())?;
            let hashes = self.filter.predicate.tests.get(test).and_then(|test| test.hashes()).unwrap_or_default();
            for hash in hashes {
                let Ok(block) = BloomFilter::block_range(&bytes, hash) else {
                    // A filter that cannot be read may have anything in it.
                    return Ok(Step::Dictionary);
                };
                let range = range.start.saturating_add(block.start as u64)..range.start.saturating_add(block.end as u64);
                bytes_of.push(bytes.get(block).map(|block| BloomFilter::block_may_contain(block, hash)));
                blocks.push((test, hash, range));
            }
        }
        if bytes_of.iter().any(Option::is_none) {
            let file_size = self.plan.file.metadata.file_size();
            let inside = blocks.iter().all(|(_, _, range)| range.end <= file_size);
            return Ok(if inside { Step::Blocks(blocks) } else { Step::Dictionary });
        }
        let found = blocks.iter().zip(bytes_of).filter(|(_, found)| *found == Some(true)).map(|((test, ..), _)| *test).collect();
        self.apply_blocks(&blocks, found);
        Ok(Step::Dictionary)
    }

    fn read_blocks(&mut self, source: &dyn Source, blocks: &[(usize, u64, Range<u64>)]) -> Result<()> {
        let mut found = Vec::new();
        for (test, hash, range) in blocks {
            if BloomFilter::block_may_contain(&source.read(range.clone())?, *hash) {
                found.push(*test);
            }
        }
        self.apply_blocks(blocks, found);
        Ok(())
    }

    /// Tests of which no value was found exclude all rows.
    fn apply_blocks(&mut self, blocks: &[(usize, u64, Range<u64>)], found: Vec<usize>) {
        for (test, ..) in blocks {
            if !found.contains(test)
                && let Some(verdict) = self.verdicts.get_mut(*test)
            {
                *verdict = Verdict::None;
            }
        }
        if self.verdict() == Verdict::None {
            self.exclude(|metrics, rows, bytes| {
                metrics.row_groups_by_bloom_filters += 1;
                metrics.rows_by_bloom_filters += rows;
                metrics.bytes_by_bloom_filters += bytes;
            });
        }
    }

    fn exclude(&mut self, count: impl FnOnce(&mut ScanMetrics, u64, u64)) {
        let rows = self.some.len();
        let bytes = self.filter.bytes(self.plan, self.group);
        self.filter.count(|metrics| count(metrics, rows, bytes));
        self.some = RowRanges::none();
    }

    /// Dictionary pages that have every value of their chunk.
    fn dictionaries(&self) -> Vec<(usize, Range<u64>)> {
        let Some(row_group) = self.row_group() else { return Vec::new() };
        let page = |test: usize| {
            let tested = self.filter.predicate.tests.get(test).filter(|test| test.wants_dictionary())?;
            let location = row_group.chunk(tested.leaf).ok().filter(|chunk| !chunk.in_other_file && !chunk.encrypted)?;
            let start = location.dictionary_page_offset?;
            let range = start..location.data_page_offset;
            let length = range.end.checked_sub(range.start).filter(|length| *length > 0)?;
            let chunk = location.range.end.saturating_sub(location.range.start);
            let pays = chunk >= SMALL && length <= chunk / 4 && start == location.range.start && range.end <= location.range.end;
            (pays && has_all_values(&row_group, tested.leaf)).then_some((test, range))
        };
        self.deciding(self.open().into_iter().filter_map(page).collect())
    }

    fn read_dictionaries(&mut self, source: &dyn Source) -> Result<()> {
        let Some(row_group) = self.row_group() else { return Ok(()) };
        for (test, range) in self.dictionaries() {
            self.look_at(&range);
            let bytes = source.read(range.clone())?;
            let Some(tested) = self.filter.predicate.tests.get(test) else { continue };
            // A dictionary page that is broken, or is none, comes up again where the data is read.
            let Ok(Some(dictionary)) = self.dictionary(tested.leaf, range.start, bytes) else { continue };
            let statistics = row_group.statistics(tested.leaf).ok().flatten();
            let nulls = tested.may_have_nulls(statistics.as_ref());
            if let Some(verdict) = self.verdicts.get_mut(test) {
                *verdict = tested.by_dictionary(&dictionary, nulls);
            }
        }
        if self.verdict() == Verdict::None {
            self.exclude(|metrics, rows, bytes| {
                metrics.row_groups_by_dictionaries += 1;
                metrics.rows_by_dictionaries += rows;
                metrics.bytes_by_dictionaries += bytes;
            });
        }
        Ok(())
    }

    fn dictionary(&self, leaf: usize, from: u64, bytes: bytes::Bytes) -> Result<Option<Dictionary>> {
        let group = self.plan.groups.get(self.group).ok_or_else(|| Error::usage("no such row group"))?;
        let options = PageOptions { limits: self.plan.file.limits.clone(), verify_crc: self.plan.verify_crc, window: Some(0) };
        let mut pages = PageReader::new(Arc::clone(&self.plan.file.source), &self.plan.file.metadata, group.index, leaf, &options)?;
        pages.hold(from, bytes);
        match pages.next_page()? {
            Some(page) if page.is_dictionary() && page.uncompressed_size() <= LARGEST_DICTIONARY => {
                page.decompress(&mut Decompressor::new(), Vec::new())?.decode_dictionary().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The columns whose indexes may narrow the rows: leaf, offset index, column index.
    fn page_indexes(&self) -> Vec<(usize, Range<u64>, Range<u64>)> {
        let Some(row_group) = self.row_group() else { return Vec::new() };
        let mut leaves: Vec<usize> =
            self.open().iter().filter_map(|test| self.filter.predicate.tests.get(*test)).map(|test| test.leaf).collect();
        leaves.sort_unstable();
        leaves.dedup();
        let located = |leaf: usize| {
            let chunk = row_group.chunk(leaf).ok().filter(|chunk| !chunk.in_other_file && !chunk.encrypted)?;
            let pays = self.filter.bytes(self.plan, self.group) >= SMALL;
            pays.then_some((leaf, chunk.offset_index?, chunk.column_index?))
        };
        leaves.into_iter().filter_map(located).collect()
    }

    fn read_page_indexes(&mut self, source: &dyn Source) -> Result<()> {
        let Some(row_group) = self.row_group() else { return Ok(()) };
        let mut columns: HashMap<usize, ColumnIndex> = HashMap::new();
        for (leaf, offsets_at, columns_at) in self.page_indexes() {
            self.look_at(&offsets_at);
            self.look_at(&columns_at);
            let (offset_bytes, column_bytes) = (source.read(offsets_at)?, source.read(columns_at)?);
            // Indexes that contradict themselves are left aside.
            let Ok(offsets) = row_group.parse_offset_index(leaf, &offset_bytes) else { continue };
            if let Ok(index) = row_group.parse_column_index(leaf, &column_bytes, &offsets) {
                columns.insert(leaf, index);
            }
            self.indexes.insert(leaf, Arc::new(offsets));
        }
        let num_rows = row_group.num_rows();
        let predicate = &self.filter.predicate;
        let known = |test: usize| match (self.verdicts.get(test), predicate.tests.get(test)) {
            (Some(Verdict::None), _) => (RowRanges::none(), RowRanges::none()),
            (Some(Verdict::All), _) => (RowRanges::all(num_rows), RowRanges::all(num_rows)),
            (_, Some(test)) => match (columns.get(&test.leaf), self.indexes.get(&test.leaf)) {
                (Some(index), Some(offsets)) => test.by_pages(index, offsets),
                _ => (RowRanges::all(num_rows), RowRanges::none()),
            },
            _ => (RowRanges::all(num_rows), RowRanges::none()),
        };
        let (some, all) = predicate.formula.rows(num_rows, &known);
        let left = self.some.and(&some);
        self.count_pages(&left, num_rows);
        (self.some, self.all) = (left, all);
        Ok(())
    }

    fn count_pages(&self, left: &RowRanges, num_rows: u64) {
        let excluded = self.some.len().saturating_sub(left.len());
        if excluded == 0 {
            return;
        }
        let (mut pages, mut bytes) = (0_u64, 0_u64);
        let mut others = self.filter.bytes(self.plan, self.group);
        for index in self.indexes.values() {
            let chunk: u64 = index.pages().iter().map(|page| u64::from(page.size)).sum();
            others = others.saturating_sub(chunk);
            for page in (0..index.num_pages()).filter(|page| !left.touches(&index.rows(*page))) {
                pages = pages.saturating_add(1);
                bytes = bytes.saturating_add(index.pages().get(page).map_or(0, |page| u64::from(page.size)));
            }
        }
        bytes = bytes.saturating_add((others as f64 * excluded as f64 / num_rows.max(1) as f64) as u64);
        self.filter.count(|metrics| {
            metrics.row_groups_by_page_indexes += u64::from(left.is_empty());
            metrics.rows_by_page_indexes += excluded;
            metrics.pages_by_page_indexes += pages;
            metrics.bytes_by_page_indexes += bytes;
        });
    }
}

/// Whether all values of a chunk are in its dictionary: as the file counts its pages, or because it names no other encoding.
fn has_all_values(row_group: &RowGroup<'_>, leaf: usize) -> bool {
    let Ok(column) = row_group.column(leaf) else { return false };
    column.is_all_dictionary().unwrap_or_else(|| {
        // Newer writers name the encoding of the dictionary page itself, PLAIN, beside RLE_DICTIONARY: then it is not known.
        let encodings = column.encodings();
        encodings.contains(&Encoding::PlainDictionary)
            && encodings.iter().all(|encoding| matches!(encoding, Encoding::PlainDictionary | Encoding::Rle | Encoding::BitPacked))
    })
}
