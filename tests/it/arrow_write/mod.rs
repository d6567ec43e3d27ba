//! Writing record batches.

pub mod arrays;
mod round_trips;
pub mod values;
