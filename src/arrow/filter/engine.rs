//! Filtered scans on one thread or a pool.
//!
//! On one thread a unit is filtered and then read batch by batch. On a pool the thread that takes the batches does the fetching:
//! it prunes row groups, gets the bytes for their filters, and, when a unit knows its rows, the bytes for the rest; all decoding is
//! the pool's, units beside each other and within a unit its fields.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;

use crate::arrow::filter::Filter;
use crate::arrow::filter::fetch::{Pieces, coalesced};
use crate::arrow::filter::prune::{Pruned, Pruning};
use crate::arrow::filter::selection::Selection;
use crate::arrow::filter::unit::{Condition, Unit, mask};
use crate::arrow::lanes::{Access, Lane};
use crate::arrow::plan::Plan;
use crate::error::Result;
use crate::predicate::RowRanges;

/// The selected rows of one batch.
pub(crate) struct Taken {
    /// The arrays of each field.
    pub(crate) columns: Vec<Vec<ArrayRef>>,
    pub(crate) rows: usize,
    /// Their numbers in the file.
    pub(crate) numbers: VecDeque<Range<u64>>,
}

/// What a filtered scan is about.
pub(crate) struct Work {
    pub(crate) plan: Arc<Plan>,
    pub(crate) filter: Arc<Filter>,
    pub(crate) batch_rows: usize,
    /// Whether the numbers of rows are wanted.
    pub(crate) numbers: bool,
}

impl Work {
    fn taken(&self, group: usize, columns: Vec<Vec<ArrayRef>>, output: &Selection) -> Taken {
        let first = self.plan.groups.get(group).map_or(0, |group| group.first_row);
        let numbers = match self.numbers {
            true => output.picked().into_iter().map(|range| first + range.start..first + range.end).collect(),
            false => VecDeque::new(),
        };
        Taken { columns, rows: output.count, numbers }
    }

    /// Fetches what the filter's columns need.
    fn fetch_filter(&self, unit: &Unit) -> Result<Access> {
        unit.filter_needs(&self.plan, &self.filter)?.fetch(&self.plan.file.source, unit.indexes())
    }

    /// Fetches what the selected rows need.
    fn fetch_output(&self, unit: &mut Unit) -> Result<Access> {
        let source = &self.plan.file.source;
        let indexes = unit.index_needs(&self.plan);
        if !indexes.is_empty() {
            let ranges = coalesced(indexes.iter().map(|(_, range)| range.clone()).collect());
            unit.give_indexes(&self.plan, indexes, &Pieces::fetch(source, &ranges)?)?;
        }
        unit.output_needs(&self.plan)?.fetch(source, unit.indexes())
    }
}

/// Row groups pruned and cut into units, in order.
struct Units {
    next_group: usize,
    /// The row group that units are cut from, and the rows of it that are left.
    current: Option<Current>,
    /// The most rows of a unit.
    window: u64,
}

struct Current {
    group: usize,
    pruned: Pruned,
    left: VecDeque<Range<u64>>,
    conditions: Arc<[Condition]>,
    batch_rows: usize,
}

impl Units {
    fn new(window: u64) -> Self {
        Self { next_group: 0, current: None, window: window.max(1) }
    }

    fn next(&mut self, work: &Work) -> Result<Option<Unit>> {
        loop {
            if let Some(current) = &mut self.current {
                let mut window = RowRanges::none();
                while let Some(range) = current.left.front_mut()
                    && window.len() < self.window
                {
                    let end = range.end.min(range.start.saturating_add(self.window - window.len()));
                    window.push(range.start..end);
                    range.start = end;
                    if range.is_empty() {
                        current.left.pop_front();
                    }
                }
                if !window.is_empty() {
                    let conditions = Arc::clone(&current.conditions);
                    return Ok(Some(Unit::new(current.group, window, &current.pruned, conditions, current.batch_rows)));
                }
                self.current = None;
            }
            let group = self.next_group;
            let Some(described) = work.plan.groups.get(group) else { return Ok(None) };
            // If bytes are missing, it is pruned again when they are there.
            self.current = Some(prune(work, group).map_err(|error| error.in_row_group(described.index))?);
            self.next_group += 1;
        }
    }
}

fn prune(work: &Work, group: usize) -> Result<Current> {
    let source = &work.plan.file.source;
    let mut pruning = Pruning::new(&work.plan, &work.filter, group);
    loop {
        let ranges = coalesced(pruning.needs());
        if ranges.is_empty() {
            break;
        }
        pruning.give(&Pieces::fetch(source, &ranges)?)?;
    }
    let pruned = pruning.finish();
    let conditions = Condition::all(&work.plan, &work.filter, group, &pruned.residual);
    if conditions.is_empty() && !pruned.some.is_empty() {
        work.filter.count(|metrics| metrics.row_groups_decided += 1);
    }
    let left = pruned.some.ranges().iter().cloned().collect();
    Ok(Current { group, left, conditions, batch_rows: work.plan.rows_of_batches(group, work.batch_rows)?, pruned })
}

/// A filtered scan on the thread that takes the batches.
pub(crate) struct Inline {
    work: Work,
    units: Units,
    stage: Stage,
    /// How far the unit after it is, which may have come along.
    next: Stage,
    /// Whether a unit came before.
    goes_on: bool,
}

/// How far a unit is.
enum Stage {
    None,
    /// Its rows are known roughly.
    Begun(Unit),
    /// Its rows are known.
    Filtered(Unit),
    /// Its batches are read.
    Open(Unit, Access, Vec<Lane>),
}

/// The most batches that a unit's rows are looked at for before the first of them is read.
const BATCHES_AT_ONCE: u64 = 64;

impl Inline {
    pub(crate) fn new(work: Work) -> Self {
        let window = BATCHES_AT_ONCE.saturating_mul(work.batch_rows as u64);
        Self { units: Units::new(window), work, stage: Stage::None, next: Stage::None, goes_on: false }
    }

    /// The next batch. Where bytes are [`Missing`](crate::read::Missing), it can be called again when they are there.
    pub(crate) fn take(&mut self) -> Result<Option<Taken>> {
        loop {
            if let Stage::None = self.stage {
                self.stage = std::mem::replace(&mut self.next, Stage::None);
            }
            if let Stage::None = self.stage {
                let Some(unit) = self.units.next(&self.work)? else { return Ok(None) };
                self.stage = Stage::Begun(unit);
            }
            if let Some(taken) = self.step()? {
                return Ok(Some(taken));
            }
        }
    }

    /// The row groups that are at work, by their places in the plan.
    pub(crate) fn groups(&self) -> Range<usize> {
        let mut at_work = [&self.stage, &self.next].into_iter().filter_map(Stage::group);
        let first = at_work.next().unwrap_or(self.units.next_group);
        first..at_work.next().unwrap_or(first).saturating_add(1)
    }

    /// Opens the unit after this one, so that dictionaries of both are decoded together. What goes wrong is left to its turn.
    fn bring_next(&mut self) {
        let work = &self.work;
        while !matches!(self.next, Stage::Open(..)) {
            let stepped = match &self.next {
                Stage::None => self.units.next(work).map(|unit| self.next = unit.map_or(Stage::None, Stage::Begun)),
                Stage::Begun(_) => self.next.filter(work),
                _ => self.next.open(work),
            };
            if stepped.is_err() || matches!(self.next, Stage::None) {
                break;
            }
        }
    }

    /// Takes the unit a stage further; with a batch, if that is what comes of it. After an error the stage is as before.
    fn step(&mut self) -> Result<Option<Taken>> {
        let (work, plan) = (&self.work, &self.work.plan);
        match &mut self.stage {
            Stage::None => {}
            Stage::Begun(_) => self.stage.filter(work)?,
            Stage::Filtered(_) => {
                self.stage.open(work)?;
                if self.goes_on && self.stage.is_worth_company(work) {
                    self.bring_next();
                }
                let opened = [&mut self.stage, &mut self.next].into_iter().filter_map(|stage| stage.lanes_of_many(&self.work));
                Lane::begin(opened.flatten());
                self.goes_on = true;
            }
            Stage::Open(unit, access, lanes) => {
                let Some(output) = unit.outputs.front() else {
                    self.stage = Stage::None;
                    return Ok(None);
                };
                let mask = mask(plan, output);
                let columns = lanes.iter_mut().map(|lane| unit.read(plan, lane, output, mask.as_ref())).collect::<Result<_>>();
                let columns = match columns {
                    Ok(columns) => columns,
                    Err(error) => {
                        // Some lanes are beyond the batch now.
                        *lanes = lanes_of(plan, unit, access)?;
                        return Err(error);
                    }
                };
                let taken = work.taken(unit.group, columns, output);
                unit.outputs.pop_front();
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }
}

impl Stage {
    fn group(&self) -> Option<usize> {
        match self {
            Stage::None => None,
            Stage::Begun(unit) | Stage::Filtered(unit) | Stage::Open(unit, ..) => Some(unit.group),
        }
    }

    /// Finds the rows of a unit that was begun.
    fn filter(&mut self, work: &Work) -> Result<()> {
        let Stage::Begun(unit) = self else { return Ok(()) };
        let access = work.fetch_filter(unit)?;
        unit.filter(&work.plan, &work.filter, &access)?;
        *self = match std::mem::replace(self, Stage::None) {
            Stage::Begun(unit) if !unit.outputs.is_empty() => Stage::Filtered(unit),
            _ => Stage::None,
        };
        Ok(())
    }

    /// Opens the lanes of a unit that was filtered.
    fn open(&mut self, work: &Work) -> Result<()> {
        let Stage::Filtered(unit) = self else { return Ok(()) };
        let access = work.fetch_output(unit)?;
        let lanes = lanes_of(&work.plan, unit, &access)?;
        if let Stage::Filtered(unit) = std::mem::replace(self, Stage::None) {
            *self = Stage::Open(unit, access, lanes);
        }
        Ok(())
    }

    /// Whether its dictionaries gain from others to be decoded with, and the unit after it takes little memory.
    fn is_worth_company(&self, work: &Work) -> bool {
        matches!(self, Stage::Open(unit, ..) if unit.wants_many(&work.plan) && unit.is_small(&work.plan))
    }

    /// The lanes, if they are open and so many rows are selected that most dictionaries will be needed.
    fn lanes_of_many(&mut self, work: &Work) -> Option<&mut Vec<Lane>> {
        match self {
            Stage::Open(unit, _, lanes) if unit.wants_many(&work.plan) => Some(lanes),
            _ => None,
        }
    }
}

fn lanes_of(plan: &Plan, unit: &Unit, access: &Access) -> Result<Vec<Lane>> {
    (0..plan.fields.len()).map(|field| unit.open(plan, field, access)).collect()
}

#[cfg(feature = "rayon")]
fn begun(plan: &Plan, unit: &Unit, access: &Access) -> Result<Vec<Lane>> {
    let mut lanes = lanes_of(plan, unit, access)?;
    // Few rows may lie where no dictionary is needed.
    if unit.wants_many(plan) {
        Lane::begin(lanes.iter_mut());
    }
    Ok(lanes)
}

#[cfg(feature = "rayon")]
pub(crate) use parallel::Parallel;

#[cfg(feature = "rayon")]
mod parallel {
    use std::collections::BTreeMap;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
    use std::task::{Poll, Waker};

    use rayon::prelude::*;

    use super::*;
    use crate::arrow::parallel::{Pool, spawn_on};
    use crate::arrow::scan::Threads;
    use crate::error::Error;
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
        Done(Result<VecDeque<Taken>>),
    }

    /// A unit whose bytes are wanted: those of its filter's columns, or when its rows are known, those of the others.
    struct Waiting {
        unit: Unit,
        filtered: bool,
        /// What of them was not pushed yet, in a file whose bytes are pushed.
        missing: Vec<Range<u64>>,
    }

    impl Stage {
        fn waiting(unit: Unit, filtered: bool) -> Self {
            Self::Waiting(Box::new(Waiting { unit, filtered, missing: Vec::new() }))
        }

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
                None => Stage::Done(Err(error)),
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
            let shared = Arc::new(Shared { work, state: Mutex::new(state), ready: Condvar::new() });
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
                    !state.units.values().any(|stage| stage.can_go_on(plan))
                        && matches!(state.units.get(&self.taking), Some(Stage::Running))
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
                    Some(Stage::Done(Ok(batches))) => {
                        if let Some(taken) = batches.pop_front() {
                            return Ok(Poll::Ready(Some(taken)));
                        }
                        state.units.remove(&self.taking);
                        self.taking += 1;
                        self.groups.pop_front();
                    }
                    Some(Stage::Done(Err(_))) => {
                        return match state.units.remove(&self.taking) {
                            Some(Stage::Done(Err(error))) => Err(error),
                            _ => Ok(Poll::Ready(None)),
                        };
                    }
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
                let work = &self.shared.work;
                let access = if waiting.filtered { work.fetch_output(&mut waiting.unit) } else { work.fetch_filter(&waiting.unit) };
                match access {
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

        fn spawn(&self, number: usize, mut waiting: Box<Waiting>, access: Access) {
            let shared = Arc::clone(&self.shared);
            spawn_on(&self.pool, move || {
                let work = &shared.work;
                let unit = &mut waiting.unit;
                let stage = match waiting.filtered {
                    true => guarded(|| read(work, unit, &access)).map(|batches| Stage::Done(Ok(batches))),
                    false => guarded(|| unit.filter(&work.plan, &work.filter, &access)).map(|()| Stage::Running),
                };
                match stage {
                    Err(error) => shared.put_back(number, waiting, error),
                    Ok(Stage::Running) if waiting.unit.outputs.is_empty() => shared.put(number, Stage::Done(Ok(VecDeque::new()))),
                    Ok(Stage::Running) => shared.put(number, Stage::waiting(waiting.unit, true)),
                    Ok(done) => shared.put(number, done),
                }
            });
        }

        /// Begins with another unit, if it is time; `false` when it is not.
        fn begin(&mut self) -> Result<bool> {
            if self.exhausted || self.next >= self.taking + self.ahead {
                return Ok(false);
            }
            self.unpruned.clear();
            let stage = match self.units.next(&self.shared.work) {
                Ok(Some(unit)) => {
                    self.groups.push_back(unit.group);
                    Stage::waiting(unit, false)
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
                    Stage::Done(Err(error))
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

    /// A panic becomes an error of the scan and harms no other.
    fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
        catch_unwind(AssertUnwindSafe(run))
            .unwrap_or_else(|_| Err(Error::malformed("decoding panicked, which is a defect of this crate: please report it with the file")))
    }

    /// All batches of a unit, its fields beside each other.
    fn read(work: &Work, unit: &Unit, access: &Access) -> Result<VecDeque<Taken>> {
        let plan = &work.plan;
        let outputs = &unit.outputs;
        let masks: Vec<_> = outputs.iter().map(|output| mask(plan, output)).collect();
        let field = |mut lane: Lane| -> Result<Vec<Vec<ArrayRef>>> {
            outputs.iter().zip(&masks).map(|(output, mask)| unit.read(plan, &mut lane, output, mask.as_ref())).collect()
        };
        let fields: Vec<Vec<Vec<ArrayRef>>> = begun(plan, unit, access)?.into_par_iter().map(field).collect::<Result<_>>()?;
        let mut fields: Vec<_> = fields.into_iter().map(Vec::into_iter).collect();
        let batch = |output| {
            let columns = fields.iter_mut().map(|batches| batches.next().unwrap_or_default()).collect();
            work.taken(unit.group, columns, output)
        };
        Ok(outputs.iter().map(batch).collect())
    }

    /// How many rows a unit gets: as many as the memory holds of those in work, and few enough to keep the threads busy.
    fn window(work: &Work, threads: usize, ahead: usize) -> u64 {
        let plan = &work.plan;
        let rows: u64 = plan.groups.iter().flat_map(|group| &group.ranges).map(|range| range.end - range.start).sum();
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
}
