//! Pages that are decompressed together: what comes of them is what comes of each by itself, and so is what is wrong with them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat_batches;
use herringbone::arrow::{ArrowWriter, ParquetFile, ScanBuilder};
use herringbone::compression::{Compression, Decompressor};
use herringbone::page::CompressedPage;
use herringbone::predicate::col;
use herringbone::read::{PageOptions, pages};
use herringbone::write::{ColumnOptions, PageVersion, WriterOptions};

const ROWS: usize = 40_000;

/// Numbers and words with large dictionaries, words without, and a list.
fn batch() -> RecordBatch {
    let words = |row: usize| format!("the {} word of {} rows, and {} more", row * 7919 % 10_007, ROWS, row % 13);
    let list = |rows: usize| {
        let values = StringArray::from_iter_values((0..2 * rows).map(|at| words(at / 3)));
        let field = Arc::new(Field::new("item", DataType::Utf8, true));
        ListArray::new(field, OffsetBuffer::from_lengths(std::iter::repeat_n(2, rows)), Arc::new(values), None)
    };
    let numbers = |step: usize| Int64Array::from_iter((0..ROWS).map(|row| (row % 11 > 0).then_some(((row * step % 4_001) as i64) << 40)));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("a", Arc::new(numbers(7))),
        ("b", Arc::new(numbers(13))),
        ("few", Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| row as i64 % 3)))),
        ("c", Arc::new(numbers(17))),
        ("entries", Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| words(row % 4_000))))),
        ("words", Arc::new(StringArray::from_iter_values((0..ROWS).map(words)))),
        ("list", Arc::new(list(ROWS))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// Sizes of pages and of row groups: several data pages a chunk, and one.
const SHAPES: [(usize, u64); 2] = [(64 << 10, 30_000), (2 << 20, 15_000)];

fn written(batch: &RecordBatch, version: PageVersion, (page_bytes, row_group_rows): (usize, u64)) -> Vec<u8> {
    let columns = ColumnOptions::new().compression(Compression::SNAPPY).page_bytes(page_bytes).page_version(version).crc(false);
    let plain = || ColumnOptions::new().dictionary(false);
    let options = WriterOptions::builder()
        .columns(columns)
        .column("words", plain())
        .column("list.list.element", plain())
        .row_group_rows(row_group_rows);
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options.build().unwrap()).unwrap();
    writer.write(batch).unwrap();
    writer.close_into().unwrap().1
}

fn read(scan: ScanBuilder) -> RecordBatch {
    let scan = scan.build().unwrap();
    let schema = scan.schema();
    concat_batches(&schema, &scan.collect::<Result<Vec<_>, _>>().unwrap()).unwrap()
}

/// All batches are wanted, so that more is decompressed before its time.
fn read_all(scan: ScanBuilder) -> RecordBatch {
    let scan = scan.build().unwrap();
    let schema = scan.schema();
    concat_batches(&schema, &scan.read_all().unwrap()).unwrap()
}

/// The dictionary and data pages of a column, in order.
fn pages_of(bytes: &[u8], row_group: usize, leaf: usize) -> Vec<CompressedPage> {
    let file = ParquetFile::from_bytes(bytes.to_vec()).unwrap();
    let source = bytes::Bytes::copy_from_slice(bytes);
    pages(source, file.metadata(), row_group, leaf, &PageOptions::default()).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn they_read_the_same() {
    let batch = batch();
    let versions = [PageVersion::V1, PageVersion::V2];
    for (version, shape) in versions.into_iter().flat_map(|version| SHAPES.map(|shape| (version, shape))) {
        let bytes = written(&batch, version, shape);
        // The test is about pages of some size.
        let words = pages_of(&bytes, 0, 5);
        assert!(words.iter().filter(|page| page.uncompressed_size() > 32 << 10).count() > 10 || shape == SHAPES[1], "{}", words.len());
        assert!((0..7).all(|leaf| pages_of(&bytes, 0, leaf).len() <= 2) || shape == SHAPES[0]);
        let dictionaries = [0, 1, 3, 4].map(|leaf| pages_of(&bytes, 0, leaf).swap_remove(0));
        assert!(dictionaries.iter().all(|page| page.is_dictionary() && page.uncompressed_size() > 30_000));
        let file = ParquetFile::from_bytes(bytes).unwrap();
        for threads in [1, 2, 5] {
            for rows in [1 << 10, 7_000, 1 << 16] {
                assert_eq!(read(file.scan().threads(threads).batch_rows(rows)), batch);
                assert_eq!(read_all(file.scan().threads(threads).batch_rows(rows)), batch);
            }
            let part = read(file.scan().threads(threads).rows([100..9_000, 9_001..21_000, 33_000..39_999]));
            let expected = [(100, 8_900), (9_001, 11_999), (33_000, 6_999)].map(|(start, length)| batch.slice(start, length));
            assert_eq!(part, concat_batches(&batch.schema(), &expected).unwrap());
            // Single rows, some of them beside each other, on both sides of where pages and row groups end.
            let picked: Vec<usize> = (0..ROWS).filter(|row| row % 97 < 2 || row % 1_999 == 0).collect();
            let rows = picked.iter().map(|row| *row as u64..*row as u64 + 1);
            let indices = arrow_array::UInt64Array::from_iter_values(picked.iter().map(|row| *row as u64));
            let expected = arrow_select::take::take_record_batch(&batch, &indices).unwrap();
            assert_eq!(read(file.scan().threads(threads).rows(rows)), expected);
            let kept = read(file.scan().threads(threads).filter(col("few").eq(1)));
            let mask = arrow_array::BooleanArray::from_iter((0..ROWS).map(|row| Some(row % 3 == 1)));
            assert_eq!(kept, arrow_select::filter::filter_record_batch(&batch, &mask).unwrap());
        }
    }
}

#[test]
fn a_broken_one_is_named() {
    SHAPES.into_iter().for_each(broken_ones_are_named);
}

fn broken_ones_are_named(shape: (usize, u64)) {
    let bytes = written(&batch(), PageVersion::V1, shape);
    let whole = ParquetFile::from_bytes(bytes.clone()).unwrap();
    let broken_alone = |page: &CompressedPage| page.decompress(&mut Decompressor::new(), Vec::new()).is_err();
    for leaf in [0, 1, 5, 6] {
        let found = pages_of(&bytes, 0, leaf);
        let chunk_end = whole.metadata().row_group(0).unwrap().column(leaf).unwrap().location().unwrap().range.end;
        let ends = found.iter().skip(1).map(CompressedPage::offset).chain([chunk_end]);
        for (ordinal, (page, end)) in found.iter().zip(ends).enumerate().step_by(if shape == SHAPES[0] { 5 } else { 1 }) {
            let mut broken = bytes.clone();
            // An element that copies from before the page.
            let body = end as usize - page.bytes().len();
            broken[body + 4..body + 7].copy_from_slice(&[0xfe, 0xff, 0xff]);
            assert!(broken_alone(&pages_of(&broken, 0, leaf)[ordinal]));
            let file = ParquetFile::from_bytes(broken).unwrap();
            for threads in [1, 2] {
                let scan = || file.scan().threads(threads).build().unwrap();
                for error in [scan().find_map(Result::err).unwrap(), scan().read_all().unwrap_err()] {
                    let place = (error.place().row_group, error.place().page, error.place().offset);
                    assert_eq!(place, (Some(0), Some(ordinal), Some(page.offset())), "{error}");
                }
            }
        }
    }
}

/// Row groups that are small are filtered in twos, so that their dictionaries go together.
#[test]
fn small_row_groups_are_filtered_in_order() {
    const GROUP: usize = 5_000;
    let batch = batch().project(&[2, 5, 6]).unwrap();
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(
        (0..ROWS).map(|row| (row as i64 / 2 % 2_401).wrapping_mul(0x1e37_79b9_7f4a_7c15) & !0xffff_ffff),
    ));
    let named = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let columns = named.into_iter().zip(batch.columns().iter().cloned());
    let batch = RecordBatch::try_from_iter([("key".to_owned(), keys)].into_iter().chain(columns)).unwrap();
    let bytes = written(&batch, PageVersion::V1, (64 << 10, GROUP as u64));
    let mask = arrow_array::BooleanArray::from_iter((0..ROWS).map(|row| Some(row % 3 == 1)));
    let expected = arrow_select::filter::filter_record_batch(&batch, &mask).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.parquet");
    std::fs::write(&path, &bytes).unwrap();
    for file in [ParquetFile::from_bytes(bytes.clone()).unwrap(), ParquetFile::open(&path).unwrap()] {
        assert_eq!(file.metadata().num_row_groups(), ROWS / GROUP);
        for threads in [1, 2, 3] {
            for rows in [500, 1 << 16] {
                assert_eq!(read(file.scan().threads(threads).batch_rows(rows).filter(col("few").eq(1))), expected);
            }
        }
    }
    for group in [0, 1, 2, 5, 7] {
        let dictionary = pages_of(&bytes, group, 0).swap_remove(0);
        assert!(dictionary.is_dictionary() && dictionary.uncompressed_size() > (16 << 10).max(dictionary.bytes().len() * 17 / 16));
        let mut broken = bytes.clone();
        let body = pages_of(&bytes, group, 0)[1].offset() as usize - dictionary.bytes().len();
        // Behind the three bytes of the length, a copy from before the page.
        broken[body + 3..body + 6].copy_from_slice(&[0xfe, 0xff, 0xff]);
        let file = ParquetFile::from_bytes(broken).unwrap();
        for threads in [1, 2, 3] {
            let mut found = 0;
            let mut scan = file.scan().threads(threads).filter(col("few").eq(1)).build().unwrap();
            let error = scan.find_map(|batch| batch.map(|batch| found += batch.num_rows()).err()).unwrap();
            assert_eq!(error.place().row_group, Some(group), "{error}");
            assert_eq!(found, (0..group * GROUP).filter(|row| row % 3 == 1).count());
        }
    }
}
