//! The tokens of the message text form.

use std::borrow::Cow;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A token.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Quoted(Cow<'a, str>),
    /// One of the characters that end words.
    Sign(char),
    /// A quoted name without an end, or with an escape that does not exist.
    Broken,
    End,
}

/// A cursor over a text, and what can be asked for there.
pub(super) struct Tokens<'a> {
    text: &'a str,
    /// What has not been read; an end of `text`.
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    /// At the start of a text.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    /// The byte where the next token starts.
    pub(super) fn position(&self) -> usize {
        self.text.len().saturating_sub(self.rest.trim_start().len())
    }

    /// The next token and the byte where it starts.
    pub(super) fn next(&mut self) -> (Token<'a>, usize) {
        self.rest = self.rest.trim_start();
        let at = self.text.len().saturating_sub(self.rest.len());
        let Some(first) = self.rest.chars().next() else { return (Token::End, at) };
        if first == '"' {
            return (self.quoted(), at);
        }
        // What follows a sign or a word always starts at a character.
        let length = if ends_word(first) { first.len_utf8() } else { self.rest.find(ends_word).unwrap_or(self.rest.len()) };
        let (token, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        (if ends_word(first) { Token::Sign(first) } else { Token::Word(token) }, at)
    }

    /// The next token, which stays the next.
    pub(super) fn peek(&mut self) -> Token<'a> {
        let rest = self.rest;
        let (token, _) = self.next();
        self.rest = rest;
        token
    }

    fn quoted(&mut self) -> Token<'a> {
        let mut inside = self.rest.get(1..).unwrap_or_default();
        let mut name = Cow::Borrowed("");
        loop {
            let Some((plain, rest)) = inside.find(['"', '\\']).and_then(|end| inside.split_at_checked(end)) else {
                self.rest = "";
                return Token::Broken;
            };
            if name.is_empty() {
                name = Cow::Borrowed(plain);
            } else {
                name.to_mut().push_str(plain);
            }
            if let Some(rest) = rest.strip_prefix('"') {
                self.rest = rest;
                return Token::Quoted(name);
            }
            let Some((character, rest)) = escaped(rest) else { return Token::Broken };
            name.to_mut().push(character);
            inside = rest;
        }
    }

    /// Reads a certain word.
    pub(super) fn keyword(&mut self, keyword: &str) -> Result<()> {
        match self.next() {
            (Token::Word(word), _) if word.eq_ignore_ascii_case(keyword) => Ok(()),
            (_, at) => Err(self.expected(&format!("'{keyword}'"), at)),
        }
    }

    /// Reads any word or quoted name; `what` says what it would be.
    pub(super) fn name(&mut self, what: &str) -> Result<String> {
        match self.next() {
            (Token::Word(word), _) => Ok(word.to_owned()),
            (Token::Quoted(name), _) => Ok(name.into_owned()),
            (_, at) => Err(self.expected(what, at)),
        }
    }

    /// Reads a number; `what` says what it would be.
    pub(super) fn number<T: FromStr>(&mut self, what: &str) -> Result<T> {
        let (token, at) = self.next();
        let number = if let Token::Word(word) = token { word.parse().ok() } else { None };
        number.ok_or_else(|| self.expected(what, at))
    }

    /// Reads `true` or `false`.
    pub(super) fn boolean(&mut self) -> Result<bool> {
        let (token, at) = self.next();
        keyword_of(&token, &[("true", true), ("false", false)]).ok_or_else(|| self.expected("true or false", at))
    }

    /// Reads a certain sign.
    pub(super) fn sign(&mut self, sign: char) -> Result<()> {
        match self.next() {
            (Token::Sign(found), _) if found == sign => Ok(()),
            (_, at) => Err(self.expected(&format!("'{sign}'"), at)),
        }
    }

    /// Reads a certain sign if it is there.
    pub(super) fn accept(&mut self, sign: char) -> bool {
        let is_there = self.peek() == Token::Sign(sign);
        if is_there {
            self.next();
        }
        is_there
    }

    /// The error that something else is at this byte.
    pub(super) fn expected(&self, what: &str, at: usize) -> Error {
        let mut there = Tokens { text: self.text, rest: self.text.get(at..).unwrap_or_default() };
        let found = match there.next().0 {
            Token::Word(word) => format!("{:?}", word.chars().take(40).collect::<String>()),
            Token::Quoted(_) => "a quoted name".to_owned(),
            Token::Sign(sign) => format!("'{sign}'"),
            Token::Broken => "a quoted name that does not end or has an unknown escape".to_owned(),
            Token::End => "the end of the text".to_owned(),
        };
        self.error(&format!("expected {what}, found {found}"), at)
    }

    /// An error at this byte.
    pub(super) fn error(&self, what: &str, at: usize) -> Error {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
        Error::usage(format!("line {line}, column {column}: {what}"))
    }
}

/// Whether a name stands for itself in the text form.
pub(super) fn is_word(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('"') && !name.contains(|character| ends_word(character) || character.is_control())
}

fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, ',' | ';' | '{' | '}' | '(' | ')' | '=')
}

/// The character that an escape at the start of `text` stands for, and what follows it.
fn escaped(text: &str) -> Option<(char, &str)> {
    let mut characters = text.strip_prefix('\\')?.chars();
    let character = match characters.next()? {
        same @ ('"' | '\\') => same,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let (code, rest) = characters.as_str().strip_prefix('{')?.split_once('}')?;
            return Some((char::from_u32(u32::from_str_radix(code, 16).ok()?)?, rest));
        }
        _ => return None,
    };
    Some((character, characters.as_str()))
}

/// The value of a token among keywords; capitals do not matter.
pub(super) fn keyword_of<T: Clone>(token: &Token<'_>, keywords: &[(&str, T)]) -> Option<T> {
    let Token::Word(word) = token else { return None };
    keywords.iter().find(|(keyword, _)| keyword.eq_ignore_ascii_case(word)).map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_into_tokens() {
        let mut tokens = Tokens::new(" ab(\u{2003}c\"d=\"e \\\" \\u{e4}\\t\";é");
        let expected = [
            (Token::Word("ab"), 1),
            (Token::Sign('('), 3),
            (Token::Word("c\"d"), 7),
            (Token::Sign('='), 10),
            (Token::Quoted("e \" ä\t".into()), 11),
            (Token::Sign(';'), 26),
            (Token::Word("é"), 27),
            (Token::End, 29),
            (Token::End, 29),
        ];
        for (token, at) in expected {
            assert_eq!(tokens.position(), at);
            assert_eq!(tokens.peek(), token);
            assert_eq!(tokens.next(), (token, at));
        }
    }

    #[test]
    fn broken_quotes() {
        for text in ["\"", "\"abc", "\"a\\", "\"a\\x\"", "\"\\u{110000}\"", "\"\\u{41\"", "\"\\u41\""] {
            assert_eq!(Tokens::new(text).next(), (Token::Broken, 0), "{text}");
        }
        assert_eq!(Tokens::new("\"\\u{41}\"").next(), (Token::Quoted("A".into()), 0));
        assert_eq!(Tokens::new("\"\"").next(), (Token::Quoted("".into()), 0));
    }
}
