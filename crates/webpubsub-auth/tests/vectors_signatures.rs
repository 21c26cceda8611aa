//! The golden vectors of what is signed for event handlers, which were made without this crate.

use serde_json::Value;
use webpubsub_auth::AccessKeys;
use webpubsub_protocol::name::ConnectionId;

#[test]
fn every_connection_has_the_signature_of_its_vector() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/cloud-events/signatures.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let keys = AccessKeys::new(vector["keys"][0].as_str().unwrap(), vector["keys"][1].as_str()).unwrap();
        let connection = ConnectionId::parse(vector["connection"].as_str().unwrap()).unwrap();
        assert_eq!(keys.signature(&connection), vector["expected"].as_str().unwrap(), "{}", vector["name"]);
    }
}
