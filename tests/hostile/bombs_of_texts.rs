//! Small files in which much refers to the same bytes: long texts that each field or finding would copy, pages that each chunk would walk over.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use herringbone::Limits;
use herringbone::arrow::ParquetFile;
use herringbone::verify::{Code, Report, VerifyOptions, verify};

use crate::bombs::bounded;
use crate::compact::{
    BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY, Fields, INT64, REQUIRED, chunk, file, fixed_leaf, group, leaf, page, row_group, varint,
};
use crate::mutate::limits;
use crate::reading::memory_bound;

/// A file without rows, with key-value metadata.
fn file_with_texts(schema: &[Vec<u8>], texts: &[(&str, &str)]) -> Bytes {
    let texts: Vec<Vec<u8>> = texts.iter().map(|(key, value)| Fields::new().text(1, key).text(2, value).end()).collect();
    let footer = Fields::new().i32(1, 2).list(2, schema).int(3, 0).list(4, &[]).list(5, &texts).end();
    let length = (footer.len() as u32).to_le_bytes();
    Bytes::from([b"PAR1", &footer[..], &length, b"PAR1"].concat())
}

/// A stored Arrow schema whose fields are one table, `count` times, with this name.
fn stored_schema(count: u32, name: &str) -> String {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let halves = |halves: &[u16]| halves.iter().flat_map(|half| half.to_le_bytes()).collect::<Vec<_>>();
    // Where things are: vtables before their tables, and what is referred to after what refers to it.
    let (message, schema, fields) = (16, 36, 52);
    let field = fields + 4 + 4 * count;
    let mut buffer = words(&[message]);
    buffer.extend(halves(&[10, 12, 0, 4, 8, 0]));
    buffer.extend(words(&[message - 4, 1, schema - (message + 8)]));
    buffer.extend(halves(&[8, 8, 0, 4]));
    buffer.extend(words(&[schema - 28, fields - (schema + 4)]));
    buffer.extend(halves(&[6, 8, 4, 0]));
    buffer.extend(words(&[count]));
    (0..count).for_each(|index| buffer.extend(words(&[field - (fields + 4 + 4 * index)])));
    buffer.extend(words(&[field - 44, 4, name.len() as u32]));
    buffer.extend(name.as_bytes());
    STANDARD.encode([words(&[u32::MAX, buffer.len() as u32]), buffer].concat())
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("c{i}")).collect()
}

fn schema_of(names: &[String], leaf: impl Fn(&str) -> Vec<u8>) -> Vec<Vec<u8>> {
    [vec![group("m", names.len())], names.iter().map(|name| leaf(name)).collect()].concat()
}

fn check(what: &str, memory: u64, bytes: &Bytes, options: &VerifyOptions) -> Report {
    bounded(what, memory, || verify(bytes, options)).expect("a report")
}

fn generous() -> Limits {
    Limits { metadata_bytes: 128 << 20, ..limits() }
}

#[test]
fn one_text_is_the_system_of_many_geometries() {
    let geometry = |name: &str| {
        let union = Fields::new().fields(17, Fields::new().text(1, "projjson:k"));
        Fields::new().i32(1, BYTE_ARRAY).i32(3, REQUIRED).text(4, name).fields(10, union).end()
    };
    let (count, json) = (1000, format!("{{\"a\":\"{}\"}}", "x".repeat(300_000)));
    let bytes = file_with_texts(&schema_of(&names(count), geometry), &[("k", &json)]);
    let file = ParquetFile::from_source_with(bytes, generous()).expect("a file");
    let schema = bounded("a system of 1,000 geometries", 32 << 20, || file.arrow_schema()).expect("a schema");
    let parameters = |at: usize| &schema.field(at).metadata()["ARROW:extension:metadata"];
    assert!(parameters(0).contains("xxx") && parameters(0).contains("\"crs_type\":\"projjson\""));
    assert_eq!(parameters(count - 1), "{\"crs\":\"projjson:k\"}");
    bounded("a scan of them", 32 << 20, || file.scan().build()).expect("a scan");
}

#[test]
fn one_text_is_the_name_of_many_stored_fields() {
    let schema = schema_of(&names(10), |name| leaf(name, INT64, REQUIRED));
    let stored = stored_schema(200_000, &"é".repeat(400_000));
    let bytes = file_with_texts(&schema, &[("ARROW:schema", &stored)]);
    let open = || ParquetFile::from_source_with(bytes.clone(), generous())?.arrow_schema();
    assert_eq!(bounded("names of a stored schema", 64 << 20, open).expect("a schema").fields().len(), 10);
}

#[test]
fn a_stored_schema_is_held_against_names_in_place() {
    let count = 20_000;
    let schema = schema_of(&names(count), |name| leaf(name, INT64, REQUIRED));
    for fields in [count, count + 1] {
        let stored = stored_schema(fields as u32, &"c".repeat(20_000));
        let bytes = file_with_texts(&schema, &[("ARROW:schema", &stored)]);
        let options = VerifyOptions { limits: generous(), ..VerifyOptions::default() };
        let report = check("a stored schema of one long name", 64 << 20, &bytes, &options);
        let codes: Vec<Code> = report.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::ArrowSchema], "{report:?}");
        assert!(report.findings[0].to_string().len() < 5000, "a long text is cut");
    }
}

#[test]
fn a_long_name_in_each_row_group_and_finding() {
    let name = "n".repeat(100_000);
    let body = page(false, 1, 0, 8, &7_i64.to_le_bytes());
    let groups = vec![row_group(&[chunk("x", INT64, 0, 1, 4, body.len())], 1); 4000];
    let bytes = file(&body, &[group("m", 1), leaf(&name, INT64, REQUIRED)], 4000, &groups);
    for threads in [1, 3] {
        let options = VerifyOptions { limits: limits(), threads, ..VerifyOptions::default() };
        let report = check("a long name 4,000 times", memory_bound(), &bytes, &options);
        assert!(report.findings.len() > 4000 && report.pages == 4000, "{} {}", report.findings.len(), report.pages);
    }
}

#[test]
fn chunks_of_the_same_page_are_not_walked_for_ever() {
    let text = "a".repeat(1 << 20);
    let value = [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let body = page(false, 1, 0, value.len(), &value);
    let groups = vec![row_group(&[chunk("x", BYTE_ARRAY, 0, 1, 4, body.len())], 1); 100_000];
    let bytes = file(&body, &[group("m", 1), leaf("x", BYTE_ARRAY, REQUIRED)], 100_000, &groups);
    let options = VerifyOptions { limits: generous(), ..VerifyOptions::default() };
    let report = check("100,000 chunks of the same page", 200 << 20, &bytes, &options);
    assert!(report.pages < 100_000, "{} pages", report.pages);
}

#[test]
fn findings_are_bounded_in_all_chunks_together() {
    // Pages of an encoding that there is not.
    let body = page(false, 1, 77, 8, &[0; 8]).repeat(1000);
    let names = names(500);
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, INT64, 0, 1000, 4, body.len())).collect();
    let bytes = file(&body, &schema_of(&names, |name| leaf(name, INT64, REQUIRED)), 1000, &[row_group(&chunks, 1000)]);
    for threads in [1, 3] {
        let options = VerifyOptions { limits: limits(), findings: 2000, threads, ..VerifyOptions::default() };
        let report = check("500,000 pages of no encoding", memory_bound(), &bytes, &options);
        assert!(report.findings.len() == 2000 && report.more > 490_000, "{} {}", report.findings.len(), report.more);
    }
}

#[test]
fn rows_of_many_sorting_columns_share_the_memory() {
    let rows = 1_000_000_i64;
    let indices = [vec![0], varint((rows as u64) << 1)].concat();
    let body = [page(true, 1, 0, 8, &7_i64.to_le_bytes()), page(false, rows, 8, indices.len(), &indices)].concat();
    let names = names(60);
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, INT64, 0, rows, 4, body.len())).collect();
    let sorting: Vec<Vec<u8>> = (0..60).map(|i| Fields::new().i32(1, i).flag(2, false).flag(3, false).end()).collect();
    let group = Fields::new().list(1, &chunks).int(2, 100).int(3, rows).list(4, &sorting).end();
    let bytes = file(&body, &schema_of(&names, |name| leaf(name, INT64, REQUIRED)), rows, &[group]);
    let few = Limits { memory_bytes: 1 << 20, ..limits() };
    check("60 columns of sorted rows", 4 << 20, &bytes, &VerifyOptions { limits: few, ..VerifyOptions::default() });
}

#[test]
fn a_long_entry_is_not_decoded_for_every_row() {
    for (rows, values) in [(200_i64, u64::MAX), (1_000_000_000, 1_100_000_000)] {
        let text = "a".repeat(1 << 20);
        let indices = [vec![0], varint((rows as u64) << 1)].concat();
        let data = page(false, rows, 8, indices.len(), &indices);
        let value = [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
        let of_text = [page(true, 1, 0, value.len(), &value), data.clone()].concat();
        let of_width = [page(true, 1, 0, text.len(), text.as_bytes()), data].concat();
        for (column, physical_type, body) in
            [(fixed_leaf("x", 1 << 20, REQUIRED), FIXED_LEN_BYTE_ARRAY, of_width), (leaf("x", BYTE_ARRAY, REQUIRED), BYTE_ARRAY, of_text)]
        {
            let chunk = chunk("x", physical_type, 0, rows, 4, body.len());
            let bytes = file(&body, &[group("m", 1), column], rows, &[row_group(&[chunk], rows)]);
            let options = VerifyOptions { limits: limits(), values, ..VerifyOptions::default() };
            let report = check(&format!("an entry of 1 MiB in {rows} rows"), memory_bound(), &bytes, &options);
            assert!(report.pages == 2 && report.values < 100_000, "{report:?}");
        }
    }
}

#[test]
fn many_encodings_are_counted_in_time() {
    let count = 300_000;
    let body: Vec<u8> = (0..count).flat_map(|i| page(false, 0, 1000 + i, 0, &[])).collect();
    let bytes = file(&body, &[group("m", 1), leaf("x", INT64, REQUIRED)], 0, &[row_group(&[chunk("x", INT64, 0, 1, 4, body.len())], 1)]);
    let options = VerifyOptions { limits: generous(), ..VerifyOptions::default() };
    let report = check("300,000 encodings", 200 << 20, &bytes, &options);
    assert_eq!(report.pages, count as u64);
}

#[test]
fn many_sorting_columns_are_found_in_time() {
    let names = names(100_000);
    let sorting: Vec<Vec<u8>> = (0..100_000).map(|i| Fields::new().i32(1, i).flag(2, false).flag(3, false).end()).collect();
    let chunks: Vec<Vec<u8>> = names.iter().map(|name| chunk(name, INT64, 0, 0, 0, 0)).collect();
    let group = Fields::new().list(1, &chunks).int(2, 0).int(3, 0).list(4, &sorting).end();
    let bytes = file(&[], &schema_of(&names, |name| leaf(name, INT64, REQUIRED)), 0, &[group]);
    let options = VerifyOptions { limits: generous(), ..VerifyOptions::default() };
    check("100,000 sorting columns", 300 << 20, &bytes, &options);
}
