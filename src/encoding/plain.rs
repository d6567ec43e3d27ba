//! `PLAIN`: values one after another. Numbers are little-endian, booleans take a bit each (least significant first),
//! byte arrays follow their length in four bytes, and fixed-length byte arrays and INT96 stand as they are.

use crate::encoding::{Decoder, Encoder, Shape, Stored, past_the_end, too_few, wrong_container, wrong_values};
#[cfg(feature = "arrow")]
use crate::error::Error;
use crate::error::Result;
use crate::simd::vectorized;
use crate::values::{Bits, ByteArrays, BytesSlice, Values, ValuesSlice};

/// Values of one width: INT32, INT64, FLOAT, DOUBLE, INT96, FIXED_LEN_BYTE_ARRAY.
pub(crate) struct PlainFixed {
    at: usize,
    width: usize,
}

impl PlainFixed {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { at: 0, width: shape.fixed_width().unwrap_or(0) }
    }

    fn take<'a>(&mut self, page: &'a [u8], n: usize) -> Result<&'a [u8]> {
        let end = n.checked_mul(self.width).and_then(|length| length.checked_add(self.at));
        let taken = end.and_then(|end| page.get(self.at..end)).ok_or_else(|| {
            let left = page.len().saturating_sub(self.at);
            too_few(n, left.checked_div(self.width).unwrap_or(0))
        })?;
        self.at = self.at.saturating_add(taken.len());
        Ok(taken)
    }
}

impl Decoder for PlainFixed {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let bytes = self.take(page, n)?;
        match out {
            Values::Words32(words) if self.width == 4 => words.extend(bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))),
            Values::Words64(words) if self.width == 8 => words.extend(bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))),
            Values::Fixed(fixed) if self.width == fixed.width() => match self.width {
                0 => fixed.extend_zeros(n),
                _ => fixed.extend_from_bytes(bytes),
            },
            _ => return Err(wrong_container()),
        }
        Ok(n)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        self.take(page, n).map(drop)
    }

    fn as_stored<'a>(&mut self, page: &'a [u8], n: usize) -> Result<Option<Stored<'a>>> {
        let is_stored = cfg!(target_endian = "little") || !matches!(self.width, 4 | 8);
        if is_stored { self.take(page, n).map(|bytes| Some(Stored { bytes, bit: 0 })) } else { Ok(None) }
    }
}

/// BOOLEAN.
pub(crate) struct PlainBits {
    at: usize,
}

impl PlainBits {
    pub(crate) fn new() -> Self {
        Self { at: 0 }
    }

    fn advance(&mut self, page: &[u8], n: usize) -> Result<usize> {
        let start = self.at;
        let left = page.len().saturating_mul(8).saturating_sub(start);
        if n > left {
            return Err(too_few(n, left));
        }
        self.at = start.saturating_add(n);
        Ok(start)
    }
}

impl Decoder for PlainBits {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let Values::Bits(bits) = out else { return Err(wrong_container()) };
        let start = self.advance(page, n)?;
        bits.extend_from_bytes(page, start, n);
        Ok(n)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        self.advance(page, n).map(drop)
    }

    fn as_stored<'a>(&mut self, page: &'a [u8], n: usize) -> Result<Option<Stored<'a>>> {
        let start = self.advance(page, n)?;
        Ok(Some(Stored { bytes: page.get(start / 8..).unwrap_or_default(), bit: start % 8 }))
    }
}

/// BYTE_ARRAY.
pub(crate) struct PlainBytes {
    at: usize,
}

impl PlainBytes {
    pub(crate) fn new() -> Self {
        Self { at: 0 }
    }
}

impl Decoder for PlainBytes {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let Values::Bytes(arrays) = out else { return Err(wrong_container()) };
        let mut rest = page.get(self.at..).unwrap_or_default();
        // Each value takes at least the four bytes of its length. How many bytes those of `n` take only the caller can guess.
        arrays.reserve(n.min(rest.len() / 4), 0);
        let done = copy_values(&mut rest, n, arrays)?;
        self.at = page.len().saturating_sub(rest.len());
        Ok(done)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        let mut rest = page.get(self.at..).unwrap_or_default();
        for done in 0..n {
            let (length, after) = split_length(rest).ok_or_else(|| too_few(n, done))?;
            rest = after.get(length..).ok_or_else(|| past_the_end(length as u64, after.len()))?;
        }
        self.at = page.len().saturating_sub(rest.len());
        Ok(())
    }
}

/// The `n` values that a page begins with, in the page's own memory: the lengths between them are closed up.
#[cfg(feature = "arrow")]
pub(crate) fn byte_arrays_of(mut page: Vec<u8>, n: usize) -> Result<ByteArrays> {
    let mut offsets = Vec::with_capacity(n.min(page.len() / 4).saturating_add(1));
    offsets.push(0);
    let (mut from, mut to) = (0_usize, 0_usize);
    for done in 0..n {
        let (length, after) = page.get(from..).and_then(split_length).ok_or_else(|| too_few(n, done))?;
        let start = from.saturating_add(4);
        if length > after.len() {
            return Err(past_the_end(length as u64, after.len()));
        }
        let end = start.saturating_add(length);
        // As in `copy_short`, once there is room for a piece between what is moved and what is not.
        match after.first_chunk::<SHORT>().copied() {
            Some(piece) if length <= SHORT && start.saturating_sub(to) >= SHORT => {
                if let Some(place) = page.get_mut(to..).and_then(<[u8]>::first_chunk_mut) {
                    *place = piece;
                }
            }
            _ => page.copy_within(start..end, to),
        }
        to = to.saturating_add(length);
        from = end;
        let offset = i32::try_from(to).map_err(|_| Error::limit("a dictionary page of more than 2 GiB"))?;
        offsets.push(offset);
    }
    page.truncate(to);
    Ok(ByteArrays::from_parts(offsets, page))
}

#[inline(always)]
fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*length) as usize, rest))
}

/// Copies values until `n` are done or one does not fit; returns how many.
fn copy_values(rest: &mut &[u8], n: usize, arrays: &mut ByteArrays) -> Result<usize> {
    vectorized!(copy_with(rest, n, arrays))
}

#[inline(always)]
fn copy_with(rest: &mut &[u8], n: usize, arrays: &mut ByteArrays) -> Result<usize> {
    let mut room = arrays.room();
    let (offsets, data) = arrays.parts_mut();
    let mut done = 0_usize;
    loop {
        done = done.saturating_add(copy_short(rest, n.saturating_sub(done), &mut room, offsets, data));
        if done >= n {
            return Ok(n);
        }
        let (length, after) = split_length(rest).ok_or_else(|| too_few(n, done))?;
        if length > room {
            return if length > after.len() { Err(past_the_end(length as u64, after.len())) } else { Ok(done) };
        }
        let (value, after) = after.split_at_checked(length).ok_or_else(|| past_the_end(length as u64, after.len()))?;
        data.extend_from_slice(value);
        offsets.push(data.len() as i32);
        room = room.saturating_sub(length);
        *rest = after;
        done = done.saturating_add(1);
    }
}

/// Values up to this length are copied as if they had it, and cut afterwards: no call, no loop.
///
/// Pieces of 64 bytes rather than 32 make values of 0 to 60 bytes three times as fast, and those of 22 no slower (measured). Going
/// through a small buffer of 64 values, appended at once, was 3 % slower for whole files; copying to memory cleared
/// 16 KiB at a time, 1 %. Two values at a time, the other from 8 KiB ahead, where three zeros tell of a length, took 2.6 ns a value instead of 2.7 in the
/// nearest caches and 3.5 instead of 3.1 beyond: stepping from length to length takes 1.9, but it is not what bounds.
const SHORT: usize = 64;

/// Copies values as long as they are short, fit, and there is as much behind their length; returns how many.
///
/// What each value waits for is where the one before it ended. One check for a length with all that may follow it keeps that to a load and an addition,
/// and with wide registers a value of 23 bytes takes 2.4 ns where it took 3.3.
#[inline(always)]
fn copy_short(rest: &mut &[u8], n: usize, room: &mut usize, offsets: &mut Vec<i32>, data: &mut Vec<u8>) -> usize {
    let (mut left, mut free, mut end) = (*rest, *room, data.len());
    let mut done = 0_usize;
    while done < n
        && let Some((length, chunk)) = left.first_chunk::<{ 4 + SHORT }>().and_then(|piece| piece.split_first_chunk::<4>())
    {
        let length = u32::from_le_bytes(*length) as usize;
        if length > SHORT || length > free {
            break;
        }
        data.extend_from_slice(chunk);
        end = end.wrapping_add(length);
        data.truncate(end);
        offsets.push(end as i32);
        free = free.wrapping_sub(length);
        left = left.get(length.wrapping_add(4)..).unwrap_or_default();
        done = done.wrapping_add(1);
    }
    (*rest, *room) = (left, free);
    done
}

/// Writes values of one width.
pub(crate) struct PlainFixedEncoder {
    width: usize,
    page: Vec<u8>,
}

impl PlainFixedEncoder {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { width: shape.fixed_width().unwrap_or(0), page: Vec::new() }
    }
}

impl Encoder for PlainFixedEncoder {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        write_fixed(values, self.width, &mut self.page)
    }

    fn size_estimate(&self) -> usize {
        self.page.len()
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.page);
    }
}

/// Appends values of `width` bytes, which those of BYTE_STREAM_SPLIT are as well before they are split.
pub(crate) fn write_fixed(values: ValuesSlice<'_>, width: usize, page: &mut Vec<u8>) -> Result<()> {
    match values {
        ValuesSlice::Words32(words) if width == 4 => match cfg!(target_endian = "little") {
            true => page.extend_from_slice(bytemuck::cast_slice(words)),
            false => words.iter().for_each(|word| page.extend_from_slice(&word.to_le_bytes())),
        },
        ValuesSlice::Words64(words) if width == 8 => match cfg!(target_endian = "little") {
            true => page.extend_from_slice(bytemuck::cast_slice(words)),
            false => words.iter().for_each(|word| page.extend_from_slice(&word.to_le_bytes())),
        },
        ValuesSlice::Fixed(fixed) if width == fixed.width() => page.extend_from_slice(fixed.data()),
        _ => return Err(wrong_values()),
    }
    Ok(())
}

/// Writes BOOLEAN.
#[derive(Default)]
pub(crate) struct PlainBitsEncoder {
    bits: Bits,
}

impl Encoder for PlainBitsEncoder {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        let ValuesSlice::Bits(bits) = values else { return Err(wrong_values()) };
        bits.append_to(&mut self.bits);
        Ok(())
    }

    fn size_estimate(&self) -> usize {
        self.bits.len().div_ceil(8)
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let length = out.len().saturating_add(self.size_estimate());
        self.bits.words().iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out.truncate(length);
        self.bits.clear();
    }
}

/// Writes BYTE_ARRAY.
#[derive(Default)]
pub(crate) struct PlainBytesEncoder {
    page: Vec<u8>,
}

impl Encoder for PlainBytesEncoder {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        let ValuesSlice::Bytes(arrays) = values else { return Err(wrong_values()) };
        write_bytes(arrays, &mut self.page);
        Ok(())
    }

    fn size_estimate(&self) -> usize {
        self.page.len()
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.page);
    }
}

/// Appends each value after its length.
pub(crate) fn write_bytes(arrays: BytesSlice<'_>, page: &mut Vec<u8>) {
    const PIECE: usize = 64;
    let mut source = arrays.bytes();
    let mut at = page.len();
    let end = at.saturating_add(source.len()).saturating_add(arrays.len().saturating_mul(4));
    // As in reading, short values are copied in pieces of a fixed size, whose excess the next value overwrites.
    page.resize(end.saturating_add(PIECE), 0);
    for value in arrays.iter() {
        let room = page.get_mut(at..).unwrap_or_default();
        let Some((length, room)) = room.split_first_chunk_mut() else { break };
        *length = (value.len() as u32).to_le_bytes();
        match (source.first_chunk::<PIECE>(), room.first_chunk_mut::<PIECE>()) {
            (Some(piece), Some(room)) if value.len() <= PIECE => *room = *piece,
            _ => room.get_mut(..value.len()).unwrap_or_default().copy_from_slice(value),
        }
        source = source.get(value.len()..).unwrap_or_default();
        at = at.saturating_add(4).saturating_add(value.len());
    }
    page.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::decoder;
    use crate::format::{Encoding, PhysicalType};
    use proptest::prelude::*;

    fn page_of(arrays: &[Vec<u8>]) -> Vec<u8> {
        arrays.iter().flat_map(|value| (value.len() as u32).to_le_bytes().into_iter().chain(value.iter().copied())).collect()
    }

    fn shape(physical_type: PhysicalType, width: usize) -> Shape {
        Shape { physical_type, width }
    }

    proptest! {
        #[cfg(feature = "arrow")]
        #[test]
        fn byte_arrays_in_their_page(
            arrays in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..80), cut: prop::sample::Index,
        ) {
            let page = page_of(&arrays);
            let expected: ByteArrays = arrays.iter().map(Vec::as_slice).collect();
            if !page.is_empty() {
                prop_assert!(byte_arrays_of(page[..cut.index(page.len())].to_vec(), arrays.len()).is_err());
            }
            prop_assert!(byte_arrays_of(page.clone(), arrays.len() + 1).is_err());
            prop_assert_eq!(byte_arrays_of(page, arrays.len()).unwrap(), expected);
        }

        #[test]
        fn byte_arrays(arrays in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..50), first in 0..50usize, skipped in 0..50usize) {
            let page = page_of(&arrays);
            let mut decoder = PlainBytes::new();
            let mut out = Values::new(PhysicalType::ByteArray, 0);
            let first = first.min(arrays.len());
            let skipped = skipped.min(arrays.len() - first);
            prop_assert_eq!(decoder.read(&page, first, &mut out).unwrap(), first);
            decoder.skip(&page, skipped).unwrap();
            let rest = arrays.len() - first - skipped;
            prop_assert_eq!(decoder.read(&page, rest, &mut out).unwrap(), rest);
            let expected: Vec<&[u8]> = arrays[..first].iter().chain(&arrays[first + skipped..]).map(Vec::as_slice).collect();
            prop_assert_eq!(out.as_bytes().unwrap().iter().collect::<Vec<_>>(), expected);
            prop_assert!(decoder.read(&page, 1, &mut out).is_err());
            prop_assert!(decoder.skip(&page, 1).is_err());
        }

        #[test]
        fn stops_where_there_is_no_room(arrays in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..50), limit in 0..800usize) {
            let page = page_of(&arrays);
            let mut decoder = PlainBytes::new();
            let mut read = Vec::new();
            while read.len() < arrays.len() {
                let mut out = Values::Bytes(ByteArrays::with_limit(limit.max(80)));
                let n = decoder.read(&page, arrays.len() - read.len(), &mut out).unwrap();
                prop_assert!(n > 0);
                read.extend(out.as_bytes().unwrap().iter().map(<[u8]>::to_vec));
            }
            prop_assert_eq!(read, arrays);
        }

        #[test]
        fn any_bytes_end(page in prop::collection::vec(any::<u8>(), 0..100), n in 0..60usize, width in 0..9usize) {
            for physical_type in (0..8).map(PhysicalType::from_code) {
                let shape = shape(physical_type, width);
                let mut out = Values::new(physical_type, width);
                let read = decoder(Encoding::Plain, shape, &page, None).unwrap().read(&page, n, &mut out);
                let skipped = decoder(Encoding::Plain, shape, &page, None).unwrap().skip(&page, n);
                prop_assert_eq!(read.is_ok(), skipped.is_ok());
                if read.is_ok() {
                    prop_assert_eq!(out.len(), n);
                }
            }
        }
    }

    #[test]
    fn numbers_are_little_endian() {
        let page: Vec<u8> = [1i64, -2, i64::MAX].iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut out = Values::new(PhysicalType::Int64, 0);
        PlainFixed::new(shape(PhysicalType::Int64, 0)).read(&page, 3, &mut out).unwrap();
        assert_eq!(out.as_i64().unwrap(), [1, -2, i64::MAX]);
    }
}
