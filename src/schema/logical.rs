//! What the values of a type mean: one form for the logical types and the legacy converted ones.

use std::borrow::Cow;

use crate::format::{self, ConvertedType, EdgeInterpolationAlgorithm, PhysicalType, SchemaElement};

/// The unit of a time or timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimeUnit {
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

/// What the values of a field mean.
///
/// It comes from the logical type where a file has one, else from the legacy converted type.
/// Specification: `LogicalTypes.md`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogicalType {
    /// UTF-8 text.
    String,
    /// A group that is a map.
    Map,
    /// A group that is a list.
    List,
    /// The UTF-8 name of an enum's value.
    Enum,
    /// A decimal number: the stored integer times 10^-`scale`.
    Decimal {
        /// Digits in all, at least 1.
        precision: u32,
        /// Digits behind the decimal point, at most `precision`.
        scale: u32,
    },
    /// Days since 1970-01-01.
    Date,
    /// A time of day: the time since midnight.
    Time {
        /// Whether it is a time in UTC; else it is what a clock on the wall shows.
        utc: bool,
        /// What is counted.
        unit: TimeUnit,
    },
    /// A point in time: the time since 1970-01-01T00:00:00.
    Timestamp {
        /// Whether it is an instant, counted in UTC; else it is what a clock on the wall shows.
        utc: bool,
        /// What is counted.
        unit: TimeUnit,
    },
    /// An integer.
    Integer {
        /// 8, 16, 32 or 64.
        bits: u8,
        /// Whether it can be negative.
        signed: bool,
    },
    /// Always null.
    Unknown,
    /// A JSON document as UTF-8 text.
    Json,
    /// A BSON document.
    Bson,
    /// A UUID of 16 bytes, big-endian.
    Uuid,
    /// An IEEE 754 half precision number of 2 bytes, little-endian.
    Float16,
    /// A group that holds a Variant.
    Variant {
        /// Version of the Variant specification that it was written by.
        version: Option<i8>,
    },
    /// Geospatial features as well-known binary with straight edges.
    Geometry {
        /// The coordinate reference system; `OGC:CRS84` when it is not set.
        crs: Option<String>,
    },
    /// Geospatial features as well-known binary with edges that follow the earth.
    Geography {
        /// The coordinate reference system; `OGC:CRS84` when it is not set.
        crs: Option<String>,
        /// How edges are interpolated; spherical when it is not set.
        algorithm: Option<EdgeInterpolationAlgorithm>,
    },
    /// A group that refers to a file or a part of one.
    File,
    /// Months, days and milliseconds, three unsigned little-endian 32-bit integers; a legacy converted type only.
    Interval,
    /// The legacy annotation `MAP_KEY_VALUE`: on the repeated group of key and value, or instead of `Map` on the map.
    MapKeyValue,
    /// A logical type that this version of the crate does not know, by its field id in the Thrift union.
    Unrecognized(i16),
}

impl LogicalType {
    /// The legacy converted type that files carry beside it for older readers, if there is one.
    ///
    /// Specification: the comments of the union `LogicalType` in `parquet.thrift`.
    pub fn converted_type(&self) -> Option<ConvertedType> {
        Some(match self {
            LogicalType::String => ConvertedType::Utf8,
            LogicalType::Map => ConvertedType::Map,
            LogicalType::List => ConvertedType::List,
            LogicalType::Enum => ConvertedType::Enum,
            LogicalType::Decimal { .. } => ConvertedType::Decimal,
            LogicalType::Date => ConvertedType::Date,
            LogicalType::Time { unit: TimeUnit::Millis, .. } => ConvertedType::TimeMillis,
            LogicalType::Time { unit: TimeUnit::Micros, .. } => ConvertedType::TimeMicros,
            LogicalType::Timestamp { unit: TimeUnit::Millis, .. } => ConvertedType::TimestampMillis,
            LogicalType::Timestamp { unit: TimeUnit::Micros, .. } => ConvertedType::TimestampMicros,
            LogicalType::Integer { bits: 8, signed: true } => ConvertedType::Int8,
            LogicalType::Integer { bits: 16, signed: true } => ConvertedType::Int16,
            LogicalType::Integer { bits: 32, signed: true } => ConvertedType::Int32,
            LogicalType::Integer { bits: 64, signed: true } => ConvertedType::Int64,
            LogicalType::Integer { bits: 8, signed: false } => ConvertedType::Uint8,
            LogicalType::Integer { bits: 16, signed: false } => ConvertedType::Uint16,
            LogicalType::Integer { bits: 32, signed: false } => ConvertedType::Uint32,
            LogicalType::Integer { bits: 64, signed: false } => ConvertedType::Uint64,
            LogicalType::Json => ConvertedType::Json,
            LogicalType::Bson => ConvertedType::Bson,
            LogicalType::Interval => ConvertedType::Interval,
            LogicalType::MapKeyValue => ConvertedType::MapKeyValue,
            _ => return None,
        })
    }

    /// What a legacy converted type means; `precision` and `scale` are those beside it, for decimals.
    ///
    /// Legacy times and timestamps are instants. `None` for converted types that are not known and for decimals whose
    /// precision and scale make no sense.
    /// Specification: `LogicalTypes.md`, the paragraphs on compatibility.
    pub fn from_converted(converted: ConvertedType, precision: Option<i32>, scale: Option<i32>) -> Option<Self> {
        let integer = |bits, signed| LogicalType::Integer { bits, signed };
        Some(match converted {
            ConvertedType::Utf8 => LogicalType::String,
            ConvertedType::Map => LogicalType::Map,
            ConvertedType::MapKeyValue => LogicalType::MapKeyValue,
            ConvertedType::List => LogicalType::List,
            ConvertedType::Enum => LogicalType::Enum,
            ConvertedType::Decimal => decimal(precision?, scale.unwrap_or(0))?,
            ConvertedType::Date => LogicalType::Date,
            ConvertedType::TimeMillis => LogicalType::Time { utc: true, unit: TimeUnit::Millis },
            ConvertedType::TimeMicros => LogicalType::Time { utc: true, unit: TimeUnit::Micros },
            ConvertedType::TimestampMillis => LogicalType::Timestamp { utc: true, unit: TimeUnit::Millis },
            ConvertedType::TimestampMicros => LogicalType::Timestamp { utc: true, unit: TimeUnit::Micros },
            ConvertedType::Uint8 => integer(8, false),
            ConvertedType::Uint16 => integer(16, false),
            ConvertedType::Uint32 => integer(32, false),
            ConvertedType::Uint64 => integer(64, false),
            ConvertedType::Int8 => integer(8, true),
            ConvertedType::Int16 => integer(16, true),
            ConvertedType::Int32 => integer(32, true),
            ConvertedType::Int64 => integer(64, true),
            ConvertedType::Json => LogicalType::Json,
            ConvertedType::Bson => LogicalType::Bson,
            ConvertedType::Interval => LogicalType::Interval,
            ConvertedType::Unknown(_) => return None,
        })
    }

    /// What an element's annotations mean for what it is: a primitive type, or a group (`None`).
    ///
    /// An annotation that cannot be there (text on an `INT32`, a decimal of precision 0) counts as none, so that such
    /// fields read as their physical type.
    pub(super) fn from_element(element: &SchemaElement<'_>, primitive: Option<(PhysicalType, u32)>) -> Option<Self> {
        let logical = element.logical_type.as_ref().and_then(Self::from_format).filter(|it| it.annotates(primitive));
        let is_known = !matches!(logical, None | Some(LogicalType::Unrecognized(_)));
        if is_known {
            return logical;
        }
        let converted = element.converted_type.and_then(|it| Self::from_converted(it, element.precision, element.scale));
        converted.filter(|it| it.annotates(primitive)).or(logical)
    }

    fn from_format(logical: &format::LogicalType<'_>) -> Option<Self> {
        use format::LogicalType as From;
        Some(match logical {
            From::String => LogicalType::String,
            From::Map => LogicalType::Map,
            From::List => LogicalType::List,
            From::Enum => LogicalType::Enum,
            From::Decimal(it) => decimal(it.precision, it.scale)?,
            From::Date => LogicalType::Date,
            From::Time(it) => match time_unit(&it.unit) {
                Some(unit) => LogicalType::Time { utc: it.is_adjusted_to_utc, unit },
                None => LogicalType::Unrecognized(7),
            },
            From::Timestamp(it) => match time_unit(&it.unit) {
                Some(unit) => LogicalType::Timestamp { utc: it.is_adjusted_to_utc, unit },
                None => LogicalType::Unrecognized(8),
            },
            From::Integer(it) => LogicalType::Integer { bits: u8::try_from(it.bit_width).ok()?, signed: it.is_signed },
            From::Null => LogicalType::Unknown,
            From::Json => LogicalType::Json,
            From::Bson => LogicalType::Bson,
            From::Uuid => LogicalType::Uuid,
            From::Float16 => LogicalType::Float16,
            From::Variant(it) => LogicalType::Variant { version: it.specification_version },
            From::Geometry(it) => LogicalType::Geometry { crs: it.crs.as_deref().map(str::to_owned) },
            From::Geography(it) => LogicalType::Geography { crs: it.crs.as_deref().map(str::to_owned), algorithm: it.algorithm },
            From::File => LogicalType::File,
            From::Unknown(id) => LogicalType::Unrecognized(*id),
        })
    }

    /// The form that is written; none for those that are converted types only. Unrecognized types are not written:
    /// their parameters are lost, and without these the file might be unreadable for those who do know the type.
    pub(super) fn to_format(&self) -> Option<format::LogicalType<'_>> {
        use format::LogicalType as To;
        Some(match self {
            LogicalType::String => To::String,
            LogicalType::Map => To::Map,
            LogicalType::List => To::List,
            LogicalType::Enum => To::Enum,
            LogicalType::Decimal { precision, scale } => {
                To::Decimal(format::DecimalType { scale: i32::try_from(*scale).ok()?, precision: i32::try_from(*precision).ok()? })
            }
            LogicalType::Date => To::Date,
            LogicalType::Time { utc, unit } => To::Time(format::TimeType { is_adjusted_to_utc: *utc, unit: format_unit(*unit) }),
            LogicalType::Timestamp { utc, unit } => {
                To::Timestamp(format::TimestampType { is_adjusted_to_utc: *utc, unit: format_unit(*unit) })
            }
            LogicalType::Integer { bits, signed } => {
                To::Integer(format::IntType { bit_width: i8::try_from(*bits).ok()?, is_signed: *signed })
            }
            LogicalType::Unknown => To::Null,
            LogicalType::Json => To::Json,
            LogicalType::Bson => To::Bson,
            LogicalType::Uuid => To::Uuid,
            LogicalType::Float16 => To::Float16,
            LogicalType::Variant { version } => To::Variant(format::VariantType { specification_version: *version }),
            LogicalType::Geometry { crs } => To::Geometry(format::GeometryType { crs: crs.as_deref().map(Cow::Borrowed) }),
            LogicalType::Geography { crs, algorithm } => {
                To::Geography(format::GeographyType { crs: crs.as_deref().map(Cow::Borrowed), algorithm: *algorithm })
            }
            LogicalType::File => To::File,
            LogicalType::Interval | LogicalType::MapKeyValue | LogicalType::Unrecognized(_) => return None,
        })
    }

    /// Whether it can be on a primitive type of a length (0 where the type has none), or on a group (`None`).
    pub(super) fn annotates(&self, primitive: Option<(PhysicalType, u32)>) -> bool {
        use PhysicalType::{ByteArray, FixedLenByteArray, Int32, Int64};
        let Some((physical, length)) = primitive else {
            return matches!(
                self,
                LogicalType::Map
                    | LogicalType::List
                    | LogicalType::MapKeyValue
                    | LogicalType::Variant { .. }
                    | LogicalType::File
                    | LogicalType::Unrecognized(_)
            );
        };
        match self {
            LogicalType::Map | LogicalType::List | LogicalType::MapKeyValue | LogicalType::Variant { .. } | LogicalType::File => false,
            LogicalType::String
            | LogicalType::Enum
            | LogicalType::Json
            | LogicalType::Bson
            | LogicalType::Geometry { .. }
            | LogicalType::Geography { .. } => physical == ByteArray,
            LogicalType::Decimal { .. } => matches!(physical, Int32 | Int64 | ByteArray | FixedLenByteArray),
            LogicalType::Date | LogicalType::Time { unit: TimeUnit::Millis, .. } | LogicalType::Integer { bits: 8 | 16 | 32, .. } => {
                physical == Int32
            }
            LogicalType::Time { .. } | LogicalType::Timestamp { .. } | LogicalType::Integer { bits: 64, .. } => physical == Int64,
            LogicalType::Integer { .. } => false,
            LogicalType::Uuid => physical == FixedLenByteArray && length == 16,
            LogicalType::Float16 => physical == FixedLenByteArray && length == 2,
            LogicalType::Interval => physical == FixedLenByteArray && length == 12,
            LogicalType::Unknown | LogicalType::Unrecognized(_) => true,
        }
    }
}

fn decimal(precision: i32, scale: i32) -> Option<LogicalType> {
    let (precision, scale) = (u32::try_from(precision).ok()?, u32::try_from(scale).ok()?);
    (precision > 0 && scale <= precision).then_some(LogicalType::Decimal { precision, scale })
}

fn time_unit(unit: &format::TimeUnit) -> Option<TimeUnit> {
    match unit {
        format::TimeUnit::Millis => Some(TimeUnit::Millis),
        format::TimeUnit::Micros => Some(TimeUnit::Micros),
        format::TimeUnit::Nanos => Some(TimeUnit::Nanos),
        format::TimeUnit::Unknown(_) => None,
    }
}

fn format_unit(unit: TimeUnit) -> format::TimeUnit {
    match unit {
        TimeUnit::Millis => format::TimeUnit::Millis,
        TimeUnit::Micros => format::TimeUnit::Micros,
        TimeUnit::Nanos => format::TimeUnit::Nanos,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_CONVERTED: std::ops::Range<i32> = 0..22;

    #[test]
    fn converted_types_and_their_meanings_belong_together() {
        for code in ALL_CONVERTED {
            let converted = ConvertedType::from_code(code);
            let logical = LogicalType::from_converted(converted, Some(9), Some(2)).unwrap();
            assert_eq!(logical.converted_type(), Some(converted));
            let written = logical.to_format();
            let is_converted_only = matches!(converted, ConvertedType::Interval | ConvertedType::MapKeyValue);
            assert_eq!(written.is_none(), is_converted_only, "{converted:?}");
            if let Some(written) = written {
                assert_eq!(LogicalType::from_format(&written), Some(logical));
            }
        }
        assert_eq!(LogicalType::from_converted(ConvertedType::Unknown(22), None, None), None);
    }

    #[test]
    fn decimals_need_a_precision_and_a_scale_within() {
        let decimal = |precision, scale| LogicalType::from_converted(ConvertedType::Decimal, precision, scale);
        assert_eq!(decimal(Some(5), None), Some(LogicalType::Decimal { precision: 5, scale: 0 }));
        assert_eq!(decimal(Some(5), Some(5)), Some(LogicalType::Decimal { precision: 5, scale: 5 }));
        for (precision, scale) in [(None, Some(2)), (Some(0), None), (Some(5), Some(6)), (Some(5), Some(-1)), (Some(-1), None)] {
            assert_eq!(decimal(precision, scale), None);
        }
    }

    fn element(logical: Option<format::LogicalType<'static>>, converted: Option<ConvertedType>) -> SchemaElement<'static> {
        SchemaElement {
            physical_type: None,
            type_length: None,
            repetition_type: None,
            name: "x".into(),
            num_children: None,
            converted_type: converted,
            scale: None,
            precision: None,
            field_id: None,
            logical_type: logical,
        }
    }

    #[test]
    fn the_logical_type_comes_before_the_converted_one() {
        let local = format::TimestampType { is_adjusted_to_utc: false, unit: format::TimeUnit::Micros };
        let both = element(Some(format::LogicalType::Timestamp(local)), Some(ConvertedType::TimestampMicros));
        let int64 = Some((PhysicalType::Int64, 0));
        assert_eq!(LogicalType::from_element(&both, int64), Some(LogicalType::Timestamp { utc: false, unit: TimeUnit::Micros }));
        let converted = element(None, Some(ConvertedType::TimestampMicros));
        assert_eq!(LogicalType::from_element(&converted, int64), Some(LogicalType::Timestamp { utc: true, unit: TimeUnit::Micros }));
        assert_eq!(LogicalType::from_element(&element(None, None), int64), None);
    }

    #[test]
    fn what_is_not_known_falls_back() {
        let bytes = Some((PhysicalType::ByteArray, 0));
        let future = element(Some(format::LogicalType::Unknown(77)), None);
        assert_eq!(LogicalType::from_element(&future, bytes), Some(LogicalType::Unrecognized(77)));
        assert_eq!(LogicalType::Unrecognized(77).to_format(), None);
        let future = element(Some(format::LogicalType::Unknown(77)), Some(ConvertedType::Utf8));
        assert_eq!(LogicalType::from_element(&future, bytes), Some(LogicalType::String));
        let unit = format::TimeType { is_adjusted_to_utc: true, unit: format::TimeUnit::Unknown(4) };
        let future = element(Some(format::LogicalType::Time(unit)), None);
        assert_eq!(LogicalType::from_element(&future, Some((PhysicalType::Int64, 0))), Some(LogicalType::Unrecognized(7)));
    }

    #[test]
    fn what_cannot_be_there_is_not() {
        let text = element(Some(format::LogicalType::String), Some(ConvertedType::Utf8));
        assert_eq!(LogicalType::from_element(&text, Some((PhysicalType::Int32, 0))), None);
        assert_eq!(LogicalType::from_element(&text, None), None);
        let uuid = element(Some(format::LogicalType::Uuid), None);
        assert_eq!(LogicalType::from_element(&uuid, Some((PhysicalType::FixedLenByteArray, 15))), None);
        assert_eq!(LogicalType::from_element(&uuid, Some((PhysicalType::FixedLenByteArray, 16))), Some(LogicalType::Uuid));
        let list = element(Some(format::LogicalType::List), None);
        assert_eq!(LogicalType::from_element(&list, Some((PhysicalType::ByteArray, 0))), None);
        assert_eq!(LogicalType::from_element(&list, None), Some(LogicalType::List));
        let odd = element(Some(format::LogicalType::Integer(format::IntType { bit_width: 24, is_signed: true })), None);
        assert_eq!(LogicalType::from_element(&odd, Some((PhysicalType::Int32, 0))), None);
    }
}
