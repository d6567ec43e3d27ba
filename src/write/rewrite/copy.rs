//! Copying bytes, and moving the offsets that point to them.

use std::io::{self, Write};
use std::ops::Range;

use crate::error::{Error, Result};
use crate::format::{ColumnChunk, OffsetIndex};
use crate::limits::Limits;
use crate::metadata::bloom::HEADER_BYTES;
use crate::metadata::location::FORGOTTEN_HEADER_BYTES;
use crate::metadata::{BloomFilter, BloomFilterLocation};
use crate::read::Source;
use crate::thrift::{Decode, Reader, encode_to_vec};
use crate::write::assemble::Assembler;
use crate::write::chunk::ChunkIndexes;
use crate::write::rewrite::adopt::Adopted;

/// How many bytes are copied at a time.
const PIECE: u64 = 8 << 20;

/// How many bytes may still be copied of a source. What lies in a lawful file does not overlap: a small file whose chunks are all of the same bytes
/// would become a large one.
pub(super) struct Room {
    left: u64,
    size: u64,
    limits: Limits,
}

impl Room {
    pub(super) fn of(source: &(impl Source + ?Sized), limits: &Limits) -> Result<Self> {
        let size = source.size()?;
        Ok(Self { left: size, size, limits: limits.clone() })
    }

    fn take(&mut self, range: &Range<u64>, uncounted: u64) -> Result<()> {
        let left = self.left.checked_sub(range.end.saturating_sub(range.start).saturating_sub(uncounted));
        let size = self.size;
        self.left = left.ok_or_else(|| {
            Error::malformed(format!("what belongs to the column chunks overlaps: up to here it is more than the {size} bytes of the file"))
        })?;
        Ok(())
    }
}

/// Copies the pages of a chunk, and takes over its indexes.
pub(super) fn copy_chunk<W: Write>(
    source: &(impl Source + ?Sized),
    adopted: Adopted,
    assembler: &mut Assembler<W>,
    room: &mut Room,
) -> Result<(ColumnChunk<'static>, ChunkIndexes)> {
    let Adopted { mut entry, location, keeps_column_index } = adopted;
    // Some bytes more may have been added to it.
    room.take(&location.range, FORGOTTEN_HEADER_BYTES)?;
    let start = assembler.written();
    copy_range(source, location.range.clone(), assembler)?;
    let moved = |offset: u64| -> Result<i64> {
        let offset = offset.checked_sub(location.range.start).and_then(|offset| offset.checked_add(start));
        offset.and_then(|offset| i64::try_from(offset).ok()).ok_or_else(|| Error::malformed("a page's offset is outside its chunk"))
    };
    if let Some(meta) = &mut entry.meta_data {
        meta.data_page_offset = moved(location.data_page_offset)?;
        meta.dictionary_page_offset = location.dictionary_page_offset.map(moved).transpose()?;
        meta.total_compressed_size = i64::try_from(location.range.end.saturating_sub(location.range.start)).unwrap_or(i64::MAX);
    }
    let offset_index = match &location.offset_index {
        Some(range) => {
            room.take(range, 0)?;
            moved_offset_index(&source.read(range.clone())?, room.limits.metadata_bytes, moved)
        }
        None => None,
    };
    let column_index = match location.column_index.filter(|_| keeps_column_index && offset_index.is_some()) {
        Some(range) => {
            room.take(&range, 0)?;
            Some(source.read(range)?.to_vec())
        }
        None => None,
    };
    Ok((entry, ChunkIndexes { column_index, offset_index }))
}

/// The offset index for the new place; `None` for one that is broken, which readers would ignore.
fn moved_offset_index(bytes: &[u8], most: usize, moved: impl Fn(u64) -> Result<i64>) -> Option<Vec<u8>> {
    let mut index = OffsetIndex::decode(&mut Reader::new(bytes, most)).ok()?;
    for page in &mut index.page_locations {
        page.offset = moved(u64::try_from(page.offset).ok()?).ok()?;
    }
    encode_to_vec(&index).ok()
}

fn copy_range<W: Write>(source: &(impl Source + ?Sized), range: Range<u64>, assembler: &mut Assembler<W>) -> Result<()> {
    let mut at = range.start;
    while at < range.end {
        let end = range.end.min(at.saturating_add(PIECE));
        let bytes = source.read(at..end)?;
        if bytes.len() as u64 != end.saturating_sub(at) {
            return Err(io::Error::other("the source gave fewer or more bytes than asked for").into());
        }
        assembler.write(&bytes)?;
        at = end;
    }
    Ok(())
}

/// Copies a bloom filter, whose length old writers do not tell; one that is broken is left behind.
pub(super) fn copy_bloom_filter<W: Write>(
    source: &(impl Source + ?Sized),
    location: Option<BloomFilterLocation>,
    entry: &mut ColumnChunk<'static>,
    assembler: &mut Assembler<W>,
    room: &mut Room,
) -> Result<()> {
    let (Some(meta), Some(location)) = (&mut entry.meta_data, location) else { return Ok(()) };
    let size = room.size;
    let length = match location.length {
        Some(length) => u64::from(length),
        None => {
            let head = source.read(location.offset..size.min(location.offset.saturating_add(HEADER_BYTES as u64)))?;
            BloomFilter::bytes_needed(&head, &room.limits).unwrap_or(0) as u64
        }
    };
    let end = location.offset.saturating_add(length);
    if length == 0 || end > size {
        return Ok(());
    }
    room.take(&(location.offset..end), 0)?;
    let bytes = source.read(location.offset..end)?;
    if BloomFilter::parse(&bytes).is_ok() {
        meta.bloom_filter_offset = i64::try_from(assembler.write(&bytes)?).ok();
        meta.bloom_filter_length = i32::try_from(bytes.len()).ok();
    }
    Ok(())
}
