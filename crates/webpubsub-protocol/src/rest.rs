//! What servers ask of the service over HTTP, and what it answers.
//!
//! A worker goes through these in order, and answers the first [`Refusal`] that it meets: it finds
//! the [`Route`], checks the caller's token, makes the [`Operation`], reads the body of a message with
//! [`parse_content_type`] and [`message_data`] or that of a bulk operation with [`groups_body`], and
//! turns the [`Outcome`] into a [`Response`]. Routes and [`openapi()`] come from one table.
//!
//! ```
//! use webpubsub_protocol::rest::{Operation, Outcome, Route, respond};
//!
//! let route = Route::find("POST", "/api/hubs/chat/users/tenant%2Falice/:send")?;
//! assert!(route.needs_token());
//! let operation = route.operation(Some("api-version=2024-12-01"))?;
//! assert!(matches!(&operation, Operation::SendToUser { user, .. } if user.as_str() == "tenant/alice"));
//! assert_eq!(respond(Outcome::Accepted).status, 202);
//! # Ok::<(), webpubsub_protocol::rest::Refusal>(())
//! ```

mod body;
mod groups;
mod openapi;
mod page;
mod parse;
mod respond;
mod table;

use std::time::Duration;

pub use body::{
    Charset, ContentKind, METADATA_PREFIX, check_length, message_data, message_metadata, parse_content_type,
};
pub use groups::{GroupsRequest, groups_body};
pub use openapi::openapi;
pub use page::{FirstMembers, Member, MemberPage, NextPage, PageRequest, next_link};
pub use parse::{Query, Route};
pub use respond::{Outcome, Response, Subject, refuse, respond, turn_away};

use crate::data::{MetadataError, TimeToLive};
use crate::filter::{Filter, FilterError};
use crate::name::{ConnectionId, GroupName, HubName, NameError, UserId};
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
    /// `POST /api/hubs/{hub}/:send`
    SendToAll {
        /// The hub.
        hub: HubName,
        /// Who gets it, and for how long it matters.
        options: SendOptions,
    },
    /// `POST /api/hubs/{hub}/:closeConnections`
    CloseAll {
        /// The hub.
        hub: HubName,
        /// Who is left out, and the reason that the others receive.
        options: CloseOptions,
    },
    /// `POST /api/hubs/{hub}/:addToGroups`. Which groups, and for whom, is in the body: [`groups_body`].
    AddToGroups {
        /// The hub.
        hub: HubName,
    },
    /// `POST /api/hubs/{hub}/:removeFromGroups`. Which groups, and for whom, is in the body: [`groups_body`].
    RemoveFromGroups {
        /// The hub.
        hub: HubName,
    },
    /// `HEAD /api/hubs/{hub}/connections/{connectionId}`
    ConnectionExists {
        /// The hub.
        hub: HubName,
        /// The connection.
        connection: ConnectionId,
    },
    /// `DELETE /api/hubs/{hub}/connections/{connectionId}`
    CloseConnection {
        /// The hub.
        hub: HubName,
        /// The connection.
        connection: ConnectionId,
        /// The reason that the client receives.
        reason: Option<String>,
    },
    /// `POST /api/hubs/{hub}/connections/{connectionId}/:send`
    SendToConnection {
        /// The hub.
        hub: HubName,
        /// The connection.
        connection: ConnectionId,
        /// For how long it matters.
        options: SendOptions,
    },
    /// `DELETE /api/hubs/{hub}/connections/{connectionId}/groups`
    RemoveConnectionFromAllGroups {
        /// The hub.
        hub: HubName,
        /// The connection.
        connection: ConnectionId,
    },
    /// `HEAD /api/hubs/{hub}/groups/{group}`
    GroupExists {
        /// The hub.
        hub: HubName,
        /// The group.
        group: GroupName,
    },
    /// `POST /api/hubs/{hub}/groups/{group}/:send`
    SendToGroup {
        /// The hub.
        hub: HubName,
        /// The group.
        group: GroupName,
        /// Who gets it, and for how long it matters.
        options: SendOptions,
    },
    /// `POST /api/hubs/{hub}/groups/{group}/:closeConnections`
    CloseGroup {
        /// The hub.
        hub: HubName,
        /// The group.
        group: GroupName,
        /// Who is left out, and the reason that the others receive.
        options: CloseOptions,
    },
    /// `GET /api/hubs/{hub}/groups/{group}/connections`
    ListMembers {
        /// The hub.
        hub: HubName,
        /// The group.
        group: GroupName,
        /// Which part of the list.
        page: PageRequest,
    },
    /// `PUT /api/hubs/{hub}/groups/{group}/connections/{connectionId}`
    AddConnectionToGroup {
        /// The hub.
        hub: HubName,
        /// The group.
        group: GroupName,
        /// The connection.
        connection: ConnectionId,
    },
    /// `DELETE /api/hubs/{hub}/groups/{group}/connections/{connectionId}`
    RemoveConnectionFromGroup {
        /// The hub.
        hub: HubName,
        /// The group.
        group: GroupName,
        /// The connection.
        connection: ConnectionId,
    },
    /// `HEAD /api/hubs/{hub}/users/{userId}`
    UserExists {
        /// The hub.
        hub: HubName,
        /// The user.
        user: UserId,
    },
    /// `POST /api/hubs/{hub}/users/{userId}/:send`
    SendToUser {
        /// The hub.
        hub: HubName,
        /// The user.
        user: UserId,
        /// For whom it matters, and for how long.
        options: SendOptions,
    },
    /// `POST /api/hubs/{hub}/users/{userId}/:closeConnections`
    CloseUser {
        /// The hub.
        hub: HubName,
        /// The user.
        user: UserId,
        /// Who is left out, and the reason that the others receive.
        options: CloseOptions,
    },
    /// `PUT /api/hubs/{hub}/users/{userId}/groups/{group}`
    AddUserToGroup {
        /// The hub.
        hub: HubName,
        /// The user.
        user: UserId,
        /// The group.
        group: GroupName,
    },
    /// `DELETE /api/hubs/{hub}/users/{userId}/groups/{group}`
    RemoveUserFromGroup {
        /// The hub.
        hub: HubName,
        /// The user.
        user: UserId,
        /// The group.
        group: GroupName,
    },
    /// `DELETE /api/hubs/{hub}/users/{userId}/groups`
    RemoveUserFromAllGroups {
        /// The hub.
        hub: HubName,
        /// The user.
        user: UserId,
    },
    /// `PUT /api/hubs/{hub}/permissions/{permission}/connections/{connectionId}`
    GrantPermission {
        /// The hub.
        hub: HubName,
        /// To do what.
        permission: PermissionType,
        /// The connection.
        connection: ConnectionId,
        /// To which group.
        group: GroupName,
    },
    /// `HEAD /api/hubs/{hub}/permissions/{permission}/connections/{connectionId}`
    CheckPermission {
        /// The hub.
        hub: HubName,
        /// To do what.
        permission: PermissionType,
        /// The connection.
        connection: ConnectionId,
        /// To which group.
        group: GroupName,
    },
    /// `DELETE /api/hubs/{hub}/permissions/{permission}/connections/{connectionId}`
    RevokePermission {
        /// The hub.
        hub: HubName,
        /// To do what.
        permission: PermissionType,
        /// The connection.
        connection: ConnectionId,
        /// To which group.
        group: GroupName,
    },
}

impl Refusal {
    /// What a name is refused with that is not one of a hub: `otherwise`, unless it is `.` or `..`.
    pub(crate) fn of_name(error: NameError, name: &'static str, otherwise: Self) -> Self {
        if error == NameError::Dots { Self::Dots { name } } else { otherwise }
    }
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

    /// The hub that it is about.
    #[must_use]
    pub const fn hub(&self) -> Option<&HubName> {
        match self {
            Self::Health | Self::OpenApi => None,
            Self::GenerateToken { hub, .. }
            | Self::SendToAll { hub, .. }
            | Self::CloseAll { hub, .. }
            | Self::AddToGroups { hub }
            | Self::RemoveFromGroups { hub }
            | Self::ConnectionExists { hub, .. }
            | Self::CloseConnection { hub, .. }
            | Self::SendToConnection { hub, .. }
            | Self::RemoveConnectionFromAllGroups { hub, .. }
            | Self::GroupExists { hub, .. }
            | Self::SendToGroup { hub, .. }
            | Self::CloseGroup { hub, .. }
            | Self::ListMembers { hub, .. }
            | Self::AddConnectionToGroup { hub, .. }
            | Self::RemoveConnectionFromGroup { hub, .. }
            | Self::UserExists { hub, .. }
            | Self::SendToUser { hub, .. }
            | Self::CloseUser { hub, .. }
            | Self::AddUserToGroup { hub, .. }
            | Self::RemoveUserFromGroup { hub, .. }
            | Self::RemoveUserFromAllGroups { hub, .. }
            | Self::GrantPermission { hub, .. }
            | Self::CheckPermission { hub, .. }
            | Self::RevokePermission { hub, .. } => Some(hub),
        }
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

/// Why a request is not carried out. All but the last are the caller's to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404: the path is none of the API's.
    #[error("no such path in the REST API")]
    UnknownPath,
    /// 405: the path is one of the API's, the method is not.
    #[error("the path only takes {allow}")]
    Method {
        /// The methods that it takes, as the `Allow` header lists them.
        allow: String,
    },
    /// 401: the token is missing or refused.
    #[error("the token is missing or refused")]
    Unauthorized {
        /// A sentence that names the check that failed, and nothing that the check compares with.
        why: &'static str,
    },
    /// 400: a name in the path is not percent-encoded UTF-8.
    #[error("{name} in the path is not percent-encoded UTF-8")]
    Encoding {
        /// Which name, as the API's paths call it.
        name: &'static str,
    },
    /// 400: no hub name.
    #[error("invalid hub name")]
    Hub,
    /// 400: no group name.
    #[error("invalid group name")]
    Group,
    /// 400: no user id.
    #[error("invalid user id")]
    User,
    /// 400: no connection id.
    #[error("invalid connection id")]
    Connection,
    /// 400: a user, a group or a connection named `.` or `..`: see [`NameError::Dots`].
    #[error("`.` or `..` is no {name}")]
    Dots {
        /// What it was to name: `group name`, `userId` or `connectionId`.
        name: &'static str,
    },
    /// 400: a version that is not served.
    #[error("unknown api-version")]
    ApiVersion,
    /// 400: a parameter that stands once stands there again.
    #[error("query parameter {name} is repeated")]
    Repeated {
        /// Its name.
        name: &'static str,
    },
    /// 400: a parameter is not percent-encoded UTF-8.
    #[error("query parameter {name} is not percent-encoded UTF-8")]
    ParameterEncoding {
        /// Its name.
        name: &'static str,
    },
    /// 400: the time to live is not a whole number from 0 to 300.
    #[error("invalid messageTtlSeconds")]
    TimeToLive,
    /// 400: the token's life is not a whole number of minutes from 1 to 2147483647.
    #[error("invalid minutesToExpire")]
    MinutesToExpire,
    /// 400: a kind of client that is not served.
    #[error("invalid clientType")]
    ClientType,
    /// 400: no filter of the language, in the query.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// 400: no filter of the language, in the body.
    #[error(transparent)]
    BodyFilter(FilterError),
    /// 400: a permission that there is not.
    #[error("unknown permission")]
    Permission,
    /// 400: no group that a permission is for, or no group name.
    #[error("invalid targetName")]
    TargetName,
    /// 400: a page is not 1 to 200 members.
    #[error("invalid maxpagesize")]
    MaxPageSize,
    /// 400: a list is not 1 to 2147483647 members.
    #[error("invalid top")]
    Top,
    /// 400: none of our continuation tokens, or one of another list.
    #[error("invalid continuationToken")]
    ContinuationToken,
    /// 403: the caller is known, and may not do this.
    #[error("the request is forbidden")]
    Forbidden {
        /// A sentence that says why.
        why: &'static str,
    },
    /// 404: what is asked for is not there.
    #[error("there is no such thing")]
    NotFound {
        /// A sentence that says why.
        why: &'static str,
    },
    /// 429: it was asked too often, or there are too many already.
    #[error("too many requests")]
    TooManyRequests {
        /// A sentence that says why.
        why: &'static str,
    },
    /// 400: a parameter of an operator's request is not what it is to be.
    #[error("invalid {name}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What it is to be, as a sentence.
        rule: &'static str,
    },
    /// 400: the body names no groups, or what it names are no groups.
    #[error("the body has no list of group names")]
    Groups,
    /// 400: the body's filter is neither a string nor null.
    #[error("the body's filter is not a string")]
    FilterNotText,
    /// 415: a media type or charset that no message has.
    #[error("unsupported content type")]
    ContentType,
    /// 400: the body is longer than 1 MiB.
    #[error("the body is too long")]
    TooLong,
    /// 400: the body is not in the charset that it claims.
    #[error("the body is not text in its charset")]
    NotText,
    /// 400: the body is not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// 400: the body is JSON's `null`, which no client receives.
    #[error("the body is null")]
    Null,
    /// 400: a metadata header breaks its rules.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// 500: a fault of ours.
    #[error("the service failed")]
    Internal,
}
