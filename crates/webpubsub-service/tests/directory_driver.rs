//! What a directory does on its host for each call, with a scripted host and a real SQLite.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation is a failed test")]

use std::cell::{Cell, RefCell};
use std::future::{self, Future};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::directory::Handler;
use webpubsub_service::{
    AnswerBody, Config, DirectoryAnswer, DirectoryCall, DirectoryDriver, DirectoryHost, EventHost, HubView,
    KnownHandlers, Objects, Request, ShardCall,
};
use webpubsub_shard::HubSettings;
use webpubsub_store::{Database as _, ObjectStore, Unreadable};
use webpubsub_testkit::{Sqlite, SqliteError};

/// A host that writes down what it is asked to do, and whose network answers at once.
struct ScriptedHost {
    now: Cell<u64>,
    database: Sqlite,
    name: Option<&'static str>,
    /// What each shard answers.
    loads: RefCell<Vec<Option<&'static str>>>,
    /// Whether the register takes a hub.
    registers: Cell<bool>,
    /// The status with which a handler answers a handshake.
    handshake: Cell<&'static str>,
    known: RefCell<KnownHandlers>,
    /// Validations that have begun.
    tasks: RefCell<Vec<Started>>,
    done: RefCell<Vec<String>>,
}

type Directory = Rc<DirectoryDriver<ScriptedHost>>;

/// A task that a test runs.
type Started = Rc<RefCell<Pin<Box<dyn Future<Output = Option<bool>>>>>>;

impl ScriptedHost {
    fn new(database: &Sqlite) -> Self {
        Self {
            now: Cell::new(1_000_000),
            database: database.clone(),
            name: Some("chat"),
            loads: RefCell::new(vec![Some("0"); 3]),
            registers: Cell::new(true),
            handshake: Cell::new("200\nwebhook-allowed-origin\n*"),
            known: RefCell::default(),
            tasks: RefCell::default(),
            done: RefCell::default(),
        }
    }

    fn start(self) -> Directory {
        let config =
            Config::read(&|name| (name == "WEBPUBSUB_ACCESS_KEY").then(|| "0123456789abcdef".repeat(2)));
        let config = config.map_err(|error| error.to_string()).unwrap();
        Rc::new(DirectoryDriver::start(self, Rc::new(config)).unwrap())
    }

    fn does(&self, what: impl Into<String>) {
        self.done.borrow_mut().push(what.into());
    }
}

impl DirectoryHost for ScriptedHost {
    type Database = Sqlite;
    type Objects = Self;
    type Events<'a> = &'a Self;
    type Task = Started;

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.get())
    }

    fn database(&self) -> Sqlite {
        self.database.clone()
    }

    fn name(&self) -> Option<String> {
        self.name.map(str::to_owned)
    }

    fn set_alarm(&self, due: Option<Timestamp>) {
        self.does(if due.is_some() { "set the alarm" } else { "delete the alarm" });
    }

    fn objects(&self) -> Result<&Self, SqliteError> {
        Ok(self)
    }

    fn events<'a>(&'a self, _: &'a HubName) -> &'a Self {
        self
    }

    fn start(&self, task: impl Future<Output = Option<bool>> + 'static) -> Started {
        let task: Started = Rc::new(RefCell::new(Box::pin(task)));
        self.tasks.borrow_mut().push(Rc::clone(&task));
        task
    }

    async fn outcome(task: Started) -> Option<bool> {
        ready(task.borrow_mut().as_mut())
    }

    fn log_failure(&self, what: &str, error: &SqliteError) {
        panic!("{what}: {error:?}")
    }
}

impl Objects for ScriptedHost {
    async fn ask_shards(&self, names: Vec<String>, call: ShardCall) -> Vec<Option<String>> {
        let what = if matches!(call, ShardCall::View(_)) { "deliver to" } else { "ask" };
        self.does(format!("{what} {}", names.join(" ")));
        let loads = self.loads.borrow();
        names.iter().zip(loads.iter()).map(|(_, load)| load.map(str::to_owned)).collect()
    }

    async fn ask_directories(&self, names: Vec<String>, call: DirectoryCall) -> Vec<Option<String>> {
        assert_eq!(names, ["*"]);
        let DirectoryCall::AddHub(hub) = call else { panic!("the register is asked for {call:?}") };
        self.does(format!("register {hub}"));
        vec![self.registers.get().then(String::new)]
    }
}

/// Of the network of event handlers there is only the handshake.
impl EventHost for &ScriptedHost {
    fn now(&self) -> Timestamp {
        DirectoryHost::now(*self)
    }

    fn with_known<T>(&self, use_it: impl FnOnce(&mut KnownHandlers) -> T) -> T {
        use_it(&mut self.known.borrow_mut())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn decode(&self, _: &str, _: &[u8]) -> Option<String> {
        None
    }

    fn validate(&self, _: Handler, _: Duration) -> impl Future<Output = String> {
        future::ready(String::new())
    }

    async fn post(&self, request: &Request, _: Duration, _: &Rc<RefCell<AnswerBody>>) -> String {
        self.does(format!("{} {}", request.method, request.url));
        self.handshake.get().to_owned()
    }

    fn sleep(&self, _: Duration) -> impl Future {
        future::ready(())
    }
}

/// The value of a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a scripted host waits for nothing"),
    }
}

fn ask(directory: &Directory, call: DirectoryCall) -> DirectoryAnswer {
    ready(directory.answer(call)).unwrap()
}

fn change(shards: u16) -> DirectoryCall {
    DirectoryCall::ChangeSettings(Some(HubSettings { shards: Some(shards), ..HubSettings::default() }))
}

fn view(directory: &Directory) -> HubView {
    let DirectoryAnswer::Text(view) = ask(directory, DirectoryCall::View) else { panic!("a view is a text") };
    HubView::decode(&view).unwrap()
}

fn done(directory: &Directory) -> Vec<String> {
    directory.host().done.take()
}

fn handler() -> Handler {
    Handler { url: "https://example.com/validate".to_owned(), origin: "svc.example".to_owned() }
}

#[test]
fn questions_about_an_unused_hub_leave_no_trace() {
    let database = Sqlite::in_memory();
    let directory = ScriptedHost::new(&database).start();
    assert_eq!(view(&directory).since, 0);
    *directory.host().loads.borrow_mut() = vec![Some("[]")];
    let none = DirectoryAnswer::Text(r#"{"deliveries":[]}"#.to_owned());
    assert_eq!(ask(&directory, DirectoryCall::Deliveries), none);
    assert_eq!(ask(&directory, DirectoryCall::Hubs), DirectoryAnswer::Text(String::new()));
    assert!(!ObjectStore::exists(&database).unwrap());
}

#[test]
fn a_change_is_stored_then_registered_then_delivered() {
    let database = Sqlite::in_memory();
    let directory = ScriptedHost::new(&database).start();
    assert_eq!(ask(&directory, change(2)), DirectoryAnswer::Taken(true));
    assert_eq!(done(&directory), ["set the alarm", "register chat", "deliver to chat/0 chat/1"]);
    let directory = ScriptedHost { name: None, ..ScriptedHost::new(&database) }.start();
    assert_eq!(view(&directory).settings.unwrap().shards, Some(2), "its tables know the name and the change");
}

#[test]
fn a_change_is_taken_once_shards_and_register_have_it() {
    let directory = ScriptedHost::new(&Sqlite::in_memory()).start();
    directory.host().registers.set(false);
    assert_eq!(ask(&directory, change(2)), DirectoryAnswer::Taken(false), "it is delivered all the same");
    assert!(done(&directory).contains(&"deliver to chat/0 chat/1".to_owned()));
    directory.host().registers.set(true);
    *directory.host().loads.borrow_mut() = vec![Some("0"), None];
    assert_eq!(ask(&directory, change(2)), DirectoryAnswer::Taken(false));
    *directory.host().loads.borrow_mut() = vec![Some("0"), Some("0")];
    assert_eq!(ask(&directory, change(2)), DirectoryAnswer::Taken(true));
}

#[test]
fn the_alarm_delivers_a_view_again_that_a_shard_missed() {
    let directory = ScriptedHost::new(&Sqlite::in_memory()).start();
    *directory.host().loads.borrow_mut() = vec![Some("0"), None];
    let _ = ask(&directory, change(2));
    done(&directory);
    ready(directory.alarm()).unwrap();
    assert_eq!(done(&directory), ["set the alarm", "deliver to chat/0 chat/1"]);
}

#[test]
fn what_cannot_be_stored_is_not_decided() {
    let database = Sqlite::in_memory();
    let directory = ScriptedHost::new(&database).start();
    let _ = ask(&directory, change(2));
    let before = view(&directory);
    done(&directory);
    database.fail_after(0);
    assert!(ready(directory.answer(change(3))).is_err());
    database.fail_after(usize::MAX);
    assert_eq!(done(&directory), [""; 0], "nothing is delivered");
    assert_eq!(view(&directory).settings, before.settings);
}

#[test]
fn the_first_validation_is_waited_for_and_later_ones_are_not() {
    let directory = ScriptedHost::new(&Sqlite::in_memory()).start();
    let asked = || ask(&directory, DirectoryCall::Validate(handler()));
    assert_eq!(asked(), DirectoryAnswer::Allowed(true));
    assert_eq!(done(&directory), ["OPTIONS https://example.com/validate"]);
    assert_eq!(directory.host().tasks.take().len(), 1);
    assert_eq!(asked(), DirectoryAnswer::Allowed(true));
    assert_eq!(done(&directory), [""; 0], "it is stored");

    directory.host().now.set(1_060_000);
    assert_eq!(asked(), DirectoryAnswer::Allowed(true), "by the one before");
    assert_eq!(done(&directory), [""; 0], "the next one is not waited for");
    directory.host().handshake.set("403");
    let task = directory.host().tasks.borrow_mut().pop().unwrap();
    assert_eq!(ready(task.borrow_mut().as_mut()), Some(false));
    assert_eq!(asked(), DirectoryAnswer::Allowed(false));
}

#[test]
fn a_register_takes_hubs_and_names_them() {
    let database = Sqlite::in_memory();
    let directory = ScriptedHost { name: Some("*"), ..ScriptedHost::new(&database) }.start();
    for hub in ["b", "a", "b"] {
        let hub = HubName::parse(hub).unwrap();
        assert_eq!(ask(&directory, DirectoryCall::AddHub(hub)), DirectoryAnswer::Taken(true));
    }
    assert_eq!(ask(&directory, DirectoryCall::Hubs), DirectoryAnswer::Text("a\nb".to_owned()));
    assert!(directory.hub().is_err(), "it is no hub");
}

#[test]
fn going_away_asks_every_shard() {
    let directory = ScriptedHost::new(&Sqlite::in_memory()).start();
    let _ = ask(&directory, change(2));
    done(&directory);
    assert_eq!(ask(&directory, DirectoryCall::GoAway), DirectoryAnswer::Taken(true));
    assert_eq!(done(&directory), ["ask chat/0 chat/1"]);
    *directory.host().loads.borrow_mut() = vec![None, Some("")];
    assert_eq!(ask(&directory, DirectoryCall::GoAway), DirectoryAnswer::Taken(false));
}

#[test]
fn deliveries_of_shards_and_directory_are_one_list() {
    let directory = ScriptedHost::new(&Sqlite::in_memory()).start();
    let _ = ask(&directory, change(2));
    let _ = ask(&directory, DirectoryCall::KeepDelivery(r#"{"time":2,"event":"validate"}"#.to_owned()));
    *directory.host().loads.borrow_mut() = vec![Some(r#"[{"time":3,"event":"a"}]"#), Some("[]")];
    let shown = r#"{"deliveries":[{"time":"1970-01-01T00:00:00.003Z","event":"a"},{"time":"1970-01-01T00:00:00.002Z","event":"validate"}]}"#;
    assert_eq!(ask(&directory, DirectoryCall::Deliveries), DirectoryAnswer::Text(shown.to_owned()));
    *directory.host().loads.borrow_mut() = vec![None, Some("[]")];
    assert_eq!(ask(&directory, DirectoryCall::Deliveries), DirectoryAnswer::Taken(false));
}

#[test]
fn settings_that_cannot_be_read_are_logged() {
    let database = Sqlite::in_memory();
    let directory = ScriptedHost::new(&database).start();
    let _ = ask(&directory, change(2));
    database.run("UPDATE fact SET value = '[]' WHERE name = 'settings'", &[]).unwrap();
    let directory = ScriptedHost::new(&database).start();
    assert_eq!(view(&directory).settings, None);
    assert!(matches!(database.take_unreadable()[..], [Unreadable::Settings(_)]));
}
