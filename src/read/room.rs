//! What the rows of a batch may take.

#[cfg(all(feature = "arrow", feature = "rayon"))]
use std::sync::Arc;
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
    /// Where what is taken is counted together with that of other batches, as long as this is there.
    #[cfg(all(feature = "arrow", feature = "rayon"))]
    together: Option<Arc<AtomicUsize>>,
}

impl Room {
    pub(crate) fn new(limits: &Limits) -> Self {
        let most = limits.room();
        Self {
            left: AtomicUsize::new(most),
            most,
            #[cfg(all(feature = "arrow", feature = "rayon"))]
            together: None,
        }
    }

    /// One whose bytes are counted together with those of others.
    #[cfg(all(feature = "arrow", feature = "rayon"))]
    pub(crate) fn beside_others(limits: &Limits, together: &Arc<AtomicUsize>) -> Self {
        let mut room = Self::new(limits);
        room.together = Some(Arc::clone(together));
        room
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
        let before = before.unwrap_or_default();
        #[cfg(all(feature = "arrow", feature = "rayon"))]
        if let Some(together) = &self.together {
            together.fetch_add(bytes.min(before), Ordering::Relaxed);
        }
        if bytes <= before {
            return Ok(());
        }
        Err(Error::limit(format!(
            "the rows of one batch take more than the {} bytes that Limits::memory_bytes and batch_bytes leave: read fewer rows at a time, or raise them",
            self.most
        )))
    }
}

#[cfg(all(feature = "arrow", feature = "rayon"))]
impl Drop for Room {
    fn drop(&mut self) {
        if let Some(together) = &self.together {
            together.fetch_sub(self.most.saturating_sub(*self.left.get_mut()), Ordering::Relaxed);
        }
    }
}
