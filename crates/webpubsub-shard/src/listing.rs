//! What an operator sees of a shard's connections and groups.

use webpubsub_protocol::filter::Filter;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::role::GroupPattern;
use webpubsub_protocol::time::Timestamp;

use crate::slot::Slot;

/// How many connections one request looks at, so that it keeps its shard busy for a bounded time.
pub const MAX_LOOKED_AT: usize = 4_000;

/// Which connections are wanted: those that match everything that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionQuery {
    /// The user that they act for.
    pub user: Option<UserId>,
    /// A group that they are members of.
    pub group: Option<GroupName>,
    /// How their ids begin; empty for all.
    pub id_prefix: String,
    /// A filter as servers send it.
    pub filter: Option<Filter>,
}

/// Some of a shard's connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionPage<'a> {
    /// The connections, by slot.
    pub connections: Vec<ConnectionView<'a>>,
    /// Where the next page begins; `None` where there is nothing more to look at.
    pub next: Option<Slot>,
}

/// A connection as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionView<'a> {
    /// Its id.
    pub id: &'a ConnectionId,
    /// Who it acts for.
    pub user: Option<&'a UserId>,
    /// Its subprotocol, if it has one that the service speaks.
    pub subprotocol: Option<&'static str>,
    /// When it connected; `None` where that is not known.
    pub since: Option<Timestamp>,
    /// Whether it has a socket.
    pub is_attached: bool,
    /// Its groups, by name.
    pub groups: &'a [GroupName],
    /// Messages that it was sent and has not acknowledged; 0 unless it is reliable.
    pub unacknowledged: usize,
    /// Bytes of the same.
    pub unacknowledged_bytes: usize,
    /// Bytes that waited on its socket when that was last measured.
    pub unread_bytes: u64,
    /// Frames that it sent and that are yet to be carried out.
    pub waiting_frames: usize,
    /// Streams that it has open.
    pub streams: usize,
    /// What it may send to.
    pub send_to_group: PermissionView<'a>,
    /// What it may join and leave.
    pub join_leave_group: PermissionView<'a>,
}

/// The groups that one type of permission covers: all of them or those of the patterns, but for the denied ones,
/// and the allowed ones besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionView<'a> {
    /// Whether it covers every group.
    pub all: bool,
    /// Patterns of groups that it covers.
    pub patterns: &'a [GroupPattern],
    /// Single groups that it covers.
    pub allowed: &'a [GroupName],
    /// Single groups that it does not cover.
    pub denied: &'a [GroupName],
}
