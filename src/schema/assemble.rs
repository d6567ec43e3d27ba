//! From a tree of fields to a schema: levels, paths and leaves.

use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::schema::{ColumnPath, Field, Kind, Leaf, Repetition, Schema};

impl Schema {
    /// Gives every field its levels and number, and lists the leaves.
    ///
    /// `budget` bounds the memory of the tree, its leaves and their paths: the paths of a deep tree can be far larger
    /// than the tree. The fields nest at most `depth` deep, or it is a `Limit` error.
    pub(super) fn assemble(name: String, mut fields: Vec<Field>, depth: usize, budget: usize) -> Result<Self> {
        let mut walk = Assembly { leaves: Vec::new(), path: String::new(), ends: Vec::new(), nodes: 0, depth, budget };
        walk.fields(&mut fields, Levels::default())?;
        Ok(Schema { name, fields, leaves: walk.leaves, nodes: walk.nodes, index: Default::default() })
    }
}

/// The levels of the field around.
#[derive(Clone, Copy, Default)]
struct Levels {
    definition: u8,
    repetition: u8,
    /// The definition level of the innermost repeated field.
    repeated: u8,
}

struct Assembly {
    leaves: Vec<Leaf>,
    /// The dotted path of the group around, with a dot at its end.
    path: String,
    /// Where its names end.
    ends: Vec<u32>,
    nodes: u32,
    depth: usize,
    budget: usize,
}

impl Assembly {
    fn fields(&mut self, fields: &mut [Field], around: Levels) -> Result<()> {
        if !fields.is_empty() && self.ends.len() >= self.depth {
            return Err(Error::limit(format!("the schema nests more than {} deep (Limits::schema_depth)", self.depth)));
        }
        fields.iter_mut().try_for_each(|field| self.field(field, around))
    }

    fn field(&mut self, field: &mut Field, around: Levels) -> Result<()> {
        let levels = around.below(field.repetition).ok_or_else(|| Error::limit("the schema has more than 255 levels"))?;
        field.definition_level = levels.definition;
        field.repetition_level = levels.repetition;
        field.node = self.nodes;
        self.nodes = self.nodes.checked_add(1).ok_or_else(|| Error::limit("the schema has more than 2^32 fields"))?;
        self.charge(size_of::<Field>().saturating_add(field.name.len()))?;
        self.charge(self.path.len().saturating_add(field.name.len()))?;
        let start = self.leaves.len();
        match &mut field.kind {
            Kind::Primitive { physical_type, type_length, leaf } => {
                *leaf = start;
                self.charge(size_of::<Leaf>().saturating_add(size_of_val(self.ends.as_slice())))?;
                self.leaves.push(Leaf {
                    index: start,
                    path: self.path_to(&field.name),
                    physical_type: *physical_type,
                    type_length: match physical_type {
                        PhysicalType::FixedLenByteArray => type_length.map_or(0, |length| length as usize),
                        PhysicalType::Int96 => 12,
                        _ => 0,
                    },
                    logical_type: field.logical_type.clone(),
                    repetition: field.repetition,
                    max_definition_level: levels.definition,
                    max_repetition_level: levels.repetition,
                    repeated_definition_level: levels.repeated,
                    field_id: field.field_id,
                });
            }
            Kind::Group(fields) => self.group(&field.name, fields, levels)?,
        }
        field.leaves = start..self.leaves.len();
        Ok(())
    }

    fn group(&mut self, name: &str, fields: &mut [Field], levels: Levels) -> Result<()> {
        let parent = self.path.len();
        self.path.push_str(name);
        self.ends.push(u32::try_from(self.path.len()).map_err(|_| Error::limit("a column's path is longer than 4 GiB"))?);
        self.path.push('.');
        self.fields(fields, levels)?;
        self.path.truncate(parent);
        self.ends.pop();
        Ok(())
    }

    fn path_to(&self, name: &str) -> ColumnPath {
        let mut dotted = String::with_capacity(self.path.len().saturating_add(name.len()));
        dotted.push_str(&self.path);
        dotted.push_str(name);
        ColumnPath { dotted: dotted.into(), ends: self.ends.clone() }
    }

    fn charge(&mut self, bytes: usize) -> Result<()> {
        let left = self.budget.checked_sub(bytes);
        self.budget = left.ok_or_else(|| Error::limit("the schema takes more memory than Limits::metadata_bytes"))?;
        Ok(())
    }
}

impl Levels {
    fn below(self, repetition: Repetition) -> Option<Self> {
        Some(match repetition {
            Repetition::Required => self,
            Repetition::Optional => Self { definition: self.definition.checked_add(1)?, ..self },
            Repetition::Repeated => {
                let definition = self.definition.checked_add(1)?;
                Self { definition, repetition: self.repetition.checked_add(1)?, repeated: definition }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn levels_follow_the_dremel_example() {
        let schema: Schema = "message Document {
            required int64 DocId;
            optional group Links { repeated int64 Backward; repeated int64 Forward; }
            repeated group Name {
                repeated group Language { required binary Code; optional binary Country; }
                optional binary Url;
            }
        }"
        .parse()
        .unwrap();
        let levels = |path: &str| {
            let leaf = schema.leaf(path).unwrap();
            (leaf.index, leaf.max_repetition_level, leaf.max_definition_level, leaf.repeated_definition_level)
        };
        assert_eq!(levels("DocId"), (0, 0, 0, 0));
        assert_eq!(levels("Links.Backward"), (1, 1, 2, 2));
        assert_eq!(levels("Links.Forward"), (2, 1, 2, 2));
        assert_eq!(levels("Name.Language.Code"), (3, 2, 2, 2));
        assert_eq!(levels("Name.Language.Country"), (4, 2, 3, 2));
        assert_eq!(levels("Name.Url"), (5, 1, 2, 1));
        let language = schema.field("Name.Language").unwrap();
        assert_eq!((language.definition_level(), language.repetition_level(), language.leaves()), (2, 2, 3..5));
        assert_eq!(schema.node_count(), 9);
        let names: Vec<_> = schema.fields_to(4).map(Field::name).collect();
        assert_eq!(names, ["Name", "Language", "Country"]);
        assert_eq!(schema.fields_to(6).count(), 0);
    }

    #[test]
    fn paths_know_their_names_even_with_dots_in_them() {
        let schema: Schema = "message m { required group a.b { required group \"\" { required int32 c.d; } } }".parse().unwrap();
        let path = &schema.leaves()[0].path;
        assert_eq!(path.dotted(), "a.b..c.d");
        assert_eq!(path.parts().collect::<Vec<_>>(), ["a.b", "", "c.d"]);
        assert_eq!(path.parts().rev().collect::<Vec<_>>(), ["c.d", "", "a.b"]);
        assert_eq!(path.parts().len(), 3);
    }

    #[test]
    fn paths_are_charged_before_they_are_made() {
        let column = |i: usize| Field::required(format!("{i}"), PhysicalType::Int32);
        let group = Field::required_group("x".repeat(1 << 20), (0..1000).map(column).collect());
        let error = Schema::assemble("m".into(), vec![group], 100, 100 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
}
