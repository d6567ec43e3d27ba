//! Indices into a dictionary → entries in slots, with placeholders where nulls are.
//!
//! Indices are spread while they are in the nearest cache, and then looked up straight to where their slots are: entries are written once, and not to
//! memory that was cleared. That took a tenth of the time of reading numbers with a tenth of nulls.

#![allow(clippy::arithmetic_side_effects, reason = "a kernel: it counts slots that are in memory, in blocks of 64")]

use std::hint::select_unpredictable;

use bytemuck::Pod;

use super::expand_portable;
use crate::encoding::{Indices, RESERVED_MOST, too_few};
use crate::error::Result;
use crate::values::{Bits, Values};

/// How many indices are unpacked at a time.
const BLOCK: usize = 1024;

/// Appends `n` slots to `out`: what the next of `indices` name, in order, goes where the bits of `validity` from `start` on are set, of which there are
/// `present`; the other slots get 0. Returns `false`, with nothing read, where entries are no words, where only the indices are
/// wanted, and where there are no entries.
pub(crate) fn spread_entries(
    mut indices: Indices<'_>,
    page: &[u8],
    validity: &Bits,
    start: usize,
    n: usize,
    present: usize,
    out: &mut Values,
) -> Result<bool> {
    let dictionary = indices.dictionary();
    if dictionary.is_empty() {
        return Ok(false);
    }
    let slots = Slots { validity, start, n, present };
    match (dictionary.values(), out) {
        (Values::Words32(entries), Values::Words32(out)) => slots.look_up(&mut indices, page, entries, out)?,
        (Values::Words64(entries), Values::Words64(out)) => slots.look_up(&mut indices, page, entries, out)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The slots to come: so many bits of a validity.
struct Slots<'a> {
    validity: &'a Bits,
    start: usize,
    n: usize,
    /// How many of them are set.
    present: usize,
}

impl Slots<'_> {
    fn look_up<T: Pod>(&self, indices: &mut Indices<'_>, page: &[u8], entries: &[T], out: &mut Vec<T>) -> Result<()> {
        out.reserve(self.n.min(RESERVED_MOST));
        let Some(last) = entries.len().checked_sub(1) else { return Err(too_few(self.present, 0)) };
        // All were checked: the minimum only lets the compiler see that none reaches the length.
        #[allow(clippy::indexing_slicing, reason = "no index is above the last")]
        let entry = |index: &u32| {
            let index = *index as usize;
            select_unpredictable(index <= last, entries[index.min(last)], T::zeroed())
        };
        self.for_each_word(indices, page, |count, indices| match indices {
            Some(indices) => out.extend(indices.iter().map(entry)),
            None => out.resize(out.len().saturating_add(count), T::zeroed()),
        })
    }

    /// Hands out the indices of up to 64 slots at a time, [`NULL`] where one is null, and none where all are.
    fn for_each_word(&self, indices: &mut Indices<'_>, page: &[u8], mut append: impl FnMut(usize, Option<&[u32]>)) -> Result<()> {
        let mut held = Held { indices: [0; HELD], from: 0, to: 0, present: self.present, left: self.present };
        let mut spread = [0; 64];
        let mut at = 0;
        while at < self.n {
            let count = (self.n - at).min(64);
            let mask = self.validity.word_at(self.start + at) & u64::MAX >> (64 - count);
            at += count;
            if mask == 0 {
                append(count, None);
                continue;
            }
            let ones = mask.count_ones() as usize;
            held.fill(ones, indices, page)?;
            let dense = held.indices.get(held.from..).unwrap_or_default();
            held.from += ones;
            if ones == count {
                append(count, dense.get(..count));
            } else {
                expand(dense, mask, &mut spread);
                append(count, spread.get(..count));
            }
        }
        Ok(())
    }
}

/// In the place of an index: no dictionary has so many entries.
const NULL: u32 = u32::MAX;

/// Room for a block, what is left of the one before, and what a kernel reads beyond.
const HELD: usize = BLOCK + 2 * 64;

/// Indices that were unpacked and not yet used: those `from..to`, and `left` of `present` are to come.
struct Held {
    indices: [u32; HELD],
    from: usize,
    to: usize,
    present: usize,
    left: usize,
}

impl Held {
    /// Unpacks more until there are `n`, of up to 64.
    #[inline]
    fn fill(&mut self, n: usize, indices: &mut Indices<'_>, page: &[u8]) -> Result<()> {
        if self.to - self.from >= n { Ok(()) } else { self.fill_up(n, indices, page) }
    }

    #[inline(never)]
    fn fill_up(&mut self, n: usize, indices: &mut Indices<'_>, page: &[u8]) -> Result<()> {
        self.indices.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        while self.to < n {
            let most = self.to + BLOCK.min(self.left);
            let new = indices.next(page, self.indices.get_mut(self.to..most).unwrap_or_default())?;
            if new == 0 {
                return Err(too_few(self.present, self.present - self.left));
            }
            self.to += new;
            self.left -= new;
        }
        Ok(())
    }
}

/// Moves the first indices to the slots that `mask` names, and [`NULL`] to the others.
fn expand(dense: &[u32], mask: u64, out: &mut [u32; 64]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = crate::simd::level().as_avx512()
        && dense.len() >= 64
    {
        return super::x86::expand32(avx512, bytemuck::cast_slice(dense), mask, NULL, bytemuck::cast_mut(out));
    }
    out.fill(NULL);
    expand_portable(dense, mask, out);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::encoding::{Decoder, Dictionary, Shape, decoder, write_indices};
    use crate::format::{Encoding, PhysicalType};
    use crate::levels::spread;
    use proptest::prelude::*;

    /// Appends a part of the slots: from which on, how many, and how many have a value.
    type SpreadPart<'a> = &'a dyn Fn(&mut dyn Decoder, usize, usize, usize, &mut Values) -> Result<()>;

    /// Runs, as real columns have them.
    fn runs<T: std::fmt::Debug + Clone>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
        let run = (of, prop_oneof![Just(1_usize), 1..300_usize]);
        prop::collection::vec(run, 1..60).prop_map(|runs| runs.into_iter().flat_map(|(value, n)| std::iter::repeat_n(value, n)).collect())
    }

    proptest! {
        #[test]
        fn agrees_with_looking_up_and_spreading(
            validity in runs(any::<bool>()), of in runs(any::<u32>()), size in 1..3000_u32, first in 0..200_usize, cut in 0..3_usize,
        ) {
            let bits: Bits = validity.iter().copied().collect();
            let indices: Vec<u32> = of.iter().cycle().take(bits.count_ones_from(0)).map(|index| index % size).collect();
            let first = first.min(validity.len());
            let before = validity[..first].iter().filter(|valid| **valid).count();
            let parts = [(0, first, before), (first, validity.len() - first, indices.len() - before)];
            let mut page = Vec::new();
            write_indices(&indices, &mut page);
            page.truncate(page.len().saturating_sub(cut).max(1));
            for (entries, physical_type) in [
                (Values::Words32((0..size).map(|i| i * 3 + 1).collect()), PhysicalType::Int32),
                (Values::Words64((0..u64::from(size)).map(|i| i << 40 | 7).collect()), PhysicalType::Int64),
            ] {
                let dictionary = Arc::new(Dictionary::new(entries));
                let shape = Shape { physical_type, width: 0 };
                let new = || decoder(Encoding::RleDictionary, shape, &page, Some(&dictionary)).unwrap();
                let all = |spread_part: SpreadPart<'_>| {
                    let (mut decoder, mut out) = (new(), Values::new(physical_type, 0));
                    parts.iter().try_for_each(|(start, n, present)| spread_part(&mut *decoder, *start, *n, *present, &mut out)).map(|()| out)
                };
                let ours = all(&|decoder, start, n, present, out| {
                    assert!(spread_entries(decoder.indices().unwrap(), &page, &bits, start, n, present, out)?);
                    Ok(())
                });
                let naive = all(&|decoder, start, n, present, out| {
                    let mut dense = Values::new(physical_type, 0);
                    decoder.read(&page, present, &mut dense)?;
                    spread(&dense, &bits, start, n, out);
                    Ok(())
                });
                match (ours, naive) {
                    (Ok(ours), Ok(naive)) => prop_assert_eq!(ours, naive),
                    (Err(_), Err(_)) => prop_assert!(cut > 0),
                    (ours, naive) => prop_assert!(false, "{:?} and {:?}", ours.is_ok(), naive.is_ok()),
                }
            }
        }
    }

    #[test]
    fn indices_outside_and_other_entries_are_refused() {
        let mut page = Vec::new();
        write_indices(&[0, 1, 5, 2], &mut page);
        let read = |entries: Values, out: &mut Values| {
            let shape = Shape { physical_type: PhysicalType::Int32, width: 0 };
            let mut decoder = decoder(Encoding::RleDictionary, shape, &page, Some(&Arc::new(Dictionary::new(entries)))).unwrap();
            spread_entries(decoder.indices().unwrap(), &page, &Bits::repeat(true, 4), 0, 4, 4, out)
        };
        let mut words = Values::Words32(Vec::new());
        assert!(read(Values::Words32(vec![7; 6]), &mut words).unwrap());
        let error = read(Values::Words32(vec![7; 5]), &mut words).unwrap_err();
        assert!(error.to_string().contains("dictionary index 5 in a dictionary of 5 entries"), "{error}");
        assert!(!read(Values::Words32(Vec::new()), &mut words).unwrap());
        assert!(!read(Values::Words64(vec![7; 6]), &mut words).unwrap());
    }
}
