//! Structs that stand in a file by themselves: from bytes and back.

use crate::error::Result;
use crate::format::{BloomFilterHeader, ColumnChunk, ColumnIndex, ColumnMetaData, FileMetaData, OffsetIndex, PageHeader};
use crate::limits::Limits;
use crate::thrift::{Decode, Reader, encode_to_vec};

macro_rules! stand_alone {
    ($($name:ident $(<$life:lifetime>)?,)*) => {$(
        impl $(<$life>)? $name $(<$life>)? {
            /// Reads it from the front of `bytes`, in the compact protocol; returns its length in bytes as well.
            ///
            /// # Errors
            /// `Malformed` when the bytes are none, `Limit` when its lists take more than [`Limits::metadata_bytes`].
            pub fn from_bytes(bytes: &$($life)? [u8], limits: &Limits) -> Result<(Self, usize)> {
                let mut reader = Reader::new(bytes, limits.metadata_bytes);
                let value = Self::decode(&mut reader)?;
                Ok((value, reader.position()))
            }

            /// Its bytes in the compact protocol.
            ///
            /// # Errors
            /// `Usage` for lists of more than 2^31 elements.
            pub fn to_bytes(&self) -> Result<Vec<u8>> {
                encode_to_vec(self)
            }
        }
    )*};
}

stand_alone! {
    FileMetaData<'a>,
    ColumnMetaData<'a>,
    ColumnChunk<'a>,
    PageHeader<'a>,
    ColumnIndex<'a>,
    OffsetIndex,
    BloomFilterHeader,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::PageLocation;

    #[test]
    fn structs_come_back() {
        let location = PageLocation { offset: 4, compressed_page_size: 100, first_row_index: 0 };
        let index = OffsetIndex { page_locations: vec![location], unencoded_byte_array_data_bytes: Some(vec![7]) };
        let mut bytes = index.to_bytes().unwrap();
        let length = bytes.len();
        bytes.extend_from_slice(b"more");
        assert_eq!(OffsetIndex::from_bytes(&bytes, &Limits::default()).unwrap(), (index, length));
        assert!(OffsetIndex::from_bytes(&bytes[..length - 1], &Limits::default()).is_err());
    }
}
