//! Encoding on the thread that writes.

use std::sync::Arc;

use crate::arrow::write::block::Block;
use crate::arrow::write::engine::{Sizes, guarded};
use crate::arrow::write::{ArrayWriter, ArrowPlan};
use crate::error::Result;
use crate::write::WrittenChunk;

/// The encoders of the open row group.
pub(crate) struct Inline {
    plan: Arc<ArrowPlan>,
    writers: Vec<ArrayWriter>,
    finished: Vec<Vec<WrittenChunk>>,
}

impl Inline {
    pub(crate) fn new(plan: Arc<ArrowPlan>) -> Self {
        Self { plan, writers: Vec::new(), finished: Vec::new() }
    }

    pub(crate) fn push(&mut self, block: &Block) -> Result<()> {
        if self.writers.is_empty() {
            self.writers = (0..self.plan.num_leaves()).map(|leaf| self.plan.array_writer(leaf)).collect::<Result<_>>()?;
        }
        self.writers.iter_mut().try_for_each(|writer| guarded(|| write_block(writer, block)))
    }

    pub(crate) fn end_group(&mut self) -> Result<()> {
        let chunks = std::mem::take(&mut self.writers).into_iter().map(|writer| guarded(|| writer.finish()));
        let chunks = chunks.collect::<Result<_>>()?;
        self.finished.push(chunks);
        Ok(())
    }

    pub(crate) fn sizes(&self) -> Sizes {
        let encoded = self.writers.iter().map(|writer| writer.encoded_size() as u64).sum();
        Sizes { encoded, memory: self.writers.iter().map(|writer| writer.memory_size() as u64).sum() }
    }

    pub(crate) fn take_finished(&mut self) -> Option<Vec<WrittenChunk>> {
        if self.finished.is_empty() { None } else { Some(self.finished.remove(0)) }
    }
}

/// Writes a block's arrays of the encoder's column.
pub(crate) fn write_block(writer: &mut ArrayWriter, block: &Block) -> Result<()> {
    let arrays = block.columns.get(writer.column()).map(Vec::as_slice).unwrap_or_default();
    arrays.iter().try_for_each(|array| writer.write(array))
}
