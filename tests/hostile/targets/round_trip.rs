//! Arrays of any types, written with any options, are read as they were: all of them, and any part.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use herringbone::arrow::{ArrowWriter, ParquetFile};
use herringbone::verify::{VerifyOptions, verify};

use super::scan::{Part, rows_of};
use crate::arrow_write::arrays::{self, Random, Types};
use crate::arrow_write::options;
use crate::arrow_write::values;

pub fn run(data: &[u8]) {
    let (mut random, mut values_of) = choices(data);
    let (schema, batches) = batches(&mut random, &mut values_of);
    let bytes = write(&mut random, &schema, &batches);

    let report = verify(&bytes, &VerifyOptions::default()).expect("bytes that can be read");
    assert!(report.findings.is_empty(), "what was written is not clean: {report:?}");

    let file = ParquetFile::from_bytes(bytes).expect("what was written");
    let all = values::rows(&batches);
    let scan = file.scan().threads(1).verify_crc(true).build().expect("all of it");
    assert_eq!(scan.schema(), schema);
    assert!(values::rows(&scan.read_all().expect("all of it")) == all, "other rows than were written");

    let part = Part::random(&mut random, &schema, all.len());
    let scan = part.of(file.scan()).build().expect("a part of it");
    let read = values::rows(&scan.read_all().expect("a part of it"));
    let columns: Vec<RecordBatch> = batches.iter().map(|batch| batch.project(&part.columns).expect("columns that are there")).collect();
    let all = values::rows(&columns);
    let expected: Vec<_> = rows_of(&part.ranges, part.offset, part.limit).into_iter().flatten().map(|row| &all[row]).collect();
    assert!(read.iter().eq(expected), "{part:?}: other rows than were written");
}

/// What is chosen of an input's first bytes, and of the others: values, which are many, do not change what is done with them.
pub fn choices(data: &[u8]) -> (Random, Random) {
    let (control, values) = data.split_at(data.len().min(128));
    (Random::of_choices(control), Random::of_choices(values))
}

/// A few batches of one schema.
pub fn batches(random: &mut Random, values: &mut Random) -> (SchemaRef, Vec<RecordBatch>) {
    let schema = arrays::schema(random, 3, Types::All);
    let batch = |rows| arrays::batch(values, &schema, rows);
    let rows: Vec<usize> = (0..random.below(4)).map(|_| random.below(150)).collect();
    let batches = rows.into_iter().map(batch).collect();
    (schema, batches)
}

/// A file of batches, with any options.
pub fn write(random: &mut Random, schema: &SchemaRef, batches: &[RecordBatch]) -> Bytes {
    let options = options::any(random, schema).build().expect("options that go together");
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), options).expect("a schema that can be written");
    for batch in batches {
        writer.write(batch).expect("a batch of the schema");
        if random.one_in(8) {
            writer.flush().expect("memory takes all that is written to it");
        }
    }
    let (metadata, bytes) = writer.close_into().expect("memory takes all that is written to it");
    assert_eq!(metadata.num_rows(), batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
    bytes.into()
}
