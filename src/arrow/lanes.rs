//! A lane: one root field of one row group, read batch after batch.

#![allow(clippy::arithmetic_side_effects, reason = "tasks and batches of a plan are counted")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;
use bytes::Bytes;

use crate::arrow::convert::{convert_ahead, widens};
use crate::arrow::nested::{Leaves, assemble};
use crate::arrow::plan::{Batch, Group, Plan};
use crate::encoding::Dictionary;
use crate::error::{Error, Result};
use crate::metadata::{ChunkLocation, OffsetIndex};
#[cfg(feature = "rayon")]
use crate::read::Spawn;
use crate::read::{LOCAL_WINDOW, LeafData, LeafReader, Missing, PageOptions, PageReader, Room, Scratch, Source};
use crate::values::Bits;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Runs with this thread's scratch memory; a second user at the same time gets its own.
pub(crate) fn with_scratch<R>(run: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = SCRATCH.with(|scratch| scratch.try_borrow_mut().map(|mut scratch| std::mem::take(&mut *scratch)).unwrap_or_default());
    let result = run(&mut scratch);
    SCRATCH.with(|slot| {
        if let Ok(mut slot) = slot.try_borrow_mut() {
            *slot = scratch;
        }
    });
    result
}

/// Each leaf that has pages prepared has memory of its own for them, a sixteenth of what a scan may hold; others do without.
#[cfg(feature = "rayon")]
const MOST_PREPARED: usize = 16;

/// A root field of a row group on its way through the batches.
pub(crate) struct Lane {
    pub(crate) group: usize,
    pub(crate) field: usize,
    readers: Vec<(usize, LeafReader)>,
    /// The next row, counted from the first of the row group.
    row: u64,
    /// Whether it reads up to the last row, so that it can check that nothing comes after.
    to_the_end: bool,
    /// What the rows of the next batch may take, if others share it.
    room: Option<Arc<Room>>,
}

impl Lane {
    /// Opens the chunks of a root field, or of one of its leaves by its place among them; `held` has bytes of the row group that were read already.
    pub(crate) fn open(plan: &Plan, group: usize, field: usize, leaf: Option<usize>, held: &Held) -> Result<Self> {
        let Some((described, leaves)) = plan.groups.get(group).zip(plan.leaves.get(field)) else {
            return Err(Error::usage("a lane of no row group"));
        };
        let leaves = match leaf {
            Some(leaf) => leaves.get(leaf..).and_then(|leaves| leaves.get(..1)).unwrap_or_default(),
            None => leaves,
        };
        let mut readers = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let options = PageOptions { limits: plan.file.limits.clone(), verify_crc: plan.verify_crc, window: Some(held.window) };
            let source = Arc::clone(&plan.file.source);
            let location = held.location(*leaf)?;
            let mut pages = PageReader::at(source, &plan.file.metadata, described.index, *leaf, location, &options)?;
            lend(&held.runs, &mut pages);
            let part_bytes = plan.file.limits.batch_bytes;
            let mut reader = LeafReader::new(pages, plan.keep_indices, part_bytes);
            reader.set_counters(Arc::clone(&plan.counters));
            if let Some((conversion, data_type)) = plan.fields.get(field).and_then(|mapped| mapped.conversion(*leaf)) {
                if plan.keep_indices && widens(conversion, data_type) {
                    reader.keep_wide_indices();
                }
                reader.set_convert(convert_ahead(conversion, data_type));
            }
            if plan.is_lean {
                reader.set_lean();
            }
            readers.push((*leaf, reader));
        }
        let to_the_end = described.ranges.last().is_some_and(|range| range.end == described.num_rows);
        Ok(Self { group, field, readers, row: 0, to_the_end, room: None })
    }

    /// Has other threads prepare pages before they are wanted, where all rows are read and from a source of this crate.
    #[cfg(feature = "rayon")]
    pub(crate) fn set_spawn(&mut self, plan: &Plan, spawn: &Arc<Spawn>) {
        let is_whole = |group: &Group| matches!(group.ranges.as_slice(), [all] if *all == (0..group.num_rows));
        if plan.leaves.get(self.field).is_none_or(|leaves| leaves.len() > MOST_PREPARED) {
            return;
        }
        if plan.file.origin.is_own && plan.file.origin.pushed.is_none() && plan.groups.get(self.group).is_some_and(is_whole) {
            self.readers.iter_mut().for_each(|(_, reader)| reader.set_spawn(spawn));
        }
    }

    /// Opens the chunks of a root field to read parts of them, by way of another source than the file.
    pub(crate) fn open_on(plan: &Plan, group: usize, field: usize, access: &Access) -> Result<Self> {
        let Some((described, leaves)) = plan.groups.get(group).zip(plan.leaves.get(field)) else {
            return Err(Error::usage("a lane of no row group"));
        };
        let readers = leaves.iter().map(|leaf| access.open(plan, described.index, *leaf).map(|reader| (*leaf, reader)));
        Ok(Self { group, field, readers: readers.collect::<Result<_>>()?, row: 0, to_the_end: false, room: None })
    }

    /// Decompresses the dictionaries of lanes that were just opened, and the data pages of chunks that have one, as far as that takes less time together.
    pub(crate) fn begin<'a>(lanes: impl Iterator<Item = &'a mut Lane>) {
        Self::begin_at(lanes.map(|lane| (lane, None)), true);
    }

    /// The same of lanes of which the first row that is wanted is known: where it is known where pages are, the page with it and the dictionary
    /// if that needs it; where not, what [`begin`](Self::begin) decompresses if `dictionaries` are needed anyhow.
    pub(crate) fn begin_at<'a>(lanes: impl Iterator<Item = (&'a mut Lane, Option<u64>)>, dictionaries: bool) {
        let readers = lanes.flat_map(|(lane, row)| lane.readers.iter_mut().map(move |(_, reader)| (reader, row)));
        with_scratch(|scratch| LeafReader::begin(readers, dictionaries, scratch));
    }

    /// Takes dictionaries, by leaf, that another reader of the same chunks decoded; before the first batch is read.
    pub(crate) fn give_dictionaries(&mut self, dictionaries: &HashMap<usize, Arc<Dictionary>>) {
        for (leaf, reader) in &mut self.readers {
            if let Some(dictionary) = dictionaries.get(leaf) {
                reader.give_dictionary(Arc::clone(dictionary));
            }
        }
    }

    /// The dictionaries that were decoded, by leaf.
    #[cfg(feature = "rayon")]
    pub(crate) fn dictionaries(&self) -> impl Iterator<Item = (usize, Arc<Dictionary>)> + '_ {
        self.readers.iter().filter_map(|(leaf, reader)| Some((*leaf, Arc::clone(reader.dictionary()?))))
    }

    /// The arrays of the next batch of the lane's row group.
    pub(crate) fn read(&mut self, plan: &Plan, batch: &Batch) -> Result<Vec<ArrayRef>> {
        self.read_kept(plan, batch, None)
    }

    /// The same of those rows alone whose bit is set; only where [`is_flat`](Self::is_flat) says so.
    pub(crate) fn read_kept(&mut self, plan: &Plan, batch: &Batch, kept: Option<&Bits>) -> Result<Vec<ArrayRef>> {
        let room = self.room.take().unwrap_or_else(|| Arc::new(Room::new(&plan.file.limits)));
        let data = self.read_leaves(plan, batch, kept, &room)?;
        assembled(plan, self.group, self.field, kept.map_or(batch.rows, Bits::count_ones), data, &room)
    }

    /// Has the rows of the next batch share what they may take with those of other lanes.
    pub(crate) fn share(&mut self, room: &Arc<Room>) {
        self.room = Some(Arc::clone(room));
    }

    /// What the lane's leaves have for the next batch, from which [`assembled`] makes arrays.
    pub(crate) fn read_leaves(
        &mut self,
        plan: &Plan,
        batch: &Batch,
        kept: Option<&Bits>,
        room: &Arc<Room>,
    ) -> Result<Vec<(usize, LeafData)>> {
        with_scratch(|scratch| self.read_with(plan, batch, kept, room, scratch)).map_err(|error| in_group(plan, self.group, error))
    }

    /// Whether no column of it is in a list, so that rows can be picked before they are arrays.
    pub(crate) fn is_flat(&self, plan: &Plan) -> bool {
        let leaves = plan.file.metadata.schema().leaves();
        self.readers.iter().all(|(leaf, _)| leaves.get(*leaf).is_some_and(|leaf| leaf.max_repetition_level == 0))
    }

    fn read_with(
        &mut self,
        plan: &Plan,
        batch: &Batch,
        kept: Option<&Bits>,
        room: &Arc<Room>,
        scratch: &mut Scratch,
    ) -> Result<Vec<(usize, LeafData)>> {
        let num_rows = plan.groups.get(self.group).map_or(0, |group| group.num_rows);
        let mut data = Vec::with_capacity(self.readers.len());
        let end = batch.ranges.last().map_or(self.row, |range| range.end);
        for (leaf, reader) in &mut self.readers {
            let mut rows = LeafData::default();
            reader.set_room(Arc::clone(room));
            reader.expect(&batch.ranges);
            reader.read_ranges(&batch.ranges, scratch, &mut rows)?;
            if self.to_the_end && end == num_rows {
                reader.finish(scratch)?;
            }
            reader.settle(scratch);
            if let Some(kept) = kept {
                rows.keep(kept);
            }
            data.push((*leaf, rows));
        }
        self.row = end;
        Ok(data)
    }
}

/// The arrays of a root field for `rows` rows, from all its leaves, ascending; the text of dictionaries takes its room as well.
pub(crate) fn assembled(
    plan: &Plan,
    group: usize,
    field: usize,
    rows: usize,
    data: Vec<(usize, LeafData)>,
    room: &Room,
) -> Result<Vec<ArrayRef>> {
    let mapped = plan.fields.get(field).ok_or_else(|| Error::usage("a lane of no field"))?;
    let mut leaves = Leaves::new(plan.file.metadata.schema(), data, &plan.file.limits, room);
    assemble(mapped, rows, &mut leaves).map_err(|error| in_group(plan, group, error))
}

fn in_group(plan: &Plan, group: usize, error: Error) -> Error {
    match plan.groups.get(group) {
        Some(group) => error.in_row_group(group.index),
        None => error,
    }
}

/// How parts of chunks are come by.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) source: Arc<dyn Source>,
    /// Runs of bytes that the source has in memory, ascending, and where in the file they begin.
    pub(crate) runs: Vec<(u64, Bytes)>,
    /// How much is read at a time of leaf columns; nothing beyond what is needed of others.
    pub(crate) windows: HashMap<usize, u64>,
    /// Where the pages of leaf columns are, as far as that is known.
    pub(crate) indexes: HashMap<usize, Arc<OffsetIndex>>,
}

impl Access {
    /// Opens the chunk of a leaf column; `row_group` is its index in the file.
    pub(crate) fn open(&self, plan: &Plan, row_group: usize, leaf: usize) -> Result<LeafReader> {
        let window = self.windows.get(&leaf).copied().unwrap_or(0);
        let options = PageOptions { limits: plan.file.limits.clone(), verify_crc: plan.verify_crc, window: Some(window) };
        let mut pages = PageReader::new(Arc::clone(&self.source), &plan.file.metadata, row_group, leaf, &options)?;
        lend(&self.runs, &mut pages);
        // Entries are compared with conditions here: they are not converted, and INT64 is read as it is.
        let mut reader = LeafReader::new(pages, plan.keep_indices, plan.file.limits.batch_bytes);
        reader.set_counters(Arc::clone(&plan.counters));
        if let Some(index) = self.indexes.get(&leaf) {
            reader.set_index(Arc::clone(index));
        }
        Ok(reader)
    }
}

/// Bytes of a row group that were read ahead: runs of neighbouring chunks.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// Where each run begins in the file, ascending, and its bytes.
    runs: Vec<(u64, Bytes)>,
    /// How much is read at a time of chunks that are in no run.
    pub(crate) window: u64,
    /// Where the chunks of the leaves lie, by leaf: parsed once for the reads and for the lanes.
    locations: Vec<(usize, ChunkLocation)>,
}

/// Gaps of this many bytes between chunks are read along.
const GAP: u64 = 16 << 10;
/// What all columns of a local file read at a time, together.
const WINDOWS_TOGETHER: u64 = 4 << 20;
/// And where batches are taken one by one.
const LEAN_WINDOWS: u64 = 256 << 10;
/// The smallest window: below, system calls cost more than memory.
const WINDOW_LEAST: u64 = 64 << 10;
/// The smallest of lean scans, which read larger pages one by one.
const LEAN_LEAST: u64 = 16 << 10;

impl Held {
    /// Reads the chunks of a row group that are needed, neighbours in one read. Chunks larger than the window are left to be
    /// read window by window.
    pub(crate) fn fetch(plan: &Plan, group: &Group, fields: Range<usize>) -> Result<Self> {
        let Chunks { held: mut chunks, mut locations, window, .. } = chunks(plan, group, fields)?;
        chunks.sort_by_key(|range| range.start);
        let mut runs: Vec<Range<u64>> = Vec::new();
        for chunk in chunks {
            match runs.last_mut() {
                Some(run)
                    if plan.file.origin.pushed.is_none()
                        && chunk.start >= run.start
                        && chunk.start <= run.end + GAP
                        && chunk.end.max(run.end) - run.start <= window.max(1 << 20) =>
                {
                    run.end = run.end.max(chunk.end);
                }
                _ => runs.push(chunk),
            }
        }
        let read = |run: Range<u64>| {
            let bytes = plan.file.source.read(run.clone())?;
            match bytes.len() as u64 == run.end - run.start {
                true => Ok((run.start, bytes)),
                false => Err(Error::from(std::io::Error::other("the source gave fewer or more bytes than asked for"))),
            }
        };
        let runs = runs.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        locations.sort_by_key(|(leaf, _)| *leaf);
        Ok(Self { runs, window: row_window(window, group), locations })
    }

    /// Where the chunk of one of the leaves lies.
    fn location(&self, leaf: usize) -> Result<&ChunkLocation> {
        let found = self.locations.binary_search_by_key(&leaf, |(leaf, _)| *leaf).ok().and_then(|index| self.locations.get(index));
        found.map(|(_, location)| location).ok_or_else(|| Error::usage("a lane of a leaf that was not planned"))
    }
}

/// Gives a reader the bytes that its chunk begins with, if they are in one of the runs: ascending, with where in the file they begin.
fn lend(runs: &[(u64, Bytes)], pages: &mut PageReader) {
    let range = pages.range();
    let run = runs.partition_point(|(start, _)| *start <= range.start).checked_sub(1).and_then(|last| runs.get(last));
    if let Some((start, bytes)) = run
        && let Ok(from) = usize::try_from(range.start - start)
        && from < bytes.len()
    {
        let to = usize::try_from(range.end - start).unwrap_or(usize::MAX).min(bytes.len());
        pages.hold(range.start, bytes.slice(from..to));
    }
}

/// How the chunks of a row group are read.
struct Chunks {
    /// Those that are read ahead.
    held: Vec<Range<u64>>,
    /// The others, which are read window by window.
    windowed: Vec<Range<u64>>,
    window: u64,
    /// Where the chunks of the leaves lie, by leaf.
    locations: Vec<(usize, ChunkLocation)>,
}

fn chunks(plan: &Plan, group: &Group, fields: Range<usize>) -> Result<Chunks> {
    let leaves: Vec<usize> = plan.leaves.get(fields).unwrap_or_default().iter().flatten().copied().collect();
    let budget = (plan.file.limits.memory_bytes as u64 / 4).checked_div(leaves.len().max(1) as u64).unwrap_or(0).max(WINDOW_LEAST);
    let window = match plan.file.source.window() {
        // A local file is cheap to ask often, and larger windows would only take memory.
        local if local <= LOCAL_WINDOW => {
            let (together, least) = if plan.is_lean { (LEAN_WINDOWS, LEAN_LEAST) } else { (WINDOWS_TOGETHER, WINDOW_LEAST) };
            local.min(together / leaves.len().max(1) as u64).max(least)
        }
        dear => dear,
    };
    let window = window.min(budget);
    let mut chunks =
        Chunks { held: Vec::with_capacity(leaves.len()), windowed: Vec::new(), window, locations: Vec::with_capacity(leaves.len()) };
    for leaf in leaves {
        let location = plan.location(group.index, leaf)?;
        let range = location.range.clone();
        chunks.locations.push((leaf, location));
        // Few rows of many are wanted: reading ahead the whole chunk would be a waste.
        let wanted = share(range.end - range.start, group);
        let held = range.end - range.start <= window && wanted;
        if held { &mut chunks.held } else { &mut chunks.windowed }.push(range);
    }
    Ok(chunks)
}

/// The bytes that a row group's lanes begin with: all of most chunks, the first window of large ones.
pub(crate) fn needs(plan: &Plan, group: &Group) -> Result<Vec<Range<u64>>> {
    let Chunks { mut held, windowed, window, .. } = chunks(plan, group, 0..plan.fields.len())?;
    let window = row_window(window, group);
    held.extend(windowed.into_iter().map(|range| range.start..range.end.min(range.start.saturating_add(window))));
    Ok(held)
}

/// What of [`needs`] was not pushed yet, in a file whose bytes are pushed.
pub(crate) fn missing(plan: &Plan, group: &Group) -> Result<Vec<Range<u64>>> {
    match &plan.file.origin.pushed {
        Some(pushed) => Ok(pushed.missing(needs(plan, group)?)),
        None => Ok(Vec::new()),
    }
}

/// The part of a row group's rows up to the last one that is wanted.
fn reach(group: &Group) -> f64 {
    let last = group.ranges.last().map_or(0, |range| range.end);
    last as f64 / group.num_rows.max(1) as f64
}

fn share(bytes: u64, group: &Group) -> bool {
    bytes <= 1 << 20 || reach(group) > 0.5
}

/// A smaller window where only the first rows of a row group are wanted.
fn row_window(window: u64, group: &Group) -> u64 {
    if reach(group) > 0.5 { window } else { window.min(1 << 20) }
}

/// Reads the next batch on this thread. After an error the same batch can be asked for again.
pub(crate) fn run_inline(plan: &Plan, lanes: &mut Vec<Lane>, batch: usize) -> Result<Vec<Vec<ArrayRef>>> {
    let arrays = read_inline(plan, lanes, batch);
    if arrays.is_err() {
        // Some lanes are beyond the batch now.
        lanes.clear();
    }
    arrays
}

fn read_inline(plan: &Plan, lanes: &mut Vec<Lane>, batch: usize) -> Result<Vec<Vec<ArrayRef>>> {
    let Some(batch) = plan.batches.get(batch) else { return Err(Error::usage("there is no such batch")) };
    if lanes.first().is_none_or(|lane| lane.group != batch.group) {
        lanes.clear();
        if let Some(group) = plan.groups.get(batch.group) {
            let missing = missing(plan, group)?;
            if !missing.is_empty() {
                return Err(Missing::error(missing));
            }
            let held = Held::fetch(plan, group, 0..plan.fields.len())?;
            for field in 0..plan.fields.len() {
                lanes.push(Lane::open(plan, batch.group, field, None, &held)?);
            }
            Lane::begin(lanes.iter_mut());
        }
    }
    read_in_turn(plan, lanes, |lane| lane.read(plan, batch))
}

/// Reads the same rows of lanes one after the other, which together may take as much as one alone.
pub(crate) fn read_in_turn(
    plan: &Plan,
    lanes: &mut [Lane],
    read: impl Fn(&mut Lane) -> Result<Vec<ArrayRef>>,
) -> Result<Vec<Vec<ArrayRef>>> {
    let room = Arc::new(Room::new(&plan.file.limits));
    let read = |lane: &mut Lane| {
        lane.share(&room);
        read(lane)
    };
    lanes.iter_mut().map(read).collect()
}
