//! JavaScript values ↔ the session's messages: the only place.

use std::borrow::Cow;

use js_sys::{JsString, Reflect};
use wasm_bindgen::prelude::*;
use webpubsub_client_core::{Incoming, InvocationError};
use webpubsub_protocol::client::{AckError, Echo, UpstreamMessage};
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{ConnectionId, UserId};

/// The payload's part of a frame, printed by `json.js`.
pub(crate) type Payload = JsString;

#[wasm_bindgen(module = "/src/json.js")]
extern "C" {
    /// A frame of the service, parsed by `json.js`.
    pub(crate) type Frame;

    fn decode(text: &JsValue) -> Option<Frame>;
    #[wasm_bindgen(js_name = kindOf)]
    fn kind_of(frame: &Frame) -> u32;

    /// Prints a payload.
    ///
    /// # Errors
    /// A `TypeError` for a value that does not fit its data type.
    #[wasm_bindgen(catch)]
    pub(crate) fn payload(value: &JsValue, data_type: &JsValue) -> Result<Payload, JsValue>;

    #[wasm_bindgen(js_name = joinGroup)]
    fn join_group(group: &str, ack_id: Option<f64>) -> JsString;
    #[wasm_bindgen(js_name = leaveGroup)]
    fn leave_group(group: &str, ack_id: Option<f64>) -> JsString;
    #[wasm_bindgen(js_name = sendToGroup)]
    fn send_to_group(group: &str, ack_id: Option<f64>, no_echo: bool, payload: &Payload) -> JsString;
    #[wasm_bindgen(js_name = sendEvent)]
    fn send_event(event: &str, ack_id: Option<f64>, payload: &Payload) -> JsString;
    fn invoke(invocation_id: &str, event: &str, payload: &Payload) -> JsString;
    #[wasm_bindgen(js_name = cancelInvocation)]
    fn cancel_invocation(invocation_id: &str) -> JsString;
    #[wasm_bindgen(js_name = sequenceAck)]
    fn sequence_ack(sequence_id: f64) -> JsString;
    fn ping() -> JsString;
    /// Adds the ack id to a frame.
    pub(crate) fn other(message: &Payload, ack_id: Option<f64>) -> JsString;
}

#[wasm_bindgen]
extern "C" {
    // What every data message and ack is asked for; the rest goes through `property`.
    #[wasm_bindgen(method, getter, js_name = sequenceId)]
    fn sequence_id(this: &Frame) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = ackId)]
    fn ack_id(this: &Frame) -> f64;
    #[wasm_bindgen(method, getter)]
    fn success(this: &Frame) -> bool;
}

/// What a WebSocket's message event brought.
pub(crate) fn incoming(data: &JsValue) -> Incoming<Frame> {
    let Some(frame) = decode(data) else {
        return Incoming::Other;
    };
    // The numbers are `kindOf`'s in `json.js`.
    match kind_of(&frame) {
        1 => Incoming::Data {
            sequence_id: frame.sequence_id().map(|id| SequenceId(id as u64)),
            message: frame,
        },
        2 => Incoming::Ack { ack_id: AckId(frame.ack_id() as u64), result: ack_result(&frame) },
        3 => match ConnectionId::parse(text(&frame, "connectionId")) {
            Ok(connection_id) => Incoming::Connected {
                connection_id,
                user_id: UserId::parse(text(&frame, "userId")).ok(),
                reconnection_token: property(&frame, "reconnectionToken").as_string(),
            },
            Err(_) => Incoming::Other,
        },
        4 => Incoming::Disconnected { message: text(&frame, "message") },
        5 => {
            let invocation_id = text(&frame, "invocationId");
            let result = match property(&frame, "success").as_bool() {
                Some(true) => Ok(frame),
                Some(false) => Err(InvocationError::Refused(error_of(&frame))),
                None => Err(InvocationError::Unreadable),
            };
            Incoming::InvokeResponse { invocation_id, result }
        }
        _ => Incoming::Other,
    }
}

fn ack_result(frame: &Frame) -> Result<(), AckError> {
    if frame.success() {
        return Ok(());
    }
    Err(error_of(frame).unwrap_or(AckError { name: Cow::Borrowed(""), message: String::new() }))
}

/// What a frame says is wrong, if it does.
fn error_of(frame: &Frame) -> Option<AckError> {
    let error = property(frame, "error");
    error
        .is_object()
        .then(|| AckError { name: Cow::Owned(text(&error, "name")), message: text(&error, "message") })
}

/// A property of an object; `undefined` where there is none, or no object.
pub(crate) fn property(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// A property that should be a string; an empty one otherwise.
fn text(object: &JsValue, name: &str) -> String {
    property(object, name).as_string().unwrap_or_default()
}

/// The text frame that says this.
pub(crate) fn frame(message: &UpstreamMessage<Payload>) -> JsString {
    match message {
        UpstreamMessage::JoinGroup { group, ack_id } => join_group(group.as_str(), number(*ack_id)),
        UpstreamMessage::LeaveGroup { group, ack_id } => leave_group(group.as_str(), number(*ack_id)),
        UpstreamMessage::SendToGroup { group, ack_id, echo, data, .. } => {
            send_to_group(group.as_str(), number(*ack_id), *echo == Echo::Skip, data)
        }
        UpstreamMessage::Event { event, ack_id, data, .. } => {
            send_event(event.as_str(), number(*ack_id), data)
        }
        UpstreamMessage::Invoke { invocation_id, event, data, .. } => {
            invoke(invocation_id, event.as_str(), data)
        }
        UpstreamMessage::CancelInvocation { invocation_id } => cancel_invocation(invocation_id),
        // This client opens no streams and sets no states.
        UpstreamMessage::Stream { .. } | UpstreamMessage::GroupState { .. } | UpstreamMessage::Ping => ping(),
        UpstreamMessage::SequenceAck { sequence_id } => sequence_ack(sequence_id.0 as f64),
    }
}

/// An ack id as JavaScript has it: whatever a JavaScript caller can choose fits.
pub(crate) fn number(ack_id: Option<AckId>) -> Option<f64> {
    ack_id.map(|id| id.0 as f64)
}
