//! Files that are read by an address: `s3://`, `gs://`, `az://`, `http://`, `https://`, `file://`.

use std::path::Path;

/// Whether a path is an address.
pub fn is_address(path: &Path) -> bool {
    let scheme = path.to_str().and_then(|text| text.split_once("://")).map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| !scheme.is_empty() && scheme.chars().all(|character| character.is_ascii_alphanumeric()))
}

/// How many requests are under way at once, unless the command line says otherwise.
pub const REQUESTS: usize = 16;

#[cfg(feature = "object_store")]
pub use there::{File, expect, limit_requests, open, open_file, wait};

#[cfg(not(feature = "object_store"))]
pub use here::{File, expect, limit_requests, open, open_file};

/// Without the feature.
#[cfg(not(feature = "object_store"))]
mod here {
    use std::ops::Range;
    use std::path::{Path, PathBuf};

    use bytes::Bytes;
    use herringbone::arrow::ParquetFile;
    use herringbone::read::Source;
    use herringbone::{Error, Limits, Result};

    /// There is none.
    pub enum File {}

    impl File {
        pub fn expect(&self, _: impl IntoIterator<Item = Range<u64>>) {
            match *self {}
        }
    }

    impl Source for File {
        fn size(&self) -> Result<u64> {
            match *self {}
        }

        fn read(&self, _: Range<u64>) -> Result<Bytes> {
            match *self {}
        }
    }

    pub fn open(address: &Path) -> Result<File> {
        Err(refused(address))
    }

    pub fn limit_requests(_: usize) {}

    pub fn expect(_: &[PathBuf]) {}

    pub fn open_file(address: &Path, _: Limits) -> Result<ParquetFile> {
        Err(refused(address))
    }

    fn refused(_: &Path) -> Error {
        let what = "this build reads local files only: addresses need the feature object_store";
        std::io::Error::new(std::io::ErrorKind::Unsupported, what).into()
    }
}

#[cfg(feature = "object_store")]
mod there {
    use std::collections::VecDeque;
    use std::ops::Range;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex, OnceLock, PoisonError};

    use bytes::Bytes;
    use futures_core::future::BoxFuture;
    use herringbone::arrow::ParquetFile;
    use herringbone::read::{AsyncSource, FetchOptions, ObjectSource, Source};
    use herringbone::{Error, Limits, Result};
    use tokio::runtime::{Builder, Runtime};
    use tokio::task::{JoinError, JoinHandle};

    use super::{REQUESTS, is_address};

    static IN_FLIGHT: AtomicUsize = AtomicUsize::new(REQUESTS);

    /// Sets how many requests for one file, and of how many files the ends, may be under way at once.
    pub fn limit_requests(requests: usize) {
        IN_FLIGHT.store(requests.max(1), Ordering::Relaxed);
    }

    /// Requests of 8 MiB: servers give each connection its share of the bandwidth, so that several carry more than one.
    fn costs() -> FetchOptions {
        FetchOptions { request_bytes: 8 << 20, in_flight_requests: IN_FLIGHT.load(Ordering::Relaxed), ..FetchOptions::remote() }
    }

    /// An object whose end was read.
    #[derive(Clone)]
    pub struct Remote {
        source: Arc<ObjectSource>,
        /// The last bytes, which came with the size.
        end: Bytes,
        size: u64,
    }

    impl Remote {
        /// Opens an object by its address: one request, for its end.
        pub fn open(address: &str) -> Result<Self> {
            wait(ahead(address)?)?.map_err(ended)?
        }

        async fn begin(address: String) -> Result<Self> {
            let source = ObjectSource::from_url(&address)?.with_costs(costs());
            let (end, size) = source.read_end(source.costs().footer_bytes).await?;
            Ok(Self { source: Arc::new(source), end, size })
        }

        /// What came with the end.
        fn of_end(&self, range: &Range<u64>) -> Option<Bytes> {
            let before = self.size.checked_sub(self.end.len() as u64)?;
            let inside = range.start.checked_sub(before)?..range.end.checked_sub(before)?;
            Source::read(&self.end, inside).ok()
        }
    }

    /// Requests go on while nobody polls: batches are written or printed meanwhile.
    impl AsyncSource for Remote {
        fn size(&self) -> BoxFuture<'_, Result<u64>> {
            Box::pin(async { Ok(self.size) })
        }

        fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
            if let Some(bytes) = self.of_end(&range) {
                return Box::pin(async { Ok(bytes) });
            }
            let source = Arc::clone(&self.source);
            Box::pin(async move {
                let mut running = Running(runtime()?.spawn(async move { source.read(range).await }));
                (&mut running.0).await.map_err(ended)?
            })
        }

        fn costs(&self) -> FetchOptions {
            self.source.costs()
        }
    }

    /// A request, which ends when nobody waits for it any more.
    struct Running(JoinHandle<Result<Bytes>>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.abort();
        }
    }

    /// A file that is read by ranges, of which those can be named that will be read.
    pub use crate::read_ahead::ReadAhead as File;

    /// Opens a file by its address.
    pub fn open(address: &Path) -> Result<File> {
        let remote = Remote::open(&address.to_string_lossy())?;
        let (size, here) = (remote.size, remote.size.saturating_sub(remote.end.len() as u64));
        Ok(File::new(Arc::new(remote), size, here, runtime()?))
    }

    /// Opens a file by its address, for scans that are streamed.
    pub fn open_file(address: &Path, limits: Limits) -> Result<ParquetFile> {
        let source = Remote::open(&address.to_string_lossy())?;
        let costs = source.costs();
        wait(ParquetFile::open_async_with(source, limits, costs))?
    }

    /// Files that will be opened, one after another.
    #[derive(Default)]
    struct Ahead {
        waiting: VecDeque<String>,
        opening: Vec<(String, JoinHandle<Result<Remote>>)>,
    }

    static AHEAD: Mutex<Ahead> = Mutex::new(Ahead { waiting: VecDeque::new(), opening: Vec::new() });

    /// Says which files will be opened next: when one is, the ends of those after it are asked for as well.
    pub fn expect(paths: &[PathBuf]) {
        let addresses = paths.iter().filter(|path| is_address(path)).map(|path| path.to_string_lossy().into_owned());
        AHEAD.lock().unwrap_or_else(PoisonError::into_inner).waiting.extend(addresses);
    }

    /// The opening of a file, which may be under way already, and of those expected after it.
    fn ahead(address: &str) -> Result<JoinHandle<Result<Remote>>> {
        let runtime = runtime()?;
        let begin = |address: &str| runtime.spawn(Remote::begin(address.to_owned()));
        let mut ahead = AHEAD.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match ahead.opening.iter().position(|(opening, _)| opening == address) {
            Some(place) => ahead.opening.swap_remove(place).1,
            None => {
                if let Some(place) = ahead.waiting.iter().position(|waiting| waiting == address) {
                    ahead.waiting.remove(place);
                }
                begin(address)
            }
        };
        while ahead.opening.len() + 1 < IN_FLIGHT.load(Ordering::Relaxed)
            && let Some(next) = ahead.waiting.pop_front()
        {
            let opening = begin(&next);
            ahead.opening.push((next, opening));
        }
        Ok(opened)
    }

    /// Waits for a future, on this thread.
    pub fn wait<F: Future>(future: F) -> Result<F::Output> {
        Ok(runtime()?.block_on(future))
    }

    fn ended(error: JoinError) -> Error {
        std::io::Error::other(error).into()
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
