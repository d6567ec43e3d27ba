//! `herringbone count`: rows, from the metadata alone.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::failure::{Failure, Result};
use crate::grid::shown;
use crate::input::open_for_pages;

/// Prints the number of rows of each file, and in all, from the metadata alone
#[derive(clap::Args)]
pub struct Args {
    /// Parquet files; of a single one the number alone is printed
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Runs the command. Files that cannot be read are named on standard error and the others counted all the same.
pub fn run(args: &Args) -> Result {
    let (mut rows, mut failed) = (Vec::new(), false);
    for path in &args.files {
        match open_for_pages(path) {
            Ok((_, metadata)) => rows.push((metadata.num_rows(), shown(&path.display().to_string()))),
            Err(failure) => {
                failure.report();
                failed = true;
            }
        }
    }
    let mut out = io::stdout().lock();
    if let ([(rows, _)], [_]) = (rows.as_slice(), args.files.as_slice()) {
        writeln!(out, "{rows}")?;
    } else if args.files.len() > 1 {
        let total: u128 = rows.iter().map(|(rows, _)| u128::from(*rows)).sum();
        let width = total.to_string().len();
        for (rows, path) in rows {
            writeln!(out, "{rows:width$} {path}")?;
        }
        writeln!(out, "{total:width$} total")?;
    }
    if failed { Err(Failure::Reported) } else { Ok(out.flush()?) }
}
