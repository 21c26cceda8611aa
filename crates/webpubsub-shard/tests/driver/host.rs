//! A host that writes down what a driver asks of it, and shards to drive.

use std::collections::BTreeMap;
use std::time::Duration;

use expect_test::Expect;
use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::data::{MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::{ConnectionId, GroupName, HubName};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Answer, Attachment, Batch, Call, CallId, Change, Command, ConnectRequest, ConnectionRecord, Driver,
    EventPolicy, Host, Input, NextTurn, NotDone, Selection, Shard, ShardConfig, ShardId, Slot, Snapshot,
    StoredMessage, Target,
};

pub(crate) const PUBLISH: &str =
    r#"{"type":"sendToGroup","group":"g","ackId":1,"dataType":"text","data":"x"}"#;
pub(crate) const WINDOW: Duration = ShardConfig::only().recovery_window;

/// A host that writes down what it is asked to do, and fails where the script says so.
#[derive(Debug, Default)]
pub(crate) struct ScriptedHost {
    pub(crate) now: Timestamp,
    pub(crate) done: Vec<String>,
    pub(crate) connections: Vec<ConnectionRecord>,
    pub(crate) log: BTreeMap<u64, StoredMessage>,
    /// Sockets that turn out to be gone when something is sent on them.
    pub(crate) gone: Vec<Slot>,
    pub(crate) unread_bytes: u64,
    /// How many more changes the disk takes.
    pub(crate) space: usize,
}

/// The disk takes no more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DiskFull;

impl ScriptedHost {
    pub(crate) fn does(&mut self, what: impl Into<String>) {
        self.done.push(what.into());
    }

    pub(crate) fn lose(&self, to: impl Iterator<Item = Slot>, lost: &mut Vec<Slot>) {
        lost.extend(to.filter(|slot| self.gone.contains(slot)));
    }

    pub(crate) fn at(&self, due: Option<Timestamp>) -> String {
        due.map_or("never".into(), |due| format!("in {:?}", due.since(self.now)))
    }

    /// Compares what was done since the last check.
    pub(crate) fn check(&mut self, expected: &Expect) {
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
pub(crate) fn kind(text: &str) -> &str {
    text.split('"').nth(3).unwrap_or(text)
}

pub(crate) fn driver(config: ShardConfig) -> (Driver, ScriptedHost) {
    let mut host =
        ScriptedHost { now: Timestamp::from_millis(1_000_000), space: usize::MAX, ..ScriptedHost::default() };
    let restored = Shard::restore(host.now, config, policy(), Snapshot::default(), Vec::new());
    let mut driver = Driver::new(restored.shard);
    driver.perform(&mut host, restored.outputs).expect("the disk has space");
    (driver, host)
}

pub(crate) fn policy() -> EventPolicy {
    EventPolicy::new(HubName::parse("chat").expect("a hub name"))
}

pub(crate) fn id(number: u8) -> ConnectionId {
    ShardId(0).connection_id([number; 16])
}

/// A client in a group, connected without a trace.
pub(crate) fn connect(
    driver: &mut Driver,
    host: &mut ScriptedHost,
    number: u8,
    subprotocol: Subprotocol,
) -> Answer {
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

pub(crate) fn send(driver: &mut Driver, host: &mut ScriptedHost, from: u32, frame: &str) {
    let input = Input::Frame { from: Slot(from), frame: Frame::Text(frame.to_owned()) };
    driver.step(host, input).expect("the disk has space");
}

pub(crate) fn publish() -> Input {
    Input::Command(Command::Send {
        to: Selection::from(Target::All),
        data: MessageData::Text("x".into()),
        metadata: Metadata::default(),
        ttl: TimeToLive::FOREVER,
    })
}

pub(crate) fn step(driver: &mut Driver, host: &mut ScriptedHost, input: Input) -> Answer {
    driver.step(host, input).expect("the disk has space")
}

pub(crate) fn cut(slot: u32) -> Input {
    Input::Closed { slot: Slot(slot), code: CloseCode::ABNORMAL, reason: String::new() }
}
