//! Strings of JavaScript as Rust's.
//!
//! They cross as values and are copied here, in one place: every string that is an argument of an exported
//! function takes code of its own on both sides.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A string of JavaScript as one of Rust.
    #[wasm_bindgen(js_name = String)]
    pub(crate) fn text(value: JsValue) -> String;
}

/// A string that is not empty.
pub(crate) fn given(value: JsValue) -> Option<String> {
    Some(text(value)).filter(|text| !text.is_empty())
}
