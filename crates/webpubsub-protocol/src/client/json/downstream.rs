use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::fields::{Fields, boolean, required, string, unsigned};
use super::{DataValue, print};
use crate::client::{AckError, DownstreamMessage, Origin};
use crate::data::{DataType, MessageData, Metadata};
use crate::error::DecodeError;
use crate::id::{AckId, SequenceId};
use crate::name::{ConnectionId, GroupName, UserId};

/// A data message encoded once for every receiver: only the sequence id differs from one reliable
/// connection to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFrame {
    /// The frame without its closing brace.
    head: String,
}

impl DataFrame {
    /// Between [`DataFrame::head`] and the number that is a frame's sequence id.
    pub const BEFORE_SEQUENCE_ID: &str = ",\"sequenceId\":";
    /// After that number, or after the head where there is none.
    pub const TAIL: &str = "}";

    /// Encodes a payload and where it comes from.
    #[must_use]
    pub fn new(from: &Origin, data: &MessageData, metadata: &Metadata) -> Self {
        let mut head = print(&DataMessage::new(from, data, metadata));
        head.pop();
        Self { head }
    }

    /// The frame up to its sequence id.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Bytes of the frame without a sequence id.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> usize {
        self.head.len() + Self::TAIL.len()
    }

    /// The whole frame, for a connection that counts messages or for one that does not.
    #[must_use]
    pub fn with(&self, sequence_id: Option<SequenceId>) -> String {
        match sequence_id {
            Some(id) => format!("{}{}{id}{}", self.head, Self::BEFORE_SEQUENCE_ID, Self::TAIL),
            None => format!("{}{}", self.head, Self::TAIL),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataMessage<'a> {
    r#type: &'static str,
    from: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    data_type: DataType,
    data: DataValue<'a>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: &'a Metadata,
}

impl<'a> DataMessage<'a> {
    fn new(from: &'a Origin, data: &'a MessageData, metadata: &'a Metadata) -> Self {
        let (from, group, from_user_id) = match from {
            Origin::Group { group, from_user } => {
                ("group", Some(group.as_str()), from_user.as_ref().map(UserId::as_str))
            }
            Origin::Server => ("server", None, None),
        };
        Self {
            r#type: "message",
            from,
            from_user_id,
            group,
            data_type: data.data_type(),
            data: DataValue(data),
            metadata,
        }
    }
}

/// Writes one text frame of the service.
#[must_use]
pub fn encode_downstream(message: &DownstreamMessage) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Connected<'a> {
        r#type: &'a str,
        event: &'a str,
        user_id: Option<&'a str>,
        connection_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reconnection_token: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct Disconnected<'a> {
        r#type: &'a str,
        event: &'a str,
        message: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Ack<'a> {
        r#type: &'a str,
        ack_id: u64,
        success: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<AckErrorValue<'a>>,
    }
    match message {
        DownstreamMessage::Connected { connection_id, user_id, reconnection_token } => print(&Connected {
            r#type: "system",
            event: "connected",
            user_id: user_id.as_ref().map(UserId::as_str),
            connection_id: connection_id.as_str(),
            reconnection_token: reconnection_token.as_deref(),
        }),
        DownstreamMessage::Disconnected { message } => {
            print(&Disconnected { r#type: "system", event: "disconnected", message })
        }
        DownstreamMessage::Data { from, data, metadata, sequence_id } => {
            DataFrame::new(from, data, metadata).with(*sequence_id)
        }
        DownstreamMessage::Ack { ack_id, result } => print(&Ack {
            r#type: "ack",
            ack_id: ack_id.0,
            success: result.is_ok(),
            error: result.as_ref().err().map(|error| AckErrorValue {
                name: Cow::Borrowed(&error.name),
                message: Cow::Borrowed(&error.message),
            }),
        }),
        DownstreamMessage::Pong => r#"{"type":"pong"}"#.to_owned(),
    }
}

#[derive(Serialize, Deserialize)]
struct AckErrorValue<'a> {
    name: Cow<'a, str>,
    message: Cow<'a, str>,
}

/// Reads one text frame of the service; `None` for a message of a kind that is not known, which a
/// client ignores.
///
/// # Errors
/// A [`DecodeError`] for a frame that is no JSON object, or a known message with properties missing
/// or of the wrong kind.
pub fn decode_downstream(text: &str) -> Result<Option<DownstreamMessage>, DecodeError> {
    let fields = Fields::parse(text)?;
    let kind = required(fields.kind, "type").and_then(|value| string(value, "type"))?;
    Ok(Some(match kind.as_str() {
        "system" => {
            match required(fields.event, "event").and_then(|value| string(value, "event"))?.as_str() {
                "connected" => DownstreamMessage::Connected {
                    connection_id: ConnectionId::parse(
                        required(fields.connection_id, "connectionId")
                            .and_then(|value| string(value, "connectionId"))?,
                    )?,
                    user_id: user(fields.user_id, "userId")?,
                    reconnection_token: fields
                        .reconnection_token
                        .map(|value| string(value, "reconnectionToken"))
                        .transpose()?,
                },
                "disconnected" => DownstreamMessage::Disconnected {
                    message: fields
                        .message
                        .map(|value| string(value, "message"))
                        .transpose()?
                        .unwrap_or_default(),
                },
                _ => return Ok(None),
            }
        }
        "message" => {
            let from = match required(fields.from, "from").and_then(|value| string(value, "from"))?.as_str() {
                "group" => Origin::Group {
                    group: GroupName::parse(
                        required(fields.group, "group").and_then(|value| string(value, "group"))?,
                    )?,
                    from_user: user(fields.from_user_id, "fromUserId")?,
                },
                "server" => Origin::Server,
                _ => return Ok(None),
            };
            let metadata = fields.metadata()?;
            DownstreamMessage::Data {
                from,
                data: fields.data(&metadata)?,
                metadata,
                sequence_id: fields
                    .sequence_id
                    .map(|value| unsigned(value, "sequenceId").map(SequenceId))
                    .transpose()?,
            }
        }
        "ack" => {
            let ack_id = required(fields.ack_id, "ackId").and_then(|value| unsigned(value, "ackId"))?;
            let success = required(fields.success, "success").and_then(|value| boolean(value, "success"))?;
            let result = if success { Ok(()) } else { Err(ack_error(&fields)?) };
            DownstreamMessage::Ack { ack_id: AckId(ack_id), result }
        }
        "pong" => DownstreamMessage::Pong,
        _ => return Ok(None),
    }))
}

/// `null` is an anonymous user.
fn user(
    value: Option<&serde_json::value::RawValue>,
    property: &'static str,
) -> Result<Option<UserId>, DecodeError> {
    match value {
        None => Ok(None),
        Some(value) if value.get() == "null" => Ok(None),
        Some(value) => Ok(Some(UserId::parse(string(value, property)?)?)),
    }
}

fn ack_error(fields: &Fields<'_>) -> Result<AckError, DecodeError> {
    let value = required(fields.error, "error")?;
    let error: AckErrorValue<'_> =
        serde_json::from_str(value.get()).map_err(|_| DecodeError::Invalid { property: "error" })?;
    Ok(AckError { name: Cow::Owned(error.name.into_owned()), message: error.message.into_owned() })
}
