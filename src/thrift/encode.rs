//! Writing the compact protocol, through the `thrift` crate.

use std::borrow::Cow;

use thrift::protocol::{TCompactOutputProtocol, TFieldIdentifier, TListIdentifier, TOutputProtocol, TStructIdentifier, TType};

use crate::error::{Error, Result};

/// Where structs are written to.
pub(crate) type Output<'w> = TCompactOutputProtocol<&'w mut Vec<u8>>;

/// A value that can be written in the compact protocol.
pub(crate) trait Encode {
    /// The type it has on the wire.
    const TYPE: TType;

    /// Writes the value.
    fn encode(&self, output: &mut Output<'_>) -> thrift::Result<()>;

    /// Writes it as the field `id` of a struct.
    fn encode_field(&self, id: i16, output: &mut Output<'_>) -> thrift::Result<()> {
        output.write_field_begin(&TFieldIdentifier::new("", Self::TYPE, id))?;
        self.encode(output)?;
        output.write_field_end()
    }
}

/// The bytes of a struct.
pub(crate) fn encode_to_vec(value: &impl Encode) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut output = TCompactOutputProtocol::new(&mut bytes);
    value.encode(&mut output).map_err(|error| Error::usage("a value cannot be written as Thrift").with_source(error))?;
    Ok(bytes)
}

/// Writes a struct of no fields.
pub(crate) fn encode_empty_struct(output: &mut Output<'_>) -> thrift::Result<()> {
    output.write_struct_begin(&TStructIdentifier::new(""))?;
    output.write_field_stop()?;
    output.write_struct_end()
}

macro_rules! encode_scalar {
    ($($type:ty, $wire:ident, $write:ident;)*) => {$(
        impl Encode for $type {
            const TYPE: TType = TType::$wire;

            fn encode(&self, output: &mut Output<'_>) -> thrift::Result<()> {
                output.$write(*self)
            }
        }
    )*};
}

encode_scalar! {
    bool, Bool, write_bool;
    i8, I08, write_i8;
    i16, I16, write_i16;
    i32, I32, write_i32;
    i64, I64, write_i64;
    f64, Double, write_double;
}

impl Encode for Cow<'_, [u8]> {
    const TYPE: TType = TType::String;

    fn encode(&self, output: &mut Output<'_>) -> thrift::Result<()> {
        output.write_bytes(self)
    }
}

impl Encode for Cow<'_, str> {
    const TYPE: TType = TType::String;

    fn encode(&self, output: &mut Output<'_>) -> thrift::Result<()> {
        output.write_string(self)
    }
}

impl<T: Encode> Encode for Vec<T> {
    const TYPE: TType = TType::List;

    fn encode(&self, output: &mut Output<'_>) -> thrift::Result<()> {
        let length = i32::try_from(self.len()).map_err(|_| thrift::Error::from("a list of more than 2^31 elements"))?;
        output.write_list_begin(&TListIdentifier::new(T::TYPE, length))?;
        for value in self {
            value.encode(output)?;
        }
        output.write_list_end()
    }
}
