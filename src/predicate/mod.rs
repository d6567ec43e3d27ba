//! Filters: expressions over columns, and what metadata say about them before a page is read.
//!
//! An [`Expr`] is made by [`col`] and its methods (or read from text, with the feature `sql`). Bound to a schema it is a
//! [`Predicate`], which is asked in turn what statistics, bloom filters, dictionaries and page indexes say about it: that no
//! row passes, some may, or all do ([`Verdict`]).
//!
//! ```
//! use herringbone::predicate::{Verdict, col};
//! use herringbone::read::{self, FileSource};
//! use herringbone::Limits;
//!
//! # fn main() -> herringbone::Result<()> {
//! let source = FileSource::open("testdata/bloom-filters.index-v2.parquet")?;
//! let metadata = read::metadata(&source, &Limits::default())?;
//! let group = metadata.row_group(0).expect("the file has a row group");
//! let verdict = |filter: herringbone::predicate::Expr| filter.bind(metadata.schema()).map(|predicate| predicate.row_group(&group));
//! assert_eq!(verdict(col("id").gt(119))?, Verdict::None);
//! assert_eq!(verdict(col("id").gt(118))?, Verdict::Some);
//! assert_eq!(verdict(col("id").gt_eq(0))?, Verdict::All);
//! assert!(verdict(col("id").eq("text")).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # What is true
//!
//! - Nulls follow SQL: a comparison with null is neither true nor false, `not` leaves that as it is, and only rows for which the
//!   whole expression is true pass.
//! - Values compare by their logical type. A constant must be of a kind that the column's type can be compared with, or binding
//!   refuses it; a number that the type cannot hold lies between two that it can, so that `x > 1.5` asks integers for more than 1.
//! - Floating-point numbers compare by the total order of IEEE 754, as Arrow's comparison kernels do: NaN is greater than all
//!   other numbers (with its sign set: less), and −0 is less than +0. Constants are rounded to the column's precision.
//!   Since bounds in files leave NaN aside, `x > 5` skips nothing where NaN may be: where the file does not count them.
//! - Text compares by its bytes.
//!
//! # What is believed
//!
//! Bounds are those of [`metadata`](crate::metadata): without the ones that a writer is known to have got wrong. They may be cut
//! short or wider than the values, so that 'all rows pass' is not concluded from bounds of text unless the file says that they are exact.
// Record batches are what uses all of it.
#![cfg_attr(not(feature = "arrow"), allow(dead_code, unused_imports))]

mod bind;
mod calendar;
mod coerce;
mod evaluate;
mod expr;
mod literal;
mod pattern;
mod prune;
mod rows;
mod set;
#[cfg(feature = "sql")]
mod sql;
#[cfg(test)]
mod tests;

pub use bind::Predicate;
pub(crate) use bind::{Formula, Test};
pub(crate) use evaluate::{Evaluator, and, or};
pub use expr::{Column, Expr, col};
pub use literal::{Decimal, Literal};
pub use prune::Verdict;
pub(crate) use rows::RowRanges;
