//! Counts the instructions of a fixed set of reads with callgrind and compares them with the record in the repository.
//!
//! Unlike times, counts hardly differ from run to run, so that a few percent can be seen on any machine. They are not times: valgrind shows
//! programs a CPU without AVX-512, and knows nothing of caches and branches that were guessed wrong. What is read is made by the official
//! crate, whose version is fixed by `Cargo.lock`, and read on one thread.
#![forbid(unsafe_code)]

mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use benches::{Result, make};
use clap::Parser;
use herringbone::arrow::ParquetFile;

use crate::record::{Counts, Record, Tolerance};

/// Compares instructions of reading with the record: exits with 1 if a read takes more of them than it may
#[derive(Parser)]
struct Args {
    /// The record
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.tsv"))]
    record: PathBuf,
    /// Where the files are made
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/files/instructions"))]
    files: PathBuf,
    /// Write the record anew instead of comparing
    #[arg(long)]
    update: bool,
    /// Only reads whose name contains this
    #[arg(long, conflicts_with = "update")]
    only: Option<String>,
    /// Read the file once and print its rows: what runs under valgrind
    #[arg(long, hide = true, num_args = 1..)]
    read: Option<Vec<String>>,
}

/// A read: a name, the file, and the columns if not all.
struct Read {
    name: String,
    path: PathBuf,
    columns: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    if let Some([path, columns @ ..]) = args.read.as_deref() {
        println!("{}", counted(Path::new(path), columns)?);
        return Ok(true);
    }
    let valgrind = version("valgrind").map_err(|error| format!("valgrind is missing, which counts: apt-get install valgrind ({error})"))?;
    let compiler = version(&std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into()))?;
    let here = Record { compiler, target: std::env::consts::ARCH.to_owned(), valgrind, counts: count_all(args)? };
    if args.update {
        here.save(&args.record)?;
        println!("recorded {} reads in {}", here.counts.len(), args.record.display());
        return Ok(true);
    }
    let mut before = Record::load(&args.record)?;
    if let Some(only) = &args.only {
        before.counts.retain(|name, _| name.contains(only));
    }
    compare(&before, &here)
}

/// What is counted: everything that this function calls, and nothing else.
#[inline(never)]
fn counted(path: &Path, columns: &[String]) -> Result<usize> {
    let file = ParquetFile::open(path)?;
    let mut scan = file.scan().threads(1);
    if !columns.is_empty() {
        scan = scan.columns(columns);
    }
    Ok(scan.build()?.read_all()?.iter().map(arrow_array::RecordBatch::num_rows).sum())
}

fn reads(args: &Args) -> Result<Vec<Read>> {
    std::fs::create_dir_all(&args.files)?;
    let wanted = |name: &str| args.only.as_ref().is_none_or(|only| name.contains(only));
    let mut reads = Vec::new();
    for name in make::names().into_iter().filter(|name| wanted(name) && !name.starts_with("wide")) {
        // 80,000 rows or fewer: enough for several pages, and a second under valgrind.
        reads.push(Read { name: name.to_owned(), path: make::file(&args.files, name, 0.01)?, columns: Vec::new() });
    }
    let one = vec!["column_00500".to_owned()];
    // Of 5 row groups the metadata of all chunks is walked over, of 20 most is compared with what came before.
    for (name, row_groups, columns) in
        [("wide_open_one_column", 5, one.clone()), ("wide_open_one_column_of_20_row_groups", 20, one), ("wide_all_columns", 5, Vec::new())]
    {
        if wanted(name) {
            reads.push(Read { name: name.to_owned(), path: make::wide(&args.files, 1000, row_groups, 100)?, columns });
        }
    }
    Ok(reads)
}

fn count_all(args: &Args) -> Result<Counts> {
    let mut counts = BTreeMap::new();
    for read in reads(args)? {
        counts.insert(read.name.clone(), count(&read).map_err(|error| format!("{}: {error}", read.name))?);
    }
    Ok(counts)
}

/// Runs one read under callgrind.
fn count(read: &Read) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*instructions*counted*"])
        .arg(std::env::current_exe()?)
        .arg("--read")
        .arg(&read.path)
        .args(&read.columns)
        .env_remove("RUST_BACKTRACE")
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(log.into());
    }
    let line = log.lines().find_map(|line| line.split_once("Collected :")).ok_or("valgrind printed no count")?;
    match line.1.trim().parse()? {
        0 => Err("valgrind saw no instructions: is the program stripped of its symbols?".into()),
        count => Ok(count),
    }
}

/// The first line that a program prints of its version.
fn version(program: &str) -> Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    Ok(String::from_utf8(output.stdout)?.lines().next().unwrap_or_default().to_owned())
}

/// Prints all counts beside those of the record, and says whether they are within the tolerance.
fn compare(before: &Record, here: &Record) -> Result<bool> {
    let tolerance = Tolerance::between(before, here)?;
    if let Some(difference) = &tolerance.difference {
        println!("{difference}; so {} % more are allowed", tolerance.percent);
    }
    println!("{:<24} {:>14} {:>14} {:>8}", "read", "record", "now", "change");
    let mut faults = Vec::new();
    for (name, &now) in &here.counts {
        let Some(&then) = before.counts.get(name) else {
            faults.push(format!("{name} is not in the record"));
            continue;
        };
        let change = (now as f64 / then as f64 - 1.0) * 100.0;
        println!("{name:<24} {then:>14} {now:>14} {change:>+7.2}%");
        if change > tolerance.percent {
            faults.push(format!("{name} takes {change:.1} % more instructions than recorded"));
        }
    }
    faults.extend(before.counts.keys().filter(|name| !here.counts.contains_key(*name)).map(|name| format!("{name} was not read")));
    if !faults.is_empty() {
        eprintln!("{}\nIf that is on purpose, record it: .ci/run instructions --update", faults.join("\n"));
    }
    Ok(faults.is_empty())
}
