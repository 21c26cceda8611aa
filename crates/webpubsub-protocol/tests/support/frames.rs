//! Golden vectors of the client subprotocols in their own words.

use std::path::PathBuf;

use serde_json::{Value, json};
use webpubsub_protocol::client::{DownstreamMessage, Echo, Origin, UpstreamMessage};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::error::DecodeError;
use webpubsub_protocol::name::UserId;

pub(crate) struct Vector {
    pub(crate) name: String,
    /// The frame: JSON text, or hex.
    pub(crate) input: String,
    /// The message in the vectors' own words; see [`upstream`] and [`downstream`].
    pub(crate) expected: Value,
    /// Whether writing the message gives `input` again.
    pub(crate) canonical: bool,
}

/// The vectors of one file.
pub(crate) fn read(folder: &str, file: &str) -> Vec<Vector> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(folder)
        .join(format!("{file}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let Value::Object(mut file) = serde_json::from_str(&text).unwrap() else { panic!("not an object") };
    let Some(Value::Array(vectors)) = file.remove("vectors") else { panic!("no vectors") };
    assert!(!vectors.is_empty());
    vectors
        .into_iter()
        .map(|vector| Vector {
            name: vector["name"].as_str().unwrap().to_owned(),
            input: spell_out(vector["input"].clone()).as_str().unwrap().to_owned(),
            expected: spell_out(vector["expected"].clone()),
            canonical: vector.get("canonical") == Some(&Value::Bool(true)),
        })
        .collect()
}

/// Joins every `{"parts": […]}` into the string that it stands for.
fn spell_out(value: Value) -> Value {
    match value {
        Value::Object(object) => match object.get("parts") {
            Some(parts) => Value::String(parts.as_array().unwrap().iter().map(part).collect()),
            None => object.into_iter().map(|(name, value)| (name, spell_out(value))).collect(),
        },
        Value::Array(values) => values.into_iter().map(spell_out).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

fn part(part: &Value) -> String {
    match part.as_str() {
        Some(text) => text.to_owned(),
        None => {
            part["repeat"].as_str().unwrap().repeat(usize::try_from(part["times"].as_u64().unwrap()).unwrap())
        }
    }
}

pub(crate) fn refused(error: &DecodeError) -> Value {
    json!({ "refused": error.to_string() })
}

pub(crate) fn upstream(message: &UpstreamMessage) -> Value {
    match message {
        UpstreamMessage::JoinGroup { group, ack_id } => {
            json!({ "message": "joinGroup", "group": group.as_str(), "ackId": ack_id.map(|id| id.to_string()) })
        }
        UpstreamMessage::LeaveGroup { group, ack_id } => {
            json!({ "message": "leaveGroup", "group": group.as_str(), "ackId": ack_id.map(|id| id.to_string()) })
        }
        UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata } => json!({
            "message": "sendToGroup",
            "group": group.as_str(),
            "ackId": ack_id.map(|id| id.to_string()),
            "noEcho": *echo == Echo::Skip,
            "ttlSeconds": ttl.as_seconds(),
            "dataType": data.data_type().as_str(),
            "data": payload(data),
            "metadata": entries(metadata),
        }),
        UpstreamMessage::Event { event, ack_id, data, metadata } => json!({
            "message": "event",
            "event": event.as_str(),
            "ackId": ack_id.map(|id| id.to_string()),
            "dataType": data.data_type().as_str(),
            "data": payload(data),
            "metadata": entries(metadata),
        }),
        UpstreamMessage::Invoke { invocation_id, event, data, metadata } => json!({
            "message": "invoke",
            "invocationId": invocation_id,
            "event": event.as_str(),
            "dataType": data.data_type().as_str(),
            "data": payload(data),
            "metadata": entries(metadata),
        }),
        UpstreamMessage::CancelInvocation { invocation_id } => {
            json!({ "message": "cancelInvocation", "invocationId": invocation_id })
        }
        UpstreamMessage::Ping => json!({ "message": "ping" }),
        UpstreamMessage::SequenceAck { sequence_id } => {
            json!({ "message": "sequenceAck", "sequenceId": sequence_id.to_string() })
        }
    }
}

pub(crate) fn downstream(message: &DownstreamMessage) -> Value {
    match message {
        DownstreamMessage::Connected { connection_id, user_id, reconnection_token } => json!({
            "message": "connected",
            "connectionId": connection_id.as_str(),
            "userId": user_id.as_ref().map(UserId::as_str),
            "reconnectionToken": reconnection_token,
        }),
        DownstreamMessage::Disconnected { message } => {
            json!({ "message": "disconnected", "reason": message })
        }
        DownstreamMessage::Data { from, data, metadata, sequence_id } => {
            let mut said = json!({
                "message": "data",
                "dataType": data.data_type().as_str(),
                "data": payload(data),
                "metadata": entries(metadata),
                "sequenceId": sequence_id.map(|id| id.to_string()),
            });
            match from {
                Origin::Server => said["from"] = json!("server"),
                Origin::Group { group, from_user } => {
                    said["from"] = json!("group");
                    said["group"] = json!(group.as_str());
                    said["fromUserId"] = json!(from_user.as_ref().map(UserId::as_str));
                }
            }
            said
        }
        DownstreamMessage::Ack { ack_id, result } => json!({
            "message": "ack",
            "ackId": ack_id.to_string(),
            "error": result.as_ref().err().map(|error| json!({ "name": error.name, "message": error.message })),
        }),
        DownstreamMessage::InvokeResponse { invocation_id, result } => {
            let data = result.as_ref().ok().and_then(Option::as_ref);
            json!({
                "message": "invokeResponse",
                "invocationId": invocation_id,
                "dataType": data.map(|data| data.data_type().as_str()),
                "data": data.map(payload),
                "error": result.as_ref().err().map(|error| json!({ "name": error.name, "message": error.message })),
            })
        }
        DownstreamMessage::Pong => json!({ "message": "pong" }),
    }
}

fn payload(data: &MessageData) -> String {
    match data {
        MessageData::Text(text) => text.clone(),
        MessageData::Json(json) => json.as_str().to_owned(),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => hex(bytes),
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entries(metadata: &Metadata) -> Value {
    metadata.iter().map(|(key, value)| json!([key, value])).collect()
}
