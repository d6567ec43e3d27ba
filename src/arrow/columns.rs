//! Which columns are read, in which order.

use crate::error::{Error, Result};
use crate::schema::Schema;

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
        for name in names {
            let leaves = find(schema, name.as_ref());
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

/// The leaves that a name stands for: fields of the root first, then paths, then paths without the groups of lists.
fn find(schema: &Schema, name: &str) -> Vec<usize> {
    let roots: Vec<usize> = schema.fields().iter().filter(|field| field.name() == name).flat_map(|field| field.leaves()).collect();
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
fn find_short(field: &crate::schema::Field, above: String, hidden: bool, below: &dyn Fn(&str) -> bool, found: &mut Vec<usize>) {
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
