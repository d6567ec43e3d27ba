//! `herringbone convert`: files in another format.

use std::io::{BufWriter, IsTerminal};
use std::path::PathBuf;

use herringbone::arrow::Overflow;
use herringbone::schema::TimeUnit;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::encode::check_before_sorting;
use crate::failure::{Failure, Result, warn};
use crate::feed::{self, Feed, Input, Reading};
use crate::filter::Filter;
use crate::format::Format;
use crate::input::{Columns, StringsArg};
use crate::int96::{Int96Args, check_begins_again};
use crate::sink::{Csv, Dialect, Ipc, JsonLines, Null, Parquet, Sink};
use crate::sort::sorted;
use crate::target::Target;
use crate::threads::Threads;
use crate::writer_args::WriterArgs;

/// Converts Parquet, Arrow IPC, CSV and NDJSON files to one another
///
/// The ending of OUT says to what: .parquet; .arrow, .feather or .ipc; .ndjson, .jsonl or .json; .csv. Several inputs have the
/// same columns, and their rows follow one another. OUT appears when it is whole and not before; a file that is there already is
/// replaced. In an Arrow file, columns of dictionaries become columns of their values.
#[derive(clap::Args)]
pub struct Args {
    /// Files, or - for standard input; their endings or their first bytes say what they are
    #[arg(required = true, value_name = "IN")]
    inputs: Vec<PathBuf>,
    /// The file to write, or - for standard output, which needs --to
    #[arg(required = true, value_name = "OUT")]
    output: PathBuf,
    /// The format of OUT, whatever its ending is
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Option<Format>,
    /// Fail if OUT is there already
    #[arg(long)]
    no_overwrite: bool,
    /// How nulls are written to CSV, nothing if not given; a text that reads the same is in quotes. With nothing, a null and an empty
    /// text are the same in a table of one column
    #[arg(long, value_name = "TEXT")]
    null: Option<Null>,
    /// What stands between values in CSV that is written, a comma if not given; in a file called .tsv it is a tab
    #[arg(long, value_name = "CHARACTER")]
    to_delimiter: Option<Delimiter>,
    /// How many threads read and write; 0 for one on each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    writer: WriterArgs,
}

/// How inputs are read.
#[derive(clap::Args)]
#[command(next_help_heading = "Input")]
struct InputArgs {
    /// The format of the inputs, whatever they look like
    #[arg(long, value_enum, value_name = "FORMAT")]
    from: Option<Format>,
    /// These columns only, in this order: names or, in Parquet files, dotted paths, separated by commas
    #[arg(long, value_name = "A,B.C")]
    columns: Option<Columns>,
    #[command(flatten)]
    filter: Filter,
    /// The columns that the rows are to have, as text ('message m { required int64 id; optional binary name (STRING); }') or the
    /// path of a file that holds it, such as `herringbone schema` prints; found by name, converted where types differ
    #[arg(long, value_name = "TEXT|FILE")]
    schema: Option<String>,
    /// From how many rows of CSV and NDJSON files types are found out; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    infer_rows: usize,
    /// What stands between values in CSV that is read, a comma if not given; in files called .tsv it is a tab
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<Delimiter>,
    /// CSV files begin with a row, not with names
    #[arg(long)]
    no_header: bool,
    /// How columns of text and bytes are read from Parquet files; if not given, as the file's own Arrow schema says
    #[arg(long, value_enum)]
    strings: Option<StringsArg>,
    /// The most rows of a batch
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..))]
    batch_rows: u32,
    /// Compare the checksums of pages
    #[arg(long)]
    verify_crc: bool,
    #[command(flatten)]
    int96: Int96Args,
}

/// A byte between values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Delimiter(u8);

impl std::str::FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            b"\\t" => Ok(Self(b'\t')),
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Self(*byte)),
            _ => Err("give one ASCII character, or \\t for a tab".to_owned()),
        }
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result {
    let format = args.to.or_else(|| Format::of_ending(&args.output)).ok_or_else(|| {
        let path = args.output.display();
        Failure::Usage(format!("the ending of {path} says nothing about its format: use .parquet, .arrow, .ndjson or .csv, or --to"))
    })?;
    if format != Format::Parquet {
        args.writer.refuse_unless_default("OUT is no Parquet file: end it in .parquet, or leave them out")?;
    }
    if format != Format::Csv && args.null.is_some() {
        return Err(Failure::Usage("--null is for CSV: in other formats a null is a null".to_owned()));
    }
    if format != Format::Csv && args.to_delimiter.is_some() {
        return Err(Failure::Usage("--to-delimiter is for CSV, and OUT is none".to_owned()));
    }
    check_csv_options(args)?;
    dialect(args).check()?;
    let mut reading = reading(args)?;
    let Some(reason) = write(args, format, &reading)? else { return Ok(()) };
    check_begins_again(&args.output, &reason)?;
    let so = match format {
        // Other readers wrap without a word; a file that they read is read, but not without one.
        Format::Arrow => "such values wrap around now, as with --int96-overflow wrap",
        // What is written has units enough.
        Format::Parquet | Format::Ndjson | Format::Csv => {
            reading.int96.unit = TimeUnit::Micros;
            "microseconds are read now"
        }
    };
    reading.int96.overflow = Overflow::Wrap;
    warn(&format!("{reason}; {so}"));
    write(args, format, &reading).map(drop)
}

/// Refuses options of CSV that is read where none is.
fn check_csv_options(args: &Args) -> Result {
    let input = &args.input;
    if input.delimiter.is_none() && !input.no_header {
        return Ok(());
    }
    let format = |path: &PathBuf| input.from.or_else(|| Format::of_ending(path));
    match args.inputs.iter().all(|path| format(path).is_some_and(|format| format != Format::Csv)) {
        true => Err(Failure::Usage(
            "--delimiter and --no-header are for CSV that is read, and no input is CSV: for OUT there is --to-delimiter".to_owned(),
        )),
        false => Ok(()),
    }
}

/// How CSV is written.
fn dialect(args: &Args) -> Dialect {
    let delimiter = args.to_delimiter.map_or_else(|| Format::delimiter_of(&args.output), |Delimiter(byte)| byte);
    Dialect { delimiter, null: args.null.clone().unwrap_or_default() }
}

fn reading(args: &Args) -> Result<Reading> {
    let input = &args.input;
    Ok(Reading {
        from: input.from,
        columns: input.columns.clone(),
        filter: input.filter.clone(),
        strings: input.strings,
        batch_rows: input.batch_rows as usize,
        threads: Threads::new(args.threads)?,
        verify_crc: input.verify_crc,
        int96: input.int96.reading(),
        schema: input.schema.as_deref().map(feed::schema).transpose()?,
        csv: feed::Csv { delimiter: input.delimiter.map(|Delimiter(byte)| byte), header: !input.no_header },
        infer_rows: input.infer_rows,
    })
}

/// Writes OUT. If INT96 timestamps do not fit and it was not said what to do, nothing is written and the reason returned.
fn write(args: &Args, format: Format, reading: &Reading) -> Result<Option<String>> {
    let mut feed = feed::open(&args.inputs, reading)?;
    let may_go_another_way = !args.input.int96.decides() && matches!(reading.int96.overflow, Overflow::Error) && {
        let inputs: Vec<Input> = args.inputs.iter().map(|path| Input::new(path)).collect();
        inputs.iter().all(Input::opens_again) && inputs.iter().any(|input| feed::has_int96(input, reading))
    };
    check_before_sorting(&feed, &args.writer, &reading.threads)?;
    // What is wrong with OUT comes up before all rows are sorted.
    let mut target = Target::create(&args.output, !args.no_overwrite)?;
    if let Some(sorting) = &args.writer.sort_by {
        feed = match sorted(feed, sorting, args.writer.sort_memory()) {
            Err(Failure::Usage(reason)) if may_go_another_way => return Ok(Some(reason)),
            sorted => sorted?,
        };
    }
    let mut sink = sink(format, &mut target, &feed, args, reading)?;
    let progress = progress(feed.rows);
    for batch in feed.batches {
        let batch = match batch {
            Err(Failure::Usage(reason)) if may_go_another_way => return Ok(Some(reason)),
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

fn sink<'a>(format: Format, target: &'a mut Target, feed: &Feed, args: &Args, reading: &Reading) -> Result<Box<dyn Sink + 'a>> {
    Ok(match format {
        Format::Parquet => {
            let threads = &reading.threads;
            Box::new(Parquet::new(target, &feed.schema, args.writer.options(threads)?, threads)?)
        }
        Format::Arrow => Box::new(Ipc::new(BufWriter::with_capacity(1 << 20, target), &feed.schema)?),
        Format::Ndjson => Box::new(JsonLines::new(target)),
        Format::Csv => Box::new(Csv::new(target, &feed.schema, dialect(args))),
    })
}

/// A bar on standard error, if that is a terminal.
fn progress(rows: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(rows, ProgressDrawTarget::stderr());
    // The templates are constants that are tested.
    if let Ok(style) = ProgressStyle::with_template(if rows.is_some() { BAR } else { COUNT }) {
        bar.set_style(style);
    }
    bar
}

const BAR: &str = "{wide_bar} {human_pos} of {human_len} rows, {eta} left";
const COUNT: &str = "{spinner} {human_pos} rows";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_bar_has_its_style() {
        assert!(ProgressStyle::with_template(BAR).is_ok() && ProgressStyle::with_template(COUNT).is_ok());
    }

    #[test]
    fn delimiters_are_one_byte() {
        for (text, byte) in [(";", b';'), ("\\t", b'\t'), ("\t", b'\t'), ("|", b'|')] {
            assert_eq!(text.parse(), Ok(Delimiter(byte)));
        }
        for text in ["", ";;", "ä", "\"", "\n"] {
            assert!(text.parse::<Delimiter>().is_err(), "{text:?}");
        }
    }
}
