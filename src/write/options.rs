//! What can be chosen for a file.

use crate::compression::Compression;
use crate::error::{Error, Result};
use crate::write::batches::BatchSettings;
use crate::write::{ColumnOptions, StatisticsLevel};

/// How a file is written: made by [`WriterOptions::builder`], which checks it.
///
/// The default is what suits most files: Zstandard at level 1, encodings chosen by the data, row groups of 1 Mi rows or
/// 128 MiB, statistics, page index and checksums.
#[derive(Clone, Debug, PartialEq)]
pub struct WriterOptions {
    pub(super) columns: ColumnOptions,
    pub(super) by_path: Vec<(String, ColumnOptions)>,
    pub(super) row_group_rows: u64,
    pub(super) row_group_bytes: u64,
    pub(super) sorting: Vec<SortBy>,
    pub(super) check_sorting: bool,
    pub(super) key_values: Vec<(String, Option<String>)>,
    pub(super) created_by: String,
    pub(super) format_version: i32,
    pub(super) encodings: EncodingChoice,
    pub(super) chunking: Option<ContentChunking>,
    pub(super) memory_bytes: usize,
    pub(super) threads: Option<usize>,
    pub(super) offset_index: bool,
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    pub(crate) batches: BatchSettings,
}

/// Which encodings the writer may choose where none is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EncodingChoice {
    /// Those of the format's first version: dictionaries and PLAIN.
    Classic,
    /// Also the delta encodings, which current readers know.
    #[default]
    Modern,
}

/// A column that rows are sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SortBy {
    /// The column's dotted path.
    pub column: String,
    /// Whether the greatest value comes first.
    pub descending: bool,
    /// Whether nulls come before all values.
    pub nulls_first: bool,
}

impl SortBy {
    /// Sorted by a column, least value first, nulls last.
    pub fn ascending(column: impl Into<String>) -> Self {
        Self { column: column.into(), descending: false, nulls_first: false }
    }
}

/// Pages cut where their content says so: a file with rows inserted or removed has most of its pages in common with the
/// file before, which storage that finds equal blocks makes use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentChunking {
    /// The least bytes of a page before encoding; at least 16.
    pub min_bytes: usize,
    /// The most bytes of a page before encoding.
    pub max_bytes: usize,
    /// Above 0, ends are found earlier: pages are smaller, and more of them equal; below 0 the other way round. −3 to 3.
    pub norm_level: i32,
}

impl Default for ContentChunking {
    fn default() -> Self {
        Self { min_bytes: 256 << 10, max_bytes: 1 << 20, norm_level: 0 }
    }
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            columns: ColumnOptions::default(),
            by_path: Vec::new(),
            row_group_rows: 1 << 20,
            row_group_bytes: 128 << 20,
            sorting: Vec::new(),
            check_sorting: false,
            key_values: Vec::new(),
            created_by: concat!("herringbone version ", env!("CARGO_PKG_VERSION")).to_owned(),
            format_version: 1,
            encodings: EncodingChoice::default(),
            chunking: None,
            memory_bytes: 2 << 30,
            threads: None,
            offset_index: true,
            batches: BatchSettings::default(),
        }
    }
}

impl WriterOptions {
    /// Options to be changed from the defaults.
    pub fn builder() -> WriterOptionsBuilder {
        WriterOptionsBuilder { options: Self::default() }
    }

    /// These options, to be changed further.
    pub fn into_builder(self) -> WriterOptionsBuilder {
        WriterOptionsBuilder { options: self }
    }

    /// The most rows of a row group.
    pub fn row_group_rows(&self) -> u64 {
        self.row_group_rows
    }

    /// About the most bytes of a row group in the file.
    pub fn row_group_bytes(&self) -> u64 {
        self.row_group_bytes
    }

    /// The columns that rows are said to be sorted by, the most significant first.
    pub fn sorting(&self) -> &[SortBy] {
        &self.sorting
    }

    /// The file's application metadata.
    pub fn key_values(&self) -> &[(String, Option<String>)] {
        &self.key_values
    }

    /// Changes the paths of columns.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    pub(crate) fn rename_columns(&mut self, renamed: impl Fn(&str) -> String) {
        let by_path = self.by_path.iter_mut().map(|(path, _)| path);
        by_path.chain(self.sorting.iter_mut().map(|by| &mut by.column)).for_each(|path| *path = renamed(path));
    }

    /// Adds to the file's application metadata.
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    pub(crate) fn add_key_values(&mut self, entries: impl IntoIterator<Item = (String, String)>) {
        self.key_values.extend(entries.into_iter().map(|(key, value)| (key, Some(value))));
    }

    /// Memory in bytes that writing may take, about.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// How many threads encode; `None` for as many as the pool has.
    pub fn threads(&self) -> Option<usize> {
        self.threads
    }
}

/// Makes [`WriterOptions`]. Setters never fail; [`build`](Self::build) tells what is wrong.
#[derive(Clone, Debug)]
#[must_use]
pub struct WriterOptionsBuilder {
    pub(crate) options: WriterOptions,
}

impl WriterOptionsBuilder {
    /// Options for all columns; called again, it adds to what was chosen before.
    pub fn columns(mut self, columns: ColumnOptions) -> Self {
        self.options.columns = columns.or(&self.options.columns);
        self
    }

    /// Options for the column with this dotted path, or for all columns below the group with it.
    pub fn column(mut self, path: impl Into<String>, column: ColumnOptions) -> Self {
        self.options.by_path.push((path.into(), column));
        self
    }

    /// The codec of all columns for which no other is chosen.
    pub fn compression(self, compression: Compression) -> Self {
        self.columns(ColumnOptions::new().compression(compression))
    }

    /// The most rows of a row group that an [`ArrowWriter`](crate::arrow::ArrowWriter) makes; those of a [`FileWriter`](crate::write::FileWriter) are
    /// the caller's. Default: 1 Mi.
    pub fn row_group_rows(mut self, rows: u64) -> Self {
        self.options.row_group_rows = rows;
        self
    }

    /// About the most bytes of a row group in the file, of an `ArrowWriter`. Default: 128 MiB.
    pub fn row_group_bytes(mut self, bytes: u64) -> Self {
        self.options.row_group_bytes = bytes;
        self
    }

    /// The columns that rows are sorted by in each row group, the most significant first.
    pub fn sorting(mut self, columns: impl IntoIterator<Item = SortBy>) -> Self {
        self.options.sorting = columns.into_iter().collect();
        self
    }

    /// Whether it is checked that rows are sorted as [`sorting`](Self::sorting) says. Default: false.
    pub fn check_sorting(mut self, checked: bool) -> Self {
        self.options.check_sorting = checked;
        self
    }

    /// Adds an entry of application metadata.
    pub fn key_value(mut self, key: impl Into<String>, value: impl Into<Option<String>>) -> Self {
        self.options.key_values.push((key.into(), value.into()));
        self
    }

    /// Who writes the file. Default: `herringbone version` and the crate's version.
    ///
    /// Readers know the faults of old writers by this; its form is `<application> version <version> (build <hash>)`.
    pub fn created_by(mut self, created_by: impl Into<String>) -> Self {
        self.options.created_by = created_by.into();
        self
    }

    /// The format's version that the footer claims, 1 or 2. Default: 1, as the specification advises; readers make no
    /// difference.
    pub fn format_version(mut self, version: i32) -> Self {
        self.options.format_version = version;
        self
    }

    /// Which encodings are chosen where none is asked for. Default: modern. Text and bytes in Arrow dictionaries always get
    /// classic ones if the Arrow schema is stored: pyarrow makes dictionaries of no others.
    pub fn encodings(mut self, choice: EncodingChoice) -> Self {
        self.options.encodings = choice;
        self
    }

    /// Cuts pages by their content; `None` for not, which is the default. Bytes and rows of pages end them as well only where they are chosen for a column.
    pub fn content_chunking(mut self, chunking: impl Into<Option<ContentChunking>>) -> Self {
        self.options.chunking = chunking.into();
        self
    }

    /// Memory in bytes that an `ArrowWriter` may take, about: batches waiting, columns being encoded and chunks waiting to be
    /// written. Default: 2 GiB.
    pub fn memory_bytes(mut self, bytes: usize) -> Self {
        self.options.memory_bytes = bytes;
        self
    }

    /// How many threads an `ArrowWriter` encodes with. Default: as many as the pool has.
    pub fn threads(mut self, threads: impl Into<Option<usize>>) -> Self {
        self.options.threads = threads.into();
        self
    }

    /// Whether an offset index is written, without which there is no column index. Default: true.
    pub fn offset_index(mut self, written: bool) -> Self {
        self.options.offset_index = written;
        self
    }

    /// The options, checked as far as they can be without a schema.
    ///
    /// # Errors
    /// `Usage` when a size is 0 or too large, or two choices exclude each other.
    pub fn build(self) -> Result<WriterOptions> {
        let options = self.options;
        options.columns.check()?;
        for (path, column) in &options.by_path {
            column.or(&ColumnOptions::default()).check().map_err(|error| error.in_column(path.clone()))?;
            check_index(column, options.offset_index).map_err(|error| error.in_column(path.clone()))?;
        }
        check_index(&options.columns, options.offset_index)?;
        if options.row_group_rows == 0 || options.row_group_rows > i32::MAX as u64 {
            return Err(Error::usage(format!("row_group_rows is {}: give 1 to {}", options.row_group_rows, i32::MAX)));
        }
        if options.row_group_bytes == 0 {
            return Err(Error::usage("row_group_bytes is 0"));
        }
        if !matches!(options.format_version, 1 | 2) {
            return Err(Error::usage(format!("the format's version is 1 or 2, not {}", options.format_version)));
        }
        if options.threads == Some(0) {
            return Err(Error::usage("no threads: give at least one, or none of the option"));
        }
        if let Some(chunking) = &options.chunking {
            check_chunking(chunking)?;
        }
        Ok(options)
    }
}

fn check_index(column: &ColumnOptions, offset_index: bool) -> Result<()> {
    let wanted = column.column_index == Some(true) && column.statistics != Some(StatisticsLevel::None);
    if wanted && !offset_index {
        return Err(Error::usage("a column index needs the offset index, which is turned off"));
    }
    Ok(())
}

fn check_chunking(chunking: &ContentChunking) -> Result<()> {
    let ContentChunking { min_bytes, max_bytes, norm_level } = *chunking;
    if min_bytes < 16 || max_bytes <= min_bytes || max_bytes > 1 << 30 {
        return Err(Error::usage(format!(
            "pages of {min_bytes} to {max_bytes} bytes: the least is 16 at the least, the most larger than that and at most 1 GiB"
        )));
    }
    if !(-3..=3).contains(&norm_level) {
        return Err(Error::usage(format!("the norm level is {norm_level}: give -3 to 3")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::format::Encoding;
    use crate::write::BloomFilterOptions;

    #[test]
    fn impossible_choices_are_refused() {
        let bloom = |false_positives| BloomFilterOptions { false_positives, distinct_values: None };
        let column = |column| WriterOptions::builder().column("a", column);
        let chunking = |min_bytes, max_bytes, norm_level| {
            WriterOptions::builder().content_chunking(ContentChunking { min_bytes, max_bytes, norm_level })
        };
        let cases = [
            (column(ColumnOptions::new().page_bytes(0)), "page_bytes is 0"),
            (column(ColumnOptions::new().page_rows(0)), "page_rows is 0"),
            (column(ColumnOptions::new().truncation(0)), "truncation is 0"),
            (column(ColumnOptions::new().bloom_filter(bloom(1.0))), "false positives"),
            (column(ColumnOptions::new().bloom_filter(bloom(f64::NAN))), "false positives"),
            (column(ColumnOptions::new().encoding(Encoding::PlainDictionary)), "RLE_DICTIONARY"),
            (column(ColumnOptions::new().encoding(Encoding::BitPacked)), "BIT_PACKED"),
            (column(ColumnOptions::new().encoding(Encoding::RleDictionary).dictionary(false)), "turned off"),
            (column(ColumnOptions::new().statistics(StatisticsLevel::None).column_index(true)), "column index"),
            (column(ColumnOptions::new().column_index(true)).offset_index(false), "offset index"),
            (WriterOptions::builder().row_group_rows(0), "row_group_rows"),
            (WriterOptions::builder().row_group_rows(1 << 40), "row_group_rows"),
            (WriterOptions::builder().row_group_bytes(0), "row_group_bytes"),
            (WriterOptions::builder().format_version(3), "version"),
            (WriterOptions::builder().threads(0), "threads"),
            (chunking(8, 100, 0), "16 at the least"),
            (chunking(100, 100, 0), "16 at the least"),
            (chunking(100, 200, 4), "norm level"),
        ];
        for (builder, says) in cases {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(says), "{error} lacks {says:?}");
        }
        assert!(chunking(16, 1 << 20, -3).build().is_ok());
    }

    #[test]
    fn later_choices_for_all_columns_win_and_add() {
        let options = WriterOptions::builder()
            .columns(ColumnOptions::new().page_rows(7).page_bytes(1000))
            .columns(ColumnOptions::new().page_rows(8))
            .build()
            .unwrap();
        assert_eq!((options.columns.page_rows, options.columns.page_bytes), (Some(8), Some(1000)));
    }
}
