//! `herringbone count`: rows, from the metadata alone, or those that pass a filter.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::filter::Filter;
use crate::grid::shown;
use crate::input::{expand, open_for_pages, open_for_streaming};
use crate::scan::FileScan;
use crate::threads::Threads;

/// Prints the number of rows of each file, and in all, from the metadata alone; with --where of those that pass, for which no more is
/// read than it takes
#[derive(clap::Args)]
pub struct Args {
    /// Parquet files; of a single one the number alone is printed
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    filter: Filter,
    /// How many threads look at rows; 0 for one on each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

fn count(path: &Path, args: &Args, threads: &Threads) -> Result<u64> {
    if !args.filter.is_there() {
        let (_, metadata) = open_for_pages(path)?;
        metadata.check_has_data().map_err(|error| error.in_file(path.display().to_string()))?;
        return Ok(metadata.num_rows());
    }
    let file = open_for_streaming(path)?;
    let scan = threads.of_scan(args.filter.of_scan(file.scan()).columns(Vec::<String>::new()));
    let mut scan = FileScan::of(path, scan)?;
    let rows = match scan.is_exact() {
        true => scan.num_rows(),
        false => scan.by_ref().try_fold(0, |rows, batch| batch.map(|batch| rows + batch.num_rows() as u64))?,
    };
    args.filter.explain(path, &scan)?;
    Ok(rows)
}

/// Runs the command. Files that cannot be read are named on standard error and the others counted all the same.
pub fn run(args: &Args) -> Result {
    let (mut rows, mut failed) = (Vec::new(), false);
    let threads = Threads::new(args.threads)?;
    let files = expand(&args.files)?;
    for path in &files {
        match count(path, args, &threads) {
            Ok(count) => rows.push((count, shown(&path.display().to_string()))),
            Err(failure @ Failure::Usage(_)) => return Err(failure),
            Err(failure) => {
                failure.report();
                failed = true;
            }
        }
    }
    let mut out = io::stdout().lock();
    if let ([(rows, _)], [_]) = (rows.as_slice(), files.as_slice()) {
        writeln!(out, "{rows}")?;
    } else if files.len() > 1 {
        let total: u128 = rows.iter().map(|(rows, _)| u128::from(*rows)).sum();
        let width = total.to_string().len();
        for (rows, path) in rows {
            writeln!(out, "{rows:width$} {path}")?;
        }
        writeln!(out, "{total:width$} total")?;
    }
    if failed { Err(Failure::Reported) } else { Ok(out.flush()?) }
}
