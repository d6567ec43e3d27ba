//! Requests to an asynchronous source, some of them under way at once.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::error::{Error, Result};
use crate::read::remote::read_exactly;
use crate::read::spans::Spans;
use crate::read::{AsyncSource, FetchOptions};

/// A range that was asked for, and the answer.
type Fetched = (Range<u64>, Result<Bytes>);

/// Requests.
#[derive(Default)]
pub(crate) struct Fetches {
    /// What is under way or waits.
    coming: Spans<()>,
    waiting: VecDeque<Range<u64>>,
    running: FuturesUnordered<BoxFuture<'static, Fetched>>,
    /// The error of a request, which comes when its bytes are needed: what was read before it is handed out first.
    broken: Option<Error>,
}

impl Fetches {
    /// What is under way or waits.
    pub(crate) fn coming(&self) -> &Spans<()> {
        &self.coming
    }

    /// Adds requests before all that wait.
    pub(crate) fn first(&mut self, requests: Vec<Range<u64>>) {
        requests.iter().for_each(|request| self.coming.cover(request.clone()));
        requests.into_iter().rev().for_each(|request| self.waiting.push_front(request));
    }

    /// Adds requests behind all that wait.
    pub(crate) fn last(&mut self, requests: Vec<Range<u64>>) {
        requests.iter().for_each(|request| self.coming.cover(request.clone()));
        self.waiting.extend(requests);
    }

    /// Starts waiting requests, as many as may be under way; whether there is a new one, which has to be polled.
    pub(crate) fn start(&mut self, source: &Arc<dyn AsyncSource>, costs: &FetchOptions) -> bool {
        let mut started = false;
        while self.running.len() < costs.in_flight_requests.max(1)
            && let Some(range) = self.waiting.pop_front()
        {
            let source = Arc::clone(source);
            self.running.push(Box::pin(async move {
                let bytes = read_exactly(&source, range.clone()).await;
                (range, bytes)
            }));
            started = true;
        }
        started
    }

    /// Hands on the answers that have come, and where in the file they begin. The first error is kept.
    pub(crate) fn take(&mut self, context: &mut Context<'_>, mut push: impl FnMut(u64, Bytes)) {
        while let Some((range, bytes)) = self.poll(context) {
            match bytes {
                Ok(bytes) => push(range.start, bytes),
                Err(error) => {
                    self.broken.get_or_insert(error);
                }
            }
        }
    }

    /// The error of a request that failed, once.
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.broken.take()
    }

    /// How many bytes more may be asked for ahead, beside so many that are here; none after a failed request.
    pub(crate) fn room(&self, here: u64, costs: &FetchOptions) -> u64 {
        match self.broken {
            None => costs.in_flight_bytes.saturating_sub(here.saturating_add(self.coming.bytes())),
            Some(_) => 0,
        }
    }

    /// The next answer that has come; none yet, or none any more.
    fn poll(&mut self, context: &mut Context<'_>) -> Option<Fetched> {
        let Poll::Ready(Some((range, bytes))) = self.running.poll_next_unpin(context) else { return None };
        self.coming.clear(range.clone());
        Some((range, bytes))
    }
}
