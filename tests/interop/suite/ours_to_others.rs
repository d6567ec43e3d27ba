//! What we write is read by others, over the matrix.

use herringbone::read::FileSource;
use herringbone::verify::{VerifyOptions, verify};

use crate::{matrix, python};

fn read_by(reader: &str) {
    // Each reader has files of its own, so that tests can run beside each other.
    let folder = python::folder(&format!("matrix-{reader}"));
    let cases = matrix::cases();
    let columns: usize = cases.iter().map(|case| case.write(&folder)).sum();
    println!("{} files with {columns} columns for {reader}", cases.len());
    let said = python::run(&["check", reader, folder.to_str().unwrap()]);
    let (equal, beyond) = (python::number(&said, " columns equal"), python::number(&said, " beyond "));
    assert!(equal > 0, "{reader} read nothing");
    assert_eq!(equal + beyond, columns, "{reader} was asked for other columns than there are");
}

#[test]
fn pyarrow_reads_what_we_write() {
    read_by("pyarrow");
}

#[test]
fn duckdb_reads_what_we_write() {
    read_by("duckdb");
}

#[test]
fn polars_reads_what_we_write() {
    read_by("polars");
}

#[test]
fn spark_reads_what_we_write() {
    read_by("spark");
}

#[test]
fn what_we_write_says_the_truth_of_itself() {
    let folder = python::folder("matrix-verified");
    for case in matrix::cases() {
        case.write(&folder);
        let path = folder.join(case.name).with_extension("parquet");
        let report = verify(&FileSource::open(&path).unwrap(), &VerifyOptions::default()).unwrap();
        assert!(report.is_clean(), "{}: {report:?}", case.name);
    }
}
