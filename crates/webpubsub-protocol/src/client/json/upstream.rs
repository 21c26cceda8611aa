use super::fields::Fields;
use super::{with_data, with_metadata};
use crate::client::{Echo, UpstreamMessage};
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
        // A stream is opened by this message too; until streams are served, it is refused rather
        // than published as data (docs/spec/protobuf.md#older-schemas).
        if fields.get("stream").is_some_and(|stream| !stream.is_null()) {
            return Err(DecodeError::Invalid { property: "stream" });
        }
        let metadata = fields.metadata()?;
        Ok(UpstreamMessage::SendToGroup {
            group: fields.group()?,
            ack_id: fields.ack_id()?,
            echo: match fields.optional("noEcho", Json::boolean)? {
                Some(true) => Echo::Skip,
                Some(false) | None => Echo::Send,
            },
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
    } else if is("joinGroup") {
        Ok(UpstreamMessage::JoinGroup { group: fields.group()?, ack_id: fields.ack_id()? })
    } else if is("leaveGroup") {
        Ok(UpstreamMessage::LeaveGroup { group: fields.group()?, ack_id: fields.ack_id()? })
    } else if is("sequenceAck") {
        let sequence_id = SequenceId(fields.required("sequenceId", Json::unsigned)?);
        Ok(UpstreamMessage::SequenceAck { sequence_id })
    } else if is("ping") {
        Ok(UpstreamMessage::Ping)
    } else {
        Err(DecodeError::UnknownType)
    }
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
