//! Pages: as they lie in the file, decompressed, and decoded.
//!
//! A [`CompressedPage`] is self-contained and `Send`: it knows its column, so that any thread can go on with it.
//! [`CompressedPage::decompress`] gives a [`Page`], where both versions of data pages have met: its parts are the
//! repetition levels, the definition levels and the values. [`Page::decode`] decodes all of it.
//!
//! Specification: *Data Pages* and *Checksumming* in the format's README, `PageHeader` in `parquet.thrift`.

mod header;

pub(crate) use header::{Header, HeaderKind};

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::compression::{Decompressor, Unpacked, pays_together};
#[cfg(feature = "arrow")]
use crate::encoding::byte_arrays_of;
use crate::encoding::{Decoder, Dictionary, Shape, decoder};
use crate::error::{Error, Result};
use crate::format::{Codec, Encoding, PhysicalType};
use crate::levels::nested::{Levels, Slots, count};
use crate::levels::{LevelEncoding, LevelReader};
use crate::limits::Limits;
use crate::schema::{Leaf, Schema};
use crate::values::{ByteArrays, Values};

/// The column chunk that a page is of.
#[derive(Clone, Debug)]
pub struct ChunkInfo {
    pub(crate) schema: Arc<Schema>,
    pub(crate) leaf: usize,
    pub(crate) codec: Codec,
    pub(crate) row_group: usize,
    /// Whether the writer carried DELTA_BYTE_ARRAY's prefixes over from page to page (PARQUET-246).
    pub(crate) carries_prefixes: bool,
    /// The leaf's levels and shape, at hand.
    pub(crate) max_repetition: u8,
    pub(crate) max_definition: u8,
    pub(crate) repeated_definition: u8,
    pub(crate) shape: Shape,
}

impl ChunkInfo {
    /// Describes the chunk of the leaf at index `leaf` in a row group, compressed with `codec`.
    ///
    /// # Errors
    /// `Usage` when the schema has no such leaf.
    pub fn new(schema: Arc<Schema>, leaf: usize, codec: Codec, row_group: usize) -> Result<Self> {
        let column = schema.leaves().get(leaf).ok_or_else(|| Error::usage(format!("the schema has no leaf column {leaf}")))?;
        Ok(Self {
            max_repetition: column.max_repetition_level,
            max_definition: column.max_definition_level,
            repeated_definition: column.repeated_definition_level,
            shape: Shape { physical_type: column.physical_type, width: column.type_length },
            schema,
            leaf,
            codec,
            row_group,
            carries_prefixes: false,
        })
    }

    /// The leaf column.
    pub fn leaf(&self) -> Option<&Leaf> {
        self.schema.leaves().get(self.leaf)
    }

    /// The index of the row group.
    pub fn row_group(&self) -> usize {
        self.row_group
    }

    /// The codec of the chunk's pages.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The physical type of the values and their width.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Adds the column and the row group to an error.
    #[cold]
    pub(crate) fn place(&self, error: Error) -> Error {
        let error = match self.leaf() {
            Some(leaf) => error.in_column(leaf.path.dotted()),
            None => error,
        };
        error.in_row_group(self.row_group)
    }

    /// The slots of the leaf's values among its levels.
    pub(crate) fn slots(&self) -> Slots {
        Slots { repetition: self.max_repetition, definition: self.repeated_definition }
    }
}

/// A page as it lies in the file, with all that is needed to decode it anywhere.
#[derive(Clone, Debug)]
pub struct CompressedPage {
    pub(crate) chunk: Arc<ChunkInfo>,
    pub(crate) header: Header,
    pub(crate) bytes: Bytes,
    pub(crate) ordinal: usize,
    pub(crate) offset: u64,
}

impl CompressedPage {
    /// The column chunk that the page is of.
    pub fn chunk(&self) -> &ChunkInfo {
        &self.chunk
    }

    /// Whether this is the chunk's dictionary.
    pub fn is_dictionary(&self) -> bool {
        matches!(self.header.kind, HeaderKind::Dictionary { .. })
    }

    /// Whether this is a data page of the second version.
    pub fn is_v2(&self) -> bool {
        matches!(self.header.kind, HeaderKind::V2 { .. })
    }

    /// The number of values, nulls included; of entries for a dictionary.
    pub fn num_values(&self) -> usize {
        self.header.num_values
    }

    /// The number of rows that begin in the page, where the header tells: in pages of the second version, and in those
    /// of columns that are not in a list.
    pub fn num_rows(&self) -> Option<usize> {
        match self.header.kind {
            HeaderKind::V2 { num_rows, .. } => Some(num_rows),
            HeaderKind::V1 { .. } if self.chunk.max_repetition == 0 => Some(self.header.num_values),
            HeaderKind::V1 { .. } | HeaderKind::Dictionary { .. } => None,
        }
    }

    /// The number of nulls, where the header tells: in pages of the second version.
    pub fn num_nulls(&self) -> Option<usize> {
        match self.header.kind {
            HeaderKind::V2 { num_nulls, .. } => Some(num_nulls),
            HeaderKind::V1 { .. } | HeaderKind::Dictionary { .. } => None,
        }
    }

    /// Whether the entries of a dictionary page are said to ascend.
    pub fn is_sorted(&self) -> bool {
        matches!(self.header.kind, HeaderKind::Dictionary { is_sorted: true })
    }

    /// How the values are encoded.
    pub fn encoding(&self) -> Encoding {
        self.header.encoding
    }

    /// The bytes after the header, as they lie in the file: compressed, but for the levels of pages of the second version.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The size in bytes when decompressed, levels included.
    pub fn uncompressed_size(&self) -> usize {
        self.header.uncompressed_size
    }

    /// The CRC-32 that the header gives for [`bytes`](Self::bytes).
    pub fn crc(&self) -> Option<u32> {
        self.header.crc
    }

    /// The index of the page in its chunk, from 0; pages that were passed over and the dictionary page count.
    pub fn ordinal(&self) -> usize {
        self.ordinal
    }

    /// Where the page's header begins in the file, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Compares the checksum, if there is one.
    ///
    /// # Errors
    /// `Malformed` when it differs.
    pub fn verify_crc(&self) -> Result<()> {
        match self.header.crc {
            Some(crc) if crc32fast::hash(&self.bytes) != crc => {
                Err(self.place(Error::malformed("the page's checksum does not match its bytes")))
            }
            _ => Ok(()),
        }
    }

    /// Decompresses the page. `buffer` lends its memory: pass [`Page::into_buffer`] of the page before, or an empty vector.
    ///
    /// # Errors
    /// `Malformed` or `Unsupported`, as [`Decompressor::decompress`] says, or when the sizes of the levels do not fit.
    pub fn decompress(&self, decompressor: &mut Decompressor, buffer: Vec<u8>) -> Result<Page> {
        self.split(decompressor, buffer).map_err(|error| self.place(error))
    }

    /// Whether it takes less time to decompress the page together with others of which that is true as well.
    pub(crate) fn pays_together(&self) -> bool {
        self.body().is_ok_and(|body| body.owned && pays_together(self.chunk.codec, body.bytes.len(), body.size))
    }

    /// Decompresses pages of which [`pays_together`](Self::pays_together) is true, if nothing is wrong with them. `buffers` lend their memory, as
    /// far as there are any; see [`decompress`](Self::decompress).
    pub(crate) fn decompress_all(pages: &[&Self], decompressor: &mut Decompressor, buffers: &mut Vec<Vec<u8>>) -> Option<Vec<Page>> {
        let bodies = pages.iter().map(|page| page.body().ok()).collect::<Option<Vec<_>>>()?;
        let unpacked =
            bodies.iter().map(|body| Unpacked { compressed: body.bytes, size: body.size, out: buffers.pop().unwrap_or_default() });
        let mut unpacked: Vec<Unpacked<'_>> = unpacked.collect();
        if !decompressor.decompress_all(&mut unpacked) {
            return None;
        }
        pages.iter().zip(&bodies).zip(unpacked).map(|((page, body), unpacked)| page.told_apart(body, unpacked.out).ok()).collect()
    }

    fn split(&self, decompressor: &mut Decompressor, mut buffer: Vec<u8>) -> Result<Page> {
        let body = self.body()?;
        if body.owned {
            decompressor.decompress_over(self.chunk.codec, body.bytes, body.size, &mut buffer)?;
        }
        self.told_apart(&body, buffer)
    }

    /// What is to be decompressed.
    fn body(&self) -> Result<Body<'_>> {
        let (levels_size, compressed) = match self.header.kind {
            HeaderKind::V2 { repetition_size, definition_size, is_compressed, .. } => {
                (repetition_size.saturating_add(definition_size), is_compressed && self.chunk.codec != Codec::Uncompressed)
            }
            _ => (0, self.chunk.codec != Codec::Uncompressed),
        };
        let bytes = self.bytes.get(levels_size..).ok_or_else(levels_too_large)?;
        let size = self.header.uncompressed_size.checked_sub(levels_size).ok_or_else(levels_too_large)?;
        let owned = compressed && !(levels_size > 0 && bytes.is_empty());
        Ok(Body { levels_size, bytes, size, owned })
    }

    /// The page, of which `buffer` begins with the decompressed body.
    fn told_apart(&self, body: &Body<'_>, buffer: Vec<u8>) -> Result<Page> {
        let (start, length) = if body.owned { (0, body.size) } else { (body.levels_size, body.bytes.len()) };
        // What was decompressed is done with; levels beside it are few.
        let file_bytes = match body.owned {
            true => Bytes::copy_from_slice(self.bytes.get(..body.levels_size).unwrap_or_default()),
            false => self.bytes.clone(),
        };
        let mut page = Page {
            chunk: Arc::clone(&self.chunk),
            header: self.header.clone(),
            file_bytes,
            buffer,
            owned: body.owned,
            repetition: 0..0,
            definition: 0..0,
            values: start..start.saturating_add(length),
            ordinal: self.ordinal,
            offset: self.offset,
        };
        match self.header.kind {
            HeaderKind::V2 { repetition_size, .. } => {
                page.repetition = 0..repetition_size;
                page.definition = repetition_size..body.levels_size;
            }
            HeaderKind::V1 { repetition, definition, .. } => page.split_levels(repetition, definition)?,
            HeaderKind::Dictionary { .. } => {}
        }
        Ok(page)
    }

    /// Adds where the page is to an error.
    #[cold]
    pub(crate) fn place(&self, error: Error) -> Error {
        self.chunk.place(error).in_page(self.ordinal).at_offset(self.offset)
    }
}

/// The part of a page that may be compressed: all of it but the levels of pages of the second version.
struct Body<'a> {
    levels_size: usize,
    bytes: &'a [u8],
    /// Its size when decompressed.
    size: usize,
    /// Whether it is compressed, so that decompressing it takes memory of its own.
    owned: bool,
}

/// A decompressed page, its parts told apart.
#[derive(Debug)]
pub struct Page {
    chunk: Arc<ChunkInfo>,
    header: Header,
    /// What of the page is used as it is in the file: the levels of pages of the second version, and all of an uncompressed page.
    file_bytes: Bytes,
    /// What was decompressed, when `owned`.
    buffer: Vec<u8>,
    owned: bool,
    repetition: Range<usize>,
    definition: Range<usize>,
    values: Range<usize>,
    ordinal: usize,
    offset: u64,
}

/// All of a page: levels, and values without nulls.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedPage {
    /// The levels of the page's entries.
    pub levels: Levels,
    /// The values that are not null, in order.
    pub values: Values,
}

impl Page {
    fn body(&self) -> &[u8] {
        if self.owned { &self.buffer } else { &self.file_bytes }
    }

    fn levels_body(&self) -> &[u8] {
        match self.header.kind {
            HeaderKind::V2 { .. } => &self.file_bytes,
            _ => self.body(),
        }
    }

    /// The encoded repetition levels, without the length that pages of the first version have in front; empty where the
    /// column is in no list.
    pub fn repetition_bytes(&self) -> &[u8] {
        self.levels_body().get(self.repetition.clone()).unwrap_or_default()
    }

    /// The encoded definition levels, without the length that pages of the first version have in front; empty where nothing
    /// on the path is optional or repeated.
    pub fn definition_bytes(&self) -> &[u8] {
        self.levels_body().get(self.definition.clone()).unwrap_or_default()
    }

    /// The encoded values, decompressed.
    pub fn value_bytes(&self) -> &[u8] {
        self.body().get(self.values.clone()).unwrap_or_default()
    }

    /// The number of values, nulls included.
    pub fn num_values(&self) -> usize {
        self.header.num_values
    }

    /// How the values are encoded.
    pub fn encoding(&self) -> Encoding {
        self.header.encoding
    }

    /// The column chunk that the page is of.
    pub fn chunk(&self) -> &ChunkInfo {
        &self.chunk
    }

    /// Gives back the memory that [`CompressedPage::decompress`] was lent, for the next page.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Where in the file the page begins, and its number in the chunk.
    #[cfg(feature = "arrow")]
    pub(crate) fn where_it_is(&self) -> (u64, usize) {
        (self.offset, self.ordinal)
    }

    /// The memory that the page takes, in bytes: what was decompressed, and what was read of the file and is used as it is.
    #[cfg(feature = "arrow")]
    pub(crate) fn buffer_size(&self) -> usize {
        self.buffer.capacity().saturating_add(self.file_bytes.len())
    }

    /// Pages of the first version: levels lie before the values, each behind its length when they are in RLE.
    fn split_levels(&mut self, repetition: Encoding, definition: Encoding) -> Result<()> {
        let mut at = self.values.start;
        self.repetition = self.level_range(&mut at, repetition, self.chunk.max_repetition)?;
        self.definition = self.level_range(&mut at, definition, self.chunk.max_definition)?;
        self.values.start = at;
        Ok(())
    }

    fn level_range(&self, at: &mut usize, encoding: Encoding, max: u8) -> Result<Range<usize>> {
        if max == 0 {
            return Ok(*at..*at);
        }
        let rest = self.body().get(*at..self.values.end).unwrap_or_default();
        let (start, length) = match encoding {
            Encoding::Rle => {
                let length = rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize);
                (at.saturating_add(4), length.ok_or_else(levels_too_large)?)
            }
            Encoding::BitPacked => {
                let width = u8::BITS.saturating_sub(max.leading_zeros()) as usize;
                (*at, self.header.num_values.saturating_mul(width).div_ceil(8))
            }
            other => return Err(Error::unsupported(format!("levels encoded as {other}"))),
        };
        let end = start.checked_add(length).filter(|end| *end <= self.values.end).ok_or_else(levels_too_large)?;
        *at = end;
        Ok(start..end)
    }

    /// A reader of the repetition levels.
    pub(crate) fn repetition_reader(&self) -> Result<LevelReader> {
        let encoding = match self.header.kind {
            HeaderKind::V1 { repetition: Encoding::BitPacked, .. } => LevelEncoding::BitPacked,
            _ => LevelEncoding::Rle,
        };
        LevelReader::new(encoding, self.chunk.max_repetition)
    }

    /// A reader of the definition levels.
    pub(crate) fn definition_reader(&self) -> Result<LevelReader> {
        let encoding = match self.header.kind {
            HeaderKind::V1 { definition: Encoding::BitPacked, .. } => LevelEncoding::BitPacked,
            _ => LevelEncoding::Rle,
        };
        LevelReader::new(encoding, self.chunk.max_definition)
    }

    /// A decoder of the values, to be given [`value_bytes`](Self::value_bytes) at each call.
    ///
    /// # Errors
    /// As [`decoder`] says.
    pub fn decoder(&self, dictionary: Option<&Arc<Dictionary>>) -> Result<Box<dyn Decoder>> {
        decoder(self.header.encoding, self.chunk.shape, self.value_bytes(), dictionary).map_err(|error| self.place(error))
    }

    /// Decodes a data page; `dictionary` is that of its chunk, if it has one.
    ///
    /// # Errors
    /// `Malformed` when the page breaks the rules of its encoding, `Unsupported` when that is not known, `Limit` when what
    /// comes out would take more than [`Limits::batch_bytes`] (a page of a few bytes can lawfully hold 2^31 values).
    pub fn decode(&self, dictionary: Option<&Arc<Dictionary>>, limits: &Limits) -> Result<DecodedPage> {
        self.decode_all(dictionary, limits).map_err(|error| self.place(error))
    }

    fn decode_all(&self, dictionary: Option<&Arc<Dictionary>>, limits: &Limits) -> Result<DecodedPage> {
        let n = self.header.num_values;
        let least = self.chunk.shape.fixed_width().unwrap_or(4).saturating_add(2);
        if n.saturating_mul(least) > limits.batch_bytes {
            return Err(Error::limit(format!(
                "a page of {n} values, which take more than the {} bytes of Limits::batch_bytes",
                limits.batch_bytes
            )));
        }
        let mut levels = Levels::default();
        if self.chunk.max_repetition > 0 {
            self.repetition_reader()?.read(self.repetition_bytes(), n, &mut levels.repetition)?;
        }
        let mut present = n;
        if self.chunk.max_definition > 0 {
            self.definition_reader()?.read(self.definition_bytes(), n, &mut levels.definition)?;
            // A value is there where the definition level is the highest one, whatever the repetition level is.
            present = count(&levels, Slots { repetition: self.chunk.max_repetition, definition: self.chunk.max_definition });
        }
        let mut values = match self.chunk.shape.physical_type {
            PhysicalType::ByteArray => {
                let mut arrays = ByteArrays::with_limit(limits.batch_bytes);
                arrays.reserve(0, self.value_bytes().len());
                Values::Bytes(arrays)
            }
            other => Values::new(other, self.chunk.shape.width),
        };
        let read = self.decoder(dictionary)?.read(self.value_bytes(), present, &mut values)?;
        if read < present {
            return Err(Error::limit("the byte arrays of one page take more than Limits::batch_bytes"));
        }
        Ok(DecodedPage { levels, values })
    }

    /// Decodes a dictionary page.
    ///
    /// # Errors
    /// As [`Dictionary::decode`] says, or `Usage` for a data page.
    pub fn decode_dictionary(&self) -> Result<Dictionary> {
        match self.header.kind {
            HeaderKind::Dictionary { .. } => {}
            _ => return Err(self.place(Error::usage("this page is a data page: use Page::decode"))),
        }
        let decoded = Dictionary::decode(self.header.encoding, self.chunk.shape, self.value_bytes(), self.header.num_values);
        decoded.map_err(|error| self.place(error))
    }

    /// As [`decode_dictionary`](Self::decode_dictionary), of byte arrays in the page's own memory.
    #[cfg(feature = "arrow")]
    pub(crate) fn into_dictionary(mut self) -> Result<Dictionary> {
        let is_plain = matches!(self.header.encoding, Encoding::Plain | Encoding::PlainDictionary);
        if !is_plain
            || self.chunk.shape.physical_type != PhysicalType::ByteArray
            || !matches!(self.header.kind, HeaderKind::Dictionary { .. })
        {
            return self.decode_dictionary();
        }
        let bytes = match self.owned {
            true => {
                let mut buffer = std::mem::take(&mut self.buffer);
                buffer.truncate(self.values.end);
                buffer
            }
            // Without a copy where nobody else holds them.
            false => Vec::from(std::mem::take(&mut self.file_bytes)),
        };
        let arrays = byte_arrays_of(bytes, self.header.num_values).map_err(|error| self.place(error))?;
        Ok(Dictionary::new(Values::Bytes(arrays)))
    }

    /// Adds where the page is to an error.
    #[cold]
    pub(crate) fn place(&self, error: Error) -> Error {
        self.chunk.place(error).in_page(self.ordinal).at_offset(self.offset)
    }
}

#[cold]
fn levels_too_large() -> Error {
    Error::malformed("the levels are larger than their page")
}
