//! What others write is read by us: every type, codec and option that they have.

use std::fs;
use std::path::Path;

use herringbone::arrow::ParquetFile;
use herringbone::schema::TimeUnit;

use crate::{matrix, python};

fn written_by(writer: &str) {
    let folder = python::folder(&format!("written-by-{writer}"));
    matrix::cases().iter().for_each(|case| case.write_values(&folder));
    python::run(&["produce", writer, folder.to_str().unwrap()]);
    let out = folder.join("out");
    let files: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
    // What a writer gave up on has no values beside it.
    files
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "parquet") && path.with_extension("arrow").exists())
        .for_each(|path| read(path));
    let said = python::run(&["hold", writer, out.to_str().unwrap()]);
    assert!(said.contains("columns equal") && !said.contains(" 0 columns equal"), "nothing of {writer} was read");
}

/// Writes what we read as an Arrow stream beside it.
fn read(path: &Path) {
    let file = ParquetFile::open(path).unwrap();
    // Years beyond 2262 do not fit into nanoseconds.
    let scan = file.scan().verify_crc(true).batch_rows(64).int96_unit(TimeUnit::Micros).build();
    let scan = scan.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema = scan.schema();
    let batches = scan.read_all().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let out = fs::File::create(path.with_extension("ours")).unwrap();
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(out, &schema).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
}

#[test]
fn what_pyarrow_writes_is_read() {
    written_by("pyarrow");
}

#[test]
fn what_duckdb_writes_is_read() {
    written_by("duckdb");
}

#[test]
fn what_polars_writes_is_read() {
    written_by("polars");
}

#[test]
fn what_spark_writes_is_read() {
    written_by("spark");
}
