//! The structs of the Parquet Thrift file (`parquet.thrift`, format version 2.14), one Rust type each.
//!
//! Strings and binaries borrow from the bytes that were parsed. Nothing is checked here beyond the Thrift protocol:
//! [`crate::metadata`] and [`crate::schema`] hold the validated forms.

mod bloom;
mod column;
mod encryption;
mod file;
mod geospatial;
mod index;
mod page;
mod schema;
mod stand_alone;
mod statistics;
mod types;

pub use bloom::*;
pub use column::*;
pub use encryption::*;
pub use file::*;
pub use geospatial::*;
pub use index::*;
pub use page::*;
pub use schema::*;
pub use statistics::*;
pub use types::*;
