//! Decodes pages with `std::thread`: one thread reads, others decompress and decode.
//! `cargo run --example pages_with_threads -- FILE`

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use herringbone::compression::Decompressor;
use herringbone::encoding::Dictionary;
use herringbone::page::CompressedPage;
use herringbone::read::{self, FileSource, PageOptions};
use herringbone::{Limits, Result};

/// A data page and the dictionary of its chunk.
type Job = (CompressedPage, Option<Arc<Dictionary>>);

fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "testdata/spark.snappy.parquet".into());
    let source = Arc::new(FileSource::open(path)?);
    let metadata = read::metadata(&*source, &Limits::default())?;

    let (jobs, queue) = mpsc::sync_channel::<Job>(16);
    let queue = Arc::new(Mutex::new(queue));
    let values = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| decode_all(&queue))).collect();
        for row_group in 0..metadata.num_row_groups() {
            for leaf in 0..metadata.schema().leaves().len() {
                let mut dictionary = None;
                for page in read::pages(Arc::clone(&source), &metadata, row_group, leaf, &PageOptions::default())? {
                    let page = page?;
                    if page.is_dictionary() {
                        let decompressed = page.decompress(&mut Decompressor::new(), Vec::new())?;
                        dictionary = Some(Arc::new(decompressed.decode_dictionary()?));
                    } else if jobs.send((page, dictionary.clone())).is_err() {
                        break;
                    }
                }
            }
        }
        drop(jobs);
        workers.into_iter().map(|worker| worker.join().unwrap_or(Ok(0))).sum::<Result<usize>>()
    })?;
    println!("{values} values that are not null");
    Ok(())
}

/// Decodes what comes until nothing more does; each thread keeps its codec contexts and page memory.
fn decode_all(queue: &Mutex<mpsc::Receiver<Job>>) -> Result<usize> {
    let (mut decompressor, mut buffer, mut values) = (Decompressor::new(), Vec::new(), 0);
    loop {
        let next = queue.lock().map(|queue| queue.recv());
        let Ok(Ok((page, dictionary))) = next else { return Ok(values) };
        let page = page.decompress(&mut decompressor, buffer)?;
        values += page.decode(dictionary.as_ref(), &Limits::default())?.values.len();
        buffer = page.into_buffer();
    }
}
