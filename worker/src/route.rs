//! Requests of the REST API on their way to shards: one as it is, or its parts to several.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use webpubsub_protocol::rest::{self, Refusal};
use webpubsub_service::{Part, PartsHost};
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::objects::{Question, ask_for_parts_of, forward_to_shard};
use crate::platform::{Error, Result};
use crate::task::Settled;
use crate::{http, log};

thread_local! {
    /// Answers a request of the REST API, of which a method and an error are left.
    static FAILED: JsValue = Closure::<dyn Fn(JsValue, String) -> Settled>::new(|error, method: String| {
        log::failure("asking a shard", &Error::from(error));
        Ok(http::rest(rest::refuse(&Refusal::Internal, &method))?.into())
    })
    .into_js_value();
}

/// Forwards the raw request to one shard. Resolves with its answer, or with one that says that it has failed.
pub(crate) fn forward(env: &Env, name: &str, request: &Request) -> Promise {
    FAILED.with(|failed| forward_to_shard(env, name, request, failed))
}

/// A request of which several shards do parts.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) env: &'a Env,
    pub(crate) request: &'a Request,
}

impl PartsHost for Parts<'_> {
    type Error = Error;
    type Answer = Response;
    type Body = Uint8Array;

    fn content_type(&self) -> Option<String> {
        self.request.headers().get("Content-Type").ok().flatten()
    }

    fn body(&self) -> impl Future<Output = Result<std::result::Result<Uint8Array, Refusal>>> {
        http::message_body(self.request, None)
    }

    async fn ask_for_parts(
        &self,
        names: Vec<String>,
        path: &str,
        body: Option<Uint8Array>,
    ) -> Result<Vec<Part<Response>>> {
        let (method, headers) = (self.request.method(), self.request.headers());
        // Only a POST has a body here, and a request that must not have one cannot have an empty one.
        let bytes = body.unwrap_or_else(|| Uint8Array::new_with_length(0));
        let body = if method == "POST" { bytes.clone().into() } else { JsValue::UNDEFINED };
        let question = Question { path, method: &method, headers: &headers, body };
        let parts = ask_for_parts_of(self.env, names, question).await;
        http::free_bytes(&bytes);
        parts
    }

    fn respond(&self, response: rest::Response) -> Result<Response> {
        http::rest(response)
    }
}
