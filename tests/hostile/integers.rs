//! The variable-length integers of a Thrift struct in the compact protocol: where they are, so that they can be replaced.

/// One integer of a struct, however deep.
#[derive(Clone, Copy, Debug)]
pub struct Integer {
    /// Where its bytes begin in the struct, and how many they are.
    pub at: usize,
    pub len: usize,
    pub kind: Kind,
    /// What it is: a value, a number of bytes or of elements.
    pub value: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A field's value or a list's element.
    Value,
    /// The length of a string.
    Length,
    /// The number of elements of a list whose elements have this type.
    Count(u8),
}

/// What integers are replaced by, beside their own neighbours.
pub const BOUNDARIES: &[i64] = &[
    0,
    1,
    -1,
    2,
    63,
    127,
    128,
    255,
    65_535,
    1 << 24,
    i32::MAX as i64 - 1,
    i32::MAX as i64,
    i32::MIN as i64,
    u32::MAX as i64,
    1 << 40,
    i64::MAX - 1,
    i64::MAX,
    i64::MIN,
];

impl Integer {
    /// The bytes of the same field with another value; lengths and counts take it as unsigned.
    pub fn encode(&self, value: i64) -> Vec<u8> {
        match self.kind {
            Kind::Value => varint(((value << 1) ^ (value >> 63)).cast_unsigned()),
            Kind::Length => varint(value.cast_unsigned()),
            Kind::Count(element) => [vec![0xf0 | element], varint(value.cast_unsigned())].concat(),
        }
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The integers of the struct at the start of `bytes`, and the struct's length; `None` if it is broken.
pub fn of_struct(bytes: &[u8]) -> Option<(Vec<Integer>, usize)> {
    let mut walk = Walk { bytes, at: 0, found: Vec::new() };
    walk.fields(0)?;
    Some((walk.found, walk.at))
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    found: Vec<Integer>,
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.at += 1;
        self.bytes.get(self.at - 1).copied()
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn fields(&mut self, depth: usize) -> Option<()> {
        while let header = self.byte()?
            && header & 15 != 0
        {
            if header >> 4 == 0 {
                self.varint()?;
            }
            if header & 15 > 2 {
                self.value(header & 15, depth)?;
            }
        }
        Some(())
    }

    fn value(&mut self, wire: u8, depth: usize) -> Option<()> {
        let at = self.at;
        match wire {
            1..=3 => self.at += 1,
            4..=6 => {
                let value = self.varint()?;
                let value = (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
                self.found.push(Integer { at, len: self.at - at, kind: Kind::Value, value });
            }
            7 => self.at += 8,
            8 => {
                let length = self.varint()?.cast_signed();
                self.found.push(Integer { at, len: self.at - at, kind: Kind::Length, value: length });
                self.at = self.at.checked_add(usize::try_from(length).ok()?)?;
            }
            9 | 10 => {
                let header = self.byte()?;
                let count = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
                self.found.push(Integer { at, len: self.at - at, kind: Kind::Count(header & 15), value: count.cast_signed() });
                for _ in 0..count {
                    self.value(header & 15, depth + 1)?;
                }
            }
            12 if depth < 60 => self.fields(depth + 1)?,
            _ => return None,
        }
        (self.at <= self.bytes.len()).then_some(())
    }
}

#[test]
fn integers_of_a_struct_are_found_and_replaced() {
    // Field 1: i32 = -3; field 2: a list of two strings; field 4: a struct of an i64 = 300.
    let bytes = [0x15, 5, 0x19, 0x28, 1, b'a', 0, 0x2c, 0x16, 0xd8, 4, 0, 0, 0xff];
    let (found, length) = of_struct(&bytes).expect("a struct");
    assert_eq!(length, 13);
    let values: Vec<_> = found.iter().map(|integer| (integer.at, integer.kind, integer.value)).collect();
    assert_eq!(values, [(1, Kind::Value, -3), (3, Kind::Count(8), 2), (4, Kind::Length, 1), (6, Kind::Length, 0), (9, Kind::Value, 300)]);
    assert_eq!(found[0].encode(-3), [5]);
    assert_eq!(found[1].encode(2), [0xf8, 2]);
    assert_eq!(found[4].encode(300), [0xd8, 4]);
    assert_eq!(found[4].encode(i64::MIN).len(), 10);
    assert!(of_struct(&bytes[..12]).is_none());
}
