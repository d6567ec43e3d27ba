//! The faults.

use std::borrow::Cow;

use herringbone::Limits;
use herringbone::format::*;
use herringbone::verify::Code;

use super::parts::*;

/// A fault and what is to be found of it.
pub struct Fault {
    pub plant: fn(&mut Parts),
    pub code: Code,
    pub row_group: Option<usize>,
    pub column: Option<usize>,
    pub page: Option<usize>,
    /// What follows from it of necessity.
    pub also: &'static [Code],
}

fn in_file(code: Code, plant: fn(&mut Parts)) -> Fault {
    Fault { plant, code, row_group: None, column: None, page: None, also: &[] }
}

fn in_group(code: Code, plant: fn(&mut Parts)) -> Fault {
    Fault { row_group: Some(1), ..in_file(code, plant) }
}

fn in_chunk(code: Code, column: usize, plant: fn(&mut Parts)) -> Fault {
    Fault { column: Some(column), ..in_group(code, plant) }
}

fn in_page(code: Code, column: usize, page: usize, plant: fn(&mut Parts)) -> Fault {
    Fault { page: Some(page), ..in_chunk(code, column, plant) }
}

impl Fault {
    fn also(self, also: &'static [Code]) -> Self {
        Self { also, ..self }
    }
}

fn int(value: i32) -> Option<Cow<'static, [u8]>> {
    Some(value.to_le_bytes().to_vec().into())
}

fn of_the_file() -> Vec<Fault> {
    vec![
        in_file(Code::MagicStart, |parts| parts.data[0] = b'X'),
        in_file(Code::MagicEnd, |parts| parts.last = |bytes| *bytes.last_mut().unwrap() = b'2'),
        in_file(Code::FooterLength, |parts| {
            parts.last = |bytes| {
                let at = bytes.len() - 8;
                bytes[at..at + 4].copy_from_slice(&0x7000_0000_u32.to_le_bytes());
            };
        }),
        in_file(Code::Footer, |parts| {
            parts.last = |bytes| {
                let at = bytes.len() - 30;
                bytes[at..at + 20].fill(0xff);
            };
        }),
        in_file(Code::FooterTrailing, |parts| {
            parts.last = |bytes| {
                let at = bytes.len() - 8;
                let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) + 3;
                bytes.splice(at..at + 4, [&[7; 3][..], &length.to_le_bytes()].concat());
            };
        }),
        in_file(Code::Version, |parts| parts.footer.version = 3),
        in_file(Code::Schema, |parts| parts.footer.schema[0].num_children = Some(90)),
        in_file(Code::SchemaRepetition, |parts| {
            parts.last = |bytes| {
                // A field's header with OPTIONAL behind it, and that of the name.
                let at = bytes.windows(3).rposition(|bytes| bytes == [0x25, 2, 0x18]).expect("an optional field");
                bytes.splice(at..at + 2, [0x21]);
                let at = bytes.len() - 8;
                let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) - 1;
                bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
            };
        }),
        in_file(Code::ColumnOrders, |parts| parts.footer.column_orders.as_mut().unwrap().truncate(3)).also(&[Code::ColumnOrderMissing]),
        in_file(Code::FileRows, |parts| parts.footer.num_rows += 1),
        in_file(Code::ArrowSchema, |parts| {
            let entry = KeyValue { key: "ARROW:schema".into(), value: Some("AAAA".into()) };
            parts.footer.key_value_metadata = Some(vec![entry]);
        }),
        in_file(Code::Gap, |parts| parts.data.extend_from_slice(b"nobody's")),
    ]
}

fn of_row_groups() -> Vec<Fault> {
    vec![
        in_group(Code::ColumnCount, |parts| drop(parts.group().columns.pop())),
        in_group(Code::RowGroupRows, |parts| parts.group().num_rows = -1).also(&[Code::FileRows, Code::ChunkRows]),
        in_group(Code::RowGroupBytes, |parts| parts.group().total_byte_size += 1),
        in_group(Code::RowGroupCompressed, |parts| *parts.group().total_compressed_size.as_mut().unwrap() += 1),
        in_group(Code::RowGroupOffset, |parts| *parts.group().file_offset.as_mut().unwrap() += 1),
        in_group(Code::RowGroupOrdinal, |parts| parts.group().ordinal = Some(0)),
        in_group(Code::SortingColumn, |parts| parts.group().sorting_columns.as_mut().unwrap()[0].column_idx = 99),
        in_group(Code::SortOrder, |parts| parts.group().sorting_columns.as_mut().unwrap()[0].descending = true),
    ]
}

fn of_chunks() -> Vec<Fault> {
    vec![
        in_chunk(Code::Overlap, V2, |parts| {
            let word = parts.meta(WORD);
            let (offset, length) = (word.data_page_offset, 10);
            let v2 = parts.meta(V2);
            (v2.bloom_filter_offset, v2.bloom_filter_length) = (Some(offset), Some(length));
        })
        .also(&[Code::BloomFilter, Code::Gap]),
        in_chunk(Code::ChunkMissing, DEEP, |parts| parts.group().columns[DEEP].meta_data = None),
        in_chunk(Code::ChunkType, DEEP, |parts| parts.meta(DEEP).physical_type = PhysicalType::Float),
        in_chunk(Code::ChunkPath, DEEP, |parts| parts.meta(DEEP).path_in_schema[1] = "c".into()),
        in_chunk(Code::ChunkRange, DEEP, |parts| parts.meta(DEEP).data_page_offset = 1 << 40),
        in_chunk(Code::ChunkCompressed, DEEP, |parts| {
            parts.meta(DEEP).total_compressed_size -= 1;
            *parts.group().total_compressed_size.as_mut().unwrap() -= 1;
        }),
        in_chunk(Code::ChunkCompressed, DEEP, |parts| {
            parts.meta(DEEP).total_compressed_size += 1;
            *parts.group().total_compressed_size.as_mut().unwrap() += 1;
        }),
        in_chunk(Code::ChunkUncompressed, DEEP, |parts| {
            parts.meta(DEEP).total_uncompressed_size += 1;
            parts.group().total_byte_size += 1;
        }),
        in_chunk(Code::ChunkValues, DEEP, |parts| parts.meta(DEEP).num_values += 1),
        in_chunk(Code::ChunkRows, ID, |parts| {
            parts.group().num_rows += 1;
            parts.footer.num_rows += 1;
        })
        .also(&[Code::ChunkRows]),
        in_chunk(Code::DataPageOffset, WORD, |parts| parts.meta(WORD).data_page_offset += 1),
        in_chunk(Code::DictionaryOffset, WORD, |parts| parts.meta(WORD).dictionary_page_offset = Some(4))
            .also(&[Code::Gap, Code::RowGroupOffset]),
        in_chunk(Code::EncodingUnlisted, DEEP, |parts| parts.meta(DEEP).encodings.retain(|encoding| *encoding != Encoding::Plain)),
        in_chunk(Code::EncodingUnused, DEEP, |parts| parts.meta(DEEP).encodings.push(Encoding::Alp)),
        in_chunk(Code::EncodingStats, DEEP, |parts| parts.meta(DEEP).encoding_stats.as_mut().unwrap()[0].count += 1),
        in_chunk(Code::BloomFilterSize, WORD, |parts| *parts.meta(WORD).bloom_filter_length.as_mut().unwrap() += 1),
        in_chunk(Code::BloomFilter, WORD, |parts| {
            let at = parts.meta(WORD).bloom_filter_offset.unwrap() as usize;
            parts.data[at] = 0;
        }),
        in_chunk(Code::BloomFilterValue, WORD, |parts| {
            let meta = parts.meta(WORD);
            let end = (meta.bloom_filter_offset.unwrap() + i64::from(meta.bloom_filter_length.unwrap())) as usize;
            parts.data[end - 32..end].fill(0);
        }),
    ]
}

fn of_statistics() -> Vec<Fault> {
    vec![
        in_chunk(Code::StatisticsMin, ID, |parts| parts.statistics(ID).min_value = int(101)),
        in_chunk(Code::StatisticsMax, ID, |parts| parts.statistics(ID).max_value = int(198)),
        in_chunk(Code::StatisticsMax, WORD, |parts| parts.statistics(WORD).max_value = Some(b"word 10"[..].into())),
        in_chunk(Code::StatisticsExactness, ID, |parts| parts.statistics(ID).min_value = int(99)),
        in_chunk(Code::StatisticsNulls, WORD, |parts| *parts.statistics(WORD).null_count.as_mut().unwrap() += 1),
        in_chunk(Code::StatisticsNans, PRICE, |parts| *parts.statistics(PRICE).nan_count.as_mut().unwrap() -= 1),
        in_chunk(Code::StatisticsDistinct, WORD, |parts| *parts.statistics(WORD).distinct_count.as_mut().unwrap() += 1),
        in_chunk(Code::StatisticsDeprecated, ID, |parts| parts.statistics(ID).min = int(150)),
        in_chunk(Code::BoundNan, PRICE, |parts| parts.statistics(PRICE).max_value = Some(f64::NAN.to_le_bytes().to_vec().into())),
        in_chunk(Code::StatisticsMin, DEEP, |parts| parts.statistics(DEEP).min_value = Some(vec![1, 2, 3].into())),
        in_chunk(Code::SizeBytes, NOTE, |parts| *parts.sizes(NOTE).unencoded_byte_array_data_bytes.as_mut().unwrap() += 1),
        in_chunk(Code::SizeRepetition, LIST, |parts| parts.sizes(LIST).repetition_level_histogram.as_mut().unwrap()[1] += 1),
        in_chunk(Code::SizeDefinition, LIST, |parts| parts.sizes(LIST).definition_level_histogram.as_mut().unwrap().push(0)),
        in_chunk(Code::GeoBox, SHAPE, |parts| {
            parts.meta(SHAPE).geospatial_statistics.as_mut().unwrap().bbox.as_mut().unwrap().ymin = -150.0;
        }),
        in_chunk(Code::GeoTypes, SHAPE, |parts| {
            parts.meta(SHAPE).geospatial_statistics.as_mut().unwrap().geospatial_types = Some(vec![2]);
        }),
        in_file(Code::ColumnOrderMissing, |parts| {
            parts.footer.column_orders = None;
            for leaf in [ID, WORD, NOTE, PRICE, LIST, V2] {
                for group in &mut parts.footer.row_groups {
                    let statistics = group.columns[leaf].meta_data.as_mut().unwrap().statistics.as_mut().unwrap();
                    (statistics.min_value, statistics.max_value) = (None, None);
                }
            }
            let first = parts.footer.row_groups[0].columns[DEEP].meta_data.as_mut().unwrap().statistics.as_mut().unwrap();
            (first.min_value, first.max_value) = (None, None);
        })
        .at(1, DEEP),
    ]
}

impl Fault {
    fn at(self, row_group: usize, column: usize) -> Self {
        Self { row_group: Some(row_group), column: Some(column), ..self }
    }
}

fn of_indexes() -> Vec<Fault> {
    vec![
        in_chunk(Code::OffsetIndex, ID, |parts| {
            parts.offsets[COLUMNS.len() + ID] = None;
            let chunk = &mut parts.group().columns[ID];
            (chunk.offset_index_offset, chunk.offset_index_length) = (Some(-1), Some(10));
        }),
        in_chunk(Code::OffsetIndexPages, ID, |parts| parts.offset_index(ID).page_locations.truncate(2)),
        in_page(Code::OffsetIndexOffset, ID, 1, |parts| parts.offset_index(ID).page_locations[1].offset += 1),
        in_page(Code::OffsetIndexSize, ID, 2, |parts| parts.offset_index(ID).page_locations[2].compressed_page_size += 1),
        in_page(Code::OffsetIndexRow, LIST, 1, |parts| parts.offset_index(LIST).page_locations[1].first_row_index += 1),
        in_page(Code::OffsetIndexBytes, NOTE, 0, |parts| {
            parts.offset_index(NOTE).unencoded_byte_array_data_bytes.as_mut().unwrap()[0] += 1
        }),
        in_chunk(Code::ColumnIndex, ID, |parts| {
            parts.columns[COLUMNS.len() + ID] = None;
            let chunk = &mut parts.group().columns[ID];
            (chunk.column_index_offset, chunk.column_index_length) = (Some(1 << 40), Some(10));
        }),
        in_chunk(Code::ColumnIndexPages, ID, |parts| {
            let index = parts.column_index(ID);
            index.null_pages.push(true);
            index.min_values.push(Cow::Borrowed(&[]));
            index.max_values.push(Cow::Borrowed(&[]));
            index.null_counts.as_mut().unwrap().push(0);
        }),
        in_page(Code::ColumnIndexNullPage, ID, 1, |parts| parts.column_index(ID).null_pages[1] = true),
        in_page(Code::ColumnIndexMin, ID, 1, |parts| parts.column_index(ID).min_values[1] = int(141).unwrap()),
        in_page(Code::ColumnIndexMax, ID, 1, |parts| parts.column_index(ID).max_values[1] = int(178).unwrap()),
        in_chunk(Code::ColumnIndexOrder, ID, |parts| parts.column_index(ID).boundary_order = BoundaryOrder::Descending),
        in_page(Code::ColumnIndexNulls, WORD, 2, |parts| parts.column_index(WORD).null_counts.as_mut().unwrap()[1] += 1),
        in_page(Code::ColumnIndexNans, PRICE, 0, |parts| parts.column_index(PRICE).nan_counts.as_mut().unwrap()[0] += 1),
        in_page(Code::ColumnIndexRepetition, LIST, 0, |parts| {
            parts.column_index(LIST).repetition_level_histograms.as_mut().unwrap()[0] += 1;
        }),
        in_page(Code::ColumnIndexDefinition, LIST, 2, |parts| {
            *parts.column_index(LIST).definition_level_histograms.as_mut().unwrap().last_mut().unwrap() += 1;
        }),
    ]
}

fn of_pages() -> Vec<Fault> {
    vec![
        in_page(Code::PageHeader, NOTE, 1, |parts| {
            let (header, _) = parts.page(NOTE, 1);
            parts.data[header].fill(0xff);
        }),
        in_page(Code::PageSize, NOTE, 0, |parts| parts.header(NOTE, 0, |header| header.uncompressed_page_size += 1))
            .also(&[Code::ChunkUncompressed]),
        in_page(Code::PageCrc, ID, 1, |parts| parts.header(ID, 1, |header| header.crc = header.crc.map(|crc| crc ^ 1))),
        in_page(Code::PageDecompress, PRICE, 1, |parts| parts.body(PRICE, 1)[..8].fill(0xff)),
        in_page(Code::DictionaryPage, WORD, 0, |parts| {
            parts.header(WORD, 0, |header| header.dictionary_page_header.as_mut().unwrap().num_values += 1);
        }),
        in_page(Code::DictionaryPlace, WORD, 1, |parts| {
            // The first data page becomes a dictionary page of the same size, header included.
            let (header, body) = parts.page(WORD, 1);
            let mut wire = PageHeader::from_bytes(&parts.data[header.clone()], &Limits::default()).unwrap().0.into_dictionary();
            let size = (body.end - header.start) as i32;
            for length in (1..size).rev() {
                (wire.compressed_page_size, wire.uncompressed_page_size) = (length, length);
                let bytes = wire.to_bytes().unwrap();
                if bytes.len() as i32 + length == size {
                    parts.data[header.start..header.start + bytes.len()].copy_from_slice(&bytes);
                    return;
                }
            }
            unreachable!("some length fits")
        })
        .also(&[
            Code::DataPageOffset,
            Code::ChunkValues,
            Code::ChunkRows,
            Code::EncodingStats,
            Code::OffsetIndexOffset,
            Code::OffsetIndexSize,
            Code::OffsetIndexPages,
            Code::OffsetIndexBytes,
            Code::ColumnIndexPages,
            Code::ColumnIndexNulls,
            Code::ColumnIndexDefinition,
            Code::StatisticsNulls,
            Code::SizeBytes,
            Code::SizeDefinition,
        ]),
        in_page(Code::DictionarySorted, WORD, 0, |parts| {
            // The header grows, so that the chunk moves behind all others.
            let (header, body) = parts.page(WORD, 0);
            let end = header.start + parts.meta(WORD).total_compressed_size as usize;
            let bytes = parts.data[header.clone()].to_vec();
            let mut wire = PageHeader::from_bytes(&bytes, &Limits::default()).unwrap().0;
            wire.dictionary_page_header.as_mut().unwrap().is_sorted = Some(true);
            let (start, wire) = (parts.data.len(), wire.to_bytes().unwrap());
            let (grown, moved) = ((wire.len() - header.len()) as i64, (start - header.start) as i64);
            parts.data.extend_from_slice(&wire);
            parts.data.extend_from_within(body.start..end);
            let meta = parts.meta(WORD);
            meta.dictionary_page_offset = Some(start as i64);
            meta.data_page_offset += moved + grown;
            meta.total_compressed_size += grown;
            meta.total_uncompressed_size += grown;
            parts.group().total_byte_size += grown;
            *parts.group().total_compressed_size.as_mut().unwrap() += grown;
            parts.offset_index(WORD).page_locations.iter_mut().for_each(|page| page.offset += moved + grown);
        })
        .also(&[Code::Gap]),
        in_page(Code::DictionaryIndex, WORD, 2, |parts| {
            let body = parts.body(WORD, 2);
            let last = body.len() - 1;
            body[last - 3..=last].fill(0xff);
        }),
        in_page(Code::Levels, DEEP, 1, |parts| parts.body(DEEP, 1)[5..8].fill(0xff)),
        in_page(Code::RowStart, LIST, 0, |parts| parts.body(LIST, 0)[5] ^= 1).also(ROW_MOVED),
        in_page(Code::PageSplitsRow, LIST, 1, |parts| parts.body(LIST, 1)[5] ^= 1).also(ROW_MOVED),
        in_page(Code::PageRows, V2, 0, |parts| parts.header(V2, 0, |header| header.data_page_header_v2.as_mut().unwrap().num_rows -= 1)),
        in_page(Code::PageNulls, V2, 1, |parts| parts.header(V2, 1, |header| header.data_page_header_v2.as_mut().unwrap().num_nulls += 1)),
        in_page(Code::StatisticsMax, V2, 2, |parts| {
            parts.header(V2, 2, |header| {
                let statistics = header.data_page_header_v2.as_mut().unwrap().statistics.as_mut().unwrap();
                statistics.max_value = int(1);
            });
        }),
        in_page(Code::Values, NOTE, 1, |parts| parts.body(NOTE, 1)[..4].fill(0xff)),
        in_page(Code::TrailingBytes, ID, 2, |parts| {
            parts.header(ID, 2, |header| header.data_page_header.as_mut().unwrap().num_values -= 1);
        })
        .also(&[Code::ChunkValues, Code::ChunkRows, Code::StatisticsExactness]),
        in_page(Code::Utf8, NOTE, 0, |parts| parts.body(NOTE, 0)[12 * 20 + 11] = 0xff),
    ]
}

/// All of them.
pub fn all() -> Vec<Fault> {
    [of_the_file(), of_row_groups(), of_chunks(), of_statistics(), of_indexes(), of_pages()].into_iter().flatten().collect()
}

/// What follows when a row seems to go on in the next page.
const ROW_MOVED: &[Code] = &[Code::ChunkRows, Code::OffsetIndexRow, Code::SizeRepetition, Code::ColumnIndexRepetition];

trait IntoDictionary {
    fn into_dictionary(self) -> PageHeader<'static>;
}

impl IntoDictionary for PageHeader<'_> {
    fn into_dictionary(self) -> PageHeader<'static> {
        let dictionary = DictionaryPageHeader { num_values: 0, encoding: Encoding::Plain, is_sorted: None };
        PageHeader {
            page_type: PageType::DictionaryPage,
            uncompressed_page_size: 0,
            compressed_page_size: 0,
            crc: None,
            data_page_header: None,
            index_page_header: None,
            dictionary_page_header: Some(dictionary),
            data_page_header_v2: None,
        }
    }
}
