//! The request of a call: what is sent to an event handler, and by which secret the handler knows the service.

use webpubsub_shard::{HandlerAuth, HandlerSecret};

/// An HTTP request to an event handler.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Names and values, each on a line of its own.
    pub headers: String,
    /// The body; `None` for a method without one.
    pub body: Option<Vec<u8>>,
    /// How many bytes are read of the body of a successful answer; where that is 0, no body is read.
    pub max_answer_bytes: usize,
}

impl Request {
    pub(super) fn new(method: &'static str, url: String) -> Self {
        Self { method, url, headers: String::new(), body: None, max_answer_bytes: 0 }
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        for part in [name, "\n", value, "\n"] {
            self.headers.push_str(part);
        }
    }
}

/// The secret by which a handler knows the service; `None` where it is missing, is not for handlers, or
/// cannot stand in a header.
pub(super) fn secret(auth: &HandlerAuth, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let secret = match &auth.secret {
        HandlerSecret::Text(text) => text.clone(),
        HandlerSecret::Named(name) if HandlerSecret::is_for_handlers(name) => variable(name)?,
        HandlerSecret::Named(_) => return None,
    };
    (!secret.contains(['\r', '\n'])).then_some(secret)
}
