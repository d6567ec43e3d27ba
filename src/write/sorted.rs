//! Whether rows are sorted as it is said of them.
//!
//! A column alone cannot tell: where the first sorting column has equal values, the second one decides. So each column
//! remembers, for every row, how it compares to the one before, and the row group puts that together.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::metadata::Order;
use crate::values::Bits;
use crate::write::levels::Checked;
use crate::write::settings::Sorted;
use crate::write::values::Given;

/// How each row of a column compares to the row before.
#[derive(Debug, Default)]
pub(crate) struct RowOrder {
    /// Rows that have to come before the row before.
    wrong: Bits,
    /// Rows equal to the row before.
    tied: Bits,
}

/// Compares the rows of a flat column with one another.
#[derive(Debug)]
pub(crate) struct RowComparer {
    order: Order,
    sorted: Sorted,
    /// The value of the last row; the outer option is none before the first row, the inner one for a null.
    last: Option<Option<Vec<u8>>>,
    found: RowOrder,
}

impl RowComparer {
    pub(crate) fn new(order: Order, sorted: Sorted) -> Self {
        Self { order, sorted, last: None, found: RowOrder::default() }
    }

    /// Adds the rows of entries `start..end`, the values of which `given` is.
    pub(crate) fn add(&mut self, given: Given<'_>, levels: &Checked<'_>, start: usize, end: usize) {
        let mut next = 0;
        for entry in start..end {
            let mut word = [0; 8];
            let value = levels.is_present(entry).then(|| {
                next += 1;
                given.plain(next - 1, &mut word)
            });
            self.add_row(value);
        }
    }

    fn add_row(&mut self, value: Option<&[u8]>) {
        let compared = match &self.last {
            None => Ordering::Less,
            Some(last) => compare(self.order, self.sorted, last.as_deref(), value),
        };
        self.found.wrong.push(compared == Ordering::Greater);
        self.found.tied.push(compared == Ordering::Equal);
        if compared == Ordering::Equal {
            return;
        }
        match (&mut self.last, value) {
            (Some(Some(last)), Some(value)) => {
                last.clear();
                last.extend_from_slice(value);
            }
            (last, value) => *last = Some(value.map(<[u8]>::to_vec)),
        }
    }

    pub(crate) fn finish(self) -> RowOrder {
        self.found
    }
}

/// How two rows compare; NaN comes after all numbers.
fn compare(order: Order, sorted: Sorted, a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
    let by_value = match (a, b) {
        (None, None) => return Ordering::Equal,
        (None, Some(_)) => return if sorted.nulls_first { Ordering::Less } else { Ordering::Greater },
        (Some(_), None) => return if sorted.nulls_first { Ordering::Greater } else { Ordering::Less },
        (Some(a), Some(b)) => order.compare(a, b).unwrap_or_else(|| order.is_nan(a).cmp(&order.is_nan(b))),
    };
    if sorted.descending { by_value.reverse() } else { by_value }
}

/// Checks the rows of a row group by its sorting columns, the most significant first.
pub(crate) fn check(columns: &[RowOrder], rows: usize) -> Result<()> {
    for start in (0..rows).step_by(64) {
        let mut undecided = u64::MAX;
        for column in columns {
            let wrong = column.wrong.word_at(start) & undecided;
            if wrong != 0 {
                let row = start + wrong.trailing_zeros() as usize;
                return Err(Error::usage(format!("row {row} of the row group is not sorted as the options say")));
            }
            undecided &= column.tied.word_at(start);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(sorted: Sorted, values: &[Option<i32>]) -> RowOrder {
        let mut comparer = RowComparer::new(Order::Int32, sorted);
        for value in values {
            comparer.add_row(value.map(i32::to_le_bytes).as_ref().map(|bytes| &bytes[..]));
        }
        comparer.finish()
    }

    #[test]
    fn later_columns_decide_between_equal_rows() {
        let ascending = Sorted { descending: false, nulls_first: false };
        let descending = Sorted { descending: true, nulls_first: true };
        let first = || rows(ascending, &[Some(1), Some(1), Some(2), Some(2), None, None]);
        let second = rows(descending, &[None, Some(3), Some(9), Some(9), Some(5), Some(4)]);
        assert!(check(&[first(), second], 6).is_ok());
        let second = rows(descending, &[Some(3), None, Some(9), Some(9), Some(5), Some(4)]);
        let error = check(&[first(), second], 6).unwrap_err();
        assert!(error.message().starts_with("row 1 "), "{error}");
        let unsorted: Vec<_> = (0..200).map(|i| Some(if i == 150 { 0 } else { i })).collect();
        assert!(check(&[rows(ascending, &unsorted)], 200).unwrap_err().message().starts_with("row 150 "));
        assert!(check(&[rows(ascending, &[None, Some(1)])], 2).is_err());
        assert!(check(&[], 100).is_ok());
    }

    #[test]
    fn nan_comes_last() {
        let sorted = Sorted { descending: false, nulls_first: false };
        let (one, nan) = (1_f64.to_le_bytes(), f64::NAN.to_le_bytes());
        assert_eq!(compare(Order::Double, sorted, Some(&one), Some(&nan)), Ordering::Less);
        assert_eq!(compare(Order::Double, sorted, Some(&nan), Some(&nan)), Ordering::Equal);
    }
}
