//! One leaf column of one row group: values and levels in, an encoded column chunk out.

use std::borrow::Cow;
use std::sync::Arc;

use crate::compression::Compressor;
use crate::encoding::Dictionary;
use crate::error::{Error, Result};
use crate::format::{ColumnMetaData, Encoding, KeyValue, PageEncodingStats, PageType};
use crate::metadata::BloomFilter;
use crate::values::{Values, ValuesSlice};
use crate::write::bounds::Bounds;
use crate::write::chunk::{WrittenChunk, empty_meta};
use crate::write::chunker::Chunker;
use crate::write::levels::{Checked, LevelCounts, LevelsSlice, PageLevels};
use crate::write::page::{BegunPage, DataPage, PageWriter};
use crate::write::settings::{LeafSettings, WritePlan};
use crate::write::sorted::RowComparer;
use crate::write::statistics::{PageRecord, WrittenBounds, column_index, size_statistics, statistics};
use crate::write::values::{ChunkValues, Given, ValueWriter, gather, hash_all};
use crate::write::{PageVersion, StatisticsLevel};

/// Encodes one leaf column of one row group. It holds all that it needs, so that any thread can do it.
///
/// ```
/// use std::sync::Arc;
/// use herringbone::schema::Schema;
/// use herringbone::values::ValuesSlice;
/// use herringbone::write::{LeafWriter, LevelsSlice, WritePlan, WriterOptions};
///
/// let schema: Schema = "message m { required int64 id; }".parse()?;
/// let plan = WritePlan::new(Arc::new(schema), WriterOptions::default())?;
/// let mut leaf = LeafWriter::new(&plan, 0)?;
/// leaf.write(ValuesSlice::Words64(&[1, 2, 3]), LevelsSlice::Present)?;
/// let chunk = leaf.finish()?;
/// assert_eq!((chunk.num_rows(), chunk.num_pages()), (3, 1));
/// # Ok::<(), herringbone::Error>(())
/// ```
pub struct LeafWriter {
    settings: Arc<LeafSettings>,
    values: ValueWriter,
    levels: PageLevels,
    pages: PageWriter,
    /// Values of the page, and its byte arrays' bytes.
    page_values: usize,
    page_byte_array_bytes: usize,
    page_bounds: Option<Bounds>,
    bounds: Option<Bounds>,
    comparer: Option<RowComparer>,
    chunker: Option<Chunker>,
    /// Pages that ended before there was a value.
    leading: Leading,
    /// The finished data pages.
    data: Vec<u8>,
    records: Vec<PageRecord>,
    encodings: Vec<(Encoding, i32)>,
    /// Rows of the pages in `data`.
    rows: u64,
    uncompressed: u64,
    failed: bool,
}

/// Pages without values before the first page that has some: it tells how they are encoded.
#[derive(Default)]
struct Leading {
    pages: Vec<(BegunPage, LevelCounts)>,
    rows: u64,
    /// About what they will take in the file.
    bytes: usize,
}

/// About the bytes of a page header.
const HEADER_BYTES: usize = 40;

/// What is known of a page when its levels and values are encoded.
struct EncodedPage<'a> {
    counts: LevelCounts,
    encoding: Encoding,
    values: usize,
    byte_array_bytes: usize,
    bounds: Option<&'a Bounds>,
}

impl LeafWriter {
    /// An encoder of the leaf column `leaf` for one row group.
    ///
    /// # Errors
    /// `Usage` when the schema has no such column.
    pub fn new(plan: &WritePlan, leaf: usize) -> Result<Self> {
        let settings = Arc::clone(plan.leaf(leaf)?);
        let bounds = settings.order.filter(|_| settings.statistics != StatisticsLevel::None).map(Bounds::new);
        let sorted = settings.sorted.zip(settings.order);
        Ok(Self {
            values: ValueWriter::new(Arc::clone(&settings))?,
            levels: PageLevels::new(&settings.leaf),
            pages: PageWriter::new(Compressor::new(settings.compression)?, settings.crc),
            page_values: 0,
            page_byte_array_bytes: 0,
            page_bounds: bounds.clone(),
            bounds,
            comparer: sorted.map(|(sorted, order)| RowComparer::new(order, sorted)),
            chunker: settings.chunking.as_ref().map(Chunker::new),
            leading: Leading::default(),
            data: Vec::new(),
            records: Vec::new(),
            encodings: Vec::new(),
            rows: 0,
            uncompressed: 0,
            failed: false,
            settings,
        })
    }

    /// Says how many rows the chunk will have, where that is known and not the options' number: whether a dictionary pays
    /// depends on it.
    pub fn expect_rows(&mut self, rows: u64) {
        self.values.expect_rows(rows);
    }

    /// The number of rows so far.
    pub fn num_rows(&self) -> u64 {
        self.rows + self.leading.rows + self.levels.rows() as u64
    }

    /// About how many bytes the chunk would have if it were finished now.
    pub fn encoded_size(&self) -> usize {
        self.data.len() + self.leading.bytes + self.values.page_size() + self.levels.memory()
    }

    /// About how many bytes of memory the writer takes.
    pub fn memory_size(&self) -> usize {
        let pages = self.records.len() + self.leading.pages.len();
        self.data.capacity() + self.leading.bytes + self.pages.memory() + self.values.memory() + self.levels.memory() + pages * 200
    }

    /// Writes whole rows: `values` are those that are not null, `levels` tell where they are.
    ///
    /// # Errors
    /// `Usage` when the values have another shape than the column, or the levels do not fit it; `Limit` when one row takes
    /// more than 2 GiB. After an error the writer refuses to go on.
    pub fn write(&mut self, values: ValuesSlice<'_>, levels: LevelsSlice<'_>) -> Result<()> {
        self.guarded(|writer| {
            writer.check_shape(values)?;
            writer.write_given(Given::Values(values), levels)
        })
    }

    /// Writes whole rows whose values are entries of a dictionary, without expanding them: `indices` are those of values that
    /// are not null.
    ///
    /// # Errors
    /// As for [`write`](Self::write), and `Usage` when an index is outside of the dictionary.
    pub fn write_indices(&mut self, indices: &[u32], dictionary: &Arc<Dictionary>, levels: LevelsSlice<'_>) -> Result<()> {
        self.guarded(|writer| {
            writer.check_shape(dictionary.values().as_slice())?;
            if matches!(dictionary.values(), Values::Bytes(_) | Values::Fixed(_)) {
                return writer.write_given(Given::Indices(indices, dictionary), levels);
            }
            let values = gather(dictionary.values(), indices)?;
            writer.write_given(Given::Values(values.as_slice()), levels)
        })
    }

    /// Ends the chunk.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub fn finish(mut self) -> Result<WrittenChunk> {
        self.guarded(|writer| {
            writer.decide(true)?;
            if writer.levels.entries() > 0 {
                writer.end_page()?;
            }
            writer.write_leading()
        })?;
        let place = Arc::clone(&self.settings);
        self.into_chunk().map_err(|error| error.in_column(place.leaf.path.dotted()))
    }

    /// Runs a step that makes the writer unusable when it fails, and names the column then.
    fn guarded<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.failed {
            return Err(Error::usage("an error came before: the column chunk cannot be completed"));
        }
        let done = step(self);
        self.failed = done.is_err();
        done.map_err(|error| error.in_column(self.settings.leaf.path.dotted()))
    }

    fn check_shape(&self, values: ValuesSlice<'_>) -> Result<()> {
        let shape = self.settings.shape;
        let fits = match (values, Values::new(shape.physical_type, shape.width)) {
            (ValuesSlice::Fixed(fixed), Values::Fixed(own)) => fixed.width() == own.width(),
            (ValuesSlice::Words32(_), Values::Words32(_))
            | (ValuesSlice::Words64(_), Values::Words64(_))
            | (ValuesSlice::Bits(_), Values::Bits(_))
            | (ValuesSlice::Bytes(_), Values::Bytes(_)) => true,
            _ => false,
        };
        if fits { Ok(()) } else { Err(crate::encoding::wrong_values()) }
    }

    fn write_given(&mut self, given: Given<'_>, levels: LevelsSlice<'_>) -> Result<()> {
        let levels = Checked::new(levels, &self.settings.leaf, given.len())?;
        let cuts = self.chunker.as_mut().map(|chunker| chunker.cuts(given, &levels)).unwrap_or_default();
        let mut cuts = cuts.into_iter().peekable();
        let (mut entry, mut value) = (0, 0);
        while entry < levels.entries {
            if cuts.next_if_eq(&entry).is_some() && self.levels.entries() > 0 {
                self.end_page()?;
            }
            let mut rows = self.settings.page_rows.saturating_sub(self.levels.rows());
            if let Some(cut) = cuts.peek() {
                rows = rows.min(levels.rows(entry, *cut));
            }
            let (piece, values) = self.fitting(given, &levels, entry, value, rows);
            let Some((end, rows)) = piece else {
                self.end_page()?;
                continue;
            };
            let values = given.slice(value, value + values).ok_or_else(|| Error::usage("fewer values than the levels tell"))?;
            if !self.values.write(values, self.page_bounds.as_mut())? {
                self.leave_dictionary()?;
                continue;
            }
            if let Some(comparer) = &mut self.comparer {
                comparer.add(values, &levels, entry, end);
            }
            self.levels.add(&levels, entry, end, rows);
            self.page_values += values.len();
            self.page_byte_array_bytes += values.byte_array_bytes();
            (entry, value) = (end, value + values.len());
            self.decide(false)?;
            if self.levels.rows() >= self.settings.page_rows || self.values.page_size() >= self.settings.page_bytes {
                self.end_page()?;
            }
        }
        Ok(())
    }

    /// Which of the next entries go into the page together: where they end, how many rows and how many values they have.
    /// No entries when the page is too full for a row.
    fn fitting(&self, given: Given<'_>, levels: &Checked<'_>, entry: usize, value: usize, rows: usize) -> (Option<(usize, usize)>, usize) {
        let mut wanted = rows;
        loop {
            let (end, rows) = levels.row_end(entry, wanted);
            let values = levels.values(entry, end);
            let bytes = given.slice(value, value + values).map_or(0, |piece| piece.byte_array_bytes());
            let fits = self.values.fitting(values, bytes, self.settings.page_bytes).min(self.values.room());
            if fits >= values {
                return (Some((end, rows)), values);
            }
            if rows <= 1 {
                // A row that is larger than a page gets a page of its own.
                let alone = self.levels.rows() == 0 || self.values.room() < values;
                return (alone.then_some((end, rows)), values);
            }
            wanted = (rows as u128 * fits as u128 / values as u128).clamp(1, rows as u128 - 1) as usize;
        }
    }

    fn decide(&mut self, last: bool) -> Result<()> {
        if !self.values.decide(last, self.num_rows(), self.page_bounds.as_mut())? {
            self.leave_dictionary()?;
        }
        Ok(())
    }

    /// Goes on without the dictionary from a new page on.
    fn leave_dictionary(&mut self) -> Result<()> {
        if self.levels.entries() > 0 {
            self.end_page()?;
        }
        self.values.leave_dictionary()
    }

    /// Ends the page that is being filled.
    fn end_page(&mut self) -> Result<()> {
        let counts = self.levels.counts();
        if self.values.awaits_first() {
            self.pages.begin(&self.levels, self.settings.page_version)?;
            let page = self.pages.set_aside();
            self.leading.bytes += page.len() + HEADER_BYTES;
            self.leading.rows += counts.rows as u64;
            self.leading.pages.push((page, counts));
        } else {
            self.write_leading()?;
            let page = self.pages.begin(&self.levels, self.settings.page_version)?;
            let encoding = self.values.finish_page(page, self.page_bounds.as_mut());
            let mut bounds = self.page_bounds.take();
            let (values, byte_array_bytes) = (self.page_values, self.page_byte_array_bytes);
            self.append(EncodedPage { counts, encoding, values, byte_array_bytes, bounds: bounds.as_ref() })?;
            if let Some(bounds) = &mut bounds {
                bounds.clear();
            }
            self.page_bounds = bounds;
        }
        self.page_values = 0;
        self.page_byte_array_bytes = 0;
        self.levels.clear();
        Ok(())
    }

    /// Writes the pages that ended before there was a value.
    fn write_leading(&mut self) -> Result<()> {
        if self.leading.pages.is_empty() {
            return Ok(());
        }
        // No page was written before, and so nothing is in these bounds.
        let bounds = self.bounds.clone();
        for (page, counts) in std::mem::take(&mut self.leading).pages {
            let encoding = self.values.finish_leading_page(self.pages.resume(&page));
            self.append(EncodedPage { counts, encoding, values: 0, byte_array_bytes: 0, bounds: bounds.as_ref() })?;
        }
        Ok(())
    }

    /// Appends the page that the page writer has.
    fn append(&mut self, page: EncodedPage<'_>) -> Result<()> {
        let EncodedPage { counts, encoding, values, byte_array_bytes, bounds: page_bounds } = page;
        let settings = &self.settings;
        let nulls = counts.entries - values;
        let bounds = page_bounds.and_then(|bounds| WrittenBounds::new(bounds, settings));
        let nans = page_bounds.and_then(Bounds::nans);
        let in_header = (settings.statistics == StatisticsLevel::Page).then(|| statistics(bounds.clone(), nulls as u64, nans, None));
        let (entries, rows) = (counts.entries, counts.rows);
        let header = DataPage { version: settings.page_version, encoding, entries, rows, nulls, statistics: in_header };
        let offset = self.data.len() as u64;
        let size = self.pages.end(header, &mut self.data)?;
        self.records.push(PageRecord {
            offset,
            size: i32::try_from(size.compressed).map_err(|_| Error::limit("a page of more than 2 GiB"))?,
            first_row: self.rows,
            entries: entries as u64,
            nulls: nulls as u64,
            nans,
            bounds,
            byte_array_bytes: byte_array_bytes as u64,
            repetition_histogram: counts.repetition_histogram,
            definition_histogram: counts.definition_histogram,
        });
        match self.encodings.iter_mut().find(|(known, _)| *known == encoding) {
            Some((_, count)) => *count += 1,
            None => self.encodings.push((encoding, 1)),
        }
        if let (Some(bounds), Some(page)) = (&mut self.bounds, page_bounds) {
            bounds.merge(page);
        }
        self.rows += rows as u64;
        self.uncompressed += size.uncompressed as u64;
        Ok(())
    }

    fn into_chunk(mut self) -> Result<WrittenChunk> {
        let values = self.values.finish();
        let mut dictionary = Vec::new();
        let mut distinct = None;
        if let Some(builder) = &values.dictionary {
            let size = self.pages.dictionary(builder.len(), |out| builder.write_page(out), &mut dictionary)?;
            self.uncompressed += size.uncompressed as u64;
            distinct = values.all_in_dictionary.then_some(builder.len() as u64);
        }
        let settings = &self.settings;
        let nulls = self.records.iter().map(|page| page.nulls).sum();
        let nans = self.bounds.as_ref().and_then(Bounds::nans);
        let bounds = self.bounds.as_ref().and_then(|bounds| WrittenBounds::new(bounds, settings));
        let has_statistics = settings.statistics != StatisticsLevel::None;
        let distinct = distinct.filter(|_| settings.distinct_counts);
        let compressed = (dictionary.len() + self.data.len()) as i64;
        let has_dictionary = values.dictionary.is_some();
        let meta = ColumnMetaData {
            physical_type: settings.shape.physical_type,
            encodings: all_encodings(&self.encodings, has_dictionary),
            path_in_schema: settings.leaf.path.parts().map(|name| Cow::Owned(name.to_owned())).collect(),
            codec: settings.compression.codec(),
            num_values: self.records.iter().map(|page| page.entries as i64).sum(),
            total_uncompressed_size: self.uncompressed as i64,
            total_compressed_size: compressed,
            key_value_metadata: key_values(&settings.key_values),
            statistics: has_statistics.then(|| statistics(bounds, nulls, nans, distinct)),
            encoding_stats: Some(encoding_stats(&self.encodings, has_dictionary, settings.page_version)),
            size_statistics: Some(size_statistics(&self.records, settings)),
            ..empty_meta()
        };
        let bloom_filter = bloom_filter(settings, &values)?;
        Ok(WrittenChunk {
            leaf: settings.leaf.index,
            rows: self.rows,
            dictionary,
            column_index: column_index(&self.records, settings)?,
            data: self.data,
            pages: self.records,
            meta: ColumnMetaData { geospatial_statistics: values.geospatial.and_then(|found| found.finish()), ..meta },
            has_offset_index: settings.offset_index,
            bloom_filter,
            row_order: self.comparer.map(RowComparer::finish),
        })
    }
}

impl std::fmt::Debug for LeafWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LeafWriter")
            .field("column", &self.settings.leaf.path)
            .field("rows", &self.num_rows())
            .field("pages", &self.records.len())
            .finish_non_exhaustive()
    }
}

/// Every encoding in the chunk, levels included.
fn all_encodings(of_pages: &[(Encoding, i32)], has_dictionary: bool) -> Vec<Encoding> {
    let mut all = Vec::new();
    let dictionary_page = has_dictionary.then_some(Encoding::Plain);
    for encoding in dictionary_page.into_iter().chain([Encoding::Rle]).chain(of_pages.iter().map(|(encoding, _)| *encoding)) {
        if !all.contains(&encoding) {
            all.push(encoding);
        }
    }
    all
}

fn encoding_stats(of_pages: &[(Encoding, i32)], has_dictionary: bool, version: PageVersion) -> Vec<PageEncodingStats> {
    let page_type = match version {
        PageVersion::V1 => PageType::DataPage,
        PageVersion::V2 => PageType::DataPageV2,
    };
    let dictionary = PageEncodingStats { page_type: PageType::DictionaryPage, encoding: Encoding::Plain, count: 1 };
    let pages = of_pages.iter().map(|&(encoding, count)| PageEncodingStats { page_type, encoding, count });
    has_dictionary.then_some(dictionary).into_iter().chain(pages).collect()
}

pub(crate) fn key_values(entries: &[(String, Option<String>)]) -> Option<Vec<KeyValue<'static>>> {
    let entry = |(key, value): &(String, Option<String>)| KeyValue { key: Cow::Owned(key.clone()), value: value.clone().map(Cow::Owned) };
    (!entries.is_empty()).then(|| entries.iter().map(entry).collect())
}

/// The bloom filter of all values: from the dictionary's entries, and from the hashes of those that are in none.
fn bloom_filter(settings: &LeafSettings, values: &ChunkValues) -> Result<Option<Vec<u8>>> {
    let Some(options) = settings.bloom_filter else { return Ok(None) };
    let mut hashes = Vec::new();
    if let Some(builder) = &values.dictionary {
        hash_all(builder.entries().as_slice(), &mut hashes);
    }
    let most = (hashes.len() + values.hashes.len()) as u64;
    let mut filter = BloomFilter::with_fpp(options.distinct_values.unwrap_or(most), options.false_positives)?;
    hashes.iter().chain(&values.hashes).for_each(|hash| filter.insert_hash(*hash));
    if options.distinct_values.is_none() {
        filter.fold(options.false_positives);
    }
    filter.to_bytes().map(Some)
}
