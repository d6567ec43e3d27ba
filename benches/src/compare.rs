//! Engines in turn on the same files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::engines::{Engine, Table, WriteCodec};
use crate::report::{Row, Section};
use crate::{Result, make, shapes};

/// What is compared, and how.
pub struct Comparison {
    pub engines: Vec<Box<dyn Engine>>,
    pub files: PathBuf,
    pub scale: f64,
    pub runs: u32,
    pub threads: usize,
    /// Only files whose name contains one of these, if there are any.
    pub only: Vec<String>,
}

/// What writing is measured with: a file to read first, and the codec.
const WRITTEN: &[(&str, WriteCodec)] = &[
    ("i64_plain_req", WriteCodec::None),
    ("i64_dict_null10", WriteCodec::None),
    ("f64_plain_zstd", WriteCodec::Zstd),
    ("bool_plain_null10", WriteCodec::None),
    ("str_dict_req", WriteCodec::Snappy),
    ("str_plain_snappy", WriteCodec::Snappy),
    ("list_i32", WriteCodec::Snappy),
    ("list_struct", WriteCodec::Snappy),
    ("flights_zstd", WriteCodec::Zstd),
    ("lineitem", WriteCodec::Snappy),
    ("lineitem_zstd", WriteCodec::Zstd),
];

/// Columns of the files that show what a column costs.
const WIDTHS: [usize; 4] = [100, 1_000, 4_000, 20_000];

impl Comparison {
    fn section(&self, title: String, unit: &'static str) -> Section {
        Section { title, unit, engines: self.engines.iter().map(|engine| engine.name()).collect(), rows: Vec::new() }
    }

    /// Whether a subject of this name is measured.
    pub fn wanted(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }

    /// Reads every file whole.
    pub fn reading(&self) -> Result<Section> {
        let mut section = self.section(format!("Reading whole files on {}", threads(self.threads)), "ms");
        for name in make::names().into_iter().filter(|name| self.wanted(name)) {
            let path = make::file(&self.files, name, self.scale)?;
            section.rows.push(self.read(name.to_owned(), &path, None, 1e3)?);
            eprint!(".");
        }
        eprintln!();
        Ok(section)
    }

    /// Opens wide files and reads one column, or all.
    pub fn metadata(&self) -> Result<Section> {
        let mut section =
            self.section(format!("Opening a file and reading columns of it on {}", threads(self.threads)), "as each row says");
        let path = make::wide(&self.files, 4_000, 20, 100)?;
        let middle = [shapes::wide_name(2_000)];
        section.rows.push(self.read("1 of 4,000 columns × 20 row groups, ms".into(), &path, Some(&middle), 1e3)?);
        for columns in WIDTHS {
            let path = make::wide(&self.files, columns, 1, 100)?;
            let names: Vec<String> = (0..columns).map(shapes::wide_name).collect();
            section.rows.push(self.read(format!("all of {columns} columns, µs a column"), &path, Some(&names), 1e6 / columns as f64)?);
            section.rows.push(self.read(format!("1 of {columns} columns, ms"), &path, Some(&names[columns / 2..][..1]), 1e3)?);
        }
        Ok(section)
    }

    /// Writes what was read from a file to memory, each engine what it read itself.
    pub fn writing(&self) -> Result<Section> {
        let mut section = self.section("Writing files to memory on one thread".into(), "ms");
        for &(name, codec) in WRITTEN.iter().filter(|(name, _)| self.wanted(name)) {
            let path = make::file(&self.files, name, self.scale)?;
            section.rows.push(self.write(name, codec, &path)?);
            eprint!(".");
        }
        eprintln!();
        Ok(section)
    }

    /// Best times of reading, after all engines have been seen to read the same values.
    fn read(&self, subject: String, path: &Path, columns: Option<&[String]>, factor: f64) -> Result<Row> {
        let digests = self.engines.iter().map(|engine| guarded(|| engine.read(path, columns, self.threads)?.digests())).collect();
        let names: Vec<&str> = self.engines.iter().map(|engine| engine.name()).collect();
        let mut failures = agreement(&subject, &names, digests)?;
        let times = self.best(&mut failures, |engine| {
            let start = Instant::now();
            let table = engine.read(path, columns, self.threads)?;
            let time = start.elapsed();
            // Given back outside of the time.
            drop(table);
            Ok(time)
        });
        Ok(Row { subject, measures: measures(times, failures, factor), note: String::new() })
    }

    fn write(&self, name: &str, codec: WriteCodec, path: &Path) -> Result<Row> {
        let subject = format!("{name} ({})", codec.name());
        let tables: Vec<Result<Box<dyn Table>>> = self.engines.iter().map(|engine| guarded(|| engine.read(path, None, 1))).collect();
        let rows = tables.iter().flatten().map(|table| table.rows()).max().unwrap_or(0);
        let mut outs: Vec<Vec<u8>> = vec![Vec::new(); tables.len()];
        let mut failures: Vec<Option<String>> = Vec::new();
        // What each wrote is read by ours.
        let mut digests = vec![tables.first().ok_or("there is no engine")?.as_ref().map_err(ToString::to_string)?.digests()];
        for (table, out) in tables.iter().zip(&mut outs) {
            digests.push(guarded(|| {
                table.as_ref().map_err(ToString::to_string)?.write(codec, ROW_GROUP.min(rows), out)?;
                self.read_back(path, out)
            }));
        }
        let names: Vec<&str> = ["what was read"].into_iter().chain(self.engines.iter().map(|engine| engine.name())).collect();
        failures.extend(agreement(&subject, &names, digests)?.into_iter().skip(1));
        let times = self.best_of(&mut failures, |i| {
            let out = &mut outs[i];
            out.clear();
            let table = tables[i].as_ref().map_err(ToString::to_string)?;
            let start = Instant::now();
            table.write(codec, ROW_GROUP.min(rows), out)?;
            Ok(start.elapsed())
        });
        let sizes = outs.iter().map(|out| format!("{:.1}", out.len() as f64 / 1e6)).collect::<Vec<_>>().join(" / ");
        Ok(Row { subject, measures: measures(times, failures, 1e3), note: format!("{sizes} MB") })
    }

    /// The values of a file in memory.
    fn read_back(&self, beside: &Path, bytes: &[u8]) -> Result<Vec<u64>> {
        let path = beside.with_extension(format!("written.{}", std::process::id()));
        std::fs::write(&path, bytes)?;
        let digests = self.engines[0].read(&path, None, 1).and_then(|table| table.digests());
        std::fs::remove_file(&path)?;
        digests
    }

    fn best(&self, failures: &mut [Option<String>], mut run: impl FnMut(&dyn Engine) -> Result<Duration>) -> Vec<Duration> {
        self.best_of(failures, |i| run(self.engines[i].as_ref()))
    }

    /// The best of some runs, engines in turn, so that a drift of the machine hits all of them. Those that failed are left out.
    pub fn best_of(&self, failures: &mut [Option<String>], mut run: impl FnMut(usize) -> Result<Duration>) -> Vec<Duration> {
        let mut best = vec![Duration::MAX; failures.len()];
        for round in 0..self.runs as usize {
            for turn in 0..failures.len() {
                let i = (turn + round) % failures.len();
                if failures[i].is_none() {
                    match guarded(|| run(i)) {
                        Ok(time) => best[i] = best[i].min(time),
                        Err(error) => failures[i] = Some(error.to_string()),
                    }
                }
            }
        }
        best
    }
}

/// Rows of the row groups written.
const ROW_GROUP: usize = 1_000_000;

/// So many threads, in words.
pub fn threads(n: usize) -> String {
    if n == 1 { "one thread".into() } else { format!("{n} threads") }
}

/// Peers may panic; that is a failure of theirs and not of the comparison.
pub fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("it panicked".into()))
}

/// Who failed, and why. The first may not fail; other values than the first's are an error of the comparison.
pub fn agreement(subject: &str, names: &[&str], digests: Vec<Result<Vec<u64>>>) -> Result<Vec<Option<String>>> {
    let mut found = names.iter().zip(digests);
    let (first, values) = found.next().ok_or("there is no engine")?;
    let values = values.map_err(|error| format!("{subject}: {first}: {error}"))?;
    let mut failures = vec![None];
    for (name, digests) in found {
        match digests {
            Ok(same) if same == values => failures.push(None),
            Ok(_) => return Err(format!("{subject}: {name} has other values than {first}").into()),
            Err(error) => {
                eprintln!("{subject}: {name} fails: {error}");
                failures.push(Some(error.to_string()));
            }
        }
    }
    Ok(failures)
}

/// Times in the unit that the factor makes of seconds, or why there is none.
pub fn measures(times: Vec<Duration>, failures: Vec<Option<String>>, factor: f64) -> Vec<Result<f64, String>> {
    let measure = |(time, failure): (Duration, Option<String>)| failure.map_or(Ok(time.as_secs_f64() * factor), Err);
    times.into_iter().zip(failures).map(measure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(only: &[&str]) -> Comparison {
        let files = std::env::temp_dir().join(format!("benches-{}-{}", std::process::id(), only.len()));
        std::fs::create_dir_all(&files).expect("a folder");
        let only = only.iter().map(|name| name.to_string()).collect();
        Comparison { engines: crate::engines::all(), files, scale: 0.001, runs: 1, threads: 1, only }
    }

    /// Every file but the wide one is made and read by all engines with the same values, on one thread and on two.
    #[test]
    fn engines_agree() {
        let names: Vec<&str> = make::names().into_iter().filter(|name| !name.starts_with("wide")).collect();
        for threads in [1, 2] {
            let section = Comparison { threads, ..comparison(&names) }.reading().expect("a section");
            assert_eq!(section.rows.len(), names.len());
            let failed: Vec<&str> =
                section.rows.iter().filter(|row| row.measures.iter().any(|m| m.is_err())).map(|row| row.subject.as_str()).collect();
            // Polars refuses the order of values that the official crate notes for INT96.
            let expected: &[&str] = if cfg!(feature = "polars") { &["ts_int96"] } else { &[] };
            assert_eq!(failed, expected);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let section = comparison(&["i64", "list", "lineitem"]).writing().expect("a section");
        assert_eq!(section.rows.len(), 6);
        assert!(section.rows.iter().all(|row| row.ratio().is_some()));
    }

    #[test]
    fn other_values_are_an_error() {
        let agreement = |digests| agreement("a", &["ours", "one", "two"], digests);
        assert!(agreement(vec![Ok(vec![1]), Ok(vec![2])]).is_err());
        assert!(agreement(vec![Err("no".into()), Ok(vec![2])]).is_err());
        let failures = agreement(vec![Ok(vec![1]), Err("no".into()), Ok(vec![1])]).expect("failures");
        assert_eq!(failures, [None, Some("no".to_owned()), None]);
    }
}
