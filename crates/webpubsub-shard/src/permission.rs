//! What a connection may do to groups.

use webpubsub_protocol::limits::{MAX_LITERAL_PERMISSIONS, MAX_PERMISSION_PATTERNS};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::role::{GroupPattern, PermissionType, Role};
use webpubsub_protocol::sorted::SortedSet;

use crate::error::TooManyPermissions;
use crate::listing::PermissionView;

/// The permissions of one connection.
///
/// Source: docs/spec/permissions.md#roles, docs/spec/permissions.md#patterns,
/// docs/spec/permissions.md#granting-and-revoking.
#[derive(Debug, Clone, Default)]
pub(crate) struct Permissions {
    send_to_group: Rules,
    join_leave_group: Rules,
    /// How many roles are invalid, or more than a connection may have.
    pub(crate) skipped: usize,
}

/// The groups that one type of permission covers.
#[derive(Debug, Clone, Default)]
struct Rules {
    all: bool,
    patterns: Vec<GroupPattern>,
    /// Single groups that it covers as well.
    allowed: SortedSet<GroupName>,
    /// Single groups that it does not cover, whatever the rules say.
    denied: SortedSet<GroupName>,
}

/// Whether one group is allowed or denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allow,
    /// No.
    Deny,
}

impl Verdict {
    /// A word for the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    /// Reads what [`Verdict::as_str`] gave.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Allow, Self::Deny].into_iter().find(|verdict| verdict.as_str() == name)
    }
}

impl Permissions {
    /// What a token's roles grant. Roles that are unknown or invalid, and those above a
    /// connection's limits, grant nothing; the connection is not refused for them.
    pub(crate) fn from_roles<'a>(roles: impl IntoIterator<Item = &'a str>) -> Self {
        let mut permissions = Self::default();
        for role in roles {
            let taken = match Role::parse(role) {
                Ok(Some(Role::Any(kind))) => {
                    permissions.rules_mut(kind).all = true;
                    true
                }
                Ok(Some(Role::Group(kind, group))) => permissions.rules_mut(kind).add_literal(group),
                Ok(Some(Role::Groups(kind, pattern))) => permissions.rules_mut(kind).add_pattern(pattern),
                Ok(None) => true,
                Err(_) => false,
            };
            permissions.skipped += usize::from(!taken);
        }
        permissions
    }

    /// Whether the connection may do this to this group.
    pub(crate) fn allows(&self, kind: PermissionType, group: &GroupName) -> bool {
        let rules = match kind {
            PermissionType::SendToGroup => &self.send_to_group,
            PermissionType::JoinLeaveGroup => &self.join_leave_group,
        };
        rules.allowed.contains(group) || (rules.covers(group) && !rules.denied.contains(group))
    }

    /// Grants or revokes one group; returns the verdict to store.
    ///
    /// # Errors
    /// [`TooManyPermissions`] if that would be more than can be said of single groups; nothing has
    /// changed then.
    pub(crate) fn set(
        &mut self,
        kind: PermissionType,
        group: &GroupName,
        verdict: Verdict,
    ) -> Result<Option<Verdict>, TooManyPermissions> {
        let rules = self.rules_mut(kind);
        let literal = match (verdict, rules.covers(group)) {
            (Verdict::Allow, true) | (Verdict::Deny, false) => None,
            (Verdict::Allow, false) | (Verdict::Deny, true) => Some(verdict),
        };
        let is_known = rules.allowed.contains(group) || rules.denied.contains(group);
        if literal.is_some() && !is_known && rules.is_full() {
            return Err(TooManyPermissions);
        }
        self.restore(kind, group.clone(), literal);
        Ok(literal)
    }

    /// Says again what [`Permissions::set`] returned.
    pub(crate) fn restore(&mut self, kind: PermissionType, group: GroupName, literal: Option<Verdict>) {
        let rules = self.rules_mut(kind);
        rules.allowed.remove(&group);
        rules.denied.remove(&group);
        match literal {
            Some(Verdict::Allow) => drop(rules.allowed.insert(group)),
            Some(Verdict::Deny) => drop(rules.denied.insert(group)),
            None => {}
        }
    }

    /// What an operator sees of them: what it may send to, and what it may join and leave.
    pub(crate) fn view(&self) -> (PermissionView<'_>, PermissionView<'_>) {
        (self.send_to_group.view(), self.join_leave_group.view())
    }

    fn rules_mut(&mut self, kind: PermissionType) -> &mut Rules {
        match kind {
            PermissionType::SendToGroup => &mut self.send_to_group,
            PermissionType::JoinLeaveGroup => &mut self.join_leave_group,
        }
    }
}

impl Rules {
    /// Whether roles without a single group's name allow it.
    fn covers(&self, group: &GroupName) -> bool {
        self.all || self.patterns.iter().any(|pattern| pattern.matches(group.as_str()))
    }

    fn view(&self) -> PermissionView<'_> {
        PermissionView {
            all: self.all,
            patterns: &self.patterns,
            allowed: self.allowed.as_slice(),
            denied: self.denied.as_slice(),
        }
    }

    fn is_full(&self) -> bool {
        self.allowed.as_slice().len() + self.denied.as_slice().len() >= MAX_LITERAL_PERMISSIONS
    }

    /// Whether there was room for it.
    fn add_literal(&mut self, group: GroupName) -> bool {
        if self.covers(&group) {
            return true;
        }
        let taken = !self.is_full();
        if taken {
            self.allowed.insert(group);
        }
        taken
    }

    /// Whether there was room for it.
    fn add_pattern(&mut self, pattern: GroupPattern) -> bool {
        let taken = self.patterns.len() < MAX_PERMISSION_PATTERNS;
        if taken {
            self.allowed.retain(|group| !pattern.matches(group.as_str()));
            self.patterns.push(pattern);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(roles: &[&str], kind: PermissionType, group: &str) -> bool {
        Permissions::from_roles(roles.iter().copied()).allows(kind, &GroupName::parse(group).unwrap())
    }

    #[test]
    fn invalid_roles_and_those_above_the_limits_are_counted() {
        let patterns: Vec<_> = (0..12).map(|n| format!("webpubsub.sendToGroups.{n}*")).collect();
        let skipped = |roles: &[&str]| Permissions::from_roles(roles.iter().copied()).skipped;
        assert_eq!(skipped(&["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup.a", "unknown"]), 0);
        assert_eq!(skipped(&["webpubsub.sendToGroups.", "webpubsub.joinLeaveGroups.a\\b"]), 2);
        assert_eq!(skipped(&patterns.iter().map(String::as_str).collect::<Vec<_>>()), 2);
    }

    #[test]
    fn without_a_role_nothing_is_allowed() {
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
    fn a_verdict_on_one_group_overrides_the_rules() {
        use PermissionType::{JoinLeaveGroup, SendToGroup};
        let mut permissions =
            Permissions::from_roles(["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup.own"]);
        let [room, other, own] = ["room", "other", "own"].map(|name| GroupName::parse(name).unwrap());
        assert_eq!(permissions.set(SendToGroup, &room, Verdict::Deny), Ok(Some(Verdict::Deny)));
        assert!(!permissions.allows(SendToGroup, &room) && permissions.allows(SendToGroup, &other));
        assert_eq!(permissions.set(SendToGroup, &room, Verdict::Allow), Ok(None));
        assert!(permissions.allows(SendToGroup, &room));
        assert_eq!(permissions.set(JoinLeaveGroup, &own, Verdict::Deny), Ok(None));
        assert!(!permissions.allows(JoinLeaveGroup, &own));
        assert_eq!(permissions.set(JoinLeaveGroup, &room, Verdict::Allow), Ok(Some(Verdict::Allow)));
        assert!(permissions.allows(JoinLeaveGroup, &room) && !permissions.allows(JoinLeaveGroup, &other));
    }

    #[test]
    fn the_1001st_single_group_is_a_conflict() {
        let mut permissions = Permissions::default();
        let set = |permissions: &mut Permissions, n: usize, verdict| {
            permissions.set(PermissionType::SendToGroup, &GroupName::parse(format!("g{n}")).unwrap(), verdict)
        };
        for n in 0..1000 {
            set(&mut permissions, n, Verdict::Allow).unwrap();
        }
        assert_eq!(set(&mut permissions, 1000, Verdict::Allow), Err(TooManyPermissions));
        assert!(set(&mut permissions, 999, Verdict::Allow).is_ok(), "what is granted can be granted again");
        assert!(set(&mut permissions, 0, Verdict::Deny).is_ok());
        assert!(set(&mut permissions, 1000, Verdict::Allow).is_ok());
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
