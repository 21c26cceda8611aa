use std::borrow::Cow;
use std::fmt;

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
const CHALLENGE: &str = "www-authenticate";
const BAD_REQUEST: &str = "Error.BadRequest";
const UNAUTHORIZED: &str = "Error.Unauthorized";

/// The response to a request that was carried out.
///
/// Source: docs/spec/rest.md#operations.
#[must_use]
pub fn respond(outcome: Outcome) -> Response {
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
            body.text("token", &token);
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
        let versions = (VERSIONS_HEADER, Cow::Owned(VERSIONS.join(", ")));
        Self { status, headers: vec![versions], body: String::new() }
    }

    fn json(status: u16, body: String) -> Self {
        Self { body, ..Self::empty(status) }.with("content-type", JSON)
    }

    fn error(status: u16, code: &'static str, target: &str, message: &str) -> Self {
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
            Self::Filter(error) => return ("filter", error.to_string().into()),
            Self::BodyFilter(error) => return ("Filter", error.to_string().into()),
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
                "Unsupported Content-Type. Use `application/json` in UTF-8 or, for messages, `text/plain` or `application/octet-stream`.",
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
mod tests {
    use super::*;
    use crate::filter::Filter;
    use crate::rest::Member;

    fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| &**value)
    }

    #[test]
    fn success_has_the_status_that_sdks_insist_on_and_no_body() {
        let cases = [
            (Outcome::Healthy, 200),
            (Outcome::Accepted, 202),
            (Outcome::Exists(Subject::Connection), 200),
            (Outcome::Exists(Subject::Group), 200),
            (Outcome::Exists(Subject::User), 200),
            (Outcome::Exists(Subject::Permission), 200),
            (Outcome::Added, 200),
            (Outcome::Removed, 204),
        ];
        for (outcome, status) in cases {
            let response = respond(outcome);
            assert_eq!((response.status, response.body.as_str()), (status, ""));
            assert_eq!(header(&response, "x-ms-error-code"), None);
        }
    }

    #[test]
    fn what_is_missing_is_named_in_a_header() {
        let cases = [
            (Subject::Connection, "Warning.Connection.NotExisted"),
            (Subject::Group, "Warning.Group.NotExisted"),
            (Subject::User, "Warning.User.NotExisted"),
            (Subject::Permission, "Info.Connection.NotExisted"),
        ];
        for (subject, code) in cases {
            let response = respond(Outcome::Missing(subject));
            assert_eq!((response.status, response.body.as_str()), (404, ""));
            assert_eq!(header(&response, "x-ms-error-code"), Some(code));
        }
    }

    #[test]
    fn whoever_cannot_be_changed_is_named_in_the_body() {
        let connection = || ConnectionId::parse("abc").unwrap();
        let user = UserId::parse("dev").unwrap();
        let cases = [
            (
                Outcome::NoConnectionToAdd(connection()),
                404,
                "Error.Connection.NotExisted",
                r#"{"code":"Error.Connection.NotExisted","message":"Connection `abc` is not found.","target":"Connection","details":null,"innererror":null}"#,
            ),
            (
                Outcome::NoUserToAdd(user),
                404,
                "Error.User.NotExisted",
                r#"{"code":"Error.User.NotExisted","message":"User `dev` is not found.","target":"User","details":null,"innererror":null}"#,
            ),
            (
                Outcome::NoConnectionToGrant(connection()),
                404,
                "Info.Connection.NotExisted",
                r#"{"code":"Info.Connection.NotExisted","message":"Connection `abc` is not found.","target":"Connection","details":null,"innererror":null}"#,
            ),
            (
                Outcome::TooManyPermissions(connection()),
                409,
                "Error.Connection.Conflict",
                r#"{"code":"Error.Connection.Conflict","message":"Connection `abc` has entries of this permission for 1000 groups, which is the limit.","target":"Connection","details":null,"innererror":null}"#,
            ),
        ];
        for (outcome, status, code, body) in cases {
            let response = respond(outcome);
            assert_eq!((response.status, response.body.as_str()), (status, body));
            assert_eq!(header(&response, "x-ms-error-code"), Some(code));
            assert_eq!(header(&response, "content-type"), Some("application/json; charset=utf-8"));
        }
    }

    #[test]
    fn a_page_lists_members_and_says_where_the_next_one_is() {
        let member = |connection, user: Option<&str>| Member {
            connection: ConnectionId::parse(connection).unwrap(),
            user: user.map(|user| UserId::parse(user).unwrap()),
        };
        let members = vec![member("c1", Some("alice")), member("c2", None)];
        let next_link = Some("https://example.com/next?a=\"".to_owned());
        let response = respond(Outcome::Members(MemberPage { members, next_link }));
        assert_eq!(
            (response.status, response.body.as_str()),
            (
                200,
                r#"{"value":[{"connectionId":"c1","userId":"alice"},{"connectionId":"c2","userId":null}],"nextLink":"https://example.com/next?a=\""}"#
            )
        );
        let response = respond(Outcome::Members(MemberPage { members: vec![], next_link: None }));
        assert_eq!((response.status, response.body.as_str()), (200, r#"{"value":[],"nextLink":null}"#));
        assert_eq!(header(&response, "content-type"), Some("application/json; charset=utf-8"));
    }

    #[test]
    fn a_token_comes_as_json_and_is_not_printed() {
        let outcome = Outcome::Token("a.b.c".to_owned());
        assert_eq!(format!("{outcome:?}"), "Token");
        let response = respond(outcome);
        assert_eq!((response.status, response.body.as_str()), (200, r#"{"token":"a.b.c"}"#));
        assert_eq!(header(&response, "content-type"), Some("application/json; charset=utf-8"));
        assert!(!format!("{response:?}").contains("a.b.c"));
    }

    #[test]
    fn errors_say_what_where_and_what_to_do() {
        let response = refuse(&Refusal::Hub, "POST");
        assert_eq!(response.status, 400);
        assert_eq!(
            response.body,
            r#"{"code":"Error.BadRequest","message":"Invalid hub name.","target":"hub","details":null,"innererror":null}"#
        );
        assert_eq!(header(&response, "x-ms-error-code"), Some("Error.BadRequest"));
        assert_eq!(header(&response, "content-type"), Some("application/json; charset=utf-8"));
    }

    #[test]
    fn an_answer_to_head_has_its_error_in_the_header_only() {
        let response = refuse(&Refusal::Group, "HEAD");
        assert_eq!((response.status, response.body.as_str()), (400, ""));
        assert_eq!(header(&response, "x-ms-error-code"), Some("Error.BadRequest"));
        assert_eq!(header(&response, "content-type"), None);
    }

    #[test]
    fn a_refused_token_is_answered_with_what_failed() {
        let why = "The access token has expired.";
        let body = r#"{"code":"Error.Unauthorized","message":"The access token has expired.","target":"Request","details":null,"innererror":null}"#;
        for method in ["POST", "HEAD"] {
            let response = refuse(&Refusal::Unauthorized { why }, method);
            assert_eq!(response.status, 401);
            assert_eq!(response.body, if method == "HEAD" { "" } else { body });
            assert_eq!(header(&response, "www-authenticate"), Some("Bearer"));
            assert_eq!(header(&response, "x-ms-error-code"), Some("Error.Unauthorized"));
        }
        let response = turn_away(401, why);
        assert_eq!((response.status, response.body.as_str()), (401, body));
        assert_eq!(header(&response, "www-authenticate"), Some("Bearer"));
        assert_eq!(header(&response, "api-supported-versions"), None);
        let response = turn_away(403, "The event handler refused the connection.");
        assert_eq!(header(&response, "x-ms-error-code"), Some("Error.Forbidden"));
    }

    #[test]
    fn a_bad_filter_is_a_validation_problem() {
        let error = || Filter::parse("invalid filter").unwrap_err();
        for (refusal, target) in
            [(Refusal::Filter(error()), "filter"), (Refusal::BodyFilter(error()), "Filter")]
        {
            let response = refuse(&refusal, "POST");
            let message = "Invalid syntax for 'invalid filter': Syntax error at position 14 in 'invalid filter'. (Parameter 'filter')";
            assert_eq!(response.status, 400);
            assert_eq!(
                response.body,
                format!(
                    r#"{{"code":"Error.BadRequest","message":"{message}","target":"{target}","errors":{{"{target}":["{message}"]}},"type":null,"title":"One or more validation errors occurred.","status":400,"detail":null,"instance":null,"extensions":{{}}}}"#
                )
            );
            assert_eq!(header(&response, "content-type"), Some("application/problem+json; charset=utf-8"));
            assert_eq!(header(&response, "x-ms-error-code"), Some("Error.BadRequest"));
            assert_eq!(header(&response, "api-supported-versions"), None);
        }
    }

    #[test]
    fn another_method_gets_405_with_the_allowed_ones() {
        let response = refuse(&Refusal::Method { allow: "POST".to_owned() }, "GET");
        assert_eq!(response.status, 405);
        assert_eq!(header(&response, "allow"), Some("POST"));
    }

    #[test]
    fn every_response_but_a_validation_problem_lists_the_versions() {
        let versions = "2021-10-01, 2022-11-01, 2023-07-01, 2024-01-01, 2024-12-01";
        for response in [
            respond(Outcome::Accepted),
            respond(Outcome::Missing(Subject::User)),
            refuse(&Refusal::Unauthorized { why: "" }, "POST"),
            refuse(&Refusal::UnknownPath, "GET"),
            refuse(&Refusal::Internal, "HEAD"),
        ] {
            assert_eq!(header(&response, "api-supported-versions"), Some(versions));
        }
    }
}
