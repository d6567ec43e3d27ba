//! CSV and NDJSON, whose columns are found out from the first rows unless somebody says them.

use std::io::{BufReader, Read};
use std::sync::Arc;

use arrow_csv::reader::Format as CsvFormat;
use arrow_json::reader::infer_json_schema;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};

use super::foreign::{batches, guarded};
use super::source::{Bytes, Input, Recorder};
use super::{Feed, Reading, names};
use crate::failure::{Failure, Result};
use crate::format::Format;

/// The rows of a CSV file, with the columns wanted if some are.
pub fn csv(input: &Input, bytes: Bytes, reading: &Reading, wanted: Option<&SchemaRef>) -> Result<Feed> {
    let delimiter = reading.csv.delimiter.unwrap_or_else(|| input.path().map_or(b',', Format::delimiter_of));
    let format = CsvFormat::default().with_header(reading.csv.header).with_delimiter(delimiter);
    // Of a file whose columns are known, only their names are looked at.
    let rows = if wanted.is_some() { Some(0) } else { most(reading, &bytes) };
    let infer = |bytes: &mut dyn Read| format.infer_schema(bytes, rows).map(|(schema, _)| schema);
    let (found, bytes) = look(input, bytes, infer)?;
    let (schema, order) = match wanted {
        None => (Arc::new(without_null_types(&found)), None),
        Some(wanted) => {
            let (schema, order) = in_file(input, &found, wanted, reading.csv.header)?;
            (schema, Some(order))
        }
    };
    let mut builder = arrow_csv::ReaderBuilder::new(schema).with_format(format).with_batch_size(reading.batch_rows);
    if let Some(order) = &order {
        let mut columns = order.clone();
        columns.sort_unstable();
        builder = builder.with_projection(columns);
    }
    let reader = builder.build_buffered(BufReader::with_capacity(1 << 20, bytes)).map_err(|error| refused(input, &error))?;
    let read = reader.schema();
    let batches = batches(input, reader, refused);
    let feed = Feed { schema: read, rows: None, batches };
    match (wanted, order) {
        (Some(wanted), Some(_)) => {
            let columns = wanted.fields().iter().map(|field| field.name().clone()).collect();
            super::chosen(feed, &crate::input::Columns(columns))
        }
        _ => Ok(feed),
    }
}

/// The rows of an NDJSON file, with the columns wanted if some are.
pub fn json(input: &Input, bytes: Bytes, reading: &Reading, wanted: Option<&SchemaRef>) -> Result<Feed> {
    let (schema, bytes, is_sure) = match wanted {
        Some(wanted) => (Arc::clone(wanted), stream(bytes), reading.schema.is_some() || reading.columns.is_some()),
        None => {
            let rows = most(reading, &bytes);
            let infer = |bytes: &mut dyn Read| infer_json_schema(BufReader::new(bytes), rows).map(|(schema, _)| schema);
            let (schema, bytes) = look(input, bytes, infer)?;
            (Arc::new(without_null_types(&schema)), bytes, rows.is_none())
        }
    };
    // Else names that come only later would be passed over in silence.
    let builder = arrow_json::ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(reading.batch_rows).with_strict_mode(!is_sure);
    let reader = builder.build(BufReader::with_capacity(1 << 20, bytes)).map_err(|error| refused(input, &error))?;
    Ok(Feed { schema, rows: None, batches: batches(input, reader, refused) })
}

/// How many rows are looked at; `None` for all.
fn most(reading: &Reading, bytes: &Bytes) -> Option<usize> {
    match (reading.infer_rows, bytes) {
        (0, Bytes::File(_)) => None,
        (0, Bytes::Stream(_)) => Some(usize::MAX),
        (rows, _) => Some(rows),
    }
}

/// Looks at the beginning of an input, and gives it back as if that had not been.
fn look(input: &Input, bytes: Bytes, look: impl FnOnce(&mut dyn Read) -> Result<Schema, ArrowError>) -> Result<(Schema, Box<dyn Read>)> {
    match bytes {
        Bytes::File(mut file) => {
            let seen = guarded(input, || look(&mut file))?.map_err(|error| refused(input, &error))?;
            std::io::Seek::rewind(&mut file).map_err(|error| input.failure(error))?;
            Ok((seen, Box::new(file)))
        }
        Bytes::Stream(stream) => {
            let mut recorder = Recorder::new(stream);
            let seen = guarded(input, || look(&mut recorder))?.map_err(|error| refused(input, &error))?;
            Ok((seen, recorder.replayed()))
        }
    }
}

fn stream(bytes: Bytes) -> Box<dyn Read> {
    match bytes {
        Bytes::File(file) => Box::new(file),
        Bytes::Stream(stream) => stream,
    }
}

/// The columns of a CSV file with the types wanted, and which of them are read for the columns wanted.
fn in_file(input: &Input, found: &Schema, wanted: &SchemaRef, header: bool) -> Result<(SchemaRef, Vec<usize>)> {
    if !header {
        // Without names, columns are told by their place.
        return match found.fields().len() == wanted.fields().len() {
            true => Ok((Arc::clone(wanted), (0..wanted.fields().len()).collect())),
            false => Err(Failure::File(format!(
                "{} has {} columns, but {} are wanted",
                input.name(),
                found.fields().len(),
                wanted.fields().len()
            ))),
        };
    }
    let mut fields: Vec<FieldRef> = found.fields().iter().map(|field| Arc::new(Field::new(field.name(), DataType::Utf8, true))).collect();
    let mut order = Vec::new();
    for field in wanted.fields() {
        let place = fields.iter().position(|other| other.name() == field.name());
        let place =
            place.ok_or_else(|| Failure::File(format!("{} has no column {:?}: it has {}", input.name(), field.name(), names(found))))?;
        fields.splice(place..=place, [Arc::clone(field)]);
        order.push(place);
    }
    Ok((Arc::new(Schema::new(fields)), order))
}

/// Columns of nothing but nulls may turn out to be anything, and anything can be text.
fn without_null_types(schema: &Schema) -> Schema {
    fn known(field: &FieldRef) -> FieldRef {
        let data_type = match field.data_type() {
            DataType::Null => DataType::Utf8,
            DataType::List(item) => DataType::List(known(item)),
            DataType::Struct(fields) => DataType::Struct(fields.iter().map(known).collect()),
            other => other.clone(),
        };
        Arc::new(Field::clone(field).with_data_type(data_type))
    }
    Schema::new(schema.fields().iter().map(known).collect::<Fields>())
}

/// An error of a reader of text, with what can be done about it.
fn refused(input: &Input, error: &ArrowError) -> Failure {
    let advice = match error {
        ArrowError::JsonError(message) if message.contains("found Array") => "; it has to have one object a line, not an array around them",
        ArrowError::JsonError(message) if message.contains("Not valid JSON") => "",
        ArrowError::IoError(..) | ArrowError::CsvError(_) => "",
        _ => "; if types were found out wrongly, give them with --schema, or have more rows looked at with --infer-rows",
    };
    Failure::File(format!("cannot read {}: {error}{advice}", input.name()))
}
