//! The time.

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use webpubsub_protocol::time::Timestamp;

#[wasm_bindgen]
extern "C" {
    /// The wall clock, in milliseconds since 1970.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn wall_clock() -> f64;
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
        let wall = wall_clock();
        let gone_back = self.last.replace(wall) - wall;
        if gone_back > 0.0 {
            self.lag.set(self.lag.get() + gone_back);
        }
        Timestamp::from_millis((wall + self.lag.get()) as u64)
    }
}
