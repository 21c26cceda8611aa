//! Messages to clients in protobuf: written by the service, read by the client.

use super::fields::{Fields, member};
use super::wire::Writer;
use super::{data_value, state_value, with_metadata};
use crate::client::{
    AckError, DownstreamMessage, GroupStateItem, GroupStates, GroupStatesKind, Origin, StreamAnswer,
    StreamError, StreamPart,
};
use crate::data::{MessageData, Metadata};
use crate::error::DecodeError;
use crate::id::{AckId, SequenceId};
use crate::name::{ConnectionId, GroupName, UserId};
use crate::time::Timestamp;

const ACK: u32 = 1;
const DATA: u32 = 2;
const SYSTEM: u32 = 3;
const PONG: u32 = 4;
const INVOKE_RESPONSE: u32 = 5;
const STREAM_ACK: u32 = 6;
const STREAM_NACK: u32 = 7;
const STREAM_CLOSED: u32 = 8;
const GROUP_STATE_UPDATE: u32 = 9;
const GROUP_STATE_SNAPSHOT: u32 = 10;

/// Every member of `DownstreamMessage.message`.
///
/// Source: docs/spec/protobuf.md#downstream-messages.
const MESSAGES: [u32; 10] = [
    ACK,
    DATA,
    SYSTEM,
    PONG,
    INVOKE_RESPONSE,
    STREAM_ACK,
    STREAM_NACK,
    STREAM_CLOSED,
    GROUP_STATE_UPDATE,
    GROUP_STATE_SNAPSHOT,
];

const CONNECTED: u32 = 1;
const DISCONNECTED: u32 = 2;

/// A data message encoded once for every receiver: only the sequence id differs from one reliable
/// connection to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFrame {
    /// Which member of `DownstreamMessage.message` it is.
    member: u32,
    /// The number of the sequence id's field.
    sequence_id: u32,
    /// The fields before the sequence id: origin and payload.
    head: Vec<u8>,
    /// Those after it: the metadata, and what the message is in a stream.
    tail: Vec<u8>,
}

impl DataFrame {
    /// Encodes a payload, where it comes from and what it is in a stream. There is no field for the user
    /// who published.
    #[must_use]
    pub fn new(from: &Origin, data: &MessageData, metadata: &Metadata, stream: Option<&StreamPart>) -> Self {
        Self::of(from, data.clone(), metadata, stream)
    }

    /// The same with a payload that is given away: a large one costs its size but once.
    #[must_use]
    pub fn of(from: &Origin, data: MessageData, metadata: &Metadata, stream: Option<&StreamPart>) -> Self {
        let (from, group) = match from {
            Origin::Group { group, from_user: _ } => ("group", group.as_str()),
            Origin::Server => ("server", ""),
        };
        let head = Writer::default().string(1, from).string(2, group).given(3, data_value(data));
        let mut tail = with_metadata(Writer::default(), 5, metadata);
        if let Some(part) = stream {
            tail = tail.message(6, &stream_value(part));
        }
        Self { member: DATA, sequence_id: 4, head: head.finish(), tail: tail.finish() }
    }

    /// Encodes states of members of a group.
    #[must_use]
    pub fn of_states(states: &GroupStates) -> Self {
        let member = match states.kind {
            GroupStatesKind::Snapshot => GROUP_STATE_SNAPSHOT,
            GroupStatesKind::Update => GROUP_STATE_UPDATE,
        };
        let head = states.items.iter().fold(
            Writer::default().string(1, states.group.as_str()),
            |head, GroupStateItem { connection_id, user_id, state, updated_at }| {
                let mut item = Writer::default().string(1, connection_id.as_str());
                if let Some(user) = user_id {
                    item = item.string(2, user.as_str());
                }
                if let Some(state) = state {
                    item = item.message(3, &state_value(state));
                }
                head.message(2, &item.uint(4, Some(updated_at.as_millis()).filter(|millis| *millis != 0)))
            },
        );
        Self { member, sequence_id: 3, head: head.finish(), tail: Vec::new() }
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
        let number = Writer::default().uint(self.sequence_id, sequence_id.map(|id| id.0)).finish();
        Writer::default().pieces(self.member, &[&self.head, &number, &self.tail]).finish()
    }

    /// The whole frame for a connection that does not count messages, where it is needed once.
    #[must_use]
    pub fn into_plain(mut self) -> Vec<u8> {
        self.head.append(&mut self.tail);
        Writer::default().given(self.member, self.head).finish()
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
        DownstreamMessage::Data { from, data, metadata, sequence_id, stream } => {
            let frame = DataFrame::of(&from, data, &metadata, stream.as_deref());
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
        DownstreamMessage::Stream { stream_id, answer } => {
            let stream = Writer::default().string(1, stream_id.as_str());
            match answer {
                StreamAnswer::Ack { expected } => (STREAM_ACK, stream.uint(2, Some(expected))),
                StreamAnswer::Nack { name, message, expected } => {
                    (STREAM_NACK, stream.string(2, &name).string(3, &message).uint(4, Some(expected)))
                }
                StreamAnswer::Closed { error: None } => (STREAM_CLOSED, stream),
                StreamAnswer::Closed { error: Some(error) } => {
                    (STREAM_CLOSED, stream.message(2, &error_value(&error)))
                }
            }
        }
        DownstreamMessage::GroupStates { states, sequence_id } => {
            return DataFrame::of_states(&states).with(sequence_id);
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
                stream: match fields.message(6)? {
                    Some(stream) => Some(Box::new(stream_part(&Fields::parse(&stream)?)?)),
                    None => None,
                },
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
        STREAM_ACK | STREAM_NACK | STREAM_CLOSED => {
            let expected = |number| fields.uint(number).unwrap_or_default();
            let answer = match kind {
                STREAM_ACK => StreamAnswer::Ack { expected: expected(2) },
                STREAM_NACK => StreamAnswer::Nack {
                    name: fields.string(2, "name")?.to_owned().into(),
                    message: fields.string(3, "message")?.to_owned(),
                    expected: expected(4),
                },
                _ if fields.has(2) => StreamAnswer::Closed { error: Some(ack_error(&fields, 2)?) },
                _ => StreamAnswer::Closed { error: None },
            };
            DownstreamMessage::Stream { stream_id: fields.stream_id()?, answer }
        }
        GROUP_STATE_UPDATE => group_states(&fields, GroupStatesKind::Update)?,
        GROUP_STATE_SNAPSHOT => group_states(&fields, GroupStatesKind::Snapshot)?,
        _ => return Ok(None),
    }))
}

fn group_states(fields: &Fields<'_>, kind: GroupStatesKind) -> Result<DownstreamMessage, DecodeError> {
    let mut items = Vec::new();
    for item in fields.messages(2) {
        let item = item?;
        let user_id = item.optional_string(2, "user_id")?.filter(|user| !user.is_empty());
        items.push(GroupStateItem {
            connection_id: ConnectionId::parse(item.string(1, "connection_id")?)?,
            user_id: user_id.map(UserId::parse).transpose()?,
            state: item.state(3)?,
            updated_at: Timestamp::from_millis(item.uint(4).unwrap_or_default()),
        });
    }
    let group = GroupName::parse(fields.string(1, "group")?)?;
    Ok(DownstreamMessage::GroupStates {
        states: GroupStates { kind, group, items },
        sequence_id: fields.uint(3).map(SequenceId),
    })
}

/// What a message is in a stream, as `StreamInfo`.
fn stream_value(part: &StreamPart) -> Writer {
    let stream = Writer::default().string(1, part.stream_id.as_str()).uint(2, Some(part.sequence_id));
    match &part.end {
        None => stream,
        Some(Ok(())) => stream.uint(3, Some(1)),
        Some(Err(error)) => {
            let written = Writer::default()
                .string(1, &error.name)
                .optional(2, error.message.as_deref())
                .optional(3, error.user_error_code.as_deref());
            stream.uint(3, Some(1)).message(4, &written)
        }
    }
}

/// What [`stream_value`] writes.
fn stream_part(stream: &Fields<'_>) -> Result<StreamPart, DecodeError> {
    let end = match (stream.uint(3), stream.message(4)?) {
        (None | Some(0), _) => None,
        (Some(_), None) => Some(Ok(())),
        (Some(_), Some(error)) => {
            let error = Fields::parse(&error)?;
            let text =
                |number| Ok::<_, DecodeError>(error.optional_string(number, "error")?.map(str::to_owned));
            Some(Err(StreamError {
                name: error.string(1, "name")?.to_owned().into(),
                message: text(2)?,
                user_error_code: text(3)?,
            }))
        }
    };
    let sequence_id = stream.uint(2).unwrap_or_default();
    Ok(StreamPart { stream_id: stream.stream_id()?, sequence_id, end })
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
