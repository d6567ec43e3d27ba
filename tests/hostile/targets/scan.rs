//! Parts of test files: any projection, ranges and batch sizes give what reading everything gives, pulled and pushed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::Schema;
use arrow_select::concat::{concat, concat_batches};
use bytes::Bytes;
use herringbone::arrow::{ParquetFile, PushScan, PushStep, ScanBuilder};
#[cfg(any(feature = "async", feature = "rayon"))]
use herringbone::predicate::col;

use super::test_files;
use crate::arrow_write::arrays::Random;

thread_local! {
    /// Files that were read already, by their index.
    static READ: RefCell<HashMap<usize, Option<(ParquetFile, RecordBatch)>>> = RefCell::default();
}

pub fn run(data: &[u8]) {
    let mut random = Random::of_choices(data);
    let index = random.below(256) * 256 + random.below(256);
    let index = index % test_files().len();
    let (name, bytes) = &test_files()[index];
    READ.with_borrow_mut(|read| {
        let Some((file, all)) = read.entry(index).or_insert_with(|| read_all(bytes)) else { return };
        let part = Part::random(&mut random, all.schema_ref(), all.num_rows());
        let scan = part.of(file.scan()).verify_crc(random.one_in(2));
        let expected = part.expected(all);
        if random.one_in(4) {
            let mut pushed = scan.clone().push().unwrap_or_else(|error| panic!("{name}: {error}"));
            let batches = drive(&mut pushed, bytes).unwrap_or_else(|error| panic!("{name}, {part:?}, pushed: {error}"));
            part.compare(&concat_batches(&pushed.schema(), &batches).expect("batches of one schema"), &expected, name);
        }
        let scan = scan.build().unwrap_or_else(|error| panic!("{name}: {error}"));
        let (schema, announced) = (scan.schema(), scan.num_rows());
        let batches = scan.read_all().unwrap_or_else(|error| panic!("{name}, {part:?}: {error}"));
        assert!(batches.iter().all(|batch| batch.num_rows() <= part.batch_rows), "{name}: a batch of too many rows");
        let read = concat_batches(&schema, &batches).expect("batches of one schema");
        assert_eq!(read.num_rows() as u64, announced, "{name}, {part:?}: other rows than were announced");
        part.compare(&read, &expected, name);
    });
}

/// All of a file; `None` for files that are not to be read, and for those whose columns cannot be told apart by their names.
fn read_all(bytes: &Bytes) -> Option<(ParquetFile, RecordBatch)> {
    let file = ParquetFile::from_bytes(bytes.clone()).ok()?;
    let scan = file.scan().threads(1).build().ok()?;
    let schema = scan.schema();
    let batches = scan.read_all().ok()?;
    names_are_plain(&schema).then(|| (file, concat_batches(&schema, &batches).expect("batches of one schema")))
}

/// A way to scan a file: some part of it, and mostly a filter. `None` where columns cannot be told apart by their names.
#[cfg(any(feature = "async", feature = "rayon"))]
pub fn some_scan(random: &mut Random, file: &ParquetFile) -> Option<Box<dyn Fn(ScanBuilder) -> ScanBuilder>> {
    let schema = file.arrow_schema().ok()?;
    if !names_are_plain(&schema) {
        return None;
    }
    let part = Part::random(random, &schema, usize::try_from(file.metadata().num_rows()).ok()?);
    let leaves = file.metadata().schema().leaves();
    let path = leaves.get(random.below(leaves.len().max(1)))?.path.dotted();
    let column = || col(path);
    let filters = [column().gt_eq("k"), column().lt(20), column().gt_eq(0.5), column().eq(true), column().is_not_null()];
    let filter = filters.into_iter().skip(random.below(6)).find(|filter| filter.bind(file.metadata().schema()).is_ok());
    let numbered = random.one_in(2);
    Some(Box::new(move |scan| {
        let scan = part.of(scan);
        let scan = if numbered { scan.row_number("the row") } else { scan };
        match &filter {
            Some(filter) => scan.filter(filter.clone()),
            None => scan,
        }
    }))
}

fn names_are_plain(schema: &Schema) -> bool {
    let mut names: Vec<_> = schema.fields().iter().map(|field| field.name()).collect();
    names.sort();
    names.windows(2).all(|pair| pair[0] != pair[1]) && names.iter().all(|name| !name.contains('.'))
}

/// Gives a scan the bytes that it asks for.
fn drive(scan: &mut PushScan, bytes: &Bytes) -> herringbone::Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    loop {
        match scan.next()? {
            PushStep::Need(ranges) => {
                for range in ranges {
                    scan.push(range.start, bytes.slice(range.start as usize..range.end as usize));
                }
            }
            PushStep::Batch(batch) => batches.push(batch),
            PushStep::Done => return Ok(batches),
        }
    }
}

/// What of a file is read.
#[derive(Debug)]
pub struct Part {
    pub columns: Vec<usize>,
    names: Vec<String>,
    /// Ascending, without overlaps.
    pub ranges: Vec<Range<u64>>,
    pub offset: usize,
    pub limit: usize,
    batch_rows: usize,
}

impl Part {
    pub fn random(random: &mut Random, schema: &Schema, rows: usize) -> Self {
        let all = schema.fields().len();
        let mut columns: Vec<usize> = Vec::new();
        for _ in 0..random.below(5) {
            let column = random.below(all.max(1));
            if column < all && !columns.contains(&column) {
                columns.push(column);
            }
        }
        if columns.is_empty() {
            columns = (0..all).collect();
        }
        let mut ranges = Vec::new();
        if random.one_in(2) {
            ranges.push(0..rows as u64);
        } else {
            let mut end = 0;
            for _ in 0..random.below(8) {
                let start = (end + random.below(60) as u64).min(rows as u64);
                end = (start + random.below(60) as u64).min(rows as u64);
                ranges.push(start..end);
            }
        }
        Self {
            names: columns.iter().map(|column| schema.field(*column).name().clone()).collect(),
            columns,
            ranges,
            offset: if random.one_in(2) { random.below(100) } else { 0 },
            limit: if random.one_in(2) { random.below(200) } else { usize::MAX },
            batch_rows: 1 + random.below(256),
        }
    }

    pub fn of(&self, scan: ScanBuilder) -> ScanBuilder {
        let scan = scan.threads(1).columns(self.names.clone()).rows(self.ranges.clone()).offset(self.offset as u64);
        let scan = scan.batch_rows(self.batch_rows);
        if self.limit == usize::MAX { scan } else { scan.limit(self.limit as u64) }
    }

    fn expected(&self, all: &RecordBatch) -> Vec<ArrayRef> {
        let rows = rows_of(&self.ranges, self.offset, self.limit);
        self.columns.iter().map(|column| pick(all.column(*column), &rows)).collect()
    }

    fn compare(&self, read: &RecordBatch, expected: &[ArrayRef], name: &str) {
        assert_eq!(read.num_columns(), expected.len(), "{name}, {self:?}");
        for (column, expected) in expected.iter().enumerate() {
            let same = read.column(column).as_ref() == expected.as_ref();
            assert!(same, "{name}, {self:?}: {} has other values than in the whole file", read.schema().field(column).name());
        }
    }
}

/// What offset and limit leave of ranges.
pub fn rows_of(ranges: &[Range<u64>], mut offset: usize, mut limit: usize) -> Vec<Range<usize>> {
    let mut left = Vec::new();
    for range in ranges {
        let (start, end) = (range.start as usize, range.end as usize);
        let passed = offset.min(end - start);
        let taken = limit.min(end - start - passed);
        (offset, limit) = (offset - passed, limit - taken);
        left.push(start + passed..start + passed + taken);
    }
    left
}

fn pick(column: &ArrayRef, rows: &[Range<usize>]) -> ArrayRef {
    let parts: Vec<ArrayRef> = rows.iter().map(|range| column.slice(range.start, range.len())).collect();
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() { column.slice(0, 0) } else { concat(&parts).expect("parts of one column") }
}
