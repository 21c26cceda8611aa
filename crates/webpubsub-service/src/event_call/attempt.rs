//! One attempt at a call: what a first one is asked, how long it may take, whether another follows, and the
//! delivery record that it leaves.

use std::time::Duration;

use webpubsub_protocol::event_handler::{
    AnswerUse, Cookies, Delivery, Event, EventRequest, Subject, validation,
};
use webpubsub_protocol::name::{ConnectionId, UserId};
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Attempts, Call, CallId, EventHandler, EventPolicy};

/// Whether a failed attempt is followed by another.
#[derive(Debug)]
pub(super) enum Retry<'a> {
    /// It is not: a test, or an attempt of a shard, whose queue decides.
    Once { limit: Duration, left: Duration },
    /// It is, by the hub's retry policy and, for an event, behind the circuit breaker of a URL template.
    ByPolicy { policy: &'a EventPolicy, attempts: Attempts, breaker: Option<String>, limit: Duration },
}

impl Retry<'_> {
    /// How long the request of this attempt may take.
    pub(super) fn limit(&self, now: Timestamp, purpose: AnswerUse) -> Duration {
        match self {
            Self::Once { limit, .. } => *limit,
            Self::ByPolicy { policy, attempts, limit, .. } => {
                attempts.limit(now, policy, purpose).min(*limit)
            }
        }
    }

    /// How long the attempt that begins may take, its handshake included.
    pub(super) fn left(&self, now: Timestamp) -> Duration {
        match self {
            Self::Once { left, .. } => *left,
            Self::ByPolicy { attempts, .. } => attempts.left(now),
        }
    }

    /// This attempt alone.
    pub(super) fn once(&self, now: Timestamp, purpose: AnswerUse) -> Self {
        Self::Once { limit: self.limit(now, purpose), left: self.left(now) }
    }
}

/// Whose event it is: a connection that no shard has.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// The id that the connection has, if it comes to be.
    pub connection: &'a ConnectionId,
    /// Who it acts for.
    pub user: Option<&'a UserId>,
    /// The service's host as the client sees it.
    pub origin: &'a str,
}

/// A first attempt at an event of a connection that no shard has: `connect`, or a test.
#[must_use]
pub fn first_attempt(
    now: Timestamp,
    policy: &EventPolicy,
    handler: &EventHandler,
    newcomer: Newcomer<'_>,
    event: &Event,
) -> Call {
    let attempts = Attempts::new(now, policy);
    let url = handler.url.resolve(&policy.hub, event.name());
    let subject = Subject {
        connection: newcomer.connection.clone(),
        user: newcomer.user.cloned(),
        subprotocol: None,
        origin: newcomer.origin.to_owned(),
        state: None,
        cookies: Cookies::default(),
        mqtt: None,
    };
    Call {
        id: CallId(0),
        connection: newcomer.connection.clone(),
        event: event.name().to_owned(),
        attempt: 1,
        origin: newcomer.origin.to_owned(),
        validate: handshake_url(policy, handler),
        auth: handler.auth.clone(),
        request: EventRequest::new(&policy.hub, &subject, event, 0, now, &url),
        barred: policy.barred(&url),
        purpose: event.answer_use(),
        url,
        limit: attempts.limit(now, policy, event.answer_use()),
        left: attempts.left(now),
    }
}

/// The URL of the handshake with a handler.
pub(crate) fn handshake_url(policy: &EventPolicy, handler: &EventHandler) -> String {
    handler.url.resolve(&policy.hub, validation::EVENT)
}

/// A delivery record of which only the end is not known.
pub(super) fn delivery(event: &str, connection: Option<&str>, attempt: u8, url: &str) -> Delivery {
    Delivery {
        time: 0,
        event: event.to_owned(),
        connection: connection.map(str::to_owned),
        attempt,
        url: url.split('?').next().unwrap_or_default().to_owned(),
        status: None,
        duration: 0,
    }
}
