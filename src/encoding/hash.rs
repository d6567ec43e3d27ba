//! Hash tables for interning: from a key to the index of its entry. Keys of the hash function are random, so that nobody
//! can prepare values that collide.

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

    #[inline]
    pub(crate) fn bytes(&self, bytes: &[u8]) -> u64 {
        let [first, second, third] = self.keys;
        let length = bytes.len() as u64;
        let (low, high) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(low), Some(high)) => {
                let mut state = second;
                let mut rest = bytes;
                while let Some((sixteen, after)) = rest.split_first_chunk::<16>()
                    && !after.is_empty()
                {
                    let wide = u128::from_le_bytes(*sixteen);
                    state = fold(wide as u64 ^ first, (wide >> 64) as u64 ^ state);
                    rest = after;
                }
                // The last 8 to 16 bytes, overlapping.
                let middle = rest.first_chunk::<8>().unwrap_or(low);
                (u64::from_le_bytes(*middle) ^ state, u64::from_le_bytes(*high))
            }
            _ => short(bytes),
        };
        fold(low ^ first ^ length, high ^ third)
    }
}

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// All of fewer than 8 bytes.
#[inline(always)]
fn short(bytes: &[u8]) -> (u64, u64) {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(low), Some(high)) => (u64::from(u32::from_le_bytes(*low)), u64::from(u32::from_le_bytes(*high))),
        _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    }
}

/// An open hash table of at most half its places taken.
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
        if self.taken * 2 >= self.places.len() {
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
        for length in 0..70usize {
            let bytes: Vec<u8> = (0..length as u8).collect();
            let hash = hasher.bytes(&bytes);
            assert_eq!(hash, hasher.bytes(&bytes.clone()));
            for i in 0..length {
                let mut other = bytes.clone();
                other[i] ^= 0x10;
                assert_ne!(hasher.bytes(&other), hash, "byte {i} of {length}");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_ne!(hasher.bytes(&longer), hash, "{length} bytes and a zero");
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
