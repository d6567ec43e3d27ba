//! What a whole footer says.

use super::*;
use crate::ErrorKind;
use crate::format::{AesGcmV1, EncryptionAlgorithm};
use crate::metadata::Order;

#[test]
fn the_file_is_described() {
    let file = parse(&sample()).unwrap();
    assert_eq!((file.version(), file.num_rows(), file.num_row_groups()), (2, 30, 2));
    assert_eq!(file.file_size(), FILE_SIZE);
    assert_eq!(file.created_by(), Some("parquet-mr version 1.13.1 (build abc)"));
    assert_eq!(file.writer().unwrap().numbers(), Some([1, 13, 1]));
    assert!(!file.has_corrupt_binary_bounds() && !file.has_prefixes_across_pages());
    assert_eq!(file.schema().leaves().len(), 3);
    assert_eq!(file.column_order(2), Some(&ColumnOrder::TypeOrder));
    assert_eq!(file.column_order(3), None);
    assert_eq!([0, 1, 2, 3].map(|leaf| file.order(leaf)), [Some(Order::Int64), Some(Order::Bytes), Some(Order::Double), None]);
    let keys: Vec<_> = file.key_values().map(|entry| entry.key.into_owned()).collect();
    assert_eq!(keys, ["alone", "color", "color"]);
    assert_eq!(file.key_value("color").as_deref(), Some("silver"));
    assert_eq!(file.key_value("alone"), None);
    assert!(!file.is_encrypted() && file.encryption_algorithm().unwrap().is_none() && file.footer_signing_key_metadata().is_none());
    assert_eq!(format!("{:?}", file.clone()), format!("{file:?}"));
}

#[test]
fn row_groups_are_described() {
    let file = parse(&sample()).unwrap();
    let second = file.row_group(1).unwrap();
    assert_eq!((second.index(), second.num_rows(), second.num_columns(), second.ordinal()), (1, 20, 3, Some(1)));
    assert_eq!((second.total_byte_size(), second.total_compressed_size(), second.file_offset()), (9000, Some(3000), Some(50_000)));
    assert_eq!(second.sorting_columns().unwrap(), [SortingColumn { column_idx: 1, descending: true, nulls_first: false }]);
    assert!(file.row_group(2).is_none());
    assert_eq!(file.row_groups().map(|row_group| row_group.num_rows()).collect::<Vec<_>>(), [10, 20]);
    assert_eq!(second.columns().len(), 3);
    for error in [second.column(3).unwrap_err(), second.chunk(3).unwrap_err(), second.statistics(3).unwrap_err()] {
        assert_eq!((error.kind(), error.place().row_group), (ErrorKind::Usage, Some(1)));
    }
}

#[test]
fn column_chunks_are_described() {
    let file = parse(&sample()).unwrap();
    let column = file.row_group(1).unwrap().column(2).unwrap();
    assert_eq!((column.path().dotted(), column.leaf().index, column.row_group().index()), ("points.x", 2, 1));
    assert_eq!(column.path_in_schema(), ["points", "x"]);
    assert_eq!((column.physical_type(), column.codec()), (PhysicalType::Double, Codec::Zstd));
    assert_eq!(column.encodings(), [Encoding::RleDictionary, Encoding::Rle, Encoding::Plain]);
    assert_eq!(column.encoding_stats().unwrap().len(), 2);
    assert_eq!(column.is_all_dictionary(), Some(true));
    assert_eq!((column.num_values(), column.compressed_size(), column.uncompressed_size()), (20, 1000, 3000));
    assert_eq!((column.data_page_offset(), column.dictionary_page_offset()), (52_100, Some(52_000)));
    assert_eq!(column.index_page_offset(), None);
    assert_eq!(column.key_values()[0].value.as_deref(), Some("v"));
    assert_eq!(column.size_statistics().unwrap().unencoded_byte_array_data_bytes, Some(77));
    assert_eq!(column.repetition_level_histogram(), Some(&[5, 6][..]));
    assert_eq!(column.definition_level_histogram(), Some(&[1, 2][..]));
    let boxed = column.geospatial_statistics().unwrap();
    assert_eq!((boxed.bbox.as_ref().unwrap().mmax, boxed.geospatial_types.as_deref()), (Some(5.0), Some(&[1, 1003][..])));
    assert_eq!((column.offset_index(), column.column_index()), (Some(81_000..81_050), Some(82_000..82_060)));
    assert_eq!(column.bloom_filter().unwrap().offset, 80_000);
    assert!(column.file_path().is_none() && column.crypto_metadata().is_none());
    assert_eq!(column.raw_statistics().unwrap().null_count, Some(0));
    // A flat column has no histogram of two repetition levels.
    assert_eq!(file.row_group(0).unwrap().column(0).unwrap().repetition_level_histogram(), None);
    assert_eq!(file.row_group(0).unwrap().raw_column(0).unwrap(), sample().row_groups[0].columns[0]);
}

#[test]
fn dictionary_encoding_is_known_from_the_page_counts() {
    let mut file = sample();
    let counts = |pages: &[(PageType, Encoding, i32)]| {
        pages.iter().map(|&(page_type, encoding, count)| PageEncodingStats { page_type, encoding, count }).collect::<Vec<_>>()
    };
    for (pages, expected) in [
        (Some(counts(&[(PageType::DataPageV2, Encoding::PlainDictionary, 3)])), Some(true)),
        (Some(counts(&[(PageType::DataPage, Encoding::RleDictionary, 3), (PageType::DataPage, Encoding::Plain, 1)])), Some(false)),
        (Some(counts(&[(PageType::DataPage, Encoding::RleDictionary, 3), (PageType::DataPage, Encoding::Plain, 0)])), Some(true)),
        (Some(counts(&[(PageType::DictionaryPage, Encoding::Plain, 1)])), Some(false)),
        (None, None),
    ] {
        meta(&mut file).encoding_stats = pages;
        assert_eq!(parse(&file).unwrap().row_group(0).unwrap().column(0).unwrap().is_all_dictionary(), expected);
    }
}

#[test]
fn row_groups_must_fit_the_schema_and_the_rows() {
    let mut file = sample();
    file.row_groups[1].columns.pop();
    let error = parse(&file).unwrap_err();
    assert!(error.message().contains("2 columns, but the schema has 3"), "{error}");
    assert_eq!((error.kind(), error.place().row_group), (ErrorKind::Malformed, Some(1)));

    let mut file = sample();
    file.num_rows = 31;
    assert!(parse(&file).unwrap_err().message().contains("claims 31 rows, but its row groups have 30"));
    file.num_rows = -30;
    assert_eq!(parse(&file).unwrap_err().kind(), ErrorKind::Malformed);
    file.num_rows = 0;
    assert_eq!(parse(&file).unwrap().num_rows(), 30);

    // Summaries of other files have a schema and rows, but no row groups.
    let mut file = sample();
    file.row_groups.clear();
    let summary = parse(&file).unwrap();
    assert_eq!((summary.num_rows(), summary.schema().leaves().len()), (0, 3));
    let error = summary.check_has_data().unwrap_err();
    assert!(error.message().contains("claims 30 rows, but has no row groups"), "{error}");
    file.num_rows = 0;
    assert!(parse(&file).unwrap().check_has_data().is_ok() && parse(&sample()).unwrap().check_has_data().is_ok());

    let mut file = sample();
    file.row_groups[0].num_rows = -10;
    assert_eq!(parse(&file).unwrap_err().place().row_group, Some(0));
    file.row_groups = vec![row_group(i64::MAX, 4), row_group(i64::MAX, 4), row_group(i64::MAX, 4)];
    file.num_rows = i64::MAX;
    assert!(parse(&file).unwrap_err().message().contains("more than 2^64 rows"));
}

#[test]
fn a_file_without_rows_is_one() {
    let file =
        FileMetaData { row_groups: Vec::new(), num_rows: 0, created_by: None, key_value_metadata: None, column_orders: None, ..sample() };
    let file = parse(&file).unwrap();
    assert_eq!((file.num_rows(), file.num_row_groups(), file.key_values().count()), (0, 0, 0));
    assert!(file.created_by().is_none() && file.writer().is_none() && file.order(0).is_none());
    assert!(file.has_corrupt_binary_bounds() && file.has_prefixes_across_pages());
}

#[test]
fn orders_for_another_number_of_columns_are_none() {
    let file = parse(&FileMetaData { column_orders: Some(vec![ColumnOrder::TypeOrder; 2]), ..sample() }).unwrap();
    assert_eq!((file.column_order(0), file.order(0)), (None, None));
}

#[test]
fn encryption_of_a_plain_footer_is_told() {
    let algorithm = EncryptionAlgorithm::AesGcmV1(AesGcmV1 {
        aad_prefix: None,
        aad_file_unique: Some(b"unique"[..].into()),
        supply_aad_prefix: Some(true),
    });
    let signed = FileMetaData {
        encryption_algorithm: Some(algorithm.clone()),
        footer_signing_key_metadata: Some(b"the key"[..].into()),
        ..sample()
    };
    let file = parse(&signed).unwrap();
    assert!(file.is_encrypted());
    assert_eq!(file.encryption_algorithm().unwrap(), Some(algorithm));
    assert_eq!(file.footer_signing_key_metadata(), Some(&b"the key"[..]));
    // The signature behind the footer is not part of it.
    let signature = [encode_to_vec(&signed).unwrap(), vec![0xff; 28]].concat();
    assert_eq!(parse_bytes(signature).unwrap().num_rows(), 30);
}

#[test]
fn errors_have_the_offset_in_the_file() {
    let footer = encode_to_vec(&sample()).unwrap();
    let error = parse_bytes(footer[..300].to_vec()).unwrap_err();
    // Somewhere in the 300 bytes before length and magic number.
    let offset = error.place().offset.unwrap();
    assert!((FILE_SIZE - 308..FILE_SIZE - 8).contains(&offset), "{error}");
}

#[test]
fn metadata_takes_no_more_memory_than_allowed() {
    let footer = Bytes::from(encode_to_vec(&sample()).unwrap());
    let limits = Limits { metadata_bytes: 500, ..Limits::default() };
    assert_eq!(FileMetadata::parse(footer, FILE_SIZE, &limits).unwrap_err().kind(), ErrorKind::Limit);
}
