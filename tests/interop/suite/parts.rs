//! Files of others are also read in part: ranges of rows, and the rows that filters leave, are those of the whole read. What scans
//! passed over by statistics, page indexes and bloom filters is counted, so that a writer of them whose are never used is noticed.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use bytes::Bytes;
use herringbone::arrow::{Overflow, ParquetFile, ScanBuilder, ScanMetrics, Strings};
use herringbone::format::PhysicalType;

use crate::arrays::Random;
use crate::filters::cells::{self, Cell, Column};
use crate::filters::expressions::Naive;
use crate::text;

/// By what scans of a writer's files pass over rows, which is all of it that the writer writes. Polars gives each page the bounds of its
/// row group, so that its page indexes are of use for their counts of nulls only.
const USED: &[(&str, &[&str])] = &[
    ("pyarrow", &["statistics", "bloom filters", "page indexes"]),
    ("duckdb", &["statistics", "bloom filters"]),
    ("polars", &["statistics", "page indexes"]),
    ("spark", &["statistics", "bloom filters", "page indexes"]),
    ("official crate", &["statistics", "bloom filters", "page indexes"]),
];

/// What scans of a writer's files read and passed over.
#[derive(Debug, Default)]
pub struct Parts {
    ranges: usize,
    filters: usize,
    rows: u64,
    passed: u64,
    by_statistics: u64,
    by_bloom_filters: u64,
    by_page_indexes: u64,
}

impl Parts {
    /// Reads parts of a file, `times` each of some ranges, by a random filter and by one that excludes much.
    pub fn read(&mut self, bytes: &Bytes, random: &mut Random, times: usize) -> Result<(), String> {
        let file = ParquetFile::from_bytes(bytes.clone()).map_err(|error| error.to_string())?;
        let whole = collect(plain(&file), None)?.0;
        let columns = columns(&file, &whole);
        for _ in 0..times {
            self.read_ranges(&file, &whole, random)?;
            if !columns.is_empty() {
                self.read_filtered(&file, &whole, &columns, &Naive::random(random, &columns, &whole, 2))?;
            }
            if let Some(filter) = excluding(random, &columns, &whole) {
                self.read_filtered(&file, &whole, &columns, &filter)?;
            }
        }
        Ok(())
    }

    fn read_ranges(&mut self, file: &ParquetFile, whole: &RecordBatch, random: &mut Random) -> Result<(), String> {
        let ranges = ranges(random, whole.num_rows());
        let keep = (0..whole.num_rows()).map(|row| Some(ranges.iter().any(|range| range.contains(&row)))).collect();
        let rows = ranges.iter().map(|range| range.start as u64..range.end as u64);
        let found = collect(plain(file).rows(rows).batch_rows(1 + random.below(100)), Some(whole))?.0;
        self.ranges += 1;
        compare(&found, whole, &keep).map_err(|fault| format!("rows {ranges:?}: {fault}"))
    }

    fn read_filtered(&mut self, file: &ParquetFile, whole: &RecordBatch, columns: &[Column], filter: &Naive) -> Result<(), String> {
        let expr = filter.expr(columns);
        let keep = (0..whole.num_rows()).map(|row| filter.of(columns, whole, row)).collect();
        let (found, metrics) = collect(plain(file).filter(expr.clone()), Some(whole)).map_err(|error| format!("{expr}: {error}"))?;
        self.filters += 1;
        self.rows += metrics.rows;
        self.passed += metrics.rows_passed;
        self.by_statistics += metrics.rows_by_statistics;
        self.by_bloom_filters += metrics.rows_by_bloom_filters;
        self.by_page_indexes += metrics.rows_by_page_indexes;
        compare(&found, whole, &keep).map_err(|fault| format!("{expr}: {fault}"))
    }

    /// Everything that the writer writes to be passed over by was of use.
    pub fn assert_used(&self, writer: &str) {
        println!("{writer}: {self:?}");
        let rows = [("statistics", self.by_statistics), ("bloom filters", self.by_bloom_filters), ("page indexes", self.by_page_indexes)];
        let used: Vec<&str> = rows.iter().filter(|(_, rows)| *rows > 0).map(|(what, _)| *what).collect();
        let (_, expected) = USED.iter().find(|(name, _)| *name == writer).expect("a line for the writer");
        assert_eq!(used, *expected, "{writer}: {self:?}");
        assert!(self.passed > self.rows / 20 && self.passed < self.rows * 19 / 20, "{writer}: {self:?}");
    }
}

/// Rows that nearly ascend, enough of them that looking into page indexes pays.
pub fn many_rows() -> RecordBatch {
    let mut random = Random::new(1);
    let numbers: Int64Array = (0..MANY).map(|row| Some(row << 40 | (random.next() >> 24) as i64)).collect();
    let texts: StringArray = (0..MANY).map(|row| (row % 1000 > 300).then(|| format!("{row:05} {:016x}", random.next()))).collect();
    let columns = [("required", Arc::new(numbers) as ArrayRef, false), ("optional", Arc::new(texts), true)];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

const MANY: i64 = 10_000;

/// Up to three ranges that ascend.
pub fn ranges(random: &mut Random, rows: usize) -> Vec<Range<usize>> {
    let mut cuts: Vec<usize> = (0..2 * (1 + random.below(3))).map(|_| random.below(rows + 1)).collect();
    cuts.sort_unstable();
    cuts.chunks_exact(2).map(|cut| cut[0]..cut[1]).collect()
}

/// A scan of the types that naive filters know.
fn plain(file: &ParquetFile) -> ScanBuilder {
    file.scan().use_stored_schema(false).strings(Strings::Utf8).int96_overflow(Overflow::Null).threads(1)
}

/// The columns that filters are about. Of INT96, naive cells have a unit that not all values fit.
fn columns(file: &ParquetFile, whole: &RecordBatch) -> Vec<Column> {
    let schema = file.metadata().schema();
    let has_int96 = schema.leaves().iter().any(|leaf| leaf.physical_type == PhysicalType::Int96);
    let mut columns = cells::columns(schema, whole);
    columns.retain(|column| !has_int96 || !matches!(column.data_type, DataType::Timestamp(..)));
    columns
}

/// All rows of a scan as one batch, of the schema of the whole if that is known.
fn collect(scan: ScanBuilder, whole: Option<&RecordBatch>) -> Result<(RecordBatch, ScanMetrics), String> {
    let mut scan = scan.build().map_err(|error| error.to_string())?;
    let schema = whole.map_or_else(|| scan.schema(), |whole| whole.schema());
    let batches = scan.by_ref().collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let batch = concat_batches(&schema, &batches).map_err(|error| error.to_string())?;
    Ok((batch, scan.metrics()))
}

fn compare(found: &RecordBatch, whole: &RecordBatch, keep: &BooleanArray) -> Result<(), String> {
    let expected = filter_record_batch(whole, keep).map_err(|error| error.to_string())?;
    if *found == expected {
        return Ok(());
    }
    let (found, expected) = (text::rows(std::slice::from_ref(found)), text::rows(std::slice::from_ref(&expected)));
    match found.iter().zip(&expected).position(|(found, expected)| found != expected) {
        Some(row) => Err(format!("row {row} of what is left is {} instead of {}", found[row], expected[row])),
        None if found.len() != expected.len() => Err(format!("{} rows instead of {}", found.len(), expected.len())),
        // Batches may differ in what lies under nulls.
        None => Ok(()),
    }
}

/// A filter that excludes much: for a value next to one that is there, of which bloom filters know that it is not; for less than the
/// least, which statistics know; or for nulls, which page indexes count. None if there are no such values.
fn excluding(random: &mut Random, columns: &[Column], whole: &RecordBatch) -> Option<Naive> {
    let able: Vec<usize> = (0..columns.len()).filter(|column| columns[*column].compares).collect();
    let column = *able.get(random.below(able.len().max(1)))?;
    let data_type = &columns[column].data_type;
    let sayable = |cell: &Cell| cell.is_sayable(data_type);
    let values: Vec<Cell> = (0..whole.num_rows()).filter_map(|row| columns[column].cell(whole, row)).filter(sayable).collect();
    let some = values.get(random.below(values.len().max(1)))?.clone();
    match random.below(3) {
        0 => Some(some.beside(random.one_in(2))).filter(sayable).map(|value| Naive::Compare(column, EQUAL, value)),
        1 => values.into_iter().min_by(Cell::compare).map(|least| Naive::Compare(column, LESS, least)),
        _ => Some(Naive::Null(column)),
    }
}

/// The numbers of operators in `Naive::Compare`.
const EQUAL: u8 = 0;
const LESS: u8 = 2;
