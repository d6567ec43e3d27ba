//! LZ4, the deprecated codec. The specification never said how its blocks are framed, and writers differ:
//! Hadoop's framing (parquet-mr, Arrow since 0.15), the LZ4 frame format, or a bare block as in LZ4_RAW
//! (Arrow before). They are tried in that order, and the first that fills the page exactly is it.
//!
//! Hadoop's framing is a sequence of chunks: the uncompressed length of the chunk, then one or more blocks that
//! together make up that length, each preceded by its compressed length; all lengths 32 bits, big endian.

use lz4_flex::block;

use super::{lz4_frame, lz4_raw, sized};
use crate::error::{Error, Result};

pub(super) const ENABLED: bool = true;

#[derive(Default)]
pub(super) struct Decoder;

impl Decoder {
    pub(super) fn decompress(&mut self, input: &[u8], size: usize, out: &mut Vec<u8>) -> Result<usize> {
        let page = sized(out, size);
        let fills = unframe(input, page).is_some()
            || lz4_frame::decompress(input, page).is_some()
            || block::decompress_into(input, page).is_ok_and(|written| written == size);
        if fills {
            return Ok(size);
        }
        Err(Error::malformed(format!(
            "the page's LZ4 data does not decompress to {size} bytes, whether taken as Hadoop's framing, as LZ4 frames or as a bare block"
        )))
    }
}

/// Fills the page from Hadoop's framing; `None` if the bytes are something else or do not fill it exactly.
fn unframe(mut input: &[u8], mut page: &mut [u8]) -> Option<()> {
    while !input.is_empty() {
        let chunk_len = length(&mut input)?;
        let (mut chunk, after) = page.split_at_mut_checked(chunk_len)?;
        page = after;
        // An empty chunk may have an empty block or none.
        let mut more = !input.is_empty();
        while more {
            let block_len = length(&mut input)?;
            let (block, after) = input.split_at_checked(block_len)?;
            input = after;
            let written = if block.is_empty() { 0 } else { block::decompress_into(block, chunk).ok()? };
            chunk = chunk.get_mut(written..)?;
            more = !chunk.is_empty();
        }
        if !chunk.is_empty() {
            return None;
        }
    }
    page.is_empty().then_some(())
}

fn length(input: &mut &[u8]) -> Option<usize> {
    let (bytes, rest) = input.split_first_chunk::<4>()?;
    *input = rest;
    usize::try_from(u32::from_be_bytes(*bytes)).ok()
}

pub(super) struct Encoder(lz4_raw::Encoder);

/// What Hadoop's own decoder can hold: its buffer of 256 KiB less the most that a block can grow by.
const CHUNK: usize = (256 << 10) - (256 << 10) / 255 - 16;

impl Encoder {
    pub(super) fn new(level: i32) -> Self {
        Self(lz4_raw::Encoder::new(level))
    }

    pub(super) fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        for chunk in input.chunks(CHUNK) {
            let block = self.0.block(chunk)?;
            for len in [chunk.len(), block.len()] {
                // Both are far below 4 GiB.
                out.extend_from_slice(&(len as u32).to_be_bytes());
            }
            out.extend_from_slice(block);
        }
        Ok(())
    }
}
