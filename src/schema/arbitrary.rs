//! Arbitrary schemas, for tests.

use proptest::prelude::*;

use crate::format::{self, ConvertedType, EdgeInterpolationAlgorithm, FieldRepetitionType, PhysicalType, SchemaElement};
use crate::schema::{Field, Kind, LogicalType, Repetition, Schema, TimeUnit};

/// Any schema that [`Schema::new`] takes.
pub(crate) fn schema() -> impl Strategy<Value = Schema> {
    (name(), prop::collection::vec(field(), 0..6)).prop_map(|(name, fields)| Schema::new(name, fields).unwrap())
}

fn field() -> impl Strategy<Value = Field> {
    column().prop_recursive(6, 40, 5, |below| {
        let fields = prop::collection::vec(below, 1..5);
        let annotation = prop::option::of(prop_oneof![
            Just(LogicalType::Map),
            Just(LogicalType::List),
            Just(LogicalType::MapKeyValue),
            Just(LogicalType::File),
            prop::option::of(any::<i8>()).prop_map(|version| LogicalType::Variant { version }),
        ]);
        (name(), repetition(), fields, annotation, field_id())
            .prop_map(|(name, repetition, fields, annotation, id)| annotated(Field::group(name, repetition, fields), annotation, id))
    })
}

fn column() -> impl Strategy<Value = Field> {
    (name(), repetition(), any::<u8>(), 1..40_u32, field_id()).prop_flat_map(|(name, repetition, code, length, id)| {
        let physical_type = PhysicalType::from_code(i32::from(code % 8));
        prop::option::of(annotation(physical_type, length)).prop_map(move |annotation| {
            let fixed = match annotation {
                Some(LogicalType::Uuid) => 16,
                Some(LogicalType::Float16) => 2,
                Some(LogicalType::Interval) => 12,
                _ => length,
            };
            let is_fixed = physical_type == PhysicalType::FixedLenByteArray;
            let kind = Kind::Primitive { physical_type, type_length: is_fixed.then_some(fixed), leaf: 0 };
            annotated(Field::bare(name.clone(), repetition, kind), annotation, id)
        })
    })
}

fn annotated(field: Field, annotation: Option<LogicalType>, id: Option<i32>) -> Field {
    let field = match annotation {
        Some(annotation) => field.with_logical_type(annotation),
        None => field,
    };
    match id {
        Some(id) => field.with_field_id(id),
        None => field,
    }
}

fn annotation(physical_type: PhysicalType, length: u32) -> BoxedStrategy<LogicalType> {
    let integer = |bits| any::<bool>().prop_map(move |signed| LogicalType::Integer { bits, signed });
    let time = |unit| any::<bool>().prop_map(move |utc| LogicalType::Time { utc, unit });
    let timestamp = |unit| any::<bool>().prop_map(move |utc| LogicalType::Timestamp { utc, unit });
    let crs = || prop::option::of(prop_oneof![name(), Just("KARNEY".to_owned())]);
    match physical_type {
        PhysicalType::Int32 => prop_oneof![
            Just(LogicalType::Date),
            decimal(9),
            integer(8),
            integer(16),
            integer(32),
            time(TimeUnit::Millis),
            Just(LogicalType::Unknown)
        ]
        .boxed(),
        PhysicalType::Int64 => prop_oneof![
            decimal(18),
            integer(64),
            time(TimeUnit::Micros),
            time(TimeUnit::Nanos),
            timestamp(TimeUnit::Millis),
            timestamp(TimeUnit::Micros),
            timestamp(TimeUnit::Nanos)
        ]
        .boxed(),
        PhysicalType::ByteArray => prop_oneof![
            Just(LogicalType::String),
            Just(LogicalType::Enum),
            Just(LogicalType::Json),
            Just(LogicalType::Bson),
            decimal(1000),
            crs().prop_map(|crs| LogicalType::Geometry { crs }),
            (crs(), prop::option::of((0..7).prop_map(EdgeInterpolationAlgorithm::from_code)))
                .prop_map(|(crs, algorithm)| LogicalType::Geography { crs, algorithm }),
        ]
        .boxed(),
        PhysicalType::FixedLenByteArray => {
            // A few digits less than fit.
            let digits = decimal((length * 2).max(1));
            prop_oneof![Just(LogicalType::Uuid), Just(LogicalType::Float16), Just(LogicalType::Interval), digits].boxed()
        }
        _ => Just(LogicalType::Unknown).boxed(),
    }
}

fn decimal(most: u32) -> impl Strategy<Value = LogicalType> {
    (1..=most).prop_flat_map(|precision| (0..=precision).prop_map(move |scale| LogicalType::Decimal { precision, scale }))
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z_]{1,3}", 1 => "[a-c.]{1,4}", 1 => "[ -~]{0,6}", 1 => ".{0,4}", 1 => Just("a\n\"\\\t\u{7f}".to_owned())]
}

fn repetition() -> impl Strategy<Value = Repetition> {
    prop::sample::select(&[Repetition::Required, Repetition::Optional, Repetition::Repeated][..])
}

fn field_id() -> impl Strategy<Value = Option<i32>> {
    prop::option::of(any::<i32>())
}

/// Any element of a footer's list, sane or not.
pub(crate) fn element() -> impl Strategy<Value = SchemaElement<'static>> {
    let children = prop::option::of(prop_oneof![8 => 0..6_i32, 1 => any::<i32>()]);
    let converted = prop::option::weighted(0.3, (-1..24).prop_map(ConvertedType::from_code));
    let physical = prop::option::weighted(0.6, (-1..9).prop_map(PhysicalType::from_code));
    let repetition = prop::option::weighted(0.9, prop_oneof![30 => 0..3, 1 => any::<i32>()].prop_map(FieldRepetitionType::from_code));
    let length = prop::option::weighted(0.8, prop_oneof![8 => 1..20_i32, 1 => any::<i32>()]);
    let digits = (prop::option::of(-1..40_i32), prop::option::of(-1..40_i32));
    (children, converted, physical, repetition, length, digits, name(), prop::option::weighted(0.4, logical())).prop_map(
        |(num_children, converted_type, physical_type, repetition_type, type_length, (precision, scale), name, logical_type)| {
            SchemaElement {
                physical_type,
                type_length,
                repetition_type,
                name: name.into(),
                num_children,
                converted_type,
                scale,
                precision,
                field_id: None,
                logical_type,
            }
        },
    )
}

fn logical() -> impl Strategy<Value = format::LogicalType<'static>> {
    use format::LogicalType as Logical;
    let unit = || {
        prop::sample::select(vec![
            format::TimeUnit::Millis,
            format::TimeUnit::Micros,
            format::TimeUnit::Nanos,
            format::TimeUnit::Unknown(9),
        ])
    };
    prop_oneof![
        prop::sample::select(vec![
            Logical::String,
            Logical::Map,
            Logical::List,
            Logical::Date,
            Logical::Null,
            Logical::Uuid,
            Logical::Float16,
            Logical::File,
            Logical::Unknown(50),
        ]),
        (-1..40_i32, -1..40_i32).prop_map(|(scale, precision)| Logical::Decimal(format::DecimalType { scale, precision })),
        (any::<i8>(), any::<bool>()).prop_map(|(bit_width, is_signed)| Logical::Integer(format::IntType { bit_width, is_signed })),
        (any::<bool>(), unit())
            .prop_map(|(is_adjusted_to_utc, unit)| Logical::Timestamp(format::TimestampType { is_adjusted_to_utc, unit })),
        (any::<bool>(), unit()).prop_map(|(is_adjusted_to_utc, unit)| Logical::Time(format::TimeType { is_adjusted_to_utc, unit })),
    ]
}
