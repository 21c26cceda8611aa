use serde::Serialize;

use super::fields::{Fields, boolean, required, string, unsigned};
use super::{DataValue, print};
use crate::client::{Echo, UpstreamMessage};
use crate::data::{DataType, Metadata, TimeToLive};
use crate::error::DecodeError;
use crate::id::SequenceId;

/// Reads one text frame of a client.
///
/// # Errors
/// A [`DecodeError`] for everything that section 6.2 of the client spec lists; each of them closes
/// the connection with 1007.
pub fn decode_upstream(text: &str) -> Result<UpstreamMessage, DecodeError> {
    let fields = Fields::parse(text)?;
    let kind = required(fields.kind, "type").and_then(|value| string(value, "type"))?;
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    if is("sendToGroup") {
        // A stream is opened by this message too; until streams are served, it is refused rather
        // than published as data (protobuf spec, section 3).
        if fields.stream.is_some() {
            return Err(DecodeError::Invalid { property: "stream" });
        }
        let metadata = fields.metadata()?;
        Ok(UpstreamMessage::SendToGroup {
            group: fields.group()?,
            ack_id: fields.ack_id()?,
            echo: match fields.no_echo {
                Some(value) if boolean(value, "noEcho")? => Echo::Skip,
                Some(_) | None => Echo::Send,
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
    } else if is("joinGroup") {
        Ok(UpstreamMessage::JoinGroup { group: fields.group()?, ack_id: fields.ack_id()? })
    } else if is("leaveGroup") {
        Ok(UpstreamMessage::LeaveGroup { group: fields.group()?, ack_id: fields.ack_id()? })
    } else if is("sequenceAck") {
        let sequence_id = required(fields.sequence_id, "sequenceId")?;
        Ok(UpstreamMessage::SequenceAck { sequence_id: SequenceId(unsigned(sequence_id, "sequenceId")?) })
    } else if is("ping") {
        Ok(UpstreamMessage::Ping)
    } else {
        Err(DecodeError::UnknownType)
    }
}

/// Writes one text frame of a client.
#[must_use]
pub fn encode_upstream(message: &UpstreamMessage) -> String {
    #[derive(Serialize, Default)]
    #[serde(rename_all = "camelCase")]
    struct Upstream<'a> {
        r#type: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ack_id: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        no_echo: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ttl_seconds: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        data_type: Option<DataType>,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<DataValue<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        metadata: Option<&'a Metadata>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sequence_id: Option<u64>,
    }
    let some = |metadata| Some(metadata).filter(|metadata: &&Metadata| !metadata.is_empty());
    print(&match message {
        UpstreamMessage::JoinGroup { group, ack_id } => Upstream {
            r#type: "joinGroup",
            group: Some(group.as_str()),
            ack_id: ack_id.map(|id| id.0),
            ..Upstream::default()
        },
        UpstreamMessage::LeaveGroup { group, ack_id } => Upstream {
            r#type: "leaveGroup",
            group: Some(group.as_str()),
            ack_id: ack_id.map(|id| id.0),
            ..Upstream::default()
        },
        UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata } => Upstream {
            r#type: "sendToGroup",
            group: Some(group.as_str()),
            ack_id: ack_id.map(|id| id.0),
            no_echo: Some(*echo == Echo::Skip),
            ttl_seconds: Some(*ttl).filter(|ttl| *ttl != TimeToLive::FOREVER).map(TimeToLive::as_seconds),
            data_type: Some(data.data_type()),
            data: Some(DataValue(data)),
            metadata: some(metadata),
            ..Upstream::default()
        },
        UpstreamMessage::Event { event, ack_id, data, metadata } => Upstream {
            r#type: "event",
            event: Some(event.as_str()),
            ack_id: ack_id.map(|id| id.0),
            data_type: Some(data.data_type()),
            data: Some(DataValue(data)),
            metadata: some(metadata),
            ..Upstream::default()
        },
        UpstreamMessage::Ping => Upstream { r#type: "ping", ..Upstream::default() },
        UpstreamMessage::SequenceAck { sequence_id } => {
            Upstream { r#type: "sequenceAck", sequence_id: Some(sequence_id.0), ..Upstream::default() }
        }
    })
}
