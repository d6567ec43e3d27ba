//! Filtered scans on one thread or a pool.
//!
//! On one thread a unit is filtered and then read batch by batch. On a pool the thread that takes the batches prunes row groups; of files that are not
//! local it gets the bytes as well. All decoding is the pool's, units beside each other and within a unit its fields.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;

use crate::arrow::filter::Filter;
use crate::arrow::filter::fetch::{Pieces, coalesced};
use crate::arrow::filter::prune::{Pruned, Pruning};
use crate::arrow::filter::selection::Selection;
use crate::arrow::filter::unit::{Condition, Unit, mask};
use crate::arrow::lanes::{Access, Lane, read_in_turn};
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
            let ranges = coalesced(indexes.iter().map(|(_, range)| range.clone()).collect(), &**source);
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
                // A batch at the least: each unit opens its chunks anew.
                let batch = (current.batch_rows as u64).max(1);
                let most = self.window.clamp(batch, batch.saturating_mul(BATCHES_AT_ONCE));
                while let Some(range) = current.left.front_mut()
                    && window.len() < most
                {
                    let end = range.end.min(range.start.saturating_add(most - window.len()));
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
        let ranges = coalesced(pruning.needs(), &**source);
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
                begin(&self.work.plan, [&mut self.stage, &mut self.next].into_iter().filter_map(Stage::opened));
                self.goes_on = true;
            }
            Stage::Open(unit, access, lanes) => {
                let Some(output) = unit.outputs.front() else {
                    self.stage = Stage::None;
                    return Ok(None);
                };
                let mask = mask(plan, output);
                let columns = read_in_turn(plan, lanes, |lane| unit.read(plan, lane, output, mask.as_ref()));
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

    /// The unit and its lanes, if they are open.
    fn opened(&mut self) -> Option<(&Unit, &mut [Lane])> {
        match self {
            Stage::Open(unit, _, lanes) => Some((unit, lanes)),
            _ => None,
        }
    }
}

fn lanes_of(plan: &Plan, unit: &Unit, access: &Access) -> Result<Vec<Lane>> {
    (0..plan.fields.len()).map(|field| unit.open(plan, field, access)).collect()
}

/// Decompresses together what units that were just opened are going to be read with: of all whose selected rows are so many that most dictionaries will be
/// needed, these; of the others the pages with the first row, unit by unit. Where rows begin behind the first page, that page tells whether it needs one.
fn begin<'a>(plan: &Plan, opened: impl Iterator<Item = (&'a Unit, &'a mut [Lane])>) {
    let mut many: Vec<(&mut Lane, Option<u64>)> = Vec::new();
    for (unit, lanes) in opened {
        let first = unit.first_row();
        let lanes = lanes.iter_mut().map(|lane| (lane, first));
        match first {
            _ if unit.wants_many(plan) => many.extend(lanes),
            None => {}
            Some(_) => Lane::begin_at(lanes, false),
        }
    }
    Lane::begin_at(many.into_iter(), true);
}

#[cfg(feature = "rayon")]
pub(crate) use parallel::Parallel;

#[cfg(feature = "rayon")]
mod parallel;
#[cfg(feature = "rayon")]
mod parts;
