//! The user's payload, and what may ride beside it.

use std::time::Duration;

use crate::json::Json;
use crate::limits::{MAX_METADATA_BYTES, MAX_METADATA_KEY_BYTES, MAX_METADATA_VALUE_BYTES, MAX_TTL_SECONDS};
use crate::sorted::SortedSet;
use crate::time::Timestamp;

/// How a payload is to be understood; written in lower case on the JSON wire, and read in any.
///
/// Source: docs/spec/client.md#data-types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// A string.
    Text,
    /// Any JSON value but `null`.
    Json,
    /// Bytes.
    Binary,
    /// A serialized `google.protobuf.Any`.
    Protobuf,
}

impl DataType {
    /// The type's name on the JSON wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Binary => "binary",
            Self::Protobuf => "protobuf",
        }
    }

    /// The type with this name, in any case.
    ///
    /// Source: docs/spec/client.md#data-types.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let is_named = |data_type: &Self| data_type.as_str().eq_ignore_ascii_case(name);
        [Self::Text, Self::Json, Self::Binary, Self::Protobuf].into_iter().find(is_named)
    }
}

/// One payload, as its publisher sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageData {
    /// A string.
    Text(String),
    /// JSON text as published; see [`JsonText`].
    Json(JsonText),
    /// Bytes.
    Binary(Vec<u8>),
    /// A serialized `google.protobuf.Any`, its value never looked into; made by
    /// [`crate::client::protobuf::any`].
    Protobuf(Vec<u8>),
}

impl Default for MessageData {
    /// Empty text: what a payload is that is left out.
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl MessageData {
    /// What kind of payload this is.
    #[must_use]
    pub const fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Text,
            Self::Json(_) => DataType::Json,
            Self::Binary(_) => DataType::Binary,
            Self::Protobuf(_) => DataType::Protobuf,
        }
    }
}

/// What may stand around a JSON value.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// The text of one JSON value other than `null`, kept letter for letter, with the blanks around it:
/// numbers are never re-printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(Box<str>);

impl JsonText {
    /// Checks that `text` is one JSON value, and not `null`, which clients drop without a word.
    ///
    /// # Errors
    /// [`NotJson`] for anything else.
    ///
    /// Source: docs/spec/client.md#data-types (no `data: null` is ever sent).
    pub fn parse(text: impl AsRef<str> + Into<Box<str>>) -> Result<Self, NotJson> {
        let value = Json::parse(text.as_ref()).ok_or(NotJson)?;
        if value.is_null() { Err(NotJson) } else { Ok(Self(text.into())) }
    }

    /// Takes a value that has been read already.
    ///
    /// # Errors
    /// [`NotJson`] if it is `null`.
    pub(crate) fn from_value(value: Json<'_>) -> Result<Self, NotJson> {
        if value.is_null() { Err(NotJson) } else { Ok(Self(value.as_str().into())) }
    }

    /// The value's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.trim_matches(BLANKS)
    }

    /// The value's text, given away.
    #[must_use]
    pub(crate) fn into_value(self) -> String {
        if self.0.starts_with(BLANKS) {
            return self.as_str().to_owned();
        }
        let length = self.as_str().len();
        let mut text = self.into_given();
        text.truncate(length);
        text
    }

    /// The text as it was given, given away.
    #[must_use]
    pub(crate) fn into_given(self) -> String {
        self.0.into_string()
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_given(&self) -> &str {
        &self.0
    }
}

/// The text is not one JSON value other than `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON value other than null")]
pub struct NotJson;

/// How long copies of a message that no client has consumed are worth keeping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeToLive(u16);

impl TimeToLive {
    /// A message that never expires.
    pub const FOREVER: Self = Self(0);

    /// Checks a time to live: 0 (never expires) to 300 seconds.
    ///
    /// # Errors
    /// [`TtlOutOfRange`] above that.
    ///
    /// Source: docs/spec/client.md#data-types.
    pub fn from_seconds(seconds: u64) -> Result<Self, TtlOutOfRange> {
        match u16::try_from(seconds) {
            Ok(seconds) if seconds <= MAX_TTL_SECONDS => Ok(Self(seconds)),
            Ok(_) | Err(_) => Err(TtlOutOfRange),
        }
    }

    /// When a message that begins to live now has lived; `None` if it never expires.
    #[must_use]
    pub fn end(self, now: Timestamp) -> Option<Timestamp> {
        (self != Self::FOREVER).then(|| now.after(Duration::from_secs(self.0.into())))
    }

    /// Seconds to live; 0 means for ever.
    #[must_use]
    pub const fn as_seconds(self) -> u16 {
        self.0
    }
}

/// A time to live outside 0 to 300 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time to live is 0 to {MAX_TTL_SECONDS} seconds")]
pub struct TtlOutOfRange;

/// Short strings that ride beside a payload, in the order sent.
///
/// Keys are 1 to 256 bytes of HTTP token characters, case-sensitive and each used once; values are
/// up to 1024 bytes of ASCII; 8 KiB in all.
///
/// Source: docs/spec/client.md#data-types.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata(Vec<(String, String)>);

impl Metadata {
    /// Checks every key and value.
    ///
    /// # Errors
    /// [`MetadataError`] for the first that breaks a rule.
    pub fn parse(entries: Vec<(String, String)>) -> Result<Self, MetadataError> {
        let mut total = 0_usize;
        let mut seen = SortedSet::new();
        for (key, value) in &entries {
            if key.is_empty() || key.len() > MAX_METADATA_KEY_BYTES || !key.bytes().all(is_token_byte) {
                return Err(MetadataError::Key);
            }
            if !seen.insert(key.as_str()) {
                return Err(MetadataError::DuplicateKey);
            }
            if value.len() > MAX_METADATA_VALUE_BYTES || !value.is_ascii() {
                return Err(MetadataError::Value);
            }
            total = total.saturating_add(key.len()).saturating_add(value.len());
        }
        if total > MAX_METADATA_BYTES {
            return Err(MetadataError::TooLarge);
        }
        Ok(Self(entries))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// What counts of the value of a header that carries metadata: what comes after its last comma,
/// without blanks around it, since several values are joined with commas.
///
/// Source: docs/spec/rest.md#message-bodies; the emulator's `WebPubSubEmulatorController.cs` and
/// `UpstreamEventDispatcher.cs`.
#[must_use]
pub(crate) fn last_header_value(joined: &str) -> &str {
    joined.rsplit_once(',').map_or(joined, |(_, last)| last).trim()
}

/// Which rule of [`Metadata`] was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A key is not 1 to 256 token characters.
    #[error("a metadata key is 1 to {MAX_METADATA_KEY_BYTES} HTTP token characters")]
    Key,
    /// A key stands there twice.
    #[error("a metadata key is used once")]
    DuplicateKey,
    /// A value is not ASCII or too long.
    #[error("a metadata value is at most {MAX_METADATA_VALUE_BYTES} ASCII characters")]
    Value,
    /// All of it is too much.
    #[error("metadata is at most {MAX_METADATA_BYTES} bytes in all")]
    TooLarge,
}

/// Whether HTTP's tokens, such as the names of headers, may have this byte (RFC 9110, section 5.6.2).
#[must_use]
pub const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_text_is_kept_letter_for_letter() {
        for good in ["1.00", "1e400", r#"{"b":1,"a":1}"#, "[ ]", r#""null""#] {
            assert_eq!(JsonText::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "null", " null ", "{", "1 2", "NaN", "'a'"] {
            assert_eq!(JsonText::parse(bad), Err(NotJson), "{bad:?}");
        }
    }

    #[test]
    fn deeply_nested_json_is_read_without_recursion() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(JsonText::parse(deep).is_ok());
    }

    #[test]
    fn metadata_keeps_to_its_limits() {
        let one = |key: &str, value: &str| Metadata::parse(vec![(key.to_owned(), value.to_owned())]);
        assert!(one("trace", "t").is_ok());
        assert!(one(&"k".repeat(256), &"v".repeat(1024)).is_ok());
        assert_eq!(one("", "v"), Err(MetadataError::Key));
        assert_eq!(one("a b", "v"), Err(MetadataError::Key));
        assert_eq!(one(&"k".repeat(257), "v"), Err(MetadataError::Key));
        assert_eq!(one("k", "é"), Err(MetadataError::Value));
        assert_eq!(one("k", &"v".repeat(1025)), Err(MetadataError::Value));
        let twice = vec![("k".to_owned(), String::new()), ("k".to_owned(), String::new())];
        assert_eq!(Metadata::parse(twice), Err(MetadataError::DuplicateKey));
        let large = (0..9).map(|i| (i.to_string(), "v".repeat(1000))).collect();
        assert_eq!(Metadata::parse(large), Err(MetadataError::TooLarge));
    }

    #[test]
    fn time_to_live_ends_at_five_minutes() {
        assert_eq!(TimeToLive::from_seconds(300).unwrap().as_seconds(), 300);
        assert_eq!(TimeToLive::from_seconds(301), Err(TtlOutOfRange));
        assert_eq!(TimeToLive::from_seconds(u64::MAX), Err(TtlOutOfRange));
    }
}
