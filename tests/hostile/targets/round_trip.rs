//! Arrays of any types, written with any options, are read as they were: all of them, and any part.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::compression::Compression;
use herringbone::format::Codec;
use herringbone::verify::{VerifyOptions, verify};
use herringbone::write::{BloomFilterOptions, ColumnOptions, ContentChunking, EncodingChoice, PageVersion, StatisticsLevel, WriterOptions};

use super::scan::{Part, rows_of};
use crate::arrow_write::arrays::{self, Random, Types};
use crate::arrow_write::values;

pub fn run(data: &[u8]) {
    let mut random = Random::of_choices(data);
    let (schema, batches) = batches(&mut random);
    let bytes = write(&mut random, &schema, &batches);

    let report = verify(&bytes, &VerifyOptions::default()).expect("bytes that can be read");
    assert!(report.findings.is_empty(), "what was written is not clean: {report:?}");

    let file = ParquetFile::from_bytes(bytes).expect("what was written");
    let all = values::rows(&batches);
    let scan = file.scan().threads(1).verify_crc(true).build().expect("all of it");
    assert_eq!(scan.schema(), schema);
    assert!(values::rows(&scan.read_all().expect("all of it")) == all, "other rows than were written");

    let part = Part::random(&mut random, &schema, all.len());
    let scan = part.of(file.scan()).build().expect("a part of it");
    let read = values::rows(&scan.read_all().expect("a part of it"));
    let columns: Vec<RecordBatch> = batches.iter().map(|batch| batch.project(&part.columns).expect("columns that are there")).collect();
    let all = values::rows(&columns);
    let expected: Vec<_> = rows_of(&part.ranges, part.offset, part.limit).into_iter().flatten().map(|row| &all[row]).collect();
    assert!(read.iter().eq(expected), "{part:?}: other rows than were written");
}

/// A few batches of one schema.
pub fn batches(random: &mut Random) -> (SchemaRef, Vec<RecordBatch>) {
    let schema = arrays::schema(random, 3, Types::All);
    let batch = |random: &mut Random| {
        let rows = random.below(150);
        arrays::batch(random, &schema, rows)
    };
    let batches = (0..random.below(4)).map(|_| batch(random)).collect();
    (schema, batches)
}

/// A file of batches, with any options.
pub fn write(random: &mut Random, schema: &SchemaRef, batches: &[RecordBatch]) -> Bytes {
    let options = options(random, schema);
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), options).expect("a schema that can be written");
    for batch in batches {
        writer.write(batch).expect("a batch of the schema");
        if random.one_in(8) {
            writer.flush().expect("memory takes all that is written to it");
        }
    }
    let (metadata, bytes) = writer.close_into().expect("memory takes all that is written to it");
    assert_eq!(metadata.num_rows(), batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
    bytes.into()
}

fn options(random: &mut Random, schema: &SchemaRef) -> WriterOptions {
    let mut builder = WriterOptions::builder()
        .columns(column_options(random))
        .row_group_rows([1 << 20, 1 + random.below(100) as u64][random.below(2)])
        .row_group_bytes([1 << 27, 1 + random.below(3000) as u64][random.below(2)])
        .encodings([EncodingChoice::Classic, EncodingChoice::Modern][random.below(2)])
        .decimals_as_integers(random.one_in(2))
        .offset_index(!random.one_in(4))
        .threads(1);
    if random.one_in(4) {
        builder = builder.memory_bytes(1 << 10);
    }
    if random.one_in(8) {
        builder = builder.content_chunking(ContentChunking::default());
    }
    for field in schema.fields().iter().filter(|field| field.data_type().is_primitive()) {
        if random.one_in(3) {
            builder = builder.column(field.name().clone(), column_options(random).bloom_filter(BloomFilterOptions::default()));
        }
    }
    builder.build().expect("options that go together")
}

fn column_options(random: &mut Random) -> ColumnOptions {
    // Mostly none: codecs have a target of their own, and some are slow.
    let codecs = [Codec::Snappy, Codec::Gzip, Codec::Brotli, Codec::Zstd, Codec::Lz4Raw];
    let codec = Compression::new(*codecs.get(random.below(25)).unwrap_or(&Codec::Uncompressed), None).unwrap_or(Compression::UNCOMPRESSED);
    let columns = ColumnOptions::new()
        .compression(codec)
        .page_rows(1 + random.below(40))
        .page_bytes(1 + random.below(4000))
        .page_version([PageVersion::V1, PageVersion::V2][random.below(2)])
        .statistics([StatisticsLevel::None, StatisticsLevel::Chunk, StatisticsLevel::Page, StatisticsLevel::Page][random.below(4)])
        .crc(random.one_in(2));
    let columns = if random.one_in(3) { columns.dictionary(false) } else { columns.dictionary_bytes(1 + random.below(500)) };
    if random.one_in(3) { columns.truncation(1 + random.below(4)) } else { columns }
}
