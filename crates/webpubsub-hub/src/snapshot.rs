//! What outlives the hub's memory: records on disk, and a little on every socket.

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::role::PermissionType;

use crate::ack::{AckCache, Run};
use crate::connection::Slot;
use crate::permission::Verdict;

/// Everything that is on disk: the sum of all [`crate::Change`]s.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// One record a slot.
    pub connections: Vec<ConnectionRecord>,
    /// Who is a member of what.
    pub memberships: Vec<(Slot, GroupName)>,
    /// What servers said of single groups; `None` undoes what the connection's roles said.
    pub permissions: Vec<(Slot, PermissionType, GroupName, Option<Verdict>)>,
    /// Rows and recipients of the log of numbered messages, oldest first.
    pub log: Vec<(u64, Vec<u8>)>,
}

/// What does not change while a connection lasts, and the base of its sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// Its place.
    pub slot: Slot,
    /// Its id.
    pub id: ConnectionId,
    /// Who it acts for.
    pub user: Option<UserId>,
    /// Its role strings.
    pub roles: Vec<String>,
    /// How it speaks.
    pub subprotocol: Subprotocol,
    /// What a simple client's frames mean.
    pub mode: SimpleMode,
    /// The row of the log that `received` was counted at.
    pub row: u64,
    /// How many numbered messages it had received by then.
    pub received: u64,
}

/// What a socket carries: whose it is, and the ack ids used on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Whose socket it is.
    pub connection: ConnectionId,
    pub(crate) acks: AckCache,
}

/// The first byte of an attachment: the layout of the rest.
const FORMAT: u8 = 1;

impl Attachment {
    /// What a socket carries before its first ack.
    #[must_use]
    pub fn new(connection: ConnectionId) -> Self {
        Self { connection, acks: AckCache::default() }
    }

    /// Writes the attachment: a format byte, the id's length and the id, then 10 bytes for each run
    /// of ack ids. At most 10,257 bytes; the platform keeps 16,384.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let id = self.connection.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(2 + id.len() + 10 * self.acks.runs().len());
        bytes.push(FORMAT);
        bytes.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
        bytes.extend(id.iter().take(usize::from(u8::MAX)));
        for run in self.acks.runs() {
            bytes.extend(run.first.to_le_bytes());
            bytes.extend(run.length.to_le_bytes());
        }
        bytes
    }

    /// Reads what [`Attachment::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[format, length], rest) = bytes.split_first_chunk()?;
        if format != FORMAT {
            return None;
        }
        let (id, mut rest) = rest.split_at_checked(usize::from(length))?;
        let connection = ConnectionId::parse(std::str::from_utf8(id).ok()?).ok()?;
        let mut runs = Vec::new();
        while let Some((first, after)) = rest.split_first_chunk() {
            let (length, after) = after.split_first_chunk()?;
            runs.push(Run { first: u64::from_le_bytes(*first), length: u16::from_le_bytes(*length) });
            rest = after;
        }
        rest.is_empty().then(|| Self { connection, acks: AckCache::from_runs(runs) })
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::id::AckId;

    use super::*;
    use crate::placement::ShardNumber;

    #[test]
    fn an_attachment_survives_on_its_socket_and_fits_it_at_its_largest() {
        let mut attachment = Attachment::new(ShardNumber(3).connection_id([9; 16]));
        assert_eq!(Attachment::decode(&attachment.encode()).as_ref(), Some(&attachment));
        for id in 0..1000 {
            attachment.acks.insert(AckId(u64::MAX - id * 3));
        }
        let bytes = attachment.encode();
        assert!(bytes.len() <= 10_257);
        assert_eq!(Attachment::decode(&bytes), Some(attachment));
        for broken in [&[][..], &[1], &[2, 0], &[1, 5, b'a'], bytes.get(..bytes.len() - 1).unwrap()] {
            assert_eq!(Attachment::decode(broken), None);
        }
    }
}
