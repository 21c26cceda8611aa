//! The way of an admitted client to a shard that accepts it.
//!
//! ```text
//!   no handler:     Offer ── refused ── Offer ── … ── Full
//!   with handler:   Room ── refused ── Room ── there is room ── Call ── Offer ── refused ── Full
//! ```

use std::future::Future;

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Full, Placement, ShardId};

use crate::view::SharedLoads;

/// How many of the shards that take new connections a client may be placed on: one of MQTT goes to the first, where it
/// finds the session that it will name.
#[must_use]
pub const fn shards_for(subprotocol: Subprotocol, accepting: u16) -> u16 {
    if matches!(subprotocol, Subprotocol::Mqtt) { 1 } else { accepting }
}

/// A client that is being placed on one of the shards of its hub.
///
/// Where a handler decides on the client, it is called once. It receives the connection's id, which carries its
/// shard: so a shard with room is found before the call, and no other shard is asked after it.
#[derive(Debug)]
pub struct Placing {
    placement: Placement,
    loads: SharedLoads,
    /// What the connection's id consists of beside its shard.
    id: [u8; 16],
    accepting: u16,
    has_handler: bool,
    step: Option<PlacementStep>,
}

/// What comes of an offer to a shard: the placed client or why the shard refuses it, and how many connections the shard
/// holds, if they were to be counted and are.
pub type ShardOffer<P> = (Result<P, Full>, Option<u32>);

/// The shards of a hub and its event handler, for one client that is being placed.
pub trait PlacementHost {
    /// What comes of a client that a shard accepts.
    type Placed;
    /// Why a client is not placed; from [`Full`] where no shard accepts it.
    type Stopped: From<Full>;

    /// The time.
    fn now(&self) -> Timestamp;

    /// Asks a shard whether it has room. Returns why it has none.
    fn ask_for_room(&mut self, shard: ShardId) -> impl Future<Output = Result<Option<Full>, Self::Stopped>>;

    /// Has the event handler decide on this connection of the client.
    fn ask_handler(&mut self, connection: ConnectionId) -> impl Future<Output = Result<(), Self::Stopped>>;

    /// Offers the client to a shard, as this connection.
    fn offer(
        &mut self,
        shard: ShardId,
        connection: ConnectionId,
        is_counted: bool,
    ) -> impl Future<Output = Result<ShardOffer<Self::Placed>, Self::Stopped>>;
}

/// What is next for a client that is being placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlacementStep {
    /// Ask this shard whether it has room.
    Room(ShardId),
    /// Call the event handler, for a connection to this shard. [`Placing::next`] is for a client that the
    /// handler allows.
    Call(ShardId),
    /// Offer the client to this shard. The client is placed unless the shard refuses.
    Offer(ShardId),
    /// Refuse the client: no shard accepts it.
    Full(Full),
}

impl Placing {
    /// Begins with the first `accepting` shards of a hub, of which `loads` are known and whose soft and hard
    /// limits are `limits`. The shards that are asked first, and the connection's id, come from `random`.
    #[must_use]
    pub fn new(
        now: Timestamp,
        loads: SharedLoads,
        random: [u8; 20],
        accepting: u16,
        limits: [usize; 2],
        has_handler: bool,
    ) -> Self {
        let [a, b, c, d, id @ ..] = random;
        let drawn = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
        let placement = loads.with(|loads| Placement::new(now, loads, drawn, accepting, limits));
        Self { placement, loads, id, accepting, has_handler, step: None }
    }

    /// Goes from shard to shard until one accepts the client.
    ///
    /// # Errors
    /// No shard accepts it, the handler refuses it, or the host has failed.
    pub async fn place<H: PlacementHost>(mut self, host: &mut H) -> Result<H::Placed, H::Stopped> {
        let mut refused = None;
        loop {
            refused = match self.next(host.now(), refused) {
                PlacementStep::Room(shard) => host.ask_for_room(shard).await?,
                PlacementStep::Call(shard) => {
                    host.ask_handler(self.connection(shard)).await?;
                    None
                }
                PlacementStep::Offer(shard) => {
                    let offered = host.offer(shard, self.connection(shard), self.is_counted());
                    let (outcome, connections) = offered.await?;
                    if let Some(connections) = connections {
                        self.record(host.now(), connections);
                    }
                    match outcome {
                        Ok(placed) => return Ok(placed),
                        Err(full) => Some(full),
                    }
                }
                PlacementStep::Full(why) => return Err(why.into()),
            };
        }
    }

    /// The id that the connection has on a shard.
    fn connection(&self, shard: ShardId) -> ConnectionId {
        shard.connection_id(self.id)
    }

    /// Whether shards are to answer how many connections they hold, which matters where there are several.
    const fn is_counted(&self) -> bool {
        self.accepting > 1
    }

    /// Records how many connections the shard that was asked last holds.
    fn record(&mut self, now: Timestamp, connections: u32) {
        if let Some(PlacementStep::Room(shard) | PlacementStep::Offer(shard)) = self.step {
            self.loads.with(|loads| loads.record(now, shard, connections as usize));
        }
    }

    /// What is next, once the step before is done and was `refused`, or not.
    fn next(&mut self, now: Timestamp, refused: Option<Full>) -> PlacementStep {
        if let Some(why) = refused {
            self.placement.refused(why);
        }
        let step = match self.step {
            Some(PlacementStep::Room(shard)) if refused.is_none() => PlacementStep::Call(shard),
            Some(PlacementStep::Call(shard)) => PlacementStep::Offer(shard),
            Some(PlacementStep::Full(why)) => PlacementStep::Full(why),
            Some(PlacementStep::Offer(_)) if self.has_handler => {
                PlacementStep::Full(self.placement.outcome())
            }
            Some(PlacementStep::Room(_) | PlacementStep::Offer(_)) | None => {
                match self.loads.with(|loads| self.placement.next(now, loads)) {
                    Some(shard) if self.has_handler => PlacementStep::Room(shard),
                    Some(shard) => PlacementStep::Offer(shard),
                    None => PlacementStep::Full(self.placement.outcome()),
                }
            }
        };
        self.step = Some(step);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    /// A client whose first shard is number 1, on shards with a soft limit of 10 and a hard one of 20.
    fn placing(loads: &SharedLoads, accepting: u16, has_handler: bool) -> Placing {
        let mut random = [7; 20];
        random[..4].copy_from_slice(&[0, 1, 0, 0]);
        Placing::new(NOW, SharedLoads::clone(loads), random, accepting, [10, 20], has_handler)
    }

    /// The steps of a client to whom `refusals` of shards happen, one after the other.
    fn steps(mut placing: Placing, refusals: &[Option<Full>]) -> Vec<PlacementStep> {
        let first = placing.next(NOW, None);
        [first].into_iter().chain(refusals.iter().map(|refused| placing.next(NOW, *refused))).collect()
    }

    const fn offer(shard: u16) -> PlacementStep {
        PlacementStep::Offer(ShardId(shard))
    }

    #[test]
    fn a_shard_that_refuses_is_followed_by_the_next() {
        let loads = SharedLoads::default();
        let full = Some(Full::Shard);
        assert_eq!(
            steps(placing(&loads, 3, false), &[full, Some(Full::Quota), full]),
            [offer(1), offer(2), offer(0), PlacementStep::Full(Full::Shard)]
        );
        let one = steps(placing(&loads, 1, false), &[full, full]);
        assert_eq!(one, [offer(0), PlacementStep::Full(Full::Shard), PlacementStep::Full(Full::Shard)]);
    }

    #[test]
    fn a_quota_is_used_up_where_every_shard_says_so() {
        let quota = Some(Full::Quota);
        assert_eq!(
            steps(placing(&SharedLoads::default(), 2, false), &[quota, quota]),
            [offer(1), offer(0), PlacementStep::Full(Full::Quota)]
        );
    }

    #[test]
    fn a_count_at_the_soft_limit_moves_a_shard_back() {
        let loads = SharedLoads::default();
        let mut first = placing(&loads, 3, false);
        assert_eq!(first.next(NOW, None), offer(1));
        first.record(NOW, 10);
        let full = Some(Full::Shard);
        let others = steps(placing(&loads, 3, false), &[full, full, full]);
        assert_eq!(others, [offer(2), offer(0), offer(1), PlacementStep::Full(Full::Shard)]);
    }

    #[test]
    fn a_handler_is_called_once_for_a_shard_with_room() {
        let (room, call) = (|shard| PlacementStep::Room(ShardId(shard)), PlacementStep::Call(ShardId(2)));
        let full = Some(Full::Shard);
        let steps = steps(placing(&SharedLoads::default(), 3, true), &[full, None, None, full, full]);
        let refused = PlacementStep::Full(Full::Shard);
        assert_eq!(steps, [room(1), room(2), call, offer(2), refused, refused]);
    }

    #[test]
    fn without_room_no_handler_is_called() {
        let quota = Some(Full::Quota);
        let steps = steps(placing(&SharedLoads::default(), 2, true), &[quota, quota]);
        let room = |shard| PlacementStep::Room(ShardId(shard));
        assert_eq!(steps, [room(1), room(0), PlacementStep::Full(Full::Quota)]);
    }

    #[test]
    fn a_connection_id_names_the_shard_that_is_asked() {
        let placing = placing(&SharedLoads::default(), 3, false);
        for shard in [ShardId(0), ShardId(2)] {
            assert_eq!(ShardId::of(&placing.connection(shard)), Some(shard));
        }
    }

    #[test]
    fn connections_are_counted_where_there_are_several_shards() {
        let loads = SharedLoads::default();
        assert!(!placing(&loads, 1, false).is_counted());
        assert!(placing(&loads, 2, false).is_counted());
    }
}
