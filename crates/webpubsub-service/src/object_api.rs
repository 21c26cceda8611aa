//! What the service's objects are called, and what they ask each other: typed calls, each with one way to
//! write it and one to read it.
//!
//! A REST call of a server is not among them: its request line travels to a shard as it is, with a
//! [`ShardRange`](crate::ShardRange) in front where it is carried out by several. See [`crate::Part`].

mod directory_call;
mod shard_call;

use webpubsub_protocol::name::HubName;
use webpubsub_shard::{ShardId, ShardMap};

pub use directory_call::{DirectoryAnswer, DirectoryCall};
pub use shard_call::{AdmittedClient, Offered, ShardAnswer, ShardCall};

/// The name of the directory that is the register of all hubs, which no hub has.
pub const REGISTER: &str = "*";

/// A call as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRequest {
    /// What is asked: a path, which begins with a slash.
    pub path: &'static str,
    /// What goes with it; empty for nothing.
    pub body: String,
}

impl ObjectRequest {
    const fn of(path: &'static str, body: String) -> Self {
        Self { path, body }
    }

    const fn bare(path: &'static str) -> Self {
        Self { path, body: String::new() }
    }
}

/// An answer to a call as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectResponse {
    /// The status of HTTP; one of 200 to 299 where the object did what it was asked.
    pub status: u16,
    /// The body; empty for none.
    pub body: String,
}

impl ObjectResponse {
    const fn empty(status: u16) -> Self {
        Self { status, body: String::new() }
    }

    const fn text(body: String) -> Self {
        Self { status: 200, body }
    }

    /// The answer as it travels: the status, of three digits, and the body.
    #[must_use]
    pub fn into_text(self) -> String {
        format!("{}{}", self.status, self.body)
    }

    /// The answer of an object that could not start.
    #[must_use]
    pub const fn not_started() -> Self {
        Self::empty(500)
    }

    /// The answer to what no object understands.
    #[must_use]
    pub const fn not_understood() -> Self {
        Self::empty(400)
    }
}

/// The name of a shard's object.
#[must_use]
pub fn object_name(hub: &HubName, shard: ShardId) -> String {
    [hub.as_str(), "/", &shard.to_string()].concat()
}

/// The names of the objects of all shards that a hub has.
#[must_use]
pub(crate) fn shard_names(hub: &HubName, map: &ShardMap) -> Vec<String> {
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
        for name in ["", "chat", REGISTER, "chat/", "/0", "chat/-1", "chat/65536", "chat/0/0", "1/0"] {
            assert_eq!(parse_object_name(name), None, "{name}");
        }
    }

    #[test]
    fn no_hub_is_called_as_the_register() {
        assert_eq!(HubName::parse(REGISTER).ok(), None);
    }

    #[test]
    fn the_shards_of_a_hub_are_those_that_are_reached() {
        let mut map = ShardMap::new(1);
        map.reached = 3;
        assert_eq!(shard_names(&HubName::parse("h").unwrap(), &map), ["h/0", "h/1", "h/2"]);
    }
}
