//! What decoding some pages of a leaf column gives.

use std::sync::Arc;

use crate::encoding::Dictionary;
use crate::values::Values;

/// A run of a leaf column's slots, decoded.
///
/// A slot is a place for a value: null slots hold a placeholder, which is 0, zero bytes or an empty byte array.
#[derive(Clone, Debug)]
pub enum Part {
    /// The values themselves.
    Values(Values),
    /// Where the values are in the dictionary of the column chunk.
    Indices {
        /// One for each slot, all below the dictionary's length; 0 in null slots, whatever the length.
        indices: Vec<u32>,
        /// The dictionary.
        dictionary: Arc<Dictionary>,
    },
}

impl Part {
    /// The number of slots.
    pub fn len(&self) -> usize {
        match self {
            Part::Values(values) => values.len(),
            Part::Indices { indices, .. } => indices.len(),
        }
    }

    /// Whether there are no slots.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
