//! A Parquet schema as an Arrow schema, and the plan by which arrays are put together.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, FieldRef, Fields, SchemaRef};

use crate::arrow::convert::Conversion;
use crate::arrow::extension;
use crate::arrow::legacy::{Layout, layout};
use crate::arrow::stored_schema::{self, Nesting, StoredField, StoredSchema};
use crate::arrow::table;
use crate::arrow::types::{ListKind, MapOptions, Mapped, Node, Overflow};
use crate::error::{Error, Result};
use crate::metadata::FileMetadata;
use crate::schema::{Field, Kind, Leaf, Repetition, Schema};

/// The key of a field's metadata that has its id in the Parquet schema.
pub(crate) const FIELD_ID: &str = "PARQUET:field_id";

/// The Arrow schema of the selected columns of a file, and how each field of it is made.
///
/// `key_values` are the entries of the file's key-value metadata that have a value; they become the schema's metadata,
/// except for the stored Arrow schema among them. `selected` tells for the index of a leaf whether it is read; groups of
/// which nothing is read are left out. The cost beyond a look at each leaf follows what is selected.
///
/// # Errors
/// `Usage` when a leaf of the schema is missing from its list of leaves, which no schema of this crate has.
pub(crate) fn map_schema<'a>(
    schema: &Schema,
    key_values: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
    selected: &dyn Fn(usize) -> bool,
    options: &MapOptions,
) -> Result<(SchemaRef, Vec<Mapped>)> {
    let mut entries = HashMap::new();
    for (key, value) in key_values {
        entries.entry(key).or_insert(value);
    }
    let entry = entries.remove(stored_schema::KEY);
    let stored = entry.filter(|_| options.use_stored_schema).and_then(|entry| StoredSchema::decode(&entry));
    let texts: usize = entries.iter().map(|(key, value)| key.len().saturating_add(value.len())).sum();
    let copies = Cell::new(texts.saturating_mul(4).max(LEAST_COPIES));
    let mapper = Mapper { schema, selected, options, key_values: &entries, copies };
    let root = stored.as_ref().map(Stored::Root);
    let mapped = mapper.fields(schema.fields(), root)?;
    let fields: Fields = mapped.iter().map(|(mapped, _)| Arc::clone(&mapped.field)).collect();
    let mut metadata = stored.as_ref().map(StoredSchema::metadata).unwrap_or_default();
    metadata.extend(entries.iter().map(|(key, value)| (key.to_string(), value.to_string())));
    let arrow = arrow_schema::Schema::new_with_metadata(fields, metadata);
    Ok((Arc::new(arrow), mapped.into_iter().map(|(mapped, _)| mapped).collect()))
}

/// The Arrow schema of a Parquet schema, as a file without a stored Arrow schema gives it. Field ids are in the fields'
/// metadata under `PARQUET:field_id`.
///
/// ```
/// use arrow_schema::DataType;
/// use herringbone::arrow::to_arrow_schema;
/// let parquet = "message m { required int32 day (DATE); }".parse()?;
/// assert_eq!(to_arrow_schema(&parquet)?.field(0).data_type(), &DataType::Date32);
/// # Ok::<(), herringbone::Error>(())
/// ```
///
/// # Errors
/// None that a schema can cause: each Parquet type has an Arrow type.
pub fn to_arrow_schema(schema: &Schema) -> Result<SchemaRef> {
    map_schema(schema, [], &|_| true, &MapOptions::default()).map(|(schema, _)| schema)
}

/// The entries of a file's key-value metadata that have a value.
pub(crate) fn key_values(metadata: &FileMetadata) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    metadata.key_values().filter_map(|entry| Some((entry.key, entry.value?)))
}

struct Mapper<'a> {
    schema: &'a Schema,
    selected: &'a dyn Fn(usize) -> bool,
    options: &'a MapOptions,
    key_values: &'a HashMap<Cow<'a, str>, Cow<'a, str>>,
    /// How many bytes of `key_values` may still be copied to fields: all of them may refer to the same text.
    copies: Cell<usize>,
}

/// How many bytes of the file's key-value metadata its fields may have copies of where there is little of it: systems of coordinates have kilobytes.
const LEAST_COPIES: usize = 1 << 20;

/// What a stored schema has fields in.
#[derive(Clone, Copy)]
enum Stored<'a> {
    Root(&'a StoredSchema),
    Struct(StoredField<'a>),
}

/// A type and plan on the way to a field. `exact`: the type is the stored one, apart from names and nullability.
struct Content {
    data_type: DataType,
    node: Node,
    exact: bool,
}

impl<'a> Mapper<'a> {
    /// The selected ones of fields beside each other, each with whether it is exactly as stored.
    fn fields(&self, fields: &[Field], stored: Option<Stored<'_>>) -> Result<Vec<(Mapped, bool)>> {
        let names = OnceCell::new();
        let mut mapped = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            if !self.wants(field) {
                continue;
            }
            let stored = stored.and_then(|stored| stored.find(index, field.name(), &names));
            mapped.push(self.field(field, stored)?);
        }
        Ok(mapped)
    }

    fn wants(&self, field: &Field) -> bool {
        field.leaves().any(self.selected)
    }

    fn field(&self, field: &Field, stored: Option<StoredField<'_>>) -> Result<(Mapped, bool)> {
        let content = match field.repetition() {
            // A repeated field without a list around it is a list that is always there.
            Repetition::Repeated => {
                let kind = list_kind(stored);
                let item = self.element(field, stored.filter(|_| kind.is_some()), false)?;
                self.list(field.definition_level().saturating_sub(1), field, item, kind, false)?
            }
            repetition => self.content(field, stored, repetition == Repetition::Optional)?,
        };
        Ok(self.finish(field, field.name().to_owned(), content, stored))
    }

    /// The items of a list: `field` is what they are in the file, the stored list's child what they were in Arrow.
    fn element(&self, field: &Field, stored_list: Option<StoredField<'_>>, nullable: bool) -> Result<(Mapped, bool)> {
        let stored = stored_list.and_then(|list| list.child(0));
        let content = match field.repetition() {
            Repetition::Repeated => self.content(field, stored, false)?,
            _ => self.content(field, stored, nullable)?,
        };
        let name = stored.and_then(StoredField::name_to_keep).unwrap_or_else(|| field.name().to_owned());
        Ok(self.finish(field, name, content, stored))
    }

    /// A field apart from its repetition, unless that makes it null.
    fn content(&self, field: &Field, stored: Option<StoredField<'_>>, nullable: bool) -> Result<Content> {
        let level = field.definition_level();
        let leaf = match field.kind() {
            Kind::Primitive { leaf, .. } => *leaf,
            Kind::Group(_) => return self.group(field, stored, nullable),
        };
        let leaf = self.schema.leaves().get(leaf).ok_or_else(|| Error::usage("a schema without its leaves"))?;
        let (data_type, conversion, exact) = self.leaf(leaf, stored);
        // Nulls can come from the conversion as well as from the file.
        let nullable = nullable || matches!(conversion, Conversion::Null | Conversion::Int96(Overflow::Null));
        let node = Node::Leaf { leaf: leaf.index, conversion, definition_level: level, nullable };
        Ok(Content { data_type, node, exact })
    }

    fn leaf(&self, leaf: &Leaf, stored: Option<StoredField<'_>>) -> (DataType, Conversion, bool) {
        let inferred = table::from_parquet(leaf, self.options);
        let stored = stored.and_then(StoredField::data_type);
        let restored = stored.as_ref().and_then(|stored| table::restore(leaf, inferred.clone(), stored));
        let (data_type, conversion) = restored.unwrap_or(inferred);
        let data_type = match conversion {
            Conversion::Text | Conversion::Bytes => table::with_strings(data_type, self.options.strings),
            _ => data_type,
        };
        let exact = stored.is_some_and(|stored| stored == data_type);
        (data_type, conversion, exact)
    }

    fn group(&self, group: &Field, stored: Option<StoredField<'_>>, nullable: bool) -> Result<Content> {
        let level = group.definition_level();
        match layout(group) {
            Layout::Struct => self.strukt(group, stored, nullable),
            Layout::ListOfRepeated { repeated } => {
                let kind = list_kind(stored);
                let item = self.element(repeated, stored.filter(|_| kind.is_some()), false)?;
                self.list(level, repeated, item, kind, nullable)
            }
            Layout::ListOfChild { repeated, element } => {
                let kind = list_kind(stored);
                let is_optional = element.repetition() == Repetition::Optional;
                let item = self.element(element, stored.filter(|_| kind.is_some()), is_optional)?;
                self.list(level, repeated, item, kind, nullable)
            }
            Layout::Map { repeated, key, value } if self.wants(key) && self.wants(value) => {
                self.map(group, repeated, [key, value], stored, nullable)
            }
            // Of a map without its keys or its values, a list remains.
            Layout::Map { repeated, .. } => {
                let content = self.strukt(repeated, None, false)?;
                let item = self.finish(repeated, repeated.name().to_owned(), content, None);
                self.list(level, repeated, item, None, nullable)
            }
        }
    }

    fn strukt(&self, group: &Field, stored: Option<StoredField<'_>>, nullable: bool) -> Result<Content> {
        let stored = stored.filter(|stored| stored.nesting() == Nesting::Struct);
        let mapped = self.fields(group.fields(), stored.map(Stored::Struct))?;
        let exact = stored.is_some_and(|stored| stored.children() == mapped.len()) && mapped.iter().all(|(_, exact)| *exact);
        let children: Vec<Mapped> = mapped.into_iter().map(|(mapped, _)| mapped).collect();
        let data_type = DataType::Struct(children.iter().map(|child| Arc::clone(&child.field)).collect());
        let node = Node::Struct { children, definition_level: group.definition_level(), nullable };
        Ok(Content { data_type, node, exact })
    }

    /// A list of items that are there from `definition_level` on; without a kind it is a plain list that nobody stored.
    fn list(
        &self,
        definition_level: u8,
        repeated: &Field,
        (item, exact): (Mapped, bool),
        kind: Option<ListKind>,
        nullable: bool,
    ) -> Result<Content> {
        let exact = exact && kind.is_some();
        let kind = kind.unwrap_or(ListKind::List);
        let field = Arc::clone(&item.field);
        let data_type = match kind {
            ListKind::List => DataType::List(field),
            ListKind::LargeList => DataType::LargeList(field),
            ListKind::ListView => DataType::ListView(field),
            ListKind::LargeListView => DataType::LargeListView(field),
            ListKind::FixedSize(size) => DataType::FixedSizeList(field, size),
            ListKind::Map { .. } => return Err(Error::usage("a map is not made of single items")),
        };
        let node = Node::List {
            item: Box::new(item),
            kind,
            definition_level,
            element_level: repeated.definition_level(),
            repetition_level: repeated.repetition_level(),
            nullable,
        };
        Ok(Content { data_type, node, exact })
    }

    fn map(
        &self,
        group: &Field,
        repeated: &Field,
        [key, value]: [&Field; 2],
        stored: Option<StoredField<'_>>,
        nullable: bool,
    ) -> Result<Content> {
        let (sorted, stored) = match stored.map(|stored| (stored.nesting(), stored.child(0))) {
            Some((Nesting::List(ListKind::Map { sorted }), entries)) => (sorted, entries),
            _ => (false, None),
        };
        let part = |field: &Field, index: usize| -> Result<(Mapped, bool)> {
            let stored = stored.and_then(|entries| entries.child(index));
            let content = match field.repetition() {
                Repetition::Repeated => return self.field(field, stored),
                // Keys are never null in Arrow, even where a writer called them optional.
                repetition => self.content(field, stored, index == 1 && repetition == Repetition::Optional)?,
            };
            let name = stored.and_then(StoredField::name_to_keep).unwrap_or_else(|| field.name().to_owned());
            Ok(self.finish(field, name, content, stored))
        };
        let ((key, key_exact), (value, value_exact)) = (part(key, 0)?, part(value, 1)?);
        let entries = DataType::Struct(Fields::from(vec![Arc::clone(&key.field), Arc::clone(&value.field)]));
        let level = repeated.definition_level();
        let node = Node::Struct { children: vec![key, value], definition_level: level, nullable: false };
        let content = Content { data_type: entries, node, exact: key_exact && value_exact };
        let name = stored.and_then(StoredField::name_to_keep).unwrap_or_else(|| repeated.name().to_owned());
        let (item, exact) = self.finish(repeated, name, content, stored);
        Ok(Content {
            data_type: DataType::Map(Arc::clone(&item.field), sorted),
            node: Node::List {
                item: Box::new(item),
                kind: ListKind::Map { sorted },
                definition_level: group.definition_level(),
                element_level: level,
                repetition_level: repeated.repetition_level(),
                nullable,
            },
            exact: exact && stored.is_some(),
        })
    }

    /// The field with its name and metadata.
    fn finish(&self, field: &Field, name: String, content: Content, stored: Option<StoredField<'_>>) -> (Mapped, bool) {
        let Content { data_type, node, exact } = content;
        let mut metadata = stored.map(StoredField::metadata).unwrap_or_default();
        metadata.remove(FIELD_ID);
        let keeps_extension = metadata.get(extension::NAME).is_some_and(|name| exact && extension::fits(name, &data_type));
        if !keeps_extension {
            metadata.remove(extension::NAME);
            metadata.remove(extension::METADATA);
            if self.has_all(field) {
                extension::add(field.logical_type(), &data_type, &|key| self.key_value(key), &mut metadata);
            }
        }
        if let Some(id) = field.field_id() {
            metadata.insert(FIELD_ID.to_owned(), id.to_string());
        }
        let arrow: FieldRef = Arc::new(ArrowField::new(name, data_type, node.nullable()).with_metadata(metadata));
        (Mapped { field: arrow, node }, exact)
    }

    /// An entry of the key-value metadata that a field will have a copy of, as long as the budget lasts.
    fn key_value(&self, key: &str) -> Option<&'a str> {
        let value = self.key_values.get(key)?;
        self.copies.set(self.copies.get().checked_sub(value.len())?);
        Some(value)
    }

    /// Whether all of a field is selected: a part of a variant is no variant.
    fn has_all(&self, field: &Field) -> bool {
        field.logical_type().is_none() || field.leaves().all(self.selected)
    }
}

impl<'a> Stored<'a> {
    /// The field of this name: most often the one with the same index, else the first one.
    fn find(self, index: usize, name: &str, names: &OnceCell<HashMap<&'a str, usize>>) -> Option<StoredField<'a>> {
        let same = self.get(index).filter(|field| field.is_named(name));
        same.or_else(|| self.get(*names.get_or_init(|| self.names()).get(name)?))
    }

    /// The first field of each name, as far as the budget for looking at names goes.
    fn names(self) -> HashMap<&'a str, usize> {
        let mut names = HashMap::new();
        for (index, field) in (0..self.len()).map_while(|index| Some((index, self.get(index)?))) {
            if !field.has_budget() {
                break;
            }
            if let Some(name) = field.name() {
                names.entry(name).or_insert(index);
            }
        }
        names
    }

    fn get(self, index: usize) -> Option<StoredField<'a>> {
        match self {
            Stored::Root(schema) => schema.field(index),
            Stored::Struct(field) => field.child(index),
        }
    }

    fn len(self) -> usize {
        match self {
            Stored::Root(schema) => schema.len(),
            Stored::Struct(field) => field.children(),
        }
    }
}

/// The kind of list that is stored, maps aside.
fn list_kind(stored: Option<StoredField<'_>>) -> Option<ListKind> {
    match stored?.nesting() {
        Nesting::List(ListKind::Map { .. }) | Nesting::Struct | Nesting::None => None,
        Nesting::List(kind) => Some(kind),
    }
}

#[cfg(test)]
mod tests;
