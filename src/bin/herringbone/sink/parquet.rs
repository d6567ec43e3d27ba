//! Parquet files.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use herringbone::arrow::ArrowWriter;
use herringbone::write::WriterOptions;
use herringbone::{Error, ErrorKind};

use super::Sink;
use crate::failure::{Failure, Result};
use crate::threads::Threads;

/// Writes a Parquet file.
pub struct Parquet<W: Write> {
    writer: Option<ArrowWriter<W>>,
}

impl<W: Write> Parquet<W> {
    /// Begins a file of batches of this schema. `out` needs no buffer.
    pub fn new(out: W, schema: &SchemaRef, options: WriterOptions, threads: &Threads) -> Result<Self> {
        let writer = ArrowWriter::try_new(out, schema.clone(), options)?;
        Ok(Self { writer: Some(threads.of_writer(writer)) })
    }
}

impl<W: Write> Sink for Parquet<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.write(batch)).map_err(failure)
    }

    fn finish(&mut self) -> Result {
        self.writer.take().map_or(Ok(()), |writer| writer.close().map(drop)).map_err(failure)
    }
}

/// An error while rows are written: the options fit the schema, so that it is about the rows, and their file.
fn failure(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::Usage => Failure::File(format!("cannot write the rows: {error}")),
        _ => error.into(),
    }
}
