//! Lanes on a thread pool.
//!
//! The thread that takes the batches does the reading: it fetches the bytes of row groups ahead and gives their lanes to the
//! pool. A lane reads batch after batch; one that gets too far ahead of the taker is parked and goes on when the taker has
//! moved, so that no pool thread waits. Where there are fewer columns than work for the threads, a row group of
//! columns outside of lists is cut into several lanes, each for a part of its batches, so that a file of one column scales
//! as well; the leaves of lists and maps get a lane each, and threads with nothing else to do read and decompress pages for them
//! and make arrays of what they read. At the end of a file a thread that has no lane left gets half of what another has to read (`State::share`).

#![allow(clippy::arithmetic_side_effects, reason = "tasks and batches of a plan, whose list is in memory, are counted")]

mod run;
mod state;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex};
use std::task::Waker;

use arrow_array::ArrayRef;

use crate::arrow::lanes::{Held, missing, with_scratch};
use crate::arrow::plan::Plan;
use crate::arrow::pool::{Pool, spawn_on};
use crate::arrow::scan::Threads;
use crate::error::{Error, Result};
use crate::read::{Missing, Spawn};

use run::{bytes_of, spawn};
use state::{Dictionaries, LaneState, Shared, State, Work};

/// The pool's side of a scan.
pub(crate) struct Parallel {
    shared: Arc<Shared>,
    /// The next row group whose bytes are to be fetched.
    next_group: usize,
    /// The first batch of each row group, and last their number.
    first_batches: Vec<usize>,
}

/// At most so many tasks a thread are made of the fields of a row group.
const TASKS_A_THREAD: usize = 8;

impl Parallel {
    pub(crate) fn new(plan: Arc<Plan>, threads: Threads) -> Self {
        let (pool, threads) = Pool::of(threads);
        let mut first_batches = vec![0; plan.groups.len() + 1];
        for batch in &plan.batches {
            if let Some(count) = first_batches.get_mut(batch.group + 1) {
                *count += 1;
            }
        }
        let mut before = 0;
        for first in &mut first_batches {
            before += *first;
            *first = before;
        }
        let most_ahead = batches_ahead(&plan, threads);
        // Lanes that are parts of a row group have to be some batches apart.
        let is_lean = plan.is_lean && parts_of_fields(&plan, threads) <= 1;
        let ahead = if is_lean { most_ahead.min(lean_ahead(&plan, threads)) } else { most_ahead };
        let opened_ahead = if is_lean { threads + 1 } else { ahead };
        let most_bytes = plan.file.limits.memory_bytes / 2;
        let state = State {
            done: BTreeMap::new(),
            fields: plan.fields.len(),
            limits: plan.file.limits.clone(),
            working: 0,
            all_opened: plan.groups.is_empty(),
            patience: if is_lean { ahead / 2 } else { 1 }.max(1),
            parked: Vec::new(),
            stuck: Vec::new(),
            waker: None,
            taking: 0,
            ahead,
            opened_ahead,
            rest: if is_lean { ahead / 3 } else { 0 },
            done_bytes: 0,
            most_bytes,
            cancelled: false,
        };
        let spawn: Arc<Spawn> = {
            let pool = pool.clone();
            Arc::new(move |task| spawn_on(&pool, move || with_scratch(task)))
        };
        let shared = Arc::new(Shared { plan, pool, threads, spawn, state: Mutex::new(state), ready: Condvar::new() });
        Self { shared, next_group: 0, first_batches }
    }

    /// From now on the taker wants all batches, and none of them early.
    pub(crate) fn take_many(&mut self) {
        let mut state = self.shared.lock();
        state.patience = (state.ahead / 4).max(1);
    }

    /// The arrays of a batch, each field's in turn; batches are taken in order.
    ///
    /// In a file whose bytes are pushed, some may be [`Missing`]; then the same batch can be asked for again.
    pub(crate) fn take(&mut self, batch: usize) -> Result<Vec<Vec<ArrayRef>>> {
        loop {
            if let Some(arrays) = self.poll(batch, None)? {
                return Ok(arrays);
            }
            // On a thread of the pool itself, waiting would keep it from the work that is waited for.
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                continue;
            }
            let state = self.shared.lock();
            let missing = |state: &mut State| state.stuck.is_empty() && !state.has(batch);
            if rayon::current_thread_index().is_some() {
                drop(self.shared.ready.wait_timeout_while(state, std::time::Duration::from_millis(1), missing));
            } else {
                drop(self.shared.ready.wait_while(state, missing));
            }
        }
    }

    /// The arrays of a batch if they are there; else `waker` is woken when it is worth asking again.
    pub(crate) fn poll(&mut self, batch: usize, waker: Option<&Waker>) -> Result<Option<Vec<Vec<ArrayRef>>>> {
        self.shared.pool.check()?;
        self.move_to(batch);
        if self.shared.plan.fields.is_empty() {
            return Ok(Some(Vec::new()));
        }
        while self.read_ahead()? {}
        let mut state = self.shared.lock();
        if state.has(batch) {
            let done = state.done.remove(&batch).map(|done| done.fields).unwrap_or_default();
            state.done_bytes = state.done_bytes.saturating_sub(done.iter().flatten().map(bytes_of).fold(0, usize::saturating_add));
            return done.into_iter().flatten().collect::<Result<_>>().map(Some);
        }
        if !state.stuck.is_empty() {
            return Err(Missing::error(state.stuck.iter().flat_map(|(ranges, _)| ranges.iter().cloned()).collect()));
        }
        state.waker = waker.cloned();
        Ok(None)
    }

    /// Lets lanes go on that were parked behind this batch, or that have their bytes now.
    fn move_to(&self, batch: usize) {
        let mut state = self.shared.lock();
        state.taking = batch;
        let (go_on, parked) = std::mem::take(&mut state.parked).into_iter().partition(|work| state.goes_on(work.batches.start));
        state.parked = parked;
        let mut go_on: Vec<Work> = go_on;
        if let Some(pushed) = &self.shared.plan.file.origin.pushed {
            let (free, stuck) =
                std::mem::take(&mut state.stuck).into_iter().partition(|(ranges, _)| pushed.missing(ranges.clone()).is_empty());
            state.stuck = stuck;
            let free: Vec<(Vec<Range<u64>>, Work)> = free;
            go_on.extend(free.into_iter().map(|(_, work)| work));
        }
        drop(state);
        for work in go_on {
            self.spawn(work);
        }
    }

    /// Fetches the next row group if its turn has come; `false` when there is nothing to fetch now.
    fn read_ahead(&mut self) -> Result<bool> {
        let horizon = {
            let state = self.shared.lock();
            state.horizon().min(state.taking + state.opened_ahead)
        };
        let plan = Arc::clone(&self.shared.plan);
        let Some(group) = plan.groups.get(self.next_group) else { return Ok(false) };
        let Some(&[first, end, ..]) = self.first_batches.get(self.next_group..) else { return Ok(false) };
        let batches = first..end;
        if batches.start >= horizon {
            return Ok(false);
        }
        let missing = missing(&plan, group)?;
        if !missing.is_empty() {
            let is_next = batches.contains(&self.shared.lock().taking);
            return if is_next { Err(Missing::error(missing)) } else { Ok(false) };
        }
        let group_index = self.next_group;
        self.next_group += 1;
        let wanted = self.wanted_parts(group_index);
        // A few fields at a time, so that the pool has work while the rest is read.
        let step = plan.fields.len().div_ceil(2 * self.shared.threads.max(1)).max(1);
        for first in (0..plan.fields.len()).step_by(step) {
            let fields = first..(first + step).min(plan.fields.len());
            let held = match Held::fetch(&plan, group, fields.clone()) {
                Ok(held) => Arc::new(held),
                Err(error) => {
                    self.fail(batches.start, fields, error);
                    return Ok(true);
                }
            };
            // Two at the least where there are many: their dictionaries are decoded together.
            let least = if step >= 4 { 2 } else { 1 };
            let together = plan.fields.len().div_ceil(TASKS_A_THREAD * self.shared.threads.max(1)).max(least);
            for first in fields.clone().step_by(together) {
                let parts = self.parts(first, &batches, wanted);
                let dictionaries = (parts.len() > 1).then(Dictionaries::default);
                for part in parts {
                    for lanes in self.lanes(first..(first + together).min(fields.end), dictionaries.as_ref()) {
                        self.spawn(Work { group: group_index, held: Arc::clone(&held), lanes, batches: part.clone() });
                    }
                }
            }
        }
        self.shared.lock().all_opened = self.next_group >= plan.groups.len();
        Ok(true)
    }

    /// Leaves an error in the place of a batch, so that the batches before it are handed out first. Fields whose lanes never
    /// ran get nothing, which nobody sees: the scan ends with the error.
    fn fail(&self, batch: usize, fields: Range<usize>, error: Error) {
        let mut state = self.shared.lock();
        let Some(done) = state.pending(batch) else { return };
        let mut error = Some(error);
        for field in fields.start..done.fields.len() {
            done.put(field, error.take().map_or(Ok(Vec::new()), Err));
        }
    }

    /// How many lanes a field of a row group should make to keep the threads busy. Row groups are dealt out in rounds of one for each thread: a round
    /// that is full, and whose batches may all be in work at once, makes one lane a field, so that only what is left at the end is cut.
    ///
    /// Each part walks over the headers of the pages before it and shares a page with its neighbour, and the first of them decode the dictionary
    /// each: with two threads, both builds in turn, `f32_bss_none` of eight row groups took 5.8 ms in parts and 4.3 without; two row groups of words,
    /// 50,000 of them different, 5.1 where the last was in parts and 3.2 without.
    fn wanted_parts(&self, group: usize) -> usize {
        let ahead = self.shared.lock().ahead;
        let first_of_round = group - group % self.shared.threads.max(1);
        let end = self.first_batches.get(first_of_round).map_or(0, |first| first + ahead);
        let reached = self.first_batches.windows(2).skip(first_of_round).take_while(|batches| batches.last() <= Some(&end));
        let beside = reached.filter(|batches| batches.first() < batches.last()).count();
        if beside >= self.shared.threads { 1 } else { parts_of_fields(&self.shared.plan, self.shared.threads) }
    }

    /// A row group's batches cut into lanes of one field: one, unless more are wanted.
    fn parts(&self, field: usize, batches: &Range<usize>, wanted: usize) -> Vec<Range<usize>> {
        let plan = &self.shared.plan;
        if is_in_list(plan, field) || wanted <= 1 {
            return vec![batches.clone()];
        }
        let length = batches.len().div_ceil(wanted).max(2);
        batches.clone().step_by(length).map(|start| start..(start + length).min(batches.end)).collect()
    }

    /// The lanes of some fields, read in turn; or of the leaves of a field with lists, each by itself, if there are too few fields to keep the threads
    /// busy.
    fn lanes(&self, fields: Range<usize>, dictionaries: Option<&Dictionaries>) -> Vec<Vec<LaneState>> {
        let plan = &self.shared.plan;
        let is_helped = self.shared.threads > 1
            && fields.len() == 1
            && parts_of_fields(plan, self.shared.threads) > 1
            && is_in_list(plan, fields.start);
        let lane =
            |field: usize, leaf: Option<usize>| LaneState { field, is_helped, leaf, dictionaries: dictionaries.cloned(), lane: None };
        let leaves = plan.leaves.get(fields.start).map_or(0, Vec::len);
        if is_helped && leaves > 1 {
            return (0..leaves).map(|leaf| vec![lane(fields.start, Some(leaf))]).collect();
        }
        vec![fields.map(|field| lane(field, None)).collect()]
    }

    fn spawn(&self, work: Work) {
        self.shared.lock().working += 1;
        spawn(&self.shared, work);
    }
}

impl Drop for Parallel {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.cancelled = true;
        state.parked.clear();
        state.stuck.clear();
        state.done.clear();
    }
}

/// How many lanes a field of a row group should make to keep the threads busy.
fn parts_of_fields(plan: &Plan, threads: usize) -> usize {
    (2 * threads).div_ceil(plan.fields.len().max(1))
}

/// Whether a field has leaves in lists, whose pages do not tell which rows they hold.
fn is_in_list(plan: &Plan, field: usize) -> bool {
    let leaves = plan.file.metadata.schema().leaves();
    let in_list = |leaf: &usize| leaves.get(*leaf).is_none_or(|leaf| leaf.max_repetition_level > 0);
    plan.leaves.get(field).is_none_or(|leaves| leaves.iter().any(in_list))
}

/// So many bytes of batches a thread may be in work or waiting where they are taken one by one.
const LEAN_AHEAD: usize = 1 << 19;

fn lean_ahead(plan: &Plan, threads: usize) -> usize {
    let most = plan.batches.iter().map(|batch| batch.rows).max().unwrap_or(1) as u64;
    let bytes = usize::try_from(plan.row_bytes().saturating_mul(most)).unwrap_or(usize::MAX);
    LEAN_AHEAD.saturating_mul(threads).div_ceil(bytes.max(1)).max(2)
}

/// How many batches may be in work or waiting at once: as many as the memory holds, and enough for all threads.
fn batches_ahead(plan: &Plan, threads: usize) -> usize {
    let most = plan.batches.iter().map(|batch| batch.rows).max().unwrap_or(1) as u64;
    let mut row_bytes = 1u64;
    if let Some(group) = plan.groups.first() {
        let sizes = plan.leaves.iter().flatten().filter_map(|leaf| plan.location(group.index, *leaf).ok());
        let bytes = sizes.map(|location| location.uncompressed_size).fold(0, u64::saturating_add);
        row_bytes = bytes.checked_div(group.num_rows).unwrap_or(1).max(4 * plan.fields.len() as u64).max(1);
    }
    let fit = (plan.file.limits.memory_bytes as u64 / 4) / row_bytes.saturating_mul(most).max(1);
    usize::try_from(fit).unwrap_or(usize::MAX).clamp(2, 64.max(8 * threads))
}
