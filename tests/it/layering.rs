//! A room of `src` uses only rooms above it: the order below is the way of the data, and this file's only list of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the crate, from the ground up.
const ROOMS: &[&str] = &[
    "error",
    "limits",
    "simd",
    "thrift",
    "format",
    "schema",
    "metadata",
    "compression",
    "values",
    "encoding",
    "levels",
    "page",
    "encryption",
    "predicate",
    "read",
    "write",
    "verify",
    "arrow",
    "dataset",
    "bin",
];

/// The rooms that may speak of Arrow's crates.
const ARROW_ROOMS: &[&str] = &["arrow", "dataset", "bin"];

const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

/// Folders of `src` that hold no code.
const NO_CODE: &[&str] = &["docs"];

#[test]
fn rooms_use_only_rooms_above_them() {
    let files = sources();
    assert!(files.len() > 10, "found {} source files: is the test looking at the wrong folder?", files.len());
    let exports = root_exports(&files);
    let mut faults = Vec::new();
    for file in &files {
        let Some(room) = &file.room else { continue };
        // The command is a crate of its own: it uses the library's public names alone, and its own `crate::`.
        if room == "bin" {
            continue;
        }
        faults.extend(
            faults_of(room, &file.module, &file.code, &exports).into_iter().map(|fault| format!("{}: {fault}", file.path.display())),
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_has_a_room() {
    for file in sources() {
        if let Some(room) = &file.room {
            assert!(ROOMS.contains(&room.as_str()), "{}: `{room}` is not in the list of rooms", file.path.display());
        }
    }
}

#[test]
fn the_scanner_sees_what_it_should() {
    let exports = BTreeMap::from([("Error".to_string(), "error".to_string()), ("Scan".to_string(), "arrow".to_string())]);
    let check = |room: &str, module: &[&str], code: &str| {
        let module: Vec<String> = module.iter().map(|m| m.to_string()).collect();
        faults_of(room, &module, &tokens(code), &exports)
    };
    let page = &["page"];
    assert!(check("page", page, "use crate::error::Error; use crate::{Error, values::{Bits, arrow}};").is_empty());
    assert!(check("page", page, "// crate::arrow\n/* crate::arrow /* */ */ /// crate::arrow\nfn f<'a>(_: &'a str) { (\"crate::arrow\", r#\"crate::arrow\"#, '\"'); }").is_empty());
    assert!(
        check("page", page, "#[cfg(test)] mod tests { use crate::arrow; fn f() { {} } } #[cfg(test)] use crate::arrow::X; fn g() {}")
            .is_empty()
    );
    assert_eq!(check("page", page, "use crate::arrow::X;").len(), 1);
    assert_eq!(check("page", page, "use crate::{error::Error, values::{Bits}, read};").len(), 1);
    assert_eq!(check("page", page, "fn f(_: crate::Scan) {}").len(), 1);
    assert_eq!(check("page", page, "use super::write;").len(), 1);
    assert_eq!(check("page", &["page", "v1"], "use super::write; use super::super::write;").len(), 1);
    assert_eq!(check("page", page, "fn f(_: crate::NewName) {}").len(), 1, "a name that nobody exports is a fault of the scanner's map");
    assert_eq!(check("page", page, "#[cfg(test)] mod tests {} use crate::read;").len(), 1);
    assert_eq!(check("page", page, "use arrow_array::ArrayRef;").len(), 1);
    assert!(check("arrow", &["arrow"], "use arrow_array::ArrayRef;").is_empty());
}

/// One file of `src`, without its comments and strings.
pub struct Source {
    pub path: PathBuf,
    /// None for `lib.rs`, which may name every room.
    pub room: Option<String>,
    /// The module's path below the crate.
    module: Vec<String>,
    pub code: Vec<String>,
}

pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let files: Vec<Source> = paths
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&root).expect("below src").with_extension("");
            let mut module: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            let room = if module == ["lib"] { None } else { module.first().cloned() };
            if module.last().is_some_and(|last| last == "mod" || last == "lib") {
                module.pop();
            }
            let code = tokens(&fs::read_to_string(&path).expect("a readable source file"));
            Source { path: inside, room, module, code }
        })
        .collect();
    let tests: Vec<Vec<String>> = files.iter().flat_map(test_modules).collect();
    files.into_iter().filter(|file| !tests.iter().any(|test| file.module.starts_with(test))).collect()
}

/// The modules that a file declares by `#[cfg(test)] mod name;` and that therefore live in files of their own.
fn test_modules(file: &Source) -> Vec<Vec<String>> {
    let declared =
        |window: &&[String]| window[..CFG_TEST.len()] == CFG_TEST && window[CFG_TEST.len()] == "mod" && window[CFG_TEST.len() + 2] == ";";
    let name = |window: &[String]| [file.module.as_slice(), &[window[CFG_TEST.len() + 1].clone()]].concat();
    file.code.windows(CFG_TEST.len() + 3).filter(declared).map(name).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            if !NO_CODE.contains(&path.file_name().expect("a name").to_string_lossy().as_ref()) {
                walk(&path, found);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Which room each name comes from that `lib.rs` re-exports, and each macro that a room defines.
fn root_exports(files: &[Source]) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for file in files {
        let code = &file.code;
        for (i, token) in code.iter().enumerate() {
            let next = code.get(i + 1).map_or("", String::as_str);
            match &file.room {
                Some(room) if token == "macro_rules" => {
                    exports.insert(code.get(i + 2).expect("a macro's name").clone(), room.clone());
                }
                None if token == "use" && ROOMS.contains(&next) => {
                    let end = code[i..].iter().position(|t| t == ";").expect("the end of a use") + i;
                    exports.extend(code[i + 2..end].iter().filter(|t| is_name(t)).map(|name| (name.clone(), next.to_string())));
                }
                _ => {}
            }
        }
    }
    exports
}

/// What a file of a room names that it should not.
fn faults_of(room: &str, module: &[String], code: &[String], exports: &BTreeMap<String, String>) -> Vec<String> {
    let code = without_tests(code);
    let mut faults = Vec::new();
    let mut i = 0;
    while i < code.len() {
        if code[i].starts_with("arrow_") && !ARROW_ROOMS.contains(&room) {
            faults.push(format!("`{room}` speaks of Arrow's crate `{}`", code[i]));
        }
        if let Some(after) = root_path(&code, i, module.len()) {
            for name in first_names(&code[after..]) {
                let Some(used) = ROOMS.iter().find(|r| **r == name).copied().or_else(|| exports.get(&name).map(String::as_str)) else {
                    faults.push(format!("`crate::{name}` is neither a room nor re-exported by lib.rs"));
                    continue;
                };
                if rank(used) > rank(room) {
                    faults.push(format!("`{room}` uses `{used}` (as `crate::{name}`), which is below it"));
                }
            }
            i = after;
        } else {
            i += 1;
        }
    }
    faults
}

fn rank(room: &str) -> usize {
    ROOMS.iter().position(|r| *r == room).unwrap_or(usize::MAX)
}

/// If a path from the crate's root begins here, where its first name is: `crate::`, or one `super::` for each module.
/// Modules inside a file are not counted: they are tests, which are gone by now.
fn root_path(code: &[String], at: usize, depth: usize) -> Option<usize> {
    let pair = |i: usize, name: &str| code.get(i).is_some_and(|t| t == name) && code.get(i + 1).is_some_and(|t| t == "::");
    if pair(at, "crate") {
        return Some(at + 2);
    }
    if at > 0 && code[at - 1] == "::" {
        return None;
    }
    let supers = (0..).take_while(|k| pair(at + 2 * k, "super")).count();
    (supers > 0 && supers >= depth).then_some(at + 2 * supers)
}

/// `a` of `a::b`, `a` and `b` of `{a::c, b::{d}}`.
fn first_names(code: &[String]) -> Vec<String> {
    if code.first().is_none_or(|t| t != "{") {
        return code.first().filter(|t| is_name(t)).cloned().into_iter().collect();
    }
    let (mut names, mut depth, mut fresh) = (Vec::new(), 0, true);
    for token in code {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => fresh = true,
            name if depth == 1 && fresh && is_name(name) => {
                names.push(name.to_string());
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The tokens without items under `#[cfg(test)]`.
pub fn without_tests(code: &[String]) -> Vec<String> {
    let (mut out, mut i) = (Vec::new(), 0);
    while i < code.len() {
        if code[i..].iter().take(CFG_TEST.len()).eq(CFG_TEST.iter()) {
            i = end_of_item(code, i + CFG_TEST.len());
        } else {
            out.push(code[i].clone());
            i += 1;
        }
    }
    out
}

/// One past the item's `;` or the brace that closes it.
fn end_of_item(code: &[String], start: usize) -> usize {
    let mut depth = 0;
    let mut is_use = false;
    for (i, token) in code.iter().enumerate().skip(start) {
        match token.as_str() {
            "use" => is_use |= depth == 0,
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if depth == 0 && !is_use {
                    return i + 1;
                }
            }
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
    }
    code.len()
}

/// Names, `::` and single signs; comments, strings, characters and lifetimes are left out.
fn tokens(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(len) = raw_string(rest) {
            len
        } else if c == '"' {
            string(rest)
        } else if c == '\'' {
            character(rest)
        } else if c.is_alphanumeric() || c == '_' {
            let len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            out.push(rest[..len].to_string());
            len
        } else if rest.starts_with("::") {
            out.push("::".to_string());
            2
        } else {
            if !c.is_whitespace() {
                out.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = &rest[len..];
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 || at >= text.len() {
            return at.min(text.len());
        }
    }
}

fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(text.len() - body.len() + body.find(&close)? + close.len())
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return i + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The length of a character literal, or of a lifetime's quote.
fn character(text: &str) -> usize {
    let inside = &text[1..];
    if inside.starts_with('\\') {
        return 3 + inside[2..].find('\'').unwrap_or(0) + 1;
    }
    let mut chars = inside.chars();
    match (chars.next(), chars.next()) {
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1,
    }
}
