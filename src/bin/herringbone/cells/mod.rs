//! Values of Arrow arrays as text: one place for tables, CSV and JSON, so that a value looks the same everywhere.
//!
//! | values | text | in JSON |
//! | --- | --- | --- |
//! | integers, decimals | all digits | the same, as a number |
//! | floating-point numbers | the shortest digits that read back; `NaN`, `inf`, `-inf` | the same; `null` when not finite |
//! | text | itself | a string |
//! | bytes | hexadecimal digits; a UUID in its usual form | the same, as a string |
//! | dates, times, timestamps, durations, intervals | ISO 8601; instants of any time zone in UTC, with a `Z` | the same, as a string |
//! | structs, maps | their JSON | an object, with the keys of a map as text |
//! | lists | their JSON | an array |
//!
//! Arrow's own writers are not used because any file must print: they refuse maps whose keys are no text and nested
//! values in CSV, and write error messages in the place of dates that are far away.

mod out;
mod scalar;
mod time;

pub use out::{Out, PIECE};
pub use scalar::hexadecimal;

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, ArrayRef, RunArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields};

use crate::failure::{Failure, Result};

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As JSON, all of them.
    Json,
    /// As bare text, for CSV and tables; nested values as JSON.
    Text,
}

/// Appends the value of a row that is not null: a single value.
type Write = Box<dyn Fn(usize, &mut Vec<u8>)>;
/// The same of a value that is made of others.
type WriteNested = Box<dyn Fn(usize, &mut Out<'_>)>;

enum Writer {
    Scalar(Write),
    Nested(WriteNested),
}

/// The values of one array, as text.
pub struct Cells {
    nulls: Option<NullBuffer>,
    writer: Writer,
}

impl Cells {
    /// Gets ready to write the values of `array`; `field` describes it.
    pub fn new(array: &ArrayRef, field: &Field, style: Style) -> Result<Self> {
        let writer = match nested(array, field, style)? {
            Some(write) => Writer::Nested(write),
            None => Writer::Scalar(scalar::writer(array, field, style).ok_or_else(|| no_text(field, array.data_type()))?),
        };
        Ok(Self { nulls: array.logical_nulls().filter(|nulls| nulls.null_count() > 0), writer })
    }

    /// Whether the value is null.
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends a value; nothing for a null.
    pub fn write(&self, row: usize, out: &mut Out<'_>) {
        if !self.is_null(row) {
            self.put(row, out);
        }
    }

    /// Appends a value of style JSON; `null` for a null.
    pub fn write_json(&self, row: usize, out: &mut Out<'_>) {
        match self.is_null(row) {
            true => out.text.extend_from_slice(b"null"),
            false => self.put(row, out),
        }
    }

    fn put(&self, row: usize, out: &mut Out<'_>) {
        match &self.writer {
            Writer::Scalar(write) => write(row, out.text),
            Writer::Nested(write) => write(row, out),
        }
    }
}

/// Appends a JSON string.
pub fn json_string(text: &str, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends the inside of a JSON string.
fn json_escaped(text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    json_string(&String::from_utf8_lossy(text), out);
    out.pop();
    out.remove(start);
}

fn no_text(field: &Field, data_type: &DataType) -> Failure {
    Failure::File(format!("column {}: values of type {data_type} cannot be written as text", field.name()))
}

/// What writes values that are made of others; none for scalars.
fn nested(array: &ArrayRef, field: &Field, style: Style) -> Result<Option<WriteNested>> {
    Ok(Some(match array.data_type() {
        DataType::Struct(fields) => object(fields, array.as_struct().columns())?,
        DataType::Map(entries, _) => map(array, entries)?,
        DataType::List(item) => {
            let lists = array.as_list::<i32>().clone();
            let offsets = lists.offsets().clone();
            list(lists.values(), item, move |row| range(offsets[row], offsets[row + 1]))?
        }
        DataType::LargeList(item) => {
            let lists = array.as_list::<i64>().clone();
            let offsets = lists.offsets().clone();
            list(lists.values(), item, move |row| range(offsets[row], offsets[row + 1]))?
        }
        DataType::ListView(item) => {
            let lists = array.as_list_view::<i32>().clone();
            let (offsets, sizes) = (lists.offsets().clone(), lists.sizes().clone());
            list(lists.values(), item, move |row| range(offsets[row], offsets[row] + sizes[row]))?
        }
        DataType::LargeListView(item) => {
            let lists = array.as_list_view::<i64>().clone();
            let (offsets, sizes) = (lists.offsets().clone(), lists.sizes().clone());
            list(lists.values(), item, move |row| range(offsets[row], offsets[row] + sizes[row]))?
        }
        DataType::FixedSizeList(item, size) => {
            let size = usize::try_from(*size).unwrap_or(0);
            let lists = array.as_fixed_size_list();
            list(lists.values(), item, move |row| row * size..(row + 1) * size)?
        }
        DataType::Dictionary(_, _) => dictionary(array, field, style)?,
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs(array.as_run::<Int16Type>(), field, style)?,
            DataType::Int32 => runs(array.as_run::<Int32Type>(), field, style)?,
            DataType::Int64 => runs(array.as_run::<Int64Type>(), field, style)?,
            other => return Err(no_text(field, other)),
        },
        _ => return Ok(None),
    }))
}

fn range<T: TryInto<usize>>(start: T, end: T) -> Range<usize> {
    start.try_into().unwrap_or(0)..end.try_into().unwrap_or(0)
}

/// Writes structs as objects. Two fields of one name give two members, as JSON allows.
fn object(fields: &Fields, columns: &[ArrayRef]) -> Result<WriteNested> {
    let members = fields.iter().zip(columns).map(|(field, column)| {
        let mut name = Vec::new();
        json_string(field.name(), &mut name);
        name.push(b':');
        Ok((name, Cells::new(column, field, Style::Json)?))
    });
    let members = members.collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |row, out| {
        out.text.push(b'{');
        for (i, (name, cells)) in members.iter().enumerate() {
            if !out.go_on() {
                break;
            }
            if i > 0 {
                out.text.push(b',');
            }
            out.text.extend_from_slice(name);
            cells.write_json(row, out);
        }
        out.text.push(b'}');
    }))
}

fn list(values: &ArrayRef, item: &Field, range: impl Fn(usize) -> Range<usize> + 'static) -> Result<WriteNested> {
    let cells = Cells::new(values, item, Style::Json)?;
    Ok(Box::new(move |row, out| {
        let range = range(row);
        out.text.push(b'[');
        for index in range.clone() {
            if !out.go_on() {
                break;
            }
            if index > range.start {
                out.text.push(b',');
            }
            cells.write_json(index, out);
        }
        out.text.push(b']');
    }))
}

fn map(array: &ArrayRef, entries: &Field) -> Result<WriteNested> {
    let maps = array.as_map();
    let offsets = maps.offsets().clone();
    let DataType::Struct(fields) = entries.data_type() else { return Err(no_text(entries, array.data_type())) };
    let [key, value] = fields.as_ref() else { return Err(no_text(entries, array.data_type())) };
    let keys = Cells::new(maps.keys(), key, Style::Text)?;
    let values = Cells::new(maps.values(), value, Style::Json)?;
    Ok(Box::new(move |row, out| {
        let range = range(offsets[row], offsets[row + 1]);
        out.text.push(b'{');
        for index in range.clone() {
            if !out.go_on() {
                break;
            }
            if index > range.start {
                out.text.push(b',');
            }
            match keys.is_null(index) {
                true => out.text.extend_from_slice(b"\"null\""),
                false => write_key(&keys, index, out),
            }
            out.text.push(b':');
            values.write_json(index, out);
        }
        out.text.push(b'}');
    }))
}

/// Appends a key, whatever it is, as a JSON string.
fn write_key(keys: &Cells, index: usize, out: &mut Out<'_>) {
    let mut key = Vec::new();
    out.text.push(b'"');
    let mut escape = |part: &mut Vec<u8>| {
        json_escaped(part, out.text);
        part.clear();
        out.go_on()
    };
    keys.write(index, &mut Out::new(&mut key, &mut escape));
    json_escaped(&key, out.text);
    out.text.push(b'"');
}

fn dictionary(array: &ArrayRef, field: &Field, style: Style) -> Result<WriteNested> {
    let dictionary = array.as_any_dictionary();
    let values = Cells::new(dictionary.values(), field, style)?;
    // Without values all keys are null, and nobody asks for one.
    let keys = if dictionary.values().is_empty() { Vec::new() } else { dictionary.normalized_keys() };
    Ok(Box::new(move |row, out| values.put(keys[row], out)))
}

fn runs<R: RunEndIndexType>(array: &RunArray<R>, field: &Field, style: Style) -> Result<WriteNested> {
    let values = Cells::new(array.values(), field, style)?;
    let array = array.clone();
    Ok(Box::new(move |row, out| values.put(array.get_physical_index(row), out)))
}

#[cfg(test)]
mod tests;
