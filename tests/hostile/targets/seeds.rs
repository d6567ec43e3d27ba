//! What the targets begin from, all of it out of `testdata/`.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use herringbone::compression::Decompressor;
use herringbone::metadata::footer::Tail;
use herringbone::page::CompressedPage;
use herringbone::read::{self, PageOptions};
use herringbone::schema::Leaf;
use herringbone::{FileMetadata, Result};

use super::{ALL, codecs, encodings, limits, test_files};
use crate::arrow_write::arrays::Random;

/// An input.
pub struct Seed {
    /// The target that it is for.
    pub target: &'static str,
    /// What it was made of.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Larger files are slow to begin from.
const LARGEST: usize = 12 << 10;
/// Of one file, chunks that become inputs of their own.
const CHUNKS: usize = 4;

/// All inputs, none of them twice.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| seeds.push(Seed { target, name: name.to_owned(), bytes });
    for (name, file) in test_files().iter().filter(|(_, file)| file.len() <= LARGEST) {
        for target in ["whole_file", "verify"] {
            add(target, name, file.to_vec());
        }
        // Where a file has what is not supported, what came before is enough.
        let _ = of_file(file, &mut |target, bytes| add(target, name, bytes));
    }
    for (at, text) in TEXTS.iter().enumerate() {
        add("texts", &format!("text {at}"), text.as_bytes().to_vec());
    }
    for (at, text) in CONDITIONS.iter().enumerate() {
        add("conditions", &format!("condition {at}"), text.as_bytes().to_vec());
    }
    // Nothing but choices, of which one is as good as another.
    let mut random = Random::new(0);
    for target in ["filter", "round_trip", "scan", "streams", "threads"] {
        for at in 0..40 {
            let length = if target == "scan" { 40 } else { 200 + random.below(1500) };
            add(target, &format!("choices {at}"), (0..length).map(|_| random.next() as u8).collect());
        }
    }
    let mut distinct = BTreeMap::new();
    for seed in seeds {
        distinct.entry((seed.target, seed.bytes.clone())).or_insert(seed);
    }
    distinct.into_values().filter(|seed| ALL.iter().any(|(target, _)| *target == seed.target)).collect()
}

fn of_file(file: &Bytes, add: &mut impl FnMut(&'static str, Vec<u8>)) -> Result<()> {
    let footer = Tail::parse(file, file.len() as u64, &limits())?.footer();
    add("footer", file[footer.start as usize..].to_vec());
    let metadata = read::metadata(file, &limits())?;
    add("texts", metadata.schema().to_string().into_bytes());
    if let Some(created_by) = metadata.created_by() {
        add("texts", created_by.as_bytes().to_vec());
    }
    for leaf in metadata.schema().leaves().iter().take(CHUNKS).filter(|_| metadata.num_row_groups() > 0) {
        of_chunk(file, &metadata, leaf, add)?;
    }
    Ok(())
}

/// The pages of a chunk of the first row group: all together, and levels, values and compressed bytes of the first one.
fn of_chunk(file: &Bytes, metadata: &FileMetadata, leaf: &Leaf, add: &mut impl FnMut(&'static str, Vec<u8>)) -> Result<()> {
    let group = metadata.row_group(0).expect("a row group");
    let chunk = group.chunk(leaf.index)?;
    let physical_type = leaf.physical_type.code() as u8;
    let nesting = match (leaf.max_repetition_level, leaf.max_definition_level) {
        (0, level @ (0 | 1)) => Some(level),
        (1, 1) => Some(2),
        (1, 3) => Some(3),
        _ => None,
    };
    let part = |range: &Range<u64>| file.get(range.start as usize..range.end as usize);
    if let (Some(nesting), Some(pages)) = (nesting, part(&chunk.range)) {
        let control = [physical_type, leaf.type_length as u8, chunk.codec.code() as u8, nesting];
        let counts = [(chunk.num_values as u16).to_le_bytes(), (group.num_rows() as u16).to_le_bytes()].concat();
        let column = [&control[..], &counts].concat();
        add("pages", [&column[..], pages].concat());
        if let Some(offsets) = chunk.offset_index.as_ref().and_then(part) {
            let range = [chunk.range.start, chunk.range.end - chunk.range.start].map(|number| (number as u32).to_le_bytes());
            let length = (offsets.len() as u16).to_le_bytes();
            let columns = chunk.column_index.as_ref().and_then(part).unwrap_or_default();
            add("index", [&column[..], range.as_flattened(), &length, offsets, columns].concat());
        }
    }
    if let Some(filter) = &chunk.bloom_filter {
        add("index", file[filter.offset as usize..].to_vec());
    }
    let options = PageOptions { limits: limits(), ..PageOptions::default() };
    let mut data =
        read::pages(file.clone(), metadata, 0, leaf.index, &options)?.filter_map(Result::ok).filter(|page| !page.is_dictionary());
    match data.next() {
        Some(page) => of_page(&page, leaf, add),
        None => Ok(()),
    }
}

/// What `arbitrary` makes the targets' `Control`s of: see there.
fn of_page(page: &CompressedPage, leaf: &Leaf, add: &mut impl FnMut(&'static str, Vec<u8>)) -> Result<()> {
    // What is in no list, since some test files are of the future, is as good as anything else.
    let index = |found: Option<usize>| found.unwrap_or_default() as u8;
    let codec = index(codecs::CODECS.iter().position(|codec| *codec == page.chunk().codec()));
    let size = (page.uncompressed_size() as u32).to_le_bytes();
    add("codecs", [&[codec][..], &size, &[0; 6], page.bytes()].concat());

    let decompressed = page.decompress(&mut Decompressor::new(), Vec::new())?;
    let n = (page.num_values() as u16).to_le_bytes();
    let max = leaf.max_definition_level;
    // All levels at once, and what is nested by them.
    let pieces = [&[0][..], &n, &[0; 15]].concat();
    let nesting = [0, 0, 1, 1, max, 0, 0, 10, 0];
    add("levels", [&[0, max][..], &pieces, &nesting, decompressed.definition_bytes()].concat());

    let of_type = index(encodings::TYPES.iter().position(|of| *of == leaf.physical_type));
    let encoding = index(encodings::ENCODINGS.iter().position(|encoding| *encoding == decompressed.encoding()));
    for encode in [0, 1] {
        // Without a value before the page and without a dictionary; nothing is changed.
        let control = [of_type, leaf.type_length as u8, encoding, encode, 0, 0];
        add("encodings", [&control[..], &pieces, &[0; 6], decompressed.value_bytes()].concat());
    }
    Ok(())
}

const CONDITIONS: &[&str] = &[
    "a > 5 and b in (-3, 4, 17.5) or c is null",
    "not (a = 1 or h)",
    "\"a\" not between 10 and 1e2",
    "c like 'a%' and c <> 'ab' and c not like '%\\_' escape '\\'",
    "starts_with(c, 'z') or starts_with(i, X'61')",
    "d >= 0.0 and d < -1.5e0 or d is not distinct from null",
    "e = 12.25 or e > -1e2 or e between 1 and 99999999999999999999",
    "f >= DATE '1969-12-29' and f <> '1970-01-01'::date",
    "g < TIMESTAMP '1970-01-05 00:00:00.000001' or 5 < a",
    "h is not true and s.x >= 7",
    "l is null or s is not null and true",
    "i = X'6162' or null",
    "c in ('a', 'ab', NULL) and not c is distinct from 'a'",
    "a = 99999999999999999999999 or CAST('12' AS INT) = b",
];

const TEXTS: &[&str] = &[
    "message m { required int64 id = 1; optional binary name (STRING); repeated group g { required double d; } }",
    "message m { optional int32 a (DECIMAL(9,2)); required int64 b (TIMESTAMP(MICROS,true)); required fixed_len_byte_array(16) c (UUID); }",
    "message m { optional group l (LIST) { repeated group list { optional binary element (UTF8); } } }",
    "message m { optional group m (MAP) { repeated group key_value { required binary key (STRING); optional int96 value; } } }",
    "parquet-mr version 1.12.3-amzn-0 (build f8dced182c4c1fbdec6ccb3185537b5a01e6ed6b)",
    "parquet-cpp-arrow version 21.0.0",
    "impala version 4.0.0-SNAPSHOT",
    "-12.50e-3",
    "2024-02-29T23:59:59.999+02:00",
    "zstd:3",
    "gzip(9)",
    "uncompressed",
];
