//! Levels of nested columns → offsets and validity, for any depth with the same two functions.
//!
//! Let a node of the schema (a struct, a list, a leaf) have `r` repeated fields above it, the innermost of which has the
//! definition level `d` (0 where there is none). An entry of the levels is a *slot* of the node when its repetition level
//! is at most `r` and its definition level at least `d`: there each element of the list around it (or each row) begins.
//! In a slot the node is valid when the definition level reaches the node's own. A list's elements are, in the same way,
//! the slots of its item: so the offsets count the item's slots before each slot of the list.
//!
//! The rows `[7, null]`, `null`, `[]` and `[8]` of an optional list of optional numbers have these levels:
//!
//! ```
//! use herringbone::levels::nested::{Levels, Slots, offsets, validity};
//! use herringbone::values::Bits;
//!
//! let levels = Levels { repetition: vec![0, 1, 0, 0, 0], definition: vec![3, 2, 0, 1, 3] };
//! let elements = Slots { repetition: 1, definition: 2 };
//! assert_eq!(offsets(&levels, Slots::ROWS, elements)?, [0, 2, 2, 2, 3]);
//!
//! let (mut lists, mut numbers) = (Bits::new(), Bits::new());
//! assert_eq!(validity(&levels, Slots::ROWS, 1, &mut lists), 4);
//! assert_eq!(lists.iter().collect::<Vec<_>>(), [true, false, true, true]);
//! assert_eq!(validity(&levels, elements, 3, &mut numbers), 3);
//! assert_eq!(numbers.iter().collect::<Vec<_>>(), [true, false, true]);
//! # Ok::<(), herringbone::Error>(())
//! ```
//!
//! Specification: *Nested Encoding* in the format's README.

#![allow(clippy::arithmetic_side_effects, reason = "a kernel: it counts levels that are in memory, in blocks of 64")]

use std::ops::Range;

use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::Bits;

/// The levels of a leaf's entries; both vectors are of one length, but one whose maximum is 0 stays empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// How many of the lists around the leaf each entry continues: 0 where a row begins.
    pub repetition: Vec<u8>,
    /// How many of the optional and repeated fields on the path to the leaf are there: the leaf's maximum where a value is.
    pub definition: Vec<u8>,
}

impl Levels {
    /// The number of entries.
    pub fn len(&self) -> usize {
        self.repetition.len().max(self.definition.len())
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All entries.
    pub(crate) fn entries(&self) -> Entries<'_> {
        Entries { repetition: &self.repetition, definition: &self.definition }
    }

    /// Forgets all entries and keeps the memory.
    pub fn clear(&mut self) {
        self.repetition.clear();
        self.definition.clear();
    }
}

/// Entries whose levels are somewhere in memory.
#[derive(Clone, Copy)]
pub(crate) struct Entries<'a> {
    pub(crate) repetition: &'a [u8],
    pub(crate) definition: &'a [u8],
}

impl<'a> Entries<'a> {
    /// The entries of a range.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        let part = |levels: &'a [u8]| levels.get(range.clone()).unwrap_or_default();
        Self { repetition: part(self.repetition), definition: part(self.definition) }
    }

    fn len(self) -> usize {
        self.repetition.len().max(self.definition.len())
    }

    /// How many of them are slots of a node.
    pub(crate) fn count(self, slots: Slots) -> usize {
        if self.repetition.is_empty() && slots.definition == 0 {
            return self.len();
        }
        vectorized!(count_blocks(self, slots))
    }

    /// Appends a bit for each slot of a node, as [`validity`] does.
    pub(crate) fn validity(self, slots: Slots, present: u8, out: &mut Bits) -> usize {
        vectorized!(validity_blocks(self, slots, present, out))
    }
}

/// Which entries are slots of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The number of repeated fields above the node.
    pub repetition: u8,
    /// The definition level of the innermost of them, 0 where there is none.
    pub definition: u8,
}

impl Slots {
    /// The slots of the rows: of root fields, and of whatever has no repeated field above it.
    pub const ROWS: Slots = Slots { repetition: 0, definition: 0 };

    /// The slots among the 64 entries of a block, or those that are left of the last one.
    #[inline(always)]
    fn mask(self, levels: Entries<'_>, block: usize) -> u64 {
        let (repetition, definition) = (levels.repetition.as_chunks().0.get(block), levels.definition.as_chunks().0.get(block));
        if repetition.is_none() && definition.is_none() {
            return self.mask_of_rest(levels, block * 64);
        }
        repetition.map_or(u64::MAX, |levels| block_at_most(levels, self.repetition)) & reached(definition, self.definition)
    }

    #[cold]
    fn mask_of_rest(self, levels: Entries<'_>, at: usize) -> u64 {
        let all = (1 << levels.len().saturating_sub(at).min(63)) - 1;
        let begun = match levels.repetition.get(at..) {
            Some(repetition) if !levels.repetition.is_empty() => at_most(repetition, self.repetition),
            _ => u64::MAX,
        };
        all & begun & reached_of_rest(levels.definition, at, self.definition)
    }
}

/// Whether each definition level of a block reaches `threshold`; all do when none are stored.
#[inline(always)]
fn reached(definition: Option<&[u8; 64]>, threshold: u8) -> u64 {
    match definition {
        // A level reaches the threshold when it is not at most the one below.
        Some(levels) if threshold > 0 => !block_at_most(levels, threshold - 1),
        _ => u64::MAX,
    }
}

#[cold]
fn reached_of_rest(definition: &[u8], at: usize, threshold: u8) -> u64 {
    match definition.get(at..) {
        Some(levels) if !definition.is_empty() && threshold > 0 => at_least(levels, threshold),
        _ => u64::MAX,
    }
}

/// As [`Slots::mask`], whether each definition level reaches `threshold`.
#[inline(always)]
fn present_in(levels: Entries<'_>, block: usize, threshold: u8) -> u64 {
    match levels.definition.as_chunks().0.get(block) {
        Some(definition) => reached(Some(definition), threshold),
        None if levels.definition.is_empty() => u64::MAX,
        None => reached_of_rest(levels.definition, block * 64, threshold),
    }
}

#[inline(always)]
fn at_most(levels: &[u8], threshold: u8) -> u64 {
    match <&[u8; 64]>::try_from(levels) {
        Ok(block) => block_at_most(block, threshold),
        Err(_) => levels.iter().enumerate().fold(0, |mask, (bit, level)| mask | u64::from(*level <= threshold) << bit),
    }
}

#[inline(always)]
fn at_least(levels: &[u8], threshold: u8) -> u64 {
    match <&[u8; 64]>::try_from(levels) {
        // A level reaches the threshold when it is not at most the one below.
        Ok(block) if threshold > 0 => !block_at_most(block, threshold - 1),
        Ok(_) => u64::MAX,
        Err(_) => levels.iter().enumerate().fold(0, |mask, (bit, level)| mask | u64::from(*level >= threshold) << bit),
    }
}

/// One bit a level: whether it is at most `threshold`.
#[inline(always)]
fn block_at_most(block: &[u8; 64], threshold: u8) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = crate::simd::level().as_avx512() {
        return x86::at_most(avx512, block, threshold);
    }
    mask_of(block, |level| level <= threshold)
}

/// The instructions that the compiler does not find by itself: with them assembling lists takes half the time.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use fearless_simd::prelude::*;
    use fearless_simd::{i32x8, u8x64};

    use super::{Entries, Slots, offset_blocks};

    fearless_simd::kernel!(
        #[inline]
        pub(super) fn at_most(avx512: Avx512, block: &[u8; 64], threshold: u8) -> u64 {
            use core::arch::x86_64::*;
            _mm512_cmple_epu8_mask(u8x64::from_slice(avx512, block).into(), _mm512_set1_epi8(threshold.cast_signed()))
        }
    );

    fearless_simd::kernel!(
        pub(super) fn append_offsets(avx512: Avx512, levels: Entries<'_>, lists: Slots, elements: Slots, out: &mut Vec<i32>) -> i32 {
            use core::arch::x86_64::*;
            // Eight lists at a time: where their bits are, and the elements below.
            offset_blocks(levels, lists, elements, out, |begins, elements, total, out| {
                let bytes: [u8; 64] = std::array::from_fn(|at| at as u8);
                let places: u8x64<_> = _mm512_maskz_compress_epi8(begins, u8x64::from_slice(avx512, &bytes).into()).simd_into(avx512);
                let mut bytes = [0; 64];
                places.store_slice(&mut bytes);
                let (elements, total) = (_mm512_set1_epi64(elements.cast_signed()), _mm512_set1_epi64(total.into()));
                let count = begins.count_ones() as usize;
                let filled = out.len();
                for eight in bytes.as_chunks::<8>().0.get(..count.div_ceil(8)).unwrap_or_default() {
                    let places = _mm512_cvtepu8_epi64(_mm_cvtsi64_si128(i64::from_le_bytes(*eight)));
                    let below = _mm512_andnot_si512(_mm512_sllv_epi64(_mm512_set1_epi64(-1), places), elements);
                    let ranks = _mm512_cvtepi64_epi32(_mm512_add_epi64(_mm512_popcnt_epi64(below), total));
                    let ranks: i32x8<_> = ranks.simd_into(avx512);
                    let ranks: [i32; 8] = ranks.into();
                    out.extend_from_slice(&ranks);
                }
                out.truncate(filled + count);
            })
        }
    );

    fearless_simd::kernel!(
        #[inline]
        pub(super) fn compress(_avx2: Avx2, value: u64, mask: u64) -> u64 {
            core::arch::x86_64::_pext_u64(value, mask)
        }
    );
}

/// One bit a byte, without vector instructions of its own.
#[inline(always)]
fn mask_of(block: &[u8; 64], test: impl Fn(u8) -> bool) -> u64 {
    let mut bytes = [0u8; 8];
    for (byte, eight) in bytes.iter_mut().zip(block.as_chunks::<8>().0) {
        let mut flags = [0u8; 8];
        for (flag, level) in flags.iter_mut().zip(eight) {
            *flag = u8::from(test(*level));
        }
        // Gathers the lowest bit of each byte: the product puts byte i's bit at position 56 + i.
        *byte = (u64::from_le_bytes(flags).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8;
    }
    u64::from_le_bytes(bytes)
}

/// Appends a bit for each level: whether it is at least `threshold`.
pub(crate) fn push_at_least(levels: &[u8], threshold: u8, out: &mut Bits) {
    vectorized!(push_masks(levels, threshold, out));
}

#[inline(always)]
fn push_masks(levels: &[u8], threshold: u8, out: &mut Bits) {
    let mut out = out.writer(levels.len());
    for block in levels.chunks(64) {
        out.push(at_least(block, threshold), block.len());
    }
}

/// Keeps the bits of `value` where `mask` is set, moved together.
#[inline(always)]
fn compress(value: u64, mask: u64) -> u64 {
    if mask == u64::MAX {
        return value;
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = crate::simd::level().as_avx2() {
        return x86::compress(avx2, value, mask);
    }
    compress_portable(value, mask)
}

fn compress_portable(value: u64, mask: u64) -> u64 {
    let mut out = 0;
    let mut to = 0;
    let mut mask = mask;
    // Whole runs of slots at a time: lists are mostly longer than one element.
    while mask != 0 {
        let skip = mask.trailing_zeros();
        let run = (mask >> skip).trailing_ones();
        let bits = value >> skip & (u64::MAX >> (64 - run));
        out |= bits << to;
        to += run;
        mask = if skip + run < 64 { mask >> (skip + run) << (skip + run) } else { 0 };
    }
    out
}

/// Appends a bit for each slot of a node: whether the definition level reaches `present`, the level from which the node is
/// there. Returns the number of slots.
pub fn validity(levels: &Levels, slots: Slots, present: u8, out: &mut Bits) -> usize {
    levels.entries().validity(slots, present, out)
}

// Loops of `step_by` call a function for each step here, which is not compiled for the vector set and so is not inlined.
#[inline(always)]
fn validity_blocks(levels: Entries<'_>, slots: Slots, present: u8, out: &mut Bits) -> usize {
    let (before, mut block) = (out.len(), 0);
    while block * 64 < levels.len() {
        // There may be far fewer slots than entries: memory is made for those of a few blocks at a time.
        let end = block + BLOCKS_AT_ONCE;
        let mut out = out.writer((levels.len() - block * 64).min(64 * BLOCKS_AT_ONCE));
        while block < end && block * 64 < levels.len() {
            let mask = slots.mask(levels, block);
            out.push(compress(present_in(levels, block, present), mask), mask.count_ones() as usize);
            block += 1;
        }
    }
    out.len() - before
}

/// So many blocks of 64 entries are appended as bits at a time.
const BLOCKS_AT_ONCE: usize = 64;

/// The number of slots of a node.
pub fn count(levels: &Levels, slots: Slots) -> usize {
    levels.entries().count(slots)
}

#[inline(always)]
fn count_blocks(levels: Entries<'_>, slots: Slots) -> usize {
    let (mut slots_seen, mut block) = (0, 0);
    while block * 64 < levels.len() {
        slots_seen += slots.mask(levels, block).count_ones() as usize;
        block += 1;
    }
    slots_seen
}

/// The offsets of a list: how many of its elements lie before each of its slots, and last how many there are.
///
/// `lists` are the slots of the list, `elements` those of its item.
///
/// # Errors
/// `Malformed` when an element lies before the first list; `Limit` when there are more than `i32` can count.
pub fn offsets(levels: &Levels, lists: Slots, elements: Slots) -> Result<Vec<i32>> {
    if i32::try_from(levels.len()).is_err() {
        return Err(Error::limit("more than 2^31 list elements in one batch: read fewer rows at a time"));
    }
    // Kernels append eight at a time and cut off what is too much.
    let mut out = Vec::with_capacity(count(levels, lists) + 8);
    let total = append_offsets(levels.entries(), lists, elements, &mut out);
    if out.first().is_some_and(|first| *first != 0) || out.is_empty() && total != 0 {
        return Err(Error::malformed("a list's element comes before the first list"));
    }
    out.push(total);
    Ok(out)
}

fn append_offsets(levels: Entries<'_>, lists: Slots, elements: Slots, out: &mut Vec<i32>) -> i32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = crate::simd::level().as_avx512() {
        return x86::append_offsets(avx512, levels, lists, elements, out);
    }
    vectorized!(offset_blocks(levels, lists, elements, out, push_ranks))
}

/// `push_ranks` appends, for each bit of the first mask, how many bits of the second lie below it, added to a number.
#[inline(always)]
fn offset_blocks(
    levels: Entries<'_>,
    lists: Slots,
    elements: Slots,
    out: &mut Vec<i32>,
    push_ranks: impl Fn(u64, u64, i32, &mut Vec<i32>),
) -> i32 {
    let (mut total, mut block) = (0i32, 0);
    while block * 64 < levels.len() {
        let elements = elements.mask(levels, block);
        push_ranks(lists.mask(levels, block), elements, total, out);
        total = total.wrapping_add(elements.count_ones().cast_signed());
        block += 1;
    }
    total
}

#[inline(always)]
fn push_ranks(mut begins: u64, elements: u64, total: i32, out: &mut Vec<i32>) {
    let filled = out.len();
    out.resize(filled + begins.count_ones() as usize, total);
    for offset in out.get_mut(filled..).unwrap_or_default() {
        let below = begins.wrapping_sub(1) & !begins;
        *offset = offset.wrapping_add((elements & below).count_ones().cast_signed());
        begins &= begins.wrapping_sub(1);
    }
}

/// How many entries the next `rows` rows take, counted from entry `at`, and how many rows begin there (fewer at the end).
/// A row ends where the next begins.
pub fn row_end(repetition: &[u8], at: usize, rows: usize) -> (usize, usize) {
    vectorized!(end_of_rows(repetition.get(at..).unwrap_or_default(), rows))
}

#[inline(always)]
fn end_of_rows(rest: &[u8], rows: usize) -> (usize, usize) {
    let mut begun = 0;
    for (block, levels) in rest.chunks(64).enumerate() {
        let mut mask = at_most(levels, 0);
        let begins = mask.count_ones() as usize;
        if begun + begins <= rows {
            begun += begins;
            continue;
        }
        for _ in begun..rows {
            mask &= mask - 1;
        }
        return (block * 64 + mask.trailing_zeros() as usize, rows);
    }
    (rest.len(), begun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A list of lists of optional leaves: `optional group a (LIST) { repeated group { optional group b (LIST) { repeated group { optional x }}}}`.
    type Row = Option<Vec<Option<Vec<Option<()>>>>>;

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let leaf = prop::option::of(Just(()));
        let inner = prop::option::of(prop::collection::vec(leaf, 0..20));
        prop::collection::vec(prop::option::of(prop::collection::vec(inner, 0..6)), 0..40)
    }

    /// Shreds rows as the specification describes.
    fn shred(rows: &[Row]) -> Levels {
        let mut levels = Levels::default();
        let mut entry = |repetition: u8, definition: u8| {
            levels.repetition.push(repetition);
            levels.definition.push(definition);
        };
        for row in rows {
            match row {
                None => entry(0, 0),
                Some(outer) if outer.is_empty() => entry(0, 1),
                Some(outer) => {
                    for (i, inner) in outer.iter().enumerate() {
                        let begin = u8::from(i > 0);
                        match inner {
                            None => entry(begin, 2),
                            Some(inner) if inner.is_empty() => entry(begin, 3),
                            Some(inner) => {
                                for (j, leaf) in inner.iter().enumerate() {
                                    entry(if j > 0 { 2 } else { begin }, if leaf.is_some() { 5 } else { 4 });
                                }
                            }
                        }
                    }
                }
            }
        }
        levels
    }

    fn ends<T>(lists: impl Iterator<Item = Option<T>>, len: impl Fn(&T) -> usize) -> Vec<i32> {
        let mut ends = vec![0];
        for list in lists {
            let last = *ends.last().unwrap();
            ends.push(last + list.map_or(0, |list| len(&list)) as i32);
        }
        ends
    }

    proptest! {
        #[test]
        fn assembles_what_was_shredded(rows in rows(), cut in 0..50usize) {
            let levels = shred(&rows);
            let inner_slots = Slots { repetition: 1, definition: 2 };
            let leaf_slots = Slots { repetition: 2, definition: 4 };
            prop_assert_eq!(offsets(&levels, Slots::ROWS, inner_slots).unwrap(), ends(rows.iter().map(Option::as_ref), |list| list.len()));
            let inner: Vec<_> = rows.iter().flatten().flatten().collect();
            prop_assert_eq!(offsets(&levels, inner_slots, leaf_slots).unwrap(), ends(inner.iter().map(|list| list.as_ref()), |list| list.len()));
            let mut portable = Vec::new();
            let total = offset_blocks(levels.entries(), inner_slots, leaf_slots, &mut portable, push_ranks);
            portable.push(total);
            let made = offsets(&levels, inner_slots, leaf_slots).unwrap();
            prop_assert!(made.capacity() <= made.len() + 8, "memory for more than what is there");
            prop_assert_eq!(portable, made);
            let leaves: Vec<_> = inner.iter().copied().flatten().flatten().collect();
            for (slots, present, expected) in [
                (Slots::ROWS, 1, rows.iter().map(Option::is_some).collect::<Vec<_>>()),
                (inner_slots, 3, inner.iter().map(|list| list.is_some()).collect()),
                (leaf_slots, 5, leaves.iter().map(|leaf| leaf.is_some()).collect()),
            ] {
                let mut bits = Bits::repeat(true, 3);
                prop_assert_eq!(validity(&levels, slots, present, &mut bits), expected.len());
                prop_assert_eq!(bits.iter().skip(3).collect::<Vec<_>>(), expected.clone());
                let many = Levels { repetition: levels.repetition.repeat(40), definition: levels.definition.repeat(40) };
                prop_assert_eq!(validity(&many, slots, present, &mut Bits::new()), 40 * expected.len());
                prop_assert_eq!(count(&levels, slots), expected.len());
            }
            let cut = cut.min(rows.len());
            prop_assert_eq!(row_end(&levels.repetition, 0, cut), (shred(&rows[..cut]).len(), cut));
            prop_assert_eq!(row_end(&levels.repetition, 0, rows.len() + 7), (levels.len(), rows.len()));
        }

        #[test]
        fn masks_agree_with_the_naive_twin(levels in prop::collection::vec(0..9u8, 64), value: u64, mask: u64, threshold in 0..9u8) {
            let naive = levels.iter().enumerate().fold(0, |mask, (bit, level)| mask | u64::from(*level >= threshold) << bit);
            prop_assert_eq!(at_least(&levels, threshold), naive);
            let block: &[u8; 64] = levels.as_slice().try_into().unwrap();
            prop_assert_eq!(mask_of(block, |level| level >= threshold), naive);
            prop_assert_eq!(compress(value, mask), compress_portable(value, mask));
            let bits = (0..64).filter(|bit| mask >> bit & 1 == 1).enumerate();
            prop_assert_eq!(compress(value, mask), bits.fold(0, |out, (to, bit)| out | (value >> bit & 1) << to));
        }
    }

    #[test]
    fn an_element_before_the_first_list_is_an_error() {
        let levels = Levels { repetition: vec![1, 0], definition: vec![2, 2] };
        assert!(offsets(&levels, Slots::ROWS, Slots { repetition: 1, definition: 2 }).is_err());
    }
}
