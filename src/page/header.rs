//! The part of a page's header that decoding needs, checked.

use crate::error::{Error, Result};
use crate::format::{Encoding, PageType};
use crate::thrift::{Decode, Reader, thrift_struct};

/// A checked page header.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) kind: HeaderKind,
    pub(crate) compressed_size: usize,
    pub(crate) uncompressed_size: usize,
    pub(crate) crc: Option<u32>,
    pub(crate) num_values: usize,
    pub(crate) encoding: Encoding,
}

/// What is different between the kinds of pages.
#[derive(Clone, Debug)]
pub(crate) enum HeaderKind {
    Dictionary { is_sorted: bool },
    V1 { definition: Encoding, repetition: Encoding },
    V2 { num_nulls: usize, num_rows: usize, definition_size: usize, repetition_size: usize, is_compressed: bool },
}

impl Header {
    /// Reads the header at the start of `bytes`; returns its length in bytes as well, and `None` for pages of kinds that
    /// readers pass over, with the size of the page.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Option<Self>, usize, usize)> {
        // Page headers hold no lists, so that no memory is charged.
        let mut reader = Reader::new(bytes, 0);
        let wire = PageHeader::decode(&mut reader)?;
        let compressed_size = size(wire.compressed_page_size, "compressed_page_size")?;
        let header = wire.check(compressed_size)?;
        Ok((header, reader.position(), compressed_size))
    }
}

thrift_struct! {
    /// `format::PageHeader` without statistics.
    struct PageHeader {
        1: required page_type: PageType,
        2: required uncompressed_page_size: i32,
        3: required compressed_page_size: i32,
        4: optional crc: i32,
        5: optional data: DataPageHeader,
        7: optional dictionary: DictionaryPageHeader,
        8: optional data_v2: DataPageHeaderV2,
    }
}

thrift_struct! {
    struct DataPageHeader {
        1: required num_values: i32,
        2: required encoding: Encoding,
        3: required definition_level_encoding: Encoding,
        4: required repetition_level_encoding: Encoding,
    }
}

thrift_struct! {
    struct DictionaryPageHeader {
        1: required num_values: i32,
        2: required encoding: Encoding,
        3: optional is_sorted: bool,
    }
}

thrift_struct! {
    struct DataPageHeaderV2 {
        1: required num_values: i32,
        2: required num_nulls: i32,
        3: required num_rows: i32,
        4: required encoding: Encoding,
        5: required definition_levels_byte_length: i32,
        6: required repetition_levels_byte_length: i32,
        7: optional is_compressed: bool,
    }
}

impl PageHeader {
    fn check(&self, compressed_size: usize) -> Result<Option<Header>> {
        let (kind, num_values, encoding) = match self.page_type {
            PageType::DataPage => {
                let data = self.data.as_ref().ok_or_else(|| missing("data_page_header"))?;
                let kind = HeaderKind::V1 { definition: data.definition_level_encoding, repetition: data.repetition_level_encoding };
                (kind, data.num_values, data.encoding)
            }
            PageType::DictionaryPage => {
                let dictionary = self.dictionary.as_ref().ok_or_else(|| missing("dictionary_page_header"))?;
                (HeaderKind::Dictionary { is_sorted: dictionary.is_sorted.unwrap_or(false) }, dictionary.num_values, dictionary.encoding)
            }
            PageType::DataPageV2 => {
                let data = self.data_v2.as_ref().ok_or_else(|| missing("data_page_header_v2"))?;
                (data.kind()?, data.num_values, data.encoding)
            }
            PageType::IndexPage | PageType::Unknown(_) => return Ok(None),
        };
        Ok(Some(Header {
            kind,
            compressed_size,
            uncompressed_size: size(self.uncompressed_page_size, "uncompressed_page_size")?,
            crc: self.crc.map(i32::cast_unsigned),
            num_values: size(num_values, "num_values")?,
            encoding,
        }))
    }
}

impl DataPageHeaderV2 {
    fn kind(&self) -> Result<HeaderKind> {
        Ok(HeaderKind::V2 {
            num_nulls: size(self.num_nulls, "num_nulls")?,
            num_rows: size(self.num_rows, "num_rows")?,
            definition_size: size(self.definition_levels_byte_length, "definition_levels_byte_length")?,
            repetition_size: size(self.repetition_levels_byte_length, "repetition_levels_byte_length")?,
            is_compressed: self.is_compressed.unwrap_or(true),
        })
    }
}

fn size(value: i32, field: &str) -> Result<usize> {
    usize::try_from(value).map_err(|_| Error::malformed(format!("the page header's {field} is {value}")))
}

#[cold]
fn missing(field: &str) -> Error {
    Error::malformed(format!("the page header lacks its {field}"))
}
