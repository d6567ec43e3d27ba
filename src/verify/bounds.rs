//! Statistics against what the data is.

use std::cmp::Ordering;

use crate::format::{GeospatialStatistics, PhysicalType, SizeStatistics, Statistics};
use crate::metadata::{Order, Value};
use crate::schema::Leaf;
use crate::verify::facts::Facts;
use crate::verify::report::{Code, Recorder};
use crate::verify::spot::Spot;
use crate::write::Geospatial;

/// The codes that a pair of bounds is judged under.
#[derive(Clone, Copy)]
pub(super) struct BoundCodes {
    pub(super) min: Code,
    pub(super) max: Code,
}

/// What bounds are held against.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) leaf: &'a Leaf,
    /// What the file says about the order of bounds.
    pub(super) has_orders: bool,
    /// Whether deprecated bounds of byte arrays may be corrupt.
    pub(super) corrupt_binary_bounds: bool,
}

impl Judge<'_> {
    /// Checks the statistics of a chunk or a page; `distinct` is the number of different values where it was counted.
    pub(super) fn statistics(self, raw: &Statistics<'_>, facts: &Facts, distinct: Option<u64>, place: Spot, out: &mut Recorder) {
        if !facts.complete {
            return;
        }
        if let Some(nulls) = raw.null_count
            && !facts.is_null_count(nulls)
        {
            out.add(Code::StatisticsNulls, place, facts.missing(), nulls);
        }
        if let (Some(nans), Some(true)) = (raw.nan_count, facts.extremes.order.map(Order::is_float)) {
            out.compare(Code::StatisticsNans, place, i64::try_from(facts.extremes.nans).unwrap_or(i64::MAX), nans);
        }
        if let (Some(counted), Some(distinct)) = (raw.distinct_count, distinct) {
            out.compare(Code::StatisticsDistinct, place, i64::try_from(distinct).unwrap_or(i64::MAX), counted);
        }
        let has_bounds = raw.min_value.is_some() || raw.max_value.is_some();
        if has_bounds && !self.has_orders && facts.extremes.order.is_some() && place.page.is_none() {
            out.add(Code::ColumnOrderMissing, place, "column_orders in the footer", "none");
        }
        let codes = BoundCodes { min: Code::StatisticsMin, max: Code::StatisticsMax };
        self.bounds(raw.min_value.as_deref(), raw.max_value.as_deref(), codes, facts, place, out);
        self.exactness(raw, facts, place, out);
        self.deprecated(raw, facts, place, out);
    }

    /// Checks a lower and an upper bound.
    pub(super) fn bounds(self, min: Option<&[u8]>, max: Option<&[u8]>, codes: BoundCodes, facts: &Facts, place: Spot, out: &mut Recorder) {
        let extremes = &facts.extremes;
        let Some(order) = extremes.order else { return };
        for (bound, extreme, code, wrong) in
            [(min, &extremes.min, codes.min, Ordering::Greater), (max, &extremes.max, codes.max, Ordering::Less)]
        {
            let Some(bound) = bound else { continue };
            if order.is_nan(bound) {
                // In the total order NaN is what bounds a column of nothing but NaN.
                if !(order.is_total() && extreme.is_none() && extremes.nans > 0) {
                    out.add(Code::BoundNan, place, "", self.shown(bound));
                }
                continue;
            }
            if !order.fits(bound, self.leaf) {
                out.add(code, place, "a value of the column", self.shown(bound));
                continue;
            }
            if let Some(extreme) = extreme
                && order.compare(bound, extreme) == Some(wrong)
            {
                out.add(code, place, self.shown(extreme), self.shown(bound));
            }
        }
    }

    /// Bounds that are said to be exact are the least and the greatest value.
    fn exactness(self, raw: &Statistics<'_>, facts: &Facts, place: Spot, out: &mut Recorder) {
        let extremes = &facts.extremes;
        let Some(order) = extremes.order else { return };
        for (bound, exact, extreme, wrong) in [
            (&raw.min_value, raw.is_min_value_exact, &extremes.min, Ordering::Less),
            (&raw.max_value, raw.is_max_value_exact, &extremes.max, Ordering::Greater),
        ] {
            let (Some(bound), Some(true), Some(extreme)) = (bound, exact, extreme) else { continue };
            if order.fits(bound, self.leaf) && order.compare(bound, extreme) == Some(wrong) {
                out.add(Code::StatisticsExactness, place, self.shown(extreme), self.shown(bound));
            }
        }
    }

    /// The old bounds compare signed: they are held against the data where that is the type's order, or where they say that
    /// all values are equal. Readers believe them in no other case.
    fn deprecated(self, raw: &Statistics<'_>, facts: &Facts, place: Spot, out: &mut Recorder) {
        let Some(order) = Order::by_type(self.leaf) else { return };
        let is_signed = matches!(order, Order::Boolean | Order::Int32 | Order::Int64 | Order::Float | Order::Double);
        let all_equal = raw.min.is_some() && raw.min == raw.max;
        let is_binary = matches!(self.leaf.physical_type, PhysicalType::ByteArray | PhysicalType::FixedLenByteArray);
        if facts.extremes.order != Some(order) || !(is_signed || all_equal) || (is_binary && self.corrupt_binary_bounds) {
            return;
        }
        let codes = BoundCodes { min: Code::StatisticsDeprecated, max: Code::StatisticsDeprecated };
        self.bounds(raw.min.as_deref(), raw.max.as_deref(), codes, facts, place, out);
    }

    /// A bound as people read it.
    pub(super) fn shown(self, plain: &[u8]) -> String {
        const MOST: usize = 80;
        let text = match Value::from_plain(self.leaf.physical_type, plain) {
            Some(value) => value.display(self.leaf.logical_type.as_ref()).to_string(),
            None => format!("{} bytes", plain.len()),
        };
        match text.char_indices().nth(MOST) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    }
}

/// Checks the sizes of a chunk.
pub(super) fn sizes(raw: &SizeStatistics, leaf: &Leaf, facts: &Facts, place: Spot, out: &mut Recorder) {
    if !facts.complete {
        return;
    }
    if let (Some(bytes), PhysicalType::ByteArray) = (raw.unencoded_byte_array_data_bytes, leaf.physical_type) {
        out.compare(Code::SizeBytes, place, i64::try_from(facts.bytes).unwrap_or(i64::MAX), bytes);
    }
    histogram(raw.repetition_level_histogram.as_deref(), &facts.repetition, Code::SizeRepetition, place, out);
    histogram(raw.definition_level_histogram.as_deref(), &facts.definition, Code::SizeDefinition, place, out);
}

/// Checks one histogram; an empty one says nothing.
pub(super) fn histogram(raw: Option<&[i64]>, expected: &[u64], code: Code, place: Spot, out: &mut Recorder) {
    let Some(raw) = raw.filter(|raw| !raw.is_empty()) else { return };
    let same = raw.len() == expected.len() && raw.iter().zip(expected).all(|(a, b)| u64::try_from(*a) == Ok(*b));
    if !same {
        out.add(code, place, format!("{expected:?}"), format!("{raw:?}"));
    }
}

/// Checks statistics of geometries: the box has to hold every coordinate, the list every type.
pub(super) fn geospatial(raw: &GeospatialStatistics, gathered: Geospatial, place: Spot, out: &mut Recorder) {
    let Some(found) = gathered.finish() else { return };
    if let (Some(stored), Some(data)) = (&raw.bbox, &found.bbox) {
        // A box whose least x is the greater one crosses the antimeridian: of x nothing can be said without more care.
        let x = stored.xmin > stored.xmax || (stored.xmin <= data.xmin && stored.xmax >= data.xmax);
        let within = |low: Option<f64>, high: Option<f64>, least: Option<f64>, most: Option<f64>| match (low, high, least, most) {
            (Some(low), Some(high), Some(least), Some(most)) => low <= least && high >= most,
            _ => true,
        };
        let y = stored.ymin <= data.ymin && stored.ymax >= data.ymax;
        let z = within(stored.zmin, stored.zmax, data.zmin, data.zmax);
        let m = within(stored.mmin, stored.mmax, data.mmin, data.mmax);
        if !(x && y && z && m) {
            out.add(Code::GeoBox, place, format!("{data:?}"), format!("{stored:?}"));
        }
    }
    let known = |types: &Option<Vec<i32>>| types.clone().filter(|types| !types.is_empty());
    if let (Some(mut stored), Some(data)) = (known(&raw.geospatial_types), known(&found.geospatial_types)) {
        stored.sort_unstable();
        if stored != data {
            out.add(Code::GeoTypes, place, format!("{data:?}"), format!("{stored:?}"));
        }
    }
}
