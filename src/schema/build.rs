//! Building schemas by hand.

use crate::error::{Error, Result};
use crate::format::PhysicalType;
use crate::limits::Limits;
use crate::schema::elements::Quoted;
use crate::schema::{Field, Kind, LogicalType, MAX_DEPTH, Repetition, Schema};

impl Schema {
    /// A schema of these fields; `name` is the root's, often `schema`.
    ///
    /// Fields may come from another schema; their levels and leaves are counted anew.
    ///
    /// # Errors
    /// `Usage` when a logical type is on a type that it does not annotate, a decimal has more digits than its type holds,
    /// a group has no fields, or a length, a precision or a scale is out of bounds; `Limit` when it nests more than
    /// 250 deep or takes more than the default of [`Limits::metadata_bytes`].
    pub fn new(name: impl Into<String>, fields: Vec<Field>) -> Result<Self> {
        // The depth comes first, since checking recurses.
        let schema = Schema::assemble(name.into(), fields, MAX_DEPTH, Limits::default().metadata_bytes)?;
        check_fields(&schema.fields)?;
        Ok(schema)
    }
}

impl Field {
    /// A column; for a `FixedLenByteArray` use [`fixed`](Self::fixed), which has its length.
    pub fn primitive(name: impl Into<String>, repetition: Repetition, physical_type: PhysicalType) -> Self {
        Self::bare(name.into(), repetition, Kind::Primitive { physical_type, type_length: None, leaf: 0 })
    }

    /// A column with a value in every row.
    pub fn required(name: impl Into<String>, physical_type: PhysicalType) -> Self {
        Self::primitive(name, Repetition::Required, physical_type)
    }

    /// A column with a value or null.
    pub fn optional(name: impl Into<String>, physical_type: PhysicalType) -> Self {
        Self::primitive(name, Repetition::Optional, physical_type)
    }

    /// A column with any number of values a row, outside of a standard list; see [`optional_list`](Self::optional_list)
    /// for those.
    pub fn repeated(name: impl Into<String>, physical_type: PhysicalType) -> Self {
        Self::primitive(name, Repetition::Repeated, physical_type)
    }

    /// A column of the type `FixedLenByteArray`, whose values have `length` bytes.
    pub fn fixed(name: impl Into<String>, repetition: Repetition, length: u32) -> Self {
        let kind = Kind::Primitive { physical_type: PhysicalType::FixedLenByteArray, type_length: Some(length), leaf: 0 };
        Self::bare(name.into(), repetition, kind)
    }

    /// A group of fields.
    pub fn group(name: impl Into<String>, repetition: Repetition, fields: Vec<Field>) -> Self {
        Self::bare(name.into(), repetition, Kind::Group(fields))
    }

    /// A group that is always there.
    pub fn required_group(name: impl Into<String>, fields: Vec<Field>) -> Self {
        Self::group(name, Repetition::Required, fields)
    }

    /// A group that can be null.
    pub fn optional_group(name: impl Into<String>, fields: Vec<Field>) -> Self {
        Self::group(name, Repetition::Optional, fields)
    }

    /// A group that occurs any number of times.
    pub fn repeated_group(name: impl Into<String>, fields: Vec<Field>) -> Self {
        Self::group(name, Repetition::Repeated, fields)
    }

    /// A list in the standard layout of three levels, never null; its element is called `element`.
    ///
    /// Specification: `LogicalTypes.md`, *Lists*.
    pub fn required_list(name: impl Into<String>, element: Field) -> Self {
        Self::list(name.into(), Repetition::Required, element)
    }

    /// A list in the standard layout of three levels, or null; its element is called `element`.
    ///
    /// Specification: `LogicalTypes.md`, *Lists*.
    pub fn optional_list(name: impl Into<String>, element: Field) -> Self {
        Self::list(name.into(), Repetition::Optional, element)
    }

    /// A map in the standard layout, never null; its key is made required and called `key`, its value `value`.
    ///
    /// Specification: `LogicalTypes.md`, *Maps*.
    pub fn required_map(name: impl Into<String>, key: Field, value: Field) -> Self {
        Self::map(name.into(), Repetition::Required, key, value)
    }

    /// A map in the standard layout, or null; its key is made required and called `key`, its value `value`.
    ///
    /// Specification: `LogicalTypes.md`, *Maps*.
    pub fn optional_map(name: impl Into<String>, key: Field, value: Field) -> Self {
        Self::map(name.into(), Repetition::Optional, key, value)
    }

    /// With what its values mean. The legacy converted type follows.
    #[must_use]
    pub fn with_logical_type(self, logical_type: LogicalType) -> Self {
        Self { converted_type: logical_type.converted_type(), logical_type: Some(logical_type), ..self }
    }

    /// With an id, by which table formats know columns that were renamed.
    #[must_use]
    pub fn with_field_id(self, field_id: i32) -> Self {
        Self { field_id: Some(field_id), ..self }
    }

    /// With another name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// With another repetition.
    #[must_use]
    pub fn with_repetition(self, repetition: Repetition) -> Self {
        Self { repetition, ..self }
    }

    fn list(name: String, repetition: Repetition, element: Field) -> Self {
        let repeated = Self::repeated_group("list", vec![element.with_name("element")]);
        Self::group(name, repetition, vec![repeated]).with_logical_type(LogicalType::List)
    }

    fn map(name: String, repetition: Repetition, key: Field, value: Field) -> Self {
        let key = key.with_name("key").with_repetition(Repetition::Required);
        let repeated = Self::repeated_group("key_value", vec![key, value.with_name("value")]);
        Self::group(name, repetition, vec![repeated]).with_logical_type(LogicalType::Map)
    }

    /// A field of which only these are set.
    pub(super) fn bare(name: String, repetition: Repetition, kind: Kind) -> Self {
        Self {
            name,
            repetition,
            field_id: None,
            logical_type: None,
            converted_type: None,
            kind,
            definition_level: 0,
            repetition_level: 0,
            leaves: 0..0,
            node: 0,
        }
    }
}

fn check_fields(fields: &[Field]) -> Result<()> {
    for field in fields {
        check(field).map_err(Error::usage)?;
        if matches!(&field.kind, Kind::Group(fields) if fields.is_empty()) {
            return Err(Error::usage(format!("the group {} has no fields, so that no column would hold it", Quoted(&field.name))));
        }
        check_fields(field.fields())?;
    }
    Ok(())
}

/// What is wrong with a field itself.
pub(super) fn check(field: &Field) -> Result<(), String> {
    let name = Quoted(&field.name);
    let primitive = match field.kind {
        Kind::Group(_) => None,
        Kind::Primitive { physical_type: PhysicalType::Unknown(code), .. } => {
            return Err(format!("the column {name} has the physical type {code}, which does not exist"));
        }
        Kind::Primitive { physical_type: PhysicalType::FixedLenByteArray, type_length: None, .. } => {
            return Err(format!("the column {name} is a FIXED_LEN_BYTE_ARRAY without its length: make it with Field::fixed"));
        }
        Kind::Primitive { type_length: Some(length), .. } if length == 0 || i32::try_from(length).is_err() => {
            return Err(format!("the length of the column {name} is {length} instead of one between 1 and 2^31 - 1"));
        }
        Kind::Primitive { physical_type, type_length, .. } => Some((physical_type, type_length.unwrap_or(0))),
    };
    let Some(logical) = &field.logical_type else { return Ok(()) };
    if !logical.annotates(primitive) {
        let type_name = match primitive {
            None => "a group".to_owned(),
            Some((PhysicalType::FixedLenByteArray, length)) => format!("FIXED_LEN_BYTE_ARRAY({length})"),
            Some((physical_type, _)) => physical_type.to_string(),
        };
        return Err(format!("{logical} cannot annotate {name}, which is {type_name}"));
    }
    match (logical, primitive) {
        (&LogicalType::Decimal { precision, scale }, Some((physical_type, length))) => {
            check_decimal(precision, scale, max_precision(physical_type, length)).map_err(|why| format!("the decimal {name} {why}"))
        }
        _ => Ok(()),
    }
}

fn check_decimal(precision: u32, scale: u32, most: u32) -> Result<(), String> {
    if precision == 0 || precision > most {
        return Err(format!("has a precision of {precision}, while its physical type holds 1 to {most} digits"));
    }
    if scale > precision {
        return Err(format!("has a scale of {scale}, more than its precision of {precision}"));
    }
    Ok(())
}

/// How many decimal digits a physical type can hold, whatever they are.
fn max_precision(physical_type: PhysicalType, length: u32) -> u32 {
    match physical_type {
        PhysicalType::Int32 => 9,
        PhysicalType::Int64 => 18,
        PhysicalType::FixedLenByteArray => {
            // The digits of 2^(8 · length - 1) less one: the logarithm of 2 to the base of 10, in units of 10^-15.
            let bits = u64::from(length).saturating_mul(8).saturating_sub(1);
            let digits = u128::from(bits).saturating_mul(301_029_995_663_981).checked_div(1_000_000_000_000_000);
            digits.and_then(|digits| u32::try_from(digits).ok()).unwrap_or(u32::MAX)
        }
        _ => i32::MAX.cast_unsigned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn usage(field: Field) -> String {
        let error = Schema::new("schema", vec![field]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        error.message().to_owned()
    }

    fn decimal(precision: u32, scale: u32) -> LogicalType {
        LogicalType::Decimal { precision, scale }
    }

    #[test]
    fn standard_lists_and_maps() {
        let text = Field::required("any", PhysicalType::ByteArray).with_logical_type(LogicalType::String);
        let schema = Schema::new(
            "m",
            vec![
                Field::optional_list("l", Field::optional("x", PhysicalType::Int32)).with_field_id(7),
                Field::required_map("m", text.clone().with_repetition(Repetition::Optional), text),
            ],
        );
        let expected = "message m {
  optional group l (LIST) = 7 {
    repeated group list {
      optional int32 element;
    }
  }
  required group m (MAP) {
    repeated group key_value {
      required binary key (STRING);
      required binary value (STRING);
    }
  }
}
";
        assert_eq!(schema.unwrap().to_string(), expected);
    }

    #[test]
    fn says_what_is_wrong() {
        let int32 = |logical| Field::required("x", PhysicalType::Int32).with_logical_type(logical);
        assert_eq!(usage(int32(LogicalType::Uuid)), "UUID cannot annotate \"x\", which is INT32");
        assert_eq!(usage(int32(LogicalType::List)), "LIST cannot annotate \"x\", which is INT32");
        assert_eq!(usage(int32(decimal(10, 0))), "the decimal \"x\" has a precision of 10, while its physical type holds 1 to 9 digits");
        assert_eq!(usage(int32(decimal(5, 6))), "the decimal \"x\" has a scale of 6, more than its precision of 5");
        assert!(usage(int32(decimal(0, 0))).contains("precision of 0"));
        assert!(usage(Field::required("x", PhysicalType::FixedLenByteArray)).contains("Field::fixed"));
        assert!(usage(Field::fixed("x", Repetition::Required, 0)).contains("length"));
        assert!(usage(Field::fixed("x", Repetition::Required, 1 << 31)).contains("length"));
        assert!(usage(Field::required("x", PhysicalType::Unknown(8))).contains("does not exist"));
        assert!(usage(Field::required_group("x", vec![])).contains("no fields"));
        let group = Field::required_group("g", vec![int32(LogicalType::Date)]);
        assert_eq!(usage(group.with_logical_type(LogicalType::String)), "STRING cannot annotate \"g\", which is a group");
        let uuid = Field::fixed("x", Repetition::Required, 15).with_logical_type(LogicalType::Uuid);
        assert_eq!(usage(Field::optional_group("g", vec![uuid])), "UUID cannot annotate \"x\", which is FIXED_LEN_BYTE_ARRAY(15)");
    }

    #[test]
    fn digits_of_fixed_lengths() {
        // Held against the digits of the largest number of so many bytes.
        for length in 1..=16_u32 {
            let largest = i128::MAX >> (128 - 8 * length);
            let expected = largest.ilog10();
            assert_eq!(max_precision(PhysicalType::FixedLenByteArray, length), expected, "{length}");
        }
        assert_eq!(max_precision(PhysicalType::FixedLenByteArray, 32), 76);
        assert_eq!(max_precision(PhysicalType::FixedLenByteArray, i32::MAX.cast_unsigned()), u32::MAX);
    }

    #[test]
    fn fields_of_another_schema_are_counted_anew() {
        let first: Schema = "message m { required int32 a; optional group g { repeated int32 b; } }".parse().unwrap();
        let schema = Schema::new("n", vec![Field::repeated_group("r", vec![first.field("g").unwrap().clone()])]).unwrap();
        let leaf = schema.leaf("r.g.b").unwrap();
        assert_eq!((leaf.index, leaf.max_definition_level, leaf.max_repetition_level), (0, 3, 2));
    }

    #[test]
    fn no_deeper_than_250() {
        let nest = |depth| (1..depth).fold(Field::repeated("x", PhysicalType::Int32), |field, _| Field::optional_group("g", vec![field]));
        let schema = Schema::new("m", vec![nest(250)]).unwrap();
        assert_eq!(schema.leaves()[0].max_definition_level, 250);
        let error = Schema::new("m", vec![nest(251)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
}
