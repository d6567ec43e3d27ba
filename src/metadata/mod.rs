//! What a file says about itself, checked: the footer, row groups, column chunks, statistics, page index, bloom filters.
//!
//! Nothing here does I/O: bytes come in, [`footer::Tail`] says which ones. Opening a file costs one pass over the footer
//! that steps over column chunks and remembers where they begin; a chunk is read when it is asked for
//! ([`RowGroup::chunk`] for what reading needs, [`RowGroup::column`] for all of it).
//! Specification: *File format* and *Metadata* in the format's README, `FileMetaData` in `parquet.thrift`.
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]

pub mod bloom;
mod column;
mod column_index;
mod file;
pub mod footer;
mod location;
mod offset_index;
mod order;
mod parse;
mod row_group;
mod statistics;
#[cfg(test)]
mod tests;
mod value;
mod writer;

pub use bloom::BloomFilter;
pub use column::ColumnChunk;
pub use column_index::ColumnIndex;
pub use file::{FileMetadata, KeyValues};
pub use location::{BloomFilterLocation, ChunkLocation};
pub use offset_index::{OffsetIndex, PageLocation};
pub use order::Order;
pub use row_group::RowGroup;
pub use statistics::{Bound, Statistics};
pub use value::Value;
pub use writer::WriterVersion;
