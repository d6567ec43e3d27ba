//! The values of a column chunk on their way into pages: through a dictionary as long as it pays, else directly.

use std::sync::Arc;

use crate::encoding::{Dictionary, DictionaryBuilder, Encoder, encoder, write_indices};
use crate::error::{Error, Result};
use crate::format::Encoding;
use crate::metadata::bloom;
use crate::values::{Bits, ByteArrays, FixedBytes, Values, ValuesSlice};
use crate::write::StatisticsLevel;
use crate::write::bounds::Bounds;
use crate::write::choose::{Sample, dictionary_pays};
use crate::write::geospatial::Geospatial;
use crate::write::settings::LeafSettings;

/// After so many values it is decided for or against the dictionary.
const SAMPLE: usize = 8192;

/// Values as they are given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    Values(ValuesSlice<'a>),
    /// Indices into a dictionary of byte arrays.
    Indices(&'a [u32], &'a Arc<Dictionary>),
}

impl<'a> Given<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Given::Values(values) => values.len(),
            Given::Indices(indices, _) => indices.len(),
        }
    }

    pub(crate) fn slice(&self, start: usize, end: usize) -> Option<Self> {
        Some(match self {
            Given::Values(values) => Given::Values(values.slice(start..end)?),
            Given::Indices(indices, dictionary) => Given::Indices(indices.get(start..end)?, dictionary),
        })
    }

    /// A value in plain encoding, byte arrays without their length; `word` lends the memory for numbers.
    pub(crate) fn plain<'v>(&'v self, index: usize, word: &'v mut [u8; 8]) -> &'v [u8] {
        match self {
            Given::Values(ValuesSlice::Words32(words)) => {
                let (low, _) = word.split_at_mut(4);
                low.copy_from_slice(&words.get(index).copied().unwrap_or_default().to_le_bytes());
                low
            }
            Given::Values(ValuesSlice::Words64(words)) => {
                *word = words.get(index).copied().unwrap_or_default().to_le_bytes();
                word
            }
            Given::Values(ValuesSlice::Bits(bits)) => {
                let bit = bits.slice(index..index + 1).is_some_and(|bit| bit.count_ones() == 1);
                if bit { &[1] } else { &[0] }
            }
            Given::Values(ValuesSlice::Bytes(arrays)) => arrays.get(index).unwrap_or_default(),
            Given::Values(ValuesSlice::Fixed(fixed)) => fixed.get(index).unwrap_or_default(),
            Given::Indices(indices, dictionary) => {
                let entry = indices.get(index).copied().unwrap_or_default() as usize;
                match dictionary.values() {
                    Values::Bytes(entries) => entries.get(entry).unwrap_or_default(),
                    Values::Fixed(entries) => entries.get(entry).unwrap_or_default(),
                    _ => &[],
                }
            }
        }
    }

    /// The bytes of byte arrays without their lengths; 0 for other types.
    pub(crate) fn byte_array_bytes(&self) -> usize {
        match self {
            Given::Values(ValuesSlice::Bytes(arrays)) => arrays.bytes().len(),
            Given::Values(_) => 0,
            Given::Indices(indices, dictionary) => match dictionary.values() {
                Values::Bytes(entries) => indices.iter().map(|index| entries.get(*index as usize).map_or(0, <[u8]>::len)).sum(),
                _ => 0,
            },
        }
    }
}

/// Encodes the values of one column chunk, page after page.
pub(crate) struct ValueWriter {
    settings: Arc<LeafSettings>,
    state: State,
    /// How many rows the chunk will have, as far as is known.
    expected_rows: u64,
    /// Values of the chunk, and those of pages that are finished.
    seen: usize,
    in_pages: usize,
    /// Bytes of the largest page without a dictionary: its encoder keeps the memory.
    largest: usize,
    /// Entries that half of the sample had.
    distinct_in_half: usize,
    /// The dictionary of finished pages, once values go without it.
    left: Option<DictionaryBuilder>,
    /// Hashes of the values that are in no dictionary, for the bloom filter.
    hashes: Vec<u64>,
    geospatial: Option<Geospatial>,
}

enum State {
    Dictionary(Box<Interned>),
    Direct(Encoding, Box<dyn Encoder>),
}

/// Values in a dictionary.
struct Interned {
    builder: DictionaryBuilder,
    /// Whether it was decided for the dictionary.
    decided: bool,
    /// Those of the page.
    indices: Vec<u32>,
    /// The last page that each entry was in, to look at it once a page.
    stamps: Vec<u32>,
    page: u32,
    /// What a dictionary that was given became here.
    translation: Option<(Arc<Dictionary>, Vec<u32>)>,
}

/// An entry of a given dictionary that has no index here yet.
const UNKNOWN: u32 = u32::MAX;

/// What remains of a chunk's values when all pages are written.
pub(crate) struct ChunkValues {
    /// The dictionary, if a page uses it.
    pub(crate) dictionary: Option<DictionaryBuilder>,
    /// Whether it has all values.
    pub(crate) all_in_dictionary: bool,
    /// The hashes of all others; empty when no bloom filter is wanted.
    pub(crate) hashes: Vec<u64>,
    pub(crate) geospatial: Option<Geospatial>,
}

impl ValueWriter {
    pub(crate) fn new(settings: Arc<LeafSettings>) -> Result<Self> {
        let state = match settings.values.dictionary {
            Some(most_bytes) => State::Dictionary(Box::new(Interned {
                builder: DictionaryBuilder::new(settings.shape, usize::MAX, most_bytes)?,
                decided: settings.values.forced,
                indices: Vec::new(),
                stamps: Vec::new(),
                page: 0,
                translation: None,
            })),
            None => direct(&settings, None)?,
        };
        let geography = matches!(settings.leaf.logical_type, Some(crate::schema::LogicalType::Geography { .. }));
        let wanted = settings.is_geospatial() && settings.statistics != StatisticsLevel::None;
        let geospatial = wanted.then(|| Geospatial::new(geography));
        Ok(Self {
            expected_rows: settings.expected_rows,
            settings,
            state,
            seen: 0,
            in_pages: 0,
            largest: 0,
            distinct_in_half: 0,
            left: None,
            hashes: Vec::new(),
            geospatial,
        })
    }

    pub(crate) fn expect_rows(&mut self, rows: u64) {
        self.expected_rows = rows;
    }

    /// How many values may come before something is to be decided.
    pub(crate) fn room(&self) -> usize {
        match &self.state {
            State::Dictionary(interned) if !interned.decided => {
                let next = if self.seen < SAMPLE / 2 { SAMPLE / 2 } else { SAMPLE };
                next - self.seen.min(next - 1)
            }
            _ => usize::MAX,
        }
    }

    /// How many values of about `bytes` bytes in all fit a page, judged by `n` of them that have `byte_array_bytes`.
    pub(crate) fn fitting(&self, n: usize, byte_array_bytes: usize, bytes: usize) -> usize {
        let room = bytes.saturating_sub(self.page_size()) as u128 * 8;
        let bits = match &self.state {
            State::Dictionary(interned) => (n * index_bits(interned.builder.len())) as u128,
            State::Direct(..) => match self.settings.shape.fixed_width() {
                Some(width) => (n * width * 8) as u128,
                None if byte_array_bytes > 0 => (byte_array_bytes + n * 4) as u128 * 8,
                None => n as u128,
            },
        };
        if bits <= room { n } else { (n as u128 * room / bits) as usize }
    }

    /// About how many bytes the page has.
    pub(crate) fn page_size(&self) -> usize {
        match &self.state {
            State::Dictionary(interned) => interned.indices.len() * index_bits(interned.builder.len()) / 8,
            State::Direct(_, encoder) => encoder.size_estimate(),
        }
    }

    /// About how much memory it all takes.
    pub(crate) fn memory(&self) -> usize {
        let state = match &self.state {
            State::Dictionary(interned) => interned.builder.page_size() * 2 + interned.indices.len() * 4,
            // What grows as it is filled has room for up to twice as much.
            State::Direct(_, encoder) => encoder.size_estimate().max(self.largest) * 2,
        };
        state + self.left.as_ref().map_or(0, DictionaryBuilder::page_size) + self.hashes.len() * 8
    }

    /// Adds values to the page, and to its bounds as far as they are not told from the dictionary at its end. `false` when
    /// the dictionary is full: then nothing was added, the page is to be ended, and values come again after
    /// [`leave_dictionary`](Self::leave_dictionary).
    pub(crate) fn write(&mut self, given: Given<'_>, bounds: Option<&mut Bounds>) -> Result<bool> {
        match &mut self.state {
            State::Dictionary(interned) => {
                if !interned.intern(given)? {
                    return Ok(false);
                }
                if let (Given::Values(values @ (ValuesSlice::Words32(_) | ValuesSlice::Words64(_))), Some(bounds)) = (given, bounds) {
                    bounds.add(values);
                }
            }
            State::Direct(_, encoder) => match given {
                Given::Values(values) => {
                    encoder.write(values)?;
                    self.observe(values, bounds);
                }
                Given::Indices(indices, dictionary) => {
                    let values = gather(dictionary.values(), indices)?;
                    encoder.write(values.as_slice())?;
                    self.observe(values.as_slice(), bounds);
                }
            },
        }
        self.seen += given.len();
        Ok(true)
    }

    /// Looks at values that go into no dictionary.
    fn observe(&mut self, values: ValuesSlice<'_>, bounds: Option<&mut Bounds>) {
        if let Some(bounds) = bounds {
            bounds.add(values);
        }
        if self.settings.bloom_filter.is_some() {
            hash_all(values, &mut self.hashes);
        }
        if let (Some(geospatial), ValuesSlice::Bytes(arrays)) = (&mut self.geospatial, values) {
            arrays.iter().for_each(|value| geospatial.add(value));
        }
    }

    /// Decides for or against the dictionary when there are values enough, or no more to come. Where it does not pay, the
    /// values of the page are taken out of it again. `false` when finished pages use it: then the page is to be ended before
    /// [`leave_dictionary`](Self::leave_dictionary). `rows` are those that the chunk has so far.
    pub(crate) fn decide(&mut self, last: bool, rows: u64, bounds: Option<&mut Bounds>) -> Result<bool> {
        let State::Dictionary(interned) = &mut self.state else { return Ok(true) };
        if self.seen <= SAMPLE / 2 {
            self.distinct_in_half = interned.builder.len();
        }
        // At the end there is nothing to gain if pages use the dictionary already.
        if interned.decided || self.seen < SAMPLE && !last || last && self.in_pages > 0 {
            return Ok(true);
        }
        let Some(most_bytes) = self.settings.values.dictionary else { return Ok(true) };
        // Pages that were cut so early took their indices along: the values of the current page stand for all.
        let values = match interned.indices.is_empty() {
            true => interned.last_entries()?,
            false => gather(interned.builder.entries(), &interned.indices)?,
        };
        let (encoding, direct_bytes) = smallest(&self.settings, values.as_slice())?;
        let sample = Sample {
            values: self.seen,
            distinct: interned.builder.len(),
            distinct_in_half: self.distinct_in_half,
            dictionary_bytes: interned.builder.page_size(),
            direct_bytes: (direct_bytes as u64 * self.seen as u64 / values.len().max(1) as u64) as usize,
        };
        let seen = self.seen as u64;
        // Rows to come have as many values as those that came.
        let expected = u128::from(self.expected_rows.max(rows)) * u128::from(seen) / u128::from(rows.max(1));
        let total = if last { seen } else { u64::try_from(expected).unwrap_or(u64::MAX) };
        interned.decided = true;
        if self.seen == 0 || dictionary_pays(&sample, total, most_bytes) {
            return Ok(true);
        }
        if self.in_pages > 0 {
            return Ok(false);
        }
        self.state = direct(&self.settings, Some(encoding))?;
        let State::Direct(_, encoder) = &mut self.state else { return Ok(true) };
        encoder.write(values.as_slice())?;
        let is_words = matches!(values, Values::Words32(_) | Values::Words64(_));
        // The bounds of words are there already.
        self.observe(values.as_slice(), bounds.filter(|_| !is_words));
        Ok(true)
    }

    /// Goes on without the dictionary; the page is empty.
    pub(crate) fn leave_dictionary(&mut self) -> Result<()> {
        if let State::Dictionary(interned) = &self.state {
            let encoding = match self.settings.values.candidates {
                [only] => *only,
                _ => smallest(&self.settings, interned.last_entries()?.as_slice())?.0,
            };
            if let State::Dictionary(interned) = std::mem::replace(&mut self.state, direct(&self.settings, Some(encoding))?) {
                self.left = (self.in_pages > 0).then_some(interned.builder);
            }
        }
        Ok(())
    }

    /// Whether it is open how pages without values are to be encoded: where a dictionary comes they are pages of indices like the
    /// others, but readers refuse such pages without a dictionary.
    pub(crate) fn awaits_first(&self) -> bool {
        self.seen == 0 && matches!(self.state, State::Dictionary(_))
    }

    /// Appends what a page before the first value has of values; returns the encoding.
    pub(crate) fn finish_leading_page(&self, out: &mut Vec<u8>) -> Encoding {
        match self.state {
            State::Dictionary(_) if self.seen > 0 => {
                write_indices(&[], out);
                Encoding::RleDictionary
            }
            _ => Encoding::Plain,
        }
    }

    /// Appends the page's values and begins the next page; returns the encoding.
    pub(crate) fn finish_page(&mut self, out: &mut Vec<u8>, bounds: Option<&mut Bounds>) -> Encoding {
        self.in_pages = self.seen;
        match &mut self.state {
            State::Dictionary(interned) => {
                if let Some(bounds) = bounds {
                    interned.add_bounds(bounds);
                }
                write_indices(&interned.indices, out);
                interned.indices.clear();
                interned.page += 1;
                Encoding::RleDictionary
            }
            State::Direct(encoding, encoder) => {
                self.largest = self.largest.max(encoder.size_estimate());
                encoder.finish(out);
                *encoding
            }
        }
    }

    /// What the whole chunk's values leave behind; all pages are finished.
    pub(crate) fn finish(mut self) -> ChunkValues {
        let (dictionary, all_in_dictionary) = match self.state {
            State::Dictionary(interned) => (Some(interned.builder), true),
            State::Direct(..) => (self.left, false),
        };
        let dictionary = dictionary.filter(|_| self.in_pages > 0);
        if let (Some(geospatial), Some(builder)) = (&mut self.geospatial, &dictionary)
            && let Values::Bytes(entries) = builder.entries()
        {
            entries.iter().for_each(|value| geospatial.add(value));
        }
        ChunkValues { dictionary, all_in_dictionary, hashes: self.hashes, geospatial: self.geospatial }
    }
}

impl Interned {
    /// Interns all values, or none and returns `false`.
    fn intern(&mut self, given: Given<'_>) -> Result<bool> {
        let filled = self.indices.len();
        let done = match given {
            Given::Values(values) => self.builder.intern(values, &mut self.indices)? == values.len(),
            Given::Indices(indices, dictionary) => self.translate(indices, dictionary)?,
        };
        if !done {
            self.indices.truncate(filled);
        }
        Ok(done)
    }

    /// Interns entries of another dictionary, each of them once.
    fn translate(&mut self, indices: &[u32], dictionary: &Arc<Dictionary>) -> Result<bool> {
        let mut translation = match self.translation.take() {
            Some((known, translation)) if Arc::ptr_eq(&known, dictionary) => translation,
            _ => vec![UNKNOWN; dictionary.len()],
        };
        let mut all = true;
        let mut found = Vec::new();
        for index in indices {
            let place = translation.get_mut(*index as usize).ok_or_else(|| index_outside(*index, dictionary.len()))?;
            if *place == UNKNOWN {
                let index = *index as usize;
                let entry = dictionary.values().as_slice().slice(index..index + 1);
                found.clear();
                if self.builder.intern(entry.ok_or_else(|| index_outside(index as u32, dictionary.len()))?, &mut found)? == 0 {
                    all = false;
                    break;
                }
                *place = found.first().copied().unwrap_or(UNKNOWN);
            }
            self.indices.push(*place);
        }
        self.translation = Some((Arc::clone(dictionary), translation));
        Ok(all)
    }

    /// Adds the page's byte arrays to bounds, each of them once.
    fn add_bounds(&mut self, bounds: &mut Bounds) {
        let Self { builder, indices, stamps, page, .. } = self;
        stamps.resize(builder.len(), u32::MAX);
        if let (Some(_), Values::Fixed(entries)) = (bounds.nans(), builder.entries()) {
            // NaN is counted as often as it occurs.
            indices.iter().for_each(|index| bounds.add_one(entries.get(*index as usize).unwrap_or_default()));
            return;
        }
        let mut each = |add: &mut dyn FnMut(usize)| {
            for index in indices.iter() {
                if let Some(stamp) = stamps.get_mut(*index as usize)
                    && *stamp != *page
                {
                    *stamp = *page;
                    add(*index as usize);
                }
            }
        };
        match builder.entries() {
            Values::Bytes(entries) => each(&mut |index| bounds.add_one(entries.get(index).unwrap_or_default())),
            Values::Fixed(entries) => each(&mut |index| bounds.add_one(entries.get(index).unwrap_or_default())),
            Values::Words32(_) | Values::Words64(_) | Values::Bits(_) => {}
        }
    }

    /// Values like those that are to come: the last entries that were added.
    fn last_entries(&self) -> Result<Values> {
        let len = self.builder.len();
        let last: Vec<u32> = (len.saturating_sub(SAMPLE)..len).map(|index| index as u32).collect();
        gather(self.builder.entries(), &last)
    }
}

#[cold]
fn index_outside(index: u32, entries: usize) -> Error {
    Error::usage(format!("dictionary index {index} in a dictionary of {entries} entries"))
}

fn index_bits(entries: usize) -> usize {
    (usize::BITS - entries.saturating_sub(1).leading_zeros()).max(1) as usize
}

/// Writing without a dictionary; without a sample by the first candidate.
fn direct(settings: &LeafSettings, encoding: Option<Encoding>) -> Result<State> {
    let encoding = encoding.or_else(|| settings.values.candidates.first().copied()).unwrap_or(Encoding::Plain);
    Ok(State::Direct(encoding, encoder(encoding, settings.shape)?))
}

/// The candidate that makes the values smallest, and how small. A later one has to save a tenth, since the earlier ones are
/// read faster.
fn smallest(settings: &LeafSettings, values: ValuesSlice<'_>) -> Result<(Encoding, usize)> {
    let mut best: Option<(Encoding, usize)> = None;
    for candidate in settings.values.candidates {
        let mut trial = encoder(*candidate, settings.shape)?;
        let mut out = Vec::new();
        trial.write(values)?;
        trial.finish(&mut out);
        if best.is_none_or(|(_, size)| out.len() * 10 < size * 9) {
            best = Some((*candidate, out.len()));
        }
    }
    best.ok_or_else(|| Error::usage("no encoding to choose from"))
}

/// The entries that indices name.
pub(crate) fn gather(entries: &Values, indices: &[u32]) -> Result<Values> {
    let outside = |index: &u32| index_outside(*index, entries.len());
    Ok(match entries {
        Values::Words32(words) => {
            Values::Words32(indices.iter().map(|i| words.get(*i as usize).copied().ok_or_else(|| outside(i))).collect::<Result<_>>()?)
        }
        Values::Words64(words) => {
            Values::Words64(indices.iter().map(|i| words.get(*i as usize).copied().ok_or_else(|| outside(i))).collect::<Result<_>>()?)
        }
        Values::Bits(bits) => {
            Values::Bits(indices.iter().map(|i| bits.get(*i as usize).ok_or_else(|| outside(i))).collect::<Result<Bits>>()?)
        }
        Values::Bytes(arrays) => {
            let mut out = ByteArrays::new();
            for index in indices {
                out.push(arrays.get(*index as usize).ok_or_else(|| outside(index))?)?;
            }
            Values::Bytes(out)
        }
        Values::Fixed(fixed) => {
            let mut out = FixedBytes::new(fixed.width());
            for index in indices {
                match fixed.get(*index as usize).ok_or_else(|| outside(index))? {
                    [] => out.extend_zeros(1),
                    value => out.extend_from_bytes(value),
                }
            }
            Values::Fixed(out)
        }
    })
}

/// Appends the hash of each value, by which bloom filters know it.
pub(crate) fn hash_all(values: ValuesSlice<'_>, hashes: &mut Vec<u64>) {
    match values {
        ValuesSlice::Words32(words) => hashes.extend(words.iter().map(|word| bloom::hash(&word.to_le_bytes()))),
        ValuesSlice::Words64(words) => hashes.extend(words.iter().map(|word| bloom::hash(&word.to_le_bytes()))),
        ValuesSlice::Bytes(arrays) => hashes.extend(arrays.iter().map(bloom::hash)),
        ValuesSlice::Fixed(fixed) => hashes.extend(fixed.iter().map(bloom::hash)),
        ValuesSlice::Bits(_) => {}
    }
}
