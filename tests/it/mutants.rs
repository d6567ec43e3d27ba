//! Broken copies of every file of `testdata/` end in an error or in values, in time, and never in a panic.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use herringbone::arrow::ParquetFile;
use herringbone::verify::{VerifyOptions, verify};
use herringbone::{Error, Limits};

use crate::files::{self, TestFile};

/// Mutants of one file: cut short, and with a bit flipped in the footer and anywhere.
const CUTS: u64 = 60;
const FOOTER_FLIPS: u64 = 90;
const FLIPS: u64 = 150;

/// What one mutant may take, on a slow machine without optimisation.
const PATIENCE: Duration = Duration::from_secs(10);

/// Rows beyond these are not asked for: a mutant may lawfully claim any number of them.
const ROWS: u64 = 20_000;

#[test]
fn broken_files_neither_panic_nor_hang() {
    let files = files::all();
    let tally = Tally::default();
    files::for_each(&files, |file| file.name.clone(), |file| check(file, &tally));
    let (read, refused) = (tally.read.into_inner(), tally.refused.into_inner());
    println!(
        "{} mutants of {} files: {read} read, {refused} refused, the slowest took {} ms",
        read + refused,
        files.len(),
        tally.slowest.into_inner()
    );
    assert!(read > 1000 && refused > 1000, "{read} read and {refused} refused: are these mutants?");
}

#[derive(Default)]
struct Tally {
    read: AtomicU64,
    refused: AtomicU64,
    slowest: AtomicU64,
}

fn check(file: &TestFile, tally: &Tally) -> Result<(), String> {
    let whole = file.bytes();
    let mut random = Random(whole.len() as u64 ^ 0x9e37_79b9_7f4a_7c15);
    for _ in 0..CUTS {
        let len = random.below(whole.len() as u64) as usize;
        // Cut in the middle, so that the footer stays where it is looked for, and at the end.
        let mut cut = whole.clone();
        if random.below(2) == 0 {
            cut.truncate(len);
        } else {
            let gone = (random.below(40) as usize + 1).min(whole.len() - len);
            cut.drain(len..len + gone);
        }
        survive(cut, tally, &format!("cut at {len}"))?;
    }
    let tail = whole.len().saturating_sub(8);
    let footer = whole.get(tail..tail + 4).map_or(0, |len| u32::from_le_bytes(len.try_into().expect("four bytes"))) as usize;
    let footer = tail.saturating_sub(footer);
    for i in 0..FOOTER_FLIPS + FLIPS {
        let from = if i < FOOTER_FLIPS { footer } else { 0 };
        let at = from + random.below((whole.len() - from) as u64) as usize;
        let bit = random.below(8);
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << bit;
        survive(flipped, tally, &format!("bit {bit} of byte {at} flipped"))?;
    }
    Ok(())
}

fn survive(bytes: Vec<u8>, tally: &Tally, what: &str) -> Result<(), String> {
    let began = Instant::now();
    let outcome = std::panic::catch_unwind(|| read(bytes));
    let took = began.elapsed();
    tally.slowest.fetch_max(took.as_millis() as u64, Ordering::Relaxed);
    let count = if matches!(outcome, Ok(Ok(_))) { &tally.read } else { &tally.refused };
    count.fetch_add(1, Ordering::Relaxed);
    match outcome {
        Err(panic) => Err(format!("{what}: {}", files::panic_message(&*panic))),
        Ok(_) if took > PATIENCE => Err(format!("{what}: took {} ms", took.as_millis())),
        Ok(Err(error)) if error.to_string().is_empty() => Err(format!("{what}: an error without a message")),
        Ok(_) => Ok(()),
    }
}

fn read(bytes: Vec<u8>) -> Result<usize, Error> {
    let limits =
        Limits { page_bytes: 16 << 20, batch_bytes: 16 << 20, memory_bytes: 64 << 20, metadata_bytes: 64 << 20, ..Limits::default() };
    let bytes = Bytes::from(bytes);
    verify(&bytes, &VerifyOptions { limits: limits.clone(), values: 200_000, ..VerifyOptions::default() })?;
    let file = ParquetFile::from_source_with(bytes, limits)?;
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

/// Marsaglia's xorshift: enough to pick bytes, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n.max(1)
    }
}
