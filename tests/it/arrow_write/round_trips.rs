//! What is written is read again: any types, any options, batches cut anywhere.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::format::Encoding;
use herringbone::write::{ColumnOptions, WriterOptions};
use proptest::prelude::*;

use super::arrays::{self, Random, Types};
use super::options;
use super::values;

/// Writes batches and returns the file's bytes.
fn write(schema: &SchemaRef, batches: &[RecordBatch], options: WriterOptions) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    let (metadata, bytes) = writer.close_into().unwrap();
    crate::verify::assert_clean(&bytes);
    let file = ParquetFile::from_bytes(bytes.clone()).unwrap();
    assert_eq!(metadata.num_rows(), file.metadata().num_rows());
    assert_eq!(metadata.num_rows(), batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
    bytes
}

proptest! {
    #[test]
    fn batches_are_read_as_written(seed: u64, rows in prop::collection::vec(0..150usize, 0..4)) {
        let mut random = Random::new(seed);
        let schema = arrays::schema(&mut random, 3, Types::All);
        let batches: Vec<_> = rows.iter().map(|rows| arrays::batch(&mut random, &schema, *rows)).collect();
        let options = options::any(&mut random, &schema).threads(1 + random.below(3)).build().unwrap();
        let bytes = write(&schema, &batches, options);
        let scan = ParquetFile::from_bytes(bytes).unwrap().scan().verify_crc(true).batch_rows(1 + random.below(100)).build().unwrap();
        prop_assert_eq!(&scan.schema(), &schema);
        let read = scan.read_all().unwrap();
        let (written, read) = (values::rows(&batches), values::rows(&read));
        for (at, (written, read)) in written.iter().zip(&read).enumerate() {
            prop_assert_eq!(written, read, "row {}", at);
        }
        prop_assert_eq!(written.len(), read.len());
    }

    #[test]
    fn files_do_not_depend_on_threads(seed: u64, rows in prop::collection::vec(0..300usize, 1..4)) {
        let mut random = Random::new(seed);
        let schema = arrays::schema(&mut random, 3, Types::All);
        let batches: Vec<_> = rows.iter().map(|rows| arrays::batch(&mut random, &schema, *rows)).collect();
        let options = options::any(&mut random, &schema);
        let with = |threads| write(&schema, &batches, options.clone().threads(threads).build().unwrap());
        prop_assert!(with(1) == with(3));
    }
}

/// pyarrow makes dictionaries, as the stored schema wants them, of indices and PLAIN values alone.
#[test]
fn dictionaries_are_encoded_as_pyarrow_decodes_them() {
    let texts: DictionaryArray<Int32Type> =
        (0..100).map(|number| Some(format!("text {number}"))).collect::<Vec<_>>().iter().map(Option::as_deref).collect();
    let plain = StringArray::from_iter_values((0..100).map(|number| format!("text {number}")));
    let columns: [(&str, ArrayRef); 2] = [("dictionary", Arc::new(texts)), ("plain", Arc::new(plain))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let encodings = |stored: bool| {
        let columns = ColumnOptions::new().dictionary(false);
        let options = WriterOptions::builder().columns(columns).stored_schema(stored).build().unwrap();
        let bytes = write(&batch.schema(), std::slice::from_ref(&batch), options);
        let file = ParquetFile::from_bytes(bytes).unwrap();
        let group = file.metadata().row_group(0).unwrap();
        [0, 1].map(|leaf| group.column(leaf).unwrap().encodings().contains(&Encoding::DeltaLengthByteArray))
    };
    assert_eq!(encodings(false), [true, true]);
    assert_eq!(encodings(true), [false, true]);
}
