//! The URL that clients connect to.

use super::Echo;
use crate::name::{GroupName, HubName, NameError};

/// What a client's URL asks for, parsed once from the path and query as they came.
///
/// Source: client spec, section 1.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientEndpoint {
    /// The hub.
    pub hub: HubName,
    /// The hub as the client spelled it, percent-decoded.
    pub raw_hub: String,
    /// Which of the two forms of the URL it is.
    pub form: EndpointForm,
    /// The client's token; the worker looks into the `Authorization` header where there is none.
    pub access_token: Option<String>,
    /// The connection that the client wants back.
    pub recovery: Option<Recovery>,
    /// Every other parameter, percent-decoded, in order.
    pub query: Vec<(String, String)>,
}

/// The forms of a client's URL, which differ in what a token's audience may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointForm {
    /// `/client/hubs/{hub}`.
    Hubs,
    /// `/client?hub={hub}`.
    Legacy,
}

/// A connection that a client wants back after a drop.
///
/// Source: client spec, section 8.3.
#[derive(Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Which connection, not looked at: a wrong one is answered on the WebSocket.
    pub connection_id: String,
    /// What proves that it was the client's.
    pub reconnection_token: Option<String>,
}

/// Why a URL is no client endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The path is another one: 404.
    #[error("not a client endpoint")]
    NotAClientPath,
    /// The hub is missing or no hub name: 400.
    #[error(transparent)]
    Hub(#[from] NameError),
}

impl ClientEndpoint {
    /// Reads the raw path (before percent-decoding) and the raw query (without `?`).
    ///
    /// # Errors
    /// [`EndpointError`] where it is none.
    pub fn parse(_path: &str, _query: Option<&str>) -> Result<Self, EndpointError> {
        Err(EndpointError::NotAClientPath)
    }
}

/// What a simple client's frames do.
///
/// Source: client spec, section 5.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimpleMode {
    /// Each is the user event `message`.
    SendEvent,
    /// Each is published to one group.
    SendToGroup {
        /// Which group.
        group: GroupName,
        /// Whether the client hears its own frames, where it is a member.
        echo: Echo,
    },
}

/// Why the parameters choose no [`SimpleMode`]: 400 with this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SimpleModeError {
    /// `webpubsub_mode` has an unknown value.
    #[error("query parameter `webpubsub_mode` is `sendEvent` or `sendToGroup`")]
    Mode,
    /// `group` is missing or no group name.
    #[error("query parameter `group` is needed in mode `sendToGroup`, with 1 to 1024 characters")]
    Group,
    /// `noEcho` has an unknown value.
    #[error("query parameter `noEcho` is `true` or `false`")]
    NoEcho,
}

impl SimpleMode {
    /// Reads [`ClientEndpoint::query`]; only asked where no predefined subprotocol was chosen.
    ///
    /// # Errors
    /// [`SimpleModeError`] for a value that is none of those listed.
    pub fn parse(_query: &[(String, String)]) -> Result<Self, SimpleModeError> {
        Ok(Self::SendEvent)
    }
}
