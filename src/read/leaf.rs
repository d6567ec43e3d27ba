//! One leaf column of one row group: pages in, runs of rows out.

use std::ops::Range;
use std::sync::Arc;

use crate::compression::Decompressor;
#[cfg(feature = "arrow")]
use crate::compression::takes_several;
#[cfg(feature = "arrow")]
use crate::encoding::Convert;
use crate::encoding::{Decoder, Dictionary, Part};
use crate::error::{Error, Result};
use crate::format::{Encoding, PhysicalType};
#[cfg(feature = "arrow")]
use crate::levels::keep;
use crate::levels::nested::{self, Levels, Slots};
use crate::levels::{LevelReader, spread, spread_offsets};
use crate::metadata::OffsetIndex;
use crate::page::{ChunkInfo, CompressedPage, Page};
use crate::read::PageReader;
use crate::read::counters::Counters;
use crate::values::{Bits, ByteArrays, FixedBytes, Values, length};

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
}

impl LeafData {
    /// The number of slots.
    pub fn slots(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
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
        if buffer.capacity() == 0 || (is_lean && is_large(&buffer) && self.buffers.iter().any(is_large)) {
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
/// Of buffers beyond this, lean readers keep one.
const LARGE_BUFFER: usize = 256 << 10;

/// Reads the rows of one leaf column in order.
pub(crate) struct LeafReader {
    chunk: Arc<ChunkInfo>,
    pages: PageReader,
    dictionary: Option<Arc<Dictionary>>,
    /// The dictionary's page, if pages were passed over before one that needs it: behind a full dictionary come pages without indices.
    undecoded: Option<CompressedPage>,
    page: Option<OpenPage>,
    /// The page after it, if it came along with it.
    ahead: Option<Next>,
    /// Whether byte arrays stay dictionary indices.
    keep_indices: bool,
    /// The most bytes of byte arrays in one part.
    part_bytes: usize,
    /// The last value of the page before, in files whose writer carried prefixes over.
    last_value: Option<Vec<u8>>,
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
}

/// A page that is being read.
struct OpenPage {
    page: Page,
    decoder: Box<dyn Decoder>,
    /// Entries not read yet.
    left: usize,
    repetition: LevelReader,
    definition: LevelReader,
    /// Whether single rows may be picked in one call: not in lists, and where values are missing.
    can_pick: bool,
    /// In lists: the levels of the next entries, as far as they were decoded, and how many of them are done.
    levels: Levels,
    done: usize,
}

/// A page that comes next: a data page, or the dictionary.
struct Next {
    page: CompressedPage,
    /// The page decompressed, if it was along with the one before.
    decompressed: Option<Box<Page>>,
}

/// Chunks of fewer bytes have no pages worth decompressing together.
#[cfg(feature = "arrow")]
const LARGE_CHUNK: u64 = 32 << 10;
/// So many bytes of dictionaries are decompressed together.
#[cfg(feature = "arrow")]
const DICTIONARIES_AT_ONCE: usize = 5 << 19;
/// A lean reader decompresses no larger page before its time.
const LEAN_AHEAD: usize = 64 << 10;

/// So many bytes of data pages are decompressed before their columns are read.
#[cfg(feature = "arrow")]
const KEPT_AT_ONCE: usize = 8 << 20;

/// How many levels are decoded at a time: memory follows this and not the number of entries that a page claims.
const LEVELS_AHEAD: usize = 1 << 16;

impl LeafReader {
    pub(crate) fn new(pages: PageReader, keep_indices: bool, part_bytes: usize) -> Self {
        let chunk = Arc::clone(pages.chunk());
        let keep_indices = keep_indices && matches!(chunk.shape.physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray);
        Self {
            chunk,
            pages,
            dictionary: None,
            undecoded: None,
            page: None,
            ahead: None,
            keep_indices,
            part_bytes,
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
        }
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
    pub(crate) fn read_ranges(&mut self, ranges: &[Range<u64>], scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
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
        if self.ahead.as_ref().is_some_and(|next| next.page.offset() == location.offset) {
            self.close(scratch);
            return Ok(left);
        }
        let first = index.pages().first().map_or(0, |first| first.offset);
        // The dictionary page is read when a page needs it.
        if self.pages.is_at_start() && first > self.pages.range().start && !self.pages.pass_dictionary(first) {
            match self.pages.next_page()? {
                Some(page) if page.is_dictionary() => self.undecoded = Some(page),
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
        if let Some(next) = self.ahead.take()
            && next.page.is_dictionary()
        {
            self.undecoded = Some(next.page);
        }
        let end = index.pages().last().map_or(0, |last| last.range().end);
        self.pages.jump(location.offset, page, location.first_row, end);
        Ok(left)
    }

    /// Checks that nothing comes after the last row of the chunk.
    pub(crate) fn finish(&mut self, scratch: &mut Scratch) -> Result<()> {
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
                if !self.chunk.carries_prefixes && self.ahead.is_none() {
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
        let mut begun = 0;
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
            let output = Output {
                chunk: &self.chunk,
                keep_indices: self.keep_indices,
                part_bytes: self.part_bytes,
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
            self.open(next, row, scratch)?;
        }
        Ok(true)
    }

    /// The next data page; the dictionary is decoded on the way.
    fn next_data_page(&mut self, scratch: &mut Scratch) -> Result<Option<Next>> {
        self.close(scratch);
        loop {
            let next = match self.ahead.take() {
                Some(next) => next,
                None => match self.pages.next_page()? {
                    Some(page) => Next { page, decompressed: None },
                    None => return Ok(None),
                },
            };
            if !next.page.is_dictionary() {
                return Ok(Some(next));
            }
            self.decode_dictionary(next.page, scratch)?;
        }
    }

    /// Whether dictionaries of this codec may take less time to decode together.
    #[cfg(feature = "arrow")]
    pub(crate) fn takes_several(codec: crate::format::Codec) -> bool {
        takes_several(codec)
    }

    /// Decompresses the pages that columns are about to be read with, where that takes less time together than one after the other: the
    /// dictionaries; or, if a row is named, the pages with it, as far as it is known where they are, and the dictionaries that these need.
    /// The others are left to the first read, and so is what is wrong with any.
    #[cfg(feature = "arrow")]
    pub(crate) fn begin<'a>(readers: impl Iterator<Item = &'a mut Self>, row: Option<u64>, scratch: &mut Scratch) {
        let mut readers: Vec<&mut Self> = readers.collect();
        let mut waiting: Vec<(usize, CompressedPage)> = Vec::new();
        let (mut bytes, mut kept) = (0_usize, 0_usize);
        for at in 0..readers.len() {
            let Some(reader) = readers.get_mut(at) else { continue };
            let range = reader.pages.range();
            let is_large = range.end.saturating_sub(range.start) >= LARGE_CHUNK;
            if is_large && reader.is_lean && row.is_none() {
                reader.decode_first_dictionary(scratch);
                continue;
            }
            if !is_large || !takes_several(reader.chunk.codec) || !reader.pages.is_at_start() || kept >= KEPT_AT_ONCE {
                continue;
            }
            let first = match row {
                Some(row) => reader.pages_of(row),
                None => reader.pages.next_if(true).into_iter().collect(),
            };
            for page in first {
                if !page.pays_together() {
                    reader.leave(page, row.is_some());
                    continue;
                }
                bytes = bytes.saturating_add(page.uncompressed_size());
                kept = kept.saturating_add(if page.is_dictionary() { 0 } else { page.uncompressed_size() });
                waiting.push((at, page));
            }
            if bytes >= DICTIONARIES_AT_ONCE {
                Self::decode_together(&mut readers, std::mem::take(&mut waiting), row.is_some(), scratch);
                bytes = 0;
            }
        }
        Self::decode_together(&mut readers, waiting, row.is_some(), scratch);
    }

    /// Goes to the page with a row, if it is known where that is, and reads it and the dictionary that it needs.
    #[cfg(feature = "arrow")]
    fn pages_of(&mut self, row: u64) -> Vec<CompressedPage> {
        let index = self.index.as_ref();
        let found = index.and_then(|index| {
            let page = index.page_of_row(row)?;
            Some((page, *index.pages().get(page)?, index.pages().first()?.offset, index.pages().last()?.range().end))
        });
        let Some((page, location, first, end)) = found else { return Vec::new() };
        if first > self.pages.range().start && !self.pages.pass_dictionary(first) {
            return Vec::new();
        }
        self.pages.jump(location.offset, page, location.first_row, end);
        let Some(data) = self.pages.next_if(false) else { return Vec::new() };
        let is_encoded = matches!(data.encoding(), Encoding::PlainDictionary | Encoding::RleDictionary);
        let dictionary = if is_encoded { self.pages.passed_dictionary().ok().flatten() } else { None };
        dictionary.into_iter().chain([data]).collect()
    }

    /// Leaves a page that was read to the next read; a dictionary perhaps `until_needed`.
    #[cfg(feature = "arrow")]
    fn leave(&mut self, page: CompressedPage, until_needed: bool) {
        match until_needed && page.is_dictionary() {
            true => self.undecoded = Some(page),
            false => self.ahead = Some(Next { page, decompressed: None }),
        }
    }

    /// Decodes the dictionary alone. What stays is next to those of other columns then, and what does not leaves no gaps between what pages
    /// and arrays take later: with the system's allocator that is a megabyte of lineitem.
    #[cfg(feature = "arrow")]
    fn decode_first_dictionary(&mut self, scratch: &mut Scratch) {
        if !self.pages.is_at_start() {
            return;
        }
        let Some(page) = self.pages.dictionary_alone() else { return };
        let at = page.offset();
        if self.decode_dictionary(page, scratch).is_err() {
            // The first read finds out what is wrong.
            self.dictionary = None;
            self.ahead = self.pages.dictionary_again(at).ok().map(|page| Next { page, decompressed: None });
        }
    }

    #[cfg(feature = "arrow")]
    fn decode_together(readers: &mut [&mut Self], waiting: Vec<(usize, CompressedPage)>, until_needed: bool, scratch: &mut Scratch) {
        let pages: Vec<&CompressedPage> = waiting.iter().map(|(_, page)| page).collect();
        let several = if pages.len() > 1 { decompress_all(&pages, false, scratch) } else { None };
        let mut decompressed = several.into_iter().flatten();
        for (at, page) in waiting {
            let Some(reader) = readers.get_mut(at) else { continue };
            match decompressed.next() {
                Some(decompressed) if page.is_dictionary() => {
                    reader.dictionary = reader.entries(&decompressed).ok().map(Arc::new);
                    reader.dictionary_at = Some(page.offset());
                    scratch.give_back(decompressed.into_buffer(), false);
                    if reader.dictionary.is_none() {
                        reader.leave(page, until_needed);
                    }
                }
                Some(decompressed) => reader.ahead = Some(Next { page, decompressed: Some(Box::new(decompressed)) }),
                None => reader.leave(page, until_needed),
            }
        }
    }

    #[cfg(feature = "arrow")]
    fn entries(&self, page: &Page) -> Result<Dictionary> {
        if let Some(convert) = &self.convert
            && let Some(converted) = page.decode_dictionary()?.converted_by(convert)
        {
            return Ok(converted);
        }
        page.decode_dictionary()
    }

    #[cfg(not(feature = "arrow"))]
    fn entries(&self, page: &Page) -> Result<Dictionary> {
        page.decode_dictionary()
    }

    fn decode_dictionary(&mut self, page: CompressedPage, scratch: &mut Scratch) -> Result<()> {
        if self.dictionary.is_some() || self.undecoded.is_some() || self.dictionary_at.is_some_and(|at| at != page.offset()) {
            return Err(page.place(Error::malformed("a second dictionary page in one column chunk")));
        }
        self.dictionary_at = Some(page.offset());
        let buffer = scratch.buffer(page.uncompressed_size(), self.is_lean);
        let decompressed = page.decompress(&mut scratch.decompressor, buffer)?;
        #[cfg(feature = "arrow")]
        if self.is_lean
            && self.chunk.shape.physical_type == PhysicalType::ByteArray
            && let Some(convert) = &self.convert
        {
            let at = page.offset();
            drop(page);
            self.dictionary = decompressed.into_dictionary()?.converted_by(convert).map(Arc::new);
            if self.dictionary.is_some() {
                return Ok(());
            }
            // What is wrong is found when a value is looked up.
            let page = self.pages.dictionary_again(at)?;
            let decompressed = page.decompress(&mut scratch.decompressor, Vec::new())?;
            self.dictionary = Some(Arc::new(decompressed.decode_dictionary()?));
            return Ok(());
        }
        drop(page);
        self.dictionary = Some(Arc::new(self.entries(&decompressed)?));
        scratch.give_back(decompressed.into_buffer(), self.is_lean);
        Ok(())
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
            opened.decoder.set_previous(last);
        }
        self.page = Some(opened);
        Ok(())
    }

    /// Decompresses a page, which begins with `row`, and the one after it along with it where rows of it are wanted too.
    fn decompress(&mut self, page: &CompressedPage, row: Option<u64>, scratch: &mut Scratch) -> Result<Page> {
        let pays = |page: &CompressedPage| page.pays_together() && !(self.is_lean && page.uncompressed_size() > LEAN_AHEAD);
        let after = if pays(page) && self.wants_after(page, row) { self.pages.next_if(false) } else { None };
        let mut both = None;
        if let Some(after) = after {
            if pays(&after) {
                both = decompress_all(&[page, &after], self.is_lean, scratch);
            }
            let decompressed = both.as_mut().and_then(Vec::pop).map(Box::new);
            self.ahead = Some(Next { page: after, decompressed });
        }
        match both.as_mut().and_then(Vec::pop) {
            Some(page) => Ok(page),
            None => {
                let buffer = scratch.buffer(page.uncompressed_size(), self.is_lean);
                page.decompress(&mut scratch.decompressor, buffer)
            }
        }
    }

    /// Whether rows of the page after this one are wanted, supposing that it has as many. In lists a page has no more rows than values.
    fn wants_after(&self, page: &CompressedPage, row: Option<u64>) -> bool {
        let rows = page.num_values() as u64;
        let end = row.unwrap_or(self.row).saturating_add(rows);
        self.expects(&(end..end.saturating_add(rows)))
    }

    fn close(&mut self, scratch: &mut Scratch) {
        if let Some(open) = self.page.take() {
            if self.chunk.carries_prefixes {
                self.last_value = open.decoder.previous().map(<[u8]>::to_vec);
            }
            scratch.give_back(open.page.into_buffer(), self.is_lean);
            scratch.repetition = open.levels.repetition;
            scratch.definition = open.levels.definition;
        }
    }

    #[cold]
    fn too_few_rows(&self, wanted: usize, found: usize) -> Error {
        self.chunk.place(Error::malformed(format!("the column chunk ends after {found} of {wanted} rows that were expected")))
    }
}

/// Decompresses pages together, into memory that the scratch lends.
fn decompress_all(pages: &[&CompressedPage], is_lean: bool, scratch: &mut Scratch) -> Option<Vec<Page>> {
    let mut lent: Vec<Vec<u8>> = pages.iter().rev().map(|page| scratch.buffer(page.uncompressed_size(), is_lean)).collect();
    CompressedPage::decompress_all(pages, &mut scratch.decompressor, &mut lent)
}

/// Where values go.
struct Output<'a> {
    chunk: &'a ChunkInfo,
    keep_indices: bool,
    part_bytes: usize,
    dictionary: &'a Option<Arc<Dictionary>>,
    /// How many slots are to come in all, of this page and of the next ones; in lists a guess.
    expected: usize,
}

/// Memory is reserved for no more slots than these ahead of what pages prove to hold.
const EXPECTED_MOST: usize = 1 << 18;
/// And for no more bytes of byte arrays.
const EXPECTED_BYTES: usize = 8 << 20;

/// Nulls and values of a dictionary take their places without a byte in the page: `n` more slots must stay within a batch.
fn check_room(values: &Values, n: usize, most: usize) -> Result<()> {
    let each = match values {
        Values::Words32(_) => 4,
        Values::Words64(_) => 8,
        Values::Fixed(fixed) => fixed.width(),
        Values::Bits(_) | Values::Bytes(_) => return Ok(()),
    };
    let bytes = values.memory_size().saturating_add(n.saturating_mul(each));
    if bytes <= most {
        return Ok(());
    }
    Err(Error::limit(format!(
        "{n} values and nulls of {each} bytes make {bytes} bytes of one batch, more than the {most} of Limits::batch_bytes: read fewer rows at a time, or raise it"
    )))
}

/// `whole * part / of`.
fn share(whole: usize, part: usize, of: usize) -> usize {
    usize::try_from((whole as u128).saturating_mul(part as u128).checked_div(of as u128).unwrap_or(0)).unwrap_or(usize::MAX)
}

impl OpenPage {
    fn new(page: Page, dictionary: Option<&Arc<Dictionary>>, scratch: &mut Scratch) -> Result<Self> {
        let decoder = page.decoder(dictionary)?;
        let left = page.num_values();
        let (repetition, definition) = (page.repetition_reader()?, page.definition_reader()?);
        let levels = Levels { repetition: std::mem::take(&mut scratch.repetition), definition: std::mem::take(&mut scratch.definition) };
        let mut open = Self { page, decoder, left, repetition, definition, levels, done: 0, can_pick: true };
        open.levels.clear();
        Ok(open)
    }

    /// Decodes the levels of the next entries when all of those decoded before are done.
    fn refill(&mut self) -> Result<()> {
        if self.done < self.levels.len() {
            return Ok(());
        }
        self.levels.clear();
        self.done = 0;
        let n = self.left.min(LEVELS_AHEAD);
        let read = self.repetition.read(self.page.repetition_bytes(), n, &mut self.levels.repetition);
        let read = read.and_then(|()| self.definition.read(self.page.definition_bytes(), n, &mut self.levels.definition));
        read.map_err(|error| self.page.place(error))
    }

    fn read_flat(&mut self, n: usize, output: &Output<'_>, scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
        let start = out.validity.len();
        let max = output.chunk.max_definition;
        if start == 0 && max > 0 {
            out.validity.reserve(output.expected.min(EXPECTED_MOST));
        }
        let present = match max {
            0 => n,
            1 => {
                self.definition.read_validity(self.page.definition_bytes(), n, &mut out.validity)?;
                out.validity.count_ones_from(start)
            }
            _ => {
                let from = out.levels.definition.len();
                self.definition.read(self.page.definition_bytes(), n, &mut out.levels.definition)?;
                nested::push_at_least(out.levels.definition.get(from..).unwrap_or_default(), max, &mut out.validity);
                out.validity.count_ones_from(start)
            }
        };
        self.left = self.left.saturating_sub(n);
        self.append(n, present, start, output, scratch, out)
    }

    fn skip_flat(&mut self, n: usize) -> Result<()> {
        let present = self.definition.skip(self.page.definition_bytes(), n)?;
        self.left = self.left.saturating_sub(n);
        self.decoder.skip(self.page.value_bytes(), present)
    }

    /// Moves past `entries` entries and returns their levels.
    fn take_levels(&mut self, entries: usize) -> Levels {
        let range = self.done..self.done.saturating_add(entries);
        self.done = range.end;
        self.left = self.left.saturating_sub(entries);
        Levels {
            repetition: self.levels.repetition.get(range.clone()).unwrap_or_default().to_vec(),
            definition: self.levels.definition.get(range).unwrap_or_default().to_vec(),
        }
    }

    fn read_entries(&mut self, entries: usize, output: &Output<'_>, scratch: &mut Scratch, out: &mut LeafData) -> Result<()> {
        let levels = self.take_levels(entries);
        let start = out.validity.len();
        let slots = output.chunk.slots();
        let (n, present) = if output.chunk.max_definition > output.chunk.repeated_definition {
            let n = nested::validity(&levels, slots, output.chunk.max_definition, &mut out.validity);
            (n, out.validity.count_ones_from(start))
        } else {
            let n = nested::count(&levels, slots);
            (n, n)
        };
        out.levels.repetition.extend_from_slice(&levels.repetition);
        out.levels.definition.extend_from_slice(&levels.definition);
        self.append(n, present, start, output, scratch, out)
    }

    fn skip_entries(&mut self, entries: usize) -> Result<()> {
        let levels = self.take_levels(entries);
        let chunk = self.page.chunk();
        let present = nested::count(&levels, Slots { repetition: chunk.max_repetition, definition: chunk.max_definition });
        self.decoder.skip(self.page.value_bytes(), present)
    }

    /// Decodes `present` values and appends `n` slots; `start` is where their bits begin in the validity.
    fn append(
        &mut self,
        n: usize,
        present: usize,
        start: usize,
        output: &Output<'_>,
        scratch: &mut Scratch,
        out: &mut LeafData,
    ) -> Result<()> {
        let mut values = self.take_part(n, present, output, out);
        if let Values::Bytes(_) = values {
            return self.append_bytes(n, present, start, values, output, out);
        }
        check_room(&values, n, output.part_bytes)?;
        self.append_fixed(n, present, &out.validity, start, &mut values, scratch)?;
        self.give_part(values, output, out);
        Ok(())
    }

    /// Appends the rows of `ranges`, which are among the next rows of this page, `all`; `false` where that is not for this page.
    fn pick(&mut self, all: Range<u64>, ranges: &[Range<u64>], rows: usize, output: &Output<'_>, out: &mut LeafData) -> Result<bool> {
        let max = output.chunk.max_definition;
        let is_words = output.chunk.shape.physical_type != PhysicalType::ByteArray || self.indices_of(output).is_some();
        self.can_pick =
            is_words && output.chunk.max_repetition == 0 && self.definition.skip_full(self.page.definition_bytes(), length(&all))?;
        if !self.can_pick {
            return Ok(false);
        }
        if max > 0 {
            out.validity.extend_run(true, rows);
        }
        if max > 1 {
            out.levels.definition.resize(out.levels.definition.len().saturating_add(rows), max);
        }
        let mut values = self.take_part(rows, rows, output, out);
        check_room(&values, rows, output.part_bytes)?;
        self.decoder.pick(self.page.value_bytes(), all.start, ranges, &mut values)?;
        self.give_part(values, output, out);
        Ok(true)
    }

    /// The dictionary, if indices into it are what is read.
    fn indices_of<'a>(&self, output: &Output<'a>) -> Option<&'a Arc<Dictionary>> {
        let indices = output.keep_indices && matches!(self.page.encoding(), Encoding::RleDictionary | Encoding::PlainDictionary);
        output.dictionary.as_ref().filter(|_| indices)
    }

    /// The last part, if what comes next belongs to it, or memory for another.
    fn take_part(&self, n: usize, present: usize, output: &Output<'_>, out: &mut LeafData) -> Values {
        if self.indices_of(output).is_some() {
            return match out.parts.pop_if(|part| matches!(part, Part::Indices { .. })) {
                Some(Part::Indices { indices, .. }) => Values::Words32(indices),
                _ => Values::Words32(Vec::with_capacity(output.expected.min(EXPECTED_MOST))),
            };
        }
        match out.parts.pop_if(|part| matches!(part, Part::Values(_))) {
            Some(Part::Values(values)) => values,
            _ => self.container(n, present, output),
        }
    }

    fn give_part(&self, values: Values, output: &Output<'_>, out: &mut LeafData) {
        out.parts.push(match (values, self.indices_of(output)) {
            (Values::Words32(indices), Some(dictionary)) => Part::Indices { indices, dictionary: Arc::clone(dictionary) },
            (values, _) => Part::Values(values),
        });
    }

    /// An empty container with memory for the slots to come, as far as this page lets them be believed: growing step by step
    /// would copy what is there and leave memory unused.
    fn container(&self, n: usize, present: usize, output: &Output<'_>) -> Values {
        let shape = output.chunk.shape;
        let expected = output.expected.clamp(n.min(EXPECTED_MOST), EXPECTED_MOST);
        match Values::new(shape.physical_type, shape.width) {
            Values::Words32(_) => Values::Words32(Vec::with_capacity(expected)),
            Values::Words64(_) => Values::Words64(Vec::with_capacity(expected)),
            Values::Fixed(mut fixed) => {
                fixed.reserve(expected.min(EXPECTED_BYTES.checked_div(shape.width.max(12)).unwrap_or(0)));
                Values::Fixed(fixed)
            }
            Values::Bytes(_) => {
                let mut arrays = ByteArrays::with_limit(output.part_bytes);
                let page = self.page.value_bytes().len();
                let lengths = match self.page.encoding() {
                    Encoding::Plain => share(self.page.num_values(), present, n).saturating_mul(4),
                    Encoding::DeltaLengthByteArray => 0,
                    // How long the values become is not to be seen from the page.
                    _ => page,
                };
                let bytes = share(page.saturating_sub(lengths), expected, self.page.num_values());
                arrays.reserve(expected, bytes.saturating_add(bytes / 16).min(page.max(EXPECTED_BYTES)));
                Values::Bytes(arrays)
            }
            bits => bits,
        }
    }

    /// Values of one width: straight to their place where there are no nulls, else dense into scratch memory first.
    fn append_fixed(
        &mut self,
        n: usize,
        present: usize,
        validity: &Bits,
        start: usize,
        out: &mut Values,
        scratch: &mut Scratch,
    ) -> Result<()> {
        if present == n {
            return self.decoder.read(self.page.value_bytes(), n, out).map(drop);
        }
        let mut dense = match out {
            Values::Words32(_) => Values::Words32(std::mem::take(&mut scratch.words32)),
            Values::Words64(_) => Values::Words64(std::mem::take(&mut scratch.words64)),
            Values::Fixed(fixed) => Values::Fixed(FixedBytes::new(fixed.width())),
            Values::Bits(_) | Values::Bytes(_) => Values::Bits(Bits::new()),
        };
        let read = self.decoder.read(self.page.value_bytes(), present, &mut dense);
        if read.is_ok() {
            spread(&dense, validity, start, n, out);
        }
        match dense {
            Values::Words32(mut words) => {
                words.clear();
                scratch.words32 = words;
            }
            Values::Words64(mut words) => {
                words.clear();
                scratch.words64 = words;
            }
            _ => {}
        }
        read.map(drop)
    }

    /// Byte arrays: nulls are put between the offsets afterwards, and another part begins where one is full.
    fn append_bytes(
        &mut self,
        n: usize,
        present: usize,
        start: usize,
        values: Values,
        output: &Output<'_>,
        out: &mut LeafData,
    ) -> Result<()> {
        let mut values = values;
        let (mut slots_done, mut values_done) = (0, 0);
        loop {
            let read = self.decoder.read(self.page.value_bytes(), present.saturating_sub(values_done), &mut values)?;
            values_done = values_done.saturating_add(read);
            let left = n.saturating_sub(slots_done);
            let slots = if values_done == present {
                left
            } else {
                slots_before_next(&out.validity, start.saturating_add(slots_done), left, read, present == n)
            };
            if let Values::Bytes(arrays) = &mut values {
                spread_offsets(arrays.parts_mut().0, &out.validity, start.saturating_add(slots_done), read, slots);
            }
            slots_done = slots_done.saturating_add(slots);
            let full = std::mem::replace(&mut values, Values::Bytes(ByteArrays::with_limit(output.part_bytes)));
            if values_done < present && full.is_empty() {
                return Err(Error::limit("a single value is larger than Limits::batch_bytes"));
            }
            out.parts.push(Part::Values(full));
            if values_done == present {
                return Ok(());
            }
        }
    }
}

/// How many of the next `most` slots come before the value after the next `values` values.
fn slots_before_next(validity: &Bits, start: usize, most: usize, values: usize, dense: bool) -> usize {
    if dense {
        return values;
    }
    let mut seen = 0_usize;
    (0..most)
        .find(|slot| {
            let valid = validity.get(start.wrapping_add(*slot)) == Some(true);
            seen = seen.wrapping_add(usize::from(valid));
            seen > values
        })
        .unwrap_or(most)
}
