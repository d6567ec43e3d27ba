//! `herringbone bench`: how long reading and writing take.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use herringbone::arrow::{ParquetFile, ScanBuilder};

use crate::bench_columns;
use crate::bench_write::{self, Written};
use crate::failure::{Failure, Result};
use crate::filter::Condition;
use crate::grid::{Align, Grid, thousands};
use crate::input::{Columns, StringsArg};
use crate::limits::limits;
use crate::remote::is_address;
use crate::writer_args::WriterArgs;

/// Times reading whole files into Arrow: all batches of a file are held at once, and the best run counts
///
/// With --write, the batches are read once, and writing them to memory is timed, with the options for Parquet output.
#[derive(clap::Args)]
pub struct Args {
    /// Parquet files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// How often each file is read, or written
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// How many threads read and write; 0 for one on each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// The most rows of a batch
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = parse_batch_rows)]
    batch_rows: usize,
    /// How columns of text and bytes are read; if not given, as the file's own Arrow schema says
    #[arg(long, value_enum)]
    strings: Option<StringsArg>,
    /// These columns only: names or dotted paths, separated by commas
    #[arg(long, value_name = "A,B.C")]
    pub columns: Option<Columns>,
    /// Time writing instead of reading
    #[arg(long)]
    write: bool,
    /// The rows only for which a condition in SQL is true, such as "price > 5 AND day >= DATE '2024-02-29'"
    #[arg(long = "where", value_name = "CONDITION", conflicts_with_all = ["write", "by_column"])]
    filter: Option<Condition>,
    /// Print FILE, a tab and the milliseconds of the best run, with --write a tab and the bytes written, and nothing else
    #[arg(long)]
    tsv: bool,
    /// Show where the time goes: for each column its bytes and the time to decompress and to decode its pages, on one thread
    #[arg(long, conflicts_with_all = ["tsv", "threads", "strings", "write", "batch_rows"])]
    by_column: bool,
    #[command(flatten)]
    pub writer: WriterArgs,
}

impl Args {
    /// A scan of what is asked for.
    pub fn of_scan(&self, scan: ScanBuilder) -> ScanBuilder {
        let mut scan = scan.batch_rows(self.batch_rows);
        if let Some(strings) = self.strings {
            scan = scan.strings(strings.into());
        }
        match &self.columns {
            Some(Columns(columns)) => scan.columns(columns),
            None => scan,
        }
    }
}

fn parse_batch_rows(text: &str) -> std::result::Result<usize, String> {
    text.parse().ok().filter(|rows| *rows > 0).ok_or_else(|| "a number of rows from 1 on is wanted".to_owned())
}

/// What was measured of a file.
struct Measured {
    best: Duration,
    rows: u64,
    /// Bytes of the file.
    file: u64,
    /// Bytes of the arrays in memory.
    arrays: u64,
}

/// Runs the command. Files that cannot be read are named on standard error and the others timed all the same.
pub fn run(args: &Args) -> Result {
    if !args.write {
        args.writer.refuse_unless_default("nothing is written: add --write, or leave them out")?;
    }
    keep_memory();
    let mut out = io::stdout().lock();
    let mut rows = Vec::new();
    let mut failed = false;
    for path in &crate::input::expand(&args.files)? {
        if is_address(path) && !args.by_column {
            return Err(Failure::Usage(format!("{} is an address: what is timed are files of this machine", path.display())));
        }
        let done = match (args.by_column, args.write) {
            (true, _) => bench_columns::run(path, args, &mut out),
            (false, true) => bench_write::measure(path, args)
                .and_then(|written| print(args, written.line(path), || written.row(path), &mut rows, &mut out)),
            (false, false) => measure(path, args).and_then(|measured| {
                let line = format!("{}\t{:.2}", path.display(), milliseconds(measured.best));
                print(args, line, || row(path, &measured), &mut rows, &mut out)
            }),
        };
        match done {
            Ok(()) => {}
            Err(Failure::File(message)) => {
                Failure::File(message).report();
                failed = true;
            }
            Err(failure) => return Err(failure),
        }
    }
    if args.write && !rows.is_empty() {
        Grid::new(Written::COLUMNS).print(&rows, &mut out)?;
    } else if !rows.is_empty() {
        let right = ["rows", "file bytes", "Arrow bytes", "best ms", "rows/s", "file MB/s"].map(|name| (name, Align::Right));
        Grid::new([("file", Align::Left)].into_iter().chain(right)).print(&rows, &mut out)?;
    }
    if failed { Err(Failure::Reported) } else { Ok(out.flush()?) }
}

/// Prints a line at once, or keeps a row for the table at the end.
fn print(args: &Args, line: String, row: impl FnOnce() -> Vec<String>, rows: &mut Vec<Vec<String>>, out: &mut dyn Write) -> Result {
    if !args.tsv {
        rows.push(row());
        return Ok(());
    }
    Ok(writeln!(out, "{line}").and_then(|()| out.flush())?)
}

/// Starts the program anew with an allocator that keeps what is given back to it, as in a process that lives long: else each
/// run pays for pages that the run before returned to the system. The allocator reads the setting when the process starts.
fn keep_memory() {
    const SETTING: &str = "MIMALLOC_PURGE_DELAY";
    if std::env::var_os(SETTING).is_some() {
        return;
    }
    #[cfg(unix)]
    if let Ok(program) = std::env::current_exe() {
        use std::os::unix::process::CommandExt;
        // It returns only if it fails, and then this process measures as it is.
        let _ = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(SETTING, "-1").exec();
    }
}

fn measure(path: &Path, args: &Args) -> Result<Measured> {
    let mut measured = Measured { best: Duration::MAX, rows: 0, file: 0, arrays: 0 };
    // Threads live as long as a program, here as elsewhere.
    let pool = match args.threads {
        0 | 1 => None,
        many => Some(Arc::new(rayon::ThreadPoolBuilder::new().num_threads(many).build().map_err(std::io::Error::other)?)),
    };
    for _ in 0..args.runs {
        let start = Instant::now();
        let file = ParquetFile::open_with(path, limits())?;
        let mut scan = args.of_scan(file.scan().threads(args.threads));
        if let Some(pool) = &pool {
            scan = scan.pool(Arc::clone(pool));
        }
        if let Some(Condition(condition)) = &args.filter {
            scan = scan.filter(condition.clone());
        }
        let batches = scan.build()?.read_all()?;
        // Batches are given back outside of the time, as those of other readers are.
        measured.best = measured.best.min(start.elapsed());
        measured.rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        measured.arrays = batches.iter().map(RecordBatch::get_array_memory_size).fold(0, |sum, size| sum + size as u64);
        measured.file = file.metadata().file_size();
    }
    Ok(measured)
}

fn row(path: &Path, measured: &Measured) -> Vec<String> {
    let per_second = |n: u64| n as f64 / measured.best.as_secs_f64().max(1e-9);
    vec![
        path.display().to_string(),
        thousands(measured.rows),
        thousands(measured.file),
        thousands(measured.arrays),
        format!("{:.2}", milliseconds(measured.best)),
        thousands(per_second(measured.rows) as u64),
        format!("{:.1}", per_second(measured.file) / 1e6),
    ]
}

/// A duration as people compare them.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
