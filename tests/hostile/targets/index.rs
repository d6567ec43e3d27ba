//! Page indexes and bloom filters: any bytes as those of a column.

use arbitrary::Arbitrary;
use bytes::Bytes;
use herringbone::FileMetadata;

use super::column::Column;
use super::walk::{walk_bloom_filter, walk_column_index, walk_offset_index};
use super::{judge, limits, split};

#[derive(Arbitrary, Debug)]
struct Control {
    column: Column,
    /// Where the chunk lies.
    at: u32,
    size: u32,
    /// How many bytes are the offset index; the rest are the column index.
    offset_index: u16,
}

pub fn run(data: &[u8]) {
    walk_bloom_filter(data);
    let Some((control, bytes)) = split::<Control>(data) else { return };
    let footer = Bytes::from(control.column.footer(control.at.into(), control.size.into()));
    let metadata = match FileMetadata::parse(footer, 1 << 40, &limits()) {
        Ok(metadata) => metadata,
        Err(error) => return judge(&error),
    };
    let group = metadata.row_group(0).expect("the row group of the footer");
    let (offsets, columns) = bytes.split_at(usize::from(control.offset_index).min(bytes.len()));
    let pages = match group.parse_offset_index(0, offsets) {
        Ok(pages) => pages,
        Err(error) => return judge(&error),
    };
    walk_offset_index(&pages);
    match group.parse_column_index(0, columns, &pages) {
        Ok(index) => walk_column_index(&index, &pages),
        Err(error) => judge(&error),
    }
}
