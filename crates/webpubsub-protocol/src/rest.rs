//! What servers ask of the service over HTTP, and what it answers.
//!
//! A worker goes through these in order, and answers the first [`Refusal`] that it meets: it finds
//! the [`Route`], checks the caller's token, makes the [`Operation`], reads the body of a message with
//! [`parse_content_type`] and [`message_data`] or that of a bulk operation with [`groups_body`], and
//! turns the [`Outcome`] into a [`Response`]. Routes and [`openapi()`] come from one table.
//!
//! ```
//! use webpubsub_protocol::rest::{HubOperation, Operation, Outcome, Route, respond};
//!
//! let route = Route::find("POST", "/api/hubs/chat/users/tenant%2Falice/:send")?;
//! assert!(route.needs_token());
//! let operation = route.operation(Some("api-version=2024-12-01"))?;
//! assert!(matches!(&operation, Operation::OfHub(_, HubOperation::SendToUser { user, .. }) if user.as_str() == "tenant/alice"));
//! assert_eq!(respond(&Outcome::Accepted).status, 202);
//! # Ok::<(), webpubsub_protocol::rest::Refusal>(())
//! ```

mod body;
mod groups;
mod openapi;
mod page;
mod parse;
mod refusal;
mod respond;
mod table;

use std::time::Duration;

pub use body::{
    Charset, ContentKind, Decode, METADATA_PREFIX, check_length, message_data, message_metadata,
    parse_content_type,
};
pub use groups::{GroupsRequest, groups_body};
pub use openapi::openapi;
pub use page::{FirstMembers, Member, MemberPage, NextPage, PageRequest, next_link};
pub use parse::{Query, Route};
pub use refusal::Refusal;
pub use respond::{Outcome, Response, Subject, refuse, respond, turn_away};

use crate::data::TimeToLive;
use crate::filter::Filter;
use crate::name::{ConnectionId, GroupName, HubName, UserId};
use crate::role::PermissionType;

/// The versions of the API, oldest first. Each serves every operation.
///
/// Source: docs/spec/rest.md#versions.
pub const VERSIONS: [&str; 5] = ["2021-10-01", "2022-11-01", "2023-07-01", "2024-01-01", "2024-12-01"];

/// Previews, which are taken for the newest version.
///
/// Source: docs/spec/rest.md#versions.
pub const PREVIEW_VERSIONS: [&str; 5] =
    ["2020-10-01", "2021-01-01", "2021-05-01-preview", "2021-08-01-preview", "2022-10-01-preview"];

/// How long a client token lives unless its request says otherwise, in minutes.
///
/// Source: docs/spec/rest.md#tokens-for-clients.
pub const DEFAULT_TOKEN_MINUTES: u64 = 60;

/// The longest life of a client token, in minutes.
///
/// Source: docs/spec/rest.md#tokens-for-clients.
pub const MAX_TOKEN_MINUTES: u64 = 2_147_483_647;

/// One call of the REST API, fully checked.
///
/// Source: docs/spec/rest.md#operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `HEAD /api/health`
    Health,
    /// `GET /api/openapi.json`
    OpenApi,
    /// `POST /api/hubs/{hub}/:generateToken`
    GenerateToken {
        /// The hub that the token opens.
        hub: HubName,
        /// What the token says.
        request: TokenRequest,
    },
    /// What concerns the connections of a hub.
    OfHub(HubName, HubOperation),
}

/// What a server asks about the connections of a hub, or has done with them.
///
/// Source: docs/spec/rest.md#operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubOperation {
    /// `POST /api/hubs/{hub}/:send`
    SendToAll(SendOptions),
    /// `POST /api/hubs/{hub}/:closeConnections`
    CloseAll(CloseOptions),
    /// `POST /api/hubs/{hub}/:addToGroups`. Which groups, and for whom, is in the body: [`groups_body`].
    AddToGroups,
    /// `POST /api/hubs/{hub}/:removeFromGroups`. Which groups, and for whom, is in the body: [`groups_body`].
    RemoveFromGroups,
    /// `HEAD /api/hubs/{hub}/connections/{connectionId}`
    ConnectionExists(ConnectionId),
    /// `DELETE /api/hubs/{hub}/connections/{connectionId}`
    CloseConnection {
        /// The connection.
        connection: ConnectionId,
        /// The reason that the client receives.
        reason: Option<String>,
    },
    /// `POST /api/hubs/{hub}/connections/{connectionId}/:send`
    SendToConnection {
        /// The connection.
        connection: ConnectionId,
        /// For how long it matters.
        options: SendOptions,
    },
    /// `DELETE /api/hubs/{hub}/connections/{connectionId}/groups`
    RemoveConnectionFromAllGroups(ConnectionId),
    /// `HEAD /api/hubs/{hub}/groups/{group}`
    GroupExists(GroupName),
    /// `POST /api/hubs/{hub}/groups/{group}/:send`
    SendToGroup {
        /// The group.
        group: GroupName,
        /// Who gets it, and for how long it matters.
        options: SendOptions,
    },
    /// `POST /api/hubs/{hub}/groups/{group}/:closeConnections`
    CloseGroup {
        /// The group.
        group: GroupName,
        /// Who is left out, and the reason that the others receive.
        options: CloseOptions,
    },
    /// `GET /api/hubs/{hub}/groups/{group}/connections`
    ListMembers {
        /// The group.
        group: GroupName,
        /// Which part of the list.
        page: PageRequest,
    },
    /// `PUT /api/hubs/{hub}/groups/{group}/connections/{connectionId}`
    AddConnectionToGroup {
        /// The group.
        group: GroupName,
        /// The connection.
        connection: ConnectionId,
    },
    /// `DELETE /api/hubs/{hub}/groups/{group}/connections/{connectionId}`
    RemoveConnectionFromGroup {
        /// The group.
        group: GroupName,
        /// The connection.
        connection: ConnectionId,
    },
    /// `HEAD /api/hubs/{hub}/users/{userId}`
    UserExists(UserId),
    /// `POST /api/hubs/{hub}/users/{userId}/:send`
    SendToUser {
        /// The user.
        user: UserId,
        /// For whom it matters, and for how long.
        options: SendOptions,
    },
    /// `POST /api/hubs/{hub}/users/{userId}/:closeConnections`
    CloseUser {
        /// The user.
        user: UserId,
        /// Who is left out, and the reason that the others receive.
        options: CloseOptions,
    },
    /// `PUT /api/hubs/{hub}/users/{userId}/groups/{group}`
    AddUserToGroup {
        /// The user.
        user: UserId,
        /// The group.
        group: GroupName,
    },
    /// `DELETE /api/hubs/{hub}/users/{userId}/groups/{group}`
    RemoveUserFromGroup {
        /// The user.
        user: UserId,
        /// The group.
        group: GroupName,
    },
    /// `DELETE /api/hubs/{hub}/users/{userId}/groups`
    RemoveUserFromAllGroups(UserId),
    /// `PUT /api/hubs/{hub}/permissions/{permission}/connections/{connectionId}`
    GrantPermission {
        /// To do what.
        permission: PermissionType,
        /// The connection.
        connection: ConnectionId,
        /// To which group.
        group: GroupName,
    },
    /// `HEAD /api/hubs/{hub}/permissions/{permission}/connections/{connectionId}`
    CheckPermission {
        /// To do what.
        permission: PermissionType,
        /// The connection.
        connection: ConnectionId,
        /// To which group.
        group: GroupName,
    },
    /// `DELETE /api/hubs/{hub}/permissions/{permission}/connections/{connectionId}`
    RevokePermission {
        /// To do what.
        permission: PermissionType,
        /// The connection.
        connection: ConnectionId,
        /// To which group.
        group: GroupName,
    },
}

impl Operation {
    /// Reads a request line: [`Route::find`], then [`Route::operation`]. A worker calls the two
    /// apart, with the caller's token checked between them.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with.
    pub fn parse(method: &str, path: &str, query: Option<&str>) -> Result<Self, Refusal> {
        Route::find(method, path)?.operation(query)
    }
}

/// What a `:send` says beside its message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendOptions {
    /// Connections that get no copy. Empty where the operation has no such parameter.
    pub excluded: Vec<ConnectionId>,
    /// Only connections that it matches get one. `None` where the operation has no such parameter.
    pub filter: Option<Filter>,
    /// How long undelivered copies are worth keeping.
    pub ttl: TimeToLive,
}

/// What a `:closeConnections` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloseOptions {
    /// Connections that stay.
    pub excluded: Vec<ConnectionId>,
    /// The reason that the clients receive; never empty, and as long as it was given.
    pub reason: Option<String>,
}

/// What a client token made by the service is to say.
///
/// Source: docs/spec/rest.md#tokens-for-clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Whom the client acts for; `None` makes an anonymous user's token.
    pub user_id: Option<UserId>,
    /// Its roles, as written.
    pub roles: Vec<String>,
    /// The groups that its connections join.
    pub groups: Vec<GroupName>,
    /// How long it can open connections.
    pub lifetime: Duration,
    /// Which endpoint it opens.
    pub client_type: ClientType,
}

/// The kinds of client, each with its own endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientType {
    /// `/client/hubs/{hub}`.
    #[default]
    Default,
    /// `/clients/mqtt/hubs/{hub}`.
    Mqtt,
}
