//! Random expressions and their naive evaluation.

use std::cmp::Ordering;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use herringbone::predicate::{Expr, Literal, col};

use super::cells::{Cell, Column};
use crate::arrow_write::arrays::Random;

/// An expression whose columns are numbers of columns.
#[derive(Debug)]
pub enum Naive {
    Compare(usize, u8, Cell),
    Between(usize, Cell, Cell),
    In(usize, Vec<Cell>, bool),
    Prefix(usize, Vec<u8>),
    /// A substring between two `%`.
    Like(usize, String),
    Null(usize),
    Not(Box<Naive>),
    And(Vec<Naive>),
    Or(Vec<Naive>),
}

impl Naive {
    /// An expression about some of the columns, with values of theirs as constants.
    pub fn random(random: &mut Random, columns: &[Column], batch: &RecordBatch, depth: usize) -> Self {
        if depth > 0 && random.one_in(2) {
            let terms = |random: &mut Random| (0..1 + random.below(3)).map(|_| Self::random(random, columns, batch, depth - 1)).collect();
            return match random.below(5) {
                0 => Naive::Not(Box::new(Self::random(random, columns, batch, depth - 1))),
                1 | 2 => Naive::And(terms(random)),
                _ => Naive::Or(terms(random)),
            };
        }
        let column = random.below(columns.len());
        let described = &columns[column];
        if !described.compares || batch.num_rows() == 0 || random.one_in(8) {
            return Naive::Null(column);
        }
        let cell = |random: &mut Random| {
            let cell = described.cell(batch, random.below(batch.num_rows()))?;
            let cell = if random.one_in(4) { cell.beside(random.one_in(2)) } else { cell };
            Some(cell).filter(|cell| cell.is_sayable(&described.data_type))
        };
        let some = |random: &mut Random| (0..20).find_map(|_| cell(random));
        let Some(cell) = some(random) else { return Naive::Null(column) };
        match (random.below(10), &described.data_type) {
            (0..2, _) => Naive::Between(column, cell.clone(), some(random).unwrap_or(cell)),
            (2..4, _) => Naive::In(column, (0..1 + random.below(12)).filter_map(|_| some(random)).collect(), random.one_in(6)),
            (4, DataType::Utf8) => {
                let Cell::Bytes(bytes) = cell else { panic!("text") };
                let text: String =
                    String::from_utf8(bytes).expect("text").chars().skip(random.below(2)).take(1 + random.below(3)).collect();
                Naive::Like(column, text)
            }
            (5, DataType::Utf8 | DataType::Binary) => {
                let Cell::Bytes(bytes) = cell else { panic!("bytes") };
                let mut end = random.below(bytes.len() + 1).min(3);
                while std::str::from_utf8(&bytes[..end]).is_err() && described.data_type == DataType::Utf8 {
                    end -= 1;
                }
                Naive::Prefix(column, bytes[..end].to_vec())
            }
            _ => Naive::Compare(column, random.below(6) as u8, cell),
        }
    }

    pub fn expr(&self, columns: &[Column]) -> Expr {
        let name = |column: &usize| col(&columns[*column].path);
        let literal = |column: &usize, cell: &Cell| cell.literal(&columns[*column].data_type);
        match self {
            Naive::Compare(column, op, cell) => {
                let literal = literal(column, cell);
                match op {
                    0 => name(column).eq(literal),
                    1 => name(column).not_eq(literal),
                    2 => name(column).lt(literal),
                    3 => name(column).lt_eq(literal),
                    4 => name(column).gt(literal),
                    _ => name(column).gt_eq(literal),
                }
            }
            Naive::Between(column, low, high) => name(column).between(literal(column, low), literal(column, high)),
            Naive::In(column, cells, null) => {
                name(column).is_in(cells.iter().map(|cell| literal(column, cell)).chain(null.then_some(Literal::Null)))
            }
            Naive::Prefix(column, prefix) => match columns[*column].data_type {
                DataType::Utf8 => name(column).starts_with(String::from_utf8(prefix.clone()).expect("text")),
                _ => name(column).starts_with(prefix.clone()),
            },
            Naive::Like(column, text) => {
                name(column).like(format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")))
            }
            Naive::Null(column) => name(column).is_null(),
            Naive::Not(inner) => inner.expr(columns).not(),
            Naive::And(terms) => terms.iter().fold(Expr::constant(true), |all, term| all.and(term.expr(columns))),
            Naive::Or(terms) => terms.iter().fold(Expr::constant(false), |any, term| any.or(term.expr(columns))),
        }
    }

    /// True, false or unknown for a row, by the letter of SQL.
    #[allow(clippy::manual_try_fold, reason = "after an unknown term, a later one may still decide")]
    pub fn of(&self, columns: &[Column], batch: &RecordBatch, row: usize) -> Option<bool> {
        let cell = |column: &usize| columns[*column].cell(batch, row);
        let bytes = |column: &usize| cell(column).map(|cell| if let Cell::Bytes(bytes) = cell { bytes } else { panic!("{cell:?}") });
        match self {
            Naive::Compare(column, op, literal) => cell(column).map(|cell| cell.compare(literal)).map(|order| match op {
                0 => order.is_eq(),
                1 => order.is_ne(),
                2 => order.is_lt(),
                3 => order.is_le(),
                4 => order.is_gt(),
                _ => order.is_ge(),
            }),
            Naive::Between(column, low, high) => cell(column).map(|cell| cell.compare(low).is_ge() && cell.compare(high).is_le()),
            Naive::In(column, cells, null) => {
                let found = cells.iter().any(|other| cell(column).is_some_and(|cell| cell.compare(other) == Ordering::Equal));
                match (cell(column), found, null) {
                    // Among nothing is nothing, not even null.
                    _ if cells.is_empty() && !null => Some(false),
                    (None, ..) => None,
                    (_, true, _) => Some(true),
                    (_, false, null) => (!null).then_some(false),
                }
            }
            Naive::Prefix(column, prefix) => bytes(column).map(|bytes| bytes.starts_with(prefix)),
            Naive::Like(column, text) => bytes(column).map(|bytes| String::from_utf8(bytes).expect("text").contains(text)),
            Naive::Null(column) => Some(columns[*column].is_null(batch, row)),
            Naive::Not(inner) => inner.of(columns, batch, row).map(|value| !value),
            Naive::And(terms) => terms.iter().fold(Some(true), |all, term| match (all, term.of(columns, batch, row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }),
            Naive::Or(terms) => terms.iter().fold(Some(false), |any, term| match (any, term.of(columns, batch, row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            }),
        }
    }
}
