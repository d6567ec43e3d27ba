//! Writing record batches.

pub mod arrays;
pub mod options;
mod round_trips;
pub mod values;
