use crate::limits::MAX_GROUP_STATE_BYTES;
use crate::name::{ConnectionId, GroupName, UserId};
use crate::time::Timestamp;

/// What a member shows of itself in a group: strings by key, in the order of the keys.
///
/// An empty one is none: to set it clears what was set before.
///
/// Source: docs/spec/client.md#group-state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupState(Vec<(String, String)>);

impl GroupState {
    /// Takes entries in any order; of a key that stands there twice the last value counts. `None` for more
    /// entries than a state may have bytes, which are not worth sorting.
    #[must_use]
    pub fn parse(mut entries: Vec<(String, String)>) -> Option<Self> {
        if entries.len() > MAX_GROUP_STATE_BYTES {
            return None;
        }
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(a, _), (b, _)| a == b);
        Some(Self(entries))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The bytes of its keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

/// What a client asks for about the states of a group.
///
/// Source: docs/spec/client.md#group-state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupStateAction {
    /// Show this to the subscribers; an empty state clears what was set before.
    Set(GroupState),
    /// Receive the states of all members, and then every change.
    Subscribe,
    /// Receive no more changes.
    Unsubscribe,
}

/// The state of one connection in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStateItem {
    /// The connection.
    pub connection_id: ConnectionId,
    /// Who it acts for; `None` for an anonymous user.
    pub user_id: Option<UserId>,
    /// What it shows; `None` once it was cleared, the connection has left the group, or has ended.
    pub state: Option<GroupState>,
    /// When that changed; grows with every change of one connection.
    pub updated_at: Timestamp,
}

/// States of members of a group, as a subscriber receives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStates {
    /// How they relate to what came before.
    pub kind: GroupStatesKind,
    /// The group.
    pub group: GroupName,
    /// One for a connection.
    pub items: Vec<GroupStateItem>,
}

/// How states relate to what a subscriber received before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupStatesKind {
    /// They are all that there are, and replace everything before.
    Snapshot,
    /// They have changed.
    Update,
}
