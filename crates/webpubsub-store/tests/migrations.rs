//! Tables of every older version are taken over with what is in them, also when that is cut off.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, GroupState};
use webpubsub_protocol::name::UserId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{MqttPacket, ShardId, Slot, Snapshot};
use webpubsub_store::{DirectoryStore, OpenError, ShardStore};
use webpubsub_testkit::{Sqlite, SqliteError, group};

const SHARD_1: &str = include_str!("old/shard-1.sql");
const SHARD_2: &str = include_str!("old/shard-2.sql");
const SHARD_3: &str = include_str!("old/shard-3.sql");
const SHARD_4: &str = include_str!("old/shard-4.sql");
const SHARD_5: &str = include_str!("old/shard-5.sql");
const SHARD_6: &str = include_str!("old/shard-6.sql");
const DIRECTORY_1: &str = include_str!("old/directory-1.sql");

/// Every version of a shard, and nothing at all.
const SHARDS: [&str; 7] = ["", SHARD_1, SHARD_2, SHARD_3, SHARD_4, SHARD_5, SHARD_6];

fn database(script: &str) -> Sqlite {
    let database = Sqlite::in_memory();
    database.execute(script);
    database
}

fn open(database: &Sqlite) -> ShardStore<Sqlite> {
    ShardStore::open(database.clone(), Some("chat".to_owned())).expect("tables")
}

/// What is in the tables, and how they are made.
fn contents(database: &Sqlite) -> (Snapshot, Vec<String>, bool) {
    let store = open(database);
    let snapshot = store.load().expect("a snapshot");
    assert_eq!(database.take_unreadable(), []);
    (snapshot, columns(database), store.object().is_registered().expect("an answer"))
}

/// The columns of all tables.
fn columns(database: &Sqlite) -> Vec<String> {
    database.texts(
        "SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c.pk FROM sqlite_master m
         JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid",
    )
}

#[test]
fn every_version_becomes_the_tables_of_a_new_shard() {
    let made = columns(&{
        let new = database("");
        open(&new);
        new
    });
    for script in SHARDS {
        let old = database(script);
        open(&old);
        assert_eq!(columns(&old), made, "{script}");
        assert_eq!(old.texts("SELECT CAST(version AS TEXT) FROM schema_version"), ["6"]);
    }
}

#[test]
fn version_1_leaves_no_connection() {
    let (snapshot, _, is_registered) = contents(&database(SHARD_1));
    assert_eq!((snapshot, is_registered), (Snapshot::default(), false));
}

#[test]
fn version_2_keeps_all_and_asks_for_the_settings() {
    let (two, _, is_registered) = contents(&database(SHARD_2));
    assert!(!is_registered, "its hub's directory is asked again");
    let (mut three, ..) = contents(&database(SHARD_3));
    assert!(two.durable_events.is_empty() && two.settings.is_none());
    for (older, newer) in two.connections.iter().zip(&mut three.connections) {
        assert_eq!((older.context.events, &*older.context.origin, &*older.context.cookies), (1, "", ""));
        newer.context = older.context.clone();
    }
    three.durable_events.clear();
    assert_eq!(two, Snapshot { settings: None, ..three });
}

#[test]
fn version_3_keeps_all_with_ack_ids_in_parts() {
    let (three, ..) = contents(&database(SHARD_3));
    let (mut four, _, is_registered) = contents(&database(SHARD_4));
    assert!(is_registered);
    assert_eq!((three.acks.len(), four.acks.len()), (1, 2));
    four.acks.pop();
    assert_eq!(three, four);
}

#[test]
fn version_4_keeps_all_and_has_no_states_or_streams() {
    let (four, ..) = contents(&database(SHARD_4));
    let (mut five, ..) = contents(&database(SHARD_5));
    assert_eq!(
        (five.states.len(), five.subscriptions.len(), five.uses_states),
        (2, 1, Some(Timestamp::default()))
    );
    (five.states, five.subscriptions, five.uses_states) = (Vec::new(), Vec::new(), None);
    let stream = r#"["s","room","noEcho","300000","3","60000"]"#;
    assert_eq!(std::mem::take(&mut five.streams), [(Slot(0), 0, stream.to_owned())]);
    assert_eq!(four, five);
}

#[test]
fn version_5_keeps_all_and_has_no_mqtt_sessions() {
    let (five, ..) = contents(&database(SHARD_5));
    let (mut six, ..) = contents(&database(SHARD_6));
    assert_eq!(std::mem::take(&mut six.mqtt_sessions), [(Slot(3), "{}".to_owned())]);
    assert_eq!(std::mem::take(&mut six.mqtt_subscriptions), [(Slot(3), group("room"), 513)]);
    let packets = [(Slot(3), MqttPacket::Received(65_535)), (Slot(3), MqttPacket::Released(70_000))];
    assert_eq!(std::mem::take(&mut six.mqtt_packets), packets);
    assert_eq!(five, six);
}

#[test]
fn version_6_reads_as_it_was_written() {
    let database = database(SHARD_6);
    let (snapshot, ..) = contents(&database);
    let [alice, bob] = &snapshot.connections[..] else { panic!("{snapshot:?}") };
    assert_eq!((alice.id.as_str(), bob.id.as_str()), ("alices", "bobs"));
    assert_eq!((alice.slot, bob.slot), (Slot(0), Slot(3)));
    assert_eq!((alice.acknowledged.row, alice.acknowledged.sequence_id.0), (7, 2));
    assert_eq!(
        (alice.subprotocol.name(), bob.subprotocol.name()),
        (Some("json.reliable.webpubsub.azure.v1"), None)
    );
    assert_eq!(alice.mode, SimpleMode::SendEvent);
    assert_eq!(bob.mode, SimpleMode::SendToGroup { group: group("room"), echo: Echo::Skip });
    assert_eq!((alice.detached_until, bob.detached_until.map(|at| at.as_millis())), (None, Some(75_000)));
    assert_eq!((alice.context.events, alice.context.state.as_deref()), (4, Some("e30=")));
    assert_eq!((bob.context.custom_subprotocol.as_deref(), &*bob.context.cookies), (Some("mine"), "a=b"));
    let members = [(Slot(0), group("room")), (Slot(0), group("räume")), (Slot(3), group("room"))];
    assert_eq!(snapshot.memberships, members);
    assert_eq!(snapshot.permissions.len(), 2);
    assert_eq!(snapshot.subscriptions, [(Slot(3), group("room"))]);
    let states: Vec<_> = (snapshot.states.iter())
        .map(|(group, item)| {
            let state = item.state.as_ref().map(GroupState::as_json).expect("a state");
            let user = item.user_id.as_ref().map(UserId::as_str);
            (group.as_str(), item.connection_id.as_str(), user, state, item.updated_at.as_millis())
        })
        .collect();
    assert_eq!(
        states,
        [
            ("room", "alices", Some("alice"), r#"{"mood":"ä"}"#, 70_000),
            ("room", "others", None, r#"{"a":"1"}"#, 70_001),
        ]
    );
    let log: Vec<_> = snapshot.log.iter().map(|row| (row.row, row.relayed, row.bytes)).collect();
    assert_eq!(log, [(7, true, 17), (9, false, 9)], "lengths are in bytes");
    assert_eq!(snapshot.map.map(|map| (map.version, map.accepting)), Some((3, 2)));
    assert_eq!((snapshot.taken_by, snapshot.taken), (vec![(ShardId(1), 7)], vec![(ShardId(1), 5)]));
    assert_eq!(snapshot.durable_events, [(2, r#"{"event":"connected"}"#.to_owned())]);
    assert!(snapshot.settings.is_some());
    let store = open(&database);
    let message = store.message(7).expect("an answer").expect("a message");
    assert_eq!(
        (&*message.message, message.expires.map(|at| at.as_millis())),
        (r#"{"from":"server"}"#, Some(90_000))
    );
    assert_eq!(store.message(8).expect("an answer"), None);
    assert_eq!(store.object().deliveries().expect("a list"), r#"[{"event":"connected"}]"#);
}

#[test]
fn a_migration_that_is_cut_off_anywhere_is_done_again() {
    for script in SHARDS {
        let whole = database(script);
        let expected = contents(&whole);
        let mut statements = 0;
        loop {
            let cut = database(script);
            cut.fail_after(statements);
            let opened = ShardStore::open(cut.clone(), Some("chat".to_owned()));
            cut.fail_after(usize::MAX);
            let is_whole = opened.is_ok();
            assert_eq!(contents(&cut), expected, "after {statements} statements of\n{script}");
            if is_whole {
                break;
            }
            statements += 1;
        }
        assert!(statements >= 5, "{statements} statements for\n{script}");
    }
}

#[test]
fn a_shard_that_finds_all_as_it_was_writes_nothing() {
    for script in SHARDS {
        let database = database(script);
        open(&database);
        let before = database.changes();
        let store = open(&database);
        store.load().expect("a snapshot");
        assert_eq!(database.changes(), before, "{script}");
    }
}

#[test]
fn a_newer_version_is_left_alone() {
    let newer = database(SHARD_6);
    newer.execute("UPDATE schema_version SET version = 7");
    let before = newer.changes();
    let refused = ShardStore::open(newer.clone(), None);
    let Err(SqliteError::Open(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error, OpenError::Newer { found: 7, known: 6 });
    assert_eq!(error.to_string(), "the tables are of version 7, this service knows 6");
    assert_eq!(newer.changes(), before);
    newer.execute("UPDATE schema_version SET version = 6");
    assert_eq!(contents(&newer), contents(&database(SHARD_6)));
}

#[test]
fn a_stored_name_goes_before_the_hosts_and_one_is_needed() {
    let database = database("");
    let refused = ShardStore::open(database.clone(), None);
    assert!(matches!(refused, Err(SqliteError::Open(OpenError::NoName))), "{refused:?}");
    assert_eq!(open(&database).object().name(), "chat");
    let again = ShardStore::open(database, Some("other".to_owned())).expect("tables");
    assert_eq!(again.object().name(), "chat");
}

#[test]
fn a_directory_of_version_1_keeps_all() {
    let expected = {
        let new = database("");
        DirectoryStore::open(new.clone(), Some("chat".to_owned())).expect("tables");
        columns(&new)
    };
    let mut statements = 0;
    loop {
        let database = database(DIRECTORY_1);
        database.fail_after(statements);
        let is_whole = DirectoryStore::open(database.clone(), None).is_ok();
        database.fail_after(usize::MAX);
        let store = DirectoryStore::open(database.clone(), None).expect("tables");
        assert_eq!(columns(&database), expected, "after {statements} statements");
        assert_eq!(store.hubs().expect("names"), ["alpha", "chat"]);
        let facts = ["settings", "map", "since"].map(|name| store.fact(name).expect("an answer").is_some());
        assert_eq!((facts, store.object().name()), ([true, true, false], "chat"));
        if is_whole {
            break;
        }
        statements += 1;
    }
    assert!(statements >= 5, "{statements} statements");
}
