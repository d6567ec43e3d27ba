//! Values → their different ones and an index for each, for columns that are dictionaries in Arrow but not in the file.

use std::sync::Arc;

use crate::encoding::{Dictionary, DictionaryBuilder, Shape};
use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::values::Values;

/// An index for each slot and the entries, in the order in which they first occur. Placeholders of nulls count as values.
pub(super) fn encode(values: &Values) -> Result<(Vec<u32>, Arc<Dictionary>)> {
    let (physical_type, width) = match values {
        Values::Bits(_) => (PhysicalType::Boolean, 0),
        Values::Words32(_) => (PhysicalType::Int32, 0),
        Values::Words64(_) => (PhysicalType::Int64, 0),
        Values::Bytes(_) => (PhysicalType::ByteArray, 0),
        Values::Fixed(fixed) => (PhysicalType::FixedLenByteArray, fixed.width()),
    };
    let mut builder = DictionaryBuilder::new(Shape { physical_type, width }, usize::MAX, usize::MAX)?;
    let mut indices = Vec::new();
    if builder.intern(values.as_slice(), &mut indices)? < values.len() {
        return Err(Error::limit("more than 2 GiB of different values in one batch: read fewer rows at a time"));
    }
    Ok((indices, Arc::new(Dictionary::new(builder.entries().clone()))))
}
