//! What the data of a page or a chunk is: counts, histograms, extremes.

use std::cmp::Ordering;

use crate::metadata::Order;
use crate::schema::Leaf;
use crate::values::Values;

/// What was counted.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// Level pairs.
    pub(super) entries: u64,
    /// Rows that begin here.
    pub(super) rows: u64,
    /// Values that are there.
    pub(super) values: u64,
    /// Bytes of byte arrays.
    pub(super) bytes: u64,
    pub(super) repetition: Vec<u64>,
    pub(super) definition: Vec<u64>,
    pub(super) extremes: Extremes,
    /// From which definition level on an entry is a slot of the innermost list.
    slot_level: usize,
    /// Whether all of it could be decoded, so that the figures are the data's.
    pub(super) complete: bool,
}

impl Facts {
    pub(super) fn new(leaf: &Leaf, order: Option<Order>) -> Self {
        Self {
            entries: 0,
            rows: 0,
            values: 0,
            bytes: 0,
            repetition: vec![0; usize::from(leaf.max_repetition_level).saturating_add(1)],
            definition: vec![0; usize::from(leaf.max_definition_level).saturating_add(1)],
            extremes: Extremes { order, min: None, max: None, nans: 0 },
            slot_level: usize::from(leaf.repeated_definition_level),
            complete: true,
        }
    }

    /// Entries without a value: nulls, and lists that are empty or null.
    pub(super) fn missing(&self) -> u64 {
        self.entries.saturating_sub(self.values)
    }

    /// Whether a number of nulls is right: some writers count what is null in the innermost list, some all that is missing.
    pub(super) fn is_null_count(&self, count: i64) -> bool {
        let above = self.definition.len().saturating_sub(1);
        let nulls: u64 = self.definition.get(self.slot_level..above).unwrap_or_default().iter().sum();
        u64::try_from(count).is_ok_and(|count| count == self.missing() || count == nulls)
    }

    /// Counts levels; those whose maximum is 0 are not given.
    pub(super) fn add_levels(&mut self, repetition: &[u8], definition: &[u8], entries: usize) {
        self.entries = self.entries.saturating_add(entries as u64);
        let before = self.repetition.first().copied().unwrap_or(0);
        tally(&mut self.repetition, repetition, entries);
        tally(&mut self.definition, definition, entries);
        let begun = self.repetition.first().copied().unwrap_or(0).saturating_sub(before);
        self.rows = self.rows.saturating_add(begun);
    }

    pub(super) fn add_values(&mut self, values: &Values) {
        self.values = self.values.saturating_add(values.len() as u64);
        if let Values::Bytes(arrays) = values {
            self.bytes = self.bytes.saturating_add(arrays.data().len() as u64);
        }
        self.extremes.add(values);
    }

    pub(super) fn merge(&mut self, page: &Self) {
        self.entries = self.entries.saturating_add(page.entries);
        self.rows = self.rows.saturating_add(page.rows);
        self.values = self.values.saturating_add(page.values);
        self.bytes = self.bytes.saturating_add(page.bytes);
        self.repetition.iter_mut().zip(&page.repetition).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        self.definition.iter_mut().zip(&page.definition).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        self.extremes.merge(&page.extremes);
        self.complete &= page.complete;
    }
}

fn tally(histogram: &mut [u64], levels: &[u8], entries: usize) {
    if let [only] = histogram {
        *only = only.saturating_add(entries as u64);
        return;
    }
    for level in levels {
        if let Some(count) = histogram.get_mut(usize::from(*level)) {
            *count = count.saturating_add(1);
        }
    }
}

/// The least and the greatest value by an order; plain-encoded, byte arrays without their length.
#[derive(Clone, Debug)]
pub(super) struct Extremes {
    pub(super) order: Option<Order>,
    pub(super) min: Option<Vec<u8>>,
    pub(super) max: Option<Vec<u8>>,
    pub(super) nans: u64,
}

impl Extremes {
    fn add(&mut self, values: &Values) {
        let Some(order) = self.order else { return };
        match (values, order) {
            (Values::Words32(words), Order::Int32) => {
                let numbers = || words.iter().map(|word| word.cast_signed());
                self.widen_words(numbers().min().map(i32::to_le_bytes), numbers().max().map(i32::to_le_bytes));
            }
            (Values::Words32(words), Order::UInt32) => {
                self.widen_words(words.iter().copied().min().map(u32::to_le_bytes), words.iter().copied().max().map(u32::to_le_bytes));
            }
            (Values::Words64(words), Order::Int64) => {
                let numbers = || words.iter().map(|word| word.cast_signed());
                self.widen_words(numbers().min().map(i64::to_le_bytes), numbers().max().map(i64::to_le_bytes));
            }
            (Values::Words64(words), Order::UInt64) => {
                self.widen_words(words.iter().copied().min().map(u64::to_le_bytes), words.iter().copied().max().map(u64::to_le_bytes));
            }
            (Values::Words32(words), Order::Float | Order::FloatTotal) => {
                let numbers = || words.iter().map(|word| f32::from_bits(*word)).filter(|number| !number.is_nan());
                self.nans = self.nans.saturating_add(words.len().saturating_sub(numbers().count()) as u64);
                let (min, max) = (numbers().min_by(f32::total_cmp), numbers().max_by(f32::total_cmp));
                self.widen_words(min.map(f32::to_le_bytes), max.map(f32::to_le_bytes));
            }
            (Values::Words64(words), Order::Double | Order::DoubleTotal) => {
                let numbers = || words.iter().map(|word| f64::from_bits(*word)).filter(|number| !number.is_nan());
                self.nans = self.nans.saturating_add(words.len().saturating_sub(numbers().count()) as u64);
                let (min, max) = (numbers().min_by(f64::total_cmp), numbers().max_by(f64::total_cmp));
                self.widen_words(min.map(f64::to_le_bytes), max.map(f64::to_le_bytes));
            }
            (Values::Bits(bits), Order::Boolean) if !bits.is_empty() => {
                let ones = bits.count_ones();
                self.widen(&[u8::from(ones == bits.len())], &[u8::from(ones > 0)]);
            }
            (Values::Bytes(arrays), Order::Bytes) => self.widen_slices(arrays.iter().min(), arrays.iter().max()),
            (Values::Fixed(fixed), Order::Bytes) => self.widen_slices(fixed.iter().min(), fixed.iter().max()),
            (Values::Bytes(arrays), _) => arrays.iter().for_each(|value| self.add_one(value)),
            (Values::Fixed(fixed), _) => fixed.iter().for_each(|value| self.add_one(value)),
            _ => {}
        }
    }

    fn add_one(&mut self, value: &[u8]) {
        let Some(order) = self.order else { return };
        match order.is_nan(value) {
            true => self.nans = self.nans.saturating_add(1),
            false if order.compare(value, value).is_some() => self.widen(value, value),
            false => {}
        }
    }

    fn widen_words<const N: usize>(&mut self, min: Option<[u8; N]>, max: Option<[u8; N]>) {
        self.widen_slices(min.as_ref().map(|min| &min[..]), max.as_ref().map(|max| &max[..]));
    }

    fn widen_slices(&mut self, min: Option<&[u8]>, max: Option<&[u8]>) {
        if let (Some(min), Some(max)) = (min, max) {
            self.widen(min, max);
        }
    }

    fn widen(&mut self, low: &[u8], high: &[u8]) {
        let Some(order) = self.order else { return };
        if self.min.as_ref().is_none_or(|min| order.compare(low, min) == Some(Ordering::Less)) {
            self.min = Some(low.to_vec());
        }
        if self.max.as_ref().is_none_or(|max| order.compare(high, max) == Some(Ordering::Greater)) {
            self.max = Some(high.to_vec());
        }
    }

    fn merge(&mut self, page: &Self) {
        self.nans = self.nans.saturating_add(page.nans);
        self.widen_slices(page.min.as_deref(), page.max.as_deref());
    }
}
