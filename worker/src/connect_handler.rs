//! Asking a hub's event handler whether a client may connect, and as what.
//!
//! Source: `CloudEvents` spec, section 4.

use std::cell::RefCell;

use wasm_bindgen_futures::JsFuture;
use webpubsub_hub::{Attempts, Breakers, Call, ConnectRequest, EventHandler, EventPolicy};
use webpubsub_protocol::event_handler::connect::{ConnectAnswer, ConnectBody};
use webpubsub_protocol::event_handler::{CallFailure, Event, HandlerAnswer};
use webpubsub_protocol::name::ConnectionId;
use worker::Env;

use crate::config::Config;
use crate::event_handler::{Answered, Teller, Told, first_attempt};
use crate::log;
use crate::perform::now;
use crate::platform::sleep;

thread_local! {
    static BREAKERS: RefCell<Breakers> = RefCell::default();
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
        let refused = match self.attempt(&mut call).await {
            Ok(answer) if answer.is_success() => match self.apply(&call.url, &answer, admission) {
                Some(subprotocol) => return Ok(subprotocol),
                None => Err(CallFailure::Unreadable),
            },
            refused => refused,
        };
        let failure = match refused {
            Ok(HandlerAnswer { status: status @ 400..=499, body, .. }) => {
                return Err((status, String::from_utf8(body).unwrap_or_default()));
            }
            Ok(answer) => CallFailure::Status(answer.status),
            Err(failure) => failure,
        };
        log::refusal(&format!("asking an event handler of hub {}", self.policy.hub), &failure.name());
        let status = if let CallFailure::Status(status @ 500..=599) = failure { status } else { FAILED };
        Err((status, String::new()))
    }

    /// Tells the handler, again if need be, until it answers.
    async fn attempt(&self, call: &mut Call) -> Answered {
        let (policy, url) = (self.policy, self.handler.url.as_str());
        let mut attempts = Attempts::new(now(), policy);
        loop {
            if !BREAKERS.with_borrow_mut(|breakers| breakers.allows(now(), url)) {
                return Err(CallFailure::BreakerOpen);
            }
            call.attempt = attempts.number();
            call.limit = attempts.limit(now(), policy);
            let hub = policy.hub.as_str();
            let Told { answered, .. } = Told::of(call, hub, self.env, self.config, Teller::Worker).await;
            let failure = match &answered {
                Ok(answer) if answer.is_success() => None,
                Ok(answer) => Some(CallFailure::Status(answer.status)),
                Err(failure) => Some(*failure),
            };
            let works = !failure.is_some_and(CallFailure::counts_against_handler);
            let _ = BREAKERS.with_borrow_mut(|breakers| breakers.ended(now(), url, works));
            let Some(pause) = failure.and_then(|failure| attempts.failed(now(), policy, failure)) else {
                return answered;
            };
            // It never fails.
            let _ = JsFuture::from(sleep(pause.as_millis() as f64)).await;
        }
    }

    /// Makes of the admission what a successful answer says; `None` where that cannot be done.
    fn apply(
        &self,
        url: &str,
        answer: &HandlerAnswer,
        admission: &mut ConnectRequest,
    ) -> Option<Option<&'a str>> {
        let chosen = admission.apply(ConnectAnswer::parse(answer).ok()?, self.body.offer).ok()?;
        admission.state.clone_from(&answer.state);
        admission.cookies.take(now(), url, &answer.cookies);
        Some(chosen)
    }
}
