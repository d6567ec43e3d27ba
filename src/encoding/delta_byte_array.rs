//! `DELTA_BYTE_ARRAY`: how many bytes each value shares with the start of the one before it (as `DELTA_BINARY_PACKED`),
//! then the rest of each value as `DELTA_LENGTH_BYTE_ARRAY`.
//!
//! A value is put together right behind the one before it, in pieces of a fixed size that are cut by what comes next: no
//! calls and hardly any branches for short values.

use std::sync::Arc;

use crate::encoding::delta_binary_packed::{DeltaReader, DeltaWriter};
use crate::encoding::delta_length_byte_array::{append_offsets, fill_lengths, fitting, sum};
use crate::encoding::{Decoder, Encoder, past_the_end, wrong_container, wrong_values};
use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::{Values, ValuesSlice};

/// How many values are put together at a time.
const BLOCK: usize = 256;
/// Bytes are copied in pieces of this size.
const PIECE: usize = 32;

/// Reads BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY.
pub(crate) struct DeltaStrings {
    prefixes: DeltaReader<u32>,
    suffixes: DeltaReader<u32>,
    /// Where the bytes of the next suffix begin.
    at: usize,
    /// The value before the next one.
    last: Vec<u8>,
    /// The value before the page, as long as none of the page was read: it may be long, and pages of nothing but nulls many.
    carried: Option<Arc<Vec<u8>>>,
    /// The length that each value must have, if it is fixed.
    width: Option<usize>,
}

/// Prefix and suffix lengths of the next values, checked against each other and the page.
struct Lengths {
    count: usize,
    prefixes: [u32; BLOCK],
    suffixes: [u32; BLOCK],
    /// The sum of both.
    values: [u32; BLOCK],
}

impl Lengths {
    fn new() -> Self {
        Self { count: 0, prefixes: [0; BLOCK], suffixes: [0; BLOCK], values: [0; BLOCK] }
    }

    fn prefixes(&self) -> &[u32] {
        self.prefixes.get(..self.count).unwrap_or_default()
    }

    fn suffixes(&self) -> &[u32] {
        self.suffixes.get(..self.count).unwrap_or_default()
    }

    fn values(&mut self) -> &mut [u32] {
        self.values.get_mut(..self.count).unwrap_or_default()
    }
}

impl DeltaStrings {
    /// A decoder of values of any length, or of `width` bytes each.
    pub(crate) fn new(page: &[u8], width: Option<usize>) -> Result<Self> {
        let prefixes = DeltaReader::new(page, 0)?;
        let suffixes = DeltaReader::new(page, prefixes.end(page)?)?;
        Ok(Self { prefixes, suffixes, at: suffixes.end(page)?, last: Vec::new(), carried: None, width })
    }

    /// The value before the next one.
    fn last(&self) -> &[u8] {
        self.carried.as_deref().unwrap_or(&self.last)
    }

    /// Decodes the lengths of the next `n` (at most [`BLOCK`]) values.
    fn block(&mut self, page: &[u8], n: usize, lengths: &mut Lengths) -> Result<()> {
        lengths.count = n;
        fill_lengths(&mut self.prefixes, page, lengths.prefixes.get_mut(..n).unwrap_or_default())?;
        fill_lengths(&mut self.suffixes, page, lengths.suffixes.get_mut(..n).unwrap_or_default())?;
        let left = page.len().saturating_sub(self.at);
        let total = vectorized!(sum(lengths.suffixes()));
        if total > left as u64 {
            return Err(past_the_end(total, left));
        }
        let mut before = self.last().len() as u64;
        let mut shared_too_much = false;
        for ((prefix, suffix), value) in lengths.prefixes.iter().zip(&lengths.suffixes).zip(&mut lengths.values).take(n) {
            shared_too_much |= u64::from(*prefix) > before;
            *value = prefix.saturating_add(*suffix);
            before = u64::from(*value);
        }
        if shared_too_much {
            return Err(Error::malformed("a value shares more bytes with the one before it than that one has"));
        }
        if let Some(width) = self.width
            && lengths.values().iter().any(|length| *length as usize != width)
        {
            return Err(Error::malformed(format!("delta-encoded values of another length than the column's {width} bytes")));
        }
        Ok(())
    }

    /// Reads up to a block of values, as many as fit into `room`, and appends their bytes to `out`; returns how many.
    fn build(&mut self, page: &[u8], n: usize, room: usize, lengths: &mut Lengths, out: &mut Vec<u8>) -> Result<usize> {
        let (prefixes, suffixes) = (self.prefixes, self.suffixes);
        self.block(page, n.min(BLOCK), lengths)?;
        let (count, total) = fitting(lengths.values(), room);
        if count < lengths.count {
            (self.prefixes, self.suffixes, lengths.count) = (prefixes, suffixes, count);
            self.prefixes.pass(page, count)?;
            self.suffixes.pass(page, count)?;
        }
        if count == 0 {
            return Ok(0);
        }
        let start = out.len();
        let used = join(lengths, page.get(self.at..).unwrap_or_default(), self.last(), total, out).ok_or_else(inconsistent)?;
        self.at = self.at.saturating_add(used);
        let length = lengths.values().last().map_or(0, |length| *length as usize);
        let last = out.get(start.max(out.len().saturating_sub(length))..).unwrap_or_default();
        self.carried = None;
        self.last.clear();
        self.last.extend_from_slice(last);
        Ok(count)
    }
}

impl Decoder for DeltaStrings {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let mut lengths = Lengths::new();
        let mut done: usize = 0;
        while done < n {
            let wanted = n.saturating_sub(done).min(BLOCK);
            let count = match out {
                Values::Bytes(out) if self.width.is_none() => {
                    let room = out.room();
                    let before = out.data().len();
                    let count = self.build(page, wanted, room, &mut lengths, out.data_mut())?;
                    append_offsets(lengths.values(), before, out);
                    count
                }
                Values::Fixed(out) if self.width == Some(out.width()) => match out.data_mut() {
                    Some(data) => self.build(page, wanted, usize::MAX, &mut lengths, data)?,
                    None => {
                        self.block(page, wanted, &mut lengths)?;
                        self.carried = None;
                        self.last.clear();
                        out.extend_zeros(wanted);
                        wanted
                    }
                },
                _ => return Err(wrong_container()),
            };
            done = done.saturating_add(count);
            if count < wanted {
                break;
            }
        }
        Ok(done)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        let mut lengths = Lengths::new();
        for done in (0..n).step_by(BLOCK) {
            self.block(page, BLOCK.min(n.saturating_sub(done)), &mut lengths)?;
            let end = self.at.saturating_add(vectorized!(sum(lengths.suffixes())) as usize);
            let source = page.get(self.at..end).unwrap_or_default();
            if let Some(carried) = self.carried.take() {
                self.last.extend_from_slice(&carried);
            }
            last_value(lengths.prefixes(), lengths.suffixes(), source, &mut self.last).ok_or_else(inconsistent)?;
            self.at = end;
        }
        Ok(())
    }

    fn estimate(&self, page: &[u8], n: usize) -> Option<usize> {
        let (mut prefixes, mut suffixes) = (self.prefixes, self.suffixes);
        let (mut lengths, few) = ([0; BLOCK], n.min(BLOCK).min(prefixes.left()));
        let mut sum_of = |reader| {
            let lengths = lengths.get_mut(..few)?;
            fill_lengths(reader, page, lengths).ok()?;
            Some(vectorized!(sum(lengths)))
        };
        let bytes = sum_of(&mut prefixes)?.saturating_add(sum_of(&mut suffixes)?);
        let bytes = u128::from(bytes).saturating_mul(n as u128).checked_div(few as u128)?;
        Some(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn set_previous(&mut self, value: &[u8]) {
        self.carried = None;
        self.last.clear();
        self.last.extend_from_slice(value);
    }

    fn previous(&self) -> Option<&[u8]> {
        Some(self.last())
    }

    fn carry(&mut self, value: &Arc<Vec<u8>>) {
        self.last.clear();
        self.carried = Some(Arc::clone(value));
    }

    fn carried(&self) -> Option<Arc<Vec<u8>>> {
        Some(self.carried.clone().unwrap_or_else(|| Arc::new(self.last.clone())))
    }
}

/// Appends values of `total` bytes together to `out`, the first of which shares bytes with `last`; returns how many bytes
/// of `source` went into them, or `None` if the lengths contradict each other.
fn join(lengths: &Lengths, source: &[u8], last: &[u8], total: usize, out: &mut Vec<u8>) -> Option<usize> {
    let start = out.len();
    let end = start.checked_add(total)?;
    let (first, mut prefixes) = lengths.prefixes().split_first()?;
    let (first_suffix, mut suffixes) = lengths.suffixes().split_first()?;
    out.reserve(total.checked_add(SHORT)?);
    out.extend_from_slice(last.get(..*first as usize)?);
    let mut used = *first_suffix as usize;
    out.extend_from_slice(source.get(..used)?);
    let mut previous = start;
    let mut at = out.len();
    // Pieces reach beyond the last value by less than one of them.
    out.resize(end.checked_add(SHORT)?, 0);
    let mut joined = Joined { previous, at, used };
    let count = join_short(prefixes, suffixes, source, out, &mut joined);
    Joined { previous, at, used } = joined;
    (prefixes, suffixes) = (prefixes.get(count..)?, suffixes.get(count..)?);
    for (prefix, suffix) in prefixes.iter().zip(suffixes) {
        let (prefix, suffix) = (*prefix as usize, *suffix as usize);
        let middle = at.checked_add(prefix)?;
        // The value before is at least as long as the prefix, so nothing that is copied has been written over.
        let mut copied: usize = 0;
        while copied < prefix {
            let piece = *out.get(previous.checked_add(copied)?..)?.first_chunk::<PIECE>()?;
            *out.get_mut(at.checked_add(copied)?..)?.first_chunk_mut()? = piece;
            copied = copied.checked_add(PIECE)?;
        }
        let rest = source.get(used..)?;
        match rest.first_chunk::<PIECE>() {
            Some(piece) if suffix <= PIECE => *out.get_mut(middle..)?.first_chunk_mut()? = *piece,
            _ => out.get_mut(middle..)?.get_mut(..suffix)?.copy_from_slice(rest.get(..suffix)?),
        }
        used = used.checked_add(suffix)?;
        previous = at;
        at = middle.checked_add(suffix)?;
    }
    out.truncate(end);
    Some(used)
}

/// Values up to this length are put together in a vector register, where there is one that wide.
const SHORT: usize = 64;

/// Where [`join`] stands: where the value before begins and ends in its output, and how much of the suffixes is used.
struct Joined {
    previous: usize,
    at: usize,
    used: usize,
}

/// Puts together values as long as they are short and whole pieces of suffixes are left; returns how many, none without such a
/// register.
///
/// What a value shares with the one before it is still in the register: copying it from where it was just written to makes
/// each load wait for two stores (4 million sorted addresses 61 to 45 ms).
#[cfg(target_arch = "x86_64")]
fn join_short(prefixes: &[u32], suffixes: &[u32], source: &[u8], out: &mut [u8], joined: &mut Joined) -> usize {
    let mut value = [0; SHORT];
    let last = out.get(joined.previous..joined.at).unwrap_or_default();
    match (crate::simd::level().as_avx512(), value.get_mut(..last.len())) {
        (Some(avx512), Some(start)) => {
            start.copy_from_slice(last);
            x86::join(avx512, prefixes, suffixes, source, out, &value, joined)
        }
        _ => 0,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn join_short(_: &[u32], _: &[u32], _: &[u8], _: &mut [u8], _: &mut Joined) -> usize {
    0
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use fearless_simd::prelude::*;
    use fearless_simd::u8x64;

    use super::{Joined, SHORT};

    fearless_simd::kernel!(
        pub(super) fn join(
            avx512: Avx512,
            prefixes: &[u32],
            suffixes: &[u32],
            source: &[u8],
            out: &mut [u8],
            last: &[u8; SHORT],
            to: &mut Joined,
        ) -> usize {
            use core::arch::x86_64::*;
            let mut value: __m512i = u8x64::from_slice(avx512, last).into();
            for (count, (prefix, suffix)) in prefixes.iter().zip(suffixes).enumerate() {
                let (prefix, suffix) = (*prefix as usize, *suffix as usize);
                let length = prefix.saturating_add(suffix);
                let piece = source.get(to.used..).and_then(<[u8]>::first_chunk::<SHORT>);
                let place = out.get_mut(to.at..).and_then(<[u8]>::first_chunk_mut::<SHORT>);
                let (Some(piece), Some(place), true) = (piece, place, length <= SHORT) else { return count };
                // The lanes from the prefix on take the bytes of the suffix in turn.
                let lanes = u64::MAX.checked_shl(prefix as u32).unwrap_or(0);
                value = _mm512_mask_expand_epi8(value, lanes, u8x64::from_slice(avx512, piece).into());
                let joined: u8x64<_> = value.simd_into(avx512);
                joined.store_slice(place);
                to.previous = to.at;
                to.at = to.at.saturating_add(length);
                to.used = to.used.saturating_add(suffix);
            }
            prefixes.len()
        }
    );
}

/// Makes `last`, the value before these, the last one of them: going back, each value adds what the later ones share.
fn last_value(prefixes: &[u32], suffixes: &[u32], source: &[u8], last: &mut Vec<u8>) -> Option<()> {
    let (prefix, suffix) = (*prefixes.last()? as usize, *suffixes.last()? as usize);
    let mut wanted = prefix.checked_add(suffix)?;
    last.resize(last.len().max(wanted), 0);
    let length = wanted;
    let mut end = source.len();
    for (prefix, suffix) in prefixes.iter().zip(suffixes).rev() {
        let (prefix, suffix) = (*prefix as usize, *suffix as usize);
        let start = end.checked_sub(suffix)?;
        if let Some(shared) = wanted.checked_sub(prefix) {
            last.get_mut(prefix..wanted)?.copy_from_slice(source.get(start..start.checked_add(shared)?)?);
            wanted = prefix;
        }
        end = start;
    }
    last.truncate(length);
    Some(())
}

#[cold]
fn inconsistent() -> Error {
    Error::malformed("the prefix lengths of delta-encoded values contradict each other")
}

/// Writes BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY.
pub(crate) struct DeltaStringsEncoder {
    width: Option<usize>,
    prefixes: DeltaWriter<u32>,
    suffixes: DeltaWriter<u32>,
    data: Vec<u8>,
    last: Vec<u8>,
}

impl DeltaStringsEncoder {
    /// An encoder of values of any length, or of `width` bytes each.
    pub(crate) fn new(width: Option<usize>) -> Self {
        let (prefixes, suffixes) = (DeltaWriter::default(), DeltaWriter::default());
        Self { width, prefixes, suffixes, data: Vec::new(), last: Vec::new() }
    }

    fn extend<'a>(&mut self, mut values: impl Iterator<Item = &'a [u8]>) {
        let (mut prefixes, mut suffixes) = ([0; BLOCK], [0; BLOCK]);
        let carried = std::mem::take(&mut self.last);
        let mut before: &[u8] = &carried;
        loop {
            let mut count: usize = 0;
            for ((prefix, suffix), value) in prefixes.iter_mut().zip(&mut suffixes).zip(&mut values) {
                let shared = shared_prefix(before, value);
                let rest = value.get(shared..).unwrap_or_default();
                (*prefix, *suffix) = (shared as u32, rest.len() as u32);
                self.data.extend_from_slice(rest);
                before = value;
                count = count.saturating_add(1);
            }
            self.prefixes.extend(prefixes.get(..count).unwrap_or_default());
            self.suffixes.extend(suffixes.get(..count).unwrap_or_default());
            if count < BLOCK {
                break;
            }
        }
        self.last = before.to_vec();
    }
}

impl Encoder for DeltaStringsEncoder {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        match values {
            ValuesSlice::Bytes(arrays) if self.width.is_none() => self.extend(arrays.iter()),
            ValuesSlice::Fixed(fixed) if self.width == Some(fixed.width()) => self.extend(fixed.iter()),
            _ => return Err(wrong_values()),
        }
        Ok(())
    }

    fn size_estimate(&self) -> usize {
        self.prefixes.size().saturating_add(self.suffixes.size()).saturating_add(self.data.len())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.prefixes.finish_to(out);
        self.suffixes.finish_to(out);
        out.append(&mut self.data);
        self.last.clear();
    }
}

/// The number of bytes at the start that two values have in common.
fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut shared: usize = 0;
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        let different = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if different != 0 {
            return shared.saturating_add(different.trailing_zeros() as usize / 8);
        }
        shared = shared.saturating_add(8);
    }
    let rest = a.iter().zip(b).skip(shared);
    shared.saturating_add(rest.take_while(|(a, b)| a == b).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::delta_binary_packed::tests::encode;
    use crate::values::{ByteArrays, FixedBytes};
    use proptest::prelude::*;

    /// A page whose first value follows `last`.
    fn page_of(values: &[Vec<u8>], last: &[u8]) -> Vec<u8> {
        let before = std::iter::once(last).chain(values.iter().map(Vec::as_slice));
        let shared = |(before, value): (&[u8], &Vec<u8>)| before.iter().zip(value).take_while(|(a, b)| a == b).count() as i64;
        let prefixes: Vec<i64> = before.zip(values).map(shared).collect();
        let suffixes: Vec<i64> = values.iter().zip(&prefixes).map(|(value, prefix)| value.len() as i64 - prefix).collect();
        let mut page = encode(&prefixes, true, 32, 4, 0);
        page.extend(encode(&suffixes, true, 32, 4, 0));
        values.iter().zip(&prefixes).for_each(|(value, prefix)| page.extend(&value[*prefix as usize..]));
        page
    }

    /// Values that keep some of the start of the one before.
    fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let length = || prop_oneof![0..6usize, 0..40usize, 0..150usize];
        prop::collection::vec((length(), length(), any::<u8>(), prop_oneof![1..3usize, 1..300usize]), 0..12).prop_map(|parts| {
            let mut values: Vec<Vec<u8>> = Vec::new();
            for (kept, added, byte, n) in parts {
                for i in 0..n {
                    let mut value = values.last().cloned().unwrap_or_default();
                    value.truncate(kept);
                    value.extend((0..added).map(|j| byte.wrapping_add((i * j) as u8)));
                    values.push(value);
                }
            }
            values
        })
    }

    fn collected(values: &Values) -> Vec<Vec<u8>> {
        match values {
            Values::Bytes(arrays) => arrays.iter().map(<[u8]>::to_vec).collect(),
            Values::Fixed(fixed) => fixed.iter().map(<[u8]>::to_vec).collect(),
            _ => Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn pieces_make_the_whole(
            values in values(), last in prop::collection::vec(any::<u8>(), 0..10), steps in prop::collection::vec((any::<bool>(), 0..600usize), 0..8),
            fresh in any::<bool>(), width in prop::option::of(0..50usize),
        ) {
            let values: Vec<Vec<u8>> = values.into_iter().map(|mut value| {
                value.resize(width.unwrap_or(value.len()), 9);
                value
            }).collect();
            let page = page_of(&values, &last);
            let empty = || width.map_or(Values::Bytes(ByteArrays::new()), |width| Values::Fixed(FixedBytes::new(width)));
            let mut decoder = DeltaStrings::new(&page, width).unwrap();
            decoder.set_previous(&last);
            let mut out = empty();
            let mut read = Vec::new();
            let mut expected = Vec::new();
            let mut at = 0;
            for (reading, n) in steps.into_iter().chain([(true, usize::MAX)]) {
                let n = n.min(values.len() - at);
                if reading {
                    prop_assert_eq!(decoder.read(&page, n, &mut out).unwrap(), n);
                    expected.extend_from_slice(&values[at..at + n]);
                    if fresh {
                        read.extend(collected(&out));
                        out = empty();
                    }
                } else {
                    decoder.skip(&page, n).unwrap();
                }
                at += n;
                if at > 0 {
                    prop_assert_eq!(decoder.previous().unwrap(), &values[at - 1]);
                }
            }
            read.extend(collected(&out));
            prop_assert_eq!(read, expected);
            prop_assert!(decoder.read(&page, 1, &mut out).is_err());
            prop_assert!(decoder.skip(&page, 1).is_err());
        }

        #[test]
        fn writes_what_it_reads(values in values(), cut in 0..600usize, width in prop::option::of(0..50usize)) {
            let values: Vec<Vec<u8>> = values.into_iter().map(|mut value| {
                value.resize(width.unwrap_or(value.len()), 9);
                value
            }).collect();
            let arrays = match width {
                None => Values::Bytes(values.iter().map(Vec::as_slice).collect()),
                Some(width) => {
                    let mut fixed = FixedBytes::new(width);
                    values.iter().for_each(|value| fixed.extend_from_bytes(value));
                    if width == 0 {
                        fixed.extend_zeros(values.len());
                    }
                    Values::Fixed(fixed)
                }
            };
            let cut = cut.min(values.len());
            let mut encoder = DeltaStringsEncoder::new(width);
            for _ in 0..2 {
                encoder.write(arrays.as_slice().slice(0..cut).unwrap()).unwrap();
                encoder.write(arrays.as_slice().slice(cut..values.len()).unwrap()).unwrap();
                let mut page = Vec::new();
                encoder.finish(&mut page);
                prop_assert!(page.len() <= page_of(&values, &[]).len() + 1200);
                let mut out = width.map_or(Values::Bytes(ByteArrays::new()), |width| Values::Fixed(FixedBytes::new(width)));
                DeltaStrings::new(&page, width).unwrap().read(&page, values.len(), &mut out).unwrap();
                prop_assert_eq!(&out, &arrays);
            }
        }

        #[test]
        fn stops_where_there_is_no_room(values in values(), limit in 300..5000usize) {
            let page = page_of(&values, &[]);
            let mut decoder = DeltaStrings::new(&page, None).unwrap();
            let mut read: Vec<Vec<u8>> = Vec::new();
            while read.len() < values.len() {
                let mut out = Values::Bytes(ByteArrays::with_limit(limit));
                let n = decoder.read(&page, values.len() - read.len(), &mut out).unwrap();
                prop_assert!(n > 0);
                prop_assert!(out.as_bytes().unwrap().data().len() <= limit);
                read.extend(collected(&out));
            }
            prop_assert_eq!(read, values);
        }

        #[test]
        fn any_bytes_end(page in prop::collection::vec(prop_oneof![any::<u8>(), 0..4u8], 0..200), n in 0..200usize, width in prop::option::of(0..4usize)) {
            let page = [&[0x80, 1, 4, 40][..], &page].concat();
            if let Ok(mut decoder) = DeltaStrings::new(&page, width) {
                let mut out = width.map_or(Values::Bytes(ByteArrays::with_limit(1000)), |width| Values::Fixed(FixedBytes::new(width)));
                let read = decoder.read(&page, n, &mut out);
                let skipped = DeltaStrings::new(&page, width).unwrap().skip(&page, n);
                if let Ok(read) = read {
                    prop_assert_eq!(out.len(), read);
                    prop_assert!(read < n || skipped.is_ok());
                    prop_assert_eq!(collected(&out).len(), read);
                } else {
                    prop_assert!(skipped.is_err());
                }
            }
        }
    }

    #[test]
    fn a_prefix_longer_than_the_value_before_is_refused() {
        for (prefixes, fine) in [([0, 3], true), ([0, 4], false), ([1, 0], false)] {
            let mut page = encode(&prefixes, true, 32, 4, 0);
            page.extend(encode(&[3, 1], true, 32, 4, 0));
            page.extend(b"abcd");
            let mut out = Values::Bytes(ByteArrays::new());
            assert_eq!(DeltaStrings::new(&page, None).unwrap().read(&page, 2, &mut out).is_ok(), fine);
            assert_eq!(DeltaStrings::new(&page, None).unwrap().skip(&page, 2).is_ok(), fine);
        }
    }

    #[test]
    fn fixed_lengths_are_checked() {
        let page = page_of(&[b"abc".to_vec(), b"abd".to_vec(), b"ab".to_vec()], &[]);
        let mut out = Values::Fixed(FixedBytes::new(3));
        assert!(DeltaStrings::new(&page, Some(3)).unwrap().read(&page, 3, &mut out).is_err());
        let mut out = Values::Fixed(FixedBytes::new(3));
        assert_eq!(DeltaStrings::new(&page, Some(3)).unwrap().read(&page, 2, &mut out).unwrap(), 2);
    }

    /// A few bytes that claim values of a megabyte each, a million of them: only what the container takes is made.
    #[test]
    fn expansion_stops_at_the_room() {
        let length = 1 << 20;
        let (mut prefixes, mut suffixes) = (vec![length; 1 << 20], vec![0; 1 << 20]);
        (prefixes[0], suffixes[0]) = (0, length);
        let mut page = encode(&prefixes, true, 1 << 17, 8, 0);
        page.extend(encode(&suffixes, true, 1 << 17, 8, 0));
        page.extend(vec![7; length as usize]);
        let mut decoder = DeltaStrings::new(&page, None).unwrap();
        let mut out = Values::Bytes(ByteArrays::with_limit(5 << 20));
        assert_eq!(decoder.read(&page, 1 << 20, &mut out).unwrap(), 5);
        decoder.skip(&page, 1 << 19).unwrap();
        assert_eq!(decoder.previous().unwrap().len(), 1 << 20);
    }
}
