//! `ALP` (`AlpEncoding.md`): floating-point numbers that are decimals, as integers.
//!
//! A page begins with a header of 7 bytes (mode 0, integer encoding 0, the logarithm of the vector size, the number of
//! values) and the offset of each vector. A vector has its exponent `e` and factor `f`, the number of its exceptions, the
//! smallest integer and the bit width; then the integers less the smallest, packed; then the positions and the values of
//! the exceptions. A value is `integer * 10^f * 10^-e`, multiplied in this order and in the type's own precision, and an
//! exception stands for itself, bit by bit.

mod scale;
mod writer;

pub(crate) use writer::AlpEncoder;

use std::marker::PhantomData;

use crate::encoding::alp::scale::Float;
use crate::encoding::{Decoder, too_few, wrong_container};
use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::Values;

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
struct Vector<'a, W> {
    exponent: usize,
    factor: usize,
    reference: W,
    width: usize,
    packed: &'a [u8],
    positions: &'a [u8],
    exceptions: &'a [u8],
}

impl<W: Float> AlpReader<W> {
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
    fn parse<'a>(&self, page: &'a [u8], index: usize, length: usize) -> Result<Vector<'a, W>> {
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
        let (reference, bytes) = W::take(bytes).ok_or_else(ended)?;
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

impl<W: Float> Decoder for AlpReader<W> {
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

impl<W: Float> Vector<'_, W> {
    /// Appends `n` of the vector's `length` values from `first` on.
    fn append(&self, first: usize, n: usize, length: usize, out: &mut Vec<W>) -> Result<()> {
        let filled = out.len();
        for done in (0..n).step_by(BLOCK) {
            let start = out.len();
            out.resize(start.saturating_add(BLOCK.min(n.saturating_sub(done))), W::default());
            let block = out.get_mut(start..).unwrap_or_default();
            let bit = first.saturating_add(done).saturating_mul(self.width);
            W::unpack(self.packed, bit, self.width, block);
            vectorized!(decode_all(block, self.reference, W::scale((self.exponent, self.factor))));
        }
        let new = out.get_mut(filled..).unwrap_or_default();
        let mut exceptions = self.exceptions;
        for position in self.positions.as_chunks().0 {
            let Some((exception, rest)) = W::take(exceptions) else { break };
            exceptions = rest;
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

#[inline(always)]
fn decode_all<W: Float>(values: &mut [W], reference: W, powers: W::Powers) {
    for value in values {
        *value = value.add(reference).decode(powers);
    }
}

#[cfg(test)]
mod tests {
    use super::writer::VectorWriter;
    use super::*;
    use crate::encoding::Encoder;
    use crate::encoding::bit_packed::pack;
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
