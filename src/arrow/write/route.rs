//! The way from a column's array down to the array of a leaf.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int16Type, Int32Type, Int64Type, RunEndIndexType};
use arrow_array::{Array, ArrayRef, FixedSizeListArray, OffsetSizeTrait, RunArray, UInt32Array};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_schema::DataType;

use crate::arrow::write::runs::Runs;
use crate::arrow::write::shred::{Extents, Shredded, Shredder};
use crate::error::{Error, Result};
use crate::schema::{Field, Kind, Repetition, Schema};

/// The way to one leaf.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// The column of the batch.
    pub(crate) column: usize,
    /// The leaf column of the file.
    pub(crate) leaf: usize,
    /// Whether the leaf's array is a dictionary.
    pub(crate) is_dictionary: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A dictionary or run-end encoding around nested values is taken off.
    Expand,
    /// The array's slots may be null, or may not.
    Nulls { optional: bool },
    /// Into a child of a struct.
    Child(usize),
    /// Into the items of a list, or the entries of a map.
    Items,
}

/// The ways to all leaves of a schema that was made of these columns' types.
///
/// # Errors
/// `Usage` when the two do not go together.
pub(crate) fn routes(columns: &[&DataType], schema: &Schema) -> Result<Vec<Route>> {
    let mut routes = Vec::with_capacity(schema.leaves().len());
    for (column, (data_type, field)) in columns.iter().zip(schema.fields()).enumerate() {
        let mut walk = Walk { column, steps: Vec::new(), routes: &mut routes };
        walk.field(data_type, field)?;
    }
    match routes.len() == schema.leaves().len() {
        true => Ok(routes),
        false => Err(mismatch()),
    }
}

#[cold]
fn mismatch() -> Error {
    Error::usage("the Parquet schema was not made of this Arrow schema")
}

struct Walk<'r> {
    column: usize,
    steps: Vec<Step>,
    routes: &'r mut Vec<Route>,
}

impl Walk<'_> {
    fn field(&mut self, data_type: &DataType, field: &Field) -> Result<()> {
        let before = self.steps.len();
        let mut data_type = data_type;
        if values_of(data_type).is_nested() {
            while let Some(inner) = inside(data_type) {
                self.steps.push(Step::Expand);
                data_type = inner;
            }
        }
        self.steps.push(Step::Nulls { optional: field.repetition() == Repetition::Optional });
        match (data_type, field.kind()) {
            (DataType::Struct(children), Kind::Group(fields)) if children.len() == fields.len() => {
                for (index, (child, field)) in children.iter().zip(fields).enumerate() {
                    self.below(Step::Child(index), child.data_type(), field)?;
                }
            }
            (
                DataType::List(item)
                | DataType::LargeList(item)
                | DataType::ListView(item)
                | DataType::LargeListView(item)
                | DataType::FixedSizeList(item, _),
                Kind::Group(_),
            ) => {
                let [element] = repeated(field)?.fields() else { return Err(mismatch()) };
                self.below(Step::Items, item.data_type(), element)?;
            }
            (DataType::Map(entries, _), Kind::Group(_)) => {
                self.steps.extend([Step::Items, Step::Nulls { optional: false }]);
                let (DataType::Struct(pair), parts) = (entries.data_type(), repeated(field)?.fields()) else { return Err(mismatch()) };
                for (index, (child, field)) in pair.iter().zip(parts).enumerate() {
                    self.below(Step::Child(index), child.data_type(), field)?;
                }
            }
            (_, Kind::Primitive { leaf, .. }) => {
                let is_dictionary = matches!(data_type, DataType::Dictionary(..));
                self.routes.push(Route { column: self.column, leaf: *leaf, is_dictionary, steps: self.steps.clone() });
            }
            _ => return Err(mismatch()),
        }
        self.steps.truncate(before);
        Ok(())
    }

    fn below(&mut self, step: Step, data_type: &DataType, field: &Field) -> Result<()> {
        self.steps.push(step);
        let done = self.field(data_type, field);
        self.steps.pop();
        done
    }
}

/// The repeated group inside of a list or map.
fn repeated(field: &Field) -> Result<&Field> {
    match field.fields() {
        [repeated] => Ok(repeated),
        _ => Err(mismatch()),
    }
}

/// What a dictionary or run-end encoding is around.
fn inside(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::Dictionary(_, values) => Some(values),
        DataType::RunEndEncoded(_, values) => Some(values.data_type()),
        _ => None,
    }
}

/// The type of the values inside of all encodings.
fn values_of(mut data_type: &DataType) -> &DataType {
    while let Some(inner) = inside(data_type) {
        data_type = inner;
    }
    data_type
}

impl Route {
    /// Goes down from the column's array; returns the leaf's array with the levels.
    ///
    /// # Errors
    /// `Usage` for nulls where none may be.
    pub(crate) fn shred(&self, column: &ArrayRef) -> Result<(ArrayRef, Shredded)> {
        let mut shredder = Shredder::new(column.len());
        let mut array = ArrayRef::clone(column);
        for step in &self.steps {
            match step {
                Step::Expand => array = expand(&array, shredder.slots())?,
                Step::Nulls { optional } => {
                    let nulls = nulls(&array);
                    match optional {
                        true => shredder.optional(nulls.as_ref()),
                        false => shredder.required(nulls.as_ref())?,
                    }
                }
                Step::Child(index) => {
                    let structs = array.as_struct_opt().ok_or_else(mismatch)?;
                    array = ArrayRef::clone(structs.columns().get(*index).ok_or_else(mismatch)?);
                }
                Step::Items => array = items(&array, &mut shredder)?,
            }
        }
        Ok((array, shredder.finish()))
    }
}

/// The slots that read as null, be it because of what an encoding's values are.
fn nulls(array: &ArrayRef) -> Option<NullBuffer> {
    match array.data_type() {
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) | DataType::Null => array.logical_nulls(),
        _ => array.nulls().cloned(),
    }
}

/// The values of a dictionary or run-end encoded array, one for each slot; those of other slots than `slots` are left null.
fn expand(array: &ArrayRef, slots: &Runs) -> Result<ArrayRef> {
    let (indices, values) = indices(array, slots)?;
    let mut taken = vec![None; array.len()];
    for (slot, index) in slots.iter().flatten().zip(indices) {
        let is_null = array.is_null(slot);
        if let Some(place) = taken.get_mut(slot) {
            *place = (!is_null).then_some(index);
        }
    }
    take(&values, &UInt32Array::from(taken))
}

/// The values at indices.
pub(crate) fn take(values: &ArrayRef, indices: &UInt32Array) -> Result<ArrayRef> {
    arrow_select::take::take(values.as_ref(), indices, None).map_err(|error| Error::usage(format!("expanding a dictionary: {error}")))
}

/// The index of each slot's value in the values of a dictionary or run-end encoded array. That of a null may be any.
///
/// # Errors
/// `Limit` when an index takes more than 32 bits.
pub(crate) fn indices(array: &ArrayRef, slots: &Runs) -> Result<(Vec<u32>, ArrayRef)> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        return Ok((keys(dictionary.keys(), slots)?, ArrayRef::clone(dictionary.values())));
    }
    let DataType::RunEndEncoded(ends, _) = array.data_type() else { return Err(mismatch()) };
    match ends.data_type() {
        DataType::Int16 => run_indices::<Int16Type>(array, slots),
        DataType::Int32 => run_indices::<Int32Type>(array, slots),
        _ => run_indices::<Int64Type>(array, slots),
    }
}

/// The keys of a dictionary's slots.
fn keys(keys: &dyn Array, slots: &Runs) -> Result<Vec<u32>> {
    arrow_array::downcast_integer_array!(
        keys => {
            let all = keys.values();
            let mut out = Vec::with_capacity(slots.len());
            for run in slots.iter() {
                // The key of a null may be any.
                out.extend(all.get(run).unwrap_or_default().iter().map(|key| key.as_usize() as u32));
            }
            Ok(out)
        },
        _ => Err(mismatch()),
    )
}

fn run_indices<R: RunEndIndexType>(array: &ArrayRef, slots: &Runs) -> Result<(Vec<u32>, ArrayRef)> {
    let runs: &RunArray<R> = array.as_any().downcast_ref().ok_or_else(mismatch)?;
    let (ends, offset) = (runs.run_ends().values(), runs.run_ends().offset());
    let mut out = Vec::with_capacity(slots.len());
    for wanted in slots.iter() {
        let (mut at, last) = (wanted.start + offset, wanted.end + offset);
        let first = ends.partition_point(|end| end.as_usize() <= at);
        for (index, end) in ends.iter().enumerate().skip(first) {
            let end = end.as_usize().min(last);
            let index = u32::try_from(index).map_err(|_| Error::limit("more than 2^32 runs in an array"))?;
            out.resize(out.len() + (end - at), index);
            at = end;
            if at == last {
                break;
            }
        }
    }
    Ok((out, ArrayRef::clone(runs.values())))
}

/// Goes into the items of any sort of list.
fn items(array: &ArrayRef, shredder: &mut Shredder) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            shredder.list(&Offsets(list.value_offsets()));
            ArrayRef::clone(list.values())
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            shredder.list(&Offsets(list.value_offsets()));
            ArrayRef::clone(list.values())
        }
        DataType::ListView(_) => {
            let list = array.as_list_view::<i32>();
            shredder.list(&Views { offsets: list.value_offsets(), sizes: list.value_sizes() });
            ArrayRef::clone(list.values())
        }
        DataType::LargeListView(_) => {
            let list = array.as_list_view::<i64>();
            shredder.list(&Views { offsets: list.value_offsets(), sizes: list.value_sizes() });
            ArrayRef::clone(list.values())
        }
        DataType::FixedSizeList(..) => {
            let list: &FixedSizeListArray = array.as_fixed_size_list();
            let size = usize::try_from(list.value_length()).map_err(|_| mismatch())?;
            shredder.list(&Equal { size });
            ArrayRef::clone(list.values())
        }
        DataType::Map(..) => {
            let map = array.as_map();
            shredder.list(&Offsets(map.value_offsets()));
            std::sync::Arc::new(map.entries().clone())
        }
        _ => return Err(mismatch()),
    })
}

/// Lists between offsets.
struct Offsets<'a, O>(&'a [O]);

impl<O: OffsetSizeTrait> Offsets<'_, O> {
    fn at(&self, index: usize) -> usize {
        self.0.get(index).map_or(0, |offset| offset.as_usize())
    }
}

impl<O: OffsetSizeTrait> Extents for Offsets<'_, O> {
    fn extent(&self, slot: usize) -> Range<usize> {
        self.at(slot)..self.at(slot + 1)
    }

    fn joined(&self, slots: Range<usize>) -> Option<Range<usize>> {
        Some(self.at(slots.start)..self.at(slots.end))
    }
}

/// Lists anywhere.
struct Views<'a, O> {
    offsets: &'a [O],
    sizes: &'a [O],
}

impl<O: OffsetSizeTrait> Extents for Views<'_, O> {
    fn extent(&self, slot: usize) -> Range<usize> {
        let part = |parts: &[O]| parts.get(slot).map_or(0, |part| part.as_usize());
        let start = part(self.offsets);
        start..start + part(self.sizes)
    }

    fn joined(&self, _: Range<usize>) -> Option<Range<usize>> {
        None
    }
}

/// Lists of one size.
struct Equal {
    size: usize,
}

impl Extents for Equal {
    fn extent(&self, slot: usize) -> Range<usize> {
        slot * self.size..(slot + 1) * self.size
    }

    fn joined(&self, slots: Range<usize>) -> Option<Range<usize>> {
        Some(slots.start * self.size..slots.end * self.size)
    }
}
