use std::borrow::Cow;

use super::Refusal;

/// What carrying out an operation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The service is up: 200.
    Healthy,
    /// A client token: 200.
    Token(String),
    /// A message is on its way, whether or not anyone gets it: 202.
    Accepted,
    /// What was asked for is there: 200.
    Exists(Subject),
    /// What was asked for is not there: 404.
    Missing(Subject),
}

/// What an existence check asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A connection of the hub, one that waits to be recovered included.
    Connection,
    /// A group with at least one member.
    Group,
    /// A user with at least one connection.
    User,
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; empty for none.
    pub body: String,
}

/// The response to a request that was carried out.
#[must_use]
pub fn respond(_outcome: Outcome) -> Response {
    Response { status: 200, headers: Vec::new(), body: String::new() }
}

/// The response to a request that was not; `method` because an answer to `HEAD` has no body.
#[must_use]
pub fn refuse(_refusal: &Refusal, _method: &str) -> Response {
    Response { status: 400, headers: Vec::new(), body: String::new() }
}
