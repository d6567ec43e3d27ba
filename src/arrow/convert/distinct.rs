//! Values → their different ones and an index for each, for columns that are dictionaries in Arrow but not in the file.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arrow_buffer::NullBuffer;

use crate::arrow::convert::is_valid;
use crate::encoding::Dictionary;
use crate::error::{Error, Result};
use crate::values::{Bits, ByteArrays, FixedBytes, Values};

/// An index for each slot (0 for nulls) and the entries, in the order in which they first occur.
pub(super) fn encode(values: &Values, validity: Option<&NullBuffer>) -> Result<(Vec<u32>, Arc<Dictionary>)> {
    let (indices, entries) = match values {
        Values::Words32(words) => {
            let (indices, firsts) = number(words.iter(), validity);
            (indices, Values::Words32(firsts.into_iter().copied().collect()))
        }
        Values::Words64(words) => {
            let (indices, firsts) = number(words.iter(), validity);
            (indices, Values::Words64(firsts.into_iter().copied().collect()))
        }
        Values::Bits(bits) => {
            let (indices, firsts) = number(bits.iter(), validity);
            (indices, Values::Bits(firsts.into_iter().collect::<Bits>()))
        }
        Values::Bytes(arrays) => {
            let (indices, firsts) = number(arrays.iter(), validity);
            let mut entries = ByteArrays::new();
            firsts.into_iter().try_for_each(|entry| entries.push(entry))?;
            (indices, Values::Bytes(entries))
        }
        Values::Fixed(fixed) => {
            let (indices, firsts) = number(fixed.iter(), validity);
            let mut entries = FixedBytes::new(fixed.width());
            match fixed.width() {
                0 => entries.extend_zeros(firsts.len()),
                _ => firsts.into_iter().for_each(|entry| entries.extend_from_bytes(entry)),
            }
            (indices, Values::Fixed(entries))
        }
    };
    if entries.len() > i32::MAX as usize {
        return Err(Error::limit("a dictionary of more than 2^31 values"));
    }
    Ok((indices, Arc::new(Dictionary::new(entries))))
}

fn number<T: Copy + Eq + Hash>(values: impl Iterator<Item = T>, validity: Option<&NullBuffer>) -> (Vec<u32>, Vec<T>) {
    // The standard hasher is seeded at random: nobody can prepare a file of collisions.
    let mut known: HashMap<T, u32> = HashMap::new();
    let mut firsts = Vec::new();
    let indices = values.enumerate().map(|(slot, value)| {
        if !is_valid(validity, slot) {
            return 0;
        }
        *known.entry(value).or_insert_with(|| {
            firsts.push(value);
            firsts.len().saturating_sub(1) as u32
        })
    });
    (indices.collect(), firsts)
}
