//! Calls of event handlers: how an [`EventHost`] does what they want on this platform.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use webpubsub_protocol::time::{Timestamp, whole_millis};
use webpubsub_service::{AnswerBody, DirectoryCall, EventHost, KnownHandlers, Request};
use worker::Env;

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
        take: Option<&Take>,
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

/// Where a call is made from.
pub(crate) struct Caller<'a> {
    pub(crate) env: &'a Env,
    pub(crate) hub: &'a str,
    pub(crate) calls: &'a Calls,
    /// The call's number among `calls`: exact below 2^53, which a count of calls never reaches.
    pub(crate) id: f64,
    /// Keeps a delivery record.
    pub(crate) keep: &'a dyn Fn(&str),
}

impl EventHost for Caller<'_> {
    fn now(&self) -> Timestamp {
        now()
    }

    fn with_known<T>(&self, use_it: impl FnOnce(&mut KnownHandlers) -> T) -> T {
        KNOWN.with_borrow_mut(use_it)
    }

    fn variable(&self, name: &str) -> Option<String> {
        variable(self.env, name)
    }

    fn decode(&self, label: &str, text: &[u8]) -> Option<String> {
        text_in_charset(label, text)
    }

    fn validate(&self, handshake: &str, within: Duration) -> impl Future<Output = String> {
        let (path, limit) = (DirectoryCall::VALIDATION, whole_millis(within) as f64);
        let answer = self.calls.post_to_directory(self.id, self.env, self.hub, path, handshake, limit);
        settle(answer, None)
    }

    fn post(
        &self,
        request: &Request,
        within: Duration,
        body: &Rc<RefCell<AnswerBody>>,
    ) -> impl Future<Output = String> {
        let take = (request.max_answer_bytes > 0).then(|| taking(body));
        let answer = self.calls.request(
            self.id,
            request.method,
            &request.url,
            &request.headers,
            request.body.as_deref(),
            whole_millis(within) as f64,
            take.as_ref(),
        );
        settle(answer, take)
    }

    fn sleep(&self, pause: Duration) -> impl Future {
        settle(sleep(whole_millis(pause) as f64), None)
    }

    fn keep(&self, delivery: &str) {
        (self.keep)(delivery);
    }
}

type Take = Closure<dyn FnMut(Uint8Array, usize, u16) -> bool>;

/// What a promise of [`Calls`] resolves with, none of which fails. `take` lives as long.
async fn settle(promise: Promise, take: Option<Take>) -> String {
    let answer = settled(promise).await;
    drop(take);
    answer.ok().and_then(|answer| answer.as_string()).unwrap_or_default()
}

/// What puts the pieces of an answer into its body.
fn taking(body: &Rc<RefCell<AnswerBody>>) -> Take {
    let body = Rc::clone(body);
    Closure::new(move |piece: Uint8Array, announced: usize, status: u16| {
        KNOWN.with_borrow_mut(|known| {
            let mut body = body.borrow_mut();
            let room = body.room_for(known, piece.length() as usize, announced, status);
            room.map(|room| piece.copy_to(room)).is_some()
        })
    })
}
