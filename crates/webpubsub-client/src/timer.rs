//! The clock, and one timer.

use std::cell::Cell;

use js_sys::{Date, Function};
use wasm_bindgen::prelude::*;
use webpubsub_protocol::time::Timestamp;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timeout: &JsValue);
}

/// Wall-clock time that never goes back, so that setting the clock back stops no timer.
///
/// A page's monotonic clock may stand still while the machine sleeps; this one does not.
#[derive(Default)]
pub(crate) struct Clock {
    last: Cell<f64>,
    lag: Cell<f64>,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        let wall = Date::now();
        let gone_back = self.last.replace(wall) - wall;
        if gone_back > 0.0 {
            self.lag.set(self.lag.get() + gone_back);
        }
        Timestamp::from_millis((wall + self.lag.get()) as u64)
    }
}

/// One timer, set to the next moment that matters.
pub(crate) struct Timer {
    callback: Closure<dyn FnMut()>,
    /// When it rings, and JavaScript's name for it.
    armed: Cell<Option<(Timestamp, JsValue)>>,
}

impl Timer {
    pub(crate) fn new(callback: impl FnMut() + 'static) -> Self {
        Self { callback: Closure::new(callback), armed: Cell::new(None) }
    }

    /// To be called when the timer rings.
    pub(crate) fn rang(&self) {
        self.armed.set(None);
    }

    /// Sets the timer. One that rings earlier stays: ringing early is harmless, and most frames then
    /// set no timer at all.
    pub(crate) fn set(&self, now: Timestamp, next: Option<Timestamp>) {
        if let Some((at, timeout)) = self.armed.take() {
            if next.is_some_and(|next| at <= next) {
                return self.armed.set(Some((at, timeout)));
            }
            clear_timeout(&timeout);
        }
        if let Some(next) = next {
            let milliseconds = i32::try_from(next.since(now).as_millis()).unwrap_or(i32::MAX);
            let timeout = set_timeout(self.callback.as_ref().unchecked_ref(), milliseconds);
            self.armed.set(Some((next, timeout)));
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.set(Timestamp::default(), None);
    }
}
