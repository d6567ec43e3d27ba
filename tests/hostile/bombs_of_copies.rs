//! Small files whose row groups all refer to the same bytes, and bytes that come one by one: what is copied, kept and looked for follows the file's size.

use std::io::Write;
use std::time::Instant;

use bytes::Bytes;
use herringbone::arrow::{ParquetFile, PushScan, PushStep};
use herringbone::predicate::col;
use herringbone::write::{FileWriter, WriterOptions};
use herringbone::{Error, ErrorKind, Limits, read};

use crate::bombs::{bounded, refused};
use crate::compact::{Fields, INT64, REQUIRED, chunk, file, group, leaf, page, row_group};
use crate::mutate::limits;

fn generous() -> Limits {
    Limits { metadata_bytes: 128 << 20, ..limits() }
}

/// Row groups of a row each, all of the same page.
fn of_one_page(groups: usize) -> Bytes {
    let body = page(false, 1, 0, 8, &7_i64.to_le_bytes());
    let groups = vec![row_group(&[chunk("x", INT64, 0, 1, 4, body.len())], 1); groups];
    file(&body, &[group("m", 1), leaf("x", INT64, REQUIRED)], groups.len() as i64, &groups)
}

/// A scan into which the bytes of a file are pushed, on this thread.
fn push_scan(bytes: &Bytes) -> PushScan {
    let metadata = read::metadata(bytes, &generous()).expect("metadata");
    ParquetFile::without_source(metadata, generous()).scan().threads(1).push().expect("a scan")
}

/// Takes all batches of a scan that gets the bytes that it asks for; the number of rows.
pub fn take_all(bytes: &Bytes, mut scan: PushScan, ahead: bool) -> Result<usize, Error> {
    let mut rows = 0;
    loop {
        let coming = if ahead { scan.ahead(1 << 30)? } else { Vec::new() };
        let needed = match scan.next()? {
            PushStep::Batch(batch) => {
                rows += batch.num_rows();
                continue;
            }
            PushStep::Need(ranges) => ranges,
            PushStep::Done => return Ok(rows),
        };
        for range in coming.into_iter().chain(needed) {
            scan.push(range.start, bytes.slice(range.start as usize..range.end as usize));
        }
    }
}

#[test]
fn bytes_of_many_row_groups_are_forgotten_in_time() {
    let (groups, bytes) = (20_000, of_one_page(20_000));
    let rows = bounded("20,000 row groups of one page", 100 << 20, || take_all(&bytes, push_scan(&bytes), true));
    assert_eq!(rows.expect("all rows"), groups);
}

#[test]
fn bytes_of_many_row_groups_behind_a_filter_are_forgotten_in_time() {
    let (groups, bytes) = (10_000, of_one_page(10_000));
    let metadata = read::metadata(&bytes, &generous()).expect("metadata");
    for threads in [1, 2] {
        let file = ParquetFile::without_source(metadata.clone(), generous());
        let scan = || file.scan().filter(col("x").gt(3)).threads(threads).push().expect("a scan");
        let rows = bounded("10,000 filtered row groups of one page", 100 << 20, || take_all(&bytes, scan(), true));
        assert_eq!(rows.expect("all rows"), groups);
    }
}

#[test]
fn row_groups_are_forgotten_one_by_one_in_any_order() {
    const PIECE: usize = 5000;
    let values: Vec<u8> = (0..5000_i64).flat_map(i64::to_le_bytes).collect();
    let body = page(false, 5000, 0, values.len(), &values);
    let groups: Vec<Vec<u8>> = (0..20).map(|at| row_group(&[chunk("x", INT64, 0, 5000, 4 + at * body.len(), body.len())], 5000)).collect();
    let bytes = file(&body.repeat(20), &[group("m", 1), leaf("x", INT64, REQUIRED)], 100_000, &groups);
    let orders: [Vec<usize>; 3] = [(0..20).collect(), (0..20).rev().collect(), (0..20).map(|at| at * 7 % 20).collect()];
    for order in orders {
        let metadata = read::metadata(&bytes, &generous()).expect("metadata");
        let file = ParquetFile::without_source(metadata, generous());
        let mut scan = file.scan().row_groups(order.clone()).batch_rows(5000).threads(1).push().expect("a scan");
        // All of them are asked for, and come as pieces that have nothing to do with row groups.
        assert!(!scan.ahead(u64::MAX).expect("ranges").is_empty());
        for at in (0..bytes.len()).step_by(PIECE) {
            scan.push(at as u64, bytes.slice(at..bytes.len().min(at + PIECE)));
        }
        for left in (0..20).rev() {
            assert!(matches!(scan.next(), Ok(PushStep::Batch(batch)) if batch.num_rows() == 5000));
            let most = left * (body.len() + 2 * PIECE);
            assert!(scan.kept_bytes() <= most as u64, "{} with {left} left of {order:?}", scan.kept_bytes());
        }
        assert!(matches!(scan.next(), Ok(PushStep::Done)));
        assert_eq!(scan.kept_bytes(), 0);
    }
}

#[test]
fn bytes_that_come_one_by_one_are_joined_in_time() {
    let values: Vec<u8> = (0..10_000_i64).flat_map(i64::to_le_bytes).collect();
    let body = page(false, 10_000, 0, values.len(), &values);
    let chunk = chunk("x", INT64, 0, 10_000, 4, body.len());
    let bytes = file(&body, &[group("m", 1), leaf("x", INT64, REQUIRED)], 10_000, &[row_group(&[chunk], 10_000)]);
    let bytewise = || {
        let (mut scan, mut needs, began) = (push_scan(&bytes), 0, Instant::now());
        for at in 0..bytes.len() {
            scan.push(at as u64, bytes.slice(at..=at));
            if let PushStep::Batch(batch) = scan.next()? {
                println!("the first of {} rows after {:?}", batch.num_rows(), began.elapsed());
                break;
            }
            needs += 1;
        }
        Ok::<_, Error>((needs, scan))
    };
    let (needs, _) = bounded("80,000 pieces", 100 << 20, bytewise).expect("a batch");
    assert!(needs > 80_000, "{needs}");
}

/// Row groups of one chunk each, of which each calls all of the file its column index, or its pages.
fn of_whole_files(groups: usize, padding: usize, pages_too: bool) -> Bytes {
    let body = page(false, 1, 0, 8, &7_i64.to_le_bytes());
    // An offset index of no pages, which is a lawful struct.
    let data = [&body[..], &[0x19, 0x0c, 0x00], &vec![0; padding]].concat();
    let pages = if pages_too { data.len() } else { body.len() };
    let meta = Fields::new().i32(1, INT64).i32s(2, &[0, 3, 8]).texts(3, &["x"]).i32(4, 0).int(5, 1);
    let meta = meta.int(6, pages as i64).int(7, pages as i64).int(9, 4);
    let chunk = Fields::new().int(2, 4).fields(3, meta).int(4, 4 + body.len() as i64).i32(5, 3).int(6, 4).i32(7, data.len() as i64);
    let groups = vec![row_group(&[chunk.end()], 1); groups];
    // Without an order of its values a column index is not kept.
    let orders = [Fields::new().fields(1, Fields::new()).end()];
    let footer = Fields::new().i32(1, 2).list(2, &[group("m", 1), leaf("x", INT64, REQUIRED)]).int(3, groups.len() as i64);
    let footer = footer.list(4, &groups).list(7, &orders).end();
    Bytes::from([b"PAR1", &data[..], &footer, &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat())
}

/// A sink that only counts.
#[derive(Default)]
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn writer(bytes: &Bytes) -> FileWriter<Counted> {
    let schema = read::metadata(bytes, &generous()).expect("metadata").schema().clone();
    FileWriter::new(Counted::default(), schema, WriterOptions::default()).expect("a writer")
}

#[test]
fn what_many_chunks_share_is_not_copied_for_each() {
    for pages_too in [false, true] {
        let bytes = of_whole_files(1000, 300_000, pages_too);
        let mut writer = writer(&bytes);
        let copied = bounded("1,000 chunks of all of the file", 32 << 20, || writer.copy_file_within(&bytes, &generous()));
        let error = copied.expect_err("a refusal");
        // Pages and index of the first are twice the file.
        assert_eq!((error.kind(), error.place().row_group), (ErrorKind::Malformed, Some(usize::from(!pages_too))), "{error}");
        assert!(writer.written() < 2 * bytes.len() as u64, "{} bytes", writer.written());
    }
}

#[test]
fn copied_indexes_do_not_wait_without_end() {
    let bytes = of_whole_files(10, 6_000_000, false);
    let (mut writer, metadata) = (writer(&bytes), read::metadata(&bytes, &generous()).expect("metadata"));
    let mut copy = || (0..100).try_for_each(|group| writer.copy_row_group(&bytes, &metadata, group % 10));
    let error = refused("indexes of 6 MB", 300 << 20, &mut copy);
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    let waiting = writer.buffered();
    assert!(waiting > 256 << 20, "{waiting}");
    // They are not doubled where they are written.
    bounded("the end of the file", 8 << 20, || writer.close()).expect("a file");
}

#[test]
fn many_sorting_columns_are_copied_in_time() {
    let count = 20_000;
    let names: Vec<String> = (0..count).map(|i| format!("c{i}")).collect();
    let body = page(false, 1, 0, 8, &7_i64.to_le_bytes());
    let data = body.repeat(count);
    let chunks: Vec<Vec<u8>> = names.iter().enumerate().map(|(i, name)| chunk(name, INT64, 0, 1, 4 + i * body.len(), body.len())).collect();
    let sorting: Vec<Vec<u8>> = (0..count).map(|_| Fields::new().i32(1, count as i64 - 1).flag(2, false).flag(3, false).end()).collect();
    let sorted = Fields::new().list(1, &chunks).int(2, 100).int(3, 1).list(4, &sorting).end();
    let leaves: Vec<Vec<u8>> = names.iter().map(|name| leaf(name, INT64, REQUIRED)).collect();
    let bytes = file(&data, &[vec![group("m", count)], leaves].concat(), 1, &[sorted]);
    bounded("20,000 sorting columns", 200 << 20, || writer(&bytes).copy_file_within(&bytes, &generous())).expect("a copy");
}

#[test]
fn errors_that_are_thrown_away_copy_no_names() {
    let (name, groups) = ("n".repeat(1 << 20), 2000);
    let body = page(false, 1, 0, 8, &7_i64.to_le_bytes());
    // Statistics cannot be read of a chunk that does not say how many values it has.
    let broken = Fields::new().int(2, 4).fields(3, Fields::new().i32(1, INT64)).end();
    let chunks = [chunk("x", INT64, 0, 1, 4, body.len()), broken];
    let schema = [group("m", 2), leaf("x", INT64, REQUIRED), leaf(&name, INT64, REQUIRED)];
    let bytes = file(&body, &schema, groups, &vec![row_group(&chunks, 1); groups as usize]);
    let open = ParquetFile::from_source_with(bytes, generous()).expect("a file");
    let filter = col(name.as_str()).gt(3);
    let mut scan = None;
    let allocated = allocation_counter::measure(|| scan = Some(open.scan().columns(["x"]).filter(filter).threads(1).build()));
    assert!(allocated.bytes_total < 200 << 20, "{} bytes", allocated.bytes_total);
    let error = scan.expect("it ran").expect("a scan").next().expect("a batch").expect_err("no values");
    assert_eq!(error.place().row_group, Some(0), "{error}");
    assert!(error.to_string().len() < 2000 && error.to_string().contains("nnn…"), "{}", error.to_string().len());
}
