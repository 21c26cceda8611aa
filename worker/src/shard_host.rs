//! What the handlers of one shard share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use webpubsub_protocol::name::HubName;
use webpubsub_service::Config;
use webpubsub_shard::Driver;
use webpubsub_store::ShardStore;

use crate::event_handler::Calls;
use crate::objects::Objects;
use crate::platform::{State, Timer};
use crate::sockets::Sockets;
use crate::sql::Sql;
use crate::turns::Turns;

/// What a shard's handlers share.
pub(crate) struct ShardHost {
    pub(crate) state: State,
    pub(crate) objects: Objects,
    pub(crate) config: Rc<Config>,
    pub(crate) hub_name: HubName,
    /// Borrowed for the length of one step, never across an `.await`.
    pub(crate) driver: RefCell<Driver>,
    pub(crate) sockets: Sockets,
    /// The sockets of operators who watch.
    pub(crate) watchers: Sockets,
    pub(crate) store: ShardStore<Sql>,
    pub(crate) calls: Calls,
    pub(crate) timer: Timer,
    pub(crate) turns: Turns,
    /// Whether the directory was asked for the settings, and the register knows the hub.
    pub(crate) is_known: Cell<bool>,
}
