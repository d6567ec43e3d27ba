//! A server that speaks S3, on this machine: `HERRINGBONE_S3` is its address, and the bucket `herringbone` is in it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::RecordBatch;
use futures_util::{StreamExt, TryStreamExt};
use herringbone::arrow::{AsyncArrowWriter, ParquetFile};
use herringbone::predicate::col;
use herringbone::read::{FetchOptions, ObjectSource};
use herringbone::write::{ObjectSink, WriterOptions};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::{ROW_GROUPS, ROWS, expected, wide_file};

/// Hands connections on to the server and counts the requests in them.
struct Counter {
    address: String,
    requests: Arc<AtomicUsize>,
}

impl Counter {
    fn new() -> Self {
        let server = std::env::var("HERRINGBONE_S3").expect("HERRINGBONE_S3 is the address of a server such as 127.0.0.1:5000");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let (answers, back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let requests = Arc::clone(&counted);
                std::thread::spawn(move || pass_on(client, server, &requests));
                std::thread::spawn(move || pass_on(answers, back, &AtomicUsize::new(0)));
            }
        });
        Self { address, requests }
    }

    fn store(&self) -> AmazonS3 {
        let store = AmazonS3Builder::new().with_endpoint(&self.address).with_allow_http(true).with_bucket_name("herringbone");
        store.with_region("us-east-1").with_access_key_id("any").with_secret_access_key("any").build().unwrap()
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Copies bytes; each line that ends in ` HTTP/1.1` begins a request.
fn pass_on(mut from: TcpStream, mut to: TcpStream, requests: &AtomicUsize) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n) = from.read(&mut buffer)
        && n > 0
    {
        let lines = buffer[..n].windows(11).filter(|window| window == b" HTTP/1.1\r\n");
        requests.fetch_add(lines.count(), Ordering::SeqCst);
        if to.write_all(&buffer[..n]).is_err() {
            return;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
#[ignore = "needs HERRINGBONE_S3"]
fn s3_requests_are_few() {
    let (counter, file) = (Counter::new(), wide_file());
    let store: Arc<dyn ObjectStore> = Arc::new(counter.store());
    let path = Path::from("wide.parquet");
    run(async {
        store.put(&path, PutPayload::from(file.clone())).await.unwrap();
        let footer = ParquetFile::from_bytes(file.clone()).unwrap().metadata().footer_size() as u64 + 8;
        let group = file.len() as u64 / ROW_GROUPS as u64;
        let costs = |gap, request_bytes| FetchOptions { gap, request_bytes, footer_bytes: footer, ..FetchOptions::remote() };
        for (costs, most) in [(costs(group, group), 1 + ROW_GROUPS), (costs(group, 16 << 20), 2), (FetchOptions::remote(), 1)] {
            let before = counter.requests();
            let source = ObjectSource::new(Arc::clone(&store), path.clone()).with_costs(costs.clone());
            let file = ParquetFile::open_async(source).await.unwrap();
            let batches: Vec<RecordBatch> = file.scan().columns(["c1", "c14"]).stream().unwrap().try_collect().await.unwrap();
            assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), ROW_GROUPS * ROWS);
            let requests = counter.requests() - before;
            println!("2 of 16 columns of {ROW_GROUPS} row groups: {requests} requests with {costs:?}");
            assert!(requests <= most, "{requests} requests, more than {most}");
        }
        // A filter that statistics decide for all row groups but one.
        let before = counter.requests();
        let source = ObjectSource::new(Arc::clone(&store), path.clone()).with_costs(costs(group, group));
        let file = ParquetFile::open_async(source).await.unwrap();
        let scan = file.scan().columns(["c1"]).filter(col("c0").eq(1_600_i64));
        let batches: Vec<RecordBatch> = scan.stream().unwrap().try_collect().await.unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
        let requests = counter.requests() - before;
        println!("one row by a filter: {requests} requests");
        assert!(requests <= 4, "{requests} requests");
    });
}

#[test]
#[ignore = "needs HERRINGBONE_S3"]
fn s3_replaced_objects_are_errors() {
    let (counter, file) = (Counter::new(), wide_file());
    let store: Arc<dyn ObjectStore> = Arc::new(counter.store());
    let path = Path::from("replaced.parquet");
    run(async {
        store.put(&path, PutPayload::from(file.clone())).await.unwrap();
        let group = file.len() as u64 / ROW_GROUPS as u64;
        let costs = FetchOptions { request_bytes: group, in_flight_bytes: group, footer_bytes: 30_000, ..FetchOptions::remote() };
        let source = ObjectSource::new(Arc::clone(&store), path.clone()).with_costs(costs);
        let mut batches = ParquetFile::open_async(source).await.unwrap().scan().stream().unwrap();
        batches.next().await.unwrap().unwrap();
        let mut other = file.to_vec();
        other[10] ^= 1;
        store.put(&path, PutPayload::from(other)).await.unwrap();
        let error = loop {
            match batches.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => panic!("all of it was read"),
            }
        };
        assert!(error.to_string().contains("was replaced"), "{error}");
    });
}

#[test]
#[ignore = "needs HERRINGBONE_S3"]
fn s3_takes_files_in_parts_or_not_at_all() {
    let (counter, file) = (Counter::new(), wide_file());
    let store: Arc<dyn ObjectStore> = Arc::new(counter.store());
    let batches = expected(&file).unwrap();
    run(async {
        let path = Path::from("parts.parquet");
        let write = async |path: &Path, times: usize, close: bool| {
            let sink = ObjectSink::new(Arc::clone(&store), path.clone()).with_part_bytes(5 << 20);
            let options = WriterOptions::builder().row_group_rows(10_000).build().unwrap();
            let mut writer = AsyncArrowWriter::try_new(sink, batches[0].schema(), options).unwrap();
            for _ in 0..times {
                for batch in &batches {
                    writer.write(batch.clone()).await.unwrap();
                }
            }
            match close {
                true => writer.close().await.map(drop),
                false => writer.abort().await,
            }
        };
        let before = counter.requests();
        write(&path, 120, true).await.unwrap();
        let size = store.head(&path).await.unwrap().size;
        println!("{size} bytes in {} requests", counter.requests() - before - 1);
        assert!(size > 5 << 20, "{size} bytes are one part");
        let file = ParquetFile::open_async(ObjectSource::new(Arc::clone(&store), path)).await.unwrap();
        let read: Vec<RecordBatch> = file.scan().stream().unwrap().try_collect().await.unwrap();
        assert_eq!(read.iter().map(RecordBatch::num_rows).sum::<usize>(), 120 * ROW_GROUPS * ROWS);
        let aborted = Path::from("aborted.parquet");
        write(&aborted, 120, false).await.unwrap();
        assert!(store.head(&aborted).await.is_err());
    });
}

#[cfg(feature = "cli")]
#[test]
#[ignore = "needs HERRINGBONE_S3"]
fn s3_addresses_go_into_the_command() {
    let (counter, file) = (Counter::new(), wide_file());
    run(async {
        counter.store().put(&Path::from("folder/command.parquet"), PutPayload::from(file)).await.unwrap();
    });
    let command = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_herringbone"))
            .args(arguments)
            .env("AWS_ENDPOINT_URL", &counter.address)
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .env("AWS_REGION", "us-east-1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let address = "s3://herringbone/folder/command.parquet";
    assert_eq!(command(&["count", address]).trim(), (ROW_GROUPS * ROWS).to_string());
    assert_eq!(command(&["count", "--where", "c0 < 1600", address]).trim(), "100");
    assert_eq!(command(&["cat", "--columns", "c0", "--limit", "2", "--format", "json", address]), "{\"c0\":0}\n{\"c0\":16}\n");
    assert!(command(&["meta", address]).contains("5"));
    assert!(command(&["verify", "--strict", address]).contains(address));
}
