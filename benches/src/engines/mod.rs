//! The engines that are compared, behind one interface.

mod herringbone;
mod official;
#[cfg(feature = "polars")]
mod polars;

use std::path::Path;

use crate::Result;

/// A reader and writer of Parquet files.
pub trait Engine: Send + Sync {
    /// Its name and version.
    fn name(&self) -> &'static str;

    /// Opens a file and reads it whole, or these columns of it, on so many threads.
    fn read(&self, path: &Path, columns: Option<&[String]>, threads: usize) -> Result<Box<dyn Table>>;

    /// Opens a file and reads it part by part on so many threads, dropping each part before the next; returns the rows. Parts are of so many
    /// rows, or as large as the engine likes.
    fn stream(&self, path: &Path, rows: Option<usize>, threads: usize) -> Result<usize>;
}

/// All values of a file, in the memory format of the engine that read it.
pub trait Table {
    /// The number of rows.
    fn rows(&self) -> usize;

    /// One number a column that depends on its values alone.
    fn digests(&self) -> Result<Vec<u64>>;

    /// About how many bytes the arrays take.
    fn bytes(&self) -> usize;

    /// Writes it as a file with the same engine, on one thread, with row groups of so many rows and otherwise the engine's defaults.
    fn write(&self, codec: WriteCodec, row_group_rows: usize, out: &mut Vec<u8>) -> Result<()>;
}

/// The codecs of writing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WriteCodec {
    None,
    Snappy,
    /// Level 1.
    Zstd,
}

impl WriteCodec {
    pub fn name(self) -> &'static str {
        match self {
            WriteCodec::None => "none",
            WriteCodec::Snappy => "snappy",
            WriteCodec::Zstd => "zstd:1",
        }
    }
}

/// Ours first, then its peers.
pub fn all() -> Vec<Box<dyn Engine>> {
    vec![
        Box::new(herringbone::Herringbone),
        Box::new(official::Official),
        #[cfg(feature = "polars")]
        Box::new(polars::Polars),
    ]
}
