//! Scans without I/O: they say which bytes they need, take them, and give batches.

#![allow(clippy::arithmetic_side_effects, reason = "row groups, whose list is in memory, are counted")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use crate::arrow::filter::ScanMetrics;
use crate::arrow::lanes;
use crate::arrow::plan::{Group, Plan};
use crate::arrow::scan::{Progress, Scan};
use crate::error::{Error, Result};
use crate::read::{FetchOptions, Missing, Pushed, Spans};

/// A scan for callers who do the reading themselves: engines with I/O of their own, and places without any, such as wasm. Made by
/// [`ScanBuilder::push`](crate::arrow::ScanBuilder::push), with all options of other scans.
///
/// ```
/// use bytes::Bytes;
/// use herringbone::arrow::{ParquetFile, PushStep};
/// use herringbone::{Limits, read};
///
/// # fn main() -> herringbone::Result<()> {
/// # let file = Bytes::from(std::fs::read("testdata/codecs.none-v1.parquet")?);
/// let metadata = read::metadata(&file, &Limits::default())?; // or `read::PushFooter`, which does no I/O either
/// let mut scan = ParquetFile::without_source(metadata, Limits::default()).scan().columns(["word"]).push()?;
/// let mut rows = 0;
/// loop {
///     match scan.next()? {
///         PushStep::Need(ranges) => {
///             for range in ranges {
///                 scan.push(range.start, file.slice(range.start as usize..range.end as usize));
///             }
///         }
///         PushStep::Batch(batch) => rows += batch.num_rows(),
///         PushStep::Done => break,
///     }
/// }
/// assert_eq!(rows, 150);
/// # Ok(())
/// # }
/// ```
///
/// Bytes may be pushed before they are needed: [`ahead`](Self::ahead) says which. Those of a row group are kept until its last
/// batch was taken.
pub struct PushScan {
    scan: Scan,
    pushed: Arc<Pushed>,
    fetch: FetchOptions,
    /// The row group of the plan whose bytes are the first that are kept.
    kept_from: usize,
    /// The row group of the plan that is looked at ahead next.
    asked_to: usize,
    /// The row group of the plan whose bytes are the first that are not claimed.
    claimed_to: usize,
    claims: Claims,
    /// Whether the scan ended with an error.
    failed: bool,
}

/// What a [`PushScan`] does next.
#[derive(Clone, Debug)]
pub enum PushStep {
    /// The next batch.
    Batch(RecordBatch),
    /// These bytes of the file are needed before there is another batch: ascending, put together as
    /// [`FetchOptions`] say, so that a range is worth a request. It is not remembered what was asked for before.
    Need(Vec<Range<u64>>),
    /// There are no more batches.
    Done,
}

impl std::fmt::Debug for PushScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushScan").field("scan", &self.scan).field("pushed", &self.pushed).finish_non_exhaustive()
    }
}

impl PushScan {
    pub(crate) fn new(scan: Scan, pushed: Arc<Pushed>, fetch: FetchOptions) -> Self {
        Self { scan, pushed, fetch, kept_from: 0, asked_to: 0, claimed_to: 0, claims: Claims::default(), failed: false }
    }

    /// The schema of the batches.
    pub fn schema(&self) -> SchemaRef {
        self.scan.schema()
    }

    /// As [`Scan::num_rows`].
    pub fn num_rows(&self) -> u64 {
        self.scan.num_rows()
    }

    /// As [`Scan::metrics`]; reads are pushes.
    pub fn metrics(&self) -> ScanMetrics {
        self.scan.metrics()
    }

    /// As [`Scan::is_exact`].
    pub fn is_exact(&self) -> bool {
        self.scan.is_exact()
    }

    /// As [`Scan::explain`].
    pub fn explain(&self) -> String {
        self.scan.explain()
    }

    /// Takes bytes of the file, from the offset `start` on, at any time and in any order. They may be more or fewer than those
    /// that were asked for; what is missing is asked for again.
    pub fn push(&mut self, start: u64, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.scan.plan.counters.fetch(bytes.len() as u64);
        self.pushed.push(start, bytes);
    }

    /// The next batch, or what is needed for it. While threads decode it, it waits: [`poll`](Self::poll) does not.
    ///
    /// # Errors
    /// As [`Scan`]'s iterator gives them. Nothing comes after an error but errors.
    #[allow(clippy::should_implement_trait, reason = "it may need bytes before it goes on, which an iterator cannot say")]
    pub fn next(&mut self) -> Result<PushStep> {
        loop {
            if let Poll::Ready(step) = self.step(None, &Spans::default())? {
                return Ok(step);
            }
        }
    }

    /// As [`next`](Self::next), without waiting for threads that decode: then it is `Pending`, and the task is woken.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<PushStep>> {
        self.poll_beside(context, &Spans::default())
    }

    /// As [`poll`](Self::poll), while some ranges are on their way: what is needed beside them, which may be nothing.
    pub(crate) fn poll_beside(&mut self, context: &mut Context<'_>, coming: &Spans<()>) -> Poll<Result<PushStep>> {
        match self.step(Some(context.waker()), coming) {
            Ok(step) => step.map(Ok),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// What the coming row groups will need and what is not here yet, in the order in which it will be needed, put together
    /// as [`FetchOptions`] say: requests of up to `bytes` in all, or of one row group if that takes more.
    ///
    /// A row group is looked at once: what was given for it does not come again. Behind a filter it is not known what a row
    /// group will need before bloom filters, page indexes and the filter's columns were looked at; then what is known comes, again
    /// and again until it is pushed.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    pub fn ahead(&mut self, bytes: u64) -> Result<Vec<Range<u64>>> {
        self.ahead_beside(bytes, &Spans::default())
    }

    /// As [`ahead`](Self::ahead), while some ranges are on their way: what is needed beside them.
    pub(crate) fn ahead_beside(&mut self, bytes: u64, coming: &Spans<()>) -> Result<Vec<Range<u64>>> {
        // Put together with what is on its way, ranges would span what came before it.
        let missing = |ranges| coming.missing(self.pushed.missing(ranges));
        let (mut requests, mut wanted, mut size) = (Vec::new(), missing(self.scan.missing_ahead()), 0_u64);
        let mut wanted_size = total(&wanted);
        let plan = &self.scan.plan;
        self.asked_to = self.asked_to.max(self.scan.groups().start);
        while let Some(group) = plan.groups.get(self.asked_to) {
            let needs = match self.scan.looks_at() {
                Some(_) => self.whole(self.asked_to),
                None => lanes::needs(plan, group).map_err(|error| plan.file.place(error))?,
            };
            let missing = missing(needs);
            let length = total(&missing);
            if size > 0 && size.saturating_add(length) > bytes {
                break;
            }
            self.asked_to += 1;
            size = size.saturating_add(length);
            // Row groups are put together while they are small: the first of many bytes is not to wait for the last.
            if wanted_size.saturating_add(length) > self.fetch.request_bytes {
                requests.extend(self.fetch.requests(std::mem::take(&mut wanted)));
                wanted_size = 0;
            }
            wanted.extend(missing);
            wanted_size = wanted_size.saturating_add(length);
        }
        requests.extend(self.fetch.requests(wanted));
        Ok(requests)
    }

    /// The number of bytes that were pushed and are kept.
    pub fn kept_bytes(&self) -> u64 {
        self.pushed.bytes()
    }

    fn step(&mut self, waker: Option<&Waker>, coming: &Spans<()>) -> Result<Poll<PushStep>> {
        if self.failed {
            return Err(Error::usage("the scan ended with an error before: make another one"));
        }
        loop {
            let step = match self.scan.advance(waker) {
                Ok(Progress::Batch(batch)) => PushStep::Batch(batch),
                Ok(Progress::End) => PushStep::Done,
                Ok(Progress::Pending) => return Ok(Poll::Pending),
                Err(error) => match Missing::of(&error) {
                    Some(ranges) => {
                        let missing = self.pushed.missing(ranges.to_vec());
                        if missing.is_empty() {
                            // A thread looked for them just before they came.
                            continue;
                        }
                        PushStep::Need(self.fetch.requests(coming.missing(self.with_the_rest(missing))))
                    }
                    None => {
                        self.failed = true;
                        return Err(self.scan.plan.file.place(error));
                    }
                },
            };
            self.forget();
            return Ok(Poll::Ready(step));
        }
    }

    /// Adds what the row groups at work will need later, if they are so small that asking step by step takes longer.
    fn with_the_rest(&self, mut missing: Vec<Range<u64>>) -> Vec<Range<u64>> {
        if self.scan.looks_at().is_some() {
            let rest: Vec<Range<u64>> = self.scan.groups().flat_map(|group| self.whole(group)).collect();
            missing.extend(self.pushed.missing(rest));
        }
        missing
    }

    /// All chunks that a filtered scan may read of a row group of the plan; none if their bytes take longer than requests.
    fn whole(&self, group: usize) -> Vec<Range<u64>> {
        let plan = &self.scan.plan;
        let Some(described) = plan.groups.get(group) else { return Vec::new() };
        let leaves = self.leaves();
        let chunks: Vec<Range<u64>> =
            leaves.iter().filter_map(|leaf| plan.location(described.index, *leaf).ok()).map(|chunk| chunk.range).collect();
        if total(&chunks) <= self.fetch.gap { chunks } else { Vec::new() }
    }

    /// The leaf columns that are read.
    fn leaves(&self) -> Vec<usize> {
        let plan = &self.scan.plan;
        self.scan.looks_at().map_or_else(|| plan.leaves.iter().flatten().copied().collect(), |filter| filter.leaves(plan))
    }

    /// Forgets the bytes of row groups that were handed out as a whole.
    fn forget(&mut self) {
        let groups = self.scan.groups();
        if groups.start == self.kept_from {
            return;
        }
        self.kept_from = groups.start;
        self.claim(groups.start..self.asked_to.max(groups.end));
        for left in self.claims.leave(groups.start) {
            self.pushed.forget(&self.claims.last.gap(&left));
        }
        // What nobody asked for.
        for new in self.pushed.take_new() {
            if self.claims.last.overlapping(&new).next().is_none() {
                self.pushed.forget(&self.claims.last.gap(&new));
            }
        }
    }

    /// Claims what row groups need for which that was not done yet.
    fn claim(&mut self, groups: Range<usize>) {
        let plan = &self.scan.plan;
        if let Some((start, bytes)) = plan.file.origin.end.as_ref().filter(|_| self.claimed_to == 0) {
            // The last row groups may be in what was fetched with the footer.
            self.claims.claim(plan.groups.len().saturating_sub(1), *start..start.saturating_add(bytes.len() as u64));
        }
        let groups = groups.start.max(self.claimed_to)..groups.end;
        let leaves = if groups.is_empty() { Vec::new() } else { self.leaves() };
        for index in groups {
            let places = plan.groups.get(index).map(|group| places(plan, group, &leaves));
            places.into_iter().flatten().for_each(|range| self.claims.claim(index, range));
            self.claimed_to = index + 1;
        }
    }
}

/// What row groups need that were asked for, so that what none needs any more can be forgotten.
#[derive(Default)]
struct Claims {
    /// Of each byte the last row group, by its place in the plan, that needs it.
    last: Spans<usize>,
    /// Each row group, the first on top, with the places where its ranges begin; there may be another's by now.
    order: BinaryHeap<Reverse<(usize, u64)>>,
}

impl Claims {
    /// Adds a range of a row group, which comes after all others that overlap it.
    fn claim(&mut self, group: usize, range: Range<u64>) {
        self.last.set(range.clone(), group);
        self.order.push(Reverse((group, range.start)));
        // This may be the rest of a range that was cut in two.
        if let Some((_, other)) = self.last.starting(range.end) {
            self.order.push(Reverse((*other, range.end)));
        }
    }

    /// Ends the claims of the row groups before one, and gives what none after them needs.
    fn leave(&mut self, first: usize) -> Vec<Range<u64>> {
        let mut left = Vec::new();
        while let Some(Reverse((group, start))) = self.order.peek().copied()
            && group < first
        {
            self.order.pop();
            if self.last.starting(start).is_some_and(|(_, last)| *last == group) {
                left.extend(self.last.remove(start).map(|(range, _)| range));
            }
        }
        left
    }
}

/// How many bytes of a bloom filter are kept that does not say how many it has.
const BLOOM_FILTER: u64 = 1 << 20;

/// Where everything is that may be read of some columns of a row group.
fn places(plan: &Plan, group: &Group, leaves: &[usize]) -> Vec<Range<u64>> {
    let chunks = leaves.iter().filter_map(|leaf| plan.location(group.index, *leaf).ok());
    let places = chunks.flat_map(|chunk| {
        let bloom = chunk.bloom_filter.map(|filter| {
            let length = filter.length.map_or(BLOOM_FILTER, u64::from);
            filter.offset..filter.offset.saturating_add(length)
        });
        [Some(chunk.range), chunk.offset_index, chunk.column_index, bloom].into_iter().flatten()
    });
    places.collect()
}

fn total(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end.saturating_sub(range.start)).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Limits;
    use crate::arrow::ParquetFile;

    proptest! {
        #[test]
        fn what_is_left_is_what_no_later_row_group_claimed(
            claims in prop::collection::vec((0..3_usize, 0..60_u64, 1..30_u64), 0..12),
        ) {
            // Some row groups claim more than one range, and some none.
            let mut group = 0;
            let claims: Vec<(usize, Range<u64>)> =
                claims.into_iter().map(|(step, start, length)| { group += step; (group, start..start + length) }).collect();
            let mut all = Claims::default();
            claims.iter().for_each(|(group, range)| all.claim(*group, range.clone()));
            for first in 0..=group + 1 {
                let left: Vec<u64> = all.leave(first).into_iter().flatten().collect();
                let bytes = |from: usize, to: usize| -> std::collections::BTreeSet<u64> {
                    claims.iter().filter(|(group, _)| (from..to).contains(group)).flat_map(|(_, range)| range.clone()).collect()
                };
                let expected = &bytes(first.saturating_sub(1), first) - &bytes(first, usize::MAX);
                prop_assert_eq!(left.iter().copied().collect::<std::collections::BTreeSet<u64>>(), expected);
            }
        }
    }

    #[test]
    fn what_came_between_what_is_coming_is_not_asked_for_again() {
        let file = Bytes::from(std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/codecs.none-v1.parquet")).unwrap());
        let metadata = ParquetFile::from_bytes(file.clone()).unwrap().metadata().clone();
        let (third, end) = (file.len() as u64 / 3, file.len() as u64);
        let (came, coming) = (third..2 * third, Spans::of([0..third, 2 * third..end]));
        let scan = || {
            let open = ParquetFile::without_source(metadata.clone(), Limits::default()).with_fetch_options(FetchOptions::remote());
            let mut scan = open.scan().threads(1).push().unwrap();
            scan.push(came.start, file.slice(came.start as usize..came.end as usize));
            scan
        };
        // Put together before what is coming is taken out, what came is left.
        assert_eq!(coming.missing(scan().ahead(u64::MAX).unwrap()), std::slice::from_ref(&came));
        assert!(scan().ahead_beside(u64::MAX, &coming).unwrap().is_empty());
        let step = scan().poll_beside(&mut Context::from_waker(Waker::noop()), &coming);
        assert!(matches!(&step, Poll::Ready(Ok(PushStep::Need(ranges))) if ranges.is_empty()), "{step:?}");
    }
}
