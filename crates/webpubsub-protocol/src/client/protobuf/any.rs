use super::wire::Reader;
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
/// Source: protobuf spec, sections 2 and 4.
pub fn any(bytes: Vec<u8>) -> Result<MessageData, DecodeError> {
    for field in Reader::new(&bytes) {
        match field? {
            (1, value) => drop(value.string("type_url")?),
            (2, value) => drop(value.bytes("value")?),
            _ => {}
        }
    }
    Ok(MessageData::Protobuf(bytes))
}
