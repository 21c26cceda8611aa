//! The Durable Object of one hub: its settings, and how many shards it has. One more, the register,
//! has the names of all hubs.
#![expect(missing_docs, reason = "the handlers that the macro exports have none")]

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_hub::{HubSettings, ShardMap, ShardNumber};
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::HubName;
use worker::{
    DurableObject, Env, Error, Headers, Request, Response, Result, SqlStorageValue, State, durable_object,
};

use crate::config::{Config, object_name};
use crate::objects::{Objects, Question};
use crate::perform::{now, set_alarm};
use crate::storage::{Tables, text};
use crate::{http, hub_shard, log};

/// What the Worker asks a directory.
pub(crate) mod internal {
    /// The hub's shards and settings.
    pub(crate) const VIEW: &str = "/view";
    /// PUT settings, the body, or DELETE them.
    pub(crate) const SETTINGS: &str = "/settings";
    /// Of the register: GET all hubs, or POST one, the body.
    pub(crate) const HUBS: &str = "/hubs";
    /// The register's name, which no hub has.
    pub(crate) const REGISTER: &str = "*";
}

/// The layout of the tables below. A higher number in the database means that a later version
/// wrote it.
const SCHEMA_VERSION: u64 = 1;

const SCHEMA: &str = "
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE hub (name TEXT PRIMARY KEY);
";

/// What is kept of a hub: its settings, if they were changed over the API,
const SETTINGS: &str = "settings";
/// and its shards, if their number was ever changed.
const MAP: &str = "map";

/// How much longer than `MAP_TTL_MS` each step of a change of the shards waits for the one before, for
/// answers with the old map that are still on their way, and how often the shards are told and asked
/// meanwhile: as long again, within these.
const MARGIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

#[wasm_bindgen(inline_js = r#"
export function deleteAlarm(state) {
  state.storage.deleteAlarm();
}
"#)]
extern "C" {
    #[wasm_bindgen(js_name = deleteAlarm)]
    fn delete_alarm(state: &JsValue);
}

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
        let directory = Self { state, env, config, tables: OnceCell::new() };
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
        Ok(self.tables.get_or_init(|| tables))
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let (method, path) = (request.inner().method(), request.path());
        match (method.as_str(), path.as_str()) {
            ("GET", internal::VIEW) => http::text(200, &self.view()?),
            ("PUT", internal::SETTINGS) => {
                let settings = request.text().await?;
                self.set(SETTINGS, &settings)?;
                register(&self.env, self.tables()?, &self.hub()?).await;
                self.resize()
            }
            ("DELETE", internal::SETTINGS) => {
                self.tables()?.run("DELETE FROM fact WHERE name = ?", vec![SETTINGS.into()])?;
                self.resize()
            }
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

    /// What was set over the API, else what the variables say.
    fn settings(&self) -> Result<HubSettings> {
        match self.get(SETTINGS)?.as_deref().map(HubSettings::parse) {
            Some(Ok(settings)) => Ok(settings),
            Some(Err(_)) | None => Ok(self.config.settings.of(&self.hub()?)),
        }
    }

    fn map(&self) -> Result<ShardMap> {
        match self.get(MAP)?.as_deref().and_then(ShardMap::decode) {
            Some(map) => Ok(map),
            None => Ok(ShardMap::new(self.config.shards_of(&self.hub()?))),
        }
    }

    fn view(&self) -> Result<String> {
        let mut view = Writer::object();
        view.json(MAP, &self.map()?.encode()).json(SETTINGS, &self.settings()?.encode());
        Ok(view.finish())
    }

    /// Begins to have as many shards as the settings say.
    fn resize(&self) -> Result<Response> {
        let shards = self.settings()?.shards.unwrap_or(self.config.shards_of(&self.hub()?));
        let mut map = self.map()?;
        map.resize(now(), shards);
        if !map.is_settled() {
            self.set(MAP, &map.encode())?;
            self.advance_soon();
        }
        http::text(204, "")
    }

    /// Tells every shard what the shards are, and takes the next step when all know.
    async fn advance(&self) -> Result<()> {
        // Whatever goes wrong below is tried again.
        self.advance_soon();
        let (hub, map) = (self.hub()?, self.map()?);
        let names = (0..map.reached).map(|shard| object_name(&hub, ShardNumber(shard))).collect();
        let headers = Headers::new();
        let body = JsValue::from_str(&map.encode());
        let path = hub_shard::internal::MAP;
        let question = Question { path, method: "POST", headers: &headers.0, body };
        let mut loads = Vec::new();
        for mut answer in Objects::shards(&self.env)?.ask(names, question).await? {
            loads.extend(answer.text().await?.parse::<u64>().ok());
        }
        // It may have been changed meanwhile.
        let mut next = self.map()?;
        if next.version != map.version || loads.len() != usize::from(map.reached) {
            return Ok(());
        }
        next.advance(now(), self.config.map_ttl + self.margin(), &loads);
        if next.version != map.version {
            self.set(MAP, &next.encode())?;
        } else if next.is_settled() {
            delete_alarm(self.state.as_raw().as_ref());
        }
        Ok(())
    }

    fn advance_soon(&self) {
        set_alarm(self.state.as_raw().as_ref(), now().after(self.margin()).as_millis() as f64);
    }

    fn margin(&self) -> Duration {
        let [least, most] = MARGIN;
        self.config.map_ttl.clamp(least, most)
    }
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
