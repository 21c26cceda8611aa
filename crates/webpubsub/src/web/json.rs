//! JavaScript values as payloads, and payloads as JavaScript values, by serde-wasm-bindgen.
//!
//! A program that has Rust types needs neither: they go through [`Data::json`] and
//! [`Data::read_json`], and no JavaScript value is made.

use serde::Serialize as _;
use serde_json::Value;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

use crate::data::{Data, DataError, PayloadError};

/// Why a JavaScript value and a payload do not go together.
#[derive(Debug, thiserror::Error)]
pub enum JsError {
    /// The value is none of JSON's: a function, a symbol, a `BigInt`, bytes.
    #[error("the value is none of JSON's: {reason}")]
    NotJson {
        /// What serde-wasm-bindgen says of it.
        reason: String,
    },
    /// The value is no payload.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The payload is no JSON.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

impl Data {
    /// A JavaScript value, as JSON.
    ///
    /// # Errors
    /// [`JsError`] for what JSON cannot express, and for `null` and `undefined`.
    pub fn from_js(value: &JsValue) -> Result<Self, JsError> {
        let value: Value = serde_wasm_bindgen::from_value(value.clone()).map_err(not_json)?;
        Ok(Self::json(&value)?)
    }

    /// The JSON value, as a JavaScript value: objects are plain objects, and `null` is `null`.
    ///
    /// # Errors
    /// [`JsError`] for a payload that is no JSON, and for one with a whole number that JavaScript's
    /// numbers do not have, beyond 2⁵³ − 1.
    pub fn to_js(&self) -> Result<JsValue, JsError> {
        let value: Value = self.read_json()?;
        value.serialize(&Serializer::json_compatible()).map_err(not_json)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err gives")]
fn not_json(error: serde_wasm_bindgen::Error) -> JsError {
    JsError::NotJson { reason: error.to_string() }
}
