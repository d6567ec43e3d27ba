//! SQL's `LIKE`.

use std::fmt;

use crate::error::{Error, Result};

/// A pattern: `%` stands for any characters, `_` for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// One character.
    One,
    /// Any number of characters.
    Any,
}

impl Pattern {
    /// Reads a pattern in which `escape`, if there is one, takes the meaning of the character behind it.
    ///
    /// # Errors
    /// `Usage` if nothing follows an escape character.
    pub(super) fn parse(text: &str, escape: Option<char>) -> Result<Self> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let literal = match character {
                _ if Some(character) == escape => match characters.next() {
                    Some(next) => next,
                    None => return Err(Error::usage(format!("nothing follows the escape character at the end of the pattern {text:?}"))),
                },
                '%' => {
                    if pieces.last() != Some(&Piece::Any) {
                        pieces.push(Piece::Any);
                    }
                    continue;
                }
                '_' => {
                    pieces.push(Piece::One);
                    continue;
                }
                other => other,
            };
            let mut buffer = [0; 4];
            let bytes = literal.encode_utf8(&mut buffer).as_bytes();
            match pieces.last_mut() {
                Some(Piece::Bytes(before)) => before.extend_from_slice(bytes),
                _ => pieces.push(Piece::Bytes(bytes.to_vec())),
            }
        }
        Ok(Self { pieces })
    }

    /// What a value begins with that matches.
    pub(super) fn prefix(&self) -> &[u8] {
        match self.pieces.first() {
            Some(Piece::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }

    /// Whether nothing but the prefix is asked for.
    pub(super) fn is_prefix(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Bytes(_), Piece::Any] | [Piece::Any])
    }

    /// Whether it is one value, that of the prefix.
    pub(super) fn is_value(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Bytes(_)] | [])
    }

    /// Whether a value matches: by the characters of UTF-8.
    ///
    /// When a piece does not fit, the search goes on behind the last `%`: that takes at most the product of both lengths.
    pub(super) fn matches(&self, value: &[u8]) -> bool {
        let (mut piece, mut at) = (0_usize, 0_usize);
        // The piece behind the last `%`, and where in the value it was tried last.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let rest = value.get(at..).unwrap_or_default();
            let taken = match self.pieces.get(piece) {
                None if rest.is_empty() => return true,
                None => None,
                Some(Piece::Any) => {
                    piece = piece.saturating_add(1);
                    retry = Some((piece, at));
                    if piece == self.pieces.len() {
                        return true;
                    }
                    continue;
                }
                Some(Piece::One) => (!rest.is_empty()).then(|| character(rest)),
                Some(Piece::Bytes(bytes)) => rest.starts_with(bytes).then_some(bytes.len()),
            };
            match (taken, retry) {
                (Some(taken), _) => {
                    at = at.saturating_add(taken);
                    piece = piece.saturating_add(1);
                }
                (None, Some((behind, tried))) => {
                    let rest = value.get(tried..).unwrap_or_default();
                    let next = match self.pieces.get(behind) {
                        Some(Piece::Bytes(bytes)) => find(rest.get(1..).unwrap_or_default(), bytes).map(|found| found.saturating_add(1)),
                        _ => (!rest.is_empty()).then(|| character(rest)),
                    };
                    let Some(next) = next else { return false };
                    at = tried.saturating_add(next);
                    retry = Some((behind, at));
                    piece = behind;
                }
                (None, None) => return false,
            }
        }
    }
}

/// The bytes of the character that a text begins with; of what is no UTF-8, one byte.
fn character(text: &[u8]) -> usize {
    let length = match text.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let continues = |bytes: &[u8]| bytes.iter().skip(1).all(|byte| (0x80..0xc0).contains(byte));
    if text.get(..length).is_some_and(continues) { length } else { 1 }
}

/// Where `wanted` is in `text` first.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let Some((first, rest)) = wanted.split_first() else { return Some(0) };
    let mut from = 0_usize;
    loop {
        let found = text.get(from..)?.iter().position(|byte| byte == first)?;
        from = from.saturating_add(found).saturating_add(1);
        if text.get(from..)?.starts_with(rest) {
            return from.checked_sub(1);
        }
    }
}

/// With `\` as its escape character.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Any => f.write_str("%")?,
                Piece::One => f.write_str("_")?,
                Piece::Bytes(bytes) => {
                    for character in String::from_utf8_lossy(bytes).chars() {
                        if matches!(character, '%' | '_' | '\\') {
                            f.write_str("\\")?;
                        }
                        write!(f, "{character}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern, Some('\\')).unwrap().matches(text.as_bytes())
    }

    /// The naive twin, which forks at each `%`.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..])),
            Some(('_', rest)) => !text.is_empty() && naive(rest, &text[1..]),
            Some((character, rest)) => text.first() == Some(character) && naive(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_their_definition_says(pattern in "[ab%_é]{0,8}", text in "[abé]{0,10}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), naive(&characters(&pattern), &characters(&text)));
        }

        #[test]
        fn patterns_read_as_they_print(text in "[ab%_\\\\é']{0,8}") {
            if let Ok(pattern) = Pattern::parse(&text, Some('\\')) {
                prop_assert_eq!(Pattern::parse(&pattern.to_string(), Some('\\')).unwrap(), pattern);
            }
        }
    }

    #[test]
    fn escapes() {
        assert!(matches("100\\%", "100%") && !matches("100\\%", "1000"));
        assert!(matches("a\\_b", "a_b") && !matches("a\\_b", "axb"));
        assert!(Pattern::parse("a!%b", Some('!')).unwrap().matches(b"a%b"));
        assert!(Pattern::parse("a\\%", None).unwrap().matches(b"a\\bc"));
        assert!(Pattern::parse("a\\", Some('\\')).is_err());
    }

    #[test]
    fn long_texts_do_not_take_long() {
        let text = "a".repeat(20_000);
        let start = std::time::Instant::now();
        assert!(!matches("%a%a%a%a%a%a%b", &text));
        assert!(start.elapsed().as_secs() < 10);
    }
}
