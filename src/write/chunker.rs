//! Where pages end when their content decides.
//!
//! A gear hash rolls over the bytes of levels and values: each byte shifts it by one bit and adds a random number, so that it
//! depends on the last 64 bytes only, and a page ends where some of its bits are 0. The same content after an insertion then
//! has the same ends. One such test alone would make sizes vary from the least to the most; eight in a row, each with a table
//! of its own and an eighth of the distance, make them gather around the middle.

#![allow(clippy::indexing_slicing, reason = "it writes: a table of 256 entries is indexed by a byte")]

use crate::write::ContentChunking;
use crate::write::levels::Checked;
use crate::write::values::Given;

/// How many tests in a row end a page.
const TESTS: usize = 8;

/// Finds the ends of pages, over all that is written of a column chunk.
pub(crate) struct Chunker {
    min_bytes: usize,
    max_bytes: usize,
    /// The bits that are 0 at an end.
    mask: u64,
    hash: u64,
    /// Bytes of the page so far.
    bytes: usize,
    /// Tests passed so far, and whether the next one is passed since a row began last.
    passed: usize,
    hit: bool,
    gears: Box<[[u64; 256]; TESTS]>,
}

impl Chunker {
    pub(crate) fn new(options: &ContentChunking) -> Self {
        let ContentChunking { min_bytes, max_bytes, norm_level } = *options;
        // Pages have the least size and as many bytes more as it takes on average to pass all tests.
        let distance = (max_bytes - min_bytes) / 2;
        let bits = (distance / TESTS).max(1).ilog2().saturating_add_signed(-norm_level).clamp(1, 40);
        Self {
            min_bytes,
            max_bytes,
            mask: u64::MAX << (u64::BITS - bits),
            hash: 0,
            bytes: 0,
            passed: 0,
            hit: false,
            gears: Box::new(gears()),
        }
    }

    /// The entries among those given before which a page ends; each begins a row.
    pub(crate) fn cuts(&mut self, given: Given<'_>, levels: &Checked<'_>) -> Vec<usize> {
        let mut cuts = Vec::new();
        let mut value = 0;
        for entry in 0..levels.entries {
            let (repetition, definition) = levels.at(entry);
            if repetition == 0 && self.begins_page() {
                cuts.push(entry);
            }
            self.roll(&[repetition, definition]);
            if levels.is_present(entry) {
                let mut word = [0; 8];
                self.roll(given.plain(value, &mut word));
                value += 1;
            }
        }
        cuts
    }

    /// Whether the row that begins now begins a page as well.
    fn begins_page(&mut self) -> bool {
        if std::mem::take(&mut self.hit) {
            self.passed += 1;
        }
        let ends = self.passed >= TESTS || self.bytes >= self.max_bytes;
        if ends {
            self.passed = 0;
            self.bytes = 0;
        }
        ends
    }

    fn roll(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        // Ends before the least size do not count, nor is the hash of use but for its last bytes.
        if self.bytes < self.min_bytes {
            return;
        }
        let Some(gear) = self.gears.get(self.passed) else { return };
        for byte in bytes {
            self.hash = (self.hash << 1).wrapping_add(gear[usize::from(*byte)]);
            self.hit |= self.hash & self.mask == 0;
        }
    }
}

/// Numbers that are random and always the same.
fn gears() -> [[u64; 256]; TESTS] {
    // SplitMix64.
    let mut state = 0x6865_7272_696e_6762_u64;
    std::array::from_fn(|_| {
        std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use crate::values::ValuesSlice;
    use crate::write::LevelsSlice;

    const OPTIONS: ContentChunking = ContentChunking { min_bytes: 2000, max_bytes: 8000, norm_level: 0 };

    fn numbers(n: usize) -> Vec<u64> {
        let mut state = 3_u64;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 20
        };
        std::iter::repeat_with(next).take(n).collect()
    }

    /// The lengths of the pages in rows, written in pieces.
    fn pages(numbers: &[u64], pieces: usize, options: &ContentChunking) -> Vec<usize> {
        let schema: Schema = "message m { required int64 a; }".parse().unwrap();
        let mut chunker = Chunker::new(options);
        let mut cuts = vec![0];
        for (piece, part) in numbers.chunks(numbers.len().div_ceil(pieces)).enumerate() {
            let levels = Checked::new(LevelsSlice::Present, &schema.leaves()[0], part.len()).unwrap();
            let start = piece * numbers.len().div_ceil(pieces);
            cuts.extend(chunker.cuts(Given::Values(ValuesSlice::Words64(part)), &levels).iter().map(|cut| cut + start));
        }
        cuts.push(numbers.len());
        cuts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn sizes_lie_between_the_bounds_and_gather() {
        let numbers = numbers(200_000);
        let whole = pages(&numbers, 1, &OPTIONS);
        assert_eq!(whole, pages(&numbers, 7, &OPTIONS));
        let inner = &whole[..whole.len() - 1];
        // Each row has 10 bytes with its levels.
        assert!(inner.iter().all(|rows| (200..=801).contains(rows)), "{inner:?}");
        let close = inner.iter().filter(|rows| (300..700).contains(*rows)).count();
        assert!(close * 2 > inner.len(), "{inner:?}");
        let normed = pages(&numbers, 1, &ContentChunking { norm_level: 3, ..OPTIONS });
        assert!(normed.len() > whole.len(), "shorter distances make more pages");
    }

    #[test]
    fn pages_after_an_insertion_are_the_same() {
        let before = numbers(100_000);
        let mut after = before.clone();
        after.splice(30_000..30_000, (0..77).map(|i| i * i));
        after.drain(70_000..70_010);
        let (old, new) = (pages(&before, 1, &OPTIONS), pages(&after, 1, &OPTIONS));
        let content = |numbers: &[u64], pages: &[usize]| {
            let mut rest = numbers;
            let cut = |rows: &usize| {
                let (page, after) = rest.split_at(*rows);
                rest = after;
                page.to_vec()
            };
            pages.iter().map(cut).collect::<std::collections::HashSet<_>>()
        };
        let (old, new) = (content(&before, &old), content(&after, &new));
        assert!(new.intersection(&old).count() * 10 > new.len() * 8, "{} of {}", new.intersection(&old).count(), new.len());
    }
}
