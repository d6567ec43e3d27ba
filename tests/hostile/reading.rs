//! Reading bytes in every way there is, while time and memory are watched.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use herringbone::arrow::ParquetFile;
use herringbone::compression::Decompressor;

use herringbone::predicate::col;
use herringbone::read::{self, PageOptions};
use herringbone::verify::{VerifyOptions, verify};
use herringbone::{Error, ErrorKind, Limits, Place};

use crate::files;
use crate::mutate::limits;

/// Rows beyond these are not asked for: a file may lawfully claim any number of them.
pub const ROWS: u64 = 20_000;
/// Column chunks beyond these are not walked page by page.
const CHUNKS: usize = 128;

/// What reading may take at its peak under [`limits`].
pub fn memory_bound() -> u64 {
    let limits = limits();
    (limits.memory_bytes + limits.metadata_bytes + (8 << 20)) as u64
}

/// What one input may take. Without optimisation everything is many times slower.
pub const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });

/// What reading came to.
#[derive(Debug)]
pub struct Outcome {
    /// The rows of the scan, or why there are none.
    pub scan: Result<usize, Error>,
    pub cost: Cost,
}

/// Reads `bytes` by a scan, by pages, by filters and by verifying, and fails when that panics, takes too long or too much
/// memory, or ends in an error that does not say where.
pub fn survive(bytes: &Bytes) -> Result<Outcome, String> {
    let (scan, cost) = measured(|| all_ways(bytes))?;
    Ok(Outcome { scan, cost })
}

/// What something took.
#[derive(Debug)]
pub struct Cost {
    pub took: Duration,
    /// The most bytes that were allocated at once.
    pub peak: u64,
}

/// Does something, and fails when that panics, takes too long or too much memory.
pub fn measured<T>(what: impl Fn() -> Result<T, String>) -> Result<(T, Cost), String> {
    let (mut result, mut cost) = once(&what)?;
    // Others may have had the processor: the best of a few times counts.
    for _ in 0..4 {
        if cost.took <= PATIENCE {
            break;
        }
        (result, cost) = once(&what)?;
    }
    if cost.took > PATIENCE {
        return Err(format!("took {} ms", cost.took.as_millis()));
    }
    if cost.peak > memory_bound() {
        return Err(format!("took {} bytes of memory", cost.peak));
    }
    Ok((result, cost))
}

fn once<T>(what: impl Fn() -> Result<T, String>) -> Result<(T, Cost), String> {
    let result = Cell::new(None);
    let began = Instant::now();
    let allocated = allocation_counter::measure(|| {
        let done = std::panic::catch_unwind(AssertUnwindSafe(&what));
        result.set(Some(done.unwrap_or_else(|panic| Err(files::panic_message(&*panic)))));
    });
    let done = result.take().expect("it was set")?;
    Ok((done, Cost { took: began.elapsed(), peak: allocated.bytes_max }))
}

fn all_ways(bytes: &Bytes) -> Result<Result<usize, Error>, String> {
    let (scanned, pages) = (scan(bytes), metadata(bytes));
    named(&scanned)?;
    let pages = pages?;
    let report = verify(bytes, &VerifyOptions { limits: limits(), findings: 100, values: 200_000, ..VerifyOptions::default() })
        .map_err(|error| format!("verifying fails: {error}"))?;
    match pages {
        Err(error) if error.kind() == ErrorKind::Malformed && report.is_complete() && report.is_clean() => {
            Err(format!("nothing is wrong, says verify, and a page does not decode: {error}"))
        }
        _ => Ok(scanned),
    }
}

/// Whether an error says where.
fn named<T>(result: &Result<T, Error>) -> Result<(), String> {
    match result {
        Err(error) if error.message().is_empty() => Err("an error without a message".to_owned()),
        Err(error) if *error.place() == Place::default() => Err(format!("an error without a place: {error}")),
        _ => Ok(()),
    }
}

fn scan(bytes: &Bytes) -> Result<usize, Error> {
    let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
    let mut rows = 0;
    for batch in file.scan().threads(1).limit(ROWS).batch_rows(1000).build()? {
        let batch = batch?;
        for column in batch.columns() {
            if let Err(fault) = column.to_data().validate_full() {
                panic!("an array that is not valid: {fault}");
            }
        }
        rows += batch.num_rows();
    }
    Ok(rows)
}

/// Statistics, what filters make of them, and the pages, each decoded alone.
fn metadata(bytes: &Bytes) -> Result<Result<(), Error>, String> {
    let limits = limits();
    let metadata = read::metadata(bytes, &limits);
    named(&metadata)?;
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error) => return Ok(Err(error)),
    };
    for leaf in metadata.schema().leaves() {
        if let Ok(filter) = col(leaf.path.dotted()).is_null().bind(metadata.schema()) {
            metadata.row_groups().take(CHUNKS).for_each(|group| {
                filter.row_group(&group);
            });
        }
    }
    let leaves = metadata.schema().leaves().len();
    let chunks = (0..metadata.num_row_groups()).flat_map(|group| (0..leaves).map(move |leaf| (group, leaf)));
    let mut failed = Ok(());
    for (group, leaf) in chunks.take(CHUNKS) {
        let read = pages(bytes, &metadata, group, leaf, &limits);
        named(&read)?;
        failed = failed.and(read);
    }
    Ok(failed)
}

fn pages(bytes: &Bytes, metadata: &herringbone::metadata::FileMetadata, group: usize, leaf: usize, limits: &Limits) -> Result<(), Error> {
    let options = PageOptions { limits: limits.clone(), verify_crc: false, window: None };
    let (mut decompressor, mut dictionary, mut buffer) = (Decompressor::new(), None, Vec::new());
    for page in read::pages(bytes.clone(), metadata, group, leaf, &options)? {
        let page = page?;
        let is_dictionary = page.is_dictionary();
        let page = page.decompress(&mut decompressor, buffer)?;
        if is_dictionary {
            dictionary = Some(Arc::new(page.decode_dictionary()?));
        } else {
            page.decode(dictionary.as_ref(), limits)?;
        }
        buffer = page.into_buffer();
    }
    Ok(())
}
