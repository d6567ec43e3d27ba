//! Sets of values: unions of intervals.
//!
//! Each comparison is true for the values of such a set and false for the others, so that `not` is the complement, and whether
//! any or all of the values between two bounds pass is a question of intervals.

use std::cmp::Ordering;

/// A place between values: before all, before or after one, after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut<K> {
    First,
    Before(K),
    After(K),
    Last,
}

/// Disjoint intervals, ascending, with values between each and the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Intervals<K> {
    ranges: Vec<(Cut<K>, Cut<K>)>,
}

impl<K> Cut<K> {
    /// How the place lies to a value: `Less` if it is before it.
    pub(super) fn against<Q: ?Sized>(&self, value: &Q, compare: &impl Fn(&K, &Q) -> Option<Ordering>) -> Option<Ordering> {
        Some(match self {
            Cut::First => Ordering::Less,
            Cut::Last => Ordering::Greater,
            Cut::Before(key) => compare(key, value)?.then(Ordering::Less),
            Cut::After(key) => compare(key, value)?.then(Ordering::Greater),
        })
    }

    fn compare(&self, other: &Self, compare: &impl Fn(&K, &K) -> Option<Ordering>) -> Ordering {
        match (self, other) {
            (Cut::First, Cut::First) | (Cut::Last, Cut::Last) => Ordering::Equal,
            (_, Cut::First) => Ordering::Greater,
            (_, Cut::Last) => Ordering::Less,
            (_, Cut::Before(key)) => match self {
                Cut::Before(own) => compare(own, key).unwrap_or(Ordering::Equal),
                other => other.against(key, compare).unwrap_or(Ordering::Equal),
            },
            (_, Cut::After(key)) => match self {
                Cut::After(own) => compare(own, key).unwrap_or(Ordering::Equal),
                other => other.against(key, compare).unwrap_or(Ordering::Equal),
            },
        }
    }
}

impl<K: Clone> Intervals<K> {
    /// The union of intervals in any order; empty ones are left out.
    pub(super) fn union(mut ranges: Vec<(Cut<K>, Cut<K>)>, compare: &impl Fn(&K, &K) -> Option<Ordering>) -> Self {
        ranges.retain(|(low, high)| low.compare(high, compare) == Ordering::Less);
        ranges.sort_by(|(a, _), (b, _)| a.compare(b, compare));
        let mut merged: Vec<(Cut<K>, Cut<K>)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match merged.last_mut() {
                Some((_, end)) if low.compare(end, compare) != Ordering::Greater => {
                    if high.compare(end, compare) == Ordering::Greater {
                        *end = high;
                    }
                }
                _ => merged.push((low, high)),
            }
        }
        Self { ranges: merged }
    }

    /// All values that are not in the set.
    pub(super) fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len().saturating_add(1));
        let mut from = Cut::First;
        for (low, high) in &self.ranges {
            if !matches!(low, Cut::First) {
                ranges.push((from, low.clone()));
            }
            from = high.clone();
        }
        if !matches!(from, Cut::Last) {
            ranges.push((from, Cut::Last));
        }
        Self { ranges }
    }

    pub(super) fn ranges(&self) -> &[(Cut<K>, Cut<K>)] {
        &self.ranges
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The value, where the set is that one value alone; and so for each of several. `None` if there are longer intervals.
    pub(super) fn points(&self, compare: &impl Fn(&K, &K) -> Option<Ordering>, next: &impl Fn(&K) -> Option<K>) -> Option<Vec<&K>> {
        let point = |(low, high): &'_ (Cut<K>, Cut<K>)| match (low, high) {
            (Cut::Before(low), Cut::After(high)) => compare(low, high) == Some(Ordering::Equal),
            (Cut::Before(low), Cut::Before(high)) => next(low).is_some_and(|next| compare(&next, high) == Some(Ordering::Equal)),
            _ => false,
        };
        self.ranges
            .iter()
            .map(|range| match &range.0 {
                Cut::Before(key) if point(range) => Some(key),
                _ => None,
            })
            .collect()
    }

    /// Whether the set has a value.
    pub(super) fn contains<Q: ?Sized>(&self, value: &Q, compare: &impl Fn(&K, &Q) -> Option<Ordering>) -> bool {
        // The first interval that ends behind the value.
        let place = self.ranges.partition_point(|(_, high)| high.against(value, compare) != Some(Ordering::Greater));
        self.ranges.get(place).is_some_and(|(low, _)| low.against(value, compare) == Some(Ordering::Less))
    }

    /// Whether values from `min` to `max` are in the set: `None` none of them can be, `Some(true)` all of them. A bound that is
    /// missing is far away.
    pub(super) fn between<Q: ?Sized>(
        &self,
        min: Option<&Q>,
        max: Option<&Q>,
        compare: &impl Fn(&K, &Q) -> Option<Ordering>,
    ) -> Option<bool> {
        let ends_after_min = |high: &Cut<K>| min.is_none_or(|min| high.against(min, compare) != Some(Ordering::Less));
        let begins_before_max = |low: &Cut<K>| max.is_none_or(|max| low.against(max, compare) != Some(Ordering::Greater));
        let place = self.ranges.partition_point(|(_, high)| !ends_after_min(high));
        let (low, high) = self.ranges.get(place).filter(|(low, _)| begins_before_max(low))?;
        let from_min = match min {
            Some(min) => low.against(min, compare) == Some(Ordering::Less),
            None => matches!(low, Cut::First),
        };
        let to_max = match max {
            Some(max) => high.against(max, compare) == Some(Ordering::Greater),
            None => matches!(high, Cut::Last),
        };
        Some(from_min && to_max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(a: &i8, b: &i8) -> Option<Ordering> {
        Some(a.cmp(b))
    }

    fn cut() -> impl Strategy<Value = Cut<i8>> {
        prop_oneof![Just(Cut::First), Just(Cut::Last), any::<i8>().prop_map(Cut::Before), any::<i8>().prop_map(Cut::After)]
    }

    fn inside((low, high): &(Cut<i8>, Cut<i8>), value: i8) -> bool {
        let after = match low {
            Cut::First => true,
            Cut::Last => false,
            Cut::Before(key) => value >= *key,
            Cut::After(key) => value > *key,
        };
        let before = match high {
            Cut::First => false,
            Cut::Last => true,
            Cut::Before(key) => value < *key,
            Cut::After(key) => value <= *key,
        };
        after && before
    }

    proptest! {
        #[test]
        fn sets_are_what_their_intervals_say(ranges in prop::collection::vec((cut(), cut()), 0..6), a: i8, b: i8) {
            let set = Intervals::union(ranges.clone(), &order);
            let other = set.complement();
            for value in i8::MIN..=i8::MAX {
                let expected = ranges.iter().any(|range| inside(range, value));
                prop_assert_eq!(set.contains(&value, &order), expected);
                prop_assert_eq!(other.contains(&value, &order), !expected);
            }
            let (min, max) = (a.min(b), a.max(b));
            let passing = (min..=max).filter(|value| set.contains(value, &order)).count();
            match set.between(Some(&min), Some(&max), &order) {
                None => prop_assert_eq!(passing, 0),
                Some(true) => prop_assert_eq!(passing, (min..=max).count()),
                // Adjacent intervals are not known to be: `All` may be missed, and so may `None`.
                Some(false) => {}
            }
            if set.between(None, Some(&max), &order).is_none() {
                prop_assert!((i8::MIN..=max).all(|value| !set.contains(&value, &order)));
            }
            if set.between(Some(&min), None, &order) == Some(true) {
                prop_assert!((min..=i8::MAX).all(|value| set.contains(&value, &order)));
            }
        }
    }

    #[test]
    fn points_are_known() {
        let points = |ranges| {
            Intervals::union(ranges, &order)
                .points(&order, &|key: &i8| key.checked_add(1))
                .map(|points| points.into_iter().copied().collect::<Vec<_>>())
        };
        assert_eq!(points(vec![(Cut::Before(3), Cut::After(3)), (Cut::Before(7), Cut::Before(8))]), Some(vec![3, 7]));
        assert_eq!(points(vec![(Cut::Before(3), Cut::After(4))]), None);
        assert_eq!(points(vec![]), Some(vec![]));
    }
}
