//! Files in object stores.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{StreamExt, TryStreamExt};
use herringbone::arrow::ParquetFile;
use herringbone::read::{FetchOptions, ObjectSource};
use herringbone::{ErrorKind, Result};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::{ROW_GROUPS, expected, wide_file};

fn store(file: &Bytes) -> (Arc<dyn ObjectStore>, Path) {
    let (store, path) = (InMemory::new(), Path::from("folder/wide.parquet"));
    block_on(store.put(&path, PutPayload::from(file.clone()))).unwrap();
    (Arc::new(store), path)
}

/// Requests of a row group each.
fn costs(file: &Bytes) -> FetchOptions {
    let group = file.len() as u64 / ROW_GROUPS as u64;
    FetchOptions { request_bytes: group, in_flight_bytes: group, footer_bytes: 30_000, ..FetchOptions::remote() }
}

#[test]
fn an_object_reads_as_a_file() {
    let file = wide_file();
    let (store, path) = store(&file);
    let meta = block_on(store.head(&path)).unwrap();
    for source in [ObjectSource::new(Arc::clone(&store), path), ObjectSource::with_meta(store, meta)] {
        let batches: Vec<RecordBatch> = block_on(async {
            let file = ParquetFile::open_async(source.with_costs(costs(&file))).await?;
            file.scan().row_number("row").stream()?.try_collect().await
        })
        .unwrap();
        assert_eq!(batches, expected(&file).unwrap());
    }
}

#[test]
fn a_file_that_is_replaced_while_it_is_read_is_an_error() {
    let file = wide_file();
    let (store, path) = store(&file);
    let source = ObjectSource::new(Arc::clone(&store), path.clone()).with_costs(costs(&file));
    let opened = block_on(ParquetFile::open_async(source)).unwrap();
    let mut batches = opened.scan().stream().unwrap();
    block_on(batches.next()).unwrap().unwrap();
    // Byte for byte the same, and another version all the same.
    block_on(store.put(&path, PutPayload::from(file))).unwrap();
    let error = block_on(async {
        loop {
            match batches.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return error,
                None => panic!("all of it was read"),
            }
        }
    });
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("was replaced"), "{error}");
    assert!(error.to_string().contains("folder/wide.parquet"), "{error}");
    // The metadata are those of the first version.
    let error = block_on(opened.scan().stream().unwrap().try_collect::<Vec<_>>()).unwrap_err();
    assert!(error.to_string().contains("was replaced"), "{error}");
}

#[test]
fn what_is_not_there_is_named() {
    let (store, _) = store(&wide_file());
    let error = block_on(ParquetFile::open_async(ObjectSource::new(store, Path::from("nothing")))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>()).unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().contains("nothing"), "{error}");
}

#[test]
fn empty_and_short_objects_are_no_parquet_files() -> Result<()> {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    for (content, message) in [(&b""[..], "empty"), (b"PAR1", "truncated"), (b"nothing of the kind", "not a Parquet file")] {
        let path = Path::from("short");
        block_on(store.put(&path, PutPayload::from_static(content))).unwrap();
        let error = block_on(ParquetFile::open_async(ObjectSource::new(Arc::clone(&store), path))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    Ok(())
}

#[cfg(feature = "object_store")]
#[test]
fn local_files_are_a_store_too() {
    let file = wide_file();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wide.parquet"), &file).unwrap();
    let store = object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let source = ObjectSource::new(Arc::new(store), Path::from("wide.parquet")).with_costs(costs(&file));
    let batches: Vec<RecordBatch> = block_on(async {
        let file = ParquetFile::open_async(source).await?;
        file.scan().row_number("row").stream()?.try_collect().await
    })
    .unwrap();
    assert_eq!(batches, expected(&file).unwrap());
}
