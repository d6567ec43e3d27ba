//! As much JSON as the metadata of extension types needs: the members of an object, and strings.

use std::iter::Peekable;
use std::str::CharIndices;

/// How deep values may nest.
const DEPTH: usize = 64;

/// The members of the object that a text is: names without escapes, values as they are written. `None` when the text is
/// not an object, or has anything after it.
pub(crate) fn members(text: &str) -> Option<Vec<(String, &str)>> {
    let mut scanner = Scanner { text, chars: text.char_indices().peekable() };
    let members = scanner.object(DEPTH)?;
    scanner.space();
    scanner.chars.peek().is_none().then_some(members)
}

/// The string that a value is, without quotes and escapes.
pub(crate) fn unquote(value: &str) -> Option<String> {
    let inner = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        out.push(match chars.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => escaped(&mut chars)?,
            other @ ('"' | '\\' | '/') => other,
            _ => return None,
        });
    }
    Some(out)
}

/// A text as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out.push('"');
    out
}

/// The character of the four hexadecimal digits after `\u`, or of two such escapes that form a pair.
fn escaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let high = hex4(chars)?;
    if !(0xD800..0xDC00).contains(&high) {
        return char::from_u32(high);
    }
    (chars.next()? == '\\' && chars.next()? == 'u').then_some(())?;
    let low = hex4(chars)?;
    char::decode_utf16([u16::try_from(high).ok()?, u16::try_from(low).ok()?]).next()?.ok()
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |value: u32, _| Some(value << 4 | chars.next()?.to_digit(16)?))
}

struct Scanner<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl<'a> Scanner<'a> {
    fn object(&mut self, depth: usize) -> Option<Vec<(String, &'a str)>> {
        let mut members = Vec::new();
        self.token('{')?;
        if self.token('}').is_some() {
            return Some(members);
        }
        loop {
            self.space();
            let name = self.spanned(Self::string)?;
            self.token(':')?;
            self.space();
            let value = self.spanned(|scanner| scanner.value(depth))?;
            members.push((unquote(name)?, value));
            if self.token(',').is_none() {
                self.token('}')?;
                return Some(members);
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.space();
        match self.chars.peek()?.1 {
            '{' => self.object(depth).map(drop),
            '[' => self.array(depth),
            '"' => self.string(),
            _ => self.word(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.token('[')?;
        if self.token(']').is_some() {
            return Some(());
        }
        loop {
            self.value(depth)?;
            if self.token(',').is_none() {
                return self.token(']');
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.token('"')?;
        loop {
            match self.chars.next()?.1 {
                '"' => return Some(()),
                '\\' => drop(self.chars.next()?),
                '\0'..='\u{1f}' => return None,
                _ => {}
            }
        }
    }

    /// A number, or one of the three names.
    fn word(&mut self) -> Option<()> {
        let word = self.spanned(|scanner| {
            while scanner.chars.next_if(|(_, char)| char.is_ascii_alphanumeric() || "+-.".contains(*char)).is_some() {}
            Some(())
        })?;
        let is_number = word.starts_with(|char: char| char == '-' || char.is_ascii_digit()) && word.parse::<f64>().is_ok();
        (is_number || matches!(word, "true" | "false" | "null")).then_some(())
    }

    fn token(&mut self, token: char) -> Option<()> {
        self.space();
        self.chars.next_if(|(_, char)| *char == token).map(drop)
    }

    fn space(&mut self) {
        while self.chars.next_if(|(_, char)| matches!(char, ' ' | '\t' | '\n' | '\r')).is_some() {}
    }

    /// What a step passes over.
    fn spanned(&mut self, step: impl FnOnce(&mut Self) -> Option<()>) -> Option<&'a str> {
        let start = self.at();
        step(self)?;
        let end = self.at();
        self.text.get(start..end)
    }

    fn at(&mut self) -> usize {
        self.chars.peek().map_or(self.text.len(), |(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_members_of_objects() {
        let text = r#" { "a" : [1, -2.5e3, {"x": null}], "b\"\u00e9\ud83d\ude00": "c\n", "d": {"e": {}} } "#;
        let members = members(text).unwrap();
        assert_eq!(
            members,
            [("a".into(), r#"[1, -2.5e3, {"x": null}]"#), ("b\"é😀".into(), r#""c\n""#), ("d".into(), r#"{"e": {}}"#)]
                as [(String, &str); 3]
        );
        assert_eq!(unquote(members[1].1).as_deref(), Some("c\n"));
        assert_eq!(super::members("{}"), Some(Vec::new()));
    }

    #[test]
    fn refuses_what_is_not_an_object() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
        for text in
            ["", "{", "[]", "{}x", "{a:1}", r#"{"a"}"#, r#"{"a":}"#, r#"{"a":1,}"#, r#"{"a":nul}"#, r#"{"a":"b}"#, r#"{"a":inf}"#, &deep]
        {
            assert_eq!(members(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn strings_survive(text in any::<String>()) {
            let quoted = quote(&text);
            let object = format!("{{{quoted}:{quoted}}}");
            let found = members(&object);
            prop_assert_eq!(found, Some(vec![(text.clone(), quoted.as_str())]));
            prop_assert_eq!(unquote(&quoted), Some(text));
        }

        #[test]
        fn any_text_is_safe(text in r#"[{}\[\]":,\\u0-9a-f é]{0,40}"#) {
            let _ = members(&text);
            let _ = unquote(&text);
        }
    }
}
