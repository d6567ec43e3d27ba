//! Enums of the format: physical types, encodings, codecs, page types.

use crate::thrift::thrift_enum;

thrift_enum! {
    /// A physical type (`Type`).
    pub enum PhysicalType {
        /// One bit a value.
        Boolean = 0,
        /// 32-bit signed integer.
        Int32 = 1,
        /// 64-bit signed integer.
        Int64 = 2,
        /// 96 bits, deprecated: a timestamp of nanoseconds in the day (8 bytes) and the Julian day (4 bytes).
        Int96 = 3,
        /// IEEE 754 single precision.
        Float = 4,
        /// IEEE 754 double precision.
        Double = 5,
        /// Bytes of any length below 2 GiB.
        ByteArray = 6,
        /// Bytes of the length that the schema gives.
        FixedLenByteArray = 7,
    }
}

thrift_enum! {
    /// How the values of a page are encoded (`Encoding`).
    pub enum Encoding {
        /// Values one after another.
        Plain = 0,
        /// The old name of [`RleDictionary`](Encoding::RleDictionary) on data pages and of `Plain` on dictionary pages.
        PlainDictionary = 2,
        /// Runs and bit-packed groups.
        Rle = 3,
        /// Bit-packed levels, most significant bit first; deprecated.
        BitPacked = 4,
        /// Differences of integers in bit-packed blocks.
        DeltaBinaryPacked = 5,
        /// Lengths as `DeltaBinaryPacked`, then all bytes.
        DeltaLengthByteArray = 6,
        /// Lengths of shared prefixes, then suffixes.
        DeltaByteArray = 7,
        /// Indices into the dictionary page.
        RleDictionary = 8,
        /// The k-th bytes of all values, then the next ones.
        ByteStreamSplit = 9,
        /// Floating-point numbers as scaled integers, with exceptions.
        Alp = 10,
    }
}

thrift_enum! {
    /// A compression algorithm (`CompressionCodec`).
    pub enum Codec {
        /// Not compressed.
        Uncompressed = 0,
        /// Snappy, raw format.
        Snappy = 1,
        /// GZIP (RFC 1952), one member or several.
        Gzip = 2,
        /// LZO: never read or written by this crate.
        Lzo = 3,
        /// Brotli (RFC 7932).
        Brotli = 4,
        /// LZ4 with framing of Hadoop; deprecated.
        Lz4 = 5,
        /// Zstandard (RFC 8478).
        Zstd = 6,
        /// LZ4 block format.
        Lz4Raw = 7,
    }
}

thrift_enum! {
    /// What a page holds (`PageType`).
    pub enum PageType {
        /// Levels and values, compressed as one.
        DataPage = 0,
        /// Never defined by the format.
        IndexPage = 1,
        /// The dictionary of the column chunk.
        DictionaryPage = 2,
        /// Levels uncompressed, then values.
        DataPageV2 = 3,
    }
}

thrift_enum! {
    /// Whether the bounds in a column index are sorted (`BoundaryOrder`).
    pub enum BoundaryOrder {
        /// Not sorted.
        Unordered = 0,
        /// Both lists ascend.
        Ascending = 1,
        /// Both lists descend.
        Descending = 2,
    }
}

macro_rules! display_in_capitals {
    ($($name:ident { $($variant:ident $text:literal,)* })*) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($name::$variant => f.pad($text),)*
                    $name::Unknown(code) => f.pad(&format!("UNKNOWN({code})")),
                }
            }
        }
    )*};
}

display_in_capitals! {
    PhysicalType {
        Boolean "BOOLEAN", Int32 "INT32", Int64 "INT64", Int96 "INT96", Float "FLOAT", Double "DOUBLE",
        ByteArray "BYTE_ARRAY", FixedLenByteArray "FIXED_LEN_BYTE_ARRAY",
    }
    Encoding {
        Plain "PLAIN", PlainDictionary "PLAIN_DICTIONARY", Rle "RLE", BitPacked "BIT_PACKED",
        DeltaBinaryPacked "DELTA_BINARY_PACKED", DeltaLengthByteArray "DELTA_LENGTH_BYTE_ARRAY",
        DeltaByteArray "DELTA_BYTE_ARRAY", RleDictionary "RLE_DICTIONARY", ByteStreamSplit "BYTE_STREAM_SPLIT", Alp "ALP",
    }
    Codec {
        Uncompressed "UNCOMPRESSED", Snappy "SNAPPY", Gzip "GZIP", Lzo "LZO", Brotli "BROTLI", Lz4 "LZ4", Zstd "ZSTD", Lz4Raw "LZ4_RAW",
    }
    PageType { DataPage "DATA_PAGE", IndexPage "INDEX_PAGE", DictionaryPage "DICTIONARY_PAGE", DataPageV2 "DATA_PAGE_V2", }
    BoundaryOrder { Unordered "UNORDERED", Ascending "ASCENDING", Descending "DESCENDING", }
}
