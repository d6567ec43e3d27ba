//! Scans without I/O.

use std::ops::Range;

use arrow_array::RecordBatch;
use bytes::Bytes;
use herringbone::arrow::{ParquetFile, PushScan, PushStep};
use herringbone::read::{FetchOptions, FooterStep, PushFooter};
use herringbone::{FileMetadata, Limits, Result};

use super::{ROW_GROUPS, costs, expected, wide_file, written};
use crate::files::{all, for_each};

fn slice(file: &Bytes, range: &Range<u64>) -> Bytes {
    file.slice(range.start as usize..range.end as usize)
}

/// The metadata, and how many ranges were asked for.
fn metadata(file: &Bytes, first: u64) -> Result<(FileMetadata, usize)> {
    let mut footer = PushFooter::new(file.len() as u64, first, Limits::default());
    let mut asked = 0;
    loop {
        match footer.next()? {
            FooterStep::Need(range) => {
                asked += 1;
                footer.push(range.start, slice(file, &range));
            }
            FooterStep::Done(metadata) => return Ok((metadata, asked)),
        }
    }
}

/// All batches, and the ranges that were asked for.
fn drive(mut scan: PushScan, file: &Bytes) -> Result<(Vec<RecordBatch>, Vec<Range<u64>>)> {
    drive_on(&mut scan, file)
}

pub fn drive_on(scan: &mut PushScan, file: &Bytes) -> Result<(Vec<RecordBatch>, Vec<Range<u64>>)> {
    let (mut batches, mut asked) = (Vec::new(), Vec::new());
    loop {
        match scan.next()? {
            PushStep::Need(ranges) => {
                assert!(!ranges.is_empty());
                for range in ranges {
                    scan.push(range.start, slice(file, &range));
                    asked.push(range);
                }
                assert!(asked.len() < 100_000, "it asks again and again");
            }
            PushStep::Batch(batch) => batches.push(batch),
            PushStep::Done => return Ok((batches, asked)),
        }
    }
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
                    let run = || {
                        let (metadata, _) = metadata(&bytes, costs.footer_bytes)?;
                        let file = ParquetFile::without_source(metadata, Limits::default()).with_fetch_options(costs.clone());
                        drive(file.scan().row_number("row").threads(threads).push()?, &bytes)
                    };
                    let batches = run().map(|(batches, _)| batches).map_err(|error| error.to_string());
                    if batches != expected {
                        return Err(format!("differs on {threads} threads with {costs:?}: {:?}", batches.err()));
                    }
                }
            }
            Ok(())
        },
    );
}

/// Chunks that may not be held as a whole are read window by window, and decoding begins again at a batch whose bytes are missing.
#[test]
fn chunks_larger_than_memory_come_in_windows() {
    let file = wide_rows();
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let expected = expected(&file).unwrap();
    for threads in [1, 2] {
        let (metadata, _) = metadata(&file, 1 << 20).unwrap();
        let scan = ParquetFile::without_source(metadata, limits.clone()).scan().row_number("row").threads(threads).push().unwrap();
        let (batches, asked) = drive(scan, &file).unwrap();
        assert!(asked.len() > 8, "{asked:?}");
        assert!(asked.iter().all(|range| range.end - range.start <= 512 << 10), "{asked:?}");
        let rows = |batches: &[RecordBatch]| arrow_select::concat::concat_batches(&batches[0].schema(), batches).unwrap();
        assert_eq!(rows(&batches), rows(&expected));
    }
}

#[test]
fn after_an_error_there_are_errors_alone() {
    let file = wide_rows();
    let (metadata, _) = metadata(&file, 1 << 20).unwrap();
    // In a page in the middle.
    let mut broken = file.to_vec();
    broken[1 << 20] ^= 1;
    let broken = Bytes::from(broken);
    for threads in [1, 2, 3] {
        for filter in [None, Some(herringbone::predicate::col("n").gt(0))] {
            let scan = ParquetFile::without_source(metadata.clone(), Limits::default()).scan().verify_crc(true).threads(threads);
            let scan = filter.into_iter().fold(scan, |scan, filter| scan.filter(filter));
            let mut scan = scan.batch_rows(10_000).push().unwrap();
            assert_eq!(drive_on(&mut scan, &broken).unwrap_err().kind(), herringbone::ErrorKind::Malformed);
            assert!(scan.next().is_err() && scan.next().is_err());
        }
    }
}

/// One row group with a column of 2 MB.
fn wide_rows() -> Bytes {
    use arrow_array::Int64Array;
    use herringbone::write::{ColumnOptions, WriterOptions};
    let mut state = 1_u64;
    let numbers = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.cast_signed()
    });
    let batch = RecordBatch::try_from_iter([("n", std::sync::Arc::new(Int64Array::from_iter_values(numbers.take(250_000))) as _)]).unwrap();
    let options = WriterOptions::builder().column("n", ColumnOptions::new().page_rows(3_000)).build().unwrap();
    written(&batch, options)
}

#[test]
fn little_is_asked_for() {
    let file = wide_file();
    let (metadata, asked) = metadata(&file, 512 << 10).unwrap();
    assert_eq!(asked, 1);
    let costs = FetchOptions { gap: 0, ..FetchOptions::local() };
    let open = ParquetFile::without_source(metadata.clone(), Limits::default()).with_fetch_options(costs);
    // Neighbours are one range.
    let (batches, asked) = drive(open.scan().columns(["c3", "c4"]).push().unwrap(), &file).unwrap();
    assert_eq!((batches.len(), asked.len()), (ROW_GROUPS, ROW_GROUPS));
    // Those of one row group that lie apart are one range where the gap is worth it.
    let wide = open.clone().with_fetch_options(FetchOptions::local());
    let (_, asked) = drive(wide.scan().columns(["c1", "c14"]).push().unwrap(), &file).unwrap();
    assert_eq!(asked.len(), ROW_GROUPS);
    let (_, asked) = drive(open.scan().columns(["c1", "c14"]).push().unwrap(), &file).unwrap();
    assert_eq!(asked.len(), 2 * ROW_GROUPS);
    let chunk = |group: usize, leaf: usize| metadata.row_group(group).unwrap().chunk(leaf).unwrap().range;
    assert_eq!(asked[..2], [chunk(0, 1), chunk(0, 14)]);
    // Row groups that are passed over cost nothing.
    let (_, asked) = drive(open.scan().columns(["c1"]).offset(150).limit(10).push().unwrap(), &file).unwrap();
    assert_eq!(asked, [chunk(1, 1)]);
}

#[test]
fn what_is_given_ahead_is_not_asked_for_again() {
    let file = wide_file();
    let (metadata, _) = metadata(&file, 512 << 10).unwrap();
    let open = ParquetFile::without_source(metadata, Limits::default());
    let mut scan = open.scan().columns(["c3", "c4"]).push().unwrap();
    let first = scan.ahead(10_000).unwrap();
    assert_eq!(first.len(), 1, "small row groups come together: {first:?}");
    assert!(first[0].end - first[0].start >= 3_000);
    let mut given = first;
    while let more = scan.ahead(10_000).unwrap()
        && !more.is_empty()
    {
        given.extend(more);
    }
    given.iter().for_each(|range| scan.push(range.start, slice(&file, range)));
    assert!(scan.kept_bytes() > 50_000);
    let (batches, asked) = drive(scan, &file).unwrap();
    assert_eq!((batches.len(), asked.len()), (ROW_GROUPS, 0));
}

#[test]
fn bytes_of_row_groups_that_were_taken_are_forgotten() {
    let file = wide_file();
    let (metadata, _) = metadata(&file, 512 << 10).unwrap();
    let open = ParquetFile::without_source(metadata.clone(), Limits::default());
    let mut scan = open.scan().threads(1).push().unwrap();
    let group = metadata.row_group(0).unwrap().total_byte_size();
    let mut most = 0;
    loop {
        match scan.next().unwrap() {
            PushStep::Need(ranges) => ranges.into_iter().for_each(|range| scan.push(range.start, slice(&file, &range))),
            PushStep::Batch(_) => most = most.max(scan.kept_bytes()),
            _ => break,
        }
    }
    assert!(most < 3 * group, "{most} bytes are kept where a row group has {group}");
}

#[test]
fn a_file_without_a_source_is_not_read() {
    let (metadata, _) = metadata(&wide_file(), 512 << 10).unwrap();
    let scan = ParquetFile::without_source(metadata, Limits::default()).scan().build();
    let error = scan.and_then(|scan| scan.read_all()).unwrap_err();
    assert_eq!(error.kind(), herringbone::ErrorKind::Usage);
    assert!(error.to_string().contains("ScanBuilder::push"), "{error}");
}
