//! Extension types: what Parquet's logical types are called where Arrow has no type of its own, both ways.
//!
//! | Parquet | extension | storage |
//! | --- | --- | --- |
//! | UUID | `arrow.uuid` | FixedSizeBinary(16) |
//! | JSON | `arrow.json` | Utf8, LargeUtf8, Utf8View |
//! | VARIANT | `arrow.parquet.variant` | a struct, as it is stored |
//! | GEOMETRY, GEOGRAPHY | `geoarrow.wkb` | Binary, LargeBinary, BinaryView |

use std::collections::HashMap;

use arrow_schema::{DataType, Field};

use crate::arrow::json;
use crate::format::EdgeInterpolationAlgorithm;
use crate::schema::LogicalType;

/// The keys of a field's metadata that make it one of an extension type.
pub(crate) const NAME: &str = "ARROW:extension:name";
pub(crate) const METADATA: &str = "ARROW:extension:metadata";

const UUID: &str = "arrow.uuid";
const JSON: &str = "arrow.json";
const VARIANT: &str = "arrow.parquet.variant";
const WKB: &str = "geoarrow.wkb";

/// The coordinate reference system that Parquet assumes.
const DEFAULT_CRS: &str = "OGC:CRS84";

/// Adds the extension of a logical type, if there is one, to a field's metadata. `key_value` finds an entry of the
/// file's key-value metadata, where coordinate reference systems may be kept, unless too much of it was copied already.
pub(crate) fn add<'a>(
    logical_type: Option<&LogicalType>,
    storage: &DataType,
    key_value: &dyn Fn(&str) -> Option<&'a str>,
    metadata: &mut HashMap<String, String>,
) {
    let (name, parameters) = match logical_type {
        Some(LogicalType::Uuid) => (UUID, None),
        Some(LogicalType::Json) => (JSON, Some(String::new())),
        Some(LogicalType::Variant { .. }) => (VARIANT, Some(String::new())),
        Some(LogicalType::Geometry { crs }) => (WKB, Some(wkb_parameters(crs.as_deref(), None, key_value))),
        Some(LogicalType::Geography { crs, algorithm }) => {
            let algorithm = algorithm.unwrap_or(EdgeInterpolationAlgorithm::Spherical);
            (WKB, Some(wkb_parameters(crs.as_deref(), Some(algorithm), key_value)))
        }
        _ => return,
    };
    if !fits(name, storage) {
        return;
    }
    metadata.insert(NAME.to_owned(), name.to_owned());
    match parameters {
        Some(parameters) => metadata.insert(METADATA.to_owned(), parameters),
        None => metadata.remove(METADATA),
    };
}

/// Whether a type can be the storage of an extension; of those that are not known here, any.
pub(crate) fn fits(name: &str, storage: &DataType) -> bool {
    match name {
        UUID => *storage == DataType::FixedSizeBinary(16),
        JSON => matches!(storage, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
        VARIANT => matches!(storage, DataType::Struct(_)),
        WKB => matches!(storage, DataType::Binary | DataType::LargeBinary | DataType::BinaryView),
        _ => true,
    }
}

/// The logical type that a field's extension asks for.
pub(crate) fn logical_type(field: &Field) -> Option<LogicalType> {
    let name = field.metadata().get(NAME)?;
    if !fits(name, field.data_type()) {
        return None;
    }
    match name.as_str() {
        UUID => Some(LogicalType::Uuid),
        JSON => Some(LogicalType::Json),
        VARIANT => Some(LogicalType::Variant { version: Some(1) }),
        WKB => Some(geospatial(field.metadata().get(METADATA).map_or("", String::as_str))),
        _ => None,
    }
}

/// The extension's parameters as JSON: the coordinate reference system and how edges run.
fn wkb_parameters<'a>(
    crs: Option<&str>,
    algorithm: Option<EdgeInterpolationAlgorithm>,
    key_value: &dyn Fn(&str) -> Option<&'a str>,
) -> String {
    let mut members = Vec::new();
    let projjson = |text: &str| format!("\"crs\":{},\"crs_type\":\"projjson\"", text.trim());
    match crs.unwrap_or(DEFAULT_CRS) {
        "" | DEFAULT_CRS => members.push(format!("\"crs\":\"{DEFAULT_CRS}\",\"crs_type\":\"authority_code\"")),
        "srid:0" => {}
        crs => members.push(match (crs.strip_prefix("srid:"), crs.strip_prefix("projjson:").and_then(key_value)) {
            (Some(srid), _) => format!("\"crs\":{},\"crs_type\":\"srid\"", json::quote(srid)),
            (_, Some(text)) if json::members(text).is_some() => projjson(text),
            _ if json::members(crs).is_some() => projjson(crs),
            _ => format!("\"crs\":{}", json::quote(crs)),
        }),
    }
    if let Some(edges) = algorithm.and_then(edges) {
        members.push(format!("\"edges\":\"{edges}\""));
    }
    format!("{{{}}}", members.join(","))
}

/// The name of an algorithm in GeoArrow's metadata.
fn edges(algorithm: EdgeInterpolationAlgorithm) -> Option<&'static str> {
    Some(match algorithm {
        EdgeInterpolationAlgorithm::Spherical => "spherical",
        EdgeInterpolationAlgorithm::Vincenty => "vincenty",
        EdgeInterpolationAlgorithm::Thomas => "thomas",
        EdgeInterpolationAlgorithm::Andoyer => "andoyer",
        EdgeInterpolationAlgorithm::Karney => "karney",
        EdgeInterpolationAlgorithm::Unknown(_) => return None,
    })
}

/// The logical type of well-known binary with these parameters.
fn geospatial(parameters: &str) -> LogicalType {
    let members = json::members(parameters).unwrap_or_default();
    let member = |name: &str| members.iter().find(|(member, _)| member == name).map(|(_, value)| *value);
    let crs = match member("crs") {
        // GeoArrow says by this that the system is not known.
        None | Some("null") => Some("srid:0".to_owned()),
        Some(value) => match (json::unquote(value), member("crs_type")) {
            (Some(srid), Some("\"srid\"")) => Some(format!("srid:{srid}")),
            (Some(text), _) => (text != DEFAULT_CRS).then_some(text),
            (None, _) => Some(value.to_owned()),
        },
    };
    let algorithm = match member("edges") {
        Some("\"spherical\"") => EdgeInterpolationAlgorithm::Spherical,
        Some("\"vincenty\"") => EdgeInterpolationAlgorithm::Vincenty,
        Some("\"thomas\"") => EdgeInterpolationAlgorithm::Thomas,
        Some("\"andoyer\"") => EdgeInterpolationAlgorithm::Andoyer,
        Some("\"karney\"") => EdgeInterpolationAlgorithm::Karney,
        _ => return LogicalType::Geometry { crs },
    };
    LogicalType::Geography { crs, algorithm: Some(algorithm) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(logical_type: &LogicalType) -> String {
        let mut metadata = HashMap::new();
        let key_value = |key: &str| match key {
            "system" => Some("{\"id\": 1}"),
            "broken" => Some("{"),
            _ => None,
        };
        add(Some(logical_type), &DataType::Binary, &key_value, &mut metadata);
        metadata.remove(METADATA).unwrap()
    }

    #[test]
    fn geospatial_types_keep_their_system() {
        let geometry = |crs: Option<&str>| LogicalType::Geometry { crs: crs.map(str::to_owned) };
        assert_eq!(parameters(&geometry(None)), r#"{"crs":"OGC:CRS84","crs_type":"authority_code"}"#);
        assert_eq!(parameters(&geometry(Some("srid:0"))), "{}");
        assert_eq!(parameters(&geometry(Some("srid:5070"))), r#"{"crs":"5070","crs_type":"srid"}"#);
        assert_eq!(parameters(&geometry(Some("{\"id\": 5}"))), r#"{"crs":{"id": 5},"crs_type":"projjson"}"#);
        assert_eq!(parameters(&geometry(Some("projjson:system"))), r#"{"crs":{"id": 1},"crs_type":"projjson"}"#);
        assert_eq!(parameters(&geometry(Some("projjson:broken"))), r#"{"crs":"projjson:broken"}"#);
        assert_eq!(parameters(&geometry(Some("{oh \"no\""))), r#"{"crs":"{oh \"no\""}"#);
        let geography = LogicalType::Geography { crs: None, algorithm: None };
        assert_eq!(parameters(&geography), r#"{"crs":"OGC:CRS84","crs_type":"authority_code","edges":"spherical"}"#);
    }

    #[test]
    fn geospatial_types_come_back() {
        let algorithms = [
            EdgeInterpolationAlgorithm::Spherical,
            EdgeInterpolationAlgorithm::Vincenty,
            EdgeInterpolationAlgorithm::Thomas,
            EdgeInterpolationAlgorithm::Andoyer,
            EdgeInterpolationAlgorithm::Karney,
        ];
        for crs in [None, Some("srid:0"), Some("srid:4326"), Some("EPSG:3857"), Some("{\"id\": 5}"), Some("odd \"one\"\n")] {
            let crs = crs.map(str::to_owned);
            let mut types = vec![LogicalType::Geometry { crs: crs.clone() }];
            types.extend(algorithms.map(|algorithm| LogicalType::Geography { crs: crs.clone(), algorithm: Some(algorithm) }));
            for logical in types {
                let metadata = HashMap::from([(NAME.to_owned(), WKB.to_owned()), (METADATA.to_owned(), parameters(&logical))]);
                let field = Field::new("g", DataType::BinaryView, true).with_metadata(metadata);
                assert_eq!(logical_type(&field), Some(logical));
            }
        }
    }

    #[test]
    fn an_extension_needs_its_storage() {
        let metadata = HashMap::from([(NAME.to_owned(), UUID.to_owned())]);
        assert_eq!(logical_type(&Field::new("u", DataType::FixedSizeBinary(15), true).with_metadata(metadata.clone())), None);
        assert_eq!(logical_type(&Field::new("u", DataType::FixedSizeBinary(16), true).with_metadata(metadata)), Some(LogicalType::Uuid));
        let mut none = HashMap::new();
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        add(Some(&LogicalType::Json), &dictionary, &|_| None, &mut none);
        assert!(none.is_empty());
    }
}
