//! States of members in groups are set, cleared, announced and kept equal on all shards.

use webpubsub_protocol::client::{
    GroupState, GroupStateAction, GroupStateItem, GroupStates, GroupStatesKind, json,
};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;

use crate::connection::Connection;
use crate::error::Refusal;
use crate::output::Change;
use crate::publish::Reach;
use crate::shard::Shard;
use crate::shard_id::ShardId;
use crate::slot::Slot;
use crate::step::Step;

/// How many ends of states are announced in one message.
const ENDS_OF_A_MESSAGE: usize = 1000;

impl Shard {
    /// Carries out what a client asks for about the states of a group. A subscriber is yet to receive the
    /// snapshot.
    ///
    /// Source: docs/spec/client.md#group-state.
    pub(crate) fn group_state(
        &mut self,
        slot: Slot,
        group: &GroupName,
        action: GroupStateAction,
        step: &mut Step,
    ) -> Result<(), Refusal> {
        match action {
            GroupStateAction::Set(state) => self.set_state(slot, group, state, step),
            GroupStateAction::Subscribe => {
                if !self.may_subscribe(slot, group) {
                    return Err(Refusal::SubscribeForbidden(group.clone()));
                }
                if self.states.subscribe(slot, group)? {
                    self.store(slot, Change::Subscribe(slot, group.clone()), step);
                }
                Ok(())
            }
            GroupStateAction::Unsubscribe => {
                self.unsubscribe(slot, group, step);
                Ok(())
            }
        }
    }

    /// Sends a subscriber all states of a group.
    pub(crate) fn send_snapshot(&mut self, to: &[Slot], group: &GroupName, step: &mut Step) {
        self.announce_ends(step);
        let snapshot = self.states.snapshot(group);
        self.fan_out(to, &snapshot, Reach::ThisShard, step);
    }

    /// Ends what a connection shows in a group that it has left, and its subscription, if membership was
    /// what allowed it.
    pub(crate) fn left_states(&mut self, slot: Slot, group: &GroupName, step: &mut Step) {
        if self.states.concerns(slot) {
            self.clear_state(slot, group, step);
            if !self.may_subscribe(slot, group) {
                self.unsubscribe(slot, group, step);
            }
        }
    }

    /// Ends all states and subscriptions of a connection that is about to be removed.
    pub(crate) fn end_states(&mut self, slot: Slot, step: &mut Step) {
        if !self.states.concerns(slot) {
            return;
        }
        for group in self.states.states_of(slot) {
            self.end_state(slot, &group, step);
        }
        for group in self.states.subscriptions_of(slot) {
            self.unsubscribe(slot, &group, step);
        }
        self.states.forget(slot);
    }

    /// Announces the states that have ended, those of a group together: many connections may end at once.
    pub(crate) fn announce_ends(&mut self, step: &mut Step) {
        // A subscriber that has no room is closed, which may end states of its own.
        while let Some((group, mut items)) = self.states.take_ended() {
            while !items.is_empty() {
                let rest = items.split_off(items.len().min(ENDS_OF_A_MESSAGE));
                let states = GroupStates { kind: GroupStatesKind::Update, group: group.clone(), items };
                self.announce(&states, Reach::AllShards, step);
                items = rest;
            }
        }
    }

    /// Keeps states that another shard relayed.
    pub(super) fn put_states(&mut self, states: &GroupStates, step: &mut Step) {
        for item in &states.items {
            self.put_state(&states.group, item.clone(), step);
        }
    }

    /// Sends the shards that are new to this one what they need of it.
    pub(crate) fn welcome(&mut self, step: &mut Step) {
        for shard in self.relay.take_new() {
            self.send_states_to(shard, step);
        }
    }

    /// Sends a shard that is new to this one all states of this shard's connections, which replace those that
    /// it may have kept of an earlier time: `{"type":"groupStates","to":N}` first, then a `groupStateSnapshot` for
    /// each group, with `"to":N`. All shards but `N` skip them.
    fn send_states_to(&mut self, to: ShardId, step: &mut Step) {
        if self.states.used.is_none() {
            return;
        }
        self.relay_to(to, "{\"type\":\"groupStates\"", step);
        for states in self.states_of_shard(self.config.shard) {
            self.relay_to(to, json::DataFrame::of_states(&states).head(), step);
        }
    }

    /// Restores what a connection of any shard shows.
    pub(super) fn restore_state(&mut self, group: &GroupName, item: GroupStateItem, step: &mut Step) {
        match self.connections.find(&item.connection_id) {
            Some(slot) => self.states.set(slot, group, item),
            None if ShardId::of(&item.connection_id) == Some(self.config.shard) => {
                step.store(Change::State(group.clone(), GroupStateItem { state: None, ..item }));
            }
            None => self.states.put(group, item),
        }
    }

    fn set_state(
        &mut self,
        slot: Slot,
        group: &GroupName,
        state: GroupState,
        step: &mut Step,
    ) -> Result<(), Refusal> {
        let Some(Connection { id, user, groups, .. }) = self.connections.get(slot) else { return Ok(()) };
        if !groups.contains(group) {
            return Err(Refusal::NotAMember(group.clone()));
        }
        if state.is_empty() {
            self.clear_state(slot, group, step);
            self.announce_ends(step);
            return Ok(());
        }
        if !self.relay.has_room() {
            return Err(Refusal::OutboxFull);
        }
        let (connection_id, user_id) = (id.clone(), user.clone());
        let updated_at = Timestamp::default();
        let mut item = GroupStateItem { connection_id, user_id, state: Some(state), updated_at };
        self.states.check(slot, group, &item)?;
        self.announce_ends(step);
        item.updated_at = self.states.stamp(step.now, slot);
        if self.states.used.is_none() && self.states.note_cleared(Timestamp::default()) {
            self.store(slot, Change::UseStates(Timestamp::default()), step);
        }
        self.store(slot, Change::State(group.clone(), item.clone()), step);
        self.states.set(slot, group, item.clone());
        let states = GroupStates { kind: GroupStatesKind::Update, group: group.clone(), items: vec![item] };
        self.announce(&states, Reach::AllShards, step);
        Ok(())
    }

    /// Ends what a connection shows in a group, after which it may set a state again.
    fn clear_state(&mut self, slot: Slot, group: &GroupName, step: &mut Step) {
        if let Some(at) = self.end_state(slot, group, step)
            && self.states.note_cleared(at)
        {
            self.store(slot, Change::UseStates(at), step);
        }
    }

    /// Ends what a connection shows in a group. Returns when, if it showed anything.
    fn end_state(&mut self, slot: Slot, group: &GroupName, step: &mut Step) -> Option<Timestamp> {
        let connection = self.connections.get(slot)?;
        let ended = self.states.clear(step.now, slot, &connection.id, group)?;
        let at = ended.updated_at;
        self.store(slot, Change::State(group.clone(), ended), step);
        Some(at)
    }

    fn unsubscribe(&mut self, slot: Slot, group: &GroupName, step: &mut Step) {
        if self.states.concerns(slot) && self.states.unsubscribe(slot, group) {
            self.store(slot, Change::Unsubscribe(slot, group.clone()), step);
        }
    }

    /// Source: docs/spec/permissions.md#who-may-do-what.
    fn may_subscribe(&self, slot: Slot, group: &GroupName) -> bool {
        self.allows(slot, PermissionType::JoinLeaveGroup, group)
            || self.connections.get(slot).is_some_and(|connection| connection.groups.contains(group))
    }

    pub(super) fn announce(&mut self, states: &GroupStates, reach: Reach, step: &mut Step) {
        let to = self.states.subscribers(&states.group);
        self.fan_out(&to, states, reach, step);
    }

    /// Sends the subscribers of a group a new snapshot.
    pub(super) fn renew(&mut self, group: &GroupName, step: &mut Step) {
        let to = self.states.subscribers(group);
        if !to.is_empty() {
            self.send_snapshot(&to, group, step);
        }
    }

    fn put_state(&mut self, group: &GroupName, mut item: GroupStateItem, step: &mut Step) {
        if !self.states.keeps(&item) {
            // Not the one before it, either.
            item.state = None;
        }
        step.store(Change::State(group.clone(), item.clone()));
        self.states.put(group, item);
    }

    /// What connections of one shard show, by group.
    fn states_of_shard(&self, shard: ShardId) -> Vec<GroupStates> {
        let mut all = Vec::new();
        for group in self.states.names() {
            let mut states = self.states.snapshot(&group);
            states.items.retain(|item| ShardId::of(&item.connection_id) == Some(shard));
            if !states.items.is_empty() {
                all.push(states);
            }
        }
        all
    }

    pub(super) fn forget_states_of(&mut self, shard: ShardId, step: &mut Step) {
        for states in self.states_of_shard(shard) {
            for item in states.items {
                self.put_state(&states.group, GroupStateItem { state: None, ..item }, step);
            }
            self.renew(&states.group, step);
        }
    }
}
