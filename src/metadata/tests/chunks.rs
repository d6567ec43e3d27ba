//! Where column chunks are, by writers that are right and by others.

use super::*;
use crate::ErrorKind;
use crate::format::{ColumnCryptoMetaData, EncryptionWithColumnKey};
use crate::metadata::{BloomFilterLocation, ChunkLocation};

fn location(file: &FileMetaData<'_>) -> Result<ChunkLocation> {
    parse(file).unwrap().row_group(0).unwrap().chunk(0)
}

/// The location after a change to the first chunk's metadata.
fn changed(change: impl FnOnce(&mut ColumnMetaData<'static>)) -> Result<ChunkLocation> {
    let mut file = sample();
    change(meta(&mut file));
    location(&file)
}

#[test]
fn a_chunk_says_what_reading_needs() {
    let file = parse(&sample()).unwrap();
    let chunk = file.row_group(1).unwrap().chunk(1).unwrap();
    assert_eq!(
        chunk,
        ChunkLocation {
            physical_type: PhysicalType::ByteArray,
            codec: Codec::Zstd,
            num_values: 20,
            range: 51_000..52_000,
            bound: FILE_SIZE - 8 - file.footer_size() as u64,
            uncompressed_size: 3000,
            data_page_offset: 51_100,
            dictionary_page_offset: Some(51_000),
            offset_index: Some(81_000..81_050),
            column_index: Some(82_000..82_060),
            bloom_filter: Some(BloomFilterLocation { offset: 80_000, length: Some(100) }),
            in_other_file: false,
            encrypted: false,
            absent: false,
        }
    );
    assert_eq!(file.row_group(1).unwrap().column(1).unwrap().location().unwrap(), chunk);
}

#[cfg(feature = "arrow")]
#[test]
fn sizes_alone_are_those_of_the_chunk_and_say_nothing_of_unusual_ones() {
    let file = parse(&sample()).unwrap();
    for group in file.row_groups() {
        for column in 0..group.num_columns() {
            let chunk = group.chunk(column).unwrap();
            let compressed = group.column(column).unwrap().compressed_size();
            assert_eq!(group.chunk_sizes(column), Some((chunk.codec, chunk.uncompressed_size, compressed)));
        }
    }
    let sizes = |change: &dyn Fn(&mut ColumnMetaData<'static>)| {
        let mut file = sample();
        change(meta(&mut file));
        parse(&file).unwrap().row_group(0).unwrap().chunk_sizes(0)
    };
    assert_eq!(sizes(&|meta| meta.total_compressed_size = -1), None);
    assert_eq!(sizes(&|meta| meta.total_uncompressed_size = -1), None);
    let mut other = sample();
    other.row_groups[0].columns[0].file_path = Some("other.parquet".into());
    assert_eq!(parse(&other).unwrap().row_group(0).unwrap().chunk_sizes(0), None);
    assert_eq!(parse(&other).unwrap().row_group(0).unwrap().chunk_sizes(9), None);
}

#[test]
fn dictionary_offsets_are_believed_when_they_can_be() {
    for (offset, expected, range) in [
        (Some(4), Some(4), 4..1004),
        (Some(0), None, 104..1104),
        (None, None, 104..1104),
        (Some(104), None, 104..1104),
        (Some(5000), None, 104..1104),
        (Some(-1), None, 104..1104),
    ] {
        let chunk = changed(|meta| meta.dictionary_page_offset = offset).unwrap();
        assert_eq!((chunk.dictionary_page_offset, chunk.range), (expected, range), "{offset:?}");
    }
}

#[test]
fn sizes_without_the_dictionary_page_are_understood() {
    let chunk = changed(|meta| meta.total_compressed_size = 90).unwrap();
    assert_eq!(chunk.range, 4..194);
    let mut old = sample();
    old.created_by = Some("parquet-mr version 1.2.8".into());
    assert_eq!(location(&old).unwrap().range, 4..1104);
    // Not beyond the data, however.
    let mut small = sample();
    small.created_by = None;
    let footer = Bytes::from(encode_to_vec(&small).unwrap());
    let file_size = footer.len() as u64 + 8 + 1050;
    let file = FileMetadata::parse(footer, file_size, &Limits::default()).unwrap();
    assert_eq!(file.row_group(0).unwrap().chunk(0).unwrap().range, 4..1050);
}

#[test]
fn ranges_outside_the_file_are_errors_of_the_chunk_alone() {
    for change in [
        |meta: &mut ColumnMetaData<'_>| meta.total_compressed_size = 100_000,
        |meta: &mut ColumnMetaData<'_>| meta.total_compressed_size = -1,
        |meta: &mut ColumnMetaData<'_>| meta.total_compressed_size = i64::MAX,
        |meta: &mut ColumnMetaData<'_>| meta.data_page_offset = 99_500,
        |meta: &mut ColumnMetaData<'_>| meta.data_page_offset = i64::MAX,
        |meta: &mut ColumnMetaData<'_>| meta.data_page_offset = i64::MIN,
        |meta: &mut ColumnMetaData<'_>| meta.num_values = -1,
    ] {
        let mut file = sample();
        // Without the dictionary page, the chunk begins with its data.
        meta(&mut file).dictionary_page_offset = None;
        change(meta(&mut file));
        let file = parse(&file).unwrap();
        let error = file.row_group(0).unwrap().chunk(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert_eq!((error.place().column.as_deref(), error.place().row_group), (Some("id"), Some(0)));
        assert!(file.row_group(0).unwrap().chunk(1).is_ok());
        assert!(file.row_group(0).unwrap().column(0).is_ok());
    }
    assert_eq!(changed(|meta| (meta.data_page_offset, meta.dictionary_page_offset) = (99_000, None)).unwrap().range, 99_000..100_000);
}

#[test]
fn the_type_must_be_that_of_the_schema() {
    let error = changed(|meta| meta.physical_type = PhysicalType::Int32).unwrap_err();
    assert!(error.message().contains("has type INT32, but the schema says INT64"), "{error}");
}

#[test]
fn auxiliary_structures_outside_the_file_are_none() {
    for (offset, length) in
        [(None, Some(10)), (Some(10), None), (Some(0), Some(10)), (Some(99_999), Some(2)), (Some(-5), Some(2)), (Some(5), Some(-2))]
    {
        let mut file = sample();
        let chunk = &mut file.row_groups[0].columns[0];
        (chunk.offset_index_offset, chunk.offset_index_length) = (offset, length);
        (chunk.column_index_offset, chunk.column_index_length) = (offset, length);
        let chunk = location(&file).unwrap();
        assert_eq!((chunk.offset_index, chunk.column_index), (None, None));
    }
    for (offset, length, expected) in [
        (Some(99_999), None, Some(BloomFilterLocation { offset: 99_999, length: None })),
        (Some(99_999), Some(1), Some(BloomFilterLocation { offset: 99_999, length: Some(1) })),
        (Some(99_999), Some(2), None),
        (Some(100_000), None, None),
        (Some(500), Some(0), None),
        (Some(-1), None, None),
        (None, Some(1), None),
    ] {
        let chunk = changed(|meta| (meta.bloom_filter_offset, meta.bloom_filter_length) = (offset, length)).unwrap();
        assert_eq!(chunk.bloom_filter, expected);
    }
}

#[test]
fn pages_may_be_in_another_file() {
    let mut file = sample();
    file.row_groups[0].columns[0].file_path = Some("part-0.parquet".into());
    meta(&mut file).data_page_offset = 1_000_000;
    meta(&mut file).dictionary_page_offset = None;
    file.row_groups[0].columns[0].offset_index_offset = Some(2_000_000);
    let chunk = location(&file).unwrap();
    assert!(chunk.in_other_file);
    assert_eq!((chunk.range, chunk.bound), (1_000_000..1_001_000, 1_001_000));
    assert_eq!(chunk.offset_index, Some(2_000_000..2_000_050));
    let parsed = parse(&file).unwrap();
    let column = parsed.row_group(0).unwrap().column(0).unwrap();
    assert_eq!((column.file_path(), column.offset_index()), (Some("part-0.parquet"), chunk.offset_index));
    file.row_groups[0].columns[0].file_path = Some("".into());
    assert_eq!(location(&file).unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn encrypted_chunks_say_so() {
    let mut file = sample();
    let chunk = &mut file.row_groups[0].columns[0];
    let key = EncryptionWithColumnKey { path_in_schema: vec!["id".into()], key_metadata: Some(b"k"[..].into()) };
    chunk.crypto_metadata = Some(ColumnCryptoMetaData::EncryptionWithColumnKey(key));
    assert!(location(&file).unwrap().encrypted);
    let chunk = &mut file.row_groups[0].columns[0];
    chunk.encrypted_column_metadata = Some(b"secret"[..].into());
    chunk.meta_data = None;
    let parsed = parse(&file).unwrap();
    let row_group = parsed.row_group(0).unwrap();
    assert_eq!(row_group.chunk(0).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(row_group.column(0).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(row_group.raw_column(0).unwrap(), file.row_groups[0].columns[0]);
    assert_eq!(row_group.statistics(0).unwrap(), None);
    file.row_groups[0].columns[0].encrypted_column_metadata = None;
    file.row_groups[0].columns[0].crypto_metadata = None;
    let parsed = parse(&file).unwrap();
    assert!(parsed.row_group(0).unwrap().chunk(0).unwrap().absent);
    assert_eq!(parsed.row_group(0).unwrap().column(0).unwrap_err().kind(), ErrorKind::Malformed);
}
