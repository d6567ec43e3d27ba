//! What the rows of a batch may take.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};
use crate::limits::Limits;

/// How many bytes the rows of one batch may still take, in all its columns together.
///
/// Metadata tell roughly how large rows become, and may lie; what is counted here is what was decoded.
#[derive(Debug)]
pub(crate) struct Room {
    left: AtomicUsize,
    most: usize,
}

impl Room {
    pub(crate) fn new(limits: &Limits) -> Self {
        let most = limits.room();
        Self { left: AtomicUsize::new(most), most }
    }

    /// How many bytes are left.
    #[cfg(feature = "arrow")]
    pub(crate) fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }

    /// Takes some bytes.
    ///
    /// # Errors
    /// `Limit` when fewer are left; then none are.
    pub(crate) fn take(&self, bytes: usize) -> Result<()> {
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(bytes)));
        if before.is_ok_and(|left| bytes <= left) {
            return Ok(());
        }
        Err(Error::limit(format!(
            "the rows of one batch take more than the {} bytes that Limits::memory_bytes and batch_bytes leave: read fewer rows at a time, or raise them",
            self.most
        )))
    }
}
