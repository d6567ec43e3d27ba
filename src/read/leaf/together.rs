//! Pages of columns on their way out of their codec: dictionaries, and pages that take less time together than one after the other.

use std::sync::Arc;

#[cfg(feature = "arrow")]
use super::SHARE_AHEAD;
use super::{LeafReader, Next, Scratch};
#[cfg(feature = "arrow")]
use crate::compression::takes_several;
use crate::encoding::Dictionary;
use crate::error::{Error, Result};
#[cfg(feature = "arrow")]
use crate::format::{Encoding, PhysicalType};
use crate::page::{CompressedPage, Page};

/// Chunks of fewer bytes have no pages worth decompressing together.
#[cfg(feature = "arrow")]
pub(super) const LARGE_CHUNK: u64 = 32 << 10;
/// So many bytes of dictionaries are decompressed together.
#[cfg(feature = "arrow")]
const DICTIONARIES_AT_ONCE: usize = 5 << 19;
/// A lean reader decompresses no larger page before its time.
const LEAN_AHEAD: usize = 64 << 10;
/// So many bytes of data pages are decompressed before their columns are read, or a share of what may be held at a time.
#[cfg(feature = "arrow")]
const KEPT_AT_ONCE: usize = 8 << 20;

/// A page that is to be decompressed with others.
#[cfg(feature = "arrow")]
struct Waiting {
    /// The place of its reader.
    at: usize,
    page: CompressedPage,
    /// Whether the reader went straight to a row, so that a dictionary may not be needed.
    jumped: bool,
}

impl LeafReader {
    /// Whether dictionaries of this codec may take less time to decode together.
    #[cfg(feature = "arrow")]
    pub(crate) fn takes_several(codec: crate::format::Codec) -> bool {
        takes_several(codec)
    }

    /// Decompresses the pages that columns are about to be read with, where that takes less time together than one after the other: the
    /// dictionaries, and the data pages of chunks that have one each; or, of a column whose first row is named, the page with it and the dictionary
    /// if that needs it. Where it is not known where that page is, nothing is done, unless `dictionaries` says that they are needed anyhow.
    /// The others are left to the first read, and so is what is wrong with any.
    #[cfg(feature = "arrow")]
    pub(crate) fn begin<'a>(readers: impl Iterator<Item = (&'a mut Self, Option<u64>)>, dictionaries: bool, scratch: &mut Scratch) {
        let (mut readers, rows): (Vec<&mut Self>, Vec<Option<u64>>) = readers.unzip();
        let mut waiting: Vec<Waiting> = Vec::new();
        let (mut bytes, mut kept) = (0_usize, 0_usize);
        for (at, row) in rows.into_iter().enumerate() {
            let Some(reader) = readers.get_mut(at) else { continue };
            if reader.is_crowded() {
                break;
            }
            let range = reader.pages.range();
            let is_large = range.end.saturating_sub(range.start) >= LARGE_CHUNK;
            if is_large && reader.is_lean && row.is_none() && !reader.was_given {
                reader.decode_first_dictionary(scratch);
                reader.settle(scratch);
                continue;
            }
            let row = row.filter(|row| !dictionaries || reader.begins_later(*row));
            if row.is_none() && reader.was_given {
                continue;
            }
            let most_kept = KEPT_AT_ONCE.min(reader.pages.limits().memory_bytes / SHARE_AHEAD);
            if !is_large || !takes_several(reader.chunk.codec) || !reader.pages.is_at_start() || kept >= most_kept {
                continue;
            }
            let first = match row {
                Some(row) => reader.pages_of(row),
                None => reader.first_pages(),
            };
            for page in first {
                if !page.pays_together() {
                    reader.leave(page, row.is_some());
                    continue;
                }
                bytes = bytes.saturating_add(page.uncompressed_size());
                kept = kept.saturating_add(if page.is_dictionary() { 0 } else { page.uncompressed_size() });
                waiting.push(Waiting { at, page, jumped: row.is_some() });
            }
            if bytes >= DICTIONARIES_AT_ONCE {
                Self::decode_together(&mut readers, std::mem::take(&mut waiting), scratch);
                bytes = 0;
            }
        }
        Self::decode_together(&mut readers, waiting, scratch);
    }

    /// The dictionary, and the data page if there is but one and it pays: of several, each is decompressed with the one after it.
    #[cfg(feature = "arrow")]
    fn first_pages(&mut self) -> Vec<CompressedPage> {
        let dictionary = self.pages.next_if(true);
        let data = if self.pages.last_pays_together() { self.pages.next_if(false) } else { None };
        dictionary.into_iter().chain(data).collect()
    }

    /// Whether a row is known to be in a page behind the first, which may do without the dictionary.
    #[cfg(feature = "arrow")]
    fn begins_later(&self, row: u64) -> bool {
        self.index.as_ref().and_then(|index| index.page_of_row(row)).is_some_and(|page| page > 0)
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
        let dictionary = if is_encoded && self.dictionary.is_none() { self.pages.passed_dictionary().ok().flatten() } else { None };
        dictionary.into_iter().chain([data]).collect()
    }

    /// Leaves a page that was read to the next read; a dictionary perhaps `until_needed`.
    pub(super) fn leave(&mut self, page: CompressedPage, until_needed: bool) {
        match until_needed && page.is_dictionary() {
            true if self.was_given => self.pass_given(&page),
            true => self.undecoded = Some(page),
            false => self.ahead.push_back(Next { page, decompressed: None }),
        }
    }

    /// Passes over the page of a dictionary that another reader decoded; should it be dropped, it is known where it is.
    pub(super) fn pass_given(&mut self, page: &CompressedPage) {
        self.was_given = false;
        self.dictionary_at = Some(page.offset());
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
            self.ahead.extend(self.pages.dictionary_again(at).ok().map(|page| Next { page, decompressed: None }));
        }
    }

    #[cfg(feature = "arrow")]
    fn decode_together(readers: &mut [&mut Self], waiting: Vec<Waiting>, scratch: &mut Scratch) {
        let pages: Vec<&CompressedPage> = waiting.iter().map(|waiting| &waiting.page).collect();
        let several = if pages.len() > 1 { decompress_all(&pages, false, scratch) } else { None };
        let mut decompressed = several.into_iter().flatten();
        for Waiting { at, page, jumped } in waiting {
            let Some(reader) = readers.get_mut(at) else { continue };
            match decompressed.next() {
                Some(decompressed) if page.is_dictionary() => {
                    reader.dictionary = reader.entries(&decompressed).ok().map(Arc::new);
                    reader.dictionary_at = Some(page.offset());
                    reader.dictionary_bytes = dictionary_bytes(&page);
                    scratch.give_back(decompressed.into_buffer(), false);
                    if reader.dictionary.is_none() {
                        reader.leave(page, jumped);
                    }
                    reader.settle(scratch);
                }
                Some(decompressed) => reader.ahead.push_back(Next { page, decompressed: Some(Box::new(decompressed)) }),
                None => reader.leave(page, jumped),
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

    pub(super) fn decode_dictionary(&mut self, page: CompressedPage, scratch: &mut Scratch) -> Result<()> {
        if self.dictionary.is_some() || self.undecoded.is_some() || self.dictionary_at.is_some_and(|at| at != page.offset()) {
            return Err(page.place(Error::malformed("a second dictionary page in one column chunk")));
        }
        self.dictionary_at = Some(page.offset());
        self.dictionary_bytes = dictionary_bytes(&page);
        if self.dictionary_bytes > self.pages.limits().room() {
            return Err(page.place(too_large(self.dictionary_bytes, self.pages.limits().room())));
        }
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

    /// Decompresses a page, which begins with `row`, and the one after it along with it where rows of it are wanted too.
    pub(super) fn decompress(&mut self, page: &CompressedPage, row: Option<u64>, scratch: &mut Scratch) -> Result<Page> {
        let pays = |page: &CompressedPage| page.pays_together() && !(self.is_lean && page.uncompressed_size() > LEAN_AHEAD);
        // What other threads prepare comes from another reader, and this one does not know what comes next.
        #[cfg(all(feature = "arrow", feature = "rayon"))]
        let is_in_order = self.prepared.is_none();
        #[cfg(not(all(feature = "arrow", feature = "rayon")))]
        let is_in_order = true;
        let after = if is_in_order && pays(page) && self.wants_after(page, row) { self.pages.next_if(false) } else { None };
        let mut both = None;
        if let Some(after) = after {
            if pays(&after) {
                both = decompress_all(&[page, &after], self.is_lean, scratch);
            }
            let decompressed = both.as_mut().and_then(Vec::pop).map(Box::new);
            self.ahead.push_back(Next { page: after, decompressed });
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
}

#[cold]
fn too_large(bytes: usize, most: usize) -> Error {
    Error::limit(format!("the entries of a dictionary take {bytes} bytes, more than the {most} of Limits::memory_bytes and batch_bytes"))
}

/// About how much memory the entries of a dictionary page take: a view or a decimal each, and their bytes.
fn dictionary_bytes(page: &CompressedPage) -> usize {
    page.uncompressed_size().saturating_add(page.num_values().saturating_mul(16))
}

/// Decompresses pages together, into memory that the scratch lends.
fn decompress_all(pages: &[&CompressedPage], is_lean: bool, scratch: &mut Scratch) -> Option<Vec<Page>> {
    let mut lent: Vec<Vec<u8>> = pages.iter().rev().map(|page| scratch.buffer(page.uncompressed_size(), is_lean)).collect();
    CompressedPage::decompress_all(pages, &mut scratch.decompressor, &mut lent)
}
