//! Where bytes come from.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::error::{Error, Result};

/// Something that has a size and gives ranges of bytes: a file, a slice, or anything of the caller's.
///
/// Reads may come from several threads at once. Local files are [`FileSource`], memory is `Bytes`, anything that reads and
/// seeks goes into a [`SeekSource`], and the rest takes two functions:
///
/// ```
/// use std::ops::Range;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use bytes::Bytes;
/// use herringbone::read::{self, Source};
/// use herringbone::{Limits, Result};
///
/// /// Counts the reads of another source.
/// struct Counted<S>(S, AtomicUsize);
///
/// impl<S: Source> Source for Counted<S> {
///     fn size(&self) -> Result<u64> {
///         self.0.size()
///     }
///
///     fn read(&self, range: Range<u64>) -> Result<Bytes> {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.read(range)
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let file = Counted(read::FileSource::open("testdata/codecs.none-v1.parquet")?, AtomicUsize::new(0));
/// assert_eq!(read::metadata(&file, &Limits::default())?.num_rows(), 150);
/// assert_eq!(file.1.into_inner(), 1);
/// # Ok(())
/// # }
/// ```
pub trait Source: Send + Sync {
    /// The size in bytes.
    ///
    /// # Errors
    /// `Io`, as the source says.
    fn size(&self) -> Result<u64>;

    /// The bytes of a range, counted from the start of the file: all of them, whose number callers check.
    ///
    /// # Errors
    /// `Io` when the source fails or ends before the range does.
    fn read(&self, range: Range<u64>) -> Result<Bytes>;

    /// How many bytes one read should take at the least when more will be wanted: large where each read costs a round trip,
    /// small where memory is dear. Memory that is there already says `u64::MAX`. Where it is that, or up to 1 MiB, reading counts as cheap: the
    /// threads that decode read as well, several at a time.
    ///
    /// The default is 4 MiB.
    fn window(&self) -> u64 {
        4 << 20
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn size(&self) -> Result<u64> {
        (**self).size()
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        (**self).read(range)
    }

    fn window(&self) -> u64 {
        (**self).window()
    }
}

impl Source for Bytes {
    fn size(&self) -> Result<u64> {
        Ok(self.len() as u64)
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let start = usize::try_from(range.start).ok();
        let end = usize::try_from(range.end).ok();
        match (start, end) {
            (Some(start), Some(end)) if start <= end && end <= self.len() => Ok(self.slice(start..end)),
            _ => Err(outside(&range, self.len() as u64)),
        }
    }

    fn window(&self) -> u64 {
        u64::MAX
    }
}

/// Sources whose [`Source::window`] is no larger are local files, or as cheap to ask.
pub(crate) const LOCAL_WINDOW: u64 = 1 << 20;

/// A local file, read at positions: one system call a read, and no lock.
///
/// Its size is taken when it is opened. A file that shrinks afterwards ends in `Io` errors.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    size: u64,
}

impl FileSource {
    /// Opens a file.
    ///
    /// # Errors
    /// `Io`, naming the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let open = || {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(std::io::Error::new(std::io::ErrorKind::IsADirectory, "this is a directory, not a file"));
            }
            Ok(file)
        };
        open().map_err(Error::from).and_then(Self::new).map_err(|error| error.in_file(path.display().to_string()))
    }

    /// Reads from an open file.
    ///
    /// # Errors
    /// `Io` when its size cannot be told.
    pub fn new(file: File) -> Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl Source for FileSource {
    fn size(&self) -> Result<u64> {
        Ok(self.size)
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.size {
            return Err(outside(&range, self.size));
        }
        let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(|_| Error::limit("a read larger than memory"))?;
        let mut buffer = reserve(length)?;
        read_at(&self.file, range.start, length, &mut buffer)?;
        Ok(Bytes::from(buffer))
    }

    /// 1 MiB: what the cache near the core holds. The kernel copies 8 GB/s into buffers of that size and below, 6.6 into
    /// 4 MiB and 5.3 into 16.
    fn window(&self) -> u64 {
        LOCAL_WINDOW
    }
}

/// Memory for `length` bytes, or an error instead of an abort.
fn reserve(length: usize) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(length).map_err(|error| Error::limit(format!("no memory for a read of {length} bytes")).with_source(error))?;
    Ok(buffer)
}

/// Fills the empty `buffer`, which has the capacity, without clearing its memory first.
#[cfg(unix)]
fn read_at(file: &File, start: u64, length: usize, buffer: &mut Vec<u8>) -> Result<()> {
    use rustix::buffer::spare_capacity;
    while buffer.len() < length {
        let position = start.saturating_add(buffer.len() as u64);
        match rustix::io::pread(file, spare_capacity(buffer), position) {
            Ok(0) => return Err(ended_early()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(std::io::Error::from(error).into()),
        }
    }
    buffer.truncate(length);
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, start: u64, length: usize, buffer: &mut Vec<u8>) -> Result<()> {
    use std::os::windows::fs::FileExt;
    buffer.resize(length, 0);
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..)
        && !rest.is_empty()
    {
        match file.seek_read(rest, start + done as u64) {
            Ok(0) => return Err(ended_early()),
            Ok(n) => done += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(not(any(unix, windows)))]
fn read_at(file: &File, start: u64, length: usize, buffer: &mut Vec<u8>) -> Result<()> {
    let mut file = file;
    file.seek(SeekFrom::Start(start))?;
    if file.take(length as u64).read_to_end(buffer)? < length {
        return Err(ended_early());
    }
    Ok(())
}

/// Anything that reads and seeks, behind a lock: reads from several threads wait for each other.
#[derive(Debug)]
pub struct SeekSource<R> {
    reader: Mutex<R>,
    size: u64,
}

impl<R: Read + Seek + Send> SeekSource<R> {
    /// Wraps a reader; its position does not matter.
    ///
    /// # Errors
    /// `Io` when it cannot seek to its end.
    pub fn new(mut reader: R) -> Result<Self> {
        let size = reader.seek(SeekFrom::End(0))?;
        Ok(Self { reader: Mutex::new(reader), size })
    }
}

impl<R: Read + Seek + Send> Source for SeekSource<R> {
    fn size(&self) -> Result<u64> {
        Ok(self.size)
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        if range.start > range.end || range.end > self.size {
            return Err(outside(&range, self.size));
        }
        let length = range.end.saturating_sub(range.start);
        let mut buffer = reserve(usize::try_from(length).map_err(|_| Error::limit("a read larger than memory"))?)?;
        // Each read seeks first, so a thread that panicked inside the reader leaves nothing behind that matters.
        let mut reader = self.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        reader.seek(SeekFrom::Start(range.start))?;
        reader.by_ref().take(length).read_to_end(&mut buffer)?;
        match buffer.len() as u64 == length {
            true => Ok(Bytes::from(buffer)),
            false => Err(ended_early()),
        }
    }
}

#[cold]
fn outside(range: &Range<u64>, size: u64) -> Error {
    Error::malformed(format!("the bytes {}..{} are wanted of a file of {size}", range.start, range.end)).at_offset(range.start)
}

#[cold]
fn ended_early() -> Error {
    Error::from(std::io::Error::new(
        std::io::ErrorKind::UnexpectedEof,
        "the file ended before the bytes that were there when it was opened",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    #[test]
    fn all_sources_give_the_same_ranges() {
        let content: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        let sources: [Box<dyn Source>; 3] = [
            Box::new(Bytes::from(content.clone())),
            Box::new(FileSource::new(file).unwrap()),
            Box::new(SeekSource::new(Cursor::new(content.clone())).unwrap()),
        ];
        for source in &sources {
            assert_eq!(source.size().unwrap(), 100_000);
            for range in [0..0, 0..1, 5..99_999, 99_999..100_000, 100_000..100_000] {
                assert_eq!(source.read(range.clone()).unwrap(), content[range.start as usize..range.end as usize]);
            }
            assert!(source.read(0..100_001).is_err());
            assert!(source.read(u64::MAX - 1..u64::MAX).is_err());
        }
    }
}
