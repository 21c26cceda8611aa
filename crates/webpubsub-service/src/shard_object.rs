//! One shard as an object of the service: how it starts, and what it does with what it is asked.
//!
//! Nothing here waits. A host that can hold back what others ask of a shard does so while
//! [`ShardCall::shares_commit`] or [`Shard::shares_commit`] says that it is worth it.

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Answer, Attachment, Driver, Full, Host, Input, Output, Restored, Shard, ShardConfig, Slot, Sockets,
    WatcherId,
};
use webpubsub_store::{Database, OpenError, ShardStore};

use crate::config::Config;
use crate::history;
use crate::object_api::{Offered, ShardAnswer, ShardCall, parse_object_name};
use crate::trace::TraceRequest;
use crate::view::HubView;

/// The host of a shard that has tables, and lets operators watch.
pub trait ObjectHost: Host {
    /// The database that the tables are in.
    type Database: Database<Error = Self::Error>;

    /// The shard's tables.
    fn tables(&self) -> &ShardStore<Self::Database>;

    /// The hub.
    fn hub(&self) -> &HubName;

    /// Accepts the socket that a [`ShardCall::Watch`] with this query brings, for this watcher. Returns whether it is
    /// open.
    fn accept_watcher(&mut self, watcher: WatcherId, query: &str) -> bool;
}

/// How a call of a shard is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Answered {
    /// With this.
    Answer(ShardAnswer),
    /// With the socket that the call has brought, which is open, and this subprotocol.
    Socket(Option<String>),
}

/// What a socket is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A client's connection, in this slot.
    Client(Slot),
    /// An operator who watches.
    Watcher(WatcherId),
}

/// A shard that was put together again, and what became of its sockets.
#[derive(Debug)]
pub struct RestoredObject {
    /// Its hub.
    pub hub: HubName,
    /// The shard.
    pub shard: Shard,
    /// What each socket is there for, in the order given; `None` for one that is to be closed.
    pub holders: Vec<Option<Holder>>,
    /// What is to be done before the first input.
    pub outputs: Vec<Output>,
}

/// Puts a shard together from its tables, whose name says which shard of which hub it is, and from its open
/// sockets, which live as `sockets` says and carried `attachments`; see [`Shard::restore`].
///
/// # Errors
/// The database's, and [`OpenError::NoName`] where the name is no shard's.
pub fn restore_shard<D: Database>(
    now: Timestamp,
    config: &Config,
    tables: &ShardStore<D>,
    sockets: Sockets,
    attachments: &[Option<Vec<u8>>],
) -> Result<RestoredObject, D::Error> {
    let (hub, shard) = parse_object_name(tables.object().name()).ok_or(OpenError::NoName)?;
    let policy = config.policy(&hub, config.settings.of(&hub));
    let shard_config = ShardConfig { sockets, ..config.shard_config(&hub, shard) };
    let (mut watching, mut of_clients) = (Vec::new(), Vec::new());
    for attachment in attachments {
        let request = attachment.as_deref().and_then(TraceRequest::of_attachment);
        if request.is_none() {
            of_clients.push(attachment.as_deref().and_then(Attachment::decode));
        }
        watching.push(request);
    }
    let Restored { mut shard, slots, outputs } =
        Shard::restore(now, shard_config, policy, tables.load()?, of_clients);
    let (mut slots, mut holders) = (slots.into_iter(), Vec::new());
    for request in watching {
        holders.push(match request {
            Some(request) => shard.watch(request.filter).map(Holder::Watcher),
            None => slots.next().flatten().map(Holder::Client),
        });
    }
    Ok(RestoredObject { hub, shard, holders, outputs })
}

/// A shard and its host, for the length of one call.
#[derive(Debug)]
pub struct ShardObject<'a, H> {
    /// The shard.
    pub driver: &'a mut Driver,
    /// Its host; of a call that brings a socket, one that accepts it.
    pub host: &'a mut H,
}

impl<H: ObjectHost> ShardObject<'_, H> {
    /// Answers a call.
    ///
    /// # Errors
    /// The host's. The driver is not to be used again.
    pub fn answer(&mut self, call: ShardCall) -> Result<Answered, H::Error> {
        let shard = &self.driver.shard;
        Ok(Answered::Answer(match call {
            ShardCall::Connect(client) => {
                let (connection, request) = (client.connection, client.request);
                let input =
                    Input::Connect { connection, request, reconnection_token: client.reconnection_token };
                match self.step(input)?.refused {
                    Some(full) => ShardAnswer::Offered(Offered::Full(full)),
                    None => return Ok(Answered::Socket(client.subprotocol)),
                }
            }
            ShardCall::Recover(connection, reconnection_token) => {
                match self.step(Input::Recover { connection, reconnection_token })?.accepted {
                    // Whatever the client offers this time.
                    Some(spoken) => return Ok(Answered::Socket(spoken.name().map(str::to_owned))),
                    None => ShardAnswer::Offered(Offered::Refused),
                }
            }
            ShardCall::Watch(query) => match self.watch(&query) {
                Ok(()) => return Ok(Answered::Socket(None)),
                Err(refused) => ShardAnswer::Offered(refused),
            },
            ShardCall::Room => ShardAnswer::Offered(shard.full().map_or(Offered::Accepted, Offered::Full)),
            ShardCall::Batch(batch) => {
                self.step(Input::Batch(batch))?;
                ShardAnswer::Taken
            }
            ShardCall::View(view) => {
                self.take_view(view)?;
                ShardAnswer::Load(self.driver.shard.load() as u64)
            }
            ShardCall::GoAway => {
                self.step(Input::GoAway)?;
                ShardAnswer::Taken
            }
            ShardCall::Deliveries => ShardAnswer::Text(self.host.tables().object().deliveries()?),
            ShardCall::List(listing) => ShardAnswer::Text(listing.answer(shard)),
            ShardCall::History(until) => {
                self.step(Input::Measure)?;
                ShardAnswer::Text(history::encode(&self.driver.shard.history(until)))
            }
            ShardCall::Metrics => {
                self.step(Input::Measure)?;
                ShardAnswer::Text(self.driver.shard.metrics().map(|value| value.to_string()).join(","))
            }
        }))
    }

    /// Has the shard take what its hub's directory delivers.
    fn take_view(&mut self, HubView { map, settings, since }: HubView) -> Result<(), H::Error> {
        self.step(Input::Map(map))?;
        self.step(Input::Settings { settings, since }).map(drop)
    }

    /// Takes what [`introduce`](crate::introduce) has found. Returns whether the register has the hub.
    ///
    /// # Errors
    /// The host's. The driver is not to be used again.
    pub fn introduced(&mut self, (view, is_registered): (HubView, bool)) -> Result<bool, H::Error> {
        self.take_view(view)?;
        if is_registered {
            self.host.tables().object().set_registered()?;
        }
        Ok(is_registered)
    }

    /// Lets an operator watch, by the query of the request.
    fn watch(&mut self, query: &str) -> Result<(), Offered> {
        let request = TraceRequest::parse(query).map_err(|_| Offered::Refused)?;
        let watcher = self.driver.shard.watch(request.filter).ok_or(Offered::Full(Full::Quota))?;
        if !self.host.accept_watcher(watcher, query) {
            self.driver.shard.unwatch(watcher);
            return Err(Offered::Refused);
        }
        let greeting = TraceRequest::greeting(self.host.hub(), &self.driver.shard);
        self.host.send_trace(watcher, &greeting);
        Ok(())
    }

    fn step(&mut self, input: Input) -> Result<Answer, H::Error> {
        self.driver.step(self.host, input)
    }
}
