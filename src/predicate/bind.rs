//! Expressions that met a schema.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use crate::metadata::Order;
use crate::predicate::Expr;
use crate::predicate::coerce::{self, Domain, Place, Words};
use crate::predicate::expr::{Comparison, Node};
use crate::predicate::literal::Literal;
use crate::predicate::pattern::Pattern;
use crate::predicate::set::{Cut, Intervals};
use crate::schema::{Field, Leaf, Repetition, Schema};

/// An expression bound to the columns of a schema; made by [`Expr::bind`].
///
/// Only rows for which it is true pass, so that false and unknown need not be told apart: `not` is pushed down to the comparisons,
/// which become sets of values that pass; null is in none of them.
#[derive(Clone, Debug)]
pub struct Predicate {
    pub(crate) formula: Formula,
    pub(crate) tests: Vec<Test>,
}

/// How tests make a predicate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula {
    Constant(bool),
    /// The test at this index.
    Test(usize),
    And(Vec<Formula>),
    Or(Vec<Formula>),
}

/// What is asked of one leaf column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Test {
    /// The column's index in [`Schema::leaves`].
    pub(crate) leaf: usize,
    pub(super) max_definition: u8,
    pub(super) max_repetition: u8,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Whether the field is null that is there from this definition level on.
    Null { level: u8 },
    /// Whether it is not.
    NotNull { level: u8 },
    /// Whether the value's key is in a set.
    Words { words: Words, set: Intervals<i64> },
    /// Whether the value is in a set of bytes in an order.
    Bytes { order: Order, set: Intervals<Vec<u8>> },
    /// Whether text matches a pattern, or does not; `hull` is what begins with the pattern's prefix.
    Pattern { pattern: Pattern, negated: bool, hull: Intervals<Vec<u8>> },
}

/// How deep expressions may nest; chains of `and` and `or` do not.
const DEEPEST: usize = 200;

impl Expr {
    /// Finds the columns in a schema and makes the constants values of their types.
    ///
    /// # Errors
    /// `Usage`, saying what does not go: columns that are not there, that are inside of lists (where a row has no single value),
    /// groups (which can only be asked whether they are null), constants of another kind than the column's type, patterns for what is
    /// no text, and expressions that nest more than 200 deep.
    pub fn bind(&self, schema: &Schema) -> Result<Predicate> {
        let mut binder = Binder { schema, tests: Vec::new() };
        let mut formula = binder.formula(&self.0, false, 0)?;
        let tests = only_used(&mut formula, binder.tests);
        Ok(Predicate { formula, tests })
    }
}

impl Predicate {
    /// The leaf columns that it needs, by their indices in [`Schema::leaves`], ascending, each once.
    pub fn leaves(&self) -> Vec<usize> {
        let mut leaves: Vec<usize> = self.tests.iter().map(|test| test.leaf).collect();
        leaves.sort_unstable();
        leaves.dedup();
        leaves
    }
}

/// The order of words' keys.
pub(super) fn by_key(a: &i64, b: &i64) -> Option<Ordering> {
    Some(a.cmp(b))
}

struct Binder<'s> {
    schema: &'s Schema,
    tests: Vec<Test>,
}

impl Binder<'_> {
    /// The formula of a node, or of its negation.
    fn formula(&mut self, node: &Node, negated: bool, depth: usize) -> Result<Formula> {
        if depth > DEEPEST {
            return Err(Error::usage(format!("an expression that nests more than {DEEPEST} deep")));
        }
        let below = depth.saturating_add(1);
        Ok(match node {
            // Unknown stays unknown when it is negated.
            Node::Constant(value) => Formula::Constant(value.is_some_and(|value| value != negated)),
            Node::Not(inner) => self.formula(inner, !negated, below)?,
            Node::And(terms) | Node::Or(terms) => {
                let terms = terms.iter().map(|term| self.formula(term, negated, below)).collect::<Result<Vec<_>>>()?;
                match matches!(node, Node::And(_)) != negated {
                    true => self.and(terms),
                    false => self.or(terms),
                }
            }
            Node::Null { column } => self.null(column, negated)?,
            Node::Compare { column, comparison, literal } => self.values(column, negated, &[literal], Shape::Compare(*comparison))?,
            Node::Between { column, low, high } if [low, high].contains(&&Literal::Null) => {
                // One half may decide it all the same.
                let half = |comparison, literal: &Literal| Node::Compare { column: column.clone(), comparison, literal: literal.clone() };
                let both = Node::And(vec![half(Comparison::GreaterOrEqual, low), half(Comparison::LessOrEqual, high)]);
                self.formula(&both, negated, below)?
            }
            Node::Between { column, low, high } => self.values(column, negated, &[low, high], Shape::Between)?,
            Node::In { column, literals } => {
                let known: Vec<&Literal> = literals.iter().filter(|literal| **literal != Literal::Null).collect();
                if known.len() < literals.len() && negated {
                    // Not to be among constants of which one is unknown is never true.
                    self.leaf(column)?;
                    return Ok(Formula::Constant(false));
                }
                self.values(column, negated, &known, Shape::In)?
            }
            Node::Like { column, pattern, escape } => self.pattern(column, negated, Pattern::parse(pattern, *escape)?)?,
            Node::Prefix { column, prefix } => {
                let leaf = self.leaf(column)?;
                coerce::check_text(leaf, "a prefix")?;
                match coerce::bytes(leaf, Order::Bytes, prefix) {
                    _ if *prefix == Literal::Null => Formula::Constant(false),
                    Ok(Place::At(prefix)) => {
                        let set = Intervals::union(vec![range_of_prefix(&prefix)], &in_order(Order::Bytes));
                        self.bytes(leaf.index, Order::Bytes, set, negated)?
                    }
                    Ok(_) => Formula::Constant(false),
                    Err(error) => return Err(error),
                }
            }
        })
    }

    /// The test whether values are where the shape says.
    fn values(&mut self, column: &str, negated: bool, literals: &[&Literal], shape: Shape) -> Result<Formula> {
        let leaf = self.leaf(column)?;
        if literals.contains(&&Literal::Null) {
            return Ok(Formula::Constant(false));
        }
        match coerce::domain(leaf).map_err(|error| error.in_column(leaf.path.dotted()))? {
            Domain::Nothing => Ok(Formula::Constant(false)),
            Domain::Words(words) => {
                let cuts = literals.iter().map(|literal| coerce::word(leaf, words, literal).map(|place| place.cuts()));
                let cuts = cuts.collect::<Result<Vec<_>>>()?;
                // Whole keys: what begins behind one begins before the next.
                let whole = |cut| match cut {
                    Cut::After(key) => i64::checked_add(key, 1).map_or(Cut::Last, Cut::Before),
                    cut => cut,
                };
                let ranges = ranges(shape, &cuts).into_iter().map(|(low, high)| (whole(low), whole(high))).collect();
                self.words(leaf.index, words, Intervals::union(ranges, &by_key), negated)
            }
            Domain::Bytes(order) => {
                let cuts = literals.iter().map(|literal| coerce::bytes(leaf, order, literal).map(|place| place.cuts()));
                let ranges = ranges(shape, &cuts.collect::<Result<Vec<_>>>()?);
                self.bytes(leaf.index, order, Intervals::union(ranges, &in_order(order)), negated)
            }
        }
    }

    fn words(&mut self, leaf: usize, words: Words, set: Intervals<i64>, negated: bool) -> Result<Formula> {
        let set = if negated { set.complement() } else { set };
        if set.is_empty() {
            return Ok(Formula::Constant(false));
        }
        self.test(leaf, Kind::Words { words, set })
    }

    fn bytes(&mut self, leaf: usize, order: Order, set: Intervals<Vec<u8>>, negated: bool) -> Result<Formula> {
        let set = if negated { set.complement() } else { set };
        if set.is_empty() {
            return Ok(Formula::Constant(false));
        }
        self.test(leaf, Kind::Bytes { order, set })
    }

    fn pattern(&mut self, column: &str, negated: bool, pattern: Pattern) -> Result<Formula> {
        let leaf = self.leaf(column)?;
        coerce::check_text(leaf, "LIKE")?;
        let prefix = pattern.prefix().to_vec();
        let hull = match pattern.is_value() {
            true => (Cut::Before(prefix.clone()), Cut::After(prefix)),
            false => range_of_prefix(&prefix),
        };
        let hull = Intervals::union(vec![hull], &in_order(Order::Bytes));
        if pattern.is_value() || pattern.is_prefix() {
            return self.bytes(leaf.index, Order::Bytes, hull, negated);
        }
        self.test(leaf.index, Kind::Pattern { pattern, negated, hull })
    }

    fn null(&mut self, column: &str, negated: bool) -> Result<Formula> {
        let field = self.field(column)?;
        let level = field.definition_level();
        let first = field.leaves().start;
        let above = self.schema.fields_to(first).take_while(|above| !std::ptr::eq(*above, field)).last();
        if above.is_some_and(|above| above.repetition_level() > 0) {
            return Err(in_list(column));
        }
        // A repeated field without a group around it is never null, only empty.
        let level = if field.repetition() == Repetition::Repeated { level.saturating_sub(1) } else { level };
        if level == 0 {
            return Ok(Formula::Constant(negated));
        }
        self.test(first, if negated { Kind::NotNull { level } } else { Kind::Null { level } })
    }

    fn test(&mut self, leaf: usize, kind: Kind) -> Result<Formula> {
        let described = self.schema.leaves().get(leaf).ok_or_else(|| Error::usage(format!("the schema has no leaf column {leaf}")))?;
        let test = Test { leaf, max_definition: described.max_definition_level, max_repetition: described.max_repetition_level, kind };
        let index = match self.tests.iter().position(|other| *other == test) {
            Some(index) => index,
            None => {
                self.tests.push(test);
                self.tests.len().saturating_sub(1)
            }
        };
        Ok(Formula::Test(index))
    }

    /// Simplifies; ranges of one column become one range.
    fn and(&mut self, terms: Vec<Formula>) -> Formula {
        let mut kept: Vec<Formula> = Vec::with_capacity(terms.len());
        for term in terms {
            match term {
                Formula::Constant(true) => {}
                Formula::Constant(false) => return Formula::Constant(false),
                Formula::And(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        let kept = self.merge(kept, true);
        match <[Formula; 1]>::try_from(kept) {
            Ok([one]) => one,
            Err(kept) if kept.contains(&Formula::Constant(false)) => Formula::Constant(false),
            Err(kept) if kept.is_empty() => Formula::Constant(true),
            Err(kept) => Formula::And(kept),
        }
    }

    fn or(&mut self, terms: Vec<Formula>) -> Formula {
        let mut kept: Vec<Formula> = Vec::with_capacity(terms.len());
        for term in terms {
            match term {
                Formula::Constant(false) => {}
                Formula::Constant(true) => return Formula::Constant(true),
                Formula::Or(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        let kept = self.merge(kept, false);
        match <[Formula; 1]>::try_from(kept) {
            Ok([one]) => one,
            Err(kept) if kept.is_empty() => Formula::Constant(false),
            Err(kept) => Formula::Or(kept),
        }
    }

    /// Makes one set of the sets that are asked of the same column: all of them have to have the value, or one of them.
    fn merge(&mut self, terms: Vec<Formula>, all: bool) -> Vec<Formula> {
        let mut merged: Vec<Formula> = Vec::with_capacity(terms.len());
        // The test that stands for a column's sets, by where it is in `merged`.
        let mut sets: Vec<(usize, usize, Vec<Kind>)> = Vec::new();
        for term in terms {
            let kind = match &term {
                Formula::Test(index) => self.tests.get(*index).filter(|test| matches!(test.kind, Kind::Words { .. } | Kind::Bytes { .. })),
                _ => None,
            };
            let Some(test) = kind else {
                merged.push(term);
                continue;
            };
            match sets.iter_mut().find(|(leaf, ..)| *leaf == test.leaf) {
                Some((_, _, kinds)) => kinds.push(test.kind.clone()),
                None => {
                    sets.push((test.leaf, merged.len(), vec![test.kind.clone()]));
                    merged.push(term);
                }
            }
        }
        for (leaf, place, kinds) in sets {
            if kinds.len() == 1 {
                continue;
            }
            let one = match joined(kinds, all) {
                Some(Kind::Words { set, words }) => self.words(leaf, words, set, false),
                Some(Kind::Bytes { set, order }) => self.bytes(leaf, order, set, false),
                _ => continue,
            };
            if let (Ok(one), Some(slot)) = (one, merged.get_mut(place)) {
                *slot = one;
            }
        }
        merged
    }

    fn field(&self, path: &str) -> Result<&Field> {
        let schema: &Schema = self.schema;
        let unknown = || Error::usage(format!("there is no column {path:?} to filter by; the file has {}", schema.names_near(path)));
        schema.field_of_name(path).ok_or_else(unknown)
    }
}

impl<'s> Binder<'s> {
    fn leaf(&self, path: &str) -> Result<&'s Leaf> {
        let field = self.field(path)?;
        let leaf = match self.schema.leaves().get(field.leaves()) {
            Some([leaf]) if field.fields().is_empty() => leaf,
            _ => {
                return Err(Error::usage(format!(
                    "{path} is a group: only its columns have values, and it can only be asked whether it is null"
                )));
            }
        };
        if leaf.max_repetition_level > 0 {
            return Err(in_list(path));
        }
        Ok(leaf)
    }
}

#[cold]
fn in_list(path: &str) -> Error {
    Error::usage(format!("{path} is inside of a list, where a row has many values or none: a filter needs one"))
}

/// What is made of the places of constants.
#[derive(Clone, Copy)]
enum Shape {
    Compare(Comparison),
    Between,
    In,
}

/// The ranges of values that pass, from the cuts before and behind each constant.
fn ranges<K: Clone>(shape: Shape, cuts: &[(Cut<K>, Cut<K>)]) -> Vec<(Cut<K>, Cut<K>)> {
    match (shape, cuts) {
        (Shape::In, cuts) => cuts.to_vec(),
        (Shape::Between, [(before, _), (_, behind)]) => vec![(before.clone(), behind.clone())],
        (Shape::Compare(comparison), [(before, behind)]) => {
            let (before, behind) = (before.clone(), behind.clone());
            match comparison {
                Comparison::Equal => vec![(before, behind)],
                Comparison::NotEqual => vec![(Cut::First, before), (behind, Cut::Last)],
                Comparison::Less => vec![(Cut::First, before)],
                Comparison::LessOrEqual => vec![(Cut::First, behind)],
                Comparison::Greater => vec![(behind, Cut::Last)],
                Comparison::GreaterOrEqual => vec![(before, Cut::Last)],
            }
        }
        _ => Vec::new(),
    }
}

/// All values that begin with a prefix.
fn range_of_prefix(prefix: &[u8]) -> (Cut<Vec<u8>>, Cut<Vec<u8>>) {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if let Some(more) = last.checked_add(1) {
            next.push(more);
            return (Cut::Before(prefix.to_vec()), Cut::Before(next));
        }
    }
    (Cut::Before(prefix.to_vec()), Cut::Last)
}

/// How bytes compare.
pub(super) fn in_order(order: Order) -> impl Fn(&Vec<u8>, &Vec<u8>) -> Option<Ordering> {
    move |a, b| order.compare(a, b)
}

/// One set for several of one column: what all of them have, or one of them.
fn joined(kinds: Vec<Kind>, all: bool) -> Option<Kind> {
    let mut kinds = kinds.into_iter();
    let mut first = kinds.next()?;
    for next in kinds {
        first = match (first, next) {
            (Kind::Words { words, set }, Kind::Words { set: other, .. }) => Kind::Words { words, set: join(&set, &other, all, &by_key) },
            (Kind::Bytes { order, set }, Kind::Bytes { set: other, .. }) => {
                Kind::Bytes { order, set: join(&set, &other, all, &in_order(order)) }
            }
            _ => return None,
        };
    }
    Some(first)
}

fn join<K: Clone>(a: &Intervals<K>, b: &Intervals<K>, all: bool, compare: &impl Fn(&K, &K) -> Option<Ordering>) -> Intervals<K> {
    let union = |a: &Intervals<K>, b: &Intervals<K>| Intervals::union([a.ranges(), b.ranges()].concat(), compare);
    // What is in both is what is not in either's rest.
    if all { union(&a.complement(), &b.complement()).complement() } else { union(a, b) }
}

/// Leaves out the tests that became part of others.
fn only_used(formula: &mut Formula, tests: Vec<Test>) -> Vec<Test> {
    let mut places: Vec<Option<usize>> = vec![None; tests.len()];
    let mut count = 0_usize;
    renumber(formula, &mut places, &mut count);
    let mut used: Vec<(usize, Test)> = places.into_iter().zip(tests).filter_map(|(place, test)| Some((place?, test))).collect();
    used.sort_by_key(|(place, _)| *place);
    used.into_iter().map(|(_, test)| test).collect()
}

fn renumber(formula: &mut Formula, places: &mut [Option<usize>], count: &mut usize) {
    match formula {
        Formula::Constant(_) => {}
        Formula::Test(index) => {
            if let Some(place) = places.get_mut(*index) {
                *index = *place.get_or_insert_with(|| {
                    let next = *count;
                    *count = next.saturating_add(1);
                    next
                });
            }
        }
        Formula::And(terms) | Formula::Or(terms) => terms.iter_mut().for_each(|term| renumber(term, places, count)),
    }
}
