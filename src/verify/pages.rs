//! Pages as they lie in the file, with all of their headers, found without believing what the chunk says about its size.

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::page::Header;
use crate::read::Source;

/// The first guess at how long a header is, and the longest that is believed.
const HEADER_FEW: u64 = 256;
const HEADER_MOST: u64 = 16 << 20;

/// Walks over pages, reading windows of the file.
pub(super) struct RawPages<'a> {
    source: &'a dyn Source,
    /// Where the next page begins.
    pub(super) at: u64,
    /// Where windows end that are read ahead.
    end: u64,
    /// Where everything ends.
    bound: u64,
    held: Bytes,
    held_from: u64,
    /// Bytes that were looked at, some of them more than once where a header is long.
    read: u64,
}

/// One page.
pub(super) struct RawPage {
    /// Where its header begins.
    pub(super) offset: u64,
    /// The bytes of the header.
    pub(super) header_bytes: Bytes,
    /// The header, checked; `None` for kinds that readers pass over.
    pub(super) header: Option<Header>,
    pub(super) body: Bytes,
}

impl RawPage {
    /// Bytes of header and page.
    pub(super) fn size(&self) -> u64 {
        (self.header_bytes.len() as u64).saturating_add(self.body.len() as u64)
    }
}

/// Why there is no page.
pub(super) enum Broken {
    /// The source failed.
    Source(Error),
    /// The header is none.
    Header(Error),
    /// The page claims more bytes than there are.
    Size { claimed: u64, left: u64 },
}

impl<'a> RawPages<'a> {
    /// Pages from `start` on; the chunk is said to end at `end`, and nothing lies beyond `bound`.
    pub(super) fn new(source: &'a dyn Source, start: u64, end: u64, bound: u64) -> Self {
        let bound = bound.max(start);
        Self { source, at: start, end: end.clamp(start, bound), bound, held: Bytes::new(), held_from: start, read: 0 }
    }

    /// How many bytes were looked at since this was asked last.
    pub(super) fn take_read(&mut self) -> u64 {
        std::mem::take(&mut self.read)
    }

    pub(super) fn next(&mut self) -> Result<RawPage, Broken> {
        let offset = self.at;
        let (header, header_length, size) = self.header()?;
        let header_bytes = self.bytes(header_length as u64).map_err(Broken::Source)?;
        self.at = self.at.saturating_add(header_length as u64);
        let (claimed, left) = (size as u64, self.bound.saturating_sub(self.at));
        if claimed > left {
            return Err(Broken::Size { claimed, left });
        }
        let body = self.bytes(claimed).map_err(Broken::Source)?;
        self.at = self.at.saturating_add(claimed);
        Ok(RawPage { offset, header_bytes, header, body })
    }

    fn header(&mut self) -> Result<(Option<Header>, usize, usize), Broken> {
        let most = self.bound.saturating_sub(self.at);
        let mut wanted = HEADER_FEW;
        loop {
            let bytes = self.bytes(wanted.min(most)).map_err(Broken::Source)?;
            match Header::parse(&bytes) {
                Ok(parsed) => return Ok(parsed),
                Err(error) if error.kind() != ErrorKind::Malformed || wanted >= most.min(HEADER_MOST) => return Err(Broken::Header(error)),
                Err(_) => wanted = wanted.saturating_mul(4),
            }
        }
    }

    /// The next `n` bytes, which are before the bound.
    fn bytes(&mut self, n: u64) -> Result<Bytes> {
        let inside = |held: &Bytes, from: u64, at: u64| {
            let start = usize::try_from(at.checked_sub(from)?).ok()?;
            let end = start.checked_add(usize::try_from(n).ok()?)?;
            (end <= held.len()).then(|| held.slice(start..end))
        };
        self.read = self.read.saturating_add(n);
        if let Some(bytes) = inside(&self.held, self.held_from, self.at) {
            return Ok(bytes);
        }
        let ahead = self.source.window().min(self.end.saturating_sub(self.at));
        let length = n.max(ahead);
        self.read = self.read.saturating_add(length);
        let read = self.source.read(self.at..self.at.saturating_add(length))?;
        (self.held, self.held_from) = (read, self.at);
        inside(&self.held, self.held_from, self.at)
            .ok_or_else(|| Error::from(std::io::Error::other("the source gave fewer bytes than asked for")))
    }
}
