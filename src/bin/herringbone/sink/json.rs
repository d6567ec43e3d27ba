//! One JSON object a line (NDJSON).

use std::io::Write;

use arrow_array::RecordBatch;

use super::{PIECE, Sink, cells};
use crate::cells::{Style, json_string};
use crate::failure::Result;

/// Writes each row as an object on a line of its own, with a member for every column, nulls as `null`.
pub struct JsonLines<W> {
    out: W,
    text: Vec<u8>,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`, in pieces that need no buffer.
    pub fn new(out: W) -> Self {
        Self { out, text: Vec::new() }
    }

    fn flush(&mut self, least: usize) -> Result {
        if self.text.len() > least {
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }
}

impl<W: Write> Sink for JsonLines<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result {
        let cells = cells(batch, Style::Json)?;
        let name = |(i, field): (usize, &std::sync::Arc<arrow_schema::Field>)| {
            let mut name = Vec::from(if i > 0 { &b","[..] } else { b"" });
            json_string(field.name(), &mut name);
            name.push(b':');
            name
        };
        let names: Vec<Vec<u8>> = batch.schema_ref().fields().iter().enumerate().map(name).collect();
        for row in 0..batch.num_rows() {
            self.text.push(b'{');
            for (name, cells) in names.iter().zip(&cells) {
                self.text.extend_from_slice(name);
                cells.write_json(row, &mut self.text);
            }
            self.text.extend_from_slice(b"}\n");
            self.flush(PIECE)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result {
        self.flush(0)?;
        Ok(self.out.flush()?)
    }
}
