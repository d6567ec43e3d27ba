//! Asynchronous scans.

#![allow(clippy::arithmetic_side_effects, reason = "what is in flight is compared before it is subtracted")]

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures_core::Stream;

use crate::arrow::file::{NoSource, Origin, ParquetFile};
use crate::arrow::filter::ScanMetrics;
use crate::arrow::push::{PushScan, PushStep};
use crate::arrow::scan::ScanBuilder;
use crate::error::Result;
use crate::limits::Limits;
use crate::read::{AsyncSource, BlockingSource, FetchOptions, Fetches, footer};

impl ParquetFile {
    /// Opens a file of an asynchronous source: one request for its end, as a rule, in which the footer is. Its scans are made by
    /// [`ScanBuilder::stream`].
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    /// use herringbone::arrow::ParquetFile;
    /// use herringbone::read::BlockingSource;
    ///
    /// # futures_executor::block_on(async {
    /// let source = BlockingSource::open("testdata/codecs.none-v1.parquet")?;
    /// let file = ParquetFile::open_async(source).await?;
    /// let mut batches = file.scan().columns(["word"]).limit(100).stream()?;
    /// while let Some(batch) = batches.try_next().await? {
    ///     println!("{} rows", batch.num_rows());
    /// }
    /// # Ok::<(), herringbone::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`read::metadata()`](crate::read::metadata()) says.
    pub async fn open_async(source: impl AsyncSource + 'static) -> Result<Self> {
        let costs = source.costs();
        Self::open_async_with(source, Limits::default(), costs).await
    }

    /// Opens a file of an asynchronous source under the caller's limits, with other costs of requests than the source says.
    ///
    /// # Errors
    /// As for [`open_async`](Self::open_async).
    pub async fn open_async_with(source: impl AsyncSource + 'static, limits: Limits, costs: FetchOptions) -> Result<Self> {
        let (metadata, start, end) = footer(&source, &costs, &limits).await?;
        let mut file = Self::from_metadata_async(source, metadata, limits);
        file.origin.fetch = costs;
        file.origin.end = Some((start, end));
        Ok(file)
    }

    /// Opens a local file for asynchronous scans, which is read on threads of its own.
    ///
    /// # Errors
    /// As for [`open_async`](Self::open_async); the error names the path.
    pub async fn open_local_async(path: impl AsRef<Path>) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let opened = async { Self::open_async(BlockingSource::open(path)?).await };
        let mut file = opened.await.map_err(|error| error.in_file(name.as_str()))?;
        file.name = Some(name.into());
        Ok(file)
    }

    /// An asynchronous file whose metadata the caller has already, from an earlier [`metadata`](Self::metadata) of the same
    /// bytes: nothing is read. With the metadata of another file, scans end in errors or give nonsense.
    pub fn from_metadata_async(source: impl AsyncSource + 'static, metadata: crate::FileMetadata, limits: Limits) -> Self {
        let fetch = source.costs();
        let mut file = Self::from_metadata(NoSource(metadata.file_size()), metadata, limits);
        file.origin = Origin { fetch, remote: Some(Arc::new(source)), ..Origin::default() };
        file
    }
}

impl ScanBuilder {
    /// As [`build`](Self::build), for a stream of batches.
    ///
    /// Files that were opened by a blocking source are read on threads of their own.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn stream(self) -> Result<ScanStream> {
        let source: Arc<dyn AsyncSource> = match &self.file.origin.remote {
            Some(remote) => Arc::clone(remote),
            None => Arc::new(BlockingSource::with_costs(Arc::clone(&self.file.source), self.file.origin.fetch.clone())),
        };
        let costs = self.file.origin.fetch.clone();
        let file = self.file.clone();
        let core = self.push()?;
        Ok(ScanStream { core, source, costs, file, fetches: Fetches::default(), done: false })
    }
}

/// The batches of a scan as they come; made by [`ScanBuilder::stream`].
///
/// All that is fetched is known before it is fetched: requests for the coming row groups are under way while those before are
/// decoded, as far as [`FetchOptions::in_flight_bytes`] allows. Decoding runs on the scan's threads and never on the one that
/// polls, unless the scan has [`threads(1)`](ScanBuilder::threads). Requests go on while the stream is polled. Dropping it
/// ends requests and work that are under way; a future that waits for its next batch can be dropped without losing one.
///
/// After an error it ends.
pub struct ScanStream {
    core: PushScan,
    source: Arc<dyn AsyncSource>,
    costs: FetchOptions,
    file: ParquetFile,
    fetches: Fetches,
    done: bool,
}

impl std::fmt::Debug for ScanStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScanStream").field("core", &self.core).field("coming", &self.fetches.coming()).finish_non_exhaustive()
    }
}

impl ScanStream {
    /// The schema of the batches.
    pub fn schema(&self) -> SchemaRef {
        self.core.schema()
    }

    /// As [`Scan::num_rows`](crate::arrow::Scan::num_rows).
    pub fn num_rows(&self) -> u64 {
        self.core.num_rows()
    }

    /// As [`Scan::metrics`](crate::arrow::Scan::metrics); reads are requests, without those for the footer.
    pub fn metrics(&self) -> ScanMetrics {
        self.core.metrics()
    }

    /// As [`Scan::is_exact`](crate::arrow::Scan::is_exact).
    pub fn is_exact(&self) -> bool {
        self.core.is_exact()
    }

    /// As [`Scan::explain`](crate::arrow::Scan::explain).
    pub fn explain(&self) -> String {
        self.core.explain()
    }

    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<RecordBatch>>> {
        loop {
            self.fetches.take(context, |start, bytes| self.core.push(start, bytes));
            self.fetch_ahead()?;
            match self.core.poll_beside(context, self.fetches.coming())? {
                Poll::Ready(PushStep::Batch(batch)) => {
                    self.fetch_ahead()?;
                    return Poll::Ready(Ok(Some(batch)));
                }
                Poll::Ready(PushStep::Done) => return Poll::Ready(Ok(None)),
                Poll::Ready(PushStep::Need(ranges)) => {
                    if let Some(error) = self.fetches.take_error() {
                        return Poll::Ready(Err(error));
                    }
                    self.fetches.first(ranges);
                }
                Poll::Pending => self.fetch_ahead()?,
            }
            if !self.fetches.start(&self.source, &self.costs) {
                return Poll::Pending;
            }
        }
    }

    /// Asks for what the coming row groups need, as far as there is room.
    fn fetch_ahead(&mut self) -> Result<()> {
        let room = self.fetches.room(self.core.kept_bytes(), &self.costs);
        if room > 0 {
            let new = self.core.ahead_beside(room, self.fetches.coming())?;
            self.fetches.last(new);
        }
        Ok(())
    }
}

impl Stream for ScanStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.done {
            return Poll::Ready(None);
        }
        let batch = std::task::ready!(self.poll_batch(context)).map_err(|error| self.file.place(error)).transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.done = true;
            self.fetches = Fetches::default();
        }
        Poll::Ready(batch)
    }
}
