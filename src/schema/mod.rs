//! The schema of a file: a tree of fields, its leaves (the columns that are stored), and what their values mean.
//!
//! A [`Schema`] is checked once, when it is read or built, and shared. Its [`Field`]s form the tree, its [`Leaf`]s are
//! the columns in the order in which row groups store them.
//! Specification: `SchemaElement` in `parquet.thrift`, `LogicalTypes.md`, and *Nested Encoding* in the format's README.

mod logical;
mod tree;

pub use logical::{LogicalType, TimeUnit};
pub use tree::{ColumnPath, Field, Kind, Leaf, Repetition, Schema};
