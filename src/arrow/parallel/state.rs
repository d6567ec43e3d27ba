//! What the threads of a scan share.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use arrow_array::ArrayRef;

use crate::arrow::lanes::{Held, Lane};
use crate::arrow::plan::Plan;
use crate::arrow::pool::Pool;
use crate::encoding::Dictionary;
use crate::error::Result;
use crate::format::PhysicalType;
use crate::limits::Limits;
use crate::read::{LeafData, Room, Spawn};

use super::is_in_list;

pub(super) struct Shared {
    pub(super) plan: Arc<Plan>,
    pub(super) pool: Pool,
    /// How many threads the pool has.
    pub(super) threads: usize,
    /// Gives the pool a task that prepares pages.
    pub(super) spawn: Arc<Spawn>,
    pub(super) state: Mutex<State>,
    pub(super) ready: Condvar,
}

pub(super) struct State {
    /// Batches of which there is something, and that were not taken yet.
    pub(super) done: BTreeMap<usize, Pending>,
    /// How many fields a batch has, and what one may cost.
    pub(super) fields: usize,
    pub(super) limits: Limits,
    /// How many tasks are in the pool's hands.
    pub(super) working: usize,
    /// Whether the lanes of the last row group were given to the pool, so that threads that run out of work get no more.
    pub(super) all_opened: bool,
    /// The taker is woken when so many batches in a row are there, or when the pool runs out of work.
    pub(super) patience: usize,
    /// Lanes that are too far ahead, by the batch that they read next.
    pub(super) parked: Vec<Work>,
    /// Lanes that need bytes which were not pushed yet, and these bytes.
    pub(super) stuck: Vec<(Vec<Range<u64>>, Work)>,
    /// Who waits for the batch that is taken next.
    pub(super) waker: Option<Waker>,
    /// The batch that is taken next, and how many batches beyond may be worked on.
    pub(super) taking: usize,
    pub(super) ahead: usize,
    /// So many batches before a row group its lanes are opened.
    pub(super) opened_ahead: usize,
    /// A parked lane goes on when it has so many batches to read and one more, so that it is not given to the pool for each.
    pub(super) rest: usize,
    /// Bytes of the arrays in `done`, and how many there may be before lanes wait: metadata tell only roughly how large
    /// batches become, least of all where dictionaries are written out.
    pub(super) done_bytes: usize,
    pub(super) most_bytes: usize,
    pub(super) cancelled: bool,
}

/// What there is of a batch.
pub(super) struct Pending {
    /// The arrays, one entry a field.
    pub(super) fields: Vec<Option<Result<Vec<ArrayRef>>>>,
    /// How many entries are empty.
    pub(super) left: usize,
    /// What its rows may take.
    room: Arc<Room>,
    /// Of fields whose leaves are read by a lane each: those that were, with their indices.
    pub(super) leaves: HashMap<usize, Vec<(usize, LeafData)>>,
}

impl Pending {
    fn new(fields: usize, limits: &Limits) -> Self {
        Self { fields: (0..fields).map(|_| None).collect(), left: fields, room: Arc::new(Room::new(limits)), leaves: HashMap::new() }
    }

    /// Takes a leaf of a field that has so many, and gives all of them when it was the last.
    pub(super) fn put_leaf(&mut self, field: usize, data: Vec<(usize, LeafData)>, of: usize) -> Option<Vec<(usize, LeafData)>> {
        let leaves = self.leaves.entry(field).or_default();
        leaves.extend(data);
        if leaves.len() < of {
            return None;
        }
        let mut leaves = self.leaves.remove(&field)?;
        leaves.sort_by_key(|(leaf, _)| *leaf);
        Some(leaves)
    }

    pub(super) fn put(&mut self, field: usize, arrays: Result<Vec<ArrayRef>>) {
        if let Some(slot) = self.fields.get_mut(field)
            && slot.replace(arrays).is_none()
        {
            self.left = self.left.saturating_sub(1);
        }
    }
}

/// Dictionaries of a row group, by leaf.
pub(super) type Dictionaries = Arc<Mutex<HashMap<usize, Arc<Dictionary>>>>;

/// Lanes that are read in turn, and what is left of their batches. Most often it is one lane; where there are thousands of
/// columns, many go together, since a task and a lock for each small chunk cost more than reading it.
pub(super) struct Work {
    pub(super) group: usize,
    pub(super) held: Arc<Held>,
    pub(super) lanes: Vec<LaneState>,
    pub(super) batches: Range<usize>,
}

pub(super) struct LaneState {
    pub(super) field: usize,
    /// Whether it is of a list and there are threads that have little else to do: then they prepare its pages and assemble its arrays.
    pub(super) is_helped: bool,
    /// The place of the leaf among the field's, if it reads one alone.
    pub(super) leaf: Option<usize>,
    /// Where lanes that read parts of the same chunks leave what they decoded, so that a later one need not.
    pub(super) dictionaries: Option<Dictionaries>,
    /// None before it is opened: opening parses metadata and headers, which belongs into the pool as well.
    pub(super) lane: Option<Box<Lane>>,
}

/// How long the batches of a lane take.
#[derive(Default)]
pub(super) struct Pace {
    read: u32,
    first: Duration,
    all: Duration,
}

/// Sharing has to save so much.
const WORTH_SHARING: Duration = Duration::from_micros(250);

impl Pace {
    /// A batch is read, so long after the first was begun.
    pub(super) fn batch(&mut self, after: Duration) {
        self.read = self.read.saturating_add(1);
        self.all = after;
        if self.read == 1 {
            self.first = after;
        }
    }

    /// Whether reading half of so many batches takes longer than what another thread does before it can: the first batch tells, which opens the chunk,
    /// decodes its dictionary and decompresses a page, and as all of that is in it, it does not tell how long others take.
    fn is_worth_sharing(&self, batches: usize) -> bool {
        let Some(batch) = self.all.saturating_sub(self.first).checked_div(self.read.saturating_sub(1)) else { return false };
        let half = batch.saturating_mul(u32::try_from(batches / 2).unwrap_or(u32::MAX));
        half >= self.first.saturating_sub(batch).saturating_add(WORTH_SHARING)
    }
}

impl Work {
    /// Cuts off the batches from `middle` on, to be read by lanes that are opened anew and know the dictionaries that these decoded.
    fn cut(&mut self, middle: usize) -> Self {
        let decoded = self.lanes.iter().filter_map(|state| state.lane.as_deref()).flat_map(Lane::dictionaries).collect();
        let dictionaries = Dictionaries::new(Mutex::new(decoded));
        let again = |state: &LaneState| LaneState { dictionaries: Some(Arc::clone(&dictionaries)), lane: None, ..*state };
        let lanes = self.lanes.iter().map(again).collect();
        let rest = Self { group: self.group, held: Arc::clone(&self.held), lanes, batches: middle..self.batches.end };
        self.batches.end = middle;
        rest
    }
}

impl State {
    /// Half of what a lane has left to do, if a thread has nothing else: at the end of a file the last lanes would be read by some threads while others
    /// wait.
    pub(super) fn share(&mut self, shared: &Shared, work: &mut Work, pace: &Pace) -> Option<Work> {
        let is_idle = self.all_opened && self.working < shared.threads && self.parked.is_empty();
        let middle = work.batches.start.midpoint(work.batches.end);
        let has_half = work.batches.len() > 1 && middle < self.horizon();
        if !is_idle || !has_half || !pace.is_worth_sharing(work.batches.len()) || !work.lanes.iter().all(|lane| shared.may_be_cut(lane)) {
            return None;
        }
        self.working += 1;
        Some(work.cut(middle))
    }

    /// What there is of a batch, unless nobody wants it any more.
    pub(super) fn pending(&mut self, batch: usize) -> Option<&mut Pending> {
        let Self { done, fields, limits, .. } = self;
        if batch >= self.taking { Some(done.entry(batch).or_insert_with(|| Pending::new(*fields, limits))) } else { None }
    }

    /// Takes the arrays of a field, unless nobody wants the batch any more.
    pub(super) fn put(&mut self, batch: usize, field: usize, bytes: usize, arrays: Result<Vec<ArrayRef>>) {
        if let Some(pending) = self.pending(batch) {
            pending.put(field, arrays);
            self.done_bytes = self.done_bytes.saturating_add(bytes);
        }
    }

    /// Lets the rows of a batch take as much as any: they are read again.
    pub(super) fn renew_room(&mut self, batch: usize) {
        let room = Arc::new(Room::new(&self.limits));
        if let Some(pending) = self.pending(batch) {
            pending.room = room;
        }
    }

    /// Whether all arrays of a batch are there.
    pub(super) fn has(&self, batch: usize) -> bool {
        self.done.get(&batch).is_some_and(|done| done.left == 0)
    }

    /// Whether the taker has something to do. One who wants all batches is not woken for each: of a file of 8 million numbers that
    /// took 170 switches between threads, and this takes 30.
    pub(super) fn is_worth_waking(&self, threads: usize) -> bool {
        self.has(self.taking)
            && (self.working < threads || (self.taking..self.taking.saturating_add(self.patience)).all(|batch| self.has(batch)))
    }

    /// The batch that is not to be worked on yet.
    pub(super) fn horizon(&self) -> usize {
        let ahead = if self.done_bytes > self.most_bytes { self.ahead.min(2) } else { self.ahead };
        self.taking + ahead
    }

    /// Whether a parked lane that reads this batch next is to go on.
    pub(super) fn goes_on(&self, batch: usize) -> bool {
        batch <= self.taking || batch.saturating_add(self.rest) < self.horizon()
    }
}

impl Shared {
    /// Whether others may read parts of a lane: not where pages do not tell which rows they hold, not where it costs requests or decoding to walk over
    /// the pages before, and not where little memory counts more.
    fn may_be_cut(&self, lane: &LaneState) -> bool {
        let Plan { file, leaves, is_lean, .. } = &*self.plan;
        let is_bytes = |leaf: &usize| {
            let leaf = file.metadata.schema().leaves().get(*leaf);
            leaf.is_none_or(|leaf| matches!(leaf.physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray))
        };
        let carries_prefixes =
            || file.metadata.has_prefixes_across_pages() && leaves.get(lane.field).is_none_or(|leaves| leaves.iter().any(is_bytes));
        file.is_local() && !is_lean && !is_in_list(&self.plan, lane.field) && !carries_prefixes()
    }

    /// A panic while the lock is held would leave whole values behind, so a poisoned lock is as good as any.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the rows of a batch may take, in all its columns.
    pub(super) fn room(&self, batch: usize) -> Arc<Room> {
        let new = || Arc::new(Room::new(&self.plan.file.limits));
        self.lock().pending(batch).map_or_else(new, |pending| Arc::clone(&pending.room))
    }

    /// Wakes whoever waits.
    pub(super) fn wake(&self, state: &mut State) {
        self.ready.notify_all();
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(milliseconds: &[u64]) -> Pace {
        let mut pace = Pace::default();
        milliseconds.iter().for_each(|after| pace.batch(Duration::from_millis(*after)));
        pace
    }

    #[test]
    fn what_is_shared_takes_longer_than_opening_it_again() {
        assert!(!pace(&[]).is_worth_sharing(100) && !pace(&[9]).is_worth_sharing(100), "how long a batch takes is not known");
        assert!(pace(&[9, 10]).is_worth_sharing(18), "9 ms of 1 each against 8 that the first took more");
        assert!(!pace(&[9, 10]).is_worth_sharing(16));
        assert!(pace(&[1, 2]).is_worth_sharing(2) && !pace(&[1, 1]).is_worth_sharing(2));
    }
}
