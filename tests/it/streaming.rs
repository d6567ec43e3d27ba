//! Batches taken one by one, for which less is held: they hold the same as when all are taken at once.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, StringViewArray};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::compression::Compression;
use herringbone::format::Encoding;
use herringbone::page::CompressedPage;
use herringbone::read::{PageOptions, Source, pages};
use herringbone::write::{ColumnOptions, PageVersion, WriterOptions};

const ROWS: usize = 60_000;

/// Columns that begin with a dictionary and give it up: numbers, text as offsets and as views, decimals in bytes.
fn batch() -> RecordBatch {
    let mixed = |row: usize| if row < 20_000 { row % 900 } else { row };
    let words = || (0..ROWS).map(|row| format!("herring {} of {}", mixed(row), mixed(row) % 7));
    let decimals = (0..ROWS).map(|row| (row % 11 > 0).then(|| 5_000 - mixed(row) as i128));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("numbers", Arc::new(Int64Array::from_iter((0..ROWS).map(|row| (row % 5 > 0).then(|| mixed(row) as i64 * 3))))),
        ("words", Arc::new(StringArray::from_iter_values(words()))),
        ("views", Arc::new(StringViewArray::from_iter_values(words()))),
        ("decimals", Arc::new(decimals.collect::<Decimal128Array>().with_precision_and_scale(9, 2).unwrap())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn written(batch: &RecordBatch, columns: ColumnOptions) -> Vec<u8> {
    let options = WriterOptions::builder().columns(columns).build().unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.close_into().unwrap().1
}

fn pages_of(bytes: &Bytes, leaf: usize) -> Vec<CompressedPage> {
    let file = ParquetFile::from_bytes(bytes.clone()).unwrap();
    pages(bytes.clone(), file.metadata(), 0, leaf, &PageOptions::default()).unwrap().collect::<Result<_, _>>().unwrap()
}

fn has_indices(page: &CompressedPage) -> bool {
    !page.is_dictionary() && matches!(page.encoding(), Encoding::RleDictionary | Encoding::PlainDictionary)
}

/// A column with the last of its pages of indices after the first of those without.
fn exchanged(bytes: &Bytes, array: &ArrayRef, leaf: usize) -> (Bytes, ArrayRef) {
    let pages = pages_of(bytes, leaf);
    let last = pages.iter().rposition(has_indices).expect("pages of indices");
    assert!(last + 2 < pages.len(), "there are pages without indices behind");
    let [start, middle, end] = [0, 1, 2].map(|after| pages[last + after].offset() as usize);
    let mut moved = bytes.to_vec();
    moved[start..end].rotate_left(middle - start);
    let rows = |pages: &[CompressedPage]| pages.iter().filter(|page| !page.is_dictionary()).map(|page| page.num_values()).sum::<usize>();
    let (before, with, without) = (rows(&pages[..last]), pages[last].num_values(), pages[last + 1].num_values());
    let behind = before + with + without;
    let slices =
        [array.slice(0, before), array.slice(before + with, without), array.slice(before, with), array.slice(behind, array.len() - behind)];
    let slices: Vec<&dyn Array> = slices.iter().map(AsRef::as_ref).collect();
    (moved.into(), arrow_select::concat::concat(&slices).unwrap())
}

/// A source that is as cheap to ask as a local file, and what it was asked for.
struct Local(Bytes, Mutex<Vec<Range<u64>>>);

impl Source for Local {
    fn size(&self) -> herringbone::Result<u64> {
        self.0.size()
    }

    fn read(&self, range: Range<u64>) -> herringbone::Result<Bytes> {
        self.1.lock().unwrap().push(range.clone());
        self.0.read(range)
    }

    fn window(&self) -> u64 {
        1 << 20
    }
}

#[test]
fn bytes_of_a_chunk_are_hardly_read_twice() {
    let text: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("herring {}", row as u64 * 2_654_435_761))));
    let batch = RecordBatch::try_from_iter([("text", text)]).unwrap();
    let columns = ColumnOptions::new().compression(Compression::UNCOMPRESSED).dictionary(false).page_bytes(300 << 10);
    let bytes = Bytes::from(written(&batch, columns));
    let file = ParquetFile::from_bytes(bytes.clone()).unwrap();
    let expected = pages_of(&bytes, 0);
    assert!(expected.len() > 3, "{} pages", expected.len());
    // What is asked for beyond the pages: a first look, and the few bytes of a header behind each page or, where nothing may be read ahead, around it.
    for (window, look) in [(Some(0), 256), (Some(64), 256), (Some(64 << 10), 4 << 10), (Some(256 << 10), 4 << 10)] {
        let source = Arc::new(Local(bytes.clone(), Mutex::default()));
        let options = PageOptions { window, ..PageOptions::default() };
        let found: Vec<_> = pages(Arc::clone(&source), file.metadata(), 0, 0, &options).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(found.iter().map(CompressedPage::bytes).eq(expected.iter().map(CompressedPage::bytes)));
        let asked = source.1.lock().unwrap().clone();
        assert_eq!(asked.first().map(|range| range.end - range.start), Some(look), "{window:?}");
        let sum: u64 = asked.iter().map(|range| range.end - range.start).sum();
        let most = file.metadata().row_group(0).unwrap().chunk(0).unwrap();
        let most = most.range.end - most.range.start + look + 512 * expected.len() as u64;
        assert!(sum <= most, "{window:?}: {sum} bytes of at most {most}");
    }
}

#[test]
fn a_dictionary_that_was_given_up_may_be_needed_again() {
    let batch = batch();
    for (compression, version) in [(Compression::SNAPPY, PageVersion::V1), (Compression::UNCOMPRESSED, PageVersion::V2)] {
        let columns = || ColumnOptions::new().compression(compression).page_version(version).crc(false);
        let small = columns().page_bytes(8 << 10).dictionary_bytes(24 << 10);
        let mut bytes = Bytes::from(written(&batch, small));
        let mut arrays = batch.columns().to_vec();
        for (leaf, array) in arrays.iter_mut().enumerate() {
            (bytes, *array) = exchanged(&bytes, array, leaf);
        }
        let expected = RecordBatch::try_new(batch.schema(), arrays).unwrap();
        assert_ne!(expected, batch);
        let file = ParquetFile::from_bytes(bytes).unwrap();
        for threads in [1, 2] {
            for rows in [1_000, 7_777, ROWS] {
                let scan = || file.scan().threads(threads).batch_rows(rows).build().unwrap();
                let in_turn: Vec<RecordBatch> = scan().collect::<Result<_, _>>().unwrap();
                assert_eq!(concat_batches(&batch.schema(), &in_turn).unwrap(), expected);
                assert_eq!(concat_batches(&batch.schema(), &scan().read_all().unwrap()).unwrap(), expected);
            }
        }
        #[cfg(feature = "rayon")]
        in_parts_one_after_the_other(&file, &expected);
    }
}

/// Columns by themselves are cut into parts for the threads of a pool. Here one of two threads is busy with something else, so that
/// each part takes the dictionary that the one before it decoded.
#[cfg(feature = "rayon")]
fn in_parts_one_after_the_other(file: &ParquetFile, expected: &RecordBatch) {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
    let (done, busy) = std::sync::mpsc::channel::<()>();
    pool.spawn(move || _ = busy.recv());
    for (at, field) in expected.schema().fields().iter().enumerate() {
        let scan = file.scan().columns([field.name()]).pool(Arc::clone(&pool)).batch_rows(1_000).build().unwrap();
        let schema = scan.schema();
        let batches: Vec<RecordBatch> = scan.collect::<Result<_, _>>().unwrap();
        assert_eq!(concat_batches(&schema, &batches).unwrap(), expected.project(&[at]).unwrap());
    }
    drop(done);
}

#[test]
fn batches_are_small_where_they_are_taken_one_by_one() {
    let numbers = |step: usize| Arc::new(Float64Array::from_iter_values((0..200_000).map(|row| (row * step) as f64))) as ArrayRef;
    let wide = RecordBatch::try_from_iter((1..=20).map(|column| (format!("c{column}"), numbers(column)))).unwrap();
    let file = ParquetFile::from_bytes(written(&wide, ColumnOptions::new())).unwrap();
    let rows = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).max();
    for threads in [1, 2] {
        let scan = || file.scan().threads(threads);
        let in_turn: Vec<RecordBatch> = scan().build().unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows(&in_turn), Some(2_048));
        assert_eq!(concat_batches(&wide.schema(), &in_turn).unwrap(), wide);
        let all = scan().build().unwrap().read_all().unwrap();
        assert_eq!(rows(&all), Some(65_536));
        assert_eq!(concat_batches(&wide.schema(), &all).unwrap(), wide);
        // Two numbers a row, and one: 512 KiB, which are as many rows as any batch has.
        for (columns, most) in [(&["c1", "c7"][..], 32_768), (&["c7"], 65_536)] {
            let few: Vec<RecordBatch> = scan().columns(columns.iter().copied()).build().unwrap().collect::<Result<_, _>>().unwrap();
            assert_eq!(rows(&few), Some(most));
        }
        // What is asked for is what is given, and some batches may be taken before all others.
        let mut asked = scan().batch_rows(50_000).build().unwrap();
        let first = asked.next().unwrap().unwrap();
        assert_eq!((first.num_rows(), rows(&asked.read_all().unwrap())), (50_000, Some(50_000)));
    }
}
