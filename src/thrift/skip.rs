//! Stepping over values without looking at them: what opening a file of thousands of columns costs.
//!
//! Positions are passed in and out instead of a reader, so that they stay in registers. The columns of a file look alike,
//! so their branches are predicted: a chunk of 124 bytes takes 39 ns. Slower were, on the same footer of 80,000 chunks:
//! a `match` on the type, whose indirect jump is predicted worse (50 ns); counting a varint's bytes in one load of eight,
//! which makes each position wait for the load before it (60 to 70 ns); a stack of our own instead of recursion (46 ns).
//!
//! The walk is written once: what notes which bytes decided where it goes ([`Marks`]) is a parameter, and `()` notes nothing.

use crate::error::{Error, Result};
use crate::thrift::Wire;
use crate::thrift::decode::{MAX_DEPTH, ended, too_deep, too_many};

/// What is noted of the bytes that decide where a value ends.
pub(super) trait Marks {
    /// These bits of the byte at `at` decide: [`ALL`], or [`GOES_ON`].
    fn mark(&mut self, at: usize, bits: u8);
}

/// A byte that decides as a whole.
pub(super) const ALL: u8 = 0xff;

/// The bit of a number's byte that says whether another one follows.
pub(super) const GOES_ON: u8 = 0x80;

impl Marks for () {
    #[inline(always)]
    fn mark(&mut self, _at: usize, _bits: u8) {}
}

/// The end of the struct that begins at `at`, inside `depth` others.
pub(super) fn fields(bytes: &[u8], mut at: usize, depth: u32, marks: &mut impl Marks) -> Result<usize> {
    let depth = deeper(depth)?;
    loop {
        let header = *bytes.get(at).ok_or_else(ended)?;
        marks.mark(at, ALL);
        at = at.wrapping_add(1);
        if header & 0x0f == 0 {
            return Ok(at);
        }
        if header < 0x10 {
            at = varint(bytes, at, marks)?;
        }
        // Conditions on bits, most frequent types first: a chain of comparisons would be compiled to a jump table.
        if header & 0x0c == 0x04 {
            // 16, 32 or 64 bits; or a double.
            at = if header & 0x03 == 3 { step(bytes, at, 8)? } else { varint(bytes, at, marks)? };
        } else if header & 0x0f == 8 {
            at = binary(bytes, at, marks)?;
        } else if header & 0x0c == 0 {
            // A boolean is its type.
            if header & 0x03 == 3 {
                at = rare_value(bytes, at, header & 0x0f, depth, marks)?;
            }
        } else if header & 0x0f == 12 {
            at = fields(bytes, at, depth, marks)?;
        } else if header & 0x0f == 9 {
            at = list(bytes, at, depth, marks)?;
        } else {
            at = rare_value(bytes, at, header & 0x0f, depth, marks)?;
        }
    }
}

/// A field value of one of the types that the format hardly has; apart, so that the loop above keeps its registers.
#[inline(never)]
fn rare_value(bytes: &[u8], at: usize, nibble: u8, depth: u32, marks: &mut impl Marks) -> Result<usize> {
    field_value(bytes, at, Wire::from_nibble(nibble)?, depth, marks)
}

/// The end of the field value of type `wire` that begins at `at`, inside `depth` structs.
pub(super) fn field_value(bytes: &[u8], at: usize, wire: Wire, depth: u32, marks: &mut impl Marks) -> Result<usize> {
    match wire {
        Wire::True | Wire::False => Ok(at),
        other => element(bytes, at, other, depth, marks),
    }
}

/// The end of the list element of type `wire` that begins at `at`.
fn element(bytes: &[u8], at: usize, wire: Wire, depth: u32, marks: &mut impl Marks) -> Result<usize> {
    match wire {
        Wire::True | Wire::False | Wire::I8 => step(bytes, at, 1),
        Wire::I16 | Wire::I32 | Wire::I64 => varint(bytes, at, marks),
        Wire::Double => step(bytes, at, 8),
        Wire::Uuid => step(bytes, at, 16),
        Wire::Binary => binary(bytes, at, marks),
        Wire::List | Wire::Set => list(bytes, at, depth, marks),
        Wire::Map => map(bytes, at, depth, marks),
        Wire::Struct => fields(bytes, at, depth, marks),
    }
}

fn list(bytes: &[u8], at: usize, depth: u32, marks: &mut impl Marks) -> Result<usize> {
    let depth = deeper(depth)?;
    let header = *bytes.get(at).ok_or_else(ended)?;
    marks.mark(at, ALL);
    let mut at = at.wrapping_add(1);
    let length = match header >> 4 {
        15 => {
            let (length, end) = length(bytes, at, marks)?;
            at = end;
            length
        }
        short => u64::from(short),
    };
    if length == 0 {
        return Ok(at);
    }
    let left = bytes.len().saturating_sub(at);
    if length > left as u64 {
        return Err(too_many("list", length, left));
    }
    let wire = header & 0x0f;
    if wire == 5 || wire == 6 {
        for _ in 0..length {
            at = varint(bytes, at, marks)?;
        }
    } else if wire == 8 {
        for _ in 0..length {
            at = binary(bytes, at, marks)?;
        }
    } else if wire == 12 {
        for _ in 0..length {
            at = fields(bytes, at, depth, marks)?;
        }
    } else {
        at = rare_elements(bytes, at, wire, length, depth, marks)?;
    }
    Ok(at)
}

#[inline(never)]
fn rare_elements(bytes: &[u8], mut at: usize, nibble: u8, length: u64, depth: u32, marks: &mut impl Marks) -> Result<usize> {
    let wire = Wire::from_nibble(nibble)?;
    for _ in 0..length {
        at = element(bytes, at, wire, depth, marks)?;
    }
    Ok(at)
}

fn map(bytes: &[u8], at: usize, depth: u32, marks: &mut impl Marks) -> Result<usize> {
    let depth = deeper(depth)?;
    let (length, mut at) = length(bytes, at, marks)?;
    if length == 0 {
        return Ok(at);
    }
    let left = bytes.len().saturating_sub(at);
    if length > left as u64 {
        return Err(too_many("map", length, left));
    }
    let types = *bytes.get(at).ok_or_else(ended)?;
    marks.mark(at, ALL);
    at = at.wrapping_add(1);
    let (key, value) = (Wire::from_nibble(types >> 4)?, Wire::from_nibble(types & 0x0f)?);
    for _ in 0..length {
        at = element(bytes, at, key, depth, marks)?;
        at = element(bytes, at, value, depth, marks)?;
    }
    Ok(at)
}

#[inline]
fn deeper(depth: u32) -> Result<u32> {
    if depth >= MAX_DEPTH { Err(too_deep()) } else { Ok(depth.wrapping_add(1)) }
}

#[inline(always)]
fn step(bytes: &[u8], at: usize, by: usize) -> Result<usize> {
    match at.checked_add(by) {
        Some(end) if end <= bytes.len() => Ok(end),
        _ => Err(ended()),
    }
}

#[inline(always)]
fn binary(bytes: &[u8], at: usize, marks: &mut impl Marks) -> Result<usize> {
    let first = *bytes.get(at).ok_or_else(ended)?;
    if first < 0x80 {
        marks.mark(at, ALL);
        return step(bytes, at.wrapping_add(1), usize::from(first));
    }
    let (length, end) = length(bytes, at, marks)?;
    step(bytes, end, usize::try_from(length).map_err(|_| ended())?)
}

/// The length that begins at `at`, and its end.
#[inline(always)]
fn length(bytes: &[u8], at: usize, marks: &mut impl Marks) -> Result<(u64, usize)> {
    let (length, end) = value_of_varint(bytes, at)?;
    (at..end).for_each(|at| marks.mark(at, ALL));
    Ok((length, end))
}

/// The end of the varint that begins at `at`.
#[inline(always)]
fn varint(bytes: &[u8], at: usize, marks: &mut impl Marks) -> Result<usize> {
    let end = varint_end(bytes, at)?;
    (at..end).for_each(|at| marks.mark(at, GOES_ON));
    Ok(end)
}

#[inline(always)]
fn varint_end(bytes: &[u8], at: usize) -> Result<usize> {
    // Offsets in files of a few GiB have five bytes.
    if *bytes.get(at).ok_or_else(ended)? < 0x80 {
        return Ok(at.wrapping_add(1));
    }
    if *bytes.get(at.wrapping_add(1)).ok_or_else(ended)? < 0x80 {
        return Ok(at.wrapping_add(2));
    }
    if *bytes.get(at.wrapping_add(2)).ok_or_else(ended)? < 0x80 {
        return Ok(at.wrapping_add(3));
    }
    if *bytes.get(at.wrapping_add(3)).ok_or_else(ended)? < 0x80 {
        return Ok(at.wrapping_add(4));
    }
    if *bytes.get(at.wrapping_add(4)).ok_or_else(ended)? < 0x80 {
        return Ok(at.wrapping_add(5));
    }
    value_of_varint(bytes, at).map(|(_, end)| end)
}

/// The varint that begins at `at`, and its end.
#[inline(never)]
fn value_of_varint(bytes: &[u8], at: usize) -> Result<(u64, usize)> {
    let mut value = 0;
    for (i, &byte) in bytes.get(at..).unwrap_or_default().iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).wrapping_shl(7_u32.wrapping_mul(i as u32));
        if byte < 0x80 {
            return Ok((value, at.wrapping_add(i).wrapping_add(1)));
        }
    }
    let left = bytes.len().saturating_sub(at);
    Err(if left < 10 { ended() } else { Error::malformed("Thrift integer longer than 10 bytes") })
}
