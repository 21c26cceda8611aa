//! The application's event handler, as a test has it answer.

use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer};
use webpubsub_protocol::name::HubName;
use webpubsub_shard::{Call, EventPolicy, HubSettings, Input};

use crate::shard::TestShard;

/// How the hub `chat` tells its event handlers of events: it has none.
pub fn policy() -> EventPolicy {
    EventPolicy::new(HubName::parse("chat").expect("a hub name"))
}

/// The same with these event handlers, as a list of JSON objects.
pub fn telling(handlers: &str) -> EventPolicy {
    EventPolicy { settings: settings(handlers), ..policy() }
}

/// The settings of a hub with these event handlers, as a list of JSON objects.
pub fn settings(handlers: &str) -> HubSettings {
    HubSettings::parse(&format!(r#"{{"eventHandlers":{handlers}}}"#)).expect("settings")
}

/// An event handler at `https://example.com/` that is told of everything but `connect`.
pub const ALL_EVENTS: &str = r#"[{"urlTemplate":"https://example.com/{event}","userEventPattern":"*",
    "systemEvents":["connected","disconnected"],"groupPresenceEvents":{"eventNames":["joined","left"]}}]"#;

/// The same, of user events only.
pub const USER_EVENTS: &str = r#"[{"urlTemplate":"https://example.com/{event}","userEventPattern":"*"}]"#;

/// An answer without a body.
#[must_use]
pub fn status(status: u16) -> HandlerAnswer {
    HandlerAnswer { status, ..HandlerAnswer::default() }
}

/// A successful answer with a body.
#[must_use]
pub fn says(content_type: &str, body: &str) -> HandlerAnswer {
    HandlerAnswer { content_type: Some(content_type.to_owned()), body: body.into(), ..status(200) }
}

/// What an event handler is told in a header.
#[must_use]
pub fn header<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    let mut headers = call.request.headers.iter();
    headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The number of the event that a call tells of.
pub(crate) fn number(call: &Call) -> Option<u64> {
    header(call, "ce-id")?.parse().ok()
}

/// Whose event a call tells of, which, under which number, and in which attempt if it is not the first.
pub(crate) fn words(call: &Call) -> String {
    let user = header(call, "ce-userId").unwrap_or("somebody");
    let again = if call.attempt > 1 { format!(", attempt {}", call.attempt) } else { String::new() };
    format!("{user} {} {}{again}", call.event, header(call, "ce-id").unwrap_or_default())
}

impl TestShard {
    /// The calls that are under way, in a few words each, oldest first.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.calls.iter().map(words).collect()
    }

    /// The oldest call that is under way ends; returns it.
    pub fn end_call(&mut self, result: Result<HandlerAnswer, CallFailure>) -> Call {
        self.end_nth_call(0, result)
    }

    /// The same, with another than the oldest.
    pub fn end_nth_call(&mut self, index: usize, result: Result<HandlerAnswer, CallFailure>) -> Call {
        let call = self.calls.remove(index);
        let result = match call.barred {
            Some(failure) => Err(failure),
            None => result.and_then(|answer| answer.taken(call.purpose)),
        };
        self.input(Input::Called { call: call.id, result });
        call
    }

    /// Every call that is under way, and what follows, succeeds with nothing to say, until none is.
    /// Returns them in words.
    pub fn end_calls(&mut self) -> Vec<String> {
        let mut ended = Vec::new();
        while !self.calls.is_empty() {
            let call = self.end_call(Ok(status(204)));
            ended.push(words(&call));
        }
        ended
    }
}
