//! Tables for people.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};

use super::{Sink, cells};
use crate::cells::{Cells, Out, Style};
use crate::failure::Result;
use crate::grid::{Align, Grid, cut_to};

/// What stands in the place of a null.
const NULL: &str = "NULL";

/// The most values and bytes of text of a block of rows that is aligned as one.
const BLOCK_VALUES: usize = 20_000;
const BLOCK_BYTES: usize = 4 << 20;

/// The most bytes of a nested value, of which a few bytes of a file can make very many. What comes after is left out.
const NESTED_BYTES: usize = 16 << 10;

/// Prints rows as a table, block by block. Nulls are `NULL`; nested values print as JSON, cut where they are very long.
pub struct Table<W> {
    out: W,
    grid: Grid,
    rows: Vec<Vec<String>>,
    bytes: usize,
    columns_left_out: usize,
    printed: bool,
}

impl<W: Write> Table<W> {
    /// A table on `out`; `width` is that of the terminal, if there is one.
    pub fn new(out: W, schema: &Schema, width: Option<usize>) -> Self {
        let align = |data_type: &DataType| if is_number(data_type) { Align::Right } else { Align::Left };
        let mut grid = Grid::new(schema.fields().iter().map(|field| (field.name(), align(field.data_type()))));
        if let Some(width) = width {
            grid.fit(width);
        }
        Self { out, grid, rows: Vec::new(), bytes: 0, columns_left_out: 0, printed: false }
    }

    fn print(&mut self) -> Result {
        let left_out = self.grid.print(&self.rows, &mut self.out)?;
        self.columns_left_out = self.columns_left_out.max(left_out);
        self.rows.clear();
        self.bytes = 0;
        self.printed = true;
        Ok(())
    }
}

impl<W: Write> Sink for Table<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result {
        let cells = cells(batch, Style::Text)?;
        for row in 0..batch.num_rows() {
            let values: Vec<String> = cells.iter().map(|cells| value(cells, row)).collect();
            self.bytes += values.iter().map(String::len).sum::<usize>();
            self.rows.push(values);
            if self.rows.len() * cells.len().max(1) >= BLOCK_VALUES || self.bytes >= BLOCK_BYTES {
                self.print()?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result {
        if !self.rows.is_empty() || !self.printed {
            self.print()?;
        }
        if self.columns_left_out > 0 {
            writeln!(self.out, "({} more columns do not fit: choose some with --columns)", self.columns_left_out)?;
        }
        Ok(self.out.flush()?)
    }
}

fn value(cells: &Cells, row: usize) -> String {
    if cells.is_null(row) {
        return NULL.to_owned();
    }
    let (mut text, mut is_cut) = (Vec::new(), false);
    let mut cut = |_: &mut Vec<u8>| {
        is_cut = true;
        false
    };
    cells.write(row, &mut Out::within(&mut text, NESTED_BYTES, &mut cut));
    let mut text = String::from_utf8(text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if is_cut {
        text = cut_to(&text, NESTED_BYTES);
    }
    text
}

fn is_number(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_number(values),
        other => other.is_numeric(),
    }
}
