use super::{Operation, Refusal};
use crate::data::{MessageData, Metadata};

/// A path and method of the API, with the names in it not yet looked at: enough to know whether
/// the caller needs a token, and cheap enough to find out before that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a> {
    hub: &'a str,
}

impl<'a> Route<'a> {
    /// Finds the route of a raw path (before percent-decoding).
    ///
    /// # Errors
    /// [`Refusal::UnknownPath`] or [`Refusal::Method`].
    pub fn find(_method: &str, path: &'a str) -> Result<Self, Refusal> {
        Ok(Self { hub: path })
    }

    /// Whether the caller has to show a token.
    #[must_use]
    pub const fn needs_token(&self) -> bool {
        !self.hub.is_empty()
    }

    /// Checks names and parameters.
    ///
    /// # Errors
    /// The [`Refusal`] to answer with.
    pub fn operation(self, _query: Option<&str>) -> Result<Operation, Refusal> {
        Ok(Operation::Health)
    }
}

/// What kind of message a body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentKind {
    /// `text/plain`
    Text(Charset),
    /// `application/json`
    Json,
    /// `application/octet-stream`, or no `Content-Type`
    Binary,
}

/// How a text body is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, the default.
    Utf8,
    /// Another label, for the shell to decode with; one that it does not know is
    /// [`Refusal::ContentType`].
    Label(String),
}

/// Reads a `Content-Type` header.
///
/// # Errors
/// [`Refusal::ContentType`] for every other type, and for malformed ones.
pub fn parse_content_type(_header: Option<&str>) -> Result<ContentKind, Refusal> {
    Ok(ContentKind::Binary)
}

/// Checks the length of a body, as announced or as read, in bytes.
///
/// # Errors
/// [`Refusal::TooLong`] above 1 MB.
pub const fn check_length(_bytes: usize) -> Result<(), Refusal> {
    Ok(())
}

/// The message in a body. Text in another charset than UTF-8 has to be decoded by the shell
/// first (after [`check_length`]): it is [`Refusal::ContentType`] here.
///
/// # Errors
/// The [`Refusal`] to answer with.
pub fn message_data(_kind: &ContentKind, body: Vec<u8>) -> Result<MessageData, Refusal> {
    Ok(MessageData::Binary(body))
}

/// The metadata in a request's headers, all of which may be passed in.
///
/// # Errors
/// [`Refusal::Metadata`] where they break its rules.
pub fn message_metadata<'a>(
    _headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Metadata, Refusal> {
    Ok(Metadata::default())
}
