//! Columns of lists whose leaves are read by several threads: what comes of them is what one thread reads, and so is what is wrong with them.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, StructBuilder};
use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use arrow_schema::{DataType, Field, Fields};
use arrow_select::concat::concat_batches;
use herringbone::arrow::{ArrowWriter, ParquetFile};
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
        let chunk = pages(bytes::Bytes::from(bytes.clone()), file.metadata(), 1, leaf, &PageOptions::default()).unwrap();
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
