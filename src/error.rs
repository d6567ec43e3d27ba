//! The one error type of the crate.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// A `Result` with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The source or the sink failed; [`source()`](StdError::source) is the `std::io::Error`.
    Io,
    /// The bytes break the format's rules.
    Malformed,
    /// The bytes may be fine, but name something that this build cannot do.
    Unsupported,
    /// Going on would cross one of the caller's [`Limits`](crate::Limits).
    Limit,
    /// The caller asked for something that cannot be; the message says what to do.
    Usage,
}

/// Why something failed, and where in the file.
///
/// The type is opaque so that it can grow: look at [`kind`](Error::kind) to react and print it to tell a person.
/// Errors of the libraries below are reachable through [`source()`](StdError::source) only.
///
/// ```
/// use bytes::Bytes;
/// use herringbone::{ErrorKind, Limits, read};
///
/// let source = Bytes::from_static(b"something else");
/// let error = read::metadata(&source, &Limits::default()).unwrap_err().in_file("trips.parquet");
/// assert_eq!(error.kind(), ErrorKind::Malformed);
/// assert_eq!(error.place().file.as_deref(), Some("trips.parquet"));
/// assert_eq!(error.to_string(), "not a Parquet file: it neither begins nor ends with PAR1 (file trips.parquet, offset 6)");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    place: Place,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Where in a file something is; every part is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file's path or address.
    pub file: Option<String>,
    /// The leaf column's dotted path, cut with a `…` behind it where it is longer than 1,000 bytes.
    pub column: Option<String>,
    /// The row group's index in the file.
    pub row_group: Option<usize>,
    /// The page's index in its column chunk, dictionary page included.
    pub page: Option<usize>,
    /// A byte offset in the file.
    pub offset: Option<u64>,
}

/// The most bytes of a column's path in an error. Many errors are thrown away, and each chunk of a file can make one of the same name.
const COLUMN_BYTES: usize = 1000;

/// The name of a column as errors and findings have it.
pub(crate) fn shortened(column: &str) -> String {
    if column.len() <= COLUMN_BYTES {
        return column.to_owned();
    }
    let end = (0..=COLUMN_BYTES).rev().find(|end| column.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", column.get(..end).unwrap_or_default())
}

/// What `run` returns; an error where it panics. Threads of a pool live on, and nobody waits for what will never come.
#[cfg(any(feature = "arrow", feature = "async"))]
pub(crate) fn caught<T>(panicked: fn() -> Error, run: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or_else(|_| Err(panicked()))
}

impl Error {
    /// The sort of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where in the file it happened, as far as is known.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The message without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), place: Place::default(), source: None }))
    }

    pub(crate) fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Malformed, message)
    }

    pub(crate) fn unsupported(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// What comes of a panic while decoding.
    #[cfg(all(feature = "arrow", feature = "rayon"))]
    #[cold]
    pub(crate) fn panicked() -> Self {
        Self::malformed("decoding panicked, which is a defect of this crate: please report it with the file")
    }

    pub(crate) fn limit(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Limit, message)
    }

    pub(crate) fn usage(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Keeps the error of a library below as the source.
    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds the file's name, where none is known yet (so do the methods below).
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.0.place.file.get_or_insert_with(|| file.into());
        self
    }

    /// Adds the dotted path of the leaf column, up to 1,000 bytes of it.
    #[must_use]
    pub fn in_column(mut self, column: impl AsRef<str>) -> Self {
        self.0.place.column.get_or_insert_with(|| shortened(column.as_ref()));
        self
    }

    /// Adds the index of the row group.
    #[must_use]
    pub fn in_row_group(mut self, row_group: usize) -> Self {
        self.0.place.row_group.get_or_insert(row_group);
        self
    }

    /// Adds the index of the page in its column chunk.
    #[must_use]
    pub fn in_page(mut self, page: usize) -> Self {
        self.0.place.page.get_or_insert(page);
        self
    }

    /// Adds the byte offset in the file.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.0.place.offset.get_or_insert(offset);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut part = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            let written = write!(f, "{separator}{name} {value}");
            separator = ", ";
            written
        };
        if let Some(file) = &self.file {
            part(f, "file", file)?;
        }
        if let Some(column) = &self.column {
            part(f, "column", column)?;
        }
        if let Some(row_group) = &self.row_group {
            part(f, "row group", row_group)?;
        }
        if let Some(page) = &self.page {
            part(f, "page", page)?;
        }
        if let Some(offset) = &self.offset {
            part(f, "offset", offset)?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if self.0.place != Place::default() {
            write!(f, " ({})", self.0.place)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)?;
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_place_and_keeps_the_innermost() {
        let error = Error::malformed("run of length 0").in_page(3).in_page(9).in_column("a.b").in_row_group(1).at_offset(77);
        assert_eq!(error.to_string(), "run of length 0 (column a.b, row group 1, page 3, offset 77)");
        assert_eq!(error.place().page, Some(3));
    }

    #[test]
    fn long_names_are_cut() {
        let column = |name: String| Error::malformed("x").in_column(name).place().column.clone().unwrap();
        assert_eq!(column("n".repeat(1000)), "n".repeat(1000));
        assert_eq!(column("ä".repeat(501)), format!("{}…", "ä".repeat(500)));
        assert_eq!(column(format!("n{}", "ä".repeat(500))), format!("n{}…", "ä".repeat(499)));
    }

    #[test]
    fn io_keeps_its_source() {
        let error = Error::from(std::io::Error::other("disk on fire"));
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.source().unwrap().to_string(), "disk on fire");
    }
}
