use super::fields::{Fields, member};
use super::wire::Writer;
use super::{data_value, with_metadata};
use crate::client::{AckError, DownstreamMessage, Origin};
use crate::data::{MessageData, Metadata};
use crate::error::DecodeError;
use crate::id::{AckId, SequenceId};
use crate::name::{ConnectionId, GroupName, UserId};

const ACK: u32 = 1;
const DATA: u32 = 2;
const SYSTEM: u32 = 3;
const PONG: u32 = 4;
const INVOKE_RESPONSE: u32 = 5;

/// Every member of `DownstreamMessage.message`: those above, and those of the preview.
///
/// Source: docs/spec/protobuf.md#downstream-messages.
const MESSAGES: [u32; 10] = [ACK, DATA, SYSTEM, PONG, INVOKE_RESPONSE, 6, 7, 8, 9, 10];

const CONNECTED: u32 = 1;
const DISCONNECTED: u32 = 2;

/// A data message encoded once for every receiver: only the sequence id differs from one reliable
/// connection to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFrame {
    /// The fields before the sequence id: origin and payload.
    head: Vec<u8>,
    /// Those after it: the metadata.
    tail: Vec<u8>,
}

impl DataFrame {
    /// Encodes a payload and where it comes from. There is no field for the user who published.
    #[must_use]
    pub fn new(from: &Origin, data: &MessageData, metadata: &Metadata) -> Self {
        Self::of(from, data.clone(), metadata)
    }

    /// The same with a payload that is given away: a large one costs its size but once.
    #[must_use]
    pub fn of(from: &Origin, data: MessageData, metadata: &Metadata) -> Self {
        let (from, group) = match from {
            Origin::Group { group, from_user: _ } => ("group", group.as_str()),
            Origin::Server => ("server", ""),
        };
        let head = Writer::default().string(1, from).string(2, group).given(3, data_value(data));
        Self { head: head.finish(), tail: with_metadata(Writer::default(), 5, metadata).finish() }
    }

    /// Bytes of its fields but for the sequence id.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub const fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// The whole frame, for a connection that counts messages or for one that does not.
    #[must_use]
    pub fn with(&self, sequence_id: Option<SequenceId>) -> Vec<u8> {
        let number = Writer::default().uint(4, sequence_id.map(|id| id.0)).finish();
        Writer::default().pieces(DATA, &[&self.head, &number, &self.tail]).finish()
    }

    /// The whole frame for a connection that does not count messages, where it is needed once.
    #[must_use]
    pub fn into_plain(mut self) -> Vec<u8> {
        self.head.append(&mut self.tail);
        Writer::default().given(DATA, self.head).finish()
    }
}

/// Writes one binary frame of the service. A payload is not copied: a large one costs its size but once.
#[must_use]
pub fn encode_downstream(message: DownstreamMessage) -> Vec<u8> {
    let system = |kind, message: &Writer| (SYSTEM, Writer::default().message(kind, message));
    let (kind, body) = match message {
        DownstreamMessage::Connected { connection_id, user_id, reconnection_token } => {
            let connected = Writer::default()
                .string(1, connection_id.as_str())
                .string(2, user_id.as_ref().map_or("", UserId::as_str));
            match reconnection_token {
                Some(token) => system(CONNECTED, &connected.bytes(3, token.as_bytes())),
                None => system(CONNECTED, &connected),
            }
        }
        DownstreamMessage::Disconnected { message } => {
            system(DISCONNECTED, &Writer::default().string(2, &message))
        }
        DownstreamMessage::Data { from, data, metadata, sequence_id } => {
            let frame = DataFrame::of(&from, data, &metadata);
            return if sequence_id.is_some() { frame.with(sequence_id) } else { frame.into_plain() };
        }
        DownstreamMessage::Ack { ack_id, result } => {
            let ack = Writer::default().uint(1, Some(ack_id.0).filter(|id| *id != 0));
            match result {
                Ok(()) => (ACK, ack.uint(2, Some(1))),
                Err(error) => (ACK, ack.message(3, &error_value(&error))),
            }
        }
        DownstreamMessage::InvokeResponse { invocation_id, result } => {
            let response = Writer::default().string(1, &invocation_id);
            let response = match result {
                Ok(None) => response.uint(2, Some(1)),
                Ok(Some(data)) => response.uint(2, Some(1)).given(3, data_value(data)),
                Err(error) => response.message(4, &error_value(&error)),
            };
            (INVOKE_RESPONSE, response)
        }
        DownstreamMessage::Pong => (PONG, Writer::default()),
    };
    Writer::default().given(kind, body.finish()).finish()
}

/// Reads one binary frame of the service; `None` for a message of a kind that is not known, which a
/// client ignores.
///
/// # Errors
/// A [`DecodeError`] for a frame that is no protobuf message, or a known message with fields
/// missing or of the wrong kind.
pub fn decode_downstream(frame: &[u8]) -> Result<Option<DownstreamMessage>, DecodeError> {
    let Some((kind, body)) = member(frame, &MESSAGES)? else { return Ok(None) };
    let fields = Fields::parse(&body)?;
    Ok(Some(match kind {
        ACK => {
            let ack_id = AckId(fields.uint(1).unwrap_or_default());
            let result = match fields.uint(2) {
                None | Some(0) => Err(ack_error(&fields, 3)?),
                Some(_) => Ok(()),
            };
            DownstreamMessage::Ack { ack_id, result }
        }
        DATA => {
            let from = match fields.string(1, "from")? {
                "group" => {
                    Origin::Group { group: GroupName::parse(fields.string(2, "group")?)?, from_user: None }
                }
                "server" => Origin::Server,
                _ => return Ok(None),
            };
            let metadata = fields.metadata(5)?;
            DownstreamMessage::Data {
                from,
                data: fields.data(3, &metadata)?,
                metadata,
                sequence_id: fields.uint(4).map(SequenceId),
            }
        }
        SYSTEM => match member(&body, &[CONNECTED, DISCONNECTED])? {
            Some((CONNECTED, body)) => {
                let fields = Fields::parse(&body)?;
                let user_id = Some(fields.string(2, "user_id")?).filter(|user| !user.is_empty());
                DownstreamMessage::Connected {
                    connection_id: ConnectionId::parse(fields.string(1, "connection_id")?)?,
                    user_id: user_id.map(UserId::parse).transpose()?,
                    reconnection_token: fields.optional_string(3, "reconnection_token")?.map(str::to_owned),
                }
            }
            Some((_, body)) => {
                let fields = Fields::parse(&body)?;
                DownstreamMessage::Disconnected { message: fields.string(2, "reason")?.to_owned() }
            }
            None => return Ok(None),
        },
        PONG => DownstreamMessage::Pong,
        INVOKE_RESPONSE => DownstreamMessage::InvokeResponse {
            invocation_id: fields.invocation_id(1)?,
            result: match fields.uint(2) {
                None | Some(0) => Err(ack_error(&fields, 4)?),
                Some(_) => Ok(fields.optional_data(3)?),
            },
        },
        _ => return Ok(None),
    }))
}

fn error_value(error: &AckError) -> Writer {
    Writer::default().string(1, &error.name).string(2, &error.message)
}

fn ack_error(fields: &Fields<'_>, number: usize) -> Result<AckError, DecodeError> {
    let error = fields.message(number)?.ok_or(DecodeError::Missing { property: "error" })?;
    let error = Fields::parse(&error)?;
    Ok(AckError {
        name: error.string(1, "name")?.to_owned().into(),
        message: error.string(2, "message")?.to_owned(),
    })
}
