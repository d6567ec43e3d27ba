//! Bloom filters: split blocks of 256 bits, hashed by the 64-bit xxHash (`BloomFilter.md`).
//!
//! The upper half of a value's hash chooses a block, the lower half one bit in each of the block's eight words.

use twox_hash::XxHash64;

use crate::error::{Error, Result};
use crate::format::{BloomFilterAlgorithm, BloomFilterCompression, BloomFilterHash, BloomFilterHeader};
use crate::limits::Limits;
use crate::metadata::Value;
use crate::thrift::{Decode, Reader, encode_to_vec};

/// As many bytes as the header in front of a bloom filter has at most, with room for fields of the future.
pub const HEADER_BYTES: usize = 256;

const SALT: [u32; 8] = [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

const BLOCK_BYTES: usize = 32;

/// The largest filter that is built, in bytes.
const MOST_BYTES: usize = 128 << 20;

type Block = [u32; 8];

/// A bloom filter: it knows of some values that they are not in a column chunk.
///
/// Values are plain-encoded, byte arrays without their length, as in statistics.
///
/// ```
/// use herringbone::metadata::{BloomFilter, Value};
/// let mut filter = BloomFilter::with_fpp(1000, 0.01)?;
/// filter.insert(b"herring");
/// assert!(filter.may_contain(b"herring"));
/// assert!(!filter.may_contain_value(&Value::ByteArray(b"bone"[..].into())));
/// let bytes = filter.to_bytes()?;
/// assert_eq!(BloomFilter::parse(&bytes)?, filter);
/// # Ok::<(), herringbone::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BloomFilter {
    /// At least one.
    blocks: Vec<Block>,
}

impl BloomFilter {
    /// How many bytes header and bits take together, given the bytes from the header's start on: [`HEADER_BYTES`] of
    /// them, or all that the file has. Needed for files that do not state the filter's length.
    ///
    /// # Errors
    /// `Malformed` if there is no header; `Unsupported` for algorithms, hash functions or compressions other than those
    /// of the module; `Limit` for more bytes than [`Limits::metadata_bytes`].
    pub fn bytes_needed(prefix: &[u8], limits: &Limits) -> Result<usize> {
        let (header, bits) = header(prefix)?;
        let needed = header.saturating_add(bits);
        if needed > limits.metadata_bytes {
            return Err(Error::limit(format!("the bloom filter takes {needed} bytes, more than Limits::metadata_bytes")));
        }
        Ok(needed)
    }

    /// Where the block of a [`hash`] is, counted in bytes from the header's start, given the bytes from there on: a look-up in a
    /// large filter needs no more than its header and the blocks.
    ///
    /// # Errors
    /// As for [`bytes_needed`](Self::bytes_needed), limits aside.
    pub fn block_range(prefix: &[u8], hash: u64) -> Result<std::ops::Range<usize>> {
        let (start, length) = header(prefix)?;
        let index = index(hash, length.checked_div(BLOCK_BYTES).unwrap_or(0));
        let from = start.saturating_add(index.saturating_mul(BLOCK_BYTES));
        Ok(from..from.saturating_add(BLOCK_BYTES))
    }

    /// Whether a value with this [`hash`] may have been inserted, given the bytes of its block; `false` is certain. Other bytes
    /// than a block's may have any value.
    pub fn block_may_contain(block: &[u8], hash: u64) -> bool {
        let Ok(block) = <&[u8; BLOCK_BYTES]>::try_from(block) else { return true };
        block_from_bytes(block).iter().zip(mask(hash)).all(|(word, bit)| word & bit != 0)
    }

    /// Reads header and bits from `bytes`; what follows them is ignored.
    ///
    /// # Errors
    /// `Malformed` if the header is none, or the bits are no whole blocks or not all there; `Unsupported` for algorithms,
    /// hash functions or compressions other than those of the module.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let (start, length) = header(bytes)?;
        let bits = bytes
            .get(start..)
            .and_then(|rest| rest.get(..length))
            .ok_or_else(|| Error::malformed(format!("the bloom filter claims {length} bytes behind its header, but there are fewer")))?;
        let blocks = bits.as_chunks::<BLOCK_BYTES>().0.iter().map(block_from_bytes).collect();
        Ok(Self { blocks })
    }

    /// An empty filter with room for `distinct` different values, of which `fpp` (0.01 for one in a hundred) are expected
    /// to be taken for members though they are none. Filters have between 32 bytes and 128 MiB, in powers of two.
    ///
    /// # Errors
    /// `Usage` if `fpp` is not between 0 and 1.
    pub fn with_fpp(distinct: u64, fpp: f64) -> Result<Self> {
        if !(fpp > 0.0 && fpp < 1.0) {
            return Err(Error::usage(format!("a bloom filter's rate of false positives is between 0 and 1, not {fpp}")));
        }
        let bits_each = -8.0 / (1.0 - fpp.powf(0.125)).ln();
        // A conversion from floating point saturates.
        Ok(Self::with_bytes((distinct as f64 * bits_each / 8.0).ceil() as usize))
    }

    /// An empty filter of `bytes` bytes, raised to a power of two from 32 bytes to 128 MiB.
    pub fn with_bytes(bytes: usize) -> Self {
        let bytes = bytes.clamp(BLOCK_BYTES, MOST_BYTES).next_power_of_two();
        Self { blocks: vec![Block::default(); bytes / BLOCK_BYTES] }
    }

    /// Bytes of the bits.
    pub fn num_bytes(&self) -> usize {
        self.blocks.len().saturating_mul(BLOCK_BYTES)
    }

    /// Whether the value may have been inserted; `false` is certain.
    pub fn may_contain(&self, plain: &[u8]) -> bool {
        self.may_contain_hash(hash(plain))
    }

    /// Whether the value may have been inserted; `false` is certain. The type has to be that of the column: the `INT32`
    /// and the `INT64` of one number hash differently.
    pub fn may_contain_value(&self, value: &Value<'_>) -> bool {
        self.may_contain(&value.to_plain())
    }

    /// Whether a value with this [`hash`] may have been inserted; `false` is certain.
    pub fn may_contain_hash(&self, hash: u64) -> bool {
        let mask = mask(hash);
        match self.blocks.get(self.index(hash)) {
            Some(block) => block.iter().zip(mask).all(|(word, bit)| word & bit != 0),
            None => true,
        }
    }

    /// Inserts a value.
    pub fn insert(&mut self, plain: &[u8]) {
        self.insert_hash(hash(plain));
    }

    /// Inserts a value by its [`hash`].
    pub fn insert_hash(&mut self, hash: u64) {
        let index = self.index(hash);
        if let Some(block) = self.blocks.get_mut(index) {
            block.iter_mut().zip(mask(hash)).for_each(|(word, bit)| *word |= bit);
        }
    }

    /// Halves the filter as often as the rate of false positives stays at most `fpp`: a filter made for more values than
    /// came becomes as small as one made for them.
    pub fn fold(&mut self, fpp: f64) {
        while self.blocks.len() > 1 && self.blocks.len().is_multiple_of(2) {
            // The index of a value in half as many blocks is half its index, so neighbours fall together.
            let pairs = self.blocks.as_chunks::<2>().0;
            let folded = Self { blocks: pairs.iter().map(|[a, b]| std::array::from_fn(|i| pick(a, i) | pick(b, i))).collect() };
            if folded.false_positive_rate() > fpp {
                return;
            }
            *self = folded;
        }
    }

    /// The rate at which values that were not inserted are taken for members, from the bits that are set.
    pub fn false_positive_rate(&self) -> f64 {
        let rate = |block: &Block| block.iter().map(|word| f64::from(word.count_ones()) / 32.0).product::<f64>();
        self.blocks.iter().map(rate).sum::<f64>() / self.blocks.len() as f64
    }

    /// Header and bits, as a file has them.
    ///
    /// # Errors
    /// None for filters that [`parse`](Self::parse) or the constructors made.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let num_bytes = i32::try_from(self.num_bytes()).map_err(|_| Error::usage("a bloom filter has less than 2 GiB"))?;
        let mut bytes = encode_to_vec(&BloomFilterHeader {
            num_bytes,
            algorithm: BloomFilterAlgorithm::Block,
            hash: BloomFilterHash::XxHash,
            compression: BloomFilterCompression::Uncompressed,
        })?;
        bytes.extend(self.blocks.as_flattened().iter().flat_map(|word| word.to_le_bytes()));
        Ok(bytes)
    }

    #[inline]
    fn index(&self, hash: u64) -> usize {
        index(hash, self.blocks.len())
    }
}

/// The block of a hash: its upper half scaled to the number of blocks.
#[inline]
fn index(hash: u64, blocks: usize) -> usize {
    ((hash >> 32).wrapping_mul(blocks as u64) >> 32) as usize
}

/// The hash by which bloom filters know a plain-encoded value.
#[inline]
pub fn hash(plain: &[u8]) -> u64 {
    XxHash64::oneshot(0, plain)
}

/// The bits of a hash in its block.
#[inline]
fn mask(hash: u64) -> Block {
    let key = hash as u32;
    SALT.map(|salt| 1_u32.wrapping_shl(key.wrapping_mul(salt) >> 27))
}

#[inline]
fn pick(block: &Block, i: usize) -> u32 {
    block.get(i).copied().unwrap_or_default()
}

fn block_from_bytes(bytes: &[u8; BLOCK_BYTES]) -> Block {
    let words = bytes.as_chunks::<4>().0;
    std::array::from_fn(|i| words.get(i).map_or(0, |word| u32::from_le_bytes(*word)))
}

/// Checks the header and gives its length and that of the bits, in bytes.
fn header(bytes: &[u8]) -> Result<(usize, usize)> {
    let mut reader = Reader::new(bytes, 0);
    let header = BloomFilterHeader::decode(&mut reader)?;
    if let BloomFilterAlgorithm::Unknown(id) = header.algorithm {
        return Err(Error::unsupported(format!("bloom filter algorithm {id} is not known")));
    }
    if let BloomFilterHash::Unknown(id) = header.hash {
        return Err(Error::unsupported(format!("bloom filter hash function {id} is not known")));
    }
    if let BloomFilterCompression::Unknown(id) = header.compression {
        return Err(Error::unsupported(format!("bloom filter compression {id} is not known")));
    }
    match usize::try_from(header.num_bytes) {
        Ok(length) if length > 0 && length.is_multiple_of(BLOCK_BYTES) => Ok((reader.position(), length)),
        _ => Err(Error::malformed(format!("a bloom filter of {} bytes is no number of blocks of {BLOCK_BYTES}", header.num_bytes))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    /// The naive twin, by the letter of the specification.
    fn contains_by_specification(bits: &[u8], hash: u64) -> bool {
        let blocks = bits.len() as u128 / 32;
        let block = (((hash >> 32) as u128 * blocks) >> 32) as usize;
        (0..8).all(|i| {
            let word = u32::from_le_bytes(bits[block * 32 + i * 4..][..4].try_into().unwrap());
            word & (1 << ((hash as u32).wrapping_mul(SALT[i]) >> 27)) != 0
        })
    }

    #[test]
    fn hashes_are_xxhash64_with_seed_0() {
        // Known answers of the algorithm's authors.
        assert_eq!(hash(b""), 0xef46_db37_51d8_e999);
        assert_eq!(hash(b"a"), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(hash(b"abc"), 0x44bc_2cf5_ad77_0999);
    }

    #[test]
    fn what_was_inserted_is_found_and_little_else() {
        for (distinct, fpp) in [(1_u64, 0.5), (1000, 0.1), (10_000, 0.01), (10_000, 0.001)] {
            let mut filter = BloomFilter::with_fpp(distinct, fpp).unwrap();
            (0..distinct).for_each(|i| filter.insert(&i.to_le_bytes()));
            assert!((0..distinct).all(|i| filter.may_contain(&i.to_le_bytes())));
            let bytes = filter.to_bytes().unwrap();
            for i in (0..2 * distinct).step_by(7) {
                let hash = hash(&i.to_le_bytes());
                let block = &bytes[BloomFilter::block_range(&bytes[..20], hash).unwrap()];
                assert_eq!(BloomFilter::block_may_contain(block, hash), filter.may_contain_hash(hash));
            }
            let wrong = (0..100_000).filter(|i: &u64| filter.may_contain(&(i + (1 << 40)).to_le_bytes())).count() as f64 / 1e5;
            assert!(wrong <= fpp * 1.3, "{wrong} instead of {fpp}");
            assert!((wrong - filter.false_positive_rate()).abs() < 0.01 + wrong / 5.0);
        }
    }

    #[test]
    fn sizes_follow_the_specification() {
        // A million values at one in a hundred take 1.2 MB before rounding up.
        assert_eq!(BloomFilter::with_fpp(1_000_000, 0.01).unwrap().num_bytes(), 1 << 21);
        assert_eq!(BloomFilter::with_fpp(0, 0.01).unwrap().num_bytes(), 32);
        assert_eq!(BloomFilter::with_fpp(u64::MAX, 1e-9).unwrap().num_bytes(), MOST_BYTES);
        assert_eq!(BloomFilter::with_bytes(33).num_bytes(), 64);
        for fpp in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(BloomFilter::with_fpp(1, fpp).unwrap_err().kind(), ErrorKind::Usage);
        }
    }

    #[test]
    fn folding_gives_the_filter_that_would_have_been_built() {
        let mut large = BloomFilter::with_bytes(1 << 16);
        let mut small = BloomFilter::with_fpp(100, 0.01).unwrap();
        for i in 0..100_u64 {
            large.insert(&i.to_le_bytes());
            small.insert(&i.to_le_bytes());
        }
        large.fold(0.01);
        assert!(large.num_bytes() <= 256 && large.false_positive_rate() <= 0.01);
        // Fold the other one to the same size: the bits are the same.
        while small.num_bytes() > large.num_bytes() {
            let before = small.num_bytes();
            small.fold(1.0 - f64::EPSILON);
            assert!(small.num_bytes() < before);
        }
        assert!((0..100_u64).all(|i| large.may_contain(&i.to_le_bytes())));
        let mut full = BloomFilter { blocks: vec![[u32::MAX; 8]; 4] };
        full.fold(0.5);
        assert_eq!(full.num_bytes(), 128);
        let mut odd = BloomFilter { blocks: vec![[0; 8]; 3] };
        odd.fold(0.5);
        assert_eq!(odd.num_bytes(), 96);
    }

    #[test]
    fn headers_are_checked() {
        let header = |num_bytes, algorithm, hash, compression| {
            let header = BloomFilterHeader { num_bytes, algorithm, hash, compression };
            [encode_to_vec(&header).unwrap(), vec![0; 64]].concat()
        };
        use {BloomFilterAlgorithm as A, BloomFilterCompression as C, BloomFilterHash as H};
        for num_bytes in [0, -32, 31, 33, i32::MIN, i32::MAX] {
            let error = BloomFilter::parse(&header(num_bytes, A::Block, H::XxHash, C::Uncompressed)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed);
        }
        assert!(BloomFilter::parse(&header(64, A::Block, H::XxHash, C::Uncompressed)).is_ok());
        assert!(BloomFilter::parse(&header(96, A::Block, H::XxHash, C::Uncompressed)).is_err());
        for unknown in [
            header(32, A::Unknown(2), H::XxHash, C::Uncompressed),
            header(32, A::Block, H::Unknown(2), C::Uncompressed),
            header(32, A::Block, H::XxHash, C::Unknown(2)),
        ] {
            assert_eq!(BloomFilter::parse(&unknown).unwrap_err().kind(), ErrorKind::Unsupported);
        }
        let limits = Limits { metadata_bytes: 1000, ..Limits::default() };
        let needed = BloomFilter::bytes_needed(&header(32, A::Block, H::XxHash, C::Uncompressed), &limits).unwrap();
        assert_eq!(needed, BloomFilter::with_bytes(32).to_bytes().unwrap().len());
        let too_many = header(1024, A::Block, H::XxHash, C::Uncompressed);
        assert_eq!(BloomFilter::bytes_needed(&too_many, &limits).unwrap_err().kind(), ErrorKind::Limit);
    }

    proptest! {
        #[test]
        fn bits_are_where_the_specification_wants_them(
            values in proptest::collection::vec(any::<u64>(), 0..50),
            others in proptest::collection::vec(any::<u64>(), 0..50),
            blocks in 1..40_usize,
        ) {
            let mut filter = BloomFilter { blocks: vec![[0; 8]; blocks] };
            values.iter().for_each(|value| filter.insert_hash(*value));
            let bytes = filter.to_bytes().unwrap();
            let bits = &bytes[bytes.len() - blocks * 32..];
            for value in values.iter().chain(&others) {
                prop_assert_eq!(filter.may_contain_hash(*value), contains_by_specification(bits, *value));
            }
            prop_assert_eq!(&BloomFilter::parse(&bytes).unwrap(), &filter);
            for length in 0..bytes.len() {
                prop_assert!(BloomFilter::parse(&bytes[..length]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_a_filter_or_an_error(bytes: Vec<u8>) {
            if let Ok(filter) = BloomFilter::parse(&bytes) {
                prop_assert!(filter.num_bytes() <= bytes.len());
            }
        }
    }
}
