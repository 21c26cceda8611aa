use webpubsub_protocol::client::{DataFrame, Frame};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::role::PermissionType;

use crate::command::Reply;
use crate::connection::Slot;
use crate::permission::Verdict;
use crate::placement::{Full, ShardNumber};
use crate::relay::Batch;
use crate::snapshot::{Attachment, ConnectionRecord};

/// What the hub wants done, in the order of the list and without waiting in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Accept the socket of an [`crate::Input::Connect`] and know it by this slot from here on.
    Accept {
        /// Whose socket.
        connection: ConnectionId,
        /// Its place in this shard, until [`Output::Close`] or [`Output::Forget`].
        slot: Slot,
    },
    /// Do not accept the socket of an [`crate::Input::Connect`].
    Refuse(Full),
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
    /// Send a close frame and know the socket no more.
    Close {
        /// Which.
        slot: Slot,
        /// Its code and text.
        cause: CloseCause,
    },
    /// Know the socket no more: it is gone.
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
    /// Send a batch to another shard and tell how it went with [`crate::Input::Relayed`].
    Relay {
        /// To which.
        to: ShardNumber,
        /// What.
        batch: Batch,
    },
}

/// One change of what outlives the hub's memory; see [`crate::Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Add or replace the record of a slot.
    PutConnection(ConnectionRecord),
    /// Delete a slot's record and its memberships.
    RemoveConnection(Slot),
    /// Add a membership.
    Join(Slot, GroupName),
    /// Delete a membership.
    Leave(Slot, GroupName),
    /// Note what a server said of one group for a connection; `None` undoes what its roles said.
    Permit {
        /// Whose.
        slot: Slot,
        /// What it may do.
        kind: PermissionType,
        /// To which group.
        group: GroupName,
        /// Whether it may.
        literal: Option<Verdict>,
    },
    /// Add a row to the log of numbered messages.
    Log {
        /// Its id: larger than all before.
        row: u64,
        /// Who received a numbered message: bit `slot % 8` of byte `slot / 8`.
        recipients: Vec<u8>,
    },
    /// Write how many numbered messages a slot has received up to and including a row of the log.
    Rebase {
        /// Whose.
        slot: Slot,
        /// The row.
        row: u64,
        /// How many.
        received: u64,
    },
    /// Delete the log's rows up to and including this one.
    TrimLog(u64),
}
