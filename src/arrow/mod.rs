//! Arrow: the types of a Parquet schema as Arrow types and back, and decoded values as Arrow arrays.

mod columns;
mod convert;
mod extension;
mod file;
mod flatbuffer;
mod json;
mod lanes;
mod legacy;
mod mapping;
mod nested;
#[cfg(feature = "rayon")]
mod parallel;
mod parquet_schema;
mod plan;
mod scan;
mod stored_schema;
mod table;
mod types;

pub use file::ParquetFile;
pub use parquet_schema::{WriteTypeOptions, to_parquet_schema};
pub use scan::{Scan, ScanBuilder};
pub use stored_schema::stored_schema_entry;
pub use types::{IntervalType, Overflow, Strings};
