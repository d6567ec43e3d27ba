//! Other ways to the same rows: filtered scans, scans whose bytes are pushed, streams, and scans on several threads give what a plain scan gives, and
//! fail where it fails.

use std::ops::Range;
#[cfg(feature = "rayon")]
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::Error;
use herringbone::arrow::{ParquetFile, PushScan, PushStep, ScanBuilder};
use herringbone::predicate::{Expr, col};
use herringbone::read::{FooterStep, PushFooter};
use herringbone::schema::Schema;

use crate::mutate::limits;
use crate::reading::{ROWS, measured};

/// Rows beyond these bytes are not kept for comparing.
const KEPT: usize = 8 << 20;

/// A scan that asks for bytes more often than this does not end.
const STEPS: usize = 10_000;

/// Which of the other ways gave rows where the plain scan did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agreement {
    /// A function that keeps all rows was asked for each.
    pub kept: bool,
    /// An expression left these rows.
    pub filtered: Option<usize>,
    /// Footer and pages were pushed.
    pub pushed: bool,
    /// They were fetched for a stream.
    pub streamed: bool,
    /// Two threads decoded them.
    pub together: bool,
}

/// Reads `bytes` by a filtered scan, by pushing and as a stream, under the limits of time and memory, and holds the rows against
/// those of a plain scan.
pub fn agree(bytes: &Bytes) -> Result<Agreement, String> {
    let plain = Plain::read(bytes);
    let (agreement, _) = measured(|| {
        Ok(Agreement {
            kept: plain.same("a filter that keeps all", filtered_by_function(bytes), Strict::Rows)?,
            filtered: plain.chosen(bytes)?,
            pushed: plain.same("a pushed scan", pushed(bytes), Strict::RowsAndErrors)?,
            ..Agreement::default()
        })
    })?;
    // Not measured: others work beside this thread.
    Ok(Agreement {
        #[cfg(feature = "async")]
        streamed: plain.same("a stream", streamed(bytes), Strict::RowsAndErrors)?,
        #[cfg(feature = "rayon")]
        together: plain.same("a scan on two threads", together(bytes), Strict::RowsAndErrors)?,
        ..agreement
    })
}

/// What another scan has in common with a plain one.
#[derive(Clone, Copy, PartialEq)]
enum Strict {
    /// The rows. It may do without what is broken: filters do not look behind the last row that is wanted.
    Rows,
    /// And that it fails where the plain one does.
    RowsAndErrors,
}

/// What a plain scan gave, as far as it was kept.
struct Plain {
    rows: Result<RecordBatch, Error>,
    /// The number of each row in the file: a row group without its chunks' metadata counts, but has no rows to give.
    numbers: Vec<i64>,
    /// Whether these are all.
    whole: bool,
}

/// The rows of another scan, each batch looked at as it comes.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch, Error>>>;

fn plain(file: &ParquetFile) -> ScanBuilder {
    file.scan().threads(1).batch_rows(1000)
}

fn batches(scan: ScanBuilder) -> Result<Batches, Error> {
    Ok(Box::new(scan.build()?))
}

impl Plain {
    fn read(bytes: &Bytes) -> Self {
        let (mut kept, mut size, mut whole) = (Vec::new(), 0, true);
        let mut numbers = Vec::new();
        let rows = ParquetFile::from_source_with(bytes.clone(), limits()).and_then(|file| {
            let schema = plain(&file).rows([first_rows(&file)]).build()?.schema();
            for batch in numbered(plain(&file).rows([first_rows(&file)]))? {
                let (batch, of_batch) = batch?;
                numbers.extend(of_batch);
                size += batch.get_array_memory_size();
                match size <= KEPT {
                    true => kept.push(batch),
                    false => whole = false,
                }
            }
            Ok(concat_batches(&schema, &kept).expect("batches of one schema"))
        });
        Self { rows, numbers, whole }
    }

    /// Whether another scan gave rows too, which have to be the same; if this one failed, it has to fail.
    fn same(&self, name: &str, other: Result<Batches, Error>, strict: Strict) -> Result<bool, String> {
        let rows = match &self.rows {
            Ok(rows) => rows,
            Err(plain) => {
                let failed = other.and_then(|batches| batches.map(|batch| batch.map(drop)).collect::<Result<Vec<()>, _>>());
                return match failed {
                    Err(error) if error.to_string().contains("panicked") => Err(format!("{name}: {error}")),
                    Ok(_) if strict == Strict::RowsAndErrors => Err(format!("{name} does not fail, a plain scan does: {plain}")),
                    _ => Ok(false),
                };
            }
        };
        let failed = |error: Error| format!("{name} fails, a plain scan does not: {error}");
        let mut at = 0;
        for batch in other.map_err(failed)? {
            let batch = batch.map_err(failed)?;
            let known = batch.num_rows().min(rows.num_rows() - at);
            if known < batch.num_rows() && self.whole {
                return Err(format!("{name} gives more than the {} rows of a plain scan", rows.num_rows()));
            }
            if batch.slice(0, known) != rows.slice(at, known) {
                return Err(format!("{name} gives other rows than a plain scan, of those from {at} on"));
            }
            at += known;
        }
        match at == rows.num_rows() {
            true => Ok(true),
            false => Err(format!("{name} gives {at} rows, a plain scan {}", rows.num_rows())),
        }
    }

    /// How many rows an expression chooses: each has to be the plain scan's row of the same number. Rows may be
    /// missing, for statistics may lie.
    fn chosen(&self, bytes: &Bytes) -> Result<Option<usize>, String> {
        let filtered = ParquetFile::from_source_with(bytes.clone(), limits()).and_then(|file| {
            let schema = file.metadata().schema();
            // Where no column can be filtered by, the scan says so.
            let filter = schema.leaves().iter().find_map(|leaf| some_filter(leaf.path.dotted(), schema));
            let filter = filter.unwrap_or_else(|| col("no such column").is_null());
            numbered(plain(&file).rows([first_rows(&file)]).filter(filter))
        });
        let (Ok(rows), Ok(filtered)) = (&self.rows, filtered) else { return Ok(None) };
        let (mut chosen, mut next) = (0, 0);
        for batch in filtered {
            let Ok((batch, numbers)) = batch else { return Ok(None) };
            for run in runs(&numbers) {
                let first = numbers[run.start];
                if first < next {
                    return Err(format!("a filter gives row {first} after row {next}"));
                }
                next = first + run.len() as i64;
                let at = self.numbers.partition_point(|number| *number < first);
                let known = run.len().min(rows.num_rows().saturating_sub(at));
                if known < run.len() && self.whole {
                    return Err(format!("a filter gives row {}, a plain scan {} rows", next - 1, rows.num_rows()));
                }
                if self.numbers.get(at..at + known) != numbers.get(run.start..run.start + known) {
                    return Err(format!("a filter gives rows from {first} on that a plain scan does not"));
                }
                if known > 0 && batch.slice(run.start, known) != rows.slice(at, known) {
                    return Err(format!("a filter gives other rows than a plain scan, of the {known} from {first} on"));
                }
            }
            chosen += batch.num_rows();
        }
        Ok(Some(chosen))
    }
}

/// The batches of a scan, and the number of each row in the file.
fn numbered(scan: ScanBuilder) -> Result<impl Iterator<Item = Result<(RecordBatch, Vec<i64>), Error>>, Error> {
    let scan = scan.row_number("the row's number").build()?;
    Ok(scan.map(|batch| {
        let mut batch = batch?;
        let numbers = batch.remove_column(batch.num_columns() - 1);
        Ok((batch, numbers.as_primitive::<Int64Type>().values().to_vec()))
    }))
}

/// The rows that are read: a file may lawfully claim any number of them.
fn first_rows(file: &ParquetFile) -> Range<u64> {
    0..file.metadata().num_rows().min(ROWS)
}

/// The places of numbers that follow each other.
fn runs(numbers: &[i64]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, number) in numbers.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if numbers[run.end - 1] + 1 == *number => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// A comparison that the column's type has, or else a test for nulls.
fn some_filter(path: &str, schema: &Schema) -> Option<Expr> {
    let column = || col(path);
    let filters = [column().gt_eq("k"), column().gt_eq(1), column().gt_eq(0.5), column().eq(true), column().is_not_null()];
    filters.into_iter().find(|filter| filter.clone().bind(schema).is_ok())
}

fn filtered_by_function(bytes: &Bytes) -> Result<Batches, Error> {
    let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
    let first = file.arrow_schema()?.fields().first().map(|field| field.name().clone());
    let keep = |batch: &RecordBatch| Ok(BooleanArray::from(vec![true; batch.num_rows()]));
    batches(plain(&file).rows([first_rows(&file)]).filter_rows(first, keep))
}

fn pushed(bytes: &Bytes) -> Result<Batches, Error> {
    let part = |range: &Range<u64>| bytes.slice(range.start as usize..range.end as usize);
    let mut footer = PushFooter::new(bytes.len() as u64, 64, limits());
    let metadata = loop {
        match footer.next()? {
            FooterStep::Need(range) => footer.push(range.start, part(&range)),
            FooterStep::Done(metadata) => break metadata,
        }
    };
    let file = ParquetFile::without_source(metadata, limits());
    let scan = plain(&file).rows([first_rows(&file)]).push()?;
    Ok(Box::new(Pushing { scan, bytes: bytes.clone(), steps: 0, done: false }))
}

/// Gives a scan what it asks for.
struct Pushing {
    scan: PushScan,
    bytes: Bytes,
    steps: usize,
    done: bool,
}

impl Iterator for Pushing {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            self.steps += 1;
            assert!(self.steps < STEPS, "a pushed scan asks again and again");
            match self.scan.next() {
                Ok(PushStep::Need(ranges)) => {
                    assert!(!ranges.is_empty(), "a pushed scan asks for nothing");
                    for range in ranges {
                        self.scan.push(range.start, self.bytes.slice(range.start as usize..range.end as usize));
                    }
                }
                Ok(PushStep::Batch(batch)) => return Some(Ok(batch)),
                Ok(PushStep::Done) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Pages are decoded and prepared by two threads, for all scans the same.
#[cfg(feature = "rayon")]
fn together(bytes: &Bytes) -> Result<Batches, Error> {
    static POOL: OnceLock<Arc<rayon::ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads")));
    let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
    batches(plain(&file).rows([first_rows(&file)]).pool(Arc::clone(pool)))
}

#[cfg(feature = "async")]
fn streamed(bytes: &Bytes) -> Result<Batches, Error> {
    let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
    let stream = plain(&file).rows([first_rows(&file)]).stream()?;
    Ok(Box::new(futures_executor::block_on_stream(stream)))
}
