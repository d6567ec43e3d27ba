//! How many bytes the values of a page take: found without decoding them, so that bytes behind the last one are seen.

use crate::encoding::{Shape, decoder};
use crate::format::{Encoding, PhysicalType};
use crate::values::Values;

/// The bytes that `n` values at the start of `bytes` take; `None` when that is not known or they are broken.
pub(super) fn encoded_length(encoding: Encoding, shape: Shape, bytes: &[u8], n: usize) -> Option<usize> {
    if n == 0 {
        return None;
    }
    match (encoding, shape.physical_type) {
        (Encoding::Plain, PhysicalType::Boolean) => Some(n.div_ceil(8)),
        (Encoding::Plain, PhysicalType::ByteArray) => plain_byte_arrays(bytes, n),
        (Encoding::Plain | Encoding::ByteStreamSplit, _) => shape.fixed_width()?.checked_mul(n),
        (Encoding::RleDictionary | Encoding::PlainDictionary, _) => hybrid(bytes, 1, usize::from(*bytes.first()?), n),
        (Encoding::Rle, PhysicalType::Boolean) => {
            let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
            length.checked_add(4)
        }
        (Encoding::DeltaBinaryPacked, _) => deltas(bytes, n),
        (Encoding::DeltaLengthByteArray, _) => {
            let lengths = deltas(bytes, n)?;
            lengths.checked_add(sum_of_deltas(bytes, n)?)
        }
        (Encoding::DeltaByteArray, _) => {
            let prefixes = deltas(bytes, n)?;
            let rest = bytes.get(prefixes..)?;
            prefixes.checked_add(deltas(rest, n)?)?.checked_add(sum_of_deltas(rest, n)?)
        }
        _ => None,
    }
}

fn plain_byte_arrays(bytes: &[u8], n: usize) -> Option<usize> {
    let mut at = 0_usize;
    for _ in 0..n {
        let length = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize;
        at = at.checked_add(4)?.checked_add(length)?;
    }
    Some(at)
}

/// The end of the runs that hold `n` values of `width` bits, from byte `at` on. The last run may be longer than is needed, and
/// its bytes cut short.
fn hybrid(bytes: &[u8], at: usize, width: usize, n: usize) -> Option<usize> {
    let (mut at, mut seen) = (at, 0_usize);
    while seen < n {
        let header = usize::try_from(varint(bytes, &mut at)?).ok()?;
        let count = header >> 1;
        let (values, length) = match header & 1 {
            0 => (count, width.div_ceil(8)),
            _ => (count.checked_mul(8)?, count.checked_mul(width)?),
        };
        if values == 0 {
            return None;
        }
        seen = seen.saturating_add(values);
        at = at.checked_add(length)?;
    }
    Some(at.min(bytes.len()))
}

/// The end of a page of DELTA_BINARY_PACKED with `n` values.
fn deltas(bytes: &[u8], n: usize) -> Option<usize> {
    let mut at = 0;
    let block = usize::try_from(varint(bytes, &mut at)?).ok()?;
    let miniblocks = usize::try_from(varint(bytes, &mut at)?).ok()?;
    let total = usize::try_from(varint(bytes, &mut at)?).ok()?;
    varint(bytes, &mut at)?;
    let each = block.checked_div(miniblocks)?;
    if total != n || each == 0 || miniblocks > bytes.len() {
        return None;
    }
    let mut left = total.saturating_sub(1);
    while left > 0 {
        varint(bytes, &mut at)?;
        let widths = bytes.get(at..at.checked_add(miniblocks)?)?;
        at = at.checked_add(miniblocks)?;
        for width in widths {
            if left > 0 {
                at = at.checked_add(each.checked_mul(usize::from(*width))?.div_ceil(8))?;
                left = left.saturating_sub(each);
            }
        }
    }
    // The last miniblock may lack the padding.
    Some(at.min(bytes.len()))
}

fn sum_of_deltas(bytes: &[u8], n: usize) -> Option<usize> {
    let shape = Shape { physical_type: PhysicalType::Int32, width: 0 };
    let mut lengths = Values::new(PhysicalType::Int32, 0);
    decoder(Encoding::DeltaBinaryPacked, shape, bytes, None).ok()?.read(bytes, n, &mut lengths).ok()?;
    lengths.as_i32()?.iter().try_fold(0_usize, |sum, length| sum.checked_add(usize::try_from(*length).ok()?))
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at = at.checked_add(1)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::encoder;
    use crate::values::{Bits, ByteArrays, FixedBytes};

    #[test]
    fn lengths_are_those_that_encoders_write() {
        let strings: ByteArrays = ["", "herring", "herrings", "her"].iter().cycle().take(300).map(|text| text.as_bytes()).collect();
        let mut fixed = FixedBytes::new(3);
        (0..300_u32).for_each(|i| fixed.extend_from_bytes(&i.to_be_bytes()[1..]));
        let bits: Vec<bool> = (0..300).map(|i| i % 7 < 3).collect();
        let mut bools = Bits::new();
        bits.iter().for_each(|bit| bools.push(*bit));
        let cases = [
            (PhysicalType::Int32, Values::Words32((0..300).map(|i| i * i % 1000).collect())),
            (PhysicalType::Int64, Values::Words64((0..300).map(|i| i * i * 77).collect())),
            (PhysicalType::Boolean, Values::Bits(bools)),
            (PhysicalType::ByteArray, Values::Bytes(strings)),
            (PhysicalType::FixedLenByteArray, Values::Fixed(fixed)),
        ];
        let mut seen = 0;
        for (physical_type, values) in &cases {
            let shape = Shape { physical_type: *physical_type, width: 3 };
            for encoding in (0..=10).map(Encoding::from_code) {
                for n in [1, 2, 33, 128, 129, 300] {
                    let Ok(mut encoder) = encoder(encoding, shape) else { continue };
                    encoder.write(values.as_slice().slice(0..n).unwrap()).unwrap();
                    let mut page = Vec::new();
                    encoder.finish(&mut page);
                    let length = page.len();
                    page.push(0);
                    assert_eq!(encoded_length(encoding, shape, &page, n), Some(length), "{encoding} {physical_type} {n}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn any_bytes_end() {
        for encoding in (0..=10).map(Encoding::from_code) {
            for physical_type in (0..8).map(PhysicalType::from_code) {
                for byte in [0, 1, 0x7f, 0xff] {
                    let _ = encoded_length(encoding, Shape { physical_type, width: 5 }, &[byte; 30], 1 << 40);
                }
            }
        }
    }
}
