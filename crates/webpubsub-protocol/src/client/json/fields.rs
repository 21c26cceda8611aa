//! The properties of one frame, found in one pass and looked at when a message needs them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::client::protobuf::any;
use crate::client::{GroupState, StreamId};
use crate::data::{DataType, JsonText, MessageData, Metadata, TimeToLive};
use crate::error::DecodeError;
use crate::id::AckId;
use crate::json::{Json, Members};
use crate::name::{EventName, GroupName};

/// Every property of a frame or of a part of it.
pub(super) struct Fields<'a>(Members<'a>);

impl<'a> Fields<'a> {
    /// Reads a frame, which must be one JSON object.
    pub(super) fn parse(text: &'a str) -> Result<Self, DecodeError> {
        Members::parse(text).map(Self).ok_or(DecodeError::NotAnObject)
    }

    pub(super) fn get(&self, property: &'static str) -> Option<Json<'a>> {
        self.0.get(property)
    }

    /// A property that may be left out.
    pub(super) fn optional<T>(
        &self,
        property: &'static str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>, DecodeError> {
        self.get(property).map(|value| read(value).ok_or(DecodeError::Invalid { property })).transpose()
    }

    /// A property that may be left out or be `null`, as serializers of typed languages write what is
    /// not set. The emulator, like this, takes `null` for absent in `ackId`, `metadata` and
    /// `ttlSeconds`, and in no other property.
    ///
    /// Source: docs/spec/client.md#invalid-messages.
    pub(super) fn nullable<T>(
        &self,
        property: &'static str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>, DecodeError> {
        match self.get(property) {
            Some(value) if value.is_null() => Ok(None),
            Some(_) | None => self.optional(property, read),
        }
    }

    /// A property that has to be there.
    pub(super) fn required<T>(
        &self,
        property: &'static str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<T, DecodeError> {
        self.optional(property, read)?.ok_or(DecodeError::Missing { property })
    }

    /// An object that may be left out or be `null`.
    pub(super) fn object(&self, property: &'static str) -> Result<Option<Self>, DecodeError> {
        self.nullable(property, |value| Members::parse(value.as_str()).map(Self))
    }

    pub(super) fn stream_id(&self) -> Result<StreamId, DecodeError> {
        StreamId::parse(self.string("streamId")?)
    }

    /// Checks that there is no payload.
    pub(super) fn without_data(&self) -> Result<(), DecodeError> {
        match ["data", "dataType"].into_iter().find(|property| self.get(property).is_some()) {
            Some(property) => Err(DecodeError::Invalid { property }),
            None => Ok(()),
        }
    }

    /// A string that has to be there.
    pub(super) fn string(&self, property: &'static str) -> Result<String, DecodeError> {
        self.required(property, string)
    }

    pub(super) fn group(&self) -> Result<GroupName, DecodeError> {
        Ok(GroupName::parse(self.string("group")?)?)
    }

    pub(super) fn event(&self) -> Result<EventName, DecodeError> {
        Ok(EventName::parse(self.string("event")?)?)
    }

    pub(super) fn ack_id(&self) -> Result<Option<AckId>, DecodeError> {
        Ok(self.nullable("ackId", Json::unsigned)?.map(AckId))
    }

    pub(super) fn ttl(&self) -> Result<TimeToLive, DecodeError> {
        match self.nullable("ttlSeconds", Json::unsigned)? {
            None => Ok(TimeToLive::FOREVER),
            Some(seconds) => Ok(TimeToLive::from_seconds(seconds)?),
        }
    }

    pub(super) fn metadata(&self) -> Result<Metadata, DecodeError> {
        let entries = |value: Json<'a>| {
            let mut entries = Vec::new();
            for (key, value) in Members::parse(value.as_str())?.0 {
                entries.push((key.into_owned(), string(value)?));
            }
            Some(entries)
        };
        Ok(Metadata::parse(self.nullable("metadata", entries)?.unwrap_or_default())?)
    }

    /// A group's state, if there is one.
    pub(super) fn state(&self) -> Result<Option<GroupState>, DecodeError> {
        self.nullable("state", |value| GroupState::from_json(value.as_str()))
    }

    /// Not empty.
    pub(super) fn invocation_id(&self) -> Result<String, DecodeError> {
        self.required("invocationId", |value| string(value).filter(|id| !id.is_empty()))
    }

    /// The payload; one that is left out beside metadata is empty text.
    pub(super) fn data(&self, metadata: &Metadata) -> Result<MessageData, DecodeError> {
        match self.optional_data()? {
            None if metadata.is_empty() => Err(DecodeError::Missing { property: "data" }),
            data => Ok(data.unwrap_or_default()),
        }
    }

    /// The payload, if there is one.
    pub(super) fn optional_data(&self) -> Result<Option<MessageData>, DecodeError> {
        let data_type = self.optional("dataType", |value| DataType::from_name(&value.text()?))?;
        self.optional("data", |value| {
            Some(match data_type.unwrap_or(DataType::Json) {
                DataType::Text => MessageData::Text(string(value)?),
                DataType::Json => MessageData::Json(JsonText::from_value(value).ok()?),
                DataType::Binary => MessageData::Binary(base64(value)?),
                // Checked here, as the reader of another subprotocol could not read its whole frame.
                DataType::Protobuf => any(base64(value)?).ok()?,
            })
        })
    }
}

pub(super) fn string(value: Json<'_>) -> Option<String> {
    value.text().map(Cow::into_owned)
}

/// Bytes in base64, among which white space does not count, as in .NET's decoder.
///
/// Source: docs/spec/client.md#invalid-messages.
fn base64(value: Json<'_>) -> Option<Vec<u8>> {
    const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];
    let mut text = value.text()?;
    if text.contains(BLANKS) {
        text = text.replace(BLANKS, "").into();
    }
    STANDARD.decode(text.as_bytes()).ok()
}
