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

const ROWS: usize = 40_000;
/// The rows of the first row group; the other is read much longer.
const FEW: usize = 500;
const BATCH: usize = 1_000;

fn batch() -> RecordBatch {
    let number = |row: usize| (!row.is_multiple_of(7)).then_some(row as i64 * 0x9E37_79B9);
    let columns: [(&str, ArrayRef); 3] = [
        ("plain", Arc::new(Int64Array::from_iter((0..ROWS).map(number)))),
        ("words", Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("word {}", row * 31 % 1_013))))),
        ("text", Arc::new(StringArray::from_iter((0..ROWS).map(|row| (!row.is_multiple_of(5)).then(|| format!("row {row}")))))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

fn written(batch: &RecordBatch) -> Bytes {
    let columns = ColumnOptions::new().compression(Compression::UNCOMPRESSED).page_rows(700);
    let options = WriterOptions::builder().columns(columns).column("text", ColumnOptions::new().dictionary(false)).build().unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options).unwrap();
    for part in [batch.slice(0, FEW), batch.slice(FEW, ROWS - FEW)] {
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

/// The threads that read the later half of a chunk of the second row group.
fn readers(file: &ParquetFile, source: &Slow, leaf: usize) -> HashSet<ThreadId> {
    let chunk = file.metadata().row_group(1).unwrap().chunk(leaf).unwrap().range;
    let later = chunk.start.midpoint(chunk.end)..chunk.end;
    let readers = source.readers.lock().unwrap();
    readers.iter().filter(|(_, range)| range.start < later.end && range.end > later.start).map(|(thread, _)| *thread).collect()
}

#[test]
fn threads_without_work_share_what_is_left() {
    let batch = batch();
    let bytes = written(&batch);
    for (leaf, name) in ["plain", "words", "text"].into_iter().enumerate() {
        let column = batch.project(&[leaf]).unwrap();
        for threads in [2, 3] {
            let (file, source) = file(&bytes);
            let scan = file.scan().columns([name]).batch_rows(BATCH).threads(threads).build().unwrap();
            let read = scan.read_all().unwrap();
            assert_eq!(concat_batches(&column.schema(), &read).unwrap(), column, "{name}, {threads} threads");
            let readers = readers(&file, &source, leaf);
            // The chunk of words is so small that it is read as a whole.
            assert!(readers.len() >= 2 || name == "words", "{name}: {} of {threads} threads", readers.len());
        }
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

/// Batches before the broken page come first, whoever read them; then an error that names the column, and then the end.
#[test]
fn a_broken_page_of_a_shared_lane_is_named() {
    let batch = batch();
    let bytes = written(&batch);
    let whole = ParquetFile::from_bytes(bytes.clone()).unwrap();
    let pages: Vec<_> = pages(bytes.clone(), whole.metadata(), 1, 2, &PageOptions::default()).unwrap().map(Result::unwrap).collect();
    for broken in [pages.len() / 3, pages.len() - 2] {
        let mut bytes = bytes.to_vec();
        // Its header.
        bytes[pages[broken].offset() as usize] = 0xff;
        let (file, _) = file(&bytes.into());
        let mut scan = file.scan().columns(["text"]).batch_rows(BATCH).threads(2).build().unwrap();
        let good: Vec<RecordBatch> = scan.by_ref().map_while(Result::ok).collect();
        let read = concat_batches(&good[0].schema(), &good).unwrap();
        let before = FEW + broken * 700;
        assert!(read.num_rows() <= before && read.num_rows() + 2 * BATCH > before, "{} rows of {before}", read.num_rows());
        assert_eq!(read.column(0).as_ref(), batch.column(2).slice(0, read.num_rows()).as_ref());
        assert!(scan.next().is_none());
        // Where batches are taken one by one, lanes are not shared, and here they are.
        let error = file.scan().columns(["text"]).batch_rows(BATCH).threads(2).build().unwrap().read_all().unwrap_err().to_string();
        assert!(error.contains("text") && error.contains("row group 1"), "{error}");
    }
}
