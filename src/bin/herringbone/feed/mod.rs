//! Where record batches come from: Parquet, Arrow IPC, CSV and NDJSON files, or standard input.

mod arrow;
mod fit;
mod foreign;
mod source;
mod text;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_data::ArrayData;
use arrow_schema::{Schema, SchemaRef};
use herringbone::arrow::{Overflow, to_arrow_schema};
use herringbone::schema::TimeUnit;

use crate::failure::{Failure, Result};
use crate::filter::Filter;
use crate::format::Format;
use crate::input::{Columns, StringsArg, expand, open_for_streaming};
use crate::scan::FileScan;
use crate::threads::Threads;

pub use fit::common;
pub use source::Input;

/// Record batches of one schema, one after another.
pub struct Feed {
    /// Their schema.
    pub schema: SchemaRef,
    /// How many rows they have in all, if that is known.
    pub rows: Option<u64>,
    /// The batches; nothing follows an error.
    pub batches: Batches,
}

/// An iterator of record batches.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch>>>;

/// How inputs are read.
#[derive(Clone)]
pub struct Reading {
    /// The format, whatever names and first bytes say.
    pub from: Option<Format>,
    /// These columns only, in this order.
    pub columns: Option<Columns>,
    /// Which rows of Parquet files are read.
    pub filter: Filter,
    /// How columns of text and bytes are read from Parquet files, if not as they were written.
    pub strings: Option<StringsArg>,
    /// The most rows of a batch.
    pub batch_rows: usize,
    /// Where columns are decoded.
    pub threads: Threads,
    /// Whether checksums of pages are compared.
    pub verify_crc: bool,
    /// How INT96 timestamps are read.
    pub int96: Int96,
    /// The columns that the rows are to have.
    pub schema: Option<SchemaRef>,
    /// How rows are written in CSV.
    pub csv: Csv,
    /// From how many rows types are found out, where a file does not tell them; 0 for all.
    pub infer_rows: usize,
}

impl Reading {
    /// All of Parquet files, as it is.
    pub fn parquet(threads: Threads) -> Self {
        Self {
            from: Some(Format::Parquet),
            columns: None,
            filter: Filter::default(),
            strings: None,
            batch_rows: 65_536,
            threads,
            verify_crc: false,
            int96: Int96 { unit: TimeUnit::Nanos, overflow: Overflow::Error },
            schema: None,
            csv: Csv { delimiter: None, header: true },
            infer_rows: 0,
        }
    }
}

/// How INT96 timestamps are read.
#[derive(Clone, Copy)]
pub struct Int96 {
    /// Their unit.
    pub unit: TimeUnit,
    /// What becomes of those that do not fit.
    pub overflow: Overflow,
}

/// How rows are written in CSV.
#[derive(Clone, Copy)]
pub struct Csv {
    /// What stands between values; `None` for a comma, or a tab in files whose names end in `.tsv`.
    pub delimiter: Option<u8>,
    /// Whether the first line has the columns' names.
    pub header: bool,
}

/// Opens inputs of one schema, that of the first unless another is asked for. Those that can be opened twice are looked at
/// before a row of any is read.
pub fn open(paths: &[PathBuf], reading: &Reading) -> Result<Feed> {
    let paths = expand(paths)?;
    let mut inputs = paths.iter().map(|path| Input::new(path));
    let Some(first) = inputs.next() else { return Err(Failure::Usage("no input is given".to_owned())) };
    let mut others: VecDeque<Input> = inputs.collect();
    let Feed { schema, mut rows, batches } = open_one(&first, reading, None)?;
    for input in &others {
        let found = if input.opens_again() { open_one(input, reading, Some((&first, &schema)))?.rows } else { None };
        rows = rows.zip(found).map(|(rows, found)| rows + found);
    }
    let (reading, expected) = (reading.clone(), Arc::clone(&schema));
    let mut current = Some(batches);
    let batches = std::iter::from_fn(move || {
        loop {
            match current.as_mut()?.next() {
                Some(Ok(batch)) => return Some(Ok(batch)),
                Some(Err(error)) => {
                    current = None;
                    return Some(Err(error));
                }
                None => match open_one(&others.pop_front()?, &reading, Some((&first, &expected))) {
                    Ok(feed) => current = Some(feed.batches),
                    Err(error) => {
                        current = None;
                        return Some(Err(error));
                    }
                },
            }
        }
    });
    Ok(Feed { schema, rows, batches: Box::new(batches) })
}

/// Opens an input, which must have the columns of the one before if there is one.
fn open_one(input: &Input, reading: &Reading, before: Option<(&Input, &SchemaRef)>) -> Result<Feed> {
    let (format, bytes) = input.open(reading.from)?;
    // What text holds is for the reader to say.
    let wanted = reading.schema.as_ref().or(before.map(|(_, schema)| schema));
    if reading.filter.is_there() && format != Format::Parquet {
        return Err(Failure::Usage(format!("--where is for Parquet files, and {} is none: convert it first", input.name())));
    }
    let feed = match format {
        Format::Parquet => parquet(input, reading)?,
        Format::Arrow => arrow::feed(input, bytes)?,
        Format::Csv => text::csv(input, bytes, reading, wanted)?,
        Format::Ndjson => text::json(input, bytes, reading, wanted)?,
    };
    let feed = match (&reading.schema, format) {
        (Some(schema), Format::Parquet | Format::Arrow) => fit::fit(input, feed, schema)?,
        _ => feed,
    };
    let feed = match &reading.columns {
        // Those of a Parquet file were chosen by the scan.
        Some(columns) if format != Format::Parquet || reading.schema.is_some() => chosen(feed, columns)?,
        _ => feed,
    };
    match before.and_then(|(first, schema)| Some((first, fit::difference(schema, &feed.schema)?))) {
        None => Ok(feed),
        Some((first, difference)) => Err(Failure::File(format!(
            "{} has other columns than {}: {difference}; say with --schema what the rows are to have",
            input.name(),
            first.name()
        ))),
    }
}

fn parquet(input: &Input, reading: &Reading) -> Result<Feed> {
    let path = input.path().ok_or_else(|| {
        Failure::Usage(
            "a Parquet file is read from its end, which standard input does not have: give the file's path instead of -".to_owned(),
        )
    })?;
    let file = open_for_streaming(path)?;
    let mut scan = file.scan().batch_rows(reading.batch_rows).verify_crc(reading.verify_crc);
    if let Some(strings) = reading.strings {
        scan = scan.strings(strings.into());
    }
    scan = reading.threads.of_scan(scan).int96_unit(reading.int96.unit).int96_overflow(reading.int96.overflow);
    match (&reading.schema, &reading.columns) {
        (None, Some(Columns(columns))) => scan = scan.columns(columns),
        // What the schema does not name is not read.
        (Some(schema), _) => {
            let found = file.arrow_schema()?;
            let places = fit::by_name(found.fields());
            let both = schema.fields().iter().filter(|field| places.contains_key(field.name().as_str()));
            let both: Vec<&str> = both.map(|field| field.name().as_str()).collect();
            scan = if both.is_empty() { scan } else { scan.columns(both) };
        }
        (None, None) => {}
    }
    let mut scan = FileScan::of(path, reading.filter.of_scan(scan))?;
    let (schema, rows) = (scan.schema(), scan.is_exact().then(|| scan.num_rows()));
    let (filter, path) = (reading.filter.clone(), path.to_owned());
    let mut explained = false;
    let batches = std::iter::from_fn(move || match scan.next() {
        Some(batch) => Some(batch.map_err(Failure::from)),
        None if std::mem::replace(&mut explained, true) => None,
        None => filter.explain(&path, &scan).err().map(Err),
    });
    Ok(Feed { schema, rows, batches: Box::new(batches) })
}

/// These columns of a feed only.
fn chosen(feed: Feed, Columns(columns): &Columns) -> Result<Feed> {
    let Feed { schema, rows, batches } = feed;
    let find = |name: &String| {
        let found = schema.column_with_name(name).map(|(index, _)| index);
        found.ok_or_else(|| Failure::Usage(format!("there is no column {name:?}; the input has {}", names(&schema))))
    };
    let indices: Vec<usize> = columns.iter().map(find).collect::<Result<_>>()?;
    let failure = |error| Failure::File(format!("cannot choose columns: {error}"));
    let schema = Arc::new(schema.project(&indices).map_err(failure)?);
    let batches = batches.map(move |batch| batch?.project(&indices).map_err(failure));
    Ok(Feed { schema, rows, batches: Box::new(batches) })
}

/// The names of a schema's columns.
fn names(schema: &Schema) -> String {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names.join(", ")
}

/// The columns that a Parquet schema as text describes, given on the command line or as the path of a file that holds it.
pub fn schema(text: &str) -> Result<SchemaRef> {
    let is_text = text.trim_start().starts_with("message") && text.contains('{');
    let read = match is_text {
        true => Ok(text.to_owned()),
        false => std::fs::read_to_string(text).map_err(|error| {
            let how = "a schema is the path of a file or text such as 'message m { required int64 id; optional binary name (STRING); }'";
            Failure::Usage(format!("cannot read the schema {text}: {error}; {how}"))
        }),
    };
    let parsed = read?.parse::<herringbone::schema::Schema>().map_err(|error| Failure::Usage(format!("the schema: {error}")))?;
    Ok(to_arrow_schema(&parsed)?)
}

/// Bytes of memory that a batch keeps, about.
pub fn memory(batch: &RecordBatch) -> u64 {
    fn bytes(data: &ArrayData) -> u64 {
        let buffers = data.buffers().iter().map(|buffer| buffer.len() as u64);
        let nulls = data.nulls().map_or(0, |nulls| nulls.len() as u64 / 8);
        buffers.sum::<u64>() + nulls + data.child_data().iter().map(bytes).sum::<u64>()
    }
    batch.columns().iter().map(|array| bytes(&array.to_data())).sum()
}

/// Whether a Parquet file has timestamps that may not fit the unit that they are read in.
pub fn has_int96(input: &Input, reading: &Reading) -> bool {
    let is_parquet = input.opens_again() && matches!(input.open(reading.from), Ok((Format::Parquet, _)));
    let file = input.path().filter(|_| is_parquet).and_then(|path| open_for_streaming(path).ok());
    file.is_some_and(|file| !crate::input::int96_leaves(&file).is_empty())
}
