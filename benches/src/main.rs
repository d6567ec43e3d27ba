//! `benches`: Herringbone, the official crate and Polars in one run on the same files, in tables with ratios.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use benches::Result;
use benches::compare::Comparison;
use benches::filters::Lineitems;
use benches::report::Section;
use benches::{engines, memory};
use clap::{Parser, ValueEnum};

/// System allocators take most of the time of getting large buffers on some platforms. All engines have the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Compares Herringbone with the official crate and Polars: best times of each, and how many times ours is as fast as the best peer
///
/// Files are made where they are missing. Pin it to as many cores as there are threads: taskset -c 0 benches.
#[derive(Parser)]
struct Args {
    /// What is compared; everything if nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// Only files whose name contains one of these
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How many rows the files have: 1 for up to 8,000,000, 0.1 for a tenth
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// How often each engine does each thing; the best counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Threads of reading
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Where the files are made, in a folder for each scale
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/files"))]
    files: PathBuf,
    /// The file that is asked as lineitem, in place of one that is made; without --sorted it is the only one
    #[arg(long, value_name = "FILE")]
    lineitem: Option<PathBuf>,
    /// The file that is asked as lineitem sorted by l_shipdate; without --lineitem it is the only one
    #[arg(long, value_name = "FILE")]
    sorted: Option<PathBuf>,
    /// Print tables as Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum What {
    /// Whole files into Arrow arrays
    Reading,
    /// Opening wide files and reading columns of them
    Metadata,
    /// Questions to lineitem: few rows, nearly all, a count, rows by their numbers
    Filters,
    /// Arrow arrays to files in memory
    Writing,
    /// Peak memory of reading
    Memory,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if !(args.scale > 0.0 && args.scale <= 10.0 && (1..=64).contains(&args.threads)) {
        return Err("the scale goes to 10 and threads from 1 to 64".into());
    }
    let files = args.files.join(format!("scale_{}", args.scale));
    std::fs::create_dir_all(&files)?;
    let wanted = |what| args.what.is_empty() || args.what.contains(&what);
    keep_memory();
    let comparison =
        Comparison { engines: engines::all(), files, scale: args.scale, runs: args.runs, threads: args.threads, only: args.only.clone() };
    let mut sections = Vec::new();
    if wanted(What::Reading) {
        sections.push(comparison.reading()?);
    }
    if wanted(What::Metadata) {
        sections.push(comparison.metadata()?);
    }
    if wanted(What::Filters) {
        let given = Lineitems { generated: args.lineitem.clone(), sorted: args.sorted.clone() };
        sections.push(comparison.filters(&given)?);
    }
    if wanted(What::Writing) {
        sections.push(comparison.writing()?);
    }
    if wanted(What::Memory) {
        sections.push(memory::section(&comparison.files, args.scale)?);
    }
    print(args, &sections)
}

fn print(args: &Args, sections: &[Section]) -> Result<()> {
    if args.json {
        let sections: Vec<_> = sections.iter().map(Section::json).collect();
        println!("{}", serde_json::to_string_pretty(&sections)?);
        return Ok(());
    }
    for section in sections {
        println!("{}", if args.markdown { section.markdown() } else { section.text() });
    }
    Ok(())
}

/// Starts the program anew with an allocator that keeps what is given back to it, as in a process that lives long: else each run pays for pages
/// that the run before returned to the system. The allocator reads the setting when the process starts.
fn keep_memory() {
    if std::env::var_os(memory::KEEP).is_some() {
        return;
    }
    #[cfg(unix)]
    if let Ok(program) = std::env::current_exe() {
        use std::os::unix::process::CommandExt;
        // It returns only if it fails, and then this process measures as it is.
        let _ = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(memory::KEEP, "-1").exec();
    }
}
