//! Simple clients: payloads without an envelope.
//!
//! Text and JSON travel as text frames, binary and protobuf as binary frames, with the bytes as
//! published. A JSON string keeps its quotes.
//!
//! Source: docs/spec/client.md#simple-clients.

use super::Frame;
use crate::data::MessageData;

/// The frame that a simple client receives for this payload.
#[must_use]
pub fn encode(data: &MessageData) -> Frame {
    match data {
        MessageData::Text(text) => Frame::Text(text.clone()),
        MessageData::Json(json) => Frame::Text(json.as_given().to_owned()),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => Frame::Binary(bytes.clone()),
    }
}

/// The same with a payload that is given away.
#[must_use]
pub fn encode_given(data: MessageData) -> Frame {
    match data {
        MessageData::Text(text) => Frame::Text(text),
        MessageData::Json(json) => Frame::Text(json.into_given()),
        MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => Frame::Binary(bytes),
    }
}

/// The payload of a frame that a simple client sent.
#[must_use]
pub fn decode(frame: Frame) -> MessageData {
    match frame {
        Frame::Text(text) => MessageData::Text(text),
        Frame::Binary(bytes) => MessageData::Binary(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::JsonText;

    #[test]
    fn payloads_travel_bare() {
        let json = JsonText::parse("\"hello\"").unwrap();
        let cases = [
            (MessageData::Text("Hello World".into()), Frame::Text("Hello World".into())),
            (MessageData::Json(json), Frame::Text("\"hello\"".into())),
            (MessageData::Binary(vec![0, 255]), Frame::Binary(vec![0, 255])),
            (MessageData::Protobuf(vec![10, 0]), Frame::Binary(vec![10, 0])),
        ];
        for (data, frame) in cases {
            assert_eq!(encode(&data), frame);
        }
    }

    #[test]
    fn frames_are_text_or_binary_payloads() {
        assert_eq!(decode(Frame::Text("{}".into())), MessageData::Text("{}".into()));
        assert_eq!(decode(Frame::Binary(vec![1])), MessageData::Binary(vec![1]));
    }
}
