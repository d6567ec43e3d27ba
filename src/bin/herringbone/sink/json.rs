//! One JSON object a line (NDJSON).

use std::io::Write;

use arrow_array::RecordBatch;

use super::{Sink, cells};
use crate::cells::{Out, Style, json_string};
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
        let (sink, mut written) = (&mut self.out, Ok(()));
        let mut hand_on = |text: &mut Vec<u8>| {
            written = sink.write_all(text);
            text.clear();
            written.is_ok()
        };
        let mut out = Out::new(&mut self.text, &mut hand_on);
        for row in 0..batch.num_rows() {
            out.text.push(b'{');
            for (name, cells) in names.iter().zip(&cells) {
                out.text.extend_from_slice(name);
                cells.write_json(row, &mut out);
            }
            out.text.extend_from_slice(b"}\n");
            if !out.go_on() {
                break;
            }
        }
        Ok(written?)
    }

    fn finish(&mut self) -> Result {
        self.out.write_all(&std::mem::take(&mut self.text))?;
        Ok(self.out.flush()?)
    }
}
