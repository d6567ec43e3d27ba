//! Expressions: what is asked of rows, before it meets a schema.

use std::fmt;

use crate::predicate::literal::Literal;
use crate::predicate::pattern::Pattern;

/// The column at a dotted path, to say something about its values.
///
/// ```
/// use herringbone::predicate::col;
/// let filter = col("a").gt(5).and(col("b.c").is_in(["x", "y"]).or(col("d").is_null()));
/// assert_eq!(filter.to_string(), "a > 5 AND (b.c IN ('x', 'y') OR d IS NULL)");
/// ```
pub fn col(path: impl Into<String>) -> Column {
    Column(path.into())
}

/// A column that something is said about; made by [`col`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a column alone says nothing"]
pub struct Column(String);

/// What is asked of each row: true, false, or unknown because of nulls, by SQL's three-valued logic. Rows for which it is true pass.
///
/// It prints as SQL, and with the feature `sql` is read from it. Nothing is checked before it meets a schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr(pub(super) Node);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// True, false or unknown.
    Constant(Option<bool>),
    Compare {
        column: String,
        comparison: Comparison,
        literal: Literal,
    },
    Between {
        column: String,
        low: Literal,
        high: Literal,
    },
    In {
        column: String,
        literals: Vec<Literal>,
    },
    Like {
        column: String,
        pattern: String,
        escape: Option<char>,
    },
    Prefix {
        column: String,
        prefix: Literal,
    },
    Null {
        column: String,
    },
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// How a column's values are held against a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Column {
    fn compare(self, comparison: Comparison, literal: impl Into<Literal>) -> Expr {
        Expr(Node::Compare { column: self.0, comparison, literal: literal.into() })
    }

    /// Whether values equal a constant.
    pub fn eq(self, literal: impl Into<Literal>) -> Expr {
        self.compare(Comparison::Equal, literal)
    }

    /// Whether values differ from a constant.
    pub fn not_eq(self, literal: impl Into<Literal>) -> Expr {
        self.compare(Comparison::NotEqual, literal)
    }

    /// Whether values are less than a constant.
    pub fn lt(self, literal: impl Into<Literal>) -> Expr {
        self.compare(Comparison::Less, literal)
    }

    /// Whether values are at most a constant.
    pub fn lt_eq(self, literal: impl Into<Literal>) -> Expr {
        self.compare(Comparison::LessOrEqual, literal)
    }

    /// Whether values are greater than a constant.
    pub fn gt(self, literal: impl Into<Literal>) -> Expr {
        self.compare(Comparison::Greater, literal)
    }

    /// Whether values are at least a constant.
    pub fn gt_eq(self, literal: impl Into<Literal>) -> Expr {
        self.compare(Comparison::GreaterOrEqual, literal)
    }

    /// Whether values are at least the first and at most the second constant.
    pub fn between(self, low: impl Into<Literal>, high: impl Into<Literal>) -> Expr {
        Expr(Node::Between { column: self.0, low: low.into(), high: high.into() })
    }

    /// Whether values are among some constants; among none they are not, be they null.
    pub fn is_in<L: Into<Literal>>(self, literals: impl IntoIterator<Item = L>) -> Expr {
        let literals: Vec<Literal> = literals.into_iter().map(Into::into).collect();
        match literals.is_empty() {
            true => Expr::constant(false),
            false => Expr(Node::In { column: self.0, literals }),
        }
    }

    /// Whether text or bytes begin with others.
    pub fn starts_with(self, prefix: impl Into<Literal>) -> Expr {
        Expr(Node::Prefix { column: self.0, prefix: prefix.into() })
    }

    /// Whether text matches a pattern: `%` stands for any characters, `_` for one, and `\` takes the meaning of the character
    /// behind it.
    pub fn like(self, pattern: impl Into<String>) -> Expr {
        Expr(Node::Like { column: self.0, pattern: pattern.into(), escape: Some('\\') })
    }

    /// Whether values are null. A value is null where a group around it is; lists and other groups can be asked as well.
    pub fn is_null(self) -> Expr {
        Expr(Node::Null { column: self.0 })
    }

    /// Whether values are not null.
    pub fn is_not_null(self) -> Expr {
        self.is_null().not()
    }
}

impl Expr {
    /// An expression that is true or false for all rows.
    pub fn constant(value: bool) -> Self {
        Self(Node::Constant(Some(value)))
    }

    /// Whether both are true.
    pub fn and(self, other: Expr) -> Self {
        Self(Node::and(self.0, other.0))
    }

    /// Whether one of them is true.
    pub fn or(self, other: Expr) -> Self {
        Self(Node::or(self.0, other.0))
    }

    /// Whether it is false: what is unknown stays unknown.
    #[allow(clippy::should_implement_trait, reason = "it stands beside `and` and `or`; the operator is there as well")]
    pub fn not(self) -> Self {
        match self.0 {
            Node::Not(inner) => Self(*inner),
            node => Self(Node::Not(Box::new(node))),
        }
    }

    /// The paths of the columns that it names, in the order in which they come, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns = Vec::new();
        self.0.collect(&mut columns);
        columns
    }
}

impl std::ops::Not for Expr {
    type Output = Self;

    fn not(self) -> Self {
        Expr::not(self)
    }
}

impl Node {
    /// Chains stay flat, so that a thousand terms nest no deeper than two.
    pub(super) fn and(a: Node, b: Node) -> Node {
        let mut terms = match a {
            Node::And(terms) => terms,
            other => vec![other],
        };
        match b {
            Node::And(more) => terms.extend(more),
            other => terms.push(other),
        }
        Node::And(terms)
    }

    pub(super) fn or(a: Node, b: Node) -> Node {
        let mut terms = match a {
            Node::Or(terms) => terms,
            other => vec![other],
        };
        match b {
            Node::Or(more) => terms.extend(more),
            other => terms.push(other),
        }
        Node::Or(terms)
    }

    fn collect<'n>(&'n self, columns: &mut Vec<&'n str>) {
        match self {
            Node::Constant(_) => {}
            Node::Compare { column, .. }
            | Node::Between { column, .. }
            | Node::In { column, .. }
            | Node::Like { column, .. }
            | Node::Prefix { column, .. }
            | Node::Null { column } => {
                if !columns.contains(&column.as_str()) {
                    columns.push(column);
                }
            }
            Node::Not(inner) => inner.collect(columns),
            Node::And(terms) | Node::Or(terms) => terms.iter().for_each(|term| term.collect(columns)),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Not(inner) if inner.is_word() => inner.negatable(f, " NOT"),
            Node::Not(inner) if matches!(**inner, Node::And(_) | Node::Or(_) | Node::Not(_)) => write!(f, "NOT ({inner})"),
            Node::Not(inner) => write!(f, "NOT {inner}"),
            Node::And(terms) => joined(f, terms, " AND ", "TRUE"),
            Node::Or(terms) => joined(f, terms, " OR ", "FALSE"),
            other => other.negatable(f, ""),
        }
    }
}

impl Node {
    /// Whether `NOT` stands inside of it.
    fn is_word(&self) -> bool {
        matches!(self, Node::Between { .. } | Node::In { .. } | Node::Like { .. } | Node::Null { .. })
    }

    fn negatable(&self, f: &mut fmt::Formatter<'_>, not: &str) -> fmt::Result {
        match self {
            Node::Constant(Some(true)) => f.write_str("TRUE"),
            Node::Constant(Some(false)) => f.write_str("FALSE"),
            Node::Constant(None) => f.write_str("NULL"),
            Node::Compare { column, comparison, literal } => write!(f, "{} {comparison} {literal}", Path(column)),
            Node::Between { column, low, high } => write!(f, "{}{not} BETWEEN {low} AND {high}", Path(column)),
            Node::In { column, literals } => {
                write!(f, "{}{not} IN (", Path(column))?;
                for (i, literal) in literals.iter().enumerate() {
                    write!(f, "{}{literal}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Node::Like { column, pattern, escape } => match Pattern::parse(pattern, *escape) {
                Ok(pattern) => write!(f, "{}{not} LIKE {}", Path(column), Literal::Text(pattern.to_string())),
                // It will be refused when it is bound.
                Err(_) => write!(f, "{}{not} LIKE {}", Path(column), Literal::Text(pattern.clone())),
            },
            // As an argument, a name can be misread as what it means elsewhere.
            Node::Prefix { column, prefix } => write!(f, "starts_with(\"{}\", {prefix})", column.replace('"', "\"\"")),
            Node::Null { column } => write!(f, "{} IS{not} NULL", Path(column)),
            Node::Not(_) | Node::And(_) | Node::Or(_) => write!(f, "({self})"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, terms: &[Node], word: &str, of_none: &str) -> fmt::Result {
    if terms.is_empty() {
        return f.write_str(of_none);
    }
    for (i, term) in terms.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { word })?;
        match term {
            Node::And(_) | Node::Or(_) => write!(f, "({term})")?,
            term => write!(f, "{term}")?,
        }
    }
    Ok(())
}

/// A dotted path, in quotes where it is not made of plain names.
struct Path<'a>(&'a str);

/// Words that mean something else at the start of an expression.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "between",
    "binary",
    "case",
    "cast",
    "ceil",
    "collate",
    "connect_by_root",
    "convert",
    "current_catalog",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "date",
    "datetime",
    "distinct",
    "div",
    "exists",
    "extract",
    "false",
    "floor",
    "from",
    "ilike",
    "in",
    "interval",
    "is",
    "lambda",
    "like",
    "localtime",
    "localtimestamp",
    "map",
    "match",
    "not",
    "notnull",
    "null",
    "or",
    "overlay",
    "position",
    "prior",
    "rlike",
    "safe_cast",
    "select",
    "session_user",
    "similar",
    "some",
    "starts_with",
    "struct",
    "substr",
    "substring",
    "table",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "trim",
    "true",
    "try_cast",
    "try_convert",
    "unnest",
    "user",
    "where",
    "with",
    "xor",
];

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |name: &str| {
            name.bytes().enumerate().all(|(i, byte)| byte == b'_' || byte.is_ascii_alphabetic() || i > 0 && byte.is_ascii_digit())
                && !name.is_empty()
                && !RESERVED.contains(&name.to_ascii_lowercase().as_str())
        };
        match self.0.split('.').all(is_plain) {
            true => f.write_str(self.0),
            false => write!(f, "\"{}\"", self.0.replace('"', "\"\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_sql() {
        let shown = |expr: Expr| expr.to_string();
        assert_eq!(shown(col("a").gt(5).and(col("b").lt(2.5)).and(col("c").eq("it's"))), "a > 5 AND b < 2.5e0 AND c = 'it''s'");
        assert_eq!(shown(!(col("a").eq(1).or(col("a").eq(2)))), "NOT (a = 1 OR a = 2)");
        assert_eq!(shown(col("a").is_not_null()), "a IS NOT NULL");
        assert_eq!(shown(col("a").is_in([1, 2]).not()), "a NOT IN (1, 2)");
        assert_eq!(shown(col("a b").between(1, 2).not()), "\"a b\" NOT BETWEEN 1 AND 2");
        assert_eq!(shown(col("select").like("x\\%%")), "\"select\" LIKE 'x\\%%'");
        assert_eq!(shown(col("a").starts_with(&b"\x01\xff"[..]).not()), "NOT starts_with(\"a\", X'01FF')");
        assert_eq!(shown(Expr::constant(true).and(col("b").eq(true).not())), "TRUE AND NOT b = TRUE");
    }

    #[test]
    fn names_its_columns_once() {
        let filter = col("b").eq(1).and(col("a.x").is_null().or(col("b").eq(2)).not());
        assert_eq!(filter.columns(), ["b", "a.x"]);
        assert!(Expr::constant(false).columns().is_empty());
    }

    #[test]
    fn chains_stay_flat() {
        let chain = (0..100_000).fold(Expr::constant(false), |chain, i| chain.or(col("a").eq(i)));
        let Node::Or(terms) = &chain.0 else { panic!("a chain of or") };
        assert_eq!(terms.len(), 100_001);
        assert_eq!(chain.not().columns(), ["a"]);
    }
}
