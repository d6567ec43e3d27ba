//! Any bytes as the pages of a column chunk: headers, decompression, levels, values, rows.

use herringbone::read;

use super::column::Column;
use super::decode::walk_pages;
use super::{judge, limits, split};

pub fn run(data: &[u8]) {
    let Some((column, pages)) = split::<Column>(data) else { return };
    let file = column.file(pages);
    match read::metadata(&file, &limits()) {
        Ok(metadata) => walk_pages(&file, &metadata),
        Err(error) => judge(&error),
    }
}
