//! This crate, by its filters.

use std::path::Path;

use herringbone::arrow::{ParquetFile, Scan};
use herringbone::predicate::{Expr, Literal, col};

use super::{Answer, Op, Question, Respondent, Value, Wanted};
use crate::Result;

pub struct Herringbone;

impl Respondent for Herringbone {
    fn name(&self) -> &'static str {
        "herringbone"
    }

    fn answer(&self, path: &Path, question: &Question, threads: usize) -> Result<Answer> {
        let mut scan = scan(path, question, threads)?;
        if !matches!(question.wanted, Wanted::Count) {
            return Ok(Answer::of(scan.read_all()?));
        }
        let rows = match scan.is_exact() {
            true => scan.num_rows(),
            false => scan.try_fold(0, |rows, batch| batch.map(|batch| rows + batch.num_rows() as u64))?,
        };
        Ok(Answer { rows, batches: Vec::new() })
    }

    fn effort(&self, path: &Path, question: &Question) -> Result<String> {
        let mut scan = scan(path, question, 1)?;
        if !(matches!(question.wanted, Wanted::Count) && scan.is_exact()) {
            scan.by_ref().try_for_each(|batch| batch.map(drop))?;
        }
        let metrics = scan.metrics();
        Ok(format!("{:.3} MB in {} reads, {} pages decoded", metrics.bytes_fetched as f64 / 1e6, metrics.reads, metrics.pages_decoded))
    }
}

fn scan(path: &Path, question: &Question, threads: usize) -> Result<Scan> {
    let mut scan = ParquetFile::open(path)?.scan().threads(threads);
    for condition in &question.conditions {
        let literal = match condition.value {
            Value::Integer(value) => Literal::from(value),
            Value::Cents(cents) => Literal::decimal(&format!("{cents}e-2"))?,
            Value::Day(day) => Literal::Date(i64::from(day)),
        };
        scan = scan.filter(compare(condition.column, condition.op, literal));
    }
    Ok(match &question.wanted {
        Wanted::Columns(None) => scan,
        Wanted::Columns(Some(columns)) => scan.columns(columns.iter().copied()),
        Wanted::Count => scan.columns(Vec::<String>::new()),
        Wanted::Rows(numbers) => scan.rows(numbers.iter().map(|number| *number..number + 1)),
    }
    .build()?)
}

fn compare(column: &str, op: Op, literal: Literal) -> Expr {
    match op {
        Op::Equal => col(column).eq(literal),
        Op::Less => col(column).lt(literal),
        Op::LessOrEqual => col(column).lt_eq(literal),
        Op::Greater => col(column).gt(literal),
        Op::GreaterOrEqual => col(column).gt_eq(literal),
    }
}
