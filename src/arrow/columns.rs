//! Which columns are read, in which order.

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
        let roots = Roots::new(schema, names.len());
        for name in names {
            let leaves = find(schema, &roots, name.as_ref());
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

/// The root fields, to be found by name.
struct Roots<'a> {
    fields: &'a [Field],
    /// The fields by name and then in their order; empty where it is not worth sorting them.
    sorted: Vec<&'a Field>,
}

impl<'a> Roots<'a> {
    /// Looking at all fields for each of many names would take the square of their number: 57 µs a column where all of 20,000 are
    /// read, and 3 where a hundred are.
    fn new(schema: &'a Schema, names: usize) -> Self {
        let fields = schema.fields();
        let mut sorted = Vec::new();
        if names > 8 {
            sorted.extend(fields);
            sorted.sort_by_key(|field| field.name());
        }
        Self { fields, sorted }
    }

    /// The leaves of the fields of this name.
    fn find(&self, name: &str) -> Vec<usize> {
        if self.sorted.is_empty() {
            return self.fields.iter().filter(|field| field.name() == name).flat_map(|field| field.leaves()).collect();
        }
        let first = self.sorted.partition_point(|field| field.name() < name);
        self.sorted.iter().skip(first).take_while(|field| field.name() == name).flat_map(|field| field.leaves()).collect()
    }
}

/// The leaves that a name stands for: fields of the root first, then paths, then paths without the groups of lists.
fn find(schema: &Schema, roots: &Roots, name: &str) -> Vec<usize> {
    let roots = roots.find(name);
    if !roots.is_empty() {
        return roots;
    }
    let below = |path: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let paths: Vec<usize> = schema.leaves().iter().filter(|leaf| below(leaf.path.dotted())).map(|leaf| leaf.index).collect();
    if !paths.is_empty() || !name.contains('.') {
        return paths;
    }
    let mut found = Vec::new();
    for field in schema.fields() {
        find_short(field, String::new(), false, &below, &mut found);
    }
    found
}

/// Walks down with the path as people write it: without the repeated group of a list or map, and without the element.
fn find_short(field: &Field, above: String, hidden: bool, below: &dyn Fn(&str) -> bool, found: &mut Vec<usize>) {
    use crate::schema::{LogicalType, Repetition};
    let path = match (hidden, above.is_empty()) {
        (true, _) => above,
        (false, true) => field.name().to_owned(),
        (false, false) => format!("{above}.{}", field.name()),
    };
    if below(&path) {
        found.extend(field.leaves());
        return;
    }
    let is_list = matches!(field.logical_type(), Some(LogicalType::List));
    let is_map = matches!(field.logical_type(), Some(LogicalType::Map | LogicalType::MapKeyValue));
    for child in field.fields() {
        let repeated = child.repetition() == Repetition::Repeated;
        let wraps = (is_list || is_map) && repeated;
        let element = field.repetition() == Repetition::Repeated && field.fields().len() == 1 && hidden;
        find_short(child, path.clone(), wraps || element, below, found);
    }
}

#[cold]
fn unknown(schema: &Schema, name: &str) -> Error {
    let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name()).take(20).collect();
    if schema.fields().len() > names.len() {
        names.push("…");
    }
    Error::usage(format!("there is no column {name:?}; the file has {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_found_as_each_is_alone() {
        let fields: Vec<String> = (0..40).map(|i| format!("optional int32 c{};", i * 7 % 31)).collect();
        let text = format!("message m {{ {} required group g {{ required int32 a; required int32 b; }} }}", fields.concat());
        let schema: Schema = text.parse().unwrap();
        let mut names: Vec<String> = (0..31).rev().map(|i| format!("c{i}")).collect();
        names.insert(5, "g.b".to_owned());
        let many = Projection::new(&schema, &names).unwrap();
        let alone: Vec<Projection> = names.iter().map(|name| Projection::new(&schema, &[name]).unwrap()).collect();
        assert_eq!(many.order, Some(alone.iter().flat_map(|one| one.order.clone().unwrap()).collect()));
        assert_eq!(many.order.as_ref().map(Vec::len), Some(41));
        for leaf in 0..schema.leaves().len() {
            assert_eq!(many.is_selected(leaf), alone.iter().any(|one| one.is_selected(leaf)), "leaf {leaf}");
        }
        names.push("c31".to_owned());
        assert!(Projection::new(&schema, &names).unwrap_err().to_string().contains("\"c31\""));
    }
}
