//! What the Worker and the shards ask a directory.

/// The hub's shards and settings.
pub(crate) const VIEW: &str = "/view";
/// POST settings, the body, or `null` for what the variables say; answered [`TAKEN`].
pub(crate) const SETTINGS: &str = "/settings";
/// Every shard has done it.
pub(crate) const TAKEN: &str = "taken";
/// Whether the handshake with an event handler, the body, has taken place: 204 or 403.
pub(crate) const VALIDATION: &str = "/validation";
/// GET what became of attempts to call event handlers, or POST one, the body.
pub(crate) const DELIVERIES: &str = "/deliveries";
/// POST: have every shard close its sockets, since the service is about to stop; answered [`TAKEN`].
pub(crate) const GO_AWAY: &str = "/goAway";
/// Of the register: GET all hubs, a line each after an empty one, or POST one, the body.
pub(crate) const HUBS: &str = "/hubs";
/// The register's name, which no hub has.
pub(crate) const REGISTER: &str = "*";

/// Whether all of these answered [`TAKEN`].
pub(crate) fn all_taken(answers: &[String]) -> bool {
    answers.iter().all(|answer| answer == TAKEN)
}
