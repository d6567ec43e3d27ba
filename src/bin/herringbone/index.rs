//! The page index of a column chunk, read from the file.

use herringbone::metadata::{ColumnIndex, OffsetIndex, RowGroup};
use herringbone::read::Source;

/// What is there of a chunk's page index. An index that lies is as good as none, so it is no failure; `faults` says why.
#[derive(Default)]
pub struct PageIndex {
    /// Where pages are.
    pub offsets: Option<OffsetIndex>,
    /// Their bounds.
    pub columns: Option<ColumnIndex>,
    /// What is wrong with the parts that are missing.
    pub faults: Vec<herringbone::Error>,
}

impl PageIndex {
    /// Reads the index of a leaf's chunk.
    pub fn read(source: &(impl Source + ?Sized), row_group: &RowGroup<'_>, leaf: usize) -> herringbone::Result<Self> {
        let chunk = row_group.chunk(leaf)?;
        let mut index = Self::default();
        if let Some(range) = chunk.offset_index {
            index.offsets = index.keep(source.read(range).and_then(|bytes| row_group.parse_offset_index(leaf, &bytes)));
        }
        if let (Some(range), Some(offsets)) = (chunk.column_index, index.offsets.clone()) {
            index.columns = index.keep(source.read(range).and_then(|bytes| row_group.parse_column_index(leaf, &bytes, &offsets)));
        }
        Ok(index)
    }

    fn keep<T>(&mut self, part: herringbone::Result<T>) -> Option<T> {
        part.map_err(|error| self.faults.push(error)).ok()
    }
}
