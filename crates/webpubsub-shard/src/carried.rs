//! What a socket carries of a connection that is on no disk.
//!
//! A connection that is not reliable ends with its socket. Where the hub has no event handler to which its end would
//! be due after a crash, nothing asks for it once the memory and the socket are gone, so it needs no row: the socket
//! carries all of it through hibernation, as long as that is little.

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::json::{Json, Writer};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::sorted::SortedSet;

use crate::buffer::Cursor;
use crate::event_queue::AFTER_CONNECTED;
use crate::slot::Slot;
use crate::snapshot::{Attachment, ConnectionRecord, EventContext};

/// How many bytes of a connection its socket carries at most; one that is larger is on disk.
const MAX_CARRIED_BYTES: usize = 2048;

/// The record of a connection as its socket carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carried(Box<str>);

impl Carried {
    /// Writes a record: a JSON list of its slot, user, subprotocol, group to send to, `noEcho`, origin and roles, with
    /// empty strings for what it lacks. `None` if only a row can have it: of a reliable connection, or with
    /// what an event handler has set.
    pub(crate) fn of(record: &ConnectionRecord) -> Option<Self> {
        let EventContext { origin, custom_subprotocol, state, cookies, events } = &record.context;
        if record.subprotocol.is_reliable()
            || custom_subprotocol.is_some()
            || state.is_some()
            || !cookies.is_empty()
            || *events != AFTER_CONNECTED
        {
            return None;
        }
        let (send_to, echo) = match &record.mode {
            SimpleMode::SendEvent => ("", ""),
            SimpleMode::SendToGroup { group, echo: Echo::Send } => (group.as_str(), ""),
            SimpleMode::SendToGroup { group, echo: Echo::Skip } => (group.as_str(), "noEcho"),
        };
        let slot = record.slot.0.to_string();
        let user = record.user.as_ref().map_or("", UserId::as_str);
        let mut texts =
            vec![slot.as_str(), user, record.subprotocol.name().unwrap_or(""), send_to, echo, origin];
        texts.extend(record.roles.iter().map(String::as_str));
        Some(Self(Writer::texts(&texts).into()))
    }

    /// Reads what [`Carried::of`] wrote.
    pub(crate) fn record(&self, id: ConnectionId) -> Option<ConnectionRecord> {
        let mut texts = Json::parse(&self.0)?.texts()?.into_iter();
        let slot = Slot(texts.next()?.parse().ok()?);
        let user = texts.next().filter(|user| !user.is_empty()).map(UserId::parse);
        let subprotocol = texts.next().filter(|name| !name.is_empty());
        let (send_to, echo, origin) = (texts.next()?, texts.next()?, texts.next()?);
        let mode = if send_to.is_empty() {
            SimpleMode::SendEvent
        } else {
            let echo = if echo.is_empty() { Echo::Send } else { Echo::Skip };
            SimpleMode::SendToGroup { group: GroupName::parse(send_to).ok()?, echo }
        };
        Some(ConnectionRecord {
            slot,
            id,
            user: user.transpose().ok()?,
            roles: texts.collect(),
            subprotocol: Subprotocol::negotiate(subprotocol.as_deref()).subprotocol,
            mode,
            acknowledged: Cursor { row: 0, sequence_id: SequenceId(0) },
            detached_until: None,
            context: EventContext { origin, events: AFTER_CONNECTED, ..EventContext::default() },
        })
    }

    /// Whether a socket may carry this with these groups.
    pub(crate) fn fits_with(&self, groups: &SortedSet<GroupName>) -> bool {
        let groups = groups.as_slice().iter().map(|group| 2 + group.as_str().len());
        2 + self.0.len() + groups.sum::<usize>() <= MAX_CARRIED_BYTES
    }

    /// Writes this and the names of groups, each after its length in 2 bytes.
    pub(crate) fn encode(&self, groups: &SortedSet<GroupName>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let groups = groups.as_slice().iter().map(GroupName::as_str);
        for text in std::iter::once(&*self.0).chain(groups) {
            bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }

    /// Reads what [`Carried::encode`] wrote; `None` for anything else.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<(Self, Vec<GroupName>)> {
        let mut texts = std::iter::from_fn(|| {
            let (length, after) = bytes.split_first_chunk()?;
            let (text, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            bytes = after;
            std::str::from_utf8(text).ok()
        });
        let carried = Self(texts.next()?.into());
        let mut groups = Vec::new();
        for group in texts {
            groups.push(GroupName::parse(group).ok()?);
        }
        bytes.is_empty().then_some((carried, groups))
    }
}

impl Attachment {
    /// The record and the groups of a connection that is on no disk; `None` for one that is.
    #[must_use]
    pub fn carried(&self) -> Option<(ConnectionRecord, Vec<GroupName>)> {
        let (carried, groups) = Carried::decode(&self.carried)?;
        Some((carried.record(self.connection.clone())?, groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard_id::ShardId;

    fn record(subprotocol: Subprotocol) -> ConnectionRecord {
        ConnectionRecord {
            slot: Slot(70_000),
            id: ShardId(3).connection_id([9; 16]),
            user: Some(UserId::parse("ä \"user\"").unwrap()),
            roles: vec!["webpubsub.sendToGroup".to_owned(), String::new(), "other".to_owned()],
            subprotocol,
            mode: SimpleMode::SendEvent,
            acknowledged: Cursor { row: 0, sequence_id: SequenceId(0) },
            detached_until: None,
            context: EventContext {
                origin: "a.example,b.example".to_owned(),
                events: AFTER_CONNECTED,
                ..EventContext::default()
            },
        }
    }

    fn groups(names: &[&str]) -> SortedSet<GroupName> {
        let mut groups = SortedSet::new();
        for name in names {
            groups.insert(GroupName::parse(*name).unwrap());
        }
        groups
    }

    #[test]
    fn a_socket_carries_all_of_a_record_and_its_groups() {
        let group = GroupName::parse("g\u{1}").unwrap();
        for (subprotocol, user, mode) in [
            (Subprotocol::Json, true, SimpleMode::SendEvent),
            (Subprotocol::Simple, false, SimpleMode::SendToGroup { group: group.clone(), echo: Echo::Skip }),
            (Subprotocol::Simple, true, SimpleMode::SendToGroup { group, echo: Echo::Send }),
        ] {
            let mut record = record(subprotocol);
            record.mode = mode;
            record.user = record.user.filter(|_| user);
            let carried = Carried::of(&record).unwrap();
            let members = groups(&["b", "a", "ü"]);
            let (read, names) = Carried::decode(&carried.encode(&members)).unwrap();
            assert_eq!(read.record(record.id.clone()), Some(record));
            assert_eq!(names, members.as_slice());
        }
    }

    #[test]
    fn what_handlers_set_and_reliable_connections_need_rows() {
        assert_eq!(Carried::of(&record(Subprotocol::JsonReliable)), None);
        let context = record(Subprotocol::Json).context;
        for context in [
            EventContext { state: Some(String::new()), ..context.clone() },
            EventContext { cookies: "c".to_owned(), ..context.clone() },
            EventContext { custom_subprotocol: Some("own".to_owned()), ..context.clone() },
            EventContext { events: AFTER_CONNECTED + 1, ..context },
        ] {
            assert_eq!(Carried::of(&ConnectionRecord { context, ..record(Subprotocol::Json) }), None);
        }
    }

    #[test]
    fn a_socket_carries_2048_bytes_of_a_connection() {
        let carried = Carried::of(&record(Subprotocol::Json)).unwrap();
        let used = carried.encode(&SortedSet::new()).len();
        let name = "g".repeat(1000);
        let rest = "h".repeat(MAX_CARRIED_BYTES - used - 1000 - 4);
        assert!(carried.fits_with(&groups(&[&name, &rest])));
        assert_eq!(carried.encode(&groups(&[&name, &rest])).len(), MAX_CARRIED_BYTES);
        assert!(!carried.fits_with(&groups(&[&name, &format!("{rest}h")])));
    }

    #[test]
    fn anything_else_is_not_read() {
        let bytes = Carried::of(&record(Subprotocol::Json)).unwrap().encode(&groups(&["a"]));
        for broken in [&[][..], &[5], &[5, 0, b'a'], &bytes[..bytes.len() - 1], &[0, 0, 0, 0], &[1, 0, 255]] {
            assert_eq!(Carried::decode(broken), None, "{broken:?}");
        }
        let (no_list, _) = Carried::decode(&[1, 0, b'1']).unwrap();
        assert_eq!(no_list.record(ShardId(3).connection_id([9; 16])), None);
    }
}
