//! Integration tests.

mod documents;
mod layering;
