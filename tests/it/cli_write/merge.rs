//! `merge` and `rewrite`.

use std::fs;

use super::{Folder, lines, metadata, pages, rows};
use crate::cli::{complaint, data, names, printed};

#[test]
fn files_of_one_schema_are_copied_together() {
    let folder = Folder::new();
    let (a, b) = (data("row-groups.of-3.parquet"), data("row-groups.of-50-v2.parquet"));
    let out = folder.path("out.parquet");
    let said = printed(&["merge", &out, &a, &b, &a]);
    let groups = |path: &str| metadata(path)["num_row_groups"].as_u64().expect("a number");
    assert!(said.contains("without decoding") && said.contains(&format!("copied {} row groups", 2 * groups(&a) + groups(&b))), "{said}");
    assert_eq!(lines(&out), [lines(&a), lines(&b), lines(&a)].concat());
    // Pages are the very same.
    let crcs = |path: &str| pages(path, "id").into_iter().map(|page| page["compressed_size"].clone()).collect::<Vec<_>>();
    assert_eq!(crcs(&out), [crcs(&a), crcs(&b), crcs(&a)].concat());
    printed(&["verify", &out]);
    printed(&["merge", "--key-value", "who=me", &out, &out, &a]);
    assert!(metadata(&out)["key_values"].to_string().contains("\"me\""));
    assert_eq!(groups(&out), 3 * groups(&a) + groups(&b), "OUT may be one of them");
    assert!(complaint(&["merge", "--no-overwrite", &out, &a], 2).contains("out.parquet"));
    assert_eq!(names(folder.0.path()), ["out.parquet"]);
}

#[test]
fn metadata_that_differ_are_left_out_with_a_warning() {
    let folder = Folder::new();
    let input = data("landings.zstd.parquet");
    let (a, b, out) = (folder.path("a.parquet"), folder.path("b.parquet"), folder.path("out.parquet"));
    printed(&["rewrite", "--key-value", "same=1", "--key-value", "who=a", &input, &a]);
    printed(&["rewrite", "--key-value", "same=1", "--key-value", "who=b", &input, &b]);
    let output = crate::cli::run(&["merge", "--key-value", "new=2", &out, &a, &b]);
    assert!(output.status.success());
    let said = crate::cli::text(&output.stderr);
    assert!(said.lines().count() == 1 && said.contains("warning") && said.contains("\"who\""), "{said}");
    let keys: Vec<String> = metadata(&out)["key_values"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| entry["key"].as_str().expect("a key").to_owned())
        .collect();
    assert!(keys.contains(&"same".to_owned()) && keys.contains(&"new".to_owned()) && !keys.contains(&"who".to_owned()), "{keys:?}");
    assert_eq!(rows(&out).schema().field(0), rows(&input).schema().field(0));
}

#[test]
fn other_schemas_are_refused_or_decoded() {
    let folder = Folder::new();
    let out = folder.path("out.parquet");
    let file = |name: &str, text: &str, schema: &str| {
        let (csv, path) = (folder.file("in.csv", text), folder.path(name));
        printed(&["convert", "--schema", schema, &csv, &path]);
        path
    };
    let a = file("a.parquet", "i,t\n1,x\n", "message m { required int32 i; optional binary t (STRING); }");
    let b = file("b.parquet", "i,f\n5000000000,1.5\n", "message m { optional int64 i; optional double f; }");
    let c = file("c.parquet", "i\nx\n", "message m { optional binary i (STRING); }");
    let said = complaint(&["merge", &out, &a, &b], 1);
    assert!(said.contains("`optional int64 i;` where `required int32 i;` is expected") && said.contains("--decode"), "{said}");
    let said = printed(&["merge", "--decode", "--sort-by", "i desc", &out, &a, &b]);
    assert!(said.contains("decoded and encoded 2 rows"), "{said}");
    assert_eq!(lines(&out), [r#"{"i":5000000000,"t":null,"f":1.5}"#, r#"{"i":1,"t":"x","f":null}"#]);
    let said = complaint(&["merge", "--decode", &out, &a, &c], 1);
    assert!(said.contains("c.parquet") && said.contains("`i: Int32 not null` and `i: Utf8`"), "{said}");
    assert!(complaint(&["merge", "--compression", "snappy", &out, &a, &a], 2).contains("--decode"));
    assert_eq!(lines(&out).len(), 2, "what was there stays");
    complaint(&["merge", &out, &a, &folder.file("none.parquet", "")], 1);
    complaint(&["merge", &out], 2);
}

#[test]
fn rewriting_copies_columns_and_metadata() {
    let folder = Folder::new();
    let (input, out) = (data("landings.zstd.parquet"), folder.path("out.parquet"));
    let said = printed(&["rewrite", &input, &out]);
    assert!(said.contains("copied 2 row groups of 200 rows without decoding"), "{said}");
    assert_eq!(rows(&out), rows(&input));
    printed(&["rewrite", "--columns", "boxes,position.lat", "--key-value", "who=me", &input, &out]);
    let picked = printed(&["cat", "--format", "json", "--columns", "position.lat,boxes", &input]);
    assert_eq!(lines(&out), picked.lines().collect::<Vec<_>>(), "in the order of the file");
    let schema = printed(&["schema", "--arrow", &out]);
    assert!(schema.contains("boxes: List") && !schema.contains("species"), "{schema}");
    printed(&["rewrite", "--drop-key-value", "who", "--drop-key-value", "ARROW:schema", &out, &out]);
    assert_eq!(metadata(&out)["key_values"], serde_json::json!([]));
    assert!(complaint(&["rewrite", "--columns", "no such", &input, &out], 2).contains("no such"));
    assert!(complaint(&["rewrite", &folder.file("none.parquet", "x"), &out], 1).contains("none.parquet"));
    assert_eq!(names(folder.0.path()), ["none.parquet", "out.parquet"]);
}

#[test]
fn rewriting_with_options_encodes_anew() {
    let folder = Folder::new();
    let (input, out) = (data("landings.zstd.parquet"), folder.path("out.parquet"));
    fs::copy(&input, &out).expect("copied");
    let said = printed(&["rewrite", "--compression", "snappy", "--page-version", "2", "--sort-by", "length_cm", &out, &out]);
    assert!(said.contains("decoded and encoded 200 rows"), "{said}");
    let told = metadata(&out);
    assert_eq!(told["row_groups"][0]["columns"][0]["codec"], "SNAPPY");
    assert_eq!(told["row_groups"][0]["sorting_columns"][0]["column"], 2);
    assert_eq!(rows(&out).schema(), rows(&input).schema());
    printed(&["rewrite", "--columns", "boxes,landed", "--row-group-rows", "10", "--key-value", "k=v", "--threads", "2", &out, &out]);
    assert_eq!(metadata(&out)["num_row_groups"], 20);
    assert!(lines(&out)[0].starts_with("{\"boxes\":"), "in the order asked for");
    assert!(complaint(&["rewrite", "--sort-by", "boxes", &input, &out], 2).contains("boxes"));
}

#[test]
fn timestamps_beyond_nanoseconds_are_read_as_microseconds() {
    let folder = Folder::new();
    let (input, out) = (crate::cli::far_away(folder.0.path()), folder.path("out.parquet"));
    for command in [&["merge", "--decode", &out, &input, &input][..], &["rewrite", "--compression", "none", &input, &out]] {
        let output = crate::cli::run(command);
        let said = crate::cli::text(&output.stderr);
        assert!(output.status.success() && said.contains("INT96") && said.contains("microseconds"), "{command:?}: {said}");
        assert!(lines(&out).iter().any(|line| line.contains("5000-01-01T")), "{command:?}");
        let strict = [command, &["--int96-overflow", "error"]].concat();
        assert!(complaint(&strict, 2).contains("INT96"), "{strict:?}");
        printed(&[command, &["--int96-overflow", "null"]].concat());
        assert!(!lines(&out).iter().any(|line| line.contains("5000-01-01T")), "{command:?}");
    }
    assert!(complaint(&["merge", "--int96-unit", "us", &out, &input], 2).contains("--decode"));
    // What went to a pipe is gone: nothing is written twice.
    for command in [
        &["merge", "--decode", "-", &input][..],
        &["rewrite", "--compression", "none", &input, "-"],
        &["convert", "--to", "csv", &input, "-"],
        &["convert", "--to", "arrow", &input, "/dev/stdout"],
    ] {
        let said = complaint(command, 2);
        assert!(said.contains("INT96") && said.contains("--int96-unit us"), "{command:?}: {said}");
        assert!(crate::cli::run(&[command, &["--int96-unit", "us"]].concat()).status.success(), "{command:?}");
    }
}

#[test]
fn bloom_filters_of_some_row_groups_answer_for_those() {
    let folder = Folder::new();
    let (input, with, without, both) =
        (data("landings.zstd.parquet"), folder.path("with.parquet"), folder.path("without.parquet"), folder.path("both.parquet"));
    printed(&["rewrite", "--bloom", "species", &input, &with]);
    printed(&["rewrite", "--compression", "none", &input, &without]);
    printed(&["merge", &both, &with, &without]);
    let answers = printed(&["bloom", &both, "-c", "species", "no fish of this name", "--json"]);
    let answers: Vec<serde_json::Value> = answers.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<_> = answers.iter().map(|answer| (answer["bloom_filter"] == true, answer["may_contain"] == true)).collect();
    assert_eq!(told, [(true, false), (false, true)]);
    assert!(complaint(&["bloom", &without, "-c", "species", "x"], 1).contains("no bloom filter"));
}

#[test]
fn entries_that_are_left_out_do_not_come_back() {
    let folder = Folder::new();
    let (input, out, again) = (data("landings.zstd.parquet"), folder.path("out.parquet"), folder.path("again.parquet"));
    for encoded in [&["--compression", "snappy"][..], &[]] {
        printed(&[&["rewrite", "--key-value", "secret=1", "--key-value", "kept=2"], encoded, &[&input, &out]].concat());
        // The second time the entry is in the stored schema as well.
        printed(&["rewrite", "--compression", "none", &out, &out]);
        assert!(printed(&["schema", "--arrow", &out]).contains("secret: 1"));
        printed(&[&["rewrite", "--drop-key-value", "secret"], encoded, &[&out, &again]].concat());
        let schema = printed(&["schema", "--arrow", &again]);
        assert!(!schema.contains("secret") && schema.contains("kept: 2"), "{encoded:?}: {schema}");
        assert_eq!(rows(&again).schema().fields(), rows(&input).schema().fields());
        printed(&[&["rewrite", "--drop-key-value", "ARROW:schema"], encoded, &[&out, &again]].concat());
        let keys: Vec<_> = metadata(&again)["key_values"].as_array().expect("a list").iter().map(|entry| entry["key"].clone()).collect();
        assert_eq!(keys, ["kept", "secret"], "{encoded:?}");
    }
}

#[test]
fn standard_output_takes_files() {
    let folder = Folder::new();
    let (input, out) = (data("landings.zstd.parquet"), folder.path("out.parquet"));
    let commands: [&[&str]; 4] = [
        &["merge", "-", &input],
        &["merge", "--decode", "-", &input],
        &["rewrite", &input, "-"],
        &["convert", "--to", "parquet", &input, "-"],
    ];
    for command in commands {
        let output = crate::cli::run(command);
        assert!(output.status.success(), "{command:?}: {}", crate::cli::text(&output.stderr));
        fs::write(&out, &output.stdout).expect("written");
        printed(&["verify", "--strict", &out]);
        assert_eq!(lines(&out), lines(&input), "{command:?}");
    }
    assert!(complaint(&["convert", &input, "-"], 2).contains("--to"));
    let csv = printed(&["convert", "--to", "csv", "--null", "NULL", &input, "-"]);
    assert_eq!(csv.lines().count(), lines(&input).len() + 1);
    assert!(complaint(&["convert", "--null", "NULL", &input, &out], 2).contains("--null"));
    assert_eq!(names(folder.0.path()), ["out.parquet"]);
}
