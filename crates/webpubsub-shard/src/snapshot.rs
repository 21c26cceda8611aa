//! What outlives a shard's memory: records on disk, and an attachment on every socket.

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{GroupStateItem, Subprotocol};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;

use crate::ack::{AckCache, Run};
use crate::admission::ConnectRequest;
use crate::buffer::Cursor;
use crate::event_queue::AFTER_CONNECTED;
use crate::mqtt;
use crate::permission::Verdict;
use crate::settings::HubSettings;
use crate::shard_id::ShardId;
use crate::shard_map::ShardMap;
use crate::slot::Slot;
use crate::streams::Progress;

/// Everything that is on disk: the sum of all [`crate::Change`]s.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// One record a slot.
    pub connections: Vec<ConnectionRecord>,
    /// The groups of each connection.
    pub memberships: Vec<(Slot, GroupName)>,
    /// What connections show in groups, those of other shards as well.
    pub states: Vec<(GroupName, GroupStateItem)>,
    /// The latest time at which a connection of this shard cleared a state and went on, 0 where none did; `None`
    /// where none has ever set one.
    pub uses_states: Option<Timestamp>,
    /// Of which groups each connection receives the states.
    pub subscriptions: Vec<(Slot, GroupName)>,
    /// What servers granted and revoked for single groups; `None` overrides a grant of the roles.
    pub permissions: Vec<(Slot, PermissionType, GroupName, Option<Verdict>)>,
    /// The ack ids that reliable connections have used, in parts, those of one connection in their order.
    /// Those of the others are on their sockets.
    pub acks: Vec<(Slot, u32, Vec<u8>)>,
    /// The streams of each connection, by number, as [`Change::PutStream`](crate::Change::PutStream) has them.
    pub streams: Vec<(Slot, u16, String)>,
    /// The MQTT sessions of connections, by slot, as [`Change::PutMqtt`](crate::Change::PutMqtt) has them.
    pub mqtt_sessions: Vec<(Slot, String)>,
    /// What MQTT sessions subscribe to, with the options of it.
    pub mqtt_subscriptions: Vec<(Slot, GroupName, u64)>,
    /// Packets of QoS 2 that are under way.
    pub mqtt_packets: Vec<(Slot, MqttPacket)>,
    /// The log of numbered and of relayed messages, oldest first.
    pub log: Vec<LogRow>,
    /// The map of the hub's shards, if their number was ever changed.
    pub map: Option<ShardMap>,
    /// The last row that each of the other shards is known to have taken.
    pub taken_by: Vec<(ShardId, u64)>,
    /// The last row of each of the other shards' logs that was taken here.
    pub taken: Vec<(ShardId, u64)>,
    /// Durable events, which are yet to be delivered, oldest first.
    pub durable_events: Vec<(u64, String)>,
    /// The hub's settings, if they were ever changed.
    pub settings: Option<HubSettings>,
}

/// A packet of QoS 2 that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MqttPacket {
    /// The client published it under this packet identifier, and has not released it.
    Received(u16),
    /// The client has received the message of this sequence id, and the identifier is released.
    Released(u64),
}

/// What is needed of a row of the log to number what comes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its id.
    pub row: u64,
    /// Who received its message.
    pub recipients: Vec<u8>,
    /// Whether it is for the other shards, too.
    pub relayed: bool,
    /// How long the message is, in bytes.
    pub bytes: usize,
}

/// The message in a row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The message as JSON.
    pub message: String,
    /// When it is not worth sending again.
    pub expires: Option<Timestamp>,
}

/// What does not change while a connection lasts, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// Its number in the shard.
    pub slot: Slot,
    /// Its id.
    pub id: ConnectionId,
    /// Who it acts for.
    pub user: Option<UserId>,
    /// Its role strings.
    pub roles: Vec<String>,
    /// Its subprotocol.
    pub subprotocol: Subprotocol,
    /// What a simple client's frames mean.
    pub mode: SimpleMode,
    /// How far it had acknowledged its messages when that was last written.
    pub acknowledged: Cursor,
    /// When it is given up; `None` while it has a socket.
    pub detached_until: Option<Timestamp>,
    /// What its events carry beside who it is.
    pub context: EventContext,
}

impl ConnectionRecord {
    /// The record of a connection that begins, and the groups that it joins.
    pub(crate) fn begin(
        slot: Slot,
        id: ConnectionId,
        request: ConnectRequest,
        acknowledged: Cursor,
    ) -> (Self, Vec<GroupName>) {
        let context = EventContext {
            origin: request.origin,
            custom_subprotocol: request.custom_subprotocol,
            state: request.state,
            cookies: request.cookies.encode(),
            events: AFTER_CONNECTED,
        };
        let record = Self {
            slot,
            id,
            user: request.user,
            roles: request.roles,
            subprotocol: request.subprotocol,
            mode: request.mode,
            acknowledged,
            detached_until: None,
            context,
        };
        (record, request.groups)
    }
}

/// What the events of a connection carry beside who it is, and what its handlers set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventContext {
    /// The service's host as the client sees it, or several with commas between.
    pub origin: String,
    /// The subprotocol that a handler chose and that the service does not know.
    pub custom_subprotocol: Option<String>,
    /// `ce-connectionState`.
    pub state: Option<String>,
    /// As [`webpubsub_protocol::event_handler::Cookies`] are written.
    pub cookies: String,
    /// The next event's number.
    pub events: u64,
}

/// What a socket carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Which connection's socket it is.
    pub connection: ConnectionId,
    /// When the connection began, where that is known.
    pub(crate) since: Option<Timestamp>,
    /// How far a reliable connection has acknowledged its messages.
    pub(crate) acknowledged: Cursor,
    /// Whether its client may have acknowledged more than that, because a crash lost it.
    pub(crate) is_behind: bool,
    /// A connection that is on no disk, as [`Carried::encode`](crate::carried::Carried::encode) writes it; empty for
    /// one that is.
    pub(crate) carried: Vec<u8>,
    /// The ack ids that a connection has used which is not reliable.
    pub(crate) acks: AckCache,
    /// How far the streams have come of a connection that is not reliable.
    pub(crate) streams: Vec<Progress>,
    /// How far the messages of an MQTT session have come.
    pub(crate) mqtt: mqtt::Progress,
    /// When the last packet of an MQTT client came, or a tenth of its keep-alive before that.
    pub(crate) last_packet: Option<Timestamp>,
}

/// The first byte of an attachment without streams: the layout of the rest.
const FORMAT: u8 = 3;
/// What is added to the first byte where there are streams.
const WITH_STREAMS: u8 = 1;
/// What is added to the first byte where the attachment says since when there is the connection.
const WITH_SINCE: u8 = 2;
/// What is added to the first byte where the attachment has all there is of the connection.
const WITH_RECORD: u8 = 4;
/// What is added to the first byte where messages of an MQTT session wait, or are done out of turn.
const WITH_MQTT: u8 = 8;
/// What is added to the first byte where the attachment says when the last packet of an MQTT client came.
const WITH_LAST_PACKET: u8 = 16;
/// Of the 8 bytes for the first message that waits, the bit that says that it was sent before.
const WAS_SENT: u64 = 1 << 63;

impl Attachment {
    /// Writes the attachment: a format byte, the id's length and the id, row and sequence id of the
    /// cursor in 8 bytes each, 1 in a byte if it is behind, since when there is the connection in 8 bytes if
    /// that is known, the length of the connection's record and groups in 2 bytes and those if no disk has them, the
    /// number of streams in 2 bytes and the streams if there are any, how far the messages of an MQTT session have
    /// come if they wait (the first that does in 8 bytes with a bit for whether it was sent before, the number of those
    /// that are done in 2 bytes, and where each is in 2 bytes), when its last packet came in 8 bytes, then the runs of
    /// ack ids, which an MQTT session has not. At most 14,892 bytes, since a connection with streams is on disk; the platform keeps 16,384.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let id = self.connection.as_str().as_bytes();
        let streams = if self.streams.is_empty() { 0 } else { WITH_STREAMS };
        let record = if self.carried.is_empty() { 0 } else { WITH_RECORD };
        let mqtt = if self.mqtt.is_empty() { 0 } else { WITH_MQTT };
        let last_packet = self.last_packet.map_or(0, |_| WITH_LAST_PACKET);
        let format = FORMAT + streams + self.since.map_or(0, |_| WITH_SINCE) + record + mqtt + last_packet;
        let mut bytes = vec![format, u8::try_from(id.len()).unwrap_or(u8::MAX)];
        bytes.extend(id.iter().take(usize::from(u8::MAX)));
        bytes.extend(self.acknowledged.row.to_le_bytes());
        bytes.extend(self.acknowledged.sequence_id.0.to_le_bytes());
        bytes.push(u8::from(self.is_behind));
        bytes.extend(self.since.map(|since| since.as_millis().to_le_bytes()).into_iter().flatten());
        if !self.carried.is_empty() {
            bytes.extend(u16::try_from(self.carried.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend(&self.carried);
        }
        if !self.streams.is_empty() {
            bytes.extend(u16::try_from(self.streams.len()).unwrap_or(u16::MAX).to_le_bytes());
            for stream in &self.streams {
                stream.encode(&mut bytes);
            }
        }
        if !self.mqtt.is_empty() {
            let was_sent = if self.mqtt.was_sent { WAS_SENT } else { 0 };
            bytes.extend((self.mqtt.waiting | was_sent).to_le_bytes());
            bytes.extend(u16::try_from(self.mqtt.done.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend(self.mqtt.done.iter().flat_map(|at| at.to_le_bytes()));
        }
        bytes.extend(
            self.last_packet.map(|last_packet| last_packet.as_millis().to_le_bytes()).into_iter().flatten(),
        );
        bytes.extend(encode_runs(self.acks.runs()));
        bytes
    }

    /// Reads what [`Attachment::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[format, length], rest) = bytes.split_first_chunk()?;
        let all = WITH_STREAMS + WITH_SINCE + WITH_RECORD + WITH_MQTT + WITH_LAST_PACKET;
        let parts = format.checked_sub(FORMAT).filter(|parts| *parts <= all)?;
        let (id, rest) = rest.split_at_checked(usize::from(length))?;
        let connection = ConnectionId::parse(std::str::from_utf8(id).ok()?).ok()?;
        let (row, rest) = rest.split_first_chunk()?;
        let (sequence_id, rest) = rest.split_first_chunk()?;
        let (is_behind, mut rest) = rest.split_first()?;
        let mut since = None;
        if parts & WITH_SINCE != 0 {
            let (millis, after) = rest.split_first_chunk()?;
            rest = after;
            since = Some(Timestamp::from_millis(u64::from_le_bytes(*millis)));
        }
        let mut carried = Vec::new();
        if parts & WITH_RECORD != 0 {
            let (length, after) = rest.split_first_chunk()?;
            let (record, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            rest = after;
            carried = record.to_owned();
        }
        let mut streams = Vec::new();
        if parts & WITH_STREAMS != 0 {
            let (count, after) = rest.split_first_chunk()?;
            rest = after;
            for _ in 0..u16::from_le_bytes(*count) {
                let (stream, after) = Progress::decode(rest)?;
                streams.push(stream);
                rest = after;
            }
        }
        let mut mqtt = mqtt::Progress::default();
        if parts & WITH_MQTT != 0 {
            let (waiting, after) = rest.split_first_chunk()?;
            let (count, after) = after.split_first_chunk()?;
            rest = after;
            let waiting = u64::from_le_bytes(*waiting);
            (mqtt.waiting, mqtt.was_sent) = (waiting & !WAS_SENT, waiting & WAS_SENT != 0);
            for _ in 0..u16::from_le_bytes(*count) {
                let (at, after) = rest.split_first_chunk()?;
                mqtt.done.push(u16::from_le_bytes(*at));
                rest = after;
            }
        }
        let mut last_packet = None;
        if parts & WITH_LAST_PACKET != 0 {
            let (millis, after) = rest.split_first_chunk()?;
            rest = after;
            last_packet = Some(Timestamp::from_millis(u64::from_le_bytes(*millis)));
        }
        let sequence_id = SequenceId(u64::from_le_bytes(*sequence_id));
        let acknowledged = Cursor { row: u64::from_le_bytes(*row), sequence_id };
        let acks = AckCache::from_runs(decode_runs(rest)?);
        let is_behind = *is_behind != 0;
        Some(Self { connection, since, acknowledged, is_behind, carried, acks, streams, mqtt, last_packet })
    }
}

/// Writes ack ids, 10 bytes for each run of successive ones: the first in 8 bytes, the length in 2.
pub(crate) fn encode_runs(runs: impl IntoIterator<Item = Run>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in runs {
        bytes.extend(run.first.to_le_bytes());
        bytes.extend(run.length.to_le_bytes());
    }
    bytes
}

/// Reads what [`encode_runs`] wrote; `None` for anything else.
pub(crate) fn decode_runs(mut bytes: &[u8]) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    while let Some((first, after)) = bytes.split_first_chunk() {
        let (length, after) = after.split_first_chunk()?;
        runs.push(Run { first: u64::from_le_bytes(*first), length: u16::from_le_bytes(*length) });
        bytes = after;
    }
    bytes.is_empty().then_some(runs)
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::id::AckId;

    use super::*;
    use crate::shard_id::ShardId;

    #[test]
    fn the_largest_attachment_fits_its_socket() {
        let connection = ShardId(3).connection_id([9; 16]);
        let acknowledged = Cursor { row: 1 << 40, sequence_id: SequenceId(7) };
        let mut attachment = Attachment {
            connection,
            since: None,
            acknowledged,
            is_behind: true,
            carried: vec![],
            acks: AckCache::default(),
            streams: vec![],
            mqtt: mqtt::Progress::default(),
            last_packet: None,
        };
        assert_eq!(Attachment::decode(&attachment.encode()).as_ref(), Some(&attachment));
        attachment.last_packet = Some(Timestamp::from_millis(8));
        assert_eq!(Attachment::decode(&attachment.encode()).as_ref(), Some(&attachment));
        attachment.mqtt = mqtt::Progress { waiting: 9, was_sent: true, done: (0..1100).collect() };
        assert_eq!(Attachment::decode(&attachment.encode()).as_ref(), Some(&attachment));
        (attachment.mqtt, attachment.last_packet) = (mqtt::Progress::default(), None);
        for id in 0..1000 {
            attachment.acks.insert(AckId(u64::MAX - id * 3));
        }
        let mut bytes = attachment.encode();
        assert!(bytes.len() <= 10_274);
        for number in 0..=255 {
            let (stream, _) = Progress::decode(&[[number, 7].as_slice(), &[9; 16]].concat()).unwrap();
            attachment.streams.push(stream);
        }
        assert_eq!(Attachment::decode(&bytes).unwrap().streams, []);
        bytes = attachment.encode();
        assert!(bytes.len() <= 14_884);
        assert_eq!(Attachment::decode(&bytes).as_ref(), Some(&attachment));
        attachment.since = Some(Timestamp::from_millis(u64::MAX));
        assert_eq!(attachment.encode().len(), bytes.len() + 8);
        assert_eq!(Attachment::decode(&attachment.encode()), Some(attachment.clone()));
        attachment.streams.clear();
        attachment.carried = vec![7; 2048];
        assert!(attachment.encode().len() <= 14_892);
        assert_eq!(Attachment::decode(&attachment.encode()), Some(attachment));
        for broken in [
            &[][..],
            &[3],
            &[2, 0],
            &[11, 1],
            &[3, 5, b'a'],
            &[3, 1, b'a', 0],
            bytes.get(..bytes.len() - 1).unwrap(),
        ] {
            assert_eq!(Attachment::decode(broken), None);
        }
    }
}
