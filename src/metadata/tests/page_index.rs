//! Page indexes, honest and lying.

use super::*;
use crate::format::{BoundaryOrder, ColumnIndex, OffsetIndex, PageLocation};
use crate::metadata;

/// Three pages of the second row group's first column, which has 20 rows at 50,000..51,000.
fn offset_index() -> OffsetIndex {
    let page = |offset, compressed_page_size, first_row_index| PageLocation { offset, compressed_page_size, first_row_index };
    OffsetIndex {
        page_locations: vec![page(50_100, 300, 0), page(50_400, 300, 7), page(50_700, 300, 19)],
        unencoded_byte_array_data_bytes: Some(vec![5, 6, -7]),
    }
}

fn column_index() -> ColumnIndex<'static> {
    let bytes = |value: i64| value.to_le_bytes().to_vec().into();
    ColumnIndex {
        null_pages: vec![false, true, false],
        min_values: vec![bytes(1), b""[..].into(), bytes(5)],
        max_values: vec![bytes(4), b""[..].into(), bytes(5)],
        boundary_order: BoundaryOrder::Ascending,
        null_counts: Some(vec![0, 12, 0]),
        repetition_level_histograms: Some(vec![7, 12, 1]),
        definition_level_histograms: Some(vec![7, 12, 1]),
        nan_counts: None,
    }
}

/// A file whose columns are all of one type and order.
fn file(physical_type: PhysicalType, order: ColumnOrder) -> FileMetadata {
    let mut file = sample();
    file.schema = vec![
        SchemaElement { num_children: Some(1), ..element("root", None) },
        SchemaElement { repetition_type: Some(FieldRepetitionType::Required), ..element("c", Some(physical_type)) },
    ];
    file.column_orders = Some(vec![order]);
    for row_group in &mut file.row_groups {
        row_group.columns.truncate(1);
        row_group.columns[0].meta_data.as_mut().unwrap().physical_type = physical_type;
    }
    parse(&file).unwrap()
}

fn parse_offsets(index: &OffsetIndex) -> Result<metadata::OffsetIndex> {
    let file = file(PhysicalType::Int64, ColumnOrder::TypeOrder);
    file.row_group(1).unwrap().parse_offset_index(0, &encode_to_vec(index).unwrap())
}

fn parse_columns(file: &FileMetadata, index: &ColumnIndex<'_>) -> Result<metadata::ColumnIndex> {
    let offsets = parse_offsets(&offset_index()).unwrap();
    file.row_group(1).unwrap().parse_column_index(0, &encode_to_vec(index).unwrap(), &offsets)
}

#[test]
fn pages_have_places_and_rows() {
    let index = parse_offsets(&offset_index()).unwrap();
    assert_eq!(index.num_pages(), 3);
    assert_eq!(index.pages()[1].range(), 50_400..50_700);
    assert_eq!([0, 1, 2, 3].map(|page| index.rows(page)), [0..7, 7..19, 19..20, 20..20]);
    let pages = [0, 6, 7, 18, 19, 20, u64::MAX].map(|row| index.page_of_row(row));
    assert_eq!(pages, [Some(0), Some(0), Some(1), Some(1), Some(2), None, None]);
    assert_eq!([0, 1, 2, 3].map(|page| index.unencoded_bytes(page)), [Some(5), Some(6), None, None]);
}

#[test]
fn lying_offset_indexes_are_refused() {
    let changes: [fn(&mut OffsetIndex); 14] = [
        |index| index.page_locations.clear(),
        |index| index.page_locations[0].first_row_index = 1,
        |index| index.page_locations[1].first_row_index = 0,
        |index| index.page_locations[2].first_row_index = 6,
        |index| index.page_locations[2].first_row_index = 20,
        |index| index.page_locations[0].first_row_index = -1,
        |index| index.page_locations[0].offset = 49_999,
        |index| index.page_locations[1].offset = 50_399,
        |index| index.page_locations[2].offset = 99_900,
        |index| index.page_locations[2].offset = -1,
        |index| index.page_locations[2].offset = i64::MAX,
        |index| index.page_locations[2].compressed_page_size = 0,
        |index| index.page_locations[2].compressed_page_size = i32::MIN,
        |index| index.unencoded_byte_array_data_bytes = Some(vec![1]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut index = offset_index();
        change(&mut index);
        let error = parse_offsets(&index).expect_err(&format!("change {i}"));
        assert_eq!(error.kind(), crate::ErrorKind::Malformed);
        assert_eq!((error.place().row_group, error.place().column.as_deref()), (Some(1), Some("c")));
    }
}

#[test]
fn pages_have_bounds_and_counts() {
    let file = file(PhysicalType::Int64, ColumnOrder::TypeOrder);
    let index = parse_columns(&file, &column_index()).unwrap();
    assert_eq!((index.num_pages(), index.boundary_order()), (3, BoundaryOrder::Ascending));
    assert_eq!([0, 1, 2, 3].map(|page| index.is_null_page(page)), [false, true, false, false]);
    let min = index.min(0).unwrap();
    assert_eq!((min.value(), min.is_exact()), (Some(metadata::Value::Int64(1)), true));
    assert_eq!(index.max(2).unwrap().bytes(), 5_i64.to_le_bytes());
    assert!(index.min(1).is_none() && index.max(1).is_none() && index.min(3).is_none());
    assert_eq!([0, 1, 2, 3].map(|page| index.null_count(page)), [Some(0), Some(12), Some(0), None]);
    assert_eq!(index.nan_count(0), None);
    assert_eq!(index.definition_level_histogram(1), Some(&[12][..]));
    assert_eq!(index.repetition_level_histogram(3), None);
}

#[test]
fn lying_column_indexes_are_refused() {
    let changes: [fn(&mut ColumnIndex<'static>); 10] = [
        |index| index.null_pages.push(true),
        |index| drop(index.min_values.pop()),
        |index| index.max_values.push(b""[..].into()),
        |index| index.min_values.swap(0, 2),
        |index| index.boundary_order = BoundaryOrder::Descending,
        |index| index.null_counts = Some(vec![1, 2]),
        |index| index.nan_counts = Some(vec![1, 2, 3, 4]),
        |index| index.repetition_level_histograms = Some(vec![1, 2]),
        |index| index.definition_level_histograms = Some(vec![1, 2, 3, 4]),
        |index| {
            index.boundary_order = BoundaryOrder::Ascending;
            index.max_values[0] = 6_i64.to_le_bytes().to_vec().into();
        },
    ];
    let file = file(PhysicalType::Int64, ColumnOrder::TypeOrder);
    for (i, change) in changes.into_iter().enumerate() {
        let mut index = column_index();
        change(&mut index);
        let error = parse_columns(&file, &index).expect_err(&format!("change {i}"));
        assert_eq!(error.kind(), crate::ErrorKind::Malformed, "{error}");
    }
}

#[test]
fn bounds_without_an_order_leave_the_counts() {
    let file = file(PhysicalType::Int64, ColumnOrder::Unknown(7));
    let index = ColumnIndex { null_counts: Some(vec![-1, 12, 0]), ..column_index() };
    let index = parse_columns(&file, &index).unwrap();
    assert!(index.min(0).is_none() && index.max(0).is_none());
    assert_eq!([0, 1].map(|page| index.null_count(page)), [None, Some(12)]);
}

#[test]
fn pages_of_nan_are_known_in_total_order_alone() {
    let bytes = |value: f64| value.to_le_bytes().to_vec().into();
    let index = ColumnIndex {
        null_pages: vec![false; 3],
        min_values: vec![bytes(0.0), bytes(1.0), bytes(f64::NAN)],
        max_values: vec![bytes(-0.0), bytes(2.0), bytes(f64::NAN)],
        boundary_order: BoundaryOrder::Unordered,
        nan_counts: Some(vec![0, 1, 5]),
        ..column_index()
    };
    let by_type = parse_columns(&file(PhysicalType::Double, ColumnOrder::TypeOrder), &index).unwrap();
    assert_eq!(by_type.min(0).unwrap().bytes(), (-0.0_f64).to_le_bytes());
    assert_eq!(by_type.max(0).unwrap().bytes(), 0.0_f64.to_le_bytes());
    assert_eq!(by_type.max(1).unwrap().value(), Some(metadata::Value::Double(2.0)));
    assert!(by_type.min(2).is_none() && !by_type.is_only_nan(2));
    assert_eq!(by_type.nan_count(2), Some(5));
    let total = file(PhysicalType::Double, ColumnOrder::Ieee754TotalOrder);
    assert!(parse_columns(&total, &index).is_err(), "+0 is above -0");
    let index = ColumnIndex { max_values: vec![bytes(0.0), bytes(2.0), bytes(f64::NAN)], ..index };
    let total = parse_columns(&total, &index).unwrap();
    assert_eq!(total.min(0).unwrap().bytes(), 0.0_f64.to_le_bytes());
    assert!(total.min(2).is_none() && total.is_only_nan(2) && !total.is_only_nan(1));
}

#[test]
fn damaged_indexes_are_refused_or_read() {
    let file = file(PhysicalType::Int64, ColumnOrder::TypeOrder);
    let row_group = file.row_group(1).unwrap();
    let whole = parse_offsets(&offset_index()).unwrap();
    let (offsets, columns) = (encode_to_vec(&offset_index()).unwrap(), encode_to_vec(&column_index()).unwrap());
    for length in 0..offsets.len() {
        assert!(row_group.parse_offset_index(0, &offsets[..length]).is_err());
    }
    for length in 0..columns.len() {
        assert!(row_group.parse_column_index(0, &columns[..length], &whole).is_err());
    }
    for i in 0..offsets.len() * 8 {
        let mut mutant = offsets.clone();
        mutant[i / 8] ^= 1 << (i % 8);
        if let Ok(index) = row_group.parse_offset_index(0, &mutant) {
            assert!((0..20).all(|row| index.page_of_row(row).is_some()));
        }
    }
    for i in 0..columns.len() * 8 {
        let mut mutant = columns.clone();
        mutant[i / 8] ^= 1 << (i % 8);
        if let Ok(index) = row_group.parse_column_index(0, &mutant, &whole) {
            for page in 0..index.num_pages() {
                let _ = (index.min(page), index.max(page), index.null_count(page), index.definition_level_histogram(page));
            }
        }
    }
}
