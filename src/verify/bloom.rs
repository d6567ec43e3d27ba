//! The bloom filter of a chunk.

use crate::error::Result;
use crate::format::{BloomFilterHeader, ColumnMetaData};
use crate::metadata::BloomFilter;
use crate::metadata::bloom::HEADER_BYTES;
use crate::verify::frame::{File, failed};
use crate::verify::layout::Part;
use crate::verify::report::{Code, Recorder};
use crate::verify::spot::Spot;

/// Reads the bloom filter, if there is one, and checks its size.
pub(super) fn read(file: &File<'_>, meta: &ColumnMetaData<'_>, place: Spot, out: &mut Recorder) -> Result<Option<BloomFilter>> {
    let Some(offset) = meta.bloom_filter_offset else { return Ok(None) };
    let start = u64::try_from(offset).ok().filter(|start| *start < file.data_end);
    let Some(start) = start else {
        out.add(Code::BloomFilter, place, format!("an offset before the footer at {}", file.data_end), offset);
        return Ok(None);
    };
    let place = Spot { offset: Some(start), ..place };
    let head = file.source.read(start..start.saturating_add(HEADER_BYTES as u64).min(file.data_end))?;
    let needed = match BloomFilter::bytes_needed(&head, &file.limits) {
        Ok(needed) => needed as u64,
        Err(error) => {
            failed(Code::BloomFilter, &error, place, out);
            // Where it ends is told by the chunk alone.
            let length = meta.bloom_filter_length.and_then(|length| u64::try_from(length).ok());
            out.layout.add(start..start.saturating_add(length.unwrap_or(0)), Part::BloomFilter, place);
            out.all_known &= length.is_some();
            return Ok(None);
        }
    };
    if let Some(length) = meta.bloom_filter_length
        && u64::try_from(length) != Ok(needed)
    {
        let header = BloomFilterHeader::from_bytes(&head, &file.limits).map_or(0, |(_, length)| length);
        let expected = format!("{needed} ({header} of the header, {} of the bits)", needed.saturating_sub(header as u64));
        out.add(Code::BloomFilterSize, place, expected, length);
    }
    let end = start.saturating_add(needed);
    if end > file.data_end {
        out.add(Code::BloomFilter, place, format!("an end before the footer at {}", file.data_end), end);
        return Ok(None);
    }
    out.layout.add(start..end, Part::BloomFilter, place);
    if !out.take_bytes(needed, place) {
        return Ok(None);
    }
    let bytes = file.source.read(start..end)?;
    match BloomFilter::parse(&bytes) {
        Ok(filter) => Ok(Some(filter)),
        Err(error) => {
            failed(Code::BloomFilter, &error, place, out);
            Ok(None)
        }
    }
}
