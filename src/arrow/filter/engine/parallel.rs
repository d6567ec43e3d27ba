//! A filtered scan whose decoding is spread over a pool. Units of local files are read to the end on the pool; for others the thread that takes the batches
//! gets the bytes, first of the filter's columns and then of the rest.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::parts::{Held, Part, Parts, Rest, read};
use super::{BATCHES_AT_ONCE, Taken, Units, Work, lanes_of};
use crate::arrow::filter::unit::Unit;
use crate::arrow::lanes::Access;
use crate::arrow::plan::Plan;
use crate::arrow::pool::{Pool, spawn_on};
use crate::arrow::scan::Threads;
use crate::error::{Error, Result, caught};
use crate::read::Missing;

/// A filtered scan on a pool.
pub(crate) struct Parallel {
    shared: Arc<Shared>,
    pool: Pool,
    units: Units,
    /// The number of the next unit, and of the one whose batches are taken.
    next: usize,
    taking: usize,
    ahead: usize,
    exhausted: bool,
    /// The row groups of the units from the one whose batches are taken.
    groups: VecDeque<usize>,
    /// The bytes that the next row group needs to be pruned and that were not pushed yet.
    unpruned: Vec<Range<u64>>,
}

struct Shared {
    work: Work,
    held: Held,
    state: Mutex<State>,
    ready: Condvar,
}

struct State {
    units: BTreeMap<usize, Stage>,
    cancelled: bool,
    /// Who waits for a unit to come out of the pool.
    waker: Option<Waker>,
}

enum Stage {
    /// In the pool.
    Running,
    Waiting(Box<Waiting>),
    /// Its batches.
    Done(Parts),
}

/// A unit whose bytes are wanted: those of its filter's columns, or when its rows are known, those of the others.
struct Waiting {
    unit: Unit,
    filtered: bool,
    /// What of them was not pushed yet, in a file whose bytes are pushed.
    missing: Vec<Range<u64>>,
}

impl Waiting {
    /// Fetches what it waits for.
    fn fetch(&mut self, work: &Work) -> Result<Access> {
        if self.filtered { work.fetch_output(&mut self.unit) } else { work.fetch_filter(&self.unit) }
    }

    /// Finds the rows or reads them, given the bytes for it; returns the batches when they are read.
    fn step(&mut self, work: &Work, held: &Held, access: &Access) -> Result<Option<VecDeque<Part>>> {
        if self.filtered {
            let mut lanes = lanes_of(&work.plan, &self.unit, access)?;
            super::begin(&work.plan, std::iter::once((&self.unit, lanes.as_mut_slice())));
            return read(work, held, &self.unit, access, lanes).map(Some);
        }
        self.unit.filter(&work.plan, &work.filter, access)?;
        (self.filtered, self.missing) = (true, Vec::new());
        Ok(self.unit.outputs.is_empty().then(VecDeque::new))
    }
}

impl Stage {
    /// Whether its bytes are there, or can be read.
    fn can_go_on(&self, plan: &Plan) -> bool {
        match (self, &plan.file.origin.pushed) {
            (Stage::Waiting(waiting), Some(pushed)) => pushed.missing(waiting.missing.clone()).is_empty(),
            (Stage::Waiting(_), None) => true,
            _ => false,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, number: usize, stage: Stage) {
        let mut state = self.lock();
        if !state.cancelled {
            state.units.insert(number, stage);
            self.ready.notify_all();
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }

    /// Puts a unit back that cannot go on: because bytes are missing, or for good.
    fn put_back(&self, number: usize, mut waiting: Box<Waiting>, error: Error) {
        let stage = match Missing::of(&error) {
            Some(missing) => {
                waiting.missing = missing.to_vec();
                Stage::Waiting(waiting)
            }
            None => Stage::Done(VecDeque::from([Err(error)])),
        };
        self.put(number, stage);
    }
}

impl Parallel {
    pub(crate) fn new(work: Work, threads: Threads) -> Self {
        let (pool, threads) = Pool::of(threads);
        let ahead = threads + 1;
        let window = window(&work, threads, ahead);
        let state = State { units: BTreeMap::new(), cancelled: false, waker: None };
        let shared = Arc::new(Shared { held: Held::new(&work.plan.file.limits), work, state: Mutex::new(state), ready: Condvar::new() });
        Self {
            shared,
            pool,
            units: Units::new(window),
            next: 0,
            taking: 0,
            ahead,
            exhausted: false,
            groups: VecDeque::new(),
            unpruned: Vec::new(),
        }
    }

    /// The next batch. Where bytes are [`Missing`], it can be called again when they are there.
    pub(crate) fn take(&mut self) -> Result<Option<Taken>> {
        loop {
            if let Poll::Ready(taken) = self.poll(None)? {
                return Ok(taken);
            }
            // On a thread of the pool itself, waiting would keep it from the work that is waited for.
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                continue;
            }
            let plan = &self.shared.work.plan;
            let state = self.shared.lock();
            let busy = |state: &mut State| {
                !state.units.values().any(|stage| stage.can_go_on(plan)) && matches!(state.units.get(&self.taking), Some(Stage::Running))
            };
            let patience = std::time::Duration::from_millis(if rayon::current_thread_index().is_some() { 1 } else { 1000 });
            drop(self.shared.ready.wait_timeout_while(state, patience, busy));
        }
    }

    /// The next batch if it is there; else `waker` is woken when it is worth asking again.
    pub(crate) fn poll(&mut self, waker: Option<&Waker>) -> Result<Poll<Option<Taken>>> {
        self.pool.check()?;
        loop {
            if self.go_on()? || self.begin()? {
                continue;
            }
            let mut state = self.shared.lock();
            if state.units.values().any(|stage| stage.can_go_on(&self.shared.work.plan)) {
                continue;
            }
            match state.units.get_mut(&self.taking) {
                Some(Stage::Done(batches)) => match batches.pop_front().transpose()? {
                    Some(Part::Batch(taken, room)) => {
                        drop(room);
                        return Ok(Poll::Ready(Some(taken)));
                    }
                    Some(Part::Rest(rest)) => {
                        let behind = std::mem::take(batches);
                        state.units.insert(self.taking, Stage::Running);
                        drop(state);
                        self.read_on(rest, behind);
                    }
                    None => {
                        state.units.remove(&self.taking);
                        self.taking += 1;
                        self.groups.pop_front();
                    }
                },
                Some(Stage::Waiting(waiting)) => return Err(Missing::error(waiting.missing.clone())),
                Some(Stage::Running) => {
                    state.waker = waker.cloned();
                    return Ok(Poll::Pending);
                }
                None if self.exhausted => return Ok(Poll::Ready(None)),
                None if !self.unpruned.is_empty() => return Err(Missing::error(self.unpruned.clone())),
                None => {}
            }
        }
    }

    /// The row groups that are at work, by their places in the plan.
    pub(crate) fn groups(&self) -> Range<usize> {
        self.groups.front().copied().unwrap_or(self.units.next_group)..self.units.next_group.saturating_add(1)
    }

    /// The bytes that units behind the one that is taken wait for.
    pub(crate) fn missing_ahead(&self) -> Vec<Range<u64>> {
        let state = self.shared.lock();
        let waiting = state.units.values().filter_map(|stage| match stage {
            Stage::Waiting(waiting) => Some(waiting.missing.iter().cloned()),
            _ => None,
        });
        waiting.flatten().chain(self.unpruned.iter().cloned()).collect()
    }

    /// Gets the bytes of the units that wait for them; `false` when none goes on.
    fn go_on(&mut self) -> Result<bool> {
        let mut state = self.shared.lock();
        let plan = &self.shared.work.plan;
        let numbers: Vec<usize> = state.units.iter().filter(|(_, stage)| stage.can_go_on(plan)).map(|(number, _)| *number).collect();
        let take = |number: usize| match state.units.insert(number, Stage::Running) {
            Some(Stage::Waiting(waiting)) => Some((number, waiting)),
            _ => None,
        };
        let waiting: Vec<(usize, Box<Waiting>)> = numbers.into_iter().filter_map(take).collect();
        drop(state);
        let mut any = false;
        for (number, mut waiting) in waiting {
            match waiting.fetch(&self.shared.work) {
                Ok(access) => self.spawn(number, waiting, access),
                Err(error) => {
                    self.shared.put_back(number, waiting, error);
                    continue;
                }
            }
            any = true;
        }
        Ok(any)
    }

    /// Takes a unit further on the pool, with the bytes that it waits for.
    fn spawn(&self, number: usize, mut waiting: Box<Waiting>, access: Access) {
        let shared = Arc::clone(&self.shared);
        spawn_on(&self.pool, move || match caught(Error::panicked, || waiting.step(&shared.work, &shared.held, &access)) {
            Err(error) => shared.put_back(number, waiting, error),
            Ok(Some(batches)) => shared.put(number, Stage::Done(batches.into_iter().map(Ok).collect())),
            Ok(None) => shared.put(number, Stage::Waiting(waiting)),
        });
    }

    /// Reads the next batch of a unit whose batches are read one after the other. Those to come are given fewer rows.
    fn read_on(&mut self, mut rest: Box<Rest>, behind: Parts) {
        if rest.is_new() {
            self.units.window /= 4;
        }
        let (shared, number) = (Arc::clone(&self.shared), self.taking);
        spawn_on(&self.pool, move || {
            let mut parts = match caught(Error::panicked, || rest.next(&shared.work, &shared.held)) {
                Ok(None) => Parts::new(),
                Ok(Some((taken, room))) => Parts::from([Ok(Part::Batch(taken, room)), Ok(Part::Rest(rest))]),
                Err(error) => Parts::from([Err(error), Ok(Part::Rest(rest))]),
            };
            parts.extend(behind);
            shared.put(number, Stage::Done(parts));
        });
    }

    /// Begins with units of a local file, which are read to the end on the pool.
    fn begin_whole(&mut self, first: Unit) {
        let shared = Arc::clone(&self.shared);
        let number = self.next;
        self.groups.push_back(first.group);
        // The last ones are shared out singly.
        let left = shared.work.plan.groups.len().saturating_sub(self.units.next_group);
        let has_company = left > 2 * self.ahead && first.is_small(&shared.work.plan);
        let mut units = vec![first];
        if has_company {
            // What is wrong with it comes again with the next one.
            units.extend(self.units.next(&shared.work).ok().flatten());
        }
        shared.put(number, Stage::Running);
        self.next += 1;
        spawn_on(&self.pool, move || {
            let done = caught(Error::panicked, || Ok(whole(&shared.work, &shared.held, units)))
                .unwrap_or_else(|error| VecDeque::from([Err(error)]));
            shared.put(number, Stage::Done(done));
        });
    }

    /// Begins with another unit, if it is time; `false` when it is not.
    fn begin(&mut self) -> Result<bool> {
        // Where batches that were not taken are more than they should, there are no others but the unit that is taken next.
        let has_room = self.next == self.taking || !self.shared.held.is_full();
        if self.exhausted || self.next >= self.taking + self.ahead || !has_room {
            return Ok(false);
        }
        self.unpruned.clear();
        let stage = match self.units.next(&self.shared.work) {
            Ok(Some(unit)) if self.shared.work.plan.file.is_local() => {
                self.begin_whole(unit);
                return Ok(true);
            }
            Ok(Some(unit)) => {
                self.groups.push_back(unit.group);
                Stage::Waiting(Box::new(Waiting { unit, filtered: false, missing: Vec::new() }))
            }
            Ok(None) => {
                self.exhausted = true;
                return Ok(true);
            }
            Err(error) => {
                if let Some(missing) = Missing::of(&error) {
                    self.unpruned = missing.to_vec();
                    return Ok(false);
                }
                // The batches before it come first.
                self.exhausted = true;
                Stage::Done(VecDeque::from([Err(error)]))
            }
        };
        self.shared.put(self.next, stage);
        self.next += 1;
        Ok(true)
    }
}

impl Drop for Parallel {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.cancelled = true;
        state.units.clear();
    }
}

/// All batches of units, one after the other, up to the first error. Their dictionaries are decoded together.
fn whole(work: &Work, held: &Held, units: Vec<Unit>) -> Parts {
    let mut opened = Vec::with_capacity(units.len());
    let mut failed = None;
    for unit in units {
        let mut stage = super::Stage::Begun(unit);
        match stage.filter(work).and_then(|()| stage.open(work)) {
            Ok(()) => opened.push(stage),
            Err(error) => {
                failed = Some(Err(error));
                break;
            }
        }
    }
    super::begin(&work.plan, opened.iter_mut().filter_map(super::Stage::opened));
    let mut batches = VecDeque::new();
    for stage in opened {
        let super::Stage::Open(unit, access, lanes) = stage else { continue };
        match read(work, held, &unit, &access, lanes) {
            Ok(parts) => batches.extend(parts.into_iter().map(Ok)),
            Err(error) => {
                batches.push_back(Err(error));
                return batches;
            }
        }
    }
    batches.extend(failed);
    batches
}

/// How many rows a unit gets: as many as the memory holds of those in work, and few enough to keep the threads busy.
fn window(work: &Work, threads: usize, ahead: usize) -> u64 {
    let plan = &work.plan;
    let rows: u64 = plan.groups.iter().flat_map(|group| &group.ranges).map(|range| range.end - range.start).fold(0, u64::saturating_add);
    let row_bytes = plan.groups.first().map_or(1, |group| {
        let sizes = plan.leaves.iter().flatten().filter_map(|leaf| plan.location(group.index, *leaf).ok());
        let bytes = sizes.map(|location| location.uncompressed_size).fold(0, u64::saturating_add);
        bytes.checked_div(group.num_rows).unwrap_or(1).max(4 * plan.fields.len() as u64).max(1)
    });
    let batch = work.batch_rows as u64;
    let fit = (plan.file.limits.memory_bytes as u64 / 4) / row_bytes.saturating_mul(ahead as u64).max(1);
    let share = (rows / (4 * threads as u64).max(1)).div_ceil(batch).saturating_mul(batch);
    share.min(fit).min(BATCHES_AT_ONCE.saturating_mul(batch)).max(1)
}
