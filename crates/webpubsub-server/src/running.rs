//! A shard in memory, and what it is given: inputs, turns, calls and the time.

use tokio::sync::oneshot;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::{HubView, Offered as Why, ShardAnswer, ShardCall, TraceRequest};
use webpubsub_shard::{Driver, Full, Host as _, Input, Slot};

use crate::clock;
use crate::database::DatabaseError;
use crate::shard_host::ShardHost;
use crate::shard_message::{Holder, Seat, SocketOffer};

/// A shard that has started.
pub(crate) struct Running {
    pub(crate) driver: Driver,
    pub(crate) host: ShardHost,
    /// Whether the directory was asked for the settings, and the register knows the hub.
    pub(crate) is_known: bool,
    /// Clients that wait for that.
    pub(crate) waiting: Vec<SocketOffer>,
    /// Whether the process is about to end.
    pub(crate) stop: Option<oneshot::Sender<()>>,
}

impl Running {
    pub(crate) fn step(&mut self, input: Input) -> Result<(), DatabaseError> {
        self.driver.step(&mut self.host, input).map(drop)
    }

    /// Gives the shard an input of a client whose socket it has.
    pub(crate) fn of_client(
        &mut self,
        seat: Seat,
        input: impl FnOnce(Slot) -> Input,
    ) -> Result<(), DatabaseError> {
        self.host.client_of(seat).map_or(Ok(()), |slot| self.step(input(slot)))
    }

    /// Forgets an operator whose socket has ended.
    pub(crate) fn unwatch(&mut self, seat: Seat) {
        if let Holder::Watcher(watcher) = seat.holder
            && self.host.is_seated(seat)
        {
            self.driver.shard.unwatch(watcher);
            self.host.forget_watcher(watcher);
        }
    }

    /// Has an operator watch over the socket that was offered.
    pub(crate) fn watch(&mut self, query: &str, hub: &HubName) -> Result<Seat, Why> {
        let request = TraceRequest::parse(query).map_err(|_| Why::NotRecoverable)?;
        let watcher = self.driver.shard.watch(request.filter).ok_or(Why::Full(Full::Quota))?;
        let seat = self.host.seat_watcher(watcher).ok_or(Why::NotRecoverable)?;
        self.host.send_trace(watcher, &TraceRequest::greeting(hub, &self.driver.shard));
        Ok(seat)
    }

    pub(crate) fn turn(&mut self) -> Result<(), DatabaseError> {
        self.host.next_turn = None;
        self.driver.turn(&mut self.host)
    }

    /// Has the shard do what is due.
    pub(crate) fn time_out(&mut self) -> Result<(), DatabaseError> {
        let now = clock::now();
        let is_due = |due: &mut Option<Timestamp>| due.take_if(|due| *due <= now).is_some();
        let (timer, alarm) = (is_due(&mut self.host.timer), is_due(&mut self.host.alarm));
        if timer {
            self.driver.timer_fired();
        }
        if alarm {
            self.driver.alarm_fired();
        }
        if timer || alarm { self.step(Input::Timeout) } else { Ok(()) }
    }

    pub(crate) fn take_view(
        &mut self,
        HubView { map, settings, since }: HubView,
    ) -> Result<(), DatabaseError> {
        self.step(Input::Map(map))?;
        self.step(Input::Settings { settings, since })
    }

    pub(crate) fn answer(&mut self, call: ShardCall) -> Result<ShardAnswer, DatabaseError> {
        Ok(match call {
            ShardCall::Connect(_) | ShardCall::Recover(..) | ShardCall::Watch(_) => {
                ShardAnswer::Offered(Why::NotRecoverable)
            }
            ShardCall::List(listing) => ShardAnswer::Text(listing.answer(&self.driver.shard)),
            ShardCall::Room => {
                ShardAnswer::Offered(self.driver.shard.full().map_or(Why::Accepted, Why::Full))
            }
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
            ShardCall::Deliveries => ShardAnswer::Text(self.host.store.object().deliveries()?),
            ShardCall::Metrics => {
                self.step(Input::Measure)?;
                let values = self.driver.shard.metrics().map(|value| value.to_string());
                ShardAnswer::Text(values.join(","))
            }
        })
    }
}
