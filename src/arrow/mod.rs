//! Record batches: the types of a Parquet schema as Arrow types and back, and decoded values as Arrow arrays.
//!
//! A [`ParquetFile`] is a file whose footer has been read; [`ParquetFile::scan`] says what of it is wanted, and
//! [`ScanBuilder::build`] gives the iterator of batches.
//!
//! # Types
//!
//! Logical types become the Arrow types that mean the same; the table is in the
//! [chapter on coverage](crate::docs::format_coverage#logical-types). Columns without one become `Boolean`, `Int32`, `Int64`,
//! `Float32`, `Float64`, `Binary`, `FixedSizeBinary`, and INT96 becomes `Timestamp`. Groups become `Struct`, `List` and `Map`,
//! in the layouts of today and in those of older writers (`LogicalTypes.md`, *Lists* and *Maps*).
//!
//! If the writer stored an Arrow schema in the file (`ARROW:schema`), types that Parquet cannot tell apart come back as they
//! were: dictionaries, views, lists of other kinds, durations, time zones, extension types, metadata.
//!
//! [`to_parquet_schema`] goes the other way, and [`to_arrow_schema`] does it for a schema without a file.

mod columns;
mod convert;
mod extension;
mod file;
mod filter;
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
#[cfg(feature = "rayon")]
mod pool;
mod push;
mod scan;
mod stored_schema;
#[cfg(feature = "async")]
mod stream;
mod table;
mod types;
mod write;

pub use file::ParquetFile;
pub use filter::ScanMetrics;
pub use mapping::to_arrow_schema;
pub use parquet_schema::{WriteTypeOptions, to_parquet_schema};
pub use push::{PushScan, PushStep};
pub use scan::{Scan, ScanBuilder};
pub use stored_schema::stored_schema_entry;
#[cfg(feature = "async")]
pub use stream::ScanStream;
pub use types::{IntervalType, Overflow, Strings};
#[cfg(feature = "async")]
pub use write::AsyncArrowWriter;
pub use write::{ArrayWriter, ArrowPlan, ArrowWriter};
