//! Every answer of the REST API: statuses, headers and texts.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use super::{MAX_TOKEN_MINUTES, MemberPage, Refusal, VERSIONS};
use crate::data::MetadataError;
use crate::json::Writer;
use crate::limits::{
    MAX_LITERAL_PERMISSIONS, MAX_METADATA_BYTES, MAX_METADATA_KEY_BYTES, MAX_METADATA_VALUE_BYTES,
    MAX_PAGE_SIZE, MAX_TOP, MAX_TTL_SECONDS,
};
use crate::name::{ConnectionId, UserId};

/// What carrying out an operation came to.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The service is up: 200.
    Healthy,
    /// A client token: 200.
    Token(String),
    /// A message is on its way, whether or not anyone gets it: 202.
    Accepted,
    /// Memberships were added or a permission granted, or it was so already: 200.
    Added,
    /// Connections, memberships or a permission are gone, whether or not they were there: 204.
    Removed,
    /// Members of a group: 200.
    Members(MemberPage),
    /// What was asked for is there: 200.
    Exists(Subject),
    /// What was asked for is not there: 404.
    Missing(Subject),
    /// A connection that is not there cannot be added to a group: 404.
    NoConnectionToAdd(ConnectionId),
    /// A user without connections cannot be added to a group: 404.
    NoUserToAdd(UserId),
    /// A connection that is not there cannot be granted anything: 404.
    NoConnectionToGrant(ConnectionId),
    /// A connection has [`MAX_LITERAL_PERMISSIONS`] entries of this kind already: 409.
    TooManyPermissions(ConnectionId),
    /// A connection that was to be added to groups would be in more than it may be: 409.
    TooManyGroups,
}

/// What a check asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A connection of the hub, one that waits to be recovered included.
    Connection,
    /// A group with at least one member.
    Group,
    /// A user with at least one connection.
    User,
    /// A permission that a connection has.
    Permission,
}

/// An HTTP response.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; empty for none.
    pub body: String,
}

const JSON: &str = "application/json; charset=utf-8";
const PROBLEM: &str = "application/problem+json; charset=utf-8";
const ERROR_CODE: &str = "x-ms-error-code";
const VERSIONS_HEADER: &str = "api-supported-versions";
static SUPPORTED_VERSIONS: LazyLock<String> = LazyLock::new(|| VERSIONS.join(", "));
const CHALLENGE: &str = "www-authenticate";
const BAD_REQUEST: &str = "Error.BadRequest";
const UNAUTHORIZED: &str = "Error.Unauthorized";

/// The response to a request that was carried out.
///
/// Source: docs/spec/rest.md#operations.
#[must_use]
pub fn respond(outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Healthy
        | Outcome::Added
        | Outcome::Exists(Subject::Connection | Subject::Group | Subject::User | Subject::Permission) => {
            Response::empty(200)
        }
        Outcome::Accepted => Response::empty(202),
        Outcome::Removed => Response::empty(204),
        Outcome::Token(token) => {
            let mut body = Writer::object();
            body.text("token", token);
            Response::json(200, body.finish())
        }
        Outcome::Members(page) => Response::json(200, page.to_json()),
        // Only asked for with HEAD, whose answers have no body.
        Outcome::Missing(subject) => Response::empty(404).with(
            ERROR_CODE,
            match subject {
                Subject::Connection => "Warning.Connection.NotExisted",
                Subject::Group => "Warning.Group.NotExisted",
                Subject::User => "Warning.User.NotExisted",
                Subject::Permission => "Info.Connection.NotExisted",
            },
        ),
        Outcome::NoConnectionToAdd(connection) => {
            not_found("Connection", connection.as_str(), "Error.Connection.NotExisted")
        }
        Outcome::NoUserToAdd(user) => not_found("User", user.as_str(), "Error.User.NotExisted"),
        Outcome::NoConnectionToGrant(connection) => {
            not_found("Connection", connection.as_str(), "Info.Connection.NotExisted")
        }
        Outcome::TooManyPermissions(connection) => {
            let message = format!(
                "Connection `{connection}` has entries of this permission for {MAX_LITERAL_PERMISSIONS} groups, which is the limit."
            );
            conflict(&message)
        }
        Outcome::TooManyGroups => conflict("A connection would be in more groups than it may be."),
    }
}

fn conflict(message: &str) -> Response {
    Response::error(409, "Error.Connection.Conflict", "Connection", message)
}

fn not_found(target: &'static str, id: &str, code: &'static str) -> Response {
    Response::error(404, code, target, &format!("{target} `{id}` is not found."))
}

/// The response to a request that was not; `method` because an answer to `HEAD` has no body.
///
/// Source: docs/spec/rest.md#errors.
#[must_use]
pub fn refuse(refusal: &Refusal, method: &str) -> Response {
    let (status, code) = refusal.status();
    let (target, message) = refusal.text();
    let response = if method == "HEAD" {
        Response::empty(status).with(ERROR_CODE, code)
    } else if matches!(refusal, Refusal::Filter(_) | Refusal::BodyFilter(_)) {
        Response::invalid_filter(target, &message)
    } else {
        Response::error(status, code, target, &message)
    };
    if let Refusal::Method { allow } = refusal {
        response.with("allow", allow.clone())
    } else if status == 401 {
        response.with(CHALLENGE, "Bearer")
    } else if status == 429 {
        response.with("retry-after", "60")
    } else {
        response
    }
}

/// The response to a client that is not let in: 401, or 403 where an event handler says so. `why` is
/// a sentence for people.
///
/// Source: docs/spec/client.md#handshake.
#[must_use]
pub fn turn_away(status: u16, why: &str) -> Response {
    let code = if status == 403 { "Error.Forbidden" } else { UNAUTHORIZED };
    let mut response = Response::error(status, code, "Request", why).with(CHALLENGE, "Bearer");
    response.headers.retain(|(name, _)| *name != VERSIONS_HEADER);
    response
}

/// Leaves the token out.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("Healthy"),
            Self::Token(_) => f.write_str("Token"),
            Self::Accepted => f.write_str("Accepted"),
            Self::Added => f.write_str("Added"),
            Self::Removed => f.write_str("Removed"),
            Self::TooManyGroups => f.write_str("TooManyGroups"),
            Self::Members(page) => f.debug_tuple("Members").field(page).finish(),
            Self::Exists(subject) => f.debug_tuple("Exists").field(subject).finish(),
            Self::Missing(subject) => f.debug_tuple("Missing").field(subject).finish(),
            Self::NoConnectionToAdd(connection) => {
                f.debug_tuple("NoConnectionToAdd").field(connection).finish()
            }
            Self::NoUserToAdd(user) => f.debug_tuple("NoUserToAdd").field(user).finish(),
            Self::NoConnectionToGrant(connection) => {
                f.debug_tuple("NoConnectionToGrant").field(connection).finish()
            }
            Self::TooManyPermissions(connection) => {
                f.debug_tuple("TooManyPermissions").field(connection).finish()
            }
        }
    }
}

/// Leaves the body out, which may be a token.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Response {
    fn empty(status: u16) -> Self {
        let versions = (VERSIONS_HEADER, Cow::Borrowed(SUPPORTED_VERSIONS.as_str()));
        Self { status, headers: vec![versions], body: String::new() }
    }

    fn json(status: u16, body: String) -> Self {
        Self { body, ..Self::empty(status) }.with("content-type", JSON)
    }

    /// The response to what is not done: a word for programs, what the fault is in, and a sentence for people.
    ///
    /// Source: docs/spec/rest.md#errors.
    #[must_use]
    pub fn error(status: u16, code: &'static str, target: &str, message: &str) -> Self {
        let mut body = error_body(code, message, target);
        body.json("details", "null").json("innererror", "null");
        Self::json(status, body.finish()).with(ERROR_CODE, code)
    }

    /// A filter that is none of the language is answered in the shape of the framework that the
    /// hosted service reads parameters with, which its SDKs do not parse.
    ///
    /// Source: docs/spec/rest.md#filter-errors.
    fn invalid_filter(target: &str, message: &str) -> Self {
        let mut errors = Writer::object();
        errors.json(target, &Writer::texts(&[message]));
        let mut body = error_body(BAD_REQUEST, message, target);
        body.json("errors", &errors.finish()).json("type", "null");
        body.text("title", "One or more validation errors occurred.").number("status", 400);
        body.json("detail", "null").json("instance", "null").json("extensions", "{}");
        Self { status: 400, headers: Vec::new(), body: body.finish() }
            .with("content-type", PROBLEM)
            .with(ERROR_CODE, BAD_REQUEST)
    }

    fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

fn error_body(code: &str, message: &str, target: &str) -> Writer {
    let mut body = Writer::object();
    body.text("code", code).text("message", message).text("target", target);
    body
}

impl Refusal {
    /// The HTTP status, and the word for programs.
    const fn status(&self) -> (u16, &'static str) {
        match self {
            Self::UnknownPath | Self::NotFound { .. } => (404, "Error.NotFound"),
            Self::Forbidden { .. } => (403, "Error.Forbidden"),
            Self::TooManyRequests { .. } => (429, "Error.TooManyRequests"),
            Self::Method { .. } => (405, "Error.MethodNotAllowed"),
            Self::Unauthorized { .. } => (401, UNAUTHORIZED),
            Self::Encoding { .. }
            | Self::Hub
            | Self::Group
            | Self::User
            | Self::Connection
            | Self::Dots { .. }
            | Self::ApiVersion
            | Self::Repeated { .. }
            | Self::ParameterEncoding { .. }
            | Self::TimeToLive
            | Self::MinutesToExpire
            | Self::ClientType
            | Self::Filter(_)
            | Self::BodyFilter(_)
            | Self::Permission
            | Self::TargetName
            | Self::MaxPageSize
            | Self::Top
            | Self::ContinuationToken
            | Self::Parameter { .. }
            | Self::Groups
            | Self::FilterNotText
            | Self::TooLong
            | Self::NotText
            | Self::NotJson
            | Self::Null
            | Self::Metadata(_) => (400, BAD_REQUEST),
            Self::ContentType => (415, "Error.UnsupportedMediaType"),
            Self::Internal => (500, "Error.InternalServerError"),
        }
    }

    /// What the fault is in, and what is wrong and how to mend it. Where the hosted service's text
    /// is known, it is that, word for word.
    fn text(&self) -> (&'static str, Cow<'static, str>) {
        let (target, text) = match self {
            Self::UnknownPath => {
                ("Request", "There is no such path in the REST API. Paths begin with `/api/hubs/{hub}/`.")
            }
            Self::Unauthorized { why }
            | Self::Forbidden { why }
            | Self::NotFound { why }
            | Self::TooManyRequests { why } => ("Request", *why),
            Self::Hub => ("hub", "Invalid hub name."),
            Self::Group => ("group", "Invalid group name."),
            Self::User => ("userId", "Invalid userId. It must not be blank."),
            Self::Connection => ("connectionId", "Invalid connectionId. It must not be blank."),
            Self::ClientType => ("clientType", "Invalid clientType. It is `Default` or `MQTT`."),
            Self::Permission => {
                ("permission", "Invalid permission. It is `sendToGroup` or `joinLeaveGroup`.")
            }
            Self::TargetName => (
                "Request",
                "Invalid group name. Valid group name should be in between 1 and 1024 characters long.",
            ),
            Self::ContinuationToken => ("continuationToken", "Invalid continuationToken."),
            Self::Groups => ("groups", "A nonempty list of valid group names is required."),
            Self::FilterNotText => ("filter", "Invalid filter. It is a string or null."),
            Self::Filter(error) => return ("filter", format!("{error}").into()),
            Self::BodyFilter(error) => return ("Filter", format!("{error}").into()),
            Self::Dots { name } => {
                let target = if *name == "group name" { "group" } else { name };
                let text = format!(
                    "Invalid {name}. `.` and `..` are no names, since URLs resolve them as path segments."
                );
                return (target, text.into());
            }
            Self::MaxPageSize => {
                let text = format!("Invalid maxpagesize. It is a whole number from 1 to {MAX_PAGE_SIZE}.");
                return ("maxpagesize", text.into());
            }
            Self::Top => {
                let text = format!("Invalid top. It is a whole number from 1 to {MAX_TOP}.");
                return ("top", text.into());
            }
            Self::Parameter { name, rule } => return (name, format!("Invalid {name}. {rule}").into()),
            Self::ContentType => (
                "Content-Type",
                "Unsupported Content-Type. Use `application/json` or, for messages, `text/plain` or `application/octet-stream`, in a known charset.",
            ),
            Self::TooLong => ("Request", "Invalid Content-Length header."),
            Self::NotText => ("Request", "The request body is not text in the charset of its Content-Type."),
            Self::NotJson => ("Request", "The request body is not a valid JSON."),
            Self::Null => (
                "Request",
                "The request body is the JSON value null, which clients cannot receive. Send another value.",
            ),
            Self::Internal => ("Request", "Internal server error. Try again."),
            Self::Method { allow } => return ("Request", format!("This path only takes {allow}.").into()),
            Self::Encoding { name } => {
                (*name, "The name in the path is not percent-encoded UTF-8. Encode each name by itself.")
            }
            Self::ParameterEncoding { name } => (*name, "The query parameter is not percent-encoded UTF-8."),
            Self::Repeated { name } => {
                return (name, format!("The query parameter `{name}` is repeated. Give it once.").into());
            }
            Self::ApiVersion => {
                let versions = VERSIONS.join(", ");
                return ("api-version", format!("Unknown api-version. Use one of {versions}.").into());
            }
            Self::TimeToLive => {
                let text =
                    format!("Invalid messageTtlSeconds. It is a whole number from 0 to {MAX_TTL_SECONDS}.");
                return ("messageTtlSeconds", text.into());
            }
            Self::MinutesToExpire => {
                let text =
                    format!("Invalid minutesToExpire. It is a whole number from 1 to {MAX_TOKEN_MINUTES}.");
                return ("minutesToExpire", text.into());
            }
            Self::Metadata(error) => {
                let text = rule_of(*error);
                return ("X-WebPubSub-Metadata", format!("Invalid message metadata. {text}").into());
            }
        };
        (target, Cow::Borrowed(text))
    }
}

/// What metadata has to keep to that does not.
fn rule_of(error: MetadataError) -> Cow<'static, str> {
    match error {
        MetadataError::Key => format!("A key is 1 to {MAX_METADATA_KEY_BYTES} HTTP token characters.").into(),
        MetadataError::DuplicateKey => "Each key is used once.".into(),
        MetadataError::Value => {
            format!("A value is at most {MAX_METADATA_VALUE_BYTES} ASCII characters.").into()
        }
        MetadataError::TooLarge => format!("All of it is at most {MAX_METADATA_BYTES} bytes.").into(),
    }
}

#[cfg(test)]
mod tests;
