//! What goes wrong in the worker.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_service::ConfigError;
use webpubsub_service::gateway::GatewayError;
use webpubsub_store::OpenError;

#[wasm_bindgen(module = "worker/js/describe.ts")]
extern "C" {
    fn describe(error: &JsValue) -> String;
}

/// A value, or why there is none.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// What went wrong. Its text is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The platform has thrown this.
    #[error("{}", describe(.0))]
    Thrown(JsValue),
    /// An object did not do what it was asked.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The tables cannot be opened.
    #[error(transparent)]
    Tables(Box<OpenError>),
    /// The service is not set up.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The platform has no random bytes.
    #[error("the platform has no random bytes")]
    NoRandom,
    /// A client's text is none.
    #[error("a text that is not UTF-8")]
    NotUtf8,
    /// What a shard has answered is no reply.
    #[error("a shard's reply cannot be read")]
    NoReply,
    /// A future is pending, and nothing would run it on.
    #[error("a task waits for no promise")]
    NoPromise,
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Tables(Box::new(error))
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<JsValue> for Error {
    fn from(thrown: JsValue) -> Self {
        Self::Thrown(thrown)
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        js_sys::Error::new(&format!("{error}")).into()
    }
}
