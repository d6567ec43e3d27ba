//! Files written and read back: all types, encodings, codecs, page versions and nullabilities.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use crate::compression::{Compression, Decompressor};
use crate::encoding::Dictionary;
use crate::format::{Codec, Encoding, PhysicalType};
use crate::levels::nested::Levels;
use crate::limits::Limits;
use crate::metadata::{BloomFilter, FileMetadata, Order};
use crate::read::{self, PageOptions};
use crate::schema::{Leaf, Schema};
use crate::values::{Bits, ByteArrays, FixedBytes, Values};
use crate::write::values::gather;
use crate::write::{
    BloomFilterOptions, ColumnOptions, ContentChunking, EncodingChoice, FileWriter, LeafWriter, LevelsSlice, PageVersion, SortBy,
    StatisticsLevel, WritePlan, WriterOptions,
};

/// One column of each kind that writing tells apart.
const TYPES: [&str; 14] = [
    "boolean c",
    "int32 c",
    "int32 c (UINT_32)",
    "int64 c",
    "int64 c (INTEGER(64,false))",
    "int96 c",
    "float c",
    "double c",
    "binary c (STRING)",
    "binary c",
    "binary c (DECIMAL(20,2))",
    "fixed_len_byte_array(5) c",
    "fixed_len_byte_array(2) c (FLOAT16)",
    "fixed_len_byte_array(16) c (DECIMAL(38,4))",
];

/// How the column is nested, with its highest levels.
const NESTINGS: [(&str, &str, u8, u8); 5] = [
    ("required", "", 0, 0),
    ("optional", "", 0, 1),
    ("optional group g { optional", "}", 0, 2),
    ("repeated", "", 1, 1),
    ("optional group g { repeated group l { optional", "} }", 1, 3),
];

fn schema(column: &str, nesting: (&str, &str, u8, u8)) -> Arc<Schema> {
    let (before, after, ..) = nesting;
    Arc::new(format!("message m {{ {before} {column}; {after} }}").parse().unwrap())
}

/// Values of a column from any numbers.
fn container(leaf: &Leaf, numbers: &[u64]) -> Values {
    let text = |number: &u64| {
        let length = (number % 90) as usize;
        format!("{number:x}ü{:length$}", number % 3).into_bytes()
    };
    match leaf.physical_type {
        PhysicalType::Boolean => Values::Bits(numbers.iter().map(|number| number % 3 == 0).collect()),
        PhysicalType::Int32 | PhysicalType::Float => Values::Words32(numbers.iter().map(|number| *number as u32).collect()),
        PhysicalType::Int64 | PhysicalType::Double => Values::Words64(numbers.to_vec()),
        PhysicalType::ByteArray => {
            let texts: Vec<Vec<u8>> = numbers.iter().map(text).collect();
            Values::Bytes(texts.iter().map(Vec::as_slice).collect())
        }
        _ => {
            let mut fixed = FixedBytes::new(leaf.type_length);
            numbers.iter().for_each(|number| fixed.extend_from_bytes(&number.to_le_bytes().repeat(2)[..leaf.type_length]));
            Values::Fixed(fixed)
        }
    }
}

/// The plain-encoded values, byte arrays without their lengths.
fn plain(values: &Values) -> Vec<Vec<u8>> {
    match values {
        Values::Words32(words) => words.iter().map(|word| word.to_le_bytes().to_vec()).collect(),
        Values::Words64(words) => words.iter().map(|word| word.to_le_bytes().to_vec()).collect(),
        Values::Bits(bits) => bits.iter().map(|bit| vec![u8::from(bit)]).collect(),
        Values::Bytes(arrays) => arrays.iter().map(<[u8]>::to_vec).collect(),
        Values::Fixed(fixed) => fixed.iter().map(<[u8]>::to_vec).collect(),
    }
}

/// The encodings that a column can have, and `None` for the writer's choice.
fn encodings(leaf: &Leaf) -> Vec<Option<Encoding>> {
    use Encoding::{Alp, ByteStreamSplit, DeltaBinaryPacked, DeltaByteArray, DeltaLengthByteArray, Plain, Rle, RleDictionary};
    let of_type: &[Encoding] = match leaf.physical_type {
        PhysicalType::Boolean => &[Plain, Rle],
        PhysicalType::Int32 | PhysicalType::Int64 => &[Plain, RleDictionary, DeltaBinaryPacked, ByteStreamSplit],
        PhysicalType::Float | PhysicalType::Double => &[Plain, RleDictionary, ByteStreamSplit, Alp],
        PhysicalType::ByteArray => &[Plain, RleDictionary, DeltaLengthByteArray, DeltaByteArray],
        PhysicalType::FixedLenByteArray => &[Plain, RleDictionary, DeltaByteArray, ByteStreamSplit],
        _ => &[Plain, RleDictionary],
    };
    std::iter::once(None).chain(of_type.iter().copied().map(Some)).collect()
}

/// Levels of `rows` rows and how many values they have.
fn levels(nesting: (&str, &str, u8, u8), choices: &[u8]) -> (Levels, usize) {
    let (_, _, max_repetition, max_definition) = nesting;
    let mut levels = Levels::default();
    for (i, choice) in choices.iter().enumerate() {
        let definition = match choice % 8 {
            0 => 0,
            1 => 1.min(max_definition),
            2 => 2.min(max_definition),
            _ => max_definition,
        };
        // A list goes on only after an element.
        let goes_on = i > 0
            && choice & 0x30 != 0
            && max_repetition > 0
            && definition >= max_repetition
            && levels.definition[i - 1] >= 2.min(max_definition);
        if max_repetition > 0 {
            levels.repetition.push(u8::from(goes_on));
        }
        levels.definition.push(definition);
    }
    let values = levels.definition.iter().filter(|level| **level == max_definition).count();
    if max_definition == 0 {
        levels.definition.clear();
    }
    (levels, values)
}

#[derive(Debug)]
struct ReadBack {
    levels: Levels,
    values: Values,
    /// For each data page the entries and values in it.
    pages: Vec<(usize, usize)>,
    encodings: Vec<Encoding>,
    dictionary: Option<Arc<Dictionary>>,
}

fn read_column(file: &Bytes, metadata: &FileMetadata, row_group: usize, leaf: usize) -> ReadBack {
    let options = PageOptions { verify_crc: true, ..PageOptions::default() };
    let column = &metadata.schema().leaves()[leaf];
    let mut found = ReadBack {
        levels: Levels::default(),
        values: Values::new(column.physical_type, column.type_length),
        pages: Vec::new(),
        encodings: Vec::new(),
        dictionary: None,
    };
    let mut decompressor = Decompressor::new();
    for page in read::pages(file.clone(), metadata, row_group, leaf, &options).unwrap() {
        let page = page.unwrap();
        assert!(page.crc().is_some());
        let decompressed = page.decompress(&mut decompressor, Vec::new()).unwrap();
        if page.is_dictionary() {
            found.dictionary = Some(Arc::new(decompressed.decode_dictionary().unwrap()));
            continue;
        }
        let has_dictionary = found.dictionary.as_ref().is_some_and(|dictionary| !dictionary.is_empty());
        assert!(page.encoding() != Encoding::RleDictionary || has_dictionary, "indices without a dictionary, which readers refuse");
        let decoded = decompressed.decode(found.dictionary.as_ref(), &Limits::default()).unwrap();
        found.pages.push((page.num_values(), decoded.values.len()));
        found.encodings.push(page.encoding());
        found.levels.repetition.extend(decoded.levels.repetition);
        found.levels.definition.extend(decoded.levels.definition);
        append(&mut found.values, &decoded.values);
    }
    found
}

fn append(to: &mut Values, from: &Values) {
    match (to, from) {
        (Values::Words32(to), Values::Words32(from)) => to.extend_from_slice(from),
        (Values::Words64(to), Values::Words64(from)) => to.extend_from_slice(from),
        (Values::Bits(to), Values::Bits(from)) => to.extend_from(from, 0, from.len()),
        (Values::Bytes(to), Values::Bytes(from)) => from.iter().for_each(|value| to.push(value).unwrap()),
        (Values::Fixed(to), Values::Fixed(from)) => to.extend_from_bytes(from.data()),
        other => panic!("{other:?}"),
    }
}

/// Writes one column in pieces that end with rows, and gives the file.
fn write(schema: &Arc<Schema>, options: WriterOptions, levels: &Levels, values: &Values, pieces: usize) -> (Bytes, FileMetadata) {
    let mut bytes = Vec::new();
    let mut file = FileWriter::new(&mut bytes, Arc::clone(schema), options).unwrap();
    let mut leaf = file.leaf_writer(0).unwrap();
    write_pieces(&mut leaf, &schema.leaves()[0], levels, values, pieces);
    file.append_row_group([leaf.finish().unwrap()]).unwrap();
    let metadata = file.close().unwrap();
    let bytes = Bytes::from(bytes);
    let read = read::metadata(&bytes, &Limits::default()).unwrap();
    assert_eq!(read.footer(), metadata.footer());
    (bytes, read)
}

fn write_pieces(writer: &mut LeafWriter, leaf: &Leaf, levels: &Levels, values: &Values, pieces: usize) {
    let entries = if leaf.max_definition_level > 0 { levels.len() } else { values.len() };
    let starts_row = |entry: usize| levels.repetition.get(entry).is_none_or(|level| *level == 0);
    let (mut entry, mut value) = (0, 0);
    for piece in 1..=pieces {
        let mut end = if piece == pieces { entries } else { (entries * piece / pieces).max(entry) };
        while end < entries && !starts_row(end) {
            end += 1;
        }
        let part = |levels: &[u8]| levels.get(entry..end).unwrap_or_default().to_vec();
        let (repetition, definition) = (part(&levels.repetition), part(&levels.definition));
        let present = if leaf.max_definition_level > 0 {
            definition.iter().filter(|level| **level == leaf.max_definition_level).count()
        } else {
            end - entry
        };
        let slice = values.as_slice().slice(value..value + present).unwrap();
        let bits: Bits = definition.iter().map(|level| *level == 1).collect();
        let levels = match leaf.max_definition_level {
            0 => LevelsSlice::Present,
            1 if leaf.max_repetition_level == 0 && piece % 2 == 0 => LevelsSlice::Validity((&bits).into()),
            _ => LevelsSlice::Levels { repetition: &repetition, definition: &definition },
        };
        writer.write(slice, levels).unwrap();
        (entry, value) = (end, value + present);
    }
}

/// Holds everything that the file says about the column against its values.
fn check(file: &Bytes, metadata: &FileMetadata, levels: &Levels, values: &Values) {
    let leaf = &metadata.schema().leaves()[0];
    let Some(group) = metadata.row_group(0) else {
        assert!(levels.is_empty() && values.is_empty());
        return;
    };
    let found = read_column(file, metadata, 0, 0);
    let expected = plain(values);
    assert_eq!(plain(&found.values), expected);
    assert_eq!(found.levels, *levels);
    let entries: usize = found.pages.iter().map(|(entries, _)| entries).sum();
    let column = group.column(0).unwrap();
    assert_eq!(column.num_values(), entries as u64);
    assert!(found.encodings.iter().all(|encoding| column.encodings().contains(encoding)));
    let statistics = column.statistics();
    if let Some(statistics) = &statistics {
        assert_eq!(statistics.null_count(), Some((entries - expected.len()) as u64));
        check_bounds(leaf, statistics.min().map(|b| b.bytes()), statistics.max().map(|b| b.bytes()), &expected);
    }
    if let Some(location) = column.bloom_filter() {
        let start = location.offset as usize;
        let filter = BloomFilter::parse(&file[start..start + location.length.unwrap() as usize]).unwrap();
        assert!(expected.iter().all(|value| filter.may_contain(value)));
    }
    if leaf.physical_type == PhysicalType::ByteArray {
        let bytes: usize = expected.iter().map(Vec::len).sum();
        assert_eq!(column.size_statistics().unwrap().unencoded_byte_array_data_bytes, Some(bytes as i64));
    }
    check_histogram(column.definition_level_histogram(), &levels.definition);
    check_histogram(column.repetition_level_histogram(), &levels.repetition);
    check_index(file, metadata, levels, &found, &expected, statistics.is_some());
}

fn check_histogram(histogram: Option<&[i64]>, levels: &[u8]) {
    for (level, count) in histogram.unwrap_or_default().iter().enumerate() {
        let occurs = levels.iter().filter(|other| usize::from(**other) == level).count();
        assert!(levels.is_empty() || *count == occurs as i64, "{histogram:?}");
    }
}

/// Bounds cover all values that the order knows, and are there when there are any.
fn check_bounds(leaf: &Leaf, min: Option<&[u8]>, max: Option<&[u8]>, values: &[Vec<u8>]) {
    let Some(order) = Order::by_type(leaf) else {
        assert!(min.is_none() && max.is_none());
        return;
    };
    let ordered: Vec<_> = values.iter().filter(|value| order.compare(value, value).is_some()).collect();
    assert_eq!((min.is_some(), max.is_some()), (!ordered.is_empty(), !ordered.is_empty()), "{leaf:?}");
    for value in ordered {
        assert!(order.compare(min.unwrap(), value).unwrap().is_le() && order.compare(max.unwrap(), value).unwrap().is_ge());
    }
    if order == Order::Bytes && leaf.physical_type == PhysicalType::ByteArray {
        assert!(min.is_none_or(|min| min.len() <= 64) && max.is_none_or(|max| max.len() <= 64));
        let is_text = |bound: Option<&[u8]>| bound.is_none_or(|bound| std::str::from_utf8(bound).is_ok());
        assert!(leaf.logical_type.is_none() || is_text(min) && is_text(max));
    }
}

fn check_index(file: &Bytes, metadata: &FileMetadata, levels: &Levels, found: &ReadBack, values: &[Vec<u8>], has_statistics: bool) {
    let leaf = &metadata.schema().leaves()[0];
    let group = metadata.row_group(0).unwrap();
    let chunk = group.chunk(0).unwrap();
    let bytes = |range: std::ops::Range<u64>| &file[range.start as usize..range.end as usize];
    let offsets = group.parse_offset_index(0, bytes(chunk.offset_index.clone().unwrap())).unwrap();
    assert_eq!(offsets.num_pages(), found.pages.len());
    let index = chunk.column_index.as_ref().map(|range| group.parse_column_index(0, bytes(range.clone()), &offsets).unwrap());
    let (mut entry, mut value, mut row) = (0, 0, 0);
    let mut has_gap = Order::by_type(leaf).is_none() || !has_statistics;
    for (page, (entries, present)) in found.pages.iter().copied().enumerate() {
        assert_eq!(offsets.pages()[page].first_row, row);
        let of_page = &values[value..value + present];
        let order = Order::by_type(leaf);
        has_gap |= present > 0 && of_page.iter().all(|value| order.is_none_or(|order| order.compare(value, value).is_none()));
        if let Some(index) = &index {
            assert_eq!(index.null_count(page), Some((entries - present) as u64));
            assert_eq!(index.is_null_page(page), present == 0);
            check_bounds(leaf, index.min(page).as_ref().map(|b| b.bytes()), index.max(page).as_ref().map(|b| b.bytes()), of_page);
            let nans = of_page.iter().filter(|value| order.is_some_and(|order| order.is_nan(value))).count();
            assert_eq!(index.nan_count(page), order.filter(|order| order.is_float()).map(|_| nans as u64));
            let part = |levels: &Vec<u8>| levels.get(entry..entry + entries).unwrap_or_default().to_vec();
            check_histogram(index.definition_level_histogram(page), &part(&levels.definition));
            check_histogram(index.repetition_level_histogram(page), &part(&levels.repetition));
        }
        if leaf.physical_type == PhysicalType::ByteArray {
            assert_eq!(offsets.unencoded_bytes(page), Some(of_page.iter().map(Vec::len).sum::<usize>() as u64));
        }
        let repetition = levels.repetition.get(entry..entry + entries);
        row += repetition.map_or(entries, |levels| levels.iter().filter(|level| **level == 0).count()) as u64;
        (entry, value) = (entry + entries, value + present);
    }
    assert_eq!(index.is_some(), !has_gap);
    assert_eq!(row, group.num_rows());
}

fn codecs() -> impl Strategy<Value = Compression> {
    prop::sample::select(vec![
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::LZ4_RAW,
        Compression::LZ4_HADOOP,
        Compression::new(Codec::Zstd, None).unwrap(),
        Compression::new(Codec::Gzip, None).unwrap(),
        Compression::new(Codec::Brotli, None).unwrap(),
    ])
}

/// Numbers of few and of many different values.
fn numbers() -> impl Strategy<Value = Vec<u64>> {
    let few = prop::collection::vec(0..20u64, 0..300);
    let many = prop::collection::vec(any::<u64>(), 0..300);
    let special = prop::collection::vec(prop_oneof![Just(f64::NAN.to_bits()), Just(0x7fc0_0000), Just(1 << 63), 0..3u64], 0..100);
    let ascending = (any::<u32>(), 0..300u64).prop_map(|(start, n)| (u64::from(start)..u64::from(start) + n).collect());
    prop_oneof![few, many, special, ascending]
}

#[derive(Clone, Debug)]
struct Choices {
    compression: Compression,
    version: PageVersion,
    page_rows: usize,
    page_bytes: usize,
    dictionary: Option<bool>,
    dictionary_bytes: usize,
    statistics: StatisticsLevel,
    pieces: usize,
    bloom: bool,
}

fn choices() -> impl Strategy<Value = Choices> {
    let pages = (prop_oneof![Just(20_000usize), 1..50usize], prop_oneof![Just(1usize << 20), 1..200usize]);
    let dictionary = (prop::option::of(any::<bool>()), prop_oneof![Just(1usize << 20), 1..300usize]);
    let version = prop::sample::select(vec![PageVersion::V1, PageVersion::V2]);
    let statistics = prop::sample::select(vec![StatisticsLevel::Chunk, StatisticsLevel::Page, StatisticsLevel::None]);
    (codecs(), version, pages, dictionary, statistics, 1..5usize, any::<bool>()).prop_map(
        |(compression, version, (page_rows, page_bytes), (dictionary, dictionary_bytes), statistics, pieces, bloom)| Choices {
            compression,
            version,
            page_rows,
            page_bytes,
            dictionary,
            dictionary_bytes,
            statistics,
            pieces,
            bloom,
        },
    )
}

fn options(choices: &Choices, encoding: Option<Encoding>, leaf: &Leaf) -> WriterOptions {
    let mut column = ColumnOptions::new()
        .compression(choices.compression)
        .page_version(choices.version)
        .page_rows(choices.page_rows)
        .page_bytes(choices.page_bytes)
        .dictionary_bytes(choices.dictionary_bytes)
        .statistics(choices.statistics);
    if let Some(encoding) = encoding {
        column = column.encoding(encoding);
    }
    if let (Some(dictionary), true) = (choices.dictionary, encoding != Some(Encoding::RleDictionary)) {
        column = column.dictionary(dictionary);
    }
    if choices.bloom && leaf.physical_type != PhysicalType::Boolean {
        column = column.bloom_filter(BloomFilterOptions::default());
    }
    WriterOptions::builder().columns(column).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn columns_are_read_as_written(
        column in prop::sample::select(TYPES.to_vec()), nesting in prop::sample::select(NESTINGS.to_vec()),
        numbers in numbers(), choices in choices(), shape in prop::collection::vec(any::<u8>(), 300), encoding in 0..9usize,
    ) {
        let schema = schema(column, nesting);
        let leaf = &schema.leaves()[0];
        prop_assert_eq!((leaf.max_repetition_level, leaf.max_definition_level), (nesting.2, nesting.3));
        let (levels, present) = levels(nesting, &shape[..numbers.len()]);
        let values = container(leaf, &numbers[..present]);
        let encodings = encodings(leaf);
        let options = options(&choices, encodings[encoding % encodings.len()], leaf);
        let (file, metadata) = write(&schema, options, &levels, &values, choices.pieces);
        check(&file, &metadata, &levels, &values);
    }

    #[test]
    fn dictionaries_that_are_given_are_written_like_their_values(
        column in prop::sample::select(TYPES[1..].to_vec()), entries in prop::collection::vec(any::<u64>(), 1..40),
        indices in prop::collection::vec(any::<u32>(), 0..300), choices in choices(),
    ) {
        let schema = schema(column, NESTINGS[0]);
        let leaf = &schema.leaves()[0];
        let dictionary = Arc::new(Dictionary::new(container(leaf, &entries)));
        let indices: Vec<u32> = indices.iter().map(|index| index % entries.len() as u32).collect();
        let values = gather(dictionary.values(), &indices).unwrap();
        let mut file = Vec::new();
        let mut writer = FileWriter::new(&mut file, Arc::clone(&schema), options(&choices, None, leaf)).unwrap();
        let mut column = writer.leaf_writer(0).unwrap();
        let (first, second) = indices.split_at(indices.len() / 3);
        column.write_indices(first, &dictionary, LevelsSlice::Present).unwrap();
        column.write_indices(second, &dictionary, LevelsSlice::Present).unwrap();
        writer.append_row_group([column.finish().unwrap()]).unwrap();
        let metadata = writer.close().unwrap();
        check(&Bytes::from(file), &metadata, &Levels::default(), &values);
    }
}

proptest! {
    #[test]
    fn levels_of_any_sort_are_written_or_refused(
        column in prop::sample::select(TYPES.to_vec()), nesting in prop::sample::select(NESTINGS.to_vec()), numbers in numbers(),
        repetition in prop::collection::vec(0..3u8, 0..40), definition in prop::collection::vec(0..5u8, 0..40), values in 0..40usize, choices in choices(),
    ) {
        let schema = schema(column, nesting);
        let leaf = &schema.leaves()[0];
        let values = container(leaf, &numbers[..values.min(numbers.len())]);
        let mut file = Vec::new();
        let mut writer = FileWriter::new(&mut file, Arc::clone(&schema), options(&choices, None, leaf)).unwrap();
        let mut column = writer.leaf_writer(0).unwrap();
        let given = LevelsSlice::Levels { repetition: &repetition, definition: &definition };
        if column.write(values.as_slice(), given).is_ok() {
            writer.append_row_group([column.finish().unwrap()]).unwrap();
            let metadata = writer.close().unwrap();
            let known = |levels: &[u8], max: u8| if max > 0 { levels.to_vec() } else { Vec::new() };
            let levels = Levels {
                repetition: known(&repetition, leaf.max_repetition_level),
                definition: known(&definition, leaf.max_definition_level),
            };
            check(&Bytes::from(file), &metadata, &levels, &values);
        }
    }
}

#[test]
fn writers_can_be_sent_to_threads() {
    fn sends<T: Send>() {}
    fn shares<T: Sync>() {}
    sends::<LeafWriter>();
    sends::<crate::write::WrittenChunk>();
    sends::<FileWriter<std::fs::File>>();
    shares::<WritePlan>();
}

#[test]
fn rows_to_come_tell_whether_a_dictionary_pays() {
    let schema = schema("double c", NESTINGS[0]);
    let plan = WritePlan::new(Arc::clone(&schema), WriterOptions::default()).unwrap();
    let encodings = |expected: Option<u64>| {
        let mut writer = LeafWriter::new(&plan, 0).unwrap();
        expected.into_iter().for_each(|rows| writer.expect_rows(rows));
        let values = Values::Words64(random(10_000, 200_000));
        writer.write(values.as_slice(), LevelsSlice::Present).unwrap();
        writer.finish().unwrap().meta.encodings
    };
    assert!(encodings(None).contains(&Encoding::RleDictionary));
    assert!(!encodings(Some(10_000)).contains(&Encoding::RleDictionary));
}

fn random(n: usize, population: u64) -> Vec<u64> {
    let mut state = 9_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 30) % population
    };
    std::iter::repeat_with(next).take(n).collect()
}

fn required(column: &str, numbers: &[u64], options: WriterOptions) -> (Bytes, FileMetadata, Values) {
    let schema = schema(column, NESTINGS[0]);
    let values = container(&schema.leaves()[0], numbers);
    let (file, metadata) = write(&schema, options, &Levels::default(), &values, 3);
    check(&file, &metadata, &Levels::default(), &values);
    (file, metadata, values)
}

#[test]
fn dictionaries_are_dropped_early_kept_or_left_late() {
    let encodings = |column, numbers: &[u64]| {
        let options = WriterOptions::builder().compression(Compression::UNCOMPRESSED).build().unwrap();
        let (file, metadata, _) = required(column, numbers, options);
        let found = read_column(&file, &metadata, 0, 0);
        (found.dictionary.map(|dictionary| dictionary.len()), found.encodings)
    };
    let (dictionary, pages) = encodings("int64 c", &random(100_000, 1000));
    assert_eq!((dictionary, pages), (Some(1000), vec![Encoding::RleDictionary; 5]));
    // Sorted: differences are smaller than indices, which the sample tells, so that no trace of the dictionary is left.
    let ascending: Vec<u64> = (0..100_000).map(|i| i / 4).collect();
    assert_eq!(encodings("int64 c", &ascending), (None, vec![Encoding::DeltaBinaryPacked; 5]));
    assert_eq!(encodings("double c", &random(100_000, 1 << 34)), (None, vec![Encoding::Plain; 5]));
    assert_eq!(encodings("binary c", &random(100_000, 1 << 34)).0, None);
    // Few at first, many later.
    let mut numbers = random(30_000, 10);
    numbers.extend(random(200_000, 1 << 34));
    let (dictionary, pages) = encodings("double c", &numbers);
    assert_eq!(dictionary, Some((1 << 20) / 8));
    assert!(pages[0] == Encoding::RleDictionary && pages.last() == Some(&Encoding::Plain), "{pages:?}");
    // A small chunk is decided on all of its values.
    assert_eq!(encodings("int32 c", &[5, 1 << 30, 77]), (None, vec![Encoding::Plain]));
    assert_eq!(encodings("binary c", &[77 << 42; 100]).1, [Encoding::RleDictionary]);
}

#[test]
fn pages_of_nulls_alone_refer_to_a_dictionary_where_there_is_one() {
    let schema: Arc<Schema> = Arc::new("message m { optional int32 a; }".parse().unwrap());
    let encodings = |columns: ColumnOptions, definition: Vec<u8>, value: fn(u32) -> u32| {
        let options = WriterOptions::builder().columns(columns.page_rows(10)).build().unwrap();
        let levels = Levels { repetition: Vec::new(), definition };
        let present = levels.definition.iter().filter(|level| **level == 1).count() as u32;
        let values = Values::Words32((0..present).map(value).collect());
        let (file, metadata) = write(&schema, options, &levels, &values, 3);
        check(&file, &metadata, &levels, &values);
        let stats = metadata.row_group(0).unwrap().column(0).unwrap().encoding_stats().map(<[_]>::len);
        let found = read_column(&file, &metadata, 0, 0);
        (found.encodings, found.dictionary.is_some(), stats)
    };
    let late = |values| [vec![0; 25], vec![1; values]].concat();
    for columns in [ColumnOptions::new(), ColumnOptions::new().encoding(Encoding::RleDictionary)] {
        assert_eq!(encodings(columns.clone(), vec![0; 30], |_| 7), (vec![Encoding::Plain; 3], false, Some(1)));
        // Readers look for values in dictionaries only if all pages have indices, and that metadata say so.
        assert_eq!(encodings(columns, late(15), |_| 7), (vec![Encoding::RleDictionary; 4], true, Some(2)));
    }
    let (plain, delta) = (Encoding::Plain, Encoding::DeltaBinaryPacked);
    assert_eq!(encodings(ColumnOptions::new(), late(4), |at| at.wrapping_mul(0x9e37_79b9)), (vec![plain, plain, delta], false, Some(2)));
    // A dictionary that is full at once leaves no trace, one that is left later is there for the first pages.
    let columns = |bytes| ColumnOptions::new().encoding(Encoding::RleDictionary).dictionary_bytes(bytes).statistics(StatisticsLevel::Page);
    assert_eq!(encodings(columns(1), late(25), |at| at), (vec![plain; 5], false, Some(1)));
    let indices = Encoding::RleDictionary;
    assert_eq!(encodings(columns(20), late(25), |at| at / 3), (vec![indices, indices, indices, indices, delta], true, Some(3)));
    let columns = ColumnOptions::new().encoding(delta).dictionary(false);
    assert_eq!(encodings(columns, late(4), |at| at), (vec![delta; 3], false, Some(1)));
}

#[test]
fn classic_files_have_classic_encodings() {
    let options = WriterOptions::builder().encodings(EncodingChoice::Classic).build().unwrap();
    for column in ["int32 c", "binary c"] {
        let (file, metadata, _) = required(column, &(0..50_000).collect::<Vec<_>>(), options.clone());
        assert_eq!(read_column(&file, &metadata, 0, 0).encodings, [Encoding::Plain; 3]);
    }
}

#[test]
fn pages_end_by_bytes_and_by_rows() {
    let column = ColumnOptions::new().page_bytes(10_000).page_rows(700).encoding(Encoding::Plain);
    let options = WriterOptions::builder().columns(column).build().unwrap();
    let (file, metadata, _) = required("int32 c", &random(5000, 1 << 30), options.clone());
    assert_eq!(read_column(&file, &metadata, 0, 0).pages[0], (700, 700));
    let (file, metadata, _) = required(
        "int64 c",
        &random(5000, 1 << 30),
        options.clone().into_builder().columns(ColumnOptions::new().page_rows(20_000)).build().unwrap(),
    );
    assert_eq!(read_column(&file, &metadata, 0, 0).pages[0], (1250, 1250));
    // One value larger than a page does not drag others along.
    let schema = schema("binary c", NESTINGS[0]);
    let values: ByteArrays = (0..10).map(|i| if i == 5 { &[7; 50_000][..] } else { &[1][..] }).collect();
    let (file, metadata) = write(&schema, options, &Levels::default(), &Values::Bytes(values), 1);
    assert_eq!(read_column(&file, &metadata, 0, 0).pages, [(5, 5), (1, 1), (4, 4)]);
}

#[test]
fn values_of_the_second_version_stay_uncompressed_where_that_is_smaller() {
    let column = ColumnOptions::new().page_version(PageVersion::V2).encoding(Encoding::Plain).compression(Compression::SNAPPY);
    let options = WriterOptions::builder().columns(column).build().unwrap();
    for (population, is_smaller) in [(u64::MAX, false), (3, true)] {
        let numbers: Vec<u64> = random(1000, population).iter().map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        let (file, metadata, _) = required("int64 c", &numbers, options.clone());
        let page = read::pages(file, &metadata, 0, 0, &PageOptions::default()).unwrap().next().unwrap().unwrap();
        assert_eq!(page.bytes().len() < page.uncompressed_size(), is_smaller);
    }
}

#[test]
fn misuse_is_refused() {
    let schema: Arc<Schema> = Arc::new("message m { required int32 a; optional int64 b; }".parse().unwrap());
    let plan = WritePlan::new(Arc::clone(&schema), WriterOptions::default()).unwrap();
    let chunk = |leaf: usize, rows: usize| {
        let mut writer = LeafWriter::new(&plan, leaf).unwrap();
        let values = container(&schema.leaves()[leaf], &vec![5; rows]);
        writer.write(values.as_slice(), LevelsSlice::Present).unwrap();
        writer.finish().unwrap()
    };
    let file = || FileWriter::with_plan(Vec::new(), Arc::clone(&plan)).unwrap();
    let says = |result: crate::Result<()>, text: &str| {
        let error = result.unwrap_err();
        assert!(error.to_string().contains(text), "{error} lacks {text:?}");
    };
    says(file().append_row_group([chunk(1, 2)]), "chunk of leaf column 1");
    says(file().append_row_group([chunk(0, 2)]), "1 column chunks of 2");
    says(file().append_row_group([chunk(0, 2), chunk(1, 3)]), "(column b)");
    says(file().append_row_group([chunk(0, 2), chunk(1, 2), chunk(0, 2)]), "leaf column 0 was appended where that of 2");
    // What was begun and not ended cannot be made whole.
    let mut broken = file();
    says(broken.append_row_group([chunk(0, 2)]), "1 column chunks");
    says(broken.append_row_group([chunk(0, 2), chunk(1, 2)]), "an error came before");
    says(broken.close().map(drop), "an error came before");
    let mut writer = LeafWriter::new(&plan, 0).unwrap();
    says(writer.write(Values::Words64(vec![1]).as_slice(), LevelsSlice::Present), "shape");
    says(writer.write(Values::Words32(vec![1]).as_slice(), LevelsSlice::Present), "an error came before");
    says(writer.finish().map(drop), "an error came before");
    // A row group without rows leaves nothing.
    let mut empty = file();
    empty.append_row_group([chunk(0, 0), chunk(1, 0)]).unwrap();
    assert_eq!(empty.close().unwrap().num_row_groups(), 0);
}

#[test]
fn sorting_is_checked_on_request() {
    let write = |numbers: &[u64], checked: bool| {
        let schema = schema("int64 c", NESTINGS[1]);
        let options = WriterOptions::builder().sorting([SortBy::ascending("c")]).check_sorting(checked).build().unwrap();
        let mut file = FileWriter::new(Vec::new(), schema, options).unwrap();
        let mut leaf = file.leaf_writer(0).unwrap();
        leaf.write(Values::Words64(numbers.to_vec()).as_slice(), LevelsSlice::Present).unwrap();
        file.append_row_group([leaf.finish().unwrap()])?;
        file.close()
    };
    let metadata = write(&[1, 2, 2], true).unwrap();
    assert_eq!(metadata.row_group(0).unwrap().sorting_columns().unwrap()[0].column_idx, 0);
    assert!(write(&[1, 2, 1], false).is_ok());
    let error = write(&[1, 2, 1], true).unwrap_err();
    assert!(error.to_string().contains("row 2 of the row group is not sorted"), "{error}");
}

/// Takes so many bytes, and then fails.
struct Failing {
    left: usize,
    taken: Vec<u8>,
}

impl std::io::Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() > self.left {
            return Err(std::io::Error::other("no space"));
        }
        self.left -= bytes.len();
        self.taken.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_never_holds_a_file() {
    let schema: Arc<Schema> = Arc::new("message m { required int32 a; optional binary b; }".parse().unwrap());
    let column = ColumnOptions::new().bloom_filter(BloomFilterOptions::default());
    let plan = WritePlan::new(Arc::clone(&schema), WriterOptions::builder().columns(column).build().unwrap()).unwrap();
    let write = |sink: &mut Failing| {
        let mut file = FileWriter::with_plan(sink, Arc::clone(&plan))?;
        for _ in 0..2 {
            let chunks = schema.leaves().iter().map(|leaf| {
                let mut writer = file.leaf_writer(leaf.index)?;
                writer.write(container(leaf, &random(50, 10)).as_slice(), LevelsSlice::Present)?;
                writer.finish()
            });
            let chunks = chunks.collect::<crate::Result<Vec<_>>>()?;
            if let Err(error) = file.append_row_group(chunks) {
                assert!(file.row_group().is_err());
                assert!(file.close().is_err());
                return Err(error);
            }
        }
        file.close()
    };
    let mut whole = Failing { left: usize::MAX, taken: Vec::new() };
    write(&mut whole).unwrap();
    for left in 0..whole.taken.len() {
        let mut sink = Failing { left, taken: Vec::new() };
        assert_eq!(write(&mut sink).unwrap_err().kind(), crate::ErrorKind::Io);
        assert!(read::metadata(&Bytes::from(sink.taken), &Limits::default()).is_err());
    }
}

#[test]
fn facts_of_the_file_are_in_the_footer() {
    let schema: Arc<Schema> = Arc::new("message m { required int32 a; }".parse().unwrap());
    let options = WriterOptions::builder()
        .key_value("k", Some("v".to_owned()))
        .key_value("bare", None)
        .columns(ColumnOptions::new().key_value("of", Some("column".to_owned())).distinct_counts(true).encoding(Encoding::RleDictionary))
        .format_version(2)
        .build()
        .unwrap();
    let mut file = FileWriter::new(Vec::new(), schema, options).unwrap();
    let mut leaf = file.leaf_writer(0).unwrap();
    leaf.write(Values::Words32(vec![3, 4, 3]).as_slice(), LevelsSlice::Present).unwrap();
    file.append_row_group([leaf.finish().unwrap()]).unwrap();
    assert!(file.buffered() > 0 && file.written() > 4);
    file.key_value("late", Some("x".to_owned()));
    let metadata = file.close().unwrap();
    assert_eq!((metadata.version(), metadata.num_rows()), (2, 3));
    assert!(metadata.created_by().unwrap().starts_with("herringbone version "));
    assert_eq!(metadata.writer().unwrap().application(), "herringbone");
    let entries: Vec<_> = metadata.key_values().map(|entry| (entry.key.into_owned(), entry.value.map(|v| v.into_owned()))).collect();
    assert_eq!(entries, [("k".to_owned(), Some("v".to_owned())), ("bare".to_owned(), None), ("late".to_owned(), Some("x".to_owned()))]);
    let column = metadata.row_group(0).unwrap().column(0).unwrap();
    assert_eq!(column.key_values()[0].key, "of");
    assert_eq!(column.statistics().unwrap().distinct_count(), Some(2));
    assert_eq!(column.is_all_dictionary(), Some(true));
    assert_eq!(metadata.row_group(0).unwrap().file_offset(), Some(4));
}

#[test]
fn local_files_are_whole_or_absent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let schema: Arc<Schema> = Arc::new("message m { required int32 a; }".parse().unwrap());
    let create = || FileWriter::create(&path, Arc::clone(&schema), WriterOptions::default(), Default::default()).unwrap();
    drop(create());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    create().close().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let metadata = read::metadata(&read::FileSource::open(&path).unwrap(), &Limits::default()).unwrap();
    assert_eq!((metadata.num_rows(), metadata.num_row_groups()), (0, 0));
}

#[test]
fn content_decides_where_pages_end() {
    let chunking = ContentChunking { min_bytes: 1000, max_bytes: 4000, norm_level: 0 };
    let column = ColumnOptions::new().encoding(Encoding::Plain);
    let options = WriterOptions::builder().columns(column).content_chunking(chunking).build().unwrap();
    let numbers = random(5000, 1 << 30);
    let (file, metadata, _) = required("int64 c", &numbers, options.clone());
    let pages = read_column(&file, &metadata, 0, 0).pages;
    assert!(pages.len() > 10 && pages[..pages.len() - 1].iter().all(|(rows, _)| (100..=401).contains(rows)), "{pages:?}");
    let few = options.clone().into_builder().columns(ColumnOptions::new().encoding(Encoding::Plain).page_rows(50)).build().unwrap();
    let (file, metadata, _) = required("int64 c", &numbers, few);
    let pages = read_column(&file, &metadata, 0, 0).pages;
    assert!(pages.iter().all(|(rows, _)| *rows <= 50), "{pages:?}");
    // In lists, pages end with rows.
    let schema = schema("binary c", NESTINGS[4]);
    let (levels, present) = levels(NESTINGS[4], &random(3000, 256).iter().map(|n| *n as u8).collect::<Vec<_>>());
    let values = container(&schema.leaves()[0], &numbers[..present]);
    let (file, metadata) = write(&schema, options, &levels, &values, 3);
    check(&file, &metadata, &levels, &values);
    assert!(metadata.row_group(0).unwrap().column(0).unwrap().encoding_stats().unwrap()[0].count > 5);
}

#[test]
fn statistics_that_are_not_wanted_are_not_written() {
    let schema: Arc<Schema> = Arc::new("message m { required binary shape (GEOMETRY); }".parse().unwrap());
    let point: Vec<u8> = [&[1_u8, 1, 0, 0, 0][..], &1.5_f64.to_le_bytes(), &2.5_f64.to_le_bytes()].concat();
    for level in [StatisticsLevel::None, StatisticsLevel::Chunk] {
        let options = WriterOptions::builder().columns(ColumnOptions::new().statistics(level)).build().unwrap();
        let mut bytes = Vec::new();
        let mut file = FileWriter::new(&mut bytes, Arc::clone(&schema), options).unwrap();
        let mut shapes = file.leaf_writer(0).unwrap();
        let values: ByteArrays = [point.as_slice()].into_iter().collect();
        shapes.write(Values::Bytes(values).as_slice(), LevelsSlice::Present).unwrap();
        file.append_row_group([shapes.finish().unwrap()]).unwrap();
        let metadata = file.close().unwrap();
        let group = metadata.row_group(0).unwrap();
        let chunk = group.raw_column(0).unwrap().meta_data.unwrap();
        let wanted = level != StatisticsLevel::None;
        assert_eq!((chunk.statistics.is_some(), chunk.geospatial_statistics.is_some()), (wanted, wanted));
    }
}
