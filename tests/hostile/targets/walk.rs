//! Everything that a file's metadata can be asked.

use std::hint::black_box;

use bytes::Bytes;
use herringbone::metadata::{BloomFilter, Bound, ChunkLocation, ColumnIndex, FileMetadata, OffsetIndex, RowGroup, Value};
use herringbone::schema::Schema;

use super::{judge, limits};

/// Row groups, columns and pages beyond these are not looked at: a few bytes can lawfully claim very many.
const GROUPS: usize = 8;
const COLUMNS: usize = 64;
const PAGES: usize = 256;

/// Asks for all that a footer holds.
pub fn walk_metadata(metadata: &FileMetadata) {
    black_box((metadata.version(), metadata.num_rows(), metadata.file_size(), metadata.footer_size(), metadata.is_encrypted()));
    black_box((metadata.created_by(), metadata.writer(), metadata.has_corrupt_binary_bounds(), metadata.has_prefixes_across_pages()));
    black_box((metadata.footer_signing_key_metadata(), metadata.key_value("ARROW:schema")));
    black_box(metadata.key_values().count());
    if let Err(error) = metadata.encryption_algorithm() {
        judge(&error);
    }
    let schema = metadata.schema();
    let text = schema.to_string();
    // People's schemas are held to more than those of files.
    match text.parse::<Schema>() {
        Ok(parsed) => assert_eq!(parsed.to_string(), text),
        Err(error) => judge(&error),
    }
    for leaf in schema.leaves().iter().take(COLUMNS) {
        black_box((metadata.column_order(leaf.index), metadata.order(leaf.index), schema.leaf(leaf.path.dotted())));
        black_box(schema.fields_to(leaf.index).count());
    }
    for group in metadata.row_groups().take(GROUPS) {
        walk_group(&group);
    }
    black_box(format!("{metadata:?}"));
}

fn walk_group(group: &RowGroup<'_>) {
    black_box((group.index(), group.num_rows(), group.total_byte_size(), group.total_compressed_size(), group.file_offset()));
    if let Err(error) = group.sorting_columns() {
        judge(&error);
    }
    for column in 0..group.num_columns().min(COLUMNS) {
        match group.chunk(column) {
            Ok(location) => assert!(location.range.start <= location.range.end, "{:?}", location.range),
            Err(error) => judge(&error),
        }
        match group.statistics(column) {
            Ok(statistics) => {
                let bounds = statistics.iter().flat_map(|statistics| [statistics.min(), statistics.max()]).flatten();
                bounds.for_each(walk_bound);
            }
            Err(error) => judge(&error),
        }
        match group.column(column) {
            Ok(chunk) => {
                black_box((chunk.path(), chunk.codec(), chunk.encodings(), chunk.encoding_stats(), chunk.is_all_dictionary()));
                black_box((chunk.num_values(), chunk.compressed_size(), chunk.uncompressed_size(), chunk.bloom_filter()));
                black_box((chunk.offset_index(), chunk.column_index(), chunk.repetition_level_histogram()));
                black_box((chunk.definition_level_histogram(), chunk.geospatial_statistics(), chunk.key_values(), chunk.file_path()));
                if let Some(statistics) = chunk.statistics() {
                    black_box((statistics.null_count(), statistics.distinct_count(), statistics.nan_count()));
                }
                if let Err(error) = chunk.location() {
                    judge(&error);
                }
            }
            Err(error) => judge(&error),
        }
        if let Err(error) = group.raw_column(column) {
            judge(&error);
        }
    }
}

fn walk_bound(bound: &Bound<'_>) {
    black_box((bound.order(), bound.is_exact(), bound.compare(bound.bytes())));
    if let Some(value) = bound.value() {
        black_box(value.display(None).to_string());
        black_box(value.into_owned().to_plain().len());
    }
}

/// Reads the page index and the bloom filters that a file points to.
pub fn walk_indexes(file: &Bytes, metadata: &FileMetadata) {
    for group in metadata.row_groups().take(GROUPS) {
        for column in 0..group.num_columns().min(COLUMNS) {
            if let Ok(location) = group.chunk(column) {
                walk_chunk_indexes(file, &group, column, &location);
            }
        }
    }
}

fn walk_chunk_indexes(file: &Bytes, group: &RowGroup<'_>, column: usize, location: &ChunkLocation) {
    let bytes = |start: u64, end: u64| file.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?);
    if let Some(filter) = &location.bloom_filter
        && let Some(bytes) = bytes(filter.offset, file.len() as u64)
    {
        walk_bloom_filter(bytes);
    }
    let Some(offsets) = location.offset_index.as_ref().and_then(|range| bytes(range.start, range.end)) else { return };
    let pages = match group.parse_offset_index(column, offsets) {
        Ok(pages) => pages,
        Err(error) => return judge(&error),
    };
    walk_offset_index(&pages);
    let Some(columns) = location.column_index.as_ref().and_then(|range| bytes(range.start, range.end)) else { return };
    match group.parse_column_index(column, columns, &pages) {
        Ok(index) => walk_column_index(&index, &pages),
        Err(error) => judge(&error),
    }
}

/// Reads a bloom filter and asks it.
pub fn walk_bloom_filter(bytes: &[u8]) {
    match BloomFilter::bytes_needed(bytes, &limits()) {
        Ok(needed) => assert!(needed <= limits().metadata_bytes),
        Err(error) => judge(&error),
    }
    match BloomFilter::parse(bytes) {
        Ok(filter) => {
            assert!(filter.num_bytes() <= bytes.len(), "a filter of more bytes than there are");
            black_box((filter.may_contain(b"herring"), filter.may_contain_value(&Value::Int64(42)), filter.false_positive_rate()));
        }
        Err(error) => judge(&error),
    }
}

/// Asks an offset index for everything.
pub fn walk_offset_index(pages: &OffsetIndex) {
    for page in 0..(pages.num_pages() + 1).min(PAGES) {
        let rows = pages.rows(page);
        assert!(rows.start <= rows.end, "page {page} has the rows {rows:?}");
        if !rows.is_empty() {
            assert_eq!(pages.page_of_row(rows.start), Some(page));
        }
        black_box((pages.unencoded_bytes(page), pages.pages().get(page).map(|page| page.range())));
    }
}

/// Asks a column index for everything.
pub fn walk_column_index(index: &ColumnIndex, pages: &OffsetIndex) {
    assert_eq!(index.num_pages(), pages.num_pages());
    for page in 0..(index.num_pages() + 1).min(PAGES) {
        black_box((index.is_null_page(page), index.is_only_nan(page), index.null_count(page), index.nan_count(page)));
        black_box((index.repetition_level_histogram(page), index.definition_level_histogram(page)));
        [index.min(page), index.max(page)].iter().flatten().for_each(walk_bound);
    }
    black_box(index.boundary_order());
}
