//! Files in object stores.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::error::{Error, Result};
use crate::read::{AsyncSource, FetchOptions};

/// An object in any `object_store::ObjectStore`: S3, Google Cloud Storage, Azure, HTTP, memory, local files.
///
/// Size and version of the object are fixed by the first request: its entity tag, or where a store has none, the time of its
/// last change. Later requests are for this version, and one that finds another is an `Io` error: a file that is replaced
/// while it is read never comes out as a mix of both.
#[derive(Debug)]
pub struct ObjectSource {
    store: Arc<dyn ObjectStore>,
    path: Path,
    costs: FetchOptions,
    pinned: OnceLock<ObjectMeta>,
}

impl ObjectSource {
    /// An object by its path in a store. Nothing is asked yet.
    pub fn new(store: Arc<dyn ObjectStore>, path: Path) -> Self {
        Self { store, path, costs: FetchOptions::remote(), pinned: OnceLock::new() }
    }

    /// An object whose metadata are known, from a listing for example: no request is made for its size, and only this version
    /// is read.
    pub fn with_meta(store: Arc<dyn ObjectStore>, meta: ObjectMeta) -> Self {
        let path = meta.location.clone();
        Self { pinned: OnceLock::from(meta), ..Self::new(store, path) }
    }

    /// An object by its address: `s3://bucket/path`, `gs://bucket/path`, `az://container/path`, `http://…`, `https://…`, `file:///…`,
    /// and what else `object_store::parse_url` knows. Credentials, regions and endpoints come from the environment (`AWS_…`,
    /// `GOOGLE_…`, `AZURE_…`), under the names that `object_store` gives them. Nothing is asked yet.
    ///
    /// # Errors
    /// `Usage` for what is no address; `Io` where the environment does not fit.
    #[cfg(feature = "object_store")]
    pub fn from_url(address: &str) -> Result<Self> {
        let url = url::Url::parse(address).map_err(|error| Error::usage(format!("{address:?} is no address: {error}")))?;
        let mut options: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?.to_ascii_lowercase(), value.into_string().ok()?)))
            .filter(|(key, _)| ["aws_", "google_", "azure_"].iter().any(|prefix| key.starts_with(prefix)))
            .collect();
        // Whoever names a server without encryption means it.
        if url.scheme() == "http" || options.iter().any(|(key, value)| key.contains("endpoint") && value.starts_with("http://")) {
            options.push(("allow_http".to_owned(), "true".to_owned()));
        }
        let (store, path) =
            object_store::parse_url_opts(&url, options).map_err(|error| Error::from(std::io::Error::other(error)).in_file(address))?;
        Ok(Self::new(Arc::from(store), path))
    }

    /// Other costs of requests than [`FetchOptions::remote`] says.
    #[must_use]
    pub fn with_costs(mut self, costs: FetchOptions) -> Self {
        self.costs = costs;
        self
    }

    /// The object's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Metadata of the version that is read, once there was a request.
    pub fn meta(&self) -> Option<&ObjectMeta> {
        self.pinned.get()
    }

    /// Fixes the version, or compares it with the one that was fixed.
    fn pin(&self, meta: &ObjectMeta) -> Result<()> {
        let pinned = self.pinned.get_or_init(|| meta.clone());
        let same = match (&pinned.e_tag, &meta.e_tag) {
            (Some(before), Some(now)) => before == now,
            _ => pinned.last_modified == meta.last_modified,
        };
        match same && pinned.size == meta.size {
            true => Ok(()),
            false => Err(self.replaced()),
        }
    }

    /// The conditions under which a range is asked for.
    fn options(&self, range: GetRange) -> GetOptions {
        let options = GetOptions::new().with_range(Some(range));
        match self.pinned.get() {
            // A weak tag never fulfils If-Match; the answer's own tag is compared all the same.
            Some(meta) => options.with_if_match(meta.e_tag.clone().filter(|tag| !tag.starts_with("W/"))).with_version(meta.version.clone()),
            None => options,
        }
    }

    async fn get(&self, options: GetOptions) -> Result<GetResult> {
        let result = self.store.get_opts(&self.path, options).await.map_err(|error| self.failed(error))?;
        self.pin(&result.meta)?;
        Ok(result)
    }

    /// All bytes of an answer.
    async fn bytes(&self, result: GetResult, range: Range<u64>) -> Result<Bytes> {
        if result.range != range {
            let (given, wanted) = (&result.range, &range);
            let what = format!("the store gave the bytes {}..{} instead of {}..{}", given.start, given.end, wanted.start, wanted.end);
            return Err(self.io(std::io::Error::other(what)));
        }
        let bytes = result.bytes().await.map_err(|error| self.failed(error))?;
        match bytes.len() as u64 == range.end.saturating_sub(range.start) {
            true => Ok(bytes),
            false => {
                Err(self.io(std::io::Error::other(format!("the store gave {} bytes for {}..{}", bytes.len(), range.start, range.end))))
            }
        }
    }

    #[cold]
    fn failed(&self, error: object_store::Error) -> Error {
        use std::io::ErrorKind as Kind;
        let kind = match &error {
            object_store::Error::Precondition { .. } => return self.replaced().with_source(error),
            object_store::Error::NotFound { .. } => Kind::NotFound,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => Kind::PermissionDenied,
            object_store::Error::NotSupported { .. } | object_store::Error::NotImplemented { .. } => Kind::Unsupported,
            _ => Kind::Other,
        };
        self.io(std::io::Error::new(kind, error))
    }

    #[cold]
    fn replaced(&self) -> Error {
        self.io(std::io::Error::other("the file was replaced while it was read: open it again"))
    }

    fn io(&self, error: std::io::Error) -> Error {
        Error::from(error).in_file(self.path.as_ref())
    }
}

impl AsyncSource for ObjectSource {
    fn size(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async {
            if let Some(meta) = self.pinned.get() {
                return Ok(meta.size);
            }
            let meta = self.store.head(&self.path).await.map_err(|error| self.failed(error))?;
            self.pin(&meta)?;
            Ok(meta.size)
        })
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        Box::pin(async move {
            if range.start >= range.end {
                return Ok(Bytes::new());
            }
            let result = self.get(self.options(GetRange::Bounded(range.clone()))).await?;
            self.bytes(result, range).await
        })
    }

    fn read_end(&self, bytes: u64) -> BoxFuture<'_, Result<(Bytes, u64)>> {
        Box::pin(async move {
            if self.pinned.get().is_none() {
                match self.store.get_opts(&self.path, self.options(GetRange::Suffix(bytes))).await {
                    Ok(result) => {
                        self.pin(&result.meta)?;
                        let size = result.meta.size;
                        return Ok((self.bytes(result, size.saturating_sub(bytes)..size).await?, size));
                    }
                    // Azure, and stores of empty objects: they are asked for the size first.
                    Err(object_store::Error::NotSupported { .. }) => {}
                    Err(error @ (object_store::Error::NotFound { .. } | object_store::Error::Precondition { .. })) => {
                        return Err(self.failed(error));
                    }
                    Err(error) => {
                        // A suffix of an empty object is refused with 416 by many servers.
                        return match self.size().await {
                            Ok(0) => Ok((Bytes::new(), 0)),
                            _ => Err(self.failed(error)),
                        };
                    }
                }
            }
            let size = self.size().await?;
            Ok((self.read(size.saturating_sub(bytes)..size).await?, size))
        })
    }

    fn costs(&self) -> FetchOptions {
        self.costs.clone()
    }
}
