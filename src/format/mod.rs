//! The structs of the Parquet Thrift file (`parquet.thrift`, format version 2.14), one Rust type each.
//!
//! Strings and binaries borrow from the bytes that were parsed. Nothing is checked here beyond the Thrift protocol:
//! [`crate::metadata`] and [`crate::schema`] hold the validated forms.

mod page;
mod schema;
mod statistics;
mod types;

pub use page::*;
pub use schema::*;
pub use statistics::*;
pub use types::*;
