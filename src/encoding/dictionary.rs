//! `RLE_DICTIONARY` (and `PLAIN_DICTIONARY`, its old name): a byte with the bit width, then indices into the chunk's
//! dictionary page as an RLE hybrid. The dictionary page holds its entries in plain encoding.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use crate::encoding::bit_packed::{unpack_one, unpack32};
use crate::encoding::rle::{HybridReader, Piece};
use crate::encoding::{Decoder, Shape, decoder, too_few, wrong_container};
use crate::error::{Error, Result};
use crate::format::{Encoding, PhysicalType};
use crate::simd::vectorized;
use crate::values::{Bits, ByteArrays, FixedBytes, Values, extend_words};

/// How many indices are unpacked at a time.
const BLOCK: usize = 1024;
/// Where no more are wanted they are taken one by one: clearing room for a block would take longer.
const FEW: usize = 16;

/// The decoded entries of a dictionary page, which the pages of its column chunk refer to.
#[derive(Debug)]
pub struct Dictionary {
    values: Values,
    len: usize,
    #[cfg_attr(not(feature = "arrow"), allow(dead_code))]
    converted: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Dictionary {
    /// Decodes the `count` entries of a dictionary page's bytes (already decompressed).
    ///
    /// # Errors
    /// `Malformed` when there are fewer, `Unsupported` for encodings other than PLAIN and PLAIN_DICTIONARY.
    pub fn decode(encoding: Encoding, shape: Shape, page: &[u8], count: usize) -> Result<Self> {
        match encoding {
            Encoding::Plain | Encoding::PlainDictionary => {}
            other => return Err(Error::unsupported(format!("a dictionary page encoded as {other}"))),
        }
        let mut values = Values::new(shape.physical_type, shape.width);
        let found = decoder(Encoding::Plain, shape, page, None)?.read(page, count, &mut values)?;
        if found < count {
            return Err(Error::limit("a dictionary page of more than 2 GiB"));
        }
        Ok(Self::new(values))
    }

    /// A dictionary of these entries, the first of which has the index 0.
    pub fn new(values: Values) -> Self {
        Self { len: values.len(), values, converted: OnceLock::new() }
    }

    /// The entries.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The dictionary with what somebody made of its entries in their place, so that they are in memory once; only for pages of which
    /// nothing but the indices is read.
    #[cfg(feature = "arrow")]
    pub(crate) fn converted_by(self, convert: &Convert) -> Option<Self> {
        let shape = match &self.values {
            Values::Fixed(fixed) => Values::Fixed(FixedBytes::new(fixed.width())),
            _ => Values::Bytes(ByteArrays::new()),
        };
        let converted = convert(self.values)?;
        Some(Self { values: shape, len: self.len, converted: OnceLock::from(converted) })
    }

    /// A place for what somebody further down makes of the entries, once for all pages.
    #[cfg(feature = "arrow")]
    pub(crate) fn converted(&self) -> &OnceLock<Arc<dyn Any + Send + Sync>> {
        &self.converted
    }
}

/// Makes something of a dictionary's entries, if it can.
#[cfg(feature = "arrow")]
pub(crate) type Convert = dyn Fn(Values) -> Option<Arc<dyn Any + Send + Sync>> + Send + Sync;

/// Reads indices and looks them up.
///
/// A container of the dictionary's own shape gets values. [`Values::Words32`] for a dictionary of another shape gets the
/// indices themselves, all of them inside the dictionary: that is how strings stay dictionary-encoded up to Arrow.
pub(crate) struct DictionaryDecoder {
    runs: HybridReader,
    /// None where the chunk has none, which is well as long as all values are null.
    dictionary: Option<Arc<Dictionary>>,
}

impl DictionaryDecoder {
    pub(crate) fn new(page: &[u8], dictionary: Option<&Arc<Dictionary>>) -> Result<Self> {
        // A page whose values are all null may have no bytes at all.
        let width = page.first().copied().unwrap_or(0);
        Ok(Self { runs: HybridReader::new(1, usize::from(width))?, dictionary: dictionary.cloned() })
    }
}

impl Decoder for DictionaryDecoder {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let Self { runs, dictionary } = self;
        let dictionary = match dictionary {
            Some(dictionary) => dictionary,
            None if n == 0 => return Ok(0),
            None => return Err(Error::malformed("a dictionary-encoded page without a dictionary page before it")),
        };
        match (&dictionary.values, out) {
            (Values::Words32(entries), Values::Words32(out)) => look_up_words(runs, page, n, entries, out),
            (Values::Words64(entries), Values::Words64(out)) => look_up_words(runs, page, n, entries, out),
            (_, Values::Words32(out)) => indices(runs, page, n, dictionary.len(), out),
            (Values::Bytes(entries), Values::Bytes(out)) => return look_up_bytes(runs, page, n, entries, out),
            (Values::Fixed(entries), Values::Fixed(out)) if entries.width() == out.width() => look_up_fixed(runs, page, n, entries, out),
            (Values::Bits(entries), Values::Bits(out)) => look_up_bits(runs, page, n, entries, out),
            _ => return Err(wrong_container()),
        }?;
        Ok(n)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        self.runs.skip(page, n)
    }

    fn indices(&mut self) -> Option<Indices<'_>> {
        let Self { runs, dictionary } = self;
        dictionary.as_deref().map(|dictionary| Indices { runs, dictionary })
    }
}

/// The indices of a page, a few at a time: what moves them to their slots before they are looked up asks for them, which is within this crate.
pub struct Indices<'a> {
    runs: &'a mut HybridReader,
    dictionary: &'a Dictionary,
}

impl<'a> Indices<'a> {
    /// What they are indices into.
    pub(crate) fn dictionary(&self) -> &'a Dictionary {
        self.dictionary
    }

    /// Puts the next indices, which are checked, at the beginning of `out`; returns how many, which is less than `out` holds where a run ends, and 0 only
    /// where the page does (or `out` is empty).
    pub(crate) fn next(&mut self, page: &[u8], out: &mut [u32]) -> Result<usize> {
        let Some(piece) = self.runs.next(page, out.len())? else { return Ok(0) };
        let out = out.get_mut(..piece.count()).unwrap_or_default();
        match piece {
            Piece::Repeated { value, .. } => {
                check(value, self.dictionary.len())?;
                out.fill(value);
            }
            Piece::Packed { bytes, start, .. } => unpack_checked(bytes, start, self.runs.width(), self.dictionary.len(), out)?,
        }
        Ok(out.len())
    }
}

/// The error for an index that is not below `size`, the number of entries.
#[cold]
fn outside(index: u32, size: usize) -> Error {
    Error::malformed(format!("dictionary index {index} in a dictionary of {size} entries"))
}

#[inline]
fn check(index: u32, size: usize) -> Result<usize> {
    let wide = index as usize;
    if wide < size { Ok(wide) } else { Err(outside(index, size)) }
}

/// Unpacks a block of indices and checks them with one maximum over all.
#[inline]
fn unpack_checked(bytes: &[u8], start: usize, width: usize, size: usize, out: &mut [u32]) -> Result<()> {
    unpack32(bytes, start, width, out);
    if width < 32 && 1 << width <= size {
        return Ok(());
    }
    let highest = vectorized!(maximum(out));
    check(highest, size).map(drop)
}

#[inline(always)]
fn maximum(indices: &[u32]) -> u32 {
    indices.iter().fold(0, |highest, index| highest.max(*index))
}

/// The bit where index `first` of a packed piece begins.
fn bit_of(start: usize, first: usize, runs: &HybridReader) -> usize {
    start.saturating_add(first.saturating_mul(runs.width()))
}

/// Walks the next `n` indices in blocks of at most [`BLOCK`]: `repeated` gets runs, `block` gets unpacked indices, both checked.
fn walk(
    runs: &mut HybridReader,
    page: &[u8],
    n: usize,
    size: usize,
    mut repeated: impl FnMut(usize, usize),
    mut block: impl FnMut(&[u32]),
) -> Result<()> {
    let mut unpacked = [0; BLOCK];
    let mut left = n;
    while left > 0 {
        let piece = runs.next(page, left)?.ok_or_else(|| too_few(n, n.saturating_sub(left)))?;
        left = left.saturating_sub(piece.count());
        match piece {
            Piece::Repeated { value, count } => repeated(check(value, size)?, count),
            Piece::Packed { bytes, start, count } => {
                for first in (0..count).step_by(BLOCK) {
                    let block_of = unpacked.get_mut(..BLOCK.min(count.saturating_sub(first))).unwrap_or_default();
                    unpack_checked(bytes, bit_of(start, first, runs), runs.width(), size, block_of)?;
                    block(block_of);
                }
            }
        }
    }
    Ok(())
}

/// Walks the next `n` indices in blocks, checked, and hands them out one by one.
fn walk_each(runs: &mut HybridReader, page: &[u8], n: usize, size: usize, found: impl FnMut(usize)) -> Result<()> {
    let found = std::cell::RefCell::new(found);
    walk(
        runs,
        page,
        n,
        size,
        |index, count| (0..count).for_each(|_| found.borrow_mut()(index)),
        |indices| indices.iter().for_each(|index| found.borrow_mut()(*index as usize)),
    )
}

/// Walks the next few indices, checked, one by one.
fn walk_few(runs: &mut HybridReader, page: &[u8], n: usize, size: usize, mut found: impl FnMut(usize)) -> Result<()> {
    let mut left = n;
    while left > 0 {
        let piece = runs.next(page, left)?.ok_or_else(|| too_few(n, n.saturating_sub(left)))?;
        left = left.saturating_sub(piece.count());
        match piece {
            Piece::Repeated { value, count } => {
                let index = check(value, size)?;
                (0..count).for_each(|_| found(index));
            }
            Piece::Packed { bytes, start, count } => {
                for at in 0..count {
                    found(check(unpack_one(bytes, bit_of(start, at, runs), runs.width()), size)?);
                }
            }
        }
    }
    Ok(())
}

/// So many values are reserved before it is seen that a page has them.
pub(crate) const RESERVED_MOST: usize = 1 << 20;

/// Appends the entries that the next `n` indices name.
fn look_up_words<T: Copy>(runs: &mut HybridReader, page: &[u8], n: usize, entries: &[T], out: &mut Vec<T>) -> Result<()> {
    if n <= FEW {
        return walk_few(runs, page, n, entries.len(), |index| out.extend(entries.get(index)));
    }
    out.reserve(n.min(RESERVED_MOST));
    let out = std::cell::RefCell::new(out);
    walk(
        runs,
        page,
        n,
        entries.len(),
        |index, count| {
            if let Some(entry) = entries.get(index) {
                append_run(&mut out.borrow_mut(), *entry, count);
            }
        },
        |indices| {
            let Some(last) = entries.len().checked_sub(1) else { return };
            // All were checked: the minimum only lets the compiler see that none reaches the length. Gathering with AVX-512 took 1 to 4 % longer, writing to
            // memory that was cleared before a third.
            #[allow(clippy::indexing_slicing, reason = "no index is above the last")]
            out.borrow_mut().extend(indices.iter().map(|index| entries[(*index as usize).min(last)]));
        },
    )
}

/// The next indices, where they are in short runs of few bits, checked, in place of what `out` held; returns how many. Of flags that depend on a date, in
/// runs of some twenty, 6 million took 14.5 ms one run after the other.
fn short_runs(runs: &mut HybridReader, page: &[u8], most: usize, size: usize, out: &mut Vec<u8>) -> Result<usize> {
    out.clear();
    let read = runs.read_short_values(page, most, out)?;
    if read > 0 && 1 << runs.width() > size {
        let highest = out.iter().copied().max().unwrap_or_default();
        check(u32::from(highest), size)?;
    }
    Ok(read)
}

/// Appends a value `count` times, in blocks, the last of which is cut: a run of 100 ended with up to seven single words before, and with vectors of 64 bytes
/// with up to 63.
#[inline(always)]
fn append_run<T: Copy>(out: &mut Vec<T>, value: T, count: usize) {
    let end = out.len().saturating_add(count);
    if out.capacity().saturating_sub(out.len()) < count.saturating_add(RUN_BLOCK) {
        return out.resize(end, value);
    }
    for _ in 0..count.div_ceil(RUN_BLOCK) {
        out.extend_from_slice(&[value; RUN_BLOCK]);
    }
    out.truncate(end);
}

/// How many equal values are written at a time.
const RUN_BLOCK: usize = 16;

/// Appends the next `n` indices themselves.
fn indices(runs: &mut HybridReader, page: &[u8], n: usize, size: usize, out: &mut Vec<u32>) -> Result<()> {
    if n <= FEW {
        return walk_few(runs, page, n, size, |index| out.push(index as u32));
    }
    out.reserve(n.min(RESERVED_MOST));
    let mut short = Vec::new();
    let mut left = n;
    while left > 0 {
        left = left.saturating_sub(short_runs(runs, page, left, size, &mut short)?);
        out.extend(short.iter().map(|index| u32::from(*index)));
        let Some(piece) = runs.next(page, left)? else {
            if left == 0 {
                break;
            }
            return Err(too_few(n, n.saturating_sub(left)));
        };
        left = left.saturating_sub(piece.count());
        match piece {
            Piece::Repeated { value, count } => {
                check(value, size)?;
                append_run(out, value, count);
            }
            Piece::Packed { bytes, start, count } => {
                let mut first = start;
                extend_words(out, count, 8 * BLOCK, |new| {
                    new.chunks_mut(BLOCK).try_for_each(|block| {
                        unpack_checked(bytes, first, runs.width(), size, block)?;
                        first = bit_of(first, block.len(), runs);
                        Ok(())
                    })
                })?;
            }
        }
    }
    Ok(())
}

/// Appends byte arrays until `n` are done or one does not fit; returns how many.
fn look_up_bytes(runs: &mut HybridReader, page: &[u8], n: usize, entries: &ByteArrays, out: &mut ByteArrays) -> Result<usize> {
    let mut done = 0;
    while done < n {
        let before = runs.clone();
        let piece = runs.next(page, n.saturating_sub(done).min(BLOCK))?.ok_or_else(|| too_few(n, done))?;
        let mut block = [0; BLOCK];
        let block = block.get_mut(..piece.count()).unwrap_or_default();
        match piece {
            Piece::Repeated { value, .. } => {
                check(value, entries.len())?;
                block.fill(value);
            }
            Piece::Packed { bytes, start, .. } => unpack_checked(bytes, start, runs.width(), entries.len(), block)?,
        }
        for (position, index) in block.iter().enumerate() {
            let entry = entries.get(*index as usize).unwrap_or_default();
            if entry.len() > out.room() {
                *runs = before;
                runs.skip(page, position)?;
                return Ok(done.saturating_add(position));
            }
            out.data_mut().extend_from_slice(entry);
            out.end_value();
        }
        done = done.saturating_add(block.len());
    }
    Ok(n)
}

fn look_up_fixed(runs: &mut HybridReader, page: &[u8], n: usize, entries: &FixedBytes, out: &mut FixedBytes) -> Result<()> {
    // Of a length that the compiler knows, a copy is no call.
    match entries.width() {
        2 => look_up_chunks::<2>(runs, page, n, entries, out),
        4 => look_up_chunks::<4>(runs, page, n, entries, out),
        7 => look_up_chunks::<7>(runs, page, n, entries, out),
        8 => look_up_chunks::<8>(runs, page, n, entries, out),
        12 => look_up_chunks::<12>(runs, page, n, entries, out),
        16 => look_up_chunks::<16>(runs, page, n, entries, out),
        _ => look_up_slices(runs, page, n, entries, out),
    }
}

fn look_up_chunks<const WIDTH: usize>(
    runs: &mut HybridReader,
    page: &[u8],
    n: usize,
    entries: &FixedBytes,
    out: &mut FixedBytes,
) -> Result<()> {
    let (chunks, Some(out)) = (entries.data().as_chunks::<WIDTH>().0, out.data_mut()) else { return Err(wrong_container()) };
    out.reserve(n.min(RESERVED_MOST).saturating_mul(WIDTH));
    let append = |index: usize| out.extend_from_slice(chunks.get(index).unwrap_or(&[0; WIDTH]));
    walk_each(runs, page, n, entries.len(), append)
}

fn look_up_slices(runs: &mut HybridReader, page: &[u8], n: usize, entries: &FixedBytes, out: &mut FixedBytes) -> Result<()> {
    let Some(out) = out.data_mut() else {
        runs.skip(page, n)?;
        out.extend_zeros(n);
        return Ok(());
    };
    let append = |index: usize| out.extend_from_slice(entries.get(index).unwrap_or_default());
    walk_each(runs, page, n, entries.len(), append)
}

fn look_up_bits(runs: &mut HybridReader, page: &[u8], n: usize, entries: &Bits, out: &mut Bits) -> Result<()> {
    let out = std::cell::RefCell::new(out);
    let entry = |index: usize| entries.get(index).unwrap_or(false);
    walk(
        runs,
        page,
        n,
        entries.len(),
        |index, count| out.borrow_mut().extend_run(entry(index), count),
        |indices| indices.iter().for_each(|index| out.borrow_mut().push(entry(*index as usize))),
    )
}

/// Whether values of a type may be encoded by a dictionary at all.
pub(crate) fn has_dictionary(physical_type: PhysicalType) -> bool {
    !matches!(physical_type, PhysicalType::Boolean | PhysicalType::Unknown(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::rle::HybridWriter;
    use proptest::prelude::*;
    use std::ops::Range;

    fn page_of(indices: &[u32], width: usize) -> Vec<u8> {
        let mut page = vec![width as u8];
        let mut writer = HybridWriter::new(width);
        indices.iter().for_each(|index| writer.push(*index, &mut page));
        writer.finish(&mut page);
        page
    }

    fn dictionaries(size: usize) -> Vec<Values> {
        let fixed = |width: usize| {
            let mut fixed = FixedBytes::new(width);
            (0..size).for_each(|i| fixed.extend_from_bytes(&(0..width).map(|byte| (i + 3 * byte) as u8).collect::<Vec<_>>()));
            Values::Fixed(fixed)
        };
        let bytes: Vec<Vec<u8>> = (0..size).map(|i| vec![i as u8; i % 20]).collect();
        vec![
            Values::Words32((0..size as u32).map(|i| i * 3 + 1).collect()),
            Values::Words64((0..size as u64).map(|i| i << 40 | 7).collect()),
            fixed(5),
            fixed(7),
            fixed(16),
            Values::Bytes(bytes.iter().map(Vec::as_slice).collect()),
            Values::Bits((0..size).map(|i| i % 3 == 0).collect()),
        ]
    }

    /// What the containers hold, comparable.
    fn plain(values: &Values) -> Vec<Vec<u8>> {
        match values {
            Values::Words32(words) => words.iter().map(|word| word.to_le_bytes().to_vec()).collect(),
            Values::Words64(words) => words.iter().map(|word| word.to_le_bytes().to_vec()).collect(),
            Values::Bits(bits) => bits.iter().map(|bit| vec![u8::from(bit)]).collect(),
            Values::Bytes(arrays) => arrays.iter().map(<[u8]>::to_vec).collect(),
            Values::Fixed(fixed) => fixed.iter().map(<[u8]>::to_vec).collect(),
        }
    }

    proptest! {
        #[test]
        fn looks_up_like_the_naive_twin(
            size in prop_oneof![1..17usize, 1..300usize],
            runs in prop_oneof![
                prop::collection::vec((any::<u32>(), prop_oneof![Just(1usize), 1..2000usize]), 1..12),
                prop::collection::vec((any::<u32>(), prop_oneof![Just(1usize), 8..100usize]), 1..200),
            ],
            extra in 0..4usize, first in 0..100usize, skipped in 0..100usize,
        ) {
            let indices: Vec<u32> = runs.iter().flat_map(|(index, n)| std::iter::repeat_n(index % size as u32, *n)).collect();
            let width = (usize::BITS - (size - 1).leading_zeros()) as usize + extra;
            let page = page_of(&indices, width);
            let first = first.min(indices.len());
            let skipped = skipped.min(indices.len() - first);
            let kept: Vec<u32> = indices[..first].iter().chain(&indices[first + skipped..]).copied().collect();
            for values in dictionaries(size) {
                let entries = plain(&values);
                let dictionary = Arc::new(Dictionary::new(values.clone()));
                let mut out = match &values {
                    Values::Words32(_) => Values::Words32(Vec::new()),
                    Values::Words64(_) => Values::Words64(Vec::new()),
                    Values::Bits(_) => Values::Bits(Bits::new()),
                    Values::Bytes(_) => Values::Bytes(ByteArrays::new()),
                    Values::Fixed(fixed) => Values::Fixed(FixedBytes::new(fixed.width())),
                };
                let read = |out: &mut Values| {
                    let mut decoder = DictionaryDecoder::new(&page, Some(&dictionary)).unwrap();
                    assert_eq!(decoder.read(&page, first, out).unwrap(), first);
                    decoder.skip(&page, skipped).unwrap();
                    let rest = indices.len() - first - skipped;
                    assert_eq!(decoder.read(&page, rest, out).unwrap(), rest);
                };
                read(&mut out);
                let expected: Vec<Vec<u8>> = kept.iter().map(|index| entries[*index as usize].clone()).collect();
                prop_assert_eq!(plain(&out), expected);
                if !matches!(values, Values::Words32(_)) {
                    let mut out = Values::Words32(Vec::new());
                    read(&mut out);
                    prop_assert_eq!(out, Values::Words32(kept.clone()));
                }
            }
        }

        #[test]
        fn picks_what_reading_everything_would_give(
            size in 1..3000usize, packed in prop::collection::vec((any::<u32>(), prop_oneof![4 => Just(1usize), 1 => 1..200usize]), 1..200),
            steps in prop::collection::vec((0..40u64, prop_oneof![3 => 1..4u64, 1 => 1..60u64]), 0..60), first in 0..1_000_000u64,
        ) {
            let indices: Vec<u32> = packed.iter().flat_map(|(index, n)| std::iter::repeat_n(index % size as u32, *n)).collect();
            let page = page_of(&indices, (usize::BITS - (size - 1).leading_zeros()) as usize);
            let mut at = first;
            let ranges = steps.iter().map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                start..at
            });
            let ranges: Vec<Range<u64>> = ranges.take_while(|range| range.end <= first + indices.len() as u64).collect();
            let expected: Vec<u32> = ranges.iter().cloned().flatten().map(|row| indices[(row - first) as usize]).collect();
            for values in dictionaries(size) {
                let dictionary = Arc::new(Dictionary::new(values.clone()));
                let mut decoder = DictionaryDecoder::new(&page, Some(&dictionary)).unwrap();
                let Values::Words32(entries) = &values else {
                    let mut out = Values::Words32(Vec::new());
                    decoder.pick(&page, first, &ranges, &mut out).unwrap();
                    prop_assert_eq!(out, Values::Words32(expected.clone()));
                    continue;
                };
                let mut out = Values::Words32(Vec::new());
                decoder.pick(&page, first, &ranges, &mut out).unwrap();
                prop_assert_eq!(out, Values::Words32(expected.iter().map(|index| entries[*index as usize]).collect()));
            }
            let words: Vec<u64> = (0..size as u64).map(|i| i << 40 | 7).collect();
            let dictionary = Arc::new(Dictionary::new(Values::Words64(words.clone())));
            let mut out = Values::Words64(Vec::new());
            DictionaryDecoder::new(&page, Some(&dictionary)).unwrap().pick(&page, first, &ranges, &mut out).unwrap();
            prop_assert_eq!(out, Values::Words64(expected.iter().map(|index| words[*index as usize]).collect()));
        }

        #[test]
        fn an_index_outside_is_an_error(size in 1..40usize, index in 0..64u32, before in 0..30usize) {
            let indices: Vec<u32> = std::iter::repeat_n(0, before).chain([index]).collect();
            let page = page_of(&indices, 6);
            for values in dictionaries(size) {
                let mut out = match &values {
                    Values::Bytes(_) => Values::Bytes(ByteArrays::new()),
                    _ => Values::Words32(Vec::new()),
                };
                let dictionary = Arc::new(Dictionary::new(values));
                let read = DictionaryDecoder::new(&page, Some(&dictionary)).unwrap().read(&page, indices.len(), &mut out);
                prop_assert_eq!(read.is_ok(), (index as usize) < size);
            }
        }
    }

    #[test]
    fn an_index_outside_is_found_in_short_runs() {
        for (width, size) in [(2, 3), (3, 5), (4, 10)] {
            for (values, outside) in [(200, 150), (9000, 8300), (9000, 40)] {
                for repeated in [1, 20] {
                    let index = |at: usize, wrong: usize| match (outside..outside + repeated).contains(&at) {
                        true => wrong as u32,
                        // Runs of 20 equal ones and of 40 different ones in turn.
                        false => (if at % 60 < 20 { at / 60 } else { at }) as u32 % size as u32,
                    };
                    let dictionary = Arc::new(Dictionary::new(Values::Bytes((0..size).map(|_| &b"x"[..]).collect())));
                    for (wrong, is_right) in [(size - 1, true), (size, false)] {
                        let indices: Vec<u32> = (0..values).map(|at| index(at, wrong)).collect();
                        let page = page_of(&indices, width);
                        let mut out = Values::Words32(Vec::new());
                        let read = DictionaryDecoder::new(&page, Some(&dictionary)).unwrap().read(&page, values, &mut out);
                        assert_eq!(read.is_ok(), is_right, "width {width}, {values} values, {repeated} at {outside}");
                        if is_right {
                            assert_eq!(out, Values::Words32(indices));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn byte_arrays_stop_and_go_on() {
        let entries: Vec<&[u8]> = vec![b"aa", b"bbbbb", b"c"];
        let dictionary = Arc::new(Dictionary::new(Values::Bytes(entries.iter().copied().collect())));
        let indices: Vec<u32> = (0..50).map(|i| i % 3).chain([1; 40]).collect();
        let page = page_of(&indices, 2);
        let mut decoder = DictionaryDecoder::new(&page, Some(&dictionary)).unwrap();
        let mut read = Vec::new();
        while read.len() < indices.len() {
            let mut out = Values::Bytes(ByteArrays::with_limit(17));
            assert!(decoder.read(&page, indices.len() - read.len(), &mut out).unwrap() > 0);
            read.extend(plain(&out));
        }
        assert!(read.iter().eq(indices.iter().map(|index| entries[*index as usize])));
    }
}
