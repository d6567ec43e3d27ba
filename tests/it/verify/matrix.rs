//! Nothing is found in what this crate writes, whatever the type, encoding, codec, page version, nesting and options are.

use std::sync::Arc;

use herringbone::compression::Compression;
use herringbone::format::{Encoding, PhysicalType};
use herringbone::schema::{Leaf, LogicalType, Schema};
use herringbone::values::{Bits, ByteArrays, FixedBytes, Values};
use herringbone::write::{
    BloomFilterOptions, ColumnOptions, ContentChunking, EncodingChoice, FileWriter, LevelsSlice, PageVersion, SortBy, StatisticsLevel,
    WriterOptions,
};

/// Every order of values that there is.
const TYPES: &[&str] = &[
    "boolean c",
    "int32 c",
    "int32 c (INTEGER(8,true))",
    "int32 c (INTEGER(32,false))",
    "int32 c (DATE)",
    "int32 c (DECIMAL(9,2))",
    "int64 c",
    "int64 c (INTEGER(64,false))",
    "int64 c (TIMESTAMP(MICROS,true))",
    "int96 c",
    "float c",
    "double c",
    "binary c",
    "binary c (STRING)",
    "binary c (DECIMAL(30,3))",
    "fixed_len_byte_array(5) c",
    "fixed_len_byte_array(16) c (DECIMAL(38,1))",
    "fixed_len_byte_array(16) c (UUID)",
    "fixed_len_byte_array(2) c (FLOAT16)",
    "fixed_len_byte_array(12) c (INTERVAL)",
    "binary c (GEOMETRY)",
    "binary c (GEOGRAPHY)",
];

/// Where the column stands.
const NESTINGS: &[&str] = &[
    "required COLUMN;",
    "optional COLUMN;",
    "optional group g { optional COLUMN; }",
    "repeated COLUMN;",
    "optional group l (LIST) { repeated group list { optional COLUMN; } }",
    "optional group l (LIST) { repeated group list { required group m (LIST) { repeated group list { optional COLUMN; } } } }",
];

/// Numbers that look random, the same at every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 24
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

fn codecs() -> Vec<Compression> {
    let all = ["uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli"];
    all.iter().filter_map(|codec| codec.parse().ok()).collect()
}

/// Levels of some rows, by the rules of the nesting.
fn levels(leaf: &Leaf, rows: usize, numbers: &mut Numbers) -> (Vec<u8>, Vec<u8>) {
    let (mut repetition, mut definition) = (Vec::new(), Vec::new());
    // Where a list is cut off, the definition level is below that of its repeated field, which is the same for all levels.
    for _ in 0..rows {
        repetition.push(0);
        definition.push(numbers.below(usize::from(leaf.max_definition_level) + 1) as u8);
        while leaf.max_repetition_level > 0
            && definition.last().is_some_and(|last| *last >= leaf.repeated_definition_level)
            && numbers.below(3) > 0
        {
            repetition.push(leaf.max_repetition_level);
            let room = leaf.max_definition_level - leaf.repeated_definition_level;
            definition.push(leaf.repeated_definition_level + numbers.below(usize::from(room) + 1) as u8);
        }
    }
    (repetition, definition)
}

fn values(leaf: &Leaf, n: usize, numbers: &mut Numbers) -> Values {
    let population = numbers.of(&[1_u64, 7, 300, 1 << 38]);
    let mut next = || numbers.next() % population;
    let geospatial = matches!(leaf.logical_type, Some(LogicalType::Geometry { .. } | LogicalType::Geography { .. }));
    let decimal = matches!(leaf.logical_type, Some(LogicalType::Decimal { .. }));
    match leaf.physical_type {
        PhysicalType::Boolean => {
            let mut bits = Bits::new();
            (0..n).for_each(|_| bits.push(next() % 2 == 0));
            Values::Bits(bits)
        }
        PhysicalType::Int32 => Values::Words32((0..n).map(|_| (next() as u32).wrapping_sub(100)).collect()),
        PhysicalType::Int64 => Values::Words64((0..n).map(|_| next().wrapping_sub(100)).collect()),
        PhysicalType::Float => {
            let special = [f32::NAN, -0.0, 0.0, f32::INFINITY, -f32::NAN];
            let number = |word: u64| special.get(word as usize % 23).copied().unwrap_or(word as f32 / 4.0 - 10.0);
            Values::Words32((0..n).map(|_| number(next()).to_bits()).collect())
        }
        PhysicalType::Double => {
            let special = [f64::NAN, -0.0, 0.0, f64::NEG_INFINITY, -f64::NAN];
            let number = |word: u64| special.get(word as usize % 23).copied().unwrap_or(word as f64 / 100.0 - 10.0);
            Values::Words64((0..n).map(|_| number(next()).to_bits()).collect())
        }
        PhysicalType::ByteArray => {
            let mut arrays = ByteArrays::new();
            for _ in 0..n {
                let word = next();
                let value = match (geospatial, decimal, leaf.logical_type.is_some()) {
                    (true, ..) => {
                        [&[1, 1, 0, 0, 0][..], &(word as f64 % 180.0).to_le_bytes(), &(word as f64 % 90.0).to_le_bytes()].concat()
                    }
                    (_, true, _) => (word as i64 - 100).to_be_bytes()[word as usize % 3..].to_vec(),
                    (.., true) => "grüße \u{10ffff}".repeat(word as usize % 20).into_bytes(),
                    _ => vec![0xff - word as u8 % 3; word as usize % 90],
                };
                arrays.push(&value).unwrap();
            }
            Values::Bytes(arrays)
        }
        _ => {
            let mut fixed = FixedBytes::new(leaf.type_length);
            for _ in 0..n {
                let word = next().to_le_bytes();
                fixed.extend_from_bytes(&word.iter().cycle().copied().take(leaf.type_length).collect::<Vec<_>>());
            }
            Values::Fixed(fixed)
        }
    }
}

fn options(encoding: Option<Encoding>, flat: bool, ordered: bool, numbers: &mut Numbers) -> Option<WriterOptions> {
    let yes = |numbers: &mut Numbers| numbers.below(2) == 0;
    let statistics = numbers.of(&[StatisticsLevel::None, StatisticsLevel::Chunk, StatisticsLevel::Page]);
    let mut column = ColumnOptions::new()
        .compression(numbers.of(&codecs()))
        .page_version(numbers.of(&[PageVersion::V1, PageVersion::V2]))
        .page_rows(numbers.of(&[1, 13, 100, 20_000]))
        .page_bytes(numbers.of(&[40, 1 << 20]))
        .dictionary_bytes(numbers.of(&[30, 1 << 20]))
        .statistics(statistics)
        .distinct_counts(yes(numbers))
        .truncation(numbers.of(&[Some(1), Some(5), Some(64), None]))
        .crc(yes(numbers));
    if yes(numbers) {
        column = column.bloom_filter(BloomFilterOptions { false_positives: 0.1, distinct_values: numbers.of(&[None, Some(50)]) });
    }
    column = match encoding {
        Some(encoding) => column.encoding(encoding),
        None => column,
    };
    let with_index = yes(numbers);
    if !with_index || statistics == StatisticsLevel::None {
        column = column.column_index(false);
    }
    let mut builder = WriterOptions::builder()
        .columns(column)
        .encodings(numbers.of(&[EncodingChoice::Classic, EncodingChoice::Modern]))
        .offset_index(with_index)
        .format_version(numbers.of(&[1, 2]));
    if numbers.below(4) == 0 {
        builder = builder.content_chunking(ContentChunking { min_bytes: 100, max_bytes: 1000, norm_level: 0 });
    }
    if flat && ordered && numbers.below(3) == 0 {
        builder =
            builder.sorting([SortBy { column: "c".to_owned(), descending: yes(numbers), nulls_first: yes(numbers) }]).check_sorting(true);
    }
    builder.build().ok()
}

/// Writes a file of two row groups; `None` when the options do not go together or the rows are not sorted as they say.
fn write(schema: &Arc<Schema>, options: WriterOptions, numbers: &mut Numbers) -> Option<Vec<u8>> {
    let leaf = &schema.leaves()[0];
    let mut bytes = Vec::new();
    let mut file = FileWriter::new(&mut bytes, Arc::clone(schema), options).ok()?;
    for _ in 0..2 {
        let rows = numbers.of(&[0, 1, 3, 150]);
        let (repetition, definition) = levels(leaf, rows, numbers);
        let present = definition.iter().filter(|level| **level == leaf.max_definition_level).count();
        let values = values(leaf, present, numbers);
        let mut writer = file.leaf_writer(0).ok()?;
        writer.write(values.as_slice(), LevelsSlice::Levels { repetition: &repetition, definition: &definition }).unwrap();
        file.append_row_group([writer.finish().ok()?]).ok()?;
    }
    file.close().ok()?;
    Some(bytes)
}

#[test]
fn nothing_is_found_in_files_that_we_write() {
    let (mut written, mut combinations) = (0, 0);
    let mut numbers = Numbers(1);
    for column in TYPES {
        for (nesting, around) in NESTINGS.iter().enumerate() {
            let schema: Schema = format!("message m {{ {} }}", around.replace("COLUMN", column)).parse().unwrap();
            let schema = Arc::new(schema);
            let encodings = (0..=10).map(Encoding::from_code).filter(|encoding| !matches!(encoding, Encoding::Unknown(_)));
            for encoding in std::iter::once(None).chain(encodings.map(Some)) {
                for _ in 0..6 {
                    combinations += 1;
                    let ordered = !column.contains("GEO") && !column.contains("int96") && !column.contains("INTERVAL");
                    let Some(options) = options(encoding, nesting < 2, ordered, &mut numbers) else { continue };
                    let Some(file) = write(&schema, options, &mut numbers) else { continue };
                    written += 1;
                    super::assert_clean(&file);
                }
            }
        }
    }
    assert!(written > 2500, "{written} of {combinations} were written");
}
