//! Pages that other threads read and decompress before a column comes to them.
//!
//! The pages of a list do not tell which rows they hold, so that a chunk of them cannot be cut into parts for several threads. But what takes half
//! of the time there can be done before: reading and decompressing. The thread that decodes the column never waits for a page that nobody works
//! on: it prepares that itself, and the next one while another thread is at the page that it needs. Where there is nothing
//! left to begin with it waits for that thread, which runs no code of a caller's and so cannot be waiting for this one: sources of callers are not
//! read so.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{LeafReader, Next, SHARE_AHEAD, Scratch};
use crate::error::{Error, Result, caught};
use crate::read::PageReader;

/// Gives a task to another thread, with that thread's memory; it may come to be dropped instead.
pub(crate) type Spawn = dyn Fn(Box<dyn FnOnce(&mut Scratch) + Send>) + Send + Sync;

/// At most so many pages wait.
const PAGES_AHEAD: usize = 8;
/// And no more once they have so many bytes, decompressed, or a share of what may be held at a time.
const BYTES_AHEAD: usize = 4 << 20;
/// Chunks of fewer bytes are not worth another thread.
const WORTH_A_THREAD: u64 = 8 << 10;

/// The pages of a chunk, in order.
pub(super) struct Prepared {
    shared: Arc<Shared>,
    spawn: Arc<Spawn>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// None while a thread reads with it.
    pages: Option<Box<PageReader>>,
    /// The pages that come next; None where one is still being decompressed.
    coming: VecDeque<Option<Result<Next>>>,
    /// How many pages were taken.
    taken: usize,
    /// The size of the pages that come, decompressed.
    bytes: usize,
    /// And how large they may become.
    most_bytes: usize,
    /// Whether a task was given away and has not ended.
    is_helped: bool,
    /// Whether there are no more pages to read.
    at_end: bool,
    /// Memory of pages that are done with.
    spare: Vec<Vec<u8>>,
}

impl State {
    /// The page that comes next, if it is there.
    fn take(&mut self) -> Option<Result<Next>> {
        let next = self.coming.front_mut()?.take()?;
        self.coming.pop_front();
        self.taken = self.taken.saturating_add(1);
        self.bytes = self.bytes.saturating_sub(next.as_ref().map_or(0, |next| next.page.uncompressed_size()));
        Some(next)
    }

    /// Whether a thread would have several pages to prepare: waking one for each would cost more than it saves.
    fn wants_help(&self) -> bool {
        self.has_work() && self.coming.len() <= PAGES_AHEAD / 2 && self.bytes <= self.most_bytes / 2
    }

    /// Whether a thread could begin with another page.
    fn has_work(&self) -> bool {
        !self.at_end && self.pages.is_some() && self.coming.len() < PAGES_AHEAD && (self.coming.is_empty() || self.bytes < self.most_bytes)
    }
}

impl LeafReader {
    /// Has other threads prepare pages, where that is worth it. All rows of the chunk have to be read then.
    pub(crate) fn set_spawn(&mut self, spawn: &Arc<Spawn>) {
        let range = self.pages.range();
        if self.is_lean || range.end.saturating_sub(range.start) < WORTH_A_THREAD {
            return;
        }
        let state = State {
            pages: Some(Box::new(self.pages.clone())),
            coming: VecDeque::new(),
            taken: 0,
            bytes: 0,
            most_bytes: BYTES_AHEAD.min(self.pages.limits().memory_bytes / SHARE_AHEAD),
            is_helped: false,
            at_end: false,
            spare: Vec::new(),
        };
        let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
        self.prepared = Some(Prepared { shared: Arc::new(shared), spawn: Arc::clone(spawn) });
    }
}

impl Prepared {
    /// The next page, its body decompressed unless it is a dictionary or large; `None` at the end of the chunk.
    pub(super) fn next(&self, scratch: &mut Scratch) -> Result<Option<Next>> {
        loop {
            let mut state = self.shared.lock();
            if !state.is_helped && state.wants_help() {
                state.is_helped = true;
                drop(state);
                let shared = Arc::clone(&self.shared);
                (self.spawn)(Box::new(move |scratch| shared.help(scratch)));
                state = self.shared.lock();
            }
            if let Some(next) = state.take() {
                return next.map(Some);
            }
            if state.at_end && state.coming.is_empty() {
                return Ok(None);
            }
            if state.has_work() {
                drop(state);
                self.shared.prepare(scratch);
            } else {
                // Whoever is at it waits for nobody.
                drop(self.shared.changed.wait(state));
            }
        }
    }

    /// Takes the memory of a page that is done with.
    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        let mut state = self.shared.lock();
        if state.spare.len() < PAGES_AHEAD && buffer.capacity() > 0 && buffer.capacity() <= state.most_bytes {
            state.spare.push(buffer);
        }
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.at_end = true;
        state.coming.clear();
        state.spare.clear();
    }
}

impl Shared {
    /// A panic while the lock is held would leave whole values behind, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares pages as long as there are some to prepare.
    fn help(&self, scratch: &mut Scratch) {
        while self.prepare(scratch) {}
        self.lock().is_helped = false;
    }

    /// Reads and decompresses the page after those that are there or in work; `false` where another thread reads,
    /// enough is there, or the chunk ends.
    fn prepare(&self, scratch: &mut Scratch) -> bool {
        let (mut pages, buffer) = {
            let mut state = self.lock();
            let pages = if state.has_work() { state.pages.take() } else { None };
            let Some(pages) = pages else { return false };
            (pages, state.spare.pop().unwrap_or_default())
        };
        let read = caught(Error::panicked, || pages.next_page());
        let (page, place, most_bytes) = {
            let mut state = self.lock();
            state.pages = Some(pages);
            self.changed.notify_all();
            let page = match read {
                Ok(Some(page)) => page,
                Ok(None) => {
                    state.at_end = true;
                    return false;
                }
                Err(error) => {
                    state.at_end = true;
                    state.coming.push_back(Some(Err(error)));
                    return false;
                }
            };
            state.bytes = state.bytes.saturating_add(page.uncompressed_size());
            state.coming.push_back(None);
            (page, state.taken.saturating_add(state.coming.len()).saturating_sub(1), state.most_bytes)
        };
        // One that is larger than all that may wait is decompressed when its turn comes.
        let next = if page.is_dictionary() || page.uncompressed_size() > most_bytes {
            Ok(Next { page, decompressed: None })
        } else {
            let decompressed = caught(Error::panicked, || page.decompress(&mut scratch.decompressor, buffer));
            decompressed.map(|decompressed| Next { page, decompressed: Some(Box::new(decompressed)) })
        };
        let mut state = self.lock();
        let place = place.checked_sub(state.taken);
        if let Some(slot) = place.and_then(|place| state.coming.get_mut(place)) {
            *slot = Some(next);
        }
        self.changed.notify_all();
        true
    }
}
