//! Arrow IPC files.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::cast;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};

use super::Sink;
use crate::failure::{Failure, Result};

/// Writes an Arrow IPC file ("Feather V2").
///
/// Columns of dictionaries become columns of their values: a file of this format has one dictionary for all batches,
/// while those of a Parquet file differ from row group to row group.
pub struct Ipc<W: Write> {
    writer: FileWriter<W>,
    schema: SchemaRef,
}

impl<W: Write> Ipc<W> {
    /// Begins a file of batches of this schema. `out` should be buffered.
    pub fn new(out: W, schema: &Schema) -> Result<Self> {
        let fields: Fields = schema.fields().iter().map(decoded).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        Ok(Self { writer: FileWriter::try_new(out, &schema).map_err(failure)?, schema })
    }

    fn write_decoded(&mut self, batch: &RecordBatch) -> Result {
        let decode = |(array, field): (&ArrayRef, &FieldRef)| match array.data_type() == field.data_type() {
            true => Ok(Arc::clone(array)),
            false => cast(array, field.data_type()),
        };
        let arrays: Result<Vec<ArrayRef>, ArrowError> = batch.columns().iter().zip(self.schema.fields()).map(decode).collect();
        match arrays {
            Ok(arrays) => {
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map_err(failure)?;
                self.writer.write(&batch).map_err(failure)
            }
            // The values of a dictionary, written out, can be too many bytes for one array.
            Err(_) if batch.num_rows() > 1 => {
                let half = batch.num_rows() / 2;
                self.write_decoded(&batch.slice(0, half))?;
                self.write_decoded(&batch.slice(half, batch.num_rows() - half))
            }
            Err(error) => Err(failure(error)),
        }
    }
}

impl<W: Write> Sink for Ipc<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result {
        self.write_decoded(batch)
    }

    fn finish(&mut self) -> Result {
        self.writer.finish().map_err(failure)
    }
}

/// The field without dictionaries.
fn decoded(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::List(item) => DataType::List(decoded(item)),
        DataType::LargeList(item) => DataType::LargeList(decoded(item)),
        DataType::ListView(item) => DataType::ListView(decoded(item)),
        DataType::LargeListView(item) => DataType::LargeListView(decoded(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(decoded(item), *size),
        DataType::Map(entries, sorted) => DataType::Map(decoded(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(decoded).collect()),
        _ => return Arc::clone(field),
    };
    if data_type == *field.data_type() { Arc::clone(field) } else { Arc::new(Field::clone(field).with_data_type(data_type)) }
}

fn failure(error: ArrowError) -> Failure {
    match error {
        ArrowError::IoError(message, error) if error.kind() == io::ErrorKind::Other => Failure::File(message),
        ArrowError::IoError(_, error) => error.into(),
        error => Failure::File(format!("cannot write the Arrow file: {error}")),
    }
}
