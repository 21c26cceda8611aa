//! What a host knows of a hub: what its directory said last, cached for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use webpubsub_protocol::json::{Members, Writer};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{HubSettings, Loads, ShardMap};

use crate::config::Config;

/// The shards and settings of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubView {
    /// Its shards.
    pub map: ShardMap,
    /// Its settings, or `None` for what the configuration says.
    pub settings: Option<HubSettings>,
    /// When the settings were changed last, which orders the changes.
    pub since: u64,
}

impl HubView {
    /// The settings that hold.
    #[must_use]
    pub fn settings(&self, config: &Config, hub: &HubName) -> HubSettings {
        self.settings.clone().unwrap_or_else(|| config.settings.of(hub))
    }

    /// Writes the view as JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        let settings = self.settings.as_ref().map(HubSettings::encode);
        let mut view = Writer::object();
        view.json("map", &self.map.encode()).number("since", self.since);
        view.json("settings", settings.as_deref().unwrap_or("null"));
        view.finish()
    }

    /// Reads what [`HubView::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
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

/// What the shards of a hub said of how full they are, which outlives the view.
#[derive(Debug, Clone, Default)]
pub struct SharedLoads(Arc<Mutex<Loads>>);

impl SharedLoads {
    /// Gives the loads to `use_it`.
    pub fn with<T>(&self, use_it: impl FnOnce(&mut Loads) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The views that a host caches, of up to [`ViewCache::MAX_HUBS`] hubs. The threads of a host share it.
#[derive(Debug, Default)]
pub struct ViewCache {
    hubs: Vec<CachedView>,
    used: Option<(Timestamp, Arc<str>)>,
}

#[derive(Debug)]
struct CachedView {
    hub: HubName,
    /// When the directory was asked.
    asked: Timestamp,
    view: Arc<HubView>,
    loads: SharedLoads,
}

impl ViewCache {
    /// The most hubs whose views are cached; with one more the cache starts over.
    pub const MAX_HUBS: usize = 1000;

    /// An empty cache.
    #[must_use]
    pub const fn new() -> Self {
        Self { hubs: Vec::new(), used: None }
    }

    /// The view of a hub, if it is younger than `ttl`.
    #[must_use]
    pub fn get(&self, now: Timestamp, ttl: Duration, hub: &HubName) -> Option<Arc<HubView>> {
        let cached = self.find(hub).filter(|cached| now < cached.asked.after(ttl))?;
        Some(Arc::clone(&cached.view))
    }

    /// Caches what a directory answered that was `asked` then.
    ///
    /// The answer counts as old as the question, since the map may change while it is on its way.
    pub fn put(&mut self, asked: Timestamp, hub: &HubName, view: HubView) -> Arc<HubView> {
        let (view, loads) = (Arc::new(view), self.loads(hub));
        self.hubs.retain(|cached| cached.hub != *hub);
        if self.hubs.len() >= Self::MAX_HUBS {
            self.hubs.clear();
        }
        self.hubs.push(CachedView { hub: hub.clone(), asked, view: Arc::clone(&view), loads });
        view
    }

    /// Whether the register has a hub; `None` if its list is not cached, or not younger than `ttl`.
    #[must_use]
    pub fn is_used(&self, now: Timestamp, ttl: Duration, hub: &HubName) -> Option<bool> {
        let (_, hubs) = self.used.as_ref().filter(|(asked, _)| now < asked.after(ttl))?;
        Some(hubs.lines().any(|name| name == hub.as_str()))
    }

    /// Caches the list of the register that was `asked` then, a hub a line.
    pub(crate) fn put_used(&mut self, asked: Timestamp, hubs: &str) {
        self.used = Some((asked, hubs.into()));
    }

    /// What is known of how full the shards of a hub are; nothing where its view is not cached.
    #[must_use]
    pub fn loads(&self, hub: &HubName) -> SharedLoads {
        self.find(hub).map(|cached| cached.loads.clone()).unwrap_or_default()
    }

    /// Removes what is cached of a hub, and of which hubs are used.
    pub fn forget(&mut self, hub: &HubName) {
        self.used = None;
        self.hubs.retain(|cached| cached.hub != *hub);
    }

    fn find(&self, hub: &HubName) -> Option<&CachedView> {
        self.hubs.iter().find(|cached| cached.hub == *hub)
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_shard::ShardId;

    use super::*;

    const TTL: Duration = Duration::from_secs(5);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    fn hub(name: &str) -> HubName {
        HubName::parse(name).unwrap()
    }

    fn view(shards: u16) -> HubView {
        HubView { map: ShardMap::new(shards), settings: None, since: 0 }
    }

    #[test]
    fn a_view_survives_its_way() {
        let settings = HubSettings { shards: Some(3), ..HubSettings::default() };
        for settings in [None, Some(settings)] {
            let view = HubView { settings, since: 17, ..view(3) };
            assert_eq!(HubView::decode(&view.encode()), Some(view));
        }
        for other in ["", "{}", r#"{"map":{},"since":1,"settings":null}"#] {
            assert_eq!(HubView::decode(other), None, "{other}");
        }
    }

    #[test]
    fn a_view_is_as_old_as_the_question_for_it() {
        let mut cache = ViewCache::new();
        cache.put(at(0), &hub("a"), view(2));
        let shards = |now| cache.get(at(now), TTL, &hub("a")).map(|view| view.map.reached);
        assert_eq!([shards(0), shards(4999), shards(5000)], [Some(2), Some(2), None]);
        assert_eq!(cache.get(at(0), TTL, &hub("b")), None);
        assert_eq!(cache.get(at(0), Duration::ZERO, &hub("a")), None);
    }

    #[test]
    fn loads_outlive_a_view_and_not_the_cache() {
        let mut cache = ViewCache::new();
        cache.put(at(0), &hub("a"), view(2));
        cache.loads(&hub("a")).with(|loads| loads.record(at(0), ShardId(0), 9));
        let before = cache.loads(&hub("a"));
        cache.put(at(5000), &hub("a"), view(3));
        assert!(Arc::ptr_eq(&before.0, &cache.loads(&hub("a")).0));
        cache.forget(&hub("a"));
        assert!(!Arc::ptr_eq(&before.0, &cache.loads(&hub("a")).0));
    }

    #[test]
    fn a_change_is_seen_at_once_where_it_is_made() {
        let mut cache = ViewCache::new();
        cache.put(at(0), &hub("a"), view(2));
        cache.put(at(0), &hub("b"), view(2));
        cache.put_used(at(0), "\nb");
        cache.forget(&hub("a"));
        assert_eq!(cache.get(at(1), TTL, &hub("a")), None);
        assert!(cache.get(at(1), TTL, &hub("b")).is_some());
        assert_eq!(cache.is_used(at(1), TTL, &hub("b")), None);
    }

    #[test]
    fn the_list_of_used_hubs_is_cached_as_long() {
        let mut cache = ViewCache::new();
        assert_eq!(cache.is_used(at(0), TTL, &hub("a")), None);
        cache.put_used(at(0), "\na\nabc");
        let is_used = |now, name| cache.is_used(at(now), TTL, &hub(name));
        assert_eq!(
            [is_used(0, "a"), is_used(0, "ab"), is_used(4999, "abc")],
            [Some(true), Some(false), Some(true)]
        );
        assert_eq!(is_used(5000, "a"), None);
    }

    #[test]
    fn a_full_cache_starts_over() {
        let mut cache = ViewCache::new();
        for number in 0..=ViewCache::MAX_HUBS {
            cache.put(at(0), &hub(&format!("h{number}")), view(1));
        }
        assert_eq!(cache.hubs.len(), 1);
        assert!(cache.get(at(0), TTL, &hub("h1000")).is_some());
    }
}
