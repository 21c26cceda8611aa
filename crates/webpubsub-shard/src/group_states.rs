//! What members of groups show of themselves, over all shards of the hub, and who on this shard wants to know.
//!
//! Every shard has the states of the whole hub: those of its own connections, and those that the other
//! shards relayed. So a snapshot never waits for another shard.
//!
//! Plain lists in order take the least place in the worker's wasm. The longest is that of groups with states.

use std::collections::HashMap;
use std::mem;

use webpubsub_protocol::client::{GroupStateItem, GroupStates, GroupStatesKind};
use webpubsub_protocol::limits::{
    MAX_GROUP_STATE_BYTES, MAX_GROUP_STATES_BYTES, MAX_HUB_STATES_BYTES, MAX_STATE_SUBSCRIPTIONS,
    MAX_STATES_OF_A_CONNECTION,
};
use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::sorted::SortedSet;
use webpubsub_protocol::time::Timestamp;

use crate::slot::{Slot, remove_member};

/// Most bytes of states that a shard keeps. Shards that do not know of each other's latest states may accept
/// more together than a hub may have; what is above this is not kept.
const MAX_KEPT_BYTES: usize = 4 * MAX_HUB_STATES_BYTES;

/// What a state costs beside its bytes, in bytes.
const BYTES_OF_AN_ITEM: usize = 128;

/// Why a state is not set, or not subscribed to. Its text is that of the ack.
///
/// Source: docs/spec/client.md#group-state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateLimit {
    /// The state has more than [`MAX_GROUP_STATE_BYTES`].
    #[error("The state is too large.")]
    Bytes,
    /// The connection has [`MAX_STATES_OF_A_CONNECTION`], or [`MAX_STATE_SUBSCRIPTIONS`].
    #[error("The client has states in too many groups, or is subscribed to too many.")]
    Groups,
    /// The states of the group have [`MAX_GROUP_STATES_BYTES`], or those of the hub [`MAX_HUB_STATES_BYTES`].
    #[error("There is no room for more states.")]
    Room,
}

/// The states of a hub's groups, and this shard's subscribers.
#[derive(Debug, Default)]
pub(crate) struct StateTable {
    /// Those in which there are states, or have just ended, by name.
    groups: Vec<Group>,
    subscribers: HashMap<GroupName, SortedSet<Slot>>,
    /// Connections of this shard that have set a state or subscribed, by slot.
    own: Vec<Option<Box<Own>>>,
    /// The bytes of all states.
    bytes: usize,
    /// The latest time at which a connection of this shard cleared a state and went on, 0 where none did; `None`
    /// while none has ever set one. It never becomes `None` again: a shard that was away may still keep a state
    /// that has ended, so it is always sent what there is, even if that is nothing.
    pub(crate) used: Option<Timestamp>,
    /// The groups in which states have ended, which is yet to be announced.
    ending: Vec<GroupName>,
}

#[derive(Debug)]
struct Group {
    name: GroupName,
    /// By connection id.
    items: Vec<GroupStateItem>,
    /// The bytes of all states.
    bytes: usize,
    /// What has ended and is yet to be announced.
    ended: Vec<GroupStateItem>,
}

/// What a connection of this shard has of states.
#[derive(Debug, Default)]
struct Own {
    /// In which groups it has a state.
    states: SortedSet<GroupName>,
    /// To the states of which groups it is subscribed.
    subscriptions: SortedSet<GroupName>,
    /// When it changed a state last.
    updated_at: Timestamp,
}

impl StateTable {
    /// Checks whether a connection may set a state.
    pub(crate) fn check(
        &self,
        slot: Slot,
        group: &GroupName,
        item: &GroupStateItem,
    ) -> Result<(), StateLimit> {
        if item.state.as_ref().is_some_and(|state| state.as_json().len() > MAX_GROUP_STATE_BYTES) {
            return Err(StateLimit::Bytes);
        }
        if let Some(own) = self.of_slot(slot)
            && own.states.as_slice().len() >= MAX_STATES_OF_A_CONNECTION
            && !own.states.contains(group)
        {
            return Err(StateLimit::Groups);
        }
        let known = self.group(group);
        let before = known.and_then(|known| known.item(&item.connection_id)).map_or(0, cost);
        let more = cost(item).saturating_sub(before);
        let bytes = known.map_or(0, |known| known.bytes);
        if more > 0 && (bytes + more > MAX_GROUP_STATES_BYTES || self.bytes + more > MAX_HUB_STATES_BYTES) {
            return Err(StateLimit::Room);
        }
        Ok(())
    }

    /// Whether there is room for what another shard has accepted.
    pub(crate) fn keeps(&self, item: &GroupStateItem) -> bool {
        item.state.is_none() || self.bytes + cost(item) <= MAX_KEPT_BYTES
    }

    /// When a connection's next change happens: now, or later than its last one.
    pub(crate) fn stamp(&mut self, now: Timestamp, slot: Slot) -> Timestamp {
        let Some(own) = self.own(slot) else { return now };
        own.updated_at = now.max(Timestamp::from_millis(own.updated_at.as_millis() + 1));
        own.updated_at
    }

    /// Notes that a connection cleared a state at a time, and goes on: what it sets next is later, whatever the
    /// clock says and the shard remembers. Returns whether that is to be stored.
    pub(crate) fn note_cleared(&mut self, at: Timestamp) -> bool {
        let is_later = self.used.is_none_or(|known| known < at);
        if is_later {
            self.used = Some(at);
        }
        is_later
    }

    /// Sets what a connection of this shard shows.
    pub(crate) fn set(&mut self, slot: Slot, group: &GroupName, item: GroupStateItem) {
        if let Some(own) = self.own(slot) {
            own.states.insert(group.clone());
            own.updated_at = own.updated_at.max(item.updated_at);
        }
        self.put(group, item);
    }

    /// Sets or removes what a connection of any shard shows.
    pub(crate) fn put(&mut self, group: &GroupName, item: GroupStateItem) {
        let at = match self.find(group) {
            Ok(at) => at,
            Err(at) => {
                let name = group.clone();
                self.groups.insert(at, Group { name, items: Vec::new(), bytes: 0, ended: Vec::new() });
                at
            }
        };
        let Some(known) = self.groups.get_mut(at) else { return };
        let found = known.find(&item.connection_id);
        let removed = match found {
            Ok(at) => cost(&known.items.remove(at)),
            Err(_) => 0,
        };
        let (Ok(at) | Err(at)) = found;
        let mut added = 0;
        if item.state.is_some() {
            added = cost(&item);
            known.items.insert(at, item);
        }
        known.bytes = known.bytes + added - removed;
        self.bytes = self.bytes + added - removed;
        self.forget_if_empty(group);
    }

    /// Ends the state of a connection of this shard in a group, which is yet to be announced. Returns what is
    /// to be stored of that, if there was a state.
    pub(crate) fn clear(
        &mut self,
        now: Timestamp,
        slot: Slot,
        id: &ConnectionId,
        group: &GroupName,
    ) -> Option<GroupStateItem> {
        if !self.own(slot)?.states.remove(group) {
            return None;
        }
        let updated_at = self.stamp(now, slot);
        let at = self.find(group).ok()?;
        let known = self.groups.get_mut(at)?;
        let user_id = known.item(id)?.user_id.clone();
        let ended = GroupStateItem { connection_id: id.clone(), user_id, state: None, updated_at };
        if known.ended.is_empty() {
            self.ending.push(group.clone());
        }
        known.ended.push(ended.clone());
        self.put(group, ended.clone());
        Some(ended)
    }

    /// The groups in which a connection of this shard has a state.
    pub(crate) fn states_of(&self, slot: Slot) -> Vec<GroupName> {
        self.of_slot(slot).map_or_else(Vec::new, |own| own.states.as_slice().to_vec())
    }

    /// The groups that a connection is subscribed to.
    pub(crate) fn subscriptions_of(&self, slot: Slot) -> Vec<GroupName> {
        self.of_slot(slot).map_or_else(Vec::new, |own| own.subscriptions.as_slice().to_vec())
    }

    /// Whether a connection has ever set a state or subscribed.
    pub(crate) fn concerns(&self, slot: Slot) -> bool {
        self.of_slot(slot).is_some()
    }

    /// Forgets a connection that has no states and no subscriptions any more.
    pub(crate) fn forget(&mut self, slot: Slot) {
        if let Some(own) = self.own.get_mut(slot.index()) {
            *own = None;
        }
    }

    /// Subscribes a connection to a group's states. Returns whether it was not.
    pub(crate) fn subscribe(&mut self, slot: Slot, group: &GroupName) -> Result<bool, StateLimit> {
        let Some(Own { subscriptions, .. }) = self.own(slot) else { return Ok(false) };
        if subscriptions.contains(group) {
            return Ok(false);
        }
        if subscriptions.as_slice().len() >= MAX_STATE_SUBSCRIPTIONS {
            return Err(StateLimit::Groups);
        }
        subscriptions.insert(group.clone());
        self.subscribers.entry(group.clone()).or_default().insert(slot);
        Ok(true)
    }

    /// Ends a subscription. Returns whether there was one.
    pub(crate) fn unsubscribe(&mut self, slot: Slot, group: &GroupName) -> bool {
        let was = self.own(slot).is_some_and(|own| own.subscriptions.remove(group));
        remove_member(&mut self.subscribers, group, slot);
        was
    }

    /// The subscribers of a group's states.
    pub(crate) fn subscribers(&self, group: &GroupName) -> Vec<Slot> {
        self.subscribers.get(group).map_or_else(Vec::new, |slots| slots.as_slice().to_vec())
    }

    /// All states of a group.
    pub(crate) fn snapshot(&self, group: &GroupName) -> GroupStates {
        let items = self.group(group).map_or_else(Vec::new, |known| known.items.clone());
        GroupStates { kind: GroupStatesKind::Snapshot, group: group.clone(), items }
    }

    /// The groups in which there are states.
    pub(crate) fn names(&self) -> Vec<GroupName> {
        self.groups.iter().map(|known| known.name.clone()).collect()
    }

    /// Takes a group in which states have ended, and these.
    pub(crate) fn take_ended(&mut self) -> Option<(GroupName, Vec<GroupStateItem>)> {
        let group = self.ending.pop()?;
        let at = self.find(&group).ok()?;
        let ended = mem::take(&mut self.groups.get_mut(at)?.ended);
        self.forget_if_empty(&group);
        Some((group, ended))
    }

    fn of_slot(&self, slot: Slot) -> Option<&Own> {
        self.own.get(slot.index())?.as_deref()
    }

    fn own(&mut self, slot: Slot) -> Option<&mut Own> {
        while self.own.len() <= slot.index() {
            self.own.push(None);
        }
        let updated_at = self.used.unwrap_or_default();
        let new = || Box::new(Own { updated_at, ..Own::default() });
        Some(self.own.get_mut(slot.index())?.get_or_insert_with(new))
    }

    fn find(&self, group: &GroupName) -> Result<usize, usize> {
        self.groups.binary_search_by(|known| known.name.cmp(group))
    }

    fn group(&self, group: &GroupName) -> Option<&Group> {
        self.groups.get(self.find(group).ok()?)
    }

    fn forget_if_empty(&mut self, group: &GroupName) {
        if let Ok(at) = self.find(group)
            && self.groups.get(at).is_some_and(|known| known.items.is_empty() && known.ended.is_empty())
        {
            self.groups.remove(at);
        }
    }
}

impl Group {
    fn find(&self, id: &ConnectionId) -> Result<usize, usize> {
        self.items.binary_search_by(|item| item.connection_id.cmp(id))
    }

    fn item(&self, id: &ConnectionId) -> Option<&GroupStateItem> {
        self.items.get(self.find(id).ok()?)
    }
}

/// What a state costs, in bytes.
fn cost(item: &GroupStateItem) -> usize {
    let state = item.state.as_ref().map_or(0, |state| state.as_json().len());
    let user = item.user_id.as_ref().map_or(0, |user| user.as_str().len());
    BYTES_OF_AN_ITEM + item.connection_id.as_str().len() + user + state
}
