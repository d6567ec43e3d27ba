//! The flags for Parquet output: each is seen in the file, each mistake is answered with a sentence.

use serde_json::Value;

use super::{Folder, lines, metadata, pages, rows};
use crate::cli::{complaint, data, names, printed};

/// Converts a file of 200 rows with these flags, and tells of the file.
fn converted(folder: &Folder, flags: &[&str]) -> (String, Value) {
    let out = folder.path("out.parquet");
    printed(&[&["convert"], flags, &[&data("landings.zstd.parquet"), &out]].concat());
    printed(&["verify", &out]);
    let metadata = metadata(&out);
    (out, metadata)
}

/// What is said about a column of the first row group.
fn column<'a>(metadata: &'a Value, path: &str) -> &'a Value {
    let columns = metadata["row_groups"][0]["columns"].as_array().expect("an array");
    columns.iter().find(|column| column["path"] == path).unwrap_or_else(|| panic!("no column {path}"))
}

#[test]
fn columns_get_what_is_asked_for() {
    let folder = Folder::new();
    let (out, metadata) = converted(
        &folder,
        &[
            "--compression",
            "snappy",
            "--column",
            "species:encoding=delta_byte_array,compression=gzip:1,bloom=true",
            "--column",
            "position:compression=none,page_version=2",
            "--every-column",
            "page_rows=50",
        ],
    );
    assert_eq!(column(&metadata, "landed")["codec"], "SNAPPY");
    let species = column(&metadata, "species");
    assert_eq!((&species["codec"], species["bloom_filter"].is_object()), (&"GZIP".into(), true));
    assert!(column(&metadata, "landed")["bloom_filter"].is_null());
    assert!(pages(&out, "species").iter().all(|page| page["encoding"] == "DELTA_BYTE_ARRAY"));
    assert_eq!(pages(&out, "species").len(), 4);
    assert_eq!(column(&metadata, "position.lon")["codec"], "UNCOMPRESSED");
    assert!(pages(&out, "position.lon").iter().all(|page| page["type"] == "data v2" || page["type"] == "dictionary"));
    assert_eq!(rows(&out), rows(data("landings.zstd.parquet")), "whatever it is written with");
}

#[test]
fn files_and_pages_get_what_is_asked_for() {
    let folder = Folder::new();
    let groups = |metadata: &Value| metadata["row_groups"].as_array().expect("an array").len();
    let (_, plain) = converted(&folder, &[]);
    assert_eq!((groups(&plain), &plain["version"]), (1, &1.into()));
    assert_eq!(column(&plain, "landed")["codec"], "ZSTD");
    let (_, small) = converted(&folder, &["--row-group-rows", "64", "--format-version", "2", "--created-by", "me version 1"]);
    assert_eq!((groups(&small), &small["version"], &small["created_by"]), (4, &2.into(), &"me version 1".into()));
    let (out, _) = converted(&folder, &["--page-version", "2", "--page-rows", "20", "--no-dictionary"]);
    assert_eq!(pages(&out, "landed").len(), 10);
    assert!(pages(&out, "landed").iter().all(|page| page["type"] == "data v2" && page["rows"] == 20 && page["crc"].is_u64()));
    let (out, _) = converted(&folder, &["--page-bytes", "256B", "--every-column", "encoding=plain", "--no-crc"]);
    assert!(pages(&out, "position.lat").len() >= 6 && pages(&out, "position.lat").iter().all(|page| page["crc"].is_null()));
    let (out, bare) = converted(&folder, &["--statistics", "none", "--no-page-index", "--no-arrow-schema", "--encodings", "classic"]);
    assert!(column(&bare, "landed")["statistics"]["min"].is_null() && column(&bare, "landed")["offset_index"].is_null());
    assert!(bare["key_values"].as_array().is_some_and(|entries| entries.iter().all(|entry| entry["key"] != "ARROW:schema")), "{bare}");
    assert!(pages(&out, "landed").iter().all(|page| page["encoding"] == "PLAIN" || page["encoding"] == "RLE_DICTIONARY"));
    let (_, one) = converted(&folder, &["--no-column-index", "--truncation", "3", "--distinct-counts", "--root-name", "catch"]);
    assert!(column(&one, "species")["column_index"].is_null() && column(&one, "species")["offset_index"].is_object());
    assert_eq!(column(&one, "species")["statistics"]["min"]["bytes"].as_str().map(str::len), Some(6));
    assert!(column(&one, "species")["statistics"]["distinct_count"].is_u64(), "{one}");
    assert!(one["schema"].as_str().is_some_and(|schema| schema.starts_with("message catch {")));
    let (_, filters) = converted(&folder, &["--bloom", "species,position", "--bloom", "landed"]);
    for (path, has) in [("species", true), ("position.lat", true), ("landed", true), ("length_cm", false)] {
        assert_eq!(column(&filters, path)["bloom_filter"].is_object(), has, "{path}");
    }
    for threads in ["1", "2", "3"] {
        let (out, _) = converted(&folder, &["--threads", threads, "--row-group-rows", "30", "--memory", "64MiB"]);
        assert_eq!(rows(&out), rows(data("landings.zstd.parquet")), "{threads} threads");
    }
}

#[test]
fn pages_are_cut_by_their_content() {
    let folder = Folder::new();
    let text = |from: usize| (from..60_000).map(|i| format!("{}\n", i * 7919 % 100_003)).collect::<String>();
    let (all, fewer) = (folder.file("all.csv", "n\n".to_owned() + &text(0)), folder.file("fewer.csv", "n\n".to_owned() + &text(10)));
    let sizes = |input: &str, flags: &[&str]| -> Vec<Value> {
        let out = folder.path("out.parquet");
        printed(&[&["convert", "--every-column", "encoding=plain,compression=none"], flags, &[input, &out]].concat());
        pages(&out, "n").iter().map(|page| page["crc"].clone()).collect()
    };
    let common = |flags: &[&str]| {
        let (all, fewer) = (sizes(&all, flags), sizes(&fewer, flags));
        (all.len(), all.iter().filter(|page| fewer.contains(page)).count())
    };
    let (pages, equal) = common(&["--content-defined-chunking=8KiB,32KiB,0"]);
    assert!(pages > 15 && equal + 3 > pages, "{equal} of {pages} pages stay");
    assert_eq!(common(&["--page-bytes", "16KiB"]).1, 0, "pages cut by their size all change");
    assert_eq!(common(&["--content-defined-chunking"]).0, 1, "without sizes, pages have 256 KiB at the least");
}

#[test]
fn timestamps_are_stored_as_asked() {
    let folder = Folder::new();
    let input = folder.file("a.csv", "when stored\n2024-05-06T07:08:09.123\n");
    let out = folder.path("out.parquet");
    let schema = |flags: &[&str]| {
        printed(&[&["convert"], flags, &[&input, &out]].concat());
        printed(&["schema", &out]).lines().nth(1).map(|line| line.trim().to_owned()).expect("a line")
    };
    assert_eq!(schema(&["--timestamps", "us"]), "optional int64 \"when stored\" (TIMESTAMP(MICROS,false));");
    assert_eq!(schema(&["--timestamps", "ms"]), "optional int64 \"when stored\" (TIMESTAMP(MILLIS,false));");
    assert_eq!(schema(&["--timestamps", "int96"]), "optional int96 \"when stored\";");
    assert_eq!(lines(&out), [r#"{"when stored":"2024-05-06T07:08:09.123"}"#]);
    assert_eq!(schema(&["--spark"]), "optional int96 when_stored;");
    for name in ["when stored", "when_stored"] {
        assert_eq!(schema(&["--spark", "--column", &format!("{name}:encoding=plain")]), "optional int96 when_stored;");
    }
    let (numbers, sorted) = (folder.file("c.csv", "a b\n2\n1\n"), folder.path("sorted.parquet"));
    printed(&["convert", "--spark", "--sort-by", "\"a b\"", &numbers, &sorted]);
    assert_eq!(lines(&sorted), [r#"{"a_b":1}"#, r#"{"a_b":2}"#]);
    let fine = folder.path("fine.parquet");
    let nanos = folder.file("b.csv", "t\n2024-05-06T07:08:09.123456789\n");
    let timestamp = "message m { optional int64 t (TIMESTAMP(NANOS,false)); }";
    printed(&["convert", "--schema", timestamp, &nanos, &fine]);
    let said = complaint(&["convert", "--timestamps", "ms", &fine, &out], 1);
    assert!(said.contains("cannot write the rows"), "{said}");
    printed(&["convert", "--timestamps", "ms", "--allow-truncation", &fine, &out]);
    assert_eq!(lines(&out), [r#"{"t":"2024-05-06T07:08:09.123"}"#]);
    assert!(complaint(&["convert", "--timestamps", "ms", "--spark", &fine, &out], 2).contains("INT96"));
}

#[test]
fn rows_are_sorted_and_the_file_says_so() {
    let folder = Folder::new();
    let flags = ["--sort-by", "species desc, length_cm nulls first, landed", "--row-group-rows", "70", "--batch-rows", "16"];
    let (out, metadata) = converted(&folder, &flags);
    let sorting = &metadata["row_groups"][2]["sorting_columns"];
    assert_eq!(sorting.as_array().map(Vec::len), Some(3), "{sorting}");
    assert_eq!(sorting[0], serde_json::json!({"column": 1, "descending": true, "nulls_first": false}));
    let key = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let length = row["length_cm"].as_f64().unwrap_or(-1.0);
        (std::cmp::Reverse(row["species"].as_str().unwrap_or_default().to_owned()), (length * 1000.0) as i64, row["landed"].to_string())
    };
    let sorted = lines(&out);
    assert!(sorted.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])), "{sorted:?}");
    let as_set = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(as_set(sorted), as_set(lines(&data("landings.zstd.parquet"))), "no row is lost");
    let again = folder.path("again.parquet");
    printed(&["convert", "--sorted-by", "species desc, length_cm nulls first", &out, &again]);
    assert!(complaint(&["convert", "--sorted-by", "species", &out, &again], 1).contains("not sorted"));
    let said = complaint(&["convert", "--sort-by", "species", "--memory", "2KiB", &out, &again], 1);
    assert!(said.contains("--memory") && said.contains("--sorted-by"), "{said}");
    printed(&["convert", "--sort-by", "position.lat desc", &out, &again]);
    let latitudes: Vec<f64> = lines(&again)
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["position"]["lat"].as_f64().expect("a number"))
        .collect();
    assert!(latitudes.windows(2).all(|pair| pair[0] >= pair[1]));
}

#[test]
fn mistakes_are_answered_with_what_to_do() {
    let folder = Folder::new();
    let (input, out) = (data("landings.zstd.parquet"), folder.path("out.parquet"));
    for (flags, says) in [
        (&["--compression", "zip"][..], "choose from"),
        (&["--compression", "zstd:99"], "22"),
        (&["--column", "species"], "a colon and its options"),
        (&["--column", "species:encoding=rle_dict"], "choose from auto, plain"),
        (&["--column", "species:encoding=byte_stream_split"], "BYTE_STREAM_SPLIT"),
        (&["--column", "spices:crc=false"], "`spices`"),
        (&["--every-column", "pages=7"], "no option `pages`"),
        (&["--bloom", "boxen"], "`boxen`"),
        (&["--page-version", "3"], "1..=2"),
        (&["--row-group-rows", "0"], "row_group_rows is 0"),
        (&["--row-group-bytes", "many"], "128MiB"),
        (&["--page-bytes", "0"], "page_bytes is 0"),
        (&["--format-version", "3"], "1 or 2"),
        (&["--sort-by", ""], "a column is missing"),
        (&["--sort-by", "spices"], "spices"),
        (&["--sort-by", "boxes"], "boxes"),
        (&["--sort-by", "species", "--sorted-by", "species"], "cannot be used with"),
        (&["--key-value", "x"], "KEY=VALUE"),
        (&["--content-defined-chunking=1,2,3,4"], "256KiB,1MiB,0"),
        (&["--content-defined-chunking=8,2"], "16 at the least"),
        (&["--statistics", "none", "--every-column", "column_index=true"], "statistics"),
        (&["--schema", "message m {"], "schema"),
        (&["--schema", "/no/such/file"], "/no/such/file"),
        (&["--from", "xml"], "parquet, arrow, ndjson, csv"),
        (&["--delimiter", "ab"], "one ASCII character"),
    ] {
        let said = complaint(&[&["convert"], flags, &[&input, &out]].concat(), 2);
        assert!(said.contains(says), "{flags:?}: {said}");
    }
    assert!(names(folder.0.path()).is_empty(), "nothing is left behind");
    let said = complaint(&["convert", "--compression", "snappy", &input, &folder.path("out.csv")], 2);
    assert!(said.contains("OUT is no Parquet file"), "{said}");
    let said = complaint(&["convert", "-", &out], 2);
    assert!(said.contains("--from"), "{said}");
    assert!(complaint(&["convert", "--from", "parquet", "-", &out], 2).contains("read from its end"));
    assert!(complaint(&["convert", &input], 2).contains("OUT"));
    assert!(complaint(&["convert", "--no-overwrite", &input, &folder.file("old.parquet", "old")], 2).contains("old.parquet"));
    for (name, contents) in [("a.arrow", "not Arrow"), ("a.ndjson", "[1"), ("a.csv", "x,y\n1\n"), ("b.csv", "x\n\"a"), ("empty.arrow", "")]
    {
        let input = folder.file(name, contents);
        let output = crate::cli::run(&["convert", &input, &out]);
        if name != "b.csv" {
            assert!(complaint(&["convert", &input, &out], 1).contains(name), "{output:?}");
        }
    }
}
