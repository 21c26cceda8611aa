//! An event as an HTTP request.

use super::{Event, Subject};
use crate::name::HubName;
use crate::time::Timestamp;

/// A POST to an event handler, without what only the sender knows: the signature and the handler's
/// own credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRequest {
    /// Names and values, none of which can start a new header.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl EventRequest {
    /// Writes an event. `number` is its `ce-id`, `url` where it goes, for the cookies.
    ///
    /// Source: `CloudEvents` spec, section 3.
    #[must_use]
    pub fn new(
        _hub: &HubName,
        _subject: &Subject,
        _event: &Event,
        _number: u64,
        _time: Timestamp,
        _url: &str,
    ) -> Self {
        todo!()
    }
}
