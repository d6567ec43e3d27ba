//! The pages of a column chunk, as they come from an asynchronous source.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::{Error, Result};
use crate::metadata::FileMetadata;
use crate::page::{ChunkInfo, CompressedPage};
use crate::read::fetch::without;
use crate::read::fetches::Fetches;
use crate::read::push::{Missing, Pushed};
use crate::read::{AsyncSource, FetchOptions, PageOptions, PageReader, Source};

/// As [`pages`](crate::read::pages()), from an asynchronous source: the same pages, compressed as they are stored, and the same errors.
/// Nothing is asked for before the stream is polled.
///
/// A request has as many bytes as [`FetchOptions::request_bytes`] of the source says, or those of [`PageOptions::window`] instead: with a window
/// of 0 nothing is asked for but a header and the bytes of its page, page by page.
///
/// ```
/// use std::sync::Arc;
///
/// use futures_util::TryStreamExt;
/// use herringbone::Limits;
/// use herringbone::compression::Decompressor;
/// use herringbone::read::{self, BlockingSource, PageOptions};
///
/// # futures_executor::block_on(async {
/// let (limits, source) = (Limits::default(), Arc::new(BlockingSource::open("testdata/codecs.none-v1.parquet")?));
/// let metadata = read::metadata_async(&source, &limits).await?;
/// let price = metadata.schema().leaf("price").expect("the file has prices").index;
///
/// let mut pages = read::pages_async(source, &metadata, 0, price, &PageOptions::default())?;
/// let (mut decompressor, mut dictionary, mut prices) = (Decompressor::new(), None, Vec::new());
/// while let Some(page) = pages.try_next().await? {
///     // From here on there is no I/O: a page can be sent to any thread.
///     let decompressed = page.decompress(&mut decompressor, Vec::new())?;
///     if page.is_dictionary() {
///         dictionary = Some(Arc::new(decompressed.decode_dictionary()?));
///     } else {
///         let decoded = decompressed.decode(dictionary.as_ref(), &limits)?;
///         prices.extend_from_slice(decoded.values.as_f64().expect("prices are DOUBLE"));
///     }
/// }
/// assert_eq!(prices.len(), 106);
/// # Ok::<(), herringbone::Error>(()) }).unwrap();
/// ```
///
/// # Errors
/// As for [`pages`](crate::read::pages()).
pub fn pages_async(
    source: impl AsyncSource + 'static,
    metadata: &FileMetadata,
    row_group: usize,
    leaf: usize,
    options: &PageOptions,
) -> Result<PageStream> {
    let mut costs = source.costs();
    costs.request_bytes = options.window.unwrap_or(costs.request_bytes);
    let pushed = Arc::new(Pushed::new(metadata.file_size()));
    // Over bytes that are here or missing, what is needed is told exactly.
    let exact = PageOptions { window: Some(0), ..options.clone() };
    let core = PageReader::new(Arc::clone(&pushed) as Arc<dyn Source>, metadata, row_group, leaf, &exact)?;
    let plan = if costs.request_bytes > 0 { costs.requests(vec![core.range()]).into() } else { VecDeque::new() };
    Ok(PageStream { core, pushed, source: Arc::new(source), costs, plan, fetches: Fetches::default(), done: false })
}

/// Streams the pages of one column chunk; see [`pages_async`].
///
/// The next requests are under way while pages are taken, as far as [`FetchOptions::in_flight_bytes`] and
/// [`FetchOptions::in_flight_requests`] allow. They go on while the stream is polled, and end when it is dropped; a future that waits for
/// the next page can be dropped without losing one. Pages before a failed request come first, then its error.
///
/// After an error it ends.
pub struct PageStream {
    /// Reads from what was pushed.
    core: PageReader,
    pushed: Arc<Pushed>,
    source: Arc<dyn AsyncSource>,
    costs: FetchOptions,
    /// Requests for the chunk that were not made yet, ascending.
    plan: VecDeque<Range<u64>>,
    fetches: Fetches,
    done: bool,
}

impl std::fmt::Debug for PageStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageStream").field("core", &self.core).field("coming", &self.fetches.coming()).finish_non_exhaustive()
    }
}

impl PageStream {
    /// The column chunk.
    pub fn chunk(&self) -> &Arc<ChunkInfo> {
        self.core.chunk()
    }

    /// Where the pages that were not taken yet lie in the file.
    pub fn range(&self) -> Range<u64> {
        self.core.range()
    }

    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<CompressedPage>>> {
        loop {
            self.fetches.take(context, |start, bytes| self.pushed.push(start, bytes));
            let missing = match self.core.next_page() {
                Ok(page) => {
                    self.pushed.keep(&[self.core.range()]);
                    return Poll::Ready(Ok(page));
                }
                Err(error) => match Missing::of(&error) {
                    Some(ranges) => ranges.to_vec(),
                    None => return Poll::Ready(Err(error)),
                },
            };
            if let Some(error) = self.ask(missing) {
                return Poll::Ready(Err(error));
            }
            self.ask_ahead();
            if !self.fetches.start(&self.source, &self.costs) {
                return Poll::Pending;
            }
        }
    }

    /// Asks for bytes that are needed, unless they are coming; after a failed request it gives its error instead.
    fn ask(&mut self, missing: Vec<Range<u64>>) -> Option<Error> {
        let missing = self.fetches.coming().missing(missing);
        if missing.is_empty() {
            return None;
        }
        if let Some(error) = self.fetches.take_error() {
            return Some(self.core.chunk().place(error));
        }
        let needed = |request: &Range<u64>| missing.iter().any(|range| range.start < request.end && request.start < range.end);
        let (mut requests, later): (Vec<_>, Vec<_>) = self.plan.drain(..).partition(needed);
        self.plan = later.into();
        // Pages beyond what the footer calls the chunk, and all of them where they are taken one by one.
        requests.extend(without(missing, requests.clone()));
        self.fetches.first(requests);
        None
    }

    /// Asks for what comes after, as far as there is room.
    fn ask_ahead(&mut self) {
        while self.fetches.room(self.pushed.bytes(), &self.costs) > 0
            && let Some(request) = self.plan.pop_front()
        {
            self.fetches.last(vec![request]);
        }
    }
}

impl Stream for PageStream {
    type Item = Result<CompressedPage>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.done {
            return Poll::Ready(None);
        }
        let page = std::task::ready!(self.poll_page(context)).transpose();
        if !matches!(page, Some(Ok(_))) {
            self.done = true;
            self.fetches = Fetches::default();
        }
        Poll::Ready(page)
    }
}
