//! Encoding on a thread pool.
//!
//! Each leaf of each row group is a lane: blocks wait in its queue, and a task takes one after the other until the queue is
//! empty. The lanes of a row group run beside each other and beside those of the next ones, so that a file of one column
//! scales as well. The thread that writes cuts blocks, waits when too much waits, and does all the writing to the sink.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::arrow::write::block::Block;
use crate::arrow::write::engine::{Sizes, guarded};
use crate::arrow::write::inline::write_block;
use crate::arrow::write::{ArrayWriter, ArrowPlan};
use crate::error::{Error, Result};
use crate::write::WrittenChunk;

/// Where tasks run.
#[derive(Clone)]
pub(crate) enum Pool {
    Global,
    Own(Arc<rayon::ThreadPool>),
}

impl Pool {
    /// Rayon's global pool, or one of so many threads.
    ///
    /// # Errors
    /// `Usage` when the threads cannot be started.
    pub(crate) fn new(threads: Option<usize>) -> Result<Self> {
        let Some(threads) = threads else { return Ok(Pool::Global) };
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("herringbone-{i}"));
        match builder.build() {
            Ok(pool) => Ok(Pool::Own(Arc::new(pool))),
            Err(error) => Err(Error::usage(format!("the threads could not be started: {error}"))),
        }
    }

    pub(crate) fn threads(&self) -> usize {
        match self {
            Pool::Global => rayon::current_num_threads(),
            Pool::Own(pool) => pool.current_num_threads(),
        }
    }

    fn spawn(&self, task: impl FnOnce() + Send + 'static) {
        match self {
            Pool::Global => rayon::spawn_fifo(task),
            Pool::Own(pool) => pool.spawn_fifo(task),
        }
    }
}

/// The writing thread's side.
pub(crate) struct Pooled {
    shared: Arc<Shared>,
    pool: Pool,
}

struct Shared {
    plan: Arc<ArrowPlan>,
    state: Mutex<State>,
    /// Something happened that the writing thread may wait for.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    /// Row groups that were not handed out yet; all but the last one are ended.
    groups: VecDeque<Group>,
    /// The number of the first of them.
    first: usize,
    /// Bytes of blocks that are not encoded yet.
    waiting: u64,
    error: Option<Error>,
    cancelled: bool,
}

struct Group {
    lanes: Vec<Lane>,
    ended: bool,
    /// Lanes whose chunks are not there yet.
    unfinished: usize,
}

#[derive(Default)]
struct Lane {
    queue: VecDeque<Arc<Block>>,
    /// Whether a task has the encoder.
    is_running: bool,
    writer: Option<Box<ArrayWriter>>,
    sizes: Sizes,
    chunk: Option<WrittenChunk>,
}

/// What a task does next.
enum Next {
    Encode(Option<Box<ArrayWriter>>, Arc<Block>),
    Finish(Option<Box<ArrayWriter>>),
}

impl Shared {
    /// A panic while the lock is held would leave whole values behind, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lane(&mut self, group: usize, leaf: usize) -> Option<&mut Lane> {
        self.groups.get_mut(group.checked_sub(self.first)?)?.lanes.get_mut(leaf)
    }

    /// What a task of a lane is to do, which has the lane's encoder from then on; `None` when there is nothing.
    fn next(&mut self, group: usize, leaf: usize) -> Option<Next> {
        if self.cancelled || self.error.is_some() {
            return None;
        }
        let ended = self.groups.get(group.checked_sub(self.first)?)?.ended;
        let lane = self.lane(group, leaf)?;
        if let Some(block) = lane.queue.pop_front() {
            return Some(Next::Encode(lane.writer.take(), block));
        }
        if ended && lane.chunk.is_none() {
            return Some(Next::Finish(lane.writer.take()));
        }
        lane.is_running = false;
        None
    }
}

impl Pooled {
    pub(crate) fn new(pool: Pool, plan: Arc<ArrowPlan>) -> Self {
        let shared = Shared { plan, state: Mutex::new(State::default()), progress: Condvar::new() };
        Self { shared: Arc::new(shared), pool }
    }

    pub(crate) fn push(&mut self, block: Block, waiting: u64) -> Result<()> {
        self.wait(|state| state.waiting == 0 || state.waiting + block.bytes <= waiting)?;
        let leaves = self.shared.plan.num_leaves();
        let mut state = self.shared.lock();
        if state.groups.back().is_none_or(|group| group.ended) {
            let lanes = (0..leaves).map(|_| Lane::default()).collect();
            state.groups.push_back(Group { lanes, ended: false, unfinished: leaves });
        }
        // Counted by lane, since each is done with the block at another time.
        state.waiting += share(block.bytes, leaves) * leaves as u64;
        let group = state.first + state.groups.len() - 1;
        let block = Arc::new(block);
        let mut idle = Vec::new();
        for (leaf, lane) in state.groups.back_mut().into_iter().flat_map(|group| group.lanes.iter_mut().enumerate()) {
            lane.queue.push_back(Arc::clone(&block));
            if !std::mem::replace(&mut lane.is_running, true) {
                idle.push(leaf);
            }
        }
        drop(state);
        idle.into_iter().for_each(|leaf| self.spawn(group, leaf));
        Ok(())
    }

    pub(crate) fn end_group(&mut self) -> Result<()> {
        let mut state = self.shared.lock();
        let group_index = state.first + state.groups.len().saturating_sub(1);
        let Some(group) = state.groups.back_mut().filter(|group| !group.ended) else { return Ok(()) };
        group.ended = true;
        let mut idle = Vec::new();
        for (leaf, lane) in group.lanes.iter_mut().enumerate() {
            if !std::mem::replace(&mut lane.is_running, true) {
                idle.push(leaf);
            }
        }
        drop(state);
        idle.into_iter().for_each(|leaf| self.spawn(group_index, leaf));
        Ok(())
    }

    pub(crate) fn settle(&mut self) -> Result<Sizes> {
        let is_idle = |group: &Group| group.lanes.iter().all(|lane| !lane.is_running);
        self.wait(|state| state.groups.back().is_none_or(|group| group.ended || is_idle(group)))?;
        let state = self.shared.lock();
        let open = state.groups.back().filter(|group| !group.ended);
        let lanes = open.into_iter().flat_map(|group| &group.lanes);
        Ok(lanes.fold(Sizes::default(), |sum, lane| Sizes {
            encoded: sum.encoded + lane.sizes.encoded,
            memory: sum.memory + lane.sizes.memory,
        }))
    }

    pub(crate) fn take_finished(&mut self, wait: bool) -> Result<Option<Vec<WrittenChunk>>> {
        let is_finished = |state: &State| state.groups.front().is_none_or(|group| !group.ended || group.unfinished == 0);
        if wait {
            self.wait(is_finished)?;
        }
        let mut state = self.shared.lock();
        if let Some(error) = state.error.take() {
            state.cancelled = true;
            return Err(error);
        }
        if state.groups.front().is_none_or(|group| !group.ended || group.unfinished > 0) {
            return Ok(None);
        }
        let group = state.groups.pop_front();
        state.first += 1;
        Ok(group.map(|group| group.lanes.into_iter().filter_map(|lane| lane.chunk).collect()))
    }

    pub(crate) fn memory(&self) -> u64 {
        let state = self.shared.lock();
        let lanes = state.groups.iter().flat_map(|group| &group.lanes);
        state.waiting + lanes.map(|lane| lane.sizes.memory).sum::<u64>()
    }

    fn spawn(&self, group: usize, leaf: usize) {
        let shared = Arc::clone(&self.shared);
        self.pool.spawn(move || run(&shared, group, leaf));
    }

    /// Waits until the state is as wanted, or an encoder failed.
    fn wait(&self, is_met: impl Fn(&State) -> bool) -> Result<()> {
        loop {
            let mut state = self.shared.lock();
            if let Some(error) = state.error.take() {
                state.cancelled = true;
                return Err(error);
            }
            if is_met(&state) {
                return Ok(());
            }
            if rayon::current_thread_index().is_none() {
                drop(self.shared.progress.wait(state));
                continue;
            }
            // On a thread of the pool itself, waiting would keep it from the work that is waited for.
            drop(state);
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                let state = self.shared.lock();
                if !is_met(&state) && state.error.is_none() {
                    drop(self.shared.progress.wait_timeout(state, Duration::from_millis(1)));
                }
            }
        }
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.cancelled = true;
        state.groups.clear();
    }
}

/// What a block counts for a lane.
fn share(bytes: u64, leaves: usize) -> u64 {
    bytes.checked_div(leaves as u64).unwrap_or(0)
}

/// Does what there is to do for a lane.
fn run(shared: &Arc<Shared>, group: usize, leaf: usize) {
    loop {
        let next = shared.lock().next(group, leaf);
        let done = match next {
            None => {
                shared.progress.notify_all();
                return;
            }
            Some(Next::Encode(writer, block)) => guarded(|| encode(shared, writer, leaf, &block)).map(|writer| {
                let sizes = Sizes { encoded: writer.encoded_size() as u64, memory: writer.memory_size() as u64 };
                let share = share(block.bytes, shared.plan.num_leaves());
                // The last lane to be done with a block frees its arrays, outside of the lock.
                drop(block);
                let mut state = shared.lock();
                state.waiting = state.waiting.saturating_sub(share);
                if let Some(lane) = state.lane(group, leaf) {
                    (lane.writer, lane.sizes) = (Some(writer), sizes);
                }
            }),
            Some(Next::Finish(writer)) => guarded(|| open(shared, writer, leaf)?.finish()).map(|chunk| {
                let mut state = shared.lock();
                if let Some(lane) = state.lane(group, leaf) {
                    lane.sizes = Sizes { encoded: chunk.compressed_size(), memory: chunk.memory_size() as u64 };
                    lane.chunk = Some(chunk);
                }
                if let Some(group) = group.checked_sub(state.first).and_then(|index| state.groups.get_mut(index)) {
                    group.unfinished = group.unfinished.saturating_sub(1);
                }
            }),
        };
        if let Err(error) = done {
            let mut state = shared.lock();
            state.error.get_or_insert(error.in_row_group(group));
        }
        shared.progress.notify_all();
    }
}

fn open(shared: &Shared, writer: Option<Box<ArrayWriter>>, leaf: usize) -> Result<Box<ArrayWriter>> {
    match writer {
        Some(writer) => Ok(writer),
        None => shared.plan.array_writer(leaf).map(Box::new),
    }
}

fn encode(shared: &Shared, writer: Option<Box<ArrayWriter>>, leaf: usize, block: &Block) -> Result<Box<ArrayWriter>> {
    let mut writer = open(shared, writer, leaf)?;
    write_block(&mut writer, block)?;
    Ok(writer)
}
