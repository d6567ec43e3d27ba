//! What `verify` finds in files of others: nothing but what is known of their writer.

use std::collections::BTreeSet;

use bytes::Bytes;
use herringbone::verify::{Code, Finding, VerifyOptions, verify};

/// What a writer gets wrong in files whose names begin so, and in columns whose paths have this in them.
struct Known {
    writer: &'static str,
    files: &'static [&'static str],
    columns: &'static [&'static str],
    codes: &'static [Code],
    why: &'static str,
}

const KNOWN: &[Known] = &[
    Known {
        writer: "pyarrow",
        files: &["dictionary_text-"],
        columns: &["struct.", "deep."],
        codes: &[Code::StatisticsNulls, Code::ColumnIndexNulls],
        why: "of dictionaries of text it counts the nulls without those of the groups around them",
    },
    Known {
        writer: "pyarrow",
        files: &["text-lz4-delta"],
        columns: &["required", "optional"],
        codes: &[Code::SizeBytes],
        why: "it counts too few bytes of DELTA_BYTE_ARRAY",
    },
    Known {
        writer: "duckdb",
        files: &["fixed_5-"],
        columns: &["struct.", "deep."],
        codes: &[Code::StatisticsExactness, Code::TrailingBytes],
        why: "it shifts fixed-width binary from Arrow where structs around it are null (see `WRONG` of hold.py)",
    },
    Known {
        writer: "spark",
        files: &["boolean-lz4_raw"],
        columns: ALL,
        codes: &[Code::BloomFilterValue],
        why: "it writes bloom filters of booleans and puts nothing into them",
    },
    Known {
        writer: "spark",
        files: &["float32-", "float32_alp-", "float64-", "float64_alp-"],
        columns: ALL,
        codes: &[Code::BoundNan],
        why: "its bounds are NaN where a value is",
    },
    Known {
        writer: "official crate",
        files: ALL,
        columns: &[".list.", ".key_value.", ".entries."],
        codes: &[Code::ColumnIndexNullPage],
        why: "it takes a page with as many nulls as rows for one of nulls alone, though lists have more values than that",
    },
];

const ALL: &[&str] = &[""];

impl Known {
    fn covers(&self, file: &str, finding: &Finding) -> bool {
        let path = finding.place.column.as_deref().unwrap_or_default();
        self.codes.contains(&finding.code)
            && self.files.iter().any(|start| file.starts_with(start))
            && self.columns.iter().any(|part| path.contains(part))
    }
}

/// The findings of one writer's files.
pub struct Findings {
    writer: &'static str,
    /// Reasons of the table that there were findings for.
    met: BTreeSet<&'static str>,
}

impl Findings {
    pub fn new(writer: &'static str) -> Self {
        Self { writer, met: BTreeSet::new() }
    }

    fn known(&self) -> impl Iterator<Item = &'static Known> {
        KNOWN.iter().filter(|known| known.writer == self.writer)
    }

    /// Verifies a file.
    pub fn check(&mut self, name: &str, bytes: &Bytes) -> Result<(), String> {
        let report = verify(bytes, &VerifyOptions::default()).map_err(|error| error.to_string())?;
        for finding in &report.findings {
            let known = self.known().find(|known| known.covers(name, finding)).ok_or_else(|| finding.to_string())?;
            self.met.insert(known.why);
        }
        Ok(())
    }

    /// Lines of the table that nothing falls under are out of date.
    pub fn assert_all_met(&self) {
        for known in self.known() {
            assert!(self.met.contains(known.why), "{} is said to go wrong, and does not: {}", self.writer, known.why);
        }
    }
}
