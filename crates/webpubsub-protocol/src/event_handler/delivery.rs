//! What is kept of an attempt to deliver an event to a handler.

use super::CallFailure;
use crate::json::Writer;

/// One attempt. Nothing is in it of the URL's query, of headers or of payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// When it began, in milliseconds since the Unix epoch.
    pub time: u64,
    /// The event's name; `validate` for a handshake.
    pub event: String,
    /// The connection that the event is about; `None` for a handshake.
    pub connection: Option<String>,
    /// Which attempt it is, from 1.
    pub attempt: u8,
    /// The URL without its query.
    pub url: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub duration: u64,
}

impl Delivery {
    /// Writes it as JSON, with why it failed, if it did: `error` is [`CallFailure::name`], and `message`
    /// a sentence.
    #[must_use]
    pub fn encode(&self, failure: Option<CallFailure>) -> String {
        let mut delivery = Writer::object();
        let or_null = |number: Option<u16>| number.map_or("null".to_owned(), |number| number.to_string());
        delivery.number("time", self.time).text("event", &self.event);
        delivery.text_or_null("connectionId", self.connection.as_deref());
        delivery.number("attempt", self.attempt.into()).text("url", &self.url);
        delivery.json("status", &or_null(self.status)).number("durationMs", self.duration);
        delivery.text_or_null("error", failure.map(CallFailure::name));
        delivery.text_or_null("message", failure.map(CallFailure::message).as_deref());
        delivery.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_says_what_happened_by_name_and_in_words() {
        let delivery = Delivery {
            time: 1,
            event: "chat".into(),
            connection: Some("c".into()),
            attempt: 2,
            url: "https://example.com/".into(),
            status: Some(200),
            duration: 3,
        };
        let head = r#"{"time":1,"event":"chat","connectionId":"c","attempt":2,"url":"https://example.com/","#;
        let end = r#""status":200,"durationMs":3,"error":null,"message":null}"#;
        assert_eq!(delivery.encode(None), [head, end].concat());
        let handshake = Delivery { connection: None, status: None, ..delivery };
        let text = handshake.encode(Some(CallFailure::StateTooLarge));
        assert!(text.contains(r#""connectionId":null"#) && text.contains(r#""status":null"#), "{text}");
        assert!(text.contains(r#""error":"StateTooLarge","message":"#) && text.contains("12288"), "{text}");
    }
}
