//! Snappy, the raw format without framing.
//!
//! The page starts with its uncompressed length, so a lie is known before anything is reserved. Pages are decoded by
//! [`decode`], which is faster than `snap` (its figures are there), and encoded by `snap`.

mod decode;
#[cfg(test)]
mod tests;

use snap::raw;

use super::{Unpacked, sized, wrong_length};
use crate::error::{Error, Result};
use crate::format::Codec;

pub(super) const ENABLED: bool = true;

#[derive(Default)]
pub(super) struct Decoder;

impl Decoder {
    pub(super) fn decompress(&mut self, input: &[u8], size: usize, out: &mut Vec<u8>) -> Result<usize> {
        let elements = elements(input, size)?;
        match decode::is_small(elements, size) {
            true => decode::small(elements, sized(out, size.saturating_add(decode::OUTPUT_ROOM)), size),
            false => decode::one(elements, sized(out, size)),
        }
        .map_err(broken)?;
        Ok(size)
    }

    /// Several pages in less time than one after the other.
    pub(super) fn decompress_all(&mut self, pages: &mut [Unpacked<'_>]) -> Result<()> {
        let mut opened = Vec::with_capacity(pages.len());
        for page in pages {
            opened.push(decode::Page::new(elements(page.compressed, page.size)?, sized(&mut page.out, page.size)));
        }
        // Those of about the same size in turn, so that little is left of one for which there is no other.
        opened.sort_by_key(|page| std::cmp::Reverse(page.size()));
        decode::all(&mut opened).map_err(broken)
    }
}

/// The elements of a page, if it says that it has this size.
fn elements(input: &[u8], size: usize) -> Result<&[u8]> {
    let (found, start) = decode::preamble(input).map_err(broken)?;
    if found != size {
        return Err(wrong_length(Codec::Snappy, size, found));
    }
    Ok(input.get(start..).unwrap_or_default())
}

fn broken(what: decode::Broken) -> Error {
    Error::malformed(format!("the page's SNAPPY data is broken: {what}"))
}

pub(super) struct Encoder {
    // Its table of 2 KiB is in the value.
    encoder: Box<raw::Encoder>,
    // The encoder wants memory that is initialised and large enough for the worst case. Zeroing that behind `out`
    // for each page costs more than copying the result.
    scratch: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(_level: i32) -> Self {
        Self { encoder: Box::new(raw::Encoder::new()), scratch: Vec::new() }
    }

    pub(super) fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let needed = raw::max_compress_len(input.len());
        if self.scratch.len() < needed {
            sized(&mut self.scratch, needed);
        }
        let written = self
            .encoder
            .compress(input, &mut self.scratch)
            .map_err(|error| Error::usage(format!("SNAPPY cannot compress the page: {error}")).with_source(error))?;
        out.extend_from_slice(self.scratch.get(..written).unwrap_or_default());
        Ok(())
    }
}
