//! The body of `connect` and what its answer says.

use crate::event_handler::HandlerAnswer;
use crate::name::{GroupName, UserId};

/// What a client asks for, as its handler is told.
#[derive(Debug, Clone, Copy)]
pub struct ConnectBody<'a> {
    /// The claims of its token: its payload as JSON; `{}` where there is none.
    pub claims: &'a str,
    /// Its URL's query as it came.
    pub query: Option<&'a str>,
    /// Names and values of its headers.
    pub headers: &'a [(String, String)],
    /// Its `Sec-WebSocket-Protocol`.
    pub offer: Option<&'a str>,
}

impl ConnectBody<'_> {
    /// Writes the body.
    ///
    /// Source: `CloudEvents` spec, section 4.
    #[must_use]
    pub fn encode(&self) -> String {
        todo!()
    }
}

/// What a handler that lets a client in says of it. `None` keeps what the token says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectAnswer {
    /// The user; an empty one is none.
    pub user: Option<Option<UserId>>,
    /// Groups, if there are any.
    pub groups: Option<Vec<GroupName>>,
    /// Roles.
    pub roles: Option<Vec<String>>,
    /// The subprotocol's name.
    pub subprotocol: Option<String>,
}

/// The answer is none that lets a client in, and none that refuses it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl ConnectAnswer {
    /// Reads a successful answer.
    ///
    /// # Errors
    /// [`Unreadable`]: the client is answered 500.
    ///
    /// Source: `CloudEvents` spec, section 4.
    pub fn parse(_answer: &HandlerAnswer) -> Result<Self, Unreadable> {
        todo!()
    }
}
