//! The connections of a shard, indexed by slot, id, user and group.

use std::collections::HashMap;

use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::sorted::SortedSet;

use crate::connection::Connection;
use crate::slot::{Slot, remove_member};

#[derive(Debug, Default)]
pub(crate) struct Connections {
    /// Indexed by slot.
    slots: Vec<Option<Connection>>,
    /// Slots below `slots.len()` that hold no connection.
    vacant: SortedSet<Slot>,
    ids: HashMap<ConnectionId, Slot>,
    users: HashMap<UserId, SortedSet<Slot>>,
    groups: HashMap<GroupName, SortedSet<Slot>>,
    /// How many of them speak a reliable subprotocol.
    reliable: usize,
}

impl Connections {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether any connection is reliable.
    pub(crate) const fn has_reliable(&self) -> bool {
        self.reliable > 0
    }

    pub(crate) fn find(&self, id: &ConnectionId) -> Option<Slot> {
        self.ids.get(id).copied()
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&Connection> {
        self.slots.get(slot.index())?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut Connection> {
        self.slots.get_mut(slot.index())?.as_mut()
    }

    /// All connections, by slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &Connection)> {
        (0..).map(Slot).zip(&self.slots).filter_map(|(slot, here)| Some((slot, here.as_ref()?)))
    }

    /// All connections, by slot, mutably.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, &mut Connection)> {
        (0..).map(Slot).zip(&mut self.slots).filter_map(|(slot, here)| Some((slot, here.as_mut()?)))
    }

    /// The slots of those connections of which `is_meant` is true, in their order. Compiled once, which an iterator
    /// would be for each of its uses.
    pub(crate) fn slots(&self, is_meant: &dyn Fn(&Connection) -> bool) -> Vec<Slot> {
        let mut slots = Vec::new();
        for (slot, connection) in self.iter() {
            if is_meant(connection) {
                slots.push(slot);
            }
        }
        slots
    }

    /// The slot that [`Connections::insert`] would give next: the smallest vacant one.
    pub(crate) fn vacancy(&self) -> Slot {
        self.vacant.as_slice().first().copied().unwrap_or_else(|| self.end())
    }

    /// Takes a vacant slot for a connection that is yet to be known.
    pub(crate) fn reserve(&mut self) -> Slot {
        let slot = self.vacancy();
        self.vacant.remove(&slot);
        if slot == self.end() {
            self.slots.push(None);
        }
        slot
    }

    /// Gives back a slot that was taken and has no connection.
    pub(crate) fn release(&mut self, slot: Slot) {
        self.vacant.insert(slot);
    }

    /// Puts a connection, member of its groups, into a vacant slot.
    pub(crate) fn insert(&mut self, slot: Slot, connection: Connection) {
        while self.slots.len() <= slot.index() {
            self.vacant.insert(self.end());
            self.slots.push(None);
        }
        self.vacant.remove(&slot);
        self.ids.insert(connection.id.clone(), slot);
        if let Some(user) = &connection.user {
            self.users.entry(user.clone()).or_default().insert(slot);
        }
        for group in connection.groups.as_slice() {
            self.groups.entry(group.clone()).or_default().insert(slot);
        }
        self.reliable += usize::from(connection.buffer.is_some() && connection.mqtt.is_none());
        if let Some(place) = self.slots.get_mut(slot.index()) {
            *place = Some(connection);
        }
    }

    /// The first slot that was never used.
    pub(crate) fn end(&self) -> Slot {
        Slot(u32::try_from(self.slots.len()).unwrap_or(u32::MAX))
    }

    pub(crate) fn remove(&mut self, slot: Slot) -> Option<Connection> {
        let connection = self.slots.get_mut(slot.index())?.take()?;
        self.vacant.insert(slot);
        self.reliable -= usize::from(connection.buffer.is_some() && connection.mqtt.is_none());
        self.ids.remove(&connection.id);
        if let Some(user) = &connection.user {
            remove_member(&mut self.users, user, slot);
        }
        for group in connection.groups.as_slice() {
            remove_member(&mut self.groups, group, slot);
        }
        Some(connection)
    }

    /// Makes a connection a member; false if it was one, or does not exist.
    pub(crate) fn join(&mut self, slot: Slot, group: &GroupName) -> bool {
        let joined = self.get_mut(slot).is_some_and(|connection| connection.groups.insert(group.clone()));
        if joined {
            self.groups.entry(group.clone()).or_default().insert(slot);
        }
        joined
    }

    /// Ends a membership; false if there was none.
    pub(crate) fn leave(&mut self, slot: Slot, group: &GroupName) -> bool {
        let left = self.get_mut(slot).is_some_and(|connection| connection.groups.remove(group));
        if left {
            remove_member(&mut self.groups, group, slot);
        }
        left
    }

    /// Every group with how many members it has, in no order.
    #[expect(clippy::disallowed_methods, reason = "whoever asks puts them in order")]
    pub(crate) fn groups(&self) -> impl Iterator<Item = (&GroupName, usize)> {
        self.groups.iter().map(|(group, members)| (group, members.as_slice().len()))
    }

    /// Every member of a group.
    pub(crate) fn members(&self, group: &GroupName) -> impl Iterator<Item = Slot> {
        self.groups.get(group).map_or(&[][..], SortedSet::as_slice).iter().copied()
    }

    /// Every connection of a user.
    pub(crate) fn connections_of(&self, user: &UserId) -> impl Iterator<Item = Slot> {
        self.users.get(user).map_or(&[][..], SortedSet::as_slice).iter().copied()
    }
}
