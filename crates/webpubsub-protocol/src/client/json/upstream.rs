//! Messages of clients in JSON: read by the service, written by the client.

use super::fields::{Fields, string};
use super::{with_data, with_error_parts, with_metadata};
use crate::client::{Echo, GroupStateAction, StreamAction, StreamError, UpstreamMessage};
use crate::data::TimeToLive;
use crate::error::DecodeError;
use crate::id::{AckId, SequenceId};
use crate::json::{Json, Writer};

/// Reads one text frame of a client.
///
/// # Errors
/// A [`DecodeError`] for everything that docs/spec/client.md#invalid-messages lists; each of them closes
/// the connection with 1007.
pub fn decode_upstream(text: &str) -> Result<UpstreamMessage, DecodeError> {
    let fields = Fields::parse(text)?;
    let kind = fields.string("type")?;
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    if is("sendToGroup") {
        let (group, ack_id) = (fields.group()?, fields.ack_id()?);
        let echo = match fields.optional("noEcho", Json::boolean)? {
            Some(true) => Echo::Skip,
            Some(false) | None => Echo::Send,
        };
        if let Some(stream) = fields.object("stream")? {
            fields.without_data()?;
            let idle_millis =
                stream.nullable("idleTimeoutMs", |millis| millis.unsigned()?.try_into().ok())?;
            let action = StreamAction::Start { group, ack_id, echo, idle_millis };
            return Ok(UpstreamMessage::Stream { stream_id: stream.stream_id()?, action });
        }
        let metadata = fields.metadata()?;
        Ok(UpstreamMessage::SendToGroup {
            group,
            ack_id,
            echo,
            ttl: fields.ttl()?,
            data: fields.data(&metadata)?,
            metadata,
        })
    } else if is("event") {
        let metadata = fields.metadata()?;
        Ok(UpstreamMessage::Event {
            event: fields.event()?,
            ack_id: fields.ack_id()?,
            data: fields.data(&metadata)?,
            metadata,
        })
    } else if is("invoke") {
        fields.required("target", |target| (target.text()? == "event").then_some(()))?;
        let metadata = fields.metadata()?;
        Ok(UpstreamMessage::Invoke {
            invocation_id: fields.invocation_id()?,
            event: fields.event()?,
            data: fields.optional_data()?.unwrap_or_default(),
            metadata,
        })
    } else if is("cancelInvocation") {
        Ok(UpstreamMessage::CancelInvocation { invocation_id: fields.invocation_id()? })
    } else if is("streamData") {
        let sequence_id = fields.optional("streamSequenceId", Json::unsigned)?;
        let action = match sequence_id {
            None => {
                fields.without_data()?;
                StreamAction::KeepAlive
            }
            Some(0) => return Err(DecodeError::Invalid { property: "streamSequenceId" }),
            Some(sequence_id) => {
                fields.string("dataType")?;
                let data = fields.optional_data()?.ok_or(DecodeError::Missing { property: "data" })?;
                StreamAction::Data { sequence_id, data }
            }
        };
        Ok(UpstreamMessage::Stream { stream_id: fields.stream_id()?, action })
    } else if is("streamEnd") {
        let error = match fields.object("error")? {
            None => None,
            Some(error) => Some(StreamError::of_user(
                error.nullable("message", string)?,
                error.nullable("userErrorCode", string)?,
            )),
        };
        Ok(UpstreamMessage::Stream { stream_id: fields.stream_id()?, action: StreamAction::End { error } })
    } else if is("joinGroup") {
        Ok(UpstreamMessage::JoinGroup { group: fields.group()?, ack_id: fields.ack_id()? })
    } else if is("leaveGroup") {
        Ok(UpstreamMessage::LeaveGroup { group: fields.group()?, ack_id: fields.ack_id()? })
    } else if let Some(action) = group_state_action(&fields, is)? {
        Ok(UpstreamMessage::GroupState { group: fields.group()?, ack_id: fields.ack_id()?, action })
    } else if is("sequenceAck") {
        let sequence_id = SequenceId(fields.required("sequenceId", Json::unsigned)?);
        Ok(UpstreamMessage::SequenceAck { sequence_id })
    } else if is("ping") {
        Ok(UpstreamMessage::Ping)
    } else {
        Err(DecodeError::UnknownType)
    }
}

/// What a client asks for about the states of a group, if it does.
fn group_state_action(
    fields: &Fields<'_>,
    is: impl Fn(&str) -> bool,
) -> Result<Option<GroupStateAction>, DecodeError> {
    Ok(if is("setGroupState") {
        Some(GroupStateAction::Set(fields.state()?.unwrap_or_default()))
    } else if is("subscribeGroupState") {
        Some(GroupStateAction::Subscribe)
    } else if is("unsubscribeGroupState") {
        Some(GroupStateAction::Unsubscribe)
    } else {
        None
    })
}

/// Writes one text frame of a client.
#[must_use]
pub fn encode_upstream(message: &UpstreamMessage) -> String {
    let mut frame = Writer::object();
    match message {
        UpstreamMessage::JoinGroup { group, ack_id } => {
            frame.text("type", "joinGroup").text("group", group.as_str());
            with_ack_id(&mut frame, *ack_id);
        }
        UpstreamMessage::LeaveGroup { group, ack_id } => {
            frame.text("type", "leaveGroup").text("group", group.as_str());
            with_ack_id(&mut frame, *ack_id);
        }
        UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata } => {
            frame.text("type", "sendToGroup").text("group", group.as_str());
            with_ack_id(&mut frame, *ack_id);
            frame.json("noEcho", if *echo == Echo::Skip { "true" } else { "false" });
            if *ttl != TimeToLive::FOREVER {
                frame.number("ttlSeconds", ttl.as_seconds().into());
            }
            with_data(&mut frame, data);
            with_metadata(&mut frame, metadata);
        }
        UpstreamMessage::Event { event, ack_id, data, metadata } => {
            frame.text("type", "event").text("event", event.as_str());
            with_ack_id(&mut frame, *ack_id);
            with_data(&mut frame, data);
            with_metadata(&mut frame, metadata);
        }
        UpstreamMessage::Invoke { invocation_id, event, data, metadata } => {
            frame.text("type", "invoke").text("invocationId", invocation_id);
            frame.text("target", "event").text("event", event.as_str());
            with_data(&mut frame, data);
            with_metadata(&mut frame, metadata);
        }
        UpstreamMessage::CancelInvocation { invocation_id } => {
            frame.text("type", "cancelInvocation").text("invocationId", invocation_id);
        }
        UpstreamMessage::Stream { stream_id, action } => match action {
            StreamAction::Start { group, ack_id, echo, idle_millis } => {
                frame.text("type", "sendToGroup").text("group", group.as_str());
                with_ack_id(&mut frame, *ack_id);
                frame.json("noEcho", if *echo == Echo::Skip { "true" } else { "false" });
                let mut stream = Writer::object();
                stream.text("streamId", stream_id.as_str());
                if let Some(millis) = idle_millis {
                    stream.number("idleTimeoutMs", (*millis).into());
                }
                frame.json("stream", &stream.finish());
            }
            StreamAction::Data { sequence_id, data } => {
                frame.text("type", "streamData").text("streamId", stream_id.as_str());
                frame.number("streamSequenceId", *sequence_id);
                with_data(&mut frame, data);
            }
            StreamAction::KeepAlive => {
                frame.text("type", "streamData").text("streamId", stream_id.as_str());
            }
            StreamAction::End { error } => {
                frame.text("type", "streamEnd").text("streamId", stream_id.as_str());
                if let Some(error) = error {
                    let mut written = Writer::object();
                    with_error_parts(&mut written, error);
                    frame.json("error", &written.finish());
                }
            }
        },
        UpstreamMessage::GroupState { group, ack_id, action } => {
            let kind = match action {
                GroupStateAction::Set(_) => "setGroupState",
                GroupStateAction::Subscribe => "subscribeGroupState",
                GroupStateAction::Unsubscribe => "unsubscribeGroupState",
            };
            frame.text("type", kind).text("group", group.as_str());
            with_ack_id(&mut frame, *ack_id);
            if let GroupStateAction::Set(state) = action
                && !state.is_empty()
            {
                frame.json("state", state.as_json());
            }
        }
        UpstreamMessage::Ping => {
            frame.text("type", "ping");
        }
        UpstreamMessage::SequenceAck { sequence_id } => {
            frame.text("type", "sequenceAck").number("sequenceId", sequence_id.0);
        }
    }
    frame.finish()
}

fn with_ack_id(frame: &mut Writer, ack_id: Option<AckId>) {
    if let Some(ack_id) = ack_id {
        frame.number("ackId", ack_id.0);
    }
}
