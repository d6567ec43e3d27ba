//! The end of a file: `… footer · length of the footer (4 bytes, little-endian) · PAR1`.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

/// What a file begins and ends with.
pub const MAGIC: [u8; 4] = *b"PAR1";

/// What a file with an encrypted footer begins and ends with.
pub const MAGIC_ENCRYPTED: [u8; 4] = *b"PARE";

/// The bytes behind the footer: its length and the magic number.
pub const TAIL_BYTES: usize = 8;

/// The shortest file: two magic numbers and a length.
const SMALLEST_FILE: u64 = 12;

/// Where the footer of a file is.
///
/// ```
/// use herringbone::Limits;
/// use herringbone::metadata::footer::Tail;
/// let last_bytes = [&[0; 30][..], &20_u32.to_le_bytes(), b"PAR1"].concat();
/// let tail = Tail::parse(&last_bytes, 1000, &Limits::default())?;
/// assert_eq!(tail.footer(), 972..992);
/// assert_eq!(tail.footer_in(&last_bytes).map(<[u8]>::len), Some(20));
/// # Ok::<(), herringbone::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    file_size: u64,
    footer: Range<u64>,
}

impl Tail {
    /// Finds the footer from the last bytes of a file of `file_size` bytes.
    ///
    /// At least [`TAIL_BYTES`] are needed, or the whole file if it is shorter. The more are given, the more likely the
    /// footer is among them and the more exactly a file that is none can be described.
    ///
    /// # Errors
    /// `Malformed` if the file is empty, no Parquet file, cut short, or shorter than its footer claims to be;
    /// `Unsupported` if the footer is encrypted; `Limit` if the footer is longer than [`Limits::footer_bytes`];
    /// `Usage` if fewer bytes are given than are needed.
    pub fn parse(last_bytes: &[u8], file_size: u64, limits: &Limits) -> Result<Self> {
        Self::find(last_bytes, file_size, limits).map_err(|error| match error.kind() {
            ErrorKind::Usage => error,
            _ => error.at_offset(file_size.saturating_sub(TAIL_BYTES as u64)),
        })
    }

    fn find(last_bytes: &[u8], file_size: u64, limits: &Limits) -> Result<Self> {
        let given = last_bytes.len() as u64;
        if file_size == 0 {
            return Err(Error::malformed("the file is empty"));
        }
        if given > file_size || given < file_size.min(TAIL_BYTES as u64) {
            return Err(Error::usage(format!(
                "{given} bytes were given as the end of a file of {file_size} bytes; {TAIL_BYTES} are needed"
            )));
        }
        let first_four = if given == file_size { last_bytes.first_chunk::<4>() } else { None };
        if file_size < SMALLEST_FILE {
            return Err(no_magic_at_end(first_four.map(|first| &first[..]).unwrap_or_default()));
        }
        let Some((_, [a, b, c, d, magic @ ..])) = last_bytes.split_last_chunk::<TAIL_BYTES>() else {
            return Err(Error::usage("fewer bytes were given than the end of a file has"));
        };
        match *magic {
            MAGIC => {}
            MAGIC_ENCRYPTED => return Err(Error::unsupported("the footer is encrypted (PARE), which this version cannot decrypt")),
            _ => return Err(first_four.map_or_else(neither, |first| no_magic_at_end(first))),
        }
        let length = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
        let end = file_size.saturating_sub(TAIL_BYTES as u64);
        if length > end {
            return Err(Error::malformed(format!("the footer claims {length} bytes, but the file has {file_size} in all")));
        }
        if length > limits.footer_bytes as u64 {
            let most = limits.footer_bytes;
            return Err(Error::limit(format!("the footer has {length} bytes, more than the {most} of Limits::footer_bytes")));
        }
        Ok(Self { file_size, footer: end.saturating_sub(length)..end })
    }

    /// The range of the footer in the file, in bytes.
    pub fn footer(&self) -> Range<u64> {
        self.footer.clone()
    }

    /// The footer, if it is among the last bytes of the file.
    pub fn footer_in<'b>(&self, last_bytes: &'b [u8]) -> Option<&'b [u8]> {
        last_bytes.get(self.footer_range_in(last_bytes.len())?)
    }

    /// The range of the footer in the last `given` bytes of the file, if it is among them.
    pub fn footer_range_in(&self, given: usize) -> Option<Range<usize>> {
        let begins_at = self.file_size.checked_sub(given as u64)?;
        let start = usize::try_from(self.footer.start.checked_sub(begins_at)?).ok()?;
        let end = usize::try_from(self.footer.end.checked_sub(begins_at)?).ok()?;
        (start <= end && end <= given).then_some(start..end)
    }
}

/// Why a file that begins with `first_bytes` and does not end in `PAR1` cannot be read: it is cut short, or no Parquet
/// file. [`Tail::parse`] knows which only when it is given the whole file.
pub fn no_magic_at_end(first_bytes: &[u8]) -> Error {
    if first_bytes.starts_with(&MAGIC) || first_bytes.starts_with(&MAGIC_ENCRYPTED) {
        Error::malformed("the file is truncated: it begins as a Parquet file but does not end in PAR1")
    } else {
        Error::malformed("not a Parquet file: it neither begins nor ends with PAR1")
    }
}

fn neither() -> Error {
    Error::malformed("not a Parquet file, or a truncated one: it does not end in PAR1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(last_bytes: &[u8], file_size: u64) -> Error {
        Tail::parse(last_bytes, file_size, &Limits { footer_bytes: 1000, ..Limits::default() }).unwrap_err()
    }

    fn ending(length: u32, magic: &[u8; 4]) -> Vec<u8> {
        [&length.to_le_bytes()[..], magic].concat()
    }

    #[test]
    fn each_failure_has_its_own_message() {
        let whole = |bytes: &[u8]| error(bytes, bytes.len() as u64);
        let cases = [
            (whole(b""), ErrorKind::Malformed, "is empty"),
            (whole(b"x"), ErrorKind::Malformed, "not a Parquet file"),
            (whole(b"PAR1"), ErrorKind::Malformed, "truncated"),
            (whole(b"PAR1PAR1"), ErrorKind::Malformed, "truncated"),
            (whole(b"PAR1\0\0\0\0PAR"), ErrorKind::Malformed, "truncated"),
            (whole(b"PAR1 and much data"), ErrorKind::Malformed, "truncated"),
            (whole(b"<html>no such page</html>"), ErrorKind::Malformed, "neither begins nor ends"),
            (error(b"and no end", 1000), ErrorKind::Malformed, "or a truncated one"),
            (error(&ending(100, b"PARE"), 1000), ErrorKind::Unsupported, "encrypted"),
            (error(&ending(993, b"PAR1"), 1000), ErrorKind::Malformed, "claims 993 bytes"),
            (error(&ending(u32::MAX, b"PAR1"), 1000), ErrorKind::Malformed, "claims 4294967295 bytes"),
            (error(&ending(1001, b"PAR1"), 10_000), ErrorKind::Limit, "Limits::footer_bytes"),
            (error(b"PAR1", 1000), ErrorKind::Usage, "were given"),
            (error(b"longer than the file", 8), ErrorKind::Usage, "were given"),
        ];
        for (error, kind, message) in cases {
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(message), "{error} lacks {message:?}");
        }
    }

    #[test]
    fn the_footer_is_found_inside_the_bytes_or_outside() {
        let limits = Limits::default();
        let tail = Tail::parse(&ending(100, b"PAR1"), 1000, &limits).unwrap();
        assert_eq!(tail.footer(), 892..992);
        assert_eq!(tail.footer_range_in(107), None);
        assert_eq!(tail.footer_range_in(108), Some(0..100));
        assert_eq!(tail.footer_range_in(1000), Some(892..992));
        assert_eq!(tail.footer_range_in(1001), None);
        let smallest = Tail::parse(b"PAR1\0\0\0\0PAR1", 12, &limits).unwrap();
        assert_eq!(smallest.footer(), 4..4);
        let largest = Tail::parse(&ending(992, b"PAR1"), 1000, &limits).unwrap();
        assert_eq!(largest.footer(), 0..992);
    }
}
