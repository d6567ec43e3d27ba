//! Files over the matrix of types, encodings, codecs, page versions and nestings.
//!
//! A file holds one type: a column for each nesting × encoding × codec × page version, named after them (`list__plain__zstd__v2`). `chosen` is the
//! encoding that the writer takes where nobody asks for one and dictionaries are off.
//! Beside it lies an Arrow file with what the columns hold, one column for each nesting.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ListArray, MapArray, NullArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use herringbone::arrow::{ArrowPlan, ArrowWriter};
use herringbone::format::{Encoding, PhysicalType};
use herringbone::write::{ColumnOptions, PageVersion, SinkOptions, WriterOptions, WriterOptionsBuilder};

use crate::values;

/// Rows of a file, in two row groups of several pages.
const ROWS: usize = 200;

/// `late` are lists of a page each, of which the first have no values, with dictionaries only: the first pages might do without.
const NESTINGS: [&str; 7] = ["required", "optional", "struct", "list", "deep", "map", LATE];
const LATE: &str = "late";
const CODECS: [&str; 7] = ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw", "lz4_hadoop"];

/// One type and what the writer is told.
pub struct Case {
    pub name: &'static str,
    data_type: DataType,
    extension: Option<&'static str>,
    /// What is written instead of the encodings that every reader of the type may know.
    encodings: Option<&'static [Encoding]>,
    options: fn(WriterOptionsBuilder) -> WriterOptionsBuilder,
}

/// All types.
pub fn cases() -> Vec<Case> {
    use DataType as T;
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let case = |name, data_type| Case { name, data_type, extension: None, encodings: None, options: |options| options };
    let zone = || Some(Arc::from("UTC"));
    let runs = |values| T::RunEndEncoded(Arc::new(Field::new("run_ends", T::Int32, false)), Arc::new(Field::new("values", values, true)));
    let dictionary = |values| T::Dictionary(Box::new(T::Int32), Box::new(values));
    vec![
        case("null", T::Null),
        case("boolean", T::Boolean),
        case("int8", T::Int8),
        case("int16", T::Int16),
        case("int32", T::Int32),
        case("int64", T::Int64),
        case("uint8", T::UInt8),
        case("uint16", T::UInt16),
        case("uint32", T::UInt32),
        case("uint64", T::UInt64),
        case("float16", T::Float16),
        case("float32", T::Float32),
        case("float64", T::Float64),
        // Some readers refuse files whose footer names an encoding that they do not know, so that these are files of their own.
        Case { encodings: Some(&[Encoding::Alp]), ..case("float32_alp", T::Float32) },
        Case { encodings: Some(&[Encoding::Alp]), ..case("float64_alp", T::Float64) },
        case("date32", T::Date32),
        case("date64", T::Date64),
        case("time_ms", T::Time32(Millisecond)),
        case("time_us", T::Time64(Microsecond)),
        case("time_ns", T::Time64(Nanosecond)),
        case("timestamp_s", T::Timestamp(Second, None)),
        case("timestamp_ms", T::Timestamp(Millisecond, None)),
        case("timestamp_us", T::Timestamp(Microsecond, None)),
        case("timestamp_ns", T::Timestamp(Nanosecond, None)),
        case("timestamp_ms_utc", T::Timestamp(Millisecond, zone())),
        case("timestamp_us_utc", T::Timestamp(Microsecond, zone())),
        case("timestamp_ns_utc", T::Timestamp(Nanosecond, zone())),
        Case { options: |options| options.int96_timestamps(true), ..case("int96", T::Timestamp(Nanosecond, None)) },
        case("duration", T::Duration(Microsecond)),
        case("interval", T::Interval(arrow_schema::IntervalUnit::MonthDayNano)),
        case("text", T::Utf8),
        case("large_text", T::LargeUtf8),
        case("text_view", T::Utf8View),
        case("bytes", T::Binary),
        case("large_bytes", T::LargeBinary),
        case("bytes_view", T::BinaryView),
        case("fixed_5", T::FixedSizeBinary(5)),
        Case { extension: Some("arrow.uuid"), ..case("uuid", T::FixedSizeBinary(16)) },
        case("decimal_5", T::Decimal128(5, 2)),
        case("decimal_18", T::Decimal128(18, 4)),
        case("decimal_38", T::Decimal128(38, 10)),
        case("decimal_76", T::Decimal256(76, 20)),
        case("decimal32", T::Decimal32(9, 0)),
        case("decimal64", T::Decimal64(18, 18)),
        Case { options: |options| options.decimals_as_integers(false), ..case("decimal_5_bytes", T::Decimal128(5, 2)) },
        Case { options: |options| options.decimals_as_integers(false), ..case("decimal_18_bytes", T::Decimal128(18, 4)) },
        case("dictionary_text", dictionary(T::Utf8)),
        case("dictionary_int64", dictionary(T::Int64)),
        case("runs_text", runs(T::Utf8)),
        case("runs_int32", runs(T::Int32)),
    ]
}

impl Case {
    /// Writes an Arrow file with a column for each nesting.
    pub fn write_values(&self, folder: &Path) {
        write_arrow(&folder.join(self.name).with_extension("arrow"), &batch(&self.columns()));
    }

    /// Writes the Parquet file and the Arrow file into a folder; says how many columns there are.
    pub fn write(&self, folder: &Path) -> usize {
        let plain = self.columns();
        self.write_values(folder);

        let builder = || (self.options)(WriterOptions::builder());
        let bare = ArrowPlan::new(batch(&plain).schema(), builder().build().unwrap()).unwrap();
        let mut options = builder().row_group_rows(ROWS as u64 / 2 + 10).columns(ColumnOptions::new().page_rows(37));
        let mut columns = Vec::new();
        for (nesting, column) in &plain {
            let leaves: Vec<_> =
                bare.write_plan().schema().leaves().iter().filter(|leaf| leaf.path.parts().next() == Some(nesting)).collect();
            let values = leaves.iter().filter(|leaf| leaf.path.parts().next_back() != Some("key"));
            let below: Vec<String> =
                values.clone().map(|leaf| leaf.path.parts().skip(1).map(|part| format!(".{part}")).collect()).collect();
            let physical = values.clone().next().unwrap().physical_type;
            for (encoding, codec, version) in combinations(nesting, self.encodings.unwrap_or(encodings(physical))) {
                let named = encoding.map_or("chosen".to_owned(), |encoding| encoding.to_string());
                let name = format!("{nesting}__{named}__{codec}__{version}").to_lowercase();
                let page_version = if version == "v1" { PageVersion::V1 } else { PageVersion::V2 };
                let mut outer = ColumnOptions::new().compression(codec.parse().unwrap()).page_version(page_version);
                if *nesting == LATE {
                    outer = outer.page_rows(1);
                }
                options = options.column(&name, outer);
                for path in &below {
                    let inner = encoding.map_or(ColumnOptions::new().dictionary(false), |encoding| ColumnOptions::new().encoding(encoding));
                    options = options.column(format!("{name}{path}"), inner);
                }
                columns.push((name, column.clone()));
            }
        }
        let columns: Vec<_> = columns.iter().map(|(name, column)| (name.as_str(), column.clone())).collect();
        let all = batch(&columns);
        let path = folder.join(self.name).with_extension("parquet");
        let mut writer = ArrowWriter::create(path, all.schema(), options.build().unwrap(), SinkOptions::default()).unwrap();
        writer.write(&all).unwrap();
        assert_eq!(writer.close().unwrap().num_rows(), ROWS as u64);
        columns.len()
    }

    fn columns(&self) -> Vec<(&'static str, (Field, ArrayRef))> {
        NESTINGS.iter().filter_map(|nesting| Some((*nesting, self.column(nesting)?))).collect()
    }

    /// The column of a nesting, unless the type has none: what has nulls inside is never required.
    fn column(&self, nesting: &str) -> Option<(Field, ArrayRef)> {
        let always_null = self.data_type == DataType::Null;
        if matches!(self.data_type, DataType::RunEndEncoded(..)) && nesting != "optional" || always_null && nesting == "required" {
            return None;
        }
        let (field, array) = match nesting {
            "required" => return Some(self.field(nesting, ROWS, false)),
            "optional" => return Some(self.field(nesting, ROWS, true)),
            "struct" => structs(
                vec![structs_field("inner", structs(vec![self.field("leaf", ROWS, true)], 11)), self.field("side", ROWS, !always_null)],
                7,
            ),
            "list" => lists(|items| self.field("element", items, true), ROWS),
            LATE => late_lists(|items| self.field("element", items, true)),
            "deep" => lists(
                |items| {
                    structs_field(
                        "element",
                        structs(
                            vec![
                                list_field("a", lists(|inner| self.field("element", inner, always_null), items)),
                                self.field("b", items, true),
                            ],
                            5,
                        ),
                    )
                },
                ROWS,
            ),
            _ => self.maps(),
        };
        Some((Field::new(nesting, field, true), array))
    }

    fn field(&self, name: &str, len: usize, nullable: bool) -> (Field, ArrayRef) {
        let extension = self.extension.map(|extension| ("ARROW:extension:name".to_owned(), extension.to_owned()));
        let nullable = nullable || self.data_type == DataType::Null;
        let field = Field::new(name, self.data_type.clone(), nullable).with_metadata(HashMap::from_iter(extension));
        let array =
            if self.data_type == DataType::Null { Arc::new(NullArray::new(len)) } else { values::leaf(&self.data_type, len, nullable) };
        (field, array)
    }

    fn maps(&self) -> (DataType, ArrayRef) {
        let (offsets, nulls, items) = extents(ROWS);
        // Spark wants the keys of a map to be distinct.
        let keys = StringArray::from_iter_values((0..items).map(|item| format!("key {item}")));
        let (value, values) = self.field("value", items, true);
        let fields = vec![Field::new("key", DataType::Utf8, false), value].into();
        let entries = StructArray::new(fields, vec![Arc::new(keys), values], None);
        let field = Arc::new(Field::new("key_value", entries.data_type().clone(), false));
        let map = MapArray::new(field, offsets, entries, nulls, false);
        (map.data_type().clone(), Arc::new(map))
    }
}

/// The encodings of a physical type that have been there for years.
fn encodings(physical: PhysicalType) -> &'static [Encoding] {
    use Encoding::{ByteStreamSplit, DeltaBinaryPacked, DeltaByteArray, DeltaLengthByteArray, Plain, Rle, RleDictionary};
    match physical {
        PhysicalType::Boolean => &[Plain, Rle],
        PhysicalType::Int32 | PhysicalType::Int64 => &[Plain, RleDictionary, DeltaBinaryPacked, ByteStreamSplit],
        PhysicalType::Float | PhysicalType::Double => &[Plain, RleDictionary, ByteStreamSplit],
        PhysicalType::ByteArray => &[Plain, RleDictionary, DeltaLengthByteArray, DeltaByteArray],
        PhysicalType::FixedLenByteArray => &[Plain, RleDictionary, DeltaByteArray, ByteStreamSplit],
        _ => &[Plain, RleDictionary],
    }
}

/// Encodings, of which none is the writer's choice, codecs and page versions.
fn combinations(nesting: &str, encodings: &[Encoding]) -> Vec<(Option<Encoding>, &'static str, &'static str)> {
    let versions = |encoding, codec| ["v1", "v2"].map(|version| (encoding, codec, version));
    if nesting == LATE {
        let dictionary = encodings.contains(&Encoding::RleDictionary).then(|| versions(Some(Encoding::RleDictionary), "snappy"));
        return dictionary.into_iter().flatten().collect();
    }
    let codecs = |encoding| CODECS.into_iter().flat_map(move |codec| versions(Some(encoding), codec));
    encodings.iter().flat_map(|encoding| codecs(*encoding)).chain(versions(None, "zstd")).collect()
}

fn batch(columns: &[(&str, (Field, ArrayRef))]) -> RecordBatch {
    let fields: Vec<_> = columns.iter().map(|(name, (field, _))| field.clone().with_name(*name)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.iter().map(|(_, (_, array))| Arc::clone(array)).collect()).unwrap()
}

/// Writes an Arrow file.
pub fn write_arrow(path: &Path, batch: &RecordBatch) {
    let file = std::fs::File::create(path).unwrap();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(file, &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
}

/// A struct that is null in one of `every` rows.
fn structs(columns: Vec<(Field, ArrayRef)>, every: usize) -> (DataType, ArrayRef) {
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let nulls: NullBuffer = (0..arrays[0].len()).map(|row| row % every != 2).collect();
    let array = StructArray::new(fields.into(), arrays, Some(nulls));
    (array.data_type().clone(), Arc::new(array))
}

fn structs_field(name: &str, (data_type, array): (DataType, ArrayRef)) -> (Field, ArrayRef) {
    (Field::new(name, data_type, true), array)
}

fn list_field(name: &str, (data_type, array): (DataType, ArrayRef)) -> (Field, ArrayRef) {
    (Field::new(name, data_type, true), array)
}

/// Lists of what `items` makes: null, empty, short, and one that is longer than a page.
fn lists(items: impl FnOnce(usize) -> (Field, ArrayRef), len: usize) -> (DataType, ArrayRef) {
    let (offsets, nulls, count) = extents(len);
    let (field, items) = items(count);
    let array = ListArray::new(Arc::new(field), offsets, items, nulls);
    (array.data_type().clone(), Arc::new(array))
}

/// Lists of which only later ones have items, more of them than there are rows.
fn late_lists(items: impl FnOnce(usize) -> (Field, ArrayRef)) -> (DataType, ArrayRef) {
    let offsets = OffsetBuffer::<i32>::from_lengths((0..ROWS).map(|row| if row < 80 { 0 } else { 12 }));
    let (field, items) = items(offsets.last() as usize);
    let array = ListArray::new(Arc::new(field), offsets, items, Some((0..ROWS).map(|row| row % 50 != 3).collect()));
    (array.data_type().clone(), Arc::new(array))
}

fn extents(len: usize) -> (OffsetBuffer<i32>, Option<NullBuffer>, usize) {
    let null = |row: usize| row % 6 == 1;
    let length = |row: usize| match row {
        _ if null(row) => 0,
        20 => 60,
        _ => row % 4,
    };
    let offsets = OffsetBuffer::<i32>::from_lengths((0..len).map(length));
    let count = offsets.last() as usize;
    (offsets, Some((0..len).map(|row| !null(row)).collect()), count)
}
