//! What schemas become, without and with a stored Arrow schema.

use super::*;
use crate::arrow::parquet_schema::{WriteTypeOptions, to_parquet_schema};
use crate::arrow::stored_schema::stored_schema_entry;
use crate::arrow::types::{IntervalType, Strings};
use crate::schema::{LogicalType, TimeUnit};
use arrow_schema::{IntervalUnit, Schema as ArrowSchema, TimeUnit as ArrowUnit, UnionFields, UnionMode};

fn parquet(fields: &str) -> Schema {
    format!("message schema {{ {fields} }}").parse().unwrap()
}

fn map_with(
    schema: &Schema,
    stored: Option<&ArrowSchema>,
    selected: &dyn Fn(usize) -> bool,
    options: &MapOptions,
) -> (SchemaRef, Vec<Mapped>) {
    let entry = stored.map(stored_schema_entry);
    let entries = entry.iter().map(|(key, value)| (Cow::from(key.as_str()), Cow::from(value.as_str())));
    map_schema(schema, entries, selected, options).unwrap()
}

fn map(schema: &Schema) -> (SchemaRef, Vec<Mapped>) {
    map_with(schema, None, &|_| true, &MapOptions::default())
}

/// A type in a few letters: `?` follows what can be null, and braces hold fields.
fn show(field: &ArrowField) -> String {
    let kind = match field.data_type() {
        DataType::Struct(fields) => format!("{{{}}}", fields.iter().map(|field| show(field)).collect::<Vec<_>>().join(", ")),
        DataType::List(item) => format!("[{}]", show(item)),
        DataType::LargeList(item) => format!("large[{}]", show(item)),
        DataType::ListView(item) => format!("view[{}]", show(item)),
        DataType::LargeListView(item) => format!("large view[{}]", show(item)),
        DataType::FixedSizeList(item, size) => format!("{size}[{}]", show(item)),
        DataType::Map(entries, sorted) => format!("{}map[{}]", if *sorted { "sorted " } else { "" }, show(entries)),
        other => other.to_string(),
    };
    format!("{}: {kind}{}", field.name(), if field.is_nullable() { "?" } else { "" })
}

fn shown(schema: &ArrowSchema) -> String {
    schema.fields().iter().map(|field| show(field)).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(fields: &str, arrow: &str) {
    assert_eq!(shown(&map(&parquet(fields)).0), arrow, "{fields}");
}

/// The type of the one field of a Parquet schema.
fn type_of(schema: &Schema, options: &MapOptions) -> DataType {
    map_with(schema, None, &|_| true, options).0.field(0).data_type().clone()
}

#[test]
fn every_primitive_and_logical_type() {
    use ArrowUnit::{Microsecond, Millisecond, Nanosecond};
    let utc = || Some("UTC".into());
    let table: &[(&str, DataType)] = &[
        ("required boolean c", DataType::Boolean),
        ("required int32 c", DataType::Int32),
        ("required int64 c", DataType::Int64),
        ("required int96 c", DataType::Timestamp(Nanosecond, None)),
        ("required float c", DataType::Float32),
        ("required double c", DataType::Float64),
        ("required binary c", DataType::Binary),
        ("required fixed_len_byte_array(5) c", DataType::FixedSizeBinary(5)),
        ("required int32 c (INTEGER(8,true))", DataType::Int8),
        ("required int32 c (INTEGER(16,true))", DataType::Int16),
        ("required int32 c (INTEGER(32,true))", DataType::Int32),
        ("required int64 c (INTEGER(64,true))", DataType::Int64),
        ("required int32 c (INTEGER(8,false))", DataType::UInt8),
        ("required int32 c (INTEGER(16,false))", DataType::UInt16),
        ("required int32 c (INTEGER(32,false))", DataType::UInt32),
        ("required int64 c (INTEGER(64,false))", DataType::UInt64),
        ("required int32 c (INT_8)", DataType::Int8),
        ("required int32 c (INT_16)", DataType::Int16),
        ("required int32 c (INT_32)", DataType::Int32),
        ("required int64 c (INT_64)", DataType::Int64),
        ("required int32 c (UINT_8)", DataType::UInt8),
        ("required int32 c (UINT_16)", DataType::UInt16),
        ("required int32 c (UINT_32)", DataType::UInt32),
        ("required int64 c (UINT_64)", DataType::UInt64),
        ("required binary c (STRING)", DataType::Utf8),
        ("required binary c (UTF8)", DataType::Utf8),
        ("required binary c (ENUM)", DataType::Utf8),
        ("required binary c (JSON)", DataType::Utf8),
        ("required binary c (BSON)", DataType::Binary),
        ("required int32 c (DATE)", DataType::Date32),
        ("required int32 c (TIME(MILLIS,true))", DataType::Time32(Millisecond)),
        ("required int64 c (TIME(MICROS,false))", DataType::Time64(Microsecond)),
        ("required int64 c (TIME(NANOS,true))", DataType::Time64(Nanosecond)),
        ("required int32 c (TIME_MILLIS)", DataType::Time32(Millisecond)),
        ("required int64 c (TIME_MICROS)", DataType::Time64(Microsecond)),
        ("required int64 c (TIMESTAMP(MILLIS,true))", DataType::Timestamp(Millisecond, utc())),
        ("required int64 c (TIMESTAMP(MICROS,false))", DataType::Timestamp(Microsecond, None)),
        ("required int64 c (TIMESTAMP(NANOS,true))", DataType::Timestamp(Nanosecond, utc())),
        ("required int64 c (TIMESTAMP_MILLIS)", DataType::Timestamp(Millisecond, utc())),
        ("required int64 c (TIMESTAMP_MICROS)", DataType::Timestamp(Microsecond, utc())),
        ("required int32 c (DECIMAL(9,2))", DataType::Decimal128(9, 2)),
        ("required int64 c (DECIMAL(18,0))", DataType::Decimal128(18, 0)),
        ("required fixed_len_byte_array(16) c (DECIMAL(38,38))", DataType::Decimal128(38, 38)),
        ("required fixed_len_byte_array(17) c (DECIMAL(39,3))", DataType::Decimal256(39, 3)),
        ("required binary c (DECIMAL(5,1))", DataType::Decimal128(5, 1)),
        ("required binary c (DECIMAL(76,10))", DataType::Decimal256(76, 10)),
        ("required binary c (DECIMAL(77,10))", DataType::Binary),
        ("required fixed_len_byte_array(2) c (FLOAT16)", DataType::Float16),
        ("required fixed_len_byte_array(12) c (INTERVAL)", DataType::FixedSizeBinary(12)),
        ("required fixed_len_byte_array(16) c (UUID)", DataType::FixedSizeBinary(16)),
        ("optional int32 c (UNKNOWN)", DataType::Null),
        ("optional binary c (UNKNOWN)", DataType::Null),
    ];
    for (text, expected) in table {
        assert_eq!(type_of(&parquet(&format!("{text};")), &MapOptions::default()), *expected, "{text}");
    }
}

#[test]
fn options_choose_units_and_forms() {
    let schema = parquet("required int96 c;");
    for (unit, arrow) in
        [(TimeUnit::Millis, ArrowUnit::Millisecond), (TimeUnit::Micros, ArrowUnit::Microsecond), (TimeUnit::Nanos, ArrowUnit::Nanosecond)]
    {
        let options = MapOptions { int96_unit: unit, ..MapOptions::default() };
        assert_eq!(type_of(&schema, &options), DataType::Timestamp(arrow, None));
    }
    let options = MapOptions { int96_overflow: Overflow::Null, ..MapOptions::default() };
    assert!(map_with(&schema, None, &|_| true, &options).0.field(0).is_nullable(), "a value that becomes null needs a field that can be");
    let interval = parquet("required fixed_len_byte_array(12) c (INTERVAL);");
    let options = MapOptions { intervals: IntervalType::MonthDayNano, ..MapOptions::default() };
    assert_eq!(type_of(&interval, &options), DataType::Interval(IntervalUnit::MonthDayNano));
}

#[test]
fn strings_come_in_the_form_that_is_asked_for() {
    let schema = parquet("required binary t (STRING); required binary b; required fixed_len_byte_array(3) f; required binary j (JSON);");
    let dictionary = |values| DataType::Dictionary(Box::new(DataType::Int32), Box::new(values));
    let fixed = DataType::FixedSizeBinary(3);
    let forms = [
        (Strings::Stored, [DataType::Utf8, DataType::Binary]),
        (Strings::Utf8, [DataType::Utf8, DataType::Binary]),
        (Strings::Utf8View, [DataType::Utf8View, DataType::BinaryView]),
        (Strings::Dictionary, [dictionary(DataType::Utf8), dictionary(DataType::Binary)]),
    ];
    for (strings, [text, bytes]) in forms {
        let (arrow, _) = map_with(&schema, None, &|_| true, &MapOptions { strings, ..MapOptions::default() });
        let types: Vec<_> = arrow.fields().iter().map(|field| field.data_type().clone()).collect();
        assert_eq!(types, [text.clone(), bytes, fixed.clone(), text]);
        assert_eq!(arrow.field(3).metadata().contains_key(extension::NAME), strings != Strings::Dictionary);
    }
}

#[test]
fn a_logical_type_on_a_physical_type_that_it_does_not_fit_counts_as_none() {
    let bare = parquet("required int32 a; required int64 b; required binary c; required fixed_len_byte_array(3) d; required double e;");
    let physical = [DataType::Int32, DataType::Int64, DataType::Binary, DataType::FixedSizeBinary(3), DataType::Float64];
    let wrong = [
        (LogicalType::String, [true, true, false, true, true]),
        (LogicalType::Date, [false, true, true, true, true]),
        (LogicalType::Integer { bits: 8, signed: true }, [false, true, true, true, true]),
        (LogicalType::Integer { bits: 64, signed: false }, [true, false, true, true, true]),
        (LogicalType::Integer { bits: 24, signed: true }, [true; 5]),
        (LogicalType::Timestamp { utc: true, unit: TimeUnit::Millis }, [true, false, true, true, true]),
        (LogicalType::Time { utc: true, unit: TimeUnit::Millis }, [false, true, true, true, true]),
        (LogicalType::Time { utc: true, unit: TimeUnit::Nanos }, [true, false, true, true, true]),
        (LogicalType::Decimal { precision: 4, scale: 5 }, [true; 5]),
        (LogicalType::Decimal { precision: 0, scale: 0 }, [true; 5]),
        (LogicalType::Decimal { precision: 4, scale: 2 }, [false, false, false, false, true]),
        (LogicalType::Float16, [true; 5]),
        (LogicalType::Uuid, [true; 5]),
        (LogicalType::Interval, [true; 5]),
        (LogicalType::Unrecognized(99), [true; 5]),
        (LogicalType::Bson, [true; 5]),
        (LogicalType::Map, [true; 5]),
    ];
    for (logical, is_physical) in wrong {
        for ((leaf, physical), is_physical) in bare.leaves().iter().zip(&physical).zip(is_physical) {
            let mut leaf = leaf.clone();
            leaf.logical_type = Some(logical.clone());
            let (arrow, _) = table::from_parquet(&leaf, &MapOptions::default());
            assert_eq!(arrow == *physical, is_physical, "{logical:?} on {physical}: {arrow}");
        }
    }
}

#[test]
fn lists_by_the_examples_of_the_specification() {
    check("required group l (LIST) { repeated group list { optional binary element (STRING); } }", "l: [element: Utf8?]");
    check("optional group l (LIST) { repeated group list { required binary element (STRING); } }", "l: [element: Utf8]?");
    check(
        "optional group l (LIST) { repeated group list { required group element (LIST) { repeated group list { required int32 element; } } } }",
        "l: [element: [element: Int32]]?",
    );
    check("optional group l (LIST) { repeated group element { required binary str (STRING); } }", "l: [str: Utf8]?");
    // Rule 1.
    check("optional group l (LIST) { repeated int32 element; }", "l: [element: Int32]?");
    // Rule 2.
    check(
        "optional group l (LIST) { repeated group element { required binary str (STRING); required int32 num; } }",
        "l: [element: {str: Utf8, num: Int32}]?",
    );
    // Rule 3.
    check("optional group l (LIST) { repeated group array (LIST) { repeated int32 array; } }", "l: [array: [array: Int32]]?");
    check("optional group l (LIST) { repeated group array { repeated int32 x; } }", "l: [array: {x: [x: Int32]}]?");
    // Rule 4.
    check("optional group l (LIST) { repeated group array { required binary str (STRING); } }", "l: [array: {str: Utf8}]?");
    check("optional group l (LIST) { repeated group l_tuple { required binary str (STRING); } }", "l: [l_tuple: {str: Utf8}]?");
    check("optional group l (LIST) { repeated group m_tuple { required binary str (STRING); } }", "l: [str: Utf8]?");
    // Rule 5.
    check("optional group l (LIST) { repeated group element { optional binary str (STRING); } }", "l: [str: Utf8?]?");
    // A map in the place of the element, by rule 3.
    check(
        "optional group l (LIST) { repeated group array (MAP) { repeated group key_value { required int32 key; optional int32 value; } } }",
        "l: [array: map[key_value: {key: Int32, value: Int32?}]]?",
    );
}

#[test]
fn repeated_fields_without_a_list() {
    check("repeated int32 num;", "num: [num: Int32]");
    check("repeated group my_list { required int32 num; optional binary str (STRING); }", "my_list: [my_list: {num: Int32, str: Utf8?}]");
    check("optional group g { repeated group a { repeated int32 b; } }", "g: {a: [a: {b: [b: Int32]}]}?");
    check("repeated group l (LIST) { repeated int32 element; }", "l: [l: [element: Int32]]");
}

#[test]
fn maps_by_the_examples_of_the_specification() {
    let int_map = "map[key_value: {key: Utf8, value: Int32?}]";
    check(
        "required group m (MAP) { repeated group key_value { required binary key (STRING); optional int32 value; } }",
        &format!("m: {int_map}"),
    );
    check(
        "optional group m (MAP) { repeated group map { required binary str (STRING); required int32 num; } }",
        "m: map[map: {str: Utf8, num: Int32}]?",
    );
    check(
        "optional group m (MAP_KEY_VALUE) { repeated group map { required binary key (STRING); optional int32 value; } }",
        "m: map[map: {key: Utf8, value: Int32?}]?",
    );
    check(
        "optional group m (MAP) { repeated group map (MAP_KEY_VALUE) { required binary key (STRING); optional int32 value; } }",
        "m: map[map: {key: Utf8, value: Int32?}]?",
    );
    // Keys are never null, whatever the writer thought.
    check(
        "optional group m (MAP) { repeated group key_value { optional binary key (STRING); optional int32 value; } }",
        &format!("m: {int_map}?"),
    );
    // Without values it is the set of its keys.
    check("required group m (MAP) { repeated group key_value { required int32 key; } }", "m: [key: Int32]");
    check(
        "optional group m (MAP) { repeated group map { required int32 key; repeated int32 value; } }",
        "m: map[map: {key: Int32, value: [value: Int32]}]?",
    );
}

#[test]
fn annotated_groups_of_other_forms_are_structs() {
    check("optional group l (LIST) { required int32 a; }", "l: {a: Int32}?");
    check("optional group l (LIST) { repeated int32 a; required int32 b; }", "l: {a: [a: Int32], b: Int32}?");
    check("optional group m (MAP) { repeated int32 a; }", "m: {a: [a: Int32]}?");
    check(
        "optional group m (MAP) { repeated group kv { required int32 a; required int32 b; required int32 c; } }",
        "m: {kv: [kv: {a: Int32, b: Int32, c: Int32}]}?",
    );
    check(
        "optional group m (MAP) { repeated group kv { repeated int32 a; required int32 b; } }",
        "m: {kv: [kv: {a: [a: Int32], b: Int32}]}?",
    );
}

fn leaf(leaf: usize, conversion: Conversion, definition_level: u8, nullable: bool) -> Node {
    Node::Leaf { leaf, conversion, definition_level, nullable }
}

#[test]
fn plans_have_the_levels() {
    let schema = parquet(
        "optional group s { required int32 a; optional group l (LIST) { repeated group list { optional binary e (STRING); } } repeated boolean r; }",
    );
    let (_, mapped) = map(&schema);
    let [Mapped { node: Node::Struct { children, definition_level: 1, nullable: true }, .. }] = &mapped[..] else { panic!("{mapped:?}") };
    assert_eq!(children[0].node, leaf(0, Conversion::Same, 1, false));
    let Node::List { item, kind, definition_level, element_level, repetition_level, nullable } = &children[1].node else {
        panic!("{children:?}")
    };
    assert_eq!((*kind, *definition_level, *element_level, *repetition_level, *nullable), (ListKind::List, 2, 3, 1, true));
    assert_eq!(item.node, leaf(1, Conversion::Text, 4, true));
    let Node::List { item, definition_level, element_level, repetition_level, nullable, .. } = &children[2].node else {
        panic!("{children:?}")
    };
    assert_eq!((*definition_level, *element_level, *repetition_level, *nullable), (1, 2, 1, false));
    assert_eq!(item.node, leaf(2, Conversion::Same, 2, false));
    assert_eq!(mapped[0].leaves(), [0, 1, 2]);
    assert_eq!(mapped[0].first_leaf(), Some(0));
}

#[test]
fn plans_of_maps_have_the_levels() {
    let schema = parquet("optional group m (MAP) { repeated group kv { optional int32 key; optional group value { required int32 v; } } }");
    let (_, mapped) = map(&schema);
    let Node::List {
        item,
        kind: ListKind::Map { sorted: false },
        definition_level: 1,
        element_level: 2,
        repetition_level: 1,
        nullable: true,
    } = &mapped[0].node
    else {
        panic!("{mapped:?}")
    };
    let Node::Struct { children, definition_level: 2, nullable: false } = &item.node else { panic!("{item:?}") };
    assert_eq!(children[0].node, leaf(0, Conversion::Same, 3, false));
    let Node::Struct { children, definition_level: 3, nullable: true } = &children[1].node else { panic!("{children:?}") };
    assert_eq!(children[0].node, leaf(1, Conversion::Same, 3, false));
}

#[test]
fn only_what_is_selected_is_mapped() {
    let schema = parquet(
        "required group s { required int32 a; required group t { required int32 b; required int32 c; } }
         required group m (MAP) { repeated group kv { required int32 k; required group v { required int32 x; required int32 y; } } }
         required group w (VARIANT(1)) { required binary metadata; required binary value; }
         required int32 z;",
    );
    let selected = |wanted: &'static [usize]| {
        let (arrow, mapped) = map_with(&schema, None, &|leaf| wanted.contains(&leaf), &MapOptions::default());
        let leaves: Vec<usize> = mapped.iter().flat_map(Mapped::leaves).collect();
        assert_eq!(leaves, wanted);
        (shown(&arrow), arrow)
    };
    assert_eq!(selected(&[1]).0, "s: {t: {b: Int32}}");
    assert_eq!(selected(&[8]).0, "z: Int32");
    assert_eq!(selected(&[3, 5]).0, "m: map[kv: {k: Int32, v: {y: Int32}}]");
    assert_eq!(selected(&[3]).0, "m: [kv: {k: Int32}]");
    assert_eq!(selected(&[4]).0, "m: [kv: {v: {x: Int32}}]");
    assert_eq!(selected(&[]).0, "");
    let (text, arrow) = selected(&[6]);
    assert_eq!(text, "w: {metadata: Binary}");
    assert!(arrow.field(0).metadata().is_empty(), "a part of a variant is no variant");
    let (_, arrow) = selected(&[6, 7]);
    assert_eq!(arrow.field(0).metadata()[extension::NAME], "arrow.parquet.variant");
}

#[test]
fn ids_extensions_and_key_values_are_metadata() {
    let schema = parquet(
        "required fixed_len_byte_array(16) u (UUID) = 3; required group l (LIST) = 4 { repeated group list { required binary e (JSON) = 5; } } required binary g (GEOMETRY);",
    );
    let entries = [("a", "1"), ("a", "2"), ("b", "3")].map(|(key, value)| (Cow::from(key), Cow::from(value)));
    let (arrow, _) = map_schema(&schema, entries, &|_| true, &MapOptions::default()).unwrap();
    let strings =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<HashMap<_, _>>();
    assert_eq!(*arrow.metadata(), strings(&[("a", "1"), ("b", "3")]));
    assert_eq!(*arrow.field(0).metadata(), strings(&[(FIELD_ID, "3"), (extension::NAME, "arrow.uuid")]));
    assert_eq!(*arrow.field(1).metadata(), strings(&[(FIELD_ID, "4")]));
    let DataType::List(item) = arrow.field(1).data_type() else { panic!("{arrow:?}") };
    assert_eq!(*item.metadata(), strings(&[(FIELD_ID, "5"), (extension::NAME, "arrow.json"), (extension::METADATA, "")]));
    assert_eq!(arrow.field(2).metadata()[extension::NAME], "geoarrow.wkb");
}

/// All leaf types that Arrow has and Parquet can store.
fn all_types() -> Vec<DataType> {
    let units = [ArrowUnit::Second, ArrowUnit::Millisecond, ArrowUnit::Microsecond, ArrowUnit::Nanosecond];
    let mut types = vec![
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Date32,
        DataType::Date64,
        DataType::Time32(units[0]),
        DataType::Time32(units[1]),
        DataType::Time64(units[2]),
        DataType::Time64(units[3]),
        DataType::Interval(IntervalUnit::YearMonth),
        DataType::Interval(IntervalUnit::DayTime),
        DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
        DataType::FixedSizeBinary(1),
        DataType::FixedSizeBinary(12),
        DataType::FixedSizeBinary(16),
        DataType::FixedSizeBinary(100),
    ];
    for unit in units {
        types.push(DataType::Duration(unit));
        types
            .extend([None, Some("UTC"), Some("+05:30"), Some("Europe/Berlin")].map(|zone| DataType::Timestamp(unit, zone.map(Into::into))));
    }
    for digits in 1..=76 {
        let scale = (digits / 2) as i8;
        types.push(DataType::Decimal256(digits, scale));
        types.extend((digits <= 38).then_some(DataType::Decimal128(digits, scale)));
        types.extend((digits <= 18).then_some(DataType::Decimal64(digits, scale)));
        types.extend((digits <= 9).then_some(DataType::Decimal32(digits, scale)));
    }
    types
}

/// Arrow → Parquet → Arrow.
fn there_and_back(arrow: &ArrowSchema, decimals_as_integers: bool) -> SchemaRef {
    let options = WriteTypeOptions { decimals_as_integers, ..WriteTypeOptions::default() };
    let schema = to_parquet_schema(arrow, &options).unwrap();
    map_with(&schema, Some(arrow), &|_| true, &MapOptions::default()).0
}

#[test]
fn every_arrow_type_comes_back() {
    let types = all_types();
    let mut fields = vec![ArrowField::new("nothing", DataType::Null, true)];
    for (index, data_type) in types.iter().enumerate() {
        fields.push(ArrowField::new(format!("r{index}"), data_type.clone(), false));
        fields.push(ArrowField::new(format!("o{index}"), data_type.clone(), true));
        if !matches!(data_type, DataType::Boolean) {
            let dictionary = DataType::Dictionary(Box::new(DataType::UInt16), Box::new(data_type.clone()));
            fields.push(ArrowField::new(format!("d{index}"), dictionary, true));
        }
        let values = ArrowField::new("values", data_type.clone(), true);
        let runs = DataType::RunEndEncoded(ArrowField::new("run_ends", DataType::Int32, false).into(), values.into());
        fields.push(ArrowField::new(format!("e{index}"), runs, true));
    }
    let arrow = ArrowSchema::new(fields);
    for decimals_as_integers in [false, true] {
        let back = there_and_back(&arrow, decimals_as_integers);
        for (field, back) in arrow.fields().iter().zip(back.fields()) {
            assert_eq!(field, back);
        }
        assert_eq!(back.fields().len(), arrow.fields().len());
    }
}

#[test]
fn nested_arrow_types_come_back_with_names_and_metadata() {
    let note = |field: ArrowField, text: &str| Arc::new(field.with_metadata(HashMap::from([("note".to_owned(), text.to_owned())])));
    let item = || note(ArrowField::new("item", DataType::LargeUtf8, true), "an item");
    let entries = DataType::Struct(Fields::from(vec![
        note(ArrowField::new("keys", DataType::Utf8View, false), "a key"),
        note(ArrowField::new("values", DataType::LargeList(item()), true), "a value"),
    ]));
    let entries = || note(ArrowField::new("entries", entries.clone(), false), "an entry");
    let arrow = ArrowSchema::new_with_metadata(
        vec![
            ArrowField::new("list", DataType::List(item()), true),
            ArrowField::new("large", DataType::LargeList(item()), false),
            ArrowField::new("view", DataType::ListView(item()), true),
            ArrowField::new("large view", DataType::LargeListView(item()), true),
            ArrowField::new("fixed", DataType::FixedSizeList(item(), 3), true),
            ArrowField::new("none", DataType::FixedSizeList(item(), 0), true),
            ArrowField::new("map", DataType::Map(entries(), false), true),
            ArrowField::new("sorted", DataType::Map(entries(), true), false),
            ArrowField::new("struct", DataType::Struct(Fields::from(vec![item(), entries()])), true),
            ArrowField::new("a.b", DataType::List(Arc::new(ArrowField::new("x", DataType::List(item()), false))), true),
        ],
        HashMap::from([("of the".to_owned(), "schema".to_owned())]),
    );
    assert_eq!(*there_and_back(&arrow, true), arrow);
}

#[test]
fn extensions_come_back() {
    let extended = |name: &str, data_type: DataType, extension: &str, parameters: Option<&str>| {
        let mut metadata = HashMap::from([(extension::NAME.to_owned(), extension.to_owned())]);
        metadata.extend(parameters.map(|parameters| (extension::METADATA.to_owned(), parameters.to_owned())));
        ArrowField::new(name, data_type, true).with_metadata(metadata)
    };
    let variant = DataType::Struct(Fields::from(vec![
        ArrowField::new("metadata", DataType::BinaryView, false),
        ArrowField::new("value", DataType::BinaryView, false),
    ]));
    let arrow = ArrowSchema::new(vec![
        extended("uuid", DataType::FixedSizeBinary(16), "arrow.uuid", None),
        extended("json", DataType::Utf8View, "arrow.json", Some("")),
        extended("variant", variant, "arrow.parquet.variant", Some("")),
        extended("wkb", DataType::Binary, "geoarrow.wkb", Some(r#"{"crs":"EPSG:3857","edges":"karney"}"#)),
        extended(
            "tensor",
            DataType::FixedSizeList(Arc::new(ArrowField::new("item", DataType::Float32, true)), 6),
            "arrow.fixed_shape_tensor",
            Some(r#"{"shape":[2,3]}"#),
        ),
        extended("mine", DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)), "my.own", Some("anything")),
    ]);
    let schema = to_parquet_schema(&arrow, &WriteTypeOptions::default()).unwrap();
    let logical: Vec<_> = schema.fields().iter().map(|field| field.logical_type().is_some()).collect();
    assert_eq!(logical, [true, true, true, true, true, true]);
    assert_eq!(*map_with(&schema, Some(&arrow), &|_| true, &MapOptions::default()).0, arrow);
    // In another form the storage of an extension is no longer what it was made for.
    let options = MapOptions { strings: Strings::Utf8, ..MapOptions::default() };
    let (utf8, _) = map_with(&schema, Some(&arrow), &|_| true, &options);
    assert_eq!(utf8.field(1).metadata()[extension::NAME], "arrow.json");
    assert_eq!(*utf8.field(5), ArrowField::new("mine", DataType::Utf8, true));
}

#[test]
fn field_ids_go_both_ways() {
    let id = |field: ArrowField, id: &str| field.with_metadata(HashMap::from([(FIELD_ID.to_owned(), id.to_owned())]));
    let item = id(ArrowField::new("element", DataType::Int32, true), "8");
    let arrow = ArrowSchema::new(vec![
        id(ArrowField::new("a", DataType::Int32, true), "-5"),
        id(ArrowField::new("l", DataType::List(item.into()), true), "7"),
    ]);
    let schema = to_parquet_schema(&arrow, &WriteTypeOptions::default()).unwrap();
    assert_eq!(schema.fields()[0].field_id(), Some(-5));
    assert_eq!(*map(&schema).0, arrow);
    // The file's own ids count, not what somebody stored.
    let (other, _) = map_with(&parquet("optional int32 a = 6; optional int32 b;"), Some(&arrow), &|_| true, &MapOptions::default());
    assert_eq!(other.field(0).metadata()[FIELD_ID], "6");
    assert!(other.field(1).metadata().is_empty());
}

#[test]
fn what_is_stored_counts_only_where_it_fits() {
    let stored = |data_type: DataType| {
        let metadata = HashMap::from([("note".to_owned(), "kept".to_owned()), (extension::NAME.to_owned(), "my.own".to_owned())]);
        ArrowSchema::new(vec![ArrowField::new("c", data_type, true).with_metadata(metadata)])
    };
    let item = || Arc::new(ArrowField::new("item", DataType::Int32, true));
    let union = UnionFields::try_new([0], [ArrowField::new("u", DataType::Int32, true)]).unwrap();
    let cases = [
        ("optional int32 c;", DataType::Utf8, "c: Int32?"),
        ("optional int32 c;", DataType::List(item()), "c: Int32?"),
        ("optional int32 c;", DataType::Union(union, UnionMode::Sparse), "c: Int32?"),
        ("optional int32 c;", DataType::Struct(vec![item()].into()), "c: Int32?"),
        ("optional int64 c;", DataType::Date32, "c: Int64?"),
        (
            "optional int64 c (TIMESTAMP(MILLIS,false));",
            DataType::Timestamp(ArrowUnit::Millisecond, Some("Asia/Tokyo".into())),
            "c: Timestamp(ms)?",
        ),
        ("optional int64 c (TIMESTAMP(MILLIS,true));", DataType::Timestamp(ArrowUnit::Millisecond, None), "c: Timestamp(ms, \"UTC\")?"),
        (
            "optional int64 c (TIMESTAMP(MILLIS,true));",
            DataType::Timestamp(ArrowUnit::Nanosecond, Some("Asia/Tokyo".into())),
            "c: Timestamp(ms, \"Asia/Tokyo\")?",
        ),
        ("optional int64 c (TIMESTAMP(MICROS,true));", DataType::Duration(ArrowUnit::Microsecond), "c: Timestamp(µs, \"UTC\")?"),
        ("optional int32 c (DECIMAL(5,2));", DataType::Decimal32(5, 1), "c: Decimal128(5, 2)?"),
        ("optional int32 c (DECIMAL(5,2));", DataType::Decimal32(6, 2), "c: Decimal128(5, 2)?"),
        ("optional binary c (DECIMAL(20,2));", DataType::Decimal64(20, 2), "c: Decimal128(20, 2)?"),
        ("optional binary c;", DataType::Utf8, "c: Binary?"),
        ("optional binary c;", DataType::FixedSizeBinary(4), "c: Binary?"),
        ("optional boolean c;", DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Boolean)), "c: Boolean?"),
        ("optional binary c (STRING);", DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Binary)), "c: Utf8?"),
        ("optional group c { required int32 item; }", DataType::List(item()), "c: {item: Int32}?"),
        ("optional group c (LIST) { repeated group list { optional int32 e; } }", DataType::Int32, "c: [e: Int32?]?"),
        ("optional group c (LIST) { repeated group list { optional int32 e; } }", DataType::Map(item(), false), "c: [e: Int32?]?"),
        (
            "optional group c (MAP) { repeated group kv { required int32 k; optional int32 v; } }",
            DataType::List(item()),
            "c: map[kv: {k: Int32, v: Int32?}]?",
        ),
    ];
    for (fields, data_type, expected) in cases {
        let (arrow, _) = map_with(&parquet(fields), Some(&stored(data_type.clone())), &|_| true, &MapOptions::default());
        assert_eq!(shown(&arrow), expected, "{fields} with {data_type}");
        let metadata = arrow.field(0).metadata();
        assert_eq!(
            (metadata.get("note").map(String::as_str), metadata.get(extension::NAME)),
            (Some("kept"), None),
            "{fields} with {data_type}"
        );
    }
    let with = MapOptions::default();
    let without = MapOptions { use_stored_schema: false, ..with };
    let schema = parquet("optional binary c (STRING);");
    let large = stored(DataType::LargeUtf8);
    assert_eq!(shown(&map_with(&schema, Some(&large), &|_| true, &with).0), "c: LargeUtf8?");
    assert_eq!(shown(&map_with(&schema, Some(&large), &|_| true, &without).0), "c: Utf8?");
    assert!(map_with(&schema, Some(&large), &|_| true, &without).0.metadata().is_empty(), "the entry itself is no metadata");
}

#[test]
fn stored_fields_are_found_by_name_where_columns_moved() {
    let large = |name: &str| ArrowField::new(name, DataType::LargeUtf8, true);
    let arrow = ArrowSchema::new(vec![large("a"), ArrowField::new("b", DataType::Utf8View, true), large("c"), large("c")]);
    let schema = parquet("optional binary c (STRING); optional binary b (STRING); optional binary d (STRING);");
    let (moved, _) = map_with(&schema, Some(&arrow), &|_| true, &MapOptions::default());
    assert_eq!(shown(&moved), "c: LargeUtf8?, b: Utf8View?, d: Utf8?");
}

#[test]
fn of_thousands_of_columns_the_selected_one_is_mapped() {
    let fields: Vec<ArrowField> = (0..20_000).map(|index| ArrowField::new(format!("column {index}"), DataType::LargeUtf8, true)).collect();
    let arrow = ArrowSchema::new(fields);
    let schema = to_parquet_schema(&arrow, &WriteTypeOptions::default()).unwrap();
    let (one, mapped) = map_with(&schema, Some(&arrow), &|leaf| leaf == 19_999, &MapOptions::default());
    assert_eq!(shown(&one), "column 19999: LargeUtf8?");
    assert_eq!(mapped[0].node, leaf(19_999, Conversion::Text, 1, true));
    assert_eq!(*map_with(&schema, Some(&arrow), &|_| true, &MapOptions::default()).0, arrow);
}

#[test]
fn what_parquet_cannot_store_is_refused() {
    let union = UnionFields::try_new([0], [ArrowField::new("u", DataType::Int32, true)]).unwrap();
    let bad = [
        DataType::Union(union, UnionMode::Dense),
        DataType::Decimal128(10, -2),
        DataType::Decimal128(5, 6),
        DataType::Decimal32(10, 2),
        DataType::Struct(Fields::empty()),
        DataType::FixedSizeBinary(-1),
        DataType::Map(Arc::new(ArrowField::new("e", DataType::Int32, false)), false),
        DataType::List(Arc::new(ArrowField::new("e", DataType::Struct(Fields::empty()), false))),
    ];
    for data_type in bad {
        let arrow = ArrowSchema::new(vec![ArrowField::new("c", data_type.clone(), true)]);
        let error = to_parquet_schema(&arrow, &WriteTypeOptions::default()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Usage, "{data_type}: {error}");
        assert_eq!(error.place().column.as_deref().map(|name| name.chars().next()), Some(Some('c')), "{data_type}: {error}");
    }
}
