//! Which slots of an array are written.

use std::ops::Range;

use arrow_buffer::NullBuffer;

/// Slots of an array in ascending or any other order, as runs of neighbours: one run where an array is written whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    runs: Vec<Range<usize>>,
    len: usize,
}

impl Runs {
    /// All slots of an array of `len`.
    pub(crate) fn all(len: usize) -> Self {
        let mut runs = Self::default();
        runs.push(0..len);
        runs
    }

    /// Adds slots behind the others.
    #[inline]
    pub(crate) fn push(&mut self, run: Range<usize>) {
        if run.is_empty() {
            return;
        }
        self.len += run.len();
        match self.runs.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => self.runs.push(run),
        }
    }

    /// The number of slots.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The runs in turn, none of them empty.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.runs.iter().cloned()
    }

    /// All slots, if they are neighbours.
    pub(crate) fn as_one(&self) -> Option<Range<usize>> {
        match self.runs.as_slice() {
            [] => Some(0..0),
            [run] => Some(run.clone()),
            _ => None,
        }
    }

    /// The number of nulls among the slots.
    pub(crate) fn nulls(&self, nulls: &NullBuffer) -> usize {
        match self.as_one() {
            Some(run) if run.len() == nulls.len() => nulls.null_count(),
            _ => self.iter().map(|run| nulls.slice(run.start, run.len()).null_count()).sum(),
        }
    }

    /// The slots that are not null.
    pub(crate) fn valid(&self, nulls: &NullBuffer) -> Self {
        let mut valid = Self::default();
        for run in self.iter() {
            let part = nulls.slice(run.start, run.len());
            part.valid_slices().for_each(|(start, end)| valid.push(run.start + start..run.start + end));
        }
        valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_run() {
        let mut runs = Runs::default();
        for run in [3..5, 5..5, 5..7, 9..10] {
            runs.push(run);
        }
        assert_eq!((runs.iter().collect::<Vec<_>>(), runs.len(), runs.as_one()), (vec![3..7, 9..10], 5, None));
        let nulls = NullBuffer::from((0..12).map(|slot| slot % 4 != 0).collect::<Vec<_>>());
        assert_eq!((runs.valid(&nulls).iter().collect::<Vec<_>>(), runs.nulls(&nulls)), (vec![3..4, 5..7, 9..10], 1));
        assert_eq!(Runs::all(0).as_one(), Some(0..0));
    }
}
