//! Any bytes as the pages of a column chunk: headers, decompression, levels, values, rows.

use arbitrary::Arbitrary;
use herringbone::read;

use super::decode::walk_pages;
use super::{judge, limits, split};
use crate::compact::{Fields, file, group, row_group};

/// What is said about the pages.
#[derive(Arbitrary, Debug)]
struct Control {
    physical_type: u8,
    width: u8,
    codec: u8,
    nesting: u8,
    values: u16,
    rows: u16,
}

pub fn run(data: &[u8]) {
    let Some((control, pages)) = split::<Control>(data) else { return };
    let file = control.file(pages);
    match read::metadata(&file, &limits()) {
        Ok(metadata) => walk_pages(&file, &metadata),
        Err(error) => judge(&error),
    }
}

impl Control {
    /// A file of one column whose chunk is these pages.
    fn file(&self, pages: &[u8]) -> bytes::Bytes {
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
        let meta = meta.int(5, i64::from(self.values)).int(6, pages.len() as i64).int(7, pages.len() as i64).int(9, 4);
        let chunk = Fields::new().int(2, 4).fields(3, meta).end();
        file(pages, &schema, rows, &[row_group(&[chunk], rows)])
    }
}
