//! Finding fields by their dotted paths.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::schema::{Field, Kind, Leaf, Schema};

/// Schemas of fewer fields are searched by walking.
const SMALL: u32 = 32;
/// How often a larger schema is walked before an index is built: a walk costs a comparison of lengths for most fields, an
/// index the hash of every path, which a reader of one column of thousands would wait for in vain.
const WALKS: u32 = 8;

impl Schema {
    /// The column with this dotted path, such as `a.list.element`; the first one when there are several.
    ///
    /// The first look-ups walk the tree; after some, paths are indexed, so that finding every column of a wide schema
    /// takes time in proportion to their number.
    pub fn leaf(&self, path: &str) -> Option<&Leaf> {
        let field = self.search(path, &|field| matches!(field.kind, Kind::Primitive { .. }))?;
        self.leaves.get(field.leaves.start)
    }

    /// The field with this dotted path, a column or a group at any depth; the first one when there are several.
    ///
    /// ```
    /// let schema: herringbone::schema::Schema = "message m { required group a { required int32 b; required int32 c; } }".parse()?;
    /// assert_eq!(schema.field("a").unwrap().leaves(), 0..2);
    /// assert_eq!(schema.field("a.c").unwrap().leaves(), 1..2);
    /// assert!(schema.field("c").is_none());
    /// # Ok::<(), herringbone::Error>(())
    /// ```
    pub fn field(&self, path: &str) -> Option<&Field> {
        self.search(path, &|_| true)
    }

    /// The field that a caller means: one of the root with all of this name, which may have dots, or else with this dotted path.
    pub(crate) fn field_of_name(&self, name: &str) -> Option<&Field> {
        let root = if name.contains('.') { self.fields.iter().find(|field| field.name() == name) } else { None };
        root.or_else(|| self.field(name))
    }

    /// Names to tell somebody whose path leads nowhere: the columns below its first part, if that is there, else what the root has; 20 at most.
    pub(crate) fn names_near(&self, path: &str) -> String {
        let begins_with = |field: &&Field| path.strip_prefix(field.name()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        match self.fields.iter().find(begins_with) {
            Some(root) => listed(self.leaves.get(root.leaves()).unwrap_or_default().iter().map(|leaf| leaf.path.dotted())),
            None => listed(self.fields.iter().map(Field::name)),
        }
    }

    fn search(&self, path: &str, wanted: &dyn Fn(&Field) -> bool) -> Option<&Field> {
        if self.nodes < SMALL || self.index.walks.fetch_add(1, Ordering::Relaxed) < WALKS {
            return walk(&self.fields, path, wanted);
        }
        self.index.walks.store(WALKS, Ordering::Relaxed);
        let table = self.index.table.get_or_init(|| Table::build(self));
        table.candidates(path).filter_map(|node| self.node_at(node, path)).find(|field| wanted(field))
    }

    /// The field of this number, if it has this dotted path.
    fn node_at(&self, node: u32, path: &str) -> Option<&Field> {
        let (mut below, mut path) = (self.fields(), path);
        loop {
            let place = below.partition_point(|field| field.node <= node).checked_sub(1)?;
            let field = below.get(place)?;
            let rest = path.strip_prefix(field.name())?;
            if field.node == node {
                return rest.is_empty().then_some(field);
            }
            path = rest.strip_prefix('.')?;
            below = field.fields();
        }
    }
}

fn listed<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let mut first: Vec<&str> = names.by_ref().take(20).collect();
    if names.next().is_some() {
        first.push("…");
    }
    first.join(", ")
}

/// The first field with a path, depth first; a name may itself have dots.
fn walk<'s>(fields: &'s [Field], path: &str, wanted: &dyn Fn(&Field) -> bool) -> Option<&'s Field> {
    for field in fields {
        let Some(rest) = path.strip_prefix(field.name()) else { continue };
        if rest.is_empty() {
            if wanted(field) {
                return Some(field);
            }
        } else if let Some(rest) = rest.strip_prefix('.') {
            let found = walk(field.fields(), rest, wanted);
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// The index of a schema's paths, made when it pays.
#[derive(Default)]
pub(super) struct PathIndex {
    walks: AtomicU32,
    table: OnceLock<Table>,
}

/// A clone starts without an index.
impl Clone for PathIndex {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Hashes of paths and the numbers of their fields, sorted.
struct Table {
    state: RandomState,
    entries: Vec<(u64, u32)>,
}

impl Table {
    fn build(schema: &Schema) -> Self {
        let mut table = Table { state: RandomState::new(), entries: Vec::with_capacity(schema.node_count()) };
        let mut path = String::new();
        table.add(schema.fields(), &mut path);
        table.entries.sort_unstable();
        table
    }

    fn add(&mut self, fields: &[Field], path: &mut String) {
        for field in fields {
            let parent = path.len();
            path.push_str(field.name());
            self.entries.push((self.state.hash_one(path.as_str()), field.node));
            if let Kind::Group(fields) = &field.kind {
                path.push('.');
                self.add(fields, path);
            }
            path.truncate(parent);
        }
    }

    /// The fields whose paths have the hash of this one, depth first.
    fn candidates(&self, path: &str) -> impl Iterator<Item = u32> {
        let hash = self.state.hash_one(path);
        let start = self.entries.partition_point(|(other, _)| *other < hash);
        let found = self.entries.get(start..).unwrap_or_default();
        found.iter().take_while(move |(other, _)| *other == hash).map(|(_, node)| *node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::PhysicalType;

    fn wide(groups: usize, columns: usize) -> Schema {
        let column = |i: usize| Field::required(format!("c{i}"), PhysicalType::Int32);
        let group = |i: usize| Field::optional_group(format!("g{i}"), (0..columns).map(column).collect());
        Schema::new("wide", (0..groups).map(group).collect()).unwrap()
    }

    #[test]
    fn every_path_is_found_before_and_after_indexing() {
        let schema = wide(20, 10);
        for turn in 0..3 {
            for leaf in schema.leaves() {
                assert_eq!(schema.leaf(leaf.path.dotted()).unwrap().index, leaf.index, "turn {turn}");
            }
            for field in schema.fields() {
                assert_eq!(schema.field(field.name()), Some(field));
                assert!(schema.leaf(field.name()).is_none());
            }
            for missing in ["", "g0.", "g0.c", ".c1", "g0.c1.x", "c1", "g20", "g0.c10"] {
                assert!(schema.field(missing).is_none(), "{missing}");
            }
        }
        assert!(schema.index.table.get().is_some());
        assert!(schema.clone().index.table.get().is_none());
    }

    #[test]
    fn of_several_with_one_path_the_first_is_found() {
        let ambiguous = "required group a { required int32 b; } required group a.b { required int64 c; }
            required int64 a.b; required double a.b.c; required float a.b;";
        let filler: String = (0..40).map(|i| format!("required int32 f{i};")).collect();
        for text in [format!("message m {{ {ambiguous} }}"), format!("message m {{ {ambiguous} {filler} }}")] {
            let schema: Schema = text.parse().unwrap();
            for _ in 0..20 {
                assert_eq!(schema.leaf("a.b").unwrap().physical_type, PhysicalType::Int32);
                assert_eq!(schema.leaf("a.b.c").unwrap().physical_type, PhysicalType::Int64);
                assert_eq!(schema.field("a").unwrap().leaves(), 0..1);
            }
        }
    }

    #[test]
    fn looking_up_a_hundred_thousand_columns_is_not_quadratic() {
        let schema = wide(1, 100_000);
        let start = std::time::Instant::now();
        for leaf in schema.leaves() {
            assert_eq!(schema.leaf(leaf.path.dotted()).unwrap().index, leaf.index);
        }
        assert!(start.elapsed().as_secs() < 20, "took {:?}", start.elapsed());
    }
}
