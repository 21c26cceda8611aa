//! WebSocket frames as bytes: encoded once, however many sockets they go to.

use bytes::Bytes;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use webpubsub_protocol::client::Frame;

/// A message as one frame.
pub(crate) fn message(frame: &Frame) -> Bytes {
    match frame {
        Frame::Text(text) => encode(OpCode::Data(Data::Text), text.as_bytes()),
        Frame::Binary(bytes) => encode(OpCode::Data(Data::Binary), bytes),
    }
}

/// A close frame; `reason` is at most 123 bytes.
pub(crate) fn close(code: u16, reason: &str) -> Bytes {
    let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
    encode(OpCode::Control(Control::Close), &payload)
}

fn encode(opcode: OpCode, payload: &[u8]) -> Bytes {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    let length = payload.len() as u64;
    // With no room to spare, it needs no second piece of memory until it is shared.
    let mut bytes = Vec::with_capacity(header.len(length) + payload.len());
    // A vector takes everything.
    let _ = header.format(length, &mut bytes);
    bytes.extend_from_slice(payload);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_final_frame_without_a_mask() {
        assert_eq!(&message(&Frame::Text("ab".into()))[..], [0x81, 2, b'a', b'b']);
        assert_eq!(&message(&Frame::Binary(vec![7; 126]))[..4], [0x82, 126, 0, 126]);
        assert_eq!(message(&Frame::Binary(vec![7; 70_000])).len(), 70_010);
    }

    #[test]
    fn a_close_frame_has_code_and_reason() {
        assert_eq!(&close(1001, "x")[..], [0x88, 3, 3, 233, b'x']);
    }
}
