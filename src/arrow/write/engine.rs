//! Where encoding happens: on the thread that writes, or on a pool.

use std::sync::Arc;

use crate::arrow::write::ArrowPlan;
use crate::arrow::write::block::Block;
use crate::arrow::write::inline::Inline;
#[cfg(feature = "rayon")]
use crate::arrow::write::pool::Pooled;
use crate::error::{Error, Result, caught};
use crate::write::WrittenChunk;

/// Takes blocks of row groups in turn and yields the chunks of each row group in turn.
pub(crate) enum Engine {
    Inline(Inline),
    #[cfg(feature = "rayon")]
    Pool(Pooled),
}

/// About how large the open row group is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    /// Bytes in the file if it were finished now.
    pub(crate) encoded: u64,
    /// Bytes of memory that its encoders take.
    pub(crate) memory: u64,
}

impl Engine {
    /// The engine that options ask for.
    ///
    /// # Errors
    /// `Usage` when threads cannot be started.
    pub(crate) fn new(plan: Arc<ArrowPlan>) -> Result<Self> {
        #[cfg(feature = "rayon")]
        if plan.write_plan().options().threads() != Some(1) {
            let pool = crate::arrow::write::pool::Pool::new(plan.write_plan().options().threads())?;
            return Ok(Self::on(pool, plan));
        }
        Ok(Engine::Inline(Inline::new(plan)))
    }

    /// Encoding on a pool, unless that has a single thread, which would gain nothing.
    #[cfg(feature = "rayon")]
    pub(crate) fn on(pool: crate::arrow::write::pool::Pool, plan: Arc<ArrowPlan>) -> Self {
        match pool.threads() {
            1 => Engine::Inline(Inline::new(plan)),
            _ => Engine::Pool(Pooled::new(pool, plan)),
        }
    }

    /// Encodes a block of the open row group, or has it encoded later. Waits as long as blocks of more than `waiting` bytes
    /// wait.
    ///
    /// # Errors
    /// The first error of any encoder so far.
    pub(crate) fn push(&mut self, block: Block, waiting: u64) -> Result<()> {
        // Only a pool has blocks wait.
        let _ = waiting;
        match self {
            Engine::Inline(inline) => inline.push(&block),
            #[cfg(feature = "rayon")]
            Engine::Pool(pool) => pool.push(block, waiting),
        }
    }

    /// Ends the open row group.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub(crate) fn end_group(&mut self) -> Result<()> {
        match self {
            Engine::Inline(inline) => inline.end_group(),
            #[cfg(feature = "rayon")]
            Engine::Pool(pool) => pool.end_group(),
        }
    }

    /// Encodes what waits of the open row group and tells how large it is.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub(crate) fn settle(&mut self) -> Result<Sizes> {
        match self {
            Engine::Inline(inline) => Ok(inline.sizes()),
            #[cfg(feature = "rayon")]
            Engine::Pool(pool) => pool.settle(),
        }
    }

    /// The chunks of the next row group, if it is finished; with `wait`, when it is. `None` when no ended row group is left.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub(crate) fn take_finished(&mut self, wait: bool) -> Result<Option<Vec<WrittenChunk>>> {
        // Without a pool all is finished that was ended.
        let _ = wait;
        match self {
            Engine::Inline(inline) => Ok(inline.take_finished()),
            #[cfg(feature = "rayon")]
            Engine::Pool(pool) => pool.take_finished(wait),
        }
    }

    /// About how many bytes of memory all takes that is not handed out yet.
    pub(crate) fn memory(&self) -> u64 {
        match self {
            Engine::Inline(inline) => inline.sizes().memory,
            #[cfg(feature = "rayon")]
            Engine::Pool(pool) => pool.memory(),
        }
    }
}

/// Runs a step of encoding; a panic becomes an error.
pub(crate) fn guarded<T>(step: impl FnOnce() -> Result<T>) -> Result<T> {
    let panicked = || Error::usage("encoding panicked, which is a defect of this crate: please report it with the data");
    caught(panicked, step)
}
