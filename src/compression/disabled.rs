//! The twin of a codec's module in builds without its cargo feature.
//!
//! [`supported`](super::supported) refuses the codec, by name, before any of this is reached.

use crate::error::{Error, Result};

pub(super) const ENABLED: bool = false;

#[derive(Default)]
pub(super) struct Decoder;

impl Decoder {
    pub(super) fn decompress(&mut self, _input: &[u8], _size: usize, _out: &mut Vec<u8>) -> Result<usize> {
        Err(refusal())
    }

    #[cfg(not(feature = "snappy"))]
    pub(super) fn decompress_all(&mut self, _pages: &mut [super::Unpacked<'_>]) -> Result<()> {
        Err(refusal())
    }
}

pub(super) struct Encoder;

impl Encoder {
    pub(super) fn new(_level: i32) -> Self {
        Self
    }

    pub(super) fn compress(&mut self, _input: &[u8], _out: &mut Vec<u8>) -> Result<()> {
        Err(refusal())
    }
}

fn refusal() -> Error {
    Error::unsupported("the codec's cargo feature is off")
}
