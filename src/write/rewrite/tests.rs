//! Copied row groups read like their originals.

use std::sync::Arc;

use bytes::Bytes;

use crate::ErrorKind;
use crate::compression::{Compression, Decompressor};
use crate::format::{ColumnOrder, Encoding, FileMetaData};
use crate::limits::Limits;
use crate::metadata::{BloomFilter, FileMetadata};
use crate::read::{self, PageOptions};
use crate::schema::Schema;
use crate::thrift::encode_to_vec;
use crate::values::{Bits, Values};
use crate::write::{BloomFilterOptions, ColumnOptions, FileWriter, LevelsSlice, SinkOptions, SortBy, WriterOptions, without_other_columns};

const SCHEMA: &str = "message m { required int64 id; optional group g { required binary name (STRING); } required double x; }";

fn schema() -> Arc<Schema> {
    Arc::new(SCHEMA.parse().unwrap())
}

fn options() -> WriterOptions {
    let columns = ColumnOptions::new().page_rows(10).bloom_filter(BloomFilterOptions::default());
    WriterOptions::builder()
        .columns(columns)
        .column("x", ColumnOptions::new().encoding(Encoding::Plain).compression(Compression::SNAPPY))
        .sorting([SortBy::ascending("id"), SortBy::ascending("x")])
        .key_value("k", Some("v".to_owned()))
        .build()
        .unwrap()
}

/// Appends a row group whose values begin at `start`.
fn append<W: std::io::Write>(file: &mut FileWriter<W>, start: u64) {
    let all = start..start + 35;
    let names: Vec<String> = all.clone().filter(|i| i % 3 != 0).map(|i| format!("name {}", i % 20)).collect();
    let validity: Bits = all.clone().map(|i| i % 3 != 0).collect();
    let columns = [
        (Values::Words64(all.clone().collect()), LevelsSlice::Present),
        (Values::Bytes(names.iter().map(|name| name.as_bytes()).collect()), LevelsSlice::Validity((&validity).into())),
        (Values::Words64(all.map(|i| (i as f64 / 2.0).to_bits()).collect()), LevelsSlice::Present),
    ];
    let encode = |(leaf, (values, levels)): (usize, &(Values, LevelsSlice<'_>))| {
        let mut writer = file.leaf_writer(leaf).unwrap();
        writer.write(values.as_slice(), *levels).unwrap();
        writer.finish().unwrap()
    };
    let chunks: Vec<_> = columns.iter().enumerate().map(encode).collect();
    file.append_row_group(chunks).unwrap();
}

fn file(starts: &[u64]) -> Bytes {
    let mut bytes = Vec::new();
    let mut file = FileWriter::new(&mut bytes, schema(), options()).unwrap();
    starts.iter().for_each(|start| append(&mut file, *start));
    file.close().unwrap();
    bytes.into()
}

fn metadata(file: &Bytes) -> FileMetadata {
    read::metadata(file, &Limits::default()).unwrap()
}

/// The pages of a column, and what is said of it.
fn column(file: &Bytes, row_group: usize, leaf: &str) -> (Vec<Bytes>, String) {
    let metadata = metadata(file);
    let leaf = metadata.schema().leaf(leaf).unwrap().index;
    let options = PageOptions { verify_crc: true, ..PageOptions::default() };
    let pages: Vec<_> = read::pages(file.clone(), &metadata, row_group, leaf, &options).unwrap().map(|page| page.unwrap()).collect();
    pages.iter().for_each(|page| drop(page.decompress(&mut Decompressor::new(), Vec::new()).unwrap()));
    let group = metadata.row_group(row_group).unwrap();
    let chunk = group.chunk(leaf).unwrap();
    let bytes = |range: std::ops::Range<u64>| &file[range.start as usize..range.end as usize];
    let offsets = group.parse_offset_index(leaf, bytes(chunk.offset_index.clone().unwrap())).unwrap();
    let data_pages = pages.iter().filter(|page| !page.is_dictionary());
    assert!(data_pages.map(|page| page.offset()).eq(offsets.pages().iter().map(|page| page.offset)));
    let index = group.parse_column_index(leaf, bytes(chunk.column_index.clone().unwrap()), &offsets).unwrap();
    let filter = chunk.bloom_filter.unwrap();
    let filter = BloomFilter::parse(bytes(filter.offset..filter.offset + u64::from(filter.length.unwrap()))).unwrap();
    let rows: Vec<_> = (0..offsets.num_pages()).map(|page| offsets.rows(page)).collect();
    let statistics = group.statistics(leaf).unwrap();
    // The place of the leaf in its schema is no part of what is compared.
    let index = format!("{index:?}").replace(&format!("index: {leaf},"), "");
    (pages.iter().map(|page| page.bytes().clone()).collect(), format!("{index} {filter:?} {rows:?} {statistics:?}"))
}

const PATHS: [&str; 3] = ["id", "g.name", "x"];

#[test]
fn files_are_concatenated() {
    let (first, second) = (file(&[0, 100]), file(&[1000]));
    let mut bytes = Vec::new();
    let mut out = FileWriter::new(&mut bytes, schema(), WriterOptions::default()).unwrap();
    out.copy_file(&first).unwrap();
    append(&mut out, 500);
    out.copy_file(&second).unwrap();
    out.close().unwrap();
    let all = Bytes::from(bytes);
    let read = metadata(&all);
    assert_eq!((read.num_row_groups(), read.num_rows()), (4, 140));
    for (group, (source, row_group)) in [(0, (&first, 0)), (1, (&first, 1)), (3, (&second, 0))] {
        for path in PATHS {
            assert_eq!(column(&all, group, path), column(source, row_group, path));
        }
        assert_eq!(read.row_group(group).unwrap().sorting_columns().unwrap().len(), 2);
        assert_eq!(read.row_group(group).unwrap().ordinal(), Some(group as i16));
    }
}

#[test]
fn columns_are_left_out() {
    let source = file(&[0]);
    let pruned = without_other_columns(&schema(), ["x", "g"]).unwrap();
    let mut bytes = Vec::new();
    let mut out = FileWriter::new(&mut bytes, Arc::new(pruned), WriterOptions::default()).unwrap();
    out.copy_file(&source).unwrap();
    let read = out.close().unwrap();
    let pruned = Bytes::from(bytes);
    assert!(pruned.len() < source.len());
    for path in &PATHS[1..] {
        assert_eq!(column(&pruned, 0, path), column(&source, 0, path));
    }
    // Rows are no longer known to be sorted by x, which came second.
    assert!(read.row_group(0).unwrap().sorting_columns().unwrap().is_empty());
}

#[test]
fn summaries_of_other_files_are_refused() {
    let original = metadata(&file(&[0]));
    let mut footer = FileMetaData::from_bytes(original.footer(), &Limits::default()).unwrap().0;
    footer.row_groups.clear();
    let footer = encode_to_vec(&footer).unwrap();
    let summary = [b"PAR1", &footer[..], &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat();
    let says = |error: crate::Error| assert!(error.message().contains("claims 35 rows, but has no row groups"), "{error}");
    says(FileWriter::new(Vec::new(), schema(), options()).unwrap().copy_file(&Bytes::from(summary.clone())).unwrap_err());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("_common_metadata");
    std::fs::write(&path, &summary).unwrap();
    says(FileWriter::append(&path, options(), SinkOptions::default()).unwrap_err());
    assert_eq!(std::fs::read(&path).unwrap(), summary);
}

#[test]
fn row_groups_are_appended_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let before = file(&[0, 100]);
    std::fs::write(&path, &before).unwrap();
    let changed = || options().into_builder().key_value("l", None).build().unwrap();
    let mut abandoned = FileWriter::append(&path, changed(), SinkOptions::default()).unwrap();
    append(&mut abandoned, 200);
    drop(abandoned);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let mut more = FileWriter::append(&path, changed(), SinkOptions::default()).unwrap();
    append(&mut more, 200);
    let written = more.close().unwrap();
    let after = Bytes::from(std::fs::read(&path).unwrap());
    assert_eq!(metadata(&after).footer(), written.footer());
    assert_eq!((written.num_row_groups(), written.num_rows()), (3, 105));
    for path in PATHS {
        for group in 0..2 {
            assert_eq!(column(&after, group, path), column(&before, group, path));
        }
        assert_eq!(column(&after, 2, path), column(&file(&[200]), 0, path));
    }
    let keys: Vec<_> = written.key_values().map(|entry| (entry.key.into_owned(), entry.value.map(|v| v.into_owned()))).collect();
    assert_eq!(keys, [("k".to_owned(), Some("v".to_owned())), ("l".to_owned(), None)]);
}

#[test]
fn other_schemas_are_refused() {
    let source = file(&[0]);
    for (schema, says) in [
        ("message m { required int64 id; required int32 y; }", "lacks a column"),
        ("message m { optional int64 id; }", "another one"),
        ("message m { required int64 id (TIMESTAMP(MILLIS,true)); }", "another one"),
        ("message m { required double x; required int64 id; }", "another one"),
    ] {
        let mut out = FileWriter::new(Vec::new(), Arc::new(schema.parse().unwrap()), WriterOptions::default()).unwrap();
        let error = out.copy_file(&source).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.message().contains(says), "{error} lacks {says:?}");
        // Nothing was written, so that the file can still be completed.
        assert_eq!(out.close().unwrap().num_rows(), 0);
    }
}

/// The file with another footer, in which the writer's name and more is changed.
fn with_footer(file: &Bytes, created_by: &str, change: impl Fn(&mut crate::format::FileMetaData<'_>)) -> Bytes {
    use crate::thrift::{Decode, Reader, encode_to_vec};
    let read = metadata(file);
    let mut footer = crate::format::FileMetaData::decode(&mut Reader::new(read.footer(), 1 << 20)).unwrap();
    footer.created_by = Some(created_by.into());
    change(&mut footer);
    let encoded = encode_to_vec(&footer).unwrap();
    let body = &file[..file.len() - 8 - read.footer_size()];
    [body, &encoded, &(encoded.len() as u32).to_le_bytes(), b"PAR1"].concat().into()
}

fn copy(source: &Bytes) -> crate::Result<FileMetadata> {
    let mut out = FileWriter::new(Vec::new(), schema(), WriterOptions::default()).unwrap();
    out.copy_file(source)?;
    out.close()
}

#[test]
fn bounds_that_are_not_to_be_believed_are_left_behind() {
    // The deprecated bounds of an old parquet-mr.
    let old = with_footer(&file(&[0]), "parquet-mr version 1.6.0", |footer| {
        let statistics = footer.row_groups[0].columns[1].meta_data.as_mut().unwrap().statistics.as_mut().unwrap();
        (statistics.min, statistics.max) = (statistics.min_value.take(), statistics.max_value.take());
    });
    let copied = copy(&old).unwrap();
    let raw = copied.row_group(0).unwrap().raw_column(1).unwrap().meta_data.unwrap().statistics.unwrap();
    assert_eq!((raw.min, raw.max), (None, None));
    // Bounds without an order mean nothing, and shall not begin to.
    let orderless = with_footer(&file(&[0]), "x version 1.0.0", |footer| footer.column_orders = None);
    let copied = copy(&orderless).unwrap();
    assert!(copied.row_group(0).unwrap().statistics(0).unwrap().unwrap().min().is_none());
    assert!(copied.row_group(0).unwrap().chunk(0).unwrap().column_index.is_none());
}

#[test]
fn another_order_is_taken_over_and_kept() {
    let total = with_footer(&file(&[0]), "x version 1.0.0", |footer| {
        footer.column_orders.as_mut().unwrap()[2] = ColumnOrder::Ieee754TotalOrder;
    });
    let mut out = FileWriter::new(Vec::new(), schema(), options()).unwrap();
    out.copy_file(&total).unwrap();
    // What is encoded has the order of the type, and so no bounds here.
    append(&mut out, 100);
    out.copy_file(&file(&[200])).unwrap();
    let copied = out.close().unwrap();
    assert_eq!(copied.column_order(2), Some(&ColumnOrder::Ieee754TotalOrder));
    let has_bounds = |group: usize, leaf: usize| copied.row_group(group).unwrap().statistics(leaf).unwrap().unwrap().min().is_some();
    assert_eq!([0, 1, 2].map(|group| has_bounds(group, 2)), [true, false, false]);
    assert_eq!([0, 1, 2].map(|group| has_bounds(group, 0)), [true, true, true]);
}

#[test]
fn chunks_that_cannot_be_copied_are_refused() {
    let prefixes = with_footer(&file(&[0]), "parquet-mr version 1.6.0", |footer| {
        footer.row_groups[0].columns[1].meta_data.as_mut().unwrap().encodings.push(Encoding::DeltaByteArray);
    });
    let error = copy(&prefixes).unwrap_err();
    assert_eq!((error.kind(), error.place().column.as_deref()), (ErrorKind::Unsupported, Some("g.name")));
    let summary = with_footer(&file(&[0]), "x version 1.0.0", |footer| footer.row_groups[0].columns[0].file_path = Some("b".into()));
    assert_eq!(copy(&summary).unwrap_err().kind(), ErrorKind::Unsupported);
    // The source ends where the sink has taken a part already.
    let mut out = FileWriter::new(Vec::new(), schema(), WriterOptions::default()).unwrap();
    let whole = file(&[0]);
    let metadata = metadata(&whole);
    assert!(out.copy_row_group(&whole.slice(..600), &metadata, 0).is_err());
    assert!(out.copy_row_group(&whole, &metadata, 0).is_err());
    assert!(out.close().is_err());
}
