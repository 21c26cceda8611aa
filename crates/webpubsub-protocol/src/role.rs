//! Role strings in tokens and the permissions that they grant.

use std::fmt;

use crate::limits::{MAX_GROUP_NAME_CHARS, MAX_PATTERN_WILDCARDS};
use crate::name::GroupName;

/// What a client may be allowed to do with groups.
///
/// Source: permissions spec, section 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionType {
    /// Publish to a group; membership is not needed.
    SendToGroup,
    /// Join and leave a group.
    JoinLeaveGroup,
}

/// One role of a connection: a permission, and the groups that it holds for.
///
/// Source: permissions spec, section 2.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Every group.
    Any(PermissionType),
    /// Exactly this group, whatever characters its name has.
    Group(PermissionType, GroupName),
    /// All groups that match.
    Groups(PermissionType, GroupPattern),
}

/// Why a string that begins like one of our roles grants nothing. Such a role is skipped, and the
/// connection goes on without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// The group named by a literal role breaks the rule for names.
    #[error("the role names an invalid group")]
    Group,
    /// The pattern of a plural role breaks its rules.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl Role {
    /// Reads a role string. `Ok(None)` is a role that is not ours to judge: it is ignored.
    ///
    /// # Errors
    /// [`RoleError`] for one of our roles whose group or pattern is invalid.
    pub fn parse(_text: &str) -> Result<Option<Self>, RoleError> {
        Ok(None)
    }

    /// Which permission it grants.
    #[must_use]
    pub const fn permission(&self) -> PermissionType {
        match self {
            Self::Any(permission) | Self::Group(permission, _) | Self::Groups(permission, _) => *permission,
        }
    }
}

/// A pattern over group names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupPattern {
    text: Box<str>,
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
    /// A backslash stands before something else than `*`, `?` or `\`, or at the end.
    #[error("a backslash in a pattern stands before *, ? or \\")]
    Escape,
    /// Too many wildcards.
    #[error("a pattern has at most {MAX_PATTERN_WILDCARDS} wildcards")]
    TooManyWildcards,
}

impl GroupPattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// [`PatternError`] for the first rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Ok(Self { text: text.into() })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a group's whole name matches.
    #[must_use]
    pub fn matches(&self, _group: &str) -> bool {
        false
    }
}

impl fmt::Debug for GroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}
