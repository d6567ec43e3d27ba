//! Whether the rows of a row group are sorted as it says.
//!
//! Columns are walked one after another, so each remembers of every row how it compares to the one before: two bits a row.

use std::cmp::Ordering;

use crate::format::SortingColumn;
use crate::metadata::Order;
use crate::values::{Bits, Values};

/// How the rows of one column compare to the rows before them.
pub(super) struct RowOrder {
    order: Order,
    descending: bool,
    nulls_first: bool,
    /// The last row; none before the first, an inner none for a null.
    last: Option<Option<Vec<u8>>>,
    /// Rows that should come before the row before.
    wrong: Bits,
    /// Rows that are equal to the row before.
    tied: Bits,
    /// The most rows that are remembered.
    pub(super) most: usize,
    /// Whether there were more rows.
    pub(super) is_cut: bool,
}

impl RowOrder {
    pub(super) fn new(order: Order, sorting: &SortingColumn, most: usize) -> Self {
        let (descending, nulls_first) = (sorting.descending, sorting.nulls_first);
        Self { order, descending, nulls_first, last: None, wrong: Bits::new(), tied: Bits::new(), most, is_cut: false }
    }

    /// Adds rows: those with the definition level `max` have the next of the values.
    pub(super) fn add(&mut self, definition: &[u8], max: u8, values: &Values) {
        let mut index = 0_usize;
        for level in definition {
            if self.wrong.len() >= self.most {
                self.is_cut = true;
                return;
            }
            if *level < max {
                self.add_row(None);
            } else {
                with_plain(values, index, |value| self.add_row(Some(value)));
                index = index.saturating_add(1);
            }
        }
    }

    fn add_row(&mut self, row: Option<&[u8]>) {
        let compared = match &self.last {
            None => Some(Ordering::Less),
            Some(last) => self.compare(last.as_deref(), row),
        };
        self.wrong.push(compared == Some(Ordering::Greater));
        self.tied.push(compared == Some(Ordering::Equal));
        // NaN has no place that all writers agree on: it is passed over.
        if matches!(compared, Some(Ordering::Less | Ordering::Greater)) && row.is_none_or(|row| self.order.compare(row, row).is_some()) {
            self.last = Some(row.map(<[u8]>::to_vec));
        }
    }

    fn compare(&self, a: Option<&[u8]>, b: Option<&[u8]>) -> Option<Ordering> {
        let nulls = if self.nulls_first { Ordering::Less } else { Ordering::Greater };
        match (a, b) {
            (None, None) => Some(Ordering::Equal),
            (None, Some(_)) => Some(nulls),
            (Some(_), None) => Some(nulls.reverse()),
            (Some(a), Some(b)) => {
                let compared = self.order.compare(a, b)?;
                Some(if self.descending { compared.reverse() } else { compared })
            }
        }
    }
}

/// The first row that is not sorted by these columns, the most significant first.
pub(super) fn first_wrong(columns: &[RowOrder]) -> Option<u64> {
    let rows = columns.iter().map(|column| column.wrong.len()).min()?;
    for start in (0..rows).step_by(64) {
        let mut undecided = u64::MAX;
        for column in columns {
            let wrong = column.wrong.word_at(start) & undecided;
            if wrong != 0 {
                return Some((start as u64).saturating_add(u64::from(wrong.trailing_zeros())));
            }
            undecided &= column.tied.word_at(start);
        }
    }
    None
}

/// Calls `visit` with the plain encoding of a value, byte arrays without their length.
pub(super) fn with_plain(values: &Values, index: usize, visit: impl FnOnce(&[u8])) {
    match values {
        Values::Words32(words) => words.get(index).map(|word| visit(&word.to_le_bytes())),
        Values::Words64(words) => words.get(index).map(|word| visit(&word.to_le_bytes())),
        Values::Bits(bits) => bits.get(index).map(|bit| visit(&[u8::from(bit)])),
        Values::Bytes(arrays) => arrays.get(index).map(visit),
        Values::Fixed(fixed) => fixed.get(index).map(visit),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(descending: bool, nulls_first: bool, rows: &[Option<i32>]) -> RowOrder {
        let mut order = RowOrder::new(Order::Int32, &SortingColumn { column_idx: 0, descending, nulls_first }, 1000);
        let definition: Vec<u8> = rows.iter().map(|row| u8::from(row.is_some())).collect();
        order.add(&definition, 1, &Values::Words32(rows.iter().flatten().map(|value| value.cast_unsigned()).collect()));
        order
    }

    #[test]
    fn later_columns_decide_between_equal_rows() {
        let first = || rows(false, false, &[Some(-1), Some(-1), Some(2), Some(2), None, None]);
        assert_eq!(first_wrong(&[first()]), None);
        assert_eq!(first_wrong(&[first(), rows(true, true, &[None, Some(3), Some(9), Some(9), Some(5), Some(4)])]), None);
        assert_eq!(first_wrong(&[first(), rows(true, true, &[Some(3), None, Some(9), Some(9), Some(5), Some(4)])]), Some(1));
        let unsorted: Vec<_> = (0..200).map(|i| Some(if i == 150 { 0 } else { i })).collect();
        assert_eq!(first_wrong(&[rows(false, false, &unsorted)]), Some(150));
        assert_eq!(first_wrong(&[rows(false, false, &[None, Some(1)])]), Some(1));
        assert_eq!(first_wrong(&[]), None);
    }
}
