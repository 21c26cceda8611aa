//! The application's event handler, as a test has it answer.

use webpubsub_protocol::event_handler::HandlerAnswer;
use webpubsub_protocol::name::HubName;
use webpubsub_shard::{Call, EventPolicy, HubSettings};

/// The event policy of the hub `chat`, without event handlers.
pub fn policy() -> EventPolicy {
    EventPolicy::new(HubName::parse("chat").expect("a hub name"))
}

/// The same with these event handlers, as a list of JSON objects.
pub fn with_handlers(handlers: &str) -> EventPolicy {
    EventPolicy { settings: settings(handlers), ..policy() }
}

/// The settings of a hub with these event handlers, as a list of JSON objects.
pub fn settings(handlers: &str) -> HubSettings {
    HubSettings::parse(&format!(r#"{{"eventHandlers":{handlers}}}"#)).expect("settings")
}

/// An event handler at `https://example.com/` that receives every event but `connect`.
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

/// The value of a header of a call.
#[must_use]
pub fn header<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    let mut headers = call.request.headers.iter();
    headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The number of the event of a call.
pub(crate) fn number(call: &Call) -> Option<u64> {
    header(call, "ce-id")?.parse().ok()
}

/// The user, name and number of the event of a call, and which attempt it is if it is not the first.
pub(crate) fn words(call: &Call) -> String {
    let user = header(call, "ce-userId").unwrap_or("somebody");
    let again = if call.attempt > 1 { format!(", attempt {}", call.attempt) } else { String::new() };
    format!("{user} {} {}{again}", call.event, header(call, "ce-id").unwrap_or_default())
}
