//! The naive twins: one value after another, as the specification says it.

/// Reads bits from the least significant on.
struct BitReader<'a> {
    bytes: std::slice::Iter<'a, u8>,
    held: u128,
    bits: u32,
}

impl<'a> BitReader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter(), held: 0, bits: 0 }
    }

    fn take(&mut self, width: u32) -> u64 {
        while self.bits < width {
            self.held |= u128::from(*self.bytes.next().unwrap_or(&0)) << self.bits;
            self.bits += 8;
        }
        let value = self.held & ((1u128 << width) - 1);
        self.held >>= width;
        self.bits -= width;
        value as u64
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
        shift += 7;
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

pub fn plain_u32(page: &[u8]) -> Vec<u32> {
    page.chunks_exact(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
}

pub fn plain_u64(page: &[u8]) -> Vec<u64> {
    page.chunks_exact(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes"))).collect()
}

/// Values that each follow their length, as offsets and data.
pub fn plain_bytes(mut page: &[u8]) -> (Vec<i32>, Vec<u8>) {
    let (mut offsets, mut data) = (vec![0], Vec::new());
    while let Some((length, rest)) = page.split_first_chunk::<4>() {
        let (value, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        data.extend_from_slice(value);
        offsets.push(data.len() as i32);
        page = rest;
    }
    (offsets, data)
}

/// The RLE hybrid.
pub fn hybrid(mut bytes: &[u8], width: u32, n: usize) -> Vec<u32> {
    let mut out = Vec::with_capacity(n);
    let stored = width.div_ceil(8) as usize;
    while out.len() < n {
        let header = varint(&mut bytes) as usize;
        if header & 1 == 0 {
            let mut value = [0; 4];
            value[..stored].copy_from_slice(&bytes[..stored]);
            bytes = &bytes[stored..];
            out.extend(std::iter::repeat_n(u32::from_le_bytes(value), header >> 1));
        } else {
            let (packed, rest) = bytes.split_at(((header >> 1) * width as usize).min(bytes.len()));
            let mut bits = BitReader::new(packed);
            for _ in 0..(header >> 1) * 8 {
                out.push(bits.take(width) as u32);
            }
            bytes = rest;
        }
    }
    out.truncate(n);
    out
}

/// Indices and the entries that they mean.
pub fn dictionary(page: &[u8], entries: &[u64], n: usize) -> Vec<u64> {
    hybrid(&page[1..], u32::from(page[0]), n).into_iter().map(|index| entries[index as usize]).collect()
}

/// DELTA_BINARY_PACKED; returns what follows it as well.
pub fn delta(mut page: &[u8]) -> (Vec<i64>, &[u8]) {
    let block = varint(&mut page) as usize;
    let miniblocks = varint(&mut page) as usize;
    let count = varint(&mut page) as usize;
    let mut last = zigzag(varint(&mut page));
    let mut out = Vec::with_capacity(count);
    if count > 0 {
        out.push(last);
    }
    while out.len() < count {
        let smallest = zigzag(varint(&mut page));
        let (widths, mut rest) = page.split_at(miniblocks);
        for &width in widths {
            if out.len() == count {
                break;
            }
            let (packed, after) = rest.split_at(block / miniblocks * usize::from(width) / 8);
            let mut bits = BitReader::new(packed);
            for _ in 0..(block / miniblocks).min(count - out.len()) {
                last = last.wrapping_add(smallest).wrapping_add(bits.take(u32::from(width)) as i64);
                out.push(last);
            }
            rest = after;
        }
        page = rest;
    }
    (out, page)
}

/// DELTA_LENGTH_BYTE_ARRAY.
pub fn delta_lengths(page: &[u8]) -> (Vec<i32>, Vec<u8>) {
    let (lengths, data) = delta(page);
    let mut offsets = vec![0];
    for length in lengths {
        offsets.push(offsets.last().expect("an offset") + length as i32);
    }
    (offsets, data.to_vec())
}

/// DELTA_BYTE_ARRAY.
pub fn delta_strings(page: &[u8]) -> (Vec<i32>, Vec<u8>) {
    let (prefixes, rest) = delta(page);
    let (ends, suffixes) = delta_lengths(rest);
    let (mut offsets, mut data) = (vec![0], Vec::new());
    let mut previous = Vec::new();
    for (i, prefix) in prefixes.into_iter().enumerate() {
        previous.truncate(prefix as usize);
        previous.extend_from_slice(&suffixes[ends[i] as usize..ends[i + 1] as usize]);
        data.extend_from_slice(&previous);
        offsets.push(data.len() as i32);
    }
    (offsets, data)
}

/// BYTE_STREAM_SPLIT.
pub fn byte_streams(page: &[u8], width: usize) -> Vec<u8> {
    let n = page.len() / width;
    let mut out = Vec::with_capacity(page.len());
    for value in 0..n {
        for stream in 0..width {
            out.push(page[stream * n + value]);
        }
    }
    out
}

/// ALP of DOUBLE.
pub fn alp(page: &[u8]) -> Vec<u64> {
    let (vector, count) = (1usize << page[2], u32::from_le_bytes(page[3..7].try_into().expect("four bytes")) as usize);
    let body = &page[7..];
    let mut out = Vec::with_capacity(count);
    for index in 0..count.div_ceil(vector) {
        let start = u32::from_le_bytes(body[index * 4..][..4].try_into().expect("four bytes")) as usize;
        let head = &body[start..];
        let (exponent, factor) = (i32::from(head[0]), i32::from(head[1]));
        let exceptions = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let reference = u64::from_le_bytes(head[4..12].try_into().expect("eight bytes"));
        let (width, length) = (u32::from(head[12]), vector.min(count - out.len()));
        let (packed, rest) = head[13..].split_at((length * width as usize).div_ceil(8));
        let mut bits = BitReader::new(packed);
        let first = out.len();
        let power = |of: i32| format!("1e{of}").parse::<f64>().expect("a power of ten");
        let (up, down) = (power(factor), power(-exponent));
        for _ in 0..length {
            let integer = bits.take(width).wrapping_add(reference) as i64;
            out.push((integer as f64 * up * down).to_bits());
        }
        for i in 0..exceptions {
            let position = usize::from(u16::from_le_bytes([rest[i * 2], rest[i * 2 + 1]]));
            out[first + position] = u64::from_le_bytes(rest[exceptions * 2 + i * 8..][..8].try_into().expect("eight bytes"));
        }
    }
    out
}

/// Values into the slots that are valid.
pub fn spread<T: Copy + Default>(dense: &[T], validity: &[bool]) -> Vec<T> {
    let mut dense = dense.iter();
    validity.iter().map(|&valid| if valid { *dense.next().expect("a value for each valid slot") } else { T::default() }).collect()
}

/// Offsets of a list of the top level, from levels.
pub fn offsets(repetition: &[u8], definition: &[u8], present: u8) -> Vec<i32> {
    let (mut out, mut elements) = (Vec::new(), 0);
    for (&r, &d) in repetition.iter().zip(definition) {
        if r == 0 {
            out.push(elements);
        }
        elements += i32::from(d >= present);
    }
    out.push(elements);
    out
}

/// A dictionary by hashing every value.
pub fn intern(values: &[u64]) -> (Vec<u64>, Vec<u32>) {
    let mut known = std::collections::HashMap::new();
    let mut entries = Vec::new();
    let mut index = |value: &u64| {
        *known.entry(*value).or_insert_with(|| {
            entries.push(*value);
            entries.len() as u32 - 1
        })
    };
    let indices = values.iter().map(&mut index).collect();
    (entries, indices)
}

/// A dictionary of text by hashing every value.
pub fn intern_bytes(values: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u32>) {
    let mut known = std::collections::HashMap::new();
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut index = |value: &&[u8]| {
        *known.entry(value.to_vec()).or_insert_with(|| {
            entries.push(value.to_vec());
            entries.len() as u32 - 1
        })
    };
    let indices = values.iter().map(&mut index).collect();
    (entries, indices)
}

/// How often each level occurs.
pub fn histogram(levels: &[u8], max: u8) -> Vec<i64> {
    let mut counts = vec![0; usize::from(max) + 1];
    for &level in levels {
        counts[usize::from(level)] += 1;
    }
    counts
}

/// The splitting of BYTE_STREAM_SPLIT.
pub fn split_streams(values: &[u64]) -> Vec<u8> {
    (0..8).flat_map(|stream| values.iter().map(move |value| value.to_le_bytes()[stream])).collect()
}
