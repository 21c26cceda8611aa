//! A shard in memory, and what it is given: inputs, turns, calls and the time.

use tokio::sync::oneshot;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::{Holder, ShardObject};
use webpubsub_shard::{Driver, Host as _, Input, Slot};

use crate::database::DatabaseError;
use crate::shard_host::ShardHost;
use crate::shard_message::{Seat, SocketOffer};

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

    pub(crate) fn turn(&mut self) -> Result<(), DatabaseError> {
        self.host.next_turn = None;
        self.driver.turn(&mut self.host)
    }

    /// Has the shard do what is due.
    pub(crate) fn time_out(&mut self) -> Result<(), DatabaseError> {
        let now = self.host.now();
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

    /// The shard as what others call.
    pub(crate) const fn object(&mut self) -> ShardObject<'_, ShardHost> {
        ShardObject { driver: &mut self.driver, host: &mut self.host }
    }
}
