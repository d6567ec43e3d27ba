//! Encoding levels as the RLE hybrid, without the length that precedes it in pages of the first version.

use crate::encoding::{HybridWriter, write_bits};
use crate::simd::vectorized;
use crate::values::Bits;

/// How many levels are widened at a time.
const BLOCK: usize = 1024;

/// The bits that a level of at most `max` takes.
fn width(max: u8) -> usize {
    u8::BITS.saturating_sub(max.leading_zeros()) as usize
}

/// Appends levels, none of which is above `max`; nothing when that is 0.
pub fn write_levels(levels: &[u8], max: u8, out: &mut Vec<u8>) {
    let Some(&first) = levels.first() else { return };
    if max == 0 {
        return;
    }
    let mut writer = HybridWriter::new(width(max));
    // Most pages of nested columns without nulls have one definition level.
    if vectorized!(all_equal(levels, first)) {
        writer.push_run(u32::from(first), levels.len(), out);
    } else {
        let mut wide = [0; BLOCK];
        for block in levels.chunks(BLOCK) {
            wide.iter_mut().zip(block).for_each(|(wide, level)| *wide = u32::from(*level));
            writer.extend(wide.get(..block.len()).unwrap_or_default(), out);
        }
    }
    writer.finish(out);
}

/// Appends `n` equal levels, not above `max`; nothing when that is 0.
pub fn write_equal_levels(level: u8, n: usize, max: u8, out: &mut Vec<u8>) {
    if max > 0 && n > 0 {
        let mut writer = HybridWriter::new(width(max));
        writer.push_run(u32::from(level), n, out);
        writer.finish(out);
    }
}

/// Appends the definition levels of a flat column whose maximum is 1: the bits of its validity.
pub fn write_validity(validity: &Bits, out: &mut Vec<u8>) {
    write_bits(validity, out);
}

#[inline(always)]
fn all_equal(levels: &[u8], first: u8) -> bool {
    levels.chunks(256).all(|chunk| chunk.iter().fold(true, |equal, level| equal & (*level == first)))
}

/// Adds how often each level occurs to `histogram`, which has an entry for each level up to the maximum.
pub fn count_levels(levels: &[u8], histogram: &mut [i64]) {
    // A pass for each level is a vector comparison and beats counting one by one up to about 20 levels.
    for (level, count) in histogram.iter_mut().enumerate() {
        *count = count.saturating_add(count_level(levels, level as u8) as i64);
    }
}

/// How often a level occurs.
pub fn count_level(levels: &[u8], level: u8) -> usize {
    vectorized!(occurrences(levels, level))
}

#[inline(always)]
fn occurrences(levels: &[u8], wanted: u8) -> usize {
    // Counts of 255 fit a byte, so that the comparisons add up without widening.
    let block = |block: &[u8]| usize::from(block.iter().fold(0u8, |count, level| count.wrapping_add(u8::from(*level == wanted))));
    levels.chunks(255).map(block).fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::{LevelEncoding, LevelReader};
    use proptest::prelude::*;

    fn read(bytes: &[u8], n: usize, max: u8) -> Vec<u8> {
        let mut levels = Vec::new();
        LevelReader::new(LevelEncoding::Rle, max).unwrap().read(bytes, n, &mut levels).unwrap();
        levels
    }

    fn runs(max: u8) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec((0..=max, prop_oneof![Just(1usize), 2..30usize, 60..70usize, 100..900usize]), 0..30)
            .prop_map(|runs| runs.into_iter().flat_map(|(level, n)| std::iter::repeat_n(level, n)).collect())
    }

    proptest! {
        #[test]
        fn levels_are_read_as_written((max, levels) in (1..=255u8).prop_flat_map(|max| (Just(max), runs(max)))) {
            let mut bytes = Vec::new();
            write_levels(&levels, max, &mut bytes);
            prop_assert_eq!(read(&bytes, levels.len(), max), levels.clone());
            let mut histogram = vec![0; usize::from(max) + 1];
            count_levels(&levels, &mut histogram);
            for (level, count) in histogram.iter().enumerate() {
                prop_assert_eq!(*count, levels.iter().filter(|other| usize::from(**other) == level).count() as i64);
            }
        }

        #[test]
        fn validity_is_read_as_written(bits in runs(1)) {
            let validity: Bits = bits.iter().map(|bit| *bit == 1).collect();
            let mut bytes = Vec::new();
            write_validity(&validity, &mut bytes);
            prop_assert_eq!(read(&bytes, bits.len(), 1), bits.clone());
            // Never much larger than the bitmap.
            prop_assert!(bytes.len() <= bits.len().div_ceil(8) + bits.len() / 300 + 5);
        }
    }

    #[test]
    fn equal_levels_take_a_run() {
        let mut bytes = Vec::new();
        write_levels(&[3; 1000], 3, &mut bytes);
        assert_eq!(bytes, [0xd0, 0x0f, 3]);
        bytes.clear();
        write_validity(&Bits::repeat(false, 1000), &mut bytes);
        assert_eq!(bytes, [0xd0, 0x0f, 0]);
        write_levels(&[], 3, &mut bytes);
        write_levels(&[0; 10], 0, &mut bytes);
        assert_eq!(bytes.len(), 3);
    }
}
