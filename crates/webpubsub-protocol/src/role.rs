//! Role strings in tokens and the permissions that they grant.

mod pattern;

use std::fmt;

pub use pattern::{GroupPattern, PatternError};

use crate::name::GroupName;

/// What a client may be allowed to do with groups.
///
/// Source: docs/spec/permissions.md#who-may-do-what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionType {
    /// Publish to a group; membership is not needed.
    SendToGroup,
    /// Join and leave a group.
    JoinLeaveGroup,
}

/// One role of a connection: a permission, and the groups that it holds for.
///
/// Printed, it is a role string again.
///
/// Source: docs/spec/permissions.md#roles.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `webpubsub.sendToGroup`: every group.
    Any(PermissionType),
    /// `webpubsub.sendToGroup.{group}`: exactly this group. A name such as `*` is only a name.
    Group(PermissionType, GroupName),
    /// `webpubsub.sendToGroups.{pattern}`: all groups that match.
    Groups(PermissionType, GroupPattern),
}

/// Why a string that begins like one of our roles grants nothing. Such a role is skipped; the
/// connection is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// The group breaks the rule for names.
    #[error("the role names an invalid group")]
    Group,
    /// The pattern breaks its rules.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl PermissionType {
    const ALL: [Self; 2] = [Self::SendToGroup, Self::JoinLeaveGroup];

    /// Its name in role strings and in REST paths.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendToGroup => "sendToGroup",
            Self::JoinLeaveGroup => "joinLeaveGroup",
        }
    }

    /// Reads what [`PermissionType::as_str`] gave.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == name)
    }
}

impl Role {
    /// Reads a role string, in which case counts. `Ok(None)` is a role that is not ours to judge,
    /// and is ignored. A pattern without wildcards is the [`Role::Group`] that it spells.
    ///
    /// # Errors
    /// [`RoleError`] for one of our roles whose group or pattern is invalid.
    pub fn parse(text: &str) -> Result<Option<Self>, RoleError> {
        let Some(text) = text.strip_prefix("webpubsub.") else { return Ok(None) };
        for permission in PermissionType::ALL {
            let Some(rest) = text.strip_prefix(permission.as_str()) else { continue };
            if rest.is_empty() {
                return Ok(Some(Self::Any(permission)));
            }
            if let Some(group) = rest.strip_prefix('.') {
                let group = GroupName::parse(group).map_err(|_| RoleError::Group)?;
                return Ok(Some(Self::Group(permission, group)));
            }
            if let Some(pattern) = rest.strip_prefix("s.") {
                let pattern = GroupPattern::parse(pattern)?;
                let Some(literal) = pattern.literal() else {
                    return Ok(Some(Self::Groups(permission, pattern)));
                };
                let group = GroupName::parse(literal).map_err(|_| RoleError::Group)?;
                return Ok(Some(Self::Group(permission, group)));
            }
        }
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

impl fmt::Display for PermissionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(permission) => write!(f, "webpubsub.{permission}"),
            Self::Group(permission, group) => write!(f, "webpubsub.{permission}.{group}"),
            Self::Groups(permission, pattern) => write!(f, "webpubsub.{permission}s.{}", pattern.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_strings_name_a_permission_and_its_groups() {
        let group = |name: &str| GroupName::parse(name).unwrap();
        let pattern = |text: &str| GroupPattern::parse(text).unwrap();
        let cases = [
            ("webpubsub.sendToGroup", Role::Any(PermissionType::SendToGroup)),
            ("webpubsub.joinLeaveGroup", Role::Any(PermissionType::JoinLeaveGroup)),
            ("webpubsub.sendToGroup.room", Role::Group(PermissionType::SendToGroup, group("room"))),
            ("webpubsub.joinLeaveGroup.a.b.c", Role::Group(PermissionType::JoinLeaveGroup, group("a.b.c"))),
            ("webpubsub.sendToGroup.*", Role::Group(PermissionType::SendToGroup, group("*"))),
            ("webpubsub.sendToGroup.ä b", Role::Group(PermissionType::SendToGroup, group("ä b"))),
            ("webpubsub.sendToGroups.team-*", Role::Groups(PermissionType::SendToGroup, pattern("team-*"))),
            ("webpubsub.joinLeaveGroups.**", Role::Groups(PermissionType::JoinLeaveGroup, pattern("**"))),
        ];
        for (text, role) in cases {
            assert_eq!(Role::parse(text), Ok(Some(role.clone())), "{text}");
            assert_eq!(role.to_string(), text);
        }
    }

    #[test]
    fn a_pattern_without_wildcards_is_the_group_that_it_spells() {
        for (text, name) in [("plain", "plain"), (r"lit\*x", "lit*x"), (r"\\", r"\")] {
            let role = Role::parse(&format!("webpubsub.sendToGroups.{text}")).unwrap().unwrap();
            assert_eq!(role, Role::Group(PermissionType::SendToGroup, GroupName::parse(name).unwrap()));
        }
    }

    #[test]
    fn roles_of_others_are_ignored() {
        for text in [
            "",
            "admin",
            "webpubsub",
            "webpubsub.",
            "webpubsub.sendToAll",
            "WebPubSub.sendToGroup",
            "webpubsub.sendtogroup",
            "webpubsub.sendToGroups",
            "webpubsub.sendToGroupx",
            " webpubsub.sendToGroup",
        ] {
            assert_eq!(Role::parse(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn invalid_groups_and_patterns_grant_nothing() {
        let long = "g".repeat(1025);
        assert_eq!(Role::parse("webpubsub.sendToGroup."), Err(RoleError::Group));
        assert_eq!(Role::parse("webpubsub.sendToGroup. "), Err(RoleError::Group));
        assert_eq!(Role::parse(&format!("webpubsub.sendToGroup.{long}")), Err(RoleError::Group));
        assert_eq!(Role::parse("webpubsub.sendToGroups. "), Err(RoleError::Group));
        assert_eq!(Role::parse("webpubsub.sendToGroups."), Err(PatternError::Empty.into()));
        assert_eq!(Role::parse(r"webpubsub.sendToGroups.a\"), Err(PatternError::Escape.into()));
    }
}
