//! Groups of connections: joining, leaving, and how many.

use webpubsub_protocol::event_handler::Event;
use webpubsub_protocol::name::GroupName;

use crate::command::Groups;
use crate::connection::Connection;
use crate::output::Change;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

impl Shard {
    /// Makes a connection a member, if it is not one already.
    pub(crate) fn join(&mut self, slot: Slot, group: &GroupName, step: &mut Step) {
        if self.connections.join(slot, group) {
            self.store(slot, Change::Join(slot, group.clone()), step);
            if self.has_event_handlers() {
                self.notify(slot, Event::Joined { group: group.clone() }, step);
            }
        }
    }

    /// Whether a connection may be a member of these, too. What it is already it stays.
    pub(crate) fn has_room_for(&self, slot: Slot, groups: &[GroupName]) -> bool {
        self.connections.get(slot).is_none_or(|Connection { groups: known, .. }| {
            let more = groups.iter().filter(|group| !known.contains(*group)).count();
            more == 0 || self.config.limits.allows_groups(known.as_slice().len() + more)
        })
    }

    /// Ends a membership, if there is one.
    pub(crate) fn leave(&mut self, slot: Slot, group: &GroupName, step: &mut Step) {
        if self.connections.leave(slot, group) {
            self.store(slot, Change::Leave(slot, group.clone()), step);
            self.forget_subscription(slot, group, step);
            self.left_states(slot, group, step);
            if self.has_event_handlers() {
                self.notify(slot, Event::Left { group: group.clone() }, step);
            }
        }
    }

    pub(crate) fn memberships(&self, slot: Slot, groups: &Groups) -> Vec<GroupName> {
        match groups {
            Groups::These(groups) => groups.clone(),
            Groups::All => {
                let connection = self.connections.get(slot);
                connection.map(|connection| connection.groups.as_slice().to_vec()).unwrap_or_default()
            }
        }
    }
}
