//! The Durable Object of one hub: its settings, how many shards it has, and what its event handlers
//! said in their handshakes. One more, the register, has the names of all hubs.
#![expect(missing_docs, clippy::missing_errors_doc, reason = "the platform calls the handlers")]

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::json::{Json, Members};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::{Config, HubView, shard_names};
use webpubsub_shard::{HubSettings, ShardMap};
use worker::web_sys::{Request, Response};
use worker::{Env, SqlStorageValue};

use crate::event_handler::Handshake;
use crate::objects::Objects;
use crate::perform::now;
use crate::platform::{Error, Result, State, delete_alarm, object_name as name_of, set_alarm};
use crate::storage::{Tables, Value, integer, number, stored_settings};
use crate::task::{run, run_later, settled};
use crate::{config, http, hub_shard, log};

/// What the Worker asks a directory.
pub(crate) mod internal {
    /// The hub's shards and settings.
    pub(crate) const VIEW: &str = "/view";
    /// POST settings, the body, or `null` for what the variables say; answered [`TAKEN`].
    pub(crate) const SETTINGS: &str = "/settings";
    /// Every shard has done it.
    pub(crate) const TAKEN: &str = "taken";
    /// Whether the handshake with an event handler, the body, has taken place: 204 or 403.
    pub(crate) const VALIDATION: &str = "/validation";
    /// GET what became of attempts to tell event handlers something, or POST one, the body.
    pub(crate) const DELIVERIES: &str = "/deliveries";
    /// POST: have every shard close its sockets, since the service is about to stop; answered [`TAKEN`].
    pub(crate) const GO_AWAY: &str = "/goAway";
    /// Of the register: GET all hubs, a line each after an empty one, or POST one, the body.
    pub(crate) const HUBS: &str = "/hubs";
    /// The register's name, which no hub has.
    pub(crate) const REGISTER: &str = "*";
}

/// The layout of the tables below. A higher number in the database means that a later version
/// wrote it.
const SCHEMA_VERSION: u64 = 2;

const SCHEMA: &str = "
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE hub (name TEXT PRIMARY KEY);
";

/// What is beside these since version 2.
const VALIDATION_SCHEMA: &str = "
CREATE TABLE validation (
  url TEXT NOT NULL,
  origin TEXT NOT NULL,
  allowed INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  due INTEGER NOT NULL,
  PRIMARY KEY (url, origin)
);
";

/// What is kept of a hub: its settings, if they were changed over the API,
const SETTINGS: &str = "settings";
/// when they were changed last,
const SINCE: &str = "since";
/// and its shards, if their number was ever changed.
const MAP: &str = "map";

/// How much longer than `MAP_TTL_MS` each step of a change of the shards waits for the one before, for
/// answers with the old map that are still on their way, and how often the shards are told and asked
/// meanwhile: as long again, within these.
const MARGIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// One hub.
#[wasm_bindgen]
pub struct HubDirectory {
    directory: std::result::Result<Rc<Directory>, String>,
}

struct Directory {
    state: State,
    env: Env,
    config: Rc<Config>,
    /// Made with the first thing that is kept: whoever asks for a hub that nobody uses leaves no
    /// trace.
    tables: OnceCell<Tables>,
    /// The validations of URLs for an origin that are under way.
    validations: RefCell<Vec<([String; 2], Promise)>>,
}

#[wasm_bindgen]
impl HubDirectory {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let directory = Directory::start(state, env).map(Rc::new).map_err(|error| {
            log::failure("starting a directory", &error);
            error.to_string()
        });
        Self { directory }
    }

    pub fn fetch(&self, request: Request) -> std::result::Result<JsValue, JsValue> {
        let directory = self.directory.as_ref().ok().map(Rc::clone);
        run(async move {
            let answer = match directory {
                Some(directory) => directory.fetch(&request).await,
                None => http::text(500, ""),
            };
            Ok(answer?.into())
        })
    }

    pub fn alarm(&self) -> std::result::Result<JsValue, JsValue> {
        let directory = self.directory.as_ref().ok().map(Rc::clone);
        run(async move {
            if let Some(directory) = directory {
                directory.advance().await?;
            }
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl Directory {
    fn start(state: State, env: Env) -> Result<Self> {
        let config = config::of(&env).map_err(Error::new)?;
        let (tables, validations) = (OnceCell::new(), RefCell::default());
        let directory = Self { state, env, config, tables, validations };
        if Tables::exist(&directory.state)? {
            directory.tables()?;
        }
        Ok(directory)
    }

    /// The tables, made if there are none.
    fn tables(&self) -> Result<&Tables> {
        if let Some(tables) = self.tables.get() {
            return Ok(tables);
        }
        let (tables, version) = Tables::open(&self.state, SCHEMA_VERSION)?;
        if version.is_none() {
            tables.run(SCHEMA, &[])?;
        }
        if version != Some(SCHEMA_VERSION) {
            tables.run(VALIDATION_SCHEMA, &[])?;
        }
        Ok(self.tables.get_or_init(|| tables))
    }

    async fn fetch(self: &Rc<Self>, request: &Request) -> Result<Response> {
        let (method, url) = (request.method(), request.url());
        let path = RequestUrl::split(&url).map_or("", |url| url.path);
        match (method.as_str(), path) {
            ("GET", internal::VIEW) => http::text(200, &self.view()?.encode()),
            ("POST", internal::SETTINGS) => {
                let settings = http::body_text(request.text()).await?;
                self.set(SETTINGS, &settings)?;
                register(&self.env, self.tables()?, &self.hub()?).await;
                let answer = self.change().await;
                // What is not in the register is closed to callers without a token.
                if self.tables()?.is_registered()? { answer } else { http::text(200, "") }
            }
            ("POST", internal::VALIDATION) => {
                let asked = http::body_text(request.text()).await?;
                let asked = Members::parse(&asked).unwrap_or_default();
                let text = |name| asked.get(name).and_then(Json::text).unwrap_or_default().into_owned();
                let is_allowed = self.is_allowed(text("url"), text("origin")).await?;
                http::text(if is_allowed { 204 } else { 403 }, "")
            }
            ("POST", internal::DELIVERIES) => {
                let delivery = http::body_text(request.text()).await?;
                self.tables()?.keep_delivery(&delivery)?;
                http::text(204, "")
            }
            ("GET", internal::DELIVERIES) => match self.tables.get() {
                Some(tables) => http::text(200, &tables.deliveries()?),
                None => http::text(200, "[]"),
            },
            ("POST", internal::GO_AWAY) => {
                let names = shard_names(&self.hub()?, &self.map()?);
                let path = hub_shard::internal::GO_AWAY;
                let answers = Objects::shards(&self.env)?.ask_texts(names, path, Some("")).await?;
                http::text(200, if all_taken(&answers) { internal::TAKEN } else { "" })
            }
            ("POST", internal::HUBS) => {
                let name = http::body_text(request.text()).await?;
                self.tables()?.run("INSERT OR IGNORE INTO hub VALUES (?)", &[Value::Text(&name)])?;
                http::text(204, "")
            }
            ("GET", internal::HUBS) => {
                let names = match self.tables.get() {
                    Some(tables) => tables.texts("SELECT name FROM hub ORDER BY name", &[])?,
                    None => Vec::new(),
                };
                http::text(200, &["\n", &names.join("\n")].concat())
            }
            _ => http::text(404, ""),
        }
    }

    fn hub(&self) -> Result<HubName> {
        let name = match self.tables.get() {
            Some(tables) => tables.name.clone(),
            None => name_of(&self.state).unwrap_or_default(),
        };
        HubName::parse(&name).map_err(Error::new)
    }

    fn get(&self, name: &str) -> Result<Option<String>> {
        let Some(tables) = self.tables.get() else { return Ok(None) };
        Ok(tables.texts("SELECT value FROM fact WHERE name = ?", &[name.into()])?.pop())
    }

    fn set(&self, name: &str, value: &str) -> Result<()> {
        self.tables()?.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", &[name.into(), value.into()])
    }

    /// What was set over the API.
    fn settings(&self) -> Result<Option<HubSettings>> {
        // `null` where they were taken back.
        let settings = self.get(SETTINGS)?.filter(|settings| settings != "null");
        Ok(settings.and_then(|settings| stored_settings(&settings)))
    }

    fn map(&self) -> Result<ShardMap> {
        match self.get(MAP)?.as_deref().and_then(ShardMap::decode) {
            Some(map) => Ok(map),
            None => Ok(ShardMap::new(self.config.shards_of(&self.hub()?))),
        }
    }

    fn view(&self) -> Result<HubView> {
        Ok(HubView { map: self.map()?, settings: self.settings()?, since: self.since()? })
    }

    /// When the settings were changed last, as what orders the changes.
    fn since(&self) -> Result<u64> {
        Ok(self.get(SINCE)?.and_then(|since| since.parse().ok()).unwrap_or(0))
    }

    /// Begins to have as many shards as the settings say, and has the shards know these.
    async fn change(&self) -> Result<Response> {
        let since = now().as_millis().max(self.since()? + 1);
        self.set(SINCE, &since.to_string())?;
        let shards = self.settings()?.and_then(|settings| settings.shards);
        let mut map = self.map()?;
        map.resize(now(), shards.unwrap_or(self.config.shards_of(&self.hub()?)));
        if !map.is_settled() {
            self.set(MAP, &map.encode())?;
        }
        http::text(200, if self.advance().await? { internal::TAKEN } else { "" })
    }

    /// Tells every shard what the shards and the settings are, and takes the next step when all know.
    /// Returns whether they do.
    async fn advance(&self) -> Result<bool> {
        let (hub, view) = (self.hub()?, self.view()?);
        let map = view.map;
        // Whatever goes wrong below is tried again.
        self.advance_soon(&map);
        let names = shard_names(&hub, &map);
        let (path, view_text) = (hub_shard::internal::VIEW, view.encode());
        let loads = Objects::shards(&self.env)?.ask_texts(names, path, Some(&view_text)).await?;
        let loads: Vec<u64> = loads.iter().filter_map(|load| load.parse().ok()).collect();
        if loads.len() != usize::from(map.reached) {
            return Ok(false);
        }
        // They may have been changed meanwhile.
        let mut next = self.map()?;
        if next.version != map.version || self.since()? != view.since {
            return Ok(true);
        }
        next.advance(now(), self.config.map_ttl + self.margin(), &loads);
        if next.version != map.version {
            self.set(MAP, &next.encode())?;
            self.advance_soon(&next);
        } else if next.is_settled() {
            delete_alarm(&self.state);
        }
        Ok(true)
    }

    /// Whether an event handler wants events of this service: by the last validation of its URL, or by
    /// the first if there has been none yet. One that is due takes place meanwhile.
    async fn is_allowed(self: &Rc<Self>, url: String, origin: String) -> Result<bool> {
        let known = self.validation(&url, &origin)?;
        match known {
            Some(Validation { allowed, due, .. }) => {
                if due <= now() {
                    // Nothing waits for it.
                    let _ = self.validate(url, origin, known);
                }
                Ok(allowed)
            }
            None => {
                let allowed = settled(self.validate(url, origin, known)).await?.as_bool();
                allowed.ok_or_else(|| Error::new("a validation failed"))
            }
        }
    }

    /// Validates a URL, or goes on with what is under way. Resolves with whether it wants events.
    fn validate(self: &Rc<Self>, url: String, origin: String, known: Option<Validation>) -> Promise {
        let key = [url, origin];
        let mut under_way = self.validations.borrow_mut();
        if let Some((_, promise)) = under_way.iter().find(|(other, _)| *other == key) {
            return promise.clone();
        }
        let (this, [url, origin]) = (Rc::clone(self), key.clone());
        let promise = run_later(async move {
            let allowed = this.shake_hands(&url, &origin, known).await;
            this.validations.borrow_mut().retain(|(other, _)| *other != [&*url, &*origin]);
            Ok(allowed.map_or_else(
                |error| {
                    log::failure("keeping a handshake", &error);
                    JsValue::UNDEFINED
                },
                JsValue::from,
            ))
        });
        self.state.wait_for(&promise);
        under_way.push((key, promise.clone()));
        promise
    }

    async fn shake_hands(&self, url: &str, origin: &str, known: Option<Validation>) -> Result<bool> {
        let policy = self.config.policy(&self.hub()?, HubSettings::default());
        let tables = self.tables()?;
        let keep = |delivery: &str| {
            if let Err(error) = tables.keep_delivery(delivery) {
                log::failure("keeping a delivery", &error);
            }
        };
        let allowed = Handshake::persist(url, origin, &policy, keep).await.is_ok();
        let next = Validation::next(known, now(), allowed);
        let statements = "
            DELETE FROM validation WHERE rowid NOT IN (SELECT rowid FROM validation ORDER BY due DESC LIMIT 99);
            INSERT OR REPLACE INTO validation VALUES (?, ?, ?, ?, ?)";
        let (is_allowed, failures) = (integer(allowed), integer(next.failures));
        let values = [url.into(), origin.into(), is_allowed, failures, integer(next.due.as_millis())];
        tables.run(statements, &values)?;
        Ok(allowed)
    }

    /// What is known of a handshake.
    fn validation(&self, url: &str, origin: &str) -> Result<Option<Validation>> {
        let Some(tables) = self.tables.get() else { return Ok(None) };
        let found = tables.find(
            "SELECT allowed, failures, due FROM validation WHERE url = ? AND origin = ?",
            &[url.into(), origin.into()],
        )?;
        Ok(found.as_deref().and_then(validation))
    }

    fn advance_soon(&self, map: &ShardMap) {
        let now = now();
        set_alarm(&self.state, now.after(map.pause(now, self.margin())).as_millis() as f64);
    }

    fn margin(&self) -> Duration {
        let [least, most] = MARGIN;
        self.config.map_ttl.clamp(least, most)
    }
}

/// Whether all of these answered [`internal::TAKEN`].
pub(crate) fn all_taken(answers: &[String]) -> bool {
    answers.iter().all(|answer| answer == internal::TAKEN)
}

fn validation(row: &[SqlStorageValue]) -> Option<Validation> {
    let [allowed, failures, due] = row else { return None };
    Some(Validation {
        allowed: number(allowed)? != 0,
        failures: u32::try_from(number(failures)?).ok()?,
        due: Timestamp::from_millis(number(due)?),
    })
}

/// Has the register know a hub, unless these tables say that it does. What fails is logged, and tried
/// again by whoever calls this next.
pub(crate) async fn register(env: &Env, tables: &Tables, hub: &HubName) {
    let register = async {
        if tables.is_registered()? {
            return Ok(());
        }
        let register = vec![internal::REGISTER.to_owned()];
        Objects::directories(env)?.ask_texts(register, internal::HUBS, Some(hub.as_str())).await?;
        tables.set_registered()
    };
    let registered: Result<()> = register.await;
    if let Err(error) = registered {
        log::failure("registering a hub", &error);
    }
}
