//! Files that mean harm, sources and sinks that fail: everything ends in values or in an error, soon, and within the limits.
//!
//! A binary of its own because its allocator counts.
#![cfg(feature = "arrow")]

#[path = "../it/files.rs"]
#[allow(dead_code)]
mod files;

mod bombs;
mod compact;
mod faults;
mod integers;
mod mutants;
mod mutate;
mod reading;
mod together;
