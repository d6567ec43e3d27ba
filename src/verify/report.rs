//! What was found.

use std::fmt;
use std::sync::Arc;

use crate::error::Place;
use crate::schema::Schema;
use crate::verify::budgets::Budgets;
use crate::verify::layout::Layout;
use crate::verify::spot::{Spot, cut};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Something could not be checked; nothing is known to be wrong with it.
    Note,
    /// The format allows it or readers know how to live with it, but no writer should do it.
    Warning,
    /// Readers get wrong data, skip data that they should not skip, or fail.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub code: Code,
    /// How bad it is: that of the code, unless a known habit of the file's writer explains it.
    pub severity: Severity,
    /// Where; pages count from 0 in their column chunk, dictionary page included. Of a name of more than 1,000 bytes it has the beginning.
    pub place: Place,
    /// What follows from the data, or what the format wants; cut like what the file says, where it is longer than 1,000 bytes.
    pub expected: String,
    /// What the file says.
    pub found: String,
}

/// What came out of checking one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What was found, in the order of the walk.
    pub findings: Vec<Finding>,
    /// Findings beyond [`VerifyOptions::findings`](crate::verify::VerifyOptions::findings), which were counted only.
    pub more: u64,
    /// Errors among all findings.
    pub errors: u64,
    /// Warnings among all findings.
    pub warnings: u64,
    /// Notes among all findings: how often something could not be checked.
    pub notes: u64,
    /// Row groups that were walked.
    pub row_groups: u64,
    /// Column chunks of these row groups.
    pub column_chunks: u64,
    /// Column chunks among them that could not be checked, or not in full: there is a note about each.
    pub unchecked_chunks: u64,
    /// Pages that were walked, dictionary pages included.
    pub pages: u64,
    /// Values that were decoded, nulls not counted.
    pub values: u64,
}

impl Report {
    /// Whether there are neither errors nor warnings. What was not checked is in no way known to be right: see
    /// [`is_complete`](Self::is_complete).
    pub fn is_clean(&self) -> bool {
        self.errors == 0 && self.warnings == 0
    }

    /// Whether everything was checked: nothing was encrypted, in another file, unknown to this build, or more than the limits and
    /// [`VerifyOptions`](crate::verify::VerifyOptions) allow. Where it was not, notes say what. What comes after an error that hides it,
    /// such as the pages behind a broken header, counts as checked.
    pub fn is_complete(&self) -> bool {
        self.notes == 0
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One line: severity, code, place, what is expected and what is there.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.severity, self.code)?;
        if self.place != Place::default() {
            write!(f, " ({})", self.place)?;
        }
        write!(f, ": {}", self.code.about())?;
        match (self.expected.is_empty(), self.found.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => write!(f, ": {}", self.found),
            (false, true) => write!(f, ": expected {}", self.expected),
            (false, false) => write!(f, ": expected {}, found {}", self.expected, self.found),
        }
    }
}

/// Collects findings, as many as are wanted, and what is seen of the file on the way.
pub(super) struct Recorder {
    pub(super) report: Report,
    /// Once it is known; names of columns come from it.
    pub(super) schema: Option<Arc<Schema>>,
    pub(super) budgets: Arc<Budgets>,
    /// Whether no finding could be kept any more when its wave of row groups began.
    is_full: bool,
    /// Whether one of the budgets was too small, so that it depends on the order of the file's parts what is missing.
    pub(super) ran_out: bool,
    pub(super) layout: Layout,
    /// Whether all parts of the file are known, so that what is between them belongs to nothing.
    pub(super) all_known: bool,
}

impl Recorder {
    pub(super) fn new(budgets: Arc<Budgets>) -> Self {
        let (report, layout) = (Report::default(), Layout::default());
        Self { report, schema: None, budgets, is_full: false, ran_out: false, layout, all_known: true }
    }

    /// One for the next row groups that are checked together.
    pub(super) fn wave(&mut self) -> Self {
        self.is_full = self.budgets.findings.left() == 0;
        self.part()
    }

    /// One for a part of the file, which is [absorbed](Self::absorb) when its turn comes.
    pub(super) fn part(&self) -> Self {
        Self { schema: self.schema.clone(), is_full: self.is_full, ..Self::new(Arc::clone(&self.budgets)) }
    }

    /// Adds what was found in a part of the file.
    pub(super) fn absorb(&mut self, part: Self) {
        let (report, mut other) = (&mut self.report, part.report);
        report.findings.append(&mut other.findings);
        for (sum, more) in [
            (&mut report.more, other.more),
            (&mut report.errors, other.errors),
            (&mut report.warnings, other.warnings),
            (&mut report.notes, other.notes),
            (&mut report.row_groups, other.row_groups),
            (&mut report.column_chunks, other.column_chunks),
            (&mut report.unchecked_chunks, other.unchecked_chunks),
            (&mut report.pages, other.pages),
            (&mut report.values, other.values),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.layout.absorb(part.layout);
        self.all_known &= part.all_known;
        self.ran_out |= part.ran_out;
    }

    /// Takes values that are going to be decoded, if so many are left; else how many are.
    pub(super) fn take_values(&mut self, values: u64) -> Result<(), u64> {
        let taken = self.budgets.values.take(values);
        self.ran_out |= taken.is_err();
        taken
    }

    /// Takes bytes that are going to be read or decompressed, if so many are left; else says that this is not checked.
    pub(super) fn take_bytes(&mut self, bytes: u64, place: Spot) -> bool {
        let taken = self.budgets.bytes.take(bytes);
        if let Err(left) = taken {
            self.ran_out = true;
            self.add(Code::Limited, place, format!("at most {left} more bytes of pages"), bytes);
        }
        taken.is_ok()
    }

    pub(super) fn add(&mut self, code: Code, place: Spot, expected: impl fmt::Display, found: impl fmt::Display) {
        self.add_as(code.severity(), code, place, expected, found);
    }

    /// Adds a finding that is worse or better than its code usually is.
    pub(super) fn add_as(&mut self, severity: Severity, code: Code, place: Spot, expected: impl fmt::Display, found: impl fmt::Display) {
        let report = &mut self.report;
        let count = match severity {
            Severity::Error => &mut report.errors,
            Severity::Warning => &mut report.warnings,
            Severity::Note => &mut report.notes,
        };
        *count = count.saturating_add(1);
        if self.is_full || self.budgets.findings.take(1).is_err() {
            self.ran_out |= !self.is_full;
            report.more = report.more.saturating_add(1);
            return;
        }
        let place = place.place(self.schema.as_deref());
        report.findings.push(Finding { code, severity, place, expected: cut(expected), found: cut(found) });
    }

    /// Adds a finding when two figures differ.
    pub(super) fn compare<T: PartialEq + fmt::Display>(&mut self, code: Code, place: Spot, expected: T, found: T) {
        if expected != found {
            self.add(code, place, expected, found);
        }
    }
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $about:literal,)*) => {
        /// What a finding is about; its [`name`](Code::name) never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`: ", $about, ".")] $variant,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The name, in lower case with hyphens.
            pub fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)*
                }
            }

            /// What it says, without a full stop.
            pub fn about(self) -> &'static str {
                match self {
                    $(Code::$variant => $about,)*
                }
            }

            /// How bad it is as a rule.
            pub fn severity(self) -> Severity {
                match self {
                    $(Code::$variant => Severity::$severity,)*
                }
            }
        }
    };
}

codes! {
    // The file.
    MagicStart "magic-start" Error "the file does not begin with PAR1",
    MagicEnd "magic-end" Error "the file does not end with PAR1",
    FooterLength "footer-length" Error "the footer's length does not fit the file",
    Footer "footer" Error "the footer cannot be read",
    FooterTrailing "footer-trailing" Warning "bytes follow the footer's struct before its length",
    Version "version" Warning "the format's version is 1 or 2",
    Schema "schema" Error "the schema is none",
    SchemaRepetition "schema-repetition" Error "a repetition is a boolean: readers take it for none, and levels for values",
    ColumnOrders "column-orders" Error "the column orders do not fit the schema",
    ColumnOrderMissing "column-order-missing" Warning "bounds have no meaning without the column's order",
    FileRows "file-rows" Error "the number of rows of the file is not the sum of its row groups",
    ArrowSchema "arrow-schema" Warning "the stored Arrow schema does not fit the file's",
    Overlap "overlap" Error "two parts of the file overlap",
    Gap "gap" Warning "bytes of the file belong to nothing",
    // Row groups.
    ColumnCount "column-count" Error "a row group has one chunk for each column of the schema",
    RowGroupRows "row-group-rows" Error "the number of rows of a row group is none",
    RowGroupBytes "row-group-bytes" Warning "total_byte_size is not the sum of the chunks' uncompressed sizes",
    RowGroupCompressed "row-group-compressed" Warning "total_compressed_size of the row group is not the sum of its chunks'",
    RowGroupOffset "row-group-offset" Warning "file_offset is not that of the first page",
    RowGroupOrdinal "row-group-ordinal" Error "the ordinal is not the row group's index",
    SortingColumn "sorting-column" Error "there is no column that rows are said to be sorted by",
    SortOrder "sort-order" Error "the rows are not sorted as the row group says",
    // Column chunks.
    ChunkMissing "chunk-missing" Error "the column chunk has no metadata",
    ChunkType "chunk-type" Error "the physical type is not that of the schema",
    ChunkPath "chunk-path" Error "the path is not that of the schema",
    ChunkRange "chunk-range" Error "the column chunk does not lie between magic number and footer",
    ChunkCompressed "chunk-compressed" Error "total_compressed_size is not the sum of the pages with their headers",
    ChunkUncompressed "chunk-uncompressed" Warning "total_uncompressed_size is not the sum of the pages with their headers",
    ChunkValues "chunk-values" Error "num_values is not the sum of the pages",
    ChunkRows "chunk-rows" Error "the column chunk has another number of rows than its row group",
    DataPageOffset "data-page-offset" Error "data_page_offset is not that of the first data page",
    DictionaryOffset "dictionary-offset" Error "dictionary_page_offset is not that of the dictionary page",
    EncodingUnlisted "encoding-unlisted" Error "an encoding that pages use is not in the chunk's list",
    EncodingUnused "encoding-unused" Warning "an encoding in the chunk's list is used by no page",
    EncodingStats "encoding-stats" Error "encoding_stats does not count the pages that are there",
    // Pages.
    PageHeader "page-header" Error "the page header cannot be read",
    PageSize "page-size" Error "the page's size does not fit",
    PageCrc "page-crc" Error "the checksum is not that of the page's bytes",
    PageDecompress "page-decompress" Error "the page does not decompress to what its header says",
    DictionaryPage "dictionary-page" Error "the dictionary page cannot be decoded",
    DictionaryPlace "dictionary-place" Error "a column chunk has one dictionary page, before all data pages",
    DictionarySorted "dictionary-sorted" Warning "the dictionary's entries do not ascend, as is_sorted says",
    DictionaryIndex "dictionary-index" Error "an index is outside of the dictionary",
    Levels "levels" Error "the levels cannot be decoded",
    RowStart "row-start" Error "a row begins with a repetition level that is not 0",
    PageSplitsRow "page-splits-row" Error "a page with an offset index, or of version 2, begins inside a row",
    PageRows "page-rows" Error "num_rows of the page is not its number of rows",
    PageNulls "page-nulls" Error "num_nulls of the page is not its number of nulls",
    Values "values" Error "the values cannot be decoded",
    TrailingBytes "trailing-bytes" Warning "bytes follow the last value of a page",
    Utf8 "utf8" Error "text is not UTF-8",
    // Statistics, of chunks and of page headers.
    StatisticsMin "statistics-min" Error "min_value is no lower bound",
    StatisticsMax "statistics-max" Error "max_value is no upper bound",
    StatisticsExactness "statistics-exactness" Error "a bound that is said to be exact is no value of the column",
    StatisticsNulls "statistics-nulls" Error "null_count is not the number of nulls",
    StatisticsNans "statistics-nans" Error "nan_count is not the number of NaN values",
    StatisticsDistinct "statistics-distinct" Error "distinct_count is not the number of different values",
    StatisticsDeprecated "statistics-deprecated" Error "the deprecated min or max is no bound",
    BoundNan "bound-nan" Warning "a bound is NaN, so that readers ignore it",
    SizeBytes "size-bytes" Warning "unencoded_byte_array_data_bytes is not the size of the values",
    SizeRepetition "size-repetition" Error "the histogram of repetition levels is not that of the data",
    SizeDefinition "size-definition" Error "the histogram of definition levels is not that of the data",
    GeoBox "geo-box" Error "the bounding box does not hold all coordinates",
    GeoTypes "geo-types" Error "the types of geometries are not those of the data",
    // Page index.
    OffsetIndex "offset-index" Error "the offset index cannot be read",
    OffsetIndexPages "offset-index-pages" Error "the offset index has another number of pages than the chunk",
    OffsetIndexOffset "offset-index-offset" Error "the offset index has another offset than the page",
    OffsetIndexSize "offset-index-size" Error "the offset index has another size than the page",
    OffsetIndexRow "offset-index-row" Error "the offset index has another first row than the page",
    OffsetIndexBytes "offset-index-bytes" Warning "the offset index has another size of byte arrays than the page",
    ColumnIndex "column-index" Error "the column index cannot be read",
    ColumnIndexPages "column-index-pages" Error "the column index has another number of pages than the chunk",
    ColumnIndexNullPage "column-index-null-page" Error "null_pages does not say whether the page has values",
    ColumnIndexMin "column-index-min" Error "the page's lower bound in the column index is none",
    ColumnIndexMax "column-index-max" Error "the page's upper bound in the column index is none",
    ColumnIndexOrder "column-index-order" Error "the bounds are not sorted as boundary_order says",
    ColumnIndexNulls "column-index-nulls" Error "null_counts has another number of nulls than the page",
    ColumnIndexNans "column-index-nans" Error "nan_counts has another number of NaN values than the page",
    ColumnIndexRepetition "column-index-repetition" Error "the column index has another histogram of repetition levels than the page",
    ColumnIndexDefinition "column-index-definition" Error "the column index has another histogram of definition levels than the page",
    // Bloom filters.
    BloomFilter "bloom-filter" Error "the bloom filter cannot be read",
    BloomFilterSize "bloom-filter-size" Error "bloom_filter_length is not the size of header and bits",
    BloomFilterValue "bloom-filter-value" Error "the bloom filter denies a value of the column",
    // What could not be checked.
    Encrypted "encrypted" Note "what is encrypted was not checked",
    OtherFile "other-file" Note "pages in another file were not checked",
    Unsupported "unsupported" Note "what this build does not know was not checked",
    Limited "limited" Note "what takes more than the limits allow was not checked",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_findings_are_lines() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        let mut recorder = Recorder::new(Arc::new(Budgets::new([1, 0, 0])));
        let place = Spot { row_group: Some(1), ..Spot::default() };
        recorder.add(Code::FileRows, place, 3, 4);
        recorder.compare(Code::Gap, place, 1, 2);
        recorder.compare(Code::Gap, place, 1, 1);
        let report = recorder.report;
        assert_eq!((report.findings.len(), report.more, report.errors, report.warnings), (1, 1, 1, 1));
        let line = "error file-rows (row group 1): the number of rows of the file is not the sum of its row groups: expected 3, found 4";
        assert_eq!(report.findings[0].to_string(), line);
    }
}
