//! What is known about the values of each data page of a column chunk (`PageIndex.md`).

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::format::{self, BoundaryOrder};
use crate::metadata::statistics::Context;
use crate::metadata::{Bound, OffsetIndex, RowGroup};
use crate::schema::Leaf;
use crate::thrift::{Decode, Reader};

/// What is known about the values of each data page, checked: every list is as long as there are pages, lower bounds are
/// not above upper ones, and bounds that are said to be sorted are.
///
/// Bounds are left out and widened as those of [`Statistics`](crate::metadata::Statistics) are.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnIndex {
    context: OwnedContext,
    null_pages: Vec<bool>,
    only_nan: Vec<bool>,
    mins: Values,
    maxs: Values,
    boundary_order: BoundaryOrder,
    null_counts: Option<Vec<i64>>,
    nan_counts: Option<Vec<i64>>,
    repetition_levels: Option<Vec<i64>>,
    definition_levels: Option<Vec<i64>>,
}

/// What a bound is made in the light of.
#[derive(Clone, Debug, PartialEq)]
struct OwnedContext {
    leaf: Leaf,
    order: Option<crate::metadata::Order>,
}

/// Byte strings one after another.
#[derive(Clone, Debug, Default, PartialEq)]
struct Values {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl ColumnIndex {
    pub(super) fn parse(bytes: &[u8], row_group: &RowGroup<'_>, leaf: &Leaf, pages: &OffsetIndex) -> Result<Self> {
        let raw = format::ColumnIndex::decode(&mut Reader::new(bytes, row_group.file().metadata_bytes()))?;
        let num_pages = pages.num_pages();
        if [raw.null_pages.len(), raw.min_values.len(), raw.max_values.len()] != [num_pages; 3] {
            return Err(lying("another number of pages than the offset index"));
        }
        let context = row_group.file().statistics_context(leaf);
        let only_nan = check_bounds(&raw, context)?;
        check_sorted(&raw, context)?;
        Ok(Self {
            context: OwnedContext { leaf: leaf.clone(), order: context.order },
            only_nan,
            mins: Values::collect(&raw.min_values),
            maxs: Values::collect(&raw.max_values),
            boundary_order: raw.boundary_order,
            null_counts: counts(raw.null_counts, num_pages)?.filter(|_| !context.forgets_nulls),
            nan_counts: counts(raw.nan_counts, num_pages)?,
            repetition_levels: histograms(raw.repetition_level_histograms, num_pages, leaf.max_repetition_level)?,
            definition_levels: histograms(raw.definition_level_histograms, num_pages, leaf.max_definition_level)?,
            null_pages: raw.null_pages,
        })
    }

    /// Number of data pages.
    pub fn num_pages(&self) -> usize {
        self.null_pages.len()
    }

    /// Whether a page holds nulls only; `false` if there is no such page.
    pub fn is_null_page(&self, page: usize) -> bool {
        self.null_pages.get(page).copied().unwrap_or(false)
    }

    /// Whether all values of a page that are not null are NaN: known only of columns in the total order of IEEE 754.
    pub fn is_only_nan(&self, page: usize) -> bool {
        self.only_nan.get(page).copied().unwrap_or(false)
    }

    /// A bound that no value of a page is less than, NaN aside.
    pub fn min(&self, page: usize) -> Option<Bound<'_>> {
        self.bound(&self.mins, page).map(Bound::widened_down)
    }

    /// A bound that no value of a page is greater than, NaN aside.
    pub fn max(&self, page: usize) -> Option<Bound<'_>> {
        self.bound(&self.maxs, page).map(Bound::widened_up)
    }

    /// Whether the bounds are sorted, null pages left out, so that they can be searched in.
    pub fn boundary_order(&self) -> BoundaryOrder {
        self.boundary_order
    }

    /// Number of nulls in a page; that it is not known does not mean that there are none.
    pub fn null_count(&self, page: usize) -> Option<u64> {
        count(&self.null_counts, page)
    }

    /// Number of NaN values in a page; that it is not known does not mean that there are none.
    pub fn nan_count(&self, page: usize) -> Option<u64> {
        count(&self.nan_counts, page)
    }

    /// How often each repetition level occurs in a page, from 0 to the leaf's maximum; `None` if it is not known.
    pub fn repetition_level_histogram(&self, page: usize) -> Option<&[i64]> {
        histogram(self.repetition_levels.as_deref()?, page, self.context.leaf.max_repetition_level)
    }

    /// How often each definition level occurs in a page, from 0 to the leaf's maximum; `None` if it is not known.
    pub fn definition_level_histogram(&self, page: usize) -> Option<&[i64]> {
        histogram(self.definition_levels.as_deref()?, page, self.context.leaf.max_definition_level)
    }

    fn bound<'v>(&'v self, values: &'v Values, page: usize) -> Option<Bound<'v>> {
        if self.is_null_page(page) {
            return None;
        }
        let order = self.context.order?;
        // A page of which one bound is NaN has no other one to be believed.
        if [&self.mins, &self.maxs].iter().any(|values| values.get(page).is_none_or(|value| order.is_nan(value))) {
            return None;
        }
        Bound::new(Cow::Borrowed(values.get(page)?), order, &self.context.leaf, None)
    }
}

impl Values {
    fn collect(values: &[Cow<'_, [u8]>]) -> Self {
        let mut all = Self { bytes: Vec::new(), ends: Vec::with_capacity(values.len()) };
        for value in values {
            all.bytes.extend_from_slice(value);
            all.ends.push(all.bytes.len());
        }
        all
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        let start = match index.checked_sub(1) {
            Some(previous) => *self.ends.get(previous)?,
            None => 0,
        };
        self.bytes.get(start..*self.ends.get(index)?)
    }
}

/// Refuses lower bounds above upper ones, and finds the pages of nothing but NaN.
fn check_bounds(raw: &format::ColumnIndex<'_>, context: Context<'_>) -> Result<Vec<bool>> {
    let bounds = raw.null_pages.iter().zip(raw.min_values.iter().zip(&raw.max_values));
    bounds
        .map(|(is_null, (min, max))| match context.order {
            Some(order) if !is_null => {
                if order.compare(min, max) == Some(Ordering::Greater) {
                    return Err(lying("a lower bound above its upper bound"));
                }
                Ok(order.is_total() && (order.is_nan(min) || order.is_nan(max)))
            }
            _ => Ok(false),
        })
        .collect()
}

/// Refuses bounds that are said to be sorted and are not.
fn check_sorted(raw: &format::ColumnIndex<'_>, context: Context<'_>) -> Result<()> {
    let wrong = match raw.boundary_order {
        BoundaryOrder::Ascending => Ordering::Greater,
        BoundaryOrder::Descending => Ordering::Less,
        BoundaryOrder::Unordered | BoundaryOrder::Unknown(_) => return Ok(()),
    };
    let Some(order) = context.order else { return Ok(()) };
    for values in [&raw.min_values, &raw.max_values] {
        let mut bounds = values.iter().zip(&raw.null_pages).filter(|(_, is_null)| !**is_null).map(|(value, _)| value);
        let Some(mut before) = bounds.next() else { continue };
        for bound in bounds {
            if order.compare(before, bound) == Some(wrong) {
                return Err(lying("bounds that are not sorted as it says"));
            }
            before = bound;
        }
    }
    Ok(())
}

fn counts(raw: Option<Vec<i64>>, num_pages: usize) -> Result<Option<Vec<i64>>> {
    match raw {
        Some(raw) if raw.len() != num_pages => Err(lying("counts for another number of pages")),
        raw => Ok(raw),
    }
}

/// A count; what is negative was not known to the writer (parquet-mr puts −1).
fn count(counts: &Option<Vec<i64>>, page: usize) -> Option<u64> {
    u64::try_from(*counts.as_ref()?.get(page)?).ok()
}

fn levels(max_level: u8) -> usize {
    usize::from(max_level).saturating_add(1)
}

fn histograms(raw: Option<Vec<i64>>, num_pages: usize, max_level: u8) -> Result<Option<Vec<i64>>> {
    match raw {
        Some(raw) if raw.len() != num_pages.saturating_mul(levels(max_level)) => Err(lying("level histograms of another size")),
        raw => Ok(raw),
    }
}

fn histogram(all: &[i64], page: usize, max_level: u8) -> Option<&[i64]> {
    let start = page.checked_mul(levels(max_level))?;
    all.get(start..start.checked_add(levels(max_level))?)
}

fn lying(how: &'static str) -> Error {
    Error::malformed(format!("the column index has {how}"))
}
