//! A column chunk: its pages one after another, and what the footer says about them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::compression::Decompressor;
use crate::error::Result;
use crate::format::{self, ColumnMetaData, Encoding, PageEncodingStats, PageType};
use crate::metadata::Order;
use crate::page::{ChunkInfo, CompressedPage, HeaderKind};
use crate::schema::{Leaf, LogicalType};
use crate::verify::bloom;
use crate::verify::bounds::{self, Judge};
use crate::verify::facts::Facts;
use crate::verify::frame::{File, failed};
use crate::verify::index::{Indexes, PageAt};
use crate::verify::layout::Part;
use crate::verify::page::{PageDecoder, Watchers};
use crate::verify::pages::{Broken, RawPage, RawPages};
use crate::verify::report::{Code, Recorder, Severity};
use crate::verify::sorted::RowOrder;
use crate::verify::spot::Spot;
use crate::write::Geospatial;

/// Checks a chunk and returns how its rows compare, if that is wanted and all of them could be read.
pub(super) fn check(
    file: &File<'_>,
    group: usize,
    rows: i64,
    leaf: usize,
    column: &format::ColumnChunk<'_>,
    comparer: Option<RowOrder>,
    out: &mut Recorder,
) -> Result<Option<RowOrder>> {
    let schema = Arc::clone(&file.schema);
    let Some(leaf) = schema.leaves().get(leaf) else { return Ok(None) };
    let place = Spot { row_group: Some(group), leaf: Some(leaf.index), ..Spot::default() };
    let Some(meta) = checkable(column, place, out) else { return Ok(None) };
    names(meta, leaf, place, out);
    let Some(range) = range(file, rows, meta, place, out) else { return Ok(None) };
    let indexes = Indexes::read(file, column, place, out)?;
    let watchers = watchers(file, meta, leaf, comparer, place, out)?;
    let info = ChunkInfo::new(Arc::clone(&schema), leaf.index, meta.codec, group)?;
    let mut walk = Walk::new(file, leaf, meta, info, indexes, watchers, place);
    let end = walk.pages(file, range.start, range.end, out)?;
    let start = if walk.dictionary_missed { u64::try_from(meta.data_page_offset).unwrap_or(range.start) } else { range.start };
    out.layout.add(start..end.unwrap_or(range.end), Part::Chunk, walk.place);
    if end.is_some() {
        walk.finish(file, rows, out);
    }
    let complete = end.is_some() && walk.facts.complete;
    Ok(walk.decoder.watchers.comparer.filter(|_| complete))
}

/// The chunk's metadata, unless there are none or its pages are beyond reach.
fn checkable<'c, 'm>(column: &'c format::ColumnChunk<'m>, place: Spot, out: &mut Recorder) -> Option<&'c ColumnMetaData<'m>> {
    let encrypted = column.crypto_metadata.is_some() || column.encrypted_column_metadata.is_some();
    let elsewhere = column.file_path.as_ref().filter(|path| !path.is_empty());
    match (&column.meta_data, elsewhere) {
        (Some(meta), None) if !encrypted => return Some(meta),
        _ if encrypted => out.add(Code::Encrypted, place, "", "the column chunk"),
        (_, Some(path)) => out.add(Code::OtherFile, place, "", path),
        _ => out.add(Code::ChunkMissing, place, "", ""),
    }
    out.all_known = false;
    None
}

fn names(meta: &ColumnMetaData<'_>, leaf: &Leaf, place: Spot, out: &mut Recorder) {
    out.compare(Code::ChunkType, place, leaf.physical_type, meta.physical_type);
    if !meta.path_in_schema.iter().map(|name| &name[..]).eq(leaf.path.parts()) {
        out.add(Code::ChunkPath, place, leaf.path.dotted(), meta.path_in_schema.join("."));
    }
}

/// Where the pages are said to be; none where there are none.
fn range(file: &File<'_>, rows: i64, meta: &ColumnMetaData<'_>, place: Spot, out: &mut Recorder) -> Option<std::ops::Range<u64>> {
    // Some writers have chunks without data pages in row groups without rows.
    if rows == 0 && meta.num_values == 0 && meta.data_page_offset == 0 {
        match meta.dictionary_page_offset.and_then(|offset| u64::try_from(offset).ok()) {
            None => return None,
            Some(start) if start >= 4 => {
                let size = u64::try_from(meta.total_compressed_size).unwrap_or(0);
                return Some(start.min(file.data_end)..start.saturating_add(size).min(file.data_end));
            }
            Some(_) => {}
        }
    }
    let data = u64::try_from(meta.data_page_offset).ok().filter(|offset| (4..=file.data_end).contains(offset));
    let size = u64::try_from(meta.total_compressed_size).ok();
    let (Some(data), Some(size)) = (data, size) else {
        let found = format!("{} bytes at {}", meta.total_compressed_size, meta.data_page_offset);
        out.add(Code::ChunkRange, place, format!("bytes between 4 and {}", file.data_end), found);
        out.all_known = false;
        return None;
    };
    let before = [meta.dictionary_page_offset, meta.index_page_offset].into_iter().flatten();
    let before = before.filter_map(|offset| u64::try_from(offset).ok()).filter(|offset| *offset >= 4 && *offset < data);
    let start = before.min().unwrap_or(data);
    let end = start.saturating_add(size);
    if end > file.data_end {
        out.add(Code::ChunkRange, place, format!("an end of at most {}", file.data_end), end);
    }
    Some(start..end.min(file.data_end))
}

fn watchers(
    file: &File<'_>,
    meta: &ColumnMetaData<'_>,
    leaf: &Leaf,
    comparer: Option<RowOrder>,
    place: Spot,
    out: &mut Recorder,
) -> Result<Watchers> {
    let counts_distinct = meta.statistics.as_ref().is_some_and(|statistics| statistics.distinct_count.is_some());
    let geography = match leaf.logical_type {
        Some(LogicalType::Geography { .. }) => Some(true),
        Some(LogicalType::Geometry { .. }) => Some(false),
        _ => None,
    };
    Ok(Watchers {
        bloom: bloom::read(file, meta, place, out)?,
        bloom_failed: false,
        distinct: counts_distinct.then(HashSet::new),
        // A hash takes about 16 bytes of a set.
        most_distinct: file.limits.memory_bytes / 32,
        geospatial: geography.filter(|_| meta.geospatial_statistics.is_some()).map(Geospatial::new),
        comparer,
    })
}

/// A walk over the pages of a chunk.
struct Walk<'a> {
    decoder: PageDecoder<'a>,
    info: Arc<ChunkInfo>,
    meta: &'a ColumnMetaData<'a>,
    judge: Judge<'a>,
    indexes: Indexes,
    facts: Facts,
    /// How many pages of which type have which encoding.
    used: HashMap<(PageType, Encoding), i32>,
    level_encodings: BTreeSet<Encoding>,
    /// Values of all headers.
    entries: u64,
    compressed: u64,
    uncompressed: u64,
    first_data: Option<u64>,
    dictionary_at: Option<u64>,
    /// Whether the dictionary page is not where it is said to be.
    dictionary_missed: bool,
    /// `None` once the rows of a page could not be counted.
    next_row: Option<u64>,
    ordinal: usize,
    place: Spot,
}

impl<'a> Walk<'a> {
    fn new(
        file: &'a File<'_>,
        leaf: &'a Leaf,
        meta: &'a ColumnMetaData<'a>,
        info: ChunkInfo,
        indexes: Indexes,
        watchers: Watchers,
        place: Spot,
    ) -> Self {
        let order = match &file.column_orders {
            Some(orders) => orders.get(leaf.index).and_then(|order| Order::of(leaf, order)),
            None => Order::by_type(leaf),
        };
        Self {
            decoder: PageDecoder {
                leaf,
                order,
                limits: &file.limits,
                dictionary: None,
                dictionary_lost: false,
                carries_prefixes: file.quirks.prefixes_across_pages,
                last_value: None,
                decompressor: Decompressor::new(),
                buffer: Vec::new(),
                watchers,
                begun: false,
                whole_rows: indexes.offsets.is_some(),
            },
            info: Arc::new(info),
            meta,
            judge: Judge { leaf, has_orders: file.column_orders.is_some(), corrupt_binary_bounds: file.quirks.corrupt_binary_bounds },
            indexes,
            facts: Facts::new(leaf, order),
            used: HashMap::new(),
            level_encodings: BTreeSet::new(),
            entries: 0,
            compressed: 0,
            uncompressed: 0,
            first_data: None,
            dictionary_at: None,
            dictionary_missed: false,
            next_row: Some(0),
            ordinal: 0,
            place,
        }
    }

    /// Walks over all pages and returns where they end; `None` when that could not be found out.
    fn pages(&mut self, file: &File<'_>, start: u64, end: u64, out: &mut Recorder) -> Result<Option<u64>> {
        let mut pages = RawPages::new(file.source, start, end, file.data_end);
        let wanted = u64::try_from(self.meta.num_values).unwrap_or(0);
        // A page that crosses the end says that the chunk is larger than it is said to be; else the end is the end.
        while pages.at < end || (pages.at > end && self.entries < wanted) {
            let place = Spot { page: Some(self.ordinal), offset: Some(pages.at), ..self.place };
            let before = pages.at;
            let page = pages.next();
            // Errors of pages have the column's name, however long it is.
            let cost = pages.take_read().saturating_add(self.decoder.leaf.path.dotted().len() as u64);
            let affordable = out.take_bytes(cost, place);
            let page = match page {
                Err(Broken::Source(error)) => return Err(error),
                _ if !affordable => return Ok(None),
                Ok(page) => page,
                // What follows the last value need not be a page.
                Err(_) if self.entries >= wanted && self.ordinal > 0 => return Ok(Some(before)),
                Err(_) if self.misses_dictionary(before, &mut pages, out) => continue,
                Err(Broken::Header(error)) => {
                    failed(Code::PageHeader, &error, place, out);
                    return Ok(None);
                }
                Err(Broken::Size { claimed, left }) => {
                    out.add(Code::PageSize, place, format!("at most {left}"), claimed);
                    return Ok(None);
                }
            };
            if self.entries >= wanted && self.ordinal > 0 && pages.at > end {
                return Ok(Some(before));
            }
            let is_dictionary = page.header.as_ref().is_some_and(|header| matches!(header.kind, HeaderKind::Dictionary { .. }));
            if !is_dictionary && self.misses_dictionary(before, &mut pages, out) {
                continue;
            }
            self.page(page, place, out);
        }
        Ok(Some(pages.at))
    }

    /// Where a dictionary page is said to be and is none, goes on with the data pages.
    fn misses_dictionary(&mut self, at: u64, pages: &mut RawPages<'_>, out: &mut Recorder) -> bool {
        let said = self.meta.dictionary_page_offset.and_then(|offset| u64::try_from(offset).ok());
        let data = u64::try_from(self.meta.data_page_offset).unwrap_or(0);
        if self.ordinal > 0 || self.dictionary_missed || said != Some(at) || at >= data {
            return false;
        }
        out.add(Code::DictionaryOffset, self.place, "a dictionary page", format!("none at {at}"));
        self.dictionary_missed = true;
        self.decoder.dictionary_lost = true;
        pages.at = data;
        true
    }

    /// Checks one page.
    fn page(&mut self, raw: RawPage, place: Spot, out: &mut Recorder) {
        let (ordinal, size, offset) = (self.ordinal, raw.size(), raw.offset);
        self.ordinal = self.ordinal.saturating_add(1);
        self.compressed = self.compressed.saturating_add(size);
        out.report.pages = out.report.pages.saturating_add(1);
        let Some(header) = raw.header else {
            self.uncompressed = self.uncompressed.saturating_add(size);
            return;
        };
        self.uncompressed = self.uncompressed.saturating_add(raw.header_bytes.len() as u64).saturating_add(header.uncompressed_size as u64);
        if let Some(crc) = header.crc {
            let expected = crc32fast::hash(&raw.body);
            if expected != crc {
                out.add(Code::PageCrc, place, format!("{expected:08x}"), format!("{crc:08x}"));
            }
        }
        self.count_encodings(&header.kind, header.encoding);
        let page = CompressedPage { chunk: Arc::clone(&self.info), header, bytes: raw.body, ordinal, offset };
        if page.is_dictionary() {
            self.dictionary_page(&page, place, out);
            return;
        }
        self.first_data.get_or_insert(offset);
        self.entries = self.entries.saturating_add(page.num_values() as u64);
        let facts = self.decoder.data_page(&page, place, out);
        let rows = if facts.complete { Some(facts.rows) } else { page.num_rows().map(|rows| rows as u64) };
        let at = PageAt { offset, size, first_row: self.next_row };
        self.indexes.page(&at, &facts, self.judge, place, out);
        self.next_row = self.next_row.zip(rows).map(|(first, rows)| first.saturating_add(rows));
        if let Ok((header, _)) = format::PageHeader::from_bytes(&raw.header_bytes, self.decoder.limits) {
            let v1 = header.data_page_header.and_then(|header| header.statistics);
            let v2 = header.data_page_header_v2.and_then(|header| header.statistics);
            if let Some(statistics) = v1.or(v2) {
                self.judge.statistics(&statistics, &facts, None, place, out);
            }
        }
        self.facts.merge(&facts);
    }

    fn dictionary_page(&mut self, page: &CompressedPage, place: Spot, out: &mut Recorder) {
        if self.dictionary_at.is_some() || self.first_data.is_some() {
            out.add(Code::DictionaryPlace, place, "", format!("another one at {}", page.offset()));
            return;
        }
        self.dictionary_at = Some(page.offset());
        self.decoder.take_dictionary(page, place, out);
    }

    fn count_encodings(&mut self, kind: &HeaderKind, encoding: Encoding) {
        let page_type = match kind {
            HeaderKind::Dictionary { .. } => PageType::DictionaryPage,
            HeaderKind::V1 { .. } => PageType::DataPage,
            HeaderKind::V2 { .. } => PageType::DataPageV2,
        };
        let count = self.used.entry((page_type, encoding)).or_insert(0);
        *count = count.saturating_add(1);
        let leaf = self.decoder.leaf;
        let (repetition, definition) = match kind {
            HeaderKind::Dictionary { .. } => return,
            HeaderKind::V1 { repetition, definition } => (*repetition, *definition),
            // Of levels of version 2 there is but one encoding, which some writers do not list.
            HeaderKind::V2 { .. } => return,
        };
        for (level, max) in [(repetition, leaf.max_repetition_level), (definition, leaf.max_definition_level)] {
            if max > 0 {
                self.level_encodings.insert(level);
            }
        }
    }

    /// Compares what the footer says about the chunk with all of its pages.
    fn finish(&mut self, file: &File<'_>, rows: i64, out: &mut Recorder) {
        let (meta, place) = (self.meta, self.place);
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.offsets(place, out);
        out.compare(Code::ChunkValues, place, signed(self.entries), meta.num_values);
        if let Some(found) = self.next_row {
            out.compare(Code::ChunkRows, place, rows, signed(found));
        }
        if !self.dictionary_missed {
            self.sizes(file.quirks.forgets_dictionary_header, place, out);
            self.encodings(place, out);
            self.encoding_stats(file.quirks.confuses_page_types, place, out);
        }
        self.indexes.finish(self.judge, self.facts.extremes.order, place, out);
        let distinct = self.decoder.watchers.distinct.as_ref().map(|distinct| distinct.len() as u64);
        if let Some(statistics) = &meta.statistics {
            self.judge.statistics(statistics, &self.facts, distinct, place, out);
        }
        if let Some(sizes) = &meta.size_statistics {
            bounds::sizes(sizes, self.decoder.leaf, &self.facts, place, out);
        }
        if let (Some(raw), Some(gathered), true) =
            (&meta.geospatial_statistics, self.decoder.watchers.geospatial.take(), self.facts.complete)
        {
            bounds::geospatial(raw, gathered, place, out);
        }
    }

    fn offsets(&self, place: Spot, out: &mut Recorder) {
        let said = self.meta.dictionary_page_offset.and_then(|offset| u64::try_from(offset).ok()).filter(|offset| *offset > 0);
        match (said, self.dictionary_at) {
            _ if self.dictionary_missed => {}
            // A dictionary that is found by its header alone is what old writers left.
            (None, Some(found)) => out.add_as(Severity::Warning, Code::DictionaryOffset, place, found, "none"),
            (Some(said), Some(found)) if said != found => out.add(Code::DictionaryOffset, place, found, said),
            (Some(said), None) => out.add(Code::DictionaryOffset, place, "none, for there is no dictionary page", said),
            _ => {}
        }
        let data = u64::try_from(self.meta.data_page_offset).unwrap_or(0);
        // Said already where the data pages are said to begin with the dictionary page.
        let is_dictionary = said.is_none() && self.dictionary_at == Some(data);
        if let Some(first) = self.first_data.filter(|first| *first != data && !is_dictionary) {
            out.add(Code::DataPageOffset, place, first, data);
        }
    }

    fn sizes(&self, forgets_dictionary_header: bool, place: Spot, out: &mut Recorder) {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let compressed = signed(self.compressed);
        if compressed != self.meta.total_compressed_size {
            let known = forgets_dictionary_header && self.dictionary_at.is_some();
            let severity = if known { Severity::Warning } else { Severity::Error };
            out.add_as(severity, Code::ChunkCompressed, place, compressed, self.meta.total_compressed_size);
        }
        out.compare(Code::ChunkUncompressed, place, signed(self.uncompressed), self.meta.total_uncompressed_size);
    }

    fn encodings(&self, place: Spot, out: &mut Recorder) {
        let listed: BTreeSet<Encoding> = self.meta.encodings.iter().copied().collect();
        let is_listed = |encoding: &Encoding| {
            // The two names of dictionaries stand for each other.
            let dictionaries = [Encoding::RleDictionary, Encoding::PlainDictionary];
            listed.contains(encoding) || (dictionaries.contains(encoding) && dictionaries.iter().any(|other| listed.contains(other)))
        };
        let of_pages = self.used.keys().filter(|(page_type, _)| *page_type != PageType::DictionaryPage);
        let values: BTreeSet<Encoding> = of_pages.map(|(_, encoding)| *encoding).collect();
        let found = self.meta.encodings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        for encoding in values.iter().filter(|encoding| !is_listed(encoding)) {
            out.add(Code::EncodingUnlisted, place, encoding, &found);
        }
        let levels = self.level_encodings.iter().filter(|encoding| !values.contains(encoding));
        // That levels are RLE goes without saying, in the files of some writers.
        for encoding in levels.filter(|encoding| **encoding != Encoding::Rle && !is_listed(encoding)) {
            out.add_as(Severity::Warning, Code::EncodingUnlisted, place, format!("{encoding} of levels"), &found);
        }
        // Writers list what dictionary pages and levels may have, whether there are any or not.
        let usual = [Encoding::Plain, Encoding::PlainDictionary, Encoding::RleDictionary, Encoding::Rle, Encoding::BitPacked];
        let is_used = |encoding: &Encoding| values.contains(encoding) || self.level_encodings.contains(encoding);
        for encoding in self.meta.encodings.iter().filter(|encoding| !usual.contains(encoding) && !is_used(encoding)) {
            out.add(Code::EncodingUnused, place, "", encoding);
        }
    }

    fn encoding_stats(&self, confuses_page_types: bool, place: Spot, out: &mut Recorder) {
        let Some(stats) = &self.meta.encoding_stats else { return };
        let shown = |stats: &[PageEncodingStats]| {
            let mut all: Vec<String> =
                stats.iter().filter(|one| one.count > 0).map(|one| format!("{} {} {}", one.count, one.page_type, one.encoding)).collect();
            all.sort_unstable();
            all.join(", ")
        };
        let used = |((page_type, encoding), count): (&(PageType, Encoding), &i32)| PageEncodingStats {
            page_type: *page_type,
            encoding: *encoding,
            count: *count,
        };
        let used: Vec<PageEncodingStats> = self.used.iter().map(used).collect();
        let (expected, found) = (shown(&used), shown(stats));
        let one_version = |stats: &[PageEncodingStats]| {
            let of = |page_type| if page_type == PageType::DataPageV2 { PageType::DataPage } else { page_type };
            stats.iter().map(|one| PageEncodingStats { page_type: of(one.page_type), ..one.clone() }).collect::<Vec<_>>()
        };
        let versions_only = shown(&one_version(&used)) == shown(&one_version(stats));
        match (expected == found, versions_only) {
            (true, _) => {}
            (false, true) if confuses_page_types => {}
            (false, true) => out.add_as(Severity::Warning, Code::EncodingStats, place, expected, found),
            (false, false) => out.add(Code::EncodingStats, place, expected, found),
        }
    }
}
