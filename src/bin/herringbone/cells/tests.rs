//! What values of every type look like.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::*;
use arrow_buffer::{IntervalDayTime, IntervalMonthDayNano, NullBuffer, i256};
use arrow_schema::{DataType, Field, Fields};
use half::f16;

use super::*;

fn all(array: impl Array + 'static, style: Style) -> Vec<String> {
    let array: ArrayRef = Arc::new(array);
    let field = Field::new("x", array.data_type().clone(), true);
    with_field(array, &field, style)
}

fn with_field(array: ArrayRef, field: &Field, style: Style) -> Vec<String> {
    let cells = Cells::new(&array, field, style).unwrap();
    let one = |row| {
        let mut out = Vec::new();
        let mut never = |_: &mut Vec<u8>| true;
        match style {
            Style::Json => cells.write_json(row, &mut Out::new(&mut out, &mut never)),
            Style::Text => cells.write(row, &mut Out::new(&mut out, &mut never)),
        }
        String::from_utf8(out).unwrap()
    };
    (0..array.len()).map(one).collect()
}

/// Both styles, for values that look the same but for the quotes.
fn check_quoted(array: impl Array + Clone + 'static, expected: &[&str]) {
    assert_eq!(all(array.clone(), Style::Text), expected);
    let quoted: Vec<String> = expected.iter().map(|text| format!("\"{text}\"")).collect();
    assert_eq!(all(array, Style::Json), quoted);
}

fn check_bare(array: impl Array + Clone + 'static, expected: &[&str]) {
    assert_eq!(all(array.clone(), Style::Text), expected);
    assert_eq!(all(array, Style::Json), expected);
}

#[test]
fn numbers() {
    check_bare(Int8Array::from(vec![i8::MIN, 0, i8::MAX]), &["-128", "0", "127"]);
    check_bare(UInt64Array::from(vec![u64::MAX]), &["18446744073709551615"]);
    check_bare(Int64Array::from(vec![i64::MIN]), &["-9223372036854775808"]);
    check_bare(BooleanArray::from(vec![true, false]), &["true", "false"]);
    check_bare(Float64Array::from(vec![0.1, -0.0, 1e300, 1e-300, 100.0]), &["0.1", "-0.0", "1e300", "1e-300", "100.0"]);
    check_bare(Float32Array::from(vec![0.1, f32::MAX]), &["0.1", "3.4028235e38"]);
    check_bare(Float16Array::from(vec![f16::from_f32(1.5), f16::from_f32(-65504.0)]), &["1.5", "-65504.0"]);
}

#[test]
fn numbers_that_json_does_not_have() {
    let values = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    assert_eq!(all(Float64Array::from(values.clone()), Style::Text), ["NaN", "inf", "-inf"]);
    assert_eq!(all(Float64Array::from(values), Style::Json), ["null", "null", "null"]);
}

#[test]
fn decimals() {
    let array = Decimal128Array::from(vec![0, 5, -5, 12_345, i128::MAX]).with_precision_and_scale(38, 2).unwrap();
    check_bare(array, &["0.00", "0.05", "-0.05", "123.45", "1701411834604692317316873037158841057.27"]);
    check_bare(Decimal32Array::from(vec![7, -70]).with_precision_and_scale(9, 0).unwrap(), &["7", "-70"]);
    check_bare(Decimal64Array::from(vec![0, 7]).with_precision_and_scale(9, -3).unwrap(), &["0", "7000"]);
    check_bare(Decimal64Array::from(vec![7]).with_precision_and_scale(9, 9).unwrap(), &["0.000000007"]);
    let min = Decimal256Array::from(vec![i256::MIN]).with_precision_and_scale(76, 1).unwrap();
    check_bare(min, &["-5789604461865809771178549250434395392663499233282028201972879200395656481996.8"]);
}

#[test]
fn text_and_bytes() {
    let text = vec!["", "a\"b\\c", "line\nend\t\u{1}", "Ünïcödé 日本"];
    let json = ["\"\"", r#""a\"b\\c""#, r#""line\nend\t\u0001""#, "\"Ünïcödé 日本\""];
    assert_eq!(all(StringArray::from(text.clone()), Style::Text), text);
    assert_eq!(all(StringArray::from(text.clone()), Style::Json), json);
    assert_eq!(all(LargeStringArray::from(text.clone()), Style::Json), json);
    assert_eq!(all(StringViewArray::from(text), Style::Json), json);
    let bytes: Vec<&[u8]> = vec![b"", &[0, 0x9f, 0xff]];
    check_quoted(BinaryArray::from(bytes.clone()), &["", "009fff"]);
    check_quoted(LargeBinaryArray::from(bytes.clone()), &["", "009fff"]);
    check_quoted(BinaryViewArray::from(bytes), &["", "009fff"]);
    check_quoted(FixedSizeBinaryArray::try_from_iter([[1, 2]].into_iter()).unwrap(), &["0102"]);
}

#[test]
fn uuids_are_known_by_their_extension_type() {
    let array: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_iter([[0x12; 16]].into_iter()).unwrap());
    let field = Field::new("x", DataType::FixedSizeBinary(16), true);
    assert_eq!(with_field(Arc::clone(&array), &field, Style::Text), ["12".repeat(16)]);
    let field = field.with_metadata(HashMap::from([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]));
    assert_eq!(with_field(array, &field, Style::Json), ["\"12121212-1212-1212-1212-121212121212\""]);
}

#[test]
fn dates_and_times() {
    check_quoted(Date32Array::from(vec![0, i32::MAX]), &["1970-01-01", "+5881580-07-11"]);
    check_quoted(Date64Array::from(vec![86_400_000]), &["1970-01-02"]);
    check_quoted(Time32SecondArray::from(vec![3_661]), &["01:01:01"]);
    check_quoted(Time32MillisecondArray::from(vec![1]), &["00:00:00.001"]);
    check_quoted(Time64MicrosecondArray::from(vec![1]), &["00:00:00.000001"]);
    check_quoted(Time64NanosecondArray::from(vec![1]), &["00:00:00.000000001"]);
    check_quoted(TimestampSecondArray::from(vec![1]), &["1970-01-01T00:00:01"]);
    check_quoted(TimestampMillisecondArray::from(vec![1]), &["1970-01-01T00:00:00.001"]);
    check_quoted(TimestampMicrosecondArray::from(vec![1]).with_timezone("Asia/Tokyo"), &["1970-01-01T00:00:00.000001Z"]);
    check_quoted(TimestampNanosecondArray::from(vec![1]).with_timezone_utc(), &["1970-01-01T00:00:00.000000001Z"]);
    check_quoted(DurationSecondArray::from(vec![90]), &["PT90S"]);
    check_quoted(DurationMillisecondArray::from(vec![-1]), &["PT-0.001S"]);
    check_quoted(DurationMicrosecondArray::from(vec![1]), &["PT0.000001S"]);
    check_quoted(DurationNanosecondArray::from(vec![0]), &["PT0S"]);
    check_quoted(IntervalYearMonthArray::from(vec![-14]), &["P-14M"]);
    check_quoted(IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, 500)]), &["P1DT0.500S"]);
    check_quoted(IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3)]), &["P1M2DT0.000000003S"]);
}

#[test]
fn nulls() {
    assert_eq!(all(Int32Array::from(vec![None, Some(1)]), Style::Text), ["", "1"]);
    assert_eq!(all(Int32Array::from(vec![None, Some(1)]), Style::Json), ["null", "1"]);
    assert_eq!(all(NullArray::new(2), Style::Json), ["null", "null"]);
}

#[test]
fn structs_with_names_of_all_kinds() {
    let fields = Fields::from(vec![
        Field::new("a\"b", DataType::Int32, true),
        Field::new("same", DataType::Utf8, true),
        Field::new("same", DataType::Utf8, true),
    ]);
    let strings: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    let columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![Some(1), None])), Arc::clone(&strings), strings];
    let array = StructArray::new(fields, columns, Some(NullBuffer::from(vec![true, true])));
    let expected = [r#"{"a\"b":1,"same":"x","same":"x"}"#, r#"{"a\"b":null,"same":"y","same":"y"}"#];
    check_bare(array, &expected);
    check_bare(StructArray::new_empty_fields(1, None), &["{}"]);
}

#[test]
fn lists_of_all_kinds() {
    let mut builder = ListBuilder::new(Int32Builder::new());
    builder.append_value([Some(1), None]);
    builder.append_null();
    builder.append_value([]);
    let array = builder.finish();
    assert_eq!(all(array.clone(), Style::Json), ["[1,null]", "null", "[]"]);
    assert_eq!(all(array.slice(1, 2), Style::Json), ["null", "[]"]);
    for to in [
        DataType::LargeList(Arc::new(Field::new_list_field(DataType::Int32, true))),
        DataType::ListView(Arc::new(Field::new_list_field(DataType::Int32, true))),
        DataType::LargeListView(Arc::new(Field::new_list_field(DataType::Int32, true))),
    ] {
        let array = arrow_cast::cast(&array, &to).unwrap();
        let field = Field::new("x", to, true);
        assert_eq!(with_field(array, &field, Style::Json), ["[1,null]", "null", "[]"]);
    }
    let pairs = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), Some(2)]), None, Some([None, Some(3)])], 2);
    assert_eq!(all(pairs.clone(), Style::Json), ["[1,2]", "null", "[null,3]"]);
    assert_eq!(all(pairs.slice(2, 1), Style::Json), ["[null,3]"]);
}

#[test]
fn maps_have_their_keys_as_text() {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    builder.keys().append_value("k\"");
    builder.values().append_null();
    builder.append(true).unwrap();
    builder.append(true).unwrap();
    check_bare(builder.finish(), &[r#"{"k\"":null}"#, "{}"]);
    let mut builder = MapBuilder::new(None, Int32Builder::new(), Int32Builder::new());
    builder.keys().append_value(7);
    builder.values().append_value(8);
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    assert_eq!(all(builder.finish(), Style::Json), [r#"{"7":8}"#, "null"]);
}

#[test]
fn dictionaries_and_runs_show_their_values() {
    let keys = Int8Array::from(vec![Some(1), None, Some(0), Some(2)]);
    let array = DictionaryArray::new(keys, Arc::new(StringArray::from(vec![Some("a"), Some("b"), None])));
    assert_eq!(all(array.clone(), Style::Json), ["\"b\"", "null", "\"a\"", "null"]);
    assert_eq!(all(array, Style::Text), ["b", "", "a", ""]);
    let no_values: DictionaryArray<Int8Type> = DictionaryArray::new(Int8Array::new_null(2), Arc::new(StringArray::new_null(0)));
    assert_eq!(all(no_values, Style::Json), ["null", "null"]);
    let values = StringArray::from(vec![Some("x"), None]);
    let runs = RunArray::<Int32Type>::try_new(&Int32Array::from(vec![2, 3]), &values).unwrap();
    assert_eq!(all(runs.clone(), Style::Json), ["\"x\"", "\"x\"", "null"]);
    assert_eq!(all(runs.slice(1, 2), Style::Json), ["\"x\"", "null"]);
}

#[test]
fn every_json_is_json() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["\u{0}\u{1f}\u{7f}\u{2028}\"\\"]));
    for line in with_field(text, &Field::new("x", DataType::Utf8, true), Style::Json) {
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
    }
}

#[test]
fn types_without_a_text_are_refused() {
    let fields = [(0, Arc::new(Field::new("a", DataType::Int32, true)))].into_iter().collect();
    let union = UnionArray::try_new(fields, vec![0].into(), None, vec![Arc::new(Int32Array::from(vec![1]))]).unwrap();
    let array: ArrayRef = Arc::new(union);
    let refused = Cells::new(&array, &Field::new("u", array.data_type().clone(), true), Style::Text);
    assert!(matches!(refused.err(), Some(Failure::File(message)) if message.contains("column u")));
}

/// Values that are handed on piece by piece are the same as in one piece.
#[test]
fn nested_values_come_in_pieces() {
    let key = StructArray::from(vec![(
        Arc::new(Field::new("a\"", DataType::Int32, false)),
        Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef,
    )]);
    let entries = Fields::from(vec![Field::new("key", key.data_type().clone(), false), Field::new("value", DataType::Utf8, true)]);
    let values = StringArray::from(vec![Some("x\ny"), None, Some("")]);
    let entries = StructArray::new(entries, vec![Arc::new(key), Arc::new(values)], None);
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let map: ArrayRef = Arc::new(MapArray::new(field, arrow_buffer::OffsetBuffer::from_lengths([3]), entries, None, false));
    let cells = Cells::new(&map, &Field::new("m", map.data_type().clone(), true), Style::Json).unwrap();
    let expected = r#"{"{\"a\\\"\":1}":"x\ny","{\"a\\\"\":2}":null,"{\"a\\\"\":3}":""}"#;
    for most in [0, 1, 10, 1000] {
        let (mut all, mut text, mut pieces) = (Vec::new(), Vec::new(), 0);
        let mut drain = |text: &mut Vec<u8>| {
            all.append(text);
            pieces += 1;
            true
        };
        cells.write_json(0, &mut Out::within(&mut text, most, &mut drain));
        all.extend(text);
        assert_eq!((String::from_utf8(all).unwrap().as_str(), pieces > 1), (expected, most < 20));
    }
    let (mut text, mut ended) = (Vec::new(), 0);
    let mut end = |_: &mut Vec<u8>| {
        ended += 1;
        false
    };
    cells.write_json(0, &mut Out::within(&mut text, 5, &mut end));
    assert!(ended == 1 && text.len() < 30, "{}", String::from_utf8_lossy(&text));
}
