//! The page index against the pages, one after another.

use std::cmp::Ordering;

use crate::error::Result;
use crate::format::{BoundaryOrder, ColumnIndex, OffsetIndex};
use crate::metadata::Order;
use crate::verify::bounds::{BoundCodes, Judge, histogram};
use crate::verify::facts::Facts;
use crate::verify::frame::{File, failed};
use crate::verify::layout::Part;
use crate::verify::report::{Code, Recorder};
use crate::verify::spot::Spot;

/// The indexes of a chunk, and how far they were compared.
#[derive(Default)]
pub(super) struct Indexes {
    pub(super) offsets: Option<OffsetIndex>,
    columns: Option<ColumnIndex<'static>>,
    next: usize,
}

/// Where a data page is.
pub(super) struct PageAt {
    pub(super) offset: u64,
    pub(super) size: u64,
    /// `None` after a page whose rows could not be counted.
    pub(super) first_row: Option<u64>,
}

impl Indexes {
    /// Reads what there is.
    pub(super) fn read(file: &File<'_>, chunk: &crate::format::ColumnChunk<'_>, place: Spot, out: &mut Recorder) -> Result<Self> {
        let mut indexes = Self::default();
        if let Some(bytes) = file.side(chunk.offset_index_offset, chunk.offset_index_length, Part::OffsetIndex, place, out)? {
            match OffsetIndex::from_bytes(&bytes, &file.limits) {
                Ok((index, length)) if length == bytes.len() => indexes.offsets = Some(index),
                Ok((_, length)) => out.add(Code::OffsetIndex, place, format!("{length} bytes"), format!("{} bytes", bytes.len())),
                Err(error) => failed(Code::OffsetIndex, &error, place, out),
            }
        }
        if let Some(bytes) = file.side(chunk.column_index_offset, chunk.column_index_length, Part::ColumnIndex, place, out)? {
            match ColumnIndex::from_bytes(&bytes, &file.limits) {
                Ok((index, length)) if length == bytes.len() => indexes.columns = Some(owned(index)),
                Ok((_, length)) => out.add(Code::ColumnIndex, place, format!("{length} bytes"), format!("{} bytes", bytes.len())),
                Err(error) => failed(Code::ColumnIndex, &error, place, out),
            }
        }
        Ok(indexes)
    }

    /// Compares the next data page.
    pub(super) fn page(&mut self, page: &PageAt, facts: &Facts, judge: Judge<'_>, place: Spot, out: &mut Recorder) {
        // Some writers leave pages without values out of the index.
        let offset = self.offsets.as_ref().and_then(|offsets| offsets.page_locations.get(self.next)).map(|location| location.offset);
        if facts.entries == 0 && offset.and_then(|offset| u64::try_from(offset).ok()) != Some(page.offset) {
            return;
        }
        let index = self.next;
        self.next = self.next.saturating_add(1);
        if let Some(offsets) = &self.offsets {
            compare_offsets(offsets, index, page, facts, place, out);
        }
        if let Some(columns) = &self.columns {
            compare_columns(columns, index, facts, judge, place, out);
        }
    }

    /// Compares what concerns all pages.
    pub(super) fn finish(&self, judge: Judge<'_>, order: Option<Order>, place: Spot, out: &mut Recorder) {
        if let Some(offsets) = &self.offsets {
            out.compare(Code::OffsetIndexPages, place, self.next, offsets.page_locations.len());
            if let Some(bytes) = offsets.unencoded_byte_array_data_bytes.as_ref().filter(|bytes| !bytes.is_empty()) {
                out.compare(Code::OffsetIndexBytes, place, offsets.page_locations.len(), bytes.len());
            }
        }
        let Some(columns) = &self.columns else { return };
        let pages = columns.null_pages.len();
        for length in [pages, columns.min_values.len(), columns.max_values.len()] {
            if length != self.next {
                out.add(Code::ColumnIndexPages, place, self.next, length);
                break;
            }
        }
        let counts = [(&columns.null_counts, Code::ColumnIndexNulls), (&columns.nan_counts, Code::ColumnIndexNans)];
        for (list, code) in counts {
            if let Some(list) = list.as_ref().filter(|list| !list.is_empty() && list.len() != pages) {
                out.add(code, place, format!("{pages} counts"), format!("{} counts", list.len()));
            }
        }
        if let Some(order) = order {
            check_sorted(columns, order, judge, place, out);
        }
    }
}

fn compare_offsets(offsets: &OffsetIndex, index: usize, page: &PageAt, facts: &Facts, place: Spot, out: &mut Recorder) {
    let Some(location) = offsets.page_locations.get(index) else { return };
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    out.compare(Code::OffsetIndexOffset, place, signed(page.offset), location.offset);
    out.compare(Code::OffsetIndexSize, place, signed(page.size), i64::from(location.compressed_page_size));
    if let Some(first_row) = page.first_row {
        out.compare(Code::OffsetIndexRow, place, signed(first_row), location.first_row_index);
    }
    let bytes = offsets.unencoded_byte_array_data_bytes.as_ref().and_then(|bytes| bytes.get(index));
    if let (Some(bytes), true) = (bytes, facts.complete) {
        out.compare(Code::OffsetIndexBytes, place, signed(facts.bytes), *bytes);
    }
}

fn compare_columns(columns: &ColumnIndex<'_>, index: usize, facts: &Facts, judge: Judge<'_>, place: Spot, out: &mut Recorder) {
    let Some(null_page) = columns.null_pages.get(index) else { return };
    if !facts.complete {
        return;
    }
    let is_null = facts.values == 0;
    if *null_page != is_null {
        out.add(Code::ColumnIndexNullPage, place, is_null, null_page);
    }
    if let Some(nulls) = columns.null_counts.as_ref().and_then(|counts| counts.get(index))
        && !facts.is_null_count(*nulls)
    {
        out.add(Code::ColumnIndexNulls, place, facts.missing(), nulls);
    }
    let nans = columns.nan_counts.as_ref().and_then(|counts| counts.get(index));
    if let (Some(nans), Some(true)) = (nans, facts.extremes.order.map(Order::is_float)) {
        out.compare(Code::ColumnIndexNans, place, i64::try_from(facts.extremes.nans).unwrap_or(i64::MAX), *nans);
    }
    let of_page = |all: &Option<Vec<i64>>, levels: usize| {
        let start = index.checked_mul(levels)?;
        let all = all.as_ref().filter(|all| !all.is_empty())?;
        // Where there are too few, what is there is shown and found to be different.
        Some(all.get(start..start.checked_add(levels)?).unwrap_or(&[-1]).to_vec())
    };
    let repetition = of_page(&columns.repetition_level_histograms, facts.repetition.len());
    histogram(repetition.as_deref(), &facts.repetition, Code::ColumnIndexRepetition, place, out);
    let definition = of_page(&columns.definition_level_histograms, facts.definition.len());
    histogram(definition.as_deref(), &facts.definition, Code::ColumnIndexDefinition, place, out);
    if !null_page && !is_null {
        let codes = BoundCodes { min: Code::ColumnIndexMin, max: Code::ColumnIndexMax };
        let (min, max) = (columns.min_values.get(index), columns.max_values.get(index));
        judge.bounds(min.map(|min| &min[..]), max.map(|max| &max[..]), codes, facts, place, out);
    }
}

/// Checks that bounds of pages with values are sorted as the index says.
fn check_sorted(columns: &ColumnIndex<'_>, order: Order, judge: Judge<'_>, place: Spot, out: &mut Recorder) {
    let wrong = match columns.boundary_order {
        BoundaryOrder::Unordered => return,
        BoundaryOrder::Ascending => Ordering::Greater,
        BoundaryOrder::Descending => Ordering::Less,
        BoundaryOrder::Unknown(code) => {
            out.add(Code::ColumnIndexOrder, place, "0, 1 or 2", code);
            return;
        }
    };
    for bounds in [&columns.min_values, &columns.max_values] {
        let with_values = bounds.iter().zip(&columns.null_pages).filter(|(_, null)| !**null).map(|(bound, _)| bound);
        let mut before: Option<&[u8]> = None;
        for bound in with_values {
            if let Some(before) = before
                && order.compare(before, bound) == Some(wrong)
            {
                let found = format!("{} before {}", judge.shown(before), judge.shown(bound));
                out.add(Code::ColumnIndexOrder, place, columns.boundary_order, found);
                return;
            }
            before = Some(bound);
        }
    }
}

/// Independent of the bytes that it was read from.
fn owned(index: ColumnIndex<'_>) -> ColumnIndex<'static> {
    let values = |values: Vec<std::borrow::Cow<'_, [u8]>>| values.into_iter().map(|value| value.into_owned().into()).collect();
    ColumnIndex {
        min_values: values(index.min_values),
        max_values: values(index.max_values),
        null_pages: index.null_pages,
        boundary_order: index.boundary_order,
        null_counts: index.null_counts,
        repetition_level_histograms: index.repetition_level_histograms,
        definition_level_histograms: index.definition_level_histograms,
        nan_counts: index.nan_counts,
    }
}
