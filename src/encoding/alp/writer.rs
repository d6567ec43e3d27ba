//! Writing of ALP pages: choosing scales by sampling, and encoding vectors.

use crate::encoding::alp::scale::{Float, Scale};
use crate::encoding::bit_packed::pack;
use crate::encoding::{Encoder, wrong_values};
use crate::error::Result;
use crate::simd::vectorized;
use crate::values::ValuesSlice;

/// Values in a vector, as written.
const WRITTEN_LOG: u8 = 10;
const WRITTEN: usize = 1 << WRITTEN_LOG;
/// Vectors of a page that are looked at to choose scales, values looked at in a vector, and scales that are tried in each
/// vector: the suggestions of the paper and the specification, but for fewer values, which choose as well.
const SAMPLED_VECTORS: usize = 8;
const SAMPLED_VALUES: usize = 32;
const CANDIDATES: usize = 5;

/// Writes FLOAT (as `u32`) or DOUBLE (as `u64`).
#[derive(Default)]
pub(crate) struct AlpEncoder<W> {
    values: Vec<W>,
}

impl<W: Float> Encoder for AlpEncoder<W> {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        self.values.extend_from_slice(W::slice(values).ok_or_else(wrong_values)?);
        Ok(())
    }

    /// The size of the plain page: what it is worth as ALP is known at the end.
    fn size_estimate(&self) -> usize {
        self.values.len().saturating_mul(W::BYTES)
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, 0, WRITTEN_LOG]);
        out.extend_from_slice(&(self.values.len() as u32).to_le_bytes());
        let candidates = candidates(&self.values);
        let vectors = self.values.len().div_ceil(WRITTEN);
        let offsets = out.len();
        out.resize(offsets.saturating_add(vectors.saturating_mul(4)), 0);
        let mut writer = VectorWriter::new();
        for (i, values) in self.values.chunks(WRITTEN).enumerate() {
            let offset = (out.len().saturating_sub(offsets) as u32).to_le_bytes();
            let place = offsets.saturating_add(i.saturating_mul(4));
            if let Some(place) = out.get_mut(place..).and_then(<[u8]>::first_chunk_mut) {
                *place = offset;
            }
            writer.write(values, best(&sample(values), candidates.iter().copied()), out);
        }
        self.values.clear();
    }
}

/// The scales that do best in vectors from all over the page, most often first.
fn candidates<W: Float>(values: &[W]) -> Vec<Scale> {
    let every = values.len().div_ceil(WRITTEN).div_ceil(SAMPLED_VECTORS).max(1);
    let mut votes: Vec<(usize, Scale)> = Vec::new();
    for vector in values.chunks(WRITTEN).step_by(every) {
        let all = (0..=W::MOST).rev().flat_map(|exponent| (0..=exponent).rev().map(move |factor| (exponent, factor)));
        let scale = best(&sample(vector), all);
        match votes.iter_mut().find(|(_, other)| *other == scale) {
            Some((count, _)) => *count = count.saturating_add(1),
            None => votes.push((1, scale)),
        }
    }
    votes.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    votes.into_iter().map(|(_, scale)| scale).take(CANDIDATES).collect()
}

/// Values from all over the vector.
fn sample<W: Float>(values: &[W]) -> Vec<W> {
    values.iter().step_by(values.len().div_ceil(SAMPLED_VALUES).max(1)).copied().collect()
}

/// The scale with which these values take the fewest bits; the first one of several.
fn best<W: Float>(values: &[W], mut scales: impl Iterator<Item = Scale>) -> Scale {
    let Some(mut best) = scales.next() else { return (0, 0) };
    let mut least = None;
    for scale in scales {
        let least = least.get_or_insert_with(|| vectorized!(cost(values, W::scale(best))));
        let bits = vectorized!(cost(values, W::scale(scale)));
        if bits < *least {
            (best, *least) = (scale, bits);
        }
    }
    best
}

/// The bits that values take with a scale.
#[inline(always)]
fn cost<W: Float>(values: &[W], scale: W::Powers) -> usize {
    let (mut low, mut high, mut exceptions) = (i64::MAX, i64::MIN, 0usize);
    for value in values {
        let integer = value.encode(scale);
        if integer.decode(scale) == *value {
            low = low.min(integer.to_i64());
            high = high.max(integer.to_i64());
        } else {
            exceptions = exceptions.wrapping_add(1);
        }
    }
    let range = if low <= high { high.wrapping_sub(low).cast_unsigned() } else { 0 };
    let width = u64::BITS.wrapping_sub(range.leading_zeros()) as usize;
    let packed = values.len().wrapping_mul(width);
    packed.wrapping_add(exceptions.wrapping_mul(W::BYTES.wrapping_add(2).wrapping_mul(8)))
}

/// Room for one vector on its way out.
pub(super) struct VectorWriter<W> {
    integers: Vec<W>,
    wrong: Vec<u8>,
    positions: Vec<u16>,
}

impl<W: Float> VectorWriter<W> {
    pub(super) fn new() -> Self {
        Self { integers: Vec::new(), wrong: Vec::new(), positions: Vec::new() }
    }

    pub(super) fn write(&mut self, values: &[W], scale: Scale, out: &mut Vec<u8>) {
        self.integers.resize(values.len(), W::default());
        self.wrong.resize(values.len(), 0);
        vectorized!(encode(values, W::scale(scale), &mut self.integers, &mut self.wrong));
        self.positions.clear();
        for (i, eight) in self.wrong.chunks(8).enumerate() {
            if eight != [0; 8] {
                let wrong = eight.iter().zip(i.saturating_mul(8)..).filter(|(wrong, _)| **wrong != 0);
                self.positions.extend(wrong.map(|(_, position)| position as u16));
            }
        }
        // Exceptions take the place of a value that is there anyway, so that the range stays narrow.
        let right = self.wrong.iter().position(|wrong| *wrong == 0);
        let placeholder = right.and_then(|position| self.integers.get(position)).copied().unwrap_or_default();
        for position in &self.positions {
            if let Some(integer) = self.integers.get_mut(usize::from(*position)) {
                *integer = placeholder;
            }
        }
        let (smallest, range) = vectorized!(take_smallest(&mut self.integers));
        let range: u64 = range.into();
        let width = u64::BITS.saturating_sub(range.leading_zeros());

        out.extend_from_slice(&[scale.0 as u8, scale.1 as u8]);
        out.extend_from_slice(&(self.positions.len() as u16).to_le_bytes());
        smallest.put(out);
        out.push(width as u8);
        pack(&self.integers, width as usize, out);
        self.positions.iter().for_each(|position| out.extend_from_slice(&position.to_le_bytes()));
        self.positions.iter().filter_map(|position| values.get(usize::from(*position))).for_each(|value| value.put(out));
    }
}

#[inline(always)]
fn encode<W: Float>(values: &[W], scale: W::Powers, integers: &mut [W], wrong: &mut [u8]) {
    for ((value, integer), wrong) in values.iter().zip(integers).zip(wrong) {
        *integer = value.encode(scale);
        *wrong = u8::from(integer.decode(scale) != *value);
    }
}

/// Takes the smallest integer (signed) off all; returns it and the largest difference.
#[inline(always)]
fn take_smallest<W: Float>(integers: &mut [W]) -> (W, W) {
    let first = integers.first().copied().unwrap_or_default();
    let smallest = integers.iter().fold(first, |smallest, integer| smallest.smaller(*integer));
    let largest = integers.iter_mut().fold(W::default(), |largest, integer| {
        *integer = integer.subtract(smallest);
        largest.or(*integer)
    });
    (smallest, largest)
}
