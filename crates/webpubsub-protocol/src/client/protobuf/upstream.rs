//! Messages of clients in protobuf: read by the service, written by the client.

use super::fields::{Fields, member};
use super::wire::Writer;
use super::{data_value, state_value, with_metadata};
use crate::client::{Echo, GroupStateAction, StreamAction, StreamError, UpstreamMessage};
use crate::data::TimeToLive;
use crate::error::DecodeError;
use crate::id::{AckId, SequenceId};
use crate::name::{EventName, GroupName};

const SEND_TO_GROUP: u32 = 1;
const EVENT: u32 = 5;
const JOIN_GROUP: u32 = 6;
const LEAVE_GROUP: u32 = 7;
const SEQUENCE_ACK: u32 = 8;
const PING: u32 = 9;
const INVOKE_EVENT: u32 = 10;
const CANCEL_INVOCATION: u32 = 11;
const STREAM_DATA: u32 = 13;
const STREAM_END: u32 = 14;
const SET_GROUP_STATE: u32 = 15;
const SUBSCRIBE_GROUP_STATE: u32 = 16;
const UNSUBSCRIBE_GROUP_STATE: u32 = 17;

/// Every member of `UpstreamMessage.message`.
///
/// Source: docs/spec/protobuf.md#upstream-messages.
const MESSAGES: [u32; 13] = [
    SEND_TO_GROUP,
    EVENT,
    JOIN_GROUP,
    LEAVE_GROUP,
    SEQUENCE_ACK,
    PING,
    INVOKE_EVENT,
    CANCEL_INVOCATION,
    STREAM_DATA,
    STREAM_END,
    SET_GROUP_STATE,
    SUBSCRIBE_GROUP_STATE,
    UNSUBSCRIBE_GROUP_STATE,
];

/// Reads one binary frame of a client.
///
/// # Errors
/// A [`DecodeError`] for everything that docs/spec/protobuf.md#encoding lists; each of them closes
/// the connection with 1007.
pub fn decode_upstream(frame: &[u8]) -> Result<UpstreamMessage, DecodeError> {
    let message = member(frame, &MESSAGES)?;
    let Some((kind, body)) = message else { return Err(DecodeError::UnknownType) };
    let fields = Fields::parse(&body)?;
    let ack_id = |number| fields.uint(number).map(AckId);
    let event = || Ok::<_, DecodeError>(EventName::parse(fields.string(1, "event")?)?);
    Ok(match kind {
        SEND_TO_GROUP => return send_to_group(&fields),
        EVENT => {
            refuse_stream(&fields, 5)?;
            let metadata = fields.metadata(4)?;
            UpstreamMessage::Event {
                event: event()?,
                ack_id: ack_id(3),
                data: fields.data(2, &metadata)?,
                metadata,
            }
        }
        JOIN_GROUP => UpstreamMessage::JoinGroup { group: group(&fields)?, ack_id: ack_id(2) },
        LEAVE_GROUP => UpstreamMessage::LeaveGroup { group: group(&fields)?, ack_id: ack_id(2) },
        SEQUENCE_ACK => {
            UpstreamMessage::SequenceAck { sequence_id: SequenceId(fields.uint(1).unwrap_or_default()) }
        }
        PING => UpstreamMessage::Ping,
        INVOKE_EVENT => {
            refuse_stream(&fields, 5)?;
            UpstreamMessage::Invoke {
                event: event()?,
                invocation_id: fields.invocation_id(2)?,
                data: fields.data_or_default(3)?,
                metadata: fields.metadata(4)?,
            }
        }
        CANCEL_INVOCATION => UpstreamMessage::CancelInvocation { invocation_id: fields.invocation_id(1)? },
        STREAM_DATA => {
            let action = stream_data(&fields)?;
            UpstreamMessage::Stream { stream_id: fields.stream_id()?, action }
        }
        STREAM_END => {
            let error = stream_error(&fields)?;
            UpstreamMessage::Stream { stream_id: fields.stream_id()?, action: StreamAction::End { error } }
        }
        SET_GROUP_STATE | SUBSCRIBE_GROUP_STATE | UNSUBSCRIBE_GROUP_STATE => UpstreamMessage::GroupState {
            group: group(&fields)?,
            ack_id: ack_id(2),
            action: match kind {
                SET_GROUP_STATE => GroupStateAction::Set(fields.state(3)?.unwrap_or_default()),
                SUBSCRIBE_GROUP_STATE => GroupStateAction::Subscribe,
                _ => GroupStateAction::Unsubscribe,
            },
        },
        _ => return Err(DecodeError::UnknownType),
    })
}

fn group(fields: &Fields<'_>) -> Result<GroupName, DecodeError> {
    Ok(GroupName::parse(fields.string(1, "group")?)?)
}

/// Reads a publish to a group, or the start of a stream to it.
fn send_to_group(fields: &Fields<'_>) -> Result<UpstreamMessage, DecodeError> {
    let ack_id = fields.uint(2).map(AckId);
    let echo = match fields.uint(4) {
        None | Some(0) => Echo::Send,
        Some(_) => Echo::Skip,
    };
    if let Some(stream) = fields.message(7)? {
        if fields.has(3) {
            return Err(DecodeError::Invalid { property: "data" });
        }
        let stream = Fields::parse(&stream)?;
        let idle_millis = stream.uint(2).map(u32::try_from).transpose();
        let idle_millis = idle_millis.map_err(|_| DecodeError::Invalid { property: "idle_timeout_ms" })?;
        let action = StreamAction::Start { group: group(fields)?, ack_id, echo, idle_millis };
        return Ok(UpstreamMessage::Stream { stream_id: stream.stream_id()?, action });
    }
    let metadata = fields.metadata(6)?;
    Ok(UpstreamMessage::SendToGroup {
        group: group(fields)?,
        ack_id,
        echo,
        ttl: TimeToLive::from_seconds(fields.uint(5).unwrap_or_default())?,
        data: fields.data(3, &metadata)?,
        metadata,
    })
}

/// Reads a piece of a stream, or the sign of life that has none.
fn stream_data(fields: &Fields<'_>) -> Result<StreamAction, DecodeError> {
    match (fields.uint(2), fields.has(3)) {
        (None, false) => Ok(StreamAction::KeepAlive),
        (Some(0), _) => Err(DecodeError::Invalid { property: "stream_sequence_id" }),
        (Some(_), false) => Err(DecodeError::Missing { property: "data" }),
        (None, true) => Err(DecodeError::Missing { property: "stream_sequence_id" }),
        (Some(sequence_id), true) => Ok(StreamAction::Data { sequence_id, data: fields.data_or_default(3)? }),
    }
}

/// Reads why a stream ends, if its sender says so.
fn stream_error(fields: &Fields<'_>) -> Result<Option<StreamError>, DecodeError> {
    let Some(error) = fields.message(2)? else { return Ok(None) };
    let error = Fields::parse(&error)?;
    let text = |number| Ok::<_, DecodeError>(error.optional_string(number, "error")?.map(str::to_owned));
    Ok(Some(StreamError::of_user(text(1)?, text(2)?)))
}

/// Only groups have streams: one to the event handler is refused rather than published as data.
///
/// Source: docs/spec/protobuf.md#older-schemas.
fn refuse_stream(fields: &Fields<'_>, number: usize) -> Result<(), DecodeError> {
    if fields.has(number) { Err(DecodeError::Invalid { property: "stream" }) } else { Ok(()) }
}

/// Writes one binary frame of a client.
#[must_use]
pub fn encode_upstream(message: &UpstreamMessage) -> Vec<u8> {
    let id = |ack_id: &Option<AckId>| ack_id.map(|id| id.0);
    let named = |name: &str| Writer::default().bytes(1, name.as_bytes());
    let (kind, body) = match message {
        UpstreamMessage::JoinGroup { group, ack_id } => {
            (JOIN_GROUP, named(group.as_str()).uint(2, id(ack_id)))
        }
        UpstreamMessage::LeaveGroup { group, ack_id } => {
            (LEAVE_GROUP, named(group.as_str()).uint(2, id(ack_id)))
        }
        UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata } => {
            let body = named(group.as_str())
                .uint(2, id(ack_id))
                .given(3, data_value(data.clone()))
                .uint(4, (*echo == Echo::Skip).then_some(1))
                .uint(5, (*ttl != TimeToLive::FOREVER).then_some(ttl.as_seconds().into()));
            (SEND_TO_GROUP, with_metadata(body, 6, metadata))
        }
        UpstreamMessage::Event { event, ack_id, data, metadata } => {
            let body = named(event.as_str()).given(2, data_value(data.clone())).uint(3, id(ack_id));
            (EVENT, with_metadata(body, 4, metadata))
        }
        UpstreamMessage::Invoke { invocation_id, event, data, metadata } => {
            let body = named(event.as_str()).string(2, invocation_id).given(3, data_value(data.clone()));
            (INVOKE_EVENT, with_metadata(body, 4, metadata))
        }
        UpstreamMessage::CancelInvocation { invocation_id } => {
            (CANCEL_INVOCATION, Writer::default().string(1, invocation_id))
        }
        UpstreamMessage::Stream { stream_id, action } => {
            let stream = named(stream_id.as_str());
            match action {
                StreamAction::Start { group, ack_id, echo, idle_millis } => {
                    let body = named(group.as_str())
                        .uint(2, id(ack_id))
                        .uint(4, (*echo == Echo::Skip).then_some(1))
                        .message(7, &stream.uint(2, idle_millis.map(u64::from)));
                    (SEND_TO_GROUP, body)
                }
                StreamAction::Data { sequence_id, data } => {
                    let body = stream.uint(2, Some(*sequence_id)).given(3, data_value(data.clone()));
                    (STREAM_DATA, body)
                }
                StreamAction::KeepAlive => (STREAM_DATA, stream),
                StreamAction::End { error: None } => (STREAM_END, stream),
                StreamAction::End { error: Some(error) } => {
                    let error = Writer::default()
                        .optional(1, error.message.as_deref())
                        .optional(2, error.user_error_code.as_deref());
                    (STREAM_END, stream.message(2, &error))
                }
            }
        }
        UpstreamMessage::GroupState { group, ack_id, action } => {
            let body = named(group.as_str()).uint(2, id(ack_id));
            match action {
                GroupStateAction::Set(state) if state.is_empty() => (SET_GROUP_STATE, body),
                GroupStateAction::Set(state) => (SET_GROUP_STATE, body.message(3, &state_value(state))),
                GroupStateAction::Subscribe => (SUBSCRIBE_GROUP_STATE, body),
                GroupStateAction::Unsubscribe => (UNSUBSCRIBE_GROUP_STATE, body),
            }
        }
        UpstreamMessage::Ping => (PING, Writer::default()),
        UpstreamMessage::SequenceAck { sequence_id } => {
            (SEQUENCE_ACK, Writer::default().uint(1, Some(sequence_id.0).filter(|id| *id != 0)))
        }
    };
    Writer::default().message(kind, &body).finish()
}
