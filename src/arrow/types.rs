//! A Parquet schema as an Arrow schema, with the plan by which arrays are put together.

use arrow_schema::{DataType, FieldRef};

use crate::arrow::convert::Conversion;
use crate::schema::TimeUnit;

/// How columns of text and bytes come out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strings {
    /// As the stored Arrow schema says; `Utf8` and `Binary` where there is none.
    #[default]
    Stored,
    /// `Utf8` and `Binary`: offsets into one buffer, the form that everything understands.
    Utf8,
    /// `Utf8View` and `BinaryView`: 16 bytes a value, which hold short values themselves and point to longer ones.
    Utf8View,
    /// `Dictionary(Int32, Utf8)` and `Dictionary(Int32, Binary)`: values that repeat stay stored once.
    Dictionary,
}

/// What happens to a value that its Arrow type cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// Reading ends with an error of kind [`Usage`](crate::ErrorKind::Usage): the file is sound, its values reach further than the type.
    #[default]
    Error,
    /// The value becomes null.
    Null,
    /// The low 64 bits of the number are kept, so that a date far away becomes a wrong one; C++ Arrow reads such files so.
    Wrap,
}

/// How columns of `INTERVAL` come out: months, days and milliseconds, each an unsigned number of 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IntervalType {
    /// `FixedSizeBinary(12)`: the bytes as they are stored, little-endian; every value fits.
    #[default]
    Bytes,
    /// `Interval(MonthDayNano)`; months and days from 2^31 on do not fit and are an error.
    MonthDayNano,
}

/// What the caller wants of the mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MapOptions {
    /// How text and bytes come out.
    pub strings: Strings,
    /// Whether the file's `ARROW:schema` entry restores Arrow types and metadata.
    pub use_stored_schema: bool,
    /// The unit of timestamps read from INT96.
    pub int96_unit: TimeUnit,
    /// What becomes of INT96 timestamps that do not fit.
    pub int96_overflow: Overflow,
    /// How intervals come out.
    pub intervals: IntervalType,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self {
            strings: Strings::default(),
            use_stored_schema: true,
            int96_unit: TimeUnit::Nanos,
            int96_overflow: Overflow::default(),
            intervals: IntervalType::default(),
        }
    }
}

/// One Arrow field and how it is made from Parquet columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapped {
    /// The Arrow field.
    pub field: FieldRef,
    /// What it is made of.
    pub node: Node,
}

/// The plan for one level of nesting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A column.
    Leaf {
        /// Its index in [`Schema::leaves`](crate::schema::Schema::leaves).
        leaf: usize,
        /// How its values become an array.
        conversion: Conversion,
        /// The definition level of a value that is there.
        definition_level: u8,
        /// Whether it can be null where its parent is there.
        nullable: bool,
    },
    /// A group whose fields stand beside each other.
    Struct {
        /// The fields that are read, in the file's order; there is at least one.
        children: Vec<Mapped>,
        /// The definition level from which the group is there.
        definition_level: u8,
        /// Whether it can be null where its parent is there.
        nullable: bool,
    },
    /// A list or a map.
    List {
        /// The elements; of a map the struct of key and value.
        item: Box<Mapped>,
        /// The Arrow type.
        kind: ListKind,
        /// The definition level from which the list is there, be it empty.
        definition_level: u8,
        /// The definition level from which an element exists: that of the repeated field.
        element_level: u8,
        /// The repetition level of the repeated field.
        repetition_level: u8,
        /// Whether it can be null where its parent is there.
        nullable: bool,
    },
}

/// The Arrow types that hold lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// `List`: offsets of 32 bits.
    List,
    /// `LargeList`: offsets of 64 bits.
    LargeList,
    /// `ListView`: offsets and sizes of 32 bits.
    ListView,
    /// `LargeListView`: offsets and sizes of 64 bits.
    LargeListView,
    /// `FixedSizeList`: this many elements in each list; a file whose lists are of other lengths is malformed.
    FixedSize(i32),
    /// `Map`: a list of structs of key and value.
    Map {
        /// Whether the keys are said to be sorted.
        sorted: bool,
    },
}

impl MapOptions {
    /// Whether byte arrays stay dictionary indices until they are Arrow arrays: a gather from entries that were checked
    /// once is faster than checking all values, for every form of strings.
    pub(crate) fn keeps_indices(&self) -> bool {
        true
    }
}

impl Mapped {
    /// The indices of the leaves that it is made of, in the file's order.
    pub(crate) fn leaves(&self) -> Vec<usize> {
        let mut leaves = Vec::new();
        self.for_each_leaf(&mut |leaf| leaves.push(leaf));
        leaves
    }

    /// The first of its leaves, which every node has.
    pub(crate) fn first_leaf(&self) -> Option<usize> {
        match &self.node {
            Node::Leaf { leaf, .. } => Some(*leaf),
            Node::Struct { children, .. } => children.first().and_then(Mapped::first_leaf),
            Node::List { item, .. } => item.first_leaf(),
        }
    }

    /// How a leaf's values become arrays, and of which type.
    pub(crate) fn conversion(&self, wanted: usize) -> Option<(Conversion, &DataType)> {
        match &self.node {
            Node::Leaf { leaf, conversion, .. } => (*leaf == wanted).then(|| (*conversion, self.field.data_type())),
            Node::Struct { children, .. } => {
                // They are in the order of their leaves, and there may be very many.
                let after = children.partition_point(|child| child.first_leaf().is_some_and(|first| first <= wanted));
                children.get(after.checked_sub(1)?)?.conversion(wanted)
            }
            Node::List { item, .. } => item.conversion(wanted),
        }
    }

    /// Calls `visit` with the index of every leaf that it is made of, in the file's order.
    fn for_each_leaf(&self, visit: &mut dyn FnMut(usize)) {
        match &self.node {
            Node::Leaf { leaf, .. } => visit(*leaf),
            Node::Struct { children, .. } => children.iter().for_each(|child| child.for_each_leaf(visit)),
            Node::List { item, .. } => item.for_each_leaf(visit),
        }
    }
}

impl Node {
    /// Whether it can be null where its parent is there.
    pub(crate) fn nullable(&self) -> bool {
        match self {
            Node::Leaf { nullable, .. } | Node::Struct { nullable, .. } | Node::List { nullable, .. } => *nullable,
        }
    }
}
