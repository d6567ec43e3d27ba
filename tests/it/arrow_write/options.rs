//! Arbitrary options of writers.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use herringbone::arrow::ArrowPlan;
use herringbone::compression::Compression;
use herringbone::encoding::{Shape, encoder};
use herringbone::format::{Codec, Encoding, PhysicalType};
use herringbone::schema::Leaf;
use herringbone::write::{
    BloomFilterOptions, ColumnOptions, ContentChunking, EncodingChoice, PageVersion, StatisticsLevel, WriterOptionsBuilder,
};

use super::arrays::Random;

/// Any options that leave what is read as it is: of the file, of all columns and of some leaf columns.
pub fn any(random: &mut Random, schema: &SchemaRef) -> WriterOptionsBuilder {
    let mut builder = herringbone::write::WriterOptions::builder()
        .columns(column(random))
        .row_group_rows([1 << 20, 1 + random.below(200) as u64][random.below(2)])
        .row_group_bytes([1 << 27, 1 + random.below(3000) as u64][random.below(2)])
        .encodings([EncodingChoice::Classic, EncodingChoice::Modern][random.below(2)])
        .decimals_as_integers(random.one_in(2))
        .offset_index(!random.one_in(4))
        .format_version(1 + random.below(2) as i32)
        .threads(1);
    if random.one_in(4) {
        builder = builder.memory_bytes(1 << 10);
    }
    if random.one_in(8) {
        builder = builder.content_chunking(ContentChunking::default());
    }
    if random.one_in(8) {
        builder = builder.created_by("somebody version 1.2.3");
    }
    let plan = ArrowPlan::new(Arc::clone(schema), builder.clone().build().expect("options that go together")).expect("a schema");
    for leaf in plan.write_plan().schema().leaves() {
        if random.one_in(3) {
            builder = builder.column(leaf.path.dotted(), of_leaf(random, leaf));
        }
    }
    builder
}

/// Any options for all columns.
fn column(random: &mut Random) -> ColumnOptions {
    // Mostly none: codecs have tests of their own, and some are slow.
    let codecs = [Codec::Snappy, Codec::Gzip, Codec::Brotli, Codec::Zstd, Codec::Lz4Raw, Codec::Lz4];
    let codec = Compression::new(*codecs.get(random.below(25)).unwrap_or(&Codec::Uncompressed), None).unwrap_or(Compression::UNCOMPRESSED);
    let mut column = ColumnOptions::new()
        .compression(codec)
        .page_rows(1 + random.below(60))
        .page_bytes(1 + random.below(4000))
        .page_version([PageVersion::V1, PageVersion::V2][random.below(2)])
        .statistics([StatisticsLevel::None, StatisticsLevel::Chunk, StatisticsLevel::Page, StatisticsLevel::Page][random.below(4)])
        .distinct_counts(random.one_in(4))
        .crc(random.one_in(2));
    column = match random.below(6) {
        0 | 1 => column.dictionary(false),
        2 => column.dictionary_bytes(1 + random.below(4000)),
        _ => column.dictionary_bytes(1 + random.below(256)),
    };
    if random.one_in(6) {
        column = column.column_index(false);
    }
    match random.below(6) {
        0 | 1 => column.truncation(1 + random.below(4)),
        2 => column.truncation(None),
        _ => column,
    }
}

/// Any options that suit a leaf column.
fn of_leaf(random: &mut Random, leaf: &Leaf) -> ColumnOptions {
    let mut options = column(random);
    if leaf.physical_type != PhysicalType::Boolean && random.one_in(2) {
        let distinct_values = random.one_in(3).then(|| 1 + random.below(100) as u64);
        let false_positives = [0.01, 0.3][random.below(2)];
        options = options.bloom_filter(BloomFilterOptions { false_positives, distinct_values });
    }
    let encoding = [
        Encoding::Plain,
        Encoding::Rle,
        Encoding::DeltaBinaryPacked,
        Encoding::DeltaLengthByteArray,
        Encoding::DeltaByteArray,
        Encoding::ByteStreamSplit,
        Encoding::Alp,
    ][random.below(7)];
    let shape = Shape { physical_type: leaf.physical_type, width: leaf.type_length };
    if encoder(encoding, shape).is_ok() && random.one_in(2) { options.encoding(encoding) } else { options }
}
