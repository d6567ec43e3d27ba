//! Columns that give up what they hold between two batches, where all columns of a scan together hold too much.
//!
//! Between batches a reader keeps the page that it is in the midst of, and the dictionary. A file of few bytes can have thousands of columns whose
//! chunks are the same bytes and inflate to the largest page that is allowed. So what is held is counted over all columns; beyond
//! [`Limits::memory_bytes`](crate::Limits::memory_bytes) it is dropped after each batch, and read and decompressed again for the next one.

use super::{LeafReader, Next, Scratch};
use crate::error::Result;

/// Where a page is, and how many of its entries were done.
pub(super) struct Parked {
    offset: u64,
    ordinal: usize,
    done: usize,
}

impl LeafReader {
    /// Counts what is held until the next batch, or drops it.
    #[cfg(feature = "arrow")]
    pub(crate) fn settle(&mut self, scratch: &mut Scratch) {
        let page = self.page.as_ref().map_or(0, |open| open.page.buffer_size());
        let dictionary = if self.dictionary.is_some() { self.dictionary_bytes } else { 0 };
        let last = self.last_value.as_ref().map_or(0, |last| last.capacity());
        self.hold(page.saturating_add(dictionary).saturating_add(last));
        if self.is_crowded() {
            self.park(scratch);
        }
    }

    /// Whether all columns together hold more than they should.
    #[cfg(feature = "arrow")]
    pub(super) fn is_crowded(&self) -> bool {
        self.counters.as_ref().is_some_and(|counters| counters.held() > self.pages.limits().memory_bytes)
    }

    fn hold(&mut self, bytes: usize) {
        if let Some(counters) = &self.counters
            && bytes != self.held
        {
            counters.hold(self.held, bytes);
            self.held = bytes;
        }
    }

    #[cfg(feature = "arrow")]
    fn park(&mut self, scratch: &mut Scratch) {
        match self.page.take() {
            Some(open) if open.left > 0 => {
                let done = open.page.num_values().saturating_sub(open.left);
                let (offset, ordinal) = open.page.where_it_is();
                self.parked = Some(Parked { offset, ordinal, done });
            }
            open => {
                self.page = open;
                self.close(scratch);
            }
        }
        if self.dictionary_at.is_some() {
            self.dictionary = None;
            self.was_dropped = true;
        }
        self.hold(if self.dictionary.is_some() { self.dictionary_bytes } else { 0 });
    }

    /// Opens the page again that was parked.
    pub(super) fn resume(&mut self, scratch: &mut Scratch) -> Result<()> {
        let Some(Parked { offset, ordinal, done }) = self.parked else { return Ok(()) };
        let page = self.pages.page_again(offset, ordinal)?;
        self.open(Next { page, decompressed: None }, None, scratch)?;
        let is_list = self.chunk.max_repetition > 0;
        if let Some(open) = &mut self.page {
            open.pass_entries(done, is_list).map_err(|error| open.page.place(error))?;
        }
        self.parked = None;
        Ok(())
    }
}

impl Drop for LeafReader {
    fn drop(&mut self) {
        self.hold(0);
    }
}
