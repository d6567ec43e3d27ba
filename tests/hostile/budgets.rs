//! Budgets: whatever the limits, a file gives its rows or an error that says which limit is too small, and reading and writing stay
//! within them.
//!
//! Memory is counted on one thread. On several, rows are compared.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::read::Source;
use herringbone::write::{ColumnOptions, WriterOptions};
use herringbone::{ErrorKind, Limits, Result};

use crate::files;
use crate::mutate::Random;

/// What a scan may take beside its limits: the list of batches, which may have 1 MiB whatever they say, the end of the file that is
/// read first, and the bookkeeping.
const BESIDE: u64 = (1 << 20) + (256 << 10);

/// And for each leaf, for levels and values on their way, beside the page that they come from.
const OF_A_LEAF: u64 = 128 << 10;

/// What a writer may take of each leaf beside its budget: the dictionary that it begins with.
const OF_A_WRITTEN_LEAF: u64 = 320 << 10;

/// The memory that a scan of so many leaves may take: what is parsed, what is ahead, the batch in work and the one that was given out,
/// and a page of each leaf.
fn allowed(limits: &Limits, leaves: usize) -> u64 {
    let of_leaves = (limits.page_bytes as u64).saturating_add(OF_A_LEAF).saturating_mul(leaves as u64);
    [limits.metadata_bytes, limits.memory_bytes, limits.batch_bytes, limits.batch_bytes]
        .into_iter()
        .fold(BESIDE.saturating_add(of_leaves), |sum, limit| sum.saturating_add(limit as u64))
}

/// A source whose bytes count.
struct Copied(Bytes);

impl Source for Copied {
    fn size(&self) -> Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        self.0.read(range).map(|bytes| Bytes::copy_from_slice(&bytes))
    }
}

/// Does something, and says how many bytes were allocated at once.
fn counted<T>(what: impl FnOnce() -> T) -> (T, u64) {
    let mut done = None;
    let allocated = allocation_counter::measure(|| done = Some(what()));
    (done.expect("it was done"), allocated.bytes_max)
}

fn read_all(bytes: &Bytes, limits: &Limits, threads: usize) -> Result<Vec<RecordBatch>> {
    let file = ParquetFile::from_source_with(Copied(bytes.clone()), limits.clone())?;
    file.scan().threads(threads).batch_rows(50).build()?.collect()
}

/// One limit or all of them at a size.
fn budgets(size: usize) -> [Limits; 6] {
    [
        Limits { footer_bytes: size, ..Limits::default() },
        Limits { page_bytes: size, ..Limits::default() },
        Limits { metadata_bytes: size, ..Limits::default() },
        Limits { batch_bytes: size, ..Limits::default() },
        Limits { memory_bytes: size, ..Limits::default() },
        everything(size),
    ]
}

fn everything(size: usize) -> Limits {
    Limits { footer_bytes: size, page_bytes: size, metadata_bytes: size, batch_bytes: size, memory_bytes: size, ..Limits::default() }
}

#[test]
fn any_budget_gives_the_rows_or_says_that_it_is_too_small() {
    let (enough, refused, largest) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let files: Vec<_> = files::all().into_iter().enumerate().collect();
    // Every file has sizes of its own, so that all sizes come with files of all kinds.
    let step = if cfg!(debug_assertions) { 9 } else { 2 };
    files::for_each(
        &files,
        |(_, file)| file.name.clone(),
        |(index, file)| {
            let bytes = Bytes::from(file.bytes());
            let whole = match read_all(&bytes, &Limits::default(), 1) {
                Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
                whole => whole.expect("a readable file"),
            };
            let schema = ParquetFile::from_bytes(bytes.clone()).expect("a file");
            let (leaves, schema) = (schema.metadata().schema().leaves().len(), schema.arrow_schema().expect("its schema"));
            let given: u64 = whole.iter().map(|batch| batch.get_array_memory_size() as u64).sum();
            let whole = concat_batches(&schema, &whole).expect("batches of one schema");
            for (limits, threads) in
                (index % step..26).step_by(step).flat_map(|bits| budgets(1 << bits)).flat_map(|limits| [(limits.clone(), 1), (limits, 2)])
            {
                let (outcome, peak) = counted(|| read_all(&bytes, &limits, threads));
                // The batches that are kept here for comparing may be many small ones.
                if threads == 1 && peak > allowed(&limits, leaves).saturating_add(4 * given) {
                    return Err(format!("{peak} bytes of memory within {limits:?}"));
                }
                largest.fetch_max(peak, Relaxed);
                match outcome {
                    Ok(batches) if concat_batches(&schema, &batches).expect("batches of one schema") == whole => {
                        enough.fetch_add(1, Relaxed)
                    }
                    Ok(_) => return Err(format!("other values within {limits:?}")),
                    Err(error) if error.kind() == ErrorKind::Limit => refused.fetch_add(1, Relaxed),
                    Err(error) => return Err(format!("{error} within {limits:?}")),
                };
            }
            Ok(())
        },
    );
    let [enough, refused, largest] = [enough, refused, largest].map(AtomicU64::into_inner);
    println!("{enough} budgets of {} files were enough, {refused} were not; the most memory was {} KiB", files.len(), largest >> 10);
    assert!(enough > 5_000 && refused > 1_000, "{enough} were enough, {refused} were not");
}

/// Six megabytes in memory: numbers, words that repeat, text that does not, lists.
fn sample() -> RecordBatch {
    let (rows, mut random) = (60_000, Random(91));
    let numbers = Int64Array::from_iter_values((0..rows).map(|_| random.below(1 << 50) as i64));
    let words = StringArray::from_iter((0..rows).map(|row| (row % 7 != 0).then(|| format!("{} herrings", random.below(3000)))));
    let mut text = |row| format!("row {row} has {} of {} in it", random.below(1 << 40), random.below(1 << 40));
    let texts = StringArray::from_iter_values((0..rows).map(&mut text));
    let mut list = |row: i32| (row % 5 != 0).then(|| (0..random.below(6)).map(|_| Some(random.below(1 << 30) as i32)).collect::<Vec<_>>());
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>((0..rows).map(&mut list));
    let columns =
        [("numbers", Arc::new(numbers) as ArrayRef), ("words", Arc::new(words)), ("texts", Arc::new(texts)), ("lists", Arc::new(lists))];
    RecordBatch::try_from_iter(columns).expect("columns of as many rows")
}

/// Writes it in pieces, and says how many row groups there are.
fn write(batch: &RecordBatch, options: WriterOptions, sink: impl std::io::Write) -> Result<usize> {
    let mut writer = ArrowWriter::try_new(sink, batch.schema(), options)?;
    for at in (0..batch.num_rows()).step_by(1000) {
        writer.write(&batch.slice(at, 1000.min(batch.num_rows() - at)))?;
    }
    writer.close().map(|metadata| metadata.num_row_groups())
}

#[test]
fn a_scan_of_more_than_its_budget_stays_within_it() {
    let batch = sample();
    let columns = ColumnOptions::new().page_bytes(1 << 16).dictionary_bytes(1 << 16);
    let options = WriterOptions::builder().columns(columns).threads(1).build().expect("options");
    let mut bytes = Vec::new();
    assert_eq!(write(&batch, options, &mut bytes).expect("written"), 1);
    let bytes = Bytes::from(bytes);
    // Of what a scan without a budget takes, batches that are dropped when the next one comes.
    let scan = |limits: &Limits| {
        counted(|| -> Result<usize> {
            let file = ParquetFile::from_source_with(Copied(bytes.clone()), limits.clone())?;
            file.scan().threads(1).build()?.try_fold(0, |rows, batch| Ok(rows + batch?.num_rows()))
        })
    };
    let (rows, unbounded) = scan(&Limits::default());
    assert_eq!(rows.expect("rows"), batch.num_rows());
    let mut met = 0;
    for bits in 10..25 {
        let limits = everything(1 << bits);
        let (rows, peak) = scan(&limits);
        let bound = allowed(&limits, 4);
        println!("limits of 2^{bits}: {} KiB of {} allowed; {} without", peak >> 10, bound >> 10, unbounded >> 10);
        assert!(peak <= bound, "{peak} bytes of memory, and not at most {bound}, within {limits:?}");
        match rows {
            Ok(rows) => assert_eq!(rows, batch.num_rows()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Limit, "{error} within {limits:?}"),
        }
        met += u32::from(bound < unbounded);
    }
    assert!(met > 5, "only {met} of the budgets are less than what a scan takes without any: {unbounded}");
}

#[test]
fn a_writer_of_more_than_its_budget_stays_within_it() {
    let batch = sample();
    let options = |bits: u32| WriterOptions::builder().memory_bytes(1 << bits).threads(1).build().expect("options");
    let (groups, unbounded) = counted(|| write(&batch, options(30), std::io::sink()).expect("written"));
    assert_eq!(groups, 1);
    let mut met = 0;
    for bits in (0..8).step_by(4).chain(10..24) {
        let (groups, peak) = counted(|| write(&batch, options(bits), std::io::sink()).expect("written"));
        // Half as much again while something grows and is copied.
        let bound = (3 << bits) / 2 + 4 * OF_A_WRITTEN_LEAF;
        println!("a budget of 2^{bits}: {} KiB of {} allowed; {} without; {groups} row groups", peak >> 10, bound >> 10, unbounded >> 10);
        assert!(peak <= bound, "{peak} bytes of memory, and not at most {bound}, within 2^{bits}");
        met += u32::from(bound < unbounded);
    }
    assert!(met > 5, "only {met} of the budgets are less than what a writer takes without any: {unbounded}");
    let mut bytes = Vec::new();
    let groups = write(&batch, options(18), &mut bytes).expect("written");
    let scan = ParquetFile::from_bytes(bytes).expect("a file").scan().build().expect("a scan");
    let read = concat_batches(&scan.schema(), &scan.read_all().expect("rows")).expect("batches of one schema");
    assert!(groups > 10 && read.columns() == batch.columns(), "{groups} row groups, or other values");
}
