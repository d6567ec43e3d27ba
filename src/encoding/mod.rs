//! One file an encoding, decoder and encoder side by side under what the specification says of it (`Encodings.md`).
//!
//! [`decoder`] is the one place in the crate that knows which encodings there are: it looks at a page's encoding once and
//! returns a [`Decoder`], an object that reads or skips runs of values. A decoder keeps positions only; the page's bytes
//! are passed to each call, so that page buffers can be reused.
//!
//! [`encoder`] is its mirror for writing: an [`Encoder`] takes slices of values and yields the values part of a page. What a
//! dictionary needs over several pages is in [`DictionaryBuilder`].
//!
//! ```
//! use herringbone::encoding::{Shape, decoder, encoder};
//! use herringbone::format::{Encoding, PhysicalType};
//! use herringbone::values::Values;
//!
//! let shape = Shape { physical_type: PhysicalType::Int64, width: 0 };
//! let numbers = Values::Words64(vec![1000, 1001, 1002, 1003]);
//! let mut page = Vec::new();
//! let mut writer = encoder(Encoding::DeltaBinaryPacked, shape)?;
//! writer.write(numbers.as_slice())?;
//! writer.finish(&mut page);
//!
//! let mut reader = decoder(Encoding::DeltaBinaryPacked, shape, &page, None)?;
//! let mut values = Values::new(shape.physical_type, shape.width);
//! reader.skip(&page, 1)?;
//! assert_eq!(reader.read(&page, 2, &mut values)?, 2);
//! assert_eq!(values.as_i64(), Some(&[1001, 1002][..]));
//! # Ok::<(), herringbone::Error>(())
//! ```

mod alp;
mod bit_packed;
mod byte_stream_split;
mod delta_binary_packed;
mod delta_byte_array;
mod delta_length_byte_array;
mod dictionary;
mod dictionary_builder;
mod hash;
mod part;
mod plain;
mod rle;
mod word;

pub(crate) use bit_packed::unpack32;
#[cfg(feature = "arrow")]
pub(crate) use dictionary::Convert;
pub(crate) use dictionary::RESERVED_MOST;
pub use dictionary::{Dictionary, Indices};
pub use dictionary_builder::{DictionaryBuilder, write_indices};
pub use part::Part;
#[cfg(feature = "arrow")]
pub(crate) use plain::byte_arrays_of;
pub(crate) use rle::{HybridReader, HybridWriter, Piece, write_bits};

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::{Encoding, PhysicalType};
use crate::values::{Values, ValuesSlice, length};

/// What the values of a page are: all that a decoder or encoder needs to know of their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The physical type.
    pub physical_type: PhysicalType,
    /// Bytes of one FIXED_LEN_BYTE_ARRAY value; ignored for other types.
    pub width: usize,
}

impl Shape {
    /// The bytes of one value in plain encoding; `None` where values take a bit (BOOLEAN) or differ in length (BYTE_ARRAY), and
    /// for types that are not known.
    pub fn fixed_width(self) -> Option<usize> {
        match self.physical_type {
            PhysicalType::Int32 | PhysicalType::Float => Some(4),
            PhysicalType::Int64 | PhysicalType::Double => Some(8),
            PhysicalType::Int96 => Some(12),
            PhysicalType::FixedLenByteArray => Some(self.width),
            PhysicalType::Boolean | PhysicalType::ByteArray | PhysicalType::Unknown(_) => None,
        }
    }
}

/// Reads the values of one page in order; made by [`decoder`].
pub trait Decoder: Send {
    /// Appends the next `n` values to `out` and returns how many it appended: all `n`, unless `out` holds byte arrays and
    /// has no room for more. `page` is the same slice at each call: the values part of the page.
    ///
    /// A few bytes may be any number of values, such as a run of an index: bound `n` by the memory that there is, as
    /// [`CompressedPage`](crate::page::CompressedPage) does by [`Limits`](crate::Limits).
    ///
    /// # Errors
    /// `Malformed` when the page has fewer values or breaks the encoding's rules; what `out` holds then is unspecified.
    fn read(&mut self, page: &[u8], n: usize, out: &mut Values) -> Result<usize>;

    /// Passes over the next `n` values, with the checks that reading them would do as far as they cost nothing.
    ///
    /// # Errors
    /// As for [`read`](Decoder::read).
    fn skip(&mut self, page: &[u8], n: usize) -> Result<()>;

    /// Appends the values whose numbers are in `ranges`, which ascend, and passes over those between them; the next value has the number `first`. `out`
    /// holds no byte arrays.
    ///
    /// # Errors
    /// As for [`read`](Decoder::read).
    fn pick(&mut self, page: &[u8], first: u64, ranges: &[Range<u64>], out: &mut Values) -> Result<()> {
        let mut at = first;
        for range in ranges {
            self.skip(page, length(&(at..range.start)))?;
            self.read(page, length(range), out)?;
            at = range.end;
        }
        Ok(())
    }

    /// The bytes of the next `n` values, which are passed over, where they stand in the page as they stand in memory: booleans, and plain values of one
    /// width, of which words only on little-endian machines. `None`, and no value is passed over, where they have to be decoded.
    ///
    /// # Errors
    /// As for [`read`](Decoder::read).
    fn as_stored<'a>(&mut self, page: &'a [u8], n: usize) -> Result<Option<Stored<'a>>> {
        let _ = (page, n);
        Ok(None)
    }

    /// The indices that the next values are, and the dictionary that they are of; `None` where values are encoded otherwise.
    fn indices(&mut self) -> Option<Indices<'_>> {
        None
    }

    /// About how many bytes the next `n` byte arrays have, judged by the first of them; `None` where the page has their bytes, so that its own size
    /// tells.
    fn estimate(&self, page: &[u8], n: usize) -> Option<usize> {
        let _ = (page, n);
        None
    }

    /// Makes `value` the one before the page's first value: its prefix counts for DELTA_BYTE_ARRAY in files of writers
    /// that carried it over from page to page (PARQUET-246). Other encodings, which know no such state, ignore it.
    fn set_previous(&mut self, value: &[u8]) {
        let _ = value;
    }

    /// The value read or skipped last, where the encoding keeps it: what
    /// [`set_previous`](Decoder::set_previous) of the next page's decoder wants.
    fn previous(&self) -> Option<&[u8]> {
        None
    }

    /// As [`set_previous`](Decoder::set_previous), for a value that is shared and not copied.
    fn carry(&mut self, value: &Arc<Vec<u8>>) {
        self.set_previous(value);
    }

    /// As [`previous`](Decoder::previous), for a value that is shared: not copied where no value was read since it was given.
    fn carried(&self) -> Option<Arc<Vec<u8>>> {
        self.previous().map(|value| Arc::new(value.to_vec()))
    }
}

/// Values that stand in a page as they stand in memory.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// The bytes that hold them, and more after them where they are booleans.
    pub bytes: &'a [u8],
    /// The bit of the first byte, from the lowest on, with which booleans begin; 0 for other values.
    pub bit: usize,
}

/// The decoder for a page's values.
///
/// `page` is the values part of the page (after the levels); `dictionary` is that of the column chunk.
///
/// # Errors
/// `Unsupported` for unknown encodings, `Malformed` for those that the type cannot have or broken headers.
pub fn decoder(encoding: Encoding, shape: Shape, page: &[u8], dictionary: Option<&Arc<Dictionary>>) -> Result<Box<dyn Decoder>> {
    use PhysicalType::{Boolean, ByteArray, Double, FixedLenByteArray, Float, Int32, Int64, Int96};
    Ok(match (encoding, shape.physical_type) {
        (Encoding::Plain, Boolean) => Box::new(plain::PlainBits::new()),
        (Encoding::Plain, ByteArray) => Box::new(plain::PlainBytes::new()),
        (Encoding::Plain, Int32 | Int64 | Float | Double | Int96 | FixedLenByteArray) => Box::new(plain::PlainFixed::new(shape)),
        (Encoding::RleDictionary | Encoding::PlainDictionary, _) => Box::new(dictionary::DictionaryDecoder::new(page, dictionary)?),
        (Encoding::DeltaBinaryPacked, Int32) => Box::new(delta_binary_packed::DeltaReader::<u32>::new(page, 0)?),
        (Encoding::DeltaBinaryPacked, Int64) => Box::new(delta_binary_packed::DeltaReader::<u64>::new(page, 0)?),
        (Encoding::DeltaLengthByteArray, ByteArray) => Box::new(delta_length_byte_array::DeltaLengths::new(page)?),
        (Encoding::DeltaByteArray, ByteArray) => Box::new(delta_byte_array::DeltaStrings::new(page, None)?),
        (Encoding::DeltaByteArray, FixedLenByteArray) => Box::new(delta_byte_array::DeltaStrings::new(page, Some(shape.width))?),
        (Encoding::ByteStreamSplit, Int32 | Int64 | Float | Double | FixedLenByteArray) => {
            Box::new(byte_stream_split::ByteStreams::new(shape, page)?)
        }
        (Encoding::Alp, Float) => Box::new(alp::AlpReader::<u32>::new(page)?),
        (Encoding::Alp, Double) => Box::new(alp::AlpReader::<u64>::new(page)?),
        (Encoding::Rle, Boolean) => Box::new(rle::RleBooleans::new(page)?),
        (Encoding::Unknown(id), _) => return Err(Error::unsupported(format!("encoding {id} is not known"))),
        (encoding, physical_type) => return Err(Error::malformed(format!("{physical_type} values cannot be encoded as {encoding}"))),
    })
}

/// Writes the values of one page after another; made by [`encoder`].
pub trait Encoder: Send {
    /// Adds values, which are without nulls, to the page.
    ///
    /// # Errors
    /// `Usage` when they have another shape than the column.
    fn write(&mut self, values: ValuesSlice<'_>) -> Result<()>;

    /// About how many bytes [`finish`](Self::finish) would append now; cheap enough to ask after each call of
    /// [`write`](Self::write).
    fn size_estimate(&self) -> usize;

    /// Appends the values part of the page to `out`, whose contents stay, and begins the next page.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// The encoder for a column's values, which are without nulls.
///
/// # Errors
/// `Usage` when values of the type cannot have the encoding, and for dictionaries, which [`DictionaryBuilder`] makes.
pub fn encoder(encoding: Encoding, shape: Shape) -> Result<Box<dyn Encoder>> {
    use PhysicalType::{Boolean, ByteArray, Double, FixedLenByteArray, Float, Int32, Int64, Int96};
    Ok(match (encoding, shape.physical_type) {
        (Encoding::Plain, Boolean) => Box::new(plain::PlainBitsEncoder::default()),
        (Encoding::Plain, ByteArray) => Box::new(plain::PlainBytesEncoder::default()),
        (Encoding::Plain, Int32 | Int64 | Float | Double | Int96 | FixedLenByteArray) => Box::new(plain::PlainFixedEncoder::new(shape)),
        (Encoding::Rle, Boolean) => Box::new(rle::RleBooleansEncoder::default()),
        (Encoding::DeltaBinaryPacked, Int32) => Box::new(delta_binary_packed::DeltaWriter::<u32>::default()),
        (Encoding::DeltaBinaryPacked, Int64) => Box::new(delta_binary_packed::DeltaWriter::<u64>::default()),
        (Encoding::DeltaLengthByteArray, ByteArray) => Box::new(delta_length_byte_array::DeltaLengthsEncoder::default()),
        (Encoding::DeltaByteArray, ByteArray) => Box::new(delta_byte_array::DeltaStringsEncoder::new(None)),
        (Encoding::DeltaByteArray, FixedLenByteArray) => Box::new(delta_byte_array::DeltaStringsEncoder::new(Some(shape.width))),
        (Encoding::ByteStreamSplit, Int32 | Int64 | Float | Double | FixedLenByteArray) => {
            Box::new(byte_stream_split::ByteStreamsEncoder::new(shape))
        }
        (Encoding::Alp, Float) => Box::new(alp::AlpEncoder::<u32>::default()),
        (Encoding::Alp, Double) => Box::new(alp::AlpEncoder::<u64>::default()),
        (encoding, physical_type) => return Err(Error::usage(format!("{physical_type} values cannot be encoded as {encoding}"))),
    })
}

/// The message for a page with fewer values than asked for.
#[cold]
pub(crate) fn too_few(wanted: usize, found: usize) -> Error {
    Error::malformed(format!("the page has {found} values where {wanted} more were expected"))
}

/// The message for byte arrays of more bytes than the page has left.
#[cold]
pub(crate) fn past_the_end(claimed: u64, left: usize) -> Error {
    Error::malformed(format!("byte arrays claim {claimed} bytes, but {left} are left in the page"))
}

/// The message for a container of another shape than the page's values.
#[cold]
pub(crate) fn wrong_container() -> Error {
    Error::usage("the container's shape is not that of the page's values: make it with Values::new for the column's type")
}

/// The message for values of another shape than the column that they are written to.
#[cold]
pub(crate) fn wrong_values() -> Error {
    Error::usage("the values' shape is not that of the column they are written to")
}
