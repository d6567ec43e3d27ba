//! Small files that claim much: what they take follows the limits and what is asked for.

#[cfg(feature = "rayon")]
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use herringbone::arrow::ParquetFile;
use herringbone::encoding::{Shape, encoder};
use herringbone::format::{Encoding, PhysicalType};
use herringbone::read;
use herringbone::schema::Schema;
use herringbone::values::Values;
use herringbone::verify::{VerifyOptions, verify};
use herringbone::{Error, ErrorKind, Limits};
#[cfg(all(feature = "zstd", feature = "gzip", feature = "brotli", feature = "snappy", feature = "lz4"))]
use herringbone::{
    compression::{Compression, Compressor},
    format::Codec,
};

use crate::compact::{
    BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY, Fields, INT64, OPTIONAL, REQUIRED, chunk, file, fixed_leaf, group, leaf, page, row_group, varint,
};
use crate::mutate::limits;
use crate::reading::{PATIENCE, memory_bound};

/// What one of these may take, reading what is lawful included: some are files of many megabytes.
const MOST: std::time::Duration = std::time::Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 3 });

/// Runs within the time and memory that are allowed; says what it took.
pub fn bounded<T>(what: &str, memory: u64, run: impl FnOnce() -> T) -> T {
    bounded_in(MOST, what, memory, run)
}

/// As [`bounded`], for what ends in an error, which comes within a second.
pub fn refused<T>(what: &str, memory: u64, run: impl FnOnce() -> Result<T, Error>) -> Error {
    match bounded_in(PATIENCE, what, memory, run) {
        Err(error) => error,
        Ok(_) => panic!("{what} was read"),
    }
}

fn bounded_in<T>(most: std::time::Duration, what: &str, memory: u64, run: impl FnOnce() -> T) -> T {
    let (mut result, began) = (None, Instant::now());
    let allocated = allocation_counter::measure(|| result = Some(run()));
    let took = began.elapsed();
    println!("{what}: {} ms, {} KiB at the peak", took.as_millis(), allocated.bytes_max >> 10);
    assert!(took < most, "{what} took {took:?}");
    assert!(allocated.bytes_max <= memory, "{what} took {} bytes, more than {memory}", allocated.bytes_max);
    result.expect("it ran")
}

/// So many indices of a dictionary's first entry, as one run.
pub fn indices(count: i64) -> Vec<u8> {
    [vec![0], varint((count as u64) << 1)].concat()
}

/// A dictionary page of one text, and a data page in which each of so many rows has it.
fn one_text(text: &str, rows: i64) -> Vec<u8> {
    let value = [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let indices = indices(rows);
    [page(true, 1, 0, value.len(), &value), page(false, rows, 8, indices.len(), &indices)].concat()
}

/// The rows of the first batches of a scan.
fn scan(bytes: &Bytes, limit: Option<u64>, batches: usize) -> Result<usize, Error> {
    let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
    let scan = file.scan().threads(1);
    let scan = if let Some(rows) = limit { scan.limit(rows) } else { scan };
    scan.build()?.take(batches).map(|batch| batch.map(|batch| batch.num_rows())).sum()
}

/// One column of one value, repeated: each row group has the same dictionary page and data pages of one run each.
fn endless(groups: usize, pages: usize) -> (Bytes, i64) {
    let run = i64::from(i32::MAX);
    let mut body = page(true, 1, 0, 8, &7_i64.to_le_bytes());
    let indices = indices(run);
    for _ in 0..pages {
        body.extend(page(false, run, 8, indices.len(), &indices));
    }
    let rows = run * pages as i64;
    let group_bytes = row_group(&[chunk("x", INT64, 0, rows, 4, body.len())], rows);
    let total = rows * groups as i64;
    (file(&body, &[group("m", 1), leaf("x", INT64, REQUIRED)], total, &vec![group_bytes; groups]), total)
}

#[test]
fn rows_beyond_number_are_read_one_batch_at_a_time() {
    let (bytes, rows) = endless(300, 1000);
    assert!(rows > 600_000_000_000_000 && bytes.len() < 100_000, "{rows} rows in {} bytes", bytes.len());
    let read = bounded("the first of 6·10^14 rows", memory_bound(), || scan(&bytes, Some(200_000), 10)).expect("the first rows");
    assert_eq!(read, 200_000);
    // Without a limit the scan begins as well, or says that it will not.
    match bounded("all of 6·10^14 rows", memory_bound(), || scan(&bytes, None, 3)) {
        Ok(rows) => assert!((1..=3 * 65_536).contains(&rows), "{rows}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Limit, "{error}"),
    }
    // The last rows are behind thousands of pages, which are passed over by their headers.
    let (bytes, rows) = endless(10, 300);
    let last = || {
        let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
        file.scan().threads(1).offset(rows as u64 - 5).build()?.read_all()
    };
    let batches = bounded("the last rows", memory_bound(), last).expect("the last rows");
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 5);
    let options = VerifyOptions { limits: limits(), values: 1_000_000, ..VerifyOptions::default() };
    bounded("verifying 6·10^12 rows", memory_bound(), || verify(&bytes, &options)).expect("a report");
}

#[cfg(all(feature = "zstd", feature = "gzip", feature = "brotli", feature = "snappy", feature = "lz4"))]
#[test]
fn pages_that_inflate_stop_at_what_they_claim() {
    let codecs = [(Codec::Snappy, 1), (Codec::Gzip, 2), (Codec::Brotli, 4), (Codec::Lz4, 5), (Codec::Zstd, 6), (Codec::Lz4Raw, 7)];
    let zeros = vec![0; 6 << 20];
    for (codec, id) in codecs {
        let mut compressed = Vec::new();
        let compression = Compression::new(codec, None).expect("a codec");
        Compressor::new(compression).expect("a codec").compress(&zeros, &mut compressed).expect("zeros");
        // Less than it is, a little less than is allowed, and what it is.
        for claimed in [100, 3 << 20, zeros.len()] {
            let body = page(false, 10, 0, claimed, &compressed);
            let groups = [row_group(&[chunk("x", INT64, id, 10, 4, body.len())], 10)];
            let bytes = file(&body, &[group("m", 1), leaf("x", INT64, REQUIRED)], 10, &groups);
            let what = format!("{codec}: {} bytes to {claimed}, really {}", compressed.len(), zeros.len());
            let error = refused(&what, memory_bound(), || scan(&bytes, None, 2));
            let wanted = if claimed == zeros.len() { ErrorKind::Limit } else { ErrorKind::Malformed };
            assert!(error.kind() == wanted && error.place().page.is_some(), "{what}: {error}");
        }
    }
}

#[test]
fn a_hundred_thousand_columns() {
    let body = page(false, 1, 0, 8, &7_i64.to_le_bytes());
    let names: Vec<String> = (0..100_000).map(|i| format!("c{i}")).collect();
    let schema = [vec![group("m", names.len())], names.iter().map(|name| leaf(name, INT64, REQUIRED)).collect()].concat();
    // All of them lie at the same place.
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, INT64, 0, 1, 4, body.len())).collect();
    let bytes = file(&body, &schema, 1, &[row_group(&chunks, 1)]);
    let generous = Limits { metadata_bytes: 128 << 20, ..limits() };
    let open = || ParquetFile::from_source_with(bytes.clone(), generous.clone());
    let file = bounded("100,000 columns", 200 << 20, open).expect("a file of many columns");
    let one = || file.scan().threads(1).columns(["c99999"]).build().and_then(|scan| scan.read_all());
    assert_eq!(bounded("one of 100,000 columns", 200 << 20, one).expect("a column")[0].num_rows(), 1);
    let all = || file.scan().threads(1).build().and_then(|scan| scan.read_all());
    assert_eq!(bounded("all of 100,000 columns", 600 << 20, all).expect("all columns")[0].num_columns(), 100_000);
    let error = refused("100,000 columns in 8 MiB", memory_bound(), || scan(&bytes, None, 1));
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

#[test]
fn schemas_of_any_depth_are_refused_and_not_recursed_into() {
    for depth in [101, 10_000, 1_000_000] {
        let schema = [vec![group("g", 1); depth], vec![leaf("x", INT64, REQUIRED)]].concat();
        let bytes = file(&[], &schema, 0, &[]);
        let what = format!("a schema {depth} deep");
        let error = refused(&what, memory_bound(), || scan(&bytes, None, 1));
        assert!(matches!(error.kind(), ErrorKind::Limit | ErrorKind::Malformed), "{error}");
        let text = format!("message m {{ {} required int32 x; {}", "optional group g { ".repeat(depth), "} ".repeat(depth + 1));
        let parsed = bounded(&format!("{what}, as text"), 600 << 20, || text.parse::<Schema>());
        assert!(depth == 101 || parsed.is_err());
    }
}

#[test]
fn a_million_empty_row_groups() {
    let groups = vec![row_group(&[chunk("x", INT64, 0, 0, 4, 0)], 0); 1_000_000];
    let bytes = file(&[], &[group("m", 1), leaf("x", INT64, REQUIRED)], 0, &groups);
    let generous = Limits { metadata_bytes: 512 << 20, ..limits() };
    let metadata = || read::metadata(&bytes, &generous);
    let metadata = bounded("a million row groups", generous.metadata_bytes as u64, metadata).expect("a file of empty row groups");
    assert_eq!((metadata.num_row_groups(), metadata.num_rows()), (1_000_000, 0));
    let file = ParquetFile::from_metadata(bytes.clone(), metadata, generous);
    let all = || file.scan().threads(1).build().and_then(|scan| scan.read_all());
    assert!(bounded("reading a million row groups", 512 << 20, all).expect("no rows").is_empty());
    let error = refused("a million row groups in 8 MiB", memory_bound(), || scan(&bytes, None, 1));
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

#[test]
fn many_chunks_of_the_same_bytes_are_read_within_the_limits() {
    // A page of 2 MiB of text, which 500 columns of 20 row groups claim for themselves: 20 GB in a file of 2 MiB.
    let text = "a".repeat(2 << 20);
    let value = [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let body = page(false, 1, 0, value.len(), &value);
    let names: Vec<String> = (0..500).map(|i| format!("c{i}")).collect();
    let schema = [vec![group("m", names.len())], names.iter().map(|name| leaf(name, BYTE_ARRAY, REQUIRED)).collect()].concat();
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, BYTE_ARRAY, 0, 1, 4, body.len())).collect();
    let bytes = file(&body, &schema, 20, &vec![row_group(&chunks, 1); 20]);
    let columns = ["c0", "c7", "c499"];
    let open = || {
        let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
        file.scan().threads(1).columns(columns).build()?.map(|batch| batch.map(|batch| batch.num_rows())).sum::<Result<usize, Error>>()
    };
    assert_eq!(bounded("three of 500 overlapping columns", memory_bound(), open).expect("rows"), 20);
}

/// Asserts that reading the one column of a file is refused for want of memory.
fn refused_for_its_size(what: &str, column: Vec<u8>, physical_type: i64, rows: i64, body: &[u8]) {
    let chunk = chunk("x", physical_type, 0, rows, 4, body.len());
    let bytes = file(body, &[group("m", 1), column], rows, &[row_group(&[chunk], rows)]);
    let error = refused(what, memory_bound(), || scan(&bytes, None, 1));
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

/// A null takes its place in an array of fixed width, and no byte of the file.
#[test]
fn nulls_of_a_width_that_only_the_schema_claims() {
    let widest = i64::from(i32::MAX);
    for rows in [1, 16, 100_000] {
        let nulls = varint((rows as u64) << 1);
        let levels = [&(nulls.len() as u32 + 1).to_le_bytes()[..], &nulls, &[0]].concat();
        // Plain nulls, and those of a dictionary without an entry.
        let plain = page(false, rows, 0, levels.len(), &levels);
        let indices = [&levels[..], &[0]].concat();
        let keyed = [page(true, 0, 0, 0, &[]), page(false, rows, 8, indices.len(), &indices)].concat();
        for (what, body) in [("plain nulls", plain), ("nulls of a dictionary", keyed)] {
            refused_for_its_size(&format!("{rows} {what}"), fixed_leaf("x", widest, OPTIONAL), FIXED_LEN_BYTE_ARRAY, rows, &body);
        }
    }
}

/// One entry of a megabyte, the value of 60,000 rows: as text that would be 60 GB.
#[test]
fn a_long_entry_that_every_row_refers_to() {
    let (rows, text) = (60_000, "a".repeat(1 << 20));
    let indices = indices(rows);
    let value = [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let data = page(false, rows, 8, indices.len(), &indices);
    let body = [page(true, 1, 0, value.len(), &value), data.clone()].concat();
    refused_for_its_size("long text", leaf("x", BYTE_ARRAY, REQUIRED), BYTE_ARRAY, rows, &body);
    let body = [page(true, 1, 0, text.len(), text.as_bytes()), data].concat();
    // Where the schema says how long, batches have fewer rows.
    let chunk = chunk("x", FIXED_LEN_BYTE_ARRAY, 0, rows, 4, body.len());
    let bytes = file(&body, &[group("m", 1), fixed_leaf("x", 1 << 20, REQUIRED)], rows, &[row_group(&[chunk], rows)]);
    let read = bounded("long values of one width", memory_bound(), || scan(&bytes, None, 10)).expect("ten batches");
    assert_eq!(read, 40);
}

/// A file of so many columns of one type, whose chunks are all the same bytes.
fn columns(n: usize, of: impl Fn(&str) -> Vec<u8>, physical_type: i64, codec: i64, rows: i64, body: &[u8]) -> Bytes {
    let names: Vec<String> = (0..n).map(|i| format!("c{i}")).collect();
    let schema = [vec![group("m", n)], names.iter().map(|name| of(name)).collect()].concat();
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, physical_type, codec, rows, 4, body.len())).collect();
    file(body, &schema, rows, &[row_group(&chunks, rows)])
}

/// Pages of one number, in a dictionary, that so many rows repeat.
fn a_run(rows: i64) -> Vec<u8> {
    let run = indices(rows);
    [page(true, 1, 0, 8, &7_i64.to_le_bytes()), page(false, rows, 8, run.len(), &run)].concat()
}

/// Lengths as DELTA_BYTE_ARRAY stores them.
fn lengths(lengths: Vec<u32>) -> Vec<u8> {
    let shape = Shape { physical_type: PhysicalType::Int32, width: 0 };
    let mut encoded = Vec::new();
    let mut encoder = encoder(Encoding::DeltaBinaryPacked, shape).expect("an encoder");
    encoder.write(Values::Words32(lengths).as_slice()).expect("lengths");
    encoder.finish(&mut encoded);
    encoded
}

/// One value of 256 KiB that every row has as its prefix, with nothing behind it.
#[test]
fn a_long_prefix_that_every_row_repeats() {
    let (rows, text) = (60_000, "a".repeat(256 << 10));
    let page_of = |rows: i64| {
        let of_rows = |first: usize, others: usize| lengths((0..rows).map(|row| if row == 0 { first } else { others } as u32).collect());
        let values = [of_rows(0, text.len()), of_rows(text.len(), 0), text.clone().into_bytes()].concat();
        page(false, rows, 7, values.len(), &values)
    };
    let body = page_of(rows);
    refused_for_its_size("long prefixes", leaf("x", BYTE_ARRAY, REQUIRED), BYTE_ARRAY, rows, &body);
    // And of many pages, each with a few rows.
    let few = 40;
    let body = page_of(few).repeat(20);
    refused_for_its_size("long prefixes of many pages", leaf("x", BYTE_ARRAY, REQUIRED), BYTE_ARRAY, few * 20, &body);
}

/// The levels of a page of the first version: runs of a level each.
pub fn levels(runs: &[(u64, u8)]) -> Vec<u8> {
    let bytes: Vec<u8> = runs.iter().flat_map(|(length, level)| [varint(length << 1), vec![*level]].concat()).collect();
    [&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat()
}

/// The schema of a list of one type.
fn list_of(physical_type: i64) -> Vec<Vec<u8>> {
    let outer = Fields::new().i32(3, OPTIONAL).text(4, "l").i32(5, 1).i32(6, 3).end();
    let list = Fields::new().i32(3, 2).text(4, "list").i32(5, 1).end();
    vec![group("m", 1), outer, list, leaf("element", physical_type, OPTIONAL)]
}

/// A list of so many elements that memory does not hold them, all of them null, in one page or in several.
#[test]
fn a_row_with_elements_beyond_number() {
    let most = i32::MAX as u64;
    for (name, physical_type) in [("booleans", 0), ("INT32", 1), ("INT64", INT64), ("text", BYTE_ARRAY)] {
        for pages in [1, 3] {
            let nulls = levels(&[(most, 2)]);
            let first = [levels(&[(1, 0), (most - 1, 1)]), nulls.clone()].concat();
            let next = [levels(&[(most, 1)]), nulls].concat();
            let mut body = page(false, most as i64, 0, first.len(), &first);
            (1..pages).for_each(|_| body.extend(page(false, most as i64, 0, next.len(), &next)));
            let schema = list_of(physical_type);
            let bytes = file(&body, &schema, 1, &[row_group(&[chunk("x", physical_type, 0, most as i64 * pages, 4, body.len())], 1)]);
            let what = format!("a list of {name} in {pages} pages");
            let error = refused(&what, memory_bound(), || scan(&bytes, None, 1));
            assert_eq!(error.kind(), ErrorKind::Limit, "{what}: {error}");
        }
    }
}

/// The last rows of a page whose levels alone would take gigabytes.
#[test]
fn levels_are_passed_over_a_few_at_a_time() {
    let rows = i64::from(i32::MAX);
    let page_of = |level| {
        let levels = levels(&[(rows as u64, level)]);
        page(false, rows, 0, levels.len(), &levels)
    };
    let flat = [group("m", 1), leaf("x", INT64, OPTIONAL)].to_vec();
    let nested = [group("m", 1), Fields::new().i32(3, OPTIONAL).text(4, "s").i32(5, 1).end(), leaf("x", INT64, OPTIONAL)].to_vec();
    for (what, schema, level) in [("a column", flat, 0), ("a column in a group", nested, 1)] {
        let body = page_of(level);
        let bytes = file(&body, &schema, rows, &[row_group(&[chunk("x", INT64, 0, rows, 4, body.len())], rows)]);
        let last = || {
            let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
            file.scan().threads(1).offset(rows as u64 - 5).build()?.read_all()
        };
        let batches = bounded(&format!("the last rows of {what}"), memory_bound(), last).expect("the last rows");
        assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 5);
    }
}

#[cfg(feature = "zstd")]
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    let compression = herringbone::compression::Compression::new(herringbone::format::Codec::Zstd, None).expect("a codec");
    let mut compressed = Vec::new();
    let mut compressor = herringbone::compression::Compressor::new(compression).expect("a codec");
    compressor.compress(bytes, &mut compressed).expect("bytes");
    compressed
}

/// Zeros as Zstandard compresses them.
#[cfg(feature = "zstd")]
pub fn zeros(bytes: usize) -> Vec<u8> {
    zstd(&vec![0; bytes])
}

/// 300 columns that are the same page, which inflates to 3 MiB, or the same dictionary: what is open between batches is bounded, whatever the number of columns.
#[cfg(feature = "zstd")]
#[test]
fn many_columns_of_one_page_that_inflates() {
    let (size, rows) = (3 << 20, (3 << 20) / 8);
    let compressed = zeros(size);
    let plain = page(false, rows, 0, size, &compressed);
    let run = indices(rows);
    // A frame of one block that is not compressed.
    let indices = [vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, run.len() as u8, 1 | (run.len() as u8) << 3, 0, 0], run.clone()].concat();
    let keyed = [page(true, rows, 0, size, &compressed), page(false, rows, 8, run.len(), &indices)].concat();
    for (what, body) in [("pages", plain), ("dictionaries", keyed)] {
        for physical_type in [INT64, FIXED_LEN_BYTE_ARRAY] {
            let of = |name: &str| if physical_type == INT64 { leaf(name, INT64, REQUIRED) } else { fixed_leaf(name, 8, REQUIRED) };
            let bytes = columns(300, of, physical_type, 6, rows, &body);
            let open = || -> Result<usize, Error> {
                let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
                file.scan().threads(1).batch_rows(100).build()?.take(2).map(|batch| batch.map(|batch| batch.num_rows())).sum()
            };
            let what = format!("300 {what} of 3 MiB, type {physical_type}");
            assert_eq!(bounded(&what, memory_bound(), open).expect("rows"), 200, "{what}");
        }
    }
}

/// Pages without a value are not decompressed.
#[cfg(feature = "zstd")]
#[test]
fn pages_without_values_cost_nothing() {
    let size = 3 << 20;
    let empty = page(false, 0, 0, size, &zeros(size));
    let full = page(false, (size / 8) as i64, 0, size, &zeros(size));
    let body = [empty.repeat(20_000), full].concat();
    let rows = (size / 8) as i64;
    let bytes =
        file(&body, &[group("m", 1), leaf("x", INT64, REQUIRED)], rows, &[row_group(&[chunk("x", INT64, 6, rows, 4, body.len())], rows)]);
    let open = || {
        let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
        let mut scan = file.scan().threads(1).limit(10).build()?;
        let rows: usize = scan.by_ref().map(|batch| batch.map(|batch| batch.num_rows())).sum::<Result<usize, Error>>()?;
        Ok::<_, Error>((rows, scan.metrics().pages_decoded))
    };
    assert_eq!(bounded("20,000 pages without a value", memory_bound(), open).expect("rows"), (10, 1));
}

/// 100 columns of 67 million rows each in a run: what is kept of batches follows those in work, and not those that are to come.
#[cfg(feature = "rayon")]
#[test]
fn batches_to_come_take_no_memory() {
    let rows = 1_i64 << 26;
    let bytes = columns(100, |name| leaf(name, INT64, REQUIRED), INT64, 0, rows, &a_run(rows));
    let open = || -> Result<usize, Error> {
        let file = ParquetFile::from_source_with(bytes.clone(), Limits { metadata_bytes: 32 << 20, ..limits() })?;
        file.scan().threads(2).batch_rows(1_024).build()?.take(2).map(|batch| batch.map(|batch| batch.num_rows())).sum()
    };
    assert_eq!(bounded("100 columns of 67 million rows", 64 << 20, open).expect("rows"), 2_048);
}

/// What one column may take is for all columns of a batch together, the text of their dictionaries included.
#[test]
fn columns_share_what_a_batch_may_take() {
    let (rows, text) = (200, "a".repeat(32 << 10));
    let body = one_text(&text, rows);
    let bytes = columns(40, |name| leaf(name, BYTE_ARRAY, REQUIRED), BYTE_ARRAY, 0, rows, &body);
    let error = refused("40 columns of 6 MB of text", memory_bound(), || scan(&bytes, None, 1));
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

/// Pages that change from values to a dictionary and back reserve no memory for all rows of a batch each.
#[test]
fn parts_of_a_page_each_take_no_more_than_it() {
    let value = [&500_u32.to_le_bytes()[..], &[b'a'; 500]].concat();
    let pair = [page(false, 1, 0, value.len(), &value), page(false, 1, 8, 3, &[0, 2, 0])].concat();
    let body = [page(true, 1, 0, value.len(), &value), pair.repeat(2_000)].concat();
    let rows = 4_000;
    let bytes = file(
        &body,
        &[group("m", 1), leaf("x", BYTE_ARRAY, REQUIRED)],
        rows,
        &[row_group(&[chunk("x", BYTE_ARRAY, 0, rows, 4, body.len())], rows)],
    );
    assert_eq!(bounded("4,000 pages of two kinds", memory_bound(), || scan(&bytes, None, 10)).expect("rows"), 4_000);
}

/// Rows that a filter leaves are not all held before the first of them is taken: 64 batches of ten megabytes each.
#[cfg(feature = "rayon")]
#[test]
fn filtered_batches_do_not_wait_without_end() {
    let (rows, text) = (6_400, "a".repeat(100 << 10));
    let body = one_text(&text, rows);
    let of = |name: &str| leaf(name, BYTE_ARRAY, REQUIRED);
    let bytes = columns(2, of, BYTE_ARRAY, 0, rows, &body);
    // The pool's only thread takes the batches as well, so that what it holds is counted.
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool"));
    let filtered = |file: ParquetFile| file.scan().batch_rows(50).pool(Arc::clone(&pool)).filter(herringbone::predicate::col("c0").gt("A"));
    let local = || -> Result<usize, Error> {
        let scan = filtered(ParquetFile::from_source_with(bytes.clone(), limits())?).build()?;
        scan.map(|batch| batch.map(|batch| batch.num_rows())).sum()
    };
    let pushed = || -> Result<usize, Error> {
        let metadata = ParquetFile::from_bytes(bytes.clone())?.metadata().clone();
        let scan = filtered(ParquetFile::without_source(metadata, limits())).push()?;
        crate::bombs_of_copies::take_all(&bytes, scan, false)
    };
    let read: [&(dyn Fn() -> Result<usize, Error> + Sync); 2] = [&local, &pushed];
    for read in read {
        let taken = pool.install(|| bounded("filtered rows of long text", 2 * memory_bound(), read));
        assert_eq!(taken.expect("rows"), rows as usize);
    }
}

/// A chunk of few bytes that claims 2^62 is not read row by row.
#[cfg(feature = "zstd")]
#[test]
fn claims_beyond_what_a_codec_can_do_are_not_believed() {
    let (size, rows) = (3 << 20, (3 << 20) / 8);
    let body = page(false, rows, 0, size, &zeros(size));
    let meta = Fields::new()
        .i32(1, INT64)
        .i32s(2, &[0])
        .texts(3, &["x"])
        .i32(4, 6)
        .int(5, rows)
        .int(6, 1 << 62)
        .int(7, body.len() as i64)
        .int(9, 4);
    let chunk = Fields::new().int(2, 4).fields(3, meta).end();
    let bytes = file(
        &body,
        &[group("m", 1), leaf("x", INT64, REQUIRED)],
        rows,
        &[Fields::new().list(1, &[chunk]).int(2, 1 << 62).int(3, rows).end()],
    );
    for threads in [1, 2] {
        let filtered = || -> Result<usize, Error> {
            let file = ParquetFile::from_source_with(bytes.clone(), limits())?;
            let scan = file.scan().threads(threads).filter(herringbone::predicate::col("x").lt(5)).build()?;
            scan.map(|batch| batch.map(|batch| batch.num_rows())).sum()
        };
        assert_eq!(bounded("a claim of 2^62 bytes, filtered", 2 * memory_bound(), filtered).expect("rows"), rows as usize);
    }
}

/// One struct of 200,000 fields.
#[test]
fn a_group_of_many_leaves_is_read_in_time() {
    let body = page(false, 1, 0, 8, &7_i64.to_le_bytes());
    let names: Vec<String> = (0..200_000).map(|i| format!("c{i}")).collect();
    let inner = Fields::new().i32(3, REQUIRED).text(4, "s").i32(5, names.len() as i64).end();
    let schema = [vec![group("m", 1), inner], names.iter().map(|name| leaf(name, INT64, REQUIRED)).collect()].concat();
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, INT64, 0, 1, 4, body.len())).collect();
    let bytes = file(&body, &schema, 1, &[row_group(&chunks, 1)]);
    let generous = Limits { metadata_bytes: 256 << 20, memory_bytes: 256 << 20, ..limits() };
    let all = || ParquetFile::from_source_with(bytes.clone(), generous.clone())?.scan().threads(1).build()?.read_all();
    assert_eq!(bounded("a struct of 200,000 fields", 600 << 20, all).expect("rows").len(), 1);
}

/// A row of a list that is passed over has no more elements than one that is read.
#[test]
fn a_row_with_elements_beyond_number_is_not_passed_over_either() {
    let most = i32::MAX as u64;
    let nulls = levels(&[(most, 2)]);
    let first = [levels(&[(1, 0), (most - 1, 1)]), nulls.clone()].concat();
    let next = [levels(&[(most, 1)]), nulls].concat();
    let last = [levels(&[(1, 0)]), levels(&[(1, 2)])].concat();
    let mut body = page(false, most as i64, 0, first.len(), &first);
    (0..300).for_each(|_| body.extend(page(false, most as i64, 0, next.len(), &next)));
    body.extend(page(false, 1, 0, last.len(), &last));
    let bytes = file(&body, &list_of(INT64), 2, &[row_group(&[chunk("x", INT64, 0, most as i64 * 301 + 1, 4, body.len())], 2)]);
    let second = || ParquetFile::from_source_with(bytes.clone(), limits())?.scan().threads(1).offset(1).build()?.read_all();
    let error = refused("a row behind 6·10^11 elements", memory_bound(), second);
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

/// Columns whose values take far less in the file than in memory are read in smaller batches, and not refused.
#[test]
fn many_columns_of_runs_are_read_in_batches_that_fit() {
    let rows = 20_000;
    let bytes = columns(300, |name| leaf(name, INT64, REQUIRED), INT64, 0, rows, &a_run(rows));
    for threads in [1, 2] {
        let file = ParquetFile::from_source_with(bytes.clone(), limits()).expect("a file");
        let batches = file.scan().threads(threads).build().expect("a scan").read_all().expect("48 MB in batches of 4 MiB");
        assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), rows as usize);
        assert!(batches.iter().all(|batch| batch.num_rows() * 300 * 8 <= limits().batch_bytes));
    }
}
