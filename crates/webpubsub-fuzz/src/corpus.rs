//! The inputs that mutants are made of.

use std::path::Path;

use serde_json::Value;

/// Longer inputs make mutants that are all alike.
const LONGEST: usize = 10_000;

/// The vectors of one file under `tests/vectors`, such as `client-json/upstream`.
pub(crate) fn vectors(file: &str) -> Vec<Value> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors"));
    let path = folder.join(file).with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut file: Value = serde_json::from_str(&text).expect("vectors are JSON");
    let Value::Array(vectors) = file["vectors"].take() else { panic!("{}: no vectors", path.display()) };
    vectors
}

/// One text of every vector of these files.
pub(crate) fn texts(files: &[&str], key: &str) -> Vec<Vec<u8>> {
    let texts = files.iter().flat_map(|file| vectors(file)).map(|vector| text(&vector[key]).into_bytes());
    texts.filter(|text| text.len() <= LONGEST).collect()
}

/// A text, or the empty one that stands for none. `{"parts": […]}` spells a long one.
pub(crate) fn text(value: &Value) -> String {
    match value.get("parts") {
        None => value.as_str().unwrap_or_default().to_owned(),
        Some(parts) => parts.as_array().expect("parts are a list").iter().map(part).collect(),
    }
}

fn part(part: &Value) -> String {
    let repeated = || {
        let times = part["times"].as_u64().and_then(|times| usize::try_from(times).ok());
        part["repeat"].as_str().expect("what is repeated").repeat(times.expect("how often"))
    };
    part.as_str().map_or_else(repeated, str::to_owned)
}

/// Reads bytes in hexadecimal digits.
pub(crate) fn bytes(hex: &[u8]) -> Vec<u8> {
    let digits = |pair| str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    hex.chunks(2).map(|pair| digits(pair).expect("hex")).collect()
}
