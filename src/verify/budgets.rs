//! What is left of what checking a file may cost, for all parts of it together that are checked at once.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is left of one thing.
#[derive(Debug)]
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub(super) fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes some, if so much is left; else says how much is.
    pub(super) fn take(&self, amount: u64) -> Result<(), u64> {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount)).map(drop)
    }
}

/// What is left of everything.
#[derive(Debug)]
pub(super) struct Budgets {
    /// Findings that may still be kept.
    pub(super) findings: Budget,
    /// Values that may still be decoded, nulls included.
    pub(super) values: Budget,
    /// Bytes of pages that may still be read and decompressed.
    pub(super) bytes: Budget,
}

/// What was left at some time.
pub(super) type Left = [u64; 3];

impl Budgets {
    pub(super) fn new([findings, values, bytes]: Left) -> Self {
        let [findings, values, bytes] = [findings, values, bytes].map(|left| Budget(AtomicU64::new(left)));
        Self { findings, values, bytes }
    }

    pub(super) fn left(&self) -> Left {
        [self.findings.left(), self.values.left(), self.bytes.left()]
    }

    /// Gives back what was taken in vain since then.
    pub(super) fn restore(&self, left: Left) {
        for (budget, left) in [&self.findings, &self.values, &self.bytes].into_iter().zip(left) {
            budget.0.store(left, Ordering::Relaxed);
        }
    }
}
