//! The files: one shape of data each. Every file has eight row groups of random values, the same on every machine, unless it says otherwise.

use std::sync::{Arc, LazyLock};

use arrow_array::builder::{Int32Builder, ListBuilder, MapBuilder, MapFieldNames, StringViewBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringViewArray, StructArray, TimestampNanosecondArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Schema};
use parquet::basic::{Compression, Encoding};

use crate::random::Random;

/// A file to be made.
pub struct Shape {
    /// The file's name without its ending.
    pub name: &'static str,
    /// Rows where the scale is 1.
    pub rows: usize,
    /// Row groups.
    pub groups: usize,
    /// The codec of all columns.
    pub compression: Compression,
    /// The encoding of all columns: `None` for dictionaries and what the writer falls back to.
    pub encoding: Option<Encoding>,
    /// Data pages of version 2.
    pub v2: bool,
    /// Rows of one row group.
    pub data: fn(&mut Random, usize) -> RecordBatch,
}

const PLAIN: Option<Encoding> = Some(Encoding::PLAIN);
const DICTIONARY: Option<Encoding> = None;

/// All shapes.
pub fn all() -> Vec<Shape> {
    let zstd = Compression::ZSTD(Default::default());
    let (none, snappy) = (Compression::UNCOMPRESSED, Compression::SNAPPY);
    let million = 1_000_000;
    let shape = |name, rows, compression, encoding, data| Shape { name, rows, groups: 8, compression, encoding, v2: false, data };
    vec![
        shape("i64_plain_req", 8 * million, none, PLAIN, |r, n| integers(r, n, 0.0)),
        shape("i64_plain_null10", 8 * million, none, PLAIN, |r, n| integers(r, n, 0.1)),
        shape("i64_plain_null50", 8 * million, none, PLAIN, |r, n| integers(r, n, 0.5)),
        shape("i64_dict_req", 8 * million, none, DICTIONARY, |r, n| few(r, n, 0.0)),
        shape("i64_dict_null10", 8 * million, none, DICTIONARY, |r, n| few(r, n, 0.1)),
        shape("i32_dict_runs", 8 * million, none, DICTIONARY, runs),
        shape("i64_delta_sorted", 8 * million, none, Some(Encoding::DELTA_BINARY_PACKED), sorted),
        shape("i32_plain_snappy", 8 * million, snappy, PLAIN, small),
        shape("f64_plain_zstd", 8 * million, zstd, PLAIN, prices),
        shape("f64_bss_zstd", 8 * million, zstd, Some(Encoding::BYTE_STREAM_SPLIT), prices),
        shape("f32_bss_none", 8 * million, none, Some(Encoding::BYTE_STREAM_SPLIT), single),
        shape("bool_plain_null10", 8 * million, none, PLAIN, booleans),
        shape("str_dict_req", 4 * million, none, DICTIONARY, |r, n| few_words(r, n, 0.0)),
        shape("str_dict_null10", 4 * million, none, DICTIONARY, |r, n| few_words(r, n, 0.1)),
        Shape { groups: 2, ..shape("str_dict_2g", 2 * million, none, DICTIONARY, words) },
        shape("str_plain_short", 2 * million, snappy, PLAIN, words),
        shape("str_plain_snappy", 4 * million, snappy, PLAIN, |r, n| sentences(r, n, 0.0)),
        shape("str_plain_zstd_null10", 4 * million, zstd, PLAIN, |r, n| sentences(r, n, 0.1)),
        shape("str_plain_gzip", 4 * million, Compression::GZIP(Default::default()), PLAIN, |r, n| sentences(r, n, 0.0)),
        shape("str_plain_lz4", 4 * million, Compression::LZ4_RAW, PLAIN, |r, n| sentences(r, n, 0.0)),
        shape("str_plain_brotli", million, Compression::BROTLI(Default::default()), PLAIN, |r, n| sentences(r, n, 0.0)),
        shape("str_dlba_none", 4 * million, none, Some(Encoding::DELTA_LENGTH_BYTE_ARRAY), |r, n| sentences(r, n, 0.0)),
        shape("str_dba_sorted", 4 * million, none, Some(Encoding::DELTA_BYTE_ARRAY), addresses),
        shape("dec128_flba", 2 * million, none, PLAIN, decimals),
        shape("list_i32", million, snappy, PLAIN, lists),
        shape("list_struct", million, snappy, DICTIONARY, list_of_structs),
        shape("map_str_f64", million, zstd, DICTIONARY, maps),
        Shape { groups: 1, ..shape("one_row_group", 4 * million, zstd, DICTIONARY, number_and_text) },
        shape("flights_zstd", 2 * million, zstd, DICTIONARY, flights),
        Shape { groups: 6, ..shape("lineitem", 6 * million, snappy, DICTIONARY, lineitem) },
        Shape { groups: 6, ..shape("lineitem_zstd", 6 * million, zstd, DICTIONARY, lineitem) },
        Shape { groups: 6, v2: true, ..shape("lineitem_none_v2", 6 * million, none, DICTIONARY, lineitem) },
        Shape { groups: 20, ..shape("wide_4000c_20g", 2_000, snappy, DICTIONARY, |r, n| wide(r, n, 4000)) },
    ]
}

/// Columns of small integers, `column_00000` and so on.
pub fn wide(random: &mut Random, rows: usize, columns: usize) -> RecordBatch {
    let column = |i| (wide_name(i), Arc::new(Int64Array::from_iter_values((0..rows).map(|_| random.between(0, 100)))) as ArrayRef);
    batch((0..columns).map(column).collect(), true)
}

/// The name of a wide file's column.
pub fn wide_name(index: usize) -> String {
    format!("column_{index:05}")
}

/// 50,000 words of three to eleven letters.
static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut random = Random::new(7);
    let mut word = || (0..random.between(3, 12)).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
    (0..50_000).map(|_| word()).collect()
});

fn word(random: &mut Random, of: u64) -> &'static str {
    &WORDS[random.below(of) as usize]
}

fn batch(columns: Vec<(String, ArrayRef)>, nullable: bool) -> RecordBatch {
    let field = |(name, array): &(String, ArrayRef)| Field::new(name, array.data_type().clone(), nullable);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, array)| array).collect()).expect("columns of one length")
}

fn one(array: impl arrow_array::Array + 'static, nullable: bool) -> RecordBatch {
    batch(vec![("v".to_owned(), Arc::new(array))], nullable)
}

fn optional<T>(random: &mut Random, nulls: f64, value: impl FnOnce(&mut Random) -> T) -> Option<T> {
    let value = value(random);
    (nulls == 0.0 || !random.chance(nulls)).then_some(value)
}

fn integers(random: &mut Random, rows: usize, nulls: f64) -> RecordBatch {
    one((0..rows).map(|_| optional(random, nulls, |r| r.bits() as i64 >> 1)).collect::<Int64Array>(), nulls > 0.0)
}

fn few(random: &mut Random, rows: usize, nulls: f64) -> RecordBatch {
    one((0..rows).map(|_| optional(random, nulls, |r| r.between(0, 1000))).collect::<Int64Array>(), nulls > 0.0)
}

fn runs(random: &mut Random, rows: usize) -> RecordBatch {
    let mut value = 0;
    let next = |i| {
        if i % 100 == 0 {
            value = random.between(0, 50) as i32;
        }
        value
    };
    one(Int32Array::from_iter_values((0..rows).map(next)), false)
}

fn sorted(random: &mut Random, rows: usize) -> RecordBatch {
    let mut value = 0;
    let next = |_| {
        value += random.between(0, 2000);
        value
    };
    one(Int64Array::from_iter_values((0..rows).map(next)), false)
}

fn small(random: &mut Random, rows: usize) -> RecordBatch {
    one(Int32Array::from_iter_values((0..rows).map(|_| random.between(0, 100_000) as i32)), false)
}

fn price(random: &mut Random) -> f64 {
    (random.normal(100.0, 15.0) * 100.0).round() / 100.0
}

fn prices(random: &mut Random, rows: usize) -> RecordBatch {
    one(Float64Array::from_iter_values((0..rows).map(|_| price(random))), false)
}

fn single(random: &mut Random, rows: usize) -> RecordBatch {
    one(Float32Array::from_iter_values((0..rows).map(|_| price(random) as f32)), false)
}

fn booleans(random: &mut Random, rows: usize) -> RecordBatch {
    one((0..rows).map(|_| optional(random, 0.1, |r| r.chance(0.3))).collect::<BooleanArray>(), true)
}

/// Words of three to eleven letters.
fn words(random: &mut Random, rows: usize) -> RecordBatch {
    one(StringViewArray::from_iter_values((0..rows).map(|_| word(random, 50_000))), false)
}

fn few_words(random: &mut Random, rows: usize, nulls: f64) -> RecordBatch {
    one((0..rows).map(|_| optional(random, nulls, |r| word(r, 500))).collect::<StringViewArray>(), nulls > 0.0)
}

fn sentence(random: &mut Random) -> String {
    format!("{} {} {}", word(random, 50_000), word(random, 50_000), word(random, 50_000))
}

fn sentences(random: &mut Random, rows: usize, nulls: f64) -> RecordBatch {
    one((0..rows).map(|_| optional(random, nulls, sentence)).collect::<StringViewArray>(), nulls > 0.0)
}

fn addresses(random: &mut Random, rows: usize) -> RecordBatch {
    let mut found: Vec<String> =
        (0..rows).map(|_| format!("https://example.org/{}/item/{}", word(random, 5000), random.below(1_000_000))).collect();
    found.sort();
    one(StringViewArray::from_iter_values(found), false)
}

fn decimals(random: &mut Random, rows: usize) -> RecordBatch {
    let limit = 1_000_000_000_000_000;
    let array = Decimal128Array::from_iter_values((0..rows).map(|_| i128::from(random.between(-limit, limit))));
    one(array.with_precision_and_scale(30, 0).expect("a decimal type"), false)
}

fn lists(random: &mut Random, rows: usize) -> RecordBatch {
    let mut list = ListBuilder::new(Int32Builder::new());
    for _ in 0..rows {
        let present = !random.chance(0.05);
        for _ in 0..if present { random.below(9) } else { 0 } {
            let item = optional(random, 0.05, |r| r.between(0, 1_000_000) as i32);
            list.values().append_option(item);
        }
        list.append(present);
    }
    one(list.finish(), true)
}

fn list_of_structs(random: &mut Random, rows: usize) -> RecordBatch {
    let lengths: Vec<usize> = (0..rows).map(|_| random.below(9) as usize).collect();
    let n = lengths.iter().sum();
    let a: Int64Array = (0..n).map(|_| Some(random.between(0, 1000))).collect();
    let b: StringViewArray = (0..n).map(|_| optional(random, 0.1, |r| word(r, 500))).collect();
    let fields = vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8View, true)];
    let items = StructArray::new(fields.into(), vec![Arc::new(a), Arc::new(b)], None);
    let item = Arc::new(Field::new("item", arrow_array::Array::data_type(&items).clone(), true));
    one(ListArray::new(item, OffsetBuffer::from_lengths(lengths), Arc::new(items), None), true)
}

fn maps(random: &mut Random, rows: usize) -> RecordBatch {
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut map = MapBuilder::new(Some(names), StringViewBuilder::new(), arrow_array::builder::Float64Builder::new());
    for _ in 0..rows {
        for _ in 0..random.below(9) {
            map.keys().append_value(word(random, 50));
            map.values().append_value(random.unit());
        }
        map.append(true).expect("keys and values of one length");
    }
    one(map.finish(), true)
}

fn number_and_text(random: &mut Random, rows: usize) -> RecordBatch {
    let a = Int64Array::from_iter_values((0..rows).map(|_| random.bits() as i64 >> 1));
    let s = StringViewArray::from_iter_values((0..rows).map(|_| sentence(random)));
    batch(vec![("a".into(), Arc::new(a)), ("s".into(), Arc::new(s))], true)
}

/// Narrow columns of few values, some with nulls, as of departures and arrivals.
fn flights(random: &mut Random, rows: usize) -> RecordBatch {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (name, most) in [("month", 12), ("day", 31), ("hour", 24), ("minute", 60), ("flight", 8_000), ("distance", 5_000)] {
        let array = Int64Array::from_iter_values((0..rows).map(|_| random.between(1, most + 1)));
        columns.push((name.into(), Arc::new(array)));
    }
    for (name, mean) in [("dep_time", 1350.0), ("dep_delay", 12.0), ("arr_time", 1500.0), ("arr_delay", 7.0), ("air_time", 150.0)] {
        let array: Float64Array = (0..rows).map(|_| optional(random, 0.03, |r| r.normal(mean, 40.0).round())).collect();
        columns.push((name.into(), Arc::new(array)));
    }
    for (name, of, nulls) in [("carrier", 16, 0.0), ("tailnum", 4_000, 0.01), ("origin", 3, 0.0), ("dest", 105, 0.0)] {
        let array: StringViewArray = (0..rows).map(|_| optional(random, nulls, |r| word(r, of))).collect();
        columns.push((name.into(), Arc::new(array)));
    }
    let hours = TimestampNanosecondArray::from_iter_values((0..rows).map(|_| (380_000 + random.between(0, 8_760)) * 3_600_000_000_000));
    columns.push(("time_hour".into(), Arc::new(hours)));
    batch(columns, true)
}

/// The sixteen columns of TPC-H's lineitem, with values like theirs.
fn lineitem(random: &mut Random, rows: usize) -> RecordBatch {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let mut key = random.between(1, 1_000_000);
    let orders: Vec<(i64, i32)> = (0..)
        .flat_map(|_| {
            key += random.between(1, 8);
            let lines = random.between(1, 8) as i32;
            (1..=lines).map(move |line| (key, line))
        })
        .take(rows)
        .collect();
    let mut add = |name: &str, array: ArrayRef| columns.push((name.into(), array));
    add("l_orderkey", Arc::new(Int64Array::from_iter_values(orders.iter().map(|order| order.0))));
    for (name, most) in [("l_partkey", 200_001), ("l_suppkey", 10_001)] {
        add(name, Arc::new(Int64Array::from_iter_values((0..rows).map(|_| random.between(1, most)))));
    }
    add("l_linenumber", Arc::new(Int32Array::from_iter_values(orders.iter().map(|order| order.1))));
    for (name, from, to, step) in
        [("l_quantity", 1, 51, 100), ("l_extendedprice", 90_000, 10_500_000, 1), ("l_discount", 0, 11, 1), ("l_tax", 0, 9, 1)]
    {
        let cents = Decimal128Array::from_iter_values((0..rows).map(|_| i128::from(random.between(from, to) * step)));
        add(name, Arc::new(cents.with_precision_and_scale(15, 2).expect("a decimal type")));
    }
    for (name, choices) in [("l_returnflag", &["A", "N", "R"][..]), ("l_linestatus", &["F", "O"])] {
        add(name, Arc::new(choice(random, rows, choices)));
    }
    let shipped: Vec<i32> = (0..rows).map(|_| random.between(8_036, 10_562) as i32).collect();
    for (name, most) in [("l_shipdate", 1), ("l_commitdate", 90), ("l_receiptdate", 30)] {
        add(name, Arc::new(Date32Array::from_iter_values(shipped.iter().map(|day| day + random.between(0, most) as i32))));
    }
    add("l_shipinstruct", Arc::new(choice(random, rows, &["COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"])));
    add("l_shipmode", Arc::new(choice(random, rows, &["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"])));
    add("l_comment", Arc::new(StringViewArray::from_iter_values((0..rows).map(|_| comment(random)))));
    batch(columns, false)
}

fn choice(random: &mut Random, rows: usize, of: &[&'static str]) -> StringViewArray {
    StringViewArray::from_iter_values((0..rows).map(|_| of[random.below(of.len() as u64) as usize]))
}

/// A few of the commoner words, cut anywhere, of 10 to 43 bytes.
fn comment(random: &mut Random) -> String {
    let wanted = random.between(10, 44) as usize;
    let mut text = String::with_capacity(64);
    while text.len() < wanted {
        text.push_str(word(random, 800));
        text.push(' ');
    }
    text.truncate(wanted);
    text
}

/// Days and nanoseconds as INT96 stores them: this file is written without Arrow.
pub fn int96(random: &mut Random, rows: usize) -> Vec<[u32; 3]> {
    (0..rows)
        .map(|_| {
            let nanoseconds = random.below(86_400_000_000_000);
            [nanoseconds as u32, (nanoseconds >> 32) as u32, 2_440_588 + random.below(23_000) as u32]
        })
        .collect()
}
