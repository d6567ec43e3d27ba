//! Reading single values out of a flatbuffer without having verified all of it: each step checks its own bounds.

/// A table: its values are found through a list of offsets, the vtable.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A vector of tables.
#[derive(Clone, Copy)]
pub(crate) struct Vector<'a> {
    bytes: &'a [u8],
    start: usize,
    len: usize,
}

impl<'a> Table<'a> {
    /// The table that the buffer begins with.
    pub(crate) fn root(bytes: &'a [u8]) -> Option<Self> {
        Self::at(bytes, follow(bytes, 0)?)
    }

    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        // The vtable must be there, so that absent slots and broken tables are told apart.
        let table = Self { bytes, at };
        table.vtable()?;
        Some(table)
    }

    /// A number of 8 bits, or its default where the table has none; `None` when the table is broken.
    pub(crate) fn u8(self, slot: u16, default: u8) -> Option<u8> {
        self.scalar(slot, default, |[byte]: [u8; 1]| byte)
    }

    /// A number of 16 bits, or its default.
    pub(crate) fn i16(self, slot: u16, default: i16) -> Option<i16> {
        self.scalar(slot, default, i16::from_le_bytes)
    }

    /// A number of 32 bits, or its default.
    pub(crate) fn i32(self, slot: u16, default: i32) -> Option<i32> {
        self.scalar(slot, default, i32::from_le_bytes)
    }

    /// A table that it refers to.
    pub(crate) fn table(self, slot: u16) -> Option<Table<'a>> {
        Table::at(self.bytes, follow(self.bytes, self.slot(slot)?)?)
    }

    /// A vector of tables that it refers to.
    pub(crate) fn vector(self, slot: u16) -> Option<Vector<'a>> {
        let (start, len) = self.counted(slot)?;
        // All of its offsets must be there.
        self.bytes.get(start..start.checked_add(len.checked_mul(4)?)?)?;
        Some(Vector { bytes: self.bytes, start, len })
    }

    /// The bytes of a text that it refers to. Whether they are text is for the caller to see, who may have read too many of them already.
    pub(crate) fn text(self, slot: u16) -> Option<&'a [u8]> {
        let (start, len) = self.counted(slot)?;
        self.bytes.get(start..start.checked_add(len)?)
    }

    /// Start and length of what is preceded by a count.
    fn counted(self, slot: u16) -> Option<(usize, usize)> {
        let at = follow(self.bytes, self.slot(slot)?)?;
        let len = usize::try_from(u32::from_le_bytes(load(self.bytes, at)?)).ok()?;
        Some((at.checked_add(4)?, len))
    }

    fn scalar<T, const N: usize>(self, slot: u16, default: T, read: impl Fn([u8; N]) -> T) -> Option<T> {
        match self.slot(slot) {
            Some(at) => Some(read(load(self.bytes, at)?)),
            None => Some(default),
        }
    }

    /// Where a slot's value is.
    fn slot(self, slot: u16) -> Option<usize> {
        let (vtable, size) = self.vtable()?;
        if slot.checked_add(2)? > size {
            return None;
        }
        let offset = u16::from_le_bytes(load(self.bytes, vtable.checked_add(usize::from(slot))?)?);
        if offset == 0 {
            return None;
        }
        self.at.checked_add(usize::from(offset))
    }

    /// Where the vtable is, and its size in bytes.
    fn vtable(self) -> Option<(usize, u16)> {
        let back = i64::from(i32::from_le_bytes(load(self.bytes, self.at)?));
        let vtable = usize::try_from(i64::try_from(self.at).ok()?.checked_sub(back)?).ok()?;
        Some((vtable, u16::from_le_bytes(load(self.bytes, vtable)?)))
    }
}

impl<'a> Vector<'a> {
    /// The number of tables.
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// The table at an index.
    pub(crate) fn table(self, index: usize) -> Option<Table<'a>> {
        if index >= self.len {
            return None;
        }
        Table::at(self.bytes, follow(self.bytes, self.start.checked_add(index.checked_mul(4)?)?)?)
    }
}

/// Where the offset at `at` leads.
fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(usize::try_from(u32::from_le_bytes(load(bytes, at)?)).ok()?)
}

fn load<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}
