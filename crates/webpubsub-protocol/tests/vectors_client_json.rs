//! The JSON subprotocol's golden vectors, which the JavaScript suites read too.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

#[path = "support/frames.rs"]
mod frames;

use frames::{Random, Vector, downstream, mutate, refused, upstream};
use serde_json::json;
use webpubsub_protocol::client::json::{
    decode_downstream, decode_upstream, encode_downstream, encode_upstream,
};

#[test]
fn every_frame_of_a_client_says_what_its_vector_says() {
    for vector in read("upstream").iter().chain(&read("upstream-refused")) {
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
    for vector in read("downstream").iter().chain(&read("downstream-refused")) {
        let decoded = decode_downstream(&vector.input);
        let said = match &decoded {
            Ok(Some(message)) => downstream(message),
            Ok(None) => json!({ "ignored": true }),
            Err(error) => refused(error),
        };
        assert_eq!(said, vector.expected, "{}", vector.name);
        if vector.canonical {
            assert_eq!(encode_downstream(&decoded.unwrap().unwrap()), vector.input, "{}", vector.name);
        }
    }
}

/// Frames with bytes changed, dropped, doubled, cut and mixed: whatever comes of them, a decoder
/// answers, and what it accepts it can write and read again.
#[test]
fn no_mutant_of_a_frame_panics_a_decoder() {
    const MUTANTS: u32 = 20_000;
    const PIECES: &str =
        r#"" \ { } [ ] , : null - 1e999 \u0000 \ud800 18446744073709551616 "type":"event", "metadata":{}"#;
    let pieces: Vec<&[u8]> = PIECES.split(' ').map(str::as_bytes).collect();
    let frames: Vec<Vec<u8>> = ["upstream", "upstream-refused", "downstream", "downstream-refused"]
        .into_iter()
        .flat_map(read)
        .map(|vector| vector.input.into_bytes())
        .collect();
    let mut random = Random(0x5eed_ca5e);
    for _ in 0..MUTANTS {
        let mut mutant = random.pick(&frames).clone();
        for _ in 0..=random.below(4) {
            mutate(&mut mutant, &frames, &pieces, &mut random);
        }
        let text = String::from_utf8_lossy(&mutant);
        if let Ok(message) = decode_upstream(&text) {
            assert_eq!(decode_upstream(&encode_upstream(&message)).as_ref(), Ok(&message), "{text:?}");
        }
        if let Ok(Some(message)) = decode_downstream(&text) {
            let again = decode_downstream(&encode_downstream(&message));
            assert_eq!(again.as_ref(), Ok(&Some(message)), "{text:?}");
        }
    }
}

fn read(file: &str) -> Vec<Vector> {
    frames::read("client-json", file)
}
