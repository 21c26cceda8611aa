//! The session's messages → the host's `send`.

use wasm_bindgen::JsValue;
use webpubsub_protocol::client::{Echo, UpstreamMessage};
use webpubsub_protocol::id::AckId;

use crate::host::Host;

/// Has the host send a message: its kind, by its place in `upstream` of `npm/src/kinds.ts`, and
/// what messages of that kind are made of.
pub(crate) fn send(host: &Host, message: &UpstreamMessage<JsValue>) {
    let none = JsValue::UNDEFINED;
    let (kind, name, id, number, flag, payload) = match message {
        UpstreamMessage::JoinGroup { group, ack_id } => {
            (0, group.as_str(), "", number(*ack_id), false, &none)
        }
        UpstreamMessage::LeaveGroup { group, ack_id } => {
            (1, group.as_str(), "", number(*ack_id), false, &none)
        }
        UpstreamMessage::SendToGroup { group, ack_id, echo, data, .. } => {
            (2, group.as_str(), "", number(*ack_id), *echo == Echo::Skip, data)
        }
        UpstreamMessage::Event { event, ack_id, data, .. } => {
            (3, event.as_str(), "", number(*ack_id), false, data)
        }
        UpstreamMessage::Invoke { invocation_id, event, data, .. } => {
            (4, event.as_str(), &**invocation_id, NONE, false, data)
        }
        UpstreamMessage::CancelInvocation { invocation_id } => (5, "", &**invocation_id, NONE, false, &none),
        UpstreamMessage::SequenceAck { sequence_id } => (6, "", "", sequence_id.0 as f64, false, &none),
        // The session writes no streams and states: JavaScript does, with `Client.other`.
        UpstreamMessage::Stream { .. } | UpstreamMessage::GroupState { .. } | UpstreamMessage::Ping => {
            (7, "", "", NONE, false, &none)
        }
    };
    host.send(kind, name, id, number, flag, payload);
}

/// Where there is no number.
const NONE: f64 = -1.0;

/// An ack id as JavaScript has it: whatever a JavaScript caller can choose fits. Negative is none.
pub(crate) fn number(ack_id: Option<AckId>) -> f64 {
    ack_id.map_or(NONE, |id| id.0 as f64)
}

/// The ack id that JavaScript means.
pub(crate) fn ack_id(number: f64) -> Option<AckId> {
    (number >= 0.0).then_some(AckId(number as u64))
}
