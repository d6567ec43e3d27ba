//! Arrow: the types of a Parquet schema as Arrow types and back, and decoded values as Arrow arrays.

mod convert;
mod types;

pub use types::{IntervalType, Overflow, Strings};
