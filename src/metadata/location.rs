//! Where a column chunk is: the least that reading it needs.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::format::{Codec, PhysicalType, Statistics};
use crate::schema::Leaf;
use crate::thrift::{Decode, Reader, thrift_struct};

/// What the dictionary page's header may take where a writer left it out of the chunk's size, in bytes.
pub(crate) const FORGOTTEN_HEADER_BYTES: u64 = 100;

/// Where the pages of a column chunk are and what is needed to read them.
///
/// All ranges are of bytes in the file and inside it (or inside the other file, which is not checked).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkLocation {
    /// How values are stored; the same as in the schema.
    pub physical_type: PhysicalType,
    /// How pages are compressed.
    pub codec: Codec,
    /// Number of values, nulls included: the number of level pairs.
    pub num_values: u64,
    /// The pages, dictionary page included. A few writers left the dictionary page out of the chunk's size: where pages
    /// are missing at the end, look on up to `bound`.
    pub range: Range<u64>,
    /// The offset that no page reaches beyond, in any case.
    pub bound: u64,
    /// Bytes of all pages before compression as the file claims, headers included; not to be relied on.
    pub uncompressed_size: u64,
    /// Offset of the first data page.
    pub data_page_offset: u64,
    /// Offset of the dictionary page, when it is known and comes before the data pages. There may be a dictionary page
    /// all the same when it is not: at the start of the chunk, known by its header.
    pub dictionary_page_offset: Option<u64>,
    /// The offset index; none if it would be outside the file.
    pub offset_index: Option<Range<u64>>,
    /// The column index; none if it would be outside the file.
    pub column_index: Option<Range<u64>>,
    /// The bloom filter; none if it would be outside the file.
    pub bloom_filter: Option<BloomFilterLocation>,
    /// Whether the pages are in another file: [`ColumnChunk::file_path`](crate::metadata::ColumnChunk::file_path) says which.
    pub in_other_file: bool,
    /// Whether the pages are encrypted.
    pub encrypted: bool,
    /// Whether the file has no metadata of the chunk at all: then there are no pages, and everything else here is empty.
    pub absent: bool,
}

/// Where a bloom filter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BloomFilterLocation {
    /// Offset of its header in the file, in bytes.
    pub offset: u64,
    /// Bytes of header and bits; old writers do not say.
    pub length: Option<u32>,
}

impl BloomFilterLocation {
    /// The bytes of header and bits in the file, if the length is known.
    pub fn range(&self) -> Option<Range<u64>> {
        self.length.map(|length| self.offset..self.offset.saturating_add(u64::from(length)))
    }
}

/// What the place of a chunk is checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) leaf: &'a Leaf,
    pub(super) file_size: u64,
    /// Where the footer begins.
    pub(super) data_end: u64,
    /// Whether the writer may have left the dictionary page's header out of the chunk's size.
    pub(super) forgets_dictionary_header: bool,
}

thrift_struct! {
    struct SlimChunk<'a> {
        1: optional file_path: Cow<'a, [u8]>,
        3: optional meta_data: SlimMetaData,
        4: optional offset_index_offset: i64,
        5: optional offset_index_length: i32,
        6: optional column_index_offset: i64,
        7: optional column_index_length: i32,
        8: optional crypto_metadata: Skipped,
        9: optional encrypted_column_metadata: Cow<'a, [u8]>,
    }
}

thrift_struct! {
    struct SlimMetaData {
        1: required physical_type: PhysicalType,
        4: required codec: Codec,
        5: required num_values: i64,
        6: required total_uncompressed_size: i64,
        7: required total_compressed_size: i64,
        9: required data_page_offset: i64,
        11: optional dictionary_page_offset: i64,
        14: optional bloom_filter_offset: i64,
        15: optional bloom_filter_length: i32,
    }
}

thrift_struct! {
    struct Skipped {}
}

thrift_struct! {
    /// A chunk as far as its statistics.
    pub(super) struct ChunkStatistics<'a> {
        3: optional meta_data: MetaDataStatistics<'a>,
    }
}

thrift_struct! {
    /// A chunk's metadata as far as its statistics.
    pub(super) struct MetaDataStatistics<'a> {
        5: required num_values: i64,
        12: optional statistics: Statistics<'a>,
    }
}

/// Reads how many bytes the pages of the `ColumnChunk` that `bytes` begin with take before compression and after, as the file claims, and the codec.
/// What comes behind in the metadata is not looked at. None where the metadata are not there or anything is unusual.
#[cfg(feature = "arrow")]
pub(super) fn parse_sizes(bytes: &[u8]) -> Option<(Codec, u64, u64)> {
    use crate::thrift::Wire;
    let mut reader = Reader::new(bytes, 0);
    let mut last = 0;
    reader.enter().ok()?;
    loop {
        let header = reader.field(&mut last).ok()??;
        match (header.id, header.wire) {
            (3, Wire::Struct) => break,
            // An offset that nobody uses; a path is of another file.
            (2, wire) => reader.skip(wire).ok()?,
            _ => return None,
        }
    }
    let (mut codec, mut uncompressed) = (None, None);
    reader.enter().ok()?;
    last = 0;
    loop {
        let header = reader.field(&mut last).ok()??;
        match (header.id, header.wire) {
            (4, Wire::I32) => codec = Some(Codec::decode(&mut reader).ok()?),
            (6, Wire::I64) => uncompressed = u64::try_from(i64::decode(&mut reader).ok()?).ok(),
            (7, Wire::I64) => return Some((codec?, uncompressed?, u64::try_from(i64::decode(&mut reader).ok()?).ok()?)),
            (_, wire) => reader.skip(wire).ok()?,
        }
    }
}

impl ChunkLocation {
    /// `Unsupported` when the pages are in another file.
    pub(crate) fn check_is_here(&self) -> Result<()> {
        if self.in_other_file { Err(Error::unsupported("the column chunk's pages are in another file")) } else { Ok(()) }
    }

    /// Reads what is needed of the `ColumnChunk` that `bytes` begin with.
    pub(super) fn parse(bytes: &[u8], around: Surroundings<'_>) -> Result<Self> {
        let chunk = SlimChunk::decode(&mut Reader::new(bytes, 0))?;
        let encrypted = chunk.crypto_metadata.is_some() || chunk.encrypted_column_metadata.is_some();
        let Some(meta) = &chunk.meta_data else {
            return match encrypted {
                true => Err(Error::unsupported("the column is encrypted with its own key; its metadata cannot be read without it")),
                false => Ok(Self::absent(around.leaf.physical_type)),
            };
        };
        if meta.physical_type != around.leaf.physical_type {
            let (chunk, schema) = (meta.physical_type, around.leaf.physical_type);
            return Err(Error::malformed(format!("the column chunk has type {chunk}, but the schema says {schema}")));
        }
        let in_other_file = chunk.file_path.as_ref().is_some_and(|path| !path.is_empty());
        let (range, dictionary_page_offset) = page_range(meta, around, in_other_file)?;
        // Of another file, the size is not known.
        let file_size = if in_other_file { u64::MAX } else { around.file_size };
        Ok(Self {
            physical_type: meta.physical_type,
            codec: meta.codec,
            num_values: unsigned(meta.num_values, "number of values")?,
            bound: if in_other_file { range.end } else { around.data_end.max(range.end) },
            range,
            uncompressed_size: u64::try_from(meta.total_uncompressed_size).unwrap_or(0),
            data_page_offset: unsigned(meta.data_page_offset, "data page offset")?,
            dictionary_page_offset,
            offset_index: side_range(chunk.offset_index_offset, chunk.offset_index_length, file_size),
            column_index: side_range(chunk.column_index_offset, chunk.column_index_length, file_size),
            bloom_filter: bloom_filter(meta.bloom_filter_offset, meta.bloom_filter_length, file_size),
            in_other_file,
            encrypted,
            absent: false,
        })
    }

    fn absent(physical_type: PhysicalType) -> Self {
        Self {
            physical_type,
            codec: Codec::Uncompressed,
            num_values: 0,
            range: 0..0,
            bound: 0,
            uncompressed_size: 0,
            data_page_offset: 0,
            dictionary_page_offset: None,
            offset_index: None,
            column_index: None,
            bloom_filter: None,
            in_other_file: false,
            encrypted: false,
            absent: true,
        }
    }
}

/// The range of all pages and the offset of the dictionary page, sized tolerantly.
fn page_range(meta: &SlimMetaData, around: Surroundings<'_>, in_other_file: bool) -> Result<(Range<u64>, Option<u64>)> {
    let data = unsigned(meta.data_page_offset, "data page offset")?;
    let size = unsigned(meta.total_compressed_size, "compressed size")?;
    // 0 stands for none in the files of some writers, and no page comes before the magic number anyhow.
    let dictionary =
        meta.dictionary_page_offset.and_then(|offset| u64::try_from(offset).ok()).filter(|&offset| offset > 0 && offset < data);
    let start = dictionary.unwrap_or(data);
    // A size that ends where the data pages begin does not count the dictionary page.
    let counted_from = if data.saturating_sub(start) >= size { data } else { start };
    let end = counted_from.checked_add(size).ok_or_else(|| Error::malformed("the column chunk ends beyond 2^64 bytes"))?;
    if in_other_file {
        return Ok((start..end, dictionary));
    }
    if end > around.file_size {
        let file_size = around.file_size;
        return Err(Error::malformed(format!("the column chunk is at {start}..{end}, but the file has {file_size} bytes")).at_offset(start));
    }
    let padding = if around.forgets_dictionary_header { FORGOTTEN_HEADER_BYTES } else { 0 };
    Ok((start..end.saturating_add(padding).min(around.data_end).max(end), dictionary))
}

fn unsigned(value: i64, what: &str) -> Result<u64> {
    u64::try_from(value).map_err(|_| Error::malformed(format!("the column chunk's {what} is {value}")))
}

/// The range of an auxiliary structure; one that lies is none.
pub(super) fn side_range(offset: Option<i64>, length: Option<i32>, file_size: u64) -> Option<Range<u64>> {
    let start = u64::try_from(offset?).ok().filter(|&start| start > 0)?;
    let length = u64::try_from(length?).ok().filter(|&length| length > 0)?;
    let end = start.checked_add(length).filter(|&end| end <= file_size)?;
    Some(start..end)
}

pub(super) fn bloom_filter(offset: Option<i64>, length: Option<i32>, file_size: u64) -> Option<BloomFilterLocation> {
    let offset = u64::try_from(offset?).ok().filter(|&offset| offset > 0 && offset < file_size)?;
    let length = match length {
        None => None,
        Some(length) => Some(u32::try_from(length).ok().filter(|&length| length > 0)?),
    };
    let end = offset.checked_add(u64::from(length.unwrap_or(0)))?;
    (end <= file_size).then_some(BloomFilterLocation { offset, length })
}
