//! Pages from asynchronous sources: the same as from others.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{FutureExt, StreamExt};
use herringbone::page::CompressedPage;
use herringbone::read::{self, AsyncSource, FetchOptions, PageOptions, PageStream};
use herringbone::{ErrorKind, FileMetadata, Limits, Result};

use super::sources::Observed;
use super::{costs, wide_file};
use crate::files::{all, for_each};

/// All that there is to a page, or its error.
fn described(page: Result<CompressedPage>) -> std::result::Result<(String, Bytes), (ErrorKind, String)> {
    let page = page.map_err(|error| (error.kind(), error.to_string()))?;
    let facts = (page.offset(), page.ordinal(), page.num_values(), page.encoding(), page.crc(), page.is_dictionary(), page.is_v2());
    Ok((format!("{facts:?} of {:?}", page.chunk().leaf().map(|leaf| leaf.path.dotted())), page.bytes().clone()))
}

fn metadata(file: &Bytes) -> Result<FileMetadata> {
    read::metadata(file, &Limits::default())
}

/// Compares all pages of a file, up to the first error of each chunk.
fn compare(bytes: &Bytes, metadata: &FileMetadata, costs: &FetchOptions, options: &PageOptions) -> Result<usize, String> {
    let mut compared = 0;
    for row_group in 0..metadata.num_row_groups() {
        for leaf in 0..metadata.schema().leaves().len() {
            let expected = read::pages(bytes.clone(), metadata, row_group, leaf, options);
            let found = read::pages_async(Observed::new(bytes.clone(), costs.clone()), metadata, row_group, leaf, options);
            let (expected, found) = match (expected, found) {
                (Ok(expected), Ok(found)) => (expected, found),
                (expected, found) => {
                    let (expected, found) = (expected.err().map(|error| error.to_string()), found.err().map(|error| error.to_string()));
                    assert!(expected.is_some() && expected == found, "{expected:?}, but {found:?}");
                    continue;
                }
            };
            let expected: Vec<_> = expected.map(described).collect();
            let found: Vec<_> = block_on(found.map(described).collect());
            if expected != found {
                return Err(format!("row group {row_group}, column {leaf}, {costs:?}: {expected:?} became {found:?}"));
            }
            compared += expected.len();
        }
    }
    Ok(compared)
}

#[test]
fn every_page_is_the_same() {
    for_each(
        &all(),
        |file| file.name.clone(),
        |file| {
            let bytes = Bytes::from(file.bytes());
            let metadata = metadata(&bytes).map_err(|error| error.to_string())?;
            let mut compared = 0;
            for costs in costs() {
                for window in [None, Some(0), Some(150)] {
                    compared += compare(&bytes, &metadata, &costs, &PageOptions { window, verify_crc: true, ..PageOptions::default() })?;
                }
            }
            let rows = metadata.num_rows();
            if compared > 0 || rows == 0 { Ok(()) } else { Err("no pages were compared".to_owned()) }
        },
    );
}

/// Broken bytes and limits are the same errors at the same places.
#[test]
fn errors_are_the_same() {
    let file = wide_file();
    let metadata = metadata(&file).expect("metadata");
    let first = read::pages(file.clone(), &metadata, 3, 5, &PageOptions::default()).expect("pages").range();
    let mut errors = 0;
    for byte in first.clone().step_by(7) {
        let mut mutant = file.to_vec();
        mutant[byte as usize] ^= 0xff;
        let mutant = Bytes::from(mutant);
        let options = PageOptions { verify_crc: true, ..PageOptions::default() };
        for costs in &costs()[..3] {
            compare(&mutant, &metadata, costs, &options).unwrap();
        }
        errors += read::pages(mutant, &metadata, 3, 5, &options).expect("pages").filter(Result::is_err).count();
    }
    assert!(errors > 10, "{errors} mutants were found broken");
    let limits = Limits { page_bytes: 10, ..Limits::default() };
    compare(&file, &metadata, &FetchOptions::remote(), &PageOptions { limits, ..PageOptions::default() }).unwrap();
    let none = read::pages_async(file, &metadata, 99, 0, &PageOptions::default()).expect_err("there is no such row group");
    assert_eq!(none.kind(), ErrorKind::Usage);
}

/// A file of one column chunk of many pages.
fn long_file() -> Bytes {
    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use herringbone::arrow::ArrowWriter;
    use herringbone::write::{ColumnOptions, WriterOptions};
    let numbers: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0..20_000).map(|n: i64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64))));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).expect("a batch");
    let options = WriterOptions::builder().columns(ColumnOptions::new().page_bytes(4000).dictionary(false)).build().expect("options");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), options).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a file");
    bytes.into()
}

fn stream(source: &Observed, window: Option<u64>) -> PageStream {
    let metadata = metadata(&source.file).expect("metadata");
    read::pages_async(source.clone(), &metadata, 0, 0, &PageOptions { window, ..PageOptions::default() }).expect("pages")
}

#[test]
fn a_chunk_takes_as_many_requests_as_its_bytes() {
    let file = long_file();
    let count = |costs: &FetchOptions, window| {
        let source = Observed::new(file.clone(), costs.clone());
        let pages = block_on(stream(&source, window).collect::<Vec<_>>());
        assert!(pages.len() > 30 && pages.iter().all(Result::is_ok), "{} pages", pages.len());
        (source.requests(), pages.len())
    };
    let length = stream(&Observed::new(file.clone(), FetchOptions::remote()), None).range();
    let length = length.end - length.start;
    assert_eq!(count(&FetchOptions::remote(), None).0, 1);
    let small = FetchOptions { request_bytes: 10_000, ..FetchOptions::remote() };
    assert_eq!(count(&small, None).0 as u64, length.div_ceil(10_000));
    assert_eq!(count(&FetchOptions::remote(), Some(10_000)).0 as u64, length.div_ceil(10_000));
    // Nothing ahead: as many all the same.
    assert_eq!(count(&FetchOptions { in_flight_bytes: 0, ..small }, None).0 as u64, length.div_ceil(10_000));
    // A header, and its page with the next header.
    let (requests, pages) = count(&FetchOptions::remote(), Some(0));
    assert!((pages..=2 * pages).contains(&requests), "{requests} requests for {pages} pages");
}

#[test]
fn no_more_pages_are_fetched_ahead_than_allowed() {
    let costs = FetchOptions { request_bytes: 5_000, in_flight_bytes: 20_000, ..FetchOptions::remote() };
    let source = Observed::new(long_file(), costs);
    let mut pages = stream(&source, None);
    assert_eq!(source.requests(), 0, "nothing is asked for before it is polled");
    block_on(pages.next()).expect("a page").expect("a page");
    assert!((4..=5).contains(&source.requests()), "{} requests for the first page", source.requests());
    assert!(pages.count().now_or_never().is_none());
}

#[test]
fn a_dropped_wait_loses_no_page() {
    let source = Observed::new(long_file(), FetchOptions { request_bytes: 3_000, in_flight_requests: 2, ..FetchOptions::remote() });
    let expected: Vec<_> = block_on(stream(&source, None).map(described).collect());
    let (mut pages, mut found) = (stream(&source, None), Vec::new());
    while found.len() < expected.len() {
        // Each wait is given up after one poll.
        if let Some(page) = pages.next().now_or_never() {
            found.push(described(page.expect("a page")));
        }
    }
    assert_eq!(found, expected);
    assert!(block_on(pages.next()).is_none());
    drop(pages);
    // Dropping the stream ends its requests.
    let mut pages = stream(&source, None);
    block_on(pages.next()).expect("a page").expect("a page");
    drop(pages);
    assert_eq!(Arc::strong_count(&source.log), 1, "somebody holds on to the source");
}

#[test]
fn pages_before_a_failed_request_come_first() {
    let file = long_file();
    let expected: Vec<_> = read::pages(file.clone(), &metadata(&file).expect("metadata"), 0, 0, &PageOptions::default())
        .expect("pages")
        .map(described)
        .collect();
    let all = read::pages(file.clone(), &metadata(&file).expect("metadata"), 0, 0, &PageOptions::default()).expect("pages");
    let range = all.range();
    let offsets: Vec<u64> = all.map(|page| page.expect("a page").offset()).collect();
    let part = (range.end - range.start).div_ceil((range.end - range.start).div_ceil(10_000));
    for fails_from in [0, 1, 5] {
        for in_flight_requests in [1, 4] {
            let costs = FetchOptions { request_bytes: 10_000, in_flight_requests, ..FetchOptions::remote() };
            let source = Observed::new(file.clone(), costs);
            source.log.fails_from.store(fails_from, Ordering::SeqCst);
            let found: Vec<_> = block_on(stream(&source, None).map(described).collect());
            let (last, before) = found.split_last().expect("an error at the least");
            assert_eq!(before, &expected[..before.len()]);
            let (kind, text) = last.as_ref().expect_err("the failed request");
            assert_eq!(*kind, ErrorKind::Io);
            assert!(text.contains("the store is gone") && text.contains('n') && text.contains("row group 0"), "{text}");
            // All pages that end before the first byte that did not come.
            let came = range.start + fails_from as u64 * part;
            let whole = offsets.iter().skip(1).filter(|next| **next <= came).count();
            assert_eq!(before.len(), whole, "pages before request {fails_from} failed");
        }
    }
}

/// The source says another size than the metadata: the range that is not there is an error.
#[test]
fn a_file_that_became_shorter_is_an_error() {
    struct Short(Bytes);
    impl AsyncSource for Short {
        fn size(&self) -> futures_core::future::BoxFuture<'_, Result<u64>> {
            Box::pin(async { Ok(self.0.len() as u64) })
        }
        fn read(&self, range: std::ops::Range<u64>) -> futures_core::future::BoxFuture<'_, Result<Bytes>> {
            let end = (range.end - 1).min(self.0.len() as u64);
            Box::pin(async move { Ok(self.0.slice(range.start as usize..end as usize)) })
        }
    }
    let file = wide_file();
    let metadata = metadata(&file).expect("metadata");
    let mut pages = read::pages_async(Short(file), &metadata, 0, 0, &PageOptions::default()).expect("pages");
    let error = block_on(pages.next()).expect("an error").expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("fewer or more bytes"), "{error}");
    assert!(block_on(pages.next()).is_none());
}
