//! What the values of a type mean: one form for the logical types and the legacy converted ones.

use crate::format::EdgeInterpolationAlgorithm;

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
