//! Clients on their way to shards, which no event handler decides on.

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::SharedLoads;
use webpubsub_service::connect::{PlacementHost, Placing, ShardOffer, shards_for};
use webpubsub_shard::{Full, ShardId};

use crate::now::now;

/// Shards a client to one shard after another, of which this host knows no loads, until one accepts it.
///
/// The first two shards and the connection's id come from `random`, as in [`Placing::new`].
pub(crate) fn place<P>(
    time: Timestamp,
    random: [u8; 20],
    subprotocol: Subprotocol,
    accepting: u16,
    offer: impl FnMut(ShardId, ConnectionId) -> Result<P, Full>,
) -> Option<P> {
    let accepting = shards_for(subprotocol, accepting);
    let placing = Placing::new(time, SharedLoads::default(), random, accepting, [usize::MAX; 2], false);
    now(placing.place(&mut Shards { time, offer })).ok()
}

/// The shards of a hub, to which a client is offered.
struct Shards<F> {
    time: Timestamp,
    offer: F,
}

impl<P, F: FnMut(ShardId, ConnectionId) -> Result<P, Full>> PlacementHost for Shards<F> {
    type Placed = P;
    type Stopped = Full;

    fn now(&self) -> Timestamp {
        self.time
    }

    async fn ask_for_room(&mut self, _: ShardId) -> Result<Option<Full>, Full> {
        panic!("no handler decides on clients here")
    }

    async fn ask_handler(&mut self, _: ConnectionId) -> Result<(), Full> {
        panic!("no handler decides on clients here")
    }

    async fn offer(&mut self, shard: ShardId, id: ConnectionId, _: bool) -> Result<ShardOffer<P>, Full> {
        Ok(((self.offer)(shard, id), None))
    }
}
