//! Statistics that lie, or that are easily misread: what passes is found all the same, and what can be skipped is.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use crate::arrow::ParquetFile;
use crate::format::{FileMetaData, Statistics};
use crate::predicate::{Expr, Literal, col};
use crate::schema::Schema;
use crate::thrift::{Decode, Reader, encode_to_vec};
use crate::values::{ByteArrays, FixedBytes, Values};
use crate::write::{FileWriter, LevelsSlice, WriterOptions};

const GOOD: &str = "a writer version 1.2.3 (build 0)";

/// A file of one column without a page index, whose footer is edited.
fn file(column: &str, values: &Values, edit: impl FnOnce(&mut FileMetaData<'_>)) -> ParquetFile {
    let schema: Schema = format!("message m {{ required {column}; }}").parse().unwrap();
    let options = WriterOptions::builder().created_by(GOOD).build().unwrap();
    let mut bytes = Vec::new();
    let mut writer = FileWriter::new(&mut bytes, Arc::new(schema), options).unwrap();
    let mut leaf = writer.leaf_writer(0).unwrap();
    leaf.write(values.as_slice(), LevelsSlice::Present).unwrap();
    writer.append_row_group([leaf.finish().unwrap()]).unwrap();
    writer.close().unwrap();

    let (rest, tail) = bytes.split_at(bytes.len() - 8);
    let length = u32::from_le_bytes(tail[..4].try_into().unwrap()) as usize;
    let (data, footer) = rest.split_at(rest.len() - length);
    let mut metadata = FileMetaData::decode(&mut Reader::new(footer, 1 << 20)).unwrap();
    metadata.row_groups[0].columns[0].column_index_offset = None;
    metadata.row_groups[0].columns[0].column_index_length = None;
    edit(&mut metadata);
    let footer = encode_to_vec(&metadata).unwrap();
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    ParquetFile::from_bytes(Bytes::from([data, &footer, &length, b"PAR1"].concat())).unwrap()
}

fn statistics<'m, 'a>(metadata: &'m mut FileMetaData<'a>) -> &'m mut Statistics<'a> {
    metadata.row_groups[0].columns[0].meta_data.as_mut().unwrap().statistics.get_or_insert_with(empty)
}

fn empty<'a>() -> Statistics<'a> {
    Statistics {
        max: None,
        min: None,
        null_count: None,
        distinct_count: None,
        max_value: None,
        min_value: None,
        is_max_value_exact: None,
        is_min_value_exact: None,
        nan_count: None,
    }
}

/// Bounds in the fields of today.
fn bounds(min: &[u8], max: &[u8]) -> Statistics<'static> {
    Statistics { min_value: Some(Cow::Owned(min.to_vec())), max_value: Some(Cow::Owned(max.to_vec())), ..empty() }
}

/// Bounds in the deprecated fields.
fn deprecated(min: &[u8], max: &[u8]) -> Statistics<'static> {
    Statistics { min: Some(Cow::Owned(min.to_vec())), max: Some(Cow::Owned(max.to_vec())), ..empty() }
}

/// The rows that pass, and whether the row group was skipped by its statistics or decided by them.
fn passing(file: &ParquetFile, filter: Expr) -> (usize, &'static str) {
    let mut scan = file.scan().filter(filter).threads(1).build().unwrap();
    let rows = scan.by_ref().map(|batch| batch.unwrap().num_rows()).sum();
    let metrics = scan.metrics();
    let how = match (metrics.row_groups_by_statistics, metrics.row_groups_decided) {
        (1, _) => "skipped",
        (_, 1) => "decided",
        _ => "looked at",
    };
    (rows, how)
}

fn strings(values: &[&str]) -> Values {
    Values::Bytes(values.iter().map(|value| value.as_bytes()).collect::<ByteArrays>())
}

fn doubles(values: &[f64]) -> Values {
    Values::Words64(values.iter().map(|value| value.to_bits()).collect())
}

#[test]
fn bounds_that_are_right_are_used() {
    let integers = Values::Words32(vec![3, 5, 7]);
    let written = file("int32 c", &integers, |_| {});
    assert_eq!(passing(&written, col("c").gt(7)), (0, "skipped"));
    assert_eq!(passing(&written, col("c").gt_eq(3)), (3, "decided"));
    assert_eq!(passing(&written, col("c").gt(3)), (2, "looked at"));
    let old = file("int32 c", &integers, |metadata| *statistics(metadata) = deprecated(&3_i32.to_le_bytes(), &7_i32.to_le_bytes()));
    assert_eq!(passing(&old, col("c").gt(7)), (0, "skipped"));
    let none = file("int32 c", &integers, |metadata| *statistics(metadata) = empty());
    assert_eq!(passing(&none, col("c").gt(7)), (0, "looked at"));
}

#[test]
fn binary_bounds_of_writers_that_corrupted_them_are_ignored() {
    let names = strings(&["cod", "herring", "sprat"]);
    for (created_by, corrupt) in [
        (Some("parquet-mr version 1.7.0 (build 1)"), true),
        (Some("parquet-mr"), true),
        (None, true),
        (Some("parquet-mr version 1.8.0 (build 1)"), false),
    ] {
        let read = file("binary c (STRING)", &names, |metadata| {
            metadata.created_by = created_by.map(Cow::Borrowed);
            // Equal bounds need no order, so that a good writer's are believed.
            *statistics(metadata) = deprecated(b"aaa", b"aaa");
        });
        let expected = if corrupt { (1, "looked at") } else { (0, "skipped") };
        assert_eq!(passing(&read, col("c").eq("herring")), expected, "{created_by:?}");
    }
    // Deprecated bounds compare signed bytes, which is not the order of text.
    let accented = strings(&["a", "é"]);
    let read = file("binary c (STRING)", &accented, |metadata| *statistics(metadata) = deprecated("é".as_bytes(), b"a"));
    assert_eq!(passing(&read, col("c").eq("é")), (1, "looked at"));
    assert_eq!(passing(&read, col("c").gt("z")), (1, "looked at"));
}

#[test]
fn deprecated_bounds_of_unsigned_numbers_are_ignored() {
    let values = Values::Words32(vec![1, u32::MAX]);
    let (min, max) = (u32::MAX.to_le_bytes(), 1_u32.to_le_bytes());
    let read = file("int32 c (INTEGER(32,false))", &values, |metadata| *statistics(metadata) = deprecated(&min, &max));
    assert_eq!(passing(&read, col("c").gt(2)), (1, "looked at"));
    let both = file("int32 c (INTEGER(32,false))", &values, |metadata| *statistics(metadata) = bounds(&max, &min));
    assert_eq!(passing(&both, col("c").gt_eq(1)), (2, "decided"), "nulls are not counted, but a required column has none");
}

#[test]
fn bounds_without_an_order_are_ignored() {
    let values = strings(&["b", "c"]);
    let read = file("binary c (STRING)", &values, |metadata| {
        metadata.column_orders = None;
        *statistics(metadata) = bounds(b"x", b"z");
    });
    assert_eq!(passing(&read, col("c").eq("b")), (1, "looked at"));
}

#[test]
fn nan_in_bounds_and_values_is_minded() {
    let values = doubles(&[1.0, f64::NAN, 3.0]);
    let (one, three, nan) = (1_f64.to_le_bytes(), 3_f64.to_le_bytes(), f64::NAN.to_le_bytes());
    for (min, max) in [(nan, nan), (one, nan), (nan, three)] {
        for fields in [bounds(&min, &max), deprecated(&min, &max)] {
            let read = file("double c", &values, |metadata| *statistics(metadata) = fields);
            assert_eq!(passing(&read, col("c").gt_eq(1.0)), (3, "looked at"));
            assert_eq!(passing(&read, col("c").eq(1.0)), (1, "looked at"));
            assert_eq!(passing(&read, col("c").lt(0.0)), (0, "looked at"));
        }
    }
    // Bounds that leave NaN out, and nothing that counts it.
    let read = file("double c", &values, |metadata| *statistics(metadata) = bounds(&one, &three));
    assert_eq!(passing(&read, col("c").gt(100.0)), (1, "looked at"), "NaN is greater than all numbers");
    assert_eq!(passing(&read, col("c").between(100.0, 200.0)), (0, "skipped"));
    assert_eq!(passing(&read, col("c").lt_eq(3.0)), (2, "looked at"), "not all rows are at most the upper bound");
    assert_eq!(passing(&read, col("c").eq(f64::NAN)), (1, "looked at"));
    let counted = file("double c", &doubles(&[1.0, 3.0]), |metadata| {
        *statistics(metadata) = Statistics { nan_count: Some(0), ..bounds(&one, &three) }
    });
    assert_eq!(passing(&counted, col("c").gt(100.0)), (0, "skipped"));
    assert_eq!(passing(&counted, col("c").lt_eq(3.0)), (2, "decided"));
}

#[test]
fn a_zero_among_bounds_stands_for_both() {
    let zero = 0_f64.to_le_bytes();
    let read = file("double c", &doubles(&[-0.0, 0.0]), |metadata| {
        *statistics(metadata) = Statistics { nan_count: Some(0), ..bounds(&zero, &zero) }
    });
    assert_eq!(passing(&read, col("c").eq(-0.0)), (1, "looked at"));
    assert_eq!(passing(&read, col("c").lt(0.0)), (1, "looked at"), "by the total order, -0 is less than 0");
    assert_eq!(passing(&read, col("c").gt(0.0)), (0, "skipped"));
}

#[test]
fn bounds_that_contradict_themselves_are_ignored() {
    let values = Values::Words32(vec![3, 5, 7]);
    let upside_down = file("int32 c", &values, |metadata| *statistics(metadata) = bounds(&9_i32.to_le_bytes(), &1_i32.to_le_bytes()));
    assert_eq!(passing(&upside_down, col("c").eq(5)), (1, "looked at"));
    let short = file("int32 c", &values, |metadata| *statistics(metadata) = bounds(&[9], &[9, 0, 0]));
    assert_eq!(passing(&short, col("c").eq(5)), (1, "looked at"));
    let all_null = file("int32 c", &values, |metadata| *statistics(metadata) = Statistics { null_count: Some(3), ..empty() });
    assert_eq!(passing(&all_null, col("c").eq(5)), (1, "looked at"), "a required column has no nulls, whatever is counted");
}

#[test]
fn bounds_cut_short_skip_but_do_not_decide() {
    let values = strings(&["haddock", "herring"]);
    for exact in [None, Some(false)] {
        let cut = |metadata: &mut FileMetaData<'_>| {
            *statistics(metadata) = Statistics { is_min_value_exact: exact, is_max_value_exact: exact, ..bounds(b"h", b"i") };
        };
        let read = file("binary c (STRING)", &values, cut);
        assert_eq!(passing(&read, col("c").gt("i")), (0, "skipped"));
        assert_eq!(passing(&read, col("c").gt_eq("h")), (2, "looked at"));
        assert_eq!(passing(&read, col("c").eq("i")), (0, "looked at"));
    }
}

#[test]
fn decimals_in_bytes_compare_as_numbers() {
    let mut values = FixedBytes::new(4);
    [-500_i32, 12, 700].iter().for_each(|value| values.extend_from_bytes(&value.to_be_bytes()));
    let values = Values::Fixed(values);
    let column = "fixed_len_byte_array(4) c (DECIMAL(9,2))";
    let read = file(column, &values, |_| {});
    assert_eq!(passing(&read, col("c").lt(-5)), (0, "skipped"));
    assert_eq!(passing(&read, col("c").lt_eq(-5)), (1, "looked at"));
    assert_eq!(passing(&read, col("c").gt(Literal::decimal("0.119").unwrap())), (2, "looked at"));
    // The deprecated order is that of bytes.
    let old = file(column, &values, |metadata| *statistics(metadata) = deprecated(&12_i32.to_be_bytes(), &(-500_i32).to_be_bytes()));
    assert_eq!(passing(&old, col("c").lt(0)), (1, "looked at"));
}

#[test]
fn int96_bounds_mean_nothing_without_their_order() {
    let mut values = FixedBytes::new(12);
    for day in [2_440_588_i32, 2_440_590] {
        values.extend_from_bytes(&[&0_i64.to_le_bytes()[..], &day.to_le_bytes()].concat());
    }
    let bound = [0xff; 12];
    let read = file("int96 c", &Values::Fixed(values), |metadata| *statistics(metadata) = bounds(&bound, &bound));
    assert_eq!(passing(&read, col("c").gt("1970-01-02")), (1, "looked at"));
    assert_eq!(passing(&read, col("c").eq("1970-01-01")), (1, "looked at"));
}
