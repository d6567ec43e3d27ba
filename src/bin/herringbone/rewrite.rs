//! `herringbone rewrite`: a file with other columns, metadata or options.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_schema::Schema;
use herringbone::FileMetadata;
use herringbone::arrow::{ParquetFile, stored_schema_entry};
use herringbone::write::without_other_columns;

use crate::copy::{Entry, copy, entries};
use crate::encode::encode;
use crate::failure::Result;
use crate::feed::{self, Reading};
use crate::grid::thousands;
use crate::input::{Columns, leaves, open_for_pages, open_for_streaming};
use crate::int96::Int96Args;
use crate::limits::limits;
use crate::target::{Target, say};
use crate::threads::Threads;
use crate::writer_args::{KeyValue, WriterArgs};

/// Writes a Parquet file anew: with some of its columns, other metadata, other options
///
/// Without options for Parquet output or INT96, apart from --key-value, column chunks are copied as they are. With some, all rows are read
/// and written anew, by these options and the writer's own choices. OUT may be IN.
#[derive(clap::Args)]
pub struct Args {
    /// A Parquet file
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write, or - for standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// These columns only: names or dotted paths, separated by commas; when they are copied they keep the order of the file
    #[arg(long, value_name = "A,B.C")]
    columns: Option<Columns>,
    /// Leave out entries of application metadata with these keys; may be repeated
    #[arg(long, value_name = "KEY")]
    drop_key_value: Vec<String>,
    /// Fail if OUT is there already
    #[arg(long)]
    no_overwrite: bool,
    /// How many threads read and write; 0 for one on each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    int96: Int96Args,
    #[command(flatten)]
    writer: WriterArgs,
}

/// Runs the command, and says what it did.
pub fn run(args: &Args) -> Result {
    let done = if args.writer.only_key_values() && !args.int96.is_given() { copied(args)? } else { encoded(args)? };
    say(&args.output, &done)
}

fn copied(args: &Args) -> Result<String> {
    let (source, metadata) = open_for_pages(&args.input)?;
    metadata.check_has_data().map_err(|error| error.in_file(args.input.display().to_string()))?;
    let mut kept = entries(&metadata);
    let mut schema = Arc::clone(metadata.schema());
    let paths = args.columns.as_ref().map(|columns| paths(&metadata, columns)).transpose()?;
    if let Some(paths) = &paths {
        schema = Arc::new(without_other_columns(&schema, paths.iter().map(String::as_str))?);
    }
    if paths.is_some() || !args.drop_key_value.is_empty() {
        restore_arrow_schema(&mut kept, ParquetFile::from_metadata(source, metadata, limits()), paths, &args.drop_key_value)?;
    }
    kept.retain(|(key, _)| !args.drop_key_value.contains(key) && args.writer.key_value.iter().all(|given| given.key != *key));
    kept.extend(args.writer.key_value.iter().map(|KeyValue { key, value }| (key.clone(), Some(value.clone()))));
    let target = Target::create(&args.output, !args.no_overwrite)?;
    Ok(copy(std::slice::from_ref(&args.input), schema, kept, target)?.to_string())
}

/// The paths of all leaf columns that are wanted, in the order of the file.
fn paths(metadata: &FileMetadata, Columns(columns): &Columns) -> Result<Vec<String>> {
    let mut wanted: Vec<usize> = Vec::new();
    for name in columns {
        wanted.extend(leaves(metadata, name)?);
    }
    wanted.sort_unstable();
    wanted.dedup();
    let all = metadata.schema().leaves();
    Ok(wanted.into_iter().filter_map(|leaf| all.get(leaf)).map(|leaf| leaf.path.dotted().to_owned()).collect())
}

/// Has the stored Arrow schema, if there is one, describe the columns that are left, without the entries that are left out.
fn restore_arrow_schema(kept: &mut [Entry], file: ParquetFile, paths: Option<Vec<String>>, dropped: &[String]) -> Result {
    let schema = match paths {
        Some(paths) => file.scan().columns(paths).build()?.schema(),
        None => file.arrow_schema()?,
    };
    let (stored, value) = stored_schema_entry(&without(&schema, dropped));
    for entry in kept.iter_mut().filter(|(key, _)| *key == stored) {
        entry.1 = Some(value.clone());
    }
    Ok(())
}

/// The schema without these entries of its metadata, which readers would find among those of the file.
fn without(schema: &Schema, dropped: &[String]) -> Schema {
    let mut metadata = schema.metadata().clone();
    metadata.retain(|key, _| !dropped.contains(key));
    Schema::new_with_metadata(schema.fields().clone(), metadata)
}

fn encoded(args: &Args) -> Result<String> {
    // Opened here so that what is no Parquet file is refused, whatever it is called.
    drop(open_for_streaming(&args.input)?);
    let reading = Reading::parquet(Threads::new(args.threads)?);
    let reading = Reading { columns: args.columns.clone(), int96: args.int96.reading(), ..reading };
    let mut writer = args.writer.clone();
    writer.no_arrow_schema |= args.drop_key_value.contains(&stored_schema_entry(&Schema::empty()).0);
    let rows = args.int96.with_room(&args.output, reading, |reading| {
        let mut feed = feed::open(std::slice::from_ref(&args.input), reading)?;
        feed.schema = Arc::new(without(&feed.schema, &args.drop_key_value));
        encode(feed, Target::create(&args.output, !args.no_overwrite)?, &writer, &reading.threads)
    })?;
    Ok(format!("decoded and encoded {} rows", thousands(rows)))
}
