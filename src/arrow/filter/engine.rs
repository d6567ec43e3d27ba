//! Filtered scans on one thread or a pool.
//!
//! On one thread a unit is filtered and then read batch by batch. On a pool the thread that takes the batches does the fetching:
//! it prunes row groups, gets the bytes for their filters, and, when a unit knows its rows, the bytes for the rest; all decoding is
//! the pool's, units beside each other and within a unit its fields.

use std::collections::{BTreeMap, VecDeque};
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
use crate::error::{Error, Result};
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
            self.next_group += 1;
            self.current = Some(prune(work, group).map_err(|error| error.in_row_group(described.index))?);
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
    current: Option<(Unit, Vec<Lane>)>,
}

/// The most batches that a unit's rows are looked at for before the first of them is read.
const BATCHES_AT_ONCE: u64 = 64;

impl Inline {
    pub(crate) fn new(work: Work) -> Self {
        let window = BATCHES_AT_ONCE.saturating_mul(work.batch_rows as u64);
        Self { units: Units::new(window), work, current: None }
    }

    /// The next batch.
    pub(crate) fn take(&mut self) -> Result<Option<Taken>> {
        let plan = &self.work.plan;
        loop {
            if let Some((unit, lanes)) = &mut self.current
                && let Some(output) = unit.outputs.pop_front()
            {
                let mask = mask(&output);
                let columns = lanes.iter_mut().map(|lane| unit.read(plan, lane, &output, mask.as_ref())).collect::<Result<_>>()?;
                return Ok(Some(self.work.taken(unit.group, columns, &output)));
            }
            self.current = None;
            let Some(mut unit) = self.units.next(&self.work)? else { return Ok(None) };
            let access = self.work.fetch_filter(&unit)?;
            unit.filter(plan, &self.work.filter, &access)?;
            if unit.outputs.is_empty() {
                continue;
            }
            let access = self.work.fetch_output(&mut unit)?;
            let lanes = (0..plan.fields.len()).map(|field| unit.open(plan, field, &access)).collect::<Result<_>>()?;
            self.current = Some((unit, lanes));
        }
    }
}

#[cfg(feature = "rayon")]
pub(crate) use parallel::Parallel;

#[cfg(feature = "rayon")]
mod parallel {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

    use rayon::prelude::*;

    use super::*;
    use crate::arrow::parallel::{Pool, spawn_on};
    use crate::arrow::scan::Threads;

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
    }

    struct Shared {
        work: Work,
        state: Mutex<State>,
        ready: Condvar,
    }

    struct State {
        units: BTreeMap<usize, Stage>,
        cancelled: bool,
    }

    enum Stage {
        /// In the pool.
        Running,
        /// Its rows are known, their bytes are wanted.
        Filtered(Box<Unit>),
        Done(Result<VecDeque<Taken>>),
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
            }
        }
    }

    impl Parallel {
        pub(crate) fn new(work: Work, threads: Threads) -> Self {
            let (pool, threads) = Pool::of(threads);
            let ahead = threads + 1;
            let window = window(&work, threads, ahead);
            let state = State { units: BTreeMap::new(), cancelled: false };
            let shared = Arc::new(Shared { work, state: Mutex::new(state), ready: Condvar::new() });
            Self { shared, pool, units: Units::new(window), next: 0, taking: 0, ahead, exhausted: false }
        }

        /// The next batch.
        pub(crate) fn take(&mut self) -> Result<Option<Taken>> {
            self.pool.check()?;
            loop {
                if self.fetch_filtered()? || self.begin()? {
                    continue;
                }
                let mut state = self.shared.lock();
                match state.units.get_mut(&self.taking) {
                    Some(Stage::Done(Ok(batches))) => {
                        if let Some(taken) = batches.pop_front() {
                            return Ok(Some(taken));
                        }
                        state.units.remove(&self.taking);
                        self.taking += 1;
                        continue;
                    }
                    Some(Stage::Done(Err(_))) => {
                        return match state.units.remove(&self.taking) {
                            Some(Stage::Done(Err(error))) => Err(error),
                            _ => Ok(None),
                        };
                    }
                    Some(_) => {}
                    None if self.exhausted => return Ok(None),
                    None => continue,
                }
                drop(state);
                // On a thread of the pool itself, waiting would keep it from the work that is waited for.
                if rayon::yield_now() == Some(rayon::Yield::Executed) {
                    continue;
                }
                let state = self.shared.lock();
                let busy = |state: &mut State| {
                    !state.units.values().any(|stage| matches!(stage, Stage::Filtered(_)))
                        && matches!(state.units.get(&self.taking), Some(Stage::Running))
                };
                let patience = std::time::Duration::from_millis(if rayon::current_thread_index().is_some() { 1 } else { 1000 });
                drop(self.shared.ready.wait_timeout_while(state, patience, busy));
            }
        }

        /// Fetches the bytes of a unit whose rows are known; `false` when there is none.
        fn fetch_filtered(&mut self) -> Result<bool> {
            let mut state = self.shared.lock();
            let waiting = state.units.iter().find(|(_, stage)| matches!(stage, Stage::Filtered(_))).map(|(number, _)| *number);
            let Some(number) = waiting else { return Ok(false) };
            let Some(Stage::Filtered(mut unit)) = state.units.insert(number, Stage::Running) else { return Ok(true) };
            drop(state);
            let access = match self.shared.work.fetch_output(&mut unit) {
                Ok(access) => access,
                Err(error) => {
                    self.shared.put(number, Stage::Done(Err(error)));
                    return Ok(true);
                }
            };
            let shared = Arc::clone(&self.shared);
            spawn_on(&self.pool, move || {
                let batches = guarded(|| read(&shared.work, &mut unit, &access));
                shared.put(number, Stage::Done(batches));
            });
            Ok(true)
        }

        /// Begins with another unit, if it is time; `false` when it is not.
        fn begin(&mut self) -> Result<bool> {
            if self.exhausted || self.next >= self.taking + self.ahead {
                return Ok(false);
            }
            let number = self.next;
            let begun = self.units.next(&self.shared.work).and_then(|unit| match unit {
                Some(unit) => self.shared.work.fetch_filter(&unit).map(|access| Some((unit, access))),
                None => Ok(None),
            });
            let (mut unit, access) = match begun {
                Ok(Some(begun)) => begun,
                Ok(None) => {
                    self.exhausted = true;
                    return Ok(true);
                }
                Err(error) => {
                    // The batches before it come first.
                    self.exhausted = true;
                    self.next += 1;
                    self.shared.put(number, Stage::Done(Err(error)));
                    return Ok(true);
                }
            };
            self.next += 1;
            self.shared.put(number, Stage::Running);
            let shared = Arc::clone(&self.shared);
            spawn_on(&self.pool, move || {
                let work = &shared.work;
                let stage = match guarded(|| unit.filter(&work.plan, &work.filter, &access)) {
                    Ok(()) if unit.outputs.is_empty() => Stage::Done(Ok(VecDeque::new())),
                    Ok(()) => Stage::Filtered(Box::new(unit)),
                    Err(error) => Stage::Done(Err(error)),
                };
                shared.put(number, stage);
            });
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
    fn read(work: &Work, unit: &mut Unit, access: &Access) -> Result<VecDeque<Taken>> {
        let plan = &work.plan;
        let outputs = std::mem::take(&mut unit.outputs);
        let masks: Vec<_> = outputs.iter().map(mask).collect();
        let unit = &*unit;
        let field = |field: usize| -> Result<Vec<Vec<ArrayRef>>> {
            let mut lane = unit.open(plan, field, access)?;
            outputs.iter().zip(&masks).map(|(output, mask)| unit.read(plan, &mut lane, output, mask.as_ref())).collect()
        };
        let fields: Vec<Vec<Vec<ArrayRef>>> = (0..plan.fields.len()).into_par_iter().map(field).collect::<Result<_>>()?;
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
