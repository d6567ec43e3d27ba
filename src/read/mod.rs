//! Reading: sources, metadata, pages, leaf columns.
//!
//! This level has no opinion about memory formats and threads. [`metadata()`] reads a file's footer from any [`Source`];
//! [`pages()`] streams the [`CompressedPage`](crate::page::CompressedPage)s of a column chunk, which callers decompress
//! and decode wherever they like. Record batches are made a level above, in `herringbone::arrow`.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod footer;
mod leaf;
mod pages;
mod source;

pub use footer::metadata;
pub use pages::{PageOptions, PageReader, pages};
pub use source::{FileSource, SeekSource, Source};

pub(crate) use leaf::{LeafData, LeafReader, PageSource, Scratch};
