//! Schemas with columns left out.

use crate::error::{Error, Result};
use crate::schema::{Field, LogicalType, Schema};
use crate::write::settings::no_such_column;

/// The schema without all columns but those at these paths or below the groups at them; for
/// [`FileWriter::copy_file`](crate::write::FileWriter::copy_file), which then copies only those.
///
/// The application metadata of such a file is the caller's business: the entry `ARROW:schema` describes all columns and has to
/// be left out or replaced.
///
/// ```
/// use herringbone::schema::Schema;
/// use herringbone::write::without_other_columns;
/// let schema: Schema = "message m { required int32 a; optional group g { required int32 b; required int32 c; } }".parse()?;
/// let pruned = without_other_columns(&schema, ["g.c"])?;
/// assert_eq!(pruned, "message m { optional group g { required int32 c; } }".parse()?);
/// # Ok::<(), herringbone::Error>(())
/// ```
///
/// # Errors
/// `Usage` when a path names nothing, no column is left, or a map would lose its keys or a Variant a part of itself.
pub fn without_other_columns<'p>(schema: &Schema, paths: impl IntoIterator<Item = &'p str>) -> Result<Schema> {
    let mut leaves = Vec::new();
    for path in paths {
        let field = schema.field(path).ok_or_else(|| no_such_column(schema, path))?;
        leaves.extend(field.leaves());
    }
    leaves.sort_unstable();
    leaves.dedup();
    keep(schema, &leaves)
}

/// The schema with these leaves only, in the schema's order.
pub(super) fn keep(schema: &Schema, leaves: &[usize]) -> Result<Schema> {
    let mut kept = vec![false; schema.leaves().len()];
    leaves.iter().for_each(|leaf| kept.get_mut(*leaf).into_iter().for_each(|kept| *kept = true));
    let fields = keep_fields(schema.fields(), &kept)?;
    if fields.is_empty() {
        return Err(Error::usage("no column is left: a Parquet file needs one at the least"));
    }
    Schema::new(schema.name(), fields)
}

fn keep_fields(fields: &[Field], kept: &[bool]) -> Result<Vec<Field>> {
    fields.iter().filter_map(|field| keep_field(field, kept).transpose()).collect()
}

fn keep_field(field: &Field, kept: &[bool]) -> Result<Option<Field>> {
    let of_field = kept.get(field.leaves()).unwrap_or_default();
    if of_field.iter().all(|kept| !kept) {
        return Ok(None);
    }
    if of_field.iter().all(|kept| *kept) {
        return Ok(Some(field.clone()));
    }
    let refuse = |what: &str| Err(Error::usage(format!("{what} of `{}` cannot be left out while other parts of it stay", field.name())));
    match field.logical_type() {
        Some(LogicalType::Variant { .. }) => return refuse("a part"),
        Some(LogicalType::Map | LogicalType::MapKeyValue) => {
            let entries = field.fields().first().map(Field::fields).unwrap_or_default();
            let keys = entries.first().map(Field::leaves).unwrap_or_default();
            if kept.get(keys).unwrap_or_default().contains(&false) {
                return refuse("the keys");
            }
        }
        _ => {}
    }
    let mut group = Field::group(field.name(), field.repetition(), keep_fields(field.fields(), kept)?);
    if let Some(logical_type) = field.logical_type() {
        group = group.with_logical_type(logical_type.clone());
    }
    if let Some(field_id) = field.field_id() {
        group = group.with_field_id(field_id);
    }
    Ok(Some(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        "message m {
            required int32 a;
            optional group l (LIST) = 7 { repeated group list { optional group element { required int32 x; required int32 y; } } }
            optional group p (MAP) { repeated group key_value { required binary key (STRING); optional int32 value; } }
        }"
        .parse()
        .unwrap()
    }

    #[test]
    fn groups_stay_around_what_is_left_of_them() {
        let pruned = without_other_columns(&schema(), ["p", "l.list.element.y"]).unwrap();
        let paths: Vec<_> = pruned.leaves().iter().map(|leaf| leaf.path.dotted().to_owned()).collect();
        assert_eq!(paths, ["l.list.element.y", "p.key_value.key", "p.key_value.value"]);
        assert_eq!(pruned.field("l").unwrap().field_id(), Some(7));
        assert_eq!(pruned.field("l").unwrap().logical_type(), Some(&LogicalType::List));
        assert!(without_other_columns(&schema(), ["p.key_value.key"]).is_ok());
        assert_eq!(without_other_columns(&schema(), ["p", "l", "a"]).unwrap(), schema());
    }

    #[test]
    fn what_cannot_be_left_out_is_refused() {
        for (paths, says) in [(vec!["p.key_value.value"], "the keys of `p`"), (vec!["q"], "`q`"), (vec![], "no column is left")] {
            let error = without_other_columns(&schema(), paths).unwrap_err();
            assert!(error.message().contains(says), "{error} lacks {says:?}");
        }
    }
}
