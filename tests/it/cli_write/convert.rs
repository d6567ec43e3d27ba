//! `convert` to Parquet files, from all formats.

use std::fs;

use arrow_array::Array;

use super::{Folder, lines, metadata, rows, run_with};
use crate::cli::{check_readable, complaint, data, names, printed, run, text};

#[test]
fn every_file_is_written_as_it_was_read() {
    let folder = Folder::new();
    check_readable(|name, path| {
        let out = folder.path(&path.file_name().expect("a name").to_string_lossy());
        if name.contains("zero-columns") {
            assert!(complaint(&["convert", name, &out], 2).contains("no columns"), "{name}");
            return;
        }
        printed(&["convert", "--batch-rows", "50", name, &out]);
        printed(&["verify", &out]);
        let (read, written) = (rows(path), rows(&out));
        assert_eq!(read.num_rows(), written.num_rows(), "{name}");
        for ((read, written), field) in read.columns().iter().zip(written.columns()).zip(read.schema().fields()) {
            assert_eq!(read.data_type(), written.data_type(), "{name}: {field}");
            assert_eq!(read.len(), written.len(), "{name}: {field}");
            assert!(read == written, "{name}: {field}: {read:?} became {written:?}");
        }
    });
}

#[test]
fn formats_lead_to_the_same_rows() {
    let folder = Folder::new();
    let input = data("landings.zstd.parquet");
    let expected = lines(&input);
    for ending in ["arrow", "ndjson", "csv"] {
        let (between, out) = (folder.path(&format!("between.{ending}")), folder.path(&format!("{ending}.parquet")));
        let columns: &[&str] = if ending == "csv" { &["--columns", "landed,species,length_cm"] } else { &[] };
        printed(&[&["convert"], columns, &[&input, &between]].concat());
        printed(&["convert", &between, &out]);
        if ending == "csv" {
            assert_eq!(lines(&out), printed(&[&["cat", "--format", "json"], columns, &[&input]].concat()).lines().collect::<Vec<_>>());
        } else {
            assert_eq!(lines(&out), expected, "{ending}");
        }
        // Whatever the name is, its bytes tell what it is, unless it could be anything.
        let nameless = folder.path("nameless");
        fs::copy(&between, &nameless).expect("copied");
        let from: &[&str] = if ending == "csv" { &["--from", "csv"] } else { &[] };
        let again = folder.path("again.parquet");
        printed(&[&["convert"], from, &[&nameless, &again]].concat());
        assert_eq!(fs::read(&again).expect("a file"), fs::read(&out).expect("a file"), "{ending}");
        let piped = folder.path("piped.parquet");
        let output = run_with(&[&["convert"], from, &["-", &piped]].concat(), &fs::read(&between).expect("a file"));
        assert!(output.status.success(), "{ending}: {}", text(&output.stderr));
        assert_eq!(fs::read(&piped).expect("a file"), fs::read(&out).expect("a file"), "{ending}");
    }
}

#[test]
fn streams_of_arrow_and_compressed_batches_are_read() {
    let folder = Folder::new();
    let batch = rows(data("landings.zstd.parquet"));
    for compression in [None, Some(arrow_ipc::CompressionType::LZ4_FRAME), Some(arrow_ipc::CompressionType::ZSTD)] {
        let options = arrow_ipc::writer::IpcWriteOptions::default().try_with_compression(compression).expect("a codec");
        let mut writer = arrow_ipc::writer::StreamWriter::try_new_with_options(Vec::new(), batch.schema_ref(), options).expect("a writer");
        writer.write(&batch).expect("written");
        writer.write(&batch.slice(3, 5)).expect("written");
        let stream = folder.file("a.arrows", writer.into_inner().expect("a stream"));
        let out = folder.path("out.parquet");
        printed(&["convert", &stream, &out]);
        assert_eq!(rows(&out).slice(0, 200), batch, "{compression:?}");
        assert_eq!(rows(&out).slice(200, 5), batch.slice(3, 5), "{compression:?}");
    }
}

#[test]
fn inputs_follow_one_another() {
    let folder = Folder::new();
    let files = [data("row-groups.of-3.parquet"), data("row-groups.of-50-v2.parquet")];
    let out = folder.path("out.parquet");
    printed(&["convert", &files[0], &files[1], &files[0], &out]);
    let expected: Vec<String> = [0, 1, 0].iter().flat_map(|i| lines(&files[*i])).collect();
    assert_eq!(lines(&out), expected);
    let (a, b) = (folder.file("a.csv", "x,y\n1,p\n"), folder.file("b.csv", "y,x\nq,2\n"));
    printed(&["convert", &a, &b, &out]);
    assert_eq!(lines(&out), [r#"{"x":1,"y":"p"}"#, r#"{"x":2,"y":"q"}"#], "columns are found by name");
    let said = complaint(&["convert", &files[0], &data("bools.plain-v1.parquet"), &out], 1);
    assert!(said.contains("bools.plain-v1.parquet has other columns than") && said.contains("--schema"), "{said}");
    assert_eq!(lines(&out).len(), 2, "what was there stays");
    // A broken file at the end, where most is written already.
    let broken = folder.file("broken.csv", "x,y\nmany,p\n");
    let said = complaint(&["convert", &a, &broken, &out], 1);
    assert!(said.contains("broken.csv") && said.contains("--infer-rows"), "{said}");
    assert_eq!(names(folder.0.path()), ["a.csv", "b.csv", "broken.csv", "out.parquet"]);
}

#[test]
fn types_of_text_are_found_out_or_said() {
    let folder = Folder::new();
    let out = folder.path("out.parquet");
    let schema_of = |path: &str| printed(&["schema", path]).lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let csv = folder.file("a.csv", "i,f,d,t,e\n1,1.5,2024-05-06,\"a,b\",\n2,2,2024-05-07,,\n");
    printed(&["convert", &csv, &out]);
    let found = "message schema { optional int64 i; optional double f; optional int32 d (DATE); optional binary t (STRING); optional binary e (STRING); }";
    assert_eq!(schema_of(&out), found);
    assert_eq!(lines(&out)[1], r#"{"i":2,"f":2.0,"d":"2024-05-07","t":null,"e":null}"#);
    let wanted = "message schema { required int32 i (INTEGER(16,true)); optional binary t (STRING); }";
    printed(&["convert", "--schema", wanted, &csv, &out]);
    assert_eq!((schema_of(&out), lines(&out)[0].as_str()), (wanted.to_owned(), r#"{"i":1,"t":"a,b"}"#));
    let file = folder.file("schema.txt", wanted);
    for (name, contents) in [("a.csv", "t;i\nx;7\n"), ("a.ndjson", "{\"i\":7,\"t\":\"x\",\"more\":[1]}\n"), ("a.tsv", "i\tt\n7\tx\n")] {
        let input = folder.file(name, contents);
        let delimiter: &[&str] = if name == "a.csv" { &["--delimiter", ";"] } else { &[] };
        printed(&[&["convert", "--schema", &file], delimiter, &[&input, &out]].concat());
        assert_eq!((schema_of(&out), lines(&out)), (wanted.to_owned(), vec![r#"{"i":7,"t":"x"}"#.to_owned()]), "{name}");
    }
    // Rows of Parquet and Arrow files are converted to it.
    printed(&["convert", "--schema", "message m { optional int64 i; optional double new; }", &out, &out]);
    assert_eq!(lines(&out), [r#"{"i":7,"new":null}"#]);
    let bare = folder.file("bare.csv", "1,x\n2,y\n");
    printed(&["convert", "--no-header", &bare, &out]);
    assert_eq!(lines(&out), [r#"{"column_1":1,"column_2":"x"}"#, r#"{"column_1":2,"column_2":"y"}"#]);
    printed(&["convert", "--no-header", "--schema", wanted, &bare, &out]);
    assert_eq!(lines(&out), [r#"{"i":1,"t":"x"}"#, r#"{"i":2,"t":"y"}"#]);
}

#[test]
fn delimiters_are_those_of_the_file_that_is_meant() {
    let folder = Folder::new();
    let (csv, tsv, out) = (folder.file("a.csv", "i;t\n1;a,b\n2;\"c;\td\"\n"), folder.path("out.tsv"), folder.path("out.csv"));
    printed(&["convert", "--delimiter", ";", &csv, &tsv]);
    assert_eq!(std::fs::read_to_string(&tsv).expect("a file"), "i\tt\n1\ta,b\n2\t\"c;\td\"\n");
    printed(&["convert", &tsv, &out]);
    assert_eq!(std::fs::read_to_string(&out).expect("a file"), "i,t\n1,\"a,b\"\n2,c;\td\n");
    printed(&["convert", "--to-delimiter", ";", &tsv, &out]);
    assert_eq!(std::fs::read(&out).expect("a file"), std::fs::read(&csv).expect("a file"));
    let parquet = folder.path("a.parquet");
    printed(&["convert", &tsv, &parquet]);
    assert!(complaint(&["convert", "--delimiter", ";", &parquet, &out], 2).contains("--to-delimiter"));
    assert!(complaint(&["convert", "--no-header", &parquet, &out], 2).contains("--no-header"));
    assert!(complaint(&["convert", "--to-delimiter", ";", &csv, &parquet], 2).contains("--to-delimiter"));
    assert!(complaint(&["convert", "--to-delimiter", "|", "--null", "a|b", &parquet, &out], 2).contains("--null"));
}

#[test]
fn options_of_the_output_are_checked_before_rows_are_sorted() {
    let folder = Folder::new();
    // The second row is no number, which sorting would come upon.
    let (input, out) = (folder.file("a.csv", "i\n1\n2\nx\n"), folder.path("out.parquet"));
    for (flags, says) in [(["--row-group-rows", "0"], "row_group_rows"), (["--column", "typo:crc=false"], "`typo`; it has i")] {
        let command = [&["convert", "--infer-rows", "1", "--sort-by", "i"], &flags[..], &[&input, &out]].concat();
        assert!(complaint(&command, 2).contains(says), "{says}");
    }
}

#[test]
fn what_a_sample_does_not_show_is_an_error_and_not_lost() {
    let folder = Folder::new();
    let out = folder.path("out.parquet");
    let json = folder.file("a.ndjson", "{\"a\":1}\n{\"a\":2,\"b\":{\"c\":[null]}}\n");
    printed(&["convert", &json, &out]);
    assert_eq!(lines(&out), [r#"{"a":1,"b":null}"#, r#"{"a":2,"b":{"c":[null]}}"#]);
    let said = complaint(&["convert", "--infer-rows", "1", &json, &out], 1);
    assert!(said.contains("'b'") && said.contains("--infer-rows"), "{said}");
    printed(&["convert", "--infer-rows", "0", &json, &out]);
    let csv = folder.file("a.csv", "a\n1\n2.5\n");
    let said = complaint(&["convert", "--infer-rows", "1", &csv, &out], 1);
    assert!(said.contains("2.5") && said.contains("--schema"), "{said}");
    printed(&["convert", "--infer-rows", "0", &csv, &out]);
    assert_eq!(lines(&out), [r#"{"a":1.0}"#, r#"{"a":2.5}"#]);
}

#[test]
fn columns_are_chosen_in_every_format() {
    let folder = Folder::new();
    let out = folder.path("out.parquet");
    let parquet = data("landings.zstd.parquet");
    printed(&["convert", "--columns", "boxes,position.lat", &parquet, &out]);
    assert_eq!(lines(&out)[0], r#"{"boxes":[],"position":{"lat":55.48}}"#);
    for ending in ["arrow", "ndjson"] {
        let between = folder.path(&format!("a.{ending}"));
        printed(&["convert", &parquet, &between]);
        printed(&["convert", "--columns", "boxes,landed", &between, &out]);
        assert_eq!(lines(&out)[1], r#"{"boxes":[67],"landed":"2024-01-01"}"#, "{ending}");
        assert!(complaint(&["convert", "--columns", "no such", &between, &out], 2).contains("no such"));
    }
}

#[test]
fn metadata_of_files_go_along() {
    let folder = Folder::new();
    let out = folder.path("out.parquet");
    let input = data("key-values.v1.parquet");
    printed(&["convert", "--key-value", "who=me", &input, &out]);
    let entries = |path: &str| metadata(path)["key_values"].as_array().expect("an array").clone();
    let (before, after) = (entries(&input), entries(&out));
    let with_values = before.iter().filter(|entry| !entry["value"].is_null() && entry["key"] != "ARROW:schema");
    assert!(with_values.clone().count() > 0);
    for entry in with_values {
        assert!(after.contains(entry), "{entry} is lost: {after:?}");
    }
    assert!(after.contains(&serde_json::json!({"key": "who", "value": "me"})), "{after:?}");
}

#[test]
fn broken_inputs_are_refused() {
    let folder = Folder::new();
    let input = data("landings.zstd.parquet");
    let out = folder.path("out.parquet");
    let mut errors = 0;
    for format in ["arrow", "ndjson"] {
        let whole = folder.path(&format!("whole.{format}"));
        printed(&["convert", &input, &whole]);
        let whole = fs::read(&whole).expect("a file");
        for i in 0..60 {
            let mut broken = whole.clone();
            match i % 3 {
                0 => broken.truncate(whole.len() * i / 60),
                // Lengths and offsets are at the end and between the columns.
                1 => broken[whole.len() * i / 60] ^= 0xff,
                _ => broken[whole.len() - 1 - i * 7] ^= 0x7f,
            }
            let broken = folder.file(&format!("broken.{format}"), broken);
            // It checks that nothing panicked, and that there is a sentence.
            errors += usize::from(!run(&["convert", &broken, &out]).status.success());
        }
    }
    assert!(errors > 30, "only {errors} of the broken files were refused");
    let said = complaint(&["convert", &folder.file("a.json", "[{\"a\":1}]"), &out], 1);
    assert!(said.contains("one object a line"), "{said}");
    assert!(complaint(&["convert", &folder.file("empty.csv", ""), &out], 2).contains("no columns"));
}
