//! Footers made by our own `Encode`, whole and damaged.

mod chunks;
mod files;
mod laziness;
mod mutants;
mod page_index;
mod statistics;

use bytes::Bytes;

use crate::error::Result;
use crate::format::{
    BoundingBox, Codec, ColumnChunk, ColumnMetaData, ColumnOrder, Encoding, FieldRepetitionType, FileMetaData, GeospatialStatistics,
    KeyValue, LogicalType, PageEncodingStats, PageType, PhysicalType, RowGroup, SchemaElement, SizeStatistics, SortingColumn, Statistics,
};
use crate::limits::Limits;
use crate::metadata::FileMetadata;
use crate::thrift::encode_to_vec;

/// Size of the file that the sample claims to be the footer of.
const FILE_SIZE: u64 = 100_000;

/// Three columns, two row groups, and every sort of metadata.
fn sample() -> FileMetaData<'static> {
    FileMetaData {
        version: 2,
        schema: schema(),
        num_rows: 30,
        row_groups: vec![row_group(10, 4), row_group(20, 50_000)],
        key_value_metadata: Some(vec![
            KeyValue { key: "alone".into(), value: None },
            KeyValue { key: "color".into(), value: Some("silver".into()) },
            KeyValue { key: "color".into(), value: Some("blue".into()) },
        ]),
        created_by: Some("parquet-mr version 1.13.1 (build abc)".into()),
        column_orders: Some(vec![ColumnOrder::TypeOrder; 3]),
        encryption_algorithm: None,
        footer_signing_key_metadata: None,
    }
}

fn schema() -> Vec<SchemaElement<'static>> {
    let required = Some(FieldRepetitionType::Required);
    vec![
        SchemaElement { num_children: Some(3), ..element("root", None) },
        SchemaElement { repetition_type: required, ..element("id", Some(PhysicalType::Int64)) },
        SchemaElement {
            repetition_type: Some(FieldRepetitionType::Optional),
            logical_type: Some(LogicalType::String),
            ..element("name", Some(PhysicalType::ByteArray))
        },
        SchemaElement { repetition_type: Some(FieldRepetitionType::Repeated), num_children: Some(1), ..element("points", None) },
        SchemaElement { repetition_type: required, ..element("x", Some(PhysicalType::Double)) },
    ]
}

fn element(name: &'static str, physical_type: Option<PhysicalType>) -> SchemaElement<'static> {
    SchemaElement {
        physical_type,
        type_length: None,
        repetition_type: None,
        name: name.into(),
        num_children: None,
        converted_type: None,
        scale: None,
        precision: None,
        field_id: None,
        logical_type: None,
    }
}

fn row_group(num_rows: i64, offset: i64) -> RowGroup<'static> {
    let chunk = |i: i64, physical_type, path: &[&'static str]| chunk(physical_type, path, num_rows, offset + i * 1000);
    RowGroup {
        columns: vec![
            chunk(0, PhysicalType::Int64, &["id"]),
            chunk(1, PhysicalType::ByteArray, &["name"]),
            chunk(2, PhysicalType::Double, &["points", "x"]),
        ],
        total_byte_size: 9000,
        num_rows,
        sorting_columns: Some(vec![SortingColumn { column_idx: 1, descending: true, nulls_first: false }]),
        file_offset: Some(offset),
        total_compressed_size: Some(3000),
        ordinal: Some(if offset == 4 { 0 } else { 1 }),
    }
}

/// A chunk of 1000 bytes from `offset` on, of which the first 100 are the dictionary page.
fn chunk(physical_type: PhysicalType, path: &[&'static str], num_values: i64, offset: i64) -> ColumnChunk<'static> {
    ColumnChunk {
        file_path: None,
        file_offset: 0,
        meta_data: Some(ColumnMetaData {
            physical_type,
            encodings: vec![Encoding::RleDictionary, Encoding::Rle, Encoding::Plain],
            path_in_schema: path.iter().map(|name| (*name).into()).collect(),
            codec: Codec::Zstd,
            num_values,
            total_uncompressed_size: 3000,
            total_compressed_size: 1000,
            key_value_metadata: Some(vec![KeyValue { key: "k".into(), value: Some("v".into()) }]),
            data_page_offset: offset + 100,
            index_page_offset: None,
            dictionary_page_offset: Some(offset),
            statistics: Some(bounds(&3_i64.to_le_bytes(), &9_i64.to_le_bytes())),
            encoding_stats: Some(vec![
                PageEncodingStats { page_type: PageType::DictionaryPage, encoding: Encoding::Plain, count: 1 },
                PageEncodingStats { page_type: PageType::DataPage, encoding: Encoding::RleDictionary, count: 7 },
            ]),
            bloom_filter_offset: Some(80_000),
            bloom_filter_length: Some(100),
            size_statistics: Some(SizeStatistics {
                unencoded_byte_array_data_bytes: Some(77),
                repetition_level_histogram: Some(vec![5, 6]),
                definition_level_histogram: Some(vec![1, 2]),
            }),
            geospatial_statistics: Some(GeospatialStatistics {
                bbox: Some(BoundingBox { xmin: 1.0, xmax: 2.0, ymin: 3.0, ymax: 4.0, zmin: None, zmax: None, mmin: None, mmax: Some(5.0) }),
                geospatial_types: Some(vec![1, 1003]),
            }),
        }),
        offset_index_offset: Some(81_000),
        offset_index_length: Some(50),
        column_index_offset: Some(82_000),
        column_index_length: Some(60),
        crypto_metadata: None,
        encrypted_column_metadata: None,
    }
}

fn no_statistics() -> Statistics<'static> {
    Statistics {
        max: None,
        min: None,
        null_count: None,
        distinct_count: None,
        max_value: None,
        min_value: None,
        is_max_value_exact: None,
        is_min_value_exact: None,
        nan_count: None,
    }
}

fn bounds(min: &[u8], max: &[u8]) -> Statistics<'static> {
    Statistics { min_value: Some(min.to_vec().into()), max_value: Some(max.to_vec().into()), null_count: Some(0), ..no_statistics() }
}

fn parse(file: &FileMetaData<'_>) -> Result<FileMetadata> {
    parse_bytes(encode_to_vec(file).unwrap())
}

fn parse_bytes(footer: Vec<u8>) -> Result<FileMetadata> {
    parse_with(footer, &Limits::default())
}

fn parse_with(footer: Vec<u8>, limits: &Limits) -> Result<FileMetadata> {
    FileMetadata::parse(Bytes::from(footer), FILE_SIZE, limits)
}

/// The metadata of the first chunk, to be changed.
fn meta<'f>(file: &'f mut FileMetaData<'static>) -> &'f mut ColumnMetaData<'static> {
    file.row_groups[0].columns[0].meta_data.as_mut().unwrap()
}
