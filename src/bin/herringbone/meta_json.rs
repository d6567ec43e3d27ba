//! `herringbone meta --json`: all that a file says about itself, as JSON.
//!
//! Row groups are written one by one, so that memory does not grow with their number.

use std::borrow::Cow;
use std::io::Write;

use herringbone::FileMetadata;
use herringbone::format::{KeyValue, Statistics as RawStatistics};
use herringbone::metadata::{Bound, ColumnChunk, RowGroup, Statistics};
use herringbone::read::Source;
use herringbone::schema::{Kind, Leaf, LogicalType};
use serde_json::{Map, Value, json};

use crate::failure::Result;
use crate::index::PageIndex;

/// Writes the metadata of a file; with a source, the page index as well.
pub fn print(path: &str, metadata: &FileMetadata, indexes_of: Option<&dyn Source>, out: &mut dyn Write) -> Result {
    let head = head(path, metadata);
    writeln!(out, "{{")?;
    for (key, value) in &head {
        writeln!(out, "{}: {value},", Value::from(key.as_str()))?;
    }
    list(out, "columns", metadata.schema().leaves().iter().map(|leaf| Ok(column(metadata, leaf))))?;
    writeln!(out, ",\n\"row_groups\": [")?;
    for (i, group) in metadata.row_groups().enumerate() {
        if i > 0 {
            writeln!(out, ",")?;
        }
        let mut text = row_group(&group)?.to_string();
        // The columns follow inside the same object.
        text.pop();
        writeln!(out, "{text},")?;
        list(out, "columns", (0..group.num_columns()).map(|leaf| chunk(&group, leaf, indexes_of)))?;
        write!(out, "}}")?;
    }
    writeln!(out, "\n]\n}}")?;
    Ok(())
}

/// A member that is an array with one element a line.
fn list(out: &mut dyn Write, name: &str, elements: impl Iterator<Item = Result<Value>>) -> Result {
    write!(out, "\"{name}\": [")?;
    for (i, element) in elements.enumerate() {
        write!(out, "{}\n{}", if i > 0 { "," } else { "" }, element?)?;
    }
    write!(out, "\n]")?;
    Ok(())
}

fn head(path: &str, metadata: &FileMetadata) -> Map<String, Value> {
    let writer = metadata.writer().map(|writer| {
        json!({
            "application": writer.application(), "version": writer.version(), "numbers": writer.numbers(),
            "suffix": writer.suffix(), "build": writer.build(),
        })
    });
    let mut head = Map::new();
    let mut put = |key: &str, value: Value| drop(head.insert(key.to_owned(), value));
    put("file", path.into());
    put("file_size", metadata.file_size().into());
    put("footer_size", metadata.footer_size().into());
    put("version", metadata.version().into());
    put("created_by", metadata.created_by().into());
    put("writer", writer.into());
    put("num_rows", metadata.num_rows().into());
    put("num_row_groups", metadata.num_row_groups().into());
    put("num_columns", metadata.schema().leaves().len().into());
    put("key_values", metadata.key_values().map(|entry| key_value(&entry)).collect());
    put("encrypted", metadata.is_encrypted().into());
    if let Ok(Some(algorithm)) = metadata.encryption_algorithm() {
        put("encryption_algorithm", format!("{algorithm:?}").into());
    }
    put("footer_signing_key_metadata", metadata.footer_signing_key_metadata().map(hexadecimal).into());
    put("schema", metadata.schema().to_string().into());
    head
}

fn key_value(entry: &KeyValue<'_>) -> Value {
    json!({"key": entry.key, "value": entry.value})
}

/// A leaf of the schema.
fn column(metadata: &FileMetadata, leaf: &Leaf) -> Value {
    let field = metadata.schema().fields_to(leaf.index).last();
    let length = field.and_then(|field| match field.kind() {
        Kind::Primitive { type_length, .. } => *type_length,
        Kind::Group(_) => None,
    });
    json!({
        "index": leaf.index, "path": leaf.path.dotted(), "path_parts": leaf.path.parts().collect::<Vec<_>>(),
        "physical_type": leaf.physical_type.to_string(), "type_length": length,
        "logical_type": leaf.logical_type.as_ref().map(ToString::to_string),
        "converted_type": field.and_then(|field| field.converted_type()).map(|converted| format!("{converted:?}")),
        "repetition": leaf.repetition.to_string(), "field_id": leaf.field_id,
        "max_definition_level": leaf.max_definition_level, "max_repetition_level": leaf.max_repetition_level,
        "column_order": metadata.column_order(leaf.index).map(|order| format!("{order:?}")),
        "order": metadata.order(leaf.index).map(|order| format!("{order:?}")),
    })
}

fn row_group(group: &RowGroup<'_>) -> Result<Value> {
    let sorting = group.sorting_columns()?;
    let sorting = sorting.iter().map(|by| json!({"column": by.column_idx, "descending": by.descending, "nulls_first": by.nulls_first}));
    Ok(json!({
        "index": group.index(), "num_rows": group.num_rows(), "total_byte_size": group.total_byte_size(),
        "total_compressed_size": group.total_compressed_size(), "file_offset": group.file_offset(), "ordinal": group.ordinal(),
        "sorting_columns": sorting.collect::<Vec<_>>(),
    }))
}

/// A column chunk; of one whose metadata are encrypted little is known.
fn chunk(group: &RowGroup<'_>, leaf: usize, indexes_of: Option<&dyn Source>) -> Result<Value> {
    let column = match group.column(leaf) {
        Ok(column) => column,
        Err(error) if error.kind() == herringbone::ErrorKind::Unsupported => {
            return Ok(json!({"column": leaf, "encrypted": error.message()}));
        }
        Err(error) => return Err(error.into()),
    };
    let mut all = described(&column);
    if let (Some(source), Value::Object(members)) = (indexes_of, &mut all) {
        members.insert("pages".to_owned(), pages(&PageIndex::read(source, group, leaf)?, column.leaf()));
    }
    Ok(all)
}

fn described(column: &ColumnChunk<'_>) -> Value {
    let range = |range: Option<std::ops::Range<u64>>| range.map(|range| json!({"offset": range.start, "length": range.end - range.start}));
    let location = column.location().ok();
    let pages = location.as_ref().map(|location| location.range.clone());
    let stats = column.encoding_stats().map(|stats| {
        let one = |stats: &herringbone::format::PageEncodingStats| {
            json!({"page_type": stats.page_type.to_string(), "encoding": stats.encoding.to_string(), "count": stats.count})
        };
        stats.iter().map(one).collect::<Vec<_>>()
    });
    json!({
        "column": column.leaf().index, "path": column.path().dotted(), "physical_type": column.physical_type().to_string(),
        "codec": column.codec().to_string(),
        "encodings": column.encodings().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "encoding_stats": stats, "is_all_dictionary": column.is_all_dictionary(), "num_values": column.num_values(),
        "compressed_size": column.compressed_size(), "uncompressed_size": column.uncompressed_size(),
        "data_page_offset": column.data_page_offset(), "dictionary_page_offset": column.dictionary_page_offset(),
        "index_page_offset": column.index_page_offset(), "pages_range": range(pages),
        "encrypted": location.is_some_and(|location| location.encrypted), "file_path": column.file_path(),
        "crypto_metadata": column.crypto_metadata().map(|crypto| format!("{crypto:?}")),
        "statistics": column.statistics().map(|statistics| statistics_of(&statistics, column.leaf())),
        "raw_statistics": column.raw_statistics().map(raw_statistics),
        "size_statistics": column.size_statistics().map(|sizes| json!({
            "unencoded_byte_array_data_bytes": sizes.unencoded_byte_array_data_bytes,
            "repetition_level_histogram": sizes.repetition_level_histogram,
            "definition_level_histogram": sizes.definition_level_histogram,
        })),
        "geospatial_statistics": column.geospatial_statistics().map(|geospatial| json!({
            "bbox": geospatial.bbox.as_ref().map(|bbox| json!({
                "xmin": bbox.xmin, "xmax": bbox.xmax, "ymin": bbox.ymin, "ymax": bbox.ymax,
                "zmin": bbox.zmin, "zmax": bbox.zmax, "mmin": bbox.mmin, "mmax": bbox.mmax,
            })),
            "geospatial_types": geospatial.geospatial_types,
        })),
        "key_values": column.key_values().iter().map(key_value).collect::<Vec<_>>(),
        "bloom_filter": column.bloom_filter().map(|bloom| json!({"offset": bloom.offset, "length": bloom.length})),
        "offset_index": range(column.offset_index()), "column_index": range(column.column_index()),
    })
}

/// What of the statistics can be believed.
fn statistics_of(statistics: &Statistics<'_>, leaf: &Leaf) -> Value {
    json!({
        "min": statistics.min().map(|min| bound(min, leaf)), "max": statistics.max().map(|max| bound(max, leaf)),
        "null_count": statistics.null_count(), "distinct_count": statistics.distinct_count(), "nan_count": statistics.nan_count(),
    })
}

/// The statistics as they lie in the file.
fn raw_statistics(raw: &RawStatistics<'_>) -> Value {
    let bytes = |bytes: &Option<Cow<'_, [u8]>>| bytes.as_deref().map(hexadecimal);
    json!({
        "min_value": bytes(&raw.min_value), "max_value": bytes(&raw.max_value), "is_min_value_exact": raw.is_min_value_exact,
        "is_max_value_exact": raw.is_max_value_exact, "min": bytes(&raw.min), "max": bytes(&raw.max),
        "null_count": raw.null_count, "distinct_count": raw.distinct_count, "nan_count": raw.nan_count,
    })
}

/// The page index of a chunk.
fn pages(index: &PageIndex, leaf: &Leaf) -> Value {
    let one = |offsets: &herringbone::metadata::OffsetIndex, page: usize| {
        let location = offsets.pages().get(page);
        let columns = index.columns.as_ref();
        json!({
            "offset": location.map(|location| location.offset), "size": location.map(|location| location.size),
            "first_row": offsets.rows(page).start, "rows": offsets.rows(page).end - offsets.rows(page).start,
            "unencoded_bytes": offsets.unencoded_bytes(page),
            "null_page": columns.map(|columns| columns.is_null_page(page)),
            "only_nan": columns.map(|columns| columns.is_only_nan(page)),
            "min": columns.and_then(|columns| columns.min(page)).map(|min| bound(&min, leaf)),
            "max": columns.and_then(|columns| columns.max(page)).map(|max| bound(&max, leaf)),
            "null_count": columns.and_then(|columns| columns.null_count(page)),
            "nan_count": columns.and_then(|columns| columns.nan_count(page)),
            "repetition_level_histogram": columns.and_then(|columns| columns.repetition_level_histogram(page)),
            "definition_level_histogram": columns.and_then(|columns| columns.definition_level_histogram(page)),
        })
    };
    json!({
        "boundary_order": index.columns.as_ref().map(|columns| columns.boundary_order().to_string()),
        "faults": index.faults.iter().map(|fault| fault.message()).collect::<Vec<_>>(),
        "pages": index.offsets.as_ref().map(|offsets| (0..offsets.num_pages()).map(|page| one(offsets, page)).collect::<Vec<_>>()),
    })
}

/// A bound: its value (a number or a boolean where JSON has them, else as text), whether it is a value of the column, and
/// its plain-encoded bytes.
pub fn bound(bound: &Bound<'_>, leaf: &Leaf) -> Value {
    let text = plain_text(bound, leaf);
    let is_json = matches!(leaf.logical_type, None | Some(LogicalType::Integer { .. }))
        && !matches!(
            bound.value(),
            None | Some(herringbone::metadata::Value::ByteArray(_) | herringbone::metadata::Value::FixedLenByteArray(_))
        );
    let number = is_json.then(|| serde_json::from_str(&text).ok()).flatten();
    json!({"value": number.unwrap_or(Value::String(text)), "exact": bound.is_exact(), "bytes": hexadecimal(bound.bytes())})
}

/// A bound for people: one that is no value of the column has `~` in front of it, and no bytes at all are `""`.
pub fn bound_text(bound: &Bound<'_>, leaf: &Leaf) -> String {
    const MOST: usize = 32;
    let text = Some(plain_text(bound, leaf)).filter(|text| !text.is_empty()).unwrap_or_else(|| "\"\"".to_owned());
    let cut = console::truncate_str(&text, MOST, "…");
    format!("{}{cut}", if bound.is_exact() { "" } else { "~" })
}

fn plain_text(bound: &Bound<'_>, leaf: &Leaf) -> String {
    bound.value().map(|value| value.display(leaf.logical_type.as_ref()).to_string()).unwrap_or_default()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    crate::cells::hexadecimal(bytes, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
