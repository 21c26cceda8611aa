//! What a driver asks of its host: in which order, when to wait for time, and when to take a turn.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::time::Duration;

use expect_test::{Expect, expect};
use webpubsub_mqtt::{Connect, Properties, Property, Qos, UpstreamPacket, Version, Will};
use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::data::{MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, GroupName, HubName};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Answer, Attachment, Batch, Call, CallId, Change, Command, ConnectRequest, ConnectionRecord, Driver,
    EventPolicy, Full, Host, Input, Limits, NextTurn, NotDone, Reply, Selection, Shard, ShardConfig, ShardId,
    Slot, Snapshot, StoredMessage, Target,
};
use webpubsub_testkit::MqttClient;

const PUBLISH: &str = r#"{"type":"sendToGroup","group":"g","ackId":1,"dataType":"text","data":"x"}"#;
const WINDOW: Duration = ShardConfig::only().recovery_window;

/// A host that writes down what it is asked to do, and fails where the script says so.
#[derive(Debug, Default)]
struct ScriptedHost {
    now: Timestamp,
    done: Vec<String>,
    connections: Vec<ConnectionRecord>,
    log: BTreeMap<u64, StoredMessage>,
    /// Sockets that turn out to be gone when something is sent on them.
    gone: Vec<Slot>,
    unread_bytes: u64,
    /// How many more changes the disk takes.
    space: usize,
}

/// The disk takes no more.
#[derive(Debug, PartialEq, Eq)]
struct DiskFull;

impl ScriptedHost {
    fn does(&mut self, what: impl Into<String>) {
        self.done.push(what.into());
    }

    fn lose(&self, to: impl Iterator<Item = Slot>, lost: &mut Vec<Slot>) {
        lost.extend(to.filter(|slot| self.gone.contains(slot)));
    }

    fn at(&self, due: Option<Timestamp>) -> String {
        due.map_or("never".into(), |due| format!("in {:?}", due.since(self.now)))
    }

    /// Compares what was done since the last check.
    fn check(&mut self, expected: &Expect) {
        let done: String = self.done.drain(..).map(|line| line + "\n").collect();
        expected.assert_eq(&done);
    }
}

impl Host for ScriptedHost {
    type Error = DiskFull;

    fn now(&self) -> Timestamp {
        self.now
    }

    fn accept(&mut self, slot: Slot, _: ConnectionId, subprotocol: Subprotocol) -> bool {
        self.does(format!("accept {} {subprotocol:?}", slot.0));
        !self.gone.contains(&slot)
    }

    fn attach(&mut self, slot: Slot, _: Attachment) -> Result<(), DiskFull> {
        self.does(format!("attach {}", slot.0));
        Ok(())
    }

    fn send(&mut self, to: &[Slot], frame: &Frame, lost: &mut Vec<Slot>) {
        let slots: Vec<u32> = to.iter().map(|slot| slot.0).collect();
        let kind = if let Frame::Text(text) = frame { kind(text) } else { "bytes" };
        self.does(format!("send {slots:?} {kind}"));
        self.lose(to.iter().copied(), lost);
    }

    fn send_numbered(&mut self, to: &[(Slot, SequenceId)], _: &DataFrame, lost: &mut Vec<Slot>) {
        let to_whom: Vec<(u32, u64)> = to.iter().map(|(slot, id)| (slot.0, id.0)).collect();
        self.does(format!("send numbered {to_whom:?}"));
        self.lose(to.iter().map(|(slot, _)| *slot), lost);
    }

    fn unread_bytes(&self, _: Slot) -> u64 {
        self.unread_bytes
    }

    fn close(&mut self, slot: Slot, cause: CloseCause) {
        self.does(format!("close {} {}", slot.0, cause.code().0));
        self.gone.retain(|gone| *gone != slot);
    }

    fn rename(&mut self, from: Slot, to: Slot) {
        self.does(format!("rename {} {}", from.0, to.0));
    }

    fn forget(&mut self, slot: Slot) {
        self.does(format!("forget {}", slot.0));
    }

    fn store(&mut self, change: Change) -> Result<(), DiskFull> {
        self.space = self.space.checked_sub(1).ok_or(DiskFull)?;
        let printed = format!("{change:?}");
        self.does(format!("store {}", printed.split([' ', '(']).next().unwrap_or_default()));
        if let Change::Log { row, message, expires, .. } = change {
            self.log.insert(row, StoredMessage { message, expires });
        } else if let Change::PutConnection(record) = change {
            self.connections.push(record);
        }
        Ok(())
    }

    fn message(&mut self, row: u64) -> Result<Option<StoredMessage>, DiskFull> {
        self.does(format!("read row {row}"));
        Ok(self.log.get(&row).cloned())
    }

    fn relay(&mut self, to: ShardId, last: u64, batch: Batch) {
        let rows: Vec<u64> = batch.messages.iter().map(|(row, _)| *row).collect();
        self.does(format!("relay {rows:?} up to {last} from {} to {}", batch.from.0, to.0));
    }

    fn call(&mut self, call: Call) {
        self.does(format!("call {}", call.event));
    }

    fn give_up(&mut self, _: CallId, after: Duration) {
        self.does(format!("give up after {after:?}"));
    }

    fn log(&mut self, not_done: &NotDone<'_>) {
        let hub = HubName::parse("chat").expect("a hub name");
        self.does(format!("log {}: {not_done}", not_done.what(&hub)));
    }

    fn set_timer(&mut self, due: Option<Timestamp>) {
        self.does(format!("timer {}", self.at(due)));
    }

    fn set_alarm(&mut self, due: Option<Timestamp>) {
        self.does(format!("alarm {}", self.at(due)));
    }

    fn schedule_turn(&mut self, next: NextTurn) {
        self.does(format!("turn {next:?}"));
    }
}

/// A message's type, or what is left of it.
fn kind(text: &str) -> &str {
    text.split('"').nth(3).unwrap_or(text)
}

fn driver(config: ShardConfig) -> (Driver, ScriptedHost) {
    let mut host =
        ScriptedHost { now: Timestamp::from_millis(1_000_000), space: usize::MAX, ..ScriptedHost::default() };
    let restored = Shard::restore(host.now, config, policy(), Snapshot::default(), Vec::new());
    let mut driver = Driver::new(restored.shard);
    driver.perform(&mut host, restored.outputs).expect("the disk has space");
    (driver, host)
}

fn policy() -> EventPolicy {
    EventPolicy::new(HubName::parse("chat").expect("a hub name"))
}

fn id(number: u8) -> ConnectionId {
    ShardId(0).connection_id([number; 16])
}

/// A client in a group, connected without a trace.
fn connect(driver: &mut Driver, host: &mut ScriptedHost, number: u8, subprotocol: Subprotocol) -> Answer {
    let request = ConnectRequest {
        roles: vec!["webpubsub.sendToGroup".into(), "webpubsub.joinLeaveGroup".into()],
        groups: vec![GroupName::parse("g").expect("a group name")],
        subprotocol,
        ..ConnectRequest::default()
    };
    let reconnection_token = subprotocol.is_reliable().then(|| "token".to_owned());
    let input = Input::Connect { connection: id(number), request, reconnection_token };
    let answer = driver.step(host, input).expect("the disk has space");
    driver.turn(host).expect("the disk has space");
    host.done.clear();
    answer
}

fn send(driver: &mut Driver, host: &mut ScriptedHost, from: u32, frame: &str) {
    let input = Input::Frame { from: Slot(from), frame: Frame::Text(frame.to_owned()) };
    driver.step(host, input).expect("the disk has space");
}

fn publish() -> Input {
    Input::Command(Command::Send {
        to: Selection::from(Target::All),
        data: MessageData::Text("x".into()),
        metadata: Metadata::default(),
        ttl: TimeToLive::FOREVER,
    })
}

fn step(driver: &mut Driver, host: &mut ScriptedHost, input: Input) -> Answer {
    driver.step(host, input).expect("the disk has space")
}

fn cut(slot: u32) -> Input {
    Input::Closed { slot: Slot(slot), code: CloseCode::ABNORMAL, reason: String::new() }
}

#[test]
fn a_connect_is_answered_with_what_its_client_speaks() {
    let (mut driver, mut host) = driver(ShardConfig { capacity: 1, ..ShardConfig::only() });
    let answer = connect(&mut driver, &mut host, 1, Subprotocol::Json);
    assert_eq!(answer, Answer { accepted: Some(Subprotocol::Json), ..Answer::default() });
    let answer = connect(&mut driver, &mut host, 2, Subprotocol::Json);
    assert_eq!(answer, Answer { refused: Some(Full::Shard), ..Answer::default() });
    let answer =
        step(&mut driver, &mut host, Input::Recover { connection: id(3), reconnection_token: String::new() });
    assert_eq!(answer, Answer::default());
}

#[test]
fn a_command_is_answered_with_its_reply() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    let answer = step(&mut driver, &mut host, Input::Command(Command::Exists(Target::All)));
    assert!(answer.reply.is_some());
    let answer = step(&mut driver, &mut host, publish());
    assert_eq!(answer, Answer { reply: Some(Reply::Done), ..Answer::default() });
}

#[test]
fn nothing_leaves_before_it_is_stored() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    send(&mut driver, &mut host, 0, PUBLISH);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        turn Soon
        store UseAcks
        store Log
        send numbered [(0, 1)]
        send [0] ack
    "#]]);
}

#[test]
fn nothing_leaves_after_the_disk_has_failed() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    host.space = 0;
    assert_eq!(driver.step(&mut host, publish()), Err(DiskFull));
    host.check(&expect![[r#""#]]);
}

#[test]
fn sockets_that_turn_out_lost_are_closed_in_order() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    for number in 0..4 {
        connect(&mut driver, &mut host, number, Subprotocol::Json);
    }
    host.gone = vec![Slot(3), Slot(1), Slot(2)];
    step(&mut driver, &mut host, publish());
    host.check(&expect![[r#"
        send [0, 1, 2, 3] message
        turn Soon
    "#]]);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        forget 1
        forget 2
        forget 3
    "#]]);
    assert_eq!(driver.shard.connections(), 1);
}

#[test]
fn a_socket_that_is_lost_and_closed_at_once_ends_once() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    host.gone = vec![Slot(0)];
    send(&mut driver, &mut host, 0, PUBLISH);
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        turn Soon
        turn Soon
        store UseAcks
        store Log
        store Detach
        send numbered [(0, 1)]
        send [0] ack
        forget 0
        alarm in 60s
    "#]]);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![""]);
}

/// A device in this slot goes on with its session of 30 s, and has a will.
fn connect_device(driver: &mut Driver, host: &mut ScriptedHost, slot: u8) {
    connect(driver, host, slot, Subprotocol::Mqtt);
    let mut hello = Connect { clean_start: false, ..MqttClient::hello(Version::V5, "device") };
    hello.properties.push_number(Property::SessionExpiryInterval, 30);
    let mut properties = Properties::default();
    properties.push_number(Property::WillDelayInterval, 30);
    let will = Will { topic: "g".into(), payload: vec![0], qos: Qos::AtMostOnce, retain: false, properties };
    hello.will = Some(will);
    let bytes = UpstreamPacket::Connect(Box::new(hello)).encode(Version::V5);
    step(driver, host, Input::Frame { from: Slot(slot.into()), frame: Frame::Binary(bytes) });
}

#[test]
fn a_socket_is_not_lost_with_the_one_before_its_recovery() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect_device(&mut driver, &mut host, 0);
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    host.done.clear();
    // The client is what wakes the shard, before any timer.
    host.now = host.now.after(Duration::from_secs(31));
    host.gone = vec![Slot(1)];
    step(&mut driver, &mut host, Input::Recover { connection: id(1), reconnection_token: String::new() });
    host.check(&expect![[r#"
        store Log
        send numbered [(1, 1)]
        store RemoveMqtt
        store RemoveConnection
        close 1 1001
        accept 1 JsonReliable
        attach 1
        read row 1
        send numbered [(1, 1)]
    "#]]);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![""]);
}

#[test]
fn a_socket_is_not_lost_with_the_one_whose_session_it_takes() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect_device(&mut driver, &mut host, 0);
    host.gone = vec![Slot(0)];
    connect_device(&mut driver, &mut host, 1);
    host.check(&expect![[r#"
        send [0] bytes
        close 0 1001
        store PutMqtt
        rename 1 0
        send [0] bytes
        attach 0
        timer never
    "#]]);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![""]);
}

#[test]
fn a_connection_ends_if_its_socket_is_not_accepted() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    host.gone = vec![Slot(0)];
    let answer = connect(&mut driver, &mut host, 1, Subprotocol::Json);
    assert_eq!(answer, Answer { refused: Some(Full::Shard), ..Answer::default() });
    assert_eq!(driver.shard.connections(), 0);
}

#[test]
fn rows_are_read_and_sent_where_they_are_asked_for() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    step(&mut driver, &mut host, publish());
    step(&mut driver, &mut host, publish());
    host.done.clear();
    let answer =
        step(&mut driver, &mut host, Input::Recover { connection: id(1), reconnection_token: String::new() });
    assert_eq!(answer.accepted, Some(Subprotocol::JsonReliable));
    host.check(&expect![[r#"
        close 0 1001
        accept 0 JsonReliable
        attach 0
        read row 1
        send numbered [(0, 1)]
        read row 2
        send numbered [(0, 2)]
    "#]]);
}

#[test]
fn a_client_that_does_not_read_is_closed() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::Json);
    step(&mut driver, &mut host, Input::Measure);
    host.check(&expect![[r#""#]]);
    host.unread_bytes = 1 << 30;
    step(&mut driver, &mut host, Input::Measure);
    host.check(&expect![[r#"
        send [0] system
        close 0 1008
    "#]]);
}

#[test]
fn the_alarm_is_set_for_the_first_deadline_only() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    for number in 0..2 {
        connect(&mut driver, &mut host, number, Subprotocol::JsonReliable);
    }
    for slot in 0..2 {
        step(&mut driver, &mut host, cut(slot));
        driver.turn(&mut host).expect("the disk has space");
        host.now = host.now.after(Duration::from_secs(1));
    }
    host.done.retain(|done| done.starts_with("alarm"));
    assert_eq!(host.done, [format!("alarm in {WINDOW:?}")]);
}

#[test]
fn an_alarm_that_fires_early_is_set_again() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    for number in 0..2 {
        connect(&mut driver, &mut host, number, Subprotocol::JsonReliable);
        step(&mut driver, &mut host, cut(number.into()));
        driver.turn(&mut host).expect("the disk has space");
        host.now = host.now.after(Duration::from_secs(1));
    }
    // The first comes back, so that only the second has a deadline.
    step(&mut driver, &mut host, Input::Recover { connection: id(0), reconnection_token: String::new() });
    host.done.retain(|done| done.starts_with("alarm"));
    assert!(host.done.is_empty(), "an alarm that fires earlier stays");
    host.now = host.now.after(WINDOW - Duration::from_secs(2));
    driver.alarm_fired();
    step(&mut driver, &mut host, Input::Timeout);
    host.check(&expect![[r#"
        alarm in 1s
    "#]]);
}

#[test]
fn the_alarm_is_brought_forward_for_an_earlier_deadline() {
    let (mut driver, mut host) = driver(ShardConfig { shards: 2, ..ShardConfig::only() });
    for number in 0..2 {
        connect(&mut driver, &mut host, number, Subprotocol::JsonReliable);
    }
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    send(&mut driver, &mut host, 1, PUBLISH);
    driver.turn(&mut host).expect("the disk has space");
    let taken = Input::Relayed { to: ShardId(1), last: 1, taken: true };
    step(&mut driver, &mut host, taken);
    host.check(&expect![[r#"
        turn Soon
        store Detach
        forget 0
        alarm in 60s
        turn Soon
        store UseAcks
        store Log
        send numbered [(1, 1)]
        send [1] ack
        read row 1
        relay [1] up to 1 from 0 to 1
        alarm in 10s
        turn Soon
    "#]]);
}

#[test]
fn the_alarm_is_deleted_with_the_last_deadline() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    host.done.clear();
    step(&mut driver, &mut host, Input::Recover { connection: id(1), reconnection_token: String::new() });
    assert_eq!(host.done.last().map(String::as_str), Some("alarm never"));
}

#[test]
fn restoring_leaves_the_alarm_until_it_is_kept() {
    let (mut before, mut host) = driver(ShardConfig::only());
    connect(&mut before, &mut host, 1, Subprotocol::JsonReliable);
    let disk = Snapshot { connections: std::mem::take(&mut host.connections), ..Snapshot::default() };
    let restored = Shard::restore(host.now, ShardConfig::only(), policy(), disk, Vec::new());
    let mut driver = Driver::new(restored.shard);
    driver.perform(&mut host, restored.outputs).expect("the disk has space");
    host.check(&expect![[r#"
        store Detach
    "#]]);
    driver.keep_alarm(&mut host);
    driver.keep_alarm(&mut host);
    assert_eq!(host.done, [format!("alarm in {WINDOW:?}")]);
}

#[test]
fn an_alarm_that_outlived_the_memory_is_not_set_again() {
    for (found_in, set) in [(WINDOW, None), (Duration::from_secs(1), None), (Duration::ZERO, Some(WINDOW))] {
        let (mut before, mut host) = driver(ShardConfig::only());
        connect(&mut before, &mut host, 1, Subprotocol::JsonReliable);
        let disk = Snapshot { connections: std::mem::take(&mut host.connections), ..Snapshot::default() };
        let restored = Shard::restore(host.now, ShardConfig::only(), policy(), disk, Vec::new());
        let mut driver = Driver::new(restored.shard);
        driver.found_alarm(host.now, host.now.after(found_in));
        driver.keep_alarm(&mut host);
        let set: Vec<_> = set.map(|due: Duration| format!("alarm in {due:?}")).into_iter().collect();
        host.done.retain(|done| done.starts_with("alarm"));
        assert_eq!(host.done, set, "one in {found_in:?} was found");
    }
}

#[test]
fn the_timer_is_set_once_for_the_first_timeout() {
    let limits = Limits { messages_per_second: 1, message_burst: 1, ..Limits::DEFAULT };
    let (mut driver, mut host) = driver(ShardConfig { limits, ..ShardConfig::only() });
    connect(&mut driver, &mut host, 1, Subprotocol::Json);
    let ping = r#"{"type":"ping"}"#;
    for _ in 0..3 {
        send(&mut driver, &mut host, 0, ping);
        driver.turn(&mut host).expect("the disk has space");
    }
    host.done.retain(|done| done.starts_with("timer"));
    host.check(&expect![[r#"
        timer in 1s
    "#]]);
    host.now = host.now.after(Duration::from_secs(1));
    driver.timer_fired();
    step(&mut driver, &mut host, Input::Timeout);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        turn Soon
        send [0] pong
        timer in 1s
    "#]]);
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        timer never
        turn Soon
        send [0] pong
        forget 0
    "#]]);
}

#[test]
fn a_turn_is_scheduled_while_something_waits_for_it() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    send(&mut driver, &mut host, 0, r#"{"type":"leaveGroup","group":"g","ackId":1}"#);
    host.check(&expect![[r#"
        turn Soon
    "#]]);
    driver.catch_up(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        store UseAcks
        store Leave
        send [0] ack
    "#]]);
    driver.catch_up(&mut host).expect("the disk has space");
    host.check(&expect![[r#""#]]);
}

#[test]
fn a_turn_comes_before_more_once_enough_has_arrived() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::Json);
    for _ in 0..128 {
        send(&mut driver, &mut host, 0, r#"{"type":"ping"}"#);
    }
    assert_eq!(host.done.last().map(String::as_str), Some("turn BeforeMore"));
    assert_eq!(host.done.iter().filter(|done| done.starts_with("turn")).count(), 1);
}

#[test]
fn rows_that_are_gone_are_left_out_of_a_batch() {
    let (mut driver, mut host) = driver(ShardConfig { shards: 2, ..ShardConfig::only() });
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    send(&mut driver, &mut host, 0, PUBLISH);
    send(&mut driver, &mut host, 0, &PUBLISH.replace(r#""ackId":1"#, r#""ackId":2"#));
    driver.turn(&mut host).expect("the disk has space");
    let failed = Input::Relayed { to: ShardId(1), last: 2, taken: false };
    step(&mut driver, &mut host, failed);
    host.log.remove(&2);
    host.now = host.now.after(Duration::from_secs(1));
    host.done.clear();
    step(&mut driver, &mut host, Input::Timeout);
    host.done.retain(|done| done.starts_with("relay"));
    host.check(&expect![[r#"
        relay [1] up to 2 from 0 to 1
    "#]]);
}

#[test]
fn what_may_write_for_a_request_shares_a_commit() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    let Input::Command(publish) = publish() else { return };
    assert!(!driver.shard.shares_commit(&publish), "nothing is written for clients that are not reliable");
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    assert!(driver.shard.shares_commit(&publish));
    assert!(!driver.shard.shares_commit(&Command::Exists(Target::All)), "it is a question");
}
