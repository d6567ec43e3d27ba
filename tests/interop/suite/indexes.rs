//! The official crate reads our page index, bloom filters and statistics as we do; that they are true of the data, `verify` says.

use bytes::Bytes;
use herringbone::Limits;
use herringbone::metadata::{BloomFilter, FileMetadata};
use herringbone::read;
use herringbone::verify::{VerifyOptions, verify};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};

use crate::arrays::{self, Random, Types};
use crate::properties;

/// What was compared.
#[derive(Debug, Default)]
struct Seen {
    chunks: usize,
    bounds: usize,
    indexes: usize,
    pages: usize,
    page_bounds: usize,
    /// Among them those of pages that hold nothing but NaN.
    only_nan: usize,
    histograms: usize,
    bloom_filters: usize,
}

#[test]
fn the_official_crate_reads_our_indexes_as_we_do() {
    let mut seen = Seen::default();
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let schema = arrays::schema(&mut random, 4, Types::Common);
        let batches: Vec<_> = (0..2).map(|_| arrays::batch(&mut random, &schema, 120)).collect();
        let options = properties::options(&mut random, &schema);
        let bytes = properties::write(&schema, &batches, options);
        let report = verify(&bytes, &VerifyOptions::default()).unwrap();
        assert!(report.is_clean(), "seed {seed}: {report:?}");
        compare(&bytes, &mut seen);
    }
    println!("official crate: {seen:?} equal");
    assert!(
        seen.pages > 2000 && seen.page_bounds > 1000 && seen.bounds > 200 && seen.bloom_filters > 50 && seen.histograms > 50,
        "{seen:?}"
    );
}

fn compare(bytes: &Bytes, seen: &mut Seen) {
    let ours = read::metadata(bytes, &Limits::default()).unwrap();
    let official = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required).parse_and_finish(bytes).unwrap();
    let blooms = ReadOptionsBuilder::new().with_reader_properties(ReaderProperties::builder().set_read_bloom_filter(true).build()).build();
    let reader = SerializedFileReader::new_with_options(bytes.clone(), blooms).unwrap();
    assert_eq!(ours.num_row_groups(), official.num_row_groups());
    for (at, group) in official.row_groups().iter().enumerate() {
        let index = official.page_index_for_row_group(at);
        let group_reader = reader.get_row_group(at).unwrap();
        for (column, chunk) in group.columns().iter().enumerate() {
            seen.chunks += 1;
            statistics(&ours, at, column, chunk, seen);
            offset_index(bytes, &ours, at, column, index.offset_index(column), seen);
            column_index(bytes, &ours, at, column, index.column_index(column), seen);
            bloom_filter(bytes, &ours, at, column, group_reader.get_column_bloom_filter(column), seen);
        }
    }
}

fn statistics(file: &FileMetadata, group: usize, column: usize, theirs: &parquet::file::metadata::ColumnChunkMetaData, seen: &mut Seen) {
    let chunk = file.row_group(group).unwrap().column(column).unwrap();
    let ours = chunk.statistics().expect("statistics are always written here");
    let found = theirs.statistics().expect("the official crate finds statistics");
    assert_eq!(ours.null_count(), found.null_count_opt());
    assert_eq!(ours.distinct_count(), found.distinct_count_opt());
    assert_eq!(ours.min().map(|bound| bound.bytes()), found.min_bytes_opt(), "least of {}", chunk.path());
    assert_eq!(ours.max().map(|bound| bound.bytes()), found.max_bytes_opt(), "greatest of {}", chunk.path());
    if let (Some(min), Some(max)) = (ours.min(), ours.max()) {
        assert_eq!((min.is_exact(), max.is_exact()), (found.min_is_exact(), found.max_is_exact()));
        seen.bounds += 1;
    }
    let histogram = |levels: Option<&parquet::file::metadata::LevelHistogram>| levels.map(|levels| levels.values().to_vec());
    assert_eq!(chunk.repetition_level_histogram().map(<[i64]>::to_vec), histogram(theirs.repetition_level_histogram()));
    assert_eq!(chunk.definition_level_histogram().map(<[i64]>::to_vec), histogram(theirs.definition_level_histogram()));
    seen.histograms += usize::from(theirs.definition_level_histogram().is_some());
}

fn slice(bytes: &Bytes, range: std::ops::Range<u64>) -> &[u8] {
    &bytes[range.start as usize..range.end as usize]
}

fn offset_index(
    bytes: &Bytes,
    file: &FileMetadata,
    group: usize,
    column: usize,
    theirs: Option<&parquet::file::page_index::offset_index::OffsetIndexMetaData>,
    seen: &mut Seen,
) {
    let group = file.row_group(group).unwrap();
    let range = group.column(column).unwrap().offset_index().expect("an offset index is written");
    let ours = group.parse_offset_index(column, slice(bytes, range)).unwrap();
    let theirs = theirs.expect("the official crate finds the offset index");
    assert_eq!(ours.num_pages(), theirs.page_locations().len());
    for (page, (ours_at, theirs_at)) in ours.pages().iter().zip(theirs.page_locations()).enumerate() {
        assert_eq!(ours_at.range(), theirs_at.offset as u64..theirs_at.offset as u64 + theirs_at.compressed_page_size as u64);
        assert_eq!(ours.rows(page).start, theirs_at.first_row_index as u64);
        let unencoded = theirs.unencoded_byte_array_data_bytes().map(|bytes| bytes[page] as u64);
        assert_eq!(ours.unencoded_bytes(page), unencoded);
        seen.pages += 1;
    }
}

fn column_index(bytes: &Bytes, file: &FileMetadata, group: usize, column: usize, theirs: Option<&ColumnIndexMetaData>, seen: &mut Seen) {
    let group = file.row_group(group).unwrap();
    let chunk = group.column(column).unwrap();
    let Some(range) = chunk.column_index() else {
        assert!(theirs.is_none());
        return;
    };
    let pages = group.parse_offset_index(column, slice(bytes, chunk.offset_index().unwrap())).unwrap();
    let ours = group.parse_column_index(column, slice(bytes, range), &pages).unwrap();
    let theirs = theirs.expect("the official crate finds the column index");
    assert_eq!(ours.num_pages() as u64, theirs.num_pages());
    for page in 0..ours.num_pages() {
        assert_eq!(ours.is_null_page(page), theirs.is_null_page(page), "page {page} of {}", chunk.path());
        assert_eq!(ours.null_count(page), theirs.null_count(page).map(|nulls| nulls as u64));
        assert_eq!(ours.nan_count(page), theirs.nan_count(page).map(|nans| nans as u64));
        assert_eq!(ours.repetition_level_histogram(page), theirs.repetition_level_histogram(page));
        assert_eq!(ours.definition_level_histogram(page), theirs.definition_level_histogram(page));
        let (min, max) = page_bounds(theirs, page);
        seen.page_bounds += usize::from(min.is_some());
        if ours.is_only_nan(page) {
            // Bounds that are NaN say that there is nothing else in the page; to us they are none.
            seen.only_nan += 1;
            assert_eq!((ours.min(page), ours.max(page)), (None, None), "page {page} of {}", chunk.path());
            continue;
        }
        for (ours, theirs) in [(ours.min(page), min), (ours.max(page), max)] {
            assert_eq!(ours.map(|bound| bound.bytes().to_vec()), theirs, "page {page} of {}", chunk.path());
        }
    }
    seen.indexes += 1;
}

/// The plain bytes of a page's bounds as the official crate reads them.
fn page_bounds(index: &ColumnIndexMetaData, page: usize) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    macro_rules! numbers {
        ($index:expr, $bytes:expr) => {
            ($index.min_value(page).map($bytes), $index.max_value(page).map($bytes))
        };
    }
    match index {
        ColumnIndexMetaData::BOOLEAN(index) => numbers!(index, |value| vec![u8::from(*value)]),
        ColumnIndexMetaData::INT32(index) => numbers!(index, |value| value.to_le_bytes().to_vec()),
        ColumnIndexMetaData::INT64(index) => numbers!(index, |value| value.to_le_bytes().to_vec()),
        ColumnIndexMetaData::FLOAT(index) => numbers!(index, |value| value.to_le_bytes().to_vec()),
        ColumnIndexMetaData::DOUBLE(index) => numbers!(index, |value| value.to_le_bytes().to_vec()),
        ColumnIndexMetaData::BYTE_ARRAY(index) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(index) => {
            numbers!(index, |value| value.to_vec())
        }
        ColumnIndexMetaData::INT96(_) => (None, None),
    }
}

fn bloom_filter(
    bytes: &Bytes,
    file: &FileMetadata,
    group: usize,
    column: usize,
    theirs: Option<&parquet::bloom_filter::Sbbf>,
    seen: &mut Seen,
) {
    let chunk = file.row_group(group).unwrap().column(column).unwrap();
    let Some(location) = chunk.bloom_filter() else {
        assert!(theirs.is_none());
        return;
    };
    let theirs = theirs.expect("the official crate finds the bloom filter");
    let length = location.length.expect("its length is written");
    let ours = BloomFilter::parse(slice(bytes, location.offset..location.offset + u64::from(length))).unwrap();
    assert_eq!(ours.num_bytes(), theirs.num_blocks() * 32);
    // Values that are in it, as `verify` saw, and others: both answer the same to all.
    let min = chunk.statistics().and_then(|statistics| statistics.min().map(|bound| bound.bytes().to_vec()));
    let width = min.as_ref().map_or(8, Vec::len);
    let asked = (0_u64..200).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes().repeat(4)[..width.clamp(1, 32)].to_vec());
    for value in min.into_iter().chain(asked) {
        assert_eq!(ours.may_contain(&value), theirs.check(value.as_slice()), "{value:?} in {}", chunk.path());
    }
    seen.bloom_filters += 1;
}
