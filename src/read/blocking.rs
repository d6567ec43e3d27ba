//! Blocking sources behind the asynchronous trait.

use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_channel::oneshot;
use futures_core::future::BoxFuture;

use crate::error::{Error, Result, caught};
use crate::read::{AsyncSource, FetchOptions, FileSource, Source};

/// Reads from a blocking source, such as a local file, on threads of its own: neither the executor nor the pool that decodes
/// waits for the disk.
///
/// The threads are started with the first read and end when the source is dropped. A read that nobody waits for any more is
/// not begun.
pub struct BlockingSource {
    source: Arc<dyn Source>,
    costs: FetchOptions,
    threads: Mutex<Option<Sender<Task>>>,
}

struct Task {
    range: Range<u64>,
    answer: oneshot::Sender<Result<Bytes>>,
}

impl std::fmt::Debug for BlockingSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockingSource").field("costs", &self.costs).finish_non_exhaustive()
    }
}

impl BlockingSource {
    /// Opens a local file. This touches the disk, but reads nothing of the file.
    ///
    /// # Errors
    /// `Io`, naming the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        FileSource::open(path).map(Self::new)
    }

    /// Wraps a source whose reads cost as [`FetchOptions::local`] says.
    pub fn new(source: impl Source + 'static) -> Self {
        Self::with_costs(source, FetchOptions::local())
    }

    /// Wraps a source; its reads run on [`FetchOptions::in_flight_requests`] threads.
    pub fn with_costs(source: impl Source + 'static, costs: FetchOptions) -> Self {
        Self { source: Arc::new(source), costs, threads: Mutex::default() }
    }

    /// Where reads are sent to.
    fn sender(&self) -> Result<Sender<Task>> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*threads {
            return Ok(sender.clone());
        }
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..self.costs.in_flight_requests.clamp(1, 64) {
            let (source, receiver) = (Arc::clone(&self.source), Arc::clone(&receiver));
            let builder = std::thread::Builder::new().name("herringbone-io".to_owned());
            builder.spawn(move || serve(&*source, &receiver))?;
        }
        *threads = Some(sender.clone());
        Ok(sender)
    }
}

impl AsyncSource for BlockingSource {
    fn size(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async { self.source.size() })
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            self.sender()?.send(Task { range, answer }).map_err(|_| gone())?;
            answered.await.unwrap_or_else(|_| Err(gone()))
        })
    }

    fn costs(&self) -> FetchOptions {
        self.costs.clone()
    }
}

/// Reads until the source is dropped.
fn serve(source: &dyn Source, tasks: &Mutex<Receiver<Task>>) {
    loop {
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Task { range, answer }) = task else { return };
        if answer.is_canceled() {
            continue;
        }
        let panicked = || Error::from(std::io::Error::other("the source panicked"));
        // Whoever asked may be gone by now.
        let _ = answer.send(caught(panicked, || source.read(range)));
    }
}

#[cold]
fn gone() -> Error {
    Error::from(std::io::Error::other("the threads that read are gone"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_executor::block_on;
    use futures_util::future::join_all;

    use super::*;
    use crate::ErrorKind;

    /// Counts reads, and panics beyond its end.
    struct Fragile(Bytes, Arc<AtomicUsize>);

    impl Source for Fragile {
        fn size(&self) -> Result<u64> {
            Ok(self.0.len() as u64)
        }

        fn read(&self, range: Range<u64>) -> Result<Bytes> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Ok(self.0.slice(range.start as usize..range.end as usize))
        }
    }

    #[test]
    fn reads_beside_each_other_and_survives_a_panic() {
        let reads = Arc::new(AtomicUsize::new(0));
        let content: Vec<u8> = (0..=255).collect();
        let source = BlockingSource::new(Fragile(content.into(), Arc::clone(&reads)));
        let parts = block_on(join_all((0..100).map(|start| source.read(start..start + 10))));
        for (start, part) in parts.into_iter().enumerate() {
            assert_eq!(part.unwrap()[0], start as u8);
        }
        assert_eq!(block_on(source.read(0..1000)).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(block_on(source.read_end(5)).unwrap(), (Bytes::from_static(&[251, 252, 253, 254, 255]), 256));
        assert_eq!(reads.load(Ordering::Relaxed), 102);
    }

    #[test]
    fn what_nobody_waits_for_is_not_read() {
        let reads = Arc::new(AtomicUsize::new(0));
        let source = BlockingSource::new(Fragile(vec![0; 10].into(), Arc::clone(&reads)));
        drop(source.read(0..5));
        block_on(source.read(0..1)).unwrap();
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    }
}
