//! `herringbone verify`: what is wrong with files, and where.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use herringbone::ErrorKind;
use herringbone::read::Source;
use herringbone::verify::{Finding, Report, Severity, VerifyOptions, verify};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::grid::shown;
use crate::input::{expand, open_source};
use crate::limits::limits;
use crate::threads::Threads;
use crate::writer_args::Size;

/// Computes again all that files say about themselves, and reports what is wrong and where
#[derive(clap::Args)]
pub struct Args {
    /// Parquet files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// One JSON object a file and line
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing: the exit code says whether anything is wrong
    #[arg(long, short)]
    quiet: bool,
    /// Count warnings as errors, and what was not checked
    #[arg(long)]
    strict: bool,
    /// The most findings that are printed of a file
    #[arg(long, value_name = "N", default_value_t = 1000)]
    most: usize,
    /// How many column chunks are checked at once; 0 for one on each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// How many bytes of pages are read and decompressed of a file; by default 1,024 times its size, 4 GiB at least
    #[arg(long, value_name = "SIZE")]
    bytes: Option<Size>,
}

/// Runs the command. Files that cannot be read are named, and the others checked all the same.
pub fn run(args: &Args) -> Result {
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut wrong, mut failed) = (0, false);
    let threads = Threads::new(args.threads)?;
    let check = |source: &dyn Source| {
        let options =
            VerifyOptions { findings: args.most, bytes: args.bytes.map(|size| size.0), limits: limits(), ..VerifyOptions::default() };
        threads.run(|threads| verify(source, &VerifyOptions { threads, ..options }))
    };
    let files = expand(&args.files)?;
    for path in &files {
        let report = open_source(path).and_then(|source| {
            let size = source.size()?;
            source.expect(|| std::iter::once(0..size));
            check(&source)
        });
        match report {
            Ok(report) => {
                wrong += usize::from(report.errors > 0 || (args.strict && !(report.is_clean() && report.is_complete())));
                match (args.quiet, args.json) {
                    (true, _) => {}
                    (false, true) => writeln!(out, "{}", json_of(path, &report))?,
                    (false, false) => print(path, &report, &mut out)?,
                }
            }
            Err(error) => {
                out.flush()?;
                let error = error.in_file(path.display().to_string());
                if error.kind() == ErrorKind::Usage {
                    return Err(error.into());
                }
                Failure::from(error).report();
                failed = true;
            }
        }
    }
    out.flush()?;
    match (wrong, failed) {
        (0, false) => Ok(()),
        (0, true) => Err(Failure::Reported),
        _ if args.quiet => Err(Failure::Reported),
        (wrong, _) => {
            let or_unchecked = if args.strict { " or were not checked in full" } else { "" };
            Err(Failure::File(format!("{wrong} of {} files have something wrong{or_unchecked}", files.len())))
        }
    }
}

fn print(path: &Path, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let name = shown(&path.display().to_string());
    let walked = format!("{} row groups, {} pages, {} values", report.row_groups, report.pages, report.values);
    writeln!(out, "{name}: {} ({walked})", verdict(report))?;
    for finding in &report.findings {
        writeln!(out, "  {}", shown(&finding.to_string()))?;
    }
    match report.more {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

/// What came out, in a few words: never that nothing is wrong with what was not checked.
fn verdict(report: &Report) -> String {
    let wrong = match (report.errors, report.warnings) {
        (0, 0) => "nothing wrong".to_owned(),
        (errors, warnings) => format!("{errors} errors, {warnings} warnings"),
    };
    match (report.is_complete(), report.unchecked_chunks, report.column_chunks) {
        (true, ..) => wrong,
        // Of an encrypted footer, or one that is too large.
        (false, _, 0) if report.is_clean() => "not checked".to_owned(),
        (false, 0, _) => format!("not checked in full; {wrong} in the rest"),
        (false, unchecked, chunks) => format!("not checked in full: {unchecked} of {chunks} column chunks; {wrong} in the rest"),
    }
}

fn json_of(path: &Path, report: &Report) -> serde_json::Value {
    json!({
        "file": path.display().to_string(), "errors": report.errors, "warnings": report.warnings,
        "complete": report.is_complete(), "notes": report.notes,
        "row_groups": report.row_groups, "column_chunks": report.column_chunks, "unchecked_chunks": report.unchecked_chunks, "pages": report.pages, "values": report.values,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(), "more": report.more,
    })
}

fn finding(finding: &Finding) -> serde_json::Value {
    let place = &finding.place;
    json!({
        "severity": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "code": finding.code.name(), "about": finding.code.about(),
        "row_group": place.row_group, "column": place.column, "page": place.page, "offset": place.offset,
        "expected": finding.expected, "found": finding.found,
    })
}
