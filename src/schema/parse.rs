//! Parsing the message text form.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::format::{ConvertedType, PhysicalType};
use crate::limits::Limits;
use crate::schema::build::check;
use crate::schema::print::algorithm;
use crate::schema::tokens::{Token, Tokens, keyword_of};
use crate::schema::{Field, Kind, LogicalType, MAX_DEPTH, Repetition, Schema, TimeUnit};

/// Parses the message text form, with the annotations of today (`STRING`, `TIMESTAMP(MICROS,true)`) and the legacy ones
/// (`UTF8`, `TIMESTAMP_MICROS`, `MAP_KEY_VALUE`); capitals do not matter but in names.
///
/// ```
/// use herringbone::schema::{LogicalType, Schema};
/// let schema: Schema = "message m { optional binary name (UTF8) = 3; }".parse()?;
/// assert_eq!(schema.fields()[0].logical_type(), Some(&LogicalType::String));
///
/// let error = "message m {\n  optional text name;\n}".parse::<Schema>().unwrap_err();
/// assert!(error.to_string().starts_with("line 2, column 12: expected a type"));
/// # Ok::<(), herringbone::Error>(())
/// ```
///
/// # Errors
/// `Usage` with line and column and what was expected there; `Limit` when it nests more than 250 deep or the schema takes
/// more than the default of [`Limits::metadata_bytes`].
impl FromStr for Schema {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut tokens = Tokens::new(text);
        tokens.keyword("message")?;
        let name = if tokens.peek() == Token::Sign('{') { String::new() } else { tokens.name("the message's name or '{'")? };
        tokens.sign('{')?;
        let fields = tree(&mut tokens)?;
        match tokens.next() {
            (Token::End, _) => {}
            (_, at) => return Err(tokens.expected("the end of the text", at)),
        }
        Schema::assemble(name, fields, MAX_DEPTH, Limits::default().metadata_bytes)
    }
}

/// The fields up to the brace that closes the message. It does not recurse: braces nest as they like.
fn tree(tokens: &mut Tokens<'_>) -> Result<Vec<Field>> {
    let mut outer: Vec<(Field, Vec<Field>)> = Vec::new();
    let mut fields = Vec::new();
    loop {
        if tokens.peek() == Token::Sign('}') {
            tokens.next();
            let Some((mut group, around)) = outer.pop() else { return Ok(fields) };
            group.kind = Kind::Group(std::mem::replace(&mut fields, around));
            fields.push(group);
            continue;
        }
        let field = field(tokens)?;
        match field.kind {
            Kind::Primitive { .. } => fields.push(field),
            Kind::Group(_) => {
                outer.push((field, std::mem::take(&mut fields)));
                if outer.len() >= MAX_DEPTH {
                    return Err(Error::limit(format!("the schema nests more than {MAX_DEPTH} deep")));
                }
            }
        }
    }
}

/// A column with its semicolon, or a group with its opening brace.
fn field(tokens: &mut Tokens<'_>) -> Result<Field> {
    let (token, at) = tokens.next();
    let repetition = keyword_of(&token, &REPETITIONS).ok_or_else(|| tokens.expected("'required', 'optional', 'repeated' or '}'", at))?;
    let kind = kind(tokens)?;
    let at_name = tokens.position();
    let mut field = Field::bare(tokens.name("a name")?, repetition, kind);
    if tokens.accept('(') {
        let logical = annotation(tokens)?;
        field.converted_type = logical.converted_type();
        field.logical_type = Some(logical);
        tokens.sign(')')?;
    }
    if tokens.accept('=') {
        field.field_id = Some(tokens.number("a field id")?);
    }
    tokens.sign(if matches!(field.kind, Kind::Group(_)) { '{' } else { ';' })?;
    check(&field).map_err(|why| tokens.error(&why, at_name))?;
    Ok(field)
}

fn kind(tokens: &mut Tokens<'_>) -> Result<Kind> {
    let (token, at) = tokens.next();
    if matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("group")) {
        return Ok(Kind::Group(Vec::new()));
    }
    let physical_type = keyword_of(&token, &TYPES).ok_or_else(|| {
        let what = "a type (boolean, int32, int64, int96, float, double, binary, fixed_len_byte_array(length) or group)";
        tokens.expected(what, at)
    })?;
    let mut type_length = None;
    if physical_type == PhysicalType::FixedLenByteArray {
        tokens.sign('(')?;
        type_length = Some(tokens.number("a length in bytes")?);
        tokens.sign(')')?;
    }
    Ok(Kind::Primitive { physical_type, type_length, leaf: 0 })
}

fn annotation(tokens: &mut Tokens<'_>) -> Result<LogicalType> {
    let (token, at) = tokens.next();
    let Token::Word(word) = token else { return Err(tokens.expected("a logical type", at)) };
    if let Some(plain) = keyword_of(&token, &PLAIN) {
        return Ok(plain);
    }
    if let Some(converted) = keyword_of(&token, &CONVERTED) {
        return LogicalType::from_converted(converted, None, None).ok_or_else(|| tokens.expected("a logical type", at));
    }
    Ok(match word.to_ascii_uppercase().as_str() {
        "DECIMAL" => decimal(tokens)?,
        "TIME" => {
            let (unit, utc) = unit_and_utc(tokens)?;
            LogicalType::Time { utc, unit }
        }
        "TIMESTAMP" => {
            let (unit, utc) = unit_and_utc(tokens)?;
            LogicalType::Timestamp { utc, unit }
        }
        "INTEGER" | "INT" => integer(tokens)?,
        "VARIANT" => LogicalType::Variant { version: optional_number(tokens, "the version of the Variant specification")? },
        "UNRECOGNIZED" => {
            tokens.sign('(')?;
            let id = tokens.number("the logical type's field id")?;
            tokens.sign(')')?;
            LogicalType::Unrecognized(id)
        }
        "GEOMETRY" => LogicalType::Geometry { crs: geometry(tokens)? },
        "GEOGRAPHY" => geography(tokens)?,
        _ => return Err(tokens.expected("a logical type, such as STRING, DECIMAL(9,2) or TIMESTAMP(MICROS,true)", at)),
    })
}

fn decimal(tokens: &mut Tokens<'_>) -> Result<LogicalType> {
    tokens.sign('(')?;
    let precision = tokens.number("a precision")?;
    let scale = if tokens.accept(',') { tokens.number("a scale")? } else { 0 };
    tokens.sign(')')?;
    Ok(LogicalType::Decimal { precision, scale })
}

fn unit_and_utc(tokens: &mut Tokens<'_>) -> Result<(TimeUnit, bool)> {
    tokens.sign('(')?;
    let (token, at) = tokens.next();
    let unit = keyword_of(&token, &UNITS).ok_or_else(|| tokens.expected("MILLIS, MICROS or NANOS", at))?;
    tokens.sign(',')?;
    let utc = tokens.boolean()?;
    tokens.sign(')')?;
    Ok((unit, utc))
}

fn integer(tokens: &mut Tokens<'_>) -> Result<LogicalType> {
    tokens.sign('(')?;
    let at = tokens.position();
    let bits = tokens.number("8, 16, 32 or 64")?;
    if !matches!(bits, 8 | 16 | 32 | 64) {
        return Err(tokens.expected("8, 16, 32 or 64", at));
    }
    tokens.sign(',')?;
    let signed = tokens.boolean()?;
    tokens.sign(')')?;
    Ok(LogicalType::Integer { bits, signed })
}

fn optional_number<T: FromStr>(tokens: &mut Tokens<'_>, what: &str) -> Result<Option<T>> {
    if !tokens.accept('(') {
        return Ok(None);
    }
    let number = tokens.number(what)?;
    tokens.sign(')')?;
    Ok(Some(number))
}

fn geometry(tokens: &mut Tokens<'_>) -> Result<Option<String>> {
    if !tokens.accept('(') || tokens.accept(')') {
        return Ok(None);
    }
    let crs = tokens.name("a coordinate reference system")?;
    tokens.sign(')')?;
    Ok(Some(crs))
}

/// The coordinate reference system and the algorithm, either or both, in either order.
fn geography(tokens: &mut Tokens<'_>) -> Result<LogicalType> {
    let (mut crs, mut edges) = (None, None);
    if tokens.accept('(') && !tokens.accept(')') {
        loop {
            match tokens.next() {
                (Token::Word(word), _) if edges.is_none() && algorithm(word).is_some() => edges = algorithm(word),
                (Token::Word(word), _) if crs.is_none() => crs = Some(word.to_owned()),
                (Token::Quoted(name), _) if crs.is_none() => crs = Some(name.into_owned()),
                (_, at) => return Err(tokens.expected("a coordinate reference system or an algorithm", at)),
            }
            if !tokens.accept(',') {
                break;
            }
        }
        tokens.sign(')')?;
    }
    Ok(LogicalType::Geography { crs, algorithm: edges })
}

const REPETITIONS: [(&str, Repetition); 3] =
    [("required", Repetition::Required), ("optional", Repetition::Optional), ("repeated", Repetition::Repeated)];

const UNITS: [(&str, TimeUnit); 3] = [("MILLIS", TimeUnit::Millis), ("MICROS", TimeUnit::Micros), ("NANOS", TimeUnit::Nanos)];

const TYPES: [(&str, PhysicalType); 9] = [
    ("boolean", PhysicalType::Boolean),
    ("int32", PhysicalType::Int32),
    ("int64", PhysicalType::Int64),
    ("int96", PhysicalType::Int96),
    ("float", PhysicalType::Float),
    ("double", PhysicalType::Double),
    ("binary", PhysicalType::ByteArray),
    ("byte_array", PhysicalType::ByteArray),
    ("fixed_len_byte_array", PhysicalType::FixedLenByteArray),
];

const PLAIN: [(&str, LogicalType); 13] = [
    ("STRING", LogicalType::String),
    ("MAP", LogicalType::Map),
    ("LIST", LogicalType::List),
    ("ENUM", LogicalType::Enum),
    ("DATE", LogicalType::Date),
    ("UNKNOWN", LogicalType::Unknown),
    ("JSON", LogicalType::Json),
    ("BSON", LogicalType::Bson),
    ("UUID", LogicalType::Uuid),
    ("FLOAT16", LogicalType::Float16),
    ("FILE", LogicalType::File),
    ("INTERVAL", LogicalType::Interval),
    ("MAP_KEY_VALUE", LogicalType::MapKeyValue),
];

/// The legacy spellings that differ from those of today.
const CONVERTED: [(&str, ConvertedType); 13] = [
    ("UTF8", ConvertedType::Utf8),
    ("TIME_MILLIS", ConvertedType::TimeMillis),
    ("TIME_MICROS", ConvertedType::TimeMicros),
    ("TIMESTAMP_MILLIS", ConvertedType::TimestampMillis),
    ("TIMESTAMP_MICROS", ConvertedType::TimestampMicros),
    ("UINT_8", ConvertedType::Uint8),
    ("UINT_16", ConvertedType::Uint16),
    ("UINT_32", ConvertedType::Uint32),
    ("UINT_64", ConvertedType::Uint64),
    ("INT_8", ConvertedType::Int8),
    ("INT_16", ConvertedType::Int16),
    ("INT_32", ConvertedType::Int32),
    ("INT_64", ConvertedType::Int64),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::format::EdgeInterpolationAlgorithm;
    use crate::schema::arbitrary;
    use proptest::prelude::*;

    fn annotation(column: &str) -> LogicalType {
        let schema: Schema = format!("message m {{ {column} }}").parse().unwrap();
        schema.fields()[0].logical_type().unwrap().clone()
    }

    fn error(text: &str) -> String {
        let error = text.parse::<Schema>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        error.to_string()
    }

    #[test]
    fn legacy_annotations() {
        let converted = |name: &str, physical: &str| annotation(&format!("optional {physical} x ({name});"));
        assert_eq!(converted("UTF8", "binary"), LogicalType::String);
        assert_eq!(converted("INT_8", "int32"), LogicalType::Integer { bits: 8, signed: true });
        assert_eq!(converted("UINT_64", "int64"), LogicalType::Integer { bits: 64, signed: false });
        assert_eq!(converted("TIMESTAMP_MILLIS", "int64"), LogicalType::Timestamp { utc: true, unit: TimeUnit::Millis });
        assert_eq!(converted("TIME_MICROS", "int64"), LogicalType::Time { utc: true, unit: TimeUnit::Micros });
        assert_eq!(converted("DECIMAL(9)", "int32"), LogicalType::Decimal { precision: 9, scale: 0 });
        assert_eq!(converted("DECIMAL(9,2)", "int32"), LogicalType::Decimal { precision: 9, scale: 2 });
        assert_eq!(converted("INTERVAL", "fixed_len_byte_array(12)"), LogicalType::Interval);
        assert_eq!(annotation("repeated group map (MAP_KEY_VALUE) { required int32 key; }"), LogicalType::MapKeyValue);
    }

    #[test]
    fn every_converted_type_has_a_spelling() {
        for code in 0..22 {
            let converted = ConvertedType::from_code(code);
            let legacy = CONVERTED.iter().any(|(_, known)| *known == converted);
            let plain = PLAIN.iter().any(|(_, known)| known.converted_type() == Some(converted));
            assert!(legacy || plain || converted == ConvertedType::Decimal, "{converted:?}");
        }
        for (name, converted) in CONVERTED {
            assert_eq!(name.replace('_', ""), format!("{converted:?}").to_uppercase());
        }
    }

    #[test]
    fn capitals_and_space_do_not_matter() {
        let loose: Schema =
            "MESSAGE m{REQUIRED\tBYTE_ARRAY a(utf8)=1;Optional Group b ( List ){ repeated INT64 c ( Timestamp ( nanos , FALSE ) ) ; }}"
                .parse()
                .unwrap();
        let strict: Schema = "message m {
  required binary a (STRING) = 1;
  optional group b (LIST) {
    repeated int64 c (TIMESTAMP(NANOS,false));
  }
}
"
        .parse()
        .unwrap();
        assert_eq!(loose, strict);
        assert_eq!("message { }".parse::<Schema>().unwrap().name(), "");
    }

    #[test]
    fn geospatial_annotations_take_their_parameters_in_any_order() {
        let geography = |crs: Option<&str>, algorithm| LogicalType::Geography { crs: crs.map(str::to_owned), algorithm };
        let karney = Some(EdgeInterpolationAlgorithm::Karney);
        for (text, expected) in [
            ("GEOGRAPHY", geography(None, None)),
            ("GEOGRAPHY()", geography(None, None)),
            ("GEOGRAPHY(karney)", geography(None, karney)),
            ("GEOGRAPHY(\"karney\")", geography(Some("karney"), None)),
            ("GEOGRAPHY(KARNEY, srid:5070)", geography(Some("srid:5070"), karney)),
            ("GEOGRAPHY(srid:5070, KARNEY)", geography(Some("srid:5070"), karney)),
            ("GEOMETRY()", LogicalType::Geometry { crs: None }),
            ("GEOMETRY(OGC:CRS84)", LogicalType::Geometry { crs: Some("OGC:CRS84".into()) }),
        ] {
            assert_eq!(annotation(&format!("optional binary g ({text});")), expected, "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what_was_expected() {
        assert_eq!(error(""), "line 1, column 1: expected 'message', found the end of the text");
        assert_eq!(error("message m {\n  required int32 a\n}"), "line 3, column 1: expected ';', found '}'");
        assert!(error("message m {\n  requird int32 a;\n}").starts_with("line 2, column 3: expected 'required', 'optional'"));
        assert_eq!(error("message ä { required int32 a; } x"), "line 1, column 33: expected the end of the text, found \"x\"");
        assert_eq!(
            error("message m {"),
            "line 1, column 12: expected 'required', 'optional', 'repeated' or '}', found the end of the text"
        );
        assert_eq!(error("message m { required int32 a (INTEGER(9,true)); }"), "line 1, column 39: expected 8, 16, 32 or 64, found \"9\"");
        assert_eq!(error("message m { required int32 a = x; }"), "line 1, column 32: expected a field id, found \"x\"");
        assert_eq!(error("message m { required int32 a (UUID); }"), "line 1, column 28: UUID cannot annotate \"a\", which is INT32");
        assert!(error("message m { required int32 \"a").contains("a quoted name that does not end"));
        assert!(error(r#"message m { required int32 "\q"; }"#).contains("unknown escape"));
        assert!(error(r#"message m { required int32 "\u{d800}"; }"#).contains("unknown escape"));
        assert!(error("message m { required fixed_len_byte_array a; }").contains("expected '('"));
        assert!(error("message m { required fixed_len_byte_array(0) a; }").contains("length"));
        assert!(error("message m { required int32 a (DECIMAL(10,0)); }").contains("1 to 9 digits"));
        assert!(error("message m { required int32 a (TEXT); }").contains("such as STRING"));
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        let nested =
            |depth: usize| format!("message m {{ {} required int32 x; {} }}", "required group g {".repeat(depth), "}".repeat(depth));
        assert!(nested(MAX_DEPTH - 1).parse::<Schema>().is_ok());
        for depth in [MAX_DEPTH, MAX_DEPTH + 1, 100_000] {
            assert_eq!(nested(depth).parse::<Schema>().unwrap_err().kind(), ErrorKind::Limit);
        }
        assert_eq!("message m {".repeat(100_000).parse::<Schema>().unwrap_err().kind(), ErrorKind::Usage);
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(schema in arbitrary::schema()) {
            let text = schema.to_string();
            let parsed: Schema = text.parse().unwrap();
            prop_assert_eq!(&parsed, &schema);
            prop_assert_eq!(parsed.to_string(), text);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".*") {
            let _ = text.parse::<Schema>();
        }

        #[test]
        fn soup_of_tokens_is_parsed_or_refused(tokens in prop::collection::vec(prop::sample::select(SOUP), 0..60)) {
            let text = format!("message m {{ {}", tokens.join(" "));
            check_hostile(&text)?;
        }

        #[test]
        fn spoilt_text_is_parsed_or_refused(schema in arbitrary::schema(), at in any::<prop::sample::Index>(), cut in 0..12_usize, put in prop::sample::select(SOUP)) {
            let text: Vec<char> = schema.to_string().chars().collect();
            let at = at.index(text.len());
            let spoilt: String = text[..at].iter().copied().chain(put.chars()).chain(text[(at + cut).min(text.len())..].iter().copied()).collect();
            check_hostile(&spoilt)?;
        }
    }

    /// What parses also prints and parses again; what does not says where.
    fn check_hostile(text: &str) -> std::result::Result<(), TestCaseError> {
        match text.parse::<Schema>() {
            Ok(schema) => prop_assert_eq!(schema.to_string().parse::<Schema>().unwrap(), schema),
            Err(error) => prop_assert!(error.message().starts_with("line "), "{}", error),
        }
        Ok(())
    }

    const SOUP: &[&str] = &[
        "required",
        "optional int32",
        "repeated group g {",
        "group",
        "binary",
        "int64 x",
        "x",
        "(",
        ")",
        "{",
        "}",
        "};",
        ";",
        "=",
        ",",
        "1",
        "-7",
        "fixed_len_byte_array(16) y",
        "(UTF8);",
        "(DECIMAL(9,2));",
        "(TIMESTAMP(MICROS,true))",
        "(LIST) {",
        "= 3;",
        "\"",
        "\"a b\"",
        "\\",
        "\n",
        "\u{3000}",
        "ä",
        "GEOGRAPHY(",
        "optional int32 a; ",
        "99999999999",
        "(VARIANT(1)) {",
        "message",
        "(UNRECOGNIZED(9));",
    ];
}
