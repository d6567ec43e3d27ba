//! The commands that check files: `verify`, `bloom`, `rowgroups`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_herringbone")).args(args).output().expect("the command starts")
}

/// What a command that must end with this code prints.
fn printed(args: &[&str], code: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn data(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name).display().to_string()
}

#[test]
fn summaries_of_other_files_show_their_schema_and_have_no_rows() {
    let original = herringbone::read::FileSource::open(data("row-groups.of-50-v2.parquet")).expect("the file");
    let metadata = herringbone::read::metadata(&original, &herringbone::Limits::default()).expect("a footer");
    let (mut footer, _) =
        herringbone::format::FileMetaData::from_bytes(metadata.footer(), &herringbone::Limits::default()).expect("a footer");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (summary, of_chunks, other) = (path("_common_metadata"), path("_metadata"), path("other.parquet"));
    let write = |path: &str, footer: &herringbone::format::FileMetaData<'_>| {
        let footer = footer.to_bytes().expect("a footer");
        fs::write(path, [b"PAR1", &footer[..], &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat()).expect("a file");
    };
    footer.row_groups.iter_mut().flat_map(|group| &mut group.columns).for_each(|chunk| chunk.file_path = Some("part.parquet".into()));
    write(&of_chunks, &footer);
    assert_eq!(printed(&["count", &of_chunks], 0), format!("{}\n", metadata.num_rows()));
    let refused = run(&["cat", &of_chunks]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("pages are in another file") && said.contains("row group 0"), "{said}");

    footer.row_groups.clear();
    write(&summary, &footer);
    assert_eq!(printed(&["schema", &summary], 0), printed(&["schema", &data("row-groups.of-50-v2.parquet")], 0));
    let why = format!("claims {} rows, but has no row groups", metadata.num_rows());
    assert!(printed(&["meta", &summary], 0).contains(&why));
    for args in [vec!["count", &summary], vec!["cat", &summary], vec!["rewrite", &summary, &other], vec!["merge", &other, &summary]] {
        let output = run(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(&why) && said.contains("_common_metadata"), "{args:?}: {said}");
        assert!(!Path::new(&other).exists(), "{args:?}");
    }
}

#[test]
fn verify_reports_by_file_and_ends_with_1() {
    let good = data("bloom-filters.index-v2.parquet");
    assert_eq!(printed(&["verify", &good], 0), format!("{good}: nothing wrong (1 row groups, 9 pages, 513 values)\n"));
    // One byte of the first page.
    let folder = tempfile::tempdir().expect("a folder");
    let bad = folder.path().join("bad.parquet").display().to_string();
    let mut bytes = fs::read(data("tiny-pages.plain-v2-index-crc.parquet")).expect("the file");
    bytes[60] ^= 1;
    fs::write(&bad, bytes).expect("a file");
    let text = printed(&["verify", &good, &bad], 1);
    assert!(text.contains(&format!("{good}: nothing wrong")) && text.contains("\n  error page-crc (column "), "{text}");
    let found = lines(&printed(&["verify", "--json", &good, &bad], 1));
    assert_eq!((found.len(), &found[0]["errors"], &found[0]["findings"]), (2, &Value::from(0), &Value::Array(Vec::new())));
    let finding = &found[1]["findings"][0];
    assert_eq!(
        (&finding["severity"], &finding["code"], &finding["page"]),
        (&Value::from("error"), &Value::from("page-crc"), &Value::from(0))
    );
    assert_eq!(run(&["verify", "--quiet", &bad]), Output { status: run(&["verify", &bad]).status, stdout: Vec::new(), stderr: Vec::new() });
}

#[test]
fn warnings_count_when_they_are_asked_to() {
    let old = data("strings.dba-v1.parquet");
    assert!(printed(&["verify", &old], 0).contains(": 0 errors, 6 warnings ("));
    printed(&["verify", "--strict", &old], 1);
    let few = printed(&["verify", "--most", "2", &old], 0);
    assert!(few.ends_with("  and 4 more\n") && few.lines().count() == 4, "{few}");
    let missing = run(&["verify", "/no/such/file"]);
    assert!(missing.status.code() == Some(1) && String::from_utf8_lossy(&missing.stderr).contains("/no/such/file"), "{missing:?}");
}

#[test]
fn what_was_not_checked_is_not_said_to_be_right() {
    let strange = data("unsupported.columns.parquet");
    let text = printed(&["verify", &strange], 0);
    assert!(
        text.starts_with(&format!("{strange}: not checked in full: 3 of 4 column chunks; nothing wrong in the rest (1 row groups, ")),
        "{text}"
    );
    let order = data("raw-shapes.column-orders.parquet");
    let text = printed(&["verify", &order], 0);
    assert!(text.starts_with(&format!("{order}: not checked in full; nothing wrong in the rest (")), "{text}");
    let several = order.replace("column-orders", "*");
    let said = run(&["verify", "--strict", &strange, &several]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let files = glob::glob(&several).expect("a pattern").count() + 1;
    assert!(files > 2 && said.contains(&format!("of {files} files")), "{said}");
    for file in [&strange, &order] {
        let output = run(&["verify", "--strict", file]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(1) && said.contains("1 of 1 files have something wrong or were not checked in full"),
            "{said}"
        );
        assert_eq!(run(&["verify", "--strict", "--quiet", file]).status.code(), Some(1));
        let report = &lines(&printed(&["verify", "--json", file], 0))[0];
        assert_eq!((&report["complete"], &report["errors"]), (&Value::from(false), &Value::from(0)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let encrypted = folder.path().join("encrypted.parquet").display().to_string();
    fs::write(&encrypted, b"PAREwhatever\x08\0\0\0PARE").expect("a file");
    let text = printed(&["verify", &encrypted], 0);
    assert!(text.starts_with(&format!("{encrypted}: not checked (0 row groups, ")), "{text}");
    printed(&["verify", "--strict", &encrypted], 1);
    // What is more than may be read was not checked, either.
    let good = data("bloom-filters.index-v2.parquet");
    printed(&["verify", "--strict", &good], 0);
    printed(&["verify", "--strict", "--bytes", "1000000", &good], 0);
    assert!(printed(&["verify", "--bytes", "2000", &good], 0).contains("not checked in full: 5 of 5 column chunks; nothing wrong"));
}

#[test]
fn bloom_filters_answer() {
    let file = data("bloom-filters.index-v2.parquet");
    let answers = lines(&printed(&["bloom", &file, "--column", "id", "--json", "0", "119", "1000000", "-5"], 0));
    let may: Vec<_> = answers.iter().map(|answer| answer["may_contain"].as_bool().expect("an answer")).collect();
    assert_eq!(may, [true, true, false, false]);
    assert_eq!(lines(&printed(&["bloom", "--column", "id", &file, "0", "-5", "--json"], 0)).len(), 2, "options may come last");
    let text = printed(&["bloom", &file, "-c", "id", "7"], 0);
    assert_eq!(text.lines().last(), Some("        0 | 7     | may be there"));
    for (args, says) in [
        (&["bloom", &file, "-c", "id", "seven"][..], "no value of the column \"id\", which is INT64"),
        (&["bloom", &file, "-c", "nobody", "7"], "no column \"nobody\""),
    ] {
        let output = run(args);
        assert!(output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains(says), "{output:?}");
    }
    let without = run(&["bloom", &data("ints.plain-v1.parquet"), "-c", "i8", "7"]);
    let said = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(without.status.code() == Some(1) && said.contains("has no bloom filter"), "{said}");
}

#[test]
fn row_groups_are_listed() {
    let file = data("sorting-columns.v1.parquet");
    let groups = lines(&printed(&["rowgroups", "--json", &file], 0));
    assert!(!groups.is_empty() && groups[0]["sorted_by"][0]["column"].is_string(), "{groups:?}");
    let rows: u64 = groups.iter().map(|group| group["rows"].as_u64().expect("a number")).sum();
    assert_eq!(rows.to_string(), printed(&["count", &file], 0).trim());
    let chunks = lines(&printed(&["rowgroups", "--json", "--column", "*", &file], 0));
    let sum: u64 = chunks.iter().map(|chunk| chunk["compressed_size"].as_u64().expect("a number")).sum();
    assert_eq!(sum, groups.iter().map(|group| group["compressed_size"].as_u64().expect("a number")).sum::<u64>());
    let table = printed(&["rowgroups", &file], 0);
    assert!(table.starts_with("row group | rows | compressed | uncompressed | ratio | start |"), "{table}");
}

/// A name is printed for each of very many sorting columns, unless few of them are shown.
#[test]
fn long_lists_of_sorting_columns_are_cut() {
    let original = fs::read(data("row-groups.of-50-v2.parquet")).expect("the file");
    let metadata = herringbone::read::metadata(&bytes::Bytes::from(original.clone()), &herringbone::Limits::default()).expect("a footer");
    let (mut footer, _) =
        herringbone::format::FileMetaData::from_bytes(metadata.footer(), &herringbone::Limits::default()).expect("a footer");
    footer.schema[1].name = "ä".repeat(50_000).into();
    let sorting = herringbone::format::SortingColumn { column_idx: 0, descending: true, nulls_first: false };
    footer.row_groups[0].sorting_columns = Some(vec![sorting; 2000]);
    let footer = footer.to_bytes().expect("a footer");
    let pages = &original[..original.len() - 8 - metadata.footer_size()];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sorted.parquet").display().to_string();
    fs::write(&path, [pages, &footer, &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat()).expect("a file");
    for command in ["meta", "rowgroups"] {
        let text = printed(&[command, &path], 0);
        assert!(text.contains("ä… descending, ä") && text.contains(", and 1980 more"), "{command}: {} bytes", text.len());
        assert!(text.len() < 1_000_000, "{command}: {} bytes", text.len());
    }
    let text = printed(&["rowgroups", "--json", &path], 0);
    assert!(text.len() < 1_000_000, "{} bytes", text.len());
    let groups = lines(&text);
    assert_eq!((groups[0]["sorted_by"].as_array().map(Vec::len), &groups[0]["sorted_by_more"]), (Some(1), &Value::from(1999)));
    assert_eq!(groups[1].get("sorted_by_more"), None);
}

/// What reading may take is set for all commands that read Parquet files.
#[test]
fn limits_are_set_on_the_command_line() {
    let file = data("codecs.zstd-v1.parquet");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.parquet").display().to_string();
    let commands: [&[&str]; 12] = [
        &["schema", &file],
        &["meta", &file],
        &["pages", &file, "--column", "word"],
        &["rowgroups", &file],
        &["bloom", &file, "--column", "word", "a"],
        &["count", &file],
        &["head", &file],
        &["cat", &file],
        &["convert", &file, &out],
        &["merge", &out, &file],
        &["rewrite", &file, &out, "--columns", "word"],
        &["bench", &file, "--runs", "1"],
    ];
    for command in commands {
        let output = run(&[&["--limits", "memory=1GiB,footer=100"], command].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("Limits::footer_bytes"), "{command:?}: {said}");
    }
    let of_pages: [&[&str]; 5] = [
        &["cat", &file],
        &["head", &file],
        &["pages", &file, "--column", "word"],
        &["convert", &file, &out],
        &["bench", &file, "--by-column"],
    ];
    for command in of_pages {
        let output = run(&[command, &["--limits", "page=10"]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("Limits::page_bytes") && said.contains("--limits"), "{command:?}: {said}");
    }
    assert!(printed(&["verify", "--strict", &file, "--limits", "footer=100"], 1).contains("at most 100 bytes"));
    assert_eq!(printed(&["cat", &file, "--limits", "page=1MiB,memory=16KiB,batch=16KiB"], 0), printed(&["cat", &file], 0));
    assert_eq!(run(&["cat", &file, "--limits", "pages=10"]).status.code(), Some(2));
}
