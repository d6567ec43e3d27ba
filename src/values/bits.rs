//! Bitmaps, least significant bit first, in words of 64.

/// A [`BitWriter`] begins within a word and ends within one, and clears one more.
const SPARE_WORDS: usize = 3;

/// A growing bitmap: booleans, or the validity of values (1 is valid).
///
/// Bits beyond [`len`](Bits::len) in the last word are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// An empty bitmap.
    pub fn new() -> Self {
        Self::default()
    }

    /// `n` equal bits.
    pub fn repeat(bit: bool, n: usize) -> Self {
        let mut bits = Self::new();
        bits.extend_run(bit, n);
        bits
    }

    /// The number of bits.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The words: bit `i` of the bitmap is bit `i % 64` of word `i / 64`, counted from the least significant; the bits beyond
    /// the length are 0.
    #[inline]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words, as [`words`](Self::words) has them.
    pub fn into_words(self) -> Vec<u64> {
        self.words
    }

    /// The bit at `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<bool> {
        if index >= self.len {
            return None;
        }
        self.words.get(index / 64).map(|word| word >> (index % 64) & 1 == 1)
    }

    /// The number of set bits.
    pub fn count_ones(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The number of set bits among those from `start` on; 0 when there are none.
    pub fn count_ones_from(&self, start: usize) -> usize {
        let Some((first, rest)) = self.words.get(start / 64..).and_then(<[u64]>::split_first) else { return 0 };
        (first >> (start % 64)).count_ones() as usize + rest.iter().map(|word| word.count_ones() as usize).sum::<usize>()
    }

    /// Removes all bits and keeps the memory.
    pub fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
    }

    /// Reserves memory for `bits` more bits.
    pub fn reserve(&mut self, bits: usize) {
        self.words.reserve(bits / 64 + SPARE_WORDS);
    }

    /// Appends one bit.
    #[inline]
    pub fn push(&mut self, bit: bool) {
        self.push_word(u64::from(bit), 1);
    }

    /// Appends the `n` (at most 64) low bits of a word; higher ones are ignored.
    #[inline]
    pub fn push_word(&mut self, word: u64, n: usize) {
        if n == 0 {
            return;
        }
        let word = if n < 64 { word & ((1 << n) - 1) } else { word };
        let used = self.len % 64;
        match self.words.last_mut() {
            Some(last) if used > 0 => {
                *last |= word << used;
                if used + n > 64 {
                    self.words.push(word >> (64 - used));
                }
            }
            _ => self.words.push(word),
        }
        self.len += n;
    }

    /// Appends `n` equal bits.
    #[inline]
    pub fn extend_run(&mut self, bit: bool, n: usize) {
        let fill = if bit { u64::MAX } else { 0 };
        if n <= 64 {
            return self.push_word(fill, n);
        }
        let head = n.min((64 - self.len % 64) % 64);
        self.push_word(fill, head);
        let whole = (n - head) / 64;
        self.words.resize(self.words.len() + whole, fill);
        self.len += whole * 64;
        self.push_word(fill, (n - head) % 64);
    }

    /// Appends the bits of `bytes`, least significant first, from bit `start` on, `n` of them; bits that `bytes` does
    /// not have are 0.
    pub fn extend_from_bytes(&mut self, bytes: &[u8], start: usize, n: usize) {
        let bytes = bytes.get(start / 8..).unwrap_or_default();
        let shift = start % 8;
        if n <= 64 {
            return self.push_word(load(bytes, 0, shift), n);
        }
        let mut writer = self.writer(n);
        let mut left = n;
        let mut at = 0;
        while left > 0 {
            let take = left.min(64);
            writer.push(load(bytes, at, shift), take);
            at += 8;
            left -= take;
        }
    }

    /// Appends at most `most` bits through a [`BitWriter`], for which there is memory then.
    pub(crate) fn writer(&mut self, most: usize) -> BitWriter<'_> {
        let (at, used) = (self.len / 64, self.len % 64);
        let last = if used > 0 { self.words.last().copied().unwrap_or(0) } else { 0 };
        // A word is also written where its first bit is the one after the last.
        self.words.resize(at + most.div_ceil(64) + SPARE_WORDS - 1, 0);
        BitWriter { bits: self, at, last, used }
    }

    /// Appends `n` bits of another bitmap from `start` on, fewer when it has fewer.
    pub fn extend_from(&mut self, other: &Bits, start: usize, n: usize) {
        let n = n.min(other.len.saturating_sub(start));
        self.reserve(n);
        let mut at = start;
        let mut left = n;
        while left > 0 {
            let take = left.min(64);
            self.push_word(other.word_at(at), take);
            at += take;
            left -= take;
        }
    }

    /// The 64 bits from `start` on; those beyond the end are 0.
    #[inline]
    pub fn word_at(&self, start: usize) -> u64 {
        let (index, shift) = (start / 64, start % 64);
        let low = self.words.get(index).copied().unwrap_or(0) >> shift;
        match shift {
            0 => low,
            _ => low | self.words.get(index + 1).copied().unwrap_or(0) << (64 - shift),
        }
    }

    /// Sets the length to `n`, cutting bits off or adding zeros.
    pub fn resize(&mut self, n: usize) {
        if n > self.len {
            self.extend_run(false, n - self.len);
            return;
        }
        self.len = n;
        self.words.truncate(n.div_ceil(64));
        if let Some(last) = self.words.last_mut()
            && !n.is_multiple_of(64)
        {
            *last &= (1 << (n % 64)) - 1;
        }
    }

    /// The bits in turn.
    pub fn iter(&self) -> BitsIter<'_> {
        BitsIter { bits: self, at: 0 }
    }
}

/// Appends bits and keeps the last word in a register. Short runs have lengths that no branch predictor knows, so there is no branch:
/// the last word is written each time, and its place moves on when it is full.
pub(crate) struct BitWriter<'a> {
    bits: &'a mut Bits,
    /// The place of the last word.
    at: usize,
    last: u64,
    /// Bits in `last`, below 64.
    used: usize,
}

impl BitWriter<'_> {
    /// Appends the `n` (at most 64) low bits of a word; higher ones are ignored.
    #[inline(always)]
    pub(crate) fn push(&mut self, word: u64, n: usize) {
        let word = word & u64::MAX.checked_shr(64_u32.wrapping_sub(n as u32)).unwrap_or(0);
        let last = self.last | word << self.used;
        if let Some(place) = self.bits.words.get_mut(self.at) {
            *place = last;
        }
        let end = self.used + n;
        self.last = if end < 64 { last } else { word >> 1 >> (63 - self.used) };
        self.at += end / 64;
        self.used = end % 64;
    }
}

impl Drop for BitWriter<'_> {
    fn drop(&mut self) {
        self.bits.len = self.at * 64 + self.used;
        self.bits.words.truncate(self.bits.len.div_ceil(64));
        if self.used > 0
            && let Some(last) = self.bits.words.get_mut(self.at)
        {
            *last = self.last;
        }
    }
}

/// The 64 bits of `bytes` from bit `bit` on, least significant first; those beyond the end are 0.
#[inline(always)]
pub(crate) fn word_of(bytes: &[u8], bit: usize) -> u64 {
    load(bytes, bit / 8, bit % 8)
}

/// The 64 bits at byte `at`, moved down by `shift` (below 8) bits.
#[inline(always)]
fn load(bytes: &[u8], at: usize, shift: usize) -> u64 {
    if let Some([low @ .., high]) = bytes.get(at..at + 9).and_then(|nine| <&[u8; 9]>::try_from(nine).ok()) {
        let low = u64::from_le_bytes(*low);
        return if shift == 0 { low } else { low >> shift | u64::from(*high) << (64 - shift) };
    }
    let mut wide = [0; 16];
    let rest = bytes.get(at..).unwrap_or_default();
    for (to, from) in wide.iter_mut().zip(rest.iter().take(9)) {
        *to = *from;
    }
    (u128::from_le_bytes(wide) >> shift) as u64
}

/// The bits of a bitmap in turn.
#[derive(Clone, Debug)]
pub struct BitsIter<'a> {
    bits: &'a Bits,
    at: usize,
}

impl Iterator for BitsIter<'_> {
    type Item = bool;

    fn next(&mut self) -> Option<bool> {
        let bit = self.bits.get(self.at)?;
        self.at += 1;
        Some(bit)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.bits.len.saturating_sub(self.at);
        (left, Some(left))
    }
}

impl ExactSizeIterator for BitsIter<'_> {}

impl<'a> IntoIterator for &'a Bits {
    type Item = bool;
    type IntoIter = BitsIter<'a>;

    fn into_iter(self) -> BitsIter<'a> {
        self.iter()
    }
}

impl FromIterator<bool> for Bits {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let mut collected = Self::new();
        for bit in bits {
            collected.push(bit);
        }
        collected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Word(u64, usize),
        Run(bool, usize),
        Bytes(Vec<u8>, usize, usize),
        Resize(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (any::<u64>(), 0..=64usize).prop_map(|(word, n)| Step::Word(word, n)),
            (any::<bool>(), 0..300usize).prop_map(|(bit, n)| Step::Run(bit, n)),
            (prop::collection::vec(any::<u8>(), 0..40), 0..30usize, 0..330usize).prop_map(|(bytes, start, n)| Step::Bytes(bytes, start, n)),
            (0..200usize).prop_map(Step::Resize),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_a_vector_of_bools(steps in prop::collection::vec(step(), 0..12)) {
            let mut bits = Bits::new();
            let mut naive: Vec<bool> = Vec::new();
            for step in steps {
                match step {
                    Step::Word(word, n) => {
                        bits.push_word(word, n);
                        naive.extend((0..n).map(|i| word >> i & 1 == 1));
                    }
                    Step::Run(bit, n) => {
                        bits.extend_run(bit, n);
                        naive.extend(std::iter::repeat_n(bit, n));
                    }
                    Step::Bytes(bytes, start, n) => {
                        bits.extend_from_bytes(&bytes, start, n);
                        naive.extend((start..start + n).map(|i| bytes.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1)));
                    }
                    Step::Resize(n) => {
                        bits.resize(n);
                        naive.resize(n, false);
                    }
                }
                prop_assert_eq!(bits.iter().collect::<Vec<_>>(), naive.clone());
                prop_assert_eq!(bits.count_ones(), naive.iter().filter(|bit| **bit).count());
            }
            for start in [0, 1, 63, 64, 65, naive.len() / 2] {
                prop_assert_eq!(bits.count_ones_from(start), naive.iter().skip(start).filter(|bit| **bit).count());
                let mut part = Bits::repeat(true, 3);
                part.extend_from(&bits, start, 100);
                let expected: Vec<bool> = [true; 3].into_iter().chain(naive.iter().skip(start).take(100).copied()).collect();
                prop_assert_eq!(part.iter().collect::<Vec<_>>(), expected);
            }
        }
    }
}
