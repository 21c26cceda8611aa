//! The tokens that a filter consists of.

use super::{FilterError, SyntaxFault};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    End,
    Open,
    Close,
    Comma,
    /// An identifier, a keyword or the name of a function.
    Word(&'a str),
    /// A whole number, or what looks like some number.
    Number(&'a str),
    /// What stands between the quotes.
    Text(&'a str),
}

impl<'a> Token<'a> {
    /// Reads the token that follows `next`, a place in `filter`. Returns it with where it begins and where the
    /// text after it does, in bytes.
    ///
    /// # Errors
    /// [`SyntaxFault::Unterminated`] for a string without an end, [`SyntaxFault::Character`] for what begins no token.
    pub(super) fn read(filter: &'a str, next: usize) -> Result<(Self, usize, usize), Box<FilterError>> {
        let rest = filter.get(next..).unwrap_or_default().trim_start();
        let start = filter.len() - rest.len();
        let mut characters = rest.chars();
        let (token, length) = match characters.next() {
            None => (Self::End, 0),
            Some('(') => (Self::Open, 1),
            Some(')') => (Self::Close, 1),
            Some(',') => (Self::Comma, 1),
            Some('\'') => {
                let quoted = quoted(characters.as_str())
                    .ok_or_else(|| FilterError::syntax(filter, SyntaxFault::Unterminated, filter.len()))?;
                (Self::Text(quoted), quoted.len() + 2)
            }
            Some('0'..='9') => (Self::Number(word(rest)), word(rest).len()),
            Some('+' | '-') if characters.next().is_some_and(|c| c.is_ascii_alphanumeric()) => {
                let length = 1 + word(rest.get(1..).unwrap_or_default()).len();
                (Self::Number(rest.get(..length).unwrap_or_default()), length)
            }
            Some(c) if c == '_' || c == '$' || c.is_ascii_alphabetic() || is_letter(c) => {
                (Self::Word(word(rest)), word(rest).len())
            }
            Some(other) => return Err(FilterError::syntax(filter, SyntaxFault::Character(other), start)),
        };
        Ok((token, start, start + length))
    }
}

impl FilterError {
    /// A fault of syntax at this byte of the filter.
    pub(super) fn syntax(filter: &str, fault: SyntaxFault, at: usize) -> Box<Self> {
        let position = filter.get(..at).unwrap_or_default().encode_utf16().count();
        Box::new(Self::Syntax { filter: filter.to_owned(), position, fault })
    }
}

/// The letters, digits and signs of names that a text begins with.
fn word(text: &str) -> &str {
    let is_part = |c: char| matches!(c, '_' | '$' | '.') || c.is_ascii_alphanumeric() || is_letter(c);
    text.split(|c| !is_part(c)).next().unwrap_or_default()
}

/// Which other letters there are matters only to messages.
fn is_letter(character: char) -> bool {
    !character.is_ascii() && !character.is_whitespace()
}

/// What stands before the quote that ends a string; two quotes are a quote in it.
fn quoted(text: &str) -> Option<&str> {
    let mut bytes = text.bytes().enumerate();
    loop {
        let (end, _) = bytes.find(|(_, byte)| *byte == b'\'')?;
        if !text.get(end + 1..).is_some_and(|rest| rest.starts_with('\'')) {
            return text.get(..end);
        }
        bytes.next();
    }
}
