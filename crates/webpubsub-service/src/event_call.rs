//! One event on its way to its handler: the handshake, the attempts, the answer and the delivery records.
//!
//! ```text
//!            ┌── Validate ──┐                            ┌── Wait ──┐
//!   start ───┤              ├── Post ── judged ── Keep ──┤          ├── start
//!            └──────────────┘                            └── Over   ┘
//! ```

mod answer;
mod attempt;
mod handshakes;
mod request;

use std::mem;
use std::time::Duration;

use webpubsub_auth::AccessKeys;
use webpubsub_protocol::event_handler::{AnswerUse, CallFailure, Delivery, HandlerAnswer, Taken, validation};
use webpubsub_protocol::time::{Timestamp, whole_millis};
use webpubsub_shard::{Attempts, Call, CircuitBreakers, EventHandler, EventPolicy};

pub use answer::AnswerBody;
pub(crate) use attempt::handshake_url;
pub use attempt::{Newcomer, first_attempt};
use attempt::{Retry, delivery};
use handshakes::Handshakes;
pub use request::Request;
use request::secret;

use crate::directory::Handler;

/// What a host knows of the event handlers that it calls, for all hubs.
#[derive(Debug, Default)]
pub struct KnownHandlers {
    handshakes: Handshakes,
    breakers: CircuitBreakers,
    /// How many bytes of answers are being read, all calls together.
    reading: usize,
}

/// A call of an event handler: one attempt of a shard's, or all attempts at `connect` or at a handshake.
///
/// [`EventCall::make`] asks what is wanted with [`EventCall::next`], has its host do it, and asks again with what
/// it came to.
#[derive(Debug)]
pub struct EventCall<'a> {
    request: Request,
    /// The hub, and the handler whose handshake must have succeeded before; `None` where it has just done so, and for
    /// the handshake itself.
    handshake: Option<(String, Handler)>,
    /// Of a handshake, what it is to allow.
    origin: Option<String>,
    /// Why the request may not be made, if it may not.
    barred: Option<CallFailure>,
    /// The delivery record of the attempt at hand.
    delivery: Delivery,
    retry: Retry<'a>,
    stage: Stage,
    /// When the attempt at hand is over, its handshake included.
    until: Timestamp,
    /// A record that is to be kept.
    record: Option<String>,
    /// What an answer is used for.
    purpose: AnswerUse,
    /// What the last answer says.
    taken: Taken,
}

/// What a call wants of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The hub's directory is to be asked for a handshake: [`Done::Validated`].
    Validate {
        /// The handler.
        handler: Handler,
        /// How long that may take.
        within: Duration,
    },
    /// [`EventCall::request`] is to be sent, and its answer read with [`EventCall::read`] and judged:
    /// [`Done::Judged`].
    Post {
        /// How long that may take, the answer's body included.
        within: Duration,
    },
    /// Nothing for this long.
    Wait(Duration),
    /// A delivery record, which is to be kept.
    Keep(String),
    /// Nothing any more.
    Over(Result<(), CallFailure>),
}

/// What came of what a call wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Nothing that it has to know.
    Nothing,
    /// The directory has answered with this status, or there is no answer for a reason in one word: 204 stands
    /// for a handshake that succeeded, 403 for one that did not.
    Validated(String),
    /// The handler has answered, and the answer is of use, or not.
    Judged(Result<(), CallFailure>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// An attempt is about to begin.
    Start,
    /// The directory was asked for the handshake.
    Validating,
    /// The request may be sent.
    Ready,
    /// A pause is to be made before the next attempt.
    Paused(Duration),
    /// There is no further attempt.
    Over(Result<(), CallFailure>),
}

/// How long one request of a handshake may take.
///
/// Source: docs/spec/cloudevents.md#validation.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

impl<'a> EventCall<'a> {
    /// An attempt that a shard asks for, once the handshake has succeeded. Its queue retries.
    ///
    /// `variable` returns a variable or secret of the host by its name.
    pub fn of(
        hub: &str,
        mut call: Call,
        keys: &AccessKeys,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let handler = Handler { url: mem::take(&mut call.validate), origin: mem::take(&mut call.origin) };
        let delivery = delivery(&call.event, Some(call.connection.as_str()), call.attempt, &call.url);
        let mut request = Request::new("POST", mem::take(&mut call.url));
        request.body = Some(mem::take(&mut call.request.body));
        request.max_answer_bytes = call.purpose.max_bytes();
        for (name, value) in &call.request.headers {
            request.add(name, value);
        }
        request.add("ce-signature", &keys.signature(&call.connection));
        let mut barred = call.barred;
        if let Some(auth) = &call.auth {
            match secret(auth, variable) {
                Some(secret) => request.add(&auth.header, &[auth.scheme, &secret].concat()),
                None => barred = barred.or(Some(CallFailure::Unsendable)),
            }
        }
        let retry = Retry::Once { limit: call.limit, left: call.left };
        Self::new(request, Some((hub.to_owned(), handler)), barred, delivery, retry, call.purpose)
    }

    /// Makes further attempts by the hub's retry policy and behind the circuit breaker of the handler's URL.
    pub fn retry(&mut self, now: Timestamp, policy: &'a EventPolicy, handler: &EventHandler) {
        let (attempts, breaker) = (Attempts::new(now, policy), Some(handler.url.as_str().to_owned()));
        self.retry = Retry::ByPolicy { policy, attempts, breaker, limit: Duration::MAX };
    }

    /// Asks for no handshake: it has just succeeded.
    pub fn skip_handshake(&mut self) {
        self.handshake = None;
    }

    /// The handshake with a URL, which is made again by the hub's retry policy.
    #[must_use]
    pub fn handshake(now: Timestamp, policy: &'a EventPolicy, url: &str, origin: &str) -> Self {
        let mut request = Request::new("OPTIONS", url.to_owned());
        request.add("WebHook-Request-Origin", origin);
        request.add("ce-awpsversion", "1.0");
        let attempts = Attempts::new(now, policy);
        let retry = Retry::ByPolicy { policy, attempts, breaker: None, limit: HANDSHAKE_LIMIT };
        let delivery = delivery(validation::EVENT, None, 1, url);
        let mut call = Self::new(request, None, policy.barred(url), delivery, retry, AnswerUse::Nothing);
        call.origin = Some(origin.to_owned());
        call
    }

    /// Makes one attempt only.
    pub fn once(&mut self, now: Timestamp) {
        self.retry = self.retry.once(now, self.purpose);
    }

    fn new(
        request: Request,
        handshake: Option<(String, Handler)>,
        barred: Option<CallFailure>,
        delivery: Delivery,
        retry: Retry<'a>,
        purpose: AnswerUse,
    ) -> Self {
        Self {
            request,
            handshake,
            origin: None,
            barred,
            delivery,
            retry,
            stage: Stage::Start,
            until: Timestamp::from_millis(0),
            record: None,
            purpose,
            taken: Taken::default(),
        }
    }

    /// What is to be sent where [`Wanted::Post`] says so.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// The status of the last answer, if there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.delivery.status
    }

    /// Judges an answer by what it is used for, and keeps what it says.
    ///
    /// # Errors
    /// Why it is of no use.
    pub fn judge(&mut self, answer: HandlerAnswer) -> Result<(), CallFailure> {
        self.taken = answer.taken(self.purpose)?;
        self.taken.failure().map_or(Ok(()), Err)
    }

    /// What the shard is given of a call that has come to this.
    ///
    /// # Errors
    /// The failure, unless the answer goes to an MQTT client all the same.
    pub(crate) fn into_taken(self, outcome: Result<(), CallFailure>) -> Result<Taken, CallFailure> {
        match outcome {
            Err(failure) if self.taken.failure() != Some(failure) => Err(failure),
            Err(_) | Ok(()) => Ok(self.taken),
        }
    }

    /// What the host is to do next, once it has `done` what was wanted last.
    pub fn next(&mut self, now: Timestamp, known: &mut KnownHandlers, done: Done) -> Wanted {
        match done {
            Done::Nothing => {}
            Done::Validated(answer) => self.validated(now, known, &answer),
            Done::Judged(outcome) => self.judged(now, known, outcome),
        }
        if let Stage::Start = self.stage
            && self.record.is_none()
            && let Err(failure) = self.begin(now, known)
        {
            self.ended(now, known, Err(failure));
        }
        if let Some(record) = self.record.take() {
            return Wanted::Keep(record);
        }
        match (self.stage, &self.handshake) {
            (Stage::Over(outcome), _) => Wanted::Over(outcome),
            (Stage::Paused(pause), _) => {
                self.stage = Stage::Start;
                Wanted::Wait(pause)
            }
            (Stage::Validating, Some((_, handler))) => {
                Wanted::Validate { handler: handler.clone(), within: self.until.since(now) }
            }
            (Stage::Start | Stage::Validating | Stage::Ready, _) => {
                self.delivery.time = now.as_millis();
                Wanted::Post { within: self.retry.limit(now, self.purpose).min(self.until.since(now)) }
            }
        }
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// Why it has failed already.
    fn begin(&mut self, now: Timestamp, known: &mut KnownHandlers) -> Result<(), CallFailure> {
        if let Retry::ByPolicy { attempts, breaker, .. } = &self.retry {
            if let Some(template) = breaker
                && !known.breakers.allows(now, template)
            {
                self.stage = Stage::Over(Err(CallFailure::BreakerOpen));
                return Ok(());
            }
            self.delivery.attempt = attempts.number();
        }
        self.until = now.after(self.retry.left(now));
        self.delivery.time = now.as_millis();
        self.delivery.status = None;
        let is_known = self.handshake.as_ref().is_none_or(|handshake| known.handshakes.holds(now, handshake));
        self.stage = if is_known { Stage::Ready } else { Stage::Validating };
        self.barred.map_or(Ok(()), Err)
    }

    fn validated(&mut self, now: Timestamp, known: &mut KnownHandlers, answer: &str) {
        let failure = match answer {
            "204" => {
                if let Some(handshake) = &self.handshake {
                    known.handshakes.hold(now, handshake.clone());
                }
                self.stage = Stage::Ready;
                return;
            }
            "403" => CallFailure::NotValidated,
            word => answer::failure(word),
        };
        self.ended(now, known, Err(failure));
    }

    /// Reads the handler's answer: its status and its headers' names and values, a line each, or one word for
    /// why there is none.
    ///
    /// `decode` decodes text of a charset that is not UTF-8, by its label; `None` for one that is unknown.
    ///
    /// # Errors
    /// Why there is no answer, or why one to a handshake does not allow this service.
    pub fn read(
        &mut self,
        known: &mut KnownHandlers,
        head: &str,
        body: &mut AnswerBody,
        decode: &dyn Fn(&str, &[u8]) -> Option<String>,
    ) -> Result<HandlerAnswer, CallFailure> {
        let (status, answer) = answer::read(head, body.end(known), decode);
        self.delivery.status = status;
        if let (Some(origin), Ok(answer)) = (&self.origin, &answer) {
            validation::check(answer.status, answer.allowed_origin.as_slice(), origin)?;
        }
        answer
    }

    /// The request has come to this.
    fn judged(&mut self, now: Timestamp, known: &mut KnownHandlers, outcome: Result<(), CallFailure>) {
        if self.request.method == "OPTIONS" && self.delivery.status == Some(404) {
            // A handler that knows no OPTIONS is asked with GET.
            self.request.method = "GET";
            self.keep(now, outcome.err());
        } else {
            self.ended(now, known, outcome);
        }
    }

    /// The attempt at hand has ended.
    fn ended(&mut self, now: Timestamp, known: &mut KnownHandlers, outcome: Result<(), CallFailure>) {
        self.keep(now, outcome.err());
        self.stage = Stage::Over(outcome);
        let Retry::ByPolicy { policy, attempts, breaker, .. } = &mut self.retry else { return };
        if let Some(template) = breaker {
            // No queue waits behind this breaker that would have to be looked at again.
            let _ = known.breakers.ended(now, template, outcome.err());
        }
        // Who waits for a handshake waits for one answer that does not come, and not for four.
        let is_unanswered = self.origin.is_some() && outcome == Err(CallFailure::TimedOut);
        if let Err(failure) = outcome
            && !is_unanswered
            && let Some(pause) = attempts.failed(now, policy, failure, self.purpose)
        {
            if self.request.method == "GET" {
                self.request.method = "OPTIONS";
            }
            self.stage = Stage::Paused(pause);
        }
    }

    /// Writes the delivery record of a request, or of an attempt that came to none.
    fn keep(&mut self, now: Timestamp, failure: Option<CallFailure>) {
        let began = Timestamp::from_millis(self.delivery.time);
        self.delivery.duration = whole_millis(now.since(began));
        self.record = Some(self.delivery.encode(failure));
    }
}
