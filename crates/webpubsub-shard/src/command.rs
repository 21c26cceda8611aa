//! What servers ask of a hub, and what a shard answers.

use webpubsub_protocol::client::Origin;
use webpubsub_protocol::data::{MessageData, Metadata, TimeToLive};
use webpubsub_protocol::filter::Filter;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::rest::Member;
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::sorted::SortedSet;

use crate::connections::Connections;
use crate::slot::Slot;

/// A server's request to one shard. What it means is in docs/spec/rest.md#sending-and-closing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Deliver a message; [`Reply::Done`] also where no connection matches.
    Send {
        /// To whom.
        to: Selection,
        /// What.
        data: MessageData,
        /// What rides beside it.
        metadata: Metadata,
        /// How long undelivered copies are worth keeping.
        ttl: TimeToLive,
    },
    /// End connections for good; [`Reply::Done`] whether or not there are any.
    Close {
        /// Which.
        to: Selection,
        /// The reason that the clients receive.
        reason: Option<String>,
    },
    /// Make connections members of groups; [`Reply::NotFound`] if there are no such connections, and
    /// [`Reply::Conflict`], with nothing changed, if one of them would be in too many.
    Join {
        /// Which.
        to: Selection,
        /// Of what.
        groups: Vec<GroupName>,
    },
    /// End memberships; [`Reply::Done`] whether or not there were any.
    Leave {
        /// Which connection.
        to: Selection,
        /// In what.
        groups: Groups,
    },
    /// Is there at least one connection? [`Reply::Done`] or [`Reply::NotFound`].
    Exists(Target),
    /// Allow a connection something; [`Reply::NotFound`] or [`Reply::Conflict`] if that cannot be.
    Grant(Permission),
    /// Forbid a connection something; [`Reply::Conflict`] if that cannot be.
    Revoke(Permission),
    /// May a connection do something? [`Reply::Done`] or [`Reply::NotFound`].
    Allowed(Permission),
    /// The members of a group by connection id; [`Reply::Members`].
    Members {
        /// The group.
        group: GroupName,
        /// Only those after this one.
        after: Option<ConnectionId>,
        /// At most this many.
        limit: usize,
    },
}

/// Which connections a command means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The connections to pick from.
    pub target: Target,
    /// Connections that are left out.
    pub excluded: Vec<ConnectionId>,
    /// A filter that the others have to match.
    pub filter: Option<Filter>,
}

impl From<Target> for Selection {
    fn from(target: Target) -> Self {
        Self { target, excluded: Vec::new(), filter: None }
    }
}

/// Connections that have something in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Every connection of the hub.
    All,
    /// Every member of a group.
    Group(GroupName),
    /// Every connection of a user.
    User(UserId),
    /// This one.
    Connection(ConnectionId),
}

/// Which memberships a command ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// Those in any group.
    All,
    /// Those in these.
    These(Vec<GroupName>),
}

/// What one connection may do to one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The connection.
    pub connection: ConnectionId,
    /// What.
    pub kind: PermissionType,
    /// To which group, by its literal name.
    pub group: GroupName,
}

/// The answer to a [`Command`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is done, or it is so.
    Done,
    /// There is no such thing here.
    NotFound,
    /// A connection has too many permissions of its own, or would be in too many groups.
    Conflict,
    /// Members of a group, by connection id.
    Members(Vec<Member>),
}

impl Target {
    /// Where a message that a server sends here comes from, as its receivers see it.
    ///
    /// Source: docs/spec/rest.md#sending-and-closing.
    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::Group(group) => Origin::Group { group: group.clone(), from_user: None },
            Self::All | Self::User(_) | Self::Connection(_) => Origin::Server,
        }
    }

    /// The connections meant that are on this shard.
    pub(crate) fn slots(&self, connections: &Connections) -> Vec<Slot> {
        match self {
            Self::All => connections.slots(&|_| true),
            Self::Group(group) => connections.members(group).collect(),
            Self::User(user) => connections.connections_of(user).collect(),
            Self::Connection(id) => connections.find(id).into_iter().collect(),
        }
    }

    /// Whether any connection meant is on this shard.
    pub(crate) fn is_here(&self, connections: &Connections) -> bool {
        match self {
            Self::All => connections.len() > 0,
            Self::Group(group) => connections.members(group).next().is_some(),
            Self::User(user) => connections.connections_of(user).next().is_some(),
            Self::Connection(id) => connections.find(id).is_some(),
        }
    }
}

impl Selection {
    /// The connections meant that are on this shard.
    pub(crate) fn slots(&self, connections: &Connections) -> Vec<Slot> {
        let mut slots = self.target.slots(connections);
        if !self.excluded.is_empty() {
            let left_out: SortedSet<Slot> =
                self.excluded.iter().filter_map(|id| connections.find(id)).collect();
            slots.retain(|slot| !left_out.contains(slot));
        }
        if let Some(filter) = &self.filter {
            slots.retain(|slot| connections.get(*slot).is_some_and(|connection| connection.matches(filter)));
        }
        slots
    }
}

impl Reply {
    pub(crate) const fn found(found: bool) -> Self {
        if found { Self::Done } else { Self::NotFound }
    }
}
