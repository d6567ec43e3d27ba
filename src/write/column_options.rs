//! What can be chosen for a column.

use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::format::Encoding;

/// Which version data pages have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PageVersion {
    /// Levels and values are compressed as one; every reader knows it.
    #[default]
    V1,
    /// Levels lie uncompressed before the values, which stay uncompressed as well where compressing does not pay.
    V2,
}

/// Which statistics are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatisticsLevel {
    /// None; there is no column index either.
    None,
    /// Of each column chunk in the footer and of each page in the column index.
    #[default]
    Chunk,
    /// Of each page in its header as well, for readers that know no column index.
    Page,
}

/// A bloom filter for each column chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BloomFilterOptions {
    /// The share of values that are not there and taken to be, 0.01 for one in a hundred.
    pub false_positives: f64,
    /// The number of different values in a row group that the filter has room for. `None` has it found out: from the
    /// dictionary where all values are in it, else by folding a filter for the most that there can be.
    pub distinct_values: Option<u64>,
}

impl Default for BloomFilterOptions {
    fn default() -> Self {
        Self { false_positives: 0.01, distinct_values: None }
    }
}

/// What is chosen for a column, or for all columns below a group. What is not chosen is left as it is for the group
/// around it or, in the end, for all columns.
///
/// ```
/// use herringbone::compression::Compression;
/// use herringbone::format::Encoding;
/// use herringbone::write::{ColumnOptions, WriterOptions};
/// let options = WriterOptions::builder()
///     .columns(ColumnOptions::new().compression(Compression::SNAPPY))
///     .column("event", ColumnOptions::new().page_rows(5_000))
///     .column("event.time", ColumnOptions::new().encoding(Encoding::DeltaBinaryPacked))
///     .build()?;
/// # drop(options);
/// # Ok::<(), herringbone::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnOptions {
    pub(super) compression: Option<Compression>,
    pub(super) encoding: Option<Option<Encoding>>,
    pub(super) dictionary: Option<bool>,
    pub(super) dictionary_bytes: Option<usize>,
    pub(super) page_bytes: Option<usize>,
    pub(super) page_rows: Option<usize>,
    pub(super) page_version: Option<PageVersion>,
    pub(super) statistics: Option<StatisticsLevel>,
    pub(super) distinct_counts: Option<bool>,
    pub(super) column_index: Option<bool>,
    pub(super) bloom_filter: Option<Option<BloomFilterOptions>>,
    pub(super) truncation: Option<Option<usize>>,
    pub(super) crc: Option<bool>,
    pub(super) key_values: Vec<(String, Option<String>)>,
}

impl ColumnOptions {
    /// Nothing chosen.
    pub fn new() -> Self {
        Self::default()
    }

    /// The codec and its level. Default: Zstandard at level 1.
    #[must_use]
    pub fn compression(self, compression: Compression) -> Self {
        Self { compression: Some(compression), ..self }
    }

    /// The encoding of the values. Without a dictionary all pages have it; with
    /// [`dictionary(true)`](Self::dictionary) those that the dictionary does not serve. `RleDictionary` asks for a dictionary
    /// without trying whether it pays.
    #[must_use]
    pub fn encoding(self, encoding: Encoding) -> Self {
        Self { encoding: Some(Some(encoding)), ..self }
    }

    /// Leaves the encoding to the writer, which tries some on the first values of each column chunk. The default.
    #[must_use]
    pub fn automatic_encoding(self) -> Self {
        Self { encoding: Some(None), ..self }
    }

    /// Whether a dictionary is used where it pays. Default: true, unless an [`encoding`](Self::encoding) is chosen.
    #[must_use]
    pub fn dictionary(self, dictionary: bool) -> Self {
        Self { dictionary: Some(dictionary), ..self }
    }

    /// How many bytes a dictionary page has at the most; values that come later have another encoding. Default: 1 MiB.
    #[must_use]
    pub fn dictionary_bytes(self, bytes: usize) -> Self {
        Self { dictionary_bytes: Some(bytes), ..self }
    }

    /// How many bytes a data page has before compression, about; a page has one row at the least. Default: 1 MiB.
    #[must_use]
    pub fn page_bytes(self, bytes: usize) -> Self {
        Self { page_bytes: Some(bytes), ..self }
    }

    /// How many rows a data page has at the most. Default: 20,000.
    #[must_use]
    pub fn page_rows(self, rows: usize) -> Self {
        Self { page_rows: Some(rows), ..self }
    }

    /// The version of data pages. Default: the first.
    #[must_use]
    pub fn page_version(self, version: PageVersion) -> Self {
        Self { page_version: Some(version), ..self }
    }

    /// Which statistics are written. Default: of chunks, and of pages in the column index.
    #[must_use]
    pub fn statistics(self, level: StatisticsLevel) -> Self {
        Self { statistics: Some(level), ..self }
    }

    /// Whether the number of different values is written where a dictionary tells it. Default: false.
    #[must_use]
    pub fn distinct_counts(self, written: bool) -> Self {
        Self { distinct_counts: Some(written), ..self }
    }

    /// Whether a column index is written. Default: true, unless there are no statistics at all.
    #[must_use]
    pub fn column_index(self, written: bool) -> Self {
        Self { column_index: Some(written), ..self }
    }

    /// A bloom filter; `None` for none, which is the default.
    #[must_use]
    pub fn bloom_filter(self, options: impl Into<Option<BloomFilterOptions>>) -> Self {
        Self { bloom_filter: Some(options.into()), ..self }
    }

    /// To how many bytes the bounds of byte arrays are cut; `None` leaves them whole. Default: 64.
    #[must_use]
    pub fn truncation(self, bytes: impl Into<Option<usize>>) -> Self {
        Self { truncation: Some(bytes.into()), ..self }
    }

    /// Whether each page has a checksum. Default: true.
    #[must_use]
    pub fn crc(self, written: bool) -> Self {
        Self { crc: Some(written), ..self }
    }

    /// Adds an entry of application metadata to each column chunk.
    #[must_use]
    pub fn key_value(mut self, key: impl Into<String>, value: impl Into<Option<String>>) -> Self {
        self.key_values.push((key.into(), value.into()));
        self
    }

    /// What is chosen here or, where nothing is, there.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self {
            compression: self.compression.or(other.compression),
            encoding: self.encoding.or(other.encoding),
            dictionary: self.dictionary.or(other.dictionary),
            dictionary_bytes: self.dictionary_bytes.or(other.dictionary_bytes),
            page_bytes: self.page_bytes.or(other.page_bytes),
            page_rows: self.page_rows.or(other.page_rows),
            page_version: self.page_version.or(other.page_version),
            statistics: self.statistics.or(other.statistics),
            distinct_counts: self.distinct_counts.or(other.distinct_counts),
            column_index: self.column_index.or(other.column_index),
            bloom_filter: self.bloom_filter.or(other.bloom_filter),
            truncation: self.truncation.or(other.truncation),
            crc: self.crc.or(other.crc),
            key_values: other.key_values.iter().chain(&self.key_values).cloned().collect(),
        }
    }

    /// What can be told to be wrong without a schema.
    pub(super) fn check(&self) -> Result<()> {
        let within = |name: &str, value: Option<usize>, most: usize| match value {
            Some(value) if value == 0 || value > most => Err(Error::usage(format!("{name} is {value}: give 1 to {most}"))),
            _ => Ok(()),
        };
        within("page_bytes", self.page_bytes, MOST_PAGE_BYTES)?;
        within("page_rows", self.page_rows, i32::MAX as usize)?;
        within("dictionary_bytes", self.dictionary_bytes, MOST_PAGE_BYTES)?;
        within("truncation", self.truncation.flatten(), i32::MAX as usize)?;
        if let Some(Some(bloom)) = self.bloom_filter
            && !(bloom.false_positives > 0.0 && bloom.false_positives < 1.0)
        {
            let rate = bloom.false_positives;
            return Err(Error::usage(format!("a bloom filter's share of false positives is between 0 and 1, not {rate}")));
        }
        if self.statistics == Some(StatisticsLevel::None) && self.column_index == Some(true) {
            return Err(Error::usage("a column index holds statistics, which are turned off: leave one of the two choices out"));
        }
        match self.encoding {
            Some(Some(Encoding::PlainDictionary)) => Err(Error::usage("PLAIN_DICTIONARY is the old name of RLE_DICTIONARY: ask for that")),
            Some(Some(Encoding::RleDictionary)) if self.dictionary == Some(false) => {
                Err(Error::usage("RLE_DICTIONARY is asked for, while dictionaries are turned off"))
            }
            Some(Some(encoding @ (Encoding::BitPacked | Encoding::Unknown(_)))) => {
                Err(Error::usage(format!("values are never encoded as {encoding}")))
            }
            _ => Ok(()),
        }
    }
}

/// Sizes of pages are 32-bit signed, and an estimate may be off.
pub(super) const MOST_PAGE_BYTES: usize = 1 << 30;
