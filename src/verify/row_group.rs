//! Row groups: their figures against those of their chunks, and whether they are sorted as they say.

use crate::error::{Place, Result};
use crate::format::{RowGroup, SortingColumn};
use crate::metadata::Order;
use crate::verify::chunk;
use crate::verify::frame::File;
use crate::verify::report::{Code, Recorder};
use crate::verify::sorted::{RowOrder, first_wrong};

/// Checks a row group and all that is in it.
pub(super) fn check(file: &mut File<'_>, index: usize, group: &RowGroup<'_>, out: &mut Recorder) -> Result<()> {
    let place = Place { row_group: Some(index), ..Place::default() };
    out.report.row_groups = out.report.row_groups.saturating_add(1);
    let leaves = file.schema.leaves().len();
    if group.columns.len() != leaves {
        out.add(Code::ColumnCount, &place, leaves, group.columns.len());
        file.all_known = false;
        return Ok(());
    }
    if group.num_rows < 0 {
        out.add(Code::RowGroupRows, &place, "0 or more", group.num_rows);
    }
    sizes(index, group, &place, out);
    let sorting = sorting(file, group, &place, out);
    let mut found: Vec<Option<RowOrder>> = sorting.iter().map(|_| None).collect();
    for (leaf, column) in group.columns.iter().enumerate() {
        let by = sorting.iter().position(|(sorting, _)| usize::try_from(sorting.column_idx) == Ok(leaf));
        let comparer = by.and_then(|by| sorting.get(by)).map(|(sorting, order)| RowOrder::new(*order, sorting, file.limits.memory_bytes));
        let order = chunk::check(file, index, group.num_rows, leaf, column, comparer, out)?;
        if let Some(slot) = by.and_then(|by| found.get_mut(by)) {
            *slot = order;
        }
    }
    // What comes after a column that could not be read cannot be told.
    let known: Vec<RowOrder> = found.into_iter().map_while(|order| order).collect();
    if let Some(row) = first_wrong(&known) {
        out.add(Code::SortOrder, &place, "each row not before the row before", format!("row {row} of the row group"));
    }
    Ok(())
}

/// The figures that are sums of the chunks'.
fn sizes(index: usize, group: &RowGroup<'_>, place: &Place, out: &mut Recorder) {
    let metas = || group.columns.iter().filter_map(|column| column.meta_data.as_ref());
    if metas().count() != group.columns.len() {
        return;
    }
    let uncompressed = metas().fold(0_i64, |sum, meta| sum.saturating_add(meta.total_uncompressed_size));
    let compressed = metas().fold(0_i64, |sum, meta| sum.saturating_add(meta.total_compressed_size));
    out.compare(Code::RowGroupBytes, place, uncompressed, group.total_byte_size);
    if let Some(claimed) = group.total_compressed_size {
        out.compare(Code::RowGroupCompressed, place, compressed, claimed);
    }
    let start = |meta: &crate::format::ColumnMetaData<'_>| {
        meta.dictionary_page_offset.filter(|offset| *offset > 0).unwrap_or(meta.data_page_offset).min(meta.data_page_offset)
    };
    let is_here = group.columns.iter().all(|column| column.file_path.as_ref().is_none_or(|path| path.is_empty()));
    // 0 is what some writers write where they do not know.
    if let (Some(claimed), Some(first), true) =
        (group.file_offset.filter(|offset| *offset != 0), metas().filter(|meta| meta.num_values > 0).map(start).min(), is_here)
    {
        out.compare(Code::RowGroupOffset, place, first, claimed);
    }
    if let Some(ordinal) = group.ordinal {
        // Beyond 2^15 row groups the field cannot hold the index.
        if i16::try_from(index).is_ok_and(|index| index != ordinal) {
            out.add(Code::RowGroupOrdinal, place, index, ordinal);
        }
    }
}

/// The sorting columns up to the first whose rows cannot be compared.
fn sorting<'g>(file: &File<'_>, group: &'g RowGroup<'_>, place: &Place, out: &mut Recorder) -> Vec<(&'g SortingColumn, Order)> {
    let mut comparable = Vec::new();
    let mut all = true;
    for sorting in group.sorting_columns.iter().flatten() {
        let leaf = usize::try_from(sorting.column_idx).ok().and_then(|index| file.schema.leaves().get(index));
        let Some(leaf) = leaf else {
            out.add(Code::SortingColumn, place, format!("a column below {}", file.schema.leaves().len()), sorting.column_idx);
            all = false;
            continue;
        };
        let orders = file.column_orders.as_ref().and_then(|orders| orders.get(leaf.index));
        let order = orders.map_or_else(|| Order::by_type(leaf), |order| Order::of(leaf, order));
        let repeated = comparable.iter().any(|(other, _): &(&SortingColumn, Order)| other.column_idx == sorting.column_idx);
        match order.filter(|_| leaf.max_repetition_level == 0 && !repeated) {
            Some(order) if all => comparable.push((sorting, order)),
            Some(_) => {}
            None => all = false,
        }
    }
    comparable
}
