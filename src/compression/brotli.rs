//! Brotli (RFC 7932), without the large windows that go beyond it.

use brotli::enc::{BrotliEncoderParams, StandardAlloc};
use brotli::{BrotliCompressCustomAlloc, BrotliDecompressStream, BrotliResult, BrotliState};

use crate::error::{Error, Result};

pub(super) const ENABLED: bool = true;

/// The library has no way to reset a state, so each page makes its own. That is not where the time goes: on pages of
/// 540 KB of text, 94 % is spent in the library's loop over commands, under 1 % in allocating and clearing. The C library took a tenth less
/// for pages like these once (78 ms for 87); version 1.2 in `compu` 2.0 took as long as this crate in another program (63 ms and 61),
/// and version 6.3 of `brotli-decompressor` takes a fifth less than the 6.2 of then.
#[derive(Default)]
pub(super) struct Decoder;

impl Decoder {
    pub(super) fn decompress(&mut self, input: &[u8], size: usize, out: &mut Vec<u8>) -> Result<usize> {
        // Twelve bytes may stand for 16 MiB: what is reserved follows what really comes out.
        let likely = input.len().saturating_mul(32).max(1 << 20);
        let mut room = size.min(likely.max(out.capacity()));
        super::sized(out, room);
        let mut state = BrotliState::new_strict(StandardAlloc::default(), StandardAlloc::default(), StandardAlloc::default());
        // Without this, the window starts at 1 KiB and is copied each time it doubles.
        state.set_initial_ring_buffer_size(u32::try_from(room).unwrap_or(u32::MAX));
        let (mut left, mut consumed, mut written) = (input.len(), 0, 0);
        loop {
            let (mut free, mut total) = (room.saturating_sub(written), 0);
            match BrotliDecompressStream(&mut left, &mut consumed, input, &mut free, &mut written, out, &mut total, &mut state) {
                BrotliResult::ResultSuccess => {
                    return Ok(written);
                }
                BrotliResult::NeedsMoreInput => return Err(Error::malformed("the page's BROTLI data is cut short")),
                BrotliResult::NeedsMoreOutput if room < size => {
                    room = size.min(room.saturating_mul(2));
                    // Exactly, where `resize` alone might reserve more than the page.
                    out.reserve_exact(room.saturating_sub(out.len()));
                    out.resize(room.max(out.len()), 0);
                }
                BrotliResult::NeedsMoreOutput => {
                    return Err(Error::malformed(format!("the page's BROTLI data does not end after {size} bytes")));
                }
                BrotliResult::ResultFailure => return Err(Error::malformed("the page's BROTLI data is broken")),
            }
        }
    }
}

pub(super) struct Encoder {
    level: i32,
    buffers: Box<[[u8; BUFFER]; 2]>,
}

const BUFFER: usize = 64 << 10;

impl Encoder {
    pub(super) fn new(level: i32) -> Self {
        Self { level, buffers: Box::new([[0; BUFFER]; 2]) }
    }

    pub(super) fn compress(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let params =
            BrotliEncoderParams { quality: self.level, lgwin: window_bits(input.len()), size_hint: input.len(), ..Default::default() };
        let [from, to] = &mut *self.buffers;
        BrotliCompressCustomAlloc(&mut input, out, from, to, &params, StandardAlloc::default())
            .map(drop)
            .map_err(|error| Error::usage(format!("BROTLI cannot compress the page: {error}")).with_source(error))
    }
}

/// The smallest window that spans the page, since decoders reserve it; 4 MiB at most.
fn window_bits(len: usize) -> i32 {
    (16..22).find(|&bits| len <= (1_usize << bits).saturating_sub(16)).unwrap_or(22)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_span_the_page() {
        assert_eq!([0, 65_520, 65_521, 1 << 20, (4 << 20) - 16, 1 << 30].map(window_bits), [16, 16, 17, 21, 22, 22]);
    }
}
