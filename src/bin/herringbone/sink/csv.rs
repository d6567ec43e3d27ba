//! Comma-separated values (RFC 4180).

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::{PIECE, Sink, cells};
use crate::cells::{Cells, Out, Style};
use crate::failure::{Failure, Result};

/// How nulls are written: a text without quotes, commas and line breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Null(String);

impl std::str::FromStr for Null {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.contains([',', '"', '\n', '\r']) {
            true => Err("a text without quotes, commas and line breaks is wanted".to_owned()),
            false => Ok(Self(text.to_owned())),
        }
    }
}

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between values.
    pub delimiter: u8,
    /// How nulls are written.
    pub null: Null,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', null: Null::default() }
    }
}

impl Dialect {
    /// Refuses a null that holds what stands between values.
    pub fn check(&self) -> Result {
        match self.null.0.as_bytes().contains(&self.delimiter) {
            true => Err(Failure::Usage("--null is a text without what stands between values".to_owned())),
            false => Ok(()),
        }
    }
}

/// Writes a line of names and a line for each row, which ends in a line feed.
///
/// A null is what is asked for, most often nothing between two delimiters. A text that reads the same is in quotes, so that an empty text is `""`.
/// Only in a table of one column a null that is nothing is `""` as well, because readers take empty lines for no lines.
pub struct Csv<W> {
    out: W,
    dialect: Dialect,
    text: Vec<u8>,
}

impl<W: Write> Csv<W> {
    /// Writes the header to `out`, in pieces that need no buffer.
    pub fn new(out: W, schema: &Schema, dialect: Dialect) -> Self {
        let mut text = Vec::new();
        for (i, field) in schema.fields().iter().enumerate() {
            if i > 0 {
                text.push(dialect.delimiter);
            }
            append(field.name().as_bytes(), &dialect, &mut text);
        }
        text.push(b'\n');
        Self { out, dialect, text }
    }

    /// Writes a value by way of a buffer. One that is so long that it is handed on in pieces is nested, so in quotes.
    fn value(&mut self, column: &Cells, row: usize, buffer: &mut Vec<u8>) -> Result {
        buffer.clear();
        let (mut is_cut, mut written) = (false, Ok(()));
        let mut hand_on = |piece: &mut Vec<u8>| {
            if !std::mem::replace(&mut is_cut, true) {
                self.text.push(b'"');
            }
            escape(piece, &mut self.text);
            piece.clear();
            written = self.flush(PIECE);
            written.is_ok()
        };
        column.write(row, &mut Out::new(buffer, &mut hand_on));
        written?;
        match is_cut {
            true => {
                escape(buffer, &mut self.text);
                self.text.push(b'"');
            }
            false => append(buffer, &self.dialect, &mut self.text),
        }
        Ok(())
    }

    fn flush(&mut self, least: usize) -> Result {
        if self.text.len() > least {
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }
}

impl<W: Write> Sink for Csv<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result {
        let cells = cells(batch, Style::Text)?;
        let mut value = Vec::new();
        for row in 0..batch.num_rows() {
            for (i, column) in cells.iter().enumerate() {
                if i > 0 {
                    self.text.push(self.dialect.delimiter);
                }
                match column.is_null(row) {
                    true if cells.len() == 1 && self.dialect.null.0.is_empty() => self.text.extend_from_slice(b"\"\""),
                    true => self.text.extend_from_slice(self.dialect.null.0.as_bytes()),
                    false => self.value(column, row, &mut value)?,
                }
            }
            self.text.push(b'\n');
            self.flush(PIECE)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result {
        self.flush(0)?;
        Ok(self.out.flush()?)
    }
}

/// Appends a value, in quotes where it needs them.
fn append(value: &[u8], dialect: &Dialect, text: &mut Vec<u8>) {
    let needs_quotes = |byte: &u8| *byte == dialect.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    if !value.is_empty() && value != dialect.null.0.as_bytes() && !value.iter().any(needs_quotes) {
        text.extend_from_slice(value);
        return;
    }
    text.push(b'"');
    escape(value, text);
    text.push(b'"');
}

/// Appends what stands between quotes.
fn escape(value: &[u8], text: &mut Vec<u8>) {
    for byte in value {
        if *byte == b'"' {
            text.push(b'"');
        }
        text.push(*byte);
    }
}
