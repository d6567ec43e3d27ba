//! The `herringbone` command: looks into Parquet files, prints and converts them.
//!
//! Exit code 0 when all went well, 1 for a file that cannot be read or written, 2 for a command line that asks for what
//! cannot be. It ends quietly when the reader of its output does.
#![forbid(unsafe_code)]

mod bench;
mod bench_columns;
mod bench_write;
mod bloom;
mod cat;
mod cells;
mod convert;
mod copy;
mod count;
mod encode;
mod failure;
mod feed;
mod filter;
mod format;
mod grid;
mod head;
mod index;
mod input;
mod int96;
mod limits;
mod literal;
mod merge;
mod meta;
mod meta_json;
mod pages;
#[cfg(feature = "object_store")]
mod read_ahead;
mod remote;
mod rewrite;
mod rowgroups;
mod scan;
mod schema;
mod sink;
mod sort;
mod sorting;
mod target;
mod threads;
mod verify;
mod writer_args;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Result;

/// System allocators take most of the time of freeing and getting large buffers on some platforms.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Looks into Parquet files, prints and converts them.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How many requests are under way at once for files that are read by addresses such as s3://bucket/file
    #[arg(long, global = true, value_name = "N", default_value_t = remote::REQUESTS, value_parser = parse_requests)]
    requests: usize,
    /// What reading may take, for files that need more or machines that have less: page=1GiB,memory=8GiB; also footer, batch, metadata and depth
    #[arg(long, global = true, value_name = "NAME=SIZE", value_delimiter = ',')]
    limits: Vec<limits::Limit>,
}

#[derive(Subcommand)]
enum Command {
    Schema(schema::Args),
    Meta(meta::Args),
    Pages(pages::Args),
    Rowgroups(rowgroups::Args),
    Bloom(bloom::Args),
    Verify(verify::Args),
    Count(count::Args),
    Head(head::Args),
    Cat(cat::Args),
    Convert(Box<convert::Args>),
    Merge(Box<merge::Args>),
    Rewrite(Box<rewrite::Args>),
    Bench(Box<bench::Args>),
}

impl Command {
    fn run(self) -> Result {
        match self {
            Command::Schema(args) => schema::run(&args),
            Command::Meta(args) => meta::run(&args),
            Command::Pages(args) => pages::run(&args),
            Command::Rowgroups(args) => rowgroups::run(&args),
            Command::Bloom(args) => bloom::run(&args),
            Command::Verify(args) => verify::run(&args),
            Command::Count(args) => count::run(&args),
            Command::Head(args) => head::run(args),
            Command::Cat(args) => cat::run(&args),
            Command::Convert(args) => convert::run(&args),
            Command::Merge(args) => merge::run(&args),
            Command::Rewrite(args) => rewrite::run(&args),
            Command::Bench(args) => bench::run(&args),
        }
    }
}

fn parse_requests(text: &str) -> std::result::Result<usize, String> {
    text.parse().ok().filter(|requests| (1..=1024).contains(requests)).ok_or_else(|| "a number from 1 to 1024 is wanted".to_owned())
}

fn main() -> ExitCode {
    let Cli { command, requests, limits } = Cli::parse();
    remote::limit_requests(requests);
    limits::give(limits);
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit_code()
        }
    }
}
