//! `herringbone merge`: several files as one.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::Schema;

use crate::copy::{Entry, copy, difference, entries};
use crate::encode::encode;
use crate::failure::{Failure, Result, warn};
use crate::feed::{self, Reading, common};
use crate::grid::thousands;
use crate::input::{expand, open_for_pages, open_for_streaming};
use crate::int96::Int96Args;
use crate::scan::FileScan;
use crate::target::{Target, say};
use crate::threads::Threads;
use crate::writer_args::{KeyValue, WriterArgs};

/// Puts the rows of Parquet files into one file, without decoding them
///
/// Row groups are copied as they are, with their page indexes and bloom filters, which needs files of one schema. With --decode
/// the rows are read and written anew, with the options for Parquet output: columns are found by name, a type is taken that holds
/// the values of all files, and what a file does not have is null.
#[derive(clap::Args)]
pub struct Args {
    /// The file to write, or - for standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Parquet files
    #[arg(required = true, value_name = "IN")]
    inputs: Vec<PathBuf>,
    /// Read the rows and write them anew
    #[arg(long)]
    decode: bool,
    /// Fail if OUT is there already
    #[arg(long)]
    no_overwrite: bool,
    /// How many threads read and write with --decode; 0 for one on each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    int96: Int96Args,
    #[command(flatten)]
    writer: WriterArgs,
}

/// Runs the command, and says what it did.
pub fn run(args: &Args) -> Result {
    let done = if args.decode { decoded(args)? } else { copied(args)? };
    say(&args.output, &done)
}

fn copied(args: &Args) -> Result<String> {
    if !args.writer.only_key_values() || args.int96.is_given() {
        let what =
            "row groups are copied as they are: leave out the options for Parquet output and INT96, or write the rows anew with --decode";
        return Err(Failure::Usage(what.to_owned()));
    }
    let inputs = expand(&args.inputs)?;
    let Some((first, others)) = inputs.split_first() else { return Err(Failure::Usage("no input is given".to_owned())) };
    let (_, metadata) = open_for_pages(first)?;
    let schema = Arc::clone(metadata.schema());
    let mut kept = entries(&metadata);
    for path in others {
        let (_, metadata) = open_for_pages(path)?;
        if let Some(difference) = difference(&schema, metadata.schema()) {
            return Err(Failure::File(other_schema(path, first, &difference)));
        }
        keep_equal(&mut kept, &entries(&metadata), path);
    }
    kept.retain(|(key, _)| args.writer.key_value.iter().all(|given| given.key != *key));
    kept.extend(args.writer.key_value.iter().map(|KeyValue { key, value }| (key.clone(), Some(value.clone()))));
    let target = Target::create(&args.output, !args.no_overwrite)?;
    Ok(copy(&inputs, schema, kept, target)?.to_string())
}

fn other_schema(path: &Path, first: &Path, difference: &str) -> String {
    let (path, first) = (path.display(), first.display());
    format!("{path} has another schema than {first}: {difference}; with --decode the rows are read and written anew, columns found by name")
}

/// Keeps of the application metadata what another file has as well.
fn keep_equal(kept: &mut Vec<Entry>, others: &[Entry], path: &Path) {
    let others: HashSet<&Entry> = others.iter().collect();
    kept.retain(|entry| {
        let is_equal = others.contains(entry);
        if !is_equal {
            warn(&format!("the metadata entry {:?} is left out: {} has it not, or another", entry.0, path.display()));
        }
        is_equal
    });
}

fn decoded(args: &Args) -> Result<String> {
    let reading = Reading { int96: args.int96.reading(), ..Reading::parquet(Threads::new(args.threads)?) };
    let rows = args.int96.with_room(&args.output, reading, |reading| {
        let reading = Reading { schema: Some(Arc::new(schema(args, reading)?)), ..reading.clone() };
        let feed = feed::open(&args.inputs, &reading)?;
        encode(feed, Target::create(&args.output, !args.no_overwrite)?, &args.writer, &reading.threads)
    })?;
    Ok(format!("decoded and encoded {} rows", thousands(rows)))
}

/// The columns that hold the values of all files.
fn schema(args: &Args, reading: &Reading) -> Result<Schema> {
    let mut schema: Option<Schema> = None;
    for path in &expand(&args.inputs)? {
        let scan = open_for_streaming(path)?.scan().int96_unit(reading.int96.unit).int96_overflow(reading.int96.overflow);
        let found = FileScan::of(path, scan)?.schema();
        let both = match &schema {
            None => Schema::clone(&found),
            Some(schema) => common(schema, &found).map_err(|difference| {
                let path = path.display();
                Failure::File(format!("{path} cannot be put together with the files before it: no type holds {difference}"))
            })?,
        };
        schema = Some(both);
    }
    schema.ok_or_else(|| Failure::Usage("no input is given".to_owned()))
}
