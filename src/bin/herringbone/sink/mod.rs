//! Where record batches go: standard output or a file, in several formats.

mod csv;
mod ipc;
mod json;
mod parquet;
mod table;

pub use csv::{Csv, Dialect, Null};
pub use ipc::Ipc;
pub use json::JsonLines;
pub use parquet::Parquet;
pub use table::Table;

use arrow_array::RecordBatch;

use crate::cells::{Cells, PIECE, Style};
use crate::failure::Result;

/// Takes record batches of one schema.
pub trait Sink {
    /// Writes the rows of a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result;

    /// Writes what comes after the last row, and everything that is still held.
    fn finish(&mut self) -> Result;
}

/// Every column of a batch as text.
fn cells(batch: &RecordBatch, style: Style) -> Result<Vec<Cells>> {
    let schema = batch.schema_ref();
    batch.columns().iter().zip(schema.fields()).map(|(array, field)| Cells::new(array, field, style)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int8Type;
    use arrow_array::{ArrayRef, DictionaryArray, Int32Array, ListArray, RecordBatchOptions, StringArray, StructArray};
    use arrow_buffer::OffsetBuffer;
    use arrow_ipc::reader::FileReader;
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
    }

    fn mixed() -> RecordBatch {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a,b"), Some(""), None, Some("say \"no\"\r\n")]));
        batch(vec![("n, m", Arc::new(Int32Array::from(vec![Some(1), None, Some(-3), Some(4)]))), ("t", text)])
    }

    fn no_columns(rows: usize) -> RecordBatch {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap()
    }

    fn csv(batch: &RecordBatch) -> String {
        csv_with(batch, "")
    }

    fn csv_with(batch: &RecordBatch, null: &str) -> String {
        let mut out = Vec::new();
        let dialect = Dialect { null: null.parse().unwrap(), ..Dialect::default() };
        let mut sink = Csv::new(&mut out, batch.schema_ref(), dialect);
        sink.write(batch).unwrap();
        sink.finish().unwrap();
        drop(sink);
        String::from_utf8(out).unwrap()
    }

    fn json(batch: &RecordBatch) -> String {
        let mut out = Vec::new();
        let mut sink = JsonLines::new(&mut out);
        sink.write(batch).unwrap();
        sink.finish().unwrap();
        drop(sink);
        String::from_utf8(out).unwrap()
    }

    fn table(batches: &[RecordBatch], width: Option<usize>) -> String {
        let mut out = Vec::new();
        let mut sink = Table::new(&mut out, batches[0].schema_ref(), width);
        batches.iter().for_each(|batch| sink.write(batch).unwrap());
        sink.finish().unwrap();
        drop(sink);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_tells_nulls_from_empty_texts() {
        assert_eq!(csv(&mixed()), "\"n, m\",t\n1,\"a,b\"\n,\"\"\n-3,\n4,\"say \"\"no\"\"\r\n\"\n");
        assert_eq!(csv(&no_columns(2)), "\n\n\n");
        let one = batch(vec![("x", Arc::new(Int32Array::from(vec![Some(1), None])))]);
        assert_eq!(csv(&one), "x\n1\n\"\"\n", "an empty line would be no row");
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some(""), None, Some("-"), Some("--")]));
        assert_eq!(csv_with(&batch(vec![("-", text)]), "-"), "\"-\"\n\"\"\n-\n\"-\"\n--\n", "no two of the rows are the same");
        assert!([",", "a\"", "\n"].iter().all(|null| null.parse::<Null>().is_err()));
        assert!(Dialect { delimiter: b'-', null: "a-b".parse().unwrap() }.check().is_err());
    }

    #[test]
    fn json_has_an_object_a_line() {
        let expected = [
            "{\"n, m\":1,\"t\":\"a,b\"}",
            "{\"n, m\":null,\"t\":\"\"}",
            "{\"n, m\":-3,\"t\":null}",
            "{\"n, m\":4,\"t\":\"say \\\"no\\\"\\r\\n\"}",
        ];
        assert_eq!(json(&mixed()).lines().collect::<Vec<_>>(), expected);
        assert_eq!(json(&no_columns(2)), "{}\n{}\n");
    }

    #[test]
    fn text_is_handed_on_in_pieces() {
        let long: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(PIECE); 3]));
        let mut out = Vec::new();
        let mut sink = Csv::new(&mut out, &Schema::empty(), Dialect::default());
        sink.write(&batch(vec![("x", long)])).unwrap();
        drop(sink);
        assert!(out.len() > 3 * PIECE, "without finish the last piece may be missing, and no other");
    }

    /// Counts bytes, and keeps the longest that came at once.
    #[derive(Default)]
    struct Longest {
        all: usize,
        longest: usize,
    }

    impl std::io::Write for Longest {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.all += bytes.len();
            self.longest = self.longest.max(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_long_row_is_handed_on_in_pieces() {
        let name = "n".repeat(1000);
        let members: ArrayRef = Arc::new(Int32Array::from(vec![7; 2000]));
        let structs: ArrayRef = Arc::new(StructArray::from(vec![(Arc::new(Field::new(&name, DataType::Int32, false)), members)]));
        let field = Arc::new(Field::new("item", structs.data_type().clone(), false));
        let list: ArrayRef = Arc::new(ListArray::new(field, OffsetBuffer::from_lengths([2000]), structs, None));
        let batch = batch(vec![("l", list)]);
        let (json, csv, table) = (json(&batch), csv(&batch), table(std::slice::from_ref(&batch), None));
        let list = json.trim().strip_prefix("{\"l\":").and_then(|rest| rest.strip_suffix('}')).expect("an object");
        assert_eq!(list.len(), 2000 * (name.len() + 7) + 1);
        assert_eq!(csv, format!("l\n\"{}\"\n", list.replace('"', "\"\"")));
        assert!(table.ends_with("n…\n") && table.contains("[{\"nnn") && table.len() < 20_000, "{}", table.len());

        let (mut lines, mut rows) = (Longest::default(), Longest::default());
        JsonLines::new(&mut lines).write(&batch).unwrap();
        Csv::new(&mut rows, batch.schema_ref(), Dialect::default()).write(&batch).unwrap();
        for written in [lines, rows] {
            assert!(written.all > 1_900_000 && written.longest < 3 * PIECE, "{} of {} at once", written.longest, written.all);
        }
    }

    #[test]
    fn tables_show_nulls() {
        let expected = "n, m | t\n-----+-------------\n   1 | a,b\nNULL | \n  -3 | NULL\n   4 | say \"no\"\\r\\n\n";
        assert_eq!(table(&[mixed()], None), expected);
        assert_eq!(table(&[mixed().slice(0, 0)], None), "n, m | t\n-----+--\n");
    }

    #[test]
    fn narrow_terminals_say_what_is_missing() {
        let text = table(&[mixed()], Some(6));
        assert_eq!(text.lines().last(), Some("(1 more columns do not fit: choose some with --columns)"));
        assert!(text.lines().next().is_some_and(|header| header == "n, m"), "{text}");
    }

    #[test]
    fn long_tables_come_block_by_block() {
        let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(0..50_000));
        let text = table(&[batch(vec![("n", numbers)])], None);
        assert_eq!(text.lines().count(), 50_002);
        assert_eq!(text.lines().nth(2), Some("    0"), "aligned within the first block");
        assert_eq!(text.lines().last(), Some("49999"));
    }

    fn dictionary(values: Vec<&str>, keys: Vec<Option<i8>>) -> ArrayRef {
        Arc::new(DictionaryArray::<Int8Type>::new(keys.into(), Arc::new(StringArray::from(values))))
    }

    #[test]
    fn dictionaries_that_change_make_a_file_of_their_values() {
        let nested = |array: ArrayRef| -> ArrayRef {
            let field = Arc::new(Field::new("item", array.data_type().clone(), true));
            let list: ArrayRef = Arc::new(ListArray::new(field, OffsetBuffer::from_lengths([2]), array, None));
            Arc::new(StructArray::from(vec![(Arc::new(Field::new("l", list.data_type().clone(), true)), list)]))
        };
        let one = |values, keys: Vec<Option<i8>>| {
            batch(vec![("d", dictionary(values, keys[..1].to_vec())), ("s", nested(dictionary(vec!["p", "q"], keys)))])
        };
        let batches = [one(vec!["a", "b"], vec![Some(1), None]), one(vec!["c"], vec![Some(0), Some(1)])];
        let mut out = Vec::new();
        let mut sink = Ipc::new(&mut out, batches[0].schema_ref()).unwrap();
        batches.iter().for_each(|batch| sink.write(batch).unwrap());
        sink.finish().unwrap();
        drop(sink);
        let reader = FileReader::try_new(std::io::Cursor::new(out), None).unwrap();
        assert_eq!(reader.schema().field(0).data_type(), &DataType::Utf8);
        let read: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        assert_eq!(read.iter().map(json).collect::<String>(), batches.iter().map(json).collect::<String>());
        assert_eq!(json(&read[1]), "{\"d\":\"c\",\"s\":{\"l\":[\"p\",\"q\"]}}\n");
    }

    /// Fails after so many bytes.
    struct Full(usize);

    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_an_error_in_every_format() {
        let batch = mixed();
        for room in [0, 10, 600] {
            let sinks: [Result<Box<dyn Sink>>; 4] = [
                Ok(Box::new(JsonLines::new(Full(room % 100)))),
                Ok(Box::new(Csv::new(Full(room % 100), batch.schema_ref(), Dialect::default()))),
                Ok(Box::new(Table::new(Full(room % 100), batch.schema_ref(), None))),
                Ipc::new(Full(room), batch.schema_ref()).map(|sink| Box::new(sink) as Box<dyn Sink>),
            ];
            for sink in sinks {
                let written = sink.and_then(|mut sink| sink.write(&batch).and_then(|()| sink.finish()));
                assert!(matches!(&written, Err(crate::failure::Failure::File(message)) if message.contains("cannot write")), "{written:?}");
            }
        }
    }
}
