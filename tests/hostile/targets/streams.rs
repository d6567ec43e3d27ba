//! Parts of test files whose bytes come in any pieces, in any order and late: pushed or streamed, they are what a plain scan gives.

use std::collections::VecDeque;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use herringbone::arrow::{ParquetFile, PushStep, ScanBuilder};
use herringbone::read::{AsyncSource, FetchOptions, FooterStep, PushFooter};
use herringbone::{Error, ErrorKind, Result};

use super::scan::some_scan;
use super::{limits, test_file};
use crate::arrow_write::arrays::Random;

/// A scan that asks for bytes more often than this does not end.
const STEPS: usize = 20_000;

pub fn run(data: &[u8]) {
    let mut random = Random::of_choices(data);
    let (name, bytes) = test_file(&mut random);
    let Ok(file) = ParquetFile::from_bytes(bytes.clone()) else { return };
    let Some(of) = some_scan(&mut random, &file) else { return };
    let Ok(expected) = of(file.scan()).build().and_then(|scan| scan.read_all()) else { return };
    let pushed = pushed(&mut random, bytes, &of).unwrap_or_else(|error| panic!("{name}, pushed: {error}"));
    same(name, "pushed", &pushed, &expected);
    let source = Late::random(&mut random, bytes);
    let (reads, fails_at) = (Arc::clone(&source.reads), source.fails_at);
    if random.one_in(8) {
        // Dropped half way.
        let batches = random.below(3);
        return drop(streamed(&mut random, source, &of, batches));
    }
    match streamed(&mut random, source, &of, usize::MAX) {
        Ok(streamed) => same(name, "streamed", &streamed, &expected),
        Err(error) => {
            assert!(reads.load(Ordering::Relaxed) > fails_at, "{name}, streamed: {error}");
            assert_eq!(error.kind(), ErrorKind::Io, "{name}, streamed: {error}");
        }
    }
}

/// Batches may end elsewhere where bytes come late.
fn same(name: &str, way: &str, read: &[RecordBatch], expected: &[RecordBatch]) {
    let whole = |batches: &[RecordBatch]| {
        let first = batches.iter().find(|batch| batch.num_rows() > 0)?;
        Some(concat_batches(&first.schema(), batches).expect("batches of one schema"))
    };
    assert!(whole(read) == whole(expected), "{name}: {way}, it has other rows than a plain scan");
}

fn part(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    bytes.slice(range.start as usize..range.end as usize)
}

/// A range in pieces, with some that were not asked for, and some twice.
fn pieces(random: &mut Random, range: &Range<u64>, size: u64) -> Vec<Range<u64>> {
    let before = random.below(40) as u64;
    let mut pieces = Vec::new();
    let mut start = range.start.saturating_sub(if random.one_in(3) { before } else { 0 });
    let end = (range.end + if random.one_in(3) { random.below(200) as u64 } else { 0 }).min(size);
    let most = [1, 7, 100, 5000][random.below(4)].max((end - start) / 200);
    while start < end {
        let next = (start + 1 + random.below(256) as u64 * most / 256).min(end);
        pieces.push(start..next);
        // Some come again.
        start = if random.one_in(5) { start.max(next - 1) } else { next };
        if start == next - 1 && next == end {
            break;
        }
    }
    if random.one_in(2) {
        pieces.reverse();
    }
    pieces
}

fn pushed(random: &mut Random, bytes: &Bytes, of: &dyn Fn(ScanBuilder) -> ScanBuilder) -> Result<Vec<RecordBatch>> {
    let size = bytes.len() as u64;
    let mut footer = PushFooter::new(size, random.below(300) as u64, limits());
    let metadata = loop {
        match footer.next()? {
            FooterStep::Need(range) => {
                for piece in pieces(random, &range, size) {
                    footer.push(piece.start, part(bytes, &piece));
                }
            }
            FooterStep::Done(metadata) => break metadata,
        }
    };
    let file = ParquetFile::without_source(metadata, limits()).with_fetch_options(costs(random));
    let mut scan = of(file.scan()).push()?;
    let mut batches = Vec::new();
    for _ in 0..STEPS {
        if random.one_in(6) {
            for range in scan.ahead(random.below(3000) as u64)? {
                scan.push(range.start, part(bytes, &range));
            }
        }
        match scan.next()? {
            PushStep::Need(ranges) => {
                assert!(!ranges.is_empty(), "it needs nothing and does not go on");
                // Of several, those that are left out are asked for again.
                let all = ranges.len() == 1 || random.one_in(2);
                for range in ranges.iter().skip(usize::from(!all)) {
                    for piece in pieces(random, range, size) {
                        scan.push(piece.start, part(bytes, &piece));
                    }
                }
            }
            PushStep::Batch(batch) => batches.push(batch),
            PushStep::Done => return Ok(batches),
        }
    }
    panic!("a pushed scan asks again and again");
}

/// Costs under which files of a few kilobytes come in many requests, or in one.
fn costs(random: &mut Random) -> FetchOptions {
    match random.below(4) {
        0 => FetchOptions::local(),
        1 => FetchOptions::remote(),
        _ => FetchOptions {
            gap: [0, 16, 500][random.below(3)],
            request_bytes: 1 + random.below(2000) as u64,
            footer_bytes: 8 + random.below(2000) as u64,
            in_flight_bytes: random.below(5000) as u64,
            in_flight_requests: random.below(4),
        },
    }
}

/// A file in memory whose reads take some turns, and may fail from some read on.
struct Late {
    bytes: Bytes,
    turns: Mutex<VecDeque<u8>>,
    reads: Arc<AtomicUsize>,
    fails_at: usize,
}

impl Late {
    fn random(random: &mut Random, bytes: &Bytes) -> Self {
        let turns = (0..random.below(40)).map(|_| random.below(9) as u8).collect();
        let fails_at = if random.one_in(4) { random.below(12) } else { usize::MAX };
        Self { bytes: bytes.clone(), turns: Mutex::new(turns), reads: Arc::default(), fails_at }
    }
}

/// What is ready after so many turns.
struct Turns(AtomicU8);

impl Future for Turns {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let left = self.0.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(());
        }
        self.0.store(left - 1, Ordering::Relaxed);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl AsyncSource for Late {
    fn size(&self) -> Pin<Box<dyn Future<Output = Result<u64>> + Send + '_>> {
        Box::pin(async { Ok(self.bytes.len() as u64) })
    }

    fn read(&self, range: Range<u64>) -> Pin<Box<dyn Future<Output = Result<Bytes>> + Send + '_>> {
        let turns = self.turns.lock().expect("no panic above").pop_front().unwrap_or_default();
        let fails = self.reads.fetch_add(1, Ordering::Relaxed) >= self.fails_at;
        Box::pin(async move {
            Turns(AtomicU8::new(turns)).await;
            if fails { Err(Error::from(std::io::Error::other("it fails"))) } else { Ok(part(&self.bytes, &range)) }
        })
    }
}

/// The first batches of a stream, decoded by the thread that takes them or by others.
fn streamed(random: &mut Random, source: Late, of: &dyn Fn(ScanBuilder) -> ScanBuilder, batches: usize) -> Result<Vec<RecordBatch>> {
    let file = futures_executor::block_on(ParquetFile::open_async_with(source, limits(), costs(random)))?;
    let scan = of(file.scan());
    #[cfg(feature = "rayon")]
    let scan = if random.one_in(2) { scan.pool(super::threads::pool()) } else { scan };
    futures_executor::block_on_stream(scan.stream()?).take(batches).collect()
}

#[test]
fn files_come_in_many_requests() {
    let many = (0..100).filter(|seed| {
        let mut random = Random::new(*seed);
        let (_, bytes) = test_file(&mut random);
        let source = Late { fails_at: usize::MAX, ..Late::random(&mut random, bytes) };
        let reads = Arc::clone(&source.reads);
        streamed(&mut random, source, &|scan| scan, usize::MAX).is_ok() && reads.load(Ordering::Relaxed) > 3
    });
    let many = many.count();
    assert!(many > 10, "{many} of 100");
}
