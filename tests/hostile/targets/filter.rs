//! A filtered scan gives what a full read gives, filtered afterwards.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_select::concat::concat_batches;
use herringbone::arrow::{ParquetFile, ScanBuilder, Strings};

use super::round_trip::{batches, choices, write};
use crate::arrow_write::values;
use crate::filters::cells;
use crate::filters::expressions::Naive;

pub fn run(data: &[u8]) {
    let (mut random, mut values_of) = choices(data);
    let (schema, batches) = batches(&mut random, &mut values_of);
    let file = ParquetFile::from_bytes(write(&mut random, &schema, &batches)).expect("what was written");
    let plain = |scan: ScanBuilder| scan.threads(1).use_stored_schema(false).strings(Strings::Utf8);
    let scan = plain(file.scan()).build().expect("a scan of all");
    let whole = concat_batches(&scan.schema(), &scan.collect::<Result<Vec<_>, _>>().expect("what was written")).expect("one schema");
    let columns = cells::columns(file.metadata().schema(), &whole);
    if columns.is_empty() {
        return;
    }
    let all = values::rows(std::slice::from_ref(&whole));
    for _ in 0..2 {
        let naive = Naive::random(&mut random, &columns, &whole, 2);
        let expr = naive.expr(&columns);
        let passed: Vec<usize> = (0..whole.num_rows()).filter(|row| naive.of(&columns, &whole, *row) == Some(true)).collect();
        let scan = plain(file.scan()).filter(expr.clone()).batch_rows(1 + random.below(150)).row_number("the row");
        let scan = scan.build().expect("a filter of columns that are there");
        if scan.is_exact() {
            assert_eq!(scan.num_rows(), passed.len() as u64, "{expr}: other rows than were announced");
        }
        let read = scan.read_all().expect("what was written");
        let (numbers, rows) = take_numbers(&read);
        assert_eq!(numbers, passed, "{expr} of {}: other rows", file.metadata().schema());
        assert!(rows.iter().eq(passed.iter().map(|row| &all[*row])), "{expr}: rows with other values");
    }
}

/// The numbers of the rows, which are the last column, and the rows without them.
fn take_numbers(batches: &[RecordBatch]) -> (Vec<usize>, Vec<String>) {
    let last = |batch: &RecordBatch| batch.num_columns() - 1;
    let numbers = |batch: &RecordBatch| batch.column(last(batch)).as_primitive::<Int64Type>().values().to_vec();
    let others = |batch: &RecordBatch| batch.project(&(0..last(batch)).collect::<Vec<_>>()).expect("columns that are there");
    let rows = values::rows(&batches.iter().map(others).collect::<Vec<_>>());
    (batches.iter().flat_map(numbers).map(|number| number as usize).collect(), rows)
}
