//! The command, run as people run it, over `testdata/`.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_select::concat::concat_batches;
use herringbone::arrow::ParquetFile;
use herringbone::schema::Schema;
use serde_json::Value;

use crate::files;

pub(crate) fn command(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_herringbone"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs the command and checks that it keeps to what holds for all of them.
pub(crate) fn run(args: &[&str]) -> Output {
    let output = command(args).output().expect("the command starts");
    let code = output.status.code().unwrap_or_else(|| panic!("{args:?} was killed: {output:?}"));
    assert!((0..=2).contains(&code), "{args:?} ended with {code}: {output:?}");
    assert!(code == 0 || !output.stderr.is_empty(), "{args:?} failed without a word");
    assert!(!text(&output.stderr).contains("panicked"), "{args:?}: {output:?}");
    output
}

/// What a command that must succeed prints.
pub(crate) fn printed(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The complaint of a command that must fail with this code: one line.
pub(crate) fn complaint(args: &[&str], code: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    let said = text(&output.stderr);
    assert!(
        code == 2 && said.starts_with("error:") || said.starts_with("herringbone: ") && said.lines().count() == 1,
        "{args:?}: {said:?}"
    );
    said
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

pub(crate) fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    assert!(path.exists(), "{}", path.display());
    path.display().to_string()
}

fn read_ipc(path: &Path) -> RecordBatch {
    let reader = FileReader::try_new(fs::File::open(path).expect("a file"), None).expect("an Arrow IPC file");
    let schema = reader.schema();
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("a batch")).collect();
    concat_batches(&schema, &batches).expect("batches of one schema")
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// Everything that is readable, which most tests go through; each file with its path as text.
fn readable() -> Vec<(String, PathBuf)> {
    let files = files::all().into_iter().filter(|file| file.name != "unsupported.columns");
    files.map(|file| (file.path.display().to_string(), file.path)).collect()
}

pub(crate) fn check_readable(check: impl Fn(&str, &Path) + Sync) {
    let files = readable();
    files::for_each(
        &files,
        |(name, _)| name.clone(),
        |(name, path)| {
            check(name, path);
            Ok(())
        },
    );
}

#[test]
fn help_and_versions() {
    assert!(printed(&["--version"]).starts_with("herringbone "));
    let help = printed(&["--help"]);
    for command in ["schema", "meta", "pages", "count", "head", "cat", "convert", "merge", "rewrite", "bench"] {
        assert!(help.contains(command), "{help}");
        assert!(printed(&[command, "--help"]).contains("Usage: herringbone"), "{command}");
    }
}

#[test]
fn bad_usage_ends_with_2() {
    let file = data("one-row.v1.parquet");
    assert_eq!(run(&[]).status.code(), Some(2));
    for args in [
        &["catch"][..],
        &["head"],
        &["head", "-n", "-1", &file],
        &["head", "--columns", "no such", &file],
        &["cat", "--columns", "\"", &file],
        &["cat", "--format", "xml", &file],
        &["pages", &file],
        &["pages", "-c", "no such", &file],
        &["pages", "-c", "id", "--row-group", "7", &file],
        &["meta", "--row-group", "7", &file],
        &["meta", "--page-index", &file],
        &["convert", &file],
        &["convert", &file, "out.unknown"],
        &["convert", &file, "out"],
        &["convert", "--batch-rows", "0", &file, "out.csv"],
        &["bench", "--runs", "0", &file],
        &["bench", "--tsv", "--by-column", &file],
    ] {
        complaint(args, 2);
    }
    assert!(complaint(&["head", "--columns", "no such", &file], 2).contains("no such"));
}

#[test]
fn bad_files_end_with_1_and_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().join("none.parquet").display().to_string();
    let (empty, wrong) = (folder.path().join("empty.parquet"), folder.path().join("wrong\nline.parquet"));
    fs::write(&empty, b"").expect("written");
    fs::write(&wrong, b"this is not a Parquet file at all").expect("written");
    for path in [&none, &empty.display().to_string(), &wrong.display().to_string(), &folder.path().display().to_string()] {
        let out = folder.path().join("out.csv").display().to_string();
        for args in [
            &["schema", path][..],
            &["schema", "--arrow", path],
            &["meta", path],
            &["meta", "--json", path],
            &["pages", "-c", "x", path],
            &["count", path],
            &["head", path],
            &["cat", path],
            &["convert", path, &out],
            &["bench", path],
            &["bench", "--tsv", path],
            &["bench", "--by-column", path],
        ] {
            let said = complaint(args, 1);
            assert!(said.contains(&path.replace('\n', "\\n")), "{said}");
        }
    }
    assert_eq!(names(folder.path()), ["empty.parquet", "wrong\nline.parquet"]);
}

#[test]
fn schemas_print_and_parse() {
    check_readable(|name, path| {
        let schema: Schema = printed(&["schema", name]).parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(schema.to_string(), ParquetFile::open(path).expect("a file").metadata().schema().to_string());
        let arrow = printed(&["schema", "--arrow", name]);
        let fields = arrow.lines().take_while(|line| *line != "metadata:").filter(|line| !line.starts_with(' ')).count();
        assert_eq!(fields, ParquetFile::open(path).expect("a file").arrow_schema().expect("a schema").fields().len(), "{name}: {arrow}");
    });
}

#[test]
fn arrow_schemas_show_what_is_nested() {
    let arrow = printed(&["schema", "--arrow", &data("duckdb-nested.v1-snappy.parquet")]);
    assert!(arrow.lines().any(|line| line.starts_with("  ") && line.contains(": ")), "{arrow}");
}

#[test]
fn counts_add_up() {
    let files = readable();
    let counts: Vec<u64> = files.iter().map(|(_, path)| ParquetFile::open(path).expect("a file").metadata().num_rows()).collect();
    let args: Vec<&str> = ["count"].into_iter().chain(files.iter().map(|(name, _)| name.as_str())).collect();
    let lines = printed(&args);
    let printed_counts: Vec<u64> =
        lines.lines().map(|line| line.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number")).collect();
    assert_eq!(printed_counts.len(), files.len() + 1);
    assert_eq!(printed_counts[..files.len()], counts);
    assert_eq!(printed_counts[files.len()], counts.iter().sum::<u64>());
    assert_eq!(printed(&["count", &files[0].0]), format!("{}\n", counts[0]));
}

#[test]
fn counting_goes_on_after_a_bad_file() {
    let file = data("ints.plain-v1.parquet");
    let output = run(&["count", "/no/such/file", &file]);
    assert_eq!(output.status.code(), Some(1));
    let lines = text(&output.stdout);
    assert!(lines.lines().count() == 2 && lines.contains("ints.plain-v1"), "{lines}");
    assert!(text(&output.stderr).contains("/no/such/file"));
}

#[test]
fn every_file_prints_in_every_format() {
    check_readable(|name, path| {
        let parquet = ParquetFile::open(path).expect("a file");
        let rows = parquet.metadata().num_rows() as usize;
        let json = printed(&["cat", "--format", "json", name]);
        assert_eq!(json.lines().count(), rows, "{name}");
        let columns = parquet.arrow_schema().expect("a schema");
        let distinct: std::collections::BTreeSet<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
        for line in json.lines() {
            let row: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}: {line}"));
            assert_eq!(row.as_object().map(serde_json::Map::len), Some(distinct.len()), "{name}: {line}");
        }
        let table = printed(&["cat", name]);
        assert_eq!(table.lines().count(), rows + 2, "{name}");
        let csv = printed(&["cat", "--format", "csv", name]);
        assert!(csv.lines().count() > rows.min(1), "{name}");
        let head = printed(&["head", "-n", "3", name]);
        assert_eq!(head.lines().count(), rows.min(3) + 2, "{name}");
    });
}

#[test]
fn tables_as_they_look() {
    let table = printed(&["head", "-n", "2", "--columns", "list,word,id", &data("row-groups.of-3.parquet")]);
    assert_eq!(table, "list | word | id\n-----+------+---\n[]   |      |  0\nNULL | a    |  1\n");
    let csv = printed(&["head", "-n", "2", "--columns", "list,word,id", "--format", "csv", &data("row-groups.of-3.parquet")]);
    assert_eq!(csv, "list,word,id\n[],\"\",0\n,a,1\n");
    let json = printed(&["head", "-n", "2", "--columns", "list,word,id", "--format", "json", &data("row-groups.of-3.parquet")]);
    assert_eq!(json, "{\"list\":[],\"word\":\"\",\"id\":0}\n{\"list\":null,\"word\":\"a\",\"id\":1}\n");
}

#[test]
fn offsets_and_limits_count_over_all_files() {
    let files = [data("row-groups.of-3.parquet"), data("row-groups.of-50-v2.parquet")];
    let cat = |args: &[&str]| -> Vec<String> {
        let args: Vec<&str> =
            ["cat", "--format", "json"].into_iter().chain(args.iter().copied()).chain(files.iter().map(String::as_str)).collect();
        printed(&args).lines().map(str::to_owned).collect()
    };
    let all = cat(&[]);
    let one = all.len() / 2;
    for (offset, limit) in [(0, 5), (3, 1), (one - 2, 4), (one, 3), (one + 1, 1000), (2 * one, 1), (9999, 9999), (0, 0)] {
        let expected: Vec<String> = all.iter().skip(offset).take(limit).cloned().collect();
        let (offset, limit) = (offset.to_string(), limit.to_string());
        assert_eq!(cat(&["--offset", &offset, "--limit", &limit]), expected, "--offset {offset} --limit {limit}");
    }
}

#[test]
fn files_of_different_columns_follow_one_another_except_in_csv() {
    let (a, b) = (data("one-row.v1.parquet"), data("bools.plain-v1.parquet"));
    let both = printed(&["cat", "--format", "json", &a, &b]);
    assert_eq!(both, printed(&["cat", "--format", "json", &a]) + &printed(&["cat", "--format", "json", &b]));
    assert_eq!(printed(&["cat", &a, &b]), printed(&["cat", &a]) + "\n" + &printed(&["cat", &b]));
    assert!(complaint(&["cat", "--format", "csv", &a, &b], 1).contains("bools.plain-v1"));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_it_quietly() {
    let file = data("long-strings.plain-zstd.parquet");
    let many: Vec<&str> = std::iter::repeat_n(file.as_str(), 50).collect();
    for format in ["table", "json", "csv"] {
        let mut child = command(["cat", "--format", format].iter().chain(&many))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("a line");
        drop(out);
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{format}");
        assert_eq!((said.as_str(), line.is_empty()), ("", false), "{format}");
    }
}

#[cfg(unix)]
#[test]
fn every_command_is_quiet_when_nobody_listens() {
    let file = data("wide.90-columns.parquet");
    for args in [
        &["--help"][..],
        &["schema", &file],
        &["schema", "--arrow", &file],
        &["meta", &file],
        &["meta", "--json", &file],
        &["count", &file],
        &["head", &file],
        &["cat", "--format", "json", &file],
        &["bench", "--tsv", "--runs", "1", &file],
        &["bench", "--runs", "1", &file],
        &["bench", "--by-column", "--runs", "1", &file],
        &["pages", "-c", "id", &data("tiny-pages.v1.parquet")],
    ] {
        let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        assert_eq!((child.wait().expect("an end").code(), said.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn summaries_name_every_column() {
    check_readable(|name, path| {
        let parquet = ParquetFile::open(path).expect("a file");
        let summary = printed(&["meta", name]);
        let leaves = parquet.metadata().schema().leaves();
        let listed = summary.lines().skip_while(|line| !line.starts_with("columns, all")).skip(3).take_while(|line| !line.is_empty());
        assert_eq!(listed.count(), leaves.len(), "{name}: {summary}");
        for group in 0..parquet.metadata().num_row_groups().min(2) {
            let one = printed(&["meta", "--row-group", &group.to_string(), name]);
            assert!(one.contains(&format!("columns of row group {group}:")), "{one}");
        }
    });
}

#[test]
fn a_summary_says_what_matters() {
    let summary = printed(&["meta", &data("spark.snappy.parquet")]);
    for part in ["100 in 1 row group\n", "parquet-mr version 1.17.0", "SNAPPY", "DECIMAL(9,2)", "-49.000", "2020-04-09", "offset index"] {
        assert!(summary.contains(part), "{part} is missing: {summary}");
    }
    let sorted = printed(&["meta", &data("sorting-columns.v1.parquet")]);
    assert!(sorted.lines().last().is_some_and(|line| line.split('|').next_back().is_some_and(|by| by.trim().len() > 1)), "{sorted}");
    let bloom = printed(&["meta", &data("spark.v2-plain-bloom.parquet")]);
    assert!(bloom.contains("bloom filter"), "{bloom}");
}

#[test]
fn json_metadata_hold_together() {
    check_readable(|name, path| {
        let parquet = ParquetFile::open(path).expect("a file");
        let metadata = parquet.metadata();
        for indexes in [false, true] {
            let args: &[&str] = if indexes { &["meta", "--json", "--page-index", name] } else { &["meta", "--json", name] };
            let all: Value = serde_json::from_str(&printed(args)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(all["num_rows"], metadata.num_rows(), "{name}");
            assert_eq!(all["created_by"].as_str(), metadata.created_by(), "{name}");
            assert_eq!(all["columns"].as_array().map(Vec::len), Some(metadata.schema().leaves().len()), "{name}");
            let groups = all["row_groups"].as_array().expect("an array");
            assert_eq!(groups.iter().filter_map(|group| group["num_rows"].as_u64()).sum::<u64>(), metadata.num_rows(), "{name}");
            for group in groups {
                for column in group["columns"].as_array().expect("an array") {
                    assert!(column["compressed_size"].is_u64() && column["codec"].is_string(), "{name}: {column}");
                    let pages = column["pages"]["pages"].as_array();
                    assert_eq!(pages.is_some(), indexes && column["offset_index"].is_object(), "{name}: {column}");
                    let rows: Option<u64> = pages.map(|pages| pages.iter().filter_map(|page| page["rows"].as_u64()).sum());
                    assert!(rows.is_none_or(|rows| group["num_rows"] == rows), "{name}: {column}");
                }
            }
        }
    });
}

#[test]
fn statistics_have_types_in_json() {
    let all: Value = serde_json::from_str(&printed(&["meta", "--json", &data("spark.snappy.parquet")])).expect("JSON");
    let columns = all["row_groups"][0]["columns"].as_array().expect("an array");
    let bound = |path: &str, side: &str| {
        let column = columns.iter().find(|column| column["path"] == path).expect("the column");
        column["statistics"][side].clone()
    };
    assert_eq!(bound("i32", "min")["value"], 1000);
    assert_eq!(bound("i32", "min")["bytes"], "e8030000");
    assert_eq!(bound("flag", "max")["value"], true);
    assert_eq!(bound("f64", "max")["value"], 33.0);
    assert_eq!(bound("date", "min")["value"], "2020-01-01");
    assert_eq!(bound("d38", "max")["value"], "49.00000");
}

#[test]
fn pages_add_up_to_their_columns() {
    check_readable(|name, path| {
        let parquet = ParquetFile::open(path).expect("a file");
        let metadata = parquet.metadata();
        let leaves = metadata.schema().leaves();
        for leaf in leaves.iter().step_by(leaves.len() / 4 + 1) {
            let shared = leaves.iter().filter(|other| other.path.dotted() == leaf.path.dotted()).count() > 1;
            let field = metadata.schema().field(leaf.path.dotted()).map(|field| field.leaves());
            if shared || field != Some(leaf.index..leaf.index + 1) {
                continue;
            }
            // A name with a comma in it is no list here.
            let lines = printed(&["pages", "--json", "-c", leaf.path.dotted(), name]);
            let pages: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            for group in metadata.row_groups() {
                let values: u64 = pages
                    .iter()
                    .filter(|page| page["row_group"] == group.index() && page["type"] != "dictionary")
                    .filter_map(|page| page["values"].as_u64())
                    .sum();
                assert_eq!(values, group.column(leaf.index).expect("a column").num_values(), "{name}: {}", leaf.path);
            }
            let table = printed(&["pages", "-c", leaf.path.dotted(), name]);
            assert_eq!(table.lines().count(), pages.len() + 2, "{name}");
        }
    });
}

#[test]
fn pages_show_their_index() {
    let lines = printed(&["pages", "--json", "--verify-crc", "-c", "price", &data("tiny-pages.v1-index-crc.parquet")]);
    let pages: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let rows: u64 = pages.iter().filter_map(|page| page["rows"].as_u64()).sum();
    assert_eq!(rows, 60);
    assert!(pages.iter().all(|page| page["crc"].is_u64()), "{lines}");
    assert!(pages.iter().any(|page| page["min"]["value"].is_f64() && page["nulls"].is_u64()), "{lines}");
    assert!(complaint(&["pages", "-c", "list", &data("duckdb-nested.v1-snappy.parquet"), "--row-group", "9"], 2).contains("row group 9"));
}

#[test]
fn conversions_to_arrow_equal_the_golden_answers() {
    let files = files::all();
    let folder = tempfile::tempdir().expect("a folder");
    let check = |file: &files::TestFile| -> Result<(), String> {
        if file.name == "unsupported.columns" {
            return Ok(());
        }
        let (input, out) = (file.path.display().to_string(), folder.path().join(format!("{}.arrow", file.name)));
        printed(&["convert", "--batch-rows", "50", &input, &out.display().to_string()]);
        let (ours, golden) = (read_ipc(&out), file.golden());
        if ours.num_rows() != golden.num_rows() || ours.num_columns() != golden.num_columns() {
            return Err(format!("{}x{} instead of {}x{}", ours.num_rows(), ours.num_columns(), golden.num_rows(), golden.num_columns()));
        }
        for (column, theirs) in ours.columns().iter().zip(golden.columns()) {
            // Types differ where there are dictionaries, and are what the library's own tests compare.
            if column.data_type() == theirs.data_type() && column != theirs {
                return Err(format!("{column:?} instead of {theirs:?}"));
            }
        }
        Ok(())
    };
    files::for_each(&files, |file| file.name.clone(), check);
    assert!(names(folder.path()).iter().all(|name| name.ends_with(".arrow") && !name.starts_with('.')));
}

#[test]
fn conversions_to_text_equal_what_cat_prints() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["spark-nested.snappy.parquet", "dictionaries.v1.parquet", "zero-columns.zero-rows.parquet", "temporal.plain-v1.parquet"] {
        let input = data(file);
        for (ending, format) in [("csv", "csv"), ("ndjson", "json"), ("jsonl", "json")] {
            let out = folder.path().join(format!("{file}.{ending}")).display().to_string();
            assert_eq!(printed(&["convert", &input, &out]), "", "a conversion says nothing");
            assert_eq!(fs::read_to_string(&out).expect("a file"), printed(&["cat", "--format", format, &input]), "{out}");
        }
    }
    let out = folder.path().join("no-ending").display().to_string();
    printed(&["convert", "--to", "csv", "--columns", "id,i8", &data("spark.snappy.parquet"), &out]);
    assert!(fs::read_to_string(&out).expect("a file").starts_with("id,i8\n0,\n1,1\n"));
}

#[test]
fn string_representations_hold_equal_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = data("duckdb.flat-v1-snappy.parquet");
    let read = |strings: &str| {
        let out = folder.path().join(format!("{strings}.arrow"));
        printed(&["convert", "--strings", strings, "--threads", "1", &input, &out.display().to_string()]);
        read_ipc(&out)
    };
    let (utf8, dictionary, view) = (read("utf8"), read("dictionary"), read("view"));
    assert_eq!(utf8.columns(), dictionary.columns(), "dictionaries are written as their values");
    assert_ne!(utf8.schema(), view.schema());
    assert_eq!(utf8.num_rows(), view.num_rows());
}

/// A file whose last row group cannot be decoded, and the rows before it.
fn broken(folder: &Path) -> (String, usize) {
    let mut bytes = fs::read(data("row-groups.of-50-v2.parquet")).expect("a file");
    let parquet = ParquetFile::from_bytes(bytes.clone()).expect("a file");
    let group = parquet.metadata().row_groups().next_back().expect("a row group");
    let range = group.chunk(0).expect("a chunk").range;
    bytes[range.start as usize..range.end as usize].fill(0xff);
    let path = folder.join("broken.parquet");
    fs::write(&path, bytes).expect("written");
    (path.display().to_string(), (parquet.metadata().num_rows() - group.num_rows()) as usize)
}

#[test]
fn a_failed_conversion_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, _) = broken(folder.path());
    for ending in ["arrow", "csv", "ndjson", "parquet"] {
        let out = folder.path().join(format!("out.{ending}"));
        let said = complaint(&["convert", &input, &out.display().to_string()], 1);
        assert!(said.contains("broken.parquet"), "{said}");
        assert_eq!(names(folder.path()), ["broken.parquet"]);
        fs::write(&out, b"before").expect("written");
        complaint(&["convert", &input, &out.display().to_string()], 1);
        assert_eq!(fs::read(&out).expect("a file"), b"before");
        fs::remove_file(&out).expect("removed");
    }
}

#[test]
fn rows_before_the_damage_are_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, rows) = broken(folder.path());
    for (format, header) in [("json", 0), ("csv", 1), ("table", 2)] {
        let output = run(&["cat", "--columns", "id", "--format", format, &input]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout).lines().count(), rows + header, "{format}");
        assert!(text(&output.stderr).contains("row group"), "{output:?}");
    }
}

#[test]
fn files_are_replaced_or_spared_as_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.csv").display().to_string();
    let (one, other) = (data("one-row.v1.parquet"), data("bools.plain-v1.parquet"));
    printed(&["convert", "--no-overwrite", &one, &out]);
    let before = fs::read(&out).expect("a file");
    complaint(&["convert", "--no-overwrite", &other, &out], 2);
    assert_eq!(fs::read(&out).expect("a file"), before);
    printed(&["convert", &other, &out]);
    assert_ne!(fs::read(&out).expect("a file"), before);
    complaint(&["convert", &one, &folder.path().join("no/folder/out.csv").display().to_string()], 1);
    complaint(&["convert", "--to", "csv", &one, &folder.path().display().to_string()], 2);
}

#[cfg(unix)]
#[test]
fn a_conversion_that_is_killed_leaves_no_file_of_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.csv");
    for delay in 0..20 {
        let args = ["convert", &data("long-strings.plain-zstd.parquet"), &out.display().to_string()];
        let mut child = command(args).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(std::time::Duration::from_micros(delay * 700));
        child.kill().expect("killed");
        child.wait().expect("an end");
        if out.exists() {
            let rows = fs::read_to_string(&out).expect("a file").lines().count();
            let whole = printed(&["cat", "--format", "csv", args[1]]).lines().count();
            assert_eq!(rows, whole, "a file of its name is whole");
            fs::remove_file(&out).expect("removed");
        }
    }
}

#[test]
fn checksums_are_verified_on_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = fs::read(data("codecs.none-v1-plain-crc.parquet")).expect("a file");
    let parquet = ParquetFile::from_bytes(bytes.clone()).expect("a file");
    let chunk = parquet.metadata().row_group(0).expect("a row group").chunk(0).expect("a chunk");
    // The last byte of the first chunk is the middle of nothing but values.
    bytes[chunk.range.end as usize - 1] ^= 1;
    let path = folder.path().join("flipped.parquet").display().to_string();
    fs::write(&path, bytes).expect("written");
    let column = &parquet.metadata().schema().leaves()[0].path.dotted().to_owned();
    printed(&["cat", "--columns", column, &path]);
    for args in [
        &["cat", "--verify-crc", "--columns", column, &path][..],
        &["convert", "--verify-crc", &path, &folder.path().join("out.arrow").display().to_string()],
        &["pages", "--verify-crc", "-c", column, &path],
    ] {
        assert!(complaint(args, 1).contains("checksum"), "{args:?}");
    }
}

#[test]
fn benchmarks_print_what_was_asked_for() {
    let files = [data("spark.snappy.parquet"), data("duckdb-nested.v2-gzip.parquet")];
    for strings in ["utf8", "view", "dictionary"] {
        let tsv = printed(&["bench", "--tsv", "--strings", strings, "--threads", "1", "--runs", "2", &files[0], &files[1]]);
        for (line, file) in tsv.lines().zip(&files) {
            let (name, time) = line.split_once('\t').expect("a tab");
            assert_eq!(name, file);
            assert!(
                time.parse::<f64>().is_ok_and(|time| time >= 0.0) && time.split_once('.').is_some_and(|(_, decimals)| decimals.len() == 2),
                "{line}"
            );
        }
        assert_eq!(tsv.lines().count(), 2);
    }
    let table = printed(&["bench", "--runs", "1", "--columns", "id,i8", &files[0]]);
    assert!(table.lines().count() == 3 && table.contains(&files[0]), "{table}");
    let columns = printed(&["bench", "--by-column", "--runs", "1", &files[0]]);
    assert_eq!(columns.lines().count(), 15 + 4, "{columns}");
    let columns = printed(&["bench", "--by-column", "--runs", "1", "--columns", "i8,id", &files[0]]);
    assert!(columns.lines().nth(3).is_some_and(|line| line.starts_with("i8 ")), "{columns}");
    assert_eq!(run(&["bench", "--tsv", "--runs", "1", "/no/such/file", &files[0]]).status.code(), Some(1));
}

/// A file with an INT96 timestamp of the year 5000, made by moving the days of one.
pub fn far_away(folder: &Path) -> String {
    let mut bytes = fs::read(data("int96.plain-v1.parquet")).expect("a file");
    let parquet = ParquetFile::from_bytes(bytes.clone()).expect("a file");
    let leaf = parquet.metadata().schema().leaves().iter().find(|leaf| leaf.max_definition_level == 0).expect("a required column");
    let range = parquet.metadata().row_group(0).expect("a row group").chunk(leaf.index).expect("a chunk").range;
    // In a required column in PLAIN encoding, the last four bytes are the day of the last value (Snappy leaves them as they are).
    let end = range.end as usize;
    bytes[end - 4..end].copy_from_slice(&3_547_273_u32.to_le_bytes());
    let path = folder.join("far-away.parquet");
    fs::write(&path, bytes).expect("written");
    path.display().to_string()
}

#[test]
fn rows_before_a_file_that_cannot_be_opened_are_printed() {
    let (good, other) = (data("landings.zstd.parquet"), data("bools.plain-v1.parquet"));
    for format in ["table", "json", "csv"] {
        let alone = printed(&["cat", "--format", format, "--columns", "species", &good]);
        for bad in ["no-such-file.parquet", other.as_str()] {
            let output = run(&["cat", "--format", format, "--columns", "species", &good, bad]);
            assert!(!output.status.success() && !output.stderr.is_empty());
            assert_eq!(text(&output.stdout), alone, "{format} {bad}");
        }
    }
}

#[test]
fn counting_refuses_what_other_commands_refuse() {
    let file = data("landings.zstd.parquet");
    assert!(complaint(&["count", "--where", "nobody = 1", &file, &file], 2).contains("nobody"));
    assert!(complaint(&["count", "--where", "length_cm > 50", "--threads", "50000", &file], 2).contains("threads"));
}

#[test]
fn timestamps_far_away_are_read_and_warned_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = far_away(folder.path());
    let warned = |args: &[&str]| {
        let output = run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert!(text(&output.stderr).starts_with("herringbone: warning: ") && text(&output.stderr).lines().count() == 1, "{output:?}");
        text(&output.stdout)
    };
    for format in ["table", "json", "csv"] {
        assert!(warned(&["cat", "--format", format, &input]).contains("5000-01-01T"), "{format}");
    }
    let quiet = run(&["head", "-n", "1", &input]);
    assert!(quiet.status.success() && quiet.stderr.is_empty(), "the first rows are not far away: {quiet:?}");
    let out = |ending: &str| folder.path().join(format!("out.{ending}")).display().to_string();
    warned(&["convert", &input, &out("csv")]);
    assert!(fs::read_to_string(out("csv")).expect("a file").contains("5000-01-01T"));
    warned(&["convert", &input, &out("parquet")]);
    assert!(printed(&["cat", &out("parquet")]).contains("5000-01-01T"));
    warned(&["convert", &input, &out("arrow")]);
    complaint(&["convert", "--int96-overflow", "error", &input, &out("csv")], 2);
    printed(&["convert", "--int96-overflow", "null", &input, &out("csv")]);
    assert!(!fs::read_to_string(out("csv")).expect("a file").contains("5000-01-01T"));
    printed(&["convert", "--int96-unit", "us", &input, &out("arrow")]);
    assert_eq!(names(folder.path()), ["far-away.parquet", "out.arrow", "out.csv", "out.parquet"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_few_rows_need_little_memory() {
    for (limit, args) in [("1000000", "cat --limit 5"), ("1000000", "head"), ("2097152", "convert")] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = if args == "convert" { folder.path().join("out.arrow").display().to_string() } else { String::new() };
        let script = format!("ulimit -v {limit}; exec \"$0\" {args} \"$1\" {out}");
        let output =
            Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_herringbone"), &data("polars.snappy-row-groups.parquet")]).output();
        let output = output.expect("a shell");
        assert!(output.status.success(), "{args}: {output:?}");
    }
}
