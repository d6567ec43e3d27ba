//! `bench --write`.

use std::fs;

use super::Folder;
use crate::cli::{complaint, data, printed};

#[test]
fn writing_is_timed_and_measured() {
    let folder = Folder::new();
    let (input, out) = (data("landings.zstd.parquet"), folder.path("out.parquet"));
    let bytes = |flags: &[&str]| -> u64 {
        let line = printed(&[&["bench", "--write", "--tsv", "--runs", "2"], flags, &[&input]].concat());
        let parts: Vec<&str> = line.trim_end().split('\t').collect();
        assert!(parts.len() == 3 && parts[0] == input && parts[1].parse::<f64>().is_ok_and(|time| time > 0.0), "{line}");
        parts[2].parse().expect("a number")
    };
    for flags in
        [&["--compression", "none"][..], &["--compression", "zstd:9", "--threads", "1"], &["--sort-by", "species", "--page-rows", "9"]]
    {
        printed(&[&["convert", "--strings", "utf8"], flags, &[&input, &out]].concat());
        assert_eq!(bytes(flags), fs::metadata(&out).expect("a file").len(), "{flags:?}");
    }
    assert!(bytes(&["--columns", "species"]) < bytes(&[]));
    let table = printed(&["bench", "--write", "--runs", "1", "--compression", "snappy", &input, &input]);
    assert!(table.lines().count() == 4 && table.contains("Arrow MB/s"), "{table}");
}

#[test]
fn options_without_writing_are_refused() {
    let input = data("landings.zstd.parquet");
    assert!(complaint(&["bench", "--compression", "snappy", &input], 2).contains("--write"));
    complaint(&["bench", "--write", "--by-column", &input], 2);
    complaint(&["bench", "--write", "--column", "no such:crc=false", &input], 2);
    assert!(complaint(&["bench", "--write", &data("zero-rows.v1.parquet")], 1).contains("no rows"));
    assert!(complaint(&["bench", "--write", "/no/such/file"], 1).contains("/no/such/file"));
}
