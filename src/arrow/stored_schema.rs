//! The Arrow schema that writers keep in a file's key-value metadata under `ARROW:schema`: an Arrow IPC message, a
//! flatbuffer, in base64.
//!
//! It is a hint by someone who may have been wrong about the file, so whatever is broken in it counts as absent. Fields
//! are read from the flatbuffer one by one when they are asked for: of thousands of columns only those that are
//! selected cost anything, and the conversions of `arrow-ipc`, which panic on some broken schemas, are not used.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_ipc::{
    Date, Decimal, DictionaryEncoding, Field as IpcField, FixedSizeBinary, FixedSizeList, FloatingPoint, Int, Interval, KeyValue, Map,
    Message, MessageHeader, Schema as IpcSchema, Time, Timestamp, Type,
};
use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::arrow::flatbuffer::Table;
use crate::arrow::types::ListKind;

/// The key of the entry.
pub(crate) const KEY: &str = "ARROW:schema";

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// The entry of a file's key-value metadata, key and value, in which readers find the Arrow schema of the batches that
/// were written: types, names and metadata that the Parquet schema cannot hold.
pub fn stored_schema_entry(schema: &Schema) -> (String, String) {
    (KEY.to_owned(), encode(schema))
}

/// The entry's value for an Arrow schema.
fn encode(schema: &Schema) -> String {
    let mut tracker = arrow_ipc::writer::DictionaryTracker::new(true);
    let options = arrow_ipc::writer::IpcWriteOptions::default();
    let generator = arrow_ipc::writer::IpcDataGenerator::default();
    let message = generator.schema_to_bytes_with_dictionary_tracker(schema, &mut tracker, &options).ipc_message;
    let mut bytes = Vec::with_capacity(message.len().saturating_add(8));
    bytes.extend_from_slice(&u32::MAX.to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&message);
    BASE64.encode(bytes)
}

/// A decoded entry.
pub(crate) struct StoredSchema {
    bytes: Vec<u8>,
    /// How many bytes of text may still be looked at or copied out. A flatbuffer may refer to one text from many places; without a
    /// bound a small entry could fill the memory, or take for ever.
    budget: Cell<usize>,
}

impl StoredSchema {
    /// Decodes the entry's value; `None` when it is not a schema message.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut bytes = BASE64.decode(text.trim_ascii()).ok()?;
        let prefix = match bytes.get(..4)? {
            [0xFF, 0xFF, 0xFF, 0xFF] => 8,
            // Before version 0.15 of Arrow there was no continuation marker, only the length.
            _ => 4,
        };
        bytes.drain(..prefix.min(bytes.len()));
        let budget = Cell::new(bytes.len().saturating_mul(4));
        let stored = Self { bytes, budget };
        stored.schema()?;
        Some(stored)
    }

    /// The number of fields.
    pub(crate) fn len(&self) -> usize {
        self.fields().map_or(0, |fields| fields.len())
    }

    /// The field at an index.
    pub(crate) fn field(&self, index: usize) -> Option<StoredField<'_>> {
        let table = self.fields()?.table(index)?;
        Some(StoredField { table, budget: &self.budget })
    }

    /// The schema's own metadata.
    pub(crate) fn metadata(&self) -> HashMap<String, String> {
        self.schema().map(|schema| metadata(schema, IpcSchema::VT_CUSTOM_METADATA, &self.budget)).unwrap_or_default()
    }

    fn schema(&self) -> Option<Table<'_>> {
        let message = Table::root(&self.bytes)?;
        (message.u8(Message::VT_HEADER_TYPE, 0)? == MessageHeader::Schema.0).then_some(())?;
        message.table(Message::VT_HEADER)
    }

    fn fields(&self) -> Option<crate::arrow::flatbuffer::Vector<'_>> {
        self.schema()?.vector(IpcSchema::VT_FIELDS)
    }
}

/// A field of a stored schema.
#[derive(Clone, Copy)]
pub(crate) struct StoredField<'a> {
    table: Table<'a>,
    budget: &'a Cell<usize>,
}

/// What sort of nested type a stored field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nesting {
    /// None: the type is in [`StoredField::data_type`], unless it is one that Parquet cannot have.
    None,
    /// A struct.
    Struct,
    /// A list or a map.
    List(ListKind),
}

impl<'a> StoredField<'a> {
    /// Whether this is its name. Costs no more than the name that is looked for, and nothing of the budget.
    pub(crate) fn is_named(self, name: &str) -> bool {
        self.table.text(IpcField::VT_NAME) == Some(name.as_bytes())
    }

    /// The name, within the budget.
    pub(crate) fn name(self) -> Option<&'a str> {
        let name = self.table.text(IpcField::VT_NAME);
        // To see that there is none costs something as well.
        within(name.unwrap_or_default(), self.budget).filter(|_| name.is_some())
    }

    /// Whether any name can still be looked at.
    pub(crate) fn has_budget(self) -> bool {
        self.budget.get() >= LEAST
    }

    /// The name as a new string, within the budget.
    pub(crate) fn name_to_keep(self) -> Option<String> {
        self.name().map(str::to_owned)
    }

    /// The child at an index.
    pub(crate) fn child(self, index: usize) -> Option<Self> {
        let table = self.table.vector(IpcField::VT_CHILDREN)?.table(index)?;
        Some(Self { table, budget: self.budget })
    }

    /// The number of children.
    pub(crate) fn children(self) -> usize {
        self.table.vector(IpcField::VT_CHILDREN).map_or(0, |children| children.len())
    }

    /// The metadata, as far as the budget allows.
    pub(crate) fn metadata(self) -> HashMap<String, String> {
        metadata(self.table, IpcField::VT_CUSTOM_METADATA, self.budget)
    }

    /// What sort of nested type it has; dictionaries and run-end encoding around nested types are looked through.
    pub(crate) fn nesting(self) -> Nesting {
        let parameters = self.table.table(IpcField::VT_TYPE_);
        Nesting::List(match self.type_id() {
            Type::Struct_ => return Nesting::Struct,
            Type::List => ListKind::List,
            Type::LargeList => ListKind::LargeList,
            Type::ListView => ListKind::ListView,
            Type::LargeListView => ListKind::LargeListView,
            Type::FixedSizeList => match parameters.and_then(|it| it.i32(FixedSizeList::VT_LISTSIZE, 0)) {
                Some(size @ 0..) => ListKind::FixedSize(size),
                _ => return Nesting::None,
            },
            Type::Map => ListKind::Map { sorted: parameters.and_then(|it| it.u8(Map::VT_KEYSSORTED, 0)) == Some(1) },
            _ => return Nesting::None,
        })
    }

    /// The type, if it is not nested and a Parquet column could have it.
    pub(crate) fn data_type(self) -> Option<DataType> {
        let value = if self.type_id() == Type::RunEndEncoded {
            // Batches have more rows than 16 bits count, so run ends get 32 bits at least.
            let ends = match self.child(0)?.plain_type()? {
                DataType::Int16 | DataType::Int32 => DataType::Int32,
                DataType::Int64 => DataType::Int64,
                _ => return None,
            };
            let child = self.child(1)?;
            let values = Field::new("values", child.data_type_once()?, true);
            DataType::RunEndEncoded(Arc::new(Field::new("run_ends", ends, false)), Arc::new(values))
        } else {
            self.data_type_once()?
        };
        Some(value)
    }

    /// The type without run-end encoding.
    fn data_type_once(self) -> Option<DataType> {
        let value = self.plain_type()?;
        let Some(dictionary) = self.table.table(IpcField::VT_DICTIONARY) else { return Some(value) };
        let key = dictionary.table(DictionaryEncoding::VT_INDEXTYPE).map_or(Some(DataType::Int32), integer)?;
        Some(DataType::Dictionary(Box::new(key), Box::new(value)))
    }

    /// The type of values, without dictionary.
    fn plain_type(self) -> Option<DataType> {
        let type_id = self.type_id();
        Some(match type_id {
            Type::Null => DataType::Null,
            Type::Bool => DataType::Boolean,
            Type::Binary => DataType::Binary,
            Type::LargeBinary => DataType::LargeBinary,
            Type::BinaryView => DataType::BinaryView,
            Type::Utf8 => DataType::Utf8,
            Type::LargeUtf8 => DataType::LargeUtf8,
            Type::Utf8View => DataType::Utf8View,
            _ => return self.type_with_parameters(type_id),
        })
    }

    fn type_with_parameters(self, type_id: Type) -> Option<DataType> {
        let table = self.table.table(IpcField::VT_TYPE_)?;
        let unit = |slot, default| time_unit(table.i16(slot, default)?);
        Some(match type_id {
            Type::Int => integer(table)?,
            Type::FloatingPoint => match table.i16(FloatingPoint::VT_PRECISION, 0)? {
                0 => DataType::Float16,
                1 => DataType::Float32,
                2 => DataType::Float64,
                _ => return None,
            },
            Type::Decimal => decimal(table)?,
            Type::Date => match table.i16(Date::VT_UNIT, 1)? {
                0 => DataType::Date32,
                1 => DataType::Date64,
                _ => return None,
            },
            Type::Time => match (unit(Time::VT_UNIT, 1)?, table.i32(Time::VT_BITWIDTH, 32)?) {
                (unit @ (TimeUnit::Second | TimeUnit::Millisecond), 32) => DataType::Time32(unit),
                (unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond), 64) => DataType::Time64(unit),
                _ => return None,
            },
            Type::Timestamp => {
                let zone = match table.text(Timestamp::VT_TIMEZONE) {
                    Some(zone) => Some(within(zone, self.budget)?.into()),
                    None => None,
                };
                DataType::Timestamp(unit(Timestamp::VT_UNIT, 0)?, zone)
            }
            Type::Duration => DataType::Duration(unit(arrow_ipc::Duration::VT_UNIT, 1)?),
            Type::Interval => DataType::Interval(match table.i16(Interval::VT_UNIT, 0)? {
                0 => IntervalUnit::YearMonth,
                1 => IntervalUnit::DayTime,
                2 => IntervalUnit::MonthDayNano,
                _ => return None,
            }),
            Type::FixedSizeBinary => DataType::FixedSizeBinary(table.i32(FixedSizeBinary::VT_BYTEWIDTH, 0)?),
            _ => return None,
        })
    }

    fn type_id(self) -> Type {
        Type(self.table.u8(IpcField::VT_TYPE_TYPE, 0).unwrap_or(0))
    }
}

fn integer(table: Table<'_>) -> Option<DataType> {
    let signed = table.u8(Int::VT_IS_SIGNED, 0)? != 0;
    Some(match (table.i32(Int::VT_BITWIDTH, 0)?, signed) {
        (8, true) => DataType::Int8,
        (16, true) => DataType::Int16,
        (32, true) => DataType::Int32,
        (64, true) => DataType::Int64,
        (8, false) => DataType::UInt8,
        (16, false) => DataType::UInt16,
        (32, false) => DataType::UInt32,
        (64, false) => DataType::UInt64,
        _ => return None,
    })
}

fn decimal(table: Table<'_>) -> Option<DataType> {
    let precision = u8::try_from(table.i32(Decimal::VT_PRECISION, 0)?).ok()?;
    let scale = i8::try_from(table.i32(Decimal::VT_SCALE, 0)?).ok()?;
    Some(match table.i32(Decimal::VT_BITWIDTH, 128)? {
        32 => DataType::Decimal32(precision, scale),
        64 => DataType::Decimal64(precision, scale),
        128 => DataType::Decimal128(precision, scale),
        256 => DataType::Decimal256(precision, scale),
        _ => return None,
    })
}

fn time_unit(unit: i16) -> Option<TimeUnit> {
    Some(match unit {
        0 => TimeUnit::Second,
        1 => TimeUnit::Millisecond,
        2 => TimeUnit::Microsecond,
        3 => TimeUnit::Nanosecond,
        _ => return None,
    })
}

fn metadata(table: Table<'_>, slot: u16, budget: &Cell<usize>) -> HashMap<String, String> {
    let mut entries = HashMap::new();
    let Some(vector) = table.vector(slot) else { return entries };
    for index in 0..vector.len() {
        let entry = vector.table(index).and_then(|entry| {
            let key = within(entry.text(KeyValue::VT_KEY)?, budget)?;
            Some((key, within(entry.text(KeyValue::VT_VALUE).unwrap_or_default(), budget)?))
        });
        let Some((key, value)) = entry else { break };
        entries.insert(key.to_owned(), value.to_owned());
    }
    entries
}

/// What a text costs beside its bytes: even an empty string takes memory, and time.
const LEAST: usize = 8;

/// A text, if the budget allows to look at it and to copy it. It is charged before any of its bytes is looked at; what is too much for
/// the budget ends it, so that nobody tries again and again.
fn within<'a>(text: &'a [u8], budget: &Cell<usize>) -> Option<&'a str> {
    let left = budget.get().checked_sub(text.len().saturating_add(LEAST));
    budget.set(left.unwrap_or(0));
    left.and_then(|_| std::str::from_utf8(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What C++ Arrow writes for one field `c: int64`, with metadata on the field and on the schema.
    const BY_CPP: &str = "/////wgBAAAQAAAAAAAKAA4ABgAFAAgACgAAAAABBAAQAAAAAAAKAAwAAAAEAAgACgAAACwAAAAEAAAAAQAAAAQAAABs////EAAAAAQAAAABAAAA\
        bgAAAAEAAABtAAAAAQAAABgAAAAAABIAGAAIAAYABwAMAAAAEAAUABIAAAAAAAECFAAAAHwAAAAIAAAAEAAAAAAAAAABAAAAYwAAAAIAAAA8AAAABAAAANT///8Q\
        AAAABAAAAAEAAAA3AAAAEAAAAFBBUlFVRVQ6ZmllbGRfaWQAAAAACAAMAAQACAAIAAAAEAAAAAQAAAABAAAAYgAAAAEAAABhAAAACAAMAAgABwAIAAAAAAAAAUAA\
        AAA=";

    fn strings(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn reads_what_others_write() {
        for text in [BY_CPP.to_owned(), format!("  {}\n", BY_CPP.trim_end_matches('='))] {
            let stored = StoredSchema::decode(&text).unwrap();
            assert_eq!((stored.len(), stored.metadata()), (1, strings(&[("m", "n")])));
            let field = stored.field(0).unwrap();
            assert_eq!((field.name(), field.data_type(), field.nesting()), (Some("c"), Some(DataType::Int64), Nesting::None));
            assert_eq!(field.metadata(), strings(&[("a", "b"), ("PARQUET:field_id", "7")]));
            assert!(stored.field(1).is_none() && field.child(0).is_none());
        }
    }

    #[test]
    fn reads_messages_without_a_continuation_marker() {
        let bytes = BASE64.decode(BY_CPP).unwrap();
        let stored = StoredSchema::decode(&BASE64.encode(&bytes[4..])).unwrap();
        assert_eq!(stored.field(0).unwrap().name(), Some("c"));
    }

    #[test]
    fn reads_its_own() {
        let item = Field::new("item", DataType::Utf8View, true).with_metadata(strings(&[("k", "v")]));
        let runs = DataType::RunEndEncoded(
            Field::new("run_ends", DataType::Int16, false).into(),
            Field::new("values", DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8)), true).into(),
        );
        let schema = Schema::new(vec![
            Field::new("l", DataType::FixedSizeList(item.into(), 7), true),
            Field::new("d", DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::LargeBinary)), true),
            Field::new("r", runs, true),
        ]);
        let stored = StoredSchema::decode(&encode(&schema)).unwrap();
        assert_eq!(stored.field(0).unwrap().nesting(), Nesting::List(ListKind::FixedSize(7)));
        assert_eq!(stored.field(0).unwrap().data_type(), None);
        let child = stored.field(0).unwrap().child(0).unwrap();
        assert_eq!((child.name(), child.data_type(), child.metadata()), (Some("item"), Some(DataType::Utf8View), strings(&[("k", "v")])));
        assert_eq!(stored.field(1).unwrap().data_type().as_ref(), Some(schema.field(1).data_type()));
        // Run ends of 16 bits would not reach over a batch.
        let wider = schema.field(2).data_type().to_string().replacen("Int16", "Int32", 1);
        assert_eq!(stored.field(2).unwrap().data_type().map(|data_type| data_type.to_string()), Some(wider));
    }

    #[test]
    fn copies_no_more_than_the_budget() {
        let stored = StoredSchema::decode(BY_CPP).unwrap();
        for (budget, entries) in [(0, 0), (16, 0), (33, 1), (1000, 2)] {
            stored.budget.set(budget);
            let field = stored.field(0).unwrap();
            assert_eq!(field.metadata().len(), entries, "{budget}");
        }
        stored.budget.set(8);
        assert_eq!(stored.field(0).unwrap().name_to_keep(), None);
        // Asking again and again comes to an end.
        let stored = StoredSchema::decode(BY_CPP).unwrap();
        let copied: usize = (0..10_000).map(|_| stored.field(0).unwrap().metadata().values().map(String::len).sum::<usize>()).sum();
        assert!(copied <= stored.bytes.len() * 4);
    }

    #[test]
    fn what_is_no_schema_message_is_absent() {
        let short = BASE64.encode(&BASE64.decode(BY_CPP).unwrap()[..20]);
        let texts = [String::new(), "?".to_owned(), "AAAA".to_owned(), "/////w==".to_owned(), short, BASE64.encode([0; 64])];
        for text in texts {
            assert!(StoredSchema::decode(&text).is_none(), "{text}");
        }
    }

    /// Touches everything that there is, as far as a schema of this depth would.
    fn walk(field: StoredField<'_>, depth: usize) -> usize {
        let _ = (field.name(), field.data_type(), field.nesting(), field.metadata().len(), field.name_to_keep());
        let below = if depth == 0 {
            0
        } else {
            (0..field.children().min(8)).filter_map(|index| field.child(index)).map(|child| walk(child, depth - 1)).sum()
        };
        below + 1
    }

    fn walk_all(text: &str) -> usize {
        let Some(stored) = StoredSchema::decode(text) else { return 0 };
        stored.metadata();
        (0..stored.len().min(64)).filter_map(|index| stored.field(index)).map(|field| walk(field, 4)).sum()
    }

    fn sample() -> Vec<u8> {
        let item =
            || Field::new("item", DataType::Timestamp(TimeUnit::Second, Some("UTC".into())), true).with_metadata(strings(&[("k", "v")]));
        let schema = Schema::new(vec![
            Field::new("l", DataType::List(item().into()), true),
            Field::new("s", DataType::Struct(vec![item(), Field::new("x", DataType::Decimal256(50, 3), false)].into()), true),
            Field::new("d", DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::LargeBinary)), true),
            Field::new_map("m", "entries", Field::new("k", DataType::Utf8, false), item(), false, true),
        ]);
        BASE64.decode(encode(&schema)).unwrap()
    }

    #[test]
    fn the_sample_is_walked_whole() {
        assert_eq!(walk_all(&BASE64.encode(sample())), 10);
    }

    proptest! {
        #[test]
        fn damaged_entries_are_no_danger(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), cut in any::<prop::sample::Index>()) {
            let mut bytes = sample();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            walk_all(&BASE64.encode(&bytes));
            walk_all(&BASE64.encode(&bytes[..cut.index(bytes.len())]));
        }

        #[test]
        fn any_bytes_are_no_danger(bytes in prop::collection::vec(prop_oneof![0..8u8, any::<u8>()], 0..200)) {
            walk_all(&BASE64.encode(&bytes));
            walk_all(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn entries_survive(names in prop::collection::vec(any::<String>(), 0..20)) {
            let fields: Vec<Field> = names.iter().map(|name| Field::new(name, DataType::Float16, true)).collect();
            let stored = StoredSchema::decode(&encode(&Schema::new(fields))).unwrap();
            let read: Vec<_> = (0..stored.len()).map(|index| stored.field(index).unwrap().name().unwrap().to_owned()).collect();
            prop_assert_eq!(read, names);
        }
    }
}
