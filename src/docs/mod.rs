//! How the crate works inside, for those who want to change it or to know what to expect of it.
//!
//! - [`architecture`]: the rooms of the crate, the way of a page from the file to an array, threads, memory, and where to
//!   find what.
//! - [`adding_an_encoding`], [`adding_a_codec`], [`adding_a_logical_type`]: which files to touch in which order, with an
//!   example from the code.
//! - [`format_coverage`]: every feature of the format, whether it is read and written, and where that is tested.
//! - [`reading_remotely`]: bytes that come asynchronously, or are pushed, and how few requests that takes.
//! - [`verify`]: what is checked of a file, and what is let pass.
//! - [`performance`]: how speed is measured, and what makes it.
//!
//! The modules are text only; the pages lie in `src/docs/` as Markdown.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("adding_an_encoding.md")]
pub mod adding_an_encoding {}

#[doc = include_str!("adding_a_codec.md")]
pub mod adding_a_codec {}

#[doc = include_str!("adding_a_logical_type.md")]
pub mod adding_a_logical_type {}

#[doc = include_str!("format_coverage.md")]
pub mod format_coverage {}

#[doc = include_str!("reading_remotely.md")]
pub mod reading_remotely {}

#[doc = include_str!("verify.md")]
pub mod verify {}

#[doc = include_str!("performance.md")]
pub mod performance {}
