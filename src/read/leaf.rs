//! One leaf column of one row group: pages in, runs of rows out.

mod open_page;
mod parked;
#[cfg(all(feature = "arrow", feature = "rayon"))]
mod prepared;
mod together;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::compression::Decompressor;
#[cfg(feature = "arrow")]
use crate::compression::takes_several;
#[cfg(feature = "arrow")]
use crate::encoding::Convert;
use crate::encoding::{Dictionary, Part};
use crate::error::{Error, Result};
use crate::format::{Encoding, PhysicalType};
#[cfg(feature = "arrow")]
use crate::levels::keep;
use crate::levels::nested::{self, Levels};
use crate::metadata::OffsetIndex;
use crate::page::{ChunkInfo, CompressedPage, Page};
use crate::read::PageReader;
use crate::read::counters::Counters;
use crate::read::room::Room;
use crate::values::Bits;
#[cfg(feature = "arrow")]
use crate::values::length;

use open_page::{OpenPage, Output, share};
use parked::Parked;
#[cfg(all(feature = "arrow", feature = "rayon"))]
use prepared::Prepared;
#[cfg(all(feature = "arrow", feature = "rayon"))]
pub(crate) use prepared::Spawn;
#[cfg(feature = "arrow")]
use together::LARGE_CHUNK;

/// Rows of a leaf column.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct LeafData {
    /// The number of rows.
    pub rows: usize,
    /// Values, one a slot: a row of a flat column, an element of the innermost list else. Nulls hold placeholders.
    pub parts: Vec<Part>,
    /// One bit a slot; empty when the leaf has a value in each of its slots by its type.
    pub validity: Bits,
    /// For columns in lists and in optional groups: the levels of all entries.
    pub levels: Levels,
    /// How many bytes of it were counted, and how many of them are of parts that nothing is added to any more, with the number of these.
    counted: usize,
    closed: (usize, usize),
}

impl LeafData {
    /// The number of slots.
    pub fn slots(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// The memory that values and levels take, in bytes, without that of dictionaries.
    #[cfg(all(feature = "arrow", feature = "rayon"))]
    pub(crate) fn memory_size(&self) -> usize {
        self.parts.iter().map(part_size).fold(self.levels_size(), usize::saturating_add)
    }

    /// Takes room for what was added since the last time, and for so many bytes more. Only the last part grows.
    fn count(&mut self, more: usize, room: &Room) -> Result<()> {
        let (mut closed, mut bytes) = self.closed;
        while let Some(part) = self.parts.get(closed)
            && closed.saturating_add(1) < self.parts.len()
        {
            (closed, bytes) = (closed.saturating_add(1), bytes.saturating_add(part_size(part)));
        }
        self.closed = (closed, bytes);
        let parts = bytes.saturating_add(self.parts.last().map_or(0, part_size));
        let size = parts.saturating_add(self.levels_size()).saturating_add(more);
        room.take(size.saturating_sub(self.counted))?;
        self.counted = self.counted.max(size);
        Ok(())
    }

    fn levels_size(&self) -> usize {
        self.levels.repetition.len().saturating_add(self.levels.definition.len()).saturating_add(self.validity.len() / 8)
    }

    /// Leaves the rows whose bit is set, of a column that is in no list.
    #[cfg(feature = "arrow")]
    pub(crate) fn keep(&mut self, kept: &Bits) {
        let mut start = 0;
        for part in &mut self.parts {
            let (length, whole) = (part.len(), part.len() == kept.len());
            let mut own = Bits::new();
            if !whole {
                own.extend_from(kept, start, length);
            }
            let mask = if whole { kept } else { &own };
            match part {
                Part::Values(values) => *values = keep::keep(values, mask),
                Part::Indices { indices, .. } => *indices = keep::keep_words32(indices, mask),
            }
            start = start.saturating_add(length);
        }
        self.parts.retain(|part| !part.is_empty());
        if !self.validity.is_empty() {
            self.validity = keep::keep_bits(&self.validity, kept);
        }
        if !self.levels.definition.is_empty() {
            self.levels.definition = keep::keep_levels(&self.levels.definition, kept);
        }
        self.rows = kept.count_ones();
    }
}

pub(crate) fn part_size(part: &Part) -> usize {
    match part {
        Part::Values(values) => values.memory_size(),
        Part::Indices { indices, .. } => indices.len().saturating_mul(4),
    }
}

/// Memory and contexts that are reused from page to page and from column to column; each thread has its own.
#[derive(Default)]
pub(crate) struct Scratch {
    decompressor: Decompressor,
    /// What pages were decompressed to.
    buffers: Vec<Vec<u8>>,
    words32: Vec<u32>,
    words64: Vec<u64>,
    repetition: Vec<u8>,
    definition: Vec<u8>,
}

impl Scratch {
    /// Memory for a page of `size` bytes; of a lean reader no more than twice as much.
    fn buffer(&mut self, size: usize, is_lean: bool) -> Vec<u8> {
        if !is_lean {
            return self.buffers.pop().unwrap_or_default();
        }
        let most = size.saturating_mul(2).max(SMALL_BUFFER);
        let fitting = self.buffers.iter().enumerate().filter(|(_, buffer)| (size..=most).contains(&buffer.capacity()));
        let best = fitting.min_by_key(|(_, buffer)| buffer.capacity()).map(|(index, _)| index);
        best.map(|index| self.buffers.swap_remove(index)).unwrap_or_default()
    }

    fn give_back(&mut self, buffer: Vec<u8>, is_lean: bool) {
        let is_large = |buffer: &Vec<u8>| buffer.capacity() > LARGE_BUFFER;
        if buffer.capacity() == 0
            || buffer.capacity() > LARGEST_BUFFER
            || (is_lean && is_large(&buffer) && self.buffers.iter().any(is_large))
        {
            return;
        }
        if self.buffers.len() < BUFFERS_KEPT {
            self.buffers.push(buffer);
        } else if is_lean
            && let Some(smallest) = self.buffers.iter_mut().min_by_key(|buffer| buffer.capacity())
            && smallest.capacity() < buffer.capacity()
        {
            *smallest = buffer;
        }
    }
}

/// As many as are in use at a time. New ones would have to be cleared first.
const BUFFERS_KEPT: usize = 4;
/// Below this it does not matter how much of a buffer is used.
const SMALL_BUFFER: usize = 16 << 10;
/// Beyond this they are not kept: a thread has them as long as it lives.
const LARGEST_BUFFER: usize = 32 << 20;
/// Of buffers beyond this, lean readers keep one.
const LARGE_BUFFER: usize = 256 << 10;

/// Pages that were decompressed before their time may take so small a share of `Limits::memory_bytes`.
#[cfg(feature = "arrow")]
const SHARE_AHEAD: usize = 16;

/// Reads the rows of one leaf column in order.
pub(crate) struct LeafReader {
    chunk: Arc<ChunkInfo>,
    pages: PageReader,
    dictionary: Option<Arc<Dictionary>>,
    /// The memory that the dictionary takes, about.
    dictionary_bytes: usize,
    /// The dictionary's page, if the reader went to a row before a page needed it: behind a full dictionary come pages without indices.
    undecoded: Option<CompressedPage>,
    page: Option<OpenPage>,
    /// The page that was open, while other columns need the memory.
    parked: Option<Parked>,
    /// What the counters were told to be held.
    held: usize,
    /// The pages after it that were read before their time: the one that came along with it, or those that the chunk begins with.
    ahead: VecDeque<Next>,
    /// Whether values stay dictionary indices.
    keep_indices: bool,
    /// The most bytes of byte arrays in one part.
    part_bytes: usize,
    /// What the rows that are read at a time may take.
    room: Arc<Room>,
    /// The last value of the page before, in files whose writer carried prefixes over.
    last_value: Option<Arc<Vec<u8>>>,
    /// The next row, counted from the first of the row group.
    row: u64,
    /// Rows that are going to be read, ascending; others may be, too.
    expected: Vec<Range<u64>>,
    /// Where pages are, so that those without wanted rows need not even have their headers read.
    index: Option<Arc<OffsetIndex>>,
    counters: Option<Arc<Counters>>,
    /// What becomes of a dictionary's entries, where pages stay indices.
    #[cfg(feature = "arrow")]
    convert: Option<Box<Convert>>,
    /// Whether memory is worth more than a little time.
    is_lean: bool,
    /// Where the dictionary page is, once it was seen; with a lean reader.
    dictionary_at: Option<u64>,
    /// Whether the dictionary was dropped before the last pages, which do without it. It is so once.
    was_dropped: bool,
    /// Where pages come from that other threads prepare, instead of `pages`.
    #[cfg(all(feature = "arrow", feature = "rayon"))]
    prepared: Option<Prepared>,
    /// Whether the dictionary came from another reader of the chunk, so that its page is passed over.
    was_given: bool,
}

/// A page that comes next: a data page, or the dictionary.
struct Next {
    page: CompressedPage,
    /// The page decompressed, if it was along with the one before.
    decompressed: Option<Box<Page>>,
}

impl LeafReader {
    pub(crate) fn new(pages: PageReader, keep_indices: bool, part_bytes: usize) -> Self {
        let (chunk, room) = (Arc::clone(pages.chunk()), Arc::new(Room::new(pages.limits())));
        let keep_indices = keep_indices && matches!(chunk.shape.physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray);
        Self {
            chunk,
            pages,
            dictionary: None,
            dictionary_bytes: 0,
            undecoded: None,
            page: None,
            parked: None,
            held: 0,
            ahead: VecDeque::new(),
            keep_indices,
            part_bytes,
            room,
            last_value: None,
            row: 0,
            expected: Vec::new(),
            index: None,
            counters: None,
            #[cfg(feature = "arrow")]
            convert: None,
            is_lean: false,
            dictionary_at: None,
            was_dropped: false,
            #[cfg(all(feature = "arrow", feature = "rayon"))]
            prepared: None,
            was_given: false,
        }
    }

    /// The dictionary, if it was decoded.
    #[cfg(feature = "arrow")]
    pub(crate) fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.dictionary.as_ref()
    }

    /// Takes the dictionary of another reader of the same chunk, before the first page is read.
    #[cfg(feature = "arrow")]
    pub(crate) fn give_dictionary(&mut self, dictionary: Arc<Dictionary>) {
        (self.dictionary, self.was_given) = (Some(dictionary), true);
    }

    /// Keeps INT64 as indices too, where what becomes of them is wider than they are.
    #[cfg(feature = "arrow")]
    pub(crate) fn keep_wide_indices(&mut self) {
        self.keep_indices |= self.chunk.shape.physical_type == PhysicalType::Int64;
    }

    /// Converts the entries of dictionaries when they are decoded, where pages stay indices.
    #[cfg(feature = "arrow")]
    pub(crate) fn set_convert(&mut self, convert: Box<Convert>) {
        if self.keep_indices {
            self.convert = Some(convert);
        }
    }

    /// Holds as little as possible at a time.
    #[cfg(feature = "arrow")]
    pub(crate) fn set_lean(&mut self) {
        self.is_lean = true;
        self.pages.set_lean();
    }

    /// Goes straight to pages by an offset index, where rows are passed over.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    pub(crate) fn set_index(&mut self, index: Arc<OffsetIndex>) {
        // The state of the page before is needed there.
        if !self.chunk.carries_prefixes {
            self.index = Some(index);
        }
    }

    /// Counts the pages that are decoded.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    pub(crate) fn set_counters(&mut self, counters: Arc<Counters>) {
        self.counters = Some(counters);
    }

    /// Rows that are read next may take as much as any, whatever others took before.
    pub(crate) fn renew_room(&mut self) {
        self.room = Arc::new(Room::new(self.pages.limits()));
    }

    /// Says what the rows that are read next may take.
    #[cfg(feature = "arrow")]
    pub(crate) fn set_room(&mut self, room: Arc<Room>) {
        self.room = room;
    }

    /// Tells that the next rows are going to be read; see [`expect`](Self::expect).
    pub(crate) fn expect_next(&mut self, rows: usize) {
        self.expected.clear();
        self.expected.push(self.row..self.row.saturating_add(rows as u64));
    }

    /// Tells which rows are going to be read, so that pages of which some are wanted can be decompressed together.
    #[cfg(feature = "arrow")]
    pub(crate) fn expect(&mut self, rows: &[Range<u64>]) {
        self.expected.clear();
        let range = self.pages.range();
        if takes_several(self.chunk.codec) && range.end.saturating_sub(range.start) >= LARGE_CHUNK {
            self.expected.extend_from_slice(rows);
        }
    }

    /// Whether some of these rows are going to be read.
    fn expects(&self, rows: &Range<u64>) -> bool {
        let after = self.expected.partition_point(|range| range.end <= rows.start);
        self.expected.get(after).is_some_and(|range| range.start < rows.end)
    }

    /// Appends the next `rows` rows to `out`.
    ///
    /// # Errors
    /// `Malformed` when there are fewer rows or a page is broken.
    pub(crate) fn read(&mut self, rows: usize, scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
        self.resume(scratch)?;
        if self.chunk.max_repetition == 0 {
            self.read_flat(rows, scratch, out)?
        } else {
            self.read_nested(rows, scratch, out)?
        }
        self.row = self.row.saturating_add(rows as u64);
        Ok(())
    }

    /// Passes over the next `rows` rows.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub(crate) fn skip(&mut self, rows: usize, scratch: &mut Scratch) -> Result<()> {
        self.resume(scratch)?;
        let left = self.jump(rows, scratch)?;
        if self.chunk.max_repetition == 0 {
            self.skip_flat(left, scratch)?
        } else {
            self.skip_nested(left, scratch)?
        }
        self.row = self.row.saturating_add(rows as u64);
        Ok(())
    }

    /// Appends the rows of `ranges`, which ascend from the next row on, and passes over those between them.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    #[cfg(feature = "arrow")]
    pub(crate) fn read_ranges(&mut self, ranges: &[Range<u64>], scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
        self.resume(scratch)?;
        let mut left = ranges;
        while let Some((range, rest)) = left.split_first() {
            match self.pick(left, out)? {
                0 => {
                    self.skip(length(&(self.row..range.start)), scratch)?;
                    self.read(length(range), scratch, out)?;
                    left = rest;
                }
                picked => left = left.get(picked..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// Reads those ranges that lie in the open page, if there are several and the page has no nulls among them; returns how many.
    #[cfg(feature = "arrow")]
    fn pick(&mut self, ranges: &[Range<u64>], out: &mut LeafData) -> Result<usize> {
        let Some(open) = self.page.as_mut().filter(|open| open.can_pick && ranges.len() > 1) else { return Ok(0) };
        let end = self.row.saturating_add(open.left as u64);
        let few = ranges.partition_point(|range| range.end <= end);
        let (Some(ranges @ [_, .., last]), Some(before)) = (ranges.get(..few), ranges.first()) else { return Ok(0) };
        if before.start < self.row {
            return Ok(0);
        }
        let rows = ranges.iter().map(|range| range.end.saturating_sub(range.start)).fold(0, u64::saturating_add);
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let output = Output {
            chunk: &self.chunk,
            keep_indices: self.keep_indices,
            part_bytes: self.part_bytes,
            room: &self.room,
            dictionary: &self.dictionary,
            expected: rows,
        };
        if !open.pick(self.row..last.end, ranges, rows, &output, out).map_err(|error| open.page.place(error))? {
            return Ok(0);
        }
        open.left = length(&(last.end..end));
        self.row = last.end;
        out.rows = out.rows.saturating_add(rows);
        Ok(few)
    }

    /// Goes to the page of the row after the next `rows`, if that is a later one and it is known where it is; returns how many
    /// rows are to be passed over from there.
    fn jump(&mut self, rows: usize, scratch: &mut Scratch) -> Result<usize> {
        if self.chunk.max_repetition == 0 && self.page.as_ref().is_some_and(|open| open.left > rows) {
            return Ok(rows);
        }
        let target = self.row.saturating_add(rows as u64);
        let found = self.index.as_ref().and_then(|index| {
            let page = index.page_of_row(target)?;
            let location = *index.pages().get(page)?;
            (location.first_row > self.row).then(|| (Arc::clone(index), page, location))
        });
        let Some((index, page, location)) = found else { return Ok(rows) };
        let left = usize::try_from(target.saturating_sub(location.first_row)).unwrap_or(usize::MAX);
        if self.ahead.back().is_some_and(|next| next.page.offset() == location.offset) {
            self.close(scratch);
            return Ok(left);
        }
        let first = index.pages().first().map_or(0, |first| first.offset);
        // The dictionary page is read when a page needs it.
        if self.pages.is_at_start() && first > self.pages.range().start && !self.pages.pass_dictionary(first) {
            match self.pages.next_page()? {
                Some(page) if page.is_dictionary() => self.leave(page, true),
                // The index does not tell what is there: the pages do.
                Some(page) => {
                    self.index = None;
                    self.open(Next { page, decompressed: None }, None, scratch)?;
                    return Ok(rows);
                }
                None => return Ok(rows),
            }
        }
        self.close(scratch);
        if let Some(next) = self.ahead.drain(..).find(|next| next.page.is_dictionary()) {
            self.undecoded = Some(next.page);
        }
        let end = index.pages().last().map_or(0, |last| last.range().end);
        self.pages.jump(location.offset, page, location.first_row, end);
        Ok(left)
    }

    /// Checks that nothing comes after the last row of the chunk.
    pub(crate) fn finish(&mut self, scratch: &mut Scratch) -> Result<()> {
        self.resume(scratch)?;
        while self.open_page(None, scratch)? {
            if self.page.as_ref().is_some_and(|page| page.left > 0) {
                return Err(self.chunk.place(Error::malformed("the column has more rows than its row group")));
            }
        }
        Ok(())
    }

    fn read_flat(&mut self, rows: usize, scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
        let mut left = rows;
        while left > 0 {
            let row = self.row.saturating_add(rows.saturating_sub(left) as u64);
            if !self.open_page(Some(row), scratch)? {
                return Err(self.too_few_rows(rows, rows.saturating_sub(left)));
            }
            let Some(open) = &mut self.page else { continue };
            let n = left.min(open.left);
            let output = Output {
                chunk: &self.chunk,
                keep_indices: self.keep_indices,
                part_bytes: self.part_bytes,
                room: &self.room,
                dictionary: &self.dictionary,
                expected: left,
            };
            open.read_flat(n, &output, scratch, out).map_err(|error| open.page.place(error))?;
            left = left.saturating_sub(n);
        }
        out.rows = out.rows.saturating_add(rows);
        Ok(())
    }

    fn skip_flat(&mut self, rows: usize, scratch: &mut Scratch) -> Result<()> {
        let mut left = rows;
        while left > 0 {
            if self.page.as_ref().is_none_or(|page| page.left == 0) {
                if !self.chunk.carries_prefixes && self.ahead.is_empty() {
                    left = left.saturating_sub(self.pages.skip_pages(left)?);
                    if left == 0 {
                        self.close(scratch);
                        break;
                    }
                }
                let Some(next) = self.next_data_page(scratch)? else { return Err(self.too_few_rows(rows, rows.saturating_sub(left))) };
                if next.page.num_values() <= left && !self.chunk.carries_prefixes {
                    left = left.saturating_sub(next.page.num_values());
                    continue;
                }
                let row = self.row.saturating_add(rows.saturating_sub(left) as u64);
                self.open(next, Some(row), scratch)?;
            }
            let Some(open) = &mut self.page else { continue };
            let n = left.min(open.left);
            open.skip_flat(n).map_err(|error| open.page.place(error))?;
            left = left.saturating_sub(n);
        }
        Ok(())
    }

    /// Rows of columns in lists: a row ends where the next one begins, which may be pages later.
    fn read_nested(&mut self, rows: usize, scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
        let done = self.walk_rows(rows, scratch, |open, entries, output, scratch| open.read_entries(entries, output, scratch, out))?;
        if done < rows {
            return Err(self.too_few_rows(rows, done));
        }
        out.rows = out.rows.saturating_add(rows);
        Ok(())
    }

    fn skip_nested(&mut self, rows: usize, scratch: &mut Scratch) -> Result<()> {
        let mut left = rows;
        // Pages of the second version begin with a row and tell how many they have.
        while left > 0 && self.page.as_ref().is_none_or(|page| page.left == 0) {
            let Some(next) = self.next_data_page(scratch)? else { return Err(self.too_few_rows(rows, rows.saturating_sub(left))) };
            match next.page.num_rows() {
                Some(n) if n <= left && next.page.is_v2() && !self.chunk.carries_prefixes => left = left.saturating_sub(n),
                _ => self.open(next, None, scratch)?,
            }
        }
        let done = self.walk_rows(left, scratch, |open, entries, _, _| open.skip_entries(entries))?;
        if done < left {
            return Err(self.too_few_rows(rows, rows.saturating_sub(left).saturating_add(done)));
        }
        Ok(())
    }

    /// Calls `visit` with each page that has entries of the next `rows` rows, and with how many; returns the number of rows.
    fn walk_rows(
        &mut self,
        rows: usize,
        scratch: &mut Scratch,
        mut visit: impl FnMut(&mut OpenPage, usize, &Output<'_>, &mut Scratch) -> Result<()>,
    ) -> Result<usize> {
        let (mut begun, mut entries_of_row) = (0, 0_usize);
        while rows > 0 && self.open_page(Some(self.row.saturating_add(begun as u64)), scratch)? {
            let Some(open) = &mut self.page else { continue };
            open.refill()?;
            if begun == 0 && open.levels.repetition.get(open.done).is_some_and(|first| *first != 0) {
                return Err(open.page.place(Error::malformed("a row begins with a repetition level that is not 0")));
            }
            let (end, rows_here) = nested::row_end(&open.levels.repetition, open.done, rows.saturating_sub(begun));
            if end == 0 && rows_here == 0 {
                break;
            }
            entries_of_row = if rows_here == 0 { entries_of_row.saturating_add(end) } else { 0 };
            if entries_of_row > self.part_bytes {
                return Err(open.page.place(Error::limit("a row of more elements than Limits::batch_bytes has bytes")));
            }
            let output = Output {
                chunk: &self.chunk,
                keep_indices: self.keep_indices,
                part_bytes: self.part_bytes,
                room: &self.room,
                dictionary: &self.dictionary,
                expected: share(end, rows.saturating_sub(begun), rows_here.max(1)),
            };
            begun = begun.saturating_add(rows_here);
            visit(open, end, &output, scratch).map_err(|error| open.page.place(error))?;
            if open.done < open.levels.len() {
                break;
            }
        }
        Ok(begun)
    }

    /// Makes sure that a page with entries is open; `false` at the end of the chunk. The next page begins with `row`, if that is known.
    fn open_page(&mut self, row: Option<u64>, scratch: &mut Scratch) -> Result<bool> {
        while self.page.as_ref().is_none_or(|page| page.left == 0) {
            let Some(next) = self.next_data_page(scratch)? else { return Ok(false) };
            // Many of them, each to be decompressed for nothing, fit into few bytes.
            if next.page.num_values() > 0 {
                self.open(next, row, scratch)?;
            }
        }
        Ok(true)
    }

    /// The next data page; the dictionary is decoded on the way.
    fn next_data_page(&mut self, scratch: &mut Scratch) -> Result<Option<Next>> {
        self.close(scratch);
        loop {
            let next = match self.ahead.pop_front() {
                Some(next) => next,
                None => match self.next_page(scratch)? {
                    Some(next) => next,
                    None => return Ok(None),
                },
            };
            if !next.page.is_dictionary() {
                return Ok(Some(next));
            }
            match self.was_given {
                true => self.pass_given(&next.page),
                false => self.decode_dictionary(next.page, scratch)?,
            }
        }
    }

    #[cfg(all(feature = "arrow", feature = "rayon"))]
    fn next_page(&mut self, scratch: &mut Scratch) -> Result<Option<Next>> {
        match &self.prepared {
            Some(prepared) => prepared.next(scratch),
            None => self.next_of_chunk(),
        }
    }

    #[cfg(not(all(feature = "arrow", feature = "rayon")))]
    fn next_page(&mut self, _: &mut Scratch) -> Result<Option<Next>> {
        self.next_of_chunk()
    }

    fn next_of_chunk(&mut self) -> Result<Option<Next>> {
        Ok(self.pages.next_page()?.map(|page| Next { page, decompressed: None }))
    }

    fn open(&mut self, next: Next, row: Option<u64>, scratch: &mut Scratch) -> Result<()> {
        self.close(scratch);
        let needs_dictionary = matches!(next.page.encoding(), Encoding::PlainDictionary | Encoding::RleDictionary);
        if needs_dictionary && self.dictionary.is_none() {
            let undecoded = match (self.undecoded.take(), self.dictionary_at) {
                (None, Some(at)) if self.was_dropped => Some(self.pages.dictionary_again(at)?),
                (None, _) => self.pages.passed_dictionary()?,
                (undecoded, _) => undecoded,
            };
            if let Some(dictionary) = undecoded {
                self.decode_dictionary(dictionary, scratch)?;
            }
        } else if !needs_dictionary && self.is_lean && self.dictionary.is_some() && !self.was_dropped {
            // Writers turn away from a dictionary that grows too large, and seldom come back to it.
            self.dictionary = None;
            self.was_dropped = true;
        }
        if let Some(counters) = &self.counters {
            counters.page();
        }
        let page = match next.decompressed {
            Some(page) => *page,
            None => self.decompress(&next.page, row, scratch)?,
        };
        let mut opened = OpenPage::new(page, self.dictionary.as_ref(), scratch)?;
        if let Some(last) = &self.last_value {
            opened.decoder.carry(last);
        }
        self.page = Some(opened);
        Ok(())
    }

    fn close(&mut self, scratch: &mut Scratch) {
        if let Some(open) = self.page.take() {
            if self.chunk.carries_prefixes {
                self.last_value = open.decoder.carried();
            }
            self.give_back(open.page.into_buffer(), scratch);
            scratch.repetition = open.levels.repetition;
            scratch.definition = open.levels.definition;
        }
    }

    #[cfg(all(feature = "arrow", feature = "rayon"))]
    fn give_back(&self, buffer: Vec<u8>, scratch: &mut Scratch) {
        match &self.prepared {
            Some(prepared) => prepared.give_back(buffer),
            None => scratch.give_back(buffer, self.is_lean),
        }
    }

    #[cfg(not(all(feature = "arrow", feature = "rayon")))]
    fn give_back(&self, buffer: Vec<u8>, scratch: &mut Scratch) {
        scratch.give_back(buffer, self.is_lean);
    }

    #[cold]
    fn too_few_rows(&self, wanted: usize, found: usize) -> Error {
        self.chunk.place(Error::malformed(format!("the column chunk ends after {found} of {wanted} rows that were expected")))
    }
}
