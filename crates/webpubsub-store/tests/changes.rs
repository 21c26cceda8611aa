//! What is read is the sum of the changes that were written, whatever they are.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;

use expect_test::expect;
use proptest::prelude::*;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, GroupState, GroupStateItem, Subprotocol};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, UserId};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Change, ConnectionRecord, Cursor, EventContext, HubSettings, MqttPacket, ShardId, ShardMap, Slot,
    Snapshot, StoredMessage, Verdict,
};
use webpubsub_store::{ShardStore, Unreadable};
use webpubsub_testkit::{Sqlite, group, sorted, user, write};

/// The longest part of a message that is kept in one value.
const PART_BYTES: usize = 1 << 20;

fn open(database: &Sqlite) -> ShardStore<Sqlite> {
    ShardStore::open(database.clone(), Some("chat".to_owned())).expect("tables")
}

fn record(slot: u32, n: u64) -> ConnectionRecord {
    let (kind, some) = (n % 5, n.is_multiple_of(2));
    let mode = match n % 3 {
        0 => SimpleMode::SendEvent,
        1 => SimpleMode::SendToGroup { group: group("a"), echo: Echo::Send },
        _ => SimpleMode::SendToGroup { group: group("b"), echo: Echo::Skip },
    };
    ConnectionRecord {
        slot: Slot(slot),
        id: ShardId(1).connection_id([u8::try_from(n % 256).expect("a byte"); 16]),
        user: some.then(|| user("zoë")),
        roles: (0..n % 3).map(|role| format!("\"role\" {role}\u{1}")).collect(),
        subprotocol: match kind {
            0 => Subprotocol::Simple,
            1 => Subprotocol::Json,
            2 => Subprotocol::JsonReliable,
            3 => Subprotocol::Protobuf,
            _ => Subprotocol::ProtobufReliable,
        },
        mode,
        acknowledged: Cursor { row: n, sequence_id: SequenceId(n / 2) },
        detached_until: some.then(|| Timestamp::from_millis(n * 1000)),
        context: EventContext {
            origin: format!("https://{n}"),
            custom_subprotocol: some.then(|| "mine".to_owned()),
            state: some.then(String::new),
            cookies: "a=b;'".to_owned(),
            events: n,
        },
    }
}

fn map(n: u64) -> ShardMap {
    ShardMap { version: n, since: Timestamp::from_millis(n), ..ShardMap::new(2) }
}

fn message(row: u64, message: String) -> Change {
    let expires = row.is_multiple_of(2).then(|| Timestamp::from_millis(row));
    Change::Log { row, message, expires, relayed: row.is_multiple_of(3), recipients: vec![1, 0, 255] }
}

/// Makes a change of two numbers: what, and of which slot, group, shard or row.
fn change(disk: &Snapshot, next_row: &mut u64, (what, n): (u8, u64)) -> Option<Change> {
    let slot = Slot(u32::try_from(n % 4).expect("a slot"));
    let name = group(["a", "b", "ß"][usize::try_from(n / 4 % 3).expect("a group")]);
    let shard = ShardId(u16::try_from(n % 3).expect("a shard"));
    let row = n % (*next_row + 2);
    let kind = if n % 2 == 0 { PermissionType::SendToGroup } else { PermissionType::JoinLeaveGroup };
    let number = u16::try_from(n % 3).expect("a number");
    Some(match what % 29 {
        0 => Change::PutConnection(record(slot.0, n)),
        1 => Change::RemoveConnection(slot),
        2 if disk.memberships.contains(&(slot, name.clone())) => return None,
        2 => Change::Join(slot, name),
        3 => Change::Leave(slot, name),
        4 => {
            let literal =
                [None, Some(Verdict::Allow), Some(Verdict::Deny)][usize::try_from(n % 3).expect("one")];
            Change::Permit { slot, kind, group: name, literal }
        }
        5 => {
            let known = disk.acks.iter().filter(|(of, ..)| *of == slot).count();
            let part = if n.is_multiple_of(5) { 0 } else { u32::try_from(known).expect("a part") };
            Change::UseAcks { slot, part, acks: n.to_le_bytes().to_vec() }
        }
        6 => Change::Detach { slot, until: (n % 2 == 0).then(|| Timestamp::from_millis(n)) },
        7 => {
            *next_row += 1 + n % 2;
            message(*next_row, "grüße".repeat(usize::try_from(n % 50).expect("a length")))
        }
        8 => Change::Map(map(n)),
        9 => Change::TakenBy { shard, row: n },
        10 => Change::Take { from: shard, row: n },
        11 => Change::Acknowledge { slot, cursor: Cursor { row: n, sequence_id: SequenceId(n + 1) } },
        12 => Change::EventContext {
            slot,
            events: n,
            state: (n % 2 == 0).then(|| n.to_string()),
            cookies: n.to_string(),
        },
        13 => {
            *next_row += 1;
            Change::AddEvent { row: *next_row, event: n.to_string() }
        }
        14 => Change::RemoveEvent { row },
        15 => Change::Settings((n % 2 == 0).then(|| HubSettings {
            shards: Some(u16::try_from(n % 7 + 1).expect("a number")),
            ..HubSettings::default()
        })),
        16 => {
            let entries = vec![(n.to_string().into(), "grüße".into())];
            let item = GroupStateItem {
                connection_id: ConnectionId::parse(format!("c{}", n % 5)).expect("a connection id"),
                user_id: n.is_multiple_of(2).then(|| UserId::parse("alice").expect("a user id")),
                state: (n % 3 > 0).then(|| GroupState::parse(entries).expect("a state")),
                updated_at: Timestamp::from_millis(n),
            };
            Change::State(name, item)
        }
        17 => Change::UseStates(Timestamp::from_millis(n)),
        18 if disk.subscriptions.contains(&(slot, name.clone())) => return None,
        18 => Change::Subscribe(slot, name),
        19 => Change::Unsubscribe(slot, name),
        20 => Change::PutStream { slot, number, stream: n.to_string() },
        21 => Change::RemoveStream { slot, number },
        22 => Change::PutMqtt { slot, session: n.to_string() },
        23 => Change::RemoveMqtt(slot),
        24 => Change::MqttSubscribe { slot, topic: name, options: n },
        25 => Change::MqttUnsubscribe { slot, topic: name },
        26 => Change::AddMqttPacket(slot, packet(n)),
        27 => Change::RemoveMqttPacket(slot, packet(n)),
        _ => Change::DeleteRows { first: row / 2, last: row },
    })
}

fn packet(n: u64) -> MqttPacket {
    let number = n / 8 % 16;
    if n.is_multiple_of(2) {
        MqttPacket::Received(u16::try_from(number).expect("a packet identifier"))
    } else {
        MqttPacket::Released(number)
    }
}

fn messages(store: &ShardStore<Sqlite>, rows: u64) -> BTreeMap<u64, StoredMessage> {
    (0..rows).filter_map(|row| Some((row, store.message(row).expect("an answer")?))).collect()
}

proptest! {
    #[test]
    fn any_changes_read_as_their_sum(changes in prop::collection::vec((any::<u8>(), any::<u32>()), 0..120)) {
        let database = Sqlite::in_memory();
        let store = open(&database);
        let (mut disk, mut kept, mut next_row) = (Snapshot::default(), BTreeMap::new(), 0);
        for (what, n) in changes {
            if let Some(change) = change(&disk, &mut next_row, (what, n.into())) {
                store.store(&change).expect("a change");
                write(change, &mut disk, &mut kept);
            }
        }
        drop(store);
        let store = open(&database);
        prop_assert_eq!(sorted(store.load().expect("a snapshot")), sorted(disk));
        prop_assert_eq!(messages(&store, next_row + 1), kept);
        prop_assert_eq!(database.take_unreadable(), []);
    }
}

#[test]
fn a_long_message_is_split_between_characters_and_joined() {
    let database = Sqlite::in_memory();
    let store = open(&database);
    let around =
        [PART_BYTES - 4, PART_BYTES - 3, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 5 * PART_BYTES / 2];
    let mut kept = BTreeMap::new();
    for (row, (bytes, character)) in
        around.iter().flat_map(|bytes| ["x", "ß", "€", "😀"].map(|one| (bytes, one))).enumerate()
    {
        let text = character.repeat(bytes / character.len()) + &"y".repeat(bytes % character.len());
        assert_eq!(text.len(), *bytes);
        let row = row as u64 + 1;
        store.store(&message(row, text.clone())).expect("a change");
        kept.insert(row, text);
    }
    let snapshot = store.load().expect("a snapshot");
    for row in snapshot.log {
        let read = store.message(row.row).expect("an answer").expect("a message");
        assert!(read.message == kept[&row.row], "row {}", row.row);
        assert_eq!(row.bytes, kept[&row.row].len());
    }
    let parts = "SELECT CAST(MAX(LENGTH(CAST(message AS BLOB))) AS TEXT) FROM";
    for table in ["log", "log_rest"] {
        let longest: usize = database.texts(&format!("{parts} {table}"))[0].parse().expect("a number");
        assert!(longest <= PART_BYTES, "{longest} in {table}");
    }
    let rows = kept.len() as u64;
    store.store(&Change::DeleteRows { first: 1, last: rows - 1 }).expect("a change");
    let left = database.texts("SELECT DISTINCT CAST(row AS TEXT) FROM log_rest");
    assert_eq!(left, [rows.to_string()], "the rest of a message goes with it");
    assert!(store.message(rows).expect("an answer").expect("a message").message == kept[&rows]);
}

#[test]
fn each_change_is_as_few_calls_as_it_can_be() {
    let database = Sqlite::in_memory();
    let store = open(&database);
    let _ = database.take_calls();
    let mut calls = String::new();
    let mut count = |name: &str, change: Change| {
        store.store(&change).expect("a change");
        calls += &format!("{name}: {}\n", database.take_calls());
    };
    count("connect", Change::PutConnection(record(0, 1)));
    count("join", Change::Join(Slot(0), group("a")));
    count("publish", message(1, "x".repeat(PART_BYTES)));
    count("long publish", message(2, "x".repeat(PART_BYTES + 1)));
    count(
        "acknowledge",
        Change::Acknowledge { slot: Slot(0), cursor: Cursor { row: 1, sequence_id: SequenceId(1) } },
    );
    count("use ack ids", Change::UseAcks { slot: Slot(0), part: 1, acks: vec![0] });
    count("use ack ids anew", Change::UseAcks { slot: Slot(0), part: 0, acks: vec![0] });
    count("open a stream", Change::PutStream { slot: Slot(0), number: 0, stream: "[]".to_owned() });
    count("close a stream", Change::RemoveStream { slot: Slot(0), number: 0 });
    count("take an MQTT packet", Change::AddMqttPacket(Slot(0), MqttPacket::Received(1)));
    count("release an MQTT packet", Change::RemoveMqttPacket(Slot(0), MqttPacket::Received(1)));
    count("trim", Change::DeleteRows { first: 1, last: 2 });
    count("disconnect", Change::RemoveConnection(Slot(0)));
    store.message(1).expect("an answer");
    calls += &format!("read a message: {}\n", database.take_calls());
    drop(store);
    let store = open(&database);
    calls += &format!("open: {}\n", database.take_calls());
    store.load().expect("a snapshot");
    calls += &format!("load: {}\n", database.take_calls());
    expect![[r#"
        connect: 1
        join: 1
        publish: 1
        long publish: 2
        acknowledge: 1
        use ack ids: 1
        use ack ids anew: 2
        open a stream: 1
        close a stream: 1
        take an MQTT packet: 1
        release an MQTT packet: 1
        trim: 2
        disconnect: 4
        read a message: 1
        open: 3
        load: 17
    "#]]
    .assert_eq(&calls);
}

#[test]
fn what_cannot_be_read_is_left_out_and_logged() {
    let database = Sqlite::in_memory();
    let store = open(&database);
    store.store(&Change::PutConnection(record(0, 1))).expect("a change");
    store.store(&Change::PutConnection(record(1, 2))).expect("a change");
    database.execute(
        "UPDATE connection SET roles = 'none' WHERE slot = 0;
         INSERT INTO membership VALUES (1, ''), (-1, 'room'), (5000000000, 'room'), (1, 'room');
         INSERT INTO permission VALUES (1, 'fly', 'room', NULL), (1, 'sendToGroup', 'room', 'perhaps');
         INSERT INTO taken VALUES (70000, 1), (1, -1);
         INSERT INTO shard_map VALUES (0, '[]');
         INSERT INTO settings VALUES (0, '{\"shards\":\"many\"}');",
    );
    let snapshot = store.load().expect("a snapshot");
    assert_eq!(
        snapshot,
        Snapshot {
            connections: vec![record(1, 2)],
            memberships: vec![(Slot(1), group("room"))],
            ..Snapshot::default()
        }
    );
    let logged = database.take_unreadable();
    let texts: Vec<_> = logged.iter().map(ToString::to_string).collect();
    assert_eq!(texts[0], "a row makes no sense: SELECT * FROM connection ORDER BY slot");
    assert!(matches!(logged.last(), Some(Unreadable::Settings(_))), "{texts:?}");
    assert_eq!(texts.len(), 1 + 3 + 2 + 2 + 1, "{texts:?}");
}
