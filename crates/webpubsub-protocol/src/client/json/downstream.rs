//! Messages to clients in JSON: written by the service, read by the client.

use super::fields::{Fields, string};
use super::{with_data, with_error_parts, with_given_data, with_metadata};
use crate::client::{
    AckError, DownstreamMessage, GroupStateItem, GroupStates, GroupStatesKind, Origin, StreamAnswer,
    StreamError, StreamPart,
};
use crate::data::{MessageData, Metadata};
use crate::error::DecodeError;
use crate::id::{AckId, SequenceId};
use crate::json::{Json, Members, Writer};
use crate::name::{ConnectionId, UserId};
use crate::time::Timestamp;

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

    /// Encodes a payload, where it comes from, and what it is in a stream.
    #[must_use]
    pub fn new(from: &Origin, data: &MessageData, metadata: &Metadata, stream: Option<&StreamPart>) -> Self {
        let mut frame = Self::begin(from);
        with_data(&mut frame, data);
        Self::end(frame, metadata, stream)
    }

    /// The same with a payload that is given away: a large one costs its size but once.
    #[must_use]
    pub fn of(from: &Origin, data: MessageData, metadata: &Metadata, stream: Option<&StreamPart>) -> Self {
        Self::end(with_given_data(Self::begin(from), data), metadata, stream)
    }

    fn end(mut frame: Writer, metadata: &Metadata, stream: Option<&StreamPart>) -> Self {
        with_metadata(&mut frame, metadata);
        if let Some(part) = stream {
            with_stream(&mut frame, part);
        }
        Self { head: frame.head() }
    }

    fn begin(from: &Origin) -> Writer {
        let mut frame = Writer::object();
        frame.text("type", "message");
        match from {
            Origin::Group { group, from_user } => {
                frame.text("from", "group");
                if let Some(user) = from_user {
                    frame.text("fromUserId", user.as_str());
                }
                frame.text("group", group.as_str());
            }
            Origin::Server => {
                frame.text("from", "server");
            }
        }
        frame
    }

    /// Encodes states of members of a group.
    #[must_use]
    pub fn of_states(states: &GroupStates) -> Self {
        let kind = match states.kind {
            GroupStatesKind::Snapshot => "groupStateSnapshot",
            GroupStatesKind::Update => "groupStateUpdate",
        };
        let mut items = Writer::list();
        for GroupStateItem { connection_id, user_id, state, updated_at } in &states.items {
            let mut item = Writer::object();
            item.text("connectionId", connection_id.as_str());
            if let Some(user) = user_id {
                item.text("userId", user.as_str());
            }
            if let Some(state) = state {
                item.json("state", state.as_json());
            }
            item.number("updatedAt", updated_at.as_millis());
            items.element(&item.finish());
        }
        let mut frame = Writer::object();
        frame.text("type", kind).text("group", states.group.as_str()).json("items", &items.finish());
        Self { head: frame.head() }
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
            Some(id) => [&*self.head, Self::BEFORE_SEQUENCE_ID, &id.0.to_string(), Self::TAIL].concat(),
            None => [&*self.head, Self::TAIL].concat(),
        }
    }

    /// The whole frame for a connection that does not count messages, where it is needed once.
    #[must_use]
    pub fn into_plain(mut self) -> String {
        self.head.push_str(Self::TAIL);
        self.head
    }
}

/// Writes one text frame of the service. A payload is not copied: a large one costs its size but once.
#[must_use]
pub fn encode_downstream(message: DownstreamMessage) -> String {
    let mut frame = Writer::object();
    match message {
        DownstreamMessage::Connected { connection_id, user_id, reconnection_token } => {
            frame.text("type", "system").text("event", "connected");
            frame.text_or_null("userId", user_id.as_ref().map(UserId::as_str));
            frame.text("connectionId", connection_id.as_str());
            if let Some(token) = reconnection_token {
                frame.text("reconnectionToken", &token);
            }
        }
        DownstreamMessage::Disconnected { message } => {
            frame.text("type", "system").text("event", "disconnected").text("message", &message);
        }
        DownstreamMessage::Data { from, data, metadata, sequence_id, stream } => {
            let frame = DataFrame::of(&from, data, &metadata, stream.as_deref());
            return if sequence_id.is_some() { frame.with(sequence_id) } else { frame.into_plain() };
        }
        DownstreamMessage::Ack { ack_id, result } => {
            frame.text("type", "ack").number("ackId", ack_id.0);
            with_success(&mut frame, result.as_ref().err());
        }
        DownstreamMessage::InvokeResponse { invocation_id, result } => {
            frame.text("type", "invokeResponse").text("invocationId", &invocation_id);
            with_success(&mut frame, result.as_ref().err());
            if let Ok(Some(data)) = result {
                frame = with_given_data(frame, data);
            }
        }
        DownstreamMessage::Stream { stream_id, answer } => {
            let kind = match &answer {
                StreamAnswer::Ack { .. } => "streamAck",
                StreamAnswer::Nack { .. } => "streamNack",
                StreamAnswer::Closed { .. } => "streamClosed",
            };
            frame.text("type", kind).text("streamId", stream_id.as_str());
            match answer {
                StreamAnswer::Ack { expected } => {
                    frame.number("expectedSequenceId", expected);
                }
                StreamAnswer::Nack { name, message, expected } => {
                    frame.text("name", &name).text("message", &message);
                    frame.number("expectedSequenceId", expected);
                }
                StreamAnswer::Closed { error: Some(error) } => {
                    frame.json("error", &error_object(&error));
                }
                StreamAnswer::Closed { error: None } => {}
            }
        }
        DownstreamMessage::GroupStates { states, sequence_id } => {
            return DataFrame::of_states(&states).with(sequence_id);
        }
        DownstreamMessage::Pong => {
            frame.text("type", "pong");
        }
    }
    frame.finish()
}

/// Writes `stream`: what a group message is in a stream.
fn with_stream(frame: &mut Writer, part: &StreamPart) {
    let mut stream = Writer::object();
    stream.text("streamId", part.stream_id.as_str()).number("streamSequenceId", part.sequence_id);
    if let Some(end) = &part.end {
        stream.json("endOfStream", "true");
        if let Err(error) = end {
            let mut written = Writer::object();
            written.text("name", &error.name);
            with_error_parts(&mut written, error);
            stream.json("error", &written.finish());
        }
    }
    frame.json("stream", &stream.finish());
}

fn error_object(AckError { name, message }: &AckError) -> String {
    let mut error = Writer::object();
    error.text("name", name).text("message", message);
    error.finish()
}

/// Writes `success`, and `error` where there is one.
fn with_success(frame: &mut Writer, error: Option<&AckError>) {
    match error {
        None => frame.json("success", "true"),
        Some(error) => frame.json("success", "false").json("error", &error_object(error)),
    };
}

/// Reads one text frame of the service; `None` for a message of a kind that is not known, which a
/// client ignores.
///
/// # Errors
/// A [`DecodeError`] for a frame that is no JSON object, or a known message with properties missing
/// or of the wrong kind.
pub fn decode_downstream(text: &str) -> Result<Option<DownstreamMessage>, DecodeError> {
    let fields = Fields::parse(text)?;
    let kind = fields.string("type")?;
    Ok(Some(match kind.as_str() {
        "system" => match fields.string("event")?.as_str() {
            "connected" => DownstreamMessage::Connected {
                connection_id: ConnectionId::parse(fields.string("connectionId")?)?,
                user_id: user(&fields, "userId")?,
                reconnection_token: fields.optional("reconnectionToken", string)?,
            },
            "disconnected" => DownstreamMessage::Disconnected {
                message: fields.optional("message", string)?.unwrap_or_default(),
            },
            _ => return Ok(None),
        },
        "ack" => DownstreamMessage::Ack {
            ack_id: AckId(fields.required("ackId", Json::unsigned)?),
            result: match fields.required("success", Json::boolean)? {
                true => Ok(()),
                false => Err(fields.required("error", ack_error)?),
            },
        },
        "invokeResponse" => DownstreamMessage::InvokeResponse {
            invocation_id: fields.invocation_id()?,
            result: match fields.required("success", Json::boolean)? {
                true => Ok(fields.optional_data()?),
                false => Err(fields.required("error", ack_error)?),
            },
        },
        kind @ ("streamAck" | "streamNack" | "streamClosed") => {
            let expected = || fields.required("expectedSequenceId", Json::unsigned);
            let answer = match kind {
                "streamAck" => StreamAnswer::Ack { expected: expected()? },
                "streamNack" => StreamAnswer::Nack {
                    name: fields.string("name")?.into(),
                    message: fields.optional("message", string)?.unwrap_or_default(),
                    expected: expected()?,
                },
                _ => StreamAnswer::Closed { error: fields.nullable("error", ack_error)? },
            };
            DownstreamMessage::Stream { stream_id: fields.stream_id()?, answer }
        }
        "pong" => DownstreamMessage::Pong,
        _ => return logged(&fields, &kind),
    }))
}

/// Reads what of the service's frames stands in the log of a shard, as [`decode_downstream`] does: data messages and
/// states of groups; `None` for any other.
///
/// # Errors
/// As [`decode_downstream`] has them.
pub fn decode_logged(text: &str) -> Result<Option<DownstreamMessage>, DecodeError> {
    let fields = Fields::parse(text)?;
    logged(&fields, &fields.string("type")?)
}

fn logged(fields: &Fields<'_>, kind: &str) -> Result<Option<DownstreamMessage>, DecodeError> {
    Ok(Some(match kind {
        "message" => {
            let from = match fields.string("from")?.as_str() {
                "group" => Origin::Group { group: fields.group()?, from_user: user(fields, "fromUserId")? },
                "server" => Origin::Server,
                _ => return Ok(None),
            };
            let metadata = fields.metadata()?;
            DownstreamMessage::Data {
                from,
                data: fields.data(&metadata)?,
                metadata,
                sequence_id: fields.optional("sequenceId", Json::unsigned)?.map(SequenceId),
                stream: fields
                    .object("stream")?
                    .map(|stream| stream_part(&stream))
                    .transpose()?
                    .map(Box::new),
            }
        }
        "groupStateSnapshot" => group_states(fields, GroupStatesKind::Snapshot)?,
        "groupStateUpdate" => group_states(fields, GroupStatesKind::Update)?,
        _ => return Ok(None),
    }))
}

fn stream_part(stream: &Fields<'_>) -> Result<StreamPart, DecodeError> {
    let end = match stream.nullable("endOfStream", Json::boolean)? {
        Some(false) | None => None,
        Some(true) => Some(match stream.object("error")? {
            None => Ok(()),
            Some(error) => Err(StreamError {
                name: error.string("name")?.into(),
                message: error.nullable("message", string)?,
                user_error_code: error.nullable("userErrorCode", string)?,
            }),
        }),
    };
    let sequence_id = stream.required("streamSequenceId", Json::unsigned)?;
    Ok(StreamPart { stream_id: stream.stream_id()?, sequence_id, end })
}

fn group_states(fields: &Fields<'_>, kind: GroupStatesKind) -> Result<DownstreamMessage, DecodeError> {
    let mut items = Vec::new();
    for item in fields.required("items", Json::elements)? {
        let item = Fields::parse(item.as_str())?;
        items.push(GroupStateItem {
            connection_id: ConnectionId::parse(item.string("connectionId")?)?,
            user_id: user(&item, "userId")?,
            state: item.state()?,
            updated_at: Timestamp::from_millis(item.required("updatedAt", Json::unsigned)?),
        });
    }
    let sequence_id = fields.optional("sequenceId", Json::unsigned)?.map(SequenceId);
    Ok(DownstreamMessage::GroupStates {
        states: GroupStates { kind, group: fields.group()?, items },
        sequence_id,
    })
}

/// `null` is an anonymous user.
fn user(fields: &Fields<'_>, property: &'static str) -> Result<Option<UserId>, DecodeError> {
    Ok(fields.nullable(property, string)?.map(UserId::parse).transpose()?)
}

fn ack_error(value: Json<'_>) -> Option<AckError> {
    let error = Members::parse(value.as_str())?;
    let text = |name| error.get(name).and_then(string);
    Some(AckError { name: text("name")?.into(), message: text("message")? })
}
