//! Writing asynchronously.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use futures_channel::oneshot;

use crate::arrow::write::ArrowWriter;
use crate::error::{Error, Result};
use crate::metadata::FileMetadata;
use crate::write::{AsyncSink, WriterOptions};

/// An [`ArrowWriter`] whose bytes go to an asynchronous sink: the same options, the same files.
///
/// Encoding runs on a thread of the writer's own and the pool, so that the executor never waits for it. After an error the writer
/// refuses to go on and the sink is [aborted](AsyncSink::abort); [`close`](Self::close) alone completes a file. A future of this type
/// that is dropped before its end leaves the writer failed, since what it wrote by then is not known.
///
/// ```
/// use futures_util::io::Cursor;
/// use herringbone::arrow::{AsyncArrowWriter, ParquetFile};
/// use herringbone::write::{IoSink, WriterOptions};
///
/// # futures_executor::block_on(async {
/// let scan = ParquetFile::open("testdata/codecs.none-v1.parquet")?.scan().build()?;
/// let mut bytes = Vec::new();
/// let mut writer = AsyncArrowWriter::try_new(IoSink::new(Cursor::new(&mut bytes)), scan.schema(), WriterOptions::default())?;
/// for batch in scan {
///     writer.write(batch?).await?;
/// }
/// assert_eq!(writer.close().await?.num_rows(), 150);
/// assert_eq!(ParquetFile::from_bytes(bytes)?.metadata().num_rows(), 150);
/// # Ok::<(), herringbone::Error>(()) }).unwrap();
/// ```
pub struct AsyncArrowWriter<S> {
    sink: S,
    schema: SchemaRef,
    tasks: Sender<Task>,
    failed: bool,
}

enum Task {
    Write(RecordBatch, oneshot::Sender<Result<Vec<Bytes>>>),
    Flush(oneshot::Sender<Result<Vec<Bytes>>>),
    Close(oneshot::Sender<Result<(FileMetadata, Vec<Bytes>)>>),
}

impl<S> std::fmt::Debug for AsyncArrowWriter<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncArrowWriter").field("schema", &self.schema).field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl<S: AsyncSink> AsyncArrowWriter<S> {
    /// Begins a file of record batches of this schema.
    ///
    /// # Errors
    /// As for [`ArrowWriter::try_new`]; `Io` when no thread can be started.
    pub fn try_new(sink: S, schema: SchemaRef, options: WriterOptions) -> Result<Self> {
        let written = Written::default();
        let writer = ArrowWriter::try_new(written.clone(), Arc::clone(&schema), options)?;
        let (tasks, received) = channel();
        std::thread::Builder::new().name("herringbone-write".to_owned()).spawn(move || serve(writer, &written, &received))?;
        Ok(Self { sink, schema, tasks, failed: false })
    }

    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Writes the rows of a batch.
    ///
    /// # Errors
    /// As for [`ArrowWriter::write`], and those of the sink.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let bytes = self.ask(Task::Write(batch, answer), answered).await?;
        self.send(bytes, false).await
    }

    /// Ends the row group, if it has rows, and writes it.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub async fn flush(&mut self) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let bytes = self.ask(Task::Flush(answer), answered).await?;
        self.send(bytes, false).await
    }

    /// Writes what is left and the footer, and completes the sink.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub async fn close(mut self) -> Result<FileMetadata> {
        let (answer, answered) = oneshot::channel();
        let (metadata, bytes) = self.ask(Task::Close(answer), answered).await?;
        self.send(bytes, true).await?;
        Ok(metadata)
    }

    /// Gives the file up: nothing of it remains, as far as the sink can take it back.
    ///
    /// # Errors
    /// Those of the sink.
    pub async fn abort(mut self) -> Result<()> {
        self.sink.abort().await
    }

    async fn ask<T>(&mut self, task: Task, answered: oneshot::Receiver<Result<T>>) -> Result<T> {
        if self.failed {
            return Err(Error::usage("the writer failed before: nothing more can be written to this file"));
        }
        // Until the answer is there and written, the file is in between.
        self.failed = true;
        let answer = match self.tasks.send(task) {
            Ok(()) => answered.await.unwrap_or_else(|_| Err(gone())),
            Err(_) => Err(gone()),
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => self.give_up(error).await,
        }
    }

    async fn send(&mut self, bytes: Vec<Bytes>, last: bool) -> Result<()> {
        for bytes in bytes {
            if let Err(error) = self.sink.write(bytes).await {
                return self.give_up(error).await;
            }
        }
        if last && let Err(error) = self.sink.finish().await {
            return self.give_up(error).await;
        }
        self.failed = false;
        Ok(())
    }

    async fn give_up<T>(&mut self, error: Error) -> Result<T> {
        // The first error says why.
        let _ = self.sink.abort().await;
        Err(error)
    }
}

/// What was written and not sent yet.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

/// So many bytes are sent at once.
const PIECE: usize = 1 << 20;

impl Written {
    fn take(&self) -> Vec<Bytes> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if bytes.is_empty() { Vec::new() } else { vec![bytes.into()] }
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.capacity() == 0 {
            written.reserve(bytes.len().max(PIECE));
        }
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes until it is told to close, or the writer is dropped: then the file is not completed.
fn serve(mut writer: ArrowWriter<Written>, written: &Written, tasks: &Receiver<Task>) {
    while let Ok(task) = tasks.recv() {
        // Whoever asked may be gone by now.
        match task {
            Task::Write(batch, answer) => drop(answer.send(writer.write(&batch).map(|()| written.take()))),
            Task::Flush(answer) => drop(answer.send(writer.flush().map(|()| written.take()))),
            Task::Close(answer) => {
                drop(answer.send(writer.close().map(|metadata| (metadata, written.take()))));
                return;
            }
        }
    }
}

#[cold]
fn gone() -> Error {
    Error::from(std::io::Error::other("the thread that encodes is gone"))
}
