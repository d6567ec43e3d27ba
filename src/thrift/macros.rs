//! One line of the Parquet Thrift file, one line of Rust.

/// A Thrift struct: `id: required|optional name: Type`.
///
/// Unknown fields are skipped, and so are known ones of another type; a missing required field is an error.
macro_rules! thrift_struct {
    ($(#[$meta:meta])* $vis:vis struct $name:ident $(<$life:lifetime>)? {
        $($(#[$doc:meta])* $id:literal: $presence:ident $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name $(<$life>)? {
            $($(#[$doc])* pub $field: thrift_struct!(@type $presence $type),)*
        }

        impl<'de $(: $life, $life: 'de)?> $crate::thrift::Decode<'de> for $name $(<$life>)? {
            const WIRE: $crate::thrift::Wire = $crate::thrift::Wire::Struct;

            #[allow(unused_mut, unused_variables, unused_imports)]
            fn decode(reader: &mut $crate::thrift::Reader<'de>) -> $crate::error::Result<Self> {
                use $crate::thrift::Decode;
                reader.enter()?;
                $(let mut $field: Option<$type> = None;)*
                let mut last = 0;
                while let Some(header) = reader.field(&mut last)? {
                    match header.id {
                        $($id if <$type as Decode<'_>>::is_read_from(header.wire) => {
                            $field = Some(<$type as Decode<'_>>::decode_field(reader, header.wire)?);
                        })*
                        _ => reader.skip(header.wire)?,
                    }
                }
                reader.leave();
                Ok(Self { $($field: thrift_struct!(@finish $presence $field $name),)* })
            }
        }

        impl $(<$life>)? $crate::thrift::Encode for $name $(<$life>)? {
            const TYPE: ::thrift::protocol::TType = ::thrift::protocol::TType::Struct;

            fn encode(&self, output: &mut $crate::thrift::Output<'_>) -> ::thrift::Result<()> {
                use ::thrift::protocol::TOutputProtocol;
                output.write_struct_begin(&::thrift::protocol::TStructIdentifier::new(""))?;
                $(thrift_struct!(@write $presence self $field $id output);)*
                output.write_field_stop()?;
                output.write_struct_end()
            }
        }
    };
    (@type required $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@finish optional $field:ident $name:ident) => { $field };
    (@finish required $field:ident $name:ident) => {
        $field.ok_or_else(|| $crate::error::Error::malformed(concat!(
            "the Thrift struct ", stringify!($name), " lacks its field ", stringify!($field)
        )))?
    };
    (@write optional $self:ident $field:ident $id:literal $output:ident) => {
        if let Some(value) = &$self.$field {
            $crate::thrift::Encode::encode_field(value, $id, $output)?;
        }
    };
    (@write required $self:ident $field:ident $id:literal $output:ident) => {
        $crate::thrift::Encode::encode_field(&$self.$field, $id, $output)?;
    };
}

/// A Thrift enum: values that are not known are kept in `Unknown`. With `or bool` before the braces, fields that are booleans stand for 0 and 1.
macro_rules! thrift_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident $(or $bool:ident)? {
        $($(#[$doc:meta])* $variant:ident = $value:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name {
            $($(#[$doc])* $variant,)*
            /// A value that this version of the crate does not know.
            Unknown(i32),
        }

        impl $name {
            /// The number that stands for it in the file.
            pub fn code(self) -> i32 {
                match self {
                    $($name::$variant => $value,)*
                    $name::Unknown(code) => code,
                }
            }

            /// The value that a number stands for.
            pub fn from_code(code: i32) -> Self {
                match code {
                    $($value => $name::$variant,)*
                    other => $name::Unknown(other),
                }
            }
        }

        impl<'de> $crate::thrift::Decode<'de> for $name {
            const WIRE: $crate::thrift::Wire = $crate::thrift::Wire::I32;

            #[inline]
            fn decode(reader: &mut $crate::thrift::Reader<'de>) -> $crate::error::Result<Self> {
                <i32 as $crate::thrift::Decode>::decode(reader).map(Self::from_code)
            }

            $(thrift_enum! { @boolean $bool })?
        }

        impl $crate::thrift::Encode for $name {
            const TYPE: ::thrift::protocol::TType = ::thrift::protocol::TType::I32;

            fn encode(&self, output: &mut $crate::thrift::Output<'_>) -> ::thrift::Result<()> {
                $crate::thrift::Encode::encode(&self.code(), output)
            }
        }
    };
    (@boolean bool) => {
        #[inline]
        fn is_read_from(wire: $crate::thrift::Wire) -> bool {
            wire == Self::WIRE || wire.is_like($crate::thrift::Wire::True)
        }

        #[inline]
        fn decode_field(reader: &mut $crate::thrift::Reader<'de>, wire: $crate::thrift::Wire) -> $crate::error::Result<Self> {
            match wire {
                $crate::thrift::Wire::False => Ok(Self::from_code(0)),
                $crate::thrift::Wire::True => Ok(Self::from_code(1)),
                _ => Self::decode(reader),
            }
        }
    };
}

/// A Thrift union: `id: Variant` for an empty struct, `id: Variant(Struct)` else; unknown members are kept by id.
macro_rules! thrift_union {
    ($(#[$meta:meta])* $vis:vis enum $name:ident $(<$life:lifetime>)? {
        $($(#[$doc:meta])* $id:literal: $variant:ident $(($type:ty))?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $name $(<$life>)? {
            $($(#[$doc])* $variant $(($type))?,)*
            /// A member that this version of the crate does not know, by its field id (0 when the union is empty).
            Unknown(i16),
        }

        impl<'de $(: $life, $life: 'de)?> $crate::thrift::Decode<'de> for $name $(<$life>)? {
            const WIRE: $crate::thrift::Wire = $crate::thrift::Wire::Struct;

            fn decode(reader: &mut $crate::thrift::Reader<'de>) -> $crate::error::Result<Self> {
                reader.enter()?;
                let mut found = None;
                let mut last = 0;
                while let Some(header) = reader.field(&mut last)? {
                    let member = match header.id {
                        $($id if header.wire == $crate::thrift::Wire::Struct => thrift_union!(@read reader $name $variant $(($type))?),)*
                        id => {
                            reader.skip(header.wire)?;
                            $name::Unknown(id)
                        }
                    };
                    found.get_or_insert(member);
                }
                reader.leave();
                Ok(found.unwrap_or($name::Unknown(0)))
            }
        }

        impl $(<$life>)? $crate::thrift::Encode for $name $(<$life>)? {
            const TYPE: ::thrift::protocol::TType = ::thrift::protocol::TType::Struct;

            fn encode(&self, output: &mut $crate::thrift::Output<'_>) -> ::thrift::Result<()> {
                use ::thrift::protocol::{TFieldIdentifier, TOutputProtocol, TStructIdentifier, TType};
                output.write_struct_begin(&TStructIdentifier::new(""))?;
                let id = match self {
                    $(thrift_union!(@pattern $name $variant $(($type))?) => $id,)*
                    $name::Unknown(id) => *id,
                };
                output.write_field_begin(&TFieldIdentifier::new("", TType::Struct, id))?;
                match self {
                    $(thrift_union!(@bind value $name $variant $(($type))?) => thrift_union!(@write value output $(($type))?),)*
                    $name::Unknown(_) => $crate::thrift::encode_empty_struct(output)?,
                }
                output.write_field_end()?;
                output.write_field_stop()?;
                output.write_struct_end()
            }
        }
    };
    (@read $reader:ident $name:ident $variant:ident) => {{
        $reader.skip_struct()?;
        $name::$variant
    }};
    (@read $reader:ident $name:ident $variant:ident ($type:ty)) => {
        $name::$variant(<$type as $crate::thrift::Decode<'_>>::decode($reader)?)
    };
    (@pattern $name:ident $variant:ident) => { $name::$variant };
    (@pattern $name:ident $variant:ident ($type:ty)) => { $name::$variant(_) };
    (@bind $value:ident $name:ident $variant:ident) => { $name::$variant };
    (@bind $value:ident $name:ident $variant:ident ($type:ty)) => { $name::$variant($value) };
    (@write $value:ident $output:ident) => { $crate::thrift::encode_empty_struct($output)? };
    (@write $value:ident $output:ident ($type:ty)) => { $crate::thrift::Encode::encode($value, $output)? };
}

pub(crate) use {thrift_enum, thrift_struct, thrift_union};
