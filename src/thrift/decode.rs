//! Reading the compact protocol from a slice.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::thrift::skip::{self, Marks};

/// How deep structs may nest while reading or skipping.
pub(super) const MAX_DEPTH: u32 = 64;

/// How much memory a list reserves on the mere word of its header; it grows as elements arrive.
const FIRST_CAPACITY_BYTES: usize = 1 << 14;

/// The type nibble of the compact protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    True,
    False,
    I8,
    I16,
    I32,
    I64,
    Double,
    Binary,
    List,
    Set,
    Map,
    Struct,
    Uuid,
}

impl Wire {
    #[inline]
    pub(super) fn from_nibble(nibble: u8) -> Result<Self> {
        Ok(match nibble {
            1 => Wire::True,
            2 => Wire::False,
            3 => Wire::I8,
            4 => Wire::I16,
            5 => Wire::I32,
            6 => Wire::I64,
            7 => Wire::Double,
            8 => Wire::Binary,
            9 => Wire::List,
            10 => Wire::Set,
            11 => Wire::Map,
            12 => Wire::Struct,
            13 => Wire::Uuid,
            other => return Err(Error::malformed(format!("Thrift type {other} does not exist"))),
        })
    }

    /// The fewest bytes that a list element of this type takes.
    pub(super) fn smallest(self) -> usize {
        match self {
            Wire::Double => 8,
            Wire::Uuid => 16,
            _ => 1,
        }
    }

    /// Whether values of the two types are read alike.
    #[inline]
    pub(crate) fn is_like(self, other: Wire) -> bool {
        self == other || (matches!(self, Wire::True | Wire::False) && matches!(other, Wire::True | Wire::False))
    }
}

/// The header of one field in a struct.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldHeader {
    pub(crate) id: i16,
    pub(crate) wire: Wire,
}

/// A cursor over bytes of the compact protocol.
///
/// Memory that decoded lists take is charged to a budget, because one byte of input can become a struct of hundreds.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    budget: usize,
}

/// A value that can be read from the compact protocol.
pub(crate) trait Decode<'a>: Sized {
    /// The type it has on the wire.
    const WIRE: Wire;

    /// Reads a list element or, but for booleans, a field's value.
    fn decode(reader: &mut Reader<'a>) -> Result<Self>;

    /// Whether a field of this type is read from the wire type; others are skipped.
    #[inline]
    fn is_read_from(wire: Wire) -> bool {
        wire.is_like(Self::WIRE)
    }

    /// Reads a field's value.
    #[inline]
    fn decode_field(reader: &mut Reader<'a>, _wire: Wire) -> Result<Self> {
        Self::decode(reader)
    }
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes` whose lists may take `budget` bytes of memory.
    pub(crate) fn new(bytes: &'a [u8], budget: usize) -> Self {
        Self { bytes, at: 0, depth: 0, budget }
    }

    /// How many bytes have been read.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    #[inline]
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.at).ok_or_else(ended)?;
        self.at = self.at.wrapping_add(1);
        Ok(byte)
    }

    /// The next `n` bytes.
    #[inline]
    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(n).ok_or_else(ended)?;
        let taken = self.bytes.get(self.at..end).ok_or_else(ended)?;
        self.at = end;
        Ok(taken)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        self.long_varint(u64::from(first & 0x7f))
    }

    fn long_varint(&mut self, first: u64) -> Result<u64> {
        let mut value = first;
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::malformed("Thrift integer longer than 10 bytes"))
    }

    #[inline]
    fn zigzag(&mut self) -> Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg())
    }

    /// A string's or a binary's bytes.
    #[inline]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8]> {
        let length = usize::try_from(self.varint()?).map_err(|_| ended())?;
        self.take(length)
    }

    /// The header of the next field of a struct, or `None` at its end; `last` is the previous field's id.
    #[inline]
    pub(crate) fn field(&mut self, last: &mut i16) -> Result<Option<FieldHeader>> {
        let byte = self.byte()?;
        // The type alone says that a struct ends, as other readers have it; the id beside it means nothing then.
        if byte & 0x0f == 0 {
            return Ok(None);
        }
        let wire = Wire::from_nibble(byte & 0x0f)?;
        let delta = byte >> 4;
        let id = if delta == 0 {
            i16::try_from(self.zigzag()?).map_err(|_| Error::malformed("Thrift field id outside 16 bits"))?
        } else {
            last.checked_add(i16::from(delta)).ok_or_else(|| Error::malformed("Thrift field id outside 16 bits"))?
        };
        *last = id;
        Ok(Some(FieldHeader { id, wire }))
    }

    /// The element type and length of a list; the length is no more than the bytes left allow.
    #[inline]
    pub(crate) fn list(&mut self) -> Result<(Wire, usize)> {
        let byte = self.byte()?;
        let length = match byte >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        if length == 0 {
            return Ok((Wire::from_nibble(byte & 0x0f).unwrap_or(Wire::Struct), 0));
        }
        let wire = Wire::from_nibble(byte & 0x0f)?;
        let most = self.remaining().checked_div(wire.smallest()).unwrap_or(0);
        match usize::try_from(length) {
            Ok(length) if length <= most => Ok((wire, length)),
            _ => Err(too_many("list", length, self.remaining())),
        }
    }

    /// Enters a struct; [`leave`](Self::leave) must follow.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<()> {
        self.depth = self.depth.wrapping_add(1);
        if self.depth > MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
    }

    #[inline]
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.wrapping_sub(1);
    }

    /// Charges memory to the budget.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<()> {
        self.budget =
            self.budget.checked_sub(bytes).ok_or_else(|| Error::limit("the metadata takes more memory than Limits::metadata_bytes"))?;
        Ok(())
    }

    /// Gives back what was charged for memory that is free again.
    pub(super) fn refund(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_add(bytes);
    }

    /// Skips a struct. Wide files spend their time here: see the `skip` module.
    #[inline]
    pub(crate) fn skip_struct(&mut self) -> Result<()> {
        self.at = skip::fields(self.bytes, self.at, self.depth, &mut ())?;
        Ok(())
    }

    /// Skips a struct and notes what decides where it ends.
    pub(super) fn skip_marking(&mut self, marks: &mut impl Marks) -> Result<()> {
        self.at = skip::fields(self.bytes, self.at, self.depth, marks)?;
        Ok(())
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Goes to a position that was found to be the end of a value.
    pub(super) fn move_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Skips a field's value.
    #[inline]
    pub(crate) fn skip(&mut self, wire: Wire) -> Result<()> {
        self.at = skip::field_value(self.bytes, self.at, wire, self.depth, &mut ())?;
        Ok(())
    }
}

#[cold]
pub(super) fn ended() -> Error {
    Error::malformed("the Thrift bytes end too early")
}

#[cold]
pub(super) fn too_deep() -> Error {
    Error::limit(format!("Thrift structs nest more than {MAX_DEPTH} deep"))
}

#[cold]
pub(super) fn too_many(what: &str, claimed: u64, left: usize) -> Error {
    Error::malformed(format!("a Thrift {what} claims {claimed} elements, but {left} bytes are left"))
}

macro_rules! decode_integer {
    ($($type:ty, $wire:ident;)*) => {$(
        impl Decode<'_> for $type {
            const WIRE: Wire = Wire::$wire;

            #[inline]
            fn decode(reader: &mut Reader<'_>) -> Result<Self> {
                let value = reader.zigzag()?;
                <$type>::try_from(value).map_err(|_| Error::malformed(concat!("Thrift integer outside ", stringify!($type))))
            }
        }
    )*};
}

decode_integer! { i16, I16; i32, I32; i64, I64; }

impl Decode<'_> for i8 {
    const WIRE: Wire = Wire::I8;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        reader.byte().map(u8::cast_signed)
    }
}

impl Decode<'_> for bool {
    const WIRE: Wire = Wire::True;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(reader.byte()? == 1)
    }

    #[inline]
    fn decode_field(_reader: &mut Reader<'_>, wire: Wire) -> Result<Self> {
        Ok(wire == Wire::True)
    }
}

impl Decode<'_> for f64 {
    const WIRE: Wire = Wire::Double;

    #[inline]
    fn decode(reader: &mut Reader<'_>) -> Result<Self> {
        reader.take(8)?.first_chunk().map(|bytes| f64::from_le_bytes(*bytes)).ok_or_else(ended)
    }
}

impl<'a> Decode<'a> for &'a [u8] {
    const WIRE: Wire = Wire::Binary;

    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self> {
        reader.binary()
    }
}

impl<'a> Decode<'a> for Cow<'a, [u8]> {
    const WIRE: Wire = Wire::Binary;

    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self> {
        reader.binary().map(Cow::Borrowed)
    }
}

/// Text that is not UTF-8 reads with replacement characters: a name is no reason to refuse a file.
impl<'a> Decode<'a> for Cow<'a, str> {
    const WIRE: Wire = Wire::Binary;

    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self> {
        // What only looks is faster than what replaces, and a stored Arrow schema may have a megabyte.
        reader.binary().map(|bytes| std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed))
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    const WIRE: Wire = Wire::List;

    fn decode(reader: &mut Reader<'a>) -> Result<Self> {
        reader.enter()?;
        // The field decides what its elements are, as in readers whose code is generated: a list that names another type is
        // broken, and whether that shows is decided by its elements.
        let (_, length) = reader.list()?;
        reader.charge(length.saturating_mul(size_of::<T>()))?;
        let mut values = Vec::with_capacity(length.min(FIRST_CAPACITY_BYTES.checked_div(size_of::<T>()).unwrap_or(0)));
        for _ in 0..length {
            values.push(T::decode(reader)?);
        }
        reader.leave();
        Ok(values)
    }
}
