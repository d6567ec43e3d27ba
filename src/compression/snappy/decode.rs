//! Snappy's raw format, decoded.
//!
//! After the length comes a row of elements, each begun by a tag: a literal (bytes as they are) or a copy (bytes that came
//! before, at a distance of up to 64 KiB as all known encoders write them). Which of them comes next can hardly be predicted, and so the way that a branch
//! takes for each costs more than the copying. Here an element of up to 32 bytes is decoded without a branch on what it is: where its bytes come
//! from is picked like a number, 32 bytes are copied, however few of them count, and what is too much is overwritten by the next.
//!
//! What then bounds a page is the chain from tag to tag: each tells where the next one is. Hence [`all`], which decodes two pages in
//! turn, so that the processor works on one while it waits for the other.
//!
//! Numbers are a row of short literals, each with a short copy behind it. While both pages are, a literal and its copy are decoded as one: half the
//! instructions, and the copy's bytes are read before the literal is written, so that reading them does not wait until what was just written has come to
//! the cache.
//!
//! On one core of an AMD EPYC with AVX-512, the time of `snap` 1.1 divided by ours, one page and two pages at a time: TPC-H's comments 1.6 and 2.3, its
//! prices 1.1 and 2.0 (1.5 by single elements), keys in order 1.1 and 2.0 (1.2), random words 1.6 and 2.2. Copying 16 bytes instead of 32 is better by a
//! twentieth for numbers and worse by a third for words. Literals and copies as one in a page by itself are 1.1 times as fast for numbers and 0.93 for
//! words: too little for a third loop.

use std::cmp::Ordering;
use std::hint::select_unpredictable;

/// What is wrong with the bytes.
pub(super) type Broken = &'static str;

const ENDS: Broken = "it ends within an element";
const TOO_LONG: Broken = "it has more bytes than it says";
const TOO_SHORT: Broken = "it has fewer bytes than it says";
const TOO_FAR: Broken = "a copy begins before the page";

/// The length that a page says it has when decompressed, and where its elements begin.
pub(super) fn preamble(input: &[u8]) -> Result<(usize, usize), Broken> {
    let mut length = 0_u64;
    for (at, byte) in input.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << at.wrapping_mul(7);
        if *byte < 0x80 {
            let length = u32::try_from(length).map_err(|_| "its length is above 4 GiB")?;
            return Ok((length as usize, at.wrapping_add(1)));
        }
    }
    Err("its length has no end")
}

/// Decodes the elements of a page, all of which fill `out`.
pub(super) fn one(elements: &[u8], out: &mut [u8]) -> Result<(), Broken> {
    rest(elements, out, Place::default())
}

/// The most bytes of elements that [`small`] decodes, and the size of pages up to which it is worth while.
pub(super) const SMALL: usize = 1 << 10;
const SMALL_PAGE: usize = 4 << 10;

/// Whether a page of this size is for [`small`].
pub(super) fn is_small(elements: &[u8], size: usize) -> bool {
    elements.len() <= SMALL && size <= SMALL_PAGE
}

/// Decodes the elements of a page, at most [`SMALL`] bytes, which fill the first `size` bytes of `out`; behind those there are [`OUTPUT_ROOM`] more.
///
/// The elements get room behind them by a copy, so that the last ones are decoded like the others: in small pages they are many.
pub(super) fn small(elements: &[u8], out: &mut [u8], size: usize) -> Result<(), Broken> {
    let mut padded = [0; SMALL + INPUT_ROOM];
    padded.get_mut(..elements.len()).ok_or(ENDS)?.copy_from_slice(elements);
    let mut at = Place::default();
    while at.from < elements.len() && at.to < size {
        at = element(&padded, out, at)?;
    }
    match (at.from.cmp(&elements.len()), at.to.cmp(&size)) {
        (Ordering::Greater, _) => Err(ENDS),
        (Ordering::Less, _) | (_, Ordering::Greater) => Err(TOO_LONG),
        (_, Ordering::Less) => Err(TOO_SHORT),
        _ => Ok(()),
    }
}

/// A page that is being decoded: its elements, and the bytes that they are to fill.
pub(super) struct Page<'a> {
    elements: &'a [u8],
    out: &'a mut [u8],
    at: Place,
}

impl<'a> Page<'a> {
    pub(super) fn new(elements: &'a [u8], out: &'a mut [u8]) -> Self {
        Self { elements, out, at: Place::default() }
    }

    /// Its size when decoded.
    pub(super) fn size(&self) -> usize {
        self.out.len()
    }

    fn has_room(&self) -> bool {
        roomy(self.elements, self.out).is_some_and(|roomy| self.at.from < roomy.from && self.at.to < roomy.to)
    }

    /// Decodes a copy, if that is what comes next and there is room.
    fn go_to_literal(&mut self) -> Result<(), Broken> {
        if self.has_room() && self.elements.get(self.at.from).is_some_and(|tag| tag & 3 != 0) {
            self.at = element(self.elements, self.out, self.at)?;
        }
        Ok(())
    }

    /// Decodes what is left.
    fn finish(&mut self) -> Result<(), Broken> {
        rest(self.elements, self.out, self.at)
    }
}

/// Decodes pages, two of them in turn as long as there are two.
pub(super) fn all(pages: &mut [Page<'_>]) -> Result<(), Broken> {
    let mut pages = pages.iter_mut();
    let Some(mut first) = pages.next() else { return Ok(()) };
    for second in pages {
        in_turn(first, second)?;
        match first.has_room() {
            true => second.finish()?,
            false => std::mem::replace(&mut first, second).finish()?,
        }
    }
    first.finish()
}

/// How far a page is decoded: where the next tag is, and where its bytes go.
#[derive(Clone, Copy, Default)]
struct Place {
    from: usize,
    to: usize,
}

impl Place {
    fn past(self, input: usize, output: usize) -> Self {
        Self { from: self.from.wrapping_add(input), to: self.to.wrapping_add(output) }
    }
}

/// How much must be left on each side, so that no element of up to 64 bytes comes to the end.
const INPUT_ROOM: usize = 72;
pub(super) const OUTPUT_ROOM: usize = 96;

/// Where an element that begins before has room, if there is such a place.
#[inline(always)]
fn roomy(elements: &[u8], out: &[u8]) -> Option<Place> {
    Some(Place { from: elements.len().checked_sub(INPUT_ROOM)?, to: out.len().checked_sub(OUTPUT_ROOM)? })
}

#[inline(never)]
fn rest(elements: &[u8], out: &mut [u8], mut at: Place) -> Result<(), Broken> {
    if let Some(roomy) = roomy(elements, out) {
        while at.from < roomy.from && at.to < roomy.to {
            at = element(elements, out, at)?;
        }
    }
    while at.from < elements.len() {
        at = last_element(elements, out, at)?;
    }
    if at.to == out.len() { Ok(()) } else { Err(TOO_SHORT) }
}

/// After a stretch of literals with copies that was shorter than this, it is longer until the next is looked for.
const WORTH: usize = 64;
/// How many bytes of elements are decoded one by one in between.
const LEAST_BETWEEN: usize = 8;
const MOST_BETWEEN: usize = 64 << 10;

/// Decodes both, as long as both have room.
fn in_turn(first: &mut Page<'_>, second: &mut Page<'_>) -> Result<(), Broken> {
    let mut between = LEAST_BETWEEN;
    while first.has_room() && second.has_room() {
        first.go_to_literal()?;
        second.go_to_literal()?;
        let start = first.at.from;
        literals_with_copies(first, second);
        between = match first.at.from.wrapping_sub(start) < WORTH {
            true => MOST_BETWEEN.min(between.wrapping_mul(4)),
            false => LEAST_BETWEEN,
        };
        elements_in_turn(first, second, first.at.from.wrapping_add(between))?;
    }
    Ok(())
}

/// Decodes literals with the copies behind them, one of each page in turn, until one is something else or the room ends.
#[inline(never)]
fn literals_with_copies(first: &mut Page<'_>, second: &mut Page<'_>) {
    let (mut one, mut other) = (first.at, second.at);
    let (elements, others) = (first.elements, second.elements);
    let (out, other_out) = (&mut *first.out, &mut *second.out);
    let (Some(roomy), Some(other_roomy)) = (roomy(elements, out), roomy(others, other_out)) else { return };
    while one.from < roomy.from && one.to < roomy.to && other.from < other_roomy.from && other.to < other_roomy.to {
        let Some(next) = literal_with_copy(elements, out, one) else { break };
        one = next;
        let Some(next) = literal_with_copy(others, other_out, other) else { break };
        other = next;
    }
    (first.at, second.at) = (one, other);
}

/// Decodes elements of both in turn, until the first page comes to `until` or the room ends.
#[inline(never)]
fn elements_in_turn(first: &mut Page<'_>, second: &mut Page<'_>, until: usize) -> Result<(), Broken> {
    let (mut one, mut other) = (first.at, second.at);
    let (elements, others) = (first.elements, second.elements);
    let (out, other_out) = (&mut *first.out, &mut *second.out);
    // Where the room ends is worked out in here: then the compiler leaves checks out.
    let (Some(roomy), Some(other_roomy)) = (roomy(elements, out), roomy(others, other_out)) else { return Ok(()) };
    while one.from < until && one.from < roomy.from && one.to < roomy.to && other.from < other_roomy.from && other.to < other_roomy.to {
        one = element(elements, out, one)?;
        other = element(others, other_out, other)?;
    }
    (first.at, second.at) = (one, other);
    Ok(())
}

/// What a tag says.
#[derive(Clone, Copy)]
struct Tag {
    length: u16,
    /// The upper bits of a copy's distance that are in the tag, and which of the two bytes after it have the others.
    distance: u16,
    mask: u16,
    /// A copy from nearer than this repeats what it writes; more than any distance where the tag is not common.
    nearest: u16,
}

/// The most bytes of an element that is decoded without branches.
const COMMON: usize = 32;

const TAGS: [Tag; 256] = {
    let mut tags = [Tag { length: 0, distance: 0, mask: 0, nearest: 1 }; 256];
    let mut rest: &mut [Tag] = &mut tags;
    let mut tag = 0_u16;
    while let Some((entry, others)) = rest.split_first_mut() {
        let (short, long) = ((tag >> 2 & 7).wrapping_add(4), (tag >> 2).wrapping_add(1));
        if long as usize <= COMMON || tag & 3 == 1 {
            *entry = match tag & 3 {
                0 => Tag { length: long, distance: 0, mask: 0, nearest: 0 },
                1 => Tag { length: short, distance: tag >> 5 << 8, mask: 0xff, nearest: short },
                2 => Tag { length: long, distance: 0, mask: 0xffff, nearest: long },
                _ => *entry,
            };
        }
        rest = others;
        tag = tag.wrapping_add(1);
    }
    tags
};

/// The most bytes of a literal, and of the copy behind it, that are decoded as one.
const SHORT: usize = 16;

/// [`TAGS`] for copies of up to [`SHORT`] bytes: `nearest` is more than any distance for other elements.
const SHORT_COPIES: [Tag; 256] = {
    let mut tags = TAGS;
    let mut rest: &mut [Tag] = &mut tags;
    let mut tag = 0_u16;
    while let Some((entry, others)) = rest.split_first_mut() {
        if tag & 3 == 0 || entry.length as usize > SHORT {
            entry.nearest = u16::MAX;
        }
        rest = others;
        tag = tag.wrapping_add(1);
    }
    tags
};

/// Decodes a literal and the copy behind it where there is room for them, if both are short and the copy takes nothing of the literal.
#[inline(always)]
fn literal_with_copy(elements: &[u8], out: &mut [u8], at: Place) -> Option<Place> {
    let input: &[u8; 32] = chunk(elements, at.from).ok()?;
    let [tag, rest @ ..] = input;
    // A literal of up to 16 bytes.
    if tag & 0b1100_0011 != 0 {
        return None;
    }
    let length = usize::from(tag >> 2 & 15).wrapping_add(1);
    let literal: [u8; SHORT] = *rest.first_chunk()?;
    let word = u32::from_le_bytes(*rest.get(length..)?.first_chunk()?);
    let tag = (word & 0xff) as usize;
    let entry = SHORT_COPIES.get(tag)?;
    let distance = usize::from(((word >> 8) as u16 & entry.mask) | entry.distance);
    if distance < usize::from(entry.nearest).wrapping_add(length) {
        return None;
    }
    let back = at.to.wrapping_add(length).checked_sub(distance)?;
    let copied: [u8; SHORT] = *chunk(out, back).ok()?;
    let window: &mut [u8; 3 * SHORT] = chunk_mut(out, at.to).ok()?;
    *window.first_chunk_mut()? = literal;
    *window.get_mut(length..)?.first_chunk_mut()? = copied;
    Some(at.past(length.wrapping_add(2).wrapping_add(tag & 3), length.wrapping_add(usize::from(entry.length))))
}

/// Decodes an element where there is room for it.
#[inline(always)]
fn element(elements: &[u8], out: &mut [u8], at: Place) -> Result<Place, Broken> {
    let word = u32::from_le_bytes(*chunk(elements, at.from)?);
    let tag = (word & 0xff) as usize;
    let Some(entry) = TAGS.get(tag) else { return Err(ENDS) };
    let distance = ((word >> 8) as u16 & entry.mask) | entry.distance;
    if distance < entry.nearest {
        return uncommon_element(elements, out, at);
    }
    let kind = tag & 3;
    // Nothing of this waits for the table: it is what the next tag waits for.
    let after_copy = at.from.wrapping_add(kind).wrapping_add(1);
    let after_literal = at.from.wrapping_add(tag >> 2).wrapping_add(2);
    let next = select_unpredictable(kind == 0, after_literal, after_copy);
    let back = at.to.checked_sub(usize::from(distance)).ok_or(TOO_FAR)?;
    let literal: &[u8; COMMON] = chunk(elements, at.from.wrapping_add(1))?;
    let bytes = *select_unpredictable(kind == 0, literal, chunk(out, back)?);
    *chunk_mut(out, at.to)? = bytes;
    Ok(Place { from: next, to: at.to.wrapping_add(usize::from(entry.length)) })
}

/// Decodes a longer element, a copy that repeats what it writes, or one from afar, where there is room for it.
#[inline(never)]
fn uncommon_element(elements: &[u8], out: &mut [u8], at: Place) -> Result<Place, Broken> {
    let tag = *elements.get(at.from).ok_or(ENDS)?;
    let length = usize::from(tag >> 2).wrapping_add(1);
    if tag & 3 == 0 && length <= 60 {
        let literal: [u8; 64] = *chunk(elements, at.from.wrapping_add(1))?;
        *chunk_mut(out, at.to)? = literal;
        return Ok(at.past(length.wrapping_add(1), length));
    }
    if tag & 3 == 0 {
        return last_element(elements, out, at);
    }
    let (length, distance, size) = copy(elements, at)?;
    let from = at.to.checked_sub(distance).ok_or(TOO_FAR)?;
    match distance {
        0 => return Err(TOO_FAR),
        1..16 => {
            // As many repetitions as 16 bytes hold.
            let bits = distance.wrapping_mul(8) as u32;
            let mut pattern = u128::from_le_bytes(*chunk(out, from)?) & !(u128::MAX << bits);
            let mut filled = bits;
            while filled < u128::BITS {
                pattern |= pattern << filled;
                filled = filled.wrapping_mul(2);
            }
            let whole = 16_usize.wrapping_sub(16_usize.checked_rem(distance).unwrap_or_default());
            let mut done = 0;
            while done < length {
                *chunk_mut(out, at.to.wrapping_add(done))? = pattern.to_le_bytes();
                done = done.wrapping_add(whole);
            }
        }
        _ => {
            let mut done = 0;
            while done < length {
                let bytes: [u8; 16] = *chunk(out, from.wrapping_add(done))?;
                *chunk_mut(out, at.to.wrapping_add(done))? = bytes;
                done = done.wrapping_add(16);
            }
        }
    }
    Ok(at.past(size, length))
}

/// Decodes an element, with nothing written or read beyond it.
#[inline(never)]
fn last_element(elements: &[u8], out: &mut [u8], at: Place) -> Result<Place, Broken> {
    let tag = *elements.get(at.from).ok_or(ENDS)?;
    if tag & 3 == 0 {
        let short = usize::from(tag >> 2).wrapping_add(1);
        let size = short.saturating_sub(60);
        let start = at.from.wrapping_add(1).wrapping_add(size);
        let length = match size {
            0 => short,
            _ => little_endian(elements.get(at.from.wrapping_add(1)..start).ok_or(ENDS)?).wrapping_add(1),
        };
        let literal = elements.get(start..).and_then(|rest| rest.get(..length)).ok_or(ENDS)?;
        out.get_mut(at.to..).and_then(|rest| rest.get_mut(..length)).ok_or(TOO_LONG)?.copy_from_slice(literal);
        return Ok(Place { from: start, to: at.to }.past(length, length));
    }
    let (length, distance, size) = copy(elements, at)?;
    if distance == 0 || distance > at.to {
        return Err(TOO_FAR);
    }
    let end = at.to.wrapping_add(length);
    let touched = out.get_mut(at.to.wrapping_sub(distance)..end).ok_or(TOO_LONG)?;
    // In pieces no longer than the distance, each repeats what was there before it.
    let mut done = 0;
    while done < length {
        let piece = length.wrapping_sub(done).min(distance);
        touched.copy_within(done..done.wrapping_add(piece), done.wrapping_add(distance));
        done = done.wrapping_add(piece);
    }
    Ok(at.past(size, length))
}

/// A copy's length, its distance, and the bytes that say so.
fn copy(elements: &[u8], at: Place) -> Result<(usize, usize, usize), Broken> {
    let tag = *elements.get(at.from).ok_or(ENDS)?;
    let size = match tag & 3 {
        1 => 1,
        2 => 2,
        _ => 4,
    };
    let start = at.from.wrapping_add(1);
    let distance = little_endian(elements.get(start..start.wrapping_add(size)).ok_or(ENDS)?);
    Ok(match size {
        1 => (usize::from(tag >> 2 & 7).wrapping_add(4), distance | usize::from(tag >> 5) << 8, 2),
        _ => (usize::from(tag >> 2).wrapping_add(1), distance, size.wrapping_add(1)),
    })
}

/// A number of up to four bytes.
fn little_endian(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) as usize
}

#[inline(always)]
fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Result<&[u8; N], Broken> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(ENDS)
}

#[inline(always)]
fn chunk_mut<const N: usize>(bytes: &mut [u8], at: usize) -> Result<&mut [u8; N], Broken> {
    bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()).ok_or(TOO_LONG)
}
