//! Herringbone beside other readers and writers of Parquet: pyarrow, DuckDB, Polars, Spark and the official Rust crate.
//!
//! `HERRINGBONE_PYTHON` names a Python with what `requirements.txt` lists; Spark wants Java besides.

#[path = "../../it/arrow_write"]
mod arrow_write {
    #[allow(dead_code)]
    pub mod arrays;
    pub mod values;
}
#[path = "../../it/filters"]
mod filters {
    pub mod cells;
    pub mod expressions;
}
mod findings;
mod indexes;
#[path = "../../hostile/integers.rs"]
mod integers;
mod matrix;
mod mutants;
#[path = "../../hostile/mutate.rs"]
mod mutate;
mod others_to_ours;
mod ours_to_others;
mod parts;
mod properties;
mod python;
mod skipping;
mod values;

use arrow_write::{arrays, values as text};
