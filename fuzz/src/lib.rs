//! The targets are functions of the crate's own tests, so that what once crashed one is tested by `cargo test`. This package makes
//! programs of them.

#[path = "../../tests/hostile/targets/mod.rs"]
pub mod targets;

#[path = "../../tests/hostile/compact.rs"]
#[allow(dead_code)]
mod compact;

#[path = "../../tests/it/arrow_write"]
#[allow(dead_code)]
mod arrow_write {
    pub mod arrays;
    pub mod options;
    pub mod values;
}

#[path = "../../tests/it/filters"]
#[allow(dead_code)]
mod filters {
    pub mod cells;
    pub mod expressions;
}

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
