//! The group states of a client: operations that are done, and what the service says.

use std::collections::BTreeMap;
use std::sync::Arc;

use webpubsub_client_core::{CommandId, Delivery, GroupStateItem, Receipt, SendError};
use webpubsub_protocol::client::{GroupState, GroupStateAction, GroupStates, GroupStatesKind};
use webpubsub_protocol::name::{GroupName, UserId};
use webpubsub_protocol::time::Timestamp;

use crate::event::Event;
use crate::group_state::{GroupStateRecord, KnownStates, StateRequest, entries};
use crate::pending::Operation;

/// The group states of a client.
pub(super) struct States {
    known: Arc<KnownStates>,
    /// What operations under way come to, by their numbers.
    effects: BTreeMap<u32, Effect>,
}

/// What an operation comes to once it is done.
struct Effect {
    group: GroupName,
    change: Change,
}

/// What follows from a new connection.
pub(super) struct Renewal {
    /// What subscribes again.
    pub(super) operations: Vec<(CommandId, Operation)>,
    /// What changes for the application.
    pub(super) changed: Vec<Event>,
}

enum Change {
    Left,
    Set(GroupState),
    Subscribed,
    /// As before, without a caller who would see that it fails.
    Renewed,
    Unsubscribed,
}

impl States {
    pub(super) const fn new(known: Arc<KnownStates>) -> Self {
        Self { known, effects: BTreeMap::new() }
    }

    /// An operation begins.
    pub(super) fn begin(&mut self, id: CommandId, operation: &Operation) {
        let (group, change) = match operation {
            Operation::LeaveGroup { group, .. } => (group, Change::Left),
            Operation::Other { message: StateRequest { group, action }, .. } => (
                group,
                match action {
                    GroupStateAction::Set(state) => Change::Set(state.clone()),
                    GroupStateAction::Subscribe => Change::Subscribed,
                    GroupStateAction::Unsubscribe => Change::Unsubscribed,
                },
            ),
            Operation::JoinGroup { .. } | Operation::SendToGroup { .. } | Operation::SendEvent { .. } => {
                return;
            }
        };
        self.add(id, group.clone(), change);
    }

    /// An operation is over. A renewal that failed is an event.
    pub(super) fn settled(&mut self, id: CommandId, result: &Result<Receipt, SendError>) -> Option<Event> {
        let Effect { group, change } = self.effects.remove(&id.0)?;
        let name = group.as_str();
        self.known.with(|states| match &change {
            Change::Subscribed | Change::Renewed => states.subscribed(name, result.is_ok()),
            Change::Left if result.is_ok() => states.left(name),
            Change::Set(state) if result.is_ok() => {
                states.set(name, Some(state.clone()).filter(|state| !state.is_empty()));
            }
            Change::Unsubscribed if result.is_ok() => states.unsubscribed(name),
            Change::Left | Change::Set(_) | Change::Unsubscribed => {}
        });
        let error = result.as_ref().err().filter(|_| matches!(change, Change::Renewed))?;
        Some(Event::RejoinGroupFailed { group: group.to_string(), error: Arc::new(error.clone().into()) })
    }

    /// A connection is lost for good.
    pub(super) fn lost(&self) {
        self.known.with(webpubsub_client_core::GroupStates::lost);
    }

    /// There is a new connection. Operations take their numbers from `next_number`.
    pub(super) fn connected(&mut self, next_number: impl Fn() -> u32) -> Renewal {
        let renewal = self.known.with(webpubsub_client_core::GroupStates::connected);
        let groups = renewal.subscribe.into_iter().filter_map(|group| GroupName::parse(group).ok());
        let operations = groups.map(|group| {
            let id = CommandId(next_number());
            self.add(id, group.clone(), Change::Renewed);
            let message = StateRequest { group, action: GroupStateAction::Subscribe };
            (id, Operation::Other { message, delivery: Delivery::Acknowledged { ack_id: None } })
        });
        let operations = operations.collect();
        let changed = renewal.changed.into_iter().map(|group| Event::GroupStatesChanged { group });
        Renewal { operations, changed: changed.collect() }
    }

    /// What the service says of a group's members: what changes for the application.
    pub(super) fn received(&self, now: Timestamp, states: GroupStates) -> Option<Event> {
        let group = states.group.as_str();
        let items = states.items.into_iter().map(|item| {
            let (connection_id, updated_at) = (item.connection_id.to_string(), item.updated_at.as_millis());
            let record = |state: GroupState| GroupStateRecord {
                connection_id: connection_id.clone(),
                user_id: item.user_id.as_ref().map(UserId::to_string),
                state: entries(&state),
                updated_at,
            };
            let state = item.state.map(record);
            GroupStateItem { connection_id, updated_at, state }
        });
        let items = items.collect();
        let is_changed = self.known.with(|known| match states.kind {
            GroupStatesKind::Snapshot => known.snapshot(now, group, items),
            GroupStatesKind::Update => known.update(now, group, items),
        });
        is_changed.then(|| Event::GroupStatesChanged { group: group.to_owned() })
    }

    fn add(&mut self, id: CommandId, group: GroupName, change: Change) {
        if matches!(change, Change::Subscribed | Change::Renewed) {
            self.known.with(|states| states.subscribing(group.as_str()));
        }
        self.effects.insert(id.0, Effect { group, change });
    }
}
