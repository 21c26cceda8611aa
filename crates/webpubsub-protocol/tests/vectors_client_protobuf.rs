//! The protobuf subprotocol's golden vectors, and frames that must be decoded quickly.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

#[path = "support/frames.rs"]
mod frames;
#[path = "support/vectors.rs"]
mod vectors;

use std::time::{Duration, Instant};

use frames::{Vector, downstream, refused, upstream};
use serde_json::json;
use vectors::{bytes, hex};
use webpubsub_protocol::client::protobuf::{
    any, decode_downstream, decode_upstream, encode_downstream, encode_upstream,
};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;

#[test]
fn every_frame_of_a_client_says_what_its_vector_says() {
    for vector in
        ["upstream", "stream-upstream", "state-upstream", "upstream-refused"].into_iter().flat_map(read)
    {
        let decoded = decode_upstream(&bytes(&vector.input));
        let said = decoded.as_ref().map_or_else(refused, upstream);
        assert_eq!(said, vector.expected, "{}", vector.name);
        if vector.canonical {
            let written = hex(&encode_upstream(&decoded.unwrap()));
            assert_eq!(written.to_uppercase(), vector.input, "{}", vector.name);
        }
    }
}

#[test]
fn every_frame_of_the_service_says_what_its_vector_says() {
    for vector in ["downstream", "stream-downstream", "state-downstream", "downstream-refused"]
        .into_iter()
        .flat_map(read)
    {
        let decoded = decode_downstream(&bytes(&vector.input));
        let said = match &decoded {
            Ok(Some(message)) => downstream(message),
            Ok(None) => json!({ "ignored": true }),
            Err(error) => refused(error),
        };
        assert_eq!(said, vector.expected, "{}", vector.name);
        if vector.canonical {
            let written = hex(&encode_downstream(decoded.unwrap().unwrap()));
            assert_eq!(written.to_uppercase(), vector.input, "{}", vector.name);
        }
    }
}

#[test]
fn every_any_is_kept_and_nothing_else_is_taken_for_one() {
    for vector in read("any") {
        let said = match any(bytes(&vector.input)) {
            Ok(data) => {
                assert_eq!(data, MessageData::Protobuf(bytes(&vector.input)), "{}", vector.name);
                json!({ "any": true })
            }
            Err(error) => refused(&error),
        };
        assert_eq!(said, vector.expected, "{}", vector.name);
    }
}

/// The largest frames there are, made to be slow: their cost grows with their length and no faster.
#[test]
fn no_frame_of_a_mebibyte_is_a_bomb() {
    let filled = |piece: &[u8]| piece.repeat((MAX_CLIENT_MESSAGE_BYTES - 16) / piece.len());
    let message = |number: u8, body: &[u8]| {
        let mut length = body.len();
        let mut frame = vec![number << 3 | 2];
        while length > 0x7f {
            frame.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        frame.push(u8::try_from(length).unwrap());
        [frame, body.to_vec()].concat()
    };
    let send = |fields: &[u8]| message(1, &[b"\x0a\x01g", fields].concat());
    let bombs = [
        ("tiny messages", filled(&[0x32, 0x00])),
        ("tiny fields", send(&filled(&[0x10, 0x01]))),
        ("tiny entries of metadata", send(&filled(&[0x32, 0x00]))),
        ("entries of one key", send(&filled(&[0x32, 0x03, 0x0a, 0x01, b'k']))),
        ("tiny payloads", send(&message(3, &filled(&[0x0a, 0x00])))),
        ("tiny fields of an Any", send(&message(3, &message(3, &filled(&[0x0a, 0x00]))))),
        ("parts of a message", filled(&[0x32, 0x03, 0x0a, 0x01, b'g'])),
        ("messages by turns", filled(&[0x32, 0x00, 0x4a, 0x00])),
        ("parts of a payload", send(&filled(&[0x1a, 0x02, 0x0a, 0x00]))),
        ("parts of an Any", send(&message(3, &filled(&[0x1a, 0x02, 0x0a, 0x00])))),
        ("tiny groups", filled(&[0x0b, 0x0c])),
        ("groups in groups", filled(&[0x0b])),
        ("long numbers", filled(&[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00])),
        ("messages in messages", (0..4_000).fold(vec![], |inner, _| message(1, &inner))),
        ("arrays in arrays", send(&message(3, &message(4, &filled(b"["))))),
    ];
    for (name, bomb) in bombs {
        assert!(bomb.len() <= MAX_CLIENT_MESSAGE_BYTES, "{name}");
        assert!(is_decoded_within(Duration::from_secs(2), &bomb), "{name}");
    }
}

/// Whether one of a few attempts is done in time, since other programs run on the machine too.
#[expect(clippy::disallowed_methods, reason = "only here is time what is tested")]
fn is_decoded_within(limit: Duration, frame: &[u8]) -> bool {
    (0..4).any(|_| {
        let start = Instant::now();
        let _ = decode_upstream(frame);
        let _ = decode_downstream(frame);
        start.elapsed() < limit
    })
}

fn read(file: &str) -> Vec<Vector> {
    frames::read("client-protobuf", file)
}
