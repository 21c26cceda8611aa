//! What a directory promises: a change reaches every shard, step by step, and outlives its memory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::time::Duration;

use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::HubView;
use webpubsub_service::directory::{Directory, DirectoryConfig, Fact, Handler, Input, Output};
use webpubsub_shard::{HubSettings, ShardId, ShardMap};

const CONFIG: DirectoryConfig = DirectoryConfig { shards: 2, map_ttl: Duration::from_secs(5) };

/// A directory with its disk, from which it can be put together before every input.
struct Host {
    directory: Directory,
    now: u64,
    facts: BTreeMap<Fact, String>,
    /// What is stored of the only handler.
    known: Option<Validation>,
    alarm: Option<u64>,
    /// The view that the shards are given.
    delivered: Option<HubView>,
}

fn restore(facts: &BTreeMap<Fact, String>) -> Directory {
    let (directory, error) =
        Directory::restore(CONFIG, Fact::ALL.map(|fact| facts.get(&fact).map(String::as_str)));
    assert_eq!(error, None);
    directory
}

impl Host {
    fn new() -> Self {
        let facts = BTreeMap::new();
        let directory = restore(&facts);
        Self { directory, now: 1_000_000, facts, known: None, alarm: None, delivered: None }
    }

    /// Returns what is neither stored, nor delivered, nor an alarm.
    fn handle(&mut self, input: Input) -> Vec<Output> {
        assert_eq!(restore(&self.facts).view(), self.directory.view(), "all that was decided is stored");
        let mut others = Vec::new();
        for output in self.directory.handle(Timestamp::from_millis(self.now), input) {
            match output {
                Output::Store(fact, value) => drop(self.facts.insert(fact, value)),
                Output::StoreValidation(_, validation) => self.known = Some(validation),
                Output::Deliver => self.delivered = Some(self.directory.view().clone()),
                Output::SetAlarm(at) => self.alarm = Some(at.as_millis()),
                Output::ClearAlarm => self.alarm = None,
                other @ (Output::Taken(_) | Output::Validate(..) | Output::Allowed(_)) => others.push(other),
            }
        }
        others
    }

    fn change(&mut self, shards: u16) {
        let settings = HubSettings { shards: Some(shards), ..HubSettings::default() };
        assert_eq!(self.handle(Input::ChangeSettings(Some(settings))), []);
    }

    /// The shards answer the view that they were given last.
    fn answer(&mut self, loads: &[Option<u64>]) -> bool {
        let view = self.delivered.take().unwrap();
        self.answer_to(&view, loads)
    }

    fn answer_to(&mut self, view: &HubView, loads: &[Option<u64>]) -> bool {
        let (version, since) = (view.map.version, view.since);
        match self.handle(Input::Delivered { version, since, loads: loads.to_vec() })[..] {
            [Output::Taken(taken)] => taken,
            ref other => panic!("{other:?}"),
        }
    }

    /// Waits for the alarm, at which the view is delivered again.
    fn wake(&mut self) {
        self.now = self.now.max(self.alarm.unwrap());
        assert_eq!(self.handle(Input::Timeout), []);
    }

    fn states(&self, shards: u16) -> Vec<&'static str> {
        (0..shards).map(|shard| self.directory.view().map.state(ShardId(shard)).as_str()).collect()
    }
}

#[test]
fn an_unused_hub_is_what_the_configuration_says() {
    let host = Host::new();
    let view = HubView { map: ShardMap::new(2), settings: None, since: 0 };
    assert_eq!(*host.directory.view(), view);
}

#[test]
fn a_change_is_stored_before_it_is_delivered() {
    let mut host = Host::new();
    let settings = HubSettings { shards: Some(3), ..HubSettings::default() };
    let outputs = host.directory.handle(Timestamp::from_millis(7), Input::ChangeSettings(Some(settings)));
    assert!(
        matches!(
            &outputs[..],
            [
                Output::Store(Fact::Settings, _),
                Output::Store(Fact::Since, _),
                Output::Store(Fact::Map, _),
                Output::SetAlarm(_),
                Output::Deliver,
            ]
        ),
        "{outputs:?}"
    );
    assert_eq!(host.directory.view().since, 7);
}

#[test]
fn new_shards_take_clients_once_every_view_is_new() {
    let mut host = Host::new();
    host.change(3);
    assert_eq!(host.states(4), ["active", "active", "warming", "gone"]);
    assert!(host.answer(&[Some(9), Some(9), Some(0)]));
    assert_eq!(host.states(3)[2], "warming", "a host may still have the view before");
    let mut steps = 0;
    while host.alarm.is_some() {
        host.wake();
        assert!(host.answer(&[Some(9), Some(9), Some(0)]));
        steps += 1;
    }
    assert_eq!(host.states(4), ["active", "active", "active", "gone"]);
    assert_eq!(host.directory.view().map.since.as_millis(), 1_006_000, "5 s and a margin of 1 s");
    assert!(steps < 10, "{steps}");
}

#[test]
fn a_draining_shard_is_reached_until_it_is_empty() {
    let mut host = Host::new();
    host.change(1);
    assert_eq!(host.states(2), ["active", "draining"]);
    for _ in 0..50 {
        assert!(host.answer(&[Some(1), Some(1)]));
        host.wake();
    }
    assert_eq!(host.states(2), ["active", "draining"]);
    assert!(host.answer(&[Some(1), Some(0)]));
    assert_eq!(host.states(2), ["active", "gone"]);
    host.wake();
    assert!(host.answer(&[Some(1)]), "those that are left know it, too");
    assert_eq!(host.alarm, None);
}

#[test]
fn a_shard_that_does_not_answer_holds_the_change_back() {
    let mut host = Host::new();
    host.change(3);
    for _ in 0..20 {
        assert!(!host.answer(&[Some(0), None, Some(0)]));
        assert!(host.alarm.is_some(), "it is tried again");
        host.wake();
    }
    assert_eq!(host.states(3), ["active", "active", "warming"]);
    assert!(host.answer(&[Some(0); 3]));
    assert_eq!(host.states(3), ["active"; 3]);
}

#[test]
fn answers_to_an_old_view_take_no_step() {
    let mut host = Host::new();
    host.change(3);
    let old = host.delivered.take().unwrap();
    host.now += 60_000;
    host.change(4);
    assert!(host.answer_to(&old, &[Some(0); 3]), "they have taken it");
    assert_eq!(host.states(4), ["active", "active", "warming", "warming"]);
    let before = host.delivered.clone().unwrap();
    host.now += 60_000;
    assert_eq!(host.handle(Input::ChangeSettings(host.directory.view().settings.clone())), []);
    assert_eq!(host.directory.view().map.version, before.map.version);
    assert!(host.answer_to(&before, &[Some(0); 4]));
    assert_eq!(host.states(3)[2], "warming", "the settings have changed since");
}

#[test]
fn changes_of_settings_are_in_order_whatever_the_clock() {
    let mut host = Host::new();
    host.change(2);
    let first = host.directory.view().since;
    host.now -= 1000;
    assert_eq!(host.handle(Input::ChangeSettings(None)), []);
    assert_eq!(host.directory.view().since, first + 1);
    assert_eq!(host.facts[&Fact::Settings], "null");
    assert_eq!(host.directory.view().settings, None);
}

#[test]
fn settings_alone_leave_the_shards_as_they_are() {
    let mut host = Host::new();
    host.change(2);
    assert!(!host.facts.contains_key(&Fact::Map), "{:?}", host.facts);
    assert!(host.answer(&[Some(5), Some(5)]));
    assert_eq!(host.alarm, None);
}

#[test]
fn settings_that_cannot_be_read_are_those_of_the_configuration() {
    let (directory, error) = Directory::restore(CONFIG, [Some("[]"), Some("5"), None]);
    assert!(error.is_some());
    assert_eq!(*directory.view(), HubView { map: ShardMap::new(2), settings: None, since: 5 });
}

fn handler(url: &str) -> Handler {
    Handler { url: url.to_owned(), origin: "example.com".to_owned() }
}

impl Host {
    fn validate(&mut self) -> Vec<Output> {
        let known = self.known;
        self.handle(Input::Validate { handler: handler("a"), known })
    }

    fn validated(&mut self, allowed: Option<bool>) {
        let known = self.known;
        assert_eq!(self.handle(Input::Validated { handler: handler("a"), known, allowed }), []);
    }
}

#[test]
fn the_first_validation_is_waited_for_and_begins_once() {
    let mut host = Host::new();
    assert_eq!(host.validate(), [Output::Validate(handler("a"), None)]);
    assert_eq!(host.validate(), [], "it is under way");
    host.validated(Some(true));
    assert_eq!(host.validate(), [Output::Allowed(true)]);
}

#[test]
fn a_validation_that_is_due_holds_nothing_up() {
    let mut host = Host::new();
    let _ = host.validate();
    host.validated(Some(true));
    host.now += 59_999;
    assert_eq!(host.validate(), [Output::Allowed(true)]);
    host.now += 1;
    assert_eq!(host.validate(), [Output::Allowed(true), Output::Validate(handler("a"), host.known)]);
    assert_eq!(host.validate(), [Output::Allowed(true)]);
    host.validated(Some(false));
    assert_eq!(host.validate(), [Output::Allowed(false)]);
    host.now += 1000;
    assert_eq!(host.validate(), [Output::Allowed(false), Output::Validate(handler("a"), host.known)]);
}

#[test]
fn a_handler_that_could_not_be_asked_is_asked_again() {
    let mut host = Host::new();
    let _ = host.validate();
    host.validated(None);
    assert_eq!(host.known, None);
    assert_eq!(host.validate(), [Output::Validate(handler("a"), None)]);
}

#[test]
fn a_handler_is_validated_for_each_origin() {
    let mut host = Host::new();
    let _ = host.validate();
    let other = Handler { origin: "other.example".to_owned(), ..handler("a") };
    let outputs = host.handle(Input::Validate { handler: other.clone(), known: None });
    assert_eq!(outputs, [Output::Validate(other, None)]);
}
