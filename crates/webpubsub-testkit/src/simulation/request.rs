//! What servers ask for.

use webpubsub_protocol::data::{MessageData, TimeToLive};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::role::PermissionType;

use super::message::Message;
use super::words::{GROUPS, USERS};

/// Whom a server means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    All,
    Group(u8),
    User(u8),
    Connection(usize),
}

/// What a server asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request {
    Send {
        to: To,
        excluded: Option<usize>,
        message: u32,
        ttl: TimeToLive,
    },
    Close(To),
    Join(To, u8),
    /// In one group, or in all.
    Leave(To, Option<u8>),
    Permit {
        connection: usize,
        kind: PermissionType,
        group: u8,
        granted: bool,
    },
    Exists(To),
    Allowed {
        connection: usize,
        kind: PermissionType,
        group: u8,
    },
    Members(u8),
}

/// A request as it comes over HTTP.
#[derive(Debug)]
pub(super) struct RequestLine {
    pub(super) method: &'static str,
    /// Path and query.
    pub(super) path: String,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Whether it succeeds only where it finds somebody.
    pub(super) const fn is_search(&self) -> bool {
        matches!(
            self,
            Self::Join(To::User(_) | To::Connection(_), _)
                | Self::Permit { granted: true, .. }
                | Self::Exists(_)
                | Self::Allowed { .. }
        )
    }

    /// The same as it comes over HTTP.
    pub(super) fn line<'a>(
        &self,
        messages: &[Message],
        id: impl Fn(usize) -> &'a ConnectionId,
    ) -> RequestLine {
        let of = |to: To| match to {
            To::All => String::new(),
            To::Group(number) => format!("/groups/{}", GROUPS[usize::from(number)]),
            To::User(number) => format!("/users/{}", USERS[usize::from(number)]),
            To::Connection(connection) => format!("/connections/{}", id(connection)),
        };
        let group = |number: u8| GROUPS[usize::from(number)];
        // Of a user or a connection in one group there are paths, of all others bodies.
        let membership = |to: To, method, many: &str, number: u8| match to {
            To::All => RequestLine::many(many, group(number), "null"),
            To::Group(other) => {
                RequestLine::many(many, group(number), &format!("\"'{}' in groups\"", group(other)))
            }
            To::User(_) => RequestLine::bare(method, format!("{}/groups/{}", of(to), group(number))),
            To::Connection(_) => RequestLine::bare(method, format!("/groups/{}{}", group(number), of(to))),
        };
        let permission = |method, connection: usize, kind: PermissionType, number: u8| {
            let (kind, id, group) = (kind.as_str(), id(connection), group(number));
            RequestLine::bare(method, format!("/permissions/{kind}/connections/{id}?targetName={group}"))
        };
        match *self {
            Self::Send { to, excluded, message, ttl } => {
                let mut path = format!("{}/:send?messageTtlSeconds={}", of(to), ttl.as_seconds());
                if let Some(excluded) = excluded {
                    path.push_str(&format!("&excluded={}", id(excluded)));
                }
                let (content_type, body) = match &messages[message as usize].data {
                    MessageData::Text(text) => ("text/plain", text.clone().into_bytes()),
                    MessageData::Json(json) => ("application/json", json.as_str().as_bytes().to_vec()),
                    MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => {
                        ("application/octet-stream", bytes.clone())
                    }
                };
                RequestLine { content_type: Some(content_type), body, ..RequestLine::bare("POST", path) }
            }
            Self::Close(to @ To::Connection(_)) => RequestLine::bare("DELETE", of(to)),
            Self::Close(to) => RequestLine::bare("POST", of(to) + "/:closeConnections"),
            Self::Join(to, number) => membership(to, "PUT", "/:addToGroups", number),
            Self::Leave(to, Some(number)) => membership(to, "DELETE", "/:removeFromGroups", number),
            Self::Leave(to, None) => RequestLine::bare("DELETE", of(to) + "/groups"),
            Self::Permit { connection, kind, group, granted } => {
                permission(if granted { "PUT" } else { "DELETE" }, connection, kind, group)
            }
            Self::Exists(to) => RequestLine::bare("HEAD", of(to)),
            Self::Allowed { connection, kind, group } => permission("HEAD", connection, kind, group),
            Self::Members(number) => {
                RequestLine::bare("GET", format!("/groups/{}/connections?maxpagesize=200", group(number)))
            }
        }
    }
}

impl RequestLine {
    /// A request without a body, by its path after that of the hub.
    fn bare(method: &'static str, path: impl std::fmt::Display) -> Self {
        Self { method, path: format!("/api/hubs/chat{path}"), content_type: None, body: Vec::new() }
    }

    /// A request about those members of the hub that a filter picks, and one group.
    fn many(path: &str, group: &str, filter: &str) -> Self {
        let body = format!(r#"{{"groups":["{group}"],"filter":{filter}}}"#).into_bytes();
        Self { content_type: Some("application/json"), body, ..Self::bare("POST", path) }
    }
}
