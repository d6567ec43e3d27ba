//! Where something is while a file is walked, and what becomes of it in a finding: a file chooses how long its names and values are, and
//! how often they would be copied.

use std::fmt::{self, Write};

use crate::error::{Place, shortened};
use crate::schema::Schema;

/// A [`Place`] that copies no name: the column is the index of its leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) leaf: Option<usize>,
    pub(super) row_group: Option<usize>,
    pub(super) page: Option<usize>,
    pub(super) offset: Option<u64>,
}

impl Spot {
    /// The place in a file of this schema.
    pub(super) fn place(self, schema: Option<&Schema>) -> Place {
        let leaf = self.leaf.and_then(|leaf| schema?.leaves().get(leaf));
        Place {
            file: None,
            column: leaf.map(|leaf| shortened(leaf.path.dotted())),
            row_group: self.row_group,
            page: self.page,
            offset: self.offset,
        }
    }
}

/// How many bytes a text of a finding may have.
const MOST: usize = 1000;

/// A text as a finding has it: the end of a long one is left out, and not even made.
pub(super) fn cut(text: impl fmt::Display) -> String {
    let mut cut = Cut(String::new());
    // It fails where it has become too long.
    match write!(cut, "{text}") {
        Ok(()) => cut.0,
        Err(_) => cut.0 + "…",
    }
}

struct Cut(String);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MOST.saturating_sub(self.0.len()).min(text.len());
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(text.get(..end).unwrap_or_default());
        if end < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut(""), "");
        assert_eq!(cut("a".repeat(MOST)), "a".repeat(MOST));
        assert_eq!(cut("é".repeat(MOST)), "é".repeat(MOST / 2) + "…");
        assert_eq!(cut(format_args!("a{}", "é".repeat(MOST))), format!("a{}…", "é".repeat(MOST / 2 - 1)));
    }
}
