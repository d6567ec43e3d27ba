//! What metadata say about a predicate: three-valued tests.

use std::cmp::Ordering;

use crate::encoding::Dictionary;
use crate::metadata::bloom::hash;
use crate::metadata::{Bound, ColumnIndex, OffsetIndex, Order, RowGroup, Statistics};
use crate::predicate::bind::{Kind, by_key};
use crate::predicate::coerce::Words;
use crate::predicate::evaluate::Evaluator;
use crate::predicate::set::{Cut, Intervals};
use crate::predicate::{Formula, Predicate, RowRanges, Test};

/// Which of some rows pass, as far as is known without looking at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// None of them.
    None,
    /// Some may; that none does or all do is not excluded.
    Some,
    /// All of them.
    All,
}

impl Verdict {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Verdict::None, _) | (_, Verdict::None) => Verdict::None,
            (Verdict::All, Verdict::All) => Verdict::All,
            _ => Verdict::Some,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Verdict::All, _) | (_, Verdict::All) => Verdict::All,
            (Verdict::None, Verdict::None) => Verdict::None,
            _ => Verdict::Some,
        }
    }
}

impl Formula {
    /// What follows from what is known about each test.
    pub(crate) fn verdict(&self, tests: &[Verdict]) -> Verdict {
        match self {
            Formula::Constant(true) => Verdict::All,
            Formula::Constant(false) => Verdict::None,
            Formula::Test(index) => tests.get(*index).copied().unwrap_or(Verdict::Some),
            Formula::And(terms) => terms.iter().fold(Verdict::All, |verdict, term| verdict.and(term.verdict(tests))),
            Formula::Or(terms) => terms.iter().fold(Verdict::None, |verdict, term| verdict.or(term.verdict(tests))),
        }
    }

    /// What is left to be asked of rows.
    pub(crate) fn residual(&self, tests: &[Verdict]) -> Formula {
        match self.verdict(tests) {
            Verdict::None => return Formula::Constant(false),
            Verdict::All => return Formula::Constant(true),
            Verdict::Some => {}
        }
        let open = |terms: &[Formula]| -> Vec<Formula> {
            let terms = terms.iter().map(|term| term.residual(tests));
            terms.filter(|term| !matches!(term, Formula::Constant(_))).collect()
        };
        let one = |mut terms: Vec<Formula>, many: fn(Vec<Formula>) -> Formula| match terms.len() {
            1 => terms.pop().unwrap_or(Formula::Constant(true)),
            _ => many(terms),
        };
        match self {
            Formula::And(terms) => one(open(terms), Formula::And),
            Formula::Or(terms) => one(open(terms), Formula::Or),
            other => other.clone(),
        }
    }

    /// The indices of the tests in it, each once.
    pub(crate) fn tests(&self) -> Vec<usize> {
        let mut tests = Vec::new();
        self.collect(&mut tests);
        tests.sort_unstable();
        tests.dedup();
        tests
    }

    fn collect(&self, tests: &mut Vec<usize>) {
        match self {
            Formula::Constant(_) => {}
            Formula::Test(index) => tests.push(*index),
            Formula::And(terms) | Formula::Or(terms) => terms.iter().for_each(|term| term.collect(tests)),
        }
    }

    /// The rows of which some may pass, and those that all do, from both for each test.
    pub(crate) fn rows(&self, num_rows: u64, test: &impl Fn(usize) -> (RowRanges, RowRanges)) -> (RowRanges, RowRanges) {
        match self {
            Formula::Constant(true) => (RowRanges::all(num_rows), RowRanges::all(num_rows)),
            Formula::Constant(false) => (RowRanges::none(), RowRanges::none()),
            Formula::Test(index) => test(*index),
            Formula::And(terms) => terms.iter().fold((RowRanges::all(num_rows), RowRanges::all(num_rows)), |(some, all), term| {
                let (more_some, more_all) = term.rows(num_rows, test);
                (some.and(&more_some), all.and(&more_all))
            }),
            Formula::Or(terms) => terms.iter().fold((RowRanges::none(), RowRanges::none()), |(some, all), term| {
                let (more_some, more_all) = term.rows(num_rows, test);
                (some.or(&more_some), all.or(&more_all))
            }),
        }
    }
}

impl Predicate {
    /// What the statistics of a row group say.
    pub fn row_group(&self, group: &RowGroup<'_>) -> Verdict {
        self.formula.verdict(&self.by_statistics(group))
    }

    /// What the statistics of a row group say about each test. Statistics that cannot be read say nothing.
    pub(crate) fn by_statistics(&self, group: &RowGroup<'_>) -> Vec<Verdict> {
        let of = |test: &Test| match group.statistics(test.leaf) {
            Ok(statistics) => test.by_statistics(statistics.as_ref(), group.num_rows()),
            Err(_) => Verdict::Some,
        };
        self.tests.iter().map(of).collect()
    }
}

/// What is known about some values of a column.
struct Facts<'a> {
    min: Option<Bound<'a>>,
    max: Option<Bound<'a>>,
    null_count: Option<u64>,
    nan_count: Option<u64>,
    /// Whether all of them are null.
    all_null: bool,
}

impl Test {
    /// What statistics of a column chunk say. Without them, all that is known is what the schema says of nulls.
    pub(crate) fn by_statistics(&self, statistics: Option<&Statistics<'_>>, num_rows: u64) -> Verdict {
        let null_count = statistics.and_then(Statistics::null_count);
        self.by_facts(&Facts {
            min: statistics.and_then(Statistics::min).cloned(),
            max: statistics.and_then(Statistics::max).cloned(),
            null_count,
            nan_count: statistics.and_then(Statistics::nan_count),
            all_null: self.may_be_null() && null_count.is_some_and(|nulls| nulls >= num_rows),
        })
    }

    /// What a column index says: the rows of pages of which some may pass, and those of which all do.
    pub(crate) fn by_pages(&self, index: &ColumnIndex, pages: &OffsetIndex) -> (RowRanges, RowRanges) {
        let (mut some, mut all) = (RowRanges::none(), RowRanges::none());
        let rows = |page| pages.rows(page).end.saturating_sub(pages.rows(page).start);
        // Pages of nothing but nulls where there can be none, or fewer than rows: such an index was filled without care.
        let lies = |page| {
            let nulls = index.null_count(page);
            index.is_null_page(page)
                && (self.max_definition == 0 || self.max_repetition == 0 && nulls.is_some_and(|nulls| nulls != rows(page)))
        };
        if (0..index.num_pages()).any(lies) {
            some.push(0..pages.rows(pages.num_pages()).end);
            return (some, all);
        }
        for page in 0..pages.num_pages().min(index.num_pages()) {
            let facts = Facts {
                min: index.min(page),
                max: index.max(page),
                null_count: index.null_count(page),
                nan_count: index.nan_count(page),
                all_null: self.may_be_null() && index.is_null_page(page),
            };
            match self.by_facts(&facts) {
                Verdict::None => {}
                Verdict::Some => some.push(pages.rows(page)),
                Verdict::All => {
                    some.push(pages.rows(page));
                    all.push(pages.rows(page));
                }
            }
        }
        (some, all)
    }

    /// The hashes of the values that pass, where they are few: if a bloom filter has none of them, no row passes.
    pub(crate) fn hashes(&self) -> Option<Vec<u64>> {
        self.wanted().map(|values| values.iter().map(|value| hash(value)).collect())
    }

    /// What a dictionary says that all values of a chunk are from; `has_nulls` if there may be nulls beside them.
    pub(crate) fn by_dictionary(&self, dictionary: &Dictionary, has_nulls: bool) -> Verdict {
        if matches!(self.kind, Kind::Null { .. } | Kind::NotNull { .. }) {
            return Verdict::Some;
        }
        let passing = Evaluator::table(self, dictionary.values());
        match passing.count_ones() {
            0 => Verdict::None,
            all if all == dictionary.len() && !has_nulls => Verdict::All,
            _ => Verdict::Some,
        }
    }

    /// Whether a dictionary can say something.
    pub(crate) fn wants_dictionary(&self) -> bool {
        !matches!(self.kind, Kind::Null { .. } | Kind::NotNull { .. })
    }

    /// Whether there may be nulls in the column of a row group with these statistics.
    pub(crate) fn may_have_nulls(&self, statistics: Option<&Statistics<'_>>) -> bool {
        self.max_definition > 0 && statistics.and_then(Statistics::null_count) != Some(0)
    }

    /// A guess at the share of rows that pass, by the bounds of the column chunk.
    pub(crate) fn estimate(&self, statistics: Option<&Statistics<'_>>, num_rows: u64) -> f64 {
        let nulls = statistics.and_then(Statistics::null_count).map_or(0.1, |nulls| nulls as f64 / num_rows.max(1) as f64);
        match &self.kind {
            Kind::Null { .. } => nulls,
            Kind::NotNull { .. } => 1.0 - nulls,
            Kind::Words { words, set } => {
                let key =
                    |bound: Option<&Bound<'_>>| bound.filter(|bound| words.fits(bound.order())).and_then(|bound| words.key(bound.bytes()));
                let (least, greatest) = words.limits();
                let min = key(statistics.and_then(Statistics::min)).unwrap_or(least);
                let max = key(statistics.and_then(Statistics::max)).unwrap_or(greatest);
                let place = |cut: &Cut<i64>| match cut {
                    Cut::First => min as f64,
                    Cut::Before(key) => *key as f64,
                    Cut::After(key) => *key as f64 + 1.0,
                    Cut::Last => max as f64 + 1.0,
                };
                let (low, high) = (min as f64, max as f64 + 1.0);
                let covered: f64 = set.ranges().iter().map(|(from, to)| (place(to).min(high) - place(from).max(low)).max(0.0)).sum();
                (covered / (high - low).max(1.0)).clamp(0.0, 1.0)
            }
            Kind::Bytes { set, .. } => (0.1 * set.ranges().len() as f64).min(0.5),
            Kind::Pattern { negated, .. } => {
                if *negated {
                    0.8
                } else {
                    0.2
                }
            }
        }
    }

    /// Whether there can be nulls, one in a row at the most.
    fn may_be_null(&self) -> bool {
        self.max_definition > 0 && self.max_repetition == 0
    }

    fn by_facts(&self, facts: &Facts<'_>) -> Verdict {
        // Of lists, some writers count the elements that are null and not the lists.
        let no_nulls = self.max_definition == 0 || self.max_repetition == 0 && facts.null_count == Some(0);
        match &self.kind {
            Kind::Null { .. } if no_nulls => Verdict::None,
            Kind::NotNull { .. } if no_nulls => Verdict::All,
            // Nulls of the column may be those of a field around the one that is asked for, or of one inside.
            Kind::Null { level } if facts.all_null && *level == self.max_definition => Verdict::All,
            Kind::NotNull { level } if facts.all_null && *level == self.max_definition => Verdict::None,
            Kind::Null { .. } | Kind::NotNull { .. } => Verdict::Some,
            _ if facts.all_null => Verdict::None,
            Kind::Words { words, set } => by_keys(*words, set, facts, no_nulls),
            Kind::Bytes { order, set } => match between(set, *order, facts) {
                None => Verdict::None,
                Some(true) if no_nulls && (*order == Order::Decimal || are_exact(facts)) => Verdict::All,
                Some(_) => Verdict::Some,
            },
            Kind::Pattern { negated, hull, .. } => match (between(hull, Order::Bytes, facts), negated) {
                (None, false) => Verdict::None,
                (None, true) if no_nulls && are_exact(facts) => Verdict::All,
                _ => Verdict::Some,
            },
        }
    }

    /// The plain-encoded values that pass, where they are few.
    fn wanted(&self) -> Option<Vec<Vec<u8>>> {
        const MOST: usize = 64;
        match &self.kind {
            Kind::Words { words, set } if *words != Words::Boolean => {
                let points = set.points(&by_key, &|key: &i64| key.checked_add(1))?;
                let is_nan = |key: &i64| words.infinities().is_some_and(|(low, high)| *key < low || *key > high);
                // What writers hash for the many forms of NaN is not said.
                let few = points.len() <= MOST && !points.iter().any(|key| is_nan(key));
                few.then(|| points.into_iter().filter_map(|key| words.plain(*key)).collect())
            }
            Kind::Bytes { order: Order::Bytes, set } => {
                let points = set.points(&|a, b| Order::Bytes.compare(a, b), &|_| None)?;
                (points.len() <= MOST).then(|| points.into_iter().cloned().collect())
            }
            // Decimals of many lengths are equal.
            _ => None,
        }
    }
}

/// Bounds of text are often cut short: what follows from those that may be is not to be relied on for 'all'.
fn are_exact(facts: &Facts<'_>) -> bool {
    [&facts.min, &facts.max].into_iter().all(|bound| bound.as_ref().is_none_or(Bound::is_exact))
}

fn by_keys(words: Words, set: &Intervals<i64>, facts: &Facts<'_>, no_nulls: bool) -> Verdict {
    let key =
        |bound: &Option<Bound<'_>>| bound.as_ref().filter(|bound| words.fits(bound.order())).and_then(|bound| words.key(bound.bytes()));
    let (min, max) = (key(&facts.min), key(&facts.max));
    let numbers = match words.infinities() {
        // Where NaN is counted, it is beyond both infinities.
        Some((low, high)) => set.between(Some(&min.unwrap_or(low)), Some(&max.unwrap_or(high)), &by_key),
        None => set.between(min.as_ref(), max.as_ref(), &by_key),
    };
    let nan = match words.infinities() {
        None => None,
        Some(_) if facts.nan_count == Some(0) => None,
        Some((low, high)) => {
            let below = set.between(None, Some(&low.saturating_sub(1)), &by_key);
            let above = set.between(Some(&high.saturating_add(1)), None, &by_key);
            Some((below, above))
        }
    };
    match (numbers, nan) {
        (None, None | Some((None, None))) => Verdict::None,
        (Some(true), None | Some((Some(true), Some(true)))) if no_nulls => Verdict::All,
        _ => Verdict::Some,
    }
}

fn between(set: &Intervals<Vec<u8>>, order: Order, facts: &Facts<'_>) -> Option<bool> {
    fn bytes<'f>(bound: &'f Option<Bound<'_>>, order: Order) -> Option<&'f [u8]> {
        bound.as_ref().filter(|bound| bound.order() == order).map(Bound::bytes)
    }
    let compare = |key: &Vec<u8>, bound: &[u8]| -> Option<Ordering> { order.compare(key, bound) };
    set.between(bytes(&facts.min, order), bytes(&facts.max, order), &compare)
}
