//! Reads parts of nested columns: a dotted path names a field at any depth, and the rest of the column is never read.
//! `cargo run --example nested_columns -- FILE PATH...`

use herringbone::arrow::ParquetFile;

fn main() -> herringbone::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "testdata/spark-nested.snappy.parquet".into());
    let file = ParquetFile::open(path)?;
    print!("{}", file.metadata().schema());

    let mut paths: Vec<String> = arguments.collect();
    if paths.is_empty() {
        // The last leaf of the file, wherever it is.
        paths.extend(file.metadata().schema().leaves().last().map(|leaf| leaf.path.dotted().to_owned()));
    }
    let scan = file.scan().columns(&paths).limit(100).build()?;
    println!("{}", scan.schema());
    let rows = scan.map(|batch| batch.map(|batch| batch.num_rows())).sum::<herringbone::Result<usize>>()?;
    println!("{rows} rows of {}", paths.join(", "));
    Ok(())
}
