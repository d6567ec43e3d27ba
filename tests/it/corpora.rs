//! Files that others wrote, where they are at hand: PARQUET_TEST_DATA names the folder `data` of apache/parquet-testing, PARQUET_FUZZ_DATA a folder
//! of inputs that once crashed a reader.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow_array::Array;
use arrow_select::concat::concat_batches;
use herringbone::arrow::{Overflow, ParquetFile, ScanBuilder};
use herringbone::schema::TimeUnit;
use herringbone::{Error, ErrorKind, Limits};

use crate::files;

/// Files of `data` whose pages do not match their checksums.
const CORRUPT: &[&str] = &["datapage_v1-corrupt-checksum", "rle-dict-uncompressed-corrupt-checksum"];

/// The one file of `bad_data` that is lawful after all: indices of width 0 into a dictionary of one entry.
const NOT_SO_BAD: &str = "ARROW-GH-43605";

const PATIENCE: Duration = Duration::from_secs(20);
/// The one file with gigabytes of strings.
const LARGE: &str = "large_string_map.brotli";
const LARGE_PATIENCE: Duration = Duration::from_secs(120);

#[test]
#[ignore = "needs PARQUET_TEST_DATA"]
fn corpora_good_files_read() {
    let data = folder("PARQUET_TEST_DATA");
    let mut files = parquet_files(&data);
    files.extend(parquet_files(&data.join("geospatial")));
    files.extend(parquet_files(&data.join("../shredded_variant")));
    let rows = AtomicU64::new(0);
    each(&files, |path| {
        let read = timed(path, false, if stem(path) == LARGE { LARGE_PATIENCE } else { PATIENCE })?.map_err(text)?;
        rows.fetch_add(read, Ordering::Relaxed);
        let announced = ParquetFile::open(path).map_err(text)?.metadata().num_rows();
        if read == announced { Ok(()) } else { Err(format!("{read} rows of the {announced} announced")) }
    });
    println!("{} good files, {} rows", files.len(), rows.into_inner());
}

#[test]
#[ignore = "needs PARQUET_TEST_DATA"]
fn corpora_parts_equal_slices_of_the_whole() {
    let mut files = parquet_files(&folder("PARQUET_TEST_DATA"));
    files.retain(|path| stem(path) != LARGE);
    each(&files, |path| {
        let file = ParquetFile::open(path).map_err(text)?;
        let scan = || file.scan().int96_overflow(Overflow::Null);
        let whole = scan().build().and_then(|scan| scan.read_all()).map_err(text)?;
        let schema = file.arrow_schema().map_err(text)?;
        let whole = concat_batches(&schema, &whole).map_err(text)?;
        let n = whole.num_rows();
        for (offset, limit, batch) in [(0, n, 101), (n / 3, n / 2, 17), (n.saturating_sub(3), 2, 1), (n / 2, 400, 399)] {
            let read = scan().offset(offset as u64).limit(limit as u64).batch_rows(batch).threads(1).build().map_err(text)?;
            let read = concat_batches(&schema, &read.read_all().map_err(text)?).map_err(text)?;
            if read != whole.slice(offset, limit.min(n - offset)) {
                return Err(format!("differs with offset {offset}, limit {limit} and batches of {batch}"));
            }
        }
        Ok(())
    });
    println!("{} files read in parts", files.len());
}

#[test]
#[ignore = "needs PARQUET_TEST_DATA"]
fn corpora_far_timestamps_are_refused_unless_asked_for() {
    let file = ParquetFile::open(folder("PARQUET_TEST_DATA").join("int96_from_spark.parquet")).expect("a readable footer");
    let read = |scan: ScanBuilder| scan.build().and_then(|scan| scan.read_all());
    let error = read(file.scan()).expect_err("years that nanoseconds cannot hold");
    assert_eq!(error.place().column.as_deref(), Some("a"), "{error}");
    let exact = read(file.scan().int96_unit(TimeUnit::Millis)).expect("milliseconds can hold them");
    let nulls = read(file.scan().int96_overflow(Overflow::Null)).expect("nulls in their place");
    assert!(nulls[0].column(0).null_count() > exact[0].column(0).null_count());
}

#[test]
#[ignore = "needs PARQUET_TEST_DATA"]
fn corpora_checksums_are_verified_on_request() {
    let files = parquet_files(&folder("PARQUET_TEST_DATA"));
    let files: Vec<PathBuf> = files.into_iter().filter(|path| stem(path).contains("checksum")).collect();
    each(&files, |path| match (CORRUPT.contains(&stem(path).as_str()), timed(path, true, PATIENCE)?) {
        (true, Err(error)) if error.kind() == ErrorKind::Malformed => Ok(()),
        (false, Ok(_)) => Ok(()),
        (true, outcome) => Err(format!("should be refused, gives {outcome:?}")),
        (false, Err(error)) => Err(error.to_string()),
    });
    println!("{} files with checksums", files.len());
}

#[test]
#[ignore = "needs PARQUET_TEST_DATA"]
fn corpora_bad_files_are_refused() {
    let files = parquet_files(&folder("PARQUET_TEST_DATA").join("../bad_data"));
    each(&files, |path| match timed(path, false, PATIENCE)? {
        Ok(_) if stem(path) == NOT_SO_BAD => Ok(()),
        Ok(rows) => Err(format!("gives {rows} rows, but should be refused")),
        Err(_) => Ok(()),
    });
    println!("{} bad files", files.len());
}

#[test]
#[ignore = "needs PARQUET_TEST_DATA"]
fn corpora_encrypted_files_are_unsupported() {
    let data = folder("PARQUET_TEST_DATA");
    let mut files = with_ending(&data, ".parquet.encrypted");
    files.extend(with_ending(&data.join("aes256"), ".parquet.encrypted"));
    each(&files, |path| match timed(path, false, PATIENCE)? {
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
        outcome => Err(format!("should be unsupported, gives {outcome:?}")),
    });
    println!("{} encrypted files", files.len());
}

#[test]
#[ignore = "needs PARQUET_FUZZ_DATA"]
fn corpora_inputs_of_fuzzers_end() {
    let files = with_ending(&folder("PARQUET_FUZZ_DATA"), "");
    let read = AtomicU64::new(0);
    each(&files, |path| {
        if timed(path, false, PATIENCE)?.is_ok() {
            read.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    println!("{} inputs of fuzzers, of which {} read", files.len(), read.into_inner());
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn folder(variable: &str) -> PathBuf {
    let value = std::env::var_os(variable).unwrap_or_else(|| panic!("set {variable} to a folder"));
    PathBuf::from(value)
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    with_ending(folder, ".parquet")
}

fn with_ending(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending)).collect();
    assert!(!files.is_empty(), "no file was found in {}", folder.display());
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn each(files: &[PathBuf], check: impl Fn(&Path) -> Result<(), String> + Sync) {
    files::for_each(files, |path| path.display().to_string(), |path| check(path));
}

/// The rows of a file, all of which are read batch by batch; too long a time is a fault whatever comes of it.
fn timed(path: &Path, verify_crc: bool, patience: Duration) -> Result<Result<u64, Error>, String> {
    let began = Instant::now();
    let outcome = rows(path, verify_crc);
    let took = began.elapsed();
    if took > patience { Err(format!("took {} ms", took.as_millis())) } else { Ok(outcome) }
}

fn rows(path: &Path, verify_crc: bool) -> Result<u64, Error> {
    // One file has a page of a gigabyte.
    let file = ParquetFile::open_with(path, Limits { page_bytes: 2 << 30, ..Limits::default() })?;
    let mut rows = 0;
    for batch in file.scan().verify_crc(verify_crc).int96_overflow(Overflow::Null).build()? {
        rows += batch?.num_rows() as u64;
    }
    Ok(rows)
}
