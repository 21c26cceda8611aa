//! The directory of the hub, its host, and the Workers that ask it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::directory::Handler;
use webpubsub_service::{
    AnswerBody, Config, DirectoryAnswer, DirectoryCall, DirectoryDriver, DirectoryHost, EventHost, HubView,
    KnownHandlers, Objects, Request, ShardCall, ViewCache, parse_object_name,
};
use webpubsub_shard::{HubSettings, ShardMap};

use super::check::{broken, check};
use crate::now::now;
use crate::sqlite::{Sqlite, SqliteError};

/// How long a Worker caches a view.
pub(super) const MAP_TTL: Duration = Duration::from_secs(5);

/// A view on its way to a shard.
#[derive(Debug)]
pub(super) struct SentView {
    pub(super) to: usize,
    pub(super) view: HubView,
    answer: Answer,
}

/// What a shard has answered to a view: that it has failed, or how much it has still to do.
type Answer = Rc<RefCell<Option<Option<String>>>>;

impl SentView {
    /// The shard has answered, or has failed.
    pub(super) fn answer(self, answer: Option<String>) {
        *self.answer.borrow_mut() = Some(answer);
    }
}

type Running = Pin<Box<dyn Future<Output = Result<(), SqliteError>>>>;

/// The directory of the hub, and the Workers that ask it.
pub(super) struct SimulatedDirectory {
    hub: HubName,
    driver: Rc<DirectoryDriver<Host>>,
    config: Rc<Config>,
    host: Host,
    /// What it has begun and waits in for shards.
    running: Vec<Running>,
    map: ShardMap,
    /// What Workers know.
    caches: [ViewCache; 2],
}

/// What a directory's host and the world share.
#[derive(Clone)]
struct Host(Rc<Wires>);

struct Wires {
    now: Cell<Timestamp>,
    database: Sqlite,
    name: String,
    /// When it next delivers its view, if the shards change.
    alarm: Cell<Option<Timestamp>>,
    /// Whether the alarm was deleted.
    is_done: Cell<bool>,
    /// Views that are to be sent to the shards.
    views: RefCell<Vec<SentView>>,
}

impl fmt::Debug for SimulatedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedDirectory").field("map", &self.map).finish_non_exhaustive()
    }
}

impl SimulatedDirectory {
    pub(super) fn new(hub: HubName, shards: u16) -> Self {
        let config = Config::read(&|name| match name {
            "WEBPUBSUB_ACCESS_KEY" => Some("0123456789abcdef".repeat(2)),
            "SHARDS" => Some(shards.to_string()),
            _ => None,
        });
        let config = config.unwrap_or_else(|error| broken(format!("the configuration is invalid: {error}")));
        let host = Host(Rc::new(Wires {
            now: Cell::default(),
            database: Sqlite::in_memory(),
            name: hub.to_string(),
            alarm: Cell::default(),
            is_done: Cell::default(),
            views: RefCell::default(),
        }));
        let config = Rc::new(config);
        Self {
            hub,
            driver: start(&host, &config),
            config,
            host,
            running: Vec::new(),
            map: ShardMap::new(shards),
            caches: [const { ViewCache::new() }; 2],
        }
    }

    pub(super) const fn map(&self) -> &ShardMap {
        &self.map
    }

    /// When it next delivers its view, if the shards change.
    pub(super) fn alarm(&self) -> Option<Timestamp> {
        self.host.0.alarm.get()
    }

    /// What a Worker knows of the hub, which asks the directory if that is too old.
    pub(super) fn view(&mut self, worker: usize, now: Timestamp) -> ShardMap {
        let Self { hub, driver, caches, .. } = self;
        let cache = &mut caches[worker];
        cache.get(now, MAP_TTL, hub).unwrap_or_else(|| cache.put(now, hub, view(driver))).map
    }

    /// The hub is to have so many shards.
    pub(super) fn resize(&mut self, shards: u16) {
        let settings = HubSettings { shards: Some(shards), ..HubSettings::default() };
        let driver = Rc::clone(&self.driver);
        self.running.push(Box::pin(async move {
            driver.answer(DirectoryCall::ChangeSettings(Some(settings))).await.map(drop)
        }));
    }

    /// Its alarm fires.
    pub(super) fn wake(&mut self) {
        self.host.0.alarm.set(None);
        let driver = Rc::clone(&self.driver);
        self.running.push(Box::pin(async move { driver.alarm().await }));
    }

    /// Does what can be done by now. Returns the views that are sent to shards, and whether a change of the shards is
    /// over.
    pub(super) fn run(&mut self, now: Timestamp) -> (Vec<SentView>, bool) {
        self.host.0.now.set(now);
        self.running.retain_mut(|running| {
            match running.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => true,
                Poll::Ready(Ok(())) => false,
                Poll::Ready(Err(error)) => broken(format!("the directory fails: {error:?}")),
            }
        });
        // Its memory may be lost in between.
        let (kept, stored) = (view(&self.driver), view(&start(&self.host, &self.config)));
        check!(kept == stored, "the view {kept:?} is stored as {stored:?}");
        self.map = kept.map;
        (self.host.0.views.take(), self.host.0.is_done.replace(false))
    }
}

fn start(host: &Host, config: &Rc<Config>) -> Rc<DirectoryDriver<Host>> {
    let driver = DirectoryDriver::start(host.clone(), Rc::clone(config));
    Rc::new(driver.unwrap_or_else(|error| broken(format!("the directory does not start: {error:?}"))))
}

fn view(driver: &Rc<DirectoryDriver<Host>>) -> HubView {
    let Ok(DirectoryAnswer::Text(view)) = now(driver.answer(DirectoryCall::View)) else {
        broken("the directory gives no view")
    };
    HubView::decode(&view).unwrap_or_else(|| broken("a view cannot be read"))
}

impl DirectoryHost for Host {
    type Database = Sqlite;
    type Objects = Self;
    type Events<'a> = NoEvents;
    type Task = ();

    fn now(&self) -> Timestamp {
        self.0.now.get()
    }

    fn database(&self) -> Sqlite {
        self.0.database.clone()
    }

    fn name(&self) -> Option<String> {
        Some(self.0.name.clone())
    }

    fn set_alarm(&self, due: Option<Timestamp>) {
        self.0.alarm.set(due);
        self.0.is_done.set(due.is_none());
    }

    fn objects(&self) -> Result<&Self, SqliteError> {
        Ok(self)
    }

    fn events<'a>(&'a self, _: &'a HubName) -> NoEvents {
        broken("no handler of the simulation is validated")
    }

    fn start(&self, _: impl Future<Output = Option<bool>> + 'static) {
        broken("no handler of the simulation is validated")
    }

    async fn outcome((): ()) -> Option<bool> {
        broken("no handler of the simulation is validated")
    }

    fn log_failure(&self, what: &str, error: &SqliteError) {
        broken(format!("{what}: {error:?}"))
    }
}

impl Objects for Host {
    async fn ask_shards(&self, names: Vec<String>, call: ShardCall) -> Vec<Option<String>> {
        let ShardCall::View(view) = call else { broken("a directory only delivers its view") };
        let send = |name: String| {
            let shard = parse_object_name(&name).map(|(_, shard)| usize::from(shard.0));
            let to = shard.unwrap_or_else(|| broken(format!("{name} is no shard")));
            let answer = Answer::default();
            let sent = SentView { to, view: view.clone(), answer: Rc::clone(&answer) };
            self.0.views.borrow_mut().push(sent);
            answer
        };
        let answers: Vec<Answer> = names.into_iter().map(send).collect();
        let all = poll_fn(|_| {
            let all: Option<Vec<_>> = answers.iter().map(|answer| answer.borrow().clone()).collect();
            all.map_or(Poll::Pending, Poll::Ready)
        });
        all.await
    }

    /// The register takes every hub.
    async fn ask_directories(&self, names: Vec<String>, call: DirectoryCall) -> Vec<Option<String>> {
        check!(matches!(call, DirectoryCall::AddHub(_)), "the directory asks {names:?} for {call:?}");
        vec![Some(String::new()); names.len()]
    }
}

/// The way to event handlers, which no directory of the simulation needs.
enum NoEvents {}

impl EventHost for NoEvents {
    fn now(&self) -> Timestamp {
        match *self {}
    }

    fn with_known<T>(&self, _: impl FnOnce(&mut KnownHandlers) -> T) -> T {
        match *self {}
    }

    fn variable(&self, _: &str) -> Option<String> {
        match *self {}
    }

    fn decode(&self, _: &str, _: &[u8]) -> Option<String> {
        match *self {}
    }

    async fn validate(&self, _: Handler, _: Duration) -> String {
        match *self {}
    }

    async fn post(&self, _: &Request, _: Duration, _: &Rc<RefCell<AnswerBody>>) -> String {
        match *self {}
    }

    fn sleep(&self, _: Duration) -> impl Future {
        std::future::pending::<()>()
    }
}
