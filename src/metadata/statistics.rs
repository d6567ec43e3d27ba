//! Statistics of a column chunk or a page, as far as they can be believed.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::format::{self, PhysicalType};
use crate::metadata::{Order, Value};
use crate::schema::Leaf;

/// What is known about the values of a column chunk or a page.
///
/// Bounds that mean nothing or that cannot be believed are left out: those of columns without a defined order, of writers
/// known to be wrong, NaN, those of a length that no value has, and a minimum above the maximum. A zero among
/// floating-point bounds covers both zeros unless their order is total. Bounds never cover NaN: whether there are any,
/// [`nan_count`](Self::nan_count) says, and without it there may be.
/// Specification: `Statistics` and `ColumnOrder` in `parquet.thrift`.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics<'a> {
    min: Option<Bound<'a>>,
    max: Option<Bound<'a>>,
    null_count: Option<u64>,
    distinct_count: Option<u64>,
    nan_count: Option<u64>,
}

/// A lower or upper bound of values: plain-encoded bytes and the order that they compare by.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound<'a> {
    bytes: Cow<'a, [u8]>,
    order: Order,
    physical_type: PhysicalType,
    exact: bool,
}

/// What statistics are read in the light of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The column.
    pub(crate) leaf: &'a Leaf,
    /// The order of `min_value` and `max_value`, where it is defined.
    pub(crate) order: Option<Order>,
    /// Whether deprecated bounds of binary columns may be corrupt.
    pub(crate) corrupt_binary_bounds: bool,
    /// Whether null counts may be too small.
    pub(crate) forgets_nulls: bool,
}

impl<'a> Statistics<'a> {
    /// Reads the statistics of `num_values` values, nulls included.
    pub(crate) fn read(raw: &format::Statistics<'a>, num_values: u64, context: Context<'_>) -> Self {
        let count = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok()).filter(|&count| count <= num_values);
        let (min, max) = match (context.order, &raw.min_value, &raw.max_value) {
            (Some(order), min, max) if min.is_some() || max.is_some() => {
                let bound = |bytes: &Option<Cow<'a, [u8]>>, exact| {
                    bytes.as_ref().and_then(|bytes| Bound::new(bytes.clone(), order, context.leaf, exact))
                };
                (bound(min, raw.is_min_value_exact), bound(max, raw.is_max_value_exact))
            }
            _ => deprecated_bounds(raw, context).unwrap_or_default(),
        };
        let has_nan =
            [&raw.min_value, &raw.max_value].into_iter().flatten().any(|bytes| context.order.is_some_and(|order| order.is_nan(bytes)));
        let (min, max) = if has_nan { (None, None) } else { (min, max) };
        let (min, max) = consistent(min, max);
        Self {
            min: min.map(Bound::widened_down),
            max: max.map(Bound::widened_up),
            null_count: count(raw.null_count).filter(|_| !context.forgets_nulls),
            distinct_count: count(raw.distinct_count),
            nan_count: count(raw.nan_count),
        }
    }

    /// A bound that no value is less than; NaN aside.
    pub fn min(&self) -> Option<&Bound<'a>> {
        self.min.as_ref()
    }

    /// A bound that no value is greater than; NaN aside.
    pub fn max(&self) -> Option<&Bound<'a>> {
        self.max.as_ref()
    }

    /// Number of nulls; that it is not known does not mean that there are none. Not believed of text and bytes in optional groups that parquet-cpp
    /// wrote, which leaves out the nulls of the groups.
    pub fn null_count(&self) -> Option<u64> {
        self.null_count
    }

    /// Number of different values.
    pub fn distinct_count(&self) -> Option<u64> {
        self.distinct_count
    }

    /// Number of NaN values; that it is not known does not mean that there are none.
    pub fn nan_count(&self) -> Option<u64> {
        self.nan_count
    }
}

impl<'a> Bound<'a> {
    /// A bound that some value of the column can be on that side of; `None` if `bytes` are no value of it.
    pub(crate) fn new(bytes: Cow<'a, [u8]>, order: Order, leaf: &Leaf, exact: Option<bool>) -> Option<Self> {
        if !order.fits(&bytes, leaf) || order.is_nan(&bytes) {
            return None;
        }
        // Writers that say nothing cut byte arrays short and nothing else.
        let exact = exact.unwrap_or(order != Order::Bytes);
        Some(Self { bytes, order, physical_type: leaf.physical_type, exact })
    }

    /// The bound, plain-encoded; byte arrays without their length.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The order that it compares by.
    pub fn order(&self) -> Order {
        self.order
    }

    /// Whether it is known to be a value of the column: only then it can stand for the minimum or maximum itself.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// How the bound compares to a plain-encoded value; `None` if the value is none of the column's order (such as NaN).
    pub fn compare(&self, value: &[u8]) -> Option<Ordering> {
        self.order.compare(&self.bytes, value)
    }

    /// The bound in typed form; `None` only for physical types that are not known.
    pub fn value(&self) -> Option<Value<'_>> {
        Value::from_plain(self.physical_type, &self.bytes)
    }

    /// As a lower bound: +0 may stand for −0 as well.
    pub(crate) fn widened_down(self) -> Self {
        let wider = self.order.lowest_equal(&self.bytes);
        self.replaced(wider)
    }

    /// As an upper bound: −0 may stand for +0 as well.
    pub(crate) fn widened_up(self) -> Self {
        let wider = self.order.highest_equal(&self.bytes);
        self.replaced(wider)
    }

    fn replaced(self, bytes: Option<&'static [u8]>) -> Self {
        match bytes {
            Some(bytes) => Self { bytes: bytes.into(), exact: false, ..self },
            None => self,
        }
    }
}

/// The bounds that old writers wrote, by signed comparison whatever the type: they hold where the type's order is that,
/// or where all values are equal.
fn deprecated_bounds<'a>(raw: &format::Statistics<'a>, context: Context<'_>) -> Option<(Option<Bound<'a>>, Option<Bound<'a>>)> {
    let order = Order::by_type(context.leaf)?;
    let is_signed = matches!(order, Order::Boolean | Order::Int32 | Order::Int64 | Order::Float | Order::Double);
    let is_binary = matches!(context.leaf.physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray);
    let all_equal = raw.min.is_some() && raw.min == raw.max;
    if !(is_signed || all_equal) || (is_binary && context.corrupt_binary_bounds) {
        return None;
    }
    if [&raw.min, &raw.max].into_iter().flatten().any(|bytes| order.is_nan(bytes)) {
        return None;
    }
    // What was written before bounds were ever cut short is a value.
    let bound = |bytes: &Option<Cow<'a, [u8]>>| bytes.as_ref().and_then(|bytes| Bound::new(bytes.clone(), order, context.leaf, Some(true)));
    Some((bound(&raw.min), bound(&raw.max)))
}

/// Leaves both bounds out when the lower one is above the upper one.
fn consistent<'a>(min: Option<Bound<'a>>, max: Option<Bound<'a>>) -> (Option<Bound<'a>>, Option<Bound<'a>>) {
    match (&min, &max) {
        (Some(low), Some(high)) if low.compare(&high.bytes) == Some(Ordering::Greater) => (None, None),
        _ => (min, max),
    }
}
