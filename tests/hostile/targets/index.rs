//! Page indexes and bloom filters, where a file has them.

use bytes::Bytes;
use herringbone::read;

use super::walk::{walk_bloom_filter, walk_indexes};
use super::{judge, limits};

pub fn run(data: &[u8]) {
    walk_bloom_filter(data);
    let file = Bytes::copy_from_slice(data);
    match read::metadata(&file, &limits()) {
        Ok(metadata) => walk_indexes(&file, &metadata),
        Err(error) => judge(&error),
    }
}
