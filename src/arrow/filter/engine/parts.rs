//! The batches of a unit, read on the pool: all at once where the memory holds them, else one after the other as they are taken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::ArrayRef;
use rayon::prelude::*;

use super::{Taken, Work, begin, lanes_of};
use crate::arrow::filter::unit::{Unit, mask};
use crate::arrow::lanes::{Access, Lane};
use crate::error::Result;
use crate::limits::Limits;
use crate::read::Room;

/// What there is of units, in order; after an error follow the batches that can be asked for again.
pub(super) type Parts = VecDeque<Result<Part>>;

pub(super) enum Part {
    /// A batch, and what counts its bytes as long as it is not taken.
    Batch(Taken, Arc<Room>),
    Rest(Box<Rest>),
}

/// A unit whose batches are read one after the other.
pub(super) struct Rest {
    unit: Unit,
    access: Access,
    /// None before the first of the batches is read.
    lanes: Option<Vec<Lane>>,
}

/// How many bytes batches take that were read and not taken yet, and those that are being read.
pub(super) struct Held {
    bytes: Arc<AtomicUsize>,
    limits: Limits,
}

impl Held {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { bytes: Arc::default(), limits: limits.clone() }
    }

    /// Whether they take more than they should.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > self.limits.memory_bytes
    }

    fn room(&self) -> Arc<Room> {
        Arc::new(Room::beside_others(&self.limits, &self.bytes))
    }
}

/// Reads the batches of a unit whose lanes were opened on `access`. If they take more than the memory that there is, what was read is dropped, and they are
/// read again one by one.
///
/// # Errors
/// As for reading its columns.
pub(super) fn read(work: &Work, held: &Held, unit: &Unit, access: &Access, lanes: Vec<Lane>) -> Result<VecDeque<Part>> {
    let outputs = &unit.outputs;
    let masks: Vec<_> = outputs.iter().map(|output| mask(&work.plan, output)).collect();
    let rooms: Vec<_> = outputs.iter().map(|_| held.room()).collect();
    let field = |mut lane: Lane| -> Result<Option<Vec<Vec<ArrayRef>>>> {
        let mut batches = Vec::with_capacity(outputs.len());
        for ((output, mask), room) in outputs.iter().zip(&masks).zip(&rooms) {
            lane.share(room);
            batches.push(unit.read(&work.plan, &mut lane, output, mask.as_ref())?);
            if outputs.len() > 1 && held.is_full() {
                return Ok(None);
            }
        }
        Ok(Some(batches))
    };
    let fields: Vec<Option<_>> = lanes.into_par_iter().map(field).collect::<Result<_>>()?;
    let Some(fields) = fields.into_iter().collect::<Option<Vec<_>>>() else {
        return Ok(VecDeque::from([Part::Rest(Box::new(Rest { unit: unit.clone(), access: access.clone(), lanes: None }))]));
    };
    let mut fields: Vec<_> = fields.into_iter().map(Vec::into_iter).collect();
    let batch = |(output, room)| {
        let columns = fields.iter_mut().map(|batches| batches.next().unwrap_or_default()).collect();
        Part::Batch(work.taken(unit.group, columns, output), room)
    };
    Ok(outputs.iter().zip(rooms).map(batch).collect())
}

impl Rest {
    /// The next batch, its fields beside each other, if there is one. It can be called again after an error.
    ///
    /// # Errors
    /// As for reading its columns.
    pub(super) fn next(&mut self, work: &Work, held: &Held) -> Result<Option<(Taken, Arc<Room>)>> {
        let Self { unit, access, lanes } = self;
        let Some(output) = unit.outputs.front() else { return Ok(None) };
        // After an error some lanes are beyond the batch.
        let mut opened = match lanes.take() {
            Some(lanes) => lanes,
            None => {
                let mut opened = lanes_of(&work.plan, unit, access)?;
                begin(&work.plan, std::iter::once((&*unit, opened.as_mut_slice())));
                opened
            }
        };
        let (mask, room) = (mask(&work.plan, output), held.room());
        let field = |lane: &mut Lane| {
            lane.share(&room);
            unit.read(&work.plan, lane, output, mask.as_ref())
        };
        let columns = opened.par_iter_mut().map(field).collect::<Result<_>>()?;
        let taken = work.taken(unit.group, columns, output);
        *lanes = Some(opened);
        unit.outputs.pop_front();
        Ok(Some((taken, room)))
    }

    /// Whether none of its batches was read.
    pub(super) fn is_new(&self) -> bool {
        self.lanes.is_none()
    }
}
