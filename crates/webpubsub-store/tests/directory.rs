//! What a hub's directory and the register of hubs keep.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::time::Timestamp;
use webpubsub_store::{DirectoryStore, ObjectStore};
use webpubsub_testkit::Sqlite;

fn open(database: &Sqlite) -> DirectoryStore<Sqlite> {
    DirectoryStore::open(database.clone(), Some("chat".to_owned())).expect("tables")
}

#[test]
fn a_database_without_tables_is_known_as_one() {
    let database = Sqlite::in_memory();
    assert!(!ObjectStore::exists(&database).expect("an answer"));
    open(&database);
    assert!(ObjectStore::exists(&database).expect("an answer"));
}

#[test]
fn facts_and_the_register_are_read_as_written() {
    let database = Sqlite::in_memory();
    let store = open(&database);
    assert_eq!(store.fact("since").expect("an answer"), None);
    for (name, value) in [("since", "7"), ("map", "{}"), ("since", "8")] {
        store.put_fact(name, value).expect("a change");
    }
    for hub in ["chat", "alpha", "chat"] {
        store.add_hub(hub).expect("a change");
    }
    store.object().set_registered().expect("a change");
    let store = open(&database);
    let facts = ["since", "map"].map(|name| store.fact(name).expect("an answer"));
    assert_eq!(facts, ["8", "{}"].map(|value| Some(value.to_owned())));
    assert_eq!(store.hubs().expect("names"), ["alpha", "chat"]);
    assert!(store.object().is_registered().expect("an answer"));
}

#[test]
fn the_hundred_handshakes_that_are_due_last_are_kept() {
    let database = Sqlite::in_memory();
    let store = open(&database);
    let of = |n: u64| Validation {
        allowed: n.is_multiple_of(2),
        failures: u32::try_from(n).expect("a number"),
        due: Timestamp::from_millis(n),
    };
    for n in 0..150 {
        store.put_validation(&format!("https://{n}"), "here", &of(n)).expect("a change");
    }
    let kept = |n: u64| store.validation(&format!("https://{n}"), "here").expect("an answer");
    assert_eq!((kept(49).is_some(), kept(50), kept(149)), (false, Some(of(50)), Some(of(149))));
    assert_eq!(store.validation("https://149", "there").expect("an answer"), None);
    store.put_validation("https://149", "here", &of(151)).expect("a change");
    assert_eq!(kept(149), Some(of(151)));
}

#[test]
fn the_last_200_deliveries_are_listed_newest_first() {
    let database = Sqlite::in_memory();
    let store = open(&database);
    assert_eq!(store.object().deliveries().expect("a list"), "[]");
    for n in 0..250 {
        store.object().keep_delivery(&n.to_string()).expect("a change");
    }
    let numbers: Vec<_> = (50..250).rev().map(|n| n.to_string()).collect();
    assert_eq!(store.object().deliveries().expect("a list"), format!("[{}]", numbers.join(",")));
}
