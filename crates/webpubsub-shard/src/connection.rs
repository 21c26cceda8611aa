//! One client, as long as its connection lasts.

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Encoding, Subprotocol};
use webpubsub_protocol::filter::{Filter, FilterSubject};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::sorted::SortedSet;

use crate::ack::AckCache;
use crate::backpressure::Backlog;
use crate::permission::Permissions;
use crate::rate_limit::TokenBucket;
use crate::reliable::{Buffer, Link};
use crate::slot::Slot;
use crate::snapshot::EventContext;
use crate::turn::Inbox;

/// One client, as long as its connection lasts.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) user: Option<UserId>,
    pub(crate) permissions: Permissions,
    pub(crate) subprotocol: Subprotocol,
    pub(crate) framing: Framing,
    /// What it was sent and has not acknowledged; only on reliable subprotocols.
    pub(crate) buffer: Option<Buffer>,
    /// Groups that it is a member of; the directory has the same the other way round.
    pub(crate) groups: SortedSet<GroupName>,
    pub(crate) acks: AckCache,
    pub(crate) bucket: TokenBucket,
    pub(crate) backlog: Backlog,
    /// What it sent and is yet to be carried out.
    pub(crate) inbox: Inbox,
    pub(crate) context: EventContext,
    /// Where its event handlers' lane is, if anything waits in it.
    pub(crate) event_queue: Option<Slot>,
}

impl Connection {
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
}

/// How a connection speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Raw payloads.
    Simple(SimpleMode),
    /// Messages, written like this.
    Messages(Encoding),
}

impl Framing {
    pub(crate) fn new(subprotocol: Subprotocol, mode: SimpleMode) -> Self {
        subprotocol.encoding().map_or(Self::Simple(mode), Self::Messages)
    }
}
