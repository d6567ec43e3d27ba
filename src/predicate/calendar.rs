//! Dates, times and timestamps as text, by ISO 8601 in the proleptic Gregorian calendar.

use crate::error::{Error, Result};
pub(super) use crate::metadata::date;

const SECOND: i64 = 1_000_000_000;
/// Nanoseconds of a day.
pub(super) const DAY: i64 = 86_400 * SECOND;

/// Days since 1970-01-01.
pub(super) fn parse_date(text: &str) -> Result<i64> {
    date_at_start(text)
        .filter(|(_, rest)| rest.is_empty())
        .map(|(days, _)| days)
        .ok_or_else(|| Error::usage(format!("{text:?} is no date: write it as 2024-02-29")))
}

/// Nanoseconds since midnight.
pub(super) fn parse_time(text: &str) -> Result<i64> {
    time_at_start(text)
        .filter(|(_, rest)| rest.is_empty())
        .map(|(time, _)| time)
        .ok_or_else(|| Error::usage(format!("{text:?} is no time of day: write it as 23:59:59.999")))
}

/// Nanoseconds since 1970-01-01T00:00:00, and whether that is in UTC.
pub(super) fn parse_timestamp(text: &str) -> Result<(i128, bool)> {
    timestamp_spelled(text)
        .ok_or_else(|| Error::usage(format!("{text:?} is no timestamp: write it as 2024-02-29 23:59:59.999, in UTC with a Z")))
}

fn timestamp_spelled(text: &str) -> Option<(i128, bool)> {
    let (days, rest) = date_at_start(text)?;
    let (time, rest) = match rest.strip_prefix(['T', 't', ' ']) {
        Some(rest) => time_at_start(rest)?,
        None => (0, rest),
    };
    let nanoseconds = i128::from(days).checked_mul(i128::from(DAY))?.checked_add(i128::from(time))?;
    let offset = match rest.trim_start() {
        "" => return Some((nanoseconds, false)),
        "Z" | "z" | "UTC" => 0,
        rest => {
            let (sign, rest) = match rest.split_at_checked(1)? {
                ("+", rest) => (1, rest),
                ("-", rest) => (-1, rest),
                _ => return None,
            };
            let (hours, rest) = number(rest, 2)?;
            let rest = rest.strip_prefix(':').unwrap_or(rest);
            let (minutes, rest) = if rest.is_empty() { (0, rest) } else { number(rest, 2)? };
            if !rest.is_empty() || hours > 23 || minutes > 59 {
                return None;
            }
            hours.checked_mul(60)?.checked_add(minutes)?.checked_mul(sign)?
        }
    };
    let offset = i128::from(offset).checked_mul(60)?.checked_mul(i128::from(SECOND))?;
    Some((nanoseconds.checked_sub(offset)?, true))
}

/// `digits` digits at the start of a text, and what follows them.
fn number(text: &str, digits: usize) -> Option<(i64, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((number.parse().ok()?, rest))
}

fn date_at_start(text: &str) -> Option<(i64, &str)> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(4..=9).contains(&digits) {
        return None;
    }
    let (year, rest) = number(text, digits)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
    let year = if negative { year.checked_neg()? } else { year };
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28_i64.saturating_add(i64::from(leap)),
        _ => return None,
    };
    (1..=last).contains(&day).then(|| (days_of(year, month, day), rest))
}

/// Years begin in March, so that the leap day is the last one.
#[allow(clippy::arithmetic_side_effects, reason = "years have at most nine digits")]
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[allow(clippy::arithmetic_side_effects, reason = "the parts have two digits each, the fraction nine")]
fn time_at_start(text: &str) -> Option<(i64, &str)> {
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => number(rest, 2)?,
        None => (0, rest),
    };
    let (fraction, rest) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            let (fraction, rest) = number(rest, digits)?;
            (fraction * 10_i64.pow(u32::try_from(9 - digits).ok()?), rest)
        }
        None => (0, rest),
    };
    (hour < 24 && minute < 60 && second < 60).then(|| (((hour * 60 + minute) * 60 + second) * SECOND + fraction, rest))
}

/// A time of day, given in nanoseconds since midnight, with as many digits behind the seconds as it takes.
pub(super) fn clock(nanoseconds: i64) -> String {
    let (seconds, rest) = (nanoseconds.div_euclid(SECOND), nanoseconds.rem_euclid(SECOND));
    let (minutes, second) = (seconds.div_euclid(60), seconds.rem_euclid(60));
    let fraction = format!("{rest:09}");
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{:02}:{:02}:{second:02}{point}{fraction}", minutes.div_euclid(60), minutes.rem_euclid(60))
}

/// A point in time, given in nanoseconds since 1970-01-01T00:00:00.
pub(super) fn timestamp(nanoseconds: i128, utc: bool) -> String {
    let day = i128::from(DAY);
    let days = i64::try_from(nanoseconds.div_euclid(day)).unwrap_or(i64::MAX);
    let time = i64::try_from(nanoseconds.rem_euclid(day)).unwrap_or(0);
    format!("{}T{}{}", date(days), clock(time), if utc { "Z" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_they_print() {
        for days in (-1_000_000..1_000_000).step_by(37).chain([-719_468, -719_529, -719_530, 0, 2_932_896, 2_932_897]) {
            assert_eq!(parse_date(&date(days)).unwrap(), days, "{}", date(days));
        }
        assert_eq!(parse_date("1970-01-01").unwrap(), 0);
        assert_eq!(parse_date("2024-02-29").unwrap(), 19_782);
        for wrong in
            ["", "2024-2-29", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-01-01 ", "24-01-01", "2024-01-1é"]
        {
            assert!(parse_date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_and_timestamps_read_as_they_print() {
        for time in [0, 1, 999, 1_000_000, 43_200_123_456_789, DAY - 1] {
            assert_eq!(parse_time(&clock(time)).unwrap(), time);
        }
        for (nanoseconds, utc) in [(0, true), (-1, false), (i128::from(i64::MAX), true), (i128::from(i64::MIN), false)] {
            assert_eq!(parse_timestamp(&timestamp(nanoseconds, utc)).unwrap(), (nanoseconds, utc));
        }
        assert_eq!(parse_timestamp("1970-01-01 02:00:00+02:00").unwrap(), (0, true));
        assert_eq!(parse_timestamp("1969-12-31T22:30-0130").unwrap(), (0, true));
        assert_eq!(parse_timestamp("1970-01-02").unwrap(), (i128::from(DAY), false));
        for wrong in [
            "",
            "1970-01-01T",
            "1970-01-01 24:00:00",
            "1970-01-01 00:00:00 Paris",
            "1970-01-01 00:00:00+2",
            "1970-01-01 00:00:00.1234567890",
        ] {
            assert!(parse_timestamp(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "1:00", "12:60", "12:00:60", "12:00:00.", "12"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
