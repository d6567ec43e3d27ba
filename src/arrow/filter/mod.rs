//! Filtered scans: what need not be read, what is looked at, what is left.
//!
//! A row group goes through stages, each only where it can pay, and each of which knows the byte ranges that it needs before
//! it decodes anything, so that whoever drives it can fetch them as it likes:
//!
//! 1. statistics, when the scan is built: no bytes beyond the footer;
//! 2. bloom filters, dictionary pages and page indexes ([`prune::Pruning`]), of the columns for which they can decide something;
//! 3. the filter's columns ([`unit::Unit::filter`]), cheap and selective conditions first, each only for the rows that those before
//!    left;
//! 4. the other columns ([`unit::Unit::read`]), for surviving rows: as ranges where these are few and together, so that pages
//!    and values between them are passed over, else all of them, from which a bitmap then picks.
//!
//! Stages 3 and 4 work on a [`unit::Unit`], a window of a row group's rows, so that memory does not follow what a file claims, and
//! several threads share a large row group.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "rows of a batch, pages and bytes of parsed metadata are counted, all below the file's size or the limits"
)]

pub(super) mod engine;
pub(super) mod fetch;
mod metrics;
mod prune;
mod selection;
#[cfg(test)]
mod tests;
mod unit;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;

use crate::arrow::plan::Plan;
use crate::error::{Error, Result};
use crate::predicate::{Predicate, Verdict};

pub use metrics::ScanMetrics;

/// A function of the caller's that says which rows of a batch stay.
pub(super) type Keep = Arc<dyn Fn(&RecordBatch) -> Result<BooleanArray, Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

/// What rows have to pass.
pub(crate) struct Filter {
    pub(crate) predicate: Predicate,
    /// What the statistics of each row group of the plan say about the predicate's tests.
    pub(crate) verdicts: Vec<Vec<Verdict>>,
    pub(crate) functions: Vec<RowFunction>,
    pub(crate) metrics: Mutex<ScanMetrics>,
    /// How many bytes of page indexes and dictionaries pruning has read.
    pub(crate) looked_at: AtomicU64,
}

/// A function on batches of some columns.
pub(crate) struct RowFunction {
    /// Its columns; row groups are those of the scan's own plan.
    pub(crate) plan: Plan,
    pub(crate) schema: SchemaRef,
    pub(crate) keep: Keep,
}

impl Filter {
    /// Adds to the metrics.
    pub(crate) fn count(&self, add: impl FnOnce(&mut ScanMetrics)) {
        // Numbers are whole even if a thread panicked between two of them.
        add(&mut self.metrics.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl RowFunction {
    /// Calls the function; null counts as false.
    pub(crate) fn call(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let kept = (self.keep)(batch).map_err(|error| Error::usage(format!("the filter function failed: {error}")).with_source(error))?;
        match kept.len() == batch.num_rows() {
            true => Ok(kept),
            false => Err(Error::usage(format!("the filter function gave {} booleans for {} rows", kept.len(), batch.num_rows()))),
        }
    }
}

impl Filter {
    /// The leaf columns that the scan or its filter reads, each once.
    pub(crate) fn leaves(&self, plan: &Plan) -> Vec<usize> {
        let mut leaves: Vec<usize> = plan.leaves.iter().flatten().copied().collect();
        leaves.extend(self.predicate.leaves());
        leaves.extend(self.functions.iter().flat_map(|function| function.plan.leaves.iter().flatten()));
        leaves.sort_unstable();
        leaves.dedup();
        leaves
    }

    /// The leaf columns of each condition of a row group, in the order in which they are checked, as far as statistics decide that.
    pub(crate) fn order(&self, plan: &Plan, group: usize) -> Vec<Vec<usize>> {
        let verdicts = self.verdicts.get(group).map_or(&[][..], Vec::as_slice);
        let residual = self.predicate.formula.residual(verdicts);
        unit::Condition::all(plan, self, group, &residual).iter().map(|condition| condition.leaves().to_vec()).collect()
    }

    /// Bytes of these columns in a row group of the plan.
    pub(crate) fn bytes(&self, plan: &Plan, group: usize) -> u64 {
        plan.groups.get(group).map_or(0, |group| bytes_of(plan, group.index, &self.leaves(plan)))
    }
}

/// Bytes of some columns' chunks in a row group, as the file claims.
pub(crate) fn bytes_of(plan: &Plan, row_group: usize, leaves: &[usize]) -> u64 {
    let sizes = leaves.iter().filter_map(|leaf| plan.location(row_group, *leaf).ok()).map(|chunk| chunk.range.end - chunk.range.start);
    sizes.fold(0, u64::saturating_add)
}
