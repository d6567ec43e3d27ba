//! `BYTE_STREAM_SPLIT`: the first bytes of all values, then their second bytes, and so on.
//!
//! Reading is a transpose, done in blocks of 64 values: vectors of four or eight streams are interleaved by bytes, then
//! by pairs, then by fours, which leaves whole values. Widths other than 4 and 8 take their streams in groups of eight,
//! four, two and one.

mod writer;

pub(crate) use writer::ByteStreamsEncoder;

use fearless_simd::prelude::*;
use fearless_simd::{dispatch, u8x64, u16x32, u32x16};

use crate::encoding::{Decoder, Shape, too_few, wrong_container};
use crate::error::{Error, Result};
use crate::simd::level;
use crate::values::{Values, extend_words};

/// Values transposed at a time.
const BLOCK: usize = 64;
/// Values appended at a time, so that clearing and filling their memory happens in the first-level cache.
const PIECE: usize = 1024;

/// Reads values of one width: INT32, INT64, FLOAT, DOUBLE, FIXED_LEN_BYTE_ARRAY.
pub(crate) struct ByteStreams {
    width: usize,
    /// The number of values read.
    at: usize,
}

impl ByteStreams {
    /// # Errors
    /// `Malformed` when the page's length is not a multiple of the width: the streams would not be equally long.
    pub(crate) fn new(shape: Shape, page: &[u8]) -> Result<Self> {
        let width = shape.fixed_width().unwrap_or(0);
        if width > 0 && !page.len().is_multiple_of(width) {
            let length = page.len();
            return Err(Error::malformed(format!("{length} bytes cannot be split into {width} streams of one length")));
        }
        Ok(Self { width, at: 0 })
    }

    fn check(&self, page: &[u8], n: usize) -> Result<()> {
        let left = page.len().checked_div(self.width).map_or(usize::MAX, |count| count.saturating_sub(self.at));
        if n > left { Err(too_few(n, left)) } else { Ok(()) }
    }

    /// Puts the next values together until `out` is full.
    fn join(&mut self, page: &[u8], out: &mut [u8]) {
        let width = self.width;
        let streams = Streams { page, length: page.len().checked_div(width).unwrap_or(0), first: self.at };
        dispatch!(level(), simd => join_with(simd, &streams, width, out));
        self.at = self.at.saturating_add(out.len().checked_div(width).unwrap_or(0));
    }
}

impl Decoder for ByteStreams {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        self.check(page, n)?;
        match out {
            Values::Words32(words) if self.width == 4 => {
                words.reserve(n);
                extend_words(words, n, PIECE, |new| {
                    self.join(page, bytemuck::cast_slice_mut(new));
                    new.iter_mut().for_each(|word| *word = u32::from_le(*word));
                    Ok(())
                })?;
            }
            Values::Words64(words) if self.width == 8 => {
                words.reserve(n);
                extend_words(words, n, PIECE, |new| {
                    self.join(page, bytemuck::cast_slice_mut(new));
                    new.iter_mut().for_each(|word| *word = u64::from_le(*word));
                    Ok(())
                })?;
            }
            Values::Fixed(fixed) if self.width == fixed.width() => match fixed.data_mut() {
                Some(data) => {
                    let bytes = n.saturating_mul(self.width);
                    data.reserve(bytes);
                    extend_words(data, bytes, PIECE.saturating_mul(self.width), |new| {
                        self.join(page, new);
                        Ok(())
                    })?;
                }
                None => fixed.extend_zeros(n),
            },
            _ => return Err(wrong_container()),
        }
        Ok(n)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        self.check(page, n)?;
        self.at = self.at.saturating_add(n);
        Ok(())
    }
}

// What follows has neither closures nor iterators over vectors: those are compiled without the vector set of the function
// that they are in, so that each vector goes through memory and each instruction through a call. That cost eight times as
// much (measured, DOUBLE).

/// The streams of a page, from one value on.
struct Streams<'a> {
    page: &'a [u8],
    /// The number of values in the page.
    length: usize,
    first: usize,
}

impl Streams<'_> {
    /// The bytes of 64 values from `value` on in a stream; past its end there are bytes of no meaning.
    #[inline(always)]
    fn block<S: Simd>(&self, simd: S, stream: usize, value: usize) -> u8x64<S> {
        let start = stream.wrapping_mul(self.length).wrapping_add(self.first).wrapping_add(value);
        let bytes = self.page.get(start..).unwrap_or_default();
        match bytes.first_chunk::<BLOCK>() {
            Some(block) => u8x64::from_slice(simd, block),
            None => u8x64::from_slice(simd, &padded(bytes)),
        }
    }

    #[inline(always)]
    fn four<S: Simd>(&self, simd: S, stream: usize, value: usize) -> [u8x64<S>; 4] {
        [
            self.block(simd, stream, value),
            self.block(simd, stream.wrapping_add(1), value),
            self.block(simd, stream.wrapping_add(2), value),
            self.block(simd, stream.wrapping_add(3), value),
        ]
    }
}

#[inline(always)]
fn join_with<S: Simd>(simd: S, streams: &Streams<'_>, width: usize, out: &mut [u8]) {
    match width {
        4 => join_4(simd, streams, out),
        8 => join_8(simd, streams, out),
        _ => join_groups(simd, streams, width, out),
    }
}

#[cold]
fn padded(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    block
}

#[inline(always)]
fn join_4<S: Simd>(simd: S, streams: &Streams<'_>, out: &mut [u8]) {
    let (blocks, rest) = out.as_chunks_mut();
    let mut value: usize = 0;
    for block in blocks {
        transpose_4(simd, streams, 0, value, block);
        value = value.wrapping_add(BLOCK);
    }
    if !rest.is_empty() {
        let mut block = [0; 4 * BLOCK];
        transpose_4(simd, streams, 0, value, &mut block);
        rest.iter_mut().zip(block).for_each(|(to, from)| *to = from);
    }
}

#[inline(always)]
fn join_8<S: Simd>(simd: S, streams: &Streams<'_>, out: &mut [u8]) {
    let (blocks, rest) = out.as_chunks_mut();
    let mut value: usize = 0;
    for block in blocks {
        transpose_8(simd, streams, 0, value, block);
        value = value.wrapping_add(BLOCK);
    }
    if !rest.is_empty() {
        let mut block = [0; 8 * BLOCK];
        transpose_8(simd, streams, 0, value, &mut block);
        rest.iter_mut().zip(block).for_each(|(to, from)| *to = from);
    }
}

/// Values of any width, by groups of up to eight of their bytes.
#[inline(always)]
fn join_groups<S: Simd>(simd: S, streams: &Streams<'_>, width: usize, out: &mut [u8]) {
    let mut group = [0; 8 * BLOCK];
    let mut value: usize = 0;
    for block in out.chunks_mut(width.saturating_mul(BLOCK).max(1)) {
        let mut byte: usize = 0;
        while byte < width {
            transpose_8(simd, streams, byte, value, &mut group);
            scatter(&group, byte, width, block);
            byte = byte.wrapping_add(8);
        }
        value = value.wrapping_add(BLOCK);
    }
}

/// Stores eight bytes of each value, or as many as it has, in its place.
fn scatter(group: &[u8; 8 * BLOCK], byte: usize, width: usize, out: &mut [u8]) {
    let values = out.chunks_exact_mut(width).filter_map(|value| value.get_mut(byte..));
    for (value, bytes) in values.zip(group.as_chunks::<8>().0) {
        match value.first_chunk_mut() {
            Some(eight) => *eight = *bytes,
            None => value.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from),
        }
    }
}

/// Four streams from `stream` on become 64 words.
#[inline(always)]
fn transpose_4<S: Simd>(simd: S, streams: &Streams<'_>, stream: usize, value: usize, out: &mut [u8; 4 * BLOCK]) {
    let [a, b, c, d] = fours(streams.four(simd, stream, value));
    let ([to_a, to_b, to_c, to_d], _) = out.as_chunks_mut::<BLOCK>() else { return };
    a.bitcast::<u8x64<S>>().store_slice(to_a);
    b.bitcast::<u8x64<S>>().store_slice(to_b);
    c.bitcast::<u8x64<S>>().store_slice(to_c);
    d.bitcast::<u8x64<S>>().store_slice(to_d);
}

/// Eight streams from `stream` on become 64 words.
#[inline(always)]
fn transpose_8<S: Simd>(simd: S, streams: &Streams<'_>, stream: usize, value: usize, out: &mut [u8; 8 * BLOCK]) {
    let low = fours(streams.four(simd, stream, value));
    let high = fours(streams.four(simd, stream.wrapping_add(4), value));
    let ([to_a, to_b, to_c, to_d], _) = out.as_chunks_mut::<{ 2 * BLOCK }>() else { return };
    store_pair(low[0].interleave(high[0]), to_a);
    store_pair(low[1].interleave(high[1]), to_b);
    store_pair(low[2].interleave(high[2]), to_c);
    store_pair(low[3].interleave(high[3]), to_d);
}

#[inline(always)]
fn store_pair<S: Simd>((first, second): (u32x16<S>, u32x16<S>), out: &mut [u8; 2 * BLOCK]) {
    let (low, high) = out.split_at_mut(BLOCK);
    first.bitcast::<u8x64<S>>().store_slice(low);
    second.bitcast::<u8x64<S>>().store_slice(high);
}

/// Words of four bytes, one from each vector.
#[inline(always)]
fn fours<S: Simd>([a, b, c, d]: [u8x64<S>; 4]) -> [u32x16<S>; 4] {
    let (ab, cd) = (a.interleave(b), c.interleave(d));
    let low = ab.0.bitcast::<u16x32<S>>().interleave(cd.0.bitcast::<u16x32<S>>());
    let high = ab.1.bitcast::<u16x32<S>>().interleave(cd.1.bitcast::<u16x32<S>>());
    [low.0.bitcast(), low.1.bitcast(), high.0.bitcast(), high.1.bitcast()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Encoder;
    use crate::format::PhysicalType;
    use proptest::prelude::*;

    /// The streams of values of one width.
    fn split(values: &[u8], width: usize) -> Vec<u8> {
        (0..width).flat_map(|byte| values.iter().skip(byte).step_by(width).copied()).collect()
    }

    fn plain(values: &Values) -> Vec<u8> {
        match values {
            Values::Words32(words) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
            Values::Words64(words) => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
            Values::Fixed(fixed) => fixed.data().to_vec(),
            _ => Vec::new(),
        }
    }

    fn shapes(width: usize) -> Vec<Shape> {
        let fixed = Shape { physical_type: PhysicalType::FixedLenByteArray, width };
        let others: &[PhysicalType] = match width {
            4 => &[PhysicalType::Int32, PhysicalType::Float],
            8 => &[PhysicalType::Int64, PhysicalType::Double],
            _ => &[],
        };
        others.iter().map(|physical_type| Shape { physical_type: *physical_type, width: 0 }).chain([fixed]).collect()
    }

    #[test]
    fn agrees_with_the_naive_twin() {
        for width in 1..=33 {
            for n in [0, 1, 7, 63, 64, 65, 127, 128, 129, 200, 1023, 1024, 1025, 2500] {
                let values: Vec<u8> = (0..(n * width) as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
                let page = split(&values, width);
                for shape in shapes(width) {
                    let mut out = Values::new(shape.physical_type, width);
                    let mut decoder = ByteStreams::new(shape, &page).unwrap();
                    assert_eq!(decoder.read(&page, n, &mut out).unwrap(), n);
                    assert_eq!(plain(&out), values, "{n} values of {width} bytes");
                    assert!(decoder.read(&page, 1, &mut out).is_err());

                    let mut encoder = ByteStreamsEncoder::new(shape);
                    let cut = n / 3;
                    for _ in 0..2 {
                        encoder.write(out.as_slice().slice(0..cut).unwrap()).unwrap();
                        encoder.write(out.as_slice().slice(cut..n).unwrap()).unwrap();
                        let mut written = vec![5];
                        encoder.finish(&mut written);
                        assert_eq!(written[1..], page, "{n} values of {width} bytes");
                    }
                }
            }
        }
    }

    /// Joining and splitting with the vector sets that a machine without the widest one has.
    #[test]
    fn narrower_vectors_agree() {
        fn agrees<S: Simd>(simd: S) {
            for n in [1, 63, 64, 65, 300] {
                for width in [4, 8, 13, 16] {
                    let values: Vec<u8> = (0..(n * width) as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
                    let page = split(&values, width);
                    let (mut joined, mut streams) = (vec![0; values.len()], vec![0; values.len()]);
                    join_with(simd, &Streams { page: &page, length: n, first: 0 }, width, &mut joined);
                    writer::split_with(simd, &values, width, &mut streams);
                    assert_eq!(joined, values, "{n} values of {width} bytes");
                    assert_eq!(streams, page, "{n} values of {width} bytes");
                }
            }
        }
        #[cfg(target_arch = "x86_64")]
        {
            level().as_sse2().into_iter().for_each(agrees);
            level().as_sse4_2().into_iter().for_each(agrees);
            level().as_avx2().into_iter().for_each(agrees);
        }
        dispatch!(level(), simd => agrees(simd));
    }

    proptest! {
        #[test]
        fn pieces_make_the_whole(
            width in 1..20usize, steps in prop::collection::vec((any::<bool>(), 0..300usize), 0..8),
            seed in any::<u32>(),
        ) {
            let n: usize = steps.iter().map(|step| step.1).sum();
            let values: Vec<u8> = (0..(n * width) as u32).map(|i| ((i ^ seed).wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            let page = split(&values, width);
            for shape in shapes(width) {
                let mut out = Values::new(shape.physical_type, width);
                let mut expected = Vec::new();
                let mut decoder = ByteStreams::new(shape, &page).unwrap();
                let mut at = 0;
                for (read, n) in &steps {
                    if *read {
                        prop_assert_eq!(decoder.read(&page, *n, &mut out).unwrap(), *n);
                        expected.extend_from_slice(&values[at * width..(at + n) * width]);
                    } else {
                        decoder.skip(&page, *n).unwrap();
                    }
                    at += n;
                }
                prop_assert_eq!(plain(&out), expected);
                prop_assert!(decoder.skip(&page, 1).is_err());
            }
        }
    }

    #[test]
    fn streams_of_unequal_length_are_refused() {
        let shape = Shape { physical_type: PhysicalType::Double, width: 0 };
        assert!(ByteStreams::new(shape, &[0; 12]).is_err());
        assert!(ByteStreams::new(shape, &[]).is_ok());
    }

    #[test]
    fn values_of_no_width_are_there() {
        let shape = Shape { physical_type: PhysicalType::FixedLenByteArray, width: 0 };
        let mut out = Values::new(shape.physical_type, 0);
        assert_eq!(ByteStreams::new(shape, &[]).unwrap().read(&[], 5, &mut out).unwrap(), 5);
        assert_eq!(out.len(), 5);
    }
}
