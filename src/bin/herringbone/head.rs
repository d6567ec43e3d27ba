//! `herringbone head`: the first rows of a file.

use std::path::PathBuf;

use crate::cat::{self, Format, Selection};
use crate::failure::Result;
use crate::filter::Filter;
use crate::input::Columns;

/// Prints the first rows of a file
#[derive(clap::Args)]
pub struct Args {
    /// A Parquet file
    file: PathBuf,
    /// How many rows
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    rows: u64,
    /// These columns only, in this order: names or dotted paths, separated by commas
    #[arg(long, value_name = "A,B.C")]
    columns: Option<Columns>,
    #[command(flatten)]
    filter: Filter,
    /// How rows are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub fn run(args: Args) -> Result {
    let selection = Selection { columns: args.columns, offset: 0, limit: Some(args.rows), filter: args.filter };
    cat::run(&cat::Args { files: vec![args.file], selection, format: args.format, verify_crc: false })
}
