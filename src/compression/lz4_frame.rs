//! The LZ4 frame format (`lz4_Frame_format.md` of LZ4), reading only: some writers put it under the codec LZ4.
//!
//! Each block is decompressed to its place in the page; blocks that refer to those before them find them there.

use lz4_flex::block;
use twox_hash::XxHash32;

/// Fills the page from one frame or several; `None` if the bytes are something else or do not fill it exactly.
pub(super) fn decompress(mut input: &[u8], page: &mut [u8]) -> Option<()> {
    let mut filled = 0;
    while !input.is_empty() {
        let magic = word(&mut input)?;
        if magic & !0xf == SKIPPABLE {
            let len = usize::try_from(word(&mut input)?).ok()?;
            input = input.get(len..)?;
        } else if magic == MAGIC {
            filled = frame(&mut input, page, filled)?;
        } else {
            return None;
        }
    }
    (filled == page.len()).then_some(())
}

const MAGIC: u32 = 0x184d_2204;
const SKIPPABLE: u32 = 0x184d_2a50;

/// How far back in the page a block may refer.
const WINDOW: usize = 64 << 10;

/// Decompresses one frame to the page from `start` on; returns its end in the page.
fn frame(input: &mut &[u8], page: &mut [u8], start: usize) -> Option<usize> {
    let header = Header::read(input)?;
    let mut end = start;
    loop {
        let word = word(input)?;
        if word == 0 {
            break;
        }
        let stored = word >> 31 == 1;
        let (data, rest) = input.split_at_checked(usize::try_from(word & !(1 << 31)).ok()?)?;
        *input = rest;
        if header.block_checksums && self::word(input)? != XxHash32::oneshot(0, data) {
            return None;
        }
        let (before, free) = page.split_at_mut_checked(end)?;
        let written = if stored {
            free.get_mut(..data.len())?.copy_from_slice(data);
            data.len()
        } else if header.linked {
            let from = start.max(end.saturating_sub(WINDOW));
            block::decompress_into_with_dict(data, free, before.get(from..)?).ok()?
        } else {
            block::decompress_into(data, free).ok()?
        };
        end = end.checked_add(written)?;
    }
    let contents = page.get(start..end)?;
    if header.content_checksum && word(input)? != XxHash32::oneshot(0, contents) {
        return None;
    }
    let as_announced = header.content_size.is_none_or(|size| size == contents.len() as u64);
    as_announced.then_some(end)
}

struct Header {
    linked: bool,
    block_checksums: bool,
    content_checksum: bool,
    content_size: Option<u64>,
}

impl Header {
    fn read(input: &mut &[u8]) -> Option<Self> {
        let descriptor = *input;
        let (&[flags, _block_size], rest) = input.split_first_chunk::<2>()?;
        *input = rest;
        let has = |bit: u32| flags >> bit & 1 == 1;
        let content_size = match has(3) {
            true => Some(u64::from(word(input)?) | u64::from(word(input)?) << 32),
            false => None,
        };
        // Version 1; the page cannot supply a dictionary.
        if flags >> 6 != 1 || has(0) {
            return None;
        }
        let described = descriptor.get(..descriptor.len().checked_sub(input.len())?)?;
        let (&checksum, rest) = input.split_first()?;
        *input = rest;
        let right = checksum == (XxHash32::oneshot(0, described) >> 8) as u8;
        right.then_some(Self { linked: !has(5), block_checksums: has(4), content_checksum: has(2), content_size })
    }
}

fn word(input: &mut &[u8]) -> Option<u32> {
    let (bytes, rest) = input.split_first_chunk::<4>()?;
    *input = rest;
    Some(u32::from_le_bytes(*bytes))
}
