//! What goes wrong in the worker, in words for its log.

use std::fmt;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "worker/js/describe.ts")]
extern "C" {
    fn describe(error: &JsValue) -> String;
}

/// A value, or why there is none.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in words for the log.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<JsValue> for Error {
    fn from(thrown: JsValue) -> Self {
        Self(describe(&thrown))
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        js_sys::Error::new(&error.0).into()
    }
}
