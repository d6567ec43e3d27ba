//! Compressing and decompressing the bytes of a page.
//!
//! Each codec of the specification (`Compression.md`) has its file, with decoder and encoder side by side, and its
//! cargo feature. In a build without the feature, the module's place is taken by a twin of the same shape that
//! refuses; [`supported`] tells beforehand, and names the feature to enable.
//!
//! [`Decompressor`] and [`Compressor`] hold the contexts of the codecs, so that they are set up once and not once a
//! page: keep one of them on each thread.
mod settings;

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "lz4")]
mod lz4_frame;
#[cfg(feature = "lz4")]
mod lz4_hadoop;
#[cfg(feature = "lz4")]
mod lz4_raw;
#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(not(all(feature = "brotli", feature = "gzip", feature = "lz4", feature = "snappy", feature = "zstd")))]
mod disabled;
#[cfg(not(feature = "brotli"))]
use disabled as brotli;
#[cfg(not(feature = "gzip"))]
use disabled as gzip;
#[cfg(not(feature = "snappy"))]
use disabled as snappy;
#[cfg(not(feature = "zstd"))]
use disabled as zstd;
#[cfg(not(feature = "lz4"))]
use {disabled as lz4_hadoop, disabled as lz4_raw};

pub use settings::Compression;

use crate::error::{Error, Result};
use crate::format::Codec;

/// Decompresses pages of any codec, one after another.
///
/// Contexts are made when a codec is first met and reused from then on. It is cheap to create and [`Send`]; give each
/// thread its own.
///
/// ```
/// use herringbone::compression::{Compression, Compressor, Decompressor};
/// # fn main() -> herringbone::Result<()> {
/// # #[cfg(feature = "zstd")] {
/// let mut compressed = Vec::new();
/// let compression: Compression = "zstd:3".parse()?;
/// Compressor::new(compression)?.compress(b"a page, a page, a page", &mut compressed)?;
///
/// let mut page = Vec::new();
/// Decompressor::new().decompress(compression.codec(), &compressed, 22, &mut page)?;
/// assert_eq!(page, b"a page, a page, a page");
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Decompressor {
    snappy: snappy::Decoder,
    gzip: gzip::Decoder,
    brotli: brotli::Decoder,
    zstd: zstd::Decoder,
    lz4_raw: lz4_raw::Decoder,
    lz4_hadoop: lz4_hadoop::Decoder,
}

impl Decompressor {
    /// A decompressor without any context yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the contents of `out` with the page's `uncompressed_size` bytes.
    ///
    /// Passing the same `out` for page after page saves both allocating and clearing it: what it held before is
    /// overwritten, not zeroed. Its memory never grows beyond `uncompressed_size` and, for Snappy pages of up to 4 KiB, 96 bytes, and the size is held against
    /// [`max_uncompressed`] first. Some codecs need a constant besides: at most 20 MiB (Brotli's window and tables).
    ///
    /// # Errors
    ///
    /// `out` is empty after any of them.
    ///
    /// - [`Malformed`](crate::ErrorKind::Malformed): the bytes are not what the codec writes, or they are more or
    ///   fewer than `uncompressed_size` when decompressed.
    /// - [`Unsupported`](crate::ErrorKind::Unsupported): see [`supported`].
    pub fn decompress(&mut self, codec: Codec, compressed: &[u8], uncompressed_size: usize, out: &mut Vec<u8>) -> Result<()> {
        let result = self.decompress_over(codec, compressed, uncompressed_size, out);
        out.truncate(if result.is_ok() { uncompressed_size } else { 0 });
        result
    }

    /// As [`decompress`](Self::decompress), but the page is what `out` begins with: behind it may be left what pages before it wrote, so that nothing has
    /// to be cleared for the next larger one.
    pub(crate) fn decompress_over(&mut self, codec: Codec, compressed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<()> {
        match self.fill(codec, compressed, size, out)? {
            found if found == size => Ok(()),
            found => Err(wrong_length(codec, size, found)),
        }
    }

    /// Decompresses pages of which [`pays_together`] is true; `false` if one of them is broken: then each is to be decompressed by itself.
    pub(crate) fn decompress_all(&mut self, pages: &mut [Unpacked<'_>]) -> bool {
        self.snappy.decompress_all(pages).is_ok()
    }

    fn fill(&mut self, codec: Codec, compressed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<usize> {
        supported(codec)?;
        if size as u64 > max_uncompressed(codec, compressed.len()) {
            let given = compressed.len();
            return Err(Error::malformed(format!("the page claims {size} bytes, more than {given} bytes of {codec} data can yield")));
        }
        if compressed.is_empty() {
            return Ok(0);
        }
        match codec {
            Codec::Snappy => self.snappy.decompress(compressed, size, out),
            Codec::Gzip => self.gzip.decompress(compressed, size, out),
            Codec::Brotli => self.brotli.decompress(compressed, size, out),
            Codec::Zstd => self.zstd.decompress(compressed, size, out),
            Codec::Lz4Raw => self.lz4_raw.decompress(compressed, size, out),
            Codec::Lz4 => self.lz4_hadoop.decompress(compressed, size, out),
            Codec::Uncompressed | Codec::Lzo | Codec::Unknown(_) => {
                let copied = (compressed.len() == size).then_some(compressed);
                out.clear();
                out.extend_from_slice(copied.ok_or_else(|| wrong_length(codec, size, compressed.len()))?);
                Ok(size)
            }
        }
    }
}

/// A page to be decompressed: to how many bytes, and where to.
#[cfg_attr(not(feature = "snappy"), allow(dead_code))]
pub(crate) struct Unpacked<'a> {
    pub(crate) compressed: &'a [u8],
    pub(crate) size: usize,
    pub(crate) out: Vec<u8>,
}

/// Whether a page is decompressed in less time together with others of which that is true as well: bytes that are hardly compressed are
/// copied as they are.
pub(crate) fn pays_together(codec: Codec, compressed: usize, size: usize) -> bool {
    let least = compressed.saturating_add(compressed / 64);
    takes_several(codec) && TOGETHER.contains(&size) && size > least && size as u64 <= max_uncompressed(codec, compressed)
}

/// The sizes of pages that are decompressed together: small ones gain nothing, and large ones would take memory before their time.
const TOGETHER: std::ops::RangeInclusive<usize> = 16 << 10..=2 << 20;

/// Compresses pages with one codec, one after another, reusing its context. It is [`Send`].
pub struct Compressor {
    compression: Compression,
    encoder: Encoder,
}

enum Encoder {
    Uncompressed,
    Snappy(snappy::Encoder),
    Gzip(gzip::Encoder),
    Brotli(brotli::Encoder),
    Zstd(zstd::Encoder),
    Lz4Raw(lz4_raw::Encoder),
    Lz4Hadoop(lz4_hadoop::Encoder),
}

impl Compressor {
    /// A compressor for the given codec and level.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the codec's cargo feature is off.
    pub fn new(compression: Compression) -> Result<Self> {
        supported(compression.codec())?;
        let level = compression.level().unwrap_or_default();
        let encoder = match compression.codec() {
            Codec::Snappy => Encoder::Snappy(snappy::Encoder::new(level)),
            Codec::Gzip => Encoder::Gzip(gzip::Encoder::new(level)),
            Codec::Brotli => Encoder::Brotli(brotli::Encoder::new(level)),
            Codec::Zstd => Encoder::Zstd(zstd::Encoder::new(level)),
            Codec::Lz4Raw => Encoder::Lz4Raw(lz4_raw::Encoder::new(level)),
            Codec::Lz4 => Encoder::Lz4Hadoop(lz4_hadoop::Encoder::new(level)),
            Codec::Uncompressed | Codec::Lzo | Codec::Unknown(_) => Encoder::Uncompressed,
        };
        Ok(Self { compression, encoder })
    }

    /// The codec and level that it compresses with.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Compresses `input` and appends the result to `out`, whose contents stay.
    ///
    /// # Errors
    ///
    /// [`Usage`](crate::ErrorKind::Usage) if the codec cannot hold that much in one piece (4 GiB for Snappy).
    pub fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match &mut self.encoder {
            Encoder::Uncompressed => {
                out.extend_from_slice(input);
                Ok(())
            }
            Encoder::Snappy(encoder) => encoder.compress(input, out),
            Encoder::Gzip(encoder) => encoder.compress(input, out),
            Encoder::Brotli(encoder) => encoder.compress(input, out),
            Encoder::Zstd(encoder) => encoder.compress(input, out),
            Encoder::Lz4Raw(encoder) => encoder.compress(input, out),
            Encoder::Lz4Hadoop(encoder) => encoder.compress(input, out),
        }
    }
}

/// Whether this build can read and write pages of a codec.
///
/// # Errors
///
/// [`Unsupported`](crate::ErrorKind::Unsupported) if it cannot; the message names the codec and the cargo feature to
/// enable, if there is one.
pub fn supported(codec: Codec) -> Result<()> {
    let (enabled, feature) = match codec {
        Codec::Uncompressed => return Ok(()),
        Codec::Snappy => (snappy::ENABLED, "snappy"),
        Codec::Gzip => (gzip::ENABLED, "gzip"),
        Codec::Brotli => (brotli::ENABLED, "brotli"),
        Codec::Zstd => (zstd::ENABLED, "zstd"),
        Codec::Lz4Raw => (lz4_raw::ENABLED, "lz4"),
        Codec::Lz4 => (lz4_hadoop::ENABLED, "lz4"),
        Codec::Lzo | Codec::Unknown(_) => {
            return Err(Error::unsupported(format!("the codec {codec} (id {}) cannot be read or written", codec.code())));
        }
    };
    if enabled {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "the codec {codec} (id {}) needs the cargo feature `{feature}` of herringbone, which this build lacks",
        codec.code()
    )))
}

/// Whether pages of a codec can be decompressed together in less time than one after the other.
pub(crate) fn takes_several(codec: Codec) -> bool {
    snappy::ENABLED && codec == Codec::Snappy
}

/// The most bytes that `compressed_len` bytes of a codec can decompress to; a page that claims more is lying.
///
/// For codecs that cannot be read it is 0.
pub fn max_uncompressed(codec: Codec, compressed_len: usize) -> u64 {
    let len = compressed_len as u64;
    match codec {
        Codec::Uncompressed => len,
        // The densest element is a copy of 64 bytes in a tag of 3.
        Codec::Snappy => len.saturating_mul(64).div_euclid(3),
        // A match of 258 bytes takes a length and a distance code of one bit each.
        Codec::Gzip => len.saturating_mul(1032),
        // A block of 128 KiB that repeats one byte takes 3 bytes of header and that byte.
        Codec::Zstd => len.saturating_mul((128 << 10) / 4),
        // Each further byte of a length stands for 255 bytes.
        Codec::Lz4Raw | Codec::Lz4 => len.saturating_mul(255),
        // A meta-block of 16 MiB has at least 77 bits of header, even if every prefix code has one symbol of no bits.
        Codec::Brotli if len == 0 => 0,
        Codec::Brotli => len.div_euclid(9).saturating_add(1).saturating_mul(16 << 20),
        Codec::Lzo | Codec::Unknown(_) => 0,
    }
}

fn wrong_length(codec: Codec, claimed: usize, found: usize) -> Error {
    Error::malformed(format!("the page claims {claimed} bytes, but its {codec} data holds {found}"))
}

/// Makes `out` hold at least `size` bytes, of which the first are to be overwritten. It never gets shorter, so that only what it has never held is zeroed.
#[cfg(any(feature = "brotli", feature = "libdeflate", feature = "lz4", feature = "snappy"))]
fn sized(out: &mut Vec<u8>, size: usize) -> &mut [u8] {
    if out.capacity() < size {
        // The old contents are of no use: freeing them first saves their copy, and fresh zeroed pages come from the kernel.
        *out = Vec::new();
        *out = vec![0; size];
    } else if out.len() < size {
        out.resize(size, 0);
    }
    out.get_mut(..size).unwrap_or_default()
}

/// Empties `out` and makes room for `capacity` bytes, for decoders that write into spare capacity.
#[cfg(any(feature = "gzip", feature = "zstd"))]
fn emptied(out: &mut Vec<u8>, capacity: usize) -> &mut Vec<u8> {
    if out.capacity() < capacity {
        *out = Vec::new();
        *out = Vec::with_capacity(capacity);
    }
    out.clear();
    out
}

#[cfg(test)]
mod tests;
