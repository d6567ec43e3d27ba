//! The end of a file, and the footer in it, asked for everything.

use bytes::Bytes;
use herringbone::FileMetadata;
use herringbone::metadata::footer::Tail;

use super::walk::walk_metadata;
use super::{judge, limits};

pub fn run(data: &[u8]) {
    // The bytes as a footer without its frame, and as the end of a file that may be much larger.
    let size = 1 << 40;
    let footer = match Tail::parse(data, size, &limits()) {
        Ok(tail) => {
            assert!(tail.footer().start <= tail.footer().end && tail.footer().end <= size);
            tail.footer_in(data).unwrap_or(data)
        }
        Err(error) => {
            judge(&error);
            data
        }
    };
    match FileMetadata::parse(Bytes::copy_from_slice(footer), size, &limits()) {
        Ok(metadata) => walk_metadata(&metadata),
        Err(error) => judge(&error),
    }
}
