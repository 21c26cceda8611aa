//! The URL that clients connect to.

use std::fmt;

use super::Echo;
use crate::encoding::{decode_parameter_lossily, decode_segment, parameters};
use crate::name::{GroupName, HubName, NameError};

/// What a client's URL asks for, parsed once from the path and query as they came.
///
/// Parameters are decoded as forms are (`+` is a space), and those that the service knows are
/// found whatever the case of their names. Of one that is repeated, the last counts.
///
/// Source: docs/spec/client.md#endpoints.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientEndpoint {
    /// The hub.
    pub hub: HubName,
    /// The hub as the client spelled it, percent-decoded.
    pub raw_hub: String,
    /// Which form of the URL it is.
    pub form: EndpointForm,
    /// The token in the URL. It wins over an `Authorization` header, which counts where this is
    /// `None`.
    pub access_token: Option<String>,
    /// The connection that the client wants back. It needs no token then.
    pub recovery: Option<Recovery>,
    /// Every other parameter, percent-decoded, in order.
    pub query: Vec<(String, String)>,
}

/// The forms of a client's URL, which differ in what a token's audience may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointForm {
    /// `/client/hubs/{hub}`
    Hubs,
    /// `/client?hub={hub}`
    Legacy,
    /// `/clients/mqtt/hubs/{hub}`, which opens sessions of MQTT.
    Mqtt,
}

/// A connection that a client wants back after a drop.
///
/// Source: docs/spec/client.md#recovery.
#[derive(Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Which connection. Not looked at: a wrong one is answered on the WebSocket.
    pub connection_id: String,
    /// What proves that it was the client's.
    pub reconnection_token: Option<String>,
}

/// Why a URL is no client endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The path is another one (Socket.IO's included): 404.
    #[error("not a client endpoint")]
    NotAClientPath,
    /// The hub is missing, repeated or no hub name: 400.
    #[error(transparent)]
    Hub(#[from] NameError),
}

impl EndpointError {
    /// The HTTP status of the answer.
    ///
    /// Source: docs/spec/client.md#handshake.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::NotAClientPath => 404,
            Self::Hub(_) => 400,
        }
    }
}

impl ClientEndpoint {
    /// Reads the raw path (before percent-decoding) and the raw query (without `?`).
    ///
    /// # Errors
    /// [`EndpointError`] where they are no client endpoint.
    pub fn parse(path: &str, query: Option<&str>) -> Result<Self, EndpointError> {
        let path = path.strip_prefix('/').ok_or(EndpointError::NotAClientPath)?;
        let mut segments = path.strip_suffix('/').unwrap_or(path).split('/');
        let is = |segment: Option<&str>, name| segment.is_some_and(|s| s.eq_ignore_ascii_case(name));
        let first = segments.next();
        let form = if is(first, "client") {
            EndpointForm::Hubs
        } else if is(first, "clients") && is(segments.next(), "mqtt") {
            EndpointForm::Mqtt
        } else {
            return Err(EndpointError::NotAClientPath);
        };
        let (form, mut hub) = match segments.next() {
            None if form == EndpointForm::Hubs => (EndpointForm::Legacy, None),
            some if is(some, "hubs") => {
                let hub = decode_segment(segments.next().unwrap_or_default()).ok_or(NameError::Hub)?;
                (form, Some(hub))
            }
            Some(_) | None => return Err(EndpointError::NotAClientPath),
        };
        if segments.next().is_some() {
            return Err(EndpointError::NotAClientPath);
        }

        let mut access_token = None;
        let mut connection_id = None;
        let mut reconnection_token = None;
        let mut others = Vec::new();
        for (name, value) in parameters(query) {
            let (name, value) = (decode_parameter_lossily(name), decode_parameter_lossily(value));
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if is("access_token") {
                access_token = Some(value);
            } else if form != EndpointForm::Mqtt && is("awps_connection_id") {
                connection_id = Some(value);
            } else if form != EndpointForm::Mqtt && is("awps_reconnection_token") {
                reconnection_token = Some(value);
            } else if form == EndpointForm::Legacy && is("hub") {
                // Two hubs are none: what is authorised and what is routed could differ.
                if hub.replace(value).is_some() {
                    return Err(NameError::Hub.into());
                }
            } else {
                others.push((name, value));
            }
        }
        let given = |value: &String| !value.is_empty();
        let raw_hub = hub.unwrap_or_default();
        Ok(Self {
            hub: HubName::parse(&raw_hub)?,
            raw_hub,
            form,
            access_token: access_token.filter(given),
            recovery: connection_id.filter(given).map(|connection_id| Recovery {
                connection_id,
                reconnection_token: reconnection_token.filter(given),
            }),
            query: others,
        })
    }
}

/// Leaves tokens out, and the rest of the query, where users put secrets too.
impl fmt::Debug for ClientEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientEndpoint")
            .field("hub", &self.hub)
            .field("form", &self.form)
            .field("recovery", &self.recovery)
            .finish_non_exhaustive()
    }
}

/// Leaves the token out.
impl fmt::Debug for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").field("connection_id", &self.connection_id).finish_non_exhaustive()
    }
}

/// What a simple client's frames do.
///
/// Source: docs/spec/client.md#simple-modes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimpleMode {
    /// Each is the user event `message`.
    SendEvent,
    /// Each is published to one group.
    SendToGroup {
        /// Which group.
        group: GroupName,
        /// Whether the client receives its own frames, where it is a member.
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
    #[error(
        "query parameter `group` is needed in mode `sendToGroup`: 1 to 1024 characters, not blank, and neither `.` nor `..`"
    )]
    Group,
    /// `noEcho` has an unknown value.
    #[error("query parameter `noEcho` is `true` or `false`")]
    NoEcho,
}

impl SimpleMode {
    /// Reads [`ClientEndpoint::query`]; only asked where no predefined subprotocol was chosen.
    ///
    /// `group` and `noEcho` mean nothing, and may hold anything, outside `sendToGroup`.
    ///
    /// # Errors
    /// [`SimpleModeError`] for a value that is none of those listed.
    pub fn parse(query: &[(String, String)]) -> Result<Self, SimpleModeError> {
        let last = |known: &str| {
            let named = query.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case(known));
            named.map(|(_, value)| value.as_str())
        };
        let mode = last("webpubsub_mode").unwrap_or_default();
        if mode.is_empty() || mode.eq_ignore_ascii_case("sendEvent") {
            return Ok(Self::SendEvent);
        }
        if !mode.eq_ignore_ascii_case("sendToGroup") {
            return Err(SimpleModeError::Mode);
        }
        let group =
            GroupName::parse(last("group").unwrap_or_default()).map_err(|_| SimpleModeError::Group)?;
        let echo = match last("noEcho") {
            None => Echo::Send,
            Some(value) if value.eq_ignore_ascii_case("false") => Echo::Send,
            Some(value) if value.eq_ignore_ascii_case("true") => Echo::Skip,
            Some(_) => return Err(SimpleModeError::NoEcho),
        };
        Ok(Self::SendToGroup { group, echo })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<ClientEndpoint, EndpointError> {
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        ClientEndpoint::parse(path, query)
    }

    #[test]
    fn names_of_known_parameters_are_found_in_any_case() {
        let endpoint = parse("/client/hubs/chat?ACCESS_TOKEN=t&Awps_Connection_Id=c").unwrap();
        assert_eq!(endpoint.access_token.as_deref(), Some("t"));
        assert_eq!(endpoint.recovery.unwrap().connection_id, "c");
        assert_eq!(endpoint.query, []);
    }

    #[test]
    fn an_empty_token_is_none() {
        assert_eq!(parse("/client/hubs/chat?access_token=").unwrap().access_token, None);
        assert_eq!(parse("/client/hubs/chat?access_token").unwrap().access_token, None);
    }

    #[test]
    fn only_a_connection_id_selects_recovery() {
        let recovery = |query: &str| parse(&format!("/client/hubs/chat?{query}")).unwrap().recovery;
        assert_eq!(recovery("awps_reconnection_token=r"), None);
        assert_eq!(recovery("awps_connection_id=&awps_reconnection_token=r"), None);
        let expected = |token: Option<&str>| Recovery {
            connection_id: "c".to_owned(),
            reconnection_token: token.map(str::to_owned),
        };
        assert_eq!(recovery("awps_connection_id=c"), Some(expected(None)));
        assert_eq!(recovery("awps_connection_id=c&awps_reconnection_token=r%2B"), Some(expected(Some("r+"))));
    }

    #[test]
    fn mqtt_has_a_path_of_its_own_and_no_recovery() {
        let endpoint = parse("/Clients/MQTT/hubs/chat/?access_token=t&awps_connection_id=c&hub=x").unwrap();
        assert_eq!((endpoint.form, endpoint.hub.as_str()), (EndpointForm::Mqtt, "chat"));
        assert_eq!((endpoint.access_token.as_deref(), endpoint.recovery), (Some("t"), None));
        for url in [
            "/clients",
            "/clients/mqtt",
            "/clients/mqtt?hub=chat",
            "/clients/hubs/chat",
            "/client/mqtt/hubs/chat",
        ] {
            assert_eq!(parse(url), Err(EndpointError::NotAClientPath), "{url}");
        }
        assert_eq!(parse("/clients/mqtt/hubs/"), Err(EndpointError::Hub(NameError::Hub)));
    }

    #[test]
    fn a_hub_beside_the_path_is_a_parameter_like_others() {
        let endpoint = parse("/client/hubs/chat?hub=other").unwrap();
        assert_eq!(endpoint.hub.as_str(), "chat");
        assert_eq!(endpoint.query, [("hub".to_owned(), "other".to_owned())]);
    }

    #[test]
    fn two_hubs_are_none() {
        assert_eq!(parse("/client?hub=a&hub=b"), Err(EndpointError::Hub(NameError::Hub)));
        assert_eq!(parse("/client?hub=a&Hub=a"), Err(EndpointError::Hub(NameError::Hub)));
    }

    #[test]
    fn tokens_and_queries_are_not_printed() {
        let endpoint = parse(
            "/client/hubs/chat?access_token=secret&awps_connection_id=c&awps_reconnection_token=secret&x=secret",
        );
        let printed = format!("{endpoint:?}");
        assert!(!printed.contains("secret"), "{printed}");
    }

    #[test]
    fn simple_modes_are_chosen_by_the_last_of_each_parameter() {
        let mode =
            |query: &str| SimpleMode::parse(&parse(&format!("/client/hubs/chat?{query}")).unwrap().query);
        let to =
            |name: &str, echo| Ok(SimpleMode::SendToGroup { group: GroupName::parse(name).unwrap(), echo });
        let cases = [
            ("", Ok(SimpleMode::SendEvent)),
            ("webpubsub_mode=", Ok(SimpleMode::SendEvent)),
            ("webpubsub_mode=SENDEVENT", Ok(SimpleMode::SendEvent)),
            ("group=%20&noEcho=maybe", Ok(SimpleMode::SendEvent)),
            ("webpubsub_mode=sendToGroup&group=g", to("g", Echo::Send)),
            ("webpubsub_mode=sendtogroup&group=a+b&noEcho=TRUE", to("a b", Echo::Skip)),
            ("webpubsub_mode=sendToGroup&group=g&noecho=False", to("g", Echo::Send)),
            ("webpubsub_mode=x&webpubsub_mode=sendToGroup&group=a&group=b", to("b", Echo::Send)),
            ("webpubsub_mode=sendToAll", Err(SimpleModeError::Mode)),
            ("webpubsub_mode=sendToGroup", Err(SimpleModeError::Group)),
            ("webpubsub_mode=sendToGroup&group=%20", Err(SimpleModeError::Group)),
            ("webpubsub_mode=sendToGroup&group=%2E.", Err(SimpleModeError::Group)),
            ("webpubsub_mode=sendToGroup&group=g&noEcho=1", Err(SimpleModeError::NoEcho)),
            ("webpubsub_mode=sendToGroup&group=g&noEcho=", Err(SimpleModeError::NoEcho)),
        ];
        for (query, expected) in cases {
            assert_eq!(mode(query), expected, "{query}");
        }
    }
}
