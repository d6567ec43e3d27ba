//! Arrays → column chunks → files.
//!
//! [`ArrowWriter`] takes record batches and gives their columns to encoders, each of which takes the way of its leaf: the
//! arrays on the way down become levels (`shred`), the leaf's slots become values in the column's form (`convert`), and
//! [`LeafWriter`](crate::write::LeafWriter) does the rest.

#![allow(clippy::arithmetic_side_effects, reason = "it writes: what is counted are values and bytes that are in memory")]

mod block;
mod convert;
mod engine;
mod inline;
mod leaf;
mod options;
mod plan;
#[cfg(feature = "rayon")]
mod pool;
#[cfg(feature = "async")]
mod remote;
mod route;
mod runs;
mod shred;
mod size;
mod writer;

pub use leaf::ArrayWriter;
pub use plan::ArrowPlan;
#[cfg(feature = "async")]
pub use remote::AsyncArrowWriter;
pub use writer::ArrowWriter;
