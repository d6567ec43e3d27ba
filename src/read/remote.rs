//! Asynchronous sources of bytes.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::metadata::FileMetadata;
use crate::read::{FetchOptions, FooterStep, PushFooter};

/// Something that gives ranges of bytes asynchronously: an object store, a server, a disk.
///
/// Objects in stores are [`ObjectSource`](crate::read::ObjectSource), local files and other blocking sources go into a
/// [`BlockingSource`](crate::read::BlockingSource), and the rest takes two functions. Dropping a future ends its request.
///
/// ```
/// use std::ops::Range;
///
/// use bytes::Bytes;
/// use futures_core::future::BoxFuture;
/// use herringbone::Result;
/// use herringbone::read::AsyncSource;
///
/// /// A file in memory.
/// struct Memory(Bytes);
///
/// impl AsyncSource for Memory {
///     fn size(&self) -> BoxFuture<'_, Result<u64>> {
///         Box::pin(async { Ok(self.0.len() as u64) })
///     }
///
///     fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
///         Box::pin(async move { Ok(self.0.slice(range.start as usize..range.end as usize)) })
///     }
/// }
/// ```
pub trait AsyncSource: Send + Sync {
    /// The size in bytes.
    ///
    /// # Errors
    /// `Io`, as the source says.
    fn size(&self) -> BoxFuture<'_, Result<u64>>;

    /// The bytes of a range, counted from the start of the file: all of them, whose number callers check.
    ///
    /// # Errors
    /// `Io` when the source fails, or has other bytes by now than when it was opened.
    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>>;

    /// The last `bytes` bytes of the file, or all if there are fewer, and the file's size. Sources that can tell both with one
    /// request do; the default asks for the size first.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    fn read_end(&self, bytes: u64) -> BoxFuture<'_, Result<(Bytes, u64)>> {
        Box::pin(async move {
            let size = self.size().await?;
            Ok((self.read(size.saturating_sub(bytes)..size).await?, size))
        })
    }

    /// What requests cost; as [`FetchOptions::remote`] says by default.
    fn costs(&self) -> FetchOptions {
        FetchOptions::remote()
    }
}

impl<S: AsyncSource + ?Sized> AsyncSource for Arc<S> {
    fn size(&self) -> BoxFuture<'_, Result<u64>> {
        (**self).size()
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        (**self).read(range)
    }

    fn read_end(&self, bytes: u64) -> BoxFuture<'_, Result<(Bytes, u64)>> {
        (**self).read_end(bytes)
    }

    fn costs(&self) -> FetchOptions {
        (**self).costs()
    }
}

impl AsyncSource for Bytes {
    fn size(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async { Ok(self.len() as u64) })
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        Box::pin(async move { crate::read::Source::read(self, range) })
    }

    fn costs(&self) -> FetchOptions {
        FetchOptions::local()
    }
}

/// Reads the metadata of a file: one request for its last bytes, as many as [`FetchOptions::footer_bytes`] says, and a second
/// one where the footer is larger.
///
/// # Errors
/// As [`read::metadata()`](crate::read::metadata()) says.
pub async fn metadata_async(source: &(impl AsyncSource + ?Sized), limits: &Limits) -> Result<FileMetadata> {
    footer(source, &source.costs(), limits).await.map(|(metadata, ..)| metadata)
}

/// The metadata, the last bytes of the file, and where they begin.
pub(crate) async fn footer(
    source: &(impl AsyncSource + ?Sized),
    costs: &FetchOptions,
    limits: &Limits,
) -> Result<(FileMetadata, u64, Bytes)> {
    let (last, size) = source.read_end(costs.footer_bytes.max(8)).await?;
    let start = size.checked_sub(last.len() as u64).ok_or_else(wrong_length)?;
    let mut footer = PushFooter::new(size, last.len() as u64, limits.clone());
    footer.push(start, last.clone());
    loop {
        match footer.next()? {
            FooterStep::Need(range) => footer.push(range.start, read_exactly(source, range.clone()).await?),
            FooterStep::Done(metadata) => return Ok((metadata, start, last)),
        }
    }
}

/// Reads a range and checks its length.
pub(crate) async fn read_exactly(source: &(impl AsyncSource + ?Sized), range: Range<u64>) -> Result<Bytes> {
    let length = range.end.saturating_sub(range.start);
    let bytes = source.read(range.clone()).await.map_err(|error| error.at_offset(range.start))?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(wrong_length().at_offset(range.start)),
    }
}

/// Reads ranges, put together as `costs` say, as many requests at once as they allow, and gives the bytes of each.
///
/// # Errors
/// As for [`AsyncSource::read`]; `Io` as well when a source gives fewer or more bytes than it was asked for.
pub async fn read_ranges(source: &(impl AsyncSource + ?Sized), ranges: &[Range<u64>], costs: &FetchOptions) -> Result<Vec<Bytes>> {
    let end = ranges.iter().map(|range| range.end).max().unwrap_or(0);
    let pushed = crate::read::Pushed::new(end);
    let requests = costs.requests(ranges.to_vec());
    let read = requests.into_iter().map(|request| async move { Ok::<_, Error>((request.start, read_exactly(source, request).await?)) });
    let mut read = stream::iter(read).buffer_unordered(costs.in_flight_requests.max(1));
    while let Some((start, bytes)) = read.try_next().await? {
        pushed.push(start, bytes);
    }
    ranges.iter().map(|range| crate::read::Source::read(&pushed, range.clone())).collect()
}

#[cold]
fn wrong_length() -> Error {
    Error::from(std::io::Error::other("the source gave fewer or more bytes than asked for"))
}
