//! Rows of one leaf column, without Arrow.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::metadata::FileMetadata;
use crate::page::ChunkInfo;
use crate::read::leaf::{LeafData, LeafReader, Scratch};
use crate::read::{PageOptions, PageReader, Source};

/// Reads the rows of one leaf column of one row group in order, as plain containers.
///
/// ```
/// use herringbone::encoding::Part;
/// use herringbone::read::{self, ColumnReader, FileSource, PageOptions};
/// use herringbone::Limits;
///
/// # fn main() -> herringbone::Result<()> {
/// let source = FileSource::open("testdata/codecs.none-v1.parquet")?;
/// let metadata = read::metadata(&source, &Limits::default())?;
/// let mut column = ColumnReader::new(source, &metadata, 0, 0, &PageOptions::default())?;
/// column.skip(1)?;
/// let rows = column.read(3)?;
/// assert_eq!(rows.rows, 3);
/// assert_eq!(rows.parts.iter().map(Part::len).sum::<usize>(), 3);
/// # Ok(())
/// # }
/// ```
pub struct ColumnReader {
    reader: LeafReader,
    scratch: Scratch,
    chunk: Arc<ChunkInfo>,
    rows_left: u64,
}

impl ColumnReader {
    /// Opens the chunk of the leaf column `leaf` in the row group `row_group`.
    ///
    /// # Errors
    /// As [`pages`](crate::read::pages()) says.
    pub fn new(
        source: impl Source + 'static,
        metadata: &FileMetadata,
        row_group: usize,
        leaf: usize,
        options: &PageOptions,
    ) -> Result<Self> {
        let pages = PageReader::new(Arc::new(source), metadata, row_group, leaf, options)?;
        let chunk = Arc::clone(pages.chunk());
        let rows_left = metadata.row_group(row_group).map_or(0, |group| group.num_rows());
        Ok(Self { reader: LeafReader::new(pages, false, options.limits.batch_bytes), scratch: Scratch::default(), chunk, rows_left })
    }

    /// The number of rows not read or skipped yet.
    pub fn rows_left(&self) -> u64 {
        self.rows_left
    }

    /// The next `rows` rows.
    ///
    /// Byte arrays come in several parts where they take more than [`Limits::batch_bytes`](crate::Limits::batch_bytes).
    ///
    /// # Errors
    /// `Usage` when there are fewer; `Malformed`, `Unsupported`, `Limit` or `Io` when a page cannot be decoded.
    pub fn read(&mut self, rows: usize) -> Result<LeafData> {
        self.take(rows)?;
        let mut data = LeafData::default();
        self.reader.renew_room();
        self.reader.expect_next(rows);
        self.reader.read(rows, &mut self.scratch, &mut data)?;
        self.check_end()?;
        Ok(data)
    }

    /// Passes over the next `rows` rows; pages without others are not even read.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn skip(&mut self, rows: usize) -> Result<()> {
        self.take(rows)?;
        self.reader.skip(rows, &mut self.scratch)?;
        self.check_end()
    }

    fn take(&mut self, rows: usize) -> Result<()> {
        let left = self.rows_left.checked_sub(rows as u64).ok_or_else(|| {
            self.chunk.place(Error::usage(format!("{rows} rows are asked for where {} are left in the row group", self.rows_left)))
        })?;
        self.rows_left = left;
        Ok(())
    }

    fn check_end(&mut self) -> Result<()> {
        if self.rows_left == 0 { self.reader.finish(&mut self.scratch) } else { Ok(()) }
    }
}

impl std::fmt::Debug for ColumnReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ColumnReader").field("chunk", &self.chunk).field("rows_left", &self.rows_left).finish_non_exhaustive()
    }
}
