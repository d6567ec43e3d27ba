//! Thrift's compact protocol: reading is ours, bounded and without copies; writing is the `thrift` crate's.
//!
//! [`Reader`] walks a slice. [`Decode`] and [`Encode`] are implemented by the macros at the end of this file for every
//! struct, enum and union of the Parquet Thrift file (`crate::format`); strings and binaries borrow from the slice.
//! Specification: the Thrift compact protocol (`thrift-compact-protocol.md` of Apache Thrift).

mod alike;
mod decode;
mod encode;
mod skip;
#[macro_use]
mod macros;
#[cfg(test)]
mod tests;

pub(crate) use alike::Alike;
pub(crate) use decode::{Decode, Reader, Wire};
pub(crate) use encode::{Encode, Output, encode_empty_struct, encode_to_vec};
pub(crate) use macros::{thrift_enum, thrift_struct, thrift_union};
