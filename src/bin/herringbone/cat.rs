//! `herringbone cat`: the rows of files.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_schema::Schema;
use clap::ValueEnum;
use herringbone::ErrorKind;
use herringbone::arrow::{Overflow, ParquetFile, ScanBuilder};
use herringbone::schema::{Leaf, TimeUnit};

use crate::failure::{Failure, Result, warn};
use crate::filter::Filter;
use crate::input::{Columns, expand, int96_leaves, leaves, open_for_streaming};
use crate::scan::FileScan;
use crate::sink::{Csv, Dialect, JsonLines, Sink, Table};

/// Prints rows of files, one file after the other
///
/// Bytes print as hexadecimal digits, instants in UTC, nested values as JSON. In tables nulls are NULL; on a terminal long
/// values are cut and columns that do not fit are left out. In CSV nulls are empty and empty texts are "", in a table of one column both.
#[derive(clap::Args)]
pub struct Args {
    /// Parquet files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub selection: Selection,
    /// How rows are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Compare the checksums of pages
    #[arg(long)]
    pub verify_crc: bool,
}

/// Which rows and columns.
#[derive(clap::Args)]
pub struct Selection {
    /// These columns only, in this order: names or dotted paths, separated by commas
    #[arg(long, value_name = "A,B.C")]
    pub columns: Option<Columns>,
    /// Pass over so many rows, counted over all files
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: u64,
    /// Print at most so many rows, counted over all files
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    #[command(flatten)]
    pub filter: Filter,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns
    #[default]
    Table,
    /// One JSON object a line
    Json,
    /// Comma-separated values with a header
    Csv,
}

/// Rows of a batch: enough to decode fast, few enough to come soon.
const BATCH_ROWS: usize = 8192;

/// So few rows are read on one thread: starting others takes longer, and memory.
const FEW_ROWS: u64 = 100_000;

/// Runs the command.
pub fn run(args: &Args) -> Result {
    let mut printer = Printer { format: args.format, width: terminal_width(), current: None };
    let (mut offset, mut limit) = (args.selection.offset, args.selection.limit);
    for (i, path) in expand(&args.files)?.iter().enumerate() {
        if i > 0 && limit == Some(0) {
            break;
        }
        let opened = open_for_streaming(path).and_then(|file| scan(path, &file, args, offset, limit).map(|scan| (file, scan)));
        let (file, mut scan) = match opened {
            Ok(opened) => opened,
            Err(failure) => {
                // The rows of the files before it are worth seeing.
                printer.finish()?;
                return Err(failure);
            }
        };
        let printed = printer.print(path, &mut scan)?;
        args.selection.filter.explain(path, &scan)?;
        // Behind a filter it is the rows that pass which count.
        let rows = match args.selection.filter.condition {
            None => file.metadata().num_rows(),
            Some(_) if printed > 0 => offset.saturating_add(printed),
            Some(_) if offset > 0 => scan.metrics().rows_passed,
            Some(_) => 0,
        };
        offset = offset.saturating_sub(rows);
        limit = limit.map(|limit| limit.saturating_sub(printed));
    }
    printer.finish()
}

fn scan(path: &Path, file: &ParquetFile, args: &Args, offset: u64, limit: Option<u64>) -> Result<FileScan> {
    let rows = file.metadata().num_rows();
    // Behind a filter nobody knows how many rows have to be looked at for those that are wanted.
    let looked_at = match args.selection.filter.is_there() {
        true => rows,
        false => limit.unwrap_or(u64::MAX).min(rows.saturating_sub(offset)),
    };
    let batch_rows = usize::try_from(looked_at).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS);
    let threads = if looked_at <= FEW_ROWS { 1 } else { 0 };
    let scan = file.scan().offset(offset).batch_rows(batch_rows).threads(threads).verify_crc(args.verify_crc);
    let mut scan = args.selection.filter.of_scan(scan);
    if let Some(limit) = limit {
        scan = scan.limit(limit);
    }
    if let Some(reason) = int96_beyond_nanoseconds(path, file, args, &scan) {
        warn(&format!("{reason}; microseconds are read now"));
        scan = scan.int96_unit(TimeUnit::Micros).int96_overflow(Overflow::Wrap);
    }
    if let Some(Columns(columns)) = &args.selection.columns {
        scan = scan.columns(columns);
    }
    Ok(FileScan::of(path, scan)?)
}

/// Why INT96 timestamps among the rows do not fit into nanoseconds, if they do not. Nothing can be printed before that is
/// known, so the columns are read once more than other ones.
fn int96_beyond_nanoseconds(path: &Path, file: &ParquetFile, args: &Args, scan: &ScanBuilder) -> Option<String> {
    // Of a name that is found only when rows are read, such as a path without a list's groups, it may be any.
    let find = |Columns(names): &Columns| names.iter().map(|name| leaves(file.metadata(), name).ok()).collect();
    let named: Option<Vec<Range<usize>>> = args.selection.columns.as_ref().and_then(find);
    let selected = |leaf: &Leaf| named.as_ref().is_none_or(|named| named.iter().any(|leaves| leaves.contains(&leaf.index)));
    let paths: Vec<&str> = int96_leaves(file).into_iter().filter(|leaf| selected(leaf)).map(|leaf| leaf.path.dotted()).collect();
    if paths.is_empty() {
        return None;
    }
    // Whatever else is wrong comes up again when the rows are read to be printed.
    let error = FileScan::of(path, scan.clone().columns(paths)).ok()?.find_map(Result::err)?;
    (error.kind() == ErrorKind::Usage).then(|| error.to_string())
}

/// The width of the terminal that is printed to, if it is one.
fn terminal_width() -> Option<usize> {
    let out = io::stdout();
    out.is_terminal().then(|| console::Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns)))
}

/// Prints the rows of one file after the other.
struct Printer {
    format: Format,
    width: Option<usize>,
    current: Option<Current>,
}

struct Current {
    sink: Box<dyn Sink>,
    schema: Schema,
}

impl Printer {
    /// Prints the rows of a scan, and says how many.
    fn print(&mut self, path: &Path, scan: &mut FileScan) -> Result<u64> {
        let schema = scan.schema();
        let mut rows = 0;
        let same = |current: &Current| names(&current.schema).eq(names(&schema));
        match (&self.current, self.format) {
            (Some(_), Format::Json) => {}
            (Some(current), _) if same(current) => {}
            (Some(_), Format::Csv) => {
                self.finish()?;
                return Err(Failure::File(format!(
                    "{} has other columns than the file before it: choose some with --columns",
                    path.display()
                )));
            }
            (Some(_), Format::Table) => {
                self.finish()?;
                writeln!(io::stdout())?;
                self.current = None;
            }
            (None, _) => {}
        }
        let current =
            self.current.get_or_insert_with(|| Current { sink: sink(self.format, &schema, self.width), schema: Schema::clone(&schema) });
        for batch in scan {
            match batch {
                Ok(batch) => {
                    current.sink.write(&batch)?;
                    rows += batch.num_rows() as u64;
                }
                Err(error) => {
                    // The rows before the damage are worth seeing.
                    current.sink.finish()?;
                    return Err(error.into());
                }
            }
        }
        Ok(rows)
    }

    fn finish(&mut self) -> Result {
        match &mut self.current {
            Some(current) => current.sink.finish(),
            None => Ok(()),
        }
    }
}

fn names(schema: &Schema) -> impl Iterator<Item = &str> {
    schema.fields().iter().map(|field| field.name().as_str())
}

fn sink(format: Format, schema: &Schema, width: Option<usize>) -> Box<dyn Sink> {
    let out = io::stdout().lock();
    match format {
        Format::Table => Box::new(Table::new(BufWriter::new(out), schema, width)),
        Format::Json => Box::new(JsonLines::new(out)),
        Format::Csv => Box::new(Csv::new(out, schema, Dialect::default())),
    }
}
