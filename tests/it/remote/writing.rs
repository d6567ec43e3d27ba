//! Asynchronous writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_executor::block_on;
use futures_util::FutureExt;
use futures_util::io::Cursor;
use herringbone::arrow::{ArrowWriter, AsyncArrowWriter, ParquetFile};
use herringbone::write::{AsyncSink, IoSink, WriterOptions};
use herringbone::{Error, ErrorKind, Result};

use super::{ROW_GROUPS, ROWS, expected, wide_file};

fn options() -> WriterOptions {
    WriterOptions::builder().row_group_rows(ROWS as u64).build().unwrap()
}

#[test]
fn the_file_is_the_same() {
    let batches = expected(&wide_file()).unwrap();
    let mut blocking = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut blocking, batches[0].schema(), options()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    let mut bytes = Vec::new();
    let metadata = block_on(async {
        let mut writer = AsyncArrowWriter::try_new(IoSink::new(Cursor::new(&mut bytes)), batches[0].schema(), options())?;
        for batch in &batches {
            writer.write(batch.clone()).await?;
        }
        writer.close().await
    })
    .unwrap();
    assert_eq!(metadata.num_row_groups(), ROW_GROUPS);
    assert!(bytes == blocking);
    assert_eq!(expected(&bytes.into()).unwrap().len(), ROW_GROUPS);
}

/// Fails at one of its writes, and counts.
#[derive(Clone, Default)]
struct Failing {
    fails_at: usize,
    writes: Arc<AtomicUsize>,
    finished: Arc<AtomicUsize>,
    aborted: Arc<AtomicUsize>,
}

impl AsyncSink for Failing {
    fn write(&mut self, _: Bytes) -> BoxFuture<'_, Result<()>> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match number == self.fails_at {
                true => Err(Error::from(std::io::Error::other("the sink is full"))),
                false => Ok(()),
            }
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        self.finished.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<()>> {
        self.aborted.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn a_failed_write_aborts_and_nothing_comes_after() {
    let batches = expected(&wide_file()).unwrap();
    for fails_at in [0, 3, 20] {
        let sink = Failing { fails_at, ..Failing::default() };
        let mut writer = AsyncArrowWriter::try_new(sink.clone(), batches[0].schema(), options()).unwrap();
        let error = block_on(async {
            for batch in &batches {
                writer.write(batch.clone()).await?;
                writer.flush().await?;
            }
            herringbone::Result::<()>::Ok(())
        })
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("the sink is full"));
        assert_eq!(block_on(writer.write(batches[0].clone())).unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(block_on(writer.close()).unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(sink.writes.load(Ordering::SeqCst), fails_at + 1);
        assert_eq!((sink.finished.load(Ordering::SeqCst), sink.aborted.load(Ordering::SeqCst)), (0, 1));
    }
}

#[test]
fn a_dropped_writer_or_wait_completes_no_file() {
    let batches = expected(&wide_file()).unwrap();
    let sink = Failing { fails_at: usize::MAX, ..Failing::default() };
    let mut writer = AsyncArrowWriter::try_new(sink.clone(), batches[0].schema(), options()).unwrap();
    block_on(writer.write(batches[0].clone())).unwrap();
    drop(writer);
    let mut writer = AsyncArrowWriter::try_new(sink.clone(), batches[0].schema(), options()).unwrap();
    // Given up after one poll, or already there.
    if writer.write(batches[0].clone()).now_or_never().is_none() {
        assert_eq!(block_on(writer.close()).unwrap_err().kind(), ErrorKind::Usage);
    }
    assert_eq!(sink.finished.load(Ordering::SeqCst), 0);
    // A batch of another schema is refused, and ends the file.
    let mut writer = AsyncArrowWriter::try_new(sink.clone(), batches[0].schema(), options()).unwrap();
    assert!(block_on(writer.write(batches[0].project(&[0]).unwrap())).is_err());
    assert_eq!(block_on(writer.close()).unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(sink.finished.load(Ordering::SeqCst), 0);
}

#[cfg(feature = "object_store_base")]
#[test]
fn objects_appear_when_they_are_whole() {
    use herringbone::write::ObjectSink;
    use object_store::path::Path;
    use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory};
    let batches = expected(&wide_file()).unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    for part_bytes in [1_000, 100_000, 1 << 30] {
        let path = Path::from(format!("out/{part_bytes}.parquet"));
        let file = block_on(async {
            let sink = ObjectSink::new(Arc::clone(&store), path.clone()).with_part_bytes(part_bytes);
            let mut writer = AsyncArrowWriter::try_new(sink, batches[0].schema(), options())?;
            for batch in &batches {
                writer.write(batch.clone()).await?;
            }
            assert!(store.head(&path).await.is_err(), "it is there before it is whole");
            writer.close().await?;
            herringbone::Result::<Bytes>::Ok(store.get(&path).await.unwrap().bytes().await.unwrap())
        })
        .unwrap();
        assert_eq!(expected(&file).unwrap().len(), ROW_GROUPS);
        assert_eq!(ParquetFile::from_bytes(file).unwrap().metadata().num_row_groups(), ROW_GROUPS);
        let aborted = Path::from("out/aborted.parquet");
        block_on(async {
            let sink = ObjectSink::new(Arc::clone(&store), aborted.clone()).with_part_bytes(part_bytes);
            let mut writer = AsyncArrowWriter::try_new(sink, batches[0].schema(), options())?;
            writer.write(batches[0].clone()).await?;
            writer.flush().await?;
            writer.abort().await
        })
        .unwrap();
        assert!(block_on(store.head(&aborted)).is_err());
    }
}
