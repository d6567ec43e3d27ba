//! The schema of a file: a tree of fields, its leaves (the columns that are stored), and what their values mean.
//!
//! A [`Schema`] is checked once, when it is read or built, and shared. Its [`Field`]s form the tree, its [`Leaf`]s are
//! the columns in the order in which row groups store them. [`Schema::new`] builds one by hand; [`Display`](std::fmt::Display)
//! and [`FromStr`](std::str::FromStr) print and parse the message text form.
//!
//! ```
//! use herringbone::format::PhysicalType;
//! use herringbone::schema::{Field, LogicalType, Schema};
//!
//! let schema = Schema::new("schema", vec![
//!     Field::required("id", PhysicalType::Int64),
//!     Field::optional("name", PhysicalType::ByteArray).with_logical_type(LogicalType::String),
//!     Field::optional_list("tags", Field::required("element", PhysicalType::ByteArray).with_logical_type(LogicalType::String)),
//! ])?;
//! let tag = schema.leaf("tags.list.element").unwrap();
//! assert_eq!((tag.max_definition_level, tag.max_repetition_level), (2, 1));
//! assert_eq!(schema.to_string().parse::<Schema>()?, schema);
//! # Ok::<(), herringbone::Error>(())
//! ```
//!
//! Specification: `SchemaElement` in `parquet.thrift`, `LogicalTypes.md`, and *Nested Encoding* in the format's README.
#[cfg(test)]
mod arbitrary;
mod assemble;
mod build;
mod elements;
mod find;
mod logical;
mod parse;
mod print;
mod tokens;
mod tree;

pub use logical::{LogicalType, TimeUnit};
pub use tree::{ColumnPath, Field, Kind, Leaf, Repetition, Schema};

/// How deep a schema can nest, whatever [`Limits::schema_depth`](crate::Limits::schema_depth) says: levels fit a byte,
/// and code that walks the tree may recurse.
pub(crate) const MAX_DEPTH: usize = 250;
