//! Dates and times by ISO 8601, for every value that the Arrow types can hold: calendars of libraries end too early.

use std::io::Write as _;

use arrow_schema::TimeUnit;

const SECONDS_OF_DAY: i64 = 86_400;

/// The date so many days after 1970-01-01, in the proleptic Gregorian calendar; years outside 0 to 9999 have a sign.
pub fn date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    // Writing to memory does not fail, here and below.
    let _ = match year {
        0..=9999 => write!(out, "{year:04}-{month:02}-{day:02}"),
        _ => write!(out, "{year:+05}-{month:02}-{day:02}"),
    };
}

/// A `Date64`, with the time of day if it is not midnight, as it should be.
pub fn date_of_milliseconds(milliseconds: i64, out: &mut Vec<u8>) {
    const MILLISECONDS_OF_DAY: i64 = SECONDS_OF_DAY * 1000;
    match milliseconds.rem_euclid(MILLISECONDS_OF_DAY) {
        0 => date(milliseconds.div_euclid(MILLISECONDS_OF_DAY), out),
        _ => timestamp(milliseconds, TimeUnit::Millisecond, false, out),
    }
}

/// A time of day; what is none prints as the hours that it would be.
pub fn of_day(value: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    let per_second = per_second(unit);
    if value < 0 {
        out.push(b'-');
    }
    let value = value.unsigned_abs();
    clock(value / per_second, value % per_second, unit, out);
}

/// A timestamp; an `instant` is in UTC.
pub fn timestamp(value: i64, unit: TimeUnit, instant: bool, out: &mut Vec<u8>) {
    let per_second = per_second(unit);
    let seconds = value.div_euclid(per_second.cast_signed());
    let parts = value.rem_euclid(per_second.cast_signed()).cast_unsigned();
    date(seconds.div_euclid(SECONDS_OF_DAY), out);
    out.push(b'T');
    clock(seconds.rem_euclid(SECONDS_OF_DAY).cast_unsigned(), parts, unit, out);
    if instant {
        out.push(b'Z');
    }
}

/// A duration of months, days and parts of time that do not add up to one another.
pub fn duration(months: i32, days: i32, parts: i64, unit: TimeUnit, out: &mut Vec<u8>) {
    out.push(b'P');
    if months != 0 {
        let _ = write!(out, "{months}M");
    }
    if days != 0 {
        let _ = write!(out, "{days}D");
    }
    if parts != 0 || months == 0 && days == 0 {
        let per_second = per_second(unit);
        let sign = if parts < 0 { "-" } else { "" };
        let _ = write!(out, "T{sign}{}", parts.unsigned_abs() / per_second);
        fraction(parts.unsigned_abs() % per_second, unit, out);
        out.push(b'S');
    }
}

fn clock(seconds: u64, parts: u64, unit: TimeUnit, out: &mut Vec<u8>) {
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    fraction(parts, unit, out);
}

/// The part of a second in three, six or nine digits, as many as it needs; nothing where there is none.
fn fraction(parts: u64, unit: TimeUnit, out: &mut Vec<u8>) {
    let nanoseconds = parts * (1_000_000_000 / per_second(unit));
    let _ = match nanoseconds {
        0 => Ok(()),
        n if n % 1_000_000 == 0 => write!(out, ".{:03}", n / 1_000_000),
        n if n % 1_000 == 0 => write!(out, ".{:06}", n / 1_000),
        n => write!(out, ".{n:09}"),
    };
}

fn per_second(unit: TimeUnit) -> u64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Year, month and day. Years begin in March, so that the leap day is the last one: 400 of them are an era, and no day
/// has an exception.
fn civil(days: i64) -> (i128, u8, u8) {
    let days = i128::from(days) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    (year, month as u8, day_of_month as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_day_follows_the_day_before() {
        // Counted by hand from a known day, over leap years of all kinds.
        let lengths = |year: i128| {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        };
        let (mut year, mut month, mut day) = (1583_i128, 1_u8, 1_u8);
        for days in -141_349..200_000 {
            assert_eq!(civil(days), (year, month, day), "day {days}");
            day += 1;
            if day > lengths(year)[usize::from(month) - 1] {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }

    #[test]
    fn dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "+10000-01-01"),
            (i64::from(i32::MAX), "+5881580-07-11"),
            (i64::from(i32::MIN), "-5877641-06-23"),
        ] {
            assert_eq!(text(|out| date(days, out)), expected);
        }
        assert_eq!(text(|out| date_of_milliseconds(86_400_000, out)), "1970-01-02");
        assert_eq!(text(|out| date_of_milliseconds(86_400_001, out)), "1970-01-02T00:00:00.001");
        assert_eq!(text(|out| date_of_milliseconds(-1, out)), "1969-12-31T23:59:59.999");
    }

    #[test]
    fn timestamps() {
        for (value, unit, instant, expected) in [
            (0, TimeUnit::Second, false, "1970-01-01T00:00:00"),
            (0, TimeUnit::Nanosecond, true, "1970-01-01T00:00:00Z"),
            (-1, TimeUnit::Nanosecond, true, "1969-12-31T23:59:59.999999999Z"),
            (1_500, TimeUnit::Millisecond, false, "1970-01-01T00:00:01.500"),
            (1_000_001, TimeUnit::Microsecond, false, "1970-01-01T00:00:01.000001"),
            (i64::MAX, TimeUnit::Nanosecond, false, "2262-04-11T23:47:16.854775807"),
            (i64::MIN, TimeUnit::Nanosecond, false, "1677-09-21T00:12:43.145224192"),
            (i64::MAX, TimeUnit::Second, false, "+292277026596-12-04T15:30:07"),
            (i64::MIN, TimeUnit::Second, false, "-292277022657-01-27T08:29:52"),
        ] {
            assert_eq!(text(|out| timestamp(value, unit, instant, out)), expected);
        }
    }

    #[test]
    fn times_of_day_and_what_is_none() {
        for (value, unit, expected) in [
            (0, TimeUnit::Millisecond, "00:00:00"),
            (86_399_999, TimeUnit::Millisecond, "23:59:59.999"),
            (86_400, TimeUnit::Second, "24:00:00"),
            (-1_500_000, TimeUnit::Microsecond, "-00:00:01.500"),
            (i64::MIN, TimeUnit::Nanosecond, "-2562047:47:16.854775808"),
        ] {
            assert_eq!(text(|out| of_day(value, unit, out)), expected);
        }
    }

    #[test]
    fn durations() {
        for (months, days, parts, unit, expected) in [
            (0, 0, 0, TimeUnit::Second, "PT0S"),
            (14, -3, 0, TimeUnit::Second, "P14M-3D"),
            (0, 0, -1_500, TimeUnit::Millisecond, "PT-1.500S"),
            (1, 2, 3, TimeUnit::Nanosecond, "P1M2DT0.000000003S"),
            (i32::MIN, i32::MIN, i64::MIN, TimeUnit::Second, "P-2147483648M-2147483648DT-9223372036854775808S"),
        ] {
            assert_eq!(text(|out| duration(months, days, parts, unit, out)), expected);
        }
    }
}
