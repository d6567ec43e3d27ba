//! Decoded leaf columns → arrays of any depth.
//!
//! The levels of any leaf below a list or a struct describe it, so the first one's are used; the others are held to the
//! same number of slots. Each node takes one pass over the levels (see [`crate::levels::nested`]).

#![allow(clippy::arithmetic_side_effects, reason = "offsets were counted upwards from 0 as `i32`")]

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, GenericListArray, GenericListViewArray, MapArray, OffsetSizeTrait, StructArray, UInt32Array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, FieldRef, Fields};

use crate::arrow::convert::{self, Conversion};
use crate::arrow::types::{ListKind, Mapped, Node};
use crate::encoding::{Dictionary, Part};
use crate::error::{Error, Result};
use crate::levels::nested::{self, Slots};
use crate::limits::Limits;
use crate::read::{LeafData, Room, part_size};
use crate::schema::Schema;
use crate::values::{Bits, Values};

/// The leaves of one root field for the rows of one batch.
pub(crate) struct Leaves<'a> {
    schema: &'a Schema,
    /// Leaf indices, ascending, and their rows.
    data: Vec<(usize, LeafData)>,
    limits: &'a Limits,
    /// What arrays may take beyond what was decoded.
    room: &'a Room,
}

impl<'a> Leaves<'a> {
    pub(crate) fn new(schema: &'a Schema, data: Vec<(usize, LeafData)>, limits: &'a Limits, room: &'a Room) -> Self {
        Self { schema, data, limits, room }
    }

    fn get(&self, leaf: usize) -> Result<&LeafData> {
        let at = self.data.binary_search_by_key(&leaf, |(index, _)| *index);
        at.ok().and_then(|at| self.data.get(at)).map(|(_, data)| data).ok_or_else(not_read)
    }

    fn take(&mut self, leaf: usize) -> Result<LeafData> {
        let at = self.data.binary_search_by_key(&leaf, |(index, _)| *index);
        at.ok().and_then(|at| self.data.get_mut(at)).map(|(_, data)| std::mem::take(data)).ok_or_else(not_read)
    }
}

#[cold]
fn not_read() -> Error {
    Error::usage("a leaf column of the plan was not read")
}

/// The arrays of a root field for `rows` rows: one, or several in a row where byte arrays are too many for one.
pub(crate) fn assemble(mapped: &Mapped, rows: usize, leaves: &mut Leaves<'_>) -> Result<Vec<ArrayRef>> {
    if let Node::Leaf { leaf, conversion, .. } = &mapped.node {
        let data = leaves.take(*leaf)?;
        return leaf_arrays(data, rows, conversion, mapped.field.data_type(), leaves).map_err(|error| name(leaves.schema, *leaf, error));
    }
    build(mapped, Slots::ROWS, rows, leaves).map(|array| vec![array])
}

#[cold]
fn name(schema: &Schema, leaf: usize, error: Error) -> Error {
    match schema.leaves().get(leaf) {
        Some(leaf) => error.in_column(leaf.path.dotted()),
        None => error,
    }
}

fn build(mapped: &Mapped, slots: Slots, count: usize, leaves: &mut Leaves<'_>) -> Result<ArrayRef> {
    let data_type = mapped.field.data_type();
    match &mapped.node {
        Node::Leaf { leaf, conversion, .. } => {
            let data = leaves.take(*leaf)?;
            let arrays = leaf_arrays(data, count, conversion, data_type, leaves);
            arrays.and_then(join).map_err(|error| name(leaves.schema, *leaf, error))
        }
        Node::Struct { children, definition_level, nullable } => {
            let nulls = nulls(mapped, slots, *definition_level, *nullable, count, leaves)?;
            let arrays = children.iter().map(|child| build(child, slots, count, leaves)).collect::<Result<Vec<_>>>()?;
            let fields: Fields = children.iter().map(|child| Arc::clone(&child.field)).collect();
            let array = StructArray::try_new_with_length(fields, arrays, nulls, count).map_err(cannot_assemble)?;
            Ok(Arc::new(array))
        }
        Node::List { item, kind, definition_level, element_level, repetition_level, nullable } => {
            let nulls = nulls(mapped, slots, *definition_level, *nullable, count, leaves)?;
            let elements = Slots { repetition: *repetition_level, definition: *element_level };
            let leaf = first_leaf(mapped)?;
            leaves.room.take(count.saturating_mul(place_of_list(*kind))).map_err(|error| name(leaves.schema, leaf, error))?;
            let offsets = nested::offsets(&leaves.get(leaf)?.levels, slots, elements).map_err(|error| name(leaves.schema, leaf, error))?;
            if offsets.len() != count + 1 {
                return Err(name(leaves.schema, leaf, uneven(count, offsets.len().saturating_sub(1))));
            }
            let total = offsets.last().map_or(0, |total| total.cast_unsigned() as usize);
            let values = build(item, elements, total, leaves)?;
            list(*kind, Arc::clone(&item.field), data_type, offsets, values, nulls, leaves)
                .map_err(|error| name(leaves.schema, leaf, error))
        }
    }
}

/// The validity of a struct or a list in its slots, from the levels of its first leaf.
fn nulls(mapped: &Mapped, slots: Slots, level: u8, nullable: bool, count: usize, leaves: &Leaves<'_>) -> Result<Option<NullBuffer>> {
    if !nullable && (level == slots.definition || !is_null_around(&mapped.node)) {
        return Ok(None);
    }
    let leaf = first_leaf(mapped)?;
    let data = leaves.get(leaf)?;
    let column = leaves.schema.leaves().get(leaf).ok_or_else(not_read)?;
    let is_leafs_own = level == column.max_definition_level && column.max_repetition_level == slots.repetition;
    let bits = if is_leafs_own {
        data.validity.clone()
    } else {
        let mut bits = Bits::new();
        nested::validity(&data.levels, slots, level, &mut bits);
        bits
    };
    if bits.len() != count {
        return Err(name(leaves.schema, leaf, uneven(count, bits.len())));
    }
    leaves.room.take(bits.len() / 8).map_err(|error| name(leaves.schema, leaf, error))?;
    Ok(null_buffer(bits))
}

/// Whether a node that is not nullable is told to be null where a struct around it is: lists of one size, which have
/// elements even there, and leaves, whose nulls are where their levels say, with the structs between them and that struct.
fn is_null_around(node: &Node) -> bool {
    match node {
        Node::Leaf { nullable, .. } => !nullable,
        Node::Struct { children, .. } => children.iter().any(|child| !child.node.nullable() && is_null_around(&child.node)),
        Node::List { kind, .. } => matches!(kind, ListKind::FixedSize(_)),
    }
}

fn first_leaf(mapped: &Mapped) -> Result<usize> {
    match &mapped.node {
        Node::Leaf { leaf, .. } => Ok(*leaf),
        Node::Struct { children, .. } => children.first().ok_or_else(not_read).and_then(first_leaf),
        Node::List { item, .. } => first_leaf(item),
    }
}

/// A validity buffer; none where nothing is null.
fn null_buffer(bits: Bits) -> Option<NullBuffer> {
    let length = bits.len();
    let words: Vec<u64> = bits.into_words().into_iter().map(u64::to_le).collect();
    let buffer = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, length));
    (buffer.null_count() > 0).then_some(buffer)
}

/// The arrays of a leaf's parts.
fn leaf_arrays(
    data: LeafData,
    count: usize,
    conversion: &Conversion,
    data_type: &DataType,
    leaves: &mut Leaves<'_>,
) -> Result<Vec<ArrayRef>> {
    let limits = leaves.limits;
    if data.slots() != count {
        return Err(uneven(count, data.slots()));
    }
    let bytes = count.saturating_mul(null_bytes(data_type));
    if bytes > limits.batch_bytes {
        return Err(Error::limit(format!(
            "{count} values of {data_type} take {bytes} bytes, more than the {} of Limits::batch_bytes: read fewer rows at a time, or raise it",
            limits.batch_bytes
        )));
    }
    let nulls = if data.validity.is_empty() { None } else { null_buffer(data.validity) };
    let mut charge = Charge { room: leaves.room, dictionary: None };
    let mut parts = data.parts;
    if parts.is_empty() {
        parts.push(Part::Values(conversion.empty_values()));
    }
    let mut start = 0;
    let several = parts.len() > 1;
    let mut arrays = Vec::with_capacity(parts.len());
    for part in parts {
        let length = part.len();
        let nulls = match &nulls {
            Some(nulls) if several => Some(nulls.slice(start, length)).filter(|nulls| nulls.null_count() > 0),
            nulls => nulls.clone(),
        };
        start += length;
        let counted = charge.before(&part, data_type)?;
        let made = convert::arrays(part, nulls, *conversion, data_type, leaves.room.left())?;
        charge.after(&made, counted)?;
        arrays.extend(made);
    }
    Ok(if arrays.len() > 1 { join_small(arrays)? } else { arrays })
}

/// Takes room for what arrays take beyond what was decoded for them.
struct Charge<'r> {
    room: &'r Room,
    /// The dictionary whose entries were counted last: parts of one column share it.
    dictionary: Option<Arc<Dictionary>>,
}

impl Charge<'_> {
    /// Takes room for the places of a part's values, before there is an array of them. Where that will have text of its own or entries that were not
    /// counted, how many of its bytes are counted by now.
    fn before(&mut self, part: &Part, data_type: &DataType) -> Result<Option<usize>> {
        let decoded = part_size(part);
        let places = part.len().saturating_mul(null_bytes(data_type));
        match part {
            // Views come beside the text.
            Part::Values(Values::Bytes(_)) if matches!(data_type, DataType::Utf8View | DataType::BinaryView) => {
                self.room.take(places).map(|()| None)
            }
            Part::Values(_) => self.room.take(places.saturating_sub(decoded)).map(|()| None),
            Part::Indices { dictionary, .. } => {
                self.room.take(places.saturating_sub(decoded))?;
                let is_counted = self.dictionary.as_ref().is_some_and(|last| Arc::ptr_eq(last, dictionary));
                self.dictionary = Some(Arc::clone(dictionary));
                let is_text = matches!(data_type, DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary);
                Ok((is_text || !is_counted).then_some(places.max(decoded)))
            }
        }
    }

    /// Takes room for the rest, when the arrays are made.
    fn after(&self, made: &[ArrayRef], counted: Option<usize>) -> Result<()> {
        let Some(counted) = counted else { return Ok(()) };
        let bytes = made.iter().map(|array| array.get_buffer_memory_size()).fold(0, usize::saturating_add);
        self.room.take(bytes.saturating_sub(counted))
    }
}

/// How many bytes a list takes beside its elements, while its array is made.
fn place_of_list(kind: ListKind) -> usize {
    match kind {
        ListKind::List | ListKind::Map { .. } | ListKind::FixedSize(_) => 4,
        ListKind::LargeList | ListKind::ListView => 12,
        ListKind::LargeListView => 28,
    }
}

/// The most bytes that arrays of a batch are joined to; beyond, the batch is cut in two.
const JOINED_BYTES: usize = 256 << 20;

/// Joins neighbours as long as they are small: most parts are of a chunk whose dictionary was given up in its midst.
fn join_small(arrays: Vec<ArrayRef>) -> Result<Vec<ArrayRef>> {
    let sizes: usize = arrays.iter().map(|array| array.get_buffer_memory_size()).fold(0, usize::saturating_add);
    if sizes <= JOINED_BYTES { Ok(vec![join(arrays)?]) } else { Ok(arrays) }
}

fn join(mut arrays: Vec<ArrayRef>) -> Result<ArrayRef> {
    if arrays.len() == 1
        && let Some(array) = arrays.pop()
    {
        return Ok(array);
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    arrow_select::concat::concat(&arrays)
        .map_err(|error| Error::limit("the values of one batch do not fit into one array: read fewer rows at a time").with_source(error))
}

fn list(
    kind: ListKind,
    item: FieldRef,
    data_type: &DataType,
    offsets: Vec<i32>,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
    leaves: &Leaves<'_>,
) -> Result<ArrayRef> {
    Ok(match kind {
        ListKind::List => Arc::new(GenericListArray::<i32>::try_new(item, offset_buffer(offsets), values, nulls).map_err(cannot_assemble)?),
        ListKind::LargeList => {
            Arc::new(GenericListArray::<i64>::try_new(item, offset_buffer(widen(offsets)), values, nulls).map_err(cannot_assemble)?)
        }
        ListKind::ListView => list_view::<i32>(item, offsets, values, nulls)?,
        ListKind::LargeListView => list_view::<i64>(item, widen(offsets), values, nulls)?,
        ListKind::FixedSize(size) => fixed_size_list(size, item, &offsets, values, nulls, leaves.limits.batch_bytes, leaves.room)?,
        ListKind::Map { sorted } => {
            let entries = values
                .as_any()
                .downcast_ref::<StructArray>()
                .ok_or_else(|| Error::usage(format!("the entries of {data_type} are no struct")))?;
            let array = MapArray::try_new(item, offset_buffer(offsets), entries.clone(), nulls, sorted).map_err(cannot_assemble)?;
            Arc::new(array)
        }
    })
}

fn widen(offsets: Vec<i32>) -> Vec<i64> {
    offsets.into_iter().map(i64::from).collect()
}

/// Offsets of lists were counted upwards from 0, so the check of the buffer never fails.
fn offset_buffer<O: OffsetSizeTrait>(offsets: Vec<O>) -> OffsetBuffer<O> {
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}

/// Each offset with the next one.
fn steps<O: Copy>(offsets: &[O]) -> impl Iterator<Item = (O, O)> {
    offsets.iter().copied().zip(offsets.iter().copied().skip(1))
}

fn list_view<O: OffsetSizeTrait>(item: FieldRef, offsets: Vec<O>, values: ArrayRef, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let sizes: Vec<O> = steps(&offsets).map(|(start, end)| end - start).collect();
    let starts: Vec<O> = offsets.get(..sizes.len()).unwrap_or_default().to_vec();
    let array = GenericListViewArray::try_new(item, starts.into(), sizes.into(), values, nulls).map_err(cannot_assemble)?;
    Ok(Arc::new(array))
}

/// Parquet stores no elements for a null list, Arrow `size` of them: where there are nulls, elements move.
fn fixed_size_list(
    size: i32,
    item: FieldRef,
    offsets: &[i32],
    values: ArrayRef,
    nulls: Option<NullBuffer>,
    most_bytes: usize,
    room: &Room,
) -> Result<ArrayRef> {
    let count = offsets.len().saturating_sub(1);
    let is_valid = |slot: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(slot));
    for (slot, (start, end)) in steps(offsets).enumerate() {
        let length = end - start;
        if is_valid(slot) && length != size || !is_valid(slot) && length != 0 && length != size {
            return Err(Error::malformed(format!("a list of {length} elements in a column whose lists all have {size}")));
        }
    }
    let stored = count.saturating_mul(size.max(0).cast_unsigned() as usize);
    let values = if values.len() == stored {
        values
    } else {
        // The size is a claim of the stored Arrow schema, of which a null list proves nothing.
        // An index of 8 bytes is made for each.
        let bytes = stored.saturating_mul(null_bytes(item.data_type()).max(8));
        if bytes > most_bytes {
            return Err(Error::limit(format!(
                "null lists of {size} elements, whose places take {bytes} bytes, more than the {most_bytes} of Limits::batch_bytes: read fewer rows at a time, or raise it"
            )));
        }
        room.take(bytes)?;
        with_placeholders(size, offsets, &values, stored)?
    };
    let array = FixedSizeListArray::try_new_with_length(item, size, values, nulls, count).map_err(cannot_assemble)?;
    Ok(Arc::new(array))
}

/// About how many bytes a null takes in an array, which are the least that a value takes.
fn null_bytes(data_type: &DataType) -> usize {
    match data_type {
        DataType::Null => 0,
        DataType::Boolean => 1,
        DataType::Dictionary(key, _) => null_bytes(key),
        DataType::RunEndEncoded(_, values) => null_bytes(values.data_type()),
        DataType::FixedSizeBinary(size) => size.max(&0).cast_unsigned() as usize,
        DataType::FixedSizeList(item, size) => null_bytes(item.data_type()).saturating_mul(size.max(&0).cast_unsigned() as usize),
        DataType::Struct(fields) => fields.iter().map(|field| null_bytes(field.data_type())).fold(0, usize::saturating_add),
        other => other.primitive_width().unwrap_or(16),
    }
}

fn with_placeholders(size: i32, offsets: &[i32], values: &ArrayRef, stored: usize) -> Result<ArrayRef> {
    if values.is_empty() {
        return Ok(arrow_array::new_null_array(values.data_type(), stored));
    }
    let mut indices: Vec<Option<u32>> = Vec::with_capacity(stored);
    for (start, end) in steps(offsets) {
        match end > start {
            true => indices.extend((start..end).map(|index| Some(index.cast_unsigned()))),
            false => indices.extend((0..size).map(|_| None)),
        }
    }
    arrow_select::take::take(values, &UInt32Array::from(indices), None).map_err(cannot_assemble)
}

#[cold]
fn cannot_assemble(error: arrow_schema::ArrowError) -> Error {
    Error::malformed(format!("the columns do not fit together: {error}")).with_source(error)
}

#[cold]
fn uneven(wanted: usize, found: usize) -> Error {
    Error::malformed(format!("{found} values where the columns beside it and its levels have {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Decimal128Array;
    use arrow_schema::Field;

    /// A mutant of a stored Arrow schema claimed lists of 2^31 - 1 decimals: 34 GB for one null.
    #[test]
    fn null_lists_of_a_size_that_only_the_schema_claims_are_bounded() {
        let item = Arc::new(Field::new("item", DataType::Decimal128(9, 0), true));
        let nulls = || Some(NullBuffer::new_null(1));
        let room = Room::new(&Limits::default());
        let none: ArrayRef = Arc::new(Decimal128Array::from(Vec::<i128>::new()).with_precision_and_scale(9, 0).unwrap());
        let error = fixed_size_list(i32::MAX, Arc::clone(&item), &[0, 0], Arc::clone(&none), nulls(), 1 << 30, &room).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit);
        let list = fixed_size_list(1000, item, &[0, 0], none, nulls(), 1 << 30, &room).unwrap();
        assert_eq!((list.len(), list.null_count()), (1, 1));
    }
}
