//! Lists of a hub's connections and groups for an operator: which part of them is asked for, and their shapes.

use std::fmt;

use webpubsub_protocol::filter::Filter;
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::rest::{Query, Refusal};
use webpubsub_protocol::role::GroupPattern;
use webpubsub_shard::{ConnectionQuery, ConnectionView, PermissionView, Shard, ShardId, Slot};

/// The most entries of a page.
const MAX_TOP: u64 = 500;
/// How many entries a page has unless that is said.
const DEFAULT_TOP: u64 = 100;
/// How many groups are shown of a connection that is one of many.
const GROUPS_IN_A_LIST: usize = 10;
/// How many groups are shown of a connection by itself.
const GROUPS_OF_ONE: usize = 1_000;

/// What a shard is asked to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Some of its connections.
    Connections {
        /// The slot to begin at.
        from: Slot,
        /// How many at most.
        limit: usize,
        /// The query of the operator's request, still encoded.
        query: String,
    },
    /// One connection.
    Connection(ConnectionId),
    /// Some of its groups: the query of the operator's request, still encoded.
    Groups(String),
}

impl Listing {
    /// Writes it as one line.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Connections { from, limit, query } => format!("connections {} {limit} {query}", from.0),
            Self::Connection(id) => format!("connection {id}"),
            Self::Groups(query) => format!("groups {query}"),
        }
    }

    /// Reads what [`Listing::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let (what, rest) = text.split_once(' ')?;
        Some(match what {
            "connections" => {
                let mut parts = rest.splitn(3, ' ');
                let from = Slot(parts.next()?.parse().ok()?);
                let limit = parts.next()?.parse().ok()?;
                Self::Connections { from, limit, query: parts.next()?.to_owned() }
            }
            "connection" => Self::Connection(ConnectionId::parse(rest).ok()?),
            "groups" => Self::Groups(rest.to_owned()),
            _ => return None,
        })
    }

    /// What a shard shows, as the gateway reads it; of a connection that is not there, nothing.
    #[must_use]
    pub fn answer(&self, shard: &Shard) -> String {
        match self {
            Self::Connections { from, limit, query } => {
                // The host has read it before.
                let query = ConnectionList::parse(Some(query)).map(|list| list.query).unwrap_or_default();
                let page = shard.list_connections(&query, *from, *limit);
                let connections = page.connections.iter().map(|view| show_in_list(view, shard.id()));
                let connections: Vec<String> = connections.collect();
                let next = page.next.map_or("-".to_owned(), |next| next.0.to_string());
                format!("{next} {}\n{}", connections.len(), connections.join(","))
            }
            Self::Connection(id) => {
                shard.view_connection(id).map(|view| show_one(&view, shard.id())).unwrap_or_default()
            }
            Self::Groups(query) => {
                let Ok(list) = GroupList::parse(Some(query)) else { return String::new() };
                let mut groups = Writer::list();
                // One more says that there are more.
                for (group, connections) in
                    shard.list_groups(&list.prefix, list.after.as_deref(), list.top + 1)
                {
                    groups.element(&show_group(group.as_str(), connections as u64));
                }
                groups.finish()
            }
        }
    }
}

/// Where a list of connections goes on: a shard, and a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListPosition {
    /// The shard.
    pub(crate) shard: u16,
    /// The slot.
    pub(crate) from: Slot,
}

impl ListPosition {
    /// The beginning of the next shard; `None` after the last one that there can be.
    pub(crate) fn next_shard(self) -> Option<Self> {
        Some(Self { shard: self.shard.checked_add(1)?, from: Slot(0) })
    }
}

/// Writes it as a continuation token.
impl fmt::Display for ListPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.shard, self.from.0)
    }
}

/// Which part of a hub's list of connections is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectionList {
    /// Which connections.
    pub(crate) query: ConnectionQuery,
    /// How many at most.
    pub(crate) top: usize,
    /// Where the page begins.
    pub(crate) start: ListPosition,
}

impl ConnectionList {
    /// Reads the query of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let query = Query(query);
        let text = |name| Ok::<_, Refusal>(query.one(name)?.filter(|text| !text.is_empty()));
        let start = match text("continuationToken")? {
            None => ListPosition { shard: 0, from: Slot(0) },
            Some(token) => parse_position(&token).ok_or(Refusal::ContinuationToken)?,
        };
        let user = text("userId")?.map(UserId::parse).transpose().map_err(|_| Refusal::User)?;
        let group = text("group")?.map(GroupName::parse).transpose().map_err(|_| Refusal::Group)?;
        let filter = text("filter")?.map(|filter| Filter::parse(&filter)).transpose()?;
        let id_prefix = text("connectionIdPrefix")?.unwrap_or_default();
        Ok(Self { query: ConnectionQuery { user, group, id_prefix, filter }, top: top(query)?, start })
    }
}

fn parse_position(token: &str) -> Option<ListPosition> {
    let (shard, from) = token.split_once('.')?;
    Some(ListPosition { shard: shard.parse().ok()?, from: Slot(from.parse().ok()?) })
}

fn top(query: Query<'_>) -> Result<usize, Refusal> {
    let wrong = || Refusal::Parameter { name: "top", rule: "It is a whole number from 1 to 500." };
    match query.number("top", wrong)?.unwrap_or(DEFAULT_TOP) {
        top @ 1..=MAX_TOP => Ok(usize::try_from(top).unwrap_or(usize::MAX)),
        _ => Err(wrong()),
    }
}

/// What a shard shows of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShardPage<'a> {
    /// Where the next page begins; `None` where the shard has nothing more.
    pub(crate) next: Option<Slot>,
    /// How many connections there are.
    pub(crate) count: usize,
    /// The connections as JSON, with commas between.
    pub(crate) connections: &'a str,
}

impl<'a> ShardPage<'a> {
    /// Reads an answer to [`Listing::Connections`].
    pub(crate) fn parse(answer: &'a str) -> Option<Self> {
        let (head, connections) = answer.split_once('\n')?;
        let (next, count) = head.split_once(' ')?;
        let next = if next == "-" { None } else { Some(Slot(next.parse().ok()?)) };
        Some(Self { next, count: count.parse().ok()?, connections })
    }
}

/// Which part of a hub's list of groups is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupList {
    /// How the names begin; empty for all.
    prefix: String,
    /// The last group of the page before.
    after: Option<String>,
    /// How many at most.
    top: usize,
}

impl GroupList {
    /// Reads the query of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let query = Query(query);
        let after = query.one("continuationToken")?.filter(|after| !after.is_empty());
        Ok(Self { prefix: query.one("prefix")?.unwrap_or_default(), after, top: top(query)? })
    }

    /// Joins what all shards show. `None` where one of them did not answer.
    pub(crate) fn join(&self, answers: &[Option<String>]) -> Option<String> {
        let mut all: Vec<(String, u64)> = Vec::new();
        for answer in answers {
            for group in Json::parse(answer.as_deref()?)?.elements()? {
                let group = Members::parse(group.as_str())?;
                let name = group.get("group")?.text()?.into_owned();
                let connections = group.get("connections")?.unsigned()?;
                let at = all.partition_point(|(before, _)| *before < name);
                match all.get_mut(at).filter(|(known, _)| *known == name) {
                    Some((_, sum)) => *sum += connections,
                    None => all.insert(at, (name, connections)),
                }
            }
        }
        let are_more = all.len() > self.top;
        all.truncate(self.top);
        let mut groups = Writer::list();
        for (group, connections) in &all {
            groups.element(&show_group(group, *connections));
        }
        let last = all.last().map(|(group, _)| group.as_str()).filter(|_| are_more);
        let mut page = Writer::object();
        page.json("groups", &groups.finish()).text_or_null("continuationToken", last);
        Some(page.finish())
    }
}

fn show_group(group: &str, connections: u64) -> String {
    let mut shown = Writer::object();
    shown.text("group", group).number("connections", connections);
    shown.finish()
}

/// Writes a page of a hub's connections, which are JSON already.
pub(crate) fn show_connections(connections: &[String], next: Option<ListPosition>) -> String {
    let mut page = Writer::object();
    page.json("connections", &["[", &connections.join(","), "]"].concat());
    page.text_or_null("continuationToken", next.map(|next| format!("{next}")).as_deref());
    page.finish()
}

fn show_in_list(view: &ConnectionView<'_>, shard: ShardId) -> String {
    show(view, shard, GROUPS_IN_A_LIST).finish()
}

fn show_one(view: &ConnectionView<'_>, shard: ShardId) -> String {
    let mut permissions = Writer::object();
    permissions.json("sendToGroup", &show_permission(&view.send_to_group));
    permissions.json("joinLeaveGroup", &show_permission(&view.join_leave_group));
    let mut shown = show(view, shard, GROUPS_OF_ONE);
    shown.number("unacknowledgedBytes", view.unacknowledged_bytes as u64);
    shown.number("waitingFrames", view.waiting_frames as u64).number("streams", view.streams as u64);
    shown.json("permissions", &permissions.finish());
    shown.finish()
}

fn show(view: &ConnectionView<'_>, shard: ShardId, groups: usize) -> Writer {
    let mut shown = Writer::object();
    shown.text("connectionId", view.id.as_str());
    shown.text_or_null("userId", view.user.map(UserId::as_str));
    shown.number("shard", shard.0.into()).text_or_null("subprotocol", view.subprotocol);
    let since = view.since.map_or("null".to_owned(), |since| since.as_millis().to_string());
    shown.json("connectedAt", &since).json("isAttached", if view.is_attached { "true" } else { "false" });
    shown.json("groups", &Writer::texts(view.groups.get(..groups).unwrap_or(view.groups)));
    shown.number("groupCount", view.groups.len() as u64);
    shown.number("unacknowledged", view.unacknowledged as u64).number("unreadBytes", view.unread_bytes);
    shown
}

fn show_permission(permission: &PermissionView<'_>) -> String {
    let patterns: Vec<&str> = permission.patterns.iter().map(GroupPattern::as_str).collect();
    let mut shown = Writer::object();
    shown.json("all", if permission.all { "true" } else { "false" });
    shown.json("patterns", &Writer::texts(&patterns));
    shown.json("allowed", &Writer::texts(permission.allowed));
    shown.json("denied", &Writer::texts(permission.denied));
    shown.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_reads_what_is_asked_as_it_was_written() {
        let id = ShardId(0).connection_id([1; 16]);
        for listing in [
            Listing::Connections { from: Slot(7), limit: 3, query: "userId=a%20b".to_owned() },
            Listing::Connections { from: Slot(0), limit: 1, query: String::new() },
            Listing::Connection(id),
            Listing::Groups("prefix=a".to_owned()),
        ] {
            assert_eq!(Listing::decode(&listing.encode()), Some(listing));
        }
        for text in ["", "connections", "connections x 1 ", "connections 1 2", "connection ", "other x"] {
            assert_eq!(Listing::decode(text), None, "{text}");
        }
    }

    #[test]
    fn a_page_of_connections_has_bounds() {
        let top = |query| ConnectionList::parse(Some(query)).map(|list| list.top);
        assert_eq!(ConnectionList::parse(None).unwrap().top, 100);
        assert_eq!(top("top=1"), Ok(1));
        assert_eq!(top("top=500"), Ok(500));
        for wrong in ["top=0", "top=501", "top=", "top=x", "top=-1", "top=1&top=2"] {
            assert!(top(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_condition_of_a_list_is_read() {
        let list = ConnectionList::parse(Some(
            "userId=a%20b&group=g&connectionIdPrefix=x&filter=userId%20ne%20null&continuationToken=3.70",
        ));
        let list = list.unwrap();
        assert_eq!(list.start, ListPosition { shard: 3, from: Slot(70) });
        assert_eq!(list.start.to_string(), "3.70");
        assert_eq!(list.start.next_shard(), Some(ListPosition { shard: 4, from: Slot(0) }));
        assert_eq!(list.query.user.unwrap().as_str(), "a b");
        assert_eq!(list.query.group.unwrap().as_str(), "g");
        assert_eq!(list.query.id_prefix, "x");
        assert!(list.query.filter.is_some());
        for wrong in [
            "userId=%20",
            "group=.",
            "filter=no",
            "continuationToken=x",
            "continuationToken=1.x",
            "continuationToken=-1.0",
            "connectionIdPrefix=%",
        ] {
            assert!(ConnectionList::parse(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_groups_of_all_shards_are_one_list() {
        let list = GroupList::parse(Some("top=2")).unwrap();
        let a = r#"[{"group":"a","connections":1},{"group":"c","connections":2}]"#.to_owned();
        let b = r#"[{"group":"a","connections":3},{"group":"b","connections":1}]"#.to_owned();
        let groups = r#"{"groups":[{"group":"a","connections":4},{"group":"b","connections":1}],"#;
        let whole = |token| Some(format!(r#"{groups}"continuationToken":{token}}}"#));
        assert_eq!(list.join(&[Some(a.clone()), Some(b.clone())]), whole("\"b\""));
        assert_eq!(list.join(&[Some(b)]).unwrap().matches("connections").count(), 2);
        assert_eq!(list.join(&[Some(a), None]), None);
        let empty = r#"{"groups":[],"continuationToken":null}"#;
        assert_eq!(list.join(&[Some("[]".to_owned())]).as_deref(), Some(empty));
    }
}
