//! Whether a filter picks a connection.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::case;
use super::find::find;
use super::{Comparison, FilterSubject, Function, Node};

pub(super) fn matches(node: &Node, subject: &FilterSubject<'_>) -> bool {
    value(node, subject) == Value::Bool(true)
}

/// What a part of a filter is for one connection. Borrowed wherever the text stands somewhere already.
#[derive(PartialEq)]
enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Text(Cow<'a, str>),
    Groups,
}

impl<'a> Value<'a> {
    fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Cow::Borrowed(text)))
    }
}

/// Recurses as deep as the parser did, and no deeper.
fn value<'a>(node: &'a Node, subject: &FilterSubject<'a>) -> Value<'a> {
    let is_true = |node| matches(node, subject);
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Int(value) => Value::Int(i64::from(*value)),
        Node::Text(text) => Value::Text(Cow::Borrowed(text)),
        Node::UserId => Value::text(subject.user_id),
        Node::ConnectionId => Value::text(Some(subject.connection_id)),
        Node::Groups => Value::Groups,
        Node::Protocol => Value::text(subject.protocol),
        Node::Not(operand) => Value::Bool(!is_true(operand)),
        Node::And(operands) => Value::Bool(operands.iter().all(is_true)),
        Node::Or(operands) => Value::Bool(operands.iter().any(is_true)),
        Node::Compare(comparison, operands) => {
            let [left, right] = &**operands;
            Value::Bool(compare(*comparison, &value(left, subject), &value(right, subject)))
        }
        Node::InGroups(item) => Value::Bool(match value(item, subject) {
            Value::Text(name) => subject.groups.contains(&*name),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Groups => false,
        }),
        Node::InList(nodes) => {
            let mut values = nodes.iter().map(|node| value(node, subject));
            let item = values.next();
            Value::Bool(values.any(|value| Some(value) == item))
        }
        Node::Call(function, arguments) => {
            let argument = |index| arguments.get(index).map_or(Value::Null, |node| value(node, subject));
            call(*function, argument, subject)
        }
    }
}

fn compare(comparison: Comparison, left: &Value<'_>, right: &Value<'_>) -> bool {
    let order = match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        // Null is neither less nor greater than anything, nor as great as itself.
        _ => None,
    };
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Greater => order.is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        Comparison::Less => order.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
    }
}

fn call<'a>(
    function: Function,
    argument: impl Fn(usize) -> Value<'a>,
    subject: &FilterSubject<'_>,
) -> Value<'a> {
    let text = |index| match argument(index) {
        Value::Text(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Groups => None,
    };
    let int = |index| match argument(index) {
        Value::Int(int) => usize::try_from(int).ok(),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::Groups => None,
    };
    let both = || Some((text(0)?, text(1)?));
    let result = match function {
        Function::ToLower => text(0).map(|text| Value::Text(in_lower_case(text))),
        Function::ToUpper => text(0).map(|text| Value::Text(in_upper_case(text))),
        Function::Trim => {
            text(0).map(|text| Value::Text(cut(text, |text| Some(text.trim())).unwrap_or_default()))
        }
        Function::Substring => text(0).and_then(|text| {
            let start = int(1)?;
            let end = if let Some(length) = int(2) {
                start.checked_add(length)
            } else {
                // Not asked for, or negative.
                matches!(argument(2), Value::Null).then_some(usize::MAX)
            }?;
            cut(text, |text| substring(text, start, end)).map(Value::Text)
        }),
        Function::Concat => both().map(|(left, right)| Value::Text(left + right)),
        Function::Contains => {
            Some(Value::Bool(both().is_some_and(|(text, part)| find(&text, &part).is_some())))
        }
        Function::StartsWith => {
            Some(Value::Bool(both().is_some_and(|(text, part)| text.starts_with(&*part))))
        }
        Function::EndsWith => Some(Value::Bool(both().is_some_and(|(text, part)| text.ends_with(&*part)))),
        Function::IndexOf => {
            let found = both().and_then(|(text, part)| text.get(..find(&text, &part)?).map(length));
            Some(Value::Int(found.unwrap_or(-1)))
        }
        Function::Length => match argument(0) {
            Value::Text(text) => Some(Value::Int(length(&text))),
            Value::Groups => Some(Value::Int(int_of(subject.groups.as_slice().len()))),
            Value::Null | Value::Bool(_) | Value::Int(_) => None,
        },
    };
    result.unwrap_or(Value::Null)
}

/// In UTF-16 code units.
fn length(text: &str) -> i64 {
    int_of(text.encode_utf16().count())
}

fn int_of(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// From and to a position in UTF-16 code units; to the end for `usize::MAX`.
fn substring(text: &str, start: usize, end: usize) -> Option<&str> {
    if start == end {
        // Nothing has no half characters.
        return (start <= text.encode_utf16().count()).then_some("");
    }
    let rest = text.get(offset(text, start)?..)?;
    match end {
        usize::MAX => Some(rest),
        end => rest.get(..offset(rest, end.checked_sub(start)?)?),
    }
}

/// The byte at which a character begins (or the text ends), by its position in UTF-16 code units.
fn offset(text: &str, position: usize) -> Option<usize> {
    let mut left = position;
    for (offset, character) in text.char_indices() {
        if left == 0 {
            return Some(offset);
        }
        left = left.checked_sub(character.len_utf16())?;
    }
    (left == 0).then_some(text.len())
}

fn cut<'a>(text: Cow<'a, str>, part: impl Fn(&str) -> Option<&str>) -> Option<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => part(text).map(Cow::Borrowed),
        Cow::Owned(text) => part(&text).map(|part| Cow::Owned(part.to_owned())),
    }
}

/// Character by character; see [`super::case`].
fn in_lower_case(text: Cow<'_, str>) -> Cow<'_, str> {
    map(text, case::lower)
}

/// See [`in_lower_case`].
fn in_upper_case(text: Cow<'_, str>) -> Cow<'_, str> {
    map(text, case::upper)
}

fn map(text: Cow<'_, str>, to: impl Fn(char) -> char) -> Cow<'_, str> {
    if text.chars().all(|character| to(character) == character) {
        text
    } else {
        text.chars().map(to).collect()
    }
}
