//! The states that members show in a group.

use std::borrow::Cow;

use crate::json::{Members, Writer};
use crate::limits::MAX_GROUP_STATE_ENTRIES;
use crate::name::{ConnectionId, GroupName, UserId};
use crate::time::Timestamp;

/// What a member shows of itself in a group: strings by key, kept as a JSON object in the order of the keys.
///
/// An empty one is none: to set it clears what was set before.
///
/// Source: docs/spec/client.md#group-state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState(Box<str>);

/// The text of an empty state.
const EMPTY: &str = "{}";

impl GroupState {
    /// Takes entries in any order; of a key that stands there twice the last value counts. `None` for more
    /// than [`MAX_GROUP_STATE_ENTRIES`].
    #[must_use]
    pub fn parse(entries: Vec<(Cow<'_, str>, Cow<'_, str>)>) -> Option<Self> {
        if entries.len() > MAX_GROUP_STATE_ENTRIES {
            return None;
        }
        let mut map: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
        for entry in entries {
            let found = map.binary_search_by(|(key, _)| key.cmp(&entry.0));
            if let Ok(at) = found {
                map.remove(at);
            }
            let (Ok(at) | Err(at)) = found;
            map.insert(at, entry);
        }
        let mut object = Writer::object();
        for (key, value) in map {
            object.text(&key, &value);
        }
        Some(Self(object.finish().into()))
    }

    /// Reads a JSON object of strings; `None` for any other text, and for what [`GroupState::parse`] refuses.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let mut entries = Vec::new();
        for (key, value) in Members::parse(text)?.0 {
            entries.push((key, value.text()?));
        }
        Self::parse(entries)
    }

    /// The JSON object.
    #[must_use]
    pub const fn as_json(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        &*self.0 == EMPTY
    }

    /// Keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let entries = Members::parse(&self.0).unwrap_or_default().0.into_iter();
        entries.map(|(key, value)| (key, value.text().unwrap_or_default()))
    }
}

impl Default for GroupState {
    fn default() -> Self {
        Self(EMPTY.into())
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
