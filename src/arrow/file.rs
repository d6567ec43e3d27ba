//! An open file.

use std::any::{Any, TypeId};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use bytes::Bytes;

use crate::arrow::mapping::{key_values, map_schema};
use crate::arrow::scan::ScanBuilder;
use crate::arrow::types::MapOptions;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::metadata::FileMetadata;
use crate::read::{self, FetchOptions, FileSource, LOCAL_WINDOW, Pushed, Source};

/// A Parquet file whose metadata have been read.
///
/// Cloning is cheap, and scans of one file can run on many threads at once.
///
/// ```
/// use herringbone::arrow::ParquetFile;
///
/// # fn main() -> herringbone::Result<()> {
/// let file = ParquetFile::open("testdata/codecs.none-v1.parquet")?;
/// assert_eq!(file.metadata().num_rows(), 150);
/// for batch in file.scan().columns(["word", "list"]).limit(100).build()? {
///     println!("{} rows", batch?.num_rows());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ParquetFile {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) metadata: FileMetadata,
    pub(crate) limits: Limits,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) origin: Origin,
}

/// What a file has instead of a source, or beside it.
#[derive(Clone)]
pub(crate) struct Origin {
    /// Where its bytes are pushed.
    pub(crate) pushed: Option<Arc<Pushed>>,
    /// Whether reading its bytes runs no code of the caller's.
    #[cfg_attr(not(feature = "rayon"), allow(dead_code))]
    pub(crate) is_own: bool,
    /// What fetching costs.
    pub(crate) fetch: FetchOptions,
    /// Its last bytes, which came with the footer, and where they begin.
    pub(crate) end: Option<(u64, Bytes)>,
    /// Where its bytes are read from asynchronously.
    #[cfg(feature = "async")]
    pub(crate) remote: Option<Arc<dyn crate::read::AsyncSource>>,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            pushed: None,
            is_own: false,
            fetch: FetchOptions::local(),
            end: None,
            #[cfg(feature = "async")]
            remote: None,
        }
    }
}

/// The source of a file that has none.
pub(crate) struct NoSource(pub(crate) u64);

impl Source for NoSource {
    fn size(&self) -> Result<u64> {
        Ok(self.0)
    }

    fn read(&self, _: Range<u64>) -> Result<Bytes> {
        Err(Error::usage("the file has no source to read from: use ScanBuilder::stream, or push its bytes with ScanBuilder::push"))
    }
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").field("name", &self.name).field("num_rows", &self.metadata.num_rows()).finish_non_exhaustive()
    }
}

impl ParquetFile {
    /// Opens a local file.
    ///
    /// # Errors
    /// As [`read::metadata()`] says; the error names the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, Limits::default())
    }

    /// Opens a local file under the caller's limits, which hold for its scans as well.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, limits: Limits) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let opened = FileSource::open(path).and_then(|source| Self::from_source_with(source, limits));
        let mut file = opened.map_err(|error| error.in_file(name.as_str()))?;
        file.name = Some(name.into());
        Ok(file)
    }

    /// Reads a file that lies in memory.
    ///
    /// # Errors
    /// As [`read::metadata()`] says.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self> {
        Self::from_source(bytes.into())
    }

    /// Reads from any source, such as a [`SeekSource`](read::SeekSource) around anything that reads and seeks.
    ///
    /// # Errors
    /// As [`read::metadata()`] says.
    pub fn from_source(source: impl Source + 'static) -> Result<Self> {
        Self::from_source_with(source, Limits::default())
    }

    /// Reads from any source under the caller's limits.
    ///
    /// # Errors
    /// As [`read::metadata()`] says.
    pub fn from_source_with(source: impl Source + 'static, limits: Limits) -> Result<Self> {
        let metadata = read::metadata(&source, &limits)?;
        Ok(Self::from_metadata(source, metadata, limits))
    }

    /// A file whose metadata the caller has already, from an earlier [`metadata`](Self::metadata) of the same bytes: nothing is
    /// read. With the metadata of another file, scans end in errors or give nonsense.
    pub fn from_metadata(source: impl Source + 'static, metadata: FileMetadata, limits: Limits) -> Self {
        let kind = source.type_id();
        let is_own = kind == TypeId::of::<FileSource>() || kind == TypeId::of::<Bytes>();
        Self { source: Arc::new(source), metadata, limits, name: None, origin: Origin { is_own, ..Origin::default() } }
    }

    /// Whether a read costs little more than copying memory, so that threads that decode may read as well.
    pub(crate) fn is_local(&self) -> bool {
        let window = self.source.window();
        self.origin.pushed.is_none() && (window <= LOCAL_WINDOW || window == u64::MAX)
    }

    /// A file without a source, whose metadata the caller has: its scans are made by [`ScanBuilder::push`], and the caller gets the
    /// bytes that they need.
    pub fn without_source(metadata: FileMetadata, limits: Limits) -> Self {
        Self::from_metadata(NoSource(metadata.file_size()), metadata, limits)
    }

    /// The same file with other costs of fetching, by which a [`push`](ScanBuilder::push)ed scan puts requests together. Those
    /// of files opened asynchronously are given when they are opened.
    pub fn with_fetch_options(mut self, fetch: FetchOptions) -> Self {
        self.origin.fetch = fetch;
        self
    }

    /// The file's metadata.
    pub fn metadata(&self) -> &FileMetadata {
        &self.metadata
    }

    /// The Arrow schema of all columns, as a scan without further options gives it: restored from the schema that the writer
    /// stored where there is one that fits, else from the Parquet types. Field ids are in the fields' metadata under
    /// `PARQUET:field_id`.
    ///
    /// # Errors
    /// None that a file can cause: each Parquet type has an Arrow type.
    pub fn arrow_schema(&self) -> Result<SchemaRef> {
        let mapped = map_schema(self.metadata.schema(), key_values(&self.metadata), &|_| true, &MapOptions::default());
        mapped.map(|(schema, _)| schema).map_err(|error| self.place(error))
    }

    /// Begins to say what is to be read, and how; everything, if nothing else is said.
    pub fn scan(&self) -> ScanBuilder {
        ScanBuilder::new(self.clone())
    }

    /// Adds the file's name to an error.
    #[cold]
    pub(crate) fn place(&self, error: Error) -> Error {
        match &self.name {
            Some(name) => error.in_file(&**name),
            None => error,
        }
    }
}
