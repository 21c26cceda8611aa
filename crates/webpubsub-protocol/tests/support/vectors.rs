//! Golden vectors as they stand in their files.

use std::path::PathBuf;

use serde_json::Value;

/// The vectors of one file, with long strings spelled out.
pub(crate) fn read(folder: &str, file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(folder)
        .join(format!("{file}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let Value::Object(mut file) = serde_json::from_str(&text).unwrap() else { panic!("not an object") };
    let Some(Value::Array(vectors)) = file.remove("vectors") else { panic!("no vectors") };
    assert!(!vectors.is_empty());
    vectors.into_iter().map(spell_out).collect()
}

/// Joins every `{"parts": […]}` into the string that it stands for.
fn spell_out(value: Value) -> Value {
    match value {
        Value::Object(object) => match object.get("parts") {
            Some(parts) => Value::String(parts.as_array().unwrap().iter().map(part).collect()),
            None => object.into_iter().map(|(name, value)| (name, spell_out(value))).collect(),
        },
        Value::Array(values) => values.into_iter().map(spell_out).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

fn part(part: &Value) -> String {
    match part.as_str() {
        Some(text) => text.to_owned(),
        None => {
            part["repeat"].as_str().unwrap().repeat(usize::try_from(part["times"].as_u64().unwrap()).unwrap())
        }
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hex read.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
