//! Calls of event handlers: performs what an [`EventCall`] wants.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer, Taken};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::whole_millis;
use webpubsub_service::{
    AnswerBody, Config, Done, EventCall, KnownHandlers, Wanted, first_attempt, handshake_url, sample_event,
    test_report,
};
use webpubsub_shard::{EventHandler, EventPolicy};
use worker::Env;

use crate::directory_paths;
use crate::http::text_in_charset;
use crate::platform::{now, sleep, variable};
use crate::task::settled;

#[wasm_bindgen(module = "worker/js/event_handler.ts")]
extern "C" {
    /// The calls of one shard, one client or one directory that are under way, by their numbers.
    pub(crate) type Calls;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Calls;

    /// Ends a call after so many milliseconds, unless it has ended before.
    #[wasm_bindgen(method, js_name = giveUp)]
    pub(crate) fn give_up(this: &Calls, id: f64, after: f64);

    /// Posts something to a hub's directory. Resolves with the answer's status, or with a word for why
    /// there is none.
    #[wasm_bindgen(method, js_name = postToDirectory)]
    fn post_to_directory(
        this: &Calls,
        id: f64,
        env: &Env,
        hub: &str,
        path: &str,
        body: &str,
        limit: f64,
    ) -> Promise;

    /// Makes a request; `headers` are a name or a value a line. Each piece of the answer's body is passed to
    /// `take`, if there is one, with how many bytes the answer announces and its status, until it returns
    /// false. Resolves with the answer's status and its headers' names and values, a line each, or with a
    /// word for why there is no answer.
    #[wasm_bindgen(method)]
    fn request(
        this: &Calls,
        id: f64,
        method: &str,
        url: &str,
        headers: &str,
        body: Option<&[u8]>,
        limit: f64,
        take: Option<&Closure<dyn FnMut(Uint8Array, usize, u16) -> bool>>,
    ) -> Promise;

    /// Has a hub's directory keep a delivery record, and does not wait for it.
    #[wasm_bindgen(js_name = keepDelivery)]
    pub(crate) fn keep_delivery(env: &Env, hub: &str, delivery: &str);

    /// The newest delivery records of a hub's shards and its directory, newest first. Resolves with JSON.
    pub(crate) fn deliveries(env: &Env, hub: &str, shards: Vec<String>) -> Promise;
}

thread_local! {
    static KNOWN: RefCell<KnownHandlers> = RefCell::default();
}

/// Where calls are made from.
pub(crate) struct Caller<'a> {
    pub(crate) env: &'a Env,
    pub(crate) hub: &'a str,
    pub(crate) calls: &'a Calls,
}

impl Caller<'_> {
    /// Makes a call with this number among `calls`, until it is over. `judge` says whether an answer is of
    /// use, and `keep` keeps a delivery record.
    pub(crate) async fn make(
        &self,
        id: u64,
        call: &mut EventCall<'_>,
        judge: &mut dyn FnMut(HandlerAnswer) -> Result<(), CallFailure>,
        keep: &dyn Fn(&str),
    ) -> Result<(), CallFailure> {
        // Exact below 2^53, which a count of calls never reaches.
        let id = id as f64;
        let mut done = Done::Nothing;
        loop {
            let wanted = KNOWN.with_borrow_mut(|known| call.next(now(), known, done));
            // Of a request: the body of its answer, and the closure that receives the pieces, until it has ended.
            let mut reading = None;
            let promise = match &wanted {
                Wanted::Validate { body, within } => {
                    let (path, limit) = (directory_paths::VALIDATION, whole_millis(*within) as f64);
                    self.calls.post_to_directory(id, self.env, self.hub, path, body, limit)
                }
                Wanted::Post { within } => {
                    let request = call.request();
                    let body = Rc::new(RefCell::new(AnswerBody::new(request.max_answer_bytes)));
                    let take = (request.max_answer_bytes > 0).then(|| taking(&body));
                    let (_, take) = reading.insert((body, take));
                    self.calls.request(
                        id,
                        request.method,
                        &request.url,
                        &request.headers,
                        request.body.as_deref(),
                        whole_millis(*within) as f64,
                        take.as_ref(),
                    )
                }
                Wanted::Wait(pause) => sleep(whole_millis(*pause) as f64),
                Wanted::Keep(record) => {
                    keep(record);
                    done = Done::Nothing;
                    continue;
                }
                Wanted::Over(outcome) => return *outcome,
            };
            // None of these promises fails.
            let answer =
                settled(promise).await.ok().and_then(|answer| answer.as_string()).unwrap_or_default();
            done = match (wanted, reading) {
                (Wanted::Validate { .. }, _) => Done::Validated(answer),
                (_, Some((body, _))) => {
                    let mut body = body.borrow_mut();
                    let answer =
                        KNOWN.with_borrow_mut(|known| call.read(known, &answer, &mut body, &text_in_charset));
                    Done::Judged(answer.and_then(&mut *judge))
                }
                (_, None) => Done::Nothing,
            };
        }
    }
}

/// What puts the pieces of an answer into its body.
fn taking(body: &Rc<RefCell<AnswerBody>>) -> Closure<dyn FnMut(Uint8Array, usize, u16) -> bool> {
    let body = Rc::clone(body);
    Closure::new(move |piece: Uint8Array, announced: usize, status: u16| {
        KNOWN.with_borrow_mut(|known| {
            let mut body = body.borrow_mut();
            let room = body.room_for(known, piece.length() as usize, announced, status);
            room.map(|room| piece.copy_to(room)).is_some()
        })
    })
}

/// Tests an event handler with a handshake and an event. Returns how each went.
pub(crate) async fn test(
    policy: &EventPolicy,
    handler: &EventHandler,
    connection: &ConnectionId,
    origin: &str,
    env: &Env,
    config: &Config,
) -> String {
    let (hub, calls) = (policy.hub.as_str(), Calls::new());
    let caller = Caller { env, hub, calls: &calls };
    let keep = |delivery: &str| keep_delivery(env, hub, delivery);
    let url = handshake_url(policy, handler);
    let mut call = EventCall::handshake(now(), policy, &url, origin);
    call.once(now());
    let outcome = caller.make(0, &mut call, &mut |_| Ok(()), &keep).await;
    let handshake = (outcome, call.status());
    let event = match sample_event(handler) {
        Some(sample) if outcome.is_ok() => {
            let call = first_attempt(now(), policy, handler, connection, None, origin, &sample);
            let purpose = call.purpose;
            let mut call = EventCall::of(hub, call, &config.keys, &|name| variable(env, name));
            call.skip_handshake();
            let mut taken = Taken::default();
            let mut judge = |answer| EventCall::take_answer(answer, purpose, &mut taken);
            let outcome = caller.make(0, &mut call, &mut judge, &keep).await;
            Some((outcome, call.status()))
        }
        Some(_) | None => None,
    };
    test_report(origin, handshake, event)
}
