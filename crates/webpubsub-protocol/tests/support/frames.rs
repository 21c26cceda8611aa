//! Golden vectors of the client subprotocols in their own words.

use serde_json::{Value, json};
use webpubsub_protocol::client::{
    DownstreamMessage, Echo, GroupState, GroupStateAction, GroupStatesKind, Origin, StreamAction,
    StreamAnswer, StreamError, StreamPart, UpstreamMessage,
};
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::error::DecodeError;
use webpubsub_protocol::name::UserId;

use crate::vectors::{self, hex};

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
    vectors::read(folder, file)
        .into_iter()
        .map(|vector| Vector {
            name: vector["name"].as_str().unwrap().to_owned(),
            input: vector["input"].as_str().unwrap().to_owned(),
            expected: vector["expected"].clone(),
            canonical: vector.get("canonical") == Some(&Value::Bool(true)),
        })
        .collect()
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
        UpstreamMessage::Stream { stream_id, action } => {
            let mut said = match action {
                StreamAction::Start { group, ack_id, echo, idle_millis } => json!({
                    "message": "streamStart",
                    "group": group.as_str(),
                    "ackId": ack_id.map(|id| id.to_string()),
                    "noEcho": *echo == Echo::Skip,
                    "idleTimeoutMs": idle_millis,
                }),
                StreamAction::Data { sequence_id, data } => json!({
                    "message": "streamData",
                    "streamSequenceId": sequence_id.to_string(),
                    "dataType": data.data_type().as_str(),
                    "data": payload(data),
                }),
                StreamAction::KeepAlive => json!({ "message": "streamKeepAlive" }),
                StreamAction::End { error } => {
                    json!({ "message": "streamEnd", "error": error.as_ref().map(stream_error) })
                }
            };
            said["streamId"] = json!(stream_id.as_str());
            said
        }
        UpstreamMessage::GroupState { group, ack_id, action } => {
            let (message, state) = match action {
                GroupStateAction::Set(state) => ("setGroupState", Some(state)),
                GroupStateAction::Subscribe => ("subscribeGroupState", None),
                GroupStateAction::Unsubscribe => ("unsubscribeGroupState", None),
            };
            let mut said = json!({
                "message": message,
                "group": group.as_str(),
                "ackId": ack_id.map(|id| id.to_string()),
            });
            if let Some(state) = state {
                said["state"] = state_entries(state);
            }
            said
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
        DownstreamMessage::Data { from, data, metadata, sequence_id, stream } => {
            let mut said = json!({
                "message": "data",
                "dataType": data.data_type().as_str(),
                "data": payload(data),
                "metadata": entries(metadata),
                "sequenceId": sequence_id.map(|id| id.to_string()),
            });
            if let Some(StreamPart { stream_id, sequence_id, end }) = stream.as_deref() {
                said["stream"] = json!({
                    "streamId": stream_id.as_str(),
                    "streamSequenceId": sequence_id.to_string(),
                    "endOfStream": end.is_some(),
                    "error": end.as_ref().and_then(|end| end.as_ref().err()).map(stream_error),
                });
            }
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
        DownstreamMessage::Stream { stream_id, answer } => {
            let mut said = match answer {
                StreamAnswer::Ack { expected } => {
                    json!({ "message": "streamAck", "expectedSequenceId": expected.to_string() })
                }
                StreamAnswer::Nack { name, message, expected } => json!({
                    "message": "streamNack",
                    "name": name,
                    "reason": message,
                    "expectedSequenceId": expected.to_string(),
                }),
                StreamAnswer::Closed { error } => json!({
                    "message": "streamClosed",
                    "error": error.as_ref().map(|error| json!({ "name": error.name, "message": error.message })),
                }),
            };
            said["streamId"] = json!(stream_id.as_str());
            said
        }
        DownstreamMessage::GroupStates { states, sequence_id } => {
            let items: Value = (states.items.iter())
                .map(|item| {
                    json!({
                        "connectionId": item.connection_id.as_str(),
                        "userId": item.user_id.as_ref().map(UserId::as_str),
                        "state": item.state.as_ref().map(state_entries),
                        "updatedAt": item.updated_at.as_millis().to_string(),
                    })
                })
                .collect();
            json!({
                "message": match states.kind {
                    GroupStatesKind::Snapshot => "groupStateSnapshot",
                    GroupStatesKind::Update => "groupStateUpdate",
                },
                "group": states.group.as_str(),
                "items": items,
                "sequenceId": sequence_id.map(|id| id.to_string()),
            })
        }
        DownstreamMessage::Pong => json!({ "message": "pong" }),
    }
}

fn stream_error(StreamError { name, message, user_error_code }: &StreamError) -> Value {
    json!({ "name": name, "message": message, "userErrorCode": user_error_code })
}

fn payload(data: &MessageData) -> String {
    match data {
        MessageData::Text(text) => text.clone(),
        MessageData::Json(json) => json.as_str().to_owned(),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => hex(bytes),
    }
}

fn state_entries(state: &GroupState) -> Value {
    state.iter().map(|(key, value)| json!([key, value])).collect()
}

fn entries(metadata: &Metadata) -> Value {
    metadata.iter().map(|(key, value)| json!([key, value])).collect()
}
