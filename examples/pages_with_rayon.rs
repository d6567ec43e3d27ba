//! Decodes the pages of one column chunk with rayon. `cargo run --example pages_with_rayon -- FILE [LEAF]`

use std::sync::Arc;

use herringbone::compression::Decompressor;
use herringbone::page::CompressedPage;
use herringbone::read::{self, FileSource, PageOptions};
use herringbone::{Limits, Result};
use rayon::prelude::*;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "testdata/spark.snappy.parquet".into());
    let leaf = arguments.next().and_then(|leaf| leaf.parse().ok()).unwrap_or(0);
    let source = FileSource::open(path)?;
    let metadata = read::metadata(&source, &Limits::default())?;

    let mut pages: Vec<CompressedPage> = read::pages(source, &metadata, 0, leaf, &PageOptions::default())?.collect::<Result<_>>()?;
    let dictionary = match pages.first() {
        Some(page) if page.is_dictionary() => {
            let page = pages.remove(0);
            Some(Arc::new(page.decompress(&mut Decompressor::new(), Vec::new())?.decode_dictionary()?))
        }
        _ => None,
    };
    let decoded: Vec<usize> = pages
        .par_iter()
        .map_init(Decompressor::new, |decompressor, page| {
            let page = page.decompress(decompressor, Vec::new())?;
            Ok(page.decode(dictionary.as_ref(), &Limits::default())?.values.len())
        })
        .collect::<Result<_>>()?;
    println!("{} pages with {} values that are not null", decoded.len(), decoded.iter().sum::<usize>());
    Ok(())
}
