//! Asynchronous scans.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use herringbone::arrow::{ParquetFile, ScanStream};
use herringbone::predicate::col;
use herringbone::read::{AsyncSource, BlockingSource, FetchOptions, metadata_async, read_ranges};
use herringbone::write::{ColumnOptions, WriterOptions};
use herringbone::{ErrorKind, Limits, Result};

use super::sources::Observed;
use super::{ROW_GROUPS, costs, expected, wide_file, written};
use crate::files::{all, for_each};

fn read(source: impl AsyncSource + 'static, threads: usize) -> Result<Vec<RecordBatch>> {
    block_on(async {
        let file = ParquetFile::open_async(source).await?;
        file.scan().row_number("row").threads(threads).stream()?.try_collect().await
    })
}

#[test]
fn every_file_reads_as_ever() {
    for_each(
        &all(),
        |file| file.name.clone(),
        |file| {
            let bytes = Bytes::from(file.bytes());
            let expected = expected(&bytes).map_err(|error| error.to_string());
            for costs in costs() {
                for threads in [1, 2] {
                    let source = Observed::new(bytes.clone(), costs.clone());
                    let batches = read(source, threads).map_err(|error| error.to_string());
                    if batches != expected {
                        return Err(format!("differs on {threads} threads with {costs:?}: {:?}", batches.err()));
                    }
                }
            }
            let batches = BlockingSource::open(&file.path).and_then(|source| read(source, 2)).map_err(|error| error.to_string());
            if batches == expected { Ok(()) } else { Err(format!("differs as a local file: {:?}", batches.err())) }
        },
    );
}

#[test]
fn a_file_opened_by_a_blocking_source_streams_too() {
    let file = wide_file();
    let expected = expected(&file).unwrap();
    let file = ParquetFile::from_bytes(file).unwrap();
    let batches: Vec<RecordBatch> = block_on(file.scan().row_number("row").stream().unwrap().try_collect()).unwrap();
    assert_eq!(batches, expected);
}

#[test]
fn two_of_sixteen_columns_take_one_request_and_one_a_row_group_at_the_most() {
    let file = wide_file();
    let count = |costs: FetchOptions, columns: [&str; 2]| {
        let source = Observed::new(file.clone(), costs);
        let rows: usize = block_on(async {
            let file = ParquetFile::open_async(source.clone()).await?;
            let batches: Vec<RecordBatch> = file.scan().columns(columns).stream()?.try_collect().await?;
            herringbone::Result::<usize>::Ok(batches.iter().map(RecordBatch::num_rows).sum())
        })
        .unwrap();
        assert_eq!(rows as u64, ParquetFile::from_bytes(file.clone()).unwrap().metadata().num_rows());
        source.requests()
    };
    let footer = ParquetFile::from_bytes(file.clone()).unwrap().metadata().footer_size() as u64;
    let base = FetchOptions { footer_bytes: footer + 8, ..FetchOptions::remote() };
    // Requests as large as a row group: one each.
    let group = file.len() as u64 / ROW_GROUPS as u64;
    let requests = count(FetchOptions { gap: group, request_bytes: group, ..base.clone() }, ["c1", "c14"]);
    assert!(requests <= 1 + ROW_GROUPS, "{requests} requests");
    // Row groups are put together as far as requests are worth it.
    assert_eq!(count(base.clone(), ["c3", "c4"]), 2);
    assert_eq!(count(base, ["c1", "c14"]), 2);
    // All of a small file comes with its footer.
    assert_eq!(count(FetchOptions::remote(), ["c1", "c14"]), 1);
    // Nothing is put together where gaps cost more than requests.
    let apart = FetchOptions { gap: 0, request_bytes: group, footer_bytes: footer + 8, ..FetchOptions::remote() };
    assert_eq!(count(apart, ["c1", "c14"]), 1 + 2 * ROW_GROUPS);
}

/// So that bytes of few row groups are under way at once.
fn narrow(file: &Bytes) -> FetchOptions {
    let group = file.len() as u64 / ROW_GROUPS as u64;
    FetchOptions { request_bytes: group, in_flight_bytes: 30_000 + 4 * group, footer_bytes: 30_000, ..FetchOptions::remote() }
}

fn stream(source: &Observed, threads: usize) -> ScanStream {
    block_on(async { ParquetFile::open_async(source.clone()).await?.scan().row_number("row").threads(threads).stream() }).unwrap()
}

#[test]
fn no_more_is_fetched_ahead_than_allowed() {
    let file = wide_file();
    let source = Observed::new(file.clone(), narrow(&file));
    let mut batches = stream(&source, 1);
    let before = source.requests();
    block_on(batches.next()).unwrap().unwrap();
    let ahead = source.requests() - before;
    assert!((2..=8).contains(&ahead), "{ahead} requests for the first batch");
    let left: Vec<RecordBatch> = block_on(batches.try_collect()).unwrap();
    assert_eq!(left.len(), ROW_GROUPS - 1);
}

/// Two columns that no codec makes smaller, in row groups of several units of work.
fn noise() -> Bytes {
    let column = |salt: i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..105_000).map(|row| (row ^ salt).wrapping_mul(0x1e37_79b9_7f4a_7c15))))
    };
    let batch = RecordBatch::try_from_iter([("a", column(0)), ("b", column(0x55))]).unwrap();
    let columns = ColumnOptions::new().dictionary(false).page_rows(2_000);
    let options = WriterOptions::builder().columns(columns).row_group_rows(35_000).build().unwrap();
    written(&batch, options)
}

/// Answers that come before others lie between what is still on its way. What is needed when depends on the threads, so that they get several goes.
#[test]
fn no_request_asks_again_for_what_came() {
    let file = noise();
    let footer_bytes = ParquetFile::from_bytes(file.clone()).unwrap().metadata().footer_size() as u64 + 8;
    for (gap, request_bytes) in [(0, 100_000), (150_000, 200_000), (200_000, 1_000_000), (400_000, 1_000_000)] {
        for (threads, filtered) in [(1, false), (2, false), (1, true), (2, true), (2, true), (2, true)] {
            let costs = FetchOptions { gap, request_bytes, footer_bytes, ..FetchOptions::remote() };
            let source = Observed::new(file.clone(), costs);
            source.log.shuffles.store(true, Ordering::SeqCst);
            let batches: Vec<RecordBatch> = block_on(async {
                let scan = ParquetFile::open_async(source.clone()).await?.scan().batch_rows(4_096).threads(threads);
                let scan = if filtered { scan.filter(col("a").lt(0).and(col("b").lt(0))) } else { scan };
                scan.stream()?.try_collect().await
            })
            .unwrap();
            assert!(batches.iter().map(RecordBatch::num_rows).sum::<usize>() > 20_000);
            let mut came = vec![false; file.len()];
            for range in source.log.asked.lock().unwrap().iter() {
                let asked = &mut came[range.start as usize..range.end as usize];
                assert!(asked.contains(&false), "{range:?} again with gaps of {gap} bytes, {threads} threads, filtered: {filtered}");
                asked.fill(true);
            }
        }
    }
}

#[test]
fn a_dropped_wait_loses_nothing() {
    let file = wide_file();
    let expected = expected(&file).unwrap();
    for threads in [1, 2] {
        let source = Observed::new(file.clone(), narrow(&file));
        let mut batches = stream(&source, threads);
        let mut found = Vec::new();
        while found.len() < expected.len() {
            // Each wait is given up after one poll.
            match batches.next().now_or_never() {
                Some(batch) => found.push(batch.unwrap().unwrap()),
                None => std::thread::yield_now(),
            }
        }
        assert_eq!(found, expected);
        assert!(block_on(batches.next()).is_none());
    }
}

#[test]
fn dropping_the_stream_ends_its_requests() {
    let file = wide_file();
    let source = Observed::new(file.clone(), narrow(&file));
    let mut batches = stream(&source, 2);
    block_on(batches.next()).unwrap().unwrap();
    source.log.hangs.store(true, Ordering::SeqCst);
    while let Poll::Ready(batch) = batches.poll_next_unpin(&mut Context::from_waker(Waker::noop())) {
        batch.unwrap().unwrap();
    }
    let (requests, finished) = (source.requests(), source.log.finished.load(Ordering::SeqCst));
    assert!(requests > finished);
    drop(batches);
    source.log.hangs.store(false, Ordering::SeqCst);
    // What a thread is in the midst of, it ends.
    let began = Instant::now();
    while Arc::strong_count(&source.log) > 1 {
        assert!(began.elapsed() < Duration::from_secs(20), "somebody holds on to the source");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((source.requests(), source.log.finished.load(Ordering::SeqCst)), (requests, finished));
}

#[test]
fn batches_before_a_failed_request_come_first() {
    let file = wide_file();
    let expected = expected(&file).unwrap();
    for threads in [1, 2] {
        for fails_from in [1, 2, 7, 30] {
            let source = Observed::new(file.clone(), FetchOptions { in_flight_requests: 2, ..narrow(&file) });
            let mut batches = stream(&source, threads);
            source.log.fails_from.store(fails_from, Ordering::SeqCst);
            let mut found = 0;
            let error = loop {
                match block_on(batches.next()).expect("an error before the end") {
                    Ok(batch) => {
                        assert_eq!(batch, expected[found]);
                        found += 1;
                    }
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(error.to_string().contains("the store is gone"), "{error}");
            assert!(found + 2 >= fails_from.min(3), "{found} batches before request {fails_from} failed");
            assert!(block_on(batches.next()).is_none());
        }
    }
}

#[test]
fn a_source_that_gives_too_little_is_an_error() {
    struct Short(Bytes);
    impl AsyncSource for Short {
        fn size(&self) -> futures_core::future::BoxFuture<'_, Result<u64>> {
            Box::pin(async { Ok(self.0.len() as u64) })
        }
        fn read(&self, range: std::ops::Range<u64>) -> futures_core::future::BoxFuture<'_, Result<Bytes>> {
            let end = if range.end == self.0.len() as u64 { range.end } else { range.end - 1 };
            Box::pin(async move { Ok(self.0.slice(range.start as usize..end as usize)) })
        }
        fn costs(&self) -> FetchOptions {
            FetchOptions { footer_bytes: 50_000, ..FetchOptions::local() }
        }
    }
    let error = read(Short(wide_file()), 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("fewer or more bytes"), "{error}");
}

#[test]
fn an_asynchronous_file_has_no_blocking_scan() {
    let file = block_on(ParquetFile::open_async(wide_file())).unwrap();
    let error = file.scan().build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("ScanBuilder::stream"), "{error}");
}

#[test]
fn metadata_and_ranges_without_a_scan() {
    let file = wide_file();
    let source = Observed::new(file.clone(), FetchOptions { footer_bytes: 100, ..FetchOptions::local() });
    assert_eq!(block_on(metadata_async(&source, &Limits::default())).unwrap().num_row_groups(), ROW_GROUPS);
    assert_eq!(source.requests(), 2);
    let ranges = [4_000..4_010, 10..20, 0..5, 60_000..60_001];
    let read = block_on(read_ranges(&source, &ranges, &source.costs)).unwrap();
    for (range, bytes) in ranges.iter().zip(read) {
        assert_eq!(bytes, file.slice(range.start as usize..range.end as usize));
    }
    assert_eq!(source.requests(), 4);
    let error = block_on(metadata_async(&Bytes::from_static(b"no such thing"), &Limits::default())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}
