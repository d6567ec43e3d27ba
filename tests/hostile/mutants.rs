//! Broken copies of every file end in an error that says where, or in values: in time, in bounds, and never in a panic.
//!
//! The plain test takes a share of the mutants; `corpora_mutants` takes many more, of `testdata/` and of the folders that
//! PARQUET_TEST_DATA and PARQUET_FUZZ_DATA name.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use herringbone::{Place, read};

use crate::agree::{Agreement, agree};
use crate::files;
use crate::mutate::{Victim, limits};
use crate::reading::{memory_bound, survive};

/// In the plain test, mutants of one file.
const SHARE: usize = if cfg!(debug_assertions) { 60 } else { 600 };

/// With the corpora, mutants of one file; HERRINGBONE_MUTANTS can be set to another number, and to a very large one for all.
const OF_CORPORA: usize = if cfg!(debug_assertions) { 200 } else { 4_000 };

/// Larger files of the corpora are left out: their mutants say nothing that those of smaller files do not.
const LARGEST: u64 = 200_000;

/// One mutant of so many is also read by filters, by pushing and as a stream.
const OTHER_WAYS: usize = 4;

#[test]
fn mutants_neither_panic_nor_hang_nor_swell() {
    let files: Vec<PathBuf> = files::all().into_iter().map(|file| file.path).collect();
    check(&files, SHARE);
}

/// Each file of `testdata/`, cut at each of its bytes.
#[test]
fn no_cut_is_taken_for_a_file() {
    let cuts = AtomicU64::new(0);
    let files: Vec<PathBuf> = files::all().into_iter().map(|file| file.path).collect();
    files::for_each(
        &files,
        |path| path.display().to_string(),
        |path| {
            let whole = Bytes::from(std::fs::read(path).expect("a readable file"));
            for cut in 0..whole.len() {
                let bytes = whole.slice(..cut);
                match read::metadata(&bytes, &limits()) {
                    // The four bytes of the end may be among a file's data.
                    Ok(_) => drop(survive(&bytes).map_err(|fault| format!("cut at {cut}: {fault}"))?),
                    Err(error) if *error.place() == Place::default() => {
                        return Err(format!("cut at {cut}: an error without a place: {error}"));
                    }
                    Err(_) => {}
                }
            }
            cuts.fetch_add(whole.len() as u64, Relaxed);
            Ok(())
        },
    );
    let cuts = cuts.into_inner();
    println!("{cuts} cuts of {} files", files.len());
    assert!(cuts > 500_000, "{cuts} cuts");
}

#[test]
#[ignore = "takes minutes, and PARQUET_TEST_DATA and PARQUET_FUZZ_DATA"]
fn corpora_mutants() {
    let mut files: Vec<PathBuf> = files::all().into_iter().map(|file| file.path).collect();
    let data = PathBuf::from(std::env::var_os("PARQUET_TEST_DATA").expect("PARQUET_TEST_DATA names a folder"));
    let fuzz = PathBuf::from(std::env::var_os("PARQUET_FUZZ_DATA").expect("PARQUET_FUZZ_DATA names a folder"));
    for folder in [&data, &data.join("../bad_data"), &data.join("geospatial"), &data.join("../shredded_variant"), &fuzz] {
        files.extend(inputs(folder));
    }
    let most = std::env::var("HERRINGBONE_MUTANTS").ok().map_or(OF_CORPORA, |number| number.parse().expect("a number"));
    check(&files, most);
}

/// The files of a folder that are small and not of another kind.
fn inputs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let fits = |path: &PathBuf| {
        let size = path.metadata().map_or(0, |metadata| metadata.len());
        path.is_file()
            && (1..=LARGEST).contains(&size)
            && path.extension().is_none_or(|e| !["csv", "md", "json"].contains(&&*e.to_string_lossy()))
    };
    paths.filter(fits).collect()
}

#[derive(Default)]
struct Tally {
    read: AtomicU64,
    refused: AtomicU64,
    slowest_micros: AtomicU64,
    peak: AtomicU64,
    kept: AtomicU64,
    filtered: AtomicU64,
    chosen: AtomicU64,
    pushed: AtomicU64,
    streamed: AtomicU64,
    together: AtomicU64,
}

impl Tally {
    fn add(&self, agreement: Agreement) {
        self.kept.fetch_add(agreement.kept.into(), Relaxed);
        self.pushed.fetch_add(agreement.pushed.into(), Relaxed);
        self.streamed.fetch_add(agreement.streamed.into(), Relaxed);
        self.together.fetch_add(agreement.together.into(), Relaxed);
        self.filtered.fetch_add(agreement.filtered.is_some().into(), Relaxed);
        self.chosen.fetch_add(agreement.filtered.unwrap_or(0) as u64, Relaxed);
    }
}

fn check(files: &[PathBuf], most: usize) {
    let tally = Tally::default();
    files::for_each(
        files,
        |path| path.display().to_string(),
        |path| {
            let victim = Victim::new(std::fs::read(path).expect("a readable file"));
            let mutations = victim.mutations();
            let step = mutations.len().div_ceil(most).max(1);
            // Every file begins at another place, so that the share is of all kinds.
            let first = victim.bytes.iter().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte))) % step;
            for (index, mutation) in mutations.into_iter().skip(first).step_by(step).enumerate() {
                let bytes = victim.broken(mutation);
                let outcome = survive(&bytes).map_err(|fault| format!("{mutation:?}: {fault}"))?;
                if index % OTHER_WAYS == 0 {
                    tally.add(agree(&bytes).map_err(|fault| format!("{mutation:?}: {fault}"))?);
                }
                let count = if outcome.scan.is_ok() { &tally.read } else { &tally.refused };
                count.fetch_add(1, Relaxed);
                tally.slowest_micros.fetch_max(outcome.cost.took.as_micros() as u64, Relaxed);
                tally.peak.fetch_max(outcome.cost.peak, Relaxed);
            }
            Ok(())
        },
    );
    let (read, refused) = (tally.read.into_inner(), tally.refused.into_inner());
    println!(
        "{} mutants of {} files: {read} read, {refused} refused; the slowest took {} ms, the largest {} KiB of the {} KiB allowed",
        read + refused,
        files.len(),
        tally.slowest_micros.into_inner() / 1000,
        tally.peak.into_inner() >> 10,
        memory_bound() >> 10,
    );
    let [kept, filtered, chosen] = [tally.kept, tally.filtered, tally.chosen].map(AtomicU64::into_inner);
    let [pushed, streamed, together] = [tally.pushed, tally.streamed, tally.together].map(AtomicU64::into_inner);
    println!("as a plain scan: {kept} by a function that keeps all, {filtered} by expressions that chose {chosen} rows, {pushed} pushed,");
    println!("  {streamed} as streams, {together} on two threads");
    assert!(read > 1000 && refused > 1000, "{read} read and {refused} refused: are these mutants?");
    let is_there = |there: bool, ways: u64| !there || ways > read / 8;
    assert!([kept, filtered, pushed].into_iter().all(|ways| ways > read / 8) && chosen > 1000, "other ways were not compared");
    assert!(is_there(cfg!(feature = "async"), streamed) && is_there(cfg!(feature = "rayon"), together), "other ways were not compared");
}
