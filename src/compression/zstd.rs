//! Zstandard (RFC 8878). A page is one frame; several are read as well.
//!
//! Both directions run in one call over the whole page, straight into the output's spare capacity.
//!
//! A decoder in safe code was tried, as there is for Snappy: sequences of a block decoded to a list and then carried out, repeated offsets without
//! branches, four streams of literals at a time. It was right on 8,300 pages of six files and took 1.1 to 2 times as long as the library: of numbers, a
//! literal and a copy each, 6.2 ns to read a sequence and 4.6 to carry it out where the library takes 7.3 for both, and 0.9 ns a byte of literals for 0.45.
//! Two blocks in turn might bring the sequences to the library's speed, but not the literals, which are most of the time where text or floats are compressed.

use std::io::Cursor;

use zstd::zstd_safe::{self, CCtx, CParameter, DCtx};

use super::emptied;
use crate::error::{Error, Result};

pub(super) const ENABLED: bool = true;

#[derive(Default)]
pub(super) struct Decoder(Option<DCtx<'static>>);

impl Decoder {
    pub(super) fn decompress(&mut self, input: &[u8], size: usize, out: &mut Vec<u8>) -> Result<usize> {
        let context = match &mut self.0 {
            Some(context) => context,
            empty => empty.insert(DCtx::try_create().ok_or_else(no_memory)?),
        };
        context.decompress(emptied(out, size), input).map_err(|code| {
            let reason = zstd_safe::get_error_name(code);
            Error::malformed(format!("the page's ZSTD data does not decompress to {size} bytes: {reason}"))
        })
    }
}

pub(super) struct Encoder {
    context: Option<CCtx<'static>>,
    level: i32,
}

impl Encoder {
    pub(super) fn new(level: i32) -> Self {
        Self { context: None, level }
    }

    pub(super) fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let context = match &mut self.context {
            Some(context) => context,
            empty => {
                let mut context = CCtx::try_create().ok_or_else(no_memory)?;
                context.set_parameter(CParameter::CompressionLevel(self.level)).map_err(refused)?;
                empty.insert(context)
            }
        };
        out.reserve(zstd_safe::compress_bound(input.len()));
        let mut end = Cursor::new(&mut *out);
        end.set_position(end.get_ref().len() as u64);
        context.compress2(&mut end, input).map(drop).map_err(refused)
    }
}

fn refused(code: usize) -> Error {
    Error::usage(format!("ZSTD cannot compress the page: {}", zstd_safe::get_error_name(code)))
}

fn no_memory() -> Error {
    Error::limit("there is not enough memory for a ZSTD context")
}
