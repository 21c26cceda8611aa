//! Requests of the REST API on their way to shards: to one, or their parts to several.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use webpubsub_protocol::limits::MAX_REST_MESSAGE_BYTES;
use webpubsub_protocol::rest::{self, METADATA_PREFIX, Refusal};
use webpubsub_service::{Part, PartsHost, TaskHead, encode_answer};
use worker::Env;
use worker::web_sys::Request;

use crate::objects::{forward_to_shard, serve_on_shards};
use crate::platform::{Error, Result};
use crate::promise::Settled;
use crate::{http, log};

thread_local! {
    /// Answers a request of the REST API, of which a method and an error are left.
    static FAILED: JsValue = Closure::<dyn Fn(JsValue, String) -> Settled>::new(|error, method: String| {
        log::failure("asking a shard", &Error::from(error));
        Ok(http::rest(rest::refuse(&Refusal::Internal, &method))?.into())
    })
    .into_js_value();
}

/// Has one shard carry a request out for which [`can_forward`](crate::objects::can_forward) holds. Resolves with the
/// answer, or with one that says that it has failed.
pub(crate) fn forward(env: &Env, name: &str, request: &Request) -> Promise {
    FAILED.with(|failed| forward_to_shard(env, name, request, METADATA_PREFIX, failed))
}

/// A request of which several shards do parts.
pub(crate) struct Parts<'a> {
    pub(crate) env: &'a Env,
    pub(crate) head: &'a TaskHead,
    pub(crate) body: Body<'a>,
}

/// The body of a request.
pub(crate) enum Body<'a> {
    Unread(&'a Request),
    Read(&'a [u8]),
}

impl PartsHost for Parts<'_> {
    type Error = Error;
    type Answer = String;
    type Body = Uint8Array;

    fn content_type(&self) -> Option<String> {
        Some(self.head.content_type().to_owned())
    }

    async fn body(&self) -> Result<std::result::Result<Uint8Array, Refusal>> {
        match self.body {
            Body::Unread(request) => {
                http::message_body(request, self.head.length(), MAX_REST_MESSAGE_BYTES).await
            }
            Body::Read(bytes) => Ok(Ok(Uint8Array::from(bytes))),
        }
    }

    async fn ask_for_parts(
        &self,
        names: Vec<String>,
        path: &str,
        body: Option<Uint8Array>,
    ) -> Result<Vec<Part<String>>> {
        let answers = serve_on_shards(self.env, names, &self.head.with_path(path), body.as_ref()).await?;
        if let Some(body) = body {
            http::free_bytes(&body);
        }
        let parts: Option<_> = answers.into_iter().map(Part::read).collect();
        parts.ok_or_else(|| Error::NoReply)
    }

    fn respond(&self, response: rest::Response) -> Result<String> {
        Ok(encode_answer(response))
    }
}
