//! Row groups.

use crate::error::{Error, Result};
#[cfg(feature = "arrow")]
use crate::format::Codec;
use crate::format::{self, SortingColumn};
#[cfg(feature = "arrow")]
use crate::metadata::location;
use crate::metadata::location::{ChunkStatistics, Surroundings};
use crate::metadata::parse::{At, Entry};
use crate::metadata::writer::forgets_dictionary_header;
use crate::metadata::{ChunkLocation, ColumnChunk, ColumnIndex, FileMetadata, OffsetIndex, Statistics};
use crate::schema::Leaf;
use crate::thrift::Decode;

/// A row group: a range of the file's rows, with one column chunk for each leaf column (`RowGroup`).
#[derive(Clone, Copy, Debug)]
pub struct RowGroup<'a> {
    file: &'a FileMetadata,
    index: usize,
    entry: Entry,
    chunks: &'a [At],
}

impl<'a> RowGroup<'a> {
    pub(super) fn new(file: &'a FileMetadata, index: usize, entry: &Entry, chunks: &'a [At]) -> Self {
        Self { file, index, entry: *entry, chunks }
    }

    /// Its index in the file.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Number of rows.
    pub fn num_rows(&self) -> u64 {
        self.entry.num_rows
    }

    /// Bytes of all column chunks before compression, as the file claims.
    pub fn total_byte_size(&self) -> u64 {
        self.entry.total_byte_size
    }

    /// Bytes of all column chunks in the file, if it says so.
    pub fn total_compressed_size(&self) -> Option<u64> {
        self.entry.total_compressed_size
    }

    /// Offset of the first page in the file, if it says so; not to be relied on.
    pub fn file_offset(&self) -> Option<u64> {
        self.entry.file_offset
    }

    /// Its index as the file claims, which encryption depends on.
    pub fn ordinal(&self) -> Option<i16> {
        self.entry.ordinal
    }

    /// By which columns the rows are sorted, most significant first; empty if the file does not say.
    ///
    /// # Errors
    /// `Malformed` if the list breaks the format's rules.
    pub fn sorting_columns(&self) -> Result<Vec<SortingColumn>> {
        let Some(at) = self.entry.sorting_columns else { return Ok(Vec::new()) };
        Vec::decode(&mut self.file.reader(at)).map_err(|error| error.in_row_group(self.index))
    }

    /// Number of column chunks: the number of the schema's leaves.
    pub fn num_columns(&self) -> usize {
        self.chunks.len()
    }

    /// The file that it belongs to.
    pub fn file(&self) -> &'a FileMetadata {
        self.file
    }

    /// Where a column chunk is, and what else reading it needs; `column` is the leaf's index. Nothing is allocated.
    ///
    /// # Errors
    /// `Malformed` if the chunk's metadata breaks the format's rules or its range is not inside the file; `Unsupported`
    /// if its metadata is encrypted; `Usage` if there is no such column.
    pub fn chunk(&self, column: usize) -> Result<ChunkLocation> {
        let (leaf, at) = self.leaf_and_position(column)?;
        let around = Surroundings {
            leaf,
            file_size: self.file.file_size(),
            data_end: self.file.data_end(),
            forgets_dictionary_header: forgets_dictionary_header(self.file.writer()),
        };
        ChunkLocation::parse(self.file.bytes_from(at), around).map_err(|error| self.name_place(error, leaf))
    }

    /// The codec of a column chunk and how many bytes its pages take before compression and after, as the file claims; `None` where
    /// only [`chunk`](Self::chunk) can say.
    #[cfg(feature = "arrow")]
    pub(crate) fn chunk_sizes(&self, column: usize) -> Option<(Codec, u64, u64)> {
        let (_, at) = self.leaf_and_position(column).ok()?;
        location::parse_sizes(self.file.bytes_from(at))
    }

    /// All that the file says about a column chunk; `column` is the leaf's index.
    ///
    /// # Errors
    /// `Malformed` if the chunk's metadata breaks the format's rules; `Unsupported` if it is encrypted; `Limit` if it
    /// takes more memory than [`Limits::metadata_bytes`](crate::Limits::metadata_bytes); `Usage` if there is no such
    /// column.
    pub fn column(&self, column: usize) -> Result<ColumnChunk<'a>> {
        let (leaf, _) = self.leaf_and_position(column)?;
        let chunk = self.raw_column(column)?;
        ColumnChunk::new(*self, leaf, chunk).map_err(|error| self.name_place(error, leaf))
    }

    /// All column chunks, in the order of the schema's leaves.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Result<ColumnChunk<'a>>> {
        let row_group = *self;
        (0..self.num_columns()).map(move |column| row_group.column(column))
    }

    /// A column chunk's entry as the file has it, also if it is encrypted; `column` is the leaf's index.
    ///
    /// # Errors
    /// Those of [`column`](Self::column) but for encryption.
    pub fn raw_column(&self, column: usize) -> Result<format::ColumnChunk<'a>> {
        let (leaf, at) = self.leaf_and_position(column)?;
        format::ColumnChunk::decode(&mut self.file.reader(at)).map_err(|error| self.name_place(error, leaf))
    }

    /// The statistics of a column chunk as far as they can be believed, without the cost of [`column`](Self::column);
    /// `column` is the leaf's index. `None` if the file has none.
    ///
    /// # Errors
    /// `Malformed` if the chunk's metadata breaks the format's rules; `Usage` if there is no such column.
    pub fn statistics(&self, column: usize) -> Result<Option<Statistics<'a>>> {
        let (leaf, at) = self.leaf_and_position(column)?;
        let chunk = ChunkStatistics::decode(&mut self.file.reader(at)).map_err(|error| self.name_place(error, leaf))?;
        let Some(meta) = chunk.meta_data else { return Ok(None) };
        let num_values = u64::try_from(meta.num_values).unwrap_or(0);
        Ok(meta.statistics.map(|raw| Statistics::read(&raw, num_values, self.file.statistics_context(leaf))))
    }

    /// Checks the offset index of a column chunk; `column` is the leaf's index, `bytes` are those at
    /// [`ChunkLocation::offset_index`].
    ///
    /// # Errors
    /// `Malformed` if the index breaks the format's rules or lies: the column can then be read without it. Those of
    /// [`chunk`](Self::chunk).
    pub fn parse_offset_index(&self, column: usize, bytes: &[u8]) -> Result<OffsetIndex> {
        let (leaf, _) = self.leaf_and_position(column)?;
        OffsetIndex::parse(bytes, self, &self.chunk(column)?).map_err(|error| self.name_place(error, leaf))
    }

    /// Checks the column index of a column chunk; `column` is the leaf's index, `bytes` are those at
    /// [`ChunkLocation::column_index`], and `pages` is the chunk's offset index.
    ///
    /// # Errors
    /// `Malformed` if the index breaks the format's rules or lies: the column can then be read without it. `Usage` if
    /// there is no such column.
    pub fn parse_column_index(&self, column: usize, bytes: &[u8], pages: &OffsetIndex) -> Result<ColumnIndex> {
        let (leaf, _) = self.leaf_and_position(column)?;
        ColumnIndex::parse(bytes, self, leaf, pages).map_err(|error| self.name_place(error, leaf))
    }

    fn leaf_and_position(&self, column: usize) -> Result<(&'a Leaf, At)> {
        match (self.file.schema().leaves().get(column), self.chunks.get(column)) {
            (Some(leaf), Some(&at)) => Ok((leaf, at)),
            _ => {
                let columns = self.num_columns();
                Err(Error::usage(format!("there is no column {column}; the row group has {columns}")).in_row_group(self.index))
            }
        }
    }

    fn name_place(&self, error: Error, leaf: &Leaf) -> Error {
        error.in_row_group(self.index).in_column(leaf.path.dotted())
    }
}
