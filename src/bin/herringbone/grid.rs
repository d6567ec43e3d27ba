//! Aligned columns of text.

use std::io::{self, Write};

use console::{measure_text_width, truncate_str};

/// Values wider than this do not push the other rows apart; they stick out instead.
const WIDEST: usize = 60;

/// A table that is printed block by block: widths grow with what was seen, so that a stream stays aligned from the first
/// rows on.
pub struct Grid {
    columns: Vec<Column>,
    /// Whether the header still has to be printed.
    fresh: bool,
    /// The most characters of a value, on a terminal.
    cut: Option<usize>,
    /// The width of the terminal: columns beyond are left out.
    room: Option<usize>,
}

struct Column {
    name: String,
    right: bool,
    width: usize,
}

impl Grid {
    /// Columns of these names; numbers stand on the right.
    pub fn new<S: AsRef<str>>(columns: impl IntoIterator<Item = (S, Align)>) -> Self {
        let column = |(name, align): (S, Align)| {
            let name = shown(name.as_ref());
            Column { width: measure_text_width(&name), name, right: align == Align::Right }
        };
        Self { columns: columns.into_iter().map(column).collect(), fresh: true, cut: None, room: None }
    }

    /// Cuts values and leaves out columns so that rows fit into lines of `width` characters.
    pub fn fit(&mut self, width: usize) {
        self.cut = Some((width / 2).clamp(8, 40));
        self.room = Some(width);
    }

    /// Prints a block of rows, and the header in front of the first one. Returns how many columns were left out.
    pub fn print(&mut self, rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<usize> {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|value| self.cut(shown(value))).collect()).collect();
        for row in &rows {
            for (column, value) in self.columns.iter_mut().zip(row) {
                column.width = column.width.max(measure_text_width(value));
            }
        }
        let fitting = self.fitting();
        if std::mem::take(&mut self.fresh) {
            let names: Vec<String> = self.columns.iter().map(|column| self.cut(column.name.clone())).collect();
            self.line(&names, fitting, out)?;
            let rules: Vec<String> = self.columns.iter().take(fitting).map(|column| "-".repeat(column.padded())).collect();
            writeln!(out, "{}", rules.join("-+-"))?;
        }
        for row in &rows {
            self.line(row, fitting, out)?;
        }
        Ok(self.columns.len() - fitting)
    }

    fn cut(&self, value: String) -> String {
        match self.cut {
            Some(most) if measure_text_width(&value) > most => truncate_str(&value, most, "…").into_owned(),
            _ => value,
        }
    }

    /// How many columns fit; one is always shown.
    fn fitting(&self) -> usize {
        let Some(room) = self.room else { return self.columns.len() };
        let mut used = 0;
        let fits = |column: &&Column| {
            used += column.padded() + 3;
            used <= room + 3
        };
        self.columns.iter().take_while(fits).count().max(1).min(self.columns.len())
    }

    fn line(&self, values: &[String], fitting: usize, out: &mut dyn Write) -> io::Result<()> {
        for (i, (value, column)) in values.iter().zip(&self.columns).take(fitting).enumerate() {
            let blank = column.padded().saturating_sub(measure_text_width(value));
            let separator = if i > 0 { " | " } else { "" };
            match (column.right, i + 1 == fitting) {
                (true, _) => write!(out, "{separator}{:blank$}{value}", "")?,
                (false, false) => write!(out, "{separator}{value}{:blank$}", "")?,
                (false, true) => write!(out, "{separator}{value}")?,
            }
        }
        writeln!(out)
    }
}

impl Column {
    fn padded(&self) -> usize {
        self.width.min(WIDEST)
    }
}

/// On which side of its column a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Text without control characters, which would break a table or command the terminal: files may hold anything.
pub fn shown(value: &str) -> String {
    if !value.contains(char::is_control) {
        return value.to_owned();
    }
    let mut text = String::with_capacity(value.len() + 8);
    for character in value.chars() {
        match character.is_control() {
            true => text.extend(character.escape_default()),
            false => text.push(character),
        }
    }
    text
}

/// A text of at most so many bytes, with `…` behind where something was cut off.
pub fn cut_to(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.char_indices().map(|(start, _)| start).take_while(|start| *start <= most).last().unwrap_or(0);
    format!("{}…", &text[..end])
}

/// A number with its thousands apart.
pub fn thousands(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many times as large data was before compression.
pub fn ratio(uncompressed: u64, compressed: u64) -> String {
    match compressed {
        0 => String::new(),
        _ => format!("{:.2}", uncompressed as f64 / compressed as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|value| (*value).to_owned()).collect()).collect()
    }

    fn printed(grid: &mut Grid, values: &[&[&str]]) -> (String, usize) {
        let mut out = Vec::new();
        let left_out = grid.print(&rows(values), &mut out).unwrap();
        (String::from_utf8(out).unwrap(), left_out)
    }

    #[test]
    fn columns_stand_below_one_another() {
        let mut grid = Grid::new([("n", Align::Right), ("name", Align::Left), ("x", Align::Left)]);
        let expected = " n | name | x\n---+------+---\n10 | ä    | 1\n 2 | 日本 | 22\n";
        assert_eq!(printed(&mut grid, &[&["10", "ä", "1"], &["2", "日本", "22"]]), (expected.to_owned(), 0));
        assert_eq!(printed(&mut grid, &[&["3", "", ""]]).0, " 3 |      | \n", "a later block has no header");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut grid = Grid::new([("a\u{1b}[2J", Align::Left)]);
        assert_eq!(printed(&mut grid, &[&["x\ny\u{9b}"]]).0, "a\\u{1b}[2J\n----------\nx\\ny\\u{9b}\n");
    }

    #[test]
    fn one_long_value_does_not_push_the_others_apart() {
        let mut grid = Grid::new([("a", Align::Left), ("b", Align::Left)]);
        let long = "x".repeat(1000);
        let (text, _) = printed(&mut grid, &[&[&long, "1"], &["y", "2"]]);
        assert_eq!(text.lines().nth(2).unwrap(), format!("{long} | 1"));
        assert_eq!(text.lines().nth(3).unwrap().len(), WIDEST + 4);
    }

    #[test]
    fn on_a_terminal_values_are_cut_and_columns_left_out() {
        let mut grid = Grid::new([("a", Align::Left), ("b", Align::Left), ("c", Align::Left)]);
        grid.fit(20);
        let (text, left_out) = printed(&mut grid, &[&["0123456789012345", "bbbb", "cccc"]]);
        assert_eq!((text.as_str(), left_out), ("a          | b\n-----------+-----\n012345678… | bbbb\n", 1));
        let mut grid = Grid::new([("a", Align::Left)]);
        grid.fit(2);
        assert_eq!(printed(&mut grid, &[&["0123456789"]]).0.lines().last(), Some("0123456…"));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!([0, 1, 2, 3].map(|most| cut_to("äb", most)), ["…", "…", "ä…", "äb"]);
    }

    #[test]
    fn numbers() {
        let all: Vec<String> = [0_u64, 999, 1_000, 12_345, 123_456, 1_234_567].map(thousands).into();
        assert_eq!(all, ["0", "999", "1,000", "12,345", "123,456", "1,234,567"]);
        assert_eq!((ratio(10, 4), ratio(10, 0)), ("2.50".to_owned(), String::new()));
    }
}
