//! `herringbone convert`: a file in another format.

use std::io::{BufWriter, IsTerminal};
use std::path::{Path, PathBuf};

use arrow_schema::Schema;
use clap::ValueEnum;
use herringbone::ErrorKind;
use herringbone::arrow::{Overflow, ParquetFile, Scan};
use herringbone::schema::TimeUnit;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::{Failure, Result, warn};
use crate::input::{Columns, StringsArg, int96_leaves, open_for_streaming};
use crate::sink::{Csv, Ipc, JsonLines, Sink};
use crate::target::Target;

/// Converts a Parquet file to an Arrow IPC file, NDJSON or CSV
///
/// The ending of OUT says to what: .arrow, .feather or .ipc; .ndjson, .jsonl or .json; .csv. OUT appears when it is whole and
/// not before; a file that is there already is replaced. In an Arrow file, columns of dictionaries become columns of their
/// values.
#[derive(clap::Args)]
pub struct Args {
    /// A Parquet file
    input: PathBuf,
    /// The file to write
    output: PathBuf,
    /// The format of OUT, whatever its ending is
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Option<Format>,
    /// These columns only, in this order: names or dotted paths, separated by commas
    #[arg(long, value_name = "A,B.C")]
    columns: Option<Columns>,
    /// How columns of text and bytes are stored in an Arrow file, where the file's own Arrow schema does not say
    #[arg(long, value_enum, default_value_t)]
    strings: StringsArg,
    /// The most rows of a batch
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..))]
    batch_rows: u32,
    /// How many threads read; 0 for one on each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Compare the checksums of pages
    #[arg(long)]
    verify_crc: bool,
    /// The unit of timestamps that are stored as INT96
    #[arg(long, value_enum, value_name = "UNIT", default_value_t)]
    int96_unit: UnitArg,
    /// What becomes of INT96 timestamps that the unit cannot hold; without this they wrap around in an Arrow file, as in other
    /// readers, and are read as microseconds for text, with a warning in both cases
    #[arg(long, value_enum, value_name = "WHAT")]
    int96_overflow: Option<OverflowArg>,
    /// Fail if OUT is there already
    #[arg(long)]
    no_overwrite: bool,
}

/// What a file can be converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An Arrow IPC file
    Arrow,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
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

impl From<OverflowArg> for Overflow {
    fn from(overflow: OverflowArg) -> Self {
        match overflow {
            OverflowArg::Error => Overflow::Error,
            OverflowArg::Null => Overflow::Null,
            OverflowArg::Wrap => Overflow::Wrap,
        }
    }
}

/// How INT96 timestamps are read.
#[derive(Clone, Copy)]
struct Int96 {
    unit: TimeUnit,
    overflow: Overflow,
}

/// Runs the command.
pub fn run(args: &Args) -> Result {
    let format = args.to.map_or_else(|| format_of(&args.output), Ok)?;
    let unit = match args.int96_unit {
        UnitArg::Ms => TimeUnit::Millis,
        UnitArg::Us => TimeUnit::Micros,
        UnitArg::Ns => TimeUnit::Nanos,
    };
    let asked = Int96 { unit, overflow: args.int96_overflow.map_or(Overflow::Error, Overflow::from) };
    let Some(reason) = write(args, format, asked)? else { return Ok(()) };
    let (other, so) = match format {
        // Other readers wrap without a word; a file that they read is read, but not without one.
        Format::Arrow => (Int96 { overflow: Overflow::Wrap, ..asked }, "such values wrap around now, as with --int96-overflow wrap"),
        // Text has no unit.
        Format::Ndjson | Format::Csv => (Int96 { unit: TimeUnit::Micros, overflow: Overflow::Wrap }, "microseconds are read now"),
    };
    warn(&format!("{reason}; {so}"));
    write(args, format, other).map(drop)
}

/// Writes OUT. If INT96 timestamps do not fit and it was not said what to do, nothing is written and the reason returned.
fn write(args: &Args, format: Format, int96: Int96) -> Result<Option<String>> {
    let file = open_for_streaming(&args.input)?;
    let scan = scan(&file, args, int96)?;
    let may_go_another_way = args.int96_overflow.is_none() && int96.overflow == Overflow::Error && !int96_leaves(&file).is_empty();
    let mut target = Target::create(&args.output, !args.no_overwrite)?;
    let mut sink = sink(format, &mut target, &scan.schema())?;
    let progress = progress(scan.num_rows());
    for batch in scan {
        let batch = match batch {
            Err(error) if may_go_another_way && error.kind() == ErrorKind::Usage => return Ok(Some(error.to_string())),
            batch => batch?,
        };
        sink.write(&batch)?;
        progress.inc(batch.num_rows() as u64);
    }
    sink.finish()?;
    drop(sink);
    progress.finish_and_clear();
    target.finish()?;
    Ok(None)
}

fn scan(file: &ParquetFile, args: &Args, int96: Int96) -> Result<Scan> {
    let mut scan = file.scan().batch_rows(args.batch_rows as usize).strings(args.strings.into());
    scan = scan.threads(args.threads).verify_crc(args.verify_crc).int96_unit(int96.unit).int96_overflow(int96.overflow);
    if let Some(Columns(columns)) = &args.columns {
        scan = scan.columns(columns);
    }
    Ok(scan.build()?)
}

/// The format that the ending of a file's name stands for.
fn format_of(path: &Path) -> Result<Format> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("arrow" | "feather" | "ipc") => Ok(Format::Arrow),
        Some("ndjson" | "jsonl" | "json") => Ok(Format::Ndjson),
        Some("csv") => Ok(Format::Csv),
        _ => Err(Failure::Usage(format!(
            "the ending of {} says nothing about its format: use .arrow, .ndjson or .csv, or --to",
            path.display()
        ))),
    }
}

fn sink<'a>(format: Format, target: &'a mut Target, schema: &Schema) -> Result<Box<dyn Sink + 'a>> {
    Ok(match format {
        Format::Arrow => Box::new(Ipc::new(BufWriter::with_capacity(1 << 20, target), schema)?),
        Format::Ndjson => Box::new(JsonLines::new(target)),
        Format::Csv => Box::new(Csv::new(target, schema)),
    })
}

/// A bar on standard error, if that is a terminal.
fn progress(rows: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(rows), ProgressDrawTarget::stderr());
    // The template is a constant that is tested.
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    bar
}

const TEMPLATE: &str = "{wide_bar} {human_pos} of {human_len} rows, {eta} left";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_bar_has_its_style() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn endings() {
        for (name, format) in [("a.arrow", Format::Arrow), ("a.b.CSV", Format::Csv), ("x/y.jsonl", Format::Ndjson)] {
            assert_eq!(format_of(Path::new(name)).unwrap(), format);
        }
        for name in ["arrow", "a.parquet", "a.", ".csv"] {
            assert!(matches!(format_of(Path::new(name)), Err(Failure::Usage(_))), "{name}");
        }
    }
}
