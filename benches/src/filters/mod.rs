//! Questions to lineitem that want few of its rows, or nearly all: filters, a count, rows by their numbers.

mod herringbone;
mod official;

use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use crate::compare::{Comparison, agreement, guarded, measures, threads};
use crate::random::Random;
use crate::report::{Row, Section};
use crate::{Result, digest, make};

/// What is asked of a file.
pub struct Question {
    pub name: &'static str,
    /// All have to be true of a row.
    pub conditions: Vec<Condition>,
    pub wanted: Wanted,
}

/// What is wanted of the rows that pass.
pub enum Wanted {
    /// These columns, or all.
    Columns(Option<&'static [&'static str]>),
    /// Their number.
    Count,
    /// All columns of the rows of these numbers, which ascend; there are no conditions.
    Rows(Vec<u64>),
}

/// A comparison of a column with a constant.
#[derive(Clone, Copy)]
pub struct Condition {
    pub column: &'static str,
    pub op: Op,
    pub value: Value,
}

/// How is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A constant.
#[derive(Clone, Copy)]
pub enum Value {
    Integer(i64),
    /// A decimal number, in hundredths.
    Cents(i64),
    /// Days since 1970-01-01.
    Day(i32),
}

/// Who answers.
pub trait Respondent {
    fn name(&self) -> &'static str;

    /// Opens the file and answers, on so many threads: batches of the rows in the order of the file, and how many they are.
    fn answer(&self, path: &Path, question: &Question, threads: usize) -> Result<Answer>;

    /// What it reads to answer, in words, if it knows.
    fn effort(&self, path: &Path, question: &Question) -> Result<String>;
}

/// What was found: of a count the number alone.
pub struct Answer {
    pub rows: u64,
    pub batches: Vec<RecordBatch>,
}

impl Answer {
    fn of(batches: Vec<RecordBatch>) -> Self {
        Self { rows: batches.iter().map(|batch| batch.num_rows() as u64).sum(), batches }
    }

    /// Numbers that depend on the number of rows and on their values.
    fn digests(&self) -> Result<Vec<u64>> {
        let columns = if self.rows == 0 { Vec::new() } else { digest::of_batches(&self.batches)? };
        Ok(std::iter::once(self.rows).chain(columns).collect())
    }
}

/// Files like lineitem that are asked, in place of those that are made.
#[derive(Clone, Debug, Default)]
pub struct Lineitems {
    pub generated: Option<PathBuf>,
    pub sorted: Option<PathBuf>,
}

/// Ours first. Where nearly all rows pass, the official crate is faster if nothing is skipped while decoding: it is asked both ways.
fn respondents() -> Vec<Box<dyn Respondent>> {
    vec![
        Box::new(herringbone::Herringbone),
        Box::new(official::Official { name: "parquet 60", while_decoding: true }),
        Box::new(official::Official { name: "parquet 60, rows dropped last", while_decoding: false }),
    ]
}

/// The questions to a file; numbers and a key are taken from it.
fn questions(path: &Path) -> Result<Vec<Question>> {
    let all = |name, conditions| Question { name, conditions, wanted: Wanted::Columns(None) };
    let few = Wanted::Columns(Some(&["l_orderkey", "l_extendedprice", "l_shipdate"]));
    let is = |column, op, value| Condition { column, op, value };
    let rows = ::herringbone::arrow::ParquetFile::open(path)?.metadata().num_rows();
    let mut random = Random::new(10);
    let mut numbers: Vec<u64> = (0..10).map(|_| random.below(rows)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    Ok(vec![
        all("one l_orderkey, all columns", vec![is("l_orderkey", Op::Equal, Value::Integer(key(path, rows / 2)?))]),
        Question {
            name: "one month of l_shipdate, 3 columns",
            // March 1995.
            conditions: vec![is("l_shipdate", Op::GreaterOrEqual, Value::Day(9_190)), is("l_shipdate", Op::Less, Value::Day(9_221))],
            wanted: few,
        },
        all(
            "l_quantity > 49 AND l_discount > 0.09, all columns",
            vec![is("l_quantity", Op::Greater, Value::Cents(4_900)), is("l_discount", Op::Greater, Value::Cents(9))],
        ),
        all("keeps two thirds, all columns", vec![is("l_linenumber", Op::Less, Value::Integer(4))]),
        all("keeps all, all columns", vec![is("l_linenumber", Op::LessOrEqual, Value::Integer(7))]),
        Question {
            name: "count, by statistics alone",
            conditions: vec![is("l_linenumber", Op::LessOrEqual, Value::Integer(7))],
            wanted: Wanted::Count,
        },
        Question { name: "10 rows by number, all columns", conditions: Vec::new(), wanted: Wanted::Rows(numbers) },
    ])
}

/// The order's key of a row.
fn key(path: &Path, row: u64) -> Result<i64> {
    let scan = ::herringbone::arrow::ParquetFile::open(path)?.scan().columns(["l_orderkey"]).offset(row).limit(1).build()?;
    let batches = scan.read_all()?;
    let column = batches.first().ok_or("a file without rows has no keys")?.column(0);
    Ok(column.as_primitive_opt::<Int64Type>().ok_or("l_orderkey is no column of 64-bit integers")?.value(0))
}

impl Comparison {
    /// Asks lineitem as generated and lineitem sorted by `l_shipdate`, or the files that are given.
    pub fn filters(&self, given: &Lineitems) -> Result<Section> {
        let respondents = respondents();
        let title = format!("Questions to lineitem on {}", threads(self.threads));
        let mut section = Section { title, unit: "ms", engines: respondents.iter().map(|one| one.name()).collect(), rows: Vec::new() };
        for (name, path) in self.lineitems(given)? {
            for question in questions(&path)? {
                let subject = format!("{name}: {}", question.name);
                if self.wanted(&subject) {
                    section.rows.push(self.ask(subject, &respondents, &path, &question)?);
                    eprint!(".");
                }
            }
        }
        eprintln!();
        Ok(section)
    }

    fn lineitems(&self, given: &Lineitems) -> Result<Vec<(&'static str, PathBuf)>> {
        let Lineitems { generated, sorted } = given.clone();
        if generated.is_none() && sorted.is_none() {
            let generated = make::file(&self.files, "lineitem", self.scale)?;
            return Ok(vec![("as generated", generated), ("sorted", make::sorted(&self.files, self.scale)?)]);
        }
        let named = [("as generated", generated), ("sorted", sorted)];
        Ok(named.into_iter().filter_map(|(name, path)| Some((name, path?))).collect())
    }

    /// Best times of answering, after all were seen to give the same answer.
    fn ask(&self, subject: String, respondents: &[Box<dyn Respondent>], path: &Path, question: &Question) -> Result<Row> {
        let answer = |one: &dyn Respondent| one.answer(path, question, self.threads);
        let digests = respondents.iter().map(|one| guarded(|| answer(one.as_ref())?.digests())).collect();
        let names: Vec<&str> = respondents.iter().map(|one| one.name()).collect();
        let mut failures = agreement(&subject, &names, digests)?;
        let times = self.best_of(&mut failures, |i| {
            let start = Instant::now();
            let found = answer(respondents[i].as_ref())?;
            let time = start.elapsed();
            // Given back outside of the time.
            drop(found);
            Ok(time)
        });
        let note = respondents.iter().map(|one| one.effort(path, question)).collect::<Result<Vec<_>>>()?.concat();
        Ok(Row { subject, measures: measures(times, failures, 1e3), note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::of_batches;

    fn comparison(name: &str) -> Comparison {
        let files = std::env::temp_dir().join(format!("benches-filters-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&files).expect("a folder");
        Comparison { engines: Vec::new(), files, scale: 0.005, runs: 1, threads: 1, only: Vec::new() }
    }

    /// Of both files, on one thread and on two; and the questions are such that they keep what their names say.
    #[test]
    fn answers_agree() {
        let comparison = comparison("agree");
        for threads in [1, 2] {
            let section = Comparison { threads, files: comparison.files.clone(), ..self::comparison("agree") };
            let section = section.filters(&Lineitems::default()).expect("a section");
            assert_eq!(section.rows.len(), 14);
            assert!(section.rows.iter().all(|row| row.measures.iter().all(Result::is_ok)));
        }
        for (name, path) in comparison.lineitems(&Lineitems::default()).expect("files") {
            let rows: Vec<u64> = questions(&path)
                .expect("questions")
                .iter()
                .map(|question| herringbone::Herringbone.answer(&path, question, 1).expect("an answer").rows)
                .collect();
            let all = rows[4];
            assert!((1..200).contains(&rows[0]), "{name}: {rows:?}");
            assert!((all / 200..all / 50).contains(&rows[1]), "{name}: {rows:?}");
            assert!((1..all / 200).contains(&rows[2]), "{name}: {rows:?}");
            assert!((all / 2..all * 3 / 4).contains(&rows[3]), "{name}: {rows:?}");
            assert_eq!((rows[5], rows[6]), (all, 10), "{name}");
        }
        std::fs::remove_dir_all(&comparison.files).expect("the folder is there");
    }

    /// The sorted file has the rows of the other one.
    #[test]
    fn sorting_moves_rows_only() {
        let comparison = comparison("sorted");
        let both = comparison.lineitems(&Lineitems::default()).expect("files");
        let days = |path: &Path| {
            let scan = ::herringbone::arrow::ParquetFile::open(path).expect("a file").scan().columns(["l_shipdate"]).build();
            let batches = scan.expect("a scan").read_all().expect("batches");
            let days = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<arrow_array::types::Date32Type>().values().to_vec());
            (days.collect::<Vec<i32>>(), of_batches(&batches).expect("digests"))
        };
        let ((mut generated, _), (sorted, _)) = (days(&both[0].1), days(&both[1].1));
        assert!(generated != sorted && sorted.is_sorted());
        generated.sort_unstable();
        assert_eq!(generated, sorted);
        std::fs::remove_dir_all(&comparison.files).expect("the folder is there");
    }
}
