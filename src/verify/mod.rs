//! Checking a whole file: everything that it says about itself is computed again from its pages.
//!
//! [`verify`] walks over all bytes of a file, with bounded memory, and returns a [`Report`] of [`Finding`]s. Readers pass over
//! what merely helps them (statistics, page index, bloom filters) when it contradicts itself, and believe it otherwise; here
//! it is held against the data: checksums, sizes, row counts, levels, values to their last byte, dictionary indices, encodings,
//! bounds and their exactness, counts, histograms, page index, bloom filters, sorting columns, the stored Arrow schema.
//!
//! A finding has a [`Code`] and a [`Severity`]: an error gives readers wrong data or makes them skip what they should not skip,
//! a warning is what the format or its readers put up with, and a note says what could not be checked. A file of which
//! [everything was checked](Report::is_complete) has no notes.
//!
//! ```
//! use herringbone::read::FileSource;
//! use herringbone::verify::{VerifyOptions, verify};
//!
//! # fn main() -> herringbone::Result<()> {
//! let file = FileSource::open("testdata/codecs.none-v1.parquet")?;
//! let report = verify(&file, &VerifyOptions::default())?;
//! assert_eq!(report.findings, []);
//! assert!(report.is_clean() && report.is_complete());
//! assert!(report.pages > 1);
//! # Ok(())
//! # }
//! ```
//!
//! Specification: all of it; `PageIndex.md`, `BloomFilter.md` and the comments of `parquet.thrift` most of all.

mod bloom;
mod bounds;
mod budgets;
mod chunk;
mod extent;
mod facts;
mod frame;
mod index;
mod layout;
mod page;
mod pages;
mod report;
mod row_group;
mod sorted;
mod spot;
mod stored_schema;
mod waves;

pub use report::{Code, Finding, Report, Severity};

use std::sync::Arc;

use crate::error::Result;
use crate::limits::Limits;
use crate::read::Source;
use crate::verify::budgets::Budgets;
use crate::verify::report::Recorder;

/// How a file is checked.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// What the file may cost; what would cost more is not checked, which a note says.
    pub limits: Limits,
    /// How many findings are kept; further ones are counted. Default 10,000.
    pub findings: usize,
    /// How many values, nulls included, are decoded in all: a file of a few bytes can lawfully claim more than anybody has time
    /// for. Of byte arrays 16 bytes count as a value, too. Pages beyond are not decoded, which a note says. Default 2^36.
    pub values: u64,
    /// How many bytes of pages, indexes and bloom filters are read in all, those that pages are decompressed to included: column chunks of a broken
    /// file can be the same bytes again and again, and a few bytes can be decompressed to gigabytes. What is beyond is not checked, which a note
    /// says. By default 1,024 times as many as the file has, 4 GiB at least.
    pub bytes: Option<u64>,
    /// How many column chunks are checked at once, on rayon's pool: the one that [`verify`] is called in, or the global one. 0 for as many as it
    /// has threads. Default 1: on the thread that calls. Without the feature `rayon` it is always 1. What is found does not depend on it.
    pub threads: usize,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), findings: 10_000, values: 1 << 36, bytes: None, threads: 1 }
    }
}

/// Checks a whole file.
///
/// Memory: for each of [`VerifyOptions::threads`] one page at a time, decoded in blocks, and the page index and the bloom filter of a chunk, beside the
/// footer. Two bits a row are kept for
/// each sorting column of a row group and the hashes of a chunk's values where the file counts different ones.
///
/// # Errors
/// `Io` when the source fails. Whatever is wrong with the file is in the report.
pub fn verify(source: &dyn Source, options: &VerifyOptions) -> Result<Report> {
    let size = source.size()?;
    let bytes = options.bytes.unwrap_or_else(|| size.saturating_mul(1024).max(4 << 30));
    let mut recorder = Recorder::new(Arc::new(Budgets::new([options.findings as u64, options.values, bytes])));
    frame::walk(source, size, options, &mut recorder)?;
    Ok(recorder.report)
}
