//! Which columns are read, in which order.

use std::cell::OnceCell;

use crate::error::{Error, Result};
use crate::schema::{Field, Schema};

/// The leaves that the caller asked for.
#[derive(Clone, Debug)]
pub(crate) struct Projection {
    selected: Vec<bool>,
    /// The root fields in the order asked for; `None` keeps the file's.
    order: Option<Vec<usize>>,
}

impl Projection {
    /// Every column.
    pub(crate) fn all(schema: &Schema) -> Self {
        Self { selected: vec![true; schema.leaves().len()], order: None }
    }

    /// The columns that these names stand for: a field's name, or a dotted path to any depth with everything below it. The
    /// groups that only make lists and maps may be left out of paths, so that `a.b` finds `a.list.element.b`.
    ///
    /// # Errors
    /// `Usage` for a name that no column has.
    pub(crate) fn new<S: AsRef<str>>(schema: &Schema, names: &[S]) -> Result<Self> {
        let mut selected = vec![false; schema.leaves().len()];
        let mut order: Vec<usize> = Vec::new();
        let mut seen = vec![false; schema.fields().len()];
        let columns = Names::new(schema, names.len());
        for name in names {
            let leaves = columns.find(name.as_ref());
            if leaves.is_empty() {
                return Err(unknown(schema, name.as_ref()));
            }
            for leaf in leaves {
                if let Some(selected) = selected.get_mut(leaf) {
                    *selected = true;
                }
                // Root fields lie in order, each with a range of leaves.
                let root = schema.fields().partition_point(|field| field.leaves().end <= leaf);
                if let Some(seen) = seen.get_mut(root)
                    && !std::mem::replace(seen, true)
                {
                    order.push(root);
                }
            }
        }
        Ok(Self { selected, order: Some(order) })
    }

    pub(crate) fn is_selected(&self, leaf: usize) -> bool {
        self.selected.get(leaf).copied().unwrap_or(false)
    }

    /// Sorts one item a root field (with the first leaf of each) into the order asked for.
    pub(crate) fn arrange<T>(&self, schema: &Schema, items: Vec<(usize, T)>) -> Vec<T> {
        let Some(order) = &self.order else { return items.into_iter().map(|(_, item)| item).collect() };
        let mut rank = vec![usize::MAX; schema.fields().len()];
        for (position, root) in order.iter().enumerate() {
            if let Some(rank) = rank.get_mut(*root) {
                *rank = position;
            }
        }
        let root_of = |leaf: usize| schema.fields().partition_point(|field| field.leaves().end <= leaf);
        let mut items = items;
        items.sort_by_key(|(leaf, _)| rank.get(root_of(*leaf)).copied().unwrap_or(usize::MAX));
        items.into_iter().map(|(_, item)| item).collect()
    }
}

/// The columns of a schema, to be found by name.
///
/// Looking at all fields for each of many names would take the square of their number: 57 µs a column where all of 20,000 are
/// read, and 3 where a hundred are. So they are sorted where there are many names.
struct Names<'a> {
    schema: &'a Schema,
    /// How many names are looked for.
    names: usize,
    roots: OnceCell<Vec<(&'a str, &'a Field)>>,
    paths: OnceCell<Vec<(&'a str, usize)>>,
    short: OnceCell<Vec<(String, usize)>>,
}

/// Fewer names are looked for one after another.
const WORTH_SORTING: usize = 8;

impl<'a> Names<'a> {
    fn new(schema: &'a Schema, names: usize) -> Self {
        Self { schema, names, roots: OnceCell::new(), paths: OnceCell::new(), short: OnceCell::new() }
    }

    /// The leaves that a name stands for: fields of the root first, then paths, then paths without the groups of lists.
    fn find(&self, name: &str) -> Vec<usize> {
        let roots = self.roots(name);
        if !roots.is_empty() {
            return roots;
        }
        let paths = self.paths(name);
        if !paths.is_empty() || !name.contains('.') {
            return paths;
        }
        let short = self.short.get_or_init(|| {
            let mut short = Vec::new();
            self.schema.fields().iter().for_each(|field| short_paths(field, String::new(), false, &mut short));
            short.sort_unstable();
            short
        });
        at_or_below(short, name)
    }

    /// The leaves of the root's fields of this name.
    fn roots(&self, name: &str) -> Vec<usize> {
        let fields = self.schema.fields();
        if self.names <= WORTH_SORTING {
            return fields.iter().filter(|field| field.name() == name).flat_map(Field::leaves).collect();
        }
        let sorted = self.roots.get_or_init(|| {
            let mut sorted: Vec<_> = fields.iter().map(|field| (field.name(), field)).collect();
            sorted.sort_by_key(|(name, _)| *name);
            sorted
        });
        let first = sorted.partition_point(|(other, _)| *other < name);
        sorted.iter().skip(first).take_while(|(other, _)| *other == name).flat_map(|(_, field)| field.leaves()).collect()
    }

    /// The leaves whose path is this one, or begins with it.
    fn paths(&self, name: &str) -> Vec<usize> {
        let leaves = self.schema.leaves();
        if self.names <= WORTH_SORTING {
            let below = |path: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            return leaves.iter().filter(|leaf| below(leaf.path.dotted())).map(|leaf| leaf.index).collect();
        }
        let sorted = self.paths.get_or_init(|| {
            let mut sorted: Vec<_> = leaves.iter().map(|leaf| (leaf.path.dotted(), leaf.index)).collect();
            sorted.sort_unstable();
            sorted
        });
        at_or_below(sorted, name)
    }
}

/// The leaves of sorted paths that are a path or begin with it and a dot.
fn at_or_below<P: AsRef<str>>(sorted: &[(P, usize)], path: &str) -> Vec<usize> {
    let from = |path: &str| sorted.iter().skip(sorted.partition_point(|(other, _)| other.as_ref() < path));
    let below = format!("{path}.");
    let mut leaves: Vec<usize> = from(path).take_while(|(other, _)| other.as_ref() == path).map(|(_, leaf)| *leaf).collect();
    leaves.extend(from(&below).take_while(|(other, _)| other.as_ref().starts_with(&below)).map(|(_, leaf)| *leaf));
    leaves.sort_unstable();
    leaves
}

/// Adds the leaves of a field with their paths as people write them: without the repeated group of a list or map, and without the element.
fn short_paths(field: &Field, above: String, hidden: bool, paths: &mut Vec<(String, usize)>) {
    use crate::schema::{LogicalType, Repetition};
    let path = match (hidden, above.is_empty()) {
        (true, _) => above,
        (false, true) => field.name().to_owned(),
        (false, false) => format!("{above}.{}", field.name()),
    };
    let is_list = matches!(field.logical_type(), Some(LogicalType::List));
    let is_map = matches!(field.logical_type(), Some(LogicalType::Map | LogicalType::MapKeyValue));
    for child in field.fields() {
        let repeated = child.repetition() == Repetition::Repeated;
        let wraps = (is_list || is_map) && repeated;
        let element = field.repetition() == Repetition::Repeated && field.fields().len() == 1 && hidden;
        short_paths(child, path.clone(), wraps || element, paths);
    }
    if field.fields().is_empty() {
        paths.extend(field.leaves().map(|leaf| (path.clone(), leaf)));
    }
}

#[cold]
fn unknown(schema: &Schema, name: &str) -> Error {
    Error::usage(format!("there is no column {name:?}; the file has {}", schema.names_near(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_found_as_each_is_alone() {
        let fields: Vec<String> = (0..40).map(|i| format!("optional int32 c{};", i * 7 % 31)).collect();
        let group = "required group g { required int32 a; required int32 b; } required group g-a { required int32 a; }";
        let list = "optional group l (LIST) { repeated group list { optional group element { required int32 x; required int32 x2; } } }";
        let text = format!("message m {{ {} {group} {list} }}", fields.concat());
        let schema: Schema = text.parse().unwrap();
        let mut names: Vec<String> = (0..31).rev().map(|i| format!("c{i}")).collect();
        names.insert(5, "g.b".to_owned());
        names.insert(9, "l.x".to_owned());
        names.insert(12, "l.list.element".to_owned());
        let many = Projection::new(&schema, &names).unwrap();
        let alone: Vec<Projection> = names.iter().map(|name| Projection::new(&schema, &[name]).unwrap()).collect();
        let mut order: Vec<usize> = alone.iter().flat_map(|one| one.order.clone().unwrap()).collect();
        // A field of which two names are given comes with the first.
        order.remove(order.iter().rposition(|root| *root == 42).unwrap());
        assert_eq!(many.order, Some(order));
        assert_eq!(many.order.as_ref().map(Vec::len), Some(42));
        assert!(many.is_selected(41) && !many.is_selected(40) && !many.is_selected(42) && many.is_selected(43));
        for leaf in 0..schema.leaves().len() {
            assert_eq!(many.is_selected(leaf), alone.iter().any(|one| one.is_selected(leaf)), "leaf {leaf}");
        }
        names.push("c31".to_owned());
        assert!(Projection::new(&schema, &names).unwrap_err().to_string().contains("\"c31\""));
    }
}
