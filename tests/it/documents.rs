//! The documentation names files and items of the crate: they must be there.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that documents refer to.
const FOLDERS: &[&str] = &["src/", "tests/", "testdata/", "examples/", "benches/"];

#[test]
fn documents_name_what_exists() {
    let documents = documents();
    assert!(documents.len() > 5, "found {} documents: is the test looking at the wrong folder?", documents.len());
    let (mut seen, mut faults) = (0, Vec::new());
    for path in &documents {
        let text = fs::read_to_string(path).expect("a readable document");
        let folder = path.parent().expect("a folder");
        let missing = links(&text).into_iter().filter(|link| !folder.join(link).exists()).map(|link| format!("there is no `{link}`"));
        let references = references(&text);
        seen += references.len();
        let wrong = references.into_iter().filter_map(fault).chain(missing);
        faults.extend(wrong.map(|fault| format!("{}: {fault}", path.display())));
    }
    assert!(seen > 100, "found {seen} references: is the test looking for the wrong thing?");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_finder_sees_what_it_should() {
    assert_eq!(
        references("see `src/a.rs` and `no path`, `src/b.rs::c`;\n```text\n`src/d.rs`\n```\n"),
        ["src/a.rs", "src/b.rs::c", "src/d.rs"]
    );
    assert_eq!(links("[a](b.md), [c](https://d) and (e) [f](g/h.md#i)"), ["b.md", "g/h.md"]);
    assert_eq!(fault("src/error.rs::Error"), None);
    assert_eq!(fault("src/metadata/file.rs::FileMetadata::num_rows"), None);
    assert_eq!(fault("testdata/ints.*.parquet"), None);
    assert_eq!(fault("src/compression/"), None);
    assert_eq!(fault("src/schema::Leaf"), None);
    assert_eq!(fault("src/limits::Limits"), None);
    assert!(fault("src/no_such_file.rs").is_some());
    assert!(fault("src/error.rs::NoSuchItem").is_some());
    assert!(fault("src/schema::NoSuchItem").is_some());
    assert!(fault("testdata/no_such_*.parquet").is_some());
    assert!(fault("testdata/ints.*.arrow.parquet").is_some());
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let in_folder =
        |folder: &str| fs::read_dir(root().join(folder)).expect("a readable folder").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> =
        in_folder("src/docs").chain(in_folder(".")).filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    found.sort();
    found
}

/// What stands in backticks and begins with a folder of the repository.
fn references(text: &str) -> Vec<&str> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|code| FOLDERS.iter().any(|folder| code.starts_with(folder)) && !code.contains(char::is_whitespace))
        .collect()
}

/// The files that links lead to.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://")).collect()
}

/// What is wrong with a reference: `path`, `path::item` or a path with a `*` in its last part. A path without an ending is a
/// module, in one file or in a folder.
fn fault(reference: &str) -> Option<String> {
    let (path, item) = match reference.split_once("::") {
        Some((path, item)) => (path, item.rsplit("::").next()),
        None => (reference, None),
    };
    if path.contains('*') {
        return (!matches_any(path)).then(|| format!("no file is named like `{path}`"));
    }
    let files = files_of(path);
    let Some(item) = item else { return (files.is_empty() && !root().join(path).exists()).then(|| format!("there is no `{path}`")) };
    let code: String = files.iter().map(|file| fs::read_to_string(file).expect("a readable file")).collect();
    let defines = |keyword: &str| code.match_indices(&format!("{keyword} {item}")).any(|(at, found)| !goes_on(&code[at + found.len()..]));
    let keywords = ["fn", "struct", "enum", "trait", "const", "static", "type", "macro_rules!"];
    (!keywords.into_iter().any(defines)).then(|| format!("`{path}` defines no `{item}`"))
}

/// The file of this path, or those of the module.
fn files_of(path: &str) -> Vec<PathBuf> {
    let path = root().join(path);
    let folder = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
    folder
        .chain([path.with_extension("rs"), path.clone()])
        .filter(|file| file.is_file() && file.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// Whether a name goes on at the start of `rest`.
fn goes_on(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn matches_any(pattern: &str) -> bool {
    let pattern = Path::new(pattern);
    let (Some(folder), Some(name)) = (pattern.parent(), pattern.file_name().and_then(|name| name.to_str())) else { return false };
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_str().is_some_and(|file| is_like(file, name)))
}

/// Whether a name consists of the pattern's pieces, in order, with anything where it has a `*`.
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(name) = name.strip_prefix(first) else { return false };
    (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| is_like(&name[at..], rest))
}
