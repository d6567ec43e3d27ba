//! Files that are read by an address: `s3://`, `gs://`, `az://`, `http://`, `https://`, `file://`.

use std::path::Path;
use std::sync::Arc;

use herringbone::Result;
use herringbone::read::Source;

/// Whether a path is an address.
pub fn is_address(path: &Path) -> bool {
    let scheme = path.to_str().and_then(|text| text.split_once("://")).map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.chars().all(|character| character.is_ascii_alphanumeric()))
}

/// Opens a file by its address.
#[cfg(feature = "object_store")]
pub fn open(address: &Path) -> Result<Arc<dyn Source>> {
    Ok(Arc::new(Remote::open(&address.to_string_lossy())?))
}

/// Opens a file by its address.
#[cfg(not(feature = "object_store"))]
pub fn open(_: &Path) -> Result<Arc<dyn Source>> {
    let what = "this build reads local files only: addresses need the feature object_store";
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, what).into())
}

#[cfg(feature = "object_store")]
pub use blocking::Remote;

#[cfg(feature = "object_store")]
mod blocking {
    use std::ops::Range;
    use std::sync::OnceLock;

    use bytes::Bytes;
    use herringbone::Result;
    use herringbone::read::{AsyncSource, ObjectSource, Source};
    use tokio::runtime::{Builder, Runtime};

    /// An asynchronous source as a blocking one: the caller's thread waits.
    pub struct Remote {
        source: ObjectSource,
        /// The last bytes, which came with the size.
        end: Bytes,
        size: u64,
    }

    impl Remote {
        /// Opens an object by its address: one request, for its end.
        pub fn open(address: &str) -> Result<Self> {
            let source = ObjectSource::from_url(address)?;
            let (end, size) = runtime()?.block_on(source.read_end(source.costs().footer_bytes))?;
            Ok(Self { source, end, size })
        }
    }

    impl Source for Remote {
        fn size(&self) -> Result<u64> {
            Ok(self.size)
        }

        fn read(&self, range: Range<u64>) -> Result<Bytes> {
            let before = self.size.saturating_sub(self.end.len() as u64);
            if range.start >= before && range.end <= self.size && range.start <= range.end {
                return Source::read(&self.end, range.start - before..range.end - before);
            }
            runtime()?.block_on(self.source.read(range))
        }

        fn window(&self) -> u64 {
            self.source.costs().request_bytes
        }
    }

    /// The runtime of all requests; its one thread moves bytes.
    fn runtime() -> Result<&'static Runtime> {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        if let Some(runtime) = RUNTIME.get() {
            return Ok(runtime);
        }
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(RUNTIME.get_or_init(|| runtime))
    }
}
