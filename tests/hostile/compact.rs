//! Files made by hand, footer and page headers field by field: what no writer would write.

use bytes::Bytes;

/// The fields of a Thrift struct in the compact protocol, in the order of their ids.
#[derive(Clone, Default)]
pub struct Fields {
    bytes: Vec<u8>,
    last: i16,
}

impl Fields {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn int(self, id: i16, value: i64) -> Self {
        self.with(id, 6, &varint(((value << 1) ^ (value >> 63)).cast_unsigned()))
    }

    /// An integer of 32 bits.
    pub fn i32(self, id: i16, value: i64) -> Self {
        self.with(id, 5, &varint(((value << 1) ^ (value >> 63)).cast_unsigned()))
    }

    pub fn text(self, id: i16, text: &str) -> Self {
        let length = varint(text.len() as u64);
        self.with(id, 8, &[&length, text.as_bytes()].concat())
    }

    pub fn fields(self, id: i16, fields: Fields) -> Self {
        self.with(id, 12, &fields.end())
    }

    /// A list of structs, which were ended already.
    pub fn list(self, id: i16, structs: &[Vec<u8>]) -> Self {
        self.with(id, 9, &[&[0xfc][..], &varint(structs.len() as u64), &structs.concat()].concat())
    }

    pub fn i32s(self, id: i16, values: &[i64]) -> Self {
        let values: Vec<u8> = values.iter().flat_map(|value| varint(((value << 1) ^ (value >> 63)).cast_unsigned())).collect();
        self.with(id, 9, &[&[0xf5, (values.len()) as u8][..], &values].concat())
    }

    pub fn texts(self, id: i16, texts: &[&str]) -> Self {
        let all: Vec<u8> = texts.iter().flat_map(|text| [&varint(text.len() as u64)[..], text.as_bytes()].concat()).collect();
        self.with(id, 9, &[&[0xf8, texts.len() as u8][..], &all].concat())
    }

    pub fn flag(self, id: i16, value: bool) -> Self {
        self.with(id, if value { 1 } else { 2 }, &[])
    }

    fn with(mut self, id: i16, wire: u8, value: &[u8]) -> Self {
        match id - self.last {
            step @ 1..=15 => self.bytes.push((step as u8) << 4 | wire),
            _ => self.bytes.extend([&[wire][..], &varint(((id << 1) ^ (id >> 15)) as u64)].concat()),
        }
        self.bytes.extend_from_slice(value);
        self.last = id;
        self
    }

    pub fn end(&self) -> Vec<u8> {
        [&self.bytes[..], &[0]].concat()
    }
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

pub const INT64: i64 = 2;
pub const BYTE_ARRAY: i64 = 6;
pub const FIXED_LEN_BYTE_ARRAY: i64 = 7;
pub const REQUIRED: i64 = 0;
pub const OPTIONAL: i64 = 1;

/// A group of the schema.
pub fn group(name: &str, children: usize) -> Vec<u8> {
    Fields::new().i32(3, OPTIONAL).text(4, name).i32(5, children as i64).end()
}

/// A leaf of the schema.
pub fn leaf(name: &str, physical_type: i64, repetition: i64) -> Vec<u8> {
    Fields::new().i32(1, physical_type).i32(3, repetition).text(4, name).end()
}

/// A leaf of byte arrays that are all `width` bytes long.
pub fn fixed_leaf(name: &str, width: i64, repetition: i64) -> Vec<u8> {
    Fields::new().i32(1, FIXED_LEN_BYTE_ARRAY).i32(2, width).i32(3, repetition).text(4, name).end()
}

/// A page with its header: a dictionary page, or a data page of the first version.
pub fn page(dictionary: bool, values: i64, encoding: i64, uncompressed: usize, body: &[u8]) -> Vec<u8> {
    let header = Fields::new().i32(1, if dictionary { 2 } else { 0 }).i32(2, uncompressed as i64).i32(3, body.len() as i64);
    let header = match dictionary {
        true => header.fields(7, Fields::new().i32(1, values).i32(2, encoding)),
        false => header.fields(5, Fields::new().i32(1, values).i32(2, encoding).i32(3, 3).i32(4, 3)),
    };
    [header.end(), body.to_vec()].concat()
}

/// A column chunk of the bytes `at..at + size` of the file.
pub fn chunk(name: &str, physical_type: i64, codec: i64, values: i64, at: usize, size: usize) -> Vec<u8> {
    let meta = Fields::new().i32(1, physical_type).i32s(2, &[0, 3, 8]).texts(3, &[name]).i32(4, codec).int(5, values);
    let meta = meta.int(6, size as i64).int(7, size as i64).int(9, at as i64);
    Fields::new().int(2, at as i64).fields(3, meta).end()
}

pub fn row_group(chunks: &[Vec<u8>], rows: i64) -> Vec<u8> {
    Fields::new().list(1, chunks).int(2, 100).int(3, rows).end()
}

/// A file of these pages; the schema begins with its root.
pub fn file(pages: &[u8], schema: &[Vec<u8>], rows: i64, groups: &[Vec<u8>]) -> Bytes {
    let footer = Fields::new().i32(1, 2).list(2, schema).int(3, rows).list(4, groups).end();
    let length = (footer.len() as u32).to_le_bytes();
    Bytes::from([b"PAR1", pages, &footer, &length, b"PAR1"].concat())
}
