//! Splitting values into their streams: even from odd bytes, two or three times.

use fearless_simd::prelude::*;
use fearless_simd::{dispatch, u8x64};

use crate::encoding::byte_stream_split::BLOCK;
use crate::encoding::plain::write_fixed;
use crate::encoding::{Encoder, Shape};
use crate::error::Result;
use crate::simd::level;
use crate::values::ValuesSlice;

/// Writes values of one width.
pub(crate) struct ByteStreamsEncoder {
    width: usize,
    /// The values in plain encoding: how far apart the streams lie is known at the end only.
    values: Vec<u8>,
}

impl ByteStreamsEncoder {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { width: shape.fixed_width().unwrap_or(0), values: Vec::new() }
    }
}

impl Encoder for ByteStreamsEncoder {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        write_fixed(values, self.width, &mut self.values)
    }

    fn size_estimate(&self) -> usize {
        self.values.len()
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let filled = out.len();
        out.resize(filled.saturating_add(self.values.len()), 0);
        let streams = out.get_mut(filled..).unwrap_or_default();
        dispatch!(level(), simd => split_with(simd, &self.values, self.width, streams));
        self.values.clear();
    }
}

#[inline(always)]
pub(super) fn split_with<S: Simd>(simd: S, values: &[u8], width: usize, out: &mut [u8]) {
    match width {
        4 => split_4(simd, values, out),
        8 => split_8(simd, values, out),
        _ => split_groups(simd, values, width, out),
    }
}

#[inline(always)]
fn split_4<S: Simd>(simd: S, values: &[u8], out: &mut [u8]) {
    let length = out.len() / 4;
    let (blocks, rest) = values.as_chunks();
    let mut value: usize = 0;
    for block in blocks {
        untranspose_4(simd, block, out, length, value);
        value = value.wrapping_add(BLOCK);
    }
    if !rest.is_empty() {
        let mut block = [0; 4 * BLOCK];
        block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        untranspose_4(simd, &block, out, length, value);
    }
}

#[inline(always)]
fn split_8<S: Simd>(simd: S, values: &[u8], out: &mut [u8]) {
    let length = out.len() / 8;
    let (blocks, rest) = values.as_chunks();
    let mut value: usize = 0;
    for block in blocks {
        untranspose_8(simd, block, out, length, value);
        value = value.wrapping_add(BLOCK);
    }
    if !rest.is_empty() {
        let mut block = [0; 8 * BLOCK];
        block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        untranspose_8(simd, &block, out, length, value);
    }
}

/// Splits values of any width, by groups of up to eight of their bytes.
#[inline(always)]
fn split_groups<S: Simd>(simd: S, values: &[u8], width: usize, out: &mut [u8]) {
    let length = out.len().checked_div(width).unwrap_or(0);
    let mut group = [0; 8 * BLOCK];
    let mut value: usize = 0;
    for block in values.chunks(width.saturating_mul(BLOCK).max(1)) {
        let mut byte: usize = 0;
        while byte < width {
            gather(block, byte, width, &mut group);
            untranspose_8(simd, &group, out.get_mut(byte.wrapping_mul(length)..).unwrap_or_default(), length, value);
            byte = byte.wrapping_add(8);
        }
        value = value.wrapping_add(BLOCK);
    }
}

/// Loads eight bytes of each value, or as many as it has.
fn gather(values: &[u8], byte: usize, width: usize, group: &mut [u8; 8 * BLOCK]) {
    let values = values.chunks_exact(width).filter_map(|value| value.get(byte..));
    for (value, bytes) in values.zip(group.as_chunks_mut::<8>().0) {
        match value.first_chunk() {
            Some(eight) => *bytes = *eight,
            None => bytes.iter_mut().zip(value).for_each(|(to, from)| *to = *from),
        }
    }
}

/// Stores the bytes of up to 64 values from `value` on in a stream of `length` bytes; a stream that `out` does not have
/// is left out.
#[inline(always)]
fn store<S: Simd>(bytes: u8x64<S>, out: &mut [u8], stream: usize, length: usize, value: usize) {
    let start = stream.wrapping_mul(length);
    let Some(stream) = out.get_mut(start..start.wrapping_add(length)).and_then(|stream| stream.get_mut(value..)) else { return };
    match stream.first_chunk_mut::<BLOCK>() {
        Some(block) => bytes.store_slice(block),
        None => {
            let mut block = [0; BLOCK];
            bytes.store_slice(&mut block);
            stream.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
    }
}

#[inline(always)]
fn untranspose_4<S: Simd>(simd: S, values: &[u8; 4 * BLOCK], out: &mut [u8], length: usize, value: usize) {
    let ([a, b, c, d], _) = values.as_chunks::<BLOCK>() else { return };
    let load = (u8x64::from_slice(simd, a), u8x64::from_slice(simd, b), u8x64::from_slice(simd, c), u8x64::from_slice(simd, d));
    let [a, b, c, d] = take_apart(load.0, load.1, load.2, load.3);
    store(a, out, 0, length, value);
    store(b, out, 1, length, value);
    store(c, out, 2, length, value);
    store(d, out, 3, length, value);
}

#[inline(always)]
fn untranspose_8<S: Simd>(simd: S, values: &[u8; 8 * BLOCK], out: &mut [u8], length: usize, value: usize) {
    let ([a, b, c, d], _) = values.as_chunks::<{ 2 * BLOCK }>() else { return };
    let ((a_even, a_odd), (b_even, b_odd)) = (load_pair(simd, a), load_pair(simd, b));
    let ((c_even, c_odd), (d_even, d_odd)) = (load_pair(simd, c), load_pair(simd, d));
    let [a, c, e, g] = take_apart(a_even, b_even, c_even, d_even);
    store(a, out, 0, length, value);
    store(c, out, 2, length, value);
    store(e, out, 4, length, value);
    store(g, out, 6, length, value);
    let [b, d, f, h] = take_apart(a_odd, b_odd, c_odd, d_odd);
    store(b, out, 1, length, value);
    store(d, out, 3, length, value);
    store(f, out, 5, length, value);
    store(h, out, 7, length, value);
}

/// Even and odd bytes.
#[inline(always)]
fn load_pair<S: Simd>(simd: S, values: &[u8; 2 * BLOCK]) -> (u8x64<S>, u8x64<S>) {
    let (low, high) = values.split_at(BLOCK);
    u8x64::from_slice(simd, low).deinterleave(u8x64::from_slice(simd, high))
}

/// The streams of words of four bytes: even from odd bytes, and again.
#[inline(always)]
fn take_apart<S: Simd>(a: u8x64<S>, b: u8x64<S>, c: u8x64<S>, d: u8x64<S>) -> [u8x64<S>; 4] {
    let (low, high) = (a.deinterleave(b), c.deinterleave(d));
    let (even, odd) = (low.0.deinterleave(high.0), low.1.deinterleave(high.1));
    [even.0, odd.0, even.1, odd.1]
}
