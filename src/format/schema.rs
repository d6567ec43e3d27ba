//! The schema as the footer holds it: a flat list of elements, and the annotations of their types.

use std::borrow::Cow;

use crate::format::PhysicalType;
use crate::thrift::{thrift_enum, thrift_struct, thrift_union};

thrift_enum! {
    /// The legacy annotation of a type (`ConvertedType`), superseded by [`LogicalType`].
    pub enum ConvertedType {
        /// Bytes that are UTF-8 text.
        Utf8 = 0,
        /// A group that is a map.
        Map = 1,
        /// The repeated group of key and value inside a map; some writers put it on the map itself.
        MapKeyValue = 2,
        /// A group that is a list.
        List = 3,
        /// Bytes that are the UTF-8 name of an enum's value.
        Enum = 4,
        /// A decimal number; the element's `precision` and `scale` belong to it.
        Decimal = 5,
        /// Days since 1970-01-01, `INT32`.
        Date = 6,
        /// Milliseconds since midnight, `INT32`.
        TimeMillis = 7,
        /// Microseconds since midnight, `INT64`.
        TimeMicros = 8,
        /// Milliseconds since 1970-01-01T00:00:00Z, `INT64`.
        TimestampMillis = 9,
        /// Microseconds since 1970-01-01T00:00:00Z, `INT64`.
        TimestampMicros = 10,
        /// Unsigned, 8 bits, `INT32`.
        Uint8 = 11,
        /// Unsigned, 16 bits, `INT32`.
        Uint16 = 12,
        /// Unsigned, 32 bits, `INT32`.
        Uint32 = 13,
        /// Unsigned, 64 bits, `INT64`.
        Uint64 = 14,
        /// Signed, 8 bits, `INT32`.
        Int8 = 15,
        /// Signed, 16 bits, `INT32`.
        Int16 = 16,
        /// Signed, 32 bits, `INT32`.
        Int32 = 17,
        /// Signed, 64 bits, `INT64`.
        Int64 = 18,
        /// A JSON document as UTF-8 text.
        Json = 19,
        /// A BSON document.
        Bson = 20,
        /// Months, days and milliseconds, unsigned little-endian 32-bit integers in 12 bytes.
        Interval = 21,
    }
}

thrift_enum! {
    /// How often a field occurs in its parent (`FieldRepetitionType`). fastparquet writes it as a boolean where it is told to find out about nulls.
    pub enum FieldRepetitionType or bool {
        /// Exactly once.
        Required = 0,
        /// Once or not at all.
        Optional = 1,
        /// Any number of times.
        Repeated = 2,
    }
}

thrift_enum! {
    /// How edges between points of a geography are interpolated (`EdgeInterpolationAlgorithm`).
    pub enum EdgeInterpolationAlgorithm {
        /// Geodesics of a sphere.
        Spherical = 0,
        /// Vincenty's formulae.
        Vincenty = 1,
        /// Thomas's formulae.
        Thomas = 2,
        /// Andoyer's formulae.
        Andoyer = 3,
        /// Karney's algorithm.
        Karney = 4,
    }
}

thrift_struct! {
    /// A decimal number (`DecimalType`): the stored integer times 10^-scale.
    pub struct DecimalType {
        /// Digits behind the decimal point.
        1: required scale: i32,
        /// Digits in all.
        2: required precision: i32,
    }
}

thrift_union! {
    /// The unit of a time or timestamp (`TimeUnit`).
    pub enum TimeUnit {
        /// Milliseconds.
        1: Millis,
        /// Microseconds.
        2: Micros,
        /// Nanoseconds.
        3: Nanos,
    }
}

thrift_struct! {
    /// A point in time (`TimestampType`).
    pub struct TimestampType {
        /// Whether it is an instant, counted in UTC; else it is what a clock on the wall shows.
        1: required is_adjusted_to_utc: bool,
        /// What is counted since 1970-01-01.
        2: required unit: TimeUnit,
    }
}

thrift_struct! {
    /// A time of day (`TimeType`).
    pub struct TimeType {
        /// Whether it is a time in UTC; else it is what a clock on the wall shows.
        1: required is_adjusted_to_utc: bool,
        /// What is counted since midnight.
        2: required unit: TimeUnit,
    }
}

thrift_struct! {
    /// An integer (`IntType`).
    pub struct IntType {
        /// 8, 16, 32 or 64.
        1: required bit_width: i8,
        /// Whether it can be negative.
        2: required is_signed: bool,
    }
}

thrift_struct! {
    /// A value of any type, the Variant encoding (`VariantType`).
    pub struct VariantType {
        /// Version of the Variant specification that it was written by.
        1: optional specification_version: i8,
    }
}

thrift_struct! {
    /// Geospatial features as well-known binary with straight edges (`GeometryType`).
    pub struct GeometryType<'a> {
        /// The coordinate reference system; `OGC:CRS84` when it is not set.
        1: optional crs: Cow<'a, str>,
    }
}

thrift_struct! {
    /// Geospatial features as well-known binary with edges that follow the earth (`GeographyType`).
    pub struct GeographyType<'a> {
        /// The coordinate reference system; `OGC:CRS84` when it is not set.
        1: optional crs: Cow<'a, str>,
        /// How edges are interpolated; spherical when it is not set.
        2: optional algorithm: EdgeInterpolationAlgorithm,
    }
}

thrift_union! {
    /// What the values of a type mean (`LogicalType`).
    pub enum LogicalType<'a> {
        /// UTF-8 text.
        1: String,
        /// A group that is a map.
        2: Map,
        /// A group that is a list.
        3: List,
        /// The UTF-8 name of an enum's value.
        4: Enum,
        /// A decimal number.
        5: Decimal(DecimalType),
        /// Days since 1970-01-01.
        6: Date,
        /// A time of day.
        7: Time(TimeType),
        /// A point in time.
        8: Timestamp(TimestampType),
        /// An integer of a width and signedness.
        10: Integer(IntType),
        /// Always null (`UNKNOWN` in the format; not to be confused with members that this crate does not know).
        11: Null,
        /// A JSON document as UTF-8 text.
        12: Json,
        /// A BSON document.
        13: Bson,
        /// A UUID of 16 bytes, big-endian.
        14: Uuid,
        /// An IEEE 754 half precision number of 2 bytes, little-endian.
        15: Float16,
        /// A group that holds a Variant.
        16: Variant(VariantType),
        /// Geospatial features with straight edges.
        17: Geometry(GeometryType<'a>),
        /// Geospatial features with edges that follow the earth.
        18: Geography(GeographyType<'a>),
        /// A group that refers to a file or a part of one.
        19: File,
    }
}

thrift_struct! {
    /// One node of the schema (`SchemaElement`); the list of them is the tree in depth-first order.
    pub struct SchemaElement<'a> {
        /// The physical type; not set on a group.
        1: optional physical_type: PhysicalType,
        /// Bytes of a value, when the type is `FixedLenByteArray`.
        2: optional type_length: i32,
        /// How often it occurs in its parent; not set on the root.
        3: optional repetition_type: FieldRepetitionType,
        /// The field's name.
        4: required name: Cow<'a, str>,
        /// Number of children; not set on a primitive type.
        5: optional num_children: i32,
        /// The legacy annotation.
        6: optional converted_type: ConvertedType,
        /// Scale of a legacy decimal.
        7: optional scale: i32,
        /// Precision of a legacy decimal.
        8: optional precision: i32,
        /// The field's id in a table format or another model.
        9: optional field_id: i32,
        /// What the values mean.
        10: optional logical_type: LogicalType<'a>,
    }
}
