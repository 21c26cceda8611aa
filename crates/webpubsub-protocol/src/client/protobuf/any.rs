//! Payloads of the type `google.protobuf.Any`.

use super::wire::{Reader, Value, string};
use crate::data::MessageData;
use crate::error::DecodeError;

/// The payload whose serialized `google.protobuf.Any` this is, kept byte for byte.
///
/// Only its outer layer is looked at, so that no subscriber receives a frame that it cannot read:
/// field 1 is a string, the type's URL, and field 2 is bytes, the value.
///
/// # Errors
/// A [`DecodeError`] if the bytes are not an `Any`.
///
/// Source: docs/spec/protobuf.md#downstream-messages, docs/spec/protobuf.md#encoding.
pub fn any(bytes: Vec<u8>) -> Result<MessageData, DecodeError> {
    for field in Reader::new(&bytes) {
        if let (1, Value::Bytes(url)) = field? {
            string(url, "type_url")?;
        }
    }
    Ok(MessageData::Protobuf(bytes))
}
