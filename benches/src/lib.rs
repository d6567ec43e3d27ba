//! Herringbone beside the official crate and Polars, and counts of its instructions: see *Performance* in the crate's documentation.
#![forbid(unsafe_code)]

pub mod compare;
pub mod digest;
pub mod engines;
pub mod filters;
pub mod make;
pub mod memory;
pub mod random;
pub mod report;
pub mod shapes;

/// What goes wrong in a benchmark is told to the one who runs it.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
