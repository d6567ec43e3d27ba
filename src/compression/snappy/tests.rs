//! Our decoder beside `snap`'s.

use proptest::prelude::*;
use snap::raw;

use super::*;

/// What a decoder makes of a page, which is the same with room behind it.
fn ours(page: &[u8]) -> Option<Vec<u8>> {
    let (length, start) = decode::preamble(page).ok()?;
    let elements = &page[start..];
    let mut out = vec![0xaa; length];
    let decoded = decode::one(elements, &mut out).ok().map(|()| out);
    if elements.len() <= decode::SMALL {
        let mut out = vec![0xaa; length + decode::OUTPUT_ROOM];
        let small = decode::small(elements, &mut out, length);
        out.truncate(length);
        assert_eq!(small.ok().map(|()| out), decoded);
    }
    decoded
}

fn theirs(page: &[u8]) -> Option<Vec<u8>> {
    raw::Decoder::new().decompress_vec(page).ok()
}

fn together(pages: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
    let starts = pages.iter().map(|page| decode::preamble(page).ok()).collect::<Option<Vec<_>>>()?;
    let mut outs: Vec<Vec<u8>> = starts.iter().map(|(length, _)| vec![0xaa; *length]).collect();
    let opened = pages.iter().zip(&starts).zip(&mut outs).map(|((page, (_, start)), out)| decode::Page::new(&page[*start..], out));
    let mut opened: Vec<_> = opened.collect();
    decode::all(&mut opened).ok()?;
    Some(outs)
}

/// Bytes with copies of all lengths and distances.
fn repetitive() -> impl Strategy<Value = Vec<u8>> {
    let piece = (prop::collection::vec(any::<u8>(), 1..80), 1_usize..40, 0_usize..70_000);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| {
        let mut bytes: Vec<u8> = Vec::new();
        for (piece, times, back) in pieces {
            match bytes.len().checked_sub(back) {
                Some(from) if back > 0 => (0..times * piece.len()).for_each(|at| bytes.push(bytes[from + at])),
                _ => (0..times).for_each(|_| bytes.extend_from_slice(&piece)),
            }
        }
        bytes
    })
}

/// Words of numbers that have bytes in common with those before.
fn numbers() -> impl Strategy<Value = Vec<u8>> {
    (2_usize..9, 1_u64..1 << 34, any::<u64>(), 0_usize..3000, any::<bool>()).prop_map(|(width, most, seed, count, ascending)| {
        let (mut state, mut sum) = (seed | 1, 0_u64);
        let mut next = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let number = (state >> 20) % most;
            sum = if ascending { sum.wrapping_add(number & 7) } else { number };
            sum
        };
        (0..count).flat_map(|_| next().to_le_bytes()[..width].to_vec()).collect()
    })
}

/// Elements of all kinds, most of them lawful; as in numbers, short literals and copies may take turns.
fn elements() -> impl Strategy<Value = Vec<u8>> {
    let element = (0_u8..12, any::<u8>(), any::<u32>(), prop::collection::vec(any::<u8>(), 70));
    (any::<bool>(), prop::collection::vec(element, 0..80)).prop_map(|(turns, elements)| {
        let (mut body, mut length) = (Vec::new(), 0_usize);
        for (at, (kind, tag, distance, literal)) in elements.into_iter().enumerate() {
            let (kind, tag) = match (turns, at % 2) {
                (false, _) => (kind, tag),
                (true, 0) => (0, tag & 0x4c),
                (true, _) => (kind.clamp(5, 10), tag & 0x4f),
            };
            let near = distance as usize % length.max(1) + 1;
            let long = usize::from(tag >> 2) + 1;
            match kind {
                0..4 => {
                    let n = long.min(60);
                    body.push(((n - 1) as u8) << 2);
                    body.extend_from_slice(&literal[..n]);
                    length += n;
                }
                4 => {
                    let n = 1 + distance as usize % literal.len();
                    let bytes = 1 + usize::from(tag & 3);
                    body.push((59 + bytes as u8) << 2);
                    body.extend_from_slice(&(n as u32 - 1).to_le_bytes()[..bytes]);
                    body.extend_from_slice(&literal[..n]);
                    length += n;
                }
                5..8 if length > 0 => {
                    let near = if kind == 5 { near.min(20) } else { near.min(2047) };
                    body.extend_from_slice(&[(near >> 8 << 5) as u8 | (tag & 0x1c) | 1, near as u8]);
                    length += usize::from(tag >> 2 & 7) + 4;
                }
                8..11 if length > 0 => {
                    let near = if kind == 8 { near.min(20) } else { near.min(65_535) };
                    body.push(tag & 0xfc | 2);
                    body.extend_from_slice(&(near as u16).to_le_bytes());
                    length += long;
                }
                _ if length > 0 => {
                    body.push(tag & 0xfc | 3);
                    body.extend_from_slice(&(near as u32).to_le_bytes());
                    length += long;
                }
                _ => {}
            }
        }
        let mut page = Vec::new();
        let mut rest = length;
        while rest >= 0x80 {
            page.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        page.push(rest as u8);
        page.extend(body);
        page
    })
}

proptest! {
    #[test]
    fn what_was_encoded_comes_back(all in prop::collection::vec(prop_oneof![repetitive(), numbers()], 0..5)) {
        let encode = |bytes: &[u8]| raw::Encoder::new().compress_vec(bytes).unwrap();
        let pages: Vec<Vec<u8>> = all.iter().map(|bytes| encode(bytes)).collect();
        for (page, bytes) in pages.iter().zip(&all) {
            prop_assert_eq!(ours(page), Some(bytes.clone()));
        }
        let pages: Vec<&[u8]> = pages.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(together(&pages), Some(all));
    }

    #[test]
    fn any_elements_are_decoded_as_snap_does(page in elements(), other in elements()) {
        let (expected, other_expected) = (theirs(&page), theirs(&other));
        prop_assert!(expected.is_some());
        prop_assert_eq!(ours(&page), expected.clone());
        prop_assert_eq!(together(&[&page, &other]), expected.zip(other_expected).map(|(one, other)| vec![one, other]));
    }

    #[test]
    fn broken_pages_are_refused_where_snap_does(mut page in elements(), other in elements(), at in any::<prop::sample::Index>(), bit in 0_u32..8, cut in any::<bool>()) {
        let at = at.index(page.len());
        match cut {
            true => page.truncate(at),
            false => page[at] ^= 1_u8 << bit,
        }
        // What it claims is held against the codec's densest form before.
        prop_assume!(raw::decompress_len(&page).is_ok_and(|length| length <= 1 << 20));
        let (expected, other_expected) = (theirs(&page), theirs(&other));
        prop_assert_eq!(ours(&page), expected.clone());
        let both = expected.zip(other_expected);
        prop_assert_eq!(together(&[&page, &other]), both.clone().map(|(one, other)| vec![one, other]));
        prop_assert_eq!(together(&[&other, &page, &other]), both.map(|(one, other)| vec![other.clone(), one, other]));
    }

    #[test]
    fn any_bytes_are_refused_where_snap_does(page in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assume!(raw::decompress_len(&page).is_ok_and(|length| length <= 1 << 20));
        prop_assert_eq!(ours(&page), theirs(&page));
    }
}
