//! The options of Parquet files, as flags.

use std::str::FromStr;

use clap::ValueEnum;
use herringbone::compression::Compression;
use herringbone::schema::TimeUnit;
use herringbone::write::{
    BloomFilterOptions, ColumnOptions, ContentChunking, EncodingChoice, PageVersion, SortBy, StatisticsLevel, WriterOptions,
    WriterOptionsBuilder,
};

use crate::failure::{Failure, Result};
use crate::input::Columns;
use crate::sort::Sorting;
use crate::threads::Threads;

/// How a Parquet file is written. What is not given is chosen by the writer.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Parquet output")]
pub struct WriterArgs {
    /// The codec of all columns and its level: zstd:3, snappy, gzip:6, lz4_raw, brotli:5, none
    #[arg(long, value_name = "CODEC[:LEVEL]")]
    pub compression: Option<Compression>,
    /// Options of a column, or of all columns below a group: compression, encoding, dictionary, dictionary_bytes, page_bytes,
    /// page_rows, page_version, statistics, distinct_counts, column_index, bloom, truncation, crc; may be repeated
    #[arg(long, value_name = "PATH:KEY=VALUE,…")]
    column: Vec<ColumnArg>,
    /// The same options, for all columns; flags of their own, such as --compression, go before them
    #[arg(long, value_name = "KEY=VALUE,…")]
    every_column: Option<ColumnOptions>,
    /// The version of data pages: 1, which every reader knows, or 2
    #[arg(long, value_name = "1|2", value_parser = clap::value_parser!(u8).range(1..=2))]
    page_version: Option<u8>,
    /// The most rows of a row group
    #[arg(long, value_name = "N")]
    row_group_rows: Option<u64>,
    /// About the most bytes of a row group in the file: 64MiB, 1GiB
    #[arg(long, value_name = "SIZE")]
    row_group_bytes: Option<Size>,
    /// About the bytes of a data page before compression: 64KiB
    #[arg(long, value_name = "SIZE")]
    page_bytes: Option<Size>,
    /// The most rows of a data page
    #[arg(long, value_name = "N")]
    page_rows: Option<usize>,
    /// Use no dictionaries
    #[arg(long)]
    no_dictionary: bool,
    /// The most bytes of a dictionary
    #[arg(long, value_name = "SIZE", conflicts_with = "no_dictionary")]
    dictionary_bytes: Option<Size>,
    /// The encodings to choose from where none is asked for
    #[arg(long, value_enum, value_name = "WHICH")]
    encodings: Option<EncodingsArg>,
    /// Sorts all rows, which have to fit into --memory, and says so in the file: 'a,b desc nulls first'; names with commas stand
    /// in double quotes, nulls come last unless it is said
    #[arg(long, value_name = "A,B desc,…", conflicts_with = "sorted_by")]
    pub sort_by: Option<Sorting>,
    /// Says in the file that its row groups are sorted so, and fails if they are not
    #[arg(long, value_name = "A,B desc,…")]
    sorted_by: Option<Sorting>,
    /// Which statistics are written: none, those of column chunks and of pages in the page index, or also in page headers
    #[arg(long, value_enum, value_name = "WHICH")]
    statistics: Option<StatisticsArg>,
    /// To how many bytes least and greatest values of text and bytes are cut; `none` leaves them whole
    #[arg(long, value_name = "N|none")]
    truncation: Option<Truncation>,
    /// Write the number of different values where a dictionary tells it
    #[arg(long)]
    distinct_counts: bool,
    /// Write no column index: the places of pages, but not their least and greatest values
    #[arg(long)]
    no_column_index: bool,
    /// Write no page index at all
    #[arg(long)]
    no_page_index: bool,
    /// Write bloom filters of these columns: names or dotted paths, separated by commas
    #[arg(long, value_name = "A,B.C")]
    bloom: Vec<Columns>,
    /// Leave out the Arrow schema, in which readers find the types that Parquet cannot hold
    #[arg(long)]
    pub no_arrow_schema: bool,
    /// How all timestamps are stored
    #[arg(long, value_enum, value_name = "UNIT")]
    timestamps: Option<TimestampsArg>,
    /// Cut off what timestamps and times have below the unit that they are stored in, instead of failing
    #[arg(long)]
    allow_truncation: bool,
    /// Store decimals of up to 18 digits as bytes, not as integers
    #[arg(long)]
    decimals_as_bytes: bool,
    /// Write for old versions of Spark: INT96 timestamps, names without characters that Spark refuses
    #[arg(long)]
    spark: bool,
    /// The format's version that the footer claims
    #[arg(long, value_name = "1|2")]
    format_version: Option<i32>,
    /// Cut pages by their content, so that a file with some rows changed has most pages in common with the file before; the least
    /// and most bytes of a page and a level from -3 to 3 can be given: =256KiB,1MiB,0. Sizes of pages that are given besides end pages as well
    #[arg(long, value_name = "MIN,MAX,LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "256KiB,1MiB,0")]
    content_defined_chunking: Option<Chunking>,
    /// Write no checksums of pages
    #[arg(long)]
    no_crc: bool,
    /// Adds an entry of application metadata; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub key_value: Vec<KeyValue>,
    /// The name of the schema's root
    #[arg(long, value_name = "NAME")]
    root_name: Option<String>,
    /// Who is said to have written the file
    #[arg(long, value_name = "TEXT")]
    created_by: Option<String>,
    /// Memory that writing may take, about, and sorting for the rows: 512MiB, 4GiB [default: 2GiB]
    #[arg(long, value_name = "SIZE")]
    memory: Option<Size>,
}

impl WriterArgs {
    /// Whether nothing was asked for.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing was asked for that needs columns to be encoded.
    pub fn only_key_values(&self) -> bool {
        *self == Self { key_value: self.key_value.clone(), ..Self::default() }
    }

    /// Bytes of memory for rows that are sorted.
    pub fn sort_memory(&self) -> u64 {
        self.memory.map_or_else(|| WriterOptions::default().memory_bytes() as u64, |size| size.0)
    }

    /// The options, checked as far as they can be without a schema.
    pub fn options(&self, threads: &Threads) -> Result<WriterOptions> {
        let builder = WriterOptions::builder().columns(self.every_column()).threads(threads.of_options());
        let builder = self.with_values(self.with_file(self.with_columns(builder)));
        Ok(builder.build()?)
    }

    fn every_column(&self) -> ColumnOptions {
        let mut column = self.every_column.clone().unwrap_or_default();
        if let Some(compression) = self.compression {
            column = column.compression(compression);
        }
        if let Some(version) = self.page_version {
            column = column.page_version(if version == 2 { PageVersion::V2 } else { PageVersion::V1 });
        }
        if let Some(bytes) = self.page_bytes {
            column = column.page_bytes(bytes.in_memory());
        }
        if let Some(rows) = self.page_rows {
            column = column.page_rows(rows);
        }
        if let Some(bytes) = self.dictionary_bytes {
            column = column.dictionary_bytes(bytes.in_memory());
        }
        if let Some(statistics) = self.statistics {
            column = column.statistics(statistics.into());
        }
        if let Some(Truncation(bytes)) = self.truncation {
            column = column.truncation(bytes);
        }
        if self.no_dictionary {
            column = column.dictionary(false);
        }
        if self.no_column_index {
            column = column.column_index(false);
        }
        if self.distinct_counts {
            column = column.distinct_counts(true);
        }
        if self.no_crc { column.crc(false) } else { column }
    }

    fn with_columns(&self, mut builder: WriterOptionsBuilder) -> WriterOptionsBuilder {
        for path in self.bloom.iter().flat_map(|Columns(paths)| paths) {
            builder = builder.column(path, ColumnOptions::new().bloom_filter(BloomFilterOptions::default()));
        }
        for ColumnArg { path, options } in &self.column {
            builder = builder.column(path, options.clone());
        }
        builder
    }

    fn with_file(&self, mut builder: WriterOptionsBuilder) -> WriterOptionsBuilder {
        if let Some(rows) = self.row_group_rows {
            builder = builder.row_group_rows(rows);
        }
        if let Some(Size(bytes)) = self.row_group_bytes {
            builder = builder.row_group_bytes(bytes);
        }
        if let Some(encodings) = self.encodings {
            builder = builder.encodings(encodings.into());
        }
        if let Some(sorting) = self.sorting() {
            builder = builder.sorting(sorting.iter().cloned()).check_sorting(true);
        }
        if let Some(version) = self.format_version {
            builder = builder.format_version(version);
        }
        if let Some(Chunking(chunking)) = self.content_defined_chunking {
            builder = builder.content_chunking(chunking);
        }
        for KeyValue { key, value } in &self.key_value {
            builder = builder.key_value(key, value.clone());
        }
        if let Some(created_by) = &self.created_by {
            builder = builder.created_by(created_by);
        }
        if let Some(memory) = self.memory {
            builder = builder.memory_bytes(memory.in_memory());
        }
        builder.offset_index(!self.no_page_index)
    }

    fn with_values(&self, mut builder: WriterOptionsBuilder) -> WriterOptionsBuilder {
        match self.timestamps {
            None => {}
            Some(TimestampsArg::Int96) => builder = builder.int96_timestamps(true),
            Some(TimestampsArg::Ms) => builder = builder.timestamp_unit(TimeUnit::Millis),
            Some(TimestampsArg::Us) => builder = builder.timestamp_unit(TimeUnit::Micros),
            Some(TimestampsArg::Ns) => builder = builder.timestamp_unit(TimeUnit::Nanos),
        }
        if let Some(name) = &self.root_name {
            builder = builder.root_name(name);
        }
        if self.spark {
            builder = builder.spark();
        }
        builder.stored_schema(!self.no_arrow_schema).allow_truncation(self.allow_truncation).decimals_as_integers(!self.decimals_as_bytes)
    }

    fn sorting(&self) -> Option<&[SortBy]> {
        self.sort_by.as_ref().or(self.sorted_by.as_ref()).map(|Sorting(columns)| columns.as_slice())
    }

    /// Refuses all flags where no Parquet file is written.
    pub fn refuse_unless_default(&self, instead: &str) -> Result {
        match self.is_default() {
            true => Ok(()),
            false => Err(Failure::Usage(format!("options of Parquet files were given, but {instead}"))),
        }
    }
}

/// Which encodings are chosen from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EncodingsArg {
    /// PLAIN and dictionaries, which every reader knows
    Classic,
    /// Also the delta encodings
    Modern,
}

impl From<EncodingsArg> for EncodingChoice {
    fn from(encodings: EncodingsArg) -> Self {
        match encodings {
            EncodingsArg::Classic => EncodingChoice::Classic,
            EncodingsArg::Modern => EncodingChoice::Modern,
        }
    }
}

/// Which statistics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatisticsArg {
    /// None
    None,
    /// Of column chunks, and of pages in the page index
    Chunk,
    /// In the headers of pages as well
    Page,
}

impl From<StatisticsArg> for StatisticsLevel {
    fn from(statistics: StatisticsArg) -> Self {
        match statistics {
            StatisticsArg::None => StatisticsLevel::None,
            StatisticsArg::Chunk => StatisticsLevel::Chunk,
            StatisticsArg::Page => StatisticsLevel::Page,
        }
    }
}

/// How timestamps are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TimestampsArg {
    /// Milliseconds
    Ms,
    /// Microseconds
    Us,
    /// Nanoseconds
    Ns,
    /// INT96, which the format has given up and old readers want
    Int96,
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl Size {
    /// As a size of something in memory.
    pub fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => Some(1),
            "k" | "kib" => Some(1 << 10),
            "m" | "mib" => Some(1 << 20),
            "g" | "gib" => Some(1 << 30),
            "kb" => Some(1_000),
            "mb" => Some(1_000_000),
            "gb" => Some(1_000_000_000),
            _ => None,
        };
        let number: Option<u64> = number.parse().ok();
        let bytes = number.zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
        bytes
            .map(Size)
            .ok_or_else(|| "write a whole number and a unit: 65536, 64KiB, 128MiB, 1GiB (kB, MB and GB count in thousands)".to_owned())
    }
}

/// A column and what is chosen for it.
#[derive(Clone, Debug, PartialEq)]
struct ColumnArg {
    path: String,
    options: ColumnOptions,
}

impl FromStr for ColumnArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A path may have colons, and so may values: the colon between them is the last one before the first value.
        let first_value = text.find('=').unwrap_or(text.len());
        let colon = text.get(..first_value).and_then(|head| head.rfind(':'));
        let Some((path, rest)) = colon.and_then(|colon| text.split_at_checked(colon)) else {
            return Err("write the column, a colon and its options: price:encoding=byte_stream_split,compression=zstd:3".to_owned());
        };
        let options = rest.trim_start_matches(':').parse::<ColumnOptions>().map_err(|error| error.to_string())?;
        match options == ColumnOptions::new() {
            true => Err(format!("no option of {path} is given: write key=value after the colon")),
            false => Ok(Self { path: path.trim().to_owned(), options }),
        }
    }
}

/// An entry of application metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// What it is called.
    pub key: String,
    /// What it says.
    pub value: String,
}

impl FromStr for KeyValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self { key: key.to_owned(), value: value.to_owned() }),
            _ => Err("write KEY=VALUE".to_owned()),
        }
    }
}

/// To how many bytes bounds are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Truncation(Option<usize>);

impl FromStr for Truncation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("none", _) => Ok(Self(None)),
            (_, Ok(bytes)) => Ok(Self(Some(bytes))),
            _ => Err("write a number of bytes, or none".to_owned()),
        }
    }
}

/// How pages are cut by their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunking(ContentChunking);

impl FromStr for Chunking {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let mut size = |default: usize| match parts.next() {
            Some(part) => part.parse::<Size>().map(Size::in_memory),
            None => Ok(default),
        };
        let default = ContentChunking::default();
        let (min_bytes, max_bytes) = (size(default.min_bytes)?, size(default.max_bytes)?);
        let norm_level = parts.next().map_or(Ok(default.norm_level), |level| level.trim().parse());
        let norm_level = norm_level.map_err(|_| "the level is a whole number from -3 to 3".to_owned())?;
        match parts.next() {
            None => Ok(Self(ContentChunking { min_bytes, max_bytes, norm_level })),
            Some(_) => Err("write the least and the most bytes of a page and a level: 256KiB,1MiB,0".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("7", 7), ("64KiB", 65_536), ("64k", 65_536), ("1 MiB", 1 << 20), ("2g", 2 << 30), ("3kB", 3000), ("0", 0)] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "KiB", "-1", "1.5MiB", "1 TB", "99999999999GiB", "1x"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn columns_and_their_options() {
        let page_rows = ColumnOptions::new().page_rows(7);
        for (text, path) in [("a:page_rows=7", "a"), ("a:b.c:page_rows=7", "a:b.c"), ("a b : page_rows = 7", "a b")] {
            assert_eq!(text.parse(), Ok(ColumnArg { path: path.to_owned(), options: page_rows.clone() }), "{text}");
        }
        let zstd: ColumnArg = "a:compression=zstd:3".parse().unwrap();
        assert_eq!(zstd.options, ColumnOptions::new().compression(Compression::zstd(3).unwrap()));
        for (text, says) in [
            ("a", "a colon and its options"),
            ("page_rows=7", "a colon and its options"),
            ("a:", "key=value after the colon"),
            ("a:rows=7", "no option `rows`"),
            ("a:encoding=rle9", "no encoding"),
        ] {
            let error = text.parse::<ColumnArg>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn chunking_has_defaults() {
        let chunking = |min_bytes, max_bytes, norm_level| Ok(Chunking(ContentChunking { min_bytes, max_bytes, norm_level }));
        assert_eq!("256KiB,1MiB,0".parse(), chunking(256 << 10, 1 << 20, 0));
        assert_eq!("256KiB,1MiB,0".parse::<Chunking>().unwrap().0, ContentChunking::default(), "what the flag alone stands for");
        assert_eq!("1k,2k,-2".parse(), chunking(1 << 10, 2 << 10, -2));
        assert_eq!("1k".parse(), chunking(1 << 10, 1 << 20, 0));
        assert!("1k,2k,x".parse::<Chunking>().is_err() && "1k,2k,0,0".parse::<Chunking>().is_err() && "".parse::<Chunking>().is_err());
    }
}
