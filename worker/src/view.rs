//! What a Worker knows of a hub: asked of the hub's directory, and held for `MAP_TTL_MS`.

use std::cell::RefCell;
use std::rc::Rc;

use webpubsub_protocol::json::{Members, Writer};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::Config;
use webpubsub_shard::{AnonymousConnectPolicy, HubSettings, Loads, ShardMap};
use worker::Env;

use crate::hub_directory::internal;
use crate::objects::Objects;
use crate::perform::now;
use crate::platform::{Error, Result};

/// How many hubs are held at most.
const MAX_HELD: usize = 1000;

/// A hub's shards and settings.
pub(crate) struct HubView {
    pub(crate) map: ShardMap,
    /// `None` for what the variables say.
    pub(crate) settings: Option<HubSettings>,
    /// When the settings were changed last.
    pub(crate) since: u64,
}

/// What the shards of a hub said of themselves, which outlives the view.
pub(crate) type SharedLoads = Rc<RefCell<Loads>>;

thread_local! {
    static HELD: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
    static USED: RefCell<Option<(Timestamp, Rc<str>)>> = const { RefCell::new(None) };
}

/// What is held of a hub, and since when.
type Held = (HubName, Timestamp, Rc<HubView>, SharedLoads);

impl HubView {
    /// What is known of a hub, no older than `MAP_TTL_MS`.
    pub(crate) async fn of(env: &Env, config: &Config, hub: &HubName) -> Result<Rc<Self>> {
        let held = HELD.with_borrow(|held| held.iter().find(|(name, ..)| name == hub).cloned());
        if let Some((_, since, view, _)) = held
            && now() < since.after(config.map_ttl)
        {
            return Ok(view);
        }
        // The answer is as old as the question: the map may change while it is on its way.
        let since = now();
        let view = Rc::new(Self::ask(env, hub).await?);
        let loads = Self::loads(hub);
        HELD.with_borrow_mut(|held| {
            held.retain(|(name, ..)| name != hub);
            if held.len() >= MAX_HELD {
                held.clear();
            }
            held.push((hub.clone(), since, Rc::clone(&view), loads));
        });
        Ok(view)
    }

    /// What is known of a hub for a caller without a token; `None` for a hub that has never been used
    /// and that the variables do not open to such callers. Its directory is not asked: an object that
    /// is asked for anything has a database from then on.
    pub(crate) async fn for_anyone(env: &Env, config: &Config, hub: &HubName) -> Result<Option<Rc<Self>>> {
        let is_open = config.settings.of(hub).anonymous_connect == AnonymousConnectPolicy::Allow;
        if is_open || Self::is_used(env, config, hub).await? {
            return Ok(Some(Self::of(env, config, hub).await?));
        }
        Ok(None)
    }

    /// Whether the register has a hub, by a list of its hubs that is no older than `MAP_TTL_MS`.
    async fn is_used(env: &Env, config: &Config, hub: &HubName) -> Result<bool> {
        let held = USED.with_borrow(Clone::clone);
        let hubs = match held {
            Some((since, hubs)) if now() < since.after(config.map_ttl) => hubs,
            Some(_) | None => {
                let since = now();
                let hubs: Rc<str> = used_hubs(env).await?.into();
                USED.set(Some((since, Rc::clone(&hubs))));
                hubs
            }
        };
        Ok(hubs.lines().any(|name| name == hub.as_str()))
    }

    /// What is known of how full a hub's shards are; nothing where nothing is held of the hub.
    pub(crate) fn loads(hub: &HubName) -> SharedLoads {
        HELD.with_borrow(|held| {
            held.iter().find(|(name, ..)| name == hub).map(|(.., loads)| Rc::clone(loads)).unwrap_or_default()
        })
    }

    /// Holds nothing of a hub any more, nor whether it is used.
    pub(crate) fn forget(hub: &HubName) {
        USED.set(None);
        HELD.with_borrow_mut(|held| held.retain(|(name, ..)| name != hub));
    }

    /// What the directory says.
    pub(crate) async fn ask(env: &Env, hub: &HubName) -> Result<Self> {
        let text = Objects::directories(env)?.ask_texts(vec![hub.to_string()], internal::VIEW, None).await?;
        Self::decode(&text.concat()).ok_or_else(|| Error::new("the directory gave no view"))
    }

    /// The settings that hold.
    pub(crate) fn settings(&self, config: &Config, hub: &HubName) -> HubSettings {
        self.settings.clone().unwrap_or_else(|| config.settings.of(hub))
    }

    /// Writes the view.
    pub(crate) fn encode(&self) -> String {
        let settings = self.settings.as_ref().map(HubSettings::encode);
        let mut view = Writer::object();
        view.json("map", &self.map.encode()).number("since", self.since);
        view.json("settings", settings.as_deref().unwrap_or("null"));
        view.finish()
    }

    /// Reads what [`HubView::encode`] wrote.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let view = Members::parse(text)?;
        let settings = view.get("settings")?;
        Some(Self {
            map: ShardMap::decode(view.get("map")?.as_str())?,
            settings: if settings.is_null() {
                None
            } else {
                Some(HubSettings::decode(settings.as_str()).ok()?)
            },
            since: view.get("since")?.unsigned()?,
        })
    }
}

/// The names of all hubs that were ever used, a line each after an empty one.
pub(crate) async fn used_hubs(env: &Env) -> Result<String> {
    let register = vec![internal::REGISTER.to_owned()];
    let hubs = Objects::directories(env)?.ask_texts(register, internal::HUBS, None).await?.concat();
    if hubs.is_empty() { Err(Error::new("the register gave no list")) } else { Ok(hubs) }
}
