//! Hash tables for interning: from a key to the index of its entry. Keys of the hash function are random, so that nobody
//! can prepare values that collide.

#![allow(clippy::arithmetic_side_effects, reason = "it writes: what is counted are entries that are in memory")]
#![allow(clippy::indexing_slicing, reason = "it writes: places are masked by the table's size, a power of two, and the rest are constants")]
use std::hash::{BuildHasher, RandomState};

/// The index that stands for an empty place in a table.
pub(crate) const NONE: u32 = u32::MAX;

/// A keyed hash function: multiplications of 64 bits, both halves of whose results are used.
#[derive(Clone, Copy)]
pub(crate) struct Hasher {
    keys: [u64; 3],
}

impl Hasher {
    pub(crate) fn new() -> Self {
        let state = RandomState::new();
        Self { keys: [0, 1, 2].map(|i| state.hash_one(i) | 1) }
    }

    #[inline(always)]
    pub(crate) fn word(&self, word: u64) -> u64 {
        fold(word ^ self.keys[0], self.keys[1])
    }

    /// The hash of bytes whose first 32 are in `head`.
    #[inline(always)]
    pub(crate) fn bytes(&self, head: &Head, bytes: &[u8]) -> u64 {
        let [first, second, third] = self.keys;
        let [a, b, c, d] = head.words;
        let low = fold(a ^ first, b ^ second);
        let high = fold(c ^ second, d ^ third);
        let hash = fold(low ^ third, high ^ first ^ head.length as u64);
        if head.length <= Head::BYTES { hash } else { self.tail(hash, bytes) }
    }

    fn tail(&self, hash: u64, bytes: &[u8]) -> u64 {
        let (pieces, rest) = bytes.get(Head::BYTES..).unwrap_or_default().as_chunks::<16>();
        let mut last = [0; 16];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        pieces.iter().chain([&last]).fold(hash, |hash, piece| {
            let words = u128::from_le_bytes(*piece);
            fold(words as u64 ^ hash, (words >> 64) as u64 ^ self.keys[0])
        })
    }
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The length of a byte array and its first 32 bytes, with zeros behind them when it is shorter.
///
/// All byte arrays of up to 32 bytes are hashed and compared in the same steps: branches on their lengths would be
/// mispredicted again and again (twice as slow, measured with seven words of 3 to 17 bytes in turn at random).
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Head {
    words: [u64; 4],
    length: usize,
}

impl Head {
    const BYTES: usize = 32;
    const MASKS: [u8; 64] = {
        let mut masks = [0; 64];
        let mut i = 0;
        while i < 32 {
            masks[i] = 0xff;
            i += 1;
        }
        masks
    };

    /// The head of `length` bytes of `data` from `start` on.
    #[inline(always)]
    pub(crate) fn new(data: &[u8], start: usize, length: usize) -> Self {
        let bytes = data.get(start..).unwrap_or_default();
        let masks = Self::MASKS.get(32 - length.min(32)..).unwrap_or_default();
        let (bytes, masks) = match (bytes.first_chunk(), masks.first_chunk()) {
            (Some(bytes), Some(masks)) => (words(bytes), words(masks)),
            _ => (words(&padded(bytes)), words(masks.first_chunk().unwrap_or(&[0xff; 32]))),
        };
        Self { words: [0, 1, 2, 3].map(|i: usize| bytes[i] & masks[i]), length }
    }

    /// Whether these are all bytes.
    #[inline(always)]
    pub(crate) fn is_whole(&self) -> bool {
        self.length <= Self::BYTES
    }
}

#[inline(always)]
fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let (words, _) = bytes.as_chunks::<8>();
    [0, 1, 2, 3].map(|i: usize| words.get(i).map_or(0, |word| u64::from_le_bytes(*word)))
}

#[cold]
fn padded(bytes: &[u8]) -> [u8; 32] {
    let mut whole = [0; 32];
    whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    whole
}

/// An open hash table of at most a quarter of its places taken: probing further costs a mispredicted branch.
pub(crate) struct Table<K> {
    places: Vec<(K, u32)>,
    taken: usize,
    /// How far a hash is shifted to become a place.
    shift: u32,
}

impl<K: Copy + Default> Table<K> {
    pub(crate) fn new() -> Self {
        Self::with_bits(10)
    }

    fn with_bits(bits: u32) -> Self {
        Self { places: vec![(K::default(), NONE); 1 << bits], taken: 0, shift: 64 - bits }
    }

    /// The index under a hash whose key and index satisfy `same`.
    #[inline(always)]
    pub(crate) fn find(&self, hash: u64, same: impl Fn(K, u32) -> bool) -> Option<u32> {
        let mask = self.places.len() - 1;
        let mut place = (hash >> self.shift) as usize;
        loop {
            let (key, index) = self.places[place & mask];
            if index == NONE {
                return None;
            }
            if same(key, index) {
                return Some(index);
            }
            place += 1;
        }
    }

    /// Adds a key that is not there yet; `hash_of` gives the hashes of all keys again when the table grows.
    pub(crate) fn insert(&mut self, hash: u64, key: K, index: u32, hash_of: impl Fn(K, u32) -> u64) {
        if self.taken * 4 >= self.places.len() {
            let mut larger = Self::with_bits(64 - self.shift + 1);
            for (key, index) in self.places.iter().filter(|(_, index)| *index != NONE) {
                larger.put(hash_of(*key, *index), *key, *index);
            }
            *self = larger;
        }
        self.put(hash, key, index);
    }

    fn put(&mut self, hash: u64, key: K, index: u32) {
        let mask = self.places.len() - 1;
        let mut place = (hash >> self.shift) as usize & mask;
        while self.places[place].1 != NONE {
            place = (place + 1) & mask;
        }
        self.places[place] = (key, index);
        self.taken += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_depend_on_every_byte() {
        let hasher = Hasher::new();
        let hash = |bytes: &[u8], after: u8| {
            let data = [&[1, 2, 3], bytes, &vec![after; usize::from(after)]].concat();
            let head = Head::new(&data, 3, bytes.len());
            assert_eq!(head.is_whole(), bytes.len() <= 32);
            hasher.bytes(&head, bytes)
        };
        for length in 0..100usize {
            let bytes: Vec<u8> = (0..length as u8).collect();
            let expected = hash(&bytes, 0);
            assert_eq!(hash(&bytes, 7), expected, "what follows {length} bytes");
            assert_eq!(hash(&bytes, 77), expected, "what follows {length} bytes");
            for i in 0..length {
                let mut other = bytes.clone();
                other[i] ^= 0x10;
                assert_ne!(hash(&other, 0), expected, "byte {i} of {length}");
            }
            assert_ne!(hash(&[&bytes[..], &[0]].concat(), 0), expected, "{length} bytes and a zero");
        }
    }

    #[test]
    fn tables_grow() {
        let hasher = Hasher::new();
        let mut table = Table::new();
        for i in 0..5000u32 {
            let key = u64::from(i) << 20;
            assert_eq!(table.find(hasher.word(key), |other, _| other == key), None);
            table.insert(hasher.word(key), key, i, |key, _| hasher.word(key));
        }
        for i in 0..5000u32 {
            let key = u64::from(i) << 20;
            assert_eq!(table.find(hasher.word(key), |other, _| other == key), Some(i));
        }
    }
}
