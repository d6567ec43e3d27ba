//! Reading chunk by chunk gives what decoding the whole footer gives.

use proptest::prelude::*;

use super::*;
use crate::metadata::parse::{At, Entry};
use crate::thrift::{Decode, Reader};

/// A footer of any shape: columns, row groups, and which optional fields are there by the bits of `choices`.
fn footer(columns: usize, row_groups: usize, choices: &[u64]) -> FileMetaData<'static> {
    let mut choices = choices.iter().copied().cycle();
    let mut next = || choices.next().unwrap_or_default();
    let mut file = sample();
    file.schema = vec![SchemaElement { num_children: Some(columns as i32), ..element("root", None) }];
    file.schema.extend((0..columns).map(|_| SchemaElement {
        repetition_type: Some(FieldRepetitionType::Required),
        ..element("some column", Some(PhysicalType::Int64))
    }));
    file.num_rows = row_groups as i64 * 5;
    file.row_groups = (0..row_groups)
        .map(|_| {
            let mut row_group = row_group(5, 4);
            row_group.columns = (0..columns)
                .map(|_| {
                    let choice = next();
                    // Offsets of all lengths of varint.
                    let mut chunk = chunk(PhysicalType::Int64, &["some column"], 5, (choice >> (choice % 64)) as i64 & 0xffff);
                    let meta = chunk.meta_data.as_mut().unwrap();
                    meta.statistics = meta.statistics.take().filter(|_| choice & 1 == 0);
                    meta.encoding_stats = meta.encoding_stats.take().filter(|_| choice & 2 == 0);
                    meta.size_statistics = meta.size_statistics.take().filter(|_| choice & 4 == 0);
                    meta.geospatial_statistics = meta.geospatial_statistics.take().filter(|_| choice & 8 == 0);
                    meta.encodings = vec![Encoding::Plain; (choice >> 4) as usize % 40];
                    chunk.file_path = (choice & 16 == 0).then(|| "x".repeat((choice >> 8) as usize % 300).into());
                    chunk.column_index_offset = chunk.column_index_offset.filter(|_| choice & 32 == 0);
                    chunk
                })
                .collect();
            row_group.ordinal = row_group.ordinal.filter(|_| next() & 1 == 0);
            row_group.sorting_columns = row_group.sorting_columns.filter(|_| next() & 1 == 0);
            row_group
        })
        .collect();
    file.column_orders = Some(vec![ColumnOrder::TypeOrder; columns]);
    file
}

/// The smallest budget that is enough for a footer.
fn smallest_budget(bytes: &[u8]) -> usize {
    let (mut fails, mut does) = (0_usize, 1 << 20);
    while does - fails > 1 {
        let budget = fails.midpoint(does);
        let limits = Limits { metadata_bytes: budget, ..Limits::default() };
        match parse_with(bytes.to_vec(), &limits) {
            Ok(_) => does = budget,
            Err(_) => fails = budget,
        }
    }
    does
}

#[test]
fn learning_what_chunks_look_like_needs_no_memory_that_walking_does_not() {
    let row_groups = 48;
    let bytes = encode_to_vec(&footer(50, row_groups, &[0])).unwrap();
    let each = 50 * size_of::<ColumnOrder>() + 51 * size_of::<SchemaElement<'_>>();
    assert_eq!(smallest_budget(&bytes), each + row_groups * (size_of::<Entry>() + 50 * size_of::<At>()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn chunks_are_those_of_the_whole_footer(columns in 0..40_usize, row_groups in 0..20_usize, choices in proptest::collection::vec(any::<u64>(), 1..100)) {
        let whole = footer(columns, row_groups, &choices);
        let bytes = encode_to_vec(&whole).unwrap();
        prop_assert_eq!(&FileMetaData::decode(&mut Reader::new(&bytes, 1 << 30)).unwrap(), &whole);
        let file = parse_bytes(bytes).unwrap();
        prop_assert_eq!(file.num_row_groups(), row_groups);
        for (row_group, expected) in file.row_groups().zip(&whole.row_groups) {
            prop_assert_eq!(row_group.num_columns(), columns);
            prop_assert_eq!(row_group.ordinal(), expected.ordinal);
            prop_assert_eq!(row_group.sorting_columns().unwrap(), expected.sorting_columns.clone().unwrap_or_default());
            for (i, chunk) in expected.columns.iter().enumerate() {
                prop_assert_eq!(&row_group.raw_column(i).unwrap(), chunk);
                let meta = chunk.meta_data.as_ref().unwrap();
                let location = row_group.chunk(i).unwrap();
                prop_assert_eq!(location.data_page_offset, meta.data_page_offset as u64);
                prop_assert_eq!(location.in_other_file, chunk.file_path.as_ref().is_some_and(|path| !path.is_empty()));
                prop_assert_eq!(location.column_index.is_some(), chunk.column_index_offset.is_some());
                prop_assert_eq!(row_group.statistics(i).unwrap().is_some(), meta.statistics.is_some());
            }
        }
    }
}
