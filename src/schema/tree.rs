//! The tree of fields and its leaves.

use std::fmt;
use std::ops::Range;

use crate::format::{ConvertedType, PhysicalType};
use crate::schema::LogicalType;
use crate::schema::find::PathIndex;

/// The schema of a file: a tree of fields.
///
/// It is made once, by [`from_elements`](Self::from_elements), [`new`](Self::new) or parsing the message text form, and
/// meant to be shared in an `Arc`. Two schemas are equal when their names and fields are.
#[derive(Clone)]
pub struct Schema {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) leaves: Vec<Leaf>,
    /// Number of fields of the whole tree.
    pub(super) nodes: u32,
    pub(super) index: PathIndex,
}

/// A field of the schema: a column, or a group of fields.
///
/// Fields that are built by hand have their levels and leaves only in the [`Schema`] that is made of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub(super) name: String,
    pub(super) repetition: Repetition,
    pub(super) field_id: Option<i32>,
    pub(super) logical_type: Option<LogicalType>,
    pub(super) converted_type: Option<ConvertedType>,
    pub(super) kind: Kind,
    pub(super) definition_level: u8,
    pub(super) repetition_level: u8,
    pub(super) leaves: Range<usize>,
    /// Its number in the tree, depth first.
    pub(super) node: u32,
}

/// How often a field occurs in its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Repetition {
    /// Exactly once.
    Required,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Repeated,
}

/// Whether a field is stored itself or has fields of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A leaf, of which the file has a column.
    Primitive {
        /// How its values are stored.
        physical_type: PhysicalType,
        /// Bytes of a value, for `FixedLenByteArray` alone.
        type_length: Option<u32>,
        /// Its index in [`Schema::leaves`].
        leaf: usize,
    },
    /// A group and its fields.
    Group(Vec<Field>),
}

/// A leaf of the tree: a column of the file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Leaf {
    /// Its index among the leaves, which is the index of its column chunk in every row group.
    pub index: usize,
    /// The names from the root's field down to this one.
    pub path: ColumnPath,
    /// How its values are stored.
    pub physical_type: PhysicalType,
    /// Bytes of a value of a `FixedLenByteArray`, 12 for `Int96`, 0 for every other type.
    pub type_length: usize,
    /// What its values mean.
    pub logical_type: Option<LogicalType>,
    /// How often the leaf itself occurs in its parent.
    pub repetition: Repetition,
    /// The definition level of a value that is there; 0 when nothing on the path is optional or repeated.
    pub max_definition_level: u8,
    /// The number of repeated fields on the path.
    pub max_repetition_level: u8,
    /// The definition level from which an entry has a slot in the innermost list around the leaf: the definition level
    /// of the innermost repeated field on the path, 0 where there is none.
    pub repeated_definition_level: u8,
    /// The field's id.
    pub field_id: Option<i32>,
}

/// The names that lead from the root to a column.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnPath {
    pub(super) dotted: Box<str>,
    /// Where each name but the last ends in `dotted`.
    pub(super) ends: Vec<u32>,
}

impl Schema {
    /// The name of the root, which has no meaning beyond the message text form.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields of the root.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// All columns, in the order in which row groups store them.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// How many fields the tree has, groups and columns.
    pub fn node_count(&self) -> usize {
        self.nodes as usize
    }

    /// The fields on the way from the root to a column, the column's own last; none if there is no such column.
    ///
    /// ```
    /// let schema: herringbone::schema::Schema = "message m { optional group a { repeated int32 b; } }".parse()?;
    /// let names: Vec<_> = schema.fields_to(0).map(|field| field.name()).collect();
    /// assert_eq!(names, ["a", "b"]);
    /// # Ok::<(), herringbone::Error>(())
    /// ```
    pub fn fields_to(&self, leaf: usize) -> impl Iterator<Item = &Field> {
        let mut below = self.fields();
        std::iter::from_fn(move || {
            let place = below.partition_point(|field| field.leaves.end <= leaf);
            let field = below.get(place)?;
            below = field.fields();
            Some(field)
        })
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.fields == other.fields
    }
}

/// Prints the message text form.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Field {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How often it occurs in its parent.
    pub fn repetition(&self) -> Repetition {
        self.repetition
    }

    /// Its id, by which table formats know columns that were renamed.
    pub fn field_id(&self) -> Option<i32> {
        self.field_id
    }

    /// What its values mean: from the logical type if the file has one that is known, else from the legacy converted
    /// type.
    pub fn logical_type(&self) -> Option<&LogicalType> {
        self.logical_type.as_ref()
    }

    /// The legacy converted type, as the file has it.
    pub fn converted_type(&self) -> Option<ConvertedType> {
        self.converted_type
    }

    /// What it is: a column or a group.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The fields of a group; none for a column.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Group(fields) => fields,
            Kind::Primitive { .. } => &[],
        }
    }

    /// The definition level at which this field is there, which counts the optional and repeated fields on the path to
    /// it, itself included.
    pub fn definition_level(&self) -> u8 {
        self.definition_level
    }

    /// The number of repeated fields on the path to it, itself included.
    pub fn repetition_level(&self) -> u8 {
        self.repetition_level
    }

    /// The leaves below it (or itself), as indices in [`Schema::leaves`].
    pub fn leaves(&self) -> Range<usize> {
        self.leaves.clone()
    }
}

impl ColumnPath {
    /// All names, joined by dots.
    pub fn dotted(&self) -> &str {
        &self.dotted
    }

    /// The names, from the root's field down.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        let count = self.ends.len().saturating_add(1);
        (0..count).map(move |i| {
            let end = self.ends.get(i).map_or(self.dotted.len(), |end| *end as usize);
            let start = i.checked_sub(1).and_then(|previous| self.ends.get(previous)).map_or(0, |end| (*end as usize).saturating_add(1));
            self.dotted.get(start..end).unwrap_or_default()
        })
    }
}

impl fmt::Display for ColumnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.dotted)
    }
}

impl fmt::Debug for ColumnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.dotted, f)
    }
}
