//! Names, checked when they are made: hubs, groups, users, connections and events.

use std::borrow::Borrow;
use std::fmt;

use crate::limits::{MAX_EVENT_NAME_CHARS, MAX_GROUP_NAME_CHARS, MAX_HUB_NAME_CHARS};

/// A string was not a name of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// See [`HubName::parse`].
    #[error("a hub name is a letter and up to 127 more of letters, digits and _`,.[]")]
    Hub,
    /// See [`GroupName::parse`].
    #[error("a group name is 1 to 1024 characters, not all of them white space")]
    Group,
    /// See [`UserId::parse`].
    #[error("a user id is not blank")]
    User,
    /// See [`ConnectionId::parse`].
    #[error("a connection id is not blank")]
    Connection,
    /// A user, a group or a connection named `.` or `..`.
    ///
    /// In the path of a URL these are no names: whoever writes the URL of a call about the user `..`
    /// writes that of a call about all users, and nothing distinguishes the two.
    ///
    /// Source: docs/spec/rest.md#names-in-paths.
    #[error("`.` and `..` are no names, since URLs resolve them as path segments")]
    Dots,
    /// See [`EventName::parse`].
    #[error("an event name is a letter and up to 127 more of letters, digits and _.-")]
    Event,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A hub, in lower case: `CHAT` and `chat` are the same hub.
    HubName
}

name! {
    /// A group in a hub: case-sensitive, any characters.
    GroupName
}

name! {
    /// The user that a connection acts for: case-sensitive, any characters.
    UserId
}

name! {
    /// One logical connection of a hub, opaque to everyone but the service that made it.
    ConnectionId
}

name! {
    /// The name of a user event, as its sender spelled it.
    EventName
}

impl HubName {
    /// Checks and lower-cases a hub name: an ASCII letter, then up to 127 ASCII letters, digits
    /// or ``_ ` , . [ ]``.
    ///
    /// # Errors
    /// [`NameError::Hub`] for anything else.
    ///
    /// Source: docs/spec/client.md#names.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let allowed =
            |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'`' | b',' | b'.' | b'[' | b']');
        let valid = text.len() <= MAX_HUB_NAME_CHARS
            && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && text.bytes().all(allowed);
        if valid { Ok(Self(text.to_ascii_lowercase().into())) } else { Err(NameError::Hub) }
    }
}

impl GroupName {
    /// Checks a group name: 1 to 1024 characters, not all of them white space, and neither `.` nor `..`.
    ///
    /// # Errors
    /// [`NameError::Dots`] for the two, [`NameError::Group`] for anything else.
    ///
    /// Source: docs/spec/client.md#names.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        Self::of(text.into())
    }

    /// Compiled once, and not for each kind of text.
    fn of(text: Box<str>) -> Result<Self, NameError> {
        // Of a character's bytes one begins it.
        let mut beginnings = text.bytes().filter(|byte| byte & 0xC0 != 0x80);
        if beginnings.nth(MAX_GROUP_NAME_CHARS).is_some() {
            return Err(NameError::Group);
        }
        segment(text, NameError::Group).map(Self)
    }
}

impl UserId {
    /// Checks a user id: not empty, not all white space, and neither `.` nor `..`.
    ///
    /// # Errors
    /// [`NameError::Dots`] for the two, [`NameError::User`] for anything else.
    ///
    /// Source: docs/spec/rest.md#names-in-paths.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        segment(text.into(), NameError::User).map(Self)
    }

    /// Checks a user id that a token gives a client: a blank one is none.
    ///
    /// # Errors
    /// [`NameError::Dots`] for `.` and `..`.
    pub fn parse_unless_blank(text: impl Into<Box<str>>) -> Result<Option<Self>, NameError> {
        match Self::parse(text) {
            Err(NameError::User) => Ok(None),
            parsed => parsed.map(Some),
        }
    }
}

impl ConnectionId {
    /// Checks a connection id: not empty, not all white space, and neither `.` nor `..`. Whether it is
    /// one of ours is for the hub to say, which answers 404 for those it does not know.
    ///
    /// # Errors
    /// [`NameError::Dots`] for the two, [`NameError::Connection`] for anything else.
    ///
    /// Source: docs/spec/rest.md#names-in-paths.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        segment(text.into(), NameError::Connection).map(Self)
    }
}

impl EventName {
    /// Checks an event name: an ASCII letter, then up to 127 ASCII letters, digits or `_ . -`.
    ///
    /// # Errors
    /// [`NameError::Event`] for anything else.
    ///
    /// Source: docs/spec/client.md#names.
    pub fn parse(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
        let valid = text.len() <= MAX_EVENT_NAME_CHARS
            && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && text.bytes().all(allowed);
        if valid { Ok(Self(text)) } else { Err(NameError::Event) }
    }
}

/// A name that is a segment of a path: `blank` where there is nothing to see of it.
fn segment(text: Box<str>, blank: NameError) -> Result<Box<str>, NameError> {
    if text.chars().all(char::is_whitespace) {
        return Err(blank);
    }
    if matches!(&*text, "." | "..") { Err(NameError::Dots) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hub_names_follow_the_published_pattern_and_ignore_case() {
        for good in ["a", "Chat", "c_h`a,t.[1]", &"h".repeat(128)] {
            assert_eq!(HubName::parse(good).unwrap().as_str(), good.to_ascii_lowercase());
        }
        for bad in ["", "1chat", "_chat", "chat-1", "chat/1", "chät", "chat ", &"h".repeat(129)] {
            assert_eq!(HubName::parse(bad), Err(NameError::Hub), "{bad:?}");
        }
    }

    #[test]
    fn group_names_are_counted_in_characters_and_keep_their_case() {
        for good in ["a", "A b", " a", "*", "…", &"é".repeat(1024), "a\nb"] {
            assert_eq!(GroupName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "\t\n", &"é".repeat(1025)] {
            assert_eq!(GroupName::parse(bad), Err(NameError::Group), "{bad:?}");
        }
    }

    #[test]
    fn event_names_follow_the_published_pattern() {
        for good in ["a", "Message", "a_b.c-d", &"e".repeat(128)] {
            assert_eq!(EventName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "1a", "-a", "a b", "é", &"e".repeat(129)] {
            assert_eq!(EventName::parse(bad), Err(NameError::Event), "{bad:?}");
        }
    }

    #[test]
    fn what_urls_resolve_as_a_path_segment_is_no_name() {
        for dots in [".", ".."] {
            assert_eq!(GroupName::parse(dots), Err(NameError::Dots));
            assert_eq!(UserId::parse(dots), Err(NameError::Dots));
            assert_eq!(UserId::parse_unless_blank(dots), Err(NameError::Dots));
            assert_eq!(ConnectionId::parse(dots), Err(NameError::Dots));
        }
        for good in ["...", " .", "a/..", "%2e%2e", "..a"] {
            assert!(GroupName::parse(good).is_ok() && UserId::parse(good).is_ok(), "{good}");
        }
        assert_eq!(UserId::parse_unless_blank(" "), Ok(None));
    }

    #[test]
    fn blank_ids_are_no_ids() {
        assert_eq!(UserId::parse(" "), Err(NameError::User));
        assert_eq!(ConnectionId::parse(""), Err(NameError::Connection));
    }
}
