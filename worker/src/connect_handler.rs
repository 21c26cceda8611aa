//! Asking a hub's event handler whether a client may connect, and as what.
//!
//! Source: docs/spec/cloudevents.md#connect.

use std::cell::RefCell;

use webpubsub_protocol::event_handler::connect::{ConnectAnswer, ConnectBody};
use webpubsub_protocol::event_handler::{CallFailure, Event, HandlerAnswer};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_service::Config;
use webpubsub_shard::{CircuitBreakers, ConnectRequest, EventHandler, EventPolicy};
use worker::Env;

use crate::event_handler::{Calls, Told, first_attempt, keep_delivery, retry};
use crate::log;
use crate::perform::now;

thread_local! {
    static BREAKERS: RefCell<CircuitBreakers> = RefCell::default();
}

/// A client that wants to connect, and the handler that decides.
pub(crate) struct Arrival<'a> {
    pub(crate) env: &'a Env,
    pub(crate) config: &'a Config,
    pub(crate) policy: &'a EventPolicy,
    pub(crate) handler: &'a EventHandler,
    pub(crate) body: ConnectBody<'a>,
}

/// How a client is answered that may not connect: the status, and words.
pub(crate) type Refused = (u16, String);

/// Whoever is at fault is told by the deliveries and the log.
const FAILED: u16 = 500;

impl<'a> Arrival<'a> {
    /// Asks the handler, and makes of the admission what it says. Returns the subprotocol that the
    /// client is answered with if the handler chose one.
    pub(crate) async fn ask(
        &self,
        connection: &ConnectionId,
        admission: &mut ConnectRequest,
    ) -> Result<Option<&'a str>, Refused> {
        let event = Event::Connect { body: self.body.encode() };
        let (user, origin) = (admission.user.clone(), &admission.origin);
        let mut call = first_attempt(self.policy, self.handler, connection, user, origin, &event);
        let (hub, template) = (self.policy.hub.as_str(), self.handler.url.as_str());
        let (mut words, calls) = (Vec::new(), Calls::new());
        let asked = retry(self.policy, async |attempts| {
            if !BREAKERS.with_borrow_mut(|breakers| breakers.allows(now(), template)) {
                return Err(CallFailure::BreakerOpen);
            }
            call.attempt = attempts.number();
            call.limit = attempts.limit(now(), self.policy);
            call.left = attempts.left(now());
            let Told { answered, delivery } =
                Told::of(&call, &calls, false, hub, self.env, self.config).await;
            let result = answered.and_then(|answer| match CallFailure::of_status(answer.status) {
                None => self.apply(&call.url, &answer, admission),
                Some(failure) => {
                    words = answer.body;
                    Err(failure)
                }
            });
            let failure = result.err();
            keep_delivery(self.env, hub, &delivery.encode(failure));
            let _ = BREAKERS.with_borrow_mut(|breakers| breakers.ended(now(), template, failure));
            result
        });
        let failure = match asked.await {
            Ok(subprotocol) => return Ok(subprotocol),
            Err(CallFailure::Status(status @ 400..=499)) => {
                return Err((status, String::from_utf8(words).unwrap_or_default()));
            }
            Err(failure) => failure,
        };
        log::refusal(&format!("asking an event handler of hub {hub}"), &failure.name());
        let status = if let CallFailure::Status(status @ 500..=599) = failure { status } else { FAILED };
        Err((status, String::new()))
    }

    /// Makes of the admission what a successful answer says.
    fn apply(
        &self,
        url: &str,
        answer: &HandlerAnswer,
        admission: &mut ConnectRequest,
    ) -> Result<Option<&'a str>, CallFailure> {
        let chosen = admission.apply(ConnectAnswer::parse(answer)?, self.body.offer)?;
        if !self.config.limits.allows_groups(admission.groups.len()) {
            return Err(CallFailure::InvalidGroup);
        }
        admission.state.clone_from(&answer.state);
        admission.cookies.take(now(), url, &answer.cookies);
        Ok(chosen)
    }
}
