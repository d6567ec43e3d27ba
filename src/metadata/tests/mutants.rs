//! Damaged footers: each is refused or read, and neither panics.

use super::*;
use crate::metadata::{BloomFilter, Value};

/// Looks at everything that a footer gives access to.
fn exhaust(file: &FileMetadata) -> usize {
    let mut seen = format!("{file:?}").len() + file.key_values().count() + usize::from(file.is_encrypted());
    seen += usize::from(file.encryption_algorithm().is_ok()) + file.footer_signing_key_metadata().map_or(0, <[u8]>::len);
    for row_group in file.row_groups() {
        seen += row_group.sorting_columns().map_or(0, |columns| columns.len());
        for i in 0..row_group.num_columns() {
            if let Ok(chunk) = row_group.chunk(i) {
                assert!(chunk.in_other_file || (chunk.range.start <= chunk.range.end && chunk.range.end <= FILE_SIZE.max(chunk.bound)));
                assert!(chunk.range.end <= chunk.bound);
            }
            let leaf = &file.schema().leaves()[i];
            if let Ok(Some(statistics)) = row_group.statistics(i) {
                for bound in [statistics.min(), statistics.max()].into_iter().flatten() {
                    let value: Option<Value<'_>> = bound.value();
                    seen += value.map_or(0, |value| value.display(leaf.logical_type.as_ref()).to_string().len());
                }
            }
            if let Ok(column) = row_group.column(i) {
                seen += format!("{column:?}").len();
                seen += usize::from(column.is_all_dictionary().is_some()) + column.definition_level_histogram().map_or(0, <[i64]>::len);
            }
        }
    }
    seen
}

#[test]
fn every_truncation_is_refused() {
    let footer = encode_to_vec(&sample()).unwrap();
    assert!(exhaust(&parse_bytes(footer.clone()).unwrap()) > 1000);
    for length in 0..footer.len() {
        assert!(parse_bytes(footer[..length].to_vec()).is_err(), "cut to {length} of {} bytes", footer.len());
    }
}

#[test]
fn every_flipped_bit_is_refused_or_read() {
    let footer = encode_to_vec(&sample()).unwrap();
    let (mut read, mut refused) = (0, 0);
    for i in 0..footer.len() * 8 {
        let mut mutant = footer.clone();
        mutant[i / 8] ^= 1 << (i % 8);
        match parse_bytes(mutant) {
            Ok(file) => {
                exhaust(&file);
                read += 1;
            }
            Err(error) => {
                assert!(!error.message().is_empty());
                refused += 1;
            }
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} read, {refused} refused");
}

#[test]
fn boundary_bytes_everywhere_are_refused_or_read() {
    let footer = encode_to_vec(&sample()).unwrap();
    for i in 0..footer.len() {
        for bytes in
            [&[0][..], &[0x7f], &[0x80], &[0xff], &[0xff; 9], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0xf9, 0xff, 0xff, 0xff, 0xff, 0x07]]
        {
            let mut mutant = footer.clone();
            mutant.splice(i..i + 1, bytes.iter().copied());
            if let Ok(file) = parse_bytes(mutant) {
                exhaust(&file);
            }
        }
    }
}

#[test]
fn a_few_bytes_do_not_ask_for_gigabytes() {
    // Field 4 is a list of 2^31 - 1 row groups; one row group has as many columns.
    for footer in [&[0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07][..], &[0x49, 0x1c, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0]] {
        assert!(parse_bytes(footer.to_vec()).unwrap_err().message().contains("elements, but"));
    }
}

#[test]
fn many_empty_row_groups_are_cheap() {
    // Of schemas without columns, row groups take 7 bytes.
    let one = RowGroup {
        columns: Vec::new(),
        total_byte_size: 0,
        num_rows: 0,
        sorting_columns: None,
        file_offset: None,
        total_compressed_size: None,
        ordinal: None,
    };
    let file = FileMetaData {
        schema: vec![SchemaElement { num_children: Some(0), ..element("root", None) }],
        row_groups: vec![one; 100_000],
        num_rows: 0,
        ..sample()
    };
    let file = parse(&file).unwrap();
    assert_eq!(file.row_groups().count(), 100_000);
    assert_eq!(file.row_group(99_999).unwrap().num_columns(), 0);
}

#[test]
fn bloom_filters_of_flipped_bits_are_refused_or_read() {
    let mut filter = BloomFilter::with_bytes(64);
    filter.insert(b"x");
    let bytes = filter.to_bytes().unwrap();
    for i in 0..bytes.len() * 8 {
        let mut mutant = bytes.clone();
        mutant[i / 8] ^= 1 << (i % 8);
        if let Ok(filter) = BloomFilter::parse(&mutant) {
            filter.may_contain(b"x");
        }
    }
}
