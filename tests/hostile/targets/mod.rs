//! What the fuzz targets do with the bytes that a fuzzer makes up: the targets in `fuzz/` call these functions, and the tests of
//! [`regressions`](crate::regressions) call them on inputs that once were too much.

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use herringbone::{Error, Limits};
use std::sync::OnceLock;

#[cfg(any(feature = "async", feature = "rayon"))]
use crate::arrow_write::arrays::Random;

mod codecs;
mod column;
#[cfg(feature = "sql")]
mod conditions;
mod decode;
mod encodings;
mod filter;
mod footer;
mod index;
mod levels;
mod pages;
mod round_trip;
mod scan;
mod seeds;
#[cfg(feature = "async")]
mod streams;
mod texts;
#[cfg(feature = "rayon")]
mod threads;
mod verify;
mod walk;
mod whole_file;

pub use seeds::seeds;

/// What is done with an input; it panics when the crate broke a promise.
type Target = fn(&[u8]);

/// Every target, by its name.
pub const ALL: &[(&str, Target)] = &[
    ("codecs", codecs::run),
    #[cfg(feature = "sql")]
    ("conditions", conditions::run),
    ("encodings", encodings::run),
    ("filter", filter::run),
    ("footer", footer::run),
    ("index", index::run),
    ("levels", levels::run),
    ("pages", pages::run),
    ("round_trip", round_trip::run),
    ("scan", scan::run),
    #[cfg(feature = "async")]
    ("streams", streams::run),
    ("texts", texts::run),
    #[cfg(feature = "rayon")]
    ("threads", threads::run),
    ("verify", verify::run),
    ("whole_file", whole_file::run),
];

/// The memory of one input: what the limits below allow, several times over, and what the files take that targets write.
const MEMORY: u64 = 64 << 20;

/// Runs the target of a name, while its memory is counted.
///
/// # Panics
/// When the crate broke a promise, and when there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let (_, run) = ALL.iter().find(|(target, _)| *target == name).expect("a target of that name");
    let allocated = allocation_counter::measure(|| run(data));
    assert!(allocated.bytes_max <= MEMORY, "{} bytes of memory at the peak", allocated.bytes_max);
}

/// Limits under which no input may take long or much memory.
fn limits() -> Limits {
    Limits {
        footer_bytes: 4 << 20,
        page_bytes: 1 << 20,
        batch_bytes: 1 << 20,
        metadata_bytes: 8 << 20,
        memory_bytes: 8 << 20,
        ..Limits::default()
    }
}

/// Holds an error to what is promised of all: that it says something.
fn judge(error: &Error) {
    assert!(!error.to_string().is_empty(), "an error without a message");
}

/// An input's first bytes as what a target is to do, and the rest of them.
fn split<'a, T: Arbitrary<'a>>(data: &'a [u8]) -> Option<(T, &'a [u8])> {
    let mut input = Unstructured::new(data);
    let control = input.arbitrary().ok()?;
    Some((control, input.take_rest()))
}

/// Some bytes of a page, changed.
#[derive(Arbitrary, Debug)]
struct Change {
    at: u16,
    by: u8,
}

fn change(bytes: &mut [u8], changes: &[Change]) {
    for Change { at, by } in changes {
        let at = usize::from(*at) % bytes.len().max(1);
        if let Some(changed) = bytes.get_mut(at) {
            *changed ^= by;
        }
    }
}

/// One of the small files of `testdata/`.
#[cfg(any(feature = "async", feature = "rayon"))]
fn test_file(random: &mut Random) -> &'static (String, Bytes) {
    &test_files()[(random.below(256) * 256 + random.below(256)) % test_files().len()]
}

/// The small files of `testdata/`, in the order of their names.
fn test_files() -> &'static [(String, Bytes)] {
    static FILES: OnceLock<Vec<(String, Bytes)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let entries = std::fs::read_dir(crate::TESTDATA).expect("the folder testdata");
        let small = entries.filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str().filter(|name| name.ends_with(".parquet"))?;
            let is_small = path.metadata().ok()?.len() <= 32 << 10;
            is_small.then(|| (name.to_owned(), Bytes::from(std::fs::read(&path).expect("a readable file"))))
        });
        let mut files: Vec<_> = small.collect();
        files.sort();
        assert!(files.len() > 100, "testdata has only {} small files", files.len());
        files
    })
}
