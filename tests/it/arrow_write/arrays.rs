//! Arbitrary record batches: every type that Parquet can hold, nested to some depth, with the oddities that Arrow allows:
//! slices, null lists that have elements, list views in any order, dictionaries with entries unused, doubled or null.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, FixedSizeListArray, Int32Array, Int64Array,
    LargeBinaryArray, LargeListArray, LargeListViewArray, LargeStringArray, ListArray, ListViewArray, MapArray, NullArray, PrimitiveArray,
    RecordBatch, RunArray, StringArray, StructArray, make_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, IntervalDayTime, IntervalMonthDayNano, NullBuffer, OffsetBuffer, ScalarBuffer, i256};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};

/// A small generator of numbers: what a seed makes is the same for ever.
pub struct Random {
    state: u64,
    /// Choices that were made already, by somebody who wants to change one of them and not all.
    choices: std::vec::IntoIter<u8>,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Self { state: seed, choices: Vec::new().into_iter() }
    }

    /// Takes its choices from bytes as long as there are any.
    #[allow(dead_code, reason = "the fuzz targets call it")]
    pub fn of_choices(bytes: &[u8]) -> Self {
        let choices = Vec::from(bytes);
        Self { state: 0, choices: choices.into_iter() }
    }

    pub fn next(&mut self) -> u64 {
        if let Some(chosen) = self.choices.as_slice().first_chunk() {
            let chosen = u64::from_le_bytes(*chosen);
            self.choices.nth(7);
            return chosen;
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, n: usize) -> usize {
        // A byte for a small choice.
        if n <= 256
            && let Some(chosen) = self.choices.next()
        {
            return usize::from(chosen) % n;
        }
        (self.next() % n as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// Which types are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Types {
    /// All that are written.
    All,
    /// Those that the official crate writes and reads back as they were.
    Common,
}

/// A schema of one to `columns` columns.
pub fn schema(random: &mut Random, columns: usize, types: Types) -> SchemaRef {
    let columns = 1 + random.below(columns);
    let fields: Vec<_> = (0..columns).map(|i| Arc::new(field(random, &format!("c{i}"), 3, types))).collect();
    let metadata: std::collections::HashMap<_, _> = (0..random.below(3)).map(|i| (format!("key {i}"), format!("value {i}"))).collect();
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

fn field(random: &mut Random, name: &str, depth: usize, types: Types) -> Field {
    let data_type = data_type(random, depth, types);
    // What has nulls inside cannot be told to have none.
    let nullable = matches!(data_type, DataType::Null | DataType::RunEndEncoded(..)) || !random.one_in(3);
    let field = Field::new(name, data_type, nullable);
    let mut metadata = std::collections::HashMap::new();
    if random.one_in(8) {
        metadata.insert("PARQUET:field_id".to_owned(), random.below(100).to_string());
    }
    if types == Types::All && random.one_in(8) {
        metadata.insert("note".to_owned(), "kept".to_owned());
    }
    field.with_metadata(metadata)
}

fn data_type(random: &mut Random, depth: usize, types: Types) -> DataType {
    if depth == 0 || !random.one_in(3) {
        return leaf_type(random, types);
    }
    let item = |random: &mut Random| {
        let name = random.pick(&["item", "element", "x"]);
        Arc::new(field(random, name, depth - 1, types))
    };
    match random.below(if types == Types::All { 8 } else { 6 }) {
        0 | 1 => {
            let fields: Vec<_> = (0..1 + random.below(3)).map(|i| Arc::new(field(random, &format!("f{i}"), depth - 1, types))).collect();
            DataType::Struct(fields.into())
        }
        2 => DataType::List(item(random)),
        3 => DataType::LargeList(item(random)),
        4 => DataType::FixedSizeList(item(random), 1 + random.below(3) as i32),
        5 => {
            let key = leaf_type(random, Types::Common);
            let key = if key == DataType::Null { DataType::Utf8 } else { key };
            let pair = vec![Arc::new(Field::new("key", key, false)), Arc::new(field(random, "value", depth - 1, types))];
            let name = random.pick(&["entries", "key_value"]);
            DataType::Map(Arc::new(Field::new(name, DataType::Struct(pair.into()), false)), random.one_in(2))
        }
        6 => DataType::ListView(item(random)),
        _ => DataType::LargeListView(item(random)),
    }
}

fn leaf_type(random: &mut Random, types: Types) -> DataType {
    use DataType as T;
    let units = [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
    let common = [
        T::Boolean,
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::UInt8,
        T::UInt16,
        T::UInt32,
        T::UInt64,
        T::Float16,
        T::Float32,
        T::Float64,
        T::Date32,
        T::Time32(TimeUnit::Millisecond),
        T::Time64(TimeUnit::Microsecond),
        T::Time64(TimeUnit::Nanosecond),
        T::Utf8,
        T::LargeUtf8,
        T::Utf8View,
        T::Binary,
        T::LargeBinary,
        T::BinaryView,
    ];
    match random.below(if types == Types::All { 14 } else { 10 }) {
        0..=4 => random.pick(&common),
        5 => T::FixedSizeBinary(1 + random.below(20) as i32),
        6 => {
            let digits = 1 + random.below(38) as u8;
            T::Decimal128(digits, random.below(usize::from(digits) + 1) as i8)
        }
        7 => T::Timestamp(random.pick(&units[1..]), random.pick(&[None, Some("UTC".into()), Some("+01:00".into())])),
        8 => T::Dictionary(Box::new(random.pick(&[T::Int8, T::Int16, T::Int32, T::Int64, T::UInt8, T::UInt32])), Box::new(T::Utf8)),
        9 => T::Null,
        10 => {
            let digits = [random.below(9), random.below(18), random.below(76)].map(|digits| digits as u8 + 1);
            let all = [T::Decimal32(digits[0], 0), T::Decimal64(digits[1], 1), T::Decimal256(76, 38), T::Decimal256(digits[2], 0)];
            random.pick(&all)
        }
        11 => {
            let unit = random.pick(&units);
            let intervals = [IntervalUnit::YearMonth, IntervalUnit::DayTime, IntervalUnit::MonthDayNano].map(T::Interval);
            let times = [T::Duration(unit), T::Date64, T::Time32(TimeUnit::Second), T::Timestamp(TimeUnit::Second, None)];
            random.pick(&[intervals.to_vec(), times.to_vec()].concat())
        }
        12 => {
            let values = random.pick(&[
                T::LargeUtf8,
                T::Binary,
                T::Utf8View,
                T::Int32,
                T::Int64,
                T::UInt16,
                T::Float64,
                T::FixedSizeBinary(3),
                T::Decimal128(20, 2),
                T::Timestamp(TimeUnit::Microsecond, None),
                T::Float16,
            ]);
            T::Dictionary(Box::new(random.pick(&[T::Int8, T::Int32, T::UInt32])), Box::new(values))
        }
        _ => {
            let ends = Field::new("run_ends", random.pick(&[T::Int32, T::Int64]), false);
            let values = random.pick(&[T::Utf8, T::Int32, T::Int64, T::Boolean, T::FixedSizeBinary(2), T::BinaryView]);
            T::RunEndEncoded(Arc::new(ends), Arc::new(Field::new("values", values, true)))
        }
    }
}

/// A batch of `rows` rows.
pub fn batch(random: &mut Random, schema: &SchemaRef, rows: usize) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| array(random, field, rows)).collect();
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &arrow_array::RecordBatchOptions::new().with_row_count(Some(rows)))
        .unwrap()
}

/// An array of a field, sometimes a slice of a longer one.
pub fn array(random: &mut Random, field: &Field, len: usize) -> ArrayRef {
    if random.one_in(3) {
        let (before, after) = (random.below(5), random.below(5));
        return whole(random, field, before + len + after).slice(before, len);
    }
    whole(random, field, len)
}

/// Validity of a field.
fn validity(random: &mut Random, field: &Field, len: usize) -> Option<NullBuffer> {
    if !field.is_nullable() || random.one_in(4) {
        return None;
    }
    let share = random.pick(&[2, 5, 40, 1]);
    Some(NullBuffer::from((0..len).map(|_| share > 1 && !random.one_in(share)).collect::<Vec<_>>()))
}

fn whole(random: &mut Random, field: &Field, len: usize) -> ArrayRef {
    let nulls = match field.data_type() {
        DataType::Null | DataType::RunEndEncoded(..) => None,
        _ => validity(random, field, len),
    };
    match field.data_type() {
        DataType::Struct(fields) => structs(random, fields, nulls, len),
        DataType::List(item) => {
            let (offsets, items) = offsets(random, len);
            let items = array(random, item, items);
            let offsets = OffsetBuffer::new(offsets.iter().map(|offset| *offset as i32).collect::<Vec<_>>().into());
            Arc::new(ListArray::new(Arc::clone(item), offsets, items, nulls))
        }
        DataType::LargeList(item) => {
            let (offsets, items) = offsets(random, len);
            let items = array(random, item, items);
            let offsets = OffsetBuffer::new(offsets.iter().map(|offset| *offset as i64).collect::<Vec<_>>().into());
            Arc::new(LargeListArray::new(Arc::clone(item), offsets, items, nulls))
        }
        DataType::ListView(item) => {
            let (offsets, sizes, items) = views(random, item, len);
            let part = |parts: &[usize]| parts.iter().map(|part| *part as i32).collect::<ScalarBuffer<i32>>();
            Arc::new(ListViewArray::new(Arc::clone(item), part(&offsets), part(&sizes), items, nulls))
        }
        DataType::LargeListView(item) => {
            let (offsets, sizes, items) = views(random, item, len);
            let part = |parts: &[usize]| parts.iter().map(|part| *part as i64).collect::<ScalarBuffer<i64>>();
            Arc::new(LargeListViewArray::new(Arc::clone(item), part(&offsets), part(&sizes), items, nulls))
        }
        DataType::FixedSizeList(item, size) => {
            let items = array(random, item, len * *size as usize);
            Arc::new(FixedSizeListArray::new(Arc::clone(item), *size, items, nulls))
        }
        DataType::Map(entries, sorted) => {
            let (offsets, items) = offsets(random, len);
            let DataType::Struct(pair) = entries.data_type() else { unreachable!("entries are structs") };
            let columns = pair.iter().map(|field| array(random, field, items)).collect();
            let pairs = StructArray::new(pair.clone(), columns, None);
            let offsets = OffsetBuffer::new(offsets.iter().map(|offset| *offset as i32).collect::<Vec<_>>().into());
            Arc::new(MapArray::new(Arc::clone(entries), offsets, pairs, nulls, *sorted))
        }
        data_type => leaf(random, data_type, nulls, len),
    }
}

fn structs(random: &mut Random, fields: &Fields, nulls: Option<NullBuffer>, len: usize) -> ArrayRef {
    let child = |random: &mut Random, field: &FieldRef| -> ArrayRef {
        // Where the struct is null, a field that has no nulls may be null as well.
        if let (Some(nulls), false, true) = (&nulls, field.is_nullable(), random.one_in(2)) {
            let values = whole(random, field, len);
            if values.nulls().is_none() && !matches!(values.data_type(), DataType::Null | DataType::RunEndEncoded(..)) {
                return make_array(values.to_data().into_builder().nulls(Some(nulls.clone())).build().unwrap());
            }
            return values;
        }
        array(random, field, len)
    };
    let columns = fields.iter().map(|field| child(random, field)).collect();
    Arc::new(StructArray::new(fields.clone(), columns, nulls))
}

/// Offsets of lists, which may begin behind the first item, and how many items there are.
fn offsets(random: &mut Random, len: usize) -> (Vec<usize>, usize) {
    let mut offsets = vec![if random.one_in(3) { random.below(4) } else { 0 }];
    for _ in 0..len {
        let size = if random.one_in(3) { 0 } else { random.below(4) };
        offsets.push(offsets[offsets.len() - 1] + size);
    }
    let items = offsets[offsets.len() - 1] + random.below(3);
    (offsets, items)
}

/// Extents that leave out, repeat and overlap items.
fn views(random: &mut Random, item: &FieldRef, len: usize) -> (Vec<usize>, Vec<usize>, ArrayRef) {
    let count = random.below(2 * len + 2);
    let items = array(random, item, count);
    let sizes: Vec<usize> = (0..len).map(|_| random.below(4.min(count + 1))).collect();
    let offsets = sizes.iter().map(|size| random.below(count - size + 1)).collect();
    (offsets, sizes, items)
}

fn leaf(random: &mut Random, data_type: &DataType, nulls: Option<NullBuffer>, len: usize) -> ArrayRef {
    match data_type {
        DataType::Null => Arc::new(NullArray::new(len)),
        DataType::Boolean => {
            let share = random.pick(&[2, 9]);
            let bits: BooleanBuffer = (0..len).map(|_| random.one_in(share)).collect();
            Arc::new(BooleanArray::new(bits, nulls))
        }
        DataType::Dictionary(key, values) => dictionary(random, key, values, nulls, len),
        DataType::RunEndEncoded(ends, values) => runs(random, ends.data_type(), values, len),
        DataType::Utf8 => Arc::new(nulled(StringArray::from_iter_values(texts(random, len)), nulls)),
        DataType::LargeUtf8 => Arc::new(nulled(LargeStringArray::from_iter_values(texts(random, len)), nulls)),
        DataType::Utf8View => {
            let mut builder = StringViewBuilder::new().with_fixed_block_size(64);
            texts(random, len).iter().for_each(|text| builder.append_value(text));
            Arc::new(nulled(builder.finish(), nulls))
        }
        DataType::Binary => Arc::new(nulled(BinaryArray::from_iter_values(byte_strings(random, len)), nulls)),
        DataType::LargeBinary => Arc::new(nulled(LargeBinaryArray::from_iter_values(byte_strings(random, len)), nulls)),
        DataType::BinaryView => {
            let mut builder = BinaryViewBuilder::new().with_fixed_block_size(64);
            byte_strings(random, len).iter().for_each(|bytes| builder.append_value(bytes));
            Arc::new(nulled(builder.finish(), nulls))
        }
        DataType::FixedSizeBinary(size) => {
            let of = random.pick(&[&[0, 1, 2][..], &EDGES]);
            let bytes: Vec<u8> = (0..len * *size as usize).map(|_| random.pick(of)).collect();
            Arc::new(FixedSizeBinaryArray::new(*size, Buffer::from_vec(bytes), nulls))
        }
        data_type => numbers(random, data_type, nulls, len),
    }
}

/// An array with nulls in place of some values.
fn nulled<A: Array + From<ArrayData>>(array: A, nulls: Option<NullBuffer>) -> A {
    A::from(array.to_data().into_builder().nulls(nulls).build().unwrap())
}

fn texts(random: &mut Random, len: usize) -> Vec<String> {
    let distinct = random.pick(&[2, 20, 1 << 40]);
    let longest = random.pick(&[3, 12, 13, 40]);
    // The last two have no successor, or one that is far.
    let of = random.pick(&[&['a', 'b', 'é', '\u{1F426}', '0'][..], &['a', '\0', '\u{7f}', '\u{d7ff}', '\u{10ffff}']]);
    let text = |random: &mut Random| {
        let number = random.below(distinct) as u64;
        let mut own = Random::new(number);
        let length = own.below(longest + 1);
        (0..length).map(|_| own.pick(of)).collect()
    };
    (0..len).map(|_| text(random)).collect()
}

/// Bytes from which one goes up or down to those of another length, or to those that only unsigned comparison orders.
const EDGES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/// Text, or bytes that are none.
fn byte_strings(random: &mut Random, len: usize) -> Vec<Vec<u8>> {
    if random.one_in(2) {
        return texts(random, len).into_iter().map(String::into_bytes).collect();
    }
    let longest = random.pick(&[1, 3, 13]);
    let bytes = |random: &mut Random| (0..random.below(longest + 1)).map(|_| random.pick(&EDGES)).collect();
    (0..len).map(|_| bytes(random)).collect()
}

fn dictionary(random: &mut Random, key: &DataType, values: &DataType, nulls: Option<NullBuffer>, len: usize) -> ArrayRef {
    let entries = 1 + random.below(20);
    let has_nulls = nulls.is_some() && random.one_in(3);
    let entries = array(random, &Field::new("values", values.clone(), has_nulls), entries);
    let keys: Vec<usize> = (0..len).map(|_| random.below(entries.len())).collect();
    macro_rules! of {
        ($key:ty, $native:ty) => {{
            let keys = keys.iter().map(|key| *key as $native).collect::<Vec<_>>();
            Arc::new(DictionaryArray::<$key>::new(PrimitiveArray::new(keys.into(), nulls), entries))
        }};
    }
    match key {
        DataType::Int8 => of!(Int8Type, i8),
        DataType::Int16 => of!(Int16Type, i16),
        DataType::Int32 => of!(Int32Type, i32),
        DataType::Int64 => of!(Int64Type, i64),
        DataType::UInt8 => of!(UInt8Type, u8),
        _ => of!(UInt32Type, u32),
    }
}

fn runs(random: &mut Random, ends: &DataType, values: &Field, len: usize) -> ArrayRef {
    let mut at = Vec::new();
    while at.last().copied().unwrap_or(0) < len {
        let last = at.last().copied().unwrap_or(0);
        at.push((last + 1 + random.below(4)).min(len));
    }
    let values = array(random, values, at.len());
    match ends {
        DataType::Int32 => {
            let ends = Int32Array::from_iter_values(at.iter().map(|end| *end as i32));
            Arc::new(RunArray::<Int32Type>::try_new(&ends, values.as_ref()).unwrap())
        }
        _ => {
            let ends = Int64Array::from_iter_values(at.iter().map(|end| *end as i64));
            Arc::new(RunArray::<Int64Type>::try_new(&ends, values.as_ref()).unwrap())
        }
    }
}

/// Numbers of all sorts: few or many, close to 0 or anywhere that the type allows and Parquet can hold.
fn numbers(random: &mut Random, data_type: &DataType, nulls: Option<NullBuffer>, len: usize) -> ArrayRef {
    use DataType as T;
    let spread = random.pick(&[4_u64, 1000, u64::MAX]);
    let middle = if random.one_in(2) { spread as i64 / 2 } else { 0 };
    let edges = if random.one_in(3) { edges(data_type) } else { Vec::new() };
    let mut number = || ((random.next() % spread) as i64).wrapping_sub(middle);
    let words = |width: usize, number: &mut dyn FnMut() -> i64| -> Vec<u8> {
        (0..len).flat_map(|_| number().to_le_bytes()[..width].to_vec()).collect()
    };
    let mut bytes: Vec<u8> = match data_type {
        T::Decimal32(digits, _) => (0..len).flat_map(|_| ((number() % 10_i64.pow(u32::from(*digits))) as i32).to_le_bytes()).collect(),
        T::Decimal64(digits, _) => (0..len).flat_map(|_| (number() % 10_i64.pow(u32::from(*digits))).to_le_bytes()).collect(),
        T::Decimal128(digits, _) => {
            let most = 10_i128.pow(u32::from(*digits));
            (0..len).flat_map(|_| ((i128::from(number()) << 63 | i128::from(number())) % most).to_le_bytes()).collect()
        }
        T::Decimal256(digits, _) => {
            let most = (0..*digits).fold(i256::ONE, |most, _| most.wrapping_mul(i256::from_i128(10)));
            let mut wide = || i256::from_parts(number() as u128, i128::from(number()) << 60).wrapping_rem(most);
            (0..len).flat_map(|_| wide().to_le_bytes()).collect()
        }
        T::Interval(IntervalUnit::DayTime) => {
            let all: Vec<_> = (0..len).map(|_| IntervalDayTime::new(number() as i32, number() as i32)).collect();
            return primitive(data_type, Buffer::from_vec(all), nulls, len);
        }
        T::Interval(IntervalUnit::MonthDayNano) => {
            let mut part = || (number() % 100_000).abs();
            let all: Vec<_> = (0..len).map(|_| IntervalMonthDayNano::new(part() as i32, part() as i32, part() * 1_000_000)).collect();
            return primitive(data_type, Buffer::from_vec(all), nulls, len);
        }
        T::Date64 => (0..len).flat_map(|_| (number() % 100_000 * 86_400_000).to_le_bytes()).collect(),
        T::Time32(_) => (0..len).flat_map(|_| ((number() % 86_400) as i32).to_le_bytes()).collect(),
        T::Timestamp(TimeUnit::Second, _) => (0..len).flat_map(|_| (number() % (1 << 50)).to_le_bytes()).collect(),
        _ => words(data_type.primitive_width().unwrap(), &mut number),
    };
    let width = (bytes.len() / len.max(1)).max(1);
    for value in bytes.chunks_exact_mut(width) {
        if !edges.is_empty() && random.one_in(4) {
            value.copy_from_slice(&random.pick(&edges));
        }
    }
    // Vectors of bytes are not aligned as words are.
    let mut aligned = vec![0_u128; bytes.len().div_ceil(16)];
    let whole: &mut [u8] = bytemuck::cast_slice_mut(&mut aligned);
    whole[..bytes.len()].copy_from_slice(&bytes);
    primitive(data_type, Buffer::from_vec(aligned), nulls, len)
}

/// Values at the edges of a type, and where its order has a seam.
fn edges(data_type: &DataType) -> Vec<Vec<u8>> {
    use DataType as T;
    let powers = |digits: u8| {
        let most = (0..digits).fold(i256::ONE, |most, _| most.wrapping_mul(i256::from_i128(10))).wrapping_sub(i256::ONE);
        [most, most.wrapping_neg(), i256::ZERO, i256::MINUS_ONE]
    };
    let bytes = match data_type {
        T::Float16 => [0, 1, 0x7bff, 0x7c00, 0x7e00]
            .iter()
            .flat_map(|bits: &u16| [*bits, bits | 1 << 15])
            .map(|bits| bits.to_le_bytes().to_vec())
            .collect(),
        T::Float32 => [0.0, 1.0, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, f32::NAN]
            .iter()
            .flat_map(|value: &f32| [*value, -value])
            .map(|value| value.to_le_bytes().to_vec())
            .collect(),
        T::Float64 => [0.0, 1.0, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, f64::NAN]
            .iter()
            .flat_map(|value: &f64| [*value, -value])
            .map(|value| value.to_le_bytes().to_vec())
            .collect(),
        T::Decimal32(digits, _) | T::Decimal64(digits, _) | T::Decimal128(digits, _) | T::Decimal256(digits, _) => {
            powers(*digits).iter().map(|value| value.to_le_bytes().to_vec()).collect()
        }
        // Of which not all values can be written.
        T::Date64 | T::Time32(_) | T::Timestamp(TimeUnit::Second, _) | T::Interval(_) => Vec::new(),
        _ => {
            let [least, most] = [i128::MIN, i128::MAX].map(|value| value.to_be_bytes());
            let width = data_type.primitive_width().unwrap_or_default();
            let reversed = |bytes: [u8; 16]| bytes[..width].iter().rev().copied().collect::<Vec<u8>>();
            [reversed(least), reversed(most), vec![0; width], vec![0xff; width]].to_vec()
        }
    };
    let width = data_type.primitive_width().unwrap_or_default();
    bytes.into_iter().map(|value: Vec<u8>| value[..width].to_vec()).collect()
}

fn primitive(data_type: &DataType, buffer: Buffer, nulls: Option<NullBuffer>, len: usize) -> ArrayRef {
    make_array(ArrayData::builder(data_type.clone()).len(len).add_buffer(buffer).nulls(nulls).build().unwrap())
}
