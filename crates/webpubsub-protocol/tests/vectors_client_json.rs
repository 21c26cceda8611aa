//! The JSON subprotocol's golden vectors, which the JavaScript suites read too.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

#[path = "support/frames.rs"]
mod frames;
#[path = "support/vectors.rs"]
#[expect(dead_code, reason = "JSON has no bytes to read")]
mod vectors;

use frames::{Vector, downstream, refused, upstream};
use serde_json::json;
use webpubsub_protocol::client::json::{
    decode_downstream, decode_upstream, encode_downstream, encode_upstream,
};

#[test]
fn every_frame_of_a_client_says_what_its_vector_says() {
    for vector in
        ["upstream", "stream-upstream", "state-upstream", "upstream-refused"].into_iter().flat_map(read)
    {
        let decoded = decode_upstream(&vector.input);
        let said = decoded.as_ref().map_or_else(refused, upstream);
        assert_eq!(said, vector.expected, "{}", vector.name);
        if vector.canonical {
            assert_eq!(encode_upstream(&decoded.unwrap()), vector.input, "{}", vector.name);
        }
    }
}

#[test]
fn every_frame_of_the_service_says_what_its_vector_says() {
    for vector in ["downstream", "stream-downstream", "state-downstream", "downstream-refused"]
        .into_iter()
        .flat_map(read)
    {
        let decoded = decode_downstream(&vector.input);
        let said = match &decoded {
            Ok(Some(message)) => downstream(message),
            Ok(None) => json!({ "ignored": true }),
            Err(error) => refused(error),
        };
        assert_eq!(said, vector.expected, "{}", vector.name);
        if vector.canonical {
            assert_eq!(encode_downstream(decoded.unwrap().unwrap()), vector.input, "{}", vector.name);
        }
    }
}

fn read(file: &str) -> Vec<Vector> {
    frames::read("client-json", file)
}
