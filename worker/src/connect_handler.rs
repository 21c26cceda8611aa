//! Asking a hub's event handler whether a client may connect, and as what.
//!
//! Source: docs/spec/cloudevents.md#connect.

use webpubsub_protocol::event_handler::connect::{ConnectAnswer, ConnectBody};
use webpubsub_protocol::event_handler::{CallFailure, Event, HandlerAnswer};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_service::{Config, EventCall, first_attempt};
use webpubsub_shard::{ConnectRequest, EventHandler, EventPolicy};
use worker::Env;

use crate::event_handler::{Caller, Calls, keep_delivery};
use crate::log;
use crate::platform::{now, variable};

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

/// The deliveries and the log say who is at fault.
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
        let (env, policy, handler, hub) = (self.env, self.policy, self.handler, self.policy.hub.as_str());
        let (user, origin) = (admission.user.clone(), &admission.origin);
        let call = first_attempt(now(), policy, handler, connection, user, origin, &event);
        let url = call.url.clone();
        let mut call = EventCall::of(hub, call, &self.config.keys, &|name| variable(env, name));
        call.retry(now(), policy, handler);
        let (mut words, mut subprotocol) = (Vec::new(), None);
        let mut judge = |answer: HandlerAnswer| match CallFailure::of_status(answer.status) {
            None => self.apply(&url, &answer, admission).map(|chosen| subprotocol = chosen),
            Some(failure) => {
                words = answer.body;
                Err(failure)
            }
        };
        let caller = Caller { env, hub, calls: &Calls::new() };
        let keep = |delivery: &str| keep_delivery(env, hub, delivery);
        let asked = caller.make(0, &mut call, &mut judge, &keep).await;
        let failure = match asked {
            Ok(()) => return Ok(subprotocol),
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
