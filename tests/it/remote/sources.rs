//! Sources that count, wait, fail and are replaced.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use herringbone::read::{AsyncSource, FetchOptions};
use herringbone::{Error, Result};

/// A file in memory whose requests are counted.
#[derive(Clone)]
pub struct Observed {
    pub file: Bytes,
    pub costs: FetchOptions,
    pub log: Arc<Log>,
}

#[derive(Default)]
pub struct Log {
    pub requests: AtomicUsize,
    pub finished: AtomicUsize,
    /// Whether requests never come to an end.
    pub hangs: AtomicBool,
    /// From which request on they fail.
    pub fails_from: AtomicUsize,
    /// Whether answers come in another order than requests.
    pub shuffles: AtomicBool,
    /// What was asked for, in order.
    pub asked: Mutex<Vec<Range<u64>>>,
}

impl Observed {
    pub fn new(file: Bytes, costs: FetchOptions) -> Self {
        let log = Log { fails_from: AtomicUsize::new(usize::MAX), ..Log::default() };
        Self { file, costs, log: Arc::new(log) }
    }

    pub fn requests(&self) -> usize {
        self.log.requests.load(Ordering::SeqCst)
    }
}

impl AsyncSource for Observed {
    fn size(&self) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async { panic!("the end tells the size as well") })
    }

    fn read(&self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        let number = self.log.requests.fetch_add(1, Ordering::SeqCst);
        self.log.asked.lock().expect("nobody panics with it").push(range.clone());
        let patience = if self.log.shuffles.load(Ordering::SeqCst) { number * 37 % 101 } else { 3 };
        Box::pin(async move {
            // Answers are never there at once.
            let mut polled = 0;
            std::future::poll_fn(|context| {
                polled += 1;
                if self.log.hangs.load(Ordering::SeqCst) {
                    return Poll::Pending;
                }
                context.waker().wake_by_ref();
                if polled > patience { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            if number >= self.log.fails_from.load(Ordering::SeqCst) {
                return Err(Error::from(std::io::Error::other("the store is gone")));
            }
            self.log.finished.fetch_add(1, Ordering::SeqCst);
            Ok(self.file.slice(range.start as usize..range.end as usize))
        })
    }

    fn read_end(&self, bytes: u64) -> BoxFuture<'_, Result<(Bytes, u64)>> {
        Box::pin(async move {
            let size = self.file.len() as u64;
            Ok((self.read(size.saturating_sub(bytes)..size).await?, size))
        })
    }

    fn costs(&self) -> FetchOptions {
        self.costs.clone()
    }
}
