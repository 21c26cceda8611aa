//! What a Worker knows of a hub: asked of the hub's directory, and held for `MAP_TTL_MS`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use webpubsub_hub::{HubSettings, Loads, ShardMap};
use webpubsub_protocol::json::Members;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use worker::{Env, Error, Headers, Result};

use crate::config::Config;
use crate::hub_directory::internal;
use crate::objects::{Objects, Question};
use crate::perform::now;

/// How many hubs are held at most.
const MAX_HELD: usize = 1000;

/// A hub's shards and settings.
pub(crate) struct HubView {
    pub(crate) map: ShardMap,
    pub(crate) settings: HubSettings,
}

/// A view and its age.
#[derive(Clone)]
struct Held {
    since: Timestamp,
    view: Rc<HubView>,
    /// What the shards said of themselves, which outlives the view.
    loads: Rc<RefCell<Loads>>,
}

thread_local! {
    static HELD: RefCell<HashMap<HubName, Held>> = RefCell::default();
}

impl HubView {
    /// What is known of a hub, no older than `MAP_TTL_MS`.
    pub(crate) async fn of(env: &Env, config: &Config, hub: &HubName) -> Result<Rc<Self>> {
        let held = HELD.with_borrow(|held| held.get(hub).cloned());
        if let Some(Held { since, view, .. }) = held
            && now() < since.after(config.map_ttl)
        {
            return Ok(view);
        }
        // The answer is as old as the question: the map may change while it is on its way.
        let since = now();
        let view = Rc::new(Self::ask(env, hub).await?);
        let loads = Self::loads(hub);
        HELD.with_borrow_mut(|held| {
            if held.len() >= MAX_HELD {
                held.clear();
            }
            held.insert(hub.clone(), Held { since, view: Rc::clone(&view), loads });
        });
        Ok(view)
    }

    /// What is known of how full a hub's shards are; nothing where nothing is held of the hub.
    pub(crate) fn loads(hub: &HubName) -> Rc<RefCell<Loads>> {
        HELD.with_borrow(|held| held.get(hub).map(|held| Rc::clone(&held.loads)).unwrap_or_default())
    }

    /// Holds nothing of a hub any more.
    pub(crate) fn forget(hub: &HubName) {
        HELD.with_borrow_mut(|held| held.remove(hub));
    }

    async fn ask(env: &Env, hub: &HubName) -> Result<Self> {
        let headers = Headers::new();
        let body = JsValue::UNDEFINED;
        let question = Question { path: internal::VIEW, method: "GET", headers: &headers.0, body };
        let text = match Objects::directories(env)?.ask(vec![hub.to_string()], question).await?.pop() {
            Some(mut answer) if answer.status_code() == 200 => answer.text().await?,
            Some(_) | None => String::new(),
        };
        Self::decode(&text).ok_or_else(|| Error::RustError("the directory gave no view".to_owned()))
    }

    /// Reads what the directory writes.
    fn decode(text: &str) -> Option<Self> {
        let view = Members::parse(text)?;
        let map = ShardMap::decode(view.get("map")?.as_str())?;
        Some(Self { map, settings: HubSettings::parse(view.get("settings")?.as_str()).ok()? })
    }
}
