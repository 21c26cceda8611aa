use super::Refusal;

/// The API, one row for each operation: requests are routed by it and the OpenAPI document is made
/// from it, so the two cannot disagree.
///
/// Only a constant: what a service keeps of it are the [`Template`]s.
///
/// Source: docs/spec/rest.md#operations, in its order; names are those of the published API description.
pub(super) const TABLE: &[Row] = &[
    Row {
        kind: Kind::Health,
        method: HEAD,
        path: "/api/health",
        name: "HealthApi_GetServiceStatus",
        summary: "Is the service up? Needs no token.",
        success: 200,
        ..PLAIN
    },
    Row {
        kind: Kind::Health,
        method: GET,
        path: "/api/health",
        name: "Health_Get",
        summary: "The same, for those who ask with GET. Needs no token.",
        success: 200,
        ..PLAIN
    },
    Row {
        kind: Kind::OpenApi,
        method: GET,
        path: "/api/openapi.json",
        name: "OpenApi_GetDocument",
        summary: "This document. Needs no token.",
        success: 200,
        answer: Answer::Object,
        ..PLAIN
    },
    Row {
        kind: Kind::GenerateToken,
        method: POST,
        path: "/api/hubs/{hub}/:generateToken",
        name: "WebPubSub_GenerateClientToken",
        summary: "Make a token for a client.",
        parameters: &[
            Parameter::UserId,
            Parameter::Role,
            Parameter::MinutesToExpire,
            Parameter::Group,
            Parameter::ClientType,
        ],
        success: 200,
        answer: Answer::Schema("Token"),
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::SendToAll),
        method: POST,
        path: "/api/hubs/{hub}/:send",
        name: "WebPubSub_SendToAll",
        summary: "Send a message to all connections of the hub.",
        parameters: &[Parameter::Excluded, Parameter::Filter, Parameter::MessageTtlSeconds],
        body: Body::Message,
        success: 202,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::CloseAll),
        method: POST,
        path: "/api/hubs/{hub}/:closeConnections",
        name: "WebPubSub_CloseAllConnections",
        summary: "Close all connections of the hub.",
        parameters: &[Parameter::Excluded, Parameter::Reason],
        success: 204,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::AddToGroups),
        method: POST,
        path: "/api/hubs/{hub}/:addToGroups",
        name: "WebPubSub_AddConnectionsToGroups",
        summary: "Add the connections that match a filter to groups.",
        body: Body::Groups,
        success: 200,
        refusals: &[409],
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::RemoveFromGroups),
        method: POST,
        path: "/api/hubs/{hub}/:removeFromGroups",
        name: "WebPubSub_RemoveConnectionsFromGroups",
        summary: "Remove the connections that match a filter from groups.",
        body: Body::Groups,
        success: 200,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::ConnectionExists),
        method: HEAD,
        path: "/api/hubs/{hub}/connections/{connectionId}",
        name: "WebPubSub_ConnectionExists",
        summary: "Is there such a connection?",
        success: 200,
        refusals: &[404],
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::CloseConnection),
        method: DELETE,
        path: "/api/hubs/{hub}/connections/{connectionId}",
        name: "WebPubSub_CloseConnection",
        summary: "Close a connection.",
        parameters: &[Parameter::Reason],
        success: 204,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::SendToConnection),
        method: POST,
        path: "/api/hubs/{hub}/connections/{connectionId}/:send",
        name: "WebPubSub_SendToConnection",
        summary: "Send a message to a connection.",
        parameters: &[Parameter::MessageTtlSeconds],
        body: Body::Message,
        success: 202,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::RemoveConnectionFromAllGroups),
        method: DELETE,
        path: "/api/hubs/{hub}/connections/{connectionId}/groups",
        name: "WebPubSub_RemoveConnectionFromAllGroups",
        summary: "Remove a connection from all its groups.",
        success: 204,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::GroupExists),
        method: HEAD,
        path: "/api/hubs/{hub}/groups/{group}",
        name: "WebPubSub_GroupExists",
        summary: "Has a group any members?",
        success: 200,
        refusals: &[404],
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::SendToGroup),
        method: POST,
        path: "/api/hubs/{hub}/groups/{group}/:send",
        name: "WebPubSub_SendToGroup",
        summary: "Send a message to the members of a group.",
        parameters: &[Parameter::Excluded, Parameter::Filter, Parameter::MessageTtlSeconds],
        body: Body::Message,
        success: 202,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::CloseGroup),
        method: POST,
        path: "/api/hubs/{hub}/groups/{group}/:closeConnections",
        name: "WebPubSub_CloseGroupConnections",
        summary: "Close the connections that are members of a group.",
        parameters: &[Parameter::Excluded, Parameter::Reason],
        success: 204,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::ListMembers),
        method: GET,
        path: "/api/hubs/{hub}/groups/{group}/connections",
        name: "WebPubSub_ListConnectionsInGroup",
        summary: "List the members of a group, page by page, by connection id.",
        parameters: &[Parameter::MaxPageSize, Parameter::Top, Parameter::ContinuationToken],
        success: 200,
        answer: Answer::Schema("Members"),
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::AddConnectionToGroup),
        method: PUT,
        path: "/api/hubs/{hub}/groups/{group}/connections/{connectionId}",
        name: "WebPubSub_AddConnectionToGroup",
        summary: "Add a connection to a group.",
        success: 200,
        refusals: &[404, 409],
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::RemoveConnectionFromGroup),
        method: DELETE,
        path: "/api/hubs/{hub}/groups/{group}/connections/{connectionId}",
        name: "WebPubSub_RemoveConnectionFromGroup",
        summary: "Remove a connection from a group.",
        success: 204,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::UserExists),
        method: HEAD,
        path: "/api/hubs/{hub}/users/{userId}",
        name: "WebPubSub_UserExists",
        summary: "Has a user any connections?",
        success: 200,
        refusals: &[404],
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::SendToUser),
        method: POST,
        path: "/api/hubs/{hub}/users/{userId}/:send",
        name: "WebPubSub_SendToUser",
        summary: "Send a message to all connections of a user.",
        parameters: &[Parameter::Filter, Parameter::MessageTtlSeconds],
        body: Body::Message,
        success: 202,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::CloseUser),
        method: POST,
        path: "/api/hubs/{hub}/users/{userId}/:closeConnections",
        name: "WebPubSub_CloseUserConnections",
        summary: "Close the connections of a user.",
        parameters: &[Parameter::Excluded, Parameter::Reason],
        success: 204,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::AddUserToGroup),
        method: PUT,
        path: "/api/hubs/{hub}/users/{userId}/groups/{group}",
        name: "WebPubSub_AddUserToGroup",
        summary: "Add the connections that a user has to a group.",
        success: 200,
        refusals: &[404, 409],
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::RemoveUserFromGroup),
        method: DELETE,
        path: "/api/hubs/{hub}/users/{userId}/groups/{group}",
        name: "WebPubSub_RemoveUserFromGroup",
        summary: "Remove the connections of a user from a group.",
        success: 204,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::RemoveUserFromAllGroups),
        method: DELETE,
        path: "/api/hubs/{hub}/users/{userId}/groups",
        name: "WebPubSub_RemoveUserFromAllGroups",
        summary: "Remove the connections of a user from all their groups.",
        success: 204,
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::GrantPermission),
        method: PUT,
        path: PERMISSION,
        name: "WebPubSub_GrantPermission",
        summary: "Allow a connection to send to a group, or to join and leave it.",
        parameters: &[Parameter::TargetName],
        success: 200,
        refusals: &[404, 409],
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::CheckPermission),
        method: HEAD,
        path: PERMISSION,
        name: "WebPubSub_CheckPermission",
        summary: "May a connection send to a group, or join and leave it?",
        parameters: &[Parameter::TargetName],
        success: 200,
        refusals: &[404],
        ..PLAIN
    },
    Row {
        kind: Kind::OfHub(HubKind::RevokePermission),
        method: DELETE,
        path: PERMISSION,
        name: "WebPubSub_RevokePermission",
        summary: "Forbid a connection to send to a group, or to join and leave it.",
        parameters: &[Parameter::TargetName],
        success: 204,
        refusals: &[409],
        ..PLAIN
    },
];

/// What most rows have.
const PLAIN: Row = Row {
    kind: Kind::Health,
    method: "",
    path: "",
    name: "",
    summary: "",
    parameters: &[],
    body: Body::None,
    success: 200,
    answer: Answer::Empty,
    refusals: &[],
};

const PERMISSION: &str = "/api/hubs/{hub}/permissions/{permission}/connections/{connectionId}";

const GET: &str = "GET";
const HEAD: &str = "HEAD";
const PUT: &str = "PUT";
const POST: &str = "POST";
const DELETE: &str = "DELETE";

/// One operation of the API.
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) method: &'static str,
    /// Names stand in braces; they are the slots of [`Names`].
    pub(super) path: &'static str,
    /// What the published API description calls it.
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// Those of its query, `api-version` apart, which all have.
    pub(super) parameters: &'static [Parameter],
    pub(super) body: Body,
    /// SDKs insist on exactly this status.
    pub(super) success: u16,
    /// The body of that answer.
    pub(super) answer: Answer,
    /// The statuses with which it is refused, beside those that follow from the rest of the row.
    pub(super) refusals: &'static [u16],
}

/// Which operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Health,
    OpenApi,
    GenerateToken,
    OfHub(HubKind),
}

/// Which operation on a hub's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HubKind {
    SendToAll,
    CloseAll,
    AddToGroups,
    RemoveFromGroups,
    ConnectionExists,
    CloseConnection,
    SendToConnection,
    RemoveConnectionFromAllGroups,
    GroupExists,
    SendToGroup,
    CloseGroup,
    ListMembers,
    AddConnectionToGroup,
    RemoveConnectionFromGroup,
    UserExists,
    SendToUser,
    CloseUser,
    AddUserToGroup,
    RemoveUserFromGroup,
    RemoveUserFromAllGroups,
    GrantPermission,
    CheckPermission,
    RevokePermission,
}

impl Kind {
    /// Whether the caller has to show a token.
    pub(super) const fn needs_token(self) -> bool {
        !matches!(self, Self::Health | Self::OpenApi)
    }
}

/// A query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    UserId,
    Role,
    MinutesToExpire,
    Group,
    ClientType,
    Excluded,
    Filter,
    MessageTtlSeconds,
    Reason,
    MaxPageSize,
    Top,
    ContinuationToken,
    TargetName,
}

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Message,
    Groups,
}

/// What a successful answer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Empty,
    /// Any JSON object.
    Object,
    /// JSON that the schema of this name describes.
    Schema(&'static str),
}

/// What it takes to route a request: the part of a [`Row`] that a running service keeps.
#[derive(Clone, Copy)]
struct Template {
    kind: Kind,
    method: &'static str,
    path: &'static str,
    /// How many slashes are in it, by which most are left out.
    slashes: usize,
}

static TEMPLATES: [Template; TABLE.len()] = templates();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
const fn templates() -> [Template; TABLE.len()] {
    let mut templates = [Template { kind: Kind::Health, method: "", path: "", slashes: 0 }; TABLE.len()];
    let mut row = 0;
    while row < TABLE.len() {
        let Row { kind, method, path, .. } = TABLE[row];
        templates[row] = Template { kind, method, path, slashes: slashes(path) };
        row += 1;
    }
    templates
}

#[expect(clippy::indexing_slicing, reason = "the index is below the length")]
const fn slashes(path: &str) -> usize {
    let (bytes, mut at, mut count) = (path.as_bytes(), 0, 0);
    while at < bytes.len() {
        count += (bytes[at] == b'/') as usize;
        at += 1;
    }
    count
}

/// The names in a path, still encoded; empty where the path has no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Names<'a> {
    pub(super) hub: &'a str,
    pub(super) group: &'a str,
    pub(super) user: &'a str,
    pub(super) connection: &'a str,
    pub(super) permission: &'a str,
}

/// Finds the operation of a method and a raw path (before percent-decoding).
pub(super) fn find<'a>(method: &str, path: &'a str) -> Result<(Kind, Names<'a>), Refusal> {
    let path = path.strip_suffix('/').unwrap_or(path);
    // Nearly every request has a method that its path knows.
    let slashes = slashes(path);
    let with_method = TEMPLATES.iter().filter(|row| row.slashes == slashes && row.method == method);
    let mut found = with_method.filter_map(|template| Some((template.kind, template.names_in(path)?)));
    if let Some(found) = found.next() {
        return Ok(found);
    }
    let with_path = TEMPLATES.iter().filter(|template| template.names_in(path).is_some());
    let allow: Vec<&str> = with_path.map(|template| template.method).collect();
    Err(if allow.is_empty() { Refusal::UnknownPath } else { Refusal::Method { allow: allow.join(", ") } })
}

impl Template {
    /// The names in a path, if it is one of this template. The case of its literals does not count.
    fn names_in<'a>(&self, path: &'a str) -> Option<Names<'a>> {
        let mut names = Names::default();
        // From the end: of two templates with as many segments, most differ in the last.
        let mut segments = segments_from_end(path);
        for expected in segments_from_end(self.path) {
            let segment = segments.next()?;
            match expected {
                "{hub}" => names.hub = segment,
                "{group}" => names.group = segment,
                "{userId}" => names.user = segment,
                "{connectionId}" => names.connection = segment,
                "{permission}" => names.permission = segment,
                literal if literal.eq_ignore_ascii_case(segment) => {}
                literal if is_action(segment, literal) => {}
                _ => return None,
            }
        }
        segments.next().is_none().then_some(names)
    }
}

/// The segments of a path, the last one first. A search for a `char` takes longer to begin than most of them are to go
/// through.
fn segments_from_end(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let path = rest?;
        let slash = path.bytes().rposition(|byte| byte == b'/');
        let (before, segment) = match slash.and_then(|slash| path.split_at_checked(slash)) {
            Some((before, segment)) => (Some(before), segment.get(1..)?),
            None => (None, path),
        };
        rest = before;
        Some(segment)
    })
}

/// Whether a segment is an action such as `:send` with its colon escaped.
fn is_action(segment: &str, action: &str) -> bool {
    let unescaped = segment.strip_prefix("%3A").or_else(|| segment.strip_prefix("%3a"));
    match (action.strip_prefix(':'), unescaped) {
        (Some(action), Some(name)) => action.eq_ignore_ascii_case(name),
        (Some(_) | None, Some(_) | None) => false,
    }
}

#[cfg(test)]
mod tests;
