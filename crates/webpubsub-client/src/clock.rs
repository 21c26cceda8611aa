//! The time.

use wasm_bindgen::prelude::*;
use webpubsub_client_core::SteadyClock;
use webpubsub_protocol::time::Timestamp;

#[wasm_bindgen]
extern "C" {
    /// The wall clock, in milliseconds since 1970.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn wall_clock() -> f64;
}

/// The time, which never goes back.
#[derive(Default)]
pub(crate) struct Clock(SteadyClock);

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        self.at(wall_clock())
    }

    /// The time when the wall clock says this, in milliseconds since 1970.
    pub(crate) fn at(&self, wall: f64) -> Timestamp {
        self.0.at(wall)
    }
}
