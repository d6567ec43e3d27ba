//! What metadata say about a predicate, and what it says of values, against a naive evaluation value by value.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::encoding::Dictionary;
use crate::error::Result;
use crate::limits::Limits;
use crate::metadata::{BloomFilter, FileMetadata, Order};
use crate::read::{self, ColumnReader, PageOptions, Source};
use crate::schema::Schema;
use crate::values::{Bits, ByteArrays, FixedBytes, Values};
use crate::write::{BloomFilterOptions, ColumnOptions, FileWriter, LevelsSlice, WriterOptions};

/// Types, with the order that their values compare by.
const TYPES: [(&str, Order); 13] = [
    ("boolean c", Order::Boolean),
    ("int32 c", Order::Int32),
    ("int32 c (INTEGER(32,false))", Order::UInt32),
    ("int64 c", Order::Int64),
    ("int64 c (INTEGER(64,false))", Order::UInt64),
    ("float c", Order::FloatTotal),
    ("double c", Order::DoubleTotal),
    ("fixed_len_byte_array(2) c (FLOAT16)", Order::Float16Total),
    ("binary c (STRING)", Order::Bytes),
    ("binary c (DECIMAL(20,2))", Order::Decimal),
    ("fixed_len_byte_array(16) c (DECIMAL(38,4))", Order::Decimal),
    ("fixed_len_byte_array(3) c", Order::Bytes),
    ("int96 c", Order::Int96),
];

/// One of a few values of a type: plain-encoded, and as a constant.
fn value(order: Order, column: &str, number: u8) -> (Vec<u8>, Literal) {
    let number = i64::from(number % 12) - 5;
    let float =
        [f64::NAN, f64::NEG_INFINITY, -2.5, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, f64::INFINITY, -f64::NAN, 65504.0][(number + 5) as usize];
    let wide = i128::from(number) * 1_000_000_000_007 * if number % 2 == 0 { 1 } else { 1 << 40 };
    match order {
        Order::Boolean => (vec![(number & 1) as u8], (number & 1 == 1).into()),
        Order::Int32 => ((number as i32).to_le_bytes().to_vec(), number.into()),
        Order::UInt32 => ((number as u32).to_le_bytes().to_vec(), (number as u32).into()),
        Order::Int64 => (number.to_le_bytes().to_vec(), number.into()),
        Order::UInt64 => ((number as u64).to_le_bytes().to_vec(), (number as u64).into()),
        Order::FloatTotal => ((float as f32).to_le_bytes().to_vec(), (float as f32).into()),
        Order::DoubleTotal => (float.to_le_bytes().to_vec(), float.into()),
        Order::Float16Total => {
            let halves = [0x7e00, 0xfc00, 0xc100, 0xbc00, 0x8000, 0, 0x3800, 0x3c00, 0x4000, 0x7c00, 0xfe00, 0x7bff_u16];
            (halves[(number + 5) as usize].to_le_bytes().to_vec(), float.into())
        }
        Order::Decimal => {
            let scale = if column.contains("20,2") { 2 } else { 4 };
            let bytes = wide.to_be_bytes();
            // Byte arrays of any length: some with more bytes than it takes.
            let bytes = if scale == 2 { bytes[number.unsigned_abs() as usize % 3..].to_vec() } else { bytes.to_vec() };
            (bytes, Literal::decimal(&format!("{wide}e-{scale}")).unwrap())
        }
        Order::Int96 => {
            let plain = [&(number.rem_euclid(3) * 1_000).to_le_bytes()[..], &(2_440_588 + number as i32).to_le_bytes()].concat();
            let nanoseconds = i128::from(number) * 86_400_000_000_000 + i128::from(number.rem_euclid(3) * 1_000);
            (plain, Literal::Timestamp { nanoseconds, utc: true })
        }
        _ if column.contains("STRING") => {
            let text = ["", "a", "ab", "abc", "abé", "b", "bà", "é", "zebra", "zz", "\u{7f}", "b%"][(number + 5) as usize];
            (text.as_bytes().to_vec(), text.into())
        }
        _ => (vec![1, (number + 5) as u8, 0xff], Literal::Bytes(vec![1, (number + 5) as u8, 0xff])),
    }
}

/// An expression over one column, whose constants are values by number.
#[derive(Clone, Debug)]
enum Naive {
    Compare(u8, u8),
    Between(u8, u8),
    In(Vec<u8>, bool),
    Null,
    Constant(Option<bool>),
    Not(Box<Naive>),
    And(Vec<Naive>),
    Or(Vec<Naive>),
}

fn naive() -> impl Strategy<Value = Naive> {
    let leaf = prop_oneof![
        6 => (0..6_u8, any::<u8>()).prop_map(|(op, number)| Naive::Compare(op, number)),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(low, high)| Naive::Between(low, high)),
        2 => (prop::collection::vec(any::<u8>(), 0..12), prop::bool::weighted(0.2)).prop_map(|(numbers, null)| Naive::In(numbers, null)),
        1 => Just(Naive::Null),
        1 => prop_oneof![Just(None), Just(Some(true)), Just(Some(false))].prop_map(Naive::Constant),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Naive::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Naive::And),
            prop::collection::vec(inner, 0..3).prop_map(Naive::Or),
        ]
    })
}

impl Naive {
    fn expr(&self, (column, order): (&str, Order)) -> Expr {
        let literal = |number: &u8| value(order, column, *number).1;
        match self {
            Naive::Compare(op, number) => {
                let literal = literal(number);
                match op {
                    0 => col("c").eq(literal),
                    1 => col("c").not_eq(literal),
                    2 => col("c").lt(literal),
                    3 => col("c").lt_eq(literal),
                    4 => col("c").gt(literal),
                    _ => col("c").gt_eq(literal),
                }
            }
            Naive::Between(low, high) => col("c").between(literal(low), literal(high)),
            Naive::In(numbers, null) => col("c").is_in(numbers.iter().map(literal).chain(null.then_some(Literal::Null))),
            Naive::Null => col("c").is_null(),
            Naive::Constant(value) => match value {
                Some(value) => Expr::constant(*value),
                None => col("c").eq(Literal::Null),
            },
            Naive::Not(inner) => Expr(expr::Node::Not(Box::new(inner.expr((column, order)).0))),
            Naive::And(terms) => terms.iter().fold(Expr::constant(true), |all, term| all.and(term.expr((column, order)))),
            Naive::Or(terms) => terms.iter().fold(Expr::constant(false), |any, term| any.or(term.expr((column, order)))),
        }
    }

    /// True, false or unknown for one value, by the letter of SQL.
    #[allow(clippy::manual_try_fold, reason = "after an unknown term, a later one may still decide")]
    fn of(&self, cell: Option<&[u8]>, kind: (&str, Order)) -> Option<bool> {
        let against = |number: u8| cell.map(|cell| kind.1.compare(cell, &value(kind.1, kind.0, number).0).expect("values of the order"));
        match self {
            Naive::Compare(op, number) => against(*number).map(|order| match op {
                0 => order.is_eq(),
                1 => order.is_ne(),
                2 => order.is_lt(),
                3 => order.is_le(),
                4 => order.is_gt(),
                _ => order.is_ge(),
            }),
            Naive::Between(low, high) => Some(against(*low)? != Ordering::Less && against(*high)? != Ordering::Greater),
            Naive::In(numbers, null) => {
                if numbers.is_empty() && !null {
                    return Some(false);
                }
                let found = numbers.iter().map(|number| against(*number)).collect::<Option<Vec<_>>>()?.contains(&Ordering::Equal);
                if found {
                    Some(true)
                } else if *null {
                    None
                } else {
                    Some(false)
                }
            }
            Naive::Null => Some(cell.is_none()),
            Naive::Constant(value) => *value,
            Naive::Not(inner) => inner.of(cell, kind).map(|value| !value),
            Naive::And(terms) => terms.iter().fold(Some(true), |all, term| match (all, term.of(cell, kind)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }),
            Naive::Or(terms) => terms.iter().fold(Some(false), |any, term| match (any, term.of(cell, kind)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            }),
        }
    }
}

fn container(schema: &Schema, cells: &[Option<Vec<u8>>]) -> Values {
    let leaf = &schema.leaves()[0];
    let values = cells.iter().flatten();
    match Values::new(leaf.physical_type, leaf.type_length) {
        Values::Words32(_) => Values::Words32(values.map(|plain| u32::from_le_bytes(plain[..].try_into().unwrap())).collect()),
        Values::Words64(_) => Values::Words64(values.map(|plain| u64::from_le_bytes(plain[..].try_into().unwrap())).collect()),
        Values::Bits(_) => {
            let mut bits = Bits::new();
            values.for_each(|plain| bits.push(plain[0] == 1));
            Values::Bits(bits)
        }
        Values::Bytes(_) => Values::Bytes(values.map(|plain| &plain[..]).collect::<ByteArrays>()),
        Values::Fixed(fixed) => {
            let mut fixed = FixedBytes::new(fixed.width());
            values.for_each(|plain| fixed.extend_from_bytes(plain));
            Values::Fixed(fixed)
        }
    }
}

fn write(column: &str, cells: &[Option<Vec<u8>>], dictionary: bool, rows: usize) -> Result<(Bytes, FileMetadata)> {
    let schema: Schema = format!("message m {{ optional {column}; }}").parse()?;
    let options = ColumnOptions::new().dictionary(dictionary).page_rows(rows);
    let options =
        if column.contains("boolean") || column.contains("int96") { options } else { options.bloom_filter(BloomFilterOptions::default()) };
    let options = WriterOptions::builder().columns(options).build()?;
    let mut bytes = Vec::new();
    let mut file = FileWriter::new(&mut bytes, Arc::new(schema.clone()), options)?;
    let mut leaf = file.leaf_writer(0)?;
    for cells in cells.chunks(rows) {
        let definition: Vec<u8> = cells.iter().map(|cell| u8::from(cell.is_some())).collect();
        leaf.write(container(&schema, cells).as_slice(), LevelsSlice::Levels { repetition: &[], definition: &definition })?;
    }
    file.append_row_group([leaf.finish()?])?;
    file.close()?;
    let bytes = Bytes::from(bytes);
    let metadata = read::metadata(&bytes, &Limits::default())?;
    Ok((bytes, metadata))
}

fn dictionary(bytes: &Bytes, metadata: &FileMetadata) -> Option<Dictionary> {
    let mut pages = read::pages(bytes.clone(), metadata, 0, 0, &PageOptions::default()).unwrap();
    let page = pages.next_page().unwrap()?;
    page.is_dictionary().then(|| page.decompress(&mut Default::default(), Vec::new()).unwrap().decode_dictionary().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nothing_that_passes_is_excluded(
        kind in 0..TYPES.len(),
        numbers in prop::collection::vec((any::<u8>(), prop::bool::weighted(0.8)), 1..20),
        narrow in 1..12_u8,
        no_nulls: bool,
        with_dictionary: bool,
        page_rows in 1..8_usize,
        naive in naive(),
    ) {
        let kind = TYPES[kind];
        let cells: Vec<Option<Vec<u8>>> =
            numbers.iter().map(|(number, valid)| (*valid || no_nulls).then(|| value(kind.1, kind.0, number % narrow).0)).collect();
        let (bytes, metadata) = write(kind.0, &cells, with_dictionary, page_rows).unwrap();
        let expr = naive.expr(kind);
        let predicate = expr.bind(metadata.schema()).unwrap();
        let passing: Vec<bool> = cells.iter().map(|cell| naive.of(cell.as_deref(), kind) == Some(true)).collect();
        let holds = |verdict: Verdict, rows: &[bool]| match verdict {
            Verdict::None => !rows.contains(&true),
            Verdict::All => !rows.contains(&false),
            Verdict::Some => true,
        };

        let group = metadata.row_group(0).unwrap();
        let mut verdicts = predicate.by_statistics(&group);
        prop_assert!(holds(predicate.formula.verdict(&verdicts), &passing), "statistics say {verdicts:?} of {expr} in {cells:?}");

        let chunk = group.chunk(0).unwrap();
        let pages = group.parse_offset_index(0, &bytes.read(chunk.offset_index.clone().unwrap()).unwrap()).unwrap();
        if let Some(index) = &chunk.column_index {
            let index = group.parse_column_index(0, &bytes.read(index.clone()).unwrap(), &pages).unwrap();
            let (some, all) = predicate.formula.rows(group.num_rows(), &|test| predicate.tests[test].by_pages(&index, &pages));
            for (row, passes) in passing.iter().enumerate() {
                let row = row as u64..row as u64 + 1;
                prop_assert!(!passes || some.touches(&row), "the page index excludes row {row:?} of {expr} in {cells:?}");
                prop_assert!(*passes || !all.touches(&row), "the page index includes row {row:?} of {expr} in {cells:?}");
            }
        }

        let statistics = group.statistics(0).unwrap();
        if let Some(location) = chunk.bloom_filter {
            let end = location.offset + u64::from(location.length.unwrap());
            let filter = BloomFilter::parse(&bytes.read(location.offset..end).unwrap()).unwrap();
            for (test, verdict) in predicate.tests.iter().zip(&mut verdicts) {
                if *verdict == Verdict::Some && test.hashes().is_some_and(|hashes| !hashes.iter().any(|hash| filter.may_contain_hash(*hash))) {
                    *verdict = Verdict::None;
                }
            }
            prop_assert!(holds(predicate.formula.verdict(&verdicts), &passing), "the bloom filter says {verdicts:?} of {expr} in {cells:?}");
        }
        if let Some(dictionary) = dictionary(&bytes, &metadata) {
            for (test, verdict) in predicate.tests.iter().zip(&mut verdicts) {
                if *verdict == Verdict::Some {
                    *verdict = test.by_dictionary(&dictionary, test.may_have_nulls(statistics.as_ref()));
                }
            }
            prop_assert!(holds(predicate.formula.verdict(&verdicts), &passing), "the dictionary says {verdicts:?} of {expr} in {cells:?}");
        }

        let residual = predicate.formula.residual(&verdicts);
        let mut reader = ColumnReader::new(bytes.clone(), &metadata, 0, 0, &PageOptions::default()).unwrap();
        let data = reader.read(cells.len()).unwrap();
        let found: Vec<bool> = evaluated(&residual, &predicate, &data).iter().collect();
        prop_assert_eq!(&found, &passing, "{} in {:?}", expr, cells);
        let whole: Vec<bool> = evaluated(&predicate.formula, &predicate, &data).iter().collect();
        prop_assert_eq!(&whole, &passing, "{} in {:?}", expr, cells);
        #[cfg(feature = "sql")]
        {
            let again: Expr = expr.to_string().parse().unwrap();
            let again = again.bind(metadata.schema()).unwrap();
            let whole: Vec<bool> = evaluated(&again.formula, &again, &data).iter().collect();
            prop_assert_eq!(&whole, &passing, "{} read from text", expr);
        }
    }
}

fn evaluated(formula: &Formula, predicate: &Predicate, data: &read::LeafData) -> Bits {
    match formula {
        Formula::Constant(value) => Bits::repeat(*value, data.rows),
        Formula::Test(index) => Evaluator::new(&predicate.tests[*index]).rows(data.rows, &data.parts, &data.validity, &data.levels),
        Formula::And(terms) => terms.iter().fold(Bits::repeat(true, data.rows), |all, term| and(&all, &evaluated(term, predicate, data))),
        Formula::Or(terms) => terms.iter().fold(Bits::repeat(false, data.rows), |any, term| or(&any, &evaluated(term, predicate, data))),
    }
}

fn bound(schema: &str, expr: Expr) -> Result<Predicate> {
    expr.bind(&schema.parse::<Schema>()?)
}

#[test]
fn what_does_not_go_is_refused_with_a_sentence() {
    let schema = "message m { required int32 a; optional group s { required binary t (STRING); } optional group l (LIST) { repeated group list { \
                  optional int32 element; } } required fixed_len_byte_array(12) i (INTERVAL); required int32 d (DATE); }";
    for (expr, message) in [
        (col("b").eq(1), "there is no column \"b\" to filter by; the file has a, s, l, i, d"),
        (col("s").eq(1), "s is a group: only its columns have values, and it can only be asked whether it is null"),
        (col("l.list.element").eq(1), "l.list.element is inside of a list, where a row has many values or none: a filter needs one"),
        (col("l.list.element").is_null(), "l.list.element is inside of a list, where a row has many values or none: a filter needs one"),
        (col("a").eq("1"), "the column a holds whole numbers and cannot be compared with '1'"),
        (col("a").starts_with("1"), "the column a holds whole numbers, and a prefix is for text and bytes"),
        (col("i").eq(&[0; 12][..]), "intervals of months, days and milliseconds have no order to compare them by (column i)"),
        (col("d").eq(7), "the column d holds dates and cannot be compared with 7: write DATE '2024-02-29'"),
    ] {
        assert_eq!(bound(schema, expr).unwrap_err().to_string(), message);
    }
    assert!(bound(schema, col("l").is_null().and(col("s").is_not_null()).and(col("i").is_null())).is_ok());
    let deep = (0..1000).fold(col("a").eq(1), |deep, i| deep.and(col("a").eq(i)).or(col("a").eq(i)));
    assert!(bound(schema, deep).unwrap_err().to_string().contains("nests more than 200 deep"));
}

#[test]
fn ranges_of_one_column_become_one_test() {
    let schema = "message m { required int32 a; required int32 b; }";
    let both = bound(schema, col("a").gt_eq(5).and(col("b").eq(1)).and(col("a").lt(7))).unwrap();
    assert_eq!(both.tests.len(), 2);
    assert_eq!(both.leaves(), [0, 1]);
    let never = bound(schema, col("a").gt(5).and(col("a").lt(6))).unwrap();
    assert_eq!(never.formula, Formula::Constant(false));
    let always = bound(schema, col("b").gt(5).or(Expr::constant(true))).unwrap();
    assert_eq!((always.formula, always.tests.len()), (Formula::Constant(true), 0));
    // Whether a number that no integer is equals one is known at once.
    assert_eq!(bound(schema, col("a").eq(1.5)).unwrap().formula, Formula::Constant(false));
    assert_eq!(bound(schema, col("a").eq(1.5).not()).unwrap().row_group_of_nothing(), Verdict::All);
}

impl Predicate {
    /// What is known without statistics.
    fn row_group_of_nothing(&self) -> Verdict {
        self.formula.verdict(&self.tests.iter().map(|test| test.by_statistics(None, 1)).collect::<Vec<_>>())
    }
}

#[test]
fn patterns_use_their_prefix() {
    let names: Vec<Option<Vec<u8>>> = ["cod", "haddock", "hake", "herring"].map(|name| Some(name.as_bytes().to_vec())).to_vec();
    let (_, metadata) = write("binary c (STRING)", &names, false, 100).unwrap();
    let group = metadata.row_group(0).unwrap();
    let verdict = |expr: Expr| expr.bind(metadata.schema()).unwrap().row_group(&group);
    assert_eq!(verdict(col("c").like("x%")), Verdict::None);
    assert_eq!(verdict(col("c").like("x_y%")), Verdict::None);
    assert_eq!(verdict(col("c").like("h_k%")), Verdict::Some);
    assert_eq!(verdict(col("c").like("%k")), Verdict::Some);
    assert_eq!(verdict(col("c").starts_with("b")), Verdict::None);
    assert_eq!(verdict(col("c").like("a%").not()), Verdict::All);
    assert_eq!(verdict(col("c").like("%")), Verdict::All);
    assert_eq!(verdict(col("c").is_in(["bass", "pike"])), Verdict::None);
}

#[test]
fn nan_is_minded() {
    let plain = |values: &[f64]| values.iter().map(|value| Some(value.to_le_bytes().to_vec())).collect::<Vec<_>>();
    let verdict = |values: &[f64], expr: Expr| {
        let (_, metadata) = write("double c", &plain(values), false, 100).unwrap();
        expr.bind(metadata.schema()).unwrap().row_group(&metadata.row_group(0).unwrap())
    };
    // This crate counts NaN.
    assert_eq!(verdict(&[1.0, 2.0], col("c").gt(3.0)), Verdict::None);
    assert_eq!(verdict(&[1.0, 2.0, f64::NAN], col("c").gt(3.0)), Verdict::Some);
    assert_eq!(verdict(&[1.0, 2.0, f64::NAN], col("c").lt(1.0)), Verdict::Some, "NaN may have its sign set");
    assert_eq!(verdict(&[1.0, 2.0], col("c").gt_eq(1.0)), Verdict::All);
    assert_eq!(verdict(&[1.0, f64::NAN], col("c").lt_eq(1.0)), Verdict::Some);
    assert_eq!(verdict(&[1.0, f64::NAN], col("c").between(5.0, 7.0)), Verdict::None);
    assert_eq!(verdict(&[0.0, 1.0], col("c").gt_eq(0.0)), Verdict::Some, "a bound of 0 may stand for -0");
}
