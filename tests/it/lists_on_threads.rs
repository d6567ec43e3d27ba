//! Columns of lists whose leaves are read by several threads: what comes of them is what one thread reads, and so is what is wrong with them.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder, StructBuilder};
use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use arrow_schema::{DataType, Field, Fields};
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::compression::Compression;
use herringbone::read::{PageOptions, pages};
use herringbone::write::{ColumnOptions, WriterOptions};

const ROWS: usize = 9_000;

/// Lists of structs of three strings, with nulls of each kind, and numbers beside them.
fn batch() -> RecordBatch {
    let fields: Fields = ["x", "y", "z"].map(|name| Field::new(name, DataType::Utf8, true)).into_iter().collect();
    let mut lists = ListBuilder::new(StructBuilder::from_fields(fields, 0));
    for row in 0..ROWS {
        for element in 0..row % 5 {
            let values = lists.values();
            for leaf in 0..3 {
                let strings = values.field_builder::<StringBuilder>(leaf).unwrap();
                match (row + element + leaf) % 7 {
                    0 => strings.append_null(),
                    salt => strings.append_value(format!("{salt} in row {} of {leaf}", row * 31 % 1_013)),
                }
            }
            values.append((row + element) % 11 > 0);
        }
        lists.append(row % 13 > 0);
    }
    let columns: [(&str, ArrayRef); 2] =
        [("lists", Arc::new(lists.finish())), ("numbers", Arc::new(Int32Array::from_iter_values(0..ROWS as i32)))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

fn written(batch: &RecordBatch) -> Vec<u8> {
    let columns = ColumnOptions::new().page_rows(500);
    let options = WriterOptions::builder().columns(columns).row_group_rows(4_000).build().unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.close_into().unwrap().1
}

#[test]
fn threads_read_the_same() {
    let batch = batch();
    let file = ParquetFile::from_bytes(written(&batch)).unwrap();
    for threads in [1, 2, 3, 8] {
        for rows in [17, 1_000, 100_000] {
            for columns in [&["lists"][..], &["lists.list.element.x", "lists.list.element.z"], &["lists", "numbers"]] {
                let scan = || file.scan().columns(columns.iter().copied()).batch_rows(rows);
                let one = scan().threads(1).build().unwrap();
                let schema = one.schema();
                let one: Vec<RecordBatch> = one.map(Result::unwrap).collect();
                let several: Vec<RecordBatch> = scan().threads(threads).build().unwrap().map(Result::unwrap).collect();
                assert_eq!(one, several, "{threads} threads, {rows} rows");
                let all = scan().threads(threads).build().unwrap().read_all().unwrap();
                assert_eq!(concat_batches(&schema, &one).unwrap(), concat_batches(&schema, &all).unwrap());
            }
        }
    }
    let all = file.scan().threads(2).build().unwrap().read_all().unwrap();
    assert_eq!(concat_batches(&batch.schema(), &all).unwrap(), batch);
}

/// Batches before the broken page come first, whichever leaf it is of; then an error that names the leaf, and then the end.
#[test]
fn a_broken_leaf_is_named() {
    let batch = batch();
    let bytes = written(&batch);
    for leaf in 0..3 {
        let mut bytes = bytes.clone();
        let file = ParquetFile::from_bytes(bytes.clone()).unwrap();
        let chunk = pages(Bytes::from(bytes.clone()), file.metadata(), 1, leaf, &PageOptions::default()).unwrap();
        let page = chunk.map(Result::unwrap).nth(4).unwrap();
        // Its header.
        bytes[page.offset() as usize] = 0xff;
        let file = ParquetFile::from_bytes(bytes).unwrap();
        for threads in [2, 3] {
            let mut scan = file.scan().columns(["lists"]).batch_rows(250).threads(threads).build().unwrap();
            let good: Vec<RecordBatch> = scan.by_ref().map_while(Result::ok).collect();
            assert!(good.len() >= 4_000 / 250 && good.len() < ROWS / 250, "{} batches", good.len());
            let read = concat_batches(&good[0].schema(), &good).unwrap();
            assert_eq!(read.column(0).as_ref(), batch.column(0).slice(0, read.num_rows()).as_ref());
            assert!(scan.next().is_none());
            let error = file.scan().columns(["lists"]).batch_rows(250).threads(threads).build().unwrap().read_all().unwrap_err();
            assert!(error.to_string().contains(["x", "y", "z"][leaf]) && error.to_string().contains("row group 1"), "{error}");
        }
    }
}

/// Lists whose chunks are of some size, so that other threads prepare their pages; no pattern, so that no codec makes them small.
fn large_lists() -> RecordBatch {
    let mut lists = ListBuilder::new(Int64Builder::new());
    let mut salt = 1_u64;
    for row in 0..20_000 {
        for element in 0..row % 4 {
            salt = salt.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            lists.values().append_option(((element + row) % 9 > 0).then_some(salt.cast_signed()));
        }
        lists.append(row % 17 > 0);
    }
    RecordBatch::try_from_iter([("lists", Arc::new(lists.finish()) as ArrayRef)]).unwrap()
}

fn in_groups(batch: &RecordBatch, compression: Compression) -> Vec<u8> {
    let columns = ColumnOptions::new().page_rows(300).dictionary(false).compression(compression);
    let options = WriterOptions::builder().columns(columns).row_group_rows(9_000).build().unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.close_into().unwrap().1
}

#[test]
fn pages_that_other_threads_prepare_are_the_same() {
    let batch = large_lists();
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::zstd(1).unwrap()] {
        let bytes = in_groups(&batch, compression);
        let mut on_disk = tempfile::NamedTempFile::new().unwrap();
        on_disk.write_all(&bytes).unwrap();
        for file in [ParquetFile::from_bytes(bytes).unwrap(), ParquetFile::open(on_disk.path()).unwrap()] {
            for (threads, rows) in [(1, 700), (2, 700), (2, 100_000), (3, 64), (8, 1_000)] {
                let scan = || file.scan().batch_rows(rows).threads(threads).build().unwrap();
                let read = concat_batches(&scan().schema(), &scan().read_all().unwrap()).unwrap();
                assert_eq!(read, batch, "{compression:?}, {threads} threads");
                // A scan that is given up leaves nobody waiting, and the pool as it was.
                drop(scan().next().unwrap().unwrap());
            }
        }
    }
}

#[test]
fn a_broken_page_among_prepared_ones_is_named() {
    let batch = large_lists();
    let bytes = in_groups(&batch, Compression::zstd(1).unwrap());
    let file = ParquetFile::from_bytes(bytes.clone()).unwrap();
    let chunk = pages(Bytes::from(bytes.clone()), file.metadata(), 1, 0, &PageOptions::default()).unwrap();
    let page = chunk.map(Result::unwrap).nth(7).unwrap();
    let (header, body) = (page.offset() as usize, page.bytes().to_vec());
    let body = header + bytes[header..].windows(body.len()).position(|window| window == body).unwrap();
    for at in [header, body] {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].fill(0xff);
        let file = ParquetFile::from_bytes(bytes).unwrap();
        let error = |threads| file.scan().batch_rows(250).threads(threads).build().unwrap().read_all().unwrap_err().to_string();
        let one = error(1);
        assert!(one.contains("row group 1") && one.contains("page 7") && one.contains(&format!("{header}")), "{one}");
        for threads in [2, 3, 8] {
            assert_eq!(error(threads), one);
        }
    }
}
