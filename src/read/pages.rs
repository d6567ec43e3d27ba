//! The pages of a column chunk, in the order of the file.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::compression::max_uncompressed;
#[cfg(feature = "arrow")]
use crate::compression::pays_together;
use crate::error::{Error, ErrorKind, Result};
use crate::format::{Codec, Encoding, PhysicalType};
use crate::limits::Limits;
use crate::metadata::{ChunkLocation, FileMetadata, RowGroup};
use crate::page::{ChunkInfo, CompressedPage, Header, HeaderKind};
use crate::read::Source;
use crate::read::push::Missing;
use crate::read::source::LOCAL_WINDOW;

/// How pages are read.
#[derive(Clone, Debug, Default)]
pub struct PageOptions {
    /// What pages may cost.
    pub limits: Limits,
    /// Whether checksums are compared, where pages have one: a page that differs is a `Malformed` error. Off by default.
    pub verify_crc: bool,
    /// How many bytes a read takes at the least; `None` leaves it to [`Source::window`].
    pub window: Option<u64>,
}

/// The pages of the leaf column `leaf` (its index in [`Schema::leaves`](crate::schema::Schema::leaves)) in the row group
/// `row_group`, in the order of the file. Nothing is read yet.
///
/// # Errors
/// `Usage` when there is no such row group or column, `Malformed` when the metadata of the chunk are, `Unsupported` when the
/// column is encrypted.
pub fn pages(
    source: impl Source + 'static,
    metadata: &FileMetadata,
    row_group: usize,
    leaf: usize,
    options: &PageOptions,
) -> Result<PageReader> {
    PageReader::new(Arc::new(source), metadata, row_group, leaf, options)
}

/// Streams the pages of one column chunk; see [`pages`].
///
/// Bytes are read in windows and headers are parsed where they lie, so that a chunk takes one read, or few when it is
/// large, however many pages it has.
///
/// As an iterator it gives each page or an error, and ends after the first error. A clone goes on from the same page.
#[derive(Clone)]
pub struct PageReader {
    source: Arc<dyn Source>,
    chunk: Arc<ChunkInfo>,
    limits: Limits,
    verify_crc: bool,
    window: u64,
    /// Whether a read costs little more than the bytes do.
    is_cheap: bool,
    /// Where the next header begins, and where the chunk ends.
    at: u64,
    end: u64,
    /// How far the pages may reach where the writer gave the chunk too small a size.
    bound: u64,
    /// Bytes of the file from `held_from` on.
    held: Bytes,
    held_from: u64,
    ordinal: usize,
    /// Where the dictionary page is said to be, if it is what the chunk begins with.
    dictionary: Option<Range<u64>>,
    /// Where it is, if it was passed over.
    passed: Option<u64>,
    /// Whether there was a dictionary page, which counts as a page.
    had_dictionary: bool,
    values_left: u64,
    num_values: u64,
    /// Whether only headers are wanted, so that reads are small.
    skipping: bool,
    /// Whether large pages are read one by one.
    is_lean: bool,
}

impl std::fmt::Debug for PageReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageReader").field("chunk", &self.chunk).field("at", &self.at).field("end", &self.end).finish_non_exhaustive()
    }
}

fn row_group_of(metadata: &FileMetadata, row_group: usize) -> Result<RowGroup<'_>> {
    metadata
        .row_group(row_group)
        .ok_or_else(|| Error::usage(format!("there is no row group {row_group}: the file has {}", metadata.num_row_groups())))
}

/// Whether a column chunk may have pages of prefixes (DELTA_BYTE_ARRAY): its metadata list the encodings of its pages. Only then no page may be
/// passed over in files of writers that are unknown or carried prefixes from page to page (PARQUET-246).
fn may_have_prefixes(group: &RowGroup<'_>, leaf: usize, physical_type: PhysicalType) -> bool {
    if !matches!(physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray) {
        return false;
    }
    let metadata = group.raw_column(leaf).ok().and_then(|chunk| chunk.meta_data);
    metadata.is_none_or(|metadata| metadata.encodings.contains(&Encoding::DeltaByteArray))
}

/// The first guess at how long a header is, and the longest that is believed: statistics in it may be long.
const HEADER_FEW: u64 = 256;
const HEADER_MOST: u64 = 16 << 20;

/// Pages from this size on are read one by one where reads are cheap. The page that a window cuts is read twice, and what was read is out of the
/// nearest cache before the last page of a window is decoded: TIMESTAMP as INT96 took 10.3 ms by
/// windows of 1 MiB, 8.6 by pages of 240 KB, INT64 13.3 and 12.1. Pages of 80 KB were slower by themselves, 8.4 ms for 7.3.
const LARGE_PAGE: u64 = 128 << 10;

/// What is read of a chunk, where reads are cheap, before the size of its first page is known. With a window instead a fifth of lineitem was read twice.
const FIRST_LOOK: u64 = 4 << 10;

impl PageReader {
    pub(crate) fn new(
        source: Arc<dyn Source>,
        metadata: &FileMetadata,
        row_group: usize,
        leaf: usize,
        options: &PageOptions,
    ) -> Result<Self> {
        let location = row_group_of(metadata, row_group)?.chunk(leaf)?;
        Self::at(source, metadata, row_group, leaf, &location, options)
    }

    /// As [`new`](Self::new), for a chunk whose place is known already.
    pub(crate) fn at(
        source: Arc<dyn Source>,
        metadata: &FileMetadata,
        row_group: usize,
        leaf: usize,
        location: &ChunkLocation,
        options: &PageOptions,
    ) -> Result<Self> {
        let group = row_group_of(metadata, row_group)?;
        if location.encrypted {
            let error = Error::unsupported("the column is encrypted, which this version cannot read");
            return Err(ChunkInfo::new(Arc::clone(metadata.schema()), leaf, location.codec, row_group)?.place(error));
        }
        let mut chunk = ChunkInfo::new(Arc::clone(metadata.schema()), leaf, location.codec, row_group)?;
        if location.absent {
            return Err(chunk.place(Error::malformed("the column chunk has no metadata, so its pages cannot be found")));
        }
        location.check_is_here().map_err(|error| chunk.place(error))?;
        chunk.carries_prefixes = metadata.has_prefixes_across_pages() && may_have_prefixes(&group, leaf, location.physical_type);
        if chunk.max_repetition == 0 && location.num_values != group.num_rows() {
            let error = format!("the chunk has {} values, its row group {} rows", location.num_values, group.num_rows());
            return Err(chunk.place(Error::malformed(error)));
        }
        Ok(Self {
            is_cheap: source.window() <= LOCAL_WINDOW,
            window: options.window.unwrap_or_else(|| source.window()),
            source,
            chunk: Arc::new(chunk),
            limits: options.limits.clone(),
            verify_crc: options.verify_crc,
            at: location.range.start,
            end: location.range.end,
            bound: location.bound,
            held: Bytes::new(),
            held_from: location.range.start,
            ordinal: 0,
            dictionary: location.dictionary_page_offset.filter(|at| *at == location.range.start).map(|at| at..location.data_page_offset),
            passed: None,
            had_dictionary: false,
            values_left: location.num_values,
            num_values: location.num_values,
            skipping: false,
            is_lean: false,
        })
    }

    /// The column chunk.
    pub fn chunk(&self) -> &Arc<ChunkInfo> {
        &self.chunk
    }

    /// Where the chunk's pages lie in the file.
    pub fn range(&self) -> Range<u64> {
        self.at..self.end
    }

    /// Gives bytes of the file that were read already, from the offset `from` on, so that they are not read again.
    pub fn hold(&mut self, from: u64, bytes: Bytes) {
        self.held = bytes;
        self.held_from = from;
    }

    /// What pages may cost.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads pages one by one that take a good part of a window, so that no more than a page is held.
    #[cfg(feature = "arrow")]
    pub(crate) fn set_lean(&mut self) {
        self.is_lean = true;
    }

    /// The next dictionary or data page; `None` at the end of the chunk. Pages of other kinds are passed over.
    ///
    /// # Errors
    /// `Io` from the source; `Malformed` for a broken header or a page that crosses the end of the chunk; `Limit` for a page
    /// larger than [`Limits::page_bytes`].
    pub fn next_page(&mut self) -> Result<Option<CompressedPage>> {
        let (ordinal, offset) = (self.ordinal, self.at);
        self.read_page().map_err(|error| {
            if Missing::of(&error).is_some() {
                // The same page is asked for again when its bytes are there.
                (self.at, self.ordinal) = (offset, ordinal);
            }
            self.chunk.place(error).in_page(ordinal).at_offset(offset)
        })
    }

    fn read_page(&mut self) -> Result<Option<CompressedPage>> {
        while self.values_left > 0 {
            if self.at >= self.end {
                if self.bound <= self.end {
                    return Ok(None);
                }
                self.end = self.bound;
            }
            let offset = self.at;
            let (header, header_length, size) = self.read_header()?;
            let body = self.at.saturating_add(header_length as u64);
            if size as u64 > self.end.saturating_sub(body) && self.bound > self.end {
                self.end = self.bound;
            }
            if size as u64 > self.end.saturating_sub(body) {
                return Err(Error::malformed(format!(
                    "the page claims {size} bytes, but {} are left in its column chunk",
                    self.end.saturating_sub(body)
                )));
            }
            let ordinal = self.ordinal;
            self.ordinal = self.ordinal.saturating_add(1);
            let Some(header) = header else {
                self.at = body.saturating_add(size as u64);
                continue;
            };
            self.check(&header)?;
            self.at = body;
            let bytes = self.take(size)?;
            if matches!(header.kind, HeaderKind::Dictionary { .. }) {
                self.had_dictionary = true;
            } else {
                self.values_left = self.values_left.saturating_sub(header.num_values as u64);
            }
            let page = CompressedPage { chunk: Arc::clone(&self.chunk), header, bytes, ordinal, offset };
            if self.verify_crc {
                page.verify_crc()?;
            }
            return Ok(Some(page));
        }
        Ok(None)
    }

    /// The next page if it is a dictionary, or not, as asked for, and if nothing is wrong with it; else it is left to
    /// [`next_page`](Self::next_page).
    pub(crate) fn next_if(&mut self, dictionary: bool) -> Option<CompressedPage> {
        if matches!(self.peek()?.kind, HeaderKind::Dictionary { .. }) != dictionary {
            return None;
        }
        let before = (self.at, self.end, self.ordinal, self.had_dictionary, self.values_left);
        let page = self.next_page();
        if page.is_err() {
            (self.at, self.end, self.ordinal, self.had_dictionary, self.values_left) = before;
        }
        page.ok().flatten()
    }

    /// Whether the next page is a data page with all values that are left, which takes less time to decompress together with others.
    #[cfg(feature = "arrow")]
    pub(crate) fn last_pays_together(&mut self) -> bool {
        self.peek().is_some_and(|header| {
            !matches!(header.kind, HeaderKind::Dictionary { .. })
                && header.num_values as u64 == self.values_left
                && pays_together(self.chunk.codec, header.compressed_size, header.uncompressed_size)
        })
    }

    /// The header of the next page, if it is short and nothing is wrong with it.
    fn peek(&mut self) -> Option<Header> {
        let most = self.end.saturating_sub(self.at).min(HEADER_FEW);
        if self.values_left == 0 || most == 0 {
            return None;
        }
        let (header, ..) = Header::parse(&self.held_at(most).ok()?).ok()?;
        header
    }

    /// The dictionary page, as [`next_if`](Self::next_if) gives it, without bytes behind it.
    #[cfg(feature = "arrow")]
    pub(crate) fn dictionary_alone(&mut self) -> Option<CompressedPage> {
        self.skipping = true;
        let page = self.next_if(true);
        self.skipping = false;
        page
    }

    /// Reads the dictionary page at `offset` again, wherever the reader is.
    pub(crate) fn dictionary_again(&mut self, offset: u64) -> Result<CompressedPage> {
        let page = self.page_again(offset, 0)?;
        if page.is_dictionary() { Ok(page) } else { Err(page.place(Error::malformed("the dictionary page has changed"))) }
    }

    /// Reads the page at `offset`, which has this number in its chunk, again, wherever the reader is.
    pub(crate) fn page_again(&mut self, offset: u64, ordinal: usize) -> Result<CompressedPage> {
        let place = (self.at, self.end, self.ordinal, self.values_left, self.had_dictionary);
        let held = (std::mem::take(&mut self.held), self.held_from);
        (self.at, self.ordinal, self.values_left) = (offset, ordinal, u64::MAX);
        let page = self.next_page();
        (self.at, self.end, self.ordinal, self.values_left, self.had_dictionary) = place;
        (self.held, self.held_from) = held;
        page?.ok_or_else(|| self.chunk.place(Error::malformed("a page has changed")).at_offset(offset))
    }

    /// Whether no page was read yet.
    pub(crate) fn is_at_start(&self) -> bool {
        self.ordinal == 0
    }

    /// Passes over the dictionary page if nothing else comes before the data pages, which begin at `first`; whether it did.
    pub(crate) fn pass_dictionary(&mut self, first: u64) -> bool {
        let dictionary = self.dictionary.clone().filter(|page| self.ordinal == 0 && page.start == self.at && page.end == first);
        self.passed = dictionary.map(|page| page.start);
        self.had_dictionary |= self.passed.is_some();
        self.passed.is_some()
    }

    /// Reads the dictionary page if it was [passed over](Self::pass_dictionary), once, and comes back to where it was.
    ///
    /// # Errors
    /// As for [`next_page`](Self::next_page); `Malformed` when there is another page in its place.
    pub(crate) fn passed_dictionary(&mut self) -> Result<Option<CompressedPage>> {
        let Some(start) = self.passed else { return Ok(None) };
        let place = (self.at, self.end, self.ordinal, self.values_left);
        let held = (self.held.clone(), self.held_from);
        (self.at, self.ordinal, self.values_left) = (start, 0, u64::MAX);
        let page = self.next_page();
        (self.at, self.end, self.ordinal, self.values_left) = place;
        (self.held, self.held_from) = held;
        match page? {
            Some(page) if page.is_dictionary() => {
                self.passed = None;
                Ok(Some(page))
            }
            _ => {
                let error = Error::malformed("there is no dictionary page where the column chunk is said to have one");
                Err(self.chunk.place(error).in_page(0).at_offset(start))
            }
        }
    }

    /// Goes to the data page with this index among the data pages, of which it is known where it is, with which row it begins, and
    /// where the last page ends.
    pub(crate) fn jump(&mut self, offset: u64, page: usize, first_row: u64, end: u64) {
        let dictionary = usize::from(self.had_dictionary);
        self.at = offset;
        self.ordinal = page.saturating_add(dictionary);
        (self.end, self.bound) = (end, end);
        // In lists it is not known how many values lie before a row; then the end of the last page tells.
        self.values_left = if self.chunk.max_repetition == 0 { self.num_values.saturating_sub(first_row) } else { u64::MAX };
    }

    /// Passes over data pages that lie wholly within the next `rows` rows of a column that is in no list, and returns how many
    /// rows they had. Only headers are read; a dictionary page and a page with later rows stay.
    pub(crate) fn skip_pages(&mut self, rows: usize) -> Result<usize> {
        let (ordinal, offset) = (self.ordinal, self.at);
        self.skipping = true;
        let skipped = self.skip_whole_pages(rows);
        self.skipping = false;
        skipped.map_err(|error| self.chunk.place(error).in_page(ordinal).at_offset(offset))
    }

    fn skip_whole_pages(&mut self, rows: usize) -> Result<usize> {
        let mut skipped = 0;
        while skipped < rows && self.values_left > 0 && self.at < self.end {
            let (header, header_length, size) = self.read_header()?;
            let next = self.at.saturating_add(header_length as u64).saturating_add(size as u64);
            let values = match header {
                Some(Header { kind: HeaderKind::Dictionary { .. }, .. }) => break,
                Some(header) => header.num_values,
                None => 0,
            };
            if values > rows.saturating_sub(skipped) || next > self.end {
                break;
            }
            self.at = next;
            self.ordinal = self.ordinal.saturating_add(1);
            self.values_left = self.values_left.saturating_sub(values as u64);
            skipped = skipped.saturating_add(values);
        }
        Ok(skipped)
    }

    /// Parses the header at `at`, reading more bytes as long as they may help.
    fn read_header(&mut self) -> Result<(Option<Header>, usize, usize)> {
        let mut wanted = HEADER_FEW;
        loop {
            let most = self.end.saturating_sub(self.at);
            let bytes = self.held_at(wanted.min(most))?;
            match Header::parse(&bytes) {
                Ok(parsed) => return Ok(parsed),
                Err(error) => {
                    let had = bytes.len() as u64;
                    if error.kind() != ErrorKind::Malformed || had >= most.min(HEADER_MOST) {
                        return Err(error);
                    }
                    wanted = had.saturating_mul(4).max(HEADER_FEW);
                }
            }
        }
    }

    fn check(&self, header: &Header) -> Result<()> {
        let size = header.uncompressed_size;
        if size > self.limits.page_bytes {
            return Err(Error::limit(format!("a page of {size} bytes, above Limits::page_bytes of {}", self.limits.page_bytes)));
        }
        if self.chunk.codec != Codec::Uncompressed
            && size as u64 > max_uncompressed(self.chunk.codec, header.compressed_size).max(header.compressed_size as u64)
        {
            return Err(Error::malformed(format!(
                "the page claims {size} bytes, more than its {} compressed bytes can hold",
                header.compressed_size
            )));
        }
        Ok(())
    }

    /// All held bytes from `at` on, at least `n`.
    fn held_at(&mut self, n: u64) -> Result<Bytes> {
        let held_to = self.held_from.saturating_add(self.held.len() as u64);
        if self.at < self.held_from || self.at.saturating_add(n) > held_to {
            self.fetch(n)?;
        }
        let from = self.at.saturating_sub(self.held_from) as usize;
        Ok(self.held.slice(from..))
    }

    /// The next `n` bytes, which are inside the chunk.
    fn take(&mut self, n: usize) -> Result<Bytes> {
        let held_to = self.held_from.saturating_add(self.held.len() as u64);
        if self.at < self.held_from || self.at.saturating_add(n as u64) > held_to {
            // The header of the next page comes along.
            let ahead = (n as u64).saturating_add(HEADER_FEW).min(self.end.saturating_sub(self.at));
            self.fetch(ahead)?;
        }
        let from = self.at.saturating_sub(self.held_from) as usize;
        self.at = self.at.saturating_add(n as u64);
        let to = from.saturating_add(n);
        let page = self.held.slice(from..to);
        // The page alone is to keep its bytes in memory.
        if self.is_lean && self.held.len().saturating_sub(to) <= HEADER_FEW as usize && n > HEADER_FEW as usize {
            self.held = Bytes::copy_from_slice(self.held.get(to..).unwrap_or_default());
            self.held_from = self.at;
        }
        Ok(page)
    }

    fn fetch(&mut self, n: u64) -> Result<()> {
        let left = self.end.saturating_sub(self.at);
        let least = match () {
            () if self.skipping => HEADER_FEW,
            () if self.is_lean && n >= self.window / 4 => n,
            () if self.is_cheap && n >= LARGE_PAGE => n,
            () if self.is_cheap && n <= HEADER_FEW && self.ordinal == 0 && left > self.window => FIRST_LOOK.min(self.window),
            () => self.window,
        };
        let mut length = n.max(least).min(left);
        // A small rest is not worth another read. A window of 0 asks for no more than what is needed.
        if left.saturating_sub(length) < length / 4 && !self.skipping && self.window > 0 {
            length = left;
        }
        let range = self.at..self.at.saturating_add(length);
        let bytes = self.source.read(range)?;
        if bytes.len() as u64 != length {
            return Err(Error::from(std::io::Error::other("the source gave fewer or more bytes than asked for")));
        }
        self.held = bytes;
        self.held_from = self.at;
        Ok(())
    }
}

impl Iterator for PageReader {
    type Item = Result<CompressedPage>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_page() {
            Ok(page) => page.map(Ok),
            Err(error) => {
                // Nothing after a broken page can be trusted to be one.
                self.values_left = 0;
                Some(Err(error))
            }
        }
    }
}
