//! Reads a file into record batches: `cargo run --example read_file -- FILE [COLUMN...]`.

use herringbone::arrow::{ParquetFile, Strings};

fn main() -> herringbone::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "testdata/spark-nested.snappy.parquet".into());
    let columns: Vec<String> = arguments.collect();

    let file = ParquetFile::open(path)?;
    println!("{} rows in {} row groups", file.metadata().num_rows(), file.metadata().num_row_groups());

    let mut scan = file.scan().strings(Strings::Utf8View).batch_rows(8192);
    if !columns.is_empty() {
        scan = scan.columns(columns);
    }
    for batch in scan.build()? {
        let batch = batch?;
        println!("a batch of {} rows and {} columns", batch.num_rows(), batch.num_columns());
    }
    Ok(())
}
