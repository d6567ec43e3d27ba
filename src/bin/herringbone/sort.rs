//! Rows in another order.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray, cast::AsArray};
use arrow_buffer::NullBuffer;
use arrow_ord::sort::{SortColumn, lexsort_to_indices};
use arrow_schema::{ArrowError, DataType, SchemaRef, SortOptions};
use arrow_select::concat::concat;
use arrow_select::interleave::interleave_record_batch;
use herringbone::write::SortBy;

use crate::failure::{Failure, Result};
use crate::feed::{Feed, memory};

/// Columns to sort by, the most significant first: `a,b desc nulls first`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorting(pub Vec<SortBy>);

impl FromStr for Sorting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut quoted = false;
        let items = text.split(|c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        });
        let columns: Vec<SortBy> = items.map(sort_by).collect::<Result<_, String>>()?;
        if quoted { Err("a quote is not closed".to_owned()) } else { Ok(Self(columns)) }
    }
}

/// Reads a column and what follows it.
fn sort_by(text: &str) -> Result<SortBy, String> {
    let mut sorted = SortBy::ascending("");
    let mut rest = text.trim();
    let mut cut = |words: &str| {
        let head = rest.len().checked_sub(words.len()).and_then(|at| rest.split_at_checked(at));
        let found = head.filter(|(head, tail)| tail.eq_ignore_ascii_case(words) && head.ends_with([' ', '"']));
        if let Some((head, _)) = found {
            rest = head.trim_end();
        }
        found.is_some()
    };
    sorted.nulls_first = cut("nulls first");
    if !sorted.nulls_first {
        cut("nulls last");
    }
    sorted.descending = cut("desc");
    if !sorted.descending {
        cut("asc");
    }
    let name = match rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(name) => name.replace("\"\"", "\""),
        None => rest.to_owned(),
    };
    match name.is_empty() {
        true => Err("a column is missing: write 'a, b desc nulls first'".to_owned()),
        false => Ok(SortBy { column: name, ..sorted }),
    }
}

impl Sorting {
    /// Refuses columns that rows of a schema do not have.
    pub fn check(&self, schema: &SchemaRef) -> Result {
        let none = RecordBatch::new_empty(Arc::clone(schema));
        self.0.iter().try_for_each(|by| column(schema, &none, &by.column).map(drop))
    }
}

/// Rows of an output batch.
const BATCH_ROWS: usize = 65_536;

/// The rows of a feed, sorted. All of them are held in memory, in at most `most` bytes.
pub fn sorted(feed: Feed, sorting: &Sorting, most: u64) -> Result<Feed> {
    let Feed { schema, batches: feed, .. } = feed;
    let (mut batches, mut bytes, mut rows) = (Vec::new(), 0, 0);
    for batch in feed {
        let batch = batch?;
        bytes += memory(&batch);
        rows += batch.num_rows() as u64;
        // A number for each row of the order, and two where rows are taken from.
        if bytes.saturating_add(rows.saturating_mul(20)) > most {
            return Err(Failure::File(format!(
                "the rows take more than the {most} bytes of memory that sorting may use: allow more with --memory, or sort them \
                 before and say so with --sorted-by"
            )));
        }
        batches.push(batch);
    }
    let order = order(&schema, &batches, sorting)?;
    let places = places(&batches, &order);
    let mut start = 0;
    let sorted = std::iter::from_fn(move || {
        let end = places.len().min(start + BATCH_ROWS);
        let rows = places.get(start..end).filter(|rows| !rows.is_empty())?;
        let taken: Vec<&RecordBatch> = batches.iter().collect();
        start = end;
        Some(interleave_record_batch(&taken, rows).map_err(|error| failure(&error)))
    });
    Ok(Feed { schema, rows: Some(rows), batches: Box::new(sorted) })
}

fn failure(error: &ArrowError) -> Failure {
    Failure::File(format!("cannot sort the rows: {error}"))
}

/// The rows' numbers in the order wanted, counted over all batches.
fn order(schema: &SchemaRef, batches: &[RecordBatch], sorting: &Sorting) -> Result<Vec<u32>> {
    let Sorting(columns) = sorting;
    let columns: Result<Vec<SortColumn>> = columns
        .iter()
        .map(|by| {
            let parts: Result<Vec<ArrayRef>> = batches.iter().map(|batch| column(schema, batch, &by.column)).collect();
            let parts = parts?;
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            let values = concat(&parts).map_err(|error| failure(&error))?;
            let options = SortOptions { descending: by.descending, nulls_first: by.nulls_first };
            Ok(SortColumn { values: one_nan(values), options: Some(options) })
        })
        .collect();
    if batches.is_empty() {
        return Ok(Vec::new());
    }
    let indices = lexsort_to_indices(&columns?, None).map_err(|error| failure(&error))?;
    Ok(indices.values().to_vec())
}

/// Batch and row of each row number.
fn places(batches: &[RecordBatch], order: &[u32]) -> Vec<(usize, usize)> {
    let mut starts = Vec::with_capacity(batches.len());
    let mut rows = 0;
    for batch in batches {
        starts.push(rows);
        rows += batch.num_rows();
    }
    let place = |row: &u32| {
        let row = *row as usize;
        let batch = starts.partition_point(|start| *start <= row).saturating_sub(1);
        (batch, row - starts.get(batch).copied().unwrap_or(0))
    };
    order.iter().map(place).collect()
}

/// The values of a column or of a part of a struct; nulls of the structs around count.
fn column(schema: &SchemaRef, batch: &RecordBatch, path: &str) -> Result<ArrayRef> {
    if let Some((index, _)) = schema.column_with_name(path) {
        return Ok(Arc::clone(batch.column(index)));
    }
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let missing = || Failure::Usage(format!("there is no column {path:?} to sort by; the rows have {}", names.join(", ")));
    let mut parts = path.split('.');
    let root = parts.next().and_then(|name| schema.column_with_name(name));
    let mut array = Arc::clone(batch.column(root.ok_or_else(missing)?.0));
    for part in parts {
        let parent: &StructArray = array.as_struct_opt().ok_or_else(missing)?;
        let child = parent.column_by_name(part).ok_or_else(missing)?;
        let nulls = NullBuffer::union(parent.nulls(), child.nulls());
        let data = child.to_data().into_builder().nulls(nulls).build().map_err(|error| failure(&error))?;
        array = arrow_array::make_array(data);
    }
    Ok(array)
}

/// All NaN as one, which comes after all numbers: Arrow's order tells them apart by their sign.
fn one_nan(values: ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => {
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(|x| if x.is_nan() { f64::NAN } else { x }))
        }
        DataType::Float32 => {
            Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(|x| if x.is_nan() { f32::NAN } else { x }))
        }
        DataType::Float16 => {
            let nan = half::f16::NAN;
            Arc::new(values.as_primitive::<Float16Type>().unary::<_, Float16Type>(|x| if x.is_nan() { nan } else { x }))
        }
        _ => values,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, Int32Array, StringArray};
    use arrow_schema::Field;

    use super::*;

    fn by(column: &str, descending: bool, nulls_first: bool) -> SortBy {
        SortBy { column: column.to_owned(), descending, nulls_first }
    }

    #[test]
    fn orders_are_read_as_in_sql() {
        for (text, expected) in [
            ("a", vec![by("a", false, false)]),
            ("a, b desc nulls first", vec![by("a", false, false), by("b", true, true)]),
            ("a.b ASC Nulls Last,c DESC", vec![by("a.b", false, false), by("c", true, false)]),
            ("\"a, b\" desc, desc", vec![by("a, b", true, false), by("desc", false, false)]),
            ("two words nulls first", vec![by("two words", false, true)]),
            ("\"say \"\"no\"\"\"", vec![by("say \"no\"", false, false)]),
        ] {
            assert_eq!(text.parse(), Ok(Sorting(expected)), "{text}");
        }
        for text in ["", "a,", ",a", "\"a", "\"\" desc"] {
            assert!(text.parse::<Sorting>().is_err(), "{text}");
        }
    }

    fn feed(batches: Vec<RecordBatch>) -> Feed {
        let schema = batches[0].schema();
        Feed { schema, rows: None, batches: Box::new(batches.into_iter().map(Ok)) }
    }

    fn batch(numbers: Vec<Option<f64>>, inner: Vec<Option<i32>>) -> RecordBatch {
        let inner: ArrayRef = Arc::new(Int32Array::from(inner));
        let nested = StructArray::from(vec![(Arc::new(Field::new("i", DataType::Int32, true)), inner)]);
        let text: ArrayRef = Arc::new(StringArray::from_iter_values(numbers.iter().map(|n| format!("{n:?}"))));
        let numbers: ArrayRef = Arc::new(Float64Array::from(numbers));
        let columns = [("n", numbers, true), ("s", Arc::new(nested), true), ("t", text, true)];
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    fn texts(feed: Feed) -> Vec<String> {
        let batches = feed.batches.map(Result::unwrap);
        batches
            .flat_map(|batch| batch.column(2).as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn rows_of_all_batches_are_sorted_together() {
        let batches = || {
            vec![
                batch(vec![Some(2.0), None, Some(-f64::NAN)], vec![Some(1), Some(2), None]),
                batch(vec![Some(f64::NAN), Some(-1.0), Some(2.0)], vec![Some(3), Some(3), Some(0)]),
            ]
        };
        let sort = |text: &str| texts(sorted(feed(batches()), &text.parse().unwrap(), 1 << 20).unwrap());
        assert_eq!(sort("n"), ["Some(-1.0)", "Some(2.0)", "Some(2.0)", "Some(NaN)", "Some(NaN)", "None"]);
        assert_eq!(sort("n desc nulls first")[..2], ["None", "Some(NaN)"]);
        assert_eq!(sort("s.i desc, n")[..3], ["Some(-1.0)", "Some(NaN)", "None"]);
        let check = |text: &str| text.parse::<Sorting>().unwrap().check(&batches()[0].schema());
        assert!(matches!(check("s.j"), Err(Failure::Usage(_))) && check("s.i").is_ok() && check("n.i").is_err());
        let refused = sorted(feed(batches()), &"n".parse().unwrap(), 100);
        assert!(matches!(refused, Err(Failure::File(message)) if message.contains("--memory")));
    }
}
