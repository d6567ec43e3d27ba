//! Herringbone beside other readers and writers of Parquet: pyarrow, DuckDB, Polars, Spark and the official Rust crate.
//!
//! `HERRINGBONE_PYTHON` names a Python with what `requirements.txt` lists; Spark wants Java besides.

#[path = "../../it/arrow_write/arrays.rs"]
#[allow(dead_code)]
mod arrays;
mod indexes;
#[path = "../../hostile/integers.rs"]
mod integers;
mod matrix;
mod mutants;
#[path = "../../hostile/mutate.rs"]
mod mutate;
mod others_to_ours;
mod ours_to_others;
mod properties;
mod python;
mod skipping;
#[path = "../../it/arrow_write/values.rs"]
mod text;
mod values;
