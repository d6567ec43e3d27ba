//! Bounds of byte arrays cut short: shorter than values can be and still bounds.

#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)
)]

/// The longest prefix of `bound` of at most `most` bytes; with `text`, of whole characters. A prefix is a lower bound of
/// what it is cut from. `None` when there is nothing to cut.
pub(crate) fn lower(bound: &[u8], most: usize, text: bool) -> Option<&[u8]> {
    if bound.len() <= most {
        return None;
    }
    if text && let Ok(string) = std::str::from_utf8(bound) {
        return bound.get(..floor_boundary(string, most));
    }
    bound.get(..most)
}

/// An upper bound of at most `most` bytes: a prefix of `bound`, its last byte (with `text`, its last character) raised by
/// one, after those that cannot be raised were cut off. `None` when there is nothing to cut or no such bound.
pub(crate) fn upper(bound: &[u8], most: usize, text: bool) -> Option<Vec<u8>> {
    if bound.len() <= most {
        return None;
    }
    match std::str::from_utf8(bound) {
        Ok(string) if text => raised_text(string.get(..floor_boundary(string, most))?, most),
        _ => raised_bytes(bound.get(..most)?),
    }
}

/// The last boundary of characters at or before a position.
fn floor_boundary(string: &str, most: usize) -> usize {
    (0..=most).rev().find(|at| string.is_char_boundary(*at)).unwrap_or(0)
}

fn raised_bytes(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut bound = prefix.get(..=last)?.to_vec();
    if let Some(byte) = bound.last_mut() {
        *byte = byte.saturating_add(1);
    }
    Some(bound)
}

fn raised_text(prefix: &str, most: usize) -> Option<Vec<u8>> {
    for (at, character) in prefix.char_indices().rev() {
        if let Some(next) = next_character(character)
            && at.saturating_add(next.len_utf8()) <= most
        {
            let mut bound = prefix.get(..at)?.to_owned();
            bound.push(next);
            return Some(bound.into_bytes());
        }
    }
    None
}

/// The character after this one, past those that are halves of others.
fn next_character(character: char) -> Option<char> {
    match character {
        '\u{d7ff}' => Some('\u{e000}'),
        _ => char::from_u32(u32::from(character).checked_add(1)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cut_bounds_are_bounds(bound in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xff)], 0..20), most in 1..12usize) {
            let low = lower(&bound, most, false);
            prop_assert_eq!(low.is_some(), bound.len() > most);
            prop_assert!(low.is_none_or(|low| low <= &bound[..] && low.len() <= most));
            let high = upper(&bound, most, false);
            prop_assert!(high.as_ref().is_none_or(|high| high > &bound && high.len() <= most));
            let can_be_raised = bound.len() > most && bound[..most].iter().any(|byte| *byte < 0xff);
            prop_assert_eq!(high.is_some(), can_be_raised);
        }

        #[test]
        fn cut_text_stays_text(bound in prop_oneof![".{0,12}", "[a\u{7f}\u{7ff}\u{ffff}\u{10ffff}\u{d7ff}]{0,12}"], most in 1..12usize) {
            let low = lower(bound.as_bytes(), most, true);
            prop_assert!(low.is_none_or(|low| low <= bound.as_bytes() && low.len() <= most && std::str::from_utf8(low).is_ok()));
            let high = upper(bound.as_bytes(), most, true);
            prop_assert!(high.is_none_or(|high| &high[..] > bound.as_bytes() && high.len() <= most && String::from_utf8(high).is_ok()));
        }
    }

    #[test]
    fn characters_are_raised_where_they_fit() {
        assert_eq!(upper(b"abcd", 2, true).unwrap(), b"ac");
        // What comes after U+007F takes two bytes, for which there is no room.
        assert_eq!(upper("a\u{7f}bc".as_bytes(), 2, true).unwrap(), b"b");
        assert_eq!(upper("\u{d7ff}xxx".as_bytes(), 3, true).unwrap(), "\u{e000}".as_bytes());
        assert_eq!(upper("\u{10ffff}\u{10ffff}".as_bytes(), 4, true), None);
        assert_eq!(upper(&[0xff; 9], 4, false), None);
        assert_eq!(upper(&[1, 0xff, 0xff, 0], 3, false).unwrap(), [2]);
        // What is no text is cut as bytes.
        assert_eq!(upper(&[0xff, 0x61, 0x61], 2, true).unwrap(), [0xff, 0x62]);
    }
}
