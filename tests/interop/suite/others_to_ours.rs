//! What others write is read by us: every type, codec and option that they have, as a whole and in part.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use herringbone::arrow::ParquetFile;
use herringbone::schema::TimeUnit;

use crate::arrays::Random;
use crate::findings::Findings;
use crate::parts::{self, Parts};
use crate::{matrix, python};

/// How often each way of reading in part is taken of each file; more often of the files of which page indexes are looked at.
const PARTS: usize = 3;
const PARTS_OF_MANY: usize = 12;
const MANY: &str = "many_rows";

fn written_by(writer: &'static str) {
    let folder = python::folder(&format!("written-by-{writer}"));
    matrix::cases().iter().for_each(|case| case.write_values(&folder));
    matrix::write_arrow(&folder.join(MANY).with_extension("arrow"), &parts::many_rows());
    let wrote = python::run(&["produce", writer, folder.to_str().unwrap()]);
    let out = folder.join("out");
    let files = files(&out);
    assert_eq!(files.len(), python::number(&wrote, " files of "), "files of {writer}");
    let (mut findings, mut parts) = (Findings::new(writer), Parts::default());
    for path in &files {
        read(path);
        read_in_part(path, &mut findings, &mut parts).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    }
    findings.assert_all_met();
    parts.assert_used(writer);
    let held = python::run(&["hold", writer, out.to_str().unwrap()]);
    assert!(python::number(&held, " columns equal") > 0, "nothing of {writer} was read");
}

/// The files of a folder. What a writer gave up on has no values beside it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "parquet") && path.with_extension("arrow").exists()).collect();
    files.sort();
    files
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

/// Holds what a file says of itself against its data, and parts of it against the whole.
fn read_in_part(path: &Path, findings: &mut Findings, parts: &mut Parts) -> Result<(), String> {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let bytes = Bytes::from(fs::read(path).unwrap());
    findings.check(name, &bytes)?;
    let seed = name.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    parts.read(&bytes, &mut Random::new(seed), if name.starts_with(MANY) { PARTS_OF_MANY } else { PARTS })
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
