//! The directory of the hub, and the Workers that ask it.

use std::collections::BTreeMap;
use std::time::Duration;

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::ViewCache;
use webpubsub_service::directory::{Directory, DirectoryConfig, Fact};
use webpubsub_shard::ShardMap;

use super::check::check;

/// How long a Worker caches a view.
pub(super) const MAP_TTL: Duration = Duration::from_secs(5);

/// The directory of the hub, and the Workers that ask it.
#[derive(Debug)]
pub(super) struct DirectoryHost {
    pub(super) hub: HubName,
    pub(super) directory: Directory,
    pub(super) config: DirectoryConfig,
    /// What it has stored.
    pub(super) facts: BTreeMap<Fact, String>,
    /// When it next delivers its view, if the shards change.
    pub(super) alarm: Option<Timestamp>,
    /// How many times its view was sent to the shards.
    pub(super) round: u32,
    /// What each shard has answered to the last of them.
    pub(super) loads: Vec<Option<u64>>,
    /// What Workers know.
    pub(super) caches: [ViewCache; 2],
}

impl DirectoryHost {
    pub(super) fn new(hub: HubName, shards: u16) -> Self {
        let config = DirectoryConfig { shards, map_ttl: MAP_TTL };
        Self {
            hub,
            directory: Self::restore(config, &BTreeMap::new()),
            config,
            facts: BTreeMap::new(),
            alarm: None,
            round: 0,
            loads: Vec::new(),
            caches: [const { ViewCache::new() }; 2],
        }
    }

    pub(super) const fn map(&self) -> &ShardMap {
        &self.directory.view().map
    }

    pub(super) fn restore(config: DirectoryConfig, facts: &BTreeMap<Fact, String>) -> Directory {
        let facts = Fact::ALL.map(|fact| facts.get(&fact).map(String::as_str));
        let (directory, error) = Directory::restore(config, facts);
        check!(error.is_none(), "the directory's settings cannot be read: {error:?}");
        directory
    }
}
