//! By what the rows of a row group are sorted. A file may say it in any number of columns, each of which may have any name.

use herringbone::format::SortingColumn;
use herringbone::metadata::RowGroup;
use serde_json::{Value, json};

use crate::grid::cut_to;

/// The most columns that are shown of a row group.
const MOST: usize = 20;
/// The most bytes of a name in a table.
pub const NAME_BYTES: usize = 200;
/// The most bytes of names in JSON, beyond the first name.
const JSON_BYTES: usize = 64 << 10;

/// A few words for a table: the names, with what `note` says about them.
pub fn words(group: &RowGroup<'_>, sorting: &[SortingColumn], note: impl Fn(&SortingColumn) -> &'static str) -> String {
    let one = |by: &SortingColumn| {
        let name = name(group, by).map_or_else(|| format!("#{}", by.column_idx), |name| cut_to(name, NAME_BYTES));
        format!("{name}{}", note(by))
    };
    let mut words: Vec<String> = sorting.iter().take(MOST).map(one).collect();
    if sorting.len() > MOST {
        words.push(format!("and {} more", sorting.len() - MOST));
    }
    words.join(", ")
}

/// The same as JSON, and how many columns are left out.
pub fn json(group: &RowGroup<'_>, sorting: &[SortingColumn]) -> (Vec<Value>, usize) {
    let (mut shown, mut bytes) = (Vec::new(), 0);
    for by in sorting.iter().take(MOST) {
        let name = name(group, by);
        bytes += name.map_or(0, str::len);
        if !shown.is_empty() && bytes > JSON_BYTES {
            break;
        }
        let column = name.map_or_else(|| format!("#{}", by.column_idx), str::to_owned);
        shown.push(json!({"column": column, "descending": by.descending, "nulls_first": by.nulls_first}));
    }
    let more = sorting.len() - shown.len();
    (shown, more)
}

fn name<'a>(group: &RowGroup<'a>, by: &SortingColumn) -> Option<&'a str> {
    let leaf = group.file().schema().leaves().get(usize::try_from(by.column_idx).ok()?)?;
    Some(leaf.path.dotted())
}
