//! Constants in expressions.

use std::fmt;

use crate::error::{Error, Result};
use crate::predicate::calendar;

/// A constant that columns are compared with.
///
/// It has no more of a type than it says: which type it becomes is decided by the column that it meets, when the expression is
/// bound to a schema. Numbers and text come by `From`, the rest from the functions here.
///
/// ```
/// use herringbone::predicate::{Literal, col};
/// let filter = col("price").lt(Literal::decimal("9.95")?).and(col("day").gt_eq(Literal::date("2024-02-29")?));
/// assert_eq!(filter.to_string(), "price < 9.95 AND day >= DATE '2024-02-29'");
/// assert!(Literal::date("2023-02-29").is_err());
/// # Ok::<(), herringbone::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// No value: comparisons with it are neither true nor false.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i128),
    /// A floating-point number. For a column of decimals it stands for the shortest decimal that it prints as.
    Float(f64),
    /// A decimal number, exact.
    Decimal(Decimal),
    /// Text. For columns of dates, times, timestamps and UUIDs it stands for what it spells.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A date, in days since 1970-01-01.
    Date(i64),
    /// A time of day, in nanoseconds since midnight.
    Time(i64),
    /// A point in time.
    Timestamp {
        /// Nanoseconds since 1970-01-01T00:00:00.
        nanoseconds: i128,
        /// Whether that is in UTC; else it is what a clock on the wall shows.
        utc: bool,
    },
}

/// A decimal number of up to 160 digits: an integer times 10^-`scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// The digits of the integer, without leading zeros; none for 0.
    digits: String,
    scale: u32,
}

/// More digits than any decimal type has.
const MOST_DIGITS: usize = 160;

impl Literal {
    /// The decimal number that the text spells, such as `-12.50` or `1e-3`.
    ///
    /// # Errors
    /// `Usage` if it spells none, or one of more than 160 digits.
    pub fn decimal(text: &str) -> Result<Self> {
        Decimal::parse(text).map(Literal::Decimal)
    }

    /// The date that the text spells by ISO 8601, such as `2024-02-29`.
    ///
    /// # Errors
    /// `Usage` if it spells none.
    pub fn date(text: &str) -> Result<Self> {
        calendar::parse_date(text).map(Literal::Date)
    }

    /// The time of day that the text spells by ISO 8601, such as `23:59:59.999`.
    ///
    /// # Errors
    /// `Usage` if it spells none.
    pub fn time(text: &str) -> Result<Self> {
        calendar::parse_time(text).map(Literal::Time)
    }

    /// The point in time that the text spells by ISO 8601, with a blank or a `T` before the time: in UTC if it ends with `Z` or an
    /// offset such as `+02:00`, else what a clock on the wall shows.
    ///
    /// # Errors
    /// `Usage` if it spells none.
    pub fn timestamp(text: &str) -> Result<Self> {
        calendar::parse_timestamp(text).map(|(nanoseconds, utc)| Literal::Timestamp { nanoseconds, utc })
    }
}

impl Decimal {
    /// Reads a decimal number, such as `-12.50` or `1e-3`.
    ///
    /// # Errors
    /// `Usage` if it is none, or one of more than 160 digits.
    pub fn parse(text: &str) -> Result<Self> {
        Self::spelled(text).ok_or_else(|| Error::usage(format!("{text:?} is no decimal number of at most {MOST_DIGITS} digits")))
    }

    fn spelled(text: &str) -> Option<Self> {
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.len() > MOST_DIGITS {
            return None;
        }
        let mut scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        while scale < 0 {
            digits.push('0');
            scale = scale.saturating_add(1);
            if digits.len() > MOST_DIGITS {
                return None;
            }
        }
        let digits = digits.trim_start_matches('0').to_owned();
        let scale = u32::try_from(scale).ok().filter(|scale| (*scale as usize) <= MOST_DIGITS)?;
        Some(Self { negative: negative && !digits.is_empty(), digits, scale })
    }

    /// The decimal number that a float prints as; `None` for NaN, infinities and those of too many digits.
    pub(super) fn of_float(value: f64) -> Option<Self> {
        if value.is_finite() { Self::spelled(&format!("{value}")) } else { None }
    }

    pub(super) fn of_integer(value: i128) -> Self {
        let digits = if value == 0 { String::new() } else { value.unsigned_abs().to_string() };
        Self { negative: value < 0, digits, scale: 0 }
    }

    /// Whether it is below 0.
    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    /// The digits of its magnitude times 10^`scale`, rounded towards 0, and whether nothing was lost.
    pub(super) fn at_scale(&self, scale: u32) -> (String, bool) {
        if scale >= self.scale {
            let zeros = scale.saturating_sub(self.scale) as usize;
            return (if self.digits.is_empty() { String::new() } else { self.digits.clone() + &"0".repeat(zeros) }, true);
        }
        let cut = self.scale.saturating_sub(scale) as usize;
        let (kept, lost) = self.digits.split_at_checked(self.digits.len().saturating_sub(cut)).unwrap_or(("", &self.digits));
        (kept.to_owned(), lost.bytes().all(|digit| digit == b'0'))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let scale = self.scale as usize;
        let padded = format!("{:0>width$}", self.digits, width = scale.saturating_add(1));
        let (whole, fraction) = padded.split_at_checked(padded.len().saturating_sub(scale)).unwrap_or((&padded, ""));
        match fraction {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

/// As in SQL; [`Expr`](crate::predicate::Expr) is read back from it.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("NULL"),
            Literal::Boolean(true) => f.write_str("TRUE"),
            Literal::Boolean(false) => f.write_str("FALSE"),
            Literal::Integer(value) => write!(f, "{value}"),
            Literal::Float(value) if value.is_finite() => write!(f, "{value:e}"),
            Literal::Float(value) => {
                let name = if value.is_nan() { "NaN" } else { "Infinity" };
                write!(f, "CAST('{}{name}' AS DOUBLE)", if value.is_sign_negative() { "-" } else { "" })
            }
            // A point tells it from a whole number.
            Literal::Decimal(value) if value.scale == 0 => write!(f, "{value}."),
            Literal::Decimal(value) => write!(f, "{value}"),
            Literal::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Literal::Bytes(bytes) => {
                f.write_str("X'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
                f.write_str("'")
            }
            Literal::Date(days) => write!(f, "DATE '{}'", calendar::date(*days)),
            Literal::Time(nanoseconds) => write!(f, "TIME '{}'", calendar::clock(*nanoseconds)),
            Literal::Timestamp { nanoseconds, utc } => write!(f, "TIMESTAMP '{}'", calendar::timestamp(*nanoseconds, *utc)),
        }
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Literal {
            fn from(value: $integer) -> Self {
                Literal::Integer(i128::from(value))
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 i128 u8 u16 u32 u64);

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Literal::Boolean(value)
    }
}

impl From<f32> for Literal {
    fn from(value: f32) -> Self {
        Literal::Float(f64::from(value))
    }
}

impl From<f64> for Literal {
    fn from(value: f64) -> Self {
        Literal::Float(value)
    }
}

impl From<&str> for Literal {
    fn from(value: &str) -> Self {
        Literal::Text(value.to_owned())
    }
}

impl From<String> for Literal {
    fn from(value: String) -> Self {
        Literal::Text(value)
    }
}

impl From<&[u8]> for Literal {
    fn from(value: &[u8]) -> Self {
        Literal::Bytes(value.to_vec())
    }
}

impl From<Vec<u8>> for Literal {
    fn from(value: Vec<u8>) -> Self {
        Literal::Bytes(value)
    }
}

impl From<Decimal> for Literal {
    fn from(value: Decimal) -> Self {
        Literal::Decimal(value)
    }
}

/// Nothing is null.
impl<L: Into<Literal>> From<Option<L>> for Literal {
    fn from(value: Option<L>) -> Self {
        value.map_or(Literal::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_and_print() {
        for (text, printed) in
            [("1.50", "1.50"), ("-0.0", "0.0"), ("+7", "7"), ("1e3", "1000"), ("12e-3", "0.012"), (".5", "0.5"), ("5.", "5")]
        {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), printed, "{text}");
        }
        for wrong in ["", "-", "1.2.3", "e5", "1e", "0x10", "1e1000000000000", "NaN", "١"] {
            assert!(Decimal::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn decimals_change_their_scale() {
        let at = |text: &str, scale| Decimal::parse(text).unwrap().at_scale(scale);
        assert_eq!(at("1.5", 3), ("1500".to_owned(), true));
        assert_eq!(at("1.509", 2), ("150".to_owned(), false));
        assert_eq!(at("1.500", 1), ("15".to_owned(), true));
        assert_eq!(at("0.004", 1), (String::new(), false));
        assert_eq!(at("0", 4), (String::new(), true));
    }
}
