//! What a file says about itself, checked: the footer, row groups, column chunks, statistics, page index, bloom filters.
//!
//! Nothing here does I/O: bytes come in, [`footer::Tail`] says which ones. Opening a file costs one pass over the footer
//! that steps over column chunks and remembers where they begin; a chunk is read when it is asked for
//! ([`RowGroup::chunk`] for what reading needs, [`RowGroup::column`] for all of it).
//!
//! Statistics, page index and bloom filters say what need not be read:
//!
//! ```
//! use herringbone::metadata::{BloomFilter, Value};
//! use herringbone::read::{self, FileSource, Source};
//! use herringbone::{Limits, Result};
//!
//! # fn main() -> Result<()> {
//! let source = FileSource::open("testdata/bloom-filters.index-v2.parquet")?;
//! let metadata = read::metadata(&source, &Limits::default())?;
//! let id = metadata.schema().leaf("id").expect("the file has ids").index;
//! let group = metadata.row_group(0).expect("the file has a row group");
//!
//! let statistics = group.statistics(id)?.expect("the file has statistics");
//! assert_eq!(statistics.max().and_then(|max| max.value()), Some(Value::Int64(119)));
//!
//! let chunk = group.chunk(id)?;
//! if let (Some(offsets), Some(columns)) = (&chunk.offset_index, &chunk.column_index) {
//!     let pages = group.parse_offset_index(id, &source.read(offsets.clone())?)?;
//!     let bounds = group.parse_column_index(id, &source.read(columns.clone())?, &pages)?;
//!     assert_eq!(pages.rows(0).start, 0);
//!     assert_eq!(bounds.min(0).as_ref().and_then(|min| min.value()), Some(Value::Int64(0)));
//! }
//!
//! let filter = chunk.bloom_filter.expect("the file has a bloom filter");
//! let length = filter.length.expect("whose length it tells");
//! let filter = BloomFilter::parse(&source.read(filter.offset..filter.offset + u64::from(length))?)?;
//! assert!(filter.may_contain_value(&Value::Int64(119)));
//! assert!(!filter.may_contain_value(&Value::Int64(1_000_000)));
//! # Ok(())
//! # }
//! ```
//!
//! Specification: *File format* and *Metadata* in the format's README, `FileMetaData` in `parquet.thrift`.
pub mod bloom;
mod column;
mod column_index;
mod file;
pub mod footer;
pub(crate) mod location;
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
pub(crate) use order::half_to_f32;
pub use row_group::RowGroup;
pub use statistics::{Bound, Statistics};
pub use value::Value;
pub(crate) use value::date;
pub use writer::WriterVersion;
pub(crate) use writer::{forgets_dictionary_header, has_corrupt_binary_bounds, has_prefixes_across_pages};
