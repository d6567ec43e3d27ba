//! Options met with a schema: what each leaf column is written with, checked before a byte is.

use std::sync::Arc;

use crate::compression::{Compression, Compressor};
use crate::encoding::{Shape, encoder};
use crate::error::{Error, Result};
use crate::format::{Encoding, PhysicalType, SortingColumn};
use crate::metadata::Order;
use crate::schema::{Leaf, LogicalType, Schema};
use crate::write::column_options::MOST_PAGE_BYTES;
use crate::write::{
    BloomFilterOptions, ColumnOptions, ContentChunking, EncodingChoice, PageVersion, SortBy, StatisticsLevel, WriterOptions,
};

/// A schema and what each of its columns is written with. It is made once a file and shared by all that encode.
#[derive(Debug)]
pub struct WritePlan {
    schema: Arc<Schema>,
    options: WriterOptions,
    leaves: Vec<Arc<LeafSettings>>,
    sorting: Vec<SortingColumn>,
}

/// What a leaf column is written with.
#[derive(Debug)]
pub(crate) struct LeafSettings {
    pub(crate) leaf: Leaf,
    pub(crate) shape: Shape,
    pub(crate) order: Option<Order>,
    pub(crate) compression: Compression,
    pub(crate) values: ValueEncoding,
    pub(crate) page_bytes: usize,
    pub(crate) page_rows: usize,
    pub(crate) page_version: PageVersion,
    pub(crate) statistics: StatisticsLevel,
    pub(crate) distinct_counts: bool,
    pub(crate) column_index: bool,
    pub(crate) offset_index: bool,
    pub(crate) bloom_filter: Option<BloomFilterOptions>,
    pub(crate) truncation: Option<usize>,
    pub(crate) crc: bool,
    pub(crate) key_values: Vec<(String, Option<String>)>,
    pub(crate) chunking: Option<ContentChunking>,
    /// Whether and how it is checked that rows are sorted.
    pub(crate) sorted: Option<Sorted>,
    /// How many rows a row group will have, as far as is known.
    pub(crate) expected_rows: u64,
}

/// How the values of a column are encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ValueEncoding {
    /// The most bytes of a dictionary page, if there is a dictionary.
    pub(crate) dictionary: Option<usize>,
    /// Whether the dictionary is used without trying whether it pays.
    pub(crate) forced: bool,
    /// The encodings to choose from where there is no dictionary; the first one is the simplest.
    pub(crate) candidates: &'static [Encoding],
}

/// The order of a sorted column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sorted {
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

impl WritePlan {
    /// Checks options against a schema.
    ///
    /// # Errors
    /// `Usage` when a path names no column or group, an encoding is for another type, a codec's feature is off, or the rows
    /// are sorted by a column that has no order.
    pub fn new(schema: Arc<Schema>, options: WriterOptions) -> Result<Arc<Self>> {
        Self::with_classic(schema, options, |_| false)
    }

    /// As [`new`](Self::new); leaf columns of which `is_classic` is true get [classic](EncodingChoice::Classic) encodings where none is asked for.
    pub(crate) fn with_classic(schema: Arc<Schema>, options: WriterOptions, is_classic: impl Fn(&Leaf) -> bool) -> Result<Arc<Self>> {
        if schema.leaves().is_empty() {
            return Err(Error::usage("the schema has no columns: a Parquet file needs one at the least"));
        }
        let chosen = choices(&schema, &options)?;
        let sorting = sorting_columns(&schema, &options)?;
        let leaves = schema.leaves().iter().zip(&chosen);
        let leaves = leaves.map(|(leaf, column)| {
            let choice = if is_classic(leaf) { EncodingChoice::Classic } else { options.encodings };
            LeafSettings::new(leaf, column, &options, choice, &sorting).map(Arc::new).map_err(|error| error.in_column(leaf.path.dotted()))
        });
        let leaves = leaves.collect::<Result<_>>()?;
        Ok(Arc::new(Self { schema, options, leaves, sorting }))
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The options.
    pub fn options(&self) -> &WriterOptions {
        &self.options
    }

    /// What a leaf column is written with.
    pub(crate) fn leaf(&self, leaf: usize) -> Result<&Arc<LeafSettings>> {
        let leaves = self.leaves.len();
        self.leaves.get(leaf).ok_or_else(|| Error::usage(format!("there is no leaf column {leaf}: the schema has {leaves}")))
    }

    /// The columns that rows are sorted by.
    pub(crate) fn sorting(&self) -> &[SortingColumn] {
        &self.sorting
    }
}

/// The options of each leaf, those of the longest path first in rank.
fn choices(schema: &Schema, options: &WriterOptions) -> Result<Vec<ColumnOptions>> {
    let mut chosen: Vec<_> = schema.leaves().iter().map(|leaf| without_useless_filter(&options.columns, leaf)).collect();
    let mut by_path: Vec<_> = options.by_path.iter().collect();
    // A path that is inside another one is longer; sorting keeps the order of equal ones.
    by_path.sort_by_key(|(path, _)| path.len());
    for (path, column) in by_path {
        let field = schema.field(path).ok_or_else(|| no_such_column(schema, path))?;
        for index in field.leaves() {
            if let (Some(chosen), Some(leaf)) = (chosen.get_mut(index), schema.leaves().get(index)) {
                *chosen = if field.fields().is_empty() { column.or(chosen) } else { without_useless_filter(column, leaf).or(chosen) };
            }
        }
    }
    Ok(chosen)
}

/// Options of many columns, for one of them: a filter of two values would tell nothing, and is refused only if that column was meant.
fn without_useless_filter(many: &ColumnOptions, leaf: &Leaf) -> ColumnOptions {
    let mut options = many.clone();
    if leaf.physical_type == PhysicalType::Boolean {
        options.bloom_filter = None;
    }
    options
}

/// Refuses a path that leads nowhere.
#[cold]
pub(crate) fn no_such_column(schema: &Schema, path: &str) -> Error {
    Error::usage(format!("the schema has no column or group `{path}`; it has {}", schema.names_near(path)))
}

fn sorting_columns(schema: &Schema, options: &WriterOptions) -> Result<Vec<SortingColumn>> {
    let mut columns = Vec::new();
    for SortBy { column, descending, nulls_first } in &options.sorting {
        let unknown =
            || format!("rows cannot be sorted by `{column}`: there is no such column; the schema has {}", schema.names_near(column));
        let leaf = schema.leaf(column).ok_or_else(|| Error::usage(unknown()))?;
        if options.check_sorting && leaf.max_repetition_level > 0 {
            let error = "rows are not sorted by a column with several values a row: turn off check_sorting, or sort by another";
            return Err(Error::usage(error).in_column(column.clone()));
        }
        if options.check_sorting && Order::by_type(leaf).is_none() {
            return Err(Error::usage("the format defines no order for the column's type to check sorting by").in_column(column.clone()));
        }
        let index = i32::try_from(leaf.index).map_err(|_| Error::usage("more than 2^31 columns"))?;
        if columns.iter().any(|other: &SortingColumn| other.column_idx == index) {
            return Err(Error::usage("rows are sorted by the same column twice").in_column(column.clone()));
        }
        columns.push(SortingColumn { column_idx: index, descending: *descending, nulls_first: *nulls_first });
    }
    Ok(columns)
}

impl LeafSettings {
    fn new(
        leaf: &Leaf,
        column: &ColumnOptions,
        options: &WriterOptions,
        choice: EncodingChoice,
        sorting: &[SortingColumn],
    ) -> Result<Self> {
        column.check()?;
        let compression = column.compression.unwrap_or_default();
        // Refuses codecs that this build lacks.
        Compressor::new(compression)?;
        let shape = Shape { physical_type: leaf.physical_type, width: leaf.type_length };
        let statistics = column.statistics.unwrap_or_default();
        let order = Order::by_type(leaf);
        // Where the content decides, size and rows do not unless they are asked for.
        let (page_bytes, page_rows) = match options.chunking {
            Some(_) => (MOST_PAGE_BYTES, i32::MAX as usize),
            None => (1 << 20, 20_000),
        };
        let sorted = sorting.iter().find(|sorted| usize::try_from(sorted.column_idx) == Ok(leaf.index));
        Ok(Self {
            values: value_encoding(leaf, shape, column, choice)?,
            order,
            compression,
            page_bytes: column.page_bytes.unwrap_or(page_bytes),
            page_rows: column.page_rows.unwrap_or(page_rows),
            page_version: column.page_version.unwrap_or_default(),
            statistics,
            distinct_counts: column.distinct_counts.unwrap_or(false),
            column_index: column.column_index.unwrap_or(true) && statistics != StatisticsLevel::None && options.offset_index,
            offset_index: options.offset_index,
            bloom_filter: checked_bloom_filter(column, leaf)?,
            truncation: column.truncation.unwrap_or(Some(64)),
            crc: column.crc.unwrap_or(true),
            key_values: column.key_values.clone(),
            chunking: options.chunking,
            sorted: sorted
                .filter(|_| options.check_sorting)
                .map(|sorted| Sorted { descending: sorted.descending, nulls_first: sorted.nulls_first }),
            expected_rows: options.row_group_rows,
            leaf: leaf.clone(),
            shape,
        })
    }

    /// Whether values are well-known binary, which has statistics of its own.
    pub(crate) fn is_geospatial(&self) -> bool {
        matches!(self.leaf.logical_type, Some(LogicalType::Geometry { .. } | LogicalType::Geography { .. }))
    }

    /// Whether bounds stay UTF-8 when they are cut.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.leaf.logical_type, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json))
    }
}

fn checked_bloom_filter(column: &ColumnOptions, leaf: &Leaf) -> Result<Option<BloomFilterOptions>> {
    let bloom_filter = column.bloom_filter.flatten();
    if bloom_filter.is_some() && leaf.physical_type == PhysicalType::Boolean {
        return Err(Error::usage("a bloom filter of BOOLEAN values would tell nothing: leave it out"));
    }
    Ok(bloom_filter)
}

/// What the type allows of what is asked for.
fn value_encoding(leaf: &Leaf, shape: Shape, column: &ColumnOptions, choice: EncodingChoice) -> Result<ValueEncoding> {
    let has_dictionary = !matches!(leaf.physical_type, PhysicalType::Boolean | PhysicalType::Unknown(_));
    let limit = column.dictionary_bytes.unwrap_or(1 << 20);
    let asked = column.encoding.flatten();
    if asked == Some(Encoding::RleDictionary) && !has_dictionary {
        return Err(Error::usage(format!("{} values cannot be encoded as RLE_DICTIONARY", leaf.physical_type)));
    }
    let candidates = match asked {
        None | Some(Encoding::RleDictionary) => candidates(leaf.physical_type, choice),
        Some(encoding) => {
            encoder(encoding, shape)?;
            single(encoding)
        }
    };
    let wanted = match asked {
        None => column.dictionary.unwrap_or(true),
        Some(Encoding::RleDictionary) => true,
        Some(_) => column.dictionary.unwrap_or(false),
    };
    Ok(ValueEncoding {
        dictionary: (wanted && has_dictionary).then_some(limit),
        forced: asked == Some(Encoding::RleDictionary),
        candidates,
    })
}

/// What is tried where nothing is asked for.
fn candidates(physical_type: PhysicalType, choice: EncodingChoice) -> &'static [Encoding] {
    match (physical_type, choice) {
        (PhysicalType::Int32 | PhysicalType::Int64, EncodingChoice::Modern) => &[Encoding::Plain, Encoding::DeltaBinaryPacked],
        (PhysicalType::ByteArray, EncodingChoice::Modern) => &[Encoding::DeltaLengthByteArray],
        _ => &[Encoding::Plain],
    }
}

/// A list of one encoding.
fn single(encoding: Encoding) -> &'static [Encoding] {
    match encoding {
        Encoding::Rle => &[Encoding::Rle],
        Encoding::DeltaBinaryPacked => &[Encoding::DeltaBinaryPacked],
        Encoding::DeltaLengthByteArray => &[Encoding::DeltaLengthByteArray],
        Encoding::DeltaByteArray => &[Encoding::DeltaByteArray],
        Encoding::ByteStreamSplit => &[Encoding::ByteStreamSplit],
        Encoding::Alp => &[Encoding::Alp],
        _ => &[Encoding::Plain],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::write::WriterOptionsBuilder;

    fn schema() -> Arc<Schema> {
        let text = "message m { required int32 i; optional group a { required binary s (UTF8); repeated group b { optional double d; optional boolean t; } } optional int96 z; }";
        Arc::new(text.parse().unwrap())
    }

    fn plan(builder: WriterOptionsBuilder) -> Result<Arc<WritePlan>> {
        WritePlan::new(schema(), builder.build().unwrap())
    }

    #[test]
    fn longer_paths_win_over_shorter_ones_whatever_their_order() {
        let plan = plan(
            WriterOptions::builder()
                .column("a.b.d", ColumnOptions::new().page_rows(4).key_value("k", Some("d".to_owned())))
                .column("a", ColumnOptions::new().page_rows(2).page_bytes(22).key_value("k", Some("a".to_owned())))
                .column("a.b", ColumnOptions::new().page_rows(3))
                .columns(ColumnOptions::new().page_rows(1).crc(false)),
        )
        .unwrap();
        let rows: Vec<_> = (0..5).map(|leaf| plan.leaf(leaf).unwrap().page_rows).collect();
        assert_eq!(rows, [1, 2, 4, 3, 1]);
        let bytes: Vec<_> = (0..5).map(|leaf| plan.leaf(leaf).unwrap().page_bytes).collect();
        assert_eq!(bytes, [1 << 20, 22, 22, 22, 1 << 20]);
        assert!(!plan.leaf(2).unwrap().crc);
        assert_eq!(plan.leaf(2).unwrap().key_values.len(), 2);
        assert!(plan.leaf(5).is_err());
    }

    #[test]
    fn options_that_do_not_fit_the_schema_are_refused() {
        let column = |path: &str, column| WriterOptions::builder().column(path, column);
        let encoding = |path: &str, encoding| column(path, ColumnOptions::new().encoding(encoding));
        let sorted = |path: &str| WriterOptions::builder().sorting([SortBy::ascending(path)]).check_sorting(true);
        let cases = [
            (column("a.c", ColumnOptions::new()), "no column or group `a.c`; it has a.s, a.b.d, a.b.t"),
            (column("c", ColumnOptions::new()), "no column or group `c`; it has i, a, z"),
            (encoding("i", Encoding::DeltaByteArray), "INT32 values cannot be encoded as DELTA_BYTE_ARRAY"),
            (encoding("a", Encoding::Rle), "(column a.s)"),
            (encoding("a.b.t", Encoding::RleDictionary), "BOOLEAN"),
            (encoding("z", Encoding::ByteStreamSplit), "INT96"),
            (column("a.b.t", ColumnOptions::new().bloom_filter(BloomFilterOptions::default())), "bloom filter"),
            (sorted("nobody"), "`nobody`"),
            (sorted("a"), "`a`"),
            (sorted("a.b.d"), "several values a row"),
            (sorted("z"), "no order"),
            (WriterOptions::builder().sorting([SortBy::ascending("i"), SortBy::ascending("i")]), "twice"),
        ];
        for (builder, says) in cases {
            let error = plan(builder).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(says), "{error} lacks {says:?}");
        }
    }

    #[test]
    fn filters_of_all_columns_leave_out_booleans() {
        let bloom = || ColumnOptions::new().bloom_filter(BloomFilterOptions::default());
        for builder in [WriterOptions::builder().columns(bloom()), WriterOptions::builder().column("a", bloom())] {
            let plan = plan(builder).unwrap();
            let filters: Vec<_> = (1..4).map(|leaf| plan.leaf(leaf).unwrap().bloom_filter.is_some()).collect();
            assert_eq!(filters, [true, true, false]);
        }
    }

    #[test]
    fn dictionaries_are_the_default_unless_an_encoding_is_chosen() {
        let plan = plan(
            WriterOptions::builder()
                .column("a.s", ColumnOptions::new().encoding(Encoding::Plain))
                .column("a.b.d", ColumnOptions::new().encoding(Encoding::ByteStreamSplit).dictionary(true))
                .column("z", ColumnOptions::new().encoding(Encoding::RleDictionary).dictionary_bytes(7)),
        )
        .unwrap();
        let values = |leaf| plan.leaf(leaf).unwrap().values;
        const ALL: [Encoding; 2] = [Encoding::Plain, Encoding::DeltaBinaryPacked];
        assert_eq!(values(0), ValueEncoding { dictionary: Some(1 << 20), forced: false, candidates: &ALL });
        assert_eq!(values(1), ValueEncoding { dictionary: None, forced: false, candidates: &[Encoding::Plain] });
        assert_eq!(values(2), ValueEncoding { dictionary: Some(1 << 20), forced: false, candidates: &[Encoding::ByteStreamSplit] });
        assert_eq!(values(3), ValueEncoding { dictionary: None, forced: false, candidates: &[Encoding::Plain] });
        assert_eq!(values(4), ValueEncoding { dictionary: Some(7), forced: true, candidates: &[Encoding::Plain] });
    }
}
