//! What `verify` says of files that are as they should be.

mod matrix;
/// They need the codec.
#[cfg(feature = "snappy")]
mod planted;

use bytes::Bytes;
use herringbone::verify::{Code, VerifyOptions, verify};

use crate::files;

/// Files that are wrong, or old, and how.
const EXCEPTIONS: &[(&str, &[Code])] = &[
    // Made by hand: a page of another kind before the first data page that no offset points to, dictionaries without offsets.
    ("raw-pages.odd", &[Code::ChunkCompressed, Code::ChunkUncompressed, Code::DictionaryOffset, Code::DictionaryOffset, Code::Gap]),
    // parquet-cpp counts too few bytes of DELTA_BYTE_ARRAY.
    ("strings.dba-pages", &[Code::SizeBytes; 6]),
    ("strings.dba-v1", &[Code::SizeBytes; 6]),
    ("strings.dba-v2", &[Code::SizeBytes; 6]),
    // And no nulls of a group around a dictionary.
    (
        "structs-of-dictionaries.null-counts",
        &[Code::StatisticsNulls, Code::ColumnIndexNulls, Code::ColumnIndexNulls, Code::ColumnIndexNulls, Code::ColumnIndexNulls],
    ),
    // fastparquet puts eight zeros behind the values of each page.
    ("fastparquet.defaults", &[Code::TrailingBytes; 9]),
    ("fastparquet.int96-gzip", &[Code::TrailingBytes; 9]),
    ("fastparquet.row-groups-zstd", &[Code::TrailingBytes; 36]),
    (
        "fastparquet-booleans.repetitions",
        &[
            Code::SchemaRepetition,
            Code::SchemaRepetition,
            Code::SchemaRepetition,
            Code::SchemaRepetition,
            Code::TrailingBytes,
            Code::TrailingBytes,
            Code::TrailingBytes,
            Code::TrailingBytes,
        ],
    ),
    // Names what nobody knows.
    ("raw-shapes.column-orders", &[Code::Unsupported]),
    ("unsupported.columns", &[Code::Unsupported; 3]),
];

/// Checks a file that this crate wrote, in which nothing may be found.
pub fn assert_clean(file: &[u8]) {
    let report = verify(&Bytes::copy_from_slice(file), &VerifyOptions::default()).expect("memory does not fail");
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn files_of_many_writers_are_clean() {
    let files = files::all();
    files::for_each(
        &files,
        |file| file.name.clone(),
        |file| {
            let report = verify(&Bytes::from(file.bytes()), &VerifyOptions::default()).map_err(|error| error.to_string())?;
            let mut codes: Vec<Code> = report.findings.iter().map(|finding| finding.code).collect();
            let mut expected = EXCEPTIONS.iter().find(|(name, _)| *name == file.name).map_or(Vec::new(), |(_, codes)| codes.to_vec());
            codes.sort_unstable();
            expected.sort_unstable();
            match codes == expected {
                true => Ok(()),
                false => Err(report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")),
            }
        },
    );
}

#[test]
fn what_was_not_checked_is_counted() {
    let file = |name: &str| Bytes::from(files::all().into_iter().find(|file| file.name == name).expect("the file").bytes());
    let check = |name: &str, options: VerifyOptions| verify(&file(name), &options).expect("memory does not fail");
    let counted = |report: &herringbone::verify::Report| (report.notes, report.column_chunks, report.unchecked_chunks);
    let whole = check("row-groups.of-50-v2", VerifyOptions::default());
    assert!(whole.is_complete() && whole.is_clean() && whole.column_chunks > whole.row_groups, "{whole:?}");
    assert_eq!(whole.unchecked_chunks, 0);
    let strange = check("unsupported.columns", VerifyOptions::default());
    assert!(strange.is_clean() && !strange.is_complete());
    assert_eq!(counted(&strange), (3, 4, 3));
    // Nothing that could be read is more than enough; notes are counted where they are not kept.
    let unread = check("row-groups.of-50-v2", VerifyOptions { bytes: Some(0), findings: 0, ..VerifyOptions::default() });
    assert!(unread.is_clean() && unread.findings.is_empty() && unread.notes == unread.more, "{unread:?}");
    assert_eq!((unread.column_chunks, unread.unchecked_chunks), (whole.column_chunks, whole.column_chunks));
}

#[test]
fn any_bytes_have_a_report() {
    let file = files::all().into_iter().find(|file| file.name == "bloom-filters.index-v2").expect("the file").bytes();
    let check = |bytes: &[u8]| verify(&Bytes::copy_from_slice(bytes), &VerifyOptions::default()).expect("memory does not fail");
    for length in 0..file.len() {
        assert!(check(&file[..length]).errors > 0, "cut to {length} bytes");
    }
    let (mut seen, mut state) = (0, 1_u64);
    for _ in 0..2000 {
        let mut broken = file.clone();
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 20) as usize % broken.len();
        broken[at] ^= 1 << (state >> 60 & 7);
        seen += usize::from(!check(&broken).is_clean());
    }
    // What is flipped elsewhere may be as good: names, key-values, bits of the bloom filter that are set in vain.
    assert!(seen > 1000, "{seen} of 2000 flipped bits were noticed");
}

/// A list of structs that says that it is one of texts: who reads all of the footer does not notice, who steps over it does.
#[test]
fn chunks_that_readers_do_not_find_are_missing() {
    let mut file = files::all().into_iter().find(|file| file.name == "ints.plain-v2").expect("the file").bytes();
    assert_eq!(file[11403..11405], [0x19, 0x1c], "the list of a chunk's encodings");
    file[11404] = 0x18;
    let report = verify(&Bytes::from(file), &VerifyOptions::default()).expect("memory does not fail");
    let found: Vec<_> =
        report.findings.iter().map(|finding| (finding.code, finding.place.row_group, finding.place.column.as_deref())).collect();
    assert_eq!(found, [(Code::ChunkMissing, Some(0), Some("u16_req"))], "{report:?}");
}

/// Whatever is wrong with a file, it is found in the same order however many chunks are checked at once.
#[test]
fn threads_find_the_same() {
    let files = files::all();
    assert!(files.len() > 100, "{} files", files.len());
    let mut findings = 0;
    for file in &files {
        let mut bytes = file.bytes();
        // As it is, and with a byte of every fifth of it turned.
        for part in 0..5 {
            for (values, most_bytes, most) in [(u64::MAX, None, 1000), (300, None, 3), (u64::MAX, Some(5000), 2)] {
                let check = |threads| {
                    let options = VerifyOptions { values, bytes: most_bytes, findings: most, threads, ..VerifyOptions::default() };
                    verify(&Bytes::copy_from_slice(&bytes), &options).expect("memory does not fail")
                };
                let alone = check(1);
                findings += alone.findings.len();
                assert_eq!(alone, check(3), "{} {part} {values} {most_bytes:?}", file.name);
            }
            let at = bytes.len() * (2 * part + 1) / 10;
            bytes[at] ^= 0x15;
        }
    }
    assert!(findings > 1000, "{findings} findings");
}
