//! What a thread does with a lane.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use arrow_array::{Array, ArrayRef};

use super::state::{LaneState, Pace, Shared, Work};
use crate::arrow::lanes::{Held, Lane, assembled};
use crate::arrow::pool::spawn_on;
use crate::error::{Error, Result, caught};
use crate::read::{LeafData, Missing, Room, Scratch};

/// Has the pool run a lane, which `working` counts already.
pub(super) fn spawn(shared: &Arc<Shared>, work: Work) {
    let shared = Arc::clone(shared);
    spawn_on(&shared.pool.clone(), move || run(&shared, work));
}

/// Reads the next batches of a lane, until it ends, is parked, or nobody wants it any more.
fn run(shared: &Arc<Shared>, mut work: Work) {
    begin(shared, &mut work);
    let (started, mut pace) = (Instant::now(), Pace::default());
    while let Some(batch) = work.batches.next() {
        let room = shared.room(batch);
        let mut failed = false;
        let mut missing = None;
        let mut results = Vec::with_capacity(work.lanes.len());
        for lane in &mut work.lanes {
            // After an error the scan ends, so that nobody sees what the lanes behind leave.
            let result = if failed {
                Ok(Some(Vec::new()))
            } else {
                caught(Error::panicked, || step(shared, work.group, &work.held, lane, batch, &room))
            };
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
        pace.batch(started.elapsed());
        let mut state = shared.lock();
        if state.cancelled {
            return;
        }
        if let Some(missing) = missing {
            // All of them are opened again when the bytes are there, since some are beyond the batch now.
            work.lanes.iter_mut().for_each(|lane| lane.lane = None);
            work.batches.start = batch;
            state.renew_room(batch);
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
        let half = if ends || pauses { None } else { state.share(shared, &mut work, &pace) };
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
        drop(state);
        if let Some(half) = half {
            spawn(shared, half);
        }
    }
}

/// Opens lanes that are read in turn, so that their dictionaries, and data pages of chunks that have one, are decompressed together.
/// What is wrong with one is found by its first read.
fn begin(shared: &Shared, work: &mut Work) {
    let Work { group, held, lanes, .. } = work;
    if lanes.len() < 2 || lanes.iter().any(|lane| lane.lane.is_some()) {
        return;
    }
    let open = |lanes: &mut [LaneState]| {
        for lane in &mut *lanes {
            lane.lane = Lane::open(&shared.plan, *group, lane.field, lane.leaf, held).ok().map(Box::new);
            if let Some((open, dictionaries)) = lane.lane.as_deref_mut().zip(lane.dictionaries.take()) {
                open.give_dictionaries(&dictionaries.lock().unwrap_or_else(PoisonError::into_inner));
            }
        }
        Lane::begin(lanes.iter_mut().filter_map(|lane| lane.lane.as_deref_mut()));
        Ok(())
    };
    if caught(Error::panicked, || open(lanes)).is_err() {
        lanes.iter_mut().for_each(|lane| lane.lane = None);
    }
}

/// The arrays of a lane's field; none where another thread makes them, or another lane because this leaf is not the last that was read.
fn step(
    shared: &Arc<Shared>,
    group: usize,
    held: &Held,
    state: &mut LaneState,
    batch: usize,
    room: &Arc<Room>,
) -> Result<Option<Vec<ArrayRef>>> {
    let plan = &shared.plan;
    let (field, leaf) = (state.field, state.leaf);
    let is_new = state.lane.is_none();
    let lane = match &mut state.lane {
        Some(lane) => lane,
        closed => {
            let mut lane = Box::new(Lane::open(plan, group, field, leaf, held)?);
            if state.is_helped {
                lane.set_spawn(plan, &shared.spawn);
            }
            if let Some(dictionaries) = &state.dictionaries {
                lane.give_dictionaries(&dictionaries.lock().unwrap_or_else(PoisonError::into_inner));
            }
            closed.insert(lane)
        }
    };
    let described = plan.batches.get(batch).ok_or_else(|| Error::usage("there is no such batch"))?;
    if !state.is_helped {
        lane.share(room);
        let arrays = lane.read(plan, described)?;
        // Once only: what was given would be held as long as the lane otherwise.
        if let Some(dictionaries) = state.dictionaries.take_if(|_| is_new) {
            dictionaries.lock().unwrap_or_else(PoisonError::into_inner).extend(lane.dictionaries());
        }
        return Ok(Some(arrays));
    }
    let data = lane.read_leaves(plan, described, None, room)?;
    let all = if leaf.is_none() { Some(data) } else { put_leaf(shared, batch, field, data) };
    let Some(data) = all else { return Ok(None) };
    if shared.lock().working >= shared.threads {
        return assembled(plan, group, field, described.rows, data, room).map(Some);
    }
    assemble_beside(shared, group, field, batch, data, Arc::clone(room));
    Ok(None)
}

/// Has another thread make the arrays of a field, while this one reads on.
fn assemble_beside(shared: &Arc<Shared>, group: usize, field: usize, batch: usize, data: Vec<(usize, LeafData)>, room: Arc<Room>) {
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
            let arrays = caught(Error::panicked, || assembled(&shared.plan, group, field, rows, data, &room));
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
    let waiting = size_of_leaves(&data);
    let all = state.pending(batch)?.put_leaf(field, data, leaves);
    state.done_bytes = state.done_bytes.saturating_add(waiting).saturating_sub(all.as_deref().map_or(0, size_of_leaves));
    all
}

pub(super) fn bytes_of(arrays: &Result<Vec<ArrayRef>>) -> usize {
    let sizes = arrays.iter().flatten().map(|array| array.get_array_memory_size());
    sizes.fold(0, usize::saturating_add)
}
