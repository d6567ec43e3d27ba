//! A file of one column, made by hand.

use arbitrary::Arbitrary;

use crate::compact::{Fields, group, row_group};

/// What the footer says of the column and its chunk.
#[derive(Arbitrary, Debug)]
pub struct Column {
    physical_type: u8,
    width: u8,
    codec: u8,
    nesting: u8,
    values: u16,
    rows: u16,
}

impl Column {
    /// A footer; the chunk's pages lie at `at`, and take `size` bytes.
    pub fn footer(&self, at: i64, size: i64) -> Vec<u8> {
        let physical_type = i64::from(self.physical_type % 8);
        let leaf = |name: &str, repetition: i64| {
            Fields::new().i32(1, physical_type).i32(2, i64::from(self.width)).i32(3, repetition).text(4, name).end()
        };
        let many = Fields::new().i32(3, 2).text(4, "list").i32(5, 1).end();
        let (schema, path) = match self.nesting % 4 {
            nesting @ 0..=2 => (vec![group("m", 1), leaf("x", i64::from(nesting))], vec!["x"]),
            _ => (vec![group("m", 1), group("x", 1), many, leaf("element", 1)], vec!["x", "list", "element"]),
        };
        let rows = i64::from(if self.nesting % 4 < 2 { self.values } else { self.rows });
        let meta = Fields::new().i32(1, physical_type).i32s(2, &[0, 3, 8]).texts(3, &path).i32(4, i64::from(self.codec % 8));
        let meta = meta.int(5, i64::from(self.values)).int(6, size).int(7, size).int(9, at);
        let chunk = Fields::new().int(2, at).fields(3, meta).end();
        Fields::new().i32(1, 2).list(2, &schema).int(3, rows).list(4, &[row_group(&[chunk], rows)]).end()
    }

    /// A file with these pages.
    pub fn file(&self, pages: &[u8]) -> bytes::Bytes {
        let footer = self.footer(4, pages.len() as i64);
        let length = (footer.len() as u32).to_le_bytes();
        [b"PAR1", pages, &footer, &length, b"PAR1"].concat().into()
    }
}
