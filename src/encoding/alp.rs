//! `ALP` (`AlpEncoding.md`): floating-point numbers that are decimals, as integers.
//!
//! A page begins with a header of 7 bytes (mode 0, integer encoding 0, the logarithm of the vector size, the number of
//! values) and the offset of each vector. A vector has its exponent `e` and factor `f`, the number of its exceptions, the
//! smallest integer and the bit width; then the integers less the smallest, packed; then the positions and the values of
//! the exceptions. A value is `integer * 10^f * 10^-e`, multiplied in this order and in the type's own precision, and an
//! exception stands for itself, bit by bit.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]

use std::marker::PhantomData;

use crate::encoding::bit_packed::{pack, unpack32, unpack64};
use crate::encoding::{Decoder, Encoder, too_few, wrong_container, wrong_values};
use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::{Values, ValuesSlice};

/// The bytes of the header, from whose end offsets count.
const HEADER: usize = 7;
/// Values decoded at a time.
const BLOCK: usize = 1024;

/// Reads FLOAT (as `u32`) or DOUBLE (as `u64`).
pub(crate) struct AlpReader<W> {
    /// Values in each vector but the last.
    vector: usize,
    /// Values in the page.
    count: usize,
    /// Values read.
    at: usize,
    word: PhantomData<W>,
}

/// One vector of a page.
struct Vector<'a> {
    exponent: usize,
    factor: usize,
    reference: u64,
    width: usize,
    packed: &'a [u8],
    positions: &'a [u8],
    exceptions: &'a [u8],
}

impl<W: Word> AlpReader<W> {
    pub(crate) fn new(page: &[u8]) -> Result<Self> {
        if page.is_empty() {
            return Ok(Self { vector: 1, count: 0, at: 0, word: PhantomData });
        }
        let Some([mode, integers, log, count @ ..]) = page.first_chunk::<HEADER>() else { return Err(ended()) };
        if (*mode, *integers) != (0, 0) {
            return Err(Error::unsupported(format!("ALP compression mode {mode} with integer encoding {integers}")));
        }
        if !(3..=15).contains(log) {
            return Err(Error::malformed(format!("ALP vectors of 2^{log} values: 2^3 to 2^15 are allowed")));
        }
        let count = usize::try_from(i32::from_le_bytes(*count)).map_err(|_| Error::malformed("a negative number of ALP values"))?;
        let vector = 1 << log;
        let offsets = count.div_ceil(vector).saturating_mul(4);
        if offsets > page.len().saturating_sub(HEADER) {
            return Err(ended());
        }
        Ok(Self { vector, count, at: 0, word: PhantomData })
    }

    fn check(&self, n: usize) -> Result<()> {
        let left = self.count.saturating_sub(self.at);
        if n > left { Err(too_few(n, left)) } else { Ok(()) }
    }

    /// The vector at `index`, which has `length` values.
    fn parse<'a>(&self, page: &'a [u8], index: usize, length: usize) -> Result<Vector<'a>> {
        let body = page.get(HEADER..).unwrap_or_default();
        let vectors = self.count.div_ceil(self.vector);
        let offsets = body.as_chunks::<4>().0.get(..vectors).ok_or_else(ended)?;
        let offset = |index: usize| offsets.get(index).map(|offset| u32::from_le_bytes(*offset) as usize);
        let start = offset(index).filter(|start| *start >= vectors.saturating_mul(4)).ok_or_else(misplaced)?;
        let end = offset(index.saturating_add(1)).unwrap_or(body.len());
        let bytes = body.get(start..end).ok_or_else(misplaced)?;

        let ([exponent, factor, low, high], bytes) = bytes.split_first_chunk().ok_or_else(ended)?;
        let (exponent, factor) = (usize::from(*exponent), usize::from(*factor));
        let exceptions = usize::from(u16::from_le_bytes([*low, *high]));
        let (reference, bytes) = W::reference(bytes).ok_or_else(ended)?;
        let (width, bytes) = bytes.split_first().ok_or_else(ended)?;
        let width = usize::from(*width);
        if exponent > W::MOST || factor > exponent {
            return Err(Error::malformed(format!("an ALP vector with exponent {exponent} and factor {factor}")));
        }
        if width > W::BYTES.saturating_mul(8) {
            return Err(Error::malformed(format!("an ALP vector of values of {width} bits")));
        }
        if exceptions > length {
            return Err(Error::malformed(format!("an ALP vector of {length} values with {exceptions} exceptions")));
        }
        let (packed, bytes) = bytes.split_at_checked(length.saturating_mul(width).div_ceil(8)).ok_or_else(ended)?;
        let (positions, bytes) = bytes.split_at_checked(exceptions.saturating_mul(2)).ok_or_else(ended)?;
        let exceptions = bytes.get(..exceptions.saturating_mul(W::BYTES)).ok_or_else(ended)?;
        Ok(Vector { exponent, factor, reference, width, packed, positions, exceptions })
    }
}

impl<W: Word> Decoder for AlpReader<W> {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let out = W::container(out).ok_or_else(wrong_container)?;
        self.check(n)?;
        // A bit a value is what the bytes justify; vectors of equal values, which take less, grow as they come.
        out.reserve(n.min(page.len().saturating_mul(8)));
        let mut left = n;
        while left > 0 {
            let (index, first) = (self.at.checked_div(self.vector).unwrap_or(0), self.at.checked_rem(self.vector).unwrap_or(0));
            let length = self.vector.min(self.count.saturating_sub(index.saturating_mul(self.vector)));
            let vector = self.parse(page, index, length)?;
            let taken = left.min(length.saturating_sub(first));
            vector.append(first, taken, length, out)?;
            self.at = self.at.saturating_add(taken);
            left = left.saturating_sub(taken);
        }
        Ok(n)
    }

    /// Vectors are found by their offsets: those that are passed over are not looked at.
    fn skip(&mut self, _page: &[u8], n: usize) -> Result<()> {
        self.check(n)?;
        self.at = self.at.saturating_add(n);
        Ok(())
    }
}

impl Vector<'_> {
    /// Appends `n` of the vector's `length` values from `first` on.
    fn append<W: Word>(&self, first: usize, n: usize, length: usize, out: &mut Vec<W>) -> Result<()> {
        let filled = out.len();
        for done in (0..n).step_by(BLOCK) {
            let start = out.len();
            out.resize(start.saturating_add(BLOCK.min(n.saturating_sub(done))), W::default());
            let block = out.get_mut(start..).unwrap_or_default();
            let bit = first.saturating_add(done).saturating_mul(self.width);
            W::unpack(self.packed, bit, self.width, block);
            W::decode_all(block, self.reference, W::scale((self.exponent, self.factor)));
        }
        let new = out.get_mut(filled..).unwrap_or_default();
        for (position, exception) in self.positions.as_chunks().0.iter().zip(W::words(self.exceptions)) {
            let position = usize::from(u16::from_le_bytes(*position));
            if position >= length {
                return Err(Error::malformed(format!("an ALP exception at position {position} of {length} values")));
            }
            if let Some(value) = position.checked_sub(first).and_then(|position| new.get_mut(position)) {
                *value = exception;
            }
        }
        Ok(())
    }
}

#[cold]
fn ended() -> Error {
    Error::malformed("the ALP page ends too early")
}

#[cold]
fn misplaced() -> Error {
    Error::malformed("the offsets of the ALP vectors do not lie one after another in the page")
}

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

impl<W: Word> Encoder for AlpEncoder<W> {
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

/// An exponent and a factor.
type Scale = (usize, usize);

/// The scales that do best in vectors from all over the page, most often first.
fn candidates<W: Word>(values: &[W]) -> Vec<Scale> {
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
fn sample<W: Word>(values: &[W]) -> Vec<W> {
    values.iter().step_by(values.len().div_ceil(SAMPLED_VALUES).max(1)).copied().collect()
}

/// The scale with which these values take the fewest bits; the first one of several.
fn best<W: Word>(values: &[W], mut scales: impl Iterator<Item = Scale>) -> Scale {
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
fn cost<W: Word>(values: &[W], scale: W::Scale) -> usize {
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
struct VectorWriter<W> {
    integers: Vec<W>,
    wrong: Vec<u8>,
    positions: Vec<u16>,
}

impl<W: Word> VectorWriter<W> {
    fn new() -> Self {
        Self { integers: Vec::new(), wrong: Vec::new(), positions: Vec::new() }
    }

    fn write(&mut self, values: &[W], scale: Scale, out: &mut Vec<u8>) {
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
fn encode<W: Word>(values: &[W], scale: W::Scale, integers: &mut [W], wrong: &mut [u8]) {
    for ((value, integer), wrong) in values.iter().zip(integers).zip(wrong) {
        *integer = value.encode(scale);
        *wrong = u8::from(integer.decode(scale) != *value);
    }
}

/// Takes the smallest integer (signed) off all; returns it and the largest difference.
#[inline(always)]
fn take_smallest<W: Word>(integers: &mut [W]) -> (W, W) {
    let first = integers.first().copied().unwrap_or_default();
    let smallest = integers.iter().fold(first, |smallest, integer| smallest.smaller(*integer));
    let largest = integers.iter_mut().fold(W::default(), |largest, integer| {
        *integer = integer.subtract(smallest);
        largest.or(*integer)
    });
    (smallest, largest)
}

/// The bits of a floating-point number, FLOAT or DOUBLE.
pub(crate) trait Word: Copy + Default + PartialEq + Into<u64> + Send + 'static {
    /// Powers of ten.
    type Scale: Copy;
    const BYTES: usize;
    /// The largest exponent.
    const MOST: usize;
    fn container(values: &mut Values) -> Option<&mut Vec<Self>>;
    fn slice(values: ValuesSlice<'_>) -> Option<&[Self]>;
    /// Takes the smallest integer off the front of a vector.
    fn reference(bytes: &[u8]) -> Option<(u64, &[u8])>;
    /// Little-endian words.
    fn words(bytes: &[u8]) -> impl Iterator<Item = Self>;
    fn unpack(bytes: &[u8], bit: usize, width: usize, out: &mut [Self]);
    /// Makes packed integers into values.
    fn decode_all(values: &mut [Self], reference: u64, scale: Self::Scale);
    /// The powers for an exponent and a factor.
    fn scale(scale: Scale) -> Self::Scale;
    /// The integer that comes nearest to a value, if one does at all.
    fn encode(self, scale: Self::Scale) -> Self;
    /// The value of an integer.
    fn decode(self, scale: Self::Scale) -> Self;
    /// The signed integer.
    fn to_i64(self) -> i64;
    /// The smaller one of signed integers.
    fn smaller(self, other: Self) -> Self;
    fn add(self, other: Self) -> Self;
    fn subtract(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    /// Appends the word's bytes.
    fn put(self, out: &mut Vec<u8>);
}

/// 10^e, 10^-e, 10^f and 10^-f.
#[derive(Clone, Copy)]
pub(crate) struct Powers<F> {
    exponent: F,
    minus_exponent: F,
    factor: F,
    minus_factor: F,
}

impl Word for u32 {
    type Scale = Powers<f32>;
    const BYTES: usize = 4;
    const MOST: usize = 10;

    fn container(values: &mut Values) -> Option<&mut Vec<Self>> {
        match values {
            Values::Words32(words) => Some(words),
            _ => None,
        }
    }

    fn slice(values: ValuesSlice<'_>) -> Option<&[Self]> {
        match values {
            ValuesSlice::Words32(words) => Some(words),
            _ => None,
        }
    }

    fn reference(bytes: &[u8]) -> Option<(u64, &[u8])> {
        bytes.split_first_chunk().map(|(word, rest)| (u64::from(u32::from_le_bytes(*word)), rest))
    }

    fn words(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word))
    }

    fn unpack(bytes: &[u8], bit: usize, width: usize, out: &mut [Self]) {
        unpack32(bytes, bit, width, out);
    }

    fn decode_all(values: &mut [Self], reference: u64, scale: Self::Scale) {
        vectorized!(decode_all(values, reference as Self, scale));
    }

    fn scale((exponent, factor): Scale) -> Powers<f32> {
        let power = |powers: &[f32], of: usize| powers.get(of).copied().unwrap_or(f32::NAN);
        Powers {
            exponent: power(&TENS_32, exponent),
            minus_exponent: power(&TENTHS_32, exponent),
            factor: power(&TENS_32, factor),
            minus_factor: power(&TENTHS_32, factor),
        }
    }

    #[inline(always)]
    fn encode(self, scale: Powers<f32>) -> Self {
        /// Adding it pushes the fraction out; half as much again as the power of two serves negative numbers as well.
        const MAGIC: f32 = 12_582_912.0;
        let scaled = f32::from_bits(self) * scale.exponent * scale.minus_factor;
        let rounded = if scaled.abs() < 4_194_304.0 { (scaled + MAGIC) - MAGIC } else { scaled };
        (rounded as i32).cast_unsigned()
    }

    #[inline(always)]
    fn decode(self, scale: Powers<f32>) -> Self {
        (self.cast_signed() as f32 * scale.factor * scale.minus_exponent).to_bits()
    }

    #[inline(always)]
    fn to_i64(self) -> i64 {
        i64::from(self.cast_signed())
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        self.cast_signed().min(other.cast_signed()).cast_unsigned()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn subtract(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

impl Word for u64 {
    type Scale = Powers<f64>;
    const BYTES: usize = 8;
    const MOST: usize = 18;

    fn container(values: &mut Values) -> Option<&mut Vec<Self>> {
        match values {
            Values::Words64(words) => Some(words),
            _ => None,
        }
    }

    fn slice(values: ValuesSlice<'_>) -> Option<&[Self]> {
        match values {
            ValuesSlice::Words64(words) => Some(words),
            _ => None,
        }
    }

    fn reference(bytes: &[u8]) -> Option<(u64, &[u8])> {
        bytes.split_first_chunk().map(|(word, rest)| (u64::from_le_bytes(*word), rest))
    }

    fn words(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word))
    }

    fn unpack(bytes: &[u8], bit: usize, width: usize, out: &mut [Self]) {
        unpack64(bytes, bit, width, out);
    }

    fn decode_all(values: &mut [Self], reference: u64, scale: Self::Scale) {
        vectorized!(decode_all(values, reference as Self, scale));
    }

    fn scale((exponent, factor): Scale) -> Powers<f64> {
        let power = |powers: &[f64], of: usize| powers.get(of).copied().unwrap_or(f64::NAN);
        Powers {
            exponent: power(&TENS_64, exponent),
            minus_exponent: power(&TENTHS_64, exponent),
            factor: power(&TENS_64, factor),
            minus_factor: power(&TENTHS_64, factor),
        }
    }

    #[inline(always)]
    fn encode(self, scale: Powers<f64>) -> Self {
        /// Adding it pushes the fraction out; half as much again as the power of two serves negative numbers as well.
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let scaled = f64::from_bits(self) * scale.exponent * scale.minus_factor;
        let rounded = if scaled.abs() < 2_251_799_813_685_248.0 { (scaled + MAGIC) - MAGIC } else { scaled };
        (rounded as i64).cast_unsigned()
    }

    #[inline(always)]
    fn decode(self, scale: Powers<f64>) -> Self {
        (self.cast_signed() as f64 * scale.factor * scale.minus_exponent).to_bits()
    }

    #[inline(always)]
    fn to_i64(self) -> i64 {
        self.cast_signed()
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        self.cast_signed().min(other.cast_signed()).cast_unsigned()
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn subtract(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

#[inline(always)]
fn decode_all<W: Word>(values: &mut [W], reference: W, scale: W::Scale) {
    for value in values {
        *value = value.add(reference).decode(scale);
    }
}

/// Powers of ten as the specification wants them: the literals, correctly rounded, never computed.
const TENS_32: [f32; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
const TENTHS_32: [f32; 11] = [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10];
const TENS_64: [f64; 19] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];
const TENTHS_64: [f64; 19] =
    [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(values: &Values) -> Vec<u64> {
        match values {
            Values::Words32(words) => words.iter().map(|word| u64::from(*word)).collect(),
            Values::Words64(words) => words.clone(),
            _ => Vec::new(),
        }
    }

    fn written(values: &Values) -> Vec<u8> {
        let mut encoder: Box<dyn Encoder> = match values {
            Values::Words32(_) => Box::new(AlpEncoder::<u32>::default()),
            _ => Box::new(AlpEncoder::<u64>::default()),
        };
        let mut page = Vec::new();
        for _ in 0..2 {
            let cut = values.len() / 3;
            encoder.write(values.as_slice().slice(0..cut).unwrap()).unwrap();
            encoder.write(values.as_slice().slice(cut..values.len()).unwrap()).unwrap();
            page.clear();
            encoder.finish(&mut page);
        }
        page
    }

    fn reader(page: &[u8], narrow: bool) -> Result<(Box<dyn Decoder>, Values)> {
        Ok(match narrow {
            true => (Box::new(AlpReader::<u32>::new(page)?), Values::Words32(Vec::new())),
            false => (Box::new(AlpReader::<u64>::new(page)?), Values::Words64(Vec::new())),
        })
    }

    /// Decimals, with some numbers that are none.
    fn numbers() -> impl Strategy<Value = Vec<f64>> {
        let part = (-10_000_000i64..10_000_000, 1..100_000i64, 0..12i32, 0..1500usize, any::<u64>(), prop_oneof![Just(0u64), 1..40u64]);
        prop::collection::vec(part, 0..4).prop_map(|parts| {
            let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.1 + 0.2, 1e300, 5e-324, f64::from_bits(0xFFF8_0000_0000_1234)];
            let mut numbers = Vec::new();
            for (base, span, digits, n, mut state, odds) in parts {
                for _ in 0..n {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let integer = base + (state >> 20) as i64 % span;
                    let text = format!("{integer}e-{digits}");
                    let is_odd = odds > 0 && (state >> 33) % odds == 0;
                    numbers.push(if is_odd { odd[(state >> 40) as usize % odd.len()] } else { text.parse().unwrap() });
                }
            }
            numbers
        })
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(numbers in numbers(), narrow in any::<bool>(), steps in prop::collection::vec((any::<bool>(), 0..1500usize), 0..6)) {
            let values = match narrow {
                true => Values::Words32(numbers.iter().map(|number| (*number as f32).to_bits()).collect()),
                false => Values::Words64(numbers.iter().map(|number| number.to_bits()).collect()),
            };
            let page = written(&values);
            let (mut whole, mut out) = reader(&page, narrow).unwrap();
            whole.read(&page, values.len(), &mut out).unwrap();
            prop_assert_eq!(&out, &values);
            prop_assert!(whole.read(&page, 1, &mut out).is_err());
            prop_assert!(whole.skip(&page, 1).is_err());

            let values = plain(&values);
            let (mut pieces, mut out) = reader(&page, narrow).unwrap();
            let (mut at, mut expected) = (0, Vec::new());
            for (read, n) in steps {
                let n = n.min(values.len() - at);
                if read {
                    pieces.read(&page, n, &mut out).unwrap();
                    expected.extend_from_slice(&values[at..at + n]);
                } else {
                    pieces.skip(&page, n).unwrap();
                }
                at += n;
            }
            prop_assert_eq!(plain(&out), expected);
        }

        #[test]
        fn any_bytes_end(page in prop::collection::vec(prop_oneof![any::<u8>(), 0..12u8], 0..200), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5), narrow in any::<bool>(), n in 0..300usize) {
            let values = match narrow {
                true => Values::Words32((0..200).map(|i| (i as f32 / 10.0).to_bits()).collect()),
                false => Values::Words64((0..200).map(|i| (f64::from(i) / 10.0).to_bits()).collect()),
            };
            let mut changed = written(&values);
            for (index, byte) in changes {
                let at = index.index(changed.len());
                changed[at] = byte;
            }
            for page in [page, changed] {
                if let Ok((mut reading, mut out)) = reader(&page, narrow)
                    && reading.read(&page, n, &mut out).is_ok()
                {
                    prop_assert_eq!(out.len(), n);
                }
            }
        }
    }

    /// The specification's example: four values, one of them NaN, with e = 4 and f = 3.
    #[test]
    fn the_worked_example() {
        let values = [1500.0, f64::NAN, 2500.0, 333.5].map(f64::to_bits);
        let mut vector = Vec::new();
        VectorWriter::new().write(&values, (4, 3), &mut vector);
        let mut expected = vec![4, 3, 1, 0];
        expected.extend(3335u64.to_le_bytes());
        expected.push(15);
        pack(&[11665u64, 11665, 21665, 0], 15, &mut expected);
        expected.extend([1, 0]);
        expected.extend(f64::NAN.to_le_bytes());
        assert_eq!(vector, expected);
        assert_eq!(vector.len(), 31);

        let page = [&[0, 0, 3, 4, 0, 0, 0, 4, 0, 0, 0], &vector[..]].concat();
        let mut out = Values::Words64(Vec::new());
        AlpReader::<u64>::new(&page).unwrap().read(&page, 4, &mut out).unwrap();
        assert_eq!(out, Values::Words64(values.to_vec()));
    }

    #[test]
    fn decimals_are_short() {
        let values: Vec<u64> = (0..10_000u32).map(|i| (f64::from(i * 7 % 5000) / 100.0).to_bits()).collect();
        let page = written(&Values::Words64(values));
        assert!(page.len() < 10_000 * 13 / 8 + 10 * 17 + 300, "{} bytes", page.len());
    }

    #[test]
    fn broken_headers_are_refused() {
        let refused =
            |page: &[u8]| AlpReader::<u64>::new(page).and_then(|mut reader| reader.read(page, 1, &mut Values::Words64(Vec::new())));
        let fine = written(&Values::Words64(vec![1.5f64.to_bits()]));
        assert!(refused(&fine).is_ok());
        // Mode, integer encoding, vector size, count, offset, exponent, factor, exceptions, width.
        for (at, byte) in [(0, 1), (1, 1), (2, 2), (2, 16), (6, 0x80), (7, 3), (7, 200), (11, 19), (12, fine[11] + 1), (13, 2), (23, 65)] {
            let mut page = fine.clone();
            page[at] = byte;
            assert!(refused(&page).is_err(), "byte {at} = {byte}");
        }
        for length in 1..fine.len() {
            assert!(refused(&fine[..length]).is_err(), "{length} bytes");
        }
        assert!(AlpReader::<u32>::new(&[]).unwrap().read(&[], 0, &mut Values::Words32(Vec::new())).is_ok());
    }
}
