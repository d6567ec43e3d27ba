//! Formats of files, by what their names end in.

use std::path::Path;

use clap::ValueEnum;

/// A format that is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Parquet
    Parquet,
    /// Arrow IPC ("Feather V2")
    Arrow,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
}

impl Format {
    /// The format that the ending of a file's name stands for.
    pub fn of_ending(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "parquet" | "parq" | "pq" => Some(Format::Parquet),
            "arrow" | "arrows" | "feather" | "ipc" => Some(Format::Arrow),
            "ndjson" | "jsonl" | "json" => Some(Format::Ndjson),
            "csv" | "tsv" => Some(Format::Csv),
            _ => None,
        }
    }

    /// What stands between the values of a CSV file that is called so, where nobody says.
    pub fn delimiter_of(path: &Path) -> u8 {
        let is_tsv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
        if is_tsv { b'\t' } else { b',' }
    }

    /// The format that a file's first bytes are those of.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        // A message of an Arrow stream begins with a mark and its length.
        if bytes.starts_with(b"ARROW1") || bytes.starts_with(&[0xff; 4]) {
            return Some(Format::Arrow);
        }
        if bytes.starts_with(b"PAR1") || bytes.starts_with(b"PARE") {
            return Some(Format::Parquet);
        }
        let text = bytes.trim_ascii_start();
        text.starts_with(b"{").then_some(Format::Ndjson)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        for (name, format) in [
            ("a.arrow", Some(Format::Arrow)),
            ("a.b.CSV", Some(Format::Csv)),
            ("x/y.jsonl", Some(Format::Ndjson)),
            ("x.parquet", Some(Format::Parquet)),
            ("arrow", None),
            ("a.", None),
            (".csv", None),
        ] {
            assert_eq!(Format::of_ending(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn first_bytes() {
        assert_eq!(Format::of_bytes(b"ARROW1\0\0"), Some(Format::Arrow));
        assert_eq!(Format::of_bytes(b"\xff\xff\xff\xff\x78\0\0\0"), Some(Format::Arrow));
        assert_eq!(Format::of_bytes(b"PAR1\x15"), Some(Format::Parquet));
        assert_eq!(Format::of_bytes(b"\n {\"a\":1}"), Some(Format::Ndjson));
        assert_eq!(Format::of_bytes(b"a,b\n"), None);
        assert_eq!(Format::of_bytes(b""), None);
    }
}
