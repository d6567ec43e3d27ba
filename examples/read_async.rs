//! Reads a file asynchronously, here a local one on the smallest of executors; any other executor and any other source do as well.
//!
//! ```text
//! cargo run --release --features async --example read_async -- testdata/landings.zstd.parquet
//! ```

use futures_util::TryStreamExt;
use herringbone::arrow::ParquetFile;
use herringbone::read::BlockingSource;

fn main() -> herringbone::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "testdata/landings.zstd.parquet".to_owned());
    futures_executor::block_on(async {
        let file = ParquetFile::open_async(BlockingSource::open(path)?).await?;
        let mut batches = file.scan().stream()?;
        let mut rows = 0;
        while let Some(batch) = batches.try_next().await? {
            rows += batch.num_rows();
        }
        println!("{rows} rows; {}", batches.metrics());
        Ok(())
    })
}
