//! Patterns over the names of groups, in roles.

use std::fmt;

use crate::limits::{MAX_GROUP_NAME_CHARS, MAX_PATTERN_WILDCARDS};

/// A pattern over group names, in which `.` is the only separator.
///
/// `?` is one character but `.`, `*` any number of them, `**` (or more) any number of any
/// characters; `\` takes the meaning from a `*`, `?` or `\` after it. All else is itself,
/// case-sensitive, and the whole name has to match.
///
/// At most 1024 characters and 5 wildcards, `**` being one. (The published text counts the
/// characters of `**` twice; we follow the emulator, which allows more.)
///
/// Source: docs/spec/permissions.md#patterns.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupPattern {
    text: Box<str>,
    /// Literals are never empty, and two never stand side by side.
    pieces: Box<[Piece]>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Piece {
    Literal(Box<str>),
    /// `?`
    One,
    /// `*`
    Segment,
    /// `**`
    Everything,
}

/// Which rule of [`GroupPattern`] was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// There is nothing in it.
    #[error("the pattern is empty")]
    Empty,
    /// It is longer than a group's name may be.
    #[error("a pattern is at most {MAX_GROUP_NAME_CHARS} characters")]
    TooLong,
    /// A backslash stands at the end, or before something else than `*`, `?` or `\`.
    #[error("a backslash in a pattern stands before *, ? or \\")]
    Escape,
    /// It has too many wildcards.
    #[error("a pattern has at most {MAX_PATTERN_WILDCARDS} wildcards")]
    TooManyWildcards,
}

impl GroupPattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// [`PatternError`] for the first rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.chars().nth(MAX_GROUP_NAME_CHARS).is_some() {
            return Err(PatternError::TooLong);
        }
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut wildcards = 0;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let wildcard = match character {
                '?' => Piece::One,
                '*' => {
                    let mut piece = Piece::Segment;
                    while characters.next_if_eq(&'*').is_some() {
                        piece = Piece::Everything;
                    }
                    piece
                }
                '\\' => {
                    let escaped = characters.next().filter(|c| matches!(c, '*' | '?' | '\\'));
                    literal.push(escaped.ok_or(PatternError::Escape)?);
                    continue;
                }
                other => {
                    literal.push(other);
                    continue;
                }
            };
            wildcards += 1;
            if wildcards > MAX_PATTERN_WILDCARDS {
                return Err(PatternError::TooManyWildcards);
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal).into()));
            }
            pieces.push(wildcard);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        Ok(Self { text: text.into(), pieces: pieces.into() })
    }

    /// What matches one name only, whatever stands in it, and is written like the name.
    #[must_use]
    pub fn literally(name: &str) -> Self {
        Self { text: name.into(), pieces: [Piece::Literal(name.into())].into() }
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one name that it matches, if it has no wildcard.
    pub(super) fn literal(&self) -> Option<&str> {
        match &*self.pieces {
            [Piece::Literal(literal)] => Some(literal),
            _ => None,
        }
    }

    /// Whether a group's whole name matches.
    ///
    /// Time and memory grow with the name's length plus the pattern's, whatever stands in them: it
    /// goes through the pieces once, holding all the places in the name where the pieces so far
    /// can end, and never goes back.
    #[must_use]
    pub fn matches(&self, group: &str) -> bool {
        // Most patterns differ from most names in their ends.
        let (mut pieces, mut rest) = (&*self.pieces, group);
        if let [Piece::Literal(first), others @ ..] = pieces {
            let Some(stripped) = rest.strip_prefix(&**first) else { return false };
            (pieces, rest) = (others, stripped);
        }
        if let [others @ .., Piece::Literal(last)] = pieces {
            let Some(stripped) = rest.strip_suffix(&**last) else { return false };
            (pieces, rest) = (others, stripped);
        }
        match pieces {
            [] => rest.is_empty(),
            [Piece::Segment] => !rest.contains('.'),
            [Piece::Everything] => true,
            _ => {
                let start = (0..=rest.len()).map(|place| place == 0).collect();
                let ends = pieces.iter().fold(start, |places, piece| piece.advance(rest, places));
                ends.last().is_some_and(|end| *end)
            }
        }
    }
}

/// For every byte offset of a name and its end, whether a match can have come that far.
type Places = Vec<bool>;

impl Piece {
    /// Where this piece can end, given where it can begin.
    fn advance(&self, name: &str, places: Places) -> Places {
        match self {
            Self::One => {
                let mut ends: Places = vec![false; places.len()];
                for (offset, character) in name.char_indices().filter(|(_, c)| *c != '.') {
                    let begins = places.get(offset).is_some_and(|place| *place);
                    if let Some(end) = ends.get_mut(offset + character.len_utf8()) {
                        *end = begins;
                    }
                }
                ends
            }
            // Offsets inside a character may be marked too; no piece can begin or end there.
            Self::Segment => {
                let mut reached = false;
                let before = std::iter::once(b'.').chain(name.bytes());
                let step = |(place, previous): (bool, u8)| {
                    reached = place || (reached && previous != b'.');
                    reached
                };
                places.into_iter().zip(before).map(step).collect()
            }
            Self::Everything => {
                let mut reached = false;
                let step = |place: bool| {
                    reached = reached || place;
                    reached
                };
                places.into_iter().map(step).collect()
            }
            Self::Literal(literal) => {
                let mut ends: Places = vec![false; places.len()];
                for begin in occurrences(literal.as_bytes(), name.as_bytes()) {
                    let begins = places.get(begin).is_some_and(|place| *place);
                    if let Some(end) = ends.get_mut(begin + literal.len()) {
                        *end = begins;
                    }
                }
                ends
            }
        }
    }
}

/// Every offset at which `needle` occurs, overlapping ones included, in linear time (Knuth, Morris
/// and Pratt).
fn occurrences(needle: &[u8], haystack: &[u8]) -> Vec<usize> {
    // For each prefix of the needle, how long the longest shorter prefix is that also ends it.
    let mut borders: Vec<usize> = Vec::with_capacity(needle.len());
    let extend = |borders: &[usize], mut length: usize, byte: u8| {
        while length > 0 && needle.get(length) != Some(&byte) {
            length = borders.get(length - 1).copied().unwrap_or(0);
        }
        if needle.get(length) == Some(&byte) { length + 1 } else { 0 }
    };
    for (offset, byte) in needle.iter().enumerate() {
        let border = match offset.checked_sub(1).and_then(|last| borders.get(last)) {
            Some(last) => extend(&borders, *last, *byte),
            None => 0,
        };
        borders.push(border);
    }
    let mut found = Vec::new();
    let mut length = 0;
    for (offset, byte) in haystack.iter().enumerate() {
        length = extend(&borders, length, *byte);
        if length == needle.len() {
            found.push(offset + 1 - length);
        }
    }
    found
}

impl fmt::Debug for GroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_published_examples_match_as_published() {
        let cases: [(&str, &[&str], &[&str]); 8] = [
            ("team-*", &["team-1", "team-red", "team-"], &["team.1", "xteam-1", "Team-1"]),
            ("tenantA.*", &["tenantA.news", "tenantA.1"], &["tenantA", "tenantA.news.room1", "tenantB.news"]),
            ("tenantA.**", &["tenantA.news", "tenantA.news.room1"], &["tenantB.anything"]),
            (
                "tenantA.rooms.?1",
                &["tenantA.rooms.a1", "tenantA.rooms.11"],
                &["tenantA.rooms.1", "tenantA.rooms.a.1"],
            ),
            ("room*", &["room", "room1"], &["room.1", "Room1"]),
            (r"lit\*x", &["lit*x"], &["litYx"]),
            ("**", &["a", "a.b", ".", "…"], &[]),
            ("plain", &["plain"], &["plainx"]),
        ];
        for (pattern, matching, others) in cases {
            let pattern = GroupPattern::parse(pattern).unwrap();
            for group in matching {
                assert!(pattern.matches(group), "{pattern:?} and {group:?}");
            }
            for group in others {
                assert!(!pattern.matches(group), "{pattern:?} and {group:?}");
            }
        }
    }

    #[test]
    fn corner_cases_of_matching() {
        let cases = [
            ("?", "é", true),
            ("?", ".", false),
            ("?", "", false),
            ("?", "ab", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("***", "a.b", true),
            ("*****", "a.b", true),
            ("*.*", "a.b", true),
            ("*.*", "a.b.c", false),
            ("**.*", "a.b.c", true),
            ("*?*", "a", true),
            ("*?*", "", false),
            ("*?*", "a.b", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*aab*", "aaab", true),
            ("**aab", "aaab", true),
            ("?aa?aa?", "xaaxaax", true),
            ("**x*y", "x.xy", true),
            ("**x*y", "xy.x", false),
            ("*é*", "aéb", true),
            (r"\?\\", r"?\", true),
            (r"a\**", "a*b", true),
            (r"a\**", "ab", false),
        ];
        for (pattern, group, matching) in cases {
            assert_eq!(
                GroupPattern::parse(pattern).unwrap().matches(group),
                matching,
                "{pattern} and {group}"
            );
        }
    }

    #[test]
    fn invalid_patterns_say_what_is_wrong() {
        let cases = [
            ("", PatternError::Empty),
            (r"a\", PatternError::Escape),
            (r"a\b", PatternError::Escape),
            (r"\.", PatternError::Escape),
            ("??????", PatternError::TooManyWildcards),
            ("*a*a*a*a*a*", PatternError::TooManyWildcards),
            (&"é".repeat(1025), PatternError::TooLong),
        ];
        for (pattern, error) in cases {
            assert_eq!(GroupPattern::parse(pattern), Err(error), "{pattern}");
        }
        for pattern in ["?????", "**a**a**a**a**", &"é".repeat(1024), r"\*\*\*\*\*\*"] {
            assert!(GroupPattern::parse(pattern).is_ok(), "{pattern}");
        }
    }

    /// A thousand times the length takes a thousand times the steps, not a million: with any
    /// quadratic part the largest of these would run for many minutes.
    #[test]
    fn adversarial_patterns_and_names_take_linear_time() {
        let a = |times: usize| "a".repeat(times);
        let (dot, c) = (format!("{}.", a(1_000_000)), format!("{}c", a(1_000_000)));
        let cases = [
            (format!("*{}*{}*b", a(400), a(400)), false, false),
            (format!("**{}**{}**b", a(400), a(400)), false, false),
            (format!("**{}*{}**{}b", a(300), a(300), a(300)), false, false),
            (format!("?*{}*?**b", a(900)), false, false),
            ("*a*a*a*a*b".to_owned(), false, false),
            ("**a*a**a*a*".to_owned(), false, true),
        ];
        for (pattern, matches_dot, matches_c) in cases {
            let pattern = GroupPattern::parse(&pattern).unwrap();
            assert_eq!(pattern.matches(&dot), matches_dot, "{pattern:?}");
            assert_eq!(pattern.matches(&c), matches_c, "{pattern:?}");
        }
    }

    #[test]
    fn a_name_taken_literally_matches_itself_only() {
        for name in ["room", r"a\b*c?", "???????"] {
            let pattern = GroupPattern::literally(name);
            assert!(pattern.matches(name) && !pattern.matches(r"a\bxc?") && !pattern.matches("1234567"));
            assert_eq!(pattern.as_str(), name);
        }
    }

    #[test]
    fn occurrences_may_overlap() {
        assert_eq!(occurrences(b"aa", b"aaaa"), [0, 1, 2]);
        assert_eq!(occurrences(b"abab", b"abababab"), [0, 2, 4]);
        assert_eq!(occurrences(b"b", b"aaaa"), [0; 0]);
        assert_eq!(occurrences(b"long", b"lo"), [0; 0]);
    }

    /// The obvious way: try every length for every wildcard.
    #[expect(clippy::string_slice, reason = "it cuts where characters end")]
    fn matches_slowly(pieces: &[Piece], name: &str) -> bool {
        let Some((piece, rest)) = pieces.split_first() else { return name.is_empty() };
        let lengths = || name.char_indices().map(|(at, _)| at).chain([name.len()]);
        match piece {
            Piece::Literal(literal) => {
                name.strip_prefix(&**literal).is_some_and(|name| matches_slowly(rest, name))
            }
            Piece::One => {
                name.chars().next().is_some_and(|c| c != '.' && matches_slowly(rest, &name[c.len_utf8()..]))
            }
            Piece::Segment => {
                lengths().any(|at| !name[..at].contains('.') && matches_slowly(rest, &name[at..]))
            }
            Piece::Everything => lengths().any(|at| matches_slowly(rest, &name[at..])),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn matching_is_what_the_obvious_way_says(pattern in "[ab.é*?]{1,8}", name in "[ab.é]{0,8}") {
            if let Ok(pattern) = GroupPattern::parse(&pattern) {
                prop_assert_eq!(pattern.matches(&name), matches_slowly(&pattern.pieces, &name));
            }
        }
    }
}
