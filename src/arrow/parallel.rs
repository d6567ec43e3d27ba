//! Lanes on a thread pool.
//!
//! The thread that takes the batches does the reading: it fetches the bytes of row groups ahead and gives their lanes to the
//! pool. A lane reads batch after batch; one that gets too far ahead of the taker is parked and goes on when the taker has
//! moved, so that no pool thread ever waits. Where there are fewer columns than work for the threads, a row group of
//! columns outside of lists is cut into several lanes, each for a part of its batches, so that a file of one column scales
//! as well; the leaves of lists and maps get a lane each, and the last one to have a batch assembles it.

#![allow(clippy::arithmetic_side_effects, reason = "tasks and batches of a plan, whose list is in memory, are counted")]

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use arrow_array::{Array, ArrayRef};

use crate::arrow::lanes::{Held, Lane, assembled, missing, with_scratch};
use crate::arrow::plan::Plan;
use crate::arrow::scan::Threads;
use crate::error::{Error, Result};
use crate::read::{LeafData, Missing, Scratch, Spawn};

/// The pool's side of a scan.
pub(crate) struct Parallel {
    shared: Arc<Shared>,
    pool: Pool,
    /// The next row group whose bytes are to be fetched.
    next_group: usize,
    /// The first batch of each row group, and last their number.
    first_batches: Vec<usize>,
}

/// Where tasks run.
#[derive(Clone)]
pub(crate) enum Pool {
    Global,
    Own(Arc<rayon::ThreadPool>),
    /// The pool could not be made: the reason comes with the first batch.
    Failed(Arc<str>),
}

impl Pool {
    /// The pool that was asked for, and how many threads it has.
    pub(crate) fn of(threads: Threads) -> (Self, usize) {
        match threads {
            Threads::Caller => (Pool::Global, 1),
            Threads::Global => (Pool::Global, rayon::current_num_threads()),
            Threads::Pool(pool) => {
                let threads = pool.current_num_threads();
                (Pool::Own(pool), threads)
            }
            Threads::Own(threads) => {
                match rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("herringbone-{i}")).build() {
                    Ok(pool) => (Pool::Own(Arc::new(pool)), threads),
                    Err(error) => (Pool::Failed(error.to_string().into()), threads),
                }
            }
        }
    }

    /// # Errors
    /// `Usage` if the pool could not be made.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Pool::Failed(reason) => Err(Error::usage(format!("the threads could not be started: {reason}"))),
            _ => Ok(()),
        }
    }
}

struct Shared {
    plan: Arc<Plan>,
    /// How many threads the pool has.
    threads: usize,
    /// Gives the pool a task that prepares pages.
    spawn: Arc<Spawn>,
    state: Mutex<State>,
    ready: Condvar,
}

struct State {
    /// Batches that were not taken yet.
    done: BTreeMap<usize, Pending>,
    /// How many tasks are in the pool's hands.
    working: usize,
    /// The taker is woken when so many batches in a row are there, or when the pool runs out of work.
    patience: usize,
    /// Lanes that are too far ahead, by the batch that they read next.
    parked: Vec<Work>,
    /// Lanes that need bytes which were not pushed yet, and these bytes.
    stuck: Vec<(Vec<Range<u64>>, Work)>,
    /// Who waits for the batch that is taken next.
    waker: Option<Waker>,
    /// The batch that is taken next, and how many batches beyond may be worked on.
    taking: usize,
    ahead: usize,
    /// So many batches before a row group its lanes are opened.
    opened_ahead: usize,
    /// A parked lane goes on when it has so many batches to read and one more, so that it is not given to the pool for each.
    rest: usize,
    /// Bytes of the arrays in `done`, and how many there may be before lanes wait: metadata tell only roughly how large
    /// batches become, least of all where dictionaries are written out.
    done_bytes: usize,
    most_bytes: usize,
    cancelled: bool,
}

/// What there is of a batch.
struct Pending {
    /// The arrays, one entry a field.
    fields: Vec<Option<Result<Vec<ArrayRef>>>>,
    /// How many entries are empty.
    left: usize,
    /// Of fields whose leaves are read by a lane each: those that were, with their indices.
    leaves: HashMap<usize, Vec<(usize, LeafData)>>,
}

impl Pending {
    fn new(fields: usize) -> Self {
        Self { fields: (0..fields).map(|_| None).collect(), left: fields, leaves: HashMap::new() }
    }

    /// Takes a leaf of a field that has so many, and gives all of them when it was the last.
    fn put_leaf(&mut self, field: usize, data: Vec<(usize, LeafData)>, of: usize) -> Option<Vec<(usize, LeafData)>> {
        let leaves = self.leaves.entry(field).or_default();
        leaves.extend(data);
        if leaves.len() < of {
            return None;
        }
        let mut leaves = self.leaves.remove(&field)?;
        leaves.sort_by_key(|(leaf, _)| *leaf);
        Some(leaves)
    }

    fn put(&mut self, field: usize, arrays: Result<Vec<ArrayRef>>) {
        if let Some(slot) = self.fields.get_mut(field)
            && slot.replace(arrays).is_none()
        {
            self.left = self.left.saturating_sub(1);
        }
    }
}

/// Lanes that are read in turn, and what is left of their batches. Most often it is one lane; where there are thousands of
/// columns, many go together, since a task and a lock for each small chunk cost more than reading it.
struct Work {
    group: usize,
    held: Arc<Held>,
    lanes: Vec<LaneState>,
    batches: Range<usize>,
}

struct LaneState {
    field: usize,
    /// Whether it is of a list and there are threads that have little else to do: then they prepare its pages and assemble its arrays.
    is_helped: bool,
    /// The place of the leaf among the field's, if it reads one alone.
    leaf: Option<usize>,
    /// None before it is opened: opening parses metadata and headers, which belongs into the pool as well.
    lane: Option<Box<Lane>>,
}

impl State {
    /// Takes the arrays of a field, unless nobody wants the batch any more.
    fn put(&mut self, batch: usize, field: usize, bytes: usize, arrays: Result<Vec<ArrayRef>>) {
        if let Some(pending) = self.done.get_mut(&batch) {
            pending.put(field, arrays);
            self.done_bytes = self.done_bytes.saturating_add(bytes);
        }
    }

    /// Whether all arrays of a batch are there.
    fn has(&self, batch: usize) -> bool {
        self.done.get(&batch).is_some_and(|done| done.left == 0)
    }

    /// Whether the taker has something to do. One who wants all batches is not woken for each: of a file of 8 million numbers that
    /// took 170 switches between threads, and this takes 30.
    fn is_worth_waking(&self, threads: usize) -> bool {
        self.has(self.taking)
            && (self.working < threads || (self.taking..self.taking.saturating_add(self.patience)).all(|batch| self.has(batch)))
    }

    /// The batch that is not to be worked on yet.
    fn horizon(&self) -> usize {
        let ahead = if self.done_bytes > self.most_bytes { self.ahead.min(2) } else { self.ahead };
        self.taking + ahead
    }

    /// Whether a parked lane that reads this batch next is to go on.
    fn goes_on(&self, batch: usize) -> bool {
        batch <= self.taking || batch.saturating_add(self.rest) < self.horizon()
    }
}

impl Shared {
    /// A panic while the lock is held would leave whole values behind, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits.
    fn wake(&self, state: &mut State) {
        self.ready.notify_all();
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
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
            working: 0,
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
        let shared = Arc::new(Shared { plan, threads, spawn, state: Mutex::new(state), ready: Condvar::new() });
        Self { shared, pool, next_group: 0, first_batches }
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
        self.pool.check()?;
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
        {
            let mut state = self.shared.lock();
            for batch in batches.clone() {
                state.done.insert(batch, Pending::new(plan.fields.len()));
            }
        }
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
                for part in self.parts(first, &batches, wanted) {
                    for lanes in self.lanes(first..(first + together).min(fields.end)) {
                        self.spawn(Work { group: group_index, held: Arc::clone(&held), lanes, batches: part.clone() });
                    }
                }
            }
        }
        Ok(true)
    }

    /// Leaves an error in the place of a batch, so that the batches before it are handed out first. Fields whose lanes never
    /// ran get nothing, which nobody sees: the scan ends with the error.
    fn fail(&self, batch: usize, fields: Range<usize>, error: Error) {
        let mut state = self.shared.lock();
        let Some(done) = state.done.get_mut(&batch) else { return };
        let mut error = Some(error);
        for field in fields.start..done.fields.len() {
            done.put(field, error.take().map_or(Ok(Vec::new()), Err));
        }
    }

    /// How many lanes a field of a row group should make to keep the threads busy, with those of the row groups that are open beside it.
    fn wanted_parts(&self, group: usize) -> usize {
        let plan = &self.shared.plan;
        let ahead = self.shared.lock().ahead;
        let end = self.first_batches.get(group).map_or(0, |first| first + ahead);
        let beside = self.first_batches.iter().skip(group + 1).take_while(|first| **first <= end).count();
        if beside >= self.shared.threads { 1 } else { parts_of_fields(plan, self.shared.threads) }
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
    fn lanes(&self, fields: Range<usize>) -> Vec<Vec<LaneState>> {
        let plan = &self.shared.plan;
        let is_helped = fields.len() == 1 && parts_of_fields(plan, self.shared.threads) > 1 && is_in_list(plan, fields.start);
        let lane = |field: usize, leaf: Option<usize>| LaneState { field, is_helped, leaf, lane: None };
        let leaves = plan.leaves.get(fields.start).map_or(0, Vec::len);
        if is_helped && leaves > 1 {
            return (0..leaves).map(|leaf| vec![lane(fields.start, Some(leaf))]).collect();
        }
        vec![fields.map(|field| lane(field, None)).collect()]
    }

    fn spawn(&self, work: Work) {
        let (shared, pool) = (Arc::clone(&self.shared), self.pool.clone());
        shared.lock().working += 1;
        spawn_on(&pool.clone(), move || run(&shared, work));
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

pub(crate) fn spawn_on(pool: &Pool, task: impl FnOnce() + Send + 'static) {
    match pool {
        Pool::Global => rayon::spawn_fifo(task),
        Pool::Own(pool) => pool.spawn_fifo(task),
        Pool::Failed(_) => {}
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

fn bytes_of(arrays: &Result<Vec<ArrayRef>>) -> usize {
    let sizes = arrays.iter().flatten().map(|array| array.get_array_memory_size());
    sizes.fold(0, usize::saturating_add)
}

/// Reads the next batches of a lane, until it ends, is parked, or nobody wants it any more.
fn run(shared: &Arc<Shared>, mut work: Work) {
    begin(shared, &mut work);
    while let Some(batch) = work.batches.next() {
        let mut failed = false;
        let mut missing = None;
        let mut results = Vec::with_capacity(work.lanes.len());
        for lane in &mut work.lanes {
            // After an error the scan ends, so that nobody sees what the lanes behind leave.
            let result = if failed { Ok(Some(Vec::new())) } else { step_or_panic(shared, work.group, &work.held, lane, batch) };
            if let Err(error) = &result
                && let Some(ranges) = Missing::of(error)
            {
                missing = Some(ranges.to_vec());
                failed = true;
                break;
            }
            failed |= result.is_err();
            if let Some(result) = result.transpose() {
                results.push((lane.field, bytes_of(&result), result));
            }
        }
        let mut state = shared.lock();
        if state.cancelled {
            return;
        }
        if let Some(missing) = missing {
            // All of them are opened again when the bytes are there, since some are beyond the batch now.
            work.lanes.iter_mut().for_each(|lane| lane.lane = None);
            work.batches.start = batch;
            state.stuck.push((missing, work));
            state.working -= 1;
            shared.wake(&mut state);
            return;
        }
        for (field, bytes, result) in results {
            state.put(batch, field, bytes, result);
        }
        let ends = failed || work.batches.is_empty();
        let pauses = !ends && work.batches.start >= state.horizon();
        state.working -= usize::from(ends || pauses);
        if failed || state.is_worth_waking(shared.threads) {
            shared.wake(&mut state);
        }
        if pauses {
            state.parked.push(work);
            return;
        }
        if ends {
            return;
        }
    }
}

/// Opens lanes that are read in turn, so that their dictionaries are decoded together. What is wrong with one is found by its first read.
fn begin(shared: &Shared, work: &mut Work) {
    let Work { group, held, lanes, .. } = work;
    if lanes.len() < 2 || lanes.iter().any(|lane| lane.lane.is_some()) {
        return;
    }
    let open = |lanes: &mut [LaneState]| {
        for lane in &mut *lanes {
            lane.lane = Lane::open(&shared.plan, *group, lane.field, lane.leaf, held).ok().map(Box::new);
        }
        Lane::begin(lanes.iter_mut().filter_map(|lane| lane.lane.as_deref_mut()));
    };
    if catch_unwind(AssertUnwindSafe(|| open(lanes))).is_err() {
        lanes.iter_mut().for_each(|lane| lane.lane = None);
    }
}

fn step_or_panic(shared: &Arc<Shared>, group: usize, held: &Held, lane: &mut LaneState, batch: usize) -> Result<Option<Vec<ArrayRef>>> {
    or_panicked(|| step(shared, group, held, lane, batch))
}

fn or_panicked<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(Error::panicked()))
}

/// The arrays of a lane's field; none where another thread makes them, or another lane because this leaf is not the last that was read.
fn step(shared: &Arc<Shared>, group: usize, held: &Held, state: &mut LaneState, batch: usize) -> Result<Option<Vec<ArrayRef>>> {
    let plan = &shared.plan;
    let (field, leaf) = (state.field, state.leaf);
    let lane = match &mut state.lane {
        Some(lane) => lane,
        closed => {
            let mut lane = Box::new(Lane::open(plan, group, field, leaf, held)?);
            if state.is_helped && shared.threads > 1 {
                lane.set_spawn(plan, &shared.spawn);
            }
            closed.insert(lane)
        }
    };
    let described = plan.batches.get(batch).ok_or_else(|| Error::usage("there is no such batch"))?;
    if !state.is_helped {
        return lane.read(plan, described).map(Some);
    }
    let data = lane.read_leaves(plan, described, None)?;
    let all = if leaf.is_none() { Some(data) } else { put_leaf(shared, batch, field, data) };
    let Some(data) = all else { return Ok(None) };
    if shared.lock().working >= shared.threads {
        return assembled(plan, group, field, described.rows, data).map(Some);
    }
    assemble_beside(shared, group, field, batch, data);
    Ok(None)
}

/// Has another thread make the arrays of a field, while this one reads on.
fn assemble_beside(shared: &Arc<Shared>, group: usize, field: usize, batch: usize, data: Vec<(usize, LeafData)>) {
    let waiting = size_of_leaves(&data);
    {
        let mut state = shared.lock();
        state.working += 1;
        state.done_bytes = state.done_bytes.saturating_add(waiting);
    }
    let task = {
        let shared = Arc::clone(shared);
        move |_: &mut Scratch| {
            let rows = shared.plan.batches.get(batch).map_or(0, |batch| batch.rows);
            let arrays = or_panicked(|| assembled(&shared.plan, group, field, rows, data));
            let bytes = bytes_of(&arrays);
            let mut state = shared.lock();
            state.working -= 1;
            if state.cancelled {
                return;
            }
            let failed = arrays.is_err();
            state.done_bytes = state.done_bytes.saturating_sub(waiting);
            state.put(batch, field, bytes, arrays);
            if failed || state.is_worth_waking(shared.threads) {
                shared.wake(&mut state);
            }
        }
    };
    (shared.spawn)(Box::new(task));
}

fn size_of_leaves(data: &[(usize, LeafData)]) -> usize {
    data.iter().map(|(_, data)| data.memory_size()).fold(0, usize::saturating_add)
}

/// Leaves what was read of a leaf to the others of its field; gives all of them when it was the last, unless nobody wants the batch any more.
fn put_leaf(shared: &Shared, batch: usize, field: usize, data: Vec<(usize, LeafData)>) -> Option<Vec<(usize, LeafData)>> {
    let leaves = shared.plan.leaves.get(field).map_or(0, Vec::len);
    let mut state = shared.lock();
    let State { done, done_bytes, .. } = &mut *state;
    let pending = done.get_mut(&batch)?;
    *done_bytes = done_bytes.saturating_add(size_of_leaves(&data));
    let all = pending.put_leaf(field, data, leaves);
    *done_bytes = done_bytes.saturating_sub(all.as_deref().map_or(0, size_of_leaves));
    all
}
