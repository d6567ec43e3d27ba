//! One open file and many threads; callbacks that panic; scans that nobody finishes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::Result;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::read::Source;
use herringbone::write::WriterOptions;

/// A file of a few columns and row groups.
fn sample(rows: i64) -> Bytes {
    let fields: Vec<Field> = (0..4).map(|i| Field::new(format!("c{i}"), DataType::Int64, false)).collect();
    let schema = Arc::new(Schema::new(fields));
    let column = |i: i64| Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row * (i + 1) % 1009))) as ArrayRef;
    let batch = RecordBatch::try_new(Arc::clone(&schema), (0..4).map(column).collect()).expect("a batch");
    let options = WriterOptions::builder().row_group_rows(rows as u64 / 8).build().expect("options");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, options).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    bytes.into()
}

fn whole(file: &ParquetFile, threads: usize) -> RecordBatch {
    let scan = file.scan().threads(threads).batch_rows(777).build().expect("a scan");
    let schema = scan.schema();
    concat_batches(&schema, &scan.read_all().expect("batches")).expect("batches of one schema")
}

#[test]
fn many_threads_scan_one_file() {
    let file = ParquetFile::from_bytes(sample(40_000)).expect("a file");
    let expected = whole(&file, 1);
    std::thread::scope(|scope| {
        for threads in [1, 1, 2, 2, 3, 4, 8, 0] {
            let (file, expected) = (&file, &expected);
            scope.spawn(move || (0..3).for_each(|_| assert!(whole(file, threads) == *expected)));
        }
    });
}

/// A source that panics at one read, counted over all threads.
struct Panics {
    bytes: Bytes,
    reads: AtomicUsize,
    at: usize,
}

impl Source for Panics {
    fn size(&self) -> Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        assert!(self.reads.fetch_add(1, Ordering::SeqCst) != self.at, "the caller's source panics");
        self.bytes.read(range)
    }

    fn window(&self) -> u64 {
        1 << 10
    }
}

#[test]
fn a_panic_in_a_source_ends_one_scan_and_no_other() {
    let bytes = sample(8_000);
    let healthy = ParquetFile::from_bytes(bytes.clone()).expect("a file");
    let expected = whole(&healthy, 1);
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool"));
    let mut ended = 0;
    for at in 1..30 {
        let source = Arc::new(Panics { bytes: bytes.clone(), reads: AtomicUsize::new(0), at });
        let file = ParquetFile::from_source(Arc::clone(&source)).expect("a footer");
        let scan = || file.scan().pool(Arc::clone(&pool)).build().and_then(|scan| scan.read_all());
        // On the thread of the caller it is the caller's panic, elsewhere an error.
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(scan)) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                assert!(error.to_string().contains("panic"), "{error}");
                ended += 1;
            }
            Err(_) => ended += 1,
        }
        // The source panics once: the same file reads, and so do others on the same pool.
        assert!(source.reads.load(Ordering::SeqCst) <= at || whole(&file, 2) == expected, "the file is of no use after read {at}");
        let scan = healthy.scan().pool(Arc::clone(&pool)).build().expect("a scan");
        assert_eq!(scan.map(|batch| batch.expect("a batch").num_rows()).sum::<usize>(), 8_000);
    }
    assert!(ended > 10, "only {ended} scans met the panic");
}

#[test]
fn a_panic_in_a_condition_ends_one_scan_and_no_other() {
    let file = ParquetFile::from_bytes(sample(8_000)).expect("a file");
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool"));
    for at in 0..8 {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let condition = move |batch: &RecordBatch| {
            assert!(counted.fetch_add(1, Ordering::SeqCst) != at, "the caller's condition panics");
            Ok(BooleanArray::from(vec![true; batch.num_rows()]))
        };
        let scan = file.scan().filter_rows(["c0"], condition);
        for on_pool in [true, false] {
            let scan = if on_pool { scan.clone().pool(Arc::clone(&pool)) } else { scan.clone().threads(1) };
            calls.store(0, Ordering::SeqCst);
            let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scan.build().and_then(|scan| scan.read_all())));
            let is_whole = matches!(&read, Ok(Ok(batches)) if batches.iter().map(RecordBatch::num_rows).sum::<usize>() == 8_000);
            assert!(!is_whole, "call {at} panicked and nobody noticed");
            // Neither the file nor the pool is worse for it.
            let again = file.scan().filter_rows(["c1"], |batch| Ok(BooleanArray::from(vec![true; batch.num_rows()])));
            let again = again.pool(Arc::clone(&pool)).build().and_then(|scan| scan.read_all()).expect("rows");
            assert_eq!(again.iter().map(RecordBatch::num_rows).sum::<usize>(), 8_000);
        }
    }
}

#[test]
fn scans_that_are_dropped_free_their_memory() {
    let bytes = sample(400_000);
    for taken in [0, 1, 20] {
        let mut most = 0;
        let left = allocation_counter::measure(|| {
            let file = ParquetFile::from_bytes(bytes.clone()).expect("a file");
            let mut scan = file.scan().threads(1).batch_rows(10_000).build().expect("a scan");
            let batches: Vec<RecordBatch> = scan.by_ref().take(taken).map(|batch| batch.expect("a batch")).collect();
            most = batches.iter().map(RecordBatch::get_array_memory_size).sum();
        });
        // What the thread keeps for its next scan is a page or two.
        assert!(left.bytes_current < 2 << 20, "{} bytes are left after {taken} batches of {most}", left.bytes_current);
        assert!(taken < 20 || most > 6 << 20, "{most} bytes");
    }
}

#[test]
fn scans_that_nobody_finishes_let_go_of_everything() {
    let source = Arc::new(Panics { bytes: sample(80_000), reads: AtomicUsize::new(0), at: usize::MAX });
    for taken in [0, 1, 5, 50] {
        for threads in [1, 2, 4] {
            let file = ParquetFile::from_source(Arc::clone(&source)).expect("a footer");
            let mut scan = file.scan().threads(threads).batch_rows(100).build().expect("a scan");
            for _ in 0..taken {
                assert_eq!(scan.next().expect("a batch").expect("a batch").num_rows(), 100);
            }
            drop((scan, file));
            // Tasks that are under way end with the batch they are at.
            let began = Instant::now();
            while Arc::strong_count(&source) > 1 {
                assert!(began.elapsed() < Duration::from_secs(30), "a scan on {threads} threads holds its source after {taken} batches");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
