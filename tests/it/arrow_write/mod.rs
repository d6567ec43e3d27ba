//! Writing record batches.

mod arrays;
mod round_trips;
mod values;
