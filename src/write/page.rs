//! Pages put together: levels and values, compressed, behind a header with a checksum.

use crate::compression::Compressor;
use crate::error::{Error, Result};
use crate::format::{Codec, DataPageHeader, DataPageHeaderV2, DictionaryPageHeader, Encoding, PageHeader, PageType, Statistics};
use crate::thrift::encode_to_vec;
use crate::write::PageVersion;
use crate::write::levels::PageLevels;

/// Puts pages together; keeps the buffers.
pub(crate) struct PageWriter {
    compressor: Compressor,
    crc: bool,
    /// Levels and values, before compression.
    raw: Vec<u8>,
    /// What becomes of them, if it is not the same.
    packed: Vec<u8>,
    is_packed: bool,
    /// Bytes of the repetition and of the definition levels, in pages of the second version.
    parts: (usize, usize),
}

/// A data page that has its levels, encoded, but no values yet.
pub(crate) struct BegunPage {
    raw: Box<[u8]>,
    parts: (usize, usize),
}

impl BegunPage {
    /// Bytes of its levels.
    pub(crate) fn len(&self) -> usize {
        self.raw.len()
    }
}

/// What a data page is besides its levels and values.
pub(crate) struct DataPage<'a> {
    pub(crate) version: PageVersion,
    pub(crate) encoding: Encoding,
    pub(crate) entries: usize,
    pub(crate) rows: usize,
    pub(crate) nulls: usize,
    pub(crate) statistics: Option<Statistics<'a>>,
}

/// The bytes that a page took, header included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageSize {
    pub(crate) compressed: usize,
    pub(crate) uncompressed: usize,
}

impl PageWriter {
    pub(crate) fn new(compressor: Compressor, crc: bool) -> Self {
        Self { compressor, crc, raw: Vec::new(), packed: Vec::new(), is_packed: false, parts: (0, 0) }
    }

    /// Bytes of memory that the buffers take.
    pub(crate) fn memory(&self) -> usize {
        self.raw.capacity() + self.packed.capacity()
    }

    /// Appends a dictionary page, whose entries `write` appends in plain encoding.
    pub(crate) fn dictionary(&mut self, entries: usize, write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) -> Result<PageSize> {
        self.raw.clear();
        write(&mut self.raw);
        self.compress_all()?;
        let header = DictionaryPageHeader { num_values: count(entries)?, encoding: Encoding::Plain, is_sorted: None };
        let header = PageHeader { dictionary_page_header: Some(header), ..self.header(PageType::DictionaryPage)? };
        self.append(&header, out)
    }

    /// A copy of the data page that was begun, to be gone on with by [`resume`](Self::resume).
    pub(crate) fn set_aside(&mut self) -> BegunPage {
        BegunPage { raw: self.raw.as_slice().into(), parts: self.parts }
    }

    /// Goes on with a data page that was set aside; as [`begin`](Self::begin) does.
    pub(crate) fn resume(&mut self, page: &BegunPage) -> &mut Vec<u8> {
        self.raw.clear();
        self.raw.extend_from_slice(&page.raw);
        self.parts = page.parts;
        &mut self.raw
    }

    /// Begins a data page with its levels; the encoded values are to be appended to what is returned, and nothing else.
    pub(crate) fn begin(&mut self, levels: &PageLevels, version: PageVersion) -> Result<&mut Vec<u8>> {
        self.raw.clear();
        match version {
            PageVersion::V1 => {
                with_length(&mut self.raw, |raw| levels.write_repetition(raw))?;
                with_length(&mut self.raw, |raw| levels.write_definition(raw))?;
                self.parts = (0, 0);
            }
            PageVersion::V2 => {
                levels.write_repetition(&mut self.raw);
                let repetition = self.raw.len();
                levels.write_definition(&mut self.raw);
                self.parts = (repetition, self.raw.len() - repetition);
            }
        }
        Ok(&mut self.raw)
    }

    /// Ends the data page that was begun and appends it.
    pub(crate) fn end(&mut self, page: DataPage<'_>, out: &mut Vec<u8>) -> Result<PageSize> {
        let num_values = count(page.entries)?;
        let DataPage { encoding, statistics, .. } = page;
        let header = match page.version {
            PageVersion::V1 => {
                self.compress_all()?;
                let header = DataPageHeader {
                    num_values,
                    encoding,
                    definition_level_encoding: Encoding::Rle,
                    repetition_level_encoding: Encoding::Rle,
                    statistics,
                };
                PageHeader { data_page_header: Some(header), ..self.header(PageType::DataPage)? }
            }
            PageVersion::V2 => {
                let (repetition, definition) = self.parts;
                let header = DataPageHeaderV2 {
                    num_values,
                    num_nulls: count(page.nulls)?,
                    num_rows: count(page.rows)?,
                    encoding,
                    definition_levels_byte_length: count(definition)?,
                    repetition_levels_byte_length: count(repetition)?,
                    is_compressed: Some(self.compress_values(repetition + definition)?),
                    statistics,
                };
                PageHeader { data_page_header_v2: Some(header), ..self.header(PageType::DataPageV2)? }
            }
        };
        self.append(&header, out)
    }

    fn is_plain(&self) -> bool {
        self.compressor.compression().codec() == Codec::Uncompressed
    }

    /// Compresses all of `raw`.
    fn compress_all(&mut self) -> Result<()> {
        self.is_packed = !self.is_plain();
        if self.is_packed {
            self.packed.clear();
            self.compressor.compress(&self.raw, &mut self.packed)?;
        }
        Ok(())
    }

    /// Compresses `raw` but for the levels at its start, if that makes it smaller; says whether it did.
    fn compress_values(&mut self, levels: usize) -> Result<bool> {
        let (levels, values) = self.raw.split_at_checked(levels).unwrap_or((&self.raw, &[]));
        self.is_packed = false;
        if !self.is_plain() && !values.is_empty() {
            self.packed.clear();
            self.packed.extend_from_slice(levels);
            self.compressor.compress(values, &mut self.packed)?;
            self.is_packed = self.packed.len() < self.raw.len();
        }
        Ok(self.is_packed)
    }

    /// The page as it lies in the file.
    fn body(&self) -> &[u8] {
        if self.is_packed { &self.packed } else { &self.raw }
    }

    /// The part of a header that all pages have.
    fn header(&self, page_type: PageType) -> Result<PageHeader<'static>> {
        Ok(PageHeader {
            page_type,
            uncompressed_page_size: count(self.raw.len())?,
            compressed_page_size: count(self.body().len())?,
            crc: self.crc.then(|| crc32fast::hash(self.body()).cast_signed()),
            data_page_header: None,
            index_page_header: None,
            dictionary_page_header: None,
            data_page_header_v2: None,
        })
    }

    fn append(&self, header: &PageHeader<'_>, out: &mut Vec<u8>) -> Result<PageSize> {
        let header = encode_to_vec(header)?;
        out.extend_from_slice(&header);
        out.extend_from_slice(self.body());
        Ok(PageSize { compressed: header.len() + self.body().len(), uncompressed: header.len() + self.raw.len() })
    }
}

/// Appends what `write` appends, behind its length in four bytes; nothing when it appends nothing.
fn with_length(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = count(out.len() - start - 4)?;
    match out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
        Some(place) if length > 0 => *place = length.to_le_bytes(),
        _ => out.truncate(start),
    }
    Ok(())
}

/// Counts and sizes in page headers are 32-bit signed.
fn count(n: usize) -> Result<i32> {
    i32::try_from(n).map_err(|_| Error::limit(format!("a page of {n} bytes or values: a row of 2 GiB cannot be written")))
}
