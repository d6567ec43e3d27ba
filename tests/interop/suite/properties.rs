//! Arbitrary nested arrays, options and batch splits: what we write is read by the official crate, and what that writes is read by us,
//! as a whole and in part. `HERRINGBONE_INTEROP_CASES` says how many cases there are of each.

use std::cell::RefCell;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::write::{
    BloomFilterOptions, ColumnOptions, ContentChunking, EncodingChoice, PageVersion, StatisticsLevel, WriterOptions, WriterOptionsBuilder,
};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::basic::{Compression as OfficialCompression, ZstdLevel};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use proptest::prelude::*;

use crate::arrays::{self, Random, Types};
use crate::findings::Findings;
use crate::parts::{self, Parts};
use crate::text;

/// How many cases there are of each property.
fn config() -> ProptestConfig {
    let cases = std::env::var("HERRINGBONE_INTEROP_CASES").map_or(2000, |cases| cases.parse().expect("a number of cases"));
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn batches(random: &mut Random, rows: &[usize], types: Types) -> (SchemaRef, Vec<RecordBatch>) {
    let schema = arrays::schema(random, 3, types);
    let batches = rows.iter().map(|rows| arrays::batch(random, &schema, *rows)).collect();
    (schema, batches)
}

/// Any options that fit all schemas.
pub fn options(random: &mut Random, schema: &SchemaRef) -> WriterOptions {
    let codecs = ["uncompressed", "snappy", "gzip", "zstd", "brotli:1", "lz4_raw", "lz4_hadoop"];
    let mut columns = ColumnOptions::new()
        .compression(codecs[random.below(codecs.len())].parse().unwrap())
        .page_rows(1 + random.below(60))
        .page_bytes(1 + random.below(4000))
        .page_version([PageVersion::V1, PageVersion::V2][random.below(2)])
        .statistics([StatisticsLevel::Chunk, StatisticsLevel::Page][random.below(2)])
        .distinct_counts(random.one_in(2))
        .truncation([None, Some(1 + random.below(8)), Some(64)][random.below(3)])
        .crc(random.one_in(2));
    columns = if random.one_in(3) { columns.dictionary(false) } else { columns.dictionary_bytes(1 + random.below(500)) };
    let builder = WriterOptions::builder()
        .columns(columns)
        .row_group_rows([1 << 20, 1 + random.below(100) as u64][random.below(2)])
        .encodings([EncodingChoice::Classic, EncodingChoice::Modern][random.below(2)])
        .decimals_as_integers(random.one_in(2))
        .content_chunking(random.one_in(5).then_some(ContentChunking { min_bytes: 64, max_bytes: 512, norm_level: 0 }))
        .threads(1 + random.below(2));
    bloom_filters(builder, random, schema).build().unwrap()
}

fn bloom_filters(builder: WriterOptionsBuilder, random: &mut Random, schema: &SchemaRef) -> WriterOptionsBuilder {
    let some = schema.fields().iter().filter(|field| field.data_type().is_primitive() && random.one_in(2));
    some.fold(builder, |builder, field| builder.column(field.name(), ColumnOptions::new().bloom_filter(BloomFilterOptions::default())))
}

/// The bytes of a file of ours.
pub fn write(schema: &SchemaRef, batches: &[RecordBatch], options: WriterOptions) -> Bytes {
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close_into().unwrap().1.into()
}

fn read(bytes: &Bytes, random: &mut Random) -> Vec<RecordBatch> {
    let file = ParquetFile::from_bytes(bytes.clone()).unwrap();
    file.scan().verify_crc(true).batch_rows(1 + random.below(100)).build().unwrap().read_all().unwrap()
}

/// The bytes of a file of the official crate.
fn official(schema: &SchemaRef, batches: &[RecordBatch], options: WriterProperties) -> Bytes {
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(options)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap().into()
}

fn official_options(random: &mut Random) -> WriterProperties {
    use OfficialCompression as C;
    let codecs =
        [C::UNCOMPRESSED, C::SNAPPY, C::LZ4_RAW, C::ZSTD(ZstdLevel::default()), C::GZIP(Default::default()), C::BROTLI(Default::default())];
    let statistics = [EnabledStatistics::None, EnabledStatistics::Chunk, EnabledStatistics::Page];
    WriterProperties::builder()
        .set_writer_version([WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0][random.below(2)])
        .set_compression(codecs[random.below(codecs.len())])
        .set_dictionary_enabled(!random.one_in(3))
        .set_dictionary_page_size_limit(1 + random.below(500))
        .set_data_page_row_count_limit(1 + random.below(60))
        .set_write_batch_size(1 + random.below(40))
        .set_max_row_group_row_count(Some(1 + random.below(200)))
        .set_statistics_enabled(statistics[random.below(3)])
        .set_bloom_filter_enabled(random.one_in(3))
        .build()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn ours_is_read_by_the_official_crate(seed: u64, rows in row_counts()) {
        let mut random = Random::new(seed);
        let (schema, batches) = batches(&mut random, &rows, Types::Common);
        let bytes = write(&schema, &batches, options(&mut random, &schema));
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let open = || ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options.clone()).unwrap();
        let types: Vec<_> = open().schema().fields().iter().map(|field| field.data_type().clone()).collect();
        let wanted: Vec<_> = schema.fields().iter().map(|field| field.data_type().clone()).collect();
        prop_assert!(types.iter().zip(&wanted).all(|(found, wanted)| found.equals_datatype(wanted)), "{:?} is not {:?}", types, wanted);
        let mut read = |builder: ParquetRecordBatchReaderBuilder<Bytes>| {
            let found: Vec<_> = builder.with_batch_size(1 + random.below(100)).build().unwrap().map(Result::unwrap).collect();
            text::rows(&found)
        };
        let all = text::rows(&batches);
        prop_assert_eq!(&read(open()), &all);
        // Some ranges of rows, for which it goes by the offset index.
        let ranges = parts::ranges(&mut Random::new(seed), all.len());
        let some: Vec<_> = ranges.iter().flat_map(|range| &all[range.clone()]).cloned().collect();
        let selection = RowSelection::from_consecutive_ranges(ranges.into_iter(), all.len());
        prop_assert_eq!(read(open().with_row_selection(selection)), some);
    }
}

#[test]
fn the_official_crates_is_read_by_us() {
    let (findings, parts) = (RefCell::new(Findings::new(OFFICIAL)), RefCell::new(Parts::default()));
    proptest!(config(), |(seed: u64, rows in row_counts())| {
        let mut random = Random::new(seed);
        let (schema, batches) = batches(&mut random, &rows, Types::Common);
        let bytes = official(&schema, &batches, official_options(&mut random));
        prop_assert_eq!(text::rows(&read(&bytes, &mut random)), text::rows(&batches));
        findings.borrow_mut().check("", &bytes).map_err(TestCaseError::fail)?;
        parts.borrow_mut().read(&bytes, &mut random, 1).map_err(TestCaseError::fail)?;
    });
    let (mut findings, mut parts) = (findings.into_inner(), parts.into_inner());
    let many = parts::many_rows();
    for seed in 0..20 {
        let mut random = Random::new(seed);
        // In row groups of so many rows that page indexes are looked at.
        let options = official_options(&mut random).into_builder().set_max_row_group_row_count(None).build();
        let bytes = official(&many.schema(), std::slice::from_ref(&many), options);
        findings.check("", &bytes).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
        parts.read(&bytes, &mut random, 3).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
    findings.assert_all_met();
    parts.assert_used(OFFICIAL);
}

const OFFICIAL: &str = "official crate";

/// How many rows there are in each of some batches.
fn row_counts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..150_usize, 0..4)
}
