//! Writing to object stores.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};

use crate::error::{Error, Result};
use crate::write::AsyncSink;

/// An object in any `object_store::ObjectStore`, which appears under its name when all of it was written, or not at all.
///
/// Small files are one request, others are uploaded in parts, some beside each other. When a part fails the upload is aborted.
/// Where the sink is dropped without a word, nothing appears either, but S3 keeps parts until they are cleaned up: say
/// [`abort`](AsyncSink::abort).
#[derive(Debug)]
pub struct ObjectSink {
    store: Arc<dyn ObjectStore>,
    path: Path,
    part_bytes: usize,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    upload: Option<Box<dyn MultipartUpload>>,
    running: FuturesUnordered<object_store::UploadPart>,
}

/// All parts but the last have as many bytes, as some stores want it; S3 takes 10,000 parts.
const PART_BYTES: usize = 16 << 20;
/// So many parts are under way at once.
const PARTS: usize = 4;

impl ObjectSink {
    /// An object by its path in a store. Nothing is asked yet.
    pub fn new(store: Arc<dyn ObjectStore>, path: Path) -> Self {
        let (waiting, running) = (VecDeque::new(), FuturesUnordered::new());
        Self { store, path, part_bytes: PART_BYTES, waiting, waiting_bytes: 0, upload: None, running }
    }

    /// Parts of other sizes than 16 MiB; S3 wants 5 MiB at the least.
    #[must_use]
    pub fn with_part_bytes(mut self, bytes: usize) -> Self {
        self.part_bytes = bytes.max(1);
        self
    }

    /// The first bytes that wait.
    fn take(&mut self, most: usize) -> PutPayload {
        let mut parts = Vec::new();
        let mut left = most.min(self.waiting_bytes);
        self.waiting_bytes -= left;
        while left > 0
            && let Some(bytes) = self.waiting.front_mut()
        {
            let part = bytes.split_to(left.min(bytes.len()));
            left -= part.len();
            if bytes.is_empty() {
                self.waiting.pop_front();
            }
            parts.push(part);
        }
        parts.into_iter().collect()
    }

    /// Uploads a part beside those under way, when there are fewer than may be.
    async fn part(&mut self) -> Result<()> {
        while self.running.len() >= PARTS {
            self.landed().await?;
        }
        let payload = self.take(self.part_bytes);
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let upload = self.store.put_multipart(&self.path).await.map_err(|error| failed(&self.path, error))?;
                none.insert(upload)
            }
        };
        self.running.push(upload.put_part(payload));
        Ok(())
    }

    /// Waits for a part; `false` when none is under way.
    async fn landed(&mut self) -> Result<bool> {
        match self.running.next().await {
            Some(Ok(())) => Ok(true),
            Some(Err(error)) => Err(failed(&self.path, error)),
            None => Ok(false),
        }
    }

    async fn complete(&mut self) -> Result<()> {
        if self.upload.is_none() {
            let payload = self.take(usize::MAX);
            return self.store.put(&self.path, payload).await.map(drop).map_err(|error| failed(&self.path, error));
        }
        if self.waiting_bytes > 0 {
            self.part().await?;
        }
        while self.landed().await? {}
        match &mut self.upload {
            Some(upload) => upload.complete().await.map(drop).map_err(|error| failed(&self.path, error)),
            None => Ok(()),
        }
    }
}

impl AsyncSink for ObjectSink {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.waiting_bytes = self.waiting_bytes.saturating_add(bytes.len());
            self.waiting.push_back(bytes);
            while self.waiting_bytes >= self.part_bytes {
                self.part().await?;
            }
            Ok(())
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.complete())
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            self.running = FuturesUnordered::new();
            self.waiting.clear();
            self.waiting_bytes = 0;
            match self.upload.take() {
                Some(mut upload) => upload.abort().await.map_err(|error| failed(&self.path, error)),
                None => Ok(()),
            }
        })
    }
}

#[cold]
fn failed(path: &Path, error: object_store::Error) -> Error {
    Error::from(std::io::Error::other(error)).in_file(path.as_ref())
}
