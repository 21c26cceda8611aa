//! The reader and the writer of JSON agree with `serde_json`, on what is JSON and on what is not.

use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use webpubsub_protocol::json::{Json, Members, Writer};

/// Reads a text, and what is in it, with both.
fn agree(text: &str) -> Result<(), TestCaseError> {
    let raw = serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get);
    prop_assert_eq!(Json::parse(text).map(Json::as_str), raw, "{:?}", text);
    let Some(json) = Json::parse(text) else {
        prop_assert_eq!(Members::parse(text), None);
        return Ok(());
    };
    prop_assert_eq!(json.text().map(String::from), serde_json::from_str(text).ok());
    prop_assert_eq!(json.boolean(), serde_json::from_str(text).ok());
    prop_assert_eq!(json.is_null(), serde_json::from_str::<()>(text).is_ok());
    // It takes `-0` for a whole number, too.
    prop_assert_eq!(json.unsigned(), serde_json::from_str(text).ok().filter(|_| json.as_str() != "-0"));
    prop_assert_eq!(json.texts(), serde_json::from_str(text).ok());
    let elements = json.elements().map(|list| list.iter().map(|json| json.as_str()).collect::<Vec<_>>());
    let expected = serde_json::from_str::<Vec<&RawValue>>(text).ok();
    prop_assert_eq!(&elements, &expected.map(|list| list.iter().map(|raw| raw.get()).collect()));
    let members = Members::parse(text);
    // A map holds one value a name: the last.
    let expected = serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(text).ok();
    prop_assert_eq!(members.is_some(), expected.is_some());
    for (name, raw) in expected.into_iter().flatten() {
        prop_assert_eq!(
            members.as_ref().and_then(|members| members.get(&name)).map(Json::as_str),
            Some(raw.get())
        );
    }
    for json in elements.into_iter().flatten() {
        agree(json)?;
    }
    for (_, json) in members.into_iter().flat_map(|members| members.0) {
        agree(json.as_str())?;
    }
    Ok(())
}

const PIECES: &[&str] = &[
    "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "\\n", "\\\"", "00e9", "true",
    "false", "null", "-", "0", "12", ".5", "e", "E+3", " ", "\t", "\n", "\r", "\u{b}", "\0", "a", "\"a\"",
    "\"a\":", "é", "\u{7f}", "\u{feff}",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn texts_of_pieces_of_json_are_read_alike(pieces in prop::collection::vec(piece(), 0..12)) {
        agree(&pieces.concat())?;
    }

    #[test]
    fn values_are_read_alike_in_either_print(value in value()) {
        agree(&value.to_string())?;
        agree(&serde_json::to_string_pretty(&value).expect("a value is printable"))?;
    }

    #[test]
    fn values_with_a_mistake_are_read_alike(value in value(), at in any::<prop::sample::Index>(), piece in piece(), cut in 0..3_usize) {
        let mut text: Vec<char> = value.to_string().chars().collect();
        let at = at.index(text.len() + 1);
        let end = (at + cut).min(text.len());
        text.splice(at..end, piece.chars());
        agree(&String::from_iter(text))?;
    }

    #[test]
    fn strings_and_numbers_are_written_alike(name: String, text: String, number: u64, texts: Vec<String>) {
        let mut object = Writer::object();
        object.text("text", &text).number("number", number).json("texts", &Writer::texts(&texts)).text(&name, "");
        let mut members = vec![("text", Value::from(text)), ("number", number.into()), ("texts", texts.into())];
        members.push((&name, "".into()));
        let member = |(name, value): (&str, Value)| format!("{}:{value}", Value::from(name));
        let expected = members.into_iter().map(member).collect::<Vec<_>>().join(",");
        prop_assert_eq!(object.finish(), format!("{{{expected}}}"));
    }
}

#[test]
fn every_character_is_escaped_as_serde_json_escapes_it() {
    for character in '\0'..='\u{2100}' {
        let text = format!("a{character}b{character}");
        let written = Writer::texts(&[&text, ""]);
        assert_eq!(written, serde_json::to_string(&[&text, ""]).expect("strings are printable"));
        assert_eq!(Json::parse(&written).and_then(Json::texts), Some(vec![text, String::new()]));
    }
}

#[test]
fn half_a_surrogate_pair_is_json_but_says_nothing() {
    for half in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83d\ud83d""#, r#""\ud83dx\ude00""#, r#""\ud83d\u0041""#]
    {
        let json = Json::parse(half);
        assert_eq!((json.map(Json::as_str), json.and_then(Json::text)), (Some(half), None));
        assert_eq!(Members::parse(&format!("{{{half}:1}}")), None);
    }
    assert_eq!(Json::parse(r#""\uD83D\uDE00""#).and_then(Json::text).as_deref(), Some("😀"));
}

#[test]
fn the_last_of_a_repeated_name_counts_and_all_are_there() {
    let members = Members::parse(r#"{"b":1,"a":2,"\u0062":3}"#).expect("an object");
    assert_eq!(members.get("b").and_then(Json::unsigned), Some(3));
    assert_eq!(members.0.iter().map(|(name, _)| name.as_ref()).collect::<String>(), "bab");
}
