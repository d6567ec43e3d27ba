//! What the code is not allowed to do, and where it is with which reason.
//!
//! `src/lib.rs` denies, for the whole library and by Clippy, what can panic. Modules that are exempt from one of the lints say
//! so by an attribute with a reason; this is the list of them. A new one fails this test, and so does one that is gone.

use std::collections::BTreeMap;

use crate::layering::{self, Source};

const DENIED: [&str; 5] = ["indexing_slicing", "unwrap_used", "expect_used", "panic", "arithmetic_side_effects"];

/// Attributes `allow`, by file, and how many. None of a module that parses: they are kernels over values that are in memory, what
/// schedules, and what writes.
const EXEMPT: &[(&str, &str, usize)] = &[
    ("arrow/filter/mod", "arithmetic_side_effects", 1),
    ("arrow/lanes", "arithmetic_side_effects", 1),
    ("arrow/nested", "arithmetic_side_effects", 1),
    ("arrow/parallel", "arithmetic_side_effects", 1),
    ("arrow/plan", "arithmetic_side_effects", 1),
    ("arrow/push", "arithmetic_side_effects", 1),
    ("arrow/scan", "arithmetic_side_effects", 1),
    ("arrow/stream", "arithmetic_side_effects", 1),
    ("arrow/write/mod", "arithmetic_side_effects", 1),
    ("encoding/bit_packed", "arithmetic_side_effects", 1),
    ("encoding/bit_packed", "indexing_slicing", 2),
    ("encoding/dictionary", "indexing_slicing", 1),
    ("encoding/dictionary_builder", "arithmetic_side_effects", 1),
    ("encoding/hash", "arithmetic_side_effects", 1),
    ("encoding/hash", "indexing_slicing", 1),
    ("encoding/rle/short", "arithmetic_side_effects", 1),
    ("encoding/rle/writer", "arithmetic_side_effects", 1),
    ("levels/keep", "arithmetic_side_effects", 1),
    ("levels/nested", "arithmetic_side_effects", 1),
    ("levels/spread", "arithmetic_side_effects", 1),
    ("levels/spread/entries", "arithmetic_side_effects", 1),
    ("levels/spread/entries", "indexing_slicing", 1),
    ("metadata/value", "arithmetic_side_effects", 1),
    ("predicate/calendar", "arithmetic_side_effects", 2),
    ("values/mod", "arithmetic_side_effects", 1),
    ("write/chunker", "indexing_slicing", 1),
    ("write/mod", "arithmetic_side_effects", 1),
];

/// Where words are taken for words or bytes of the same width, and how often. Of bytes of files it happens in the two encodings
/// alone, which set the order right: plain encoding asks for the machine's, also where it gives its bytes to `levels/spread`, BYTE_STREAM_SPLIT goes through
/// `from_le`.
const CAST: &[(&str, usize)] = &[
    ("arrow/write/convert/time", 2),
    ("arrow/write/convert/words", 2),
    ("encoding/byte_stream_split/mod", 2),
    ("encoding/delta_length_byte_array", 1),
    ("encoding/plain", 2),
    ("levels/spread", 3),
    ("levels/spread/entries", 2),
    ("values/mod", 4),
    ("write/bounds", 4),
];

fn is_in_library(source: &&Source) -> bool {
    source.room.as_deref() != Some("bin")
}

/// How often a name stands in a file, not counting its tests.
fn count(source: &Source, wanted: impl Fn(&[String]) -> bool) -> usize {
    let code = layering::without_tests(&source.code);
    (0..code.len()).filter(|at| wanted(&code[*at..])).count()
}

/// Whether code begins with these tokens.
fn begins(code: &[String], tokens: &[&str]) -> bool {
    code.len() >= tokens.len() && code.iter().zip(tokens).all(|(found, wanted)| found == wanted)
}

fn name(source: &Source) -> String {
    source.path.to_string_lossy().replace('\\', "/")
}

#[test]
fn the_library_denies_what_can_panic() {
    let sources = layering::sources();
    let root = sources.iter().find(|source| name(source) == "lib").expect("lib.rs");
    let attribute = ["#", "!", "[", "cfg_attr", "(", "not", "(", "test", ")", ",", "deny", "("];
    let at = (0..root.code.len()).find(|at| begins(&root.code[*at..], &attribute)).expect("a list of lints");
    let lints: Vec<&str> = root.code[at + attribute.len()..].iter().take_while(|token| *token != ")").map(String::as_str).collect();
    for lint in DENIED {
        assert!(lints.contains(&lint), "lib.rs does not deny clippy::{lint}");
    }
    assert_eq!(count(root, |code| begins(code, &["forbid", "(", "unsafe_code", ")"])), 1, "unsafe code is not forbidden");
}

#[test]
fn exemptions_are_known_and_have_reasons() {
    let mut found = BTreeMap::new();
    for source in layering::sources().iter().filter(is_in_library) {
        for lint in DENIED {
            for attribute in ["allow", "warn", "expect"] {
                let exempts = |code: &[String]| begins(code, &[attribute, "(", "clippy", "::", lint]);
                let reasons = |code: &[String]| begins(code, &[attribute, "(", "clippy", "::", lint, ",", "reason", "="]);
                let exempt = count(source, exempts);
                assert_eq!(exempt, count(source, reasons), "{}: clippy::{lint} is allowed without a reason", name(source));
                if exempt > 0 {
                    *found.entry((name(source), lint)).or_insert(0) += exempt;
                }
            }
        }
    }
    let known: BTreeMap<_, _> = EXEMPT.iter().map(|(file, lint, count)| (((*file).to_owned(), *lint), *count)).collect();
    assert_eq!(found, known);
}

#[test]
fn bytes_of_files_are_not_read_in_the_machines_order() {
    let mut found = BTreeMap::new();
    for source in layering::sources().iter().filter(is_in_library) {
        // A bound of a type parameter casts nothing.
        let casts = count(source, |code| {
            let names = begins(code, &["bytemuck", "::"]) && !begins(code, &["bytemuck", "::", "Pod"]);
            names || begins(code, &["from_ne_bytes"]) || begins(code, &["to_ne_bytes"])
        });
        if casts > 0 {
            found.insert(name(source), casts);
        }
    }
    let known: BTreeMap<_, _> = CAST.iter().map(|(file, count)| ((*file).to_owned(), *count)).collect();
    assert_eq!(found, known);
}
