//! What servers ask of a hub, carried out on this shard's connections.

use webpubsub_protocol::client::Origin;
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};

use crate::connection::Slot;
use crate::directory::Directory;

/// A server's request to one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Deliver a message. Answered by [`Reply::Accepted`], whether or not anybody is there.
    Send {
        /// To whom.
        to: Target,
        /// Connections that are left out.
        excluded: Vec<ConnectionId>,
        /// What.
        data: MessageData,
        /// What rides beside it.
        metadata: Metadata,
    },
    /// Is there at least one connection? Answered by [`Reply::Exists`].
    Exists(Target),
}

/// Which connections a command means.
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

/// The answer to a [`Command`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It is done, or will be whatever happens.
    Accepted,
    /// Whether this shard has such a connection.
    Exists(bool),
}

impl Target {
    /// Where a message that a server sends here comes from, as its receivers see it.
    ///
    /// Source: REST spec, section 3.
    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::Group(group) => Origin::Group { group: group.clone(), from_user: None },
            Self::All | Self::User(_) | Self::Connection(_) => Origin::Server,
        }
    }

    /// The connections meant that are on this shard.
    pub(crate) fn slots(&self, directory: &Directory) -> Vec<Slot> {
        match self {
            Self::All => directory.iter().map(|(slot, _)| slot).collect(),
            Self::Group(group) => directory.members(group).collect(),
            Self::User(user) => directory.connections_of(user).collect(),
            Self::Connection(id) => directory.find(id).into_iter().collect(),
        }
    }

    /// Whether any connection meant is on this shard.
    pub(crate) fn is_here(&self, directory: &Directory) -> bool {
        match self {
            Self::All => directory.len() > 0,
            Self::Group(group) => directory.members(group).next().is_some(),
            Self::User(user) => directory.connections_of(user).next().is_some(),
            Self::Connection(id) => directory.find(id).is_some(),
        }
    }
}
