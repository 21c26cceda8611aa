//! What a client sends: bytes in, messages out. The WebSocket library joins what does not come whole, finds what is
//! wrong, and answers pings.

use std::io::{self, ErrorKind, Read, Write};

use tungstenite::error::CapacityError;
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;

use crate::frame_ends::FrameEnds;
use crate::whole_frame::split_message;

/// What a message may be longer than the protocol allows and still be read, for the shard to refuse it in its own
/// words.
const MAX_MESSAGE_BYTES: usize = 4 * MAX_CLIENT_MESSAGE_BYTES;
/// The buffer of a socket that is not in the middle of a message.
const BUFFER_BYTES: usize = 256;

/// From this length of a frame on, the buffer that the library has made for it is not kept for the next one: an idle
/// socket would have it for ever.
const KEPT_BYTES: u64 = 4 << 10;

/// The bytes of one socket, as far as they have come.
pub(crate) struct Reading {
    /// `None` until something has come that is no whole message: who only listens needs none.
    context: Option<Box<WebSocketContext>>,
    ends: FrameEnds,
}

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A message.
    Message(Frame),
    /// A close frame, with this code and reason.
    Close(CloseCode, String),
}

/// What a client has sent is no WebSocket traffic, or too much of it: the socket is to be closed with this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) code: u16,
    /// `None` where it is no WebSocket traffic: then there are no words.
    pub(crate) cause: Option<CloseCause>,
}

impl Reading {
    pub(crate) fn new() -> Self {
        Self { context: None, ends: FrameEnds::default() }
    }

    fn context() -> Box<WebSocketContext> {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        Box::new(WebSocketContext::new(Role::Server, Some(config)))
    }

    /// The number of the message that has begun and has not ended, if there is one. A control frame counts as one.
    pub(crate) const fn unfinished(&self) -> Option<u32> {
        self.ends.unfinished()
    }

    /// How many bytes have come of that message.
    pub(crate) const fn held(&self) -> usize {
        self.ends.held()
    }

    /// Takes bytes, adds what they complete to `received`, and what is to be answered to pings to `answers`.
    /// Nothing is taken after a close frame.
    ///
    /// # Errors
    /// What has come is no WebSocket traffic. Nothing more is to be read.
    pub(crate) fn take(
        &mut self,
        mut bytes: &[u8],
        received: &mut Vec<Received>,
        answers: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        if self.ends.is_between_messages() {
            while let Some((message, rest)) = split_message(bytes) {
                received.push(Received::Message(message));
                bytes = rest;
            }
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.ends.take(bytes);
        let context = self.context.get_or_insert_with(Self::context);
        let mut stream = Stream { bytes, answers };
        loop {
            match context.read(&mut stream) {
                Ok(Message::Text(text)) => {
                    received.push(Received::Message(Frame::Text(text.as_str().to_owned())));
                }
                Ok(Message::Binary(bytes)) => {
                    received.push(Received::Message(Frame::Binary(bytes.to_vec())));
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(close)) => {
                    let (code, reason) = close.map_or((CloseCode::NO_STATUS, String::new()), |close| {
                        (CloseCode(close.code.into()), close.reason.as_str().to_owned())
                    });
                    received.push(Received::Close(code, reason));
                    return Ok(());
                }
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    if self.ends.longest() > KEPT_BYTES && self.ends.is_between_messages() {
                        *self = Self::new();
                    }
                    return Ok(());
                }
                Err(error) => return Err(Broken::of(&error)),
            }
        }
    }
}

impl From<CloseCause> for Broken {
    fn from(cause: CloseCause) -> Self {
        Self { code: cause.code().0, cause: Some(cause) }
    }
}

impl Broken {
    fn of(error: &Error) -> Self {
        if let Error::Capacity(CapacityError::MessageTooLong { .. }) = error {
            return CloseCause::MessageTooLarge.into();
        }
        let code = if let Error::Utf8(_) = error { CloseCode::INVALID_PAYLOAD.0 } else { 1002 };
        Self { code, cause: None }
    }
}

/// Bytes that have come, as the library reads them.
struct Stream<'a> {
    bytes: &'a [u8],
    answers: &'a mut Vec<u8>,
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.bytes.read(buffer) }
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answers.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame with a mask of zeros.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => bytes.push(0x80 | length),
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend((payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes
    }

    fn take(bytes: &[u8]) -> (Result<(), Broken>, Vec<Received>, Vec<u8>) {
        let (mut received, mut answers) = (Vec::new(), Vec::new());
        (Reading::new().take(bytes, &mut received, &mut answers), received, answers)
    }

    #[test]
    fn fragments_become_one_message_and_pings_are_answered() {
        let bytes = [frame(0x01, b"a"), frame(0x89, b"p"), frame(0x80, b"b")].concat();
        let (result, received, answers) = take(&bytes);
        assert_eq!(result, Ok(()));
        assert_eq!(received, [Received::Message(Frame::Text("ab".into()))]);
        assert_eq!(answers, [0x8A, 1, b'p']);
    }

    #[test]
    fn whole_messages_need_no_memory_of_pieces() {
        let (mut reading, mut received, mut answers) = (Reading::new(), Vec::new(), Vec::new());
        let bytes = [frame(0x81, b"a"), frame(0x82, b"b")].concat();
        reading.take(&bytes, &mut received, &mut answers).unwrap();
        assert!(reading.context.is_none());
        // In the middle of a message whole frames are a part of it, or come between its fragments.
        for bytes in [frame(0x01, b"c"), [frame(0x89, b"p"), frame(0x80, b"d"), frame(0x81, b"e")].concat()] {
            reading.take(&bytes, &mut received, &mut answers).unwrap();
        }
        reading.take(&frame(0x81, b"f"), &mut received, &mut answers).unwrap();
        let expected = [Frame::Text("a".into()), Frame::Binary(b"b".to_vec())]
            .into_iter()
            .chain(["cd", "e", "f"].map(|text| Frame::Text(text.into())));
        assert_eq!(received, expected.map(Received::Message).collect::<Vec<_>>());
        assert_eq!(answers, [0x8A, 1, b'p']);
    }

    #[test]
    fn bytes_may_come_one_by_one() {
        let (mut reading, mut received, mut answers) = (Reading::new(), Vec::new(), Vec::new());
        for byte in frame(0x82, &[9; 1000]) {
            reading.take(&[byte], &mut received, &mut answers).unwrap();
        }
        assert_eq!(received, [Received::Message(Frame::Binary(vec![9; 1000]))]);
    }

    #[test]
    fn messages_after_a_long_one_are_read_as_those_before_it() {
        let (mut reading, mut received, mut answers) = (Reading::new(), Vec::new(), Vec::new());
        let long = vec![7; 100_000];
        let bytes = [frame(0x82, &long), frame(0x81, b"a"), frame(0x01, b"b"), frame(0x80, &[b'c'; 9_000])];
        // In pieces that end in heads, payloads and between.
        for piece in bytes.concat().chunks(1_001) {
            reading.take(piece, &mut received, &mut answers).unwrap();
        }
        let text = format!("b{}", "c".repeat(9_000));
        let expected = [Frame::Binary(long), Frame::Text("a".into()), Frame::Text(text)];
        assert_eq!(received, expected.map(Received::Message));
        assert!(reading.ends.longest() == 0, "it has begun anew");
    }

    #[test]
    fn a_close_frame_is_given_with_its_code() {
        let (_, received, _) = take(&frame(0x88, &[0x03, 0xE8, b'x']));
        assert_eq!(received, [Received::Close(CloseCode(1000), "x".into())]);
        let (_, received, _) = take(&frame(0x88, &[]));
        assert_eq!(received, [Received::Close(CloseCode::NO_STATUS, String::new())]);
    }

    #[test]
    fn what_is_no_web_socket_traffic_says_how_to_close() {
        let code = |bytes: &[u8]| take(bytes).0.unwrap_err().code;
        assert_eq!(code(&frame(0x83, b"")), 1002);
        assert_eq!(code(&[0x81, 1, b'a']), 1002, "without a mask");
        assert_eq!(code(&frame(0x81, &[0xFF])), 1007);
        assert_eq!(code(&frame(0x82, &vec![0; MAX_MESSAGE_BYTES + 1])), 1009);
    }
}
