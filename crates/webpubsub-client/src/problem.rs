//! Core errors as the numbers that the npm package knows them by.
//!
//! Their words are in `npm/src/errors.ts`, in the order of these numbers.

use webpubsub_client_core::{ConnectError, InvocationError, SendError, StartError};
use webpubsub_protocol::client::AckError;
use webpubsub_protocol::name::NameError;

/// Source: docs/spec/sdk.md#errors.
pub(crate) const fn of_send(error: &SendError) -> (u32, Option<&AckError>) {
    match error {
        SendError::Refused { error, .. } => (0, Some(error)),
        SendError::Disconnected { .. } => (1, None),
        SendError::NotConnected { .. } => (2, None),
        SendError::Aborted { .. } => (3, None),
    }
}

/// Source: docs/spec/sdk.md#errors.
pub(crate) const fn of_invocation(error: &InvocationError) -> (u32, Option<&AckError>) {
    match error {
        InvocationError::Refused(error) => (0, error.as_ref()),
        InvocationError::Disconnected => (1, None),
        InvocationError::NotConnected => (2, None),
        InvocationError::Aborted => (3, None),
        InvocationError::Registered => (4, None),
        InvocationError::Unreadable => (5, None),
    }
}

/// With its HTTP status or close code, 0 where it has none.
pub(crate) const fn of_start(error: &StartError) -> (u32, u16) {
    match error {
        StartError::Stopping => (0, 0),
        StartError::NotStopped => (1, 0),
        StartError::Stopped => (2, 0),
        StartError::Aborted => (3, 0),
        StartError::Connect(ConnectError::Credential) => (4, 0),
        StartError::Connect(ConnectError::InvalidUrl) => (5, 0),
        StartError::Connect(ConnectError::Refused { status }) => (6, *status),
        StartError::Connect(ConnectError::TimedOut) => (7, 0),
        StartError::Connect(ConnectError::Unreachable) => (8, 0),
        StartError::Connect(ConnectError::Closed { code }) => (9, code.0),
    }
}

/// What is wrong with a name; 0 is nothing.
pub(crate) const fn of_name(error: NameError) -> u32 {
    match error {
        NameError::Group => 1,
        NameError::Dots => 2,
        NameError::Event => 3,
        NameError::Hub | NameError::User | NameError::Connection => 4,
    }
}
