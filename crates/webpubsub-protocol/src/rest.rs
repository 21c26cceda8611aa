//! What servers ask of the service over HTTP, and what it answers.

//!
//! A worker goes through these in order, and answers the first [`Refusal`] that it meets: it finds
//! the [`Route`], checks the caller's token, makes the [`Operation`], reads the body with
//! [`parse_content_type`] and [`message_data`], and turns the [`Outcome`] into a [`Response`].
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
mod parse;
mod respond;

use std::time::Duration;

pub use body::{Charset, ContentKind, check_length, message_data, message_metadata, parse_content_type};
pub use parse::Route;
pub use respond::{Outcome, Response, Subject, refuse, respond};

use crate::data::{MetadataError, TimeToLive};
use crate::name::{ConnectionId, GroupName, HubName, UserId};

/// The versions of the API, oldest first. Each serves every operation.
///
/// Source: REST spec, section 1.1.
pub const VERSIONS: [&str; 5] = ["2021-10-01", "2022-11-01", "2023-07-01", "2024-01-01", "2024-12-01"];

/// Previews, which are taken for the newest version.
///
/// Source: REST spec, section 1.1.
pub const PREVIEW_VERSIONS: [&str; 5] =
    ["2020-10-01", "2021-01-01", "2021-05-01-preview", "2021-08-01-preview", "2022-10-01-preview"];

/// How long a client token lives unless its request says otherwise, in minutes.
///
/// Source: REST spec, section 4.
pub const DEFAULT_TOKEN_MINUTES: u64 = 60;

/// The longest life of a client token, in minutes.
///
/// Source: REST spec, section 4.
pub const MAX_TOKEN_MINUTES: u64 = 2_147_483_647;

/// One call of the REST API, fully checked.
///
/// Source: REST spec, section 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `HEAD /api/health`
    Health,
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
        /// Who is left out, and for how long it matters.
        options: SendOptions,
    },
    /// `POST /api/hubs/{hub}/groups/{group}/:send`
    SendToGroup {
        /// The hub.
        hub: HubName,
        /// The group.
        group: GroupName,
        /// Who is left out, and for how long it matters.
        options: SendOptions,
    },
    /// `POST /api/hubs/{hub}/users/{userId}/:send`
    SendToUser {
        /// The hub.
        hub: HubName,
        /// The user.
        user: UserId,
        /// For how long it matters.
        options: SendOptions,
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
    /// `HEAD /api/hubs/{hub}/connections/{connectionId}`
    ConnectionExists {
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
    /// `HEAD /api/hubs/{hub}/users/{userId}`
    UserExists {
        /// The hub.
        hub: HubName,
        /// The user.
        user: UserId,
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

    /// The hub that it is about.
    #[must_use]
    pub const fn hub(&self) -> Option<&HubName> {
        match self {
            Self::Health => None,
            Self::GenerateToken { hub, .. }
            | Self::SendToAll { hub, .. }
            | Self::SendToGroup { hub, .. }
            | Self::SendToUser { hub, .. }
            | Self::SendToConnection { hub, .. }
            | Self::ConnectionExists { hub, .. }
            | Self::GroupExists { hub, .. }
            | Self::UserExists { hub, .. } => Some(hub),
        }
    }
}

/// What a `:send` says beside its message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendOptions {
    /// Connections that get no copy. Empty where the operation has no such parameter.
    pub excluded: Vec<ConnectionId>,
    /// How long undelivered copies are worth keeping.
    pub ttl: TimeToLive,
}

/// What a client token made by the service is to say.
///
/// Source: REST spec, section 4.
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
        allow: &'static str,
    },
    /// 401: the token is missing or refused.
    #[error("the token is missing or refused")]
    Unauthorized,
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
    /// 400: a filter, which is not evaluated.
    #[error("filters are not evaluated")]
    Filter,
    /// 415: a media type or charset that no message has.
    #[error("unsupported content type")]
    ContentType,
    /// 400: the body is longer than 1 MB.
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
