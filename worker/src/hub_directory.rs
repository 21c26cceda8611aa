//! The Durable Object of one hub: its settings, how many shards it has, and what its event handlers
//! said in their handshakes. One more, the register, has the names of all hubs.
#![expect(missing_docs, reason = "the handlers that the macro exports have none")]

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use webpubsub_hub::{HubSettings, ShardMap, ShardNumber};
use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::json::{Json, Members};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use worker::wasm_bindgen_futures::{JsFuture, future_to_promise};
use worker::{
    DurableObject, Env, Error, Headers, Request, Response, Result, SqlStorageValue, State, durable_object,
};

use crate::config::{Config, object_name};
use crate::objects::{Objects, Question};
use crate::perform::{delete_alarm, now, set_alarm};
use crate::storage::{Tables, integer, number, text};
use crate::view::HubView;
use crate::{event_handler, http, hub_shard, log};

/// What the Worker asks a directory.
pub(crate) mod internal {
    /// The hub's shards and settings.
    pub(crate) const VIEW: &str = "/view";
    /// PUT settings, the body, or DELETE them.
    pub(crate) const SETTINGS: &str = "/settings";
    /// Whether the handshake with an event handler, the body, has taken place: 204 or 403.
    pub(crate) const VALIDATION: &str = "/validation";
    /// GET what became of attempts to tell event handlers something, or POST one, the body.
    pub(crate) const DELIVERIES: &str = "/deliveries";
    /// Of the register: GET all hubs, or POST one, the body.
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

/// How many handshakes may be under way at once.
const MAX_HANDSHAKES: usize = 50;

/// How much longer than `MAP_TTL_MS` each step of a change of the shards waits for the one before:
/// for answers with the old map that are still on their way.
const MARGIN: Duration = Duration::from_secs(1);
/// How often the shards are told and asked while they change.
const PACE: Duration = Duration::from_secs(1);

/// One hub.
#[durable_object(alarm)]
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
    /// The handshakes that are under way, by URL and origin.
    handshakes: RefCell<Vec<(String, Promise)>>,
}

impl DurableObject for HubDirectory {
    fn new(state: State, env: Env) -> Self {
        let directory = Directory::start(state, env).map(Rc::new).map_err(|error| {
            log::failure("starting a directory", &error);
            error.to_string()
        });
        Self { directory }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match &self.directory {
            Ok(directory) => directory.fetch(request).await,
            Err(_) => http::text(500, ""),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        if let Ok(directory) = &self.directory {
            directory.advance().await?;
        }
        Response::empty()
    }
}

impl Directory {
    fn start(state: State, env: Env) -> Result<Self> {
        let config = Config::of(&env).map_err(|error| Error::RustError(error.to_string()))?;
        let (tables, handshakes) = (OnceCell::new(), RefCell::default());
        let directory = Self { state, env, config, tables, handshakes };
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
            tables.run(SCHEMA, vec![])?;
        }
        if version != Some(SCHEMA_VERSION) {
            tables.run(VALIDATION_SCHEMA, vec![])?;
        }
        Ok(self.tables.get_or_init(|| tables))
    }

    async fn fetch(self: &Rc<Self>, mut request: Request) -> Result<Response> {
        let (method, path) = (request.inner().method(), request.path());
        match (method.as_str(), path.as_str()) {
            ("GET", internal::VIEW) => http::text(200, &self.view()?.encode()),
            ("PUT", internal::SETTINGS) => {
                let settings = request.text().await?;
                self.set(SETTINGS, &settings)?;
                register(&self.env, self.tables()?, &self.hub()?).await;
                self.change().await
            }
            ("DELETE", internal::SETTINGS) => {
                self.tables()?.run("DELETE FROM fact WHERE name = ?", vec![SETTINGS.into()])?;
                self.change().await
            }
            ("POST", internal::VALIDATION) => {
                let asked = request.text().await?;
                let asked = Members::parse(&asked).unwrap_or_default();
                let text = |name| asked.get(name).and_then(Json::text);
                let limit = asked.get("limit").and_then(Json::unsigned).map(Duration::from_millis);
                let (Some(url), Some(origin), Some(limit)) = (text("url"), text("origin"), limit) else {
                    return http::text(400, "Not a handshake.");
                };
                http::text(if self.is_allowed(&url, &origin, limit).await? { 204 } else { 403 }, "")
            }
            ("POST", internal::DELIVERIES) => {
                let delivery = request.text().await?;
                self.tables()?.keep_delivery(&delivery)?;
                http::text(204, "")
            }
            ("GET", internal::DELIVERIES) => match self.tables.get() {
                Some(tables) => http::text(200, &tables.deliveries()?),
                None => http::text(200, "[]"),
            },
            ("POST", internal::HUBS) => {
                let name = request.text().await?;
                self.tables()?.run("INSERT OR IGNORE INTO hub VALUES (?)", vec![name.into()])?;
                http::text(204, "")
            }
            ("GET", internal::HUBS) => {
                let read = |row: &[SqlStorageValue]| text(row.first()?).map(str::to_owned);
                http::text(200, &self.tables()?.rows("SELECT name FROM hub ORDER BY name", read)?.join("\n"))
            }
            _ => http::text(404, ""),
        }
    }

    fn hub(&self) -> Result<HubName> {
        let name = match self.tables.get() {
            Some(tables) => tables.name.clone(),
            None => self.state.id().name().unwrap_or_default(),
        };
        HubName::parse(&name).map_err(|error| Error::RustError(error.to_string()))
    }

    fn get(&self, wanted: &str) -> Result<Option<String>> {
        let read = |row: &[SqlStorageValue]| match row {
            [name, value] => Some((text(name)?.to_owned(), text(value)?.to_owned())),
            _ => None,
        };
        let Some(tables) = self.tables.get() else { return Ok(None) };
        let facts = tables.rows("SELECT name, value FROM fact", read)?;
        Ok(facts.into_iter().find(|(name, _)| name == wanted).map(|(_, value)| value))
    }

    fn set(&self, name: &str, value: &str) -> Result<()> {
        self.tables()?.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", vec![name.into(), value.into()])
    }

    /// What was set over the API.
    fn settings(&self) -> Result<Option<HubSettings>> {
        Ok(self.get(SETTINGS)?.and_then(|settings| HubSettings::parse(&settings).ok()))
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
        http::text(if self.advance().await? { 204 } else { 503 }, "")
    }

    /// Tells every shard what the shards and the settings are, and takes the next step when all know.
    /// Returns whether they do.
    async fn advance(&self) -> Result<bool> {
        // Whatever goes wrong below is tried again.
        self.advance_soon();
        let (hub, view) = (self.hub()?, self.view()?);
        let map = view.map;
        let names = (0..map.reached).map(|shard| object_name(&hub, ShardNumber(shard))).collect();
        let headers = Headers::new();
        let body = JsValue::from_str(&view.encode());
        let path = hub_shard::internal::VIEW;
        let question = Question { path, method: "POST", headers: &headers.0, body };
        let mut loads = Vec::new();
        for mut answer in Objects::shards(&self.env)?.ask(names, question).await? {
            loads.extend(answer.text().await?.parse::<u64>().ok());
        }
        if loads.len() != usize::from(map.reached) {
            return Ok(false);
        }
        // They may have been changed meanwhile.
        let mut next = self.map()?;
        if next.version != map.version || self.since()? != view.since {
            return Ok(true);
        }
        next.advance(now(), self.config.map_ttl + MARGIN, &loads);
        if next.version != map.version {
            self.set(MAP, &next.encode())?;
        } else if next.is_settled() {
            delete_alarm(self.state.as_raw().as_ref());
        }
        Ok(true)
    }

    /// Whether an event handler wants events of this service: by the last handshake with it, or by
    /// the first if there has been none yet. One that is due takes place meanwhile.
    async fn is_allowed(self: &Rc<Self>, url: &str, origin: &str, limit: Duration) -> Result<bool> {
        let known = self.validation(url, origin)?;
        let key = [origin, " ", url].concat();
        let under_way =
            self.handshakes.borrow().iter().find(|(of, _)| *of == key).map(|(_, ends)| ends.clone());
        let is_due = known.is_none_or(|known| known.due <= now());
        let ends = match under_way {
            Some(ends) => Some(ends),
            None if is_due && self.handshakes.borrow().len() < MAX_HANDSHAKES => {
                let (this, url, origin) = (Rc::clone(self), url.to_owned(), origin.to_owned());
                let of = key.clone();
                let ends = future_to_promise(async move {
                    if let Err(error) = this.shake_hands(&url, &origin, limit, known).await {
                        log::failure("keeping a handshake", &error);
                    }
                    this.handshakes.borrow_mut().retain(|(known, _)| *known != of);
                    Ok(JsValue::UNDEFINED)
                });
                self.handshakes.borrow_mut().push((key, ends.clone()));
                Some(ends)
            }
            None => None,
        };
        match (known, ends) {
            (Some(known), _) => Ok(known.allowed),
            (None, Some(ends)) => {
                JsFuture::from(ends).await?;
                Ok(self.validation(url, origin)?.is_some_and(|known| known.allowed))
            }
            (None, None) => Ok(false),
        }
    }

    async fn shake_hands(
        &self,
        url: &str,
        origin: &str,
        limit: Duration,
        known: Option<Validation>,
    ) -> Result<()> {
        let handshake = event_handler::handshake(url, origin, limit, &self.config).await;
        let tables = self.tables()?;
        for delivery in handshake.deliveries {
            tables.keep_delivery(&delivery)?;
        }
        let next = Validation::next(known, now(), handshake.allowed);
        let statements = "
            DELETE FROM validation WHERE rowid NOT IN (SELECT rowid FROM validation ORDER BY due DESC LIMIT 99);
            INSERT OR REPLACE INTO validation VALUES (?, ?, ?, ?, ?)";
        let (allowed, failures) = (integer(next.allowed), integer(next.failures));
        tables.run(
            statements,
            vec![url.into(), origin.into(), allowed, failures, integer(next.due.as_millis())],
        )
    }

    /// What is known of a handshake.
    fn validation(&self, url: &str, origin: &str) -> Result<Option<Validation>> {
        let Some(tables) = self.tables.get() else { return Ok(None) };
        let found = tables.find(
            "SELECT allowed, failures, due FROM validation WHERE url = ? AND origin = ?",
            vec![url.into(), origin.into()],
        )?;
        Ok(found.as_deref().and_then(validation))
    }

    fn advance_soon(&self) {
        set_alarm(self.state.as_raw().as_ref(), now().after(PACE).as_millis() as f64);
    }
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
        let headers = Headers::new();
        let body = JsValue::from_str(hub.as_str());
        let question = Question { path: internal::HUBS, method: "POST", headers: &headers.0, body };
        Objects::directories(env)?.ask(vec![internal::REGISTER.to_owned()], question).await?;
        tables.set_registered()
    };
    let registered: Result<()> = register.await;
    if let Err(error) = registered {
        log::failure("registering a hub", &error);
    }
}
