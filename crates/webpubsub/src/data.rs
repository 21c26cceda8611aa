//! Payloads: text, JSON, bytes and protobuf.

use serde::Serialize;
use serde::de::DeserializeOwned;
use webpubsub_protocol::client::protobuf;
use webpubsub_protocol::data::{DataType, JsonText, MessageData, NotJson};
use webpubsub_protocol::error::DecodeError;

/// One payload, on its way up or down.
///
/// ```
/// use webpubsub::Data;
///
/// let greeting = Data::from("hello");
/// assert_eq!(greeting.as_text(), Some("hello"));
///
/// let point = Data::json(&(1, 2))?;
/// assert_eq!(point.as_json(), Some("[1,2]"));
/// assert_eq!(point.read_json::<(u8, u8)>()?, (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Data(MessageData);

/// Why a value is no payload.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Serde cannot write the value as JSON.
    #[error("the value cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The text is no JSON, or it is `null`, which the service does not deliver.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// The bytes are no `google.protobuf.Any`.
    #[error("the bytes are no google.protobuf.Any")]
    NotAny(#[from] DecodeError),
}

/// Why a payload is not the JSON value that was expected.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The payload is of another type.
    #[error("the payload is {}, not json", data_type.as_str())]
    NotJson {
        /// Its type.
        data_type: DataType,
    },
    /// There is no payload.
    #[error("the answer has no payload")]
    Missing,
    /// Serde cannot read the value as what was asked for.
    #[error("the payload is another JSON value than was expected")]
    Json(#[from] serde_json::Error),
}

impl Data {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self(MessageData::Text(text.into()))
    }

    /// A value, as JSON. Numbers keep all their digits.
    ///
    /// # Errors
    /// [`DataError`] for a value that serde cannot write, and for `null`.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, DataError> {
        Self::json_text(serde_json::to_string(value)?)
    }

    /// JSON that is written already; it is sent letter for letter.
    ///
    /// # Errors
    /// [`DataError::NotJson`] for text that is not one JSON value, and for `null`.
    pub fn json_text(json: impl Into<String>) -> Result<Self, DataError> {
        Ok(Self(MessageData::Json(JsonText::parse(json.into())?)))
    }

    /// Bytes.
    pub fn binary(bytes: impl Into<Vec<u8>>) -> Self {
        Self(MessageData::Binary(bytes.into()))
    }

    /// A serialized `google.protobuf.Any`.
    ///
    /// # Errors
    /// [`DataError::NotAny`] for bytes that are none.
    pub fn protobuf(any: impl Into<Vec<u8>>) -> Result<Self, DataError> {
        Ok(Self(protobuf::any(any.into())?))
    }

    /// What kind of payload this is.
    #[must_use]
    pub const fn data_type(&self) -> DataType {
        self.0.data_type()
    }

    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            MessageData::Text(text) => Some(text),
            MessageData::Json(_) | MessageData::Binary(_) | MessageData::Protobuf(_) => None,
        }
    }

    /// The JSON as it was published, if it is JSON.
    #[must_use]
    pub fn as_json(&self) -> Option<&str> {
        match &self.0 {
            MessageData::Json(json) => Some(json.as_str()),
            MessageData::Text(_) | MessageData::Binary(_) | MessageData::Protobuf(_) => None,
        }
    }

    /// The bytes, if it is binary or a serialized `google.protobuf.Any`.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => Some(bytes),
            MessageData::Text(_) | MessageData::Json(_) => None,
        }
    }

    /// The JSON value, as a type of the application.
    ///
    /// # Errors
    /// [`PayloadError`] for a payload that is no JSON, or other JSON.
    pub fn read_json<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        let json = self.as_json().ok_or_else(|| PayloadError::NotJson { data_type: self.data_type() })?;
        Ok(serde_json::from_str(json)?)
    }

    /// Bytes in memory, as far as they grow with the payload.
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            MessageData::Text(text) => text.len(),
            MessageData::Json(json) => json.as_given().len(),
            MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => bytes.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn into_inner(self) -> MessageData {
        self.0
    }
}

impl From<MessageData> for Data {
    fn from(data: MessageData) -> Self {
        Self(data)
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Data {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self::binary(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_no_payload() {
        assert!(matches!(Data::json(&None::<u8>), Err(DataError::NotJson(_))));
        assert!(matches!(Data::json_text("null"), Err(DataError::NotJson(_))));
        assert!(matches!(Data::json_text("{"), Err(DataError::NotJson(_))));
    }

    #[test]
    fn numbers_of_64_bits_keep_their_digits() {
        let data = Data::json(&u64::MAX).unwrap();
        assert_eq!(data.as_json(), Some("18446744073709551615"));
        assert_eq!(data.read_json::<u64>().unwrap(), u64::MAX);
    }

    #[test]
    fn a_payload_is_read_as_what_it_is() {
        let text = Data::from("1");
        assert!(matches!(text.read_json::<u8>(), Err(PayloadError::NotJson { data_type: DataType::Text })));
        assert!(matches!(Data::json("a").unwrap().read_json::<u8>(), Err(PayloadError::Json(_))));
        assert_eq!(Data::from(vec![1, 2]).as_bytes(), Some(&[1, 2][..]));
        assert!(matches!(Data::protobuf(vec![7]), Err(DataError::NotAny(_))));
        assert_eq!(Data::protobuf(vec![10, 1, 97]).unwrap().data_type(), DataType::Protobuf);
    }
}
