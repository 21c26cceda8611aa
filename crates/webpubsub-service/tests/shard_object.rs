//! How a shard starts from its tables, and what it does with what it is asked.
#![expect(clippy::unwrap_used, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_protocol::client::{Frame, Subprotocol};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::{
    AdmittedClient, Answered, Config, Holder, HubView, ObjectHost, Offered, ShardAnswer, ShardCall,
    ShardObject, TraceRequest, restore_shard,
};
use webpubsub_shard::{
    Attachment, Batch, Call, CallId, Change, ConnectRequest, Driver, Full, Host, METRICS, NextTurn, NotDone,
    ShardId, ShardMap, Slot, Sockets, StoredMessage, WatcherId,
};
use webpubsub_store::ShardStore;
use webpubsub_testkit::{Sqlite, SqliteError};

/// A host with real tables, and sockets that take everything.
struct TableHost {
    hub: HubName,
    store: ShardStore<Sqlite>,
    /// Whether the sockets of operators are accepted.
    has_room_for_watchers: bool,
    /// What operators who watch were sent.
    traced: Vec<String>,
    /// What sockets of clients carry, the newest last.
    attached: Vec<Vec<u8>>,
}

impl Host for TableHost {
    type Error = SqliteError;

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000)
    }

    fn accept(&mut self, _: Slot, _: ConnectionId, _: Subprotocol) -> bool {
        true
    }

    fn attach(&mut self, _: Slot, attachment: Attachment) -> Result<(), SqliteError> {
        self.attached.push(attachment.encode());
        Ok(())
    }

    fn send(&mut self, _: &[Slot], _: &Frame, _: &mut Vec<Slot>) {}

    fn unread_bytes(&self, _: Slot) -> u64 {
        7
    }

    fn close(&mut self, _: Slot, _: CloseCause) {}

    fn rename(&mut self, _: Slot, _: Slot) {}

    fn forget(&mut self, _: Slot) {}

    fn store(&mut self, change: Change) -> Result<(), SqliteError> {
        self.store.store(&change)
    }

    fn message(&mut self, row: u64) -> Result<Option<StoredMessage>, SqliteError> {
        self.store.message(row)
    }

    fn relay(&mut self, _: ShardId, _: u64, _: Batch) {}

    fn call(&mut self, _: Call) {}

    fn give_up(&mut self, _: CallId, _: Duration) {}

    fn send_trace(&mut self, _: WatcherId, text: &str) {
        self.traced.push(text.to_owned());
    }

    fn log(&mut self, _: &NotDone<'_>) {}

    fn set_timer(&mut self, _: Option<Timestamp>) {}

    fn set_alarm(&mut self, _: Option<Timestamp>) {}

    fn schedule_turn(&mut self, _: NextTurn) {}
}

impl ObjectHost for TableHost {
    type Database = Sqlite;

    fn tables(&self) -> &ShardStore<Sqlite> {
        &self.store
    }

    fn hub(&self) -> &HubName {
        &self.hub
    }

    fn accept_watcher(&mut self, _: WatcherId, _: &str) -> bool {
        self.has_room_for_watchers
    }
}

fn config() -> Config {
    let variables = [("WEBPUBSUB_ACCESS_KEY", "0123456789abcdef0123456789abcdef"), ("SHARD_HARD_LIMIT", "1")];
    let config = Config::read(&|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    });
    config.map_err(|error| error.to_string()).unwrap()
}

/// Starts shard 1 of the hub `chat`.
fn start(database: &Sqlite) -> (Driver, TableHost) {
    let store = ShardStore::open(database.clone(), Some("chat/1".to_owned())).unwrap();
    let now = Timestamp::from_millis(1_000_000);
    let restored = restore_shard(now, &config(), &store, Sockets::OutliveMemory, &[]).unwrap();
    assert_eq!((restored.hub.as_str(), restored.shard.id()), ("chat", ShardId(1)));
    let mut host = TableHost {
        hub: restored.hub,
        store,
        has_room_for_watchers: true,
        traced: Vec::new(),
        attached: Vec::new(),
    };
    let mut driver = Driver::new(restored.shard);
    driver.perform(&mut host, restored.outputs).unwrap();
    (driver, host)
}

fn answer(driver: &mut Driver, host: &mut TableHost, call: ShardCall) -> Answered {
    ShardObject { driver, host }.answer(call).unwrap()
}

fn connecting(number: u8) -> (ConnectionId, ShardCall) {
    let connection = ShardId(1).connection_id([number; 16]);
    let client = AdmittedClient {
        connection: connection.clone(),
        reconnection_token: Some("token".to_owned()),
        request: ConnectRequest { subprotocol: Subprotocol::JsonReliable, ..ConnectRequest::default() },
        subprotocol: Some("mine".to_owned()),
        is_counted: false,
    };
    (connection, ShardCall::Connect(Box::new(client)))
}

fn offered(offered: Offered) -> Answered {
    Answered::Answer(ShardAnswer::Offered(offered))
}

#[test]
fn a_client_gets_its_socket_or_why_it_does_not() {
    let (mut driver, mut host) = start(&Sqlite::in_memory());
    assert_eq!(answer(&mut driver, &mut host, ShardCall::Room), offered(Offered::Accepted));
    let [(known, first), (unknown, second)] = [connecting(1), connecting(2)];
    assert_eq!(answer(&mut driver, &mut host, first), Answered::Socket(Some("mine".to_owned())));
    assert_eq!(answer(&mut driver, &mut host, ShardCall::Room), offered(Offered::Full(Full::Shard)));
    assert_eq!(answer(&mut driver, &mut host, second), offered(Offered::Full(Full::Shard)));
    let recover = |id| ShardCall::Recover(id, "token".to_owned());
    let spoken = Answered::Socket(Subprotocol::JsonReliable.name().map(str::to_owned));
    assert_eq!(answer(&mut driver, &mut host, recover(known)), spoken);
    assert_eq!(answer(&mut driver, &mut host, recover(unknown)), offered(Offered::Refused));
}

#[test]
fn a_shard_starts_with_what_its_tables_have() {
    let database = Sqlite::in_memory();
    let (mut driver, mut host) = start(&database);
    let (known, call) = connecting(1);
    answer(&mut driver, &mut host, call);
    let mut map = ShardMap::new(2);
    map.version = 9;
    let view = HubView { map, settings: None, since: 1 };
    assert_eq!(
        answer(&mut driver, &mut host, ShardCall::View(view)),
        Answered::Answer(ShardAnswer::Load(1)),
        "one connection would have to leave"
    );
    let (mut driver, mut host) = start(&database);
    let recover = ShardCall::Recover(known, "token".to_owned());
    assert!(matches!(answer(&mut driver, &mut host, recover), Answered::Socket(_)));
}

#[test]
fn a_shard_takes_batches_and_closes_its_sockets() {
    let (mut driver, mut host) = start(&Sqlite::in_memory());
    for call in [ShardCall::Batch(Batch { from: ShardId(0), messages: Vec::new() }), ShardCall::GoAway] {
        assert_eq!(answer(&mut driver, &mut host, call), Answered::Answer(ShardAnswer::Taken));
    }
}

#[test]
fn the_metrics_are_measured_when_they_are_asked_for() {
    let (mut driver, mut host) = start(&Sqlite::in_memory());
    answer(&mut driver, &mut host, connecting(1).1);
    let Answered::Answer(ShardAnswer::Text(values)) = answer(&mut driver, &mut host, ShardCall::Metrics)
    else {
        panic!("no metrics")
    };
    let values: Vec<&str> = values.split(',').collect();
    assert_eq!(values.len(), METRICS.len());
    assert!(values.contains(&"7"), "{values:?}");
    let deliveries = answer(&mut driver, &mut host, ShardCall::Deliveries);
    assert_eq!(deliveries, Answered::Answer(ShardAnswer::Text("[]".to_owned())));
}

#[test]
fn a_shard_gives_the_history_up_to_the_moment_asked_for() {
    let (mut driver, mut host) = start(&Sqlite::in_memory());
    answer(&mut driver, &mut host, connecting(1).1);
    let until = host.now().after(Duration::from_secs(120));
    let Answered::Answer(ShardAnswer::Text(text)) = answer(&mut driver, &mut host, ShardCall::History(until))
    else {
        panic!("no history")
    };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (1 + METRICS.len(), "3"));
    assert!(lines[1].ends_with(",0,1,1,1"), "{}", lines[1]);
}

#[test]
fn an_operator_is_greeted_over_the_socket_it_watches_by() {
    let (mut driver, mut host) = start(&Sqlite::in_memory());
    let watch = |query: &str| ShardCall::Watch(query.to_owned());
    assert_eq!(answer(&mut driver, &mut host, watch("shard=1")), Answered::Socket(None));
    assert_eq!(host.traced, [r#"{"type":"watching","hub":"chat","shard":1,"shards":1}"#]);
    assert_eq!(answer(&mut driver, &mut host, watch("payloads=2")), offered(Offered::Refused));
    host.has_room_for_watchers = false;
    for _ in 0..100 {
        assert_eq!(answer(&mut driver, &mut host, watch("")), offered(Offered::Refused), "it takes no place");
    }
    host.has_room_for_watchers = true;
    while answer(&mut driver, &mut host, watch("")) == Answered::Socket(None) {}
    assert_eq!(answer(&mut driver, &mut host, watch("")), offered(Offered::Full(Full::Quota)));
}

#[test]
fn no_other_object_is_started_as_a_shard() {
    let store = ShardStore::open(Sqlite::in_memory(), Some("chat".to_owned())).unwrap();
    assert!(
        restore_shard(Timestamp::from_millis(0), &config(), &store, Sockets::OutliveMemory, &[]).is_err()
    );
}

#[test]
fn a_socket_is_found_again_by_what_it_carried() {
    let database = Sqlite::in_memory();
    let (mut driver, mut host) = start(&database);
    answer(&mut driver, &mut host, connecting(1).1);
    let client = host.attached.pop();
    let carried = [Some(TraceRequest::attachment("group=g")), None, client, Some(vec![7])];
    let store = ShardStore::open(database, None).unwrap();
    let restored =
        restore_shard(Timestamp::from_millis(0), &config(), &store, Sockets::OutliveMemory, &carried)
            .unwrap();
    let [watcher, unreadable, client, foreign] = restored.holders[..] else { panic!("each socket has one") };
    assert!(matches!(watcher, Some(Holder::Watcher(_))), "{watcher:?}");
    assert_eq!(client, Some(Holder::Client(Slot(0))));
    assert_eq!((unreadable, foreign), (None, None));
}
