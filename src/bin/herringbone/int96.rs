//! Timestamps that are stored as INT96, which reach further than nanoseconds in 64 bits.

use std::path::Path;

use clap::ValueEnum;
use herringbone::arrow::Overflow;
use herringbone::schema::TimeUnit;

use crate::failure::{Failure, Result, warn};
use crate::feed::{Int96, Reading};
use crate::target::begins_again;

/// How such timestamps are read.
#[derive(clap::Args)]
pub struct Int96Args {
    /// The unit of timestamps that are stored as INT96
    #[arg(long, value_enum, value_name = "UNIT", default_value_t)]
    int96_unit: UnitArg,
    /// What becomes of INT96 timestamps that the unit cannot hold; without this they wrap around in an Arrow file, as in other
    /// readers, and are read as microseconds for all else, with a warning in both cases
    #[arg(long, value_enum, value_name = "WHAT")]
    int96_overflow: Option<OverflowArg>,
}

/// Units of timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum UnitArg {
    /// Milliseconds
    Ms,
    /// Microseconds
    Us,
    /// Nanoseconds, which reach from 1677 to 2262
    #[default]
    Ns,
}

/// What becomes of values that do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OverflowArg {
    /// The conversion fails
    Error,
    /// They become null
    Null,
    /// They wrap around
    Wrap,
}

impl Int96Args {
    /// What is asked for.
    pub fn reading(&self) -> Int96 {
        let unit = match self.int96_unit {
            UnitArg::Ms => TimeUnit::Millis,
            UnitArg::Us => TimeUnit::Micros,
            UnitArg::Ns => TimeUnit::Nanos,
        };
        let overflow = match self.int96_overflow {
            None | Some(OverflowArg::Error) => Overflow::Error,
            Some(OverflowArg::Null) => Overflow::Null,
            Some(OverflowArg::Wrap) => Overflow::Wrap,
        };
        Int96 { unit, overflow }
    }

    /// Whether it was said what becomes of values that do not fit.
    pub fn decides(&self) -> bool {
        self.int96_overflow.is_some()
    }

    /// Whether anything was said.
    pub fn is_given(&self) -> bool {
        self.decides() || self.int96_unit != UnitArg::default()
    }

    /// Writes rows to OUT, and if timestamps do not fit and it was not said what becomes of them, does so again with microseconds.
    pub fn with_room<T>(&self, output: &Path, reading: Reading, mut write: impl FnMut(&Reading) -> Result<T>) -> Result<T> {
        match write(&reading) {
            Err(Failure::Usage(reason)) if !self.decides() && reason.contains("INT96") => {
                check_begins_again(output, &reason)?;
                warn(&format!("{reason}; microseconds are read now"));
                write(&Reading { int96: Int96 { unit: TimeUnit::Micros, overflow: Overflow::Wrap }, ..reading })
            }
            written => written,
        }
    }
}

/// Refuses to write rows again, after timestamps did not fit for this reason, where those that were written are gone.
pub fn check_begins_again(output: &Path, reason: &str) -> Result {
    if begins_again(output) {
        return Ok(());
    }
    let why = "what was written before cannot be taken back to read all as microseconds";
    Err(Failure::Usage(format!("{reason}; {why}: give --int96-unit us or --int96-overflow, or write to a file")))
}
