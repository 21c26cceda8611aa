//! When a shard's turns are taken: together with what else has arrived by then, or before anything more.

use js_sys::Promise;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use webpubsub_shard::NextTurn;

use crate::platform::State;

#[wasm_bindgen(module = "worker/js/schedule.ts")]
extern "C" {
    type Schedule;

    #[wasm_bindgen(constructor)]
    fn new(state: &State, turn: Closure<dyn Fn()>) -> Schedule;

    #[wasm_bindgen(method)]
    fn next(this: &Schedule) -> Promise;

    #[wasm_bindgen(method)]
    fn soon(this: &Schedule);

    #[wasm_bindgen(method, js_name = beforeMore)]
    fn before_more(this: &Schedule);
}

/// The turns of one shard.
pub(crate) struct Turns(Schedule);

impl Turns {
    /// `turn` takes one.
    pub(crate) fn new(state: &State, turn: impl Fn() + 'static) -> Self {
        Self(Schedule::new(state, Closure::new(turn)))
    }

    /// Has the shard take its next turn when it is due.
    pub(crate) fn schedule(&self, next: NextTurn) {
        match next {
            NextTurn::Soon => self.0.soon(),
            NextTurn::BeforeMore => self.0.before_more(),
        }
    }

    /// Resolves when what has arrived by now is taken in, for everybody at once: what they write then
    /// is one commit.
    pub(crate) fn next(&self) -> Promise {
        self.0.next()
    }
}
