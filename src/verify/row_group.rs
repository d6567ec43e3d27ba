//! Row groups: their figures against those of their chunks, and whether they are sorted as they say.

use std::collections::HashMap;

use crate::error::Result;
use crate::format::{RowGroup, SortingColumn};
use crate::metadata::Order;
use crate::verify::chunk;
use crate::verify::frame::File;
use crate::verify::report::{Code, Recorder};
use crate::verify::sorted::{RowOrder, first_wrong};
use crate::verify::spot::Spot;

/// A row group whose own figures were checked.
pub(super) struct Begun<'g> {
    index: usize,
    group: &'g RowGroup<'g>,
    place: Spot,
    sorting: Sorting<'g>,
    /// The number of its chunks; none if there are not as many as the schema has columns.
    pub(super) chunks: usize,
    found: Recorder,
}

/// By what a row group says it is sorted, as far as rows can be compared.
#[derive(Default)]
struct Sorting<'g> {
    columns: Vec<(&'g SortingColumn, Order)>,
    /// Which of them a leaf is.
    of_leaf: HashMap<usize, usize>,
}

/// What came out of checking a chunk.
pub(super) struct Checked {
    pub(super) found: Recorder,
    order: Option<RowOrder>,
}

/// Checks what a row group says of itself.
pub(super) fn begin<'g>(file: &File<'_>, index: usize, group: &'g RowGroup<'g>, mut out: Recorder) -> Begun<'g> {
    let place = Spot { row_group: Some(index), ..Spot::default() };
    out.report.row_groups = out.report.row_groups.saturating_add(1);
    let leaves = file.schema.leaves().len();
    if group.columns.len() != leaves {
        out.add(Code::ColumnCount, place, leaves, group.columns.len());
        out.all_known = false;
        return Begun { index, group, place, sorting: Sorting::default(), chunks: 0, found: out };
    }
    if group.num_rows < 0 {
        out.add(Code::RowGroupRows, place, "0 or more", group.num_rows);
    }
    sizes(index, group, place, &mut out);
    let sorting = sorting(file, group, place, &mut out);
    Begun { index, group, place, sorting, chunks: leaves, found: out }
}

impl Begun<'_> {
    /// Whether so much is remembered of a chunk's values that it is checked while no other is.
    pub(super) fn is_heavy(&self, leaf: usize) -> bool {
        let meta = self.group.columns.get(leaf).and_then(|column| column.meta_data.as_ref());
        meta.and_then(|meta| meta.statistics.as_ref()).is_some_and(|statistics| statistics.distinct_count.is_some())
    }

    /// Checks a chunk.
    pub(super) fn chunk(&self, file: &File<'_>, leaf: usize, mut out: Recorder) -> Result<Checked> {
        let by = self.sorting.of_leaf.get(&leaf).and_then(|by| self.sorting.columns.get(*by));
        // What is remembered of the rows of all of these columns is held at once.
        let most = file.limits.memory_bytes.checked_div(self.sorting.columns.len()).unwrap_or(0);
        let comparer = by.map(|(sorting, order)| RowOrder::new(*order, sorting, most));
        let order = match self.group.columns.get(leaf) {
            Some(column) => chunk::check(file, self.index, self.group.num_rows, leaf, column, comparer, &mut out)?,
            None => None,
        };
        if let Some(order) = order.as_ref().filter(|order| order.is_cut) {
            let place = Spot { leaf: Some(leaf), ..self.place };
            out.add(Code::Limited, place, format!("at most {} rows, to see whether they are sorted", order.most), "");
        }
        out.report.column_chunks = 1;
        out.report.unchecked_chunks = u64::from(!out.report.is_complete());
        Ok(Checked { found: out, order })
    }

    /// Adds what was found in the row group and in its chunks, which come in their order, and whether its rows are sorted.
    pub(super) fn finish(self, chunks: Vec<Checked>, out: &mut Recorder) {
        out.absorb(self.found);
        let mut orders: Vec<Option<RowOrder>> = self.sorting.columns.iter().map(|_| None).collect();
        for (leaf, checked) in chunks.into_iter().enumerate() {
            out.absorb(checked.found);
            if let Some(slot) = self.sorting.of_leaf.get(&leaf).and_then(|by| orders.get_mut(*by)) {
                *slot = checked.order;
            }
        }
        // What comes after a column that could not be read cannot be told.
        let known: Vec<RowOrder> = orders.into_iter().map_while(|order| order).collect();
        if let Some(row) = first_wrong(&known) {
            out.add(Code::SortOrder, self.place, "each row not before the row before", format!("row {row} of the row group"));
        }
    }
}

/// The figures that are sums of the chunks'.
fn sizes(index: usize, group: &RowGroup<'_>, place: Spot, out: &mut Recorder) {
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
fn sorting<'g>(file: &File<'_>, group: &'g RowGroup<'_>, place: Spot, out: &mut Recorder) -> Sorting<'g> {
    let mut comparable = Sorting::default();
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
        let repeated = comparable.of_leaf.contains_key(&leaf.index);
        match order.filter(|_| leaf.max_repetition_level == 0 && !repeated) {
            Some(order) if all => {
                comparable.of_leaf.insert(leaf.index, comparable.columns.len());
                comparable.columns.push((sorting, order));
            }
            Some(_) => {}
            None => all = false,
        }
    }
    comparable
}
