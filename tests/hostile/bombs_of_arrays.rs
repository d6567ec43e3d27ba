//! Small files whose arrays, indexes or row groups take much more than their bytes.

use bytes::Bytes;
use herringbone::arrow::{ParquetFile, Strings};
use herringbone::predicate::col;
use herringbone::schema::Schema;
use herringbone::write::{FileWriter, WriterOptions};
use herringbone::{Error, ErrorKind, Limits};

use crate::bombs::{bounded, indices, levels, refused};
#[cfg(feature = "zstd")]
use crate::bombs::{zeros, zstd};
#[cfg(feature = "zstd")]
use crate::compact::BYTE_ARRAY;
use crate::compact::{FIXED_LEN_BYTE_ARRAY, Fields, INT64, REQUIRED, chunk, file, group, leaf, page, row_group};
use crate::mutate::limits;
use crate::reading::memory_bound;

const REPEATED: i64 = 2;

fn open(bytes: &Bytes, limits: Limits) -> Result<ParquetFile, Error> {
    ParquetFile::from_source_with(bytes.clone(), limits)
}

/// The first batch is refused for want of memory.
fn first_batch_is_refused(what: &str, memory: u64, bytes: &Bytes, limits: &Limits, strings: Strings) {
    let first = || open(bytes, limits.clone())?.scan().strings(strings).threads(1).build()?.next().expect("a batch");
    let error = refused(what, memory, first);
    assert_eq!(error.kind(), ErrorKind::Limit, "{what}: {error}");
}

/// Files claim any scale for a decimal, and constants are brought to it.
#[test]
fn scales_that_no_number_has_are_not_compared() {
    for scale in [2_000, 60_000, 70_000, i64::from(i32::MAX)] {
        let decimal = Fields::new().i32(1, 1).i32(3, REQUIRED).text(4, "x").i32(6, 5).i32(7, scale).i32(8, scale).end();
        let bytes = file(&[], &[group("m", 1), decimal], 0, &[]);
        let file = open(&bytes, limits()).expect("a file");
        for filter in [col("x").gt(5), col("x").lt(2.5), col("x").is_in((0..100).collect::<Vec<i32>>())] {
            let error = refused("a scale", memory_bound(), || file.scan().filter(filter).build());
            assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        }
    }
}

/// Each of 20 arrays of views keeps the one entry of a dictionary of 3 MiB.
#[cfg(feature = "zstd")]
#[test]
fn entries_that_arrays_keep_are_counted() {
    let (rows, text) = (100, "a".repeat(3 << 20));
    let value = [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let data = indices(rows);
    let body = [page(true, 1, 0, value.len(), &zstd(&value)), page(false, rows, 8, data.len(), &zstd(&data))].concat();
    let names: Vec<String> = (0..20).map(|i| format!("c{i}")).collect();
    let schema = [vec![group("m", names.len())], names.iter().map(|name| leaf(name, BYTE_ARRAY, REQUIRED)).collect()].concat();
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, BYTE_ARRAY, 6, rows, 4, body.len())).collect();
    let bytes = file(&body, &schema, rows, &[row_group(&chunks, rows)]);
    first_batch_is_refused("20 dictionaries that views keep", memory_bound() + (4 << 20), &bytes, &limits(), Strings::Utf8View);
}

/// 50 columns of lists whose elements are one entry of 1,000 bytes, again and again.
#[test]
fn elements_of_a_width_are_counted_in_all_columns() {
    let elements = 4_000;
    let levels = [levels(&[(1, 0), (elements - 1, 1)]), levels(&[(elements, 1)])].concat();
    let data = [levels, indices(elements as i64)].concat();
    let body = [page(true, 1, 0, 1000, &[7; 1000]), page(false, elements as i64, 8, data.len(), &data)].concat();
    let names: Vec<String> = (0..50).map(|i| format!("c{i}")).collect();
    let wide = |name: &String| Fields::new().i32(1, FIXED_LEN_BYTE_ARRAY).i32(2, 1000).i32(3, REPEATED).text(4, name).end();
    let schema = [vec![group("m", names.len())], names.iter().map(wide).collect()].concat();
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, FIXED_LEN_BYTE_ARRAY, 0, elements as i64, 4, body.len())).collect();
    first_batch_is_refused(
        "50 lists of wide elements",
        memory_bound(),
        &file(&body, &schema, 1, &[row_group(&chunks, 1)]),
        &limits(),
        Strings::Utf8,
    );
}

/// One column in 60 lists around each other, each of which has offsets for all elements.
#[test]
fn offsets_of_nested_lists_are_counted() {
    let (depth, elements) = (60, 500_000);
    let data = [levels(&[(1, 0), (elements - 1, 1)]), levels(&[(elements, depth)]), indices(elements as i64)].concat();
    let body = [page(true, 1, 0, 8, &[7; 8]), page(false, elements as i64, 8, data.len(), &data)].concat();
    let mut schema = vec![group("m", 1)];
    schema.extend((1..depth).map(|i| Fields::new().i32(3, REPEATED).text(4, &format!("g{i}")).i32(5, 1).end()));
    schema.push(leaf("x", INT64, REPEATED));
    let meta = |size: usize| chunk("x", INT64, 0, elements as i64, 4, size);
    let bytes = file(&body, &schema, 1, &[row_group(&[meta(body.len())], 1)]);
    first_batch_is_refused("60 nested lists", memory_bound(), &bytes, &limits(), Strings::Utf8);
}

/// A chunk that begins at 4, with the places of its offset index and of its column index.
fn indexed(name: &str, rows: i64, size: usize, offsets: (usize, usize), columns: (usize, usize)) -> Vec<u8> {
    let meta = Fields::new().i32(1, INT64).i32s(2, &[0, 3, 8]).texts(3, &[name]).i32(4, 0).int(5, rows);
    let meta = meta.int(6, size as i64).int(7, size as i64).int(9, 4);
    let place = |fields: Fields, id: i16, (at, length): (usize, usize)| fields.int(id, at as i64).i32(id + 1, length as i64);
    place(place(Fields::new().int(2, 4).fields(3, meta), 4, offsets), 6, columns).end()
}

fn offset_index(pages: i64) -> Vec<u8> {
    let page = |page: i64| Fields::new().int(1, 4 + page).i32(2, 1).int(3, page).end();
    Fields::new().list(1, &(0..pages).map(page).collect::<Vec<_>>()).end()
}

/// One dictionary page and one run of indices, and what else is to make the chunk large.
fn padded(rows: i64, size: usize) -> Vec<u8> {
    let run = indices(rows);
    let mut body = [page(true, 1, 0, 8, &[7; 8]), page(false, rows, 8, run.len(), &run)].concat();
    body.resize(size.max(body.len()), 0);
    body
}

/// 2,000 columns that call one offset index theirs, which is 20,000 pages long.
#[test]
fn an_offset_index_of_many_columns_is_not_kept_for_each() {
    let (rows, size) = (100_000, 80 << 10);
    let body = padded(rows, size);
    let index = offset_index(20_000);
    let names: Vec<String> = (0..2_000).map(|i| format!("c{i}")).collect();
    let schema = [vec![group("m", names.len())], names.iter().map(|name| leaf(name, INT64, REQUIRED)).collect()].concat();
    let place = (4 + body.len(), index.len());
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| indexed(name, rows, size, place, place)).collect();
    let bytes = file(&[body, index].concat(), &schema, rows, &[row_group(&chunks, rows)]);
    let limits = Limits { metadata_bytes: 64 << 20, memory_bytes: 64 << 20, ..limits() };
    let read = || open(&bytes, limits.clone())?.scan().limit(10).threads(1).build()?.map(|batch| Ok(batch?.num_rows())).sum();
    let read: Result<usize, Error> = bounded("an offset index of 2,000 columns", 128 << 20, read);
    assert_eq!(read.expect("rows"), 10);
}

/// 1,000 row groups that call one column index theirs: it is looked at a few times.
#[test]
fn a_column_index_of_many_row_groups_is_not_read_for_each() {
    let (rows, size, groups) = (100, 40 << 10, 1_000);
    let body = padded(rows, size);
    let offsets = Fields::new().list(1, &[Fields::new().int(1, 4).i32(2, size as i64).int(3, 0).end()]).end();
    // What it says of 50,000 pages is not used: there is one.
    let columns = Fields::new().text(15, &"x".repeat(200_000)).end();
    let (at, after) = (4 + body.len(), 4 + body.len() + offsets.len());
    let meta = indexed("x", rows, size, (at, offsets.len()), (after, columns.len()));
    let all = rows * groups;
    let group_bytes = row_group(&[meta], rows);
    let bytes =
        file(&[body, offsets, columns].concat(), &[group("m", 1), leaf("x", INT64, REQUIRED)], all, &vec![group_bytes; groups as usize]);
    let limits = Limits { metadata_bytes: 64 << 20, ..limits() };
    for threads in [1, 2] {
        let mut scan =
            open(&bytes, limits.clone()).expect("a file").scan().filter(col("x").gt(3)).threads(threads).build().expect("a scan");
        let rows = bounded("a column index of 1,000 row groups", 128 << 20, || {
            scan.by_ref().map(|batch| batch.map_or(0, |batch| batch.num_rows())).sum::<usize>()
        });
        assert_eq!(rows, all as usize);
        let fetched = scan.metrics().bytes_fetched;
        let chunks = (size as u64) * groups as u64;
        assert!(fetched < 2 * chunks + 4 * bytes.len() as u64, "{fetched} bytes were fetched of a file of {}", bytes.len());
    }
}

/// What the first row group claims of its rows is no measure for the others: a page is not decompressed for each of its rows.
#[cfg(all(feature = "zstd", feature = "rayon"))]
#[test]
fn units_of_filtered_scans_have_a_batch_at_the_least() {
    let (size, rows) = (2 << 20, (2 << 20) / 8);
    let one = page(false, 1, 0, 8, &zeros(8));
    let all = page(false, rows, 0, size, &zeros(size));
    let claiming = |at: usize, length: usize, values: i64, uncompressed: i64| {
        let meta = Fields::new().i32(1, INT64).i32s(2, &[0]).texts(3, &["x"]).i32(4, 6).int(5, values);
        Fields::new().int(2, at as i64).fields(3, meta.int(6, uncompressed).int(7, length as i64).int(9, at as i64)).end()
    };
    let padding = vec![0; 40 << 10];
    let first = row_group(&[claiming(4, one.len() + padding.len(), 1, 1 << 62)], 1);
    let second = row_group(&[claiming(4 + one.len() + padding.len(), all.len(), rows, size as i64)], rows);
    let bytes = file(&[one, padding, all].concat(), &[group("m", 1), leaf("x", INT64, REQUIRED)], rows + 1, &[first, second]);
    let read = || open(&bytes, limits())?.scan().filter(col("x").lt(5)).threads(2).build()?.map(|batch| Ok(batch?.num_rows())).sum();
    let read: Result<usize, Error> = bounded("a page behind a large row", 4 * memory_bound(), read);
    assert_eq!(read.expect("rows"), rows as usize + 1);
}

/// Sums of what is claimed go beyond all integers.
#[test]
fn claims_are_added_up_without_overflow() {
    let body = padded(1, 0);
    let names = ["a", "b", "c"];
    let schema = [vec![group("m", names.len())], names.iter().map(|name| leaf(name, INT64, REQUIRED)).collect()].concat();
    let large = |name: &str| {
        let meta = Fields::new().i32(1, INT64).i32s(2, &[0, 3, 8]).texts(3, &[name]).i32(4, 0).int(5, 1);
        Fields::new().int(2, 4).fields(3, meta.int(6, i64::MAX).int(7, body.len() as i64).int(9, 4)).end()
    };
    for rows in [1, i64::MAX] {
        let chunks: Vec<Vec<u8>> = names.iter().map(|name| large(name)).collect();
        let bytes = file(&body, &schema, 0, &vec![row_group(&chunks, rows); 3]);
        let Ok(opened) = open(&bytes, limits()) else { continue };
        let _ = opened.scan().row_groups([0, 1, 2, 0, 1, 2]).build().map(|scan| scan.num_rows());
        let _ = opened.scan().row_groups([0, 0, 0]).filter(col("a").gt(1)).threads(2).build().map(|scan| scan.num_rows());
        let own: std::sync::Arc<Schema> = std::sync::Arc::clone(opened.metadata().schema());
        let mut writer = FileWriter::new(Vec::new(), own, WriterOptions::default()).expect("a writer");
        for group in 0..3 {
            let _ = writer.copy_row_group(&bytes, opened.metadata(), group);
        }
        let _ = writer.close();
    }
}

/// Ranges of rows are looked up in row groups, of which there may be many.
#[test]
fn many_ranges_of_many_row_groups_are_found_in_time() {
    let groups = 100_000;
    let body = padded(1, 0);
    let one = row_group(&[chunk("x", INT64, 0, 1, 4, body.len())], 1);
    let bytes = file(&body, &[group("m", 1), leaf("x", INT64, REQUIRED)], groups, &vec![one; groups as usize]);
    let generous = Limits { metadata_bytes: 128 << 20, ..limits() };
    let file = open(&bytes, generous).expect("a file");
    let ranges = (0..groups as u64 / 2).map(|row| 2 * row..2 * row + 1);
    let scan = bounded("50,000 ranges of 100,000 row groups", 128 << 20, || file.scan().rows(ranges).build());
    assert_eq!(scan.expect("a scan").num_rows(), groups as u64 / 2);
}
