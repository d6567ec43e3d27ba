//! Herringbone reads and writes Parquet files.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod compression;
mod error;
mod limits;
mod simd;
mod thrift;

pub mod format;
pub mod schema;

pub mod values;

pub mod encoding;

#[cfg(feature = "arrow")]
pub mod arrow;

pub use error::{Error, ErrorKind, Place, Result};
pub use limits::Limits;
