//! The golden vectors of the filter language.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a vector file that cannot be read fails the test"
)]

use std::path::Path;

use serde_json::Value;
use webpubsub_protocol::filter::{Filter, FilterSubject};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::sorted::SortedSet;

#[test]
fn every_filter_picks_the_connections_that_its_vector_says() {
    for vector in read("matches") {
        let text = spell_out(&vector["filter"]);
        let filter = Filter::parse(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        for (key, expected) in [("matches", true), ("misses", false)] {
            for subject in vector[key].as_array().unwrap() {
                assert_eq!(is_match(&filter, subject), expected, "{text:.200} on {subject}");
            }
        }
    }
}

#[test]
fn everything_else_is_refused_in_the_words_of_its_vector() {
    for vector in read("refused") {
        let text = spell_out(&vector["filter"]);
        let error = Filter::parse(&text).map_err(|error| error.to_string());
        assert_eq!(error, Err(spell_out(&vector["error"])), "{text:.200}");
    }
}

fn is_match(filter: &Filter, subject: &Value) -> bool {
    let text = |key: &str, default| subject.get(key).map_or(default, Value::as_str);
    let none = Vec::new();
    let groups = subject.get("groups").map_or(&none, |groups| groups.as_array().unwrap());
    let group = |name: &Value| GroupName::parse(name.as_str().unwrap()).unwrap();
    filter.matches(&FilterSubject {
        user_id: text("userId", Some("alice")),
        connection_id: text("connectionId", Some("c1")).unwrap(),
        groups: &groups.iter().map(group).collect::<SortedSet<_>>(),
        protocol: text("protocol", None),
    })
}

/// A string, or the parts that it is joined from.
fn spell_out(value: &Value) -> String {
    let part = |part: &Value| match part.as_str() {
        Some(text) => text.to_owned(),
        None => part["repeat"].as_str().unwrap().repeat(part["times"].as_u64().unwrap().try_into().unwrap()),
    };
    match value.get("parts") {
        Some(parts) => parts.as_array().unwrap().iter().map(part).collect(),
        None => value.as_str().unwrap().to_owned(),
    }
}

fn read(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/filters").join(name);
    let text = std::fs::read_to_string(path.with_extension("json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["vectors"].as_array().unwrap().clone()
}
