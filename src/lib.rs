//! Herringbone reads and writes [Parquet](https://parquet.apache.org) files: any file, fast, and without harm from broken
//! ones.
//!
//! # Reading a file
//!
//! A [`ParquetFile`](arrow::ParquetFile) is a file whose footer has been read. A scan says what of it is wanted, and is an
//! iterator of Arrow record batches:
//!
#![cfg_attr(all(feature = "arrow", feature = "zstd"), doc = "```")]
#![cfg_attr(not(all(feature = "arrow", feature = "zstd")), doc = "```ignore")]
//! use herringbone::arrow::ParquetFile;
//!
//! # fn main() -> herringbone::Result<()> {
//! let file = ParquetFile::open("testdata/landings.zstd.parquet")?;
//! let mut rows = 0;
//! for batch in file.scan().columns(["species", "position.lat"]).build()? {
//!     rows += batch?.num_rows();
//! }
//! assert_eq!(rows, 200);
//! # Ok(())
//! # }
//! ```
//!
//! Columns are named by dotted paths at any depth. Row groups, row ranges, offset and limit, batch sizes, the form of strings,
//! checksums and threads are options of the [`ScanBuilder`](arrow::ScanBuilder). Rows come in the order of the file, decoded
//! on all cores unless the scan says otherwise, and memory follows the limits and not the size of the file.
//!
//! Files are opened by path, from bytes in memory, or from anything that implements [`Source`](read::Source).
//!
//! # Reading from elsewhere
//!
//! With the feature `async`, a file is opened by an asynchronous source, such as an object in S3, and
//! `ScanBuilder::stream` makes a stream of the same batches, with the same options. Without any I/O,
//! [`ScanBuilder::push`](arrow::ScanBuilder::push) says which bytes it needs and takes them. The chapter on
//! reading remotely in the folder `src/docs` tells what is asked for.
//!
//! # Writing a file
//!
//! An [`ArrowWriter`](arrow::ArrowWriter) takes record batches of any size, encodes their columns on all cores, and makes row
//! groups of them as large as its [options](write::WriterOptions) say. Encodings are chosen by the data unless the options say
//! otherwise.
//!
#![cfg_attr(all(feature = "arrow", feature = "zstd"), doc = "```")]
#![cfg_attr(not(all(feature = "arrow", feature = "zstd")), doc = "```ignore")]
//! use herringbone::arrow::{ArrowWriter, ParquetFile};
//! use herringbone::write::{ColumnOptions, WriterOptions};
//!
//! # fn main() -> herringbone::Result<()> {
//! let scan = ParquetFile::open("testdata/landings.zstd.parquet")?.scan().build()?;
//! let options = WriterOptions::builder()
//!     .row_group_rows(100_000)
//!     .column("species", ColumnOptions::new().page_rows(1_000).crc(false))
//!     .build()?;
//! let mut bytes = Vec::new();
//! let mut writer = ArrowWriter::try_new(&mut bytes, scan.schema(), options)?;
//! for batch in scan {
//!     writer.write(&batch?)?;
//! }
//! assert_eq!(writer.close()?.num_rows(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! Below record batches, a [`FileWriter`](write::FileWriter) takes column chunks in order; a
//! [`LeafWriter`](write::LeafWriter) encodes one of them from typed values and levels, on any thread. It also
//! [copies](write::FileWriter::copy_file) those of other files without decoding them.
//!
//! ```
//! use std::sync::Arc;
//!
//! use herringbone::schema::Schema;
//! use herringbone::values::{ByteArrays, Values, ValuesSlice};
//! use herringbone::write::{FileWriter, LevelsSlice, WriterOptions};
//!
//! # fn main() -> herringbone::Result<()> {
//! let schema: Schema = "message catch { required int32 boxes; required binary species (STRING); }".parse()?;
//! let mut bytes = Vec::new();
//! let mut file = FileWriter::new(&mut bytes, Arc::new(schema), WriterOptions::default())?;
//!
//! let mut boxes = file.leaf_writer(0)?;
//! boxes.write(ValuesSlice::Words32(&[12, 7]), LevelsSlice::Present)?;
//! let names: ByteArrays = [&b"herring"[..], b"sprat"].into_iter().collect();
//! let mut species = file.leaf_writer(1)?;
//! species.write(Values::Bytes(names).as_slice(), LevelsSlice::Present)?;
//!
//! file.append_row_group([boxes.finish()?, species.finish()?])?;
//! assert_eq!(file.close()?.num_rows(), 2);
//! assert!(bytes.ends_with(b"PAR1"));
//! # Ok(())
//! # }
//! ```
//!
//! A local file made by `create` of either writer appears under its name when all of it is written, or not at all.
//!
//! # Checking a file
//!
//! [`verify`](mod@verify) holds all that a file says about itself against its pages, and reports what is wrong and where.
//!
//! # Two levels
//!
//! - [`arrow`]: record batches, parallel by default. For those who want the data.
//! - [`read`] and [`write`](mod@write): metadata, streams of compressed pages, decompressed and decoded where and when the
//!   caller likes, column chunks encoded the same way, without an opinion about memory formats and threads. For engines.
//!   `default-features = false` has this level alone.
//!
//! What lies under both, in the order in which data walks through it:
//!
//! | module | |
//! | --- | --- |
//! | [`format`](mod@format) | the structs of the Parquet Thrift file, unchecked |
//! | [`schema`] | the tree of fields, logical types, the message text form |
//! | [`metadata`] | row groups, column chunks, statistics, page index, bloom filters, checked |
//! | [`compression`] | codecs |
//! | [`values`] | the in-memory shapes of decoded values |
//! | [`encoding`] | decoders and encoders |
//! | [`levels`] | repetition and definition levels |
//! | [`page`] | pages, compressed and not |
//! | [`predicate`] | filters, and what statistics, bloom filters and page indexes say about them |
//!
//! # Features
//!
//! | feature | default | |
//! | --- | --- | --- |
//! | `arrow` | yes | record batches; works with the Arrow crates 59 and 60 |
//! | `rayon` | yes | decode and encode on a thread pool |
//! | `snappy`, `gzip`, `zstd`, `lz4`, `brotli` | yes | the codecs; `zstd` wraps the C library, the others are Rust |
//! | `libdeflate` | yes | whole GZIP pages by a C library that is twice as fast; without it the codec is Rust |
//! | `sql` | no | filters from text, by the crate `sqlparser` |
//! | `async` | no | asynchronous reading and writing, on any runtime |
//! | `object_store_base` | no | files in any `object_store::ObjectStore` of the caller's, version 0.14 |
//! | `object_store` | no | S3, Google Cloud Storage, Azure, HTTP and local files by their addresses |
//! | `cli` | no | the command `herringbone` |
//!
//! A page whose codec is not in the build ends in an error that names the feature.
//!
//! # Limits and errors
//!
//! A file is input from outside. For any bytes there is a value or an [`Error`], and memory stays within [`Limits`]: what a
//! file claims about its sizes is held against the bytes that are really there before memory is reserved.
//!
//! ```
//! use herringbone::{ErrorKind, Limits, read};
//!
//! # fn main() -> herringbone::Result<()> {
//! let source = read::FileSource::open("testdata/codecs.none-v1.parquet")?;
//! let strict = Limits { footer_bytes: 100, ..Limits::default() };
//! let error = read::metadata(&source, &strict).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Limit);
//! assert!(error.to_string().contains("more than the 100 of Limits::footer_bytes"));
//! # Ok(())
//! # }
//! ```
//!
//! An error has a [kind](ErrorKind) to react to, a sentence for people, and the [place](Place): file, column, row group, page
//! and offset, as far as they are known. Reading ends where data contradicts itself; structures that only help (statistics,
//! page index, bloom filters) are passed over when they do.
//!
//! # More
//!
#![cfg_attr(any(doc, doctest), doc = "How the crate works inside, how to extend it, and what of the format is there: [`docs`].")]
//! Programs to start from are in the repository's folder `examples`.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod limits;
mod simd;
mod thrift;

pub mod format;

pub mod schema;

pub mod metadata;

pub mod compression;

pub mod values;

pub mod encoding;

pub mod levels;

pub mod page;

pub mod predicate;

pub mod read;

pub mod write;

pub mod verify;

#[cfg(feature = "arrow")]
pub mod arrow;

#[cfg(any(doc, doctest))]
pub mod docs;

pub use error::{Error, ErrorKind, Place, Result};
pub use limits::Limits;
pub use metadata::FileMetadata;

/// The README's example is a test as well.
#[cfg(all(doctest, feature = "arrow", feature = "zstd"))]
#[doc = include_str!("../README.md")]
mod readme {}
