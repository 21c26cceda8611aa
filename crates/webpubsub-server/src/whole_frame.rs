//! Messages that come whole, in one frame and one read, as most do: they need no memory in which pieces are joined.

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use webpubsub_protocol::client::Frame;

/// The longest message that is looked for: what is longer comes in several reads, and the library knows how long it may be.
const MAX_BYTES: usize = 64 << 10;

/// Takes a message off the front of what a client has sent after its last one, if the frame there is all of it and
/// nothing is wrong with it. Returns it with what follows.
pub(crate) fn split_message(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let mut cursor = Cursor::new(bytes);
    let (header, length) = FrameHeader::parse(&mut cursor).ok()??;
    let FrameHeader { is_final: true, rsv1: false, rsv2: false, rsv3: false, opcode, mask: Some(mask) } =
        header
    else {
        return None;
    };
    let rest = bytes.get(usize::try_from(cursor.position()).ok()?..)?;
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BYTES)?;
    let (payload, rest) = rest.split_at_checked(length)?;
    let message = match opcode {
        OpCode::Data(Data::Text) => Frame::Text(String::from_utf8(unmask(payload, mask)).ok()?),
        OpCode::Data(Data::Binary) => Frame::Binary(unmask(payload, mask)),
        OpCode::Data(Data::Continue | Data::Reserved(_)) | OpCode::Control(_) => return None,
    };
    Some((message, rest))
}

/// What a payload is without its mask.
fn unmask(payload: &[u8], mask @ [a, b, c, d]: [u8; 4]) -> Vec<u8> {
    let mut plain = payload.to_vec();
    let eight = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = plain.as_chunks_mut();
    for bytes in eights {
        *bytes = (u64::from_ne_bytes(*bytes) ^ eight).to_ne_bytes();
    }
    rest.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame with a mask.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [7, 90, 0, 255];
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | length as u8),
            length => bytes.extend([&[0xFE][..], &(length as u16).to_be_bytes()].concat()),
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    #[test]
    fn a_frame_that_is_all_there_is_a_message() {
        for length in [0, 1, 7, 8, 9, 125, 126, 1000] {
            let payload: Vec<u8> = (0..length).map(|n| (n % 120) as u8).collect();
            let bytes = [frame(0x82, &payload), b"rest".to_vec()].concat();
            let binary = Frame::Binary(payload.clone());
            assert_eq!(split_message(&bytes), Some((binary, &b"rest"[..])), "{length} bytes");
            let text = String::from_utf8(payload).unwrap();
            let bytes = frame(0x81, text.as_bytes());
            assert_eq!(split_message(&bytes), Some((Frame::Text(text), &[][..])), "{length} bytes");
        }
    }

    #[test]
    fn anything_else_is_left_to_the_library() {
        let whole = frame(0x81, b"text");
        for end in 0..whole.len() {
            assert_eq!(split_message(&whole[..end]), None, "{end} bytes");
        }
        // A fragment, the last one, a ping, a close frame, an unknown one, a bit of an extension, and what is no text.
        for (first, payload) in [
            (0x01, &b"a"[..]),
            (0x80, b"a"),
            (0x89, b"a"),
            (0x88, b""),
            (0x83, b"a"),
            (0xC1, b"a"),
            (0x81, &[0xFF]),
        ] {
            assert_eq!(split_message(&frame(first, payload)), None, "{first:x}");
        }
        assert_eq!(split_message(&[0x81, 1, b'a']), None, "without a mask");
        let long = [&[0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0][..], &[0; MAX_BYTES + 1]].concat();
        assert_eq!(split_message(&long), None, "too long");
    }
}
