//! The loop around a call of an event handler: it does what an [`EventCall`] wants, one thing at a time.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer, Taken};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Call;

use crate::directory::Handler;
use crate::event_call::{AnswerBody, Done, EventCall, KnownHandlers, Request, Wanted};
use crate::keys::KeyRing;
use crate::objects::{Objects, known_keys};

/// The network, clock and variables of a host that calls event handlers.
///
/// No method fails: what goes wrong is part of what it returns. Nothing is awaited while
/// [`EventHost::with_known`] runs, so one value serves all calls of a process.
pub trait EventHost {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Runs `use_it` with what this host knows of the event handlers that it calls.
    fn with_known<T>(&self, use_it: impl FnOnce(&mut KnownHandlers) -> T) -> T;

    /// Returns a variable or secret by its name.
    fn variable(&self, name: &str) -> Option<String>;

    /// Decodes text of a charset that is not UTF-8, by its label; `None` for one that is unknown.
    fn decode(&self, label: &str, text: &[u8]) -> Option<String>;

    /// Asks the hub's directory for the handshake of a handler. Returns the answer's status, or a word for why there
    /// is none, as [`Done::Validated`] has it.
    fn validate(&self, handler: Handler, within: Duration) -> impl Future<Output = String>;

    /// Sends a request, follows no redirect, and writes the answer's body where [`AnswerBody::room_for`] has
    /// room. Returns the answer's status and its headers' names and values, a line each, or a word for why
    /// there is no answer, as [`EventCall::read`] has it.
    fn post(
        &self,
        request: &Request,
        within: Duration,
        body: &Rc<RefCell<AnswerBody>>,
    ) -> impl Future<Output = String>;

    /// Waits. What it returns is of no use.
    fn sleep(&self, pause: Duration) -> impl Future;
}

/// Keeps a delivery record, as far as that can be done.
pub type Keep<'a> = dyn Fn(&str) + 'a;

/// Says whether an answer is of use, and why it is not.
pub type Judge<'a> = dyn FnMut(HandlerAnswer) -> Result<(), CallFailure> + 'a;

/// Makes one attempt of a shard to deliver an event to its handler, signed with the keys that hold. Returns what it
/// came to, for [`Input::Called`](webpubsub_shard::Input::Called).
///
/// # Errors
/// Why it failed.
pub async fn deliver(
    host: &impl EventHost,
    objects: &impl Objects,
    (hub, keys): (&HubName, &KeyRing),
    call: Call,
    keep: &Keep<'_>,
) -> Result<Taken, CallFailure> {
    let keys = known_keys(objects, host.now(), keys).await;
    let mut call = EventCall::of(hub.as_str(), call, &keys.access, &|name| host.variable(name));
    let outcome = call.make(host, keep, None).await;
    call.into_taken(outcome)
}

impl EventCall<'_> {
    /// Makes the call, with all its attempts, of each of which it has a record kept. `judge` says whether an answer is of use; without it
    /// [`EventCall::judge`] does.
    ///
    /// # Errors
    /// Why the last attempt failed.
    pub async fn make<H: EventHost>(
        &mut self,
        host: &H,
        keep: &Keep<'_>,
        mut judge: Option<&mut Judge<'_>>,
    ) -> Result<(), CallFailure> {
        let mut done = Done::Nothing;
        loop {
            let wanted = host.with_known(|known| self.next(host.now(), known, done));
            done = match wanted {
                Wanted::Validate { handler, within } => Done::Validated(host.validate(handler, within).await),
                Wanted::Post { within } => {
                    let body = Rc::new(RefCell::new(AnswerBody::new(self.request().max_answer_bytes)));
                    let head = host.post(self.request(), within, &body).await;
                    let decode = |label: &str, text: &[u8]| host.decode(label, text);
                    let mut body = body.borrow_mut();
                    let answer = host.with_known(|known| self.read(known, &head, &mut body, &decode));
                    Done::Judged(answer.and_then(|answer| match &mut judge {
                        Some(judge) => judge(answer),
                        None => self.judge(answer),
                    }))
                }
                Wanted::Wait(pause) => {
                    host.sleep(pause).await;
                    Done::Nothing
                }
                Wanted::Keep(record) => {
                    keep(&record);
                    Done::Nothing
                }
                Wanted::Over(outcome) => return outcome,
            };
        }
    }
}
