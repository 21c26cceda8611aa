//! What a shard has on disk, as plain values.

use std::collections::BTreeMap;

use webpubsub_protocol::client::GroupStateItem;
use webpubsub_protocol::name::GroupName;
use webpubsub_shard::{Change, LogRow, MqttPacket, Snapshot, StoredMessage};
use webpubsub_store::ShardStore;

use crate::sqlite::Sqlite;

/// What keeps what a shard writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskKind {
    /// Plain values.
    Memory,
    /// Plain values, and the store on SQLite beside them: whatever is read is read from both, and is the same.
    Sqlite,
}

/// The disk of a simulated shard.
#[derive(Debug)]
pub(crate) struct Disk {
    /// Everything but the messages.
    pub(crate) snapshot: Snapshot,
    messages: BTreeMap<u64, StoredMessage>,
    database: Option<Sqlite>,
    store: Option<ShardStore<Sqlite>>,
}

impl Disk {
    pub(crate) fn new(kind: DiskKind) -> Self {
        let database = (kind == DiskKind::Sqlite).then(Sqlite::in_memory);
        let store = database.as_ref().map(open);
        Self { snapshot: Snapshot::default(), messages: BTreeMap::new(), database, store }
    }

    /// Writes one change.
    ///
    /// # Panics
    /// If SQLite refuses it.
    pub(crate) fn store(&mut self, change: Change) {
        if let Some(store) = &self.store {
            store.store(&change).expect("a change is written");
        }
        write(change, &mut self.snapshot, &mut self.messages);
    }

    /// Reads everything but the messages, as a shard that starts does.
    ///
    /// # Panics
    /// If SQLite has something else.
    pub(crate) fn load(&mut self) -> Snapshot {
        let Some(database) = &self.database else { return self.snapshot.clone() };
        let store = self.store.insert(open(database));
        let loaded = store.load().expect("a snapshot");
        assert_eq!(database.take_unreadable(), [], "everything can be read");
        assert_eq!(sorted(loaded.clone()), sorted(self.snapshot.clone()), "the store has what was written");
        loaded
    }

    /// Reads the message in a row of the log.
    ///
    /// # Panics
    /// If SQLite has something else.
    pub(crate) fn message(&self, row: u64) -> Option<StoredMessage> {
        let message = self.messages.get(&row).cloned();
        if let Some(store) = &self.store {
            assert!(
                store.message(row).expect("an answer") == message,
                "the store has row {row} as it was written"
            );
        }
        message
    }
}

fn open(database: &Sqlite) -> ShardStore<Sqlite> {
    ShardStore::open(database.clone(), Some("chat".to_owned())).expect("tables")
}

/// Sorts what has no order on a disk.
#[must_use]
pub fn sorted(mut snapshot: Snapshot) -> Snapshot {
    snapshot.connections.sort_by_key(|record| record.slot);
    snapshot.memberships.sort();
    snapshot.subscriptions.sort();
    snapshot.states.sort_by_key(|(group, item)| (item.connection_id.clone(), group.clone()));
    snapshot.permissions.sort_by_key(|(slot, kind, group, _)| (*slot, kind.as_str(), group.clone()));
    snapshot.acks.sort();
    snapshot.streams.sort();
    snapshot.mqtt_sessions.sort();
    snapshot.mqtt_subscriptions.sort();
    snapshot.mqtt_packets.sort();
    snapshot.taken_by.sort();
    snapshot.taken.sort();
    snapshot
}

/// Writes one change, as the slow and obvious model of what a store does.
///
/// # Panics
/// If rows do not have growing ids.
pub fn write(change: Change, disk: &mut Snapshot, messages: &mut BTreeMap<u64, StoredMessage>) {
    match change {
        Change::PutConnection(record) => {
            disk.connections.retain(|other| other.slot != record.slot);
            disk.connections.push(record);
        }
        Change::RemoveConnection(slot) => {
            disk.connections.retain(|record| record.slot != slot);
            disk.memberships.retain(|(member, _)| *member != slot);
            disk.permissions.retain(|(of, ..)| *of != slot);
            disk.acks.retain(|(of, ..)| *of != slot);
        }
        Change::PutStream { slot, number, stream } => {
            disk.streams.retain(|(of, other, _)| (*of, *other) != (slot, number));
            disk.streams.push((slot, number, stream));
        }
        Change::RemoveStream { slot, number } => {
            disk.streams.retain(|(of, other, _)| (*of, *other) != (slot, number));
        }
        Change::Join(slot, group) => disk.memberships.push((slot, group)),
        Change::Leave(slot, group) => {
            disk.memberships.retain(|membership| *membership != (slot, group.clone()));
        }
        Change::State(group, item) => {
            let is_other = |known: &GroupName, other: &GroupStateItem| {
                (known, &other.connection_id) != (&group, &item.connection_id)
            };
            disk.states.retain(|(known, other)| is_other(known, other));
            if item.state.is_some() {
                disk.states.push((group, item));
            }
        }
        Change::UseStates(cleared) => disk.uses_states = Some(cleared),
        Change::Subscribe(slot, group) => disk.subscriptions.push((slot, group)),
        Change::Unsubscribe(slot, group) => {
            disk.subscriptions.retain(|subscription| *subscription != (slot, group.clone()));
        }
        Change::Permit { slot, kind, group, literal } => {
            disk.permissions.retain(|(of, what, to, _)| (*of, *what, to) != (slot, kind, &group));
            disk.permissions.push((slot, kind, group, literal));
        }
        Change::UseAcks { slot, part, acks } => {
            disk.acks.retain(|(of, ..)| *of != slot || part > 0);
            disk.acks.push((slot, part, acks));
        }
        Change::PutMqtt { slot, session } => {
            disk.mqtt_sessions.retain(|(of, _)| *of != slot);
            disk.mqtt_sessions.push((slot, session));
            disk.mqtt_sessions.sort();
        }
        Change::RemoveMqtt(slot) => {
            disk.mqtt_sessions.retain(|(of, _)| *of != slot);
            disk.mqtt_subscriptions.retain(|(of, ..)| *of != slot);
            disk.mqtt_packets.retain(|(of, _)| *of != slot);
        }
        Change::MqttSubscribe { slot, topic, options } => {
            disk.mqtt_subscriptions.retain(|(of, known, _)| (*of, known) != (slot, &topic));
            disk.mqtt_subscriptions.push((slot, topic, options));
        }
        Change::MqttUnsubscribe { slot, topic } => {
            disk.mqtt_subscriptions.retain(|(of, known, _)| (*of, known) != (slot, &topic));
        }
        Change::AddMqttPacket(slot, packet) => {
            if !disk.mqtt_packets.contains(&(slot, packet)) {
                disk.mqtt_packets.push((slot, packet));
            }
        }
        Change::RemoveMqttPacket(slot, packet) => {
            let is_it = |other: MqttPacket| match (packet, other) {
                (MqttPacket::Released(last), MqttPacket::Released(number)) => number <= last,
                (one, other) => one == other,
            };
            disk.mqtt_packets.retain(|(of, other)| *of != slot || !is_it(*other));
        }
        Change::Detach { slot, until } => {
            for record in disk.connections.iter_mut().filter(|record| record.slot == slot) {
                record.detached_until = until;
            }
        }
        Change::Log { row, message, expires, relayed, recipients } => {
            assert!(disk.log.last().is_none_or(|last| last.row < row), "rows have growing ids");
            disk.log.push(LogRow { row, recipients, relayed, bytes: message.len() });
            messages.insert(row, StoredMessage { message, expires });
        }
        Change::Map(map) => disk.map = Some(map),
        Change::TakenBy { shard, row } => {
            disk.taken_by.retain(|(known, _)| *known != shard);
            disk.taken_by.push((shard, row));
        }
        Change::Take { from, row } => {
            disk.taken.retain(|(known, _)| *known != from);
            disk.taken.push((from, row));
        }
        Change::Acknowledge { slot, cursor } => {
            for record in disk.connections.iter_mut().filter(|record| record.slot == slot) {
                record.acknowledged = cursor;
            }
        }
        Change::EventContext { slot, events, state, cookies } => {
            for record in disk.connections.iter_mut().filter(|record| record.slot == slot) {
                record.context.events = events;
                record.context.state.clone_from(&state);
                record.context.cookies.clone_from(&cookies);
            }
        }
        Change::AddEvent { row, event } => {
            assert!(disk.durable_events.last().is_none_or(|(last, _)| *last < row), "rows have growing ids");
            disk.durable_events.push((row, event));
        }
        Change::RemoveEvent { row } => disk.durable_events.retain(|(other, _)| *other != row),
        Change::Settings(settings) => disk.settings = settings,
        Change::DeleteRows { first, last } => {
            disk.log.retain(|row| !(first..=last).contains(&row.row));
            messages.retain(|row, _| !(first..=last).contains(row));
        }
    }
}
