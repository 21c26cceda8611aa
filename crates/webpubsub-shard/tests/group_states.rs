//! What members show of themselves in a group reaches its subscribers.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use expect_test::expect;
use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::limits::{
    MAX_GROUP_STATE_BYTES, MAX_HUB_STATES_BYTES, MAX_STATE_SUBSCRIPTIONS, MAX_STATES_OF_A_CONNECTION,
};
use webpubsub_shard::{
    Batch, Command, ConnectRequest, Groups, Input, ShardConfig, ShardId, ShardMap, Slot, StoredMessage,
    Target,
};
use webpubsub_testkit::{TestShard, group, json, reliable, user};

/// A client that may do nothing, in the group `room`.
fn guest(user_id: &str) -> ConnectRequest {
    ConnectRequest { roles: Vec::new(), groups: vec![group("room")], ..json(user_id) }
}

fn set(shard: &mut TestShard, slot: Slot, state: &str) {
    shard.send(slot, &format!(r#"{{"type":"setGroupState","group":"room","state":{state}}}"#));
}

fn subscribe(shard: &mut TestShard, slot: Slot) {
    shard.send(slot, r#"{"type":"subscribeGroupState","group":"room"}"#);
}

/// What a socket received, with `c0`, `c1`, … for the connections of these slots.
fn received(shard: &mut TestShard, slot: Slot, names: &[(String, &str)]) -> String {
    let mut text = shard.take(slot).join("\n");
    for (id, name) in names {
        text = text.replace(id, name);
    }
    text
}

fn name(shard: &TestShard, slot: Slot, name: &'static str) -> (String, &'static str) {
    (shard.id(slot).as_str().to_owned(), name)
}

#[test]
fn a_subscriber_gets_a_snapshot_after_its_ack() {
    let mut shard = TestShard::new();
    let (alice, bob) = (shard.connected(guest("alice")), shard.connected(json("bob")));
    let names = [name(&shard, alice, "A"), name(&shard, bob, "B")];
    set(&mut shard, alice, r#"{"status":"typing"}"#);
    shard.send(bob, r#"{"type":"subscribeGroupState","group":"room","ackId":1}"#);
    expect![[r#"
        {"type":"ack","ackId":1,"success":true}
        {"type":"groupStateSnapshot","group":"room","items":[{"connectionId":"A","userId":"alice","state":{"status":"typing"},"updatedAt":1000000}]}"#]]
    .assert_eq(&received(&mut shard, bob, &names));
}

#[test]
fn every_change_reaches_its_subscribers_the_setter_too() {
    let mut shard = TestShard::new();
    let anonymous = ConnectRequest { user: None, ..guest("-") };
    let (alice, bob) = (shard.connected(anonymous), shard.connected(guest("bob")));
    let names = [name(&shard, alice, "A"), name(&shard, bob, "B")];
    for slot in [alice, bob] {
        subscribe(&mut shard, slot);
        shard.take(slot);
    }
    set(&mut shard, alice, r#"{"x":"1"}"#);
    set(&mut shard, alice, r#"{"x":"2"}"#);
    shard.pass(Duration::from_secs(1));
    set(&mut shard, bob, r#"{"y":"1"}"#);
    set(&mut shard, alice, "{}");
    let expected = expect![[r#"
        {"type":"groupStateUpdate","group":"room","items":[{"connectionId":"A","state":{"x":"1"},"updatedAt":1000000}]}
        {"type":"groupStateUpdate","group":"room","items":[{"connectionId":"A","state":{"x":"2"},"updatedAt":1000001}]}
        {"type":"groupStateUpdate","group":"room","items":[{"connectionId":"B","userId":"bob","state":{"y":"1"},"updatedAt":1001000}]}
        {"type":"groupStateUpdate","group":"room","items":[{"connectionId":"A","updatedAt":1001000}]}"#]];
    expected.assert_eq(&received(&mut shard, alice, &names));
    expected.assert_eq(&received(&mut shard, bob, &names));
}

#[test]
fn a_state_that_is_not_there_is_cleared_without_an_update() {
    let mut shard = TestShard::new();
    let alice = shard.connected(guest("alice"));
    subscribe(&mut shard, alice);
    shard.take(alice);
    shard.send(alice, r#"{"type":"setGroupState","group":"room","ackId":1}"#);
    assert_eq!(shard.take(alice), [r#"{"type":"ack","ackId":1,"success":true}"#]);
}

#[test]
fn updates_end_with_the_subscription() {
    let mut shard = TestShard::new();
    let (alice, bob) = (shard.connected(guest("alice")), shard.connected(guest("bob")));
    subscribe(&mut shard, bob);
    shard.send(bob, r#"{"type":"unsubscribeGroupState","group":"room","ackId":1}"#);
    shard.send(bob, r#"{"type":"unsubscribeGroupState","group":"room","ackId":2}"#);
    shard.take(bob);
    set(&mut shard, alice, r#"{"x":"1"}"#);
    assert!(shard.take(bob).is_empty());
}

#[test]
fn only_members_set_a_state() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    let frame = r#"{"type":"setGroupState","group":"room","ackId":1,"state":{"x":"1"}}"#;
    shard.send(alice, frame);
    expect![[r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"Forbidden","message":"The client is not a member of group 'room'."}}"#]]
        .assert_eq(&shard.take(alice).join("\n"));
    shard.send(alice, r#"{"type":"joinGroup","group":"room"}"#);
    shard.send(alice, frame);
    shard.send(alice, frame);
    expect![[r#"
        {"type":"ack","ackId":1,"success":true}
        {"type":"ack","ackId":1,"success":false,"error":{"name":"Duplicate","message":"Message with ack-id: 1 has been processed"}}"#]]
    .assert_eq(&shard.take(alice).join("\n"));
}

#[test]
fn members_and_those_who_may_join_may_subscribe() {
    let mut shard = TestShard::new();
    let stranger = shard.connected(ConnectRequest { groups: Vec::new(), ..guest("eve") });
    shard.send(stranger, r#"{"type":"subscribeGroupState","group":"room","ackId":1}"#);
    expect![[r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to subscribe to the states of group 'room'."}}"#]]
        .assert_eq(&shard.take(stranger).join("\n"));
    for request in [guest("bob"), json("carol")] {
        let slot = shard.connected(request);
        subscribe(&mut shard, slot);
        assert_eq!(shard.take(slot), [r#"{"type":"groupStateSnapshot","group":"room","items":[]}"#]);
    }
}

#[test]
fn a_duplicate_subscription_gets_no_second_snapshot() {
    let mut shard = TestShard::new();
    let alice = shard.connected(guest("alice"));
    let frame = r#"{"type":"subscribeGroupState","group":"room","ackId":1}"#;
    shard.send(alice, frame);
    assert_eq!(shard.take(alice).len(), 2);
    shard.send(alice, frame);
    assert_eq!(shard.take(alice).len(), 1);
    subscribe(&mut shard, alice);
    assert_eq!(shard.take(alice).len(), 1, "one that is asked for anew does");
}

#[test]
fn whoever_leaves_has_no_state_any_more() {
    let ends: [fn(&mut TestShard, Slot); 5] = [
        |shard, alice| shard.send(alice, r#"{"type":"leaveGroup","group":"room"}"#),
        |shard, alice| {
            let to = Target::Connection(shard.id(alice)).into();
            shard.command(Command::Leave { to, groups: Groups::All });
        },
        |shard, alice| {
            let to = Target::Connection(shard.id(alice)).into();
            shard.command(Command::Close { to, reason: None });
        },
        |shard, alice| shard.close(alice, CloseCode::NORMAL),
        |shard, alice| shard.cut(alice),
    ];
    for end in ends {
        let mut shard = TestShard::new();
        let (alice, bob) = (shard.connected(json("alice")), shard.connected(guest("bob")));
        let names = [name(&shard, alice, "A")];
        shard.send(alice, r#"{"type":"joinGroup","group":"room"}"#);
        subscribe(&mut shard, alice);
        subscribe(&mut shard, bob);
        set(&mut shard, alice, r#"{"x":"1"}"#);
        shard.take(bob);
        end(&mut shard, alice);
        expect![[r#"{"type":"groupStateUpdate","group":"room","items":[{"connectionId":"A","userId":"alice","updatedAt":1000001}]}"#]]
            .assert_eq(&received(&mut shard, bob, &names));
        assert!(shard.disk.states.is_empty());
        subscribe(&mut shard, bob);
        assert_eq!(shard.take(bob), [r#"{"type":"groupStateSnapshot","group":"room","items":[]}"#]);
    }
}

#[test]
fn a_subscription_by_membership_ends_with_it() {
    let mut shard = TestShard::new();
    let (alice, bob, carol) =
        (shard.connected(guest("alice")), shard.connected(guest("bob")), shard.connected(json("carol")));
    shard.send(carol, r#"{"type":"joinGroup","group":"room"}"#);
    for slot in [bob, carol] {
        subscribe(&mut shard, slot);
        shard.take(slot);
        let to = Target::Connection(shard.id(slot)).into();
        shard.command(Command::Leave { to, groups: Groups::All });
    }
    set(&mut shard, alice, r#"{"x":"1"}"#);
    assert_eq!((shard.take(bob).len(), shard.take(carol).len()), (0, 1));
}

#[test]
fn many_that_end_at_once_are_one_update() {
    let mut shard = TestShard::new();
    let watcher = shard.connected(json("watcher"));
    for _ in 0..1500 {
        let slot = shard.connected(guest("alice"));
        set(&mut shard, slot, r#"{"x":"1"}"#);
    }
    subscribe(&mut shard, watcher);
    shard.take(watcher);
    shard.command(Command::Close { to: Target::User(user("alice")).into(), reason: None });
    let updates = shard.take(watcher);
    let items: Vec<usize> = updates.iter().map(|update| update.matches("connectionId").count()).collect();
    assert_eq!(items, [1000, 500]);
}

#[test]
fn reliable_subscribers_recover_what_they_missed() {
    for subprotocol in [Subprotocol::JsonReliable, Subprotocol::ProtobufReliable] {
        let mut shard = TestShard::new();
        let alice = shard.connected(guest("alice"));
        let bob = shard.connected(ConnectRequest { subprotocol, ..reliable("bob") });
        let id = shard.id(bob);
        let encoding = subprotocol.encoding().expect("an encoding");
        let action = webpubsub_protocol::client::GroupStateAction::Subscribe;
        let message = webpubsub_protocol::client::UpstreamMessage::GroupState {
            group: group("room"),
            ack_id: None,
            action,
        };
        shard.input(Input::Frame { from: bob, frame: encoding.encode_upstream(&message) });
        set(&mut shard, alice, r#"{"x":"1"}"#);
        let before = shard.take_frames(bob);
        shard.cut(bob);
        set(&mut shard, alice, r#"{"x":"2"}"#);
        shard.crash();
        let bob = shard.recover(&id).expect("a connection");
        let after = shard.take_frames(bob);
        assert_eq!(after[..2], before[..], "snapshot and update under the same numbers");
        assert_eq!(after.len(), 4, "then the second state, and that the setter has ended with the crash");
    }
}

#[test]
fn states_and_subscriptions_outlive_the_memory() {
    let mut shard = TestShard::new();
    let (alice, bob) = (shard.connected(guest("alice")), shard.connected(reliable("bob")));
    let names = [name(&shard, alice, "A"), name(&shard, bob, "B")];
    shard.send(bob, r#"{"type":"joinGroup","group":"room"}"#);
    subscribe(&mut shard, alice);
    for slot in [alice, bob] {
        set(&mut shard, slot, r#"{"x":"1"}"#);
    }
    shard.take(alice);
    shard.hibernate();
    set(&mut shard, bob, r#"{"x":"2"}"#);
    expect![[r#"{"type":"groupStateUpdate","group":"room","items":[{"connectionId":"B","userId":"bob","state":{"x":"2"},"updatedAt":1000001}]}"#]]
        .assert_eq(&received(&mut shard, alice, &names));
    shard.crash();
    let carol = shard.connected(json("carol"));
    subscribe(&mut shard, carol);
    expect![[r#"{"type":"groupStateSnapshot","group":"room","items":[{"connectionId":"B","userId":"bob","state":{"x":"2"},"updatedAt":1000001}]}"#]]
        .assert_eq(&received(&mut shard, carol, &names));
}

#[test]
fn a_reliable_connections_state_stays_until_it_is_given_up() {
    let mut shard = TestShard::new();
    let (alice, bob) = (shard.connected(reliable("alice")), shard.connected(json("bob")));
    shard.send(alice, r#"{"type":"joinGroup","group":"room"}"#);
    set(&mut shard, alice, r#"{"x":"1"}"#);
    subscribe(&mut shard, bob);
    shard.take(bob);
    shard.cut(alice);
    assert!(shard.take(bob).is_empty());
    shard.pass(Duration::from_secs(61));
    assert_eq!(shard.take(bob).len(), 1);
}

#[test]
fn bounds_of_states_are_refused_as_bad_requests() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    let refused = |shard: &mut TestShard, frame: String, words: &str| {
        shard.send(alice, &frame);
        let answer = shard.take(alice).pop().expect("an ack");
        let expected = format!(r#""success":false,"error":{{"name":"BadRequest","message":"{words}"}}}}"#);
        assert!(answer.ends_with(&expected), "{answer}");
    };
    let setting = |group: usize, state: &str| {
        format!(r#"{{"type":"setGroupState","group":"g{group}","ackId":{group},"state":{{"x":"{state}"}}}}"#)
    };
    for group in 0..=MAX_STATES_OF_A_CONNECTION {
        shard.send(alice, &format!(r#"{{"type":"joinGroup","group":"g{group}"}}"#));
    }
    let most = "y".repeat(MAX_GROUP_STATE_BYTES - r#"{"x":""}"#.len());
    refused(&mut shard, setting(0, &format!("{most}y")), "The state is too large.");
    for group in 0..MAX_STATES_OF_A_CONNECTION {
        shard.send(alice, &setting(group, &most));
    }
    refused(
        &mut shard,
        setting(MAX_STATES_OF_A_CONNECTION, "y"),
        "The client has states in too many groups, or is subscribed to too many.",
    );
    let subscribing = |group: usize| {
        format!(r#"{{"type":"subscribeGroupState","group":"s{group}","ackId":{}}}"#, 9_000 + group)
    };
    for group in 0..MAX_STATE_SUBSCRIPTIONS {
        shard.send(alice, &subscribing(group));
    }
    shard.take(alice);
    refused(
        &mut shard,
        subscribing(MAX_STATE_SUBSCRIPTIONS),
        "The client has states in too many groups, or is subscribed to too many.",
    );
}

#[test]
fn the_states_of_a_group_and_of_a_hub_are_bounded() {
    let mut shard = TestShard::new();
    let most = "y".repeat(MAX_GROUP_STATE_BYTES - r#"{"x":""}"#.len());
    let mut refusals = Vec::new();
    let mut accepted = 0;
    for number in 0..MAX_HUB_STATES_BYTES / MAX_GROUP_STATE_BYTES + 20 {
        let slot = shard.connected(json("alice"));
        for group in [0, 1 + number / 200] {
            shard.send(slot, &format!(r#"{{"type":"joinGroup","group":"g{group}"}}"#));
            shard.send(
                slot,
                &format!(
                    r#"{{"type":"setGroupState","group":"g{group}","ackId":{group},"state":{{"x":"{most}"}}}}"#
                ),
            );
        }
        for answer in shard.take(slot) {
            match answer.split_once("message\":\"") {
                None => accepted += 1,
                Some((_, words)) => refusals.push(words.trim_end_matches("\"}}").to_owned()),
            }
        }
    }
    refusals.sort();
    refusals.dedup();
    assert_eq!(refusals, ["There is no room for more states."]);
    assert!(accepted * MAX_GROUP_STATE_BYTES <= MAX_HUB_STATES_BYTES);
    assert!((accepted + 200) * MAX_GROUP_STATE_BYTES >= MAX_HUB_STATES_BYTES, "{accepted}");
}

/// Shards, joined.
struct Hub(Vec<TestShard>);

impl Hub {
    fn new(shards: u16) -> Self {
        let config = |shard| ShardConfig { shard: ShardId(shard), shards, ..ShardConfig::only() };
        Self((0..shards).map(|shard| TestShard::at(config(shard))).collect())
    }

    /// Brings every batch where it goes, until there is none.
    fn relay(&mut self) {
        while let Some(from) = (0..self.0.len()).find(|shard| !self.0[*shard].relayed.is_empty()) {
            let (to, batch) = self.0[from].relayed.remove(0);
            let sent = Batch::decode(&batch.encode()).expect("a batch");
            self.0[usize::from(to.0)].input(Input::Batch(sent));
            self.0[from].answer(to, &batch, true);
        }
    }
}

#[test]
fn a_subscriber_sees_the_states_on_all_shards() {
    let mut hub = Hub::new(2);
    let (alice, bob) = (hub.0[0].connected(guest("alice")), hub.0[1].connected(guest("bob")));
    let names = [name(&hub.0[0], alice, "A"), name(&hub.0[1], bob, "B")];
    set(&mut hub.0[0], alice, r#"{"x":"1"}"#);
    hub.relay();
    hub.0[1].hibernate();
    subscribe(&mut hub.0[1], bob);
    expect![[r#"{"type":"groupStateSnapshot","group":"room","items":[{"connectionId":"A","userId":"alice","state":{"x":"1"},"updatedAt":1000000}]}"#]]
        .assert_eq(&received(&mut hub.0[1], bob, &names));
    hub.0[0].crash();
    hub.relay();
    expect![[r#"{"type":"groupStateUpdate","group":"room","items":[{"connectionId":"A","userId":"alice","updatedAt":1000001}]}"#]]
        .assert_eq(&received(&mut hub.0[1], bob, &names));
    assert!(hub.0[1].disk.states.is_empty());
}

#[test]
fn what_is_set_after_a_clearing_and_a_sleep_is_later() {
    let mut shard = TestShard::new();
    let (alice, bob) = (shard.connected(guest("alice")), shard.connected(guest("bob")));
    let names = [name(&shard, alice, "A")];
    subscribe(&mut shard, bob);
    shard.take(bob);
    set(&mut shard, alice, r#"{"x":"1"}"#);
    shard.send(alice, r#"{"type":"setGroupState","group":"room"}"#);
    // The clock still shows the same millisecond, and nothing is remembered.
    shard.hibernate();
    set(&mut shard, alice, r#"{"x":"2"}"#);
    expect![[r#"
        {"type":"groupStateUpdate","group":"room","items":[{"connectionId":"A","userId":"alice","state":{"x":"1"},"updatedAt":1000000}]}
        {"type":"groupStateUpdate","group":"room","items":[{"connectionId":"A","userId":"alice","updatedAt":1000001}]}
        {"type":"groupStateUpdate","group":"room","items":[{"connectionId":"A","userId":"alice","state":{"x":"2"},"updatedAt":1000002}]}"#]]
    .assert_eq(&received(&mut shard, bob, &names));
}

#[test]
fn a_shard_that_is_new_gets_all_states() {
    let mut hub = Hub::new(3);
    let mut map = ShardMap::new(2);
    let alice = hub.0[0].connected(guest("alice"));
    for shard in 0..2 {
        // As if the third was no part of the hub.
        map.version = 1;
        hub.0[shard].set_map(map);
    }
    set(&mut hub.0[0], alice, r#"{"x":"1"}"#);
    hub.relay();
    let stale = hub.0[2].disk.states.len();
    assert_eq!(stale, 0);
    map.resize(hub.0[0].now, 3);
    for shard in 0..3 {
        hub.0[shard].set_map(map);
    }
    let carol = hub.0[2].connected(guest("carol"));
    subscribe(&mut hub.0[2], carol);
    assert_eq!(hub.0[2].take(carol), [r#"{"type":"groupStateSnapshot","group":"room","items":[]}"#]);
    hub.relay();
    let snapshots = hub.0[2].take(carol);
    assert_eq!(snapshots.len(), 1, "a subscriber that was there before gets a new snapshot");
    assert!(snapshots[0].contains(r#"{"x":"1"}"#), "{snapshots:?}");
    assert_eq!(hub.0[1].disk.states.len(), 1);
}

#[test]
fn a_shard_that_comes_back_keeps_no_state_of_before() {
    let mut hub = Hub::new(2);
    let alice = hub.0[0].connected(guest("alice"));
    set(&mut hub.0[0], alice, r#"{"x":"1"}"#);
    hub.relay();
    assert_eq!(hub.0[1].disk.states.len(), 1);
    let mut map = ShardMap { version: 1, ..ShardMap::new(1) };
    hub.0[0].set_map(map);
    hub.0[0].close(alice, CloseCode::NORMAL);
    map.resize(hub.0[0].now, 2);
    for shard in &mut hub.0 {
        shard.set_map(map);
    }
    hub.relay();
    assert!(hub.0[1].disk.states.is_empty());
}

#[test]
fn a_hub_without_states_relays_nothing_for_them() {
    let mut hub = Hub::new(2);
    let alice = hub.0[0].connected(guest("alice"));
    subscribe(&mut hub.0[0], alice);
    hub.0[0].close(alice, CloseCode::NORMAL);
    assert!(hub.0[0].relayed.is_empty() && hub.0[0].disk.log.is_empty());
    assert!(hub.0[0].disk.uses_states.is_none() && hub.0[0].disk.subscriptions.is_empty());
}

#[test]
fn a_shard_keeps_no_more_states_than_it_has_room_for() {
    let mut shard = TestShard::at(ShardConfig { shards: 2, ..ShardConfig::only() });
    let mut batch = Batch { from: ShardId(1), messages: Vec::new() };
    let state = "y".repeat(MAX_GROUP_STATE_BYTES);
    for number in 0..9000_u64 {
        let [high, low] = u16::try_from(number).expect("a number").to_be_bytes();
        let id = ShardId(1).connection_id([high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let message = format!(
            r#"{{"type":"groupStateUpdate","group":"g{}","items":[{{"connectionId":"{id}","state":{{"x":"{state}"}},"updatedAt":1}}]}}"#,
            number % 100
        );
        batch.messages.push((number + 1, StoredMessage { message, expires: None }));
    }
    shard.input(Input::Batch(batch));
    let kept = shard.disk.states.len() * MAX_GROUP_STATE_BYTES;
    assert!(kept <= 4 * MAX_HUB_STATES_BYTES && kept > 3 * MAX_HUB_STATES_BYTES, "{kept}");
    let alice = shard.connected(guest("alice"));
    shard.send(alice, r#"{"type":"setGroupState","group":"room","ackId":1,"state":{"x":"1"}}"#);
    assert!(shard.take(alice)[0].contains("There is no room for more states."));
}
