//! What can be chosen for record batches. Whoever writes plain columns has no use for it.

use crate::schema::TimeUnit;

/// How record batches become columns; the setters are where those are written.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(not(feature = "arrow"), allow(dead_code))]
pub(crate) struct BatchSettings {
    /// The name of the schema's root.
    pub(crate) root: String,
    /// Whether the schema of the batches is kept in the file.
    pub(crate) stored_schema: bool,
    /// Whether timestamps are INT96.
    pub(crate) int96_timestamps: bool,
    /// The unit of all timestamps.
    pub(crate) timestamp_unit: Option<TimeUnit>,
    /// Whether parts of values that columns cannot hold may be lost.
    pub(crate) allow_truncation: bool,
    /// Whether decimals of up to 18 digits are integers.
    pub(crate) decimals_as_integers: bool,
    /// Whether names are free of what Spark does not take.
    pub(crate) spark_names: bool,
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self {
            root: "schema".to_owned(),
            stored_schema: true,
            int96_timestamps: false,
            timestamp_unit: None,
            allow_truncation: false,
            decimals_as_integers: true,
            spark_names: false,
        }
    }
}
