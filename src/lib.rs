//! Herringbone reads and writes Parquet files.
#![forbid(unsafe_code)]
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

pub mod read;

pub mod write;

#[cfg(feature = "arrow")]
pub mod arrow;

#[cfg(any(doc, doctest))]
pub mod docs;

pub use error::{Error, ErrorKind, Place, Result};
pub use limits::Limits;
pub use metadata::FileMetadata;
