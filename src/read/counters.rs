//! What reading did, counted.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;

use crate::error::Result;
use crate::read::Source;

/// Counts of one scan, added to by all its threads.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pages: AtomicU64,
    reads: AtomicU64,
    bytes: AtomicU64,
    held: AtomicUsize,
}

impl Counters {
    /// A data page is decoded.
    pub(crate) fn page(&self) {
        self.pages.fetch_add(1, Ordering::Relaxed);
    }

    /// The data pages that were decoded.
    pub(crate) fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    /// A reader of a column holds so many bytes between two batches, and no more those that it held `before`.
    pub(crate) fn hold(&self, before: usize, now: usize) {
        self.held.fetch_add(now, Ordering::Relaxed);
        self.held.fetch_sub(before, Ordering::Relaxed);
    }

    /// The bytes that the readers of all columns hold.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Bytes came from the source.
    pub(crate) fn fetch(&self, bytes: u64) {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The reads of the source, and their bytes.
    pub(crate) fn fetched(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// A source whose reads are counted.
pub(crate) struct Counted {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) counters: Arc<Counters>,
}

impl Source for Counted {
    fn size(&self) -> Result<u64> {
        self.source.size()
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        self.counters.fetch(range.end.saturating_sub(range.start));
        self.source.read(range)
    }

    fn window(&self) -> u64 {
        self.source.window()
    }
}
