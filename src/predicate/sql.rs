//! Expressions from text: the conditions of SQL's `WHERE`, as far as rows of a file can answer them.

use std::str::FromStr;

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr as Ast, FunctionArg, FunctionArgExpr, FunctionArguments, TimezoneInfo, UnaryOperator, Value,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Error, Result};
use crate::predicate::Expr;
use crate::predicate::expr::{Comparison, Node};
use crate::predicate::literal::{Decimal, Literal};

/// How deep parentheses may nest.
const DEEPEST: usize = 20;
/// The most terms of chains, which nest in the parser's tree.
const MOST_TERMS: usize = 1_000;
/// The most words and signs of one term, for the same reason; constants and commas do not count.
const MOST_SIGNS: usize = 100;

/// Reads a condition in SQL: comparisons of columns with constants (`=`, `<>`, `<`, `<=`, `>`, `>=`), `BETWEEN`, `IN (…)`, `LIKE`
/// (with `\` as its escape character unless `ESCAPE` names another), `starts_with(column, 'text')`, `IS [NOT] NULL`,
/// `IS [NOT] DISTINCT FROM`, `IS [NOT] TRUE` and `FALSE` of boolean columns, `AND`, `OR`, `NOT` and parentheses.
///
/// Columns are names or dotted paths, as they are written in the file; in double quotes they may be anything. Constants are
/// numbers, `'text'`, `X'6279746573'`, `TRUE`, `FALSE`, `NULL`, `DATE '2024-02-29'`, `TIME '23:59:59'`, `TIMESTAMP '2024-02-29
/// 23:59:59'`, and casts of text to those types.
impl FromStr for Expr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fails = |error: String| Error::usage(format!("the condition {text:?} cannot be read: {error}"));
        let tokens = Tokenizer::new(&GenericDialect, text).tokenize().map_err(|error| fails(error.to_string()))?;
        check_size(&tokens).map_err(|error| fails(error.message().to_owned()))?;
        let mut parser = Parser::new(&GenericDialect).with_recursion_limit(DEEPEST).with_tokens(tokens);
        let ast = parser.parse_expr().map_err(|error| fails(error.to_string()))?;
        let next = parser.peek_token();
        if next.token != Token::EOF {
            return Err(fails(format!("nothing is expected where {} stands", next.token)));
        }
        node(ast).map(Expr).map_err(|error| fails(error.message().to_owned()))
    }
}

/// Bounds what the parser's tree can nest, which is walked by recursion.
fn check_size(tokens: &[Token]) -> Result<()> {
    let (mut terms, mut signs) = (0_usize, 0_usize);
    for token in tokens {
        match token {
            Token::Word(word) if matches!(word.keyword, Keyword::AND | Keyword::OR) => (terms, signs) = (terms.saturating_add(1), 0),
            Token::Whitespace(_) | Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) | Token::HexStringLiteral(_) => {}
            Token::Word(word) if CONSTANTS.contains(&word.keyword) => {}
            // Signs of constants in long lists.
            Token::Minus | Token::Plus if signs > 0 => {}
            _ => signs = signs.saturating_add(1),
        }
        if terms > MOST_TERMS || signs > MOST_SIGNS {
            return Err(Error::usage(format!(
                "a condition of more than {MOST_TERMS} terms, or of more than {MOST_SIGNS} words and signs in one of them: use IN for long lists"
            )));
        }
    }
    Ok(())
}

/// Words that are constants, or stand before the text of one.
const CONSTANTS: [Keyword; 6] = [Keyword::DATE, Keyword::TIME, Keyword::TIMESTAMP, Keyword::TRUE, Keyword::FALSE, Keyword::NULL];

fn node(ast: Ast) -> Result<Node> {
    Ok(match ast {
        Ast::Nested(inner) => node(*inner)?,
        Ast::BinaryOp { op: BinaryOperator::And, .. } => Node::And(terms(ast, &BinaryOperator::And)?),
        Ast::BinaryOp { op: BinaryOperator::Or, .. } => Node::Or(terms(ast, &BinaryOperator::Or)?),
        Ast::BinaryOp { left, op, right } => compare(*left, &op, *right)?,
        Ast::UnaryOp { op: UnaryOperator::Not, expr } => negated(node(*expr)?),
        Ast::IsNull(inner) => Node::Null { column: column(&inner)? },
        Ast::IsNotNull(inner) => negated(Node::Null { column: column(&inner)? }),
        Ast::IsTrue(inner) => known(&inner, truth(&inner, true)?)?,
        Ast::IsFalse(inner) => known(&inner, truth(&inner, false)?)?,
        Ast::IsNotTrue(inner) => or_null(&inner, negated(truth(&inner, true)?))?,
        Ast::IsNotFalse(inner) => or_null(&inner, negated(truth(&inner, false)?))?,
        Ast::IsDistinctFrom(left, right) => negated(same(*left, *right)?),
        Ast::IsNotDistinctFrom(left, right) => same(*left, *right)?,
        Ast::InList { expr, list, negated: not } => {
            let literals = list.into_iter().map(literal).collect::<Result<_>>()?;
            turned(not, Node::In { column: column(&expr)?, literals })
        }
        Ast::Between { expr, negated: not, low, high } => {
            turned(not, Node::Between { column: column(&expr)?, low: literal(*low)?, high: literal(*high)? })
        }
        Ast::Like { negated: not, any: false, expr, pattern, escape_char } => {
            let escape = match escape_char.map(|escape| literal(*escape)).transpose()? {
                None => Some('\\'),
                Some(Literal::Text(text)) => {
                    let mut characters = text.chars();
                    match (characters.next(), characters.next()) {
                        (escape, None) => escape,
                        _ => return Err(Error::usage("ESCAPE takes one character")),
                    }
                }
                Some(_) => return Err(Error::usage("ESCAPE takes one character")),
            };
            let Literal::Text(pattern) = literal(*pattern)? else { return Err(Error::usage("LIKE takes a pattern in single quotes")) };
            turned(not, Node::Like { column: column(&expr)?, pattern, escape })
        }
        Ast::Function(function) => {
            let FunctionArguments::List(list) = &function.args else { return Err(unknown(&function.to_string())) };
            let [FunctionArg::Unnamed(FunctionArgExpr::Expr(text)), FunctionArg::Unnamed(FunctionArgExpr::Expr(prefix))] =
                list.args.as_slice()
            else {
                return Err(unknown(&function.to_string()));
            };
            if !function.name.to_string().eq_ignore_ascii_case("starts_with") {
                return Err(unknown(&function.to_string()));
            }
            Node::Prefix { column: column(text)?, prefix: literal(prefix.clone())? }
        }
        Ast::Value(value) => match value.value {
            Value::Boolean(value) => Node::Constant(Some(value)),
            Value::Null => Node::Constant(None),
            other => return Err(unknown(&other.to_string())),
        },
        // A column alone is a boolean one.
        Ast::Identifier(_) | Ast::CompoundIdentifier(_) => truth(&ast, true)?,
        other => return Err(unknown(&other.to_string())),
    })
}

/// The terms of a chain, which the parser nests to the left.
fn terms(ast: Ast, word: &BinaryOperator) -> Result<Vec<Node>> {
    let mut reversed = Vec::new();
    let mut rest = ast;
    loop {
        match rest {
            Ast::BinaryOp { left, op, right } if op == *word => {
                reversed.push(node(*right)?);
                rest = *left;
            }
            last => {
                reversed.push(node(last)?);
                break;
            }
        }
    }
    reversed.reverse();
    Ok(reversed)
}

fn negated(node: Node) -> Node {
    match node {
        Node::Not(inner) => *inner,
        node => Node::Not(Box::new(node)),
    }
}

fn turned(not: bool, node: Node) -> Node {
    if not { negated(node) } else { node }
}

fn truth(ast: &Ast, value: bool) -> Result<Node> {
    Ok(Node::Compare { column: column(ast)?, comparison: Comparison::Equal, literal: Literal::Boolean(value) })
}

/// Of `IS TRUE`, which is never unknown: its contrary is true of null.
fn known(ast: &Ast, node: Node) -> Result<Node> {
    Ok(Node::and(negated(Node::Null { column: column(ast)? }), node))
}

fn or_null(ast: &Ast, node: Node) -> Result<Node> {
    Ok(Node::or(node, Node::Null { column: column(ast)? }))
}

/// `IS NOT DISTINCT FROM`, which is never unknown.
fn same(left: Ast, right: Ast) -> Result<Node> {
    let (column, literal) = match column(&left) {
        Ok(name) => (name, literal(right)?),
        Err(_) => (column(&right)?, literal(left)?),
    };
    if literal == Literal::Null {
        return Ok(Node::Null { column });
    }
    let not_null = negated(Node::Null { column: column.clone() });
    Ok(Node::and(not_null, Node::Compare { column, comparison: Comparison::Equal, literal }))
}

fn compare(left: Ast, op: &BinaryOperator, right: Ast) -> Result<Node> {
    let comparison = match op {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        other => return Err(unknown(&format!("{left} {other} {right}"))),
    };
    match (column(&left), column(&right)) {
        (Ok(_), Ok(_)) => Err(Error::usage(format!("{left} {op} {right} compares two columns: columns are compared with constants only"))),
        (Ok(column), Err(_)) => Ok(Node::Compare { column, comparison, literal: literal(right)? }),
        (Err(_), Ok(column)) => {
            let turned = match comparison {
                Comparison::Less => Comparison::Greater,
                Comparison::LessOrEqual => Comparison::GreaterOrEqual,
                Comparison::Greater => Comparison::Less,
                Comparison::GreaterOrEqual => Comparison::LessOrEqual,
                other => other,
            };
            Ok(Node::Compare { column, comparison: turned, literal: literal(left)? })
        }
        (Err(error), Err(_)) => Err(error),
    }
}

/// The dotted path of a column.
fn column(ast: &Ast) -> Result<String> {
    match ast {
        Ast::Nested(inner) => column(inner),
        Ast::Identifier(name) => Ok(name.value.clone()),
        Ast::CompoundIdentifier(names) => Ok(names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(".")),
        other => Err(Error::usage(format!("a column is expected where {other} stands"))),
    }
}

fn literal(ast: Ast) -> Result<Literal> {
    match ast {
        Ast::Nested(inner) => literal(*inner),
        Ast::Value(value) => of_value(value.value),
        Ast::UnaryOp { op: UnaryOperator::Plus, expr } => literal(*expr),
        Ast::UnaryOp { op: UnaryOperator::Minus, expr } => match literal(*expr)? {
            Literal::Integer(value) => Ok(Literal::Integer(value.saturating_neg())),
            Literal::Float(value) => Ok(Literal::Float(-value)),
            Literal::Decimal(value) => Decimal::parse(&format!("-{value}")).map(Literal::Decimal),
            other => Err(unknown(&format!("-{other}"))),
        },
        Ast::TypedString(typed) => match typed.value.value.clone().into_string() {
            Some(text) => of_type(&text, &typed.data_type),
            None => Err(unknown(&typed.to_string())),
        },
        Ast::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, .. } => {
            let text = match literal(*expr)? {
                Literal::Text(text) => text,
                other => other.to_string(),
            };
            of_type(&text, &data_type)
        }
        other => Err(Error::usage(format!("a constant is expected where {other} stands"))),
    }
}

fn of_value(value: Value) -> Result<Literal> {
    Ok(match value {
        Value::Null => Literal::Null,
        Value::Boolean(value) => Literal::Boolean(value),
        Value::Number(text, _) => number(&text)?,
        Value::SingleQuotedString(text) => Literal::Text(text),
        Value::HexStringLiteral(digits) => bytes(&digits).map(Literal::Bytes).ok_or_else(|| unknown(&format!("X'{digits}'")))?,
        other => return Err(unknown(&other.to_string())),
    })
}

fn number(text: &str) -> Result<Literal> {
    if text.contains(['e', 'E']) {
        return text.parse().map(Literal::Float).map_err(|_| unknown(text));
    }
    match text.parse() {
        Ok(value) => Ok(Literal::Integer(value)),
        Err(_) => Literal::decimal(text),
    }
}

fn of_type(text: &str, data_type: &DataType) -> Result<Literal> {
    match data_type {
        DataType::Date | DataType::Date32 => Literal::date(text),
        DataType::Time(..) => Literal::time(text),
        DataType::Timestamp(_, zone) => match Literal::timestamp(text)? {
            Literal::Timestamp { nanoseconds, utc } => {
                let zoned = matches!(zone, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz);
                Ok(Literal::Timestamp { nanoseconds, utc: utc || zoned })
            }
            other => Ok(other),
        },
        DataType::Datetime(_) => Literal::timestamp(text),
        DataType::Float(_) | DataType::Float64 | DataType::Float32 | DataType::Real | DataType::Double(_) | DataType::DoublePrecision => {
            text.parse().map(Literal::Float).map_err(|_| unknown(text))
        }
        DataType::Decimal(_) | DataType::Numeric(_) => Literal::decimal(text),
        DataType::Boolean | DataType::Bool => text.to_ascii_lowercase().parse().map(Literal::Boolean).map_err(|_| unknown(text)),
        DataType::Varchar(_) | DataType::Text | DataType::String(_) | DataType::Char(_) | DataType::Uuid => {
            Ok(Literal::Text(text.to_owned()))
        }
        DataType::Int(_) | DataType::Integer(_) | DataType::BigInt(_) | DataType::SmallInt(_) | DataType::TinyInt(_) => {
            text.parse().map(Literal::Integer).map_err(|_| unknown(text))
        }
        other => Err(Error::usage(format!("constants of the type {other} are not known"))),
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..)?.get(..2)?, 16).ok()).collect()
}

#[cold]
fn unknown(what: &str) -> Error {
    Error::usage(format!("{what} is nothing that a filter can ask"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::col;

    fn parsed(text: &str) -> Expr {
        text.parse().unwrap()
    }

    #[test]
    fn reads_what_people_write() {
        assert_eq!(
            parsed("a > 5 and b.c in ('x', 'y') or d is null"),
            col("a").gt(5).and(col("b.c").is_in(["x", "y"])).or(col("d").is_null())
        );
        assert_eq!(parsed("5 < a"), col("a").gt(5));
        assert_eq!(parsed("not (a = 1 or b)"), !(col("a").eq(1).or(col("b").eq(true))));
        assert_eq!(parsed("\"a b\".\"c\"\"d\" != 'it''s'"), col("a b.c\"d").not_eq("it's"));
        assert_eq!(parsed("a not between 1 and -2.5"), col("a").between(1, Literal::decimal("-2.5").unwrap()).not());
        assert_eq!(parsed("a >= DATE '2024-02-29'"), col("a").gt_eq(Literal::date("2024-02-29").unwrap()));
        assert_eq!(parsed("a = '2024-02-29'::date"), col("a").eq(Literal::date("2024-02-29").unwrap()));
        assert_eq!(parsed("a < TIMESTAMP '2024-02-29 12:00:00Z'"), col("a").lt(Literal::timestamp("2024-02-29T12:00:00Z").unwrap()));
        assert_eq!(parsed("a like 'x%'"), col("a").like("x%"));
        assert_eq!(parsed("a = x'00ff'"), col("a").eq(&[0, 255][..]));
        assert_eq!(parsed("a = 1e3"), col("a").eq(1e3));
        assert_eq!(parsed("a is not true"), col("a").eq(true).not().or(col("a").is_null()));
        assert_eq!(parsed("not (a is false)"), !(col("a").is_not_null().and(col("a").eq(false))));
        assert_eq!(parsed("a is not distinct from null"), col("a").is_null());
        assert_eq!(
            parsed("a = 123456789012345678901234567890123456789012345"),
            col("a").eq(Literal::decimal("123456789012345678901234567890123456789012345").unwrap())
        );
        assert_eq!(parsed("a like '50!%' escape '!'").to_string(), "a LIKE '50\\%'");
    }

    #[test]
    fn refuses_what_it_cannot_answer() {
        for text in [
            "",
            "a >",
            "a = b",
            "a + 1 = 2",
            "a = 1 b",
            "1 = 1",
            "sum(a) > 1",
            "a in (select 1)",
            "a ilike 'x'",
            "a = 1; drop",
            "'x'",
            "a = $1",
            "case when a then b end = 1",
            "a = x'0'",
        ] {
            let error = text.parse::<Expr>().unwrap_err();
            assert!(error.to_string().contains("cannot be read"), "{text}: {error}");
        }
    }

    #[test]
    fn deep_and_long_conditions_end_in_errors() {
        for n in [20, 90, 1_000, 100_000] {
            let _ = format!("{}a = 1{}", "(".repeat(n), ")".repeat(n)).parse::<Expr>();
            let _ = format!("{}a = 1", "not ".repeat(n)).parse::<Expr>();
            let _ = format!("a = 1{}", " or a = 2".repeat(n)).parse::<Expr>();
            let _ = format!("a = {}1", "-".repeat(n)).parse::<Expr>();
            let _ = format!("a = 1{}", "::int".repeat(n)).parse::<Expr>();
            let _ = format!("a = 1{}", " is null".repeat(n)).parse::<Expr>();
            let _ = format!("a{}", " like 'x'".repeat(n)).parse::<Expr>();
            let _ = format!("a = {}'x'", "date ".repeat(n)).parse::<Expr>();
            let _ = format!("a = 1{}", " = true".repeat(n)).parse::<Expr>();
        }
        assert!(format!("a = 1{}", " or a = 2".repeat(999)).parse::<Expr>().is_ok());
        assert!(format!("{}a = 1{}", "(not (".repeat(4), "))".repeat(4)).parse::<Expr>().is_ok());
        for constant in ["2", "-2", "'x'", "x'00ff'", "date '2024-02-29'", "timestamp '2024-02-29 12:00:00'", "true", "null"] {
            assert!(format!("a in ({constant}{})", format!(", {constant}").repeat(10_000)).parse::<Expr>().is_ok(), "{constant}");
        }
        let error = format!("a = 1{}", "::int".repeat(100)).parse::<Expr>().unwrap_err();
        assert!(error.to_string().contains("cannot be read") && error.to_string().contains("words and signs"), "{error}");
    }

    #[test]
    fn reads_what_it_prints() {
        let names = sqlparser::keywords::ALL_KEYWORDS
            .iter()
            .map(|word| word.to_string())
            .chain(["a.b", "x y", "é", "1a", "\"", ""].map(str::to_owned));
        for name in names {
            for expr in [
                col(&name).eq(1),
                col(&name).like("a\\%'%").not(),
                col(&name).is_null(),
                col(&name).starts_with("x"),
                col(format!("a.{name}")).is_in([1.5]),
            ] {
                let text = expr.to_string();
                match text.parse::<Expr>() {
                    Ok(read) => assert_eq!(read, expr, "{text}"),
                    Err(error) => panic!("{text}: {error}"),
                }
            }
        }
        let timestamp = Literal::Timestamp { nanoseconds: -1, utc: true };
        let literals = [
            Literal::Null,
            true.into(),
            (-5).into(),
            1.25.into(),
            f64::NAN.into(),
            f64::NEG_INFINITY.into(),
            (-0.0).into(),
            1e300.into(),
            (i128::MIN + 1).into(),
            Literal::decimal("-1.50").unwrap(),
            Literal::decimal("7.").unwrap(),
            "it's".into(),
            (&[0, 255][..]).into(),
            Literal::Date(-1_000_000),
            Literal::Time(1),
            timestamp,
        ];
        for literal in literals {
            let text = col("a").gt(literal.clone()).to_string();
            assert_eq!(text.parse::<Expr>().unwrap().to_string(), text);
        }
    }
}
