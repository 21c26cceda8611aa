//! Core errors as JavaScript errors.

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{ConnectError, InvocationError, SendError, StartError};
use webpubsub_protocol::name::NameError;

use crate::convert::number;
use crate::host::Host;

const NOT_CONNECTED: &str = "The connection is not connected.";

/// The `SendMessageError` for this, with the official SDK's message; a plain `Error` where that SDK
/// has one.
///
/// Source: docs/spec/sdk.md#errors.
pub(crate) fn send_error(host: &Host, error: &SendError) -> JsValue {
    let (message, detail) = match error {
        SendError::Refused { error, .. } => ("Failed to send message.", Some(error)),
        SendError::Disconnected { .. } => {
            ("Connection is disconnected before receive ack from the service", None)
        }
        SendError::NotConnected { ack_id: None } => return JsError::new(NOT_CONNECTED).into(),
        SendError::NotConnected { ack_id: Some(_) } => (NOT_CONNECTED, None),
        SendError::Aborted { .. } => ("Cancelled by abortSignal", None),
    };
    let (name, text) = detail.map(|detail| (&*detail.name, detail.message.as_str())).unzip();
    host.send_error(message, number(error.ack_id()), name, text)
}

/// The `InvocationError` for this, with the official SDK's message.
///
/// Source: docs/spec/sdk.md#errors.
pub(crate) fn invocation_error(host: &Host, invocation_id: &str, error: &InvocationError) -> JsValue {
    let (message, detail) = match error {
        InvocationError::Registered => ("Invocation id is already registered.", None),
        InvocationError::NotConnected => (NOT_CONNECTED, None),
        InvocationError::Refused(None) => ("Invocation failed.", None),
        InvocationError::Refused(Some(error)) => (error.message.as_str(), Some(error)),
        InvocationError::Unreadable => ("Unsupported invoke response frame.", None),
        InvocationError::Disconnected => {
            ("Connection is disconnected before receiving invoke response from the service", None)
        }
        InvocationError::Aborted => ("Invocation cancelled by abortSignal.", None),
    };
    let (name, text) = detail.map(|detail| (&*detail.name, detail.message.as_str())).unzip();
    host.invocation_error(message, invocation_id, name, text)
}

/// The word by which the npm package knows this, and its HTTP status or close code.
pub(crate) const fn start_problem(error: &StartError) -> (&'static str, Option<u16>) {
    match error {
        StartError::Stopping => ("stopping", None),
        StartError::NotStopped => ("not-stopped", None),
        StartError::Stopped => ("stopped", None),
        StartError::Aborted => ("aborted", None),
        StartError::Connect(ConnectError::Credential) => ("credential", None),
        StartError::Connect(ConnectError::InvalidUrl) => ("invalid-url", None),
        StartError::Connect(ConnectError::Refused { status }) => ("refused", Some(*status)),
        StartError::Connect(ConnectError::TimedOut) => ("timed-out", None),
        StartError::Connect(ConnectError::Unreachable) => ("unreachable", None),
        StartError::Connect(ConnectError::Closed { code }) => ("closed", Some(code.0)),
    }
}

/// The `Error` for a name that breaks its rule.
pub(crate) fn name_error(error: NameError) -> JsValue {
    let message = match error {
        NameError::Group => "A group name is 1 to 1024 characters, not all of them white space.",
        NameError::Dots => "`.` and `..` are no names: URLs resolve them as path segments.",
        NameError::Event => "An event name is a letter and up to 127 more of letters, digits and _.-",
        NameError::Hub | NameError::User | NameError::Connection => "The name is not valid.",
    };
    JsError::new(message).into()
}
