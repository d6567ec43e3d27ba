//! What can be chosen for a column.

use std::str::FromStr;

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
    /// None; there is no column index either. Only how many values and bytes there are is written, in size statistics.
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

    /// Whether the number of different values is written where a dictionary tells it, among the [statistics](Self::statistics). Default: false.
    #[must_use]
    pub fn distinct_counts(self, written: bool) -> Self {
        Self { distinct_counts: Some(written), ..self }
    }

    /// Whether a column index is written. Default: true, unless there are no statistics at all.
    #[must_use]
    pub fn column_index(self, written: bool) -> Self {
        Self { column_index: Some(written), ..self }
    }

    /// A bloom filter; `None` for none, which is the default. Columns of BOOLEAN get one by no options of many columns.
    #[must_use]
    pub fn bloom_filter(self, options: impl Into<Option<BloomFilterOptions>>) -> Self {
        Self { bloom_filter: Some(options.into()), ..self }
    }

    /// To how many bytes the bounds of BYTE_ARRAY columns are cut, of text and bytes; `None` leaves them whole. Default: 64.
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

/// Options as text: `key=value` with commas between, the keys being the names of the setters.
///
/// ```
/// use herringbone::compression::Compression;
/// use herringbone::format::Encoding;
/// use herringbone::write::ColumnOptions;
/// let options: ColumnOptions = "encoding=byte_stream_split,compression=zstd:3,crc=false".parse()?;
/// let same = ColumnOptions::new().encoding(Encoding::ByteStreamSplit).compression(Compression::zstd(3)?).crc(false);
/// assert_eq!(options, same);
/// # Ok::<(), herringbone::Error>(())
/// ```
///
/// `encoding=auto` and `truncation=none` undo what was chosen for the group around; `bloom_filter`, or `bloom` for short, is `true`,
/// `false` or the share of false positives; `page_version` is 1 or 2; `statistics` is `none`, `chunk` or `page`.
impl FromStr for ColumnOptions {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut options = Self::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (key, value) = entry.split_once('=').ok_or_else(|| Error::usage(format!("`{entry}` is no option: write key=value")))?;
            options = options.with_text(key.trim(), value.trim())?;
        }
        options.check()?;
        Ok(options)
    }
}

impl ColumnOptions {
    fn with_text(self, key: &str, value: &str) -> Result<Self> {
        let lower = value.to_ascii_lowercase();
        Ok(match key {
            "compression" => self.compression(value.parse()?),
            "encoding" if lower == "auto" => self.automatic_encoding(),
            "encoding" => self.encoding(encoding(value)?),
            "dictionary" => self.dictionary(parsed(key, &lower)?),
            "dictionary_bytes" => self.dictionary_bytes(parsed(key, value)?),
            "page_bytes" => self.page_bytes(parsed(key, value)?),
            "page_rows" => self.page_rows(parsed(key, value)?),
            "page_version" => self.page_version(one_of(key, value, &[("1", PageVersion::V1), ("2", PageVersion::V2)])?),
            "statistics" => {
                let levels = [("none", StatisticsLevel::None), ("chunk", StatisticsLevel::Chunk), ("page", StatisticsLevel::Page)];
                self.statistics(one_of(key, &lower, &levels)?)
            }
            "distinct_counts" => self.distinct_counts(parsed(key, &lower)?),
            "column_index" => self.column_index(parsed(key, &lower)?),
            "bloom_filter" | "bloom" => match lower.parse() {
                Ok(wanted) => self.bloom_filter(bool::then(wanted, BloomFilterOptions::default)),
                Err(_) => {
                    let false_positives = parsed(key, value)?;
                    self.bloom_filter(BloomFilterOptions { false_positives, distinct_values: None })
                }
            },
            "truncation" if lower == "none" => self.truncation(None),
            "truncation" => self.truncation(Some(parsed(key, value)?)),
            "crc" => self.crc(parsed(key, &lower)?),
            _ => return Err(Error::usage(format!("there is no option `{key}` of a column"))),
        })
    }
}

fn parsed<T: FromStr>(key: &str, value: &str) -> Result<T> {
    value.parse().map_err(|_| Error::usage(format!("`{value}` is no value of {key}")))
}

fn one_of<T: Copy>(key: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    let found = choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice);
    found.ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        Error::usage(format!("`{value}` is no value of {key}: choose from {}", names.join(", ")))
    })
}

/// The encoding with this name, in capitals or not.
fn encoding(name: &str) -> Result<Encoding> {
    let all = (0..=10).map(Encoding::from_code).filter(|encoding| !matches!(encoding, Encoding::Unknown(_) | Encoding::BitPacked));
    let mut all = all.filter(|encoding| *encoding != Encoding::PlainDictionary);
    let wanted = |encoding: &Encoding| encoding.to_string().eq_ignore_ascii_case(name);
    all.clone().find(wanted).ok_or_else(|| {
        let names = all.by_ref().map(|encoding| encoding.to_string().to_ascii_lowercase()).collect::<Vec<_>>();
        Error::usage(format!("`{name}` is no encoding: choose from auto, {}", names.join(", ")))
    })
}

/// Sizes of pages are 32-bit signed, and an estimate may be off.
pub(super) const MOST_PAGE_BYTES: usize = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_its_text() {
        let text = "encoding=plain, dictionary=true,dictionary_bytes=1000,page_bytes=2000,page_rows=30,page_version=2,statistics=page,\
                    distinct_counts=true,column_index=false,bloom_filter=0.02,truncation=10,crc=false,compression=snappy";
        let bloom_filter = BloomFilterOptions { false_positives: 0.02, distinct_values: None };
        let options = ColumnOptions::new()
            .encoding(Encoding::Plain)
            .dictionary(true)
            .dictionary_bytes(1000)
            .page_bytes(2000)
            .page_rows(30)
            .page_version(PageVersion::V2)
            .statistics(StatisticsLevel::Page)
            .distinct_counts(true)
            .column_index(false)
            .bloom_filter(bloom_filter)
            .truncation(10)
            .crc(false)
            .compression(Compression::SNAPPY);
        assert_eq!(text.parse::<ColumnOptions>().unwrap(), options);
        let undone = ColumnOptions::new().automatic_encoding().truncation(None).bloom_filter(None);
        assert_eq!("encoding=AUTO,truncation=none,bloom_filter=false".parse::<ColumnOptions>().unwrap(), undone);
        assert_eq!("".parse::<ColumnOptions>().unwrap(), ColumnOptions::new());
        let default = ColumnOptions::new().bloom_filter(BloomFilterOptions::default());
        assert_eq!("bloom_filter=true".parse::<ColumnOptions>().unwrap(), default);
        assert_eq!("bloom=true".parse::<ColumnOptions>().unwrap(), default);
    }

    #[test]
    fn wrong_text_is_refused_with_the_right_one() {
        for (text, says) in [
            ("plain", "key=value"),
            ("encoding=bit_packed", "choose from auto, plain, rle, delta_binary_packed"),
            ("encodings=plain", "no option `encodings`"),
            ("page_rows=many", "`many` is no value of page_rows"),
            ("page_rows=0", "page_rows is 0"),
            ("page_version=3", "choose from 1, 2"),
            ("compression=zip", "choose from uncompressed"),
            ("bloom_filter=2", "between 0 and 1"),
        ] {
            let error = text.parse::<ColumnOptions>().unwrap_err();
            assert!(error.message().contains(says), "{error} lacks {says:?}");
        }
    }
}
