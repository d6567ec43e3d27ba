//! LZ4_RAW: one bare LZ4 block, without length, checksum or framing.
//!
//! A decoder without branches, as there is for Snappy, was tried: 0.5 to 0.95 times the speed of `lz4_flex`, two blocks at a time 0.6 to
//! 1.0 times. The C library (`lz4` 1) took 16 ms for 90 MB of text that hardly compresses, `lz4_flex` 19.5: a twentieth of reading such a column.

use lz4_flex::block::{self, CompressTable};

use super::sized;
use crate::error::{Error, Result};

pub(super) const ENABLED: bool = true;

#[derive(Default)]
pub(super) struct Decoder;

impl Decoder {
    pub(super) fn decompress(&mut self, input: &[u8], size: usize, out: &mut Vec<u8>) -> Result<usize> {
        block::decompress_into(input, sized(out, size))
            .map_err(|error| Error::malformed(format!("the page's LZ4_RAW data is broken: {error}")).with_source(error))
    }
}

pub(super) struct Encoder {
    table: CompressTable,
    // Zeroing the worst case behind `out` for each page costs more than copying the result.
    scratch: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(_level: i32) -> Self {
        Self { table: CompressTable::large(), scratch: Vec::new() }
    }

    pub(super) fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(self.block(input)?);
        Ok(())
    }

    /// The input as one LZ4 block.
    pub(super) fn block(&mut self, input: &[u8]) -> Result<&[u8]> {
        let needed = block::get_maximum_output_size(input.len());
        if self.scratch.len() < needed {
            sized(&mut self.scratch, needed);
        }
        let written = block::compress_into_with_table(input, &mut self.scratch, &mut self.table)
            .map_err(|error| Error::usage(format!("LZ4 cannot compress the page: {error}")).with_source(error))?;
        Ok(self.scratch.get(..written).unwrap_or_default())
    }
}
