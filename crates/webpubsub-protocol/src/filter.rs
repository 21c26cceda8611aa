//! The filter language of the REST API: which connections a server means.
//!
//! A filter is a boolean expression of the OData kind. It is parsed and type-checked once, when it
//! arrives, so looking at a connection cannot fail.
//!
//! ```
//! use webpubsub_protocol::filter::{Filter, FilterSubject};
//! use webpubsub_protocol::sorted::SortedSet;
//!
//! let filter = Filter::parse("userId ne null and not ('muted' in groups)")?;
//! let mut alice = FilterSubject {
//!     user_id: Some("alice"),
//!     connection_id: "c1",
//!     groups: &SortedSet::new(),
//!     protocol: None,
//! };
//! assert!(filter.matches(&alice));
//! alice.user_id = None;
//! assert!(!filter.matches(&alice));
//! assert_eq!(
//!     Filter::parse("userId lt 1").unwrap_err().to_string(),
//!     "Invalid syntax for 'userId lt 1': Type 'string', expect 'int'. (Parameter 'filter')"
//! );
//! # Ok::<(), Box<webpubsub_protocol::filter::FilterError>>(())
//! ```
//!
//! The parser is written by hand: what it reports is part of the API (which clause, which types, in
//! the service's words), it has to go on after a wrong type in case there is a wrong syntax, and it
//! is a few kilobytes of wasm, without a library.

mod case;
mod evaluate;
mod find;
mod parse;
mod token;

use std::sync::Arc;

use crate::limits::MAX_FILTER_BYTES;
use crate::name::GroupName;
use crate::sorted::SortedSet;

/// A filter, checked. A clone shares what it was read into.
///
/// Source: docs/spec/rest.md#filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Arc<Node>);

/// What a filter looks at: one connection.
#[derive(Debug, Clone, Copy)]
pub struct FilterSubject<'a> {
    /// `userId`; `None`, the filter's `null`, for anonymous ones.
    pub user_id: Option<&'a str>,
    /// `connectionId`
    pub connection_id: &'a str,
    /// `groups`
    pub groups: &'a SortedSet<GroupName>,
    /// `protocol`: its subprotocol; `None` for those without.
    pub protocol: Option<&'a str>,
}

/// A string is no filter. Printed, it is the text of the service's answer.
///
/// Source: docs/spec/rest.md#filter-errors; the texts about syntax are those of the parser that the service
/// uses (OData's, for .NET). Positions are counted in UTF-16 code units.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It is longer than [`MAX_FILTER_BYTES`].
    #[error("The filter is longer than {MAX_FILTER_BYTES} bytes. (Parameter 'filter')")]
    TooLong,
    /// Parentheses, calls and `not` are nested more than
    /// [`MAX_FILTER_DEPTH`](crate::limits::MAX_FILTER_DEPTH) deep.
    #[error("Invalid syntax for '{filter}': Recursion limit reached. (Parameter 'filter')")]
    TooDeep {
        /// All of it.
        filter: String,
    },
    /// Something stands where it cannot.
    #[error(
        "Invalid syntax for '{filter}': {fault} at position {position} in '{filter}'. (Parameter 'filter')"
    )]
    Syntax {
        /// All of it.
        filter: String,
        /// Where: at the end of what is unexpected, else at its beginning.
        position: usize,
        /// What is wrong there.
        fault: SyntaxFault,
    },
    /// A part of it has no meaning.
    #[error("Invalid syntax for '{clause}': {fault} (Parameter 'filter')")]
    Clause {
        /// The part, as written.
        clause: String,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with the syntax of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxFault {
    /// Something that cannot stand before here.
    #[error("Syntax error")]
    Unexpected,
    /// A character that begins nothing.
    #[error("Syntax error: character '{0}' is not valid")]
    Character(char),
    /// Nothing stands where an operand should.
    #[error("Expression expected")]
    Operand,
    /// A parenthesis is not closed.
    #[error("')' or operator expected")]
    Parenthesis,
    /// Arguments or a list are not closed.
    #[error("')' or ',' expected")]
    List,
    /// A string does not end.
    #[error("There is an unterminated string literal")]
    Unterminated,
}

/// What is wrong with the meaning of a part of a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An operand has a type that its operator does not take.
    #[error("Type '{found}', expect '{expected}'.")]
    Type {
        /// What it has.
        found: &'static str,
        /// What it should have.
        expected: &'static str,
    },
    /// There is no such identifier, function or literal.
    #[error("Token '{token}' is not supported.")]
    Unsupported {
        /// It, as written.
        token: String,
    },
    /// A function has the wrong number of arguments, or does not take one of this type.
    #[error("Invalid token '{token}'.")]
    Call {
        /// The call, as written.
        token: String,
    },
}

impl Filter {
    /// Parses and type-checks a filter. One that is empty, which the API takes for none, is an error
    /// here, as is a blank one.
    ///
    /// Takes time in proportion to its length, and stack in proportion to its depth, at most
    /// [`MAX_FILTER_DEPTH`](crate::limits::MAX_FILTER_DEPTH).
    ///
    /// # Errors
    /// [`FilterError`] for anything that is not a filter.
    pub fn parse(text: &str) -> Result<Self, Box<FilterError>> {
        if text.len() > MAX_FILTER_BYTES {
            return Err(Box::new(FilterError::TooLong));
        }
        Ok(Self(Arc::new(parse::parse(text)?)))
    }

    /// Whether it picks a connection.
    ///
    /// Strings are compared and searched by code point, lengths and positions counted in UTF-16 code
    /// units, as .NET does. A substring that would begin or end in the middle of a character is null,
    /// like one that is out of range. Takes time in proportion to the length of the filter, times that
    /// of the strings that its functions are given.
    #[must_use]
    pub fn matches(&self, subject: &FilterSubject<'_>) -> bool {
        evaluate::matches(&self.0, subject)
    }
}

/// A part of a filter; the types of all its own parts are right.
#[derive(Debug, PartialEq, Eq)]
enum Node {
    Null,
    Bool(bool),
    Int(i32),
    Text(Box<str>),
    UserId,
    ConnectionId,
    Groups,
    Protocol,
    Not(Box<Self>),
    /// At least two.
    And(Vec<Self>),
    /// At least two.
    Or(Vec<Self>),
    Compare(Comparison, Box<[Self; 2]>),
    InGroups(Box<Self>),
    /// The first in the rest.
    InList(Vec<Self>),
    Call(Function, Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    ToLower,
    ToUpper,
    Trim,
    Substring,
    Concat,
    Contains,
    StartsWith,
    EndsWith,
    IndexOf,
    Length,
}
