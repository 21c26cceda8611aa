//! Cookies of a handler, kept for one connection.

use crate::time::Timestamp;

/// What handlers want to be told again with every event of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cookies(String);

impl Cookies {
    /// Takes the `Set-Cookie` headers of an answer from `url`. Returns whether anything changed.
    pub fn take(&mut self, _now: Timestamp, _url: &str, _set: &[String]) -> bool {
        todo!()
    }

    /// The `Cookie` header for a request to `url`; `None` where there is nothing to tell.
    #[must_use]
    pub fn header(&self, _url: &str) -> Option<String> {
        todo!()
    }

    /// Writes them as one text, empty where there are none.
    #[must_use]
    pub fn encode(&self) -> String {
        self.0.clone()
    }

    /// Reads what [`Cookies::encode`] wrote; anything else is no cookies.
    #[must_use]
    pub fn decode(text: &str) -> Self {
        Self(text.to_owned())
    }
}
