//! Asynchronous sinks.

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_io::AsyncWrite;
use futures_util::AsyncWriteExt;

use crate::error::Result;

/// Something that takes the bytes of a file in order.
pub trait AsyncSink: Send {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `Io`, as the sink says.
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<()>>;

    /// Completes the file.
    ///
    /// # Errors
    /// `Io`, as the sink says.
    fn finish(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Gives the file up: nothing of it remains, as far as the sink can take it back.
    ///
    /// # Errors
    /// `Io`, as the sink says.
    fn abort(&mut self) -> BoxFuture<'_, Result<()>>;
}

/// Anything that implements `futures::io::AsyncWrite`. What was written cannot be taken back.
#[derive(Debug)]
pub struct IoSink<W>(W);

impl<W: AsyncWrite + Unpin + Send> IoSink<W> {
    /// Wraps a writer.
    pub fn new(writer: W) -> Self {
        Self(writer)
    }
}

impl<W: AsyncWrite + Unpin + Send> AsyncSink for IoSink<W> {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { Ok(self.0.write_all(&bytes).await?) })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(self.0.close().await?) })
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
