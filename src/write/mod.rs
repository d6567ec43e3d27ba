//! Writing: options, leaf columns, row groups, files.
//!
//! This level has no opinion about memory formats and threads. A [`FileWriter`] takes column chunks in order; a
//! [`LeafWriter`] encodes one of them from typed values and levels wherever its caller likes, and
//! [`finish`](LeafWriter::finish) yields a [`WrittenChunk`] that holds all there is to write. Record batches are written a
//! level above, in `herringbone::arrow`.

#![allow(clippy::arithmetic_side_effects, reason = "it writes: what is counted are values and bytes that are in memory or were written")]

mod assemble;
mod batches;
mod bounds;
mod choose;
mod chunk;
mod chunker;
mod column_options;
mod file;
mod geospatial;
mod leaf;
mod levels;
#[cfg(feature = "object_store_base")]
mod object;
mod options;
mod page;
#[cfg(feature = "async")]
mod remote;
mod rewrite;
mod row_group;
mod settings;
mod sink;
mod sorted;
mod statistics;
/// They write with every codec.
#[cfg(all(test, feature = "snappy", feature = "gzip", feature = "zstd", feature = "lz4", feature = "brotli"))]
mod tests;
mod truncate;
mod values;

#[cfg(feature = "arrow")]
pub(crate) use batches::BatchSettings;
pub use chunk::WrittenChunk;
pub use column_options::{BloomFilterOptions, ColumnOptions, PageVersion, StatisticsLevel};
pub use file::FileWriter;
pub(crate) use geospatial::Geospatial;
pub use leaf::LeafWriter;
pub use levels::LevelsSlice;
#[cfg(feature = "object_store_base")]
pub use object::ObjectSink;
pub use options::{ContentChunking, EncodingChoice, SortBy, WriterOptions, WriterOptionsBuilder};
#[cfg(feature = "async")]
pub use remote::{AsyncSink, IoSink};
pub use rewrite::without_other_columns;
pub use row_group::RowGroupWriter;
pub use settings::WritePlan;
pub use sink::{LocalFile, SinkOptions};
