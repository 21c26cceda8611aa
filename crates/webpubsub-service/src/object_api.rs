//! What the service's objects are called, and what they ask each other.

use webpubsub_protocol::name::HubName;
use webpubsub_shard::{ShardId, ShardMap};

/// The name of a shard's object.
#[must_use]
pub fn object_name(hub: &HubName, shard: ShardId) -> String {
    format!("{hub}/{shard}")
}

/// The names of the objects of all shards that a hub has.
#[must_use]
pub fn shard_names(hub: &HubName, map: &ShardMap) -> Vec<String> {
    (0..map.reached).map(|shard| object_name(hub, ShardId(shard))).collect()
}

/// Reads what [`object_name`] wrote; `None` for anything else.
#[must_use]
pub fn parse_object_name(name: &str) -> Option<(HubName, ShardId)> {
    let (hub, shard) = name.split_once('/')?;
    Some((HubName::parse(hub).ok()?, ShardId(shard.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_name_says_the_hub_and_the_shard() {
        let hub = HubName::parse("Chat_1").unwrap();
        for shard in [0, 7, u16::MAX] {
            let name = object_name(&hub, ShardId(shard));
            assert_eq!(name, format!("{hub}/{shard}"));
            assert_eq!(parse_object_name(&name), Some((hub.clone(), ShardId(shard))));
        }
    }

    #[test]
    fn no_other_name_is_a_shards() {
        for name in ["", "chat", "*", "chat/", "/0", "chat/-1", "chat/65536", "chat/0/0", "1/0"] {
            assert_eq!(parse_object_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_shards_of_a_hub_are_those_that_are_reached() {
        let mut map = ShardMap::new(1);
        map.reached = 3;
        assert_eq!(shard_names(&HubName::parse("h").unwrap(), &map), ["h/0", "h/1", "h/2"]);
    }
}
