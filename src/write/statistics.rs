//! What is told about a column chunk and its pages: statistics, sizes, and the page index. Specification: `Statistics` and
//! `SizeStatistics` in `parquet.thrift`, `PageIndex.md`.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::error::Result;
use crate::format::{self, BoundaryOrder, ColumnIndex, OffsetIndex, PhysicalType, SizeStatistics, Statistics};
use crate::metadata::Order;
use crate::thrift::encode_to_vec;
use crate::write::bounds::Bounds;
use crate::write::settings::LeafSettings;
use crate::write::truncate;

/// What is known of a page.
#[derive(Clone, Debug)]
pub(crate) struct PageRecord {
    /// Where its header begins, counted from the start of the chunk's data pages.
    pub(crate) offset: u64,
    /// Bytes in the file, header included.
    pub(crate) size: i32,
    pub(crate) first_row: u64,
    pub(crate) entries: u64,
    pub(crate) nulls: u64,
    pub(crate) nans: Option<u64>,
    /// Bounds as they are written, cut short.
    pub(crate) bounds: Option<WrittenBounds>,
    pub(crate) byte_array_bytes: u64,
    pub(crate) repetition_histogram: Vec<i64>,
    pub(crate) definition_histogram: Vec<i64>,
}

/// Bounds as they are written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WrittenBounds {
    pub(crate) min: Vec<u8>,
    pub(crate) max: Vec<u8>,
    pub(crate) min_is_exact: bool,
    pub(crate) max_is_exact: bool,
}

impl WrittenBounds {
    /// Cuts bounds short where the column's may be.
    pub(crate) fn new(bounds: &Bounds, settings: &LeafSettings) -> Option<Self> {
        let (min, max) = bounds.plain()?;
        let is_cut = settings.order == Some(Order::Bytes) && settings.leaf.physical_type == PhysicalType::ByteArray;
        let most = settings.truncation.filter(|_| is_cut).unwrap_or(usize::MAX);
        let low = truncate::lower(&min, most, settings.is_text()).map(<[u8]>::to_vec);
        let high = truncate::upper(&max, most, settings.is_text());
        let (min_is_exact, max_is_exact) = (low.is_none(), high.is_none());
        Some(Self { min: low.unwrap_or(min), max: high.unwrap_or(max), min_is_exact, max_is_exact })
    }
}

/// The statistics of a page or a chunk.
pub(crate) fn statistics(bounds: Option<WrittenBounds>, nulls: u64, nans: Option<u64>, distinct: Option<u64>) -> Statistics<'static> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let (min, max, min_is_exact, max_is_exact) = match bounds {
        Some(bounds) => (Some(bounds.min), Some(bounds.max), Some(bounds.min_is_exact), Some(bounds.max_is_exact)),
        None => (None, None, None, None),
    };
    Statistics {
        max: None,
        min: None,
        null_count: Some(count(nulls)),
        distinct_count: distinct.map(count),
        max_value: max.map(Cow::Owned),
        min_value: min.map(Cow::Owned),
        is_max_value_exact: max_is_exact,
        is_min_value_exact: min_is_exact,
        nan_count: nans.map(count),
    }
}

/// The sizes and level histograms of a chunk.
pub(crate) fn size_statistics(pages: &[PageRecord], settings: &LeafSettings) -> SizeStatistics {
    let sum = |histogram: fn(&PageRecord) -> &Vec<i64>| {
        let mut pages = pages.iter().map(histogram);
        let mut total = pages.next().cloned().filter(|histogram| !histogram.is_empty())?;
        pages.for_each(|page| total.iter_mut().zip(page).for_each(|(total, count)| *total += count));
        Some(total)
    };
    let bytes: u64 = pages.iter().map(|page| page.byte_array_bytes).sum();
    SizeStatistics {
        unencoded_byte_array_data_bytes: is_byte_array(settings).then_some(bytes as i64),
        repetition_level_histogram: sum(|page| &page.repetition_histogram),
        definition_level_histogram: sum(|page| &page.definition_histogram),
    }
}

fn is_byte_array(settings: &LeafSettings) -> bool {
    settings.leaf.physical_type == PhysicalType::ByteArray
}

/// The column index in the compact protocol; `None` where the format forbids one: for columns without an order, and when a
/// page has values but no bounds, as one of nothing but NaN.
pub(crate) fn column_index(pages: &[PageRecord], settings: &LeafSettings) -> Result<Option<Vec<u8>>> {
    let Some(order) = settings.order.filter(|_| settings.column_index && !pages.is_empty()) else { return Ok(None) };
    let null_pages: Vec<bool> = pages.iter().map(|page| page.nulls == page.entries).collect();
    let has_gap = pages.iter().zip(&null_pages).any(|(page, is_null)| !is_null && page.bounds.is_none());
    if has_gap {
        return Ok(None);
    }
    let bounds = || pages.iter().filter_map(|page| page.bounds.as_ref());
    let boundary_order = boundary_order(order, bounds());
    let each = |bound: fn(&WrittenBounds) -> &Vec<u8>| -> Vec<Cow<'_, [u8]>> {
        pages.iter().map(|page| page.bounds.as_ref().map_or(Cow::Borrowed(&[][..]), |bounds| Cow::Borrowed(&bound(bounds)[..]))).collect()
    };
    let joined = |histogram: fn(&PageRecord) -> &Vec<i64>| {
        let all: Vec<i64> = pages.iter().flat_map(histogram).copied().collect();
        (!all.is_empty()).then_some(all)
    };
    let index = ColumnIndex {
        min_values: each(|bounds| &bounds.min),
        max_values: each(|bounds| &bounds.max),
        boundary_order,
        null_counts: Some(pages.iter().map(|page| page.nulls as i64).collect()),
        repetition_level_histograms: joined(|page| &page.repetition_histogram),
        definition_level_histograms: joined(|page| &page.definition_histogram),
        nan_counts: pages.iter().map(|page| page.nans.map(|nans| nans as i64)).collect(),
        null_pages,
    };
    encode_to_vec(&index).map(Some)
}

fn boundary_order<'a>(order: Order, bounds: impl Iterator<Item = &'a WrittenBounds> + Clone) -> BoundaryOrder {
    let sorted = |wrong: Ordering| {
        let pairs = bounds.clone().zip(bounds.clone().skip(1));
        !pairs.into_iter().any(|(a, b)| order.compare(&a.min, &b.min) == Some(wrong) || order.compare(&a.max, &b.max) == Some(wrong))
    };
    if sorted(Ordering::Greater) {
        BoundaryOrder::Ascending
    } else if sorted(Ordering::Less) {
        BoundaryOrder::Descending
    } else {
        BoundaryOrder::Unordered
    }
}

/// The offset index of a chunk whose data pages begin at `start` in the file, in the compact protocol.
pub(crate) fn offset_index(pages: &[PageRecord], start: u64, is_byte_array: bool) -> Result<Vec<u8>> {
    let page_locations = pages.iter().map(|page| format::PageLocation {
        offset: (start + page.offset) as i64,
        compressed_page_size: page.size,
        first_row_index: page.first_row as i64,
    });
    encode_to_vec(&OffsetIndex {
        page_locations: page_locations.collect(),
        unencoded_byte_array_data_bytes: is_byte_array.then(|| pages.iter().map(|page| page.byte_array_bytes as i64).collect()),
    })
}
