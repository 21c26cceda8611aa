//! What the host adds to the session: what crosses to JavaScript and back, timers and the clock, in a
//! browser.

#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

mod fixture;
mod inputs;
mod links;
mod operations;
mod receiving;
mod starting;
mod timers;

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);
