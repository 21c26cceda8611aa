//! What to do: the words of the JSON that the bench writes.

use serde::Deserialize;

use crate::dialect::Dialect;

/// One workload against one server.
#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    /// Where it listens: host and port.
    pub(crate) address: String,
    /// The server: this process and all that it started.
    pub(crate) pid: u32,
    /// How it is spoken to.
    pub(crate) dialect: Dialect,
    /// How long to measure, in seconds.
    pub(crate) seconds: f64,
    /// How long to do the same before, in seconds.
    pub(crate) warm_up: f64,
    /// What to do.
    pub(crate) workload: Workload,
}

/// A way to the server over HTTP.
#[derive(Debug, Deserialize)]
pub(crate) struct Endpoint {
    /// Path and query.
    pub(crate) path: String,
    /// Headers beside those of every request.
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    /// What a client subscribes to, where it is not subscribed by connecting.
    pub(crate) topic: Option<String>,
}

/// What to do.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Workload {
    /// Messages to members of groups.
    Publish(Publish),
    /// Very many connections, which then receive messages to all or some of them.
    Crowd(Crowd),
    /// New connections.
    Connect(Connect),
    /// Groups joined or left.
    Membership(Membership),
    /// One client that sends without waiting, beside quiet ones.
    Flood(Flood),
    /// Events through an event handler.
    Events(Events),
    /// Messages that were missed, sent again.
    Replay(Replay),
}

/// Messages to members of groups, so many on their way at once.
#[derive(Debug, Deserialize)]
pub(crate) struct Publish {
    /// Who publishes.
    pub(crate) by: By,
    /// How many members there are in all; member `i` is in group `i % groups`.
    pub(crate) members: usize,
    /// The groups' names.
    pub(crate) groups: Vec<String>,
    /// Where the members of each group connect.
    pub(crate) clients: Vec<Endpoint>,
    /// Where a publisher outside connects.
    pub(crate) outsider: Option<Endpoint>,
    /// Where to publish to each group over HTTP.
    #[serde(default)]
    pub(crate) publish: Vec<Endpoint>,
    /// Whether clients ask for acks.
    #[serde(default)]
    pub(crate) acks: bool,
    /// How many messages of a publisher are on their way at once.
    pub(crate) window: usize,
    /// How many messages a second are published, as many as the window lets otherwise.
    pub(crate) rate: Option<f64>,
    /// How many bytes a payload has, at least 16.
    pub(crate) size: usize,
}

/// Who publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// A server, over HTTP.
    Rest,
    /// The first member of each group.
    Member,
    /// A client that is in none.
    Outsider,
}

/// Very many connections, which then receive messages to all or some of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Crowd {
    /// Where they connect: connection `i` at number `i % clients`.
    pub(crate) clients: Vec<Endpoint>,
    /// How many there are.
    pub(crate) members: usize,
    /// How many of them are there before the others are measured: what the server needs for any is not theirs.
    pub(crate) first: usize,
    /// Where a server publishes, and to whom.
    pub(crate) publish: Vec<Audience>,
    /// How many bytes a payload has, at least 16.
    pub(crate) size: usize,
}

/// Where a server publishes, and to whom.
#[derive(Debug, Deserialize)]
pub(crate) struct Audience {
    /// What its figures are called.
    pub(crate) name: String,
    /// Where.
    pub(crate) endpoint: Endpoint,
    /// To those that connect at these of the crowd's `clients`.
    pub(crate) clients: Vec<usize>,
}

/// New connections, so many at once.
#[derive(Debug, Deserialize)]
pub(crate) struct Connect {
    /// Where.
    pub(crate) client: Endpoint,
    /// How many are being opened at once.
    pub(crate) at_once: usize,
}

/// Groups joined, or joined and left, by some clients, none of which waits for an ack.
#[derive(Debug, Deserialize)]
pub(crate) struct Membership {
    /// Where they connect.
    pub(crate) client: Endpoint,
    /// How many they are.
    pub(crate) clients: usize,
    /// How many groups each joins.
    pub(crate) groups: usize,
    /// Whether leaving is what is measured.
    #[serde(default)]
    pub(crate) leave: bool,
}

/// One client that sends without waiting, beside quiet ones.
#[derive(Debug, Deserialize)]
pub(crate) struct Flood {
    /// Where it connects, and a quiet client of the same hub.
    pub(crate) client: Endpoint,
    /// Where a quiet client of another hub connects.
    pub(crate) other: Endpoint,
    /// Where a server publishes to the flooded hub.
    pub(crate) publish: Endpoint,
    /// What it sends.
    pub(crate) what: Sent,
    /// How many.
    pub(crate) frames: usize,
    /// How long the flood may take, and any answer beside it, in seconds.
    pub(crate) limit: f64,
}

/// What a flood is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sent {
    /// Joins of distinct groups, with ack.
    Joins,
    /// Publishes to a group without members, with ack.
    Publishes,
    /// Events, the last of which asks for an ack.
    Events,
}

/// Events through an event handler, one of each client on its way at once.
#[derive(Debug, Deserialize)]
pub(crate) struct Events {
    /// Where clients connect.
    pub(crate) client: Endpoint,
    /// How many they are.
    pub(crate) clients: usize,
    /// Where the event handler is to listen: host and port.
    pub(crate) handler: String,
    /// How many bytes a payload has, at least 16.
    pub(crate) size: usize,
}

/// Reliable clients that are away while a server publishes, and come back.
#[derive(Debug, Deserialize)]
pub(crate) struct Replay {
    /// Where they connect.
    pub(crate) client: Endpoint,
    /// How many they are.
    pub(crate) clients: usize,
    /// Where the server publishes to all of them.
    pub(crate) publish: Endpoint,
    /// How many messages.
    pub(crate) messages: u64,
    /// How many bytes a payload has, at least 16.
    pub(crate) size: usize,
}
