//! What a group is: a struct, or one of the layouts in which lists and maps have been written over the years.
//!
//! Specification: `LogicalTypes.md`, *Lists* and *Maps* with their *Backward-compatibility rules*. Annotations on groups
//! of a form that the rules do not cover are passed over, so that such groups read as the structs that they are.

use crate::schema::{Field, Kind, LogicalType, Repetition};

/// What a group is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout<'a> {
    /// Fields beside each other.
    Struct,
    /// A list whose elements are the repeated field itself (two levels).
    ListOfRepeated {
        /// The repeated field.
        repeated: &'a Field,
    },
    /// A list whose elements are the one field of the repeated group (three levels).
    ListOfChild {
        /// The repeated group.
        repeated: &'a Field,
        /// The elements.
        element: &'a Field,
    },
    /// A map.
    Map {
        /// The repeated group.
        repeated: &'a Field,
        /// The keys.
        key: &'a Field,
        /// The values.
        value: &'a Field,
    },
}

/// The layout of a group.
pub(crate) fn layout(group: &Field) -> Layout<'_> {
    let [repeated] = group.fields() else { return Layout::Struct };
    if repeated.repetition() != Repetition::Repeated {
        return Layout::Struct;
    }
    match group.logical_type() {
        Some(LogicalType::List) => list(group, repeated),
        Some(LogicalType::Map | LogicalType::MapKeyValue) => map(repeated),
        _ => Layout::Struct,
    }
}

fn list<'a>(group: &Field, repeated: &'a Field) -> Layout<'a> {
    match (repeated.kind(), repeated.fields()) {
        // Rules 1 and 2: a column, or several fields.
        (Kind::Primitive { .. }, _) => Layout::ListOfRepeated { repeated },
        // Rule 3: the one field is repeated itself. Rule 4: names that Avro, Thrift and others gave to structs.
        (Kind::Group(_), [element]) if element.repetition() != Repetition::Repeated && !names_a_struct(group, repeated) => {
            Layout::ListOfChild { repeated, element }
        }
        (Kind::Group(_), _) => Layout::ListOfRepeated { repeated },
    }
}

fn names_a_struct(group: &Field, repeated: &Field) -> bool {
    repeated.name() == "array" || repeated.name().strip_suffix("_tuple") == Some(group.name())
}

fn map(repeated: &Field) -> Layout<'_> {
    match repeated.fields() {
        [key, value] if key.repetition() != Repetition::Repeated => Layout::Map { repeated, key, value },
        // A map without values is the set of its keys.
        [key] if key.repetition() != Repetition::Repeated => Layout::ListOfChild { repeated, element: key },
        _ => Layout::Struct,
    }
}
