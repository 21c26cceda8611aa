//! Why something was not done, as the npm package counts it: `npm/src/groups/errors.ts`.

use std::borrow::Cow;

use webpubsub_client_core::OutboundError;
use webpubsub_protocol::name::NameError;

/// What is no id of a stream.
pub(crate) const STREAM_ID: u32 = 4;

/// The number of what is wrong with a group's name, as `webpubsub-client` counts it.
pub(crate) const fn of_name(error: NameError) -> u32 {
    if matches!(error, NameError::Dots) { 2 } else { 1 }
}

/// The number of an error about a stream, and the name and sentence that it comes with.
pub(crate) fn of_stream(error: &OutboundError) -> (u32, &str, Cow<'_, str>) {
    let number = match error {
        OutboundError::Exists { .. } => 0,
        OutboundError::NotConnected => 1,
        OutboundError::NotStarted { .. } => 2,
        OutboundError::Completed { .. } => 3,
        OutboundError::Closed(error) => return (4, &error.name, Cow::Borrowed(&error.message)),
        OutboundError::ProtocolViolation { .. } => {
            return (4, OutboundError::PROTOCOL_VIOLATION, Cow::Owned(error.to_string()));
        }
        OutboundError::ConnectionLost => 5,
        OutboundError::Full { .. } => 6,
        OutboundError::Aborted => 7,
    };
    (number, "", Cow::Borrowed(""))
}
