//! Columns whose last row groups are shared by threads that have nothing else to do: what comes of them is what one thread reads, and so is what is
//! wrong with them.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::compression::Compression;
use herringbone::metadata::FileMetadata;
use herringbone::read::{PageOptions, Source, pages};
use herringbone::write::{ColumnOptions, WriterOptions};

const ROWS: usize = 400_000;
/// The rows of all row groups but the last, which is read much longer.
const FEW: usize = 5_000;
const BATCH: usize = 10_000;
const PAGE: usize = 7_000;

/// Numbers, words of a dictionary that is no small part of its chunk, and text.
fn columns() -> [(&'static str, ArrayRef); 3] {
    let number = |row: usize| (!row.is_multiple_of(7)).then_some(row as i64 * 0x9E37_79B9);
    [
        ("plain", Arc::new(Int64Array::from_iter((0..ROWS).map(number)))),
        ("words", Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("the word {:08}", row * 31 % 5_003))))),
        ("text", Arc::new(StringArray::from_iter((0..ROWS).map(|row| (!row.is_multiple_of(5)).then(|| format!("row {row}")))))),
    ]
}

fn batch_of(columns: impl IntoIterator<Item = (String, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn batch() -> RecordBatch {
    batch_of(columns().map(|(name, array)| (name.to_owned(), array)))
}

/// A small row group for each thread but one, which gets a large one.
fn written(batch: &RecordBatch, threads: usize) -> Bytes {
    let columns = ColumnOptions::new().compression(Compression::UNCOMPRESSED).page_rows(PAGE);
    let schema = batch.schema();
    let texts = schema.fields().iter().filter(|field| field.name().starts_with("text"));
    let options = texts.fold(WriterOptions::builder().columns(columns), |options, field| {
        options.column(field.name(), ColumnOptions::new().dictionary(false))
    });
    let options = options.build().unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options).unwrap();
    let small = (0..threads - 1).map(|group| batch.slice(group * FEW, FEW));
    let before = (threads - 1) * FEW;
    for part in small.chain([batch.slice(before, ROWS - before)]) {
        writer.write(&part).unwrap();
        writer.flush().unwrap();
    }
    writer.close_into().unwrap().1.into()
}

/// A local source that takes its time, and who read what of it.
struct Slow {
    bytes: Bytes,
    readers: Mutex<Vec<(ThreadId, Range<u64>)>>,
}

impl Source for Slow {
    fn size(&self) -> herringbone::Result<u64> {
        self.bytes.size()
    }

    fn read(&self, range: Range<u64>) -> herringbone::Result<Bytes> {
        std::thread::sleep(Duration::from_millis(3));
        self.readers.lock().unwrap().push((std::thread::current().id(), range.clone()));
        self.bytes.read(range)
    }

    fn window(&self) -> u64 {
        4 << 10
    }
}

fn file(bytes: &Bytes) -> (ParquetFile, Arc<Slow>) {
    let source = Arc::new(Slow { bytes: bytes.clone(), readers: Mutex::default() });
    let metadata: FileMetadata = ParquetFile::from_bytes(bytes.clone()).unwrap().metadata().clone();
    (ParquetFile::from_metadata(Arc::clone(&source), metadata, herringbone::Limits::default()), source)
}

/// The threads that read the later half of a chunk of the last row group.
fn readers(file: &ParquetFile, source: &Slow, leaf: usize) -> HashSet<ThreadId> {
    let last = file.metadata().num_row_groups() - 1;
    let chunk = file.metadata().row_group(last).unwrap().chunk(leaf).unwrap().range;
    let later = chunk.start.midpoint(chunk.end)..chunk.end;
    let readers = source.readers.lock().unwrap();
    readers.iter().filter(|(_, range)| range.start < later.end && range.end > later.start).map(|(thread, _)| *thread).collect()
}

#[test]
fn threads_without_work_share_what_is_left() {
    let batch = batch();
    for threads in [2, 3] {
        let bytes = written(&batch, threads);
        for (leaf, name) in ["plain", "words", "text"].into_iter().enumerate() {
            let column = batch.project(&[leaf]).unwrap();
            let (file, source) = file(&bytes);
            let scan = file.scan().columns([name]).batch_rows(BATCH).threads(threads).build().unwrap();
            let read = scan.read_all().unwrap();
            assert_eq!(concat_batches(&column.schema(), &read).unwrap(), column, "{name}, {threads} threads");
            let readers = readers(&file, &source, leaf);
            assert!(readers.len() >= 2, "{name}: {} of {threads} threads", readers.len());
        }
        for threads in [2, 8] {
            let (file, _) = file(&bytes);
            let scan = || file.scan().batch_rows(BATCH).threads(threads).build().unwrap();
            let in_turn: Vec<RecordBatch> = scan().map(Result::unwrap).collect();
            for read in [in_turn, scan().read_all().unwrap()] {
                assert_eq!(concat_batches(&batch.schema(), &read).unwrap(), batch, "{threads} threads");
            }
        }
    }
}

/// Of many columns some are read in turn by one thread, and are shared together, with their dictionaries: here the two that take long.
#[test]
fn columns_that_are_read_in_turn_are_shared() {
    let [plain, words, _] = columns().map(|(_, array)| array);
    let short: ArrayRef = Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| row as i64 / 1_000)));
    let mut columns: Vec<(String, ArrayRef)> = (0..13).map(|copy| (format!("short_{copy}"), Arc::clone(&short))).collect();
    columns.splice(12..12, [("plain".to_owned(), plain), ("words".to_owned(), words)]);
    let batch = batch_of(columns);
    let bytes = written(&batch, 2);
    let (file, source) = file(&bytes);
    let read = file.scan().batch_rows(BATCH).threads(2).build().unwrap().read_all().unwrap();
    assert_eq!(concat_batches(&batch.schema(), &read).unwrap(), batch);
    for leaf in [12, 13] {
        let readers = readers(&file, &source, leaf);
        assert!(readers.len() >= 2, "column {leaf}: {} threads", readers.len());
    }
}

#[test]
fn what_is_wrong_with_a_shared_lane_is_what_one_thread_says() {
    let batch = batch();
    let bytes = written(&batch, 2);
    let whole = ParquetFile::from_bytes(bytes.clone()).unwrap();
    let pages: Vec<_> = pages(bytes.clone(), whole.metadata(), 1, 2, &PageOptions::default()).unwrap().map(Result::unwrap).collect();
    for broken in [pages.len() / 3, pages.len() / 2, pages.len() - 2] {
        let mut bytes = bytes.to_vec();
        // Its header.
        bytes[pages[broken].offset() as usize] = 0xff;
        let (file, _) = file(&bytes.into());
        let scan = |threads: usize| file.scan().columns(["text"]).batch_rows(BATCH).threads(threads).build().unwrap();
        let [one, two] = [1, 2].map(|threads| scan(threads).read_all().unwrap_err().to_string());
        assert_eq!(one, two);
        assert!(one.contains("text") && one.contains("row group 1"), "{one}");
        // Batches before it come first.
        let mut scan = scan(2);
        let good: Vec<RecordBatch> = scan.by_ref().map_while(Result::ok).collect();
        let read = concat_batches(&good[0].schema(), &good).unwrap();
        let before = FEW + broken * PAGE;
        assert!(read.num_rows() <= before && read.num_rows() + 2 * BATCH > before, "{} rows of {before}", read.num_rows());
        assert_eq!(read.column(0).as_ref(), batch.column(2).slice(0, read.num_rows()).as_ref());
        assert!(scan.next().is_none());
    }
}
