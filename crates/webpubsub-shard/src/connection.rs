//! One client, as long as its connection lasts.

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::event_handler::Physical;
use webpubsub_protocol::filter::{Filter, FilterSubject};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::sorted::SortedSet;
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::backpressure::Backlog;
use crate::buffer::{Buffer, Cursor, Link};
use crate::carried::Carried;
use crate::framing::Framing;
use crate::inbox::Inbox;
use crate::mqtt::{MqttSession, Progress};
use crate::permission::Permissions;
use crate::rate_limit::TokenBucket;
use crate::slot::Slot;
use crate::snapshot::{Attachment, ConnectionRecord, EventContext};
use crate::streams::Streams;

/// One client, as long as its connection lasts.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) user: Option<UserId>,
    /// When it connected, as far as that is known: its socket carries it.
    pub(crate) since: Option<Timestamp>,
    pub(crate) permissions: Permissions,
    pub(crate) subprotocol: Subprotocol,
    pub(crate) framing: Framing,
    /// What it was sent and has not acknowledged; only on reliable subprotocols.
    pub(crate) buffer: Option<Box<Buffer>>,
    /// Groups that it is a member of; `Connections` has the same by group.
    pub(crate) groups: SortedSet<GroupName>,
    pub(crate) acks: AckCache,
    pub(crate) bucket: TokenBucket,
    pub(crate) backlog: Backlog,
    /// What it sent and is yet to be carried out.
    pub(crate) inbox: Inbox,
    pub(crate) context: EventContext,
    /// Its record, where its socket carries that and no disk has it.
    pub(crate) carried: Option<Carried>,
    /// Its event queue, while events wait in it.
    pub(crate) event_queue: Option<Slot>,
    /// The streams that it has open, once it has opened one.
    pub(crate) streams: Option<Box<Streams>>,
    /// Its MQTT session, if it has one.
    pub(crate) mqtt: Option<Box<MqttSession>>,
}

impl Connection {
    pub(crate) fn of(record: ConnectionRecord, buffer: Option<Buffer>, acks: AckCache) -> Self {
        Self {
            id: record.id,
            user: record.user,
            since: None,
            permissions: Permissions::from_roles(record.roles.iter().map(String::as_str)),
            subprotocol: record.subprotocol,
            framing: Framing::new(record.subprotocol, record.mode),
            buffer: buffer.map(Box::new),
            groups: SortedSet::new(),
            acks,
            bucket: TokenBucket::default(),
            backlog: Backlog::default(),
            inbox: Inbox::default(),
            context: record.context,
            carried: None,
            event_queue: None,
            streams: None,
            mqtt: None,
        }
    }

    /// The socket of an MQTT client, as events name it.
    pub(crate) fn physical(&self) -> Option<Physical> {
        let session = self.mqtt.as_ref()?;
        Some(Physical { connection: session.physical.clone(), session: Some(session.id.clone()) })
    }

    /// What its socket carries.
    pub(crate) fn attachment(&self) -> Attachment {
        let (acknowledged, is_behind, acks, streams) = match &self.buffer {
            // Its acks and streams are on disk.
            Some(buffer) => (buffer.acknowledged(), buffer.is_behind(), AckCache::default(), Vec::new()),
            None => {
                let streams = self.streams.as_ref().map(|streams| streams.progress()).unwrap_or_default();
                (Cursor { row: 0, sequence_id: SequenceId(0) }, false, self.acks.clone(), streams)
            }
        };
        let carried = self.carried.as_ref().map(|carried| carried.encode(&self.groups)).unwrap_or_default();
        let mqtt = self
            .mqtt
            .as_ref()
            .map_or_else(Progress::default, |session| session.outgoing.progress(acknowledged.sequence_id));
        let last_packet = self.mqtt.as_ref().map(|session| session.last);
        let (connection, since) = (self.id.clone(), self.since);
        Attachment { connection, since, acknowledged, is_behind, carried, acks, streams, mqtt, last_packet }
    }

    /// Whether it has a socket.
    pub(crate) fn is_attached(&self) -> bool {
        self.buffer.as_ref().is_none_or(|buffer| buffer.link == Link::Attached)
    }

    /// Whether a server's filter picks it.
    pub(crate) fn matches(&self, filter: &Filter) -> bool {
        filter.matches(&FilterSubject {
            user_id: self.user.as_ref().map(UserId::as_str),
            connection_id: self.id.as_str(),
            groups: &self.groups,
            protocol: self.subprotocol.name(),
        })
    }

    /// Continues from what its socket carries.
    pub(crate) fn resume(&mut self, socket: Attachment) {
        self.since = socket.since;
        match &mut self.buffer {
            Some(buffer) => {
                buffer.resume(socket.acknowledged, socket.is_behind);
                if let Some(session) = &mut self.mqtt {
                    session.carried = Some(socket.mqtt);
                    if let Some(last_packet) = socket.last_packet {
                        session.resume_keep_alive(last_packet);
                    }
                }
            }
            None => {
                self.acks = socket.acks;
                if let Some(streams) = &mut self.streams {
                    streams.resume(&socket.streams);
                }
            }
        }
    }
}
