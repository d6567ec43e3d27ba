//! Repetition and definition levels ⇄ offsets and validity.
//!
//! [`LevelReader`] decodes levels: those of a flat nullable column become the validity bitmap directly, all others become
//! one byte a level. [`nested`] turns bytes of levels into the offsets and bitmaps of each list and struct on the way to
//! the leaf, 64 levels at a time. [`spread()`] moves densely decoded values to their slots, so that no decoder knows of
//! nulls. [`write_levels`] and its like encode levels.
//!
//! Specification: "Nested Encoding" and "Nulls" in the format's README.

#[cfg(feature = "arrow")]
pub(crate) mod keep;
pub mod nested;
mod reader;
mod spread;
mod writer;

pub use reader::{LevelEncoding, LevelReader};
pub use spread::spread;
pub(crate) use spread::{spread_entries, spread_offsets, spread_stored};
pub use writer::{count_level, count_levels, write_equal_levels, write_levels, write_validity};
