//! Bloom filters (`BloomFilter.md`).

use crate::thrift::{thrift_struct, thrift_union};

thrift_union! {
    /// How a bloom filter sets its bits (`BloomFilterAlgorithm`).
    pub enum BloomFilterAlgorithm {
        /// Split blocks of 256 bits.
        1: Block,
    }
}

thrift_union! {
    /// The hash function of a bloom filter, which takes plain-encoded values (`BloomFilterHash`).
    pub enum BloomFilterHash {
        /// The 64-bit xxHash with seed 0.
        1: XxHash,
    }
}

thrift_union! {
    /// How the bits of a bloom filter are compressed (`BloomFilterCompression`).
    pub enum BloomFilterCompression {
        /// Not at all.
        1: Uncompressed,
    }
}

thrift_struct! {
    /// What stands in front of a bloom filter's bits (`BloomFilterHeader`).
    pub struct BloomFilterHeader {
        /// Bytes of the bits.
        1: required num_bytes: i32,
        /// How bits are set.
        2: required algorithm: BloomFilterAlgorithm,
        /// How values are hashed.
        3: required hash: BloomFilterHash,
        /// How the bits are compressed.
        4: required compression: BloomFilterCompression,
    }
}
