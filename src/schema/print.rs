//! Printing the message text form.

use std::fmt::{self, Formatter, Write as _};

use crate::format::{EdgeInterpolationAlgorithm, PhysicalType};
use crate::schema::tokens::is_word;
use crate::schema::{Field, Kind, LogicalType, Repetition, Schema, TimeUnit};

/// The message text form, as the tools of Parquet print it: two spaces a level, a newline at the end.
///
/// Names that are not plain words are quoted, with the escapes `\"`, `\\`, `\n`, `\r`, `\t` and `\u{1b}`, so that a name
/// from a file can neither break the form nor reach a terminal.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "message {} {{", Name(&self.name))?;
        print_fields(f, &self.fields, 1)?;
        writeln!(f, "}}")
    }
}

/// The field as it stands in the message text form, without what is below it.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.repetition)?;
        match &self.kind {
            Kind::Group(_) => f.write_str("group")?,
            Kind::Primitive { physical_type, type_length, .. } => print_type(f, *physical_type, *type_length)?,
        }
        write!(f, " {}", Name(&self.name))?;
        if let Some(logical) = &self.logical_type {
            write!(f, " ({logical})")?;
        }
        match self.field_id {
            Some(id) => write!(f, " = {id}"),
            None => Ok(()),
        }
    }
}

/// `required`, `optional` or `repeated`.
impl fmt::Display for Repetition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Repetition::Required => "required",
            Repetition::Optional => "optional",
            Repetition::Repeated => "repeated",
        })
    }
}

/// `MILLIS`, `MICROS` or `NANOS`.
impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TimeUnit::Millis => "MILLIS",
            TimeUnit::Micros => "MICROS",
            TimeUnit::Nanos => "NANOS",
        })
    }
}

/// The annotation of the message text form, such as `TIMESTAMP(MICROS,true)`.
impl fmt::Display for LogicalType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            LogicalType::Decimal { precision, scale } => write!(f, "DECIMAL({precision},{scale})"),
            LogicalType::Time { utc, unit } => write!(f, "TIME({unit},{utc})"),
            LogicalType::Timestamp { utc, unit } => write!(f, "TIMESTAMP({unit},{utc})"),
            LogicalType::Integer { bits, signed } => write!(f, "INTEGER({bits},{signed})"),
            LogicalType::Variant { version: Some(version) } => write!(f, "VARIANT({version})"),
            LogicalType::Geometry { crs: Some(crs) } => write!(f, "GEOMETRY({})", Crs(crs)),
            LogicalType::Geography { crs: Some(crs), algorithm: Some(algorithm) } => {
                write!(f, "GEOGRAPHY({},{})", Crs(crs), AlgorithmName(*algorithm))
            }
            LogicalType::Geography { crs: Some(crs), algorithm: None } => write!(f, "GEOGRAPHY({})", Crs(crs)),
            LogicalType::Geography { crs: None, algorithm: Some(algorithm) } => write!(f, "GEOGRAPHY({})", AlgorithmName(*algorithm)),
            LogicalType::Unrecognized(id) => write!(f, "UNRECOGNIZED({id})"),
            LogicalType::String => f.write_str("STRING"),
            LogicalType::Map => f.write_str("MAP"),
            LogicalType::List => f.write_str("LIST"),
            LogicalType::Enum => f.write_str("ENUM"),
            LogicalType::Date => f.write_str("DATE"),
            LogicalType::Unknown => f.write_str("UNKNOWN"),
            LogicalType::Json => f.write_str("JSON"),
            LogicalType::Bson => f.write_str("BSON"),
            LogicalType::Uuid => f.write_str("UUID"),
            LogicalType::Float16 => f.write_str("FLOAT16"),
            LogicalType::Variant { version: None } => f.write_str("VARIANT"),
            LogicalType::Geometry { crs: None } => f.write_str("GEOMETRY"),
            LogicalType::Geography { crs: None, algorithm: None } => f.write_str("GEOGRAPHY"),
            LogicalType::File => f.write_str("FILE"),
            LogicalType::Interval => f.write_str("INTERVAL"),
            LogicalType::MapKeyValue => f.write_str("MAP_KEY_VALUE"),
        }
    }
}

fn print_fields(f: &mut Formatter<'_>, fields: &[Field], level: usize) -> fmt::Result {
    let indent = level.saturating_mul(2);
    for field in fields {
        write!(f, "{:indent$}{field}", "")?;
        match &field.kind {
            Kind::Primitive { .. } => writeln!(f, ";")?,
            Kind::Group(fields) => {
                writeln!(f, " {{")?;
                print_fields(f, fields, level.saturating_add(1))?;
                writeln!(f, "{:indent$}}}", "")?;
            }
        }
    }
    Ok(())
}

fn print_type(f: &mut Formatter<'_>, physical_type: PhysicalType, type_length: Option<u32>) -> fmt::Result {
    match physical_type {
        PhysicalType::Boolean => f.write_str("boolean"),
        PhysicalType::Int32 => f.write_str("int32"),
        PhysicalType::Int64 => f.write_str("int64"),
        PhysicalType::Int96 => f.write_str("int96"),
        PhysicalType::Float => f.write_str("float"),
        PhysicalType::Double => f.write_str("double"),
        PhysicalType::ByteArray => f.write_str("binary"),
        PhysicalType::FixedLenByteArray => write!(f, "fixed_len_byte_array({})", type_length.unwrap_or(0)),
        PhysicalType::Unknown(code) => write!(f, "unknown({code})"),
    }
}

/// A name, quoted if it is not a plain word.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_word(self.0) { f.write_str(self.0) } else { quote(f, self.0) }
    }
}

/// A coordinate reference system, quoted also where it could be taken for an algorithm.
struct Crs<'a>(&'a str);

impl fmt::Display for Crs<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_word(self.0) && algorithm(self.0).is_none() { f.write_str(self.0) } else { quote(f, self.0) }
    }
}

fn quote(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            control if control.is_control() => write!(f, "\\u{{{:x}}}", u32::from(control))?,
            other => f.write_char(other)?,
        }
    }
    f.write_str("\"")
}

struct AlgorithmName(EdgeInterpolationAlgorithm);

impl fmt::Display for AlgorithmName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (ALGORITHMS.iter().find(|(known, _)| *known == self.0), self.0.code()) {
            (Some((_, name)), _) => f.write_str(name),
            (None, code) => write!(f, "ALGORITHM_{code}"),
        }
    }
}

/// The algorithm of a name in the text form, in capitals or not.
pub(super) fn algorithm(name: &str) -> Option<EdgeInterpolationAlgorithm> {
    let known = ALGORITHMS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(algorithm, _)| *algorithm);
    known.or_else(|| {
        let (prefix, code) = name.split_at_checked("ALGORITHM_".len())?;
        let code = prefix.eq_ignore_ascii_case("ALGORITHM_").then_some(code)?;
        code.parse().ok().map(EdgeInterpolationAlgorithm::from_code)
    })
}

const ALGORITHMS: [(EdgeInterpolationAlgorithm, &str); 5] = [
    (EdgeInterpolationAlgorithm::Spherical, "SPHERICAL"),
    (EdgeInterpolationAlgorithm::Vincenty, "VINCENTY"),
    (EdgeInterpolationAlgorithm::Thomas, "THOMAS"),
    (EdgeInterpolationAlgorithm::Andoyer, "ANDOYER"),
    (EdgeInterpolationAlgorithm::Karney, "KARNEY"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(logical: LogicalType) -> String {
        logical.to_string()
    }

    #[test]
    fn as_the_tools_print_it() {
        let schema = Schema::new(
            "spark_schema",
            vec![
                Field::optional("name", PhysicalType::ByteArray).with_logical_type(LogicalType::String),
                Field::optional("ts", PhysicalType::Int64)
                    .with_logical_type(LogicalType::Timestamp { utc: true, unit: TimeUnit::Micros })
                    .with_field_id(5),
                Field::fixed("id", Repetition::Required, 16).with_logical_type(LogicalType::Uuid),
                Field::repeated_group("g", vec![Field::required("x", PhysicalType::Int96)]).with_field_id(-1),
            ],
        );
        let expected = "message spark_schema {
  optional binary name (STRING);
  optional int64 ts (TIMESTAMP(MICROS,true)) = 5;
  required fixed_len_byte_array(16) id (UUID);
  repeated group g = -1 {
    required int96 x;
  }
}
";
        assert_eq!(schema.unwrap().to_string(), expected);
    }

    #[test]
    fn annotations_with_parameters() {
        assert_eq!(printed(LogicalType::Decimal { precision: 9, scale: 2 }), "DECIMAL(9,2)");
        assert_eq!(printed(LogicalType::Time { utc: false, unit: TimeUnit::Nanos }), "TIME(NANOS,false)");
        assert_eq!(printed(LogicalType::Integer { bits: 8, signed: false }), "INTEGER(8,false)");
        assert_eq!(printed(LogicalType::Variant { version: Some(1) }), "VARIANT(1)");
        assert_eq!(printed(LogicalType::Geometry { crs: Some("OGC:CRS84".into()) }), "GEOMETRY(OGC:CRS84)");
        assert_eq!(printed(LogicalType::Geometry { crs: Some("{\"a\": 1}".into()) }), r#"GEOMETRY("{\"a\": 1}")"#);
        let geography = |crs: Option<&str>, algorithm| LogicalType::Geography { crs: crs.map(str::to_owned), algorithm };
        assert_eq!(printed(geography(Some("karney"), Some(EdgeInterpolationAlgorithm::Thomas))), "GEOGRAPHY(\"karney\",THOMAS)");
        assert_eq!(printed(geography(None, Some(EdgeInterpolationAlgorithm::Unknown(9)))), "GEOGRAPHY(ALGORITHM_9)");
        assert_eq!(printed(LogicalType::Unrecognized(33)), "UNRECOGNIZED(33)");
    }

    #[test]
    fn names_that_are_not_words_are_quoted() {
        for (name, expected) in [
            ("", "\"\""),
            ("a b", "\"a b\""),
            ("a;", "\"a;\""),
            ("a.b", "a.b"),
            ("\"", r#""\"""#),
            ("ä", "ä"),
            ("\u{1b}[2J", r#""\u{1b}[2J""#),
        ] {
            assert_eq!(Name(name).to_string(), expected);
        }
    }
}
