//! `DELTA_LENGTH_BYTE_ARRAY`: the lengths of all byte arrays as `DELTA_BINARY_PACKED`, then their bytes without gaps.
//!
//! The bytes are copied a thousand values at a time, and the running sum of the lengths gives the offsets.

use crate::encoding::delta_binary_packed::{DeltaReader, DeltaWriter, Sum};
use crate::encoding::{Decoder, Encoder, past_the_end, too_few, wrong_container, wrong_values};
use crate::error::{Error, Result};
use crate::simd::vectorized;
use crate::values::{ByteArrays, BytesSlice, Values, ValuesSlice, append_to_keep};

/// How many lengths are decoded at a time.
const BLOCK: usize = 1024;

/// Reads BYTE_ARRAY.
pub(crate) struct DeltaLengths {
    lengths: DeltaReader<u32>,
    /// Where the bytes of the next value begin.
    at: usize,
}

impl DeltaLengths {
    pub(crate) fn new(page: &[u8]) -> Result<Self> {
        let lengths = DeltaReader::new(page, 0)?;
        Ok(Self { lengths, at: lengths.end(page)? })
    }

    /// Decodes the next lengths and returns their sum, for which there are bytes.
    fn block(&mut self, page: &[u8], lengths: &mut [u32]) -> Result<usize> {
        fill_lengths(&mut self.lengths, page, lengths)?;
        let total = vectorized!(sum(lengths));
        let left = page.len().saturating_sub(self.at);
        usize::try_from(total).ok().filter(|total| *total <= left).ok_or_else(|| past_the_end(total, left))
    }

    /// Appends values of these lengths, `total` bytes together.
    fn append(&mut self, page: &[u8], lengths: &mut [u32], total: usize, out: &mut ByteArrays) {
        let end = self.at.saturating_add(total);
        append_offsets(lengths, out.data().len(), out);
        append_to_keep(out.data_mut(), page.get(self.at..end).unwrap_or_default());
        self.at = end;
    }
}

impl Decoder for DeltaLengths {
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize> {
        let Values::Bytes(out) = out else { return Err(wrong_container()) };
        let bytes = page.len().saturating_sub(self.at) as u128;
        let share = bytes.saturating_mul(n as u128).checked_div(self.lengths.left() as u128).unwrap_or(0);
        out.reserve(n.min(page.len()), share.min(bytes) as usize);
        let mut block = [0; BLOCK];
        let mut done: usize = 0;
        while done < n {
            let before = self.lengths;
            let lengths = block.get_mut(..BLOCK.min(n.saturating_sub(done))).unwrap_or_default();
            let total = self.block(page, lengths)?;
            if total > out.room() {
                let (count, total) = fitting(lengths, out.room());
                self.lengths = before;
                self.lengths.pass(page, count)?;
                self.append(page, lengths.get_mut(..count).unwrap_or_default(), total, out);
                return Ok(done.saturating_add(count));
            }
            self.append(page, lengths, total, out);
            done = done.saturating_add(BLOCK);
        }
        Ok(n)
    }

    fn skip(&mut self, page: &[u8], n: usize) -> Result<()> {
        let mut block = [0; BLOCK];
        for done in (0..n).step_by(BLOCK) {
            let lengths = block.get_mut(..BLOCK.min(n.saturating_sub(done))).unwrap_or_default();
            let total = self.block(page, lengths)?;
            self.at = self.at.saturating_add(total);
        }
        Ok(())
    }
}

/// Fills `out` with lengths, none of them negative.
pub(crate) fn fill_lengths(lengths: &mut DeltaReader<u32>, page: &[u8], out: &mut [u32]) -> Result<()> {
    let found = lengths.fill(page, out)?;
    if found < out.len() {
        return Err(too_few(out.len(), found));
    }
    if vectorized!(all_bits(out)) > i32::MAX as u32 {
        return Err(Error::malformed("a byte array has a negative length"));
    }
    Ok(())
}

/// Appends the ends of values of these lengths whose data begins at `start` of the container's, which has room for them.
pub(crate) fn append_offsets(lengths: &mut [u32], start: usize, out: &mut ByteArrays) {
    u32::running_sum(lengths, start as u32, 0);
    out.parts_mut().0.extend_from_slice(bytemuck::cast_slice(lengths));
}

/// How many of these lengths fit into `room` together, and their sum.
pub(crate) fn fitting(lengths: &[u32], room: usize) -> (usize, usize) {
    let all = vectorized!(sum(lengths));
    if all <= room as u64 {
        return (lengths.len(), all as usize);
    }
    let mut total: usize = 0;
    for (count, length) in lengths.iter().enumerate() {
        let with = total.saturating_add(*length as usize);
        if with > room {
            return (count, total);
        }
        total = with;
    }
    (lengths.len(), total)
}

#[inline(always)]
pub(crate) fn sum(lengths: &[u32]) -> u64 {
    lengths.iter().fold(0, |sum: u64, length| sum.wrapping_add(u64::from(*length)))
}

#[inline(always)]
fn all_bits(lengths: &[u32]) -> u32 {
    lengths.iter().fold(0, |bits, length| bits | length)
}

/// Writes BYTE_ARRAY.
#[derive(Default)]
pub(crate) struct DeltaLengthsEncoder {
    lengths: DeltaWriter<u32>,
    data: Vec<u8>,
}

impl Encoder for DeltaLengthsEncoder {
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()> {
        let ValuesSlice::Bytes(arrays) = values else { return Err(wrong_values()) };
        write_lengths(arrays, &mut self.lengths);
        self.data.extend_from_slice(arrays.bytes());
        Ok(())
    }

    fn size_estimate(&self) -> usize {
        self.lengths.size().saturating_add(self.data.len())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.lengths.finish_to(out);
        out.append(&mut self.data);
    }
}

/// Adds the lengths of these values.
fn write_lengths(arrays: BytesSlice<'_>, out: &mut DeltaWriter<u32>) {
    let mut block = [0; BLOCK];
    let starts = arrays.offsets();
    let ends = starts.get(1..).unwrap_or_default();
    for (starts, ends) in starts.chunks(BLOCK).zip(ends.chunks(BLOCK)) {
        for ((length, start), end) in block.iter_mut().zip(starts).zip(ends) {
            *length = end.wrapping_sub(*start).cast_unsigned();
        }
        out.extend(block.get(..ends.len()).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::delta_binary_packed::tests::encode;
    use proptest::prelude::*;

    fn page_of(values: &[Vec<u8>], miniblock: usize) -> Vec<u8> {
        let lengths: Vec<i64> = values.iter().map(|value| value.len() as i64).collect();
        let mut page = encode(&lengths, true, miniblock, 4, 77);
        values.iter().for_each(|value| page.extend(value));
        page
    }

    fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let value = (0..60usize, any::<u8>()).prop_map(|(length, byte)| (0..length).map(|i| byte.wrapping_add(i as u8)).collect());
        prop_oneof![prop::collection::vec(value, 0..60), (0..3000usize).prop_map(|n| (0..n).map(|i| vec![i as u8; i % 7]).collect())]
    }

    proptest! {
        #[test]
        fn pieces_make_the_whole(
            values in values(), miniblock in 1..=8usize, steps in prop::collection::vec((any::<bool>(), 0..900usize), 0..8),
        ) {
            let page = page_of(&values, miniblock * 8);
            let mut decoder = DeltaLengths::new(&page).unwrap();
            let mut out = Values::Bytes(ByteArrays::new());
            let mut expected = Vec::new();
            let mut at = 0;
            for (read, n) in steps.into_iter().chain([(true, usize::MAX)]) {
                let n = n.min(values.len() - at);
                if read {
                    prop_assert_eq!(decoder.read(&page, n, &mut out).unwrap(), n);
                    expected.extend(values[at..at + n].iter().map(Vec::as_slice));
                } else {
                    decoder.skip(&page, n).unwrap();
                }
                at += n;
            }
            prop_assert_eq!(out.as_bytes().unwrap().iter().collect::<Vec<_>>(), expected);
            prop_assert!(decoder.read(&page, 1, &mut out).is_err());
            prop_assert!(decoder.skip(&page, 1).is_err());
        }

        #[test]
        fn writes_what_it_reads(values in values(), cut in 0..3000usize) {
            let arrays: ByteArrays = values.iter().map(Vec::as_slice).collect();
            let all = BytesSlice::from(&arrays);
            let cut = cut.min(values.len());
            let mut encoder = DeltaLengthsEncoder::default();
            for _ in 0..2 {
                encoder.write(ValuesSlice::Bytes(all.slice(0..cut).unwrap())).unwrap();
                encoder.write(ValuesSlice::Bytes(all.slice(cut..values.len()).unwrap())).unwrap();
                let estimate = encoder.size_estimate();
                let mut page = Vec::new();
                encoder.finish(&mut page);
                prop_assert!(page.len() <= estimate + 300);
                let mut out = Values::Bytes(ByteArrays::new());
                DeltaLengths::new(&page).unwrap().read(&page, values.len(), &mut out).unwrap();
                prop_assert_eq!(out, Values::Bytes(arrays.clone()));
            }
        }

        #[test]
        fn stops_where_there_is_no_room(values in values(), limit in 60..5000usize) {
            let page = page_of(&values, 32);
            let mut decoder = DeltaLengths::new(&page).unwrap();
            let mut read: Vec<Vec<u8>> = Vec::new();
            while read.len() < values.len() {
                let mut out = Values::Bytes(ByteArrays::with_limit(limit));
                let n = decoder.read(&page, values.len() - read.len(), &mut out).unwrap();
                prop_assert!(n > 0);
                let out = out.as_bytes().unwrap();
                prop_assert_eq!(out.len(), n);
                let more = values.get(read.len() + n).is_some_and(|next| out.data().len() + next.len() <= limit);
                prop_assert!(out.data().len() <= limit && !more);
                read.extend(out.iter().map(<[u8]>::to_vec));
            }
            prop_assert_eq!(read, values);
        }

        #[test]
        fn any_bytes_end(page in prop::collection::vec(prop_oneof![any::<u8>(), 0..4u8], 0..100), n in 0..200usize, sane in any::<bool>()) {
            let header: &[u8] = if sane { &[0x80, 1, 4, 50] } else { &[] };
            let page = [header, &page].concat();
            if let Ok(mut decoder) = DeltaLengths::new(&page) {
                let mut out = Values::Bytes(ByteArrays::new());
                let read = decoder.read(&page, n, &mut out);
                prop_assert_eq!(read.is_ok(), DeltaLengths::new(&page).unwrap().skip(&page, n).is_ok());
                if let (Ok(read), Values::Bytes(out)) = (read, out) {
                    prop_assert_eq!((read, out.iter().count()), (n, n));
                    prop_assert!(out.data().len() <= page.len());
                }
            }
        }
    }

    #[test]
    fn negative_lengths_are_refused() {
        let mut page = encode(&[5, -1, 5], true, 32, 4, 0);
        page.extend([0; 9]);
        assert!(DeltaLengths::new(&page).unwrap().skip(&page, 3).is_err());
    }
}
