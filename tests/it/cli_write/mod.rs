//! The half of the command that writes Parquet files.

mod bench;
mod convert;
mod flags;
#[cfg(unix)]
mod full;
#[cfg(unix)]
mod kill;
mod merge;

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use herringbone::arrow::ParquetFile;
use serde_json::Value;

use crate::cli::{command, printed};

/// All rows of a Parquet file.
fn rows(path: impl AsRef<Path>) -> RecordBatch {
    let scan = ParquetFile::open(path).expect("a Parquet file").scan().build().expect("a scan");
    let schema = scan.schema();
    concat_batches(&schema, &scan.read_all().expect("rows")).expect("batches of one schema")
}

/// The rows of a file as lines of JSON.
fn lines(path: &str) -> Vec<String> {
    printed(&["cat", "--format", "json", path]).lines().map(str::to_owned).collect()
}

fn metadata(path: &str) -> Value {
    serde_json::from_str(&printed(&["meta", "--json", path])).expect("JSON")
}

/// The pages of a column, as the command tells of them.
fn pages(path: &str, column: &str) -> Vec<Value> {
    printed(&["pages", "--json", "-c", column, path]).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Runs the command with bytes on its standard input.
fn run_with(args: &[&str], input: &[u8]) -> Output {
    let mut child = command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Whoever has seen enough closes the pipe.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("an end")
}

/// A folder to write to, and paths in it as text.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Writes a file and returns its path.
    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        std::fs::write(self.0.path().join(name), contents).expect("written");
        self.path(name)
    }
}
