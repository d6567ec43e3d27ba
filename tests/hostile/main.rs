//! Files that mean harm, sources and sinks that fail: everything ends in values or in an error, soon, and within the limits.
//!
//! A binary of its own because its allocator counts.
#![cfg(feature = "arrow")]

#[path = "../it/files.rs"]
#[allow(dead_code)]
mod files;

#[path = "../it/arrow_write"]
#[allow(dead_code)]
mod arrow_write {
    pub mod arrays;
    pub mod options;
    pub mod values;
}
#[path = "../it/filters"]
#[allow(dead_code)]
mod filters {
    pub mod cells;
    pub mod expressions;
}

mod agree;
mod bombs;
mod bombs_of_arrays;
mod bombs_of_copies;
mod bombs_of_texts;
mod budgets;
mod compact;
mod faults;
mod integers;
mod mutants;
mod mutate;
mod reading;
mod regressions;
mod targets;
#[cfg(feature = "rayon")]
mod together;

/// Where the files are that mutants and seeds are made of.
const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
