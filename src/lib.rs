//! Herringbone reads and writes Parquet files.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
pub mod format;
mod limits;
pub mod schema;
mod thrift;

pub use error::{Error, ErrorKind, Place, Result};
pub use limits::Limits;
