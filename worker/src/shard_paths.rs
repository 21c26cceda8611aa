//! What the Worker asks a shard beside the REST API's own paths.

/// Accept a WebSocket. [`crate::objects::offer_client`] says whose, with blanks between: the
/// connection's id, its reconnection token if it may be recovered, its
/// [`webpubsub_shard::ConnectRequest`], and the subprotocol that its client is answered with, if any.
pub(crate) const CONNECT: &str = "/connect";
/// The same, answered with [`CONNECTIONS`] as well.
pub(crate) const CONNECT_COUNTED: &str = "/connectCounted";
/// Accept a WebSocket for a connection that its client proved to have had, whose id is given likewise.
pub(crate) const RECOVER: &str = "/recover";
/// Take a [`webpubsub_shard::Batch`] of another shard, the body.
pub(crate) const BATCH: &str = "/batch";
/// Say whether there is room for a connection: 204, or as
/// [`full_status`](webpubsub_service::connect::full_status) has it.
pub(crate) const ROOM: &str = "/room";
/// Take a [`webpubsub_service::HubView`], the body, and say how much there is to do.
pub(crate) const VIEW: &str = "/view";
/// Close every socket, since the service is about to stop; answered [`TAKEN`](crate::directory_paths::TAKEN).
pub(crate) const GO_AWAY: &str = "/goAway";
/// Say what became of attempts to call event handlers.
pub(crate) const DELIVERIES: &str = "/deliveries";
/// Say the values of [`webpubsub_shard::METRICS`].
pub(crate) const METRICS: &str = "/metrics";
/// In the answer to [`CONNECT_COUNTED`], also where it refuses: how many connections the shard holds.
pub(crate) const CONNECTIONS: &str = "x-connections";
