//! Reads a file that is mapped into memory, without copying it.
//!
//! Mapping is `unsafe`, and it is this program's word and not the library's that nobody changes or cuts the file meanwhile: the library has
//! no `unsafe` code and takes any bytes that somebody else answers for.
//!
//! ```text
//! cargo run --release --example memory_map -- testdata/landings.zstd.parquet
//! ```

use std::fs::File;

use bytes::Bytes;
use herringbone::arrow::ParquetFile;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "testdata/landings.zstd.parquet".to_owned());
    let file = File::open(&path)?;
    // SAFETY: whoever runs this program keeps others from writing to the file as long as it runs.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    // `Bytes` is a source, and a slice of it costs nothing.
    let file = ParquetFile::from_bytes(Bytes::from_owner(map))?;
    let mut rows = 0;
    for batch in file.scan().build()? {
        rows += batch?.num_rows();
    }
    println!("{rows} rows");
    Ok(())
}
