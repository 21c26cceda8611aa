//! What an operator who watches a shard asks for, and what its socket carries.

use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::{ConnectionId, GroupName, HubName, UserId};
use webpubsub_protocol::rest::{Query, Refusal};
use webpubsub_shard::{Shard, ShardId, TraceFilter};

/// The first byte of what is attached to the socket of a watcher. No client's attachment begins so.
const MARK: u8 = 0xff;

/// What an operator wants to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRequest {
    /// Which shard.
    pub shard: ShardId,
    /// What of it.
    pub filter: TraceFilter,
}

impl TraceRequest {
    /// Reads the query of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        let query = Query(Some(query));
        let text = |name| Ok::<_, Refusal>(query.one(name)?.filter(|text| !text.is_empty()));
        let wrong = || Refusal::Parameter { name: "shard", rule: "It is the number of a shard, from 0." };
        let shard = query.number("shard", wrong)?.unwrap_or(0);
        let shard = u16::try_from(shard).map(ShardId).map_err(|_| wrong())?;
        let connection = text("connectionId")?.map(ConnectionId::parse).transpose();
        let user = text("userId")?.map(UserId::parse).transpose();
        let group = text("group")?.map(GroupName::parse).transpose();
        let payloads = match text("payloads")?.as_deref() {
            None | Some("0") => false,
            Some("1") => true,
            Some(_) => return Err(Refusal::Parameter { name: "payloads", rule: "It is 0 or 1." }),
        };
        let filter = TraceFilter {
            connection: connection.map_err(|_| Refusal::Connection)?,
            user: user.map_err(|_| Refusal::User)?,
            group: group.map_err(|_| Refusal::Group)?,
            payloads,
        };
        Ok(Self { shard, filter })
    }

    /// What is kept with the socket of a watcher that made this query, for when the shard starts again.
    #[must_use]
    pub fn attachment(query: &str) -> Vec<u8> {
        [&[MARK], query.as_bytes()].concat()
    }

    /// Reads what [`TraceRequest::attachment`] wrote; `None` for what a client's socket carries.
    #[must_use]
    pub(crate) fn of_attachment(attachment: &[u8]) -> Option<Self> {
        let query = attachment.strip_prefix(&[MARK])?;
        Self::parse(std::str::from_utf8(query).ok()?).ok()
    }

    /// The first frame for a watcher.
    #[must_use]
    pub fn greeting(hub: &HubName, shard: &Shard) -> String {
        let mut frame = Writer::object();
        frame.text("type", "watching").text("hub", hub.as_str());
        frame.number("shard", shard.id().0.into()).number("shards", shard.shards().into());
        frame.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_asked_for_by_a_query() {
        let all = TraceRequest::parse("").unwrap();
        assert_eq!(all, TraceRequest { shard: ShardId(0), filter: TraceFilter::default() });
        let one = TraceRequest::parse("shard=3&connectionId=c&userId=a%20b&group=g&payloads=1").unwrap();
        assert_eq!(one.shard, ShardId(3));
        assert_eq!(one.filter.connection.unwrap().as_str(), "c");
        assert_eq!(one.filter.user.unwrap().as_str(), "a b");
        assert_eq!(one.filter.group.unwrap().as_str(), "g");
        assert!(one.filter.payloads);
        for wrong in ["shard=x", "shard=65536", "payloads=2", "group=.", "userId=%20", "shard=1&shard=2"] {
            assert!(TraceRequest::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_watcher_outlives_the_memory_of_its_shard() {
        let query = "shard=3&group=g";
        let attachment = TraceRequest::attachment(query);
        assert_eq!(TraceRequest::of_attachment(&attachment), TraceRequest::parse(query).ok());
        assert_eq!(webpubsub_shard::Attachment::decode(&attachment), None);
        assert_eq!(TraceRequest::of_attachment(&[3, 1, b'a']), None);
    }
}
