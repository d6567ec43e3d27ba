//! Metadata that outlives the footer that it was read from.

use std::borrow::Cow;

use crate::format::{ColumnMetaData, KeyValue, Statistics};

type Bytes<'a> = Option<Cow<'a, [u8]>>;

fn bytes(bytes: Bytes<'_>) -> Bytes<'static> {
    bytes.map(|bytes| Cow::Owned(bytes.into_owned()))
}

fn key_value(entry: KeyValue<'_>) -> KeyValue<'static> {
    KeyValue { key: Cow::Owned(entry.key.into_owned()), value: entry.value.map(|value| Cow::Owned(value.into_owned())) }
}

fn statistics(statistics: Statistics<'_>) -> Statistics<'static> {
    Statistics {
        max: bytes(statistics.max),
        min: bytes(statistics.min),
        null_count: statistics.null_count,
        distinct_count: statistics.distinct_count,
        max_value: bytes(statistics.max_value),
        min_value: bytes(statistics.min_value),
        is_max_value_exact: statistics.is_max_value_exact,
        is_min_value_exact: statistics.is_min_value_exact,
        nan_count: statistics.nan_count,
    }
}

pub(super) fn meta(meta: ColumnMetaData<'_>) -> ColumnMetaData<'static> {
    ColumnMetaData {
        physical_type: meta.physical_type,
        encodings: meta.encodings,
        path_in_schema: meta.path_in_schema.into_iter().map(|name| Cow::Owned(name.into_owned())).collect(),
        codec: meta.codec,
        num_values: meta.num_values,
        total_uncompressed_size: meta.total_uncompressed_size,
        total_compressed_size: meta.total_compressed_size,
        key_value_metadata: meta.key_value_metadata.map(|entries| entries.into_iter().map(key_value).collect()),
        data_page_offset: meta.data_page_offset,
        index_page_offset: meta.index_page_offset,
        dictionary_page_offset: meta.dictionary_page_offset,
        statistics: meta.statistics.map(statistics),
        encoding_stats: meta.encoding_stats,
        bloom_filter_offset: meta.bloom_filter_offset,
        bloom_filter_length: meta.bloom_filter_length,
        size_statistics: meta.size_statistics,
        geospatial_statistics: meta.geospatial_statistics,
    }
}
