//! The golden vectors of the operator's variables, which the scripts read too.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

use std::path::Path;

use serde_json::Value;
use webpubsub_service::{Config, ConfigError};

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_switch_is_on_off_or_neither_as_its_vector_says() {
    for vector in read("switches") {
        let text = vector["text"].as_str().unwrap();
        let config = Config::read(&|name| match name {
            "WEBPUBSUB_ACCESS_KEY" => Some(KEY.to_owned()),
            "ALLOW_PRIVATE_EVENT_HANDLERS" => Some(text.to_owned()),
            _ => None,
        });
        let expected = vector["expected"].as_bool().ok_or(ConfigError::Switch);
        assert_eq!(config.map(|config| config.private_handlers), expected, "{text:?}");
    }
}

fn read(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/variables").join(file);
    let text = std::fs::read_to_string(path.with_extension("json")).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(file["vectors"].take()).unwrap()
}
