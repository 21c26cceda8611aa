//! What follows from an input.

use std::time::Duration;

use webpubsub_protocol::client::{DataFrame, Frame, GroupStateItem, Subprotocol};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;

use crate::buffer::Cursor;
use crate::command::Reply;
use crate::config::Full;
use crate::event_queue::{Call, CallId};
use crate::permission::Verdict;
use crate::settings::HubSettings;
use crate::shard_id::ShardId;
use crate::shard_map::ShardMap;
use crate::slot::Slot;
use crate::snapshot::{Attachment, ConnectionRecord, MqttPacket};
use crate::trace::WatcherId;

/// What the host has to do, in the order of the list and without waiting in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Accept the socket of an [`crate::Input::Connect`] or [`crate::Input::Recover`] and know it by
    /// this slot from here on.
    Accept {
        /// Which connection's socket.
        connection: ConnectionId,
        /// Its subprotocol.
        subprotocol: Subprotocol,
        /// Its number in this shard, until [`Output::Close`] or [`Output::Forget`].
        slot: Slot,
    },
    /// Send a text to an operator who watches.
    Trace {
        /// Who.
        to: WatcherId,
        /// The text.
        frame: String,
    },
    /// Close the socket of an operator who watched.
    EndTrace {
        /// Who.
        watcher: WatcherId,
        /// Why.
        cause: CloseCause,
    },
    /// Log how many roles of the connection just accepted are invalid, or above the limit.
    SkippedRoles(usize),
    /// Do not accept the socket of an [`crate::Input::Connect`].
    Refuse(Full),
    /// Do not accept the socket of an [`crate::Input::Recover`]: there is no such connection.
    CannotRecover,
    /// Send one frame to many sockets.
    Send {
        /// To which.
        to: Vec<Slot>,
        /// The same frame for all of them.
        frame: Frame,
    },
    /// Send one data message to many sockets, each with a number of its own.
    SendNumbered {
        /// To which, with which sequence id.
        to: Vec<(Slot, SequenceId)>,
        /// The message but for the number.
        frame: DataFrame,
    },
    /// Read a row of the log and give it back at once, with [`crate::Input::Fetched`].
    Fetch {
        /// Which row.
        row: u64,
        /// Who needs it, under which number.
        to: Vec<(Slot, SequenceId)>,
    },
    /// Measure how many bytes wait on these sockets for their clients to read, and report them at once, with
    /// [`crate::Input::Measured`].
    Measure {
        /// Which; some may stand there twice.
        slots: Vec<Slot>,
    },
    /// Send a close frame and forget the socket.
    Close {
        /// Which.
        slot: Slot,
        /// Its code and text.
        cause: CloseCause,
    },
    /// Know the socket of one slot by another from here on, which has none.
    Rename {
        /// Which it was known by.
        from: Slot,
        /// Which it is known by.
        to: Slot,
    },
    /// Forget the socket: it is gone.
    Forget {
        /// Which.
        slot: Slot,
    },
    /// Keep this on the socket, where hibernation does not reach it.
    Attach {
        /// On which.
        slot: Slot,
        /// What.
        attachment: Attachment,
    },
    /// Write this to disk before anything after it leaves.
    Store(Change),
    /// The answer to the [`crate::Input::Command`] that this list belongs to.
    Reply(Reply),
    /// The batch of the [`crate::Input::Batch`] that this list belongs to is taken, now or before.
    BatchTaken,
    /// Call an event handler, and report the result with [`crate::Input::Called`].
    Call(Box<Call>),
    /// Wait for the end of a call no longer than `after`: [`crate::Input::Called`] follows in any case, with
    /// [`CallFailure::GivenUp`] where there was no answer until then.
    GiveUp {
        /// Which.
        call: CallId,
        /// How much longer, from now.
        after: Duration,
    },
    /// Log that an event was not delivered, and will not be.
    EventFailed {
        /// Which connection's event it is.
        connection: ConnectionId,
        /// The event's name.
        event: String,
        /// Why.
        failure: CallFailure,
    },
    /// Send rows of the log to another shard, as a [`crate::Batch`], and report the result with
    /// [`crate::Input::Relayed`].
    Relay {
        /// To which.
        to: ShardId,
        /// Which rows, oldest first; at least one.
        rows: Vec<u64>,
    },
}

impl Output {
    /// What it costs, in messages of the smallest kind: a frame to one receiver and a write cost as much as
    /// one, anything else nothing.
    pub(crate) fn cost(&self) -> usize {
        if let Self::Send { to, .. } = self {
            to.len()
        } else if let Self::SendNumbered { to, .. } = self {
            to.len()
        } else {
            usize::from(self.is_store())
        }
    }

    /// Whether something is to be written.
    pub(crate) const fn is_store(&self) -> bool {
        matches!(self, Self::Store(_))
    }
}

/// One change of what outlives the shard's memory; see [`crate::Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Add or replace the record of a slot.
    PutConnection(ConnectionRecord),
    /// Delete a slot's record, memberships, permissions and ack ids.
    RemoveConnection(Slot),
    /// Add a membership.
    Join(Slot, GroupName),
    /// Delete a membership.
    Leave(Slot, GroupName),
    /// Write what a connection of any shard shows in a group, or delete it where the item has no state.
    State(GroupName, GroupStateItem),
    /// Write that a connection of this shard has set a state, and the latest time at which one that went on has
    /// cleared one; 0 where none has.
    UseStates(Timestamp),
    /// Write that a connection is subscribed to a group's states.
    Subscribe(Slot, GroupName),
    /// Delete that.
    Unsubscribe(Slot, GroupName),
    /// Write that a server granted or revoked a permission; `None` overrides a grant of the roles.
    Permit {
        /// Which connection.
        slot: Slot,
        /// What it may do.
        kind: PermissionType,
        /// To which group.
        group: GroupName,
        /// Whether it may.
        literal: Option<Verdict>,
    },
    /// Write ack ids that a reliable connection has used; see [`crate::Snapshot::acks`].
    UseAcks {
        /// Which connection.
        slot: Slot,
        /// Which part of them; 0 replaces all parts.
        part: u32,
        /// Those of this part.
        acks: Vec<u8>,
    },
    /// Add or replace a stream.
    PutStream {
        /// Which connection's.
        slot: Slot,
        /// Its number among those of the connection.
        number: u16,
        /// A JSON list of texts: id, group, `noEcho` or empty, idle time in milliseconds, next fragment, and when it
        /// was last active in milliseconds since 1970.
        stream: String,
    },
    /// Delete a stream.
    RemoveStream {
        /// Which connection's.
        slot: Slot,
        /// Its number among those of the connection.
        number: u16,
    },
    /// Add or replace what an MQTT session is beside its connection.
    PutMqtt {
        /// Which connection's.
        slot: Slot,
        /// A JSON object.
        session: String,
    },
    /// Delete a slot's MQTT session, its subscriptions and its packets.
    RemoveMqtt(Slot),
    /// Add or replace a subscription of an MQTT session.
    MqttSubscribe {
        /// Which connection's.
        slot: Slot,
        /// To what.
        topic: GroupName,
        /// Its QoS, its flags and its identifier, below 2^53.
        options: u64,
    },
    /// Delete a subscription of an MQTT session.
    MqttUnsubscribe {
        /// Which connection's.
        slot: Slot,
        /// To what.
        topic: GroupName,
    },
    /// Write that a packet of QoS 2 is under way.
    AddMqttPacket(Slot, MqttPacket),
    /// Delete that: of received ones this one, of released ones all up to this one.
    RemoveMqttPacket(Slot, MqttPacket),
    /// Write when a reliable connection without a socket is given up; `None` once it has one.
    Detach {
        /// Which connection.
        slot: Slot,
        /// When.
        until: Option<Timestamp>,
    },
    /// Add a row to the log of numbered and relayed messages.
    Log {
        /// Its id: larger than all before.
        row: u64,
        /// The message as JSON.
        message: String,
        /// When it is not worth sending again.
        expires: Option<Timestamp>,
        /// Whether it is for the other shards, too.
        relayed: bool,
        /// Who received it: bit `slot % 8` of byte `slot / 8`.
        recipients: Vec<u8>,
    },
    /// Write the map of the hub's shards.
    Map(ShardMap),
    /// Write that another shard has taken every relayed row up to this one.
    TakenBy {
        /// Which shard.
        shard: ShardId,
        /// A row of this shard's log.
        row: u64,
    },
    /// Write that every row up to this one of another shard's log was taken.
    Take {
        /// Which shard's.
        from: ShardId,
        /// The row.
        row: u64,
    },
    /// Write how far a reliable connection has acknowledged its messages.
    Acknowledge {
        /// Which connection.
        slot: Slot,
        /// How far.
        cursor: Cursor,
    },
    /// Write how many events a connection has had, and the state and cookies that its handlers set.
    EventContext {
        /// Which connection.
        slot: Slot,
        /// The next event's number.
        events: u64,
        /// `ce-connectionState`.
        state: Option<String>,
        /// As [`webpubsub_protocol::event_handler::Cookies`] are written.
        cookies: String,
    },
    /// Write a durable event, which is to be delivered; see [`crate::Snapshot::durable_events`].
    AddEvent {
        /// Its row: larger than all before.
        row: u64,
        /// The event.
        event: String,
    },
    /// Delete a durable event, which was delivered or will not be.
    RemoveEvent {
        /// Its row.
        row: u64,
    },
    /// Write the hub's settings; `None` for those of the configuration.
    Settings(Option<HubSettings>),
    /// Delete rows of the log.
    DeleteRows {
        /// The first row.
        first: u64,
        /// The last row.
        last: u64,
    },
}
