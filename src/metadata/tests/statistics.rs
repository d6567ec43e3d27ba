//! Which statistics are believed, and how they are read.

use std::cmp::Ordering;

use super::*;
use crate::format::{ConvertedType, DecimalType, IntType};
use crate::metadata::{Order, Value};

/// A column: its type, what its values mean, and the order that the file says it has.
struct Column {
    element: SchemaElement<'static>,
    order: Option<ColumnOrder>,
    created_by: &'static str,
}

impl Column {
    fn new(physical_type: PhysicalType) -> Self {
        let type_length = (physical_type == PhysicalType::FixedLenByteArray).then_some(2);
        let element =
            SchemaElement { repetition_type: Some(FieldRepetitionType::Optional), type_length, ..element("c", Some(physical_type)) };
        Self { element, order: Some(ColumnOrder::TypeOrder), created_by: "parquet-mr version 1.10.0" }
    }

    fn logical(mut self, logical_type: LogicalType<'static>) -> Self {
        self.element.logical_type = Some(logical_type);
        self
    }

    fn of_length(mut self, length: i32) -> Self {
        self.element.type_length = Some(length);
        self
    }

    fn ordered(self, order: ColumnOrder) -> Self {
        Self { order: Some(order), ..self }
    }

    fn unordered(self) -> Self {
        Self { order: None, ..self }
    }

    fn by(self, created_by: &'static str) -> Self {
        Self { created_by, ..self }
    }

    /// Bounds as they are read: bytes and exactness.
    fn read(&self, statistics: &Statistics<'static>) -> [Option<(Vec<u8>, bool)>; 2] {
        let file = self.file(statistics);
        let statistics = file.row_group(0).unwrap().statistics(0).unwrap().unwrap();
        assert_eq!(file.row_group(0).unwrap().column(0).unwrap().statistics(), Some(statistics.clone()));
        [statistics.min(), statistics.max()].map(|bound| bound.map(|bound| (bound.bytes().to_vec(), bound.is_exact())))
    }

    fn file(&self, statistics: &Statistics<'static>) -> FileMetadata {
        let mut file = sample();
        file.schema = vec![SchemaElement { num_children: Some(1), ..element("root", None) }, self.element.clone()];
        file.created_by = Some(self.created_by.into()).filter(|_| !self.created_by.is_empty());
        file.column_orders = self.order.clone().map(|order| vec![order]);
        for row_group in &mut file.row_groups {
            row_group.columns.truncate(1);
        }
        meta(&mut file).physical_type = self.element.physical_type.unwrap();
        meta(&mut file).statistics = Some(statistics.clone());
        parse(&file).unwrap()
    }
}

fn deprecated(min: &[u8], max: &[u8]) -> Statistics<'static> {
    Statistics { min: Some(min.to_vec().into()), max: Some(max.to_vec().into()), ..no_statistics() }
}

fn exact(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    Some((bytes.to_vec(), true))
}

fn inexact(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    Some((bytes.to_vec(), false))
}

const NONE: [Option<(Vec<u8>, bool)>; 2] = [None, None];

#[test]
fn bounds_come_with_type_order_and_exactness() {
    let (low, high) = (3_i32.to_le_bytes(), 9_i32.to_le_bytes());
    let file = Column::new(PhysicalType::Int32).file(&bounds(&low, &high));
    let statistics = file.row_group(0).unwrap().statistics(0).unwrap().unwrap();
    let min = statistics.min().unwrap();
    assert_eq!((min.value(), min.order(), min.is_exact()), (Some(Value::Int32(3)), Order::Int32, true));
    assert_eq!(min.compare(&high), Some(Ordering::Less));
    assert_eq!(min.compare(b"no int"), None);
    assert_eq!((statistics.null_count(), statistics.distinct_count(), statistics.nan_count()), (Some(0), None, None));
    // Only strings are cut short, unless the file says otherwise.
    let text = Column::new(PhysicalType::ByteArray).logical(LogicalType::String);
    assert_eq!(text.read(&bounds(b"a", b"b")), [inexact(b"a"), inexact(b"b")]);
    let flagged = Statistics { is_min_value_exact: Some(true), is_max_value_exact: Some(false), ..bounds(b"a", b"b") };
    assert_eq!(text.read(&flagged), [exact(b"a"), inexact(b"b")]);
    let flagged = Statistics { is_min_value_exact: Some(false), ..bounds(&low, &high) };
    assert_eq!(Column::new(PhysicalType::Int32).read(&flagged), [inexact(&low), exact(&high)]);
}

#[test]
fn counts_that_cannot_be_are_unknown() {
    let counts = Statistics { null_count: Some(10), distinct_count: Some(-1), nan_count: Some(11), ..no_statistics() };
    let file = Column::new(PhysicalType::Double).file(&counts);
    let statistics = file.row_group(0).unwrap().statistics(0).unwrap().unwrap();
    assert_eq!((statistics.null_count(), statistics.distinct_count(), statistics.nan_count()), (Some(10), None, None));
}

#[test]
fn bounds_without_a_defined_order_are_left_out() {
    let twelve = [7; 12];
    for column in [
        Column::new(PhysicalType::Int32).unordered(),
        Column::new(PhysicalType::Int32).ordered(ColumnOrder::Unknown(9)),
        Column::new(PhysicalType::Int32).ordered(ColumnOrder::Ieee754TotalOrder),
        Column::new(PhysicalType::Int32).ordered(ColumnOrder::Int96TimestampOrder),
        Column::new(PhysicalType::Int32).logical(LogicalType::Unknown(99)),
    ] {
        assert_eq!(column.read(&bounds(&[1, 0, 0, 0], &[2, 0, 0, 0])), NONE);
    }
    assert_eq!(Column::new(PhysicalType::Int96).read(&bounds(&twelve, &twelve)), NONE);
    assert_eq!(Column::new(PhysicalType::Int96).read(&deprecated(&twelve, &twelve)), NONE);
    let chronological = Column::new(PhysicalType::Int96).ordered(ColumnOrder::Int96TimestampOrder);
    assert_eq!(chronological.read(&bounds(&twelve, &twelve)), [exact(&twelve), exact(&twelve)]);
    let mut interval = Column::new(PhysicalType::FixedLenByteArray).of_length(12);
    interval.element.converted_type = Some(ConvertedType::Interval);
    assert_eq!(interval.read(&bounds(&twelve, &twelve)), NONE);
    let geometry = LogicalType::Geometry(crate::format::GeometryType { crs: None });
    assert_eq!(Column::new(PhysicalType::ByteArray).logical(geometry).read(&bounds(b"a", b"b")), NONE);
}

#[test]
fn deprecated_bounds_hold_for_signed_orders_and_equal_values() {
    let (low, high) = ((-3_i32).to_le_bytes(), 9_i32.to_le_bytes());
    let signed = Column::new(PhysicalType::Int32).unordered();
    assert_eq!(signed.read(&deprecated(&low, &high)), [exact(&low), exact(&high)]);
    let unsigned = Column::new(PhysicalType::Int32).logical(LogicalType::Integer(IntType { bit_width: 32, is_signed: false }));
    assert_eq!(unsigned.read(&deprecated(&low, &high)), NONE);
    assert_eq!(unsigned.read(&deprecated(&low, &low)), [exact(&low), exact(&low)]);
    // The new fields go first, also when one is missing.
    let both = Statistics { max_value: Some(high.to_vec().into()), ..deprecated(&low, &low) };
    assert_eq!(signed.read(&both), [exact(&low), exact(&low)]);
    assert_eq!(Column::new(PhysicalType::Int32).read(&both), [None, exact(&high)]);
    assert_eq!(Column::new(PhysicalType::Int32).read(&deprecated(&low, &high)), [exact(&low), exact(&high)]);
}

#[test]
fn deprecated_bounds_of_binary_columns_are_those_of_good_writers() {
    for (created_by, believed) in [
        ("parquet-mr version 1.8.0", true),
        ("parquet-mr version 1.7.0", false),
        ("impala version 1.0", true),
        ("nonsense", false),
        ("", false),
    ] {
        let text = Column::new(PhysicalType::ByteArray).logical(LogicalType::String).by(created_by);
        assert_eq!(text.read(&deprecated(b"a", b"b")), NONE);
        let expected = if believed { [exact(b"a"), exact(b"a")] } else { NONE };
        assert_eq!(text.read(&deprecated(b"a", b"a")), expected, "{created_by}");
        // The new fields were never corrupt, nor were numbers.
        assert_eq!(text.read(&bounds(b"a", b"b")), [inexact(b"a"), inexact(b"b")]);
        let number = Column::new(PhysicalType::Int32).by(created_by);
        assert_eq!(number.read(&deprecated(&[1, 0, 0, 0], &[2, 0, 0, 0])), [exact(&[1, 0, 0, 0]), exact(&[2, 0, 0, 0])]);
    }
}

#[test]
fn nan_is_no_bound_and_zero_has_both_signs() {
    let plain = |value: f64| value.to_le_bytes();
    let double = || Column::new(PhysicalType::Double);
    let total = || double().ordered(ColumnOrder::Ieee754TotalOrder);
    for column in [double(), total()] {
        assert_eq!(column.read(&bounds(&plain(f64::NAN), &plain(1.0))), NONE);
        assert_eq!(column.read(&bounds(&plain(1.0), &plain(-f64::NAN))), NONE);
        assert_eq!(column.read(&bounds(&plain(1.0), &plain(2.0))), [exact(&plain(1.0)), exact(&plain(2.0))]);
    }
    assert_eq!(double().read(&deprecated(&plain(f64::NAN), &plain(f64::NAN))), NONE);
    assert_eq!(double().read(&bounds(&plain(0.0), &plain(-0.0))), [inexact(&plain(-0.0)), inexact(&plain(0.0))]);
    assert_eq!(double().read(&bounds(&plain(-0.0), &plain(0.0))), [exact(&plain(-0.0)), exact(&plain(0.0))]);
    assert_eq!(total().read(&bounds(&plain(0.0), &plain(0.0))), [exact(&plain(0.0)), exact(&plain(0.0))]);
    assert_eq!(total().read(&bounds(&plain(0.0), &plain(-0.0))), NONE);
    let float = Column::new(PhysicalType::Float);
    assert_eq!(
        float.read(&bounds(&0_f32.to_le_bytes(), &(-0_f32).to_le_bytes())),
        [inexact(&(-0_f32).to_le_bytes()), inexact(&0_f32.to_le_bytes())]
    );
    let half = || Column::new(PhysicalType::FixedLenByteArray).logical(LogicalType::Float16);
    assert_eq!(half().read(&bounds(&[0, 0], &[0, 0x80])), [inexact(&[0, 0x80]), inexact(&[0, 0])]);
    assert_eq!(half().read(&bounds(&[0, 0x7e], &[0, 0x3c])), NONE);
    assert_eq!(half().read(&bounds(&[0, 0xc0], &[0, 0x3c])), [exact(&[0, 0xc0]), exact(&[0, 0x3c])]);
    assert_eq!(half().ordered(ColumnOrder::Ieee754TotalOrder).read(&bounds(&[0, 0], &[0, 0])), [exact(&[0, 0]), exact(&[0, 0])]);
}

#[test]
fn bounds_that_no_value_can_have_are_left_out() {
    let number = Column::new(PhysicalType::Int64);
    assert_eq!(number.read(&bounds(&[1; 7], &[1; 8])), [None, exact(&[1; 8])]);
    // A minimum above the maximum says that both are wrong.
    assert_eq!(number.read(&bounds(&5_i64.to_le_bytes(), &4_i64.to_le_bytes())), NONE);
    assert_eq!(Column::new(PhysicalType::ByteArray).read(&bounds(b"b", b"a")), NONE);
    assert_eq!(Column::new(PhysicalType::Boolean).read(&bounds(&[0], &[2])), [exact(&[0]), None]);
    let fixed = Column::new(PhysicalType::FixedLenByteArray).of_length(3);
    assert_eq!(fixed.read(&bounds(b"ab", b"abcd")), [inexact(b"ab"), None]);
}

#[test]
fn decimals_in_bytes_compare_as_numbers() {
    let decimal = LogicalType::Decimal(DecimalType { scale: 0, precision: 4 });
    let fixed = || Column::new(PhysicalType::FixedLenByteArray).logical(decimal.clone());
    assert_eq!(fixed().read(&bounds(&[0xff, 0xfe], &[0, 1])), [exact(&[0xff, 0xfe]), exact(&[0, 1])]);
    assert_eq!(fixed().read(&bounds(&[0, 1], &[0xff, 0xfe])), NONE);
    assert_eq!(fixed().read(&bounds(&[1], &[0, 1])), [None, exact(&[0, 1])]);
    let variable = Column::new(PhysicalType::ByteArray).logical(decimal.clone());
    assert_eq!(variable.read(&bounds(&[0x80], &[1, 0])), [exact(&[0x80]), exact(&[1, 0])]);
    assert_eq!(variable.read(&bounds(&[], &[1, 0])), [None, exact(&[1, 0])]);
    // Deprecated bounds of decimals in bytes compared their bytes: only equal ones tell.
    assert_eq!(fixed().read(&deprecated(&[0, 1], &[0, 2])), NONE);
    assert_eq!(fixed().read(&deprecated(&[0, 1], &[0, 1])), [exact(&[0, 1]), exact(&[0, 1])]);
}

#[test]
fn unsigned_integers_compare_unsigned() {
    let unsigned = Column::new(PhysicalType::Int64).logical(LogicalType::Integer(IntType { bit_width: 64, is_signed: false }));
    let (low, high) = (1_u64.to_le_bytes(), u64::MAX.to_le_bytes());
    assert_eq!(unsigned.read(&bounds(&low, &high)), [exact(&low), exact(&high)]);
    assert_eq!(unsigned.read(&bounds(&high, &low)), NONE);
}
