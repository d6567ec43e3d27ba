//! One page: decompressed, levels and values decoded to their end, a block at a time.

use std::collections::HashSet;
use std::sync::Arc;

use crate::compression::Decompressor;
use crate::encoding::{Decoder, Dictionary, HybridReader, Piece, unpack32};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{Codec, Encoding, PhysicalType};
use crate::levels::LevelReader;
use crate::limits::Limits;
use crate::metadata::bloom::{BloomFilter, hash};
use crate::metadata::{Order, Value};
use crate::page::{CompressedPage, HeaderKind, Page};
use crate::schema::{Leaf, LogicalType};
use crate::values::{ByteArrays, Values};
use crate::verify::extent::encoded_length;
use crate::verify::facts::Facts;
use crate::verify::frame::failed;
use crate::verify::report::{Code, Recorder};
use crate::verify::sorted::{RowOrder, with_plain};
use crate::verify::spot::Spot;
use crate::write::Geospatial;

/// Entries decoded at a time, so that memory follows this and not what a page claims.
const BLOCK: usize = 1 << 16;

/// Who looks at the values of a chunk beside what is counted of each page.
pub(super) struct Watchers {
    pub(super) bloom: Option<BloomFilter>,
    /// Whether a value was missing from the filter.
    pub(super) bloom_failed: bool,
    /// Hashes of all values, where their number is wanted and they are not too many.
    pub(super) distinct: Option<HashSet<u64>>,
    pub(super) most_distinct: usize,
    pub(super) geospatial: Option<Geospatial>,
    pub(super) comparer: Option<RowOrder>,
}

/// Decodes pages of one chunk.
pub(super) struct PageDecoder<'a> {
    pub(super) leaf: &'a Leaf,
    pub(super) order: Option<Order>,
    pub(super) limits: &'a Limits,
    pub(super) dictionary: Option<Arc<Dictionary>>,
    /// Whether there should be a dictionary that could not be read: what needs it is passed over.
    pub(super) dictionary_lost: bool,
    /// Whether a prefix is carried over from page to page, and the last value then.
    pub(super) carries_prefixes: bool,
    pub(super) last_value: Option<Vec<u8>>,
    pub(super) decompressor: Decompressor,
    pub(super) buffer: Vec<u8>,
    pub(super) watchers: Watchers,
    /// Rows of the chunk have begun.
    pub(super) begun: bool,
    /// Pages have to begin with a row: there is an offset index.
    pub(super) whole_rows: bool,
}

impl PageDecoder<'_> {
    /// Decompresses a page; `None` when that cannot be done.
    pub(super) fn decompress(&mut self, page: &CompressedPage, place: Spot, out: &mut Recorder) -> Option<Page> {
        let claimed = page.uncompressed_size();
        if claimed > self.limits.page_bytes {
            out.add(Code::Limited, place, format!("pages of at most {} bytes", self.limits.page_bytes), claimed);
            return None;
        }
        if page.chunk().codec() == Codec::Uncompressed && page.bytes().len() != claimed {
            out.add(Code::PageSize, place, format!("{} bytes before compression", page.bytes().len()), claimed);
            return None;
        }
        if !out.take_bytes(claimed as u64, place) {
            return None;
        }
        match page.decompress(&mut self.decompressor, std::mem::take(&mut self.buffer)) {
            Ok(page) => Some(page),
            Err(error) => {
                failed(Code::PageDecompress, &error, place, out);
                None
            }
        }
    }

    /// Decodes the dictionary.
    pub(super) fn take_dictionary(&mut self, page: &CompressedPage, place: Spot, out: &mut Recorder) {
        self.dictionary_lost = true;
        let Some(decompressed) = self.decompress(page, place, out) else { return };
        match decompressed.decode_dictionary() {
            Ok(dictionary) => {
                if page.is_sorted() && !self.ascends(dictionary.values()) {
                    out.add(Code::DictionarySorted, place, "", "");
                }
                let (shape, n) = (page.chunk().shape(), page.num_values());
                check_end(encoded_length(Encoding::Plain, shape, decompressed.value_bytes(), n), decompressed.value_bytes(), place, out);
                self.dictionary = Some(Arc::new(dictionary));
                self.dictionary_lost = false;
            }
            Err(error) => failed(Code::DictionaryPage, &error, place, out),
        }
        self.buffer = decompressed.into_buffer();
    }

    fn ascends(&self, values: &Values) -> bool {
        let Some(order) = self.order else { return true };
        let mut before: Option<Vec<u8>> = None;
        (0..values.len()).all(|index| {
            let mut ascends = true;
            with_plain(values, index, |value| {
                let compared = before.as_ref().and_then(|before| order.compare(before, value));
                ascends = compared != Some(std::cmp::Ordering::Greater);
                before = Some(value.to_vec());
            });
            ascends
        })
    }

    /// Decodes a data page and returns what is in it.
    pub(super) fn data_page(&mut self, page: &CompressedPage, place: Spot, out: &mut Recorder) -> Facts {
        let mut facts = Facts::new(self.leaf, self.order);
        let wanted = page.num_values() as u64;
        if let Err(left) = out.take_values(wanted) {
            out.add(Code::Limited, place, format!("at most {left} more values"), wanted);
            facts.complete = false;
            return facts;
        }
        let decoded = match self.decompress(page, place, out) {
            Some(decompressed) => {
                let decoded = self.walk(page, &decompressed, &mut facts, place, out);
                self.buffer = decompressed.into_buffer();
                decoded
            }
            None => Some(false),
        };
        facts.complete = decoded == Some(true);
        if let HeaderKind::V2 { num_rows, num_nulls, .. } = page.header.kind
            && facts.complete
        {
            out.compare(Code::PageRows, place, facts.rows, num_rows as u64);
            if !facts.is_null_count(i64::try_from(num_nulls).unwrap_or(i64::MAX)) {
                out.add(Code::PageNulls, place, facts.missing(), num_nulls);
            }
        }
        facts
    }

    /// Goes through all entries; `None` or `false` when that ended early, which was reported then.
    fn walk(&mut self, page: &CompressedPage, decompressed: &Page, facts: &mut Facts, place: Spot, out: &mut Recorder) -> Option<bool> {
        let n = page.num_values();
        let mut levels = match (decompressed.repetition_reader(), decompressed.definition_reader()) {
            (Ok(repetition), Ok(definition)) => Levels { repetition, definition, page: decompressed, leaf: self.leaf },
            (Err(error), _) | (_, Err(error)) => {
                failed(Code::Levels, &error, place, out);
                return None;
            }
        };
        let needs_dictionary = matches!(page.encoding(), Encoding::RleDictionary | Encoding::PlainDictionary);
        let mut values = match needs_dictionary && self.dictionary_lost {
            true => None,
            false => Some(PageValues::new(self, decompressed, place, out)?),
        };
        let (mut left, mut repetition, mut definition) = (n, Vec::new(), Vec::new());
        while left > 0 {
            let entries = left.min(BLOCK);
            if let Err(error) = levels.next(entries, &mut repetition, &mut definition) {
                failed(Code::Levels, &error, place, out);
                return None;
            }
            if left == n {
                self.check_start(page, repetition.first(), place, out);
            }
            left = left.saturating_sub(entries);
            facts.add_levels(&repetition, &definition, entries);
            if self.leaf.max_definition_level == 0 {
                definition.clear();
                definition.resize(entries, 0);
            }
            match &mut values {
                Some(values) => values.read(self, &definition, facts, place, out)?,
                None => continue,
            }
        }
        let Some(values) = values else { return Some(false) };
        if self.carries_prefixes {
            self.last_value = values.decoder.previous().map(<[u8]>::to_vec);
        } else {
            // With prefixes carried over, lengths say nothing about this page alone.
            let present = usize::try_from(facts.values).unwrap_or(usize::MAX);
            let bytes = decompressed.value_bytes();
            check_end(encoded_length(page.encoding(), page.chunk().shape(), bytes, present), bytes, place, out);
        }
        values.finish(place, out);
        Some(true)
    }

    /// Whether the page begins as it should.
    fn check_start(&mut self, page: &CompressedPage, first: Option<&u8>, place: Spot, out: &mut Recorder) {
        let continues = first.is_some_and(|level| *level != 0);
        if continues && !self.begun {
            out.add(Code::RowStart, place, 0, first.copied().unwrap_or(0));
        } else if continues && (page.is_v2() || self.whole_rows) {
            out.add(Code::PageSplitsRow, place, "a repetition level of 0", first.copied().unwrap_or(0));
        }
        self.begun = true;
    }
}

/// The levels of a page.
struct Levels<'a> {
    repetition: LevelReader,
    definition: LevelReader,
    page: &'a Page,
    leaf: &'a Leaf,
}

impl Levels<'_> {
    /// The next levels, in place of what was in the vectors; none where the maximum is 0.
    fn next(&mut self, entries: usize, repetition: &mut Vec<u8>, definition: &mut Vec<u8>) -> Result<()> {
        repetition.clear();
        definition.clear();
        if self.leaf.max_repetition_level > 0 {
            self.repetition.read(self.page.repetition_bytes(), entries, repetition)?;
        }
        if self.leaf.max_definition_level > 0 {
            self.definition.read(self.page.definition_bytes(), entries, definition)?;
        }
        Ok(())
    }
}

/// The values of a page.
struct PageValues<'p> {
    decoder: Box<dyn Decoder>,
    page: &'p Page,
    not_text: u64,
}

impl<'p> PageValues<'p> {
    fn new(chunk: &PageDecoder<'_>, page: &'p Page, place: Spot, out: &mut Recorder) -> Option<Self> {
        match page.decoder(chunk.dictionary.as_ref()) {
            Ok(mut decoder) => {
                if let Some(last) = &chunk.last_value {
                    decoder.set_previous(last);
                }
                Some(Self { decoder, page, not_text: 0 })
            }
            Err(error) => {
                chunk.values_failed(page, &error, place, out);
                None
            }
        }
    }

    /// Decodes the values of the next entries, whose definition levels these are.
    fn read(&mut self, chunk: &mut PageDecoder<'_>, definition: &[u8], facts: &mut Facts, place: Spot, out: &mut Recorder) -> Option<()> {
        let max = chunk.leaf.max_definition_level;
        let mut left = definition.iter().filter(|level| **level == max).count();
        let mut entries = definition;
        while left > 0 {
            let mut values = chunk.container();
            let read = self.decoder.read(self.page.value_bytes(), left.min(chunk.block()), &mut values);
            let read = read.and_then(|read| match read {
                0 => Err(Error::limit("one value takes more than Limits::page_bytes")),
                read => Ok(read),
            });
            match read {
                Ok(read) => left = left.saturating_sub(read),
                Err(error) => {
                    chunk.values_failed(self.page, &error, place, out);
                    return None;
                }
            }
            if let Err(left) = out.take_values(data_bytes(&values) / BYTES_OF_VALUE) {
                out.add(Code::Limited, place, format!("at most {} more bytes of values", left.saturating_mul(BYTES_OF_VALUE)), "");
                return None;
            }
            let taken = if left == 0 { entries.len() } else { entries_of(entries, max, values.len()) };
            let (now, later) = entries.split_at_checked(taken)?;
            entries = later;
            self.watch(chunk, now, &values, facts, place, out);
        }
        if !entries.is_empty() {
            self.watch(chunk, entries, &chunk.container(), facts, place, out);
        }
        Some(())
    }

    fn watch(
        &mut self,
        chunk: &mut PageDecoder<'_>,
        definition: &[u8],
        values: &Values,
        facts: &mut Facts,
        place: Spot,
        out: &mut Recorder,
    ) {
        facts.add_values(values);
        out.report.values = out.report.values.saturating_add(values.len() as u64);
        if is_text(chunk.leaf) {
            self.not_text = self.not_text.saturating_add(not_text(values));
        }
        let max = chunk.leaf.max_definition_level;
        let watchers = &mut chunk.watchers;
        if let Some(comparer) = &mut watchers.comparer {
            comparer.add(definition, max, values);
        }
        if watchers.bloom.is_none() && watchers.distinct.is_none() && watchers.geospatial.is_none() {
            return;
        }
        for index in 0..values.len() {
            with_plain(values, index, |value| watchers.see(chunk.leaf, value, place, out));
        }
    }

    fn finish(&self, place: Spot, out: &mut Recorder) {
        if self.not_text > 0 {
            out.add(Code::Utf8, place, "UTF-8", format!("{} values that are not", self.not_text));
        }
    }
}

impl Watchers {
    fn see(&mut self, leaf: &Leaf, value: &[u8], place: Spot, out: &mut Recorder) {
        if let Some(geospatial) = &mut self.geospatial {
            geospatial.add(value);
        }
        if self.bloom.is_none() && self.distinct.is_none() {
            return;
        }
        let hash = hash(value);
        if let Some(bloom) = self.bloom.as_ref().filter(|_| !self.bloom_failed)
            && !bloom.may_contain_hash(hash)
        {
            self.bloom_failed = true;
            let shown = Value::from_plain(leaf.physical_type, value).map(|value| value.display(leaf.logical_type.as_ref()).to_string());
            out.add(Code::BloomFilterValue, place, format!("that it may have {}", shown.unwrap_or_default()), "that it has not");
        }
        if let Some(distinct) = &mut self.distinct {
            distinct.insert(hash);
        }
        if self.distinct.as_ref().is_some_and(|distinct| distinct.len() > self.most_distinct) {
            self.distinct = None;
            out.add(Code::Limited, place, format!("at most {} different values, to count them", self.most_distinct), "");
        }
    }
}

impl PageDecoder<'_> {
    /// An empty container, in which byte arrays have room for a page.
    fn container(&self) -> Values {
        match self.leaf.physical_type {
            PhysicalType::ByteArray => Values::Bytes(ByteArrays::with_limit(self.limits.page_bytes.min(self.limits.batch_bytes))),
            other => Values::new(other, self.leaf.type_length),
        }
    }

    /// How many values are decoded at a time, where the schema says how long they are.
    fn block(&self) -> usize {
        match self.leaf.physical_type {
            PhysicalType::FixedLenByteArray => {
                self.limits.page_bytes.checked_div(self.leaf.type_length).map_or(BLOCK, |block| block.max(1))
            }
            _ => BLOCK,
        }
    }

    /// Reports that values cannot be decoded; an index outside of the dictionary has a code of its own.
    fn values_failed(&self, page: &Page, error: &Error, place: Spot, out: &mut Recorder) {
        let needs_dictionary = matches!(page.encoding(), Encoding::RleDictionary | Encoding::PlainDictionary);
        if let (true, Some(dictionary), ErrorKind::Malformed) = (needs_dictionary, &self.dictionary, error.kind())
            && let Some(index) = index_outside(page.value_bytes(), dictionary.len())
        {
            out.add(Code::DictionaryIndex, place, format!("indices below {}", dictionary.len()), index);
            return;
        }
        failed(Code::Values, error, place, out);
    }
}

/// The first index that no dictionary of `length` entries has.
fn index_outside(page: &[u8], length: usize) -> Option<u32> {
    let width = usize::from(*page.first()?);
    let mut runs = HybridReader::new(1, width).ok()?;
    let mut block = [0; BLOCK / 64];
    while let Ok(Some(piece)) = runs.next(page, block.len()) {
        let outside = match piece {
            Piece::Repeated { value, .. } => Some(value).filter(|value| *value as usize >= length),
            Piece::Packed { bytes, start, count } => {
                let block = block.get_mut(..count)?;
                unpack32(bytes, start, width, block);
                block.iter().copied().find(|value| *value as usize >= length)
            }
        };
        if outside.is_some() {
            return outside;
        }
    }
    None
}

/// How many of the entries the first `values` values end.
fn entries_of(definition: &[u8], max: u8, values: usize) -> usize {
    let mut seen = 0_usize;
    let end = definition.iter().position(|level| {
        seen = seen.saturating_add(usize::from(*level == max));
        seen == values
    });
    end.map_or(definition.len(), |last| last.saturating_add(1))
}

/// How long a value can be that counts as one.
const BYTES_OF_VALUE: u64 = 16;

/// Bytes of values that can be of any length.
fn data_bytes(values: &Values) -> u64 {
    match values {
        Values::Bytes(arrays) => arrays.data().len() as u64,
        Values::Fixed(fixed) => fixed.data().len() as u64,
        _ => 0,
    }
}

fn check_end(length: Option<usize>, bytes: &[u8], place: Spot, out: &mut Recorder) {
    if let Some(length) = length.filter(|length| *length < bytes.len()) {
        out.add(Code::TrailingBytes, place, format!("{length} bytes"), format!("{} bytes", bytes.len()));
    }
}

fn is_text(leaf: &Leaf) -> bool {
    matches!(leaf.logical_type, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json))
}

/// How many values are not UTF-8.
fn not_text(values: &Values) -> u64 {
    let Values::Bytes(arrays) = values else { return 0 };
    // All at once first: what is text as a whole and cut between characters is text in each of its parts.
    if let Ok(text) = std::str::from_utf8(arrays.data())
        && arrays.offsets().iter().all(|offset| usize::try_from(*offset).is_ok_and(|offset| text.is_char_boundary(offset)))
    {
        return 0;
    }
    arrays.iter().filter(|value| std::str::from_utf8(value).is_err()).count() as u64
}
