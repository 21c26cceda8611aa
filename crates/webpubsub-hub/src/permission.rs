//! What a connection may do to groups.

use std::collections::BTreeSet;

use webpubsub_protocol::limits::{MAX_LITERAL_PERMISSIONS, MAX_PERMISSION_PATTERNS};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::role::{GroupPattern, PermissionType, Role};

/// The permissions of one connection.
///
/// Source: permissions spec, sections 2 to 4.
#[derive(Debug, Clone, Default)]
pub(crate) struct Permissions {
    send_to_group: Rules,
    join_leave_group: Rules,
}

/// The groups that one type of permission covers.
#[derive(Debug, Clone, Default)]
struct Rules {
    all: bool,
    patterns: Vec<GroupPattern>,
    literals: BTreeSet<GroupName>,
}

impl Permissions {
    /// What a token's roles grant. Roles that are unknown or invalid, and those above a
    /// connection's limits, grant nothing; the connection is not refused for them.
    pub(crate) fn from_roles<'a>(roles: impl IntoIterator<Item = &'a str>) -> Self {
        let mut permissions = Self::default();
        for role in roles {
            match Role::parse(role) {
                Ok(Some(Role::Any(kind))) => permissions.rules_mut(kind).all = true,
                Ok(Some(Role::Group(kind, group))) => permissions.rules_mut(kind).add_literal(group),
                Ok(Some(Role::Groups(kind, pattern))) => permissions.rules_mut(kind).add_pattern(pattern),
                Ok(None) | Err(_) => {}
            }
        }
        permissions
    }

    /// Whether the connection may do this to this group.
    pub(crate) fn allows(&self, kind: PermissionType, group: &GroupName) -> bool {
        let rules = match kind {
            PermissionType::SendToGroup => &self.send_to_group,
            PermissionType::JoinLeaveGroup => &self.join_leave_group,
        };
        rules.all || rules.literals.contains(group) || rules.matches(group)
    }

    fn rules_mut(&mut self, kind: PermissionType) -> &mut Rules {
        match kind {
            PermissionType::SendToGroup => &mut self.send_to_group,
            PermissionType::JoinLeaveGroup => &mut self.join_leave_group,
        }
    }
}

impl Rules {
    fn matches(&self, group: &GroupName) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(group.as_str()))
    }

    fn add_literal(&mut self, group: GroupName) {
        if self.literals.len() < MAX_LITERAL_PERMISSIONS && !self.matches(&group) {
            self.literals.insert(group);
        }
    }

    fn add_pattern(&mut self, pattern: GroupPattern) {
        if self.patterns.len() < MAX_PERMISSION_PATTERNS {
            self.literals.retain(|group| !pattern.matches(group.as_str()));
            self.patterns.push(pattern);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(roles: &[&str], kind: PermissionType, group: &str) -> bool {
        Permissions::from_roles(roles.iter().copied()).allows(kind, &GroupName::parse(group).unwrap())
    }

    #[test]
    fn nobody_may_do_anything_without_a_role() {
        assert!(!allowed(&[], PermissionType::SendToGroup, "g"));
        assert!(!allowed(&[], PermissionType::JoinLeaveGroup, "g"));
    }

    #[test]
    fn the_two_types_are_independent() {
        let roles = ["webpubsub.sendToGroup"];
        assert!(allowed(&roles, PermissionType::SendToGroup, "g"));
        assert!(!allowed(&roles, PermissionType::JoinLeaveGroup, "g"));
    }

    #[test]
    fn roles_add_up_and_unknown_ones_are_passed_over() {
        let roles = [
            "admin",
            "webpubsub.joinLeaveGroup.a.b",
            "webpubsub.joinLeaveGroups.team-*",
            "webpubsub.joinLeaveGroups.\\",
        ];
        for (group, expected) in [("a.b", true), ("a", false), ("team-1", true), ("team.1", false)] {
            assert_eq!(allowed(&roles, PermissionType::JoinLeaveGroup, group), expected, "{group}");
        }
    }

    #[test]
    fn roles_above_the_limits_grant_nothing() {
        let roles: Vec<_> = (0..=1000).map(|i| format!("webpubsub.sendToGroup.g{i}")).collect();
        let permissions = Permissions::from_roles(roles.iter().map(String::as_str));
        let allows =
            |group: &str| permissions.allows(PermissionType::SendToGroup, &GroupName::parse(group).unwrap());
        assert!(allows("g999"));
        assert!(!allows("g1000"));
    }
}
