//! Calls of event handlers: how an [`EventHost`] does what they want on this platform.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::{Timestamp, whole_millis};
use webpubsub_service::directory::Handler;
use webpubsub_service::{AnswerBody, DirectoryCall, EventHost, KnownHandlers, ObjectRequest, Request};
use worker::Env;

use crate::http::text_in_charset;
use crate::platform::{now, sleep, variable};
use crate::promise::settled;

#[wasm_bindgen(module = "worker/js/event_handler.ts")]
extern "C" {
    #[derive(Clone)]
    pub(crate) type Calls;

    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Calls;

    #[wasm_bindgen(method, js_name = giveUp)]
    pub(crate) fn give_up(this: &Calls, id: f64, after: f64);

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

    #[wasm_bindgen(js_name = postInPassing)]
    fn post_in_passing(env: &Env, hub: &str, path: &str, body: &str);
}

/// Has a hub's directory keep a delivery record, and does not wait for it.
pub(crate) fn keep_delivery(env: &Env, hub: &HubName, delivery: &str) {
    let ObjectRequest { path, body } = DirectoryCall::KeepDelivery(delivery.to_owned()).encode();
    post_in_passing(env, hub.as_str(), path, &body);
}

thread_local! {
    static KNOWN: RefCell<KnownHandlers> = RefCell::default();
}

/// Where a call is made from.
pub(crate) struct Caller<'a> {
    pub(crate) env: &'a Env,
    pub(crate) hub: &'a str,
    pub(crate) calls: Calls,
    /// The call's number among `calls`: exact below 2^53, which a count of calls never reaches.
    pub(crate) id: f64,
}

impl<'a> Caller<'a> {
    /// A caller whose one call at a time is never given up.
    pub(crate) fn new(env: &'a Env, hub: &'a HubName) -> Self {
        Self { env, hub: hub.as_str(), calls: Calls::new(), id: 0.0 }
    }
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

    fn validate(&self, handler: Handler, within: Duration) -> impl Future<Output = String> {
        let ObjectRequest { path, body } = DirectoryCall::Validate(handler).encode();
        let limit = whole_millis(within) as f64;
        settle(self.calls.post_to_directory(self.id, self.env, self.hub, path, &body, limit), None)
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
