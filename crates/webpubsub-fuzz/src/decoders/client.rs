//! Decoders of what clients and the service send each other.

use webpubsub_protocol::client::endpoint::{ClientEndpoint, SimpleMode};
use webpubsub_protocol::client::{Subprotocol, json, protobuf};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::url::RequestUrl;

use super::{Answer, Decoder};
use crate::corpus::{bytes, texts};

const JSON: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"-",
    b"1e999",
    b"\\u0000",
    b"\\ud800",
    b"18446744073709551616",
    b"\"type\":\"event\",",
    b"\"type\":\"invoke\",\"target\":\"event\",",
    b"\"invocationId\":\"i\",",
    b"\"metadata\":{},",
    b"\"stream\":{\"streamId\":\"s\"},",
    b"\"streamSequenceId\":1,",
    b"\"type\":\"setGroupState\",",
    b"\"state\":{\"k\":\"v\"},",
    b"\"metadata\":null,",
    b"\"dataType\":\"Binary\",",
    b"\\r\\n",
];

const PROTOBUF: &[&[u8]] = &[
    &[0x00],
    &[0x80],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x0a, 0x00],
    &[0x1a, 0x02, 0x0a, 0x00],
    &[0x32, 0x06, 0x0a, 0x01, b'k', 0x12, 0x01, b'v'],
    &[0x3a, 0x00],
    &[0x3a, 0x03, 0x0a, 0x01, b's'],
    &[0x7a, 0x0d, 0x0a, 0x01, b'g', 0x1a, 0x08, 0x0a, 0x06, 0x0a, 0x01, b'k', 0x12, 0x01, b'v'],
    &[0x0b],
    &[0x0c],
    &[0x0b, 0x0c],
    &[0x0d],
    b"\xed\xa0\x80",
];

const URL: &[&[u8]] = &[
    b"/",
    b"?",
    b"&",
    b"=",
    b"%",
    b"%2F",
    b"%FF",
    b"+",
    b"#",
    b"..",
    b"hubs",
    b"&hub=chat",
    b"&access_token=",
    b"&awps_connection_id=c",
    b"&webpubsub_mode=sendToGroup",
    b"&group=g",
    b"&noEcho=true",
    b"\xc3\xa9",
    b"\0",
];

pub(super) fn decoders() -> Vec<Decoder> {
    let frames = |folder: &str, direction: &str| {
        let files = ["", "stream-", "state-"].map(|kind| format!("{folder}/{kind}{direction}"));
        texts(&[&files[0], &files[1], &files[2], &format!("{folder}/{direction}-refused")], "input")
    };
    let hex = |texts: Vec<Vec<u8>>| -> Vec<Vec<u8>> { texts.iter().map(|hex| bytes(hex)).collect() };
    let payloads = texts(&["client-protobuf/any"], "input");
    vec![
        Decoder::of_text("json-upstream", frames("client-json", "upstream"), JSON, json_upstream),
        Decoder::of_text("json-downstream", frames("client-json", "downstream"), JSON, json_downstream),
        Decoder::new(
            "protobuf-upstream",
            hex(frames("client-protobuf", "upstream")),
            PROTOBUF,
            protobuf_upstream,
        ),
        Decoder::new(
            "protobuf-downstream",
            hex(frames("client-protobuf", "downstream")),
            PROTOBUF,
            protobuf_downstream,
        ),
        Decoder::new("protobuf-payload", hex(payloads), PROTOBUF, protobuf_payload),
        Decoder::of_text("client-url", texts(&["urls/client-endpoints"], "input"), URL, url),
        Decoder::of_text("client-subprotocols", offers(), &[b",", b" ", b"reliable.", b"\0"], subprotocols),
    ]
}

/// What is accepted can be written, and reads the same again; written in the other encoding, which has
/// no place for some of it, it is a message too.
fn json_upstream(frame: &str) -> Answer {
    let Ok(message) = json::decode_upstream(frame) else { return Answer::Refused };
    assert_eq!(json::decode_upstream(&json::encode_upstream(&message)).as_ref(), Ok(&message));
    assert!(protobuf::decode_upstream(&protobuf::encode_upstream(&message)).is_ok());
    Answer::Accepted
}

fn protobuf_upstream(frame: &[u8]) -> Answer {
    let Ok(message) = protobuf::decode_upstream(frame) else { return Answer::Refused };
    assert_eq!(protobuf::decode_upstream(&protobuf::encode_upstream(&message)).as_ref(), Ok(&message));
    assert!(json::decode_upstream(&json::encode_upstream(&message)).is_ok());
    Answer::Accepted
}

fn json_downstream(frame: &str) -> Answer {
    let Ok(message) = json::decode_downstream(frame) else { return Answer::Refused };
    if let Some(known) = &message {
        assert_eq!(json::decode_downstream(&json::encode_downstream(known.clone())).as_ref(), Ok(&message));
        assert!(protobuf::decode_downstream(&protobuf::encode_downstream(known.clone())).is_ok());
    }
    Answer::Accepted
}

fn protobuf_downstream(frame: &[u8]) -> Answer {
    let Ok(message) = protobuf::decode_downstream(frame) else { return Answer::Refused };
    if let Some(known) = &message {
        assert_eq!(
            protobuf::decode_downstream(&protobuf::encode_downstream(known.clone())).as_ref(),
            Ok(&message)
        );
        assert!(json::decode_downstream(&json::encode_downstream(known.clone())).is_ok());
    }
    Answer::Accepted
}

/// An `Any` is kept byte for byte.
fn protobuf_payload(bytes: &[u8]) -> Answer {
    let Ok(data) = protobuf::any(bytes.to_vec()) else { return Answer::Refused };
    assert_eq!(data, MessageData::Protobuf(bytes.to_vec()));
    Answer::Accepted
}

/// What is authorised and what is routed is one and the same hub.
fn url(path_and_query: &str) -> Answer {
    let url = format!("https://example.com{path_and_query}");
    let url = RequestUrl::split(&url).expect("an absolute URL");
    match ClientEndpoint::parse(url.path, url.query) {
        Err(error) => {
            assert!([400, 404].contains(&error.status()));
            Answer::Refused
        }
        Ok(endpoint) => {
            assert_eq!(HubName::parse(&endpoint.raw_hub), Ok(endpoint.hub));
            SimpleMode::parse(&endpoint.query).is_ok().into()
        }
    }
}

/// The answer is one of those offered, letter for letter.
fn subprotocols(offer: &str) -> Answer {
    let negotiated = Subprotocol::negotiate(Some(offer));
    let Some(answer) = negotiated.answer else {
        assert_eq!(negotiated.subprotocol, Subprotocol::Simple);
        return Answer::Refused;
    };
    assert!(offer.split(',').any(|name| name.trim() == answer));
    assert!(negotiated.subprotocol.name().is_some_and(|name| name.eq_ignore_ascii_case(answer)));
    Answer::Accepted
}

fn offers() -> Vec<Vec<u8>> {
    [
        "json.webpubsub.azure.v1",
        "json.reliable.webpubsub.azure.v1",
        "mqtt, Protobuf.WebPubSub.Azure.v1",
        "custom,protobuf.reliable.webpubsub.azure.v1 , json.webpubsub.azure.v1",
    ]
    .map(|offer| offer.as_bytes().to_vec())
    .to_vec()
}
