//! The levels of the page that is being filled.

use crate::error::{Error, Result};
use crate::levels::{count_level, count_levels, write_equal_levels, write_levels, write_validity};
use crate::schema::Leaf;
use crate::values::{Bits, BitsSlice};

/// The levels of the entries that are written together with some values.
#[derive(Clone, Copy, Debug)]
pub enum LevelsSlice<'a> {
    /// Each row has one value: for columns that are in no list.
    Present,
    /// One bit a row, 1 where there is a value: for columns that are in no list and whose highest definition level is 1.
    Validity(BitsSlice<'a>),
    /// One level an entry; levels whose maximum is 0 may be left out. The first repetition level is 0: rows are written whole.
    Levels {
        /// Repetition levels.
        repetition: &'a [u8],
        /// Definition levels.
        definition: &'a [u8],
    },
}

/// Levels that were held against their column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked<'a> {
    kind: Kind<'a>,
    /// The highest definition level.
    max: u8,
    pub(crate) entries: usize,
}

#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    Present,
    Validity(BitsSlice<'a>),
    Flat(&'a [u8]),
    Nested {
        repetition: &'a [u8],
        /// Empty when the highest level is 0.
        definition: &'a [u8],
    },
}

impl<'a> Checked<'a> {
    /// Checks levels that come with `values` values.
    pub(crate) fn new(levels: LevelsSlice<'a>, leaf: &Leaf, values: usize) -> Result<Self> {
        let max = leaf.max_definition_level;
        let kind = match levels {
            LevelsSlice::Present if leaf.max_repetition_level == 0 => Kind::Present,
            LevelsSlice::Validity(bits) if leaf.max_repetition_level == 0 && max == 1 => Kind::Validity(bits),
            LevelsSlice::Levels { repetition, definition } => check_levels(repetition, definition, leaf)?.unwrap_or(Kind::Present),
            _ => return Err(Error::usage("a column in lists, or with several optional fields on its path, needs its levels")),
        };
        let entries = match kind {
            Kind::Present => values,
            Kind::Validity(bits) => bits.len(),
            Kind::Flat(definition) => definition.len(),
            Kind::Nested { repetition, .. } => repetition.len(),
        };
        let checked = Self { kind, max, entries };
        let present = checked.values(0, entries);
        if present != values {
            return Err(Error::usage(format!("the levels have {present} values, but {values} were given")));
        }
        Ok(checked)
    }

    /// How many values the entries have.
    pub(crate) fn values(&self, start: usize, end: usize) -> usize {
        match self.kind {
            Kind::Present => end - start,
            Kind::Validity(bits) => bits.slice(start..end).map_or(0, |bits| bits.count_ones()),
            Kind::Nested { definition: [], .. } => end - start,
            Kind::Flat(definition) | Kind::Nested { definition, .. } => {
                count_level(definition.get(start..end).unwrap_or_default(), self.max)
            }
        }
    }

    /// The levels of an entry.
    pub(crate) fn at(&self, entry: usize) -> (u8, u8) {
        let level = |levels: &[u8], missing| levels.get(entry).copied().unwrap_or(missing);
        match self.kind {
            Kind::Present => (0, self.max),
            Kind::Validity(bits) => (0, bits.slice(entry..entry + 1).map_or(0, |bit| bit.count_ones() as u8)),
            Kind::Flat(definition) => (0, level(definition, self.max)),
            Kind::Nested { repetition, definition } => (level(repetition, 0), level(definition, self.max)),
        }
    }

    /// How many rows begin in the entries `start..end`.
    pub(crate) fn rows(&self, start: usize, end: usize) -> usize {
        match self.kind {
            Kind::Nested { repetition, .. } => count_level(repetition.get(start..end).unwrap_or_default(), 0),
            _ => end - start,
        }
    }

    /// Whether an entry has a value.
    pub(crate) fn is_present(&self, entry: usize) -> bool {
        self.at(entry).1 == self.max
    }

    /// Where the next `rows` rows from entry `start` end, and how many rows that is.
    pub(crate) fn row_end(&self, start: usize, rows: usize) -> (usize, usize) {
        match self.kind {
            Kind::Nested { repetition, .. } => {
                let (entries, rows) = crate::levels::nested::row_end(repetition, start, rows);
                (start + entries, rows)
            }
            _ => {
                let end = self.entries.min(start.saturating_add(rows));
                (end, end - start)
            }
        }
    }
}

/// Checks what the slices say against the leaf; `None` when they say nothing.
fn check_levels<'a>(repetition: &'a [u8], definition: &'a [u8], leaf: &Leaf) -> Result<Option<Kind<'a>>> {
    let within = |levels: &[u8], max: u8| levels.iter().fold(0, |highest: u8, level| highest.max(*level)) <= max;
    if !within(repetition, leaf.max_repetition_level) || !within(definition, leaf.max_definition_level) {
        let (repetition, definition) = (leaf.max_repetition_level, leaf.max_definition_level);
        return Err(Error::usage(format!("levels above the column's highest: repetition {repetition}, definition {definition}")));
    }
    let definition = if leaf.max_definition_level == 0 { &[] } else { definition };
    if leaf.max_repetition_level == 0 {
        return Ok((leaf.max_definition_level > 0).then_some(Kind::Flat(definition)));
    }
    if repetition.first().is_some_and(|first| *first != 0) {
        return Err(Error::usage("the first repetition level is not 0: rows are written whole"));
    }
    if leaf.max_definition_level > 0 && repetition.len() != definition.len() {
        return Err(Error::usage(format!("{} repetition levels and {} definition levels", repetition.len(), definition.len())));
    }
    Ok(Some(Kind::Nested { repetition, definition }))
}

/// What the levels of a page say of it.
pub(crate) struct LevelCounts {
    pub(crate) entries: usize,
    pub(crate) rows: usize,
    /// How often each level occurs; empty for levels whose maximum is 0.
    pub(crate) repetition_histogram: Vec<i64>,
    pub(crate) definition_histogram: Vec<i64>,
}

/// The levels of one page.
#[derive(Debug)]
pub(crate) struct PageLevels {
    max_repetition: u8,
    max_definition: u8,
    repetition: Vec<u8>,
    definition: Definition,
    entries: usize,
    rows: usize,
}

#[derive(Debug)]
enum Definition {
    /// All have the highest level.
    None,
    /// For a highest level of 1: as they are stored.
    Bits(Bits),
    Bytes(Vec<u8>),
}

impl PageLevels {
    pub(crate) fn new(leaf: &Leaf) -> Self {
        let definition = match (leaf.max_definition_level, leaf.max_repetition_level) {
            (0, _) => Definition::None,
            (1, 0) => Definition::Bits(Bits::new()),
            _ => Definition::Bytes(Vec::new()),
        };
        Self {
            max_repetition: leaf.max_repetition_level,
            max_definition: leaf.max_definition_level,
            repetition: Vec::new(),
            definition,
            entries: 0,
            rows: 0,
        }
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn memory(&self) -> usize {
        let definition = match &self.definition {
            Definition::None => 0,
            Definition::Bits(bits) => bits.len() / 8,
            Definition::Bytes(bytes) => bytes.len(),
        };
        self.repetition.len() + definition
    }

    /// Adds the entries `start..end`, which begin `rows` rows.
    pub(crate) fn add(&mut self, levels: &Checked<'_>, start: usize, end: usize, rows: usize) {
        let n = end - start;
        self.entries += n;
        self.rows += rows;
        match (&mut self.definition, levels.kind) {
            (Definition::None, _) => {}
            (Definition::Bits(page), Kind::Validity(bits)) => {
                if let Some(bits) = bits.slice(start..end) {
                    bits.append_to(page);
                }
            }
            (Definition::Bits(page), Kind::Flat(definition)) => {
                crate::levels::nested::push_at_least(definition.get(start..end).unwrap_or_default(), 1, page);
            }
            (Definition::Bits(page), _) => page.extend_run(true, n),
            (Definition::Bytes(page), Kind::Flat(definition) | Kind::Nested { definition, .. }) => {
                page.extend_from_slice(definition.get(start..end).unwrap_or_default());
            }
            (Definition::Bytes(page), _) => page.resize(page.len() + n, self.max_definition),
        }
        if let Kind::Nested { repetition, .. } = levels.kind {
            self.repetition.extend_from_slice(repetition.get(start..end).unwrap_or_default());
        }
    }

    /// Appends the encoded repetition levels.
    pub(crate) fn write_repetition(&self, out: &mut Vec<u8>) {
        write_levels(&self.repetition, self.max_repetition, out);
    }

    /// Appends the encoded definition levels.
    pub(crate) fn write_definition(&self, out: &mut Vec<u8>) {
        match &self.definition {
            Definition::None => {}
            Definition::Bits(bits) if bits.count_ones() == bits.len() => write_equal_levels(1, bits.len(), 1, out),
            Definition::Bits(bits) => write_validity(bits, out),
            Definition::Bytes(levels) => write_levels(levels, self.max_definition, out),
        }
    }

    /// What they say of the page.
    pub(crate) fn counts(&self) -> LevelCounts {
        let (repetition_histogram, definition_histogram) = self.histograms();
        LevelCounts { entries: self.entries, rows: self.rows, repetition_histogram, definition_histogram }
    }

    /// How often each repetition and each definition level occurs; empty for levels whose maximum is 0.
    fn histograms(&self) -> (Vec<i64>, Vec<i64>) {
        let mut repetition = vec![0; usize::from(self.max_repetition) + 1];
        count_levels(&self.repetition, &mut repetition);
        let mut definition = vec![0; usize::from(self.max_definition) + 1];
        match &self.definition {
            Definition::None => {}
            Definition::Bits(bits) => {
                let ones = bits.count_ones();
                definition = vec![(bits.len() - ones) as i64, ones as i64];
            }
            Definition::Bytes(levels) => count_levels(levels, &mut definition),
        }
        let known = |histogram: Vec<i64>| if histogram.len() > 1 { histogram } else { Vec::new() };
        (known(repetition), known(definition))
    }

    /// Begins the next page.
    pub(crate) fn clear(&mut self) {
        self.repetition.clear();
        match &mut self.definition {
            Definition::None => {}
            Definition::Bits(bits) => bits.clear(),
            Definition::Bytes(levels) => levels.clear(),
        }
        self.entries = 0;
        self.rows = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    fn leaf(text: &str) -> Leaf {
        let schema: Schema = format!("message m {{ {text} }}").parse().unwrap();
        schema.leaves()[0].clone()
    }

    #[test]
    fn levels_that_do_not_fit_the_column_are_refused() {
        let required = leaf("required int32 a;");
        let optional = leaf("optional int32 a;");
        let deep = leaf("optional group g { optional int32 a; }");
        let list = leaf("repeated int32 a;");
        let bits = Bits::repeat(true, 3);
        let levels = |repetition: &'static [u8], definition: &'static [u8]| LevelsSlice::Levels { repetition, definition };
        let validity = LevelsSlice::Validity((&bits).into());
        for (levels, leaf, values, says) in [
            (LevelsSlice::Present, &list, 3, "needs its levels"),
            (validity, &required, 3, "needs its levels"),
            (validity, &deep, 3, "needs its levels"),
            (validity, &list, 3, "needs its levels"),
            (validity, &optional, 2, "have 3 values"),
            (levels(&[], &[0, 1, 2]), &deep, 2, "have 1 values"),
            (levels(&[], &[0, 1, 3]), &deep, 1, "above the column's highest"),
            (levels(&[0, 2], &[1, 1]), &list, 2, "above the column's highest"),
            (levels(&[1, 1], &[1, 1]), &list, 2, "rows are written whole"),
            (levels(&[0, 1], &[1]), &list, 1, "2 repetition levels and 1"),
        ] {
            let error = Checked::new(levels, leaf, values).unwrap_err();
            assert!(error.message().contains(says), "{error} lacks {says:?}");
        }
        assert_eq!(Checked::new(levels(&[], &[0, 1, 2]), &deep, 1).unwrap().entries, 3);
        assert_eq!(Checked::new(levels(&[0, 0, 1], &[0, 1, 1]), &list, 2).unwrap().row_end(1, 5), (3, 1));
        assert_eq!(Checked::new(LevelsSlice::Present, &deep, 5).unwrap().entries, 5);
    }

    #[test]
    fn pages_count_their_levels() {
        let list = leaf("repeated int32 a;");
        let mut page = PageLevels::new(&list);
        let levels = Checked::new(LevelsSlice::Levels { repetition: &[0, 0, 1, 1], definition: &[0, 1, 1, 1] }, &list, 3).unwrap();
        page.add(&levels, 0, 4, 2);
        assert_eq!((page.entries(), page.rows()), (4, 2));
        assert_eq!(page.histograms(), (vec![2, 2], vec![1, 3]));
        page.clear();
        assert_eq!(page.histograms(), (vec![0, 0], vec![0, 0]));
        let optional = leaf("optional int32 a;");
        let mut page = PageLevels::new(&optional);
        let bits: Bits = [true, false, true].into_iter().collect();
        page.add(&Checked::new(LevelsSlice::Validity((&bits).into()), &optional, 2).unwrap(), 0, 3, 3);
        page.add(&Checked::new(LevelsSlice::Present, &optional, 2).unwrap(), 0, 2, 2);
        page.add(&Checked::new(LevelsSlice::Levels { repetition: &[], definition: &[0, 1] }, &optional, 1).unwrap(), 0, 2, 2);
        assert_eq!(page.histograms(), (Vec::new(), vec![2, 5]));
    }
}
