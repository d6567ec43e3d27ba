//! Reading a file's footer.

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::metadata::FileMetadata;
use crate::metadata::footer::{Tail, no_magic_at_end};
use crate::read::Source;

/// How much of a file's end is read at first: most footers are smaller, so that one read is enough.
const TAIL: u64 = 64 << 10;

/// Reads the metadata of a file: one read of its last 64 KiB, and a second one where the footer is larger.
///
/// ```
/// use herringbone::{ErrorKind, Limits, read};
/// let error = read::metadata(&bytes::Bytes::from_static(b"not a Parquet file"), &Limits::default()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Malformed);
/// ```
///
/// # Errors
/// `Io` from the source; `Malformed` for a file that is empty, truncated, or no Parquet file at all; `Unsupported` when its
/// footer is encrypted; `Limit` when the footer is larger than [`Limits::footer_bytes`].
pub fn metadata(source: &(impl Source + ?Sized), limits: &Limits) -> Result<FileMetadata> {
    let size = source.size()?;
    let from = size.saturating_sub(TAIL);
    let last = source.read(from..size)?;
    let tail = match Tail::parse(&last, size, limits) {
        Ok(tail) => tail,
        // A file whose end is missing begins like one all the same.
        Err(error) if from > 0 && !last.ends_with(b"PAR1") && !last.ends_with(b"PARE") => {
            return Err(source.read(0..4).map_or(error, |first| no_magic_at_end(&first).at_offset(size.saturating_sub(8))));
        }
        Err(error) => return Err(error),
    };
    let footer = match tail.footer_range_in(last.len()) {
        Some(range) => last.slice(range),
        None => source.read(tail.footer())?,
    };
    if footer.len() as u64 != tail.footer().end.saturating_sub(tail.footer().start) {
        return Err(Error::from(std::io::Error::other("the source gave fewer or more bytes than asked for")));
    }
    FileMetadata::parse(footer, size, limits)
}
