//! Building a dictionary: values become indices of their first appearance.
//!
//! Integers that lie close together are looked up directly, by their distance from the lowest one; others are hashed. The
//! order of the entries is that of the values, whatever the hashes are.

#![allow(clippy::arithmetic_side_effects, reason = "it writes: what is counted are values and bytes that are in memory")]

use crate::encoding::dictionary::has_dictionary;
use crate::encoding::hash::{Hasher, Head, NONE, Table};
use crate::encoding::plain::{write_bytes, write_fixed};
use crate::encoding::rle::HybridWriter;
use crate::encoding::word::Word;
use crate::encoding::{Shape, wrong_values};
use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::{BytesSlice, Values, ValuesSlice};

/// Direct look-up is for integers whose highest and lowest lie closer than this: half a megabyte, which the
/// second-level cache holds.
const NARROW: u64 = 1 << 17;

/// Collects the distinct values of a column chunk and gives each value its index among them.
///
/// ```
/// use herringbone::encoding::{DictionaryBuilder, Shape, write_indices};
/// use herringbone::format::PhysicalType;
/// use herringbone::values::ValuesSlice;
///
/// let shape = Shape { physical_type: PhysicalType::Int32, width: 0 };
/// let mut builder = DictionaryBuilder::new(shape, 1000, 1 << 20)?;
/// let mut indices = Vec::new();
/// assert_eq!(builder.intern(ValuesSlice::Words32(&[7, 9, 7]), &mut indices)?, 3);
/// assert_eq!(indices, [0, 1, 0]);
/// let (mut dictionary_page, mut page) = (Vec::new(), Vec::new());
/// builder.write_page(&mut dictionary_page);
/// write_indices(&indices, &mut page);
/// assert_eq!(dictionary_page.len(), 8);
/// # Ok::<(), herringbone::Error>(())
/// ```
pub struct DictionaryBuilder {
    entries: Values,
    /// The size of the dictionary page.
    bytes: usize,
    most_entries: usize,
    most_bytes: usize,
    hasher: Hasher,
    index: Index,
}

/// How entries are found.
enum Index {
    /// Integers by their distance from `lowest`.
    Narrow { lowest: i64, map: Vec<u32> },
    /// Integers by themselves.
    Words(Table<u64>),
    /// Byte arrays by a part of their hash and the heads of the entries.
    Bytes { table: Table<u32>, heads: Vec<Head> },
}

impl DictionaryBuilder {
    /// A builder of at most `most_entries` entries whose page takes at most `most_bytes` bytes.
    ///
    /// # Errors
    /// `Usage` for BOOLEAN and unknown types, which have no dictionaries.
    pub fn new(shape: Shape, most_entries: usize, most_bytes: usize) -> Result<Self> {
        if !has_dictionary(shape.physical_type) {
            return Err(Error::usage(format!("{} values cannot have a dictionary", shape.physical_type)));
        }
        let entries = Values::new(shape.physical_type, shape.width);
        let index = match entries {
            Values::Words32(_) | Values::Words64(_) => Index::Narrow { lowest: 0, map: Vec::new() },
            Values::Bits(_) | Values::Bytes(_) | Values::Fixed(_) => Index::Bytes { table: Table::new(), heads: Vec::new() },
        };
        let (most_entries, most_bytes) = (most_entries.min(i32::MAX as usize), most_bytes.min(i32::MAX as usize));
        Ok(Self { entries, bytes: 0, most_entries, most_bytes, hasher: Hasher::new(), index })
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size of the dictionary page in bytes.
    pub fn page_size(&self) -> usize {
        self.bytes
    }

    /// The entries, each once, in the order of their first appearance.
    pub fn entries(&self) -> &Values {
        &self.entries
    }

    /// Appends the index of each value to `indices` and returns how many it appended: all, unless the dictionary is full
    /// and the next value is not in it.
    ///
    /// # Errors
    /// `Usage` when the values have another shape than the column.
    pub fn intern(&mut self, values: ValuesSlice<'_>, indices: &mut Vec<u32>) -> Result<usize> {
        let filled = indices.len();
        indices.resize(filled + values.len(), 0);
        let out = indices.get_mut(filled..).unwrap_or_default();
        let done = match (values, &self.entries) {
            (ValuesSlice::Words32(words), Values::Words32(_)) => self.words(words, out),
            (ValuesSlice::Words64(words), Values::Words64(_)) => self.words(words, out),
            (ValuesSlice::Bytes(arrays), Values::Bytes(_)) => {
                let places = arrays.offsets().windows(2).map(|pair| match pair {
                    [start, end] => (*start as usize, (end - start) as usize),
                    _ => (0, 0),
                });
                self.slices(arrays.data(), places, out)
            }
            (ValuesSlice::Fixed(fixed), Values::Fixed(own)) if fixed.width() == own.width() => {
                let width = fixed.width();
                self.slices(fixed.data(), (0..fixed.len()).map(|i| (i * width, width)), out)
            }
            _ => {
                indices.truncate(filled);
                return Err(wrong_values());
            }
        };
        indices.truncate(filled + done);
        Ok(done)
    }

    /// Appends the dictionary page's bytes, in plain encoding.
    pub fn write_page(&self, out: &mut Vec<u8>) {
        match &self.entries {
            Values::Bytes(arrays) => write_bytes(BytesSlice::from(arrays), out),
            // The width is that of the entries themselves, so this cannot fail.
            Values::Words32(_) => drop(write_fixed(self.entries.as_slice(), 4, out)),
            Values::Words64(_) => drop(write_fixed(self.entries.as_slice(), 8, out)),
            Values::Fixed(fixed) => out.extend_from_slice(fixed.data()),
            Values::Bits(_) => {}
        }
    }

    /// Takes the index for one more entry of `size` bytes, unless the dictionary is full.
    fn claim(&mut self, size: usize) -> Option<u32> {
        let index = self.entries.len();
        if index >= self.most_entries || size > self.most_bytes - self.bytes {
            return None;
        }
        self.bytes += size;
        Some(index as u32)
    }

    /// Interns words and returns how many; each turn of the loop ends with a new entry or the end.
    fn words<W: Word>(&mut self, words: &[W], out: &mut [u32]) -> usize {
        let mut done = 0;
        loop {
            let (rest, out) = (words.get(done..).unwrap_or_default(), out.get_mut(done..).unwrap_or_default());
            done += match &self.index {
                Index::Narrow { lowest, map } => known(rest, out, |word| direct(*lowest, map, word.to_i64())),
                Index::Words(table) => known(rest, out, |word| find_word(table, &self.hasher, word.into())),
                Index::Bytes { .. } => return 0,
            };
            let Some(word) = words.get(done) else { return done };
            if !self.add_word(*word) {
                return done;
            }
        }
    }

    /// Adds a word that is not there yet, if it fits.
    fn add_word<W: Word>(&mut self, word: W) -> bool {
        let Some(index) = self.claim(size_of::<W>()) else { return false };
        let Some(entries) = W::container(&mut self.entries) else { return false };
        entries.push(word);
        if let Index::Narrow { lowest, map } = &mut self.index
            && !cover(lowest, map, entries, word.to_i64())
        {
            let mut table = Table::new();
            for (index, entry) in entries.iter().enumerate() {
                let key = (*entry).into();
                table.insert(self.hasher.word(key), key, index as u32, |key, _| self.hasher.word(key));
            }
            self.index = Index::Words(table);
            return true;
        }
        match &mut self.index {
            Index::Narrow { lowest, map } => {
                if let Some(place) = distance(*lowest, word.to_i64()).and_then(|place| map.get_mut(place)) {
                    *place = index;
                }
            }
            Index::Words(table) => {
                let key = word.into();
                table.insert(self.hasher.word(key), key, index, |key, _| self.hasher.word(key));
            }
            Index::Bytes { .. } => {}
        }
        true
    }

    /// Interns the byte arrays at these places (start and length) in `data` and returns how many.
    fn slices(&mut self, data: &[u8], places: impl Iterator<Item = (usize, usize)>, out: &mut [u32]) -> usize {
        let mut done = 0;
        for ((start, length), out) in places.zip(out) {
            let head = Head::new(data, start, length);
            let slice = data.get(start..start + length).unwrap_or_default();
            let hash = self.hasher.bytes(&head, slice);
            let Index::Bytes { table, heads } = &self.index else { return done };
            let found = table.find(hash, |tag, index| {
                // The place in the table comes from the upper bits of the hash.
                tag == hash as u32 && heads.get(index as usize) == Some(&head) && (head.is_whole() || self.entry(index) == slice)
            });
            match found.or_else(|| self.add_slice(hash, head, slice)) {
                Some(index) => *out = index,
                None => return done,
            }
            done += 1;
        }
        done
    }

    /// The entry of a byte array.
    fn entry(&self, index: u32) -> &[u8] {
        match &self.entries {
            Values::Bytes(entries) => entries.get(index as usize).unwrap_or_default(),
            Values::Fixed(entries) => entries.get(index as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Adds a byte array that is not there yet, if it fits, and returns its index.
    #[cold]
    fn add_slice(&mut self, hash: u64, head: Head, slice: &[u8]) -> Option<u32> {
        let prefix = if matches!(self.entries, Values::Bytes(_)) { 4 } else { 0 };
        let index = self.claim(slice.len() + prefix)?;
        match &mut self.entries {
            Values::Bytes(entries) => entries.push(slice).ok()?,
            Values::Fixed(entries) if entries.width() == 0 => entries.extend_zeros(1),
            Values::Fixed(entries) => entries.extend_from_bytes(slice),
            _ => return None,
        }
        let Index::Bytes { mut table, mut heads } = std::mem::replace(&mut self.index, Index::Narrow { lowest: 0, map: Vec::new() }) else {
            return None;
        };
        table.insert(hash, hash as u32, index, |_, index| {
            heads.get(index as usize).map_or(0, |head| self.hasher.bytes(head, self.entry(index)))
        });
        heads.push(head);
        self.index = Index::Bytes { table, heads };
        Some(index)
    }
}

impl std::fmt::Debug for DictionaryBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DictionaryBuilder").field("entries", &self.entries.len()).field("page_size", &self.bytes).finish_non_exhaustive()
    }
}

/// Appends the values part of a dictionary-encoded data page: the bit width of the highest index, then the indices.
pub fn write_indices(indices: &[u32], out: &mut Vec<u8>) {
    let highest = vectorized!(highest(indices));
    // Some readers expect a bit at least, though 0 is lawful.
    let width = (u32::BITS - highest.leading_zeros()).max(1);
    out.push(width as u8);
    let mut writer = HybridWriter::new(width as usize);
    writer.extend(indices, out);
    writer.finish(out);
}

#[inline(always)]
fn highest(indices: &[u32]) -> u32 {
    indices.iter().fold(0, |highest, index| highest.max(*index))
}

/// Looks words up until one is not found, and returns how many were.
#[inline(always)]
fn known<W: Word>(words: &[W], out: &mut [u32], find: impl Fn(W) -> u32) -> usize {
    for (done, (word, out)) in words.iter().zip(out).enumerate() {
        let index = find(*word);
        if index == NONE {
            return done;
        }
        *out = index;
    }
    words.len()
}

#[inline(always)]
fn direct(lowest: i64, map: &[u32], value: i64) -> u32 {
    distance(lowest, value).and_then(|place| map.get(place)).copied().unwrap_or(NONE)
}

#[inline(always)]
fn distance(lowest: i64, value: i64) -> Option<usize> {
    usize::try_from(value.wrapping_sub(lowest).cast_unsigned()).ok()
}

#[inline(always)]
fn find_word(table: &Table<u64>, hasher: &Hasher, key: u64) -> u32 {
    table.find(hasher.word(key), |other, _| other == key).unwrap_or(NONE)
}

/// Makes the map wide enough for `value`, the last of the entries; `false` when that would be too wide.
fn cover<W: Word>(lowest: &mut i64, map: &mut Vec<u32>, entries: &[W], value: i64) -> bool {
    if distance(*lowest, value).is_some_and(|place| place < map.len()) {
        return true;
    }
    let known = entries.iter().map(|entry| entry.to_i64());
    let (low, high) = known.fold((value, value), |(low, high), entry| (low.min(entry), high.max(entry)));
    let span = high.wrapping_sub(low) as u64;
    if span >= NARROW {
        return false;
    }
    let size = (span + 1).next_power_of_two().max(1 << 10);
    // The new half lies on the side where values are appearing.
    *lowest = if value == low { high.wrapping_sub(size as i64 - 1) } else { low };
    map.clear();
    map.resize(size as usize, NONE);
    for (index, entry) in entries.iter().enumerate() {
        if let Some(place) = distance(*lowest, entry.to_i64()).and_then(|place| map.get_mut(place)) {
            *place = index as u32;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::{Dictionary, decoder};
    use crate::format::{Encoding, PhysicalType};
    use crate::values::{ByteArrays, FixedBytes};
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::sync::Arc;

    fn plain(values: &Values) -> Vec<Vec<u8>> {
        match values {
            Values::Words32(words) => words.iter().map(|word| word.to_le_bytes().to_vec()).collect(),
            Values::Words64(words) => words.iter().map(|word| word.to_le_bytes().to_vec()).collect(),
            Values::Bits(bits) => bits.iter().map(|bit| vec![u8::from(bit)]).collect(),
            Values::Bytes(arrays) => arrays.iter().map(<[u8]>::to_vec).collect(),
            Values::Fixed(fixed) => fixed.iter().map(<[u8]>::to_vec).collect(),
        }
    }

    /// Numbers close together, farther apart, anywhere.
    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        let parts = (any::<u64>(), prop_oneof![Just(1u64), 2..50u64, 1000..3000u64, 1u64 << 16..1u64 << 40], 1..1500usize, any::<u64>());
        prop::collection::vec(parts, 0..4).prop_map(|parts| {
            let mut numbers = Vec::new();
            for (base, span, n, mut state) in parts {
                for _ in 0..n {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    numbers.push(base.wrapping_add((state >> 20) % span));
                }
            }
            numbers
        })
    }

    fn containers(numbers: &[u64]) -> Vec<(Shape, Values)> {
        let shape = |physical_type, width| Shape { physical_type, width };
        let text: Vec<Vec<u8>> = numbers.iter().map(|number| vec![*number as u8; (*number % 40) as usize]).collect();
        let mut fixed = FixedBytes::new(9);
        let mut none = FixedBytes::new(0);
        for number in numbers {
            fixed.extend_from_bytes(&[&[1], &number.to_le_bytes()[..]].concat());
            none.extend_zeros(1);
        }
        vec![
            (shape(PhysicalType::Int32, 0), Values::Words32(numbers.iter().map(|number| *number as u32).collect())),
            (shape(PhysicalType::Double, 0), Values::Words64(numbers.to_vec())),
            (shape(PhysicalType::ByteArray, 0), Values::Bytes(text.iter().map(Vec::as_slice).collect())),
            (shape(PhysicalType::FixedLenByteArray, 9), Values::Fixed(fixed)),
            (shape(PhysicalType::FixedLenByteArray, 0), Values::Fixed(none)),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_twin(numbers in numbers(), cut in 0..4000usize) {
            for (shape, values) in containers(&numbers) {
                let mut builder = DictionaryBuilder::new(shape, usize::MAX, usize::MAX).unwrap();
                let mut indices = Vec::new();
                let cut = cut.min(values.len());
                builder.intern(values.as_slice().slice(0..cut).unwrap(), &mut indices).unwrap();
                builder.intern(values.as_slice().slice(cut..values.len()).unwrap(), &mut indices).unwrap();

                let mut naive = HashMap::new();
                let expected: Vec<u32> = plain(&values).into_iter().map(|value| {
                    let next = naive.len() as u32;
                    *naive.entry(value).or_insert(next)
                }).collect();
                prop_assert_eq!(&indices, &expected);
                prop_assert_eq!(builder.len(), naive.len());

                let (mut entries, mut page) = (Vec::new(), Vec::new());
                builder.write_page(&mut entries);
                prop_assert_eq!(entries.len(), builder.page_size());
                write_indices(&indices, &mut page);
                let dictionary = Arc::new(Dictionary::decode(Encoding::Plain, shape, &entries, builder.len()).unwrap());
                prop_assert_eq!(dictionary.values(), builder.entries());
                let mut out = Values::new(shape.physical_type, shape.width);
                let mut decoder = decoder(Encoding::RleDictionary, shape, &page, Some(&dictionary)).unwrap();
                decoder.read(&page, values.len(), &mut out).unwrap();
                prop_assert_eq!(out, values);
            }
        }

        #[test]
        fn stops_when_it_is_full(numbers in numbers(), most_entries in 0..60usize, most_bytes in 0..900usize) {
            for (shape, values) in containers(&numbers) {
                let mut builder = DictionaryBuilder::new(shape, most_entries, most_bytes).unwrap();
                let mut indices = Vec::new();
                let done = builder.intern(values.as_slice(), &mut indices).unwrap();
                prop_assert_eq!(done, indices.len());
                prop_assert!(builder.len() <= most_entries && builder.page_size() <= most_bytes);
                let (all, entries) = (plain(&values), plain(builder.entries()));
                prop_assert!(indices.iter().zip(&all).all(|(index, value)| entries[*index as usize] == *value));
                if let Some(next) = all.get(done) {
                    let size = next.len() + if shape.physical_type == PhysicalType::ByteArray { 4 } else { 0 };
                    prop_assert!(!entries.contains(next));
                    prop_assert!(builder.len() == most_entries || builder.page_size() + size > most_bytes);
                    prop_assert_eq!(builder.intern(values.as_slice().slice(done..all.len()).unwrap(), &mut indices).unwrap(), 0);
                }
            }
        }
    }

    #[test]
    fn the_extremes_are_far_apart() {
        let shape = Shape { physical_type: PhysicalType::Int64, width: 0 };
        let mut builder = DictionaryBuilder::new(shape, 100, 1000).unwrap();
        let mut indices = Vec::new();
        let words = [0, i64::MAX, i64::MIN, -1, 1, i64::MIN, i64::MAX].map(i64::cast_unsigned);
        builder.intern(ValuesSlice::Words64(&words), &mut indices).unwrap();
        assert_eq!(indices, [0, 1, 2, 3, 4, 2, 1]);
    }

    #[test]
    fn other_shapes_are_refused() {
        let shape = Shape { physical_type: PhysicalType::Int64, width: 0 };
        let mut builder = DictionaryBuilder::new(shape, 100, 1000).unwrap();
        let mut indices = vec![5];
        assert!(builder.intern(ValuesSlice::Words32(&[1]), &mut indices).is_err());
        assert!(builder.intern(Values::Bytes(ByteArrays::new()).as_slice(), &mut indices).is_err());
        assert_eq!(indices, [5]);
        assert!(DictionaryBuilder::new(Shape { physical_type: PhysicalType::Boolean, width: 0 }, 1, 1).is_err());
    }
}
