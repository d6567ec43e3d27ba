//! Integration tests.

mod documents;
mod layering;
mod lints;

#[cfg(feature = "arrow")]
mod arrow_write;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod cli_checks;
#[cfg(feature = "cli")]
mod cli_write;
#[cfg(feature = "arrow")]
mod corpora;
#[cfg(feature = "arrow")]
mod files;
#[cfg(feature = "arrow")]
mod filters;
#[cfg(feature = "arrow")]
mod golden;
#[cfg(all(feature = "arrow", feature = "rayon"))]
mod lists_on_threads;
#[cfg(feature = "arrow")]
mod remote;
#[cfg(all(feature = "arrow", feature = "rayon"))]
mod shared_lanes;
#[cfg(all(feature = "arrow", feature = "snappy"))]
mod streaming;
#[cfg(all(feature = "arrow", feature = "snappy"))]
mod together;
#[cfg(feature = "arrow")]
mod verify;
