//! Where the data pages of a column chunk are (`PageIndex.md`).

use std::ops::Range;

use crate::error::{Error, Result};
use crate::format;
use crate::metadata::{ChunkLocation, RowGroup};
use crate::thrift::{Decode, Reader};

/// Where the data pages of a column chunk are and which rows they hold, checked: pages follow one another inside the
/// chunk, the first begins with row 0 of the row group, and each has at least one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetIndex {
    pages: Vec<PageLocation>,
    num_rows: u64,
    unencoded_bytes: Option<Vec<i64>>,
}

/// Where a data page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageLocation {
    /// Offset of the page's header in the file.
    pub offset: u64,
    /// Bytes of the page in the file, header included.
    pub size: u32,
    /// Index in the row group of the page's first row.
    pub first_row: u64,
}

impl PageLocation {
    /// The bytes of the page in the file, header included.
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset.saturating_add(u64::from(self.size))
    }
}

impl OffsetIndex {
    pub(super) fn parse(bytes: &[u8], row_group: &RowGroup<'_>, chunk: &ChunkLocation) -> Result<Self> {
        let raw = format::OffsetIndex::decode(&mut Reader::new(bytes, row_group.file().metadata_bytes()))?;
        let num_rows = row_group.num_rows();
        let mut pages = Vec::with_capacity(raw.page_locations.len());
        let (mut end, mut next_row) = (chunk.range.start, 0);
        for location in &raw.page_locations {
            let page = checked(location).ok_or_else(|| lying("a page of no size or at no place"))?;
            let range = page.range();
            if range.start < end || range.end > chunk.bound {
                return Err(lying("pages overlap or are outside the chunk"));
            }
            let is_next = if pages.is_empty() { page.first_row == 0 } else { page.first_row >= next_row };
            if !is_next || page.first_row >= num_rows {
                return Err(lying("rows do not ascend from 0 to those of the row group"));
            }
            (end, next_row) = (range.end, page.first_row.saturating_add(1));
            pages.push(page);
        }
        if pages.is_empty() && num_rows > 0 {
            return Err(lying("rows without a page"));
        }
        let unencoded_bytes = raw.unencoded_byte_array_data_bytes;
        if unencoded_bytes.as_ref().is_some_and(|sizes| sizes.len() != pages.len()) {
            return Err(lying("a size for another number of pages"));
        }
        Ok(Self { pages, num_rows, unencoded_bytes })
    }

    /// The data pages, in the order of the file and of their rows.
    pub fn pages(&self) -> &[PageLocation] {
        &self.pages
    }

    /// Number of data pages.
    pub fn num_pages(&self) -> usize {
        self.pages.len()
    }

    /// The rows of a page, as indices in the row group; empty if there is no such page.
    pub fn rows(&self, page: usize) -> Range<u64> {
        let Some(first) = self.pages.get(page) else { return self.num_rows..self.num_rows };
        let next = page.checked_add(1).and_then(|next| self.pages.get(next));
        first.first_row..next.map_or(self.num_rows, |next| next.first_row)
    }

    /// The page that holds a row, given as its index in the row group; `None` if there is no such row.
    pub fn page_of_row(&self, row: u64) -> Option<usize> {
        let after = self.pages.partition_point(|page| page.first_row <= row);
        if row < self.num_rows { after.checked_sub(1) } else { None }
    }

    /// Bytes of the `BYTE_ARRAY` values of a page without their lengths, if the file says so.
    pub fn unencoded_bytes(&self, page: usize) -> Option<u64> {
        u64::try_from(*self.unencoded_bytes.as_ref()?.get(page)?).ok()
    }
}

fn checked(location: &format::PageLocation) -> Option<PageLocation> {
    let page = PageLocation {
        offset: u64::try_from(location.offset).ok()?,
        size: u32::try_from(location.compressed_page_size).ok().filter(|&size| size > 0)?,
        first_row: u64::try_from(location.first_row_index).ok()?,
    };
    page.offset.checked_add(u64::from(page.size)).map(|_| page)
}

fn lying(how: &'static str) -> Error {
    Error::malformed(format!("the offset index has {how}"))
}
