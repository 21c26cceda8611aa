//! The properties of one frame, found in one pass and looked at when a message needs them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::client::protobuf::any;
use crate::data::{DataType, JsonText, MessageData, Metadata, TimeToLive};
use crate::error::DecodeError;
use crate::id::AckId;
use crate::name::{EventName, GroupName};
use crate::object::Object;

macro_rules! fields {
    ($($field:ident = $name:literal),* $(,)?) => {
        /// Every property that a message of the subprotocol may have, as the JSON text it had.
        #[derive(Default)]
        pub(super) struct Fields<'a> {
            $(pub(super) $field: Option<&'a RawValue>,)*
        }

        enum Key { $(#[allow(non_camel_case_types, reason = "named like the field")] $field,)* Unknown }

        impl<'de> Deserialize<'de> for Key {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct KeyVisitor;
                impl Visitor<'_> for KeyVisitor {
                    type Value = Key;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a property name")
                    }
                    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                        Ok(match name { $($name => Key::$field,)* _ => Key::Unknown })
                    }
                }
                deserializer.deserialize_str(KeyVisitor)
            }
        }

        impl<'de> Deserialize<'de> for Fields<'de> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct FieldsVisitor;
                impl<'de> Visitor<'de> for FieldsVisitor {
                    type Value = Fields<'de>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut fields = Fields::default();
                        while let Some(key) = map.next_key()? {
                            match key {
                                $(Key::$field => fields.$field = Some(map.next_value()?),)*
                                Key::Unknown => { map.next_value::<IgnoredAny>()?; }
                            }
                        }
                        Ok(fields)
                    }
                }
                deserializer.deserialize_map(FieldsVisitor)
            }
        }
    };
}

fields! {
    kind = "type",
    group = "group",
    event = "event",
    ack_id = "ackId",
    no_echo = "noEcho",
    data_type = "dataType",
    data = "data",
    ttl_seconds = "ttlSeconds",
    metadata = "metadata",
    stream = "stream",
    sequence_id = "sequenceId",
    from = "from",
    from_user_id = "fromUserId",
    user_id = "userId",
    connection_id = "connectionId",
    reconnection_token = "reconnectionToken",
    message = "message",
    success = "success",
    error = "error",
}

impl<'a> Fields<'a> {
    /// Reads a frame, which must be one JSON object.
    pub(super) fn parse(text: &'a str) -> Result<Self, DecodeError> {
        serde_json::from_str(text).map_err(|_| DecodeError::NotAnObject)
    }

    pub(super) fn group(&self) -> Result<GroupName, DecodeError> {
        Ok(GroupName::parse(required(self.group, "group").and_then(|value| string(value, "group"))?)?)
    }

    pub(super) fn event(&self) -> Result<EventName, DecodeError> {
        Ok(EventName::parse(required(self.event, "event").and_then(|value| string(value, "event"))?)?)
    }

    /// `null` counts as absent (client spec, section 6.2).
    pub(super) fn ack_id(&self) -> Result<Option<AckId>, DecodeError> {
        match self.ack_id {
            None => Ok(None),
            Some(value) if value.get() == "null" => Ok(None),
            Some(value) => Ok(Some(AckId(unsigned(value, "ackId")?))),
        }
    }

    pub(super) fn ttl(&self) -> Result<TimeToLive, DecodeError> {
        match self.ttl_seconds {
            None => Ok(TimeToLive::FOREVER),
            Some(value) => Ok(TimeToLive::from_seconds(unsigned(value, "ttlSeconds")?)?),
        }
    }

    pub(super) fn metadata(&self) -> Result<Metadata, DecodeError> {
        match self.metadata {
            None => Ok(Metadata::default()),
            Some(value) => {
                let Object(entries) = typed(value, "metadata")?;
                Ok(Metadata::parse(entries)?)
            }
        }
    }

    /// The payload; one that is left out beside metadata is empty text.
    pub(super) fn data(&self, metadata: &Metadata) -> Result<MessageData, DecodeError> {
        let data_type = match self.data_type {
            None => DataType::Json,
            Some(value) => DataType::from_name(&string(value, "dataType")?)
                .ok_or(DecodeError::Invalid { property: "dataType" })?,
        };
        let value = match self.data {
            Some(value) => value,
            None if metadata.is_empty() => return Err(DecodeError::Missing { property: "data" }),
            None => return Ok(MessageData::Text(String::new())),
        };
        Ok(match data_type {
            DataType::Text => MessageData::Text(string(value, "data")?),
            DataType::Json => MessageData::Json(JsonText::from_value(value.to_owned())?),
            DataType::Binary => MessageData::Binary(base64(value)?),
            // Checked here, as the reader of another subprotocol could not read its whole frame.
            DataType::Protobuf => {
                any(base64(value)?).map_err(|_| DecodeError::Invalid { property: "data" })?
            }
        })
    }
}

pub(super) fn required<'a>(
    value: Option<&'a RawValue>,
    property: &'static str,
) -> Result<&'a RawValue, DecodeError> {
    value.ok_or(DecodeError::Missing { property })
}

pub(super) fn string(value: &RawValue, property: &'static str) -> Result<String, DecodeError> {
    typed(value, property)
}

/// A JSON number that is a whole one from 0 to 2^64-1, written without point or exponent.
pub(super) fn unsigned(value: &RawValue, property: &'static str) -> Result<u64, DecodeError> {
    value.get().parse().map_err(|_| DecodeError::Invalid { property })
}

pub(super) fn boolean(value: &RawValue, property: &'static str) -> Result<bool, DecodeError> {
    typed(value, property)
}

fn typed<'a, T: Deserialize<'a>>(value: &'a RawValue, property: &'static str) -> Result<T, DecodeError> {
    serde_json::from_str(value.get()).map_err(|_| DecodeError::Invalid { property })
}

fn base64(value: &RawValue) -> Result<Vec<u8>, DecodeError> {
    STANDARD.decode(string(value, "data")?).map_err(|_| DecodeError::Invalid { property: "data" })
}
