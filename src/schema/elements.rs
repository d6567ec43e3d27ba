//! The flat list of the footer: reading it into a tree, and writing it.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, Result};
use crate::format::{FieldRepetitionType, PhysicalType, SchemaElement};
use crate::limits::Limits;
use crate::schema::{Field, Kind, LogicalType, MAX_DEPTH, Repetition, Schema};

impl Schema {
    /// The tree that a footer's list of elements describes, depth first with the root as its first element.
    ///
    /// Tolerated as other readers do: `num_children` of 0 on a primitive type; a repetition of the root, which means nothing;
    /// groups without fields, also the root, even one with a physical type; annotations that do not fit their type, which count as none.
    ///
    /// # Errors
    /// `Malformed` when the children that elements claim are not there, elements are left over, a field has no repetition, or a
    /// fixed length is missing or not positive; `Unsupported` for repetitions that are not known; `Limit` when it nests deeper than
    /// [`Limits::schema_depth`] or takes more than [`Limits::metadata_bytes`].
    pub fn from_elements(elements: &[SchemaElement<'_>], limits: &Limits) -> Result<Self> {
        let (root, below) = elements.split_first().ok_or_else(|| Error::malformed("the schema has no elements"))?;
        let count = children(root, below.len())?;
        let depth = limits.schema_depth.min(MAX_DEPTH);
        if size_of::<Field>().saturating_mul(below.len()) > limits.metadata_bytes {
            return Err(Error::limit("the schema takes more memory than Limits::metadata_bytes"));
        }
        let tree = read_tree(count, below, depth)?;
        Schema::assemble(root.name.clone().into_owned(), tree, depth, limits.metadata_bytes)
    }

    /// The elements that a footer holds for this schema.
    ///
    /// Fields have their logical type and the converted type that goes with it, as `parquet.thrift` demands. Logical
    /// types that this crate does not recognize are left out.
    pub fn to_elements(&self) -> Vec<SchemaElement<'_>> {
        let mut elements = Vec::with_capacity(self.node_count().saturating_add(1));
        elements.push(SchemaElement { num_children: Some(count(&self.fields)), ..element(&self.name) });
        write_fields(&self.fields, &mut elements);
        elements
    }
}

/// A group whose fields are being read.
struct Open {
    group: Option<Field>,
    fields: Vec<Field>,
    missing: usize,
}

/// Reads the fields below the root, of which there are `count`. It does not recurse: the list nests as it likes.
fn read_tree(count: usize, elements: &[SchemaElement<'_>], depth: usize) -> Result<Vec<Field>> {
    let mut stack = vec![Open { group: None, fields: Vec::with_capacity(count), missing: count }];
    let mut left = elements.iter();
    // Children that open groups still wait for; never more than there are elements, and so are the reserved places.
    let mut promised = count;
    while let Some(mut top) = stack.pop() {
        if top.missing == 0 {
            match (top.group, stack.last_mut()) {
                (Some(mut group), Some(parent)) => {
                    group.kind = Kind::Group(top.fields);
                    parent.fields.push(group);
                }
                _ if left.len() == 0 => return Ok(top.fields),
                _ => return Err(Error::malformed(format!("{} elements of the schema belong to no group", left.len()))),
            }
            continue;
        }
        top.missing = top.missing.saturating_sub(1);
        promised = promised.saturating_sub(1);
        let element = left.next().ok_or_else(|| Error::malformed("the schema ends before its last group does"))?;
        let children = children(element, left.len().saturating_sub(promised))?;
        let field = read_field(element, children)?;
        if children == 0 {
            top.fields.push(field);
            stack.push(top);
            continue;
        }
        stack.push(top);
        if stack.len() >= depth {
            return Err(Error::limit(format!("the schema nests more than {depth} deep (Limits::schema_depth)")));
        }
        promised = promised.saturating_add(children);
        stack.push(Open { group: Some(field), fields: Vec::with_capacity(children), missing: children });
    }
    Err(Error::malformed("the schema has no root"))
}

/// The number of an element's children, at most `available`.
fn children(element: &SchemaElement<'_>, available: usize) -> Result<usize> {
    let claimed = element.num_children.unwrap_or(0);
    match usize::try_from(claimed) {
        Ok(count) if count <= available => Ok(count),
        Ok(_) => Err(Error::malformed(format!(
            "the schema's group {} claims {claimed} children, but only {available} elements are left for them",
            Quoted(&element.name)
        ))),
        Err(_) => Err(Error::malformed(format!("the schema's group {} claims {claimed} children", Quoted(&element.name)))),
    }
}

/// The field of an element, a group's without its fields yet.
fn read_field(element: &SchemaElement<'_>, children: usize) -> Result<Field> {
    let repetition = match element.repetition_type {
        // All fields but the root must have one, and no writer is known to leave it out (fastparquet's is a boolean, which readers in C++
        // take for none). They take it as required, their enum's 0; of a field that had been optional, levels would be read as values.
        None => return Err(Error::malformed(format!("the schema's field {} has no repetition", Quoted(&element.name)))),
        Some(FieldRepetitionType::Required) => Repetition::Required,
        Some(FieldRepetitionType::Optional) => Repetition::Optional,
        Some(FieldRepetitionType::Repeated) => Repetition::Repeated,
        Some(FieldRepetitionType::Unknown(code)) => {
            return Err(Error::unsupported(format!("the schema's field {} has the unknown repetition {code}", Quoted(&element.name))));
        }
    };
    // An element with children is a group, whatever else it says.
    let primitive = element.physical_type.filter(|_| children == 0);
    let kind = match primitive {
        None => Kind::Group(Vec::new()),
        Some(physical_type) => Kind::Primitive { physical_type, type_length: type_length(element, physical_type)?, leaf: 0 },
    };
    let shape = match kind {
        Kind::Primitive { physical_type, type_length, .. } => Some((physical_type, type_length.unwrap_or(0))),
        Kind::Group(_) => None,
    };
    Ok(Field {
        field_id: element.field_id,
        logical_type: LogicalType::from_element(element, shape),
        converted_type: element.converted_type,
        ..Field::bare(element.name.clone().into_owned(), repetition, kind)
    })
}

/// The length of a fixed-length type; whatever other types have there means nothing.
fn type_length(element: &SchemaElement<'_>, physical_type: PhysicalType) -> Result<Option<u32>> {
    if physical_type != PhysicalType::FixedLenByteArray {
        return Ok(None);
    }
    match element.type_length.map(u32::try_from) {
        Some(Ok(length)) if length > 0 => Ok(Some(length)),
        _ => Err(Error::malformed(format!(
            "the schema's field {} is a FIXED_LEN_BYTE_ARRAY whose type_length is {} instead of at least 1",
            Quoted(&element.name),
            element.type_length.map_or("missing".into(), |length| length.to_string())
        ))),
    }
}

fn write_fields<'s>(fields: &'s [Field], elements: &mut Vec<SchemaElement<'s>>) {
    for field in fields {
        elements.push(write_field(field));
        write_fields(field.fields(), elements);
    }
}

fn write_field(field: &Field) -> SchemaElement<'_> {
    let (physical_type, type_length, num_children) = match &field.kind {
        Kind::Primitive { physical_type, type_length, .. } => (Some(*physical_type), *type_length, None),
        Kind::Group(fields) => (None, None, Some(count(fields))),
    };
    let logical = field.logical_type.as_ref();
    let (precision, scale) = match logical {
        Some(LogicalType::Decimal { precision, scale }) => (i32::try_from(*precision).ok(), i32::try_from(*scale).ok()),
        _ => (None, None),
    };
    SchemaElement {
        physical_type,
        type_length: type_length.and_then(|length| i32::try_from(length).ok()),
        repetition_type: Some(match field.repetition {
            Repetition::Required => FieldRepetitionType::Required,
            Repetition::Optional => FieldRepetitionType::Optional,
            Repetition::Repeated => FieldRepetitionType::Repeated,
        }),
        num_children,
        converted_type: logical.and_then(LogicalType::converted_type),
        scale,
        precision,
        field_id: field.field_id,
        logical_type: logical.and_then(LogicalType::to_format),
        ..element(&field.name)
    }
}

/// An element of which only the name is set.
fn element(name: &str) -> SchemaElement<'_> {
    SchemaElement {
        physical_type: None,
        type_length: None,
        repetition_type: None,
        name: Cow::Borrowed(name),
        num_children: None,
        converted_type: None,
        scale: None,
        precision: None,
        field_id: None,
        logical_type: None,
    }
}

/// Elements are counted in an `i32`; `Schema::assemble` would run out of memory before that many.
fn count(fields: &[Field]) -> i32 {
    i32::try_from(fields.len()).unwrap_or(i32::MAX)
}

/// A name in a message, no longer than a message should be.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(80) {
            Some((end, _)) => write!(f, "{:?}…", self.0.get(..end).unwrap_or_default()),
            None => write!(f, "{:?}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::format::{self, ConvertedType};
    use crate::schema::arbitrary;
    use crate::thrift::{Decode, Reader, encode_to_vec};
    use proptest::prelude::*;

    fn group(name: &str, children: i32) -> SchemaElement<'_> {
        SchemaElement { num_children: Some(children), repetition_type: Some(FieldRepetitionType::Optional), ..element(name) }
    }

    fn column(name: &str, physical_type: PhysicalType) -> SchemaElement<'_> {
        SchemaElement { physical_type: Some(physical_type), repetition_type: Some(FieldRepetitionType::Required), ..element(name) }
    }

    fn read(elements: &[SchemaElement<'_>]) -> Result<Schema> {
        Schema::from_elements(elements, &Limits::default())
    }

    fn refused(elements: &[SchemaElement<'_>], kind: ErrorKind, message: &str) {
        let error = read(elements).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(message), "{error}");
    }

    #[test]
    fn a_flat_list_becomes_a_tree() {
        let elements = [
            group("m", 3),
            column("a", PhysicalType::Int32),
            group("g", 2),
            column("b", PhysicalType::Float),
            group("h", 0),
            column("c", PhysicalType::Int96),
        ];
        let schema = read(&elements).unwrap();
        let paths: Vec<_> = schema.leaves().iter().map(|leaf| leaf.path.dotted()).collect();
        assert_eq!(paths, ["a", "g.b", "c"]);
        assert_eq!(schema.leaves()[2].type_length, 12);
        let empty = schema.field("g.h").unwrap();
        assert!(matches!(empty.kind(), Kind::Group(fields) if fields.is_empty()));
        assert_eq!(empty.leaves(), 2..2);
        assert_eq!(schema.fields_to(2).map(Field::name).collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn a_root_without_columns_is_a_schema() {
        for root in [group("m", 0), element("m"), column("m", PhysicalType::Int32)] {
            let schema = read(&[root]).unwrap();
            assert!(schema.fields().is_empty() && schema.leaves().is_empty());
            assert_eq!(schema.to_elements().len(), 1);
        }
    }

    #[test]
    fn what_others_write_is_tolerated() {
        let childless = SchemaElement { num_children: Some(0), ..column("x", PhysicalType::Int64) };
        let root = SchemaElement { repetition_type: Some(FieldRepetitionType::Repeated), ..group("m", 1) };
        let schema = read(&[root, childless]).unwrap();
        assert_eq!(schema.leaves()[0].max_repetition_level, 0);
        assert_eq!(schema.leaves()[0].physical_type, PhysicalType::Int64);

        let typed_group = SchemaElement { physical_type: Some(PhysicalType::Int32), ..group("g", 1) };
        let schema = read(&[group("m", 1), typed_group, column("x", PhysicalType::Double)]).unwrap();
        assert_eq!(schema.leaves()[0].path.dotted(), "g.x");

        let sized = SchemaElement { type_length: Some(-1), ..column("x", PhysicalType::ByteArray) };
        assert_eq!(read(&[group("m", 1), sized]).unwrap().leaves()[0].type_length, 0);

        let future = column("x", PhysicalType::Unknown(99));
        assert_eq!(read(&[group("m", 1), future]).unwrap().leaves()[0].physical_type, PhysicalType::Unknown(99));
    }

    #[test]
    fn broken_lists_are_refused() {
        let x = || column("x", PhysicalType::Int32);
        refused(&[], ErrorKind::Malformed, "no elements");
        refused(&[group("m", -1)], ErrorKind::Malformed, "claims -1 children");
        refused(&[group("m", 2), x()], ErrorKind::Malformed, "only 1 elements are left");
        refused(&[group("m", i32::MAX), x()], ErrorKind::Malformed, "claims 2147483647 children");
        refused(&[group("m", 2), group("g", 1), x()], ErrorKind::Malformed, "only 0 elements are left");
        refused(&[group("m", 1), x(), x()], ErrorKind::Malformed, "1 elements of the schema belong to no group");
        refused(&[group("m", 0), x()], ErrorKind::Malformed, "belong to no group");
        refused(&[element("m"), x()], ErrorKind::Malformed, "belong to no group");
        for (field, name) in [(x(), "x"), (group("g", 1), "g")] {
            let bare = SchemaElement { repetition_type: None, ..field };
            refused(&[group("m", 1), bare, x()], ErrorKind::Malformed, &format!("field \"{name}\" has no repetition"));
        }
        for length in [None, Some(0), Some(-5)] {
            let fixed = SchemaElement { type_length: length, ..column("x", PhysicalType::FixedLenByteArray) };
            refused(&[group("m", 1), fixed], ErrorKind::Malformed, "type_length");
        }
        let vector = SchemaElement { repetition_type: Some(FieldRepetitionType::Unknown(3)), ..x() };
        refused(&[group("m", 1), vector], ErrorKind::Unsupported, "unknown repetition 3");
    }

    #[test]
    fn messages_stay_short() {
        let name = "ä".repeat(100_000);
        assert!(read(&[group("m", 1), group(&name, 7)]).unwrap_err().to_string().len() < 400);
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| {
            let mut elements = vec![group("g", 1); depth];
            elements.push(column("x", PhysicalType::Int32));
            elements
        };
        assert_eq!(read(&nested(100)).unwrap().leaves()[0].max_definition_level, 99);
        for depth in [101, 10_000, 1_000_000] {
            refused(&nested(depth), ErrorKind::Limit, "100 deep");
        }
        let high = Limits { schema_depth: usize::MAX, ..Limits::default() };
        assert!(Schema::from_elements(&nested(MAX_DEPTH), &high).is_ok());
        assert_eq!(Schema::from_elements(&nested(MAX_DEPTH + 1), &high).unwrap_err().kind(), ErrorKind::Limit);
        let none = Limits { schema_depth: 0, ..Limits::default() };
        assert_eq!(Schema::from_elements(&nested(1), &none).unwrap_err().kind(), ErrorKind::Limit);
        let one = Limits { schema_depth: 1, ..Limits::default() };
        assert!(Schema::from_elements(&nested(1), &one).is_ok());
        assert!(Schema::from_elements(&nested(2), &one).is_err());
    }

    #[test]
    fn memory_is_limited() {
        let mut elements = vec![group("m", 1000)];
        elements.extend((0..1000).map(|_| column("x", PhysicalType::Int32)));
        let small = Limits { metadata_bytes: 50_000, ..Limits::default() };
        assert_eq!(Schema::from_elements(&elements, &small).unwrap_err().kind(), ErrorKind::Limit);
        assert!(read(&elements).is_ok());
    }

    #[test]
    fn both_annotations_are_written() {
        let text = "message m { required int32 a (DECIMAL(9,2)); required int64 b (TIMESTAMP(MILLIS,false));
            required int64 c (TIMESTAMP(NANOS,true)); optional fixed_len_byte_array(12) d (INTERVAL); required int32 e (INTEGER(16,false)) = 4; }";
        let schema: Schema = text.parse().unwrap();
        let elements = schema.to_elements();
        assert_eq!((elements[0].num_children, elements[0].repetition_type), (Some(5), None));
        assert_eq!(elements[1].logical_type, Some(format::LogicalType::Decimal(format::DecimalType { scale: 2, precision: 9 })));
        assert_eq!(
            (elements[1].converted_type, elements[1].precision, elements[1].scale),
            (Some(ConvertedType::Decimal), Some(9), Some(2))
        );
        assert_eq!(elements[2].converted_type, Some(ConvertedType::TimestampMillis));
        assert_eq!((elements[3].converted_type, elements[3].precision), (None, None));
        assert!(matches!(elements[3].logical_type, Some(format::LogicalType::Timestamp(_))));
        assert_eq!((elements[4].converted_type, &elements[4].logical_type), (Some(ConvertedType::Interval), &None));
        assert_eq!(elements[4].type_length, Some(12));
        assert_eq!((elements[5].converted_type, elements[5].field_id), (Some(ConvertedType::Uint16), Some(4)));
    }

    proptest! {
        #[test]
        fn written_elements_read_as_the_same(schema in arbitrary::schema()) {
            let bytes: Vec<Vec<u8>> = schema.to_elements().iter().map(|element| encode_to_vec(element).unwrap()).collect();
            let elements: Vec<_> = bytes.iter().map(|bytes| SchemaElement::decode(&mut Reader::new(bytes, 1 << 20)).unwrap()).collect();
            let limits = Limits { schema_depth: MAX_DEPTH, ..Limits::default() };
            prop_assert_eq!(Schema::from_elements(&elements, &limits).unwrap(), schema);
        }

        #[test]
        fn leaves_agree_with_the_fields_above_them(schema in arbitrary::schema()) {
            for (index, leaf) in schema.leaves().iter().enumerate() {
                let fields: Vec<_> = schema.fields_to(index).collect();
                let is = |repetition| fields.iter().filter(|field| field.repetition() == repetition).count() as u8;
                let own = fields.last().unwrap();
                prop_assert_eq!(leaf.index, index);
                prop_assert!(leaf.path.parts().eq(fields.iter().map(|field| field.name())));
                prop_assert_eq!(leaf.max_repetition_level, is(Repetition::Repeated));
                prop_assert_eq!(leaf.max_definition_level, is(Repetition::Repeated) + is(Repetition::Optional));
                prop_assert_eq!(own.definition_level(), leaf.max_definition_level);
                let innermost = fields.iter().rposition(|field| field.repetition() == Repetition::Repeated);
                let slots = innermost.map_or(0, |at| fields[at].definition_level());
                prop_assert_eq!(leaf.repeated_definition_level, slots);
                prop_assert_eq!((own.leaves(), own.logical_type(), own.field_id()), (index..index + 1, leaf.logical_type.as_ref(), leaf.field_id));
                let found = schema.leaf(leaf.path.dotted()).unwrap();
                prop_assert!(found.index <= index && found.path.dotted() == leaf.path.dotted());
            }
        }

        #[test]
        fn any_elements_are_read_or_refused(elements in prop::collection::vec(arbitrary::element(), 0..40)) {
            let Ok(schema) = read(&elements) else { return Ok(()) };
            prop_assert_eq!(schema.node_count() + 1, elements.len());
            let again = schema.to_elements();
            let again = read(&again).unwrap();
            prop_assert_eq!(again.leaves().len(), schema.leaves().len());
            let twice = again.to_elements();
            prop_assert_eq!(read(&twice).unwrap(), again);
        }
    }
}
