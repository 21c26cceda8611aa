//! What a socket, or one on its way, reports.

use webpubsub_client_core::{Close, ConnectError};
use webpubsub_protocol::client::Frame;

use crate::error::BoxError;

/// What a socket, or one on its way, reports. After an end it reports nothing.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// It is open.
    Opened,
    /// A frame arrived.
    Frame(Frame),
    /// It will not open; with what the platform says of it, if anything.
    Failed(ConnectError, Option<BoxError>),
    /// It was open and is closed.
    Closed(Close),
}
